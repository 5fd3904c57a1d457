//! One document that `kubectl apply` applies: on the client's side by a patch, or at the server.
//!
//! Source: `kubectl/pkg/cmd/apply/{apply,patcher}.go`, `client-go/util/csaupgrade`.

use crate::kubectl::common::DryRun;
use crate::kubectl::errors::Failure;
use crate::kubectl::managers;
use api::decode::{Decoded, FieldValidation, decode};
use api::kind::Kind;
use api::meta::Key;
use api::patch::{Shape, strategic, three_way};
use api::status::{ApiError, Reason};
use cluster::Cluster;
use values::time::SimTime;
use values::value::Value;

use super::{CONFLICT_HELP, LAST_APPLIED, Printed, Way, annotate, missing_annotation, with_last_applied};

/// What became of an object.
pub(super) struct Done {
    pub(super) object: Value,
    pub(super) how: &'static str,
}

/// A refusal: about whom, what the server said, and how kubectl tells it.
pub struct Refusal {
    pub name: String,
    pub error: ApiError,
    pub(super) told: Box<dyn Fn(&ApiError, &str) -> Failure>,
}

impl Refusal {
    pub(super) fn when(doing: &'static str, name: &str, error: ApiError) -> Refusal {
        let told = move |error: &ApiError, source: &str| {
            Failure::Server(error.clone(), Some(format!("error when {doing} \"{source}\"")))
        };
        Refusal { name: name.to_owned(), error, told: Box::new(told) }
    }

    /// The patch is told as well.
    pub(super) fn of_patch(key: &Key, patch: &Value, error: ApiError) -> Refusal {
        let info = key.kind.info();
        let version = if info.group.is_empty() { format!("/{}", info.version) } else { info.api_version().to_string() };
        let begin = format!(
            "error when applying patch:\n{}\nto:\nResource: \"{version}, Resource={}\", GroupVersionKind: \"{version}, \
             Kind={}\"\nName: \"{}\", Namespace: \"{}\"\n",
            patch.to_go_json(),
            info.plural,
            info.name,
            key.name,
            key.namespace
        );
        let told = move |error: &ApiError, source: &str| {
            let doing = format!("{begin}for: \"{source}\": error when patching \"{source}\"");
            Failure::Server(error.clone(), Some(doing))
        };
        Refusal { name: key.name.to_string(), error, told: Box::new(told) }
    }
}

/// One document that is applied.
pub(super) struct One<'a> {
    pub(super) cluster: &'a mut Cluster,
    pub(super) kind: Kind,
    pub(super) document: &'a Value,
    pub(super) namespace: &'a str,
    pub(super) way: &'a Way,
}

