//! Go's template language: text with `{{ actions }}`, over trees of [`Value`].
//!
//! One engine for Helm's charts and for `-o go-template`. Rule: Go's `text/template` with missing keys read as nothing, and
//! its error texts. Functions beyond Go's own come from whoever runs it ([`Functions`]). Work is bounded: steps, nesting and
//! output each have a limit that ends the run with an error.
//! Source: `text/template/{parse/{lex,parse,node},exec,funcs}.go`.

mod ast;
mod builtin;
mod exec;
pub mod format;
mod lex;
mod parse;
#[cfg(test)]
mod tests;

use crate::sorted::SortedMap;
use std::fmt;
use std::rc::Rc;

use crate::value::Value;

pub use exec::Execution;

/// What bounds the work of one run.
pub mod limits {
    /// Nodes and calls of one run.
    pub const STEPS: u32 = 1_000_000;
    /// Templates that call each other, and blocks or parentheses inside each other.
    pub const DEPTH: usize = 64;
    /// Bytes of output, and of any one text made on the way.
    pub const OUTPUT_BYTES: usize = 1 << 20;
}

/// Functions that templates may call beside Go's own.
pub trait Functions {
    /// Whether there is a function of this name; asked while a text is read.
    fn has(&self, name: &str) -> bool;

    /// Calls it.
    ///
    /// # Errors
    /// Its own text; the engine puts the place before it.
    fn call(&self, name: &str, args: &[Value], run: &mut Execution<'_>) -> Result<Value, String>;

    /// Calls a method of a value (`.Files.Get "x"`). `None`: it has none of this name.
    fn method(&self, _on: &Value, _name: &str, _args: &[Value]) -> Option<Result<Value, String>> {
        None
    }

    /// What a key that is not there gives.
    fn missing(&self) -> Missing {
        Missing::Nil
    }
}

/// What a key that is not there gives (`missingkey=` of Go's templates).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// A nil, below which nothing can be asked for.
    Nil,
    /// Nothing, and so does all below it.
    Nothing,
    /// An error.
    Error,
}

/// No functions beside Go's own.
#[derive(Clone, Copy, Debug)]
pub struct NoFunctions;

impl Functions for NoFunctions {
    fn has(&self, _: &str) -> bool {
        false
    }

    fn call(&self, name: &str, _: &[Value], _: &mut Execution<'_>) -> Result<Value, String> {
        Err(format!("{name:?} is not a defined function"))
    }
}

/// Why a text is no template, or why it could not be carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// Whether the text could not even be read.
    pub in_parse: bool,
    /// `name:line`, or `name:line:column` while running.
    pub place: String,
    /// What went wrong, with `executing "x" at <…>: ` before it while running.
    pub message: String,
}

impl fmt::Display for Error {
    /// Go's text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template: {}: {}", self.place, self.message)
    }
}

impl std::error::Error for Error {}

/// Templates by name. Texts define further ones with `define` and `block`.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    by_name: SortedMap<String, Rc<ast::Template>>,
}

impl Templates {
    /// Reads `text` as the template `name`, with all that it defines. Later definitions replace earlier ones, unless they
    /// are empty.
    ///
    /// # Errors
    /// Where and why it is no template.
    pub fn add(&mut self, name: &str, text: &str, functions: &dyn Functions) -> Result<(), Error> {
        for template in parse::parse(name, text, functions)? {
            let known = self.by_name.contains_key(&template.name);
            if !known || !template.is_empty() {
                self.by_name.insert(template.name.clone(), Rc::new(template));
            }
        }
        Ok(())
    }

    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Carries out a template over `data`.
    ///
    /// # Errors
    /// Where and why it stopped.
    pub fn run(&self, name: &str, data: &Value, functions: &dyn Functions) -> Result<String, Error> {
        Execution::new(self, functions).template(name, data)
    }
}

/// Reads and carries out one text.
///
/// # Errors
/// Where and why it failed.
pub fn render(name: &str, text: &str, data: &Value, functions: &dyn Functions) -> Result<String, Error> {
    let mut templates = Templates::default();
    templates.add(name, text, functions)?;
    templates.run(name, data, functions)
}
