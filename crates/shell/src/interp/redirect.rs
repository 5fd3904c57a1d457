//! Redirections: opening their targets, changing descriptors, and undoing that after the command.

use super::{Context, Process};
use crate::expand::{Expander, Halt};
use crate::files::{Open, OpenId};
use crate::host::{FileError, FileKind, Host, resolve};
use crate::syntax::Dialect;
use crate::syntax::ast::{Action, Redirect};

impl Redirect {
    pub(crate) fn has_substitution(&self) -> bool {
        match &self.action {
            Action::Read(word)
            | Action::Write(word)
            | Action::Clobber(word)
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
    name: Option<String>,
    mode: Mode,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Read,
    Write { append: bool, clobber: bool },
    ReadWrite,
    Both { append: bool },
    Duplicate,
    Text,
}

impl Target {
    pub(crate) fn expand(expander: &mut Expander<'_>, redirects: &[Redirect]) -> Result<Vec<Target>, Halt> {
        let mut targets = Vec::with_capacity(redirects.len());
        for redirect in redirects {
            let (mode, word) = match &redirect.action {
                Action::Read(word) => (Mode::Read, word),
                Action::ReadWrite(word) => (Mode::ReadWrite, word),
                Action::Write(word) => (Mode::Write { append: false, clobber: false }, word),
                Action::Clobber(word) => (Mode::Write { append: false, clobber: true }, word),
                Action::Append(word) => (Mode::Write { append: true, clobber: true }, word),
                Action::Duplicate(word) => (Mode::Duplicate, word),
                Action::Both { target, append } => (Mode::Both { append: *append }, target),
                Action::Text(word) => (Mode::Text, word),
            };
            let (fd, name) = (redirect.fd, redirect.name.clone());
            targets.push(Target { fd, name, mode, text: expander.text(word)? });
        }
        Ok(targets)
    }
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    /// Changes the descriptors; gives what they were. On an error it is reported and nothing is changed.
    pub(super) fn apply_redirects<H: Host<Command = C>>(
        &mut self,
        targets: Vec<Target>,
        noclobber: bool,
        cx: &mut Context<'_, H>,
    ) -> Result<Vec<(u32, Option<OpenId>)>, ()> {
        let mut saved = Vec::new();
        for target in targets {
            if let Err(message) = self.apply_redirect(&target, noclobber, &mut saved, cx) {
                self.undo_redirects(saved, cx);
                self.complain(cx, None, &message);
                return Err(());
            }
        }
        Ok(saved)
    }

    /// A path that names an open descriptor: `/dev/stdin`, `/dev/fd/3`, `/proc/self/fd/1`.
    fn named_descriptor(path: &str) -> Option<u32> {
        match path {
            "/dev/stdin" => Some(0),
            "/dev/stdout" => Some(1),
            "/dev/stderr" => Some(2),
            _ => path.strip_prefix("/dev/fd/").or(path.strip_prefix("/proc/self/fd/"))?.parse().ok(),
        }
    }

    fn apply_redirect<H: Host<Command = C>>(
        &mut self,
        target: &Target,
        noclobber: bool,
        saved: &mut Vec<(u32, Option<OpenId>)>,
        cx: &mut Context<'_, H>,
    ) -> Result<(), String> {
        let path = if target.text.is_empty() { String::new() } else { resolve(&self.state.cwd, &target.text) };
        let opens = matches!(target.mode, Mode::Read | Mode::Write { .. } | Mode::ReadWrite | Mode::Both { .. });
        let named = Self::named_descriptor(&path).filter(|_| opens);
        let error = |error, create| self.open_error(&target.text, error, create);
        if opens && target.text.is_empty() {
            return Err(error(FileError::NotFound, !matches!(target.mode, Mode::Read)));
        }
        let id = match target.mode {
            _ if named.is_some() => {
                Some(named.and_then(|fd| self.descriptor(fd)).ok_or_else(|| error(FileError::NotFound, false))?)
            }
            Mode::Text => Some(cx.common.files.add(Open::Bytes { bytes: target.text.clone().into_bytes(), at: 0 })),
            Mode::Read => {
                let opened = cx.common.files.open_to_read(&path, cx.host);
                // A directory can be opened; reading it fails.
                match opened {
                    Err(FileError::IsADirectory) => Some(cx.common.files.add(Open::Directory)),
                    opened => Some(opened.map_err(|why| error(why, false))?),
                }
            }
            Mode::Write { clobber, .. }
                if noclobber && !clobber && cx.host.info(&path).is_ok_and(|info| info.kind == FileKind::File) =>
            {
                return Err(match self.state.dialect {
                    Dialect::Bash => format!("{}: cannot overwrite existing file", target.text),
                    Dialect::Ash => format!("can't create {}: File exists", target.text),
                    Dialect::Dash => format!("cannot create {}: File exists", target.text),
                });
            }
            Mode::Write { append, .. } | Mode::Both { append } => {
                let fresh = cx.host.info(&path).is_err();
                let id = cx.common.files.open_to_write(&path, append, cx.host).map_err(|why| error(why, true))?;
                if fresh && self.state.mask != 0o022 {
                    let _ = cx.host.set_mode(&path, 0o666 & !self.state.mask);
                }
                Some(id)
            }
            Mode::ReadWrite => Some(cx.common.files.open_to_update(&path, cx.host).map_err(|why| error(why, true))?),
            Mode::Duplicate if target.text == "-" => None,
            Mode::Duplicate => {
                let moved = target.text.strip_suffix('-').filter(|_| self.state.dialect.is_bash());
                let number = moved.unwrap_or(&target.text).parse::<u32>();
                let Ok(number) = number else {
                    return Err(match self.state.dialect {
                        Dialect::Bash => format!("{}: ambiguous redirect", target.text),
                        Dialect::Ash => "syntax error: bad fd number".to_string(),
                        Dialect::Dash => "Syntax error: Bad fd number".to_string(),
                    });
                };
                let source = self.descriptor(number).ok_or_else(|| match self.state.dialect {
                    Dialect::Ash => format!("dup2({number},{}): Bad file descriptor", target.fd),
                    Dialect::Dash => format!("{number}: Bad file descriptor"),
                    Dialect::Bash => format!("{number}: Bad file descriptor"),
                })?;
                if moved.is_some() {
                    saved.push((number, Some(source)));
                    self.descriptors.remove(&number);
                }
                Some(source)
            }
        };
        if let Some(name) = &target.name {
            let number = match id {
                Some(_) => (10..).find(|fd| !self.descriptors.contains_key(fd)).unwrap_or(10),
                None => self.state.get(name).and_then(|text| text.parse().ok()).unwrap_or(10),
            };
            match id {
                Some(id) => {
                    self.descriptors.insert(number, id);
                    let _ = self.state.set(name, number.to_string());
                }
                None => {
                    self.descriptors.remove(&number);
                    cx.common.dirty = true;
                }
            }
            return Ok(());
        }
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
            (Dialect::Dash, true, FileError::NotFound) => format!("cannot create {path}: Directory nonexistent"),
            (Dialect::Dash, true, _) => format!("cannot create {path}: {error}"),
            (Dialect::Dash, false, FileError::NotFound) => format!("cannot open {path}: No such file"),
            (Dialect::Dash, false, _) => format!("cannot open {path}: {error}"),
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
