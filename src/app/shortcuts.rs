//! Keys of the whole page. Single letters can be switched off (WCAG 2.1.4) and never act while someone types.

use std::cell::Cell;
use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};
use yew::{Callback, TargetCast};

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

/// What a key asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    Apply,
    Toggle,
    Step,
    StepBack,
    Restart,
    Slower,
    Faster,
    Skip,
    Pods,
    Lanes,
    Editor,
    Terminal,
    Break,
    Tab(Tab),
    Theme,
    Help,
    Escape,
}

/// Listens for as long as it is kept. `on` says whether single keys act.
pub fn listen(act: Callback<Key>, on: Rc<Cell<bool>>) -> EventListener {
    let options = EventListenerOptions::enable_prevent_default();
    EventListener::new_with_options(&browser::window(), "keydown", options, move |event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>().filter(|event| !event.default_prevented()) else { return };
        if let Some(key) = asked(event, on.get()) {
            event.prevent_default();
            act.emit(key);
        }
    })
}

fn asked(event: &KeyboardEvent, single_keys: bool) -> Option<Key> {
    let target = event.target_dyn_into::<Element>();
    let within = |selector: &str| target.as_ref().is_some_and(|t| t.closest(selector).ok().flatten().is_some());
    let key = event.key();
    if key == "Enter" && (event.ctrl_key() || event.meta_key()) {
        return Some(Key::Apply);
    }
    let types = within("input:not([type=checkbox]), textarea, select, .editor-host, dialog");
    if event.ctrl_key() || event.meta_key() || event.alt_key() || types || !single_keys {
        return None;
    }
    if key == " " && within("button, label, input, [role=separator], .scrolls") {
        return None;
    }
    of_letter(&key)
}

/// What a single key asks for.
fn of_letter(key: &str) -> Option<Key> {
    Some(match key {
        "k" | " " => Key::Toggle,
        "." => Key::Step,
        "," => Key::StepBack,
        "r" => Key::Restart,
        "[" => Key::Slower,
        "]" => Key::Faster,
        "s" => Key::Skip,
        "p" => Key::Pods,
        "l" => Key::Lanes,
        "e" => Key::Editor,
        "c" => Key::Terminal,
        "b" => Key::Break,
        "1" => Key::Tab(Tab::Events),
        "2" => Key::Tab(Tab::Logs),
        "3" => Key::Tab(Tab::Objects),
        "t" => Key::Theme,
        "?" => Key::Help,
        "Escape" => Key::Escape,
        _ => return None,
    })
}
