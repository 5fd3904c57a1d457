//! A session: one run with everything that is seen of it. It can stand on a page more than once; what it draws it finds
//! through its own references, and its ids are its own.
//!
//! Regions are components with messages of their own; here each is handed to the desk, and what the desk asks of the page is
//! done. What moves with time is painted outside the virtual DOM: at the start of each frame, whatever is drawn, and after
//! each drawing. The next frame is asked for once the last drawing is done, so that no frame overtakes it.

use std::rc::Rc;

use gloo::events::EventListener;
use gloo::render::{AnimationFrame, request_animation_frame};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, StorageEvent};
use yew::platform::spawn_local;
use yew::prelude::*;

use super::bands::Bands;
use super::breaks::{self, Menu, Offers, Target};
use super::browser;
use super::calls::Calls;
use super::clock::SPEEDS;
use super::clockbar::{self, ClockBar};
use super::desk::{Ask, Desk};
use super::dock::Dock;
use super::editor::{self, Editor};
use super::engine::Extra;
use super::events::Events;
use super::examples;
use super::files::File;
use super::header::{self, Header};
use super::ids::Ids;
use super::lanes::{Lanes, Now};
use super::later::{self, Came};
use super::live::Live;
use super::logs::{self, Logs};
use super::objects::Objects;
use super::page;
use super::report::{self, Fault};
use super::run::Part;
use super::sash::Sash;
use super::settings::{Choice, Settings};
use super::shortcuts::Key;
use super::stage::{self, Stage};
use super::terminal::{self, Terminal};
use super::texts::{Change, Undo};
use super::timeline::Timeline;
use super::travel::{Pace, Travel};
use super::ui::{Layout, Region, Tab};
use super::window::{Gesture, Wish};

/// What a region, the browser or the page says.
#[derive(Clone, Debug)]
pub enum Msg {
    Frame(f64),
    Header(header::Msg),
    Clock(clockbar::Msg),
    Editor(editor::Msg),
    Stage(stage::Msg),
    Timeline(Gesture),
    Tab(Tab),
    Terminal(terminal::Msg),
    Logs(logs::Msg),
    Menu(breaks::Msg),
    Fault(report::Msg),
    Key(Key),
    /// A part that was fetched, or why it did not come.
    Came(Extra, Came),
    Resized,
    /// The page is left: what is typed is stored.
    Left,
    /// Another tab of the browser stored something: its key, and the text.
    Stored(String, String),
}

#[derive(Properties, PartialEq)]
pub struct Props {
    /// Its place on the page, and how many there are.
    pub nth: usize,
    pub of: usize,
    pub settings: Rc<Settings>,
    /// A dialog of the page is open.
    pub covered: bool,
    pub page: Callback<page::Msg>,
}

pub struct Session {
    ids: Ids,
    calls: Calls,
    desk: Desk,
    layout: Layout,
    /// The drawer is open.
    drawer: bool,
    menu: Option<Target>,
    offers: Rc<Offers>,

    root: NodeRef,
    floor: NodeRef,
    line: NodeRef,
    text: NodeRef,
    panel: NodeRef,
    lanes: Lanes,
    live: Live,
    travel: Option<Travel>,

    frame: Option<AnimationFrame>,
    last_frame: Option<f64>,
    /// A drawing is under way.
    draws: bool,
    /// The Pod that had the focus before its token moved elsewhere.
    refocus: Option<String>,
    _listeners: Vec<EventListener>,
}

