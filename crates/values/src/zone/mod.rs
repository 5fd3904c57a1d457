//! Time zones: loading one by name, and wall time to instant and back as Go counts them.
//!
//! Rule: names and errors are those of Go's `time.LoadLocation` (`src/time/zoneinfo.go`), the check of a `timeZone` field
//! is `validateTimeZone` of `pkg/apis/batch/validation/validation.go`, and a wall time that a change of the clocks skips
//! or repeats becomes the instant Go's `time.Date` picks, because schedules depend on it.

use std::fmt;
use std::rc::Rc;

use jiff::tz::TimeZone;

use crate::time::SimTime;

#[cfg(not(target_family = "wasm"))]
mod pack;
mod rules;
mod table;
mod wall;

#[cfg(not(target_family = "wasm"))]
pub use pack::pack;
pub use rules::{Rules, rules};
pub use table::{BadTable, ZoneTable};
pub use wall::Wall;

/// A time zone: UTC or one of the tz database. Cheap to clone.
///
/// Any zone but UTC needs the part [`rules`].
#[derive(Clone)]
pub struct Zone {
    /// Name and rules; none for UTC.
    rules: Option<(Rc<str>, TimeZone)>,
}

/// Why a zone could not be loaded; displays as Go's error does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ZoneError {
    /// No zone of that name is in the table.
    Unknown(String),
    /// The table is empty, so nothing can be said about the name yet. Displays as `Unknown` does, which is what Go
    /// says on a machine without a table.
    NoTable(String),
    /// A name that cannot be one: it has `..` in it, or begins with a slash or backslash.
    InvalidName,
    /// The name of a folder of zones, such as `Europe`.
    Folder,
    /// The table's rules for the zone cannot be read.
    Malformed,
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ZoneError::Unknown(name) | ZoneError::NoTable(name) => write!(f, "unknown time zone {name}"),
            ZoneError::InvalidName => f.write_str("time: invalid location name"),
            ZoneError::Folder => f.write_str("is a directory"),
            ZoneError::Malformed => f.write_str("malformed time zone information"),
        }
    }
}

impl std::error::Error for ZoneError {}

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Zone = Zone { rules: None };

    /// The zone of that name; the empty name and `UTC` are UTC with any table. So is `Local`, the zone of the machine
    /// the control plane runs on.
    ///
    /// # Errors
    /// As `time.LoadLocation`, see [`ZoneError`].
    pub fn load(name: &str, table: &ZoneTable) -> Result<Zone, ZoneError> {
        if matches!(name, "" | "UTC" | "Local") {
            return Ok(Zone::UTC);
        }
        if name.contains("..") || name.starts_with(['/', '\\']) {
            return Err(ZoneError::InvalidName);
        }
        match table.rules(name) {
            Some(file) => match (rules::fetched().read)(name, file) {
                Some(rules) => Ok(Zone { rules: Some((name.into(), rules)) }),
                None => Err(ZoneError::Malformed),
            },
            None if table.is_empty() => Err(ZoneError::NoTable(name.to_string())),
            None if is_folder(name, table) => Err(ZoneError::Folder),
            None => Err(ZoneError::Unknown(name.to_string())),
        }
    }

    /// The name it was loaded by; `UTC` for UTC.
    pub fn name(&self) -> &str {
        self.rules.as_ref().map_or("UTC", |(name, _)| name)
    }

    /// Seconds that local time is ahead of UTC at this many seconds since the epoch.
    pub fn offset_secs(&self, secs: i64) -> i64 {
        self.rules.as_ref().map_or(0, |(_, zone)| (rules::fetched().offset_secs)(zone, secs))
    }

    /// What the wall clock shows at this many seconds since the epoch.
    pub fn wall(&self, secs: i64) -> Wall {
        Wall::from_secs(secs + self.offset_secs(secs))
    }

    /// Seconds since the epoch when the wall clock shows this, as Go's `time.Date` picks them.
    ///
    /// Go reads the wall time as if it were UTC, takes the offset valid then, and corrects once. West of Greenwich that
    /// gives the first of two repeated times and, for a skipped one, the time before the gap; east of it the second
    /// of two and the time after the gap.
    pub fn instant(&self, wall: Wall) -> i64 {
        let as_utc = wall.to_secs();
        match self.offset_secs(as_utc) {
            0 => as_utc,
            guess => as_utc - self.offset_secs(as_utc - guess),
        }
    }

    /// The moment with the zone's offset, as Go's `time.RFC3339` layout: `2026-11-21T09:00:00+01:00`, and `Z` whenever
    /// the offset is zero.
    pub fn rfc3339(&self, at: SimTime) -> String {
        let offset = self.offset_secs(at.secs());
        let Wall { year, month, day, hour, minute, second } = Wall::from_secs(at.secs() + offset);
        let local = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        if offset == 0 {
            return local + "Z";
        }
        let sign = if offset < 0 { '-' } else { '+' };
        let minutes = offset.abs() / 60;
        format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl Default for Zone {
    fn default() -> Zone {
        Zone::UTC
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

/// Go finds zones as files, and says so when the name is one of their folders.
fn is_folder(name: &str, table: &ZoneTable) -> bool {
    let folder = format!("{}/", name.trim_end_matches('/'));
    table.names().iter().any(|known| known.starts_with(&folder))
}

/// Whether a manifest or a command may name a time zone: `timeZone:`, or `TZ=` in a schedule.
pub fn may_be_named_in(text: &str) -> bool {
    text.contains("timeZone") || text.contains("TZ=")
}

/// What the API server says about the value of a `timeZone` field, in its order; empty if it is good.
pub fn check_time_zone(name: &str, table: &ZoneTable) -> Vec<String> {
    if name.is_empty() {
        return vec!["timeZone must be nil or non-empty string".to_string()];
    }
    if !name.split('/').all(is_name_part) {
        return vec![ZoneError::Unknown(name.to_string()).to_string()];
    }
    let mut errors = Vec::new();
    if name.eq_ignore_ascii_case("Local") {
        errors.push("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones".to_string());
    }
    errors.extend(Zone::load(name, table).err().map(|error| error.to_string()));
    errors
}

/// Whether this is a file name that the tz database's own guidelines (its `theory` page) allow in a zone's name.
fn is_name_part(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+');
    (1..=14).contains(&part.len()) && part.bytes().all(allowed) && !part.starts_with('-') && !matches!(part, "." | "..")
}

#[cfg(test)]
mod tests;
