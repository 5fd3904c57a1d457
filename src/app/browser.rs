//! The few things of the browser that the page needs, each with an answer for when the browser refuses.

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlElement, Window};

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

/// Moves the focus to the first element that matches.
pub fn focus(selector: &str) {
    let found = document().query_selector(selector).ok().flatten();
    if let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Sets a custom property (a length in px) on the root, or takes it away.
pub fn set_length(name: &str, px: Option<i32>) {
    let Some(root) = document().document_element().and_then(|root| root.dyn_into::<HtmlElement>().ok()) else { return };
    let _ = match px {
        Some(px) => root.style().set_property(name, &format!("{px}px")),
        None => root.style().remove_property(name).map(drop),
    };
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

const KEY: &str = "batchyard/1";

/// What was stored here before. None if nothing was, or if storage is forbidden (a sandboxed frame).
pub fn stored() -> Option<String> {
    window().local_storage().ok().flatten()?.get_item(KEY).ok().flatten()
}

/// Stores a text. False if the browser refuses: forbidden, or full.
pub fn store(text: &str) -> bool {
    window().local_storage().ok().flatten().is_some_and(|storage| storage.set_item(KEY, text).is_ok())
}

/// Keeps a text across a panic of this instance (`batchyard.keep` of boot.js).
pub fn keep(text: &str) {
    if let Ok(boot) = js_sys::Reflect::get(&js_sys::global(), &"batchyard".into()) {
        let _ = js_sys::Reflect::set(&boot, &"keep".into(), &text.into());
    }
}

/// What the instance before this one kept, and what its panic said. None in the first instance.
pub fn last_panic() -> Option<(Option<String>, String)> {
    let boot = js_sys::Reflect::get(&js_sys::global(), &"batchyard".into()).ok()?;
    let said = js_sys::Reflect::get(&boot, &"panic".into()).ok()?.as_string()?;
    let kept = js_sys::Reflect::get(&boot, &"keep".into()).ok()?.as_string();
    Some((kept, said))
}
