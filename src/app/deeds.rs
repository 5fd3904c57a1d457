//! What the page does when something happens to it: frames, edits, runs, logs.

use std::rc::Rc;

use gloo::render::request_animation_frame;
use gloo::timers::callback::Timeout;
use yew::prelude::*;

use super::app::{App, Msg};
use super::browser;
use super::clock::{Clock, SPEEDS};
use super::engine::{self, Engine, Extra, Setup};
use super::examples::{self, EXAMPLES};
use super::files::{self, File};
use super::kept::{Step, Undo};
use super::lanes::{Gesture, Wish};
use super::later::Then;
use super::report;
use super::run::Run;
use super::terminal;
use super::ui::{Layout, Region, Tab};

/// Ages in tables move on this often, in real milliseconds.
const SLOW_MS: f64 = 250.0;
/// A pause in typing this long, in milliseconds, and the text is checked and stored.
const TYPING_MS: u32 = 250;

impl App {
    pub(super) fn on_frame(&mut self, at: f64) -> bool {
        self.frame = None;
        let frame_ms = at - self.last_frame.replace(at).unwrap_or(at);
        let was_skipping = self.run.skips();
        let was_moving = self.run.moves();
        let mut draw = self.run.frame(frame_ms);
        if self.run.lacks_shells() {
            self.later.fetch(Extra::Shells, Then::GoOn, &self.act);
        } else if self.run.lacks_terminal() {
            self.later.fetch(Extra::Terminal, Then::GoOn, &self.act);
        }
        if draw {
            self.announcer.look(&self.run.view, std::mem::take(&mut self.restarted));
            self.remember_focus();
        }
        if at - self.slow_at >= SLOW_MS || !self.run.moves() {
            self.slow_at = at;
            if self.slow_now_ms / 1000 != self.run.now_ms() / 1000 {
                self.slow_now_ms = self.run.now_ms();
                // Tables of ages and the log are all that moves with it.
                draw |= self.tab != Tab::Editor && !self.folded(Region::Dock);
            }
            draw |= self.read_log() | self.read_screen() | self.look_for_edits();
        }
        if let Some(text) = self.announcer.due(at) {
            self.said = text.into();
            draw = true;
        }
        draw |= was_skipping != self.run.skips() || was_moving != self.run.moves();
        if !self.run.moves() {
            self.last_frame = None;
        }
        if !draw {
            self.paint();
        }
        draw
    }

    pub(super) fn on_lanes(&mut self, gesture: Gesture) -> bool {
        let followed = self.lanes.follows;
        match self.lanes.gesture(gesture, &self.run.view, self.run.furthest_ms) {
            Wish::Nothing => return false,
            Wish::Paint => {}
            Wish::Seek(at_ms) => {
                self.run.clock.playing = false;
                self.run.seek(at_ms);
                self.news();
                return true;
            }
            Wish::Select(uid) => {
                return {
                    self.act.emit(Msg::Select(Some(uid.into())));
                    false
                };
            }
        }
        self.paint();
        followed != self.lanes.follows
    }

    pub(super) fn on_edit(&mut self, ctx: &Context<Self>, text: String) -> bool {
        // A closed tab can be opened again for as long as nothing else was closed.
        let could_undo = self.kept.undo.take_if(|undo| !matches!(undo, Undo::Closed(..))).is_some();
        let file = &mut self.kept.files[self.kept.active];
        let was_edited = file.edited();
        file.text = text;
        let now_edited = file.edited();
        // First of all it is kept: whatever comes next may fail.
        self.kept.keep();
        let link = ctx.link().clone();
        self.typing = Some(Timeout::new(TYPING_MS, move || link.send_message(Msg::Typed)));
        // A textarea that is not told its own text would be reset by the next drawing.
        could_undo || was_edited != now_edited
    }

    /// The text rests: it is checked and stored.
    pub(super) fn check(&mut self) {
        self.typing = None;
        self.store();
        self.lint();
    }

