//! The forms of inputs in a scenario: what is written is read back as it was, old forms are read, and slips are told.

use batchyard::cluster::{NodeSpec, Routing, Setup};
use batchyard::run::{Fault, Input, Scenario, SessionId, Step, controllers};
use batchyard::values::time::{SimTime, Span};
use proptest::prelude::*;

/// Any text, with a bias to what YAML could stumble over.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ \\t\\n\\r:#'\"|>%@`&*!?{}\\[\\],a~-]{0,24}",
        "([ \\ta-c:#-]{0,40}\\n){0,5}[ \\ta-c]{0,40}",
        prop::sample::select(vec![
            "",
            " ",
            "\n",
            "\n\n",
            " \n",
            "\t",
            "---",
            "...",
            "--- \na",
            "null",
            "~",
            "yes",
            "0x1f",
            "1e3",
            "012",
            "1:30",
            "=",
            "<<",
            "2026-11-21",
            "\u{feff}a",
            "a\u{85}b",
            "\u{2028}",
            "a\u{0}b",
            "\u{7f}\u{9f}",
            "\u{fffe}",
            "\u{10ffff}",
            "a\r\nb\r\n",
            "\r",
            "# no comment",
            "a: b",
            "- a",
            "key: |\n  text\n\n\n",
            "  indented\nless",
            "ends in blank \nx",
            "\"",
            "'",
            "\\",
        ])
        .prop_map(str::to_owned),
        "[a-z ]{60,200}",
    ]
}

fn name() -> impl Strategy<Value = String> {
    text().prop_map(|text| if text.is_empty() { "a".to_owned() } else { text })
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![0_i64..5_000, 0_i64..400_000_000, 0_i64..3_000_000_000_000].prop_map(Span::ms)
}

fn size() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["2", "500m", "1.5", "24Gi", "1e3", "0"]).prop_map(str::to_owned)
}

fn node() -> impl Strategy<Value = NodeSpec> {
    (name(), size(), size()).prop_map(|(name, cpu, memory)| NodeSpec { name, cpu, memory })
}

fn fault() -> impl Strategy<Value = Fault> {
    let until = || prop::option::of(span());
    prop_oneof![
        name().prop_map(|node| Fault::KillNode { node }),
        (name(), until()).prop_map(|(node, until)| Fault::FreezeNode { node, until }),
        name().prop_map(|node| Fault::ThawNode { node }),
        name().prop_map(|node| Fault::Drain { node }),
        (name(), name(), prop::option::of(text()), 0..256, any::<bool>()).prop_map(
            |(namespace, pod, container, exit_code, oom)| Fault::KillContainer {
                namespace,
                pod,
                container,
                exit_code,
                oom
            }
        ),
        (prop_oneof![Just("default".to_owned()), name()], name())
            .prop_map(|(namespace, pod)| Fault::EvictPod { namespace, pod }),
        (name(), until()).prop_map(|(image, until)| Fault::FailPull { image, until }),
        (name(), 0_i64..100_000, until()).prop_map(|(image, seconds, until)| Fault::SlowPull { image, seconds, until }),
        (prop::sample::select(controllers()), until())
            .prop_map(|(name, until)| Fault::StopController { name: name.to_owned(), until }),
        (0_i64..100_000, until()).prop_map(|(delay_ms, until)| Fault::SlowApi { delay_ms, until }),
    ]
}

/// Any input; those of terminals say their number as a draw, which is taken from those that are open.
fn input() -> impl Strategy<Value = Input> {
    let terminal = || (1_u64..9).prop_map(SessionId::numbered);
    let image = prop::sample::select(vec![
        "names: [a]",
        "# why\nnames: [a, 'b/*']\ncommand: [/x]\nprograms:\n  /x: {runs: 5s, exitCode: 3, log: \"a\\tb\"}\n",
        "{\"names\": [\"*\"], \"base\": \"busybox\", \"pull\": {\"least\": \"1s\", \"most\": \"2s\"}}",
    ]);
    prop_oneof![
        (prop_oneof![Just("-".to_owned()), name()], text()).prop_map(|(file, text)| Input::Apply { file, text }),
        (name(), text()).prop_map(|(file, text)| Input::Save { file, text }),
        (name(), name()).prop_map(|(from, to)| Input::Rename { from, to }),
        text().prop_map(|file| Input::Remove { file }),
        Just(Input::OpenTerminal),
        terminal().prop_map(|terminal| Input::CloseTerminal { terminal }),
        (terminal(), text()).prop_map(|(terminal, line)| Input::Line { terminal, line }),
        (terminal(), text()).prop_map(|(terminal, text)| Input::Type { terminal, text }),
        terminal().prop_map(|terminal| Input::Interrupt { terminal }),
        terminal().prop_map(|terminal| Input::EndInput { terminal }),
        (name(), prop::option::of(text())).prop_map(|(path, text)| Input::CloseEdit { path, text }),
        text().prop_map(|line| Input::Run { line }),
        fault().prop_map(Input::Fault),
        node().prop_map(Input::AddNode),
        (name(), prop::option::of(size()), prop::option::of(size()))
            .prop_map(|(name, cpu, memory)| Input::ResizeNode { name, cpu, memory }),
        text().prop_map(|name| Input::RemoveNode { name }),
        image.prop_map(|text| Input::Image { text: text.to_owned() }),
    ]
}

