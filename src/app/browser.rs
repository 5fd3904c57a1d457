//! The few things of the browser that the page needs, each with an answer for when the browser refuses.
//!
//! This is the one module that looks for elements by a selector, and it looks only below an element that it was given: what
//! a session draws is found through the session's own references.

use gloo::timers::callback::Timeout;
use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlElement, Window};
use yew::NodeRef;

#[wasm_bindgen]
extern "C" {
    /// `boot.js`: notes a panic and starts a fresh instance a moment later.
    #[wasm_bindgen(js_namespace = batchyard)]
    pub fn panicked(text: &str);

    /// `boot.js`: fetches the editor's module.
    #[wasm_bindgen(catch, js_namespace = batchyard, js_name = editor)]
    pub fn editor_module() -> Result<js_sys::Promise, JsValue>;

    /// `boot.js`: fetches the table of time zones, a `Uint8Array`.
    #[wasm_bindgen(catch, js_namespace = batchyard)]
    pub async fn zones() -> Result<JsValue, JsValue>;
}

pub fn window() -> Window {
    web_sys::window().expect("the page runs in a window")
}

pub fn document() -> Document {
    window().document().expect("a window has a document")
}

/// The element that the page is drawn into; none where there is no document, as in a worker.
pub fn place() -> Option<Element> {
    web_sys::window()?.document()?.get_element_by_id("app")
}

/// Removes all children.
pub fn empty(element: &Element) {
    while let Some(child) = element.first_child() {
        let _ = element.remove_child(&child);
    }
}

/// Milliseconds of real time, for measuring work.
pub fn now_ms() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// True if the browser says yes to a media query.
pub fn matches(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|list| list.matches())
}

/// The window's width and height in px.
pub fn size() -> (i32, i32) {
    let px = |length: Result<JsValue, JsValue>| length.ok().and_then(|px| px.as_f64()).unwrap_or(1000.0) as i32;
    (px(window().inner_width()), px(window().inner_height()))
}

/// The number that stands behind `name=` in the page's address.
pub fn number_in_address(name: &str) -> Option<usize> {
    let search = window().location().search().unwrap_or_default();
    let mut pairs = search.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).and_then(|(_, number)| number.parse().ok())
}

/// What has the focus.
pub fn active() -> Option<Element> {
    document().active_element()
}

/// Whether nothing has the focus: what had it is gone.
pub fn focus_is_lost() -> bool {
    active().is_none_or(|active| active.tag_name() == "BODY")
}

/// The elements below `root` that match.
pub fn all_within(root: &Element, selector: &str) -> Vec<HtmlElement> {
    let Ok(found) = root.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|at| found.get(at)?.dyn_into().ok()).collect()
}

/// The same, also for what is no HTML, such as the parts of a sign.
pub fn elements_within(root: &Element, selector: &str) -> Vec<Element> {
    let Ok(found) = root.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|at| found.get(at)?.dyn_into().ok()).collect()
}

/// Moves the focus to an element, or to the first one below it that matches.
pub fn focus(root: &NodeRef, selector: Option<&str>) {
    let Some(root) = root.cast::<HtmlElement>() else { return };
    let target = match selector {
        None => Some(root),
        Some(selector) => root.query_selector(selector).ok().flatten().and_then(|found| found.dyn_into().ok()),
    };
    if let Some(element) = target {
        let _ = element.focus();
    }
}

/// The same after the drawing, when its target can be seen.
pub fn focus_later(root: &NodeRef, selector: Option<&'static str>) {
    let root = root.clone();
    Timeout::new(0, move || focus(&root, selector)).forget();
}

/// Scrolls an element into sight after the drawing.
pub fn reveal_later(element: &NodeRef) {
    let element = element.clone();
    let reveal = move || {
        if let Some(element) = element.cast::<Element>() {
            element.scroll_into_view();
        }
    };
    Timeout::new(0, reveal).forget();
}

/// Sets a custom property (a length in px) on an element, or takes it away.
pub fn set_length(element: &HtmlElement, name: &str, px: Option<i32>) {
    let _ = match px {
        Some(px) => element.style().set_property(name, &format!("{px}px")),
        None => element.style().remove_property(name).map(drop),
    };
}

/// The root of the document, which carries what holds for the whole page.
pub fn root() -> Option<HtmlElement> {
    document().document_element()?.dyn_into().ok()
}

/// Puts a text on the clipboard, if the browser lets us.
pub fn copy(text: &str) {
    // Without a secure context there is no clipboard at all, and web-sys has no word for that.
    let clipboard = js_sys::Reflect::get(&window().navigator(), &"clipboard".into()).unwrap_or_default();
    if !clipboard.is_undefined() {
        // The answer is not waited for: the text is on the page as well.
        let _ = window().navigator().clipboard().write_text(text);
    }
}

/// What was stored here before. None if nothing was, or if storage is forbidden (a sandboxed frame).
pub fn stored(key: &str) -> Option<String> {
    window().local_storage().ok().flatten()?.get_item(key).ok().flatten()
}

/// Stores a text. False if the browser refuses: forbidden, or full.
pub fn store(key: &str, text: &str) -> bool {
    window().local_storage().ok().flatten().is_some_and(|storage| storage.set_item(key, text).is_ok())
}

fn boot() -> Option<JsValue> {
    js_sys::Reflect::get(&js_sys::global(), &"batchyard".into()).ok()
}

/// Keeps a text across a panic of this instance (`batchyard.keep` of boot.js).
pub fn keep(name: &str, text: &str) {
    if let Some(boot) = boot() {
        let _ = js_sys::Reflect::set(&boot, &name.into(), &text.into());
    }
}

/// What the instance before this one kept under that name.
pub fn left(name: &str) -> Option<String> {
    js_sys::Reflect::get(&boot()?, &name.into()).ok()?.as_string()
}

/// What the panic of the instance before this one said. None in the first instance.
pub fn last_panic() -> Option<String> {
    left("panic")
}
