//! The clock bar: restart, play, step; speed, moment, wall clock; skipping; the seed.

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::clock::SPEEDS;
use super::ids::Ids;

/// What someone does to the clock.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Msg {
    Toggle,
    Step,
    StepBack,
    Restart,
    /// A place in `SPEEDS`.
    Speed(usize),
    Slower,
    Faster,
    Skip,
    Seed(u64),
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub ids: Ids,
    pub playing: bool,
    pub speed: usize,
    pub skip: bool,
    pub seed: u64,
    /// The day, to be read on the wall clock.
    pub day: AttrValue,
    pub act: Callback<Msg>,
}

#[component]
pub fn ClockBar(props: &Props) -> Html {
    let send = |msg: fn() -> Msg| props.act.reform(move |_: MouseEvent| msg());
    let speed = props.act.reform(|event: Event| {
        let select = event.target_dyn_into::<HtmlSelectElement>();
        Msg::Speed(select.map_or(0, |select| select.selected_index().max(0) as usize))
    });
    let seed = props.act.reform(|event: Event| {
        let input = event.target_dyn_into::<HtmlInputElement>();
        Msg::Seed(input.map_or(1, |input| input.value().trim().parse().unwrap_or(1)))
    });
    let other = {
        // Any other number will do; it should not look like one that means something.
        let next = props.seed.wrapping_mul(7).wrapping_add(13) % 1000;
        props.act.reform(move |_: MouseEvent| Msg::Seed(next))
    };
    let seed_id = props.ids.of("seed");
    html! {
        <div class="clock" role="group" aria-label="Clock">
            <div class="keys">
                { button("Restart with the same seed (r)", "M3 3h2v10H3zM13 3v10L6 8z", "plain", send(|| Msg::Restart)) }
                { button(if props.playing { "Pause (k)" } else { "Play (k)" }, if props.playing { "M4 3h3v10H4zM9 3h3v10H9z" } else { "M4 2.500v11l9-5.500z" }, "play", send(|| Msg::Toggle)) }
                { button("To the next event (.)", "M11 3h2v10h-2zM3 3l7 5-7 5z", "plain", send(|| Msg::Step)) }
            </div>
            <select aria-label="Speed" title="Speed ([ and ])" onchange={speed}>
                { for SPEEDS.iter().enumerate().map(|(at, factor)| html! {
                    <option key={at} selected={at == props.speed}>{ format!("{factor}x") }</option>
                }) }
            </select>
            <span class="t" data-live="now"></span>
            if !props.day.is_empty() {
                <span class="wall" title={props.day.clone()}><span data-live="wall"></span>{ " UTC" }</span>
            }
            <span class="state" data-live="state"></span>
            <span class="grow"></span>
            <label class="skip" title="Waits whose end is known pass in at most two seconds (s)">
                <input type="checkbox" checked={props.skip} onchange={props.act.reform(|_: Event| Msg::Skip)} />
                <span>{ "skip the quiet parts" }</span>
            </label>
            <span class="seed" role="group" aria-label="Seed">
                <label for={seed_id.clone()} title="Equal seeds give equal runs">{ "seed" }</label>
                <input id={seed_id} inputmode="numeric" autocomplete="off" size="4" value={props.seed.to_string()} onchange={seed} />
                { button("Another seed", "M3 5h6.500a3 3 0 0 1 0 6H6M3 5l2.500-2.500M3 5l2.500 2.500", "plain line", other) }
            </span>
        </div>
    }
}

fn button(label: &'static str, path: &'static str, class: &'static str, onclick: Callback<MouseEvent>) -> Html {
    html! {
        <button type="button" class={classes!("icon", class)} aria-label={label} title={label} {onclick}>
            <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d={path} /></svg>
        </button>
    }
}
