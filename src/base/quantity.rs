//! Quantities: `100m`, `1.5Gi`, `3e2`, as resources and volumes carry them.
//!
//! Rule: a number with at most nine decimal places and a suffix; printed in canonical form (no fraction, the largest
//! suffix that loses nothing, in the family of suffixes it was written with).
//! Source: `apimachinery/pkg/api/resource/{quantity,suffix}.go`.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Sub};

/// The smallest part that is kept: a thousand-millionth.
const NANO: i128 = 1_000_000_000;
/// Larger numbers are held here (`maxAllowed`, 2^63-1).
const MAX_NANOS: i128 = i64::MAX as i128 * NANO;

/// The family of suffixes a quantity was written with, which is also the one it is printed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// `Ki`, `Mi`, `Gi`, `Ti`, `Pi`, `Ei`
    BinarySi,
    /// `n`, `u`, `m`, none, `k`, `M`, `G`, `T`, `P`, `E`
    #[default]
    DecimalSi,
    /// `e3`, `E-6`
    DecimalExponent,
}

/// An amount of a resource.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

/// Why a text is no quantity, in the API's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuantityError {
    Format,
    Numeric,
    Suffix,
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            QuantityError::Format => {
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            QuantityError::Numeric => "unable to parse numeric part of quantity",
            QuantityError::Suffix => "unable to parse quantity's suffix",
        })
    }
}

impl std::error::Error for QuantityError {}

/// What a suffix multiplies by: a power of ten or of two.
#[derive(Clone, Copy)]
enum Scale {
    Ten(i64),
    Two(u32),
}

impl Quantity {
    pub const ZERO: Quantity = Quantity { nanos: 0, format: Format::DecimalSi };

    /// A whole number of units.
    pub const fn of(units: i64, format: Format) -> Quantity {
        Quantity { nanos: units as i128 * NANO, format }
    }

    /// A number of thousandths.
    pub const fn of_milli(milli: i64) -> Quantity {
        Quantity { nanos: milli as i128 * 1_000_000, format: Format::DecimalSi }
    }

    /// Reads `text`. More than nine decimal places are rounded up, numbers beyond 2^63-1 are held there.
    ///
    /// # Errors
    /// If it does not have a quantity's form, or its suffix is none.
    pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        if text == "0" {
            return Ok(Quantity::ZERO);
        }
        let (negative, rest) = match text.as_bytes()[0] {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (whole, rest) = rest.split_at(end);
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())),
            None => ("", rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(if suffix.is_empty() && rest.is_empty() {
                QuantityError::Numeric
            } else {
                QuantityError::Format
            });
        }
        if !has_suffix_form(suffix) {
            return Err(QuantityError::Format);
        }
        let (scale, format) = parse_suffix(suffix).ok_or(QuantityError::Suffix)?;
        let nanos = scaled(whole, fraction, scale).min(MAX_NANOS);
        Ok(Quantity { nanos: if negative { -nanos } else { nanos }, format })
    }

    /// Whole units, rounded up (away from zero).
    pub fn value(&self) -> i64 {
        self.in_parts_of(NANO)
    }

    /// Thousandths, rounded up (away from zero): `100m` is 100.
    pub fn milli_value(&self) -> i64 {
        self.in_parts_of(1_000_000)
    }

    pub fn format(&self) -> Format {
        self.format
    }

    pub fn is_zero(&self) -> bool {
        self.nanos == 0
    }

    pub fn is_negative(&self) -> bool {
        self.nanos < 0
    }

    fn in_parts_of(&self, part: i128) -> i64 {
        let up = (self.nanos.abs() + part - 1) / part;
        let up = i64::try_from(up).unwrap_or(i64::MAX);
        if self.nanos < 0 { -up } else { up }
    }
}

impl PartialEq for Quantity {
    /// Amounts are equal whatever suffix they are written with.
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

impl Add for Quantity {
    type Output = Quantity;
    /// The sum; a zero takes the other's format.
    fn add(self, other: Quantity) -> Quantity {
        let format = if self.is_zero() { other.format } else { self.format };
        Quantity { nanos: (self.nanos + other.nanos).clamp(-MAX_NANOS, MAX_NANOS), format }
    }
}

impl Sub for Quantity {
    type Output = Quantity;
    fn sub(self, other: Quantity) -> Quantity {
        let format = if self.is_zero() { other.format } else { self.format };
        Quantity { nanos: (self.nanos - other.nanos).clamp(-MAX_NANOS, MAX_NANOS), format }
    }
}

impl fmt::Display for Quantity {
    /// The canonical form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let sign = if self.nanos < 0 { "-" } else { "" };
        let nanos = self.nanos.abs();
        if self.format == Format::BinarySi && nanos % NANO == 0 && nanos >= 1024 * NANO {
            let mut number = nanos / NANO;
            let mut power = 0;
            while number % 1024 == 0 && power < BINARY.len() - 1 {
                number /= 1024;
                power += 1;
            }
            return write!(f, "{sign}{number}{}", BINARY[power]);
        }
        let (mut number, mut power) = (nanos, 0);
        while number % 1000 == 0 && power < DECIMAL.len() - 1 {
            number /= 1000;
            power += 1;
        }
        let exponent = power as i64 * 3 - 9;
        match self.format {
            Format::DecimalExponent if exponent != 0 => write!(f, "{sign}{number}e{exponent}"),
            _ => write!(f, "{sign}{number}{}", DECIMAL[power]),
        }
    }
}

