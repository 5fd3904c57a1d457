//! The stage: waiting, the nodes with their room, finished. It reads left to right, like the life of a Pod.

use yew::prelude::*;

use super::breaks::{self, Target};
use super::browser;
use super::engine::{JobCard, NodePlace, Place, PodToken, Sign};
use super::run::{Broken, Part};
use super::sign;
use super::words::count;

/// Most tokens drawn in one place; the rest is told as a number, so that a crowd costs no more than a glance.
const CROWD: usize = 48;

/// What someone does on the stage.
#[derive(Clone, PartialEq, Debug)]
pub enum Msg {
    /// Chooses a Pod, by its uid.
    Select(AttrValue),
    Break(Target),
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub pods: Part<Vec<PodToken>>,
    pub nodes: Part<Vec<NodePlace>>,
    pub jobs: Part<Vec<JobCard>>,
    pub selected: Option<AttrValue>,
    /// What holds the places, for whoever looks where the Pods are.
    pub floor: NodeRef,
    pub act: Callback<Msg>,
}

#[component]
pub fn Stage(props: &Props) -> Html {
    // The Pod that Tab reaches; arrows move on from it.
    let reached = use_state(|| None::<AttrValue>);
    let reachable = (*reached).clone().filter(|uid| props.pods.0.iter().any(|pod| pod.uid == **uid));
    let reachable = reachable.or_else(|| first_drawn(props).map(|pod| AttrValue::from(pod.uid.clone())));
    let tokens = |place: &Place| tokens(props, place, reachable.as_deref(), &reached);
    let tries = props.jobs.0.iter().filter_map(next_try).collect::<Html>();
    let waiting = here(props, &Place::Waiting).count();
    let finished = here(props, &Place::Finished).count();
    let onkeydown = {
        let floor = props.floor.clone();
        Callback::from(move |event| move_focus(&floor, &event))
    };
    let open = props.act.reform(Msg::Break);
    html! {
        <div class="floor" ref={&props.floor} role="group" aria-label="Cluster">
        <div class="places" {onkeydown}>
            <section class="place waiting" aria-label="Waiting">
                <h3>{ "Waiting" }<span>{ number(waiting) }</span></h3>
                <div class="pods">{ tokens(&Place::Waiting) }{ tries }</div>
            </section>
            <div class="nodes">
                { for props.nodes.0.iter().map(|node| self::node(node, tokens(&Place::Node(node.name.clone())), open.clone())) }
            </div>
            <section class="place finished" aria-label="Finished">
                <h3>{ "Finished" }<span>{ number(finished) }</span></h3>
                <div class="pods">{ tokens(&Place::Finished) }</div>
            </section>
        </div>
        </div>
    }
}

