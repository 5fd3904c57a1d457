//! Options and operands of the common commands, read as getopt(3) reads them.

/// Options and operands of a command line.
#[derive(Default)]
pub struct Args {
    /// Letters given, each with its value if it takes one.
    pub options: Vec<(char, String)>,
    pub operands: Vec<String>,
}

impl Args {
    /// Splits arguments getopt's way: `-abc`, `-n5`, `-n 5`, `--` (and long options by their letter, from `long`).
    ///
    /// # Errors
    /// The option that is not known.
    pub fn parse(args: &[String], flags: &str, with_value: &str, long: &[(&str, char)]) -> Result<Args, String> {
        let mut parsed = Args::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if arg == "--" {
                parsed.operands.extend(rest.cloned());
                break;
            }
            if let Some(name) = arg.strip_prefix("--") {
                let (name, value) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
                let letter =
                    long.iter().find(|(known, _)| *known == name).map(|(_, letter)| *letter).ok_or(arg.clone())?;
                let value = match value {
                    Some(value) => value.to_string(),
                    None if with_value.contains(letter) => rest.next().cloned().ok_or(arg.clone())?,
                    None => String::new(),
                };
                parsed.options.push((letter, value));
                continue;
            }
            let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                parsed.operands.push(arg.clone());
                continue;
            };
            for (i, letter) in letters.char_indices() {
                if flags.contains(letter) {
                    parsed.options.push((letter, String::new()));
                    continue;
                }
                if !with_value.contains(letter) {
                    return Err(format!("-{letter}"));
                }
                let attached = &letters[i + letter.len_utf8()..];
                let value = match attached.is_empty() {
                    true => rest.next().cloned().ok_or(format!("-{letter}"))?,
                    false => attached.to_string(),
                };
                parsed.options.push((letter, value));
                break;
            }
        }
        Ok(parsed)
    }

    pub fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(found, _)| *found == letter)
    }

    /// The value of the last such option.
    pub fn value(&self, letter: char) -> Option<&str> {
        self.options.iter().rev().find(|(found, _)| *found == letter).map(|(_, value)| value.as_str())
    }
}

/// Runs a body that may end early with an outcome: `?` for commands.
macro_rules! parse_args {
    ($call:expr, $flags:expr, $values:expr) => {
        parse_args!($call, $flags, $values, &[])
    };
    ($call:expr, $flags:expr, $values:expr, $long:expr) => {
        match $crate::commands::Args::parse($call.args, $flags, $values, $long) {
            Ok(args) => args,
            Err(option) => return $call.bad_option(&option),
        }
    };
}
pub(crate) use parse_args;
