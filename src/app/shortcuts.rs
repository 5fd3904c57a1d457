//! Keys of the whole page. Single letters can be switched off (WCAG 2.1.4) and never act while someone types.

use std::cell::Cell;
use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};
use yew::Callback;

use super::app::Msg;
use super::breaks::Target;
use super::browser;
use super::ui::Tab;

/// What the help shows: keys, and what they do.
pub const KEYS: &[(&str, &str)] = &[
    ("Ctrl/⌘+Enter", "apply the manifest"),
    ("k Space", "play or pause"),
    (".", "to the next event"),
    (",", "to the event before"),
    ("r", "restart with the same seed"),
    ("[ ]", "slower, faster"),
    ("s", "skip the quiet parts, or not"),
    ("p", "to the Pods; arrows move, Enter shows logs"),
    ("e", "to the editor"),
    ("c", "to the terminal; there Ctrl+C stops a command"),
    ("Tab", "in the terminal: completes; Esc, then Tab leaves"),
    ("b", "break something"),
    ("l", "to the timeline; arrows, + −, f follows"),
    ("1 2 3", "events, logs, objects"),
    ("t", "theme: auto, light, dark"),
    ("?", "this list"),
    ("F2 Del", "on a file's tab: rename it, close it"),
    ("Esc Tab", "leave the editor"),
];

/// Listens for as long as it is kept. `on` says whether single keys act.
pub fn listen(act: Callback<Msg>, on: Rc<Cell<bool>>) -> EventListener {
    let options = EventListenerOptions::enable_prevent_default();
    EventListener::new_with_options(&browser::window(), "keydown", options, move |event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>().filter(|event| !event.default_prevented()) else { return };
        if let Some(msg) = message(event, on.get()) {
            event.prevent_default();
            act.emit(msg);
        }
    })
}

fn message(event: &KeyboardEvent, single_keys: bool) -> Option<Msg> {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let within = |selector: &str| target.as_ref().is_some_and(|t| t.closest(selector).ok().flatten().is_some());
    let key = event.key();
    if key == "Enter" && (event.ctrl_key() || event.meta_key()) {
        return Some(Msg::Apply);
    }
    let types = within("input:not([type=checkbox]), textarea, select, .editor-host, dialog");
    if event.ctrl_key() || event.meta_key() || event.alt_key() || types || !single_keys {
        return None;
    }
    Some(match key.as_str() {
        "k" => Msg::Toggle,
        " " if !within("button, label, input, [role=separator], .scrolls") => Msg::Toggle,
        "." => Msg::Step,
        "," => Msg::StepBack,
        "r" => Msg::Restart,
        "[" => Msg::Slower,
        "]" => Msg::Faster,
        "s" => Msg::Skip,
        "p" => Msg::Go("button[data-pod][tabindex='0']"),
        "l" => Msg::Go(".timeline .scrolls"),
        "e" => Msg::GoEditor,
        "c" => Msg::GoTerminal,
        "b" => Msg::Break(Some(Target::All)),
        "1" => Msg::Tab(Tab::Events),
        "2" => Msg::Tab(Tab::Logs),
        "3" => Msg::Tab(Tab::Objects),
        "t" => Msg::Theme,
        "?" => Msg::Help(true),
        "Escape" => Msg::Escape,
        _ => return None,
    })
}
