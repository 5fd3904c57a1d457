//! Questions in English, as people ask them: `why is there an eighth Pod`, `why no Job at 08:00`, or just `job/report`.
//!
//! Rule: names of objects that were ever there are found in the question; what is left is told by its words. Where no
//! object is named, the one that fits is meant: of several the latest.

use crate::explain::{Past, Question, words};
use api::kind::Kind;
use cluster::store::{Happened, Subject};
use values::time::{SimTime, Span};

/// What can be asked; said when a question was not understood.
pub const EXAMPLES: &str = "\
ask about an object (`job/report`, `pod/report-x7k2p`) or such as these:
  why is nothing running now
  why is there an eighth pod
  why was pod NAME deleted
  why is pod NAME pending
  why did job NAME fail
  why is job NAME not finished
  why no job at 08:00
  why exit 143
  why was pod NAME restarted
  why is active 0
  why were there two pods for index 3";

/// A question taken apart.
struct Asked<'t> {
    /// In lower case, without signs at their ends.
    words: Vec<String>,
    text: &'t str,
}

impl Asked<'_> {
    fn has(&self, any: &[&str]) -> bool {
        self.words.iter().any(|word| any.contains(&word.as_str()))
    }

    /// The number that stands behind one of these words, or the first number at all.
    fn number(&self, behind: &[&str]) -> Option<i64> {
        let at = self.words.iter().position(|word| behind.contains(&word.as_str()));
        self.words[at.map_or(0, |at| at + 1)..].iter().find_map(|word| word.parse().ok())
    }

    /// `eighth`, `8th`.
    fn ordinal(&self) -> Option<usize> {
        self.words.iter().find_map(|word| {
            let known = words::ORDINALS.iter().position(|known| known == word).map(|at| at + 1);
            known.or_else(|| {
                let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
                let is_ordinal = ["st", "nd", "rd", "th"].contains(&&word[digits.len()..]);
                digits.parse().ok().filter(|_| is_ordinal)
            })
        })
    }

    /// `08:00`, `08:00:30`.
    fn time(&self) -> Option<[i64; 3]> {
        self.words.iter().find_map(|word| {
            let parts: Vec<i64> = word.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
            match parts[..] {
                [hour, minute] => Some([hour, minute, 0]),
                [hour, minute, second] => Some([hour, minute, second]),
                _ => None,
            }
        })
    }
}

