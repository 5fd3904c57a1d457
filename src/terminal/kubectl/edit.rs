//! `kubectl edit`: the object's text in an editor, and its changes back to the API.
//!
//! The editor is the command in `KUBE_EDITOR` or `EDITOR` (`sed -i …`), run by the shell; without one it is whoever sits at
//! the terminal. Where there is neither, nothing can be changed. A text that is no YAML, or is invalid, comes back into the
//! editor with the reasons as comments, until it is saved without a change. Source:
//! `kubectl/pkg/cmd/util/editor/editoptions.go`.

use crate::api::decode::{FieldValidation, decode};
use crate::api::meta::Key;
use crate::api::status::Reason;
use crate::base::value::Value;
use crate::shell::{Dialect, Env, Io, Options, Poll, Shell, Signal, System};
use crate::terminal::command::Command;
use crate::terminal::host::Desk;
use crate::terminal::kubectl::common::{self, DryRun};
use crate::terminal::kubectl::flags::{Flag, Takes, flag};
use crate::terminal::kubectl::targets::{self, Reading};
use crate::terminal::kubectl::{Call, Outcome, Verb, Waiting};
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
    before: Value,
    /// The file in the editor, and what was put into it.
    path: String,
    given: String,
    /// The text was refused, and is in the editor once more.
    again: bool,
    env: Env,
    cwd: String,
    editor: Editor,
}

#[derive(Clone, Debug)]
enum Editor {
    /// A command that runs until the text is done.
    Command(Box<Shell<Command>>),
    /// Whoever sits at the terminal: a tab of the page, or an editor of the machine it runs on.
    Person,
}

/// What became of a text.
enum Verdict {
    Exit(i32),
    /// The editor opens again, with these comments in the text.
    Again(String),
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
    if editor_of(&call.args.env).is_none() && !call.desk.attended {
        call.io.out("Edit cancelled, no changes made.\n");
        return Outcome::Exit(0);
    }
    let mut editing = Editing {
        key: object.key(),
        before: object.value().clone(),
        path: String::new(),
        given: String::new(),
        again: false,
        env: call.args.env.clone(),
        cwd: call.args.cwd.clone(),
        editor: Editor::Person,
    };
    let text = format!("{HEADER}{}", yaml::emit(object.value()));
    if !editing.open(call.desk, text) {
        return call.fail("unable to create temp file");
    }
    Outcome::Waits(Waiting::Edit(editing))
}

/// The command of `KUBE_EDITOR` or `EDITOR`.
fn editor_of(env: &Env) -> Option<&String> {
    ["KUBE_EDITOR", "EDITOR"].iter().find_map(|name| env.get(*name)).filter(|command| !command.is_empty())
}

