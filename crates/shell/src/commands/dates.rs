//! GNU's `date -d`: dates, clocks, and what is said from there on (`2 days ago`, `next friday`, `+1 week`).
//!
//! Source: coreutils' manual, "Date input formats".

use super::date::moment;
use values::time::{SimTime, Span};

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What a text has said so far.
struct Said {
    date: Option<(i64, i64, i64)>,
    clock: Option<(i64, i64, i64)>,
    /// Seconds to take off for a zone.
    offset: Option<i64>,
    weekday: Option<(i64, i64)>,
    months: i64,
    seconds: i64,
}

/// The moment a text names, in UTC.
pub fn read(text: &str, now: SimTime) -> Option<SimTime> {
    let lower = text.trim().to_ascii_lowercase();
    let mut said = Said { date: None, clock: None, offset: None, weekday: None, months: 0, seconds: 0 };
    let words = words(&lower);
    let mut words = words.iter().map(String::as_str).peekable();
    let mut pending: Option<i64> = None;
    while let Some(word) = words.next() {
        if let Some(number) = signed(word) {
            if words.peek().is_some_and(|next| unit(next).is_some()) {
                pending = Some(number);
                continue;
            }
            // `4 march 2026`, `2026`, `20260304`
            if let Some(month) = words.peek().and_then(|next| month(next)) {
                words.next();
                let year = words.peek().and_then(|next| next.parse::<i64>().ok()).filter(|year| *year > 999);
                if year.is_some() {
                    words.next();
                }
                said.date = Some((year.unwrap_or_else(|| part(now, "%Y")), month, number));
                continue;
            }
            let digits = word.trim_start_matches(['+', '-']);
            match digits.len() {
                8 => {
                    said.date = Some((digits[..4].parse().ok()?, digits[4..6].parse().ok()?, digits[6..].parse().ok()?))
                }
                4 => said.clock = Some((digits[..2].parse().ok()?, digits[2..].parse().ok()?, 0)),
                1 | 2 => said.clock = Some((number, 0, 0)),
                _ => return None,
            }
            continue;
        }
        if let Some((months, seconds)) = unit(word) {
            let count = pending.take().unwrap_or(1);
            let ago = words.peek() == Some(&"ago");
            if ago {
                words.next();
            }
            let count = if ago { -count } else { count };
            said.months += months * count;
            said.seconds += seconds.saturating_mul(count);
            continue;
        }
        match word {
            "now" | "today" | "at" | "of" | "on" | "and" | "," => {}
            "yesterday" => said.seconds -= 86_400,
            "tomorrow" => said.seconds += 86_400,
            "midnight" => said.clock = Some((0, 0, 0)),
            "noon" => said.clock = Some((12, 0, 0)),
            "next" => pending = Some(1),
            "last" => pending = Some(-1),
            "this" => pending = Some(0),
            "utc" | "gmt" | "z" => said.offset = Some(0),
            "am" | "pm" => {
                let (hour, minute, second) = said.clock?;
                said.clock = Some((hour % 12 + if word == "pm" { 12 } else { 0 }, minute, second));
            }
            word if weekday(word).is_some() => {
                let which = pending.take().unwrap_or(0);
                said.weekday = Some((weekday(word)?, which));
            }
            word if month(word).is_some() => {
                let day = words.next()?.trim_end_matches(',').parse::<i64>().ok()?;
                let year = words.peek().and_then(|next| next.parse::<i64>().ok()).filter(|year| *year > 999);
                if year.is_some() {
                    words.next();
                }
                said.date = Some((year.unwrap_or_else(|| part(now, "%Y")), month(word)?, day));
            }
            word => said.item(word)?,
        }
    }
    if pending.is_some() {
        return None;
    }
    said.moment(now)
}

/// Words; a sign belongs to the number behind it.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if matches!(last.as_str(), "+" | "-") => last.push_str(word),
            _ => words.push(word.trim_end_matches(',').to_string()),
        }
    }
    // `1day`, `2weeks`, `10pm`
    words
        .into_iter()
        .flat_map(|word| {
            let start = usize::from(word.starts_with(['+', '-']));
            let len = word[start..].find(|c: char| !c.is_ascii_digit()).map_or(word.len(), |n| n + start);
            let tail = &word[len..];
            match len > start && !tail.is_empty() && (unit(tail).is_some() || matches!(tail, "am" | "pm")) {
                true => vec![word[..len].to_string(), tail.to_string()],
                false => vec![word],
            }
        })
        .collect()
}

fn signed(word: &str) -> Option<i64> {
    let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    word.trim_start_matches('+').parse().ok()
}

/// Months and seconds of a unit.
fn unit(word: &str) -> Option<(i64, i64)> {
    let word = word.trim_end_matches(',');
    Some(match word.strip_suffix('s').filter(|short| !short.is_empty()).unwrap_or(word) {
        "second" | "sec" => (0, 1),
        "minute" | "min" => (0, 60),
        "hour" => (0, 3600),
        "day" => (0, 86_400),
        "week" => (0, 604_800),
        "fortnight" => (0, 1_209_600),
        "month" => (1, 0),
        "year" => (12, 0),
        _ => return None,
    })
}

