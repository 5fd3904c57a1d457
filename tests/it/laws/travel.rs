//! Laws of time: a run repeats itself, any way to a moment leads to the same moment, and branches do not touch each other.

use std::rc::Rc;

use batchyard::api::kind::Kind;
use batchyard::api::object::Object;
use batchyard::cluster::store::Happening;
use batchyard::run::view::View;
use batchyard::run::{Input, Output, Progress, Record, Scenario, Sim};
use batchyard::values::rng::Rng;
use batchyard::values::time::{SimTime, Span};
use batchyard::values::zone::ZoneTable;

const KINDS: &[Kind] = &[
    Kind::Node,
    Kind::Pod,
    Kind::Job,
    Kind::CronJob,
    Kind::ReplicaSet,
    Kind::Deployment,
    Kind::Event,
    Kind::EndpointSlice,
];

/// All that can be seen of a moment.
struct Moment {
    revision: u64,
    objects: Vec<Rc<Object>>,
    view: Rc<View>,
    next_wakeup: Option<SimTime>,
}

impl Moment {
    fn of(sim: &mut Sim) -> Moment {
        let store = sim.cluster().store();
        let objects = KINDS.iter().flat_map(|kind| store.list(*kind).cloned()).collect();
        Moment { revision: store.revision(), objects, view: sim.view(), next_wakeup: sim.next_wakeup() }
    }

    fn compare(&self, other: &Moment, what: &str, broken: &mut Vec<String>) {
        if self.revision != other.revision || self.objects != other.objects {
            broken.push(format!("{what}: the stores differ, at revisions {} and {}", self.revision, other.revision));
        }
        if self.view != other.view {
            broken.push(format!("{what}: the views differ"));
        }
        if self.next_wakeup != other.next_wakeup {
            broken.push(format!("{what}: next are {:?} and {:?}", self.next_wakeup, other.next_wakeup));
        }
    }
}

/// One record, as far as it can be told apart.
#[derive(PartialEq)]
enum Line {
    Change(u64, SimTime, &'static str, Rc<Object>),
    Happening(Happening),
    Output(Rc<Output>),
}

fn lines(sim: &mut Sim) -> Vec<Line> {
    let mut lines = Vec::new();
    while let Some(record) = sim.poll_record() {
        lines.push(match record {
            Record::Change(change) => Line::Change(change.revision, change.at, change.actor, change.object),
            Record::Happening(happening) => Line::Happening(happening),
            Record::Output(output) => Line::Output(output),
        });
    }
    lines
}

fn advance(sim: &mut Sim, until: SimTime, budget: u32) {
    while sim.advance(until, budget) == Progress::Busy {}
}

/// Plays a scenario on several ways and compares.
pub fn judge(scenario: &Scenario) -> Vec<String> {
    let mut broken = Vec::new();
    let mut draws = Rng::new(scenario.seed).stream("laws/travel", "");
    let new = || Sim::new(scenario, &ZoneTable::bundled());
    let (start, end) = (scenario.start, scenario.start + scenario.duration);
    let mut moment = || start + Span::ms(draws.between(0, scenario.duration.as_ms()));
    let (early, late, between) = (moment(), moment(), moment());

    let mut straight = new();
    advance(&mut straight, end, u32::MAX);
    let told = lines(&mut straight);
    let last = Moment::of(&mut straight);

    let mut halting = new();
    advance(&mut halting, early, 3);
    let at_early = Moment::of(&mut halting);
    let mut retold = lines(&mut halting);
    advance(&mut halting, end, 7);
    retold.extend(lines(&mut halting));
    if told != retold {
        broken.push(format!("in small steps the run is another: {} and {} records", told.len(), retold.len()));
    }
    last.compare(&Moment::of(&mut halting), "the end in small steps", &mut broken);

    // There and back: nothing is told twice, and each moment is what it was.
    for stop in [late, between, early] {
        straight.go_to(stop);
    }
    Moment::of(&mut straight).compare(&at_early, "back at an early moment", &mut broken);
    straight.go_to(end);
    Moment::of(&mut straight).compare(&last, "forth to the end again", &mut broken);
    if !lines(&mut straight).is_empty() {
        broken.push("going over the past told it again".to_owned());
    }

    // A branch is the run in which its input was given at that time.
    let line = || Input::Run { line: "kubectl delete pods --all --wait=false".to_owned() };
    straight.go_to(early);
    straight.handle(line());
    advance(&mut straight, end, u32::MAX);
    let mut fresh = new();
    advance(&mut fresh, early, u32::MAX);
    lines(&mut fresh);
    fresh.handle(line());
    advance(&mut fresh, end, u32::MAX);
    if lines(&mut straight) != lines(&mut fresh) {
        broken.push("a branch differs from a run with the same inputs".to_owned());
    }
    Moment::of(&mut straight).compare(&Moment::of(&mut fresh), "the end of a branch", &mut broken);
    if early < end && straight.branches().len() != 2 {
        broken.push(format!("{} branches after one was begun", straight.branches().len()));
    }
    broken
}
