//! The terminals of a session: what their screens show, and the line that is typed.
//!
//! The shells themselves are part of the run (`Sim::terminal_line`): they stop with the clock and go back with the time line.

use std::rc::Rc;

use web_sys::{Element, HtmlInputElement};
use yew::prelude::*;

use super::engine::{Ink, Screen};
use super::ids::Ids;
use super::run::Run;
use super::when;

/// What someone does to the terminals.
#[derive(Clone, PartialEq, Debug)]
pub enum Msg {
    /// A line typed into the one that is shown.
    Line(String),
    Interrupt,
    EndInput,
    /// Tab, behind this much of a line.
    Complete(String),
    /// The commands could not be fetched: once more.
    Retry,
    New,
    Show(usize),
    Close,
    /// Whether someone is about to type: the line has the focus, or holds text.
    Hold(bool),
}

/// The terminals of a session.
#[derive(Debug)]
pub struct Terminals {
    /// Their numbers, and which of them is shown.
    pub numbers: Rc<Vec<u32>>,
    pub shown: usize,
    /// Lines typed, oldest first; they outlive a restart.
    pub typed: Rc<Vec<String>>,
    /// What the word at the end of the line could become.
    pub offers: Rc<Vec<String>>,
    pub screen: Rc<Screen>,
    pub held: bool,
    /// Why the commands are not here.
    pub lost: Option<AttrValue>,
}

impl Default for Terminals {
    fn default() -> Terminals {
        Terminals {
            numbers: Rc::new(vec![1]),
            shown: 0,
            typed: Rc::default(),
            offers: Rc::default(),
            screen: Rc::default(),
            held: false,
            lost: None,
        }
    }
}

impl Terminals {
    /// The number of the one that is shown.
    pub fn number(&self) -> u32 {
        self.numbers[self.shown]
    }

    /// Notes a line for the history.
    pub fn note(&mut self, line: &str) {
        if !line.trim().is_empty() && self.typed.last().is_none_or(|last| last != line) {
            Rc::make_mut(&mut self.typed).push(line.to_owned());
        }
        self.offers = Rc::default();
    }

    pub fn open(&mut self) {
        let numbers = Rc::make_mut(&mut self.numbers);
        numbers.push(numbers.iter().max().map_or(1, |most| most + 1));
        self.show(usize::MAX);
    }

    pub fn show(&mut self, at: usize) {
        self.shown = at.min(self.numbers.len() - 1);
        self.offers = Rc::default();
    }

    /// The one that is shown goes. The last one is only emptied.
    pub fn close(&mut self) {
        let numbers = Rc::make_mut(&mut self.numbers);
        numbers.remove(self.shown);
        if numbers.is_empty() {
            numbers.push(1);
        }
        self.show(self.shown);
    }

    /// Reads the screen. True if it is another than before.
    pub fn read(&mut self, run: &Run) -> bool {
        let screen = run.screen(self.number());
        let differs = screen != *self.screen;
        if differs {
            self.screen = Rc::new(screen);
        }
        differs
    }
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub ids: Ids,
    /// The line, for whoever gives it the focus.
    pub line: NodeRef,
    pub screen: Rc<Screen>,
    pub typed: Rc<Vec<String>>,
    /// Whether time passes: a command that waits does not go on while the clock stands.
    pub moves: bool,
    pub numbers: Rc<Vec<u32>>,
    pub shown: usize,
    pub offers: Rc<Vec<String>>,
    pub lost: Option<AttrValue>,
    pub act: Callback<Msg>,
}

#[component]
pub fn Terminal(props: &Props) -> Html {
    let place = use_node_ref();
    // Where the arrows are in `typed`; its length is the fresh line.
    let at = use_mut_ref(|| 0_usize);
    use_effect_with((props.screen.clone(), props.typed.clone(), props.offers.clone()), {
        let (place, at) = (place.clone(), at.clone());
        move |(_, typed, _): &(Rc<Screen>, Rc<Vec<String>>, Rc<Vec<String>>)| {
            *at.borrow_mut() = typed.len();
            if let Some(place) = place.cast::<Element>() {
                place.set_scroll_top(place.scroll_height());
            }
        }
    });
    // After Escape, Tab goes on to what comes next, as it does everywhere else.
    let escaped = use_mut_ref(|| false);
    let onkeydown = {
        let (act, line, typed) = (props.act.clone(), props.line.clone(), props.typed.clone());
        Callback::from(move |event: KeyboardEvent| {
            let Some(input) = line.cast::<HtmlInputElement>() else { return };
            let was_escaped = std::mem::replace(&mut *escaped.borrow_mut(), event.key() == "Escape");
            if press(&event, &input, was_escaped, (&typed, &mut at.borrow_mut()), &act) {
                event.prevent_default();
            }
        })
    };
    let onclick = {
        // A click beside the output goes to the line, but never takes away a selection.
        let (place, line) = (place.clone(), props.line.clone());
        Callback::from(move |event: MouseEvent| {
            if event.target().map(|target| target.into()) == place.get().map(wasm_bindgen::JsValue::from) {
                super::browser::focus(&line, None);
            }
        })
    };
    let screen = &props.screen;
    html! {
        <>
        { terminals(props) }
        <div id={props.ids.of("terminal")} class="terminal scrolls" ref={place} role="tabpanel" aria-label={format!("Terminal {}", props.numbers[props.shown])} {onclick}>
            <pre role="log" aria-label="Terminal output">
                { for screen.pieces.iter().map(piece) }
                if screen.pieces.is_empty() { <span class="soft">{ HINT }</span> }
            </pre>
            if let Some(why) = &props.lost {
                <p class="err" role="alert">{ why }{ " " }<button type="button" class="small" onclick={props.act.reform(|_: MouseEvent| Msg::Retry)}>{ "Retry" }</button></p>
            }
            { typing(props, onkeydown) }
            if !props.offers.is_empty() {
                <ul class="offers" aria-label="Completions">{ for props.offers.iter().map(|offer| html! { <li>{ offer }</li> }) }</ul>
            }
        </div>
        </>
    }
}