/// The same for a terminal that was opened, if any was.
fn with_open_terminal(input: Input, opened: u64) -> Option<Input> {
    let fit = |terminal: SessionId| (opened > 0).then(|| SessionId::numbered(1 + terminal.number() % opened.max(1)));
    Some(match input {
        Input::CloseTerminal { terminal } => Input::CloseTerminal { terminal: fit(terminal)? },
        Input::Interrupt { terminal } => Input::Interrupt { terminal: fit(terminal)? },
        Input::EndInput { terminal } => Input::EndInput { terminal: fit(terminal)? },
        Input::Line { terminal, line } => Input::Line { terminal: fit(terminal)?, line },
        Input::Type { terminal, text } => Input::Type { terminal: fit(terminal)?, text },
        other => other,
    })
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let steps = prop::collection::vec((span(), prop::option::of(any::<u32>()), input()), 0..8);
    let start = (-60_000_000_000_i64..4_000_000_000_000).prop_map(SimTime::from_millis);
    let nodes = prop::collection::vec(node(), 0..4);
    ((text(), text(), text()), start, any::<u64>(), nodes, any::<[bool; 3]>(), steps, span()).prop_map(
        |(
            (name, title, about),
            start,
            seed,
            mut nodes,
            [first, kubernetes_service, storage_class],
            drawn,
            duration,
        )| {
            nodes.sort_by(|a, b| a.name.cmp(&b.name));
            nodes.dedup_by(|a, b| a.name == b.name);
            let (mut opened, mut steps) = (0, Vec::new());
            let mut drawn = drawn;
            drawn.sort_by_key(|(at, _, _)| *at);
            for (at, after, input) in drawn {
                let Some(input) = with_open_terminal(input, opened) else { continue };
                opened += u64::from(input == Input::OpenTerminal);
                steps.push(Step { at, after, input });
            }
            let routing = if first { Routing::First } else { Routing::Random };
            let setup = Setup { nodes, routing, kubernetes_service, storage_class };
            Scenario { name, title, about, start, seed, setup, steps, duration }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(scenario in scenario()) {
        let text = scenario.to_yaml();
        match Scenario::parse(&text, "written") {
            Ok(read) => prop_assert_eq!(read, scenario, "{}", text),
            Err(problems) => prop_assert!(false, "{:?}\n{}", problems, text),
        }
    }
}

#[test]
fn a_written_scenario_is_one_that_people_can_read() {
    let step = |ms, after, input| Step { at: Span::ms(ms), after, input };
    let first = SessionId::numbered(1);
    let scenario = Scenario {
        name: "mine".to_owned(),
        about: "Two\nlines\n".to_owned(),
        steps: vec![
            step(0, Some(0), Input::Apply { file: "job.yaml".to_owned(), text: "kind: Job\n\nspec: {}\n".to_owned() }),
            step(1_250, Some(3), Input::OpenTerminal),
            step(1_250, Some(4), Input::Line { terminal: first, line: "kubectl get pods -w".to_owned() }),
            step(
                61_000,
                None,
                Input::Fault(Fault::FreezeNode { node: "node-1".to_owned(), until: Some(Span::secs(9)) }),
            ),
        ],
        duration: Span::mins(2),
        ..Scenario::default()
    };
    expect_test::expect![[r#"
        name: mine
        about: |
          Two
          lines
        start: "2026-11-21T08:00:00Z"
        seed: 1
        cluster:
          nodes:
          - cpu: "2"
            memory: 24Gi
            name: node-1
          - cpu: "2"
            memory: 24Gi
            name: node-2
        steps:
        - at: 0s
          after: 0
          apply:
            file: job.yaml
            text: |
              kind: Job

              spec: {}
        - at: 1.25s
          after: 3
          open-terminal: 1
        - at: 1.25s
          after: 4
          line: kubectl get pods -w
        - at: 1m1s
          fault:
            for: 9s
            freeze-node: node-1
        duration: 2m0s
    "#]]
    .assert_eq(&scenario.to_yaml());
}

#[test]
fn forms_for_people_are_read() {
    let first = SessionId::numbered(1);
    for (form, expected) in [
        ("apply: 'kind: Job'", Input::Apply { file: "-".into(), text: "kind: Job".into() }),
        ("run: kubectl get jobs", Input::Run { line: "kubectl get jobs".into() }),
        (
            "fault: {evict-pod: a, namespace: team}",
            Input::Fault(Fault::EvictPod { namespace: "team".into(), pod: "a".into() }),
        ),
        ("fault: {slow-api: 200}", Input::Fault(Fault::SlowApi { delay_ms: 200, until: None })),
        ("line: ls", Input::Line { terminal: first, line: "ls".into() }),
        ("type: {terminal: 1, text: 'y'}", Input::Type { terminal: first, text: "y".into() }),
        ("end-edit: {path: /tmp/x, text: ''}", Input::CloseEdit { path: "/tmp/x".into(), text: Some(String::new()) }),
        (
            "add-node: {name: m, cpu: 4}",
            Input::AddNode(NodeSpec { name: "m".into(), cpu: "4".into(), memory: "24Gi".into() }),
        ),
        ("image: {names: [a], base: busybox}", Input::Image { text: "base: busybox\nnames:\n- a\n".into() }),
    ] {
        let text = format!("steps:\n- {{at: 0s, open-terminal: 1}}\n- {{at: 1s, {form}}}\n");
        let read = Scenario::parse(&text, "form").unwrap_or_else(|problems| panic!("{form}: {problems:?}"));
        assert_eq!(read.steps[1], Step { at: Span::secs(1), after: None, input: expected }, "{form}");
    }
    let none = Scenario::parse("cluster: {nodes: []}\nsteps: []\n", "none").unwrap();
    assert!(none.setup.nodes.is_empty(), "a cluster may begin without machines");
}

#[test]
fn slips_are_refused_with_their_place() {
    for (step, column, says) in [
        (
            "{at: 1s, fault: {stop-controller: job-controler}}",
            37,
            "there is no controller job-controler; there is job-controller",
        ),
        ("{at: 1s, fault: {kill-container: a, contaner: b}}", 39, "`contaner` is not known here"),
        ("{at: 1s, fault: {kill-node: a}, run: ls}", 3, "a step has `at` and one of"),
        ("{at: -1s, run: ls}", 8, "a length of time"),
        ("{at: 1s, after: -1, run: ls}", 19, "`after` is a whole number"),
        ("{at: 1s, line: ls}", 18, "terminal 1 was not opened yet"),
        ("{at: 1s, open-terminal: 2}", 27, "this one is 1"),
        ("{at: 1s, apply: {text: x}}", 12, "`file` is needed here"),
        ("{at: 1s, save: {file: '', text: x}}", 25, "`file` is empty"),
        ("{at: 1s, add-node: {name: a, cpu: lots}}", 37, "`cpu` is a quantity"),
        ("{at: 1s, image: {names: [a], programs: {/x: {runs: soon}}}}", 19, "runs: cannot be"),
        ("{at: 1s, image: {name: a}}", 19, "name: no such field"),
        ("{at: 1s, rnu: ls}", 12, "`rnu` is not known here"),
    ] {
        let text = format!("steps:\n- {step}\n");
        let problems = Scenario::parse(&text, "slip").unwrap_err();
        let told: Vec<(u32, u32, &str)> =
            problems.iter().map(|p| (p.span.line, p.span.column, p.message.as_str())).collect();
        assert!(
            told.iter().any(|(line, at, text)| (*line, *at) == (2, column) && text.contains(says)),
            "{step}: {told:?}"
        );
    }
    for (text, says) in [
        ("seed: abc\nsteps: []\n", "`seed` is a whole number"),
        ("name: [a]\nsteps: []\n", "`name` is a text"),
        ("steps: {at: 0s}\n", "`steps` is a list"),
        ("cluster: {nodes: [{name: a, cpus: 4}]}\nsteps: []\n", "`cpus` is not known here"),
        ("cluster: {nodes: [{name: a}, {name: a}]}\nsteps: []\n", "there is a node a already"),
    ] {
        let problems = Scenario::parse(text, "slip").unwrap_err();
        assert!(problems.iter().any(|p| p.message.contains(says)), "{text}: {problems:?}");
    }
}
