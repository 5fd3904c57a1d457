//! Reading a command line as cobra and pflag do: flags anywhere, long and short, joined or apart.
//!
//! Source: `github.com/spf13/pflag` (`parseLongArg`, `parseSingleShortArg`); error texts are kubectl's.

use values::duration::GoDuration;
use values::sorted::SortedMap;

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// `--watch`, `--watch=false`
    Nothing,
    /// `--output yaml`
    Text,
    /// `--tail 5`: a whole number.
    Number,
    /// `--timeout 30s`: a Go duration.
    Duration,
    /// `--filename a --filename b,c`: may be given more than once.
    List,
    /// `--env a=b,c`: may be given more than once; commas are part of the value.
    Array,
    /// `--dry-run` alone means the given value; a value must be joined with `=`.
    Optional(&'static str),
}

/// A flag of a verb.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flag {
    /// Without the dashes.
    pub name: &'static str,
    pub short: Option<char>,
    pub takes: Takes,
    /// kubectl's default, as its help prints it; empty if there is none.
    pub default: &'static str,
    /// One line, our own words.
    pub help: &'static str,
}

/// A flag without a short form or default.
pub const fn flag(name: &'static str, takes: Takes, help: &'static str) -> Flag {
    Flag { name, short: None, takes, default: "", help }
}

impl Flag {
    pub const fn short(self, short: char) -> Flag {
        Flag { short: Some(short), ..self }
    }

    pub const fn default(self, default: &'static str) -> Flag {
        Flag { default, ..self }
    }

    /// pflag's words for a value that the flag cannot take.
    fn refuses(&self, value: &str, why: &str) -> String {
        let short = self.short.map(|short| format!("-{short}, ")).unwrap_or_default();
        format!("invalid argument \"{value}\" for \"{short}--{}\" flag: {why}", self.name)
    }
}

/// A command line that was read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Parsed {
    /// What is no flag.
    pub args: Vec<String>,
    /// How many of `args` stood before `--`; none if there was no `--`.
    pub dash_at: Option<usize>,
    values: SortedMap<&'static str, Vec<String>>,
}

impl Parsed {
    /// The last value given to a flag.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(|values| values.last()).map(String::as_str)
    }

    /// All values given to a flag.
    pub fn list(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    pub fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// True if a switch is on.
    pub fn on(&self, name: &str) -> bool {
        self.text(name).is_some_and(|value| value == "true")
    }
}

/// Reads `argv` (without the verb).
///
/// # Errors
/// pflag's text, without `error: `.
pub fn parse(argv: &[String], flags: &[&[Flag]]) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    let mut rest = argv.iter();
    while let Some(arg) = rest.next() {
        if arg == "--" {
            parsed.dash_at = Some(parsed.args.len());
            parsed.args.extend(rest.cloned());
            break;
        }
        if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v.to_owned())));
            let flag = find(flags, |f| f.name == name).ok_or_else(|| format!("unknown flag: --{name}"))?;
            let value = match (value, flag.takes) {
                (Some(value), _) => value,
                (None, Takes::Nothing) => "true".to_owned(),
                (None, Takes::Optional(default)) => default.to_owned(),
                (None, _) => rest.next().cloned().ok_or_else(|| format!("flag needs an argument: --{name}"))?,
            };
            parsed.put(flag, value, &format!("--{name}"))?;
        } else if arg.len() > 1 && arg.starts_with('-') {
            parsed.shorts(&arg[1..], flags, &mut rest)?;
        } else {
            parsed.args.push(arg.clone());
        }
    }
    Ok(parsed)
}

impl Parsed {
    /// `-it`, `-oyaml`, `-o=yaml`, `-o yaml`.
    fn shorts<'a>(
        &mut self,
        shorts: &str,
        flags: &[&[Flag]],
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), String> {
        let mut left = shorts;
        while let Some(letter) = left.chars().next() {
            let flag = find(flags, |f| f.short == Some(letter))
                .ok_or_else(|| format!("unknown shorthand flag: '{letter}' in -{left}"))?;
            let tail = &left[letter.len_utf8()..];
            let named = format!("'{letter}' in -{left}");
            if let Some(value) = tail.strip_prefix('=') {
                return self.put(flag, value.to_owned(), &format!("-{letter}"));
            }
            match flag.takes {
                Takes::Nothing => self.put(flag, "true".to_owned(), &format!("-{letter}"))?,
                Takes::Optional(default) => self.put(flag, default.to_owned(), &format!("-{letter}"))?,
                _ if !tail.is_empty() => return self.put(flag, tail.to_owned(), &format!("-{letter}")),
                _ => {
                    let value = rest.next().cloned().ok_or_else(|| format!("flag needs an argument: {named}"))?;
                    return self.put(flag, value, &format!("-{letter}"));
                }
            }
            left = tail;
        }
        Ok(())
    }

    fn put(&mut self, flag: &Flag, value: String, shown: &str) -> Result<(), String> {
        let value = match flag.takes {
            Takes::Nothing => switch(&value, flag, shown)?,
            Takes::Number => number(&value).map_err(|why| flag.refuses(&value, &why))?,
            Takes::Duration => {
                value.parse::<GoDuration>().map_err(|why| flag.refuses(&value, &why.to_string()))?;
                value
            }
            Takes::Text | Takes::List | Takes::Array | Takes::Optional(_) => value,
        };
        let values = self.values.entry(flag.name).or_default();
        if flag.takes == Takes::List {
            values.extend(value.split(',').map(str::to_owned));
        } else {
            values.push(value);
        }
        Ok(())
    }
}

