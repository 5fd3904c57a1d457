//! ResourceQuotas (`printResourceQuota`): what is used of what is allowed, requests and limits apart.

use super::cells::{age, name};
use super::{Column, column};
use values::time::SimTime;
use values::value::Value;

pub const COLUMNS: &[Column] = &[column("Name"), column("Request"), column("Limit"), column("Age")];

pub fn row(value: &Value, now: SimTime) -> Vec<String> {
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (resource, hard) in value.map_at("status.hard").into_iter().flat_map(|hard| hard.iter()) {
        let used = value.at_keys(["status", "used", resource]).as_str().unwrap_or("0");
        let text = format!("{resource}: {used}/{}", hard.as_str().unwrap_or_default());
        if resource.starts_with("limits") { limits.push(text) } else { requests.push(text) }
    }
    vec![name(value), requests.join(", "), limits.join(", "), age(value, now)]
}