impl Component for Session {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<Self>) -> Session {
        let Props { nth, of, settings, page, .. } = ctx.props();
        let keys = ctx.link().callback(Msg::Key);
        page.emit(page::Msg::Hello(*nth, keys));
        let mut session = Session {
            ids: Ids::of_session(*nth),
            calls: Calls::new(ctx),
            desk: Desk::open(*nth, settings),
            layout: Layout::of_width(browser::size().0 / *of as i32),
            drawer: false,
            menu: None,
            offers: Rc::default(),
            root: NodeRef::default(),
            floor: NodeRef::default(),
            line: NodeRef::default(),
            text: NodeRef::default(),
            panel: NodeRef::default(),
            lanes: Lanes::default(),
            live: Live::default(),
            travel: None,
            frame: None,
            last_frame: None,
            draws: true,
            refocus: None,
            _listeners: listeners(ctx),
        };
        session.do_asked(ctx);
        session
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        let mut draw = self.handle(ctx, msg);
        draw |= self.do_asked(ctx);
        if draw {
            self.draws = true;
            let active = browser::active();
            self.refocus = active.and_then(|active| active.get_attribute("data-pod"));
        } else {
            self.ask_for_frame(ctx);
        }
        draw
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &Props) -> bool {
        if ctx.props().settings.theme != old.settings.theme {
            self.lanes.forget_colours();
        }
        self.draws = true;
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let folded = |region| self.folded(ctx, region);
        let class = classes!(
            "shell",
            self.desk.run.clock.playing.then_some("playing"),
            (!self.editor_open(ctx)).then_some("no-editor"),
            (self.layout == Layout::Drawer && self.drawer).then_some("drawer"),
            (self.layout == Layout::Stack && self.desk.tab == Tab::Editor).then_some("tab-editor"),
            folded(Region::Timeline).then_some("no-timeline"),
            folded(Region::Dock).then_some("no-dock"),
        );
        let stage = self.ids.of("stage");
        let sash = |region: Region| {
            let size = ctx.props().settings.sizes[region as usize];
            html! { <Sash {region} {size} folded={folded(region)} act={self.calls.choose.clone()} /> }
        };
        html! {
            <div class="session" ref={&self.root}>
            <div {class}>
                <a class="skip-link" href={format!("#{stage}")}>{ "To the stage" }</a>
                { self.header(ctx) }
                <section id={self.ids.of("editor")} class="editor" aria-label="Manifest">{ self.editor(ctx) }</section>
                if self.layout == Layout::Drawer && self.drawer {
                    <div class="shade" onclick={self.calls.shade.clone()}></div>
                }
                { sash(Region::Editor) }
                <main id={stage} class="stage" tabindex="-1">{ self.stage() }</main>
                { self.clock_bar() }
                { sash(Region::Timeline) }
                <Timeline follows={self.lanes.window.follows} pods={self.desk.run.view.lanes.len()} canvas={&self.lanes.canvas}
                    scroll={&self.lanes.scroll} act={self.calls.timeline.clone()} />
                { sash(Region::Dock) }
                <Dock ids={self.ids.clone()} tab={self.desk.tab} stacked={self.layout == Layout::Stack} panel={&self.panel}
                    act={self.calls.tab.clone()}>{ self.panel() }</Dock>
                <div class="unseen" role="status" aria-live="polite">{ &self.desk.said }</div>
                { self.menu() }
            </div>
            </div>
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, first: bool) {
        self.draws = false;
        if first {
            self.measure(ctx);
        }
        if let Some(root) = self.root.cast::<web_sys::Element>() {
            self.live.collect(&root);
        }
        self.let_pods_travel();
        if let Some(uid) = self.refocus.take().filter(|_| browser::focus_is_lost()) {
            browser::focus(&self.floor, Some(&format!("button[data-pod='{uid}']")));
        }
        self.paint(ctx);
        self.ask_for_frame(ctx);
    }
}

fn listeners(ctx: &Context<Session>) -> Vec<EventListener> {
    let window = browser::window();
    let on = |name: &'static str, msg: fn() -> Msg| {
        let link = ctx.link().clone();
        EventListener::new(&window, name, move |_| link.send_message(msg()))
    };
    let link = ctx.link().clone();
    let stored = EventListener::new(&window, "storage", move |event| {
        let Some(event) = event.dyn_ref::<StorageEvent>() else { return };
        if let (Some(key), Some(text)) = (event.key(), event.new_value()) {
            link.send_message(Msg::Stored(key, text));
        }
    });
    vec![on("resize", || Msg::Resized), on("pagehide", || Msg::Left), stored]
}

