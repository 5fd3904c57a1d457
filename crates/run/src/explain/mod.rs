//! Explain: why something is, was or is not, as a chain of entries of the journal down to what was done from outside.
//!
//! Rule: nothing is guessed. Each link is an entry with the rule that was followed, its numbers, and the line of the
//! manifest whose field decides. Who asks is told the causes first that say something new; those that only carry on what
//! another did (a status follows its containers) are folded, and stay in the chain.

mod asked;
mod objects;
mod places;
mod questions;
mod schedules;
mod words;

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::Sim;
use crate::journal::{JournalEntry, Log};
use cluster::Cluster;
use cluster::store::{EntryId, Field, Happened, Rule, Subject};
use values::object;
use values::time::SimTime;
use values::value::Value;

pub use places::Place;
pub use questions::Question;
pub(crate) use words::object as object_name;
pub use words::{because, clock, length, ordinal, says, signal_name};

/// A run up to now, to be asked about.
pub struct Past<'r> {
    log: &'r Log,
    last: Option<EntryId>,
    cluster: &'r Cluster,
    start: SimTime,
    /// The controller of each object, by uid.
    owners: BTreeMap<Rc<str>, Subject>,
}

/// One link of a chain.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    pub entry: EntryId,
    pub at: SimTime,
    pub actor: &'static str,
    pub about: Option<Subject>,
    /// What happened, as a clause.
    pub says: String,
    pub rule: Rule,
    /// The rule's sentence with its numbers; empty for what was done from outside.
    pub because: String,
    /// The line that decides, if a field does and was written by hand.
    pub place: Option<Place>,
    /// It says nothing that its neighbours do not say.
    pub folded: bool,
    /// Entries between this link and the next are no longer kept.
    pub skips: bool,
}

/// Where a chain ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// At something that was done from outside.
    Input,
    /// At the set-up of the cluster.
    Start,
    /// What led there is no longer kept.
    Forgotten,
}

/// Links from an effect down to where it began.
#[derive(Clone, PartialEq, Debug)]
pub struct Chain {
    pub links: Vec<Link>,
    pub end: End,
}

/// One part of an answer.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Finding {
    /// What is to be said beyond the links; may be empty.
    pub says: String,
    /// The line that decides, where no link has it.
    pub place: Option<Place>,
    pub chain: Option<Chain>,
}

/// An answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Explanation {
    /// The question as it was understood.
    pub question: String,
    /// The first is what was asked for; more are beside it, not below.
    pub findings: Vec<Finding>,
}

/// Why this is so, at this moment of the run.
pub fn explain(sim: &Sim, question: &Question) -> Explanation {
    Past::of(sim).explain(question)
}

/// Answers a question in English, or about an object such as `job/report`.
///
/// # Errors
/// The question is not understood, or speaks of what is not there; the text says what can be asked.
pub fn explain_text(sim: &Sim, text: &str) -> Result<Explanation, String> {
    let past = Past::of(sim);
    let question = past.read_question(text)?;
    Ok(past.explain(&question))
}

impl<'r> Past<'r> {
    /// The run up to now.
    pub fn of(sim: &'r Sim) -> Past<'r> {
        Past::new(sim.journal(), sim.cluster(), sim.start())
    }

    /// A journal up to the moment of a cluster.
    pub fn new(log: &'r Log, cluster: &'r Cluster, start: SimTime) -> Past<'r> {
        let mut past = Past { log, last: cluster.last_entry(), cluster, start, owners: BTreeMap::new() };
        let mut owners = BTreeMap::new();
        for entry in past.entries() {
            let owner = entry.facts().and_then(|facts| facts.controller.clone());
            if let (Some(owner), Some(about)) = (owner, &entry.about) {
                owners.insert(Rc::clone(&about.uid), owner);
            }
        }
        past.owners = owners;
        past
    }

