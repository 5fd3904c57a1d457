//! Commands that print without reading: `seq`, `yes`.

use super::{Advance, Call, Outcome, State, parse_args};

/// Lines printed in one step.
const LINES: usize = 500;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Producer {
    /// Numbers in units of 10^-decimals.
    Seq {
        next: i128,
        step: i128,
        last: i128,
        decimals: usize,
        width: usize,
        /// `-f`: what stands around the number, and how it is written.
        format: Option<String>,
        separator: String,
        started: bool,
    },
    Yes {
        line: String,
    },
}

impl Producer {
    pub fn name(&self) -> &'static str {
        match self {
            Producer::Seq { .. } => "seq",
            Producer::Yes { .. } => "yes",
        }
    }

    pub fn advance(&mut self, call: &mut Call<'_>) -> Advance {
        let mut text = String::new();
        for _ in 0..LINES {
            match self {
                Producer::Yes { line } => text.push_str(line),
                Producer::Seq { next, step, last, decimals, width, format, separator, started } => {
                    if if *step > 0 { *next > *last } else { *next < *last } {
                        if *started {
                            text.push('\n');
                        }
                        call.out(&text);
                        return Advance::Done(0);
                    }
                    if std::mem::replace(started, true) {
                        text.push_str(separator);
                    }
                    match format {
                        None => text.push_str(&decimal(*next, *decimals, *width)),
                        Some(format) => {
                            let value = decimal(*next, *decimals, 0);
                            let mode = super::Mode::awk(crate::syntax::Dialect::Bash);
                            let printed = super::printf_text(format, &[value], mode);
                            text.push_str(&String::from_utf8_lossy(&printed.bytes));
                        }
                    }
                    *next += *step;
                }
            }
        }
        call.out(&text);
        Advance::More
    }
}

fn decimal(value: i128, decimals: usize, width: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let point = if decimals > 0 { format!(".{fraction}") } else { String::new() };
    let missing = width.saturating_sub(sign.len() + whole.len() + point.len());
    format!("{sign}{}{whole}{point}", "0".repeat(missing))
}

/// A number as its digits without the point, and how many stand after it.
fn parse(text: &str) -> Option<(i128, usize)> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || all.len() > 18 || !all.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    Some((sign * all.parse::<i128>().ok()?, fraction.len()))
}

pub fn seq(call: &mut Call<'_>) -> Outcome {
    let mut words = call.args.to_vec();
    // Negative numbers are no options.
    let numbers_from = words.iter().position(|word| parse(word).is_some()).unwrap_or(words.len());
    let numbers = words.split_off(numbers_from);
    let args = match super::Args::parse(&words, "w", "sf", &[("separator", 's'), ("format", 'f'), ("equal-width", 'w')])
    {
        Ok(args) => args,
        Err(option) => return call.bad_option(&option),
    };
    let operands: Vec<&String> = args.operands.iter().chain(&numbers).collect();
    let (first, step, last) = match operands.as_slice() {
        [last] => ("1", "1", last.as_str()),
        [first, last] => (first.as_str(), "1", last.as_str()),
        [first, step, last] => (first.as_str(), step.as_str(), last.as_str()),
        _ => return call.usage(1),
    };
    let mut parsed = Vec::new();
    for text in [first, step, last] {
        match parse(text) {
            Some(number) => parsed.push(number),
            None if call.is_ash() => {
                call.err("seq", &format!("invalid number '{text}'"));
                return Outcome::Done(1);
            }
            None => {
                call.err(
                    "seq",
                    &format!("invalid floating point argument: '{text}'\nTry 'seq --help' for more information."),
                );
                return Outcome::Done(1);
            }
        }
    }
    let decimals = parsed[0].1.max(parsed[1].1);
    let scale = |(value, own): (i128, usize)| match own <= decimals {
        true => value * 10i128.pow((decimals - own) as u32),
        false => value / 10i128.pow((own - decimals) as u32),
    };
    let (next, step, last) = (scale(parsed[0]), scale(parsed[1]), scale(parsed[2]));
    if step == 0 {
        call.err("seq", &format!("invalid Zero increment value: '{}'", operands[1]));
        return Outcome::Done(1);
    }
    let width = match args.has('w') {
        true => decimal(next, decimals, 0).len().max(decimal(last, decimals, 0).len()),
        false => 0,
    };
    let separator = args.value('s').unwrap_or("\n").to_string();
    Outcome::Runs(State::Produce(Producer::Seq {
        next,
        step,
        last,
        decimals,
        width,
        format: args.value('f').map(str::to_string),
        separator,
        started: false,
    }))
}

pub fn yes(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "", "");
    let line = if args.operands.is_empty() { "y".to_string() } else { args.operands.join(" ") };
    Outcome::Runs(State::Produce(Producer::Yes { line: line + "\n" }))
}
