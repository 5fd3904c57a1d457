//! `kubectl create job|cronjob|deployment`.
//!
//! Rules: recordings `kubectl-commands`, `cronjob-suspend-resume`, `deployment-rollout`.
//! Source: `kubectl/pkg/cmd/create/create_{job,cronjob,deployment}.go`.

use crate::kubectl::common;
use crate::kubectl::create::{bare, create_made, one_name, required};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb};
use api::kind::Kind;
use values::object;
use values::value::{Map, Value};

pub const JOB: Verb = Verb {
    name: "create job",
    summary: "Create a Job",
    usage: "kubectl create job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]",
    flags: &[
        common::MISSING_KEYS,
        common::DRY_RUN,
        common::FIELD_MANAGER,
        flag("from", Takes::Text, "The CronJob to make the Job of: cronjob/name"),
        flag("image", Takes::Text, "The image to run"),
        common::OUTPUT,
        common::SAVE_CONFIG,
        common::MANAGED_FIELDS,
        common::TEMPLATE,
        common::VALIDATE,
    ],
    run: job,
};

pub const CRON_JOB: Verb = Verb {
    name: "create cronjob",
    summary: "Create a CronJob",
    usage: "kubectl create cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags]",
    flags: &[
        common::MISSING_KEYS,
        common::DRY_RUN,
        common::FIELD_MANAGER,
        flag("image", Takes::Text, "The image to run"),
        common::OUTPUT,
        flag("restart", Takes::Text, "The Pods' restartPolicy: OnFailure or Never"),
        common::SAVE_CONFIG,
        flag("schedule", Takes::Text, "When to run, in cron's language"),
        common::MANAGED_FIELDS,
        common::TEMPLATE,
        common::VALIDATE,
    ],
    run: cron_job,
};

pub const DEPLOYMENT: Verb = Verb {
    name: "create deployment",
    summary: "Create a Deployment",
    usage: "kubectl create deployment NAME --image=image -- [COMMAND] [args...]",
    flags: DEPLOYMENT_FLAGS,
    run: deployment,
};

const DEPLOYMENT_FLAGS: &[Flag] = &[
    common::MISSING_KEYS,
    common::DRY_RUN,
    common::FIELD_MANAGER,
    flag("image", Takes::List, "The images to run, one container each"),
    common::OUTPUT,
    flag("port", Takes::Number, "The port that the container listens on").default("-1"),
    flag("replicas", Takes::Number, "How many Pods").short('r').default("1"),
    common::SAVE_CONFIG,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
    common::VALIDATE,
];

/// The name, and the command behind `--`.
fn name_and_command(call: &mut Call<'_, '_>) -> Result<(String, Vec<Value>), Outcome> {
    let args = call.parsed.args.clone();
    match args.get(..call.parsed.dash_at.unwrap_or(args.len())) {
        Some([name]) => Ok((name.clone(), args[1..].iter().map(|word| Value::from(word.as_str())).collect())),
        _ => one_name(call).map(|name| (name, Vec::new())),
    }
}

fn container(name: &str, image: &str, command: Vec<Value>) -> Value {
    let mut container = object! { "image" => image, "name" => name, "resources" => Value::map() };
    if !command.is_empty() {
        container.set("command", command);
    }
    container
}

/// A Pod template with one container.
fn template(container: Value, restart_policy: &str) -> Value {
    let spec = object! { "containers" => vec![container], "restartPolicy" => restart_policy };
    object! { "metadata" => Value::map(), "spec" => spec }
}

fn job(call: &mut Call<'_, '_>) -> Outcome {
    let (name, command) = match name_and_command(call) {
        Ok(read) => read,
        Err(outcome) => return outcome,
    };
    let given = |flag: &str| call.parsed.text(flag).filter(|text| !text.is_empty()).map(str::to_owned);
    let (image, from) = (given("image"), given("from"));
    let made = match (image, from) {
        (None, None) => return call.fail("either --image or --from must be specified"),
        (Some(_), Some(_)) => return call.fail("either --image or --from must be specified"),
        (None, Some(_)) if !command.is_empty() => return call.fail("cannot specify --from and command"),
        (Some(image), None) => {
            let mut job = bare("batch/v1", "Job", &name);
            job.set("spec.template", template(container(&name, &image, command), "Never"));
            job.set("status", Value::map());
            job
        }
        (None, Some(from)) => match job_from(call, &name, &from) {
            Ok(job) => job,
            Err(outcome) => return outcome,
        },
    };
    create_made(call, made, Some("failed to create job:"))
}

