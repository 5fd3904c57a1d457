//! Redirections: opening their targets, changing descriptors, and undoing that after the command.

use super::{Context, Process};
use crate::expand::{Expander, Halt};
use crate::files::{Open, OpenId};
use crate::host::{FileError, Host, resolve};
use crate::syntax::Dialect;
use crate::syntax::ast::{Action, Redirect};

impl Redirect {
    pub(crate) fn has_substitution(&self) -> bool {
        match &self.action {
            Action::Read(word)
            | Action::Write(word)
            | Action::Append(word)
            | Action::ReadWrite(word)
            | Action::Duplicate(word)
            | Action::Both { target: word, .. }
            | Action::Text(word) => word.has_substitution(),
        }
    }
}

/// A redirection whose target is expanded.
pub(super) struct Target {
    fd: u32,
    mode: Mode,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Read,
    Write { append: bool },
    Both { append: bool },
    Duplicate,
    Text,
}

impl Target {
    pub(crate) fn expand(expander: &mut Expander<'_>, redirects: &[Redirect]) -> Result<Vec<Target>, Halt> {
        let mut targets = Vec::with_capacity(redirects.len());
        for redirect in redirects {
            let (mode, word) = match &redirect.action {
                Action::Read(word) | Action::ReadWrite(word) => (Mode::Read, word),
                Action::Write(word) => (Mode::Write { append: false }, word),
                Action::Append(word) => (Mode::Write { append: true }, word),
                Action::Duplicate(word) => (Mode::Duplicate, word),
                Action::Both { target, append } => (Mode::Both { append: *append }, target),
                Action::Text(word) => (Mode::Text, word),
            };
            targets.push(Target { fd: redirect.fd, mode, text: expander.text(word)? });
        }
        Ok(targets)
    }
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    /// Changes the descriptors; gives what they were. On an error it is reported and nothing is changed.
    pub(super) fn apply_redirects<H: Host<Command = C>>(
        &mut self,
        targets: Vec<Target>,
        cx: &mut Context<'_, H>,
    ) -> Result<Vec<(u32, Option<OpenId>)>, ()> {
        let mut saved = Vec::new();
        for target in targets {
            if let Err(message) = self.apply_redirect(&target, &mut saved, cx) {
                self.undo_redirects(saved, cx);
                self.complain(cx, None, &message);
                return Err(());
            }
        }
        Ok(saved)
    }

    fn apply_redirect<H: Host<Command = C>>(
        &mut self,
        target: &Target,
        saved: &mut Vec<(u32, Option<OpenId>)>,
        cx: &mut Context<'_, H>,
    ) -> Result<(), String> {
        let path = resolve(&self.state.cwd, &target.text);
        let id = match target.mode {
            Mode::Text => Some(cx.common.files.add(Open::Bytes { bytes: target.text.clone().into_bytes(), at: 0 })),
            Mode::Read if path == "/dev/stdin" => self.descriptor(0),
            Mode::Read => Some(
                cx.common
                    .files
                    .open_to_read(&path, cx.host)
                    .map_err(|error| self.open_error(&target.text, error, false))?,
            ),
            Mode::Write { .. } if path == "/dev/stdout" => self.descriptor(1),
            Mode::Write { .. } if path == "/dev/stderr" => self.descriptor(2),
            Mode::Write { append } | Mode::Both { append } => {
                let opened = cx.common.files.open_to_write(&path, append, cx.host);
                Some(opened.map_err(|error| self.open_error(&target.text, error, true))?)
            }
            Mode::Duplicate if target.text == "-" => None,
            Mode::Duplicate => {
                let source = target.text.parse::<u32>().ok().and_then(|fd| self.descriptor(fd));
                Some(source.ok_or_else(|| match self.state.dialect {
                    Dialect::Ash => format!("{}: Bad file descriptor", target.text),
                    Dialect::Bash => format!("{}: Bad file descriptor", target.text),
                })?)
            }
        };
        let both = matches!(target.mode, Mode::Both { .. });
        for fd in if both { vec![1, 2] } else { vec![target.fd] } {
            saved.push((fd, self.descriptor(fd)));
            match id {
                Some(id) => self.descriptors.insert(fd, id),
                None => self.descriptors.remove(&fd),
            };
        }
        Ok(())
    }

    fn open_error(&self, path: &str, error: FileError, create: bool) -> String {
        match (self.state.dialect, create, error) {
            (Dialect::Bash, ..) => format!("{path}: {error}"),
            (_, true, FileError::NotFound) => format!("can't create {path}: nonexistent directory"),
            (_, true, _) => format!("can't create {path}: {error}"),
            (_, false, FileError::NotFound) => format!("can't open {path}: no such file"),
            (_, false, _) => format!("can't open {path}: {error}"),
        }
    }

    pub(crate) fn undo_redirects<H: Host<Command = C>>(
        &mut self,
        saved: Vec<(u32, Option<OpenId>)>,
        cx: &mut Context<'_, H>,
    ) {
        cx.common.dirty |= !saved.is_empty();
        for (fd, id) in saved.into_iter().rev() {
            match id {
                Some(id) => self.descriptors.insert(fd, id),
                None => self.descriptors.remove(&fd),
            };
        }
    }
}
