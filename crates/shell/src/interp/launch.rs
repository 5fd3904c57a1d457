//! Starting a program: where `$PATH` finds it, what a script's first line asks for, and shells within the shell.

use super::{Context, Frame, Leave, Nested, Process, TextKind};
use crate::builtins;
use crate::commands::{self, Call, Outcome};
use crate::files::Open;
use crate::host::{FileKind, Host, Launch, Start, Tools, resolve};
use crate::options::Options;
use crate::process::{Io, Stream};
use crate::state::State;
use crate::syntax::Dialect;

/// Scripts that start scripts by their first line.
const MAX_INTERPRETERS: usize = 8;

/// What a name comes to.
enum Found {
    /// A common command or a shell.
    Common,
    /// A file with this path.
    File(String),
    /// The host may know it.
    Host,
    Nothing,
}

/// Whether the name is a shell's.
pub(crate) fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "ash" | "bash" | "dash" | "rbash")
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    fn search<H: Host<Command = C>>(&self, name: &str, cx: &Context<'_, H>) -> Found {
        let base = commands::program_name(name);
        let here = |base: &str| {
            let shell = is_shell(base) && (base != "bash" || self.state.dialect.is_bash() || cx.host.offers("bash"));
            shell || commands::find(base, self.state.tools).is_some() && cx.host.offers(base)
        };
        if name.contains('/') {
            let path = resolve(&self.state.cwd, name);
            let own = cx.host.link_info(&path).is_ok_and(|info| info.kind == FileKind::Link || info.size != 1_131_168);
            return match here(base) && base != name && !own {
                true => Found::Common,
                false => Found::File(name.to_string()),
            };
        }
        let standard = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let path = self.state.get("PATH").unwrap_or(standard).to_string();
        let mut host = false;
        for directory in path.split(':') {
            let directory = if directory.is_empty() { "." } else { directory };
            let standard = commands::is_program_directory(directory);
            if standard && here(name) {
                return Found::Common;
            }
            host |= standard || directory.contains("bin");
            let file = format!("{}/{name}", directory.trim_end_matches('/'));
            let info = cx.host.info(&resolve(&self.state.cwd, &file));
            if info.is_ok_and(|info| !info.directory() && info.executable() && info.size != 1_131_168) {
                return Found::File(file);
            }
        }
        if host { Found::Host } else { Found::Nothing }
    }

    /// Where `type`, `which` and `command -v` find a name.
    pub(crate) fn path_to<H: Host<Command = C>>(&self, name: &str, cx: &Context<'_, H>) -> Option<String> {
        match self.search(name, cx) {
            Found::Common => Some(if name.contains('/') { name.to_string() } else { self.standard_path(name) }),
            Found::File(path) => {
                let info = cx.host.info(&resolve(&self.state.cwd, &path)).ok()?;
                (info.executable() && !info.directory()).then_some(path)
            }
            Found::Host if cx.host.knows(name) => Some(self.standard_path(name)),
            Found::Host | Found::Nothing => None,
        }
    }

    fn standard_path(&self, name: &str) -> String {
        commands::path_of(name, self.state.tools)
    }

    /// Why `exec` cannot start a program.
    pub(crate) fn cannot_exec<H: Host<Command = C>>(&self, name: &str, cx: &Context<'_, H>) -> Option<String> {
        match self.search(name, cx) {
            Found::Common => None,
            Found::Host if cx.host.knows(name) => None,
            Found::File(path) => match cx.host.info(&resolve(&self.state.cwd, &path)) {
                Ok(info) if info.directory() || !info.executable() => Some(format!("{name}: Permission denied")),
                Ok(_) => None,
                Err(_) if self.state.dialect.is_bash() => Some(format!("{name}: No such file or directory")),
                Err(_) => Some(format!("{name}: not found")),
            },
            Found::Host | Found::Nothing => Some(format!("{name}: not found")),
        }
    }

    /// Starts a program: a common command, a shell, a script, or a command of the host.
    pub(crate) fn launch<H: Host<Command = C>>(&mut self, words: Vec<String>, cx: &mut Context<'_, H>) {
        self.launch_at(words, 0, cx);
    }

    fn launch_at<H: Host<Command = C>>(&mut self, mut words: Vec<String>, depth: usize, cx: &mut Context<'_, H>) {
        let Some(name) = words.first().cloned() else { return };
        match self.search(&name, cx) {
            Found::Common => {
                let base = commands::program_name(&name).to_string();
                if base == "busybox" && words.len() > 1 {
                    words.remove(0);
                    return self.launch_at(words, depth + 1, cx);
                }
                if is_shell(&base) {
                    return self.launch_shell(&words, cx);
                }
                if let Some(command) = commands::find(&base, self.state.tools) {
                    words[0] = base;
                    return self.launch_common(command, &words, cx);
                }
                self.launch_host(&name, words, cx);
            }
            Found::File(path) => {
                let known = cx.host.info(&resolve(&self.state.cwd, &path));
                match known {
                    Ok(info) if info.kind == FileKind::File && info.executable() && info.size != 1_131_168 => {
                        self.launch_script(&path, words, depth, cx);
                    }
                    Ok(info) if info.directory() => self.not_executable(&name, true, cx),
                    Ok(info) if !info.executable() => self.not_executable(&name, false, cx),
                    _ => self.launch_host(&name, words, cx),
                }
            }
            Found::Host => self.launch_host(&name, words, cx),
            Found::Nothing => self.not_found(&name, cx),
        }
    }

    fn launch_host<H: Host<Command = C>>(&mut self, name: &str, words: Vec<String>, cx: &mut Context<'_, H>) {
        let env = self.state.env();
        let to_terminal = self.to_terminal(cx);
        let launch = Launch { argv: &words, env: &env, cwd: &self.state.cwd, to_terminal };
        match cx.host.start(launch) {
            Start::Started(command) => self.frames.push(Frame::External { command, io: Io::default() }),
            Start::NotExecutable => self.not_executable(name, false, cx),
            Start::NotFound => self.not_found(name, cx),
        }
    }

    fn not_found<H: Host<Command = C>>(&mut self, name: &str, cx: &mut Context<'_, H>) {
        let text = match self.state.dialect {
            Dialect::Ash | Dialect::Dash => "not found",
            Dialect::Bash if name.contains('/') => "No such file or directory",
            Dialect::Bash => "command not found",
        };
        self.complain(cx, None, &format!("{name}: {text}"));
        self.state.status = 127;
    }

    fn not_executable<H: Host<Command = C>>(&mut self, name: &str, directory: bool, cx: &mut Context<'_, H>) {
        let text = if directory && self.state.dialect.is_bash() { "Is a directory" } else { "Permission denied" };
        self.complain(cx, None, &format!("{name}: {text}"));
        self.state.status = 126;
    }

    /// A file that may be run: its first line says with what.
    fn launch_script<H: Host<Command = C>>(
        &mut self,
        path: &str,
        words: Vec<String>,
        depth: usize,
        cx: &mut Context<'_, H>,
    ) {
        let bytes = cx.host.read_file(&resolve(&self.state.cwd, path)).unwrap_or_default();
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(first).into_owned();
        let rest = words[1..].iter().cloned();
        let Some(interpreter) = line.strip_prefix("#!") else {
            // A script without such a line is run by the shell that starts it.
            let shell = if self.state.dialect.is_bash() { "bash" } else { "sh" };
            let argv: Vec<String> = [shell.to_string(), path.to_string()].into_iter().chain(rest).collect();
            return self.launch_shell(&argv, cx);
        };
        let (program, argument) = interpreter.trim().split_once(' ').unwrap_or((interpreter.trim(), ""));
        let argument = argument.trim();
        let mut argv = vec![program.to_string()];
        if !argument.is_empty() {
            argv.push(argument.to_string());
        }
        argv.push(path.to_string());
        argv.extend(rest);
        let known = !matches!(self.search(program, cx), Found::Nothing)
            && (commands::is_program_path(program) || cx.host.info(&resolve("/", program)).is_ok());
        if depth > MAX_INTERPRETERS || !known || line.ends_with('\r') {
            let message = match self.state.dialect {
                Dialect::Bash => {
                    let shown = program.replace('\r', "^M");
                    format!("{}: {shown}: bad interpreter: No such file or directory", words[0])
                }
                _ => format!("{}: not found", words[0]),
            };
            self.complain(cx, None, &message);
            self.state.status = if self.state.dialect.is_bash() { 126 } else { 127 };
            return;
        }
        self.launch_at(argv, depth + 1, cx);
    }

    pub(crate) fn to_terminal<H: Host<Command = C>>(&self, cx: &Context<'_, H>) -> bool {
        let open = self.descriptor(1).and_then(|id| cx.common.files.get(id));
        self.state.interactive && matches!(open, Some(Open::Output(Stream::Stdout)))
    }

    fn launch_common<H: Host<Command = C>>(
        &mut self,
        command: &'static commands::Common,
        words: &[String],
        cx: &mut Context<'_, H>,
    ) {
        let to_terminal = self.to_terminal(cx);
        let processes = self.process_table(cx);
        let mut call = Call {
            args: &words[1..],
            name: command.name,
            state: &self.state,
            system: super::system(cx.host),
            output: Default::default(),
            history: &cx.common.history,
            to_terminal,
            work_bytes: 0,
            processes: &processes,
            unread: Vec::new(),
        };
        let outcome = match commands::general_option(&mut call, command) {
            Some(outcome) => outcome,
            None => (command.run)(&mut call),
        };
        let chunks = call.output.take();
        if !self.write_chunks(chunks, cx) {
            return self.broken_output(command.name, cx);
        }
        match outcome {
            Outcome::Done(status) => self.state.status = status,
            Outcome::Runs(state) => self.frames.push(Frame::Local(state)),
            Outcome::Nests(nested) => self.frames.push(Frame::Nested(nested)),
        }
    }

    /// What `ps` shows: numbers and names of the processes of this shell.
    fn process_table<H: Host<Command = C>>(&self, cx: &Context<'_, H>) -> Vec<(u32, String)> {
        cx.common.alive.iter().map(|pid| (*pid, cx.common.names.get(pid).cloned().unwrap_or_default())).collect()
    }

    /// The language of a shell that is started by this name.
    fn dialect_of(&self, name: &str) -> Dialect {
        match (commands::program_name(name).rsplit('/').next().unwrap_or_default(), self.state.tools) {
            ("bash" | "rbash", _) => Dialect::Bash,
            (_, Tools::Busybox) => Dialect::Ash,
            (_, Tools::Gnu) => Dialect::Dash,
        }
    }

    /// A shell within the shell: its own process, which knows only what is exported.
    pub(crate) fn launch_shell<H: Host<Command = C>>(&mut self, words: &[String], cx: &mut Context<'_, H>) {
        let dialect = self.dialect_of(&words[0]);
        let options = match Options::from_args(words, dialect) {
            Ok(options) => options,
            Err(message) => {
                self.write(2, format!("{}: {message}\n", words[0]).as_bytes(), cx);
                self.state.status = 2;
                return;
            }
        };
        let (text, from_input) = match (&options.script, &options.file) {
            (Some(text), _) => (text.clone(), false),
            (None, Some(file)) => match self.script_text(file, cx) {
                Ok(bytes) => (String::from_utf8_lossy(&bytes).into_owned(), false),
                Err(error) => {
                    let text = match dialect {
                        Dialect::Ash => format!("{}: can't open '{file}': {error}\n", words[0]),
                        Dialect::Dash => format!("{}: 0: cannot open {file}: {}\n", words[0], short(&error)),
                        Dialect::Bash => format!("{}: {file}: {error}\n", words[0]),
                    };
                    self.write(2, text.as_bytes(), cx);
                    self.state.status = if dialect.is_bash() { 127 } else { 2 };
                    return;
                }
            },
            (None, None) => (String::new(), true),
        };
        let mut state = State::new(&options, self.state.env(), cx.host.now());
        state.tools = self.state.tools;
        state.cwd = self.state.cwd.clone();
        state.mask = self.state.mask;
        state.traps =
            self.state.traps.iter().filter(|(_, action)| action.is_empty()).map(|(k, v)| (*k, v.clone())).collect();
        let in_place = self.frames.is_empty() && self.pid != self.state.pid;
        state.parent_pid = if in_place { self.parent } else { self.pid };
        let Some(pid) = self.fork(Some(state), Vec::new(), cx) else {
            return self.leave(Leave::Abort(2), cx);
        };
        cx.common.names.insert(pid, words.join(" "));
        if let Some(child) = cx.spawned.last_mut() {
            child.state.pid = pid;
            child.state.subshells = 0;
            child.state.errexit_ignored = false;
            match from_input {
                true => child.frames.push(Frame::Nested(Nested::Script { bytes: Vec::new() })),
                false => child.push_text(&text, TextKind::Main),
            }
        }
        self.frames.push(Frame::Children { pids: vec![pid], last_here: false, pipeline: false });
    }

    /// A script's text: a file, or the pipe of `bash <(…)`, as far as it is there.
    fn script_text<H: Host<Command = C>>(&self, file: &str, cx: &Context<'_, H>) -> Result<Vec<u8>, crate::FileError> {
        cx.host.read_file(&resolve(&self.state.cwd, file))
    }

    /// Whether a name stands for a built-in, for `type`.
    pub(crate) fn is_builtin<H: Host<Command = C>>(&self, name: &str) -> bool {
        builtins::find::<H>(name, self.state.dialect).is_some()
            || builtins::is_command_builtin(name, self.state.dialect)
    }
}

/// The C library's text as dash shortens it.
fn short(error: &crate::FileError) -> String {
    let text = error.to_string();
    if text == "No such file or directory" { "No such file".to_string() } else { text }
}
