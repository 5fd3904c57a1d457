//! What steps do when they are played: terminals, faults in any namespace, machines and images that change.

use std::rc::Rc;

use batchyard::api::kind::Kind;
use batchyard::run::{Fault, Input, Output, Progress, Record, Scenario, SessionId, Sim};
use batchyard::values::time::Span;
use batchyard::values::zone::ZoneTable;

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: team}\nspec:\n  restartPolicy: Never\n  \
                   containers:\n  - {name: main, image: 'busybox:1.36', command: [sh, -c, 'echo here; sleep 600']}\n";

fn quoted(text: &str) -> String {
    batchyard::values::value::Value::from(text).to_json()
}

fn parse(text: &str) -> Scenario {
    Scenario::parse(text, "steps").unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}

/// Plays steps on one node of one CPU; what they answered.
fn play(steps: &str) -> (Sim, Vec<Rc<Output>>) {
    let scenario = parse(&format!("cluster: {{nodes: [{{name: node-1, cpu: 1}}]}}\nsteps:\n{steps}duration: 120s\n"));
    let mut sim = Sim::new(&scenario, &ZoneTable::bundled());
    while sim.play(10_000) == Progress::Busy {}
    let mut outputs = Vec::new();
    while let Some(record) = sim.poll_record() {
        if let Record::Output(output) = record {
            outputs.push(output);
        }
    }
    (sim, outputs)
}

fn screen(sim: &Sim, number: u64) -> String {
    let terminal = sim.terminal(SessionId::numbered(number)).expect("it was opened");
    terminal.screen().iter().map(|piece| piece.text.as_str()).collect()
}

fn pod_phase(sim: &Sim, namespace: &str, name: &str) -> Option<String> {
    sim.cluster().store().find(Kind::Pod, namespace, name).map(|pod| pod.pod().status.phase.to_string())
}

#[test]
fn lines_wait_for_their_prompt_and_what_is_for_a_command_does_not() {
    let (sim, _) = play(
        "- {at: 0s, open-terminal: 1}\n- {at: 0s, open-terminal: 2}\n- {at: 1s, line: 'read x; echo got $x'}\n\
         - {at: 2s, type: 'one '}\n- {at: 3s, type: \"two\\n\"}\n- {at: 3s, line: sleep 10}\n- {at: 5s, interrupt: 1}\n\
         - {at: 5s, line: 'sleep 4; date +%s'}\n- {at: 6s, line: date +%s}\n- {at: 7s, line: {terminal: 2, text: cat}}\n\
         - {at: 8s, type: {terminal: 2, text: 'no end'}}\n- {at: 9s, end-input: 2}\n- {at: 9s, line: {terminal: 2, text: exit}}\n",
    );
    let start = sim.start().millis() / 1000;
    assert_eq!(
        screen(&sim, 1),
        format!(
            "~ $ read x; echo got $x\none two\ngot one two\n~ $ sleep 10\n^C\n~ $ sleep 4; date +%s\n{}\n~ $ date +%s\n{0}\n",
            start + 9
        )
    );
    assert_eq!(screen(&sim, 2), "~ $ cat\nno endno end~ $ exit\n");
}

#[test]
fn files_are_saved_renamed_and_removed() {
    let (_, outputs) = play(
        "- {at: 0s, save: {file: a.txt, text: hello}}\n- {at: 1s, rename: {from: a.txt, to: d/b.txt}}\n- {at: 2s, run: cat d/b.txt a.txt}\n\
         - {at: 3s, remove: d/b.txt}\n- {at: 4s, run: ls d}\n- {at: 5s, remove: d/b.txt}\n",
    );
    let told: Vec<(Option<usize>, &str, i32, bool)> =
        outputs.iter().map(|o| (o.step, o.stdout.as_str(), o.exit, o.refused)).collect();
    assert_eq!(told, [(Some(2), "hello", 1, false), (Some(4), "", 0, false), (Some(5), "", 1, true)]);
    assert_eq!(outputs[2].stderr, "d/b.txt: No such file or directory\n");
}

