//! Resource quantities: `500m`, `1.5Gi`, `1e3`, kept exactly and printed in canonical form.
//!
//! Rule: a quantity is a decimal number with a suffix of one of three families (decimal, binary, exponent). Its canonical
//! form has no fraction and the largest suffix that allows it; precision below 1n is rounded up; magnitudes are capped at
//! 2^63 − 1. Source: `apimachinery/pkg/api/resource/{quantity,suffix}.go`.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Sub};

/// The text for anything that is no quantity at all.
pub const WRONG_FORMAT: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
/// The text for a number with a suffix of the right letters that means nothing.
pub const WRONG_SUFFIX: &str = "unable to parse quantity's suffix";
/// The text for a numeric part that is no number (`1.2.3`).
pub const WRONG_NUMBER: &str = "unable to parse numeric part of quantity";

/// Which family of suffixes a quantity was written with, and is printed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// `n u m (none) k M G T P E`
    Decimal,
    /// `Ki Mi Gi Ti Pi Ei`
    Binary,
    /// `e3`
    Exponent,
}

/// An exact amount, in billionths.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    nanos: i128,
    family: Family,
}

const NANOS: i128 = 1_000_000_000;
const MAX: i128 = i64::MAX as i128 * NANOS;
const DECIMAL_SUFFIXES: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY_SUFFIXES: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl Quantity {
    /// Nothing.
    pub const ZERO: Quantity = Quantity { nanos: 0, family: Family::Decimal };

    /// Reads a quantity. The error is the API server's text.
    pub fn parse(text: &str) -> Result<Quantity, &'static str> {
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            Some(_) => (false, text),
            None => return Err(WRONG_FORMAT),
        };
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(number_end);
        // Only the first dot belongs to the number; a second one ends it, and nothing may begin with a dot after it.
        if number.matches('.').count() > 1 || !suffix_is_well_formed(suffix) {
            return Err(WRONG_FORMAT);
        }
        if number.is_empty() || number == "." {
            return Err(if suffix.is_empty() || number == "." { WRONG_NUMBER } else { WRONG_FORMAT });
        }
        let (family, scale) = interpret(suffix).ok_or(WRONG_SUFFIX)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let magnitude = scale.apply(whole, fraction).min(MAX);
        Ok(Quantity { nanos: if negative { -magnitude } else { magnitude }, family })
    }

    /// A whole number of units, printed with decimal suffixes.
    pub fn from_units(units: i64) -> Quantity {
        Quantity { nanos: i128::from(units) * NANOS, family: Family::Decimal }
    }

    /// A number of thousandths (milli-CPUs), printed with decimal suffixes.
    pub fn from_millis(millis: i64) -> Quantity {
        Quantity { nanos: i128::from(millis) * (NANOS / 1000), family: Family::Decimal }
    }

    /// The amount in whole units, rounded up.
    pub fn units(self) -> i64 {
        divide_up(self.nanos, NANOS) as i64
    }

    /// The amount in thousandths, rounded up; capped at what an `i64` holds.
    pub fn millis(self) -> i64 {
        i64::try_from(divide_up(self.nanos, NANOS / 1000)).unwrap_or(if self.nanos < 0 { i64::MIN } else { i64::MAX })
    }

    /// The same amount with nothing below a thousandth, rounded away from zero as requests and limits are.
    pub fn rounded_up_to_milli(self) -> Quantity {
        Quantity { nanos: divide_up(self.nanos, NANOS / 1000) * (NANOS / 1000), family: self.family }
    }

    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// The suffix family it was written with.
    pub fn family(self) -> Family {
        self.family
    }

    /// The sum, printed in the family of the first that is not zero.
    #[must_use]
    pub fn plus(self, other: Quantity) -> Quantity {
        let family = if self.is_zero() { other.family } else { self.family };
        Quantity { nanos: (self.nanos + other.nanos).clamp(-MAX, MAX), family }
    }

    /// The difference, printed in the family of the first that is not zero.
    #[must_use]
    pub fn minus(self, other: Quantity) -> Quantity {
        self.plus(Quantity { nanos: -other.nanos, family: other.family })
    }
}

