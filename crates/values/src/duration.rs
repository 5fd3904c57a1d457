//! Durations as Go writes and reads them: `1h30m`, `1m20s`, `33ms`.
//!
//! Rule: `time.ParseDuration` (`src/time/format.go`) with its errors, and `Duration.String` (`src/time/time.go`).

use std::fmt;
use std::str::FromStr;

use crate::time::Span;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000 * MICROSECOND;
const SECOND: u64 = 1_000 * MILLISECOND;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// The magnitude of the longest duration, which only a negative one reaches.
const LIMIT: u64 = 1 << 63;

/// A Go `time.Duration`: nanoseconds, about 292 years either way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct GoDuration(i64);

/// Text that is no duration; displays as Go's error does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DurationError {
    /// What Go calls wrong: `invalid duration`, `missing unit in duration` or `unknown unit "x" in duration`.
    problem: String,
    text: String,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "time: {} {}", self.problem, quote(&self.text))
    }
}

impl std::error::Error for DurationError {}

impl GoDuration {
    /// Whole seconds, cut towards zero.
    pub const fn as_secs(self) -> i64 {
        self.0 / SECOND as i64
    }

    /// In whole milliseconds, cut towards zero.
    pub const fn to_span(self) -> Span {
        Span::ms(self.0 / MILLISECOND as i64)
    }
}

impl From<Span> for GoDuration {
    /// Spans beyond 292 years are held at that.
    fn from(span: Span) -> GoDuration {
        GoDuration(span.as_ms().saturating_mul(MILLISECOND as i64))
    }
}

impl FromStr for GoDuration {
    type Err = DurationError;

    /// Reads an optional sign and then numbers with units (`ns us µs ms s m h`), at least one; or `0`.
    fn from_str(text: &str) -> Result<GoDuration, DurationError> {
        let error = |problem: &str| DurationError { problem: problem.to_string(), text: text.to_string() };
        let invalid = || error("invalid duration");
        let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
        if rest == "0" {
            return Ok(GoDuration(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (number, after) = Number::read(rest).ok_or_else(invalid)?;
            let (unit, after) =
                after.split_at(after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len()));
            if unit.is_empty() {
                return Err(error("missing unit in duration"));
            }
            let nanos = unit_nanos(unit).ok_or_else(|| error(&format!("unknown unit {} in duration", quote(unit))))?;
            let part = number.times(nanos).ok_or_else(invalid)?;
            total = total.checked_add(part).filter(|total| *total <= LIMIT).ok_or_else(invalid)?;
            rest = after;
        }
        match text.starts_with('-') {
            true => Ok(GoDuration((total as i64).wrapping_neg())),
            false => i64::try_from(total).map(GoDuration).map_err(|_| invalid()),
        }
    }
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // The micro sign and the Greek letter mu.
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    })
}

/// A decimal number as read from the text: `whole + fraction / scale`.
struct Number {
    whole: u64,
    fraction: u64,
    scale: f64,
}

impl Number {
    /// Reads `[0-9]*(\.[0-9]*)?` with at least one digit, and gives the text after it. `None` without a digit or if the
    /// whole part is over the limit.
    fn read(text: &str) -> Option<(Number, &str)> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (before, mut rest) = text.split_at(digits(text));
        let mut after = "";
        if let Some(tail) = rest.strip_prefix('.') {
            (after, rest) = tail.split_at(digits(tail));
        }
        if before.is_empty() && after.is_empty() {
            return None;
        }
        let mut number = Number { whole: 0, fraction: 0, scale: 1.0 };
        for digit in before.bytes() {
            number.whole = push_digit(number.whole, digit).filter(|whole| *whole <= LIMIT)?;
        }
        for digit in after.bytes() {
            // Digits beyond what fits say nothing in nanoseconds; Go drops them.
            let Some(fraction) = push_digit(number.fraction, digit).filter(|fraction| *fraction <= LIMIT) else {
                break;
            };
            number.fraction = fraction;
            number.scale *= 10.0;
        }
        Some((number, rest))
    }

    /// In nanoseconds, if that many fit.
    fn times(&self, unit: u64) -> Option<u64> {
        let whole = self.whole.checked_mul(unit).filter(|nanos| *nanos <= LIMIT)?;
        // The one float: Go computes the fraction so, to the same nanosecond, and IEEE products and quotients are
        // equal on every machine.
        let fraction = (self.fraction as f64 * (unit as f64 / self.scale)) as u64;
        whole.checked_add(fraction).filter(|nanos| *nanos <= LIMIT)
    }
}

fn push_digit(number: u64, digit: u8) -> Option<u64> {
    number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
}

