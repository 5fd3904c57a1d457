//! The page's state, everything that can happen to it, and how the regions lie.

use std::cell::Cell;
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::render::AnimationFrame;
use gloo::timers::callback::Timeout;
use yew::prelude::*;

use super::announce::Announcer;
use super::breaks::{Deed, Target};
use super::browser;
use super::clock::Clock;
use super::engine::{Answer, Engine, Extra, LogLine, PodToken, Remark, Screen};
use super::examples::EXAMPLES;
use super::files::{self, File};
use super::kept::Kept;
use super::lanes::{Gesture, Lanes};
use super::later::{Came, Later};
use super::live::Live;
use super::run::{Part, Run};
use super::shortcuts;
use super::terminal;
use super::travel::{Pace, Travel};
use super::ui::{Layout, LogChoice, Region, Tab};

/// Everything that can happen to the page.
#[derive(Clone, Debug)]
pub enum Msg {
    Frame(f64),
    Toggle,
    Step,
    StepBack,
    Restart,
    Speed(usize),
    Slower,
    Faster,
    Skip,
    Seed(u64),
    Lanes(Gesture),

    Edit(String),
    Typed,
    File(usize),
    NewFile,
    Apply,
    ApplyFresh,
    Reset,
    Undo,
    CloseFile,
    Rename(String),
    TurnIntoYaml,
    Example(usize),

    Select(Option<AttrValue>),
    /// The Pod that Tab reaches.
    Reach(AttrValue),
    Container(Option<String>),
    Previous,
    FollowLog,

    /// A line typed into the terminal.
    Line(String),
    Interrupt,
    EndInput,
    /// Tab, behind this much of a line.
    Complete(String),
    NewTerminal,
    ShowTerminal(usize),
    CloseTerminal,
    GoTerminal,
    /// A part that was fetched, or why it did not come.
    Came(Extra, Came),

    /// Opens a menu that breaks something, or closes it.
    Break(Option<Target>),
    Deed(Deed),

    Tab(Tab),
    Theme,
    Help(bool),
    Keys,
    Layout,
    ToggleEditor,
    GoEditor,
    Go(&'static str),
    Escape,
    Size(Region, Option<i32>),
    Fold(Region),

    StartAgain,
    CopyReport,
}

pub struct App {
    /// What the user has chosen and typed; `kept.files` are the tabs.
    pub(super) kept: Kept,
    pub(super) stored: bool,
    pub(super) run: Run,
    /// What the last panic said, until the user starts again.
    pub(super) fault: Option<AttrValue>,
    /// Grows when the page changed the text itself.
    pub(super) version: u32,
    pub(super) remarks: Rc<Vec<Remark>>,
    pub(super) answer: Rc<Answer>,

    pub(super) tab: Tab,
    pub(super) selected: Option<AttrValue>,
    pub(super) reachable: Option<AttrValue>,
    pub(super) log: LogChoice,
    pub(super) lines: Rc<Result<Vec<LogLine>, String>>,
    pub(super) screen: Rc<Screen>,
    /// Lines typed into the terminal, oldest first.
    pub(super) typed: Rc<Vec<String>>,
    /// Numbers of the terminals, and which of them is shown.
    pub(super) terminals: Rc<Vec<u32>>,
    pub(super) terminal: usize,
    /// What the word at the end of the line could become.
    pub(super) offers: Rc<Vec<String>>,
    /// The YAML that the Python dict in the editor would become.
    pub(super) python: Option<Rc<String>>,
    /// The tab that was shown before `kubectl edit` opened its own.
    pub(super) before_edit: Option<String>,
    pub(super) breaks: Option<Target>,
    pub(super) images: Rc<Vec<String>>,
    pub(super) later: Later,
    pub(super) help: bool,
    pub(super) layout: Layout,
    pub(super) drawer: bool,
    pub(super) said: AttrValue,

    pub(super) slow_now_ms: i64,
    pub(super) slow_at: f64,
    pub(super) last_frame: Option<f64>,
    /// The Pod that had the focus before its token moved elsewhere.
    pub(super) refocus: Option<String>,
    pub(super) restarted: bool,
    pub(super) drawn_pods: Option<Part<Vec<PodToken>>>,

