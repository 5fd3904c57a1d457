//! The calendar: seconds since 1970 to year, month, day, clock and weekday, and back.
//!
//! Rule: the proleptic Gregorian calendar without leap seconds, as Go's `time` package counts. Own arithmetic in `i64`
//! instead of jiff's civil types, because those end at the year 9999 and a moment a user typed must never be a panic.

const SECONDS_PER_DAY: i64 = 86_400;
/// Days in 400 years, after which the calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01. Years are counted from March so that the leap day is the last of its year.
const EPOCH_FROM_MARCH_0000: i64 = 719_468;

/// What a clock and a calendar on a wall show.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Wall {
    pub year: i64,
    /// 1 to 12; [`Wall::to_secs`] also takes 13 and more, which run into the next year.
    pub month: i64,
    /// 1 to 31; [`Wall::to_secs`] also takes days beyond the end of the month.
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
}

impl Wall {
    /// The wall clock in UTC at this many seconds since the epoch.
    pub fn from_secs(secs: i64) -> Wall {
        let days = secs.div_euclid(SECONDS_PER_DAY);
        let clock = secs.rem_euclid(SECONDS_PER_DAY);
        let (year, month, day) = date_of(days);
        Wall { year, month, day, hour: clock / 3600, minute: clock / 60 % 60, second: clock % 60 }
    }

    /// Seconds since the epoch when a wall clock in UTC shows this. Months and days that do not exist run over into
    /// the following ones, as in Go's `time.Date`: 31 April is 1 May.
    pub fn to_secs(self) -> i64 {
        let month = self.month - 1;
        let first = days_to(self.year + month.div_euclid(12), month.rem_euclid(12) + 1);
        (first + self.day - 1) * SECONDS_PER_DAY + self.hour * 3600 + self.minute * 60 + self.second
    }

    /// Day of the week, 0 is Sunday.
    pub fn weekday(self) -> i64 {
        // 1970-01-01 was a Thursday.
        (self.to_secs().div_euclid(SECONDS_PER_DAY) + 4).rem_euclid(7)
    }

    /// 00:00:00 of the same day.
    pub fn midnight(self) -> Wall {
        Wall { hour: 0, minute: 0, second: 0, ..self }
    }
}

/// The date that is `days` after 1970-01-01.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_FROM_MARCH_0000;
    let era = days.div_euclid(DAYS_PER_ERA);
    let day_of_era = days.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March: their lengths repeat 31 30 31 30 31, which is 153 days in five months.
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to the first of a month; `month` is 1 to 12.
fn days_to(year: i64, month: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let march_month = (month + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - EPOCH_FROM_MARCH_0000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every day of eight centuries, against jiff's calendar.
    #[test]
    fn days_agree_with_jiff() {
        let mut date = jiff::civil::date(1600, 1, 1);
        let mut secs = -11_676_096_000;
        while date.year() < 2400 {
            let wall = Wall::from_secs(secs + 3_723);
            assert_eq!(
                (wall.year, wall.month, wall.day, wall.weekday()),
                (
                    date.year().into(),
                    date.month().into(),
                    date.day().into(),
                    date.weekday().to_sunday_zero_offset().into()
                )
            );
            assert_eq!((wall.hour, wall.minute, wall.second), (1, 2, 3));
            assert_eq!(wall.to_secs(), secs + 3_723);
            date = date.tomorrow().unwrap();
            secs += SECONDS_PER_DAY;
        }
    }

    #[test]
    fn dates_that_do_not_exist_run_over() {
        let at = |year, month, day| Wall { year, month, day, hour: 0, minute: 0, second: 0 };
        for (given, real) in [
            (at(2026, 4, 31), at(2026, 5, 1)),
            (at(2026, 12, 32), at(2027, 1, 1)),
            (at(2026, 13, 1), at(2027, 1, 1)),
            (at(2028, 2, 30), at(2028, 3, 1)),
        ] {
            assert_eq!(Wall::from_secs(given.to_secs()), real);
        }
    }

    #[test]
    fn any_moment_of_the_virtual_clock_has_a_date() {
        for ms in [i64::MIN, -1, 0, i64::MAX] {
            let secs = ms.div_euclid(1000);
            assert_eq!(Wall::from_secs(secs).to_secs(), secs);
        }
    }
}
