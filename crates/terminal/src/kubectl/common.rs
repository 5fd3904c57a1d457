//! What several verbs share: their common flags, dry runs, and how a written object is told.
//!
//! Source: `kubectl/pkg/cmd/util/helpers.go` (`GetDryRunStrategy`, `AddDryRunFlag`), `cli-runtime/pkg/genericclioptions`.

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, errors, managers};
use crate::printing::format::{Format, shown};
use crate::printing::json;
use api::decode::{FieldValidation, decode};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::status::{ApiError, Reason};
use cluster::store::Api;
use shell::host::resolve;
use values::duration::GoDuration;
use values::time::Span;
use values::value::Value;

pub const FILENAME: Flag = flag("filename", Takes::List, "Files, folders, or - for standard input").short('f');
pub const RECURSIVE: Flag =
    flag("recursive", Takes::Nothing, "Reads the folders of -f with all that is in them").short('R').default("false");
pub const KUSTOMIZE: Flag = flag("kustomize", Takes::Text, "A kustomization folder").short('k');
pub const SELECTOR: Flag =
    flag("selector", Takes::Text, "Only objects with these labels: a=b,c!=d,e in (f,g)").short('l');
pub const FIELD_SELECTOR: Flag =
    flag("field-selector", Takes::Text, "Only objects with these fields: status.phase=Failed");
pub const ALL: Flag = flag("all", Takes::Nothing, "Every object of the type in the namespace").default("false");
pub const ALL_NAMESPACES: Flag =
    flag("all-namespaces", Takes::Nothing, "In all namespaces").short('A').default("false");
pub const DRY_RUN: Flag =
    flag("dry-run", Takes::Optional("unchanged"), "Only say what would be done: none, client or server")
        .default("none");
pub const OUTPUT: Flag = flag("output", Takes::Text, "Print the object as json, yaml or name").short('o');
pub const TEMPLATE: Flag = flag("template", Takes::Text, "The template of -o go-template");
pub const MANAGED_FIELDS: Flag =
    flag("show-managed-fields", Takes::Nothing, "Print metadata.managedFields as well").default("false");
pub const MISSING_KEYS: Flag =
    flag("allow-missing-template-keys", Takes::Nothing, "Templates may name fields that are not there").default("true");
pub const FIELD_MANAGER: Flag = flag("field-manager", Takes::Text, "Who is noted as the owner of the fields");
pub const SAVE_CONFIG: Flag =
    flag("save-config", Takes::Nothing, "Note the object in the annotation that apply reads").default("false");
pub const VALIDATE: Flag =
    flag("validate", Takes::Optional("strict"), "What to do about unknown fields: strict, warn or ignore")
        .default("strict");
pub const RECORD: Flag =
    flag("record", Takes::Nothing, "Note the command in an annotation; deprecated").default("false");
pub const LOCAL: Flag = flag("local", Takes::Nothing, "Change the given file and ask no cluster").default("false");
pub const POD_RUNNING_TIMEOUT: Flag =
    flag("pod-running-timeout", Takes::Duration, "How long to wait until one Pod runs").default("1m0s");
pub const CONTAINER: Flag = flag("container", Takes::Text, "The container; the first one without it").short('c');

/// What `--dry-run` asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DryRun {
    #[default]
    No,
    Client,
    Server,
}

impl DryRun {
    /// What stands behind `created` and the like.
    pub fn suffix(self) -> &'static str {
        match self {
            DryRun::No => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }
}

impl Call<'_, '_> {
    /// Reads `--dry-run`.
    ///
    /// # Errors
    /// kubectl's words, without `error: `.
    pub fn dry_run(&mut self) -> Result<DryRun, String> {
        match self.parsed.text("dry-run") {
            None | Some("none") => Ok(DryRun::No),
            Some("client") => Ok(DryRun::Client),
            Some("server") => Ok(DryRun::Server),
            Some("unchanged") => {
                self.io
                    .err(&klog("helpers.go:719", "--dry-run is deprecated and can be replaced with --dry-run=client."));
                Ok(DryRun::Client)
            }
            // A value that was given was once true or false.
            Some(old @ ("true" | "false")) => {
                let (now, dry_run) = if old == "true" { ("client", DryRun::Client) } else { ("none", DryRun::No) };
                let text =
                    format!("--dry-run={old} is deprecated (boolean value) and can be replaced with --dry-run={now}.");
                self.io.err(&klog("helpers.go:709", &text));
                Ok(dry_run)
            }
            Some(other) => {
                Err(format!("Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."))
            }
        }
    }

