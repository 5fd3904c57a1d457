//! Small commands that only print or decide: `true`, `test`, `sleep`, `expr`, `basename`, `id`, `uname` …

use super::{Call, Outcome, State, parse_args, parse_seconds, path_of};
use crate::builtins::test::{Files, evaluate};
use crate::regex::Regex;
use values::time::Span;

pub fn succeed(_: &mut Call<'_>) -> Outcome {
    Outcome::Done(0)
}

pub fn fail(_: &mut Call<'_>) -> Outcome {
    Outcome::Done(1)
}

pub fn test(call: &mut Call<'_>) -> Outcome {
    let mut args = call.args;
    let prefix = call.state.prefix(None);
    let bash_name = if call.is_ash() { String::new() } else { format!("{}: ", call.name) };
    let mut say = |text: &str| {
        let line = format!("{prefix}{bash_name}{text}\n");
        call.output.write(crate::process::Stream::Stderr, line.as_bytes());
    };
    if call.name == "[" {
        match args.split_last() {
            Some((last, rest)) if last == "]" => args = rest,
            _ => {
                say(if bash_name.is_empty() { "missing ]" } else { "missing `]'" });
                return Outcome::Done(2);
            }
        }
    }
    let files = Files { cwd: &call.state.cwd, system: &*call.system };
    match evaluate(args, &files, call.state.dialect) {
        Ok(value) => Outcome::Done(i32::from(!value)),
        Err(message) => {
            say(&message);
            Outcome::Done(2)
        }
    }
}

pub fn sleep(call: &mut Call<'_>) -> Outcome {
    if call.args.is_empty() {
        return call.usage(1);
    }
    let mut span = Span::ZERO;
    for text in call.args {
        match parse_seconds(text) {
            Some(more) => span = span + more,
            None if call.is_ash() => {
                call.err("sleep", &format!("invalid number '{text}'"));
                return Outcome::Done(1);
            }
            None => {
                call.err("sleep", &format!("invalid time interval ‘{text}’\nTry 'sleep --help' for more information."));
                return Outcome::Done(1);
            }
        }
    }
    Outcome::Runs(State::Sleep { until: call.system.now() + span })
}

pub fn basename(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "a", "s");
    let (names, suffix) = match (args.value('s'), args.has('a'), args.operands.as_slice()) {
        (_, _, []) => return call.usage(1),
        (Some(suffix), _, names) => (names, suffix),
        (None, true, names) => (names, ""),
        (None, false, [name]) => (std::slice::from_ref(name), ""),
        (None, false, [name, suffix]) => (std::slice::from_ref(name), suffix.as_str()),
        _ => return call.usage(1),
    };
    for name in names {
        let trimmed = name.trim_end_matches('/');
        let base =
            if trimmed.is_empty() && !name.is_empty() { "/" } else { trimmed.rsplit('/').next().unwrap_or_default() };
        let short = base.strip_suffix(suffix).filter(|short| !short.is_empty()).unwrap_or(base).to_string();
        call.out(&format!("{short}\n"));
    }
    Outcome::Done(0)
}

pub fn dirname(call: &mut Call<'_>) -> Outcome {
    let Some(name) = call.args.first() else { return call.usage(1) };
    let trimmed = name.trim_end_matches('/');
    let text = match trimmed.rfind('/') {
        None if name.starts_with('/') => "/",
        None => ".",
        Some(0) => "/",
        Some(at) => trimmed[..at].trim_end_matches('/'),
    };
    call.out(&format!("{text}\n"));
    Outcome::Done(0)
}

pub fn clear(call: &mut Call<'_>) -> Outcome {
    call.out("\x1b[H\x1b[2J\x1b[3J");
    Outcome::Done(0)
}

pub fn history(call: &mut Call<'_>) -> Outcome {
    for (i, line) in call.history.iter().enumerate() {
        call.output.write(crate::process::Stream::Stdout, format!("{:>5}  {line}\n", i + 1).as_bytes());
    }
    Outcome::Done(0)
}

