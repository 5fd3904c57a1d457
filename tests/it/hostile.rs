//! Whatever is typed: no panic, no hang, and an output with an end.
//!
//! Rule: random bytes are refused by the first reader and find little, so most lines here are pieces of valid language,
//! shuffled: shell, kubectl with jsonpath, Go templates, selectors and columns, jq, here-documents, YAML, schedules.

use std::rc::Rc;

use batchyard::api::kind::Kind;
use batchyard::api::selector::{Fields, Labels};
use batchyard::run::{Input, Output, Progress, Record, Scenario, Sim};
use batchyard::values::cron::Schedule;
use batchyard::values::jsonpath::JsonPath;
use batchyard::values::time::Span;
use batchyard::values::value::Value;
use batchyard::values::zone::ZoneTable;
use batchyard::yaml::{self, python};
use proptest::prelude::*;

/// More than any line here may print: what is kept of a command, and a message.
const OUTPUT_MAX: usize = (1 << 20) + 1_000;
/// Things that may happen while one line runs for two minutes.
const STEPS_MAX: u32 = 200_000;

const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, labels: {a: b}}\nspec:\n  completions: 3\n  template:\n    \
                   spec:\n      restartPolicy: Never\n      containers:\n      - {name: c, image: 'busybox:1.36', command: \
                   [sh, -c, 'echo hello; sleep 5']}\n";

/// Types one line into a fresh shell of a small cluster, and lets two minutes pass.
fn typed(line: &str) -> Result<Rc<Output>, String> {
    let scenario = Scenario { duration: Span::mins(3), ..Scenario::default() };
    let mut sim = Sim::new(&scenario, &ZoneTable::bundled());
    sim.handle(Input::Apply { file: "job.yaml".to_owned(), text: JOB.to_owned() });
    let start = sim.start();
    while sim.advance(start + Span::secs(2), 1_000) == Progress::Busy {}
    sim.handle(Input::Run { line: line.to_owned() });
    if sim.advance(start + Span::mins(2), STEPS_MAX) == Progress::Busy {
        return Err(format!("it is still {} after {STEPS_MAX} steps", sim.now()));
    }
    let mut found = None;
    while let Some(record) = sim.poll_record() {
        if let Record::Output(output) = record {
            found = Some(output);
        }
    }
    // What waits for something that never comes (`cat`, `kubectl get -w`) has printed nothing yet.
    Ok(found.unwrap_or_default())
}

#[test]
fn a_runaway_line_is_stopped_and_says_why() {
    for line in [
        "while true; do :; done",
        "f() { f; }; for ((;;)); do x=$((x+1)); done",
        "yes | while read x; do :; done",
        // What is moved counts, however few steps move it; and a disk that is full is not copied again and again.
        "yes > f",
        "wc /dev/zero",
        "yes | sh",
        "yes | awk '{x = x $0}'",
    ] {
        let output = typed(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(output.stderr.contains("without waiting for anything"), "{line}: {} {}", output.exit, output.stderr);
        assert_eq!(output.exit, 137, "{line}");
    }
}

#[test]
fn many_words_are_handed_out_one_by_one() {
    let output = typed("seq 200000 | xargs -n1 echo | tail -1").expect("it ends");
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("200000\n", ""));
}

#[test]
fn a_loop_under_a_timeout_ends_by_it() {
    let output = typed("timeout 3 sh -c 'while true; do :; done'; echo $?").expect("it ends");
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("124\n", ""));
}

#[test]
fn a_loop_that_sleeps_goes_on() {
    let output = typed("for i in $(seq 100); do sleep 1; done; echo $i").expect("it ends");
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("100\n", ""));
}

