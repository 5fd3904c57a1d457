//! The stage: waiting, the nodes with their room, finished. It reads left to right, like the life of a Pod.

use yew::prelude::*;

use super::app::Msg;
use super::breaks::{self, Target};
use super::browser;
use super::engine::{JobCard, NodePlace, Place, PodToken, Sign};
use super::run::Part;
use super::sign;
use super::words::count;

/// Most tokens drawn in one place; the rest is told as a number, so that a crowd costs no more than a glance.
const CROWD: usize = 48;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub pods: Part<Vec<PodToken>>,
    pub nodes: Part<Vec<NodePlace>>,
    pub jobs: Part<Vec<JobCard>>,
    pub selected: Option<AttrValue>,
    /// The Pod that Tab reaches; arrows move on from it.
    pub reachable: Option<AttrValue>,
    pub act: Callback<Msg>,
}

#[component]
pub fn Stage(props: &Props) -> Html {
    let reachable = props.reachable.clone().filter(|uid| props.pods.0.iter().any(|pod| pod.uid == **uid));
    let reachable = reachable.or_else(|| first_drawn(props).map(|pod| AttrValue::from(pod.uid.clone())));
    let tokens = |place: &Place| tokens(props, place, reachable.as_deref());
    let tries = props.jobs.0.iter().filter_map(next_try).collect::<Html>();
    let waiting = here(props, &Place::Waiting).count();
    let finished = here(props, &Place::Finished).count();
    let onkeydown = Callback::from(move_focus);
    html! {
        <div class="places" {onkeydown}>
            <section class="place waiting" aria-label="Waiting">
                <h3>{ "Waiting" }<span>{ number(waiting) }</span></h3>
                <div class="pods">{ tokens(&Place::Waiting) }{ tries }</div>
            </section>
            <div class="nodes">
                { for props.nodes.0.iter().map(|node| self::node(node, tokens(&Place::Node(node.name.clone())), &props.act)) }
            </div>
            <section class="place finished" aria-label="Finished">
                <h3>{ "Finished" }<span>{ number(finished) }</span></h3>
                <div class="pods">{ tokens(&Place::Finished) }</div>
            </section>
        </div>
    }
}

fn number(pods: usize) -> String {
    if pods == 0 { String::new() } else { pods.to_string() }
}

fn here<'a>(props: &'a Props, place: &'a Place) -> impl Iterator<Item = &'a PodToken> {
    props.pods.0.iter().filter(move |pod| pod.place == *place)
}

fn first_drawn(props: &Props) -> Option<&PodToken> {
    let nodes = props.nodes.0.iter().map(|node| Place::Node(node.name.clone()));
    let mut places = std::iter::once(Place::Waiting).chain(nodes).chain([Place::Finished]);
    places.find_map(|place| props.pods.0.iter().find(|pod| pod.place == place))
}

/// The newest Pods of a place; the older ones of a crowd as a number.
fn tokens(props: &Props, place: &Place, reachable: Option<&str>) -> Html {
    let all: Vec<&PodToken> = here(props, place).collect();
    let hidden = all.len().saturating_sub(CROWD);
    html! {
        <>
            if hidden > 0 { <span class="more">{ format!("+ {hidden} older") }</span> }
            { for all[hidden..].iter().map(|pod| token(props, pod, reachable == Some(&pod.uid))) }
        </>
    }
}

fn token(props: &Props, pod: &PodToken, reachable: bool) -> Html {
    let selected = props.selected.as_deref() == Some(&pod.uid);
    let select = {
        let uid = AttrValue::from(pod.uid.clone());
        props.act.reform(move |_: MouseEvent| Msg::Select(Some(uid.clone())))
    };
    let reach = {
        let uid = AttrValue::from(pod.uid.clone());
        props.act.reform(move |_: FocusEvent| Msg::Reach(uid.clone()))
    };
    let span = pod.until_ms.map(|until| (pod.since_ms, until));
    let restarts = (pod.restarts > 0).then(|| format!("↻{}", pod.restarts));
    let index = pod.index.as_ref().map(|index| html! { <b class="index">{ index }</b> });
    html! {
        <button key={pod.uid.clone()} type="button" class="pod" data-pod={pod.uid.clone()} data-sign={sign::class(pod.sign)}
            tabindex={if reachable { "0" } else { "-1" }} aria-pressed={selected.to_string()}
            title={title(pod)} onclick={select} onfocusin={reach}>
            { sign::draw(pod.sign, span) }
            <span class="unseen">{ pod.name.strip_suffix(pod.short.as_str()).unwrap_or_default() }</span>
            <span class="short">{ index }{ &pod.short }</span>
            <span class="word">{ &pod.word }{ restarts.map(|text| html! { <i>{ text }</i> }) }</span>
            if !pod.note.is_empty() { <span class="unseen">{ &pod.note }</span> }
        </button>
    }
}

