//! `-o go-template`: Go's templates over an object.
//!
//! Source: `text/template`, `cli-runtime/pkg/printers/template.go`.

use crate::base::value::Value;

/// A template that was read.
#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    text: String,
}

impl Template {
    pub fn parse(text: &str) -> Result<Template, String> {
        Ok(Template { text: text.to_owned() })
    }

    pub fn run(&self, value: &Value) -> Result<String, String> {
        let _ = value;
        Err(format!("templates are not there yet: {}", self.text))
    }
}
