//! `kubectl edit`: the object's text in an editor, and its changes back to the API.
//!
//! The editor is the command in `KUBE_EDITOR` or `EDITOR` (`sed -i …`), run by the shell; without one it is a tab of the
//! page. Where there is neither, nothing can be changed. A text that is refused is opened again with the reasons at its
//! head, until it is accepted or comes back as it was. Source: `kubectl/pkg/cmd/util/editor/{editor,editoptions}.go`.

use crate::command::{Args, Command};
use crate::host::Desk;
use crate::kubectl::common;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb, Waiting};
use api::decode::{FieldValidation, decode};
use api::meta::Key;
use api::patch::{Shape, strategic, three_way};
use api::status::{ApiError, Reason};
use shell::{Dialect, Env, Io, Options, Poll, Shell, Signal, System};
use values::value::Value;
use yaml;

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
const NO_CHANGES: &str = "Edit cancelled, no changes made.\n";

/// Steps of one poll of the editor's command.
const STEP_BUDGET: u32 = 10_000;

/// An object whose text is in an editor.
#[derive(Clone, Debug)]
pub struct Editing {
    key: Key,
    before: Value,
    /// The text without comments as it was first opened.
    original: String,
    /// The text without comments that was refused last.
    refused: Option<String>,
    path: String,
    editor: Editor,
}

#[derive(Clone, Debug)]
enum Editor {
    /// A command that runs until the text is done.
    Command(Box<Shell<Command>>),
    /// A tab of the page.
    Tab,
}

/// How an editor is started.
struct Launch<'a> {
    /// The editor's command line; none: a tab.
    command: Option<&'a str>,
    env: &'a Env,
    cwd: &'a str,
}

impl Launch<'_> {
    /// Writes the text to a file and opens it. None if it cannot be written.
    fn open(&self, desk: &mut Desk<'_>, text: &str) -> Option<(String, Editor)> {
        let number = desk.random() % 9_000_000_000 + 1_000_000_000;
        let path = format!("/tmp/kubectl-edit-{number}.yaml");
        desk.write_file(&path, text.as_bytes(), false).ok()?;
        let Some(command) = self.command else {
            desk.editors.open.insert(path.clone());
            return Some((path, Editor::Tab));
        };
        let options = Options {
            env: self.env.clone(),
            cwd: self.cwd.to_owned(),
            started: desk.cluster.now(),
            ..Options::new(Dialect::Bash)
        };
        let shell = Shell::new(&format!("{command} {path}"), options);
        Some((path, Editor::Command(Box::new(shell))))
    }
}

/// The editor's command line in an environment.
fn editor_of(env: &Env) -> Option<&str> {
    ["KUBE_EDITOR", "EDITOR"].iter().find_map(|name| env.get(*name)).map(String::as_str).filter(|e| !e.is_empty())
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let args = call.parsed.args.clone();
    let objects = match targets::existing(call, &args, Reading::default()) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    if call.has_failed() {
        return call.finish();
    }
    let Some(object) = objects.first() else { return call.fail("edit cancelled, no objects found") };
    let command = editor_of(&call.args.env);
    if command.is_none() && !call.desk.attended {
        call.io.err(NO_CHANGES);
        return Outcome::Exit(0);
    }
    let text = yaml::emit(object.value());
    let launch = Launch { command, env: &call.args.env, cwd: &call.args.cwd };
    let Some((path, editor)) = launch.open(call.desk, &format!("{HEADER}{text}")) else {
        return call.fail("unable to create temp file");
    };
    let (key, before) = (object.key(), object.value().clone());
    let original = without_comments(&text);
    Outcome::Waits(Waiting::Edit(Editing { key, before, original, refused: None, path, editor }))
}

/// The lines that are no comments.
fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).map(|line| format!("{line}\n")).collect()
}

impl Editing {
    pub fn poll(&mut self, args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        loop {
            match &mut self.editor {
                Editor::Tab if desk.editors.open.contains(&self.path) => return Poll::Wait,
                Editor::Tab => {}
                Editor::Command(shell) => match shell.poll(desk, io, &mut { STEP_BUDGET }) {
                    Poll::Exit(0) => {}
                    Poll::Exit(code) => return self.launch_failed(code, editor_of(&args.env).unwrap_or(""), desk, io),
                    other => return other,
                },
            }
            if let Some(code) = self.finish(args, desk, io) {
                return Poll::Exit(code);
            }
        }
    }

    /// The editor could not be started (127), or ended with an error.
    fn launch_failed(&self, code: i32, command: &str, desk: &Desk<'_>, io: &mut Io) -> Poll {
        if self.refused.is_some() {
            self.tell_copy(desk, io);
        }
        let what = if code == 127 { "unable to launch the editor" } else { "there was a problem with the editor" };
        io.err(&format!("error: {what} \"{command} {}\"\n", self.path));
        Poll::Exit(1)
    }

