//! helm: the part of Helm 3 that one-time Jobs around a release need.
//!
//! `install`, `upgrade`, `rollback`, `uninstall`, `template`, `list`, `status`, `history`, `get`, `version`, over a chart
//! kept as files of the terminal. Words and order are those of Helm v3.22.0 (recording `helm-hooks`). Not there:
//! repositories, charts inside charts, `test`, `lint`, schemas, CRDs.

mod action;
mod chart;
mod functions;
mod objects;
mod print;
mod release;
mod render;
#[cfg(test)]
mod tests;
mod values;

use crate::base::duration::GoDuration;
use crate::base::time::{SimTime, Span};
use crate::base::value::Value;
use crate::shell::host::resolve;
use crate::shell::{Io, Poll};
use crate::terminal::command::Args;
use crate::terminal::host::Desk;
use crate::terminal::kubectl::flags::{self, Flag, Parsed, Takes, flag};
use action::{Doing, Operation, Options, Progress};
use chart::Chart;
use functions::Helm;
use release::Release;
use render::Facts;

pub const VERSION: &str = "v3.22.0";

/// Until the program runs and has asked the API server what it knows (recorded: 60 to 90 ms, and 230 ms with templates).
const READ_MS: i64 = 70;
const RENDER_MS: i64 = 230;
/// `--timeout`
const TIMEOUT: Span = Span::secs(300);
/// Longest name of a release.
const NAME_MAX: usize = 53;

/// A command of helm.
struct Verb {
    name: &'static str,
    aliases: &'static [&'static str],
    usage: &'static str,
    summary: &'static str,
    flags: &'static [Flag],
    /// The fewest arguments; the most.
    arguments: (usize, usize),
    starts_in_ms: i64,
    /// Set before an error: `INSTALLATION FAILED: `.
    failed: &'static str,
    run: fn(&mut Call<'_, '_>) -> Result<Next, String>,
}

const SET: Flag = flag("set", Takes::List, "Values on the command line: a.b=1,c=x");
const SET_STRING: Flag = flag("set-string", Takes::List, "The same, but values stay texts");
const VALUES: Flag = flag("values", Takes::List, "Files of values").short('f');
const NO_HOOKS: Flag = flag("no-hooks", Takes::Nothing, "No hooks are run").default("false");
const TIMEOUT_FLAG: Flag = flag("timeout", Takes::Text, "How long to wait for one thing").default("5m0s");
const WAIT: Flag = flag("wait", Takes::Optional("true"), "Wait until the objects are ready").default("false");
const WAIT_FOR_JOBS: Flag = flag("wait-for-jobs", Takes::Nothing, "With --wait: wait for Jobs too").default("false");
const DRY_RUN: Flag = flag("dry-run", Takes::Optional("client"), "Only say what would be done");

