//! Parser events into a tree: scalars get their meaning, aliases are filled in, merge keys are merged, limits are kept.
//!
//! Rule: as sigs.k8s.io/yaml on go-yaml v2 (`decode.go`, `yaml.go`): only the first document of a part is read; a repeated
//! key is accepted and its last value counts; `<<` merges where it stands; keys become strings. Limits that go-yaml has not
//! or has wider are ours, so that no text can take more than a moment: see [`super::limits`].

use std::ops::Range;
use std::rc::Rc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, StrInput, StructureStyle, Tag};

use values::sorted::SortedMap;
use values::value::Value;

use super::complaint::{self, Where};
use super::diagnostic::{Diagnostic, Severity, TextRange};
use super::limits;
use super::node::{Content, Entry, Node};
use super::scalar::{self, Meaning};
use super::split::Chunk;
use super::tabs::{self, BadTab};

/// Why a part is no document.
pub(super) struct Failure {
    pub span: TextRange,
    pub code: &'static str,
    /// In clear words.
    pub message: String,
    /// As go-yaml says it, from `yaml: ` on; or another error of the conversion to JSON.
    pub go: String,
}

/// Reads the first document of `part`; none if it is empty. Hints go to `remarks`.
pub(super) fn build(part: Chunk<'_>, remarks: &mut Vec<Diagnostic>) -> Result<Option<Node>, Failure> {
    check_characters(part)?;
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: limits::NESTING,
        block_nesting_limit: limits::NESTING,
    };
    let mut builder = Builder {
        part,
        remarks,
        frames: Vec::new(),
        anchors: SortedMap::new(),
        root: None,
        nodes: 0,
        tab_ranges: Vec::new(),
        end: part.text.len(),
    };
    for event in Parser::<StrInput<'_>>::new_from_str_with_options(part.text, options) {
        let (event, span) = event.map_err(|e| builder.syntax_error(&e))?;
        let span = builder.span(span.start, span.end);
        if builder.take(event, span)? {
            break;
        }
    }
    match builder.bad_tab() {
        Some(failure) => Err(failure),
        None => Ok(builder.root),
    }
}

struct Builder<'t, 'r> {
    part: Chunk<'t>,
    remarks: &'r mut Vec<Diagnostic>,
    frames: Vec<Frame>,
    /// Finished anchored nodes. An anchor that is still open has no entry.
    anchors: SortedMap<usize, Node>,
    root: Option<Node>,
    /// Nodes made so far, aliases counted with all they stand for.
    nodes: usize,
    /// Byte ranges of the part in which tabs are free: quoted texts, block texts, brackets.
    tab_ranges: Vec<Range<usize>>,
    /// Where the document ends in the part.
    end: usize,
}

/// A collection that is not finished.
struct Frame {
    anchor: usize,
    span: TextRange,
    /// Written in brackets.
    flow: bool,
    kind: FrameKind,
}

impl Frame {
    /// The bracket that opened it, if it is in brackets.
    fn flow_opener(&self) -> Option<char> {
        self.flow.then_some(if matches!(self.kind, FrameKind::List(_)) { '[' } else { '{' })
    }

    /// A key has been read and its value has not.
    fn waits_for_value(&self) -> bool {
        matches!(self.kind, FrameKind::Map { key: Some(_), .. })
    }
}

enum FrameKind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, seen: SortedMap<Rc<str>, TextRange>, key: Option<Key> },
}

/// A key that waits for its value.
enum Key {
    Merge(TextRange),
    Plain(Rc<str>, TextRange),
}

