//! `wget` (busybox) and `curl` as containers have them: one request, its answer printed or kept, and their exit codes.
//!
//! Source: busybox `networking/wget.c`; curl's manual page (exit codes 6, 7, 22, 28, 52).

use crate::program::http::{Answer, NetError, Request, Response};
use crate::program::machine::{Machine, RequestId};
use shell::host::resolve;
use shell::{Io, Poll, Stream, System};
use values::time::{SimTime, Span};

/// A running `wget` or `curl`.
#[derive(Clone, PartialEq, Debug)]
pub struct Fetch {
    tool: Tool,
    argv: Vec<String>,
    cwd: String,
    state: State,
    /// How often it has tried again.
    retried: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tool {
    Wget,
    Curl,
}

#[derive(Clone, PartialEq, Debug)]
enum State {
    New,
    /// Tries again then.
    Pausing(SimTime),
    Waiting {
        id: RequestId,
        options: Box<Options>,
        give_up_at: Option<SimTime>,
    },
}

#[derive(Clone, PartialEq, Debug, Default)]
struct Options {
    method: Option<String>,
    data: Option<String>,
    headers: Vec<(String, String)>,
    url: Option<String>,
    /// `-` is standard output.
    output: Option<String>,
    quiet: bool,
    show_error: bool,
    fail: bool,
    include: bool,
    head: bool,
    spider: bool,
    write_out: Option<String>,
    timeout: Option<Span>,
    /// How often curl tries again, and how long it waits; without a span each wait is twice the one before.
    retries: u32,
    retry_delay: Option<Span>,
    retry_refused: bool,
    retry_all: bool,
}

impl Fetch {
    pub fn new(tool: Tool, argv: &[String], cwd: &str) -> Fetch {
        Fetch { tool, argv: argv.to_vec(), cwd: cwd.to_owned(), state: State::New, retried: 0 }
    }

    pub fn poll(&mut self, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        match &self.state {
            State::New => self.start(machine, io),
            State::Pausing(until) if machine.now < *until => Poll::SleepUntil(*until),
            State::Pausing(_) => self.start(machine, io),
            State::Waiting { id, options, give_up_at } => match machine.net.take(*id) {
                Some(answer) => {
                    let options = options.clone();
                    if self.tool == Tool::Curl && self.retried < options.retries && options.is_transient(&answer) {
                        self.retried += 1;
                        let doubled = Span::secs(1 << (self.retried - 1).min(9));
                        let until = machine.now + options.retry_delay.unwrap_or(doubled);
                        self.state = State::Pausing(until);
                        return Poll::SleepUntil(until);
                    }
                    Poll::Exit(self.finish(answer, &options, machine, io))
                }
                None => match give_up_at {
                    Some(at) if machine.now >= *at => {
                        let timed_out = NetError::TimedOut { address: String::new(), port: 0 };
                        Poll::Exit(self.finish(Err(timed_out), &options.clone(), machine, io))
                    }
                    Some(at) => Poll::SleepUntil(*at),
                    None => Poll::Wait,
                },
            },
        }
    }

    fn start(&mut self, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        let options = match Options::parse(self.tool, &self.argv[1..]) {
            Ok(options) => options,
            Err((text, code)) => {
                io.err(&text);
                return Poll::Exit(code);
            }
        };
        let method = options.method.clone().unwrap_or_else(|| options.default_method().to_owned());
        let request = options.url.as_deref().and_then(|url| Request::to_url(&method, url));
        let Some(mut request) = request else {
            return Poll::Exit(self.no_url(&options, io));
        };
        request.headers = options.headers.clone();
        request.body = options.data.clone().unwrap_or_default().into_bytes();
        let give_up_at = options.timeout.map(|timeout| machine.now + timeout);
        if self.tool == Tool::Wget && !options.quiet {
            io.err(&format!("Connecting to {}:{}\n", request.host, request.port));
        }
        let id = machine.net.send(request);
        self.state = State::Waiting { id, options: Box::new(options), give_up_at };
        give_up_at.map_or(Poll::Wait, Poll::SleepUntil)
    }

    fn no_url(&self, options: &Options, io: &mut Io) -> i32 {
        match (self.tool, &options.url) {
            (Tool::Wget, Some(url)) => io.err(&format!("wget: bad address '{url}'\n")),
            (Tool::Wget, None) => {
                io.err("BusyBox v1.36.1 multi-call binary.\n\nUsage: wget [-cqS] [-O FILE] [-o LOGFILE] URL...\n")
            }
            (Tool::Curl, Some(_)) => io.err("curl: (3) URL rejected: Malformed input to a URL function\n"),
            (Tool::Curl, None) => io.err("curl: (2) no URL specified\n"),
        }
        match (self.tool, &options.url) {
            (Tool::Wget, _) => 1,
            (Tool::Curl, Some(_)) => 3,
            (Tool::Curl, None) => 2,
        }
    }

