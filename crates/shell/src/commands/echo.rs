//! `echo` and `printf`.

use super::{Call, Outcome};
use crate::escapes::{Style, quote, unescape};
use crate::expand::MAX_BYTES;
use crate::syntax::Dialect;

pub fn echo(call: &mut Call<'_>) -> Outcome {
    let is_option =
        |arg: &&String| arg.len() > 1 && arg.starts_with('-') && arg[1..].chars().all(|c| "neE".contains(c));
    let options: String = call.args.iter().take_while(is_option).map(|arg| &arg[1..]).collect();
    let count = call.args.iter().take_while(is_option).count();
    let text = call.args[count..].join(" ");
    let escapes = options.chars().rev().find(|c| matches!(c, 'e' | 'E')) == Some('e');
    let (text, stopped) = if escapes { unescape(&text, Style::Echo) } else { (text, false) };
    call.out(&text);
    if !options.contains('n') && !stopped {
        call.out("\n");
    }
    Outcome::Done(0)
}

/// Standing in the table for `env printf`, `xargs printf`: the shell itself uses its built-in.
pub fn printf(call: &mut Call<'_>) -> Outcome {
    let Some((format, values)) = call.args.split_first() else { return call.usage(1) };
    let printed = printf_text(format, values, call.state.dialect);
    call.out_bytes(&printed.bytes);
    for message in &printed.errors {
        call.err("printf", message);
    }
    Outcome::Done(i32::from(!printed.errors.is_empty()))
}

/// What `printf` made of its arguments.
#[derive(Default)]
pub struct Printed {
    pub bytes: Vec<u8>,
    pub errors: Vec<String>,
    stopped: bool,
}

/// Formats as POSIX.1 XCU printf does: the format is used again as long as arguments are left.
pub fn printf_text(format: &str, values: &[String], dialect: Dialect) -> Printed {
    let mut printed = Printed::default();
    let mut values = values.iter();
    loop {
        let before = values.len();
        once(format, &mut values, dialect, &mut printed);
        let too_long = printed.bytes.len() > MAX_BYTES;
        if printed.stopped || values.len() == 0 || values.len() == before || too_long {
            return printed;
        }
    }
}

/// Flags, width and precision of a conversion.
#[derive(Default)]
pub(super) struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

fn once(format: &str, values: &mut std::slice::Iter<'_, String>, dialect: Dialect, printed: &mut Printed) {
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        literal(&rest[..at], printed);
        rest = &rest[at + 1..];
        if printed.stopped {
            return;
        }
        let mut spec = Spec::default();
        let from = rest;
        rest = spec.read(rest, &mut || values.next().and_then(|text| text.parse::<i64>().ok()).unwrap_or(0));
        let Some(kind) = rest.chars().next() else {
            printed.errors.push(format!("%{from}: invalid format"));
            printed.stopped = true;
            return;
        };
        rest = &rest[kind.len_utf8()..];
        let text = match kind {
            '%' => "%".to_string(),
            's' => spec.text(values.next().map_or("", String::as_str)),
            'b' => {
                let (text, stopped) = unescape(values.next().map_or("", String::as_str), Style::Echo);
                printed.stopped |= stopped;
                spec.text(&text)
            }
            'q' if dialect == Dialect::Bash => spec.text(&quote(values.next().map_or("", String::as_str))),
            'c' => spec.text(&values.next().and_then(|text| text.chars().next()).map(String::from).unwrap_or_default()),
            'd' | 'i' | 'u' | 'x' | 'X' | 'o' => spec.integer(kind, integer(values.next(), dialect, printed)),
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => spec.real(kind, real(values.next(), dialect, printed)),
            _ => {
                let text = &from[..from.len() - rest.len()];
                printed.errors.push(match dialect {
                    Dialect::Ash => format!("%{text}: invalid format"),
                    Dialect::Bash => format!("`{kind}': invalid format character"),
                });
                printed.stopped = true;
                return;
            }
        };
        printed.bytes.extend(text.bytes());
        if printed.stopped {
            return;
        }
    }
    literal(rest, printed);
}

fn literal(text: &str, printed: &mut Printed) {
    let (text, stopped) = unescape(text, Style::Printf);
    // Characters below 256 written as `\377` are bytes.
    printed.bytes.extend(text.bytes());
    printed.stopped |= stopped;
}

fn bad_number(text: &str, dialect: Dialect, printed: &mut Printed) {
    printed.errors.push(match dialect {
        Dialect::Ash => format!("invalid number '{text}'"),
        Dialect::Bash => format!("{text}: invalid number"),
    });
}

