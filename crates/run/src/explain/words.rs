//! Words: how an entry of the journal, a rule and a length of time are said to people.
//!
//! Rule: what happened is a main clause with its subject in front; why is the rule's own sentence, which follows
//! "because". Kinds and fields keep Kubernetes' names.

use crate::journal::{Facts, JournalEntry, What};
use api::kind::Kind;
use api::meta::Key;
use cluster::store::{Cause, ChangeType, Happened, ProbeKind, Rule};
use values::time::{SimTime, Span};

/// `Pod a-x7k2p`, and its namespace unless that is `default`.
pub fn object(key: &Key) -> String {
    let (kind, name) = (key.kind.name(), &key.name);
    match &*key.namespace {
        "" | "default" => format!("{kind} {name}"),
        namespace => format!("{kind} {name} in namespace {namespace}"),
    }
}

/// The time of day in UTC, to the second.
pub fn clock(at: SimTime) -> String {
    at.format("%H:%M:%S")
}

/// A length of time in at most two units: `250 ms`, `1.5 s`, `20 s`, `2 min 5 s`, `1 h`, `3 d 2 h`.
pub fn length(span: Span) -> String {
    let ms = span.as_ms().max(0);
    let two = |big: i64, unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{big} {unit}"),
        small => format!("{big} {unit} {small} {small_unit}"),
    };
    let seconds = ms / 1000;
    match seconds {
        0 if ms > 0 => format!("{ms} ms"),
        0..10 if ms % 1000 >= 100 => format!("{seconds}.{} s", ms % 1000 / 100),
        0..120 => format!("{seconds} s"),
        120..7_200 => two(seconds / 60, "min", seconds % 60, "s"),
        7_200..172_800 => two(seconds / 3600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "d", seconds / 3600 % 24, "h"),
    }
}

/// `first`, `eighth`, `21st`.
pub fn ordinal(number: usize) -> String {
    let known = ORDINALS.get(number.wrapping_sub(1));
    known.map_or_else(
        || {
            let end = match (number % 10, number % 100) {
                (1, hundred) if hundred != 11 => "st",
                (2, hundred) if hundred != 12 => "nd",
                (3, hundred) if hundred != 13 => "rd",
                _ => "th",
            };
            format!("{number}{end}")
        },
        |word| (*word).to_owned(),
    )
}

/// Ordinal numbers as words, from the first.
pub const ORDINALS: [&str; 12] = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
];

/// The rule's sentence with its numbers: what follows "because". Empty for what was done from outside.
pub fn because(cause: Cause) -> String {
    let mut text = cause.rule.facts().sentence.to_owned();
    for (at, count) in cause.counts.iter().enumerate() {
        text = text.replace(&format!("{{{at}t}}"), &length(Span::ms(*count)));
        text = text.replace(&format!("{{{at}}}"), &count.to_string());
        let open = format!("{{{at} ");
        while let Some((before, (noun, after))) =
            text.split_once(&open).and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            text = format!("{before}{}{after}", many(*count, noun));
        }
    }
    text
}

