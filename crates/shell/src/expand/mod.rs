//! Expansion of words (POSIX.1 XCU 2.6): tilde, parameters, substitutions, arithmetic, field splitting, pathnames.
//!
//! Expansion never waits. If it needs the output of a command it stops with [`Halt::Substitute`]; the interpreter runs
//! the command, remembers its output, and expands again from the same state with what it has learnt (`known`).

pub mod arith;
mod fields;
mod glob;
pub(super) mod params;
pub mod pattern;

use std::rc::Rc;

use super::host::{System, Tools};
use super::state::State;
use super::syntax::Dialect;
use super::syntax::ast::{Change, Index, Part, Script, Word};
use super::variables::NotSet;
use fields::Fields;

/// Bytes that one expansion may give.
pub const MAX_BYTES: usize = 16 << 20;
/// Words that one command may have.
const MAX_WORDS: usize = 4_000_000;

/// Why an expansion stopped.
#[derive(Clone, Debug)]
pub enum Halt {
    /// The output of this script is needed first.
    Substitute(Rc<Script>),
    /// A pipe to or from this script is needed first; its path is what is learnt.
    Connect { script: Rc<Script>, writes: bool },
    /// The command ends with this status, and nothing is said.
    Status(i32),
    /// The command fails; the message has no shell name in front.
    Fail(String),
}

pub(super) fn unset_message(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::Ash | Dialect::Dash => format!("{name}: parameter not set"),
        Dialect::Bash => format!("{name}: unbound variable"),
    }
}

pub(super) fn read_only_message(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::Ash | Dialect::Dash => format!("{name}: is read only"),
        Dialect::Bash => format!("{name}: readonly variable"),
    }
}

/// One expansion: the state it reads and changes, and the outputs of substitutions that are known already.
pub struct Expander<'a> {
    pub state: &'a mut State,
    pub system: &'a mut dyn System,
    pub known: &'a [String],
    /// Bytes of values that were changed: long ones are work.
    pub work: usize,
    used: usize,
    depth: u32,
}

