//! The Objects panel: the stage once more as tables, for those who read rather than look, and the Jobs' conditions.

use yew::prelude::*;

use super::engine::{ConditionRow, CronCard, JobCard, NodePlace, Place, PodToken, ServiceCard};
use super::run::Part;
use super::words::{age, moment};

/// Most Pods drawn: the newest.
const ROWS_MAX: usize = 200;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub pods: Part<Vec<PodToken>>,
    pub jobs: Part<Vec<JobCard>>,
    pub cron_jobs: Part<Vec<CronCard>>,
    pub nodes: Part<Vec<NodePlace>>,
    pub services: Part<Vec<ServiceCard>>,
    pub selected: Option<AttrValue>,
    pub now_ms: i64,
    /// Chooses a Pod, by its uid.
    pub select: Callback<AttrValue>,
}

#[component]
pub fn Objects(props: &Props) -> Html {
    html! {
        <div class="objects">
            { cron_jobs(props) }
            { jobs(props) }
            { conditions(props) }
            { pods(props) }
            { nodes(props) }
            { services(props) }
        </div>
    }
}

/// A table with a caption; nothing if there are no rows.
fn table(caption: &str, head: &[&'static str], rows: Vec<Html>) -> Html {
    if rows.is_empty() {
        return Html::default();
    }
    html! {
        <table class="grid">
            <caption>{ caption }</caption>
            <thead><tr>{ for head.iter().map(|name| html! { <th>{ *name }</th> }) }</tr></thead>
            <tbody>{ for rows }</tbody>
        </table>
    }
}

fn jobs(props: &Props) -> Html {
    let row = |job: &JobCard| {
        html! {
            <tr key={job.uid.clone()}>
                <td>{ &job.name }</td><td>{ &job.status }</td><td>{ &job.completions_text }</td><td>{ job.active }</td><td>{ job.ready }</td>
                <td>{ job.failed }</td><td>{ job.terminating }</td><td>{ age(props.now_ms - job.created_ms) }</td>
            </tr>
        }
    };
    let head = ["NAME", "STATUS", "COMPLETIONS", "ACTIVE", "READY", "FAILED", "TERMINATING", "AGE"];
    table("Jobs", &head, props.jobs.0.iter().map(row).collect())
}

fn conditions(props: &Props) -> Html {
    let row = |job: &JobCard, row: &ConditionRow| {
        html! {
            <tr key={format!("{} {}", job.uid, row.kind)}>
                <td>{ &job.name }</td><td>{ &row.kind }</td><td>{ &row.status }</td><td>{ &row.reason }</td>
                <td>{ format!("t+{}", moment(row.at_ms)) }</td><td class="message">{ &row.message }</td>
            </tr>
        }
    };
    let all = props.jobs.0.iter().flat_map(|job| job.conditions.iter().map(move |condition| row(job, condition)));
    table("Conditions", &["JOB", "TYPE", "STATUS", "REASON", "AT", "MESSAGE"], all.collect())
}

fn pods(props: &Props) -> Html {
    let all = &props.pods.0;
    let from = all.len().saturating_sub(ROWS_MAX);
    let row = |pod: &PodToken| {
        let place = match &pod.place {
            Place::Waiting => "waiting".to_owned(),
            Place::Node(name) => name.clone(),
            Place::Finished => "finished".to_owned(),
        };
        let uid = AttrValue::from(pod.uid.clone());
        let select = props.select.reform(move |_: MouseEvent| uid.clone());
        html! {
            <tr key={pod.uid.clone()} class={(props.selected.as_deref() == Some(&pod.uid)).then_some("selected")}>
                <td><button type="button" class="link" onclick={select} title="Show its logs">{ &pod.name }</button></td>
                <td>{ &pod.ready }</td><td>{ &pod.status }</td><td>{ pod.restarts }</td><td>{ age(props.now_ms - pod.created_ms) }</td>
                <td>{ place }</td><td>{ &pod.owner }</td><td class="message">{ &pod.note }</td>
            </tr>
        }
    };
    let head = ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "PLACE", "OWNER", "NOTE"];
    let caption = if from > 0 { format!("Pods (the newest {ROWS_MAX} of {})", all.len()) } else { "Pods".to_owned() };
    table(&caption, &head, all[from..].iter().map(row).collect())
}

fn cron_jobs(props: &Props) -> Html {
    let row = |cron: &CronCard| {
        html! {
            <tr key={cron.uid.clone()}>
                <td>{ &cron.name }</td><td>{ &cron.schedule }</td>
                <td>{ if cron.time_zone.is_empty() { "<none>" } else { &cron.time_zone } }</td>
                <td>{ if cron.suspended { "True" } else { "False" } }</td><td>{ cron.active }</td>
                <td>{ cron.last_ms.map_or("<none>".to_owned(), |at| age(props.now_ms - at)) }</td><td>{ &cron.concurrency_policy }</td>
            </tr>
        }
    };
    let head = ["NAME", "SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST SCHEDULE", "CONCURRENCY"];
    table("CronJobs", &head, props.cron_jobs.0.iter().map(row).collect())
}

fn nodes(props: &Props) -> Html {
    let row = |node: &NodePlace| {
        html! {
            <tr key={node.name.clone()}>
                <td>{ &node.name }</td><td>{ &node.status }</td><td>{ format!("{} of {}", node.pods, node.pods_max) }</td>
                <td>{ &node.cpu_text }</td><td>{ &node.memory_text }</td>
            </tr>
        }
    };
    table(
        "Nodes",
        &["NAME", "STATUS", "PODS", "CPU REQUESTED", "MEMORY REQUESTED"],
        props.nodes.0.iter().map(row).collect(),
    )
}

fn services(props: &Props) -> Html {
    let row = |service: &ServiceCard| {
        html! {
            <tr key={service.name.clone()}>
                <td>{ &service.name }</td><td>{ &service.cluster_ip }</td><td class="message">{ service.endpoints.join(", ") }</td>
            </tr>
        }
    };
    table("Services", &["NAME", "CLUSTER-IP", "READY PODS"], props.services.0.iter().map(row).collect())
}
