//! The editor's tabs: chosen, made, renamed and closed.
//!
//! Pattern: ARIA "tabs", with F2 and Delete on the chosen one; the same two as buttons behind the tabs.

use std::rc::Rc;

use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::browser;
use super::editor::Tab;
use super::ids::Ids;
use super::texts::Change;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub ids: Ids,
    pub tabs: Rc<Vec<Tab>>,
    pub active: usize,
    pub act: Callback<Change>,
}

/// A name that is being typed. It ends once: what the browser tells afterwards (the field loses the focus because it goes)
/// changes nothing.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Renaming(bool);

/// How the typing of a name ends.
#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    Enter,
    Escape,
    /// The focus goes elsewhere.
    Leave,
}

impl Renaming {
    /// The name to take, if any.
    fn end(&mut self, how: End, typed: String) -> Option<String> {
        let was_open = std::mem::take(&mut self.0);
        Some(typed).filter(|_| was_open && how != End::Escape)
    }
}

#[component]
pub fn Tabs(props: &Props) -> Html {
    let (state, redraw) = (use_mut_ref(Renaming::default), use_force_update());
    let (field, list) = (use_node_ref(), use_node_ref());
    let renaming = state.borrow().0;
    use_effect_with((renaming, field.clone()), |(renaming, field)| {
        if let Some(field) = field.cast::<HtmlInputElement>().filter(|_| *renaming) {
            let _ = field.focus();
            field.select();
        }
    });
    let rename = {
        let (state, redraw) = (state.clone(), redraw.clone());
        Callback::from(move |()| {
            state.borrow_mut().0 = true;
            redraw.force_update();
        })
    };
    let end = {
        let (act, state) = (props.act.clone(), state.clone());
        move |how: End, field: Option<HtmlInputElement>| {
            let name = state.borrow_mut().end(how, field.map(|field| field.value()).unwrap_or_default());
            redraw.force_update();
            if let Some(name) = name {
                act.emit(Change::Rename(name));
            }
        }
    };
    let leave = {
        let end = end.clone();
        Callback::from(move |event: FocusEvent| end(End::Leave, event.target_dyn_into()))
    };
    let keys = {
        let list = list.clone();
        Callback::from(move |event: KeyboardEvent| {
            let how = match event.key().as_str() {
                "Enter" => End::Enter,
                "Escape" => End::Escape,
                _ => return,
            };
            event.prevent_default();
            end(how, event.target_dyn_into());
            browser::focus(&list, Some("[aria-selected=true]"));
        })
    };
    let name = props.tabs.get(props.active).map(|tab| tab.name.clone()).unwrap_or_default();
    html! {
        <div class="tabs">
            { files(props, &list, &rename) }
            <button type="button" class="plain new" aria-label="New file" title="New file" onclick={props.act.reform(|_: MouseEvent| Change::New)}>{ "+" }</button>
            <span class="grow"></span>
            if renaming {
                <input ref={field} class="rename" aria-label="Name of the file" value={name} spellcheck="false" autocapitalize="off" autocomplete="off" onkeydown={keys} onblur={leave} />
            } else {
                { buttons(props, &name, &rename) }
            }
        </div>
    }
}

/// The tabs themselves.
fn files(props: &Props, list: &NodeRef, rename: &Callback<()>) -> Html {
    let (active, count) = (props.active, props.tabs.len());
    let tab = |(at, tab): (usize, &Tab)| {
        let on = at == active;
        html! {
            <button key={tab.name.clone()} type="button" role="tab" id={props.ids.of(&format!("file-{at}"))} class={classes!(on.then_some("on"))} aria-selected={on.to_string()}
                tabindex={if on { "0" } else { "-1" }} onclick={props.act.reform(move |_: MouseEvent| Change::Show(at))}>
                { &tab.name }
                if tab.edited { <i class="dirty" role="img" aria-label="not applied" title="not applied"></i> }
            </button>
        }
    };
    let key = {
        let (act, rename, list) = (props.act.clone(), rename.clone(), list.clone());
        Callback::from(move |event: KeyboardEvent| {
            let change = match event.key().as_str() {
                "ArrowRight" => Change::Show((active + 1) % count),
                "ArrowLeft" => Change::Show((active + count - 1) % count),
                "Delete" => Change::Close,
                "F2" => {
                    event.prevent_default();
                    return rename.emit(());
                }
                _ => return,
            };
            event.prevent_default();
            act.emit(change);
            // After the drawing: the tab that had the focus may be gone.
            browser::focus_later(&list, Some("[aria-selected=true]"));
        })
    };
    html! {
        <div role="tablist" ref={list} aria-label="Files" onkeydown={key} ondblclick={rename.reform(|_: MouseEvent| ())}>{ for props.tabs.iter().enumerate().map(tab) }</div>
    }
}

/// What can be done to the chosen one.
fn buttons(props: &Props, name: &str, rename: &Callback<()>) -> Html {
    let is_edit = props.tabs.get(props.active).is_some_and(|tab| tab.edit);
    html! {
        <>
            if !is_edit {
                <button type="button" class="plain new" aria-label={format!("Rename {name}")} title={format!("Rename {name} (F2)")} onclick={rename.reform(|_: MouseEvent| ())}>
                    <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d="M2 14l.8-3.600L10.600 2.600l2.800 2.800L5.600 13.200z" /></svg>
                </button>
            }
            <button type="button" class="plain new" aria-label={format!("Close {name}")} title={format!("Close {name} (Delete)")} onclick={props.act.reform(|_: MouseEvent| Change::Close)}>{ "×" }</button>
        </>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_renames_nothing_though_the_field_loses_the_focus() {
        let typed = || "other.yaml".to_owned();
        for (ends, expected) in [
            (vec![End::Enter, End::Leave], Some("other.yaml")),
            (vec![End::Leave], Some("other.yaml")),
            (vec![End::Escape, End::Leave], None),
        ] {
            let mut renaming = Renaming(true);
            let names: Vec<String> = ends.iter().filter_map(|end| renaming.end(*end, typed())).collect();
            assert_eq!(names.first().map(String::as_str), expected);
            assert!(names.len() <= 1 && renaming == Renaming(false), "{ends:?}");
        }
    }
}
