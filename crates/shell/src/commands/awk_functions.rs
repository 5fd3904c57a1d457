//! The functions of `awk`, and `printf` formats.

use super::awk::Awk;
use super::awk_parse::{Expr, Place};
use super::awk_value::Value;
use super::echo::printf_text;

impl Awk {
    pub(super) fn call(&mut self, name: &str, args: &[Expr]) -> Value {
        let text = |awk: &mut Awk, n: usize| args.get(n).map(|arg| awk.eval(arg).text()).unwrap_or_default();
        let number = |awk: &mut Awk, n: usize| args.get(n).map_or(0.0, |arg| awk.eval(arg).number());
        match name {
            "length" => {
                if let Some(Expr::Place(place)) = args.first()
                    && let Place::Variable(array) = &**place
                    && let Some(array) = self.arrays.get(array)
                {
                    return Value::Number(array.len() as f64);
                }
                let text = if args.is_empty() { self.record.clone() } else { text(self, 0) };
                Value::Number(text.chars().count() as f64)
            }
            "substr" => {
                let (text, from) = (text(self, 0), number(self, 1).round() as i64);
                let until = if args.len() > 2 { from.saturating_add(number(self, 2).round() as i64) } else { i64::MAX };
                let chars = text.chars().zip(1i64..).filter(|(_, at)| (from..until).contains(at));
                Value::Text(chars.map(|(c, _)| c).collect())
            }
            "index" => {
                let (text, part) = (text(self, 0), text(self, 1));
                Value::Number(text.find(&part).map_or(0, |at| text[..at].chars().count() + 1) as f64)
            }
            "split" => {
                let Some(Expr::Place(place)) = args.get(1) else { return Value::Number(0.0) };
                let Place::Variable(array) = &**place else { return Value::Number(0.0) };
                let separator = match args.get(2) {
                    None => self.get("FS").text(),
                    Some(_) => text(self, 2),
                };
                let whole = text(self, 0);
                let parts = self.split(&whole, &separator);
                let count = parts.len();
                let elements =
                    parts.into_iter().zip(1..).map(|(part, n): (String, usize)| (n.to_string(), Value::Input(part)));
                self.arrays.insert(array.clone(), elements.collect());
                Value::Number(count as f64)
            }
            "sub" | "gsub" => self.substitute(name == "gsub", args),
            "match" => {
                let whole = text(self, 0);
                let found =
                    args.get(1).and_then(|arg| self.regex(arg)).and_then(|regex| regex.find(whole.as_bytes(), 0)?[0]);
                let (start, length) =
                    found.map_or((0.0, -1.0), |(start, end)| (start as f64 + 1.0, (end - start) as f64));
                self.variables.insert("RSTART".into(), Value::Number(start));
                self.variables.insert("RLENGTH".into(), Value::Number(length));
                Value::Number(start)
            }
            "toupper" => Value::Text(text(self, 0).to_uppercase()),
            "tolower" => Value::Text(text(self, 0).to_lowercase()),
            "sprintf" => Value::Text(self.format(args)),
            "int" => Value::Number(number(self, 0).trunc()),
            "sqrt" => Value::Number(number(self, 0).sqrt()),
            _ => {
                self.error = Some("Call to undefined function".into());
                Value::Number(0.0)
            }
        }
    }

    fn substitute(&mut self, all: bool, args: &[Expr]) -> Value {
        let record = Place::Field(Expr::Number(0.0));
        let place = match args.get(2) {
            Some(Expr::Place(place)) => (**place).clone(),
            _ => record,
        };
        let (Some(regex), Some(with)) = (args.first().and_then(|arg| self.regex(arg)), args.get(1)) else {
            return Value::Number(0.0);
        };
        let with = self.eval(with).text();
        let text = self.read(&place).text();
        let bytes = text.as_bytes();
        let (mut out, mut at, mut copied, mut count) = (Vec::new(), 0, 0, 0);
        while let Some(groups) = Some(at).filter(|at| *at <= bytes.len()).and_then(|at| regex.find(bytes, at)) {
            let Some((start, end)) = groups[0] else { break };
            out.extend_from_slice(&bytes[copied..start]);
            super::sed::replacement(&with, &groups, bytes, &mut out);
            copied = end;
            count += 1;
            at = if end > start { end } else { end + 1 };
            if !all || out.len() > crate::expand::MAX_BYTES {
                break;
            }
        }
        if count > 0 {
            out.extend_from_slice(&bytes[copied..]);
            self.write(&place, Value::Text(String::from_utf8_lossy(&out).into_owned()));
        }
        Value::Number(f64::from(count))
    }

    pub(super) fn format(&mut self, args: &[Expr]) -> String {
        let mut texts = args.iter().map(|arg| self.eval(arg)).collect::<Vec<_>>().into_iter();
        let format = texts.next().map(|value| value.text()).unwrap_or_default();
        // Integer conversions cut what stands after the point.
        let kinds = conversions(&format);
        let values: Vec<String> = texts
            .zip(kinds.chars().chain(std::iter::repeat(' ')))
            .map(|(value, kind)| match kind {
                'd' | 'i' | 'x' | 'X' | 'o' | 'u' => format!("{}", value.number() as i64),
                'e' | 'f' | 'g' | 'E' | 'G' | 'F' => format!("{}", value.number()),
                _ => value.text(),
            })
            .take(kinds.len())
            .collect();
        // The escapes of the program text are done already.
        let printed = printf_text(&format.replace('\\', "\\\\"), &values, self.dialect);
        String::from_utf8_lossy(&printed.bytes).into_owned()
    }
}

/// The letters of the conversions in a format.
fn conversions(format: &str) -> String {
    let mut letters = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c == '%' {
            letters.extend(chars.by_ref().find(|c| c.is_alphabetic() || *c == '%').filter(|c| *c != '%'));
        }
    }
    letters
}
