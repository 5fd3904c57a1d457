//! The common commands, implemented once for containers (busybox' words) and the terminal (coreutils' words).
//!
//! One table: name, help, function. A command that needs no input is done when its function returns; others give a
//! [`State`] that is advanced with what arrives on their standard input.

mod args;
mod awk;
mod awk_compile;
mod awk_functions;
mod awk_parse;
mod awk_value;
mod compare;
mod date;
mod dates;
mod echo;
pub(crate) mod encode;
mod filter;
mod find;
mod fs;
mod grep;
mod jq;
mod ls;
mod misc;
mod modes;
mod nest;
mod nodes;
mod produce;
mod reader;
mod sed;
mod sed_parse;
mod select;
mod shape;
mod sort;
mod sums;
mod system;
mod text;
mod translate;

use super::host::{FileError, System, Tools, resolve};
use super::interp::Nested;
use super::process::{Output, Read, Stream};
use super::state::State as ShellState;
use values::time::{SimTime, Span};

pub(super) use args::{Args, parse_args};
pub(super) use date::format_time as date_text;
pub(super) use echo::{Mode, printf_text};
pub(super) use jq::time_by_format as jq_time;
pub(super) use modes::{changed_mode, real_path};
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
    /// The processes of this shell with their command lines, for `ps`.
    pub processes: &'a [(u32, String)],
    /// Bytes of standard input to put back.
    pub unread: Vec<u8>,
}

/// A program that a command runs before it goes on.
#[derive(Clone, Debug)]
pub struct Request {
    pub argv: Vec<String>,
    pub env: Vec<(String, String)>,
    /// Its directory, if not the shell's.
    pub cwd: Option<String>,
    /// What it reads; without it, the command's own input.
    pub input: Option<Vec<u8>>,
    /// Whether its output goes to the command, and not where the command's goes.
    pub captured: bool,
}

impl Request {
    /// A line for `sh -c`.
    pub fn line(text: &str) -> Request {
        Request::of(vec!["sh".into(), "-c".into(), text.into()])
    }

    pub fn of(argv: Vec<String>) -> Request {
        Request { argv, env: Vec::new(), cwd: None, input: None, captured: false }
    }
}

/// A command that goes on by itself: it says what it wants to read, and may run programs.
pub trait Program {
    fn clone_box(&self) -> Box<dyn Program>;
    fn name(&self) -> &'static str;
    /// The descriptor it wants to read next.
    fn wants_input(&self) -> Option<u32>;
    fn advance(&mut self, input: Option<Read>, call: &mut Call<'_>) -> Advance;
    /// How a program it ran ended, and what that printed if it was captured.
    fn answer(&mut self, _status: i32, _output: Vec<u8>) {}
}

/// Each program's own `Debug` would be carried by the page, which never prints it.
impl std::fmt::Debug for dyn Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Clone for Box<dyn Program> {
    fn clone(&self) -> Box<dyn Program> {
        self.clone_box()
    }
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
    Program(Box<dyn Program>),
}

/// What advancing a command came to.
pub enum Advance {
    Done(i32),
    More,
    Blocked(Option<SimTime>),
    /// Runs a program, and goes on when that has ended.
    Request(Request),
}

impl State {
    /// The descriptor it wants to read.
    pub fn wants_input(&self) -> Option<u32> {
        match self {
            State::Filter(running) => running.wants_input(),
            State::Program(program) => program.wants_input(),
            _ => None,
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            State::Sleep { .. } => "sleep",
            State::Filter(running) => running.name(),
            State::Produce(producer) => producer.name(),
            State::Follow(_) => "tail",
            State::Program(program) => program.name(),
        }
    }

    pub fn answer(&mut self, status: i32, output: Vec<u8>) {
        if let State::Program(program) = self {
            program.answer(status, output);
        }
    }

    pub fn advance(&mut self, input: Option<Read>, call: &mut Call<'_>) -> Advance {
        match self {
            State::Sleep { until } if *until <= call.system.now() => Advance::Done(0),
            State::Sleep { until } => Advance::Blocked(Some(*until)),
            State::Filter(running) => running.advance(input, call),
            State::Produce(producer) => producer.advance(call),
            State::Follow(follow) => follow.advance(call),
            State::Program(program) => program.advance(input, call),
        }
    }
}

/// Whose programs have a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    Both,
    Busybox,
    Gnu,
}

/// A row of the table.
pub struct Common {
    pub whose: Whose,
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
    Common { name, usage, about, run, whose: Whose::Both }
}

/// A command of busybox alone.
const fn busybox(
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&mut Call<'_>) -> Outcome,
) -> Common {
    Common { name, usage, about, run, whose: Whose::Busybox }
}

