//! A Namespace (`describeNamespace`), with its quotas.

use super::quota::{amounts, scopes};
use super::sheet::text;
use super::{Context, Sheet};
use api::kind::Kind;
use api::object::Object;

pub fn describe(sheet: &mut Sheet, object: &Object, context: &Context<'_>) {
    let value = object.value();
    sheet.row("Name", object.name());
    sheet.labels_and_annotations(value);
    sheet.row("Status", text(value, "status.phase"));
    let quotas: Vec<_> = context.store.list_in(Kind::ResourceQuota, object.name()).collect();
    if quotas.is_empty() {
        sheet.line("\nNo resource quota.");
    } else {
        sheet.line("\nResource Quotas");
    }
    for quota in quotas {
        sheet.row("  Name", quota.name());
        scopes(sheet, quota.value(), "  ");
        sheet.line("  Resource\tUsed\tHard\n  --------\t---\t---");
        for [resource, used, hard] in amounts(quota.value()) {
            sheet.line(&format!("  {resource}\t{used}\t{hard}"));
        }
    }
    sheet.line("\nNo LimitRange resource.");
}
