//! Backslash escapes as `echo -e`, `printf`, `%b` and `$'…'` read them.

/// Who reads the escapes: they differ in how octal is written and in `\c`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// `echo -e` and `%b`: `\0ooo`, and `\c` ends all output.
    Echo,
    /// A `printf` format: `\ooo`, and `\c` ends all output.
    Printf,
    /// `$'…'`: `\ooo`, `\'`, `\"`.
    DollarQuotes,
}

/// The text with its escapes replaced, and whether `\c` ended it.
pub fn unescape(text: &str, style: Style) -> (String, bool) {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut i = 0;
    while let Some(c) = chars.get(i) {
        i += 1;
        if *c != '\\' {
            out.push(*c);
            continue;
        }
        let Some(next) = chars.get(i) else {
            out.push('\\');
            break;
        };
        i += 1;
        match next {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'f' => out.push('\x0c'),
            'v' => out.push('\x0b'),
            'e' | 'E' => out.push('\x1b'),
            '\\' => out.push('\\'),
            '\'' | '"' if style != Style::Echo => out.push(*next),
            'c' if style != Style::DollarQuotes => return (out, true),
            'x' => i += number(&chars[i..], 16, 2, &mut out, "\\x"),
            'u' if style == Style::DollarQuotes => i += number(&chars[i..], 16, 4, &mut out, "\\u"),
            '0' if style == Style::Echo => {
                i += if chars.get(i).is_some_and(|c| c.is_digit(8)) {
                    number(&chars[i..], 8, 3, &mut out, "")
                } else {
                    out.push('\0');
                    0
                };
            }
            '0'..='7' if style != Style::Echo => {
                i -= 1;
                i += number(&chars[i..], 8, 3, &mut out, "");
            }
            other => {
                out.push('\\');
                out.push(*other);
            }
        }
    }
    (out, false)
}

/// Reads up to `max` digits and appends the character; returns how many it read.
fn number(chars: &[char], base: u32, max: usize, out: &mut String, otherwise: &str) -> usize {
    let digits: String = chars.iter().take(max).take_while(|c| c.is_digit(base)).collect();
    match u32::from_str_radix(&digits, base).ok().and_then(char::from_u32) {
        Some(c) => out.push(c),
        None => out.push_str(otherwise),
    }
    digits.len()
}

/// The text in quotes, if it needs any, so that the shell reads it back as one word (`set -x`, `trap`, `printf %q`).
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,]".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_string();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_differ_by_reader() {
        assert_eq!(unescape("a\\tb\\0101\\c no", Style::Echo), ("a\tbA".to_string(), true));
        assert_eq!(unescape("\\101\\x42\\q", Style::Printf), ("AB\\q".to_string(), false));
        assert_eq!(unescape("it\\'s", Style::DollarQuotes), ("it's".to_string(), false));
        assert_eq!(quote("a b'c"), "'a b'\\''c'");
    }
}
