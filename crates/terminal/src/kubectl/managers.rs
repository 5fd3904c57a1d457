//! Who set which field: `metadata.managedFields`, and the conflicts of server-side apply.
//!
//! Rule: who writes owns what differs from before, and takes it from others; who applies owns all that the document says, and
//! what it no longer says goes. The user's writes are kept beside the objects; what controllers own follows from the status.
//! Source: `apimachinery/pkg/util/managedfields`, `sigs.k8s.io/structured-merge-diff` (`typed/{tofieldset,compare}.go`,
//! `merge/update.go`), `client-go/util/csaupgrade`.

use api::decode::{FieldValidation, decode};
use api::defaults;
use api::kind::Kind;
use api::object::Object;
use api::schema::{Field, ListType, Schema, StructId, Type};
use cluster::store::Store;
use std::rc::Rc;
use values::object;
use values::sort::sort_by_key;
use values::sorted::SortedSet;
use values::time::SimTime;
use values::value::{Map, Value};

use crate::printing::format::shown;

/// The client of `kubectl apply` without `--server-side`.
pub const CLIENT_SIDE: &str = "kubectl-client-side-apply";
/// The client that keeps the annotation of former applies up to date.
pub const LAST_APPLIED_KEEPER: &str = "kubectl-last-applied";

/// Places of fields, such as `["f:data", "f:a"]`.
pub type Paths = SortedSet<Vec<String>>;

/// What nobody owns.
const UNOWNED: [&[&str]; 12] = [
    &["f:apiVersion"],
    &["f:kind"],
    &["f:metadata"],
    &["f:metadata", "f:name"],
    &["f:metadata", "f:namespace"],
    &["f:metadata", "f:creationTimestamp"],
    &["f:metadata", "f:selfLink"],
    &["f:metadata", "f:uid"],
    &["f:metadata", "f:generation"],
    &["f:metadata", "f:managedFields"],
    &["f:metadata", "f:resourceVersion"],
    &["f:status"],
];

/// Structs that are owned as wholes.
const ATOMIC: [&str; 14] = [
    "LabelSelector",
    "NodeSelector",
    "NodeSelectorTerm",
    "LocalObjectReference",
    "ObjectFieldSelector",
    "ResourceFieldSelector",
    "ConfigMapKeySelector",
    "SecretKeySelector",
    "SecretReference",
    "ObjectReference",
    "TypedLocalObjectReference",
    "ScopeSelector",
    "ClaimSource",
    "OwnerReference",
];

/// How a value is owned.
#[derive(Clone, Copy)]
enum Shape<'s> {
    Leaf,
    Struct(StructId),
    Map,
    /// Items by these keys.
    Items(StructId, &'s str),
    Set,
}

fn shape_of(field: &Field) -> Shape<'static> {
    let schema = Schema::get();
    match field.ty.pointed().base() {
        Type::Struct(id) if ATOMIC.contains(&schema.of(*id).name) => Shape::Leaf,
        Type::Struct(id) => Shape::Struct(*id),
        Type::Map { .. } => Shape::Map,
        Type::List(item) => match (field.list, item.pointed().base(), field.merge_key) {
            (ListType::Map, Type::Struct(id), Some(key)) => Shape::Items(*id, key),
            (ListType::Set, ..) => Shape::Set,
            _ => Shape::Leaf,
        },
        _ => Shape::Leaf,
    }
}

/// The keys that tell items apart: ports need their protocol as well.
fn keys_of(key: &str) -> Vec<&str> {
    match key {
        "containerPort" | "port" => vec![key, "protocol"],
        "topologyKey" => vec![key, "whenUnsatisfiable"],
        other => vec![other],
    }
}

/// `k:{"name":"main"}`
fn item_name(item: &Value, key: &str) -> String {
    let pairs: Map =
        keys_of(key).into_iter().filter(|key| item.has(key)).map(|key| (key, item.at(key).clone())).collect();
    format!("k:{}", Value::from(pairs).to_json())
}

struct Walk {
    path: Vec<String>,
    found: Paths,
    /// Ownership of what is written (and not of what a document says).
    compares: bool,
}

impl Walk {
    fn below(&mut self, name: String, act: impl FnOnce(&mut Walk)) {
        self.path.push(name);
        act(self);
        self.path.pop();
    }

    fn own(&mut self) {
        self.found.insert(self.path.clone());
    }

