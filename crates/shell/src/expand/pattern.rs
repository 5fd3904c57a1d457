//! Shell patterns: `*`, `?`, `[a-z]`, `[!x]`, `[[:digit:]]`, bash's `@(a|b)`, and `\` before what is meant literally.
//!
//! A pattern without `@(…)` is matched as a set of places in it that moves over the text once, so that a use takes at
//! most pattern × text comparisons. The others are tried with a limit.

/// Comparisons one use of a pattern may take, so that hostile patterns on long texts end.
const MAX_STEPS: usize = 30_000_000;
/// Groups in groups.
const MAX_DEPTH: usize = 10;

/// A pattern taken apart.
#[derive(Clone, Debug)]
pub struct Pattern {
    items: Vec<Item>,
    /// Capital and small letters are the same (`shopt -s nocasematch`).
    fold: bool,
    has_groups: bool,
}

#[derive(Clone, Debug)]
enum Item {
    Char(char),
    Any,
    Star,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
        classes: Vec<String>,
    },
    /// `@(a|b)`: the sign, and what may stand there.
    Group(char, Vec<Vec<Item>>),
}

/// The pattern needed more comparisons than are allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooComplex;

impl Pattern {
    pub fn new(text: &str) -> Pattern {
        Pattern::with(text, false, false)
    }

    /// A pattern, with `@(…)` if `extended`, and blind to case if `fold`.
    pub fn with(text: &str, extended: bool, fold: bool) -> Pattern {
        let chars: Vec<char> = text.chars().collect();
        let items = parse(&chars, &mut 0, extended, 0);
        let has_groups = items.iter().any(|item| matches!(item, Item::Group(..)));
        Pattern { items, fold, has_groups }
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        if let [Item::Star] = self.items.as_slice() {
            return true;
        }
        let chars: Vec<char> = text.chars().collect();
        let steps = &mut MAX_STEPS.clone();
        if self.has_groups {
            return whole(&self.items, &chars, self.fold, steps).unwrap_or(false);
        }
        self.ends(chars.iter().copied(), false, steps, |at| at == chars.len()).is_ok_and(|end| end == Some(chars.len()))
    }

