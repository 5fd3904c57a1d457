//! Values of `awk`: numbers, texts, and input that may be either (POSIX.1 XCU awk, "Expressions in awk").

use super::echo::general;

#[derive(Clone, Debug)]
pub(super) enum Value {
    Number(f64),
    Text(String),
    /// Input that looks like a number counts as one in comparisons.
    Input(String),
}

impl Value {
    pub fn number(&self) -> f64 {
        match self {
            Value::Number(number) => *number,
            Value::Text(text) | Value::Input(text) => leading_number(text),
        }
    }

    pub fn text(&self) -> String {
        match self {
            Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e16 => format!("{}", *number as i64),
            Value::Number(number) => format!("{}{}", if *number < 0.0 { "-" } else { "" }, general(number.abs(), 6)),
            Value::Text(text) | Value::Input(text) => text.clone(),
        }
    }

    pub fn truth(&self) -> bool {
        match self {
            Value::Number(number) => *number != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::Input(text) => text.trim().parse::<f64>().map_or(!text.is_empty(), |number| number != 0.0),
        }
    }

    pub fn is_numeric(&self) -> bool {
        match self {
            Value::Number(_) => true,
            Value::Text(_) => false,
            Value::Input(text) => text.trim().parse::<f64>().is_ok(),
        }
    }
}

/// The number a text begins with.
fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let mut end = 0;
    for (i, c) in text.char_indices().take(40) {
        if !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E')) {
            break;
        }
        if text[..=i].parse::<f64>().is_ok() {
            end = i + 1;
        }
    }
    text[..end].parse().unwrap_or(0.0)
}
