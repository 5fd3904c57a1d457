//! `-o go-template`: Go's templates with kubectl's own functions, `exists` and `base64decode`.
//!
//! Source: `cli-runtime/pkg/printers/template.go`.

use shell::base64_decode;
use values::template::{Execution, Functions, Missing, Templates};
use values::value::Value;

/// The name kubectl gives the template; it is in all its errors.
const NAME: &str = "output";

/// A template that was read.
#[derive(Clone, Debug)]
pub struct Template {
    text: String,
    parsed: Templates,
    /// A key that is not there is an error.
    strict: bool,
}

impl PartialEq for Template {
    fn eq(&self, other: &Template) -> bool {
        self.text == other.text
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// kubectl's words, without `error: `.
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut parsed = Templates::default();
        parsed
            .add(NAME, text, &OfKubectl { strict: false })
            .map_err(|why| format!("error parsing template {text}, {why}"))?;
        Ok(Template { text: text.to_owned(), parsed, strict: false })
    }

    /// What the template makes of an object.
    ///
    /// # Errors
    /// kubectl's words, without `error: `.
    pub fn run(&self, value: &Value) -> Result<String, String> {
        let made = self.parsed.run(NAME, value, &OfKubectl { strict: self.strict });
        made.map_err(|why| format!("error executing template {}: {why}", Value::from(&self.text).to_json()))
    }

    /// The same, with whether a key that is not there is an error.
    pub fn strict(self, strict: bool) -> Template {
        Template { strict, ..self }
    }

    /// What kubectl prints on standard output when the template does not fit: easier to find than on standard error.
    pub fn stumbled(&self, value: &Value) -> String {
        let Err(why) = self.parsed.run(NAME, value, &OfKubectl { strict: self.strict }) else { return String::new() };
        format!(
            "Error executing template: {why}. Printing more information for debugging the template:\n\ttemplate \
             was:\n\t\t{}\n\traw data was:\n\t\t{}\n\tobject given to template engine was:\n\t\t{}\n",
            self.text,
            value.to_go_json(),
            super::custom_columns::go_text(value)
        )
    }
}

struct OfKubectl {
    strict: bool,
}

impl Functions for OfKubectl {
    fn has(&self, name: &str) -> bool {
        matches!(name, "exists" | "base64decode")
    }

    fn missing(&self) -> Missing {
        if self.strict { Missing::Error } else { Missing::Nothing }
    }

    fn call(&self, name: &str, args: &[Value], _: &mut Execution<'_>) -> Result<Value, String> {
        let Some((first, rest)) = args.split_first() else {
            return Err(format!("wrong number of args for {name}: want at least 1 got 0"));
        };
        match name {
            "exists" => Ok(rest.iter().try_fold(first, item).is_some_and(|found| !found.is_null()).into()),
            _ => {
                let (bytes, whole) = base64_decode(first.as_str().unwrap_or_default().as_bytes());
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if whole { Ok(text.into()) } else { Err("illegal base64 data".to_owned()) }
            }
        }
    }
}

/// An entry of a map or an item of a list.
fn item<'v>(of: &'v Value, key: &Value) -> Option<&'v Value> {
    match (of, key) {
        (Value::Map(map), Value::Str(key)) => map.get(key),
        (Value::List(items), Value::Int(at)) => usize::try_from(*at).ok().and_then(|at| items.get(at)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Template;
    use values::value::Value;

    fn run(template: &str) -> Result<String, String> {
        let value = Value::from_json(
            r#"{"items":[{"metadata":{"name":"a","labels":{"app":"x"}},"n":1},{"metadata":{"name":"b"},"n":2}],"word":"aGk="}"#,
        );
        Template::parse(template)?.run(&value.unwrap())
    }

    #[test]
    fn templates_print_what_go_prints() {
        for (template, expected) in [
            ("{{range .items}}{{.metadata.name}}{{\"\\n\"}}{{end}}", "a\nb\n"),
            ("{{range $i, $x := .items}}{{$i}}={{$x.metadata.name}} {{end}}", "0=a 1=b "),
            ("{{len .items}} {{.missing}}", "2 <no value>"),
            ("{{(index .items 1).metadata.name}}", "b"),
            ("{{if eq .word \"aGk=\"}}yes{{else}}no{{end}}", "yes"),
            ("{{if .none}}a{{else if .word}}b{{else}}c{{end}}", "b"),
            ("{{with .items}}{{len .}}{{end}}", "2"),
            ("{{range .none}}x{{else}}empty{{end}}", "empty"),
            ("a {{- /* nothing */ -}} b", "ab"),
            ("{{range .items}}{{with .metadata.labels}}{{.app}}{{end}};{{end}}", "x;;"),
            ("{{.word | base64decode}}", "hi"),
            ("{{printf \"%-4s|%3d\" .word 7}}", "aGk=|  7"),
            ("{{$n := 0}}{{range .items}}{{$n = .n}}{{end}}{{$n}}", "2"),
            ("{{range .items}}{{if and (gt .n 1) .metadata}}{{.metadata}}{{end}}{{end}}", "map[name:b]"),
        ] {
            assert_eq!(run(template).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (template, part) in [
            ("{{.a", "unclosed action"),
            ("{{if .a}}", "unexpected EOF"),
            ("{{end}}", "unexpected {{end}}"),
            ("{{nope .a}}", "function \"nope\" not defined"),
            ("{{.word.x}}", "can't evaluate field x"),
            ("{{index .items 9}}", "out of range"),
            ("{{base64decode .items}}{{base64decode \"%\"}}", "error calling base64decode: illegal base64 data"),
        ] {
            let error = run(template).unwrap_err();
            assert!(error.contains(part), "{template}: {error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(template in "(\\{\\{[- a-z.$|()\"0-9:=]{0,12}\\}\\}|if|end|range|.){0,8}") {
            let _ = run(&template);
        }
    }
}
