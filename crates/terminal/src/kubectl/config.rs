//! `kubectl config`: shows and changes the kubeconfig.
//!
//! Source: `kubectl/pkg/cmd/config`.

use crate::kubectl::errors::Failure;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::kubeconfig::{Kubeconfig, Section};
use crate::kubectl::{Call, Outcome, Verb, help, named};
use crate::printing::format::Format;
use crate::printing::json;
use crate::printing::tabwriter::TabWriter;
use values::value::Value;

const fn verb(
    name: &'static str,
    summary: &'static str,
    usage: &'static str,
    flags: &'static [Flag],
    run: fn(&mut Call<'_, '_>) -> Outcome,
) -> Verb {
    Verb { name, summary, usage, flags, run }
}

pub const VERB: Verb = verb(
    "config",
    "Show and change which cluster kubectl talks to",
    "kubectl config SUBCOMMAND",
    &[],
    help::needs_subcommand,
);

pub const SUBCOMMANDS: &[&Verb] = &[
    &verb("config current-context", "Show the current context", "kubectl config current-context", &[], current_context),
    &verb(
        "config delete-cluster",
        "Delete a cluster from the file",
        "kubectl config delete-cluster NAME",
        &[],
        |call| delete(call, Section::Clusters),
    ),
    &verb(
        "config delete-context",
        "Delete a context from the file",
        "kubectl config delete-context NAME",
        &[],
        |call| delete(call, Section::Contexts),
    ),
    &verb("config delete-user", "Delete a user from the file", "kubectl config delete-user NAME", &[], |call| {
        delete(call, Section::Users)
    }),
    &verb("config get-clusters", "List the clusters", "kubectl config get-clusters", &[], |call| {
        list(call, Section::Clusters)
    }),
    &verb("config get-contexts", "List the contexts", "kubectl config get-contexts [NAME]", LISTS, get_contexts),
    &verb("config get-users", "List the users", "kubectl config get-users", &[], |call| list(call, Section::Users)),
    &verb("config rename-context", "Rename a context", "kubectl config rename-context OLD NEW", &[], rename_context),
    &verb("config set", "Set one value", "kubectl config set PROPERTY VALUE", SET, set),
    &verb(
        "config set-cluster",
        "Set a cluster",
        "kubectl config set-cluster NAME [--server=URL]",
        CLUSTER,
        set_cluster,
    ),
    &verb(
        "config set-context",
        "Set a context, such as the namespace to work in",
        "kubectl config set-context [NAME | --current] [--cluster=NAME] [--user=NAME] [--namespace=NAME]",
        CONTEXT,
        set_context,
    ),
    &verb("config set-credentials", "Set a user", "kubectl config set-credentials NAME", USER, set_credentials),
    &verb("config unset", "Take one value out", "kubectl config unset PROPERTY", &[], unset),
    &verb("config use-context", "Choose the current context", "kubectl config use-context NAME", &[], use_context),
    &verb("config view", "Show the configuration", "kubectl config view", VIEW, view),
];

