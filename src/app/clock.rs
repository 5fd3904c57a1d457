//! How real time becomes virtual time: speed, pause, and skipping the quiet parts.
//!
//! Rule: only towards a moment that is known to come does time run faster than was asked for, and never while someone is
//! about to act (`held`).
//!
//! Only pacing is decided here, never what happens: the engine gives the same run however it is paced, so floats are
//! harmless.

/// What the speed menu offers: virtual milliseconds a real one.
pub const SPEEDS: [f64; 9] = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 100.0, 1000.0];
/// Where `1x` stands in [`SPEEDS`].
pub const NORMAL: usize = 2;
/// A frame never stands for more than this, so that a page that was hidden does not leap.
const FRAME_MS_MAX: f64 = 100.0;
/// A usual one.
const FRAME_MS: f64 = 16.0;
/// Real time without news after which a part counts as quiet …
const QUIET_AFTER_MS: f64 = 400.0;
/// … and by which it is over.
const QUIET_MS: f64 = 2000.0;

/// The page's clock.
#[derive(Clone, PartialEq, Debug)]
pub struct Clock {
    pub playing: bool,
    /// An index of [`SPEEDS`].
    pub speed: usize,
    pub skip: bool,
    /// Someone types into a terminal or reads a dialog: nothing is skipped meanwhile.
    pub held: bool,
    /// Real milliseconds since something was last seen to happen.
    quiet_ms: f64,
    /// Where the clock is between two whole virtual milliseconds.
    at_ms: f64,
}

impl Clock {
    pub fn new(speed: usize, skip: bool) -> Clock {
        Clock { playing: true, speed: speed.min(SPEEDS.len() - 1), skip, held: false, quiet_ms: 0.0, at_ms: 0.0 }
    }

    /// The chosen speed.
    pub fn factor(&self) -> f64 {
        SPEEDS[self.speed]
    }

    /// True once enough real time has passed without news for the part to count as quiet.
    pub fn wants_to_skip(&self) -> bool {
        self.playing && self.skip && !self.held && self.quiet_ms > QUIET_AFTER_MS
    }

    /// How many times faster than real time it runs towards what is known to come; none at the chosen speed.
    pub fn skips(&self, coming_ms: Option<i64>) -> Option<f64> {
        let pace = self.pace(FRAME_MS, coming_ms);
        (self.playing && pace > self.factor()).then_some(pace)
    }

    /// Where to go in this frame. `coming_ms` is the next moment at which something is known to happen.
    pub fn target(&mut self, frame_ms: f64, coming_ms: Option<i64>) -> i64 {
        let frame_ms = frame_ms.clamp(0.0, FRAME_MS_MAX);
        self.quiet_ms += frame_ms;
        self.at_ms += frame_ms * self.pace(frame_ms, coming_ms);
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

    fn pace(&self, frame_ms: f64, coming_ms: Option<i64>) -> f64 {
        let chosen = self.factor();
        let Some(coming_ms) = coming_ms.filter(|_| self.wants_to_skip()) else { return chosen };
        // The last frame arrives; what has been reached is news, so that the next wait takes its time as well.
        chosen.max((coming_ms as f64 - self.at_ms) / (QUIET_MS - self.quiet_ms).max(frame_ms.max(1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Real milliseconds until the clock passes `until_ms`, when something is known to come every `step_ms` and each of
    /// these moments is news.
    fn real_ms(clock: &mut Clock, until_ms: i64, step_ms: Option<i64>) -> f64 {
        let (mut real, mut now) = (0.0, 0);
        while now < until_ms {
            real += 16.0;
            assert!(real < 1_000_000.0, "the clock stands still at {now}");
            let coming = step_ms.map(|step| (now / step + 1) * step);
            now = clock.target(16.0, coming);
            if coming.is_some_and(|coming| now >= coming) {
                clock.news();
            }
        }
        real
    }

    #[test]
    fn what_is_known_to_come_is_there_in_two_seconds() {
        for gap_ms in [3_000, 100_000, 18_000_000, 31_536_000_000] {
            let real = real_ms(&mut Clock::new(NORMAL, true), gap_ms, Some(gap_ms));
            assert!(real <= 2_100.0, "{gap_ms} took {real}");
        }
        // Each of ten waits takes its own two seconds: nobody is hurried through them.
        let real = real_ms(&mut Clock::new(NORMAL, true), 3_000_000, Some(300_000));
        assert!((19_000.0..21_000.0).contains(&real), "{real}");
    }

    #[test]
    fn the_speed_is_kept_where_nothing_is_known_to_come() {
        let near = |real: f64, expected: f64| assert!((real - expected).abs() < 50.0, "{real} instead of {expected}");
        near(real_ms(&mut Clock::new(NORMAL, true), 100_000, None), 100_000.0);
        near(real_ms(&mut Clock::new(NORMAL, false), 10_000, Some(10_000)), 10_000.0);
        near(real_ms(&mut Clock::new(0, false), 1_000, Some(1_000)), 4_000.0);
        near(real_ms(&mut Clock::new(5, true), 3_000, Some(100)), 300.0);
        // A program that prints each second.
        near(real_ms(&mut Clock::new(NORMAL, true), 60_000, Some(1_000)), 60_000.0);
        let mut held = Clock { held: true, ..Clock::new(NORMAL, true) };
        near(real_ms(&mut held, 60_000, Some(60_000)), 60_000.0);
    }

    #[test]
    fn the_pace_is_told_while_it_lasts() {
        let mut clock = Clock::new(NORMAL, true);
        assert_eq!(clock.skips(Some(600_000)), None);
        clock.target(100.0, None);
        for _ in 0..5 {
            clock.target(100.0, None);
        }
        assert!(clock.skips(Some(600_000)).is_some_and(|pace| (400.0..450.0).contains(&pace)));
        assert_eq!(clock.skips(None), None);
        clock.playing = false;
        assert_eq!(clock.skips(Some(600_000)), None);
    }

    #[test]
    fn a_hidden_page_does_not_leap() {
        assert_eq!(Clock::new(NORMAL, false).target(60_000.0, None), 100);
    }
}
