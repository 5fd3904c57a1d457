//! What a plain scalar means: YAML 1.1 as Kubernetes reads it.
//!
//! Rule: `y n yes no on off true false` in three spellings are booleans; `~`, `null` and nothing are null; integers may have
//! `_`, `0x`, `0b`, `0o` and a leading 0 for octal; `.inf` and `.nan` are floats; timestamps stay strings; there is no base
//! 60. Source: `sigs.k8s.io/yaml` (`goyaml.v2/resolve.go`), and `yaml.go` there for what becomes of numbers and keys in JSON.

use values::value::Value;

const TRUE: [&str; 11] = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"];
const FALSE: [&str; 11] = ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"];
const NULL: [&str; 5] = ["", "~", "null", "Null", "NULL"];
const NAN: [&str; 3] = [".nan", ".NaN", ".NAN"];
const INFINITE: [&str; 3] = [".inf", ".Inf", ".INF"];

/// What the words of a plain scalar are.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Meaning {
    Null,
    Bool(bool),
    Int(i64),
    /// Also whole numbers that no `i64` holds.
    Float(f64),
    /// Decoded to the same string, but quoted when written.
    Timestamp,
    Merge,
    Str,
}

/// Reads a plain scalar.
pub(super) fn resolve(text: &str) -> Meaning {
    match text {
        _ if TRUE.contains(&text) => return Meaning::Bool(true),
        _ if FALSE.contains(&text) => return Meaning::Bool(false),
        _ if NULL.contains(&text) => return Meaning::Null,
        _ if NAN.contains(&text) => return Meaning::Float(f64::NAN),
        "<<" => return Meaning::Merge,
        _ => {}
    }
    if let Some(word) = text.strip_prefix('-').filter(|w| INFINITE.contains(w)) {
        debug_assert!(!word.is_empty());
        return Meaning::Float(f64::NEG_INFINITY);
    }
    if INFINITE.contains(&text.strip_prefix('+').unwrap_or(text)) {
        return Meaning::Float(f64::INFINITY);
    }
    match text.as_bytes()[0] {
        b'.' if is_decimal(text) => text.parse().map_or(Meaning::Str, Meaning::Float),
        b'0'..=b'9' | b'+' | b'-' => number(text),
        _ => Meaning::Str,
    }
}

fn number(text: &str) -> Meaning {
    if is_timestamp(text) {
        return Meaning::Timestamp;
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    if let Some(n) = integer(&plain) {
        return i64::try_from(n).map_or(Meaning::Float(n as f64), Meaning::Int);
    }
    if is_decimal(&plain) {
        return plain.parse().map_or(Meaning::Str, Meaning::Float);
    }
    Meaning::Str
}

/// An integer as Go's `ParseInt` with base 0 reads it; between `i64::MIN` and `u64::MAX`.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(hex) = lower.strip_prefix("0x") {
        (16, hex)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        (2, binary)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        (8, octal)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, &*lower)
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let n = i128::from_str_radix(digits, radix).ok()?;
    let n = if negative { -n } else { n };
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&n).then_some(n)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(i) => (&text[..i], Some(&text[i + 1..])),
        None => (text, None),
    };
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|e| {
        let digits = e.strip_prefix(['-', '+']).unwrap_or(e);
        !digits.is_empty() && all_digits(digits)
    });
    mantissa_fits && exponent_fits
}

/// `2026-1-2`, or with a time behind `T`, `t` or a blank: four digits, then one or two each.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return false;
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(i) => (&text[..i], Some(&text[i + 1..])),
        None => (text, None),
    };
    let in_range = |part: &str, low: u32, high: u32| {
        (1..=2).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.parse().is_ok_and(|n: u32| (low..=high).contains(&n))
    };
    let mut parts = date.splitn(3, '-').skip(1);
    let (Some(month), Some(day)) = (parts.next(), parts.next()) else { return false };
    if !in_range(month, 1, 12) || !in_range(day, 1, 31) {
        return false;
    }
    let Some(time) = time else { return true };
    let end = time.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(time.len());
    let clock: Vec<&str> = time[..end].split(':').collect();
    let [hour, minute, second] = clock[..] else { return false };
    let zone =
        time[end..].strip_prefix('.').map_or(&time[end..], |f| f.trim_start_matches(|c: char| c.is_ascii_digit()));
    let zone_fits = zone.is_empty() || zone.trim_start() == "Z" || zone.starts_with(['+', '-']);
    in_range(hour, 0, 23) && in_range(minute, 0, 59) && in_range(second, 0, 59) && zone_fits
}

/// What becomes of a float on its way through JSON: whole numbers are written without a point and read as integers.
pub(super) fn through_json(x: f64) -> Value {
    if x.fract() == 0.0 && x.abs() < 9.2e18 { Value::Int(x as i64) } else { Value::Float(x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_yaml_reads_them() {
        use Meaning::*;
        for (text, meaning) in [
            ("y", Bool(true)),
            ("N", Bool(false)),
            ("on", Bool(true)),
            ("Off", Bool(false)),
            ("oN", Str),
            ("yEs", Str),
            ("", Null),
            ("~", Null),
            ("null", Null),
            ("nULL", Str),
            ("0777", Int(511)),
            ("0o17", Int(15)),
            ("0x1F", Int(31)),
            ("-0b11", Int(-3)),
            ("1_000", Int(1000)),
            ("08", Float(8.0)),
            ("+5", Int(5)),
            ("-", Str),
            ("1:30", Str),
            ("1.", Float(1.0)),
            (".5", Float(0.5)),
            ("1e3", Float(1000.0)),
            ("1e", Str),
            (".inf", Float(f64::INFINITY)),
            ("-.INF", Float(f64::NEG_INFINITY)),
            ("18446744073709551615", Float(18446744073709551615.0)),
            ("2026-11-21", Timestamp),
            ("2026-11-21T08:00:00Z", Timestamp),
            ("2026-11-21T08:00", Str),
            ("2026-13-21", Str),
            ("<<", Merge),
            ("1.2.3", Str),
            ("100m", Str),
        ] {
            assert_eq!(resolve(text), meaning, "{text}");
        }
    }
}
