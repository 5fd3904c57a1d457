//! Carrying out templates over a value.
//!
//! Source: `text/template/exec.go`. A missing key of a map is nothing (`<no value>`); a field of nothing is an error.

use std::rc::Rc;

use super::ast::{Branch, Command, Node, Operand, Pipe, Template, What};
use super::{Error, Functions, Missing, Templates, builtin, format, limits};
use crate::value::Value;

/// Characters of a node that an error quotes.
const QUOTED: usize = 20;

/// One run, with what it has used up.
pub struct Execution<'a> {
    templates: &'a Templates,
    functions: &'a dyn Functions,
    steps: u32,
    depth: usize,
}

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// Where the run stands inside one template.
struct Frame {
    template: Rc<Template>,
    variables: Vec<(String, Value)>,
    out: String,
}

impl<'a> Execution<'a> {
    pub fn new(templates: &'a Templates, functions: &'a dyn Functions) -> Execution<'a> {
        Execution { templates, functions, steps: 0, depth: 0 }
    }

    /// Whether there is such a template.
    pub fn has(&self, name: &str) -> bool {
        self.templates.has(name)
    }

    /// All templates, to add some for a text that is carried out inside this one.
    pub fn templates(&self) -> &Templates {
        self.templates
    }

    /// How many templates call each other here.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Carries out another set of templates, with what is left of this run's allowance.
    ///
    /// # Errors
    /// Where and why it stopped.
    pub fn nested(&mut self, templates: &Templates, name: &str, data: &Value) -> Result<String, Error> {
        let mut run = Execution { templates, functions: self.functions, steps: self.steps, depth: self.depth };
        let text = run.template(name, data);
        self.steps = run.steps;
        text
    }

    /// Carries out a template; what it prints.
    ///
    /// # Errors
    /// Where and why it stopped.
    pub fn template(&mut self, name: &str, data: &Value) -> Result<String, Error> {
        let Some(template) = self.templates.by_name.get(name).map(Rc::clone) else {
            let message = format!("no template {name:?} associated with template \"gotpl\"");
            return Err(Error { in_parse: false, place: name.to_owned(), message });
        };
        let mut frame = Frame { template, variables: vec![("$".to_owned(), data.clone())], out: String::new() };
        let body = Rc::clone(&frame.template);
        self.depth += 1;
        let ended = self.list(&body.body, data, &mut frame);
        self.depth -= 1;
        ended.map(|_| frame.out)
    }

    fn step(&mut self, frame: &Frame, at: usize, shown: &dyn std::fmt::Display) -> Result<(), Error> {
        self.steps += 1;
        if self.steps > limits::STEPS {
            return Err(failure(frame, at, shown, "the templates took too many steps"));
        }
        if frame.out.len() > limits::OUTPUT_BYTES {
            return Err(failure(frame, at, shown, "the output is too long"));
        }
        Ok(())
    }

    fn list(&mut self, nodes: &[Node], dot: &Value, frame: &mut Frame) -> Result<Flow, Error> {
        for node in nodes {
            let flow = self.node(node, dot, frame)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &Node, dot: &Value, frame: &mut Frame) -> Result<Flow, Error> {
        match node {
            Node::Text(text) => frame.out.push_str(text),
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot, frame)?;
                if pipe.variables.is_empty() {
                    match value {
                        Value::Null => frame.out.push_str("<no value>"),
                        value => frame.out.push_str(&format::display(&value)),
                    }
                }
            }
            Node::If(branch) | Node::With(branch) => {
                let scope = frame.variables.len();
                let value = self.pipe(&branch.pipe, dot, frame)?;
                let flow = if !value.is_empty() {
                    let inner = if matches!(node, Node::With(_)) { &value } else { dot };
                    self.list(&branch.body, inner, frame)?
                } else {
                    self.list(&branch.otherwise, dot, frame)?
                };
                frame.variables.truncate(scope);
                return Ok(flow);
            }
            Node::Range(branch) => return self.range(branch, dot, frame),
            Node::Template { at, name, with } => self.call_template(*at, name, with.as_ref(), dot, frame)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn call_template(
        &mut self,
        at: usize,
        name: &str,
        with: Option<&Pipe>,
        dot: &Value,
        frame: &mut Frame,
    ) -> Result<(), Error> {
        let data = match with {
            Some(pipe) => self.pipe(pipe, dot, frame)?,
            None => Value::Null,
        };
        let shown = format!("{{{{template {name:?}}}}}");
        if !self.has(name) {
            return Err(failure(frame, at, &shown, &format!("template {name:?} not defined")));
        }
        if self.depth >= limits::DEPTH {
            return Err(failure(frame, at, &shown, &format!("exceeded maximum template depth ({})", limits::DEPTH)));
        }
        let text = self.template(name, &data)?;
        frame.out.push_str(&text);
        Ok(())
    }

    fn range(&mut self, branch: &Branch, dot: &Value, frame: &mut Frame) -> Result<Flow, Error> {
        let scope = frame.variables.len();
        let over = self.value_of(&branch.pipe, dot, frame)?;
        let pairs: Vec<(Value, Value)> = match &over {
            Value::Null => Vec::new(),
            Value::List(items) => items.iter().enumerate().map(|(i, v)| (Value::from(i), v.clone())).collect(),
            Value::Map(map) => map.iter().map(|(k, v)| (Value::from(k), v.clone())).collect(),
            Value::Int(n) => {
                let count = (*n).clamp(0, i64::from(limits::STEPS));
                (0..count).map(|i| (Value::Int(i), Value::Int(i))).collect()
            }
            other => {
                let message = format!("range can't iterate over {}", format::display(other));
                return Err(failure(frame, branch.pipe.at, &branch.pipe, &message));
            }
        };
        if pairs.is_empty() {
            let flow = self.list(&branch.otherwise, dot, frame)?;
            frame.variables.truncate(scope);
            return Ok(flow);
        }
        for (key, value) in pairs {
            self.step(frame, branch.pipe.at, &branch.pipe)?;
            let names = &branch.pipe.variables;
            let values = if names.len() > 1 { vec![key, value.clone()] } else { vec![value.clone()] };
            for (name, value) in names.iter().zip(values) {
                assign(frame, name, value, branch.pipe.assigns);
            }
            let flow = self.list(&branch.body, &value, frame)?;
            frame.variables.truncate(scope);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    /// A pipeline's value; its variables are set.
    fn pipe(&mut self, pipe: &Pipe, dot: &Value, frame: &mut Frame) -> Result<Value, Error> {
        let value = self.value_of(pipe, dot, frame)?;
        for name in &pipe.variables {
            assign(frame, name, value.clone(), pipe.assigns);
        }
        Ok(value)
    }

    fn value_of(&mut self, pipe: &Pipe, dot: &Value, frame: &mut Frame) -> Result<Value, Error> {
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(command, dot, last, frame)?);
        }
        Ok(last.unwrap_or_default())
    }

    fn command(
        &mut self,
        command: &Command,
        dot: &Value,
        last: Option<Value>,
        frame: &mut Frame,
    ) -> Result<Value, Error> {
        let first = &command.operands[0];
        self.step(frame, first.at, first)?;
        let rest = &command.operands[1..];
        match &first.what {
            What::Function(name) => self.function(name, command, rest, dot, last, frame),
            What::Field(_) | What::Chain(..) | What::Variable(..) => self.fields_of(first, rest, dot, last, frame),
            _ if !rest.is_empty() || last.is_some() => {
                Err(failure(frame, first.at, first, &format!("can't give argument to non-function {first}")))
            }
            _ => self.operand(first, dot, frame),
        }
    }

    fn operand(&mut self, operand: &Operand, dot: &Value, frame: &mut Frame) -> Result<Value, Error> {
        match &operand.what {
            What::Dot => Ok(dot.clone()),
            What::Nil => Ok(Value::Null),
            What::Constant(value, _) => Ok(value.clone()),
            What::Pipe(pipe) => self.pipe(pipe, dot, frame),
            What::Function(name) => {
                let command = Command { at: operand.at, operands: vec![operand.clone()] };
                self.function(name, &command, &[], dot, None, frame)
            }
            _ => self.fields_of(operand, &[], dot, None, frame),
        }
    }

    /// `.a.b`, `$x.a`, `(…).a`; with arguments the last part is a method.
    fn fields_of(
        &mut self,
        operand: &Operand,
        rest: &[Operand],
        dot: &Value,
        last: Option<Value>,
        frame: &mut Frame,
    ) -> Result<Value, Error> {
        let (mut here, names) = match &operand.what {
            What::Field(names) => (dot.clone(), names),
            What::Variable(name, names) => {
                let found = frame.variables.iter().rev().find(|(known, _)| known == name);
                (found.map(|(_, value)| value.clone()).unwrap_or_default(), names)
            }
            What::Chain(inner, names) => (self.operand(inner, dot, frame)?, names),
            _ => return self.operand(operand, dot, frame),
        };
        let takes = !rest.is_empty() || last.is_some();
        if names.is_empty() && takes {
            return Err(failure(frame, operand.at, operand, &format!("can't give argument to non-function {operand}")));
        }
        for (i, name) in names.iter().enumerate() {
            let mut args = Vec::new();
            if i + 1 == names.len() {
                for operand in rest {
                    args.push(self.operand(operand, dot, frame)?);
                }
                args.extend(last.clone());
            }
            here = self.field(&here, name, &args).map_err(|why| failure(frame, operand.at, operand, &why))?;
        }
        Ok(here)
    }

    fn field(&self, on: &Value, name: &str, args: &[Value]) -> Result<Value, String> {
        if let Some(value) = on.as_map().and_then(|map| map.get(name)).filter(|_| args.is_empty()) {
            return Ok(value.clone());
        }
        if let Some(result) = self.functions.method(on, name, args) {
            return result.map_err(|why| format!("error calling {name}: {why}"));
        }
        match on {
            Value::Map(_) if args.is_empty() => match self.functions.missing() {
                Missing::Error => Err(format!("map has no entry for key \"{name}\"")),
                Missing::Nil | Missing::Nothing => Ok(Value::Null),
            },
            Value::Map(_) => Err(format!("{name} is not a method but has arguments")),
            Value::Null => match self.functions.missing() {
                Missing::Nothing => Ok(Value::Null),
                Missing::Error => Err(format!("nil data; no entry for key \"{name}\"")),
                Missing::Nil => Err(format!("nil pointer evaluating interface {{}}.{name}")),
            },
            // What comes out of a map or list is an interface, whatever is in it.
            _ => Err(format!("can't evaluate field {name} in type interface {{}}")),
        }
    }

    fn function(
        &mut self,
        name: &str,
        command: &Command,
        rest: &[Operand],
        dot: &Value,
        last: Option<Value>,
        frame: &mut Frame,
    ) -> Result<Value, Error> {
        if matches!(name, "and" | "or") {
            return self.and_or(name == "or", command, rest, dot, last, frame);
        }
        let mut args = Vec::with_capacity(rest.len() + 1);
        for operand in rest {
            args.push(self.operand(operand, dot, frame)?);
        }
        args.extend(last);
        let functions = self.functions;
        // A function of the one who runs it goes before Go's own, as in Go.
        let called = if functions.has(name) {
            functions.call(name, &args, self).map_err(|why| told(name, why))
        } else {
            builtin::call(name, &args).map_err(|why| told(name, why))
        };
        let value = called.map_err(|why| failure(frame, command.operands[0].at, command, &why))?;
        if value.as_str().is_some_and(|text| text.len() > limits::OUTPUT_BYTES) {
            return Err(failure(frame, command.at, command, "the text is too long"));
        }
        Ok(value)
    }

    /// `and` and `or` look at their arguments one by one and stop at the first that decides.
    fn and_or(
        &mut self,
        wants: bool,
        command: &Command,
        rest: &[Operand],
        dot: &Value,
        last: Option<Value>,
        frame: &mut Frame,
    ) -> Result<Value, Error> {
        let mut value = None;
        for operand in rest {
            let next = self.operand(operand, dot, frame)?;
            if next.is_empty() != wants {
                return Ok(next);
            }
            value = Some(next);
        }
        last.or(value).ok_or_else(|| {
            let name = if wants { "or" } else { "and" };
            failure(frame, command.at, command, &format!("wrong number of args for {name}: want at least 1 got 0"))
        })
    }
}

/// A wrong number of arguments is told as it is; everything else came from inside the function.
fn told(name: &str, why: String) -> String {
    if why.starts_with("wrong number of args for ") { why } else { format!("error calling {name}: {why}") }
}

fn assign(frame: &mut Frame, name: &str, value: Value, known: bool) {
    let old = frame.variables.iter_mut().rev().find(|(n, _)| known && n == name);
    match old {
        Some((_, place)) => *place = value,
        None => frame.variables.push((name.to_owned(), value)),
    }
}

fn failure(frame: &Frame, at: usize, shown: &dyn std::fmt::Display, why: &str) -> Error {
    let template = &frame.template;
    let before = &template.text[..at.min(template.text.len())];
    let line = 1 + before.matches('\n').count();
    let column = before.len() - before.rfind('\n').map_or(0, |i| i + 1);
    let mut quoted = shown.to_string();
    if quoted.chars().count() > QUOTED {
        quoted = format!("{}...", quoted.chars().take(QUOTED).collect::<String>());
    }
    let place = format!("{}:{line}:{column}", template.file);
    Error { in_parse: false, place, message: format!("executing {:?} at <{quoted}>: {why}", template.name) }
}