impl Editing {
    /// Puts a text into a fresh file and opens the editor. False if the file cannot be written.
    fn open(&mut self, desk: &mut Desk<'_>, text: String) -> bool {
        let number = desk.random() % 9_000_000_000 + 1_000_000_000;
        self.path = format!("/tmp/kubectl-edit-{number}.yaml");
        self.given = text;
        if desk.write_file(&self.path, self.given.as_bytes(), false).is_err() {
            return false;
        }
        self.editor = match editor_of(&self.env) {
            Some(command) => {
                let options = Options {
                    env: self.env.clone(),
                    cwd: self.cwd.clone(),
                    started: desk.cluster.now(),
                    ..Options::new(Dialect::Bash)
                };
                Editor::Command(Box::new(Shell::new(&format!("{command} {}", self.path), options)))
            }
            None => {
                desk.editors.open.insert(self.path.clone());
                Editor::Person
            }
        };
        true
    }

    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        loop {
            match &mut self.editor {
                Editor::Person if desk.editors.open.contains(&self.path) => return Poll::Wait,
                Editor::Person => {}
                Editor::Command(shell) => match shell.poll(desk, io, &mut { STEP_BUDGET }) {
                    Poll::Exit(0) => {}
                    Poll::Exit(code) => {
                        io.err(&format!("error: there was a problem with the editor: exit status {code}\n"));
                        return Poll::Exit(1);
                    }
                    other => return other,
                },
            }
            let bytes = desk.files.read(&self.path).unwrap_or_default();
            let edited = String::from_utf8_lossy(&bytes).into_owned();
            match self.judge(&edited, desk, io) {
                Verdict::Exit(code) => return Poll::Exit(code),
                Verdict::Again(reasons) => {
                    self.forget(desk);
                    self.again = true;
                    if !self.open(desk, format!("{HEADER}{reasons}#\n{}", without_comments(&edited))) {
                        io.err("error: unable to create temp file\n");
                        return Poll::Exit(1);
                    }
                }
            }
        }
    }

    /// The editor is closed: `edited` is what it left.
    fn judge(&self, edited: &str, desk: &mut Desk<'_>, io: &mut Io) -> Verdict {
        if self.again && without_comments(edited) == without_comments(&self.given) {
            return self.keep("Edit cancelled, no valid changes were saved.", io);
        }
        let parsed = yaml::parse(edited, "edited-file");
        if let Some(error) = parsed.kubectl_error() {
            let error = error.trim_start_matches("error: ");
            return Verdict::Again(format!("# The edited file had a syntax error: {error}\n"));
        }
        let value = parsed.documents.first().map(|node| node.value()).unwrap_or_default();
        if value == self.before || without_comments(edited).trim().is_empty() {
            self.forget(desk);
            let same = without_comments(edited) == without_comments(&yaml::emit(&self.before));
            io.out(&match (value == self.before, same) {
                (true, true) => "Edit cancelled, no changes made.\n".to_owned(),
                // Other words for the same object.
                (true, false) => format!("{} skipped\n", common::name_of(&self.before)),
                (false, _) => "Edit cancelled, saved file was empty.\n".to_owned(),
            });
            return Verdict::Exit(0);
        }
        if ["apiVersion", "kind", "metadata.name"].iter().any(|field| value.at(field) != self.before.at(field)) {
            return self.keep("At least one of apiVersion, kind and name was changed", io);
        }
        let about = format!("{} \"{}\"", self.key.kind.info().resource(), self.key.name);
        let refused = match decode(&value, FieldValidation::Strict) {
            Err(refusal) => refusal.text,
            Ok(decoded) => {
                match desk.cluster.api("user", |api| api.update(&self.key, |value| *value = decoded.object)) {
                    Ok(_) => {
                        self.forget(desk);
                        io.out(&format!("{} edited{}\n", common::name_of(&self.before), DryRun::No.suffix()));
                        return Verdict::Exit(0);
                    }
                    Err(error) if error.reason == Reason::Invalid => {
                        io.err(&format!("error: {about} is invalid\n"));
                        let causes: String = error.causes.iter().map(|cause| format!("# * {cause}\n")).collect();
                        let end = if causes.is_empty() { "" } else { ":" };
                        return Verdict::Again(format!("# {about} was not valid{end}\n{causes}"));
                    }
                    Err(error) if error.reason == Reason::NotFound => {
                        io.err(&format!(
                            "error: {about} could not be found on the server\nThe edits you made on deleted resources have been \
                             saved to {:?}\n",
                            self.path
                        ));
                        return Verdict::Exit(1);
                    }
                    Err(error) => error.message,
                }
            }
        };
        io.err(&format!(
            "error: {about} could not be patched: {refused}\nYou can run `kubectl replace -f {}` to try this update again.\n",
            self.path
        ));
        Verdict::Exit(1)
    }

    /// Ends it without a change; the text stays in its file.
    fn keep(&self, why: &str, io: &mut Io) -> Verdict {
        io.err(&format!("A copy of your changes has been stored to {:?}\nerror: {why}\n", self.path));
        Verdict::Exit(1)
    }

    /// The file has done its service; it may be gone already.
    fn forget(&self, desk: &mut Desk<'_>) {
        let _ = desk.files.remove(&self.path);
    }

    /// Ctrl-C: the text is thrown away.
    pub fn cancel(&mut self, desk: &mut Desk<'_>) {
        if let Editor::Command(shell) = &mut self.editor {
            shell.signal(desk, &mut Io::without_input(), Signal::Int);
        }
        desk.editors.open.remove(&self.path);
        self.forget(desk);
    }
}

/// The text that counts: `cmdutil.ManualStrip`.
fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).map(|line| format!("{line}\n")).collect()
}
