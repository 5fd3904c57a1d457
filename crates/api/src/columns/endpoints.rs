//! Endpoints and EndpointSlices (`printEndpoints`, `printEndpointSlice`): three are listed, the rest is counted.

use super::cells::{NONE, age, name, text};
use super::{Column, column};
use values::time::SimTime;
use values::value::Value;

pub const COLUMNS: &[Column] = &[column("Name"), column("Endpoints"), column("Age")];
pub const SLICE_COLUMNS: &[Column] =
    &[column("Name"), column("AddressType"), column("Ports"), column("Endpoints"), column("Age")];

/// Addresses or ports that are listed before the rest is only counted.
const LISTED_MAX: usize = 3;

pub fn row(value: &Value, now: SimTime) -> Vec<String> {
    vec![name(value), addresses(value), age(value, now)]
}

/// `10.244.0.6:80,10.244.0.7:80 + 2 more...`; without subsets `<none>`, without ready addresses nothing at all.
fn addresses(value: &Value) -> String {
    let subsets = value.list_at("subsets");
    if subsets.is_empty() {
        return NONE.to_owned();
    }
    let mut all = Vec::new();
    for subset in subsets {
        let ips = subset.list_at("addresses").iter().filter_map(|a| a.str_at("ip"));
        let ports = subset.list_at("ports");
        for ip in ips {
            if ports.is_empty() {
                all.push(ip.to_owned());
            }
            all.extend(ports.iter().map(|port| format!("{ip}:{}", port.i64_at("port").unwrap_or(0))));
        }
    }
    listed(&all)
}

fn listed(all: &[String]) -> String {
    let text = all[..all.len().min(LISTED_MAX)].join(",");
    if all.len() > LISTED_MAX { format!("{text} + {} more...", all.len() - LISTED_MAX) } else { text }
}

pub fn slice_row(value: &Value, now: SimTime) -> Vec<String> {
    let ports: Vec<String> = value
        .list_at("ports")
        .iter()
        .map(|port| port.i64_at("port").map_or_else(|| "*".to_owned(), |port| port.to_string()))
        .collect();
    let addresses: Vec<String> = value
        .list_at("endpoints")
        .iter()
        .flat_map(|e| e.list_at("addresses"))
        .filter_map(|a| a.as_str().map(str::to_owned))
        .collect();
    let or_unset = |list: &[String]| if list.is_empty() { "<unset>".to_owned() } else { listed(list) };
    vec![name(value), text(value, "addressType"), or_unset(&ports), or_unset(&addresses), age(value, now)]
}