#[test]
fn faults_reach_every_namespace() {
    let manifest = quoted(POD);
    let steps = |fault: &str| {
        format!(
            "- {{at: 0s, run: kubectl create namespace team}}\n- {{at: 1s, apply: {manifest}}}\n- {{at: 20s, fault: {fault}}}\n"
        )
    };
    let (sim, outputs) = play(&steps("{kill-container: a, namespace: team, exit-code: 3}"));
    assert!(outputs.iter().all(|output| !output.refused));
    assert_eq!(pod_phase(&sim, "team", "a").as_deref(), Some("Failed"));
    let logs = sim.logs("team", "a", None, false).unwrap();
    assert_eq!(logs.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["here"]);
    assert_eq!(sim.logs("default", "a", None, false).unwrap_err(), "pods \"a\" not found");
    let (sim, _) = play(&steps("{evict-pod: a, namespace: team}"));
    assert_eq!(pod_phase(&sim, "team", "a"), None);
    let mut sim = sim;
    let token = |sim: &mut Sim| sim.view().lanes.first().map(|lane| (lane.namespace.clone(), lane.name.clone()));
    assert_eq!(token(&mut sim), Some(("team".to_owned(), "a".to_owned())));
}

#[test]
fn names_that_are_not_there_are_told() {
    let manifest = quoted(&POD.replace("team", "default"));
    for (fault, says) in [
        ("{kill-node: nod-1}", "there is no node nod-1"),
        ("{freeze-node: nod-1}", "there is no node nod-1"),
        ("{thaw-node: nod-1}", "there is no node nod-1"),
        ("{drain: nod-1}", "nodes \"nod-1\" not found"),
        ("{kill-container: b}", "pods \"b\" not found"),
        ("{kill-container: a, namespace: team}", "pods \"a\" not found in namespace team"),
        ("{kill-container: a, container: mian}", "container mian is not valid for pod a"),
        ("{evict-pod: b}", "pods \"b\" not found"),
        ("{fail-pull: 'no image!'}", "cannot be the name of an image"),
    ] {
        let (_, outputs) = play(&format!("- {{at: 0s, apply: {manifest}}}\n- {{at: 20s, fault: {fault}}}\n"));
        let told: Vec<&Rc<Output>> = outputs.iter().filter(|output| output.refused).collect();
        assert_eq!(told.len(), 1, "{fault}: {outputs:?}");
        assert!(
            told[0].step == Some(1) && told[0].exit == 1 && told[0].stderr.contains(says),
            "{fault}: {:?}",
            told[0]
        );
    }
    // Whoever does it by hand is answered at once.
    let mut sim = Sim::new(&Scenario::default(), &ZoneTable::empty());
    let fault = |name: &str| Input::Fault(Fault::StopController { name: name.to_owned(), until: None });
    assert_eq!(sim.handle(fault("job-controller")).exit, 0);
    assert!(sim.handle(fault("job-controler")).stderr.starts_with("there is no controller job-controler; there is "));
    let reply = sim.handle(Input::Interrupt { terminal: SessionId::numbered(1) });
    assert_eq!((reply.exit, reply.stderr.as_str()), (1, "there is no terminal 1\n"));
    assert_eq!(sim.inputs(sim.branch()).count(), 2, "what is for a terminal that is not there is not kept");
}

