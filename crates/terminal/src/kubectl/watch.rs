//! `kubectl get -w`: what there is, and then a line for every change.
//!
//! Rules: `docs/semantics/kubectl.md` §4. Nothing is missed between two polls: the store keeps its latest changes, and
//! each is printed as it was at its own time. A watch that comes back too late all the same lists anew, as clients do that
//! are answered 410 Gone. Source: `kubectl/pkg/cmd/get/get.go` (`watch`).

use std::rc::Rc;

use crate::host::Desk;
use crate::kubectl::query::{Filter, Query};
use crate::kubectl::resource::Target;
use crate::kubectl::{Call, errors};
use crate::printing::format::{Format, shown};
use crate::printing::json;
use crate::printing::table::TableOptions;
use crate::printing::tabwriter::TabWriter;
use api::kind::Kind;
use api::object::Object;
use api::status::Reason;
use cluster::store::{Change, ChangeType, Expired};
use shell::{Io, Poll};
use values::duration::GoDuration;
use values::object;
use values::time::{SimTime, Span};
use yaml;

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
    /// What is said of each change in a format of its own: `{"type":…,"object":…}`.
    tells_events: bool,
    /// The request is over then (`--request-timeout`).
    until: Option<SimTime>,
}

impl Watch {
    /// Prints what there is, unless only changes are asked for. None: there is nothing, and that is fine.
    ///
    /// # Errors
    /// kubectl's words with their beginning, `error: ` or `Error from server …`.
    pub fn start(
        call: &mut Call<'_, '_>,
        query: &Query,
        format: Format,
        table: TableOptions,
    ) -> Result<Option<Watch>, String> {
        let kind = single_kind(&query.targets)?;
        let store = call.desk.cluster.store();
        let mut filter = query.filter(kind).map_err(|e| errors::render(&e, None))?;
        if let [Target::Named(_, name) | Target::InFile(_, _, name)] = query.targets.as_slice() {
            filter.name = Some(name.clone());
        }
        let (found, refused) = query.run(store);
        if let Some(error) = refused.first() {
            // There is nothing to watch.
            if call.parsed.on("ignore-not-found") && error.reason == Reason::NotFound {
                return Ok(None);
            }
            return Err(errors::render(error, None));
        }
        if query.targets.len() > 1 {
            let count = query.targets.len();
            return Err(format!(
                "error: watch is only supported on individual resources and resource collections - {count} resources were \
                 found"
            ));
        }
        let timeout = request_timeout(call.parsed.text("request-timeout"));
        let tells_events = call.parsed.on("output-watch-events");
        let objects: Vec<Rc<Object>> = found.into_iter().flat_map(|group| group.objects).collect();
        let (revision, now) = (store.revision(), call.desk.cluster.now());
        let table = TableOptions { with_namespace: table.with_namespace && kind.info().namespaced, ..table };
        let until = timeout.map(|span| now + span);
        let writer = TabWriter::remembering();
        let mut watch = Watch { kind, filter, format, table, writer, begun: false, revision, tells_events, until };
        if !call.parsed.on("watch-only") {
            let events = objects.iter().map(|object| (object, now, ChangeType::Added));
            let text = watch.text(events).map_err(|e| format!("error: {e}"))?;
            call.io.out(&text);
        }
        Ok(Some(watch))
    }

    /// Prints what changed since the last poll.
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let store = desk.cluster.store();
        let events: Vec<(&Rc<Object>, SimTime, ChangeType)> = match store.changes_since(self.revision) {
            // What left the selection is shown as it is now.
            Ok(changes) => changes
                .filter(|change| change.kind() == self.kind)
                .filter_map(|change| Some((&change.object, change.at, self.event(change)?)))
                .collect(),
            Err(Expired) => {
                let listed = store.list(self.kind).filter(|object| self.filter.matches(object));
                listed.map(|object| (object, desk.cluster.now(), ChangeType::Added)).collect()
            }
        };
        for event in events {
            match self.text([event].into_iter()) {
                Ok(text) => io.out(&text),
                Err(message) => {
                    io.err(&format!("error: {message}\n"));
                    return Poll::Exit(1);
                }
            }
        }
        self.revision = store.revision();
        match self.until {
            Some(until) if desk.cluster.now() >= until => Poll::Exit(0),
            Some(until) => Poll::SleepUntil(until),
            None => Poll::Wait,
        }
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
                format @ (Format::Json | Format::Yaml) if self.tells_events => {
                    let told = object! { "type" => event.name(), "object" => shown(object) };
                    if *format == Format::Yaml {
                        text.push_str(if self.begun { "---\n" } else { "" });
                        text.push_str(&yaml::emit(&told));
                    } else {
                        text.push_str(&format!("{}\n", json::in_line(&told, &["type", "object"])));
                    }
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

/// `--request-timeout`: a span, or a number of seconds; 0 is none.
fn request_timeout(text: Option<&str>) -> Option<Span> {
    let span = match text?.parse::<i64>() {
        Ok(seconds) => Span::secs(seconds),
        Err(_) => text?.parse::<GoDuration>().ok()?.to_span(),
    };
    span.is_positive().then_some(span)
}

fn single_kind(targets: &[Target]) -> Result<Kind, String> {
    let kind = |target: &Target| match target {
        Target::Named(kind, _) | Target::InFile(kind, ..) | Target::All(kind) => *kind,
    };
    let Some(first) = targets.first().map(kind) else {
        return Err("error: you must specify one or more resources".to_owned());
    };
    if targets.iter().any(|target| kind(target) != first) {
        return Err("error: you may only specify a single resource type".to_owned());
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use crate::{Terminals, empty_cluster, kubectl};
    use values::time::Span;
    use values::zone::ZoneTable;

    #[test]
    fn a_watch_that_comes_too_late_lists_anew() {
        let mut cluster = empty_cluster(&ZoneTable::default());
        let mut terminals = Terminals::new();
        let id = terminals.start(&mut cluster, "kubectl get configmaps -w --watch-only --output-watch-events", None);
        terminals.step(&mut cluster);
        let start = cluster.now();
        for n in 0..1200 {
            cluster.set_now(start + Span::ms(2 * n));
            let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}}}\n");
            assert_eq!(kubectl::apply_text(&mut cluster, "c.yaml", &text).exit, 0);
        }
        terminals.wake(cluster.now());
        terminals.step(&mut cluster);
        terminals.interrupt(&mut cluster, id);
        terminals.step(&mut cluster);
        let printed = terminals.take_finished().pop().expect("it was interrupted").stdout;
        for n in 0..1200 {
            let name = format!(" c{n} ");
            let lines = printed.lines().filter(|line| line.starts_with("ADDED") && line.contains(&name));
            assert_eq!(lines.count(), 1, "c{n}");
        }
    }
}
