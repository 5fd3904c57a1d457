//! `batchyard`: the engine without a page.
//!
//! One of the two doors. Only here and in `app/` are there files, clocks and processes.

mod args;
mod cron;
mod lint;
mod run;
mod shell;

use std::io::{self, Write};

use batchyard::values::time::SimTime;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HELP: &str = "\
batchyard: Kubernetes Jobs and CronJobs, simulated

Usage: batchyard COMMAND [ARGUMENTS]

Commands:
  run SCENARIO.yaml      Simulates a scenario; tells its story or writes its trace
  shell [SCENARIO.yaml]  A terminal with kubectl and a simulated cluster
  lint FILE...           Says what the API server would say of each document
  cron \"SPEC\"            Prints the next schedule times

`batchyard COMMAND --help` says more.
";

fn main() {
    let argv: Vec<String> = std::env::args().skip(1).collect();
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let code = match argv.split_first() {
        None => {
            let _ = err.write_all(HELP.as_bytes());
            2
        }
        Some((command, rest)) => match command.as_str() {
            "run" => run::run(rest, &mut out, &mut err),
            "shell" => shell::run(rest, &mut out, &mut err),
            "lint" => lint::run(rest, &mut out, &mut err),
            "cron" => cron::run(rest, now(), &mut out, &mut err),
            "--help" | "-h" | "help" => {
                let _ = out.write_all(HELP.as_bytes());
                0
            }
            "--version" | "-V" => {
                let _ = writeln!(out, "batchyard {}", env!("CARGO_PKG_VERSION"));
                0
            }
            other => {
                let _ = writeln!(err, "batchyard: unknown command `{other}`; `batchyard --help` lists the commands");
                2
            }
        },
    };
    let _ = out.flush();
    drop((out, err));
    std::process::exit(code);
}

/// The machine's clock, for commands that ask what comes next from now.
#[allow(clippy::disallowed_types)]
fn now() -> SimTime {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    SimTime::from_millis(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
}