/// What happens to it.
impl Session {
    /// Does it. True if the session is to be drawn again.
    fn handle(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Frame(at) => return self.on_frame(ctx, at),
            Msg::Header(msg) => self.on_header(ctx, msg),
            Msg::Clock(msg) => self.on_clock(msg),
            Msg::Editor(msg) => return self.on_editor(msg),
            Msg::Stage(stage::Msg::Select(uid)) => self.select(ctx, Some(uid)),
            Msg::Stage(stage::Msg::Break(target)) | Msg::Logs(logs::Msg::Break(target)) => self.open_menu(target),
            Msg::Timeline(gesture) => return self.on_timeline(ctx, gesture),
            Msg::Tab(tab) => self.open_tab(ctx, tab),
            Msg::Terminal(msg) => self.desk.use_terminals(msg),
            Msg::Logs(logs::Msg::Pod(pod)) => self.select(ctx, pod),
            Msg::Logs(msg) => self.desk.use_log(msg),
            Msg::Menu(breaks::Msg::Open(target)) => self.open_menu(target),
            Msg::Menu(breaks::Msg::Close) => self.menu = None,
            Msg::Menu(breaks::Msg::Do(deed)) => {
                self.menu = None;
                self.desk.break_it(deed);
            }
            Msg::Fault(report::Msg::StartAgain) => self.desk.restart(),
            Msg::Fault(report::Msg::Copy) => {
                browser::copy(&self.desk.report());
                self.desk.said = "The report is on the clipboard".into();
            }
            Msg::Key(key) => return self.on_key(ctx, key),
            Msg::Came(part, came) => self.desk.part_came(part, came),
            Msg::Resized => self.measure(ctx),
            Msg::Left => self.desk.store(),
            Msg::Stored(key, text) => return self.desk.hear(&key, &text),
        }
        true
    }

    /// Does what the desk asked for. True if there was something to draw anew.
    fn do_asked(&mut self, ctx: &Context<Self>) -> bool {
        let mut draw = false;
        // Doing it may ask for more.
        while let Some(ask) = self.desk.next_ask() {
            draw |= !matches!(ask, Ask::Fetch(_));
            match ask {
                Ask::Fetch(part) => {
                    let link = ctx.link().clone();
                    spawn_local(async move { link.send_message(Msg::Came(part, later::bring(part).await)) });
                }
                Ask::Line(old, text) => terminal::set_line(&self.line, &old, &text),
                Ask::ToEditor => self.go_to_editor(),
                Ask::ToTerminal => {
                    self.drawer = false;
                    self.go_to_terminal(ctx);
                }
                Ask::Restarted => {
                    self.last_frame = None;
                    self.lanes.restart();
                }
                Ask::Applied => self.drawer = false,
            }
        }
        draw
    }

    fn on_frame(&mut self, ctx: &Context<Self>, at: f64) -> bool {
        self.frame = None;
        let frame_ms = at - self.last_frame.replace(at).unwrap_or(at);
        let types = self.desk.tab == Tab::Terminal && self.desk.terminals.held;
        self.desk.run.clock.held = types || self.menu.is_some() || ctx.props().covered;
        let draw = self.desk.frame(at, frame_ms, !self.folded(ctx, Region::Dock));
        if !self.desk.run.moves() {
            self.last_frame = None;
        }
        // At once, whatever is to be drawn: a drawing may take longer than a frame.
        self.paint(ctx);
        draw
    }

    fn ask_for_frame(&mut self, ctx: &Context<Self>) {
        if self.desk.run.moves() && self.frame.is_none() && !self.draws {
            let link = ctx.link().clone();
            self.frame = Some(request_animation_frame(move |at| link.send_message(Msg::Frame(at))));
        }
    }

    fn let_pods_travel(&mut self) {
        let Some(floor) = self.floor.cast::<HtmlElement>() else {
            self.travel = None;
            return;
        };
        if !self.travel.as_ref().is_some_and(|travel| travel.is_on(&floor)) {
            self.travel = Travel::on(floor);
        }
        if let Some(travel) = &self.travel {
            let reduced = browser::matches("(prefers-reduced-motion: reduce)");
            travel.set_pace(Pace { speed: self.desk.run.clock.factor(), reduced });
        }
    }

    /// Writes what moves with time.
    fn paint(&mut self, ctx: &Context<Self>) {
        let run = &mut self.desk.run;
        let (now_ms, furthest_ms, state) = (run.now_ms(), run.furthest_ms, run.state());
        let wall_clock = run.engine().map(|engine| engine.wall_clock(now_ms)).unwrap_or_default();
        self.live.paint(now_ms, &wall_clock, &state);
        if !self.folded(ctx, Region::Timeline) {
            let now = Now { now_ms, furthest_ms, selected: self.desk.selected.as_deref() };
            self.lanes.paint(&self.desk.run.view, now);
        }
    }

    fn measure(&mut self, ctx: &Context<Self>) {
        let own = self.root.cast::<HtmlElement>().map(|root| root.client_width()).filter(|width| *width > 0);
        let layout = Layout::of_width(own.unwrap_or(browser::size().0));
        if layout != self.layout {
            self.layout = layout;
            if layout != Layout::Stack && self.desk.tab == Tab::Editor {
                self.desk.show_tab(Tab::Events);
            }
            ctx.link().send_message(Msg::Resized);
        }
    }

    fn on_header(&mut self, ctx: &Context<Self>, msg: header::Msg) {
        match msg {
            header::Msg::Example(at) => drop(self.desk.change(Change::Example(at))),
            header::Msg::Break => self.open_menu(Target::All),
            header::Msg::ToggleEditor => self.show_editor(!self.editor_open(ctx)),
            header::Msg::Theme => self.calls.choose.emit(Choice::Theme),
            header::Msg::Help => ctx.props().page.emit(page::Msg::Help(true)),
        }
    }

    fn on_clock(&mut self, msg: clockbar::Msg) {
        let run = &mut self.desk.run;
        let speed = match msg {
            clockbar::Msg::Toggle => return run.toggle(),
            clockbar::Msg::Step => return run.step(),
            clockbar::Msg::StepBack => {
                run.step_back();
                return self.desk.news();
            }
            clockbar::Msg::Restart => return self.desk.restart(),
            clockbar::Msg::Skip => {
                run.clock.skip = !run.clock.skip;
                return self.calls.choose.emit(Choice::Skip(self.desk.run.clock.skip));
            }
            clockbar::Msg::Seed(seed) => {
                self.desk.seed = seed;
                self.desk.restart();
                return self.calls.choose.emit(Choice::Seed(seed));
            }
            clockbar::Msg::Speed(speed) => speed,
            clockbar::Msg::Slower => run.clock.speed.saturating_sub(1),
            clockbar::Msg::Faster => run.clock.speed + 1,
        };
        run.clock.speed = speed.min(SPEEDS.len() - 1);
        self.calls.choose.emit(Choice::Speed(self.desk.run.clock.speed));
    }

    fn on_editor(&mut self, msg: editor::Msg) -> bool {
        match msg {
            editor::Msg::Change(change) => return self.desk.change(change),
            editor::Msg::Rest => self.desk.check(),
            editor::Msg::Apply => self.desk.apply(),
            editor::Msg::ApplyFresh => self.desk.apply_fresh(),
            editor::Msg::TurnIntoYaml => self.desk.turn_into_yaml(),
        }
        true
    }

    fn on_timeline(&mut self, ctx: &Context<Self>, gesture: Gesture) -> bool {
        let followed = self.lanes.window.follows;
        let run = &mut self.desk.run;
        match self.lanes.gesture(gesture, &run.view, run.furthest_ms) {
            Wish::Nothing | Wish::Tell(_) => return false,
            Wish::Paint => {}
            // Once a frame, however often the pointer moves.
            Wish::Seek(at_ms) => {
                let was_playing = run.clock.playing;
                run.want(at_ms);
                return was_playing;
            }
            Wish::Select(uid) => {
                self.select(ctx, Some(uid.into()));
                return true;
            }
        }
        self.paint(ctx);
        followed != self.lanes.window.follows
    }

    fn on_key(&mut self, ctx: &Context<Self>, key: Key) -> bool {
        match key {
            Key::Apply => self.desk.apply(),
            Key::Toggle => self.on_clock(clockbar::Msg::Toggle),
            Key::Step => self.on_clock(clockbar::Msg::Step),
            Key::StepBack => self.on_clock(clockbar::Msg::StepBack),
            Key::Restart => self.on_clock(clockbar::Msg::Restart),
            Key::Slower => self.on_clock(clockbar::Msg::Slower),
            Key::Faster => self.on_clock(clockbar::Msg::Faster),
            Key::Skip => self.on_clock(clockbar::Msg::Skip),
            Key::Pods => browser::focus(&self.floor, Some("button[data-pod][tabindex='0']")),
            Key::Lanes => browser::focus(&self.lanes.scroll, None),
            Key::Editor => self.go_to_editor(),
            Key::Terminal => self.go_to_terminal(ctx),
            Key::Break => self.open_menu(Target::All),
            Key::Tab(tab) => {
                self.open_tab(ctx, tab);
                browser::focus_later(&self.panel, None);
            }
            Key::Escape if self.layout == Layout::Drawer && self.drawer => self.drawer = false,
            Key::Escape | Key::Theme | Key::Help => return false,
        }
        true
    }

    fn select(&mut self, ctx: &Context<Self>, pod: Option<AttrValue>) {
        if pod.is_some() {
            self.open_tab(ctx, Tab::Logs);
        }
        if pod.is_some() && self.layout == Layout::Stack {
            // The log lies below what is in sight.
            browser::reveal_later(&self.panel);
        }
        self.desk.select(pod);
    }

    fn open_tab(&mut self, ctx: &Context<Self>, tab: Tab) {
        if self.folded(ctx, Region::Dock) {
            self.calls.choose.emit(Choice::Fold(Region::Dock, false));
        }
        self.desk.show_tab(tab);
    }

    fn open_menu(&mut self, target: Target) {
        let engine = self.desk.run.engine();
        let offers = engine.map(|engine| Offers { images: engine.images(), controllers: engine.controllers() });
        self.offers = Rc::new(offers.unwrap_or_default());
        self.menu = Some(target);
    }

    fn go_to_terminal(&mut self, ctx: &Context<Self>) {
        self.open_tab(ctx, Tab::Terminal);
        browser::focus_later(&self.line, None);
    }

    fn go_to_editor(&mut self) {
        self.show_editor(true);
        browser::focus_later(&self.text, Some("textarea, .editor-host"));
    }

    fn show_editor(&mut self, open: bool) {
        match self.layout {
            Layout::Wide => self.calls.choose.emit(Choice::Fold(Region::Editor, !open)),
            Layout::Drawer => self.drawer = open,
            Layout::Stack => self.desk.show_tab(if open { Tab::Editor } else { Tab::Events }),
        }
    }

    fn editor_open(&self, ctx: &Context<Self>) -> bool {
        match self.layout {
            Layout::Wide => !self.folded(ctx, Region::Editor),
            Layout::Drawer => self.drawer,
            Layout::Stack => self.desk.tab == Tab::Editor,
        }
    }

    /// In a stack nothing is folded: there a region is as high as it needs.
    fn folded(&self, ctx: &Context<Self>, region: Region) -> bool {
        self.layout != Layout::Stack && ctx.props().settings.folded(region, browser::size().1)
    }
}

