//! The lines of a description, before they are aligned: labels, annotations, times, owners.
//!
//! Source: `describe.go` (`printLabelsMultiline`, `printAnnotationsMultiline`, `printController`).

use api::core::LAST_HEARTBEAT;
use values::time::SimTime;
use values::value::Value;

/// Annotation values longer than this stand on lines of their own, cut.
const ANNOTATION_MAX: usize = 140;
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A text whose columns are apart by tabs.
#[derive(Default)]
pub struct Sheet {
    pub text: String,
}

impl Sheet {
    /// A line as it is.
    pub fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// `Title:` and a value in the next column.
    pub fn row(&mut self, title: &str, value: impl std::fmt::Display) {
        self.line(&format!("{title}:\t{value}"));
    }

    /// A row if there is a value.
    pub fn row_if(&mut self, title: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.row(title, value);
        }
    }

    /// A row for the text at a path if it is not empty.
    pub fn text_if(&mut self, title: &str, value: &Value, path: &str) {
        self.row_if(title, value.str_at(path).filter(|text| !text.is_empty()));
    }

    /// Name and namespace.
    pub fn names(&mut self, value: &Value) {
        self.row("Name", text(value, "metadata.name"));
        self.row("Namespace", text(value, "metadata.namespace"));
    }

    /// Labels and annotations.
    pub fn labels_and_annotations(&mut self, value: &Value) {
        self.map("Labels", value.at("metadata.labels"));
        self.annotations("Annotations", value.at("metadata.annotations"));
    }

    /// `k=v`, one a line.
    pub fn map(&mut self, title: &str, map: &Value) {
        let pairs = map.as_map().into_iter().flat_map(|m| m.iter());
        self.column(title, pairs.map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect());
    }

    /// Texts under each other in the second column; `<none>` if there are none.
    pub fn column(&mut self, title: &str, lines: Vec<String>) {
        if lines.is_empty() {
            return self.row(title, "<none>");
        }
        for (i, line) in lines.iter().enumerate() {
            let title = if i == 0 { format!("{title}:") } else { String::new() };
            self.line(&format!("{title}\t{line}"));
        }
    }

    /// `k: v`, one a line; long values and those of several lines stand below their key.
    pub fn annotations(&mut self, title: &str, annotations: &Value) {
        let mut lines = Vec::new();
        for (key, value) in annotations.as_map().into_iter().flat_map(|m| m.iter()) {
            let value = value.as_str().unwrap_or_default();
            let value = value.strip_suffix('\n').unwrap_or(value);
            if key == LAST_APPLIED || key == LAST_HEARTBEAT {
                continue;
            }
            if value.len() + key.len() + 2 > ANNOTATION_MAX || value.contains('\n') {
                lines.push(format!("{key}:"));
                lines.extend(value.split('\n').map(|line| format!("  {}", shorten(line, ANNOTATION_MAX - 2))));
            } else {
                lines.push(format!("{key}: {value}"));
            }
        }
        self.column(title, lines);
    }

    /// `Controlled By:`, if there is a controller.
    pub fn controlled_by(&mut self, value: &Value) {
        let owners = value.list_at("metadata.ownerReferences").iter();
        let controller = owners.rev().find(|o| o.bool_at("controller") == Some(true));
        self.row_if("Controlled By", controller.map(|o| format!("{}/{}", text(o, "kind"), text(o, "name"))));
    }
}

fn shorten(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let end = (0..=max).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    format!("{}...", &text[..end])
}

/// The text at a path; empty if there is none.
pub fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value.str_at(path).unwrap_or_default()
}

/// The moment at a path, as `Mon, 02 Jan 2006 15:04:05 +0000`.
pub fn time(value: &Value, path: &str) -> Option<String> {
    value.str_at(path).and_then(SimTime::parse_rfc3339).map(long_time)
}

/// RFC 1123 with a numeric zone; the terminal's zone is UTC.
pub fn long_time(at: SimTime) -> String {
    at.format("%a, %d %b %Y %H:%M:%S +0000")
}

/// A moment that Go's zero time stands for if there is none.
pub fn time_or_zero(value: &Value, path: &str) -> String {
    time(value, path).unwrap_or_else(|| "Mon, 01 Jan 0001 00:00:00 +0000".to_owned())
}

/// `True` or `False`
pub fn yes(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// The whole number at a path.
pub fn number(value: &Value, path: &str) -> i64 {
    value.i64_at(path).unwrap_or(0)
}
