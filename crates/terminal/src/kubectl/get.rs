//! `kubectl get`: objects as tables, YAML, JSON, or what a template picks out of them.
//!
//! Rules: `docs/semantics/kubectl.md` §1, §4, §8. Source: `kubectl/pkg/cmd/get/get.go`.

use std::rc::Rc;

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::query::{Found, Query};
use crate::kubectl::watch::Watch;
use crate::kubectl::{Call, Outcome, Verb, Waiting, errors};
use crate::printing::format::{self, Format};
use crate::printing::sort::sort_by;
use crate::printing::table::TableOptions;
use crate::printing::tabwriter::TabWriter;
use api::kind::Kind;
use api::object::Object;

pub const VERB: Verb = Verb {
    name: "get",
    summary: "Show objects",
    usage: "kubectl get [(-o|--output=)FORMAT] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...)",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("all-namespaces", Takes::Nothing, "Ask in all namespaces").short('A').default("false"),
    flag("allow-missing-template-keys", Takes::Nothing, "Missing keys in a template are empty").default("true"),
    flag("chunk-size", Takes::Text, "How many objects to ask for at a time").default("500"),
    flag("field-selector", Takes::Text, "Choose by fields, such as status.phase=Running"),
    flag("filename", Takes::List, "Show the objects that these files name").short('f'),
    flag("ignore-not-found", Takes::Nothing, "Missing objects are no error").default("false"),
    flag("label-columns", Takes::List, "Labels to show as columns").short('L'),
    flag("no-headers", Takes::Nothing, "Leave out the head of the table").default("false"),
    flag("output", Takes::Text, "Format: wide, yaml, json, name, jsonpath=…, custom-columns=…, go-template=…")
        .short('o'),
    flag("output-watch-events", Takes::Nothing, "Show with -w what happened to each object").default("false"),
    flag("recursive", Takes::Nothing, "Look into folders of -f too").short('R').default("false"),
    flag("selector", Takes::Text, "Choose by labels, such as job-name=pi").short('l'),
    flag("server-print", Takes::Nothing, "Let the server make the table").default("true"),
    flag("show-kind", Takes::Nothing, "Put the kind before each name").default("false"),
    flag("show-labels", Takes::Nothing, "Show all labels as the last column").default("false"),
    flag("show-managed-fields", Takes::Nothing, "Show who set which field").default("false"),
    flag("sort-by", Takes::Text, "Sort by a field, such as .metadata.creationTimestamp"),
    flag("subresource", Takes::Text, "Show only this part of the object: status or scale"),
    flag("template", Takes::Text, "The template of -o go-template or jsonpath"),
    flag("watch", Takes::Nothing, "Go on printing as objects change").short('w').default("false"),
    flag("watch-only", Takes::Nothing, "Print changes only").default("false"),
];

const NOTHING_NAMED: &str =
    "You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete \
list of supported resources.

error: Required resource not specified.
Use \"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl explain pods).
See 'kubectl get -h' for help and examples
";

fn run(call: &mut Call<'_, '_>) -> Outcome {
    if call.parsed.args.is_empty() && !call.parsed.is_set("filename") {
        call.io.err(NOTHING_NAMED);
        return Outcome::Exit(1);
    }
    let format = match read_format(call) {
        Ok(format) => format,
        Err(message) => return call.fail(&message),
    };
    let query = match Query::read(call) {
        Ok(query) => query,
        Err(message) => return call.fail(&message),
    };
    if call.parsed.on("watch") || call.parsed.on("watch-only") {
        return match Watch::start(call, &query, format, table_options(call)) {
            Ok(watch) => Outcome::Waits(Waiting::Watch(Box::new(watch))),
            Err(message) => {
                call.io.err(&format!("{message}\n"));
                Outcome::Exit(1)
            }
        };
    }
    let (mut found, refused) = query.run(call.desk.cluster.store());
    warn_of_old_kinds(call, &found);
    if let Some(path) = call.parsed.text("sort-by").map(str::to_owned) {
        for group in &mut found {
            if let Err(message) = sort_by(&mut group.objects, &path, |object| object.value().clone()) {
                return call.fail(&message);
            }
        }
    }
    let printed = match &format {
        Format::Table { .. } => print_tables(call, &found),
        other => print_list(call, &found, other, refused.is_empty()),
    };
    if let Err(message) = printed {
        return call.fail(&message);
    }
    let missing_is_fine = call.parsed.on("ignore-not-found");
    let mut exit = 0;
    for error in refused.iter().filter(|e| !(missing_is_fine && e.reason == api::status::Reason::NotFound)) {
        call.io.err(&format!("{}\n", errors::render(error, None)));
        exit = 1;
    }
    let empty = found.iter().all(|group| group.objects.is_empty());
    if matches!(format, Format::Table { .. }) && empty && refused.is_empty() && !missing_is_fine {
        let namespaced = found.iter().all(|group| group.kind.info().namespaced);
        call.io.err(&match query.namespace.filter(|_| namespaced) {
            Some(namespace) => format!("No resources found in {namespace} namespace.\n"),
            None => "No resources found\n".to_owned(),
        });
    }
    Outcome::Exit(exit)
}

