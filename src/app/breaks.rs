//! The menus that break something: for a node, for a Pod, and for everything else.
//!
//! One dialog of the browser's own kind for all three, so that Escape closes it and the focus goes back to where it came
//! from. What is done is an input of the run: it has its mark on the time line and goes with it.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDialogElement, HtmlElement};
use yew::prelude::*;

use super::app::{App, Msg};
use super::browser;
use super::engine::{Extra, Fault, NodePlace, PodToken, Span};
use super::kept::Step;
use super::later::Then;
use super::run::Part;

/// What is to be broken.
#[derive(Clone, PartialEq, Debug)]
pub enum Target {
    All,
    /// By its name.
    Node(String),
    /// By its uid.
    Pod(String),
}

/// What was chosen.
#[derive(Clone, PartialEq, Debug)]
pub enum Deed {
    Fault(Fault),
    /// A command that does it.
    Line(String),
}

#[derive(Properties, PartialEq)]
pub struct Props {
    /// None while it is closed.
    pub target: Option<Target>,
    pub pods: Part<Vec<PodToken>>,
    pub nodes: Part<Vec<NodePlace>>,
    /// Images of the Pods.
    pub images: std::rc::Rc<Vec<String>>,
    pub act: Callback<Msg>,
}

/// A way to break something: its code, its title, and what happens then. Names of Kubernetes stand in backticks.
type Way = (&'static str, &'static str, &'static str);

const CORDON: Way = ("cordon", "Cordon", "No new Pods come here: `kubectl cordon`");
const UNCORDON: Way = ("uncordon", "Uncordon", "New Pods may come again: `kubectl uncordon`");
const DRAIN: Way = ("drain", "Drain", "No new Pods, and those that are here are evicted: `kubectl drain`");
const FREEZE: Way = (
    "freeze",
    "Silence it for",
    "Its kubelet answers no more: `NotReady` after a while, and its Pods are replaced if it lasts",
);
const KILL: Way = ("kill", "Kill the machine", "Its containers end, and nobody is left to say so");
const THAW: Way = ("thaw", "Bring it back", "Its kubelet answers again");
const POD: [Way; 4] = [
    ("exit", "End it with exit code", "As if the container's program had ended so"),
    ("oom", "Let it run out of memory", "`OOMKilled`, exit code 137"),
    ("evict", "Evict the Pod", "Through the API, as a drain does it"),
    ("delete", "Delete the Pod", "`kubectl delete pod`, with its time to end"),
];
const STOP: Way = ("stop", "Stop", "It does nothing and misses what happens; then it starts anew");
const SLOW: Way = ("slow", "Slow the API down by", "Every controller reacts later");
const FAIL: Way = ("fail", "Let pulls fail", "`ErrImagePull`, then `ImagePullBackOff`");
const LATE: Way = ("late", "Slow pulls down", "Each takes 30 s longer");

/// Those that someone may want to see stand still.
const CONTROLLERS: [&str; 8] = [
    "job-controller",
    "cronjob-controller",
    "default-scheduler",
    "ttl-after-finished-controller",
    "garbage-collector-controller",
    "replicaset-controller",
    "deployment-controller",
    "node-controller",
];
/// Seconds, as the values of the choice; 0 is without an end.
const SPANS: [(&str, &str); 5] =
    [("30", "30 s"), ("60", "1 min"), ("300", "5 min"), ("900", "15 min"), ("0", "the whole run")];
const DELAYS: [(&str, &str); 3] = [("200", "200 ms"), ("1000", "1 s"), ("5000", "5 s")];
/// What [`LATE`] says.
const LATE_SECONDS: i64 = 30;

/// A button that opens the menu of a node or a Pod.
pub fn button(act: &Callback<Msg>, target: Target, name: &str) -> Html {
    let onclick = act.reform(move |_: MouseEvent| Msg::Break(Some(target.clone())));
    html! {
        <button type="button" class="dots" aria-label={format!("Break {name}")} title={format!("Break {name}")} aria-haspopup="dialog" {onclick}>
            <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d="M9 1 3 9h4l-1 6 6-8H8z" /></svg>
        </button>
    }
}

#[component]
pub fn Breaks(props: &Props) -> Html {
    let dialog = use_node_ref();
    use_effect_with((props.target.clone(), dialog.clone()), |(target, dialog)| {
        let Some(dialog) = dialog.cast::<HtmlDialogElement>() else { return };
        match (target.is_some(), dialog.open()) {
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let onclick = {
        let (act, target) = (props.act.clone(), props.target.clone());
        let pods = props.pods.clone();
        Callback::from(move |event: MouseEvent| {
            let Some(element) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else { return };
            if element.matches("dialog").unwrap_or(false) {
                // Beside the menu.
                return act.emit(Msg::Break(None));
            }
            let Some(button) = element.closest("[data-way]").ok().flatten() else { return };
            let way = button.get_attribute("data-way").unwrap_or_default();
            let pod = |uid: &str| {
                pods.0.iter().find(|pod| pod.uid == uid).map(|pod| (pod.namespace.clone(), pod.name.clone()))
            };
            let name = match &target {
                Some(Target::Node(name)) => Some((String::new(), name.clone())),
                Some(Target::Pod(uid)) => pod(uid),
                _ => Some(Default::default()),
            };
            if let Some(deed) = name.and_then(|(namespace, name)| deed(&way, &namespace, &name, value)) {
                act.emit(Msg::Deed(deed));
            }
        })
    };
    html! {
        <dialog ref={dialog} class="breaks" aria-labelledby="breaks-title" {onclick} onclose={props.act.reform(|_: Event| Msg::Break(None))}>
            <div>{ content(props) }</div>
            <button type="button" class="plain close" aria-label="Close" title="Close (Esc)" onclick={props.act.reform(|_: MouseEvent| Msg::Break(None))}>{ "×" }</button>
        </dialog>
    }
}

fn content(props: &Props) -> Html {
    let head = |title: Html| html! { <h2 id="breaks-title">{ title }</h2> };
    let none = Html::default;
    match &props.target {
        None => none(),
        Some(Target::Node(name)) => {
            let node = props.nodes.0.iter().find(|node| node.name == *name);
            let Some(node) = node else { return html! { <>{ head(name.into()) }<p>{ "This node is gone." }</p></> } };
            html! {
                <>
                    { head(html! { <>{ "Node " }<code>{ name }</code></> }) }
                    { way(if node.schedulable { CORDON } else { UNCORDON }, none()) }
                    { way(DRAIN, none()) }
                    if node.ready { { way(FREEZE, choice("for", "Time", &SPANS)) } }
                    { way(KILL, none()) }
                    if !node.ready { { way(THAW, none()) } }
                </>
            }
        }
        Some(Target::Pod(uid)) => {
            let Some(pod) = props.pods.0.iter().find(|pod| pod.uid == *uid) else {
                return html! { <>{ head("Pod".into()) }<p>{ "This Pod is gone." }</p></> };
            };
            let containers: Vec<_> = pod.containers.iter().map(|name| (name.as_str(), name.as_str())).collect();
            let exit = html! { <input name="exit" aria-label="Exit code" inputmode="numeric" size="3" value="1" /> };
            let [end, oom, evict, delete] = POD;
            html! {
                <>
                    { head(html! { <>{ "Pod " }<code>{ &pod.name }</code></> }) }
                    if containers.len() > 1 { <p class="of">{ "Container " }{ choice("container", "Container", &containers) }</p> }
                    { way(end, exit) }
                    { way(oom, none()) }
                    { way(evict, none()) }
                    { way(delete, none()) }
                </>
            }
        }
        Some(Target::All) => {
            let controllers = CONTROLLERS.map(|name| (name, name));
            let images: Vec<_> = props.images.iter().map(|image| (image.as_str(), image.as_str())).collect();
            let go = |target: Target, name: &str| {
                html! { <button type="button" onclick={props.act.reform(move |_: MouseEvent| Msg::Break(Some(target.clone())))}><code>{ name }</code></button> }
            };
            html! {
                <>
                    { head("Break something".into()) }
                    <p class="of">{ "For " }{ choice("for", "Time", &SPANS) }</p>
                    { way(STOP, choice("controller", "Controller", &controllers)) }
                    { way(SLOW, choice("delay", "Delay", &DELAYS)) }
                    if !images.is_empty() {
                        <p class="of">{ "Image " }{ choice("image", "Image", &images) }</p>
                        { way(FAIL, none()) }
                        { way(LATE, none()) }
                    }
                    <p class="of">{ "A node: " }{ for props.nodes.0.iter().map(|node| go(Target::Node(node.name.clone()), &node.name)) }</p>
                    <p class="soft">{ "To break a Pod, choose it on the stage: the same sign stands beside its log." }</p>
                </>
            }
        }
    }
}

/// A button with what belongs to it beside it.
fn way((code, title, then): Way, with: Html) -> Html {
    // Every other piece stands in backticks.
    let pieces = then.split('`').enumerate().map(|(at, piece)| match at % 2 {
        0 => html! { { piece } },
        _ => html! { <code>{ piece }</code> },
    });
    html! {
        <div class="way">
            <button type="button" data-way={code} aria-describedby={format!("way-{code}")}>{ title }</button>
            { with }
            <small id={format!("way-{code}")}>{ for pieces }</small>
        </div>
    }
}

fn choice(name: &'static str, label: &'static str, options: &[(&str, &str)]) -> Html {
    let option = |(at, (value, text)): (usize, &(&str, &str))| {
        // Said of the first one, since they do not come in their order.
        html! { <option value={(*value).to_owned()} selected={at == 0}>{ *text }</option> }
    };
    html! { <select {name} aria-label={label}>{ for options.iter().enumerate().map(option) }</select> }
}

/// What stands in a field of the menu.
fn value(name: &str) -> String {
    let field = browser::document().query_selector(&format!(".breaks [name={name}]")).ok().flatten();
    let value = field.and_then(|field| js_sys::Reflect::get(&field, &"value".into()).ok());
    value.and_then(|value| value.as_string()).unwrap_or_default()
}

/// What a way means for the node or Pod of that name; a Pod has a namespace besides.
fn deed(way: &str, namespace: &str, name: &str, value: fn(&str) -> String) -> Option<Deed> {
    let until = || value("for").parse().ok().filter(|seconds| *seconds > 0).map(Span::secs);
    let (node, pod, namespace) = (name.to_owned(), name.to_owned(), namespace.to_owned());
    let container = Some(value("container")).filter(|name| !name.is_empty());
    let fault = match way {
        "cordon" | "uncordon" => return Some(Deed::Line(format!("kubectl {way} {node}"))),
        "delete" if namespace == "default" => return Some(Deed::Line(format!("kubectl delete pod {pod}"))),
        "delete" => return Some(Deed::Line(format!("kubectl delete pod {pod} -n {namespace}"))),
        "drain" => Fault::Drain { node },
        "freeze" => Fault::FreezeNode { node, until: until() },
        "kill" => Fault::KillNode { node },
        "thaw" => Fault::ThawNode { node },
        "exit" => {
            let exit_code = value("exit").trim().parse().ok().filter(|code| (0..=255).contains(code)).unwrap_or(1);
            Fault::KillContainer { namespace, pod, container, exit_code, oom: false }
        }
        "oom" => Fault::KillContainer { namespace, pod, container, exit_code: 137, oom: true },
        "evict" => Fault::EvictPod { namespace, pod },
        "stop" => Fault::StopController { name: value("controller"), until: until() },
        "slow" => Fault::SlowApi { delay_ms: value("delay").parse().ok()?, until: until() },
        "fail" => Fault::FailPull { image: value("image"), until: until() },
        "late" => Fault::SlowPull { image: value("image"), seconds: LATE_SECONDS, until: until() },
        _ => return None,
    };
    Some(Deed::Fault(fault))
}

impl App {
    /// Opens a menu beside what has the focus, or closes it.
    pub(super) fn open_breaks(&mut self, target: Option<Target>) {
        if target.is_some() && self.breaks.is_none() {
            let active = browser::document().active_element().and_then(|active| active.dyn_into::<HtmlElement>().ok());
            let place =
                active.filter(|active| active.tag_name() == "BUTTON").map(|active| active.get_bounding_client_rect());
            browser::set_length("--menu-x", place.as_ref().map(|place| place.left() as i32));
            browser::set_length("--menu-y", place.as_ref().map(|place| place.bottom() as i32 + 4));
        }
        let images = self.run.engine().filter(|_| target.is_some()).map(|engine| engine.images());
        self.images = images.unwrap_or_default().into();
        self.breaks = target;
    }

    pub(super) fn break_it(&mut self, deed: Deed) {
        self.breaks = None;
        let is_command = matches!(deed, Deed::Line(_) | Deed::Fault(Fault::Drain { .. }));
        if is_command && self.later.lacks(Extra::Terminal) {
            return self.later.fetch(Extra::Terminal, Then::Deed(deed), &self.act);
        }
        self.kept.steps = self.run.steps.clone();
        let now_ms = self.run.now_ms();
        match deed {
            Deed::Line(line) => {
                self.said = line.clone().into();
                self.kept.steps.push(Step::run(now_ms, &line));
                self.kept.keep();
                self.run.act(Some(Step::run(now_ms, &line)), |engine| engine.run(&line));
            }
            Deed::Fault(fault) => {
                self.said = fault.says().into();
                self.kept.steps.push(Step::fault(now_ms, fault.text()));
                // Kept before it is done: should the engine panic over it, the report holds it.
                self.kept.keep();
                // What the stage shows by itself needs no word beside it.
                let (shown, until) = match &fault {
                    Fault::StopController { until, .. }
                    | Fault::SlowApi { until, .. }
                    | Fault::FailPull { until, .. }
                    | Fault::SlowPull { until, .. } => (true, *until),
                    Fault::FreezeNode { until, .. } => (until.is_some(), *until),
                    _ => (false, None),
                };
                self.run.fault(fault, shown, until.map(Span::as_ms));
            }
        }
        self.news();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_become_faults_and_commands() {
        fn form(name: &str) -> String {
            match name {
                "for" => "60",
                "exit" => "300",
                "image" => "busybox:1.36",
                "delay" => "200",
                "controller" => "job-controller",
                _ => "",
            }
            .to_owned()
        }
        let said = |way, namespace, name| match deed(way, namespace, name, form) {
            Some(Deed::Fault(fault)) => fault.says(),
            Some(Deed::Line(line)) => line,
            None => String::new(),
        };
        for (way, namespace, name, text) in [
            ("cordon", "", "node-1", "kubectl cordon node-1"),
            ("freeze", "", "node-1", "node-1 is silent for 1m0s"),
            ("exit", "default", "a", "a ends with exit code 1"),
            ("oom", "default", "a", "a has no memory left"),
            ("delete", "default", "a", "kubectl delete pod a"),
            ("delete", "team", "a", "kubectl delete pod a -n team"),
            ("evict", "team", "a", "team/a is evicted"),
            ("stop", "", "", "job-controller stands still for 1m0s"),
            ("slow", "", "", "the API takes 200 ms longer for 1m0s"),
            ("fail", "", "", "busybox:1.36 cannot be pulled for 1m0s"),
            ("nothing", "", "", ""),
        ] {
            assert_eq!(said(way, namespace, name), text);
        }
    }
}
