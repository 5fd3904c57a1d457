//! `-o go-template`: a useful part of Go's templates.
//!
//! There are actions, pipelines, variables, `if`, `range` and `with` with their `else`, comments and trimming, and the
//! functions that choosing and printing need. Named templates are not there; they are an error. Source: `text/template`,
//! `cli-runtime/pkg/printers/template.go`.

mod functions;
mod parse;
mod run;
#[cfg(test)]
mod tests;

use crate::base::value::Value;

/// A template that was read.
#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    text: String,
    nodes: Vec<Node>,
}

/// A piece of a template.
#[derive(Clone, PartialEq, Debug)]
enum Node {
    Text(String),
    Action(Pipeline),
    If(Pipeline, Vec<Node>, Vec<Node>),
    With(Pipeline, Vec<Node>, Vec<Node>),
    Range(Pipeline, Vec<Node>, Vec<Node>),
}

/// `$x := a | b c`; every command's last argument is what the one before gave.
#[derive(Clone, PartialEq, Debug)]
struct Pipeline {
    /// Variables to set, and whether they are new.
    sets: Vec<String>,
    declares: bool,
    commands: Vec<Vec<Term>>,
}

/// An operand.
#[derive(Clone, PartialEq, Debug)]
enum Term {
    /// `.a.b`; without fields the dot itself.
    Field(Vec<String>),
    /// `$x.a`; `$` alone is the whole object.
    Variable(String, Vec<String>),
    Constant(Value),
    Function(String),
    /// `(…).a`
    Group(Box<Pipeline>, Vec<String>),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// kubectl's words, without `error: `.
    pub fn parse(text: &str) -> Result<Template, String> {
        let nodes =
            parse::parse(text).map_err(|why| format!("error parsing template {text}, template: output:1: {why}"))?;
        Ok(Template { text: text.to_owned(), nodes })
    }

    /// What the template makes of an object.
    ///
    /// # Errors
    /// kubectl's words, without `error: `.
    pub fn run(&self, value: &Value) -> Result<String, String> {
        run::run(&self.nodes, value).map_err(|why| {
            format!("error executing template {}: template: output:1: {why}", Value::from(&self.text).to_json())
        })
    }
}
