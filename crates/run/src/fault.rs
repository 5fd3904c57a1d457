//! What can go wrong from outside, in a scenario and on the page.
//!
//! Rules: `docs/scenario.md`, "Faults".

use crate::reading::{Fields, Wrong, write_span};
use cluster::check_controller;
use values::time::Span;
use values::value::Value;

/// A length of time in seconds that nobody means to exceed: a hundred years.
const LONGEST_SECONDS: i64 = 3_155_760_000;

/// Something that goes wrong from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The machine dies: its containers end and its kubelet is silent.
    KillNode {
        node: String,
    },
    /// The kubelet stops answering for a while; its containers run on.
    FreezeNode {
        node: String,
        until: Option<Span>,
    },
    /// The kubelet (or the machine) is back.
    ThawNode {
        node: String,
    },
    /// `kubectl drain`.
    Drain {
        node: String,
    },
    /// One container ends with this exit code, or is killed for its memory.
    KillContainer {
        namespace: String,
        pod: String,
        container: Option<String>,
        exit_code: i32,
        oom: bool,
    },
    /// The Pod is evicted through the API.
    EvictPod {
        namespace: String,
        pod: String,
    },
    /// Pulls of this image fail, or take longer, for a while.
    FailPull {
        image: String,
        until: Option<Span>,
    },
    SlowPull {
        image: String,
        seconds: i64,
        until: Option<Span>,
    },
    /// A controller, or `kube-scheduler`, does nothing for a while.
    StopController {
        name: String,
        until: Option<Span>,
    },
    /// Every API call takes longer.
    SlowApi {
        delay_ms: i64,
        until: Option<Span>,
    },
}

/// The namespace of a Pod that is named without one.
const DEFAULT_NAMESPACE: &str = "default";
/// How a container ends that is killed and no code is said: as by SIGKILL.
const KILLED: i64 = 137;
/// Seconds by which a pull is slower if none are said.
const SLOW_SECONDS: i64 = 30;

/// The faults, and the keys that each may have besides its own and `for`.
const FAULTS: [(&str, &[&str]); 10] = [
    ("kill-node", &[]),
    ("freeze-node", &["for"]),
    ("thaw-node", &[]),
    ("drain", &[]),
    ("kill-container", &["namespace", "container", "exit-code", "oom"]),
    ("evict-pod", &["namespace"]),
    ("fail-pull", &["for"]),
    ("slow-pull", &["seconds", "for"]),
    ("stop-controller", &["for"]),
    ("slow-api", &["for"]),
];

impl Fault {
    /// Reads `{kill-node: node-1}` and its like: one name, and further keys that belong to it.
    ///
    /// # Errors
    /// What is missing, unknown or wrong, and where.
    pub fn read(value: &Value) -> Result<Fault, Wrong> {
        let map = value.as_map().ok_or_else(|| Wrong::here("a fault is a map such as {kill-node: node-1}"))?;
        let Some((key, more)) = FAULTS.iter().find(|(key, _)| map.contains_key(key)) else {
            let names: Vec<&str> = FAULTS.iter().map(|(key, _)| *key).collect();
            return Err(Wrong::here(format!("this is no known fault; there is {}", names.join(", "))));
        };
        let known: Vec<&str> = [*key].into_iter().chain(more.iter().copied()).collect();
        let fields = Fields::of(value, &known)?;
        let name = || fields.name(key);
        let namespace = || match fields.get("namespace") {
            Value::Null => Ok(DEFAULT_NAMESPACE.to_owned()),
            _ => fields.name("namespace"),
        };
        let until = fields.span_if("for")?;
        Ok(match *key {
            "kill-node" => Fault::KillNode { node: name()? },
            "freeze-node" => Fault::FreezeNode { node: name()?, until },
            "thaw-node" => Fault::ThawNode { node: name()? },
            "drain" => Fault::Drain { node: name()? },
            "kill-container" => {
                let exit_code = fields.number("exit-code", KILLED, 0, 255)? as i32;
                let (container, oom) = (fields.text_if("container")?, fields.flag("oom")?);
                Fault::KillContainer { namespace: namespace()?, pod: name()?, container, exit_code, oom }
            }
            "evict-pod" => Fault::EvictPod { namespace: namespace()?, pod: name()? },
            "fail-pull" => Fault::FailPull { image: name()?, until },
            "slow-pull" => {
                let seconds = fields.number("seconds", SLOW_SECONDS, 0, LONGEST_SECONDS)?;
                Fault::SlowPull { image: name()?, seconds, until }
            }
            "stop-controller" => {
                let name = name()?;
                check_controller(&name).map_err(|why| Wrong::here(why).under(key))?;
                Fault::StopController { name, until }
            }
            _ => Fault::SlowApi { delay_ms: fields.number(key, 0, 0, LONGEST_SECONDS * 1000)?, until },
        })
    }

    /// As a scenario has it; [`Fault::read`] reads it back.
    pub fn write(&self) -> Value {
        let mut value = Value::map();
        let mut until = None;
        match self {
            Fault::KillNode { node } => value.set("kill-node", node),
            Fault::FreezeNode { node, until: lasts } => {
                value.set("freeze-node", node);
                until = *lasts;
            }
            Fault::ThawNode { node } => value.set("thaw-node", node),
            Fault::Drain { node } => value.set("drain", node),
            Fault::KillContainer { namespace, pod, container, exit_code, oom } => {
                value.set("kill-container", pod);
                write_namespace(namespace, &mut value);
                if let Some(container) = container {
                    value.set("container", container);
                }
                value.set("exit-code", *exit_code);
                if *oom {
                    value.set("oom", true);
                }
            }
            Fault::EvictPod { namespace, pod } => {
                value.set("evict-pod", pod);
                write_namespace(namespace, &mut value);
            }
            Fault::FailPull { image, until: lasts } => {
                value.set("fail-pull", image);
                until = *lasts;
            }
            Fault::SlowPull { image, seconds, until: lasts } => {
                value.set("slow-pull", image);
                value.set("seconds", *seconds);
                until = *lasts;
            }
            Fault::StopController { name, until: lasts } => {
                value.set("stop-controller", name);
                until = *lasts;
            }
            Fault::SlowApi { delay_ms, until: lasts } => {
                value.set("slow-api", *delay_ms);
                until = *lasts;
            }
        }
        if let Some(span) = until {
            value.set("for", write_span(span));
        }
        value
    }