    /// Goes through what is in `after` and not so in `before`.
    fn value(&mut self, before: Option<&Value>, after: &Value, shape: Shape<'_>) {
        if self.compares && before == Some(after) {
            return;
        }
        // The place itself is new.
        let fresh = self.compares && before.is_none();
        match (shape, after) {
            (Shape::Struct(id), Value::Map(map)) if !map.is_empty() => {
                if fresh {
                    self.own();
                }
                for (name, value) in map.iter() {
                    let shape = Schema::get().field(id, name).map_or(Shape::Leaf, shape_of);
                    let old = before.and_then(|old| old.as_map()?.get(name));
                    self.below(format!("f:{name}"), |walk| walk.value(old, value, shape));
                }
            }
            (Shape::Map, Value::Map(map)) if !map.is_empty() => {
                if fresh {
                    self.own();
                }
                for (name, value) in map.iter() {
                    let old = before.and_then(|old| old.as_map()?.get(name));
                    self.below(format!("f:{name}"), |walk| walk.value(old, value, Shape::Leaf));
                }
            }
            (Shape::Items(id, key), Value::List(items)) => {
                if fresh {
                    self.own();
                }
                for item in items.iter() {
                    let same = |old: &&Value| keys_of(key).iter().all(|key| old.at(key) == item.at(key));
                    let old = before.and_then(Value::as_list).and_then(|old| old.iter().find(same));
                    self.below(item_name(item, key), |walk| {
                        if !walk.compares {
                            walk.own();
                        }
                        walk.value(old, item, Shape::Struct(id));
                    });
                }
            }
            (Shape::Set, Value::List(items)) => {
                if fresh {
                    self.own();
                }
                for item in items.iter() {
                    let known = before.and_then(Value::as_list).is_some_and(|old| old.contains(item));
                    if !(self.compares && known) {
                        self.below(format!("v:{}", item.to_json()), Walk::own);
                    }
                }
            }
            (_, Value::Null) if self.compares => {}
            _ => self.own(),
        }
    }
}

fn walk(kind: Kind, before: Option<&Value>, after: &Value) -> Paths {
    let info = kind.info();
    let mut walk = Walk { path: Vec::new(), found: Paths::new(), compares: before.is_some() };
    if let Some(id) = Schema::get().kind(&info.api_version(), info.name) {
        walk.value(before, after, Shape::Struct(id));
    }
    without_unowned(walk.found)
}

fn without_unowned(paths: Paths) -> Paths {
    let unowned = |path: &Vec<String>| {
        UNOWNED.iter().any(|known| path.iter().map(String::as_str).eq(known.iter().copied()))
            || path.first().is_some_and(|first| first == "f:status")
            || path.is_empty()
    };
    paths.iter().filter(|path| !unowned(path)).cloned().collect()
}

/// The places of a `fieldsV1`.
fn paths_of(tree: &Value) -> Paths {
    fn go(tree: &Value, path: &mut Vec<String>, found: &mut Paths) {
        let Some(map) = tree.as_map() else { return };
        if map.is_empty() && !path.is_empty() {
            found.insert(path.clone());
        }
        for (name, inner) in map.iter() {
            if name == "." {
                found.insert(path.clone());
            } else {
                path.push(name.to_owned());
                go(inner, path, found);
                path.pop();
            }
        }
    }
    let mut found = Paths::new();
    go(tree, &mut Vec::new(), &mut found);
    found
}

/// Places as a `fieldsV1`.
fn tree_of(paths: &Paths) -> Value {
    let mut tree = Value::map();
    for path in paths.iter() {
        let mut here = &mut tree;
        for name in path {
            let map = here.map_mut();
            if !map.contains_key(name) {
                map.insert(name.as_str(), Value::map());
            }
            here = map.get_mut(name).expect("just inserted");
        }
        if here.as_map().is_some_and(|map| !map.is_empty()) {
            here.map_mut().insert(".", Value::map());
        }
    }
    // A place that came before what lies below it is marked now.
    fn mark(tree: &mut Value, path: &mut Vec<String>, paths: &Paths) {
        let names: Vec<String> = tree.as_map().into_iter().flat_map(Map::keys).map(str::to_owned).collect();
        if !names.is_empty() && !path.is_empty() && paths.contains(path) {
            tree.map_mut().insert(".", Value::map());
        }
        for name in names.into_iter().filter(|name| name != ".") {
            path.push(name.clone());
            if let Some(inner) = tree.map_mut().get_mut(&name) {
                mark(inner, path, paths);
            }
            path.pop();
        }
    }
    mark(&mut tree, &mut Vec::new(), paths);
    tree
}

