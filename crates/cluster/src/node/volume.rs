//! A Pod's volumes as files.
//!
//! Rule: ConfigMap, Secret, projected and downward API volumes are read when the Pod starts, and again when one of their
//! objects changed, up to a minute and a half later; a part of them that is mounted by `subPath` stays as it was. What is
//! missing and not optional is a failed mount. Claims and host paths outlive the Pod. Source: `pkg/volume/{configmap,secret,projected,downwardapi}`.

use crate::node::env::{Facts, expand, field, object_data, resource};
use crate::program::files::{FileTree, Mount};
use crate::store::Store;
use api::kind::Kind;
use api::pod::Pod;
use shell::Env;
use values::sorted::SortedMap;
use values::time::SimTime;
use values::value::Value;

/// Kinds of volumes whose files come from the API.
const FROM_API: [&str; 4] = ["configMap", "secret", "downwardAPI", "projected"];

fn is_from_api(volume: &Value) -> bool {
    FROM_API.iter().any(|field| volume.map_at(field).is_some())
}

/// The part of a volume that is mounted by itself, as it was at the start.
fn part_name(volume: &str, sub_path: &str) -> String {
    format!("{volume}/{sub_path}")
}

/// Whether a Pod has files from this ConfigMap or Secret.
pub fn reads_from(pod: &Pod, kind: Kind, name: &str) -> bool {
    let (field, own, key) =
        if kind == Kind::Secret { ("secret", "secretName", "name") } else { ("configMap", "name", "name") };
    pod.spec.volumes.iter().any(|volume| {
        volume.at(field).str_at(own) == Some(name)
            || volume.list_at("projected.sources").iter().any(|source| source.at(field).str_at(key) == Some(name))
    })
}

/// The volumes whose files come from the API, read again. What is missing now stays as it was.
pub fn read_again(store: &Store, pod: &Pod, facts: Facts<'_>, now: SimTime) -> Vec<(String, FileTree)> {
    let from_api = pod.spec.volumes.iter().filter(|volume| is_from_api(volume));
    let read = |volume: &Value| {
        let tree = fill(store, pod, volume, facts, now).ok()?;
        Some((volume.str_at("name").unwrap_or_default().to_owned(), tree))
    };
    from_api.filter_map(read).collect()
}

/// All volumes of a Pod.
#[derive(Clone, Debug, Default)]
pub struct Mounted {
    pub trees: SortedMap<String, FileTree>,
    /// Name in the Pod, and what it is known as on the cluster.
    pub shared: Vec<(String, String)>,
}

/// A volume that cannot be mounted, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MountFailure {
    pub volume: String,
    pub why: String,
}

/// Mounts the Pod's volumes.
///
/// # Errors
/// All volumes that cannot be mounted yet.
pub fn mount_all(store: &Store, pod: &Pod, facts: Facts<'_>, now: SimTime) -> Result<Mounted, Vec<MountFailure>> {
    let mut mounted = Mounted::default();
    let mut failures = Vec::new();
    for volume in &pod.spec.volumes {
        let name = volume.str_at("name").unwrap_or_default().to_owned();
        if let Some(shared) = shared_name(pod, volume) {
            mounted.shared.push((name, shared));
            continue;
        }
        match fill(store, pod, volume, facts, now) {
            Ok(tree) => {
                if is_from_api(volume) {
                    for sub_path in sub_paths(pod, &name) {
                        mounted.trees.insert(part_name(&name, &sub_path), tree.clone());
                    }
                }
                mounted.trees.insert(name, tree);
            }
            Err(why) => failures.push(MountFailure { volume: name, why }),
        }
    }
    if failures.is_empty() { Ok(mounted) } else { Err(failures) }
}

/// The parts of a volume that containers mount by themselves.
fn sub_paths(pod: &Pod, volume: &str) -> Vec<String> {
    let containers = pod.spec.init_containers.iter().chain(&pod.spec.containers);
    let mounts = containers.flat_map(|container| &container.volume_mounts).filter(|mount| mount.name == volume);
    mounts.map(|mount| mount.sub_path.to_string()).filter(|path| !path.is_empty()).collect()
}

/// What a volume that outlives its Pod is known as.
fn shared_name(pod: &Pod, volume: &Value) -> Option<String> {
    if let Some(claim) = volume.str_at("persistentVolumeClaim.claimName") {
        return Some(format!("claim/{}/{claim}", pod.metadata.namespace));
    }
    if let Some(path) = volume.str_at("hostPath.path") {
        return Some(format!("host/{}/{path}", pod.spec.node_name));
    }
    volume
        .map_at("ephemeral")
        .map(|_| format!("claim/{}/{}-{}", pod.metadata.namespace, pod.metadata.name, volume.at("name")))
}

fn fill(store: &Store, pod: &Pod, volume: &Value, facts: Facts<'_>, now: SimTime) -> Result<FileTree, String> {
    let mut tree = FileTree::default();
    for (field, kind) in [("configMap", Kind::ConfigMap), ("secret", Kind::Secret)] {
        if volume.map_at(field).is_some() {
            let mode = default_mode(volume.at(field));
            add_object(&mut tree, store, pod, kind, volume.at(field), mode, now)?;
            return Ok(tree.read_only());
        }
    }
    if volume.map_at("downwardAPI").is_some() {
        add_fields(&mut tree, pod, volume.at("downwardAPI"), default_mode(volume.at("downwardAPI")), facts, now);
        return Ok(tree.read_only());
    }
    if volume.map_at("projected").is_some() {
        for source in volume.list_at("projected.sources") {
            add_source(&mut tree, store, pod, source, default_mode(volume.at("projected")), facts, now)?;
        }
        return Ok(tree.read_only());
    }
    match volume.str_at("emptyDir.medium") {
        None | Some("" | "Memory") => Ok(tree),
        Some(medium) if medium.starts_with("HugePages") => Ok(tree),
        Some(medium) => Err(format!("unknown storage medium {medium:?}")),
    }
}

