//! `configMapGenerator` and `secretGenerator`.
//!
//! Source: `kustomize/api/internal/generators`, `kustomize/api/kv`.

use values::value::{Map, Value};

use super::{Place, Resource, read};

pub(super) fn all(place: &Place<'_>, tree: &Value, resources: &mut Vec<Resource>) -> Result<(), String> {
    for (field, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
        for rule in tree.list_at(field) {
            let made = make(place, rule, tree.at("generatorOptions"), kind)?;
            put(resources, made, rule.str_at("behavior").unwrap_or("create"))?;
        }
    }
    Ok(())
}

fn make(place: &Place<'_>, rule: &Value, common: &Value, kind: &str) -> Result<Resource, String> {
    let name = rule.str_at("name").unwrap_or_default();
    if name.is_empty() {
        return Err(format!("generateMap: the {kind} of a generator has no name"));
    }
    let mut data = Map::new();
    for (key, text) in pairs(place, rule)? {
        if data.contains_key(&key) {
            return Err(format!("configmap {name} illegally repeats the key `{key}`"));
        }
        let secret = kind == "Secret";
        data.insert(key, if secret { shell::base64_encode(text.as_bytes()) } else { text });
    }
    let mut made = Value::map();
    made.set("apiVersion", "v1");
    made.set("kind", kind);
    made.set("metadata.name", name);
    if let Some(namespace) = rule.str_at("namespace").filter(|text| !text.is_empty()) {
        made.set("metadata.namespace", namespace);
    }
    for (from, to) in [("labels", "metadata.labels"), ("annotations", "metadata.annotations")] {
        let mut map = common.map_at(from).cloned().unwrap_or_else(Map::new);
        let own = rule.at("options").map_at(from).into_iter().flat_map(Map::iter);
        own.for_each(|(key, value)| drop(map.insert(key, value.clone())));
        if !map.is_empty() {
            made.set(to, map);
        }
    }
    if !data.is_empty() {
        made.set("data", data);
    }
    if kind == "Secret" {
        made.set("type", rule.str_at("type").unwrap_or("Opaque"));
    }
    let option = |name: &str| rule.at("options").bool_at(name).or(common.bool_at(name)) == Some(true);
    if option("immutable") {
        made.set("immutable", true);
    }
    Ok(Resource { hashed: !option("disableNameSuffixHash"), ..Resource::new(made) })
}

fn pairs(place: &Place<'_>, rule: &Value) -> Result<Vec<(String, String)>, String> {
    let mut all = Vec::new();
    let texts = |field: &str| rule.list_at(field).iter().filter_map(|item| item.as_str().map(str::to_owned)).collect();
    let mut envs: Vec<String> = texts("envs");
    envs.extend(rule.str_at("env").map(str::to_owned));
    for file in envs {
        let text = read(place, &file).map_err(|why| format!("loading KV pairs: env source files: [{file}]: {why}"))?;
        for line in text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            all.push((key.to_owned(), value.to_owned()));
        }
    }
    let literals: Vec<String> = texts("literals");
    for literal in literals {
        let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(format!(
                "loading KV pairs: literal sources: [{literal}]: invalid literal source {literal}, expected key=value"
            ));
        };
        let quoted = value.len() > 1 && ['"', '\''].iter().any(|q| value.starts_with(*q) && value.ends_with(*q));
        all.push((key.to_owned(), if quoted { value[1..value.len() - 1].to_owned() } else { value.to_owned() }));
    }
    let files: Vec<String> = texts("files");
    for source in files {
        let (key, path) = match source.split_once('=') {
            Some((key, path)) => (key.to_owned(), path),
            None => (source.rsplit('/').next().unwrap_or(&source).to_owned(), source.as_str()),
        };
        let text = read(place, path).map_err(|why| format!("loading KV pairs: file sources: [{source}]: {why}"))?;
        all.push((key, text));
    }
    Ok(all)
}

/// Adds a generated object, or lays it over the one that has its name.
fn put(resources: &mut Vec<Resource>, made: Resource, behavior: &str) -> Result<(), String> {
    let there = resources.iter().position(|other| other.kind() == made.kind() && other.is_called(made.name()));
    match (there, behavior) {
        (None, "create" | "" | "unspecified") => resources.push(made),
        (Some(_), "create" | "" | "unspecified") => {
            return Err(format!("merging from generator: id {} exists; behavior must be merge or replace", made.id()));
        }
        (None, "merge" | "replace") => {
            return Err(format!("merging from generator: id {} does not exist; cannot merge or replace", made.id()));
        }
        (Some(at), "replace") => {
            let old = &mut resources[at];
            old.value.set("data", made.value.at("data").clone());
        }
        (Some(at), "merge") => {
            let old = &mut resources[at];
            for field in ["data", "metadata.labels", "metadata.annotations"] {
                let mut map = old.value.map_at(field).cloned().unwrap_or_else(Map::new);
                let new = made.value.map_at(field).into_iter().flat_map(Map::iter);
                new.for_each(|(key, value)| drop(map.insert(key, value.clone())));
                if !map.is_empty() {
                    match field {
                        "data" => old.value.set("data", map),
                        "metadata.labels" => old.value.set("metadata.labels", map),
                        _ => old.value.set("metadata.annotations", map),
                    }
                }
            }
        }
        (_, other) => return Err(format!("'{other}' is no behavior of a generator: create, merge or replace")),
    }
    Ok(())
}
