//! Expansion of words (POSIX.1 XCU 2.6): tilde, parameters, substitutions, arithmetic, field splitting, pathnames.
//!
//! Expansion never waits. If it needs the output of a command it stops with [`Halt::Substitute`]; the interpreter runs
//! the command, remembers its output, and expands again from the same state with what it has learnt (`known`).

pub mod arith;
mod fields;
mod glob;
mod params;
pub mod pattern;

use std::rc::Rc;

use super::host::System;
use super::state::State;
use super::syntax::Dialect;
use super::syntax::ast::{Part, Script, Word};
use fields::Fields;

/// Bytes that one expansion may give.
pub const MAX_BYTES: usize = 4 << 20;

/// Why an expansion stopped.
#[derive(Clone, Debug)]
pub enum Halt {
    /// The output of this script is needed first.
    Substitute(Rc<Script>),
    /// The command fails; the message has no shell name in front.
    Fail(String),
}

pub(super) fn unset_message(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::Ash => format!("{name}: parameter not set"),
        Dialect::Bash => format!("{name}: unbound variable"),
    }
}

pub(super) fn read_only_message(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::Ash => format!("{name}: is read only"),
        Dialect::Bash => format!("{name}: readonly variable"),
    }
}

/// One expansion: the state it reads and changes, and the outputs of substitutions that are known already.
pub struct Expander<'a> {
    pub state: &'a mut State,
    pub system: &'a mut dyn System,
    pub known: &'a [String],
    used: usize,
    depth: u32,
}

impl<'a> Expander<'a> {
    pub fn new(state: &'a mut State, system: &'a mut dyn System, known: &'a [String]) -> Expander<'a> {
        Expander { state, system, known, used: 0, depth: 0 }
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
                    true => glob::expand(&field.pattern, &self.state.cwd, &*self.system),
                    false => Vec::new(),
                };
                bytes += field.text.len() + names.iter().map(String::len).sum::<usize>();
                if names.is_empty() {
                    out.push(field.text);
                } else {
                    out.extend(names);
                }
                if bytes > MAX_BYTES || out.len() > 200_000 {
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

    pub fn arithmetic(&mut self, word: &Word) -> Result<i64, Halt> {
        let text = self.text(word)?;
        arith::evaluate(&text, self.state).map_err(Halt::Fail)
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
                    let home = match user.as_str() {
                        "" => self.state.get("HOME").map(str::to_string),
                        "root" => Some("/root".to_string()),
                        _ => None,
                    };
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
        let only_at = matches!(inner, [Part::Param(param)] if param.name == "@");
        if !(only_at && self.state.positional.is_empty()) {
            fields.quoted("");
        }
        self.parts(inner, true, fields)
    }
}

fn too_large() -> Halt {
    Halt::Fail("expansion too large: out of memory".into())
}
