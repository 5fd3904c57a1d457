//! Create, update, delete: the verbs, with graceful deletion, finalizers and propagation.
//!
//! Rules: `docs/semantics/ttl.md` §2, `docs/semantics/kubelet.md` §8. A write that changes nothing is no write.
//! Source: `apiserver/pkg/registry/generic/registry/store.go`, `pkg/registry/core/pod/strategy.go`.

use std::rc::Rc;

use crate::store::rbac::Asked;
use crate::store::{Api, Happened, Subject, admission, budget, strategy};
use api::condition::{NewCondition, set_pod_condition};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::status::{ApiError, Reason};
use values::time::Span;
use values::value::{Text, Value, beginning};

/// What becomes of the objects that the deleted one owns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Propagation {
    /// The object goes at once, its dependents after it.
    #[default]
    Background,
    /// Dependents go first.
    Foreground,
    /// Dependents stay, without the owner.
    Orphan,
}

/// `metav1.DeleteOptions`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeleteOptions {
    /// None: the finalizers the object has, else the kind's own default.
    pub propagation: Option<Propagation>,
    /// Overrides the object's own grace period.
    pub grace_period_seconds: Option<i64>,
    /// Delete only the object with this uid.
    pub precondition_uid: Option<String>,
}

impl DeleteOptions {
    pub fn background() -> DeleteOptions {
        DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() }
    }

    pub fn foreground() -> DeleteOptions {
        DeleteOptions { propagation: Some(Propagation::Foreground), ..DeleteOptions::default() }
    }

    pub fn with_grace(seconds: i64) -> DeleteOptions {
        DeleteOptions { grace_period_seconds: Some(seconds), ..DeleteOptions::default() }
    }
}

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

