//! What is known to come: the next moment at which something happens by itself that someone who watches would see.
//!
//! Rule: only moments that are known count (a schedule, a back-off, a deadline, a time to live, a grace period, a program
//! that sleeps). A Pod that runs promises nothing, and neither does an image that cannot be pulled: the kubelet will ask for
//! it again, and nothing will be different.

use crate::view::{PodToken, Sign, View};

/// Something that is known to come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coming {
    /// When, since the start of the run.
    pub at_ms: i64,
    /// What, so that it can be put after "to": `the next try of parallel`.
    pub what: String,
}

/// The first thing that is known to come after now. `wakes` says when a Pod's program goes on that waits for nothing but
/// the clock, by the Pod's name.
pub fn coming(view: &View, wakes: impl Fn(&PodToken) -> Option<i64>) -> Option<Coming> {
    let mut first: Option<Coming> = None;
    let mut note = |at_ms: Option<i64>, what: &dyn Fn() -> String| {
        if let Some(at_ms) = at_ms.filter(|at| *at > view.now_ms)
            && first.as_ref().is_none_or(|first| at_ms < first.at_ms)
        {
            first = Some(Coming { at_ms, what: what() });
        }
    };
    for cron in view.cron_jobs.iter().filter(|cron| !cron.suspended) {
        note(cron.next_ms, &|| format!("the next run of {}", cron.name));
    }
    for job in view.jobs.iter() {
        note(job.next_try_ms, &|| format!("the next try of {}", job.name));
        let candle = job.candle.as_ref();
        note(candle.map(|candle| candle.until_ms), &|| match job.settled {
            true => format!("the end of {}", job.name),
            false => format!("the deadline of {}", job.name),
        });
    }
    for pod in view.pods.iter() {
        match pod.sign {
            Sign::BacksOff => note(pod.until_ms, &|| format!("the next start in {}", pod.short)),
            Sign::Ends => note(pod.until_ms, &|| format!("the end of {}", pod.short)),
            Sign::Runs => note(wakes(pod), &|| format!("the next step of {}", pod.short)),
            Sign::Waits | Sign::NoRoom | Sign::Starts | Sign::Done | Sign::Failed => {}
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::view::{Candle, CronCard, JobCard};

    fn pod(short: &str, sign: Sign, until_ms: Option<i64>) -> PodToken {
        PodToken { name: short.to_owned(), short: short.to_owned(), sign, until_ms, ..PodToken::default() }
    }

    #[test]
    fn only_what_is_known_counts() {
        let cron = |suspended| CronCard { name: "c".into(), next_ms: Some(60_000), suspended, ..CronCard::default() };
        let trying = JobCard { name: "j".into(), next_try_ms: Some(30_000), ..JobCard::default() };
        let candle = |until_ms| Some(Candle { field: String::new(), says: String::new(), from_ms: 0, until_ms });
        let timed = |settled| JobCard { name: "j".into(), settled, candle: candle(9_000), ..JobCard::default() };
        let view = |crons: &[CronCard], jobs: &[JobCard], pods: &[PodToken]| View {
            now_ms: 1_000,
            cron_jobs: Rc::new(crons.to_vec()),
            jobs: Rc::new(jobs.to_vec()),
            pods: Rc::new(pods.to_vec()),
            ..View::default()
        };
        for (picture, text) in [
            (view(&[], &[], &[]), None),
            // A server, an image that cannot be had, a Pod that finds no room: nothing is promised.
            (
                view(
                    &[],
                    &[],
                    &[pod("a", Sign::Runs, None), pod("b", Sign::BacksOff, None), pod("c", Sign::NoRoom, None)],
                ),
                None,
            ),
            (view(&[cron(true)], &[], &[]), None),
            (view(&[cron(false)], &[], &[]), Some((60_000, "the next run of c"))),
            (view(&[cron(false)], &[trying], &[]), Some((30_000, "the next try of j"))),
            (view(&[], &[timed(false)], &[]), Some((9_000, "the deadline of j"))),
            (view(&[], &[timed(true)], &[]), Some((9_000, "the end of j"))),
            (view(&[], &[], &[pod("a", Sign::BacksOff, Some(5_000))]), Some((5_000, "the next start in a"))),
            (view(&[], &[], &[pod("a", Sign::Ends, Some(5_000))]), Some((5_000, "the end of a"))),
            (view(&[], &[], &[pod("sleeper", Sign::Runs, None)]), Some((7_000, "the next step of sleeper"))),
            // What is due already is not to come.
            (view(&[], &[], &[pod("a", Sign::Ends, Some(1_000))]), None),
        ] {
            let wakes = |pod: &PodToken| (pod.name == "sleeper").then_some(7_000);
            let found = coming(&picture, wakes);
            assert_eq!(found.as_ref().map(|coming| (coming.at_ms, coming.what.as_str())), text);
        }
    }
}
