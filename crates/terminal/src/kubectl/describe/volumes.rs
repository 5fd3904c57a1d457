//! Volumes of a template or of a Pod.
//!
//! Source: `describe.go` (`describeVolumes` and the functions it calls).

use super::Sheet;
use super::sheet::text;
use values::value::Value;

pub fn describe(sheet: &mut Sheet, volumes: &[Value], space: &str) {
    if volumes.is_empty() {
        return sheet.row(&format!("{space}Volumes"), "<none>");
    }
    sheet.line(&format!("{space}Volumes:"));
    for volume in volumes {
        let indent = if space.is_empty() { "" } else { " " };
        sheet.line(&format!("  {indent}{}:", text(volume, "name")));
        for (title, value) in source(volume) {
            sheet.row(&format!("    {title}"), value);
        }
        let items = volume.at("downwardAPI").list_at("items");
        if !items.is_empty() {
            sheet.line("    Items:");
        }
        for item in items {
            let field = item.str_at("fieldRef.fieldPath").or(item.str_at("resourceFieldRef.resource"));
            sheet.line(&format!("      {} -> {}", field.unwrap_or_default(), text(item, "path")));
        }
    }
}

type Rows = Vec<(&'static str, String)>;

fn source(volume: &Value) -> Rows {
    let kind = volume.as_map().and_then(|map| map.keys().find(|key| *key != "name")).unwrap_or_default();
    let source = volume.at(kind);
    let owned = |path: &str| text(source, path).to_owned();
    let truth = |path: &str| source.bool_at(path).unwrap_or(false).to_string();
    match kind {
        "hostPath" => vec![
            ("Type", "HostPath (bare host directory volume)".into()),
            ("Path", owned("path")),
            ("HostPathType", owned("type")),
        ],
        "emptyDir" => vec![
            ("Type", "EmptyDir (a temporary directory that shares a pod's lifetime)".into()),
            ("Medium", owned("medium")),
            ("SizeLimit", source.str_at("sizeLimit").unwrap_or("<unset>").to_owned()),
        ],
        "secret" => vec![
            ("Type", "Secret (a volume populated by a Secret)".into()),
            ("SecretName", owned("secretName")),
            ("Optional", truth("optional")),
        ],
        "configMap" => vec![
            ("Type", "ConfigMap (a volume populated by a ConfigMap)".into()),
            ("Name", owned("name")),
            ("Optional", truth("optional")),
        ],
        "persistentVolumeClaim" => vec![
            ("Type", "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)".into()),
            ("ClaimName", owned("claimName")),
            ("ReadOnly", truth("readOnly")),
        ],
        "nfs" => vec![
            ("Type", "NFS (an NFS mount that lasts the lifetime of a pod)".into()),
            ("Server", owned("server")),
            ("Path", owned("path")),
            ("ReadOnly", truth("readOnly")),
        ],
        "projected" => projected(source),
        "downwardAPI" => vec![("Type", "DownwardAPI (a volume populated by information about the pod)".into())],
        _ => vec![("Type", "<unknown>".into())],
    }
}

fn projected(source: &Value) -> Rows {
    let mut rows = vec![("Type", "Projected (a volume that contains injected data from multiple sources)".to_owned())];
    for part in source.list_at("sources") {
        if let token @ Value::Map(_) = part.at("serviceAccountToken") {
            rows.push(("TokenExpirationSeconds", token.i64_at("expirationSeconds").unwrap_or(3600).to_string()));
        } else if !part.at("downwardAPI").is_null() {
            rows.push(("DownwardAPI", "true".to_owned()));
        }
        for (field, title) in [("secret", "SecretName"), ("configMap", "ConfigMapName")] {
            if let named @ Value::Map(_) = part.at(field) {
                rows.push((title, text(named, "name").to_owned()));
                rows.push(("Optional", named.bool_at("optional").unwrap_or(false).to_string()));
            }
        }
    }
    rows
}
