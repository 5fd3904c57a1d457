//! What the scheduler writes: bindings, the words about Pods that fit nowhere, and the end of those pushed out.
//!
//! Rules: `docs/semantics/scheduler.md` §3; recorded in `priorities`: the preemptor's condition first, then the victims
//! one after the other, each marked, deleted and told of. Source: `pkg/scheduler/schedule_one.go` (`bind`,
//! `handleSchedulingFailure`), `framework/preemption/executor.go`.

use std::rc::Rc;

use crate::sched::Scheduler;
use crate::sched::cache::PodInfo;
use crate::sched::queue::Entry;
use crate::sched::volumes::{self, Claims};
use crate::store::{Api, Cause, DeleteOptions, EventType, Happened, Rule, Subject};
use api::condition::{NewCondition, set_pod_condition};
use api::meta::Key;
use values::time::{SimTime, Span};

/// From the choice of victims to the first deletion, and between deletions.
const FIRST_EVICTION: Span = Span::ms(14);
const NEXT_EVICTION: Span = Span::ms(13);

/// How often a binding looks whether the Pod's claims have their volumes.
const CLAIMS_LOOK: Span = Span::ms(100);

/// A binding that is on its way.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    pub(super) key: Key,
    pub(super) uid: String,
    pub(super) node: String,
    pub(super) cause: Cause,
}

/// A Pod that is about to be pushed out.
#[derive(Clone, Debug)]
pub(super) struct Eviction {
    pub(super) key: Key,
    pub(super) uid: String,
    pub(super) node: String,
    pub(super) preemptor_uid: String,
    pub(super) cause: Cause,
}

impl Scheduler {
    /// The event and the condition of a Pod that found no node.
    pub(super) fn report(
        &mut self,
        api: &mut Api<'_>,
        entry: &Entry,
        message: &str,
        nominate: Option<&Option<String>>,
    ) {
        let key = &entry.info.key;
        let Some(object) = api.get(key).filter(|object| object.uid() == entry.info.object.uid()) else { return };
        api.event_series(&object, EventType::Warning, "FailedScheduling", "Scheduling", message);
        if let Some(node) = nominate {
            self.queue.nominate(key, node.as_deref());
        }
        let condition = NewCondition {
            kind: "PodScheduled",
            status: "False",
            reason: "Unschedulable",
            message,
            observed_generation: object.meta().generation,
        };
        let now = api.now();
        let written = api.patch_status(key, |status| {
            set_pod_condition(status, condition, now);
            match nominate {
                Some(Some(node)) => status.set("nominatedNodeName", node.as_str()),
                Some(None) => {
                    status.remove("nominatedNodeName");
                }
                None => {}
            }
        });
        debug_assert!(written.is_ok(), "the Pod is there: {written:?}");
    }

    /// Plans the deletion of the victims, one after the other.
    pub(super) fn evict_for(
        &mut self,
        entry: &Entry,
        nominate: Option<Option<String>>,
        victims: Vec<Rc<PodInfo>>,
        now: SimTime,
        api: &mut Api<'_>,
    ) {
        let Some(Some(node)) = nominate else { return };
        let mut at = now + FIRST_EVICTION;
        for victim in victims {
            let eviction = Eviction {
                key: victim.key.clone(),
                uid: victim.object.uid().to_owned(),
                node: node.clone(),
                preemptor_uid: entry.info.object.uid().to_owned(),
                cause: entry.cause,
            };
            let turn = self.turn();
            self.evictions.insert((at, turn), eviction);
            at += NEXT_EVICTION;
        }
        // Less important Pods that were meant for this node have to look again.
        let lesser: Vec<Key> = self
            .queue
            .nominated_to(&node)
            .filter(|other| other.priority() < entry.info.priority())
            .map(|other| other.key.clone())
            .collect();
        for key in lesser {
            self.queue.nominate(&key, None);
            let _gone = api.patch_status(&key, |status| {
                status.remove("nominatedNodeName");
            });
        }
    }

    pub(super) fn bind(&mut self, api: &mut Api<'_>, binding: Binding) {
        let still_there = api.get(&binding.key).filter(|o| o.uid() == binding.uid && !o.meta().is_being_deleted());
        let Some(pod) = still_there else {
            self.cache.remove_pod(&binding.key);
            return;
        };
        api.set_cause(binding.cause.rule(Rule::SchedulerBind));
        if !pod.pod().spec.volumes.is_empty() {
            let info = PodInfo::new(&pod);
            match volumes::settle(api, &info, &binding.node) {
                Claims::Bound => {}
                Claims::Awaited => {
                    let turn = self.turn();
                    self.bindings.insert((api.now() + CLAIMS_LOOK, turn), binding);
                    return;
                }
                Claims::Gone => {
                    self.cache.remove_pod(&binding.key);
                    self.queue.add(info, false, api.now(), binding.cause);
                    return;
                }
            }
        }
        match api.bind(&binding.key, &binding.node) {
            Ok(bound) => {
                let (pod, node) = (&binding.key, &binding.node);
                let message = format!("Successfully assigned {}/{} to {node}", pod.namespace, pod.name);
                api.event_series(&bound, EventType::Normal, "Scheduled", "Binding", &message);
            }
            Err(_) => {
                self.cache.remove_pod(&binding.key);
            }
        }
    }

    pub(super) fn evict(&mut self, api: &mut Api<'_>, eviction: &Eviction) {
        let Some(victim) = api.get(&eviction.key).filter(|o| o.uid() == eviction.uid) else { return };
        api.set_cause(eviction.cause.rule(Rule::SchedulerPreempt));
        if !victim.meta().is_being_deleted() {
            let by = Rc::from(eviction.preemptor_uid.as_str());
            api.note(Subject::from(&*victim), Happened::Preempted { by });
            let condition = NewCondition {
                kind: "DisruptionTarget",
                status: "True",
                reason: "PreemptionByScheduler",
                message: "default-scheduler: preempting to accommodate a higher priority pod",
                observed_generation: victim.meta().generation,
            };
            let now = api.now();
            let marked = api.patch_status(&eviction.key, |status| set_pod_condition(status, condition, now));
            debug_assert!(marked.is_ok(), "the victim is there: {marked:?}");
            let deleted = api.delete(&eviction.key, &DeleteOptions::default());
            debug_assert!(deleted.is_ok(), "the victim is there: {deleted:?}");
        }
        let message = format!("Preempted by pod {} on node {}", eviction.preemptor_uid, eviction.node);
        api.event_series(&victim, EventType::Normal, "Preempted", "Preempting", &message);
    }
}