    /// Writes to the API; with a server dry run, to a copy of the cluster that is thrown away.
    ///
    /// # Errors
    /// What the API server refuses.
    pub fn write<R>(
        &mut self,
        dry_run: DryRun,
        act: impl FnOnce(&mut Api<'_>) -> Result<R, ApiError>,
    ) -> Result<R, ApiError> {
        match dry_run {
            DryRun::No => self.desk.cluster.api("user", act),
            DryRun::Client | DryRun::Server => self.desk.cluster.clone().api("user", act),
        }
    }

    /// Creates an object; with a server dry run nobody has given it a version.
    ///
    /// # Errors
    /// What the API server refuses.
    pub fn create(&mut self, dry_run: DryRun, object: Value) -> Result<Value, ApiError> {
        let (sent, manager, now) = (object.clone(), self.manager(), self.desk.cluster.now());
        let (created, notes, warnings) = self.write(dry_run, |api| {
            let created = api.create(object)?;
            let sent = decode(&sent, FieldValidation::Ignore).map_or(sent, |decoded| decoded.object);
            let notes = managers::after_create(created.kind(), &sent, &manager, now);
            api.set_managers(&created.key(), notes.clone());
            Ok((created, notes, api.take_warnings()))
        })?;
        warnings.iter().for_each(|text| self.io.err(&format!("Warning: {text}\n")));
        let mut value = created.value().clone();
        if dry_run != DryRun::No {
            value.remove("metadata.resourceVersion");
        }
        self.show_managers(&mut value, notes);
        Ok(value)
    }

    /// Changes an object.
    ///
    /// # Errors
    /// What the API server refuses.
    pub fn update(&mut self, dry_run: DryRun, key: &Key, edit: impl FnOnce(&mut Value)) -> Result<Value, ApiError> {
        let store = self.desk.cluster.store();
        let (before, notes) = (store.get(key).cloned(), store.managers(key).clone());
        let (manager, now) = (self.manager(), self.desk.cluster.now());
        let (written, notes, warnings) = self.write(dry_run, |api| {
            let written = api.update(key, edit)?;
            let before = before.as_ref().map_or(&Value::Null, |object| object.value());
            let notes = managers::after_update(&notes, key.kind, before, written.value(), &manager, now);
            api.set_managers(key, notes.clone());
            Ok((written, notes, api.take_warnings()))
        })?;
        warnings.iter().for_each(|text| self.io.err(&format!("Warning: {text}\n")));
        let mut value = written.value().clone();
        self.show_managers(&mut value, notes);
        Ok(value)
    }

    /// Who is noted as the owner of the fields that the verb writes.
    fn manager(&self) -> String {
        let verb = self.verb.split(' ').next().unwrap_or_default();
        let given = self.parsed.text("field-manager").filter(|name| !name.is_empty());
        given.map_or_else(|| format!("kubectl-{verb}"), str::to_owned)
    }

    /// What is printed has the notes of who set what if it is to have them.
    fn show_managers(&self, value: &mut Value, notes: Value) {
        let sees = self.parsed.on("show-managed-fields") || format(self).is_ok_and(|format| format.sees_managers());
        if sees && !notes.is_null() {
            value.set("metadata.managedFields", notes);
        }
    }

    /// Says what became of an object: `job.batch/x created`, or the object itself with `-o`.
    ///
    /// # Errors
    /// The format is none, in kubectl's words.
    pub fn tell(&mut self, object: &Value, how: &str, dry_run: DryRun) -> Result<(), String> {
        let text = match format(self)? {
            Format::Table { .. } => line(object, &format!("{how}{}", dry_run.suffix())),
            Format::Name => format!("{}\n", name_of(object)),
            format => format.print(object)?,
        };
        self.io.out(&text);
        Ok(())
    }

    /// As [`Call::tell`], for an object that kubectl holds as Go's struct: JSON has the order of its fields.
    ///
    /// # Errors
    /// As [`Call::tell`].
    pub fn tell_struct(&mut self, object: &Value, how: &str, dry_run: DryRun) -> Result<(), String> {
        if format(self)? != Format::Json {
            return self.tell(object, how, dry_run);
        }
        self.io.out(&json::of_struct(object));
        Ok(())
    }

    /// Reads `--validate`.
    ///
    /// # Errors
    /// kubectl's words, without `error: `.
    pub fn validation(&self) -> Result<FieldValidation, String> {
        match self.parsed.text("validate").unwrap_or("strict") {
            "strict" | "true" => Ok(FieldValidation::Strict),
            "warn" => Ok(FieldValidation::Warn),
            "ignore" | "false" => Ok(FieldValidation::Ignore),
            other => Err(format!(
                "invalid - validate option \"{other}\"; must be one of: strict (or true), warn, ignore (or false)"
            )),
        }
    }

    /// Prints a refusal as kubectl does and gives exit code 1.
    pub fn refuse(&mut self, error: &ApiError) -> Outcome {
        self.complain(error, None);
        Outcome::Exit(1)
    }

    /// Prints a refusal as kubectl does. `doing` is such as `error when creating "STDIN"`.
    pub fn complain(&mut self, error: &ApiError, doing: Option<&str>) {
        let text = errors::render(error, doing);
        self.io.err(&format!("{text}\n"));
    }

    /// A mistake in how the verb was called: the text, and where help is.
    pub fn misused(&mut self, message: &str) -> Outcome {
        let verb = self.verb;
        self.io.err(&format!("error: {message}\nSee 'kubectl {verb} -h' for help and examples\n"));
        Outcome::Exit(1)
    }

    /// A flag that holds a Go duration, such as `--timeout=30s`; a bare number means seconds.
    ///
    /// # Errors
    /// pflag's words, without `error: `.
    pub fn duration(&self, name: &str) -> Result<Option<Span>, String> {
        let Some(text) = self.parsed.text(name) else { return Ok(None) };
        match text.parse::<GoDuration>() {
            Ok(duration) => Ok(Some(duration.to_span())),
            Err(error) => Err(format!("invalid argument \"{text}\" for \"--{name}\" flag: {error}")),
        }
    }

    /// A flag that holds a whole number.
    ///
    /// # Errors
    /// pflag's words, without `error: `.
    pub fn number(&self, name: &str) -> Result<Option<i64>, String> {
        let Some(text) = self.parsed.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            format!("invalid argument \"{text}\" for \"--{name}\" flag: strconv.ParseInt: parsing \"{text}\": invalid syntax")
        })
    }
}

