//! Numbers and times as people and `kubectl` write them.
//!
//! Ages follow `duration.HumanDuration` of k8s.io/apimachinery: two units while they matter, one when they do not.

/// `00:42`, `12:05`, `1:02:03`: a moment of the run.
pub fn moment(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes:02}:{seconds:02}") }
}

/// `42s`, `2m5s`, `14m`, `3h20m`, `2d5h`: an age as `kubectl get` has it.
pub fn age(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |big: i64, unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{big}{unit}"),
        _ => format!("{big}{unit}{small}{small_unit}"),
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () => format!("{days}d"),
    }
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
    fn ages_are_kubectls() {
        for (seconds, text) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (600, "10m"),
            (10_800, "3h"),
            (12_000, "3h20m"),
            (100_000, "27h"),
            (190_800, "2d5h"),
            (864_000, "10d"),
        ] {
            assert_eq!(age(seconds * 1000), text);
        }
    }

    #[test]
    fn moments_and_rests() {
        assert_eq!([moment(42_900), moment(3_723_000)], ["00:42", "1:02:03"]);
        assert_eq!([left(0), left(1), left(12_000), left(100_000), left(7_200_000)], ["0s", "1s", "12s", "2m", "2h"]);
    }
}
