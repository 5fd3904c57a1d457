//! jq's times: seconds, and "broken down time" (year, month from 0, day, hour, minute, second, weekday, day of the year).

use super::json::Json;
use super::machine::{Failure, error};
#[cfg(test)]
use super::paths::described;
use values::time::SimTime;

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
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Days since 1970 of a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn parts(input: &Json) -> Result<Vec<f64>, Failure> {
    let Json::Array(items) = input else {
        return error("mktime requires array of 6 numbers".to_owned());
    };
    let numbers: Option<Vec<f64>> = items.iter().map(Json::as_number).collect();
    match numbers {
        Some(numbers) if numbers.len() >= 6 => Ok(numbers),
        _ if items.len() < 6 => error("mktime requires array of 6 numbers".to_owned()),
        _ => error("mktime requires parsed datetime inputs".to_owned()),
    }
}

fn seconds(parts: &[f64]) -> f64 {
    let whole = |n: usize| parts[n].floor() as i64;
    let days = days(whole(0), whole(1) + 1, whole(2));
    (days * 86_400 + whole(3) * 3600 + whole(4) * 60) as f64 + parts[5]
}

pub fn mktime(input: &Json) -> Result<Json, Failure> {
    Ok(Json::Number(seconds(&parts(input)?).floor()))
}

pub fn gmtime(input: &Json) -> Result<Json, Failure> {
    let Some(at) = input.as_number() else { return error("gmtime() requires a number".to_owned()) };
    let time = SimTime::from_secs(at.floor() as i64);
    let number = |pattern: &str| time.format(pattern).trim().parse::<f64>().unwrap_or(0.0);
    let second = number("%S") + (at - at.floor());
    let broken = [
        number("%Y"),
        number("%m") - 1.0,
        number("%d"),
        number("%H"),
        number("%M"),
        second,
        number("%w"),
        number("%j") - 1.0,
    ];
    Ok(Json::array(broken.into_iter().map(Json::Number).collect()))
}

pub fn strftime(input: &Json, format: &str, name: &str) -> Result<Json, Failure> {
    let at = match (input, input.as_number()) {
        (_, Some(number)) => number.floor(),
        (Json::Array(_), _) => seconds(&parts(input)?).floor(),
        _ => return error(format!("{name}/1 requires parsed datetime inputs")),
    };
    Ok(Json::text(&crate::commands::date_text(SimTime::from_secs(at as i64), format)))
}

pub fn strptime(text: &str, format: &str) -> Result<Json, Failure> {
    let wrong = || error(format!("date \"{text}\" does not match format \"{format}\""));
    match parse(text, format) {
        Some(at) => gmtime(&Json::Number(at)),
        None => wrong(),
    }
}

