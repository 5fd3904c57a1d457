//! Back-off of crashed containers and failed pulls.
//!
//! Rule: `docs/semantics/kubelet.md` §4: 10 s, doubled to 300 s, forgotten when the last failure lies more than 10 min
//! behind the last try. Source: `client-go/util/flowcontrol/backoff.go`.

use crate::actor::Hold;
use values::time::{SimTime, Span};

const INITIAL: Span = Span::secs(10);
const MAX: Span = Span::secs(300);
const EXPIRES_AFTER: Span = Span::secs(600);

/// One key's back-off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BackOff {
    entry: Option<(Span, SimTime)>,
}

impl BackOff {
    /// The wait in force for something that failed at `failed_at`.
    pub fn wait(&self) -> Span {
        self.entry.map_or(Span::ZERO, |(wait, _)| wait)
    }

    /// Until when to wait, if `now` is still inside.
    pub fn until(&self, failed_at: SimTime, now: SimTime) -> Option<SimTime> {
        let (wait, updated_at) = self.entry?;
        if failed_at.since(updated_at) > EXPIRES_AFTER {
            return None;
        }
        Some(failed_at + wait).filter(|until| now < *until)
    }

    /// As [`BackOff::until`], counted from the last try itself (image pulls).
    pub fn until_since_try(&self, now: SimTime) -> Option<SimTime> {
        let (wait, updated_at) = self.entry?;
        Some(updated_at + wait).filter(|until| now < *until)
    }

    /// The wait in force after a failure at `failed_at`; it may be over.
    pub fn hold(&self, failed_at: SimTime) -> Option<Hold> {
        self.entry.map(|(wait, _)| Hold { from: failed_at, until: failed_at + wait })
    }

    /// As [`BackOff::hold`], counted from the last try itself (image pulls).
    pub fn hold_since_try(&self) -> Option<Hold> {
        self.entry.map(|(wait, updated_at)| Hold { from: updated_at, until: updated_at + wait })
    }

    /// It is tried again now, after a failure at `failed_at`.
    pub fn next(&mut self, failed_at: SimTime, now: SimTime) {
        let wait = match self.entry {
            Some((wait, updated_at)) if failed_at.since(updated_at) <= EXPIRES_AFTER => {
                Span::ms(wait.as_ms() * 2).min(MAX)
            }
            _ => INITIAL,
        };
        self.entry = Some((wait, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use values::duration::GoDuration;

    #[test]
    fn waits_double_and_are_forgotten() {
        let at = SimTime::from_secs;
        let mut back_off = BackOff::default();
        let mut waits = Vec::new();
        let mut now = 0;
        assert_eq!(back_off.until(at(0), at(0)), None);
        for _ in 0..7 {
            back_off.next(at(now), at(now));
            waits.push(GoDuration::from(back_off.wait()).to_string());
            assert_eq!(back_off.until(at(now + 1), at(now + 2)), Some(at(now + 1) + back_off.wait()));
            now += back_off.wait().as_secs() + 5;
        }
        assert_eq!(waits, ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"]);
        back_off.next(at(now + 700), at(now + 700));
        assert_eq!(back_off.wait(), Span::secs(10));
    }
}
