//! `awk`: from the tree to instructions, which can stop after any of them.

use std::rc::Rc;

use super::awk_parse::{Expr, Function, Parser, Pattern, Place, Redirect, Rule, Source, Statement};
use super::awk_value::Value;
use crate::regex::Regex;
use values::sorted::SortedMap;

/// A variable: one of the program's, or one of the running function's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Var {
    Global(usize),
    Local(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Test {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    Unequal,
}

/// Where `getline` reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum From {
    Input,
    File,
    Command,
}

/// What `getline` sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Into {
    Record,
    Variable(Var),
    Field,
    Element(Var),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Target {
    Output,
    File,
    Append,
    Pipe,
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    Push(Value),
    /// Whether the record matches.
    MatchRecord(Rc<Regex>),
    /// An expression as an argument.
    PushRegex(Rc<Regex>),
    Get(Var),
    Set(Var),
    GetField,
    SetField,
    /// Joins so many keys.
    Key(usize),
    GetElement(Var),
    SetElement(Var),
    Duplicate,
    Pop,
    StepVar(Var, f64, bool),
    StepField(f64, bool),
    StepElement(Var, f64, bool),
    Arithmetic(char),
    Negate,
    Number,
    Not,
    Truth,
    Compare(Test),
    Concatenate,
    /// Text and pattern; negated or not.
    Match(bool),
    Jump(usize),
    JumpFalse(usize),
    JumpTrue(usize),
    Has(Var),
    /// An array as an argument.
    PushArray(Var),
    Builtin(&'static str, usize),
    Call(usize, usize),
    Return,
    Getline(From, Into),
    Print(usize, Target),
    Printf(usize, Target),
    Delete(Var),
    DeleteAll(Var),
    Each(Var),
    /// The next key into the variable, or on to the place.
    NextKey(Var, usize),
    EndEach,
    Next,
    NextFile,
    Exit(bool),
    InRange(usize),
    SetRange(usize, bool),
    End,
}

/// Instructions of BEGIN, of the records, of END, or of a function.
pub(super) type Code = Rc<Vec<Op>>;

#[derive(Clone, Debug, Default)]
pub(super) struct Compiled {
    pub begin: Code,
    pub main: Code,
    pub end: Code,
    pub functions: Vec<Code>,
    /// Parameters of each function, and which are arrays.
    pub parameters: Vec<Vec<bool>>,
    pub globals: SortedMap<String, usize>,
    pub ranges: usize,
    pub reads: bool,
}

/// Variables that awk sets or looks at, in this order.
pub(super) const SPECIAL: [&str; 17] = [
    "NF",
    "NR",
    "FNR",
    "FS",
    "OFS",
    "ORS",
    "RS",
    "FILENAME",
    "SUBSEP",
    "RSTART",
    "RLENGTH",
    "CONVFMT",
    "OFMT",
    "ENVIRON",
    "ARGC",
    "ARGV",
    "IGNORECASE",
];

/// The built-in functions, with how many arguments they take.
pub(super) const BUILTINS: [(&str, usize, usize); 32] = [
    ("length", 0, 1),
    ("substr", 2, 3),
    ("index", 2, 2),
    ("split", 2, 3),
    ("sub", 2, 3),
    ("gsub", 2, 3),
    ("gensub", 3, 4),
    ("match", 2, 2),
    ("sprintf", 1, 99),
    ("toupper", 1, 1),
    ("tolower", 1, 1),
    ("int", 1, 1),
    ("sqrt", 1, 1),
    ("sin", 1, 1),
    ("cos", 1, 1),
    ("atan2", 2, 2),
    ("exp", 1, 1),
    ("log", 1, 1),
    ("rand", 0, 0),
    ("srand", 0, 1),
    ("system", 1, 1),
    ("close", 1, 2),
    ("fflush", 0, 1),
    ("systime", 0, 0),
    ("strftime", 0, 3),
    ("mktime", 1, 1),
    ("and", 2, 2),
    ("or", 2, 2),
    ("xor", 2, 2),
    ("lshift", 2, 2),
    ("rshift", 2, 2),
    ("compl", 1, 1),
];

struct Compiler<'p> {
    globals: SortedMap<String, usize>,
    functions: &'p [Function],
    /// Which parameters of each function are arrays.
    arrays: Vec<Vec<bool>>,
    locals: Vec<String>,
    ops: Vec<Op>,
    /// Loops: where `continue` goes (patched later), the `break`s, and whether a list of keys has to be dropped.
    loops: Vec<Loop>,
    ranges: usize,
    gnu: bool,
}

