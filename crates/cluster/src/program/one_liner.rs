//! `python -c`, `node -e` and their like, as far as anyone can see what they do: texts that only print what stands in
//! them, sleep and end.
//!
//! Rule: a text is run only if every statement of it is understood; otherwise nothing of it is. It is no interpreter.

use shell::Stream;
use values::time::Span;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    Python,
    Node,
    Ruby,
    Php,
}

/// One thing that a text does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    Print(Stream, String),
    Sleep(Span),
    Exit(i32),
}

impl Language {
    pub fn named(name: &str) -> Option<Language> {
        Some(match name {
            "python" => Language::Python,
            "node" => Language::Node,
            "ruby" => Language::Ruby,
            "php" => Language::Php,
            _ => return None,
        })
    }

    /// The flags behind which the text stands.
    fn flags(self) -> &'static [&'static str] {
        match self {
            Language::Python => &["-c"],
            Language::Node => &["-e", "--eval"],
            Language::Ruby => &["-e"],
            Language::Php => &["-r"],
        }
    }

    fn quotes(self) -> &'static [char] {
        if self == Language::Node { &['"', '\'', '`'] } else { &['"', '\''] }
    }
}

/// The steps of the text among the arguments; none if there is no text, or not all of it is understood.
pub fn steps(language: Language, argv: &[String]) -> Option<Vec<Step>> {
    let at = argv.iter().position(|arg| language.flags().contains(&arg.as_str()))?;
    // Flags before it may mean anything, but for `-u` (unbuffered), which is common.
    if argv[1..at].iter().any(|arg| arg != "-u") {
        return None;
    }
    let mut steps = Vec::new();
    for statement in statements(argv.get(at + 1)?, language)? {
        steps.extend(read(language, &statement)?);
    }
    Some(steps)
}

/// Cuts a text at line ends and semicolons outside of quotes. Indented lines belong to blocks, which are not understood.
fn statements(text: &str, language: Language) -> Option<Vec<String>> {
    let (mut all, mut now, mut quote) = (Vec::new(), String::new(), None);
    let mut escaped = false;
    for c in text.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if language.quotes().contains(&c) => quote = Some(c),
            None if c == '\n' || c == ';' => {
                all.push(std::mem::take(&mut now));
                continue;
            }
            None => {}
        }
        now.push(c);
    }
    all.push(now);
    if quote.is_some() {
        return None;
    }
    let comment = if matches!(language, Language::Python | Language::Ruby) { "#" } else { "//" };
    let kept = all.into_iter().map(|s| s.trim_end().to_owned());
    let kept: Vec<String> = kept.filter(|s| !s.trim().is_empty() && !s.trim().starts_with(comment)).collect();
    let in_block = |s: &String| s.starts_with("    ") || s.starts_with('\t') || s.ends_with(':') || s.ends_with('{');
    if language == Language::Python && kept.iter().any(in_block) {
        return None;
    }
    Some(kept.into_iter().map(|s| s.trim().to_owned()).collect())
}

fn read(language: Language, statement: &str) -> Option<Vec<Step>> {
    let one = |step: Step| Some(vec![step]);
    let print = |stream: Stream, text: String| Some(vec![Step::Print(stream, text)]);
    let line = |stream: Stream, words: Vec<String>| print(stream, format!("{}\n", words.join(" ")));
    match language {
        Language::Python => {
            if statement == "pass" || statement.starts_with("import ") || statement.starts_with("from ") {
                return Some(Vec::new());
            }
            if let Some(args) = call(statement, &["print"]) {
                let args = args.trim_end_matches("flush=True").trim_end().trim_end_matches(',');
                return line(Stream::Stdout, literals(language, args)?);
            }
            if let Some(args) = call(statement, &["time.sleep", "sleep"]) {
                return one(Step::Sleep(seconds(args)?));
            }
            if let Some(args) = call(statement, &["sys.exit", "exit", "quit", "os._exit", "raise SystemExit"]) {
                return exit(args);
            }
            let (name, args) = statement.strip_prefix("raise ")?.split_once('(')?;
            let words = literals(language, args.strip_suffix(')')?)?;
            let text = format!(
                "Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\n{name}: {}\n",
                words.join(" ")
            );
            Some(vec![Step::Print(Stream::Stderr, text), Step::Exit(1)])
        }
        Language::Node => {
            if let Some(args) = call(statement, &["console.log", "console.info"]) {
                return line(Stream::Stdout, literals(language, args)?);
            }
            if let Some(args) = call(statement, &["console.error", "console.warn"]) {
                return line(Stream::Stderr, literals(language, args)?);
            }
            if let Some(args) = call(statement, &["process.exit"]) {
                return exit(args);
            }
            let args = call(statement, &["setTimeout"])?;
            let wait = ["() => {},", "()=>{},", "() => {} ,", "function(){},"]
                .iter()
                .find_map(|nothing| args.strip_prefix(nothing))?;
            one(Step::Sleep(Span::ms(wait.trim().parse().ok().filter(|ms| (0..1 << 40).contains(ms))?)))
        }
        Language::Ruby => {
            if let Some(args) = statement.strip_prefix("puts") {
                return line(Stream::Stdout, literals(language, unwrapped(args))?);
            }
            if let Some(args) = statement.strip_prefix("sleep") {
                return one(Step::Sleep(seconds(unwrapped(args))?));
            }
            exit(unwrapped(statement.strip_prefix("exit")?))
        }
        Language::Php => {
            if let Some(args) = statement.strip_prefix("echo") {
                return print(Stream::Stdout, literals(language, unwrapped(args))?.concat());
            }
            if let Some(args) = call(statement, &["sleep"]) {
                return one(Step::Sleep(seconds(args)?));
            }
            exit(unwrapped(statement.strip_prefix("exit")?))
        }
    }
}

