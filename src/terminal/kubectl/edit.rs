//! `kubectl edit`: the object's text in an editor, and its changes back to the API.
//!
//! The editor is the command in `KUBE_EDITOR` or `EDITOR` (`sed -i …`), run by the shell; without one it is a tab of the
//! page. Where there is neither, nothing can be changed. Source: `kubectl/pkg/cmd/util/editor/editoptions.go`.

use crate::api::decode::{FieldValidation, decode};
use crate::api::meta::Key;
use crate::base::value::Value;
use crate::shell::{Dialect, Io, Options, Poll, Shell, Signal, System};
use crate::terminal::command::Command;
use crate::terminal::host::Desk;
use crate::terminal::kubectl::common::{self, DryRun};
use crate::terminal::kubectl::flags::{Flag, Takes, flag};
use crate::terminal::kubectl::targets::{self, Reading};
use crate::terminal::kubectl::{Call, Outcome, Verb, Waiting, errors};
use crate::yaml;

pub const VERB: Verb = Verb {
    name: "edit",
    summary: "Edit an object in an editor",
    usage: "kubectl edit (RESOURCE/NAME | -f FILENAME)",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    common::MISSING_KEYS,
    common::FIELD_MANAGER,
    common::FILENAME,
    common::KUSTOMIZE,
    common::OUTPUT,
    flag("output-patch", Takes::Nothing, "Print the patch").default("false"),
    common::RECURSIVE,
    common::SAVE_CONFIG,
    common::MANAGED_FIELDS,
    flag("subresource", Takes::Text, "status"),
    common::TEMPLATE,
    common::VALIDATE,
    flag("windows-line-endings", Takes::Nothing, "Line ends of the text").default("false"),
];

const HEADER: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,\n# and an empty file will \
                      abort the edit. If an error occurs while saving this file will be\n# reopened with the relevant \
                      failures.\n#\n";

/// Steps of one poll of the editor's command.
const STEP_BUDGET: u32 = 10_000;

/// An object whose text is in an editor.
#[derive(Clone, Debug)]
pub struct Editing {
    key: Key,
    path: String,
    before: Value,
    editor: Editor,
}

#[derive(Clone, Debug)]
enum Editor {
    /// A command that runs until the text is done.
    Command(Box<Shell<Command>>),
    /// A tab of the page.
    Tab,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let args = call.parsed.args.clone();
    let (objects, failed) = match targets::existing(call, &args, Reading::default()) {
        Ok(found) => found,
        Err(line) => return call.fail_line(&line),
    };
    if failed {
        return Outcome::Exit(1);
    }
    let Some(object) = objects.first() else { return call.fail("edit needs an object") };
    let number = call.desk.random() % 9_000_000_000 + 1_000_000_000;
    let path = format!("/tmp/kubectl-edit-{number}.yaml");
    let text = format!("{HEADER}{}", yaml::emit(object.value()));
    if call.desk.write_file(&path, text.as_bytes(), false).is_err() {
        return call.fail("unable to create temp file");
    }
    let command = ["KUBE_EDITOR", "EDITOR"].iter().find_map(|name| call.args.env.get(*name)).filter(|e| !e.is_empty());
    let editor = match command {
        Some(command) => {
            let options = Options {
                env: call.args.env.clone(),
                cwd: call.args.cwd.clone(),
                started: call.desk.cluster.now(),
                ..Options::new(Dialect::Bash)
            };
            Editor::Command(Box::new(Shell::new(&format!("{command} {path}"), options)))
        }
        None if call.desk.editors.present => {
            call.desk.editors.open.insert(path.clone());
            Editor::Tab
        }
        None => {
            call.io.out("Edit cancelled, no changes made.\n");
            return Outcome::Exit(0);
        }
    };
    Outcome::Waits(Waiting::Edit(Editing { key: object.key(), path, before: object.value().clone(), editor }))
}

impl Editing {
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        match &mut self.editor {
            Editor::Tab if desk.editors.open.contains(&self.path) => Poll::Wait,
            Editor::Tab => self.finish(desk, io),
            Editor::Command(shell) => match shell.poll(desk, io, &mut { STEP_BUDGET }) {
                Poll::Exit(0) => self.finish(desk, io),
                Poll::Exit(code) => {
                    io.err(&format!("error: there was a problem with the editor: exit status {code}\n"));
                    Poll::Exit(1)
                }
                other => other,
            },
        }
    }

    fn finish(&self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let bytes = desk.files.read(&self.path).unwrap_or_default();
        let parsed = yaml::parse(&String::from_utf8_lossy(&bytes), &self.path);
        if let Some(error) = parsed.kubectl_error() {
            io.err(&format!("{error}\n"));
            return Poll::Exit(1);
        }
        let edited = parsed.documents.first().map(|node| node.value());
        let Some(edited) = edited.filter(|value| !value.is_empty() && *value != self.before) else {
            // The file has done its service; it may be gone already.
            let _ = desk.files.remove(&self.path);
            io.out("Edit cancelled, no changes made.\n");
            return Poll::Exit(0);
        };
        let name = common::name_of(&self.before);
        let refused = match decode(&edited, FieldValidation::Strict) {
            Err(refusal) => Some(refusal.kubectl(&self.path, "patching")),
            Ok(decoded) => {
                let written = desk.cluster.api("user", |api| api.update(&self.key, |value| *value = decoded.object));
                written.err().map(|error| errors::render(&error, None))
            }
        };
        if let Some(line) = refused {
            io.err(&format!("{line}\nA copy of your changes has been stored to \"{}\"\nerror: Edit cancelled, no valid changes were saved.\n", self.path));
            return Poll::Exit(1);
        }
        let _ = desk.files.remove(&self.path);
        io.out(&format!("{name} edited{}\n", DryRun::No.suffix()));
        Poll::Exit(0)
    }

    /// Ctrl-C: the text is thrown away.
    pub fn cancel(&mut self, desk: &mut Desk<'_>) {
        if let Editor::Command(shell) = &mut self.editor {
            shell.signal(desk, &mut Io::without_input(), Signal::Int);
        }
        desk.editors.open.remove(&self.path);
        // It may be gone already.
        let _ = desk.files.remove(&self.path);
    }
}