const LISTS: &[Flag] = &[
    flag("no-headers", Takes::Nothing, "Leave out the head of the table").default("false"),
    flag("output", Takes::Text, "name").short('o'),
];
const SET: &[Flag] = &[flag("set-raw-bytes", Takes::Nothing, "The value is no base64").default("false")];
const CLUSTER: &[Flag] = &[
    flag("certificate-authority", Takes::Text, "The file of the certificate authority"),
    flag("embed-certs", Takes::Nothing, "Put the certificate into the file").default("false"),
    flag("insecure-skip-tls-verify", Takes::Nothing, "Trust any certificate").default("false"),
    flag("proxy-url", Takes::Text, "A proxy before the cluster"),
    flag("server", Takes::Text, "The address of the API server"),
    flag("tls-server-name", Takes::Text, "The name in the server's certificate"),
];
const CONTEXT: &[Flag] = &[
    flag("cluster", Takes::Text, "The context's cluster"),
    flag("current", Takes::Nothing, "Change the current context").default("false"),
    flag("namespace", Takes::Text, "The context's namespace").short('n'),
    flag("user", Takes::Text, "The context's user"),
];
const USER: &[Flag] = &[
    flag("client-certificate", Takes::Text, "The file of the certificate"),
    flag("client-key", Takes::Text, "The file of the key"),
    flag("embed-certs", Takes::Nothing, "Put the certificate into the file").default("false"),
    flag("password", Takes::Text, "The password"),
    flag("token", Takes::Text, "The bearer token"),
    flag("username", Takes::Text, "The user name"),
];
const VIEW: &[Flag] = &[
    flag("allow-missing-template-keys", Takes::Nothing, "Missing keys in a template are empty").default("true"),
    flag("flatten", Takes::Nothing, "Put certificates into the file").default("false"),
    flag("merge", Takes::Optional("true"), "Merge the files there are").default("true"),
    flag("minify", Takes::Nothing, "Only what the current context needs").default("false"),
    flag("output", Takes::Text, "Format: yaml, json, jsonpath=… and the like").short('o').default("yaml"),
    flag("raw", Takes::Nothing, "Show secrets too").default("false"),
    flag("template", Takes::Text, "The template of -o go-template"),
];

fn load(call: &Call<'_, '_>) -> Result<Kubeconfig, Failure> {
    Kubeconfig::load(&call.parsed, call.args, call.desk.files)
}

fn save(call: &mut Call<'_, '_>, config: &Kubeconfig) -> Result<(), Failure> {
    let now = call.desk.cluster.now();
    config.save(call.desk.files, now)
}

/// Runs a part that may fail, and says what it gives.
fn run(call: &mut Call<'_, '_>, act: impl FnOnce(&mut Call<'_, '_>) -> Result<String, Failure>) -> Outcome {
    match act(call) {
        Ok(text) => {
            call.io.out(&text);
            Outcome::Exit(0)
        }
        Err(failure) => call.end(&[failure]),
    }
}

/// Exactly so many arguments are wanted: otherwise the verb's help stands before the complaint.
fn arguments<const N: usize>(call: &mut Call<'_, '_>) -> Result<[String; N], Outcome> {
    let given = call.parsed.args.clone();
    <[String; N]>::try_from(given).map_err(|given| {
        if let Some(verb) = named(call.verb) {
            call.io.out(&help::of(verb));
        }
        call.fail(&format!("Unexpected args: [{}]", given.join(" ")))
    })
}

fn current_context(call: &mut Call<'_, '_>) -> Outcome {
    run(call, |call| {
        let config = load(call)?;
        match config.current_context() {
            "" => Err(Failure::client("current-context is not set")),
            name => Ok(format!("{name}\n")),
        }
    })
}

fn list(call: &mut Call<'_, '_>, section: Section) -> Outcome {
    run(call, |call| {
        let names = load(call)?.names(section);
        Ok(format!("NAME\n{}", names.iter().map(|name| format!("{name}\n")).collect::<String>()))
    })
}

fn get_contexts(call: &mut Call<'_, '_>) -> Outcome {
    let config = match load(call) {
        Ok(config) => config,
        Err(failure) => return call.end(&[failure]),
    };
    let only_names = match call.parsed.text("output").unwrap_or_default() {
        "" => false,
        "name" => true,
        other => {
            return call.fail(&format!(
                "--output {other} is not available in kubectl config get-contexts; resetting to default output format"
            ));
        }
    };
    let asked = call.parsed.args.clone();
    let wanted = if asked.is_empty() { config.names(Section::Contexts) } else { asked };
    let (mut text, mut failures) = (String::new(), Vec::new());
    if !only_names && !call.parsed.on("no-headers") {
        text.push_str("CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n");
    }
    for name in wanted {
        let Some(context) = config.entry(Section::Contexts, &name) else {
            failures.push(Failure::client(format!("context {name} not found")));
            continue;
        };
        let of = |field: &str| context.str_at(field).unwrap_or_default();
        if only_names {
            text.push_str(&format!("{name}\n"));
        } else {
            let mark = if name == config.current_context() { "*" } else { "" };
            text.push_str(&format!("{mark}\t{name}\t{}\t{}\t{}\n", of("cluster"), of("user"), of("namespace")));
        }
    }
    call.io.out(&TabWriter::table().align(&text));
    call.end(&failures)
}

