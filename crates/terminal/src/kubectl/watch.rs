//! `kubectl get -w`: what there is, and then a line for every change.
//!
//! Rules: `docs/semantics/kubectl.md` §4. Nothing is missed between two polls: the store keeps its latest changes, and
//! each is printed as it was at its own time. Source: `kubectl/pkg/cmd/get/get.go` (`watch`).

use std::rc::Rc;

use crate::host::Desk;
use crate::kubectl::query::{Filter, Query};
use crate::kubectl::resource::Target;
use crate::kubectl::{Call, errors};
use crate::printing::format::{Format, shown};
use crate::printing::table::TableOptions;
use crate::printing::tabwriter::TabWriter;
use api::kind::Kind;
use api::object::Object;
use cluster::store::{Change, ChangeType};
use shell::{Io, Poll};
use values::time::SimTime;

/// A watch under way.
#[derive(Clone, Debug)]
pub struct Watch {
    kind: Kind,
    filter: Filter,
    format: Format,
    table: TableOptions,
    writer: TabWriter,
    /// Whether the head was printed (of a table, or the first document).
    begun: bool,
    /// The last change that was looked at.
    revision: u64,
}

impl Watch {
    /// Prints what there is, unless only changes are asked for.
    ///
    /// # Errors
    /// kubectl's words with their beginning, `error: ` or `Error from server …`.
    pub fn start(call: &mut Call<'_, '_>, query: &Query, format: Format, table: TableOptions) -> Result<Watch, String> {
        let kind = single_kind(&query.targets)?;
        let store = call.desk.cluster.store();
        let mut filter = query.filter(kind).map_err(|e| errors::render(&e, None))?;
        if let [Target::Named(_, name)] = query.targets.as_slice() {
            filter.name = Some(name.clone());
        }
        let (found, refused) = query.run(store);
        if let Some(error) = refused.first() {
            return Err(errors::render(error, None));
        }
        let objects: Vec<Rc<Object>> = found.into_iter().flat_map(|group| group.objects).collect();
        let (revision, now) = (store.revision(), call.desk.cluster.now());
        let table = TableOptions { with_namespace: table.with_namespace && kind.info().namespaced, ..table };
        let mut watch = Watch { kind, filter, format, table, writer: TabWriter::remembering(), begun: false, revision };
        if !call.parsed.on("watch-only") {
            let events = objects.iter().map(|object| (object, now, ChangeType::Added));
            let text = watch.text(events).map_err(|e| format!("error: {e}"))?;
            call.io.out(&text);
        }
        Ok(watch)
    }

    /// Prints what changed since the last poll.
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let store = desk.cluster.store();
        let changes: Vec<&Change> = store.changes_since(self.revision).filter(|c| c.kind() == self.kind).collect();
        for change in changes {
            let Some(event) = self.event(change) else { continue };
            // What left the selection is shown as it is now.
            match self.text([(&change.object, change.at, event)].into_iter()) {
                Ok(text) => io.out(&text),
                Err(message) => {
                    io.err(&format!("error: {message}\n"));
                    return Poll::Exit(1);
                }
            }
        }
        self.revision = store.revision();
        Poll::Wait
    }

    /// How the watch sees a change: an object that comes to fit the selectors is added, one that ceases to is deleted.
    fn event(&self, change: &Change) -> Option<ChangeType> {
        if is_our_note(change) {
            return None;
        }
        let fits = change.change != ChangeType::Deleted && self.filter.matches(&change.object);
        let fitted = change.previous.as_ref().is_some_and(|before| self.filter.matches(before));
        match (fitted, fits) {
            (false, true) => Some(ChangeType::Added),
            (true, true) => Some(ChangeType::Modified),
            (true, false) => Some(ChangeType::Deleted),
            (false, false) => None,
        }
    }

    fn text<'o>(
        &mut self,
        events: impl Iterator<Item = (&'o Rc<Object>, SimTime, ChangeType)>,
    ) -> Result<String, String> {
        let mut text = String::new();
        for (object, at, event) in events {
            match &self.format {
                Format::Table { .. } => {
                    if !self.begun && !self.table.no_headers {
                        text.push_str(&self.table.header(self.kind));
                    }
                    text.push_str(&self.table.line(object, at, event.name()));
                }
                Format::CustomColumns(columns) => {
                    if !self.begun {
                        text.push_str(&columns.header());
                    }
                    text.push_str(&columns.line(&shown(object))?);
                }
                other => {
                    if self.begun && *other == Format::Yaml {
                        text.push_str("---\n");
                    }
                    text.push_str(&other.print(&shown(object))?);
                }
            }
            self.begun = true;
        }
        Ok(match self.format {
            Format::Table { .. } | Format::CustomColumns(_) => self.writer.align(&text),
            _ => text,
        })
    }
}

/// A Node of which nothing changed that anyone is shown.
fn is_our_note(change: &Change) -> bool {
    let bare = |object: &Rc<Object>| {
        let mut value = shown(object);
        value.remove("metadata.resourceVersion");
        value
    };
    let before = change.previous.as_ref().filter(|_| change.kind() == Kind::Node);
    change.change == ChangeType::Modified && before.is_some_and(|before| bare(before) == bare(&change.object))
}

fn single_kind(targets: &[Target]) -> Result<Kind, String> {
    let kind = |target: &Target| match target {
        Target::Named(kind, _) | Target::All(kind) => *kind,
    };
    let Some(first) = targets.first().map(kind) else {
        return Err("error: you must specify one or more resources".to_owned());
    };
    if targets.iter().any(|target| kind(target) != first) {
        return Err("error: you may only specify a single resource type".to_owned());
    }
    if targets.len() > 1 {
        let count = targets.len();
        return Err(format!(
            "error: watch is only supported on individual resources and resource collections - {count} resources were found"
        ));
    }
    Ok(first)
}
