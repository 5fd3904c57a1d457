//! What can go wrong from outside, in a scenario and on the page.
//!
//! Rules: `docs/scenario.md`, "Faults".

use values::duration::GoDuration;
use values::time::Span;
use values::value::Value;

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
        pod: String,
        container: Option<String>,
        exit_code: i32,
        oom: bool,
    },
    /// The Pod is evicted through the API.
    EvictPod {
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

impl Fault {
    /// Reads `{kill-node: node-1}` and its like: one name, and further keys that belong to it.
    ///
    /// # Errors
    /// What is missing or unknown.
    pub fn read(value: &Value) -> Result<Fault, String> {
        const NAMES: &str = "kill-node, freeze-node, thaw-node, drain, kill-container, evict-pod, fail-pull, slow-pull, \
                             stop-controller, slow-api";
        let map = value.as_map().ok_or("a fault is a map such as {kill-node: node-1}")?;
        let word = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
        let until = match map.get("for") {
            None => None,
            Some(value) => Some(read_span(value).ok_or("`for` is a length of time such as 30s")?),
        };
        let fault = if let Some(node) = word("kill-node") {
            Fault::KillNode { node }
        } else if let Some(node) = word("freeze-node") {
            Fault::FreezeNode { node, until }
        } else if let Some(node) = word("thaw-node") {
            Fault::ThawNode { node }
        } else if let Some(node) = word("drain") {
            Fault::Drain { node }
        } else if let Some(pod) = word("kill-container") {
            let exit_code = map.get("exit-code").and_then(Value::as_i64).unwrap_or(137);
            let exit_code = i32::try_from(exit_code).map_err(|_| "`exit-code` is a number from 0 to 255")?;
            let oom = map.get("oom").and_then(Value::as_bool).unwrap_or(false);
            Fault::KillContainer { pod, container: word("container"), exit_code, oom }
        } else if let Some(pod) = word("evict-pod") {
            Fault::EvictPod { pod }
        } else if let Some(image) = word("fail-pull") {
            Fault::FailPull { image, until }
        } else if let Some(image) = word("slow-pull") {
            let seconds = map.get("seconds").and_then(Value::as_i64).unwrap_or(30);
            Fault::SlowPull { image, seconds, until }
        } else if let Some(name) = word("stop-controller") {
            Fault::StopController { name, until }
        } else if let Some(delay_ms) = map.get("slow-api").and_then(Value::as_i64) {
            Fault::SlowApi { delay_ms, until }
        } else {
            return Err(format!("this is no known fault; there is {NAMES}"));
        };
        Ok(fault)
    }

    /// As a scenario has it: `{freeze-node: node-1, for: 60s}`. [`Fault::read`] reads it back.
    pub fn text(&self) -> String {
        let (what, until) = match self {
            Fault::KillNode { node } => (format!("kill-node: {node}"), &None),
            Fault::FreezeNode { node, until } => (format!("freeze-node: {node}"), until),
            Fault::ThawNode { node } => (format!("thaw-node: {node}"), &None),
            Fault::Drain { node } => (format!("drain: {node}"), &None),
            Fault::KillContainer { pod, container, exit_code, oom } => {
                let container = container.as_ref().map(|name| format!(", container: {name}")).unwrap_or_default();
                (format!("kill-container: {pod}{container}, exit-code: {exit_code}, oom: {oom}"), &None)
            }
            Fault::EvictPod { pod } => (format!("evict-pod: {pod}"), &None),
            Fault::FailPull { image, until } => (format!("fail-pull: {image:?}"), until),
            Fault::SlowPull { image, seconds, until } => (format!("slow-pull: {image:?}, seconds: {seconds}"), until),
            Fault::StopController { name, until } => (format!("stop-controller: {name}"), until),
            Fault::SlowApi { delay_ms, until } => (format!("slow-api: {delay_ms}"), until),
        };
        match until {
            Some(span) => format!("{{{what}, for: {}}}", GoDuration::from(*span)),
            None => format!("{{{what}}}"),
        }
    }

    /// In plain words, for the time line and for whoever listens: `node-1 is silent for 1m0s`.
    pub fn says(&self) -> String {
        let (what, until) = match self {
            Fault::KillNode { node } => (format!("{node} dies"), &None),
            Fault::FreezeNode { node, until } => (format!("{node} is silent"), until),
            Fault::ThawNode { node } => (format!("{node} is back"), &None),
            Fault::Drain { node } => (format!("{node} is drained"), &None),
            Fault::KillContainer { pod, container, exit_code, oom } => {
                let of = container.as_ref().map(|name| format!("{name} of ")).unwrap_or_default();
                let how =
                    if *oom { "has no memory left".to_owned() } else { format!("ends with exit code {exit_code}") };
                (format!("{of}{pod} {how}"), &None)
            }
            Fault::EvictPod { pod } => (format!("{pod} is evicted"), &None),
            Fault::FailPull { image, until } => (format!("{image} cannot be pulled"), until),
            Fault::SlowPull { image, seconds, until } => (format!("{image} takes {seconds} s longer to pull"), until),
            Fault::StopController { name, until } => (format!("{name} stands still"), until),
            Fault::SlowApi { delay_ms, until } => (format!("the API takes {delay_ms} ms longer"), until),
        };
        match until {
            Some(span) => format!("{what} for {}", GoDuration::from(*span)),
            None => what,
        }
    }
}

/// `12s`, `1.5s`, `250ms`, `2m`, `1h30m`, or a bare number of seconds.
pub(super) fn read_span(value: &Value) -> Option<Span> {
    let text = match value {
        Value::Int(seconds) => return Some(Span::secs(*seconds)),
        Value::Float(seconds) if seconds.is_finite() => return Some(Span::ms((seconds * 1000.0).round() as i64)),
        Value::Str(text) => text,
        _ => return None,
    };
    text.parse::<GoDuration>().ok().map(GoDuration::to_span)
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
                Fault::KillContainer { pod: "a".into(), container: Some("b".into()), exit_code: 3, oom: false },
                "b of a ends with exit code 3",
            ),
            (
                Fault::KillContainer { pod: "a".into(), container: None, exit_code: 137, oom: true },
                "a has no memory left",
            ),
            (Fault::EvictPod { pod: "a".into() }, "a is evicted"),
            (Fault::FailPull { image: "busybox:1.36".into(), until }, "busybox:1.36 cannot be pulled for 1m30s"),
            (Fault::SlowPull { image: "x".into(), seconds: 20, until: None }, "x takes 20 s longer to pull"),
            (
                Fault::StopController { name: "default-scheduler".into(), until },
                "default-scheduler stands still for 1m30s",
            ),
            (Fault::SlowApi { delay_ms: 500, until }, "the API takes 500 ms longer for 1m30s"),
        ] {
            let parsed = yaml::parse(&fault.text(), "fault");
            assert_eq!(Fault::read(&parsed.documents[0].value()), Ok(fault.clone()), "{}", fault.text());
            assert_eq!(fault.says(), says);
        }
    }
}
