//! Kubernetes' own unit-test tables, kept as data in `tests/cases/*_cases.json`: none is forgotten.
//!
//! Rule: each table of each file is named by a test that reads the file, or stands here with the reason why there is
//! nothing to run; the same tests name the single rows they leave out. What is left out here is under a tenth of all rows.

use std::path::Path;

use batchyard::values::value::Value;

/// Files of tables, and the tests that read them.
const FILES: &[(&str, &[&str])] = &[
    ("api_cases.json", &["tests/it/validation_cases.rs"]),
    ("cron_cases.json", &["tests/it/cron.rs", "crates/values/src/cron/parse.rs"]),
    ("cronjob_cases.json", &["tests/it/cronjob_cases.rs"]),
    ("kubectl_cases.json", &["crates/api/src/columns/tests.rs"]),
    ("kubelet_cases.json", &["tests/it/kubelet_cases.rs", "tests/it/control_cases.rs"]),
    ("validation_cases.json", &["tests/it/validation_cases.rs"]),
];

/// Tables without a like here, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("TestPrintJobList", "a list is printed row by row; the rows are in TestPrintJob"),
    ("TestPrintPodDisruptionBudget", "there are no PodDisruptionBudgets (listed as a gap)"),
    ("TestShortHumanDurationBoundaries", "kubectl prints no duration by that function any more"),
];

fn rows(table: &Value) -> usize {
    let cases = ["cases", "rows", "tests"].into_iter().map(|key| table.list_at(key)).find(|list| !list.is_empty());
    cases.or(table.as_list()).map_or(1, <[Value]>::len)
}

#[test]
fn every_table_is_run_or_left_out_for_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (mut all, mut left_out, mut unknown) = (0, 0, Vec::new());
    for (file, tests) in FILES {
        let tables = Value::from_json(&read(&format!("tests/cases/{file}"))).expect("the file is JSON");
        let sources: String = tests.iter().map(|path| read(path)).collect();
        assert!(sources.contains(file), "{tests:?} do not read {file}");
        let named = tables.as_map().into_iter().flat_map(|tables| tables.iter());
        for (name, table) in named.filter(|(name, _)| !name.starts_with('_')) {
            all += rows(table);
            if LEFT_OUT.iter().any(|(left, _)| *left == name) {
                left_out += rows(table);
            } else if !sources.contains(name) {
                unknown.push(format!("{file}: {name}, {} rows", rows(table)));
            }
        }
    }
    assert!(unknown.is_empty(), "no test names these tables:\n{}", unknown.join("\n"));
    assert!(all > 1_000 && left_out * 10 < all, "{left_out} of {all} rows are left out");
}
