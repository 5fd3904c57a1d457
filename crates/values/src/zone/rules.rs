//! The rules of the tz database's zones, read and asked by jiff: a part of the engine, see `values::part`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wasm_split_helpers::wasm_split;

use crate::part::{self, NotFetched};

/// What can be done with a zone's rules.
pub struct Rules {
    /// Reads a zone by its name and its compiled file (RFC 9636); none if it is malformed.
    pub read: fn(&str, &[u8]) -> Option<TimeZone>,
    /// Seconds that local time is ahead of UTC at this many seconds since the epoch.
    pub offset_secs: fn(&TimeZone, i64) -> i64,
}

static RULES: Rules = Rules { read: |name, file| TimeZone::tzif(name, file).ok(), offset_secs };

/// The functions of this part.
///
/// # Errors
/// They could not be fetched.
#[wasm_split(zones, fallible)]
pub fn rules() -> Result<&'static Rules, NotFetched> {
    Ok(&RULES)
}

/// The functions of this part, which the host has fetched.
pub(super) fn fetched() -> &'static Rules {
    part::fetched(rules())
}

fn offset_secs(rules: &TimeZone, secs: i64) -> i64 {
    // Before and after the years jiff knows (-9999 to 9999), the zone stays as it is at their ends.
    let (min, max) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    let at = Timestamp::from_second(secs.clamp(min, max)).unwrap_or(Timestamp::UNIX_EPOCH);
    rules.to_offset(at).seconds().into()
}
