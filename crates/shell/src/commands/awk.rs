//! `awk`: running a program over lines.
//!
//! Numbers are floating point as in every awk; they decide nothing outside the text that is printed.

use super::awk_parse::{Expr, Pattern, Place, Rule, Statement, parse};
use super::awk_value::Value;
use super::filter::{Filter, Flow, start};
use super::text::cloned;
use super::{Call, Outcome, parse_args};
use crate::BYTES_A_STEP;
use crate::regex::Regex;
use crate::syntax::Dialect;
use values::sorted::SortedMap;

/// Steps one record may take: awk programs cannot be stopped half way.
const MAX_STEPS: u32 = 2_000_000;

/// How a statement ended.
enum End {
    Normal,
    Next,
    Exit,
    Break,
    Continue,
}

#[derive(Clone, Debug)]
pub(super) struct Awk {
    rules: Vec<Rule>,
    in_range: Vec<bool>,
    pub(super) variables: SortedMap<String, Value>,
    pub(super) arrays: SortedMap<String, SortedMap<String, Value>>,
    /// `$1` and on.
    fields: Vec<String>,
    pub(super) record: String,
    out: String,
    steps: u32,
    pub(super) error: Option<String>,
    exit: Option<i32>,
    pub(super) dialect: Dialect,
}

impl Awk {
    pub(super) fn get(&self, name: &str) -> Value {
        match name {
            "NF" => Value::Number(self.fields.len() as f64),
            _ => self.variables.get(name).cloned().unwrap_or(Value::Input(String::new())),
        }
    }

    fn set_record(&mut self, record: String) {
        self.fields = self.split(&record, &self.get("FS").text());
        self.record = record;
    }

    pub(super) fn split(&self, text: &str, separator: &str) -> Vec<String> {
        if text.is_empty() {
            return Vec::new();
        }
        match separator {
            " " => text.split_whitespace().map(str::to_string).collect(),
            "" => text.chars().map(String::from).collect(),
            one if one.chars().count() == 1 => text.split(one).map(str::to_string).collect(),
            pattern => {
                let Ok(regex) = Regex::extended(pattern, false) else { return vec![text.to_string()] };
                let (mut parts, mut at, mut from) = (Vec::new(), 0, 0);
                while let Some((start, end)) = regex.find(text.as_bytes(), from).and_then(|groups| groups[0]) {
                    if end == start {
                        from = end + 1;
                        if from > text.len() {
                            break;
                        }
                        continue;
                    }
                    parts.push(String::from_utf8_lossy(&text.as_bytes()[at..start]).into_owned());
                    (at, from) = (end, end);
                }
                parts.push(String::from_utf8_lossy(&text.as_bytes()[at..]).into_owned());
                parts
            }
        }
    }

    fn rebuild(&mut self) {
        self.record = self.fields.join(&self.get("OFS").text());
    }

    fn key(&mut self, keys: &[Expr]) -> String {
        let parts: Vec<String> = keys.iter().map(|key| self.eval(key).text()).collect();
        parts.join("\x1c")
    }

    pub(super) fn read(&mut self, place: &Place) -> Value {
        match place {
            Place::Variable(name) => self.get(name),
            Place::Field(index) => match self.eval(index).number() as i64 {
                0 => Value::Input(self.record.clone()),
                n => Value::Input(
                    usize::try_from(n - 1).ok().and_then(|n| self.fields.get(n).cloned()).unwrap_or_default(),
                ),
            },
            Place::Element(array, keys) => {
                let key = self.key(keys);
                self.arrays.entry(array.clone()).or_default().entry(key).or_insert(Value::Input(String::new())).clone()
            }
        }
    }

    pub(super) fn write(&mut self, place: &Place, value: Value) {
        match place {
            Place::Variable(name) if name == "NF" => {
                self.fields.resize((value.number().max(0.0) as usize).min(10_000), String::new());
                self.rebuild();
            }
            Place::Variable(name) => {
                self.variables.insert(name.clone(), value);
            }
            Place::Field(index) => match self.eval(index).number() as i64 {
                0 => self.set_record(value.text()),
                n if (1..10_000).contains(&n) => {
                    let n = n as usize;
                    if self.fields.len() < n {
                        self.fields.resize(n, String::new());
                    }
                    self.fields[n - 1] = value.text();
                    self.rebuild();
                }
                _ => self.error = Some("bad field number".into()),
            },
            Place::Element(array, keys) => {
                let key = self.key(keys);
                self.arrays.entry(array.clone()).or_default().insert(key, value);
            }
        }
    }

