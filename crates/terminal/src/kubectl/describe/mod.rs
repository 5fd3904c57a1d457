//! `kubectl describe`: an object told in full, with its events.
//!
//! Rules: `docs/semantics/kubectl.md` §5, `docs/semantics/kubectl_samples.md`. Source:
//! `kubectl/pkg/describe/describe.go`, `kubectl/pkg/cmd/describe/describe.go`. Adding a kind is a file and a line in
//! [`describe`].

mod config;
mod containers;
mod cron_job;
mod deployment;
mod events;
mod generic;
mod job;
mod namespace;
mod node;
mod pod;
mod quota;
mod replica_set;
mod service;
mod sheet;
mod storage;
mod template;
mod volumes;

use std::rc::Rc;

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::query::Query;
use crate::kubectl::resource::Target;
use crate::kubectl::{Call, Outcome, Verb, common, errors};
use crate::printing::tabwriter::TabWriter;
use api::kind::Kind;
use api::object::Object;
use api::status::{ApiError, Reason};
use cluster::store::Store;
use sheet::Sheet;
use values::time::SimTime;
use values::value::Value;

pub use events::interval;

pub const VERB: Verb = Verb {
    name: "describe",
    summary: "Tell an object in full, with its events",
    usage: "kubectl describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("all-namespaces", Takes::Nothing, "Ask in all namespaces").short('A').default("false"),
    flag("chunk-size", Takes::Number, "How many objects to ask for at a time").default("500"),
    flag("filename", Takes::List, "Describe the objects that these files name").short('f'),
    common::KUSTOMIZE,
    common::RECURSIVE,
    flag("selector", Takes::Text, "Choose by labels, such as job-name=pi").short('l'),
    flag("show-events", Takes::Nothing, "Show the object's events").default("true"),
];

/// The description of a Pod template, its columns apart by tabs.
pub fn pod_template(value: &Value) -> String {
    let mut sheet = Sheet::default();
    template::describe(&mut sheet, value);
    sheet.text
}

/// What a description may look at besides its object.
struct Context<'a> {
    store: &'a Store,
    now: SimTime,
    show_events: bool,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    if call.parsed.args.is_empty() && !call.parsed.is_set("filename") && !call.parsed.is_set("kustomize") {
        return call.fail(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of \
             supported resources.",
        );
    }
    let query = match Query::read(call) {
        Ok(query) => query,
        Err(failures) => return call.end(&failures),
    };
    if query
        .targets
        .iter()
        .any(|target| matches!(target, Target::Named(Kind::Endpoints, _) | Target::All(Kind::Endpoints)))
    {
        call.io.err("Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n");
    }
    let store = call.desk.cluster.store();
    let (objects, refused, by_prefix) = find(&query, store);
    // Unless asked for, events are only looked up for a single object.
    let show_events = call.parsed.text("show-events").map_or(objects.len() == 1, |value| value == "true");
    let context = Context { store, now: call.desk.cluster.now(), show_events };
    let texts: Vec<String> = objects.iter().map(|object| describe(&context, object)).collect();
    // What begins with the given name is told one after the other.
    match by_prefix {
        true => texts.iter().for_each(|text| call.io.out(&format!("{text}\n"))),
        false => call.io.out(&texts.join("\n\n")),
    }
    if objects.is_empty() && refused.is_empty() {
        call.io.err(&match &query.namespace {
            Some(namespace) => format!("No resources found in {namespace} namespace.\n"),
            None => "No resources found\n".to_owned(),
        });
    }
    for error in &refused {
        call.io.err(&format!("{}\n", errors::render(error, None)));
    }
    Outcome::Exit(i32::from(!refused.is_empty()))
}

/// The objects asked for; a name that nobody has stands for all names that begin with it. Third: whether one did.
fn find(query: &Query, store: &Store) -> (Vec<Rc<Object>>, Vec<ApiError>, bool) {
    let (mut objects, mut refused, mut by_prefix) = (Vec::new(), Vec::new(), false);
    for target in &query.targets {
        let (found, mut errors) = query.only(target).run(store);
        objects.extend(found.into_iter().flat_map(|group| group.objects));
        // `TYPE/NAME` names one object alone.
        if !query.named_by_pairs
            && let (Target::Named(kind, prefix), Some(Reason::NotFound)) = (target, errors.first().map(|e| e.reason))
        {
            let namespace = query.namespace.as_deref().unwrap_or_default();
            let before = objects.len();
            objects.extend(store.list_in(*kind, namespace).filter(|o| o.name().starts_with(prefix.as_str())).cloned());
            if objects.len() > before {
                by_prefix = true;
                errors.clear();
            }
        }
        refused.extend(errors);
    }
    (objects, refused, by_prefix)
}

/// The whole description, aligned.
fn describe(context: &Context<'_>, object: &Object) -> String {
    let mut sheet = Sheet::default();
    match object.kind() {
        Kind::Job => job::describe(&mut sheet, object),
        Kind::CronJob => cron_job::describe(&mut sheet, object.value()),
        Kind::Pod => pod::describe(&mut sheet, object.value(), context.now),
        Kind::ReplicaSet => replica_set::describe(&mut sheet, object, context),
        Kind::Deployment => deployment::describe(&mut sheet, object, context),
        Kind::Service => service::describe(&mut sheet, object.value(), context),
        Kind::Node => node::describe(&mut sheet, object.value(), context),
        Kind::Namespace => namespace::describe(&mut sheet, object, context),
        Kind::ConfigMap => config::config_map(&mut sheet, object.value()),
        Kind::Secret => config::secret(&mut sheet, object.value()),
        Kind::ServiceAccount => config::service_account(&mut sheet, object.value()),
        Kind::PersistentVolumeClaim => storage::claim(&mut sheet, object.value(), context),
        Kind::PersistentVolume => storage::volume(&mut sheet, object.value()),
        Kind::PriorityClass => config::priority_class(&mut sheet, object.value()),
        Kind::ResourceQuota => quota::describe(&mut sheet, object.value()),
        Kind::Endpoints => service::of_endpoints(&mut sheet, object.value()),
        _ => generic::describe(&mut sheet, object.value()),
    }
    let without_events = matches!(object.kind(), Kind::ResourceQuota | Kind::Namespace | Kind::Secret);
    if context.show_events && !without_events {
        events::describe(&mut sheet, object, context);
    }
    TabWriter::describe().align(&sheet.text)
}
