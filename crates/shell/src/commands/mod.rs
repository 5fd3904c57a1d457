//! The common commands, implemented once for containers (busybox' words) and the terminal (coreutils' words).
//!
//! One table: name, help, function. A command that needs no input is done when its function returns; others give a
//! [`State`] that is advanced with what arrives on their standard input.

mod args;
mod awk;
mod awk_functions;
mod awk_parse;
mod awk_value;
mod date;
mod echo;
pub(crate) mod encode;
mod filter;
mod fs;
mod grep;
mod jq;
mod misc;
mod nest;
mod produce;
mod sed;
mod select;
mod text;
mod translate;

use super::host::{FileError, System, resolve};
use super::interp::Nested;
use super::process::{Output, Read, Stream};
use super::state::State as ShellState;
use super::syntax::Dialect;
use values::time::{SimTime, Span};

pub(super) use args::{Args, parse_args};
pub(super) use echo::printf_text;
pub(super) use nest::split_xargs;

/// What a command sees of the shell that runs it.
pub struct Call<'a> {
    /// Its arguments, without its name.
    pub args: &'a [String],
    pub name: &'static str,
    pub state: &'a ShellState,
    pub system: &'a mut dyn System,
    pub output: Output,
    pub history: &'a [String],
    /// Whether standard output is the terminal.
    pub to_terminal: bool,
    /// What a step did besides reading its input and printing, counted in bytes (`BYTES_A_STEP` of them are a step).
    pub work_bytes: usize,
}

/// What starting a command came to.
pub enum Outcome {
    Done(i32),
    Runs(State),
    Nests(Nested),
}

/// A command that goes on.
#[derive(Clone, Debug)]
pub enum State {
    Sleep { until: SimTime },
    Filter(Box<filter::Running>),
    Produce(produce::Producer),
    Follow(select::Follow),
}

/// What advancing a command came to.
pub enum Advance {
    Done(i32),
    More,
    Blocked(Option<SimTime>),
}

impl State {
    pub fn wants_input(&self) -> bool {
        match self {
            State::Filter(running) => running.wants_input(),
            _ => false,
        }
    }

    pub fn advance(&mut self, input: Option<Read>, call: &mut Call<'_>) -> Advance {
        match self {
            State::Sleep { until } if *until <= call.system.now() => Advance::Done(0),
            State::Sleep { until } => Advance::Blocked(Some(*until)),
            State::Filter(running) => running.advance(input, call),
            State::Produce(producer) => producer.advance(call),
            State::Follow(follow) => follow.advance(call),
        }
    }
}

