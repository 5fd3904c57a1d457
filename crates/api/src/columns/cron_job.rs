//! CronJobs (`printCronJob`).

use super::cells::{NONE, age, containers, label_selector, name, since, text, text_or};
use super::{Column, column, wide};
use values::time::SimTime;
use values::value::Value;

pub const COLUMNS: &[Column] = &[
    column("Name"),
    column("Schedule"),
    column("Timezone"),
    column("Suspend"),
    column("Active"),
    column("Last Schedule"),
    column("Age"),
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];

pub fn row(value: &Value, now: SimTime) -> Vec<String> {
    let suspend = match value.bool_at("spec.suspend") {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    let last = match value.str_at("status.lastScheduleTime") {
        Some(_) => since(value, "status.lastScheduleTime", now),
        None => NONE.to_owned(),
    };
    let [containers, images] = containers(value.at("spec.jobTemplate.spec.template"));
    vec![
        name(value),
        text(value, "spec.schedule"),
        text_or(value, "spec.timeZone", NONE),
        suspend.to_owned(),
        value.list_at("status.active").len().to_string(),
        last,
        age(value, now),
        containers,
        images,
        label_selector(value.at("spec.jobTemplate.spec.selector")),
    ]
}
