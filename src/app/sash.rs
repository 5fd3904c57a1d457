//! Splitters between regions: dragged, moved with arrows, folded with Enter, put back by a double click.
//!
//! Pattern: ARIA "window splitter". The size is a custom property on the root, so a drag moves nothing but style.

use web_sys::{Element, PointerEvent};
use yew::prelude::*;

use super::browser;
use super::settings::Choice;
use super::ui::Region;
use super::when;

/// One press of an arrow, in px.
const STEP: i32 = 16;
/// Room that must be left to what is on the other side.
const REST: i32 = 260;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub region: Region,
    pub size: Option<i32>,
    pub folded: bool,
    pub act: Callback<Choice>,
}

#[component]
pub fn Sash(props: &Props) -> Html {
    let Props { region, act, .. } = props;
    let region = *region;
    let (smallest, usual) = region.bounds(browser::size().1);
    let size = props.size.unwrap_or(usual);
    let drag = use_mut_ref(|| None::<(i32, i32)>);
    let down = {
        let drag = drag.clone();
        Callback::from(move |event: PointerEvent| {
            if let Some(sash) = event.target_dyn_into::<Element>() {
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
            let size = if region == Region::Editor { size + moved } else { size - moved };
            Some(Choice::Size(region, Some(limit(region, size))))
        })
    };
    let up = Callback::from(move |_: PointerEvent| *drag.borrow_mut() = None);
    let folded = props.folded;
    let key = when(act, move |event: KeyboardEvent| {
        let grow = if region == Region::Editor { "ArrowRight" } else { "ArrowUp" };
        let shrink = if region == Region::Editor { "ArrowLeft" } else { "ArrowDown" };
        let msg = match event.key() {
            key if key == grow => Choice::Size(region, Some(limit(region, size + STEP))),
            key if key == shrink => Choice::Size(region, Some(limit(region, size - STEP))),
            key if key == "Home" => Choice::Size(region, Some(smallest)),
            key if key == "End" => Choice::Size(region, Some(limit(region, i32::MAX))),
            key if key == "Enter" => Choice::Fold(region, !folded),
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
            ondblclick={act.reform(move |_: MouseEvent| Choice::Size(region, None))}></div>
    }
}

fn along(region: Region, event: &PointerEvent) -> i32 {
    if region == Region::Editor { event.client_x() } else { event.client_y() }
}

fn limit(region: Region, size: i32) -> i32 {
    let (width, height) = browser::size();
    let room = if region == Region::Editor { width } else { height };
    let (smallest, _) = region.bounds(height);
    size.clamp(smallest, (room - REST).max(smallest))
}
