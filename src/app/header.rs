//! The head of the page: name, examples, what is saved, theme, help.

use web_sys::HtmlSelectElement;
use yew::prelude::*;

use super::examples::EXAMPLES;
use super::ui::{Layout, Theme};

/// What someone does in the head.
#[derive(Clone, PartialEq, Debug)]
pub enum Msg {
    Example(usize),
    Break,
    ToggleEditor,
    Theme,
    Help,
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub example: usize,
    /// Some tab holds what the cluster has not seen.
    pub edited: bool,
    /// The browser keeps the texts.
    pub stored: bool,
    pub theme: Theme,
    pub layout: Layout,
    pub editor_open: bool,
    pub act: Callback<Msg>,
}

#[component]
pub fn Header(props: &Props) -> Html {
    let pick = props.act.reform(|event: Event| {
        let select = event.target_dyn_into::<HtmlSelectElement>();
        Msg::Example(select.map_or(0, |select| select.selected_index().max(0) as usize))
    });
    let kept = if props.stored {
        "Kept in this browser"
    } else {
        "This browser keeps nothing: copy your text before you leave"
    };
    html! {
        <header>
            <h1>{ "Batchyard" }</h1>
            <select class="picker" aria-label="Example" onchange={pick}>
                { for EXAMPLES.iter().enumerate().map(|(at, example)| html! {
                    <option key={example.id} selected={at == props.example}>{ example.title }</option>
                }) }
            </select>
            <span class={classes!("saved", props.edited.then_some("edited"))} title={kept}>
                <i aria-hidden="true"></i>{ if props.edited { "edited" } else if props.stored { "saved" } else { "not kept" } }
            </span>
            <span class="grow"></span>
            <button type="button" class="plain break" aria-label="Break something" title="Break something (b)" aria-haspopup="dialog"
                onclick={props.act.reform(|_: MouseEvent| Msg::Break)}>
                <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d="M9 1 3 9h4l-1 6 6-8H8z" /></svg>
                <span class="wide">{ "Break something" }</span>
            </button>
            if props.layout != Layout::Stack {
                <button type="button" class="plain" aria-pressed={props.editor_open.to_string()} title="Show or hide the editor (e)"
                    onclick={props.act.reform(|_: MouseEvent| Msg::ToggleEditor)}>{ "Editor" }</button>
            }
            <button type="button" class="plain theme" aria-label={format!("Theme: {}", props.theme.word())} title={format!("Theme: {} (t)", props.theme.word())}
                onclick={props.act.reform(|_: MouseEvent| Msg::Theme)}>
                <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
                    <circle cx="8" cy="8" r="6" /><path d={match props.theme {
                        Theme::Auto => "M8 2a6 6 0 0 1 0 12z",
                        Theme::Light => "M8 8",
                        Theme::Dark => "M8 2a6 6 0 0 1 0 12A6 6 0 0 1 8 2z",
                    }} />
                </svg>
                <span class="wide">{ props.theme.word() }</span>
            </button>
            <button type="button" class="plain" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" aria-haspopup="dialog"
                onclick={props.act.reform(|_: MouseEvent| Msg::Help)}>{ "?" }</button>
        </header>
    }
}
