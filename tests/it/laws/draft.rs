//! A scenario in parts that can be left out one by one, and written down.

use std::fmt::Write as _;

use batchyard::run::Scenario;

/// What a random run is made of. Everything in it is text, so that what is kept is what was played.
#[derive(Clone, Debug)]
pub struct Draft {
    pub seed: u64,
    /// Flow maps: `{name: node-1, cpu: "1"}`.
    pub nodes: Vec<String>,
    pub steps: Vec<(i64, Action)>,
    pub duration_seconds: i64,
}

/// One step, at some milliseconds after the start.
#[derive(Clone, Debug)]
pub enum Action {
    /// One manifest.
    Apply(String),
    Run(String),
    /// A flow map: `{kill-node: node-1}`.
    Fault(String),
}

impl Draft {
    pub fn scenario(&self) -> Scenario {
        let text = self.yaml("");
        Scenario::parse(&text, "draft").unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
    }

    /// The scenario file; `about` says which law it broke.
    pub fn yaml(&self, about: &str) -> String {
        let mut text = String::from("name: law\n");
        if !about.is_empty() {
            let _ = writeln!(text, "about: {:?}", about.lines().next().unwrap_or_default());
        }
        let _ = writeln!(text, "seed: {}\ncluster:\n  nodes: [{}]\nsteps:", self.seed, self.nodes.join(", "));
        for (at, action) in &self.steps {
            let _ = match action {
                Action::Run(line) => writeln!(text, "- {{at: {at}ms, run: '{}'}}", line.replace('\'', "''")),
                Action::Fault(fault) => writeln!(text, "- {{at: {at}ms, fault: {fault}}}"),
                Action::Apply(manifest) => {
                    writeln!(text, "- at: {at}ms\n  apply: |\n    {}", manifest.trim_end().replace('\n', "\n    "))
                }
            };
        }
        let _ = writeln!(text, "duration: {}s", self.duration_seconds);
        text
    }

    /// The same with whatever can be left out left out, as long as it still is what `is_wanted` asks for.
    pub fn shrunk(&self, is_wanted: impl Fn(&Draft) -> bool) -> Draft {
        let mut best = self.clone();
        let mut again = true;
        while again {
            again = false;
            for i in (0..best.steps.len()).rev() {
                let mut smaller = best.clone();
                smaller.steps.remove(i);
                if is_wanted(&smaller) {
                    (best, again) = (smaller, true);
                }
            }
            for smaller in best.with_fewer_lines().into_iter().chain(best.with_fewer_nodes()) {
                if is_wanted(&smaller) {
                    (best, again) = (smaller, true);
                    break;
                }
            }
        }
        best
    }

    /// One optional line of one manifest left out. Generated manifests have one field a line where it can go.
    fn with_fewer_lines(&self) -> Vec<Draft> {
        let mut all = Vec::new();
        for (i, (_, action)) in self.steps.iter().enumerate() {
            let Action::Apply(manifest) = action else { continue };
            let lines: Vec<&str> = manifest.lines().collect();
            for j in 0..lines.len() {
                if !lines[j].ends_with("# optional") {
                    continue;
                }
                let kept: Vec<&str> =
                    lines.iter().enumerate().filter(|(k, _)| *k != j).map(|(_, line)| *line).collect();
                let mut smaller = self.clone();
                smaller.steps[i].1 = Action::Apply(kept.join("\n"));
                all.push(smaller);
            }
        }
        all
    }

    fn with_fewer_nodes(&self) -> Option<Draft> {
        if self.nodes.len() < 2 {
            return None;
        }
        let mut smaller = self.clone();
        smaller.nodes.pop();
        Some(smaller)
    }
}
