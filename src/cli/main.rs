//! The command line: so far `batchyard cron`.

use std::io;

use batchyard::base::time::SimTime;

mod args;
mod cron;

/// The machine's clock. Only the doors may ask for it.
#[allow(clippy::disallowed_types)]
fn now() -> SimTime {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    SimTime::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let code = match args.split_first() {
        Some((command, rest)) if command == "cron" => cron::run(rest, now(), &mut io::stdout(), &mut io::stderr()),
        _ => {
            eprint!("{}", cron::HELP);
            args::EXIT_USAGE
        }
    };
    std::process::exit(code);
}
