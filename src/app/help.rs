//! The list of keys and signs, as a dialog of the browser's own kind: Escape closes it, the focus stays inside.

use web_sys::{HtmlDialogElement, HtmlElement};
use yew::prelude::*;

use super::engine::{GAPS, Sign, Within};
use super::shortcuts::KEYS;
use super::sign;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub open: bool,
    /// Whether single keys are shortcuts.
    pub keys: bool,
    pub close: Callback<()>,
    /// Single keys are shortcuts, or are not.
    pub toggle_keys: Callback<()>,
}

const SIGNS: [(Sign, &str); 8] = [
    (Sign::Waits, "waits: no node yet"),
    (Sign::NoRoom, "no room: no node takes it"),
    (Sign::Starts, "starts: pulls its image, is created, initialises"),
    (Sign::Runs, "runs"),
    (Sign::Done, "done: ended well"),
    (Sign::Failed, "failed: ended with an error"),
    (Sign::BacksOff, "backs off: waits before the next try"),
    (Sign::Ends, "ends: is being deleted, has its grace time"),
];

/// Where a field stands, as one would look for it in a manifest.
fn field(within: Within, field: &str) -> String {
    match within {
        Within::PodSpec => format!("spec.{field}"),
        Within::Container => format!("containers[].{field}"),
        Within::Volume => format!("volumes[].{field}"),
        Within::Spec(kind) => format!("{} spec.{field}", kind.name()),
        Within::Cluster => field.to_owned(),
    }
}

#[component]
pub fn Help(props: &Props) -> Html {
    let (dialog, title) = (use_node_ref(), use_node_ref());
    use_effect_with((props.open, dialog.clone(), title.clone()), |(open, dialog, title)| {
        let Some(dialog) = dialog.cast::<HtmlDialogElement>() else { return };
        match (*open, dialog.open()) {
            (true, false) => {
                let _ = dialog.show_modal();
                // Reading begins at the top. The attribute `autofocus` would ask for it when the page opens, too.
                if let Some(title) = title.cast::<HtmlElement>() {
                    let _ = title.focus();
                }
            }
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    html! {
        <dialog ref={dialog} class="help" aria-labelledby="help-title" onclose={props.close.reform(|_: Event| ())}>
            <h2 ref={title} id="help-title" tabindex="-1">{ "Keys and signs" }</h2>
            <div class="columns">
                <dl class="keys">
                    { for KEYS.iter().map(|(keys, what)| html! {
                        <div><dt>{ for keys.split(' ').map(|key| html! { <kbd>{ key }</kbd> }) }</dt><dd>{ *what }</dd></div>
                    }) }
                </dl>
                <ul class="signs">
                    { for SIGNS.iter().map(|(sign, what)| html! { <li>{ sign::draw(*sign, None) }<span>{ *what }</span></li> }) }
                </ul>
            </div>
            <details class="gaps">
                <summary>{ "What is simulated, and what is not" }</summary>
                <div class="scrolls" tabindex="0" role="group" aria-label="What is not simulated">
                    <p>{ "The API, the controllers, the scheduler and the kubelets of Kubernetes 1.36 are simulated in this page, on a virtual clock; its behaviour is checked against recordings of a real cluster. Images are models of the tutorials' programs, and of a shell. Not simulated:" }</p>
                    <ul>{ for GAPS.iter().map(|gap| html! {
                        <li>
                            if !gap.field.is_empty() { <code>{ field(gap.within, gap.field) }</code>{ ": " } }
                            { gap.says }<span class="soft">{ format!(" ({})", gap.reason) }</span>
                        </li>
                    }) }</ul>
                </div>
            </details>
            <p class="fidelity"><a href="fidelity.html" target="_blank" rel="noopener">{ "How close to a real cluster is this?" }</a></p>
            <footer>
                <label><input type="checkbox" checked={props.keys} onchange={props.toggle_keys.reform(|_: Event| ())} />{ " single keys are shortcuts" }</label>
                <span class="grow"></span>
                <button type="button" class="primary" onclick={props.close.reform(|_: MouseEvent| ())}>{ "Close" }</button>
            </footer>
        </dialog>
    }
}
