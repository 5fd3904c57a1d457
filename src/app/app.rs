//! The page's state, everything that can happen to it, and how the regions lie.

use std::cell::Cell;
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::render::{AnimationFrame, request_animation_frame};
use gloo::timers::callback::Timeout;
use yew::prelude::*;

use super::announce::Announcer;
use super::bands::Bands;
use super::browser;
use super::clock::{Clock, SPEEDS};
use super::clockbar::ClockBar;
use super::editor::Editor;
use super::engine::{self, Answer, LogLine, Remark, Setup};
use super::events::Events;
use super::examples::{self, EXAMPLES};
use super::files::{self, File};
use super::header::Header;
use super::help::Help;
use super::kept::Kept;
use super::lanes::{Gesture, Lanes, Wish};
use super::live::Live;
use super::logs::Logs;
use super::objects::Objects;
use super::report::{self, Fault};
use super::run::{Part, Run};
use super::sash::Sash;
use super::shortcuts;
use super::sign;
use super::stage::Stage;
use super::timeline::Timeline;
use super::travel::Travel;
use super::ui::{Layout, LogChoice, Region, Tab};

/// Ages in tables move on this often, in real milliseconds.
const SLOW_MS: f64 = 250.0;
/// A pause in typing this long, in milliseconds, and the text is checked and stored.
const TYPING_MS: u32 = 250;

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
    Reset,
    Example(usize),

    Select(Option<AttrValue>),
    /// The Pod that Tab reaches.
    Reach(AttrValue),
    Container(Option<String>),
    Previous,
    FollowLog,

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
    kept: Kept,
    stored: bool,
    run: Run,
    /// What the last panic said, until the user starts again.
    fault: Option<AttrValue>,
    /// Grows when the page changed the text itself.
    version: u32,
    remarks: Rc<Vec<Remark>>,
    answer: Rc<Answer>,

    tab: Tab,
    selected: Option<AttrValue>,
    reachable: Option<AttrValue>,
    log: LogChoice,
    lines: Rc<Result<Vec<LogLine>, String>>,
    help: bool,
    layout: Layout,
    drawer: bool,
    said: AttrValue,

    slow_now_ms: i64,
    slow_at: f64,
    last_frame: Option<f64>,
    /// The Pod that had the focus before its token moved elsewhere.
    refocus: Option<String>,
    restarted: bool,
    drawn_pods: Option<Part<Vec<engine::PodToken>>>,

    live: Live,
    lanes: Lanes,
    travel: Travel,
    announcer: Announcer,
    stage: NodeRef,
    act: Callback<Msg>,
    frame: Option<AnimationFrame>,
    typing: Option<Timeout>,
    single_keys: Rc<Cell<bool>>,
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
        let editor_open = self.editor_open();
        let class = classes!(
            "shell",
            self.run.clock.playing.then_some("playing"),
            (!editor_open).then_some("no-editor"),
            (self.layout == Layout::Drawer && self.drawer).then_some("drawer"),
            (self.layout == Layout::Stack && self.tab == Tab::Editor).then_some("tab-editor"),
            self.folded(Region::Timeline).then_some("no-timeline"),
            self.folded(Region::Dock).then_some("no-dock"),
        );
        html! {
            <div {class}>
                <a class="skip-link" href="#stage">{ "To the stage" }</a>
                { sign::definitions() }
                { self.header() }
                <section id="editor" class="editor" aria-label="Manifest">{ self.editor() }</section>
                { self.sash(Region::Editor) }
                <main id="stage" class="stage" tabindex="-1">{ self.stage() }</main>
                { self.clock_bar() }
                { self.sash(Region::Timeline) }
                <Timeline follows={self.lanes.follows} pods={self.run.view.lanes.len()} act={self.act.clone()} />
                { self.sash(Region::Dock) }
                <section class="dock" aria-label="Details">{ self.dock() }</section>
                <div class="unseen" role="status" aria-live="polite">{ &self.said }</div>
                <Help open={self.help} keys={self.kept.keys} act={self.act.clone()} />
            </div>
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, first: bool) {
        self.live.collect();
        let pods = Part(self.run.view.pods.clone());
        if self.drawn_pods.as_ref() != Some(&pods) {
            if let Some(stage) = self.stage.cast::<web_sys::Element>() {
                let reduced = browser::matches("(prefers-reduced-motion: reduce)");
                self.travel.after_drawing(&stage, self.run.clock.factor(), reduced);
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

/// What happens.
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
            Msg::Reset => self.load_example(examples::index_of(&self.kept.example)),
            Msg::Example(at) => self.load_example(at.min(EXAMPLES.len() - 1)),
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
                Timeout::new(0, || browser::focus(".editor textarea, .editor .cm-content, .editor [role=tab]"))
                    .forget();
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

    fn on_frame(&mut self, at: f64) -> bool {
        self.frame = None;
        let frame_ms = at - self.last_frame.replace(at).unwrap_or(at);
        let was_skipping = self.run.skips();
        let was_moving = self.run.moves();
        let mut draw = self.run.frame(frame_ms);
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
            draw |= self.read_log();
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

    fn on_lanes(&mut self, gesture: Gesture) -> bool {
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

    fn on_edit(&mut self, ctx: &Context<Self>, text: String) -> bool {
        let file = &mut self.kept.files[self.kept.active];
        let was_edited = file.edited();
        file.text = text;
        let now_edited = file.edited();
        // First of all it is kept: whatever comes next may fail.
        self.kept.keep();
        let link = ctx.link().clone();
        self.typing = Some(Timeout::new(TYPING_MS, move || link.send_message(Msg::Typed)));
        // A textarea that is not told its own text would be reset by the next drawing.
        was_edited != now_edited
    }

    /// The text rests: it is checked and stored.
    fn check(&mut self) {
        self.typing = None;
        self.store();
        self.remarks = Rc::new(engine::lint(&self.kept.files[self.kept.active].text));
    }

    fn apply(&mut self) {
        self.check();
        let file = &mut self.kept.files[self.kept.active];
        let text = file.text.clone();
        if self.run.engine().is_none() {
            return;
        }
        file.applied = Some(text.clone());
        let name = file.name.clone();
        self.kept.steps = self.run.steps.clone();
        self.kept.steps.push(super::kept::Step { at_ms: self.run.now_ms(), file: name.clone(), text: text.clone() });
        self.kept.keep();
        let answer = self.run.apply(&name, &text);
        if !answer.ok {
            self.kept.files[self.kept.active].applied = None;
        }
        self.remarks = Rc::new(answer.remarks.clone());
        self.said = answer.text.clone().into();
        self.answer = Rc::new(answer);
        self.store();
        self.news();
        if self.layout == Layout::Drawer && self.answer.ok {
            self.drawer = false;
        }
    }

    fn load_example(&mut self, at: usize) {
        self.kept.example = EXAMPLES[at].id.to_owned();
        self.kept.files = files::of(&EXAMPLES[at]);
        self.kept.active = 0;
        self.version += 1;
        self.restart();
        self.check();
    }

    /// From the start, with the same seed: what the cluster was last given of each tab is given again at once.
    fn restart(&mut self) {
        self.fault = None;
        self.start();
        self.store();
    }

    fn start(&mut self) {
        let given = |file: &File| file.applied.clone().map(|text| (file.name.clone(), text));
        let setup = Setup { seed: self.kept.seed, files: self.kept.files.iter().filter_map(given).collect() };
        self.kept.steps = setup
            .files
            .iter()
            .map(|(file, text)| super::kept::Step { at_ms: 0, file: file.clone(), text: text.clone() })
            .collect();
        self.kept.keep();
        let clock = Clock::new(self.kept.speed, self.kept.skip);
        let (run, answers) = Run::start(&setup, clock);
        self.run = run;
        self.answer = Rc::new(answers.into_iter().find(|answer| !answer.ok).unwrap_or_default());
        self.remarks = Rc::new(engine::lint(&self.kept.files[self.kept.active].text));
        self.selected = None;
        self.reachable = None;
        self.restarted = true;
        self.last_frame = None;
        self.lanes.restart();
        self.announcer.look(&self.run.view, true);
        self.news();
    }

    /// The picture changed by something else than a frame.
    fn news(&mut self) {
        self.slow_now_ms = self.run.now_ms();
        self.read_log();
        self.remember_focus();
    }

    fn set_speed(&mut self, speed: usize) {
        self.run.clock.speed = speed.min(SPEEDS.len() - 1);
        self.kept.speed = self.run.clock.speed;
        self.store();
    }

    fn open_tab(&mut self, tab: Tab) {
        self.tab = tab;
        if self.folded(Region::Dock) {
            self.kept.folded[Region::Dock as usize] = false;
        }
        self.slow_now_ms = self.run.now_ms();
        self.read_log();
    }

    fn show_editor(&mut self, open: bool) {
        match self.layout {
            Layout::Wide => self.kept.folded[Region::Editor as usize] = !open,
            Layout::Drawer => self.drawer = open,
            Layout::Stack => self.tab = if open { Tab::Editor } else { Tab::Events },
        }
        self.store();
    }

    fn editor_open(&self) -> bool {
        match self.layout {
            Layout::Wide => !self.folded(Region::Editor),
            Layout::Drawer => self.drawer,
            Layout::Stack => self.tab == Tab::Editor,
        }
    }

    /// In a stack nothing is folded: there a region is as high as it needs.
    fn folded(&self, region: Region) -> bool {
        self.layout != Layout::Stack && self.kept.folded[region as usize]
    }

    /// Reads the chosen log. True if it is another than before.
    fn read_log(&mut self) -> bool {
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

    fn remember_focus(&mut self) {
        let active = browser::document().active_element();
        self.refocus = active.and_then(|active| active.get_attribute("data-pod"));
    }

    fn store(&mut self) {
        self.kept.keep();
        self.stored = self.kept.store();
    }

    fn report(&self) -> String {
        report::scenario(self.fault.as_deref().unwrap_or_default(), self.kept.seed, &self.run.steps)
    }

    fn ask_for_frame(&mut self, ctx: &Context<Self>) {
        let link = ctx.link().clone();
        self.frame = Some(request_animation_frame(move |at| link.send_message(Msg::Frame(at))));
    }

    /// Writes what moves with time.
    fn paint(&mut self) {
        let now_ms = self.run.now_ms();
        let wall_clock = self.run.engine().map(|engine| engine.wall_clock(now_ms)).unwrap_or_default();
        self.live.paint(now_ms, &wall_clock);
        if !self.folded(Region::Timeline) {
            self.lanes.paint(&self.run.view, now_ms, self.run.furthest_ms, self.selected.as_deref());
        }
    }
}

/// How it is drawn.
impl App {
    fn header(&self) -> Html {
        html! {
            <Header example={examples::index_of(&self.kept.example)} edited={self.kept.files.iter().any(File::edited)} stored={self.stored}
                theme={self.kept.theme} layout={self.layout} editor_open={self.editor_open()} act={self.act.clone()} />
        }
    }

    fn editor(&self) -> Html {
        let file = &self.kept.files[self.kept.active];
        let tabs = self.kept.files.iter().map(|file| (file.name.clone(), file.edited())).collect::<Vec<_>>();
        html! {
            <Editor tabs={Rc::new(tabs)} active={self.kept.active} version={self.version} text={file.text.clone()} remarks={self.remarks.clone()}
                answer={self.answer.clone()} dark={self.kept.theme.is_dark()} act={self.act.clone()} />
        }
    }

    fn stage(&self) -> Html {
        let view = &self.run.view;
        if let Some(fault) = &self.fault {
            return html! { <Fault fault={fault.clone()} report={self.report()} act={self.act.clone()} /> };
        }
        html! {
            <>
                <Bands jobs={Part(view.jobs.clone())} cron_jobs={Part(view.cron_jobs.clone())} services={Part(view.services.clone())} />
                <div class="floor" ref={self.stage.clone()} role="group" aria-label="Cluster">
                    <Stage pods={Part(view.pods.clone())} nodes={Part(view.nodes.clone())} jobs={Part(view.jobs.clone())}
                        selected={self.selected.clone()} reachable={self.reachable.clone()} act={self.act.clone()} />
                </div>
            </>
        }
    }

    fn clock_bar(&self) -> Html {
        let clock = &self.run.clock;
        let wall_clock = self.run.engine().map(|engine| engine.wall_clock(self.slow_now_ms)).unwrap_or_default();
        html! {
            <ClockBar playing={clock.playing} speed={clock.speed} skip={clock.skip} skips={self.run.skips()} at_rest={self.run.at_rest()}
                seed={self.kept.seed} day={wall_clock.get(..10).unwrap_or_default().to_owned()} act={self.act.clone()} />
        }
    }

    fn sash(&self, region: Region) -> Html {
        html! { <Sash {region} size={self.kept.sizes[region as usize]} folded={self.folded(region)} act={self.act.clone()} /> }
    }

    fn dock(&self) -> Html {
        let stack = self.layout == Layout::Stack;
        let offered: Vec<Tab> = Tab::ALL.into_iter().filter(|tab| stack || *tab != Tab::Editor).collect();
        let at = offered.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        let key = {
            let offered = offered.clone();
            when(&self.act, move |event: KeyboardEvent| {
                let to = match event.key().as_str() {
                    "ArrowRight" => (at + 1) % offered.len(),
                    "ArrowLeft" => (at + offered.len() - 1) % offered.len(),
                    _ => return None,
                };
                browser::focus(&format!("#tab-{}", offered[to].title()));
                Some(Msg::Tab(offered[to]))
            })
        };
        let tab = |tab: &Tab| {
            let (tab, on) = (*tab, *tab == self.tab);
            html! {
                <button key={tab.title()} type="button" role="tab" id={format!("tab-{}", tab.title())} aria-selected={on.to_string()}
                    aria-controls={if tab == Tab::Editor { "editor" } else { "panel" }} tabindex={if on { "0" } else { "-1" }}
                    class={classes!(on.then_some("on"))} onclick={self.act.reform(move |_: MouseEvent| Msg::Tab(tab))}>{ tab.title() }</button>
            }
        };
        html! {
            <>
                <div class="dock-tabs" role="tablist" aria-label="Details" onkeydown={key}>{ for offered.iter().map(tab) }</div>
                <div id="panel" class="panel scrolls" role="tabpanel" tabindex="0" aria-labelledby={format!("tab-{}", self.tab.title())}>{ self.panel() }</div>
            </>
        }
    }

    fn panel(&self) -> Html {
        let view = &self.run.view;
        match self.tab {
            Tab::Editor => Html::default(),
            Tab::Events => html! { <Events events={Part(view.events.clone())} now_ms={self.slow_now_ms} /> },
            Tab::Logs => html! {
                <Logs pods={Part(view.pods.clone())} selected={self.selected.clone()} choice={self.log.clone()} lines={self.lines.clone()}
                    now_ms={self.slow_now_ms} act={self.act.clone()} />
            },
            Tab::Objects => html! {
                <Objects pods={Part(view.pods.clone())} jobs={Part(view.jobs.clone())} cron_jobs={Part(view.cron_jobs.clone())}
                    nodes={Part(view.nodes.clone())} services={Part(view.services.clone())} selected={self.selected.clone()}
                    now_ms={self.slow_now_ms} act={self.act.clone()} />
            },
        }
    }
}
