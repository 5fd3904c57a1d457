//! How real time becomes virtual time: speed, pause, and skipping the quiet parts.
//!
//! Only pacing is decided here, never what happens: the engine gives the same run however it is paced, so floats are
//! harmless.

/// What the speed menu offers: virtual milliseconds a real one.
pub const SPEEDS: [f64; 9] = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 100.0, 1000.0];
/// Where `1x` stands in [`SPEEDS`].
pub const NORMAL: usize = 2;
/// A frame never stands for more than this, so that a page that was hidden does not leap.
const FRAME_MS_MAX: f64 = 100.0;
/// Real time without news after which a part counts as quiet …
const QUIET_AFTER_MS: f64 = 400.0;
/// … and by which it is over.
const QUIET_MS: f64 = 2000.0;
/// How fast the pace grows while nobody knows when the next news comes; e-fold per real millisecond.
const GROWTH: f64 = 0.006;

/// The page's clock.
#[derive(Clone, PartialEq, Debug)]
pub struct Clock {
    pub playing: bool,
    /// An index of [`SPEEDS`].
    pub speed: usize,
    pub skip: bool,
    /// Real milliseconds since something was last seen to happen.
    quiet_ms: f64,
    /// Where the clock is between two whole virtual milliseconds.
    at_ms: f64,
}

impl Clock {
    pub fn new(speed: usize, skip: bool) -> Clock {
        Clock { playing: true, speed: speed.min(SPEEDS.len() - 1), skip, quiet_ms: 0.0, at_ms: 0.0 }
    }

    /// The chosen speed.
    pub fn factor(&self) -> f64 {
        SPEEDS[self.speed]
    }

    /// True while it runs faster than the chosen speed.
    pub fn skips(&self, next_ms: Option<i64>) -> bool {
        self.playing && self.skip && next_ms.is_some() && self.quiet_ms > QUIET_AFTER_MS
    }

    /// Where to go in this frame. `next_ms` is when the engine next has something to do; that it is worth seeing is
    /// not known before.
    pub fn target(&mut self, frame_ms: f64, next_ms: Option<i64>) -> i64 {
        let frame_ms = frame_ms.clamp(0.0, FRAME_MS_MAX);
        self.quiet_ms += frame_ms;
        self.at_ms += frame_ms * self.pace(next_ms);
        self.at_ms as i64
    }

    /// Something was seen to happen.
    pub fn news(&mut self) {
        self.quiet_ms = 0.0;
    }

    /// The engine is at this moment, wherever the clock wanted to be: a slow engine leaves no debt.
    pub fn moved_to(&mut self, now_ms: i64) {
        if self.at_ms as i64 != now_ms {
            self.at_ms = now_ms as f64;
        }
    }

    fn pace(&self, next_ms: Option<i64>) -> f64 {
        let chosen = self.factor();
        let Some(next_ms) = next_ms.filter(|_| self.skip && self.quiet_ms > QUIET_AFTER_MS) else { return chosen };
        let known = (next_ms as f64 - self.at_ms) / (QUIET_MS - self.quiet_ms).max(FRAME_MS_MAX);
        let unknown = chosen.max(1.0) * ((self.quiet_ms.min(QUIET_MS) - QUIET_AFTER_MS) * GROWTH).exp();
        chosen.max(known).max(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Real milliseconds until the clock passes `until_ms`, when the engine has something to do every `step_ms`.
    fn real_ms(clock: &mut Clock, until_ms: i64, step_ms: i64) -> f64 {
        let (mut real, mut now) = (0.0, 0);
        while now < until_ms {
            real += 16.0;
            assert!(real < 100_000.0, "the clock stands still at {now}");
            now = clock.target(16.0, Some((now / step_ms + 1) * step_ms));
        }
        real
    }

    #[test]
    fn quiet_parts_pass_in_two_seconds() {
        for gap_ms in [3_000, 100_000, 18_000_000, 31_536_000_000] {
            let real = real_ms(&mut Clock::new(NORMAL, true), gap_ms, gap_ms);
            assert!(real <= 2_100.0, "{gap_ms} took {real}");
        }
        // Work that is not worth seeing, such as a line of a log, does not slow it down.
        assert!(real_ms(&mut Clock::new(NORMAL, true), 600_000, 1_000) <= 2_100.0);
    }

    #[test]
    fn the_speed_is_kept_where_nothing_is_skipped() {
        assert!((real_ms(&mut Clock::new(NORMAL, false), 10_000, 10_000) - 10_000.0).abs() < 50.0);
        assert!((real_ms(&mut Clock::new(0, false), 1_000, 1_000) - 4_000.0).abs() < 50.0);
        assert!((real_ms(&mut Clock::new(5, true), 3_000, 100) - 300.0).abs() < 50.0);
    }

    #[test]
    fn a_hidden_page_does_not_leap() {
        assert_eq!(Clock::new(NORMAL, false).target(60_000.0, None), 100);
    }
}
