//! From the text of a schedule to the numbers its fields match.
//!
//! Rule: `parser.go` of robfig/cron v3.0.1; the checks stand in its order because only the first error is shown.

use super::{CronError, Field, Fields, Kind, Schedule};
use crate::duration::GoDuration;
use crate::zone::{Zone, ZoneTable};

/// The numbers a field may hold, and its names.
struct Bounds {
    min: u64,
    max: u64,
    /// The name at index n means `min + n`.
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds { min: 0, max: 59, names: &[] };
const HOURS: Bounds = Bounds { min: 0, max: 23, names: &[] };
const DAYS: Bounds = Bounds { min: 1, max: 31, names: &[] };
const MONTHS: Bounds = Bounds {
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAYS: Bounds = Bounds { min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/// What the descriptors stand for.
const DESCRIPTORS: &[(&str, &str)] = &[
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

fn error<T>(text: String) -> Result<T, CronError> {
    Err(CronError(text))
}

pub(super) fn schedule(text: &str, zones: &ZoneTable) -> Result<Schedule, CronError> {
    if text.is_empty() {
        return error("empty spec string".to_string());
    }
    let (zone, text) = zone_prefix(text, zones)?;
    let kind = if text.starts_with('@') { descriptor(text)? } else { Kind::Fields(fields(text)?) };
    Ok(Schedule { kind, zone })
}

/// Takes `TZ=…` or `CRON_TZ=…` off the front, up to the first space (no other white space ends it).
fn zone_prefix<'a>(text: &'a str, zones: &ZoneTable) -> Result<(Option<Zone>, &'a str), CronError> {
    let Some(rest) = text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ=")) else {
        return Ok((None, text));
    };
    let Some((name, rest)) = rest.split_once(' ') else {
        // The library slices up to the missing space and panics; Kubernetes recovers and shows the panic.
        return error("invalid schedule format: runtime error: slice bounds out of range [:-1]".to_string());
    };
    match Zone::load(name, zones) {
        // Not a zone of its own: it leaves the choice to the machine.
        Ok(_) if name == "Local" => Ok((None, rest.trim())),
        Ok(zone) => Ok((Some(zone), rest.trim())),
        Err(problem) => error(format!("provided bad location {name}: {problem}")),
    }
}

fn descriptor(text: &str) -> Result<Kind, CronError> {
    if let Some((_, meaning)) = DESCRIPTORS.iter().find(|(name, _)| *name == text) {
        return fields(meaning).map(Kind::Fields);
    }
    match text.strip_prefix("@every ") {
        Some(duration) => match duration.parse::<GoDuration>() {
            Ok(delay) => Ok(Kind::EverySecs(delay.as_secs().max(1))),
            Err(problem) => error(format!("failed to parse duration {text}: {problem}")),
        },
        None => error(format!("unrecognized descriptor: {text}")),
    }
}

fn fields(text: &str) -> Result<Fields, CronError> {
    let found: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day_of_month, month, day_of_week] = found[..] else {
        return error(format!("expected exactly 5 fields, found {}: [{}]", found.len(), found.join(" ")));
    };
    Ok(Fields {
        minute: field(minute, &MINUTES)?,
        hour: field(hour, &HOURS)?,
        day_of_month: field(day_of_month, &DAYS)?,
        month: field(month, &MONTHS)?,
        day_of_week: field(day_of_week, &WEEKDAYS)?,
    })
}

/// A list of ranges; nothing between two commas is nothing, not an error.
fn field(text: &str, bounds: &Bounds) -> Result<Field, CronError> {
    let mut field = Field::default();
    for expr in text.split(',').filter(|expr| !expr.is_empty()) {
        let range = range(expr, bounds)?;
        field.bits |= range.bits;
        field.star |= range.star;
    }
    Ok(field)
}

/// `*`, `?`, a number or name, or two of them with a hyphen; then perhaps a slash and a step.
fn range(expr: &str, bounds: &Bounds) -> Result<Field, CronError> {
    let parts: Vec<&str> = expr.split('/').collect();
    let ends: Vec<&str> = parts[0].split('-').collect();
    let any = matches!(ends[0], "*" | "?");
    let (start, mut end) = match ends[..] {
        // Whatever stands behind a star's hyphen is not looked at.
        _ if any => (bounds.min, bounds.max),
        [one] => {
            let number = number_or_name(one, bounds)?;
            (number, number)
        }
        [low, high] => (number_or_name(low, bounds)?, number_or_name(high, bounds)?),
        [low, ..] => {
            number_or_name(low, bounds)?;
            return error(format!("too many hyphens: {expr}"));
        }
        [] => (bounds.min, bounds.max),
    };
    let step = match parts[..] {
        [_] => 1,
        [_, step] => {
            let step = number(step)?;
            // "N/step" means from N to the end.
            if ends.len() == 1 {
                end = bounds.max;
            }
            step
        }
        _ => return error(format!("too many slashes: {expr}")),
    };
    if start < bounds.min {
        return error(format!("beginning of range ({start}) below minimum ({}): {expr}", bounds.min));
    }
    if end > bounds.max {
        return error(format!("end of range ({end}) above maximum ({}): {expr}", bounds.max));
    }
    if start > end {
        return error(format!("beginning of range ({start}) beyond end of range ({end}): {expr}"));
    }
    if step == 0 {
        return error(format!("step of range should be a positive number: {expr}"));
    }
    let bits = (start..=end).filter(|number| (number - start) % step == 0).fold(0, |bits, number| bits | 1 << number);
    Ok(Field { bits, star: any && step == 1 })
}

fn number_or_name(text: &str, bounds: &Bounds) -> Result<u64, CronError> {
    match bounds.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
        Some(index) => Ok(bounds.min + index as u64),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u64, CronError> {
    match atoi(text) {
        Ok(number) => {
            u64::try_from(number).or_else(|_| error(format!("negative number ({number}) not allowed: {text}")))
        }
        Err(problem) => {
            error(format!("failed to parse int from {text}: strconv.Atoi: parsing {}: {problem}", quote(text)))
        }
    }
}

/// Go's `strconv.Atoi`: a sign, then decimal digits. Reads from the left, so a number that is too long is out of range
/// before a later letter makes it bad syntax.
fn atoi(text: &str) -> Result<i64, &'static str> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() {
        return Err("invalid syntax");
    }
    let mut magnitude: u64 = 0;
    for byte in digits.bytes() {
        if !byte.is_ascii_digit() {
            return Err("invalid syntax");
        }
        let longer = magnitude.checked_mul(10).and_then(|number| number.checked_add(u64::from(byte - b'0')));
        magnitude = longer.ok_or("value out of range")?;
    }
    let signed = if text.starts_with('-') { -i128::from(magnitude) } else { i128::from(magnitude) };
    i64::try_from(signed).map_err(|_| "value out of range")
}

