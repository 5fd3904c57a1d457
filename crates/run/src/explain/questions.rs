//! Questions: what can be asked of a run, and how each is answered from its journal and its present state.
//!
//! Rule: a question about something that happened is answered by the entry that did it; a question about something that
//! did not happen by what stands in its way, which is an entry too wherever one was noted.

use crate::explain::{Chain, Explanation, Finding, Past, Place, words};
use crate::journal::JournalEntry;
use api::kind::Kind;
use api::object::Object;
use cluster::store::{ChangeType, EntryId, Field, Happened, Subject};
use values::time::SimTime;

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// Why this entry of the journal.
    Entry(EntryId),
    /// Why an object is as it is, or is gone.
    Object(Subject),
    /// Why nothing, or what, runs and happens now.
    Moment,
    /// Why there is this object.
    Made(Subject),
    /// Why there is a Pod of that number, counted from 1 in the order in which they were made; of a Job, or of all.
    Nth { owner: Option<Subject>, number: usize },
    /// Why it was deleted.
    Gone(Subject),
    /// Why it has not started.
    Pending(Subject),
    /// Why a container ended with this exit code.
    Exit { pod: Option<Subject>, code: i32 },
    /// Why a container was started again.
    Restarted(Subject),
    /// Why a Job ended as it did.
    Ended(Subject),
    /// Why a Job has not ended.
    Unfinished(Subject),
    /// Why a Job counts no active Pods though one is there.
    ActiveZero(Subject),
    /// Why there was more than one Pod for an index.
    Index { job: Subject, index: i32 },
    /// Why a CronJob made no Job at that time.
    NoJob { cron_job: Subject, at: SimTime },
}

impl<'r> Past<'r> {
    /// Answers a question.
    pub fn explain(&self, question: &Question) -> Explanation {
        let name = |subject: &Subject| words::object(&subject.key);
        let (question, findings) = match question {
            Question::Entry(id) => (format!("why entry {}", id.number()), vec![self.entry(*id)]),
            Question::Object(subject) => (format!("why {} is as it is", name(subject)), self.object(subject)),
            Question::Moment => ("what happens now, and why not more".to_owned(), self.moment()),
            Question::Made(subject) => (format!("why there is {}", name(subject)), self.made(subject)),
            Question::Nth { owner, number } => {
                let of = owner.as_ref().map(|owner| format!(" of {}", name(owner))).unwrap_or_default();
                (format!("why there is a {} Pod{of}", words::ordinal(*number)), self.nth(owner.as_ref(), *number))
            }
            Question::Gone(subject) => (format!("why {} was deleted", name(subject)), self.gone(subject)),
            Question::Pending(subject) => (format!("why {} has not started", name(subject)), self.pending(subject)),
            Question::Exit { pod, code } => (format!("why exit code {code}"), self.exit(pod.as_ref(), *code)),
            Question::Restarted(pod) => (format!("why {} was started again", name(pod)), self.restarted(pod)),
            Question::Ended(job) => (format!("why {} ended", name(job)), self.ended(job)),
            Question::Unfinished(job) => (format!("why {} has not ended", name(job)), self.unfinished(job)),
            Question::ActiveZero(job) => (format!("why {} counts no active Pod", name(job)), self.active_zero(job)),
            Question::Index { job, index } => {
                (format!("why {} made several Pods for index {index}", name(job)), self.index(job, *index))
            }
            Question::NoJob { cron_job, at } => {
                let question = format!("why {} made no Job at {}", name(cron_job), words::clock(*at));
                (question, self.no_job(cron_job, *at))
            }
        };
        Explanation { question, findings }
    }

    fn entry(&self, id: EntryId) -> Finding {
        Finding { chain: Some(self.chain(id)), ..Finding::default() }
    }

    /// Something to say, and the chain of the latest entry that shows it.
    pub(super) fn finding(&self, says: String, entry: Option<&JournalEntry>) -> Finding {
        Finding { says, place: None, chain: entry.map(|entry| self.chain(entry.id)) }
    }

    /// The line of a field of an object, or of what it was made from.
    pub(super) fn field(&self, subject: &Subject, kind: &'static str, path: &'static str) -> Option<Place> {
        self.place(self.last?, subject, Field { kind, path }, None)
    }