fn add_source(
    tree: &mut FileTree,
    store: &Store,
    pod: &Pod,
    source: &Value,
    mode: i64,
    facts: Facts<'_>,
    now: SimTime,
) -> Result<(), String> {
    // The root certificate and the token come with every cluster; their objects are not simulated.
    if source.str_at("configMap.name") == Some("kube-root-ca.crt") {
        tree.put("/ca.crt", b"-----BEGIN CERTIFICATE-----\n", false, now);
        return Ok(());
    }
    if let Some(path) = source.str_at("serviceAccountToken.path") {
        tree.put(&format!("/{path}"), b"token", false, now);
        return Ok(());
    }
    if source.map_at("configMap").is_some() {
        return add_object(tree, store, pod, Kind::ConfigMap, source.at("configMap"), mode, now);
    }
    if source.map_at("secret").is_some() {
        return add_object(tree, store, pod, Kind::Secret, source.at("secret"), mode, now);
    }
    if source.map_at("downwardAPI").is_some() {
        add_fields(tree, pod, source.at("downwardAPI"), mode, facts, now);
    }
    Ok(())
}

fn add_object(
    tree: &mut FileTree,
    store: &Store,
    pod: &Pod,
    kind: Kind,
    source: &Value,
    mode: i64,
    now: SimTime,
) -> Result<(), String> {
    let name = source.str_at("name").or(source.str_at("secretName")).unwrap_or_default();
    let optional = source.bool_at("optional") == Some(true);
    let word = if kind == Kind::Secret { "secret" } else { "configmap" };
    let Some(object) = store.find(kind, &pod.metadata.namespace, name) else {
        return if optional { Ok(()) } else { Err(format!("{word} {name:?} not found")) };
    };
    let data = object_data(kind, object.value());
    let items = source.list_at("items");
    if items.is_empty() {
        for (key, bytes) in data {
            tree.put(&format!("/{key}"), &bytes, is_executable(mode), now);
        }
        return Ok(());
    }
    for item in items {
        let key = item.str_at("key").unwrap_or_default();
        let path = item.str_at("path").unwrap_or(key);
        match data.iter().find(|(k, _)| k == key) {
            Some((_, bytes)) => {
                let own = item.i64_at("mode").unwrap_or(mode);
                tree.put(&format!("/{path}"), bytes, is_executable(own), now);
            }
            None if optional => {}
            None if kind == Kind::Secret => {
                return Err(format!("references non-existent secret key: {key}"));
            }
            None => return Err(format!("references non-existent config key: {key}")),
        }
    }
    Ok(())
}

/// The permissions of a volume's files.
fn default_mode(source: &Value) -> i64 {
    source.i64_at("defaultMode").unwrap_or(0o644)
}

fn is_executable(mode: i64) -> bool {
    mode & 0o111 != 0
}

fn add_fields(tree: &mut FileTree, pod: &Pod, source: &Value, mode: i64, facts: Facts<'_>, now: SimTime) {
    for item in source.list_at("items") {
        let path = item.str_at("path").unwrap_or_default();
        let text = match item.str_at("fieldRef.fieldPath") {
            Some(field_path) => field(pod, field_path, facts).unwrap_or_default(),
            None => {
                let reference = item.at("resourceFieldRef");
                let name = reference.str_at("containerName").unwrap_or_default();
                let container = pod.spec.containers.iter().find(|c| c.name == name);
                container.map(|c| resource(c, reference, facts)).unwrap_or_default()
            }
        };
        let own = item.i64_at("mode").unwrap_or(mode);
        tree.put(&format!("/{path}"), text.as_bytes(), is_executable(own), now);
    }
}

/// Where a container's volumes stand. `env` is what `subPathExpr` may use.
pub fn mounts_of(pod: &Pod, container: &api::pod::Container, env: &Env) -> Vec<Mount> {
    let mut mounts = Vec::new();
    for mount in &container.volume_mounts {
        let Some(volume) = pod.spec.volumes.iter().find(|v| v.str_at("name") == Some(mount.name.as_str())) else {
            continue;
        };
        let part = match mount.sub_path_expr.is_empty() {
            true => mount.sub_path.to_string(),
            false => expand(&mount.sub_path_expr, |name| env.get(name).cloned()),
        };
        let path = mount.mount_path.trim_end_matches('/').to_owned();
        let by_itself = !mount.sub_path.is_empty() && is_from_api(volume);
        let volume = if by_itself { part_name(&mount.name, &mount.sub_path) } else { mount.name.to_string() };
        let sub_path = if part.is_empty() { String::new() } else { format!("/{}", part.trim_matches('/')) };
        if !path.is_empty() {
            mounts.push(Mount { path, volume, sub_path, read_only: mount.read_only });
        }
    }
    mounts
}
