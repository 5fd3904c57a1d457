//! The locks of the house (`ARCHITECTURE.md`, "Never"): what may stand where is data here, and every file is held against it.
//!
//! The engine (`crates/`) stays pure (no browser, clock, file, thread, unordered map), layers point down only, every Rust file says
//! what it is, files stay short, nothing names the machine it was written on, and the page keeps to its own policy.
//! To change a rule, change its table.

mod books;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The modules of `crates/cluster` from the cellar up: each may name only those above it in this list, and itself. Between
/// crates the compiler holds the layers.
const CLUSTER: &str = "crates/cluster/src/";
const CLUSTER_LAYERS: &[&str] = &["program", "store", "actor", "net", "sched", "control", "node", "cluster"];

/// What the engine may not name outside of tests, and why.
const FORBIDDEN: &[(&str, &str)] = &[
    ("yew", "the engine knows no browser"),
    ("gloo", "the engine knows no browser"),
    ("web_sys", "the engine knows no browser"),
    ("js_sys", "the engine knows no browser"),
    ("wasm_bindgen", "the engine knows no browser"),
    ("std::time", "time is values::time, and virtual"),
    ("Instant", "time is values::time, and virtual"),
    ("SystemTime", "time is values::time, and virtual"),
    ("std::fs", "a file is read by the door that was given its name"),
    ("std::io", "input and output belong to the doors"),
    ("std::env", "the engine has no environment but the scenario"),
    ("std::process", "the engine starts nothing"),
    ("std::net", "the network is simulated"),
    ("std::thread", "one thread, so that a run is the same everywhere"),
    ("HashMap", "unordered: use BTreeMap"),
    ("HashSet", "unordered: use BTreeSet"),
    ("RandomState", "seeded by the machine"),
    ("RefCell", "state is plain data that can be cloned"),
    ("thread_local", "no global state"),
    ("println", "the engine returns text, the doors print it"),
    ("eprintln", "the engine returns text, the doors print it"),
    ("dbg", "left over from looking for a fault"),
];

/// A file may have this many lines, its tests not counted.
const LONGEST: usize = 600;

/// Files that are longer for a reason. An entry that is no longer needed fails the test.
const LONGER: &[(&str, &str)] = &[];

/// Crates that only a page needs, or that only a page may need.
const BROWSER_CRATES: &[&str] = &["yew", "gloo", "wasm-bindgen", "web-sys", "js-sys"];

/// What no checked-in text may hold: folders of the machine it was written on, and hosts of package registries.
/// Written in two halves, so that this file keeps its own rule.
const PRIVATE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/tm", "p/bash_"),
    concat!("registry.npm", "js.org"),
    concat!("registry.yarn", "pkg.com"),
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("files.python", "hosted.org"),
];

