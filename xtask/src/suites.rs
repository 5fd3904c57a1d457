//! `cargo xtask test` and `e2e`: every suite in turn, also after a red one, and one count over all of them.
//!
//! xtask stands apart: together with the others its dependencies would be compiled a second time, with the features of
//! both. The page is a program that needs the feature `ui`, without which cargo passes it over in silence, so its unit
//! tests have a line of their own.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use crate::{editor, pack, page, proc, web};

/// What one suite came to. A check that is not made of tests counts as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub passed: u64,
    pub failed: u64,
}

impl Count {
    fn one(passed: bool) -> Self {
        Count { passed: u64::from(passed), failed: u64::from(!passed) }
    }

    /// The count of a test program: its own summary, but never green against its exit code or without any test.
    fn of_tests(heard: &proc::Heard) -> Self {
        let mut count = Count::default();
        for line in heard.stdout.lines() {
            count.passed += number_in(line, PASSED).unwrap_or(0);
            count.failed += number_in(line, FAILED).unwrap_or(0);
        }
        if count.failed == 0 && (!heard.success || count.passed == 0) {
            count.failed = 1;
        }
        count
    }
}

/// What stands before and after the number: `cargo test`'s summary line, and that of `node --test`.
const PASSED: &[(&str, &str)] =
    &[("test result: ok. ", " passed"), ("test result: FAILED. ", " passed"), ("# pass ", "")];
const FAILED: &[(&str, &str)] = &[(" passed; ", " failed"), ("# fail ", ""), ("# cancelled ", "")];

fn number_in(line: &str, shapes: &[(&str, &str)]) -> Option<u64> {
    let summary = line.starts_with("test result: ") || line.starts_with("# ");
    shapes.iter().filter(|_| summary).find_map(|(before, after)| {
        let rest = &line[line.find(before)? + before.len()..];
        let digits = rest.len() - rest.trim_start_matches(|character: char| character.is_ascii_digit()).len();
        rest[digits..].starts_with(after).then(|| rest[..digits].parse().ok())?
    })
}

/// The suites that ran, with their times.
#[derive(Default)]
pub struct Tally {
    suites: Vec<(&'static str, Count, f64)>,
}

impl Tally {
    /// Runs one suite. A suite that cannot be run at all is a failed one.
    pub fn add(&mut self, name: &'static str, suite: impl FnOnce() -> Result<Count>) {
        println!("\n== {name}");
        let started = Instant::now();
        let count = suite().unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Count::one(false)
        });
        self.suites.push((name, count, started.elapsed().as_secs_f64()));
    }

    fn total(&self) -> Count {
        let sum = |of: fn(&Count) -> u64| self.suites.iter().map(|(_, count, _)| of(count)).sum();
        Count { passed: sum(|count| count.passed), failed: sum(|count| count.failed) }
    }

    /// The table of suites, and as its last line `N passed, N failed`.
    fn summary(&self) -> String {
        let mut text = String::from("\n");
        for (name, count, seconds) in &self.suites {
            writeln!(text, "{name:28} {:5} passed {:4} failed {seconds:7.1} s", count.passed, count.failed)
                .expect("writing to a String cannot fail");
        }
        let total = self.total();
        text + &format!("{} passed, {} failed", total.passed, total.failed)
    }

    /// Prints the summary; true if nothing failed.
    pub fn finish(&self) -> bool {
        println!("{}", self.summary());
        self.total().failed == 0
    }
}

/// The feature with which the page is compiled.
const PAGE: &str = "batchyard/ui";

/// Runs everything; true when all of it passed.
pub fn test() -> Result<bool> {
    let mut tally = Tally::default();
    tally.add("formatting", || check(&["fmt", "--all", "--check"]));
    tally.add("lints", || lint(&["--workspace", "--exclude", "xtask", "--all-targets"]));
    tally.add("lints of xtask", || lint(&["-p", "xtask", "--all-targets"]));
    // With the page's feature, so that what both need is compiled once.
    tally.add("tests", || tests(&["--workspace", "--exclude", "xtask", "--features", PAGE]));
    tally.add("tests of xtask", || tests(&["-p", "xtask"]));
    tally.add("editor bundle", || editor::check().map(|()| Count::one(true)));
    page_suites(&mut tally, &[]);
    // After the page's build, which adds the target when it is missing.
    tally
        .add("lints of the page", || lint(&["--bin", "app", "--features", "ui", "--target", "wasm32-unknown-unknown"]));
    Ok(tally.finish())
}