fn integer(text: Option<&String>, dialect: Dialect, printed: &mut Printed) -> i64 {
    let Some(text) = text else {
        if dialect == Dialect::Ash {
            bad_number("", dialect, printed);
        }
        return 0;
    };
    if let Some(c) = text.strip_prefix(['\'', '"']).and_then(|rest| rest.chars().next()) {
        return i64::from(u32::from(c));
    }
    let trimmed = text.trim();
    let (sign, digits) = trimmed.strip_prefix('-').map_or((1, trimmed.trim_start_matches('+')), |rest| (-1, rest));
    let parsed = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    match parsed {
        Ok(value) => sign * value,
        Err(_) => {
            bad_number(text, dialect, printed);
            let start: String = digits.chars().take_while(char::is_ascii_digit).take(18).collect();
            sign * start.parse::<i64>().unwrap_or(0)
        }
    }
}

fn real(text: Option<&String>, dialect: Dialect, printed: &mut Printed) -> f64 {
    let text = text.map_or("", String::as_str);
    text.trim().parse::<f64>().unwrap_or_else(|_| {
        if !text.is_empty() {
            bad_number(text, dialect, printed);
        }
        0.0
    })
}

impl Spec {
    /// Reads flags, width and precision; gives the rest, which begins with the conversion.
    pub fn read<'f>(&mut self, format: &'f str, star: &mut dyn FnMut() -> i64) -> &'f str {
        let flags = format.len() - format.trim_start_matches(['-', '0', '+', ' ', '#']).len();
        for flag in format[..flags].chars() {
            match flag {
                '-' => self.left = true,
                '0' => self.zero = true,
                '+' => self.plus = true,
                ' ' => self.space = true,
                _ => self.alternate = true,
            }
        }
        let mut rest = &format[flags..];
        let mut number = |rest: &mut &'f str| {
            if let Some(after) = rest.strip_prefix('*') {
                *rest = after;
                return star();
            }
            let len = rest.bytes().take_while(u8::is_ascii_digit).count();
            let value = rest[..len].parse::<i64>().unwrap_or(0);
            *rest = &rest[len..];
            value
        };
        let width = number(&mut rest);
        self.left |= width < 0;
        self.width = usize::try_from(width.unsigned_abs()).unwrap_or(0).min(10_000);
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            self.precision = usize::try_from(number(&mut rest)).ok().map(|n| n.min(500));
        }
        rest.trim_start_matches(['l', 'h', 'j', 'z'])
    }

    fn pad(&self, text: String, zeros: bool) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if self.left {
            return text + &" ".repeat(missing);
        }
        if zeros && self.zero {
            let sign = text.len() - text.trim_start_matches(['-', '+', ' ']).len();
            return format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..]);
        }
        " ".repeat(missing) + &text
    }

    pub fn text(&self, text: &str) -> String {
        let cut: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        self.pad(cut, false)
    }

    pub fn integer(&self, kind: char, value: i64) -> String {
        let digits = match kind {
            'x' => format!("{}{value:x}", if self.alternate { "0x" } else { "" }),
            'X' => format!("{}{value:X}", if self.alternate { "0X" } else { "" }),
            'o' => format!("{value:o}"),
            'u' => (value as u64).to_string(),
            _ => value.unsigned_abs().to_string(),
        };
        let digits = format!("{}{digits}", "0".repeat(self.precision.unwrap_or(0).saturating_sub(digits.len())));
        let signed = matches!(kind, 'd' | 'i');
        self.pad(format!("{}{digits}", self.sign(signed && value < 0, signed)), self.precision.is_none())
    }

    fn sign(&self, negative: bool, signed: bool) -> &'static str {
        match (negative, signed && self.plus, signed && self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }

    pub fn real(&self, kind: char, value: f64) -> String {
        let precision = self.precision.unwrap_or(6);
        let size = value.abs();
        let digits = match kind {
            _ if !value.is_finite() => if value.is_nan() { "nan" } else { "inf" }.to_string(),
            'f' | 'F' => format!("{size:.precision$}"),
            'e' | 'E' => exponential(size, precision),
            _ => general(size, precision.max(1)),
        };
        let digits = if kind.is_uppercase() { digits.to_uppercase() } else { digits };
        self.pad(format!("{}{digits}", self.sign(value.is_sign_negative() && !value.is_nan(), true)), true)
    }
}

/// C's `%e`: at least two digits of exponent.
fn exponential(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent = exponent.parse::<i32>().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// C's `%g`: the shorter of `%e` and `%f`, without trailing zeros.
pub(super) fn general(value: f64, precision: usize) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let scientific = exponential(value, precision - 1);
    let exponent = scientific.split_once('e').and_then(|(_, text)| text.parse::<i64>().ok()).unwrap_or(0);
    let trim = |text: &str| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text.to_string() }
    };
    if exponent < -4 || exponent >= precision as i64 {
        let (mantissa, rest) = scientific.split_once('e').unwrap_or((&scientific, "+00"));
        return format!("{}e{rest}", trim(mantissa));
    }
    let decimals = usize::try_from(precision as i64 - 1 - exponent).unwrap_or(0);
    trim(&format!("{value:.decimals$}"))
}