#[derive(Default)]
struct Loop {
    breaks: Vec<usize>,
    continues: Vec<usize>,
    each: bool,
}

/// Compiles a program.
///
/// # Errors
/// A function that is not there.
pub(super) fn compile(parser: &Parser, gnu: bool) -> Result<Compiled, String> {
    let functions = &parser.functions;
    let mut compiler = Compiler {
        globals: SPECIAL.iter().enumerate().map(|(i, name)| ((*name).to_string(), i)).collect(),
        functions,
        arrays: array_parameters(functions),
        locals: Vec::new(),
        ops: Vec::new(),
        loops: Vec::new(),
        ranges: 0,
        gnu,
    };
    let begin = compiler.rules(&parser.rules, |pattern| matches!(pattern, Pattern::Begin))?;
    let main = compiler.rules(&parser.rules, |pattern| !matches!(pattern, Pattern::Begin | Pattern::End))?;
    let end = compiler.rules(&parser.rules, |pattern| matches!(pattern, Pattern::End))?;
    let mut codes = Vec::new();
    for function in functions {
        compiler.locals.clone_from(&function.parameters);
        compiler.statement(&function.body)?;
        compiler.ops.push(Op::Push(Value::Unset));
        compiler.ops.push(Op::Return);
        codes.push(Rc::new(std::mem::take(&mut compiler.ops)));
        compiler.locals.clear();
    }
    Ok(Compiled {
        reads: main.len() > 1 || end.len() > 1,
        begin,
        main,
        end,
        functions: codes,
        parameters: compiler.arrays,
        globals: compiler.globals,
        ranges: compiler.ranges,
    })
}

/// Which parameters of the functions are used as arrays, also through others.
fn array_parameters(functions: &[Function]) -> Vec<Vec<bool>> {
    let mut known: Vec<Vec<bool>> = functions.iter().map(|function| vec![false; function.parameters.len()]).collect();
    loop {
        let before = known.clone();
        for (i, function) in functions.iter().enumerate() {
            for (p, name) in function.parameters.iter().enumerate() {
                known[i][p] = known[i][p] || statement_uses(&function.body, name, functions, &before);
            }
        }
        if known == before {
            return known;
        }
    }
}

fn statement_uses(statement: &Statement, name: &str, functions: &[Function], known: &[Vec<bool>]) -> bool {
    let expr = |e: &Expr| expr_uses(e, name, functions, known);
    let inner = |s: &Statement| statement_uses(s, name, functions, known);
    match statement {
        Statement::Print(list, redirect) | Statement::Printf(list, redirect) => {
            list.iter().any(expr)
                || redirect.as_ref().is_some_and(|redirect| match redirect {
                    Redirect::File(e) | Redirect::Append(e) | Redirect::Pipe(e) => expr(e),
                })
        }
        Statement::Expr(e) => expr(e),
        Statement::If(e, yes, no) => expr(e) || inner(yes) || no.as_ref().is_some_and(|no| inner(no)),
        Statement::While(e, body) | Statement::Do(body, e) => expr(e) || inner(body),
        Statement::For(a, e, b, body) => inner(a) || e.as_ref().is_some_and(expr) || inner(b) || inner(body),
        Statement::ForIn(_, array, body) => array == name || inner(body),
        Statement::Block(list) => list.iter().any(inner),
        Statement::Delete(array, keys) => array == name || keys.iter().any(expr),
        Statement::Exit(e) | Statement::Return(e) => e.as_ref().is_some_and(expr),
        Statement::Next | Statement::NextFile | Statement::Break | Statement::Continue => false,
    }
}

