//! The Events panel: `kubectl get events`, column by column.

use yew::prelude::*;

use super::engine::EventRow;
use super::run::Part;
use super::words::age;

/// Most rows drawn: the newest.
const ROWS_MAX: usize = 250;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub events: Part<Vec<EventRow>>,
    /// For ages; moves a few times a second.
    pub now_ms: i64,
}

#[component]
pub fn Events(props: &Props) -> Html {
    let events = &props.events.0;
    if events.is_empty() {
        return html! { <p class="empty">{ "No events yet." }</p> };
    }
    let hidden = events.len().saturating_sub(ROWS_MAX);
    html! {
        <table class="grid events">
            <thead><tr><th>{ "LAST SEEN" }</th><th>{ "TYPE" }</th><th>{ "REASON" }</th><th>{ "OBJECT" }</th><th>{ "MESSAGE" }</th></tr></thead>
            <tbody>
                { for events[hidden..].iter().rev().map(|event| row(event, props.now_ms)) }
                if hidden > 0 { <tr><td class="more" colspan="5">{ format!("{hidden} older events") }</td></tr> }
            </tbody>
        </table>
    }
}

fn row(event: &EventRow, now_ms: i64) -> Html {
    let times = (event.count > 1).then(|| format!(" (x{})", event.count));
    html! {
        <tr key={event.key.clone()} class={event.warning.then_some("warning")}>
            <td title={format!("t+{}", super::words::moment(event.at_ms))}>{ age(now_ms - event.at_ms) }{ times }</td>
            <td>{ if event.warning { "Warning" } else { "Normal" } }</td>
            <td>{ &event.reason }</td>
            <td title={event.source.clone()}>{ &event.object }</td>
            <td class="message">{ &event.message }</td>
        </tr>
    }
}
