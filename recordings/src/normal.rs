//! What differs from run to run is made equal: names, uids, addresses, dates, durations.

use std::sync::LazyLock;

use fancy_regex::Regex;

struct Rule {
    pattern: Regex,
    to: &'static str,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    [
        // Hashes of Pod templates first, then generated suffixes.
        (r"-[bcdfghjklmnpqrstvwxz2456789]{5}(?![a-z0-9])", "-xxxxx"),
        (
            r#"(-|pod-template-hash[=:] ?"?)(?=[a-z]*\d)[bcdfghjklmnpqrstvwxz2456789]{8,10}(?![a-z0-9])"#,
            "${1}<hash>",
        ),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
        (r"\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b", "<ip>"),
        (r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?", "<date>"),
        (
            r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun),? \d?\d? ?[A-Z][a-z]{2} +\d[^\n]*?\d{2}:\d{2}:\d{2}( [A-Z]{3})?( [+-]?\d{4})?",
            "<date>",
        ),
        (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d \w+ \d{4}", "<date>"),
        (r"SHA256:[A-Za-z0-9+/=]+", "SHA256:<sum>"),
        (r"sha256:[0-9a-f]{12,}", "sha256:<sum>"),
        (r"containerd://[0-9a-f]+", "containerd://<id>"),
        (r"Image size: \d+ bytes", "Image size: <n> bytes"),
        (
            r"\bin [\d.]+(ms|s|µs|us|m[\d.]+s) \([\d.]+(ms|s|µs|us|m[\d.]+s) including waiting\)",
            "in <dur>",
        ),
        (r"-\d{8}(?!\d)", "-<minutes>"),
        (r#"resourceVersion: ?"?\d+"?"#, "resourceVersion: <n>"),
        (r"\bto node-\d\b", "to <node>"),
        (r"\b\d+(s|m|h|d)(\d+(s|m|h))?\b", "<age>"),
    ]
    .into_iter()
    .map(|(pattern, to)| Rule { pattern: Regex::new(pattern).expect("a pattern"), to })
    .collect()
});

static BLANKS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r" {2,}").expect("a pattern"));

/// The text with everything random or timed replaced by a placeholder.
pub fn normal(text: &str) -> String {
    let mut text = text.trim_end().to_owned();
    for rule in RULES.iter() {
        text = rule.pattern.replace_all(&text, rule.to).into_owned();
    }
    BLANKS.replace_all(&text, "  ").into_owned()
}
