//! Bands above the stage: CronJobs with their dials, Jobs with their counts, Services with what stands behind them.

use yew::prelude::*;

use super::engine::{CronCard, JobCard, ServiceCard, Sign};
use super::run::Part;
use super::sign;
use super::words::count;

/// Most Jobs shown; finished ones beyond it are in the objects' table.
const JOBS_MAX: usize = 12;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub jobs: Part<Vec<JobCard>>,
    pub cron_jobs: Part<Vec<CronCard>>,
    pub services: Part<Vec<ServiceCard>>,
}

#[component]
pub fn Bands(props: &Props) -> Html {
    let jobs = &props.jobs.0;
    let hidden = jobs.len().saturating_sub(JOBS_MAX);
    // The newest first: what moves is at the top.
    let shown = || jobs[hidden..].iter().rev();
    let nothing = jobs.is_empty() && props.cron_jobs.0.is_empty() && props.services.0.is_empty();
    html! {
        <div class="bands scrolls" role="group" aria-label="Jobs" tabindex="0">
            if nothing { <p class="empty">{ "No Job now. Apply a manifest to see one here." }</p> }
            { for props.cron_jobs.0.iter().map(|cron| html! {
                <>
                    { dial(cron) }
                    { for shown().filter(|job| is_of(job, cron)).map(job) }
                </>
            }) }
            { for shown().filter(|job| !props.cron_jobs.0.iter().any(|cron| is_of(job, cron))).map(job) }
            if hidden > 0 { <p class="more">{ format!("+ {} older", count(hidden as i64, "Job")) }</p> }
            { for props.services.0.iter().map(service) }
        </div>
    }
}

/// Whether a Job hangs below this dial.
fn is_of(job: &JobCard, cron: &CronCard) -> bool {
    job.cron_job.as_ref() == Some(&cron.name)
}

fn job(job: &JobCard) -> Html {
    let fails_at = job.fails_at.filter(|_| !job.settled).map(|at| html! {
        <span class="soft" title="The Job fails when this many of its Pods have failed (backoffLimit + 1)">{ format!("fails at {at}") }</span>
    });
    let done =
        job.completions.map_or(format!("{} done", job.succeeded), |all| format!("{} of {all} done", job.succeeded));
    html! {
        <article key={job.uid.clone()} class={classes!("band", job.cron_job.as_ref().map(|_| "owned"))} aria-label={format!("Job {}", job.name)}>
            <h2><span class="kind">{ "Job" }</span><span class="name" title={job.name.clone()}>{ &job.name }</span></h2>
            { status(job) }
            <span class="counts">
                { number(job.active, "active", "runs", format!("{} ready", job.ready)) }
                <span class={classes!("num", "done", (job.succeeded == 0).then_some("zero"))}>{ done }</span>
                { number(job.failed, "failed", "failed", String::new()) }
                if job.terminating > 0 { { number(job.terminating, "terminating", "ends", String::new()) } }
                { fails_at }
            </span>
            { candle(job) }
            { progress(job) }
        </article>
    }
}

fn number(value: i64, word: &'static str, class: &'static str, more: String) -> Html {
    let title = (!more.is_empty()).then_some(more);
    html! { <span class={classes!("num", class, (value == 0).then_some("zero"))} {title}>{ format!("{value} {word}") }</span> }
}

fn status(job: &JobCard) -> Html {
    let (class, mark) = match job.sign {
        Sign::Done => ("done", "✓"),
        Sign::Failed => ("failed", "✕"),
        Sign::Waits => ("waits", "‖"),
        Sign::Ends => ("ends", "■"),
        _ => ("runs", "●"),
    };
    let last = job.conditions.iter().rev().find(|row| row.status == "True" && !row.message.is_empty());
    let title = last.map(|row| format!("{}: {}", row.reason, row.message));
    html! { <span class={classes!("chip", class)} {title}><i aria-hidden="true">{ mark }</i>{ &job.status }</span> }
}

