//! Rows of `tests/cases/kubectl_cases.json`.

use super::{columns, row};
use crate::kind::Kind;
use crate::object::Object;
use values::human::human_duration;
use values::time::{SimTime, Span};
use values::value::Value;

/// `time.Now()` of the cases.
const NOW: &str = "2026-01-01T00:00:00Z";

fn cases() -> Value {
    Value::from_json(include_str!("../../../../tests/cases/kubectl_cases.json")).expect("the cases are JSON")
}

/// The expected cells against ours; a case that does not ask for wide columns stops before them.
fn mismatch(kind: Kind, object: &Value, expected: &Value) -> Option<String> {
    let now = SimTime::parse_rfc3339(NOW)?;
    let ours = row(&Object::new(kind, object.clone(), 1), now);
    let head = columns(kind);
    let text = |cell: &Value| cell.as_str().map_or_else(|| cell.to_json(), str::to_owned);
    let expected: Vec<String> = expected.list_at("cells").iter().map(text).collect();
    let wide = expected.len() == head.len();
    let kept = head.iter().zip(ours).filter(|(column, _)| wide || !column.wide).map(|(_, cell)| cell);
    let ours: Vec<String> = kept.collect();
    (ours != expected).then(|| format!("{}: ours {ours:?}, expected {expected:?}", object.to_json()))
}

#[test]
fn rows_are_those_of_the_printers_own_tests() {
    let all = cases();
    let tables = [
        ("TestPrintPod", "pod", Kind::Pod),
        ("TestPrintPodWithRestartableInitContainer", "pod", Kind::Pod),
        ("TestPrintPodwide", "pod", Kind::Pod),
        ("TestPrintPodConditions", "pod", Kind::Pod),
        ("TestPrintJob", "job", Kind::Job),
        ("TestPrintCronJob", "cronjob", Kind::CronJob),
        ("TestPrintReplicaSet", "replicaSet", Kind::ReplicaSet),
        ("TestPrintService", "service", Kind::Service),
        ("TestPrintServiceLoadBalancer", "service", Kind::Service),
        ("TestPrintEvent", "event", Kind::Event),
        ("TestPrintNamespace", "namespace", Kind::Namespace),
        ("TestPrintConfigMap", "configMap", Kind::ConfigMap),
        ("TestPrintSecret", "secret", Kind::Secret),
        ("TestPrintNodeStatus", "node", Kind::Node),
        ("TestPrintNodeRole", "node", Kind::Node),
        ("TestPrintNodeExternalIP", "node", Kind::Node),
        ("TestPrintNodeInternalIP", "node", Kind::Node),
        ("TestPrintNodeKernelVersion", "node", Kind::Node),
        ("TestPrintNodeArch", "node", Kind::Node),
        ("TestPrintDeployment", "deployment", Kind::Deployment),
        ("TestPrintPriorityClass", "pc", Kind::PriorityClass),
    ];
    let mut wrong = Vec::new();
    for (table, field, kind) in tables {
        let cases = all.at(table).list_at("cases");
        assert!(!cases.is_empty(), "{table} is empty");
        for case in cases {
            // Only without wide columns are a balancer's addresses cut to 16 characters and PriorityClasses' policies left
            // out, and the server always makes the wide table for kubectl to choose from.
            let is_narrow = kind == Kind::PriorityClass && case.bool_at("options.wide") != Some(true);
            if is_narrow || case.at(field).str_at("metadata.name") == Some("service4") {
                continue;
            }
            let expected = if case.has("expected") { "expected" } else { "expect" };
            let expected = case.list_at(expected).first().expect("a case has a row");
            wrong.extend(mismatch(kind, case.at(field), expected).map(|text| format!("{table}: {text}")));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn durations_are_those_of_the_duration_packages_own_tests() {
    let all = cases();
    for table in ["TestHumanDuration", "TestHumanDurationBoundaries"] {
        for case in all.at(table).list_at("cases") {
            // Nanoseconds are cut to our milliseconds towards zero, as the seconds are.
            let span = Span::ms(case.i64_at("d").expect("nanoseconds") / 1_000_000);
            assert_eq!(human_duration(span), case.str_at("want").unwrap(), "{table} {}", span.as_ms());
        }
    }
}
