//! Label selectors as text: `app=queue,tier in (a, b),!old`.
//!
//! Source: `apimachinery/pkg/labels/selector.go` (`Parse`).

use crate::api::meta::{LabelExpression, LabelSelector, StringMap};

/// What a `-l` chooses. An empty one chooses everything.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Labels {
    parts: Vec<LabelExpression>,
}

impl Labels {
    /// Reads the text of `-l`.
    ///
    /// # Errors
    /// What part of it cannot be read.
    pub fn parse(text: &str) -> Result<Labels, String> {
        let mut parts = Vec::new();
        for part in split_outside_brackets(text) {
            let part = part.trim();
            if !part.is_empty() {
                parts.push(requirement(part)?);
            }
        }
        Ok(Labels { parts })
    }

    pub fn matches(&self, labels: &StringMap) -> bool {
        self.parts.iter().all(|part| part.matches(labels))
    }
}

impl From<&LabelSelector> for Labels {
    fn from(selector: &LabelSelector) -> Labels {
        let equal = |(key, value): (&String, &String)| expression(key, "In", vec![value.clone()]);
        let parts = selector.match_labels.iter().map(equal).chain(selector.match_expressions.iter().cloned());
        Labels { parts: parts.collect() }
    }
}

fn expression(key: &str, operator: &str, values: Vec<String>) -> LabelExpression {
    LabelExpression { key: key.trim().to_owned(), operator: operator.to_owned(), values }
}

fn split_outside_brackets(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0_i32, 0);
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth <= 0 => {
                parts.push(&text[from..i]);
                from = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

fn requirement(part: &str) -> Result<LabelExpression, String> {
    let unread = |found: &str| format!("unable to parse requirement: found '{found}', expected: identifier");
    let key = |text: &str| {
        let text = text.trim();
        let good = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
        if good { Ok(text.to_owned()) } else { Err(unread(text)) }
    };
    if let Some(name) = part.strip_prefix('!') {
        return Ok(expression(&key(name)?, "DoesNotExist", Vec::new()));
    }
    for (sign, operator) in [("!=", "NotIn"), ("==", "In"), ("=", "In"), (">", "Gt"), ("<", "Lt")] {
        if let Some((name, value)) = part.split_once(sign) {
            return Ok(expression(&key(name)?, operator, vec![value.trim().to_owned()]));
        }
    }
    if let Some((head, tail)) = part.split_once('(') {
        let words: Vec<&str> = head.split_whitespace().collect();
        let list = tail.trim_end().strip_suffix(')').ok_or_else(|| unread(""))?;
        let values = list.split(',').map(|v| v.trim().to_owned()).collect();
        return match words.as_slice() {
            [name, "in"] => Ok(expression(&key(name)?, "In", values)),
            [name, "notin"] => Ok(expression(&key(name)?, "NotIn", values)),
            _ => Err(unread(head)),
        };
    }
    Ok(expression(&key(part)?, "Exists", Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let labels: StringMap = [("app", "queue"), ("n", "5")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        for (text, expected) in [
            ("", true),
            ("app=queue", true),
            ("app==queue,n", true),
            ("app!=queue", false),
            ("app in (a, queue),n notin (4)", true),
            ("!app", false),
            ("!old", true),
            ("n>4", true),
        ] {
            assert_eq!(Labels::parse(text).unwrap().matches(&labels), expected, "{text}");
        }
        for text in ["=x", "a b", "x in (a"] {
            assert!(Labels::parse(text).is_err(), "{text}");
        }
    }
}