impl Api<'_> {
    /// Creates an object from its tree, as decoded: names it, defaults it, admits it, validates it.
    ///
    /// # Errors
    /// What the API server would answer: AlreadyExists, Forbidden, Invalid, BadRequest, or NotFound for a missing
    /// namespace.
    pub fn create(&mut self, mut value: Value) -> Result<Rc<Object>, ApiError> {
        let kind = kind_of(&value)?;
        let versioned = value.str_at("metadata.resourceVersion").is_some_and(|version| !version.is_empty());
        self.name_new_object(kind, &mut value);
        let name = value.str_at("metadata.name").unwrap_or_default().to_owned();
        let namespace = value.str_at("metadata.namespace").unwrap_or_default().to_owned();
        let key = Key::new(kind, &namespace, &name);
        self.store.may(Asked { verb: "create", kind, subresource: "", namespace: &namespace, name: "" })?;
        admission::check_namespace(self, &key)?;
        let uid = self.rng.uuid(format_args!("{kind}/{namespace}/{name}/{}", self.store.revision));
        value.set("metadata.uid", uid);
        value.set("metadata.creationTimestamp", self.now);
        admission::on_create(self, kind, &mut value)?;
        admission::validate_create(self, kind, &name, &value)?;
        if versioned {
            let message = "resourceVersion should not be set on objects to be created";
            return Err(ApiError { reason: Reason::Unknown, ..ApiError::bad_request(message) });
        }
        if self.store.get(&key).is_some() {
            return Err(ApiError::already_exists(kind, &name));
        }
        admission::check_quota(self, kind, &value)?;
        Ok(self.commit(key, Some(value)))
    }

    /// Changes an object's metadata or spec. The status is left as it is.
    ///
    /// # Errors
    /// NotFound, or Invalid if the change is not allowed.
    pub fn update(&mut self, key: &Key, edit: impl FnOnce(&mut Value)) -> Result<Rc<Object>, ApiError> {
        let asks = |verb| Asked { verb, kind: key.kind, subresource: "", namespace: &key.namespace, name: &key.name };
        // kubectl patches nearly always; whoever may update may as well.
        self.store.may(asks("update")).or_else(|_| self.store.may(asks("patch")))?;
        let current = self.existing(key)?;
        let mut value = current.value().clone();
        edit(&mut value);
        check_identity(key, &value, &current)?;
        keep(&mut value, current.value(), "status");
        self.write(key, &current, value, true)
    }

    /// Replaces an object's status. Nothing else changes.
    ///
    /// # Errors
    /// NotFound.
    pub fn update_status(&mut self, key: &Key, status: Value) -> Result<Rc<Object>, ApiError> {
        let current = self.existing(key)?;
        let mut value = current.value().clone();
        value.set("status", status);
        self.write(key, &current, value, false)
    }

    /// Changes an object's status (and, with it, nothing else) in place.
    ///
    /// # Errors
    /// NotFound.
    pub fn patch_status(&mut self, key: &Key, edit: impl FnOnce(&mut Value)) -> Result<Rc<Object>, ApiError> {
        let mut status = self.existing(key)?.value().at("status").clone();
        edit(&mut status);
        self.update_status(key, status)
    }

    /// Takes a finalizer off; the object goes if it was the last and deletion has begun.
    ///
    /// # Errors
    /// NotFound.
    pub fn remove_finalizer(&mut self, key: &Key, finalizer: &str) -> Result<Rc<Object>, ApiError> {
        self.update(key, |value| {
            let rest: Vec<Value> = value
                .list_at("metadata.finalizers")
                .iter()
                .filter(|f| f.as_str() != Some(finalizer))
                .cloned()
                .collect();
            if rest.is_empty() {
                value.remove("metadata.finalizers");
            } else {
                value.set("metadata.finalizers", rest);
            }
        })
    }

    /// Deletes an object: at once, or by marking it if it has a grace period, finalizers or a propagation to wait for.
    ///
    /// # Errors
    /// NotFound; Conflict if the uid is another.
    pub fn delete(&mut self, key: &Key, options: &DeleteOptions) -> Result<(), ApiError> {
        let asked =
            Asked { verb: "delete", kind: key.kind, subresource: "", namespace: &key.namespace, name: &key.name };
        self.store.may(asked)?;
        let current = self.existing(key)?;
        if key.kind == Kind::Namespace && matches!(&*key.name, "default" | "kube-system" | "kube-public") {
            return Err(ApiError::forbidden(key.kind, &key.name, "this namespace may not be deleted"));
        }
        if options.precondition_uid.as_deref().is_some_and(|uid| uid != current.uid()) {
            return Err(ApiError::conflict(key.kind, &key.name));
        }
        let grace_seconds = grace_seconds(&current, options);
        let mut value = current.value().clone();
        set_propagation(&mut value, key.kind, options);
        let waits = grace_seconds > 0 || is_held(&value);
        // A Pod's deletion is always written first, even if the Pod goes in the same moment.
        if !waits && key.kind != Kind::Pod {
            self.commit(key.clone(), None);
            return Ok(());
        }
        if key.kind == Kind::Namespace {
            value.set("status.phase", "Terminating");
        }
        mark_deleted(&mut value, &current, self.now.whole_second() + Span::secs(grace_seconds), grace_seconds);
        if value != *current.value() {
            self.commit(key.clone(), Some(value));
        }
        if !waits {
            self.commit(key.clone(), None);
        }
        Ok(())
    }

    /// Binds a Pod to a node (`pods/binding`).
    ///
    /// # Errors
    /// NotFound.
    pub fn bind(&mut self, pod: &Key, node: &str) -> Result<Rc<Object>, ApiError> {
        let current = self.existing(pod)?;
        let mut value = current.value().clone();
        value.set("spec.nodeName", node);
        value.remove("status.nominatedNodeName");
        self.set_condition(
            &mut value,
            NewCondition { kind: "PodScheduled", status: "True", ..NewCondition::default() },
        );
        Ok(self.commit(pod.clone(), Some(value)))
    }

    /// Evicts a Pod (`pods/eviction`): marks it as disrupted, then deletes it with its own grace period.
    ///
    /// # Errors
    /// NotFound.
    pub fn evict(&mut self, pod: &Key) -> Result<(), ApiError> {
        let current = self.existing(pod)?;
        budget::check(self.store, &current)?;
        self.note(Subject::from(&*current), Happened::Evicted);
        if !current.pod().is_terminal() && !current.meta().is_being_deleted() {
            let mut value = current.value().clone();
            let condition = NewCondition {
                kind: "DisruptionTarget",
                status: "True",
                reason: "EvictionByEvictionAPI",
                message: "Eviction API: evicting",
                ..NewCondition::default()
            };
            self.set_condition(&mut value, condition);
            self.commit(pod.clone(), Some(value));
        }
        self.delete(pod, &DeleteOptions::default())
    }

    /// Sets a condition in a Pod that is about to be written.
    fn set_condition(&self, pod: &mut Value, condition: NewCondition<'_>) {
        set_pod_condition(pod.map_mut().get_or_insert(Text::Known("status")), condition, self.now);
    }

    fn existing(&self, key: &Key) -> Result<Rc<Object>, ApiError> {
        self.get(key).ok_or_else(|| ApiError::not_found(key.kind, &key.name))
    }

    /// Ends an update: validates it, raises the generation, drops the object when nothing holds it any more.
    fn write(&mut self, key: &Key, current: &Rc<Object>, mut value: Value, spec: bool) -> Result<Rc<Object>, ApiError> {
        keep_system_fields(&mut value, current.value());
        if value == *current.value() {
            return Ok(Rc::clone(current));
        }
        if spec {
            admission::on_update(key.kind, &mut value);
            if key.kind == Kind::Service && value.has("spec.ports") {
                admission::keep_node_ports(self, &mut value, current.value());
            }
            strategy::prepare_for_update(key.kind, &mut value, current.value());
            if value == *current.value() {
                return Ok(Rc::clone(current));
            }
            admission::validate_update(self, key.kind, &key.name, &value, current.value())?;
        } else {
            admission::check_job_status(self, key.kind, &value, current.value());
        }
        let held = is_held(&value);
        let due = value.has("metadata.deletionTimestamp")
            && value.i64_at("metadata.deletionGracePeriodSeconds").unwrap_or(0) == 0;
        let unchanged_spec = key.kind == Kind::Namespace || value.at("spec") == current.value().at("spec");
        if spec && due && !held && unchanged_spec {
            let gone = self.commit(key.clone(), None);
            // The writer is told what it wrote, although nothing is left of it.
            value.set("metadata.resourceVersion", gone.resource_version().to_string());
            return Ok(Rc::new(Object::new(key.kind, value, gone.resource_version())));
        }
        Ok(self.commit(key.clone(), Some(value)))
    }

    fn name_new_object(&mut self, kind: Kind, value: &mut Value) {
        if kind.info().namespaced {
            value.set_default("metadata.namespace", "default");
        }
        let named = value.str_at("metadata.name").is_some_and(|name| !name.is_empty());
        let Some(base) = value.str_at("metadata.generateName").filter(|base| !named && !base.is_empty()) else {
            return;
        };
        // `names.SimpleNameGenerator`: the base is cut so that five letters still fit into 63.
        let base = beginning(base, 58);
        self.store.names_generated += 1;
        let suffix = self.rng.suffix("name", &format!("{base}{}", self.store.names_generated));
        let name = format!("{base}{suffix}");
        value.set("metadata.name", name);
    }
}

