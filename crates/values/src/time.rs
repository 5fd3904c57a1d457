//! Time as data: an instant on the virtual wall clock and a span, both in whole milliseconds.
//!
//! Rule: objects carry times as Kubernetes writes them (`metav1.Time`: RFC 3339, whole seconds, UTC, cut and
//! not rounded; `metav1.MicroTime`: six digits). Nothing here asks the machine what time it is.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use super::strftime::strftime;
use super::zone::Wall;

/// A moment on the virtual wall clock: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SimTime(i64);

/// 0000-01-01T00:00:00Z, the first moment RFC 3339 can name.
const FIRST_NAMED_MS: i64 = -62_167_219_200_000;
/// 9999-12-31T23:59:59.999Z, the last one.
const LAST_NAMED_MS: i64 = 253_402_300_799_999;

/// A length of time in milliseconds; may be negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span(i64);

impl Span {
    pub const ZERO: Span = Span(0);
    pub const MAX: Span = Span(i64::MAX / 4);

    pub const fn ms(ms: i64) -> Span {
        Span(ms)
    }

    /// Whole seconds; huge counts (a user's `activeDeadlineSeconds`) saturate instead of overflowing.
    pub const fn secs(seconds: i64) -> Span {
        let ms = seconds.saturating_mul(1000);
        if ms > Span::MAX.0 { Span::MAX } else { Span(ms) }
    }

    pub const fn mins(minutes: i64) -> Span {
        Span::secs(minutes.saturating_mul(60))
    }

    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// Whole seconds, cut towards minus infinity.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    pub fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl SimTime {
    pub const EPOCH: SimTime = SimTime(0);

    pub const fn from_millis(ms: i64) -> SimTime {
        SimTime(ms)
    }

