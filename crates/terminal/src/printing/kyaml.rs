//! `-o kyaml`: YAML that is as plain as JSON, with quotes around all texts and braces around all maps.
//!
//! Source: `sigs.k8s.io/yaml/kyaml/kyaml.go`.

use values::value::Value;

/// A document with its `---`.
pub fn emit(value: &Value) -> String {
    let mut out = "---\n".to_owned();
    write(value, 0, &mut out);
    out.push('\n');
    out
}

fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Map(map) if map.is_empty() => out.push_str("{}"),
        Value::List(items) if items.is_empty() => out.push_str("[]"),
        Value::Map(map) => {
            out.push_str("{\n");
            for (key, item) in map.iter() {
                out.push_str(&format!("{}{}: ", "  ".repeat(depth + 1), bare_or_quoted(key)));
                write(item, depth + 1, out);
                out.push_str(",\n");
            }
            out.push_str(&format!("{}}}", "  ".repeat(depth)));
        }
        // Maps and lists stand close together: `[{ … }, { … }]`.
        Value::List(items) if items.iter().all(|item| matches!(item, Value::Map(_) | Value::List(_))) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write(item, depth, out);
            }
            out.push(']');
        }
        Value::List(items) => {
            out.push_str("[\n");
            for item in items.iter() {
                out.push_str(&"  ".repeat(depth + 1));
                write(item, depth + 1, out);
                out.push_str(",\n");
            }
            out.push_str(&format!("{}]", "  ".repeat(depth)));
        }
        Value::Str(text) if text.contains('\n') => several_lines(text, depth, out),
        Value::Str(text) => out.push_str(&quoted(text)),
        other => out.push_str(&other.to_json()),
    }
}

/// A text of several lines: each on a line of its own, joined by backslashes.
fn several_lines(text: &str, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth + 1);
    out.push_str("\"\\\n");
    for line in text.split_inclusive('\n') {
        let inner = quoted(line);
        // A blank at the beginning would be taken for indentation.
        let inner = &inner[1..inner.len() - 1];
        let escape = if inner.starts_with([' ', '\t']) { "\\" } else { " " };
        out.push_str(&format!("{indent}{escape}{inner}"));
        out.push_str("\\\n");
    }
    out.push_str(&format!("{indent}\""));
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Words that YAML takes for something else than a text.
const AMBIGUOUS: [&str; 14] =
    ["null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", "t", "f", ".nan", ".inf"];

fn bare_or_quoted(key: &str) -> String {
    let plain = !key.is_empty()
        && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && !AMBIGUOUS.contains(&key.to_ascii_lowercase().as_str());
    if plain { key.to_owned() } else { quoted(key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_and_maps_have_braces() {
        let json = r#"{"a":"1","b":{"true":true,"multi":"a\nb\n"},"c":[{"x":1},{"y":2}],"d":["p","q"],"e":{},"f":[]}"#;
        let want = "---\n{\n  a: \"1\",\n  b: {\n    multi: \"\\\n       a\\n\\\n       b\\n\\\n      \",\n    \"true\": true,\n  \
                    },\n  c: [{\n    x: 1,\n  }, {\n    y: 2,\n  }],\n  d: [\n    \"p\",\n    \"q\",\n  ],\n  e: {},\n  f: [],\n}\n";
        assert_eq!(emit(&Value::from_json(json).unwrap()), want);
    }
}
