//! The editor: tabs, the text, what is wrong with it, Apply and Reset.
//!
//! A textarea stands there from the first paint; CodeMirror (`batchyard.editor()` of boot.js) takes its place when it has
//! come and nobody is typing. The page holds the text; both only show it.

use std::rc::Rc;

use gloo::timers::callback::Timeout;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlTextAreaElement, InputEvent};
use yew::prelude::*;

use super::browser;
use super::engine::{Answer, Remark};
use super::ids::Ids;
use super::tabs::Tabs;
use super::texts::Change;

#[wasm_bindgen]
extern "C" {
    /// The module `editor.js`.
    type Module;
    #[wasm_bindgen(catch, method)]
    fn mount(this: &Module, parent: &Element, options: &JsValue) -> Result<Handle, JsValue>;

    /// What `mount` gives.
    type Handle;
    /// Each file keeps its undo history.
    #[wasm_bindgen(method)]
    fn show(this: &Handle, file: &str, text: &str);
    #[wasm_bindgen(method)]
    fn forget(this: &Handle, file: &str);
    #[wasm_bindgen(method, js_name = setDiagnostics)]
    fn set_diagnostics(this: &Handle, diagnostics: &JsValue);
    #[wasm_bindgen(method, js_name = revealLine)]
    fn reveal_line(this: &Handle, line: u32);
    #[wasm_bindgen(method, js_name = setTheme)]
    fn set_theme(this: &Handle, theme: &str);
    #[wasm_bindgen(method)]
    fn focus(this: &Handle);
    #[wasm_bindgen(method)]
    fn destroy(this: &Handle);
}

/// A tab, as far as it is seen.
#[derive(Clone, PartialEq, Debug)]
pub struct Tab {
    pub name: String,
    /// The cluster has not seen its text.
    pub edited: bool,
    /// It belongs to a `kubectl edit`.
    pub edit: bool,
}

/// What someone does in the editor.
#[derive(Clone, PartialEq, Debug)]
pub enum Msg {
    Change(Change),
    /// A pause in typing: the text is to be checked and stored.
    Rest,
    Apply,
    /// A new run that starts with the text.
    ApplyFresh,
    TurnIntoYaml,
}

/// A pause in typing this long, in milliseconds, and the text rests.
const TYPING_MS: u32 = 250;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub ids: Ids,
    /// What holds the text, for whoever gives it the focus.
    pub place: NodeRef,
    pub tabs: Rc<Vec<Tab>>,
    pub active: usize,
    /// Grows when the page, not the user, changed the text.
    pub version: u32,
    pub text: AttrValue,
    pub remarks: Rc<Vec<Remark>>,
    pub answer: Rc<Answer>,
    /// What the button says that takes something back; empty if there is nothing.
    pub undo: AttrValue,
    /// Another tab of the browser holds another text.
    pub elsewhere: bool,
    /// A new run could do what was refused.
    pub restart_helps: bool,
    /// The text is a Python dict.
    pub python: bool,
    pub dark: bool,
    pub act: Callback<Msg>,
}

/// What the component is told besides its properties.
pub enum Told {
    Module(JsValue),
    /// Something may have changed: draw again.
    Look,
    /// Go to a line.
    Reveal(u32),
    /// Someone types.
    Typed(String),
}

pub struct Editor {
    area: NodeRef,
    mount: NodeRef,
    typing: Option<Timeout>,
    module: Option<Module>,
    handle: Option<Handle>,
    /// Callbacks that the handle holds.
    callbacks: Vec<Closure<dyn FnMut(JsValue)>>,
    /// A line to go to when the editor is there.
    shown: (u32, usize),
}

impl Component for Editor {
    type Message = Told;
    type Properties = Props;

    fn create(ctx: &Context<Self>) -> Editor {
        let mut callbacks = Vec::new();
        // A page without the module has the textarea, so a failure needs no word.
        if let Ok(promise) = browser::editor_module() {
            let link = ctx.link().clone();
            let come = Closure::<dyn FnMut(JsValue)>::new(move |module| link.send_message(Told::Module(module)));
            let fail = Closure::<dyn FnMut(JsValue)>::new(|_| {});
            let _ = promise.then2(&come, &fail);
            callbacks.extend([come, fail]);
        }
        let shown = (ctx.props().version, ctx.props().active);
        let (area, mount) = (NodeRef::default(), NodeRef::default());
        Editor { area, mount, typing: None, module: None, handle: None, callbacks, shown }
    }