    /// In plain words, for the time line and for whoever listens: `node-1 is silent for 1m0s`.
    pub fn says(&self) -> String {
        let (what, until) = match self {
            Fault::KillNode { node } => (format!("{node} dies"), &None),
            Fault::FreezeNode { node, until } => (format!("{node} is silent"), until),
            Fault::ThawNode { node } => (format!("{node} is back"), &None),
            Fault::Drain { node } => (format!("{node} is drained"), &None),
            Fault::KillContainer { namespace, pod, container, exit_code, oom } => {
                let of = container.as_ref().map(|name| format!("{name} of ")).unwrap_or_default();
                let pod = named(namespace, pod);
                let how =
                    if *oom { "has no memory left".to_owned() } else { format!("ends with exit code {exit_code}") };
                (format!("{of}{pod} {how}"), &None)
            }
            Fault::EvictPod { namespace, pod } => (format!("{} is evicted", named(namespace, pod)), &None),
            Fault::FailPull { image, until } => (format!("{image} cannot be pulled"), until),
            Fault::SlowPull { image, seconds, until } => (format!("{image} takes {seconds} s longer to pull"), until),
            Fault::StopController { name, until } => (format!("{name} stands still"), until),
            Fault::SlowApi { delay_ms, until } => (format!("the API takes {delay_ms} ms longer"), until),
        };
        match until {
            Some(span) => format!("{what} for {}", write_span(*span)),
            None => what,
        }
    }
}

fn write_namespace(namespace: &str, value: &mut Value) {
    if namespace != DEFAULT_NAMESPACE {
        value.set("namespace", namespace);
    }
}

/// `a`, or `ns/a` in another namespace than the usual one.
fn named(namespace: &str, pod: &str) -> String {
    if namespace == DEFAULT_NAMESPACE { pod.to_owned() } else { format!("{namespace}/{pod}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let node = || "node-1".to_owned();
        let until = Some(Span::secs(90));
        for (fault, says) in [
            (Fault::KillNode { node: node() }, "node-1 dies"),
            (Fault::FreezeNode { node: node(), until }, "node-1 is silent for 1m30s"),
            (Fault::FreezeNode { node: node(), until: None }, "node-1 is silent"),
            (Fault::ThawNode { node: node() }, "node-1 is back"),
            (Fault::Drain { node: node() }, "node-1 is drained"),
            (
                Fault::KillContainer {
                    namespace: "default".into(),
                    pod: "a".into(),
                    container: Some("b".into()),
                    exit_code: 3,
                    oom: false,
                },
                "b of a ends with exit code 3",
            ),
            (
                Fault::KillContainer {
                    namespace: "team".into(),
                    pod: "a".into(),
                    container: None,
                    exit_code: 137,
                    oom: true,
                },
                "team/a has no memory left",
            ),
            (Fault::EvictPod { namespace: "default".into(), pod: "a".into() }, "a is evicted"),
            (Fault::EvictPod { namespace: "team".into(), pod: "a".into() }, "team/a is evicted"),
            (Fault::FailPull { image: "busybox:1.36".into(), until }, "busybox:1.36 cannot be pulled for 1m30s"),
            (Fault::SlowPull { image: "x".into(), seconds: 20, until: None }, "x takes 20 s longer to pull"),
            (
                Fault::StopController { name: "default-scheduler".into(), until },
                "default-scheduler stands still for 1m30s",
            ),
            (Fault::SlowApi { delay_ms: 500, until }, "the API takes 500 ms longer for 1m30s"),
        ] {
            let parsed = yaml::parse(&fault.write().to_json(), "fault");
            assert_eq!(Fault::read(&parsed.documents[0].value()), Ok(fault.clone()), "{}", fault.write().to_json());
            assert_eq!(fault.says(), says);
        }
    }

    #[test]
    fn slips_are_told() {
        for (text, path, says) in [
            ("{explode: now}", "", "no known fault"),
            ("{kill-node: }", "kill-node", "is needed here"),
            ("{kill-node: node-1, for: 3s}", "for", "`for` is not known here"),
            ("{kill-container: a, contaner: b}", "contaner", "`contaner` is not known here"),
            ("{kill-container: a, exit-code: 256}", "exit-code", "from 0 to 255"),
            ("{kill-container: a, oom: maybe}", "oom", "true or false"),
            ("{evict-pod: a, namespace: ''}", "namespace", "is empty"),
            (
                "{stop-controller: job-controler}",
                "stop-controller",
                "there is no controller job-controler; there is job-controller",
            ),
            ("{slow-api: soon}", "slow-api", "whole number"),
            ("{freeze-node: node-1, for: -3s}", "for", "length of time"),
        ] {
            let wrong = Fault::read(&yaml::parse(text, "fault").documents[0].value()).unwrap_err();
            assert!(wrong.path == path && wrong.message.contains(says), "{text}: {wrong:?}");
        }
    }
}
