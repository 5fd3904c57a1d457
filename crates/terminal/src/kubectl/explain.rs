//! `kubectl explain`: what a kind's fields mean.
//!
//! The frame is kubectl's; the sentences are our own (`api/schema/docs.txt`). Source:
//! `kubectl/pkg/explain/v2/templates/plaintext.tmpl`.

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, resource};
use api::schema::{Field, Schema, StructId};
use values::sort::sort_by_key;

pub const VERB: Verb = Verb {
    name: "explain",
    summary: "Tell what a kind's fields mean",
    usage: "kubectl explain TYPE [--recursive=FALSE|TRUE] [--api-version=VERSION] [-o|--output=plaintext|plaintext-openapiv2]",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("api-version", Takes::Text, "Explain this version, such as batch/v1"),
    flag("output", Takes::Text, "plaintext").short('o').default("plaintext"),
    flag("recursive", Takes::Nothing, "List the fields of fields too").default("false"),
];

/// Descriptions are wrapped so that lines end before this column.
const WIDTH: usize = 80;
/// Fields of fields are followed so far; some structs contain themselves.
const DEPTH_MAX: usize = 12;

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let args = call.parsed.args.clone();
    let what = match args.as_slice() {
        [what] => what,
        [] => {
            return call.fail(
                "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of \
                 supported resources.",
            );
        }
        _ => return call.fail("We accept only this format: explain RESOURCE"),
    };
    let mut path = what.trim_end_matches('.').split('.');
    let word = path.next().unwrap_or_default();
    let Some(kind) = resource::find_kind(word) else {
        return call.fail(&format!("the server doesn't have a resource type \"{word}\""));
    };
    let (info, schema) = (kind.info(), Schema::get());
    let Some(root) = schema.kind(&info.api_version(), info.name) else {
        return call.fail(&format!("couldn't find resource for \"{}, Kind={}\"", info.api_version(), info.name));
    };
    let mut text = String::new();
    if !info.group.is_empty() {
        text += &format!("GROUP:      {}\n", info.group);
    }
    text += &format!("KIND:       {}\nVERSION:    {}\n\n", info.name, info.version);
    let (mut here, mut field) = (Some(root), None);
    for name in path {
        // A field that belongs to every object, and has no line in the schema of each kind.
        let found = here.and_then(|id| schema.field(id, name));
        let Some(found) = found else {
            call.io.out(&text);
            return call.fail(&format!("field \"{name}\" does not exist"));
        };
        (field, here) = (Some(found), found.ty.struct_within());
    }
    text += &explanation(schema, info.name, here, field, call.parsed.on("recursive"));
    call.io.out(&text);
    Outcome::Exit(0)
}

fn explanation(schema: &Schema, kind: &str, id: Option<StructId>, field: Option<&Field>, recursive: bool) -> String {
    let mut text = String::new();
    let sentence = match field {
        Some(field) => {
            text += &format!("FIELD: {} <{}>{}\n", field.name, field.ty.explained(schema), required(field));
            text += &enumeration(field.ty.values(), "");
            if field.ty.values().is_empty() {
                text.push('\n');
            }
            text.push('\n');
            field.doc().to_owned()
        }
        None => format!("{kind} as the API server keeps it."),
    };
    text += "DESCRIPTION:\n";
    text += &wrapped(if sentence.is_empty() { "<empty>" } else { &sentence });
    text += "    \n";
    if let Some(id) = id {
        text += "FIELDS:\n";
        if field.is_none() {
            let own = [("apiVersion", "Group and version of the kind."), ("kind", "The kind of the object.")];
            for (name, sentence) in own {
                text += &format!("  {name}\t<string>\n");
                text += &if recursive { String::new() } else { wrapped(sentence) + "\n" };
            }
        }
        fields(schema, id, recursive, 1, &mut text);
    }
    text + "\n"
}

fn fields(schema: &Schema, id: StructId, recursive: bool, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let mut all = schema.fields(id);
    sort_by_key(&mut all, |field| field.name);
    for field in all {
        *text += &format!("{indent}{}\t<{}>{}\n", field.name, field.ty.explained(schema), required(field));
        *text += &enumeration(field.ty.values(), &indent);
        if !recursive {
            let sentence = field.doc();
            *text += &wrapped(if sentence.is_empty() { "<no description>" } else { sentence });
            text.push('\n');
        } else if let Some(inner) = field.ty.struct_within().filter(|inner| *inner != id && depth < DEPTH_MAX) {
            fields(schema, inner, recursive, depth + 1, text);
        }
    }
}

fn required(field: &Field) -> &'static str {
    if field.required { " -required-" } else { "" }
}

fn enumeration(values: &[&str], indent: &str) -> String {
    if values.is_empty() {
        return String::new();
    }
    let mut values = values.to_vec();
    values.sort_unstable();
    if indent.is_empty() {
        return format!("ENUM:\n{}", values.iter().map(|value| format!("    {value}\n")).collect::<String>());
    }
    format!("{indent}enum: {}\n", values.join(", "))
}

/// Words in lines of at most [`WIDTH`] characters, four of them blank.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::from("   ")];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line + 1 + word.chars().count() > WIDTH && line > 3 {
            lines.push(String::from("   "));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}