    fn update(&mut self, ctx: &Context<Self>, told: Told) -> bool {
        match told {
            Told::Module(module) => self.module = Some(module.unchecked_into()),
            Told::Reveal(line) => {
                match &self.handle {
                    Some(handle) => {
                        handle.reveal_line(line);
                        handle.focus();
                    }
                    None => reveal(&self.area, line),
                }
                return false;
            }
            Told::Typed(text) => {
                let act = ctx.props().act.clone();
                act.emit(Msg::Change(Change::Edit(text)));
                self.typing = Some(Timeout::new(TYPING_MS, move || act.emit(Msg::Rest)));
                return false;
            }
            Told::Look => {}
        }
        self.module.is_some()
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &Props) -> bool {
        let props = ctx.props();
        if let Some(handle) = &self.handle {
            if self.shown != (props.version, props.active) {
                handle.show(&props.tabs[props.active].name, &props.text);
                for gone in old.tabs.iter().filter(|tab| !props.tabs.iter().any(|kept| kept.name == tab.name)) {
                    handle.forget(&gone.name);
                }
            }
            if props.dark != old.dark {
                handle.set_theme(theme(props.dark));
            }
            handle.set_diagnostics(&diagnostics(&props.remarks));
        }
        self.shown = (props.version, props.active);
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        let input = ctx.link().callback(|event: InputEvent| {
            let area = event.target_dyn_into::<HtmlTextAreaElement>();
            Told::Typed(area.map(|area| area.value()).unwrap_or_default())
        });
        html! {
            <>
                <Tabs ids={props.ids.clone()} tabs={props.tabs.clone()} active={props.active} act={props.act.reform(Msg::Change)} />
                <div class="text" ref={&props.place}>
                    if self.handle.is_none() {
                        <textarea ref={&self.area} class="scrolls" aria-label="Manifest" spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off"
                            value={props.text.clone()} oninput={input} onblur={ctx.link().callback(|_: FocusEvent| Told::Look)} />
                    }
                    <div class="mount" ref={&self.mount}></div>
                </div>
                if props.elsewhere { { elsewhere(props) } }
                if props.python { { python(props) } }
                { self.problems(ctx) }
                { foot(props) }
            </>
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, _: bool) {
        if self.handle.is_none() && self.mount(ctx) {
            // The textarea goes.
            ctx.link().send_message(Told::Look);
        }
    }

    fn destroy(&mut self, _: &Context<Self>) {
        if let Some(handle) = &self.handle {
            handle.destroy();
        }
    }
}

impl Editor {
    /// Puts CodeMirror in, unless someone is typing in the textarea. True if it is in now.
    fn mount(&mut self, ctx: &Context<Self>) -> bool {
        let (Some(module), Some(place)) = (&self.module, self.mount.cast::<Element>()) else { return false };
        let area = self.area.cast::<Element>();
        if area.is_some() && area == browser::active() {
            return false;
        }
        let props = ctx.props();
        let options = js_sys::Object::new();
        let set = |name: &str, value: &JsValue| {
            let _ = js_sys::Reflect::set(&options, &name.into(), value);
        };
        set("text", &props.text.as_str().into());
        set("file", &props.tabs[props.active].name.as_str().into());
        set("label", &"Manifest".into());
        set("theme", &theme(props.dark).into());
        set("diagnostics", &diagnostics(&props.remarks));
        let link = ctx.link().clone();
        let change = Closure::<dyn FnMut(JsValue)>::new(move |text: JsValue| {
            link.send_message(Told::Typed(text.as_string().unwrap_or_default()))
        });
        let act = props.act.clone();
        let apply = Closure::<dyn FnMut(JsValue)>::new(move |_| act.emit(Msg::Apply));
        set("onChange", change.as_ref());
        set("onApply", apply.as_ref());
        self.handle = module.mount(&place, &options).ok();
        self.callbacks.extend([change, apply]);
        if self.handle.is_none() {
            self.module = None;
        }
        self.handle.is_some()
    }

