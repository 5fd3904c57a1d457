//! A ResourceQuota (`ResourceQuotaDescriber`).

use super::Sheet;
use values::value::Value;

pub fn describe(sheet: &mut Sheet, value: &Value) {
    sheet.names(value);
    sheet.line("Resource\tUsed\tHard\n--------\t----\t----");
    for [resource, used, hard] in amounts(value) {
        sheet.line(&format!("{resource}\t{used}\t{hard}"));
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