    /// What is wrong with the text; if it names a time zone, once their table is there.
    pub(super) fn lint(&mut self) {
        let File { text, edit, .. } = &self.kept.files[self.kept.active];
        if self.later.lacks_zones([text.as_str()].into_iter()) {
            return self.later.fetch(Extra::Zones, Then::Check, &self.act);
        }
        let (python, remarks) = match engine::python(text) {
            Some((yaml, assumed)) => (Some(Rc::new(yaml)), assumed),
            // What may stand in an object that is there already is for kubectl edit to say.
            None if edit.is_some() => (None, engine::syntax(text)),
            None => (None, engine::lint(text, self.later.table())),
        };
        self.python = python;
        self.remarks = Rc::new(remarks);
    }

    /// A line for the terminal; the editor's tabs are its files.
    pub(super) fn type_line(&mut self, line: &str) {
        let texts = self.kept.files.iter().map(|file| file.text.as_str());
        if self.later.lacks(Extra::Terminal) {
            self.later.fetch(Extra::Terminal, Then::Line(line.to_owned()), &self.act);
        } else if self.later.lacks_zones(texts.chain([line])) {
            self.later.fetch(Extra::Zones, Then::Line(line.to_owned()), &self.act);
        } else {
            self.type_line_now(line);
        }
    }

    pub(super) fn type_line_now(&mut self, line: &str) {
        if !line.trim().is_empty() && self.typed.last().is_none_or(|last| last != line) {
            Rc::make_mut(&mut self.typed).push(line.to_owned());
        }
        self.offers = Rc::default();
        let files = self.texts();
        self.kept.steps = self.run.steps.clone();
        self.kept.steps.push(Step::run(self.run.now_ms(), line));
        // Kept before it is done: should the engine panic over it, the report holds it.
        self.kept.keep();
        self.run.type_line(self.terminals[self.terminal], &files, line);
        self.news();
    }

    /// The editor's tabs, as the terminals have them.
    fn texts(&self) -> Vec<(String, String)> {
        let files = self.kept.files.iter().filter(|file| file.edit.is_none());
        files.map(|file| (file.name.clone(), file.text.clone())).collect()
    }

    /// Gives the terminal that is shown an input of its own.
    pub(super) fn tell_terminal(&mut self, deed: fn(&mut Engine, u32)) {
        let number = self.terminals[self.terminal];
        self.offers = Rc::default();
        self.run.act(None, |engine| deed(engine, number));
        self.news();
    }

    /// Tab in the terminal: completes the line as far as that is clear, and shows what it could be.
    pub(super) fn complete(&mut self, line: &str) {
        if self.later.lacks(Extra::Terminal) {
            return self.later.fetch(Extra::Terminal, Then::Complete(line.to_owned()), &self.act);
        }
        let Some(engine) = self.run.engine() else { return };
        let (whole, offers) = engine.complete(self.terminals[self.terminal], &self.texts(), line);
        terminal::set_line(line, &whole);
        self.said = offers.join(" ").into();
        self.offers = Rc::new(offers);
    }

    pub(super) fn new_terminal(&mut self) {
        let terminals = Rc::make_mut(&mut self.terminals);
        terminals.push(terminals.iter().max().map_or(1, |most| most + 1));
        self.show_terminal(usize::MAX);
    }

    pub(super) fn show_terminal(&mut self, at: usize) {
        self.terminal = at.min(self.terminals.len() - 1);
        self.offers = Rc::default();
        self.news();
    }

    /// Closes the terminal that is shown; what runs in it ends. The last one is only emptied.
    pub(super) fn close_terminal(&mut self) {
        self.tell_terminal(Engine::close_terminal);
        let terminals = Rc::make_mut(&mut self.terminals);
        terminals.remove(self.terminal);
        if terminals.is_empty() {
            terminals.push(1);
        }
        self.show_terminal(self.terminal);
    }

