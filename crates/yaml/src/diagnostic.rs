//! What is said about a place in a source text: by the YAML parser, by the API's checks, by hints.
//!
//! One type for `lint`, the editor's underlines and the page's list of problems. Lines and columns count from 1, columns in
//! characters, as editors show them; offsets are bytes of the whole text.

use std::fmt;

/// How much it matters. Errors stop an object from being made; the others do not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    Error,
    /// The API server's `Warning:` lines.
    Warning,
    /// Our own remarks about what is legal but surprising.
    Hint,
}

/// A range of the source text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TextRange {
    /// Line of the first character, from 1.
    pub line: u32,
    /// Column of the first character, from 1, in characters.
    pub column: u32,
    /// Line of the place behind the last character.
    pub end_line: u32,
    /// Column of the place behind the last character.
    pub end_column: u32,
    /// Byte offset of the first character.
    pub start: u32,
    /// Byte offset behind the last character.
    pub end: u32,
}

impl TextRange {
    /// From the start of `self` to the end of `other`.
    #[must_use]
    pub fn to(self, other: TextRange) -> TextRange {
        TextRange { end_line: other.end_line, end_column: other.end_column, end: other.end, ..self }
    }
}

/// One remark.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    pub severity: Severity,
    /// A stable name of what is meant, such as `yaml-syntax` or `duplicate-key`.
    pub code: &'static str,
    /// Clear text, without the position.
    pub message: String,
    /// What `kubectl apply -f -` prints for it, without the line's end; none if it prints nothing.
    pub kubectl: Option<String>,
    pub span: TextRange,
    /// Another place that belongs to it, such as the first of two equal keys.
    pub related: Option<TextRange>,
}

impl Diagnostic {
    pub fn new(severity: Severity, code: &'static str, span: TextRange, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity, code, message: message.into(), kubectl: None, span, related: None }
    }

    /// Adds what kubectl prints.
    #[must_use]
    pub fn with_kubectl(mut self, text: impl Into<String>) -> Diagnostic {
        self.kubectl = Some(text.into());
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn with_related(mut self, span: TextRange) -> Diagnostic {
        self.related = Some(span);
        self
    }
}

impl fmt::Display for Diagnostic {
    /// `3:5: error: message`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "hint",
        };
        write!(f, "{}:{}: {word}: {}", self.span.line, self.span.column, self.message)
    }
}
