//! Syntax errors: in clear words for people, and in the words and with the line numbers kubectl prints.
//!
//! Rule: kubectl reads YAML with go-yaml v2, a descendant of libyaml. Its scanner's errors carry the line of the problem,
//! its parser's errors the line before (they count from 0), and errors on the very first line carry none. Source: the
//! messages in `goyaml.v2/{scannerc,parserc}.go` and `parser.fail` in `goyaml.v2/decode.go` of sigs.k8s.io/yaml.

use granit_parser::ErrorKind;

/// Who found the error decides how its line is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Finder {
    Scanner,
    Parser,
}

/// What was being read when an error was found.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Where {
    /// The innermost collection's bracket, if it is in brackets.
    pub flow: Option<char>,
    /// A key's value, or the document itself, was about to begin.
    pub value_expected: bool,
}

/// `yaml: line 3: did not find expected key` for an error at byte `at`, on `line` (from 1) of the document's `text`.
pub(super) fn go_yaml_text(kind: &ErrorKind, text: &str, line: usize, at: usize, place: Where) -> String {
    use ErrorKind as E;
    let separator_missing = |bracket: char| {
        words(if bracket == '[' { &E::ExpectedFlowSequenceSeparator } else { &E::ExpectedFlowMappingSeparator })
    };
    let end_line = 1 + text.matches('\n').count();
    let (line, (finder, words)) = match kind {
        E::UnknownAnchor => {
            let rest = text.get(at..).unwrap_or("").trim_start_matches('*');
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
            if name.is_empty() {
                return format!("yaml: line {line}: did not find expected alphabetic or numeric character");
            }
            return format!("yaml: unknown anchor '{name}' referenced");
        }
        E::InvalidQuotedScalarIndent => match closing_quote_line(text, at) {
            // go-yaml does not mind the indentation: it reads on to the next quote and stumbles over what follows that.
            Some(line) => (line, (Finder::Parser, "did not find expected key")),
            None => (end_line, words(&E::UnclosedQuotedScalar)),
        },
        E::SimpleKeyExpected | E::InvalidSimpleKey => (line_after_key(text, line), words(kind)),
        // Where we point at what was opened, go-yaml points at where the text ends.
        E::UnclosedQuotedScalar
        | E::UnclosedFlowCollection { .. }
        | E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEof => (end_line, words(kind)),
        E::MisplacedFlowCollectionEnd if !place.value_expected => (line, words(&E::ExpectedBlockMappingKey)),
        E::TabAtBlockScalarStart => (line + 1, words(kind)),
        E::CommentInterceptedScalar => (next_content_line(text, line), words(kind)),
        E::MappingValueNotAllowed | E::InvalidColonPlacement => {
            (line, place.flow.map_or_else(|| words(kind), separator_missing))
        }
        _ => match words(kind) {
            // The scanner runs ahead of the events: a bracket of this line may not have been told yet.
            (Finder::Parser, "did not find expected key") => {
                let bracket = place.flow.or_else(|| bracket_open_in_line(text, at));
                (line, bracket.map_or_else(|| words(kind), separator_missing))
            }
            words => (line, words),
        },
    };
    let zero_based = line.saturating_sub(1);
    match finder {
        _ if zero_based == 0 => format!("yaml: {words}"),
        Finder::Scanner => format!("yaml: line {}: {words}", zero_based + 1),
        Finder::Parser => format!("yaml: line {zero_based}: {words}"),
    }
}

/// The line (from 1) of the quote that closes the quoted text around byte `at`, if there is one.
fn closing_quote_line(text: &str, at: usize) -> Option<usize> {
    let before = text.get(..at)?;
    let opened = before.rfind(['"', '\''])?;
    let quote = char::from(before.as_bytes()[opened]);
    let close = at + text.get(at..)?.find(quote)?;
    Some(1 + text[..close].matches('\n').count())
}

