//! What each of helm's commands does before time passes: reading the chart, looking at the releases, and either printing
//! or starting an [`Operation`].
//!
//! Source: `helm/cmd/helm/*.go`, `helm/pkg/action`.

use super::action::{Doing, Operation, Options};
use super::chart::{self, Chart};
use super::functions::{self, Helm};
use super::release::{self, Release};
use super::render::{self, Facts};
use super::{Call, Next, VERSION, chart_values, objects, print};
use shell::host::resolve;
use values::duration::GoDuration;
use values::time::Span;
use values::value::Value;

/// `--timeout`
const TIMEOUT: Span = Span::secs(300);
/// Longest name of a release.
const NAME_MAX: usize = 53;

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
                chart_values::lay_over(&mut config, &chart_values::as_go(&read));
            }
        }
        // The commas at which the flag was cut are the commas of its own language.
        for (name, strings) in [("set", false), ("set-string", true)] {
            let line = self.parsed.list(name).join(",");
            chart_values::set(&mut config, &line, strings)
                .map_err(|error| format!("failed parsing --{name} data: {error}"))?;
        }
        Ok(config)
    }

    fn functions(&self) -> Helm {
        Helm { now: self.desk.cluster.now(), rng: self.desk.cluster.rng() }
    }

    /// Renders the chart as a revision that is not in the cluster yet.
    fn release(&self, chart: &Chart, config: Value, facts: &Facts, status: &str) -> Result<Release, String> {
        let values = chart_values::coalesce(&chart.values, &config);
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
    let part =
        |part: &str| part.starts_with(letter) && part.ends_with(letter) && part.chars().all(|c| letter(c) || c == '-');
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

pub(super) fn install(call: &mut Call<'_, '_>) -> Result<Next, String> {
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

pub(super) fn upgrade(call: &mut Call<'_, '_>) -> Result<Next, String> {
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
    let Some(current) = current.or(Some(last).filter(|last| matches!(last.status.as_str(), "failed" | "superseded")))
    else {
        return Err(format!("\"{name}\" has no deployed releases"));
    };
    let (chart, mut config) = (call.chart(&chart)?, call.config()?);
    let reuses = call.parsed.on("reuse-values") || config.is_empty() && !call.parsed.on("reset-values");
    if reuses {
        let mut kept = current.config.clone();
        chart_values::lay_over(&mut kept, &config);
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

pub(super) fn rollback(call: &mut Call<'_, '_>) -> Result<Next, String> {
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

pub(super) fn uninstall(call: &mut Call<'_, '_>) -> Result<Next, String> {
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

pub(super) fn template(call: &mut Call<'_, '_>) -> Result<Next, String> {
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

pub(super) fn list(call: &mut Call<'_, '_>) -> Result<Next, String> {
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

pub(super) fn status(call: &mut Call<'_, '_>) -> Result<Next, String> {
    let release = asked(call, &call.parsed.args[0])?;
    call.io.out(&print::status(&release, true));
    Ok(Next::Done)
}

pub(super) fn history(call: &mut Call<'_, '_>) -> Result<Next, String> {
    let all = release::history(call.desk.cluster, &call.namespace(), &call.parsed.args[0]);
    if all.is_empty() {
        return Err("release: not found".to_owned());
    }
    let max = call.parsed.text("max").and_then(|text| text.parse::<usize>().ok()).unwrap_or(256);
    call.io.out(&print::history(&all[all.len().saturating_sub(max)..]));
    Ok(Next::Done)
}

pub(super) fn get(call: &mut Call<'_, '_>) -> Result<Next, String> {
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
            let text = if values.is_empty() && !all { "null\n".to_owned() } else { yaml::emit(&values) };
            format!("{heading}\n{text}")
        }
    };
    call.io.out(&text);
    Ok(Next::Done)
}

pub(super) fn version(call: &mut Call<'_, '_>) -> Result<Next, String> {
    let text = match call.parsed.on("short") {
        true => format!("{VERSION}\n"),
        false => format!("version.BuildInfo{{Version:\"{VERSION}\", GitTreeState:\"clean\"}}\n"),
    };
    call.io.out(&text);
    Ok(Next::Done)
}
