//! kubectl's JSONPath: `{range .items[*]}{.metadata.name}{"\n"}{end}`.
//!
//! Rules: `docs/semantics/kubectl.md` §8 and the reference "JSONPath Support" of kubectl: fields, indexes, slices,
//! wildcards, unions, filters, recursive descent, range/end and quoted text. Errors have the library's words.
//! Everything is total: no text and no object makes it panic. Source:
//! `client-go/util/jsonpath/{parser,jsonpath,node}.go`.

mod eval;
mod filter;
mod parse;
#[cfg(test)]
mod tests;

use crate::value::Value;

/// A template that was read.
#[derive(Clone, PartialEq, Debug)]
pub struct JsonPath {
    text: String,
    parts: Vec<Piece>,
}

/// A piece of a template: text outside of braces is a [`Hop::Text`] alone.
#[derive(Clone, PartialEq, Debug)]
enum Piece {
    Steps(Vec<Hop>),
    /// `{range …}` up to its `{end}`.
    Range(Vec<Hop>, Vec<Piece>),
    /// An `{end}` without a range; an error when it is reached.
    StrayEnd,
}

/// One step of a path.
#[derive(Clone, PartialEq, Debug)]
enum Hop {
    /// Quoted text, or text outside of braces.
    Text(String),
    Number(i64),
    Decimal(f64),
    Bool(bool),
    Field(String),
    Slice(Slice),
    Wildcard,
    Recursive,
    Union(Vec<Vec<Hop>>),
    Filter(Box<Filter>),
    /// A word that is no keyword; an error when it is reached.
    Word(String),
}

/// `[start:end:step]`; `[n]` has the end that follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Slice {
    start: Option<i64>,
    end: Option<i64>,
    end_is_derived: bool,
    step: Option<i64>,
}

/// `?(@.type=="Complete")`
#[derive(Clone, PartialEq, Debug)]
struct Filter {
    left: Vec<Hop>,
    /// `==` and its like; none asks only whether there is a left side.
    operator: Option<String>,
    right: Vec<Hop>,
}

impl JsonPath {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, in the library's words.
    pub fn parse(text: &str) -> Result<JsonPath, String> {
        Ok(JsonPath { text: text.to_owned(), parts: parse::parse(text)? })
    }

    /// Reads a path in one of its short forms: `x`, `.x`, `{x}`, `{.x}`, as `--sort-by` and custom columns take them.
    ///
    /// # Errors
    /// kubectl's words.
    pub fn relaxed(text: &str) -> Result<JsonPath, String> {
        const EXPECTED: &str = "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or \
                                '{.name1.name2}'";
        if text.is_empty() {
            return JsonPath::parse("");
        }
        let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
        let inner = inner.strip_prefix('.').unwrap_or(inner);
        if inner.is_empty() || inner.contains(['{', '}']) {
            return Err(EXPECTED.to_owned());
        }
        JsonPath::parse(&format!("{{.{inner}}}"))
    }

    /// The template's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What `-o jsonpath` prints. Missing keys are empty unless `strict`.
    ///
    /// # Errors
    /// Why the template does not fit the object, in the library's words.
    pub fn print(&self, value: &Value, strict: bool) -> Result<String, String> {
        let mut out = String::new();
        for group in eval::run(&self.parts, value, strict)? {
            let texts: Vec<String> = group.iter().map(print).collect();
            out.push_str(&texts.join(" "));
        }
        Ok(out)
    }

    /// What each part of the template finds.
    ///
    /// # Errors
    /// As [`JsonPath::print`].
    pub fn groups(&self, value: &Value) -> Result<Vec<Vec<Value>>, String> {
        eval::run(&self.parts, value, false)
    }

    /// All values the template finds; missing keys give none.
    ///
    /// # Errors
    /// As [`JsonPath::print`].
    pub fn values(&self, value: &Value) -> Result<Vec<Value>, String> {
        Ok(eval::run(&self.parts, value, false)?.concat())
    }

    /// All values the template finds; a missing key is an error.
    ///
    /// # Errors
    /// As [`JsonPath::print`].
    pub fn values_strictly(&self, value: &Value) -> Result<Vec<Value>, String> {
        Ok(eval::run(&self.parts, value, true)?.concat())
    }
}

/// Texts bare, maps and lists as JSON.
fn print(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        other => other.to_go_json(),
    }
}
