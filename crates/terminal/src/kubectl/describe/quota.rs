//! A ResourceQuota (`ResourceQuotaDescriber`).

use super::Sheet;
use values::value::Value;

pub fn describe(sheet: &mut Sheet, value: &Value) {
    sheet.names(value);
    scopes(sheet, value, "");
    sheet.line("Resource\tUsed\tHard\n--------\t----\t----");
    for [resource, used, hard] in amounts(value) {
        sheet.line(&format!("{resource}\t{used}\t{hard}"));
    }
}

/// What the Pods are like that the quota is about.
pub fn scopes(sheet: &mut Sheet, value: &Value, space: &str) {
    let scopes: Vec<&str> = value.list_at("spec.scopes").iter().filter_map(Value::as_str).collect();
    if scopes.is_empty() {
        return;
    }
    sheet.row(&format!("{space}Scopes"), scopes.join(", "));
    // Below a namespace the marks stand at the title's place.
    let mark = if space.is_empty() { " *" } else { "  *" };
    for scope in scopes {
        let told = match scope {
            "Terminating" => {
                "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being \
                 actively terminated by the system."
            }
            "NotTerminating" => {
                "Matches all pods that do not have an active deadline. These pods usually include long running pods whose \
                 container command is not expected to terminate."
            }
            "BestEffort" => {
                "Matches all pods that do not have resource requirements set. These pods have a best effort quality of \
                 service."
            }
            "NotBestEffort" => {
                "Matches all pods that have at least one resource requirement set. These pods have a burstable or \
                 guaranteed quality of service."
            }
            _ => continue,
        };
        sheet.line(&format!("{mark} {told}"));
    }
}

/// Each resource with what is used and what is allowed.
pub fn amounts(value: &Value) -> Vec<[String; 3]> {
    let hard = value.map_at("status.hard").into_iter().flat_map(|hard| hard.iter());
    hard.map(|(resource, hard)| {
        let used = value.at_keys(["status", "used", resource]).as_str().unwrap_or("0");
        [resource.to_owned(), used.to_owned(), hard.as_str().unwrap_or_default().to_owned()]
    })
    .collect()
}