impl One<'_> {
    pub(super) fn key(&self, object: &Value) -> Key {
        Key::new(self.kind, self.namespace, object.str_at("metadata.name").unwrap_or_default())
    }

    /// Creates the object, or patches what differs from the last apply.
    pub(super) fn at_client(mut self, decoded: Decoded, printed: &mut Printed) -> Result<Done, Refusal> {
        let key = self.key(&decoded.object);
        let name = key.name.to_string();
        let modified = with_last_applied(self.document, self.kind, self.namespace);
        let client = self.way.dry_run == DryRun::Client;
        let Some(current) = self.cluster.store().get(&key).cloned() else {
            if client {
                return Ok(Done { object: modified, how: "created" });
            }
            let mut object = decoded.object;
            if self.kind.info().namespaced {
                object.set("metadata.namespace", self.namespace);
            }
            annotate(&mut object, &modified);
            let now = self.cluster.now();
            let notes = managers::after_create(self.kind, &object, &self.way.manager, now);
            let created = self.cluster.api("user", |api| {
                let created = api.create(object)?;
                api.set_managers(&key, notes);
                printed.warnings.extend(api.take_warnings());
                Ok(created)
            });
            let created = created.map_err(|error| Refusal::when("creating", &name, error))?;
            let mut object = created.value().clone();
            if self.way.dry_run == DryRun::Server {
                object.remove("metadata.resourceVersion");
            }
            return Ok(Done { object, how: "created" });
        };
        let annotation = current.value().at_keys(["metadata", "annotations", LAST_APPLIED]);
        let original = annotation.as_str().and_then(|text| Value::from_json(text).ok());
        if original.is_none() {
            printed.warnings.push(missing_annotation(self.kind, &name));
        }
        let shape = Shape::of_kind(&decoded.api_version, &decoded.kind);
        let original = original.unwrap_or_else(Value::map);
        let patch = three_way(&original, &modified, current.value(), shape);
        if patch.is_empty() {
            return Ok(Done { object: current.value().clone(), how: "unchanged" });
        }
        if client {
            return Ok(Done { object: current.value().clone(), how: "configured" });
        }
        match self.patch(&key, &patch, &decoded, shape, printed) {
            Ok(object) => Ok(Done { object, how: "configured" }),
            Err(refusal) if matches!(refusal.error.reason, Reason::Conflict | Reason::Invalid) => {
                self.anew(&key, &current, decoded, &modified, refusal, printed)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Sends the patch.
    fn patch(
        &mut self,
        key: &Key,
        patch: &Value,
        decoded: &Decoded,
        shape: Shape,
        printed: &mut Printed,
    ) -> Result<Value, Refusal> {
        let store = self.cluster.store();
        let (before, notes) = (store.get(key).cloned(), store.managers(key).clone());
        let before = before.map(|object| object.value().clone()).unwrap_or_default();
        let mut changed = before.clone();
        // Objects of the same name that were made in the meantime are other objects.
        let stale = decoded.object.at("metadata.resourceVersion").clone();
        strategic(&mut changed, patch, shape);
        if !stale.is_null() {
            changed.set("metadata.resourceVersion", stale);
        }
        let changed = match decode(&changed, self.way.validation) {
            Ok(decoded) => decoded.object,
            Err(refusal) => {
                let error = ApiError { reason: Reason::BadRequest, ..ApiError::bad_request(refusal.text) };
                return Err(Refusal::when("applying patch", &key.name, error));
            }
        };
        let (kind, now, manager) = (self.kind, self.cluster.now(), &self.way.manager);
        let written = self.cluster.api("user", |api| {
            let written = api.update(key, |value| *value = changed)?;
            api.set_managers(key, managers::after_update(&notes, kind, &before, written.value(), manager, now));
            printed.warnings.extend(api.take_warnings());
            Ok(written)
        });
        written.map(|object| object.value().clone()).map_err(|error| Refusal::of_patch(key, patch, error))
    }

    /// `--force`: the object is deleted, and made as the document has it once it is gone.
    fn anew(
        self,
        key: &Key,
        current: &api::object::Object,
        decoded: Decoded,
        modified: &Value,
        refusal: Refusal,
        printed: &mut Printed,
    ) -> Result<Done, Refusal> {
        let Some(options) = &self.way.force else { return Err(refusal) };
        let mut object = decoded.object;
        if self.kind.info().namespaced {
            object.set("metadata.namespace", self.namespace);
        }
        object.remove("metadata.resourceVersion");
        annotate(&mut object, modified);
        let uid = current.uid().to_owned();
        let deleted = self.cluster.api("user", |api| api.delete(key, options));
        deleted.map_err(|error| Refusal::when("deleting", &key.name, error))?;
        if self.cluster.store().get(key).is_some() {
            let source = key.name.to_string();
            printed.recreated.push((object, source, key.clone(), uid.clone()));
            printed.visited.push((key.clone(), uid));
            return Err(Refusal {
                name: key.name.to_string(),
                error: refusal.error,
                told: Box::new(|_, _| Failure::Plain(String::new())),
            });
        }
        let now = self.cluster.now();
        let notes = managers::after_create(self.kind, &object, &self.way.manager, now);
        let created = self.cluster.api("user", |api| {
            let created = api.create(object)?;
            api.set_managers(key, notes);
            Ok(created)
        });
        match created {
            Ok(created) => Ok(Done { object: created.value().clone(), how: "configured" }),
            Err(error) => Err(Refusal::when("creating", &key.name, error)),
        }
    }

    /// `--server-side`: the server lays the document over the object, and knows who set what.
    pub(super) fn at_server(self, decoded: Decoded) -> Result<Done, Refusal> {
        let key = self.key(&decoded.object);
        let shape = Shape::of_kind(&decoded.api_version, &decoded.kind);
        let (kind, now) = (self.kind, self.cluster.now());
        let store = self.cluster.store();
        let (live, notes) = (store.get(&key).cloned(), store.managers(&key).clone());
        let mut document = self.document.clone();
        if kind.info().namespaced {
            document.set("metadata.namespace", self.namespace);
        }
        let way = (self.way.manager.as_str(), self.way.takes_over, now);
        let base = live.as_ref().map_or_else(Value::map, |object| object.value().clone());
        let laid = managers::apply(&notes, kind, &base, &document, way, |value| strategic(value, &document, shape));
        let laid = laid.map_err(|text| Refusal {
            name: key.name.to_string(),
            error: ApiError { message: text, ..ApiError::conflict(kind, &key.name) },
            told: Box::new(|error, _| Failure::Client(format!("{}\n{CONFLICT_HELP}", error.message))),
        })?;
        let refused = |error| Refusal {
            told: Box::new(|error: &ApiError, _: &str| error.clone().into()),
            name: key.name.to_string(),
            error,
        };
        let object = match live.is_some() {
            true => decode(&laid.object, FieldValidation::Ignore).map_or(laid.object, |decoded| decoded.object),
            false => {
                let mut object = decoded.object;
                if kind.info().namespaced {
                    object.set("metadata.namespace", self.namespace);
                }
                object
            }
        };
        let exists = live.is_some();
        let written = self.cluster.api("user", |api| {
            let written = match exists {
                true => api.update(&key, |value| *value = object)?,
                false => api.create(object)?,
            };
            api.set_managers(&key, laid.entries);
            Ok(written)
        });
        let written = written.map_err(refused)?;
        let written = self.migrate(&key, shape, written.value().clone());
        Ok(Done { object: written, how: "serverside-applied" })
    }

    /// Who applied on the client before: the annotation is kept up to date, and what was owned so is owned as applied.
    fn migrate(self, key: &Key, shape: Shape, written: Value) -> Value {
        let (kind, now) = (self.kind, self.cluster.now());
        if !written.at_keys(["metadata", "annotations", LAST_APPLIED]).is_null() {
            let modified = with_last_applied(self.document, kind, self.namespace);
            let text = modified.at_keys(["metadata", "annotations", LAST_APPLIED]).clone();
            let mut document = Value::map();
            for field in ["apiVersion", "kind"] {
                document.set(if field == "kind" { "kind" } else { "apiVersion" }, self.document.at(field).clone());
            }
            let mut annotations = Value::map();
            annotations.map_mut().insert(LAST_APPLIED, text);
            document.set("metadata.annotations", annotations);
            One::lay(self.cluster, key, shape, &document, (managers::LAST_APPLIED_KEEPER, true, now));
        }
        let notes = self.cluster.store().managers(key).clone();
        if let Some(moved) = managers::migrated(&notes, kind, &self.way.manager) {
            self.cluster.api("user", |api| api.set_managers(key, moved));
            let mut document = self.document.clone();
            if kind.info().namespaced {
                document.set("metadata.namespace", self.namespace);
            }
            One::lay(self.cluster, key, shape, &document, (&self.way.manager, true, now));
        }
        self.cluster.store().get(key).map_or(written, |object| object.value().clone())
    }

    /// Lays a document over the object for a manager; what the server refuses stays as it was.
    fn lay(cluster: &mut Cluster, key: &Key, shape: Shape, document: &Value, way: (&str, bool, SimTime)) {
        let store = cluster.store();
        let Some(live) = store.get(key).cloned() else { return };
        let notes = store.managers(key).clone();
        let over = |value: &mut Value| strategic(value, document, shape);
        let Ok(laid) = managers::apply(&notes, key.kind, live.value(), document, way, over) else { return };
        let object = decode(&laid.object, FieldValidation::Ignore).map_or(laid.object, |decoded| decoded.object);
        cluster.api("user", |api| {
            if api.update(key, |value| *value = object).is_ok() {
                api.set_managers(key, laid.entries);
            }
        });
    }
}