/// The prompt and the line.
fn typing(props: &Props, onkeydown: Callback<KeyboardEvent>) -> Html {
    let screen = &props.screen;
    let held = {
        let line = props.line.clone();
        move |focused: bool| focused || line.cast::<HtmlInputElement>().is_some_and(|line| !line.value().is_empty())
    };
    let onfocus = props.act.reform(|_: FocusEvent| Msg::Hold(true));
    let onblur = props.act.reform(move |_: FocusEvent| Msg::Hold(held(false)));
    let id = props.ids.of("line");
    html! {
        <div class="line">
            <label for={id.clone()} aria-label="Command line">{ if screen.busy { "" } else { screen.prompt.as_str() } }</label>
            <input {id} ref={&props.line} {onkeydown} {onfocus} {onblur} autocomplete="off" autocapitalize="off" spellcheck="false" enterkeyhint="send" />
            if screen.busy {
                if !props.moves { <span class="soft">{ "the clock stands" }</span> }
                <button type="button" class="small" title="Stop what runs (Ctrl+C)" onclick={props.act.reform(|_: MouseEvent| Msg::Interrupt)}>{ "Ctrl C" }</button>
            }
        </div>
    }
}

/// Does what a key says. True if that was all it was for.
fn press(
    event: &KeyboardEvent,
    input: &HtmlInputElement,
    was_escaped: bool,
    (typed, at): (&[String], &mut usize),
    act: &Callback<Msg>,
) -> bool {
    let selects = input.selection_start().ok() != input.selection_end().ok();
    match key(event, selects) {
        Some(Key::Complete) => {
            let line = input.value();
            // An empty line keeps nobody: what is there to complete?
            if was_escaped || line.trim().is_empty() {
                return false;
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
            *at = at.saturating_add_signed(step).min(typed.len());
            input.set_value(typed.get(*at).map_or("", String::as_str));
        }
        None => return false,
    }
    true
}

/// The terminals as tabs.
fn terminals(props: &Props) -> Html {
    let (shown, count) = (props.shown, props.numbers.len());
    let panel = props.ids.of("terminal");
    let tab = |(at, number): (usize, &u32)| {
        let on = at == shown;
        html! {
            <button key={*number} type="button" role="tab" class={if on { "small on" } else { "small" }} aria-selected={on.to_string()} aria-controls={&panel}
                aria-label={format!("Terminal {number}")} tabindex={if on { "0" } else { "-1" }} onclick={props.act.reform(move |_: MouseEvent| Msg::Show(at))}>{ number }</button>
        }
    };
    let key = when(&props.act, move |event: KeyboardEvent| match event.key().as_str() {
        "ArrowRight" => Some(Msg::Show((shown + 1) % count)),
        "ArrowLeft" => Some(Msg::Show((shown + count - 1) % count)),
        "Delete" => Some(Msg::Close),
        _ => None,
    });
    html! {
        <div class="terminals">
            <div role="tablist" aria-label="Terminals" onkeydown={key}>{ for props.numbers.iter().enumerate().map(tab) }</div>
            <button type="button" class="small" aria-label="New terminal" title="New terminal" onclick={props.act.reform(|_: MouseEvent| Msg::New)}>{ "+" }</button>
            <button type="button" class="small" aria-label="Close this terminal" title="Close this terminal: what runs in it ends (Delete)" onclick={props.act.reform(|_: MouseEvent| Msg::Close)}>{ "×" }</button>
        </div>
    }
}

/// Puts a text in the place of the line that is typed, if that is still `old`.
pub fn set_line(line: &NodeRef, old: &str, text: &str) {
    if let Some(input) = line.cast::<HtmlInputElement>().filter(|input| input.value() == old) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_come_and_go_and_one_is_always_shown() {
        let mut all = Terminals::default();
        all.open();
        all.open();
        assert_eq!((all.numbers.as_slice(), all.number()), ([1, 2, 3].as_slice(), 3));
        all.show(1);
        all.close();
        assert_eq!((all.numbers.as_slice(), all.number()), ([1, 3].as_slice(), 3));
        all.open();
        assert_eq!(all.number(), 4);
        for _ in 0..4 {
            all.close();
        }
        assert_eq!((all.numbers.as_slice(), all.number()), ([1].as_slice(), 1));
    }

    #[test]
    fn the_history_has_no_line_twice_in_a_row() {
        let mut all = Terminals::default();
        for line in ["ls", "ls", " ", "pwd", "ls"] {
            all.note(line);
        }
        assert_eq!(all.typed.as_slice(), ["ls", "pwd", "ls"]);
    }
}