/// What its regions are given.
impl Session {
    fn header(&self, ctx: &Context<Self>) -> Html {
        let texts = &self.desk.texts;
        html! {
            <Header example={examples::index_of(&texts.example)} edited={texts.files.iter().any(File::edited)} stored={self.desk.kept}
                theme={ctx.props().settings.theme} layout={self.layout} editor_open={self.editor_open(ctx)} act={self.calls.header.clone()} />
        }
    }

    fn editor(&self, ctx: &Context<Self>) -> Html {
        let Desk { texts, remarks, answer, python, .. } = &self.desk;
        let tab =
            |file: &File| editor::Tab { name: file.name.clone(), edited: file.edited(), edit: file.edit.is_some() };
        let tabs: Vec<editor::Tab> = texts.files.iter().map(tab).collect();
        let undo = texts.undo.as_ref().map(Undo::label).unwrap_or_default();
        html! {
            <Editor ids={self.ids.clone()} place={&self.text} tabs={Rc::new(tabs)} active={texts.active} version={texts.version}
                text={texts.shown().text.clone()} remarks={remarks.clone()} answer={answer.clone()} {undo} elsewhere={texts.elsewhere.is_some()}
                restart_helps={answer.restart_helps}
                python={python.is_some()} dark={ctx.props().settings.theme.is_dark()} act={self.calls.editor.clone()} />
        }
    }

