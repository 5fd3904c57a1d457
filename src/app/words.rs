//! Numbers and times as people and `kubectl` write them.

use super::engine::{Span, human_duration};

/// `00:42`, `12:05`, `1:02:03`: a moment of the run.
pub fn moment(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes:02}:{seconds:02}") }
}

/// An age as `kubectl get` has it: `42s`, `2m5s`, `14m`, `3h20m`, `2d5h`.
pub fn age(ms: i64) -> String {
    human_duration(Span::ms(ms.max(0)))
}

/// How much faster than real time: `12x`, `350x`, `12000x`; two digits are enough.
pub fn pace(factor: f64) -> String {
    let digits = factor.max(1.0).log10().floor() as u32;
    let unit = 10_f64.powi(digits.saturating_sub(1) as i32);
    format!("{:.0}x", (factor / unit).round() * unit)
}

/// What is left of a span, never `0s` before it is over: `12s`, `3m`, `5h`.
pub fn left(ms: i64) -> String {
    let seconds = (ms.max(0) + 999) / 1000;
    match seconds {
        0..=99 => format!("{seconds}s"),
        100..=5_999 => format!("{}m", (seconds + 30) / 60),
        _ => format!("{}h", (seconds + 1_800) / 3_600),
    }
}

/// `1 Pod`, `3 Pods`.
pub fn count(number: i64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_paces() {
        assert_eq!([age(-5), age(125_000), age(190_800_000)], ["0s", "2m5s", "2d5h"]);
        assert_eq!([pace(1.4), pace(12.4), pace(357.0), pace(9_003.0)], ["1x", "12x", "360x", "9000x"]);
    }

    #[test]
    fn moments_and_rests() {
        assert_eq!([moment(42_900), moment(3_723_000)], ["00:42", "1:02:03"]);
        assert_eq!([left(0), left(1), left(12_000), left(100_000), left(7_200_000)], ["0s", "1s", "12s", "2m", "2h"]);
    }
}
