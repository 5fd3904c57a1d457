//! The time line: what each Pod's sign was, and when.
//!
//! Rule: the past is written down as it happens, from the log of changes; nothing is worked out backwards.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::view::scene::{owner_text, sign_of};
use crate::view::{Lane, Mark, MarkKind, Segment, Sign};
use api::kind::Kind;
use cluster::store::{Change, ChangeType};
use values::hashed::Hashed;
use values::time::SimTime;
use values::value::Text;

/// How many finished rows are kept; the oldest go first.
const LANES_MAX: usize = 2_000;

/// All that the time line remembers of a run.
#[derive(Clone, Debug, Default)]
pub struct History {
    lanes: BTreeMap<Hashed, Rc<PodHistory>>,
    /// Uids in the order in which their Pods came.
    order: Vec<Rc<str>>,
    /// How many rows there may be before the next look at what can go.
    trim_at: usize,
    marks: Vec<(SimTime, MarkKind, String)>,
}

#[derive(Clone, Debug)]
struct PodHistory {
    namespace: String,
    name: String,
    owner: String,
    signs: Vec<(SimTime, Sign, Text)>,
    gone: Option<SimTime>,
}

impl History {
    /// Takes note of one change.
    pub fn observe(&mut self, change: &Change) {
        match change.kind() {
            Kind::Pod => self.observe_pod(change),
            Kind::Job => self.observe_job(change),
            _ => {}
        }
    }

    /// Marks something the user did.
    pub fn mark_input(&mut self, at: SimTime, text: &str) {
        self.marks.push((at, MarkKind::Input, text.to_owned()));
    }

    /// Rows, oldest Pod first, in milliseconds since `start`.
    pub fn lanes(&self, start: SimTime) -> Vec<Lane> {
        let ms = |at: SimTime| at.since(start).as_ms();
        self.order
            .iter()
            .filter_map(|uid| self.lanes.get(&Rc::clone(uid).into()).map(|pod| (uid, pod)))
            .map(|(uid, pod)| Lane {
                uid: uid.to_string(),
                namespace: pod.namespace.clone(),
                name: pod.name.clone(),
                short: super::scene::short_name(&pod.name),
                owner: pod.owner.clone(),
                segments: pod.segments(&ms),
                gone_ms: pod.gone.map(ms),
            })
            .collect()
    }

    pub fn marks(&self, start: SimTime) -> Vec<Mark> {
        let mark = |(at, kind, text): &(SimTime, MarkKind, String)| Mark {
            at_ms: at.since(start).as_ms(),
            kind: *kind,
            text: text.clone(),
        };
        self.marks.iter().map(mark).collect()
    }

    fn observe_pod(&mut self, change: &Change) {
        let object = &change.object;
        let uid = Hashed::from(object.shared_uid());
        if change.previous.is_none() && !self.lanes.contains_key(&uid) {
            self.order.push(object.shared_uid());
            let owner = owner_text(object.meta());
            let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
            let pod = PodHistory { namespace, name, owner, signs: Vec::new(), gone: None };
            self.lanes.insert(uid.clone(), Rc::new(pod));
            self.drop_oldest();
        }
        let Some(history) = self.lanes.get_mut(&uid).map(Rc::make_mut) else { return };
        if change.change == ChangeType::Deleted {
            history.gone = Some(change.at);
            return;
        }
        let (sign, word) = sign_of(object.pod());
        if history.signs.last().is_none_or(|(_, last, text)| (*last, text.as_str()) != (sign, word.as_str())) {
            history.signs.push((change.at, sign, word));
        }
    }

    fn observe_job(&mut self, change: &Change) {
        let job = change.object.job();
        if change.change == ChangeType::Added {
            if job.metadata.controller().is_some_and(|owner| owner.kind == "CronJob") {
                self.marks.push((change.at, MarkKind::Cron, job.metadata.name.to_string()));
            }
            return;
        }
        let before = change.previous.as_ref().and_then(|p| p.job().finished().map(|c| c.kind.clone()));
        let Some(condition) = job.finished().filter(|_| before.is_none()) else { return };
        let kind = if condition.kind == "Complete" { MarkKind::Complete } else { MarkKind::Failed };
        self.marks.push((change.at, kind, job.metadata.name.to_string()));
    }