#[test]
fn output_without_end_is_cut_and_says_so() {
    for line in
        ["yes", "seq 100000000", "while true; do printf '%01000d' 1; done", "timeout 60 kubectl get pods -w & yes abc"]
    {
        let output = typed(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let kept = output.stdout.len() + output.stderr.len();
        assert!(kept > 1 << 19 && kept <= OUTPUT_MAX, "{line}: {kept} bytes");
        assert!(output.stderr.contains("the rest is left out"), "{line}: {}", output.stderr);
        let lines: usize = output.lines.iter().map(|(_, text)| text.len() + 1).sum();
        assert!(lines <= OUTPUT_MAX, "{line}: {lines} bytes of lines");
    }
}

const PATHS: &[&str] = &[
    "{",
    "}",
    "{.items",
    "[*]",
    "[0]",
    "[-1:]",
    "[::2]",
    "[?(@.",
    "status",
    "metadata",
    "name",
    "==\"x\"",
    ")]",
    "..",
    ".",
    "{range ",
    "{end}",
    "{\"\\n\"}",
    "['a.b']",
    "$",
    "@",
    "{.kind}",
    " ",
    "!=",
    ">= 3",
    "[0,2]",
    "[1:0:-1]",
    "\\.",
    "{'a'}",
];
const TEMPLATES: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    "range ",
    ".items",
    "$i, $x := ",
    "if ",
    "else",
    "end",
    "with ",
    ".metadata.name",
    "printf \"%s %d\" ",
    "index . \"items\" 0",
    "len ",
    "eq 1 ",
    "| ",
    "not ",
    "and ",
    "(",
    ")",
    "define \"t\"",
    "template \"t\" .",
    "block \"b\" .",
    "\"",
    "`",
    "'x'",
    "0x1F",
    "1e9",
    "$",
    ".",
    "break",
    "continue",
    "/* */",
    "\n",
    "html ",
    "slice \"abc\" 1 9",
];
const JQ: &[&str] = &[
    ".",
    ".items[]",
    ".metadata.name",
    "|",
    ",",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "map(",
    "select(",
    "length",
    "keys",
    "to_entries",
    "..",
    "?",
    "//",
    "as $x ",
    "$x",
    "reduce .[] ",
    "foreach range(5) ",
    "if ",
    "then ",
    "else ",
    "end",
    "try error",
    "catch .",
    "def f: f; f",
    "recurse",
    "range(1e9)",
    "limit(3; ",
    "\"\\(1+1)\"",
    "@base64",
    "-1",
    "tostring",
    "test(\"a+\")",
    "sort_by(.a)",
    "input",
    "env",
    "splits(\"a\")",
    "group_by(.x)",
    "path(..)",
    "until(false; .)",
    "repeat(1)",
    "*",
    "%",
    "/0",
];
const YAML: &[&str] = &[
    "a: ",
    "- ",
    "\n",
    "  ",
    "{",
    "}",
    "[",
    "]",
    "&x ",
    "*x",
    "<<: *x",
    "|\n",
    ">-\n",
    "\"",
    "'",
    "# c",
    "---\n",
    "...\n",
    "? ",
    ": ",
    "!!int ",
    "!t ",
    "yes",
    "0o17",
    "1_000",
    "1e3",
    ".inf",
    "~",
    "\t",
    "apiVersion: v1\n",
    "kind: Pod\n",
    "metadata: {name: x}\n",
    "spec:\n",
    "  containers:\n",
    "%YAML 1.1\n",
    "\u{feff}",
    "\\x",
    "é",
    ",",
    "@",
    "`",
];
const PYTHON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "'kind': ",
    "\"Job\"",
    ", ",
    "True",
    "None",
    "os.getenv(\"X\", ",
    "\"d\")",
    "f\"{x}\"",
    "r'\\'",
    "'''",
    "# c\n",
    "\n",
    "x = ",
    "1_0",
    "0x",
    "-",
    "**",
    "lambda: ",
    "\\\n",
    "b''",
    "dict(a=1)",
    "+ ",
    "\"a\" \"b\"",
    ":",
];
const SELECTORS: &[&str] = &[
    "a",
    "b",
    "=",
    "==",
    "!=",
    ",",
    " in (",
    ")",
    " notin (",
    "!",
    "a.b/c",
    "metadata.name",
    "status.phase",
    "Running",
    "()",
    ">",
    "<",
    "1",
    " ",
    "\\,",
    "spec.nodeName",
    "",
];
const SCHEDULES: &[&str] = &[
    "*", " ", "/", "-", ",", "?", "59", "60", "0", "7", "mon", "JAN", "@every ", "1h", "@daily", "TZ=UTC ", "CRON_TZ=",
    "*/15", "1-5", "L", "#2",
];
const SHELL: &[&str] = &[
    "kubectl get pods ",
    "kubectl get jobs -o json ",
    "kubectl apply -f - ",
    "kubectl get pods -o name ",
    "kubectl logs -l a=b ",
    "| ",
    "| jq '.items[].metadata.name' ",
    "| head -n 2 ",
    "| sort -k2 ",
    "| awk '{print $2}' ",
    "| sed 's/a/b/g' ",
    "| xargs -n1 echo ",
    "| while read x; do echo $x; ",
    "done ",
    "; ",
    "& ",
    "&& ",
    "|| ",
    "for i in {1..5} a; do ",
    "if true; then ",
    "fi ",
    "case $x in a) ",
    ";; ",
    "esac ",
    "$(",
    ") ",
    "`",
    "\"",
    "'",
    "${x:-",
    "} ",
    "$((",
    ")) ",
    "> f ",
    ">> f ",
    "< f ",
    "2>&1 ",
    "<<E\nkind: Job\nE\n",
    "x=1 ",
    "export y=2 ",
    "set -e ",
    "trap 'echo t' EXIT ",
    "sleep 1 ",
    "wait ",
    "kill %1 ",
    "f() { ",
    "watch -n 1 ",
    "timeout 2 ",
    "seq 3 ",
    "yes ",
    "cat ",
    "tee g ",
    "eval ",
    "\n",
    "\\",
    "kubectl scale job j --replicas=2 ",
    "kubectl delete pods --all --wait=false ",
    "kubectl get -w ",
    "kubectl exec j -- ",
    "kubectl patch job j -p ",
    "'{\"spec\":{}}' ",
    "kubectl create job k --image=busybox ",
    "-- ",
    "kubectl run p --image=busybox -it -- ",
    "kubectl wait --for=condition=complete job/j ",
    "--timeout=5s ",
    "kubectl explain ",
    "job.spec --recursive ",
    "helm list ",
    "docker ps ",
    "curl -s localhost:1 ",
    "--help ",
    "history ",
    "jobs ",
    "base64 ",
    "env ",
    "date +%s ",
    "printf '%5d|%s\\n' ",
    "test -f f ",
    "[ 1 -lt 2 ] ",
    "[[ a == a* ]] ",
    "read z ",
    "kubectl edit job j ",
    "nodectl stop node-1 ",
];

