//! All that a session has on its desk: the run, the texts, the terminals, what is chosen, what was answered. It does what
//! someone asks for, and notes what the session is to do on the page for it ([`Ask`]); no element is touched here.

use std::collections::VecDeque;
use std::rc::Rc;

use yew::AttrValue;

use super::announce::Announcer;
use super::breaks::Deed;
use super::browser;
use super::clock::Clock;
use super::engine::{self, Answer, Engine, Extra, Fault, Remark, Setup, Span};
use super::files::File;
use super::kept::Shelf;
use super::later::{Came, Later, Then};
use super::logs::{self, Log};
use super::report;
use super::run::Run;
use super::settings::Settings;
use super::terminal::{self, Terminals};
use super::texts::{Change, Edits, Effect, Texts};
use super::ui::Tab;
use super::words::moment;

/// Ages in tables move on this often, in real milliseconds.
const SLOW_MS: f64 = 250.0;

/// What the session is to do on the page.
#[derive(Clone, PartialEq, Debug)]
pub enum Ask {
    Fetch(Extra),
    /// A text in the place of the terminal's line, if that still is the first one.
    Line(String, String),
    ToEditor,
    ToTerminal,
    /// The run began anew.
    Restarted,
    /// What was to be applied is applied.
    Applied,
}

pub struct Desk {
    pub run: Run,
    pub texts: Texts,
    shelf: Shelf,
    /// Whether the browser keeps the texts.
    pub kept: bool,
    later: Later,
    pub seed: u64,
    /// What the last panic said, until the user starts again.
    pub fault: Option<AttrValue>,
    pub remarks: Rc<Vec<Remark>>,
    /// The YAML that the Python dict in the editor would become.
    pub python: Option<Rc<String>>,
    pub answer: Rc<Answer>,
    pub tab: Tab,
    pub selected: Option<AttrValue>,
    pub log: Log,
    pub terminals: Terminals,
    /// What a screen reader is told.
    pub said: AttrValue,
    announcer: Announcer,
    restarted: bool,
    /// The moment that ages are told for.
    pub slow_now_ms: i64,
    slow_at: f64,
    /// The answer in sight is about a part that did not come.
    told_lost: bool,
    asks: VecDeque<Ask>,
}

impl Desk {
    /// The desk of the session at this place of the page, as it was left.
    pub fn open(nth: usize, settings: &Settings) -> Desk {
        let (shelf, texts, said) = Shelf::open(nth);
        let mut desk = Desk {
            run: Run::stopped(Clock::new(settings.speed, settings.skip)),
            texts,
            shelf,
            kept: true,
            later: Later::default(),
            seed: settings.seed,
            fault: said.map(AttrValue::from),
            remarks: Rc::default(),
            python: None,
            answer: Rc::default(),
            tab: Tab::Events,
            selected: None,
            log: Log::default(),
            terminals: Terminals::default(),
            said: AttrValue::default(),
            announcer: Announcer::default(),
            restarted: true,
            slow_now_ms: 0,
            slow_at: 0.0,
            told_lost: false,
            asks: VecDeque::new(),
        };
        if desk.fault.is_none() {
            desk.start();
        }
        desk.store();
        desk
    }

    /// The next thing that is to be done on the page.
    pub fn next_ask(&mut self) -> Option<Ask> {
        self.asks.pop_front()
    }

    /// One frame, at this moment of real time. True if the page is to be drawn anew.
    pub fn frame(&mut self, at: f64, frame_ms: f64, dock_in_sight: bool) -> bool {
        let was_moving = self.run.moves();
        let mut draw = self.run.frame(frame_ms, browser::now_ms);
        if self.run.lacks_shells() {
            self.fetch(Extra::Shells, Then::GoOn);
        } else if self.run.lacks_terminal() {
            self.fetch(Extra::Terminal, Then::GoOn);
        }
        if draw {
            self.announcer.look(&self.run.view, std::mem::take(&mut self.restarted));
        }
        if at - self.slow_at >= SLOW_MS || !self.run.moves() {
            self.slow_at = at;
            if self.slow_now_ms / 1000 != self.run.now_ms() / 1000 {
                self.slow_now_ms = self.run.now_ms();
                // Tables of ages and the log are all that moves with it.
                draw |= self.tab != Tab::Editor && dock_in_sight;
            }
            draw |= self.read() | self.follow_edits();
        }
        if was_moving && !self.run.moves() {
            self.said = format!("t+{}", moment(self.run.now_ms())).into();
        }
        if let Some(text) = self.announcer.due(at) {
            self.said = text.into();
            draw = true;
        }
        draw | (was_moving != self.run.moves())
    }

