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
        return html! { <p class="empty">{ "No events now. The API forgets them after an hour." }</p> };
    }
    let hidden = events.len().saturating_sub(ROWS_MAX);
    html! {
        <table class="grid events" role="table">
            <thead role="rowgroup"><tr role="row"><th role="columnheader">{ "LAST SEEN" }</th><th role="columnheader">{ "TYPE" }</th><th role="columnheader">{ "REASON" }</th><th role="columnheader">{ "OBJECT" }</th><th role="columnheader">{ "MESSAGE" }</th></tr></thead>
            <tbody role="rowgroup">
                { for events[hidden..].iter().rev().map(|event| row(event, props.now_ms)) }
                if hidden > 0 { <tr role="row"><td role="cell" class="more" colspan="5">{ format!("{hidden} older events") }</td></tr> }
            </tbody>
        </table>
    }
}

fn row(event: &EventRow, now_ms: i64) -> Html {
    let times = (event.count > 1).then(|| format!(" (x{})", event.count));
    html! {
        <tr role="row" key={event.key.clone()} class={event.warning.then_some("warning")}>
            <td role="cell" title={format!("t+{}", super::words::moment(event.at_ms))}>{ age(now_ms - event.at_ms) }{ times }</td>
            <td role="cell">{ if event.warning { "Warning" } else { "Normal" } }</td>
            <td role="cell">{ &event.reason }</td>
            <td role="cell" title={event.source.clone()}>{ &event.object }</td>
            <td role="cell" class="message">{ &event.message }</td>
        </tr>
    }
}
