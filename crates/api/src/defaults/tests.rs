//! Every manifest that the recorded scenarios apply (`tests/cases/applied.jsonl`): decoded, prepared and filled in, it must
//! be what the real cluster stored first. And the published table of the Job's and CronJob's defaults.

use super::*;
use crate::decode::{FieldValidation, decode, flatten};
use values::value::Value;
use yaml;

const RECORDED: &str = include_str!("../../../../tests/cases/applied.jsonl");

/// What creation makes of a document, given the random parts of the recorded object.
fn created(document: &Value, recorded: &Value) -> Value {
    let decoded = decode(document, FieldValidation::Strict).unwrap_or_else(|e| panic!("{e}"));
    let (kind, mut object) = (decoded.kind, decoded.object);
    if let Some(uid) = recorded.str_at("metadata.uid") {
        object.set("metadata.uid", uid);
    }
    create(&kind, &mut object);
    if kind == "Pod" {
        let token = recorded.list_at("spec.volumes").iter().filter_map(|v| v.str_at("name"));
        let token = token.filter_map(|n| n.strip_prefix("kube-api-access-")).next().unwrap_or("").to_string();
        admit_pod(&mut object, &PodAdmission::plain(&token));
    }
    if kind == "Service" {
        allocate_addresses(&mut object, recorded.str_at("spec.clusterIP").unwrap_or(""));
    }
    object
}

fn differences(path: &str, wanted: &Value, got: &Value, out: &mut String) {
    match (wanted, got) {
        (Value::Map(a), Value::Map(b)) => {
            let mut keys: Vec<&str> = a.keys().chain(b.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let at = |map: &values::value::Map| map.get(key).cloned().unwrap_or_default();
                differences(&format!("{path}.{key}"), &at(a), &at(b), out);
            }
        }
        (Value::List(a), Value::List(b)) if a.len() == b.len() => {
            for (i, (x, y)) in a.iter().zip(b.iter()).enumerate() {
                differences(&format!("{path}[{i}]"), x, y, out);
            }
        }
        (a, b) if a == b => {}
        _ => out.push_str(&format!("  {path}: wanted {wanted}, got {got}\n")),
    }
}

#[test]
fn recorded_objects_are_made_of_their_manifests() {
    let (mut compared, mut wrong) = (0, String::new());
    for line in RECORDED.lines() {
        let case = Value::from_json(line).unwrap();
        let parsed = yaml::parse(case.str_at("manifest").unwrap(), "STDIN");
        let documents: Vec<Value> = parsed.documents.iter().flat_map(|d| flatten(&d.value())).map(|(_, v)| v).collect();
        for recorded in case.list_at("objects") {
            let document = documents
                .iter()
                .find(|d| d.at("kind") == recorded.at("kind") && d.at("metadata.name") == recorded.at("metadata.name"));
            let object = created(document.unwrap(), recorded);
            let mut found = String::new();
            for part in ["spec", "status", "metadata.labels", "metadata.generation"] {
                differences(part, recorded.at(part), object.at(part), &mut found);
            }
            compared += 1;
            if !found.is_empty() {
                let name = recorded.str_at("metadata.name").unwrap();
                wrong.push_str(&format!("{} {name}\n{found}", case.str_at("scenario").unwrap()));
            }
        }
    }
    assert_eq!(wrong, "", "\n{wrong}");
    assert_eq!(compared, 110);
}

#[test]
fn filling_in_twice_changes_nothing_and_copies_nothing() {
    for line in RECORDED.lines() {
        for recorded in Value::from_json(line).unwrap().list_at("objects") {
            let kind = recorded.str_at("kind").unwrap();
            let mut once = recorded.clone();
            apply(kind, &mut once);
            let mut twice = once.clone();
            apply(kind, &mut twice);
            let (Value::Map(a), Value::Map(b)) = (&once, &twice) else { panic!("objects are maps") };
            assert!(std::rc::Rc::ptr_eq(a, b), "{kind} was copied");
        }
    }
}

/// Objects of the recordings' traces (`tests/cases/objects.jsonl`, chosen so that each has fields the others have not) are
/// complete: decoding, filling in and admitting them again changes nothing.
#[test]
fn stored_objects_stay_as_they_are() {
    let mut count = 0;
    for line in include_str!("../../../../tests/cases/objects.jsonl").lines() {
        let stored = Value::from_json(line).unwrap();
        let decoded = decode(&stored, FieldValidation::Strict).unwrap_or_else(|e| panic!("{e}"));
        let mut object = decoded.object;
        apply(&decoded.kind, &mut object);
        if decoded.kind == "Pod" {
            admit_pod(&mut object, &PodAdmission::plain("other"));
        }
        let mut found = String::new();
        differences("", &stored, &object, &mut found);
        assert_eq!(found, "", "{}\n{found}", stored.at("metadata.name"));
        count += 1;
    }
    assert_eq!(count, 69);
}

/// `TestSetDefaultJob` and `TestSetDefaultCronJob` of Kubernetes 1.36.3 as data.
#[test]
fn published_defaults() {
    let tables = Value::from_json(include_str!("../../../../tests/cases/defaults.json")).unwrap();
    for (kind, count) in [("Job", 15), ("CronJob", 2)] {
        let cases = tables.list_at(kind);
        assert_eq!(cases.len(), count, "{kind}");
        for case in cases {
            let mut object = case.at("original").clone();
            apply(kind, &mut object);
            let mut found = String::new();
            // The table leaves out what the defaults of the Pod template add.
            for (path, wanted) in leaves(case.at("expected")) {
                let got = object.at_keys(path.iter().map(String::as_str));
                if *got != wanted {
                    found.push_str(&format!("  {path:?}: wanted {wanted}, got {got}\n"));
                }
            }
            assert_eq!(found, "", "{}\n{found}", case.at("name"));
        }
    }
}

/// All leaves of a tree with the keys to them.
fn leaves(value: &Value) -> Vec<(Vec<String>, Value)> {
    let children: Vec<(String, &Value)> = match value {
        Value::Map(map) => map.iter().map(|(k, v)| (k.to_string(), v)).collect(),
        Value::List(items) => items.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
        leaf => return vec![(Vec::new(), leaf.clone())],
    };
    let mut all = Vec::new();
    for (key, child) in children {
        for (mut path, leaf) in leaves(child) {
            path.insert(0, key.clone());
            all.push((path, leaf));
        }
    }
    all
}
