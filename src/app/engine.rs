//! The only place of the page that touches the simulation.
//!
//! Times are milliseconds since the start of the run. The rest of the page knows `view` and this file, nothing else.

use std::rc::Rc;

use batchyard::api::kind::Kind;
use batchyard::cluster::program;
use batchyard::run::{self, Input, Progress, Record, Scenario, SessionId, Sim};
use batchyard::terminal::files::HOME;
use batchyard::terminal::{self, Reply};
use batchyard::values::part::NotFetched;
use batchyard::values::sort::sort;
use batchyard::values::time::SimTime;
use batchyard::values::zone;
pub use batchyard::values::zone::ZoneTable;
use batchyard::yaml::{self, Diagnostic, Severity};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_split_helpers::wasm_split;

pub use batchyard::api::gaps::{GAPS, Within};
pub use batchyard::run::view::*;
pub use batchyard::run::{Fault, Ink, LogLine, Piece};
pub use batchyard::values::human::human_duration;
pub use batchyard::values::time::Span;
pub use batchyard::values::zone::may_be_named_in as may_name_zone;

/// A part of the engine that the page fetches when it is first needed (`batchyard::values::part`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extra {
    /// The table of time zones and what reads it.
    Zones,
    /// The shells of containers.
    Shells,
    /// The terminal's commands, and the shells, which they can start.
    Terminal,
}

impl Extra {
    /// The part and those that come with it.
    pub fn with(self) -> impl Iterator<Item = Extra> {
        let more = (self == Extra::Terminal).then_some(Extra::Shells);
        [self].into_iter().chain(more)
    }
}

/// Fetches a part.
///
/// # Errors
/// It did not come.
pub async fn fetch(part: Extra) -> Result<(), NotFetched> {
    for part in part.with() {
        match part {
            Extra::Zones => drop(zone::rules().await?),
            Extra::Shells => drop(program::shells().await?),
            Extra::Terminal => drop(terminal::acts().await?),
        }
    }
    Ok(())
}

/// What a run starts from.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Setup {
    pub seed: u64,
    /// File name and text, applied at the start in this order.
    pub files: Vec<(String, String)>,
}

/// What came of applying a file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Answer {
    pub ok: bool,
    /// What `kubectl apply` printed.
    pub text: String,
    pub remarks: Vec<Remark>,
    /// What was refused would be taken in a cluster that has nothing of it yet.
    pub restart_helps: bool,
}

/// How much a remark matters; the order is the order of the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    Error,
    Warning,
    Hint,
}

impl Weight {
    /// As the editor's module and the style sheet call it.
    pub fn word(self) -> &'static str {
        match self {
            Weight::Error => "error",
            Weight::Warning => "warning",
            Weight::Hint => "hint",
        }
    }
}

/// Something to say about a place of a text. Lines and columns count from 1.
#[derive(Clone, PartialEq, Debug)]
pub struct Remark {
    pub weight: Weight,
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
    pub message: String,
}

/// What the terminal shows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Screen {
    pub pieces: Vec<Piece>,
    pub prompt: String,
    /// A command runs.
    pub busy: bool,
}

/// A running simulation.
pub struct Engine {
    sim: Sim,
    /// The page's terminals, by their number, as far as something was typed into them.
    terminals: Vec<(u32, SessionId)>,
    /// The editor's tabs that lie in the terminals' home.
    saved: Vec<String>,
    /// Told the run as a scenario with what is about to be done to it: whoever plays that meets a panic of ours again.
    keep: Box<dyn Fn(&str)>,
}

/// How long a kept run is watched after the last thing that was done.
const WATCHED: Span = Span::mins(60);

impl Engine {
    /// Starts a run and applies its files; the answers are in their order.
    ///
    /// Without the part [`Extra::Shells`] time stops before the first container that may need it.
    pub fn new(setup: &Setup, zones: &ZoneTable, lacks_shells: bool, keep: Box<dyn Fn(&str)>) -> (Engine, Vec<Answer>) {
        let scenario = Scenario { name: "page".to_owned(), seed: setup.seed, ..Scenario::default() };
        let mut engine = Engine { sim: Sim::new(&scenario, zones), terminals: Vec::new(), saved: Vec::new(), keep };
        engine.sim.wait_for_shells(lacks_shells);
        let answers = setup.files.iter().map(|(file, text)| engine.apply(file, text)).collect();
        (engine, answers)
    }

