//! A large Job costs what its Pods cost: twice the Pods are twice the work, counted in things done and in writes.

use batchyard::run::{Progress, Scenario, Sim};
use batchyard::values::time::Span;
use batchyard::values::zone::ZoneTable;

/// Things done and versions written until a Job of so many completions has ended.
fn work(completions: u64) -> [u64; 2] {
    let text = format!(
        "name: many\nduration: 1h\nsteps:\n- at: 0s\n  apply: |\n    apiVersion: batch/v1\n    kind: Job\n    \
         metadata: {{name: many}}\n    spec:\n      completions: {completions}\n      parallelism: 20\n      \
         template:\n        spec:\n          containers:\n          - {{name: main, image: \"busybox:1.36\", \
         command: [sh, -c, \"sleep 3\"]}}\n          restartPolicy: Never\n"
    );
    let scenario = Scenario::parse(&text, "many.yaml").expect("it is a scenario");
    let mut sim = Sim::new(&scenario, &ZoneTable::bundled());
    let (end, first) = (sim.start() + Span::mins(30), sim.cluster().store().revision());
    let mut done = 0;
    while sim.advance(end, 1) == Progress::Busy {
        done += 1;
        while sim.poll_record().is_some() {}
    }
    let job = sim.cluster().store().find(batchyard::api::kind::Kind::Job, "default", "many").expect("it is there");
    assert_eq!(u64::from(job.job().status.succeeded.unsigned_abs()), completions);
    [done, sim.cluster().store().revision() - first]
}

#[test]
fn twice_the_pods_are_twice_the_work() {
    let (once, twice) = (work(100), work(200));
    for (small, large) in once.into_iter().zip(twice) {
        assert!(10 * large < 23 * small, "{once:?} became {twice:?}");
    }
    // What one Pod takes: some twenty things done, twelve of them written down.
    let [done, written] = twice.map(|all| all / 200);
    assert!(done < 30 && written < 16, "{done} and {written} a Pod");
}