    pub(super) fn eval(&mut self, expr: &Expr) -> Value {
        self.steps = self.steps.saturating_sub(1);
        let yes = |value: bool| Value::Number(f64::from(u8::from(value)));
        match expr {
            Expr::Number(number) => Value::Number(*number),
            Expr::Text(text) => Value::Text(text.clone()),
            Expr::Regex(regex) => yes(regex.find(self.record.as_bytes(), 0).is_some()),
            Expr::Place(place) => self.read(place),
            Expr::Assign(place, operator, right) => {
                let mut value = self.eval(right);
                if *operator != '=' {
                    let left = self.read(place).number();
                    value = Value::Number(calculate(*operator, left, value.number()));
                }
                self.write(place, value.clone());
                value
            }
            Expr::Step(place, step, old) => {
                let before = self.read(place).number();
                self.write(place, Value::Number(before + step));
                Value::Number(if *old { before } else { before + step })
            }
            Expr::Unary('(', inner) => self.eval(inner),
            Expr::Unary('!', inner) => yes(!self.eval(inner).truth()),
            Expr::Unary('-', inner) => Value::Number(-self.eval(inner).number()),
            Expr::Unary(_, inner) => Value::Number(self.eval(inner).number()),
            Expr::Choice(condition, a, b) => {
                if self.eval(condition).truth() {
                    self.eval(a)
                } else {
                    self.eval(b)
                }
            }
            Expr::Has(keys, array) => {
                let key = self.key(keys);
                yes(self.arrays.get(array).is_some_and(|array| array.contains_key(&key)))
            }
            Expr::Binary(operator, left, right) => self.binary(operator, left, right),
            Expr::Call(name, args) => self.call(name, args),
        }
    }

    fn binary(&mut self, operator: &str, left: &Expr, right: &Expr) -> Value {
        let yes = |value: bool| Value::Number(f64::from(u8::from(value)));
        match operator {
            "&&" => return yes(self.eval(left).truth() && self.eval(right).truth()),
            "||" => return yes(self.eval(left).truth() || self.eval(right).truth()),
            "~" | "!~" => {
                let text = self.eval(left).text();
                let found = self.regex(right).is_some_and(|regex| regex.find(text.as_bytes(), 0).is_some());
                return yes(found == (operator == "~"));
            }
            _ => {}
        }
        let (a, b) = (self.eval(left), self.eval(right));
        if operator == " " {
            let text = a.text() + &b.text();
            self.steps = self.steps.saturating_sub(u32::try_from(text.len() / BYTES_A_STEP).unwrap_or(u32::MAX));
            if text.len() > crate::expand::MAX_BYTES {
                self.error = Some("out of memory".into());
                return Value::Text(String::new());
            }
            return Value::Text(text);
        }
        if let "<" | "<=" | ">" | ">=" | "==" | "!=" = operator {
            let order = match a.is_numeric() && b.is_numeric() {
                true => a.number().partial_cmp(&b.number()),
                false => Some(a.text().cmp(&b.text())),
            };
            let Some(order) = order else { return yes(operator == "!=") };
            return yes(match operator {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                ">=" => order.is_ge(),
                "==" => order.is_eq(),
                _ => order.is_ne(),
            });
        }
        let (a, b) = (a.number(), b.number());
        if matches!(operator, "/" | "%") && b == 0.0 {
            self.error = Some("Division by zero".into());
        }
        Value::Number(calculate(operator.chars().next().unwrap_or('+'), a, b))
    }

    pub(super) fn regex(&mut self, expr: &Expr) -> Option<Regex> {
        if let Expr::Regex(regex) = expr {
            return Some(regex.clone());
        }
        let pattern = self.eval(expr).text();
        Regex::extended(&pattern, false).map_err(|error| self.error = Some(error)).ok()
    }