const VERBS: &[Verb] = &[
    Verb {
        name: "install",
        aliases: &[],
        usage: "helm install [NAME] [CHART] [flags]",
        summary: "install a chart",
        flags: &[
            SET, SET_STRING, VALUES, NO_HOOKS, TIMEOUT_FLAG, WAIT, WAIT_FOR_JOBS, DRY_RUN,
            flag("generate-name", Takes::Nothing, "Make up the name").short('g'),
        ],
        arguments: (1, 2),
        starts_in_ms: RENDER_MS,
        failed: "INSTALLATION FAILED: ",
        run: install,
    },
    Verb {
        name: "upgrade",
        aliases: &[],
        usage: "helm upgrade [RELEASE] [CHART] [flags]",
        summary: "upgrade a release",
        flags: &[
            SET, SET_STRING, VALUES, NO_HOOKS, TIMEOUT_FLAG, WAIT, WAIT_FOR_JOBS, DRY_RUN,
            flag("install", Takes::Nothing, "Install the release if there is none").short('i'),
            flag("reuse-values", Takes::Nothing, "Keep the last release's values"),
            flag("reset-values", Takes::Nothing, "Forget the last release's values"),
        ],
        arguments: (2, 2),
        starts_in_ms: RENDER_MS,
        failed: "UPGRADE FAILED: ",
        run: upgrade,
    },
    Verb {
        name: "rollback",
        aliases: &[],
        usage: "helm rollback <RELEASE> [REVISION] [flags]",
        summary: "roll back a release to a previous revision",
        flags: &[NO_HOOKS, TIMEOUT_FLAG, WAIT, WAIT_FOR_JOBS, DRY_RUN],
        arguments: (1, 2),
        starts_in_ms: RENDER_MS,
        failed: "",
        run: rollback,
    },
    Verb {
        name: "uninstall",
        aliases: &["del", "delete", "un"],
        usage: "helm uninstall RELEASE_NAME [...] [flags]",
        summary: "uninstall a release",
        flags: &[
            NO_HOOKS, TIMEOUT_FLAG, WAIT, DRY_RUN,
            flag("keep-history", Takes::Nothing, "Keep the records of the release"),
            flag("ignore-not-found", Takes::Nothing, "A missing release is no error"),
        ],
        arguments: (1, 1),
        starts_in_ms: READ_MS,
        failed: "",
        run: uninstall,
    },
    Verb {
        name: "template",
        aliases: &[],
        usage: "helm template [NAME] [CHART] [flags]",
        summary: "locally render templates",
        flags: &[
            SET, SET_STRING, VALUES, NO_HOOKS,
            flag("is-upgrade", Takes::Nothing, "Set .Release.IsUpgrade"),
            flag("show-only", Takes::List, "Only these templates").short('s'),
        ],
        arguments: (1, 2),
        starts_in_ms: RENDER_MS,
        failed: "",
        run: template,
    },
    Verb {
        name: "list",
        aliases: &["ls"],
        usage: "helm list [flags]",
        summary: "list releases",
        flags: &[
            flag("all", Takes::Nothing, "Releases in every state").short('a'),
            flag("all-namespaces", Takes::Nothing, "Releases of all namespaces").short('A'),
            flag("short", Takes::Nothing, "Only the names").short('q'),
        ],
        arguments: (0, 0),
        starts_in_ms: READ_MS,
        failed: "",
        run: list,
    },
    Verb {
        name: "status",
        aliases: &[],
        usage: "helm status RELEASE_NAME [flags]",
        summary: "display the status of the named release",
        flags: &[flag("revision", Takes::Text, "The revision to show")],
        arguments: (1, 1),
        starts_in_ms: READ_MS,
        failed: "",
        run: status,
    },
    Verb {
        name: "history",
        aliases: &["hist"],
        usage: "helm history RELEASE_NAME [flags]",
        summary: "fetch release history",
        flags: &[flag("max", Takes::Text, "How many revisions to show").default("256")],
        arguments: (1, 1),
        starts_in_ms: READ_MS,
        failed: "",
        run: history,
    },
    Verb {
        name: "get",
        aliases: &[],
        usage: "helm get manifest|values|hooks|notes RELEASE_NAME [flags]",
        summary: "download extended information of a named release",
        flags: &[
            flag("revision", Takes::Text, "The revision to show"),
            flag("all", Takes::Nothing, "With values: the chart's too").short('a'),
        ],
        arguments: (2, 2),
        starts_in_ms: READ_MS,
        failed: "",
        run: get,
    },
    Verb {
        name: "version",
        aliases: &[],
        usage: "helm version [flags]",
        summary: "print the helm version information",
        flags: &[flag("short", Takes::Nothing, "Only the number")],
        arguments: (0, 0),
        starts_in_ms: 0,
        failed: "",
        run: version,
    },
];

const GLOBAL_FLAGS: &[Flag] = &[
    flag("namespace", Takes::Text, "The namespace of the release").short('n'),
    flag("help", Takes::Nothing, "Says how the command is used").short('h'),
    flag("debug", Takes::Nothing, "Say more"),
    flag("kube-context", Takes::Text, "The context of the configuration to use"),
];

/// One run of a verb.
struct Call<'a, 'b> {
    desk: &'a mut Desk<'b>,
    io: &'a mut Io,
    parsed: Parsed,
    cwd: &'a str,
}

/// What a verb's start came to.
enum Next {
    Done,
    Runs(Box<Operation>),
}

/// A helm that was started.
#[derive(Clone, Debug, Default)]
pub enum Task {
    #[default]
    New,
    /// The program starts and reads.
    Starts(SimTime),
    Runs(Box<Operation>),
}

