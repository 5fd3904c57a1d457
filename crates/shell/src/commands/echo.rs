//! `echo` and `printf`.

use super::{Call, Outcome};
use crate::escapes::{Style, backslashed, unescape_bytes};
use crate::expand::MAX_BYTES;
use crate::syntax::Dialect;
use values::time::SimTime;

pub fn echo(call: &mut Call<'_>) -> Outcome {
    let dialect = call.state.dialect;
    let letters = if dialect == Dialect::Dash { "n" } else { "neE" };
    let is_option =
        |arg: &&String| arg.len() > 1 && arg.starts_with('-') && arg[1..].chars().all(|c| letters.contains(c));
    let limit = if dialect == Dialect::Dash { 1 } else { usize::MAX };
    let options: String = call.args.iter().take(limit).take_while(is_option).map(|arg| &arg[1..]).collect();
    let count = call.args.iter().take(limit).take_while(is_option).count();
    let text = call.args[count..].join(" ");
    let escapes = options.chars().rev().find(|c| matches!(c, 'e' | 'E')) == Some('e');
    let style = match dialect {
        Dialect::Dash => Some(Style::Posix),
        Dialect::Ash => escapes.then_some(Style::OpenOctal),
        Dialect::Bash => (escapes || call.state.flags.xpg_echo).then_some(Style::Echo),
    };
    let (bytes, stopped) = match style {
        Some(style) => unescape_bytes(&text, style),
        None => (text.into_bytes(), false),
    };
    call.out_bytes(&bytes);
    if !options.contains('n') && !stopped {
        call.out("\n");
    }
    Outcome::Done(0)
}

/// Standing in the table for `env printf`, `xargs printf`: the shell itself uses its built-in.
pub fn printf(call: &mut Call<'_>) -> Outcome {
    let Some((format, values)) = call.args.split_first() else { return call.usage(1) };
    let mode = Mode::builtin(call.state.dialect, call.system.now());
    let printed = printf_text(format, values, mode);
    call.out_bytes(&printed.bytes);
    for message in &printed.errors {
        call.err("printf", message);
    }
    Outcome::Done(printed.status)
}

/// Whose `printf` it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mode {
    dialect: Dialect,
    /// For `%(…)T`.
    now: SimTime,
    /// awk's: its escapes are replaced already, and a missing value is no mistake.
    awk: bool,
}

impl Mode {
    /// The built-in of a shell.
    pub fn builtin(dialect: Dialect, now: SimTime) -> Mode {
        Mode { dialect, now, awk: false }
    }

    /// awk's `printf`.
    pub fn awk(dialect: Dialect) -> Mode {
        Mode { dialect, now: SimTime::EPOCH, awk: true }
    }
}

/// What `printf` made of its arguments.
#[derive(Default)]
pub struct Printed {
    pub bytes: Vec<u8>,
    pub errors: Vec<String>,
    pub status: i32,
    stopped: bool,
}

