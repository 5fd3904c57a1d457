//! Draws random runs: what stands in the cluster, what a user does to it, and what breaks.
//!
//! The same seed draws the same run. Faults that hit a Pod need its name, so they are drawn by playing the run up to them.

use batchyard::api::kind::Kind;
use batchyard::run::{Progress, Sim};
use batchyard::values::rng::{Rng, Stream};
use batchyard::values::time::Span;
use batchyard::values::zone::ZoneTable;

use super::draft::{Action, Draft};

/// What a group of runs is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    Jobs,
    CronJobs,
    /// Everything at once.
    Clusters,
    /// Everything, for laws of time.
    Travels,
}

impl Group {
    pub fn name(self) -> &'static str {
        match self {
            Group::Jobs => "jobs",
            Group::CronJobs => "cron-jobs",
            Group::Clusters => "clusters",
            Group::Travels => "travels",
        }
    }
}

/// Draws the run of a seed.
pub fn draft(group: Group, seed: u64) -> Draft {
    let mut dice = Dice(Rng::new(seed).stream("laws", group.name()));
    let nodes = 1 + dice.below(3);
    let node = |i: i64, dice: &mut Dice| format!("{{name: node-{}, cpu: \"{}\"}}", i + 1, dice.one(&["1", "2", "4"]));
    let mut draft = Draft {
        seed,
        nodes: (0..nodes).map(|i| node(i, &mut dice)).collect(),
        steps: Vec::new(),
        duration_seconds: match group {
            Group::Jobs => dice.one(&[60, 120, 240]),
            Group::CronJobs => dice.one(&[200, 320, 440]),
            Group::Clusters | Group::Travels => dice.one(&[60, 180, 420]),
        },
    };
    let mut targets = Vec::new();
    for _ in 0..1 + dice.below(if group == Group::Jobs { 2 } else { 4 }) {
        let what = match group {
            Group::Jobs => 0,
            Group::CronJobs => [1, 1, 1, 0][dice.below(4) as usize],
            Group::Clusters | Group::Travels => dice.below(5),
        };
        let number = targets.len() + 1;
        let at = if number == 1 { 0 } else { dice.below(20_000) };
        let (kind, name, manifest) = match what {
            1 => ("cronjob", format!("c{number}"), dice.cron_job(&format!("c{number}"))),
            2 => ("deployment", format!("d{number}"), dice.deployment(&format!("d{number}"))),
            3 => ("pod", format!("p{number}"), dice.pod(&format!("p{number}"))),
            _ => ("job", format!("j{number}"), dice.job(&format!("j{number}"))),
        };
        draft.steps.push((at, Action::Apply(manifest)));
        targets.push((kind, name));
    }
    for _ in 0..dice.below(5) {
        let at = dice.below(draft.duration_seconds * 800);
        let target = dice.below(targets.len() as i64) as usize;
        let step = if dice.chance(60) {
            let (kind, name) = &targets[target];
            Action::Run(dice.deed(kind, name, nodes))
        } else {
            Action::Fault(dice.fault(nodes))
        };
        draft.steps.push((at, step));
    }
    draft.steps.sort_by_key(|(at, _)| *at);
    if dice.chance(30) {
        add_pod_fault(&mut draft, &mut dice);
    }
    draft
}

/// Adds a fault that hits one of the Pods there are at some time.
fn add_pod_fault(draft: &mut Draft, dice: &mut Dice) {
    let at = dice.below(draft.duration_seconds * 800);
    let mut sim = Sim::new(&draft.scenario(), &ZoneTable::bundled());
    let until = sim.start() + Span::ms(at);
    if sim.advance(until, 200_000) == Progress::Busy {
        return;
    }
    let pods: Vec<String> =
        sim.cluster().store().list_in(Kind::Pod, "default").map(|pod| pod.name().to_owned()).collect();
    if pods.is_empty() {
        return;
    }
    let pod = &pods[dice.below(pods.len() as i64) as usize];
    let fault = match dice.below(4) {
        0 => format!("{{evict-pod: {pod}}}"),
        1 => format!("{{kill-container: {pod}, oom: true}}"),
        _ => format!("{{kill-container: {pod}, exit-code: {}}}", dice.one(&[0, 1, 42, 137, 143])),
    };
    draft.steps.push((at, Action::Fault(fault)));
    draft.steps.sort_by_key(|(at, _)| *at);
}

/// Draws, one after another.
struct Dice(Stream);

impl Dice {
    /// 0 to `count` - 1.
    fn below(&mut self, count: i64) -> i64 {
        self.0.between(0, (count - 1).max(0))
    }

