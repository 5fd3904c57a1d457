//! A manifest written as a Python dict, as settings files keep it, turned into YAML.
//!
//! Read: dicts, lists, tuples, texts in all four kinds of quotes (neighbours are joined), numbers, True, False, None,
//! comments, commas at the end, `os.getenv("X", "default")` and `os.environ.get(…)` with their default, and `NAME = {…}`.
//! What a tutorial leaves out as `...` is left out with a remark, and a comma that is missing between two entries is put in
//! with one. Nothing is carried out.

use super::diagnostic::{Diagnostic, Severity, TextRange};
use super::{emit, limits};
use values::value::Value;

/// A dict as YAML, with what was noticed on the way.
#[derive(Clone, PartialEq, Debug)]
pub struct Converted {
    /// Block style, keys in the order of the dict.
    pub yaml: String,
    /// In the order of the text. A missing comma or `...` is an error of the Python text; the YAML is whole all the same.
    pub remarks: Vec<Diagnostic>,
}

/// Converts a text that is a Python dict. `None` if it is none: if it is JSON or YAML already, or no dict at all.
pub fn recognise(text: &str) -> Option<Converted> {
    if text.len() > limits::TEXT_BYTES {
        return None;
    }
    let mut reader = Reader { text, at: 0, remarks: Vec::new(), depth: 0, python: false };
    reader.blanks();
    reader.name_and_sign();
    if !reader.rest().starts_with('{') {
        return None;
    }
    let tree = reader.value()?;
    reader.blanks();
    if !reader.rest().is_empty() || !reader.python && reader.remarks.is_empty() {
        return None;
    }
    let Tree::Map(entries) = &tree else { return None };
    if entries.is_empty() {
        return None;
    }
    let mut yaml = String::new();
    write(&tree, 0, &mut yaml);
    Some(Converted { yaml, remarks: reader.remarks })
}

/// Keeps the order of keys.
enum Tree {
    Scalar(Value),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    remarks: Vec<Diagnostic>,
    depth: usize,
    /// Something was read that JSON and YAML do not have.
    python: bool,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// Passes over blanks and comments.
    fn blanks(&mut self) {
        loop {
            let trimmed = self.rest().trim_start();
            self.at = self.text.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    /// `NAME = ` before the dict.
    fn name_and_sign(&mut self) {
        let start = self.at;
        let length = self.rest().find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(0);
        self.at += length;
        self.blanks();
        if length == 0 || !self.takes("=") {
            self.at = start;
            return;
        }
        self.python = true;
        self.blanks();
    }

    fn remark(&mut self, code: &'static str, from: usize, to: usize, message: String) {
        if self.remarks.len() < limits::REMARKS {
            self.remarks.push(Diagnostic::new(Severity::Error, code, self.span(from, to), message));
        }
    }

    fn span(&self, from: usize, to: usize) -> TextRange {
        let place = |at: usize| {
            let before = &self.text[..at];
            let line = 1 + before.matches('\n').count() as u32;
            (line, 1 + before.rsplit('\n').next().unwrap_or_default().chars().count() as u32)
        };
        let ((line, column), (end_line, end_column)) = (place(from), place(to));
        TextRange { line, column, end_line, end_column, start: from as u32, end: to as u32 }
    }

    fn value(&mut self) -> Option<Tree> {
        self.depth += 1;
        if self.depth > limits::NESTING {
            return None;
        }
        self.blanks();
        let tree = match self.peek()? {
            '{' => self.dict(),
            '[' => self.list(']'),
            '(' => {
                self.python = true;
                self.list(')')
            }
            _ => self.scalar().map(Tree::Scalar),
        };
        self.depth -= 1;
        tree
    }

    /// `...`; it stands for what somebody left out.
    fn placeholder(&mut self) -> bool {
        let from = self.at;
        if !self.takes("...") {
            return false;
        }
        let message =
            "`...` stands for what the text leaves out; put your own entries here. It is left out of the YAML";
        self.remark("python-placeholder", from, from + 3, message.to_owned());
        true
    }

    /// Between two entries; false if there is neither a comma nor an entry.
    fn separator(&mut self, end: char, behind: usize) -> bool {
        self.blanks();
        if self.takes(",") {
            self.blanks();
            return true;
        }
        if self.peek() == Some(end) || self.peek().is_none() {
            return true;
        }
        let begins_entry =
            self.peek().is_some_and(|c| matches!(c, '"' | '\'' | '{' | '[' | '(') || c.is_alphanumeric());
        if !begins_entry && !self.rest().starts_with("...") {
            return false;
        }
        let to = (behind + 1).min(self.text.len());
        let to = (to..=self.text.len()).find(|i| self.text.is_char_boundary(*i)).unwrap_or(behind);
        self.remark("python-comma", behind, to, "a comma is missing here: write `,` before the next entry".to_owned());
        true
    }

    fn dict(&mut self) -> Option<Tree> {
        self.at += 1;
        let mut entries: Vec<(String, Tree)> = Vec::new();
        loop {
            self.blanks();
            if self.takes("}") {
                return Some(Tree::Map(entries));
            }
            if !self.placeholder() {
                let key = match self.scalar()? {
                    Value::Str(key) => key.to_string(),
                    Value::Int(key) => key.to_string(),
                    _ => return None,
                };
                self.blanks();
                if !self.takes(":") {
                    return None;
                }
                let value = self.value()?;
                entries.retain(|(known, _)| *known != key);
                entries.push((key, value));
            }
            let behind = self.at;
            if !self.separator('}', behind) {
                return None;
            }
            self.trailing_comma('}');
        }
    }

    fn list(&mut self, end: char) -> Option<Tree> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.blanks();
            if self.peek()? == end {
                self.at += 1;
                return Some(Tree::List(items));
            }
            if !self.placeholder() {
                items.push(self.value()?);
            }
            let behind = self.at;
            if !self.separator(end, behind) {
                return None;
            }
            self.trailing_comma(end);
        }
    }

