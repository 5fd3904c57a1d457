//! The Logs panel: what a container of the chosen Pod printed, and what there is to say about the Pod.

use std::rc::Rc;

use web_sys::{Element, HtmlSelectElement};
use yew::prelude::*;

use super::breaks::{self, Target};
use super::engine::{LogLine, PodToken};
use super::run::{Part, Run};
use super::words::{age, moment};

/// Most lines drawn: the newest.
pub const LINES_MAX: usize = 1_000;

/// What someone does in the panel.
#[derive(Clone, PartialEq, Debug)]
pub enum Msg {
    /// Another Pod, by its uid, or none.
    Pod(Option<AttrValue>),
    Container(String),
    Previous,
    Follow,
    Break(Target),
}

/// What the panel shows.
#[derive(Clone, PartialEq, Debug)]
pub struct Choice {
    pub container: Option<String>,
    /// The run before the present one.
    pub previous: bool,
    pub follow: bool,
}

/// The panel's state: what is chosen, and what that says.
pub struct Log {
    pub choice: Choice,
    pub lines: Rc<Result<Vec<LogLine>, String>>,
}

impl Default for Log {
    fn default() -> Log {
        let choice = Choice { container: None, previous: false, follow: true };
        Log { choice, lines: Rc::new(Ok(Vec::new())) }
    }
}

impl Log {
    /// Another Pod: its first container, its present run.
    pub fn other_pod(&mut self) {
        self.choice = Choice { container: None, previous: false, follow: self.choice.follow };
    }

    /// Reads the log of a Pod, by its uid. True if it is another than before.
    pub fn read(&mut self, run: &Run, uid: &str) -> bool {
        let Some(engine) = run.engine() else { return false };
        // A Pod that is gone is asked for by the name it had.
        let lane = run.view.lanes.iter().find(|lane| lane.uid == uid);
        let (namespace, name) = lane.map_or(("default", uid), |lane| (&lane.namespace, &lane.name));
        let lines = engine.logs(namespace, name, self.choice.container.as_deref(), self.choice.previous);
        let differs = lines != *self.lines;
        if differs {
            self.lines = Rc::new(lines);
        }
        differs
    }
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub pods: Part<Vec<PodToken>>,
    pub selected: Option<AttrValue>,
    pub choice: Choice,
    /// What the engine says; an error is kubectl's text.
    pub lines: Rc<Result<Vec<LogLine>, String>>,
    pub now_ms: i64,
    pub act: Callback<Msg>,
}

#[component]
pub fn Logs(props: &Props) -> Html {
    let end = use_node_ref();
    use_effect_with((props.lines.clone(), props.choice.follow), {
        let end = end.clone();
        move |(_, follow)| {
            if let Some(element) = end.cast::<Element>().filter(|_| *follow) {
                element.set_scroll_top(element.scroll_height());
            }
        }
    });
    let pod = props.pods.0.iter().find(|pod| Some(pod.uid.as_str()) == props.selected.as_deref());
    html! {
        <div class="logs">
            { controls(props, pod) }
            if let Some(pod) = pod { { about(pod, props.now_ms, &props.act) } }
            <pre ref={end} class="lines scrolls" tabindex="0" role="log" aria-live="off" aria-label="Log">{ text(props) }</pre>
        </div>
    }
}

fn text(props: &Props) -> Html {
    if props.selected.is_none() {
        return html! { <span class="soft">{ "Choose a Pod on the stage or in the list." }</span> };
    }
    match &*props.lines {
        Err(reason) => html! { <span class="soft">{ reason }</span> },
        Ok(lines) if lines.is_empty() => html! { <span class="soft">{ "It has printed nothing yet." }</span> },
        Ok(lines) => {
            let from = lines.len().saturating_sub(LINES_MAX);
            let mut text = String::new();
            for line in &lines[from..] {
                text.push_str(&line.text);
                text.push('\n');
            }
            html! { { text } }
        }
    }
}

fn controls(props: &Props, pod: Option<&PodToken>) -> Html {
    let chosen = |event: &Event| event.target_dyn_into::<HtmlSelectElement>().map(|select| select.value());
    let choose_pod = props
        .act
        .reform(move |event: Event| Msg::Pod(chosen(&event).filter(|uid| !uid.is_empty()).map(AttrValue::from)));
    let choose_container = props.act.reform(move |event: Event| Msg::Container(chosen(&event).unwrap_or_default()));
    let containers = pod.map(|pod| pod.containers.as_slice()).unwrap_or_default();
    let gone = props.selected.is_some() && pod.is_none();
    html! {
        <div class="controls">
            <select aria-label="Pod" onchange={choose_pod}>
                <option value="" selected={props.selected.is_none()}>{ "Pod…" }</option>
                if gone { <option value={props.selected.clone()} selected={true}>{ "(deleted)" }</option> }
                { for props.pods.0.iter().map(|pod| html! {
                    <option key={pod.uid.clone()} value={pod.uid.clone()} selected={props.selected.as_deref() == Some(&pod.uid)}>{ &pod.name }</option>
                }) }
            </select>
            if containers.len() > 1 {
                <select aria-label="Container" onchange={choose_container}>
                    { for containers.iter().map(|name| html! {
                        <option key={name.clone()} value={name.clone()} selected={props.choice.container.as_ref() == Some(name)}>{ name }</option>
                    }) }
                </select>
            }
            <label><input type="checkbox" checked={props.choice.previous} onchange={props.act.reform(|_: Event| Msg::Previous)} />{ " previous run" }</label>
            <label><input type="checkbox" checked={props.choice.follow} onchange={props.act.reform(|_: Event| Msg::Follow)} />{ " follow" }</label>
        </div>
    }
}

fn about(pod: &PodToken, now_ms: i64, act: &Callback<Msg>) -> Html {
    html! {
        <div class="about">
            <b>{ &pod.name }</b>
            <span>{ &pod.status }</span>
            <span>{ format!("ready {}", pod.ready) }</span>
            if pod.restarts > 0 { <span>{ super::words::count(i64::from(pod.restarts), "restart") }</span> }
            <span title={format!("created at t+{}", moment(pod.created_ms))}>{ format!("age {}", age(now_ms - pod.created_ms)) }</span>
            if !pod.note.is_empty() { <span class="note">{ &pod.note }</span> }
            { breaks::button(act.reform(Msg::Break), Target::Pod(pod.uid.clone()), &pod.name) }
        </div>
    }
}
