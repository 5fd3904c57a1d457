//! `kubectl get`: objects as tables, YAML, JSON, or what a template picks out of them.
//!
//! Rules: `docs/semantics/kubectl.md` §1, §4, §8. Source: `kubectl/pkg/cmd/get/get.go`.

use std::rc::Rc;

use crate::kubectl::errors::Failure;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::query::{Found, Query};
use crate::kubectl::watch::Watch;
use crate::kubectl::{Call, Outcome, Verb, Waiting, common, managers, raw};
use crate::printing::format::{self, Format};
use crate::printing::sort::sort_by;
use crate::printing::table::TableOptions;
use crate::printing::tabwriter::TabWriter;
use api::kind::Kind;
use api::object::Object;
use api::status::{ApiError, Reason};

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
    flag("chunk-size", Takes::Number, "How many objects to ask for at a time").default("500"),
    flag("field-selector", Takes::Text, "Choose by fields, such as status.phase=Running"),
    flag("filename", Takes::List, "Show the objects that these files name").short('f'),
    common::KUSTOMIZE,
    flag("ignore-not-found", Takes::Nothing, "Missing objects are no error").default("false"),
    flag("label-columns", Takes::List, "Labels to show as columns").short('L'),
    flag("no-headers", Takes::Nothing, "Leave out the head of the table").default("false"),
    flag("output", Takes::Text, "Format: wide, yaml, json, name, jsonpath=…, custom-columns=…, go-template=…")
        .short('o'),
    flag("output-watch-events", Takes::Nothing, "Show with -w what happened to each object").default("false"),
    flag("raw", Takes::Text, "An address of the API, printed as the server answers"),
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
    if let Some(address) = call.parsed.text("raw").map(str::to_owned) {
        return match call.parsed.args.is_empty() {
            true => raw::get(call, &address),
            false => call.misused("arguments may not be passed when --raw is specified"),
        };
    }
    if call.parsed.args.is_empty() && !call.parsed.is_set("filename") && !call.parsed.is_set("kustomize") {
        call.io.err(NOTHING_NAMED);
        return Outcome::Exit(1);
    }
    let watches = call.parsed.on("watch") || call.parsed.on("watch-only");
    if call.parsed.on("output-watch-events") && !watches {
        return call.fail("--output-watch-events option can only be used with --watch or --watch-only");
    }
    let format = match read_format(call) {
        Ok(format) => format,
        Err(message) => return call.fail(&message),
    };
    let query = match Query::read(call) {
        Ok(query) => query,
        Err(failures) => return call.end(&failures),
    };
    if watches {
        return match Watch::start(call, &query, format, table_options(call)) {
            Ok(Some(watch)) => Outcome::Waits(Waiting::Watch(Box::new(watch))),
            Ok(None) => Outcome::Exit(0),
            Err(message) => {
                call.io.err(&format!("{message}\n"));
                Outcome::Exit(1)
            }
        };
    }
    show(call, &query, &format)
}

fn show(call: &mut Call<'_, '_>, query: &Query, format: &Format) -> Outcome {
    let (mut found, refused) = query.run(call.desk.cluster.store());
    if let Err(error) = subresource(call, &found) {
        return call.refuse(&error);
    }
    warn_of_old_kinds(call, &found);
    let sort_by = call.parsed.text("sort-by").filter(|path| !path.is_empty()).map(str::to_owned);
    if let Some(path) = sort_by
        && let Err(message) = sort(&mut found, &path, format)
    {
        return call.fail(&message);
    }
    let managed = call.parsed.on("show-managed-fields");
    let printed = match format {
        Format::Table { .. } => print_tables(call, &found),
        other => print_list(call, query, &found, other, refused.is_empty(), managed),
    };
    if let Err(message) = printed {
        return call.fail(&message);
    }
    let missing_is_fine = call.parsed.on("ignore-not-found");
    let failures: Vec<Failure> = refused
        .into_iter()
        .filter(|error| !(missing_is_fine && error.reason == Reason::NotFound))
        .map(Failure::from)
        .collect();
    let empty = found.iter().all(|group| group.objects.is_empty());
    if matches!(format, Format::Table { .. }) && empty && failures.is_empty() && !missing_is_fine {
        let namespaced = found.iter().all(|group| group.kind.info().namespaced);
        call.io.err(&match query.namespace.as_ref().filter(|_| namespaced) {
            Some(namespace) => format!("No resources found in {namespace} namespace.\n"),
            None => "No resources found\n".to_owned(),
        });
    }
    failures.into_iter().for_each(|failure| call.note(failure));
    call.finish()
}

