//! Splitters between regions: dragged, moved with arrows, folded with Enter, put back by a double click.
//!
//! Pattern: ARIA "window splitter". The size is a custom property on the root, so a drag moves nothing but style.

use wasm_bindgen::JsCast;
use web_sys::{Element, PointerEvent};
use yew::prelude::*;

use super::app::{Msg, when};
use super::ui::Region;

/// One press of an arrow, in px.
const STEP: i32 = 16;
/// Room that must be left to what is on the other side.
const REST: i32 = 260;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub region: Region,
    pub size: Option<i32>,
    pub folded: bool,
    pub act: Callback<Msg>,
}

#[component]
pub fn Sash(props: &Props) -> Html {
    let Props { region, act, .. } = props;
    let region = *region;
    let (smallest, usual) = region.bounds();
    let size = props.size.unwrap_or(usual);
    let drag = use_mut_ref(|| None::<(i32, i32)>);
    let down = {
        let drag = drag.clone();
        Callback::from(move |event: PointerEvent| {
            if let Some(sash) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) {
                let _ = sash.set_pointer_capture(event.pointer_id());
                *drag.borrow_mut() = Some((along(region, &event), size));
            }
        })
    };
    let pull = {
        let drag = drag.clone();
        when(act, move |event: PointerEvent| {
            let (from, size) = (*drag.borrow())?;
            let moved = along(region, &event) - from;
            // Only the editor lies before its splitter; the others grow upwards.
            Some(Msg::Size(
                region,
                Some(limit(region, if region == Region::Editor { size + moved } else { size - moved })),
            ))
        })
    };
    let up = Callback::from(move |_: PointerEvent| *drag.borrow_mut() = None);
    let key = when(act, move |event: KeyboardEvent| {
        let grow = if region == Region::Editor { "ArrowRight" } else { "ArrowUp" };
        let shrink = if region == Region::Editor { "ArrowLeft" } else { "ArrowDown" };
        let msg = match event.key() {
            key if key == grow => Msg::Size(region, Some(limit(region, size + STEP))),
            key if key == shrink => Msg::Size(region, Some(limit(region, size - STEP))),
            key if key == "Home" => Msg::Size(region, Some(smallest)),
            key if key == "End" => Msg::Size(region, Some(limit(region, i32::MAX))),
            key if key == "Enter" => Msg::Fold(region),
            _ => return None,
        };
        event.prevent_default();
        Some(msg)
    });
    let vertical = region == Region::Editor;
    html! {
        <div class={classes!("sash", format!("sash-{}", region.name()))} role="separator" tabindex="0" aria-orientation={if vertical { "vertical" } else { "horizontal" }}
            aria-label={format!("Size of the {}", region.name())} aria-valuenow={size.to_string()} aria-valuemin={smallest.to_string()}
            aria-valuemax={limit(region, i32::MAX).to_string()} title="Drag, or arrows; Enter folds; double click puts back"
            onpointerdown={down} onpointermove={pull} onpointerup={up.clone()} onpointercancel={up} onkeydown={key}
            ondblclick={act.reform(move |_: MouseEvent| Msg::Size(region, None))}></div>
    }
}

fn along(region: Region, event: &PointerEvent) -> i32 {
    if region == Region::Editor { event.client_x() } else { event.client_y() }
}

fn limit(region: Region, size: i32) -> i32 {
    let window = super::browser::window();
    let room = if region == Region::Editor { window.inner_width() } else { window.inner_height() };
    let room = room.ok().and_then(|room| room.as_f64()).unwrap_or(1000.0) as i32;
    let (smallest, _) = region.bounds();
    size.clamp(smallest, (room - REST).max(smallest))
}