impl Past<'_> {
    /// Reads a question.
    ///
    /// # Errors
    /// It is not understood, or speaks of what is not there.
    pub fn read_question(&self, text: &str) -> Result<Question, String> {
        let trim = |word: &str| word.trim_matches(|c: char| "?!.,;'\"`".contains(c)).to_lowercase();
        let words: Vec<String> = text.split_whitespace().map(trim).filter(|word| !word.is_empty()).collect();
        let asked = Asked { words, text };
        if let Some(number) = asked.words.iter().position(|word| word == "entry").and_then(|at| asked.words.get(at + 1))
        {
            let id = number.parse().ok().and_then(cluster::store::EntryId::new);
            return id.map(Question::Entry).ok_or_else(|| format!("`{number}` is no number of an entry"));
        }
        let named = self.named_in(&asked)?;
        if let [_] = asked.words.as_slice()
            && let Some(subject) = named
        {
            return Ok(Question::Object(subject));
        }
        self.understand(&asked, named).ok_or_else(|| format!("`{}` is not understood; {EXAMPLES}", asked.text.trim()))
    }

    fn understand(&self, asked: &Asked<'_>, named: Option<Subject>) -> Option<Question> {
        let of = |kind: Kind| {
            let fits = named.clone().filter(|subject| subject.key.kind == kind);
            fits.or_else(|| if named.is_none() { self.latest_of(kind) } else { None })
        };
        let pod = named.clone().filter(|subject| subject.key.kind == Kind::Pod);
        let job = named.clone().filter(|subject| subject.key.kind == Kind::Job);
        let pods = asked.has(&["pod", "pods"]);
        if asked.has(&["index"]) {
            let index = i32::try_from(asked.number(&["index"])?).ok()?;
            return Some(Question::Index { job: of(Kind::Job)?, index });
        }
        if asked.has(&["active"]) && asked.has(&["0", "zero", "no", "not"]) {
            return Some(Question::ActiveZero(of(Kind::Job)?));
        }
        if asked.has(&["exit", "code"]) && asked.number(&["code", "exit"]).is_some() {
            let code = i32::try_from(asked.number(&["code", "exit"])?).ok()?;
            return Some(Question::Exit { pod, code });
        }
        if let Some(time) = asked.time().filter(|_| asked.has(&["job", "jobs", "run", "start", "started", "fire"])) {
            let cron_job = of(Kind::CronJob)?;
            return Some(Question::NoJob { at: self.moment_of(time), cron_job });
        }
        if let Some(number) = asked.ordinal().filter(|_| pods) {
            return Some(Question::Nth { owner: job, number });
        }
        self.understand_verb(asked, named.clone(), of)
    }

    fn understand_verb(
        &self,
        asked: &Asked<'_>,
        named: Option<Subject>,
        of: impl Fn(Kind) -> Option<Subject>,
    ) -> Option<Question> {
        let pods = asked.has(&["pod", "pods", "container", "containers"]);
        let thing = || {
            let kinds = [
                (Kind::CronJob, &["cronjob", "cronjobs"][..]),
                (Kind::Job, &["job", "jobs"]),
                (Kind::Pod, &["pod", "pods"]),
            ];
            let kind = kinds.iter().find(|(_, words)| asked.has(words)).map(|(kind, _)| *kind);
            named.clone().or_else(|| of(kind?))
        };
        let gone =
            ["deleted", "gone", "removed", "vanished", "disappeared", "vanish", "disappear", "killed", "evicted"];
        if asked.has(&gone) {
            let kind = if asked.has(&["job", "jobs"]) && !pods { Kind::Job } else { Kind::Pod };
            return named.clone().or_else(|| self.latest_gone(kind)).map(Question::Gone);
        }
        if asked.has(&["pending", "waiting", "scheduled", "placed"]) {
            let pending = named.clone().or_else(|| self.latest_pending());
            return pending.map(Question::Pending);
        }
        if asked.has(&["restarted", "restart", "restarts", "again"]) && (pods || asked.has(&["restarts", "restarted"]))
        {
            let named = named.clone().filter(|subject| subject.key.kind == Kind::Pod);
            return named.or_else(|| self.latest_restarted()).map(Question::Restarted);
        }
        let not =
            asked.has(&["not", "never", "still", "n't", "isn't", "doesn't", "hasn't", "yet", "stuck", "hang", "hangs"]);
        let job = || thing().filter(|subject| subject.key.kind == Kind::Job).or_else(|| of(Kind::Job));
        if not
            && asked.has(&[
                "finished",
                "finish",
                "done",
                "end",
                "ended",
                "running",
                "complete",
                "completed",
                "failed",
                "fail",
                "stuck",
            ])
        {
            return job().map(Question::Unfinished);
        }
        if asked.has(&[
            "fail",
            "failed",
            "fails",
            "end",
            "ended",
            "complete",
            "completed",
            "succeeded",
            "finished",
            "stopped",
        ]) {
            return match &named {
                Some(subject) if subject.key.kind != Kind::Job => named.clone().map(Question::Object),
                _ => job().map(Question::Ended),
            };
        }
        if named.is_none() && asked.has(&["nothing", "now", "moment", "anything", "happens", "happening"]) {
            return Some(Question::Moment);
        }
        if asked.has(&["made", "created", "there", "exist", "exists", "new"]) {
            return thing().map(Question::Made);
        }
        thing().map(Question::Object)
    }

    /// The object that a question names: `kind/name`, or a bare name that some object has or had.
    fn named_in(&self, asked: &Asked<'_>) -> Result<Option<Subject>, String> {
        for word in &asked.words {
            let Some((kind, name)) = word.split_once('/') else { continue };
            let Some(kind) = kind_of(kind) else { continue };
            let found = self.subjects().filter(|subject| subject.key.kind == kind && *subject.key.name == *name).last();
            return found.map(Some).ok_or_else(|| format!("there is no {} {name} and there was none", kind.name()));
        }
        let kinds = [Kind::Pod, Kind::Job, Kind::CronJob, Kind::Node, Kind::Deployment, Kind::ReplicaSet];
        let mut found: Option<Subject> = None;
        for subject in self.subjects() {
            let rank = |subject: &Subject| kinds.iter().position(|kind| *kind == subject.key.kind);
            if rank(&subject).is_some() && asked.words.iter().any(|word| **word == *subject.key.name) {
                let says = |words: &[&str]| asked.has(words);
                let meant = match subject.key.kind {
                    Kind::CronJob => says(&["cronjob", "cronjobs", "schedule"]),
                    Kind::Job => says(&["job", "jobs"]),
                    _ => true,
                };
                if meant || found.as_ref().is_none_or(|found| rank(found) >= rank(&subject)) {
                    found = Some(subject);
                }
            }
        }
        Ok(found)
    }

    /// Every object that is or was there, in the order in which they were written last.
    fn subjects(&self) -> impl Iterator<Item = Subject> + '_ {
        let kept = self.entries().filter_map(|entry| entry.about.clone());
        let set_up = self.cluster().store().list(Kind::Node).map(|node| Subject::from(&**node));
        set_up.chain(kept)
    }

    fn latest_of(&self, kind: Kind) -> Option<Subject> {
        self.entries().rev().filter_map(|entry| entry.about.clone()).find(|about| about.key.kind == kind)
    }

    fn latest_gone(&self, kind: Kind) -> Option<Subject> {
        let told = self.entries().rev().filter(|entry| entry.facts().is_some_and(|facts| facts.deletion_began));
        told.filter_map(|entry| entry.about.clone()).find(|about| about.key.kind == kind)
    }

    fn latest_pending(&self) -> Option<Subject> {
        let pods = self.cluster().store().list(Kind::Pod);
        let pending = pods.filter(|pod| pod.pod().status.phase == "Pending").map(|pod| Subject::from(&**pod));
        pending.last().or_else(|| self.latest_of(Kind::Pod))
    }

    fn latest_restarted(&self) -> Option<Subject> {
        let again = self
            .entries()
            .rev()
            .find(|entry| matches!(entry.happened(), Some(Happened::ProcessStarted { attempt, .. }) if *attempt > 1));
        again.and_then(|entry| entry.about.clone()).or_else(|| self.latest_of(Kind::Pod))
    }

    /// The latest moment not after now with this time of day in UTC; if there was none since the start, the next.
    fn moment_of(&self, [hour, minute, second]: [i64; 3]) -> SimTime {
        let day = Span::secs(86_400);
        let midnight = SimTime::from_secs(self.now().secs().div_euclid(86_400) * 86_400);
        let at = midnight + Span::secs(hour * 3600 + minute * 60 + second);
        if at > self.now() && at - day >= self.start() { at - day } else { at }
    }
}

/// The kind that someone means by `pod`, `pods`, `po`, `cj` …
fn kind_of(word: &str) -> Option<Kind> {
    match word {
        "pod" | "pods" | "po" => Some(Kind::Pod),
        "job" | "jobs" => Some(Kind::Job),
        "cronjob" | "cronjobs" | "cj" => Some(Kind::CronJob),
        "node" | "nodes" | "no" => Some(Kind::Node),
        "deployment" | "deployments" | "deploy" => Some(Kind::Deployment),
        "replicaset" | "replicasets" | "rs" => Some(Kind::ReplicaSet),
        "service" | "services" | "svc" => Some(Kind::Service),
        _ => None,
    }
}