/// `.spec.template.spec.containers[name="main"].image`
fn written(path: &[String]) -> String {
    path.iter()
        .map(|part| match part.split_at(2) {
            ("k:", keys) => {
                let pairs = Value::from_json(keys).unwrap_or_default();
                let pairs = pairs.as_map().into_iter().flat_map(Map::iter);
                let list: Vec<String> = pairs.map(|(key, value)| format!("{key}={}", value.to_json())).collect();
                format!("[{}]", list.join(","))
            }
            ("v:", value) => format!("[={value}]"),
            (_, name) => format!(".{name}"),
        })
        .collect()
}

/// One writer's entry.
struct Entry {
    manager: String,
    applies: bool,
    api_version: String,
    time: String,
    paths: Paths,
}

fn read(entries: &Value) -> Vec<Entry> {
    let one = |entry: &Value| Entry {
        manager: entry.str_at("manager").unwrap_or_default().to_owned(),
        applies: entry.str_at("operation") == Some("Apply"),
        api_version: entry.str_at("apiVersion").unwrap_or_default().to_owned(),
        time: entry.str_at("time").unwrap_or_default().to_owned(),
        paths: paths_of(entry.at("fieldsV1")),
    };
    entries.as_list().unwrap_or(&[]).iter().map(one).collect()
}

fn write(mut entries: Vec<Entry>) -> Value {
    entries.retain(|entry| !entry.paths.is_empty());
    sort_by_key(&mut entries, |entry| (!entry.applies, entry.time.clone(), entry.manager.clone()));
    let one = |entry: Entry| {
        object! {
            "apiVersion" => entry.api_version,
            "fieldsType" => "FieldsV1",
            "fieldsV1" => tree_of(&entry.paths),
            "manager" => entry.manager,
            "operation" => if entry.applies { "Apply" } else { "Update" },
            "time" => entry.time,
        }
    };
    Value::list(entries.into_iter().map(one))
}

/// The entry of a writer, made if there is none.
fn entry_of<'e>(entries: &'e mut Vec<Entry>, manager: &str, applies: bool, kind: Kind) -> &'e mut Entry {
    let at = entries.iter().position(|entry| entry.manager == manager && entry.applies == applies);
    let at = at.unwrap_or_else(|| {
        entries.push(Entry {
            manager: manager.to_owned(),
            applies,
            api_version: kind.info().api_version().to_string(),
            time: String::new(),
            paths: Paths::new(),
        });
        entries.len() - 1
    });
    &mut entries[at]
}

/// An object without anything, as Go would write it.
fn zero(kind: Kind) -> Value {
    let info = kind.info();
    let bare = object! { "apiVersion" => info.api_version(), "kind" => info.name };
    decode(&bare, FieldValidation::Ignore).map(|decoded| decoded.object).unwrap_or(bare)
}

/// The entries after a new object was written. `sent` is what the client sent, decoded.
pub fn after_create(kind: Kind, sent: &Value, manager: &str, now: SimTime) -> Value {
    let mut defaulted = sent.clone();
    defaults::apply(kind.name(), &mut defaulted);
    let mut entries = Vec::new();
    let entry = entry_of(&mut entries, manager, false, kind);
    entry.paths = walk(kind, Some(&zero(kind)), &defaulted);
    entry.time = now.rfc3339();
    write(entries)
}

/// The entries after an object was changed by a client that does not apply.
pub fn after_update(entries: &Value, kind: Kind, before: &Value, after: &Value, manager: &str, now: SimTime) -> Value {
    let mut all = read(entries);
    let changed = walk(kind, Some(before), after);
    forget(&mut all, &changed, &gone(kind, before, after), None);
    if !changed.is_empty() {
        let entry = entry_of(&mut all, manager, false, kind);
        changed.iter().for_each(|path| {
            entry.paths.insert(path.clone());
        });
        entry.time = now.rfc3339();
    }
    write(all)
}

/// The places that were there before and are no more.
fn gone(kind: Kind, before: &Value, after: &Value) -> Paths {
    let (old, new) = (walk(kind, None, before), walk(kind, None, after));
    old.iter().filter(|path| !new.contains(*path)).cloned().collect()
}

/// Takes places from all writers but one.
fn forget(entries: &mut [Entry], changed: &Paths, gone: &Paths, but: Option<(&str, bool)>) {
    for entry in entries.iter_mut().filter(|entry| but != Some((&entry.manager, entry.applies))) {
        entry.paths =
            entry.paths.iter().filter(|path| !changed.contains(*path) && !gone.contains(*path)).cloned().collect();
    }
}

/// What comes of a server-side apply.
pub struct Applied {
    pub object: Value,
    pub entries: Value,
}

