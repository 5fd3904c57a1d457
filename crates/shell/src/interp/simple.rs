//! Simple commands: assignments, and finding what a name means — function, built-in, common command, shell, or a
//! command of the host (POSIX.1 XCU 2.9.1).

use std::rc::Rc;

use super::redirect::Target;
use super::{Context, Frame, Leave, Nested, Process, Saved, TextKind};
use crate::builtins::{self, Flow};
use crate::commands::{self, Call, Outcome};
use crate::escapes::quote;
use crate::expand::Halt;
use crate::expand::read_only_message;
use crate::files::Open;
use crate::host::{Host, Launch, Start, resolve};
use crate::options::Options;
use crate::process::Stream;
use crate::state::State;
use crate::syntax::Dialect;
use crate::syntax::ast::{Assign, Command, Redirect, Simple, Word};

/// A simple command after expansion.
struct Ready {
    words: Vec<String>,
    targets: Vec<Target>,
    /// What the assigned variables were before.
    saved: Saved,
    /// `name=value` for `set -x`.
    shown: Vec<String>,
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    pub(crate) fn start_simple<H: Host<Command = C>>(
        &mut self,
        command: &Rc<Command>,
        simple: &Simple,
        known: Vec<String>,
        cx: &mut Context<'_, H>,
    ) {
        let has_substitution = simple.words.iter().any(Word::has_substitution)
            || simple.assigns.iter().any(|assign| assign.value.has_substitution())
            || command.redirects.iter().any(Redirect::has_substitution);
        let ready = self.expand(command, &known, has_substitution, cx, |expander| {
            let words = expander.words(&simple.words)?;
            let targets = Target::expand(expander, &command.redirects)?;
            let (mut saved, mut shown) = (Vec::new(), Vec::new());
            for Assign { name, append, value } in &simple.assigns {
                let value = expander.text(value)?;
                saved.push((name.clone(), expander.state.vars.get(name).cloned()));
                let before = if *append { expander.state.get(name).unwrap_or_default() } else { "" };
                let value = format!("{before}{value}");
                shown.push(format!("{name}={}", quote(&value)));
                let dialect = expander.state.dialect;
                expander.state.set(name, value).map_err(|_| Halt::Fail(read_only_message(dialect, name)))?;
            }
            Ok(Ready { words, targets, saved, shown })
        });
        let Some(ready) = ready else { return };
        if self.state.flags.xtrace {
            let words = ready.words.iter().map(|word| quote(word));
            let line = ready.shown.iter().cloned().chain(words).collect::<Vec<_>>().join(" ");
            let prompt = self.state.get("PS4").unwrap_or("+ ").to_string();
            self.write(2, format!("{prompt}{line}\n").as_bytes(), cx);
        }
        self.run_ready(ready, cx);
    }

    fn run_ready<H: Host<Command = C>>(&mut self, ready: Ready, cx: &mut Context<'_, H>) {
        let Ready { words, targets, saved, .. } = ready;
        let Ok(redirected) = self.apply_redirects(targets, cx) else {
            self.restore(if words.is_empty() { Vec::new() } else { saved });
            self.state.status = 1;
            return;
        };
        let Some(name) = words.first() else {
            self.undo_redirects(redirected, cx);
            self.state.status = self.substitution_status.unwrap_or(0);
            return;
        };
        if name == "exec" {
            return self.exec(words, cx);
        }
        if !saved.is_empty() {
            for (name, _) in &saved {
                self.state.vars.entry(name.clone()).or_default().exported = true;
            }
            self.frames.push(Frame::Restore(saved));
        }
        if !redirected.is_empty() {
            self.frames.push(Frame::Redirected { saved: redirected });
        }
        self.run_words(words, true, cx);
    }

    /// Runs a command by name; `functions`: whether functions may be meant (not after `command`).
    pub(crate) fn run_words<H: Host<Command = C>>(
        &mut self,
        words: Vec<String>,
        functions: bool,
        cx: &mut Context<'_, H>,
    ) {
        let Some(name) = words.first() else { return };
        if let Some(body) = self.state.functions.get(name).filter(|_| functions).cloned() {
            let positional = std::mem::replace(&mut self.state.positional, words[1..].to_vec());
            self.frames.push(Frame::Call { positional, locals: Vec::new() });
            self.frames.push(Frame::Command { command: body, known: Vec::new() });
            return;
        }
        if let Some(builtin) = builtins::find(name) {
            match (builtin.run)(self, &words, cx) {
                Flow::Done(status) => self.state.status = status,
                Flow::Continues => {}
                Flow::Leave(leave) => self.leave(leave, cx),
            }
            return;
        }
        self.launch(words, cx);
    }

    /// `exec`: without a command the redirections stay; with one, it takes the shell's place.
    fn exec<H: Host<Command = C>>(&mut self, words: Vec<String>, cx: &mut Context<'_, H>) {
        self.state.status = 0;
        if words.len() < 2 {
            return;
        }
        self.frames.clear();
        self.state.traps.clear();
        self.launch(words[1..].to_vec(), cx);
        if self.state.interactive && self.is_prompt() {
            self.state.interactive = false;
        }
    }