    fn chance(&mut self, percent: i64) -> bool {
        self.0.chance(percent)
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as i64) as usize]
    }

    /// With a chance, a line of its own that may be left out of the manifest.
    fn maybe(&mut self, percent: i64, indent: usize, text: String) -> String {
        if self.chance(percent) { format!("{:indent$}{text}  # optional\n", "") } else { String::new() }
    }

    fn program(&mut self, lasting: bool) -> String {
        const SHORT: &[&str] = &[
            "exit 0",
            "exit 0",
            "exit 3",
            "exit 42",
            "sleep 2",
            "sleep 5; echo done",
            "sleep 4; exit 1",
            "sleep 25",
            "sleep 12; exit 42",
            "sleep 300",
            "trap 'exit 0' TERM; sleep 100 & wait",
            "trap 'exit 7' TERM; sleep 100 & wait",
            "case $HOSTNAME in *[b-k]) exit 1;; esac; sleep 3",
            "case $HOSTNAME in *[b-k]) sleep 6; exit 42;; esac; sleep 1",
            "if [ ${JOB_COMPLETION_INDEX:-0} -gt 0 ]; then sleep 3; exit 1; fi; sleep 1",
            "if [ ${JOB_COMPLETION_INDEX:-1} -lt 2 ]; then exit 0; fi; sleep 9; exit 5",
            "sleep $((RANDOM % 9)); exit $((RANDOM % 2))",
        ];
        const LASTING: &[&str] =
            &["sleep 100000", "trap 'exit 0' TERM; sleep 100000 & wait", "sleep 30; exit 1", "sleep 8; exit 0"];
        self.one(if lasting { LASTING } else { SHORT }).replace('"', "'")
    }

    /// `spec` of a Pod, indented.
    fn pod_spec(&mut self, indent: usize, policy: &str, lasting: bool) -> String {
        let pad = " ".repeat(indent);
        let program = self.program(lasting);
        let mut text = format!("{pad}restartPolicy: {policy}\n");
        let grace = self.one(&[0, 1, 3, 12]);
        text += &self.maybe(60, indent, format!("terminationGracePeriodSeconds: {grace}"));
        let deadline = self.one(&[4, 15, 40]);
        text += &self.maybe(6, indent, format!("activeDeadlineSeconds: {deadline}"));
        let seconds = self.one(&[0, 5, 30]);
        let toleration = match self.below(3) {
            0 => "{operator: Exists}".to_owned(),
            1 => format!(
                "{{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, \
                        tolerationSeconds: {seconds}}}"
            ),
            _ => format!("{{key: mark, operator: Equal, value: x, effect: NoExecute, tolerationSeconds: {seconds}}}"),
        };
        let toleration = format!("tolerations: [{toleration}]");
        text += &self.maybe(15, indent, toleration);
        text += &self.maybe(5, indent, "nodeSelector: {kubernetes.io/hostname: node-1}".to_owned());
        let init = self.one(&[
            "{name: init, image: busybox:1.36, command: [sh, -c, sleep 1]}",
            "{name: init, image: busybox:1.36, command: [sh, -c, exit 2]}",
            "{name: side, image: busybox:1.36, restartPolicy: Always, command: [sh, -c, sleep 1000]}",
            "{name: side, image: busybox:1.36, restartPolicy: Always, command: [sh, -c, sleep 3]}",
        ]);
        text += &self.maybe(12, indent, format!("initContainers: [{init}]"));
        let image =
            self.one(&["busybox:1.36", "busybox:1.36", "busybox:1.36", "busybox", "busybox:1.37", "busybox:nosuch"]);
        text += &format!("{pad}containers:\n{pad}- name: main\n{pad}  image: {image}\n");
        let command = if self.chance(3) { "[nosuch]".to_owned() } else { format!("[sh, -c, \"{program}\"]") };
        text += &format!("{pad}  command: {command}\n");
        let cpu = self.one(&["100m", "400m", "700m", "1500m"]);
        text += &self.maybe(40, indent + 2, format!("resources: {{requests: {{cpu: {cpu}, memory: 64Mi}}}}"));
        text +=
            &self.maybe(6, indent + 2, "readinessProbe: {exec: {command: [\"true\"]}, periodSeconds: 2}".to_owned());
        text += &self.maybe(
            4,
            indent + 2,
            "livenessProbe: {exec: {command: [\"false\"]}, periodSeconds: 4, failureThreshold: 2}".to_owned(),
        );
        let second = self.one(&["sleep 1", "sleep 6; exit 1", "sleep 50"]);
        if self.chance(10) {
            text += &format!("{pad}- {{name: second, image: busybox:1.36, command: [sh, -c, \"{second}\"]}}\n");
        }
        text
    }

    /// `spec` of a Job, indented.
    fn job_spec(&mut self, indent: usize) -> String {
        let pad = " ".repeat(indent);
        let indexed = self.chance(40);
        let policy = if self.chance(70) { "Never" } else { "OnFailure" };
        let mut text = String::new();
        let number = self.one(&[1, 2, 3, 3, 5]);
        if indexed {
            text += &format!("{pad}completionMode: Indexed\n{pad}completions: {number}\n");
        } else {
            text += &self.maybe(70, indent, format!("completions: {number}"));
        }
        let number = self.one(&[0, 1, 2, 3, 3, 4]);
        text += &self.maybe(70, indent, format!("parallelism: {number}"));
        let per_index = indexed && self.chance(35);
        let number = self.one(&[0, 0, 1, 2, 3]);
        text += &self.maybe(60, indent, format!("backoffLimit: {number}"));
        if per_index {
            let (limit, most) = (self.one(&[0, 1, 2]), self.one(&[0, 1, 2]));
            text += &format!("{pad}backoffLimitPerIndex: {limit}\n");
            text += &self.maybe(40, indent, format!("maxFailedIndexes: {most}"));
        }
        if policy == "Never" && self.chance(25) {
            let other = if per_index { "FailIndex" } else { "FailJob" };
            let action = self.one(&["FailJob", "Ignore", "Count", other]);
            let codes = self.one(&["[42]", "[1, 3]", "[137, 143]"]);
            let operator = self.one(&["In", "In", "NotIn"]);
            let disrupted = self.one(&["Ignore", "Count", "FailJob"]);
            text += &format!(
                "{pad}podFailurePolicy: {{rules: [{{action: {action}, onExitCodes: {{operator: {operator}, values: {codes}}}}}, \
                 {{action: {disrupted}, onPodConditions: [{{type: DisruptionTarget, status: \"True\"}}]}}]}}  # optional\n"
            );
        } else {
            let replacement = self.one(&["Failed", "TerminatingOrFailed"]);
            text += &self.maybe(40, indent, format!("podReplacementPolicy: {replacement}"));
        }
        let rule =
            self.one(&["succeededCount: 1", "succeededIndexes: \"0\"", "succeededIndexes: 0-1, succeededCount: 1"]);
        if indexed {
            text += &self.maybe(20, indent, format!("successPolicy: {{rules: [{{{rule}}}]}}"));
        }
        let seconds = self.one(&[3, 12, 35, 100]);
        text += &self.maybe(25, indent, format!("activeDeadlineSeconds: {seconds}"));
        let seconds = self.one(&[0, 0, 3, 20]);
        text += &self.maybe(25, indent, format!("ttlSecondsAfterFinished: {seconds}"));
        text += &self.maybe(10, indent, "suspend: true".to_owned());
        text += &format!("{pad}template:\n{pad}  spec:\n");
        text + &self.pod_spec(indent + 4, policy, false)
    }

    fn job(&mut self, name: &str) -> String {
        format!("apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n{}", self.job_spec(2))
    }

    fn cron_job(&mut self, name: &str) -> String {
        let every = self.one(&[1, 1, 1, 2, 3]);
        let mut text = format!(
            "apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: {name}}}\nspec:\n  schedule: \"*/{every} * * * *\"\n"
        );
        let policy = self.one(&["Allow", "Forbid", "Replace"]);
        text += &self.maybe(75, 2, format!("concurrencyPolicy: {policy}"));
        let seconds = self.one(&[1, 15, 50, 200]);
        text += &self.maybe(30, 2, format!("startingDeadlineSeconds: {seconds}"));
        let (good, bad) = (self.one(&[0, 1, 2]), self.one(&[0, 1, 2]));
        text += &self.maybe(50, 2, format!("successfulJobsHistoryLimit: {good}"));
        text += &self.maybe(50, 2, format!("failedJobsHistoryLimit: {bad}"));
        text += &self.maybe(8, 2, "suspend: true".to_owned());
        text += &self.maybe(10, 2, "timeZone: Europe/Berlin".to_owned());
        text + "  jobTemplate:\n    spec:\n" + &self.job_spec(6)
    }

    fn deployment(&mut self, name: &str) -> String {
        let replicas = self.below(4);
        let mut text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: {replicas}\n  \
             selector: {{matchLabels: {{app: {name}}}}}\n"
        );
        let strategy = self.one(&[
            "{type: Recreate}",
            "{rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}",
            "{rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}",
        ]);
        text += &self.maybe(50, 2, format!("strategy: {strategy}"));
        text + &format!("  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n")
            + &self.pod_spec(6, "Always", true)
    }

    fn pod(&mut self, name: &str) -> String {
        let policy = self.one(&["Always", "OnFailure", "Never"]);
        let lasting = self.chance(40);
        format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n{}", self.pod_spec(2, policy, lasting))
    }

    /// What a user does.
    fn deed(&mut self, kind: &str, name: &str, nodes: i64) -> String {
        if self.chance(25) {
            let node = format!("node-{}", 1 + self.below(nodes));
            return match self.below(6) {
                0 => format!("kubectl cordon {node}"),
                1 => format!("kubectl uncordon {node}"),
                2 => format!("kubectl drain {node} --ignore-daemonsets --force --timeout=20s"),
                3 => format!("kubectl taint nodes {node} mark=x:NoExecute --overwrite"),
                4 => format!("kubectl delete node {node}"),
                _ => "kubectl delete pods --all --wait=false".to_owned(),
            };
        }
        let cascade = self.one(&["background", "background", "foreground", "orphan"]);
        let wait = self.one(&["", " --wait=false"]);
        let delete = format!("kubectl delete {kind} {name} --cascade={cascade}{wait}");
        let number = self.below(5);
        match kind {
            "job" => match self.below(10) {
                0 | 1 => format!("kubectl patch job {name} -p '{{\"spec\":{{\"parallelism\":{number}}}}}'"),
                2 => format!("kubectl patch job {name} -p '{{\"spec\":{{\"suspend\":true}}}}'"),
                3 => format!(
                    "kubectl patch job {name} -p '{{\"spec\":{{\"suspend\":true}}}}'; sleep {number}; \
                     kubectl patch job {name} -p '{{\"spec\":{{\"suspend\":false}}}}'"
                ),
                4 => format!(
                    "kubectl patch job {name} -p '{{\"spec\":{{\"activeDeadlineSeconds\":{}}}}}'",
                    5 + 10 * number
                ),
                5 => format!(
                    "kubectl patch job {name} -p '{{\"spec\":{{\"completions\":{number},\"parallelism\":{number}}}}}'"
                ),
                6 => {
                    let force = self.one(&["", " --grace-period=0 --force", " --grace-period=1"]);
                    format!("kubectl delete pods -l job-name={name} --wait=false{force}")
                }
                7 => format!("kubectl label pods -l job-name={name} batch.kubernetes.io/controller-uid-"),
                8 => format!("kubectl patch job {name} -p '{{\"spec\":{{\"ttlSecondsAfterFinished\":{number}}}}}'"),
                _ => delete,
            },
            "cronjob" => match self.below(7) {
                0 => format!("kubectl patch cronjob {name} -p '{{\"spec\":{{\"suspend\":true}}}}'"),
                1 => format!("kubectl patch cronjob {name} -p '{{\"spec\":{{\"suspend\":false}}}}'"),
                2 => format!(
                    "kubectl patch cronjob {name} -p '{{\"spec\":{{\"schedule\":\"*/{} * * * *\"}}}}'",
                    1 + number % 3
                ),
                3 | 4 => format!("kubectl create job by-hand-{number} --from=cronjob/{name}"),
                5 => "kubectl delete jobs --all --wait=false".to_owned(),
                _ => delete,
            },
            "deployment" => match self.below(5) {
                0 | 1 => format!("kubectl scale deployment {name} --replicas={number}"),
                2 => format!("kubectl set image deployment/{name} main=busybox:1.3{}", 5 + number % 3),
                3 => format!("kubectl rollout restart deployment/{name}"),
                _ => delete,
            },
            _ => delete,
        }
    }

    /// What breaks.
    fn fault(&mut self, nodes: i64) -> String {
        let node = format!("node-{}", 1 + self.below(nodes));
        let seconds = self.one(&[3, 20, 90]);
        match self.below(9) {
            0 => format!("{{kill-node: {node}}}"),
            1 => format!("{{freeze-node: {node}}}"),
            2 | 3 => format!("{{thaw-node: {node}}}"),
            4 => format!("{{drain: {node}}}"),
            5 => format!("{{fail-pull: busybox, for: {seconds}s}}"),
            6 => format!("{{slow-pull: busybox, seconds: {}, for: {seconds}s}}", 2 + seconds / 4),
            7 => {
                let names = [
                    "job-controller",
                    "cronjob-controller",
                    "default-scheduler",
                    "garbage-collector-controller",
                    "ttl-after-finished-controller",
                    "replicaset-controller",
                    "node-controller",
                    "taint-eviction-controller",
                ];
                format!("{{stop-controller: {}, for: {seconds}s}}", self.one(&names))
            }
            _ => format!("{{slow-api: {}, for: {seconds}s}}", self.one(&[50, 400, 3000])),
        }
    }
}
