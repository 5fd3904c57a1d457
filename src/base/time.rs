//! Time as data: an instant on the virtual wall clock and a span, both in whole milliseconds.
//!
//! Rule: objects carry times as Kubernetes writes them (`metav1.Time`: RFC 3339, whole seconds, UTC, cut and
//! not rounded; `metav1.MicroTime`: six digits). Nothing here asks the machine what time it is.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::strftime::strftime;
use super::zone::Wall;

/// A moment on the virtual wall clock: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SimTime(i64);

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
        if !(0..=9999).contains(&wall.year) {
            return read(&self.format("%Y-%m-%dT%H:%M:%SZ"));
        }
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
        let (min, max) = (jiff::Timestamp::MIN.as_millisecond(), jiff::Timestamp::MAX.as_millisecond());
        SimTime(self.0.clamp(min, max))
    }

    /// Reads RFC 3339 with any offset. `None` if the text is not such a time.
    pub fn parse_rfc3339(text: &str) -> Option<SimTime> {
        let own = || text.as_bytes().try_into().ok().and_then(parse_plain);
        own().or_else(|| text.parse::<jiff::Timestamp>().ok().map(|t| SimTime(t.as_millisecond())))
    }
}

/// Reads `2026-11-21T08:00:00Z`, as the API writes times. `None` for all that needs a closer look, like the end of a month.
fn parse_plain(text: &[u8; 20]) -> Option<SimTime> {
    let form = text.iter().zip(b"dddd-dd-ddTdd:dd:ddZ");
    if !form.into_iter().all(|(byte, form)| if *form == b'd' { byte.is_ascii_digit() } else { byte == form }) {
        return None;
    }
    let number =
        |digits: std::ops::Range<usize>| text[digits].iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0'));
    let wall = Wall {
        year: number(0..4),
        month: number(5..7),
        day: number(8..10),
        hour: number(11..13),
        minute: number(14..16),
        second: number(17..19),
    };
    let plain = (1..=12).contains(&wall.month)
        && (1..=28).contains(&wall.day)
        && wall.hour < 24
        && wall.minute < 60
        && wall.second < 60;
    plain.then(|| SimTime::from_secs(wall.to_secs()))
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

impl Serialize for SimTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_rfc3339(|text| serializer.serialize_str(text))
    }
}

impl<'de> Deserialize<'de> for SimTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SimTime, D::Error> {
        deserializer.deserialize_str(Rfc3339)
    }
}

struct Rfc3339;

impl Visitor<'_> for Rfc3339 {
    type Value = SimTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 time")
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SimTime, E> {
        SimTime::parse_rfc3339(text).ok_or_else(|| E::custom("not an RFC 3339 time"))
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
        assert_eq!(SimTime::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn times_read_and_written_by_hand_are_those_of_the_library() {
        for seconds in (-70_000_000_000..260_000_000_000).step_by(998_244_353) {
            let time = SimTime::from_secs(seconds);
            assert_eq!(time.rfc3339(), time.format("%Y-%m-%dT%H:%M:%SZ"));
            let library = time.rfc3339().parse::<jiff::Timestamp>().ok().map(|t| SimTime(t.as_millisecond()));
            assert_eq!(SimTime::parse_rfc3339(&time.rfc3339()), library);
        }
        for odd in ["2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z"] {
            let library = odd.parse::<jiff::Timestamp>().ok().map(|t| SimTime(t.as_millisecond()));
            assert_eq!(SimTime::parse_rfc3339(odd), library, "{odd}");
        }
        assert_eq!(SimTime::parse_rfc3339("2026-02-28T23:59:59Z").unwrap().rfc3339(), "2026-02-28T23:59:59Z");
    }

    #[test]
    fn spans_saturate() {
        assert_eq!(Span::secs(i64::MAX), Span::MAX);
        assert!((SimTime::from_secs(1) + Span::MAX) > SimTime::from_secs(1));
        assert_eq!(Span::ms(-1).as_secs(), -1);
    }
}