    /// Does something to the texts. True if the page is to be drawn anew.
    pub fn change(&mut self, change: Change) -> bool {
        let is_text = matches!(change, Change::Edit(_));
        let effect: Effect = self.texts.change(change);
        // First of all it is kept: whatever comes next may fail.
        self.shelf.keep(&self.texts);
        if effect.cancels_edit {
            self.finish_edit(false);
        }
        if !is_text && (effect.rests || effect.draws) {
            self.answer = Rc::default();
        }
        if let Some(why) = effect.refused {
            self.answer_with(false, why.to_owned());
        }
        if effect.restarts {
            self.restart();
        }
        if effect.rests {
            self.check();
        }
        if let Some(says) = effect.says {
            self.said = says.into();
        }
        effect.draws
    }

    /// A word at the editor's foot.
    fn answer_with(&mut self, ok: bool, text: String) {
        self.said = text.clone().into();
        self.answer = Rc::new(Answer { ok, text, ..Answer::default() });
    }

    /// Puts YAML in the place of a Python dict.
    pub fn turn_into_yaml(&mut self) {
        if let Some(yaml) = self.python.take() {
            self.change(Change::TurnInto((*yaml).clone()));
            self.answer_with(true, "Turned into YAML.".to_owned());
        }
    }

    /// The text rests: it is checked and stored.
    pub fn check(&mut self) {
        self.store();
        self.lint();
    }

    /// What is wrong with the text; if it names a time zone, once their table is there.
    fn lint(&mut self) {
        let File { text, edit, .. } = self.texts.shown();
        if self.later.lacks_zones([text.as_str()].into_iter()) {
            return self.fetch(Extra::Zones, Then::Check);
        }
        let (python, remarks) = match engine::python(text) {
            Some((yaml, assumed)) => (Some(Rc::new(yaml)), assumed),
            // What may stand in an object that is there already is for kubectl edit to say.
            None if edit.is_some() => (None, engine::syntax(text)),
            None => (None, engine::lint(text, self.run.engine(), self.later.table())),
        };
        (self.python, self.remarks) = (python, Rc::new(remarks));
    }

    pub fn store(&mut self) {
        self.kept = self.shelf.store(&mut self.texts);
    }

    /// Hears what another tab of the browser stored. True if there is something to tell.
    pub fn hear(&mut self, key: &str, text: &str) -> bool {
        self.shelf.hear(&mut self.texts, key, text)
    }

    /// `kubectl apply -f`, now. Without a run (after a panic) it starts one with the text.
    pub fn apply(&mut self) {
        self.check();
        let File { name, text, edit, .. } = self.texts.shown();
        if edit.is_some() {
            return self.finish_edit(true);
        }
        if self.run.engine().is_none() {
            return self.apply_fresh();
        }
        let (name, text) = (name.clone(), text.clone());
        if self.later.lacks_zones([text.as_str()].into_iter()) {
            return self.fetch(Extra::Zones, Then::Apply);
        }
        let answer = self.run.apply(&name, &text);
        if answer.ok {
            self.texts.applied();
            self.asks.push_back(Ask::Applied);
        }
        self.remarks = Rc::new(answer.remarks.clone());
        self.said = answer.text.clone().into();
        self.answer = Rc::new(answer);
        self.store();
        self.news();
    }

    /// A new run that starts with the text: for what cannot be changed in a running Job.
    pub fn apply_fresh(&mut self) {
        self.texts.applied();
        self.restart();
    }

    /// From the start, with the same seed: what the cluster was last given of each tab is given again at once.
    pub fn restart(&mut self) {
        self.fault = None;
        self.start();
        self.store();
    }

    fn start(&mut self) {
        self.texts.end_all_edits();
        let texts = self.texts.files.iter().filter_map(|file| file.applied.as_deref());
        if self.later.lacks_zones(texts) {
            self.fetch(Extra::Zones, Then::Start);
        } else {
            self.start_now();
        }
    }

    fn start_now(&mut self) {
        let setup = Setup { seed: self.seed, files: self.texts.given() };
        self.shelf.keep(&self.texts);
        let clock = Clock::new(self.run.clock.speed, self.run.clock.skip);
        let (table, lacks_shells) = (self.later.table(), self.later.lacks(Extra::Shells));
        let (run, answers) = Run::start(&setup, table, lacks_shells, clock, self.shelf.run_keeper());
        self.run = run;
        // What was refused is not what the cluster has.
        for ((name, _), answer) in setup.files.iter().zip(&answers) {
            if !answer.ok
                && let Some(file) = self.texts.files.iter_mut().find(|file| file.name == *name)
            {
                file.applied = None;
            }
        }
        self.answer = Rc::new(answers.into_iter().find(|answer| !answer.ok).unwrap_or_default());
        self.lint();
        (self.selected, self.restarted) = (None, true);
        self.asks.push_back(Ask::Restarted);
        self.announcer.look(&self.run.view, true);
        self.news();
    }

