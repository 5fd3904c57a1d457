//! The page: a Yew app over the engine's `view`, the second of the two doors to the engine.
//!
//! State lives in [`app::App`]; panels are functions of parts of the view and are drawn again only when their part changed.
//! What moves with time (countdowns, the time line, travelling Pods) is painted outside the virtual DOM: `live`,
//! `lanes`, `travel`. `engine` is the one file that knows the simulation.

#![forbid(unsafe_code)]

mod announce;
mod app;
mod bands;
mod breaks;
mod browser;
mod clock;
mod clockbar;
mod deeds;
mod draw;
mod editor;
mod engine;
mod events;
mod examples;
mod files;
mod header;
mod help;
mod kept;
mod lanes;
mod later;
mod live;
mod logs;
mod objects;
mod pen;
mod report;
mod run;
mod sash;
mod shortcuts;
mod sign;
mod stage;
mod tabs;
mod terminal;
mod texts;
mod timeline;
mod travel;
mod ui;
mod words;

fn main() {
    // Yew puts in a hook of its own when it renders, unless it was given one.
    yew::set_custom_panic_hook(Box::new(|about| browser::panicked(&about.to_string())));
    let Some(root) = browser::document().get_element_by_id("app") else { return };
    browser::empty(&root);
    yew::Renderer::<app::App>::with_root(root).render();
}
