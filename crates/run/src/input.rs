//! What anyone can do to a run from outside, and how a scenario's step has it.
//!
//! Rule: whatever changes a run is an [`Input`]; a scenario, a report, a link, a lesson's step are inputs with their times and
//! nothing else. Each has one form in YAML (`docs/scenario.md`, "Steps"), and what is written is read back as it was.

use crate::fault::Fault;
use crate::reading::{Fields, Wrong};
use cluster::NodeSpec;
use cluster::program::image::Image;
use terminal::SessionId;
use values::object;
use values::value::Value;

/// The file that stands for standard input, as `kubectl apply -f -` has it.
pub const STDIN: &str = "-";

/// What someone does to a run.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// `kubectl apply -f FILE` with the text of an editor's tab. The file `-` stands for `kubectl apply -f -` in a shell of
    /// its own, which takes the time that the command takes.
    Apply {
        file: String,
        text: String,
    },
    /// The text of an editor's tab is saved as a file of the terminals.
    Save {
        file: String,
        text: String,
    },
    /// An editor's tab has another name: its file moves, if it was saved.
    Rename {
        from: String,
        to: String,
    },
    /// An editor's tab was closed: its file goes.
    Remove {
        file: String,
    },
    /// A terminal opens. Its number is one more than that of the terminal that was opened before it.
    OpenTerminal,
    /// What runs in the terminal ends with it.
    CloseTerminal {
        terminal: SessionId,
    },
    /// A line typed into a terminal: a command at its prompt, or a line of input for the command that runs.
    Line {
        terminal: SessionId,
        line: String,
    },
    /// Keys typed into a terminal: what runs there reads them as they are, without an end of line after them. At the
    /// prompt they are lines.
    Type {
        terminal: SessionId,
        text: String,
    },
    /// Ctrl-C in a terminal.
    Interrupt {
        terminal: SessionId,
    },
    /// Ctrl-D in a terminal while a command runs.
    EndInput {
        terminal: SessionId,
    },
    /// The editor that `kubectl edit` opened was closed. `text` is what was saved in it, none if nothing was.
    CloseEdit {
        path: String,
        text: Option<String>,
    },
    /// A command line in a shell of its own.
    Run {
        line: String,
    },
    Fault(Fault),
    /// A machine joins the cluster.
    AddNode(NodeSpec),
    /// A machine has another size; what is not said stays.
    ResizeNode {
        name: String,
        cpu: Option<String>,
        memory: Option<String>,
    },
    /// A machine is taken away for good, and its Node with it.
    RemoveNode {
        name: String,
    },
    /// An image is what this text says from now on: one entry of `static/images.yaml`.
    Image {
        text: String,
    },
}

/// The keys of a step, one for each kind of input.
pub(crate) const KEYS: [&str; 17] = [
    "apply",
    "run",
    "fault",
    "save",
    "rename",
    "remove",
    "open-terminal",
    "close-terminal",
    "line",
    "type",
    "interrupt",
    "end-input",
    "end-edit",
    "add-node",
    "resize-node",
    "remove-node",
    "image",
];

