//! `date`, on the simulation's clock. Zones are those that POSIX' `TZ` describes, and the names that stand for a whole number
//! of hours.

use super::{Call, Outcome};
use values::time::{SimTime, Span};

pub fn date(call: &mut Call<'_>) -> Outcome {
    let ash = call.is_ash();
    let long = [
        ("utc", 'u'),
        ("universal", 'u'),
        ("date", 'd'),
        ("iso-8601", 'I'),
        ("rfc-3339", 'T'),
        ("reference", 'r'),
        ("rfc-email", 'R'),
    ];
    // `-I` takes its value attached only.
    let (iso, rest): (Vec<&String>, Vec<&String>) =
        call.args.iter().partition(|arg| arg.starts_with("-I") || arg.starts_with("--iso-8601"));
    let rest: Vec<String> = rest.into_iter().cloned().collect();
    let known: &[(&str, char)] = if ash { &[("utc", 'u'), ("date", 'd'), ("reference", 'r')] } else { &long };
    let args = match super::Args::parse(&rest, "uR", "dDsrT", known) {
        Ok(args) => args,
        Err(option) => return call.bad_option(&option),
    };
    let now = call.system.now();
    let zone = match args.has('u') {
        true => Zone::utc(),
        false => Zone::of(call.state.get("TZ").unwrap_or_default()),
    };
    let time = match (args.value('d'), args.value('r')) {
        (None, None) => now,
        (None, Some(file)) => match call.system.info(&call.path(file)) {
            Ok(info) => info.modified,
            Err(error) => {
                call.err("date", &format!("{file}: {error}"));
                return Outcome::Done(1);
            }
        },
        (Some(text), _) => {
            let parsed = match args.value('D') {
                Some(format) if ash => super::jq_time(text, format).map(|seconds| SimTime::from_secs(seconds as i64)),
                _ => read(text, now, ash),
            };
            // What is not said in a zone of its own is local time.
            let absolute =
                text.trim().starts_with('@') || text.ends_with('Z') || relative(text) || text.contains("UTC");
            match parsed {
                Some(time) if absolute => time,
                Some(time) => time - Span::secs(zone.offset_secs),
                None => {
                    call.err("date", &format!("invalid date '{text}'"));
                    return Outcome::Done(1);
                }
            }
        }
    };
    let hours = zone.shown(":");
    let format = match (iso.last(), args.operands.first()) {
        (Some(iso), _) => {
            let kind = iso.strip_prefix("--iso-8601").map_or(&iso[2..], |rest| rest.trim_start_matches('='));
            match kind {
                "seconds" | "s" => format!("+%Y-%m-%dT%H:%M:%S{hours}"),
                "minutes" | "m" => format!("+%Y-%m-%dT%H:%M{hours}"),
                "hours" | "h" => format!("+%Y-%m-%dT%H{hours}"),
                "ns" => format!("+%Y-%m-%dT%H:%M:%S,%N{hours}"),
                _ => "+%Y-%m-%d".to_string(),
            }
        }
        (None, Some(format)) => format.clone(),
        (None, None) if args.has('R') => "+%a, %d %b %Y %H:%M:%S %z".to_string(),
        (None, None) if args.has('T') => match args.value('T') {
            Some("date") => "+%Y-%m-%d".to_string(),
            Some("ns") => format!("+%Y-%m-%d %H:%M:%S.%N{hours}"),
            _ => format!("+%Y-%m-%d %H:%M:%S{hours}"),
        },
        (None, None) => "+%a %b %e %H:%M:%S %Z %Y".to_string(),
    };
    let Some(pattern) = format.strip_prefix('+') else {
        let text = match ash {
            true => format!("invalid date '{format}'"),
            false => format!("invalid date '{format}'"),
        };
        call.err("date", &text);
        return Outcome::Done(1);
    };
    let text = formatted(time, pattern, &zone, ash);
    call.out(&format!("{text}\n"));
    Outcome::Done(0)
}

/// An offset from UTC with its name.
struct Zone {
    name: String,
    offset_secs: i64,
}

impl Zone {
    fn utc() -> Zone {
        Zone { name: "UTC".into(), offset_secs: 0 }
    }

