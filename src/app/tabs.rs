//! The editor's tabs: chosen, made, renamed and closed.
//!
//! Pattern: ARIA "tabs", with F2 and Delete on the chosen one; the same two as buttons behind the tabs.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::app::Msg;
use super::browser;
use super::editor::Tab;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub tabs: Rc<Vec<Tab>>,
    pub active: usize,
    pub act: Callback<Msg>,
}

#[component]
pub fn Tabs(props: &Props) -> Html {
    let renaming = use_state(|| false);
    let field = use_node_ref();
    use_effect_with((*renaming, field.clone()), |(renaming, field)| {
        if let Some(field) = field.cast::<HtmlInputElement>().filter(|_| *renaming) {
            let _ = field.focus();
            field.select();
        }
    });
    let (active, count) = (props.active, props.tabs.len());
    let tab = |(at, tab): (usize, &Tab)| {
        let on = at == active;
        html! {
            <button key={tab.name.clone()} type="button" role="tab" id={format!("file-{at}")} class={classes!(on.then_some("on"))} aria-selected={on.to_string()}
                tabindex={if on { "0" } else { "-1" }} onclick={props.act.reform(move |_: MouseEvent| Msg::File(at))}>
                { &tab.name }
                if tab.edited { <i class="dirty" role="img" aria-label="not applied" title="not applied"></i> }
            </button>
        }
    };
    let rename = {
        let renaming = renaming.setter();
        Callback::from(move |()| renaming.set(true))
    };
    let key = {
        let (act, rename) = (props.act.clone(), rename.clone());
        Callback::from(move |event: KeyboardEvent| {
            let msg = match event.key().as_str() {
                "ArrowRight" => Some(Msg::File((active + 1) % count)),
                "ArrowLeft" => Some(Msg::File((active + count - 1) % count)),
                "Delete" => Some(Msg::CloseFile),
                "F2" => None,
                _ => return,
            };
            event.prevent_default();
            match msg {
                Some(msg) => act.emit(msg),
                None => rename.emit(()),
            }
        })
    };
    let name = props.tabs.get(active).map(|tab| tab.name.clone()).unwrap_or_default();
    let is_edit = props.tabs.get(active).is_some_and(|tab| tab.edit);
    let done = {
        let (act, renaming) = (props.act.clone(), renaming.setter());
        Callback::from(move |field: Option<HtmlInputElement>| {
            renaming.set(false);
            if let Some(field) = field {
                act.emit(Msg::Rename(field.value()));
            }
        })
    };
    let leave = done.reform(|event: FocusEvent| event.target().and_then(|target| target.dyn_into().ok()));
    let keys = Callback::from(move |event: KeyboardEvent| {
        let field = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        match event.key().as_str() {
            "Enter" => done.emit(field),
            "Escape" => done.emit(None),
            _ => return,
        }
        event.prevent_default();
        browser::focus(".tabs [aria-selected=true]");
    });
    html! {
        <div class="tabs">
            <div role="tablist" aria-label="Files" onkeydown={key} ondblclick={rename.reform(|_: MouseEvent| ())}>{ for props.tabs.iter().enumerate().map(tab) }</div>
            <button type="button" class="plain new" aria-label="New file" title="New file" onclick={props.act.reform(|_: MouseEvent| Msg::NewFile)}>{ "+" }</button>
            <span class="grow"></span>
            if *renaming {
                <input ref={field} class="rename" aria-label="Name of the file" value={name} spellcheck="false" autocapitalize="off" autocomplete="off" onkeydown={keys} onblur={leave} />
            } else {
                if !is_edit {
                    <button type="button" class="plain new" aria-label={format!("Rename {name}")} title={format!("Rename {name} (F2)")} onclick={rename.reform(|_: MouseEvent| ())}>
                        <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d="M2 14l.8-3.600L10.600 2.600l2.800 2.800L5.600 13.200z" /></svg>
                    </button>
                }
                <button type="button" class="plain new" aria-label={format!("Close {name}")} title={format!("Close {name} (Delete)")} onclick={props.act.reform(|_: MouseEvent| Msg::CloseFile)}>{ "×" }</button>
            }
        </div>
    }
}