/// go-yaml's words for what our parser found.
fn words(kind: &ErrorKind) -> (Finder, &'static str) {
    use ErrorKind as E;
    use Finder::{Parser, Scanner};
    match kind {
        E::TabNotAllowed | E::TabInBlockIndentation | E::TabInIndentation | E::UnexpectedCharacter { .. } => {
            (Scanner, "found character that cannot start any token")
        }
        E::TabInPlainScalar => (Scanner, "found a tab character that violates indentation"),
        E::TabAtBlockScalarStart => (Scanner, "found a tab character where an indentation space is expected"),
        E::SimpleKeyExpected | E::InvalidSimpleKey => (Scanner, "could not find expected ':'"),
        E::MappingValueNotAllowed | E::InvalidMappingValueWhitespace | E::InvalidColonPlacement => {
            (Scanner, "mapping values are not allowed in this context")
        }
        E::MappingKeyNotAllowed => (Scanner, "mapping keys are not allowed in this context"),
        E::BlockSequenceEntryNotAllowed | E::InvalidBlockEntryWhitespace => {
            (Scanner, "block sequence entries are not allowed in this context")
        }
        E::UnclosedQuotedScalar => (Scanner, "found unexpected end of stream"),
        E::DocumentIndicatorInQuotedScalar => (Scanner, "found unexpected document indicator"),
        E::UnknownQuotedScalarEscape => (Scanner, "found unknown escape character"),
        E::InvalidQuotedScalarHexEscape | E::InvalidLowSurrogateHexEscape => {
            (Scanner, "did not find expected hexdecimal number")
        }
        E::InvalidUnicodeEscape | E::InvalidLowSurrogate | E::MissingLowSurrogate | E::UnpairedLowSurrogate => {
            (Scanner, "found invalid Unicode character escape code")
        }
        E::MissingAnchorOrAliasName => (Scanner, "did not find expected alphabetic or numeric character"),
        E::ZeroBlockScalarIndent => (Scanner, "found an indentation indicator equal to 0"),
        E::InvalidBlockScalarHeader | E::InvalidDirectiveTerminator => {
            (Scanner, "did not find expected comment or line break")
        }
        E::MissingDirectiveName => (Scanner, "could not find expected directive name"),
        E::InvalidDirectiveName => (Scanner, "found unexpected non-alphabetical character"),
        E::MissingYamlVersionSeparator => (Scanner, "did not find expected digit or '.' character"),
        E::YamlVersionTooLong => (Scanner, "found extremely long version number"),
        E::MissingYamlVersion => (Scanner, "did not find expected version number"),
        E::InvalidTagDirectiveTerminator | E::InvalidTagTerminator => {
            (Scanner, "did not find expected whitespace or line break")
        }
        E::MissingTagUri | E::InvalidGlobalTagCharacter | E::UnclosedVerbatimTag => {
            (Scanner, "did not find expected tag URI")
        }
        E::ExpectedTagBang | E::ExpectedTagDirectiveBang => (Scanner, "did not find expected '!'"),
        E::InvalidTagEscape | E::InvalidTagUtf8 | E::InvalidTagUtf8LeadingByte | E::InvalidTagUtf8TrailingByte => {
            (Scanner, "did not find URI escaped octet")
        }
        E::UndeclaredTagHandle => (Parser, "found undefined tag handle"),
        E::DuplicateVersionDirective => (Parser, "found duplicate %YAML directive"),
        E::DuplicateTagDirective => (Parser, "found duplicate %TAG directive"),
        E::UnsupportedYamlMajorVersion => (Parser, "found incompatible YAML document"),
        E::ExpectedDocumentStart | E::MissingDocumentEndBeforeDirective | E::InvalidDocumentEnd => {
            (Parser, "did not find expected <document start>")
        }
        E::ExpectedBlockSequenceEntry | E::UnexpectedEofBlockSequence => {
            (Parser, "did not find expected '-' indicator")
        }
        E::ExpectedFlowMappingSeparator
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::UnclosedFlowCollection { open: '{' }
        | E::MismatchedFlowCollectionEnd { open: '{', .. } => (Parser, "did not find expected ',' or '}'"),
        E::ExpectedFlowSequenceSeparator
        | E::UnexpectedEofFlowSequence
        | E::UnclosedFlowCollection { .. }
        | E::MismatchedFlowCollectionEnd { .. } => (Parser, "did not find expected ',' or ']'"),
        E::ExpectedNodeContent | E::BlockEntryInFlowCollection | E::MisplacedFlowCollectionEnd => {
            (Parser, "did not find expected node content")
        }
        E::RecursionLimitExceeded => (Scanner, "exceeded max depth of 10000"),
        // What is left are ways to break a block mapping, and go-yaml then misses the next key.
        _ => (Parser, "did not find expected key"),
    }
}