/// True if something must be done before the object may go. Namespaces have a list of their own in their spec.
fn is_held(value: &Value) -> bool {
    let in_spec = value.str_at("kind") == Some("Namespace") && !value.list_at("spec.finalizers").is_empty();
    in_spec || !value.list_at("metadata.finalizers").is_empty()
}

fn kind_of(value: &Value) -> Result<Kind, ApiError> {
    let (version, name) = (value.str_at("apiVersion").unwrap_or_default(), value.str_at("kind").unwrap_or_default());
    Kind::find(version, name)
        .ok_or_else(|| ApiError::bad_request(format!("no kind \"{name}\" is registered for version \"{version}\"")))
}

/// The object must be the one that the address names, in the version that the client has seen (if it says one).
fn check_identity(key: &Key, value: &Value, current: &Object) -> Result<(), ApiError> {
    let name = value.str_at("metadata.name").unwrap_or_default();
    if name != &*key.name {
        let text = format!("the name of the object ({name}) does not match the name on the URL ({})", key.name);
        return Err(ApiError::bad_request(text));
    }
    let namespace = value.str_at("metadata.namespace").unwrap_or(&key.namespace);
    if key.kind.info().namespaced && namespace != &*key.namespace {
        let text = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(ApiError::bad_request(text));
    }
    let version = value.str_at("metadata.resourceVersion").unwrap_or_default();
    if !matches!(version, "" | "0") && current.value().str_at("metadata.resourceVersion") != Some(version) {
        return Err(ApiError::conflict(key.kind, &key.name));
    }
    Ok(())
}