    /// Does something from outside, now, after it was told to whoever keeps the run.
    fn give(&mut self, input: Input) -> Reply {
        let mut run = self.sim.about_to(&input);
        run.duration = run.duration + WATCHED;
        (self.keep)(&run.to_yaml());
        self.sim.handle(input)
    }

    /// `kubectl apply -f FILE`, now.
    pub fn apply(&mut self, file: &str, text: &str) -> Answer {
        let reply = self.give(Input::Apply { file: file.to_owned(), text: text.to_owned() });
        self.forget_records();
        answer(reply)
    }

    /// Hands the table of time zones in.
    pub fn set_zones(&mut self, zones: &ZoneTable) {
        self.sim.set_zones(zones);
    }

    /// The part [`Extra::Shells`] is here now.
    pub fn shells_came(&mut self) {
        self.sim.wait_for_shells(false);
    }

    /// Whether time stands because that part is not here.
    pub fn lacks_shells(&self) -> bool {
        self.sim.lacks_shells()
    }

    /// Whether time stands for a container that wants a command of the terminal's.
    pub fn lacks_terminal(&self) -> bool {
        self.sim.lacks_terminal()
    }

    /// Types a line into a terminal, whose files are the editor's tabs (name and text). What takes no time is done at
    /// once, also while the clock stands.
    pub fn type_line(&mut self, number: u32, files: &[(String, String)], line: &str) {
        self.save(files);
        let open = self.session(number).filter(|id| self.sim.terminal(*id).is_some_and(|open| !open.has_ended()));
        let terminal = open.unwrap_or_else(|| self.open_terminal());
        // After going back, another one may have had this terminal's place.
        self.terminals.retain(|(known, id)| *known != number && *id != terminal);
        self.terminals.push((number, terminal));
        self.give(Input::Line { terminal, line: line.to_owned() });
        self.settle();
    }

    fn open_terminal(&mut self) -> SessionId {
        self.give(Input::OpenTerminal);
        self.sim.terminals().newest().expect("a terminal was opened by the line above")
    }

    /// Puts the tabs into the terminals' home, and takes away what is no tab any more.
    fn save(&mut self, files: &[(String, String)]) {
        let saved = |sim: &Sim, file: &str| sim.terminals().workstation.files.read(&format!("{HOME}/{file}"));
        for (file, text) in files {
            if saved(&self.sim, file).as_deref() != Ok(text.as_bytes()) {
                self.give(Input::Save { file: file.clone(), text: text.clone() });
            }
        }
        let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
        for gone in std::mem::replace(&mut self.saved, names.clone()) {
            if !names.contains(&gone) && saved(&self.sim, &gone).is_ok() {
                self.give(Input::Remove { file: gone });
            }
        }
    }

    /// The terminal of that number, if it is open at this moment of the run.
    fn session(&self, number: u32) -> Option<SessionId> {
        let found = self.terminals.iter().find(|(known, _)| *known == number);
        found.map(|(_, id)| *id).filter(|id| self.sim.terminal(*id).is_some())
    }

    /// Gives a terminal an input of its own, if it is open.
    fn tell_terminal(&mut self, number: u32, input: fn(SessionId) -> Input) {
        if let Some(terminal) = self.session(number) {
            self.give(input(terminal));
            self.settle();
        }
    }

    /// Ctrl-C in a terminal.
    pub fn interrupt(&mut self, number: u32) {
        self.tell_terminal(number, |terminal| Input::Interrupt { terminal });
    }

    /// Ctrl-D in a terminal while a command runs.
    pub fn end_input(&mut self, number: u32) {
        self.tell_terminal(number, |terminal| Input::EndInput { terminal });
    }

    /// Ends a terminal with what runs in it.
    pub fn close_terminal(&mut self, number: u32) {
        self.tell_terminal(number, |terminal| Input::CloseTerminal { terminal });
        self.terminals.retain(|(known, _)| *known != number);
    }

