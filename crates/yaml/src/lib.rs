//! YAML and JSON as Kubernetes reads and writes them.
//!
//! [`parse`] takes any text and gives documents with the place of every value, and remarks; it never panics, and its work
//! is bounded by [`limits`]. [`emit`] writes a value as `kubectl -o yaml` does. The grammar is `granit-parser`'s (YAML 1.2,
//! an event parser with marks); what scalars mean, which errors kubectl prints and how text is cut into documents follow
//! sigs.k8s.io/yaml and `apimachinery/pkg/util/yaml`.

#![forbid(unsafe_code)]

use values::sort::sort_by_key;

mod build;
mod complaint;
pub mod diagnostic;
mod emit;
mod json;
mod node;
pub mod python;
mod scalar;
mod split;
mod tabs;

pub use diagnostic::{Diagnostic, Severity, TextRange};
pub use emit::emit;
pub use node::{Content, Entry, Location, Node};

use split::Piece;

/// What bounds the work that one text can cause.
pub mod limits {
    /// Longest text, in bytes. The API server's own limit for an object is 1.5 MiB.
    pub const TEXT_BYTES: usize = 1 << 20;
    /// Flow and block collections inside each other, each. go-yaml allows 10,000.
    pub const NESTING: usize = 100;
    /// Values of one document, with every alias counted as all that it stands for.
    pub const NODES: usize = 100_000;
    /// Hints about one text; what would come behind them is left out.
    pub const REMARKS: usize = 100;
    /// Documents of one text.
    pub const DOCUMENTS: usize = 1_000;
}

/// What a text holds.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The documents that can be read. Empty ones are left out.
    pub documents: Vec<Node>,
    /// Errors and hints, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// How many of `documents` kubectl reads: it stops at the first part that is no YAML.
    pub reached: usize,
}

impl Parsed {
    /// The first error that makes kubectl stop reading, as it prints it; none if the whole text can be read.
    pub fn kubectl_error(&self) -> Option<&str> {
        self.diagnostics.iter().find(|d| d.severity == Severity::Error).and_then(|d| d.kubectl.as_deref())
    }
}

/// Why a text that begins with `{` is no JSON, in the words of Go's `json.Unmarshal`; none if it is, or does not begin so.
pub fn json_error(text: &str) -> Option<String> {
    if !json::might_be_json(text) {
        return None;
    }
    match json::value_end(text, 0) {
        Err(error) if error.text == "unexpected EOF" => Some("unexpected end of JSON input".to_owned()),
        Err(error) => Some(error.text.rsplit_once(": ").map_or(error.text.clone(), |(_, why)| why.to_owned())),
        Ok(end) => {
            let after = text[end..].trim_start().chars().next()?;
            Some(format!("invalid character '{after}' after top-level value"))
        }
    }
}

/// Reads a text of any number of documents. `source` is what kubectl calls it: `STDIN`, or a file's name.
pub fn parse(text: &str, source: &str) -> Parsed {
    let mut parsed = Parsed::default();
    if text.len() > limits::TEXT_BYTES {
        let message = format!("the text is longer than {} KiB", limits::TEXT_BYTES / 1024);
        let start = TextRange { line: 1, column: 1, end_line: 1, end_column: 1, ..TextRange::default() };
        parsed.diagnostics.push(
            Diagnostic::new(Severity::Error, "too-large", start, message.clone())
                .with_kubectl(format!("error: error parsing {source}: {message}")),
        );
        return parsed;
    }
    let (pieces, json_error) = pieces(text);
    let mut stopped = false;
    for piece in pieces {
        match read(piece, &mut parsed.diagnostics) {
            Ok(node) => parsed.documents.extend(node.filter(|n| !is_null(n))),
            Err((failure, mut text)) => {
                // What was first tried as JSON is told as JSON.
                if let Some(error) = json_error.as_ref().filter(|_| !stopped) {
                    text.clone_from(error);
                }
                parsed.diagnostics.push(
                    Diagnostic::new(Severity::Error, failure.code, failure.span, failure.message)
                        .with_kubectl(format!("error: error parsing {source}: {text}")),
                );
                stopped = true;
            }
        }
        if !stopped {
            parsed.reached = parsed.documents.len();
        }
        if parsed.documents.len() >= limits::DOCUMENTS {
            break;
        }
    }
    sort_by_key(&mut parsed.diagnostics, |d| (d.span.start, d.severity));
    parsed
}

