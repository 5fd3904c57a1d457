//! The reading verbs against the recordings of a real cluster.
//!
//! Each recording's objects are put into a store as they were when a command was given; what the command prints here must
//! be what it printed there. Ages may differ: the real kubectl took some tenths of a second to ask.

mod samples;

use std::collections::BTreeMap;
use std::io::Read;

use crate::{Finished, Terminals};
use cluster::{Cluster, Setup};
use values::rng::Rng;
use values::time::{SimTime, Span};
use values::value::Value;
use values::zone::ZoneTable;

const RECORDINGS: &[u8] = include_bytes!("../../../../../tests/cases/kubectl_recordings.jsonl.gz");

/// Lines that must be equal, of all lines of all commands.
const EQUAL_LINES_MIN: f64 = 0.99;

#[test]
fn the_reading_verbs_print_what_a_real_kubectl_printed() {
    let mut text = String::new();
    flate2::read::GzDecoder::new(RECORDINGS).read_to_string(&mut text).expect("the recordings are text");
    let (mut equal, mut total, mut report) = (0, 0, String::new());
    let mut verbs: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for line in text.lines() {
        let recording = Value::from_json(line).expect("a recording a line");
        for output in recording.list_at("outputs") {
            // The server answered somewhere between the command's start and its end.
            let tries = [60, 20, 150, 300].map(|delay_ms| score(&recording, output, Span::ms(delay_ms)));
            let best = tries.into_iter().min_by_key(|(same, most, _)| most - same).expect("there are tries");
            let (same, most, bad) = best;
            equal += same;
            total += most;
            let counts = verbs.entry(verb(output.str_at("cmd").unwrap_or_default())).or_default();
            *counts = (counts.0 + same, counts.1 + most);
            if !bad.is_empty() {
                let name = recording.str_at("scenario").unwrap_or_default();
                report +=
                    &format!("{name} $ {}\n    {}\n", output.str_at("cmd").unwrap_or_default(), bad.join("\n    "));
            }
        }
    }
    let part = f64::from(equal) / f64::from(total);
    println!("{equal} of {total} lines, {verbs:?}\n{report}");
    assert!(part >= EQUAL_LINES_MIN, "{equal} of {total} lines:\n{report}");
}

