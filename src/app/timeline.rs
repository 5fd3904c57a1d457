//! The time line's frame: its buttons and the place in which `lanes` paints.

use web_sys::{Element, PointerEvent, WheelEvent};
use yew::prelude::*;

use super::when;
use super::window::Gesture;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub follows: bool,
    /// How many Pods have a row.
    pub pods: usize,
    /// Where `lanes` paints.
    pub canvas: NodeRef,
    pub scroll: NodeRef,
    pub act: Callback<Gesture>,
}

#[component]
pub fn Timeline(props: &Props) -> Html {
    let send = |gesture: Gesture| props.act.reform(move |_: MouseEvent| gesture);
    let pointer = |make: fn(f64, f64) -> Gesture| {
        props.act.reform(move |event: PointerEvent| {
            let (x, y) = place(&event);
            make(x, y)
        })
    };
    let down = {
        let act = props.act.clone();
        Callback::from(move |event: PointerEvent| {
            // Touches scroll; a mouse or a pen drags.
            if let Some(canvas) = event.target_dyn_into::<Element>() {
                let _ = canvas.set_pointer_capture(event.pointer_id());
            }
            let (x, y) = place(&event);
            act.emit(Gesture::Down(x, y));
        })
    };
    let wheel = {
        let act = props.act.clone();
        Callback::from(move |event: WheelEvent| {
            let (x, _) = place(&event);
            let gesture = match () {
                () if event.ctrl_key() => Gesture::Zoom(if event.delta_y() > 0.0 { 1.25 } else { 0.8 }, Some(x)),
                () if event.shift_key() => Gesture::Pan(event.delta_y() + event.delta_x()),
                () if event.delta_x().abs() > event.delta_y().abs() => Gesture::Pan(event.delta_x()),
                () => return,
            };
            event.prevent_default();
            act.emit(gesture);
        })
    };
    let key = when(&props.act, |event: KeyboardEvent| {
        let gesture = match event.key().as_str() {
            "ArrowLeft" => Gesture::Pan(-80.0),
            "ArrowRight" => Gesture::Pan(80.0),
            "+" | "=" => Gesture::Zoom(0.5, None),
            "-" => Gesture::Zoom(2.0, None),
            "f" => Gesture::Follow,
            "0" => Gesture::Fit,
            _ => return None,
        };
        event.prevent_default();
        Some(gesture)
    });
    html! {
        <section class="timeline" aria-label="Timeline">
            <div class="strip">
                <h3>{ "Timeline" }</h3>
                <span class="grow"></span>
                <button type="button" class="small" aria-label="Zoom out" title="Zoom out (−)" onclick={send(Gesture::Zoom(2.0, None))}>{ "−" }</button>
                <button type="button" class="small" aria-label="Zoom in" title="Zoom in (+)" onclick={send(Gesture::Zoom(0.5, None))}>{ "+" }</button>
                <button type="button" class="small" title="The whole run (0)" onclick={send(Gesture::Fit)}>{ "fit" }</button>
                <button type="button" class="small" aria-pressed={props.follows.to_string()} title="Follow now (f)" onclick={send(Gesture::Follow)}>{ "follow" }</button>
            </div>
            <div ref={&props.scroll} class="scrolls" tabindex="0" role="img" onkeydown={key} onscroll={props.act.reform(|_: Event| Gesture::Scrolled)}
                aria-label={format!("One row for each of {} Pods. The same is told in the Objects and Events panels.", props.pods)}>
                <canvas ref={&props.canvas} onpointerdown={down} onpointermove={pointer(Gesture::Move)} onpointerup={pointer(Gesture::Up)}
                    onpointercancel={props.act.reform(|_: PointerEvent| Gesture::Cancel)} onwheel={wheel}></canvas>
                <div class="spacer"></div>
            </div>
        </section>
    }
}

/// Where the pointer is on the canvas, in px.
fn place(event: &web_sys::MouseEvent) -> (f64, f64) {
    (f64::from(event.offset_x()), f64::from(event.offset_y()))
}
