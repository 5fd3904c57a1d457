//! `kubectl drain`: cordons a node, evicts its Pods, and waits until they are gone.
//!
//! Rules: recording `node-drain`. Source: `kubectl/pkg/cmd/drain/drain.go`, `kubectl/pkg/drain/{drain,filters}.go`.

use std::rc::Rc;

use crate::host::Desk;
use crate::kubectl::common::{self, DryRun};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, Waiting, cordon};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::selector::Labels;
use api::status::Reason;
use cluster::store::DeleteOptions;
use shell::{Io, Poll};
use values::time::{SimTime, Span};

pub const VERB: Verb = Verb {
    name: "drain",
    summary: "Empty a node before it is taken away",
    usage: "kubectl drain NODE",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("chunk-size", Takes::Number, "Size of the lists that are asked for").default("500"),
    flag("delete-emptydir-data", Takes::Nothing, "Go on although data in emptyDir volumes is lost").default("false"),
    flag("disable-eviction", Takes::Nothing, "Delete instead of evicting").default("false"),
    common::DRY_RUN,
    flag("force", Takes::Nothing, "Also Pods that nothing will replace").default("false"),
    flag("grace-period", Takes::Number, "Seconds a Pod gets to end by itself; negative means its own").default("-1"),
    flag("ignore-daemonsets", Takes::Nothing, "Leave the Pods of DaemonSets alone").default("false"),
    flag("pod-selector", Takes::Text, "Only Pods with these labels"),
    common::SELECTOR,
    flag("skip-wait-for-delete-timeout", Takes::Number, "Do not wait for Pods that are deleted for longer than this")
        .default("0"),
    flag("timeout", Takes::Duration, "How long to wait for each node; 0 is for ever").default("0s"),
];

/// How often it is looked whether Pods are gone.
const LOOK_EVERY: Span = Span::secs(1);

/// Nodes that are drained, one after the other.
#[derive(Clone, Debug)]
pub struct Draining {
    node: String,
    later: Vec<(String, Vec<(Key, String)>)>,
    /// Those that a disruption budget holds back, and when to ask again.
    held: Vec<(SimTime, Key, String)>,
    /// Pods that were evicted and are still there.
    left: Vec<(Key, String)>,
    look_at: SimTime,
    give_up_at: Option<SimTime>,
    timeout: Option<Span>,
    how: How,
}

#[derive(Clone, Copy, Debug)]
struct How {
    delete: bool,
    grace_seconds: Option<i64>,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let (dry_run, grace, timeout) = match (call.dry_run(), call.number("grace-period"), call.duration("timeout")) {
        (Ok(dry_run), Ok(grace), Ok(timeout)) => (dry_run, grace, timeout.filter(|span| span.is_positive())),
        (Err(text), ..) | (_, Err(text), _) | (.., Err(text)) => return call.fail(&text),
    };
    let selector = call.parsed.text("pod-selector").unwrap_or_default();
    if Labels::parse(selector).is_err() {
        return call.fail("--pod-selector=<pod_selector> must be a valid label selector");
    }
    let (nodes, failed) = match cordon::nodes(call) {
        Ok(nodes) => nodes,
        Err(outcome) => return outcome,
    };
    if failed {
        return Outcome::Exit(1);
    }
    if !nodes.iter().all(|node| cordon::mark(call, node, true, dry_run)) {
        return Outcome::Exit(1);
    }
    let mut all = Vec::new();
    for node in &nodes {
        match pods_to_go(call, node.name()) {
            Ok(pods) => all.push((node.name().to_owned(), pods)),
            Err(reasons) => return refused(call, node.name(), &reasons),
        }
    }
    if dry_run != DryRun::No {
        for (node, pods) in all {
            for (key, _) in pods {
                call.io.out(&format!("evicting pod {}/{}{}\n", key.namespace, key.name, dry_run.suffix()));
            }
            call.io.out(&format!("node/{node} drained{}\n", dry_run.suffix()));
        }
        return Outcome::Exit(0);
    }
    let how = How { delete: call.parsed.on("disable-eviction"), grace_seconds: grace.filter(|g| *g >= 0) };
    let now = call.desk.cluster.now();
    let mut draining = Draining {
        node: String::new(),
        later: all,
        left: Vec::new(),
        held: Vec::new(),
        look_at: now,
        give_up_at: None,
        timeout,
        how,
    };
    draining.next_node(call.desk, call.io);
    Outcome::Waits(Waiting::Drain(draining))
}