/// A sentence of these pieces.
fn of(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(pieces), 0..most).prop_map(|pieces| pieces.concat())
}

/// In single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A kubectl line with a hostile argument in one of its languages.
fn kubectl_line() -> impl Strategy<Value = String> {
    prop_oneof![
        of(PATHS, 12).prop_map(|path| format!("kubectl get pods -o jsonpath={}", quoted(&path))),
        of(PATHS, 8).prop_map(|path| format!("kubectl get pods --sort-by={}", quoted(&path))),
        of(PATHS, 8)
            .prop_map(|path| format!("kubectl get pods -o custom-columns={}", quoted(&format!("A:{path},B:{path}")))),
        of(PATHS, 8).prop_map(|path| format!("kubectl wait job j --timeout=1s --for=jsonpath={}", quoted(&path))),
        of(TEMPLATES, 14).prop_map(|text| format!("kubectl get jobs,pods -o go-template={}", quoted(&text))),
        of(SELECTORS, 8).prop_map(|text| format!("kubectl get pods -l {}", quoted(&text))),
        of(SELECTORS, 8).prop_map(|text| format!("kubectl get pods --field-selector {}", quoted(&text))),
        of(JQ, 12).prop_map(|program| format!("kubectl get pods -o json | jq {}", quoted(&program))),
        of(YAML, 16).prop_map(|text| format!("kubectl apply -f - <<'EOF'\n{text}\nEOF")),
        of(YAML, 10).prop_map(|text| format!("kubectl patch job j -p {}", quoted(&text))),
        of(SCHEDULES, 9)
            .prop_map(|text| format!("kubectl create cronjob c --image=busybox --schedule={}", quoted(&text))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn shuffled_shell_lines_end(line in of(SHELL, 9)) {
        let output = typed(&line);
        prop_assert!(output.is_ok(), "{line:?}: {output:?}");
        let output = output.expect("it was asked for");
        prop_assert!(output.stdout.len() + output.stderr.len() <= OUTPUT_MAX, "{line:?}");
    }

    #[test]
    fn hostile_arguments_of_kubectl_end(line in kubectl_line()) {
        let output = typed(&line);
        prop_assert!(output.is_ok(), "{line:?}: {output:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn readers_take_or_refuse(
        path in of(PATHS, 14),
        text in of(YAML, 24),
        dict in of(PYTHON, 20),
        selector in of(SELECTORS, 10),
        schedule in of(SCHEDULES, 10),
        manifest in of(YAML, 12),
    ) {
        let data = Value::from_json(r#"{"items":[{"metadata":{"name":"x"},"status":[1,2,3]},{"metadata":null}]}"#).expect("it is JSON");
        for parsed in [JsonPath::parse(&path), JsonPath::relaxed(&path)].into_iter().flatten() {
            let _ = (parsed.print(&data, true), parsed.print(&data, false), parsed.values(&data));
        }
        for source in [&text, &format!("{{{dict}}}"), &format!("apiVersion: batch/v1\nkind: Job\n{manifest}")] {
            for document in &yaml::parse(source, "STDIN").documents {
                let written = yaml::emit(&document.value());
                prop_assert!(yaml::parse(&written, "STDIN").documents.len() <= 1, "{written:?}");
            }
        }
        let _ = (python::recognise(&dict), python::recognise(&format!("x = {{'kind': {dict}}}")));
        let _ = (Labels::parse(&selector), Fields::parse(&selector, Kind::Pod), Fields::parse(&selector, Kind::Job));
        if let Ok(schedule) = Schedule::parse(&schedule, &ZoneTable::bundled()) {
            let _ = schedule.fields();
        }
        let empty = batchyard::terminal::empty_cluster(&ZoneTable::bundled());
        let _ = batchyard::terminal::lint(manifest.as_bytes(), "x.yaml", &empty);
    }
}
