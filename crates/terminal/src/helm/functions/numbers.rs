//! Functions on numbers, and Go's layouts of dates.

use super::{ANY, Row, text_of};
use values::time::SimTime;
use values::value::Value;

/// Numbers one call may make.
const COUNT_MAX: i64 = 10_000;

pub const ROWS: &[Row] = &[
    Row("int", 1, 1, |args| Ok(int(&args[0]).into())),
    Row("int64", 1, 1, |args| Ok(int(&args[0]).into())),
    Row("float64", 1, 1, |args| Ok(Value::Float(float(&args[0])))),
    Row("atoi", 1, 1, |args| Ok(text_of(&args[0]).parse::<i64>().unwrap_or(0).into())),
    Row("add", 0, ANY, |args| Ok(args.iter().fold(0i64, |sum, n| sum.wrapping_add(int(n))).into())),
    Row("add1", 1, 1, |args| Ok(int(&args[0]).wrapping_add(1).into())),
    Row("sub", 2, 2, |args| Ok(int(&args[0]).wrapping_sub(int(&args[1])).into())),
    Row("mul", 1, ANY, |args| Ok(args.iter().fold(1i64, |product, n| product.wrapping_mul(int(n))).into())),
    Row("div", 2, 2, |args| int(&args[0]).checked_div(int(&args[1])).map(Value::from).ok_or_else(by_zero)),
    Row("mod", 2, 2, |args| int(&args[0]).checked_rem(int(&args[1])).map(Value::from).ok_or_else(by_zero)),
    Row("max", 1, ANY, |args| Ok(args.iter().map(int).max().unwrap_or(0).into())),
    Row("min", 1, ANY, |args| Ok(args.iter().map(int).min().unwrap_or(0).into())),
    Row("ceil", 1, 1, |args| Ok(Value::Float(float(&args[0]).ceil()))),
    Row("floor", 1, 1, |args| Ok(Value::Float(float(&args[0]).floor()))),
    Row("round", 2, 2, |args| {
        let scale = 10f64.powi(int(&args[1]).clamp(0, 15) as i32);
        Ok(Value::Float((float(&args[0]) * scale).round() / scale))
    }),
    Row("until", 1, 1, |args| {
        let count = int(&args[0]);
        let down = count < 0;
        let numbers = 0..count.saturating_abs().min(COUNT_MAX);
        Ok(Value::list(numbers.map(|n| Value::Int(if down { -n } else { n }))))
    }),
    Row("untilStep", 3, 3, |args| {
        let (mut at, stop, step) = (int(&args[0]), int(&args[1]), int(&args[2]));
        let mut numbers = Vec::new();
        while step != 0 && (if step > 0 { at < stop } else { at > stop }) && (numbers.len() as i64) < COUNT_MAX {
            numbers.push(Value::Int(at));
            at = at.saturating_add(step);
        }
        Ok(numbers.into())
    }),
];

fn by_zero() -> String {
    "runtime error: integer divide by zero".to_owned()
}

/// sprig's `toInt64`: what is no number is 0.
pub fn int(value: &Value) -> i64 {
    match value {
        Value::Int(n) => *n,
        Value::Float(x) => *x as i64,
        Value::Bool(b) => i64::from(*b),
        Value::Str(text) => text.parse::<i64>().or_else(|_| text.parse::<f64>().map(|x| x as i64)).unwrap_or(0),
        _ => 0,
    }
}

fn float(value: &Value) -> f64 {
    match value {
        Value::Float(x) => *x,
        Value::Str(text) => text.parse().unwrap_or(0.0),
        other => int(other) as f64,
    }
}

/// A moment by a Go layout such as `2006-01-02 15:04:05`, in UTC.
pub fn go_date(layout: &str, at: SimTime) -> String {
    // The longer words come first.
    const WORDS: [(&str, &str); 21] = [
        ("2006", "%Y"),
        ("January", "%B"),
        ("Jan", "%b"),
        ("Monday", "%A"),
        ("Mon", "%a"),
        ("MST", "UTC"),
        ("Z07:00", "Z"),
        ("-07:00", "+00:00"),
        ("-0700", "+0000"),
        ("15", "%H"),
        ("01", "%m"),
        ("02", "%d"),
        ("03", "%I"),
        ("04", "%M"),
        ("05", "%S"),
        ("06", "%y"),
        ("PM", "%p"),
        ("_2", "%e"),
        ("1", "%-m"),
        ("2", "%-d"),
        ("3", "%-I"),
    ];
    let mut text = String::new();
    let mut rest = layout;
    while let Some(c) = rest.chars().next() {
        match WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
            Some((word, pattern)) => {
                text.push_str(&at.format(pattern));
                rest = &rest[word.len()..];
            }
            None => {
                text.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    text
}