pub fn hostname(call: &mut Call<'_>) -> Outcome {
    let name = call.system.host_name();
    call.out(&format!("{name}\n"));
    Outcome::Done(0)
}

pub fn whoami(call: &mut Call<'_>) -> Outcome {
    let (name, _) = call.system.user();
    call.out(&format!("{name}\n"));
    Outcome::Done(0)
}

pub fn id(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "unrgG", "");
    let (name, number) = call.system.user();
    let text = match (args.has('u') || args.has('g') || args.has('G'), args.has('n')) {
        (true, true) => name,
        (true, false) => number.to_string(),
        _ => format!("uid={number}({name}) gid={number}({name}) groups={number}({name})"),
    };
    call.out(&format!("{text}\n"));
    Outcome::Done(0)
}

pub fn tty(call: &mut Call<'_>) -> Outcome {
    call.out(if call.to_terminal { "/dev/pts/0\n" } else { "not a tty\n" });
    Outcome::Done(i32::from(!call.to_terminal))
}

pub fn nproc(call: &mut Call<'_>) -> Outcome {
    call.out("2\n");
    Outcome::Done(0)
}

pub fn uname(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "asnrvmpio", "");
    let node = call.system.host_name();
    let all = [
        ('s', "Linux"),
        ('n', node.as_str()),
        ('r', "6.18.0"),
        ('v', "#1 SMP PREEMPT_DYNAMIC"),
        ('m', "x86_64"),
        ('o', "GNU/Linux"),
    ];
    let wanted = |letter: char| args.has('a') || args.has(letter) || args.options.is_empty() && letter == 's';
    let text =
        all.into_iter().filter(|(letter, _)| wanted(*letter)).map(|(_, text)| text).collect::<Vec<_>>().join(" ");
    call.out(&format!("{text}\n"));
    Outcome::Done(0)
}

pub fn vi(call: &mut Call<'_>) -> Outcome {
    let text =
        if call.to_terminal { "there is no screen editor here: use the editor's tabs" } else { "can't tcgetattr" };
    let name = call.name;
    call.err(name, text);
    Outcome::Done(1)
}

pub fn which(call: &mut Call<'_>) -> Outcome {
    let mut status = 0;
    for name in call.args {
        let shell = matches!(name.as_str(), "sh" | "bash");
        if (super::find(name).is_some() && call.system.has_common(name)) || shell || call.system.knows(name) {
            let path = path_of(name, call.state.dialect);
            call.out(&format!("{path}\n"));
        } else {
            status = 1;
        }
    }
    Outcome::Done(status)
}

pub fn printenv(call: &mut Call<'_>) -> Outcome {
    let env = call.state.env();
    if call.args.is_empty() {
        for (name, value) in env {
            call.out(&format!("{name}={value}\n"));
        }
        return Outcome::Done(0);
    }
    let mut status = 0;
    for name in call.args {
        match env.get(name) {
            Some(value) => call.out(&format!("{value}\n")),
            None => status = 1,
        }
    }
    Outcome::Done(status)
}

/// `expr`: POSIX.1 XCU expr, by precedence.
pub fn expr(call: &mut Call<'_>) -> Outcome {
    let mut parser = Expr { args: call.args, pos: 0, depth: 0 };
    let result = match parser.level(0) {
        Ok(value) if parser.pos == call.args.len() => Ok(value),
        Ok(_) => Err("syntax error".to_string()),
        Err(message) => Err(message),
    };
    match result {
        Ok(value) => {
            call.out(&format!("{value}\n"));
            Outcome::Done(i32::from(value.is_empty() || value == "0"))
        }
        Err(message) => {
            call.err("expr", &message);
            Outcome::Done(2)
        }
    }
}

struct Expr<'a> {
    args: &'a [String],
    pos: usize,
    depth: u32,
}