    /// The latest entry about an object that is so.
    pub(super) fn latest(&self, uid: &str, is: impl Fn(&JournalEntry) -> bool) -> Option<&'r JournalEntry> {
        self.entries().rev().find(|entry| entry.is_about(uid) && is(entry))
    }

    /// The object, if it is still there.
    pub(super) fn now_of(&self, subject: &Subject) -> Option<&'r std::rc::Rc<Object>> {
        self.cluster().store().get(&subject.key).filter(|object| object.uid() == &*subject.uid)
    }

    /// Entries that made Pods, of one owner or of all, oldest first.
    fn pods_made(&self, owner: Option<&Subject>) -> impl Iterator<Item = &'r JournalEntry> {
        self.entries().filter(move |entry| {
            entry.kind() == Some(Kind::Pod)
                && entry.is(ChangeType::Added)
                && owner.is_none_or(|owner| {
                    let controller = entry.facts().and_then(|facts| facts.controller.as_ref());
                    controller.is_some_and(|controller| controller.uid == owner.uid)
                })
        })
    }

    fn made(&self, subject: &Subject) -> Vec<Finding> {
        match self.latest(&subject.uid, |entry| entry.is(ChangeType::Added)) {
            Some(entry) => vec![self.finding(String::new(), Some(entry))],
            None => vec![self.finding(format!("{} was there from the start", words::object(&subject.key)), None)],
        }
    }

    fn nth(&self, owner: Option<&Subject>, number: usize) -> Vec<Finding> {
        let made: Vec<&JournalEntry> = self.pods_made(owner).collect();
        let Some(entry) = made.get(number.wrapping_sub(1)) else {
            let so_far = match made.len() {
                1 => "there is none: 1 Pod was made so far".to_owned(),
                made => format!("there is none: {made} Pods were made so far"),
            };
            return vec![self.finding(so_far, None)];
        };
        let before: Vec<&Subject> = made[..number - 1].iter().filter_map(|entry| entry.about.as_ref()).collect();
        let ended = |phase: &str| {
            let turned = |other: &&JournalEntry| {
                other.id < entry.id
                    && other.facts().is_some_and(|facts| facts.phase.as_ref().is_some_and(|turned| turned == phase))
            };
            let about = |other: &&JournalEntry| {
                other.about.as_ref().is_some_and(|about| before.iter().any(|pod| pod.uid == about.uid))
            };
            self.entries().filter(turned).filter(about).count()
        };
        let (failed, succeeded) = (ended("Failed"), ended("Succeeded"));
        let name = entry.about.as_ref().map(|about| words::object(&about.key)).unwrap_or_default();
        let says = format!(
            "{name} is the {} that was made; of the {} before it {failed} had failed and {succeeded} had succeeded",
            words::ordinal(number),
            before.len()
        );
        vec![self.finding(says, Some(entry))]
    }

    pub(super) fn gone(&self, subject: &Subject) -> Vec<Finding> {
        let name = words::object(&subject.key);
        let told = self.latest(&subject.uid, |entry| entry.facts().is_some_and(|facts| facts.deletion_began));
        let gone = self.latest(&subject.uid, |entry| entry.is(ChangeType::Deleted));
        match (told, gone) {
            (None, None) => vec![self.finding(format!("{name} was not deleted"), None)],
            (Some(told), None) => vec![self.finding(format!("{name} is on its way out"), Some(told))],
            (told, gone) => vec![self.finding(String::new(), told.or(gone))],
        }
    }

    fn exit(&self, pod: Option<&Subject>, code: i32) -> Vec<Finding> {
        let ended = |entry: &&JournalEntry| {
            matches!(entry.happened(), Some(Happened::ProcessEnded { exit_code, .. }) if *exit_code == code)
                && pod.is_none_or(|pod| entry.is_about(&pod.uid))
        };
        let Some(entry) = self.entries().rev().find(ended) else {
            return vec![self.finding(format!("no container has ended with exit code {code}"), None)];
        };
        let says = match code {
            129..=192 => {
                let (signal, name) = (code - 128, words::signal_name(code - 128));
                format!("{code} is 128 + {signal}: the program ended by {name}")
            }
            126 => "126: the command was found and could not be carried out".to_owned(),
            127 => "127: the command was not found".to_owned(),
            _ => String::new(),
        };
        vec![self.finding(says, Some(entry))]
    }

    fn restarted(&self, pod: &Subject) -> Vec<Finding> {
        let again = |entry: &JournalEntry| matches!(entry.happened(), Some(Happened::ProcessStarted { attempt, .. }) if *attempt > 1);
        match self.latest(&pod.uid, again) {
            Some(entry) => vec![self.finding(String::new(), Some(entry))],
            None => vec![self.finding(format!("no container of {} was started again", words::object(&pod.key)), None)],
        }
    }

    fn index(&self, job: &Subject, index: i32) -> Vec<Finding> {
        let made: Vec<&JournalEntry> = self
            .pods_made(Some(job))
            .filter(|entry| entry.facts().and_then(|facts| facts.index) == Some(index))
            .collect();
        if made.len() < 2 {
            return vec![
                self.finding(format!("index {index} has had {}", words::many(made.len() as i64, "Pod")), None),
            ];
        }
        let pairs = made.iter().zip(made.iter().skip(1));
        pairs.map(|(before, entry)| self.finding(self.succession(before, entry, index), Some(entry))).collect()
    }

    /// How one Pod of an index followed another: at its end, or beside it.
    fn succession(&self, before: &JournalEntry, entry: &JournalEntry, index: i32) -> String {
        let Some((old, new)) = before.about.as_ref().zip(entry.about.as_ref()) else { return String::new() };
        let has_ended = |other: &JournalEntry| {
            other.id < entry.id
                && (other.is(ChangeType::Deleted)
                    || other.facts().and_then(|facts| facts.phase.as_ref()).is_some_and(|p| p == "Failed"))
        };
        let (old_name, new_name) = (words::object(&old.key), words::object(&new.key));
        let told = self
            .latest(&old.uid, |other| other.id < entry.id && other.facts().is_some_and(|facts| facts.deletion_began));
        match (self.latest(&old.uid, has_ended), told) {
            (Some(_), _) => format!("{new_name} took over index {index} after {old_name} had failed"),
            (None, Some(_)) => format!(
                "{new_name} took over index {index} while {old_name} was still on its way out: a Pod that is told to go \
                 counts as failed at once unless podReplacementPolicy is Failed, so both were there for a while"
            ),
            (None, None) => format!("{new_name} was made for index {index} beside {old_name}"),
        }
    }

    /// The chain of the latest entry about an object that turned something.
    pub(super) fn latest_turn(&self, subject: &Subject) -> Option<Chain> {
        let entry = self.latest(&subject.uid, |entry| entry.facts().is_some() || entry.happened().is_some())?;
        Some(self.chain(entry.id))
    }
}