/// What stands in the brackets of a call of one of these.
fn call<'t>(statement: &'t str, names: &[&str]) -> Option<&'t str> {
    names.iter().find_map(|name| statement.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')).map(str::trim)
}

fn unwrapped(args: &str) -> &str {
    let args = args.trim();
    args.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(args).trim()
}

fn seconds(text: &str) -> Option<Span> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.len() <= 9 && part.chars().all(|c| c.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let thousandths: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Some(Span::ms(whole * 1000 + thousandths))
}

fn exit(args: &str) -> Option<Vec<Step>> {
    let code = if args.is_empty() { 0 } else { args.parse::<i32>().ok()? & 0xff };
    Some(vec![Step::Exit(code)])
}

/// The texts of literals that commas part: quoted strings and numbers.
fn literals(language: Language, args: &str) -> Option<Vec<String>> {
    let mut out = Vec::new();
    let mut rest = args.trim();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| language.quotes().contains(c));
        let behind = match quote {
            Some(quote) => {
                let (text, behind) = quoted(language, &rest[1..], quote)?;
                out.push(text);
                behind
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let number = rest[..end].trim();
                number
                    .parse::<f64>()
                    .ok()
                    .filter(|_| number.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-'))?;
                out.push(number.to_owned());
                &rest[end..]
            }
        };
        let behind = behind.trim_start();
        rest = if behind.is_empty() { behind } else { behind.strip_prefix(',')?.trim_start() };
    }
    Some(out)
}

/// A string up to its closing quote, and what stands behind it. What would be put in (`${x}`, `#{x}`, `$x`) is not
/// understood.
fn quoted(language: Language, text: &str, quote: char) -> Option<(String, &str)> {
    let raw = quote == '\'' && matches!(language, Language::Ruby | Language::Php);
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((out, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' if !raw => out.push('\n'),
                't' if !raw => out.push('\t'),
                next @ ('\\' | '"' | '\'' | '`') => out.push(next),
                _ => return None,
            },
            '$' if language == Language::Php && !raw => return None,
            '#' if language == Language::Ruby && !raw && text[at + 1..].starts_with('{') => return None,
            '$' if quote == '`' && text[at + 1..].starts_with('{') => return None,
            c => out.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(language: Language, flag: &str, text: &str) -> Option<String> {
        let argv = ["x".to_owned(), flag.to_owned(), text.to_owned()];
        let steps = steps(language, &argv)?;
        let tell = |step: Step| match step {
            Step::Print(Stream::Stdout, text) => format!("out {text:?}"),
            Step::Print(Stream::Stderr, text) => format!("err {text:?}"),
            Step::Sleep(span) => format!("sleep {}", span.as_ms()),
            Step::Exit(code) => format!("exit {code}"),
        };
        Some(steps.into_iter().map(tell).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn what_only_prints_and_sleeps_is_run() {
        let python = |text| told(Language::Python, "-c", text);
        assert_eq!(python("print(1)").unwrap(), r#"out "1\n""#);
        assert_eq!(
            python("import time, sys; print('a', \"b;c\"); time.sleep(1.5)\nsys.exit(3)").unwrap(),
            r#"out "a b;c\n", sleep 1500, exit 3"#
        );
        assert!(python("raise ValueError('no')").unwrap().ends_with("exit 1"));
        assert_eq!(
            told(Language::Node, "-e", "console.log('hi', 2); process.exit(1)").unwrap(),
            r#"out "hi 2\n", exit 1"#
        );
        assert_eq!(told(Language::Ruby, "-e", "puts \"x\"; sleep 2").unwrap(), r#"out "x\n", sleep 2000"#);
        assert_eq!(told(Language::Php, "-r", r#"echo "a\n"; exit(4);"#).unwrap(), r#"out "a\n", exit 4"#);
    }

    #[test]
    fn what_is_not_understood_is_not_run_at_all() {
        for text in ["print(x)", "print(f'{1}')", "for i in range(3):\n    print('a')", "print('a'); do()", "print('a"]
        {
            assert_eq!(told(Language::Python, "-c", text), None, "{text}");
        }
        assert_eq!(told(Language::Node, "-e", "console.log(`a${1}`)"), None);
        assert_eq!(told(Language::Php, "-r", r#"echo "$x";"#), None);
    }
}