    /// Moves over the text and gives the last place (in characters) up to which it matches and which `wanted` accepts; with
    /// `first` the first one.
    fn ends(
        &self,
        text: impl Iterator<Item = char>,
        first: bool,
        steps: &mut usize,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Option<usize>, TooComplex> {
        let end = self.items.len();
        let mut live = vec![false; end + 1];
        let mut next = vec![false; end + 1];
        let mut found = None;
        let close = |live: &mut [bool]| {
            for (p, item) in self.items.iter().enumerate() {
                if live[p] && matches!(item, Item::Star) {
                    live[p + 1] = true;
                }
            }
        };
        live[0] = true;
        close(&mut live);
        let mut at = 0;
        if live[end] && wanted(0) {
            found = Some(0);
            if first {
                return Ok(found);
            }
        }
        for c in text {
            let c = if self.fold { folded(c) } else { c };
            *steps = steps.checked_sub(end + 1).ok_or(TooComplex)?;
            next.fill(false);
            let mut any = false;
            for (p, item) in self.items.iter().enumerate() {
                if live[p] {
                    if matches!(item, Item::Star) {
                        next[p] = true;
                        any = true;
                    } else if item.accepts(c, self.fold) {
                        next[p + 1] = true;
                        any = true;
                    }
                }
            }
            std::mem::swap(&mut live, &mut next);
            if !any {
                break;
            }
            close(&mut live);
            at += 1;
            if live[end] && wanted(at) {
                found = Some(at);
                if first {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Length in characters of the shortest or longest beginning that matches.
    pub fn prefix(&self, text: &[char], longest: bool) -> Result<Option<usize>, TooComplex> {
        self.prefix_within(text, longest, &mut MAX_STEPS.clone())
    }

    fn prefix_within(&self, text: &[char], longest: bool, steps: &mut usize) -> Result<Option<usize>, TooComplex> {
        if !self.has_groups {
            return self.ends(text.iter().copied(), !longest, steps, |_| true);
        }
        let order = |n: usize| if longest { text.len() - n } else { n };
        for end in (0..=text.len()).map(order) {
            if whole(&self.items, &text[..end], self.fold, steps)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// Where the shortest or longest ending that matches starts.
    pub fn suffix(&self, text: &[char], longest: bool) -> Result<Option<usize>, TooComplex> {
        let mut steps = MAX_STEPS;
        if !self.has_groups {
            let items = self.items.iter().rev().cloned().collect();
            let turned = Pattern { items, fold: self.fold, has_groups: false };
            let length = turned.ends(text.iter().rev().copied(), !longest, &mut steps, |_| true)?;
            return Ok(length.map(|length| text.len() - length));
        }
        let order = |n: usize| if longest { n } else { text.len() - n };
        for start in (0..=text.len()).map(order) {
            if whole(&self.items, &text[start..], self.fold, &mut steps)? {
                return Ok(Some(start));
            }
        }
        Ok(None)
    }

    /// `${name/pattern/with}`: `kind` is `/` for all, `#` for the beginning, `%` for the end, else the first. `with`
    /// makes the new text from what matched.
    pub fn replace(&self, text: &str, kind: char, with: &dyn Fn(&str) -> String) -> Result<String, TooComplex> {
        let chars: Vec<char> = text.chars().collect();
        let matched = |from: usize, to: usize| with(&chars[from..to].iter().collect::<String>());
        let rest = |from: usize, to: usize| chars[from..to].iter().collect::<String>();
        match kind {
            '#' => Ok(match self.prefix(&chars, true)? {
                Some(end) => matched(0, end) + &rest(end, chars.len()),
                None => text.to_string(),
            }),
            '%' => Ok(match self.suffix(&chars, true)? {
                Some(start) => rest(0, start) + &matched(start, chars.len()),
                None => text.to_string(),
            }),
            _ => self.replace_within(&chars, kind == '/', &matched),
        }
    }

    fn replace_within(
        &self,
        chars: &[char],
        all: bool,
        matched: &dyn Fn(usize, usize) -> String,
    ) -> Result<String, TooComplex> {
        let mut steps = MAX_STEPS;
        let mut out = String::new();
        let mut i = 0;
        let mut done = self.items.is_empty();
        while i < chars.len() && !done {
            match self.prefix_within(&chars[i..], true, &mut steps)?.filter(|length| *length > 0) {
                Some(length) => {
                    out.push_str(&matched(i, i + length));
                    i += length;
                    done = !all;
                }
                // What begins with a star and does not match here matches nowhere behind.
                None if matches!(self.items.first(), Some(Item::Star)) => done = true,
                None => {
                    out.push(chars[i]);
                    i += 1;
                }
            }
        }
        out.extend(&chars[i..]);
        Ok(out)
    }
}

/// The items up to the end, or up to a `|` or `)` of the group they stand in.
fn parse(chars: &[char], at: &mut usize, extended: bool, depth: usize) -> Vec<Item> {
    let mut items = Vec::new();
    while let Some(c) = chars.get(*at).copied() {
        let grouped = extended && depth < MAX_DEPTH && chars.get(*at + 1) == Some(&'(');
        match c {
            '|' | ')' if depth > 0 => break,
            '@' | '?' | '*' | '+' | '!' if grouped => {
                let before = *at;
                *at += 2;
                let mut ways = vec![parse(chars, at, extended, depth + 1)];
                while chars.get(*at) == Some(&'|') {
                    *at += 1;
                    ways.push(parse(chars, at, extended, depth + 1));
                }
                if chars.get(*at) == Some(&')') {
                    items.push(Item::Group(c, ways));
                } else {
                    // No group: its sign is a plain one.
                    *at = before;
                    items.push(match c {
                        '*' => Item::Star,
                        '?' => Item::Any,
                        other => Item::Char(other),
                    });
                }
            }
            '\\' if *at + 1 < chars.len() => {
                items.push(Item::Char(chars[*at + 1]));
                *at += 1;
            }
            '*' if matches!(items.last(), Some(Item::Star)) => {}
            '*' => items.push(Item::Star),
            '?' => items.push(Item::Any),
            '[' => match set(chars, *at) {
                Some((item, end)) => {
                    items.push(item);
                    *at = end;
                }
                None => items.push(Item::Char('[')),
            },
            c => items.push(Item::Char(c)),
        }
        *at += 1;
    }
    items
}

/// Whether the items match the whole text, by trying.
fn whole(items: &[Item], text: &[char], fold: bool, steps: &mut usize) -> Result<bool, TooComplex> {
    *steps = steps.checked_sub(1).ok_or(TooComplex)?;
    let Some((item, rest)) = items.split_first() else { return Ok(text.is_empty()) };
    match item {
        Item::Star => {
            for n in 0..=text.len() {
                if whole(rest, &text[n..], fold, steps)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Item::Group(sign, ways) => {
            let none_too = matches!(sign, '?' | '*');
            if none_too && whole(rest, text, fold, steps)? {
                return Ok(true);
            }
            for n in 0..=text.len() {
                let mut fits = false;
                for way in ways {
                    fits = fits || whole(way, &text[..n], fold, steps)?;
                }
                if fits == (*sign == '!') {
                    continue;
                }
                if whole(rest, &text[n..], fold, steps)? {
                    return Ok(true);
                }
                if matches!(sign, '*' | '+') && n > 0 {
                    let again: Vec<Item> =
                        std::iter::once(Item::Group('*', ways.clone())).chain(rest.iter().cloned()).collect();
                    if whole(&again, &text[n..], fold, steps)? {
                        return Ok(true);
                    }
                }
            }
            Ok(false)
        }
        item => match text.split_first() {
            Some((c, behind)) if item.accepts(if fold { folded(*c) } else { *c }, fold) => {
                whole(rest, behind, fold, steps)
            }
            _ => Ok(false),
        },
    }
}

fn folded(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

impl Item {
    fn accepts(&self, c: char, fold: bool) -> bool {
        match self {
            Item::Char(own) => *own == c || fold && folded(*own) == c,
            Item::Any => true,
            Item::Star | Item::Group(..) => false,
            Item::Set { negated, ranges, classes } => {
                let holds = |c: char| {
                    ranges.iter().any(|(a, b)| *a <= c && c <= *b) || classes.iter().any(|name| in_class(name, c))
                };
                let found = holds(c) || fold && c.to_uppercase().next().is_some_and(holds);
                found != *negated
            }
        }
    }
}

/// POSIX character classes, by the name between `[:` and `:]`.
pub fn in_class(name: &str, c: char) -> bool {
    match name {
        "alpha" => c.is_alphabetic(),
        "digit" => c.is_ascii_digit(),
        "alnum" => c.is_alphanumeric(),
        "upper" => c.is_uppercase(),
        "lower" => c.is_lowercase(),
        "space" => c.is_whitespace(),
        "blank" => matches!(c, ' ' | '\t'),
        "punct" => c.is_ascii_punctuation(),
        "xdigit" => c.is_ascii_hexdigit(),
        "cntrl" => c.is_control(),
        "print" => !c.is_control(),
        "graph" => !c.is_control() && c != ' ',
        _ => false,
    }
}

/// The set that opens at `open`, and the position of its `]`.
fn set(chars: &[char], open: usize) -> Option<(Item, usize)> {
    let mut i = open + 1;
    let negated = matches!(chars.get(i), Some('!' | '^'));
    i += usize::from(negated);
    let (mut ranges, mut classes) = (Vec::new(), Vec::new());
    let first = i;
    loop {
        let c = *chars.get(i)?;
        if c == ']' && i > first {
            return Some((Item::Set { negated, ranges, classes }, i));
        }
        if c == '[' && chars.get(i + 1) == Some(&':') {
            let len = chars[i + 2..].iter().position(|c| *c == ':')?;
            if chars.get(i + 3 + len) == Some(&']') {
                classes.push(chars[i + 2..i + 2 + len].iter().collect());
                i += len + 4;
                continue;
            }
        }
        let low = if c == '\\' && i + 1 < chars.len() {
            i += 1;
            chars[i]
        } else {
            c
        };
        if chars.get(i + 1) == Some(&'-') && chars.get(i + 2).is_some_and(|c| *c != ']') {
            ranges.push((low, chars[i + 2]));
            i += 3;
        } else {
            ranges.push((low, low));
            i += 1;
        }
    }
}

/// `text` with everything that means something in a pattern, or in what replaces a match, escaped.
pub fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '-' | '!' | '^' | '&' | '(' | ')' | '|' | '@' | '+') {
            out.push('\\');
        }
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, want) in [
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("[0-9]", "7", true),
            ("[!0-9]", "7", false),
            ("[[:upper:]]?", "Ab", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("[", "[", true),
            ("*a*b*c", "xxaxxbxxc", true),
            ("[]]", "]", true),
            ("@(a|b)*", "bcd", true),
            ("+([0-9]).txt", "12.txt", true),
            ("!(*.log)", "a.log", false),
        ] {
            assert_eq!(Pattern::with(pattern, true, false).matches(text), want, "{pattern} on {text}");
        }
    }

    #[test]
    fn long_texts_take_time_in_line_with_their_length() {
        let text: Vec<char> = "a".repeat(100_000).chars().collect();
        assert_eq!(Pattern::new("*a*a*a*a*b").prefix(&text, true), Ok(None));
        assert_eq!(Pattern::new("*a").suffix(&text, false), Ok(Some(99_999)));
        let replaced = Pattern::new("a").replace(&"a".repeat(100_000), '/', &|_| "b".to_string());
        assert_eq!(replaced, Ok("b".repeat(100_000)));
    }
}
