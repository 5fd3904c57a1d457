//! Backslash escapes as `echo -e`, `printf`, `%b` and `$'…'` read them; and quotes, as `set -x`, `set` and `%q` write them.

use crate::syntax::Dialect;

/// Who reads the escapes: they differ in how octal is written and in `\c`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// `echo -e` and `%b`: `\0ooo`, and `\c` ends all output.
    Echo,
    /// The same, with `\ooo` as well: busybox' `echo -e`.
    OpenOctal,
    /// dash's `echo`: neither `\x` nor `\e`.
    Posix,
    /// A `printf` format: `\ooo`; `\c` is nothing special.
    Printf,
    /// A `printf` format of busybox: `\c` ends all output.
    PrintfStops,
    /// `$'…'`: `\ooo`, `\'`, `\"`.
    DollarQuotes,
}

/// The bytes with escapes replaced, and whether `\c` ended them.
pub fn unescape_bytes(text: &str, style: Style) -> (Vec<u8>, bool) {
    let chars: Vec<char> = text.chars().collect();
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let push = |out: &mut Vec<u8>, c: char| out.extend(c.encode_utf8(&mut [0; 4]).bytes());
    let format = matches!(style, Style::Printf | Style::PrintfStops);
    let mut i = 0;
    while let Some(c) = chars.get(i) {
        i += 1;
        if *c != '\\' {
            push(&mut out, *c);
            continue;
        }
        let Some(next) = chars.get(i) else {
            out.push(b'\\');
            break;
        };
        i += 1;
        match next {
            'n' => out.push(b'\n'),
            't' => out.push(b'\t'),
            'r' => out.push(b'\r'),
            'a' => out.push(0x07),
            'b' => out.push(0x08),
            'f' => out.push(0x0c),
            'v' => out.push(0x0b),
            'e' | 'E' if style != Style::Posix => out.push(0x1b),
            '\\' => out.push(b'\\'),
            '\'' | '"' | '?' if style == Style::DollarQuotes => push(&mut out, *next),
            '"' if format => out.push(b'"'),
            'c' if !matches!(style, Style::DollarQuotes | Style::Printf) => return (out, true),
            'x' if style != Style::Posix => {
                let (value, count) = digits(&chars[i..], 16, 2);
                i += count;
                match count {
                    0 => out.extend(b"\\x"),
                    _ => out.push(value as u8),
                }
            }
            'u' | 'U' if !matches!(style, Style::Posix | Style::OpenOctal | Style::PrintfStops) => {
                let (value, count) = digits(&chars[i..], 16, if *next == 'u' { 4 } else { 8 });
                i += count;
                match char::from_u32(value).filter(|_| count > 0) {
                    Some(c) => push(&mut out, c),
                    None => out.extend([b'\\', *next as u8]),
                }
            }
            '0' if matches!(style, Style::Echo | Style::OpenOctal | Style::Posix) => {
                let (value, count) = digits(&chars[i..], 8, 3);
                i += count;
                out.push(value as u8);
            }
            '0'..='7' if !matches!(style, Style::Echo | Style::Posix) => {
                let (value, count) = digits(&chars[i - 1..], 8, 3);
                i += count - 1;
                out.push(value as u8);
            }
            other => {
                out.push(b'\\');
                push(&mut out, *other);
            }
        }
    }
    (out, false)
}

/// The same as text.
pub fn unescape(text: &str, style: Style) -> (String, bool) {
    let (bytes, stopped) = unescape_bytes(text, style);
    (String::from_utf8_lossy(&bytes).into_owned(), stopped)
}

/// The number that up to `max` digits make, and how many there are.
fn digits(chars: &[char], base: u32, max: usize) -> (u32, usize) {
    let digits = chars.iter().take(max).map_while(|c| c.to_digit(base));
    digits.fold((0, 0), |(value, count), digit| (value.wrapping_mul(base).wrapping_add(digit), count + 1))
}

/// The text in quotes, if it needs any, so that the shell reads it back as one word.
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,]".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_string();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The text in bash's quotes, needed or not: `'it'\''s'`, and `$'a\nb'` if there are control characters in it.
pub fn quote_always(text: &str) -> String {
    if text.chars().any(char::is_control) {
        let mut out = String::from("$'");
        for c in text.chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                '\x1b' => out.push_str("\\E"),
                '\x07' => out.push_str("\\a"),
                '\'' | '\\' => out.extend(['\\', c]),
                c if c.is_control() => out.push_str(&format!("\\{:03o}", u32::from(c))),
                c => out.push(c),
            }
        }
        return out + "'";
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Whether bash quotes a word in what it shows.
fn needs_quotes(text: &str) -> bool {
    text.is_empty()
        || text.starts_with(['#', '~'])
        || text.chars().any(|c| c.is_control() || " \t\n'\"\\|&;()<>!{}*[]?^$`".contains(c))
}

/// A word as `set -x` shows it.
pub fn quote_if_needed(text: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Bash if needs_quotes(text) => quote_always(text),
        Dialect::Bash => text.to_string(),
        Dialect::Dash => text.to_string(),
        Dialect::Ash => {
            let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,]".contains(c);
            if text.chars().all(plain) { text.to_string() } else { in_runs(text) }
        }
    }
}

/// A value as `set` and `export -p` show it.
pub fn quote_value(text: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Bash if text.is_empty() => String::new(),
        Dialect::Bash if needs_quotes(text) => quote_always(text),
        Dialect::Bash => text.to_string(),
        Dialect::Ash | Dialect::Dash => in_runs(text),
    }
}

/// ash's quotes: `it's` as `'it'"'"'s'`.
fn in_runs(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let plain = rest.find('\'').unwrap_or(rest.len());
        if plain > 0 || rest.is_empty() && out.is_empty() {
            out.push_str(&format!("'{}'", &rest[..plain]));
        }
        rest = &rest[plain..];
        let quotes = rest.len() - rest.trim_start_matches('\'').len();
        if quotes > 0 {
            out.push_str(&format!("\"{}\"", &rest[..quotes]));
        }
        rest = &rest[quotes..];
        if rest.is_empty() {
            return out;
        }
    }
}

/// `printf %q` of bash: backslashes, or `$'…'`.
pub fn backslashed(text: &str) -> String {
    if text.is_empty() {
        return "''".to_string();
    }
    if text.chars().any(char::is_control) {
        return quote_always(text);
    }
    let mut out = String::new();
    for (i, c) in text.char_indices() {
        if " '\"\\|&;()<>!{}*[]?^$`,".contains(c) || i == 0 && matches!(c, '#' | '~') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_differ_by_reader() {
        assert_eq!(unescape("a\\tb\\0101\\c no", Style::Echo), ("a\tbA".to_string(), true));
        assert_eq!(unescape("\\101\\x42\\q", Style::Printf), ("AB\\q".to_string(), false));
        assert_eq!(unescape("it\\'s", Style::DollarQuotes), ("it's".to_string(), false));
        assert_eq!(unescape("\\102\\0103", Style::OpenOctal), ("BC".to_string(), false));
        assert_eq!(unescape_bytes("\\377", Style::Printf), (vec![255], false));
        assert_eq!(quote("a b'c"), "'a b'\\''c'");
        assert_eq!(in_runs("it's"), "'it'\"'\"'s'");
        assert_eq!(backslashed("a b"), "a\\ b");
    }
}