    /// Starts a program: a common command, a shell, or a command of the host.
    pub(crate) fn launch<H: Host<Command = C>>(&mut self, mut words: Vec<String>, cx: &mut Context<'_, H>) {
        let Some(name) = words.first().cloned() else { return };
        let base = commands::program_name(&name).to_string();
        if matches!(base.as_str(), "sh" | "ash" | "bash" | "dash") {
            return self.launch_shell(&words, cx);
        }
        if let Some(command) = commands::find(&base).filter(|_| cx.host.has_common(&base)) {
            words[0] = base;
            return self.launch_common(command, &words, cx);
        }
        let env = self.state.env();
        let to_terminal = self.to_terminal(cx);
        let launch = Launch { argv: &words, env: &env, cwd: &self.state.cwd, to_terminal };
        match cx.host.start(launch) {
            Start::Started(command) => {
                let io = crate::process::Io::default();
                self.frames.push(Frame::External { command, io });
            }
            Start::NotExecutable => self.not_executable(&name, cx),
            Start::NotFound if name.contains('/') => self.launch_file(&name, &words, cx),
            Start::NotFound => self.not_found(&name, cx),
        }
    }

    fn not_found<H: Host<Command = C>>(&mut self, name: &str, cx: &mut Context<'_, H>) {
        let text = match self.state.dialect {
            Dialect::Ash => "not found",
            Dialect::Bash if name.contains('/') => "No such file or directory",
            Dialect::Bash => "command not found",
        };
        self.complain(cx, None, &format!("{name}: {text}"));
        self.state.status = 127;
    }

    fn not_executable<H: Host<Command = C>>(&mut self, name: &str, cx: &mut Context<'_, H>) {
        self.complain(cx, None, &format!("{name}: Permission denied"));
        self.state.status = 126;
    }

    /// A path: a script, if it is a file that may be run.
    fn launch_file<H: Host<Command = C>>(&mut self, name: &str, words: &[String], cx: &mut Context<'_, H>) {
        match cx.host.info(&resolve(&self.state.cwd, name)) {
            Err(_) => self.not_found(name, cx),
            Ok(info) if info.directory && self.state.dialect == Dialect::Bash => {
                self.complain(cx, None, &format!("{name}: Is a directory"));
                self.state.status = 126;
            }
            Ok(info) if info.directory || !info.executable => self.not_executable(name, cx),
            Ok(_) => {
                let mut argv = vec!["sh".to_string()];
                argv.extend_from_slice(words);
                self.launch_shell(&argv, cx);
            }
        }
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
        let mut call = Call {
            args: &words[1..],
            name: command.name,
            state: &self.state,
            system: super::system(cx.host),
            output: Default::default(),
            history: &cx.common.history,
            to_terminal,
            work_bytes: 0,
        };
        let wants_help = words.len() == 2
            && words[1] == "--help"
            && !matches!(command.name, "echo" | "true" | "false" | "test" | "[" | "printf" | "expr");
        let outcome = if wants_help { call.help(command) } else { (command.run)(&mut call) };
        let chunks = call.output.take();
        if !self.write_chunks(chunks, cx) {
            return self.broken_pipe(cx);
        }
        match outcome {
            Outcome::Done(status) => self.state.status = status,
            Outcome::Runs(state) => self.frames.push(Frame::Local(state)),
            Outcome::Nests(nested) => self.frames.push(Frame::Nested(nested)),
        }
    }

    /// A shell within the shell: its own process, which knows only what is exported.
    pub(crate) fn launch_shell<H: Host<Command = C>>(&mut self, words: &[String], cx: &mut Context<'_, H>) {
        let ash = self.state.dialect == Dialect::Ash;
        let dialect = if !ash && words[0].ends_with("bash") { Dialect::Bash } else { self.state.dialect };
        let options = match Options::from_args(words, dialect) {
            Ok(options) => options,
            Err(message) => {
                self.complain(cx, None, &message);
                self.state.status = 2;
                return;
            }
        };
        let (text, from_input) = match (&options.script, &options.file) {
            (Some(text), _) => (text.clone(), false),
            (None, Some(file)) => match cx.host.read_file(&resolve(&self.state.cwd, file)) {
                Ok(bytes) => (String::from_utf8_lossy(&bytes).into_owned(), false),
                Err(error) => {
                    let text = match dialect {
                        Dialect::Ash => format!("{}: can't open '{file}': {error}\n", words[0]),
                        Dialect::Bash => format!("{}: {file}: {error}\n", words[0]),
                    };
                    self.write(2, text.as_bytes(), cx);
                    self.state.status = if ash { 2 } else { 127 };
                    return;
                }
            },
            (None, None) => (String::new(), true),
        };
        let mut state = State::new(&options, self.state.env(), cx.host.now());
        state.cwd = self.state.cwd.clone();
        state.parent_pid = self.pid;
        let Some(pid) = self.fork(Some(state), Vec::new(), cx) else {
            return self.leave(Leave::Abort(2), cx);
        };
        if let Some(child) = cx.spawned.last_mut() {
            child.state.pid = pid;
            child.state.errexit_ignored = false;
            match from_input {
                true => child.frames.push(Frame::Nested(Nested::Script { bytes: Vec::new() })),
                false => child.push_text(&text, TextKind::Main),
            }
        }
        self.frames.push(Frame::Children { pids: vec![pid] });
    }
}
