//! When a schedule comes due next.
//!
//! Rule: `SpecSchedule.Next` of robfig/cron v3.0.1 (`spec.go`), whose steps are kept because they decide what happens
//! when clocks change: months and days advance on the calendar, hours and minutes in real time. So a time in a skipped
//! hour does not come that day, one in a repeated hour comes twice, and a day without midnight is entered as below.

use super::Fields;
use crate::zone::{Wall, Zone};

const HOUR: i64 = 3600;
const MINUTE: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// How many years after the one it starts in the search gives up.
const YEARS: i64 = 5;

/// The first whole second after `after` (seconds since the epoch) that the fields match in the zone.
pub(super) fn search(fields: &Fields, after: i64, zone: &Zone) -> Option<i64> {
    if fields.never_match() {
        return None;
    }
    let mut search = Search { fields, zone, at: after + 1, wall: zone.wall(after + 1), moved: false };
    let last_year = search.wall.year + YEARS;
    while search.wall.year <= last_year {
        let fits = search.find_month()
            && search.find_day()
            && search.find_hour()
            && search.find_minute()
            && search.find_second();
        if fits {
            return Some(search.at);
        }
    }
    None
}

impl Fields {
    /// Whether no moment can match because a field is empty. The library would search its five years in vain.
    fn never_match(&self) -> bool {
        let no_day = match self.days_must_agree() {
            true => self.day_of_month.is_empty() || self.day_of_week.is_empty(),
            false => self.day_of_month.is_empty() && self.day_of_week.is_empty(),
        };
        no_day || self.minute.is_empty() || self.hour.is_empty() || self.month.is_empty()
    }

    /// With a star in either day field both must match, else one is enough.
    fn days_must_agree(&self) -> bool {
        self.day_of_month.has_star() || self.day_of_week.has_star()
    }

    fn match_day(&self, wall: Wall) -> bool {
        let by_month = self.day_of_month.matches(wall.day);
        let by_week = self.day_of_week.matches(wall.weekday());
        if self.days_must_agree() { by_month && by_week } else { by_month || by_week }
    }
}

/// Where the search is. Each `find_` moves on until its field matches; it gives false where the larger field has
/// turned over, so that all must be looked at again from the month on.
struct Search<'a> {
    fields: &'a Fields,
    zone: &'a Zone,
    /// Seconds since the epoch, and what the wall clock shows then.
    at: i64,
    wall: Wall,
    /// Whether any field was advanced. Before the first advance the smaller fields go back to their beginning.
    moved: bool,
}

impl Search<'_> {
    fn go_to(&mut self, at: i64) {
        self.at = at;
        self.wall = self.zone.wall(at);
    }

    fn go_to_wall(&mut self, wall: Wall) {
        self.go_to(self.zone.instant(wall));
    }

    /// The library steps by one unit (in seconds) until the number it waits for is shown. If the offset is the same that
    /// many units ahead, the clocks do not change on the way (they never do twice within a day) and one leap gets there.
    fn advance(&mut self, units: i64, unit_secs: i64) {
        let ahead = self.at + units * unit_secs;
        let same_offset = self.zone.offset_secs(ahead) == self.wall.to_secs() - self.at;
        self.go_to(if same_offset { ahead } else { self.at + unit_secs });
    }

    /// Before the first advance: back to `wall`, the beginning of the field that is advanced.
    fn begin(&mut self, wall: Wall) {
        if !self.moved {
            self.moved = true;
            self.go_to_wall(wall);
        }
    }

    fn find_month(&mut self) -> bool {
        while !self.fields.month.matches(self.wall.month) {
            self.begin(Wall { day: 1, ..self.wall.midnight() });
            self.go_to_wall(Wall { month: self.wall.month + 1, ..self.wall });
            if self.wall.month == 1 {
                return false;
            }
        }
        true
    }

    fn find_day(&mut self) -> bool {
        while !self.fields.match_day(self.wall) {
            self.begin(self.wall.midnight());
            let before = self.at;
            self.go_to_wall(Wall { day: self.wall.day + 1, ..self.wall });
            if self.at <= before {
                // A whole day was left out (Samoa, 30 December 2011). The library never gets past it; we do.
                self.go_to(before + DAY);
            }
            // Where midnight does not exist, the library lands at 23 or 1 o'clock and corrects by that many hours.
            match self.wall.hour {
                0 => {}
                hour @ 13.. => self.go_to(self.at + (24 - hour) * HOUR),
                hour => self.go_to(self.at - hour * HOUR),
            }
            if self.wall.day == 1 {
                return false;
            }
        }
        true
    }

    fn find_hour(&mut self) -> bool {
        while !self.fields.hour.matches(self.wall.hour) {
            self.begin(Wall { minute: 0, second: 0, ..self.wall });
            let hour = self.wall.hour;
            self.advance(self.fields.hour.after(hour).unwrap_or(24) - hour, HOUR);
            if self.wall.hour == 0 {
                return false;
            }
        }
        true
    }

    fn find_minute(&mut self) -> bool {
        while !self.fields.minute.matches(self.wall.minute) {
            if !self.moved {
                self.moved = true;
                // Whole minutes of UTC, not of the wall clock: they differed where offsets had seconds.
                self.go_to(self.at.div_euclid(MINUTE) * MINUTE);
            }
            let minute = self.wall.minute;
            self.advance(self.fields.minute.after(minute).unwrap_or(60) - minute, MINUTE);
            if self.wall.minute == 0 {
                return false;
            }
        }
        true
    }

    /// The language has no seconds: a schedule is due at second 0.
    fn find_second(&mut self) -> bool {
        while self.wall.second != 0 {
            self.moved = true;
            self.advance(60 - self.wall.second, 1);
            if self.wall.second == 0 {
                return false;
            }
        }
        true
    }
}