/// A command of GNU's alone.
const fn gnu(
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&mut Call<'_>) -> Outcome,
) -> Common {
    Common { name, usage, about, run, whose: Whose::Gnu }
}

/// Sorted by name.
static TABLE: &[Common] = &[
    row("[", "[ EXPRESSION ]", "Check file types, compare values etc. Return a 0/1 exit code", misc::test),
    row("awk", "awk [-F SEP] [-v VAR=VAL] 'PROGRAM' [FILE]...", "Run a program for each line", awk::awk),
    row("base64", "base64 [-d] [-w COL] [FILE]", "Base64 encode or decode FILE to standard output", encode::base64),
    row(
        "basename",
        "basename FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE...",
        "Strip directory path and SUFFIX from FILE",
        misc::basename,
    ),
    busybox("busybox", "busybox PROG ARGS", "Run one of its programs", misc::busybox),
    row("cat", "cat [-n] [FILE]...", "Print FILEs to stdout", text::cat),
    row("chgrp", "chgrp [-R] GROUP FILE...", "Change the group membership of each FILE to GROUP", nodes::chown),
    row("chmod", "chmod [-R] MODE[,MODE]... FILE...", "Change file modes", nodes::chmod),
    row(
        "chown",
        "chown [-R] USER[:GRP] FILE...",
        "Change the owner and/or group of FILEs to USER and/or GRP",
        nodes::chown,
    ),
    row("cksum", "cksum [FILE]...", "Calculate CRC32 checksum of FILEs", sums::sum),
    row("clear", "clear", "Clear screen", misc::clear),
    row("cmp", "cmp [-ls] [-n NUM] FILE1 FILE2", "Compare FILE1 with FILE2", compare::cmp),
    gnu("column", "column [-t] [-s SEP]", "Columnate lists", shape::column),
    row("comm", "comm [-123] FILE1 FILE2", "Compare FILE1 with FILE2, line by line", compare::comm),
    row("cp", "cp [-rf] SOURCE... DEST", "Copy SOURCEs to DEST", fs::cp),
    row("cut", "cut -b|-c|-f LIST [-d SEP] [-s] [FILE]...", "Print selected fields from FILEs to stdout", select::cut),
    row("date", "date [-u] [-I[SPEC]] [-d TIME] [+FMT]", "Display time (of the simulation, in UTC)", date::date),
    row(
        "dd",
        "dd [if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N]",
        "Copy a file with converting and formatting",
        system::dd,
    ),
    row("df", "df [-hkm] [FILESYSTEM]...", "Print filesystem usage statistics", system::df),
    row("diff", "diff [-abBiNqrTw] [-U LINES] FILE1 FILE2", "Compare files line by line", compare::diff),
    row("dirname", "dirname FILENAME", "Strip non-directory suffix from FILENAME", misc::dirname),
    row("du", "du [-ahskm] [-d N] [FILE]...", "Summarize disk space used for FILEs", system::du),
    row("echo", "echo [-neE] [ARG]...", "Print ARGs to stdout", echo::echo),
    row("egrep", "egrep [-invcloqhHxw] PATTERN [FILE]...", "grep -E", grep::egrep),
    row(
        "env",
        "env [-i] [-u NAME] [NAME=VALUE]... [PROG ARGS]",
        "Print the current environment or run PROG after setting variables",
        nest::env,
    ),
    row("expand", "expand [-t N] [FILE]...", "Convert tabs to spaces, writing to stdout", shape::expand),
    row("expr", "expr EXPRESSION", "Print the value of EXPRESSION", misc::expr),
    row("false", "false", "Return an exit code of FALSE (1)", misc::fail),
    row("fgrep", "fgrep [-invcloqhHxw] PATTERN [FILE]...", "grep -F", grep::fgrep),
    row("find", "find [PATH]... [ACTIONS]", "Search for files and perform actions on them", find::find),
    row("flock", "flock FD|FILE [-c] PROG ARGS", "Lock file descriptor, or lock FILE and run PROG", system::flock),
    row(
        "fold",
        "fold [-bs] [-w WIDTH] [FILE]...",
        "Wrap input lines in FILEs (or stdin), writing to stdout",
        shape::fold,
    ),
    busybox("free", "free [-bkmgh]", "Display free and used memory", system::free),
    row("getopt", "getopt [OPTIONS] [--] OPTSTRING PARAMS", "Parse options", system::getopt),
    row("grep", "grep [-invcloqhHxwEFrm] [-e] PATTERN [FILE]...", "Search for PATTERN in FILEs (or stdin)", grep::grep),
    row("head", "head [-n NUM] [-c NUM] [FILE]...", "Print first 10 lines of FILEs (or stdin)", select::head),
    busybox("hexdump", "hexdump [-C] [FILE]...", "Display FILEs (or stdin) in a user specified format", shape::dump),
    row("history", "history", "Show the lines typed so far", misc::history),
    row("hostname", "hostname", "Print the hostname", misc::hostname),
    row("id", "id [-un]", "Print information about the current user", misc::id),
    row("install", "install [-dm MODE] SOURCE... DEST", "Copy files and set attributes", nodes::install),
    row("ionice", "ionice [-c N] PROG ARGS", "Run PROG", system::prefix),
    row("jq", "jq [-rcnseSj] [--arg NAME VALUE] FILTER [FILE]...", "Read JSON, change it, write it", jq::jq),
    row(
        "ln",
        "ln [-sfnv] TARGET... LINK|DIR",
        "Create a link LINK or DIR/TARGET to the specified TARGET(s)",
        nodes::ln,
    ),
    row("ls", "ls [-1aAlndhtrSRFp] [FILE]...", "List directory contents", ls::ls),
    row("md5sum", "md5sum [-c] [FILE]...", "Print or check MD5 checksums", sums::sum),
    row("mkdir", "mkdir [-p] DIRECTORY...", "Create DIRECTORY", fs::mkdir),
    row("mkfifo", "mkfifo [-m MODE] NAME", "Create named pipe", nodes::mkfifo),
    row("mktemp", "mktemp [-d] [TEMPLATE]", "Create a temporary file with name based on TEMPLATE", fs::mktemp),
    row("mountpoint", "mountpoint [-q] DIR", "Check if DIR is a mountpoint", system::mountpoint),
    row("mv", "mv [-f] SOURCE... DEST", "Rename SOURCE to DEST, or move SOURCEs to DIRECTORY", fs::mv),
    row("nice", "nice [-n ADJUST] PROG ARGS", "Run PROG", nest::nice),
    row("nl", "nl [FILE]...", "Write FILEs to standard output with line numbers added", text::nl),
    row("nohup", "nohup PROG ARGS", "Run PROG", nest::nice),
    row("nproc", "nproc", "Print number of available CPUs", misc::nproc),
    busybox("nslookup", "nslookup HOST", "Query DNS about HOST", system::nslookup),
    row(
        "od",
        "od [-bcdox] [-A RADIX] [-t TYPE] [-N SIZE] [FILE]...",
        "Print FILEs (or stdin) unambiguously",
        shape::dump,
    ),
    row("paste", "paste [-s] [-d LIST] [FILE]...", "Paste lines from each input file, separated by tabs", shape::paste),
    busybox("pgrep", "pgrep [-flxo] PATTERN", "Display process(es) selected by regex PATTERN", system::pgrep),
    busybox("pidof", "pidof [NAME]...", "List PIDs of all processes with names that match NAMEs", system::pgrep),
    row("printenv", "printenv [VARIABLE]...", "Print environment VARIABLEs", misc::printenv),
    row("printf", "printf FORMAT [ARG]...", "Format and print ARG(s) according to FORMAT", echo::printf),
    busybox("ps", "ps [-o COL1,COL2]", "Show list of processes", system::ps),
    row("readlink", "readlink [-fnv] FILE", "Display the value of a symlink", nodes::readlink),
    row("realpath", "realpath FILE...", "Print absolute pathnames of FILEs", nodes::realpath),
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
    row("setsid", "setsid PROG ARGS", "Run PROG in a new session", system::prefix),
    row("sha1sum", "sha1sum [-c] [FILE]...", "Print or check SHA1 checksums", sums::sum),
    gnu("sha224sum", "sha224sum [-c] [FILE]...", "Print or check SHA224 checksums", sums::sum),
    row("sha256sum", "sha256sum [-c] [FILE]...", "Print or check SHA256 checksums", sums::sum),
    gnu("sha384sum", "sha384sum [-c] [FILE]...", "Print or check SHA384 checksums", sums::sum),
    row("sha512sum", "sha512sum [-c] [FILE]...", "Print or check SHA512 checksums", sums::sum),
    row("shuf", "shuf [-n NUM] [-e|-i L-H] [FILE]", "Randomly permute lines", shape::shuf),
    row(
        "sleep",
        "sleep [N]...",
        "Pause for a time equal to the total of the args given, where each arg can\nhave an optional suffix of (s)econds, (m)inutes, (h)ours, or (d)ays",
        misc::sleep,
    ),
    row("sort", "sort [-nrufst] [-k N] [FILE]...", "Sort lines of text", sort::sort),
    row("split", "split [-l N | -b N] [-a N] [INPUT [PREFIX]]", "Split a file", shape::split),
    row("stat", "stat [-Lf] [-c FMT] FILE...", "Display file (default) or filesystem status", nodes::stat),
    gnu("stdbuf", "stdbuf OPTIONS PROG ARGS", "Run PROG with other buffering", system::prefix),
    busybox("strings", "strings [-n LEN] [FILE]...", "Display printable strings in a binary file", shape::strings),
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
    row("truncate", "truncate [-c] -s SIZE FILE...", "Truncate FILEs to SIZE", nodes::truncate),
    row("tty", "tty", "Print the terminal's name", misc::tty),
    row("uname", "uname [-asnrvm]", "Print system information", misc::uname),
    row("unexpand", "unexpand [-t N] [FILE]...", "Convert spaces to tabs, writing to stdout", shape::expand),
    row("uniq", "uniq [-cdui] [INPUT]", "Discard duplicate lines", text::uniq),
    busybox("uptime", "uptime", "Display the time since the last boot", system::uptime),
    busybox("usleep", "usleep N", "Pause for N microseconds", system::usleep),
    row("vi", "vi [FILE]...", "There is no screen for it here", misc::vi),
    row("watch", "watch [-n SEC] [-t] PROG ARGS", "Run PROG periodically", nest::watch),
    row("wc", "wc [-lwc] [FILE]...", "Count lines, words, and bytes for FILEs (or stdin)", text::wc),
    row("which", "which COMMAND...", "Locate COMMAND", misc::which),
    row("whoami", "whoami", "Print the user name associated with the current effective user id", misc::whoami),
    row("xargs", "xargs [-0rt] [-n N] [-I R] [PROG ARGS]", "Run PROG on every item given by stdin", nest::xargs),
    busybox("xxd", "xxd [-p] [-l N] [FILE]", "Hex dump FILE (or stdin)", shape::dump),
    row("yes", "yes [STRING]", "Repeatedly print a line with STRING, or 'y'", produce::yes),
];

