//! What kubectl says to bad manifests: a recording of a real cluster, played through parsing, decoding and the store.
//!
//! `tests/cases/validation_errors.jsonl` and `immutable.jsonl` are the `kubectl apply -f -` steps of two recordings
//! (`validation-errors`, `apply-unchanged-and-immutable`), with the exit codes and texts of the real kubectl.

use std::collections::BTreeMap;

use batchyard::api::decode::{FieldValidation, decode, decode_for_apply, flatten};
use batchyard::api::kind::Kind;
use batchyard::api::meta::Key;
use batchyard::api::patch::{Shape, strategic, three_way};
use batchyard::api::status::ApiError;
use batchyard::cluster::{Cluster, Setup};
use batchyard::values::rng::Rng;
use batchyard::values::time::SimTime;
use batchyard::values::value::Value;
use batchyard::values::zone::ZoneTable;
use batchyard::yaml;
use serde::Deserialize;

const ERRORS: &str = include_str!("../cases/validation_errors.jsonl");
const IMMUTABLE: &str = include_str!("../cases/immutable.jsonl");

/// One recorded step.
#[derive(Deserialize)]
struct Recorded {
    step: usize,
    cmd: String,
    exit: i32,
    stdout: String,
    stderr: String,
}

impl Recorded {
    /// The manifest behind `<<'EOF'`.
    fn manifest(&self) -> &str {
        let start = self.cmd.find('\n').expect("a heredoc has lines") + 1;
        self.cmd[start..].trim_end_matches('\n').strip_suffix("EOF").expect("a heredoc ends")
    }
}

/// What was printed.
#[derive(Default, Debug)]
struct Printed {
    exit: i32,
    stdout: String,
    stderr: String,
}

