//! `batchyard shell` with commands from a pipe: what it prints, on which stream, and its exit code.

use std::io::Write;
use std::process::{Command, Stdio};

struct Told {
    out: String,
    err: String,
    code: i32,
}

/// Runs the program with these arguments and this input; no editor is set.
fn shell(args: &[&str], input: &str, editor: Option<&str>) -> Told {
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchyard"));
    command.arg("shell").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["KUBE_EDITOR", "VISUAL", "EDITOR"] {
        command.env_remove(name);
    }
    if let Some(editor) = editor {
        command.env("EDITOR", editor);
    }
    let mut child = command.spawn().expect("the program can be started");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("it reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes text");
    Told { out: text(output.stdout), err: text(output.stderr), code: output.status.code().unwrap_or(-1) }
}

#[test]
fn commands_are_answered_and_the_last_ones_exit_code_counts() {
    let told = shell(&[], "kubectl get nodes --no-headers -o name\n", None);
    assert_eq!((told.out.as_str(), told.err.as_str(), told.code), ("node/node-1\nnode/node-2\n", "", 0));
    let told = shell(&[], "echo a\nkubectl get nope\n", None);
    assert_eq!(told.out, "a\n");
    assert_eq!(told.err, "error: the server doesn't have a resource type \"nope\"\n");
    assert_eq!(told.code, 1);
    assert_eq!(shell(&[], "exit 7\necho never\n", None).code, 7);
    assert_eq!(shell(&[], "", None).code, 0);
}

#[test]
fn virtual_time_passes_while_a_command_waits() {
    let input = "kubectl create job a --image=busybox -- sh -c 'sleep 3000; echo done'\n\
                 kubectl wait --for=condition=complete job/a --timeout=2h\nkubectl logs job/a\n";
    let told = shell(&[], input, None);
    assert_eq!(told.out, "job.batch/a created\njob.batch/a condition met\ndone\n", "{}", told.err);
    let told = shell(&["--for", "90s"], "kubectl get pods -w\n", None);
    assert_eq!(told.code, 124);
    assert!(told.err.ends_with("a command was still running after 1m30s\n"), "{}", told.err);
}

#[test]
fn input_goes_to_the_command_that_reads_it_and_then_to_the_shell() {
    let told =
        shell(&[], "read x; echo got $x\nhello\nfor i in 1 2; do\necho $i\ndone\ncat > f; wc -l f\na\nb\n", None);
    assert_eq!((told.out.as_str(), told.code), ("got hello\n1\n2\n2 f\n", 0), "{}", told.err);
}

#[test]
fn a_lot_of_output_arrives_whole() {
    let told = shell(&[], "seq 1 60000\n", None);
    assert_eq!(told.out.lines().count(), 60_000);
}

#[test]
fn kubectl_edit_opens_the_editor_and_opens_it_again_when_the_text_is_refused() {
    let create = "kubectl create job j --image=busybox -- sleep 1000\n";
    let told = shell(
        &[],
        &format!("{create}kubectl edit job j\nkubectl get job j -o jsonpath='{{.spec.parallelism}}'\n"),
        Some("sed -i -e 's/parallelism: 1/parallelism: 3/'"),
    );
    assert_eq!(told.out, "job.batch/j created\njob.batch/j edited\n3", "{}", told.err);
    let told = shell(
        &[],
        &format!("{create}kubectl edit job j || head -n 6 /tmp/kubectl-edit-*.yaml\n"),
        Some("sed -i -e 's/parallelism: 1/parallelism: -1/'"),
    );
    assert!(
        told.err.starts_with("error: jobs.batch \"j\" is invalid\nA copy of your changes has been stored to "),
        "{}",
        told.err
    );
    assert!(told.err.ends_with("error: Edit cancelled, no valid changes were saved.\n"), "{}", told.err);
    let comment = "# jobs.batch \"j\" was not valid:\n# * spec.parallelism: Invalid value: -1: must be greater than or equal to 0\n";
    assert!(told.out.ends_with(comment), "{}", told.out);
    // A command of the terminal's own shell may be the editor as well; and without any nothing can be changed.
    let told = shell(&[], &format!("{create}EDITOR='sed -i s/x/x/' kubectl edit job j\nkubectl edit job j\n"), None);
    assert_eq!(told.out, "job.batch/j created\n");
    assert_eq!(told.err, "Edit cancelled, no changes made.\n".repeat(2));
}

#[test]
fn a_scenario_gives_the_cluster_and_files_come_from_a_folder() {
    let root = env!("CARGO_MANIFEST_DIR");
    let scenario = format!("{root}/tests/scenarios/hello-job/scenario.yaml");
    let files = format!("{root}/tests/scenarios/hello-job");
    let told = shell(&[&scenario, "--files", &files], "sleep 60; kubectl get jobs -o name; ls scenario.yaml\n", None);
    assert!(told.out.starts_with("job.batch/") && told.out.ends_with("scenario.yaml\n"), "{}{}", told.out, told.err);
}

#[test]
fn what_makes_no_sense_is_said_in_one_line() {
    for (args, said) in [
        (&["a.yaml", "b.yaml"][..], "at most one scenario file"),
        (&["--speed", "0"], "--speed 0: a number from"),
        (&["--for", "soon"], "--for soon: a length of time"),
        (&["--what"], "unknown flag: --what"),
        (&["no-such-file.yaml"], "no-such-file.yaml: "),
        (&["--files", "no-such-folder"], "no-such-folder: "),
    ] {
        let told = shell(args, "", None);
        assert_eq!((told.code, told.err.lines().count()), (2, 1), "{args:?}: {}", told.err);
        assert!(told.err.contains(said), "{}", told.err);
    }
    let told = shell(&["--help"], "", None);
    assert!(told.code == 0 && told.out.contains("Usage: batchyard shell") && told.err.is_empty());
}

#[test]
fn a_shell_in_a_container_takes_what_is_typed_line_by_line() {
    let typed = "kubectl run -it b --image=busybox:1.36 --restart=Never --rm -- sh\nhostname\nfor i in 1 2\ndo echo $i\ndone\n\
                 read x\nword\necho got $x\nexit\n";
    let told = shell(&[], typed, None);
    assert_eq!(told.out, "/ # b\n/ # > > 1\n2\n/ # / # got word\n/ # pod \"b\" deleted from default namespace\n");
    let piped = "kubectl run b --image=busybox:1.36 -- sleep 1000\nkubectl wait --for=condition=Ready pod/b >/dev/null\n\
                 echo 'hostname; exit 5' | kubectl exec -i b -- sh; echo $?\n";
    let told = shell(&[], piped, None);
    assert_eq!(told.out, "pod/b created\nb\n5\n", "{}", told.err);
}
