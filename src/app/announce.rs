//! What a screen reader is told without asking: the few changes that matter, gathered, never a flood.

use super::engine::View;
use super::words::count;

/// Real milliseconds between two announcements.
const PAUSE_MS: f64 = 4_000.0;

/// Gathers changes and lets go of one sentence at a time.
#[derive(Default)]
pub struct Announcer {
    /// Job, status and failures, as last told.
    told: Vec<(String, String, i64)>,
    waiting: Vec<String>,
    next_at_ms: f64,
}

impl Announcer {
    /// Looks at a new picture; `quiet` after a restart, when everything differs.
    pub fn look(&mut self, view: &View, quiet: bool) {
        let now: Vec<_> = view.jobs.iter().map(|job| (job.name.clone(), job.status.clone(), job.failed)).collect();
        for (name, status, failed) in now.iter().filter(|_| !quiet) {
            match self.told.iter().find(|(told, ..)| told == name) {
                None => self.say(format!("Job {name} created")),
                Some((_, before, _)) if before != status => self.say(format!("Job {name}: {status}")),
                Some((.., before)) if before < failed => {
                    self.waiting.retain(|text| !text.starts_with(&format!("Job {name} has ")));
                    self.say(format!("Job {name} has {} failed", count(*failed, "Pod")));
                }
                Some(_) => {}
            }
        }
        self.told = now;
    }

    fn say(&mut self, text: String) {
        self.waiting.push(text);
    }

    /// The next announcement, if one is due.
    pub fn due(&mut self, real_ms: f64) -> Option<String> {
        if self.waiting.is_empty() || real_ms < self.next_at_ms {
            return None;
        }
        self.next_at_ms = real_ms + PAUSE_MS;
        let last = self.waiting.len().saturating_sub(4);
        Some(self.waiting.split_off(0)[last..].join(". "))
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::engine::JobCard;

    #[test]
    fn changes_are_gathered() {
        let picture = |status: &str, failed| View {
            jobs: Rc::new(vec![JobCard { name: "a".into(), status: status.into(), failed, ..JobCard::default() }]),
            ..View::default()
        };
        let mut announcer = Announcer::default();
        announcer.look(&picture("Running", 0), true);
        assert_eq!(announcer.due(0.0), None);
        announcer.look(&picture("Running", 1), false);
        announcer.look(&picture("Running", 2), false);
        announcer.look(&picture("Failed", 2), false);
        assert_eq!(announcer.due(0.0).as_deref(), Some("Job a has 2 Pods failed. Job a: Failed"));
        announcer.look(&picture("Failed", 3), false);
        assert_eq!(announcer.due(1_000.0), None);
        assert_eq!(announcer.due(5_000.0).as_deref(), Some("Job a has 3 Pods failed"));
    }
}
