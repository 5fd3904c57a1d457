//! Releases, kept as Secrets `sh.helm.release.v1.NAME.vREVISION` of the release's namespace, as Helm keeps them.
//!
//! Source: `helm/pkg/storage/driver/{secrets,util}.go`. The Secret's text is JSON in base64; Helm compresses it before.

use super::render::Hook;
use api::kind::Kind;
use api::meta::Key;
use cluster::Cluster;
use cluster::store::DeleteOptions;
use shell::{base64_decode, base64_encode};
use values::record;
use values::sort::sort_by;
use values::time::SimTime;
use values::value::Value;

const PREFIX: &str = "sh.helm.release.v1.";

record! {
    /// One revision of a release.
    pub struct Release {
        pub name: String = always,
        pub namespace: String = always,
        pub revision: i64 = always,
        /// `deployed`, `failed`, `superseded`, `pending-install` …
        pub status: String = always,
        pub description: String = always,
        /// Milliseconds since 1970.
        pub deployed_ms: i64 = always,
        /// The rest of that moment below a millisecond, in nanoseconds.
        pub deployed_ns: i64 = always,
        pub chart: String = always,
        pub chart_version: String = always,
        pub app_version: String = always,
        pub manifest: String = always,
        pub hooks: Vec<Hook> = always,
        pub notes: String = always,
        /// What the user set.
        pub config: Value = always,
        /// The chart's values with the user's over them.
        pub values: Value = always,
    }
}

impl Release {
    pub fn deployed(&self) -> SimTime {
        SimTime::from_millis(self.deployed_ms)
    }

    pub fn chart_and_version(&self) -> String {
        format!("{}-{}", self.chart, self.chart_version)
    }

    fn secret_name(&self) -> String {
        format!("{PREFIX}{}.v{}", self.name, self.revision)
    }

    fn key(&self) -> Key {
        Key::new(Kind::Secret, &self.namespace, &self.secret_name())
    }

    /// Writes the revision, whether it was there before or not.
    pub fn store(&self, cluster: &mut Cluster) {
        let key = self.key();
        let labels = values::object! {
            "modifiedAt" => cluster.now().secs().to_string(), "name" => self.name.as_str(), "owner" => "helm",
            "status" => self.status.as_str(), "version" => self.revision.to_string(),
        };
        let data = values::object! { "release" => base64_encode(Value::encode(self).to_json().as_bytes()) };
        let secret = values::object! {
            "apiVersion" => "v1", "kind" => "Secret", "type" => "helm.sh/release.v1", "data" => data.clone(),
            "metadata" => values::object! {
                "name" => &*key.name, "namespace" => self.namespace.as_str(), "labels" => labels.clone(),
            },
        };
        // A release that cannot be kept (a quota, a namespace on its way out) is lost, as with Helm.
        let _ = cluster.api("helm", |api| match api.get(&key) {
            None => api.create(secret).map(|_| ()),
            Some(_) => api
                .update(&key, |value| {
                    value.set("metadata.labels", labels);
                    value.set("data", data);
                })
                .map(|_| ()),
        });
    }

    /// Takes the revision out of the cluster.
    pub fn purge(&self, cluster: &mut Cluster) {
        let key = self.key();
        // Somebody else may have deleted it already.
        let _ = cluster.api("helm", |api| api.delete(&key, &DeleteOptions::background()));
    }
}

/// All revisions in a namespace (or everywhere), by name and revision.
pub fn all(cluster: &Cluster, namespace: Option<&str>) -> Vec<Release> {
    let secrets = cluster.store().list(Kind::Secret).filter(|secret| secret.name().starts_with(PREFIX));
    let secrets = secrets.filter(|secret| namespace.is_none_or(|namespace| secret.namespace() == namespace));
    let mut releases: Vec<Release> = secrets
        .filter_map(|secret| {
            let bytes = base64_decode(secret.value().str_at("data.release")?.as_bytes()).0;
            Value::from_json(std::str::from_utf8(&bytes).ok()?).ok()?.decode().ok()
        })
        .collect();
    sort_by(&mut releases, |a, b| (&a.name, &a.namespace, a.revision).cmp(&(&b.name, &b.namespace, b.revision)));
    releases
}

/// The revisions of one release, the oldest first.
pub fn history(cluster: &Cluster, namespace: &str, name: &str) -> Vec<Release> {
    all(cluster, Some(namespace)).into_iter().filter(|release| release.name == name).collect()
}