/// `1 Pod`, `3 Pods`.
pub fn many(count: i64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The sentence without the parts that its cause has no numbers for.
pub fn reason(entry: &JournalEntry) -> String {
    match entry.cause.rule {
        Rule::Start | Rule::Follows | Rule::Asked | Rule::Broken => String::new(),
        _ => because(entry.cause),
    }
}

/// What happened, as a clause.
pub fn says(entry: &JournalEntry) -> String {
    let about = entry.about.as_ref().map(|about| object(&about.key)).unwrap_or_default();
    match &entry.what {
        What::Happened(happened) => happening(happened, &about),
        What::Change { change, facts, .. } => {
            changed(*change, facts.as_deref(), entry.kind(), &about, who(entry.actor, entry.cause.rule))
        }
    }
}

/// Who acted, as the subject of a sentence.
fn who(actor: &str, rule: Rule) -> String {
    match (actor, rule) {
        ("user" | "helm", Rule::Broken) => "the fault".to_owned(),
        ("user", _) => "the command".to_owned(),
        ("kubelet" | "default-scheduler", _) => format!("the {}", actor.trim_start_matches("default-")),
        (actor, _) if actor.ends_with("controller") => format!("the {actor}"),
        (actor, _) => actor.to_owned(),
    }
}

fn changed(change: ChangeType, facts: Option<&Facts>, kind: Option<Kind>, about: &str, who: String) -> String {
    match change {
        ChangeType::Added => match facts.and_then(|facts| facts.index) {
            Some(index) => format!("{who} made {about} for index {index}"),
            None => format!("{who} made {about}"),
        },
        ChangeType::Deleted => format!("{about} is gone"),
        ChangeType::Modified => match facts {
            Some(facts) => turned(facts, kind, about, &who),
            None => format!("{who} wrote {about}"),
        },
    }
}

/// The weightiest thing that a write turned.
fn turned(facts: &Facts, kind: Option<Kind>, about: &str, who: &str) -> String {
    if facts.deletion_began {
        return format!("{who} told {about} to go");
    }
    if let Some(node) = &facts.node {
        return format!("{who} placed {about} on {node}");
    }
    let decisive = ["Complete", "Failed", "SuccessCriteriaMet", "FailureTarget", "Suspended", "DisruptionTarget"];
    let found = decisive.iter().find_map(|kind| facts.conditions.iter().find(|turned| turned.kind == *kind));
    if let Some(turned) = found {
        let on = turned.status == "True";
        let says = match (turned.kind.as_str(), on) {
            ("Complete", true) => "is complete".to_owned(),
            ("Failed", true) => format!("has failed ({})", turned.reason),
            ("SuccessCriteriaMet", true) => "has done what it has to do".to_owned(),
            ("FailureTarget", true) => format!("is bound to fail ({})", turned.reason),
            ("Suspended", true) => "is suspended".to_owned(),
            ("Suspended", false) => "is no longer suspended".to_owned(),
            ("DisruptionTarget", true) => format!("is to make way ({})", turned.reason),
            (kind, _) => format!("no longer is {kind}"),
        };
        return format!("{about} {says}");
    }
    if let Some(phase) = facts.phase.as_ref().filter(|phase| !phase.is_empty()) {
        return match kind {
            Some(Kind::Pod) if *phase == "Failed" => format!("{about} has failed"),
            Some(Kind::Pod) if *phase == "Succeeded" => format!("{about} has succeeded"),
            _ => format!("{about} is {phase}"),
        };
    }
    if let Some([active, succeeded, failed]) = facts.counts {
        return format!(
            "{about} counts {active} active, {succeeded} succeeded and {}",
            many(i64::from(failed), "failed Pod")
        );
    }
    if facts.spec {
        return format!("{who} changed the spec of {about}");
    }
    if let Some(turned) = facts.conditions.iter().find(|turned| turned.kind == "PodScheduled") {
        let says = if turned.status == "True" { "has a node" } else { "could not be placed on a node" };
        return format!("{about} {says}");
    }
    if let Some(owner) = &facts.controller {
        return format!("{about} now belongs to {}", object(&owner.key));
    }
    match facts.conditions.first() {
        Some(turned) if turned.status == "True" => format!("{about} is {}", turned.kind),
        Some(turned) => format!("{about} is not {}", turned.kind),
        None => format!("{who} wrote {about}"),
    }
}

fn happening(happened: &Happened, about: &str) -> String {
    match happened {
        Happened::Input { text, .. } => format!("from outside: {text}"),
        Happened::ProcessStarted { container, attempt: 1 } => format!("container {container} of {about} started"),
        Happened::ProcessStarted { container, attempt } => {
            format!("container {container} of {about} started for the {} time", ordinal(*attempt as usize))
        }
        Happened::ProcessEnded { container, exit_code, signal, out_of_memory } => {
            let by = match (out_of_memory, signal) {
                (true, _) => " (out of memory)".to_owned(),
                (false, Some(signal)) => format!(" ({})", signal_name(*signal)),
                (false, None) => String::new(),
            };
            format!("container {container} of {about} ended with exit code {exit_code}{by}")
        }
        Happened::ProcessTold { container, grace_seconds } => {
            format!("container {container} of {about} was told to end, with {grace_seconds} s to do so")
        }
        Happened::Probe { container, kind, passed, failures, threshold, .. } => {
            let kind = match kind {
                ProbeKind::Startup => "startup",
                ProbeKind::Liveness => "liveness",
                ProbeKind::Readiness => "readiness",
            };
            let verdict = match passed {
                true => "passes".to_owned(),
                false => format!("failed, {failures} in a row of the {threshold} that count"),
            };
            format!("the {kind} probe of container {container} of {about} {verdict}")
        }
        Happened::PullBegan { image, .. } => format!("the pull of image {image} for {about} began"),
        Happened::PullEnded { image, error, .. } if error.is_empty() => format!("image {image} for {about} is there"),
        Happened::PullEnded { image, error, .. } => {
            let error = error.lines().next().unwrap_or_default();
            format!("image {image} for {about} could not be pulled: {error}")
        }
        Happened::BackOff { container, until, pulls: false } => {
            format!("container {container} of {about} is not started again before {}", clock(*until))
        }
        Happened::BackOff { container, until, pulls: true } => {
            format!("the image of container {container} of {about} is not asked for again before {}", clock(*until))
        }
        Happened::Held { until: Some(until) } => format!("{about} waits until {}", clock(*until)),
        Happened::Held { until: None } => format!("{about} waits until something changes"),
        Happened::NotPlaced { message, reasons, .. } if reasons.is_empty() => {
            format!("{about} fits on no node: {message}")
        }
        Happened::NotPlaced { nodes, reasons, .. } => {
            let reasons: Vec<String> = reasons.iter().map(|(count, reason)| format!("{count} {reason}")).collect();
            format!("{about} fits on none of the {nodes} nodes: {}", reasons.join(", "))
        }
        Happened::ScheduleMet { scheduled } => format!("the schedule of {about} came to {}", clock(*scheduled)),
        Happened::ScheduleSkipped { scheduled } => {
            format!("{about} made no Job for {}", clock(*scheduled))
        }
        Happened::TimeUp => format!("the time of {about} is up"),
        Happened::Evicted => format!("{about} was evicted"),
        Happened::Preempted { by } => format!("{about} had to make way for Pod {by}"),
        Happened::NodeSilent => format!("nothing is heard of {about} any more"),
        Happened::NodeBack => format!("{about} is heard of again"),
        Happened::ActorBack { name } => format!("{} acts again", who(name, Rule::Mended)),
    }
}

/// `SIGTERM`, or `signal 40`.
pub fn signal_name(signal: i32) -> String {
    match signal {
        1 => "SIGHUP".to_owned(),
        2 => "SIGINT".to_owned(),
        6 => "SIGABRT".to_owned(),
        9 => "SIGKILL".to_owned(),
        11 => "SIGSEGV".to_owned(),
        13 => "SIGPIPE".to_owned(),
        15 => "SIGTERM".to_owned(),
        other => format!("signal {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cluster::store::EntryId;

    #[test]
    fn lengths_of_time_take_two_units_at_most() {
        let table = [
            (0, "0 s"),
            (250, "250 ms"),
            (1_500, "1.5 s"),
            (10_500, "10 s"),
            (119_000, "119 s"),
            (125_000, "2 min 5 s"),
            (7_200_000, "2 h"),
            (180_000_000, "2 d 2 h"),
        ];
        for (ms, text) in table {
            assert_eq!(length(Span::ms(ms)), text);
        }
    }

    #[test]
    fn sentences_take_their_numbers() {
        let cause = EntryId::new(1).map(Cause::by).unwrap_or_default();
        assert_eq!(
            because(cause.counted(Rule::JobBackoff, [2, 20_000])),
            "after 2 failures in a row the next Pod waits 20 s"
        );
        for rule in Rule::ALL {
            let text = because(cause.counted(*rule, [1, 2]));
            assert!(!text.contains(['{', '}']), "{text}");
        }
    }

    #[test]
    fn ordinals() {
        assert_eq!([1, 8, 13, 21, 22, 111].map(ordinal), ["first", "eighth", "13th", "21st", "22nd", "111th"]);
    }
}