    fn stage(&self) -> Html {
        let view = &self.desk.run.view;
        if let Some(fault) = &self.desk.fault {
            return html! { <Fault fault={fault.clone()} report={self.desk.report()} act={self.calls.fault.clone()} /> };
        }
        html! {
            <>
                { stage::broken(self.desk.run.broken()) }
                <Bands jobs={Part(view.jobs.clone())} cron_jobs={Part(view.cron_jobs.clone())} services={Part(view.services.clone())} />
                <Stage pods={Part(view.pods.clone())} nodes={Part(view.nodes.clone())} jobs={Part(view.jobs.clone())}
                    selected={self.desk.selected.clone()} floor={&self.floor} act={self.calls.stage.clone()} />
            </>
        }
    }

    fn clock_bar(&self) -> Html {
        let run = &self.desk.run;
        let wall_clock = run.engine().map(|engine| engine.wall_clock(self.desk.slow_now_ms)).unwrap_or_default();
        html! {
            <ClockBar ids={self.ids.clone()} playing={run.clock.playing} speed={run.clock.speed} skip={run.clock.skip} seed={self.desk.seed}
                day={wall_clock.get(..10).unwrap_or_default().to_owned()} act={self.calls.clock.clone()} />
        }
    }

    fn panel(&self) -> Html {
        let Desk { run, terminals, log, selected, slow_now_ms: now_ms, .. } = &self.desk;
        let (view, selected, now_ms) = (&run.view, selected.clone(), *now_ms);
        match self.desk.tab {
            Tab::Editor => Html::default(),
            Tab::Terminal => html! {
                <Terminal ids={self.ids.clone()} line={&self.line} screen={terminals.screen.clone()} typed={terminals.typed.clone()} moves={run.moves()}
                    numbers={terminals.numbers.clone()} shown={terminals.shown} offers={terminals.offers.clone()} lost={terminals.lost.clone()} act={self.calls.terminal.clone()} />
            },
            Tab::Events => html! { <Events events={Part(view.events.clone())} {now_ms} /> },
            Tab::Logs => html! {
                <Logs pods={Part(view.pods.clone())} {selected} choice={log.choice.clone()} lines={log.lines.clone()} {now_ms}
                    act={self.calls.logs.clone()} />
            },
            Tab::Objects => html! {
                <Objects pods={Part(view.pods.clone())} jobs={Part(view.jobs.clone())} cron_jobs={Part(view.cron_jobs.clone())}
                    nodes={Part(view.nodes.clone())} services={Part(view.services.clone())} {selected} {now_ms}
                    select={self.calls.select.clone()} />
            },
        }
    }

    fn menu(&self) -> Html {
        let view = &self.desk.run.view;
        html! {
            <Menu ids={self.ids.clone()} target={self.menu.clone()} pods={Part(view.pods.clone())} nodes={Part(view.nodes.clone())}
                offers={self.offers.clone()} act={self.calls.menu.clone()} />
        }
    }
}