/// The first line behind `line` (from 1) that has more than a comment.
fn next_content_line(text: &str, line: usize) -> usize {
    let has_content = |l: &str| !l.trim().is_empty() && !l.trim_start().starts_with('#');
    text.lines().skip(line).position(has_content).map_or(line, |i| line + 1 + i)
}

/// Errors that tabs cause.
pub(super) fn is_about_tabs(kind: &ErrorKind) -> bool {
    use ErrorKind as E;
    matches!(
        kind,
        E::TabNotAllowed
            | E::TabInBlockIndentation
            | E::TabInIndentation
            | E::TabInPlainScalar
            | E::TabAtBlockScalarStart
    )
}

/// The innermost bracket that the line of byte `at` opens before it and does not close; quoted texts are passed over.
fn bracket_open_in_line(text: &str, at: usize) -> Option<char> {
    let before = text.get(..at)?;
    let line = &before[before.rfind('\n').map_or(0, |i| i + 1)..];
    let (mut open, mut quote) = (Vec::new(), None);
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => open.push(c),
            (None, ']' | '}') => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

/// go-yaml misses the ':' of a key when it comes to what follows the key's text: a ':' further on in a text of many lines,
/// the next line that has something and is not indented more, or the end. `line` is the key's, from 1; so is the result.
fn line_after_key(text: &str, line: usize) -> usize {
    let indent = |l: &str| l.len() - l.trim_start_matches(' ').len();
    let own = text.lines().nth(line.saturating_sub(1)).map_or(0, indent);
    let mut text_ended = false;
    for (i, next) in text.lines().enumerate().skip(line) {
        let content = next.trim();
        if content.starts_with('#') {
            text_ended = true;
        } else if !content.is_empty() {
            let has_colon = content.contains(": ") || content.ends_with(':');
            if text_ended || indent(next) <= own || has_colon {
                return i + 1;
            }
            text_ended = content.contains(" #");
        }
    }
    text.lines().count() + 1
}

/// The same in clear words: what is wrong, and what to do.
pub(super) fn clear_text(kind: &ErrorKind, flow: Option<char>) -> String {
    use ErrorKind as E;
    if let (E::MappingValueNotAllowed | E::InvalidColonPlacement, Some(bracket)) = (kind, flow) {
        return format!("a ',' or the bracket that closes '{bracket}' is missing before this place");
    }
    match kind {
        E::TabNotAllowed | E::TabInBlockIndentation | E::TabInIndentation | E::TabAtBlockScalarStart => {
            "a tab is used for indentation; YAML allows only spaces there".into()
        }
        E::UnexpectedCharacter { character: '\t' } => {
            "a tab is used for indentation; YAML allows only spaces there".into()
        }
        E::UnexpectedCharacter { character } => {
            format!("no value can start with {character:?}; put the value in quotes")
        }
        E::SimpleKeyExpected | E::InvalidSimpleKey => "this line has no ':' behind its key".into(),
        E::MappingValueNotAllowed | E::InvalidMappingValueWhitespace | E::InvalidColonPlacement => {
            "a ':' is not allowed here: the line is indented differently from its siblings, or a text with ': ' needs quotes"
                .into()
        }
        E::ExpectedBlockMappingKey | E::InvalidIndentation | E::UnexpectedEofBlockMapping => {
            "this line fits no mapping above it; check its indentation".into()
        }
        E::ExpectedBlockSequenceEntry => "a list item ('-') is expected here; check the indentation".into(),
        E::BlockSequenceEntryNotAllowed => "a list item is not allowed here; check the indentation".into(),
        E::UnclosedQuotedScalar | E::InvalidQuotedScalarIndent => "a quote is opened and never closed".into(),
        E::ExpectedFlowSequenceSeparator | E::UnexpectedEofFlowSequence => {
            "a ',' or the closing ']' is missing before this place".into()
        }
        E::ExpectedFlowMappingSeparator | E::UnexpectedEofFlowMapping => {
            "a ',' or the closing '}' is missing before this place".into()
        }
        E::UnclosedFlowCollection { open } => format!("'{open}' is opened and never closed"),
        E::MismatchedFlowCollectionEnd { open, close } => format!("'{open}' is closed by '{close}'"),
        E::MissingAnchorOrAliasName => {
            "'*' and '&' begin an alias or anchor and need a name; put the value in quotes if it is text".into()
        }
        E::RecursionLimitExceeded => "values are nested too deeply here".into(),
        other => other.to_string(),
    }
}
