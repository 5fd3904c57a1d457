//! What the picker offers: every manifest of the three tutorials, as data.

/// One entry of the picker.
pub struct Example {
    /// Names it in saved state.
    pub id: &'static str,
    pub title: &'static str,
    /// File name and text; applied in this order at the start.
    pub files: &'static [(&'static str, &'static str)],
}

macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("../../static/examples/", $name)))
    };
}

/// The first one is what a first visitor sees.
pub const EXAMPLES: &[Example] = &[
    Example { id: "parallel", title: "Parallel: 10 keys, 5 at a time", files: &[file!("parallel.yaml")] },
    Example { id: "oneshot-typo", title: "One shot, a flag misspelt", files: &[file!("oneshot-typo.yaml")] },
    Example { id: "oneshot-crash", title: "One shot that crashes", files: &[file!("oneshot-crash.yaml")] },
    Example { id: "oneshot-never", title: "One shot, restartPolicy Never", files: &[file!("oneshot-never.yaml")] },
    Example {
        id: "queue",
        title: "Work queue: queue, Service, consumers",
        files: &[file!("rs-queue.yaml"), file!("service-queue.yaml"), file!("job-consumers.yaml")],
    },
    Example { id: "cronjob", title: "CronJob: every fifth hour", files: &[file!("cronjob.yaml")] },
    Example { id: "nautobot", title: "Nautobot's Job template", files: &[file!("nautobot-job.yaml")] },
    Example { id: "hello", title: "hellokubernetesjob", files: &[file!("hellokubernetesjob.yaml")] },
    Example { id: "helm-hook", title: "Helm pre-install hook", files: &[file!("helm-hook.yaml")] },
];

/// The example with this id, or the first.
pub fn index_of(id: &str) -> usize {
    EXAMPLES.iter().position(|example| example.id == id).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_starts_with_its_title_and_ids_are_unique() {
        for (at, example) in EXAMPLES.iter().enumerate() {
            assert_eq!(index_of(example.id), at);
            for (name, text) in example.files {
                assert!(text.starts_with("# ") && text.contains("\nkind: "), "{name}");
                assert!(name.ends_with(".yaml"), "{name}");
            }
        }
    }
}