/// The command of this name, if such tools have it.
pub(super) fn find(name: &str, tools: Tools) -> Option<&'static Common> {
    let row = row_of(name)?;
    let has = match row.whose {
        Whose::Both => true,
        Whose::Busybox => tools == Tools::Busybox,
        Whose::Gnu => tools == Tools::Gnu,
    };
    has.then_some(row)
}

fn row_of(name: &str) -> Option<&'static Common> {
    TABLE.binary_search_by(|row| row.name.cmp(name)).ok().map(|at| &TABLE[at])
}

/// Names of all common commands, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.name)
}

/// Whether a command of this name comes with such tools.
pub fn comes_with(name: &str, tools: Tools) -> bool {
    find(name, tools).is_some()
}

/// The help text of a common command.
pub fn help_of(name: &str) -> Option<String> {
    row_of(name).map(|row| format!("Usage: {}\n\n{}\n", row.usage, row.about))
}

const PROGRAM_DIRECTORIES: [&str; 6] =
    ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/"];

/// Whether the common commands stand in this directory.
pub(super) fn is_program_directory(directory: &str) -> bool {
    PROGRAM_DIRECTORIES.iter().any(|known| known.trim_end_matches('/') == directory.trim_end_matches('/'))
}

/// Whether a path leads into such a directory.
pub(super) fn is_program_path(path: &str) -> bool {
    PROGRAM_DIRECTORIES.iter().any(|known| path.starts_with(known))
}

