//! Brace lists and ranges of bash: `{a,b}`, `work-item-{0..99}`, `{01..10..2}`, `{a..e}`.
//!
//! Rule (bash manual 3.5.1): purely textual, before any other expansion, so it is done while parsing. A group
//! without a comma or a range stays as it is.

use super::ast::{Part, Word};

/// Words one brace word may become; more is an error, as real shells run out of memory.
pub(super) const MAX_WORDS: usize = 20_000;

/// One unit of a word while braces are looked for: an unquoted character, or any other part.
#[derive(Clone)]
enum Unit {
    Char(char),
    Part(Part),
}

/// The words that `word` stands for; `None` if they are too many.
pub(super) fn expand(word: Word) -> Option<Vec<Word>> {
    let has_brace = word.parts.iter().any(|part| matches!(part, Part::Text(text) if text.contains('{')));
    if !has_brace {
        return Some(vec![word]);
    }
    let units: Vec<Unit> = word
        .parts
        .into_iter()
        .flat_map(|part| match part {
            Part::Text(text) => text.chars().map(Unit::Char).collect(),
            other => vec![Unit::Part(other)],
        })
        .collect();
    let mut budget = MAX_WORDS;
    let words = expand_units(&units, 0, &mut budget)?;
    Some(words.into_iter().map(to_word).collect())
}

fn to_word(units: Vec<Unit>) -> Word {
    let mut parts: Vec<Part> = Vec::new();
    for unit in units {
        match (unit, parts.last_mut()) {
            (Unit::Char(c), Some(Part::Text(text))) => text.push(c),
            (Unit::Char(c), _) => parts.push(Part::Text(c.to_string())),
            (Unit::Part(part), _) => parts.push(part),
        }
    }
    Word { parts }
}

fn expand_units(units: &[Unit], depth: usize, budget: &mut usize) -> Option<Vec<Vec<Unit>>> {
    let group = (0..units.len()).find_map(|open| find_group(units, open).map(|(close, cuts)| (open, close, cuts)));
    let Some((open, close, cuts)) = group.filter(|_| depth < 16) else {
        *budget = budget.checked_sub(1)?;
        return Some(vec![units.to_vec()]);
    };
    let mut middles: Vec<Vec<Unit>> = Vec::new();
    if cuts.is_empty() {
        let text: String =
            units[open + 1..close].iter().map(|u| if let Unit::Char(c) = u { *c } else { '\0' }).collect();
        middles.extend(range(&text)?.into_iter().map(|item| item.chars().map(Unit::Char).collect()));
    } else {
        let mut from = open + 1;
        for cut in cuts.into_iter().chain([close]) {
            middles.extend(expand_units(&units[from..cut], depth + 1, budget)?);
            from = cut + 1;
        }
    }
    let tails = expand_units(&units[close + 1..], depth + 1, budget)?;
    let count = middles.len().checked_mul(tails.len())?;
    *budget = budget.checked_sub(count)?;
    let mut words = Vec::with_capacity(count);
    for middle in &middles {
        for tail in &tails {
            words.push([&units[..open], middle, tail].concat());
        }
    }
    Some(words)
}

/// The close and the commas of the group that opens at `open`, if it is a list or a range.
fn find_group(units: &[Unit], open: usize) -> Option<(usize, Vec<usize>)> {
    let Unit::Char('{') = units[open] else { return None };
    let mut cuts = Vec::new();
    let mut depth = 0;
    for (i, unit) in units.iter().enumerate().skip(open + 1) {
        match unit {
            Unit::Char('{') => depth += 1,
            Unit::Char('}') if depth > 0 => depth -= 1,
            Unit::Char(',') if depth == 0 => cuts.push(i),
            Unit::Char('}') => {
                let text: Option<String> =
                    units[open + 1..i].iter().map(|u| if let Unit::Char(c) = u { Some(*c) } else { None }).collect();
                let is_range = cuts.is_empty() && text.is_some_and(|text| range_bounds(&text).is_some());
                return (is_range || !cuts.is_empty()).then_some((i, cuts));
            }
            _ => {}
        }
    }
    None
}

struct Bounds {
    first: i64,
    last: i64,
    step: i64,
    width: usize,
    letters: bool,
}

fn range_bounds(text: &str) -> Option<Bounds> {
    let mut pieces = text.split("..");
    let (first, last, step) = (pieces.next()?, pieces.next()?, pieces.next());
    if pieces.next().is_some() {
        return None;
    }
    let step = step.map_or(Some(1), |s| s.parse::<i64>().ok())?.unsigned_abs().clamp(1, i64::MAX as u64) as i64;
    if let (Ok(a), Ok(b)) = (first.parse::<i64>(), last.parse::<i64>()) {
        let padded = |s: &str| s.trim_start_matches('-').len() > 1 && s.trim_start_matches('-').starts_with('0');
        let width = if padded(first) || padded(last) { first.len().max(last.len()) } else { 0 };
        return Some(Bounds { first: a, last: b, step, width, letters: false });
    }
    let letter = |s: &str| s.chars().next().filter(|c| c.is_ascii_alphabetic() && s.len() == 1).map(|c| c as i64);
    Some(Bounds { first: letter(first)?, last: letter(last)?, step, width: 0, letters: true })
}

/// The items of a range; `None` if they are too many.
fn range(text: &str) -> Option<Vec<String>> {
    let bounds = range_bounds(text)?;
    let count = bounds.first.abs_diff(bounds.last) / bounds.step.unsigned_abs() + 1;
    if count > MAX_WORDS as u64 {
        return None;
    }
    let sign = if bounds.first <= bounds.last { 1 } else { -1 };
    let item = |n: i64| {
        let value = bounds.first + sign * bounds.step * n;
        match bounds.letters {
            true => (value as u8 as char).to_string(),
            false => format!("{value:0width$}", width = bounds.width),
        }
    };
    Some((0..count as i64).map(item).collect())
}
