//! How much a Pod asks for and a node offers.
//!
//! Rule: `docs/semantics/scheduler.md` §2 (last paragraph): app containers, or the largest moment of the init
//! containers with the sidecars started so far, plus overhead. Missing requests count as 100m CPU and 200Mi memory for
//! scoring only. Source: `k8s.io/component-helpers/resource/helpers.go` (`PodRequests`),
//! `pkg/scheduler/util/pod_resources.go`.

use api::meta::StringMap;
use api::pod::{Container, Pod};
use values::quantity::Quantity;
use values::sorted::SortedMap;

/// What a container without a CPU request counts as in scores (thousandths of a CPU).
pub const DEFAULT_MILLI_CPU: i64 = 100;
/// What a container without a memory request counts as in scores (bytes).
pub const DEFAULT_MEMORY: i64 = 200 * 1024 * 1024;

/// Amounts of each resource.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resources {
    pub milli_cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes.
    pub ephemeral_storage: i64,
    /// How many Pods fit; only nodes have it.
    pub pods: i64,
    /// Extended resources and huge pages, by name.
    pub others: SortedMap<String, i64>,
}

impl Resources {
    /// Reads a map of quantities. What cannot be read counts as nothing; validation has refused it before.
    pub fn read(quantities: &StringMap) -> Resources {
        let mut resources = Resources::default();
        for (name, text) in quantities {
            let Ok(quantity) = Quantity::parse(text) else { continue };
            match name.as_str() {
                "cpu" => resources.milli_cpu = quantity.millis(),
                "memory" => resources.memory = quantity.units(),
                "ephemeral-storage" => resources.ephemeral_storage = quantity.units(),
                "pods" => resources.pods = quantity.units(),
                _ => {
                    resources.others.insert(name.to_string(), quantity.units());
                }
            }
        }
        resources
    }

    pub fn add(&mut self, other: &Resources) {
        self.combine(other, i64::saturating_add);
    }

    pub fn subtract(&mut self, other: &Resources) {
        self.combine(other, i64::saturating_sub);
    }

    /// Keeps the larger of both, resource by resource.
    pub fn raise_to(&mut self, other: &Resources) {
        self.combine(other, i64::max);
    }

    /// True if it asks for nothing at all.
    pub fn is_nothing(&self) -> bool {
        self.milli_cpu == 0 && self.memory == 0 && self.ephemeral_storage == 0 && self.others.values().all(|n| *n == 0)
    }

    fn combine(&mut self, other: &Resources, with: fn(i64, i64) -> i64) {
        self.milli_cpu = with(self.milli_cpu, other.milli_cpu);
        self.memory = with(self.memory, other.memory);
        self.ephemeral_storage = with(self.ephemeral_storage, other.ephemeral_storage);
        self.pods = with(self.pods, other.pods);
        for (name, amount) in &other.others {
            let mine = self.others.entry(name.clone()).or_insert(0);
            *mine = with(*mine, *amount);
        }
    }
}

/// What the Pod needs on its node.
pub fn pod_requests(pod: &Pod) -> Resources {
    total(pod, |container| Resources::read(&container.resources.requests))
}

/// What the Pod counts for when nodes are scored: containers without requests are not free.
pub fn pod_scoring_requests(pod: &Pod) -> Resources {
    total(pod, |container| {
        let mut requests = Resources::read(&container.resources.requests);
        if !container.resources.requests.contains_key("cpu") {
            requests.milli_cpu = DEFAULT_MILLI_CPU;
        }
        if !container.resources.requests.contains_key("memory") {
            requests.memory = DEFAULT_MEMORY;
        }
        requests
    })
}

fn total(pod: &Pod, requests_of: impl Fn(&Container) -> Resources) -> Resources {
    let mut sum = Resources::default();
    for container in &pod.spec.containers {
        sum.add(&requests_of(container));
    }
    let mut sidecars = Resources::default();
    let mut largest_init = Resources::default();
    for container in &pod.spec.init_containers {
        let mut requests = requests_of(container);
        if container.is_sidecar() {
            sum.add(&requests);
            sidecars.add(&requests);
            largest_init.raise_to(&sidecars);
        } else {
            requests.add(&sidecars);
            largest_init.raise_to(&requests);
        }
    }
    sum.raise_to(&largest_init);
    sum.add(&Resources::read(&pod.spec.overhead));
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use values::value::Value;

    fn requests(json: &str) -> (i64, i64) {
        let pod: Pod = Value::from_json(json).unwrap().decode().unwrap();
        (pod_requests(&pod).milli_cpu, pod_scoring_requests(&pod).milli_cpu)
    }

    #[test]
    fn init_containers_count_by_their_largest_moment_and_sidecars_always() {
        let cpu = |n: &str| format!(r#"{{"resources":{{"requests":{{"cpu":"{n}"}}}}}}"#);
        let sidecar = r#"{"restartPolicy":"Always","resources":{"requests":{"cpu":"200m"}}}"#;
        let pod = |init: &str, main: &str| format!(r#"{{"spec":{{"initContainers":[{init}],"containers":[{main}]}}}}"#);
        assert_eq!(requests(&pod("", &cpu("300m"))).0, 300);
        assert_eq!(requests(&pod(&cpu("1"), &cpu("300m"))).0, 1000);
        assert_eq!(requests(&pod(sidecar, &cpu("300m"))).0, 500);
        assert_eq!(requests(&pod(&format!("{sidecar},{}", cpu("400m")), &cpu("300m"))).0, 600);
        assert_eq!(requests(&pod("", "{}")), (0, 100));
        let overhead = r#"{"spec":{"containers":[{}],"overhead":{"cpu":"50m"}}}"#;
        assert_eq!(requests(overhead), (50, 150));
    }
}
