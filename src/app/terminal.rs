//! The Terminal panel: what the shell's screen shows, and the line that is typed.
//!
//! The shell itself is part of the run (`Sim::terminal_line`): it stops with the clock and goes back with the time line.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement};
use yew::prelude::*;

use super::app::Msg;
use super::browser;
use super::engine::{Ink, Screen};

/// Finds the line, to give it the focus.
pub const LINE: &str = ".terminal input";

#[derive(Properties, PartialEq)]
pub struct Props {
    pub screen: Rc<Screen>,
    /// Lines typed on this page, oldest first; they outlive a restart.
    pub typed: Rc<Vec<String>>,
    /// Whether time passes: a command that waits does not go on while the clock stands.
    pub moves: bool,
    pub act: Callback<Msg>,
}

#[component]
pub fn Terminal(props: &Props) -> Html {
    let place = use_node_ref();
    let line = use_node_ref();
    // Where the arrows are in `typed`; its length is the fresh line.
    let at = use_mut_ref(|| 0_usize);
    use_effect_with((props.screen.clone(), props.typed.clone()), {
        let (place, at) = (place.clone(), at.clone());
        move |(_, typed): &(Rc<Screen>, Rc<Vec<String>>)| {
            *at.borrow_mut() = typed.len();
            if let Some(place) = place.cast::<Element>() {
                place.set_scroll_top(place.scroll_height());
            }
        }
    });
    let onkeydown = {
        let (act, line, typed) = (props.act.clone(), line.clone(), props.typed.clone());
        Callback::from(move |event: KeyboardEvent| {
            let Some(input) = line.cast::<HtmlInputElement>() else { return };
            let selects = input.selection_start().ok() != input.selection_end().ok();
            match key(&event, selects) {
                Some(Key::Enter) => {
                    act.emit(Msg::Line(input.value()));
                    input.set_value("");
                }
                Some(Key::Interrupt) => {
                    input.set_value("");
                    act.emit(Msg::Interrupt);
                }
                Some(Key::Clear) => act.emit(Msg::Line("clear".to_owned())),
                Some(Key::History(step)) => {
                    let mut at = at.borrow_mut();
                    *at = at.saturating_add_signed(step).min(typed.len());
                    input.set_value(typed.get(*at).map_or("", String::as_str));
                }
                None => return,
            }
            event.prevent_default();
        })
    };
    let screen = &props.screen;
    html! {
        <div class="terminal scrolls" ref={place} onclick={Callback::from(to_line)}>
            <pre role="log" aria-label="Terminal output">
                { for screen.pieces.iter().map(piece) }
                if screen.pieces.is_empty() { <span class="soft">{ HINT }</span> }
            </pre>
            <div class="line">
                <label for="line" aria-label="Command line">{ if screen.busy { "" } else { screen.prompt.as_str() } }</label>
                <input id="line" ref={line} {onkeydown} autocomplete="off" autocapitalize="off" spellcheck="false" enterkeyhint="send" />
                if screen.busy {
                    if !props.moves { <span class="soft">{ "the clock stands" }</span> }
                    <button type="button" class="small" title="Stop what runs (Ctrl+C)" onclick={props.act.reform(|_: MouseEvent| Msg::Interrupt)}>{ "Ctrl C" }</button>
                }
            </div>
        </div>
    }
}

const HINT: &str = "Type a command, such as kubectl get pods. The editor's tabs are its files.\n";

enum Key {
    Enter,
    Interrupt,
    Clear,
    History(isize),
}

fn key(event: &KeyboardEvent, selects: bool) -> Option<Key> {
    match event.key().as_str() {
        "Enter" if !event.ctrl_key() && !event.meta_key() && !event.is_composing() => Some(Key::Enter),
        "ArrowUp" => Some(Key::History(-1)),
        "ArrowDown" => Some(Key::History(1)),
        // With something selected it is the browser's own: copy.
        "c" if event.ctrl_key() && !event.shift_key() && !selects => Some(Key::Interrupt),
        "l" if event.ctrl_key() => Some(Key::Clear),
        _ => None,
    }
}

fn piece(piece: &super::engine::Piece) -> Html {
    let class = match piece.ink {
        Ink::Typed => "typed",
        Ink::Stdout => "out",
        Ink::Stderr => "err",
    };
    html! { <span {class}>{ &piece.text }</span> }
}

/// A click beside the output goes to the line, but never takes away a selection.
fn to_line(event: MouseEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    if target.is_some_and(|target| target.matches(".terminal").unwrap_or(false)) {
        browser::focus(LINE);
    }
}
