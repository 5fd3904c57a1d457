//! Tabs where go-yaml allows only spaces.
//!
//! Rule: outside quotes, brackets and block texts a line must not begin with blanks that hold a tab. Behind a plain text
//! that could go on, go-yaml calls it a violated indentation; elsewhere a character that starts no token. Our parser, which
//! follows YAML 1.2, lets some of these pass. Source: `yaml_parser_scan_plain_scalar` and `yaml_parser_fetch_next_token`
//! in `goyaml.v2/scannerc.go`.

use std::ops::Range;

/// A tab that go-yaml refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct BadTab {
    /// From 1.
    pub line: usize,
    /// Byte offset in the part.
    pub at: usize,
    /// It stands where the plain text before it could go on.
    pub in_plain: bool,
}

/// The first refused tab. `allowed` are the ranges of quoted texts, block texts and brackets, one behind the other.
pub(super) fn first_bad_tab(text: &str, allowed: &[Range<usize>]) -> Option<BadTab> {
    if !text.contains('\t') {
        return None;
    }
    let mut start = 0;
    let mut plain = None;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        let here = start;
        start += line.len();
        let body = line.trim_end_matches(['\n', '\r']);
        let content = body.trim_start_matches([' ', '\t']);
        let blanks = &body[..body.len() - content.len()];
        if let Some(column) = blanks.find('\t') {
            let at = here + column;
            let free = !last_before(allowed, at + 1).is_some_and(|r| r.contains(&at));
            match plain {
                Some(indent) if free && column <= indent => return Some(BadTab { line: i + 1, at, in_plain: true }),
                None if free => return Some(BadTab { line: i + 1, at, in_plain: false }),
                _ => {}
            }
        }
        if content.starts_with('#') {
            plain = None;
        } else if !content.is_empty() {
            let end = here + body.trim_end().len();
            let covered = last_before(allowed, end).is_some_and(|r| end <= r.end + 1 && r.end > here);
            plain = if covered { None } else { plain_indent(body) };
        }
    }
    None
}

/// The last range that begins before `offset`.
fn last_before(ranges: &[Range<usize>], offset: usize) -> Option<&Range<usize>> {
    ranges[..ranges.partition_point(|r| r.start < offset)].last()
}

/// If a plain text at the end of `line` could go on in the next line, the column that it must be indented beyond.
fn plain_indent(line: &str) -> Option<usize> {
    let line = line.find(" #").map_or(line, |i| &line[..i]);
    if line.trim_end().len() < line.len() && line.contains(" #") {
        return None;
    }
    let text = line.trim_end();
    let mut indent = text.len() - text.trim_start().len();
    let mut rest = text.trim_start();
    // Items within items: the text belongs to the innermost.
    while let Some(item) = rest.strip_prefix("- ") {
        indent += rest.len() - item.trim_start().len();
        rest = item.trim_start();
    }
    if rest.ends_with(':') || rest.is_empty() || rest == "-" {
        return None;
    }
    let value = rest.split_once(": ").map_or(rest, |(_, value)| value.trim_start());
    let wrapped = |open: char, close: char| value.starts_with(open) && value.ends_with(close);
    if wrapped('"', '"') || wrapped('\'', '\'') || wrapped('[', ']') || wrapped('{', '}') {
        return None;
    }
    Some(if rest.contains(": ") { indent } else { indent.saturating_sub(1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_are_refused_where_go_yaml_refuses_them() {
        for (text, expected) in [
            ("a:\n\tb: c\n", Some((2, false))),
            ("a: b\n\tc: d\n", Some((2, true))),
            ("a: b\n# c\n\td: e\n", Some((3, false))),
            ("- a\n\t- b\n", Some((2, true))),
            ("a: b\n  \tc\n", None),
            ("a:\tb\n", None),
        ] {
            assert_eq!(first_bad_tab(text, &[]).map(|t| (t.line, t.in_plain)), expected, "{text:?}");
        }
        let brackets = std::slice::from_ref(&(3..12));
        assert_eq!(first_bad_tab("a: {\n\tb: c}\n", brackets), None);
    }
}
