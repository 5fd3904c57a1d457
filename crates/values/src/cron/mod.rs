//! The schedule language of CronJobs, and when a schedule comes due.
//!
//! Rule: robfig/cron v3.0.1, `ParseStandard` (`parser.go`), `SpecSchedule.Next` (`spec.go`) and `ConstantDelaySchedule`
//! (`constantdelay.go`), called as `pkg/util/parsers/parsers.go` of Kubernetes does, which turns the library's panic on
//! a `TZ=` without a space into an error.

use std::fmt;

use crate::time::SimTime;
use crate::zone::{Zone, ZoneTable};

mod next;
mod parse;

/// A schedule as parsed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    kind: Kind,
    /// The zone of a `TZ=` or `CRON_TZ=` in front; it goes before the zone given to [`Schedule::next`].
    zone: Option<Zone>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    Fields(Fields),
    /// `@every`: so many seconds after the moment asked from, at least 1.
    EverySecs(i64),
}

/// The five fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fields {
    pub minute: Field,
    pub hour: Field,
    pub day_of_month: Field,
    pub month: Field,
    pub day_of_week: Field,
}

/// The numbers one field matches.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Field {
    /// Bit n is set if n matches.
    bits: u64,
    /// Whether a `*` or `?` with step 1 is among its parts. Decides how the two day fields combine.
    star: bool,
}

impl Field {
    pub fn matches(self, number: i64) -> bool {
        (0..64).contains(&number) && self.bits >> number & 1 == 1
    }

    /// The smallest number it matches above this one.
    fn after(self, number: i64) -> Option<i64> {
        let above = self.bits & (u64::MAX << number << 1);
        (above != 0).then(|| i64::from(above.trailing_zeros()))
    }

    /// Whether it matches nothing, as the field `,` does.
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    pub fn has_star(self) -> bool {
        self.star
    }

    /// All numbers it matches, rising.
    pub fn values(self) -> impl Iterator<Item = i64> {
        (0..64).filter(move |number| self.matches(*number))
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.star { "*" } else { "" })?;
        f.debug_set().entries(self.values()).finish()
    }
}

/// Text that is no schedule; displays as the library's error does, which Kubernetes shows to the user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CronError(String);

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CronError {}

impl Schedule {
    /// Parses five fields, a descriptor such as `@daily`, or `@every` with a Go duration; before them may stand
    /// `TZ=` or `CRON_TZ=` with a zone of the table. For a CronJob with a `timeZone` the controller parses
    /// `TZ=<timeZone> <schedule>`.
    ///
    /// # Errors
    /// The library's first complaint, in its words.
    pub fn parse(text: &str, zones: &ZoneTable) -> Result<Schedule, CronError> {
        parse::schedule(text, zones)
    }

    /// The first moment strictly after `after` at which the schedule is due, on a whole second. `zone` is that of the
    /// machine, UTC for a control plane; a zone in the schedule itself goes before it. `None` if the schedule does not
    /// come due within about five years, as 31 February.
    pub fn next(&self, after: SimTime, zone: &Zone) -> Option<SimTime> {
        let secs = match &self.kind {
            Kind::EverySecs(delay) => after.secs().checked_add(*delay)?,
            Kind::Fields(fields) => next::search(fields, after.secs(), self.zone.as_ref().unwrap_or(zone))?,
        };
        // The virtual clock counts milliseconds and ends before the seconds do.
        secs.checked_mul(1000).map(SimTime::from_millis)
    }

    /// The zone that stands in the schedule.
    pub fn zone(&self) -> Option<&Zone> {
        self.zone.as_ref()
    }

    /// The fields, unless it is an `@every`.
    pub fn fields(&self) -> Option<&Fields> {
        match &self.kind {
            Kind::Fields(fields) => Some(fields),
            Kind::EverySecs(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