fn use_context(call: &mut Call<'_, '_>) -> Outcome {
    let [name] = match arguments(call) {
        Ok(names) => names,
        Err(outcome) => return outcome,
    };
    run(call, |call| {
        let mut config = load(call)?;
        if name.is_empty() {
            return Err(Failure::client("empty context names are not allowed"));
        }
        if config.entry(Section::Contexts, &name).is_none() {
            return Err(Failure::client(format!("no context exists with the name: \"{name}\"")));
        }
        config.tree.set("current-context", name.as_str());
        save(call, &config)?;
        Ok(format!("Switched to context \"{name}\".\n"))
    })
}

fn rename_context(call: &mut Call<'_, '_>) -> Outcome {
    let [old, new] = match arguments(call) {
        Ok(names) => names,
        Err(outcome) => return outcome,
    };
    run(call, |call| {
        let mut config = load(call)?;
        if new.is_empty() {
            return Err(Failure::client("You must specify a new non-empty context name"));
        }
        let path = config.path.clone();
        let Some(context) = config.entry(Section::Contexts, &old).cloned() else {
            return Err(Failure::client(format!("cannot rename the context \"{old}\", it's not in {path}")));
        };
        if config.entry(Section::Contexts, &new).is_some() {
            let text = format!("cannot rename the context \"{old}\", the context \"{new}\" already exists in {path}");
            return Err(Failure::client(text));
        }
        config.remove(Section::Contexts, &old);
        config.put(Section::Contexts, &new, context);
        if config.current_context() == old {
            config.tree.set("current-context", new.as_str());
        }
        save(call, &config)?;
        Ok(format!("Context \"{old}\" renamed to \"{new}\".\n"))
    })
}

fn delete(call: &mut Call<'_, '_>, section: Section) -> Outcome {
    let (_, what) = section.names();
    if section == Section::Users && call.parsed.args.is_empty() {
        return call.misused("user to delete is required");
    }
    let [name] = match arguments(call) {
        Ok(names) => names,
        Err(outcome) => return outcome,
    };
    run(call, |call| {
        let mut config = load(call)?;
        if !config.remove(section, &name) {
            return Err(Failure::client(format!("cannot delete {what} {name}, not in {}", config.path)));
        }
        if section == Section::Contexts && config.current_context() == name {
            call.io.err(
                "warning: this removed your active context, use \"kubectl config use-context\" to select a different one\n",
            );
        }
        save(call, &config)?;
        Ok(format!("deleted {what} {name} from {}\n", config.path))
    })
}

fn set_context(call: &mut Call<'_, '_>) -> Outcome {
    if call.parsed.args.len() > 1 {
        return match arguments::<1>(call) {
            Ok(_) => Outcome::Exit(1),
            Err(outcome) => outcome,
        };
    }
    run(call, |call| {
        let mut config = load(call)?;
        let name = match (call.parsed.args.first().filter(|name| !name.is_empty()), call.parsed.on("current")) {
            (None, false) => {
                return Err(Failure::client("you must specify a non-empty context name or --current"));
            }
            (Some(_), true) => {
                return Err(Failure::client("you cannot specify both a context name and --current"));
            }
            (None, true) if config.current_context().is_empty() => {
                return Err(Failure::client("no current context is set"));
            }
            (None, true) => config.current_context().to_owned(),
            (Some(name), false) => name.clone(),
        };
        let before = config.entry(Section::Contexts, &name).cloned();
        let done = if before.is_some() { "modified" } else { "created" };
        let fields = ["cluster", "namespace", "user"].map(|name| (name, name));
        let context = changed(call, before.unwrap_or_else(Value::map), &fields);
        config.put(Section::Contexts, &name, context);
        save(call, &config)?;
        Ok(format!("Context \"{name}\" {done}.\n"))
    })
}