    /// `kubectl apply -f`, now. Without a run (after a panic) it starts one with the text.
    pub(super) fn apply(&mut self) {
        self.check();
        if self.kept.files[self.kept.active].edit.is_some() {
            return self.finish_edit(true);
        }
        if self.run.engine().is_none() {
            return self.apply_fresh();
        }
        let file = &self.kept.files[self.kept.active];
        let (name, text) = (file.name.clone(), file.text.clone());
        if self.later.lacks_zones([text.as_str()].into_iter()) {
            return self.later.fetch(Extra::Zones, Then::Apply, &self.act);
        }
        self.kept.steps = self.run.steps.clone();
        self.kept.steps.push(Step::apply(self.run.now_ms(), &name, &text));
        // Kept before it is done: should the engine panic over it, the report holds it.
        self.kept.keep();
        let answer = self.run.apply(&name, &text);
        if answer.ok {
            self.kept.files[self.kept.active].applied = Some(text);
            self.drawer = false;
        }
        self.remarks = Rc::new(answer.remarks.clone());
        self.said = answer.text.clone().into();
        self.answer = Rc::new(answer);
        self.store();
        self.news();
    }

    /// A new run that starts with the text: for what cannot be changed in a running Job.
    pub(super) fn apply_fresh(&mut self) {
        let file = &mut self.kept.files[self.kept.active];
        file.applied = Some(file.text.clone());
        self.restart();
    }

    /// Shows another example; what was typed into this one waits for its return.
    pub(super) fn pick_example(&mut self, at: usize) {
        let files = std::mem::take(&mut self.kept.files);
        if files != files::of(&EXAMPLES[examples::index_of(&self.kept.example)]) {
            self.kept.drafts.push((self.kept.example.clone(), files));
        }
        let example = &EXAMPLES[at.min(EXAMPLES.len() - 1)];
        self.kept.example = example.id.to_owned();
        self.kept.undo = None;
        let draft = self.kept.drafts.iter().position(|(id, _)| id == example.id);
        let files = draft.map_or_else(|| files::of(example), |at| self.kept.drafts.remove(at).1);
        self.show_files(files);
    }

    /// Back to the example as it was written, until someone wants the old text again.
    pub(super) fn reset(&mut self) {
        let original = files::of(&EXAMPLES[examples::index_of(&self.kept.example)]);
        let old = std::mem::take(&mut self.kept.files);
        self.kept.undo = (old != original).then_some(Undo::Reset(old));
        self.show_files(original);
    }

    pub(super) fn show_files(&mut self, files: Vec<File>) {
        self.kept.files = files;
        self.kept.active = 0;
        self.version += 1;
        self.restart();
        self.check();
    }

    /// From the start, with the same seed: what the cluster was last given of each tab is given again at once.
    pub(super) fn restart(&mut self) {
        self.fault = None;
        self.start();
        self.store();
    }

    pub(super) fn start(&mut self) {
        self.end_all_edits();
        let texts = self.kept.files.iter().filter_map(|file| file.applied.as_deref());
        if self.later.lacks_zones(texts) {
            self.later.fetch(Extra::Zones, Then::Start, &self.act);
        } else {
            self.start_now();
        }
    }

    pub(super) fn start_now(&mut self) {
        let given = |file: &File| file.applied.clone().map(|text| (file.name.clone(), text));
        let setup = Setup { seed: self.kept.seed, files: self.kept.files.iter().filter_map(given).collect() };
        self.kept.steps = setup.files.iter().map(|(file, text)| Step::apply(0, file, text)).collect();
        self.kept.keep();
        let clock = Clock::new(self.kept.speed, self.kept.skip);
        let (run, answers) = Run::start(&setup, self.later.table(), self.later.lacks(Extra::Shells), clock);
        self.run = run;
        self.answer = Rc::new(answers.into_iter().find(|answer| !answer.ok).unwrap_or_default());
        self.lint();
        self.selected = None;
        self.reachable = None;
        self.restarted = true;
        self.last_frame = None;
        self.lanes.restart();
        self.announcer.look(&self.run.view, true);
        self.news();
    }