/// The seconds that a text stands for by a format.
pub fn parse(text: &str, format: &str) -> Option<f64> {
    let (mut year, mut month, mut day, mut hour, mut minute, mut second) = (1900i64, 1i64, 1i64, 0i64, 0i64, 0i64);
    let (mut afternoon, mut offset, mut epoch, mut of_year) = (None, 0, None, None);
    let mut rest = text;
    let mut chars = format.chars();
    let mut pattern = String::new();
    // Conversions that stand for several others.
    while let Some(c) = chars.next() {
        match (c, c == '%') {
            (_, true) => match chars.next()? {
                'T' => pattern.push_str("%H:%M:%S"),
                'D' => pattern.push_str("%m/%d/%y"),
                'F' => pattern.push_str("%Y-%m-%d"),
                'R' => pattern.push_str("%H:%M"),
                'c' => pattern.push_str("%a %b %e %H:%M:%S %Y"),
                other => pattern.extend(['%', other]),
            },
            (c, false) => pattern.push(c),
        }
    }
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            rest = rest.trim_start();
            continue;
        }
        if c != '%' {
            rest = rest.strip_prefix(c)?;
            continue;
        }
        let number = |rest: &mut &str, width: usize| {
            let trimmed = rest.trim_start();
            let sign = usize::from(trimmed.starts_with(['-', '+']));
            let len = sign + trimmed[sign..].bytes().take(width).take_while(u8::is_ascii_digit).count();
            let value = trimmed[..len].parse::<i64>().ok()?;
            *rest = &trimmed[len..];
            Some(value)
        };
        let name = |rest: &mut &str, names: &[&str]| {
            let place = names
                .iter()
                .position(|name| rest.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(&name[..3])))?;
            let whole = names[place];
            let long = rest.get(..whole.len()).is_some_and(|start| start.eq_ignore_ascii_case(whole));
            *rest = &rest[if long { whole.len() } else { 3 }..];
            Some(place as i64)
        };
        match chars.next()? {
            'Y' => year = number(&mut rest, 4)?,
            'y' => {
                let short = number(&mut rest, 2)?;
                year = if short < 69 { 2000 + short } else { 1900 + short };
            }
            'm' => month = number(&mut rest, 2)?,
            'd' | 'e' => day = number(&mut rest, 2)?,
            'H' | 'k' | 'I' | 'l' => hour = number(&mut rest, 2)?,
            'M' => minute = number(&mut rest, 2)?,
            'S' => second = number(&mut rest, 2)?,
            'j' => of_year = Some(number(&mut rest, 3)?),
            's' => epoch = Some(number(&mut rest, 12)?),
            'b' | 'B' | 'h' => month = name(&mut rest, &MONTHS)? + 1,
            'a' | 'A' => {
                name(&mut rest, &DAYS)?;
            }
            'p' => {
                let mark = rest.get(..2)?.to_ascii_uppercase();
                afternoon = Some(match mark.as_str() {
                    "AM" => false,
                    "PM" => true,
                    _ => return None,
                });
                rest = &rest[2..];
            }
            'z' => {
                if let Some(after) = rest.strip_prefix('Z') {
                    rest = after;
                } else {
                    let sign = if rest.starts_with('-') { -1 } else { 1 };
                    let digits: String = rest.get(1..)?.chars().filter(|c| *c != ':').take(4).collect();
                    let value = digits.parse::<i64>().ok()?;
                    offset = sign * (value / 100 * 3600 + value % 100 * 60);
                    let colon = usize::from(rest.get(3..4) == Some(":"));
                    rest = rest.get(5 + colon..)?;
                }
            }
            'Z' => rest = rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
            '%' => rest = rest.strip_prefix('%')?,
            'n' | 't' => rest = rest.trim_start(),
            _ => return None,
        }
    }
    if !rest.is_empty() {
        return None;
    }
    if let Some(epoch) = epoch {
        return Some(epoch as f64);
    }
    let fine =
        (1..=12).contains(&month) && (1..=31).contains(&day) && (0..24).contains(&hour) && minute < 60 && second < 62;
    if !fine {
        return None;
    }
    match afternoon {
        Some(true) if hour < 12 => hour += 12,
        Some(false) if hour == 12 => hour = 0,
        _ => {}
    }
    let day_number = match of_year {
        Some(of_year) => days(year, 1, 1) + of_year - 1,
        None => days(year, month, day),
    };
    Some((day_number * 86_400 + hour * 3600 + minute * 60 + second - offset) as f64)
}

/// What is wrong with an input of a function of times.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_by_their_format() {
        assert_eq!(parse("2026-03-04", "%Y-%m-%d"), Some(1_772_582_400.0));
        assert_eq!(parse("04 Mar 2026 01:00 PM", "%d %b %Y %I:%M %p"), Some(1_772_629_200.0));
        assert_eq!(parse("2026-03-04T00:00:00+0100", "%Y-%m-%dT%H:%M:%S%z"), Some(1_772_578_800.0));
        assert_eq!(parse("x", "%Y"), None);
        assert_eq!(described(&Json::Null), "null (null)");
    }
}
