//! `docker build`: what a Dockerfile says of the image.
//!
//! Source: the Dockerfile reference; the output is BuildKit's, shortened to one line a step.

use std::rc::Rc;

use super::daemon::Local;
use super::{Call, Task, reference};
use cluster::program::image::Image;
use cluster::program::reference::Reference;
use shell::host::resolve;
use values::time::Span;
use values::value::Value;

/// How long one step takes.
const STEP: Span = Span::ms(400);

/// One instruction: its line, its word in capitals, the rest.
#[derive(Debug, PartialEq)]
struct Instruction {
    word: String,
    rest: String,
}

pub fn run(call: &mut Call<'_, '_>) -> Result<Task, String> {
    let folder = resolve(call.cwd, &call.parsed.args[0]);
    if !call.desk.files.info(&folder).is_ok_and(|info| info.directory) {
        return Err(format!("ERROR: unable to prepare context: path \"{}\" not found", call.parsed.args[0]));
    }
    let file = call.parsed.text("file").map_or_else(|| format!("{folder}/Dockerfile"), |file| resolve(call.cwd, file));
    let shown = file.rsplit('/').next().unwrap_or("Dockerfile").to_owned();
    let Ok(bytes) = call.desk.files.read(&file) else {
        return Err(format!(
            "ERROR: failed to build: failed to solve: failed to read dockerfile: open {shown}: no such file or directory"
        ));
    };
    let instructions = read(&String::from_utf8_lossy(&bytes));
    let solve = |why: String| format!("ERROR: failed to build: failed to solve: {why}");
    if instructions.is_empty() {
        return Err(solve("the Dockerfile cannot be empty".to_owned()));
    }
    if let Some(wrong) = instructions.iter().find(|i| !KNOWN.contains(&i.word.as_str())) {
        return Err(solve(format!("dockerfile parse error: unknown instruction: {}", wrong.word)));
    }
    let Some(from) = instructions.iter().rposition(|i| i.word == "FROM") else {
        return Err(solve("dockerfile parse error: no build stage in current context".to_owned()));
    };
    let base = instructions[from].rest.split_whitespace().next().unwrap_or_default().to_owned();
    let base_image = match base.as_str() {
        "scratch" => Rc::new(Image::default()),
        base => {
            let reference =
                Reference::parse(base).map_err(|_| solve(format!("failed to parse stage name {base:?}")))?;
            let found = call.desk.docker.in_registry(&reference);
            found.map_err(|_| {
                solve(format!("{base}: failed to resolve source metadata for {}: not found", reference.full()))
            })?
        }
    };
    let mut image = (*base_image).clone();
    for instruction in &instructions[from + 1..] {
        settle(&mut image, instruction);
    }
    let tags = call.parsed.list("tag").to_vec();
    let (now, rng) = (call.desk.cluster.now(), call.desk.cluster.rng());
    call.desk.docker.made += 1;
    let id = rng.stream("docker", &format!("image/{}", call.desk.docker.made)).hex(64);
    let (name, tag) = match tags.first() {
        Some(tag) => {
            let (name, tag, known) =
                reference(tag).map_err(|_| format!("ERROR: invalid tag \"{tag}\": invalid reference format"))?;
            image = as_known(call, &known, image);
            (name, tag)
        }
        None => ("<none>".to_owned(), "<none>".to_owned()),
    };
    let mut err = format!("[+] Building {} steps\n", instructions.len());
    for (i, instruction) in instructions.iter().enumerate() {
        err.push_str(&format!(" => [{}/{}] {} {}\n", i + 1, instructions.len(), instruction.word, instruction.rest));
    }
    err.push_str(&format!(" => exporting to image\n => => writing image sha256:{id}\n"));
    if !tags.is_empty() {
        err.push_str(&format!(" => => naming to docker.io/library/{name}:{tag}\n"));
    }
    let took = Span::ms(STEP.as_ms().saturating_mul(instructions.len() as i64));
    let size_bytes = image.size_bytes.max(1_148_400);
    let local = Local { name, tag, id, created: now + took, size_bytes, image: Rc::new(image) };
    Ok(Task::Later { at: now + took, err, keep: Some(Box::new(local)) })
}

const KNOWN: [&str; 18] = [
    "FROM",
    "RUN",
    "CMD",
    "LABEL",
    "EXPOSE",
    "ENV",
    "ADD",
    "COPY",
    "ENTRYPOINT",
    "VOLUME",
    "USER",
    "WORKDIR",
    "ARG",
    "ONBUILD",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "SHELL",
    "MAINTAINER",
];

/// Nothing is compiled here: if the program the Dockerfile starts is in no image, the one that the registry has under this
/// name stands in for it.
fn as_known(call: &mut Call<'_, '_>, reference: &Reference, built: Image) -> Image {
    let program = built.entrypoint.first().or(built.cmd.first());
    let runs = program.is_some_and(|program| built.program(program, None).is_some());
    match call.desk.docker.in_registry(reference) {
        Ok(known) if !runs => {
            let mut known = (*known).clone();
            known.env = built.env;
            known
        }
        _ => built,
    }
}

fn settle(image: &mut Image, instruction: &Instruction) {
    let rest = instruction.rest.as_str();
    match instruction.word.as_str() {
        "ENTRYPOINT" => {
            image.entrypoint = words(rest);
            image.cmd.clear();
        }
        "CMD" => image.cmd = words(rest),
        "WORKDIR" => {
            image.working_dir = resolve(if image.working_dir.is_empty() { "/" } else { &image.working_dir }, rest)
        }
        "ENV" => {
            let pairs: Vec<(&str, &str)> = match rest.contains('=') {
                true => rest.split_whitespace().filter_map(|pair| pair.split_once('=')).collect(),
                false => rest.split_once(' ').into_iter().collect(),
            };
            for (name, value) in pairs {
                image.env.insert(name.to_owned(), value.trim_matches('"').to_owned());
            }
        }
        _ => {}
    }
}

/// `["a", "b"]`, or a line for the shell.
fn words(rest: &str) -> Vec<String> {
    match Value::from_json(rest) {
        Ok(Value::List(items)) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => ["/bin/sh", "-c", rest].map(str::to_owned).to_vec(),
    }
}

/// The instructions, with continued lines joined and comments left out.
fn read(text: &str) -> Vec<Instruction> {
    let mut whole = String::new();
    let mut instructions = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(start) = line.strip_suffix('\\') {
            whole.push_str(start);
            continue;
        }
        whole.push_str(line);
        let (word, rest) = whole.split_once(char::is_whitespace).unwrap_or((&whole, ""));
        instructions.push(Instruction { word: word.to_uppercase(), rest: rest.trim().to_owned() });
        whole.clear();
    }
    instructions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dockerfile_is_read_with_its_continued_lines() {
        let read = read("# hello\nFROM a AS b\nrun x \\\n  y\nENTRYPOINT [\"dotnet\", \"x.dll\"]\n");
        let words: Vec<&str> = read.iter().map(|i| i.word.as_str()).collect();
        assert_eq!(words, ["FROM", "RUN", "ENTRYPOINT"]);
        assert_eq!(read[1].rest, "x y");
        let mut image = Image::default();
        settle(&mut image, &read[2]);
        assert_eq!(image.entrypoint, ["dotnet", "x.dll"]);
        assert_eq!(self::words("echo hi"), ["/bin/sh", "-c", "echo hi"]);
    }
}