/// The parts of a text: JSON values one behind the other if it is such a stream, and from the first place that is no JSON
/// on, YAML documents. With the error of the JSON, if there was one.
fn pieces(text: &str) -> (Vec<Piece<'_>>, Option<String>) {
    if !json::might_be_json(text) {
        return (split::split(text, 0, 1), None);
    }
    let mut pieces = Vec::new();
    let (mut at, mut line) = (0, 1);
    while !text[at..].trim_start().is_empty() && pieces.len() < limits::DOCUMENTS {
        match json::value_end(text, at) {
            Ok(end) => {
                pieces.push(Piece::Chunk(split::Chunk { text: &text[at..end], start: at, line }));
                line += text[at..end].matches('\n').count();
                at = end;
            }
            Err(error) => {
                if pieces.len() > 1 {
                    // After two values kubectl is sure that it reads JSON.
                    pieces.push(Piece::NotJson(split::Chunk { text: &text[at..], start: at, line }));
                    return (pieces, Some(error.text));
                }
                // The rest of the last value's line is passed over if it is blank.
                let rest = &text[at..];
                if let Some(i) = rest.find('\n').filter(|i| at > 0 && rest[..*i].trim().is_empty()) {
                    (at, line) = (at + i + 1, line + 1);
                }
                pieces.extend(split::split(&text[at..], at, line));
                return (pieces, Some(error.text));
            }
        }
    }
    (pieces, None)
}

/// Reads one part; an error comes with what kubectl says of it.
fn read(piece: Piece<'_>, remarks: &mut Vec<Diagnostic>) -> Result<Option<Node>, (build::Failure, String)> {
    match piece {
        Piece::Chunk(part) => build::build(part, remarks).map_err(|failure| {
            let text = conversion_error(&failure.go);
            (failure, text)
        }),
        Piece::BadSeparator { line, rest } => {
            let failure = build::Failure {
                span: line_span(line.text.trim_end(), line.start, line.line),
                code: "separator",
                message: "only a comment may stand behind '---'; write the document on the next line".into(),
                go: String::new(),
            };
            Err((failure, format!("invalid Yaml document separator: {rest}")))
        }
        Piece::NotJson(part) => {
            let first_line = part.text.lines().next().unwrap_or("");
            let failure = build::Failure {
                span: line_span(first_line, part.start, part.line),
                code: "json-syntax",
                message: "this is no JSON, although the text before it is".into(),
                go: String::new(),
            };
            Err((failure, String::new()))
        }
    }
}

/// Reads bytes that may not be text.
pub fn parse_bytes(bytes: &[u8], source: &str) -> Parsed {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text, source),
        Err(error) => {
            let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or("");
            let line = 1 + good.matches('\n').count() as u32;
            let column = 1 + good.rsplit('\n').next().unwrap_or("").chars().count() as u32;
            let (start, end) = (good.len() as u32, good.len() as u32 + 1);
            let span = TextRange { line, column, end_line: line, end_column: column + 1, start, end };
            let kubectl =
                format!("error: error parsing {source}: {}", conversion_error("yaml: invalid leading UTF-8 octet"));
            let diagnostic = Diagnostic::new(Severity::Error, "not-utf8", span, "this byte is not UTF-8 text");
            Parsed { diagnostics: vec![diagnostic.with_kubectl(kubectl)], ..Parsed::default() }
        }
    }
}

fn conversion_error(go: &str) -> String {
    format!("error converting YAML to JSON: {go}")
}

fn is_null(node: &Node) -> bool {
    matches!(&node.content, Content::Scalar(value) if value.is_null())
}

fn line_span(text: &str, start: usize, line: usize) -> TextRange {
    let (line, start) = (line as u32, start as u32);
    TextRange {
        line,
        column: 1,
        end_line: line,
        end_column: 1 + text.chars().count() as u32,
        start,
        end: start + text.len() as u32,
    }
}

#[cfg(test)]
mod tests;
