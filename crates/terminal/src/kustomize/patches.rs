//! `patches`, `patchesStrategicMerge` and `patchesJson6902`.
//!
//! Rule: a patch with a target is laid over every object that the target means; one without is laid over the object it
//! names. What it adds to a list with keys comes first. Source: `kustomize/api/internal/builtins/Patch*Transformer.go`,
//! `kustomize/api/types/{selector,patch}.go`.

use api::patch::{Shape, strategic};
use api::selector::Labels;
use values::value::Value;

use super::{Place, Resource, read};
use crate::kubectl::json_patch;

pub(super) fn all(place: &Place<'_>, tree: &Value, resources: &mut Vec<Resource>) -> Result<(), String> {
    for entry in tree.list_at("patchesStrategicMerge") {
        let entry = entry.as_str().unwrap_or_default();
        let text = if entry.contains('\n') { entry.to_owned() } else { read(place, entry)? };
        for patch in documents(&text)? {
            named(resources, &patch)?;
        }
    }
    for rule in tree.list_at("patches") {
        let (path, inline) = (rule.str_at("path").unwrap_or_default(), rule.str_at("patch").unwrap_or_default());
        let text = match (path.is_empty(), inline.is_empty()) {
            (true, true) => return Err("must specify one of patch and path in a patch".to_owned()),
            (false, false) => return Err("patch and path can't be set at the same time".to_owned()),
            (false, true) => {
                read(place, path).map_err(|why| format!("failed to get the patch file from path({path}): {why}"))?
            }
            (true, false) => inline.to_owned(),
        };
        for patch in documents(&text)? {
            match (patch.as_list().is_some(), rule.at("target").is_null()) {
                (false, true) => named(resources, &patch)?,
                (true, true) => return Err("must specify a target for JSON patch".to_owned()),
                (is_json, false) => targeted(resources, &patch, rule, is_json)?,
            }
        }
    }
    Ok(())
}

/// `patchesJson6902`, which come after names and labels.
pub(super) fn json(place: &Place<'_>, tree: &Value, resources: &mut Vec<Resource>) -> Result<(), String> {
    for rule in tree.list_at("patchesJson6902") {
        let (path, inline) = (rule.str_at("path").unwrap_or_default(), rule.str_at("patch").unwrap_or_default());
        let text = if inline.is_empty() { read(place, path)? } else { inline.to_owned() };
        for patch in documents(&text)? {
            targeted(resources, &patch, rule, true)?;
        }
    }
    Ok(())
}

fn documents(text: &str) -> Result<Vec<Value>, String> {
    let parsed = yaml::parse(text, "patch");
    if let Some(error) = parsed.kubectl_error() {
        let why = error.rsplit_once("yaml: ").map_or(error, |(_, why)| why);
        return Err(format!("unable to parse SM or JSON patch from [{text}]: yaml: {why}"));
    }
    Ok(parsed.documents.iter().map(|node| node.value()).collect())
}

/// Lays a patch over the object that it names.
fn named(resources: &mut Vec<Resource>, patch: &Value) -> Result<(), String> {
    let wanted = Resource::new(patch.clone());
    if wanted.name().is_empty() || wanted.kind().is_empty() {
        return Err(format!(
            "trouble configuring builtin PatchTransformer with config: a patch without a target must name its object: {}",
            patch.to_json()
        ));
    }
    let fits = |resource: &Resource| {
        (resource.kind(), resource.group()) == (wanted.kind(), wanted.group())
            && resource.is_called(wanted.name())
            && (wanted.namespace().is_empty() || wanted.namespace() == resource.namespace())
    };
    let found: Vec<usize> = (0..resources.len()).filter(|at| fits(&resources[*at])).collect();
    match found.as_slice() {
        [at] => merge(resources, *at, patch),
        [] => {
            let id = wanted.id();
            return Err(format!(
                "no resource matches strategic merge patch {id:?}: no matches for Id {id}; failed to find unique target for patch {id}"
            ));
        }
        _ => {
            let id = wanted.id();
            return Err(format!("multiple matches for Id {id}; failed to find unique target for patch {id}"));
        }
    }
    Ok(())
}