/// Runs the browser tests alone; `arguments` go to `node --test`.
pub fn e2e(arguments: &[String]) -> Result<bool> {
    let mut tally = Tally::default();
    page_suites(&mut tally, arguments);
    Ok(tally.finish())
}

/// Plays all recordings and writes what came of it, or compares it with what is checked in; true if it is right then.
pub fn fidelity(write: bool) -> Result<bool> {
    let mut command = proc::cargo();
    command.args(["test", "--quiet", "-p", "batchyard", "--test", "it", "scenarios::the_page_of_scores"]);
    if write {
        command.env("FIDELITY", "write");
    }
    Ok(Count::of_tests(&proc::run_and_read(&mut command)?).failed == 0)
}

/// Builds `dist/` as it is published, weighs it, and opens it in a browser.
fn page_suites(tally: &mut Tally, arguments: &[String]) {
    let mut built = false;
    tally.add("page build and its weight", || {
        let sizes = page::build(page::Profile::Small, &page::dist())?.sizes;
        built = true;
        println!("{}", pack::table(&sizes));
        Ok(weigh(&sizes))
    });
    // Without a fresh page the browser would test an old one.
    tally.add("browser tests", || {
        if !built {
            anyhow::bail!("not run: the page was not built");
        }
        // The native program, for the test that native and wasm tell the same story.
        let native = proc::build_bin("batchyard", &["--features", PAGE])?;
        browser(&native, arguments)
    });
}

fn browser(native: &Path, arguments: &[String]) -> Result<Count> {
    let heard = proc::run_and_read(web::tests()?.env("BATCHYARD_BIN", native).args(arguments))?;
    Ok(Count::of_tests(&heard))
}

fn weigh(sizes: &[pack::Size]) -> Count {
    let (first, all) = pack::wasm(sizes);
    let (first_max, all_max) = (pack::WASM_BROTLI_BYTES_MAX, pack::ALL_WASM_BROTLI_BYTES_MAX);
    let goal = pack::WASM_BROTLI_BYTES_GOAL;
    println!(
        "wasm with brotli: the page opens with {first} of {first_max} bytes (the goal is {goal}); all parts have {all} of {all_max}"
    );
    // No wasm at all would be no page.
    Count::one((1..=first_max).contains(&first) && all <= all_max)
}

/// Runs cargo; that it succeeds counts as one.
pub fn check(arguments: &[&str]) -> Result<Count> {
    proc::run(proc::cargo().args(arguments)).map(|()| Count::one(true))
}

fn lint(which: &[&str]) -> Result<Count> {
    check(&[&["clippy", "--quiet"], which, &["--", "-D", "warnings"]].concat())
}

/// Runs the tests of some packages and counts them.
pub fn tests(which: &[&str]) -> Result<Count> {
    let heard = proc::run_and_read(proc::cargo().args(["test", "--no-fail-fast"]).args(which))?;
    Ok(Count::of_tests(&heard))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proc::Heard;

    fn count(success: bool, stdout: &str) -> (u64, u64) {
        let Count { passed, failed } = Count::of_tests(&Heard { success, stdout: stdout.into() });
        (passed, failed)
    }

    #[test]
    fn counts_what_cargo_and_node_say() {
        let ok = "test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.10s\n";
        let red = "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s\n";
        assert_eq!(count(true, &ok.repeat(2)), (24, 0));
        assert_eq!(count(false, &(ok.to_owned() + red)), (16, 2));
        assert_eq!(count(true, "# tests 3\n# pass 3\n# fail 0\n# cancelled 0\n# skipped 0\n"), (3, 0));
        assert_eq!(count(false, "# pass 3\n# fail 1\n# cancelled 1\n"), (3, 2));
    }

    #[test]
    fn never_green_without_tests_or_against_the_exit_code() {
        assert_eq!(count(true, "running 0 tests\n"), (0, 1));
        assert_eq!(count(false, "error: could not compile\n"), (0, 1));
        assert_eq!(count(false, "# pass 3\n# fail 0\n"), (3, 1));
        assert_eq!(count(true, "a test may print: 7 passed; 7 failed\n# pass 1\n"), (1, 0));
    }

    #[test]
    fn the_last_line_is_the_sum() {
        let mut tally = Tally::default();
        tally.add("one", || Ok(Count { passed: 5, failed: 0 }));
        tally.add("two", || anyhow::bail!("cannot be run"));
        assert_eq!(tally.summary().lines().last(), Some("5 passed, 1 failed"));
    }
}
