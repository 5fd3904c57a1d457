//! The menus that break something: for a node, for a Pod, and for everything else.
//!
//! One dialog of the browser's own kind for all three, so that Escape closes it and the focus goes back to where it came
//! from. What is chosen in its fields is state of the menu. What is done is an input of the run: it has its mark on the time
//! line and goes with it.

use std::rc::Rc;

use web_sys::{HtmlDialogElement, HtmlElement, HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::browser;
use super::engine::{Fault, NodePlace, PodToken, Span};
use super::ids::Ids;
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

/// What the menu asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Msg {
    Open(Target),
    Close,
    Do(Deed),
}

/// What can be chosen from, besides what the picture shows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Offers {
    /// Images of the Pods, sorted.
    pub images: Vec<String>,
    /// The scheduler and the controllers.
    pub controllers: Vec<String>,
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub ids: Ids,
    /// None while it is closed.
    pub target: Option<Target>,
    pub pods: Part<Vec<PodToken>>,
    pub nodes: Part<Vec<NodePlace>>,
    pub offers: Rc<Offers>,
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

/// Seconds, as the values of the choice; 0 is without an end.
const SPANS: [(&str, &str); 5] =
    [("30", "30 s"), ("60", "1 min"), ("300", "5 min"), ("900", "15 min"), ("0", "the whole run")];
const DELAYS: [(&str, &str); 3] = [("200", "200 ms"), ("1000", "1 s"), ("5000", "5 s")];
/// What [`LATE`] says.
const LATE_SECONDS: i64 = 30;

/// A button that opens the menu of a node or a Pod.
pub fn button(open: Callback<Target>, target: Target, name: &str) -> Html {
    let onclick = open.reform(move |_: MouseEvent| target.clone());
    html! {
        <button type="button" class="dots" aria-label={format!("Break {name}")} title={format!("Break {name}")} aria-haspopup="dialog" {onclick}>
            <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d="M9 1 3 9h4l-1 6 6-8H8z" /></svg>
        </button>
    }
}

/// A field of the menu.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    Span,
    Container,
    Exit,
    Controller,
    Delay,
    Image,
}

/// What stands in the fields; empty where nothing was chosen.
#[derive(Clone, PartialEq, Debug, Default)]
struct Form([String; 6]);

impl Form {
    /// As the menu opens: the first of each choice.
    fn fresh(offers: &Offers, target: Option<&Target>) -> Form {
        let first = |all: &[String]| all.first().cloned().unwrap_or_default();
        let mut form = Form::default();
        // A node that is silent for less than its controller's patience shows nothing.
        let span = if matches!(target, Some(Target::Node(_))) { SPANS[2] } else { SPANS[0] };
        form.set(Field::Span, span.0.to_owned());
        form.set(Field::Exit, "1".to_owned());
        form.set(Field::Controller, first(&offers.controllers));
        form.set(Field::Delay, DELAYS[0].0.to_owned());
        form.set(Field::Image, first(&offers.images));
        form
    }

    fn get(&self, field: Field) -> &str {
        &self.0[field as usize]
    }

    fn set(&mut self, field: Field, value: String) {
        self.0[field as usize] = value;
    }
}

/// What the menu is told besides its properties.
pub enum Told {
    Set(Field, String),
    Way(&'static str),
    /// A click on the dialog itself, beside the menu, or within it.
    Click(bool),
}

/// The menu.
pub struct Menu {
    dialog: NodeRef,
    form: Form,
}

impl Component for Menu {
    type Message = Told;
    type Properties = Props;

    fn create(ctx: &Context<Self>) -> Menu {
        Menu { dialog: NodeRef::default(), form: Form::fresh(&ctx.props().offers, ctx.props().target.as_ref()) }
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &Props) -> bool {
        if ctx.props().target != old.target {
            self.form = Form::fresh(&ctx.props().offers, ctx.props().target.as_ref());
        }
        true
    }