fn expr_uses(e: &Expr, name: &str, functions: &[Function], known: &[Vec<bool>]) -> bool {
    let expr = |e: &Expr| expr_uses(e, name, functions, known);
    let place = |p: &Place| match p {
        Place::Variable(_) => false,
        Place::Field(index) => expr(index),
        Place::Element(array, keys) => array == name || keys.iter().any(expr),
    };
    match e {
        Expr::Number(_) | Expr::Text(_) | Expr::Regex(_) => false,
        Expr::Place(p) | Expr::Step(p, ..) => place(p),
        Expr::Assign(p, _, value) => place(p) || expr(value),
        Expr::Grouped(inner) | Expr::Unary(_, inner) => expr(inner),
        Expr::Binary(_, a, b) => expr(a) || expr(b),
        Expr::Choice(a, b, c) => expr(a) || expr(b) || expr(c),
        Expr::Has(keys, array) => array == name || keys.iter().any(expr),
        Expr::Call(called, args) => {
            let is = |arg: Option<&Expr>| matches!(arg, Some(Expr::Place(Place::Variable(own))) if own == name);
            if called == "split" && is(args.get(1)) {
                return true;
            }
            let passed = functions.iter().position(|function| function.name == *called).is_some_and(|i| {
                args.iter().enumerate().any(|(p, arg)| is(Some(arg)) && known[i].get(p).copied().unwrap_or(false))
            });
            passed || args.iter().any(expr)
        }
        Expr::Getline(source, into) => {
            let from = match source {
                Source::Input => false,
                Source::File(e) | Source::Command(e) => expr(e),
            };
            from || into.as_ref().is_some_and(place)
        }
    }
}

type Done = Result<(), String>;