impl Input {
    /// Reads the value of a step's key. `opened` is how many terminals were opened by the steps before.
    ///
    /// # Errors
    /// What is wrong, and where below the key.
    pub fn read(key: &str, value: &Value, opened: u64) -> Result<Input, Wrong> {
        let text = || Fields::word(value, &format!("`{key}` is a text"));
        Ok(match key {
            "apply" if value.as_map().is_none() => Input::Apply { file: STDIN.to_owned(), text: text()? },
            "apply" | "save" => {
                let fields = Fields::of(value, &["file", "text"])?;
                let (file, text) = (fields.name("file")?, fields.text("text")?);
                if key == "apply" { Input::Apply { file, text } } else { Input::Save { file, text } }
            }
            "run" => Input::Run { line: text()? },
            "fault" => Input::Fault(Fault::read(value)?),
            "rename" => {
                let fields = Fields::of(value, &["from", "to"])?;
                Input::Rename { from: fields.name("from")?, to: fields.name("to")? }
            }
            "remove" => Input::Remove { file: text()? },
            "open-terminal" => match value.as_i64() {
                Some(number) if u64::try_from(number) == Ok(opened + 1) => Input::OpenTerminal,
                _ => {
                    return Err(Wrong::here(format!(
                        "terminals are numbered as they open: this one is {}",
                        opened + 1
                    )));
                }
            },
            "close-terminal" => Input::CloseTerminal { terminal: terminal(value, opened)? },
            "interrupt" => Input::Interrupt { terminal: terminal(value, opened)? },
            "end-input" => Input::EndInput { terminal: terminal(value, opened)? },
            "line" | "type" => {
                let (terminal, text) = typed(value, opened)?;
                if key == "line" { Input::Line { terminal, line: text } } else { Input::Type { terminal, text } }
            }
            "end-edit" if value.as_map().is_none() => Input::CloseEdit { path: text()?, text: None },
            "end-edit" => {
                let fields = Fields::of(value, &["path", "text"])?;
                Input::CloseEdit { path: fields.name("path")?, text: fields.text_if("text")? }
            }
            "add-node" => Input::AddNode(read_node(value)?),
            "resize-node" => {
                let fields = Fields::of(value, &["name", "cpu", "memory"])?;
                let (name, cpu, memory) = (fields.name("name")?, fields.size_if("cpu")?, fields.size_if("memory")?);
                Input::ResizeNode { name, cpu, memory }
            }
            "remove-node" => Input::RemoveNode { name: text()? },
            "image" => {
                let text = if value.as_map().is_some() { yaml::emit(value) } else { text()? };
                Image::parse(&text).map_err(Wrong::here)?;
                Input::Image { text }
            }
            _ => return Err(Wrong::here(format!("`{key}` is no step; there is {}", KEYS.join(", ")))),
        })
    }

    /// The step's key and its value; [`Input::read`] reads them back. `opened` is how many terminals were opened before.
    pub fn write(&self, opened: u64) -> (&'static str, Value) {
        let of_terminal = |terminal: &SessionId| Value::Int(i64::try_from(terminal.number()).unwrap_or(i64::MAX));
        let typed = |terminal: &SessionId, text: &str| match terminal.number() {
            1 => Value::from(text),
            _ => object! { "terminal" => of_terminal(terminal), "text" => text },
        };
        match self {
            Input::Apply { file, text } if file == STDIN => ("apply", text.as_str().into()),
            Input::Apply { file, text } => ("apply", object! { "file" => file, "text" => text }),
            Input::Save { file, text } => ("save", object! { "file" => file, "text" => text }),
            Input::Rename { from, to } => ("rename", object! { "from" => from, "to" => to }),
            Input::Remove { file } => ("remove", file.as_str().into()),
            Input::OpenTerminal => ("open-terminal", of_terminal(&SessionId::numbered(opened + 1))),
            Input::CloseTerminal { terminal } => ("close-terminal", of_terminal(terminal)),
            Input::Line { terminal, line } => ("line", typed(terminal, line)),
            Input::Type { terminal, text } => ("type", typed(terminal, text)),
            Input::Interrupt { terminal } => ("interrupt", of_terminal(terminal)),
            Input::EndInput { terminal } => ("end-input", of_terminal(terminal)),
            Input::CloseEdit { path, text: None } => ("end-edit", path.as_str().into()),
            Input::CloseEdit { path, text: Some(text) } => ("end-edit", object! { "path" => path, "text" => text }),
            Input::Run { line } => ("run", line.as_str().into()),
            Input::Fault(fault) => ("fault", fault.write()),
            Input::AddNode(spec) => ("add-node", write_node(spec)),
            Input::ResizeNode { name, cpu, memory } => {
                let mut node = object! { "name" => name };
                for (key, size) in [("cpu", cpu), ("memory", memory)] {
                    if let Some(size) = size {
                        node.set(key, size);
                    }
                }
                ("resize-node", node)
            }
            Input::RemoveNode { name } => ("remove-node", name.as_str().into()),
            Input::Image { text } => ("image", text.as_str().into()),
        }
    }

