//! The signs of a Pod's state: shape first, colour second, so that they are told apart without colours.

use yew::prelude::*;

use super::engine::Sign;

/// The class that gives a sign its colours.
pub fn class(sign: Sign) -> &'static str {
    match sign {
        Sign::Waits => "s-waits",
        Sign::NoRoom => "s-noroom",
        Sign::Starts => "s-starts",
        Sign::Runs => "s-runs",
        Sign::Done => "s-done",
        Sign::Failed => "s-failed",
        Sign::BacksOff => "s-backoff",
        Sign::Ends => "s-ends",
    }
}

/// A sign of 34 by 34. `span` is when it began and when it will end by itself: rings shrink along it.
pub fn draw(sign: Sign, span: Option<(i64, i64)>) -> Html {
    html! {
        <svg class={classes!("sign", class(sign))} viewBox="0 0 34 34" aria-hidden="true" focusable="false">
            { shape(sign, span) }
        </svg>
    }
}

fn shape(sign: Sign, span: Option<(i64, i64)>) -> Html {
    match sign {
        Sign::Waits => html! { <circle class="edge dots" cx="17" cy="17" r="13" /> },
        Sign::NoRoom => html! {
            <>
                <circle class="edge dots" cx="17" cy="17" r="13" />
                <path class="mark" d="M17 10v9" />
                <circle class="dot" cx="17" cy="23.5" r="1.7" />
            </>
        },
        Sign::Starts => html! {
            <>
                <circle class="back" cx="17" cy="17" r="13" />
                <g clip-path="url(#disc)"><rect class="fill" x="3" y="4" width="28" height="27" /></g>
                <circle class="edge" cx="17" cy="17" r="13" />
                <path class="mark" d="M17 9.500v12m-4.500-4.500l4.500 4.500 4.500-4.500M12 24.500h10" />
            </>
        },
        Sign::Runs => html! {
            <>
                <circle class="disc" cx="17" cy="17" r="14" />
                <circle class="heart" cx="17" cy="17" r="5" />
            </>
        },
        Sign::Done => html! {
            <>
                <rect class="back edge" x="5" y="5" width="24" height="24" rx="6" />
                <path class="mark" d="M11 17.500l4 4 8-9" />
            </>
        },
        Sign::Failed => html! {
            <>
                <path class="back edge" d="M17 3l14 14-14 14L3 17z" />
                <path class="mark" d="M12.500 12.500l9 9m0-9l-9 9" />
            </>
        },
        Sign::BacksOff => ring(span),
        Sign::Ends => ends(span),
    }
}

/// A ring that shrinks, seconds inside; a whole ring if nobody knows how long.
fn ring(span: Option<(i64, i64)>) -> Html {
    let (dash, from, until) = span_attributes(span);
    html! {
        <>
            <circle class="back" cx="17" cy="17" r="13" />
            <circle class="ring" cx="17" cy="17" r="13" pathLength="100" transform="rotate(-90 17 17)"
                data-live={dash} data-from={from.clone()} data-until={until.clone()} />
            if span.is_some() {
                <text class="seconds" x="17" y="20.500" text-anchor="middle" data-live="left" data-until={until}></text>
            } else {
                <path class="mark thin" d="M12 17a5 5 0 1 1 1.500 3.500M12 21v-4h4" />
            }
        </>
    }
}

/// A dashed outline with the candle of the grace time.
fn ends(span: Option<(i64, i64)>) -> Html {
    let (_, from, until) = span_attributes(span);
    html! {
        <>
            <circle class="back edge dashes" cx="17" cy="17" r="13" />
            <rect class="dot" x="13" y="11" width="8" height="8" rx="1" />
            if span.is_some() {
                <svg x="9" y="22.500" width="16" height="3">
                    <rect class="wick" width="100%" height="3" rx="1.500" />
                    <rect class="dot" height="3" rx="1.500" data-live="candle" data-from={from} data-until={until} />
                </svg>
            }
        </>
    }
}

fn span_attributes(span: Option<(i64, i64)>) -> (Option<&'static str>, Option<String>, Option<String>) {
    (span.map(|_| "ring"), span.map(|s| s.0.to_string()), span.map(|s| s.1.to_string()))
}

/// Shapes that signs share, once a page.
pub fn definitions() -> Html {
    html! {
        <svg class="definitions" width="0" height="0" aria-hidden="true" focusable="false">
            <defs><clipPath id="disc"><circle cx="17" cy="17" r="13" /></clipPath></defs>
        </svg>
    }
}