/// The Job that a CronJob would make, marked as made by hand.
fn job_from(call: &mut Call<'_, '_>, name: &str, from: &str) -> Result<Value, Outcome> {
    let objects = targets::existing(call, &[from.to_owned()], Reading::default())?;
    if call.has_failed() {
        return Err(call.finish());
    }
    let Some(object) = objects.into_iter().next() else { return Err(call.fail("from must be an existing cronjob")) };
    if object.kind() != Kind::CronJob {
        return Err(call.fail(&format!("unknown object type *v1.{}", object.kind())));
    }
    let template = object.value().at("spec.jobTemplate");
    let mut annotations = template.map_at("metadata.annotations").cloned().unwrap_or_else(Map::new);
    annotations.insert("cronjob.kubernetes.io/instantiate", "manual");
    let owner = object! {
        "apiVersion" => "batch/v1", "kind" => "CronJob", "name" => object.name(), "uid" => object.uid(), "controller" => true,
    };
    let mut metadata = object! { "name" => name, "annotations" => annotations, "ownerReferences" => vec![owner] };
    if let Some(labels) = template.map_at("metadata.labels") {
        metadata.set("labels", labels.clone());
    }
    let mut job = bare("batch/v1", "Job", name);
    job.set("metadata", metadata);
    job.set("spec", template.at("spec").clone());
    job.set("status", Value::map());
    Ok(job)
}

fn cron_job(call: &mut Call<'_, '_>) -> Outcome {
    if let Err(outcome) = required(call, &["image", "schedule"]) {
        return outcome;
    }
    let (name, command) = match name_and_command(call) {
        Ok(read) => read,
        Err(outcome) => return outcome,
    };
    let text = |flag: &str| call.parsed.text(flag).unwrap_or_default().to_owned();
    let (image, schedule) = (text("image"), text("schedule"));
    let restart = Some(text("restart")).filter(|policy| !policy.is_empty()).unwrap_or("OnFailure".to_owned());
    let spec = object! { "template" => template(container(&name, &image, command), &restart) };
    let mut cron_job = bare("batch/v1", "CronJob", &name);
    cron_job.set("spec.schedule", schedule);
    cron_job.set("spec.jobTemplate", object! { "metadata" => object! { "name" => name }, "spec" => spec });
    cron_job.set("status", Value::map());
    create_made(call, cron_job, Some("failed to create cronjob:"))
}

fn deployment(call: &mut Call<'_, '_>) -> Outcome {
    if let Err(outcome) = required(call, &["image"]) {
        return outcome;
    }
    let (name, command) = match name_and_command(call) {
        Ok(read) => read,
        Err(outcome) => return outcome,
    };
    let images = call.parsed.list("image").to_vec();
    if images.len() > 1 && !command.is_empty() {
        return call.fail("cannot specify multiple --image options and command");
    }
    let (replicas, port) = match (call.number("replicas"), call.number("port")) {
        (Ok(replicas), Ok(port)) => (replicas.unwrap_or(1), port.unwrap_or(-1)),
        (Err(text), _) | (_, Err(text)) => return call.fail(&text),
    };
    let mut containers = Vec::new();
    for image in &images {
        let mut made = container(&container_name(image), image, command.clone());
        if port >= 0 {
            made.set("ports", vec![object! { "containerPort" => port }]);
        }
        containers.push(made);
    }
    let labels = object! { "app" => name.as_str() };
    let template = object! {
        "metadata" => object! { "labels" => labels.clone() }, "spec" => object! { "containers" => containers },
    };
    let mut deployment = bare("apps/v1", "Deployment", &name);
    deployment.set("metadata.labels", labels.clone());
    deployment.set(
        "spec",
        object! {
            "replicas" => replicas, "selector" => object! { "matchLabels" => labels }, "strategy" => Value::map(),
            "template" => template,
        },
    );
    deployment.set("status", Value::map());
    create_made(call, deployment, Some("failed to create deployment:"))
}

/// The container is called as the image is, without registry, tag and digest.
fn container_name(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let name: String = last.split(['@', ':']).next().unwrap_or(last).to_lowercase();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect();
    name.trim_matches('-').to_owned()
}