/// A row of the table.
pub struct Common {
    pub name: &'static str,
    /// What follows `Usage: ` in its help.
    pub usage: &'static str,
    /// What it does, for `--help`.
    pub about: &'static str,
    pub run: fn(&mut Call<'_>) -> Outcome,
}

const fn row(
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&mut Call<'_>) -> Outcome,
) -> Common {
    Common { name, usage, about, run }
}

/// Sorted by name.
static TABLE: [Common; 60] = [
    row("[", "[ EXPRESSION ]", "Check file types, compare values etc. Return a 0/1 exit code", misc::test),
    row("awk", "awk [-F SEP] [-v VAR=VAL] 'PROGRAM' [FILE]...", "Run a program for each line", awk::awk),
    row("base64", "base64 [-d] [-w COL] [FILE]", "Base64 encode or decode FILE to standard output", encode::base64),
    row(
        "basename",
        "basename FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE...",
        "Strip directory path and SUFFIX from FILE",
        misc::basename,
    ),
    row("cat", "cat [-n] [FILE]...", "Print FILEs to stdout", text::cat),
    row("chmod", "chmod MODE FILE...", "Accepted; files here have no modes", fs::chmod),
    row("clear", "clear", "Clear screen", misc::clear),
    row("cp", "cp [-rf] SOURCE... DEST", "Copy SOURCEs to DEST", fs::cp),
    row("cut", "cut -b|-c|-f LIST [-d SEP] [-s] [FILE]...", "Print selected fields from FILEs to stdout", select::cut),
    row("date", "date [-u] [-I[SPEC]] [-d TIME] [+FMT]", "Display time (of the simulation, in UTC)", date::date),
    row("dirname", "dirname FILENAME", "Strip non-directory suffix from FILENAME", misc::dirname),
    row("echo", "echo [-neE] [ARG]...", "Print ARGs to stdout", echo::echo),
    row("egrep", "egrep [-invcloqhHxw] PATTERN [FILE]...", "grep -E", grep::egrep),
    row(
        "env",
        "env [-i] [-u NAME] [NAME=VALUE]... [PROG ARGS]",
        "Print the current environment or run PROG after setting variables",
        nest::env,
    ),
    row("expr", "expr EXPRESSION", "Print the value of EXPRESSION", misc::expr),
    row("false", "false", "Return an exit code of FALSE (1)", misc::fail),
    row("fgrep", "fgrep [-invcloqhHxw] PATTERN [FILE]...", "grep -F", grep::fgrep),
    row("grep", "grep [-invcloqhHxwEFrm] [-e] PATTERN [FILE]...", "Search for PATTERN in FILEs (or stdin)", grep::grep),
    row("head", "head [-n NUM] [-c NUM] [FILE]...", "Print first 10 lines of FILEs (or stdin)", select::head),
    row("history", "history", "Show the lines typed so far", misc::history),
    row("hostname", "hostname", "Print the hostname", misc::hostname),
    row("id", "id [-un]", "Print information about the current user", misc::id),
    row("jq", "jq [-rcnseSj] [--arg NAME VALUE] FILTER [FILE]...", "Read JSON, change it, write it", jq::jq),
    row("ls", "ls [-1aAldh] [FILE]...", "List directory contents", fs::ls),
    row("mkdir", "mkdir [-p] DIRECTORY...", "Create DIRECTORY", fs::mkdir),
    row("mktemp", "mktemp [-d] [TEMPLATE]", "Create a temporary file with name based on TEMPLATE", fs::mktemp),
    row("mv", "mv [-f] SOURCE... DEST", "Rename SOURCE to DEST, or move SOURCEs to DIRECTORY", fs::mv),
    row("nice", "nice [-n ADJUST] PROG ARGS", "Run PROG", nest::nice),
    row("nl", "nl [FILE]...", "Write FILEs to standard output with line numbers added", text::nl),
    row("nohup", "nohup PROG ARGS", "Run PROG", nest::nice),
    row("nproc", "nproc", "Print number of available CPUs", misc::nproc),
    row("printenv", "printenv [VARIABLE]...", "Print environment VARIABLEs", misc::printenv),
    row("printf", "printf FORMAT [ARG]...", "Format and print ARG(s) according to FORMAT", echo::printf),
    row("rev", "rev [FILE]...", "Reverse lines of FILE", text::rev),
    row("rm", "rm [-rf] FILE...", "Remove (unlink) FILEs", fs::rm),
    row("rmdir", "rmdir DIRECTORY...", "Remove DIRECTORY if it is empty", fs::rmdir),
    row("sed", "sed [-nEi] [-e CMD]... [FILE]...", "Edit lines", sed::sed),
    row(
        "seq",
        "seq [-w] [-s SEP] [FIRST [INC]] LAST",
        "Print numbers from FIRST to LAST, in steps of INC",
        produce::seq,
    ),
    row(
        "sleep",
        "sleep [N]...",
        "Pause for a time equal to the total of the args given, where each arg can\nhave an optional suffix of (s)econds, (m)inutes, (h)ours, or (d)ays",
        misc::sleep,
    ),
    row("sort", "sort [-nrufst] [-k N] [FILE]...", "Sort lines of text", text::sort),
    row("sync", "sync", "Write all buffered blocks to disk", misc::succeed),
    row("tac", "tac [FILE]...", "Concatenate FILEs and print them in reverse", text::tac),
    row("tail", "tail [-fn NUM] [-c NUM] [FILE]...", "Print last 10 lines of FILEs (or stdin)", select::tail),
    row("tee", "tee [-a] [FILE]...", "Copy stdin to each FILE, and also to stdout", text::tee),
    row("test", "test EXPRESSION", "Check file types, compare values etc. Return a 0/1 exit code", misc::test),
    row("time", "time PROG ARGS", "Run PROG, display resource usage when it exits", nest::time),
    row(
        "timeout",
        "timeout [-s SIG] SECS PROG ARGS",
        "Run PROG. Send SIG to it if it is not gone in SECS seconds",
        nest::timeout,
    ),
    row("touch", "touch FILE...", "Create FILEs, or update their times", fs::touch),
    row(
        "tr",
        "tr [-cds] STRING1 [STRING2]",
        "Translate, squeeze, or delete characters from stdin, writing to stdout",
        translate::tr,
    ),
    row("true", "true", "Return an exit code of TRUE (0)", misc::succeed),
    row("tty", "tty", "Print the terminal's name", misc::tty),
    row("uname", "uname [-asnrvm]", "Print system information", misc::uname),
    row("uniq", "uniq [-cdui] [INPUT]", "Discard duplicate lines", text::uniq),
    row("vi", "vi [FILE]...", "There is no screen for it here", misc::vi),
    row("watch", "watch [-n SEC] [-t] PROG ARGS", "Run PROG periodically", nest::watch),
    row("wc", "wc [-lwc] [FILE]...", "Count lines, words, and bytes for FILEs (or stdin)", text::wc),
    row("which", "which COMMAND...", "Locate COMMAND", misc::which),
    row("whoami", "whoami", "Print the user name associated with the current effective user id", misc::whoami),
    row("xargs", "xargs [-0rt] [-n N] [-I R] [PROG ARGS]", "Run PROG on every item given by stdin", nest::xargs),
    row("yes", "yes [STRING]", "Repeatedly print a line with STRING, or 'y'", produce::yes),
];

/// The command of this name.
pub(super) fn find(name: &str) -> Option<&'static Common> {
    TABLE.binary_search_by(|row| row.name.cmp(name)).ok().map(|at| &TABLE[at])
}

/// Names of all common commands, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.name)
}

