//! A run is a value: what people do is written down and read back, played again it is the same run, and its branches stand in
//! a tree that can be walked.
//!
//! `LAWS_RUNS` sets how many sessions are drawn. `tests/sessions/` keeps some as files, which the page's engine plays as well
//! (`tests/web/equality.test.mjs`); `SESSIONS=write cargo test --test it runs` writes them anew.

mod branches;
mod forms;
mod session;
mod steps;

use std::path::{Path, PathBuf};

use batchyard::api::kind::Kind;
use batchyard::run::{BranchId, Progress, Scenario, SessionId, Sim};
use batchyard::values::zone::ZoneTable;

use session::{Session, told};

/// All that can be seen of a moment, as text, and when something happens next.
fn picture(sim: &mut Sim) -> String {
    format!("{}next {:?}\n", shown(sim), sim.next_wakeup())
}

/// All that can be seen of a moment, as text.
fn shown(sim: &mut Sim) -> String {
    let store = sim.cluster().store();
    let mut text = format!("{} revision {}\n", sim.now(), store.revision());
    for kind in [Kind::Node, Kind::Pod, Kind::Job, Kind::Event, Kind::Namespace] {
        for object in store.list(kind) {
            text += &object.value().to_json();
            text.push('\n');
        }
    }
    for terminal in (1..9).filter_map(|number| sim.terminal(SessionId::numbered(number))) {
        text += &format!("{:?} {:?} {:?}\n", terminal.id(), terminal.screen(), terminal.prompt());
    }
    text + &format!("{:?}\n", sim.view())
}

/// A scenario played to its end, with what it told.
fn played(scenario: &Scenario) -> (Sim, Vec<session::Line>, String) {
    let mut sim = Sim::new(scenario, &ZoneTable::bundled());
    while sim.play(1_000) == Progress::Busy {}
    let (lines, trace) = told(&mut sim);
    (sim, lines, trace)
}

/// What is wrong with a branch that is written down, read and played.
fn replayed_otherwise(session: &mut Session, branch: BranchId) -> Option<String> {
    session.finish(branch);
    let scenario = session.sim.as_scenario();
    let text = scenario.to_yaml();
    let read = match Scenario::parse(&text, "session.yaml") {
        Ok(read) => read,
        Err(problems) => return Some(format!("it cannot be read: {problems:?}\n{text}")),
    };
    if read != scenario {
        return Some(format!("it is read as something else:\n{text}"));
    }
    let (mut again, lines, _) = played(&read);
    let before = &session.told[&branch];
    if let Some(i) = (0..lines.len().max(before.len())).find(|i| lines.get(*i) != before.get(*i)) {
        return Some(format!("record {i} was {:#?}\nand is {:#?}\n{text}", before.get(i), lines.get(i)));
    }
    // Not when something happens next: what waited for a prompt is written with the time after the end.
    let (was, is) = (shown(&mut session.sim), shown(&mut again));
    if let Some((was, is)) = was.lines().zip(is.lines()).find(|(was, is)| was != is) {
        return Some(format!("it ended with\n{was}\nand ends with\n{is}\n{text}"));
    }
    if was != is {
        return Some(format!("more or less is there at its end:\n{text}"));
    }
    (again.as_scenario() != read).then(|| format!("played again it is written otherwise:\n{text}"))
}

#[test]
fn what_people_did_is_written_read_and_played_again_the_same() {
    let runs = std::env::var("LAWS_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(250);
    let mut branches = 0;
    for seed in 0..runs {
        let mut session = Session::play(seed);
        for branch in session.sim.branches() {
            branches += 1;
            let wrong = replayed_otherwise(&mut session, branch.id);
            assert!(wrong.is_none(), "session {seed}, {}: {}", branch.name, wrong.unwrap_or_default());
        }
    }
    assert!(branches > runs, "sessions go back: {branches} branches of {runs} sessions");
}

/// The sessions that are kept as files, by number.
const KEPT: [u64; 6] = [3, 7, 11, 19, 23, 31];

fn kept(seed: u64) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/sessions/session-{seed}.yaml"))
}

#[test]
fn kept_sessions_are_what_they_were() {
    for seed in KEPT {
        let path = kept(seed);
        if std::env::var("SESSIONS").is_ok_and(|what| what == "write") {
            let mut session = Session::play(seed);
            session.finish(session.sim.branch());
            std::fs::write(&path, session.sim.as_scenario().to_yaml()).expect("the folder is there");
        }
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let scenario = Scenario::parse(&text, "session").unwrap_or_else(|p| panic!("{}: {p:?}", path.display()));
        assert_eq!(scenario.to_yaml(), text, "{}", path.display());
        let (again, _, trace) = played(&scenario);
        assert!(!trace.is_empty());
        assert_eq!(again.as_scenario(), scenario, "{}", path.display());
    }
}