fn read_format(call: &Call<'_, '_>) -> Result<Format, String> {
    let parsed = &call.parsed;
    let files = &call.desk.files;
    Format::parse(parsed.text("output").unwrap_or_default(), parsed.text("template"), |name| {
        let path = shell::host::resolve(&call.args.cwd, name);
        let bytes = files.read(&path).map_err(|error| error.to_string().to_lowercase())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    })
}

fn table_options(call: &Call<'_, '_>) -> TableOptions {
    let parsed = &call.parsed;
    TableOptions {
        wide: parsed.text("output") == Some("wide"),
        no_headers: parsed.on("no-headers"),
        with_namespace: parsed.on("all-namespaces"),
        with_kind: parsed.on("show-kind"),
        show_labels: parsed.on("show-labels"),
        label_columns: parsed.list("label-columns").to_vec(),
        with_event: parsed.on("output-watch-events"),
    }
}

/// A table for each run of one kind, with a blank line before each but the first.
fn print_tables(call: &mut Call<'_, '_>, found: &[Found]) -> Result<(), String> {
    let several = found.iter().any(|group| group.kind != found[0].kind);
    let now = call.desk.cluster.now();
    let mut tables: Vec<(Kind, Vec<Rc<Object>>)> = Vec::new();
    for group in found {
        match tables.last_mut() {
            Some((kind, objects)) if *kind == group.kind => objects.extend(group.objects.iter().cloned()),
            _ => tables.push((group.kind, group.objects.clone())),
        }
    }
    let mut first = true;
    for (kind, objects) in tables.iter().filter(|(_, objects)| !objects.is_empty()) {
        let mut options = table_options(call);
        options.with_kind |= several;
        options.with_event = false;
        options.with_namespace &= kind.info().namespaced;
        if !first && !options.no_headers {
            call.io.out("\n");
        }
        first = false;
        call.io.out(&TabWriter::table().align(&options.table(*kind, objects, now)));
    }
    Ok(())
}

/// One object as itself, anything else as a `List`.
fn print_list(call: &mut Call<'_, '_>, found: &[Found], format: &Format, complete: bool) -> Result<(), String> {
    let objects: Vec<Rc<Object>> = found.iter().flat_map(|group| group.objects.iter().cloned()).collect();
    if objects.is_empty() && (!complete || found.is_empty()) {
        return Ok(());
    }
    let text = match (format, found) {
        (Format::Name, _) => {
            let lines = objects.iter().map(|object| format.print(&format::shown(object)));
            lines.collect::<Result<String, String>>()?
        }
        (_, [Found { named: true, objects, .. }]) if objects.len() == 1 && complete => {
            format.print(&format::shown(&objects[0]))?
        }
        _ => format.print(&format::list(&objects))?,
    };
    call.io.out(&text);
    Ok(())
}

/// Kinds that are on their way out answer with a warning.
fn warn_of_old_kinds(call: &mut Call<'_, '_>, found: &[Found]) {
    if found.iter().any(|group| group.kind == Kind::Endpoints) {
        call.io.err("Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n");
    }
}
