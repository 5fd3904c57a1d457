//! `kubectl events`: events in the order of time, of a namespace or about one object.
//!
//! Source: `kubectl/pkg/cmd/events/{events,event_printer}.go`.

use std::rc::Rc;

use crate::host::Desk;
use crate::kubectl::describe::interval;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::query::is_about_node;
use crate::kubectl::{Call, Outcome, Verb, Waiting, common, resource};
use crate::printing::format::{self, Format};
use crate::printing::sort::go_sort;
use crate::printing::tabwriter::TabWriter;
use api::kind::Kind;
use api::object::Object;
use cluster::store::{ChangeType, Expired};
use shell::{Io, Poll};
use values::time::SimTime;
use values::value::Value;

pub const VERB: Verb = Verb {
    name: "events",
    summary: "List events in the order of time",
    usage: "kubectl events [(-o|--output=)FORMAT] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("all-namespaces", Takes::Nothing, "List events of all namespaces").short('A').default("false"),
    flag("chunk-size", Takes::Number, "How many objects to ask for at a time").default("500"),
    flag("for", Takes::Text, "Only events about this object, such as job/pi"),
    flag("no-headers", Takes::Nothing, "Leave out the head of the table").default("false"),
    flag("output", Takes::Text, "Format: yaml, json, name, jsonpath=… and the like").short('o'),
    flag("types", Takes::List, "Only events of these types: Normal, Warning"),
    flag("watch", Takes::Nothing, "Go on printing as events come").short('w').default("false"),
];

/// Which events, and how they are printed.
#[derive(Clone, Debug)]
pub struct EventWatch {
    namespace: Option<String>,
    about: Option<(Kind, String)>,
    types: Vec<String>,
    writer: TabWriter,
    revision: u64,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let watch = match read(call) {
        Ok(watch) => watch,
        // What the type is found by says its own words.
        Err(message) if message.starts_with("the server") => return call.fail_line(&message),
        Err(message) => return call.fail(&message),
    };
    let format = match common::format(call) {
        Ok(format) => format,
        Err(message) => return call.fail(&message),
    };
    let store = call.desk.cluster.store();
    let mut events: Vec<Rc<Object>> = store.list(Kind::Event).filter(|e| watch.shows(e)).cloned().collect();
    go_sort(&mut events, |a, b| last_time(a.value()) < last_time(b.value()));
    if let Format::Name = format {
        // A list has no name; kubectl says nothing of its items.
        return Outcome::Exit(0);
    }
    if !matches!(format, Format::Table { .. }) {
        let mut list = format::list(&events);
        list.set("kind", "EventList");
        return match format.print(&list) {
            Ok(text) => {
                call.io.out(&text);
                Outcome::Exit(0)
            }
            Err(message) => call.fail(&message),
        };
    }
    let watching = call.parsed.on("watch");
    if events.is_empty() && !watching {
        call.io.err(&match &watch.namespace {
            Some(namespace) => format!("No events found in {namespace} namespace.\n"),
            None => "No events found.\n".to_owned(),
        });
        return Outcome::Exit(0);
    }
    let mut watch = watch;
    let mut text = String::new();
    if !call.parsed.on("no-headers") && (!events.is_empty() || watching) {
        text.push_str(if watch.namespace.is_none() { "NAMESPACE\t" } else { "" });
        text.push_str("LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n");
    }
    let now = call.desk.cluster.now();
    events.iter().for_each(|event| text.push_str(&watch.line(event, now)));
    call.io.out(&watch.writer.align(&text));
    if watching { Outcome::Waits(Waiting::Events(Box::new(watch))) } else { Outcome::Exit(0) }
}

fn read(call: &Call<'_, '_>) -> Result<EventWatch, String> {
    let about = match call.parsed.text("for") {
        None => None,
        Some(text) if !text.contains('/') => return Err("--for must be in resource/name form".to_owned()),
        Some(text) => {
            let (kind, name) = text.split_once('/').unwrap_or((text, ""));
            let found = resource::find_kind(kind).ok_or_else(|| resource::unknown(kind))?;
            // Without a name it is about nothing in particular.
            (!name.is_empty()).then(|| (found, name.to_owned()))
        }
    };
    let types: Vec<String> = call.parsed.list("types").iter().filter(|t| !t.is_empty()).cloned().collect();
    if types.iter().any(|t| !t.eq_ignore_ascii_case("Normal") && !t.eq_ignore_ascii_case("Warning")) {
        return Err("valid --types are Normal or Warning".to_owned());
    }
    Ok(EventWatch {
        namespace: (!call.parsed.on("all-namespaces")).then(|| call.namespace().to_owned()),
        about,
        types,
        writer: TabWriter::remembering(),
        revision: call.desk.cluster.store().revision(),
    })
}

impl EventWatch {
    /// Prints the events that came or changed since the last poll.
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let store = desk.cluster.store();
        let mut text = String::new();
        match store.changes_since(self.revision) {
            Ok(changes) => {
                for change in changes.filter(|c| c.kind() == Kind::Event && c.change != ChangeType::Deleted) {
                    if self.shows(&change.object) {
                        text.push_str(&self.line(&change.object, change.at));
                    }
                }
            }
            // Too late for some of them: what there is now is listed anew, as clients do.
            Err(Expired) => {
                for event in store.list(Kind::Event).filter(|event| self.shows(event)) {
                    text.push_str(&self.line(event, desk.cluster.now()));
                }
            }
        }
        self.revision = store.revision();
        io.out(&self.writer.align(&text));
        Poll::Wait
    }

    fn shows(&self, event: &Object) -> bool {
        let value = event.value();
        let text = |path: &str| value.str_at(path).unwrap_or_default();
        self.namespace.as_ref().is_none_or(|namespace| event.namespace() == namespace)
            && (self.namespace.is_none() || self.about.is_some() || !is_about_node(event))
            && self.types.iter().any(|t| t.eq_ignore_ascii_case(text("type"))) != self.types.is_empty()
            && self.about.as_ref().is_none_or(|(kind, name)| {
                text("involvedObject.kind") == kind.name() && text("involvedObject.name") == name
            })
    }

    fn line(&self, event: &Object, now: SimTime) -> String {
        let value = event.value();
        let text = |path: &str| value.str_at(path).unwrap_or_default();
        let namespace = if self.namespace.is_none() { format!("{}\t", event.namespace()) } else { String::new() };
        format!(
            "{namespace}{}\t{}\t{}\t{}/{}\t{}\n",
            interval(value, now),
            text("type"),
            text("reason"),
            text("involvedObject.kind"),
            text("involvedObject.name"),
            text("message").trim().replace('\n', " ")
        )
    }
}

/// When the event was last seen.
fn last_time(event: &Value) -> Option<SimTime> {
    let time = |path: &str| event.str_at(path).and_then(SimTime::parse_rfc3339);
    match event.at("series") {
        Value::Null => time("lastTimestamp").or_else(|| time("eventTime")),
        _ => time("series.lastObservedTime"),
    }
}
