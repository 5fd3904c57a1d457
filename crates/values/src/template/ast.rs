//! What a template's text means: nodes with their places. `Display` is Go's `Node.String`, which errors quote.

use std::fmt;
use std::rc::Rc;

use crate::value::Value;

/// A named template, with the text it stands in (for the places of errors).
#[derive(Clone, Debug)]
pub struct Template {
    pub name: String,
    /// The name of the text it was read from, and that text.
    pub file: Rc<str>,
    pub text: Rc<str>,
    pub body: Vec<Node>,
}

impl Template {
    /// Whether it prints nothing but blanks.
    pub fn is_empty(&self) -> bool {
        self.body.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
    }
}

#[derive(Clone, Debug)]
pub enum Node {
    Text(String),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template { at: usize, name: String, with: Option<Pipe> },
    Break,
    Continue,
}

/// `if`, `with` and `range` with their `else`.
#[derive(Clone, Debug)]
pub struct Branch {
    pub pipe: Pipe,
    pub body: Vec<Node>,
    pub otherwise: Vec<Node>,
}

/// `$x, $y := a | b | c`
#[derive(Clone, Debug)]
pub struct Pipe {
    pub at: usize,
    /// Variables that are declared, or set if `assigns`.
    pub variables: Vec<String>,
    pub assigns: bool,
    pub commands: Vec<Command>,
}

/// Operands side by side; the first is called with the others if it is a function.
#[derive(Clone, Debug)]
pub struct Command {
    pub at: usize,
    pub operands: Vec<Operand>,
}

#[derive(Clone, Debug)]
pub struct Operand {
    pub at: usize,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Dot,
    Nil,
    /// A constant, with how it was written.
    Constant(Value, String),
    /// `.a.b`
    Field(Vec<String>),
    /// `$x.a.b`; the name holds the `$`.
    Variable(String, Vec<String>),
    Function(String),
    /// `(pipe).a.b`
    Chain(Box<Operand>, Vec<String>),
    Pipe(Box<Pipe>),
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            write!(f, "{} {} ", self.variables.join(", "), if self.assigns { "=" } else { ":=" })?;
        }
        for (i, command) in self.commands.iter().enumerate() {
            write!(f, "{}{command}", if i > 0 { " | " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, operand) in self.operands.iter().enumerate() {
            write!(f, "{}{operand}", if i > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = |f: &mut fmt::Formatter<'_>, names: &[String]| names.iter().try_for_each(|n| write!(f, ".{n}"));
        match &self.what {
            What::Dot => f.write_str("."),
            What::Nil => f.write_str("nil"),
            What::Constant(_, text) | What::Function(text) => f.write_str(text),
            What::Field(names) => fields(f, names),
            What::Variable(name, names) => {
                f.write_str(name)?;
                fields(f, names)
            }
            What::Chain(inner, names) => {
                write!(f, "{inner}")?;
                fields(f, names)
            }
            What::Pipe(pipe) => write!(f, "({pipe})"),
        }
    }
}