    fn run(&mut self, statement: &Statement) -> End {
        self.steps = self.steps.saturating_sub(1);
        if self.steps == 0 && self.error.is_none() {
            self.error = Some("too many steps in one record".into());
        }
        if self.error.is_some() {
            self.exit = Some(2);
            return End::Exit;
        }
        match statement {
            Statement::Print(list) => {
                let texts: Vec<String> = list.iter().map(|expr| self.eval(expr).text()).collect();
                let line = if list.is_empty() { self.record.clone() } else { texts.join(&self.get("OFS").text()) };
                let ending = self.get("ORS").text();
                self.out.push_str(&line);
                self.out.push_str(&ending);
                if self.out.len() > crate::expand::MAX_BYTES {
                    self.error = Some("too much output".into());
                }
            }
            Statement::Printf(list) => {
                let text = self.format(list);
                self.out.push_str(&text);
            }
            Statement::Expr(expr) => {
                self.eval(expr);
            }
            Statement::If(condition, yes, no) => {
                if self.eval(condition).truth() {
                    return self.run(yes);
                }
                return no.as_ref().map_or(End::Normal, |no| self.run(no));
            }
            Statement::While(condition, body) => return self.repeat(true, Some(condition), body, None),
            Statement::Do(body, condition) => return self.repeat(false, Some(condition), body, None),
            Statement::For(first, condition, step, body) => {
                self.run(first);
                return self.repeat(true, Some(condition), body, Some(step));
            }
            Statement::ForIn(name, array, body) => {
                let keys: Vec<String> =
                    self.arrays.get(array).map(|array| array.keys().cloned().collect()).unwrap_or_default();
                for key in keys {
                    self.variables.insert(name.clone(), Value::Input(key));
                    match self.run(body) {
                        End::Normal | End::Continue => {}
                        End::Break => break,
                        end => return end,
                    }
                }
            }
            Statement::Block(list) => {
                for statement in list {
                    match self.run(statement) {
                        End::Normal => {}
                        end => return end,
                    }
                }
            }
            Statement::Delete(array, keys) => {
                let key = self.key(keys);
                if let Some(array) = self.arrays.get_mut(array) {
                    if keys.is_empty() {
                        array.clear();
                    } else {
                        array.remove(&key);
                    }
                }
            }
            Statement::Next => return End::Next,
            Statement::Break => return End::Break,
            Statement::Continue => return End::Continue,
            Statement::Exit(code) => {
                let code = code.as_ref().map(|code| self.eval(code).number() as i32);
                self.exit = Some(code.or(self.exit).unwrap_or(0) & 255);
                return End::Exit;
            }
        }
        End::Normal
    }

    fn repeat(
        &mut self,
        test_first: bool,
        condition: Option<&Expr>,
        body: &Statement,
        step: Option<&Statement>,
    ) -> End {
        let mut test = test_first;
        loop {
            if test && !condition.is_some_and(|condition| self.eval(condition).truth()) {
                return End::Normal;
            }
            test = true;
            match self.run(body) {
                End::Normal | End::Continue => {}
                End::Break => return End::Normal,
                end => return end,
            }
            if let Some(step) = step {
                self.run(step);
            }
        }
    }

    /// Runs the rules that a phase or a record calls for.
    fn run_rules(&mut self, wanted: fn(&Pattern) -> bool) -> End {
        self.steps = MAX_STEPS;
        let rules = std::mem::take(&mut self.rules);
        let mut end = End::Normal;
        for (i, rule) in rules.iter().enumerate().filter(|(_, rule)| wanted(&rule.pattern)) {
            let applies = match &rule.pattern {
                Pattern::When(condition) => self.eval(condition).truth(),
                Pattern::Range(from, to) => {
                    let inside = self.in_range[i] || self.eval(from).truth();
                    self.in_range[i] = inside && !self.eval(to).truth();
                    inside
                }
                _ => true,
            };
            if applies {
                end = self.run(&rule.action);
                if !matches!(end, End::Normal) {
                    break;
                }
            }
        }
        self.rules = rules;
        end
    }

