//! Reading a subcommand's arguments, the same way for all of them.
//!
//! Rule: as kubectl's flags (the pflag library): `--flag value`, `--flag=value`, `-n 5`, `-n5`, `-n=5`; flags may stand
//! before and after the other arguments; `--` ends the flags; a lone `-` is an argument; of a flag given twice the
//! last counts. `--help` and `-h` are known everywhere.

use std::ffi::OsString;
use std::fmt;
use std::io::Write;

use lexopt::Arg;

/// Exit code for arguments that make no sense.
pub const EXIT_USAGE: i32 = 2;

/// One flag of a subcommand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flag {
    /// As typed, with its hyphens: `--time-zone` or `-n`.
    pub name: &'static str,
    pub takes_value: bool,
}

impl Flag {
    /// A flag that is there or not.
    pub const fn switch(name: &'static str) -> Flag {
        Flag { name, takes_value: false }
    }

    /// A flag with a value.
    pub const fn value(name: &'static str) -> Flag {
        Flag { name, takes_value: true }
    }
}

/// The arguments of a subcommand, sorted into flags and the rest.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Args {
    /// Flags in the order given; the value is empty for one that takes none.
    flags: Vec<(&'static str, String)>,
    rest: Vec<String>,
}

/// What is wrong with the arguments, in one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Args {
    /// Sorts the arguments behind a subcommand's name.
    ///
    /// # Errors
    /// An unknown flag, a value that is missing, or one that is not wanted.
    pub fn parse(flags: &[Flag], args: &[String]) -> Result<Args, UsageError> {
        let mut parsed = Args::default();
        let mut parser = lexopt::Parser::from_args(args);
        loop {
            // What has white space before any `=` is no flag, so that the schedule `"-5 * * * *"` gets its own error.
            if let Some(sentence) = next_raw(&mut parser, |arg| flag_name(arg).contains(char::is_whitespace)) {
                parsed.rest.push(sentence);
                continue;
            }
            let name = match parser.next().map_err(|error| refusal(&error))? {
                None => return Ok(parsed),
                Some(Arg::Value(value)) => {
                    parsed.rest.push(text_of(value));
                    continue;
                }
                Some(Arg::Long(name)) => format!("--{name}"),
                Some(Arg::Short(letter)) => format!("-{letter}"),
            };
            let flag = find(flags, &name).ok_or_else(|| UsageError(format!("unknown flag: {name}")))?;
            let attached = parser.optional_value().map(text_of);
            let value = match (flag.takes_value, attached) {
                (true, Some(value)) => value,
                (true, None) => next_raw(&mut parser, |arg| !is_known(flags, arg))
                    .ok_or_else(|| UsageError(format!("flag needs an argument: {name}")))?,
                (false, None) => String::new(),
                (false, Some(_)) => return Err(UsageError(format!("flag takes no argument: {name}"))),
            };
            parsed.flags.push((flag.name, value));
        }
    }

    /// Whether the flag was given.
    pub fn has(&self, name: &str) -> bool {
        self.flags.iter().any(|(known, _)| *known == name)
    }

    /// Whether the user asks for help.
    pub fn wants_help(&self) -> bool {
        self.has(HELP_FLAG.name)
    }

    /// The flag's value, the last one if it was given more than once.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.flags.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The arguments that are no flags.
    pub fn rest(&self) -> &[String] {
        &self.rest
    }
}

const HELP_FLAG: Flag = Flag::switch("--help");

fn find(flags: &[Flag], name: &str) -> Option<Flag> {
    if matches!(name, "--help" | "-h") {
        return Some(HELP_FLAG);
    }
    flags.iter().find(|flag| flag.name == name).copied()
}

fn is_known(flags: &[Flag], arg: &str) -> bool {
    let name = flag_name(arg);
    let letter_end = name.char_indices().nth(2).map_or(name.len(), |(at, _)| at);
    let name = if name.starts_with("--") { name } else { &name[..letter_end] };
    arg == "--" || find(flags, name).is_some()
}

/// What stands before the first `=` of an argument that begins with a hyphen; of others nothing.
fn flag_name(arg: &str) -> &str {
    if arg.starts_with('-') { arg.split('=').next().unwrap_or(arg) } else { "" }
}

/// Takes the next argument as it is, if there is one for which `fits` holds.
fn next_raw(parser: &mut lexopt::Parser, fits: impl Fn(&str) -> bool) -> Option<String> {
    let mut raw = parser.try_raw_args()?;
    let next = raw.peek()?.to_str()?.to_owned();
    if !fits(&next) {
        return None;
    }
    raw.next();
    Some(next)
}

/// The arguments were text when they came in, so nothing is lost.
fn text_of(value: OsString) -> String {
    value.to_string_lossy().into_owned()
}

fn refusal(error: &lexopt::Error) -> UsageError {
    match error {
        lexopt::Error::UnexpectedValue { option, .. } => UsageError(format!("flag takes no argument: {option}")),
        other => UsageError(other.to_string()),
    }
}

/// Says on `err`, in one line, what is wrong with the arguments of `batchyard COMMAND`; gives the exit code for it.
pub fn usage_error(err: &mut dyn Write, command: &str, problem: &UsageError) -> i32 {
    // Nothing is left to be done if even this cannot be written.
    let _ = writeln!(err, "batchyard {command}: {problem} (see 'batchyard {command} --help')");
    EXIT_USAGE
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &[Flag] = &[Flag::value("--from"), Flag::value("-n"), Flag::switch("--quiet")];

    fn parse(args: &[&str]) -> Result<Args, UsageError> {
        Args::parse(FLAGS, &args.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn flags_and_the_rest_are_told_apart() {
        let args = parse(&["a", "--from", "x", "-", "-n5", "--quiet", "--", "--from", "-n"]).unwrap();
        assert_eq!(args.rest(), ["a", "-", "--from", "-n"]);
        assert_eq!((args.value("--from"), args.value("-n")), (Some("x"), Some("5")));
        assert!(args.has("--quiet") && !args.wants_help());
    }

    #[test]
    fn values_may_stand_in_every_form() {
        for form in [&["-n", "5"][..], &["-n5"], &["-n=5"], &["-n", "4", "-n", "5"]] {
            assert_eq!(parse(form).unwrap().value("-n"), Some("5"), "{form:?}");
        }
        assert_eq!(parse(&["--from="]).unwrap().value("--from"), Some(""));
        assert_eq!(parse(&["--from=a=b"]).unwrap().value("--from"), Some("a=b"));
        assert_eq!(parse(&["-n", "-1"]).unwrap().value("-n"), Some("-1"));
        assert!(parse(&["-h"]).unwrap().wants_help() && parse(&["x", "--help"]).unwrap().wants_help());
    }

    #[test]
    fn nonsense_is_named() {
        for (args, said) in [
            (&["--form", "x"][..], "unknown flag: --form"),
            (&["--form=x"], "unknown flag: --form"),
            (&["-x5"], "unknown flag: -x"),
            (&["-ä5"], "unknown flag: -ä"),
            (&["--from"], "flag needs an argument: --from"),
            (&["--from", "--quiet"], "flag needs an argument: --from"),
            (&["-n", "--", "5"], "flag needs an argument: -n"),
            (&["--quiet=yes"], "flag takes no argument: --quiet"),
            (&["--help=me"], "flag takes no argument: --help"),
        ] {
            assert_eq!(parse(args).unwrap_err().to_string(), said, "{args:?}");
        }
    }

    #[test]
    fn a_schedule_may_begin_with_a_hyphen() {
        assert_eq!(parse(&["-5 * * * *"]).unwrap().rest(), ["-5 * * * *"]);
    }
}