/// Lays a document over the live object. `merge` does the laying.
///
/// # Errors
/// Others own fields that would get other values; the words are the API server's.
pub fn apply(
    entries: &Value,
    kind: Kind,
    live: &Value,
    document: &Value,
    (manager, force, now): (&str, bool, SimTime),
    merge: impl Fn(&mut Value),
) -> Result<Applied, String> {
    let mut all = read(entries);
    let mut merged = live.clone();
    merge(&mut merged);
    let wanted = walk(kind, None, document);
    let changed = walk(kind, Some(live), &merged);
    let mut conflicts: Vec<(String, Vec<Vec<String>>)> = Vec::new();
    // kubectl itself takes over what it applied on its own side.
    let is_own = |entry: &Entry| manager == "kubectl" && entry.manager == CLIENT_SIDE;
    for entry in all.iter().filter(|entry| !(entry.manager == manager && entry.applies) && !is_own(entry)) {
        let theirs: Vec<Vec<String>> =
            entry.paths.iter().filter(|path| changed.contains(*path) && wanted.contains(*path)).cloned().collect();
        if !theirs.is_empty() {
            let name = format!("\"{}\"", entry.manager);
            conflicts.push((if entry.applies { name } else { format!("{name} using {}", entry.api_version) }, theirs));
        }
    }
    if !conflicts.is_empty() && !force {
        return Err(complaint(conflicts));
    }
    let former = entry_of(&mut all, manager, true, kind).paths.clone();
    let others = |path: &Vec<String>| {
        all.iter().any(|entry| !(entry.manager == manager && entry.applies) && entry.paths.contains(path))
    };
    let dropped: Vec<Vec<String>> =
        former.iter().filter(|path| !wanted.contains(*path) && !others(path)).cloned().collect();
    // What lies deeper goes first, so that lists and maps are empty when their own turn comes.
    dropped.iter().rev().for_each(|path| remove(&mut merged, path));
    forget(&mut all, &changed, &dropped.into_iter().collect(), Some((manager, true)));
    let entry = entry_of(&mut all, manager, true, kind);
    if entry.paths != wanted || entry.time.is_empty() {
        entry.time = now.rfc3339();
    }
    entry.paths = wanted;
    Ok(Applied { object: merged, entries: write(all) })
}

fn complaint(mut conflicts: Vec<(String, Vec<Vec<String>>)>) -> String {
    let count: usize = conflicts.iter().map(|(_, paths)| paths.len()).sum();
    if let ([(manager, paths)], 1) = (conflicts.as_slice(), count) {
        return format!("Apply failed with 1 conflict: conflict with {manager}: {}", written(&paths[0]));
    }
    sort_by_key(&mut conflicts, |(manager, _)| manager.clone());
    let mut lines = Vec::new();
    for (manager, paths) in conflicts {
        lines.push(format!("conflicts with {manager}:"));
        lines.extend(paths.iter().map(|path| format!("- {}", written(path))));
    }
    format!("Apply failed with {count} conflicts: {}", lines.join("\n"))
}

/// Takes a field or an item out.
fn remove(value: &mut Value, path: &[String]) {
    let [first, rest @ ..] = path else { return };
    let (sort, name) = first.split_at(2);
    let at_item = |items: &[Value]| {
        let keys = Value::from_json(name).unwrap_or_default();
        items.iter().position(|item| match sort {
            "k:" => keys.as_map().into_iter().flat_map(Map::iter).all(|(key, value)| item.at(key) == value),
            _ => *item == keys,
        })
    };
    match sort {
        "f:" if value.as_map().is_some() => match rest {
            [] => {
                value.map_mut().remove(name);
            }
            _ => {
                if let Some(inner) = value.map_mut().get_mut(name) {
                    remove(inner, rest);
                }
            }
        },
        "k:" | "v:" => {
            let Some(at) = value.as_list().and_then(at_item) else { return };
            match rest {
                [] => drop(value.list_mut().remove(at)),
                _ => remove(&mut value.list_mut()[at], rest),
            }
        }
        _ => {}
    }
}

/// The entries after a client that applied on its own side has come to apply at the server: what it owned it owns now as one
/// who applies. None: it did not.
pub fn migrated(entries: &Value, kind: Kind, manager: &str) -> Option<Value> {
    let mut all = read(entries);
    let at = all.iter().position(|entry| entry.manager == CLIENT_SIDE && !entry.applies)?;
    let old = all.remove(at);
    let entry = entry_of(&mut all, manager, true, kind);
    old.paths.iter().for_each(|path| {
        entry.paths.insert(path.clone());
    });
    Some(write(all))
}

