//! Who may do what: Roles, ClusterRoles and their bindings, asked for ServiceAccounts.
//!
//! Rule: whoever sits at a terminal is admin and is not asked. A program in a Pod acts as the Pod's ServiceAccount; it may
//! do what a rule of a role bound to the account, or to a group of all accounts, allows. Nothing is forbidden by a rule.
//! Source: `plugin/pkg/auth/authorizer/rbac/rbac.go`, `pkg/registry/rbac/validation/rule.go`,
//! `apiserver/pkg/endpoints/handlers/responsewriters/errors.go` (the words).

use crate::store::Store;
use api::kind::Kind;
use api::meta::LabelSelector;
use api::object::Object;
use api::status::{ApiError, Reason};
use values::value::Value;

/// A ServiceAccount that asks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Account {
    pub namespace: String,
    pub name: String,
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked<'a> {
    /// `get`, `list`, `create` …
    pub verb: &'a str,
    pub kind: Kind,
    /// `log`, `exec`; empty for the object itself.
    pub subresource: &'a str,
    /// Empty for all namespaces, and for kinds that have none.
    pub namespace: &'a str,
    /// Empty if no object is named.
    pub name: &'a str,
}

impl Account {
    /// The name by which the API server knows it.
    pub fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.name)
    }

    fn is_meant_by(&self, subject: &Value) -> bool {
        let name = subject.str_at("name").unwrap_or_default();
        match subject.str_at("kind") {
            Some("ServiceAccount") => {
                name == self.name && subject.str_at("namespace").unwrap_or_default() == self.namespace
            }
            Some("Group") => {
                matches!(name, "system:serviceaccounts" | "system:authenticated")
                    || name == format!("system:serviceaccounts:{}", self.namespace)
            }
            _ => name == self.user(),
        }
    }
}

impl Asked<'_> {
    fn is_allowed_by(&self, rule: &Value) -> bool {
        let (info, sub) = (self.kind.info(), self.subresource);
        let has = |field: &str, wanted: &[&str]| {
            let list = rule.list_at(field).iter().filter_map(Value::as_str);
            list.into_iter().any(|text| text == "*" || wanted.contains(&text))
        };
        let (full, any) = (format!("{}/{sub}", info.plural), format!("*/{sub}"));
        let resources: Vec<&str> = if sub.is_empty() { vec![info.plural] } else { vec![full.as_str(), any.as_str()] };
        let names = rule.list_at("resourceNames");
        let named = names.is_empty() || names.iter().any(|n| !self.name.is_empty() && n.as_str() == Some(self.name));
        has("verbs", &[self.verb]) && has("apiGroups", &[info.group]) && has("resources", &resources) && named
    }

    /// What the API server says to whom it refuses.
    fn refusal(&self, account: &Account) -> ApiError {
        let info = self.kind.info();
        let slash = if self.subresource.is_empty() { "" } else { "/" };
        let place = match self.namespace {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace \"{namespace}\""),
        };
        let name = if self.name.is_empty() { String::new() } else { format!(" \"{}\"", self.name) };
        let message = format!(
            "{}{name} is forbidden: User \"{}\" cannot {} resource \"{}{slash}{}\" in API group \"{}\" {place}",
            info.resource(),
            account.user(),
            self.verb,
            info.plural,
            self.subresource,
            info.group
        );
        ApiError {
            reason: Reason::Forbidden,
            message,
            about: Some((self.kind, self.name.to_owned())),
            causes: Vec::new(),
        }
    }
}

impl Store {
    /// Lets what is asked from now on be asked by an account; none: by someone who may do everything.
    pub fn act_as(&mut self, account: Option<Account>) {
        self.acting = account;
    }

    /// Who asks, if it is an account.
    pub fn acting(&self) -> Option<&Account> {
        self.acting.as_ref()
    }

    /// Whether whoever asks may.
    ///
    /// # Errors
    /// Forbidden, in the API server's words.
    pub fn may(&self, asked: Asked<'_>) -> Result<(), ApiError> {
        let Some(account) = &self.acting else { return Ok(()) };
        let namespace = if asked.kind.info().namespaced { asked.namespace } else { "" };
        let asked = Asked { namespace, ..asked };
        if self.allows(account, asked) { Ok(()) } else { Err(asked.refusal(account)) }
    }

    /// Whether the bindings allow it to an account.
    pub fn allows(&self, account: &Account, asked: Asked<'_>) -> bool {
        let everywhere = self.list(Kind::ClusterRoleBinding);
        let here = self.list_in(Kind::RoleBinding, asked.namespace).filter(|_| !asked.namespace.is_empty());
        everywhere.chain(here).any(|binding| {
            binding.value().list_at("subjects").iter().any(|subject| account.is_meant_by(subject))
                && self.rules_of(binding).iter().any(|rule| asked.is_allowed_by(rule))
        })
    }

    fn rules_of(&self, binding: &Object) -> Vec<Value> {
        let reference = binding.value().at("roleRef");
        let name = reference.str_at("name").unwrap_or_default();
        let (kind, namespace) = match reference.str_at("kind") {
            Some("Role") => (Kind::Role, binding.namespace()),
            _ => (Kind::ClusterRole, ""),
        };
        let Some(role) = self.find(kind, namespace, name) else { return Vec::new() };
        let mut rules = role.value().list_at("rules").to_vec();
        // An aggregating role has the rules of those that its selectors choose, which do not aggregate further.
        for selector in role.value().list_at("aggregationRule.clusterRoleSelectors") {
            let selector: LabelSelector = selector.decode().unwrap_or_default();
            let chosen = self.list(Kind::ClusterRole).filter(|other| selector.matches(&other.meta().labels));
            rules.extend(chosen.flat_map(|other| other.value().list_at("rules").to_vec()));
        }
        rules
    }
}
