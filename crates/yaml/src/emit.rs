//! Values as `kubectl -o yaml` writes them.
//!
//! Rule: block style, two blanks a level, list items not indented under their key, keys sorted with digit runs as numbers,
//! strings quoted only where they would be read as something else, lines broken at the first blank behind column 80, texts
//! of many lines as `|`. Source: `sigs.k8s.io/yaml` (`goyaml.v2/{encode,emitterc,sorter}.go`).

use std::cmp::Ordering;

use values::sort::sort_by;
use values::value::{Map, Value};

use super::scalar::{self, Meaning};

/// Behind this column a line is broken at the next blank.
const WIDTH: usize = 80;
/// Longest key that may stand before its ':' on one line.
const SIMPLE_KEY: usize = 128;

/// Writes `value` as one YAML document that ends with a line break.
pub fn emit(value: &Value) -> String {
    let mut out = Emitter { text: String::new(), column: 0 };
    out.node(value, 0, Position::Root);
    if !out.text.ends_with('\n') {
        out.text.push('\n');
    }
    out.text
}

/// Where a node stands decides whether it starts on the same line.
#[derive(Clone, Copy, PartialEq)]
enum Position {
    Root,
    /// Behind `- `.
    Item,
    /// Behind `key:`.
    Value,
}

struct Emitter {
    text: String,
    /// Characters on the current line.
    column: usize,
}

impl Emitter {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    fn put_char(&mut self, c: char) {
        self.text.push(c);
        self.column += 1;
    }