impl Default for Quantity {
    fn default() -> Quantity {
        Quantity::ZERO
    }
}

impl Add for Quantity {
    type Output = Quantity;
    fn add(self, other: Quantity) -> Quantity {
        self.plus(other)
    }
}

impl Sub for Quantity {
    type Output = Quantity;
    fn sub(self, other: Quantity) -> Quantity {
        self.minus(other)
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Quantity) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Quantity) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Quantity) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl fmt::Display for Quantity {
    /// Canonical form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let small_or_fractional = self.nanos.abs() < 1024 * NANOS || self.nanos % NANOS != 0;
        if self.family == Family::Binary && !small_or_fractional {
            let (mut amount, mut suffix) = (self.nanos / NANOS, "");
            for next in BINARY_SUFFIXES {
                if amount % 1024 != 0 {
                    break;
                }
                (amount, suffix) = (amount / 1024, next);
            }
            return write!(f, "{amount}{suffix}");
        }
        let (mut amount, mut exponent) = (self.nanos, -9);
        while amount % 1000 == 0 && exponent < 18 {
            (amount, exponent) = (amount / 1000, exponent + 3);
        }
        if self.family == Family::Exponent {
            return if exponent == 0 { write!(f, "{amount}") } else { write!(f, "{amount}e{exponent}") };
        }
        let suffix = DECIMAL_SUFFIXES.iter().find(|(_, e)| *e == exponent).map_or("", |(s, _)| s);
        write!(f, "{amount}{suffix}")
    }
}

/// How much one unit of the written number is.
enum Scale {
    Ten(i32),
    Two(u32),
}

impl Scale {
    /// `whole.fraction` at this scale, in billionths rounded up; at least [`MAX`] if it does not fit.
    fn apply(&self, whole: &str, fraction: &str) -> i128 {
        match *self {
            Scale::Ten(exponent) => {
                let digits = format!("{whole}{fraction}");
                shift(digits.trim_start_matches('0'), exponent + 9 - fraction.len() as i32)
            }
            Scale::Two(bits) => {
                // Digits far behind the point cannot change the billionths except by rounding up.
                let (kept, dropped) = fraction.split_at(fraction.len().min(18));
                let rounding = i128::from(dropped.bytes().any(|b| b != b'0'));
                let Some(whole) = parse_digits(whole) else { return MAX };
                let Some(mut total) = whole.checked_mul(NANOS).and_then(|n| n.checked_mul(1 << bits)) else {
                    return MAX;
                };
                if !kept.is_empty() {
                    let denominator = 10_i128.pow(kept.len() as u32);
                    let numerator = (parse_digits(kept).unwrap_or(0) + rounding) * (1 << bits.min(30));
                    // Split the multiplication so that it cannot overflow: numerator/denominator · 2^rest · 10^9.
                    let rest = 1_i128 << (bits - bits.min(30));
                    total += match numerator.checked_mul(NANOS).and_then(|n| n.checked_mul(rest)) {
                        Some(n) => divide_up(n, denominator),
                        None => divide_up(numerator, denominator) * rest * NANOS,
                    };
                }
                total
            }
        }
    }
}

fn parse_digits(digits: &str) -> Option<i128> {
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() { Some(0) } else { digits.parse().ok() }
}

/// `digits` × 10^`exponent`, rounded up to a whole number.
fn shift(digits: &str, exponent: i32) -> i128 {
    if digits.is_empty() {
        return 0;
    }
    if exponent >= 0 {
        if digits.len() + exponent as usize > 30 {
            return MAX;
        }
        return digits.parse::<i128>().map_or(MAX, |n| n * 10_i128.pow(exponent as u32));
    }
    let cut = exponent.unsigned_abs() as usize;
    let (kept, dropped) = digits.split_at(digits.len().saturating_sub(cut));
    let rounding = i128::from(dropped.bytes().any(|b| b != b'0'));
    if kept.len() > 30 { MAX } else { parse_digits(kept).unwrap_or(0) + rounding }
}