    pub const fn from_secs(seconds: i64) -> SimTime {
        SimTime(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, cut.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment with its milliseconds cut off, as the API stores it.
    pub const fn whole_second(self) -> SimTime {
        SimTime(self.secs() * 1000)
    }

    /// `self - earlier`; negative if `earlier` is later.
    pub fn since(self, earlier: SimTime) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// `2026-11-21T08:00:00Z`
    pub fn rfc3339(self) -> String {
        self.with_rfc3339(str::to_owned)
    }

    /// Calls `read` with `2026-11-21T08:00:00Z`. Every object carries several such times, so they are written by hand.
    pub fn with_rfc3339<R>(self, read: impl FnOnce(&str) -> R) -> R {
        let wall = Wall::from_secs(self.nameable().secs());
        let mut text = *b"0000-00-00T00:00:00Z";
        let parts = [wall.year, wall.month, wall.day, wall.hour, wall.minute, wall.second];
        for (last_digit, mut number) in [3, 6, 9, 12, 15, 18].into_iter().zip(parts) {
            for digit in text[..=last_digit].iter_mut().rev().take_while(|byte| byte.is_ascii_digit()) {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        }
        read(std::str::from_utf8(&text).expect("digits and separators"))
    }

    /// `2026-11-21T08:00:00.123000Z`, as events of the new API carry it.
    pub fn rfc3339_micro(self) -> String {
        let ms = self.0.rem_euclid(1000);
        self.with_rfc3339(|text| format!("{}.{ms:03}000Z", text.trim_end_matches('Z')))
    }

    /// The moment in UTC, by a `strftime` pattern; moments that no RFC 3339 time can name (after the year 9999) are
    /// held at the last that can.
    pub fn format(self, pattern: &str) -> String {
        strftime(self.nameable(), pattern)
    }

    /// The nearest moment that RFC 3339 can name.
    fn nameable(self) -> SimTime {
        SimTime(self.0.clamp(FIRST_NAMED_MS, LAST_NAMED_MS))
    }

    /// Reads RFC 3339 with any offset, as Go's `time.Parse(time.RFC3339, …)`: capital `T` and `Z`, no second 60. Parts of
    /// a second below a millisecond are cut off. `None` if the text is not such a time.
    pub fn parse_rfc3339(text: &str) -> Option<SimTime> {
        let (date, rest) = text.split_at_checked(19)?;
        let number = |from: usize, digits: usize, max: i64| {
            let digits = date.get(from..from + digits)?;
            whole(digits).filter(|number| *number <= max)
        };
        let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if separators.iter().any(|(at, byte)| date.as_bytes()[*at] != *byte) {
            return None;
        }
        let (year, month, day) = (number(0, 4, 9999)?, number(5, 2, 12)?, number(8, 2, 31)?);
        let (hour, minute, second) = (number(11, 2, 23)?, number(14, 2, 59)?, number(17, 2, 59)?);
        let wall = Wall { year, month, day, hour, minute, second };
        // A day that the month does not have would run over into the next.
        let secs = Some(wall.to_secs()).filter(|secs| Wall::from_secs(*secs) == wall)?;
        let (ms, zone) = fraction_ms(rest)?;
        Some(SimTime((secs - offset_secs(zone)?) * 1000 + ms))
    }
}

/// Digits and nothing else, as a number.
fn whole(digits: &str) -> Option<i64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// The milliseconds of `.123456`, if there is a fraction, and what stands behind it.
fn fraction_ms(text: &str) -> Option<(i64, &str)> {
    let Some(digits) = text.strip_prefix(['.', ',']) else { return Some((0, text)) };
    let end = digits.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
    let ms = digits[..end].bytes().chain(*b"000").take(3).fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0'));
    Some((ms, &digits[end..]))
}

/// Seconds ahead of UTC: `Z`, `+01:00`.
fn offset_secs(zone: &str) -> Option<i64> {
    let sign = match zone.bytes().next()? {
        b'Z' => return (zone.len() == 1).then_some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    let two = |digits: &str| whole(digits).filter(|_| digits.len() == 2);
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours <= 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60)
}

impl Add<Span> for SimTime {
    type Output = SimTime;
    fn add(self, span: Span) -> SimTime {
        SimTime(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for SimTime {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub<Span> for SimTime {
    type Output = SimTime;
    fn sub(self, span: Span) -> SimTime {
        SimTime(self.0.saturating_sub(span.0))
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_rfc3339(|text| f.write_str(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_api_writes_them() {
        let t = SimTime::parse_rfc3339("2026-11-21T09:00:00.987+01:00").unwrap();
        assert_eq!(t.rfc3339(), "2026-11-21T08:00:00Z");
        assert_eq!(t.rfc3339_micro(), "2026-11-21T08:00:00.987000Z");
        assert_eq!(t.whole_second().millis() % 1000, 0);
    }

    #[test]
    fn times_are_read_as_go_reads_them() {
        for (text, ms) in [
            ("1970-01-01T00:00:01Z", Some(1000)),
            ("1970-01-01T00:00:01,5Z", Some(1500)),
            ("1970-01-01T00:00:00.0009999Z", Some(0)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("1969-12-31T18:30:00-05:30", Some(0)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800_000)),
            ("2026-02-29T00:00:00Z", None),
            ("2026-11-21T24:00:00Z", None),
            ("2026-11-21T23:59:60Z", None),
            ("2026-00-21T00:00:00Z", None),
            ("2026-11-21t00:00:00Z", None),
            ("2026-11-21T00:00:00z", None),
            ("2026-11-21T00:00:00", None),
            ("2026-11-21T00:00:00.Z", None),
            ("2026-11-21T00:00:00+1:00", None),
            ("2026-11-21T00:00:00+01:60", None),
            ("+026-11-21T00:00:00Z", None),
            ("2026-11-21T00:00:0éZ", None),
            ("yesterday", None),
        ] {
            assert_eq!(SimTime::parse_rfc3339(text).map(SimTime::millis), ms, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_again_and_jiff_agrees(ms in FIRST_NAMED_MS..LAST_NAMED_MS) {
            let at = SimTime(ms);
            let micro = at.rfc3339_micro();
            proptest::prop_assert_eq!(SimTime::parse_rfc3339(&micro), Some(at));
            let jiff: jiff::Timestamp = micro.parse().unwrap();
            proptest::prop_assert_eq!(jiff.as_millisecond(), ms);
            proptest::prop_assert_eq!(at.rfc3339(), at.format("%Y-%m-%dT%H:%M:%SZ"));
        }
    }

    #[test]
    fn spans_saturate() {
        assert_eq!(Span::secs(i64::MAX), Span::MAX);
        assert!((SimTime::from_secs(1) + Span::MAX) > SimTime::from_secs(1));
        assert_eq!(Span::ms(-1).as_secs(), -1);
    }
}
