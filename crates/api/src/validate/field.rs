//! Paths of fields, and what can be wrong with one: `spec.parallelism: Invalid value: -1: must be …`.
//!
//! Rule: the words of `apimachinery/pkg/util/validation/field/{path,errors}.go`: the type of the error, then the value
//! (text in Go's quotes, numbers and booleans bare, anything else as JSON), then the detail. A path is a chain on the
//! stack and becomes text only when something is wrong, so that checking a good object allocates nothing.

use std::fmt::{self, Write as _};

use crate::status::FieldCause;
use values::value::Value;

/// Where a field is.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    part: Link<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Link<'a> {
    /// May hold dots: `template.spec`.
    Name(&'a str),
    Index(usize),
    /// `labels[app]`
    Key(&'a str),
}

impl<'a> Path<'a> {
    /// A path of one part. With an empty name it is the object itself.
    pub const fn root(name: &'a str) -> Path<'a> {
        Path { parent: None, part: Link::Name(name) }
    }

    pub const fn child(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), part: Link::Name(name) }
    }

    pub const fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), part: Link::Index(index) }
    }

    pub const fn key(&'a self, key: &'a str) -> Path<'a> {
        Path { parent: Some(self), part: Link::Key(key) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.part {
            Link::Name(name) => {
                let first = self.parent.is_none_or(Path::is_empty);
                write!(f, "{}{name}", if first { "" } else { "." })
            }
            Link::Index(index) => write!(f, "[{index}]"),
            Link::Key(key) => write!(f, "[{key}]"),
        }
    }
}

impl Path<'_> {
    fn is_empty(&self) -> bool {
        self.parent.is_none() && matches!(self.part, Link::Name(""))
    }
}

/// A value as an error shows it.
#[derive(Clone, Debug)]
pub enum Shown<'a> {
    /// In Go's quotes.
    Text(&'a str),
    Int(i64),
    /// As JSON; text in quotes.
    Tree(&'a Value),
    /// Already as it is to be shown, see [`super::go_form`].
    Ready(String),
}

impl Shown<'_> {
    /// A pointer that is nil. Go's rendering gives it quotes.
    pub const NIL: Shown<'static> = Shown::Text("null");

    /// What a Go pointer shows: the value it points to.
    pub fn pointer(value: &Value) -> Shown<'_> {
        if value.is_null() { Shown::NIL } else { Shown::Tree(value) }
    }
}

impl<'a> From<&'a str> for Shown<'a> {
    fn from(text: &'a str) -> Shown<'a> {
        Shown::Text(text)
    }
}

impl From<i64> for Shown<'_> {
    fn from(number: i64) -> Self {
        Shown::Int(number)
    }
}

impl<'a> From<&'a Value> for Shown<'a> {
    fn from(value: &'a Value) -> Shown<'a> {
        Shown::Tree(value)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Text(text) => f.write_str(&go_quote(text)),
            Shown::Int(number) => number.fmt(f),
            Shown::Tree(Value::Str(text)) => f.write_str(&go_quote(text)),
            Shown::Tree(value) => f.write_str(&value.to_go_json()),
            Shown::Ready(text) => f.write_str(text),
        }
    }
}

/// What was found wrong, in the order of finding.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    causes: Vec<FieldCause>,
}

impl Errors {
    pub fn new() -> Errors {
        Errors::default()
    }

    pub fn into_causes(self) -> Vec<FieldCause> {
        self.causes
    }

    /// How many there are; a caller that remembers it can tell whether a part was good.
    pub fn count(&self) -> usize {
        self.causes.len()
    }

    pub fn required(&mut self, path: &Path<'_>, detail: &str) {
        self.push(path, "Required value", None, detail);
    }

    pub fn forbidden(&mut self, path: &Path<'_>, detail: &str) {
        self.push(path, "Forbidden", None, detail);
    }

