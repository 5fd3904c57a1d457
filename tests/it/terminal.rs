//! The acting verbs of kubectl as a user types them: what they print, on which stream, and their exit codes.
//!
//! Rows are small scenarios: a manifest that is applied at the start, then commands a second apart. Expected texts are those
//! of the recordings (`kubectl-commands`, `apply-unchanged-and-immutable`, `logs-follow`, `delete-cascade` …).

use std::rc::Rc;

use batchyard::api::schema::Schema;
use batchyard::cluster::store::Store;
use batchyard::run::{Output, Progress, Record, Scenario, Sim};
use batchyard::terminal::kubectl::flags::{self, Takes};
use batchyard::terminal::kubectl::{GLOBAL_FLAGS, VERBS, completion, find, help};
use batchyard::values::zone::ZoneTable;
use proptest::prelude::*;

const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: steady}\nspec:\n  template:\n    spec:\n      \
                   containers:\n      - {name: main, image: 'busybox:1.36', command: [sh, -c, 'echo hello; sleep 600']}\n      \
                   restartPolicy: Never\n";
const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n  selector: \
                          {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      \
                          containers:\n      - {name: web, image: 'busybox:1.36', command: [sleep, '600']}\n      \
                          terminationGracePeriodSeconds: 1\n";

/// Plays a manifest and then the lines, five seconds apart; what the lines printed.
fn play(manifest: &str, lines: &[&str]) -> Vec<Rc<Output>> {
    let quoted = |text: &str| batchyard::values::value::Value::from(text).to_json();
    let mut steps = format!("- {{at: 0s, apply: {}}}\n", quoted(manifest));
    for (i, line) in lines.iter().enumerate() {
        steps.push_str(&format!("- {{at: {}s, run: {}}}\n", 5 * (i + 1), quoted(line)));
    }
    let duration = 5 * lines.len() + 65;
    let text = format!(
        "name: rows\ncluster: {{nodes: [{{name: node-1}}, {{name: node-2}}]}}\nduration: {duration}s\nsteps:\n{steps}"
    );
    let scenario = Scenario::parse(&text, "rows").unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    let mut sim = Sim::new(&scenario, &ZoneTable::bundled());
    let end = sim.start() + scenario.duration;
    let mut outputs = Vec::new();
    loop {
        let progress = sim.advance(end, 10_000);
        while let Some(record) = sim.poll_record() {
            if let Record::Output(output) = record {
                outputs.extend(output.step.filter(|step| *step > 0).is_some().then_some(output));
            }
        }
        if progress == Progress::Reached {
            break;
        }
    }
    outputs.sort_by_key(|output| output.step);
    outputs
}

/// One act changes more objects than the store keeps for long, and a watch shows each of them.
#[test]
fn a_watch_shows_all_that_one_act_changes() {
    let object = |i: i32| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{i}}}\n");
    let many: String = (0..1500).map(object).collect();
    let watch = "timeout 20 kubectl get configmaps -w --watch-only --output-watch-events";
    let outputs = play(&many, &[watch, "kubectl delete configmaps --all"]);
    let watched = outputs.iter().find(|output| output.step == Some(1)).expect("the watch has ended");
    let gone = watched.stdout.lines().filter(|line| line.starts_with("DELETED") && line.contains(" c"));
    assert_eq!(gone.count(), 1500);
}

/// Names that differ from run to run.
fn normal(text: &str) -> String {
    let mut words = String::new();
    for piece in text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
        let (word, end) = match piece.chars().last() {
            Some(c) if !(c.is_ascii_alphanumeric() || c == '-') => piece.split_at(piece.len() - c.len_utf8()),
            _ => (piece, ""),
        };
        let random = |part: &str| part.len() == 5 && part.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c));
        match word.rsplit_once('-').filter(|(_, last)| random(last)) {
            Some((head, _)) => words.push_str(&format!("{head}-xxxxx")),
            None => words.push_str(word),
        }
        words.push_str(end);
    }
    words
}