    fn new_line(&mut self, indent: usize) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.column = 0;
        for _ in 0..indent {
            self.put_char(' ');
        }
    }

    /// `indent` is where the lines of the collection around this node begin.
    fn node(&mut self, value: &Value, indent: usize, place: Position) {
        match value {
            Value::Map(map) if !map.is_empty() => self.map(map, indent, place),
            Value::List(items) if !items.is_empty() => self.list(items, indent, place),
            scalar => {
                if place == Position::Value {
                    self.put_char(' ');
                }
                match scalar {
                    Value::Map(_) => self.put("{}"),
                    Value::List(_) => self.put("[]"),
                    Value::Null => self.put("null"),
                    Value::Bool(b) => self.put(if *b { "true" } else { "false" }),
                    Value::Int(n) => self.put(&n.to_string()),
                    Value::Float(x) => self.put(&float(*x)),
                    Value::Str(s) => self.string(s, if place == Position::Root { 0 } else { indent } + 2, true),
                }
            }
        }
    }

    fn map(&mut self, map: &Map, indent: usize, place: Position) {
        let indent = if place == Position::Root { 0 } else { indent + 2 };
        let mut entries: Vec<(&str, &Value)> = map.iter().collect();
        sort_by(&mut entries, |(a, _), (b, _)| compare_keys(a, b));
        for (i, (key, value)) in entries.into_iter().enumerate() {
            if i > 0 || place != Position::Item {
                self.new_line(indent);
            }
            if key.chars().count() > SIMPLE_KEY || key.len() > SIMPLE_KEY {
                self.put("? ");
                self.string(key, indent + 2, true);
                self.new_line(indent);
            } else {
                self.string(key, indent + 2, false);
            }
            self.put_char(':');
            self.node(value, indent, Position::Value);
        }
    }

    fn list(&mut self, items: &[Value], indent: usize, place: Position) {
        let indent = if place == Position::Item { indent + 2 } else { indent };
        for (i, item) in items.iter().enumerate() {
            if i > 0 || place != Position::Item {
                self.new_line(indent);
            }
            self.put("- ");
            self.node(item, indent, Position::Item);
        }
    }

    /// `indent` is where continued lines begin. Keys may not be broken.
    fn string(&mut self, text: &str, indent: usize, may_break: bool) {
        match style(text, may_break) {
            Style::Plain => self.folded(text, indent, may_break),
            Style::Single => {
                self.put_char('\'');
                self.folded(&text.replace('\'', "''"), indent, may_break);
                self.put_char('\'');
            }
            Style::Double => self.double_quoted(text, indent, may_break),
            Style::Literal => self.literal(text, indent),
        }
    }

    /// Plain and single-quoted text: a lone blank behind the width becomes a line break.
    fn folded(&mut self, text: &str, indent: usize, may_break: bool) {
        let chars: Vec<char> = text.chars().collect();
        for (i, &c) in chars.iter().enumerate() {
            let lone = c == ' ' && i > 0 && chars[i - 1] != ' ' && chars.get(i + 1).is_some_and(|next| *next != ' ');
            if lone && may_break && self.column > WIDTH {
                self.new_line(indent);
            } else {
                self.put_char(c);
            }
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, may_break: bool) {
        self.put_char('"');
        let chars: Vec<char> = text.chars().collect();
        let mut after_break = false;
        for (i, &c) in chars.iter().enumerate() {
            let inner = i > 0 && i + 1 < chars.len();
            if c == ' ' && may_break && !after_break && self.column > WIDTH && inner {
                self.new_line(indent);
                if chars[i + 1] == ' ' {
                    self.put_char('\\');
                }
                after_break = true;
                continue;
            }
            match escape(c) {
                Some(escaped) => {
                    self.put(&escaped);
                    after_break = false;
                }
                None => {
                    self.put_char(c);
                    after_break = c == ' ';
                }
            }
        }
        self.put_char('"');
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put_char('|');
        if text.starts_with([' ', '\n']) {
            self.put_char('2');
        }
        let body = text.trim_end_matches('\n');
        match text.len() - body.len() {
            0 => self.put_char('-'),
            1 if !body.is_empty() => {}
            _ => self.put_char('+'),
        }
        self.text.push('\n');
        for line in text.split_inclusive('\n') {
            let line = line.strip_suffix('\n').unwrap_or(line);
            if !line.is_empty() {
                self.text.extend(std::iter::repeat_n(' ', indent));
                self.text.push_str(line);
            }
            self.text.push('\n');
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

fn style(text: &str, may_break: bool) -> Style {
    let shape = Shape::of(text);
    if text.contains('\n') {
        return if shape.literal_allowed && may_break { Style::Literal } else { Style::Double };
    }
    if !matches!(scalar::resolve(text), Meaning::Str) || looks_like_base_60(text) || shape.special {
        return Style::Double;
    }
    if shape.plain_allowed { Style::Plain } else { Style::Single }
}

/// What a text's characters allow.
struct Shape {
    plain_allowed: bool,
    literal_allowed: bool,
    /// Characters that only escapes can express.
    special: bool,
}

impl Shape {
    fn of(text: &str) -> Shape {
        let chars: Vec<char> = text.chars().collect();
        let blank_at = |i: usize| chars.get(i).is_none_or(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        let mut indicator = text.starts_with("---") || text.starts_with("...");
        let mut special = false;
        let mut blank_before_break = false;
        for (i, &c) in chars.iter().enumerate() {
            indicator |= match c {
                '#' => i == 0 || blank_at(i - 1),
                ':' => blank_at(i + 1),
                '-' | '?' if i == 0 => blank_at(1),
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => i == 0,
                _ => false,
            };
            special |= c != '\n' && escape_needed(c);
            blank_before_break |= c == ' ' && chars.get(i + 1) == Some(&'\n');
        }
        let edge = |c: Option<&char>| c.is_some_and(|c| matches!(c, ' ' | '\n'));
        let (edges, blank_end) = (edge(chars.first()) || edge(chars.last()), chars.last() == Some(&' '));
        special |= blank_before_break;
        Shape { plain_allowed: !indicator && !edges && !special, literal_allowed: !special && !blank_end, special }
    }
}

/// Characters that are written as escapes: what go-yaml calls unprintable, and the breaks that YAML 1.1 and 1.2 read
/// differently.
fn escape_needed(c: char) -> bool {
    !matches!(c, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

fn escape(c: char) -> Option<String> {
    let short = match c {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\0' => "\\0",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\r' => "\\r",
        '\u{1b}' => "\\e",
        '\u{85}' => "\\N",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        _ if !escape_needed(c) => return None,
        _ => {
            let code = c as u32;
            return Some(if code <= 0xff { format!("\\x{code:02X}") } else { format!("\\u{code:04X}") });
        }
    };
    Some(short.into())
}

/// `1:30`, `-1:20:30.5`: other readers take these for numbers of base 60, so they are quoted.
fn looks_like_base_60(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || !digits.contains(':') {
        return false;
    }
    let (clock, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digit = |b: u8| b.is_ascii_digit() || b == b'_';
    let mut parts = clock.split(':');
    let first = parts.next().unwrap_or("");
    first.bytes().all(digit)
        && parts.all(|p| match p.as_bytes() {
            [one] => one.is_ascii_digit(),
            [ten, one] => (b'0'..=b'5').contains(ten) && one.is_ascii_digit(),
            _ => false,
        })
        && fraction.bytes().all(digit)
}

/// Go's shortest form: an exponent only for very large and very small numbers.
fn float(x: f64) -> String {
    let magnitude = x.abs();
    if magnitude != 0.0 && !(1e-4..1e21).contains(&magnitude) {
        let text = format!("{x:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |d| ('-', d));
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    x.to_string()
}

/// Letters stand behind all other characters, and runs of digits are compared as numbers.
fn compare_keys(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(i) = a.iter().zip(&b).position(|(x, y)| x != y) else {
        return a.len().cmp(&b.len());
    };
    match (a[i].is_alphabetic(), b[i].is_alphabetic()) {
        (true, true) => return a[i].cmp(&b[i]),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // Zeros behind a digit that counts belong to the number that began before.
    let within_number =
        (a[i] == '0' || b[i] == '0') && a[..i].iter().rev().take_while(|c| c.is_ascii_digit()).any(|c| *c != '0');
    let number = |text: &[char]| {
        let run = text[i..].iter().take_while(|c| c.is_ascii_digit());
        run.fold((u64::from(within_number), 0_usize), |(n, length), c| {
            (n.wrapping_mul(10).wrapping_add(u64::from(c.to_digit(10).unwrap_or(0))), length + 1)
        })
    };
    number(&a).cmp(&number(&b)).then(a[i].cmp(&b[i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_get_the_style_go_yaml_gives_them() {
        use Style::*;
        for (text, expected) in [
            ("plain text", Plain),
            ("", Double),
            ("true", Double),
            ("n", Double),
            ("123", Double),
            ("0x1f", Double),
            ("1.5", Double),
            ("2026-11-21T07:54:31Z", Double),
            ("1:30", Double),
            ("~", Double),
            ("- a", Single),
            ("-a", Plain),
            ("a: b", Single),
            ("a:b", Plain),
            ("a #b", Single),
            ("*", Single),
            ("*/5 * * * *", Single),
            ("@daily", Single),
            ("a,b", Plain),
            ("[a", Single),
            ("it's", Plain),
            ("'a'", Single),
            (" a", Single),
            ("a ", Single),
            ("a\tb", Double),
            ("100m", Plain),
            ("é", Plain),
            ("a\nb\n", Literal),
            ("a \nb", Double),
        ] {
            assert_eq!(style(text, true), expected, "{text:?}");
        }
    }

    #[test]
    fn keys_sort_digits_as_numbers_and_letters_last() {
        let mut keys = ["b", "a10", "a2", "a", "B", "a-b", "1", "job-name", "batch.kubernetes.io/job-name"];
        sort_by(&mut keys, |a, b| compare_keys(a, b));
        assert_eq!(keys, ["1", "B", "a", "a-b", "a2", "a10", "b", "batch.kubernetes.io/job-name", "job-name"]);
    }
}