    /// A comma before the closing bracket is Python's, not JSON's.
    fn trailing_comma(&mut self, end: char) {
        let closes = self.peek() == Some(end);
        let before = self.text[..self.at].trim_end();
        self.python |= closes && before.ends_with(',');
    }

    fn scalar(&mut self) -> Option<Value> {
        let c = self.peek()?;
        let prefix = self.rest().len() - self.rest().trim_start_matches(['r', 'R', 'b', 'B', 'u', 'U', 'f', 'F']).len();
        let quoted = self.rest()[prefix..].starts_with(['"', '\'']) && prefix <= 2;
        if quoted {
            let mut text = self.string(prefix)?;
            // Texts side by side are one text. A key is followed by its colon, so that a missing comma is seen first.
            loop {
                let here = self.at;
                self.blanks();
                let joins = matches!(self.peek(), Some('"' | '\'')) && !self.is_key();
                if !joins {
                    self.at = here;
                    return Some(text.into());
                }
                self.python = true;
                text.push_str(&self.string(0)?);
            }
        }
        if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') {
            return self.number();
        }
        self.word()
    }

    /// Whether the text that begins here is followed by a colon.
    fn is_key(&self) -> bool {
        let mut ahead = Reader { text: self.text, at: self.at, remarks: Vec::new(), depth: 0, python: false };
        ahead.string(0).is_some() && {
            ahead.blanks();
            ahead.peek() == Some(':')
        }
    }

    fn string(&mut self, prefix: usize) -> Option<String> {
        let raw = self.rest()[..prefix].contains(['r', 'R']);
        self.python |= prefix > 0;
        self.at += prefix;
        let quote = self.peek()?;
        self.python |= quote == '\'';
        let triple = [quote; 3].iter().collect::<String>();
        let end = if self.rest().starts_with(&triple) { triple } else { quote.to_string() };
        self.python |= end.len() == 3;
        self.at += end.len();
        let mut text = String::new();
        loop {
            if self.takes(&end) {
                return Some(text);
            }
            let c = self.peek()?;
            if c == '\n' && end.len() == 1 {
                return None;
            }
            self.at += c.len_utf8();
            if c != '\\' || raw {
                text.push(c);
                continue;
            }
            let escape = self.peek()?;
            self.at += escape.len_utf8();
            match escape {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                '\n' => {}
                '\\' | '\'' | '"' => text.push(escape),
                'x' | 'u' => {
                    let digits = if escape == 'x' { 2 } else { 4 };
                    let code = self.rest().get(..digits)?;
                    text.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
                    self.at += digits;
                }
                other => text.extend(['\\', other]),
            }
        }
    }

    fn number(&mut self) -> Option<Value> {
        let length = self.rest().find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-')));
        let written = &self.rest()[..length.unwrap_or(self.rest().len())];
        self.python |= written.contains('_');
        let plain = written.replace('_', "");
        self.at += written.len();
        if let Ok(n) = plain.parse::<i64>() {
            return Some(Value::Int(n));
        }
        plain.parse::<f64>().ok().filter(|x| x.is_finite()).map(Value::Float)
    }

    fn word(&mut self) -> Option<Value> {
        for (word, value) in [("True", Value::Bool(true)), ("False", Value::Bool(false)), ("None", Value::Null)] {
            if self.takes(word) {
                self.python = true;
                return Some(value);
            }
        }
        // A JSON text with a mistake is still told as Python's, if it is that in other places.
        for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)] {
            if self.takes(word) {
                return Some(value);
            }
        }
        let from = self.at;
        for call in ["os.getenv(", "os.environ.get(", "getenv("] {
            if self.takes(call) {
                return self.environment(from);
            }
        }
        let wraps = ["str(", "int("].into_iter().find(|call| self.takes(call));
        let wrap = wraps?;
        self.python = true;
        self.blanks();
        let inside = self.scalar()?;
        self.blanks();
        let closed = self.takes(")");
        let value = match (wrap, &inside) {
            ("int(", Value::Str(text)) => Value::Int(text.parse().ok()?),
            ("str(", Value::Int(n)) => n.to_string().into(),
            _ => inside,
        };
        closed.then_some(value)
    }

    /// The default of a variable, or an empty text if it has none.
    fn environment(&mut self, from: usize) -> Option<Value> {
        self.python = true;
        self.blanks();
        let name = self.string(0)?;
        self.blanks();
        let mut default = Value::Null;
        if self.takes(",") {
            self.blanks();
            if self.peek()? != ')' {
                default = self.scalar()?;
            }
            self.blanks();
            self.takes(",");
            self.blanks();
        }
        if !self.takes(")") {
            return None;
        }
        let span = self.span(from, self.at);
        let message = if default.is_null() {
            format!("the environment variable {name} has no default here: null stands in its place")
        } else {
            format!("the environment variable {name} is taken to be its default")
        };
        if self.remarks.len() < limits::REMARKS {
            self.remarks.push(Diagnostic::new(Severity::Hint, "python-environment", span, message));
        }
        Some(default)
    }
}