/// The object with its `managedFields`: the user's, and those that follow from its status.
pub fn with_managers(store: &Store, object: &Rc<Object>) -> Value {
    let mut value = shown(object);
    let mut entries = store.managers(&object.key()).as_list().unwrap_or(&[]).to_vec();
    entries.extend(of_status(object.kind(), &value));
    if !entries.is_empty() {
        sort_by_key(&mut entries, |entry| {
            let text = |field: &str| entry.str_at(field).unwrap_or_default().to_owned();
            (text("operation"), text("time"), text("manager"))
        });
        value.set("metadata.managedFields", entries);
    }
    value
}

/// What the kind's own controller set.
fn of_status(kind: Kind, value: &Value) -> Option<Value> {
    let manager = match kind {
        Kind::Pod | Kind::Node => "kubelet",
        _ => "kube-controller-manager",
    };
    let status = value.map_at("status").filter(|status| !status.is_empty())?;
    let id = Schema::get().kind(&kind.info().api_version(), kind.name())?;
    let shape = Schema::get().field(id, "status").map_or(Shape::Leaf, shape_of);
    let mut walk = Walk { path: vec!["f:status".to_owned()], found: Paths::new(), compares: true };
    walk.value(Some(&Value::map()), &Value::from(status.clone()), shape);
    let latest = latest_time(&Value::from(status.clone()));
    let time = latest.or(value.str_at("metadata.creationTimestamp").map(str::to_owned))?;
    Some(object! {
        "apiVersion" => kind.info().api_version(),
        "fieldsType" => "FieldsV1",
        "fieldsV1" => tree_of(&walk.found),
        "manager" => manager,
        "operation" => "Update",
        "subresource" => "status",
        "time" => time,
    })
}

/// The latest moment in a status.
fn latest_time(value: &Value) -> Option<String> {
    match value {
        Value::Map(map) => map
            .iter()
            .filter_map(|(key, inner)| match inner {
                Value::Str(text) if key.ends_with("Time") || key.ends_with("At") => Some(text.to_string()),
                other => latest_time(other),
            })
            .max(),
        Value::List(items) => items.iter().filter_map(latest_time).max(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text).unwrap()
    }

    #[test]
    fn a_client_owns_what_it_sent_and_what_defaults_added() {
        let job = json(
            r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"g","labels":{"app":"x"}},"spec":{"template":{"spec":
            {"containers":[{"name":"main","image":"b","command":["true"],"resources":{}}],"restartPolicy":"Never"}}}}"#,
        );
        let job = decode(&job, FieldValidation::Strict).unwrap().object;
        let entries = after_create(Kind::Job, &job, CLIENT_SIDE, SimTime::EPOCH);
        let fields = entries.as_list().unwrap()[0].at("fieldsV1").to_json();
        assert!(fields.contains(r#""f:labels":{".":{},"f:app":{}}"#), "{fields}");
        assert!(fields.contains(r#""k:{\"name\":\"main\"}":{".":{},"f:command":{},"f:image":{}"#), "{fields}");
        assert!(fields.contains(r#""f:resources":{}"#) && !fields.contains(r#""f:containers":{".""#), "{fields}");
    }

    #[test]
    fn who_changes_a_field_takes_it_over_and_who_applies_is_told() {
        let cm = |data: &str| {
            json(&format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"m"}},"data":{data}}}"#))
        };
        let way = |force| ("kubectl", force, SimTime::EPOCH);
        let over = |document: &Value| {
            let document = document.clone();
            move |live: &mut Value| api::patch::merge(live, &document)
        };
        let document = cm(r#"{"a":"1"}"#);
        let first =
            apply(&Value::Null, Kind::ConfigMap, &cm("{}"), &document, way(false), over(&document)).ok().unwrap();
        let patched = cm(r#"{"a":"5"}"#);
        let entries = after_update(&first.entries, Kind::ConfigMap, &first.object, &patched, "hand", SimTime::EPOCH);
        let refused = apply(&entries, Kind::ConfigMap, &patched, &document, way(false), over(&document)).err();
        assert_eq!(refused.as_deref(), Some("Apply failed with 1 conflict: conflict with \"hand\" using v1: .data.a"));
        let forced = apply(&entries, Kind::ConfigMap, &patched, &document, way(true), over(&document)).ok().unwrap();
        assert_eq!(forced.object.str_at("data.a"), Some("1"));
        assert_eq!(read(&forced.entries).len(), 1);
        // What the document no longer says goes.
        let other = cm(r#"{"b":"2"}"#);
        let next =
            apply(&forced.entries, Kind::ConfigMap, &forced.object, &other, way(false), over(&other)).ok().unwrap();
        assert_eq!(next.object.at("data").to_json(), r#"{"b":"2"}"#);
    }
}