/// What is broken now, with what is left of it.
pub fn broken<'a>(all: impl Iterator<Item = &'a Broken>) -> Html {
    let row = |broken: &Broken| {
        let left = broken.until_ms.map(|until| {
            html! {
                <span><b data-live="left" data-from={broken.from_ms.to_string()} data-until={until.to_string()}></b>{ " left" }</span>
            }
        });
        html! { <li key={format!("{} {}", broken.from_ms, broken.says)}>{ &broken.says }{ left }</li> }
    };
    let rows: Vec<Html> = all.map(row).collect();
    if rows.is_empty() {
        return Html::default();
    }
    html! { <ul class="broken" aria-label="Broken now">{ for rows }</ul> }
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
fn tokens(props: &Props, place: &Place, reachable: Option<&str>, reached: &UseStateHandle<Option<AttrValue>>) -> Html {
    let all: Vec<&PodToken> = here(props, place).collect();
    let hidden = all.len().saturating_sub(CROWD);
    html! {
        <>
            if hidden > 0 { <span class="more">{ format!("+ {hidden} older") }</span> }
            { for all[hidden..].iter().map(|pod| token(props, pod, reachable == Some(&pod.uid), reached)) }
        </>
    }
}

fn token(props: &Props, pod: &PodToken, reachable: bool, reached: &UseStateHandle<Option<AttrValue>>) -> Html {
    let selected = props.selected.as_deref() == Some(&pod.uid);
    let select = {
        let uid = AttrValue::from(pod.uid.clone());
        props.act.reform(move |_: MouseEvent| Msg::Select(uid.clone()))
    };
    let reach = {
        let (uid, reached) = (AttrValue::from(pod.uid.clone()), reached.clone());
        Callback::from(move |_: FocusEvent| {
            if reached.as_ref() != Some(&uid) {
                reached.set(Some(uid.clone()));
            }
        })
    };
    let span = pod.until_ms.map(|until| (pod.since_ms, until));
    let restarts = (pod.restarts > 0).then(|| format!("↻{}", pod.restarts));
    html! {
        <button key={pod.uid.clone()} type="button" class="pod" data-pod={pod.uid.clone()} data-sign={sign::class(pod.sign)}
            tabindex={if reachable { "0" } else { "-1" }} aria-pressed={selected.to_string()}
            aria-label={label(pod)} title={title(pod)} onclick={select} onfocusin={reach}>
            { sign::draw(pod.sign, span) }
            <span class="unseen">{ pod.name.strip_suffix(pod.short.as_str()).unwrap_or_default() }</span>
            <span class="short" data-index={pod.index.clone()}>{ &pod.short }</span>
            { " " }
            <span class="word">{ &pod.word }{ restarts.map(|text| html! { <>{ " " }<i>{ text }</i></> }) }</span>
        </button>
    }
}

/// What a Pod is called by a screen reader: `oneshot-gfbcl, runs, 3 restarts, node-1, Job oneshot`.
fn label(pod: &PodToken) -> String {
    let mut parts = vec![pod.name.clone(), pod.word.clone()];
    if pod.restarts > 0 {
        parts.push(count(i64::from(pod.restarts), "restart"));
    }
    if let Place::Node(node) = &pod.place {
        parts.push(node.clone());
    }
    if !pod.owner.is_empty() {
        parts.push(pod.owner.replacen('/', " ", 1));
    }
    if !pod.note.is_empty() {
        parts.push(pod.note.clone());
    }
    parts.join(", ")
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

fn node(node: &NodePlace, tokens: Html, open: Callback<Target>) -> Html {
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
                { breaks::button(open, Target::Node(node.name.clone()), &node.name) }
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
fn move_focus(floor: &NodeRef, event: &KeyboardEvent) {
    let Some(floor) = floor.cast::<web_sys::Element>() else { return };
    let pods = browser::all_within(&floor, "button[data-pod]");
    let active = browser::active();
    let Some(at) = pods.iter().position(|pod| Some(&**pod) == active.as_ref()) else { return };
    let Some(to) = next_place(&event.key(), at, pods.len()) else { return };
    event.prevent_default();
    let _ = pods[to].focus();
}

/// Where a key leads among `count` Pods from the one at `at`.
fn next_place(key: &str, at: usize, count: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    match key {
        "ArrowRight" | "ArrowDown" => Some((at + 1).min(last)),
        "ArrowLeft" | "ArrowUp" => Some(at.saturating_sub(1)),
        "Home" => Some(0),
        "End" => Some(last),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_named_in_full() {
        let pod = PodToken {
            name: "oneshot-gfbcl".into(),
            word: "runs".into(),
            restarts: 3,
            place: Place::Node("node-1".into()),
            owner: "Job/oneshot".into(),
            ..PodToken::default()
        };
        assert_eq!(label(&pod), "oneshot-gfbcl, runs, 3 restarts, node-1, Job oneshot");
    }

    #[test]
    fn arrows_stay_among_the_pods() {
        let go = |key, at| next_place(key, at, 3);
        assert_eq!([go("ArrowRight", 1), go("ArrowDown", 2), go("ArrowLeft", 0)], [Some(2), Some(2), Some(0)]);
        assert_eq!([go("Home", 2), go("End", 0), go("a", 0), next_place("End", 0, 0)], [Some(0), Some(2), None, None]);
    }
}