/// Folders whose texts come from elsewhere as they are (recordings, tutorials) and may name any path.
const AS_RECORDED: &[&str] = &["tests/scenarios/", "tests/cases/", "tests/sessions/", "seeds/"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files that are, or would be, checked in, as `/`-separated paths.
fn files() -> Vec<String> {
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is needed to list the files");
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let list = String::from_utf8(output.stdout).expect("our file names are UTF-8");
    let files: Vec<String> = list.lines().map(str::to_owned).filter(|file| root().join(file).is_file()).collect();
    assert!(files.iter().any(|file| file == "Cargo.toml"), "this is not the list of our files: {files:?}");
    files
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn rust_files() -> impl Iterator<Item = String> {
    files().into_iter().filter(|file| file.ends_with(".rs"))
}

/// The files of the engine, without those that hold only tests.
fn engine_files() -> impl Iterator<Item = String> {
    rust_files().filter(|file| file.starts_with("crates/") && !is_test(file))
}

fn is_test(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

/// The text up to the module of unit tests, which closes a file.
fn without_tests(text: &str) -> &str {
    match text.find("#[cfg(test)]\nmod ") {
        Some(at) => &text[..at],
        None => text,
    }
}

/// The program text of a file: no unit tests, and no comments. Lines keep their numbers.
fn code(file: &str) -> String {
    let text = read(file);
    let lines = without_tests(&text).lines().map(|line| match line.find("//") {
        // An address in a string is not a comment.
        Some(at) if !line[..at].ends_with(':') => &line[..at],
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The lines (from 1) on which `word` stands by itself.
fn lines_with(code: &str, word: &str) -> Vec<usize> {
    let part_of_a_word = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let stands_in = |line: &str| {
        line.match_indices(word).any(|(at, _)| {
            !part_of_a_word(line[..at].chars().next_back()) && !part_of_a_word(line[at + word.len()..].chars().next())
        })
    };
    code.lines().enumerate().filter(|(_, line)| stands_in(line)).map(|(index, _)| index + 1).collect()
}

/// The first names after `crate::` in a text, with those of `crate::{a, b::c}`, and the line of each.
fn crate_names(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, matched) in code.match_indices("crate::") {
        // `$crate::` of a macro counts; `my_crate::` does not.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = code[..at].lines().count().max(1);
        let rest = &code[at + matched.len()..];
        for name in if rest.starts_with('{') { top_names(rest) } else { vec![leading_name(rest)] } {
            found.push((line, name));
        }
    }
    found
}

fn leading_name(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The leading names of a braced list: `{a, b::{c, d}}` gives `a` and `b`.
fn top_names(braced: &str) -> Vec<String> {
    let (mut depth, mut names) = (0, Vec::new());
    for (at, character) in braced.char_indices() {
        let opens = character == '{';
        depth += i32::from(opens) - i32::from(character == '}');
        if depth == 0 {
            break;
        }
        if depth == 1 && (opens || character == ',') {
            names.push(leading_name(&braced[at + 1..]));
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Fails with all findings at once.
#[track_caller]
fn none(what: &str, findings: Vec<String>) {
    assert!(findings.is_empty(), "{what}:\n  {}", findings.join("\n  "));
}

#[test]
fn the_engine_names_nothing_impure() {
    let mut findings = Vec::new();
    for file in engine_files() {
        let code = code(&file);
        for (word, why) in FORBIDDEN {
            findings.extend(lines_with(&code, word).iter().map(|line| format!("{file}:{line}: {word}: {why}")));
        }
    }
    none("not in the engine", findings);
}

#[test]
fn layers_of_the_cluster_point_down_only() {
    let height: BTreeMap<&str, usize> = CLUSTER_LAYERS.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let mut findings = Vec::new();
    for file in engine_files().filter(|file| file.starts_with(CLUSTER) && !file.ends_with("/src/lib.rs")) {
        let own = file[CLUSTER.len()..].split(['/', '.']).next().expect("a split has a first part").to_owned();
        let Some(own_height) = height.get(own.as_str()) else {
            findings.push(format!("{file}: `{own}` is not in CLUSTER_LAYERS: say where it belongs"));
            continue;
        };
        for (line, name) in crate_names(&code(&file)) {
            // What is not a module is exported by lib.rs itself, as a short name for something inside.
            if name.starts_with(char::is_uppercase) {
                findings.push(format!("{file}:{line}: crate::{name}: name the module it lives in"));
            } else if height.get(name.as_str()).is_some_and(|other| other > own_height) {
                findings.push(format!("{file}:{line}: {own} may not know {name}, which stands above it"));
            }
        }
    }
    none("layers point down only", findings);
}

#[test]
fn the_cluster_lists_its_modules_in_layer_order() {
    let code = code("crates/cluster/src/lib.rs");
    let module = |line: &str| {
        let line = line.trim();
        line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    };
    let named: Vec<String> = code.lines().filter_map(module).collect();
    assert_eq!(named, CLUSTER_LAYERS, "the codemap in lib.rs follows CLUSTER_LAYERS");
}

#[test]
fn every_rust_file_says_what_it_is() {
    let silent = rust_files().filter(|file| !read(file).starts_with("//! "));
    none("the first line is not `//! …`", silent.collect());
}

#[test]
fn files_can_be_held_in_the_head() {
    let mut excused: BTreeSet<&str> = LONGER.iter().map(|(file, _)| *file).collect();
    let mut findings = Vec::new();
    for file in rust_files().filter(|file| !is_test(file)) {
        let lines = without_tests(&read(&file)).lines().count();
        if lines > LONGEST && !excused.remove(file.as_str()) {
            findings.push(format!("{file}: {lines} lines without tests, over {LONGEST}: split it by subject"));
        }
    }
    findings.extend(excused.iter().map(|file| format!("{file}: no longer too long, or gone: take it off LONGER")));
    none("too long", findings);
}

#[test]
fn nothing_names_a_machine_or_a_registry() {
    let mut findings = Vec::new();
    for file in files().iter().filter(|file| !AS_RECORDED.iter().any(|folder| file.starts_with(folder))) {
        // Pictures and archives are no text.
        let Ok(text) = fs::read_to_string(root().join(file)) else { continue };
        for private in PRIVATE {
            findings.extend(text.match_indices(private).map(|(at, _)| {
                let line = text[..at].lines().count().max(1);
                format!("{file}:{line}: {private}")
            }));
        }
    }
    none("not for a checked-in file", findings);
}

#[test]
fn without_features_there_is_no_browser_crate() {
    let tree = |features: &[&str]| {
        let output = Command::new(env!("CARGO"))
            .args(["tree", "--locked", "--edges", "normal", "--package", "batchyard", "--prefix", "none"])
            .args(features)
            .current_dir(root())
            .output()
            .expect("cargo runs this test, so it can be started");
        assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("crate names are ASCII");
        let names: BTreeSet<String> =
            text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
        BROWSER_CRATES.iter().filter(|browser| names.contains(**browser)).count()
    };
    assert_eq!(tree(&[]), 0, "a browser crate is in the engine's dependencies");
    assert_eq!(tree(&["--features", "ui"]), BROWSER_CRATES.len(), "the names looked for are those the page uses");
}

#[test]
fn both_halves_of_wasm_bindgen_have_one_version() {
    let version = |file: &str, name: &str| {
        let text = read(file);
        let line = text.lines().find(|line| line.split([' ', '=']).next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("{file} does not name {name}"));
        line.split('"')
            .find_map(|part| part.strip_prefix('='))
            .unwrap_or_else(|| panic!("not exact: {line}"))
            .to_owned()
    };
    assert_eq!(version("Cargo.toml", "wasm-bindgen"), version("xtask/Cargo.toml", "wasm-bindgen-cli-support"));
}

/// The page's Content-Security-Policy blocks inline scripts and styles: they would fail only in the browser.
#[test]
fn the_page_has_nothing_inline_and_nothing_absolute() {
    let html = read("index.html");
    for inline in ["<style", " style=", " onclick=", " onload=", "javascript:", "=\"/", "://"] {
        assert!(!html.contains(inline), "index.html contains `{inline}`");
    }
    assert!(!html.replace("<script type=\"module\" src=\"", "").contains("<script"), "index.html has an inline script");
    let mut findings = Vec::new();
    for file in rust_files().filter(|file| file.starts_with("src/app/")) {
        let code = code(&file);
        for attribute in ["style=", "inner_html_unchecked", "from_html_unchecked"] {
            let lines = code.lines().enumerate().filter(|(_, line)| line.contains(attribute));
            findings.extend(lines.map(|(index, _)| format!("{file}:{}: {attribute}", index + 1)));
        }
    }
    none(
        "the page's policy blocks style attributes (set a class, or a property by CSSOM), and text is never HTML",
        findings,
    );
}

/// The one file of the page that looks for elements.
const LOOKS_FOR_ELEMENTS: &str = "src/app/browser.rs";

/// A function of the page may have this many lines.
const LONGEST_FUNCTION: usize = 80;

#[test]
fn the_page_finds_its_elements_in_one_place() {
    let mut findings = Vec::new();
    for file in rust_files().filter(|file| file.starts_with("src/app/") && file != LOOKS_FOR_ELEMENTS) {
        let code = code(&file);
        for word in ["query_selector", "query_selector_all", "get_element_by_id", "get_elements_by_class_name"] {
            findings.extend(lines_with(&code, word).iter().map(|line| format!("{file}:{line}: {word}")));
        }
    }
    none("a session may stand twice on a page: hand a reference down", findings);
}

#[test]
fn functions_of_the_page_fit_a_screen() {
    let mut findings = Vec::new();
    for file in rust_files().filter(|file| file.starts_with("src/app/")) {
        let long = functions(&code(&file)).into_iter().filter(|(_, lines)| *lines > LONGEST_FUNCTION);
        findings.extend(long.map(|(line, lines)| format!("{file}:{line}: {lines} lines")));
    }
    none("too long", findings);
}

/// The functions of a formatted text: the line each begins on, and how many it has.
fn functions(code: &str) -> Vec<(usize, usize)> {
    let (mut found, mut open): (Vec<(usize, usize)>, Vec<(usize, usize)>) = (Vec::new(), Vec::new());
    for (index, line) in code.lines().enumerate() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        let begins = ["fn ", "pub fn ", "pub(super) fn ", "pub(crate) fn ", "async fn ", "pub async fn "];
        if begins.iter().any(|begin| text.starts_with(begin)) && !text.ends_with(';') && !text.ends_with('}') {
            open.push((indent, index));
        } else if text == "}"
            && let Some((_, start)) = open.pop_if(|(outer, _)| *outer == indent)
        {
            found.push((start + 1, index - start + 1));
        }
    }
    found
}

/// The readers above, on texts made for them: a lock that cannot close is none.
#[test]
fn the_locks_close() {
    assert_eq!(lines_with("use std::time::Span;\nlet x = HashMapper::new();\nHashMap::new()", "HashMap"), [3]);
    assert_eq!(lines_with("use std::time::Instant;", "std::time"), [1]);
    assert_eq!(lines_with("base::std::timed()", "std::time"), [] as [usize; 0]);
    let names = |code| crate_names(code).into_iter().map(|(line, name)| format!("{line} {name}")).collect::<Vec<_>>();
    assert_eq!(
        names("use crate::base::time;\nuse crate::{api::Job, store::{Store, Watch},\n  net};"),
        ["1 base", "2 api", "2 store", "2 net"]
    );
    assert_eq!(names("pub(crate) fn f() { other_crate::g(); $crate::yaml::parse() }"), ["1 yaml"]);
    assert_eq!(
        functions("fn a() {\n    b();\n}\nimpl C {\n    pub fn d(\n    ) {\n        if e {\n        }\n    }\n}\n"),
        [(1, 3), (5, 5)]
    );
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {\n}"), "a\n");
}
