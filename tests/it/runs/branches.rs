//! Lines of time: they stand in a tree, each can be listed, named, entered, compared and dropped, and what is kept of them is
//! bounded. Going to a moment is bounded work.

use batchyard::run::{Input, Progress, Scenario, Sim};
use batchyard::values::time::{SimTime, Span};
use batchyard::values::zone::ZoneTable;

use super::picture;

fn job(name: &str, seconds: i64) -> Input {
    let text = format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  completions: 4\n  template:\n    spec:\n      \
         restartPolicy: Never\n      containers: [{{name: main, image: 'busybox:1.36', command: [sleep, '{seconds}']}}]\n"
    );
    Input::Apply { file: "job.yaml".to_owned(), text }
}

fn line(text: &str) -> Input {
    Input::Run { line: text.to_owned() }
}

fn run() -> Sim {
    let mut sim = Sim::new(&Scenario::default(), &ZoneTable::bundled());
    sim.handle(job("a", 3));
    sim
}

fn at(sim: &Sim, seconds: i64) -> SimTime {
    sim.start() + Span::secs(seconds)
}

fn go(sim: &mut Sim, seconds: i64) {
    let at = at(sim, seconds);
    assert_eq!(sim.go_to(at), Progress::Reached);
    while sim.poll_record().is_some() {}
}

#[test]
fn acting_in_the_past_begins_a_branch_and_the_old_one_can_be_entered_again() {
    let mut sim = run();
    go(&mut sim, 30);
    let first = sim.branch();
    sim.handle(line("kubectl get jobs"));
    assert_eq!(sim.branch(), first, "at the latest moment nothing is left");
    go(&mut sim, 30);
    let end = picture(&mut sim);
    go(&mut sim, 31);
    go(&mut sim, 5);
    sim.handle(line("kubectl delete job a"));
    let second = sim.branch();
    go(&mut sim, 20);
    let other = picture(&mut sim);
    let list = sim.branches();
    let facts: Vec<_> = list.iter().map(|b| (b.parent, b.forked_at, b.inputs, b.own_inputs, b.frontier)).collect();
    assert_eq!(facts, [(None, sim.start(), 2, 2, at(&sim, 31)), (Some(first), at(&sim, 5), 2, 1, at(&sim, 20)),]);
    assert_eq!((list[0].name.as_str(), list[1].name.as_str()), ("branch 1", "branch 2"));
    assert!(sim.name_branch(second, "without the Job"));
    assert_eq!(sim.branches()[1].name, "without the Job");

    assert_eq!(sim.enter(first), Some(at(&sim, 20)));
    go(&mut sim, 30);
    assert_eq!(picture(&mut sim), end, "the old branch is as it was");
    assert_eq!(sim.enter(second), Some(at(&sim, 20)), "not later than it was reached");
    go(&mut sim, 20);
    assert_eq!(picture(&mut sim), other);
    let texts: Vec<String> = sim.inputs(second).map(|(_, input)| input.says()).collect();
    assert_eq!(
        texts,
        ["apply job.yaml", "kubectl delete job a"],
        "what was done after the fork belongs to one branch only"
    );
}

#[test]
fn records_are_handed_over_once_in_each_branch() {
    let mut sim = run();
    go(&mut sim, 20);
    go(&mut sim, 2);
    let shared = sim.recorded();
    sim.handle(line("kubectl delete job a"));
    let until = at(&sim, 10);
    while sim.advance(until, 10) == Progress::Busy {}
    let mut fresh = 0;
    while sim.poll_record().is_some() {
        fresh += 1;
    }
    assert_eq!(sim.recorded(), shared + fresh);
    let first = sim.branches()[0].id;
    sim.enter(first);
    go(&mut sim, 20);
    assert!(sim.poll_record().is_none());
    let until = at(&sim, 400);
    sim.advance(until, 100);
    assert!(sim.poll_record().is_some(), "beyond what was reached of it there is something to tell");
}