fn merge(resources: &mut Vec<Resource>, at: usize, patch: &Value) {
    if patch.str_at("$patch") == Some("delete") {
        resources.remove(at);
        return;
    }
    let resource = &mut resources[at];
    let (name, kind) = (resource.name().to_owned(), resource.kind().to_owned());
    let version = resource.value.str_at("apiVersion").unwrap_or_default().to_owned();
    let shape = Shape::of_kind(&version, &kind).prepending();
    strategic(&mut resource.value, patch, shape);
    // A patch changes neither name nor kind.
    resource.value.set("metadata.name", name);
    resource.value.set("kind", kind);
}

/// Lays a patch over every object that the rule's target means.
fn targeted(resources: &mut Vec<Resource>, patch: &Value, rule: &Value, is_json: bool) -> Result<(), String> {
    let target = rule.at("target");
    let labels = target.str_at("labelSelector").map(Labels::parse).transpose()?;
    let annotations = target.str_at("annotationSelector").map(Labels::parse).transpose()?;
    let mut at = 0;
    while at < resources.len() {
        let before = resources.len();
        if means(target, &resources[at], labels.as_ref(), annotations.as_ref()) {
            if is_json {
                let resource = &mut resources[at];
                json_patch(&mut resource.value, patch).map_err(|why| format!("failed to apply JSON patch: {why}"))?;
            } else {
                merge(resources, at, patch);
            }
        }
        at += usize::from(resources.len() == before);
    }
    Ok(())
}

fn means(target: &Value, resource: &Resource, labels: Option<&Labels>, annotations: Option<&Labels>) -> bool {
    let text = |field: &str| target.str_at(field).unwrap_or_default();
    let is = |wanted: &str, have: &str| wanted.is_empty() || matches(wanted, have);
    let of = |path: &str| resource.value.at(path).decode().unwrap_or_default();
    is(text("group"), resource.group())
        && is(text("version"), resource.version())
        && is(text("kind"), resource.kind())
        && (is(text("name"), resource.name()) || resource.earlier.iter().any(|name| is(text("name"), name)))
        && is(text("namespace"), resource.namespace())
        && labels.is_none_or(|labels| labels.matches(&of("metadata.labels")))
        && annotations.is_none_or(|labels| labels.matches(&of("metadata.annotations")))
}

/// Whether an anchored pattern means a text: letters stand for themselves, `.` for any one, `.*` and `.+` for many, `|` for a
/// choice.
fn matches(pattern: &str, text: &str) -> bool {
    let bare = pattern.trim_start_matches('^').trim_end_matches('$');
    bare.split('|').any(|choice| fits(choice.trim_matches(['(', ')']).as_bytes(), text.as_bytes()))
}

/// The places in the text that are reached are carried along, so that no pattern takes long.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    let mut rest = pattern;
    while let [first, after @ ..] = rest {
        let (letter, behind) = match (first, after) {
            (b'\\', [escaped, behind @ ..]) => (Some(*escaped), behind),
            (b'.', behind) => (None, behind),
            (plain, behind) => (Some(*plain), behind),
        };
        let steps = |at: usize| letter.is_none_or(|letter| text.get(at) == Some(&letter)) && at < text.len();
        let (least, many, behind) = match behind {
            [b'*', behind @ ..] => (0, true, behind),
            [b'+', behind @ ..] => (1, true, behind),
            [b'?', behind @ ..] => (0, false, behind),
            other => (1, false, other),
        };
        let mut next = if least == 0 { reached.clone() } else { vec![false; text.len() + 1] };
        for at in 0..text.len() {
            let from_here = reached[at] || (many && next[at]);
            next[at + 1] |= from_here && steps(at);
        }
        (reached, rest) = (next, behind);
    }
    reached[text.len()]
}