/// The help text of a common command.
pub fn help_of(name: &str) -> Option<String> {
    find(name).map(|row| format!("Usage: {}\n\n{}\n", row.usage, row.about))
}

/// The name under which a command is looked up: paths into the usual directories do not count.
pub(super) fn program_name(name: &str) -> &str {
    let directories = ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/"];
    directories.iter().find_map(|directory| name.strip_prefix(directory)).unwrap_or(name)
}

/// Where `which` and `type` say that a command lies.
pub(super) fn path_of(name: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Ash => format!("/bin/{name}"),
        Dialect::Bash => format!("/usr/bin/{name}"),
    }
}

/// What `time` prints.
pub(super) fn time_report(dialect: Dialect, span: Span) -> String {
    let ms = span.as_ms().max(0);
    let (minutes, seconds, thousandths) = (ms / 60_000, ms / 1000 % 60, ms % 1000);
    match dialect {
        Dialect::Ash => {
            let hundredths = thousandths / 10;
            format!("real\t{minutes}m {seconds}.{hundredths:02}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n")
        }
        Dialect::Bash => format!("\nreal\t{minutes}m{seconds}.{thousandths:03}s\nuser\t0m0.000s\nsys\t0m0.000s\n"),
    }
}

/// Reads `1.5`, `2m`, `1h`, `1d` as a span; fractions of a millisecond are cut.
pub fn parse_seconds(text: &str) -> Option<Span> {
    let (number, unit_ms) = match text.as_bytes().last()? {
        b's' => (&text[..text.len() - 1], 1000),
        b'm' => (&text[..text.len() - 1], 60_000),
        b'h' => (&text[..text.len() - 1], 3_600_000),
        b'd' => (&text[..text.len() - 1], 86_400_000),
        _ => (text, 1000),
    };
    if matches!(number, "inf" | "infinity") {
        return Some(Span::MAX);
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    if number.is_empty() || number == "." || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<i64>().unwrap_or(i64::MAX) };
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let millionths = fraction.parse::<i64>().unwrap_or(0);
    let ms = whole.saturating_mul(unit_ms).saturating_add(millionths * unit_ms / 1_000_000);
    Some(Span::ms(ms.min(Span::MAX.as_ms())))
}

impl Call<'_> {
    pub fn out(&mut self, text: &str) {
        self.output.write(Stream::Stdout, text.as_bytes());
    }

    pub fn out_bytes(&mut self, bytes: &[u8]) {
        self.output.write(Stream::Stdout, bytes);
    }

    pub fn is_ash(&self) -> bool {
        self.state.dialect == Dialect::Ash
    }

    /// An error message after the command's name.
    pub fn err(&mut self, name: &str, message: &str) {
        self.output.write(Stream::Stderr, format!("{name}: {message}\n").as_bytes());
    }

    pub fn path(&self, file: &str) -> String {
        resolve(&self.state.cwd, file)
    }

    /// A file's bytes; devices included.
    pub fn read_file(&self, file: &str) -> Result<Vec<u8>, FileError> {
        match self.path(file).as_str() {
            "/dev/null" => Ok(Vec::new()),
            path => self.system.read_file(path),
        }
    }

    pub fn help(&mut self, row: &Common) -> Outcome {
        let text = help_of(row.name).unwrap_or_default();
        self.out(&text);
        Outcome::Done(0)
    }

    /// The usage on standard error, as busybox gives it for wrong arguments.
    pub fn usage(&mut self, status: i32) -> Outcome {
        let name = self.name;
        let text = match (help_of(name), self.is_ash()) {
            (Some(help), true) => format!("BusyBox v1.36.1 multi-call binary.\n\n{help}"),
            (Some(_), false) => format!("{name}: missing operand\nTry '{name} --help' for more information.\n"),
            (None, _) => String::new(),
        };
        self.output.write(Stream::Stderr, text.as_bytes());
        Outcome::Done(status)
    }

    pub fn bad_option(&mut self, option: &str) -> Outcome {
        let name = self.name;
        let letter = option.trim_start_matches('-');
        let what = match (option.starts_with("--"), self.is_ash()) {
            (true, true) => format!("unrecognized option '{option}'"),
            (true, false) => format!("unrecognized option '{option}'"),
            (false, _) => format!("invalid option -- '{letter}'"),
        };
        self.err(name, &what);
        if self.is_ash() {
            return self.usage(1);
        }
        let hint = format!("Try '{name} --help' for more information.\n");
        self.output.write(Stream::Stderr, hint.as_bytes());
        Outcome::Done(if matches!(name, "ls" | "grep" | "sort") { 2 } else { 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(TABLE.is_sorted_by_key(|row| row.name));
    }

    #[test]
    fn spans_are_read_with_units() {
        for (text, ms) in [("1", 1000), ("0.25", 250), ("1.5m", 90_000), ("2h", 7_200_000), (".5", 500)] {
            assert_eq!(parse_seconds(text), Some(Span::ms(ms)), "{text}");
        }
        for text in ["", "abc", "1x", ".", "-1", "s"] {
            assert_eq!(parse_seconds(text), None, "{text}");
        }
    }
}
