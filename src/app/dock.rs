//! The dock: the tabs of what is told in words, and the panel of the one that is chosen.

use yew::prelude::*;

use super::browser;
use super::ids::Ids;
use super::ui::Tab;
use super::when;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub ids: Ids,
    pub tab: Tab,
    /// The editor is one of the tabs.
    pub stacked: bool,
    /// The panel, for whoever gives it the focus.
    pub panel: NodeRef,
    pub children: Html,
    pub act: Callback<Tab>,
}

#[component]
pub fn Dock(props: &Props) -> Html {
    let list = use_node_ref();
    let offered: Vec<Tab> = Tab::ALL.into_iter().filter(|tab| props.stacked || *tab != Tab::Editor).collect();
    let at = offered.iter().position(|tab| *tab == props.tab).unwrap_or(0);
    let key = {
        let (offered, list) = (offered.clone(), list.clone());
        when(&props.act, move |event: KeyboardEvent| {
            let to = match event.key().as_str() {
                "ArrowRight" => (at + 1) % offered.len(),
                "ArrowLeft" => (at + offered.len() - 1) % offered.len(),
                _ => return None,
            };
            browser::focus(&list, Some(&format!("[role=tab]:nth-of-type({})", to + 1)));
            Some(offered[to])
        })
    };
    let id = |tab: Tab| props.ids.of(&format!("tab-{}", tab.title()));
    let button = |tab: &Tab| {
        let (tab, on) = (*tab, *tab == props.tab);
        html! {
            <button key={tab.title()} type="button" role="tab" id={id(tab)} aria-selected={on.to_string()}
                aria-controls={props.ids.of(if tab == Tab::Editor { "editor" } else { "panel" })} tabindex={if on { "0" } else { "-1" }}
                class={classes!(on.then_some("on"))} onclick={props.act.reform(move |_: MouseEvent| tab)}>{ tab.title() }</button>
        }
    };
    html! {
        <section class="dock" aria-label="Details">
            <div class="dock-tabs" ref={list} role="tablist" aria-label="Details" onkeydown={key}>{ for offered.iter().map(button) }</div>
            <div id={props.ids.of("panel")} ref={&props.panel} class="panel scrolls" role="tabpanel" tabindex="0" aria-labelledby={id(props.tab)}>{ props.children.clone() }</div>
        </section>
    }
}