impl Builder<'_, '_> {
    /// Takes one event. True at the end of the document.
    fn take(&mut self, event: Event<'_>, span: TextRange) -> Result<bool, Failure> {
        match event {
            Event::DocumentEnd => {
                self.end = span.start as usize - self.part.start;
                return Ok(true);
            }
            Event::Scalar(text, style, anchor, tag) => {
                if style != ScalarStyle::Plain {
                    self.free_tabs(span);
                }
                let node = self.scalar(&text, style, tag.as_deref(), span)?;
                self.finish(node, anchor)?;
            }
            Event::SequenceStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                self.frames.push(Frame { anchor, span, flow, kind: FrameKind::List(Vec::new()) });
            }
            Event::MappingStart(style, anchor, _) => {
                let kind = FrameKind::Map { entries: Vec::new(), seen: SortedMap::new(), key: None };
                self.frames.push(Frame { anchor, span, flow: style == StructureStyle::Flow, kind });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            Event::Alias(id) => {
                let Some(target) = self.anchors.get(&id) else {
                    let message = "this alias stands inside the value it names";
                    let source = span.start as usize - self.part.start..span.end as usize - self.part.start;
                    let name = self.part.text.get(source).unwrap_or("").trim_start_matches('*');
                    let go = format!("yaml: anchor '{name}' value contains itself");
                    return Err(self.failure(span, "alias", message, go));
                };
                let mut node = target.clone();
                node.span = span;
                self.finish(node, 0)?;
            }
            _ => {}
        }
        Ok(false)
    }