    /// What a terminal shows now; a fresh one if nothing was typed into it yet.
    pub fn screen(&self, number: u32) -> Screen {
        match self.session(number).and_then(|id| self.sim.terminal(id)) {
            Some(terminal) => {
                Screen { pieces: terminal.screen().to_vec(), prompt: terminal.prompt(), busy: terminal.is_busy() }
            }
            None => Screen { prompt: "~ $ ".to_owned(), ..Screen::default() },
        }
    }

    /// The line with its last word completed, and what it could be if that is not clear yet.
    pub fn complete(&self, number: u32, files: &[(String, String)], line: &str) -> (String, Vec<String>) {
        let mut completion = self.sim.terminals().complete(self.session(number), line, files, self.sim.cluster());
        let whole = completion.apply(line);
        if completion.offers.len() == 1 {
            completion.offers.clear();
        }
        completion.offers.truncate(terminal::completion::OFFERS_MAX);
        (whole, completion.offers)
    }

    /// The texts that `kubectl edit` wants edited: path and text.
    pub fn edits(&self) -> Vec<(String, String)> {
        let workstation = &self.sim.terminals().workstation;
        let text =
            |path: &String| String::from_utf8_lossy(&workstation.files.read(path).unwrap_or_default()).into_owned();
        workstation.editors.open.iter().map(|path| (path.clone(), text(path))).collect()
    }

    /// The editor of such a text was closed, with what was saved in it.
    pub fn close_edit(&mut self, path: &str, text: Option<String>) {
        self.give(Input::CloseEdit { path: path.to_owned(), text });
        self.settle();
    }

    /// Breaks something.
    pub fn fault(&mut self, fault: Fault) {
        self.give(Input::Fault(fault));
        self.settle();
    }

    /// A command in a shell of its own, that nobody sees.
    pub fn run(&mut self, line: &str) {
        self.give(Input::Run { line: line.to_owned() });
        self.settle();
    }

    /// The images of all Pods, sorted.
    pub fn images(&self) -> Vec<String> {
        let pods = self.sim.cluster().store().list(Kind::Pod);
        let mut images: Vec<String> = Vec::new();
        for pod in pods {
            let spec = &pod.pod().spec;
            images.extend(
                spec.init_containers.iter().chain(&spec.containers).map(|container| container.image.to_string()),
            );
        }
        sort(&mut images);
        images.dedup();
        images
    }

    /// The scheduler and the controllers, by name.
    pub fn controllers(&self) -> Vec<String> {
        self.sim.cluster().controllers().map(str::to_owned).collect()
    }

    /// When something was done, in milliseconds.
    #[cfg(test)]
    pub fn done_ms(&self) -> Vec<i64> {
        self.sim.as_scenario().steps.iter().map(|step| step.at.as_ms()).collect()
    }

    /// Lets happen what is due already.
    fn settle(&mut self) {
        const STEPS: u32 = 5_000;
        self.sim.advance(self.sim.now(), STEPS);
        self.forget_records();
    }

    /// Moves time on. False if the budget was used up before.
    pub fn advance(&mut self, until_ms: i64, budget: u32) -> bool {
        let progress = self.sim.advance(self.moment(until_ms), budget);
        self.forget_records();
        progress == Progress::Reached
    }

    /// When there is next something to do; none if nothing will happen by itself.
    pub fn next_ms(&self) -> Option<i64> {
        self.sim.next_wakeup().map(|at| at.since(self.sim.start()).as_ms())
    }

    /// The next thing that is known to come by itself.
    pub fn coming(&mut self) -> Option<Coming> {
        self.sim.coming()
    }

    pub fn now_ms(&self) -> i64 {
        self.sim.now().since(self.sim.start()).as_ms()
    }

    /// Goes to a moment that has been seen before.
    pub fn seek(&mut self, at_ms: i64) {
        self.sim.go_to(self.moment(at_ms));
        self.forget_records();
    }

    pub fn view(&mut self) -> Rc<View> {
        self.sim.view()
    }