    fn update(&mut self, ctx: &Context<Self>, told: Told) -> bool {
        let props = ctx.props();
        match told {
            Told::Set(field, value) => self.form.set(field, value),
            Told::Click(true) => props.act.emit(Msg::Close),
            Told::Click(false) => {}
            Told::Way(way) => {
                let pod = |uid: &str| props.pods.0.iter().find(|pod| pod.uid == uid);
                let deed = match &props.target {
                    Some(Target::Node(name)) => deed(way, "", name, &self.form),
                    Some(Target::Pod(uid)) => pod(uid).and_then(|pod| deed(way, &pod.namespace, &pod.name, &self.form)),
                    _ => deed(way, "", "", &self.form),
                };
                if let Some(deed) = deed {
                    props.act.emit(Msg::Do(deed));
                }
            }
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        // What names it stands in what it holds while it is open.
        let title = props.target.is_some().then(|| props.ids.of("breaks-title"));
        let dialog = self.dialog.clone();
        let onclick = ctx.link().callback(move |event: MouseEvent| {
            let hit = event.target_dyn_into::<HtmlDialogElement>();
            Told::Click(hit.is_some() && hit == dialog.cast())
        });
        let close = |_: MouseEvent| Msg::Close;
        html! {
            <dialog ref={&self.dialog} class="breaks" aria-labelledby={title} {onclick} onclose={props.act.reform(|_: Event| Msg::Close)}>
                <div>{ self.content(ctx) }</div>
                <button type="button" class="plain close" aria-label="Close" title="Close (Esc)" onclick={props.act.reform(close)}>{ "×" }</button>
            </dialog>
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, _: bool) {
        let Some(dialog) = self.dialog.cast::<HtmlDialogElement>() else { return };
        match (ctx.props().target.is_some(), dialog.open()) {
            (true, false) => {
                place_beside_focus(&dialog);
                let _ = dialog.show_modal();
            }
            (false, true) => dialog.close(),
            _ => {}
        }
    }
}

/// The menu opens beside the button that has the focus.
fn place_beside_focus(dialog: &HtmlElement) {
    let button = browser::active().filter(|active| active.tag_name() == "BUTTON");
    let place = button.map(|button| button.get_bounding_client_rect());
    browser::set_length(dialog, "--menu-x", place.as_ref().map(|place| place.left() as i32));
    browser::set_length(dialog, "--menu-y", place.as_ref().map(|place| place.bottom() as i32 + 4));
}

impl Menu {
    fn content(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        match &props.target {
            None => Html::default(),
            Some(Target::Node(name)) => self.of_node(ctx, name),
            Some(Target::Pod(uid)) => self.of_pod(ctx, uid),
            Some(Target::All) => self.of_all(ctx),
        }
    }

    fn head(ctx: &Context<Self>, title: Html) -> Html {
        html! { <h2 id={ctx.props().ids.of("breaks-title")}>{ title }</h2> }
    }

    fn of_node(&self, ctx: &Context<Self>, name: &str) -> Html {
        let Some(node) = ctx.props().nodes.0.iter().find(|node| node.name == name) else {
            return html! { <>{ Self::head(ctx, name.into()) }<p>{ "This node is gone." }</p></> };
        };
        html! {
            <>
                { Self::head(ctx, html! { <>{ "Node " }<code>{ name }</code></> }) }
                { way(ctx, if node.schedulable { CORDON } else { UNCORDON }, Html::default()) }
                { way(ctx, DRAIN, Html::default()) }
                if node.ready { { way(ctx, FREEZE, self.choice(ctx, Field::Span, "Time", &SPANS)) } }
                { way(ctx, KILL, Html::default()) }
                if !node.ready { { way(ctx, THAW, Html::default()) } }
            </>
        }
    }

    fn of_pod(&self, ctx: &Context<Self>, uid: &str) -> Html {
        let Some(pod) = ctx.props().pods.0.iter().find(|pod| pod.uid == uid) else {
            return html! { <>{ Self::head(ctx, "Pod".into()) }<p>{ "This Pod is gone." }</p></> };
        };
        let set = ctx.link().callback(|event: InputEvent| {
            let input = event.target_dyn_into::<HtmlInputElement>();
            Told::Set(Field::Exit, input.map(|input| input.value()).unwrap_or_default())
        });
        let exit = html! { <input aria-label="Exit code" inputmode="numeric" size="3" value={self.form.get(Field::Exit).to_owned()} oninput={set} /> };
        let [end, oom, evict, delete] = POD;
        html! {
            <>
                { Self::head(ctx, html! { <>{ "Pod " }<code>{ &pod.name }</code></> }) }
                if pod.containers.len() > 1 {
                    <p class="of">{ "Container " }{ self.choice(ctx, Field::Container, "Container", &same(&pod.containers)) }</p>
                }
                { way(ctx, end, exit) }
                { for [oom, evict, delete].map(|one| way(ctx, one, Html::default())) }
            </>
        }
    }

    fn of_all(&self, ctx: &Context<Self>) -> Html {
        let Props { offers, nodes, act, .. } = ctx.props();
        let go = |node: &NodePlace| {
            let target = Target::Node(node.name.clone());
            html! { <button type="button" onclick={act.reform(move |_: MouseEvent| Msg::Open(target.clone()))}><code>{ &node.name }</code></button> }
        };
        html! {
            <>
                { Self::head(ctx, "Break something".into()) }
                <p class="of">{ "For " }{ self.choice(ctx, Field::Span, "Time", &SPANS) }</p>
                { way(ctx, STOP, self.choice(ctx, Field::Controller, "Controller", &same(&offers.controllers))) }
                { way(ctx, SLOW, self.choice(ctx, Field::Delay, "Delay", &DELAYS)) }
                if !offers.images.is_empty() {
                    <p class="of">{ "Image " }{ self.choice(ctx, Field::Image, "Image", &same(&offers.images)) }</p>
                    { way(ctx, FAIL, Html::default()) }
                    { way(ctx, LATE, Html::default()) }
                }
                <p class="of">{ "A node: " }{ for nodes.0.iter().map(go) }</p>
                <p class="soft">{ "To break a Pod, choose it on the stage: the same sign stands beside its log." }</p>
            </>
        }
    }

    fn choice(&self, ctx: &Context<Self>, field: Field, label: &'static str, options: &[(&str, &str)]) -> Html {
        let chosen = self.form.get(field);
        let option = |(at, (value, text)): (usize, &(&str, &str))| {
            let selected = if chosen.is_empty() { at == 0 } else { chosen == *value };
            html! { <option value={(*value).to_owned()} {selected}>{ *text }</option> }
        };
        let onchange = ctx.link().callback(move |event: Event| {
            let select = event.target_dyn_into::<HtmlSelectElement>();
            Told::Set(field, select.map(|select| select.value()).unwrap_or_default())
        });
        html! { <select aria-label={label} {onchange}>{ for options.iter().enumerate().map(option) }</select> }
    }
}

/// A choice whose values are their own texts.
fn same(values: &[String]) -> Vec<(&str, &str)> {
    values.iter().map(|value| (value.as_str(), value.as_str())).collect()
}

/// A button with what belongs to it beside it.
fn way(ctx: &Context<Menu>, (code, title, then): Way, with: Html) -> Html {
    // Every other piece stands in backticks.
    let pieces = then.split('`').enumerate().map(|(at, piece)| match at % 2 {
        0 => html! { { piece } },
        _ => html! { <code>{ piece }</code> },
    });
    let id = ctx.props().ids.of(&format!("way-{code}"));
    html! {
        <div class="way">
            <button type="button" aria-describedby={id.clone()} onclick={ctx.link().callback(move |_: MouseEvent| Told::Way(code))}>{ title }</button>
            { with }
            <small {id}>{ for pieces }</small>
        </div>
    }
}

/// What a way means for the node or Pod of that name; a Pod has a namespace besides.
fn deed(way: &str, namespace: &str, name: &str, form: &Form) -> Option<Deed> {
    let value = |field| form.get(field).to_owned();
    let until = || form.get(Field::Span).parse().ok().filter(|seconds| *seconds > 0).map(Span::secs);
    let (node, pod, namespace) = (name.to_owned(), name.to_owned(), namespace.to_owned());
    let container = Some(value(Field::Container)).filter(|name| !name.is_empty());
    let fault = match way {
        "cordon" | "uncordon" => return Some(Deed::Line(format!("kubectl {way} {node}"))),
        "delete" if namespace != "default" => {
            return Some(Deed::Line(format!("kubectl delete pod {pod} -n {namespace}")));
        }
        "delete" => return Some(Deed::Line(format!("kubectl delete pod {pod}"))),
        "drain" => Fault::Drain { node },
        "freeze" => Fault::FreezeNode { node, until: until() },
        "kill" => Fault::KillNode { node },
        "thaw" => Fault::ThawNode { node },
        "exit" => {
            let code = form.get(Field::Exit).trim().parse().ok();
            let exit_code = code.filter(|code| (0..=255).contains(code)).unwrap_or(1);
            Fault::KillContainer { namespace, pod, container, exit_code, oom: false }
        }
        "oom" => Fault::KillContainer { namespace, pod, container, exit_code: 137, oom: true },
        "evict" => Fault::EvictPod { namespace, pod },
        "stop" => Fault::StopController { name: value(Field::Controller), until: until() },
        "slow" => Fault::SlowApi { delay_ms: form.get(Field::Delay).parse().ok()?, until: until() },
        "fail" => Fault::FailPull { image: value(Field::Image), until: until() },
        "late" => Fault::SlowPull { image: value(Field::Image), seconds: LATE_SECONDS, until: until() },
        _ => return None,
    };
    Some(Deed::Fault(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_become_faults_and_commands() {
        let offers = Offers { images: vec!["busybox:1.36".into()], controllers: vec!["job-controller".into()] };
        let mut form = Form::fresh(&offers, None);
        form.set(Field::Span, "60".to_owned());
        form.set(Field::Exit, "300".to_owned());
        let said = |way, namespace, name| match deed(way, namespace, name, &form) {
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
            ("delete", "other", "a", "kubectl delete pod a -n other"),
            ("stop", "", "", "job-controller stands still for 1m0s"),
            ("slow", "", "", "the API takes 200 ms longer for 1m0s"),
            ("fail", "", "", "busybox:1.36 cannot be pulled for 1m0s"),
            ("nothing", "", "", ""),
        ] {
            assert_eq!(said(way, namespace, name), text);
        }
    }
}
