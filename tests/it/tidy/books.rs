//! The books of the house: what comments and guides point to is there.
//!
//! Rule: the code cites the semantics by file and section (`docs/semantics/job.md` §6), the guides name files and
//! functions; a text that sends its reader to a place that has gone is worse than none.

use std::collections::{BTreeMap, BTreeSet};

use super::{files, none, read, root, rust_files};

/// Where the rules stand that the code follows.
const SEMANTICS: &str = "docs/semantics/";

/// The guides whose names of files and functions are held against the code.
const GUIDES: &[&str] = &["ARCHITECTURE.md", "CONTRIBUTING.md"];

/// The comments of a text, one string for each run of comment lines, and the line (from 1) on which each begins.
fn comments(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (index, line) in text.lines().enumerate() {
        let Some(said) = line.trim_start().strip_prefix("//") else {
            goes_on = false;
            continue;
        };
        let said = said.trim_start_matches(['/', '!']).trim();
        match found.last_mut().filter(|_| goes_on && !said.is_empty()) {
            Some((_, comment)) => *comment += &format!(" {said}"),
            None => found.push((index + 1, said.to_owned())),
        }
        goes_on = !said.is_empty();
    }
    found
}

/// The texts in backticks, each with what stands between it and the next one, and never beyond a sentence.
fn quoted(text: &str) -> Vec<(&str, &str)> {
    let pieces: Vec<&str> = text.split('`').collect();
    let behind = |piece: &'_ str| piece.find(". ").unwrap_or(piece.len());
    (1..pieces.len())
        .step_by(2)
        .map(|at| (pieces[at], pieces.get(at + 1).map_or("", |rest| &rest[..behind(rest)])))
        .collect()
}

/// The numbers behind `§`.
fn sections(text: &str) -> Vec<u32> {
    let number = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    text.split('§').skip(1).filter_map(number).collect()
}

/// The numbered headings of a text: `## 6. Re-creation back-off`.
fn headings(text: &str) -> BTreeSet<u32> {
    text.lines().filter_map(|line| line.strip_prefix("## ")?.split_once(". ")?.0.parse().ok()).collect()
}

/// What is wrong with the citations of one comment.
fn wrong_citations(comment: &str, books: &BTreeMap<String, BTreeSet<u32>>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (cited, behind) in quoted(comment) {
        let is_book = cited.ends_with(".md") && !cited.contains(' ');
        match books.get(cited) {
            _ if !is_book => {}
            None => wrong.push(format!("`{cited}` is not there")),
            Some(headings) => {
                let missing = sections(behind).into_iter().filter(|section| !headings.contains(section));
                wrong.extend(missing.map(|section| format!("`{cited}` has no §{section}")));
            }
        }
    }
    wrong
}

fn books() -> BTreeMap<String, BTreeSet<u32>> {
    let texts = files().into_iter().filter(|file| file.ends_with(".md"));
    texts.map(|file| (file.clone(), headings(&read(&file)))).collect()
}

#[test]
fn what_comments_cite_is_there() {
    let (books, mut findings, mut cited) = (books(), Vec::new(), 0);
    for file in rust_files() {
        for (line, comment) in comments(&read(&file)) {
            cited += comment.matches(SEMANTICS).count();
            findings.extend(wrong_citations(&comment, &books).into_iter().map(|why| format!("{file}:{line}: {why}")));
        }
    }
    none("cited, but not there", findings);
    assert!(cited > 80, "the citations are no longer found: {cited}");
}

/// Files that a guide names: `crates/run/src/lib.rs`, or with a function, `crates/run/src/lib.rs:handle`.
fn named_places(guide: &str) -> Vec<(&str, Option<&str>)> {
    let is_file = |path: &str| {
        path.contains('/')
            && path.rsplit('/').next().is_some_and(|name| name.contains('.'))
            && !path.contains(['*', ' '])
    };
    let places = quoted(guide).into_iter().map(|(text, _)| match text.split_once(':') {
        Some((file, function)) if file.ends_with(".rs") => (file, Some(function)),
        _ => (text, None),
    });
    places.filter(|(file, _)| is_file(file)).collect()
}

/// Whether a file declares a function of this name (`fn name`).
fn declares(text: &str, function: &str) -> bool {
    text.match_indices(&format!("fn {function}"))
        .any(|(at, found)| !text[at + found.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_'))
}

#[test]
fn what_the_guides_name_is_there() {
    let mut findings = Vec::new();
    for guide in GUIDES {
        for (file, function) in named_places(&read(guide)) {
            if !root().join(file).exists() {
                findings.push(format!("{guide}: {file} is not there"));
            } else if let Some(function) = function.filter(|function| !declares(&read(file), function)) {
                findings.push(format!("{guide}: {file} has no function {function}"));
            }
        }
    }
    none("named in a guide, but not there", findings);
}

#[test]
fn the_locks_on_books_close() {
    assert_eq!(
        comments("//! One\n//! two.\n//!\n//! Three\nfn f() {}\n    /// four `x\n    /// y`\n"),
        [(1, "One two.".to_owned()), (3, String::new()), (4, "Three".to_owned()), (6, "four `x y`".to_owned())]
    );
    let books = BTreeMap::from([("docs/semantics/job.md".to_owned(), headings("# 9. Job\n## 1. One\n\n## 22. Two\n"))]);
    let wrong = |comment: &str| wrong_citations(comment, &books);
    assert_eq!(wrong("Rules: `docs/semantics/job.md` §1, §22. Source: `b.go` §7, `x y.md`"), [] as [&str; 0]);
    assert_eq!(
        wrong("`docs/semantics/job.md` §1 to §3, `page.md`"),
        ["`docs/semantics/job.md` has no §3", "`page.md` is not there"]
    );
    let guide = "see `a/b.rs`, `a/b.rs:go`, `Type::method`, `a/{b,c}/*.rs` and `a/b`";
    assert_eq!(named_places(guide), [("a/b.rs", None), ("a/b.rs", Some("go"))]);
    assert!(declares("pub fn go<T>() {}", "go") && !declares("fn gone() {}", "go"));
}