impl Task {
    /// Goes on as far as it can without time passing.
    pub fn poll(&mut self, args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        loop {
            match self {
                Task::New => match ready(&args.argv) {
                    Ok(verb) => *self = Task::Starts(desk.cluster.now() + Span::ms(verb.starts_in_ms)),
                    Err((code, out, err)) => {
                        io.out(&out);
                        io.err(&err);
                        return Poll::Exit(code);
                    }
                },
                Task::Starts(at) if desk.cluster.now() < *at => return Poll::SleepUntil(*at),
                Task::Starts(_) => match start(args, desk, io) {
                    Ok(Next::Done) => return Poll::Exit(0),
                    Ok(Next::Runs(operation)) => *self = Task::Runs(operation),
                    Err(text) => return failed(&text, io),
                },
                Task::Runs(operation) => match operation.poll(desk.cluster) {
                    Progress::SleepUntil(at) | Progress::Waits(at) => return Poll::SleepUntil(at),
                    Progress::Done => {
                        tell(operation, io);
                        return Poll::Exit(0);
                    }
                    Progress::Failed(text) => {
                        let prefix = match operation.doing {
                            Doing::Install => "INSTALLATION FAILED: ",
                            Doing::Upgrade => "UPGRADE FAILED: ",
                            Doing::Rollback | Doing::Uninstall => "",
                        };
                        return failed(&format!("{prefix}{text}"), io);
                    }
                },
            }
        }
    }
}

fn failed(text: &str, io: &mut Io) -> Poll {
    io.err(&format!("Error: {text}\n"));
    Poll::Exit(1)
}

/// The verb of a command line, if it can be run; else exit code, output and errors.
fn ready(argv: &[String]) -> Result<&'static Verb, (i32, String, String)> {
    let Some(name) = argv.iter().find(|arg| !arg.starts_with('-')) else { return Err((0, help(), String::new())) };
    if name == "help" {
        return Err((0, help(), String::new()));
    }
    let Some(verb) = find(name) else {
        let text = format!("Error: unknown command \"{name}\" for \"helm\"\nRun 'helm --help' for usage.\n");
        return Err((1, String::new(), text));
    };
    match parse(argv, verb) {
        Err(message) => Err((1, String::new(), format!("Error: {message}\n"))),
        Ok(parsed) if parsed.on("help") => Err((0, help_of(verb), String::new())),
        Ok(parsed) => {
            let (least, most) = verb.arguments;
            let given = parsed.args.len();
            if given >= least && given <= most {
                return Ok(verb);
            }
            let want = match (least, most) {
                (0, 0) => "accepts no arguments".to_owned(),
                (least, most) if given < least && least != most => format!("requires at least {}", counted(least)),
                (least, most) if given > most && least != most => format!("accepts at most {}", counted(most)),
                (least, _) => format!("requires {}", counted(least)),
            };
            let text = format!("Error: \"helm {}\" {want}\n\nUsage:  {}\n", verb.name, verb.usage);
            Err((1, String::new(), text))
        }
    }
}

fn counted(count: usize) -> String {
    format!("{count} argument{}", if count == 1 { "" } else { "s" })
}

fn find(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name || verb.aliases.contains(&name))
}

fn parse(argv: &[String], verb: &Verb) -> Result<Parsed, String> {
    let mut rest = argv.to_vec();
    if let Some(i) = rest.iter().position(|arg| arg == verb.name || verb.aliases.contains(&arg.as_str())) {
        rest.remove(i);
    }
    flags::parse(&rest, &[verb.flags, GLOBAL_FLAGS])
}

fn help() -> String {
    let rows: String = VERBS.iter().map(|verb| format!("  {:11} {}\n", verb.name, verb.summary)).collect();
    format!("The Kubernetes package manager\n\nUsage:\n  helm [command]\n\nAvailable Commands:\n{rows}")
}

fn help_of(verb: &Verb) -> String {
    let row = |flag: &Flag| {
        let short = flag.short.map_or("    ".to_owned(), |short| format!("-{short}, "));
        format!("  {short}--{:20} {}\n", flag.name, flag.help)
    };
    let rows: String = verb.flags.iter().chain(GLOBAL_FLAGS).map(row).collect();
    format!("{}\n\nUsage:\n  {}\n\nFlags:\n{rows}", verb.summary, verb.usage)
}

/// Names of all verbs, for completion.
pub fn verbs() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|verb| verb.name)
}