    /// In plain words, for the time line, and for whoever reads of it: `apply job.yaml`, `node-1 dies`, `kubectl get pods`.
    pub fn says(&self) -> String {
        match self {
            Input::Apply { file, .. } => format!("apply {file}"),
            Input::Save { file, .. } => format!("save {file}"),
            Input::Rename { from, to } => format!("rename {from} to {to}"),
            Input::Remove { file } => format!("remove {file}"),
            Input::OpenTerminal => "open a terminal".to_owned(),
            Input::CloseTerminal { terminal } => format!("close terminal {}", terminal.number()),
            Input::Line { line, .. } => line.clone(),
            Input::Type { text, .. } => format!("type {}", Value::from(text.as_str()).to_json()),
            Input::Interrupt { terminal } => format!("Ctrl-C in terminal {}", terminal.number()),
            Input::EndInput { terminal } => format!("Ctrl-D in terminal {}", terminal.number()),
            Input::CloseEdit { path, text: None } => format!("close {path} unsaved"),
            Input::CloseEdit { path, text: Some(_) } => format!("save and close {path}"),
            Input::Run { line } => line.clone(),
            Input::Fault(fault) => fault.says(),
            Input::AddNode(spec) => format!("{} joins", spec.name),
            Input::ResizeNode { name, .. } => format!("{name} has another size"),
            Input::RemoveNode { name } => format!("{name} is taken away"),
            Input::Image { text } => {
                let image = Image::parse(text).unwrap_or_default();
                format!("{} does something else", image.names.join(", "))
            }
        }
    }

    /// Whether it is for a command that runs, so that it cannot wait for that command's end.
    pub(crate) fn is_for_what_runs(&self) -> bool {
        matches!(
            self,
            Input::Type { .. }
                | Input::Interrupt { .. }
                | Input::EndInput { .. }
                | Input::CloseEdit { .. }
                | Input::CloseTerminal { .. }
        )
    }
}

/// The number of a terminal that was opened before.
fn terminal(value: &Value, opened: u64) -> Result<SessionId, Wrong> {
    let number = value.as_i64().and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0);
    match number {
        Some(number) if number <= opened => Ok(SessionId::numbered(number)),
        Some(number) => {
            Err(Wrong::here(format!("terminal {number} was not opened yet: `open-terminal: {number}` does it")))
        }
        None => Err(Wrong::here("the number of a terminal is needed here; the first that opens is 1".to_owned())),
    }
}

/// `TEXT` for the first terminal, `{terminal: 2, text: TEXT}` for others.
fn typed(value: &Value, opened: u64) -> Result<(SessionId, String), Wrong> {
    if value.as_map().is_none() {
        return Ok((terminal(&Value::Int(1), opened)?, Fields::word(value, "what is typed is a text")?));
    }
    let fields = Fields::of(value, &["terminal", "text"])?;
    let terminal = terminal(fields.get("terminal"), opened).map_err(|wrong| wrong.under("terminal"))?;
    Ok((terminal, fields.text("text")?))
}

/// A machine; what is not said is that of the page's machines.
pub(crate) fn read_node(value: &Value) -> Result<NodeSpec, Wrong> {
    let fields = Fields::of(value, &["name", "cpu", "memory"])?;
    let size = |key: &str, usual: &str| Ok(fields.size_if(key)?.unwrap_or_else(|| usual.to_owned()));
    Ok(NodeSpec { name: fields.name("name")?, cpu: size("cpu", "2")?, memory: size("memory", "24Gi")? })
}

pub(crate) fn write_node(spec: &NodeSpec) -> Value {
    object! { "name" => &spec.name, "cpu" => &spec.cpu, "memory" => &spec.memory }
}
