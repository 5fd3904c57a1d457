//! Times in UTC by a `strftime` pattern, in English.
//!
//! Rule: POSIX `strftime` in the C locale with GNU's padding flags (`%-d` none, `%_d` spaces, `%0e` zeros), for the
//! conversions of a date, a clock and a week. Own lines instead of jiff's printer, which the page would have to carry
//! together with the texts of all its errors.

use super::time::SimTime;
use super::zone::Wall;

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const SECONDS_PER_DAY: i64 = 86_400;

/// `time` by `pattern`; a conversion that is not known stays as it is written.
pub(super) fn strftime(time: SimTime, pattern: &str) -> String {
    let wall = Wall::from_secs(time.secs());
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut flag = None;
        let mut letter = chars.next();
        if let Some('-' | '_' | '0') = letter {
            flag = letter;
            letter = chars.next();
        }
        match letter {
            Some('%') | None => out.push('%'),
            Some(letter) => convert(&mut out, wall, flag, letter),
        }
    }
    out
}

/// Writes one conversion.
fn convert(out: &mut String, wall: Wall, flag: Option<char>, letter: char) {
    let half_day = (wall.hour + 11) % 12 + 1;
    let afternoon = wall.hour >= 12;
    let week_from = |first: i64| (day_of_year(wall) + 7 - (wall.weekday() - first).rem_euclid(7)) / 7;
    let (number, width, pad) = match letter {
        'a' => return out.push_str(&DAYS[wall.weekday() as usize][..3]),
        'A' => return out.push_str(DAYS[wall.weekday() as usize]),
        'b' | 'h' => return out.push_str(&MONTHS[wall.month as usize - 1][..3]),
        'B' => return out.push_str(MONTHS[wall.month as usize - 1]),
        'p' => return out.push_str(if afternoon { "PM" } else { "AM" }),
        'P' => return out.push_str(if afternoon { "pm" } else { "am" }),
        'F' => return parts(out, wall, "Y-m-d"),
        'D' => return parts(out, wall, "m/d/y"),
        'T' => return parts(out, wall, "H:M:S"),
        'R' => return parts(out, wall, "H:M"),
        'Y' => (wall.year, 4, '0'),
        'C' => (wall.year.div_euclid(100), 2, '0'),
        'y' => (wall.year.rem_euclid(100), 2, '0'),
        'G' => (iso_week(wall).0, 4, '0'),
        'V' => (iso_week(wall).1, 2, '0'),
        'U' => (week_from(0), 2, '0'),
        'W' => (week_from(1), 2, '0'),
        'm' => (wall.month, 2, '0'),
        'd' => (wall.day, 2, '0'),
        'e' => (wall.day, 2, ' '),
        'j' => (day_of_year(wall) + 1, 3, '0'),
        'u' => ((wall.weekday() + 6) % 7 + 1, 1, '0'),
        'w' => (wall.weekday(), 1, '0'),
        'H' => (wall.hour, 2, '0'),
        'k' => (wall.hour, 2, ' '),
        'I' => (half_day, 2, '0'),
        'l' => (half_day, 2, ' '),
        'M' => (wall.minute, 2, '0'),
        'S' => (wall.second, 2, '0'),
        unknown => {
            out.push('%');
            out.extend(flag);
            return out.push(unknown);
        }
    };
    let sign = if number < 0 { "-" } else { "" };
    let digits = number.unsigned_abs();
    out.push_str(&match flag.unwrap_or(pad) {
        '-' => format!("{sign}{digits}"),
        '0' => format!("{sign}{digits:0width$}"),
        _ => format!("{sign}{digits:width$}"),
    });
}

/// Writes conversions with what stands between them: `H:M` is `%H:%M`.
fn parts(out: &mut String, wall: Wall, pattern: &str) {
    for c in pattern.chars() {
        if c.is_ascii_alphabetic() { convert(out, wall, None, c) } else { out.push(c) }
    }
}

/// Days since the first of January.
fn day_of_year(wall: Wall) -> i64 {
    let first = Wall { month: 1, day: 1, ..wall };
    (wall.to_secs() - first.to_secs()) / SECONDS_PER_DAY
}

/// Year and number of the ISO 8601 week: the week belongs to the year of its Thursday.
fn iso_week(wall: Wall) -> (i64, i64) {
    let days_to_thursday = 3 - (wall.weekday() + 6) % 7;
    let thursday = Wall::from_secs(wall.to_secs() + days_to_thursday * SECONDS_PER_DAY);
    (thursday.year, day_of_year(thursday) / 7 + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unknown_conversions_stay() {
        let time = SimTime::from_secs(0);
        assert_eq!(strftime(time, "%Y%% %Q %_Q %"), "1970% %Q %_Q %");
        assert_eq!(strftime(time, "%-d|%_d|%0e|%_H|%-j"), "1| 1|01| 0|1");
    }

    // From the year 1000 on: before, jiff writes the century with one digit where POSIX has two.
    proptest! {
        #[test]
        fn every_conversion_is_as_jiff_has_it(secs in -30_600_000_000_i64..250_000_000_000) {
            let jiff = jiff::Timestamp::from_second(secs).unwrap();
            for letter in "YmdHMSjaAbBeyCFTDRpIlkuwhPUWVG".chars() {
                for flag in ["", "-", "_", "0"] {
                    let pattern = format!("%{flag}{letter}");
                    let own = strftime(SimTime::from_secs(secs), &pattern);
                    prop_assert_eq!(own, jiff.strftime(&pattern).to_string(), "{} at {}", pattern, secs);
                }
            }
        }
    }
}