/// The name under which a command is looked up: paths into the usual directories do not count.
pub(super) fn program_name(name: &str) -> &str {
    let inside = PROGRAM_DIRECTORIES.iter().find_map(|directory| name.strip_prefix(directory));
    inside.filter(|rest| !rest.contains('/')).unwrap_or(name)
}

/// Where `which` and `type` say that a command lies.
pub(super) fn path_of(name: &str, tools: Tools) -> String {
    match tools {
        Tools::Busybox => format!("/bin/{name}"),
        Tools::Gnu => format!("/usr/bin/{name}"),
    }
}

/// `--help` and `--version`, which every program of GNU has.
pub(super) fn general_option(call: &mut Call<'_>, row: &Common) -> Option<Outcome> {
    let [only] = call.args else { return None };
    if matches!(row.name, "echo" | "true" | "false" | "test" | "[" | "printf" | "expr" | "jq") {
        return None;
    }
    match only.as_str() {
        "--help" => Some(call.help(row)),
        "--version" if !call.is_ash() => {
            let (package, version) = match row.name {
                "grep" | "egrep" | "fgrep" => ("GNU grep", "3.8"),
                "sed" => ("GNU sed", "4.9"),
                "find" | "xargs" => ("GNU findutils", "4.9.0"),
                "tar" => ("GNU tar", "1.34"),
                "gzip" | "gunzip" | "zcat" => ("gzip", "1.12"),
                "diff" | "cmp" => ("GNU diffutils", "3.8"),
                "ps" | "free" | "uptime" | "pgrep" | "watch" => ("procps-ng", "4.0.2"),
                "awk" => return None,
                _ => ("GNU coreutils", "9.1"),
            };
            call.out(&match package {
                "gzip" => format!("{} {version}\n", row.name),
                "procps-ng" => format!("{} from {package} {version}\n", row.name),
                _ => format!("{} ({package}) {version}\n", row.name),
            });
            Some(Outcome::Done(0))
        }
        _ => None,
    }
}