    pub fn cluster(&self) -> &'r Cluster {
        self.cluster
    }

    pub fn start(&self) -> SimTime {
        self.start
    }

    pub fn now(&self) -> SimTime {
        self.cluster.now()
    }

    /// Entries up to now, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &'r JournalEntry> + use<'r> {
        let last = self.last;
        self.log.iter().filter(move |entry| Some(entry.id) <= last)
    }

    /// The controller of the object with this uid, now or when it was last seen.
    pub fn owner_of(&self, uid: &str) -> Option<Subject> {
        self.owners.get(uid).cloned()
    }

    /// The chain from an entry down to where it began.
    pub fn chain(&self, from: EntryId) -> Chain {
        let (mut links, mut next) = (Vec::new(), Some(from));
        let end = loop {
            let Some(id) = next.filter(|id| !self.log.is_before(*id)) else {
                let skips = links.last().is_some_and(|link: &Link| link.skips);
                break if skips { End::Forgotten } else { End::Start };
            };
            let Some(entry) = self.log.get(id) else { break End::Forgotten };
            links.push(self.link(entry));
            if entry.is_input() {
                break End::Input;
            }
            // A cause is older; anything else would be a fault of ours, and must not become an endless walk.
            next = entry.cause.by.filter(|by| *by < id);
        };
        fold(&mut links);
        Chain { links, end }
    }

    /// What happened, as a clause; who is only known by its uid gets its name.
    fn says(&self, entry: &JournalEntry) -> String {
        let says = words::says(entry);
        let Some(Happened::Preempted { by }) = entry.happened() else { return says };
        let known = self.entries().find(|other| other.is_about(by)).and_then(|other| other.about.as_ref());
        known.map_or(says.clone(), |known| says.replace(&**by, &known.key.name))
    }

    fn link(&self, entry: &JournalEntry) -> Link {
        let field = deciding_field(entry);
        let place = entry
            .about
            .as_ref()
            .zip(field)
            .and_then(|(about, field)| self.place(entry.id, about, field, container_of(entry.happened())));
        Link {
            entry: entry.id,
            at: entry.at,
            actor: entry.actor,
            about: entry.about.clone(),
            says: self.says(entry),
            rule: entry.cause.rule,
            because: words::reason(entry),
            place,
            folded: false,
            skips: entry.skips,
        }
    }
}

/// The field that decided: the rule's, or that which the scheduler's reason speaks of.
fn deciding_field(entry: &JournalEntry) -> Option<Field> {
    let Some(Happened::NotPlaced { reasons, .. }) = entry.happened() else { return entry.cause.rule.facts().field };
    let table = [
        ("Insufficient", "spec.containers[0].resources.requests"),
        ("node affinity/selector", "spec.nodeSelector"),
        ("affinity", "spec.affinity"),
        ("taint", "spec.tolerations"),
        ("free ports", "spec.containers[0].ports"),
        ("topology spread", "spec.topologySpreadConstraints"),
        ("volume", "spec.volumes"),
    ];
    let named = |text: &str| reasons.iter().any(|(_, reason)| reason.contains(text));
    let path = table.iter().find(|(text, _)| named(text)).map(|(_, path)| *path)?;
    Some(Field { kind: "Pod", path })
}

/// The container that a happening is about.
fn container_of(happened: Option<&Happened>) -> Option<&str> {
    match happened? {
        Happened::ProcessStarted { container, .. }
        | Happened::ProcessEnded { container, .. }
        | Happened::ProcessTold { container, .. }
        | Happened::Probe { container, .. }
        | Happened::PullBegan { container, .. }
        | Happened::PullEnded { container, .. }
        | Happened::BackOff { container, .. } => Some(container),
        _ => None,
    }
}

/// Rules that carry on what another rule did: a link of theirs in the middle of a chain says nothing new.
const CARRIES_ON: &[Rule] = &[
    Rule::JobStatus,
    Rule::JobCounted,
    Rule::Follows,
    Rule::CronJobStatus,
    Rule::ReplicaSetStatus,
    Rule::DeploymentStatus,
    Rule::DeploymentRevision,
    Rule::SchedulerBind,
    Rule::KubeletStart,
    Rule::KubeletNext,
    Rule::KubeletPull,
    Rule::KubeletStatus,
    Rule::KubeletGone,
    Rule::NodeHeartbeat,
    Rule::NodeTaints,
    Rule::EndpointsFollow,
    Rule::VolumePhase,
    Rule::QuotaStatus,
];

