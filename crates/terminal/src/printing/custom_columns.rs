//! `-o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image`
//!
//! Source: `kubectl/pkg/cmd/get/customcolumn.go`.

use values::jsonpath::JsonPath;
use values::value::Value;

/// Columns with their own heads.
#[derive(Clone, PartialEq, Debug)]
pub struct CustomColumns {
    columns: Vec<(String, JsonPath)>,
    no_heads: bool,
}

impl CustomColumns {
    /// Reads `HEAD:path,HEAD:path`.
    ///
    /// # Errors
    /// kubectl's words, without `error: `.
    pub fn parse(spec: &str) -> Result<CustomColumns, String> {
        if spec.is_empty() {
            return Err("custom-columns format specified but no custom columns given".to_owned());
        }
        let mut columns = Vec::new();
        for part in spec.split(',') {
            let (head, path) = part
                .split_once(':')
                .ok_or_else(|| format!("unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"))?;
            columns.push((head.to_owned(), JsonPath::relaxed(path)?));
        }
        Ok(CustomColumns { columns, no_heads: false })
    }

    /// Reads the two lines of a `custom-columns-file`: heads, and a path under each.
    ///
    /// # Errors
    /// kubectl's words, without `error: `.
    pub fn parse_file(text: &str) -> Result<CustomColumns, String> {
        let mut lines = text.lines();
        let heads: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
        let paths: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
        if heads.len() != paths.len() {
            return Err(format!(
                "number of headers ({}) and field specifications ({}) don't match",
                heads.len(),
                paths.len()
            ));
        }
        let columns = heads.iter().zip(paths).map(|(head, path)| Ok(((*head).to_owned(), JsonPath::relaxed(path)?)));
        Ok(CustomColumns { columns: columns.collect::<Result<_, String>>()?, no_heads: false })
    }

    /// The same, without heads.
    pub fn without_heads(self) -> CustomColumns {
        CustomColumns { no_heads: true, ..self }
    }

    /// The head's line, cells apart by tabs; empty if none is wanted.
    pub fn header(&self) -> String {
        if self.no_heads {
            return String::new();
        }
        self.columns.iter().map(|(head, _)| head.as_str()).collect::<Vec<_>>().join("\t") + "\n"
    }

    /// An object's line, cells apart by tabs.
    ///
    /// # Errors
    /// A path that does not fit the object.
    pub fn line(&self, value: &Value) -> Result<String, String> {
        let mut cells = Vec::new();
        for (_, path) in &self.columns {
            let values = path.values(value)?;
            let texts: Vec<String> = values.iter().map(go_text).collect();
            cells.push(if texts.is_empty() { "<none>".to_owned() } else { texts.join(",") });
        }
        Ok(cells.join("\t") + "\n")
    }
}

/// A value as Go's `%v` writes it: `map[a:1 b:2]`, `[x y]`.
pub fn go_text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Str(text) => text.to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(go_text).collect::<Vec<_>>().join(" ")),
        Value::Map(map) => {
            let pairs: Vec<String> = map.iter().map(|(k, v)| format!("{k}:{}", go_text(v))).collect();
            format!("map[{}]", pairs.join(" "))
        }
        other => other.to_json(),
    }
}

/// A value as Go's `%#v` writes it: `map[string]interface {}{"a":1}`.
pub fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::List(items) => {
            format!("[]interface {{}}{{{}}}", items.iter().map(go_syntax).collect::<Vec<_>>().join(", "))
        }
        Value::Map(map) => {
            let pair = |(k, v): (&str, &Value)| format!("{}:{}", Value::from(k).to_json(), go_syntax(v));
            format!("map[string]interface {{}}{{{}}}", map.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        other => other.to_json(),
    }
}