#[test]
fn a_branch_can_be_dropped_and_those_that_left_it_stay() {
    let mut sim = run();
    go(&mut sim, 30);
    go(&mut sim, 10);
    sim.handle(line("kubectl create job b --image=busybox:1.36"));
    go(&mut sim, 30);
    let middle = sim.branch();
    for seconds in [15, 20] {
        sim.enter(middle);
        go(&mut sim, seconds);
        sim.handle(line("kubectl delete jobs --all"));
        go(&mut sim, 40);
    }
    let ids: Vec<_> = sim.branches().iter().map(|branch| branch.id).collect();
    let ends: Vec<String> = ids[2..]
        .iter()
        .map(|id| {
            sim.enter(*id);
            go(&mut sim, 40);
            picture(&mut sim)
        })
        .collect();
    assert!(!sim.drop_branch(sim.branch()), "not the one that is played");
    assert!(sim.drop_branch(middle) && !sim.drop_branch(middle));
    let parents: Vec<_> = sim.branches().iter().map(|branch| (branch.parent, branch.forked_at)).collect();
    assert_eq!(
        parents,
        [(None, sim.start()), (Some(ids[3]), at(&sim, 15)), (Some(ids[0]), at(&sim, 10))],
        "the one that left it last has its place"
    );
    for (id, end) in ids[2..].iter().zip(&ends) {
        sim.enter(*id);
        go(&mut sim, 40);
        assert_eq!(picture(&mut sim), *end);
        go(&mut sim, 1);
        go(&mut sim, 40);
        assert_eq!(picture(&mut sim), *end);
    }
    assert!(sim.drop_branch(ids[0]), "also the first");
    go(&mut sim, 1);
    go(&mut sim, 40);
    assert_eq!(picture(&mut sim), ends[1]);
}

#[test]
fn two_branches_are_compared() {
    let mut sim = run();
    go(&mut sim, 30);
    go(&mut sim, 4);
    sim.handle(line("kubectl get pods"));
    go(&mut sim, 8);
    sim.handle(line("kubectl delete job a"));
    go(&mut sim, 25);
    let ids: Vec<_> = sim.branches().iter().map(|branch| branch.id).collect();
    let mut comparison = sim.compare(ids[0], ids[1]).unwrap();
    let mut calls = 1;
    while comparison.go_on(10) == Progress::Busy {
        calls += 1;
    }
    assert!(calls > 3, "it is bounded work: {calls} calls");
    let input = comparison.first_input().expect("they differ");
    assert_eq!((input.at, &input.left), (at(&sim, 4), &None));
    assert_eq!(input.right.as_ref().map(|(_, input)| input.says()).as_deref(), Some("kubectl get pods"));
    let change = comparison.first_change().expect("one has lost its Job");
    assert!(change.at >= at(&sim, 8) && change.at < at(&sim, 10), "looking changed nothing: {}", change.at);
    assert_eq!(comparison.until(), at(&sim, 25));
    assert_eq!(sim.now(), at(&sim, 25), "the run itself stands where it stood");

    let mut same = sim.compare(ids[0], ids[0]).unwrap();
    while same.go_on(1_000) == Progress::Busy {}
    assert!(same.first_input().is_none() && same.first_change().is_none());
}

#[test]
fn what_is_kept_is_bounded_over_all_branches() {
    let mut sim = run();
    for round in 0..24 {
        go(&mut sim, 10 + round);
        sim.handle(job(&format!("job-{round}"), 2));
        sim.handle(line("for i in $(seq 1 4000); do sleep 0.1; done"));
        go(&mut sim, 400);
        assert!(sim.checkpoints() <= 64, "{}", sim.checkpoints());
    }
    assert_eq!(sim.branches().len(), 24);
    assert!(sim.checkpoints() > 60, "the bound is met: {}", sim.checkpoints());
    let ids: Vec<_> = sim.branches().iter().map(|branch| branch.id).collect();
    for id in ids.into_iter().step_by(9) {
        sim.enter(id);
        go(&mut sim, 400);
        let late = picture(&mut sim);
        go(&mut sim, 5);
        go(&mut sim, 400);
        assert_eq!(picture(&mut sim), late);
    }
}

#[test]
fn seeking_is_bounded_work() {
    let mut sim = run();
    sim.handle(line("for i in $(seq 1 300); do kubectl get jobs; sleep 1; done"));
    go(&mut sim, 200);
    let (goal, late) = (at(&sim, 100), picture(&mut sim));
    let mut calls = 1;
    while sim.seek(goal, 5) == Progress::Busy {
        assert!(sim.now() <= goal);
        calls += 1;
    }
    assert_eq!(sim.now(), goal);
    assert!(calls > 1, "it was not done at once");
    // Whoever wishes for another moment on the way just says so.
    let (early, back) = (at(&sim, 20), at(&sim, 200));
    sim.seek(early, 3);
    while sim.seek(back, 50) == Progress::Busy {}
    assert_eq!(picture(&mut sim), late);
}