fn month(word: &str) -> Option<i64> {
    let word = word.trim_end_matches(['.', ',']);
    let full = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let short = MONTHS.iter().position(|name| *name == word);
    short.or_else(|| full.iter().position(|name| *name == word)).map(|at| at as i64 + 1)
}

fn weekday(word: &str) -> Option<i64> {
    let full = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    let short = DAYS.iter().position(|name| *name == word);
    short.or_else(|| full.iter().position(|name| *name == word)).map(|at| at as i64)
}

fn part(time: SimTime, pattern: &str) -> i64 {
    time.format(pattern).trim().parse().unwrap_or(0)
}

impl Said {
    /// `2026-03-04`, `03/04/2026`, `10:11:12`, `2026-03-04t05:06:07z`, `+02:00`
    fn item(&mut self, word: &str) -> Option<()> {
        if let Some((date, clock)) = word.split_once('t').filter(|(date, _)| date.matches('-').count() == 2) {
            self.item(date)?;
            return self.item(clock);
        }
        if word.contains(':') {
            return self.clock(word);
        }
        let mark = if word.contains('/') { '/' } else { '-' };
        let numbers: Option<Vec<i64>> = word.split(mark).map(|part| part.parse().ok()).collect();
        self.date = Some(match (mark, numbers?.as_slice()) {
            ('-', [year, month, day]) => (*year, *month, *day),
            ('/', [month, day, year]) if *month <= 12 => (if *year < 69 { 2000 + year } else { *year }, *month, *day),
            ('/', [year, month, day]) => (*year, *month, *day),
            _ => return None,
        });
        Some(())
    }

    fn clock(&mut self, word: &str) -> Option<()> {
        let end = word.find(['z', '+', '-']).unwrap_or(word.len());
        let (clock, zone) = word.split_at(end);
        let mut parts = clock.split(':');
        let mut number = || parts.next().map(|part| part.split('.').next().unwrap_or_default().parse::<i64>());
        let (hour, minute) = (number()?.ok()?, number()?.ok()?);
        let second = number().unwrap_or(Ok(0)).ok()?;
        self.clock = Some((hour, minute, second));
        if zone == "z" {
            self.offset = Some(0);
        } else if let Some(sign) = zone.chars().next() {
            let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
            let value = digits.parse::<i64>().ok()?;
            let (hours, minutes) = if digits.len() > 2 { (value / 100, value % 100) } else { (value, 0) };
            self.offset = Some((hours * 3600 + minutes * 60) * if sign == '-' { -1 } else { 1 });
        }
        Some(())
    }

    fn moment(self, now: SimTime) -> Option<SimTime> {
        let today = (part(now, "%Y"), part(now, "%m"), part(now, "%d"));
        let running = (part(now, "%H"), part(now, "%M"), part(now, "%S"));
        let date = self.date.unwrap_or(today);
        // A date or a day without a clock is its midnight.
        let starts = self.date.is_some() || self.weekday.is_some();
        let clock = self.clock.unwrap_or(if starts { (0, 0, 0) } else { running });
        let months = date.0 * 12 + date.1 - 1 + self.months;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        // The 31st of a short month is a day of the next one.
        let first = moment((year, month, 1), clock)?;
        let valid = moment(date, clock).is_some();
        if !valid {
            return None;
        }
        let mut time = first + Span::secs((date.2 - 1) * 86_400) + Span::secs(self.seconds);
        if let Some((wanted, which)) = self.weekday {
            let today = part(time, "%w");
            let mut ahead = (wanted - today).rem_euclid(7);
            if which > 0 && ahead == 0 {
                ahead = 7;
            }
            if which < 0 {
                ahead -= 7;
            }
            time += Span::secs(ahead * 86_400);
        }
        Some(time - Span::secs(self.offset.unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_moments() {
        let now = SimTime::parse_rfc3339("2026-03-04T05:06:07Z").unwrap();
        for (text, want) in [
            ("yesterday", "2026-03-03T05:06:07Z"),
            ("2026-01-31 +1 day", "2026-02-01T00:00:00Z"),
            ("2026-03-01 -1 day", "2026-02-28T00:00:00Z"),
            ("today 00:00", "2026-03-04T00:00:00Z"),
            ("now - 1 week", "2026-02-25T05:06:07Z"),
            ("2 hours ago", "2026-03-04T03:06:07Z"),
            ("next friday", "2026-03-06T00:00:00Z"),
            ("2026-03-04T05:06:07+02:00", "2026-03-04T03:06:07Z"),
            ("4 march 2026 10pm", "2026-03-04T22:00:00Z"),
            ("last month", "2026-02-04T05:06:07Z"),
        ] {
            assert_eq!(read(text, now).map(|time| time.rfc3339()), Some(want.to_string()), "{text}");
        }
        assert_eq!(read("foo", now), None);
    }
}