impl<'a> Expander<'a> {
    pub fn new(state: &'a mut State, system: &'a mut dyn System, known: &'a [String]) -> Expander<'a> {
        Expander { state, system, known, work: 0, used: 0, depth: 0 }
    }

    /// The fields that words become: split at IFS, and with names of files for patterns.
    pub fn words(&mut self, words: &[Word]) -> Result<Vec<String>, Halt> {
        let mut out = Vec::new();
        let mut bytes = 0;
        for word in words {
            if let Some(text) = word.plain().filter(|text| !text.contains(['*', '?', '[', '\\'])) {
                out.push(text.to_string());
                continue;
            }
            let ifs = self.state.get("IFS").unwrap_or(" \t\n").to_string();
            let mut fields = Fields::splitting(ifs);
            self.parts(&word.parts, false, &mut fields)?;
            for field in fields.finish() {
                let names = match field.has_pattern && !self.state.flags.noglob {
                    true => glob::expand(&field.pattern, self.state, &*self.system),
                    false => Vec::new(),
                };
                if names.is_empty() && field.has_pattern && !self.state.flags.noglob {
                    if self.state.flags.failglob {
                        return Err(Halt::Fail(format!("no match: {}", field.text)));
                    }
                    if self.state.flags.nullglob {
                        continue;
                    }
                }
                bytes += field.text.len() + names.iter().map(String::len).sum::<usize>();
                if names.is_empty() {
                    out.push(field.text);
                } else {
                    out.extend(names);
                }
                if bytes > MAX_BYTES * 8 || out.len() > MAX_WORDS {
                    return Err(too_large());
                }
            }
        }
        Ok(out)
    }

    /// A word as one text: assignments, here-documents, `case` words, redirection targets.
    pub fn text(&mut self, word: &Word) -> Result<String, Halt> {
        let mut fields = Fields::single();
        self.parts(&word.parts, false, &mut fields)?;
        Ok(fields.into_single().text)
    }

    /// A word as a pattern, in which what was quoted is escaped.
    pub fn pattern(&mut self, word: &Word) -> Result<String, Halt> {
        let mut fields = Fields::single();
        self.parts(&word.parts, false, &mut fields)?;
        Ok(fields.into_single().pattern)
    }

    /// The pattern of `=~`, in which what was quoted stands for itself.
    pub fn regex(&mut self, word: &Word) -> Result<String, Halt> {
        let mut out = String::new();
        for part in &word.parts {
            let mut fields = Fields::single();
            self.parts(std::slice::from_ref(part), false, &mut fields)?;
            let text = fields.into_single().text;
            if matches!(part, Part::Quoted(_) | Part::Double(_)) {
                for c in text.chars() {
                    if "\\.[]{}()*+?^$|".contains(c) {
                        out.push('\\');
                    }
                    out.push(c);
                }
            } else {
                out.push_str(&text);
            }
        }
        Ok(out)
    }

    pub fn arithmetic(&mut self, word: &Word) -> Result<i64, Halt> {
        let text = self.text(word)?;
        self.evaluate(&text)
    }

    /// The value of an arithmetic text.
    pub fn evaluate(&mut self, text: &str) -> Result<i64, Halt> {
        if text.contains("RANDOM") {
            self.state.drawn = self.system.random();
        }
        self.state.now = self.system.now();
        self.state.user = self.system.user().1;
        arith::evaluate(text, self.state).map_err(Halt::Fail)
    }

    /// Sets a variable or one element, as the special ones want it.
    pub fn assign(&mut self, name: &str, key: Option<&str>, value: String, append: bool) -> Result<(), Halt> {
        let bash = self.state.dialect.is_bash();
        match name {
            "SECONDS" if bash && self.state.var(name).is_none() => {
                let seconds = value.trim().parse().unwrap_or(0);
                self.state.seconds = Some((seconds, self.system.now()));
                return Ok(());
            }
            "RANDOM" if self.state.dialect != Dialect::Dash => return Ok(()),
            "UID" | "EUID" | "PPID" | "BASHPID" | "SHELLOPTS" if bash => {
                return Err(Halt::Fail(read_only_message(self.state.dialect, name)));
            }
            _ => {}
        }
        let dialect = self.state.dialect;
        self.state.set_element(name, key, value, append).map_err(|why| match why {
            NotSet::ReadOnly => Halt::Fail(read_only_message(dialect, name)),
            NotSet::Wrong(message) => Halt::Fail(message),
        })
    }

    fn home(&self, user: &str) -> Option<String> {
        let directories = match user {
            "" | "+" => None,
            "-" => return self.state.get("OLDPWD").map(str::to_string),
            _ => self.system.read_file("/etc/passwd").ok(),
        };
        match user {
            "" => return Some(self.state.get("HOME").unwrap_or("/root").to_string()),
            "+" => return Some(self.state.cwd.clone()),
            _ => {}
        }
        let text = String::from_utf8_lossy(&directories.unwrap_or_default()).into_owned();
        let line = text.lines().find(|line| line.split(':').next() == Some(user));
        if let Some(home) = line.and_then(|line| line.split(':').nth(5)) {
            return Some(home.to_string());
        }
        match (user, self.state.tools) {
            ("root", _) => Some("/root".to_string()),
            ("nobody", Tools::Busybox) => Some("/home".to_string()),
            ("nobody", Tools::Gnu) => Some("/nonexistent".to_string()),
            ("www-data", _) => Some("/var/www".to_string()),
            _ => None,
        }
    }

    fn parts(&mut self, parts: &[Part], quoted: bool, fields: &mut Fields) -> Result<(), Halt> {
        self.depth += 1;
        if self.depth > 80 {
            return Err(Halt::Fail("expansion nested too deeply".into()));
        }
        for part in parts {
            match part {
                Part::Text(text) if quoted => fields.quoted(text),
                Part::Text(text) => fields.literal(text),
                Part::Quoted(text) => fields.quoted(text),
                Part::Double(inner) => self.double(inner, fields)?,
                Part::Unsplit(inner) => {
                    let mut single = Fields::single();
                    self.parts(inner, false, &mut single)?;
                    fields.quoted(&single.into_single().text);
                }
                Part::Process { script, writes } => {
                    let Some(path) = self.known.get(self.used) else {
                        return Err(Halt::Connect { script: script.clone(), writes: *writes });
                    };
                    self.used += 1;
                    fields.quoted(path);
                }
                Part::Param(param) => self.parameter(param, quoted, fields)?,
                Part::Substitution(script) => {
                    let Some(output) = self.known.get(self.used) else {
                        return Err(Halt::Substitute(script.clone()));
                    };
                    self.used += 1;
                    if quoted { fields.quoted(output) } else { fields.split(output) }
                }
                Part::Arithmetic(word) => {
                    let value = self.arithmetic(word)?.to_string();
                    if quoted { fields.quoted(&value) } else { fields.split(&value) }
                }
                Part::Tilde(user) => {
                    let home = self.home(user);
                    fields.quoted(&home.unwrap_or_else(|| format!("~{user}")));
                }
            }
            if fields.bytes() > MAX_BYTES {
                return Err(too_large());
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// `"…"` is a field even if empty, except when it is only a `$@` without any parameters.
    fn double(&mut self, inner: &[Part], fields: &mut Fields) -> Result<(), Halt> {
        let empty_list = match inner {
            [Part::Param(param)] => match (&param.index, &param.change) {
                (_, Change::Alternative { .. } | Change::Length) => false,
                (None, Change::Slice { .. }) => param.name == "@",
                (None, _) if param.name == "@" => self.state.positional.is_empty(),
                (Some(Index::At), Change::Slice { .. }) => true,
                (Some(Index::At), _) => self.items(&param.name).is_empty(),
                _ => false,
            },
            _ => false,
        };
        if !empty_list {
            fields.quoted("");
        }
        self.parts(inner, true, fields)
    }
}

fn too_large() -> Halt {
    Halt::Fail("expansion too large: out of memory".into())
}