    /// The picture changed by something else than a frame.
    pub(super) fn news(&mut self) {
        self.slow_now_ms = self.run.now_ms();
        self.look_for_edits();
        self.read_log();
        self.read_screen();
        self.remember_focus();
    }

    pub(super) fn set_speed(&mut self, speed: usize) {
        self.run.clock.speed = speed.min(SPEEDS.len() - 1);
        self.kept.speed = self.run.clock.speed;
        self.store();
    }

    pub(super) fn open_tab(&mut self, tab: Tab) {
        self.tab = tab;
        if tab == Tab::Terminal {
            self.expect_terminal();
        }
        if self.folded(Region::Dock) {
            self.kept.folded[Region::Dock as usize] = false;
        }
        self.slow_now_ms = self.run.now_ms();
        self.read_log();
        self.read_screen();
    }

    pub(super) fn show_editor(&mut self, open: bool) {
        match self.layout {
            Layout::Wide => self.kept.folded[Region::Editor as usize] = !open,
            Layout::Drawer => self.drawer = open,
            Layout::Stack => self.tab = if open { Tab::Editor } else { Tab::Events },
        }
        self.store();
    }

    pub(super) fn editor_open(&self) -> bool {
        match self.layout {
            Layout::Wide => !self.folded(Region::Editor),
            Layout::Drawer => self.drawer,
            Layout::Stack => self.tab == Tab::Editor,
        }
    }

    /// In a stack nothing is folded: there a region is as high as it needs.
    pub(super) fn folded(&self, region: Region) -> bool {
        self.layout != Layout::Stack && self.kept.folded[region as usize]
    }

    /// Reads the chosen log. True if it is another than before.
    pub(super) fn read_log(&mut self) -> bool {
        if self.tab != Tab::Logs {
            return false;
        }
        let (Some(engine), Some(uid)) = (self.run.engine(), self.selected.as_deref()) else { return false };
        let name = self.run.view.lanes.iter().find(|lane| lane.uid == uid).map_or(uid, |lane| &lane.name);
        let lines = engine.logs(name, self.log.container.as_deref(), self.log.previous);
        let differs = lines != *self.lines;
        if differs {
            self.lines = Rc::new(lines);
        }
        differs
    }

    /// Reads the terminal's screen. True if it is another than before.
    fn read_screen(&mut self) -> bool {
        if self.tab != Tab::Terminal {
            return false;
        }
        let screen = self.run.screen(self.terminals[self.terminal]);
        let differs = screen != *self.screen;
        if differs {
            self.screen = Rc::new(screen);
        }
        differs
    }

    pub(super) fn remember_focus(&mut self) {
        let active = browser::document().active_element();
        self.refocus = active.and_then(|active| active.get_attribute("data-pod"));
    }

    pub(super) fn store(&mut self) {
        self.kept.keep();
        self.stored = self.kept.store();
    }

    pub(super) fn report(&self) -> String {
        report::scenario(self.fault.as_deref().unwrap_or_default(), self.kept.seed, &self.run.steps)
    }

    pub(super) fn ask_for_frame(&mut self, ctx: &Context<Self>) {
        let link = ctx.link().clone();
        self.frame = Some(request_animation_frame(move |at| link.send_message(Msg::Frame(at))));
    }

    /// Writes what moves with time.
    pub(super) fn paint(&mut self) {
        let now_ms = self.run.now_ms();
        let wall_clock = self.run.engine().map(|engine| engine.wall_clock(now_ms)).unwrap_or_default();
        self.live.paint(now_ms, &wall_clock);
        if !self.folded(Region::Timeline) {
            self.lanes.paint(&self.run.view, now_ms, self.run.furthest_ms, self.selected.as_deref());
        }
    }
}