/// Marks the links that need not be told first.
fn fold(links: &mut [Link]) {
    let last = links.len().saturating_sub(1);
    for at in 1..last {
        let (link, above) = (&links[at], &links[at - 1]);
        let same = link.rule == above.rule && link.because == above.because && link.about == above.about;
        links[at].folded = same || CARRIES_ON.contains(&link.rule);
    }
}

impl Link {
    /// The link in one line: when, what, why, and which line decides.
    pub fn text(&self) -> String {
        let mut text = format!("{} {}", words::clock(self.at), self.says);
        if !self.because.is_empty() {
            text += &format!(", because {}", self.because);
        }
        if let Some(place) = &self.place {
            text += &format!(" ({})", place.text());
        }
        if self.skips {
            text += "; what lies between this and the next is no longer kept";
        }
        text
    }

    fn to_value(&self, start: SimTime) -> Value {
        let mut value = object! {
            "entry" => self.entry.number() as i64, "ms" => self.at.since(start).as_ms(), "actor" => self.actor,
            "says" => &self.says, "rule" => self.rule.id(), "folded" => self.folded,
        };
        if let Some(about) = &self.about {
            value.set("kind", about.key.kind.name());
            value.set("name", &*about.key.name);
        }
        if !self.because.is_empty() {
            value.set("because", &self.because);
        }
        if let Some(place) = &self.place {
            value.set("place", place.to_value());
        }
        value
    }
}

impl Place {
    /// `job.yaml:7 backoffLimit: 6`, and what is to be said of it.
    pub fn text(&self) -> String {
        let field = self.path.rsplit('.').next().unwrap_or_default();
        match (self.is_set, self.changed_since) {
            (true, false) => format!("{}:{} `{}`", self.file, self.line, self.text),
            (true, true) => format!("{}:{} `{}`, changed since", self.file, self.line, self.text),
            (false, _) => format!("`{field}` is not set in {}:{}", self.file, self.line),
        }
    }

    fn to_value(&self) -> Value {
        object! {
            "file" => &self.file, "line" => i64::from(self.line), "column" => i64::from(self.column), "path" => &self.path,
            "text" => &self.text, "set" => self.is_set, "changedSince" => self.changed_since,
        }
    }
}

impl Explanation {
    /// What is told first, a line a cause; causes of one finding are numbered.
    pub fn answer(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for finding in &self.findings {
            let place = finding.place.as_ref().map(|place| format!(" ({})", place.text())).unwrap_or_default();
            if !finding.says.is_empty() {
                lines.push(format!("{}{place}", finding.says));
            }
            let Some(chain) = &finding.chain else { continue };
            let told = chain.links.iter().filter(|link| !link.folded);
            lines.extend(told.enumerate().map(|(at, link)| format!("{:>3}. {}", at + 1, link.text())));
            match chain.end {
                End::Input => {}
                End::Start => lines.push("     so it was from the start".to_owned()),
                End::Forgotten => lines.push("     what led to that is no longer kept".to_owned()),
            }
        }
        lines
    }

    /// The whole answer with all links, as JSON. Times are milliseconds since the start.
    pub fn to_value(&self, start: SimTime) -> Value {
        let finding = |finding: &Finding| {
            let mut value = object! { "says" => &finding.says };
            if let Some(place) = &finding.place {
                value.set("place", place.to_value());
            }
            if let Some(chain) = &finding.chain {
                value.set("chain", Value::list(chain.links.iter().map(|link| link.to_value(start))));
                let end = match chain.end {
                    End::Input => "input",
                    End::Start => "start",
                    End::Forgotten => "forgotten",
                };
                value.set("end", end);
            }
            value
        };
        object! { "question" => &self.question, "findings" => Value::list(self.findings.iter().map(finding)) }
    }
}