/// The Pods of a node that are to go.
///
/// # Errors
/// Why some may not, a line each.
fn pods_to_go(call: &mut Call<'_, '_>, node: &str) -> Result<Vec<(Key, String)>, Vec<String>> {
    let labels = match call.parsed.text("pod-selector").map(Labels::parse).transpose() {
        Ok(labels) => labels.unwrap_or_default(),
        Err(text) => return Err(vec![text]),
    };
    let here = |o: &&Rc<Object>| o.pod().spec.node_name == node && labels.matches(&o.meta().labels);
    let pods = call.desk.cluster.store().list(Kind::Pod).filter(here).cloned();
    let is_daemon = |pod: &Rc<Object>| pod.meta().controller().is_some_and(|owner| owner.kind == "DaemonSet");
    let (daemons, pods): (Vec<Rc<Object>>, Vec<Rc<Object>>) = pods.partition(is_daemon);
    let daemons = daemons.iter().map(|o| format!("{}/{}", o.namespace(), o.name())).collect::<Vec<_>>().join(", ");
    let (force, delete_data) = (call.parsed.on("force"), call.parsed.on("delete-emptydir-data"));
    let (mut unmanaged, mut with_data) = (Vec::new(), Vec::new());
    for object in pods.iter().filter(|o| !o.pod().is_terminal()) {
        let name = format!("{}/{}", object.namespace(), object.name());
        if object.pod().spec.volumes.iter().any(|v| v.has("emptyDir")) {
            with_data.push(name.clone());
        }
        if object.meta().controller().is_none() {
            unmanaged.push(name);
        }
    }
    let mut reasons = Vec::new();
    if !daemons.is_empty() && !call.parsed.on("ignore-daemonsets") {
        reasons.push(format!("cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): {daemons}"));
    }
    if !with_data.is_empty() && !delete_data {
        let list = with_data.join(", ");
        reasons.push(format!("cannot delete Pods with local storage (use --delete-emptydir-data to override): {list}"));
    }
    if !unmanaged.is_empty() && !force {
        let list = unmanaged.join(", ");
        reasons.push(format!("cannot delete Pods that declare no controller (use --force to override): {list}"));
    }
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let mut warnings = Vec::new();
    if !daemons.is_empty() {
        warnings.push(format!("ignoring DaemonSet-managed Pods: {daemons}"));
    }
    if !with_data.is_empty() {
        warnings.push(format!("deleting Pods with local storage: {}", with_data.join(", ")));
    }
    if !unmanaged.is_empty() {
        warnings.push(format!("deleting Pods that declare no controller: {}", unmanaged.join(", ")));
    }
    if !warnings.is_empty() {
        call.io.err(&format!("Warning: {}\n", warnings.join("; ")));
    }
    Ok(pods.iter().map(|o| (o.key(), o.uid().to_owned())).collect())
}

fn refused(call: &mut Call<'_, '_>, node: &str, reasons: &[String]) -> Outcome {
    let all = if let [one] = reasons { one.clone() } else { format!("[{}]", reasons.join(", ")) };
    call.io.err(&format!(
        "error: unable to drain node \"{node}\" due to error: {all}, continuing command...\nThere are pending nodes to be \
         drained:\n {node}\n{}\n",
        reasons.join("\n")
    ));
    Outcome::Exit(1)
}

/// How long a Pod that a budget holds back is left alone.
const RETRY_EVERY: Span = Span::secs(5);

