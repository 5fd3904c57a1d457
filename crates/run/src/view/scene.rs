//! The stage: Jobs, nodes, Pods and their signs, read off the store.
//!
//! Rule: one place decides which sign a Pod has; stage and time line both ask here.

use std::rc::Rc;

use crate::view::{
    Candle, ConditionRow, CronCard, EventRow, History, JobCard, NodePlace, Place, PodToken, ServiceCard, Sign, View,
};
use api::batch::Job;
use api::columns::{completions, job_status, node_status, pod_columns};
use api::kind::Kind;
use api::meta::ObjectMeta;
use api::object::Object;
use api::pod::Pod;
use cluster::Cluster;
use cluster::actor::Hold;
use cluster::net::endpoints;
use cluster::program::ANNOTATION;
use cluster::program::image::Images;
use cluster::program::reference::Reference;
use cluster::sched::{Resources, pod_requests};
use cluster::store::Store;
use values::quantity::Quantity;
use values::sort::{sort, sort_by};
use values::sorted::SortedMap;
use values::time::{SimTime, Span};
use values::value::Text;

/// Draws the whole picture.
pub fn scene(cluster: &Cluster, history: &History, start: SimTime) -> View {
    let store = cluster.store();
    let ms = |at: SimTime| at.since(start).as_ms();
    let pods: Vec<&Rc<Object>> = store.list(Kind::Pod).collect();
    let mut unknown = Unknown { images: cluster.images(), asked: SortedMap::new() };
    let mut tokens: Vec<PodToken> = pods.iter().map(|pod| pod_token(pod, cluster, &ms, &mut unknown)).collect();
    sort_by(&mut tokens, |a, b| (a.created_ms, &a.name).cmp(&(b.created_ms, &b.name)));
    let mut jobs: Vec<JobCard> = store.list(Kind::Job).map(|object| job_card(object, cluster, &ms)).collect();
    sort_by(&mut jobs, |a, b| (a.created_ms, &a.name).cmp(&(b.created_ms, &b.name)));
    // The store's own order: the times of events are as coarse as a second, or finer, as their writers please.
    let mut events: Vec<(u64, EventRow)> =
        store.list(Kind::Event).map(|event| (event.resource_version(), event_row(event, &ms))).collect();
    sort_by(&mut events, |a, b| a.0.cmp(&b.0));
    let events = events.into_iter().map(|(_, row)| row).collect();
    View {
        now_ms: ms(cluster.now()),
        wall_clock: wall_clock(cluster.now()),
        jobs: Rc::new(jobs),
        cron_jobs: Rc::new(store.list(Kind::CronJob).map(|object| cron_card(object, cluster, &ms)).collect()),
        nodes: Rc::new(store.list(Kind::Node).map(|node| node_place(node, &pods)).collect()),
        services: Rc::new(services(store)),
        pods: Rc::new(tokens),
        lanes: Rc::new(history.lanes(start)),
        marks: Rc::new(history.marks(start)),
        events: Rc::new(events),
    }
}

/// `2026-11-21 08:00:42 UTC`
pub(crate) fn wall_clock(now: SimTime) -> String {
    now.format("%Y-%m-%d %H:%M:%S UTC")
}

/// A Pod's sign, and a word that says a little more than the sign's own.
pub(crate) fn sign_of(pod: &Pod) -> (Sign, Text) {
    let status = &pod.status;
    let ended = status.container_statuses.iter().find_map(|c| c.state.terminated.as_ref());
    if status.phase == "Succeeded" {
        return (Sign::Done, Text::Known(Sign::Done.word()));
    }
    if status.phase == "Failed" {
        let word = match ended {
            _ if status.reason == "Evicted" || status.reason == "DeadlineExceeded" => status.reason.clone(),
            Some(ended) if ended.reason == "OOMKilled" => Text::Known("OOMKilled"),
            Some(ended) => format!("exit {}", ended.exit_code).into(),
            None => Text::Known(Sign::Failed.word()),
        };
        return (Sign::Failed, word);
    }
    if pod.metadata.is_being_deleted() {
        return (Sign::Ends, Text::Known(Sign::Ends.word()));
    }
    if pod.spec.node_name.is_empty() {
        let scheduled = pod.condition("PodScheduled");
        return match scheduled.map(|c| c.reason.as_str()) {
            Some("Unschedulable") => (Sign::NoRoom, Text::Known(Sign::NoRoom.word())),
            Some("SchedulingGated") => (Sign::Waits, Text::Known("gated")),
            _ => (Sign::Waits, Text::Known(Sign::Waits.word())),
        };
    }
    bound_sign(pod)
}