    pub(super) live: Live,
    pub(super) lanes: Lanes,
    pub(super) travel: Travel,
    pub(super) announcer: Announcer,
    pub(super) stage: NodeRef,
    pub(super) act: Callback<Msg>,
    pub(super) frame: Option<AnimationFrame>,
    pub(super) typing: Option<Timeout>,
    pub(super) single_keys: Rc<Cell<bool>>,
    _listeners: Vec<EventListener>,
}

/// A callback that tells the page something only when there is something to tell.
pub fn when<EVENT: 'static>(act: &Callback<Msg>, what: impl Fn(EVENT) -> Option<Msg> + 'static) -> Callback<EVENT> {
    let act = act.clone();
    Callback::from(move |event| {
        if let Some(msg) = what(event) {
            act.emit(msg);
        }
    })
}

impl Component for App {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> App {
        let (mut kept, fault) = Kept::load();
        if kept.files.is_empty() {
            kept.example = EXAMPLES[0].id.to_owned();
            kept.files = files::of(&EXAMPLES[0]);
        }
        kept.active = kept.active.min(kept.files.len() - 1);
        kept.theme.show();
        for region in Region::ALL {
            browser::set_length(region.property(), kept.sizes[region as usize]);
        }
        let act = ctx.link().callback(|msg| msg);
        let single_keys = Rc::new(Cell::new(kept.keys));
        let mut app = App {
            stored: true,
            run: Run::stopped(Clock::new(kept.speed, kept.skip), kept.steps.clone()),
            fault: fault.map(AttrValue::from),
            version: 0,
            remarks: Rc::default(),
            answer: Rc::default(),
            tab: Tab::Events,
            selected: None,
            reachable: None,
            log: LogChoice::default(),
            lines: Rc::new(Ok(Vec::new())),
            screen: Rc::default(),
            typed: Rc::default(),
            terminals: Rc::new(vec![1]),
            terminal: 0,
            offers: Rc::default(),
            python: None,
            before_edit: None,
            breaks: None,
            images: Rc::default(),
            later: Later::default(),
            help: false,
            layout: Layout::now(),
            drawer: false,
            said: AttrValue::default(),
            slow_now_ms: 0,
            slow_at: 0.0,
            last_frame: None,
            refocus: None,
            restarted: true,
            drawn_pods: None,
            live: Live::default(),
            lanes: Lanes::default(),
            travel: Travel::default(),
            announcer: Announcer::default(),
            stage: NodeRef::default(),
            frame: None,
            typing: None,
            _listeners: listeners(&act, &single_keys),
            single_keys,
            act,
            kept,
        };
        if app.fault.is_none() {
            app.start();
        }
        app.store();
        app
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        let draw = self.handle(ctx, msg);
        if self.run.moves() && self.frame.is_none() {
            self.ask_for_frame(ctx);
        }
        draw
    }

    fn view(&self, _: &Context<Self>) -> Html {
        self.draw()
    }

    fn rendered(&mut self, ctx: &Context<Self>, first: bool) {
        self.live.collect();
        let pods = Part(self.run.view.pods.clone());
        if self.drawn_pods.as_ref() != Some(&pods) {
            if let Some(floor) = self.stage.cast::<web_sys::HtmlElement>() {
                let reduced = browser::matches("(prefers-reduced-motion: reduce)");
                let place = |uid: &str| pods.0.iter().find(|pod| pod.uid == uid).map(|pod| pod.place.clone());
                self.travel.after_drawing(&floor, place, Pace { speed: self.run.clock.factor(), reduced });
            }
            self.drawn_pods = Some(pods);
        }
        if let Some(uid) = self.refocus.take() {
            let lost = browser::document().active_element().is_none_or(|active| active.tag_name() == "BODY");
            if lost {
                browser::focus(&format!("button[data-pod='{uid}']"));
            }
        }
        self.paint();
        if first && self.run.moves() {
            self.ask_for_frame(ctx);
        }
    }
}

fn listeners(act: &Callback<Msg>, single_keys: &Rc<Cell<bool>>) -> Vec<EventListener> {
    let window = browser::window();
    let on = |name: &'static str, msg: fn() -> Msg| {
        let act = act.clone();
        EventListener::new(&window, name, move |_| act.emit(msg()))
    };
    vec![
        shortcuts::listen(act.clone(), single_keys.clone()),
        on("resize", || Msg::Layout),
        on("pagehide", || Msg::Typed),
    ]
}