/// What a command is counted under: `get`, `get -w`, `describe` …
fn verb(command: &str) -> String {
    let verb = command.split("kubectl ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    if command.ends_with(" -w") { format!("{verb} -w") } else { verb.to_owned() }
}

/// Equal lines, all lines and the differences of a command that reached the server `delay` after it was given.
fn score(recording: &Value, output: &Value, delay: Span) -> (u32, u32, Vec<String>) {
    let ours = run(recording, output, delay);
    let command = output.str_at("cmd").unwrap_or_default();
    let (mut same, mut most, mut bad) = (0, 0, Vec::new());
    for (ours, stream) in [(&ours.stdout, "stdout"), (&ours.stderr, "stderr")] {
        let theirs = normal(output.str_at(stream).unwrap_or_default());
        let (equal, lines, differences) = compare(&theirs, &normal(ours), command);
        (same, most) = (same + equal, most + lines);
        bad.extend(differences);
    }
    let exit = output.i64_at("exit").unwrap_or(0);
    if exit != 124 && exit != i64::from(ours.exit) {
        most += 1;
        bad.push(format!("exit {exit}, ours {}", ours.exit));
    }
    (same, most, bad)
}

/// Gives the command `delay` after its time.
fn run(recording: &Value, output: &Value, delay: Span) -> Finished {
    let start = SimTime::parse_rfc3339(recording.str_at("start").expect("a start")).expect("a time");
    let seconds = |value: &Value| match value {
        Value::Int(n) => start + Span::secs(*n),
        Value::Float(x) => start + Span::ms((x * 1000.0) as i64),
        _ => start,
    };
    let (begin, end) = (seconds(output.at("t")) + delay, seconds(output.at("end")));
    let setup = Setup { nodes: Vec::new(), ..Setup::default() };
    let mut cluster = Cluster::new(&setup, start, Rng::new(0), ZoneTable::empty());
    let mut terminals = Terminals::new();
    let line = output.str_at("cmd").expect("a command");
    let streams = line.starts_with("timeout");
    let line = if streams { line.splitn(3, ' ').nth(2).unwrap_or_default() } else { line };
    let mut id = None;
    for event in recording.list_at("trace") {
        let at = seconds(event.at("0"));
        if at > begin && id.is_none() {
            cluster.set_now(begin);
            id = Some(terminals.start(&mut cluster, line, None));
            terminals.step(&mut cluster);
        }
        if at > end.max(begin) || (at > begin && !streams) {
            break;
        }
        cluster.set_now(at);
        cluster.replay(at, event.str_at("1").expect("a type"), event.at("2").clone());
        terminals.wake(at);
        if id.is_some() {
            terminals.step(&mut cluster);
        }
    }
    let id = id.unwrap_or_else(|| {
        cluster.set_now(begin);
        terminals.start(&mut cluster, line, None)
    });
    terminals.step(&mut cluster);
    let mut finished = terminals.take_finished();
    if finished.is_empty() {
        terminals.interrupt(&mut cluster, id);
        terminals.step(&mut cluster);
        finished = terminals.take_finished();
    }
    finished.pop().unwrap_or_else(|| panic!("{line} does not end"))
}

/// Without what may differ: ages, versions, and the blanks that follow from their widths.
fn normal(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut out = String::new();
        for (i, word) in line.trim_end().split(' ').filter(|w| !w.is_empty()).enumerate() {
            if i > 0 {
                out.push(' ');
            }
            let bare = word.trim_start_matches('(').trim_end_matches(')');
            if is_age(bare) {
                out.push_str(&word.replace(bare, "<age>"));
            } else if out.ends_with("resourceVersion: ") || out.ends_with("\"resourceVersion\": ") {
                out.push_str("<n>");
            } else {
                out.push_str(word);
            }
        }
        out
    };
    text.trim_end().lines().map(line).collect()
}

/// `5s`, `2m5s`, `3h`
fn is_age(word: &str) -> bool {
    let mut rest = word;
    for _ in 0..2 {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || !rest[digits..].starts_with(['s', 'm', 'h', 'd']) {
            return false;
        }
        rest = &rest[digits + 1..];
        if rest.is_empty() {
            return true;
        }
    }
    false
}

/// Lines in common, the longer one's lines, and what differs. Of `explain` only the frame is compared: the descriptions
/// are Kubernetes' own.
fn compare(theirs: &[String], ours: &[String], command: &str) -> (u32, u32, Vec<String>) {
    let frame = |line: &&String| {
        !command.contains("kubectl explain")
            || line.starts_with("error")
            || line
                .split(' ')
                .next()
                .is_some_and(|w| w.ends_with(':') && w.chars().all(|c| c == ':' || c.is_ascii_uppercase()))
    };
    let (theirs, ours): (Vec<&String>, Vec<&String>) =
        (theirs.iter().filter(frame).collect(), ours.iter().filter(frame).collect());
    // The longest common subsequence, by the usual table.
    let mut table = vec![vec![0u32; ours.len() + 1]; theirs.len() + 1];
    for (i, a) in theirs.iter().enumerate().rev() {
        for (j, b) in ours.iter().enumerate().rev() {
            table[i][j] = if a == b { table[i + 1][j + 1] + 1 } else { table[i + 1][j].max(table[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut differences) = (0, 0, Vec::new());
    while i < theirs.len() || j < ours.len() {
        if i < theirs.len() && j < ours.len() && theirs[i] == ours[j] {
            (i, j) = (i + 1, j + 1);
        } else if j >= ours.len() || (i < theirs.len() && table[i + 1][j] >= table[i][j + 1]) {
            differences.push(format!("- {}", theirs[i]));
            i += 1;
        } else {
            differences.push(format!("+ {}", ours[j]));
            j += 1;
        }
    }
    differences.truncate(12);
    (table[0][0], theirs.len().max(ours.len()) as u32, differences)
}
