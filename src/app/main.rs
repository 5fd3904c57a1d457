//! The page: a Yew app over the engine's `view`, the second of the two doors to the engine.
//!
//! A [`session::Session`] is one run with everything that is seen of it; [`page::Page`] holds one or more. What a session has
//! on its desk (run, texts, terminals) is in [`desk`]; its regions are components with messages of their own, and panels are
//! drawn again only when their part of the view changed. What moves with time (countdowns, the time line, travelling Pods) is
//! painted outside the virtual DOM: `live`, `lanes`, `travel`. `engine` is the one file that knows the simulation, `browser`
//! the one that looks for elements. [`worker`] runs the engine where there is no document.

#![forbid(unsafe_code)]

mod announce;
mod bands;
mod breaks;
mod browser;
mod clock;
mod clockbar;
mod desk;
mod dock;
mod editor;
mod engine;
mod events;
mod examples;
mod files;
mod header;
mod help;
mod ids;
mod kept;
mod lanes;
mod later;
mod live;
mod logs;
mod objects;
mod page;
mod pen;
mod report;
mod run;
mod sash;
mod session;
mod settings;
mod shortcuts;
mod sign;
mod stage;
mod tabs;
mod terminal;
mod texts;
mod timeline;
mod travel;
mod ui;
mod window;
mod words;
mod worker;

/// A callback that passes something on only when there is something to tell.
fn when<EVENT: 'static, MSG: 'static>(
    act: &yew::Callback<MSG>,
    what: impl Fn(EVENT) -> Option<MSG> + 'static,
) -> yew::Callback<EVENT> {
    let act = act.clone();
    yew::Callback::from(move |event| {
        if let Some(msg) = what(event) {
            act.emit(msg);
        }
    })
}

fn main() {
    // In a worker there is nothing to draw into: whoever started it asks for what `worker` exports.
    let Some(place) = browser::place() else { return };
    // Yew puts in a hook of its own when it renders, unless it was given one.
    yew::set_custom_panic_hook(Box::new(|about| browser::panicked(&about.to_string())));
    browser::empty(&place);
    yew::Renderer::<page::Page>::with_root(place).render();
}
