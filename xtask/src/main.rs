//! `cargo xtask`: the only build tool of Batchyard, so that a fresh machine needs rustup alone.
//!
//! Each command is one module; this file only reads the command line. Nothing here knows Kubernetes.

#![forbid(unsafe_code)]
// A build tool reads the clock and starts threads; the engine's rules in clippy.toml are not for it.
#![allow(clippy::disallowed_types)]

mod bench;
mod editor;
mod pack;
mod page;
mod proc;
mod quick;
mod serve;
mod split;
mod suites;
mod watch;
mod web;
#[path = "../../crates/values/src/zone/pack.rs"]
mod zones;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask COMMAND

  serve [--port N] [--no-watch] [--release]
             build the page and serve it on 127.0.0.1:8080; rebuild and reload when a file changes
  build      write the static folder dist/, ready for any web server and any sub-path
  quick      formatting, check and tests of what changed since the last commit and of what is built on it
  test       formatting, lints, native tests, page build, browser tests; the last line counts them all
  e2e [ARG…] only the browser tests (builds the page first); ARG is handed to `node --test`
  bench [NAME…]
             the table of sizes and speeds, or only the rows named
  fidelity [--check]
             write docs/fidelity.md and static/fidelity.html from the recordings, or compare them
  editor [--check]
             rebuild static/editor.js from editor/ (needs Node), or compare it with what is checked in

Environment: CHROMIUM names the browser for the tests; without it the usual names are looked for, then one is installed.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs one command line. `Err` means the tool could not do its work; a red test run is `Ok` with exit code 1.
fn run(arguments: &[String]) -> Result<ExitCode> {
    let (command, rest) = match arguments.split_first() {
        None => ("--help", [].as_slice()),
        Some((command, rest)) => (command.as_str(), rest),
    };
    match command {
        "serve" => serve::serve(&serve::Options::parse(rest)?)?,
        "build" => {
            no_more(command, rest)?;
            let built = page::build(page::Profile::Small, &page::dist())?;
            println!("{}", pack::table(&built.sizes));
            println!("dist/ is ready");
        }
        "test" => {
            no_more(command, rest)?;
            return Ok(code_of(suites::test()?));
        }
        "quick" => {
            no_more(command, rest)?;
            return Ok(code_of(quick::quick()?));
        }
        "e2e" => return Ok(code_of(suites::e2e(rest)?)),
        "bench" => bench::bench(rest)?,
        "fidelity" => {
            let write = match rest {
                [] => true,
                [flag] if flag == "--check" => false,
                _ => bail!("`fidelity` takes no argument but --check"),
            };
            return Ok(code_of(suites::fidelity(write)?));
        }
        "editor" => match rest {
            [] => editor::rebuild()?,
            [flag] if flag == "--check" => editor::check()?,
            _ => bail!("`editor` takes no argument but --check"),
        },
        "help" | "-h" | "--help" => println!("{HELP}"),
        other => bail!("unknown command `{other}`\n\n{HELP}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn code_of(all_passed: bool) -> ExitCode {
    if all_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn no_more(command: &str, rest: &[String]) -> Result<()> {
    match rest.first() {
        None => Ok(()),
        Some(argument) => bail!("`{command}` takes no argument, but got `{argument}`"),
    }
}