    fn flush(&mut self, call: &mut Call<'_>) {
        let out = std::mem::take(&mut self.out);
        call.out(&out);
        if let Some(error) = self.error.take() {
            call.err("awk", &error);
            self.exit = Some(2);
        }
    }

    fn has(&self, wanted: fn(&Pattern) -> bool) -> bool {
        self.rules.iter().any(|rule| wanted(&rule.pattern))
    }
}

fn calculate(operator: char, a: f64, b: f64) -> f64 {
    match operator {
        '+' => a + b,
        '-' => a - b,
        '*' => a * b,
        '/' => a / b,
        '%' => a % b,
        _ => a.powf(b),
    }
}

impl Filter for Awk {
    cloned!();
    fn begin_file(&mut self, name: &str, _: &mut Call<'_>) {
        self.variables.insert("FNR".into(), Value::Number(0.0));
        self.variables.insert("FILENAME".into(), Value::Text(if name == "-" { String::new() } else { name.into() }));
    }
    fn take(&mut self, line: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        for name in ["NR", "FNR"] {
            let next = self.get(name).number() + 1.0;
            self.variables.insert(name.into(), Value::Number(next));
        }
        self.set_record(String::from_utf8_lossy(line).into_owned());
        let end = self.run_rules(|pattern| !matches!(pattern, Pattern::Begin | Pattern::End));
        self.flush(call);
        call.work_bytes += BYTES_A_STEP * (MAX_STEPS - self.steps) as usize;
        if matches!(end, End::Exit) || self.exit.is_some() { Flow::Stop } else { Flow::More }
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        if self.exit != Some(2) {
            self.run_rules(|pattern| matches!(pattern, Pattern::End));
            self.flush(call);
        }
        self.exit.unwrap_or(0)
    }
}

pub fn awk(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "", "Fvf");
    let mut operands = args.operands.clone();
    let program = match args.value('f').map(|file| call.read_file(file)) {
        Some(Ok(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        Some(Err(error)) => {
            call.err("awk", &error.to_string());
            return Outcome::Done(1);
        }
        None if operands.is_empty() => return call.usage(1),
        None => operands.remove(0),
    };
    let rules = match parse(&program) {
        Ok(rules) => rules,
        Err(message) => {
            call.err("awk", &format!("cmd. line:1: {message}"));
            return Outcome::Done(if call.is_ash() { 1 } else { 2 });
        }
    };
    let unescape = |text: &str| crate::escapes::unescape(text, crate::escapes::Style::DollarQuotes).0;
    let separator =
        args.value('F').map_or(" ".to_string(), |text| if text == "t" { "\t".into() } else { unescape(text) });
    let mut variables: SortedMap<String, Value> = SortedMap::new();
    for (name, value) in [("FS", separator.as_str()), ("OFS", " "), ("ORS", "\n"), ("SUBSEP", "\x1c")] {
        variables.insert(name.into(), Value::Text(value.into()));
    }
    variables.insert("NR".into(), Value::Number(0.0));
    for (_, text) in args.options.iter().filter(|(letter, _)| *letter == 'v') {
        if let Some((name, value)) = text.split_once('=') {
            variables.insert(name.into(), Value::Input(unescape(value)));
        }
    }
    let environment = call.state.env().into_iter().map(|(name, value)| (name, Value::Input(value))).collect();
    let mut awk = Awk {
        in_range: vec![false; rules.len()],
        rules,
        variables,
        arrays: SortedMap::from([("ENVIRON".to_string(), environment)]),
        fields: Vec::new(),
        record: String::new(),
        out: String::new(),
        steps: MAX_STEPS,
        error: None,
        exit: None,
        dialect: call.state.dialect,
    };
    awk.run_rules(|pattern| matches!(pattern, Pattern::Begin));
    awk.flush(call);
    let reads = awk.has(|pattern| !matches!(pattern, Pattern::Begin));
    if !reads || awk.exit.is_some() {
        return Outcome::Done(awk.exit.unwrap_or(0));
    }
    start(call, awk, operands, 2)
}
