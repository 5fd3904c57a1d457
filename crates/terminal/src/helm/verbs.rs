//! The table of helm's commands: parsing, help and errors come from it.

use super::commands::{get, history, install, list, rollback, status, template, uninstall, upgrade, version};
use super::{Call, Next};
use crate::kubectl::flags::{Flag, Takes, flag};

/// Until the program runs and has asked the API server what it knows (recorded: 60 to 90 ms, and 230 ms with templates).
const READ_MS: i64 = 70;
const RENDER_MS: i64 = 230;

/// A command of helm.
pub(super) struct Verb {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub usage: &'static str,
    pub summary: &'static str,
    pub flags: &'static [Flag],
    /// The fewest arguments; the most.
    pub arguments: (usize, usize),
    pub starts_in_ms: i64,
    /// Set before an error: `INSTALLATION FAILED: `.
    pub failed: &'static str,
    pub run: fn(&mut Call<'_, '_>) -> Result<Next, String>,
}

const SET: Flag = flag("set", Takes::List, "Values on the command line: a.b=1,c=x");
const SET_STRING: Flag = flag("set-string", Takes::List, "The same, but values stay texts");
const VALUES: Flag = flag("values", Takes::List, "Files of values").short('f');
const NO_HOOKS: Flag = flag("no-hooks", Takes::Nothing, "No hooks are run").default("false");
const TIMEOUT_FLAG: Flag = flag("timeout", Takes::Text, "How long to wait for one thing").default("5m0s");
const WAIT: Flag = flag("wait", Takes::Optional("true"), "Wait until the objects are ready").default("false");
const WAIT_FOR_JOBS: Flag = flag("wait-for-jobs", Takes::Nothing, "With --wait: wait for Jobs too").default("false");
const DRY_RUN: Flag = flag("dry-run", Takes::Optional("client"), "Only say what would be done");

pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "install",
        aliases: &[],
        usage: "helm install [NAME] [CHART] [flags]",
        summary: "install a chart",
        flags: &[
            SET,
            SET_STRING,
            VALUES,
            NO_HOOKS,
            TIMEOUT_FLAG,
            WAIT,
            WAIT_FOR_JOBS,
            DRY_RUN,
            flag("generate-name", Takes::Nothing, "Make up the name").short('g'),
        ],
        arguments: (1, 2),
        starts_in_ms: RENDER_MS,
        failed: "INSTALLATION FAILED: ",
        run: install,
    },
    Verb {
        name: "upgrade",
        aliases: &[],
        usage: "helm upgrade [RELEASE] [CHART] [flags]",
        summary: "upgrade a release",
        flags: &[
            SET,
            SET_STRING,
            VALUES,
            NO_HOOKS,
            TIMEOUT_FLAG,
            WAIT,
            WAIT_FOR_JOBS,
            DRY_RUN,
            flag("install", Takes::Nothing, "Install the release if there is none").short('i'),
            flag("reuse-values", Takes::Nothing, "Keep the last release's values"),
            flag("reset-values", Takes::Nothing, "Forget the last release's values"),
        ],
        arguments: (2, 2),
        starts_in_ms: RENDER_MS,
        failed: "UPGRADE FAILED: ",
        run: upgrade,
    },
    Verb {
        name: "rollback",
        aliases: &[],
        usage: "helm rollback <RELEASE> [REVISION] [flags]",
        summary: "roll back a release to a previous revision",
        flags: &[NO_HOOKS, TIMEOUT_FLAG, WAIT, WAIT_FOR_JOBS, DRY_RUN],
        arguments: (1, 2),
        starts_in_ms: RENDER_MS,
        failed: "",
        run: rollback,
    },
    Verb {
        name: "uninstall",
        aliases: &["del", "delete", "un"],
        usage: "helm uninstall RELEASE_NAME [...] [flags]",
        summary: "uninstall a release",
        flags: &[
            NO_HOOKS,
            TIMEOUT_FLAG,
            WAIT,
            DRY_RUN,
            flag("keep-history", Takes::Nothing, "Keep the records of the release"),
            flag("ignore-not-found", Takes::Nothing, "A missing release is no error"),
        ],
        arguments: (1, 1),
        starts_in_ms: READ_MS,
        failed: "",
        run: uninstall,
    },
    Verb {
        name: "template",
        aliases: &[],
        usage: "helm template [NAME] [CHART] [flags]",
        summary: "locally render templates",
        flags: &[
            SET,
            SET_STRING,
            VALUES,
            NO_HOOKS,
            flag("is-upgrade", Takes::Nothing, "Set .Release.IsUpgrade"),
            flag("show-only", Takes::List, "Only these templates").short('s'),
        ],
        arguments: (1, 2),
        starts_in_ms: RENDER_MS,
        failed: "",
        run: template,
    },
    Verb {
        name: "list",
        aliases: &["ls"],
        usage: "helm list [flags]",
        summary: "list releases",
        flags: &[
            flag("all", Takes::Nothing, "Releases in every state").short('a'),
            flag("all-namespaces", Takes::Nothing, "Releases of all namespaces").short('A'),
            flag("short", Takes::Nothing, "Only the names").short('q'),
        ],
        arguments: (0, 0),
        starts_in_ms: READ_MS,
        failed: "",
        run: list,
    },
    Verb {
        name: "status",
        aliases: &[],
        usage: "helm status RELEASE_NAME [flags]",
        summary: "display the status of the named release",
        flags: &[flag("revision", Takes::Text, "The revision to show")],
        arguments: (1, 1),
        starts_in_ms: READ_MS,
        failed: "",
        run: status,
    },
    Verb {
        name: "history",
        aliases: &["hist"],
        usage: "helm history RELEASE_NAME [flags]",
        summary: "fetch release history",
        flags: &[flag("max", Takes::Text, "How many revisions to show").default("256")],
        arguments: (1, 1),
        starts_in_ms: READ_MS,
        failed: "",
        run: history,
    },
    Verb {
        name: "get",
        aliases: &[],
        usage: "helm get manifest|values|hooks|notes RELEASE_NAME [flags]",
        summary: "download extended information of a named release",
        flags: &[
            flag("revision", Takes::Text, "The revision to show"),
            flag("all", Takes::Nothing, "With values: the chart's too").short('a'),
        ],
        arguments: (2, 2),
        starts_in_ms: READ_MS,
        failed: "",
        run: get,
    },
    Verb {
        name: "version",
        aliases: &[],
        usage: "helm version [flags]",
        summary: "print the helm version information",
        flags: &[flag("short", Takes::Nothing, "Only the number")],
        arguments: (0, 0),
        starts_in_ms: 0,
        failed: "",
        run: version,
    },
];
