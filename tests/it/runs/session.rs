//! Random sessions: someone edits, types, breaks things, goes back and tries otherwise; and what the run told of each branch.
//!
//! Rule: a session is drawn from its seed and given to a [`Sim`] as a page gives it, with small budgets, so that people act in
//! the middle of a millisecond and on the way to another moment.

use std::collections::BTreeMap;
use std::rc::Rc;

use batchyard::api::object::Object;
use batchyard::cluster::NodeSpec;
use batchyard::cluster::store::Happening;
use batchyard::run::{BranchId, Fault, Input, Output, Progress, Record, Scenario, SessionId, Sim};
use batchyard::values::rng::{Rng, Stream};
use batchyard::values::time::{SimTime, Span};
use batchyard::values::zone::ZoneTable;

const SCENARIO: &str = "name: session
cluster: {nodes: [{name: node-1, cpu: '1', memory: 2Gi}, {name: node-2}]}
steps:
- {at: 2s, run: kubectl create namespace team}
- {at: 3s, run: 'timeout 20 kubectl get pods -w'}
- {at: 4s, run: 'kubectl run lone --image=busybox:1.36 -n team -- sleep 40'}
- {at: 5s, open-terminal: 1}
- {at: 5s, line: 'sleep 4; echo scripted'}
- {at: 5s, fault: {freeze-node: node-2, for: 9s}}
duration: 60s
";

const LINES: &[&str] = &[
    "kubectl get pods",
    "kubectl get pods -w",
    "kubectl logs -f job/a",
    "kubectl edit job a",
    "kubectl apply -f a.yaml",
    "kubectl delete pods --all --wait=false",
    "kubectl create job extra --image=busybox:1.36 -- sleep 5",
    "kubectl run shell -it --rm --image=busybox:1.36 -- sh",
    "kubectl wait --for=condition=complete job/a --timeout=20s",
    "kubectl cordon node-1",
    "kubectl delete job a",
    "cat",
    "read name; echo got $name",
    "sleep 3; echo slept $RANDOM",
    "echo 'it''s a note' > note.txt; cat note.txt",
    "for i in 1 2; do",
    "echo $i; done",
    "exit",
    "",
];

/// One record, as far as it can be told apart. What a step printed is known by its number only if it comes from a file.
#[derive(Clone, PartialEq, Debug)]
pub enum Line {
    Change(u64, SimTime, &'static str, Rc<Object>),
    Happening(Happening),
    Output(Output),
}

impl Line {
    fn of(record: Record) -> Line {
        match record {
            Record::Change(change) => Line::Change(change.revision, change.at, change.actor, change.object),
            Record::Happening(happening) => Line::Happening(happening),
            Record::Output(output) => Line::Output(Output { step: None, ..(*output).clone() }),
        }
    }
}

/// What a run tells until it has nothing to tell for now, and its trace.
pub fn told(sim: &mut Sim) -> (Vec<Line>, String) {
    let (start, mut lines, mut trace) = (sim.start(), Vec::new(), String::new());
    while let Some(record) = sim.poll_record() {
        if let Some(line) = record.trace_line(start) {
            trace.push_str(&line);
            trace.push('\n');
        }
        lines.push(Line::of(record));
    }
    (lines, trace)
}

/// A run with what it told of each branch.
pub struct Session {
    pub sim: Sim,
    pub told: BTreeMap<BranchId, Vec<Line>>,
    dice: Stream,
}

impl Session {
    /// Plays the session of a seed.
    pub fn play(seed: u64) -> Session {
        let mut scenario = Scenario::parse(SCENARIO, "session").expect("it is written above");
        scenario.seed = seed;
        let sim = Sim::new(&scenario, &ZoneTable::bundled());
        let dice = Rng::new(seed).stream("session", "");
        let mut session = Session { sim, told: BTreeMap::new(), dice };
        session.apply("a.yaml", "a");
        for _ in 0..session.dice.between(8, 40) {
            session.pass();
            session.act();
        }
        session.pass();
        session
    }

