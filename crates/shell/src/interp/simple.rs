//! Simple commands: assignments, tracing, and what runs by name — function, built-in, or a program (POSIX.1 XCU 2.9.1).

use std::rc::Rc;

use super::redirect::Target;
use super::{Context, Frame, Leave, Listed, Process, Saved, TextKind};
use crate::builtins::{self, Flow};
use crate::escapes::{quote, quote_if_needed};
use crate::host::Host;
use crate::state::Event;
use crate::syntax::Dialect;
use crate::syntax::ast::{Assign, AssignValue, Command, Redirect, Simple, Word};

/// A simple command after expansion.
struct Ready {
    words: Vec<String>,
    targets: Vec<Target>,
    /// What the assigned variables were before.
    saved: Saved,
    lists: Vec<Listed>,
    declared: Vec<Listed>,
    /// `name=value` for `set -x`.
    shown: Vec<String>,
    /// Whether `>file` may not replace a file.
    noclobber: bool,
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    pub(crate) fn start_simple<H: Host<Command = C>>(
        &mut self,
        command: &Rc<Command>,
        simple: &Simple,
        known: Vec<String>,
        cx: &mut Context<'_, H>,
    ) {
        if known.is_empty() && self.debug_trap(command) {
            return;
        }
        if self.state.dialect.is_bash() && !self.in_trap() {
            self.state.command = command.text.clone();
        }
        let has_substitution = simple.words.iter().any(Word::has_substitution)
            || simple.assigns.iter().chain(&simple.declared).any(Assign::has_substitution)
            || command.redirects.iter().any(Redirect::has_substitution);
        let ready = self.expand(command, &known, has_substitution, cx, |expander| {
            let words = expander.words(&simple.words)?;
            let targets = Target::expand(expander, &command.redirects)?;
            let (mut saved, mut shown, mut lists) = (Vec::new(), Vec::new(), Vec::new());
            for assign in &simple.assigns {
                let Assign { name, index, append, value } = assign;
                let value = match value {
                    AssignValue::Word(word) => expander.text(word)?,
                    AssignValue::List(_) => {
                        let keyed = expander.state.is_keyed(name);
                        lists.push(Listed::expand(expander, assign, keyed)?);
                        continue;
                    }
                };
                if !words.is_empty() {
                    saved.push((name.clone(), expander.state.vars.get(name).cloned()));
                }
                let key = match index {
                    Some(index) => Some(expander.key(name, index)?),
                    None => None,
                };
                let sign = if *append { "+=" } else { "=" };
                let place = key.as_ref().map(|key| format!("[{key}]")).unwrap_or_default();
                shown.push(format!("{name}{place}{sign}{}", quote_if_needed(&value, expander.state.dialect)));
                expander.assign(name, key.as_deref(), value, *append)?;
            }
            let mut declared = Vec::new();
            let makes_keyed = words.iter().any(|word| word.starts_with('-') && word.contains('A'));
            for assign in &simple.declared {
                let keyed = makes_keyed || expander.state.is_keyed(&assign.name);
                declared.push(Listed::expand(expander, assign, keyed)?);
            }
            let noclobber = expander.state.flags.noclobber;
            Ok(Ready { words, targets, saved, lists, declared, shown, noclobber })
        });
        let Some(ready) = ready else { return };
        if self.state.flags.xtrace {
            self.trace(&ready, cx);
        }
        if let Some(last) = ready.words.last() {
            self.state.last_argument.clone_from(last);
        }
        self.run_ready(ready, cx);
    }

    /// Runs the DEBUG trap before a command; the command comes again after it.
    fn debug_trap(&mut self, command: &Rc<Command>) -> bool {
        if self.in_trap() || std::mem::take(&mut self.state.debugged) {
            return false;
        }
        let inside = self.in_function() && !self.state.flags.functrace;
        let Some(action) = self.state.traps.get(&Event::Debug).filter(|_| !inside).cloned() else { return false };
        self.state.debugged = true;
        self.state.command = command.text.clone();
        self.frames.push(Frame::Command { command: command.clone(), known: Vec::new() });
        let status = self.state.status;
        self.push_text(&action, TextKind::Trap { status, event: Event::Debug });
        true
    }

    /// Whether the action of an ERR, DEBUG or RETURN trap runs.
    pub(crate) fn in_trap(&self) -> bool {
        self.frames.iter().any(|frame| {
            matches!(
                frame,
                Frame::Text { kind: TextKind::Trap { event: Event::Error | Event::Debug | Event::Return, .. }, .. }
            )
        })
    }

    /// `set -x`
    fn trace<H: Host<Command = C>>(&mut self, ready: &Ready, cx: &mut Context<'_, H>) {
        let dialect = self.state.dialect;
        let words: Vec<String> = ready.words.iter().map(|word| quote_if_needed(word, dialect)).collect();
        let lists = ready.lists.iter().map(|list| {
            let items: Vec<String> = list.elements.iter().map(|(_, _, value)| quote(value)).collect();
            format!("{}{}({})", list.name, if list.append { "+=" } else { "=" }, items.join(" "))
        });
        let shown: Vec<String> = ready.shown.iter().cloned().chain(lists).collect();
        if !dialect.is_bash() {
            let line = shown.into_iter().chain(words).collect::<Vec<_>>().join(" ");
            return self.trace_line(&line, cx);
        }
        // bash gives each assignment a line of its own.
        for assign in shown {
            self.trace_line(&assign, cx);
        }
        if !words.is_empty() {
            self.trace_line(&words.join(" "), cx);
        }
    }

