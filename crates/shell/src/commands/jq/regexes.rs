//! jq's `match`, `test` and `split` by expressions, in the syntax of Oniguruma as far as it is Perl's.

use std::rc::Rc;

use super::json::Json;
use super::machine::{Failure, error};
use super::paths::described;
use crate::regex::{Captures, Regex, Syntax};

struct Flags {
    global: bool,
    skips_empty: bool,
    tests: bool,
    syntax: Syntax,
}

fn flags(value: &Json) -> Result<Flags, Failure> {
    let mut flags = Flags {
        global: false,
        skips_empty: false,
        tests: false,
        syntax: Syntax { extended: true, utf8: true, perl: true, ..Syntax::default() },
    };
    let text = match value {
        Json::Null => return Ok(flags),
        Json::Text(text) => text,
        other => return error(format!("{} is not a string", described(other))),
    };
    for letter in text.chars() {
        match letter {
            'g' => flags.global = true,
            'i' => flags.syntax.ignore_case = true,
            'x' => flags.syntax.extended_layout = true,
            's' => flags.syntax.single = true,
            'p' => flags.syntax.single = true,
            'n' => flags.skips_empty = true,
            'l' => flags.syntax.perl = true,
            't' => flags.tests = true,
            _ => return error(format!("{text} is not a valid modifier string")),
        }
    }
    Ok(flags)
}

fn compile(pattern: &Json, syntax: Syntax) -> Result<Regex, Failure> {
    let Json::Text(text) = pattern else {
        return error(format!("{} cannot be matched, as it is not a string", described(pattern)));
    };
    Regex::new(text, syntax).or_else(|why| error(format!("{text} (at offset 0) is not a valid regex: {why}")))
}

fn each(regex: &Regex, text: &str, global: bool, mut act: impl FnMut(&Captures)) {
    let (mut at, mut work) = (0, 0);
    while let Some(found) = regex.find_counted(text.as_bytes(), at, &mut work) {
        let Some((start, end)) = found[0] else { return };
        act(&found);
        if !global || work > 200_000_000 {
            return;
        }
        at = if end > start {
            end
        } else {
            end + text.get(end..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8)
        };
        if at > text.len() || start == end && start == text.len() {
            return;
        }
    }
}

/// Every match as jq describes it; whether there is one, for `test`.
pub fn matches(input: &Json, pattern: &Json, how: &Json) -> Result<Json, Failure> {
    let Json::Text(text) = input else {
        return error(format!("{} cannot be matched, as it is not a string", described(input)));
    };
    // `match([pattern, flags])`
    let (pattern, how) = match pattern {
        Json::Array(pair) => {
            let tests = matches!(how, Json::Text(how) if how.contains('t'));
            let own = match pair.get(1) {
                Some(Json::Text(own)) => own.to_string(),
                _ => String::new(),
            };
            let how = Json::text(&format!("{own}{}", if tests { "t" } else { "" }));
            (pair.first().cloned().unwrap_or_default(), how)
        }
        pattern => (pattern.clone(), how.clone()),
    };
    let flags = flags(&how)?;
    let regex = compile(&pattern, flags.syntax)?;
    if flags.tests {
        return Ok(Json::Bool(regex.find(text.as_bytes(), 0).is_some()));
    }
    let mut all = Vec::new();
    // Offsets count characters, found by going on from the match before.
    let (mut bytes, mut characters) = (0, 0);
    each(&regex, text, flags.global, |found| {
        let Some((start, end)) = found[0] else { return };
        if flags.skips_empty && start == end {
            return;
        }
        characters += text.get(bytes..start).map_or(0, |between| between.chars().count());
        bytes = start;
        let base = (start, characters);
        let mut captures = Vec::new();
        for group in 1..=regex.groups() {
            let name = regex.names().iter().find(|(number, _)| *number == group).map(|(_, name)| name.as_str());
            let place = found.get(group).copied().flatten();
            captures.push(described_match(text, place, base, Some(name)));
        }
        let Json::Object(entries) = described_match(text, Some((start, end)), base, None) else { return };
        let mut entries = entries.to_vec();
        entries.push(("captures".into(), Json::array(captures)));
        all.push(Json::Object(Rc::new(entries)));
    });
    Ok(Json::array(all))
}

fn described_match(
    text: &str,
    place: Option<(usize, usize)>,
    base: (usize, usize),
    name: Option<Option<&str>>,
) -> Json {
    let part = place.and_then(|(from, to)| text.get(from..to));
    let offset = place.map_or(-1.0, |(from, _)| {
        let between = text.get(base.0.min(from)..from).map_or(0, |between| between.chars().count());
        (base.1 + between) as f64
    });
    let mut entries: Vec<(Rc<str>, Json)> = vec![
        ("offset".into(), Json::Number(offset)),
        ("length".into(), Json::Number(part.map_or(0, |part| part.chars().count()) as f64)),
        ("string".into(), part.map_or(Json::Null, Json::text)),
    ];
    if let Some(name) = name {
        entries.push(("name".into(), name.map_or(Json::Null, Json::text)));
    }
    Json::Object(Rc::new(entries))
}

/// `split(pattern; flags)`
pub fn split(input: &Json, pattern: &Json, how: &Json) -> Result<Json, Failure> {
    let Json::Text(text) = input else {
        return error(format!("{} cannot be matched, as it is not a string", described(input)));
    };
    let flags = flags(how)?;
    let regex = compile(pattern, flags.syntax)?;
    let (mut parts, mut from) = (Vec::new(), 0);
    each(&regex, text, true, |found| {
        if let Some((start, end)) = found[0] {
            parts.push(Json::text(text.get(from..start).unwrap_or_default()));
            from = end;
        }
    });
    parts.push(Json::text(text.get(from..).unwrap_or_default()));
    Ok(Json::array(parts))
}