/// Division that rounds away from zero.
fn divide_up(n: i128, by: i128) -> i128 {
    let quotient = n / by;
    if n % by == 0 { quotient } else { quotient + n.signum() }
}

fn suffix_is_well_formed(suffix: &str) -> bool {
    let letters = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let digits = letters.strip_prefix(['-', '+']).unwrap_or(letters);
    digits.bytes().all(|b| b.is_ascii_digit())
}

fn interpret(suffix: &str) -> Option<(Family, Scale)> {
    if let Some((_, exponent)) = DECIMAL_SUFFIXES.iter().find(|(s, _)| *s == suffix) {
        return Some((Family::Decimal, Scale::Ten(*exponent)));
    }
    if let Some(i) = BINARY_SUFFIXES.iter().position(|s| *s == suffix) {
        return Some((Family::Binary, Scale::Two(10 * (i as u32 + 1))));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?.parse::<i64>().ok()?;
    Some((Family::Exponent, Scale::Ten(exponent.clamp(-1000, 1000) as i32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_forms() {
        for (text, canonical) in [
            ("0.5", "500m"),
            ("1", "1"),
            ("1000m", "1"),
            ("100m", "100m"),
            ("1500m", "1500m"),
            ("0.0001", "100u"),
            ("64Mi", "64Mi"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Gi", "512Mi"),
            ("0.1Ki", "102400m"),
            ("1000", "1k"),
            ("1e3", "1e3"),
            ("12E2", "1200"),
            ("1E", "1E"),
            ("128974848", "128974848"),
            ("1000Ki", "1000Ki"),
            ("512Ki", "512Ki"),
            ("0", "0"),
            ("0Mi", "0"),
            ("-1", "-1"),
            ("+2k", "2k"),
            (".5", "500m"),
            ("5.", "5"),
            ("0.0000000001", "1n"),
            ("99999999999999999999", "9223372036854775807"),
        ] {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn errors_in_the_servers_words() {
        for (text, error) in [
            ("lots", WRONG_FORMAT),
            ("64MB", WRONG_FORMAT),
            ("", WRONG_FORMAT),
            ("1 Gi", WRONG_FORMAT),
            ("1.2.3", WRONG_FORMAT),
            ("64MM", WRONG_SUFFIX),
            ("1K", WRONG_SUFFIX),
            ("1ki", WRONG_SUFFIX),
        ] {
            assert_eq!(Quantity::parse(text).err(), Some(error), "{text}");
        }
    }

    #[test]
    fn amounts() {
        assert_eq!(Quantity::parse("0.1").unwrap().millis(), 100);
        assert_eq!(Quantity::parse("1Ki").unwrap().units(), 1024);
        assert_eq!(Quantity::parse("100u").unwrap().rounded_up_to_milli().to_string(), "1m");
        assert!(Quantity::parse("1Gi").unwrap() > Quantity::parse("1G").unwrap());
        let sum = Quantity::parse("1Gi").unwrap().plus(Quantity::parse("512Mi").unwrap());
        assert_eq!(sum.to_string(), "1536Mi");
    }

    proptest::proptest! {
        #[test]
        fn canonical_form_is_a_fixed_point(text in "[-+]?[0-9]{0,22}\\.?[0-9]{0,12}(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|e[0-9]{1,2}|)") {
            if let Ok(quantity) = Quantity::parse(&text) {
                let canonical = quantity.to_string();
                let again = Quantity::parse(&canonical).unwrap();
                proptest::prop_assert_eq!(again, quantity);
                proptest::prop_assert_eq!(again.to_string(), canonical);
            }
        }
    }
}
