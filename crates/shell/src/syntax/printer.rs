//! Functions as bash prints them (`type`, `declare -f`): four blanks for each level, a command a line.

use super::ast::{Chain, Command, Connector, Item, Kind, Pipeline, Script};

/// `declare -f` of a function.
pub fn function(name: &str, body: &Command) -> String {
    let mut out = format!("{name} () \n");
    match &body.kind {
        Kind::Group(script) => {
            out.push_str("{ \n");
            list(script, 1, false, &mut out);
            out.push_str("}\n");
        }
        _ => {
            out.push_str("{ \n");
            out.push_str(&format!("    {}\n}}\n", command(body, 1)));
        }
    }
    out
}

fn indent(level: usize) -> String {
    "    ".repeat(level)
}

/// A list, a command a line; `ended`: the last one gets its semicolon too.
fn list(script: &Script, level: usize, ended: bool, out: &mut String) {
    for (i, item) in script.items.iter().enumerate() {
        let last = i + 1 == script.items.len();
        out.push_str(&indent(level));
        out.push_str(&chain(&item.chain, level));
        out.push_str(ending(item, last && !ended));
        out.push('\n');
    }
}

fn ending(item: &Item, bare: bool) -> &'static str {
    match (item.background, bare) {
        (true, _) => " &",
        (false, true) => "",
        (false, false) => ";",
    }
}

fn chain(chain: &Chain, level: usize) -> String {
    let mut out = pipeline(&chain.first, level);
    for (connector, next) in &chain.rest {
        out.push_str(if *connector == Connector::And { " && " } else { " || " });
        out.push_str(&pipeline(next, level));
    }
    out
}

fn pipeline(pipeline: &Pipeline, level: usize) -> String {
    let commands: Vec<String> = pipeline.commands.iter().map(|it| command(it, level)).collect();
    let start = match (pipeline.timed, pipeline.negated) {
        (true, _) => "time ",
        (_, true) => "! ",
        _ => "",
    };
    format!("{start}{}", commands.join(" | "))
}

fn inside(script: &Script, level: usize) -> String {
    let mut out = String::new();
    list(script, level + 1, true, &mut out);
    out
}

fn condition(script: &Script, level: usize) -> String {
    script.items.iter().map(|item| chain(&item.chain, level)).collect::<Vec<_>>().join("; ")
}

fn command(command: &Command, level: usize) -> String {
    let at = indent(level);
    match &command.kind {
        Kind::Group(script) => {
            let mut out = String::from("{ \n");
            list(script, level + 1, false, &mut out);
            out + &at + "}"
        }
        Kind::Subshell(script) => {
            let items: Vec<String> = script.items.iter().map(|item| chain(&item.chain, level)).collect();
            format!("( {} )", items.join("; "))
        }
        Kind::If { branches, otherwise } => {
            let mut out = String::new();
            for (i, (test, body)) in branches.iter().enumerate() {
                let start = if i == 0 { "if".to_string() } else { format!("{at}elif") };
                out.push_str(&format!("{start} {}; then\n{}", condition(test, level), inside(body, level)));
            }
            if let Some(otherwise) = otherwise {
                out.push_str(&format!("{at}else\n{}", inside(otherwise, level)));
            }
            out + &at + "fi"
        }
        Kind::Loop { until, condition: test, body } => {
            let word = if *until { "until" } else { "while" };
            format!("{word} {}; do\n{}{at}done", condition(test, level), inside(body, level))
        }
        Kind::For { body, .. } | Kind::Select { body, .. } | Kind::CountedFor { body, .. } => {
            let head = command.text.split(['\n', ';']).next().unwrap_or_default().trim();
            let head = match &command.kind {
                Kind::CountedFor { .. } => command.text.split_once("))").map_or(head, |(start, _)| start),
                _ => head,
            };
            let close = if matches!(command.kind, Kind::CountedFor { .. }) { "))" } else { "" };
            format!("{head}{close};\n{at}do\n{}{at}done", inside(body, level))
        }
        Kind::Function { name, body } => function(name, body).trim_end().replace('\n', &format!("\n{at}")),
        _ => command.text.to_string(),
    }
}
