//! Parameters: `$x`, arrays, and the changes of `${x…}` (POSIX.1 XCU 2.6.2, bash manual 3.5.3).

use super::super::syntax::Dialect;
use super::super::syntax::ast::{Change, Index, Param, Part, Word};
use super::fields::Fields;
use super::pattern::{Pattern, TooComplex};
use super::{Expander, Halt, MAX_BYTES, too_large, unset_message};

/// What a parameter names: one value, or the elements of a list.
enum Values {
    One(Option<String>),
    /// Values of `$@` or `a[@]`; with `star` they are joined where they are quoted.
    Many {
        items: Vec<String>,
        star: bool,
    },
}

impl Expander<'_> {
    pub(super) fn parameter(&mut self, param: &Param, quoted: bool, fields: &mut Fields) -> Result<(), Halt> {
        if matches!(param.change, Change::Bad) {
            return Err(Halt::Fail(self.bad_substitution(&param.name)));
        }
        let pointed;
        let param = if param.indirect {
            pointed = self.pointed(param)?;
            &pointed
        } else {
            param
        };
        match &param.change {
            Change::Names { separate } => {
                let names: Vec<String> = self.names().filter(|name| name.starts_with(&param.name)).collect();
                self.list(&names, *separate, quoted, fields);
                return Ok(());
            }
            Change::Keys => {
                let keys: Vec<String> = self.items(&param.name).into_iter().map(|(key, _)| key).collect();
                self.list(&keys, !matches!(param.index, Some(Index::Star)), quoted, fields);
                return Ok(());
            }
            Change::Length => {
                let count = match self.values(param)? {
                    Values::Many { items, .. } => items.len(),
                    Values::One(value) => self.set(value, param)?.chars().count(),
                };
                self.put(count.to_string(), quoted, fields);
                return Ok(());
            }
            Change::Alternative { kind, colon, word } => {
                return self.alternative(param, *kind, *colon, word, quoted, fields);
            }
            _ => {}
        }
        match self.values(param)? {
            Values::Many { items, star } => {
                let items = self.changed_list(items, param)?;
                self.list(&items, !star, quoted, fields);
            }
            Values::One(value) => {
                let value = self.set(value, param)?;
                let value = self.changed(value, param)?;
                if value.len() > MAX_BYTES {
                    return Err(too_large());
                }
                self.put(value, quoted, fields);
            }
        }
        Ok(())
    }

    fn put(&mut self, value: String, quoted: bool, fields: &mut Fields) {
        if quoted { fields.quoted(&value) } else { fields.split(&value) }
    }

    /// `${!name…}`: the parameter that the value names.
    fn pointed(&mut self, param: &Param) -> Result<Param, Halt> {
        let named = match self.state.vars.get(&param.name) {
            // `${!ref}` of a `declare -n` is the name itself.
            Some(var) if var.reference => {
                let name = var.value.clone().unwrap_or_default();
                return Ok(Param { name, index: None, indirect: false, change: param.change.clone() });
            }
            _ => match self.values(&Param { indirect: false, change: Change::None, ..param.clone() })? {
                Values::One(value) => self.set(value, param)?,
                Values::Many { items, .. } => items.join(" "),
            },
        };
        let (name, index) = match named.split_once('[') {
            Some((name, rest)) => (name.to_string(), Some(rest.trim_end_matches(']').to_string())),
            None => (named, None),
        };
        let index = index.map(|index| match index.as_str() {
            "@" => Index::At,
            "*" => Index::Star,
            text => Index::One(Word::of_text(text)),
        });
        let special = name.parse::<usize>().is_ok() || matches!(name.as_str(), "@" | "*" | "#" | "?" | "$" | "!" | "-");
        if !special && !super::super::syntax::is_name(&name) {
            let text = if name.is_empty() { "invalid indirect expansion" } else { "invalid variable name" };
            let shown = if name.is_empty() { param.name.clone() } else { name };
            return Err(Halt::Fail(format!("{shown}: {text}")));
        }
        Ok(Param { name, index, indirect: false, change: param.change.clone() })
    }

    fn values(&mut self, param: &Param) -> Result<Values, Halt> {
        let star = param.name == "*" || matches!(param.index, Some(Index::Star));
        Ok(match &param.index {
            None if matches!(param.name.as_str(), "@" | "*") => {
                Values::Many { items: self.state.positional.clone(), star }
            }
            Some(Index::At | Index::Star) => {
                let items = self.items(&param.name).into_iter().map(|(_, value)| value).collect();
                Values::Many { items, star }
            }
            Some(Index::One(word)) => {
                let key = self.key(&param.name, word)?;
                let found = self.items_of_special(&param.name);
                Values::One(match found {
                    Some(items) => items.into_iter().find(|(own, _)| *own == key).map(|(_, value)| value),
                    None => self.state.element(&param.name, Some(&key)).map(str::to_string),
                })
            }
            None => Values::One(self.lookup(&param.name)),
        })
    }

    /// The key an index comes to: a text for a keyed array, else a number (negative ones count from the end).
    pub fn key(&mut self, name: &str, word: &Word) -> Result<String, Halt> {
        if self.state.is_keyed(name) {
            return self.text(word);
        }
        let number = self.arithmetic(word)?;
        if number >= 0 {
            return Ok(number.to_string());
        }
        let last = self.items(name).last().and_then(|(key, _)| key.parse::<i64>().ok()).unwrap_or(-1);
        match last + 1 + number {
            at if at >= 0 => Ok(at.to_string()),
            _ => Err(Halt::Fail(format!("{name}: bad array subscript"))),
        }
    }

    /// Keys and values of an array.
    pub fn items(&mut self, name: &str) -> Vec<(String, String)> {
        if let Some(items) = self.items_of_special(name) {
            return items;
        }
        if self.state.var(name).is_none() {
            return self.lookup(name).map(|value| ("0".to_string(), value)).into_iter().collect();
        }
        self.state.entries(name)
    }

    fn items_of_special(&self, name: &str) -> Option<Vec<(String, String)>> {
        if self.state.dialect != Dialect::Bash {
            return None;
        }
        let state = &*self.state;
        let calls = state.calls.iter().rev();
        let list: Vec<String> = match name {
            "PIPESTATUS" => state.pipe_status.iter().map(i32::to_string).collect(),
            "FUNCNAME" if state.calls.is_empty() => Vec::new(),
            "FUNCNAME" => calls.map(|(name, _)| name.clone()).chain(["main".to_string()]).collect(),
            "BASH_LINENO" => calls.map(|(_, line)| line.to_string()).chain(["0".to_string()]).collect(),
            "BASH_SOURCE" if !state.named && state.calls.is_empty() => Vec::new(),
            "BASH_SOURCE" => {
                let source = if state.named { state.name.clone() } else { "environment".to_string() };
                vec![source; state.calls.len() + usize::from(state.named)]
            }
            "DIRSTACK" => std::iter::once(&state.cwd).chain(&state.directories).cloned().collect(),
            "GROUPS" => vec!["0".to_string()],
            _ => return None,
        };
        Some((0..).zip(list).map(|(i, value): (usize, String)| (i.to_string(), value)).collect())
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
            Dialect::Dash => "Bad substitution".into(),
            Dialect::Bash => format!("${{{text}}}: bad substitution"),
        }
    }

    /// Names of set variables, for `${!prefix*}`.
    fn names(&self) -> impl Iterator<Item = String> {
        let computed = ["EUID", "UID", "PPID", "RANDOM", "SECONDS", "EPOCHSECONDS", "LINENO", "HOSTNAME"];
        let set = self.state.vars.iter().filter(|(_, var)| var.is_set()).map(|(name, _)| name.clone());
        let mut names: Vec<String> = set.chain(computed.map(str::to_string)).collect();
        names.sort();
        names.dedup();
        names.into_iter()
    }

    /// The value of a variable or special parameter; `None` if it is unset.
    pub fn lookup(&mut self, name: &str) -> Option<String> {
        if let Some(value) = self.state.get(name) {
            return Some(value.to_string());
        }
        let state = &*self.state;
        if let Ok(index) = name.parse::<usize>() {
            return match index.checked_sub(1) {
                None => Some(state.name.clone()),
                Some(index) => state.positional.get(index).cloned(),
            };
        }
        let bash = state.dialect.is_bash();
        let dash = state.dialect == Dialect::Dash;
        match name {
            "?" => Some(state.status.to_string()),
            "$" => Some(state.pid.to_string()),
            "!" => state.last_background.map(|pid| pid.to_string()),
            "#" => Some(state.positional.len().to_string()),
            "-" => Some(state.flags.letters(state.dialect) + if state.interactive { "i" } else { "" }),
            "@" | "*" => (!state.positional.is_empty()).then(|| state.positional.join(" ")),
            _ if state.vars.contains_key(name) => None,
            "_" => Some(state.last_argument.clone()),
            "RANDOM" if !dash => Some((self.system.random() % 32768).to_string()),
            "SRANDOM" if bash => Some((self.system.random() & 0xffff_ffff).to_string()),
            "SECONDS" if bash => {
                let (from, at) = state.seconds.unwrap_or((0, state.started));
                Some((from + self.system.now().since(at).as_secs()).to_string())
            }
            "EPOCHSECONDS" if !dash => Some(self.system.now().secs().to_string()),
            "EPOCHREALTIME" if !dash => {
                let now = self.system.now();
                Some(format!("{}.{:03}000", now.secs(), now.millis().rem_euclid(1000)))
            }
            "LINENO" => Some(state.line.to_string()),
            "PPID" => Some(state.parent_pid.to_string()),
            "UID" | "EUID" if bash => Some(self.system.user().1.to_string()),
            "HOSTNAME" if bash => Some(self.system.host_name()),
            "BASHPID" if bash => Some(state.own_pid.to_string()),
            "BASH_SUBSHELL" if bash => Some(state.subshells.to_string()),
            "BASH_COMMAND" if bash => Some(state.command.to_string()),
            "SHELLOPTS" if bash => {
                let on = super::super::state::SET_NAMES.iter().filter(|name| state.flags.is_on(name, state.dialect));
                Some(on.copied().collect::<Vec<_>>().join(":"))
            }
            _ => self.items_of_special(name).and_then(|items| items.into_iter().next()).map(|(_, value)| value),
        }
    }

    /// The value, with `set -u` obeyed.
    fn set(&mut self, value: Option<String>, param: &Param) -> Result<String, Halt> {
        let name = &param.name;
        match value {
            Some(value) => Ok(value),
            None if self.state.flags.nounset && !matches!(name.as_str(), "@" | "*") => {
                let bash = self.state.dialect == Dialect::Bash;
                let shown = match &param.index {
                    Some(Index::One(word)) => format!("{name}[{}]", self.key(name, word)?),
                    _ if bash && name.starts_with(|c: char| c.is_ascii_digit()) => format!("${name}"),
                    _ => name.to_string(),
                };
                Err(Halt::Fail(unset_message(self.state.dialect, &shown)))
            }
            None => Ok(String::new()),
        }
    }

    fn changed_list(&mut self, items: Vec<String>, param: &Param) -> Result<Vec<String>, Halt> {
        match &param.change {
            Change::None => Ok(items),
            Change::Slice { offset, length } => {
                let keyed = self.state.is_keyed(&param.name);
                // `${@:0}` begins with `$0`; the elements of a list count by their index.
                let mut places: Vec<(i64, String)> = match &param.index {
                    None => {
                        let own = items.into_iter().zip(1i64..).map(|(item, at)| (at, item));
                        std::iter::once((0, self.state.name.clone())).chain(own).collect()
                    }
                    Some(_) if keyed => items.into_iter().zip(0i64..).map(|(item, at)| (at, item)).collect(),
                    Some(_) => {
                        let keys = self.items(&param.name);
                        keys.into_iter().map(|(key, value)| (key.parse().unwrap_or(0), value)).collect()
                    }
                };
                let end = places.last().map_or(0, |(at, _)| at + 1);
                let mut from = self.arithmetic(offset)?;
                if from < 0 {
                    from += end;
                    if from < 0 {
                        return Ok(Vec::new());
                    }
                }
                places.retain(|(at, _)| *at >= from);
                if let Some(length) = length {
                    let count = self.arithmetic(length)?;
                    let Ok(count) = usize::try_from(count) else {
                        return Err(Halt::Fail(format!("{count}: substring expression < 0")));
                    };
                    places.truncate(count);
                }
                Ok(places.into_iter().map(|(_, value)| value).collect())
            }
            Change::Transform(kind @ ('A' | 'a' | 'K' | 'k')) => {
                let entries = self.items(&param.name);
                let pair = |(key, value): (String, String)| [key, double_quoted(&value)];
                Ok(match kind {
                    'K' => vec![entries.into_iter().flat_map(pair).collect::<Vec<_>>().join(" ")],
                    'k' => entries.into_iter().flat_map(|(key, value)| [key, value]).collect(),
                    'a' => {
                        let letters = self.state.var(&param.name).map(|var| var.letters()).unwrap_or_default();
                        vec![letters; items.len()]
                    }
                    _ => vec![self.declaration(&param.name)],
                })
            }
            _ => items.into_iter().map(|item| self.changed(item, param)).collect(),
        }
    }

    /// How `declare -p` writes a variable.
    fn declaration(&self, name: &str) -> String {
        super::super::builtins::declaration(self.state, name).unwrap_or_default()
    }

    fn pattern_of(&mut self, word: &Word) -> Result<Pattern, Halt> {
        let text = self.pattern(word)?;
        let flags = self.state.flags;
        Ok(Pattern::with(&text, flags.extglob, flags.nocasematch))
    }

    fn changed(&mut self, value: String, param: &Param) -> Result<String, Halt> {
        let complex = |_: TooComplex| Halt::Fail("pattern too complex".into());
        self.work += value.len();
        Ok(match &param.change {
            Change::Trim { suffix, longest, pattern } => {
                let pattern = self.pattern_of(pattern)?;
                let chars: Vec<char> = value.chars().collect();
                let cut = match suffix {
                    false => pattern.prefix(&chars, *longest).map_err(complex)?.map(|end| &chars[end..]),
                    true => pattern.suffix(&chars, *longest).map_err(complex)?.map(|start| &chars[..start]),
                };
                cut.map_or(value, |chars| chars.iter().collect())
            }
            Change::Replace { kind, pattern, with } => {
                let pattern = self.pattern_of(pattern)?;
                self.work += value.len() * 4;
                if self.state.dialect != Dialect::Bash {
                    let with = self.text(with)?;
                    return pattern.replace(&value, *kind, &|_| with.clone()).map_err(complex);
                }
                let with = self.pattern(with)?;
                pattern.replace(&value, *kind, &|matched| filled(&with, matched)).map_err(complex)?
            }
            Change::Slice { offset, length } => {
                let chars: Vec<char> = value.chars().collect();
                let range = self.slice_range(chars.len(), offset, length.as_ref())?;
                chars[range].iter().collect()
            }
            Change::Case { kind, all, pattern } => {
                let pattern = if pattern.parts.is_empty() { None } else { Some(self.pattern_of(pattern)?) };
                change_case(&value, *kind, *all, pattern.as_ref())
            }
            Change::Transform(kind) => self.transformed(value, *kind, param),
            _ => value,
        })
    }

    fn transformed(&self, value: String, kind: char, param: &Param) -> String {
        match kind {
            'Q' => super::super::escapes::quote_always(&value),
            'E' => super::super::escapes::unescape(&value, super::super::escapes::Style::DollarQuotes).0,
            'U' => value.to_uppercase(),
            'L' => value.to_lowercase(),
            'u' => change_case(&value, '^', false, None),
            'a' => self.state.var(&param.name).map(|var| var.letters()).unwrap_or_default(),
            'A' => self.declaration(&param.name),
            'K' | 'k' => super::super::escapes::quote_always(&value),
            _ => value,
        }
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
                n if n < 0 => {
                    let end = n.saturating_add(len as i64);
                    if end < start as i64 && self.state.dialect.is_bash() {
                        return Err(Halt::Fail(format!("{n}: substring expression < 0")));
                    }
                    clamp(n)
                }
                n => start.saturating_add(n as usize).min(len),
            },
        };
        Ok(start..end.max(start))
    }

    fn alternative(
        &mut self,
        param: &Param,
        kind: char,
        colon: bool,
        word: &Word,
        quoted: bool,
        fields: &mut Fields,
    ) -> Result<(), Halt> {
        let name = &param.name;
        let values = self.values(param)?;
        let counts_as_set = match &values {
            Values::One(value) => value.as_ref().is_some_and(|value| !colon || !value.is_empty()),
            Values::Many { items, .. } => !(items.is_empty() || colon && items.iter().all(String::is_empty)),
        };
        if kind == '+' || !counts_as_set && kind == '-' {
            if kind == '+' && !counts_as_set {
                return Ok(());
            }
            // The word splits like the rest of the line it stands in, unless quoted.
            return self.alternative_word(word, quoted, fields);
        }
        if counts_as_set {
            match values {
                Values::Many { items, star } => self.list(&items, !star, quoted, fields),
                Values::One(value) => self.put(value.unwrap_or_default(), quoted, fields),
            }
            return Ok(());
        }
        let text = self.text(word)?;
        if kind == '=' {
            if !super::super::syntax::is_name(name) {
                return Err(Halt::Fail(match self.state.dialect {
                    Dialect::Bash => format!("${name}: cannot assign in this way"),
                    _ => format!("{name}: bad variable name"),
                }));
            }
            let key = match &param.index {
                Some(Index::One(word)) => Some(self.key(name, word)?),
                _ => None,
            };
            self.assign(name, key.as_deref(), text.clone(), false)?;
            self.put(text, quoted, fields);
            return Ok(());
        }
        let message = match (text.is_empty(), self.state.dialect) {
            (false, _) => text,
            (true, Dialect::Ash | Dialect::Dash) if !colon => "parameter not set".into(),
            (true, Dialect::Ash | Dialect::Dash) => "parameter not set or null".to_string(),
            (true, Dialect::Bash) if !colon => "parameter not set".to_string(),
            (true, Dialect::Bash) => "parameter null or not set".to_string(),
        };
        Err(Halt::Fail(format!("{name}: {message}")))
    }

    fn alternative_word(&mut self, word: &Word, quoted: bool, fields: &mut Fields) -> Result<(), Halt> {
        for part in &word.parts {
            match part {
                Part::Text(text) if !quoted => fields.split(text),
                other => self.parts(std::slice::from_ref(other), quoted, fields)?,
            }
        }
        Ok(())
    }
}

/// What stands for a match: `&` is the match itself.
fn filled(with: &str, matched: &str) -> String {
    let mut out = String::new();
    let mut chars = with.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            '&' => out.push_str(matched),
            c => out.push(c),
        }
    }
    out
}

/// A value in double quotes, as `declare -p` writes it.
pub fn double_quoted(text: &str) -> String {
    if text.chars().any(|c| c.is_control()) {
        return super::super::escapes::quote_always(text);
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

fn change_case(value: &str, kind: char, all: bool, pattern: Option<&Pattern>) -> String {
    let mut out = String::new();
    for (i, c) in value.chars().enumerate() {
        let meant = (all || i == 0) && pattern.is_none_or(|pattern| pattern.matches(&c.to_string()));
        match kind {
            _ if !meant => out.push(c),
            '^' => out.extend(c.to_uppercase()),
            ',' => out.extend(c.to_lowercase()),
            _ if c.is_uppercase() => out.extend(c.to_lowercase()),
            _ => out.extend(c.to_uppercase()),
        }
    }
    out
}