    fn finish(&self, answer: Answer, options: &Options, machine: &mut Machine<'_>, io: &mut Io) -> i32 {
        match (self.tool, answer) {
            (Tool::Wget, Ok(response)) => self.wget_answer(response, options, machine, io),
            (Tool::Wget, Err(error)) => {
                io.err(&wget_error(&error, options));
                1
            }
            (Tool::Curl, Ok(response)) => self.curl_answer(response, options, machine, io),
            (Tool::Curl, Err(error)) => curl_failure(&error, options, io),
        }
    }

    fn wget_answer(&self, response: Response, options: &Options, machine: &mut Machine<'_>, io: &mut Io) -> i32 {
        if !response.is_success() {
            io.err(&format!("wget: server returned error: HTTP/1.1 {} {}\n", response.status, response.reason()));
            return 1;
        }
        if options.spider {
            if !options.quiet {
                io.err("remote file exists\n");
            }
            return 0;
        }
        let name = options.output.clone().unwrap_or_else(|| file_name(options.url.as_deref().unwrap_or_default()));
        if name == "-" {
            io.output.write(Stream::Stdout, &response.body);
            if !options.quiet {
                io.err("writing to stdout\nwritten to stdout\n");
            }
            return 0;
        }
        if let Err(error) = machine.write_file(&resolve(&self.cwd, &name), &response.body, false) {
            io.err(&format!("wget: can't open '{name}': {error}\n"));
            return 1;
        }
        if !options.quiet {
            io.err(&format!("saving to '{name}'\n'{name}' saved\n"));
        }
        0
    }

    fn curl_answer(&self, response: Response, options: &Options, machine: &mut impl System, io: &mut Io) -> i32 {
        if options.fail && response.status >= 400 {
            if !options.quiet || options.show_error {
                io.err(&format!("curl: (22) The requested URL returned error: {}\n", response.status));
            }
            return 22;
        }
        let mut bytes = Vec::new();
        if options.include || options.head {
            let mut head = format!("HTTP/1.1 {} {}\r\n", response.status, response.reason());
            for (name, value) in &response.headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            bytes.extend_from_slice(head.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        if !options.head {
            bytes.extend_from_slice(&response.body);
        }
        match options.output.as_deref().filter(|name| *name != "-") {
            Some("/dev/null") => {}
            Some(name) => {
                if machine.write_file(&resolve(&self.cwd, name), &bytes, false).is_err() {
                    io.err("curl: (23) Failure writing output to destination\n");
                    return 23;
                }
            }
            None => io.output.write(Stream::Stdout, &bytes),
        }
        if let Some(format) = &options.write_out {
            io.out(&write_out(format, response.status));
        }
        0
    }
}

/// A `curl` on a machine where `ask` answers at once. `argv` is without the command's name; the exit code comes back.
pub fn curl_at_once<S: System>(
    argv: &[String],
    cwd: &str,
    system: &mut S,
    io: &mut Io,
    ask: impl Fn(&mut S, &Request) -> Answer,
) -> i32 {
    let options = match Options::parse(Tool::Curl, argv) {
        Ok(options) => options,
        Err((text, code)) => {
            io.err(&text);
            return code;
        }
    };
    let fetch = Fetch::new(Tool::Curl, argv, cwd);
    let method = options.method.clone().unwrap_or_else(|| options.default_method().to_owned());
    let Some(mut request) = options.url.as_deref().and_then(|url| Request::to_url(&method, url)) else {
        return fetch.no_url(&options, io);
    };
    request.headers = options.headers.clone();
    request.body = match options.data.as_deref().map(|data| (data, data.strip_prefix('@'))) {
        Some((_, Some("-"))) => io.stdin.take(),
        Some((_, Some(file))) => system.read_file(&resolve(cwd, file)).unwrap_or_default(),
        Some((data, None)) => data.as_bytes().to_vec(),
        None => Vec::new(),
    };
    match ask(system, &request) {
        Ok(response) => fetch.curl_answer(response, &options, system, io),
        Err(error) => curl_failure(&error, &options, io),
    }
}

fn curl_failure(error: &NetError, options: &Options, io: &mut Io) -> i32 {
    let (code, text) = curl_error(error);
    if !options.quiet || options.show_error {
        io.err(&format!("curl: ({code}) {text}\n"));
    }
    if let Some(format) = &options.write_out {
        io.out(&write_out(format, 0));
    }
    code
}

impl Options {
    /// Whether curl tries again after such an answer. (`src/tool_operate.c`, `post_per_transfer`)
    fn is_transient(&self, answer: &Answer) -> bool {
        match answer {
            Ok(response) => {
                matches!(response.status, 408 | 429 | 500 | 502 | 503 | 504)
                    || (self.retry_all && self.fail && response.status >= 400)
            }
            Err(NetError::NoSuchHost { .. } | NetError::TimedOut { .. }) => true,
            Err(NetError::Refused { .. }) => self.retry_refused || self.retry_all,
            Err(NetError::Closed { .. }) => self.retry_all,
        }
    }

    fn default_method(&self) -> &'static str {
        if self.head || self.spider {
            "HEAD"
        } else if self.data.is_some() {
            "POST"
        } else {
            "GET"
        }
    }

    /// Reads the arguments behind the command's name; the error has its exit code.
    fn parse(tool: Tool, args: &[String]) -> Result<Options, (String, i32)> {
        let mut options = Options::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if let Some(long) = arg.strip_prefix("--") {
                let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                let letter = long_name(tool, name).ok_or_else(|| unknown_option(tool, arg))?;
                let value = match value {
                    Some(value) => Some(value.to_owned()),
                    None if takes_value(tool, letter) => rest.next().cloned(),
                    None => None,
                };
                options.set(tool, letter, value.unwrap_or_default());
                continue;
            }
            let letters = match arg.strip_prefix('-') {
                Some(letters) if !letters.is_empty() => letters,
                _ => {
                    options.url = Some(arg.clone());
                    continue;
                }
            };
            for (at, letter) in letters.char_indices() {
                if !takes_value(tool, letter) {
                    options.set(tool, letter, String::new());
                    continue;
                }
                let joined = &letters[at + letter.len_utf8()..];
                let value =
                    if joined.is_empty() { rest.next().cloned().unwrap_or_default() } else { joined.to_owned() };
                options.set(tool, letter, value);
                break;
            }
        }
        Ok(options)
    }