    /// `UTC`, `EST5`, `<+03>-3`, `CET-1CEST` (its standard time), and the best-known names of places.
    fn of(text: &str) -> Zone {
        let places = [
            ("America/New_York", "EST", -5),
            ("America/Toronto", "EST", -5),
            ("America/Chicago", "CST", -6),
            ("America/Denver", "MST", -7),
            ("America/Los_Angeles", "PST", -8),
            ("America/Sao_Paulo", "-03", -3),
            ("Europe/London", "GMT", 0),
            ("Europe/Berlin", "CET", 1),
            ("Europe/Paris", "CET", 1),
            ("Europe/Madrid", "CET", 1),
            ("Europe/Rome", "CET", 1),
            ("Europe/Amsterdam", "CET", 1),
            ("Europe/Zurich", "CET", 1),
            ("Europe/Moscow", "MSK", 3),
            ("Asia/Tokyo", "JST", 9),
            ("Asia/Shanghai", "CST", 8),
            ("Asia/Singapore", "+08", 8),
            ("Asia/Dubai", "+04", 4),
            ("Australia/Sydney", "AEDT", 11),
        ];
        if let Some((_, name, hours)) = places.iter().find(|(place, ..)| *place == text) {
            return Zone { name: (*name).to_string(), offset_secs: hours * 3600 };
        }
        if text == "Asia/Kolkata" {
            return Zone { name: "IST".into(), offset_secs: 19_800 };
        }
        let (name, rest) = match text.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            Some((name, rest)) => (name, rest),
            None => text.split_at(text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len())),
        };
        let len = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | ':'))).unwrap_or(rest.len());
        let (sign, digits) = match rest[..len].strip_prefix('-') {
            Some(digits) => (1, digits),
            None => (-1, rest[..len].trim_start_matches('+')),
        };
        let mut parts = digits.split(':').map(|part| part.parse::<i64>().unwrap_or(0));
        let seconds = parts.next().unwrap_or(0) * 3600 + parts.next().unwrap_or(0) * 60;
        match name.len() >= 3 && !digits.is_empty() {
            true => Zone { name: name.to_string(), offset_secs: sign * seconds },
            false => Zone::utc(),
        }
    }

    /// `+01:00`
    fn shown(&self, colon: &str) -> String {
        let minutes = self.offset_secs.abs() / 60;
        let sign = if self.offset_secs < 0 { '-' } else { '+' };
        format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
    }
}

/// Whether a text is said from now on, so that zones do not matter.
fn relative(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let dated = lower.contains(':') || lower.contains('-') && lower.contains(|c: char| c.is_ascii_digit());
    !dated && !lower.trim().chars().all(|c| c.is_ascii_digit())
}

/// The moment that `-d` names: busybox' forms, or GNU's.
pub fn read(text: &str, now: SimTime, ash: bool) -> Option<SimTime> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        let whole = seconds.split('.').next().unwrap_or_default();
        return whole.parse().ok().map(SimTime::from_secs);
    }
    if ash { busybox(text, now) } else { super::dates::read(text, now) }
}

/// `hh:mm[:ss]`, `[YYYY.]MM.DD-hh:mm`, `YYYY-MM-DD [hh:mm[:ss]]`, `[[[YY]YY]MMDD]hhmm[.ss]`
fn busybox(text: &str, now: SimTime) -> Option<SimTime> {
    let part = |pattern: &str| now.format(pattern).trim().parse::<i64>().unwrap_or(0);
    let today = (part("%Y"), part("%m"), part("%d"));
    let clock = |text: &str| -> Option<(i64, i64, i64)> {
        let mut parts = text.split(':');
        let number = |part: Option<&str>| part?.parse::<i64>().ok();
        let (hour, minute) = (number(parts.next())?, number(parts.next())?);
        let second = match parts.next() {
            None => 0,
            Some(text) => text.parse().ok()?,
        };
        (parts.next().is_none()).then_some((hour, minute, second))
    };
    let (date, time) = match text.split_once(' ') {
        Some((date, time)) if date.contains('-') => (date, Some(time.trim())),
        _ => (text, None),
    };
    if date.matches('-').count() == 2 && !date.contains('.') {
        let numbers: Option<Vec<i64>> = date.split('-').map(|part| part.parse().ok()).collect();
        let [year, month, day] = numbers?[..] else { return None };
        return moment((year, month, day), time.map_or(Some((0, 0, 0)), clock)?);
    }
    if let Some((date, time)) = text.split_once('-').filter(|(date, _)| date.contains('.')) {
        let numbers: Option<Vec<i64>> = date.split('.').map(|part| part.parse().ok()).collect();
        let date = match numbers?[..] {
            [month, day] => (today.0, month, day),
            [year, month, day] => (year, month, day),
            _ => return None,
        };
        return moment(date, clock(time)?);
    }
    if text.contains(':') {
        return moment(today, clock(text)?);
    }
    stamp(text, now)
}