    /// Ends the `kubectl edit` whose tab is shown.
    fn finish_edit(&mut self, saved: bool) {
        let File { edit, text, .. } = self.texts.shown();
        let Some(path) = edit.clone() else { return };
        let text = saved.then(|| text.clone());
        // The command has this text now, or nobody wants it: the tab may go.
        self.texts.applied();
        self.run.act(|engine| engine.close_edit(&path, text));
        self.news();
    }

    /// Opens and closes tabs as `kubectl edit` asks for it. True if there was something to do.
    fn follow_edits(&mut self) -> bool {
        let open = self.run.engine().map(Engine::edits).unwrap_or_default();
        match self.texts.follow_edits(&open) {
            Edits::AsBefore => return false,
            Edits::Opened => {
                self.said = "kubectl edit opened the object in the editor".into();
                self.asks.push_back(Ask::ToEditor);
            }
            Edits::Closed if matches!(self.tab, Tab::Terminal | Tab::Editor) => self.asks.push_back(Ask::ToTerminal),
            Edits::Closed => self.asks.push_back(Ask::Applied),
        }
        self.answer = Rc::default();
        self.check();
        true
    }

    /// Does something with the terminals.
    pub fn use_terminals(&mut self, msg: terminal::Msg) {
        match msg {
            terminal::Msg::Line(line) => return self.type_line(&line),
            terminal::Msg::Interrupt => return self.tell_terminal(Engine::interrupt),
            terminal::Msg::EndInput => return self.tell_terminal(Engine::end_input),
            terminal::Msg::Complete(line) => return self.complete(&line),
            terminal::Msg::Retry => return self.fetch(Extra::Terminal, Then::GoOn),
            terminal::Msg::New => self.terminals.open(),
            terminal::Msg::Show(at) => self.terminals.show(at),
            terminal::Msg::Close => {
                self.tell_terminal(Engine::close_terminal);
                self.terminals.close();
            }
            terminal::Msg::Hold(held) => {
                self.terminals.held = held;
                return;
            }
        }
        self.news();
    }

    /// A line for the terminal; the editor's tabs are its files.
    fn type_line(&mut self, line: &str) {
        let texts = self.texts.files.iter().map(|file| file.text.as_str());
        if self.later.lacks(Extra::Terminal) {
            self.fetch(Extra::Terminal, Then::Line(line.to_owned()));
        } else if self.later.lacks_zones(texts.chain([line])) {
            self.fetch(Extra::Zones, Then::Line(line.to_owned()));
        } else {
            self.type_line_now(line);
        }
    }

    fn type_line_now(&mut self, line: &str) {
        self.terminals.note(line);
        let (number, files) = (self.terminals.number(), self.texts.as_files());
        self.run.act(|engine| engine.type_line(number, &files, line));
        self.news();
    }

    /// Gives the terminal that is shown an input of its own.
    fn tell_terminal(&mut self, deed: fn(&mut Engine, u32)) {
        let number = self.terminals.number();
        self.terminals.offers = Rc::default();
        self.run.act(|engine| deed(engine, number));
        self.news();
    }

    /// Tab in the terminal: completes the line as far as that is clear, and shows what it could be.
    fn complete(&mut self, line: &str) {
        if self.later.lacks(Extra::Terminal) {
            return self.fetch(Extra::Terminal, Then::Complete(line.to_owned()));
        }
        let Some(engine) = self.run.engine() else { return };
        let (whole, offers) = engine.complete(self.terminals.number(), &self.texts.as_files(), line);
        self.asks.push_back(Ask::Line(line.to_owned(), whole));
        self.said = offers.join(" ").into();
        self.terminals.offers = Rc::new(offers);
    }

