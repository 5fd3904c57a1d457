//! The scenario: one file format for tests, lessons, share links and the recorder of the real cluster.
//!
//! Rules: `docs/scenario.md`. A scenario is data; reading one never touches the clock or a file.

use crate::base::duration::GoDuration;
use crate::base::sort::sort_by_key;
use crate::base::time::{SimTime, Span};
use crate::base::value::Value;
use crate::cluster::{NodeSpec, Routing, Setup};
use crate::yaml::{self, Diagnostic, Severity};

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

/// Something that goes wrong from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The machine dies: its containers end and its kubelet is silent.
    KillNode {
        node: String,
    },
    /// The kubelet stops answering; its containers run on.
    FreezeNode {
        node: String,
    },
    /// The kubelet (or the machine) is back.
    ThawNode {
        node: String,
    },
    /// `kubectl drain`.
    Drain {
        node: String,
    },
    /// One container ends with this exit code, or is killed for its memory.
    KillContainer {
        pod: String,
        container: Option<String>,
        exit_code: i32,
        oom: bool,
    },
    /// The Pod is evicted through the API.
    EvictPod {
        pod: String,
    },
    /// Pulls of this image fail, or take longer, until a moment.
    FailPull {
        image: String,
        until: Option<Span>,
    },
    SlowPull {
        image: String,
        seconds: i64,
        until: Option<Span>,
    },
    /// A controller, or `kube-scheduler`, does nothing for a while.
    StopController {
        name: String,
        until: Option<Span>,
    },
    /// Every API call takes longer.
    SlowApi {
        delay_ms: i64,
        until: Option<Span>,
    },
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
        let whole = yaml::Span { line: 1, column: 1, end_line: 1, end_column: 1, ..yaml::Span::default() };
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

impl Fault {
    /// Reads `{kill-node: node-1}` and its like: one name, and further keys that belong to it.
    ///
    /// # Errors
    /// What is missing or unknown.
    pub fn read(value: &Value) -> Result<Fault, String> {
        const NAMES: &str = "kill-node, freeze-node, thaw-node, drain, kill-container, evict-pod, fail-pull, slow-pull, \
                             stop-controller, slow-api";
        let map = value.as_map().ok_or("a fault is a map such as {kill-node: node-1}")?;
        let word = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
        let until = match map.get("for") {
            None => None,
            Some(value) => Some(read_span(value).ok_or("`for` is a length of time such as 30s")?),
        };
        let fault = if let Some(node) = word("kill-node") {
            Fault::KillNode { node }
        } else if let Some(node) = word("freeze-node") {
            Fault::FreezeNode { node }
        } else if let Some(node) = word("thaw-node") {
            Fault::ThawNode { node }
        } else if let Some(node) = word("drain") {
            Fault::Drain { node }
        } else if let Some(pod) = word("kill-container") {
            let exit_code = map.get("exit-code").and_then(Value::as_i64).unwrap_or(137);
            let exit_code = i32::try_from(exit_code).map_err(|_| "`exit-code` is a number from 0 to 255")?;
            let oom = map.get("oom").and_then(Value::as_bool).unwrap_or(false);
            Fault::KillContainer { pod, container: word("container"), exit_code, oom }
        } else if let Some(pod) = word("evict-pod") {
            Fault::EvictPod { pod }
        } else if let Some(image) = word("fail-pull") {
            Fault::FailPull { image, until }
        } else if let Some(image) = word("slow-pull") {
            let seconds = map.get("seconds").and_then(Value::as_i64).unwrap_or(30);
            Fault::SlowPull { image, seconds, until }
        } else if let Some(name) = word("stop-controller") {
            Fault::StopController { name, until }
        } else if let Some(delay_ms) = map.get("slow-api").and_then(Value::as_i64) {
            Fault::SlowApi { delay_ms, until }
        } else {
            return Err(format!("this is no known fault; there is {NAMES}"));
        };
        Ok(fault)
    }
}

/// `12s`, `1.5s`, `250ms`, `2m`, `1h30m`, or a bare number of seconds.
fn read_span(value: &Value) -> Option<Span> {
    let text = match value {
        Value::Int(seconds) => return Some(Span::secs(*seconds)),
        Value::Float(seconds) if seconds.is_finite() => return Some(Span::ms((seconds * 1000.0).round() as i64)),
        Value::Str(text) => text,
        _ => return None,
    };
    text.parse::<GoDuration>().ok().map(GoDuration::to_span)
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