#[test]
fn machines_come_grow_and_go() {
    let pod = |name: &str, cpu: &str| {
        quoted(&format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n  - {{name: main, image: 'busybox:1.36', \
             command: [sleep, '600'], resources: {{requests: {{cpu: {cpu}}}}}}}\n"
        ))
    };
    let steps = format!(
        "- {{at: 0s, apply: {}}}\n- {{at: 10s, run: kubectl get pods}}\n- {{at: 20s, add-node: {{name: node-2, cpu: 2}}}}\n\
         - {{at: 40s, run: kubectl get pods -o wide}}\n- {{at: 41s, apply: {}}}\n- {{at: 50s, run: kubectl get pod b}}\n\
         - {{at: 51s, resize-node: {{name: node-2, cpu: 4}}}}\n- {{at: 70s, run: kubectl get pod b}}\n\
         - {{at: 71s, run: \"kubectl get node node-2 -o jsonpath='{{.status.capacity.cpu}}'\"}}\n- {{at: 72s, remove-node: node-2}}\n\
         - {{at: 73s, run: kubectl get nodes}}\n- {{at: 74s, remove-node: node-2}}\n- {{at: 75s, add-node: {{name: node-1}}}}\n",
        pod("a", "2"),
        pod("b", "2")
    );
    let (sim, outputs) = play(&steps);
    let of = |step: usize| {
        outputs.iter().find(|output| output.step == Some(step)).map(|o| (o.stdout.as_str(), o.stderr.as_str()))
    };
    assert!(of(1).unwrap().0.contains("Pending"));
    assert!(of(3).unwrap().0.contains("node-2") && of(3).unwrap().0.contains("Running"), "{:?}", of(3));
    assert!(of(5).unwrap().0.contains("Pending"), "{:?}", of(5));
    assert!(of(7).unwrap().0.contains("Running"), "{:?}", of(7));
    assert_eq!(of(8), Some(("4", "")));
    assert!(of(10).unwrap().0.contains("node-1") && !of(10).unwrap().0.contains("node-2"));
    assert_eq!(of(11), Some(("", "there is no node node-2\n")));
    assert_eq!(of(12), Some(("", "there is a node node-1 already\n")));
    assert!(sim.cluster().store().find(Kind::Node, "", "node-2").is_none());
}

#[test]
fn an_image_does_something_else_from_then_on() {
    let job = |name: &str| {
        quoted(&format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  backoffLimit: 0\n  template:\n    spec:\n      \
             restartPolicy: Never\n      containers: [{{name: main, image: 'my/worker:1'}}]\n"
        ))
    };
    let steps = format!(
        "- {{at: 0s, image: {{names: [my/worker], command: [/work], programs: {{/work: {{runs: 2s}}}}}}}}\n- {{at: 1s, apply: {}}}\n\
         - {{at: 30s, image: {{names: [my/worker], command: [/work], programs: {{/work: {{runs: 2s, exitCode: 7}}}}}}}}\n\
         - {{at: 31s, apply: {}}}\n",
        job("good"),
        job("bad")
    );
    let (sim, _) = play(&steps);
    let end = |name: &str| {
        let job = sim.cluster().store().find(Kind::Job, "default", name).expect("it was applied");
        job.job().finished().map(|condition| condition.kind.to_string())
    };
    assert_eq!((end("good").as_deref(), end("bad").as_deref()), (Some("Complete"), Some("Failed")));
}

/// The moment at which someone looks is no part of a run.
#[test]
fn a_clock_that_is_stopped_while_the_api_is_slow_changes_nothing() {
    let manifest = quoted(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec:\n  completions: 6\n  template:\n    spec:\n      restartPolicy: \
         Never\n      containers: [{name: main, image: 'busybox:1.36', command: [sleep, '1']}]\n",
    );
    let scenario = parse(&format!(
        "steps:\n- {{at: 0s, apply: {manifest}}}\n- {{at: 1s, fault: {{slow-api: 3000, for: 4s}}}}\nduration: 60s\n"
    ));
    let end = scenario.start + scenario.duration;
    let trace = |pause: Span| {
        let mut sim = Sim::new(&scenario, &ZoneTable::empty());
        let mut lines = Vec::new();
        while sim.now() < end {
            let until = (sim.now() + pause).min(end);
            while sim.advance(until, 1_000) == Progress::Busy {}
            while let Some(record) = sim.poll_record() {
                lines.extend(record.trace_line(scenario.start));
            }
        }
        lines
    };
    assert_eq!(trace(Span::ms(13)), trace(Span::secs(60)));
}