/// Go's `strconv.ParseInt` with base 0, written again in tens.
fn number(text: &str) -> Result<String, String> {
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => ("-", &text[1..]),
        Some(b'+') => ("", &text[1..]),
        _ => ("", text),
    };
    let (base, digits) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    let said = |why: &str| format!("strconv.ParseInt: parsing \"{text}\": {why}");
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return Err(said("invalid syntax"));
    }
    let read = i64::from_str_radix(&format!("{sign}{digits}"), base).map_err(|_| said("value out of range"))?;
    Ok(read.to_string())
}

/// Go's `strconv.ParseBool`.
fn switch(value: &str, flag: &Flag, shown: &str) -> Result<String, String> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok("true".to_owned()),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok("false".to_owned()),
        _ => {
            let short = flag.short.map(|s| format!("-{s}, ")).unwrap_or_default();
            let full = if shown.starts_with("--") || !short.is_empty() {
                format!("{short}--{}", flag.name)
            } else {
                shown.to_owned()
            };
            Err(format!(
                "invalid argument \"{value}\" for \"{full}\" flag: strconv.ParseBool: parsing \"{value}\": invalid syntax"
            ))
        }
    }
}

/// Where the first word stands that is neither a flag nor a flag's value, from `from` on and before `--`. Flags that are not
/// in `known` are taken to stand alone.
pub fn first_argument(argv: &[String], from: usize, known: &[Flag]) -> Option<usize> {
    let mut at = from;
    while let Some(arg) = argv.get(at) {
        if arg == "--" {
            return None;
        }
        if arg.len() < 2 || !arg.starts_with('-') {
            return Some(at);
        }
        let flag = match arg.strip_prefix("--") {
            Some(long) => known.iter().find(|f| f.name == long),
            None => known.iter().find(|f| arg.len() == 2 && f.short == arg.chars().nth(1)),
        };
        let stands_alone = |flag: &Flag| matches!(flag.takes, Takes::Nothing | Takes::Optional(_));
        at += if flag.is_some_and(|flag| !stands_alone(flag)) && !arg.contains('=') { 2 } else { 1 };
    }
    None
}

fn find<'f>(flags: &[&'f [Flag]], is: impl Fn(&Flag) -> bool) -> Option<&'f Flag> {
    flags.iter().flat_map(|list| list.iter()).find(|f| is(f))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &[Flag] = &[
        flag("output", Takes::Text, "").short('o'),
        flag("watch", Takes::Nothing, "").short('w'),
        flag("filename", Takes::List, "").short('f'),
        flag("dry-run", Takes::Optional("unchanged"), ""),
        flag("stdin", Takes::Nothing, "").short('i'),
        flag("tail", Takes::Number, ""),
        flag("replicas", Takes::Number, "").short('r'),
        flag("timeout", Takes::Duration, ""),
    ];

    fn read(line: &str) -> Result<Parsed, String> {
        let argv: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&argv, &[FLAGS])
    }

    #[test]
    fn flags_may_stand_anywhere_and_in_every_form() {
        for line in ["pods -o yaml -w", "-oyaml pods --watch", "--output=yaml -w=true pods", "-wo yaml pods"] {
            let parsed = read(line).unwrap();
            assert_eq!(parsed.text("output"), Some("yaml"), "{line}");
            assert!(parsed.on("watch"), "{line}");
            assert_eq!(parsed.args, ["pods"], "{line}");
        }
        assert_eq!(read("-f a,b -f c").unwrap().list("filename"), ["a", "b", "c"]);
        assert_eq!(read("--dry-run x").unwrap().args, ["x"]);
        let parsed = read("x -- -w y").unwrap();
        assert_eq!((parsed.dash_at, parsed.args.len()), (Some(1), 3));
    }

    #[test]
    fn mistakes_have_pflags_words() {
        for (line, text) in [
            ("-a", "unknown shorthand flag: 'a' in -a"),
            ("-wa", "unknown shorthand flag: 'a' in -a"),
            ("--nope=1", "unknown flag: --nope"),
            ("pods -o", "flag needs an argument: 'o' in -o"),
            ("--output", "flag needs an argument: --output"),
            ("--tail=a", "invalid argument \"a\" for \"--tail\" flag: strconv.ParseInt: parsing \"a\": invalid syntax"),
            (
                "-r x",
                "invalid argument \"x\" for \"-r, --replicas\" flag: strconv.ParseInt: parsing \"x\": invalid syntax",
            ),
            (
                "--tail=99999999999999999999",
                "invalid argument \"99999999999999999999\" for \"--tail\" flag: strconv.ParseInt: parsing \
                 \"99999999999999999999\": value out of range",
            ),
            ("--timeout=5", "invalid argument \"5\" for \"--timeout\" flag: time: missing unit in duration \"5\""),
            (
                "--watch=maybe",
                "invalid argument \"maybe\" for \"-w, --watch\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
            ),
        ] {
            assert_eq!(read(line).unwrap_err(), text);
        }
    }
}
