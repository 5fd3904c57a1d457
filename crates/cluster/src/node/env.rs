//! A container's environment, and the command it runs.
//!
//! Rule: the image's own variables, then Service links, then `envFrom`, then `env` in order; `$(NAME)` in values, command and
//! args stands for what is known so far, `$$(NAME)` for itself, unknown names stay as written. Source:
//! `pkg/kubelet/kubelet_pods.go` (`makeEnvironmentVariables`), `third_party/forked/golang/expansion`, `pkg/kubelet/envvars`.

use crate::program::image::Image;
use crate::store::Store;
use api::kind::Kind;
use api::pod::{Container, Pod};
use shell::host::Env;
use values::quantity::Quantity;
use values::sort::sort;
use values::value::{Text, Value};

/// What a Pod's fields say at the time its container starts.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub pod_ip: &'a str,
    pub host_ip: &'a str,
    pub host_name: &'a str,
    /// Allocatable of the node, for `resourceFieldRef` without a limit.
    pub node_cpu: &'a str,
    pub node_memory: &'a str,
}

/// The environment of a container: what the image and the runtime set, and over it what was [`given`].
pub fn environment(image: &Image, facts: Facts<'_>, given: &Env) -> Env {
    let mut env = Env::new();
    env.insert("PATH".into(), image.path_variable().to_owned());
    env.insert("HOME".into(), if image.user == 0 { "/root".into() } else { "/".into() });
    env.insert("HOSTNAME".into(), facts.host_name.to_owned());
    env.extend(image.env.iter().map(|(k, v)| (k.clone(), v.clone())));
    env.extend(given.iter().map(|(k, v)| (k.clone(), v.clone())));
    env
}

/// What the kubelet gives a container, and so all that it can put into the command: what the image or the runtime sets
/// (`PATH`, `HOSTNAME`) it does not know.
///
/// # Errors
/// What is missing, in the kubelet's words: `configmap "x" not found`.
pub fn given(store: &Store, pod: &Pod, container: &Container, facts: Facts<'_>) -> Result<Env, String> {
    let services = service_variables(store, pod);
    let mut own = Env::new();
    for from in &container.env_from {
        add_all_from(store, &pod.metadata.namespace, from, &mut own)?;
    }
    for variable in &container.env {
        let known = |name: &str| own.get(name).or_else(|| services.get(name)).cloned();
        let value = if variable.value_from.is_null() {
            Some(expand(&variable.value, known))
        } else {
            value_from(store, pod, container, &variable.value_from, facts)?
        };
        if let Some(value) = value {
            own.insert(variable.name.to_string(), value);
        }
    }
    let mut all = services;
    all.extend(own);
    Ok(all)
}

/// The arguments to start with: the container's command and args over the image's, expanded with what was [`given`].
pub fn argv(container: &Container, image: &Image, env: &Env) -> Vec<String> {
    let expanded = |list: &[String]| -> Vec<String> {
        list.iter().map(|text| expand(text, |name| env.get(name).cloned())).collect()
    };
    let (command, args) = (expanded(&container.command), expanded(&container.args));
    match (command.is_empty(), args.is_empty()) {
        (true, true) => image.entrypoint.iter().chain(&image.cmd).cloned().collect(),
        (true, false) => image.entrypoint.iter().cloned().chain(args).collect(),
        (false, _) => command.into_iter().chain(args).collect(),
    }
}