/// The sign of a Pod that has a node and has not ended.
fn bound_sign(pod: &Pod) -> (Sign, Text) {
    let columns = pod_columns(pod);
    let backs_off = |word: Text| (Sign::BacksOff, word);
    match columns.status.trim_start_matches("Init:") {
        "CrashLoopBackOff" => backs_off(format!("backs off, {} so far", columns.restarts).into()),
        "ImagePullBackOff" | "ErrImagePull" => backs_off(Text::Known("no image")),
        "Error" | "OOMKilled" | "StartError" | "RunContainerError" if pod.spec.restart_policy != "Never" => {
            backs_off(Text::Known("will restart"))
        }
        // Every container has ended and the kubelet is about to say so: the Pod's phase is still Running.
        "Completed" if pod.spec.restart_policy != "Always" => (Sign::Runs, Text::Known("finishes")),
        "Running" | "NotReady" | "Completed" | "Error" => (Sign::Runs, Text::Known(Sign::Runs.word())),
        "ContainerCreating" | "PodInitializing" => (Sign::Starts, Text::Known(Sign::Starts.word())),
        other => (Sign::Starts, other.into()),
    }
}

/// The images that nobody here knows, asked once for each name.
struct Unknown<'a> {
    images: &'a Images,
    asked: SortedMap<Text, bool>,
}

impl Unknown<'_> {
    /// The first image of a Pod whose programs are stood in for.
    fn image_of<'p>(&mut self, pod: &'p Pod) -> Option<&'p Text> {
        let described = pod.metadata.annotations.iter().any(|(name, _)| name.starts_with(ANNOTATION));
        let containers = pod.spec.init_containers.iter().chain(&pod.spec.containers).filter(|_| !described);
        containers.map(|container| &container.image).find(|image| {
            let known = self.asked.get(*image).copied();
            known.unwrap_or_else(|| {
                let reference = Reference::parse(image).ok();
                let unknown = reference.is_some_and(|reference| self.images.is_unmodelled(&reference));
                self.asked.insert((*image).clone(), unknown);
                unknown
            })
        })
    }
}

