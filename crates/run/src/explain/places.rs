//! Places: which line of whose YAML decides.
//!
//! Rule: objects that were written by hand remember the text they came from; what controllers make of them follows their
//! template. So a Pod's field leads through the Job's `spec.template`, and a Job's through the CronJob's
//! `spec.jobTemplate`. The text is parsed only when somebody asks.

use std::rc::Rc;

use crate::explain::Past;
use api::kind::Kind;
use cluster::store::{EntryId, Field, Origin, Subject};
use values::value::Value;
use yaml::Node;

/// A line of a manifest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The file, or `STDIN`.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// The field as that document has it: `spec.jobTemplate.spec.backoffLimit`.
    pub path: String,
    /// The line's text, without the space around it.
    pub text: String,
    /// False if the field is not in the text, and this is where it would stand: its default holds.
    pub is_set: bool,
    /// The object's field has another value by now: it was changed since, not by this file.
    pub changed_since: bool,
}

impl Past<'_> {
    /// Where the field of `subject`, or of what owns it, was written, as it was at `entry`. None if it was not written by
    /// hand, or without a file.
    pub(super) fn place(
        &self,
        entry: EntryId,
        subject: &Subject,
        field: Field,
        container: Option<&str>,
    ) -> Option<Place> {
        let kind = Kind::named(field.kind)?;
        let mut holder = subject.clone();
        for _ in 0..4 {
            if holder.key.kind == kind {
                break;
            }
            holder = self.owner_of(&holder.uid)?;
        }
        let mut path = field.path.to_owned();
        for _ in 0..4 {
            if let Some(origin) = self.origin_of(&holder.uid, entry) {
                return self.locate(&origin, &holder, &path, container);
            }
            let owner = self.owner_of(&holder.uid)?;
            path = through_template(holder.key.kind, owner.key.kind, &path)?;
            holder = owner;
        }
        None
    }

    /// The text that an object was last written from, up to an entry.
    fn origin_of(&self, uid: &str, entry: EntryId) -> Option<Rc<Origin>> {
        let written = self.entries().rev().skip_while(|other| other.id > entry);
        written.filter(|other| other.is_about(uid)).find_map(|other| match &other.what {
            crate::journal::What::Change { origin, .. } => origin.clone(),
            crate::journal::What::Happened(_) => None,
        })
    }

    fn locate(&self, origin: &Origin, holder: &Subject, path: &str, container: Option<&str>) -> Option<Place> {
        let parsed = yaml::parse(&origin.text, &origin.file);
        let document = parsed.documents.iter().find_map(|document| document_of(document, holder))?;
        let value = document.value();
        let path = with_container(path, &value, container);
        let location = document.locate(&path);
        let span = location.span();
        let now = self.cluster().store().get(&holder.key).filter(|object| object.uid() == &*holder.uid);
        let changed_since = location.exact
            && now.is_some_and(|now| {
                let (now, then) = (look(now.value(), &path), look(&value, &path));
                !matches!(then, Value::Map(_) | Value::List(_)) && now != then
            });
        let text = origin.text.lines().nth(span.line.saturating_sub(1) as usize).unwrap_or_default().trim();
        Some(Place {
            file: origin.file.to_string(),
            line: span.line,
            column: span.column,
            path,
            text: text.to_owned(),
            is_set: location.exact,
            changed_since,
        })
    }
}

/// The document, or the item of a `List`, that is this object.
fn document_of(node: &Node, wanted: &Subject) -> Option<Node> {
    let value = node.value();
    if let Some(items) = node.entry("items") {
        let count = value.list_at("items").len();
        return (0..count).find_map(|at| document_of(items.value.item(at)?, wanted));
    }
    let name = match value.at("metadata.name") {
        Value::Str(name) => name.to_string(),
        Value::Int(name) => name.to_string(),
        _ => String::new(),
    };
    // A generated name begins with what the manifest gave.
    let generated = value.str_at("metadata.generateName").filter(|_| name.is_empty());
    let fits = *name == *wanted.key.name || generated.is_some_and(|start| wanted.key.name.starts_with(start));
    (value.str_at("kind") == Some(wanted.key.kind.name()) && fits).then(|| node.clone())
}

/// The path of a field of what was made from a template, in what has the template.
fn through_template(made: Kind, owner: Kind, path: &str) -> Option<String> {
    match (made, owner) {
        (Kind::Pod, Kind::Job | Kind::ReplicaSet) => Some(format!("spec.template.{path}")),
        (Kind::Job, Kind::CronJob) => Some(format!("spec.jobTemplate.{path}")),
        (Kind::ReplicaSet, Kind::Deployment) => Some(path.to_owned()),
        _ => None,
    }
}

/// `containers[0]` is an example: the container that it was about is meant.
fn with_container(path: &str, document: &Value, container: Option<&str>) -> String {
    let (Some(name), Some(at)) = (container, path.find("containers[0]")) else { return path.to_owned() };
    let before = &path[..at];
    for list in ["containers", "initContainers"] {
        let containers = document.list_at(&format!("{before}{list}"));
        if let Some(position) = containers.iter().position(|one| one.str_at("name") == Some(name)) {
            return format!("{before}{list}[{position}]{}", &path[at + "containers[0]".len()..]);
        }
    }
    path.to_owned()
}

/// The value at a path that may name items of lists.
fn look(value: &Value, path: &str) -> Value {
    let mut here = value.clone();
    for part in path.split('.') {
        let (key, index) = match part.split_once('[') {
            Some((key, index)) => (key, index.trim_end_matches(']').parse::<usize>().ok()),
            None => (part, None),
        };
        here = here.at(key).clone();
        if let Some(index) = index {
            here = here.as_list().and_then(|list| list.get(index)).cloned().unwrap_or_default();
        }
    }
    here
}