    /// What a container printed up to now, or why there is nothing to read.
    pub fn logs(
        &self,
        namespace: &str,
        pod: &str,
        container: Option<&str>,
        previous: bool,
    ) -> Result<Vec<LogLine>, String> {
        self.sim.logs(namespace, pod, container, previous)
    }

    /// The wall clock at a moment: `2026-11-21 08:00:42 UTC`.
    pub fn wall_clock(&self, at_ms: i64) -> String {
        self.moment(at_ms).format("%Y-%m-%d %H:%M:%S UTC")
    }

    fn moment(&self, at_ms: i64) -> SimTime {
        self.sim.start() + Span::ms(at_ms)
    }

    /// The page looks at views; records are for traces.
    fn forget_records(&mut self) {
        while self.sim.poll_record().is_some() {}
    }
}

/// What the API server would say of a text if it were applied now; before there is a run, in an empty cluster.
pub fn lint(text: &str, engine: Option<&Engine>, zones: &ZoneTable) -> Vec<Remark> {
    let said = match engine {
        Some(engine) => terminal::lint(text.as_bytes(), "manifest", engine.sim.cluster()),
        None => terminal::lint(text.as_bytes(), "manifest", &terminal::empty_cluster(zones)),
    };
    said.iter().map(remark).collect()
}

/// A Python dict as YAML, with what was assumed; none if the text is no such dict.
pub fn python(text: &str) -> Option<(String, Vec<Remark>)> {
    let converted = yaml::python::recognise(text)?;
    let assumed = |diagnostic: &Diagnostic| Remark { weight: Weight::Hint, ..remark(diagnostic) };
    Some((converted.yaml, converted.remarks.iter().map(assumed).collect()))
}

/// Where a text is no YAML.
pub fn syntax(text: &str) -> Vec<Remark> {
    yaml::parse(text, "edited-file").diagnostics.iter().map(remark).collect()
}

fn answer(reply: Reply) -> Answer {
    let text = [reply.stdout.trim_end(), reply.stderr.trim_end()]
        .iter()
        .filter(|text| !text.is_empty())
        .copied()
        .collect::<Vec<_>>();
    let text = text.join("\n");
    Answer {
        ok: reply.exit == 0,
        restart_helps: run::is_about_immutable(&text),
        text,
        remarks: reply.diagnostics.iter().map(remark).collect(),
    }
}

fn remark(diagnostic: &Diagnostic) -> Remark {
    let span = diagnostic.span;
    let weight = match diagnostic.severity {
        Severity::Error => Weight::Error,
        Severity::Warning => Weight::Warning,
        Severity::Hint => Weight::Hint,
    };
    Remark {
        weight,
        line: span.line.max(1),
        column: span.column.max(1),
        end_line: span.end_line.max(1),
        end_column: span.end_column.max(1),
        message: diagnostic.message.clone(),
    }
}

/// Plays a scenario to its end: the text of `trace.jsonl`, or an empty one if it is no scenario. For the test that this
/// page and the native program tell the same story. `zones` holds the bytes of `tzdb.bin`.
#[wasm_bindgen]
pub async fn trace(scenario: String, zones: Vec<u8>) -> String {
    let played = async {
        fetch(Extra::Zones).await?;
        fetch(Extra::Terminal).await?;
        play(&scenario, &zones).await
    };
    played.await.unwrap_or_default()
}

/// It lies with the terminal's commands: who only looks on does not carry it.
#[wasm_split(terminal, fallible)]
fn play(scenario: &str, zones: &[u8]) -> Result<String, NotFetched> {
    let Ok(scenario) = Scenario::parse(scenario, "scenario.yaml") else { return Ok(String::new()) };
    let zones = ZoneTable::from_bytes(zones).unwrap_or_else(|_| ZoneTable::empty());
    let mut sim = Sim::new(&scenario, &zones);
    let (start, end) = (sim.start(), sim.start() + scenario.duration);
    let mut text = String::new();
    while sim.advance(end, u32::MAX) == Progress::Busy {}
    while let Some(record) = sim.poll_record() {
        if let Record::Change(_) = &record
            && let Some(line) = record.trace_line(start)
        {
            text.push_str(&line);
            text.push('\n');
        }
    }
    Ok(text)
}
