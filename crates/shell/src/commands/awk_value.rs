//! Values of `awk`: numbers, texts, and input that may be either (POSIX.1 XCU awk, "Expressions in awk"). Texts are bytes.

use std::rc::Rc;

use super::echo::general;

pub(super) type Bytes = Rc<[u8]>;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Unset,
    Number(f64),
    Text(Bytes),
    /// Input that looks like a number counts as one in comparisons.
    Input(Bytes),
}

impl Value {
    pub fn text_of(text: &str) -> Value {
        Value::Text(text.as_bytes().into())
    }

    pub fn truth_of(holds: bool) -> Value {
        Value::Number(f64::from(u8::from(holds)))
    }

    pub fn number(&self) -> f64 {
        match self {
            Value::Unset => 0.0,
            Value::Number(number) => *number,
            Value::Text(text) | Value::Input(text) => leading_number(&String::from_utf8_lossy(text)),
        }
    }

    /// The text; numbers that are not whole by `format` (`CONVFMT` or `OFMT`). `wide`: whole numbers of any size as such.
    pub fn bytes(&self, format: &str, wide: bool) -> Bytes {
        match self {
            Value::Unset => Rc::from(&b""[..]),
            Value::Number(number) => number_text(*number, format, wide).into_bytes().into(),
            Value::Text(text) | Value::Input(text) => Rc::clone(text),
        }
    }

    pub fn truth(&self) -> bool {
        match self {
            Value::Unset => false,
            Value::Number(number) => *number != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::Input(text) => whole_number(text).map_or(!text.is_empty(), |number| number != 0.0),
        }
    }

    /// The number it counts as in comparisons.
    pub fn comparable(&self) -> Option<f64> {
        match self {
            Value::Unset => Some(0.0),
            Value::Number(number) => Some(*number),
            Value::Text(_) => None,
            Value::Input(text) => whole_number(text),
        }
    }
}

fn number_text(number: f64, format: &str, wide: bool) -> String {
    let limit = if wide { 1e18 } else { 2_147_483_648.0 };
    if number.fract() == 0.0 && number.abs() < limit {
        return format!("{}", number as i64);
    }
    if number.is_nan() {
        return if number.is_sign_negative() { "-nan" } else { "nan" }.to_string();
    }
    if format == "%.6g" {
        return format!("{}{}", if number < 0.0 { "-" } else { "" }, general(number.abs(), 6));
    }
    let printed = super::printf_text(format, &[format!("{number}")], super::Mode::awk(crate::syntax::Dialect::Bash));
    String::from_utf8_lossy(&printed.bytes).into_owned()
}

/// The number that a whole text is, blanks around it aside.
fn whole_number(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let first = text.trim_start_matches(['+', '-']).bytes().next()?;
    if !(first.is_ascii_digit() || first == b'.') || text.len() > 60 {
        return None;
    }
    text.parse::<f64>().ok()
}

/// The number a text begins with.
pub(super) fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let start = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let mut end = digits(start);
    let mut any = end > start;
    if bytes.get(end) == Some(&b'.') {
        let after = digits(end + 1);
        any |= after > end + 1;
        end = after;
    }
    if !any {
        return 0.0;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let after = digits(sign);
        if after > sign {
            end = after;
        }
    }
    text[..end].trim_end_matches('.').parse().unwrap_or(0.0)
}