    fn close(&mut self, end: TextRange) -> Result<(), Failure> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        if frame.flow {
            self.free_tabs(frame.span.to(end));
        }
        // A block collection's own end lies at the next token; its last child's end is what people see.
        let (content, last) = match frame.kind {
            FrameKind::List(items) => {
                let last = items.last().map(|n| n.span);
                (Content::List(Rc::new(items)), last)
            }
            FrameKind::Map { entries, .. } => {
                let last = entries.last().map(|e| e.value.span);
                (Content::Map(Rc::new(entries)), last)
            }
        };
        let end = if end.end > end.start { end } else { last.filter(|l| l.end > frame.span.start).unwrap_or(end) };
        let node = Node::new(content, frame.span.to(end));
        // The parts were counted as they came; only the collection itself is new.
        self.nodes = self.nodes.saturating_sub(node.size - 1);
        self.finish(node, frame.anchor)
    }

    /// Puts a finished node where it belongs.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Failure> {
        self.nodes += node.size;
        if self.nodes > limits::NODES {
            let message = format!("the document has more than {} values, aliases counted in full", limits::NODES);
            return Err(self.failure(node.span, "too-large", message, "yaml: document contains excessive aliasing"));
        }
        if node.depth + self.frames.len() > 2 * limits::NESTING {
            let message = "values are nested too deeply here";
            return Err(self.failure(node.span, "too-deep", message, "yaml: exceeded max depth of 10000"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut frame.kind {
            FrameKind::List(items) => items.push(node),
            FrameKind::Map { key: waiting @ None, .. } => {
                let span = node.span;
                match key_of(&node) {
                    Some(key) => *waiting = Some(key),
                    None => {
                        let message = "this cannot be a key: keys are texts, numbers or booleans";
                        let empty = matches!(&node.content, Content::Scalar(Value::Null)) && span.start == span.end;
                        let go = if empty && !frame.flow {
                            let line = span.line as usize - self.part.line + 1;
                            let kind = granit_parser::ErrorKind::ExpectedBlockMappingKey;
                            complaint::go_yaml_text(&kind, self.part.text, line, 0, Where::default())
                        } else {
                            "yaml: invalid map key".into()
                        };
                        return Err(self.failure(span, "key", message, go));
                    }
                }
            }
            FrameKind::Map { key, entries, seen } => match key.take() {
                Some(Key::Plain(key, key_span)) => {
                    let first = seen.insert(key.clone(), key_span);
                    if let Some(first) = first.filter(|_| self.remarks.len() < limits::REMARKS) {
                        self.remarks.push(duplicate_key(&key, first, key_span));
                    }
                    entries.push(Entry { key, key_span, value: node });
                }
                Some(Key::Merge(span)) => match merged(&node) {
                    Some(more) => {
                        self.nodes += more.iter().map(|e| e.value.size).sum::<usize>();
                        entries.extend(more);
                    }
                    None => {
                        let message = "'<<' needs a map, or a list of maps, as its value";
                        let go = "yaml: map merge requires map or sequence of maps as the value";
                        return Err(self.failure(span, "merge", message, go));
                    }
                },
                None => {}
            },
        }
        Ok(())
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: TextRange) -> Result<Node, Failure> {
        let meaning = match tag.and_then(Tag::core_suffix) {
            None if tag.is_some() || style != ScalarStyle::Plain => Meaning::Str,
            None => scalar::resolve(text),
            Some("str" | "binary") => Meaning::Str,
            Some(name) => {
                let meaning = scalar::resolve(text);
                let fits = match (name, &meaning) {
                    ("int", Meaning::Int(_)) | ("bool", Meaning::Bool(_)) | ("null", Meaning::Null) => true,
                    ("float", Meaning::Int(_) | Meaning::Float(_)) => true,
                    ("int", Meaning::Float(x)) => x.fract() == 0.0,
                    ("timestamp", Meaning::Timestamp) => true,
                    ("int" | "bool" | "null" | "float" | "timestamp", _) => false,
                    _ => true,
                };
                if !fits {
                    let message = format!("{text:?} is no {name}, as its tag says");
                    return Err(self.failure(
                        span,
                        "tag",
                        message,
                        format!("yaml: cannot decode `{text}` as a !!{name}"),
                    ));
                }
                meaning
            }
        };
        let mut node = Node::new(Content::Scalar(Value::Null), span);
        if !matches!(meaning, Meaning::Str | Meaning::Timestamp) && style == ScalarStyle::Plain {
            node.plain = Some(text.into());
        }
        node.content = Content::Scalar(match meaning {
            Meaning::Null => Value::Null,
            Meaning::Bool(b) => Value::Bool(b),
            Meaning::Int(n) => Value::Int(n),
            Meaning::Float(x) if x.is_finite() => scalar::through_json(x),
            Meaning::Float(x) => {
                let name = if x.is_nan() {
                    "NaN"
                } else if x > 0.0 {
                    "+Inf"
                } else {
                    "-Inf"
                };
                let message = format!("{text} is a number that JSON cannot express");
                return Err(self.failure(span, "number", message, format!("json: unsupported value: {name}")));
            }
            Meaning::Timestamp | Meaning::Str | Meaning::Merge => text.into(),
        });
        Ok(node)
    }

    fn span(&self, start: Marker, end: Marker) -> TextRange {
        let place = |marker: Marker| {
            (
                (marker.line() + self.part.line - 1) as u32,
                marker.col() as u32 + 1,
                (marker.byte_offset().unwrap_or(0) + self.part.start) as u32,
            )
        };
        let (line, column, start) = place(start);
        let (end_line, end_column, end) = place(end);
        TextRange { line, column, end_line, end_column, start, end }
    }

    fn failure(
        &self,
        span: TextRange,
        code: &'static str,
        message: impl Into<String>,
        go: impl Into<String>,
    ) -> Failure {
        Failure { span, code, message: message.into(), go: go.into() }
    }

    /// Notes that tabs are free in a span, unless it lies in brackets that are noted as a whole.
    fn free_tabs(&mut self, span: TextRange) {
        if !self.frames.iter().any(|f| f.flow) {
            self.tab_ranges.push(span.start as usize - self.part.start..span.end as usize - self.part.start);
        }
    }

    /// The first tab that go-yaml refuses although our parser let it pass.
    fn bad_tab(&self) -> Option<Failure> {
        tabs::first_bad_tab(self.part.text, &self.tab_ranges).filter(|t| t.at < self.end).map(|t| self.tab_error(t))
    }

    fn tab_error(&self, tab: BadTab) -> Failure {
        use granit_parser::ErrorKind;
        let kind = if tab.in_plain { ErrorKind::TabInPlainScalar } else { ErrorKind::TabNotAllowed };
        let line_start = self.part.text[..tab.at].rfind('\n').map_or(0, |i| i + 1);
        let column = (tab.at - line_start) as u32 + 1;
        let line = (self.part.line + tab.line - 1) as u32;
        let start = (self.part.start + tab.at) as u32;
        let span = TextRange { line, column, end_line: line, end_column: column + 1, start, end: start + 1 };
        let go = complaint::go_yaml_text(&kind, self.part.text, tab.line, tab.at, Where::default());
        self.failure(span, "yaml-syntax", complaint::clear_text(&kind, None), go)
    }

    fn syntax_error(&mut self, error: &granit_parser::ScanError) -> Failure {
        let marker = *error.marker();
        let at = marker.byte_offset().unwrap_or(self.part.text.len());
        let flow = self.frames.iter().find(|f| f.flow).map(|f| f.span.start as usize - self.part.start);
        if let Some(start) = flow {
            self.tab_ranges.push(start..self.part.text.len());
        }
        if let Some(tab) = tabs::first_bad_tab(self.part.text, &self.tab_ranges) {
            let about_tabs = complaint::is_about_tabs(error.kind());
            if tab.line <= marker.line() || (about_tabs && tab.line <= marker.line() + 1) {
                return self.tab_error(tab);
            }
        }
        let place = Where {
            flow: self.frames.last().and_then(Frame::flow_opener),
            value_expected: self.frames.last().is_none_or(Frame::waits_for_value),
        };
        let go = complaint::go_yaml_text(error.kind(), self.part.text, marker.line(), at, place);
        self.failure(self.span(marker, marker), "yaml-syntax", complaint::clear_text(error.kind(), place.flow), go)
    }
}

/// The characters go-yaml's reader accepts.
fn check_characters(part: Chunk<'_>) -> Result<(), Failure> {
    let allowed = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
            && c != '\u{feff}'
    };
    let Some((at, c)) = part.text.char_indices().find(|(i, c)| !(allowed(*c) || *i == 0 && *c == '\u{feff}')) else {
        return Ok(());
    };
    let before = &part.text[..at];
    let line = (part.line + before.matches('\n').count()) as u32;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
    let start = (part.start + at) as u32;
    let end = start + c.len_utf8() as u32;
    Err(Failure {
        span: TextRange { line, column, end_line: line, end_column: column + 1, start, end },
        code: "control-character",
        message: format!("the character {c:?} is not allowed in YAML"),
        go: "yaml: control characters are not allowed".into(),
    })
}

