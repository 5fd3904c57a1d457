//! Sessions that were typed into a real kubectl 1.36, line by line: what a real cluster answered is what is answered here.
//!
//! Rule: `tests/sessions/NAME/` holds the lines (`session.txt`), the answers of a real cluster (`real.out.gz`: exit code, output,
//! errors) and what lay in the folder (`files/`). Exit code, output and errors are compared, without what differs from run to run:
//! random names, uids, addresses, times, ages, blanks. `tests/sessions/differing.tsv` lists the lines that are answered otherwise,
//! and why; a line of it that comes right must leave it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fancy_regex::Regex;

/// The cluster of the recordings.
const SCENARIO: &str = "name: session\nstart: 2026-11-30T14:00:03Z\ncluster: {nodes: [{name: node-1, cpu: \"2\", memory: 24Gi}], \
                        serviceRouting: first}\nsteps: []\nduration: 60s\n";

/// What differs from run to run, and what stands for it.
const RULES: &[(&str, &str)] = &[
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
    (r"\b[0-9a-f]{64}\b", "<sha>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "<time>"),
    (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w\w\w \d{4} \d\d:\d\d:\d\d \+0000", "<date>"),
    (r"\b\d{8}( |-|T)?\d\d:\d\d:\d\d\b", "<time>"),
    (r"(?m)^([EWI])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ", "${1}<klog> "),
    (r#"(resourceVersion"?: ?)"?\d+"?"#, "${1}<rv>"),
    (r"\b[0-9a-f]{10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "hhhhhhhhhh-xxxxx"),
    (r"-[bcdfghjklmnpqrstvwxz2456789]{5}(?![\w-])", "-xxxxx"),
    (r"\b10\.\d+\.\d+\.\d+\b", "<ip>"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:<port>"),
    (r"\b\d+\.\d+(s|ms|µs)\b", "<dur>"),
    (r"\b\d+(ms|µs)\b", "<dur>"),
    (r"\.(1[0-9a-f]{15})\b", ".<evt>"),
    (r"(?m)^\[\d+\] \d+\n", ""),
    (r"\b(\d+d)?(\d+h)?(\d+m)?\d+s\b", "<age>"),
    (r"\b\d+m\b(?!i)", "<age>"),
    (r"(?<=\S)[ \t]{2,}", " "),
    (r"(?m)[ \t]+$", ""),
];

/// A line of a session.
#[derive(PartialEq)]
enum Line {
    /// Compared.
    Typed(String),
    /// Prepares; of both sides, or of ours alone.
    Prepares(String),
    /// Prepared the real side only.
    Elsewhere,
}

/// Exit code, output, errors.
type Answer = (i32, String, String);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions")
}

fn parse(text: &str) -> Vec<Line> {
    let (mut lines, mut several) = (Vec::new(), None::<Vec<&str>>);
    for line in text.split('\n') {
        if let Some(open) = &mut several {
            if line == "}}}" {
                lines.push(Line::Typed(open.join("\n")));
                several = None;
            } else {
                open.push(line);
            }
        } else if line == "{{{" {
            several = Some(Vec::new());
        } else if line.trim().is_empty() || line.starts_with("## ") {
        } else if line.starts_with("#!real ") {
            lines.push(Line::Elsewhere);
        } else if let Some(line) = line.strip_prefix("#!sim ").or_else(|| line.strip_prefix("#! ")) {
            lines.push(Line::Prepares(line.to_owned()));
        } else {
            lines.push(Line::Typed(line.to_owned()));
        }
    }
    lines
}

/// What is typed into the shell, with marks around each answer.
fn script(lines: &[Line]) -> String {
    let mut script = String::new();
    for (i, line) in lines.iter().enumerate() {
        script += &match line {
            Line::Elsewhere => continue,
            Line::Prepares(line) => format!("{{ {line}\n}} >/dev/null 2>&1 </dev/null\n"),
            Line::Typed(line) => format!(
                "sleep 0.2\necho '@@@ {i}'\n{{ {line}\n}} >/tmp/.o 2>/tmp/.e </dev/null; echo \"@@rc $?\"; cat /tmp/.o; echo; echo \
                 @@err; cat /tmp/.e; echo; echo @@end\n"
            ),
        };
    }
    script
}

/// The answers, by the numbers of their lines.
fn answers(text: &str) -> BTreeMap<usize, Answer> {
    let read = |part: &str| -> Option<(usize, Answer)> {
        let (number, rest) = part.split_once("\n@@rc ")?;
        let (code, rest) = rest.split_once('\n')?;
        let (out, rest) = rest.split_once("\n@@err\n")?;
        let (err, _) = rest.split_once("\n@@end\n")?;
        Some((number.parse().ok()?, (code.parse().ok()?, out.to_owned(), err.to_owned())))
    };
    text.split("@@@ ").filter_map(read).collect()
}

fn play(name: &str, lines: &[Line]) -> BTreeMap<usize, Answer> {
    let own = std::env::temp_dir().join(format!("batchyard-session-{}-{name}", std::process::id()));
    let empty = own.join("empty");
    fs::create_dir_all(&empty).expect("a folder");
    let scenario = own.join("scenario.yaml");
    fs::write(&scenario, SCENARIO).expect("a file");
    let files = folder().join(name).join("files");
    let files = if files.is_dir() { files } else { empty };
    let mut child = Command::new(env!("CARGO_BIN_EXE_batchyard"))
        .arg("shell")
        .args([scenario.as_path(), Path::new("--files"), files.as_path()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program can be started");
    child.stdin.take().expect("it is piped").write_all(script(lines).as_bytes()).expect("it reads its input");
    let output = child.wait_with_output().expect("it ends");
    fs::remove_dir_all(&own).expect("the folder is ours");
    answers(&String::from_utf8_lossy(&output.stdout))
}

fn real(name: &str) -> BTreeMap<usize, Answer> {
    let bytes = fs::read(folder().join(name).join("real.out.gz")).expect("the answers");
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut text).expect("they are packed");
    answers(&String::from_utf8_lossy(&text))
}

/// The lines that may differ: session, number, reason.
fn listed() -> BTreeSet<(String, usize)> {
    let text = fs::read_to_string(folder().join("differing.tsv")).expect("the table");
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|row| {
        let fields: Vec<&str> = row.split('\t').collect();
        let [session, number, reason, _] = fields.as_slice() else { panic!("not a row of four: {row}") };
        assert!(reason.len() > 5, "no reason: {row}");
        ((*session).to_owned(), number.parse().expect("the line's number"))
    })
    .collect()
}

#[test]
fn what_a_real_kubectl_was_asked_is_answered_as_it_answered() {
    let rules: Vec<(Regex, &str)> =
        RULES.iter().map(|(rule, to)| (Regex::new(rule).expect("a pattern"), *to)).collect();
    let plain =
        |text: &str| rules.iter().fold(text.to_owned(), |text, (rule, to)| rule.replace_all(&text, *to).into_owned());
    let same = |(code, out, err): &Answer| (*code, plain(out), plain(err));
    let listed = listed();
    let mut names: Vec<String> = fs::read_dir(folder())
        .expect("the sessions")
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(names.len() > 10, "{names:?}");
    let (mut wrong, mut count, mut right) = (Vec::new(), 0, 0);
    for name in &names {
        let lines = parse(&fs::read_to_string(folder().join(name).join("session.txt")).expect("the lines"));
        let (real, ours) = (real(name), play(name, &lines));
        for (i, line) in lines.iter().enumerate() {
            let (Line::Typed(line), Some(answer)) = (line, real.get(&i)) else { continue };
            count += 1;
            let equal = ours.get(&i).is_some_and(|own| same(own) == same(answer));
            right += usize::from(equal);
            match (equal, listed.contains(&(name.clone(), i))) {
                (true, true) => wrong.push(format!("{name} {i}: comes right now, and leaves the table: {line}")),
                (false, false) => {
                    wrong.push(format!("{name} {i}: {line}\n  real {answer:?}\n  ours {:?}", ours.get(&i)));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{right} of {count} lines are right; {}:\n{}", wrong.len(), wrong.join("\n"));
}
