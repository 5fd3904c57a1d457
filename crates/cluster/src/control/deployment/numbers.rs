//! How many Pods a rollout may add and must keep.
//!
//! Source: `pkg/controller/deployment/util/deployment_util.go` (`ResolveFenceposts`, `NewRSNewReplicas`,
//! `getReplicaSetFraction`), `apimachinery/pkg/util/intstr`.

use api::apps::Deployment;
use values::value::Value;

/// What a rolling update may do, in Pods.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    pub max_surge: i32,
    pub max_unavailable: i32,
}

pub fn replicas(deployment: &Deployment) -> i32 {
    deployment.spec.replicas.unwrap_or(1)
}

pub fn is_rolling(deployment: &Deployment) -> bool {
    deployment.spec.strategy.kind != "Recreate"
}

/// The limits for this deployment; none of both being zero would leave no way forward.
pub fn limits(deployment: &Deployment) -> Limits {
    if !is_rolling(deployment) {
        return Limits { max_surge: 0, max_unavailable: 0 };
    }
    let wanted = replicas(deployment);
    let rolling = &deployment.spec.strategy.rolling_update;
    let max_surge = resolve(&rolling.max_surge, wanted, true);
    let mut max_unavailable = resolve(&rolling.max_unavailable, wanted, false);
    if max_surge == 0 && max_unavailable == 0 {
        max_unavailable = 1;
    }
    Limits { max_surge, max_unavailable: max_unavailable.min(wanted) }
}

/// A number, or a percentage of `of`; 25% if it is missing.
fn resolve(value: &Value, of: i32, round_up: bool) -> i32 {
    let percent = match value {
        Value::Int(number) => return i32::try_from(*number).unwrap_or(i32::MAX).max(0),
        Value::Str(text) => text.trim_end_matches('%').parse::<i64>().unwrap_or(0).max(0),
        _ => 25,
    };
    let share = percent.saturating_mul(i64::from(of));
    let rounded = if round_up { (share.saturating_add(99)) / 100 } else { share / 100 };
    i32::try_from(rounded).unwrap_or(i32::MAX)
}

/// How large the new set should become now, if the sets together have `total` Pods.
pub fn new_size(deployment: &Deployment, new_replicas: i32, total: i32) -> i32 {
    let wanted = replicas(deployment);
    if !is_rolling(deployment) {
        return wanted;
    }
    let room = wanted.saturating_add(limits(deployment).max_surge) - total;
    if room <= 0 { new_replicas } else { new_replicas + room.min(wanted - new_replicas) }
}

/// A set's share of a scaling by `to_add` Pods of which `added` are given out: in proportion to its size.
///
/// `size_before` is what the sets together were allowed before (the annotation `max-replicas`).
pub fn proportion(deployment: &Deployment, set_replicas: i32, size_before: i32, to_add: i32, added: i32) -> i32 {
    if set_replicas == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let wanted = replicas(deployment);
    let share = if wanted == 0 || size_before == 0 {
        -set_replicas
    } else {
        let allowed = i64::from(wanted) + i64::from(limits(deployment).max_surge);
        let scaled = i64::from(set_replicas) * allowed;
        // Rounded half away from zero.
        let rounded = (2 * scaled + i64::from(size_before)) / (2 * i64::from(size_before));
        i32::try_from(rounded).unwrap_or(i32::MAX) - set_replicas
    };
    let left = to_add - added;
    if to_add > 0 { share.min(left) } else { share.max(left) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(replicas: i32, surge: &str, unavailable: &str) -> Deployment {
        let json = format!(
            r#"{{"spec":{{"replicas":{replicas},"strategy":{{"type":"RollingUpdate",
            "rollingUpdate":{{"maxSurge":{surge},"maxUnavailable":{unavailable}}}}}}}}}"#
        );
        Value::from_json(&json).unwrap().decode().unwrap()
    }

    #[test]
    fn percentages_round_up_for_surge_and_down_for_unavailable() {
        for (replicas, surge, unavailable, expected) in [
            (4, "\"25%\"", "\"25%\"", (1, 1)),
            (3, "\"25%\"", "\"25%\"", (1, 0)),
            (10, "\"25%\"", "\"25%\"", (3, 2)),
            (10, "2", "0", (2, 0)),
            (10, "0", "0", (0, 1)),
            (2, "0", "5", (0, 2)),
        ] {
            let limits = limits(&deployment(replicas, surge, unavailable));
            assert_eq!((limits.max_surge, limits.max_unavailable), expected, "{replicas} {surge} {unavailable}");
        }
    }

    #[test]
    fn scaling_during_a_rollout_is_shared_in_proportion() {
        // 10 replicas with a surge of 3 grow to 15: the sets of 8 and 5 become 10 or 11 and 7.
        let deployment = deployment(15, "3", "2");
        assert_eq!(proportion(&deployment, 8, 13, 5, 0), 3);
        assert_eq!(proportion(&deployment, 5, 13, 5, 3), 2);
    }
}
