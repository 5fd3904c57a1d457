//! Ages as `kubectl` shows them: short, and never more than two units.
//!
//! Rules: `docs/semantics/kubectl.md` §2. Source: `apimachinery/pkg/util/duration/duration.go` (`HumanDuration`).

use crate::time::{SimTime, Span};

/// A span in at most two units: `45s`, `2m5s`, `10m`, `3h20m`, `2d1h`, `40d`, `2y5d`.
pub fn human_duration(span: Span) -> String {
    // Whole seconds are cut towards zero, so that the last moment before now still is 0s.
    let seconds = span.as_ms() / 1000;
    match seconds {
        i64::MIN..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => two(seconds / 60, 'm', seconds % 60, 's'),
        600..10_800 => format!("{}m", seconds / 60),
        10_800..28_800 => two(seconds / 3600, 'h', seconds / 60 % 60, 'm'),
        28_800..172_800 => format!("{}h", seconds / 3600),
        172_800..691_200 => two(seconds / 86_400, 'd', seconds / 3600 % 24, 'h'),
        691_200..63_072_000 => format!("{}d", seconds / 86_400),
        63_072_000..252_288_000 => two(seconds / 86_400 / 365, 'y', seconds / 86_400 % 365, 'd'),
        _ => format!("{}y", seconds / 86_400 / 365),
    }
}

/// How long ago `then` was; `<unknown>` if there is no such moment.
pub fn since(then: Option<SimTime>, now: SimTime) -> String {
    then.map_or_else(|| "<unknown>".to_owned(), |then| human_duration(now.since(then)))
}

fn two(big: i64, big_unit: char, small: i64, small_unit: char) -> String {
    if small == 0 { format!("{big}{big_unit}") } else { format!("{big}{big_unit}{small}{small_unit}") }
}
