//! The scenario: one file format for tests, lessons, share links and the recorder of the real cluster.
//!
//! Rules: `docs/scenario.md`. A scenario is data; reading one never touches the clock or a file.

use crate::fault::{Fault, read_span};
use cluster::{NodeSpec, Routing, Setup};
use values::sort::sort_by_key;
use values::time::{SimTime, Span};
use values::value::Value;
use yaml::{self, Diagnostic, Severity};

/// Where the virtual clock starts if the scenario does not say: 2026-11-21T08:00:00Z.
pub const DEFAULT_START: SimTime = SimTime::from_secs(1_795_248_000);

/// A cluster, what is done to it and when, and how long it is watched.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    pub name: String,
    pub title: String,
    pub about: String,
    /// The virtual wall clock at the start.
    pub start: SimTime,
    pub seed: u64,
    pub setup: Setup,
    /// In order of their times.
    pub steps: Vec<Step>,
    pub duration: Span,
}

/// One thing that is done at a time since the start.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    pub at: Span,
    pub action: StepAction,
}

#[derive(Clone, PartialEq, Debug)]
pub enum StepAction {
    /// Manifests, given to `kubectl apply -f -`.
    Apply(String),
    /// A line typed into a terminal.
    Run(String),
    Fault(Fault),
}

impl StepAction {
    /// What is done, in a few words.
    pub fn says(&self) -> String {
        match self {
            StepAction::Apply(_) => "apply".to_owned(),
            StepAction::Run(line) => line.clone(),
            StepAction::Fault(fault) => fault.says(),
        }
    }
}

impl Default for Scenario {
    /// Two nodes as on the page, nothing to do, ten minutes.
    fn default() -> Scenario {
        let node = |name: &str| NodeSpec { name: name.to_owned(), cpu: "2".to_owned(), memory: "24Gi".to_owned() };
        Scenario {
            name: "scenario".to_owned(),
            title: String::new(),
            about: String::new(),
            start: DEFAULT_START,
            seed: 1,
            setup: Setup { nodes: vec![node("node-1"), node("node-2")], routing: Routing::Random },
            steps: Vec::new(),
            duration: Span::mins(10),
        }
    }
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// What is wrong, each with its place.
    pub fn parse(text: &str, source: &str) -> Result<Scenario, Vec<Diagnostic>> {
        let parsed = yaml::parse(text, source);
        let errors: Vec<Diagnostic> =
            parsed.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let whole = yaml::TextRange { line: 1, column: 1, end_line: 1, end_column: 1, ..yaml::TextRange::default() };
        let Some(document) = parsed.documents.first() else {
            return Err(vec![Diagnostic::new(Severity::Error, "scenario", whole, "the scenario is empty")]);
        };
        let mut reader = Reader { document, problems: Vec::new() };
        let scenario = reader.scenario(&document.value());
        if reader.problems.is_empty() { Ok(scenario) } else { Err(reader.problems) }
    }
}

