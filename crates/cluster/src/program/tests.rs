//! Plays what real shells and programs were asked, and compares: `tests/real.txt` says what they printed and how they ended.

use super::files::{FileTree, Files};
use shell::{
    Dialect, FileError, FileInfo, Host, Io, Launch, Options, Poll, Shell, Signal, Start, Stream, System, Tools,
    comes_with, command_names,
};
use values::sorted::SortedMap;
use values::time::{SimTime, Span};

/// Cases in which ours still differs, and why. One that is right again fails the test.
const WRONG: &[(&str, &str)] = &[
    ("39-ash", "the shell's own programs are found whatever PATH says"),
    ("45-ash", "test -p does not know which descriptors are pipes"),
    ("64-ash", "a number together with g in sed's s"),
    ("94-ash", "busybox's date leaves %N as it is"),
    ("119-ash", "the recordings' busybox (1.35) runs a trap after sleep; the sleep built into 1.36 ends at once"),
    ("159-ash", "/proc is empty"),
    ("159-bash", "/proc is empty"),
    ("197-ash", "there is no bc and no dc"),
    ("215-bash", "rarer functions of numbers in jq"),
    ("221-bash", "infinite numbers in jq are written otherwise"),
    ("256-ash", "texts about directories as files"),
    ("256-bash", "texts about directories as files"),
    ("271-bash", "--version and --help of the GNU programs"),
];

struct Machine<'a> {
    now: SimTime,
    draws: &'a mut u64,
    files: Files<'a>,
    tools: Tools,
    bash: bool,
}
const DEVICES: [&str; 9] = ["full", "null", "random", "stderr", "stdin", "stdout", "tty", "urandom", "zero"];
impl Machine<'_> {
    fn has(&self, name: &str) -> bool {
        if matches!(name, "sh" | "kill" | "printenv" | "printf" | "pwd" | "time") {
            return true;
        }
        if name == "bash" {
            return self.bash;
        }
        if name == "ash" {
            return self.tools == Tools::Busybox;
        }
        if name == "dash" {
            return self.tools == Tools::Gnu;
        }
        comes_with(name, self.tools)
    }
    fn program(&self, path: &str) -> bool {
        ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"]
            .iter()
            .any(|d| path.strip_prefix(d).is_some_and(|n| !n.contains('/') && self.has(n)))
    }
}
impl System for Machine<'_> {
    fn now(&self) -> SimTime {
        self.now
    }
    fn step_bytes(&self) -> u64 {
        1 << 16
    }
    fn random(&mut self) -> u64 {
        *self.draws = self.draws.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        *self.draws >> 20
    }
    fn host_name(&self) -> String {
        "box".into()
    }
    fn knows(&self, name: &str) -> bool {
        self.has(name)
    }
    fn offers(&self, name: &str) -> bool {
        self.has(name)
    }
    fn info(&self, path: &str) -> Result<FileInfo, FileError> {
        if let Some(n) = path.strip_prefix("/dev/")
            && DEVICES.contains(&n)
        {
            return Ok(FileInfo::device());
        }
        self.files
            .info(path)
            .or_else(|e| if self.program(path) { Ok(FileInfo::file(1_131_168, 0o755, SimTime::EPOCH)) } else { Err(e) })
    }
    fn read_file(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.files.read(path)
    }
    fn write_file(&mut self, path: &str, bytes: &[u8], append: bool) -> Result<(), FileError> {
        self.files.write(path, bytes, append)
    }
    fn list_dir(&self, path: &str) -> Result<Vec<String>, FileError> {
        let mut l = self.files.list(path)?;
        if path == "/dev" {
            l.extend(DEVICES.iter().map(|s| s.to_string()));
        }
        if path == "/bin" || path == "/usr/bin" {
            l.extend(command_names().filter(|n| self.has(n)).map(|s| s.to_string()));
            l.push("sh".into());
        }
        l.sort();
        l.dedup();
        Ok(l)
    }
    fn make_dir(&mut self, path: &str) -> Result<(), FileError> {
        self.files.make_dir(path)
    }
    fn remove(&mut self, path: &str) -> Result<(), FileError> {
        self.files.remove(path)
    }
    fn rename(&mut self, a: &str, b: &str) -> Result<(), FileError> {
        self.files.rename(a, b)
    }
    fn link_info(&self, path: &str) -> Result<FileInfo, FileError> {
        match self.files.link_info(path) {
            Err(_) => self.info(path),
            ok => ok,
        }
    }
    fn read_link(&self, path: &str) -> Result<String, FileError> {
        self.files.read_link(path)
    }
    fn make_link(&mut self, t: &str, p: &str) -> Result<(), FileError> {
        self.files.make_link(t, p)
    }
    fn make_pipe(&mut self, p: &str) -> Result<(), FileError> {
        self.files.make_pipe(p)
    }
    fn set_mode(&mut self, p: &str, m: u32) -> Result<(), FileError> {
        self.files.set_mode(p, m)
    }
    fn set_owner(&mut self, p: &str, u: u32, g: u32) -> Result<(), FileError> {
        self.files.set_owner(p, u, g)
    }
    fn set_modified(&mut self, p: &str, at: SimTime) -> Result<(), FileError> {
        self.files.set_modified(p, at)
    }
}
impl Host for Machine<'_> {
    type Command = ();
    fn start(&mut self, _: Launch<'_>) -> Start<()> {
        Start::NotFound
    }
    fn poll(&mut self, _: &mut (), _: &mut Io) -> Poll {
        Poll::Exit(0)
    }
    fn signal(&mut self, _: &mut (), _: Signal) {}
}