    fn set(&mut self, tool: Tool, letter: char, value: String) {
        match (tool, letter) {
            (Tool::Wget, 'q') | (Tool::Curl, 's') => self.quiet = true,
            (Tool::Wget, 'O') | (Tool::Curl, 'o') => self.output = Some(value),
            (Tool::Wget, 'T') | (Tool::Curl, 'm') => self.timeout = value.parse().ok().map(Span::secs),
            (Tool::Wget, 'd') | (Tool::Curl, 'd') => self.data = Some(value),
            (Tool::Wget, 'H') | (Tool::Curl, 'H') => {
                if let Some((name, value)) = value.split_once(':') {
                    self.headers.push((name.trim().to_owned(), value.trim().to_owned()));
                }
            }
            (Tool::Wget, 'p') => self.spider = true,
            (Tool::Curl, 'X') => self.method = Some(value),
            (Tool::Curl, 'f') => self.fail = true,
            (Tool::Curl, 'i') => self.include = true,
            (Tool::Curl, 'I') => self.head = true,
            (Tool::Curl, 'S') => self.show_error = true,
            (Tool::Curl, 'w') => self.write_out = Some(value),
            (Tool::Curl, 'R') => self.retries = value.parse().unwrap_or(0),
            (Tool::Curl, 'D') => self.retry_delay = value.parse().ok().map(Span::secs),
            (Tool::Curl, 'C') => self.retry_refused = true,
            (Tool::Curl, 'E') => self.retry_all = true,
            _ => {}
        }
    }
}

fn takes_value(tool: Tool, letter: char) -> bool {
    match tool {
        Tool::Wget => matches!(letter, 'O' | 'T' | 'H' | 'd' | 't' | 'U' | 'P' | 'Y' | 'o'),
        Tool::Curl => {
            matches!(letter, 'o' | 'm' | 'd' | 'H' | 'X' | 'w' | 'u' | 'A' | 'b' | 'c' | 'T' | 'e' | 'x')
                || matches!(letter, 'F' | 'R' | 'D' | '1')
        }
    }
}

fn long_name(tool: Tool, name: &str) -> Option<char> {
    let table: &[(&str, char)] = match tool {
        Tool::Wget => &[
            ("quiet", 'q'),
            ("output-document", 'O'),
            ("timeout", 'T'),
            ("header", 'H'),
            ("post-data", 'd'),
            ("spider", 'p'),
            ("no-check-certificate", 'n'),
            ("no-verbose", 'q'),
            ("tries", 't'),
        ],
        Tool::Curl => &[
            ("silent", 's'),
            ("show-error", 'S'),
            ("output", 'o'),
            ("max-time", 'm'),
            ("connect-timeout", 'm'),
            ("data", 'd'),
            ("data-raw", 'd'),
            ("data-binary", 'd'),
            ("header", 'H'),
            ("request", 'X'),
            ("fail", 'f'),
            ("include", 'i'),
            ("head", 'I'),
            ("location", 'L'),
            ("write-out", 'w'),
            ("insecure", 'k'),
            ("user", 'u'),
            ("user-agent", 'A'),
            ("cookie", 'b'),
            ("cookie-jar", 'c'),
            ("upload-file", 'T'),
            ("referer", 'e'),
            ("proxy", 'x'),
            ("form", 'F'),
            ("compressed", 'z'),
            ("no-progress-meter", 'z'),
            ("progress-bar", '#'),
            ("fail-with-body", 'f'),
            ("json", 'd'),
            ("data-urlencode", 'd'),
            ("cacert", '1'),
            ("cert", '1'),
            ("key", '1'),
            ("proto", '1'),
            ("retry-max-time", '1'),
            ("retry", 'R'),
            ("retry-delay", 'D'),
            ("retry-connrefused", 'C'),
            ("retry-all-errors", 'E'),
            ("http1.1", 'z'),
            ("http2", 'z'),
            ("ipv4", 'z'),
            ("location-trusted", 'L'),
            ("verbose", 'v'),
        ],
    };
    table.iter().find(|(long, _)| *long == name).map(|(_, letter)| *letter)
}

fn unknown_option(tool: Tool, arg: &str) -> (String, i32) {
    match tool {
        Tool::Wget => (format!("wget: unrecognized option '{arg}'\n"), 1),
        Tool::Curl => (
            format!(
                "curl: option {arg}: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information\n"
            ),
            2,
        ),
    }
}

fn wget_error(error: &NetError, options: &Options) -> String {
    let target = options.url.as_deref().and_then(|url| Request::to_url("GET", url));
    match error {
        NetError::NoSuchHost { .. } => {
            let target = target.map(|r| format!("{}:{}", r.host, r.port)).unwrap_or_default();
            format!("wget: bad address '{target}'\n")
        }
        NetError::Refused { address, .. } => {
            format!("wget: can't connect to remote host ({address}): Connection refused\n")
        }
        NetError::TimedOut { .. } => "wget: download timed out\n".into(),
        NetError::Closed { .. } => "wget: error getting response\n".into(),
    }
}

/// Exit code and text.
pub fn curl_error(error: &NetError) -> (i32, String) {
    match error {
        NetError::NoSuchHost { host } => (6, format!("Could not resolve host: {host}")),
        NetError::Refused { address, port } => {
            (7, format!("Failed to connect to {address} port {port} after 0 ms: Could not connect to server"))
        }
        NetError::TimedOut { .. } => (28, "Connection timed out".into()),
        NetError::Closed { .. } => (52, "Empty reply from server".into()),
    }
}

/// curl's `-w`.
fn write_out(format: &str, status: u16) -> String {
    format
        .replace("%{http_code}", &format!("{status:03}"))
        .replace("%{response_code}", &format!("{status:03}"))
        .replace("\\n", "\n")
}

fn file_name(url: &str) -> String {
    let path = url.split("://").last().unwrap_or(url);
    let name = path.split_once('/').map_or("", |(_, rest)| rest).rsplit('/').next().unwrap_or("");
    if name.is_empty() { "index.html".into() } else { name.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_joined_and_apart() {
        let parse =
            |tool, line: &str| Options::parse(tool, &line.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap();
        let options = parse(Tool::Wget, "-q -O - http://server:8080/healthy");
        assert_eq!((options.quiet, options.output.as_deref()), (true, Some("-")));
        let options = parse(Tool::Wget, "-qO- -T5 http://a");
        assert_eq!((options.output.as_deref(), options.timeout), (Some("-"), Some(Span::secs(5))));
        let options = parse(Tool::Curl, "-s -X POST localhost:8080/q -d one");
        assert_eq!((options.method.as_deref(), options.data.as_deref()), (Some("POST"), Some("one")));
        assert!(Options::parse(Tool::Curl, &["--nosuch".into()]).is_err());
        assert_eq!(file_name("http://a/b/c.txt"), "c.txt");
        assert_eq!(file_name("http://a"), "index.html");
    }
}
