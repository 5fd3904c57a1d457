//! Kubernetes' own unit-test tables for the kubelet (`tests/cases/kubelet_cases.json`), run against our rules.
//!
//! Other tables of the file belong to other rooms: `TestSortingActivePodsWithRanks`, `TestTimeLeft`, `TestGCTerminated`,
//! `TestCreatePod`, `TestGetMinTolerationTime`, `TestCalculateStatus`, `TestGetPodsToDelete` (controllers) and `TestFitError_Error`
//! (scheduler).

use batchyard::api::defaults::qos_class;
use batchyard::api::pod::{Container, ContainerStatus, PodCondition, PodSpec};
use batchyard::cluster::node::{
    AfterExit, Finding, after_exit, containers_ready, initialized, matching_rule, phase, pod_ready,
};
use batchyard::values::value::Value;

/// Cases that do not apply, with the reason.
const LEFT_OUT: &[(&str, &str, &str)] = &[
    (
        "TestShouldContainerBeRestarted",
        "no-history",
        "asks about a container without an end; here only ends are asked about",
    ),
    ("TestShouldContainerBeRestarted", "alive", "as above"),
    ("TestShouldContainerBeRestarted", "unknown", "the runtime here always knows how a container ended"),
    ("TestComputePodQOS", "pod-level", "resources of the whole Pod are not simulated (listed as a gap)"),
];

fn left_out(table: &str, case: &str) -> bool {
    LEFT_OUT.iter().any(|(t, c, _)| *t == table && *c == case)
}

fn tables() -> Value {
    Value::from_json(include_str!("../cases/kubelet_cases.json")).expect("the file is JSON")
}

/// Runs a table; every case is checked before the test fails.
fn check(table: &str, mut case: impl FnMut(&Value) -> Result<(), String>) {
    let tables = tables();
    let cases = tables.at(table).list_at("cases");
    assert!(!cases.is_empty(), "{table} has cases");
    let wrong: Vec<String> =
        cases.iter().filter_map(|c| case(c).err().map(|why| format!("{table}: {why}\n    {c}"))).collect();
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn same<T: PartialEq + std::fmt::Debug>(got: T, want: T) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("got {got:?}, want {want:?}")) }
}

fn spec_of(value: &Value) -> PodSpec {
    value.decode().unwrap_or_default()
}

fn statuses_of(value: &Value) -> Option<Vec<ContainerStatus>> {
    let list = value.as_list()?;
    Some(list.iter().map(|status| status.decode().unwrap_or_default()).collect())
}

#[test]
fn phases_of_pods() {
    for table in [
        "TestPodPhaseWithRestartAlways",
        "TestPodPhaseWithRestartAlwaysInitContainers",
        "TestPodPhaseWithRestartAlwaysRestartableInitContainers",
        "TestPodPhaseWithRestartAlwaysAndPodHasRun",
        "TestPodPhaseWithRestartNever",
        "TestPodPhaseWithRestartNeverInitContainers",
        "TestPodPhaseWithRestartNeverRestartableInitContainers",
        "TestPodPhaseWithRestartOnFailure",
    ] {
        check(table, |case| {
            let status = case.at("pod").at("status");
            let mut statuses = statuses_of(status.at("initContainerStatuses")).unwrap_or_default();
            statuses.extend(statuses_of(status.at("containerStatuses")).unwrap_or_default());
            let terminal = case.bool_at("podIsTerminal") == Some(true);
            let has_run = case.bool_at("podHasInitialized") == Some(true);
            same(
                phase(&spec_of(case.at("pod").at("spec")), &statuses, terminal, has_run),
                case.str_at("status").unwrap(),
            )
        });
    }
}

#[test]
fn phases_with_container_restart_rules() {
    for table in [
        "TestPodPhaseWithContainerRestartPolicy",
        "TestPodPhaseWithContainerRestartPolicyInitContainers",
        "TestPodPhaseWithRestartAllContainers",
    ] {
        check(table, |case| {
            let statuses = statuses_of(case.at("statuses")).unwrap_or_default();
            // The upstream tests say that the Pod was initialised before where it restarts in place.
            let has_run = table == "TestPodPhaseWithRestartAllContainers";
            same(phase(&spec_of(case.at("spec")), &statuses, false, has_run), case.str_at("expectedPhase").unwrap())
        });
    }
}

fn same_finding(got: &Finding, want: &Value) -> Result<(), String> {
    let status = if got.holds { "True" } else { "False" };
    let text = |field: &str| want.str_at(field).unwrap_or_default().to_owned();
    same(
        (status.to_owned(), got.reason.to_string(), got.message.to_string()),
        (text("status"), text("reason"), text("message")),
    )
}

#[test]
fn conditions_of_pods() {
    check("TestGenerateContainersReadyCondition", |case| {
        let statuses = statuses_of(case.at("containerStatuses"));
        let phase = case.str_at("podPhase").unwrap_or_default();
        same_finding(&containers_ready(&spec_of(case.at("spec")), statuses.as_deref(), phase), case.at("expectReady"))
    });
    check("TestGeneratePodReadyCondition", |case| {
        let statuses = statuses_of(case.at("containerStatuses"));
        let phase = case.str_at("podPhase").unwrap_or_default();
        let conditions: Vec<PodCondition> = case.at("conditions").decode().unwrap_or_default();
        let got = pod_ready(&spec_of(case.at("spec")), &conditions, statuses.as_deref(), phase);
        same_finding(&got, case.at("expectReady"))
    });
    check("TestGeneratePodInitializedCondition", |case| {
        let statuses = statuses_of(case.at("containerStatuses"));
        let got =
            initialized(&spec_of(case.at("spec")), statuses.as_deref(), case.str_at("podPhase").unwrap_or_default());
        let status = if got.holds { "True" } else { "False" };
        let want = case.at("expected");
        same(
            (status, got.reason.as_str()),
            (want.str_at("status").unwrap_or_default(), want.str_at("reason").unwrap_or_default()),
        )
    });
}

#[test]
fn restarts_after_an_exit() {
    check("TestShouldContainerBeRestarted", |case| {
        let name = case.str_at("name").unwrap();
        if left_out("TestShouldContainerBeRestarted", name) {
            return Ok(());
        }
        let code = if name == "failed" { 1 } else { 0 };
        for (policy, want) in ["Never", "OnFailure", "Always"].iter().zip(case.list_at("value")) {
            let spec = PodSpec { restart_policy: (*policy).into(), ..PodSpec::default() };
            let restarts = after_exit(&spec, &Container::default(), code) != AfterExit::Stay;
            same((policy, Some(restarts)), (policy, want.as_bool()))?;
        }
        Ok(())
    });
    check("TestFindMatchingContainerRestartRule", |case| {
        let container: Container = case.at("container").decode().unwrap_or_default();
        let found = matching_rule(&container, case.i64_at("exitCode").unwrap() as i32);
        let action = case.str_at("expectedRule.action").unwrap_or_default();
        same(
            (found.is_some(), found.map_or("", |r| r.action.as_str())),
            (case.bool_at("expectedFound") == Some(true), action),
        )
    });
}

#[test]
fn qos_classes() {
    check("TestComputePodQOS", |case| {
        if case.bool_at("podLevelResourcesEnabled") == Some(true) {
            assert!(left_out("TestComputePodQOS", "pod-level"));
            return Ok(());
        }
        same(qos_class(case.at("pod.spec")), case.str_at("expected").unwrap())
    });
}
