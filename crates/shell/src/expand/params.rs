//! Parameters: `$x`, the special ones, and the changes of `${x…}` (POSIX.1 XCU 2.6.2, bash manual 3.5.3).

use super::super::syntax::Dialect;
use super::super::syntax::ast::{Change, Param, Word};
use super::fields::Fields;
use super::pattern::{Pattern, TooComplex};
use super::{Expander, Halt, MAX_BYTES, read_only_message, too_large, unset_message};

impl Expander<'_> {
    pub(super) fn parameter(&mut self, param: &Param, quoted: bool, fields: &mut Fields) -> Result<(), Halt> {
        let is_list = matches!(param.name.as_str(), "@" | "*");
        match &param.change {
            Change::None if is_list => {
                self.list(&self.state.positional.clone(), param.name == "@", quoted, fields);
                return Ok(());
            }
            Change::Slice { offset, length } if is_list => {
                let items = self.positional_slice(offset, length.as_ref())?;
                self.list(&items, param.name == "@", quoted, fields);
                return Ok(());
            }
            Change::Alternative { kind, colon, word } => {
                return self.alternative(&param.name, *kind, *colon, word, quoted, fields);
            }
            Change::Bad => return Err(Halt::Fail(self.bad_substitution(&param.name))),
            _ => {}
        }
        let value = self.changed(param)?;
        if value.len() > MAX_BYTES {
            return Err(too_large());
        }
        if quoted {
            fields.quoted(&value)
        } else {
            fields.split(&value)
        }
        Ok(())
    }

    /// `$@` and `$*`, in and out of quotes.
    fn list(&mut self, items: &[String], at: bool, quoted: bool, fields: &mut Fields) {
        if quoted && !at || !fields.is_splitting() {
            let separator: String = match self.state.get("IFS") {
                Some(ifs) if !at => ifs.chars().take(1).collect(),
                _ => " ".to_string(),
            };
            let joined = items.join(&separator);
            return if quoted || !joined.is_empty() { fields.quoted(&joined) } else { fields.split("") };
        }
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                fields.end_field();
            }
            if quoted { fields.quoted(item) } else { fields.split(item) }
        }
    }

    fn bad_substitution(&self, text: &str) -> String {
        match self.state.dialect {
            Dialect::Ash => "syntax error: bad substitution".into(),
            Dialect::Bash => format!("${{{text}}}: bad substitution"),
        }
    }

    /// The value of a variable or special parameter; `None` if it is unset.
    fn lookup(&mut self, name: &str) -> Option<String> {
        let state = &*self.state;
        if let Ok(index) = name.parse::<usize>() {
            return match index.checked_sub(1) {
                None => Some(state.name.clone()),
                Some(index) => state.positional.get(index).cloned(),
            };
        }
        match name {
            "?" => Some(state.status.to_string()),
            "$" => Some(state.pid.to_string()),
            "!" => state.last_background.map(|pid| pid.to_string()),
            "#" => Some(state.positional.len().to_string()),
            "-" => Some(state.flags.letters() + if state.interactive { "i" } else { "" }),
            "@" | "*" => (!state.positional.is_empty()).then(|| state.positional.join(" ")),
            "RANDOM" if !state.vars.contains_key(name) => Some((self.system.random() % 32768).to_string()),
            "SECONDS" if !state.vars.contains_key(name) => {
                Some(self.system.now().since(state.started).as_secs().to_string())
            }
            "EPOCHSECONDS" if !state.vars.contains_key(name) => Some(self.system.now().secs().to_string()),
            "LINENO" if !state.vars.contains_key(name) => Some(state.line.to_string()),
            "PPID" if !state.vars.contains_key(name) => Some(state.parent_pid.to_string()),
            _ => state.get(name).map(str::to_string),
        }
    }

    /// The value, with `set -u` obeyed.
    fn value(&mut self, name: &str) -> Result<String, Halt> {
        match self.lookup(name) {
            Some(value) => Ok(value),
            None if self.state.flags.nounset && !matches!(name, "@" | "*") => {
                let shown = if self.state.dialect == Dialect::Bash && name.starts_with(|c: char| c.is_ascii_digit()) {
                    format!("${name}")
                } else {
                    name.to_string()
                };
                Err(Halt::Fail(unset_message(self.state.dialect, &shown)))
            }
            None => Ok(String::new()),
        }
    }

    fn changed(&mut self, param: &Param) -> Result<String, Halt> {
        let name = &param.name;
        if matches!(param.change, Change::Length) && matches!(name.as_str(), "@" | "*") {
            return Ok(self.state.positional.len().to_string());
        }
        let value = self.value(name)?;
        let complex = |_: TooComplex| Halt::Fail("pattern too complex".into());
        Ok(match &param.change {
            Change::Length => value.chars().count().to_string(),
            Change::Indirect => self.value(&value)?,
            Change::Trim { suffix, longest, pattern } => {
                let pattern = Pattern::new(&self.pattern(pattern)?);
                let chars: Vec<char> = value.chars().collect();
                let cut = match suffix {
                    false => pattern.prefix(&chars, *longest).map_err(complex)?.map(|end| &chars[end..]),
                    true => pattern.suffix(&chars, *longest).map_err(complex)?.map(|start| &chars[..start]),
                };
                cut.map_or(value, |chars| chars.iter().collect())
            }
            Change::Replace { kind, pattern, with } => {
                let pattern = Pattern::new(&self.pattern(pattern)?);
                let with = self.text(with)?;
                pattern.replace(&value, *kind, &with).map_err(complex)?
            }
            Change::Slice { offset, length } => {
                let chars: Vec<char> = value.chars().collect();
                let range = self.slice_range(chars.len(), offset, length.as_ref())?;
                chars[range].iter().collect()
            }
            Change::Case { upper, all } => change_case(&value, *upper, *all),
            _ => value,
        })
    }

    /// The range that `:offset:length` names in something of `len` items; negative counts from the end.
    fn slice_range(
        &mut self,
        len: usize,
        offset: &Word,
        length: Option<&Word>,
    ) -> Result<std::ops::Range<usize>, Halt> {
        let clamp = |n: i64| {
            let from_end = if n < 0 { n.saturating_add(len as i64) } else { n };
            from_end.clamp(0, len as i64) as usize
        };
        let offset = self.arithmetic(offset)?;
        if offset < 0 && offset.unsigned_abs() as usize > len {
            return Ok(0..0);
        }
        let start = clamp(offset);
        let end = match length {
            None => len,
            Some(length) => match self.arithmetic(length)? {
                n if n < 0 => clamp(n),
                n => start.saturating_add(n as usize).min(len),
            },
        };
        Ok(start..end.max(start))
    }

    /// `${@:offset:length}`, in which `$0` is item 0.
    fn positional_slice(&mut self, offset: &Word, length: Option<&Word>) -> Result<Vec<String>, Halt> {
        let mut items = vec![self.state.name.clone()];
        items.extend(self.state.positional.iter().cloned());
        let range = self.slice_range(items.len(), offset, length)?;
        Ok(items[range].to_vec())
    }

    fn alternative(
        &mut self,
        name: &str,
        kind: char,
        colon: bool,
        word: &Word,
        quoted: bool,
        fields: &mut Fields,
    ) -> Result<(), Halt> {
        let value = self.lookup(name);
        let counts_as_set = value.as_ref().is_some_and(|value| !colon || !value.is_empty());
        if kind == '+' || !counts_as_set && kind == '-' {
            if kind == '+' && !counts_as_set {
                return Ok(());
            }
            // The word splits like the rest of the line it stands in, unless quoted.
            return self.alternative_word(word, quoted, fields);
        }
        if counts_as_set {
            if matches!(name, "@" | "*") {
                self.list(&self.state.positional.clone(), name == "@", quoted, fields);
                return Ok(());
            }
            let value = value.unwrap_or_default();
            if quoted {
                fields.quoted(&value)
            } else {
                fields.split(&value)
            }
            return Ok(());
        }
        let text = self.text(word)?;
        if kind == '=' {
            let dialect = self.state.dialect;
            self.state.set(name, text.clone()).map_err(|_| Halt::Fail(read_only_message(dialect, name)))?;
            if quoted {
                fields.quoted(&text)
            } else {
                fields.split(&text)
            }
            return Ok(());
        }
        let message = match (text.is_empty(), self.state.dialect) {
            (false, _) => text,
            (true, Dialect::Ash) if !colon => "parameter not set".into(),
            (true, _) => "parameter null or not set".to_string(),
        };
        let message = match self.state.dialect {
            Dialect::Ash if message == "parameter null or not set" => "parameter not set or null".to_string(),
            _ => message,
        };
        Err(Halt::Fail(format!("{name}: {message}")))
    }

    fn alternative_word(&mut self, word: &Word, quoted: bool, fields: &mut Fields) -> Result<(), Halt> {
        use super::super::syntax::ast::Part;
        for part in &word.parts {
            match part {
                Part::Text(text) if !quoted => fields.split(text),
                other => self.parts(std::slice::from_ref(other), quoted, fields)?,
            }
        }
        Ok(())
    }
}

fn change_case(value: &str, upper: bool, all: bool) -> String {
    let mut out = String::new();
    for (i, c) in value.chars().enumerate() {
        match (all || i == 0, upper) {
            (false, _) => out.push(c),
            (true, true) => out.extend(c.to_uppercase()),
            (true, false) => out.extend(c.to_lowercase()),
        }
    }
    out
}