fn scalar_text(value: &Value) -> String {
    match value {
        Value::Str(text) if text.contains('\n') => value_json(text),
        value => emit(value).trim_end().to_owned(),
    }
}

/// A text of many lines on one line.
fn value_json(text: &str) -> String {
    Value::from(text).to_json()
}

/// Block style; the items of a list are indented under their key.
fn write(tree: &Tree, indent: usize, yaml: &mut String) {
    let pad = " ".repeat(indent);
    match tree {
        Tree::Scalar(value) => yaml.push_str(&format!("{pad}{}\n", scalar_text(value))),
        Tree::Map(entries) if entries.is_empty() => yaml.push_str(&format!("{pad}{{}}\n")),
        Tree::List(items) if items.is_empty() => yaml.push_str(&format!("{pad}[]\n")),
        Tree::Map(entries) => {
            for (key, value) in entries {
                yaml.push_str(&format!("{pad}{}:", scalar_text(&key.as_str().into())));
                below(value, indent + 2, yaml);
            }
        }
        Tree::List(items) => {
            for item in items {
                let mut inside = String::new();
                write(item, indent + 2, &mut inside);
                // The item's first line begins behind the dash.
                yaml.push_str(&format!("{pad}- {}", &inside[indent + 2..]));
            }
        }
    }
}

fn below(value: &Tree, indent: usize, yaml: &mut String) {
    match value {
        Tree::Map(entries) if !entries.is_empty() => {
            yaml.push('\n');
            write(value, indent, yaml);
        }
        Tree::List(items) if !items.is_empty() => {
            yaml.push('\n');
            write(value, indent, yaml);
        }
        flat => {
            yaml.push(' ');
            write(flat, 0, yaml);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml_of(text: &str) -> String {
        recognise(text).map_or("none".to_owned(), |converted| converted.yaml)
    }

    #[test]
    fn python_becomes_yaml_in_its_own_order() {
        for (text, want) in [
            ("{'b': 1, 'a': True}", "b: 1\na: true\n"),
            ("JOB = {\n  # why\n  \"x\": None,\n}", "x: null\n"),
            ("{'l': [1, {'k': 'v', 'm': [],},], 't': (1,),}", "l:\n  - 1\n  - k: v\n    m: []\nt:\n  - 1\n"),
            ("{'a': os.getenv(\"X\", \"d\"), 'b': os.environ.get('Y')}", "a: d\nb: null\n"),
            ("{'a': 'one' 'two', 'b': '''x\ny''', 'c': r'\\d'}", "a: onetwo\nb: \"x\\ny\"\nc: \\d\n"),
            ("{'n': 'yes', 'p': '8080', 'q': 1_000, 'r': str(7)}", "\"n\": \"yes\"\np: \"8080\"\nq: 1000\nr: \"7\"\n"),
        ] {
            assert_eq!(yaml_of(text), want, "{text}");
        }
    }

    #[test]
    fn other_texts_are_left_alone() {
        for text in
            ["{\"a\": 1}", "a: 1", "", "{}", "[1, 2,]", "{'a': x}", "{'a': 1", "{'a': 1} trailing", "{1: {2: f()}}"]
        {
            assert_eq!(yaml_of(text), "none", "{text}");
        }
        assert_eq!(recognise(&"{'a':".repeat(5000)), None);
    }

    #[test]
    fn the_tutorials_manifest_is_read_with_its_mistakes_told() {
        let text = "{\n  \"env\": [\n    {\"name\": \"A\"},\n    ...\n  ]\n  \"name\": \"job\",\n  \"tty\": True,\n}";
        let converted = recognise(text).unwrap();
        assert_eq!(converted.yaml, "env:\n  - name: A\nname: job\ntty: true\n");
        let told: Vec<String> = converted.remarks.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "4:5: error: `...` stands for what the text leaves out; put your own entries here. It is left out of the YAML",
                "5:4: error: a comma is missing here: write `,` before the next entry",
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_left_alone(text in "[ -~\n]{0,80}") {
            let _ = recognise(&text);
            let _ = recognise(&format!("{{'a': {text}}}"));
        }
    }
}