    /// Looks at the text that the editor left. The exit code, or none if the text was opened once more.
    fn finish(&mut self, args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Option<i32> {
        let bytes = desk.files.read(&self.path).unwrap_or_default();
        let edited = without_comments(&String::from_utf8_lossy(&bytes));
        if self.refused.as_ref() == Some(&edited) {
            self.tell_copy(desk, io);
            io.err("error: Edit cancelled, no valid changes were saved.\n");
            return Some(1);
        }
        let end = match () {
            () if edited == self.original => Some(NO_CHANGES),
            () if edited.trim().is_empty() => Some("Edit cancelled, saved file was empty.\n"),
            () => None,
        };
        if let Some(text) = end {
            // The file has done its service; it may be gone already.
            let _ = desk.files.remove(&self.path);
            io.err(text);
            return Some(0);
        }
        let resource = self.key.kind.info().resource();
        let name = &self.key.name;
        let reasons = match self.send(&edited, desk) {
            Ok(Some(changed)) => {
                let _ = desk.files.remove(&self.path);
                io.out(&format!("{} {changed}\n", common::name_of(&self.before)));
                return Some(0);
            }
            Ok(None) => {
                self.tell_copy(desk, io);
                io.err("error: At least one of apiVersion, kind and name was changed\n");
                return Some(1);
            }
            Err(error) if error.reason == Reason::NotFound => {
                io.err(&format!("error: {resource} \"{name}\" could not be found on the server\n"));
                io.err(&format!("The edits you made on deleted resources have been saved to \"{}\"\n", self.path));
                return Some(1);
            }
            Err(error) if error.reason != Reason::Invalid => {
                io.err(&format!("error: {resource} \"{name}\" could not be patched: {error}\n"));
                io.err(&format!("You can run `kubectl replace -f {}` to try this update again.\n", self.path));
                return Some(1);
            }
            Err(error) => reasons(&resource, name, &error),
        };
        io.err(&format!("error: {resource} \"{name}\" is invalid\n"));
        let old = std::mem::take(&mut self.path);
        let command = editor_of(&args.env);
        let launch = Launch { command, env: &args.env, cwd: &args.cwd };
        let Some((path, editor)) = launch.open(desk, &format!("{HEADER}{reasons}{edited}")) else {
            io.err("error: unable to create temp file\n");
            return Some(1);
        };
        let _ = desk.files.remove(&old);
        (self.path, self.editor, self.refused) = (path, editor, Some(edited));
        None
    }

    /// Sends the text to the server. The word for what was done; none if it is another object's text.
    fn send(&self, edited: &str, desk: &mut Desk<'_>) -> Result<Option<&'static str>, ApiError> {
        let invalid = |text: String| ApiError { reason: Reason::Invalid, ..ApiError::bad_request(text) };
        let parsed = yaml::parse(edited, &self.path);
        if let Some(error) = parsed.kubectl_error() {
            return Err(invalid(format!("The edited file failed validation: {error}")));
        }
        let Some(edited) = parsed.documents.first().map(|node| node.value()) else {
            return Err(invalid("The edited file failed validation".to_owned()));
        };
        if edited == self.before {
            return Ok(Some("skipped"));
        }
        let same = |path: &str| edited.at(path) == self.before.at(path);
        if !["apiVersion", "kind", "metadata.name"].into_iter().all(same) {
            return Ok(None);
        }
        let decoded = decode(&edited, FieldValidation::Strict).map_err(|refusal| invalid(refusal.text))?;
        // What was edited is sent as a patch: whatever else has happened to the object meanwhile stays.
        let info = self.key.kind.info();
        let shape = Shape::of_kind(&info.api_version(), info.name);
        let patch = three_way(&self.before, &decoded.object, &self.before, shape);
        desk.cluster.api("user", |api| api.update(&self.key, |value| strategic(value, &patch, shape)))?;
        Ok(Some("edited"))
    }

    fn tell_copy(&self, desk: &Desk<'_>, io: &mut Io) {
        if desk.files.info(&self.path).is_ok() {
            io.err(&format!("A copy of your changes has been stored to \"{}\"\n", self.path));
        }
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

/// The reasons of a refusal as comments at the head of the text.
fn reasons(resource: &str, name: &str, error: &ApiError) -> String {
    let comment = |text: &str| text.replace('\n', "\n# ");
    let mut text = format!("# {resource} \"{name}\" was not valid:\n");
    for cause in &error.causes {
        text.push_str(&format!("# * {}: {}\n", cause.field, comment(&cause.message)));
    }
    if error.causes.is_empty() {
        text.push_str(&format!("# * {}\n", comment(&error.message)));
    }
    text + "#\n"
}