    pub fn invalid<'v>(&mut self, path: &Path<'_>, value: impl Into<Shown<'v>>, detail: &str) {
        self.push(path, "Invalid value", Some(value.into()), detail);
    }

    /// One `Invalid` for each message.
    pub fn invalid_each<'v>(&mut self, path: &Path<'_>, value: impl Into<Shown<'v>>, messages: Vec<String>) {
        let value = value.into();
        for message in messages {
            self.push(path, "Invalid value", Some(value.clone()), &message);
        }
    }

    /// `Invalid value` without the value.
    pub fn invalid_omitted(&mut self, path: &Path<'_>, detail: &str) {
        self.push(path, "Invalid value", None, detail);
    }

    /// The value is none of `supported`, which are listed as they are given.
    pub fn unsupported<'v>(&mut self, path: &Path<'_>, value: impl Into<Shown<'v>>, supported: &[&str]) {
        let list: Vec<String> = supported.iter().map(|s| go_quote(s)).collect();
        let detail = if list.is_empty() { String::new() } else { format!("supported values: {}", list.join(", ")) };
        self.push(path, "Unsupported value", Some(value.into()), &detail);
    }

    pub fn duplicate<'v>(&mut self, path: &Path<'_>, value: impl Into<Shown<'v>>) {
        self.push(path, "Duplicate value", Some(value.into()), "");
    }

    pub fn not_found<'v>(&mut self, path: &Path<'_>, value: impl Into<Shown<'v>>, detail: &str) {
        self.push(path, "Not found", Some(value.into()), detail);
    }

    pub fn too_long(&mut self, path: &Path<'_>, max_bytes: usize) {
        self.push(path, "Too long", None, &format!("may not be more than {max_bytes} bytes"));
    }

    pub fn too_many(&mut self, path: &Path<'_>, actual: usize, max: usize) {
        let items = if max == 1 { "item" } else { "items" };
        let shown = Shown::Int(actual as i64);
        self.push(path, "Too many", Some(shown), &format!("must have at most {max} {items}"));
    }

    /// `must be greater than or equal to 0`
    pub fn non_negative(&mut self, path: &Path<'_>, number: Option<i64>) {
        if let Some(number) = number.filter(|n| *n < 0) {
            self.invalid(path, number, NOT_NEGATIVE);
        }
    }

    fn push(&mut self, path: &Path<'_>, kind: &str, value: Option<Shown<'_>>, detail: &str) {
        let mut message = kind.to_owned();
        if let Some(value) = value {
            let _ = write!(message, ": {value}");
        }
        if !detail.is_empty() {
            let _ = write!(message, ": {detail}");
        }
        self.causes.push(FieldCause { field: path.to_string(), message });
    }
}

pub const NOT_NEGATIVE: &str = "must be greater than or equal to 0";
pub const IMMUTABLE: &str = "field is immutable";

/// `must be between 1 and 65535, inclusive`
pub fn range(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

/// Go's `%q` of a string.
pub fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            ' '..='~' => out.push(c),
            c if c.is_ascii() => _ = write!(out, "\\x{:02x}", u32::from(c)),
            c if is_printable(c) => out.push(c),
            c if u32::from(c) < 0x1_0000 => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => _ = write!(out, "\\U{:08x}", u32::from(c)),
        }
    }
    out.push('"');
    out
}

/// Go prints letters, marks, numbers, punctuation and symbols; of spaces only the plain one.
fn is_printable(c: char) -> bool {
    // Rust's own escaping draws nearly the same line, but escapes the marks that combine with a letter.
    let combines = matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}');
    combines || (!c.is_whitespace() && c.escape_debug().len() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_text() {
        let root = Path::root("");
        let spec = root.child("spec");
        let containers = spec.child("containers");
        let first = containers.index(0);
        assert_eq!(first.child("image").to_string(), "spec.containers[0].image");
        assert_eq!(spec.child("limits").key("nvidia.com/gpu").to_string(), "spec.limits[nvidia.com/gpu]");
    }

    #[test]
    fn texts_are_quoted_as_go_does() {
        for (text, quoted) in [
            ("plain 'text'", r#""plain 'text'""#),
            ("a\"b\\c\n", r#""a\"b\\c\n""#),
            ("é世\u{301}", "\"é世\u{301}\""),
            ("\u{1}\u{7f}\u{a0}\u{200b}", r#""\x01\x7f\u00a0\u200b""#),
            ("\u{e0001}", r#""\U000e0001""#),
        ] {
            assert_eq!(go_quote(text), quoted);
        }
    }

    #[test]
    fn errors_have_their_words() {
        let path = Path::root("spec");
        let mut errors = Errors::new();
        errors.required(&path, "");
        errors.forbidden(&path, "no");
        errors.invalid(&path, -1, NOT_NEGATIVE);
        errors.invalid(&path, &Value::from_json(r#"{"a":"<"}"#).unwrap(), "bad");
        errors.invalid(&path, Shown::pointer(&Value::Null), IMMUTABLE);
        errors.invalid_omitted(&path, "both");
        errors.unsupported(&path, "x", &["A", "B"]);
        errors.duplicate(&path, 3);
        errors.not_found(&path, "v", "");
        errors.too_long(&path, 63);
        errors.too_many(&path, 21, 20);
        let texts: Vec<String> = errors.into_causes().into_iter().map(|cause| cause.message).collect();
        assert_eq!(
            texts,
            [
                "Required value",
                "Forbidden: no",
                "Invalid value: -1: must be greater than or equal to 0",
                r#"Invalid value: {"a":"\u003c"}: bad"#,
                "Invalid value: \"null\": field is immutable",
                "Invalid value: both",
                r#"Unsupported value: "x": supported values: "A", "B""#,
                "Duplicate value: 3",
                "Not found: \"v\"",
                "Too long: may not be more than 63 bytes",
                "Too many: 21: must have at most 20 items",
            ]
        );
    }
}