fn steps(file: &str) -> Vec<Recorded> {
    file.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn cluster() -> Cluster {
    let start = SimTime::parse_rfc3339("2026-11-21T08:20:21Z").unwrap();
    Cluster::new(&Setup::default(), start, Rng::new(1), ZoneTable::bundled())
}

/// The manifests applied before, by name.
type Applied = BTreeMap<String, Value>;

/// `kubectl apply -f -`: reads everything, applies what could be read, and ends with what could not.
fn apply(cluster: &mut Cluster, applied: &mut Applied, text: &str) -> Printed {
    let parsed = yaml::parse(text, "STDIN");
    let mut printed = Printed::default();
    let mut errors = Vec::new();
    let mut unread = Vec::new();
    let mut read = Vec::new();
    let documents = parsed.documents.iter().take(parsed.reached).flat_map(|node| flatten(&node.value()));
    for (_, document) in documents {
        match decode_for_apply(&document, FieldValidation::Strict) {
            Ok(decoded) => read.push((document, decoded.object)),
            Err(refusal) => unread.push(refusal.kubectl("STDIN", "creating")),
        }
    }
    unread.extend(parsed.kubectl_error().map(str::to_owned));
    if read.is_empty() && unread.is_empty() {
        unread.push("error: no objects passed to apply".to_owned());
    }
    for (document, object) in read {
        let kind = Kind::named(object.str_at("kind").unwrap()).unwrap();
        let name = object.str_at("metadata.name").unwrap().to_owned();
        let (outcome, warnings) = one(cluster, applied, kind, &name, &document, object);
        for warning in warnings {
            printed.stderr += &format!("Warning: {warning}\n");
        }
        match outcome {
            Ok(how) => printed.stdout += &format!("{}/{name} {how}\n", kind.info().singular_resource()),
            Err(error) => errors.push(error.kubectl(Some("error when creating \"STDIN\""))),
        }
    }
    errors.extend(unread);
    printed.exit = i32::from(!errors.is_empty());
    for error in errors {
        printed.stderr += &format!("{error}\n");
    }
    printed
}

type Answer = (Result<&'static str, ApiError>, Vec<String>);

fn one(
    cluster: &mut Cluster,
    applied: &mut Applied,
    kind: Kind,
    name: &str,
    document: &Value,
    mut object: Value,
) -> Answer {
    object.set_default("metadata.namespace", "default");
    let key = Key::new(kind, object.str_at("metadata.namespace").unwrap(), name);
    let Some(current) = cluster.store().get(&key).cloned() else {
        let (created, warnings) = cluster.api("user", |api| (api.create(object), api.take_warnings()));
        if created.is_ok() {
            applied.insert(name.to_owned(), document.clone());
        }
        return (created.map(|_| "created"), warnings);
    };
    let shape = Shape::of_kind(document.str_at("apiVersion").unwrap(), document.str_at("kind").unwrap());
    let patch = three_way(&applied[name], document, current.value(), shape);
    if patch.is_empty() {
        return (Ok("unchanged"), Vec::new());
    }
    let mut changed = current.value().clone();
    strategic(&mut changed, &patch, shape);
    let changed = decode(&changed, FieldValidation::Strict).unwrap().object;
    let (written, warnings) =
        cluster.api("user", |api| (api.update(&key, |value| *value = changed), api.take_warnings()));
    if written.is_ok() {
        applied.insert(name.to_owned(), document.clone());
    }
    (written.map(|_| "configured"), warnings)
}

/// The same text with every uid replaced, since they are drawn.
fn without_uids(text: &str) -> String {
    let is_uid = |text: &str| {
        text.len() == 36
            && text.bytes().enumerate().all(|(i, b)| match i {
                8 | 13 | 18 | 23 => b == b'-',
                _ => b.is_ascii_hexdigit() && !b.is_ascii_uppercase(),
            })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match rest.get(..36) {
            Some(word) if is_uid(word) => {
                out += "<uid>";
                rest = &rest[36..];
            }
            _ => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// Plays the steps and gives what differs: exit codes, and texts.
fn play(file: &str, cluster: &mut Cluster, applied: &mut Applied) -> (usize, Vec<String>, Vec<String>) {
    let (mut exits, mut texts) = (Vec::new(), Vec::new());
    let steps = steps(file);
    for step in &steps {
        let printed = apply(cluster, applied, step.manifest());
        if printed.exit != step.exit {
            exits.push(format!(
                "step {}: exit {} instead of {}\n{}",
                step.step, printed.exit, step.exit, printed.stderr
            ));
        }
        let (ours, theirs) = (printed.stdout + &printed.stderr, format!("{}{}", step.stdout, step.stderr));
        if without_uids(&ours) != without_uids(&theirs) {
            texts.push(format!("step {}:\n  is     {ours}\n  should {theirs}", step.step));
        }
    }
    (steps.len(), exits, texts)
}

#[test]
fn bad_manifests_are_refused_in_kubectls_words() {
    let (count, exits, texts) = play(ERRORS, &mut cluster(), &mut Applied::new());
    assert_eq!(count, 194);
    assert!(exits.is_empty(), "{}", exits.join("\n"));
    assert!(texts.is_empty(), "{} of {count} texts differ:\n{}", texts.len(), texts.join("\n"));
}

#[test]
fn what_is_immutable_is_told_with_the_whole_template() {
    const STEADY: &str = "
apiVersion: batch/v1
kind: Job
metadata: {name: steady}
spec:
  template:
    spec:
      containers:
      - {name: main, image: 'busybox:1.36', command: [sh, -c, echo hello; sleep 3]}
      restartPolicy: Never
";
    let (mut cluster, mut applied) = (cluster(), Applied::new());
    assert_eq!(apply(&mut cluster, &mut applied, STEADY).exit, 0);
    let (count, exits, texts) = play(IMMUTABLE, &mut cluster, &mut applied);
    assert_eq!(count, 7);
    assert!(exits.is_empty(), "{}", exits.join("\n"));
    assert!(texts.is_empty(), "{}", texts.join("\n"));
}