    fn below(&mut self, count: usize) -> usize {
        self.dice.between(0, count as i64 - 1) as usize
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Lets some time pass, in one go or frame by frame, not always to the end.
    fn pass(&mut self) {
        let until = self.sim.now() + Span::ms(self.one(&[0, 0, 1, 7, 250, 1_000, 1_300, 4_000, 15_000]));
        let budget = self.one(&[1, 3, 10, 100, 2_000]) as u32;
        for _ in 0..self.one(&[1, 4, 200]) {
            if self.sim.advance(until, budget) != Progress::Busy {
                break;
            }
        }
        self.note();
    }

    fn note(&mut self) {
        let (lines, _) = told(&mut self.sim);
        self.told.entry(self.sim.branch()).or_default().extend(lines);
    }

    /// Does something, and notes if that begins another branch.
    pub fn give(&mut self, input: Input) {
        self.note();
        let (branch, shared) = (self.sim.branch(), self.sim.recorded() as usize);
        let (about_to, is_kept) = (self.sim.about_to(&input), self.sim.lacks(&input).is_none());
        self.sim.handle(input);
        if is_kept {
            let (done, told) = (self.sim.as_scenario(), Scenario { duration: Span::ZERO, ..about_to });
            assert_eq!(Scenario { duration: Span::ZERO, ..done }, told, "it is written before as it is done");
        }
        if self.sim.branch() != branch {
            let before = self.told[&branch][..shared].to_vec();
            self.told.insert(self.sim.branch(), before);
        }
        self.note();
    }

    fn apply(&mut self, file: &str, name: &str) {
        let (completions, seconds) = (self.one(&[1, 3, 6]), self.one(&[1, 4, 30]));
        let exit = self.one(&[0, 0, 1]);
        let text = format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  completions: {completions}\n  \
             parallelism: 2\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: main\n        \
             image: busybox:1.36\n        command: [sh, -c, \"sleep {seconds}; echo done; exit {exit}\"]\n"
        );
        self.give(Input::Apply { file: file.to_owned(), text });
    }

    fn act(&mut self) {
        let terminal = SessionId::numbered(1 + self.below(3) as u64);
        let input = match self.below(26) {
            0..=5 => Input::Line { terminal, line: self.one(LINES).to_owned() },
            6 | 7 => Input::OpenTerminal,
            8 => Input::CloseTerminal { terminal },
            9 => Input::Interrupt { terminal },
            10 => Input::EndInput { terminal },
            11 => Input::Type { terminal, text: self.one(&["abc", "x\ny\n", "\n", "é: \t#"]).to_owned() },
            12 => Input::Run { line: self.one(LINES).to_owned() },
            13 => Input::Save { file: "b.yaml".to_owned(), text: " # \u{1}text\r\n".to_owned() },
            14 => Input::Rename { from: "b.yaml".to_owned(), to: "c/d.yaml".to_owned() },
            15 => Input::Remove { file: self.one(&["b.yaml", "c/d.yaml"]).to_owned() },
            16 | 17 => Input::Fault(self.fault()),
            18 => self.machine(),
            19 => Input::Image { text: "names: [busybox]\ncommand: [sh]\nbase: busybox\npull: 3s\n".to_owned() },
            20 => {
                let name = self.one(&["a", "b"]);
                return self.apply("b.yaml", name);
            }
            21..=23 => return self.travel(),
            24 => return self.enter(),
            _ => {
                let open = self.sim.terminals().workstation.editors.open.first().cloned();
                let text = self.one(&[None, Some("spec: {}\n"), Some("nonsense: [")]).map(str::to_owned);
                Input::CloseEdit { path: open.unwrap_or_else(|| "none".to_owned()), text }
            }
        };
        self.give(input);
    }

    fn fault(&mut self) -> Fault {
        let node = self.one(&["node-1", "node-2", "node-3", "nod-1"]).to_owned();
        let until = self.one(&[None, Some(Span::ms(12_345))]);
        let pods = self.sim.cluster().store().list(batchyard::api::kind::Kind::Pod);
        let pods: Vec<(String, String)> = pods.map(|pod| (pod.namespace().to_owned(), pod.name().to_owned())).collect();
        let nobody = ("default".to_owned(), "nobody".to_owned());
        let (namespace, pod) = if pods.is_empty() { nobody } else { pods[self.below(pods.len())].clone() };
        match self.below(10) {
            0 => Fault::KillNode { node },
            1 => Fault::FreezeNode { node, until },
            2 => Fault::ThawNode { node },
            3 => Fault::Drain { node },
            4 | 5 => Fault::KillContainer { namespace, pod, container: None, exit_code: 3, oom: self.dice.chance(30) },
            6 => Fault::EvictPod { namespace, pod },
            7 => Fault::FailPull { image: "busybox:1.36".to_owned(), until },
            8 => Fault::StopController { name: "job-controller".to_owned(), until: until.or(Some(Span::secs(5))) },
            _ => Fault::SlowApi { delay_ms: 700, until },
        }
    }

    fn machine(&mut self) -> Input {
        let name = self.one(&["node-2", "node-3"]).to_owned();
        let half = || "500m".to_owned();
        match self.below(3) {
            0 => Input::AddNode(NodeSpec { name, cpu: half(), memory: "1Gi".to_owned() }),
            1 => Input::ResizeNode { name, cpu: Some(half()), memory: None },
            _ => Input::RemoveNode { name },
        }
    }

    /// Goes to another moment, perhaps not all the way.
    fn travel(&mut self) {
        self.note();
        let span = self.sim.now().since(self.sim.start()).as_ms() + 2_000;
        let at = self.sim.start() + Span::ms(self.dice.between(0, span));
        let budget = self.one(&[1, 50, 5_000]) as u32;
        for _ in 0..self.one(&[1, 3, 2_000]) {
            if self.sim.seek(at, budget) != Progress::Busy {
                break;
            }
        }
        self.note();
    }

    fn enter(&mut self) {
        self.note();
        let branches = self.sim.branches();
        let branch = branches[self.below(branches.len())].id;
        let goal = self.sim.enter(branch).expect("it was listed");
        if self.dice.chance(70) {
            self.sim.go_to(goal);
        }
        self.note();
    }

    /// Goes to the latest moment of a branch and lets all happen that is due then.
    pub fn finish(&mut self, branch: BranchId) {
        self.sim.enter(branch).expect("it was listed");
        let info = self.sim.branches().into_iter().find(|info| info.id == branch);
        self.sim.go_to(info.expect("it was listed").frontier);
        self.note();
    }
}
