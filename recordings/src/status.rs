//! READY and STATUS of a Pod as `kubectl get pods` prints them, read off the recorded JSON.
//!
//! Written apart from the engine's own columns on purpose: a mistake there must not hide here.

use serde_json::Value;

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// `1/1 Running`
pub fn status_column(pod: &Value) -> String {
    let (spec, status) = (&pod["spec"], &pod["status"]);
    let mut reason = [text(status, "reason"), text(status, "phase"), "Unknown"]
        .into_iter()
        .find(|r| !r.is_empty())
        .unwrap_or_default()
        .to_owned();
    let conditions = list(status, "conditions");
    if conditions.iter().any(|c| text(c, "type") == "PodScheduled" && text(c, "reason") == "SchedulingGated") {
        "SchedulingGated".clone_into(&mut reason);
    }
    let inits = list(spec, "initContainers");
    let is_sidecar = |name: &str| inits.iter().any(|c| text(c, "name") == name && text(c, "restartPolicy") == "Always");
    let total = list(spec, "containers").len() + inits.iter().filter(|c| text(c, "restartPolicy") == "Always").count();
    let (mut ready, mut initializing) = (0, false);
    for (i, container) in list(status, "initContainerStatuses").iter().enumerate() {
        let state = &container["state"];
        if state["terminated"]["exitCode"] == 0 {
            continue;
        }
        if is_sidecar(text(container, "name")) && container["started"] == true {
            ready += i32::from(container["ready"] == true);
            continue;
        }
        let waiting = text(&state["waiting"], "reason");
        reason = if state["terminated"].is_object() {
            format!("Init:{}", ended(&state["terminated"]))
        } else if !waiting.is_empty() && waiting != "PodInitializing" {
            format!("Init:{waiting}")
        } else {
            format!("Init:{i}/{}", inits.len())
        };
        initializing = true;
        break;
    }
    if !initializing {
        let mut running = false;
        for container in list(status, "containerStatuses").iter().rev() {
            let state = &container["state"];
            let waiting = text(&state["waiting"], "reason");
            if !waiting.is_empty() {
                waiting.clone_into(&mut reason);
            } else if state["terminated"].is_object() {
                reason = ended(&state["terminated"]);
            } else if container["ready"] == true && state["running"].is_object() {
                running = true;
                ready += 1;
            }
        }
        if reason == "Completed" && running {
            let is_ready = conditions.iter().any(|c| text(c, "type") == "Ready" && text(c, "status") == "True");
            if is_ready { "Running" } else { "NotReady" }.clone_into(&mut reason);
        }
    }
    if pod["metadata"]["deletionTimestamp"].is_string() {
        if text(status, "reason") == "NodeLost" {
            "Unknown".clone_into(&mut reason);
        } else if !["Succeeded", "Failed"].contains(&text(status, "phase")) {
            "Terminating".clone_into(&mut reason);
        }
    }
    format!("{ready}/{total} {reason}")
}

fn ended(terminated: &Value) -> String {
    let reason = text(terminated, "reason");
    if !reason.is_empty() {
        return reason.to_owned();
    }
    match terminated["signal"].as_i64().filter(|s| *s != 0) {
        Some(signal) => format!("Signal:{signal}"),
        None => format!("ExitCode:{}", terminated["exitCode"]),
    }
}