    /// Breaks something.
    pub fn break_it(&mut self, deed: Deed) {
        let is_command = matches!(deed, Deed::Line(_) | Deed::Fault(Fault::Drain { .. }));
        if is_command && self.later.lacks(Extra::Terminal) {
            return self.fetch(Extra::Terminal, Then::Deed(deed));
        }
        match deed {
            Deed::Line(line) => {
                self.said = line.clone().into();
                self.run.act(|engine| engine.run(&line));
            }
            Deed::Fault(fault) => {
                self.said = fault.says().into();
                // What the stage shows by itself needs no word beside it.
                let (shown, until) = match &fault {
                    Fault::StopController { until, .. }
                    | Fault::SlowApi { until, .. }
                    | Fault::FailPull { until, .. }
                    | Fault::SlowPull { until, .. } => (true, *until),
                    Fault::FreezeNode { until, .. } => (until.is_some(), *until),
                    _ => (false, None),
                };
                self.run.fault(fault, shown, until.map(Span::as_ms));
            }
        }
        self.news();
    }

    /// Chooses a Pod, by its uid, or none.
    pub fn select(&mut self, pod: Option<AttrValue>) {
        if pod != self.selected {
            self.log.other_pod();
        }
        self.selected = pod;
        self.read();
    }

    /// Does something with the log.
    pub fn use_log(&mut self, msg: logs::Msg) {
        match msg {
            logs::Msg::Pod(pod) => return self.select(pod),
            logs::Msg::Container(name) => self.log.choice.container = Some(name),
            logs::Msg::Previous => self.log.choice.previous = !self.log.choice.previous,
            logs::Msg::Follow => self.log.choice.follow = !self.log.choice.follow,
            // The session opens the menu.
            logs::Msg::Break(_) => return,
        }
        self.read();
    }

    pub fn show_tab(&mut self, tab: Tab) {
        self.tab = tab;
        // A line that is not there holds nothing up.
        self.terminals.held &= tab == Tab::Terminal;
        if tab == Tab::Terminal && self.later.lacks(Extra::Terminal) {
            // Before someone waits for it.
            self.fetch(Extra::Terminal, Then::GoOn);
        }
        self.slow_now_ms = self.run.now_ms();
        self.read();
    }

    /// The picture changed by something else than a frame.
    pub fn news(&mut self) {
        self.slow_now_ms = self.run.now_ms();
        self.follow_edits();
        self.read();
    }

    /// Reads what the panel in sight tells. True if that is another than before.
    fn read(&mut self) -> bool {
        match (self.tab, self.selected.as_deref()) {
            (Tab::Logs, Some(uid)) => self.log.read(&self.run, uid),
            (Tab::Terminal, _) => self.terminals.read(&self.run),
            _ => false,
        }
    }

    /// Fetches a part, and remembers what to do then.
    fn fetch(&mut self, part: Extra, then: Then) {
        if self.later.wants(part, then) {
            self.asks.push_back(Ask::Fetch(part));
        }
    }

    /// A part that was fetched came, or did not: what waited for it goes on.
    pub fn part_came(&mut self, part: Extra, came: Came) {
        let (waiting, why) = self.later.come(part, came);
        if part == Extra::Zones {
            self.run.set_zones(self.later.table());
        }
        if matches!(part, Extra::Shells | Extra::Terminal) && !self.later.lacks(Extra::Shells) {
            self.run.shells_came();
            // What is in an image is known only now.
            self.lint();
        }
        for then in waiting {
            match (then, &why) {
                (Then::Start, _) => self.start_now(),
                (Then::Check, None) => self.lint(),
                (Then::Apply, None) => self.apply(),
                // Without the table the API server says that it does not know the zone.
                (Then::Line(line), _) if part == Extra::Zones => self.type_line_now(&line),
                (Then::Line(line), None) => self.type_line(&line),
                // Nothing that was typed is lost.
                (Then::Line(line), Some(_)) => self.asks.push_back(Ask::Line(String::new(), line)),
                (Then::Complete(line), None) => self.complete(&line),
                (Then::Deed(deed), None) => self.break_it(deed),
                (Then::GoOn, _) | (Then::Check | Then::Apply | Then::Complete(_) | Then::Deed(_), Some(_)) => {}
            }
        }
        let lost = why.map(|why| part.missing(&why));
        if part == Extra::Terminal {
            self.terminals.lost = lost.clone().map(AttrValue::from);
        }
        match lost {
            Some(text) => {
                if part == Extra::Shells {
                    self.run.stand();
                }
                self.answer_with(false, text);
                self.told_lost = true;
            }
            // What was said of a part that did not come is over.
            None if std::mem::take(&mut self.told_lost) && !self.answer.ok => self.answer = Rc::default(),
            None => {}
        }
    }

    /// The run as a scenario that shows the fault again.
    pub fn report(&self) -> String {
        report::scenario(self.fault.as_deref().unwrap_or_default(), &self.shelf.left_run())
    }
}