/// What `time` prints.
pub(super) fn time_report(tools: Tools, span: Span) -> String {
    let ms = span.as_ms().max(0);
    let (minutes, seconds, thousandths) = (ms / 60_000, ms / 1000 % 60, ms % 1000);
    match tools {
        Tools::Busybox => {
            let hundredths = thousandths / 10;
            format!("real\t{minutes}m {seconds}.{hundredths:02}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n")
        }
        Tools::Gnu => format!("\nreal\t{minutes}m{seconds}.{thousandths:03}s\nuser\t0m0.000s\nsys\t0m0.000s\n"),
    }
}

/// `$TIMEFORMAT` of bash: `%R`, `%2U`, `%lS`, `%P`.
pub(super) fn time_by_format(format: &str, span: Span) -> String {
    let real_ms = span.as_ms().max(0);
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let digits = chars.next_if(char::is_ascii_digit).and_then(|c| c.to_digit(10)).unwrap_or(3).min(3) as usize;
        let long = chars.next_if_eq(&'l').is_some();
        let ms = match chars.next() {
            Some('R') => real_ms,
            Some('U' | 'S') => 0,
            Some('P') => {
                out.push_str("0.00");
                continue;
            }
            Some('%') | None => {
                out.push('%');
                continue;
            }
            Some(other) => {
                out.push(other);
                continue;
            }
        };
        let (minutes, seconds) = if long { (ms / 60_000, ms / 1000 % 60) } else { (0, ms / 1000) };
        let fraction = format!("{:03}", ms % 1000);
        let point = if digits > 0 { format!(".{}", &fraction[..digits]) } else { String::new() };
        out.push_str(&if long { format!("{minutes}m{seconds}{point}s") } else { format!("{seconds}{point}") });
    }
    out + "\n"
}

/// A size such as `512`, `4k`, `1M`, `2kB`.
pub(super) fn size(text: &str) -> Option<u64> {
    let len = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..len].parse().ok()?;
    let unit = match &text[len..] {
        "" | "c" => 1,
        "b" => 512,
        "k" | "K" | "KiB" => 1 << 10,
        "m" | "M" | "MiB" => 1 << 20,
        "g" | "G" | "GiB" => 1 << 30,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.checked_mul(unit)
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
        self.state.tools == Tools::Busybox
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
        if self.is_ash() {
            // busybox prints its help on standard error.
            let text = format!("BusyBox v1.36.1 multi-call binary.\n\n{text}");
            self.output.write(Stream::Stderr, text.as_bytes());
        } else {
            self.out(&text);
        }
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

    /// What is missing, in GNU's words with its hint; busybox prints its usage.
    pub fn missing(&mut self, what: &str, status: i32) -> Outcome {
        if self.is_ash() {
            return self.usage(1);
        }
        let name = self.name;
        let text = format!("{name}: {what}\nTry '{name} --help' for more information.\n");
        self.output.write(Stream::Stderr, text.as_bytes());
        Outcome::Done(status)
    }

    /// What Batchyard's program cannot do, said as such: the real one could.
    pub fn lacking(&mut self, what: &str) -> Outcome {
        let name = self.name;
        self.err(name, &format!("Batchyard's {name} has no {what}"));
        Outcome::Done(2)
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
            return self.usage(if matches!(name, "grep" | "egrep" | "fgrep" | "diff" | "cmp") { 2 } else { 1 });
        }
        let hint = format!("Try '{name} --help' for more information.\n");
        self.output.write(Stream::Stderr, hint.as_bytes());
        Outcome::Done(if matches!(name, "ls" | "grep" | "egrep" | "fgrep" | "sort" | "diff" | "cmp" | "tar") {
            2
        } else {
            1
        })
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