/// `--subresource` must be one that the kind has.
fn subresource(call: &Call<'_, '_>, found: &[Found]) -> Result<(), ApiError> {
    let name = call.parsed.text("subresource").unwrap_or_default();
    match found.iter().all(|group| common::has_subresource(group.kind, name)) {
        true => Ok(()),
        false => Err(common::no_such_resource()),
    }
}

/// Several kinds cannot be sorted by a field; a table of nothing is what is left where no object has it.
fn sort(found: &mut [Found], path: &str, format: &Format) -> Result<(), String> {
    let kinds = found.iter().filter(|group| !group.objects.is_empty()).map(|group| group.kind);
    let several = kinds.clone().any(|kind| Some(kind) != kinds.clone().next());
    if several && matches!(format, Format::Table { .. }) {
        let path = values::jsonpath::JsonPath::relaxed(path)?;
        return Err(format!("couldn't find any field with path \"{}\" in the list of objects", path.text()));
    }
    if several {
        // Objects of all kinds are sorted as one list.
        let mut all: Vec<Rc<Object>> = found.iter_mut().flat_map(|group| std::mem::take(&mut group.objects)).collect();
        sort_by(&mut all, path, |object| object.value().clone())?;
        found[0].objects = all;
        return Ok(());
    }
    for group in found {
        match sort_by(&mut group.objects, path, |object| object.value().clone()) {
            Ok(()) => {}
            // The server's table has no such column, and kubectl shows nothing.
            Err(text) if text.starts_with("couldn't find any field") && matches!(format, Format::Table { .. }) => {
                group.objects.clear();
            }
            Err(text) => return Err(text),
        }
    }
    Ok(())
}

fn read_format(call: &Call<'_, '_>) -> Result<Format, String> {
    let parsed = &call.parsed;
    let files = &call.desk.files;
    let format = Format::parse(parsed.text("output").unwrap_or_default(), parsed.text("template"), |name| {
        let path = shell::host::resolve(&call.args.cwd, name);
        let bytes = files.read(&path).map_err(|error| error.to_string().to_lowercase())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    })?;
    let strict = parsed.text("allow-missing-template-keys") == Some("false");
    Ok(format.strict(strict).without_heads(parsed.on("no-headers")))
}

fn table_options(call: &Call<'_, '_>) -> TableOptions {
    let parsed = &call.parsed;
    TableOptions {
        wide: parsed.text("output").is_some_and(|output| output.eq_ignore_ascii_case("wide")),
        plain: parsed.text("server-print") == Some("false"),
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
fn print_list(
    call: &mut Call<'_, '_>,
    query: &Query,
    found: &[Found],
    format: &Format,
    complete: bool,
    managed: bool,
) -> Result<(), String> {
    let objects: Vec<Rc<Object>> = found.iter().flat_map(|group| group.objects.iter().cloned()).collect();
    if objects.is_empty() && (!complete || found.is_empty()) {
        return Ok(());
    }
    let managed = managed || format.sees_managers();
    let store = call.desk.cluster.store();
    let tree =
        |object: &Rc<Object>| if managed { managers::with_managers(store, object) } else { format::shown(object) };
    let value = match (format, found) {
        (_, [Found { named: true, objects, .. }]) if objects.len() == 1 && complete && !query.named_by_files => {
            tree(&objects[0])
        }
        _ => format::list_of(objects.iter().map(tree).collect()),
    };
    match format.print(&value) {
        Ok(text) => {
            call.io.out(&text);
            Ok(())
        }
        Err(text) => {
            call.io.out(&format.stumbled(&value));
            Err(text)
        }
    }
}

/// Kinds that are on their way out answer with a warning.
fn warn_of_old_kinds(call: &mut Call<'_, '_>, found: &[Found]) {
    if found.iter().any(|group| group.kind == Kind::Endpoints) {
        call.io.err("Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n");
    }
}