/// An entry with the flags that were given laid over its fields; an empty one takes the field out.
fn changed(call: &Call<'_, '_>, mut entry: Value, fields: &[(&str, &'static str)]) -> Value {
    for (flag, field) in fields {
        match call.parsed.text(flag) {
            None => {}
            Some("") => {
                entry.map_mut().remove(field);
            }
            Some(text) => {
                entry.map_mut().insert(*field, text);
            }
        }
    }
    entry
}

fn set_cluster(call: &mut Call<'_, '_>) -> Outcome {
    let [name] = match arguments(call) {
        Ok(names) => names,
        Err(outcome) => return outcome,
    };
    run(call, |call| {
        let mut config = load(call)?;
        if name.is_empty() {
            return Err(Failure::client("you must specify a non-empty cluster name"));
        }
        if call.parsed.on("insecure-skip-tls-verify")
            && call.parsed.text("certificate-authority").is_some_and(|t| !t.is_empty())
        {
            let text = "you cannot specify a certificate authority and insecure mode at the same time";
            return Err(Failure::client(text));
        }
        let fields = ["certificate-authority", "proxy-url", "server", "tls-server-name"].map(|name| (name, name));
        let before = config.entry(Section::Clusters, &name).cloned().unwrap_or_else(Value::map);
        let mut cluster = changed(call, before, &fields);
        if call.parsed.is_set("insecure-skip-tls-verify") {
            cluster.map_mut().insert("insecure-skip-tls-verify", call.parsed.on("insecure-skip-tls-verify"));
        }
        config.put(Section::Clusters, &name, cluster);
        save(call, &config)?;
        Ok(format!("Cluster \"{name}\" set.\n"))
    })
}

fn set_credentials(call: &mut Call<'_, '_>) -> Outcome {
    if call.parsed.args.len() != 1 {
        let args = call.parsed.args.join(" ");
        return call.fail(&format!("unexpected args: [{args}]"));
    }
    run(call, |call| {
        let mut config = load(call)?;
        let name = call.parsed.args[0].clone();
        if name.is_empty() {
            return Err(Failure::client("you must specify a non-empty user name"));
        }
        let given = |flag: &str| call.parsed.text(flag).is_some_and(|text| !text.is_empty());
        if given("token") && (given("username") || given("password")) {
            let text = "you cannot specify more than one authentication method at the same time: token, basicAuth";
            return Err(Failure::client(text));
        }
        let fields = ["client-certificate", "client-key", "password", "token", "username"].map(|name| (name, name));
        let before = config.entry(Section::Users, &name).cloned().unwrap_or_else(Value::map);
        let user = changed(call, before, &fields);
        config.put(Section::Users, &name, user);
        save(call, &config)?;
        Ok(format!("User \"{name}\" set.\n"))
    })
}

/// Where a property stands: `current-context`, or a field of an entry. Names may have dots.
enum Place {
    Top(String),
    Entry(Section, String),
    Field(Section, String, String),
}

const FIELDS: [(&str, Section, &[&str]); 3] = [
    (
        "clusters",
        Section::Clusters,
        &[
            "server",
            "tls-server-name",
            "insecure-skip-tls-verify",
            "certificate-authority",
            "certificate-authority-data",
            "proxy-url",
            "disable-compression",
        ],
    ),
    (
        "users",
        Section::Users,
        &[
            "client-certificate",
            "client-certificate-data",
            "client-key",
            "client-key-data",
            "token",
            "tokenFile",
            "act-as",
            "username",
            "password",
        ],
    ),
    ("contexts", Section::Contexts, &["cluster", "user", "namespace"]),
];

fn place(property: &str) -> Result<Place, Failure> {
    let (first, rest) = property.split_once('.').unwrap_or((property, ""));
    if let Some((_, section, fields)) = FIELDS.iter().find(|(name, ..)| *name == first) {
        if rest.is_empty() {
            return Ok(Place::Top(first.to_owned()));
        }
        let field = fields.iter().find_map(|field| Some((rest.strip_suffix(field)?.strip_suffix('.')?, *field)));
        return Ok(match field.filter(|(name, _)| !name.is_empty()) {
            Some((name, field)) => Place::Field(*section, name.to_owned(), field.to_owned()),
            None => Place::Entry(*section, rest.to_owned()),
        });
    }
    match first {
        "current-context" | "kind" | "apiVersion" if rest.is_empty() => Ok(Place::Top(first.to_owned())),
        _ => Err(Failure::client(format!("unable to parse {property} after [] at api.Config"))),
    }
}

fn set(call: &mut Call<'_, '_>) -> Outcome {
    let [property, value] = match arguments(call) {
        Ok(words) => words,
        Err(outcome) => return outcome,
    };
    run(call, |call| {
        let mut config = load(call)?;
        if value.is_empty() {
            return Err(Failure::client("you cannot use set to unset a property"));
        }
        if property.is_empty() {
            return Err(Failure::client("you must specify a property"));
        }
        match place(&property)? {
            Place::Top(name) if FIELDS.iter().any(|(list, ..)| *list == name) => {
                return Err(Failure::client(format!("can't set a map to a value: {name}")));
            }
            Place::Top(name) => {
                config.tree.map_mut().insert(name, value.as_str());
            }
            Place::Entry(_, name) => {
                return Err(Failure::client(format!("can't set a map to a value: {name}")));
            }
            Place::Field(section, name, field) => {
                let mut entry = config.entry(section, &name).cloned().unwrap_or_else(Value::map);
                let fresh = match (field.as_str(), value.as_str()) {
                    ("insecure-skip-tls-verify" | "disable-compression", "true") => Value::Bool(true),
                    ("insecure-skip-tls-verify" | "disable-compression", "false") => Value::Bool(false),
                    (_, text) => Value::from(text),
                };
                entry.map_mut().insert(field, fresh);
                config.put(section, &name, entry);
            }
        }
        save(call, &config)?;
        Ok(format!("Property \"{property}\" set.\n"))
    })
}

fn unset(call: &mut Call<'_, '_>) -> Outcome {
    let [property] = match arguments(call) {
        Ok(words) => words,
        Err(outcome) => return outcome,
    };
    run(call, |call| {
        let mut config = load(call)?;
        if property.is_empty() {
            return Err(Failure::client("you must specify a property"));
        }
        match place(&property)? {
            Place::Top(name) if FIELDS.iter().any(|(list, ..)| *list == name) => {
                config.tree.map_mut().insert(name, Vec::new());
            }
            Place::Top(name) => {
                config.tree.map_mut().insert(name, "");
            }
            Place::Entry(section, name) => {
                config.remove(section, &name);
            }
            Place::Field(section, name, field) => {
                let Some(mut entry) = config.entry(section, &name).cloned() else {
                    return Err(Failure::client(format!("current map key `{name}` is invalid")));
                };
                entry.map_mut().remove(&field);
                config.put(section, &name, entry);
            }
        }
        save(call, &config)?;
        Ok(format!("Property \"{property}\" unset.\n"))
    })
}

fn view(call: &mut Call<'_, '_>) -> Outcome {
    run(call, |call| {
        let mut config = load(call)?;
        if call.parsed.on("minify") {
            let context = call.parsed.text("context").unwrap_or(config.current_context()).to_owned();
            config = match config.minified(&context) {
                Some(small) => small,
                None if context.is_empty() => {
                    return Err(Failure::client("current-context must exist in order to minify"));
                }
                None => return Err(Failure::client(format!("cannot locate context {context}"))),
            };
        }
        let shown = config.shown(call.parsed.on("raw"));
        let output = call.parsed.text("output").filter(|text| !text.is_empty()).unwrap_or("yaml");
        if output == "json" {
            return Ok(json::in_order(&shown, &ORDER));
        }
        let unread = |path: &str| Err(format!("open {path}: no such file or directory"));
        let format = Format::parse(output, call.parsed.text("template"), unread).map_err(Failure::client)?;
        format.print(&shown).map_err(Failure::client)
    })
}

/// The order of a configuration's fields in JSON.
const ORDER: [&str; 11] = [
    "kind",
    "apiVersion",
    "name",
    "clusters",
    "users",
    "contexts",
    "current-context",
    "cluster",
    "server",
    "user",
    "namespace",
];
