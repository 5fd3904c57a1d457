//! A trial page: it opens, counts, shows the editor, and can panic. The real page takes its place.

use wasm_bindgen::prelude::*;
use yew::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = batchyard)]
    fn panicked(text: &str);
}

#[component]
fn Page() -> Html {
    let count = use_state(|| 0_u32);
    let add = {
        let count = count.clone();
        Callback::from(move |_: MouseEvent| count.set(*count + 1))
    };
    let break_down = Callback::from(|_: MouseEvent| panic!("asked to"));
    html! {
        <main>
            <h1>{ "Batchyard" }</h1>
            <p>{ "Trial page" }</p>
            <button onclick={add} data-test="count">{ *count }</button>
            <button onclick={break_down} data-test="panic">{ "Panic" }</button>
        </main>
    }
}

fn main() {
    // Yew puts in a hook of its own when it renders, unless it was given one.
    yew::set_custom_panic_hook(Box::new(|about| panicked(&about.to_string())));
    let root = gloo::utils::document().get_element_by_id("app").expect("index.html has the element #app");
    root.set_inner_html("");
    yew::Renderer::<Page>::with_root(root).render();
}