/// Puts in what `$(NAME)` stands for.
pub fn expand(text: &str, known: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(escaped) = after.strip_prefix('$') {
            out.push('$');
            rest = escaped;
        } else if let Some((name, behind)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match known(name) {
                Some(value) => out.push_str(&value),
                None => out.push_str(&format!("$({name})")),
            }
            rest = behind;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// `NAME_SERVICE_HOST` and its like, for the Services that are there when the container starts.
fn service_variables(store: &Store, pod: &Pod) -> Env {
    let mut env = Env::new();
    if pod.spec.enable_service_links.unwrap_or(true) {
        for service in store.list_in(Kind::Service, &pod.metadata.namespace) {
            let typed = service.service();
            add_service(&mut env, service.name(), &typed.spec.cluster_ip, || {
                typed.spec.ports.iter().map(|p| (p.name.clone(), p.port, p.protocol.clone())).collect()
            });
        }
    }
    if !env.contains_key("KUBERNETES_SERVICE_HOST") {
        add_service(&mut env, "kubernetes", "10.96.0.1", || vec![("https".into(), 443, "TCP".into())]);
    }
    env
}

fn add_service(env: &mut Env, name: &str, ip: &str, ports: impl Fn() -> Vec<(String, i32, String)>) {
    let ports = ports();
    if ip.is_empty() || ip == "None" || ports.is_empty() {
        return;
    }
    let upper = |text: &str| text.to_ascii_uppercase().replace('-', "_");
    let name = upper(name);
    env.insert(format!("{name}_SERVICE_HOST"), ip.to_owned());
    env.insert(format!("{name}_SERVICE_PORT"), ports[0].1.to_string());
    for (at, (port_name, port, protocol)) in ports.iter().enumerate() {
        let protocol = if protocol.is_empty() { "TCP" } else { protocol.as_str() };
        let lower = protocol.to_ascii_lowercase();
        if !port_name.is_empty() {
            env.insert(format!("{name}_SERVICE_PORT_{}", upper(port_name)), port.to_string());
        }
        let url = format!("{lower}://{ip}:{port}");
        if at == 0 {
            env.insert(format!("{name}_PORT"), url.clone());
        }
        let prefix = format!("{name}_PORT_{port}_{}", protocol.to_ascii_uppercase());
        env.insert(format!("{prefix}_PROTO"), lower);
        env.insert(format!("{prefix}_PORT"), port.to_string());
        env.insert(format!("{prefix}_ADDR"), ip.to_owned());
        env.insert(prefix, url);
    }
}

fn add_all_from(store: &Store, namespace: &str, from: &Value, env: &mut Env) -> Result<(), String> {
    let prefix = from.str_at("prefix").unwrap_or_default();
    for (field, kind, word) in [("configMapRef", Kind::ConfigMap, "configmap"), ("secretRef", Kind::Secret, "secret")] {
        let reference = from.at(field);
        let Some(name) = reference.str_at("name") else { continue };
        match store.find(kind, namespace, name) {
            Some(object) => {
                for (key, value) in object_data(kind, object.value()) {
                    env.insert(format!("{prefix}{key}"), String::from_utf8_lossy(&value).into_owned());
                }
            }
            None if reference.bool_at("optional") == Some(true) => {}
            None => return Err(format!("{word} {name:?} not found")),
        }
    }
    Ok(())
}

fn value_from(
    store: &Store,
    pod: &Pod,
    container: &Container,
    from: &Value,
    facts: Facts<'_>,
) -> Result<Option<String>, String> {
    let namespace = &pod.metadata.namespace;
    for (field, kind, word, title) in [
        ("configMapKeyRef", Kind::ConfigMap, "configmap", "ConfigMap"),
        ("secretKeyRef", Kind::Secret, "secret", "Secret"),
    ] {
        let reference = from.at(field);
        let Some(name) = reference.str_at("name") else { continue };
        let key = reference.str_at("key").unwrap_or_default();
        let optional = reference.bool_at("optional") == Some(true);
        let Some(object) = store.find(kind, namespace, name) else {
            return if optional { Ok(None) } else { Err(format!("{word} {name:?} not found")) };
        };
        let found = object_data(kind, object.value()).into_iter().find(|(k, _)| k == key);
        return match found {
            Some((_, value)) => Ok(Some(String::from_utf8_lossy(&value).into_owned())),
            None if optional => Ok(None),
            None => Err(format!("couldn't find key {key} in {title} {namespace}/{name}")),
        };
    }
    if let Some(path) = from.str_at("fieldRef.fieldPath") {
        return Ok(Some(field(pod, path, facts).unwrap_or_default()));
    }
    Ok(from.map_at("resourceFieldRef").map(|_| resource(container, from.at("resourceFieldRef"), facts)))
}

/// A Pod's field for `fieldRef` (environment and downward API volumes).
pub fn field(pod: &Pod, path: &str, facts: Facts<'_>) -> Option<String> {
    let meta = &pod.metadata;
    if let Some((map, key)) = path.strip_suffix("']").and_then(|p| p.split_once("['")) {
        let map = if map == "metadata.labels" { &meta.labels } else { &meta.annotations };
        return map.get(key).map(Text::to_string);
    }
    Some(match path {
        "metadata.name" => meta.name.to_string(),
        "metadata.namespace" => meta.namespace.to_string(),
        "metadata.uid" => meta.uid.to_string(),
        "metadata.labels" => pairs(&meta.labels),
        "metadata.annotations" => pairs(&meta.annotations),
        "spec.nodeName" => pod.spec.node_name.to_string(),
        "spec.serviceAccountName" => pod.spec.service_account_name.to_string(),
        "status.podIP" | "status.podIPs" => facts.pod_ip.to_owned(),
        "status.hostIP" | "status.hostIPs" => facts.host_ip.to_owned(),
        _ => return None,
    })
}

fn pairs(map: &api::meta::StringMap) -> String {
    map.iter().map(|(key, value)| format!("{key}={value:?}")).collect::<Vec<_>>().join("\n")
}

/// `limits.cpu`, `requests.memory` … divided by the divisor and rounded up.
pub fn resource(container: &Container, reference: &Value, facts: Facts<'_>) -> String {
    let resource = reference.str_at("resource").unwrap_or_default();
    let (part, name) = resource.split_once('.').unwrap_or(("", ""));
    let list = if part == "limits" { &container.resources.limits } else { &container.resources.requests };
    let node = match name {
        "cpu" => facts.node_cpu,
        "memory" => facts.node_memory,
        _ => "0",
    };
    // A limit that is not set reads as what the node has; a request that is not set as 0.
    let text = list.get(name).map_or(if part == "limits" { node } else { "0" }, Text::as_str);
    let parse = |text: &str| Quantity::parse(text).unwrap_or(Quantity::from_units(0));
    let divisor = reference.str_at("divisor").filter(|d| !d.is_empty() && *d != "0").unwrap_or("1");
    let (amount, divisor) = (parse(text), parse(divisor));
    if name == "cpu" {
        let per = divisor.millis().max(1);
        return amount.millis().div_euclid(per).saturating_add(i64::from(amount.millis() % per != 0)).to_string();
    }
    let per = divisor.units().max(1);
    amount.units().div_euclid(per).saturating_add(i64::from(amount.units() % per != 0)).to_string()
}

/// The keys and bytes of a ConfigMap or Secret.
pub fn object_data(kind: Kind, value: &Value) -> Vec<(String, Vec<u8>)> {
    let texts = |field: &str| -> Vec<(String, String)> {
        let entries = value.map_at(field).into_iter().flat_map(|map| map.iter());
        entries.filter_map(|(k, v)| Some((k.to_owned(), v.as_str()?.to_owned()))).collect()
    };
    let plain = |(key, text): (String, String)| (key, text.into_bytes());
    let encoded = |(key, text): (String, String)| (key, decode_base64(&text));
    let mut data: Vec<(String, Vec<u8>)> = if kind == Kind::Secret {
        texts("data").into_iter().map(encoded).chain(texts("stringData").into_iter().map(plain)).collect()
    } else {
        texts("data").into_iter().map(plain).chain(texts("binaryData").into_iter().map(encoded)).collect()
    };
    sort(&mut data);
    data
}

/// Base 64 (RFC 4648); letters that are none of its are passed over, since the API has checked them.
pub fn decode_base64(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_round_brackets_are_put_in() {
        let known = |name: &str| (name == "POD").then(|| "web".to_owned());
        for (text, want) in [
            ("on $(POD), not $$(POD), nor $(MISSING)", "on web, not $(POD), nor $(MISSING)"),
            ("$POD $(POD", "$POD $(POD"),
            ("$$", "$"),
            ("100%", "100%"),
        ] {
            assert_eq!(expand(text, known), want);
        }
    }

    #[test]
    fn base64_is_decoded() {
        assert_eq!(decode_base64("c2VjcmV0"), b"secret");
        assert_eq!(decode_base64("YQ=="), b"a");
        assert_eq!(decode_base64(""), b"");
    }
}
