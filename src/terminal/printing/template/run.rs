//! Runs templates. Source: `src/text/template/exec.go`.

use super::functions::{call, truth};
use super::{Node, Pipeline, Term};
use crate::base::value::Value;
use crate::terminal::printing::custom_columns::go_text;

/// Nodes a template may run through; ranges in ranges multiply.
const STEPS_MAX: usize = 1_000_000;
/// Bytes a template may print.
const OUTPUT_MAX: usize = 4 << 20;

struct Run<'v> {
    root: &'v Value,
    variables: Vec<(String, Value)>,
    out: String,
    steps: usize,
}

pub(super) fn run(nodes: &[Node], value: &Value) -> Result<String, String> {
    let mut run = Run { root: value, variables: Vec::new(), out: String::new(), steps: 0 };
    run.nodes(nodes, value)?;
    Ok(run.out)
}

impl Run<'_> {
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<(), String> {
        for node in nodes {
            self.steps += 1;
            if self.steps > STEPS_MAX || self.out.len() > OUTPUT_MAX {
                return Err("the template does too much".to_owned());
            }
            match node {
                Node::Text(text) => self.out.push_str(text),
                Node::Action(pipeline) => {
                    let value = self.pipeline(pipeline, dot)?;
                    if pipeline.sets.is_empty() {
                        self.out.push_str(&printed(value));
                    }
                }
                Node::If(condition, body, otherwise) => self.scope(|run| {
                    let value = run.pipeline(condition, dot)?.unwrap_or_default();
                    run.nodes(if truth(&value) { body } else { otherwise }, dot)
                })?,
                Node::With(condition, body, otherwise) => self.scope(|run| {
                    let value = run.pipeline(condition, dot)?.unwrap_or_default();
                    if truth(&value) { run.nodes(body, &value) } else { run.nodes(otherwise, dot) }
                })?,
                Node::Range(over, body, otherwise) => self.scope(|run| run.range(over, body, otherwise, dot))?,
            }
        }
        Ok(())
    }

    /// Variables end with the block they were declared in.
    fn scope(&mut self, act: impl FnOnce(&mut Self) -> Result<(), String>) -> Result<(), String> {
        let before = self.variables.len();
        let result = act(self);
        self.variables.truncate(before);
        result
    }

    fn range(&mut self, over: &Pipeline, body: &[Node], otherwise: &[Node], dot: &Value) -> Result<(), String> {
        let bare = Pipeline { sets: Vec::new(), ..over.clone() };
        let items: Vec<(Value, Value)> = match self.pipeline(&bare, dot)?.unwrap_or_default() {
            Value::Null => Vec::new(),
            Value::List(items) => items.iter().cloned().enumerate().map(|(i, item)| (Value::from(i), item)).collect(),
            Value::Map(map) => map.iter().map(|(key, item)| (Value::from(key), item.clone())).collect(),
            Value::Int(n) => (0..n.clamp(0, STEPS_MAX as i64)).map(|i| (Value::Int(i), Value::Int(i))).collect(),
            other => return Err(format!("range can't iterate over {}", go_text(&other))),
        };
        if items.is_empty() {
            return self.nodes(otherwise, dot);
        }
        for (key, item) in items {
            self.scope(|run| {
                match over.sets.as_slice() {
                    [one] => run.variables.push((one.clone(), item.clone())),
                    [index, one] => {
                        run.variables.push((index.clone(), key));
                        run.variables.push((one.clone(), item.clone()));
                    }
                    _ => {}
                }
                run.nodes(body, &item)
            })?;
        }
        Ok(())
    }

    /// The pipeline's value; none where a key was missing.
    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Option<Value>, String> {
        let mut value = None;
        for (i, command) in pipeline.commands.iter().enumerate() {
            let piped = if i > 0 { Some(value.unwrap_or_default()) } else { None };
            value = self.command(command, piped, dot)?;
        }
        for name in &pipeline.sets {
            let new = value.clone().unwrap_or_default();
            let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
            match known.filter(|_| !pipeline.declares) {
                Some((_, old)) => *old = new,
                None if pipeline.declares => self.variables.push((name.clone(), new)),
                None => return Err(format!("undefined variable: ${name}")),
            }
        }
        Ok(value)
    }

    fn command(&mut self, terms: &[Term], piped: Option<Value>, dot: &Value) -> Result<Option<Value>, String> {
        let Some((first, rest)) = terms.split_first() else { return Ok(piped) };
        let Term::Function(name) = first else {
            if !rest.is_empty() || piped.is_some() {
                return Err("can't give argument to non-function".to_owned());
            }
            return self.term(first, dot);
        };
        let mut arguments = Vec::new();
        for term in rest {
            arguments.push(self.term(term, dot)?.unwrap_or_default());
            // The rest of `and` and `or` is not looked at once the answer is known.
            let decided = arguments.last().map(truth);
            if (name == "and" && decided == Some(false)) || (name == "or" && decided == Some(true)) {
                return Ok(arguments.pop());
            }
        }
        arguments.extend(piped);
        call(name, &arguments).map(Some)
    }

    fn term(&mut self, term: &Term, dot: &Value) -> Result<Option<Value>, String> {
        match term {
            Term::Constant(value) => Ok(Some(value.clone())),
            Term::Field(names) => follow(Some(dot.clone()), names),
            Term::Variable(name, names) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let value = match known {
                    Some((_, value)) => value.clone(),
                    None if name.is_empty() => self.root.clone(),
                    None => return Err(format!("undefined variable: ${name}")),
                };
                follow(Some(value), names)
            }
            Term::Function(name) => call(name, &[]).map(Some),
            Term::Group(pipeline, names) => {
                let value = self.pipeline(pipeline, dot)?;
                follow(value, names)
            }
        }
    }
}

/// Fields of maps; what is missing has none, and anything else is an error.
fn follow(mut value: Option<Value>, names: &[String]) -> Result<Option<Value>, String> {
    for name in names {
        value = match value {
            Some(Value::Map(map)) => map.get(name).cloned(),
            Some(Value::Null) | None => return Err(format!("nil pointer evaluating interface {{}}.{name}")),
            Some(other) => return Err(format!("can't evaluate field {name} in {}", go_text(&other))),
        };
    }
    Ok(value)
}

fn printed(value: Option<Value>) -> String {
    match value {
        None | Some(Value::Null) => "<no value>".to_owned(),
        Some(value) => go_text(&value),
    }
}
