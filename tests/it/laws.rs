//! What must hold in every run, whatever is done to the cluster: laws over random scenarios with random faults.
//!
//! Rule: a run is a [`Draft`] drawn from a seed: a few nodes, Jobs, CronJobs, Deployments and Pods, what a user does to
//! them, and what breaks. Every change of the run is shown to every law. A draft that breaks one is made smaller for as
//! long as it still does, and written to `tests/laws/` as a scenario; whatever lies there is played first, for ever.
//! `LAWS_FROM` moves the seeds (`LAWS_FROM=1000000 cargo test --test it laws`), `LAWS_RUNS` sets how many a group plays.

mod chains;
mod cron_jobs;
mod draft;
mod generate;
mod job_counts;
mod jobs;
mod pods;
mod rest;
mod store;
mod travel;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use batchyard::run::{Progress, Record, Scenario, Sim};
use batchyard::values::zone::ZoneTable;

use draft::Draft;
use generate::Group;
use world::World;

/// Steps after which a run counts as one that never ends. The longest of them take about a tenth.
const STEPS_MAX: u32 = 400_000;
/// After so many kinds of complaints a group is not played on.
const KINDS_MAX: usize = 8;

/// Watches a run and notes what is broken.
trait Law {
    /// A change, already part of the world.
    fn see(&mut self, change: &batchyard::cluster::store::Change, world: &World, broken: &mut Vec<String>);

    /// The end of the run.
    fn end(&mut self, _sim: &Sim, _world: &World, _broken: &mut Vec<String>) {}
}

fn laws(scenario: &Scenario) -> Vec<Box<dyn Law>> {
    vec![
        Box::new(store::History::default()),
        Box::new(store::Events::default()),
        Box::new(chains::Causes),
        Box::new(job_counts::Counts::default()),
        Box::new(jobs::Ends),
        Box::new(jobs::Creations::new(scenario)),
        Box::new(cron_jobs::Schedules::new(scenario)),
        Box::new(pods::Lives::default()),
        Box::new(pods::Capacity::default()),
        Box::new(rest::Leftovers::new(scenario)),
    ]
}

/// Plays a scenario before all laws; what it breaks, or nothing.
fn judge(scenario: &Scenario) -> Vec<String> {
    let mut sim = Sim::new(scenario, &ZoneTable::bundled());
    let end = sim.start() + scenario.duration;
    let (mut world, mut laws, mut broken) = (World::of(&sim), laws(scenario), Vec::new());
    let mut budget = STEPS_MAX;
    loop {
        let reached = sim.advance(end, 1_000) == Progress::Reached;
        while let Some(record) = sim.poll_record() {
            let Record::Change(change) = record else { continue };
            world.take(&change, &mut broken);
            for law in &mut laws {
                law.see(&change, &world, &mut broken);
            }
        }
        if reached || !broken.is_empty() {
            break;
        }
        budget = budget.saturating_sub(1_000);
        if budget == 0 {
            return vec![format!("the run makes no headway: it is still {} after {STEPS_MAX} steps", sim.now())];
        }
    }
    if broken.is_empty() {
        for law in &mut laws {
            law.end(&sim, &world, &mut broken);
        }
    }
    broken
}

/// What a check says of a draft; a panic of the engine is a broken law too.
fn broken_by(draft: &Draft, check: fn(&Scenario) -> Vec<String>) -> Vec<String> {
    let scenario = draft.scenario();
    catch_unwind(AssertUnwindSafe(|| check(&scenario))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        vec![format!("panic: {}", text.unwrap_or_default())]
    })
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/laws")
}

/// What two complaints of one kind have in common: the words that name nothing.
fn kind_of(complaint: &str) -> String {
    let plain = |word: &&str| !word.contains(|c: char| c.is_ascii_digit() || "-[{\"".contains(c));
    complaint.split(' ').filter(plain).take(12).collect::<Vec<&str>>().join(" ")
}

/// Draws and checks `runs` drafts of a group. Of each kind of complaint the first is made smaller, kept, and shown.
fn hold(group: Group, runs: u64, check: fn(&Scenario) -> Vec<String>) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (from, runs) = (number("LAWS_FROM").unwrap_or(0), number("LAWS_RUNS").unwrap_or(runs));
    let mut kinds = BTreeMap::new();
    for seed in from..from + runs {
        let draft = generate::draft(group, seed);
        let Some(complaint) = broken_by(&draft, check).into_iter().next() else { continue };
        kinds.entry(kind_of(&complaint)).or_insert((seed, draft));
        if kinds.len() == KINDS_MAX {
            break;
        }
    }
    let mut report = String::new();
    for (kind, (seed, draft)) in &kinds {
        let same =
            |smaller: &Draft| broken_by(smaller, check).first().is_some_and(|complaint| kind_of(complaint) == *kind);
        let small = draft.shrunk(same);
        let broken = broken_by(&small, check);
        let text = small.yaml(&broken[0]);
        let path = folder().join(format!("{}-{seed}.yaml", group.name()));
        let told = match std::fs::write(&path, &text) {
            Ok(()) => format!("kept as {}", path.display()),
            Err(error) => error.to_string(),
        };
        report += &format!("seed {seed} of {} ({told}):\n  {}\n\n{text}\n", group.name(), broken.join("\n  "));
    }
    assert!(kinds.is_empty(), "{} kinds of complaints\n{report}", kinds.len());
}

/// What once broke a law does so no more.
#[test]
fn kept_scenarios_hold_all_laws() {
    let entries = std::fs::read_dir(folder()).expect("the folder of kept scenarios is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    assert!(!paths.is_empty(), "no scenario is kept");
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("it was listed");
        let scenario = Scenario::parse(&text, "kept").unwrap_or_else(|p| panic!("{}: {p:?}", path.display()));
        let broken = [judge(&scenario), travel::judge(&scenario)].concat();
        assert!(broken.is_empty(), "{}:\n  {}", path.display(), broken.join("\n  "));
    }
}

#[test]
fn random_jobs_hold_all_laws() {
    hold(Group::Jobs, 4_000, judge);
}

#[test]
fn random_cron_jobs_hold_all_laws() {
    hold(Group::CronJobs, 2_500, judge);
}

#[test]
fn random_clusters_hold_all_laws() {
    hold(Group::Clusters, 3_000, judge);
}

#[test]
fn random_travels_lead_to_the_same_moments() {
    hold(Group::Travels, 600, travel::judge);
}
