//! Which taints a Pod puts up with, and for how long.
//!
//! Source: `k8s.io/component-helpers/scheduling/corev1/helpers.go`, `k8s.io/api/core/v1/toleration.go`.

use crate::core::Taint;
use crate::pod::Toleration;

/// The taint of a cordoned node.
pub const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
/// The node's kubelet reports that it is not ready.
pub const NOT_READY: &str = "node.kubernetes.io/not-ready";
/// The node's kubelet is silent.
pub const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
/// An administrator says that the node is off; set by hand.
pub const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

impl Toleration {
    pub fn tolerates(&self, taint: &Taint) -> bool {
        if !self.effect.is_empty() && self.effect != taint.effect {
            return false;
        }
        if !self.key.is_empty() && self.key != taint.key {
            return false;
        }
        match self.operator.as_str() {
            "" | "Equal" => self.value == taint.value,
            "Exists" => true,
            _ => false,
        }
    }
}

/// True if one of `tolerations` covers the taint.
pub fn is_tolerated(taint: &Taint, tolerations: &[Toleration]) -> bool {
    tolerations.iter().any(|t| t.tolerates(taint))
}

impl Taint {
    /// True if Pods that do not tolerate it are not put on the node.
    pub fn keeps_pods_away(&self) -> bool {
        self.effect == "NoSchedule" || self.effect == "NoExecute"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerations_match_by_effect_key_and_value() {
        let taint = Taint { key: "a".into(), value: "1".into(), effect: "NoSchedule".into(), time_added: None };
        for (key, operator, value, effect, expected) in [
            ("a", "Equal", "1", "NoSchedule", true),
            ("a", "", "1", "", true),
            ("a", "Equal", "2", "", false),
            ("a", "Exists", "", "", true),
            ("", "Exists", "", "", true),
            ("b", "Exists", "", "", false),
            ("a", "Exists", "", "NoExecute", false),
        ] {
            let toleration = Toleration {
                key: key.into(),
                operator: operator.into(),
                value: value.into(),
                effect: effect.into(),
                toleration_seconds: None,
            };
            assert_eq!(toleration.tolerates(&taint), expected, "{toleration:?}");
        }
    }
}
