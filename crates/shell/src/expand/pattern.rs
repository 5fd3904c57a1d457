//! Shell patterns: `*`, `?`, `[a-z]`, `[!x]`, `[[:digit:]]`, and `\` before what is meant literally.

/// Comparisons one use of a pattern may take, so that hostile patterns on long texts end.
const MAX_STEPS: usize = 3_000_000;

/// A pattern taken apart.
#[derive(Clone, Debug)]
pub struct Pattern {
    items: Vec<Item>,
}

#[derive(Clone, Debug)]
enum Item {
    Char(char),
    Any,
    Star,
    Set { negated: bool, ranges: Vec<(char, char)>, classes: Vec<String> },
}

/// The pattern needed more comparisons than are allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooComplex;

impl Pattern {
    pub fn new(text: &str) -> Pattern {
        let chars: Vec<char> = text.chars().collect();
        let mut items = Vec::new();
        let mut i = 0;
        while i < chars.len() {
            match chars[i] {
                '\\' if i + 1 < chars.len() => {
                    items.push(Item::Char(chars[i + 1]));
                    i += 1;
                }
                '*' if matches!(items.last(), Some(Item::Star)) => {}
                '*' => items.push(Item::Star),
                '?' => items.push(Item::Any),
                '[' => match set(&chars, i) {
                    Some((item, end)) => {
                        items.push(item);
                        i = end;
                    }
                    None => items.push(Item::Char('[')),
                },
                c => items.push(Item::Char(c)),
            }
            i += 1;
        }
        Pattern { items }
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        self.matches_chars(&chars, &mut MAX_STEPS.clone()).unwrap_or(false)
    }

    /// Star-backtracking matcher: remembers only the last star, so it takes at most pattern × text steps.
    fn matches_chars(&self, text: &[char], steps: &mut usize) -> Result<bool, TooComplex> {
        let (mut p, mut t) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        loop {
            *steps = steps.checked_sub(1).ok_or(TooComplex)?;
            match self.items.get(p) {
                Some(Item::Star) => {
                    star = Some((p, t));
                    p += 1;
                    continue;
                }
                Some(item) if t < text.len() && item.accepts(text[t]) => {
                    p += 1;
                    t += 1;
                    continue;
                }
                None if t == text.len() => return Ok(true),
                _ => {}
            }
            match star {
                Some((star_p, star_t)) if star_t < text.len() => {
                    star = Some((star_p, star_t + 1));
                    p = star_p + 1;
                    t = star_t + 1;
                }
                _ => return Ok(false),
            }
        }
    }

    /// Length in characters of the shortest or longest beginning that matches.
    pub fn prefix(&self, text: &[char], longest: bool) -> Result<Option<usize>, TooComplex> {
        let mut steps = MAX_STEPS;
        self.first_match(0..=text.len(), longest, |end| &text[..end], &mut steps)
    }

    /// Where the shortest or longest ending that matches starts.
    pub fn suffix(&self, text: &[char], longest: bool) -> Result<Option<usize>, TooComplex> {
        let mut steps = MAX_STEPS;
        self.first_match(0..=text.len(), !longest, |start| &text[start..], &mut steps)
    }

    fn first_match<'t>(
        &self,
        places: std::ops::RangeInclusive<usize>,
        from_the_end: bool,
        part: impl Fn(usize) -> &'t [char],
        steps: &mut usize,
    ) -> Result<Option<usize>, TooComplex> {
        let (low, high) = (*places.start(), *places.end());
        for n in low..=high {
            let place = if from_the_end { high - (n - low) } else { n };
            if self.matches_chars(part(place), steps)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// `${name/pattern/with}`: `kind` is `/` for all, `#` for the beginning, `%` for the end, else the first.
    pub fn replace(&self, text: &str, kind: char, with: &str) -> Result<String, TooComplex> {
        let chars: Vec<char> = text.chars().collect();
        let joined = |a: &[char], b: &[char]| a.iter().collect::<String>() + with + &b.iter().collect::<String>();
        match kind {
            '#' => Ok(self.prefix(&chars, true)?.map_or(text.to_string(), |end| joined(&[], &chars[end..]))),
            '%' => Ok(self.suffix(&chars, true)?.map_or(text.to_string(), |start| joined(&chars[..start], &[]))),
            _ => self.replace_within(&chars, kind == '/', with),
        }
    }

    fn replace_within(&self, chars: &[char], all: bool, with: &str) -> Result<String, TooComplex> {
        let mut steps = MAX_STEPS;
        let mut out = String::new();
        let mut i = 0;
        let mut replaced = false;
        while i < chars.len() {
            let end = match replaced && !all || self.items.is_empty() {
                true => None,
                false => self.first_match(i + 1..=chars.len(), true, |end| &chars[i..end], &mut steps)?,
            };
            match end {
                Some(end) => {
                    out.push_str(with);
                    i = end;
                    replaced = true;
                }
                None => {
                    out.push(chars[i]);
                    i += 1;
                }
            }
        }
        Ok(out)
    }
}

impl Item {
    fn accepts(&self, c: char) -> bool {
        match self {
            Item::Char(own) => *own == c,
            Item::Any => true,
            Item::Star => false,
            Item::Set { negated, ranges, classes } => {
                let found =
                    ranges.iter().any(|(a, b)| *a <= c && c <= *b) || classes.iter().any(|name| in_class(name, c));
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

/// `text` with everything that means something in a pattern escaped.
pub fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '-' | '!' | '^') {
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
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), want, "{pattern} on {text}");
        }
    }

    #[test]
    fn long_texts_end_with_an_error_instead_of_hanging() {
        let text: Vec<char> = "a".repeat(100_000).chars().collect();
        assert_eq!(Pattern::new("*a*a*a*a*b").prefix(&text, true), Err(TooComplex));
    }
}
