//! `kubectl create secret docker-registry|tls`.
//!
//! Source: `kubectl/pkg/cmd/create/create_secret_{docker,tls}.go`.

use crate::kubectl::common;
use crate::kubectl::create::configmap::append_hash;
use crate::kubectl::create::{bare, create_made, one_name};
use crate::kubectl::flags::{Takes, flag};
use crate::kubectl::{Call, Outcome, Verb};
use shell::base64_encode;
use shell::host::resolve;
use values::object;
use values::value::{Map, Value};

pub const DOCKER_REGISTRY: Verb = Verb {
    name: "create secret docker-registry",
    summary: "Create a Secret for a registry of images",
    usage: "kubectl create secret docker-registry NAME --docker-username=user --docker-password=password \
            --docker-email=email [--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none]",
    flags: &[
        common::MISSING_KEYS,
        flag("append-hash", Takes::Nothing, "Put a hash of the data behind the name").default("false"),
        flag("docker-email", Takes::Text, "The mail address at the registry"),
        flag("docker-password", Takes::Text, "The password at the registry"),
        flag("docker-server", Takes::Text, "The registry's address").default("https://index.docker.io/v1/"),
        flag("docker-username", Takes::Text, "The user at the registry"),
        common::DRY_RUN,
        common::FIELD_MANAGER,
        flag("from-file", Takes::List, "A file with the credentials"),
        common::OUTPUT,
        common::SAVE_CONFIG,
        common::MANAGED_FIELDS,
        common::TEMPLATE,
        common::VALIDATE,
    ],
    run: docker_registry,
};

pub const TLS: Verb = Verb {
    name: "create secret tls",
    summary: "Create a Secret with a certificate and its key",
    usage: "kubectl create secret tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none]",
    flags: &[
        common::MISSING_KEYS,
        flag("append-hash", Takes::Nothing, "Put a hash of the data behind the name").default("false"),
        flag("cert", Takes::Text, "The file of the certificate"),
        common::DRY_RUN,
        common::FIELD_MANAGER,
        flag("key", Takes::Text, "The file of the key"),
        common::OUTPUT,
        common::SAVE_CONFIG,
        common::MANAGED_FIELDS,
        common::TEMPLATE,
        common::VALIDATE,
    ],
    run: tls,
};

fn docker_registry(call: &mut Call<'_, '_>) -> Outcome {
    let name = match one_name(call) {
        Ok(name) => name,
        Err(outcome) => return outcome,
    };
    let text = |flag: &str| call.parsed.text(flag).unwrap_or_default().to_owned();
    let (user, password, email) = (text("docker-username"), text("docker-password"), text("docker-email"));
    let server = call.parsed.text("docker-server").unwrap_or("https://index.docker.io/v1/").to_owned();
    let file = call.parsed.list("from-file").first().cloned();
    let config = match file {
        Some(source) => {
            let path = source.split_once('=').map_or(source.as_str(), |(_, path)| path);
            match call.desk.files.read(&resolve(&call.args.cwd, path)) {
                Ok(bytes) => bytes,
                Err(_) => return call.fail(&format!("error reading {path}: no such file or directory")),
            }
        }
        None if user.is_empty() || password.is_empty() || server.is_empty() => {
            return call.fail(
                "either --from-file or the combination of --docker-username, --docker-password and --docker-server is \
                 required",
            );
        }
        None => {
            let quoted = |text: &str| Value::from(text).to_go_json();
            let auth = base64_encode(format!("{user}:{password}").as_bytes());
            let email = if email.is_empty() { String::new() } else { format!("\"email\":{},", quoted(&email)) };
            format!(
                "{{\"auths\":{{{}:{{\"username\":{},\"password\":{},{email}\"auth\":\"{auth}\"}}}}}}",
                quoted(&server),
                quoted(&user),
                quoted(&password)
            )
            .into_bytes()
        }
    };
    let mut made = bare("v1", "Secret", &name);
    let data: Map = [(".dockerconfigjson", base64_encode(&config))].into_iter().collect();
    made.set("data", data);
    made.set("type", "kubernetes.io/dockerconfigjson");
    append_hash(call, &mut made);
    create_made(call, made, Some("failed to create secret"))
}

fn tls(call: &mut Call<'_, '_>) -> Outcome {
    let name = match one_name(call) {
        Ok(name) => name,
        Err(outcome) => return outcome,
    };
    let text = |flag: &str| call.parsed.text(flag).unwrap_or_default().to_owned();
    let (certificate, key) = (text("cert"), text("key"));
    if certificate.is_empty() || key.is_empty() {
        return call.fail("key and cert must be specified");
    }
    let mut read = Vec::new();
    for path in [&certificate, &key] {
        match call.desk.files.read(&resolve(&call.args.cwd, path)) {
            Ok(bytes) => read.push(bytes),
            Err(_) => return call.fail(&format!("Cannot read file {path}, open {path}: no such file or directory")),
        }
    }
    // Keys are not looked into; what is no PEM at all is refused as it would be.
    if !read.iter().all(|bytes| String::from_utf8_lossy(bytes).contains("-----BEGIN ")) {
        return call.fail("tls: failed to find any PEM data in certificate input");
    }
    let mut made = bare("v1", "Secret", &name);
    made.set("data", object! { "tls.crt" => base64_encode(&read[0]), "tls.key" => base64_encode(&read[1]) });
    made.set("type", "kubernetes.io/tls");
    append_hash(call, &mut made);
    create_made(call, made, Some("failed to create secret"))
}