fn title(pod: &PodToken) -> String {
    let mut title = format!("{}\n{} · ready {}", pod.name, pod.status, pod.ready);
    if !pod.note.is_empty() {
        title.push('\n');
        title.push_str(&pod.note);
    }
    title
}

/// The Pod that a Job will make when its back-off is over.
fn next_try(job: &JobCard) -> Option<Html> {
    let until = job.next_try_ms?;
    let from = job.next_try_from_ms.unwrap_or(job.created_ms);
    let failures = count(job.failed, "failure");
    Some(html! {
        <span key={format!("try-{}", job.uid)} class="pod ghost" title={format!("Job {} waits before its next Pod: {failures}", job.name)}>
            { sign::draw(Sign::BacksOff, Some((from, until))) }
            <span class="short">{ "next try" }</span>
            <span class="word">{ failures }</span>
        </span>
    })
}

fn node(node: &NodePlace, tokens: Html, act: &Callback<Msg>) -> Html {
    let state = match (node.ready, node.schedulable) {
        (false, _) => Some("NotReady"),
        (true, false) => Some("cordoned"),
        (true, true) => None,
    };
    html! {
        <section key={node.name.clone()} class={classes!("place", "node", (!node.ready).then_some("down"))} aria-label={node.name.clone()}>
            <h3>
                <span class="name">{ &node.name }</span>
                { state.map(|word| html! { <b class="flag">{ word }</b> }) }
                <span class="count" title={format!("It takes {} at most", count(node.pods_max, "Pod"))}>{ count(node.pods, "Pod") }</span>
                { breaks::button(act, Target::Node(node.name.clone()), &node.name) }
            </h3>
            <div class="pods">{ tokens }</div>
            <dl class="room">
                { meter("cpu", node.cpu_percent, &node.cpu_text) }
                { meter("mem", node.memory_percent, &node.memory_text) }
            </dl>
        </section>
    }
}

fn meter(name: &str, percent: i64, text: &str) -> Html {
    let width = format!("{}%", percent.clamp(0, 100));
    let text = if text.is_empty() { "none requested" } else { text };
    html! {
        <div title={format!("requested: {text}")}>
            <dt>{ name }</dt>
            <dd>
                <svg height="6" aria-hidden="true" focusable="false">
                    <rect class="trough" width="100%" height="6" rx="3" />
                    <rect class={if percent >= 90 { "level full" } else { "level" }} {width} height="6" rx="3" />
                </svg>
                <span>{ text }</span>
            </dd>
        </div>
    }
}

/// Arrows move among the Pods in the order of the page; Home and End go to the first and the last.
fn move_focus(event: KeyboardEvent) {
    let step: i64 = match event.key().as_str() {
        "ArrowRight" | "ArrowDown" => 1,
        "ArrowLeft" | "ArrowUp" => -1,
        "Home" => i64::MIN,
        "End" => i64::MAX,
        _ => return,
    };
    let Ok(pods) = browser::document().query_selector_all("button[data-pod]") else { return };
    let active = browser::document().active_element();
    let all: Vec<_> = (0..pods.length()).filter_map(|at| pods.get(at)).collect();
    let Some(at) = all.iter().position(|pod| Some(pod) == active.as_ref().map(AsRef::as_ref)) else { return };
    let to = (at as i64).saturating_add(step).clamp(0, all.len() as i64 - 1) as usize;
    event.prevent_default();
    if let Some(pod) = wasm_bindgen::JsCast::dyn_ref::<web_sys::HtmlElement>(&all[to]) {
        let _ = pod.focus();
    }
}
