//! The Terminal panel: what the shell's screen shows, and the line that is typed.
//!
//! The shell itself is part of the run (`Sim::terminal_line`): it stops with the clock and goes back with the time line.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement};
use yew::prelude::*;

use super::app::{Msg, when};
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
    /// Numbers of the terminals, and which of them is shown.
    pub terminals: Rc<Vec<u32>>,
    pub shown: usize,
    /// What the word at the end of the line could become.
    pub offers: Rc<Vec<String>>,
    pub act: Callback<Msg>,
}

#[component]
pub fn Terminal(props: &Props) -> Html {
    let place = use_node_ref();
    let line = use_node_ref();
    // Where the arrows are in `typed`; its length is the fresh line.
    let at = use_mut_ref(|| 0_usize);
    // After Escape, Tab goes on to what comes next, as it does everywhere else.
    let escaped = use_mut_ref(|| false);
    use_effect_with((props.screen.clone(), props.typed.clone(), props.offers.clone()), {
        let (place, at) = (place.clone(), at.clone());
        move |(_, typed, _): &(Rc<Screen>, Rc<Vec<String>>, Rc<Vec<String>>)| {
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
            let was_escaped = std::mem::replace(&mut *escaped.borrow_mut(), event.key() == "Escape");
            match key(&event, selects) {
                Some(Key::Complete) => {
                    let line = input.value();
                    // An empty line keeps nobody: what is there to complete?
                    if was_escaped || line.trim().is_empty() {
                        return;
                    }
                    act.emit(Msg::Complete(line));
                }
                Some(Key::EndInput) => act.emit(Msg::EndInput),
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
        <>
        { terminals(props) }
        <div id="terminal" class="terminal scrolls" ref={place} role="tabpanel" aria-label={format!("Terminal {}", props.terminals[props.shown])} onclick={Callback::from(to_line)}>
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
            if !props.offers.is_empty() {
                <ul class="offers" aria-label="Completions">{ for props.offers.iter().map(|offer| html! { <li>{ offer }</li> }) }</ul>
            }
        </div>
        </>
    }
}

/// The terminals as tabs.
fn terminals(props: &Props) -> Html {
    let (shown, count) = (props.shown, props.terminals.len());
    let tab = |(at, number): (usize, &u32)| {
        let on = at == shown;
        html! {
            <button key={*number} type="button" role="tab" class={if on { "small on" } else { "small" }} aria-selected={on.to_string()} aria-controls="terminal"
                aria-label={format!("Terminal {number}")} tabindex={if on { "0" } else { "-1" }} onclick={props.act.reform(move |_: MouseEvent| Msg::ShowTerminal(at))}>{ number }</button>
        }
    };
    let key = when(&props.act, move |event: KeyboardEvent| match event.key().as_str() {
        "ArrowRight" => Some(Msg::ShowTerminal((shown + 1) % count)),
        "ArrowLeft" => Some(Msg::ShowTerminal((shown + count - 1) % count)),
        "Delete" => Some(Msg::CloseTerminal),
        _ => None,
    });
    html! {
        <div class="terminals">
            <div role="tablist" aria-label="Terminals" onkeydown={key}>{ for props.terminals.iter().enumerate().map(tab) }</div>
            <button type="button" class="small" aria-label="New terminal" title="New terminal" onclick={props.act.reform(|_: MouseEvent| Msg::NewTerminal)}>{ "+" }</button>
            <button type="button" class="small" aria-label="Close this terminal" title="Close this terminal: what runs in it ends (Delete)" onclick={props.act.reform(|_: MouseEvent| Msg::CloseTerminal)}>{ "×" }</button>
        </div>
    }
}

/// Puts a line in the place of the one that is typed, if that is still `old`.
pub fn set_line(old: &str, text: &str) {
    let found = browser::document().query_selector(LINE).ok().flatten();
    let input = found.and_then(|found| found.dyn_into::<HtmlInputElement>().ok());
    if let Some(input) = input.filter(|input| input.value() == old) {
        // The cursor goes to the end with it.
        input.set_value(text);
    }
}

const HINT: &str = "Type a command, such as kubectl get pods; Tab completes it. The editor's tabs are its files.\n";

enum Key {
    Enter,
    Interrupt,
    Clear,
    Complete,
    EndInput,
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
        "d" if event.ctrl_key() => Some(Key::EndInput),
        "Tab" if !event.shift_key() && !event.ctrl_key() && !event.alt_key() => Some(Key::Complete),
        _ => None,
    }
}

fn piece(piece: &super::engine::Piece) -> Html {
    let class = match piece.ink {
        Ink::Typed => "typed",
        Ink::Stdout => "out",
        Ink::Stderr => "err",
        Ink::Hint => "ours",
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
