//! What every object carries: names, labels, owners, finalizers.
//!
//! Source: `apimachinery/pkg/apis/meta/v1/types.go`.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::kind::Kind;
use values::record;
use values::sorted::SortedMap;
use values::time::SimTime;
use values::value::Text;

/// Labels, annotations, selectors: sorted by key.
pub type StringMap = SortedMap<Text, Text>;

record! {
    /// `metadata` as controllers read it. Writes go to the tree, not here.
    pub struct ObjectMeta {
        pub name: Text,
        pub generate_name: Text,
        pub namespace: Text,
        pub uid: Text,
        pub generation: i64,
        pub creation_timestamp: Option<SimTime>,
        /// When the object is due to go: the moment of the delete request plus the grace period.
        pub deletion_timestamp: Option<SimTime>,
        pub deletion_grace_period_seconds: Option<i64>,
        pub labels: StringMap,
        pub annotations: StringMap,
        pub owner_references: Vec<OwnerReference>,
        pub finalizers: Vec<Text>,
    }
}

impl ObjectMeta {
    /// The owner that manages this object, if any.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller == Some(true))
    }

    pub fn is_controlled_by(&self, uid: &str) -> bool {
        self.controller().is_some_and(|owner| owner.uid == uid)
    }

    pub fn has_finalizer(&self, finalizer: &str) -> bool {
        self.finalizers.iter().any(|f| f == finalizer)
    }

    pub fn is_being_deleted(&self) -> bool {
        self.deletion_timestamp.is_some()
    }
}

record! {
    /// A pointer to an owner; identity is the uid.
    #[derive(Eq)]
    pub struct OwnerReference {
        pub api_version: Text = always,
        pub kind: Text = always,
        pub name: Text = always,
        pub uid: Text = always,
        pub controller: Option<bool>,
        pub block_owner_deletion: Option<bool>,
    }
}

/// Where an object lives in the store. Namespace is empty for cluster-scoped kinds. Copies share their text.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    pub kind: Kind,
    pub namespace: Rc<str>,
    pub name: Rc<str>,
}

impl Ord for Key {
    /// By kind, namespace and name. Namespaces are mostly the same text, and looked at only if they are not.
    fn cmp(&self, other: &Key) -> Ordering {
        let namespaces = || match Rc::ptr_eq(&self.namespace, &other.namespace) {
            true => Ordering::Equal,
            false => self.namespace.cmp(&other.namespace),
        };
        self.kind.cmp(&other.kind).then_with(namespaces).then_with(|| self.name.cmp(&other.name))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Key {
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Key {
        let namespace = if kind.info().namespaced { namespace } else { "" };
        Key { kind, namespace: namespace.into(), name: name.into() }
    }
}

record! {
    /// `metav1.LabelSelector`.
    pub struct LabelSelector {
        pub match_labels: StringMap,
        pub match_expressions: Vec<LabelExpression>,
    }

    /// One line of `matchExpressions`.
    pub struct LabelExpression {
        pub key: Text,
        /// `In`, `NotIn`, `Exists`, `DoesNotExist` (node selectors also `Gt`, `Lt`).
        pub operator: Text,
        pub values: Vec<Text>,
    }
}

impl LabelSelector {
    /// True if the labels satisfy every part. An empty selector matches everything, as `metav1` says.
    pub fn matches(&self, labels: &StringMap) -> bool {
        self.match_labels.iter().all(|(k, v)| labels.get(k) == Some(v))
            && self.match_expressions.iter().all(|e| e.matches(labels))
    }

    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }
}

impl LabelExpression {
    /// Source: `apimachinery/pkg/labels/selector.go` `Requirement.Matches`.
    pub fn matches(&self, labels: &StringMap) -> bool {
        let value = labels.get(&self.key);
        let number = |text: &Text| text.parse::<i64>().ok();
        let bound = || self.values.first().and_then(number);
        match self.operator.as_str() {
            "In" => value.is_some_and(|v| self.values.contains(v)),
            "NotIn" => value.is_none_or(|v| !self.values.contains(v)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            "Gt" => value.and_then(number).zip(bound()).is_some_and(|(v, b)| v > b),
            "Lt" => value.and_then(number).zip(bound()).is_some_and(|(v, b)| v < b),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> StringMap {
        pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
    }

    #[test]
    fn selectors_match_as_the_api_says() {
        let have = labels(&[("app", "queue"), ("n", "5")]);
        for (operator, key, values, expected) in [
            ("In", "app", vec!["queue", "x"], true),
            ("In", "missing", vec!["queue"], false),
            ("NotIn", "missing", vec!["queue"], true),
            ("NotIn", "app", vec!["queue"], false),
            ("Exists", "app", vec![], true),
            ("DoesNotExist", "app", vec![], false),
            ("Gt", "n", vec!["4"], true),
            ("Lt", "n", vec!["4"], false),
        ] {
            let expression = LabelExpression {
                key: key.into(),
                operator: operator.into(),
                values: values.into_iter().map(Text::from).collect(),
            };
            assert_eq!(expression.matches(&have), expected, "{operator} {key}");
        }
        assert!(LabelSelector::default().matches(&have));
    }
}