fn will_retry(pod: &Key, why: &str) -> String {
    format!("error when evicting pods/\"{}\" -n \"{}\" (will retry after 5s): {why}\n", pod.name, pod.namespace)
}

impl Draining {
    /// Evicts the Pods of the next node. False if there is none.
    fn next_node(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> bool {
        if self.later.is_empty() {
            return false;
        }
        let now = desk.cluster.now();
        let (node, pods) = self.later.remove(0);
        self.node = node;
        self.give_up_at = self.timeout.map(|timeout| now + timeout);
        self.look_at = now;
        self.left = Vec::new();
        self.held = Vec::new();
        for (key, uid) in pods {
            let doing = if self.how.delete { "deleting" } else { "evicting" };
            io.out(&format!("{doing} pod {}/{}\n", key.namespace, key.name));
            let options = DeleteOptions { grace_period_seconds: self.how.grace_seconds, ..DeleteOptions::default() };
            let done = desk.cluster.api("user", |api| match self.how.delete {
                true => api.delete(&key, &options),
                false => api.evict(&key).and_then(|()| match self.how.grace_seconds {
                    Some(_) => api.delete(&key, &options),
                    None => Ok(()),
                }),
            });
            match done {
                Ok(()) => self.left.push((key, uid)),
                Err(error) if error.reason == Reason::TooManyRequests => {
                    io.err(&will_retry(&key, &error.message));
                    self.held.push((now + RETRY_EVERY, key, uid));
                }
                // What is gone already needs no eviction.
                Err(_) => {}
            }
        }
        true
    }

    /// Asks again for those that a disruption budget held back.
    fn retry(&mut self, desk: &mut Desk<'_>, io: &mut Io) {
        let now = desk.cluster.now();
        for (at, key, uid) in std::mem::take(&mut self.held) {
            if at > now {
                self.held.push((at, key, uid));
                continue;
            }
            io.out(&format!("evicting pod {}/{}\n", key.namespace, key.name));
            match desk.cluster.api("user", |api| api.evict(&key)) {
                Err(error) if error.reason == Reason::TooManyRequests => {
                    io.err(&will_retry(&key, &error.message));
                    self.held.push((now + RETRY_EVERY, key, uid));
                }
                Ok(()) => self.left.push((key, uid)),
                Err(_) => {}
            }
        }
    }

    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let now = desk.cluster.now();
        while now >= self.look_at {
            self.retry(desk, io);
            let store = desk.cluster.store();
            let delete = self.how.delete;
            self.left.retain(|(key, uid)| {
                let there = store.get(key).is_some_and(|o| o.uid() == uid);
                if !there {
                    io.out(&format!("pod/{} {}\n", key.name, if delete { "deleted" } else { "evicted" }));
                }
                there
            });
            if self.left.is_empty() && self.held.is_empty() {
                io.out(&format!("node/{} drained\n", self.node));
                if !self.next_node(desk, io) {
                    return Poll::Exit(0);
                }
                continue;
            }
            if let Some(at) = self.give_up_at.filter(|at| now >= *at) {
                let waited = at.since(at - self.timeout.unwrap_or_default()).as_secs();
                let text = match self.left.first() {
                    Some((pod, _)) => format!(
                        "error when waiting for pod \"{}\" in namespace \"{}\" to terminate: global timeout reached: {waited}s",
                        pod.name, pod.namespace
                    ),
                    None => format!(
                        "error when evicting pods/\"{}\" -n \"{}\": global timeout reached: {waited}s",
                        self.held[0].1.name, self.held[0].1.namespace
                    ),
                };
                io.err(&format!(
                    "error: unable to drain node \"{0}\" due to error: {text}, continuing command...\nThere are pending \
                     nodes to be drained:\n {0}\n{text}\n",
                    self.node
                ));
                return Poll::Exit(1);
            }
            self.look_at = now + LOOK_EVERY;
        }
        Poll::SleepUntil(self.look_at)
    }
}
