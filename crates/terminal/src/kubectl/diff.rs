//! `kubectl diff`: what `apply` would change, as `diff -u` shows it.
//!
//! Source: `kubectl/pkg/cmd/diff/diff.go`. Exit code 1: there are differences; 2: something failed.

use crate::kubectl::common;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::manifests::read_files;
use crate::kubectl::{Call, Outcome, Verb, apply, errors};
use api::decode::{FieldValidation, decode_for_apply};
use api::kind::Kind;
use values::value::Value;
use yaml;

pub const VERB: Verb = Verb {
    name: "diff",
    summary: "Show what apply would change",
    usage: "kubectl diff -f FILENAME",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("concurrency", Takes::Text, "How many objects at once").default("1"),
    common::FIELD_MANAGER,
    common::FILENAME,
    flag("force-conflicts", Takes::Nothing, "Take fields over from their owners").default("false"),
    common::KUSTOMIZE,
    flag("prune", Takes::Nothing, "Also objects that are no longer in the files; not simulated").default("false"),
    common::RECURSIVE,
    common::SELECTOR,
    flag("server-side", Takes::Nothing, "As apply --server-side").default("false"),
    common::MANAGED_FIELDS,
];

/// Lines of agreement around each difference.
const CONTEXT: usize = 3;
/// Longer texts are compared as wholes: the table of the comparison grows with the square.
const LINES_MAX: usize = 3000;

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let sources = match read_files(call) {
        Ok(sources) if sources.is_empty() => {
            call.misused("must specify one of -f and -k");
            return Outcome::Exit(2);
        }
        Ok(sources) => sources,
        Err(line) => {
            call.fail_line(&line);
            return Outcome::Exit(2);
        }
    };
    let namespace = call.namespace().to_owned();
    let mut exit = 0;
    for source in &sources {
        for document in &source.documents {
            let decoded = match decode_for_apply(document, FieldValidation::Ignore) {
                Ok(decoded) => decoded,
                Err(refusal) => {
                    call.fail_line(&refusal.kubectl(&source.source, "creating"));
                    return Outcome::Exit(2);
                }
            };
            let Some(kind) = Kind::find(&decoded.api_version, &decoded.kind) else { continue };
            let mut copy = call.desk.cluster.clone();
            let namespace = decoded.object.str_at("metadata.namespace").unwrap_or(&namespace).to_owned();
            let name = decoded.object.str_at("metadata.name").unwrap_or_default().to_owned();
            let live = copy.store().find(kind, &namespace, &name).map(|o| o.value().clone());
            if let Err((_, _, error)) = apply::apply_quietly(&mut copy, kind, document, decoded, &namespace) {
                let line = errors::render(&error, None);
                call.fail_line(&line);
                return Outcome::Exit(2);
            }
            let merged = copy.store().find(kind, &namespace, &name).map(|o| o.value().clone());
            let (live, merged) = (text_of(live), text_of(merged));
            if live != merged {
                let version = kind.info().api_version().replace('/', ".");
                let file = format!("{version}.{}.{namespace}.{name}", kind.name());
                let time = call.desk.cluster.now().format("%Y-%m-%d %H:%M:%S.000000000 +0000");
                call.io.out(&format!(
                    "diff -u -N /tmp/LIVE/{file} /tmp/MERGED/{file}\n--- /tmp/LIVE/{file}\t{time}\n+++ /tmp/MERGED/{file}\t{time}\n{}",
                    unified(&live, &merged)
                ));
                exit = 1;
            }
        }
        if let Some(error) = &source.error {
            call.fail_line(error);
            return Outcome::Exit(2);
        }
    }
    Outcome::Exit(exit)
}

fn text_of(object: Option<Value>) -> String {
    object
        .map(|mut object| {
            object.remove("metadata.resourceVersion");
            if let Some(annotations) = object.at_mut("metadata.annotations") {
                annotations.map_mut().remove(apply::LAST_APPLIED);
                if annotations.is_empty() {
                    object.remove("metadata.annotations");
                }
            }
            yaml::emit(&object)
        })
        .unwrap_or_default()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Old,
    New,
}

/// The hunks of `diff -u`.
fn unified(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let script = script(&old, &new);
    let mut text = String::new();
    let mut i = 0;
    while let Some(first) = (i..script.len()).find(|k| script[*k].0 != Side::Both) {
        let from = first.saturating_sub(CONTEXT).max(i);
        let mut to = first;
        // Differences that lie close together share a hunk.
        while let Some(next) =
            (to..script.len()).find(|k| script[*k].0 != Side::Both).filter(|k| *k <= to + 2 * CONTEXT)
        {
            to = next + 1;
        }
        let end = (to + CONTEXT).min(script.len());
        let count = |side: Side, range: &[(Side, &str)]| range.iter().filter(|(s, _)| *s != side).count();
        let (before, hunk) = (&script[..from], &script[from..end]);
        let span = |side: Side| {
            let (start, length) = (count(side, before), count(side, hunk));
            match length {
                0 => format!("{start},0"),
                1 => format!("{}", start + 1),
                _ => format!("{},{length}", start + 1),
            }
        };
        text.push_str(&format!("@@ -{} +{} @@\n", span(Side::New), span(Side::Old)));
        for (side, line) in hunk {
            let sign = match side {
                Side::Both => ' ',
                Side::Old => '-',
                Side::New => '+',
            };
            text.push_str(&format!("{sign}{line}\n"));
        }
        i = end;
    }
    text
}

/// All lines of both texts in order, by the longest common subsequence.
fn script<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(Side, &'t str)> {
    if old.len().max(new.len()) > LINES_MAX {
        let gone = old.iter().map(|line| (Side::Old, *line));
        return gone.chain(new.iter().map(|line| (Side::New, *line))).collect();
    }
    let width = new.len() + 1;
    let mut longest = vec![0_u16; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = match old[i] == new[j] {
                true => longest[(i + 1) * width + j + 1] + 1,
                false => longest[(i + 1) * width + j].max(longest[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j, mut script) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            script.push((Side::Both, old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1]) {
            script.push((Side::Old, old[i]));
            i += 1;
        } else {
            script.push((Side::New, new[j]));
            j += 1;
        }
    }
    script
}

#[cfg(test)]
mod tests {
    #[test]
    fn hunks_are_those_of_diff() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
        let new = "a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nk\n";
        let want = "@@ -1,5 +1,5 @@\n a\n-b\n+B\n c\n d\n e\n@@ -8,3 +8,4 @@\n h\n i\n j\n+k\n";
        assert_eq!(super::unified(old, new), want);
        assert_eq!(super::unified("", "x\n"), "@@ -0,0 +1 @@\n+x\n");
    }
}
