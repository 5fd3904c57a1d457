//! The page: one session, or several beside each other, and what they share: the visitor's choices, the keys, the help.
//!
//! `?sessions=2` in the address gives two that know nothing of each other.

use std::cell::Cell;
use std::rc::Rc;

use gloo::events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::StorageEvent;
use yew::prelude::*;

use super::browser;
use super::help::Help;
use super::session::Session;
use super::settings::{Choice, Settings};
use super::shortcuts::{self, Key};
use super::sign;

/// Most sessions on one page.
const SESSIONS_MAX: usize = 2;

/// What happens to the page as a whole.
#[derive(Clone, Debug)]
pub enum Msg {
    Choose(Choice),
    Help(bool),
    Key(Key),
    /// A session is there and takes keys.
    Hello(usize, Callback<Key>),
    /// Someone turned to a session: keys are for it.
    Turn(usize),
    /// Another tab of the browser stored other choices.
    Heard(Settings),
}

pub struct Page {
    settings: Rc<Settings>,
    help: bool,
    sessions: Vec<Option<Callback<Key>>>,
    turned_to: usize,
    /// The same as in the settings, for the listener.
    single_keys: Rc<Cell<bool>>,
    _listeners: [EventListener; 2],
}

impl Component for Page {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Page {
        let settings = Settings::load();
        settings.show();
        let count = browser::number_in_address("sessions").unwrap_or(1).clamp(1, SESSIONS_MAX);
        let single_keys = Rc::new(Cell::new(settings.keys));
        let keys = shortcuts::listen(ctx.link().callback(Msg::Key), single_keys.clone());
        let link = ctx.link().clone();
        let stored = EventListener::new(&browser::window(), "storage", move |event| {
            let heard = event.dyn_ref::<StorageEvent>().and_then(|event| Some((event.key()?, event.new_value()?)));
            if let Some(settings) = heard.and_then(|(key, text)| Settings::heard(&key, &text)) {
                link.send_message(Msg::Heard(settings));
            }
        });
        Page {
            settings: Rc::new(settings),
            help: false,
            sessions: vec![None; count],
            turned_to: 0,
            single_keys,
            _listeners: [keys, stored],
        }
    }

    fn update(&mut self, _: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Choose(choice) => self.choose(choice),
            Msg::Help(open) => self.help = open,
            Msg::Key(Key::Theme) => self.choose(Choice::Theme),
            Msg::Key(Key::Help) => self.help = true,
            Msg::Key(key) => {
                if let Some(session) = &self.sessions[self.turned_to] {
                    session.emit(key);
                }
                return false;
            }
            Msg::Hello(nth, keys) => {
                self.sessions[nth] = Some(keys);
                return false;
            }
            Msg::Turn(nth) => {
                self.turned_to = nth;
                return false;
            }
            Msg::Heard(settings) => {
                self.settings = Rc::new(settings);
                self.show();
            }
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let page = ctx.link().callback(|msg| msg);
        let count = self.sessions.len();
        let session = |nth: usize| {
            let focus = ctx.link().callback(move |_: FocusEvent| Msg::Turn(nth));
            let point = ctx.link().callback(move |_: PointerEvent| Msg::Turn(nth));
            html! {
                <div key={nth} class="place-of-session" onfocusin={focus} onpointerdown={point}>
                    <Session {nth} of={count} settings={self.settings.clone()} covered={self.help} page={page.clone()} />
                </div>
            }
        };
        html! {
            <div class={if count > 1 { "sessions side-by-side" } else { "sessions" }}>
                { sign::definitions() }
                { for (0..count).map(session) }
                <Help open={self.help} keys={self.settings.keys} close={page.reform(|()| Msg::Help(false))}
                    toggle_keys={page.reform(|()| Msg::Choose(Choice::Keys))} />
            </div>
        }
    }
}

impl Page {
    fn choose(&mut self, choice: Choice) {
        Rc::make_mut(&mut self.settings).choose(choice);
        self.settings.store();
        self.show();
    }

    fn show(&self) {
        self.settings.show();
        self.single_keys.set(self.settings.keys);
    }
}