    /// What is wrong with the text, worst first as the engine orders it; a click goes to the line.
    fn problems(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        if props.remarks.is_empty() {
            return Html::default();
        }
        let row = |remark: &Remark| {
            let (line, column) = (remark.line, remark.column);
            let go = ctx.link().callback(move |_: MouseEvent| Told::Reveal(line));
            html! {
                <li class={remark.weight.word()}>
                    <button type="button" onclick={go}>
                        <b>{ remark.weight.word() }</b><span class="place-of">{ format!("{line}:{column}") }</span><span>{ &remark.message }</span>
                    </button>
                </li>
            }
        };
        html! { <ul class="problems scrolls" aria-label="Problems">{ for props.remarks.iter().take(50).map(row) }</ul> }
    }
}

/// Goes to a line of the textarea.
fn reveal(area: &NodeRef, line: u32) {
    if let Some(area) = area.cast::<HtmlTextAreaElement>() {
        let text: Vec<u16> = area.value().encode_utf16().collect();
        let breaks =
            text.iter().enumerate().filter(|(_, unit)| **unit == u16::from(b'\n')).map(|(at, _)| at as u32 + 1);
        let start = std::iter::once(0).chain(breaks).nth(line.max(1) as usize - 1).unwrap_or(0);
        let _ = area.focus();
        let _ = area.set_selection_range(start, start);
    }
}

fn theme(dark: bool) -> &'static str {
    if dark { "dark" } else { "light" }
}

/// Remarks in the words of the editor's module.
fn diagnostics(remarks: &[Remark]) -> JsValue {
    let place = |line: u32, column: u32| serde_json::json!({ "line": line, "column": column });
    let mark = |remark: &Remark| {
        serde_json::json!({
            "from": place(remark.line, remark.column),
            "to": place(remark.end_line, remark.end_column),
            "severity": remark.weight.word(),
            "message": remark.message,
        })
    };
    let all: Vec<_> = remarks.iter().take(200).map(mark).collect();
    js_sys::JSON::parse(&serde_json::Value::from(all).to_string()).unwrap_or_default()
}

/// What to do with a Python dict; what would be assumed stands in the list below.
fn python(props: &Props) -> Html {
    html! {
        <p class="python" role="status">
            <span>{ "This is a Python dict. Kubernetes wants YAML." }</span>
            <button type="button" class="primary" onclick={props.act.reform(|_: MouseEvent| Msg::TurnIntoYaml)}>{ "Turn into YAML" }</button>
        </p>
    }
}

/// Another tab of the browser wrote another text meanwhile.
fn elsewhere(props: &Props) -> Html {
    let choose = |change: Change| props.act.reform(move |_: MouseEvent| Msg::Change(change.clone()));
    html! {
        <p class="python" role="status">
            <span>{ "Changed in another tab." }</span>
            <span class="grow"></span>
            <button type="button" onclick={choose(Change::Take)}>{ "Take it" }</button>
            <button type="button" class="primary" onclick={choose(Change::KeepMine)}>{ "Keep mine" }</button>
        </p>
    }
}

fn foot(props: &Props) -> Html {
    let tab = &props.tabs[props.active];
    let answer = (!props.answer.text.is_empty()).then(|| {
        let class = if props.answer.ok { "answer" } else { "answer bad" };
        html! { <pre {class} role="status" tabindex="0">{ &props.answer.text }</pre> }
    });
    html! {
        <div class="foot">
            { answer }
            <span class="grow"></span>
            if props.restart_helps && !tab.edit {
                <button type="button" title="A new run that starts with this text" onclick={props.act.reform(|_: MouseEvent| Msg::ApplyFresh)}>{ "Restart with it" }</button>
            }
            if !props.undo.is_empty() {
                <button type="button" onclick={props.act.reform(|_: MouseEvent| Msg::Change(Change::Undo))}>{ &props.undo }</button>
            }
            if tab.edit {
                <button type="button" class="plain" title="kubectl edit ends without a change" onclick={props.act.reform(|_: MouseEvent| Msg::Change(Change::Close))}>{ "Cancel" }</button>
            } else {
                <button type="button" class="plain" title="Back to the example, from the start" onclick={props.act.reform(|_: MouseEvent| Msg::Change(Change::Reset))}>{ "Reset" }</button>
            }
            <button type="button" class={if tab.edited || tab.edit { "primary" } else { "" }}
                title={if tab.edit { "kubectl edit takes the text (Ctrl+Enter or ⌘+Enter)" } else { "kubectl apply -f, now (Ctrl+Enter or ⌘+Enter)" }}
                onclick={props.act.reform(|_: MouseEvent| Msg::Apply)}>{ if tab.edit { "Save and close" } else { "Apply" } }<kbd aria-hidden="true">{ "Ctrl ↵" }</kbd></button>
        </div>
    }
}