fn pod_token(object: &Object, cluster: &Cluster, ms: &impl Fn(SimTime) -> i64, unknown: &mut Unknown<'_>) -> PodToken {
    let pod = object.pod();
    let meta = object.meta();
    let columns = pod_columns(pod);
    let (sign, word) = sign_of(pod);
    let place = match sign {
        Sign::Done | Sign::Failed => Place::Finished,
        _ if pod.spec.node_name.is_empty() => Place::Waiting,
        _ => Place::Node(pod.spec.node_name.to_string()),
    };
    let hold = cluster.next_start(object).filter(|_| sign == Sign::BacksOff);
    let inits = pod.spec.init_containers.iter();
    let stood_in_for = unknown.image_of(pod);
    PodToken {
        uid: object.uid().to_owned(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        short: short_name(object.name()),
        owner: owner_text(meta),
        index: meta.annotations.get(api::batch::JOB_COMPLETION_INDEX).map(|index| index.to_string()),
        place,
        sign,
        word: word.to_string(),
        status: columns.status.to_string(),
        ready: format!("{}/{}", columns.ready, columns.total),
        restarts: columns.restarts,
        since_ms: since(pod, sign, hold).map_or(0, ms),
        until_ms: until(pod, sign, hold).map(ms),
        created_ms: meta.creation_timestamp.map_or(0, ms),
        containers: inits.chain(&pod.spec.containers).map(|c| c.name.to_string()).collect(),
        stands_in: stood_in_for.is_some(),
        note: match (note(pod), stood_in_for) {
            (text, Some(image)) if text.is_empty() => {
                format!("Batchyard does not know what is in {image}: it is not run, but taken to succeed.")
            }
            (text, _) => text,
        },
    }
}

/// Since when the sign holds, to the second the API keeps; a back-off (`hold`) as the kubelet knows it.
fn since(pod: &Pod, sign: Sign, hold: Option<Hold>) -> Option<SimTime> {
    let meta = &pod.metadata;
    let states = || pod.status.container_statuses.iter().map(|c| &c.state);
    let known = match sign {
        Sign::Waits | Sign::NoRoom => meta.creation_timestamp,
        Sign::Starts => pod.status.start_time,
        Sign::Runs => states().filter_map(|s| s.running.as_ref()?.started_at).max(),
        Sign::Done | Sign::Failed => states().filter_map(|s| s.terminated.as_ref()?.finished_at).max(),
        Sign::BacksOff => hold.map(|hold| hold.from),
        Sign::Ends => {
            let grace = Span::secs(meta.deletion_grace_period_seconds.unwrap_or(0));
            meta.deletion_timestamp.map(|due| due - grace)
        }
    };
    known.or(meta.creation_timestamp)
}

/// When the sign ends by itself, as far as the object and the kubelet tell.
fn until(pod: &Pod, sign: Sign, hold: Option<Hold>) -> Option<SimTime> {
    match sign {
        Sign::Ends => pod.metadata.deletion_timestamp,
        Sign::BacksOff => hold.map(|hold| hold.until),
        _ => None,
    }
}

/// The message of whatever holds the Pod up or ended it.
fn note(pod: &Pod) -> String {
    let status = &pod.status;
    let containers = || status.init_container_statuses.iter().chain(&status.container_statuses);
    let waiting = containers().filter_map(|c| c.state.waiting.as_ref()).map(|w| w.message.as_str());
    let ended = containers().filter_map(|c| c.state.terminated.as_ref()).map(|t| t.message.as_str());
    let unscheduled = pod.condition("PodScheduled").filter(|c| c.status == "False").map(|c| c.message.as_str());
    [status.message.as_str()]
        .into_iter()
        .chain(unscheduled)
        .chain(waiting)
        .chain(ended)
        .find(|text| !text.is_empty())
        .unwrap_or_default()
        .to_owned()
}

fn job_card(object: &Object, cluster: &Cluster, ms: &impl Fn(SimTime) -> i64) -> JobCard {
    let job = object.job();
    let (spec, status) = (&job.spec, &job.status);
    let limited = spec.backoff_limit_per_index.is_none();
    let hold = cluster.next_try(object).filter(|_| wants_pods(job));
    let word = job_status(job);
    let maker = job.metadata.controller().filter(|owner| owner.kind == "CronJob");
    JobCard {
        uid: object.uid().to_owned(),
        name: job.metadata.name.to_string(),
        owner: owner_text(&job.metadata),
        cron_job: maker.map(|owner| owner.name.to_string()),
        status: word.to_owned(),
        sign: job_sign(word),
        settled: is_settled(job),
        active: status.active.into(),
        ready: status.ready.unwrap_or(0).into(),
        succeeded: status.succeeded.into(),
        failed: status.failed.into(),
        terminating: status.terminating.unwrap_or(0).into(),
        completions: spec.completions.map(i64::from),
        completions_text: completions(job),
        parallelism: spec.parallelism.unwrap_or(1).into(),
        fails_at: spec.backoff_limit.filter(|_| limited).map(|limit| i64::from(limit) + 1),
        suspended: job.is_suspended(),
        created_ms: job.metadata.creation_timestamp.map_or(0, ms),
        conditions: status
            .conditions
            .iter()
            .map(|c| ConditionRow {
                kind: c.kind.clone(),
                status: c.status.clone(),
                reason: c.reason.clone(),
                message: c.message.clone(),
                at_ms: c.last_transition_time.map_or(0, ms),
            })
            .collect(),
        next_try_ms: hold.map(|hold| ms(hold.until)),
        next_try_from_ms: hold.map(|hold| ms(hold.from)),
        candle: candle(job, ms),
    }
}

/// The sign of a Job, by the word that kubectl has for its status.
fn job_sign(status: &str) -> Sign {
    match status {
        "Complete" | "SuccessCriteriaMet" => Sign::Done,
        "Failed" | "FailureTarget" => Sign::Failed,
        "Suspended" => Sign::Waits,
        "Terminating" => Sign::Ends,
        _ => Sign::Runs,
    }
}

/// Whether a Job has ended, or is known to end and only waits for its Pods to go (`FailureTarget`, `SuccessCriteriaMet`).
fn is_settled(job: &Job) -> bool {
    let settles = |kind: &str| matches!(kind, "FailureTarget" | "SuccessCriteriaMet");
    job.finished().is_some() || job.status.conditions.iter().any(|c| settles(&c.kind) && c.status == "True")
}

/// Whether a Job has fewer Pods at work than it should, so that a back-off is what it waits for.
fn wants_pods(job: &Job) -> bool {
    // A back-off per index holds single indexes; no one moment could be told.
    if is_settled(job) || job.is_suspended() || job.spec.backoff_limit_per_index.is_some() {
        return false;
    }
    let parallelism = job.spec.parallelism.unwrap_or(1);
    match job.spec.completions {
        Some(completions) => job.status.active < parallelism.min(completions - job.status.succeeded),
        None => job.status.active < parallelism && job.status.succeeded == 0,
    }
}

/// The deadline while the Job runs, the TTL once it is finished.
fn candle(job: &Job, ms: &impl Fn(SimTime) -> i64) -> Option<Candle> {
    let burn = |field: &str, says: &str, from: SimTime, seconds: i64| Candle {
        field: field.to_owned(),
        says: says.to_owned(),
        from_ms: ms(from),
        until_ms: ms(from + Span::secs(seconds)),
    };
    if let Some(finished) = job.finished() {
        let ttl = job.spec.ttl_seconds_after_finished?;
        return Some(burn("ttlSecondsAfterFinished", "deleted in", finished.last_transition_time?, ttl.into()));
    }
    let deadline = job.spec.active_deadline_seconds.filter(|_| !job.is_suspended())?;
    Some(burn("activeDeadlineSeconds", "deadline in", job.status.start_time?, deadline))
}

fn cron_card(object: &Object, cluster: &Cluster, ms: &impl Fn(SimTime) -> i64) -> CronCard {
    let cron = object.cron_job();
    CronCard {
        uid: object.uid().to_owned(),
        name: object.name().to_owned(),
        schedule: cron.spec.schedule.clone(),
        time_zone: cron.spec.time_zone.clone().unwrap_or_default(),
        concurrency_policy: cron.spec.concurrency_policy.clone(),
        suspended: cron.spec.suspend == Some(true),
        active: cron.status.active.len() as i64,
        last_ms: cron.status.last_schedule_time.map(ms),
        next_ms: cluster.next_schedule(object).map(ms),
    }
}

fn node_place(object: &Object, pods: &[&Rc<Object>]) -> NodePlace {
    let node = object.node();
    let here: Vec<&Pod> =
        pods.iter().map(|p| &**p.pod()).filter(|p| p.spec.node_name == object.name() && !p.is_terminal()).collect();
    let mut asked = Resources::default();
    here.iter().for_each(|pod| asked.add(&pod_requests(pod)));
    let offered = Resources::read(&node.status.allocatable);
    let max = node.status.allocatable.get("pods").and_then(|n| n.parse().ok()).unwrap_or(110);
    NodePlace {
        name: object.name().to_owned(),
        ready: node.is_ready(),
        schedulable: !node.spec.unschedulable,
        pods: here.len() as i64,
        pods_max: max,
        cpu_percent: percent(asked.milli_cpu, offered.milli_cpu),
        memory_percent: percent(asked.memory, offered.memory),
        cpu_text: of(asked.milli_cpu, offered.milli_cpu, |millis| Quantity::from_millis(millis).to_string()),
        memory_text: of(asked.memory, offered.memory, memory_text),
        status: node_status(object.value()),
    }
}

fn percent(asked: i64, offered: i64) -> i64 {
    if offered > 0 { asked.saturating_mul(100) / offered } else { 0 }
}

/// `1500m of 2`; empty if nothing is asked for.
fn of(asked: i64, offered: i64, text: impl Fn(i64) -> String) -> String {
    if asked == 0 { String::new() } else { format!("{} of {}", text(asked), text(offered)) }
}

/// Bytes as people write memory: whole Gi, else Mi.
fn memory_text(bytes: i64) -> String {
    const MI: i64 = 1 << 20;
    let mi = (bytes + MI / 2) / MI;
    if mi >= 1024 && mi % 1024 == 0 { format!("{}Gi", mi / 1024) } else { format!("{mi}Mi") }
}

/// The Services someone made; the cluster's own, `kubernetes`, says nothing about Jobs.
fn services(store: &Store) -> Vec<ServiceCard> {
    let made =
        store.list(Kind::Service).filter(|service| (service.namespace(), service.name()) != ("default", "kubernetes"));
    made.map(|service| service_card(service, store)).collect()
}

fn service_card(object: &Object, store: &Store) -> ServiceCard {
    let mut endpoints: Vec<String> = endpoints(store, object).iter().map(|pod| pod.name().to_owned()).collect();
    sort(&mut endpoints);
    ServiceCard { name: object.name().to_owned(), cluster_ip: object.service().spec.cluster_ip.clone(), endpoints }
}

fn event_row(object: &Object, ms: &impl Fn(SimTime) -> i64) -> EventRow {
    let event = object.value();
    let text = |path: &str| event.str_at(path).unwrap_or_default().to_owned();
    let at = ["series.lastObservedTime", "lastTimestamp", "eventTime", "firstTimestamp"]
        .iter()
        .find_map(|path| SimTime::parse_rfc3339(event.str_at(path)?));
    let kind = text("involvedObject.kind").to_ascii_lowercase();
    let count = event.i64_at("series.count").or_else(|| event.i64_at("count")).unwrap_or(1);
    EventRow {
        key: object.name().to_owned(),
        at_ms: at.map_or(0, ms),
        warning: event.str_at("type") == Some("Warning"),
        reason: text("reason"),
        object: format!("{kind}/{}", text("involvedObject.name")),
        message: text("message"),
        count,
        source: text("reportingComponent"),
    }
}

/// `Job/parallel`; empty without a controller.
pub(crate) fn owner_text(meta: &ObjectMeta) -> String {
    meta.controller().map(|owner| format!("{}/{}", owner.kind, owner.name)).unwrap_or_default()
}

/// What tells siblings apart: the part after the last hyphen, or the whole name.
pub(crate) fn short_name(name: &str) -> String {
    name.rsplit('-').next().filter(|_| name.contains('-')).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests;