/// Whether objects of this kind have the part that `--subresource` names.
pub fn has_subresource(kind: Kind, name: &str) -> bool {
    match name {
        "" => true,
        "status" => !matches!(
            kind,
            Kind::ConfigMap
                | Kind::Secret
                | Kind::ServiceAccount
                | Kind::Endpoints
                | Kind::EndpointSlice
                | Kind::Event
                | Kind::PriorityClass
        ),
        "scale" => matches!(kind, Kind::Deployment | Kind::ReplicaSet),
        "resize" => kind == Kind::Pod,
        _ => false,
    }
}

/// What the server says of an address that it does not know.
pub fn no_such_resource() -> ApiError {
    ApiError { reason: Reason::NotFound, ..ApiError::bad_request("the server could not find the requested resource") }
}

/// `--record` is on its way out.
pub fn warn_of_record(call: &mut Call<'_, '_>) {
    if call.parsed.is_set("record") {
        call.io.err("Flag --record has been deprecated, --record will be removed in the future\n");
    }
}

/// A line of kubectl's own log.
pub fn klog(place: &str, text: &str) -> String {
    format!("W1130 14:00:00.000000       1 {place}] {text}\n")
}

/// `job.batch/x`
pub fn name_of(object: &Value) -> String {
    let kind = object.str_at("kind").unwrap_or_default().to_ascii_lowercase();
    let group = object.str_at("apiVersion").unwrap_or_default().split_once('/').map(|(group, _)| format!(".{group}"));
    let name = object.str_at("metadata.name").filter(|name| !name.is_empty()).unwrap_or("<unknown>");
    format!("{kind}{}/{name}", group.unwrap_or_default())
}

/// The format of `-o` and `--template`; a table stands for none.
///
/// # Errors
/// The format is none, or none for single objects, in kubectl's words.
pub fn format(call: &Call<'_, '_>) -> Result<Format, String> {
    let (output, template) = (call.parsed.text("output").unwrap_or_default(), call.parsed.text("template"));
    let files = &call.desk.files;
    let read = |name: &str| {
        let bytes = files.read(&resolve(&call.args.cwd, name)).map_err(|error| error.to_string().to_lowercase())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let strict = call.parsed.text("allow-missing-template-keys") == Some("false");
    match Format::parse(output, template, read)?.strict(strict) {
        format @ Format::Table { wide: false } => Ok(format),
        Format::Table { .. } | Format::CustomColumns(_) => Err(no_printer(output)),
        format => Ok(format),
    }
}

fn no_printer(output: &str) -> String {
    format!(
        "unable to match a printer suitable for the output format \"{output}\", allowed formats are: \
         go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml"
    )
}

/// The line about an object, or the object in a format.
///
/// # Errors
/// A template that does not fit the object.
pub fn said(object: &Object, how: &str, format: &Format) -> Result<String, String> {
    match format {
        Format::Table { .. } => Ok(line(object.value(), how)),
        format => format.print(&shown(object)),
    }
}

/// The line about a written object.
pub fn line(object: &Value, how: &str) -> String {
    format!("{} {how}\n", name_of(object))
}
