//! `date`, on the simulation's clock, in UTC.

use super::{Call, Outcome};
use values::time::{SimTime, Span};

pub fn date(call: &mut Call<'_>) -> Outcome {
    let long = [("utc", 'u'), ("date", 'd'), ("iso-8601", 'I'), ("rfc-3339", 'T')];
    // `-I` takes its value attached only.
    let (iso, rest): (Vec<&String>, Vec<&String>) = call.args.iter().partition(|arg| arg.starts_with("-I"));
    let rest: Vec<String> = rest.into_iter().cloned().collect();
    let args = match super::Args::parse(&rest, "uR", "dDsrT", &long) {
        Ok(args) => args,
        Err(option) => return call.bad_option(&option),
    };
    let now = call.system.now();
    let time = match args.value('d') {
        None => now,
        Some(text) => match parse_time(text, now) {
            Some(time) => time,
            None => {
                let quotes = if call.is_ash() { ('\'', '\'') } else { ('‘', '’') };
                call.err("date", &format!("invalid date {}{text}{}", quotes.0, quotes.1));
                return Outcome::Done(1);
            }
        },
    };
    let format = match (iso.last(), args.operands.first()) {
        (Some(iso), _) => match &iso[2..] {
            "seconds" | "s" => "+%Y-%m-%dT%H:%M:%S+00:00".to_string(),
            "minutes" => "+%Y-%m-%dT%H:%M+00:00".to_string(),
            "hours" => "+%Y-%m-%dT%H+00:00".to_string(),
            _ => "+%Y-%m-%d".to_string(),
        },
        (None, Some(format)) => format.clone(),
        (None, None) => "+%a %b %e %H:%M:%S UTC %Y".to_string(),
    };
    let Some(pattern) = format.strip_prefix('+') else {
        call.err("date", &format!("invalid date '{format}'"));
        return Outcome::Done(1);
    };
    let text = format_time(time, pattern);
    call.out(&format!("{text}\n"));
    Outcome::Done(0)
}

/// The moments that `-d` names: `@seconds`, RFC 3339, `YYYY-MM-DD HH:MM:SS`, `now`, `yesterday`, `N units ago`.
fn parse_time(text: &str, now: SimTime) -> Option<SimTime> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().ok().map(SimTime::from_secs);
    }
    match text {
        "now" | "" | "today" => return Some(now),
        "yesterday" => return Some(now - Span::secs(86_400)),
        "tomorrow" => return Some(now + Span::secs(86_400)),
        _ => {}
    }
    let padded = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_string(),
    };
    if let Some(time) = SimTime::parse_rfc3339(&padded.replacen(' ', "T", 1)) {
        return Some(time);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let (count, unit, ago) = match words.as_slice() {
        [count, unit] => (count.parse::<i64>().ok()?, *unit, 1),
        [count, unit, "ago"] => (count.parse::<i64>().ok()?, *unit, -1),
        _ => return None,
    };
    let seconds = match unit.trim_end_matches('s') {
        "second" | "sec" => 1,
        "minute" | "min" => 60,
        "hour" => 3600,
        "day" => 86_400,
        "week" => 604_800,
        _ => return None,
    };
    Some(now + Span::secs(count.saturating_mul(seconds).saturating_mul(ago)))
}

/// `strftime`, one conversion at a time, so that an unknown one stays as it is.
pub(super) fn format_time(time: SimTime, pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let flag = chars.next_if(|c| matches!(c, '-' | '_' | '0'));
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
            Some('x') => out.push_str(&time.format("%m/%d/%y")),
            Some('X') => out.push_str(&time.format("%H:%M:%S")),
            Some(letter) if "YmdHMSjaAbBeyCFTDRpIlkuwhPUWVG".contains(letter) => {
                let flag = flag.map(String::from).unwrap_or_default();
                out.push_str(&time.format(&format!("%{flag}{letter}")));
            }
            Some(other) => {
                out.push('%');
                out.push(other);
            }
        }
    }
    out
}