/// `[[CC]YY]MMDDhhmm[.ss]`, and busybox' `hhmm`.
pub fn stamp(text: &str, now: SimTime) -> Option<SimTime> {
    let (digits, seconds) = text.split_once('.').unwrap_or((text, "0"));
    if !digits.bytes().all(|c| c.is_ascii_digit()) || digits.is_empty() {
        return None;
    }
    let part = |pattern: &str| now.format(pattern).trim().parse::<i64>().unwrap_or(0);
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i64>().ok();
    let (date, at) = match digits.len() {
        4 => ((part("%Y"), part("%m"), part("%d")), 0),
        8 => ((part("%Y"), number(0, 2)?, number(2, 4)?), 4),
        10 => {
            let year = number(0, 2)?;
            ((if year < 69 { 2000 + year } else { 1900 + year }, number(2, 4)?, number(4, 6)?), 6)
        }
        12 => ((number(0, 4)?, number(4, 6)?, number(6, 8)?), 8),
        _ => return None,
    };
    moment(date, (number(at, at + 2)?, number(at + 2, at + 4)?, seconds.parse().ok()?))
}

/// The moment of a date and a clock, in UTC.
pub fn moment((year, month, day): (i64, i64, i64), (hour, minute, second): (i64, i64, i64)) -> Option<SimTime> {
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    SimTime::parse_rfc3339(&text)
}

/// `strftime` in a zone.
fn formatted(time: SimTime, pattern: &str, zone: &Zone, ash: bool) -> String {
    let mut own = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            own.push(c);
            continue;
        }
        match chars.peek() {
            Some('Z') => {
                chars.next();
                own.push_str(&zone.name);
            }
            Some('z') => {
                chars.next();
                own.push_str(&zone.shown(""));
            }
            Some(':') => {
                chars.next();
                if chars.next_if_eq(&'z').is_some() {
                    own.push_str(&zone.shown(":"));
                } else {
                    own.push_str("%:");
                }
            }
            Some('s') => {
                chars.next();
                own.push_str(&time.secs().to_string());
            }
            // busybox has no parts of seconds.
            Some('N') if ash => {
                chars.next();
                own.push_str("%N".trim_start_matches('%'));
            }
            Some('%') => {
                chars.next();
                own.push_str("%%");
            }
            _ => own.push('%'),
        }
    }
    let own = if ash { own.replace("%3N", "3N") } else { own };
    format_time(time + Span::secs(zone.offset_secs), &own)
}

/// `strftime`, one conversion at a time, so that an unknown one stays as it is.
pub fn format_time(time: SimTime, pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let flag = chars.next_if(|c| matches!(c, '-' | '_' | '0' | '^' | '#'));
        let digits = chars.next_if(char::is_ascii_digit);
        match chars.next() {
            None => out.push('%'),
            Some('%') => out.push('%'),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('s') => out.push_str(&time.secs().to_string()),
            Some('N') => {
                let nanoseconds = format!("{:03}000000", time.millis().rem_euclid(1000));
                let len = digits.and_then(|c| c.to_digit(10)).map_or(9, |n| n as usize);
                out.push_str(&nanoseconds[..len.min(9)]);
            }
            Some('z') => out.push_str("+0000"),
            Some(':') if chars.next_if_eq(&'z').is_some() => out.push_str("+00:00"),
            Some('Z') => out.push_str("UTC"),
            Some('c') => out.push_str(&time.format("%a %b %e %H:%M:%S %Y")),
            Some('r') => out.push_str(&time.format("%I:%M:%S %p")),
            Some('q') => {
                let month = time.format("%m").parse::<u32>().unwrap_or(1);
                out.push_str(&month.div_ceil(3).to_string());
            }
            Some('x') => out.push_str(&time.format("%m/%d/%y")),
            Some('X') => out.push_str(&time.format("%H:%M:%S")),
            Some('g') => out.push_str(&time.format("%G")[2..]),
            Some(letter) if "YmdHMSjaAbBeyCFTDRpIlkuwhPUWVG".contains(letter) => {
                let plain = flag.filter(|flag| !matches!(flag, '^' | '#')).map(String::from).unwrap_or_default();
                let text = time.format(&format!("%{plain}{letter}"));
                out.push_str(&if flag == Some('^') { text.to_uppercase() } else { text });
            }
            Some(other) => {
                out.push('%');
                out.push(other);
            }
        }
    }
    out
}