/// Formats as POSIX.1 XCU printf does: the format is used again as long as arguments are left.
pub fn printf_text(format: &str, values: &[String], mode: Mode) -> Printed {
    let mut printed = Printed::default();
    let mut values = values.iter();
    loop {
        let before = values.len();
        once(format, &mut values, mode, &mut printed);
        let too_long = printed.bytes.len() > MAX_BYTES;
        if printed.stopped || values.len() == 0 || values.len() == before || too_long || mode.awk {
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

fn once(format: &str, values: &mut std::slice::Iter<'_, String>, mode: Mode, printed: &mut Printed) {
    let mut rest = format;
    let dialect = mode.dialect;
    while let Some(at) = rest.find('%') {
        literal(&rest[..at], mode, printed);
        rest = &rest[at + 1..];
        if printed.stopped {
            return;
        }
        let mut spec = Spec::default();
        let from = rest;
        rest = spec.read(rest, &mut || values.next().and_then(|text| text.parse::<i64>().ok()).unwrap_or(0));
        let Some(kind) = rest.chars().next() else {
            bad_format(from, mode, printed);
            return;
        };
        rest = &rest[kind.len_utf8()..];
        let text = match kind {
            '%' => "%".to_string(),
            's' => spec.text(values.next().map_or("", String::as_str)),
            'b' if !mode.awk => {
                let style = if dialect == Dialect::Dash { Style::Posix } else { Style::Echo };
                let (bytes, stopped) = unescape_bytes(values.next().map_or("", String::as_str), style);
                printed.stopped |= stopped;
                printed.bytes.extend(spec.bytes(&bytes));
                if printed.stopped {
                    return;
                }
                continue;
            }
            'q' if dialect == Dialect::Bash => spec.text(&backslashed(values.next().map_or("", String::as_str))),
            '(' if dialect == Dialect::Bash && rest.contains(")T") => {
                let (pattern, behind) = rest.split_once(")T").unwrap_or((rest, ""));
                rest = behind;
                let time = match values.next().map(|text| text.parse::<i64>().unwrap_or(-1)) {
                    Some(-1 | -2) | None => mode.now,
                    Some(seconds) => SimTime::from_secs(seconds),
                };
                let pattern = if pattern.is_empty() { "%H:%M:%S" } else { pattern };
                spec.text(&super::date::format_time(time, pattern))
            }
            'c' => {
                // busybox' and awk's `%c` of nothing is a NUL.
                let value = values.next().map_or("", String::as_str);
                match value.chars().next() {
                    Some(c) => spec.text(&c.to_string()),
                    None if dialect == Dialect::Bash && !mode.awk => spec.text(""),
                    None => spec.text("\0"),
                }
            }
            'd' | 'i' | 'u' | 'x' | 'X' | 'o' => spec.integer(kind, integer(values.next(), mode, printed)),
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'a' => spec.real(kind, real(values.next(), mode, printed)),
            _ => {
                let text = &from[..from.len() - rest.len()];
                let shown = match dialect {
                    Dialect::Ash => rest,
                    _ => text,
                };
                bad_format(shown, mode, printed);
                return;
            }
        };
        printed.bytes.extend(text.bytes());
        if printed.stopped {
            return;
        }
    }
    literal(rest, mode, printed);
}

fn bad_format(text: &str, mode: Mode, printed: &mut Printed) {
    printed.stopped = true;
    printed.status = 1;
    printed.errors.push(match mode.dialect {
        Dialect::Ash => format!("%{text}: invalid format"),
        Dialect::Dash => format!("%{text}: invalid directive"),
        Dialect::Bash if text.is_empty() => "`%': missing format character".to_string(),
        Dialect::Bash => {
            let c: String = text.chars().last().map(String::from).unwrap_or_default();
            format!("`{c}': invalid format character")
        }
    });
}

fn literal(text: &str, mode: Mode, printed: &mut Printed) {
    if mode.awk {
        printed.bytes.extend(text.bytes());
        return;
    }
    let style = if mode.dialect == Dialect::Bash { Style::Printf } else { Style::PrintfStops };
    let (bytes, stopped) = unescape_bytes(text, style);
    printed.bytes.extend(bytes);
    printed.stopped |= stopped;
}

fn bad_number(text: &str, mode: Mode, printed: &mut Printed) {
    printed.status = 1;
    printed.errors.push(match mode.dialect {
        Dialect::Ash => format!("invalid number '{text}'"),
        Dialect::Dash => format!("{text}: expected numeric value"),
        Dialect::Bash => format!("{text}: invalid number"),
    });
}

fn integer(text: Option<&String>, mode: Mode, printed: &mut Printed) -> i64 {
    let Some(text) = text else {
        return 0;
    };
    if text.is_empty() && mode.dialect != Dialect::Ash {
        return 0;
    }
    if let Some(c) = text.strip_prefix(['\'', '"']).and_then(|rest| rest.bytes().next()) {
        return i64::from(c);
    }
    let trimmed = text.trim();
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.trim_start_matches('+')),
    };
    let (digits, base) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    let good = digits.chars().take_while(|c| c.is_digit(base)).count();
    let value = i128::from_str_radix(&digits[..good.min(30)], base).unwrap_or(0);
    let value = if negative { -value } else { value };
    let whole = good == digits.len() && good > 0;
    let fits = (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value);
    match mode.dialect {
        // busybox takes all of it or nothing.
        Dialect::Ash if whole && (i128::from(i64::MIN)..=i128::from(i64::MAX)).contains(&value) => value as i64,
        Dialect::Ash => {
            bad_number(text, mode, printed);
            0
        }
        _ => {
            if !whole {
                bad_number(text, mode, printed);
            } else if !fits || value > i128::from(i64::MAX) {
                printed.errors.push(format!("warning: {text}: Numerical result out of range"));
            }
            i64::try_from(value).unwrap_or(if negative { i64::MIN } else { i64::MAX })
        }
    }
}

fn real(text: Option<&String>, mode: Mode, printed: &mut Printed) -> f64 {
    let text = text.map_or("", String::as_str);
    if let Some(c) = text.strip_prefix(['\'', '"']).and_then(|rest| rest.bytes().next()) {
        return f64::from(c);
    }
    text.trim().parse::<f64>().unwrap_or_else(|_| {
        if !text.is_empty() && !mode.awk {
            bad_number(text, mode, printed);
        }
        super::awk_value::leading_number(text)
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

    /// Bytes, cut and padded.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let cut = &bytes[..bytes.len().min(self.precision.unwrap_or(usize::MAX))];
        let blanks = vec![b' '; self.width.saturating_sub(cut.len())];
        if self.left { [cut, &blanks].concat() } else { [&blanks, cut].concat() }
    }

    pub fn text(&self, text: &str) -> String {
        let cut: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        self.pad(cut, false)
    }

    pub fn integer(&self, kind: char, value: i64) -> String {
        let digits = match kind {
            'x' => format!("{}{value:x}", if self.alternate { "0x" } else { "" }),
            'X' => format!("{}{value:X}", if self.alternate { "0X" } else { "" }),
            'o' => format!("{}{value:o}", if self.alternate { "0" } else { "" }),
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