const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

/// Letters of suffixes, then a sign, then digits.
fn has_suffix_form(suffix: &str) -> bool {
    let rest = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    rest.bytes().all(|b| b.is_ascii_digit())
}

fn parse_suffix(suffix: &str) -> Option<(Scale, Format)> {
    if let Some(power) = DECIMAL.iter().position(|s| *s == suffix) {
        return Some((Scale::Ten(power as i64 * 3 - 9), Format::DecimalSi));
    }
    if let Some(power) = BINARY.iter().position(|s| *s == suffix) {
        return Some((Scale::Two(power as u32 * 10), Format::BinarySi));
    }
    let digits = suffix.strip_prefix(['e', 'E'])?;
    let exponent: i64 = digits.parse().ok()?;
    Some((Scale::Ten(exponent), Format::DecimalExponent))
}

/// `whole.fraction` times the scale, in nanos, rounded up.
fn scaled(whole: &str, fraction: &str, scale: Scale) -> i128 {
    let digits = || whole.bytes().chain(fraction.bytes()).map(|b| i128::from(b - b'0'));
    // The number is `digits · 10^-places · scale`; further digits than these cannot change a nano.
    let mut number: i128 = 0;
    let mut cut = false;
    let mut dropped: i64 = 0;
    for digit in digits() {
        if number > i128::MAX / 10_000_000_000_000_000 {
            dropped += 1;
            cut |= digit != 0;
        } else {
            number = number * 10 + digit;
        }
    }
    let mut exponent = 9 - fraction.len() as i64 + dropped;
    match scale {
        Scale::Ten(power) => exponent = exponent.saturating_add(power),
        Scale::Two(bits) => number = number.saturating_mul(1_i128 << bits),
    }
    let mut up = cut;
    while exponent < 0 && number > 0 {
        up |= number % 10 != 0;
        number /= 10;
        exponent += 1;
    }
    while exponent > 0 && number > 0 && number <= MAX_NANOS {
        number = number.saturating_mul(10);
        exponent -= 1;
    }
    number.saturating_add(i128::from(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        match Quantity::parse(text) {
            Ok(quantity) => quantity.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn quantities_are_printed_in_canonical_form() {
        for (text, expected) in [
            ("0", "0"),
            ("1.5", "1500m"),
            ("1000m", "1"),
            ("100m", "100m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Mi", "512Ki"),
            ("1000Ki", "1000Ki"),
            ("1000", "1k"),
            ("1500", "1500"),
            ("3e3", "3e3"),
            ("12E", "9223372036854775807"),
            ("-2.5", "-2500m"),
            ("0.1n", "1n"),
            ("1Ki", "1Ki"),
            ("512", "512"),
            (".5", "500m"),
            ("5.", "5"),
            ("100E-3", "100e-3"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_said_in_the_api_s_words() {
        assert_eq!(Quantity::parse(""), Err(QuantityError::Format));
        assert_eq!(Quantity::parse("two"), Err(QuantityError::Format));
        assert_eq!(Quantity::parse("1 Gi"), Err(QuantityError::Format));
        assert_eq!(Quantity::parse("1KM"), Err(QuantityError::Suffix));
        assert_eq!(Quantity::parse("1mi"), Err(QuantityError::Suffix));
        assert_eq!(Quantity::parse("1e"), Err(QuantityError::Suffix));
    }

    #[test]
    fn values_round_up_and_compare() {
        let milli = |text: &str| Quantity::parse(text).unwrap().milli_value();
        assert_eq!(milli("2"), 2000);
        assert_eq!(milli("0.0001"), 1);
        assert_eq!(Quantity::parse("1Gi").unwrap().value(), 1 << 30);
        assert_eq!(Quantity::parse("1500m").unwrap().value(), 2);
        assert!(Quantity::parse("1Gi").unwrap() > Quantity::parse("1G").unwrap());
        assert_eq!(Quantity::parse("1").unwrap(), Quantity::parse("1000m").unwrap());
        let sum = Quantity::parse("600m").unwrap() + Quantity::parse("400m").unwrap();
        assert_eq!(sum.to_string(), "1");
    }

    proptest::proptest! {
        #[test]
        fn parsing_never_panics_and_the_canonical_form_is_stable(text in "[-+]?[0-9.]{0,40}[eEinumkKMGTP]{0,3}[-+]?[0-9]{0,20}") {
            if let Ok(quantity) = Quantity::parse(&text) {
                let again = Quantity::parse(&quantity.to_string()).unwrap();
                proptest::prop_assert_eq!(again, quantity);
                proptest::prop_assert_eq!(again.to_string(), quantity.to_string());
            }
        }
    }
}