    /// Drops rows of Pods that are gone, the oldest first; looks only when the rows have doubled since the last time.
    fn drop_oldest(&mut self) {
        if self.order.len() <= self.trim_at.max(LANES_MAX) {
            return;
        }
        let over = self.order.len() - LANES_MAX;
        let (mut dropped, lanes) = (0, &mut self.lanes);
        self.order.retain(|uid| {
            let key = Hashed::from(Rc::clone(uid));
            let old = dropped < over && lanes.get(&key).is_none_or(|pod| pod.gone.is_some());
            if old {
                dropped += 1;
                lanes.remove(&key);
            }
            !old
        });
        self.trim_at = 2 * self.order.len();
    }
}

impl PodHistory {
    fn segments(&self, ms: &impl Fn(SimTime) -> i64) -> Vec<Segment> {
        let ends = self.signs.iter().skip(1).map(|(at, _, _)| Some(*at)).chain([self.gone]);
        self.signs
            .iter()
            .zip(ends)
            .map(|((from, sign, word), to)| Segment {
                sign: *sign,
                word: word.to_string(),
                from_ms: ms(*from),
                to_ms: to.map(ms),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cluster::Cluster;
    use cluster::store::{DeleteOptions, Entry};
    use values::time::Span;
    use values::value::Value;
    use values::zone::ZoneTable;

    fn tell(history: &mut History, cluster: &mut Cluster) {
        for entry in cluster.take_log() {
            if let Entry::Change(change) = entry {
                history.observe(&change);
            }
        }
    }

    fn come(history: &mut History, cluster: &mut Cluster, number: usize) {
        let pod = format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p{number:05}"}},"spec":
            {{"containers":[{{"name":"a","image":"busybox"}}]}}}}"#
        );
        let pod = Value::from_json(&pod).expect("JSON");
        cluster.api("test", |api| api.create(pod)).expect("a Pod");
        tell(history, cluster);
    }

    fn go(history: &mut History, cluster: &mut Cluster, number: usize) {
        let key = api::meta::Key::new(Kind::Pod, "default", &format!("p{number:05}"));
        cluster.api("test", |api| api.delete(&key, &DeleteOptions::default())).expect("it was there");
        tell(history, cluster);
    }

    #[test]
    fn a_row_has_a_stretch_for_each_sign_and_ends_with_its_pod() {
        let mut cluster = terminal::empty_cluster(&ZoneTable::default());
        let (mut history, start) = (History::default(), cluster.now());
        come(&mut history, &mut cluster, 1);
        cluster.set_now(start + Span::secs(3));
        let key = api::meta::Key::new(Kind::Pod, "default", "p00001");
        for phase in ["Failed", "Failed"] {
            cluster
                .api("test", |api| api.patch_status(&key, |status| status.set("phase", phase)))
                .expect("it is there");
        }
        tell(&mut history, &mut cluster);
        cluster.set_now(start + Span::secs(5));
        go(&mut history, &mut cluster, 1);
        let lanes = history.lanes(start);
        let stretches: Vec<_> = lanes[0].segments.iter().map(|s| (s.sign, s.from_ms, s.to_ms)).collect();
        assert_eq!(stretches, [(Sign::Waits, 0, Some(3000)), (Sign::Failed, 3000, Some(5000))]);
        assert_eq!((lanes[0].gone_ms, lanes.len()), (Some(5000), 1));
    }

    #[test]
    fn the_oldest_rows_of_pods_that_are_gone_are_dropped() {
        let mut cluster = terminal::empty_cluster(&ZoneTable::default());
        let mut history = History::default();
        // The very first stays, and so does its row.
        come(&mut history, &mut cluster, 0);
        let mut rows = Vec::new();
        for number in 1..=2 * LANES_MAX + 1 {
            come(&mut history, &mut cluster, number);
            rows.push(history.order.len());
            go(&mut history, &mut cluster, number);
        }
        assert!(rows.iter().all(|rows| *rows <= 2 * LANES_MAX), "rows grow without end");
        assert_eq!(history.order.len(), history.lanes.len());
        let lanes = history.lanes(cluster.now());
        assert_eq!(lanes.first().map(|lane| lane.name.as_str()), Some("p00000"));
        assert_eq!(lanes.last().map(|lane| lane.name.clone()), Some(format!("p{:05}", 2 * LANES_MAX + 1)));
        let newest = lanes.len() - 1;
        let kept: Vec<usize> = lanes[1..].iter().map(|lane| lane.name[1..].parse().expect("a number")).collect();
        let expected: Vec<usize> = (2 * LANES_MAX + 2 - newest..=2 * LANES_MAX + 1).collect();
        assert_eq!(kept, expected, "the oldest go first");
    }
}
