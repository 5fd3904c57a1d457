//! The scenario: one file format for tests, lessons, share links and the recorder of the real cluster.
//!
//! Rules: `docs/scenario.md`. A scenario is data; reading one never touches the clock or a file.

use std::fmt::Write as _;

use crate::input::{self, Input, KEYS};
use crate::reading::{Fields, Wrong, read_span, write_span};
use cluster::{NodeSpec, Routing, Setup};
use values::sort::sort_by_key;
use values::time::{SimTime, Span};
use values::value::Value;
use yaml::{self, Diagnostic, Severity, TextRange};

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

/// One thing that is done from outside.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Since the start.
    pub at: Span,
    /// None: not before `at` and not before the command before it has ended, as the recorder of the real cluster does it.
    ///
    /// Some: exactly at `at`, when so many things have happened in that millisecond, whatever runs then. That is how what
    /// someone did is written down, so that it meets the same moment again. If less happens, it is done after that.
    pub after: Option<u32>,
    pub input: Input,
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
            setup: Setup {
                nodes: vec![node("node-1"), node("node-2")],
                routing: Routing::Random,
                kubernetes_service: true,
                storage_class: true,
            },
            steps: Vec::new(),
            duration: Span::mins(10),
        }
    }
}

impl Scenario {
    /// As a scenario file; [`Scenario::parse`] reads it back as it was.
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        let mut put = |key: &str, value: Value| text.push_str(&entry(key, value));
        put("name", self.name.as_str().into());
        for (key, value) in [("title", &self.title), ("about", &self.about)] {
            if !value.is_empty() {
                put(key, value.as_str().into());
            }
        }
        let to_the_second = self.start.millis() % 1000 == 0;
        put("start", if to_the_second { self.start.rfc3339() } else { self.start.rfc3339_micro() }.into());
        put("seed", i64::try_from(self.seed).map_or_else(|_| self.seed.to_string().into(), Value::Int));
        let nodes = Value::list(self.setup.nodes.iter().map(input::write_node));
        let mut cluster = Value::map();
        cluster.set("nodes", nodes);
        if self.setup.routing == Routing::First {
            cluster.set("serviceRouting", "first");
        }
        let usual = self.setup.routing == Routing::Random;
        for (key, has) in
            [("kubernetesService", self.setup.kubernetes_service), ("storageClass", self.setup.storage_class)]
        {
            if has != usual {
                cluster.set(key, has);
            }
        }
        put("cluster", cluster);
        text.push_str(if self.steps.is_empty() { "steps: []\n" } else { "steps:\n" });
        let mut opened = 0;
        for step in &self.steps {
            let _ = writeln!(text, "- at: {}", write_span(step.at));
            if let Some(count) = step.after {
                let _ = writeln!(text, "  after: {count}");
            }
            let (key, value) = step.input.write(opened);
            for line in entry(key, value).split_inclusive('\n') {
                text.push_str(if line == "\n" { "" } else { "  " });
                text.push_str(line);
            }
            opened += u64::from(step.input == Input::OpenTerminal);
        }
        text.push_str(&entry("duration", write_span(self.duration).into()));
        text
    }

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