/// Command, standard output, standard error, exit code.
type Row = (&'static str, &'static str, &'static str, i32);

fn check(manifest: &str, rows: &[Row]) {
    let lines: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let outputs = play(manifest, &lines);
    let mut wrong = String::new();
    for (i, (line, stdout, stderr, exit)) in rows.iter().enumerate() {
        let Some(output) = outputs.iter().find(|o| o.step == Some(i + 1)) else {
            wrong.push_str(&format!("$ {line}: did not end\n"));
            continue;
        };
        let have = (normal(&output.stdout), normal(&output.stderr), output.exit);
        if have != ((*stdout).to_owned(), (*stderr).to_owned(), *exit) {
            wrong.push_str(&format!("$ {line}\n  want {:?}\n  have {have:?}\n", (stdout, stderr, exit)));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn jobs_are_changed_and_deleted() {
    check(
        JOB,
        &[
            ("kubectl label job steady tier=one", "job.batch/steady labeled\n", "", 0),
            (
                "kubectl label job steady tier=two",
                "",
                "error: 'tier' already has a value (one), and --overwrite is false\n",
                1,
            ),
            ("kubectl label job steady tier=one", "job.batch/steady not labeled\n", "", 0),
            ("kubectl label job steady tier-", "job.batch/steady unlabeled\n", "", 0),
            ("kubectl annotate job/steady note='a note'", "job.batch/steady annotated\n", "", 0),
            (
                "kubectl annotate job/steady note=b",
                "",
                "error: --overwrite is false but found the following declared annotation(s): 'note' already has a value (a note)\n",
                1,
            ),
            ("kubectl patch job steady -p '{\"spec\":{\"parallelism\":2}}'", "job.batch/steady patched\n", "", 0),
            ("kubectl patch job steady -p '{\"spec\":{}}'", "job.batch/steady patched (no change)\n", "", 0),
            (
                "kubectl patch job steady --type=merge -p '{spec: {}}'",
                "",
                "Error from server (BadRequest): error decoding patch: invalid character 's' looking for beginning of object key string\n",
                1,
            ),
            ("kubectl create -f /dev/null", "", "error: no objects passed to create\n", 1),
            (
                "kubectl patch job steady -p '{\"spec\":{\"nonsense\":1}}'",
                "job.batch/steady patched (no change)\n",
                "Warning: unknown field \"spec.nonsense\"\n",
                0,
            ),
            (
                "kubectl patch job steady -p '{\"spec\":{\"parallelism\":\"x\"}}'",
                "",
                "The request is invalid: patch: Invalid value: \"map[spec:map[parallelism:x]]\": unrecognized type: int32\n",
                1,
            ),
            (
                "kubectl scale job steady --replicas=3",
                "",
                "Error from server (NotFound): the server could not find the requested resource\n",
                1,
            ),
            (
                "kubectl rollout status job/steady",
                "",
                "error: no status viewer has been implemented for Job.batch\n",
                1,
            ),
            (
                "kubectl logs job/nothere",
                "",
                "error: error from server (NotFound): jobs.batch \"nothere\" not found in namespace \"default\"\n",
                1,
            ),
            ("kubectl exec job/steady -- sh -c 'exit 5'", "", "command terminated with exit code 5\n", 5),
            ("kubectl edit job steady", "", "Edit cancelled, no changes made.\n", 0),
            (
                "KUBE_EDITOR='sed -i s/parallelism:.*/parallelism:\\ 3/' kubectl edit job steady",
                "job.batch/steady edited\n",
                "",
                0,
            ),
            ("kubectl get job steady -o jsonpath='{.spec.parallelism}'", "3", "", 0),
            ("kubectl patch job steady -p '{\"spec\":{\"parallelism\":2}}'", "job.batch/steady patched\n", "", 0),
            (
                "kubectl wait --for=condition=complete job/steady --timeout=1s",
                "",
                "error: timed out waiting for the condition on jobs/steady\n",
                1,
            ),
            (
                "kubectl delete job steady --dry-run=client",
                "job.batch \"steady\" deleted from default namespace (dry run)\n",
                "",
                0,
            ),
            ("kubectl delete job steady", "job.batch \"steady\" deleted from default namespace\n", "", 0),
            ("kubectl delete job steady", "", "Error from server (NotFound): jobs.batch \"steady\" not found\n", 1),
            ("kubectl delete jobs --all", "No resources found\n", "", 0),
            ("kubectl delete job", "", "error: resource(s) were provided, but no name was specified\n", 1),
            (
                "kubectl gte jobs",
                "",
                "error: unknown command \"gte\" for \"kubectl\"\n\nDid you mean this?\n\tget\n",
                1,
            ),
            (
                "kubectl delete --nosuch",
                "",
                "error: unknown flag: --nosuch\nSee 'kubectl delete --help' for usage.\n",
                1,
            ),
        ],
    );
}

#[test]
fn one_of_several_pods_is_chosen() {
    let two = JOB.replace("spec:\n  template:", "spec:\n  parallelism: 2\n  completions: 2\n  template:");
    check(
        &two,
        &[
            ("kubectl logs job/steady", "hello\n", "Found 2 pods, using pod/steady-xxxxx\n", 0),
            (
                "kubectl logs job/steady -c x",
                "",
                "Found 2 pods, using pod/steady-xxxxx\nerror: container x is not valid for pod steady-xxxxx out of: main\n",
                1,
            ),
        ],
    );
}

#[test]
fn objects_are_created_from_flags() {
    check(
        JOB,
        &[
            (
                "kubectl create job hello --image=busybox:1.36 -- sh -c 'echo hello; sleep 1'",
                "job.batch/hello created\n",
                "",
                0,
            ),
            ("kubectl wait --for=condition=complete job/hello", "job.batch/hello condition met\n", "", 0),
            ("kubectl logs job/hello", "hello\n", "", 0),
            (
                "kubectl exec job/hello -- date",
                "",
                "error: cannot exec into a container in a completed pod; current phase is Succeeded\n",
                1,
            ),
            (
                "kubectl create job hello --image=x",
                "",
                "error: failed to create job: jobs.batch \"hello\" already exists\n",
                1,
            ),
            ("kubectl create job none", "", "error: either --image or --from must be specified\n", 1),
            ("kubectl create cronjob c --image=x", "", "error: required flag(s) \"schedule\" not set\n", 1),
            (
                "kubectl create cronjob c --image=busybox --schedule='0 0 1 1 *' -- date",
                "cronjob.batch/c created\n",
                "",
                0,
            ),
            ("kubectl create job --from=cronjob/c now", "job.batch/now created\n", "", 0),
            (
                "kubectl create job --from=cronjob/d now2",
                "",
                "Error from server (NotFound): cronjobs.batch \"d\" not found\n",
                1,
            ),
            (
                "echo '{apiVersion: v1, kind: Pod, metadata: {name: dry}, spec: {restartPolicy: Nope}}' | kubectl apply --dry-run=client -f -",
                "pod/dry created (dry run)\n",
                "",
                0,
            ),
            ("kubectl create configmap m --from-literal=a=1 -o name", "configmap/m\n", "", 0),
            ("kubectl create secret generic s --from-literal=p=secret", "secret/s created\n", "", 0),
            ("kubectl create namespace team", "namespace/team created\n", "", 0),
            ("kubectl -n team create sa robot", "serviceaccount/robot created\n", "", 0),
            (
                "kubectl create job dry --image=i --dry-run=client -o yaml -- date",
                "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: dry\nspec:\n  template:\n    metadata: {}\n    spec:\n      \
             containers:\n      - command:\n        - date\n        image: i\n        name: dry\n        resources: {}\n      \
             restartPolicy: Never\nstatus: {}\n",
                "",
                0,
            ),
            ("kubectl run p --image=busybox:1.36 --restart=Never -- true", "pod/p created\n", "", 0),
            (
                "kubectl run p --image=busybox:1.36",
                "",
                "Error from server (AlreadyExists): pods \"p\" already exists\n",
                1,
            ),
            (
                "kubectl run --image=x",
                "",
                "error: NAME is required for run\nSee 'kubectl run -h' for help and examples\n",
                1,
            ),
            (
                "kubectl delete pod p --force",
                "pod \"p\" force deleted from default namespace\n",
                "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n",
                0,
            ),
        ],
    );
}

#[test]
fn deployments_roll_and_nodes_drain() {
    check(
        DEPLOYMENT,
        &[
            ("kubectl rollout status deploy/web", "deployment \"web\" successfully rolled out\n", "", 0),
            ("kubectl scale deploy web --replicas=1", "deployment.apps/web scaled\n", "", 0),
            ("kubectl set image deploy/web web=busybox:1.37", "deployment.apps/web image updated\n", "", 0),
            (
                "kubectl rollout history deploy/web",
                "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n",
                "",
                0,
            ),
            (
                "kubectl rollout history deploy/web --revision=1",
                "deployment.apps/web with revision #1\nPod Template:\n  Labels:\tapp=web\n\tpod-template-hash=798c5fbfbd\n  \
                 Containers:\n   web:\n    Image:\tbusybox:1.36\n    Port:\t<none>\n    Host Port:\t<none>\n    \
                 Command:\n      sleep\n      600\n    Environment:\t<none>\n    Mounts:\t<none>\n  \
                 Volumes:\t<none>\n  Node-Selectors:\t<none>\n  Tolerations:\t<none>\n\n",
                "",
                0,
            ),
            ("kubectl rollout pause deploy/web", "deployment.apps/web paused\n", "", 0),
            ("kubectl rollout resume deploy/web", "deployment.apps/web resumed\n", "", 0),
            ("kubectl rollout restart deploy/web", "deployment.apps/web restarted\n", "", 0),
            ("kubectl expose deploy web --port=80", "service/web exposed\n", "", 0),
            ("kubectl taint node node-1 a=b:NoSchedule", "node/node-1 tainted\n", "", 0),
            ("kubectl taint node node-1 a-", "node/node-1 untainted\n", "", 0),
            ("kubectl cordon node-1", "node/node-1 cordoned\n", "", 0),
            ("kubectl cordon node-1", "node/node-1 already cordoned\n", "", 0),
            ("kubectl uncordon node-1", "node/node-1 uncordoned\n", "", 0),
            (
                "timeout 2 kubectl port-forward deploy/web 8080:80",
                "Forwarding from 127.0.0.1:8080 -> 80\nForwarding from [::1]:8080 -> 80\n",
                "",
                124,
            ),
            ("curl -s localhost:8080; echo $?", "7\n", "", 0),
        ],
    );
}

#[test]
fn every_verb_and_flag_is_in_the_help_is_offered_and_is_read() {
    let store = Store::new();
    let offers = |before: &[String], typed: &str| {
        let words: Vec<String> = before.iter().cloned().chain([typed.to_owned()]).collect();
        completion::complete(&words, &store)
    };
    for verb in VERBS {
        let argv: Vec<String> = verb.name.split(' ').map(str::to_owned).collect();
        for (i, word) in argv.iter().enumerate() {
            let begun: String = word.chars().take(2).collect();
            assert!(offers(&argv[..i], &begun).contains(word), "{begun} does not lead to {}", verb.name);
        }
        assert_eq!(find(&argv).map(|(found, rest)| (found.name, rest)), Some((verb.name, Vec::new())));
        let text = help::of(verb);
        assert!(text.contains(verb.usage) && text.contains(verb.summary), "{}", verb.name);
        for flag in verb.flags {
            assert!(text.contains(&format!("--{}=", flag.name)), "{} --{}", verb.name, flag.name);
            let tab = format!("--{}{}", flag.name, if flag.takes == Takes::Nothing { "" } else { "=" });
            assert!(offers(&argv, &tab[..4]).contains(&tab), "{} offers no {tab}", verb.name);
            let value = match flag.takes {
                Takes::Nothing => "true",
                Takes::Duration => "1s",
                _ => "1",
            };
            let mut forms = vec![format!("--{}={value}", flag.name)];
            forms.extend(flag.short.map(|short| format!("-{short}={value}")));
            for form in forms {
                let parsed = flags::parse(std::slice::from_ref(&form), &[verb.flags, GLOBAL_FLAGS]);
                assert!(parsed.is_ok_and(|p| p.is_set(flag.name)), "{} {form}", verb.name);
            }
        }
        let mut names: Vec<&str> = verb.flags.iter().map(|flag| flag.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), verb.flags.len(), "{} has a flag twice", verb.name);
        if !verb.name.contains(' ') && !["alpha", "options"].contains(&verb.name) {
            assert!(help::overview().contains(&format!("  {:<15} ", verb.name)), "{} is in no group", verb.name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is typed, nothing panics, and whatever a `timeout` stands before ends.
    #[test]
    fn arbitrary_lines_end(words in prop::collection::vec(word(), 0..6)) {
        let _ = Schema::get();
        let line = format!("timeout 3 kubectl {}", words.join(" "));
        let outputs = play(JOB, &[&line]);
        prop_assert_eq!(outputs.len(), 1, "{}", line);
    }
}

/// Words that kubectl knows, and some that nobody does.
fn word() -> impl Strategy<Value = String> {
    let verbs: Vec<String> = VERBS.iter().map(|verb| verb.name.to_owned()).collect();
    let flags: Vec<String> = VERBS.iter().flat_map(|verb| verb.flags).map(|flag| format!("--{}", flag.name)).collect();
    let names = [
        "job",
        "job/steady",
        "steady",
        "pods",
        "-l",
        "-f",
        "-",
        "a=b",
        "--",
        "-o",
        "yaml",
        "node-1",
        "8080:80",
        "=",
        "-1",
    ];
    prop_oneof![
        2 => prop::sample::select(verbs),
        2 => prop::sample::select(flags),
        3 => prop::sample::select(names.map(str::to_owned).to_vec()),
        1 => "[a-zA-Z0-9=:/,.{}\\[\\]!-]{1,12}".prop_map(|text| format!("'{text}'")),
    ]
}
