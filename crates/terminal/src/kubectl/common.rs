//! What several verbs share: their common flags, dry runs, and how a written object is told.
//!
//! Source: `kubectl/pkg/cmd/util/helpers.go` (`GetDryRunStrategy`, `AddDryRunFlag`), `cli-runtime/pkg/genericclioptions`.

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, errors};
use crate::printing::format::Format;
use api::decode::FieldValidation;
use api::status::ApiError;
use cluster::store::Api;
use values::duration::GoDuration;
use values::time::Span;
use values::value::Value;

pub const FILENAME: Flag = flag("filename", Takes::List, "Files, folders, or - for standard input").short('f');
pub const RECURSIVE: Flag =
    flag("recursive", Takes::Nothing, "Reads the folders of -f with all that is in them").short('R').default("false");
pub const KUSTOMIZE: Flag = flag("kustomize", Takes::Text, "A kustomization folder; not simulated").short('k');
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
pub const LOCAL: Flag = flag("local", Takes::Nothing, "Change the given file and ask no cluster").default("false");
pub const POD_RUNNING_TIMEOUT: Flag =
    flag("pod-running-timeout", Takes::Text, "How long to wait until one Pod runs").default("1m0s");
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
    pub fn dry_run(&self) -> Result<DryRun, String> {
        match self.parsed.text("dry-run") {
            None | Some("none") => Ok(DryRun::No),
            Some("client") => Ok(DryRun::Client),
            Some("server") => Ok(DryRun::Server),
            Some("unchanged") => Err("--dry-run flag without a value was specified. A value must be set: \"none\", \
                                      \"server\", or \"client\"."
                .to_owned()),
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

    /// Says what became of an object: `job.batch/x created`, or the object itself with `-o`.
    ///
    /// # Errors
    /// The format is none, in kubectl's words.
    pub fn tell(&mut self, object: &Value, how: &str, dry_run: DryRun) -> Result<(), String> {
        let text = told(object, &format!("{how}{}", dry_run.suffix()), self.parsed.text("output"))?;
        self.io.out(&text);
        Ok(())
    }

    /// Reads `--validate`.
    pub fn validation(&self) -> FieldValidation {
        match self.parsed.text("validate") {
            Some("warn") => FieldValidation::Warn,
            Some("ignore" | "false") => FieldValidation::Ignore,
            _ => FieldValidation::Strict,
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

/// `job.batch/x`
pub fn name_of(object: &Value) -> String {
    let kind = object.str_at("kind").unwrap_or_default().to_ascii_lowercase();
    let group = object.str_at("apiVersion").unwrap_or_default().split_once('/').map(|(group, _)| format!(".{group}"));
    format!("{kind}{}/{}", group.unwrap_or_default(), object.str_at("metadata.name").unwrap_or_default())
}

/// The line about a written object, or the object in a format of `-o`.
///
/// # Errors
/// The format is none, in kubectl's words.
pub fn told(object: &Value, how: &str, format: Option<&str>) -> Result<String, String> {
    match format {
        None | Some("") => Ok(line(object, how)),
        Some(format) => formatted(object, format, None),
    }
}

/// `job.batch/one created`
pub fn line(object: &Value, how: &str) -> String {
    format!("{} {how}\n", name_of(object))
}

/// The object in a format of `-o`.
fn formatted(object: &Value, format: &str, template: Option<&str>) -> Result<String, String> {
    let read = |path: &str| Err(format!("open {path}: no such file or directory"));
    match Format::parse(format, template, read)? {
        Format::Name => Ok(format!("{}\n", name_of(object))),
        Format::Table { .. } | Format::CustomColumns(_) => Err(format!(
            "unable to match a printer suitable for the output format \"{format}\", allowed formats are: \
             go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml"
        )),
        format => format.print(object),
    }
}