/// What burns down: a deadline or the time to live.
fn candle(job: &JobCard) -> Html {
    let Some(candle) = &job.candle else { return Html::default() };
    let (from, until) = (candle.from_ms.to_string(), candle.until_ms.to_string());
    html! {
        <span class="candle" title={candle.field.clone()}>
            <svg width="40" height="6" aria-hidden="true" focusable="false">
                <rect class="trough" width="100%" height="6" rx="3" />
                <rect class="wax" height="6" rx="3" data-live="candle" data-from={from} data-until={until.clone()} />
            </svg>
            <span>{ &candle.says }{ " " }<b data-live="left" data-until={until}></b></span>
        </span>
    }
}

/// Done, failed and active of what is to be done. A work queue has no whole, so it has no bar.
fn progress(job: &JobCard) -> Html {
    let Some(all) = job.completions.filter(|all| *all > 0) else { return Html::default() };
    let share = |part: i64| (part.max(0) as f64 / all as f64 * 100.0).min(100.0);
    let (done, active) = (share(job.succeeded), share(job.active.min(all - job.succeeded)));
    let rect = |class: &'static str, from: f64, width: f64| {
        html! {
            if width > 0.0 { <rect {class} x={format!("{from:.2}%")} width={format!("{width:.2}%")} height="6" /> }
        }
    };
    html! {
        <svg class="progress" height="6" role="img" aria-label={format!("{} of {all} done, {} active", job.succeeded, job.active)} focusable="false">
            <rect class="trough" width="100%" height="6" />
            { rect("part-done", 0.0, done) }
            { rect("part-active", done, active) }
        </svg>
    }
}

/// A CronJob: its hand goes round from one schedule time to the next.
fn dial(cron: &CronCard) -> Html {
    let next = cron.next_ms.filter(|_| !cron.suspended);
    let hand = next.map(|until| (cron.last_ms.unwrap_or(0), until));
    let zone = if cron.time_zone.is_empty() { "UTC" } else { &cron.time_zone };
    html! {
        <article key={cron.uid.clone()} class="band cron" aria-label={format!("CronJob {}", cron.name)}>
            <svg class="dial" viewBox="0 0 34 34" aria-hidden="true" focusable="false">
                <circle class="face" cx="17" cy="17" r="15" />
                <path class="ticks" d="M17 2v4M17 28v4M2 17h4M28 17h4" />
                if let Some((from, until)) = hand {
                    <path class="hand" d="M17 17V7" data-live="hand" data-from={from.to_string()} data-until={until.to_string()} />
                }
                <circle class="pin" cx="17" cy="17" r="2" />
            </svg>
            <h2><span class="kind">{ "CronJob" }</span><span class="name">{ &cron.name }</span></h2>
            <code>{ &cron.schedule }</code>
            <span class="counts">
                if cron.suspended { <span class="chip waits"><i aria-hidden="true">{ "‖" }</i>{ "Suspended" }</span> }
                if let Some(until) = next { <span class="num">{ "next in " }<b data-live="left" data-until={until.to_string()}></b></span> }
                if let Some(last) = cron.last_ms { <span class="soft">{ "last " }<b data-live="ago" data-from={last.to_string()}></b>{ " ago" }</span> }
                { number(cron.active, "active", "runs", String::new()) }
                <span class="soft">{ format!("{} · {zone}", cron.concurrency_policy) }</span>
            </span>
        </article>
    }
}

fn service(service: &ServiceCard) -> Html {
    let ready = service.endpoints.len() as i64;
    html! {
        <article key={format!("service-{}", service.name)} class="band service" aria-label={format!("Service {}", service.name)}>
            { if ready > 0 { sign::draw(Sign::Runs, None) } else { sign::draw(Sign::Waits, None) } }
            <h2><span class="kind">{ "Service" }</span><span class="name">{ &service.name }</span></h2>
            <code>{ &service.cluster_ip }</code>
            <span class="soft" title={service.endpoints.join("\n")}>{ format!("{} behind it", count(ready, "ready Pod")) }</span>
        </article>
    }
}