/// Quotes as the `time` package does in its errors: every byte that is not printable ASCII becomes `\xNN`.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=0x7f => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted.push('"');
    quoted
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        match nanos {
            0 => f.write_str("0s"),
            1..MICROSECOND => write!(f, "{nanos}ns"),
            MICROSECOND..MILLISECOND => write!(f, "{}µs", decimal(nanos, 3)),
            MILLISECOND..SECOND => write!(f, "{}ms", decimal(nanos, 6)),
            _ => {
                let (hours, minutes) = (nanos / HOUR, nanos / MINUTE % 60);
                if hours > 0 {
                    write!(f, "{hours}h")?;
                }
                if hours > 0 || minutes > 0 {
                    write!(f, "{minutes}m")?;
                }
                write!(f, "{}s", decimal(nanos % MINUTE, 9))
            }
        }
    }
}

/// `number / 10^places`, without zeros at the end of the fraction.
fn decimal(number: u64, places: usize) -> String {
    let one = 10u64.pow(places as u32);
    let text = format!("{}.{:0places$}", number / one, number % one);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, nanos) in [
            ("0", 0),
            ("-0", 0),
            ("+5s", 5_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("-1.5h", -5_400_000_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("1m0.9s", 60_900_000_000),
            ("100ns", 100),
            ("1us1\u{b5}s1\u{3bc}s", 3_000),
            ("52763797000ns", 52_763_797_000),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("0.830103483285477580700h", 2_988_372_539_827),
            ("0.9223372036854775807s", 922_337_203),
            ("9007199254.740993s", 9_007_199_254_740_993_000),
            ("9223372036.854775807s", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
            ("-9223372036s854ms775us808ns", i64::MIN),
            ("9223372036854ms775us807ns", i64::MAX),
            ("1h1h", 7_200_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(GoDuration(nanos)), "{text}");
        }
    }

    #[test]
    fn refuses_in_go_s_words() {
        for (text, said) in [
            ("", r#"time: invalid duration """#),
            ("3", r#"time: missing unit in duration "3""#),
            ("-", r#"time: invalid duration "-""#),
            ("s", r#"time: invalid duration "s""#),
            (".", r#"time: invalid duration ".""#),
            ("-.s", r#"time: invalid duration "-.s""#),
            ("00", r#"time: missing unit in duration "00""#),
            ("1d", r#"time: unknown unit "d" in duration "1d""#),
            ("1h 30m", r#"time: unknown unit "h " in duration "1h 30m""#),
            ("1x5s", r#"time: unknown unit "x" in duration "1x5s""#),
            ("--1s", r#"time: invalid duration "--1s""#),
            (" 1s", r#"time: invalid duration " 1s""#),
            ("1\u{e9}\n\"\\", r#"time: unknown unit "\xc3\xa9\x0a\"\\" in duration "1\xc3\xa9\x0a\"\\""#),
            ("9223372036854775808ns", r#"time: invalid duration "9223372036854775808ns""#),
            ("9223372036854775809ns", r#"time: invalid duration "9223372036854775809ns""#),
            ("-9223372036854775809ns", r#"time: invalid duration "-9223372036854775809ns""#),
            ("3000000h", r#"time: invalid duration "3000000h""#),
            ("99999999999999999999s", r#"time: invalid duration "99999999999999999999s""#),
        ] {
            assert_eq!(text.parse::<GoDuration>().unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn writes_what_go_writes() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (33_000_000, "33ms"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (80_000_000_000, "1m20s"),
            (245_000_000_000, "4m5s"),
            (245_001_000_000, "4m5.001s"),
            (18_367_001_000_000, "5h6m7.001s"),
            (480_000_000_001, "8m0.000000001s"),
            (3_600_000_000_000, "1h0m0s"),
            (-1_500_000_000, "-1.5s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(GoDuration(nanos).to_string(), text);
        }
    }

    #[test]
    fn spans_and_durations() {
        assert_eq!(GoDuration::from(Span::ms(1_500)).to_string(), "1.5s");
        assert_eq!(GoDuration(1_999_999).to_span(), Span::ms(1));
        assert_eq!(GoDuration(-1_999_999_999).as_secs(), -1);
        assert_eq!(GoDuration::from(Span::MAX), GoDuration(i64::MAX));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(nanos in any::<i64>()) {
            let written = GoDuration(nanos).to_string();
            prop_assert_eq!(written.parse(), Ok(GoDuration(nanos)));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+]?([0-9.]{0,20}[a-zµ]{0,2}){0,4}|.*") {
            let _ = text.parse::<GoDuration>();
        }
    }
}
