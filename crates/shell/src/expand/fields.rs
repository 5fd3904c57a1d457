//! Fields under construction: text that splits at IFS and text that does not.

use super::pattern;

/// One field, as text and as a pattern in which quoted characters are escaped.
#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    pub text: String,
    pub pattern: String,
    /// An unquoted `*`, `?` or `[` is in it.
    pub has_pattern: bool,
}

pub(super) struct Fields {
    done: Vec<Field>,
    current: Option<Field>,
    /// `None`: everything becomes one field.
    ifs: Option<String>,
    bytes: usize,
}

impl Fields {
    pub fn splitting(ifs: String) -> Fields {
        Fields { done: Vec::new(), current: None, ifs: Some(ifs), bytes: 0 }
    }

    pub fn single() -> Fields {
        Fields { done: Vec::new(), current: None, ifs: None, bytes: 0 }
    }

    pub fn is_splitting(&self) -> bool {
        self.ifs.is_some()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Text in which nothing counts; it makes the field exist even if empty.
    pub fn quoted(&mut self, text: &str) {
        self.bytes += text.len();
        let field = self.current.get_or_insert_default();
        field.text.push_str(text);
        pattern::escape(text, &mut field.pattern);
    }

    /// Text of the script itself: it does not split, but patterns in it count.
    pub fn literal(&mut self, text: &str) {
        self.bytes += text.len();
        let field = self.current.get_or_insert_default();
        field.text.push_str(text);
        field.pattern.push_str(text);
        field.has_pattern |= text.contains(['*', '?', '[']) || text.contains('(') && text.contains(['@', '+', '!']);
    }

    /// The result of an unquoted expansion.
    pub fn split(&mut self, text: &str) {
        let Some(ifs) = self.ifs.clone() else {
            if !text.is_empty() {
                self.literal(text);
            }
            return;
        };
        // After white space ended a field, one other separator belongs to the same gap.
        let mut ended_by_blank = false;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if !ifs.contains(c) {
                let len = rest.find(|c| ifs.contains(c)).unwrap_or(rest.len());
                self.literal(&rest[..len]);
                rest = &rest[len..];
                ended_by_blank = false;
                continue;
            }
            rest = &rest[c.len_utf8()..];
            if matches!(c, ' ' | '\t' | '\n') {
                ended_by_blank |= self.end_field();
            } else if ended_by_blank {
                ended_by_blank = false;
            } else if !self.end_field() {
                self.done.push(Field::default());
            }
        }
    }

    /// Ends the field, if there is one.
    pub fn end_field(&mut self) -> bool {
        let field = self.current.take();
        let ended = field.is_some();
        self.done.extend(field);
        ended
    }

    pub fn finish(mut self) -> Vec<Field> {
        self.end_field();
        self.done
    }

    pub fn into_single(self) -> Field {
        self.current.unwrap_or_default()
    }
}