impl Compiler<'_> {
    fn rules(&mut self, rules: &[Rule], wanted: fn(&Pattern) -> bool) -> Result<Code, String> {
        for rule in rules.iter().filter(|rule| wanted(&rule.pattern)) {
            match &rule.pattern {
                Pattern::When(condition) => {
                    self.expr(condition)?;
                    let skip = self.later(Op::JumpFalse(0));
                    self.statement(&rule.action)?;
                    self.arrive(skip);
                }
                Pattern::Range(from, to) => self.range(from, to, &rule.action)?,
                _ => self.statement(&rule.action)?,
            }
        }
        self.ops.push(Op::End);
        Ok(Rc::new(std::mem::take(&mut self.ops)))
    }

    fn range(&mut self, from: &Expr, to: &Expr, action: &Statement) -> Done {
        let number = self.ranges;
        self.ranges += 1;
        self.ops.push(Op::InRange(number));
        let inside = self.later(Op::JumpTrue(0));
        self.expr(from)?;
        let skip = self.later(Op::JumpFalse(0));
        self.ops.push(Op::SetRange(number, true));
        self.arrive(inside);
        self.expr(to)?;
        let stays = self.later(Op::JumpFalse(0));
        self.ops.push(Op::SetRange(number, false));
        self.arrive(stays);
        self.statement(action)?;
        self.arrive(skip);
        Ok(())
    }

    /// An instruction whose place to jump to comes later.
    fn later(&mut self, op: Op) -> usize {
        self.ops.push(op);
        self.ops.len() - 1
    }

    fn arrive(&mut self, at: usize) {
        let here = self.ops.len();
        self.patch(at, here);
    }

    fn patch(&mut self, at: usize, place: usize) {
        match &mut self.ops[at] {
            Op::Jump(to) | Op::JumpFalse(to) | Op::JumpTrue(to) | Op::NextKey(_, to) => *to = place,
            _ => {}
        }
    }

    fn var(&mut self, name: &str) -> Var {
        if let Some(local) = self.locals.iter().position(|local| local == name) {
            return Var::Local(local);
        }
        let next = self.globals.len();
        Var::Global(*self.globals.entry(name.to_string()).or_insert(next))
    }

    fn statement(&mut self, statement: &Statement) -> Done {
        match statement {
            Statement::Print(list, redirect) => {
                list.iter().try_for_each(|expr| self.expr(expr))?;
                let target = self.redirect(redirect.as_ref())?;
                self.ops.push(Op::Print(list.len(), target));
            }
            Statement::Printf(list, redirect) => {
                list.iter().try_for_each(|expr| self.expr(expr))?;
                let target = self.redirect(redirect.as_ref())?;
                self.ops.push(Op::Printf(list.len(), target));
            }
            Statement::Expr(expr) => {
                self.expr(expr)?;
                self.ops.push(Op::Pop);
            }
            Statement::If(condition, yes, no) => {
                self.expr(condition)?;
                let otherwise = self.later(Op::JumpFalse(0));
                self.statement(yes)?;
                match no {
                    None => self.arrive(otherwise),
                    Some(no) => {
                        let end = self.later(Op::Jump(0));
                        self.arrive(otherwise);
                        self.statement(no)?;
                        self.arrive(end);
                    }
                }
            }
            Statement::While(condition, body) => self.repeat(true, Some(condition), body, None)?,
            Statement::Do(body, condition) => self.repeat(false, Some(condition), body, None)?,
            Statement::For(first, condition, step, body) => {
                self.statement(first)?;
                self.repeat(true, condition.as_ref(), body, Some(step))?;
            }
            Statement::ForIn(name, array, body) => {
                let (var, array) = (self.var(name), self.var(array));
                self.ops.push(Op::Each(array));
                let start = self.later(Op::NextKey(var, 0));
                self.loops.push(Loop { each: true, ..Loop::default() });
                self.statement(body)?;
                self.ops.push(Op::Jump(start));
                self.arrive(start);
                let ended = self.loops.pop().unwrap_or_default();
                ended.continues.iter().for_each(|at| self.patch(*at, start));
                ended.breaks.iter().for_each(|at| self.arrive(*at));
                self.ops.push(Op::EndEach);
            }
            Statement::Block(list) => list.iter().try_for_each(|statement| self.statement(statement))?,
            Statement::Delete(array, keys) => {
                let array = self.var(array);
                if keys.is_empty() {
                    self.ops.push(Op::DeleteAll(array));
                } else {
                    self.keys(keys)?;
                    self.ops.push(Op::Delete(array));
                }
            }
            Statement::Next => self.ops.push(Op::Next),
            Statement::NextFile => self.ops.push(Op::NextFile),
            Statement::Break | Statement::Continue => {
                let at = self.later(Op::Jump(0));
                let is_break = matches!(statement, Statement::Break);
                match self.loops.last_mut() {
                    Some(inner) if is_break => inner.breaks.push(at),
                    Some(inner) => inner.continues.push(at),
                    None => self.ops[at] = Op::Next,
                }
            }
            Statement::Exit(code) => {
                if let Some(code) = code {
                    self.expr(code)?;
                }
                self.ops.push(Op::Exit(code.is_some()));
            }
            Statement::Return(value) => {
                for _ in self.loops.iter().filter(|inner| inner.each).collect::<Vec<_>>() {
                    self.ops.push(Op::EndEach);
                }
                match value {
                    Some(value) => self.expr(value)?,
                    None => self.ops.push(Op::Push(Value::Unset)),
                }
                self.ops.push(Op::Return);
            }
        }
        Ok(())
    }

    fn redirect(&mut self, redirect: Option<&Redirect>) -> Result<Target, String> {
        let (target, expr) = match redirect {
            None => return Ok(Target::Output),
            Some(Redirect::File(expr)) => (Target::File, expr),
            Some(Redirect::Append(expr)) => (Target::Append, expr),
            Some(Redirect::Pipe(expr)) => (Target::Pipe, expr),
        };
        self.expr(expr)?;
        Ok(target)
    }

    fn repeat(
        &mut self,
        test_first: bool,
        condition: Option<&Expr>,
        body: &Statement,
        step: Option<&Statement>,
    ) -> Done {
        let start = self.ops.len();
        let mut exit = None;
        if test_first && let Some(condition) = condition {
            self.expr(condition)?;
            exit = Some(self.later(Op::JumpFalse(0)));
        }
        self.loops.push(Loop::default());
        self.statement(body)?;
        let ended = self.loops.pop().unwrap_or_default();
        let again = self.ops.len();
        ended.continues.iter().for_each(|at| self.patch(*at, again));
        if let Some(step) = step {
            self.statement(step)?;
        }
        match condition.filter(|_| !test_first) {
            Some(condition) => {
                self.expr(condition)?;
                self.ops.push(Op::JumpTrue(start));
            }
            None => self.ops.push(Op::Jump(start)),
        }
        exit.into_iter().for_each(|at| self.arrive(at));
        ended.breaks.iter().for_each(|at| self.arrive(*at));
        Ok(())
    }

    fn keys(&mut self, keys: &[Expr]) -> Done {
        keys.iter().try_for_each(|key| self.expr(key))?;
        self.ops.push(Op::Key(keys.len()));
        Ok(())
    }

    /// What a place needs on the stack before it is read or set.
    fn address(&mut self, place: &Place) -> Done {
        match place {
            Place::Variable(_) => Ok(()),
            Place::Field(index) => self.expr(index),
            Place::Element(_, keys) => self.keys(keys),
        }
    }

    fn get(&mut self, place: &Place) {
        let op = match place {
            Place::Variable(name) => Op::Get(self.var(name)),
            Place::Field(_) => Op::GetField,
            Place::Element(array, _) => Op::GetElement(self.var(array)),
        };
        self.ops.push(op);
    }

    fn set(&mut self, place: &Place) {
        let op = match place {
            Place::Variable(name) => Op::Set(self.var(name)),
            Place::Field(_) => Op::SetField,
            Place::Element(array, _) => Op::SetElement(self.var(array)),
        };
        self.ops.push(op);
    }

    fn expr(&mut self, expr: &Expr) -> Done {
        match expr {
            Expr::Number(number) => self.ops.push(Op::Push(Value::Number(*number))),
            Expr::Text(text) => self.ops.push(Op::Push(Value::text_of(text))),
            Expr::Regex(regex) => self.ops.push(Op::MatchRecord(Rc::clone(regex))),
            Expr::Place(place) => {
                self.address(place)?;
                self.get(place);
            }
            Expr::Assign(place, '=', value) => {
                self.address(place)?;
                self.expr(value)?;
                self.set(place);
            }
            Expr::Assign(place, operator, value) => {
                self.address(place)?;
                if !matches!(place, Place::Variable(_)) {
                    self.ops.push(Op::Duplicate);
                }
                self.get(place);
                self.expr(value)?;
                self.ops.push(Op::Arithmetic(*operator));
                self.set(place);
            }
            Expr::Step(place, step, old) => {
                self.address(place)?;
                let op = match place {
                    Place::Variable(name) => Op::StepVar(self.var(name), *step, *old),
                    Place::Field(_) => Op::StepField(*step, *old),
                    Place::Element(array, _) => Op::StepElement(self.var(array), *step, *old),
                };
                self.ops.push(op);
            }
            Expr::Grouped(inner) => self.expr(inner)?,
            Expr::Unary(operator, inner) => {
                self.expr(inner)?;
                self.ops.push(match operator {
                    '!' => Op::Not,
                    '-' => Op::Negate,
                    _ => Op::Number,
                });
            }
            Expr::Binary(operator, left, right) => self.binary(operator, left, right)?,
            Expr::Choice(condition, yes, no) => {
                self.expr(condition)?;
                let otherwise = self.later(Op::JumpFalse(0));
                self.expr(yes)?;
                let end = self.later(Op::Jump(0));
                self.arrive(otherwise);
                self.expr(no)?;
                self.arrive(end);
            }
            Expr::Has(keys, array) => {
                self.keys(keys)?;
                let array = self.var(array);
                self.ops.push(Op::Has(array));
            }
            Expr::Call(name, args) => self.call(name, args)?,
            Expr::Getline(source, place) => {
                if let Some(place) = place {
                    self.address(place)?;
                }
                let from = match source {
                    Source::Input => From::Input,
                    Source::File(expr) => {
                        self.expr(expr)?;
                        From::File
                    }
                    Source::Command(expr) => {
                        self.expr(expr)?;
                        From::Command
                    }
                };
                let into = match place {
                    None => Into::Record,
                    Some(Place::Variable(name)) => Into::Variable(self.var(name)),
                    Some(Place::Field(_)) => Into::Field,
                    Some(Place::Element(array, _)) => Into::Element(self.var(array)),
                };
                self.ops.push(Op::Getline(from, into));
            }
        }
        Ok(())
    }

    fn binary(&mut self, operator: &str, left: &Expr, right: &Expr) -> Done {
        if matches!(operator, "&&" | "||") {
            self.expr(left)?;
            let short = self.later(if operator == "&&" { Op::JumpFalse(0) } else { Op::JumpTrue(0) });
            self.expr(right)?;
            self.ops.push(Op::Truth);
            let end = self.later(Op::Jump(0));
            self.arrive(short);
            self.ops.push(Op::Push(Value::truth_of(operator == "||")));
            self.arrive(end);
            return Ok(());
        }
        self.expr(left)?;
        if matches!(operator, "~" | "!~") {
            self.pattern(right)?;
            self.ops.push(Op::Match(operator == "!~"));
            return Ok(());
        }
        self.expr(right)?;
        self.ops.push(match operator {
            " " => Op::Concatenate,
            "<" => Op::Compare(Test::Less),
            "<=" => Op::Compare(Test::LessEqual),
            ">" => Op::Compare(Test::Greater),
            ">=" => Op::Compare(Test::GreaterEqual),
            "==" => Op::Compare(Test::Equal),
            "!=" => Op::Compare(Test::Unequal),
            other => Op::Arithmetic(other.chars().next().unwrap_or('+')),
        });
        Ok(())
    }

    /// An expression where a pattern is wanted: `/re/` itself.
    fn pattern(&mut self, expr: &Expr) -> Done {
        match expr {
            Expr::Regex(regex) => self.ops.push(Op::PushRegex(Rc::clone(regex))),
            Expr::Grouped(inner) if matches!(**inner, Expr::Regex(_)) => self.pattern(inner)?,
            other => self.expr(other)?,
        }
        Ok(())
    }

    fn call(&mut self, name: &str, args: &[Expr]) -> Done {
        if let Some(number) = self.functions.iter().position(|function| function.name == name) {
            let arrays = self.arrays[number].clone();
            if args.len() > arrays.len() {
                return Err(format!("function {name} called with too many args"));
            }
            for (i, arg) in args.iter().enumerate() {
                match arg {
                    Expr::Place(Place::Variable(variable)) if arrays[i] => {
                        let var = self.var(variable);
                        self.ops.push(Op::PushArray(var));
                    }
                    arg => self.expr(arg)?,
                }
            }
            self.ops.push(Op::Call(number, args.len()));
            return Ok(());
        }
        let busybox_only = ["gensub", "and", "or", "xor", "lshift", "rshift", "compl"];
        let known = BUILTINS.iter().find(|(known, ..)| *known == name);
        let Some((name, least, most)) = known.filter(|(name, ..)| !(self.gnu && busybox_only.contains(name))) else {
            return Err(match self.gnu {
                true => format!("function {name} never defined"),
                false => "Call to undefined function".to_string(),
            });
        };
        if args.len() < *least || args.len() > *most {
            return Err("Too few arguments".to_string());
        }
        match (*name, args) {
            ("length", [Expr::Place(Place::Variable(variable))])
                if !SPECIAL.contains(&variable.as_str()) || variable == "ENVIRON" || variable == "ARGV" =>
            {
                // It may be an array, which only shows when it runs.
                let var = self.var(variable);
                self.ops.push(Op::PushArray(var));
                self.ops.push(Op::Builtin("length of", 1));
                return Ok(());
            }
            ("split", [text, Expr::Place(Place::Variable(array)), rest @ ..]) => {
                self.expr(text)?;
                let var = self.var(array);
                self.ops.push(Op::PushArray(var));
                rest.iter().try_for_each(|arg| self.pattern(arg))?;
            }
            ("sub" | "gsub", [pattern, with, rest @ ..]) => {
                let record = Place::Field(Box::new(Expr::Number(0.0)));
                let place = match rest.first() {
                    Some(Expr::Place(place)) => Some(place),
                    Some(_) => None,
                    None => Some(&record),
                };
                if let Some(place) = place {
                    self.address(place)?;
                    if !matches!(place, Place::Variable(_)) {
                        self.ops.push(Op::Duplicate);
                    }
                    self.get(place);
                } else {
                    self.expr(&rest[0])?;
                }
                self.pattern(pattern)?;
                self.expr(with)?;
                // Leaves the count, and on top of it the new text.
                self.ops.push(Op::Builtin(name, 3));
                match place {
                    Some(place) => {
                        self.ops.push(Op::Builtin("keep count", 1));
                        self.set(place);
                        self.ops.push(Op::Pop);
                        self.ops.push(Op::Builtin("count", 0));
                    }
                    None => {
                        self.ops.push(Op::Pop);
                        self.ops.push(Op::Builtin("count", 0));
                    }
                }
                return Ok(());
            }
            ("match" | "gensub", [first, second, rest @ ..]) => {
                let (text, pattern) = if *name == "match" { (first, second) } else { (second, first) };
                if *name == "match" {
                    self.expr(text)?;
                    self.pattern(pattern)?;
                } else {
                    self.pattern(first)?;
                    self.expr(second)?;
                }
                rest.iter().try_for_each(|arg| self.expr(arg))?;
            }
            _ => args.iter().try_for_each(|arg| self.expr(arg))?,
        }
        self.ops.push(Op::Builtin(name, args.len()));
        Ok(())
    }
}
