//! `kubectl create configmap` and `kubectl create secret generic`: data from literals, files and folders.
//!
//! Source: `kubectl/pkg/cmd/create/create_{configmap,secret}.go`, `kubectl/pkg/generate/versioned`.

use crate::kubectl::common;
use crate::kubectl::create::{bare, create_made, one_name};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, help};
use crate::kustomize::hash;
use api::validate::names::config_key;
use shell::base64_encode;
use shell::host::resolve;
use values::value::{Map, Value};

pub const VERB: Verb = Verb {
    name: "create configmap",
    summary: "Create a ConfigMap from files, folders or literal values",
    usage: "kubectl create configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]",
    flags: FLAGS,
    run: config_map,
};

pub const SECRET: Verb = Verb {
    name: "create secret",
    summary: "Create a Secret of some type",
    usage: "kubectl create secret (docker-registry | generic | tls)",
    flags: &[],
    run: help::needs_subcommand,
};

pub const SECRET_GENERIC: Verb = Verb {
    name: "create secret generic",
    summary: "Create a Secret from files, folders or literal values",
    usage: "kubectl create secret generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] \
            [--dry-run=server|client|none]",
    flags: SECRET_FLAGS,
    run: secret,
};

const FROM_FILE: Flag = flag("from-file", Takes::List, "A file, a folder, or key=file");
const FROM_LITERAL: Flag = flag("from-literal", Takes::Array, "key=value");
const FROM_ENV_FILE: Flag = flag("from-env-file", Takes::List, "A file with a key=value on each line");
const APPEND_HASH: Flag =
    flag("append-hash", Takes::Nothing, "Put a hash of the data behind the name").default("false");

const FLAGS: &[Flag] = &[
    common::MISSING_KEYS,
    APPEND_HASH,
    common::DRY_RUN,
    common::FIELD_MANAGER,
    FROM_ENV_FILE,
    FROM_FILE,
    FROM_LITERAL,
    common::OUTPUT,
    common::SAVE_CONFIG,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
    common::VALIDATE,
];

const SECRET_FLAGS: &[Flag] = &[
    common::MISSING_KEYS,
    APPEND_HASH,
    common::DRY_RUN,
    common::FIELD_MANAGER,
    FROM_ENV_FILE,
    FROM_FILE,
    FROM_LITERAL,
    common::OUTPUT,
    common::SAVE_CONFIG,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
    flag("type", Takes::Text, "The type of the Secret"),
    common::VALIDATE,
];

fn config_map(call: &mut Call<'_, '_>) -> Outcome {
    let (name, data) = match name_and_data(call) {
        Ok(read) => read,
        Err(outcome) => return outcome,
    };
    let mut made = bare("v1", "ConfigMap", &name);
    if !data.is_empty() {
        made.set("data", data.into_iter().map(|(key, text)| (key, Value::from(text))).collect::<Map>());
    }
    append_hash(call, &mut made);
    create_made(call, made, Some("failed to create configmap:"))
}

fn secret(call: &mut Call<'_, '_>) -> Outcome {
    let (name, data) = match name_and_data(call) {
        Ok(read) => read,
        Err(outcome) => return outcome,
    };
    let mut made = bare("v1", "Secret", &name);
    if !data.is_empty() {
        made.set(
            "data",
            data.into_iter().map(|(key, text)| (key, Value::from(base64_encode(text.as_bytes())))).collect::<Map>(),
        );
    }
    if let Some(kind) = call.parsed.text("type") {
        made.set("type", kind);
    }
    append_hash(call, &mut made);
    create_made(call, made, Some("failed to create secret"))
}

/// `--append-hash`: a hash of the content behind the name.
pub fn append_hash(call: &Call<'_, '_>, made: &mut Value) {
    if call.parsed.on("append-hash") {
        let name = made.str_at("metadata.name").unwrap_or_default();
        let name = format!("{name}-{}", hash(made, name, &Value::Null));
        made.set("metadata.name", name);
    }
}

