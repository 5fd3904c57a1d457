//! `kubectl apply --prune`: deletes what was applied before and is in the files no longer.
//!
//! Source: `kubectl/pkg/cmd/apply/prune.go`, `kubectl/pkg/util/prune/prune.go`.

use crate::kubectl::common::{self, DryRun};
use crate::kubectl::errors::Failure;
use crate::kubectl::{Call, apply};
use api::kind::Kind;
use api::meta::Key;
use api::selector::Labels;
use cluster::store::DeleteOptions;

/// The kinds that are looked at unless `--prune-allowlist` says otherwise, in their order.
const USUAL: [Kind; 11] = [
    Kind::ConfigMap,
    Kind::Endpoints,
    Kind::PersistentVolumeClaim,
    Kind::Pod,
    Kind::Secret,
    Kind::Service,
    Kind::Job,
    Kind::CronJob,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::PersistentVolume,
];

/// The kinds of `--prune-allowlist`; empty: none are named.
///
/// # Errors
/// kubectl's words, without `error: `.
pub fn kinds(call: &Call<'_, '_>) -> Result<Vec<Kind>, String> {
    let mut kinds = Vec::new();
    for text in call.parsed.list("prune-allowlist") {
        let [group, version, kind] = text.split('/').collect::<Vec<_>>()[..] else {
            return Err(format!("invalid GroupVersionKind format: {text}, please follow <group/version/kind>"));
        };
        let full = if group == "core" { version.to_owned() } else { format!("{group}/{version}") };
        let found = Kind::find(&full, kind);
        let group = if group == "core" { "" } else { group };
        kinds.push(found.ok_or_else(|| {
            format!("no matches for kind \"{kind}\" in version \"{}\"", if group.is_empty() { version } else { &full })
        })?);
    }
    Ok(kinds)
}

/// Deletes what carries the annotation of an apply and was not visited.
pub fn run(call: &mut Call<'_, '_>, kinds: &[Kind], visited: &[(Key, String)], labels: &Labels, dry_run: DryRun) {
    let chosen: Vec<Kind> = match kinds {
        [] => {
            let text = "Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with \
                        the --namespace flag in a future release. To preserve the current behaviour, list the resources you \
                        want to target explicitly in the --prune-allowlist flag.";
            call.io.err(&common::klog("prune.go:71", text));
            call.io.err("Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n");
            USUAL.to_vec()
        }
        kinds => kinds.to_vec(),
    };
    let mut namespaces: Vec<String> =
        visited.iter().map(|(key, _)| key.namespace.to_string()).filter(|name| !name.is_empty()).collect();
    namespaces.dedup();
    let store = call.desk.cluster.store();
    let mut gone = Vec::new();
    for kind in chosen {
        for object in store.list(kind) {
            let here = !kind.info().namespaced || namespaces.iter().any(|name| name == object.namespace());
            let applied = object.meta().annotations.contains_key(apply::LAST_APPLIED);
            let kept = visited.iter().any(|(_, uid)| uid == object.uid());
            if here && applied && !kept && labels.matches(&object.meta().labels) {
                gone.push(object.key());
            }
        }
    }
    for key in gone {
        if dry_run == DryRun::No
            && let Err(error) = call.desk.cluster.api("user", |api| api.delete(&key, &DeleteOptions::background()))
        {
            call.note(Failure::from(error));
            continue;
        }
        call.io.out(&format!("{}/{} pruned{}\n", key.kind.info().singular_resource(), key.name, dry_run.suffix()));
    }
}