/// A scalar as a key.
fn key_of(node: &Node) -> Option<Key> {
    let Content::Scalar(value) = &node.content else { return None };
    let text: Rc<str> = match value {
        Value::Str(s) if node.plain.as_deref() == Some("<<") => {
            debug_assert_eq!(&**s, "<<");
            return Some(Key::Merge(node.span));
        }
        Value::Str(s) => s.shared(),
        Value::Int(n) => n.to_string().into(),
        Value::Float(x) => x.to_string().into(),
        Value::Bool(b) => b.to_string().into(),
        _ => return None,
    };
    Some(Key::Plain(text, node.span))
}

/// The entries that `<<: node` brings. Of a list's maps the first one wins, so it comes last.
fn merged(node: &Node) -> Option<Vec<Entry>> {
    match &node.content {
        Content::Map(entries) => Some(entries.to_vec()),
        Content::List(items) => {
            let mut all = Vec::new();
            for item in items.iter().rev() {
                let Content::Map(entries) = &item.content else { return None };
                all.extend(entries.iter().cloned());
            }
            Some(all)
        }
        Content::Scalar(_) => None,
    }
}

fn duplicate_key(key: &str, first: TextRange, second: TextRange) -> Diagnostic {
    let message = format!(
        "\"{key}\" stands here and on line {}; Kubernetes takes the last one, on line {}",
        first.line, second.line
    );
    Diagnostic::new(Severity::Hint, "duplicate-key", second, message).with_related(first)
}