/// Metadata that no client may change.
fn keep_system_fields(value: &mut Value, current: &Value) {
    if value.at("metadata") == current.at("metadata") {
        return;
    }
    for field in [
        "metadata.uid",
        "metadata.creationTimestamp",
        "metadata.deletionTimestamp",
        "metadata.deletionGracePeriodSeconds",
        "metadata.generation",
        "metadata.resourceVersion",
    ] {
        keep(value, current, field);
    }
}

fn keep(value: &mut Value, current: &Value, path: &'static str) {
    match current.at(path) {
        Value::Null => {
            value.remove(path);
        }
        kept => {
            if value.at(path) != kept {
                value.set(path, kept.clone());
            }
        }
    }
}

/// How long the object may take to end. Only Pods that run somewhere get a grace period.
fn grace_seconds(current: &Object, options: &DeleteOptions) -> i64 {
    if current.kind() != Kind::Pod {
        return 0;
    }
    let pod = current.pod();
    if pod.spec.node_name.is_empty() || pod.is_terminal() {
        return 0;
    }
    let own = options.grace_period_seconds.or(pod.spec.termination_grace_period_seconds).unwrap_or(30);
    // A negative grace period in the spec means the shortest there is.
    let own = if own < 0 { 1 } else { own };
    match pod.metadata.deletion_grace_period_seconds {
        // A second request may shorten the time, never lengthen it.
        Some(before) => own.min(before),
        None => own,
    }
}

fn mark_deleted(value: &mut Value, current: &Object, due: values::time::SimTime, grace_seconds: i64) {
    let before = current.meta().deletion_grace_period_seconds;
    if before.is_some_and(|before| before <= grace_seconds) {
        return;
    }
    value.set("metadata.deletionTimestamp", due);
    value.set("metadata.deletionGracePeriodSeconds", grace_seconds);
    if before.is_none() && current.meta().generation > 0 {
        value.set("metadata.generation", current.meta().generation + 1);
    }
}

/// Puts the finalizer that makes the garbage collector wait, orphan, or neither.
fn set_propagation(value: &mut Value, kind: Kind, options: &DeleteOptions) {
    let mut finalizers: Vec<Value> = value.list_at("metadata.finalizers").to_vec();
    let has = |list: &[Value], name: &str| list.iter().any(|f| f.as_str() == Some(name));
    let propagation = options.propagation.unwrap_or_else(|| {
        if has(&finalizers, ORPHAN) {
            Propagation::Orphan
        } else if has(&finalizers, FOREGROUND) {
            Propagation::Foreground
        } else {
            Propagation::Background
        }
    });
    finalizers.retain(|f| f.as_str() != Some(ORPHAN) && f.as_str() != Some(FOREGROUND));
    match propagation {
        Propagation::Background => {}
        Propagation::Foreground => finalizers.push(FOREGROUND.into()),
        Propagation::Orphan => finalizers.push(ORPHAN.into()),
    }
    // Pods have no dependents here; a finalizer would only keep them.
    if kind == Kind::Pod {
        return;
    }
    if finalizers.is_empty() {
        value.remove("metadata.finalizers");
    } else {
        value.set("metadata.finalizers", finalizers);
    }
}