const EXPR_LEVELS: [&[&str]; 6] =
    [&["|"], &["&"], &["=", "==", "!=", "<", ">", "<=", ">="], &["+", "-"], &["*", "/", "%"], &[":"]];

impl Expr<'_> {
    fn level(&mut self, level: usize) -> Result<String, String> {
        let Some(operators) = EXPR_LEVELS.get(level) else { return self.primary() };
        let mut left = self.level(level + 1)?;
        while let Some(operator) = self.args.get(self.pos).filter(|arg| operators.contains(&arg.as_str())) {
            self.pos += 1;
            let right = self.level(level + 1)?;
            left = apply(&left, operator, &right)?;
        }
        Ok(left)
    }

    fn primary(&mut self) -> Result<String, String> {
        let word = self.args.get(self.pos).ok_or("syntax error")?.clone();
        self.pos += 1;
        self.depth += 1;
        if self.depth > 200 {
            return Err("syntax error".into());
        }
        let mut operand = || {
            let word = self.args.get(self.pos).ok_or("syntax error".to_string());
            self.pos += 1;
            word.cloned()
        };
        match word.as_str() {
            "(" => {
                let value = self.level(0)?;
                self.pos += 1;
                if self.args.get(self.pos - 1).is_some_and(|arg| arg == ")") {
                    Ok(value)
                } else {
                    Err("syntax error".into())
                }
            }
            "length" => Ok(operand()?.chars().count().to_string()),
            "match" => apply(&operand()?, ":", &operand()?),
            "index" => {
                let (text, set) = (operand()?, operand()?);
                Ok(text.chars().position(|c| set.contains(c)).map_or(0, |at| at + 1).to_string())
            }
            "substr" => {
                let (text, from, count) = (operand()?, operand()?, operand()?);
                let number = |text: &str| text.parse::<usize>().unwrap_or(0);
                let from = number(&from);
                Ok(text.chars().skip(from.saturating_sub(1)).take(if from == 0 { 0 } else { number(&count) }).collect())
            }
            _ => Ok(word),
        }
    }
}

fn apply(left: &str, operator: &str, right: &str) -> Result<String, String> {
    let truth = |text: &str| !text.is_empty() && text != "0";
    let numbers = left.parse::<i64>().ok().zip(right.parse::<i64>().ok());
    let order = numbers.map_or_else(|| left.cmp(right), |(a, b)| a.cmp(&b));
    let yes = |value: bool| Ok(i64::from(value).to_string());
    match operator {
        "|" => Ok(if truth(left) { left } else { right }.to_string()),
        "&" => Ok(if truth(left) && truth(right) { left } else { "0" }.to_string()),
        "=" | "==" => yes(order.is_eq()),
        "!=" => yes(order.is_ne()),
        "<" => yes(order.is_lt()),
        ">" => yes(order.is_gt()),
        "<=" => yes(order.is_le()),
        ">=" => yes(order.is_ge()),
        ":" => {
            let regex = Regex::basic(&format!("^{right}"), false)?;
            let found = regex.find(left.as_bytes(), 0);
            let group = found.as_ref().and_then(|groups| groups[1]);
            Ok(match (found, right.contains("\\(")) {
                (_, true) => {
                    group.map(|(from, to)| left.get(from..to).unwrap_or_default().to_string()).unwrap_or_default()
                }
                (Some(groups), false) => groups[0].map_or(0, |(from, to)| to - from).to_string(),
                (None, false) => "0".into(),
            })
        }
        _ => {
            let (a, b) = numbers.ok_or("non-integer argument")?;
            if matches!(operator, "/" | "%") && b == 0 {
                return Err("division by zero".into());
            }
            Ok(match operator {
                "+" => a.wrapping_add(b),
                "-" => a.wrapping_sub(b),
                "*" => a.wrapping_mul(b),
                "/" => a.wrapping_div(b),
                _ => a.wrapping_rem(b),
            }
            .to_string())
        }
    }
}