fn start(args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Result<Next, String> {
    let verb = args.argv.iter().find(|arg| !arg.starts_with('-')).and_then(|name| find(name));
    let Some(verb) = verb else { return Ok(Next::Done) };
    let parsed = parse(&args.argv, verb)?;
    let mut call = Call { desk, io, parsed, cwd: &args.cwd };
    (verb.run)(&mut call).map_err(|text| format!("{}{text}", verb.failed))
}

/// What a finished operation prints.
fn tell(operation: &Operation, io: &mut Io) {
    let release = &operation.release;
    match operation.doing {
        Doing::Install => io.out(&print::status(release, true)),
        Doing::Upgrade => {
            io.out(&format!("Release \"{}\" has been upgraded. Happy Helming!\n", release.name));
            io.out(&print::status(release, true));
        }
        Doing::Rollback => io.out("Rollback was a success! Happy Helming!\n"),
        Doing::Uninstall => {
            if !operation.kept.is_empty() {
                let kept: String = operation.kept.iter().map(|key| format!("[{}] {}\n", key.kind, key.name)).collect();
                io.out(&format!("These resources were kept due to the resource policy:\n{kept}\n"));
            }
            io.out(&format!("release \"{}\" uninstalled\n", release.name));
        }
    }
}

impl Call<'_, '_> {
    fn namespace(&self) -> String {
        self.parsed.text("namespace").unwrap_or("default").to_owned()
    }

    fn options(&self) -> Result<Options, String> {
        let timeout = match self.parsed.text("timeout") {
            None => TIMEOUT,
            Some(text) => text
                .parse::<GoDuration>()
                .map_err(|error| format!("invalid argument \"{text}\" for \"--timeout\" flag: {error}"))?
                .to_span(),
        };
        let wait_for_jobs = self.parsed.on("wait-for-jobs");
        let wait = self.parsed.text("wait").is_some_and(|wait| wait != "false") || wait_for_jobs;
        let keep_history = self.parsed.on("keep-history");
        Ok(Options { hooks: !self.parsed.on("no-hooks"), wait, wait_for_jobs, keep_history, timeout })
    }

    fn is_dry(&self) -> bool {
        self.parsed.text("dry-run").is_some_and(|how| !matches!(how, "none" | "false"))
    }

    fn chart(&self, shown: &str) -> Result<Chart, String> {
        let path = resolve(self.cwd, shown);
        Chart::load(self.desk.files, &path, shown)
    }

    /// What the user set: files first, then `--set`.
    fn config(&self) -> Result<Value, String> {
        let mut config = Value::map();
        for file in self.parsed.list("values") {
            let bytes = self.desk.files.read(&resolve(self.cwd, file));
            let bytes = bytes.map_err(|_| format!("open {file}: no such file or directory"))?;
            let text = String::from_utf8_lossy(&bytes);
            let read = chart::read_yaml(&text, &format!("failed to parse {file}"))?;
            if !read.is_null() {
                values::lay_over(&mut config, &values::as_go(&read));
            }
        }
        // The commas at which the flag was cut are the commas of its own language.
        for (name, strings) in [("set", false), ("set-string", true)] {
            let line = self.parsed.list(name).join(",");
            values::set(&mut config, &line, strings).map_err(|error| format!("failed parsing --{name} data: {error}"))?;
        }
        Ok(config)
    }

    fn functions(&self) -> Helm {
        Helm { now: self.desk.cluster.now(), rng: self.desk.cluster.rng() }
    }

    /// Renders the chart as a revision that is not in the cluster yet.
    fn release(&self, chart: &Chart, config: Value, facts: &Facts, status: &str) -> Result<Release, String> {
        let values = values::coalesce(&chart.values, &config);
        let rendered = render::render(chart, &values, facts, &self.functions())?;
        let cluster = &self.desk.cluster;
        let draw = format!("{}/{}/{}", facts.namespace, facts.name, facts.revision);
        Ok(Release {
            name: facts.name.clone(),
            namespace: facts.namespace.clone(),
            revision: facts.revision,
            status: status.to_owned(),
            description: if facts.is_upgrade { "Preparing upgrade" } else { "Initial install underway" }.to_owned(),
            deployed_ms: cluster.now().millis(),
            deployed_ns: cluster.rng().between("helm-updated", &draw, 1, 999_999),
            chart: chart.name().to_owned(),
            chart_version: chart.version().to_owned(),
            app_version: chart.app_version(),
            manifest: rendered.manifest,
            hooks: rendered.hooks,
            notes: rendered.notes,
            config,
            values,
        })
    }

    /// Name and chart of a command that makes up the name if it is told to.
    fn name_and_chart(&self, default: Option<&str>) -> Result<(String, String), String> {
        match (self.parsed.args.as_slice(), default) {
            ([chart], _) if self.parsed.on("generate-name") => {
                let base = chart.rsplit('/').next().unwrap_or_default();
                Ok((format!("{base}-{}", self.desk.cluster.now().secs()), chart.clone()))
            }
            ([chart], Some(default)) => Ok((default.to_owned(), chart.clone())),
            ([name, chart], _) => Ok((name.clone(), chart.clone())),
            _ => Err("must either provide a name or specify --generate-name".to_owned()),
        }
    }

    fn dry(&mut self, release: &Release) -> Next {
        let mut shown = Release { status: "pending-install".to_owned(), ..release.clone() };
        shown.notes.clear();
        self.io.out(&print::status(&shown, true));
        self.io.out(&format!("HOOKS:\n{}MANIFEST:\n{}", hooks_of(release), release.manifest));
        if !release.notes.trim().is_empty() {
            self.io.out(&format!("\nNOTES:\n{}\n", release.notes.trim()));
        }
        Next::Done
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |part: &str| {
        part.starts_with(letter) && part.ends_with(letter) && part.chars().all(|c| letter(c) || c == '-')
    };
    if name.len() <= NAME_MAX && name.split('.').all(part) {
        return Ok(());
    }
    Err(format!(
        "invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the \
         length must not be longer than {NAME_MAX}"
    ))
}

fn hooks_of(release: &Release) -> String {
    release.hooks.iter().map(|hook| format!("---\n# Source: {}\n{}\n", hook.path, hook.manifest)).collect()
}

fn install(call: &mut Call<'_, '_>) -> Result<Next, String> {
    let (name, chart) = call.name_and_chart(None)?;
    install_as(call, &name, &chart)
}

fn install_as(call: &mut Call<'_, '_>, name: &str, chart: &str) -> Result<Next, String> {
    let options = call.options()?;
    let (chart, config) = (call.chart(chart)?, call.config()?);
    check_name(name)?;
    let namespace = call.namespace();
    if !release::history(call.desk.cluster, &namespace, name).is_empty() {
        return Err("cannot re-use a name that is still in use".to_owned());
    }
    let facts = Facts { name: name.to_owned(), namespace, revision: 1, is_upgrade: false };
    let release = call.release(&chart, config, &facts, "pending-install")?;
    let wanted = objects::build(&release.manifest, &release.namespace)
        .map_err(|why| format!("unable to build kubernetes objects from release manifest: {why}"))?;
    objects::check_free(call.desk.cluster, &wanted, &release)
        .map_err(|why| format!("Unable to continue with install: {why}"))?;
    if call.is_dry() {
        return Ok(call.dry(&release));
    }
    let operation = Operation::start(Doing::Install, release, None, options, call.desk.cluster);
    Ok(Next::Runs(Box::new(operation)))
}

fn upgrade(call: &mut Call<'_, '_>) -> Result<Next, String> {
    let (name, chart) = (call.parsed.args[0].clone(), call.parsed.args[1].clone());
    let namespace = call.namespace();
    let history = release::history(call.desk.cluster, &namespace, &name);
    let Some(last) = history.last() else {
        if call.parsed.on("install") {
            call.io.out(&format!("Release \"{name}\" does not exist. Installing it now.\n"));
            return install_as(call, &name, &chart);
        }
        return Err(format!("\"{name}\" has no deployed releases"));
    };
    let options = call.options()?;
    if last.status.starts_with("pending") {
        return Err("another operation (install/upgrade/rollback) is in progress".to_owned());
    }
    let current = history.iter().rev().find(|release| release.status == "deployed");
    let Some(current) = current.or(Some(last).filter(|last| matches!(last.status.as_str(), "failed" | "superseded"))) else {
        return Err(format!("\"{name}\" has no deployed releases"));
    };
    let (chart, mut config) = (call.chart(&chart)?, call.config()?);
    let reuses = call.parsed.on("reuse-values") || config.is_empty() && !call.parsed.on("reset-values");
    if reuses {
        let mut kept = current.config.clone();
        values::lay_over(&mut kept, &config);
        config = kept;
    }
    let facts = Facts { name, namespace, revision: last.revision + 1, is_upgrade: true };
    let release = call.release(&chart, config, &facts, "pending-upgrade")?;
    let wanted = objects::build(&release.manifest, &release.namespace)
        .map_err(|why| format!("unable to build kubernetes objects from new release manifest: {why}"))?;
    let before = objects::build(&current.manifest, &current.namespace).unwrap_or_default();
    let new: Vec<_> = wanted.into_iter().filter(|w| before.iter().all(|old| old.key != w.key)).collect();
    objects::check_free(call.desk.cluster, &new, &release)
        .map_err(|why| format!("Unable to continue with update: {why}"))?;
    if call.is_dry() {
        return Ok(call.dry(&release));
    }
    let operation = Operation::start(Doing::Upgrade, release, Some(current.clone()), options, call.desk.cluster);
    Ok(Next::Runs(Box::new(operation)))
}

fn rollback(call: &mut Call<'_, '_>) -> Result<Next, String> {
    let (name, namespace, options) = (call.parsed.args[0].clone(), call.namespace(), call.options()?);
    let history = release::history(call.desk.cluster, &namespace, &name);
    let Some(last) = history.last() else { return Err("release: not found".to_owned()) };
    let wants = match call.parsed.args.get(1) {
        None => last.revision - 1,
        Some(text) => match text.parse::<i64>() {
            Ok(0) => last.revision - 1,
            Ok(revision) if revision > 0 => revision,
            Ok(_) => return Err("invalid release revision".to_owned()),
            Err(_) => {
                let why = format!("strconv.Atoi: parsing \"{text}\": invalid syntax");
                return Err(format!("could not convert revision to a number: {why}"));
            }
        },
    };
    let Some(target) = history.iter().find(|release| release.revision == wants) else {
        return Err(format!("release has no {wants} version"));
    };
    let now = call.desk.cluster.now();
    let draw = format!("{namespace}/{name}/{}", last.revision + 1);
    let release = Release {
        revision: last.revision + 1,
        status: "pending-rollback".to_owned(),
        description: format!("Rollback to {wants}"),
        deployed_ms: now.millis(),
        deployed_ns: call.desk.cluster.rng().between("helm-updated", &draw, 1, 999_999),
        ..target.clone()
    };
    if call.is_dry() {
        call.io.out("Rollback was a success! Happy Helming!\n");
        return Ok(Next::Done);
    }
    let operation = Operation::start(Doing::Rollback, release, Some(last.clone()), options, call.desk.cluster);
    Ok(Next::Runs(Box::new(operation)))
}

fn uninstall(call: &mut Call<'_, '_>) -> Result<Next, String> {
    let (name, namespace, options) = (call.parsed.args[0].clone(), call.namespace(), call.options()?);
    let history = release::history(call.desk.cluster, &namespace, &name);
    let Some(last) = history.last() else {
        if call.parsed.on("ignore-not-found") {
            return Ok(Next::Done);
        }
        return Err(format!("uninstall: Release not loaded: {name}: release: not found"));
    };
    if last.status == "uninstalled" && options.keep_history {
        return Err(format!("the release named \"{name}\" is already deleted"));
    }
    if call.is_dry() {
        call.io.out(&format!("release \"{name}\" uninstalled\n"));
        return Ok(Next::Done);
    }
    if last.status == "uninstalled" {
        history.iter().for_each(|release| release.purge(call.desk.cluster));
        call.io.out(&format!("release \"{name}\" uninstalled\n"));
        return Ok(Next::Done);
    }
    let release = Release { status: "uninstalling".to_owned(), ..last.clone() };
    let operation = Operation::start(Doing::Uninstall, release, None, options, call.desk.cluster);
    Ok(Next::Runs(Box::new(operation)))
}

fn template(call: &mut Call<'_, '_>) -> Result<Next, String> {
    let (name, chart) = call.name_and_chart(Some("release-name"))?;
    let (chart, config) = (call.chart(&chart)?, call.config()?);
    check_name(&name)?;
    let is_upgrade = call.parsed.on("is-upgrade");
    let facts = Facts { name, namespace: call.namespace(), revision: 1, is_upgrade };
    let debug = |why: String| match why.starts_with("YAML parse error") {
        true => format!("{why}\n\nUse --debug flag to render out invalid YAML"),
        false => why,
    };
    let release = call.release(&chart, config, &facts, "pending-install").map_err(debug)?;
    let mut text = release.manifest.clone();
    if !call.parsed.on("no-hooks") {
        text.push_str(&hooks_of(&release));
    }
    for wanted in call.parsed.list("show-only") {
        let path = format!("# Source: {}/{}\n", chart.name(), wanted.trim_start_matches("./"));
        if !text.contains(&path) {
            return Err(format!("could not find template {wanted} in chart"));
        }
    }
    if call.parsed.is_set("show-only") {
        let shown = |piece: &&str| {
            call.parsed.list("show-only").iter().any(|file| {
                piece.starts_with(&format!("# Source: {}/{}\n", chart.name(), file.trim_start_matches("./")))
            })
        };
        text = text.split("---\n").filter(shown).map(|piece| format!("---\n{piece}")).collect();
    }
    call.io.out(&text);
    Ok(Next::Done)
}

fn list(call: &mut Call<'_, '_>) -> Result<Next, String> {
    let namespace = call.namespace();
    let all = release::all(call.desk.cluster, Some(namespace.as_str()).filter(|_| !call.parsed.on("all-namespaces")));
    let mut latest: Vec<Release> = Vec::new();
    for release in all {
        latest.retain(|known| (&known.name, &known.namespace) != (&release.name, &release.namespace));
        latest.push(release);
    }
    let every = call.parsed.on("all");
    latest.retain(|release| every || matches!(release.status.as_str(), "deployed" | "failed"));
    let text = match call.parsed.on("short") {
        true => latest.iter().map(|release| format!("{}\n", release.name)).collect(),
        false => print::list(&latest),
    };
    call.io.out(&text);
    Ok(Next::Done)
}

/// The revision that was asked for, or the last.
fn asked(call: &Call<'_, '_>, name: &str) -> Result<Release, String> {
    let history = release::history(call.desk.cluster, &call.namespace(), name);
    let wants = call.parsed.text("revision").and_then(|text| text.parse::<i64>().ok());
    let found = history.into_iter().rev().find(|release| wants.is_none_or(|wants| release.revision == wants));
    found.ok_or_else(|| "release: not found".to_owned())
}

fn status(call: &mut Call<'_, '_>) -> Result<Next, String> {
    let release = asked(call, &call.parsed.args[0])?;
    call.io.out(&print::status(&release, true));
    Ok(Next::Done)
}

fn history(call: &mut Call<'_, '_>) -> Result<Next, String> {
    let all = release::history(call.desk.cluster, &call.namespace(), &call.parsed.args[0]);
    if all.is_empty() {
        return Err("release: not found".to_owned());
    }
    let max = call.parsed.text("max").and_then(|text| text.parse::<usize>().ok()).unwrap_or(256);
    call.io.out(&print::history(&all[all.len().saturating_sub(max)..]));
    Ok(Next::Done)
}

fn get(call: &mut Call<'_, '_>) -> Result<Next, String> {
    let what = call.parsed.args[0].clone();
    let known = ["manifest", "values", "hooks", "notes"];
    if !known.contains(&what.as_str()) {
        return Err(format!("unknown command \"{what}\" for \"helm get\"\nRun 'helm get --help' for usage."));
    }
    let release = asked(call, &call.parsed.args[1])?;
    let text = match what.as_str() {
        "manifest" => format!("{}\n", release.manifest),
        "hooks" => hooks_of(&release),
        "notes" if release.notes.trim().is_empty() => String::new(),
        "notes" => format!("NOTES:\n{}\n", release.notes.trim()),
        _ => {
            let all = call.parsed.on("all");
            let values = functions::whole_numbers(if all { &release.values } else { &release.config });
            let heading = if all { "COMPUTED VALUES:" } else { "USER-SUPPLIED VALUES:" };
            let text = if values.is_empty() && !all { "null\n".to_owned() } else { crate::yaml::emit(&values) };
            format!("{heading}\n{text}")
        }
    };
    call.io.out(&text);
    Ok(Next::Done)
}

fn version(call: &mut Call<'_, '_>) -> Result<Next, String> {
    let text = match call.parsed.on("short") {
        true => format!("{VERSION}\n"),
        false => format!("version.BuildInfo{{Version:\"{VERSION}\", GitTreeState:\"clean\"}}\n"),
    };
    call.io.out(&text);
    Ok(Next::Done)
}