struct Case<'a> {
    id: &'a str,
    image: &'a str,
    shell: &'a str,
    script: String,
    exit: i32,
    out: String,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    let mut gives = false;
    for line in text.lines().filter(|line| !line.starts_with("#") || line.starts_with("#!")) {
        if let Some(exit) = line.strip_prefix("%%% gives ") {
            cases.last_mut().expect("a case").exit = exit.parse().expect("an exit code");
            gives = true;
        } else if let Some(head) = line.strip_prefix("%%% ") {
            let words: Vec<&str> = head.splitn(4, ' ').collect();
            let (script, out) = (String::new(), String::new());
            cases.push(Case { id: words[0], image: words[1], shell: words[2], script, exit: 0, out });
            gives = false;
        } else if let Some(case) = cases.last_mut() {
            let part = if gives { &mut case.out } else { &mut case.script };
            part.push_str(line);
            part.push('\n');
        }
    }
    cases
}

fn tree(debian: bool, now: SimTime) -> FileTree {
    let mut own = FileTree::default();
    for path in ["/bin", "/dev", "/etc", "/proc", "/sys", "/tmp", "/usr/bin", "/var"] {
        own.put_dir(path);
    }
    for home in ["home", "root"] {
        own.put_dir(&format!("/{home}"));
    }
    let passwd = ["root:x:0:0:root:", "root:", "bin/sh\n"].join("/");
    own.put("/etc/passwd", passwd.as_bytes(), false, now);
    own.put("/etc/hostname", b"box\n", false, now);
    own.put("/etc/hosts", b"127.0.0.1\tlocalhost\n", false, now);
    if debian {
        let release = b"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n";
        own.put("/etc/os-release", release, false, now);
    }
    own
}

/// What a case prints, and how it ends.
fn play(case: &Case<'_>) -> (String, i32) {
    let started = SimTime::parse_rfc3339("2026-11-30T12:00:00Z").expect("a time");
    let mut now = started;
    let debian = case.image.starts_with("debian");
    let tools = if debian { Tools::Gnu } else { Tools::Busybox };
    let dialect = match (case.shell, tools) {
        ("bash", _) => Dialect::Bash,
        (_, Tools::Gnu) => Dialect::Dash,
        _ => Dialect::Ash,
    };
    let argv = [case.shell, "-c", case.script.strip_suffix('\n').unwrap_or(&case.script)].map(str::to_string);
    let mut options = Options::from_args(&argv, dialect).expect("right arguments");
    options.tools = tools;
    let home = format!("/{}", "root");
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    for (name, value) in [("PATH", path), ("HOME", &home), ("HOSTNAME", "box")] {
        options.env.insert(name.to_string(), value.to_string());
    }
    options.first_process = true;
    options.started = now;
    let script = options.script.take().unwrap_or_default();
    let mut shell: Shell<()> = Shell::new(&script, options);
    let (mut own, mut volumes, mut draws) = (tree(debian, now), SortedMap::new(), 42);
    let mut io = Io::without_input();
    let mut out = Vec::new();
    for polls in 1..200_000 {
        let files = Files { own: &mut own, volumes: &mut volumes, mounts: &[], now };
        let bash = !case.image.starts_with("busybox");
        let mut machine = Machine { now, draws: &mut draws, tools, bash, files };
        let poll = shell.poll(&mut machine, &mut io, &mut 4000);
        for chunk in io.output.take() {
            if chunk.stream == Stream::Stdout {
                out.extend(chunk.bytes);
            }
        }
        match poll {
            Poll::Exit(code) => return (String::from_utf8_lossy(&out).replace('\0', "\u{2400}"), code),
            Poll::SleepUntil(at) => now = at.max(now + Span::ms(1)),
            Poll::Yield => now += Span::ms(if polls % 4 == 0 { 2 } else { 1 }),
            Poll::Wait => return ("waits for ever".into(), -1),
        }
    }
    ("goes on".into(), -1)
}

#[test]
fn scripts_print_what_the_real_shells_and_programs_print() {
    let mut differs = Vec::new();
    let text = include_str!("tests/real.txt");
    for case in cases(text) {
        let (out, exit) = play(&case);
        let same = exit == case.exit && out.trim_end_matches('\n') == case.out.trim_end_matches('\n');
        let known = WRONG.iter().any(|(id, _)| *id == case.id);
        if same == known {
            differs.push(format!(
                "{}: {}\nreally {} {:?}\nours   {exit} {out:?}",
                case.id, case.script, case.exit, case.out
            ));
        }
    }
    assert!(differs.is_empty(), "{}", differs.join("\n\n"));
}
