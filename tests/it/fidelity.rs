//! `docs/fidelity.md` and `static/fidelity.html`: how near the simulation comes to each recording, and what it leaves out.
//!
//! Rule: both are written by `cargo xtask fidelity` (which sets `FIDELITY=write`) and compared here, letter by letter, in
//! every other run. They hold nothing that differs from run to run.

use std::fmt::Write as _;
use std::path::Path;

use batchyard::api::gaps::{GAPS, Within};
use recordings::Category;

use crate::scenarios::{Compared, mean};

/// Differences shown of each part, and letters of each.
const SHOWN_MAX: usize = 3;
const LETTERS_MAX: usize = 180;

/// A page before it is Markdown or HTML.
enum Block {
    /// Level and text.
    Heading(usize, String),
    /// Text in which `` `x` `` is code.
    Text(String),
    /// Head and rows.
    Table(Vec<&'static str>, Vec<Vec<String>>),
    /// Each line as it is.
    Lines(Vec<String>),
}

/// Compares the checked-in pages with what they should be, or writes them.
///
/// # Panics
/// If they differ.
pub fn check(all: &[Compared]) {
    let page = page(all);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let write = std::env::var("FIDELITY").is_ok_and(|value| value == "write");
    for (path, text) in [("docs/fidelity.md", markdown(&page)), ("static/fidelity.html", html(&page))] {
        if write {
            std::fs::write(root.join(path), &text).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
        let found = std::fs::read_to_string(root.join(path)).unwrap_or_default();
        assert!(found == text, "{path} is not what the recordings give now; `cargo xtask fidelity` writes it anew");
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

fn page(all: &[Compared]) -> Vec<Block> {
    let text = |text: &str| Block::Text(text.to_owned());
    let mut page = vec![
        Block::Heading(1, "How true Batchyard is".to_owned()),
        text(
            "Each row is a recording of a real Kubernetes 1.36.3 cluster and a simulated run of the same scenario. Compared is \
             what a user can see: which objects came to be and when, how each Pod's STATUS moved, conditions, events, exit codes \
             and what `kubectl` printed; random suffixes, uids, addresses and exact milliseconds are not. Each part counts what \
             matched of what there was, and a score is the mean of its parts.",
        ),
        text(
            "A second run of the real cluster scores 99 % against the first (95 % of the output), since its delays are random \
             too. The recordings are never written by the simulator. `cargo xtask fidelity` writes this page; a test compares it.",
        ),
    ];
    let row = |name: String, title: String, scores: [Option<f64>; 3]| {
        [vec![name, title], scores.map(percent).to_vec()].concat()
    };
    let mut rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| row(one.name.clone(), one.title.clone(), [one.bare(), one.printed(), Some(one.whole())]))
        .collect();
    let means = [mean(Compared::bare, all), mean(Compared::printed, all), mean(|one| Some(one.whole()), all)];
    rows.push(row("mean".to_owned(), String::new(), means.map(Some)));
    page.push(Block::Table(vec!["recording", "about", "objects and events", "output", "all"], rows));
    page.push(Block::Heading(2, "What differs".to_owned()));
    page.push(Block::Text(format!(
        "Of each part at most {SHOWN_MAX} differences are shown, shortened. Recordings that are not listed match in all parts."
    )));
    for one in all {
        differences(one, &mut page);
    }
    page.push(Block::Heading(2, "What is not simulated".to_owned()));
    page.push(text(
        "The API accepts these; they have no effect, for the reason given. `batchyard lint` and the page say so too.",
    ));
    let gaps = GAPS.iter().map(|gap| vec![place(gap.within, gap.field), gap.says.to_owned(), gap.reason.to_owned()]);
    page.push(Block::Table(vec!["field", "what happens", "why"], gaps.collect()));
    page
}

fn differences(one: &Compared, page: &mut Vec<Block>) {
    let parts: Vec<&Category> =
        one.objects.iter().chain([&one.output]).filter(|part| part.total > 0 && part.good < part.total).collect();
    if parts.is_empty() {
        return;
    }
    page.push(Block::Heading(3, one.name.clone()));
    if let Some(reason) = &one.gap {
        page.push(Block::Text(format!("Known gap: {reason}.")));
    }
    for part in parts {
        page.push(Block::Text(format!("{}: {} of {} match.", part.name, part.good, part.total)));
        let shown: Vec<String> = part.differences.iter().take(SHOWN_MAX).map(|line| shortened(line)).collect();
        if !shown.is_empty() {
            page.push(Block::Lines(shown));
        }
    }
}

fn shortened(line: &str) -> String {
    if line.chars().count() <= LETTERS_MAX {
        return line.to_owned();
    }
    line.chars().take(LETTERS_MAX).chain(['…']).collect()
}

fn place(within: Within, field: &str) -> String {
    match within {
        Within::PodSpec => format!("Pod: `spec.{field}`"),
        Within::Container => format!("container: `{field}`"),
        Within::Volume => format!("volume: `{field}`"),
        Within::Spec(kind) => format!("{}: `spec.{field}`", kind.name()),
        Within::Cluster => "cluster".to_owned(),
    }
}

fn markdown(page: &[Block]) -> String {
    let mut out = String::new();
    for block in page {
        let _ = match block {
            Block::Heading(level, text) => writeln!(out, "{} {text}\n", "#".repeat(*level)),
            Block::Text(text) => writeln!(out, "{text}\n"),
            Block::Lines(lines) => writeln!(out, "```text\n{}\n```\n", lines.join("\n")),
            Block::Table(head, rows) => {
                let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
                let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
                let rule = format!("|{}\n", "---|".repeat(head.len()));
                let rows: String = rows
                    .iter()
                    .map(|row| line(&row.iter().map(|c| c.replace('|', "\\|")).collect::<Vec<_>>()))
                    .collect();
                writeln!(out, "{}{rule}{rows}", line(&head))
            }
        };
    }
    out.trim_end().to_owned() + "\n"
}

fn html(page: &[Block]) -> String {
    let mut out = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>How true Batchyard is</title>\n<style>\nbody { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; \
         margin: 2rem auto; padding: 0 1rem; }\ntable { border-collapse: collapse; }\n\
         td, th { border: 1px solid #8886; padding: .2rem .5rem; text-align: start; }\npre { overflow-x: auto; }\n</style>\n\
         <main>\n<p><a href=\"./\">Batchyard</a></p>\n",
    );
    for block in page {
        let _ = match block {
            Block::Heading(level, text) => writeln!(out, "<h{level}>{}</h{level}>", inline(text)),
            Block::Text(text) => writeln!(out, "<p>{}</p>", inline(text)),
            Block::Lines(lines) => writeln!(out, "<pre tabindex=\"0\">{}</pre>", escaped(&lines.join("\n"))),
            Block::Table(head, rows) => {
                let head: String = head.iter().map(|cell| format!("<th scope=\"col\">{cell}</th>")).collect();
                let row = |row: &Vec<String>| -> String {
                    row.iter().map(|cell| format!("<td>{}</td>", inline(cell))).collect()
                };
                let rows: String = rows.iter().map(|cells| format!("<tr>{}</tr>\n", row(cells))).collect();
                writeln!(out, "<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>")
            }
        };
    }
    out + "</main>\n</html>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Escaped, with what stands between backquotes as code.
fn inline(text: &str) -> String {
    let pieces = escaped(text);
    let pieces = pieces.split('`').enumerate();
    pieces.map(|(i, piece)| if i % 2 == 1 { format!("<code>{piece}</code>") } else { piece.to_owned() }).collect()
}
