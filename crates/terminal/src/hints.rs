//! Where a tutorial is out of date: one line from us under the real answer.
//!
//! Rule: the answer itself is always the one a cluster of today gives. These lines are for a person at the page's or the
//! command line's terminal; a scenario's recorded outputs never hold them.

/// A command that no longer does what it did.
struct Hint {
    /// The program and its verb.
    command: &'static [&'static str],
    /// A word of the line that must be there as well; empty: none. Short flags may be joined (`-it`).
    with: &'static str,
    /// Only for an exit code that is not 0.
    when_failed: bool,
    says: &'static str,
}

const HINTS: &[Hint] = &[
    Hint {
        command: &["kubectl", "run"],
        with: "--generator",
        when_failed: true,
        says: "`--generator` was removed in Kubernetes 1.18: `kubectl run` makes a Pod; for a Job use `kubectl create job NAME --image=IMAGE`.",
    },
    Hint {
        command: &["kubectl", "run"],
        with: "--restart",
        when_failed: false,
        says: "Since Kubernetes 1.18 `kubectl run` makes a bare Pod, whatever --restart says; for a Job use `kubectl create job NAME --image=IMAGE`.",
    },
    Hint {
        command: &["kubectl", "run"],
        with: "--schedule",
        when_failed: true,
        says: "`kubectl run --schedule` was removed in Kubernetes 1.18: use `kubectl create cronjob NAME --image=IMAGE --schedule=…`.",
    },
    Hint {
        command: &["kubectl", "get"],
        with: "-a",
        when_failed: true,
        says: "`-a` (--show-all) was removed in Kubernetes 1.11 or so: finished Jobs and Pods are always listed.",
    },
    Hint {
        command: &["kubectl", "get"],
        with: "--show-all",
        when_failed: true,
        says: "`--show-all` is gone: finished Jobs and Pods are always listed.",
    },
    Hint {
        command: &["kubectl", "get"],
        with: "--export",
        when_failed: true,
        says: "`--export` was removed in Kubernetes 1.18: take `-o yaml` and leave status and uid out yourself.",
    },
    Hint {
        command: &["kubectl", "convert"],
        with: "",
        when_failed: true,
        says: "`kubectl convert` is a plugin of its own today.",
    },
    Hint {
        command: &["kubectl", "rolling-update"],
        with: "",
        when_failed: true,
        says: "`kubectl rolling-update` was removed in Kubernetes 1.18: use a Deployment and `kubectl rollout`.",
    },
    Hint {
        command: &["helm", "install"],
        with: "--name",
        when_failed: true,
        says: "Since Helm 3 the name comes first, without `--name`: `helm install NAME CHART`.",
    },
    Hint {
        command: &["helm", "delete"],
        with: "--purge",
        when_failed: true,
        says: "Since Helm 3 `helm uninstall` forgets the release by itself; `--purge` is gone (`--keep-history` is its opposite).",
    },
    Hint {
        command: &["helm", "init"],
        with: "",
        when_failed: true,
        says: "Helm 3 needs no `helm init`: there is no Tiller in the cluster any more.",
    },
    Hint {
        command: &["docker", "push"],
        with: "",
        when_failed: true,
        says: "There is no registry to push to here: the cluster knows the tutorial's images already.",
    },
];

/// What there is to say about a line that ended with `exit`, if anything.
pub fn for_command(line: &str, exit: i32) -> Option<&'static str> {
    let words: Vec<&str> = line.split_whitespace().take_while(|word| *word != "--").collect();
    let fits = |hint: &&Hint| {
        let starts = words.windows(hint.command.len()).any(|window| window == hint.command);
        let with = hint.with.is_empty() || words.iter().any(|word| is_flag(word, hint.with));
        starts && with && (exit != 0 || !hint.when_failed)
    };
    HINTS.iter().find(fits).map(|hint| hint.says)
}

/// `--flag`, `--flag=x`; a short flag also among others.
fn is_flag(word: &str, flag: &str) -> bool {
    match flag.strip_prefix("--") {
        Some(_) => word == flag || word.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')),
        None => {
            let letter = flag.trim_start_matches('-');
            word.starts_with('-')
                && !word.starts_with("--")
                && word[1..].split('=').next().is_some_and(|w| w.contains(letter))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_commands_are_explained_and_others_are_not() {
        for (line, exit, says) in [
            ("kubectl get jobs -a", 1, Some("always listed")),
            ("kubectl get jobs -A", 0, None),
            ("kubectl get jobs -a", 0, None),
            ("kubectl run -i oneshot --image=x --restart=OnFailure --command /kuard -- --restart", 0, Some("bare Pod")),
            ("kubectl run x --image=y", 0, None),
            ("kubectl run x --image=y -- --restart=z", 0, None),
            ("kubectl run x --image=y --generator=job/v1", 1, Some("1.18")),
            ("helm install --name x ./chart", 1, Some("Helm 3")),
            ("helm delete --purge x", 1, Some("forgets")),
            ("echo hello", 1, None),
        ] {
            let hint = for_command(line, exit);
            assert_eq!(hint.is_some(), says.is_some(), "{line}: {hint:?}");
            assert!(says.is_none_or(|says| hint.is_some_and(|hint| hint.contains(says))), "{line}: {hint:?}");
        }
    }
}