    /// A line of `set -x` behind `$PS4`; bash repeats its first letter in substitutions.
    pub(crate) fn trace_line<H: Host<Command = C>>(&mut self, line: &str, cx: &mut Context<'_, H>) {
        let prompt = self.state.get("PS4").unwrap_or("+ ").to_string();
        let prompt = prompt.replace("$LINENO", &self.state.line.to_string());
        let prompt = prompt.replace("${LINENO}", &self.state.line.to_string());
        let deeper = if self.state.dialect.is_bash() { self.state.trace_depth as usize } else { 0 };
        let first: String = prompt.chars().take(1).collect::<String>().repeat(deeper);
        self.write(2, format!("{first}{prompt}{line}\n").as_bytes(), cx);
    }

    fn run_ready<H: Host<Command = C>>(&mut self, ready: Ready, cx: &mut Context<'_, H>) {
        let Ready { words, targets, saved, lists, declared, noclobber, .. } = ready;
        let special = words.first().is_some_and(|name| builtins::is_special(name)) || words.is_empty();
        let exec_only = words.len() == 1 && words[0] == "exec";
        let Ok(redirected) = self.apply_redirects(targets, noclobber, cx) else {
            self.restore(saved);
            self.state.status = 1;
            // A redirection that fails on a special built-in ends a script (POSIX.1 XCU 2.8.1).
            if special && (!self.state.dialect.is_bash() || exec_only) && !self.state.interactive {
                let status = if self.state.dialect == Dialect::Dash { 2 } else { 1 };
                self.leave(Leave::Abort(status), cx);
            }
            return;
        };
        if !lists.is_empty() && !self.assign_lists(lists, false, cx) {
            return;
        }
        let Some(name) = words.first() else {
            self.undo_redirects(redirected, cx);
            self.state.status = self.substitution_status.unwrap_or(0);
            return;
        };
        if name == "exec" {
            return self.exec(words, redirected, cx);
        }
        if !declared.is_empty() {
            self.frames.push(Frame::Declared(declared));
        }
        if !saved.is_empty() {
            for (name, _) in &saved {
                self.state.vars.entry(name.clone()).or_default().exported = true;
            }
            // Assignments in front of a special built-in stay in POSIX shells.
            if !(special && !self.state.dialect.is_bash() && name != "exec") {
                self.frames.push(Frame::Restore(saved));
            }
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
        if functions && self.expands_alias(&words) {
            return;
        }
        if let Some(body) = self.state.functions.get(name).filter(|_| functions).cloned() {
            let positional = std::mem::replace(&mut self.state.positional, words[1..].to_vec());
            self.state.calls.push((name.clone(), self.state.line));
            self.frames.push(Frame::Call { positional, locals: Vec::new(), trapped: false });
            self.frames.push(Frame::Command { command: body, known: Vec::new() });
            return;
        }
        if let Some(builtin) = builtins::find(name, self.state.dialect) {
            match (builtin.run)(self, &words, cx) {
                Flow::Done(status) => self.state.status = status,
                Flow::Continues => {}
                Flow::Leave(leave) => self.leave(leave, cx),
            }
            return;
        }
        self.launch(words, cx);
    }

    /// Whether the command was an alias, which then runs as a text.
    fn expands_alias(&mut self, words: &[String]) -> bool {
        if self.state.aliases.is_empty() || self.state.dialect.is_bash() && !self.state.flags.expand_aliases {
            return false;
        }
        // What an alias stands for is not expanded again within itself.
        let inside = self.frames.iter().any(|frame| matches!(frame, Frame::Text { kind: TextKind::Alias, .. }));
        let Some(text) = self.state.aliases.get(&words[0]).filter(|_| !inside).cloned() else { return false };
        let rest: Vec<String> = words[1..].iter().map(|word| quote(word)).collect();
        self.push_text(&format!("{text} {}", rest.join(" ")), TextKind::Alias);
        true
    }

    /// `exec`: without a command the redirections stay; with one, it takes the shell's place.
    fn exec<H: Host<Command = C>>(
        &mut self,
        mut words: Vec<String>,
        redirected: Vec<(u32, Option<crate::files::OpenId>)>,
        cx: &mut Context<'_, H>,
    ) {
        self.state.status = 0;
        words.remove(0);
        let mut name = None;
        while let Some(option) = words.first().filter(|word| word.starts_with('-')).cloned() {
            words.remove(0);
            match option.as_str() {
                "-a" if !words.is_empty() => name = Some(words.remove(0)),
                "--" => break,
                _ => {}
            }
        }
        if words.is_empty() {
            cx.common.dirty |= !redirected.is_empty();
            return;
        }
        if let Some(message) = self.cannot_exec(&words[0], cx) {
            let status = if message.ends_with("ermission denied") { 126 } else { 127 };
            self.complain(cx, Some("exec"), &message);
            self.undo_redirects(redirected, cx);
            return self.leave(Leave::Abort(status), cx);
        }
        self.unwind(cx);
        self.state.traps.clear();
        self.launch(words, cx);
        debug_assert!(name.is_none() || !self.frames.is_empty() || self.exiting.is_none(), "a name changes no program");
        if self.state.interactive && self.is_prompt() {
            self.state.interactive = false;
        }
    }
}