/// Go's `strconv.Quote`.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            ..' ' | '\x7f' => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            _ if is_printable(c) => quoted.push(c),
            ..='\u{ffff}' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether Go prints the character as it is: letters, marks, numbers, punctuation and symbols. Rust's own escaping
/// draws the same line; the `x` in front keeps it from escaping a lone combining mark, which Go does not.
fn is_printable(c: char) -> bool {
    let text = String::from_iter(['x', c]);
    matches!(c, '\'') || text.escape_debug().eq(text.chars())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// The library's own table for one expression, with made-up bounds.
    #[test]
    fn ranges_of_the_published_table() {
        let cases: Value = serde_json::from_str(include_str!("../../../../tests/cases/cron_cases.json")).unwrap();
        let cases = cases["upstream_ranges"].as_array().unwrap();
        assert_eq!(cases.len(), 20);
        for case in cases {
            let (min, max) = (case["min"].as_u64().unwrap(), case["max"].as_u64().unwrap());
            let result = range(case["expr"].as_str().unwrap(), &Bounds { min, max, names: &[] });
            match case.get("error_contains") {
                Some(said) => assert!(result.unwrap_err().0.contains(said.as_str().unwrap()), "{case}"),
                None => {
                    let field = result.unwrap();
                    assert_eq!(
                        serde_json::to_value(field.values().collect::<Vec<_>>()).unwrap(),
                        case["values"],
                        "{case}"
                    );
                    assert_eq!(field.star, case["star"], "{case}");
                }
            }
        }
    }

    #[test]
    fn text_is_quoted_as_go_quotes_it() {
        for (text, quoted) in [
            ("a'b\"\\", r#""a'b\"\\""#),
            ("\u{1}\t\u{7f}\u{85}", r#""\x01\t\x7f\u0085""#),
            ("５é\u{301}\u{1f600}", "\"５é\u{301}\u{1f600}\""),
            ("\u{a0}\u{200b}\u{feff}\u{e000}\u{10ffff}", r#""\u00a0\u200b\ufeff\ue000\U0010ffff""#),
        ] {
            assert_eq!(quote(text), quoted);
        }
    }

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        for (text, number) in [
            ("+5", Ok(5)),
            ("-0", Ok(0)),
            ("007", Ok(7)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("9223372036854775808", Err("value out of range")),
            ("9999999999999999999x", Err("invalid syntax")),
            ("99999999999999999999x", Err("value out of range")),
            ("1_0", Err("invalid syntax")),
            ("+-1", Err("invalid syntax")),
            ("", Err("invalid syntax")),
        ] {
            assert_eq!(atoi(text), number, "{text}");
        }
    }
}
