//! Happened happens without a write to the store: a process ends, a pull begins, a controller waits.
//!
//! Rule: no object shows these at all, or only later and folded together; they are noted when they happen, so that nobody
//! has to work them out backwards. Noting one changes nothing of what the cluster does.

use std::rc::Rc;

use crate::store::{Cause, Change, EntryId};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::time::SimTime;
use values::value::Text;

/// Which object a happening is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    pub key: Key,
    pub uid: Rc<str>,
}

impl From<&Object> for Subject {
    fn from(object: &Object) -> Subject {
        Subject { key: object.key(), uid: Rc::from(object.uid()) }
    }
}

/// What a probe is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProbeKind {
    Startup,
    Liveness,
    Readiness,
}

/// Happened happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Happened {
    /// Something was done from outside: the number of the input, and what it was in a few words.
    Input {
        number: usize,
        text: Rc<str>,
    },
    /// A container's first process started. `attempt` counts its runs in this Pod, from 1.
    ProcessStarted {
        container: Text,
        attempt: u32,
    },
    /// It ended, by itself or by a signal.
    ProcessEnded {
        container: Text,
        exit_code: i32,
        signal: Option<i32>,
        out_of_memory: bool,
    },
    /// A container was told to end, and has so long before it is killed.
    ProcessTold {
        container: Text,
        grace_seconds: i64,
    },
    /// A probe's verdict turned, or it failed once more. `failures` in a row of the `threshold` that count.
    Probe {
        container: Text,
        kind: ProbeKind,
        passed: bool,
        failures: i32,
        threshold: i32,
        counts: bool,
    },
    PullBegan {
        container: Text,
        image: Text,
    },
    /// `error` is empty if the image is there.
    PullEnded {
        container: Text,
        image: Text,
        error: Text,
    },
    /// A container, or the pull of its image, waits until then before it is tried again.
    BackOff {
        container: Text,
        until: SimTime,
        pulls: bool,
    },
    /// A controller puts off work on the object until then; none: until something changes.
    Held {
        until: Option<SimTime>,
    },
    /// The scheduler found no node: its verdict, and how many of the nodes each reason rules out, in its words.
    NotPlaced {
        nodes: usize,
        message: Text,
        reasons: Rc<[(usize, Text)]>,
    },
    /// A moment of a schedule came, and a Job was made for it.
    ScheduleMet {
        scheduled: SimTime,
    },
    /// A moment of a schedule passed without a Job.
    ScheduleSkipped {
        scheduled: SimTime,
    },
    /// A length of time that the object was given is over.
    TimeUp,
    /// The Pod was told to go.
    Evicted,
    /// The Pod gave way to one of a higher priority.
    Preempted {
        by: Rc<str>,
    },
    /// Nothing is heard of the node's kubelet any more.
    NodeSilent,
    NodeBack,
    /// A controller, or the scheduler, that stood still acts again.
    ActorBack {
        name: &'static str,
    },
}

/// Something that happened, and why.
#[derive(Clone, PartialEq, Debug)]
pub struct Happening {
    pub entry: EntryId,
    pub at: SimTime,
    /// Who noted it: `kubelet`, `job-controller`, `user` …
    pub actor: &'static str,
    /// None for what concerns the whole cluster.
    pub about: Option<Subject>,
    pub what: Happened,
    pub cause: Cause,
}

/// One entry of the cluster's log.
#[derive(Clone, Debug)]
pub enum Entry {
    Change(Change),
    Happening(Happening),
}

impl Entry {
    pub fn id(&self) -> EntryId {
        match self {
            Entry::Change(change) => change.entry,
            Entry::Happening(happening) => happening.entry,
        }
    }

    pub fn at(&self) -> SimTime {
        match self {
            Entry::Change(change) => change.at,
            Entry::Happening(happening) => happening.at,
        }
    }

    pub fn cause(&self) -> Cause {
        match self {
            Entry::Change(change) => change.cause,
            Entry::Happening(happening) => happening.cause,
        }
    }

    /// The kind of the object it is about, if it is about one.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Entry::Change(change) => Some(change.kind()),
            Entry::Happening(happening) => happening.about.as_ref().map(|about| about.key.kind),
        }
    }
}
