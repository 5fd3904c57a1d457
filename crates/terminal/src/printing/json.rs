//! JSON as Go's `json.MarshalIndent` writes it with four blanks.
//!
//! Source: `cli-runtime/pkg/printers/json.go`.

use values::value::Value;

/// Indented JSON, with an end of line.
pub fn indented(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out.push('\n');
    out
}

fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::List(items) if !items.is_empty() => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                line(i, depth + 1, out);
                write(item, depth + 1, out);
            }
            close(']', depth, out);
        }
        Value::Map(map) if !map.is_empty() => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                line(i, depth + 1, out);
                out.push_str(&Value::from(key).to_go_json());
                out.push_str(": ");
                write(item, depth + 1, out);
            }
            close('}', depth, out);
        }
        leaf => out.push_str(&leaf.to_go_json()),
    }
}

fn line(index: usize, depth: usize, out: &mut String) {
    out.push_str(if index > 0 { ",\n" } else { "\n" });
    out.push_str(&"    ".repeat(depth));
}

fn close(bracket: char, depth: usize, out: &mut String) {
    out.push('\n');
    out.push_str(&"    ".repeat(depth));
    out.push(bracket);
}
