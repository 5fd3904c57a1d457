//! Where one document ends and the next begins, as kubectl's reader sees it.
//!
//! Rule: the text is cut at lines that begin with `---` before any YAML is read, so each part has its own line numbers; a
//! `---` with nothing before it stays in its part and counts as its first line; behind `---` only blanks and comments may
//! stand. Source: `apimachinery/pkg/util/yaml/decoder.go` (`YAMLReader`).

/// A part of the text that is given to the YAML parser alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk<'t> {
    pub text: &'t str,
    /// Byte offset of its first character in the whole text.
    pub start: usize,
    /// Line of its first character in the whole text, from 1.
    pub line: usize,
}

/// What the reader found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Chunk(Chunk<'t>),
    /// A separator line with something behind it. Reading ends there.
    BadSeparator {
        line: Chunk<'t>,
        rest: &'t str,
    },
    /// What follows several JSON values and is none. Reading ends there.
    NotJson(Chunk<'t>),
}

/// Cuts `text`, which begins at byte `offset` and on `first_line` of the whole text, into its parts.
pub(super) fn split(text: &str, offset: usize, first_line: usize) -> Vec<Piece<'_>> {
    let mut pieces = cut(text);
    for piece in &mut pieces {
        let (Piece::Chunk(part) | Piece::NotJson(part) | Piece::BadSeparator { line: part, .. }) = piece;
        part.start += offset;
        part.line += first_line - 1;
    }
    pieces
}

fn cut(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut part = Chunk { text: "", start: 0, line: 1 };
    let mut end = 0;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        let here = end;
        end += line.len();
        if let Some(rest) = line.strip_prefix("---") {
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                pieces.push(Piece::BadSeparator { line: Chunk { text: line, start: here, line: i + 1 }, rest });
                return pieces;
            }
            if here > part.start {
                pieces.push(Piece::Chunk(Chunk { text: &text[part.start..here], ..part }));
                part = Chunk { text: "", start: end, line: i + 2 };
            }
        }
    }
    if end > part.start {
        pieces.push(Piece::Chunk(Chunk { text: &text[part.start..end], ..part }));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<(&str, usize)> {
        split(text, 0, 1)
            .into_iter()
            .map(|p| match p {
                Piece::Chunk(p) | Piece::NotJson(p) => (p.text, p.line),
                Piece::BadSeparator { line, rest } => (rest, line.line),
            })
            .collect()
    }

    #[test]
    fn cuts_at_separators() {
        assert_eq!(parts("a: 1\n---\nb: 2\n--- # c\nc: 3"), [("a: 1\n", 1), ("b: 2\n", 3), ("c: 3", 5)]);
        assert_eq!(parts("---\na: 1\n"), [("---\na: 1\n", 1)]);
        assert_eq!(parts("a\n--- x\nb"), [("x", 2)]);
        assert_eq!(parts(""), []);
        assert_eq!(parts("a\n...\nb\n"), [("a\n...\nb\n", 1)]);
    }
}