impl App {
    /// Does it. True if the page is to be drawn again.
    fn handle(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Frame(at) => return self.on_frame(at),
            Msg::Toggle => self.run.clock.playing = !self.run.clock.playing && self.run.engine().is_some(),
            Msg::Step => self.run.step(),
            Msg::StepBack => {
                self.run.step_back();
                self.news();
            }
            Msg::Restart => self.restart(),
            Msg::Speed(speed) => self.set_speed(speed),
            Msg::Slower => self.set_speed(self.run.clock.speed.saturating_sub(1)),
            Msg::Faster => self.set_speed(self.run.clock.speed + 1),
            Msg::Skip => {
                self.run.clock.skip = !self.run.clock.skip;
                self.kept.skip = self.run.clock.skip;
                self.store();
            }
            Msg::Seed(seed) => {
                self.kept.seed = seed;
                self.restart();
            }
            Msg::Lanes(gesture) => return self.on_lanes(gesture),
            Msg::Edit(text) => return self.on_edit(ctx, text),
            Msg::Typed => self.check(),
            Msg::File(at) => {
                self.kept.active = at.min(self.kept.files.len() - 1);
                self.answer = Rc::default();
                self.check();
            }
            Msg::NewFile => {
                let name = files::fresh_name(&self.kept.files);
                self.kept.files.push(File { name, ..File::default() });
                self.kept.active = self.kept.files.len() - 1;
                self.answer = Rc::default();
                self.check();
            }
            Msg::Apply => self.apply(),
            Msg::ApplyFresh => self.apply_fresh(),
            Msg::Reset => self.reset(),
            Msg::Undo => self.undo(),
            Msg::CloseFile => self.close_file(),
            Msg::Rename(name) => self.rename(&name),
            Msg::TurnIntoYaml => self.turn_into_yaml(),
            Msg::Break(target) => self.open_breaks(target),
            Msg::Deed(deed) => self.break_it(deed),
            Msg::Example(at) => self.pick_example(at),
            Msg::Select(pod) => {
                if pod != self.selected {
                    self.log = LogChoice { follow: self.log.follow, ..LogChoice::default() };
                }
                if pod.is_some() {
                    self.open_tab(Tab::Logs);
                }
                self.selected = pod;
                self.read_log();
            }
            Msg::Reach(uid) => self.reachable = Some(uid),
            Msg::Container(name) => {
                self.log.container = name;
                self.read_log();
            }
            Msg::Previous => {
                self.log.previous = !self.log.previous;
                self.read_log();
            }
            Msg::FollowLog => self.log.follow = !self.log.follow,
            Msg::Line(line) => self.type_line(&line),
            Msg::Interrupt => self.tell_terminal(Engine::interrupt),
            Msg::EndInput => self.tell_terminal(Engine::end_input),
            Msg::Complete(line) => self.complete(&line),
            Msg::NewTerminal => self.new_terminal(),
            Msg::ShowTerminal(at) => self.show_terminal(at),
            Msg::CloseTerminal => self.close_terminal(),
            Msg::GoTerminal => {
                self.open_tab(Tab::Terminal);
                Timeout::new(0, || browser::focus(terminal::LINE)).forget();
            }
            Msg::Came(part, came) => self.part_came(part, came),
            Msg::Tab(tab) => self.open_tab(tab),
            Msg::Theme => {
                self.kept.theme = self.kept.theme.next();
                self.kept.theme.show();
                self.lanes.forget_colours();
                self.store();
            }
            Msg::Help(open) => self.help = open,
            Msg::Keys => {
                self.kept.keys = !self.kept.keys;
                self.single_keys.set(self.kept.keys);
                self.store();
            }
            Msg::Layout => {
                self.layout = Layout::now();
                if self.layout != Layout::Stack && self.tab == Tab::Editor {
                    self.tab = Tab::Events;
                }
            }
            Msg::ToggleEditor => self.show_editor(!self.editor_open()),
            Msg::GoEditor => {
                self.show_editor(true);
                // After the drawing, when it can be seen.
                Timeout::new(0, || browser::focus(".editor textarea, .editor .editor-host")).forget();
            }
            Msg::Go(selector) => {
                browser::focus(selector);
                return false;
            }
            Msg::Escape if self.layout == Layout::Drawer => self.drawer = false,
            Msg::Escape => return false,
            Msg::Size(region, size) => {
                self.kept.sizes[region as usize] = size;
                browser::set_length(region.property(), size);
                self.store();
            }
            Msg::Fold(region) => {
                self.kept.folded[region as usize] = !self.folded(region);
                self.store();
            }
            Msg::StartAgain => {
                self.fault = None;
                self.start();
            }
            Msg::CopyReport => {
                browser::copy(&self.report());
                self.said = "The report is on the clipboard".into();
            }
        }
        true
    }
}