/// `key: value` as a document of its own.
fn entry(key: &str, value: Value) -> String {
    let mut map = Value::map();
    map.put(key, value);
    yaml::emit(&map)
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
        let steps = self.steps(value.at("steps"));
        Scenario {
            name: self.text(value, "name").unwrap_or(default.name),
            title: self.text(value, "title").unwrap_or_default(),
            about: self.text(value, "about").unwrap_or_default(),
            start: self.start(value).unwrap_or(default.start),
            seed: self.seed(value.at("seed")).unwrap_or(default.seed),
            setup: self.setup(value.at("cluster"), default.setup),
            duration: self.duration(value, &steps).unwrap_or(default.duration),
            steps,
        }
    }

    fn text(&mut self, value: &Value, key: &str) -> Option<String> {
        match value.at(key) {
            Value::Null => None,
            value => self.take(Fields::word(value, &format!("`{key}` is a text")), key),
        }
    }

    /// Seeds beyond what YAML has as a number are written as text.
    fn seed(&mut self, value: &Value) -> Option<u64> {
        let seed = match value {
            Value::Null => return None,
            Value::Int(seed) => u64::try_from(*seed).ok(),
            Value::Str(text) => text.parse().ok(),
            _ => None,
        };
        if seed.is_none() {
            self.problem("seed", "`seed` is a whole number from 0 up");
        }
        seed
    }

    /// What was read, or a note of what is wrong with it.
    fn take<T>(&mut self, read: Result<T, Wrong>, path: &str) -> Option<T> {
        read.map_err(|wrong| {
            let wrong = wrong.under(path);
            match wrong.is_key {
                true => self.problem_of_key(&wrong.path, &wrong.message),
                false => self.problem(&wrong.path, &wrong.message),
            }
        })
        .ok()
    }

    fn start(&mut self, value: &Value) -> Option<SimTime> {
        let start = match value.at("start") {
            Value::Null => return None,
            value => value.as_str().and_then(SimTime::parse_rfc3339),
        };
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
        self.only(value, "cluster", &["nodes", "serviceRouting", "kubernetesService", "storageClass"]);
        let routing = match value.str_at("serviceRouting") {
            None | Some("random") => Routing::Random,
            Some("first") => Routing::First,
            Some(_) => {
                self.problem("cluster.serviceRouting", "`serviceRouting` is `random` or `first`");
                Routing::Random
            }
        };
        let nodes = match value.at("nodes") {
            Value::Null => default.nodes,
            Value::List(nodes) => {
                let read = |(i, node): (usize, &Value)| self.node(node, i);
                nodes.iter().enumerate().filter_map(read).collect()
            }
            _ => {
                self.problem("cluster.nodes", "`nodes` is a list");
                default.nodes
            }
        };
        for (i, node) in nodes.iter().enumerate() {
            if nodes[..i].iter().any(|other| other.name == node.name) {
                self.problem(&format!("cluster.nodes[{i}].name"), &format!("there is a node {} already", node.name));
            }
        }
        // The recorded clusters say `first`, and were bare.
        let has = |key: &str| value.bool_at(key).unwrap_or(routing == Routing::Random);
        let (kubernetes_service, storage_class) = (has("kubernetesService"), has("storageClass"));
        Setup { nodes, routing, kubernetes_service, storage_class }
    }

    /// A machine of the set-up; those without a name are numbered.
    fn node(&mut self, value: &Value, index: usize) -> Option<NodeSpec> {
        let mut value = value.clone();
        if value.as_map().is_some_and(|map| !map.contains_key("name")) {
            value.set("name", format!("node-{}", index + 1));
        }
        self.take(input::read_node(&value), &format!("cluster.nodes[{index}]"))
    }

    /// The steps in the order of their times, with those of equal times as they stand.
    fn steps(&mut self, value: &Value) -> Vec<Step> {
        if !value.is_null() && value.as_list().is_none() {
            self.problem("steps", "`steps` is a list");
        }
        let steps = value.as_list().unwrap_or_default().iter().enumerate();
        let mut timed: Vec<(Span, usize, &Value)> = steps
            .filter_map(|(i, step)| Some((self.span(step.at("at"), &format!("steps[{i}].at"))?, i, step)))
            .collect();
        sort_by_key(&mut timed, |(at, _, _)| *at);
        let mut opened = 0;
        timed.into_iter().filter_map(|(at, i, step)| self.step(at, step, &format!("steps[{i}]"), &mut opened)).collect()
    }

    /// `opened` counts the terminals.
    fn step(&mut self, at: Span, value: &Value, path: &str, opened: &mut u64) -> Option<Step> {
        let known: Vec<&str> = ["at", "after"].into_iter().chain(KEYS).collect();
        self.only(value, path, &known);
        let mut said = value.as_map()?.iter().filter(|(key, _)| KEYS.contains(key));
        let (Some((key, what)), None) = (said.next(), said.next()) else {
            self.problem(path, &format!("a step has `at` and one of {}", KEYS.join(", ")));
            return None;
        };
        let after = match value.at("after") {
            Value::Null => None,
            count => match count.as_i64().and_then(|count| u32::try_from(count).ok()) {
                Some(count) => Some(count),
                None => {
                    self.problem(&format!("{path}.after"), "`after` is a whole number from 0 up");
                    None
                }
            },
        };
        let input = self.take(Input::read(key, what, *opened).map_err(|wrong| wrong.under(key)), path)?;
        *opened += u64::from(input == Input::OpenTerminal);
        Some(Step { at, after, input })
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
            self.problem_of_key(&place, &format!("`{key}` is not known here; there is {}", known.join(", ")));
        }
    }

    fn problem(&mut self, path: &str, message: &str) {
        self.problem_at(self.document.locate(path).span(), message);
    }

    /// What is wrong is the key itself, not what is said under it.
    fn problem_of_key(&mut self, path: &str, message: &str) {
        let location = self.document.locate(path);
        self.problem_at(location.key.unwrap_or(location.value), message);
    }

    fn problem_at(&mut self, span: TextRange, message: &str) {
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
        assert_eq!(scenario.steps[2].input, Input::Fault(crate::Fault::KillNode { node: "node-1".into() }));
        assert!(scenario.steps.iter().all(|step| step.after.is_none()));
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