pub type Data = Vec<(String, String)>;

fn name_and_data(call: &mut Call<'_, '_>) -> Result<(String, Data), Outcome> {
    let name = one_name(call)?;
    let data = data(call, &name).map_err(|text| call.fail(&text))?;
    Ok((name, data))
}

fn data(call: &Call<'_, '_>, name: &str) -> Result<Data, String> {
    let of = if call.verb.contains("secret") { Of::Secret } else { Of::ConfigMap(name) };
    let mut data = Data::new();
    if !call.parsed.list("from-env-file").is_empty()
        && (call.parsed.is_set("from-file") || call.parsed.is_set("from-literal"))
    {
        return Err("from-env-file cannot be combined with from-file or from-literal".to_owned());
    }
    for source in call.parsed.list("from-file") {
        match source.split_once('=') {
            Some((key, path)) => add(&mut data, key, read(call, path)?, of)?,
            None => from_path(call, source, &mut data, of)?,
        }
    }
    for source in call.parsed.list("from-literal") {
        let pair = source.split_once('=').filter(|(key, _)| !key.is_empty());
        let (key, value) = pair.ok_or_else(|| format!("invalid literal source {source}, expected key=value"))?;
        let quoted =
            value.len() > 1 && ['"', '\''].iter().any(|quote| value.starts_with(*quote) && value.ends_with(*quote));
        add(&mut data, key, if quoted { value[1..value.len() - 1].to_owned() } else { value.to_owned() }, of)?;
    }
    for source in call.parsed.list("from-env-file") {
        for line in read(call, source)?.lines().map(str::trim_start) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let value = |key: &str| call.args.env.get(key).cloned().unwrap_or_default();
            match line.split_once('=') {
                Some((key, text)) => add(&mut data, key, text.to_owned(), of)?,
                None => add(&mut data, line, value(line), of)?,
            }
        }
    }
    Ok(data)
}

/// A file under its own name, or all files of a folder.
fn from_path(call: &Call<'_, '_>, source: &str, data: &mut Data, of: Of<'_>) -> Result<(), String> {
    let path = resolve(&call.args.cwd, source);
    let Ok(info) = call.desk.files.info(&path) else {
        return Err(format!("error reading {source}: no such file or directory"));
    };
    if !info.directory {
        let name = path.rsplit('/').next().unwrap_or(source);
        return add(data, name, read(call, source)?, of);
    }
    for name in call.desk.files.list(&path).unwrap_or_default() {
        let inside = format!("{path}/{name}");
        if call.desk.files.info(&inside).is_ok_and(|info| !info.directory) {
            add(data, &name, read(call, &inside)?, of)?;
        }
    }
    Ok(())
}

fn read(call: &Call<'_, '_>, source: &str) -> Result<String, String> {
    let bytes = call.desk.files.read(&resolve(&call.args.cwd, source));
    let bytes = bytes.map_err(|_| format!("error reading {source}: no such file or directory"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What the data belong to.
#[derive(Clone, Copy)]
enum Of<'a> {
    ConfigMap(&'a str),
    Secret,
}

fn add(data: &mut Data, key: &str, text: String, of: Of<'_>) -> Result<(), String> {
    let wrong = config_key(key);
    if !wrong.is_empty() {
        let what = if let Of::Secret = of { "valid key name for a Secret" } else { "a valid key name for a ConfigMap" };
        return Err(format!("\"{key}\" is not {what}: {}", wrong.join(",")));
    }
    if data.iter().any(|(known, _)| known == key) {
        return Err(match of {
            Of::ConfigMap(name) => format!(
                "cannot add key \"{key}\", another key by that name already exists in Data for ConfigMap \"{name}\""
            ),
            Of::Secret => format!("cannot add key {key}, another key by that name already exists"),
        });
    }
    data.push((key.to_owned(), text));
    Ok(())
}
