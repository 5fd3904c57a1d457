//! `batchyard lint`: what the API server would say, with places.

use std::io::{Read, Write};

use batchyard::terminal::lint_together;
use batchyard::values::zone::ZoneTable;
use batchyard::yaml::Severity;

use crate::args::{self, Args, UsageError};

pub const HELP: &str = "\
Says what the API server would say of each document.

Usage: batchyard lint FILE...

The files are taken together: one may use what another makes. Each line names its place: FILE:LINE:COLUMN.
`-` reads standard input. Errors are what Kubernetes 1.36 refuses, in its words; warnings are what it warns of; hints
are ours.

  --help   This text

Exit code 0 if nothing is refused, 1 if something is, 2 if the command line is wrong or a file cannot be read.
";

/// Runs the command; the result is the exit code.
pub fn run(argv: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    match check(argv, out) {
        Ok(code) => code,
        Err(message) => args::usage_error(err, "lint", &message),
    }
}

fn check(argv: &[String], out: &mut dyn Write) -> Result<i32, UsageError> {
    let parsed = Args::parse(&[], argv)?;
    if parsed.wants_help() {
        let _ = out.write_all(HELP.as_bytes());
        return Ok(0);
    }
    if parsed.rest().is_empty() {
        return Err(UsageError("at least one file is needed".to_owned()));
    }
    let mut files = Vec::new();
    for file in parsed.rest() {
        let mut bytes = Vec::new();
        let read = match file.as_str() {
            "-" => std::io::stdin().read_to_end(&mut bytes).map(|_| ()),
            path => std::fs::read(path).map(|content| bytes = content),
        };
        read.map_err(|e| UsageError(format!("{file}: {e}")))?;
        files.push((file.clone(), bytes));
    }
    let mut refused = false;
    for ((file, _), diagnostics) in files.iter().zip(lint_together(&files, &ZoneTable::bundled())) {
        for diagnostic in diagnostics {
            refused |= diagnostic.severity == Severity::Error;
            // A message of many lines (a YAML excerpt, a list) stays one entry.
            let _ = writeln!(out, "{file}:{}", diagnostic.to_string().replace('\n', "\n    "));
        }
    }
    Ok(i32::from(refused))
}