/// Reads the tree and collects what is wrong with it.
struct Reader<'d> {
    document: &'d yaml::Node,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn scenario(&mut self, value: &Value) -> Scenario {
        let default = Scenario::default();
        self.only(
            value,
            "",
            &["name", "title", "about", "start", "startSecond", "seed", "cluster", "steps", "duration"],
        );
        let text = |key: &str| value.str_at(key).unwrap_or_default().to_owned();
        let mut steps: Vec<Step> =
            value.list_at("steps").iter().enumerate().filter_map(|(i, step)| self.step(step, i)).collect();
        sort_by_key(&mut steps, |step| step.at);
        Scenario {
            name: value.str_at("name").unwrap_or("scenario").to_owned(),
            title: text("title"),
            about: text("about"),
            start: self.start(value).unwrap_or(default.start),
            seed: value.i64_at("seed").unwrap_or(1).unsigned_abs(),
            setup: self.setup(value.at("cluster"), default.setup),
            duration: self.duration(value, &steps).unwrap_or(default.duration),
            steps,
        }
    }

    fn start(&mut self, value: &Value) -> Option<SimTime> {
        let text = value.str_at("start")?;
        let start = SimTime::parse_rfc3339(text);
        if start.is_none() {
            self.problem("start", "`start` is a time such as 2026-11-21T08:00:00Z");
        }
        start
    }

    fn duration(&mut self, value: &Value, steps: &[Step]) -> Option<Span> {
        if value.at("duration").is_null() {
            return steps.last().map(|step| step.at + Span::mins(5));
        }
        self.span(value.at("duration"), "duration")
    }

    fn setup(&mut self, value: &Value, default: Setup) -> Setup {
        if value.is_null() {
            return default;
        }
        self.only(value, "cluster", &["nodes", "serviceRouting"]);
        let routing = match value.str_at("serviceRouting") {
            None | Some("random") => Routing::Random,
            Some("first") => Routing::First,
            Some(_) => {
                self.problem("cluster.serviceRouting", "`serviceRouting` is `random` or `first`");
                Routing::Random
            }
        };
        let node = |(i, node): (usize, &Value)| {
            let text = |key: &str| match node.at(key) {
                Value::Str(text) => Some(text.to_string()),
                Value::Int(number) => Some(number.to_string()),
                _ => None,
            };
            NodeSpec {
                name: text("name").unwrap_or_else(|| format!("node-{}", i + 1)),
                cpu: text("cpu").unwrap_or_else(|| "2".to_owned()),
                memory: text("memory").unwrap_or_else(|| "24Gi".to_owned()),
            }
        };
        let nodes: Vec<NodeSpec> = value.list_at("nodes").iter().enumerate().map(node).collect();
        Setup { nodes: if nodes.is_empty() { default.nodes } else { nodes }, routing }
    }

    fn step(&mut self, value: &Value, index: usize) -> Option<Step> {
        let path = format!("steps[{index}]");
        self.only(value, &path, &["at", "apply", "run", "fault"]);
        let at = self.span(value.at("at"), &format!("{path}.at"))?;
        let action = match (value.str_at("apply"), value.str_at("run"), value.at("fault")) {
            (Some(text), None, Value::Null) => StepAction::Apply(text.to_owned()),
            (None, Some(line), Value::Null) => StepAction::Run(line.to_owned()),
            (None, None, fault @ Value::Map(_)) => StepAction::Fault(self.fault(fault, &path)?),
            _ => {
                self.problem(&path, "a step has `at` and one of `apply`, `run` and `fault`");
                return None;
            }
        };
        Some(Step { at, action })
    }

    fn fault(&mut self, value: &Value, path: &str) -> Option<Fault> {
        match Fault::read(value) {
            Ok(fault) => Some(fault),
            Err(message) => {
                self.problem(&format!("{path}.fault"), &message);
                None
            }
        }
    }

    fn span(&mut self, value: &Value, path: &str) -> Option<Span> {
        let span = read_span(value);
        if span.is_none() {
            self.problem(path, "a length of time such as `12s`, `1.5s`, `2m` or `1h30m` is needed here");
        }
        span
    }

    fn only(&mut self, value: &Value, path: &str, known: &[&str]) {
        let Some(map) = value.as_map() else {
            self.problem(path, "a map is needed here");
            return;
        };
        for key in map.keys().filter(|key| !known.contains(key)) {
            let place = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            self.problem(&place, &format!("`{key}` is not known here; there is {}", known.join(", ")));
        }
    }

    fn problem(&mut self, path: &str, message: &str) {
        let span = self.document.locate(path).span();
        self.problems.push(Diagnostic::new(Severity::Error, "scenario", span, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_read_with_its_defaults() {
        let text = "name: x\nsteps:\n- {at: 1.5s, run: kubectl get jobs}\n- at: 0s\n  apply: |\n    kind: Job\n\
                    - {at: 30s, fault: {kill-node: node-1}}\nduration: 60s\n";
        let scenario = Scenario::parse(text, "x.yaml").unwrap();
        assert_eq!(scenario.setup.nodes.len(), 2);
        assert_eq!(scenario.duration, Span::secs(60));
        let times: Vec<i64> = scenario.steps.iter().map(|s| s.at.as_ms()).collect();
        assert_eq!(times, [0, 1500, 30_000]);
        assert_eq!(scenario.steps[2].action, StepAction::Fault(Fault::KillNode { node: "node-1".into() }));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let text = "name: x\nstepps: []\nsteps:\n- {at: soon, run: ls}\n- {at: 1s, fault: {explode: now}}\n";
        let problems = Scenario::parse(text, "x.yaml").unwrap_err();
        let lines: Vec<(u32, &str)> = problems.iter().map(|p| (p.span.line, p.message.as_str())).collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines.iter().any(|(line, text)| *line == 2 && text.contains("`stepps` is not known")));
        assert!(lines.iter().any(|(line, text)| *line == 4 && text.contains("length of time")));
        assert!(lines.iter().any(|(line, text)| *line == 5 && text.contains("no known fault")));
        assert!(Scenario::parse("", "x.yaml").is_err());
    }
}
