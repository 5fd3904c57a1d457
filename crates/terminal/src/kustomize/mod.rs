//! `kubectl kustomize` and `-k`: a folder with a kustomization as a list of objects.
//!
//! Rule: resources of files and folders, then generators, patches, namespace, prefix and suffix, labels, annotations, JSON
//! patches, replicas and images; last, names get their hashes, references follow, and all is put in the order of kinds.
//! What is not known is refused in words. Source: `sigs.k8s.io/kustomize/api` 0.21 (`internal/target`, `resmap`,
//! `internal/builtins`, `internal/konfig/builtinpluginconsts`).

mod generate;
mod names;
mod order;
mod patches;
mod transform;

use shell::host::resolve;
use values::value::Value;

use crate::files::Files;

pub use names::hash;

/// The names of the file, in the order in which they are looked for.
const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Kustomizations inside each other.
const DEPTH_MAX: usize = 30;
/// Objects of one build.
const OBJECTS_MAX: usize = 2_000;

/// Fields that are carried out.
const KNOWN: [&str; 26] = [
    "apiVersion",
    "kind",
    "metadata",
    "resources",
    "bases",
    "components",
    "namespace",
    "namePrefix",
    "nameSuffix",
    "labels",
    "commonLabels",
    "commonAnnotations",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "images",
    "replicas",
    "sortOptions",
    "buildMetadata",
    "configurations",
    "crds",
    "openapi",
    "vars",
];
/// Fields that kustomize knows and this one does not.
const NOT_SIMULATED: [&str; 8] =
    ["generators", "transformers", "validators", "replacements", "helmCharts", "helmGlobals", "inventory", "vars"];

/// An object on its way through the transformers.
#[derive(Clone, Debug)]
struct Resource {
    value: Value,
    /// The names it has had, the first one first.
    earlier: Vec<String>,
    /// Its name gets a hash of its content.
    hashed: bool,
}

impl Resource {
    fn new(value: Value) -> Resource {
        Resource { value, earlier: Vec::new(), hashed: false }
    }

    fn kind(&self) -> &str {
        self.value.str_at("kind").unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.value.str_at("metadata.name").unwrap_or_default()
    }

    fn namespace(&self) -> &str {
        self.value.str_at("metadata.namespace").unwrap_or_default()
    }

    fn group(&self) -> &str {
        self.value.str_at("apiVersion").and_then(|version| version.split_once('/')).map_or("", |(group, _)| group)
    }

    fn version(&self) -> &str {
        let version = self.value.str_at("apiVersion").unwrap_or_default();
        version.rsplit('/').next().unwrap_or(version)
    }

    /// Gives it another name; references to the old one will follow.
    fn rename(&mut self, name: String) {
        if name != self.name() {
            self.earlier.push(self.name().to_owned());
            self.value.set("metadata.name", name);
        }
    }

    /// `Job.v1.batch/x.[noNs]`
    fn id(&self) -> String {
        let or = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
        format!(
            "{}.{}.{}/{}.{}",
            self.kind(),
            self.version(),
            or(self.group(), "[noGrp]"),
            self.name(),
            or(self.namespace(), "[noNs]")
        )
    }

    /// The name it had in the file, or has now.
    fn is_called(&self, name: &str) -> bool {
        self.name() == name || self.earlier.iter().any(|earlier| earlier == name)
    }
}

/// The folder that is being built, and those that led to it.
struct Place<'a> {
    files: &'a Files,
    path: String,
    above: Vec<String>,
}

/// Builds the objects of a folder.
///
/// # Errors
/// kustomize's words, without `error: `.
pub fn build(files: &Files, cwd: &str, folder: &str) -> Result<Vec<Value>, String> {
    if folder.contains("://") || folder.starts_with("github.com/") || folder.starts_with("git@") {
        return Err(format!(
            "{folder} lies outside, and nothing outside can be reached from here: copy its files first"
        ));
    }
    let path = resolve(cwd, folder);
    match files.info(&path) {
        Err(_) => {
            return Err(format!(
                "must build at directory: not a valid directory: evalsymlink failure on '{folder}' : lstat {path}: no such \
                 file or directory"
            ));
        }
        Ok(info) if !info.directory => {
            return Err(format!(
                "must build at directory: not a valid directory: '{path}' must resolve to a directory"
            ));
        }
        Ok(_) => {}
    }
    let mut resources = accumulate(&Place { files, path, above: Vec::new() })?;
    names::add_hashes(&mut resources);
    names::follow(&mut resources);
    order::sort(&mut resources);
    Ok(resources.into_iter().map(|resource| resource.value).collect())
}

/// The kustomization of a folder.
fn load(place: &Place<'_>) -> Result<Value, String> {
    let there: Vec<&str> = FILES
        .into_iter()
        .filter(|name| place.files.info(&format!("{}/{name}", place.path)).is_ok_and(|info| !info.directory))
        .collect();
    let path = &place.path;
    let name = match there.as_slice() {
        [] => {
            return Err(format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{path}'"
            ));
        }
        [name] => name,
        _ => return Err(format!("Found multiple kustomization files under: {path}")),
    };
    let text = read(place, name).map_err(|_| format!("cannot read {path}/{name}"))?;
    let parsed = yaml::parse(&text, name);
    if let Some(error) = parsed.kubectl_error() {
        let why = error.rsplit_once("yaml: ").map_or(error, |(_, why)| why);
        return Err(format!("invalid Kustomization: yaml: {why}"));
    }
    let Some(document) = parsed.documents.first() else { return Err(format!("{name} is empty")) };
    let tree = document.value();
    let Some(fields) = tree.as_map() else {
        return Err(
            "invalid Kustomization: json: cannot unmarshal string into Go value of type types.Kustomization".into()
        );
    };
    for (field, value) in fields.iter() {
        if NOT_SIMULATED.contains(&field) && !value.is_empty() {
            return Err(format!("the field {field} of {path}/{name} is known to kustomize, but not simulated here"));
        }
        if !KNOWN.contains(&field) && !NOT_SIMULATED.contains(&field) {
            return Err(format!("invalid Kustomization: json: unknown field {field:?}"));
        }
    }
    Ok(tree)
}

fn read(place: &Place<'_>, name: &str) -> Result<String, String> {
    let path = resolve(&place.path, name);
    let bytes = place.files.read(&path);
    bytes
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .map_err(|_| format!("evalsymlink failure on '{path}' : lstat {path}: no such file or directory"))
}

/// Builds the objects of one folder, without their hashes.
fn accumulate(place: &Place<'_>) -> Result<Vec<Resource>, String> {
    let tree = load(place)?;
    let mut all = Vec::new();
    for field in ["resources", "bases"] {
        for entry in tree.list_at(field) {
            let entry = entry.as_str().unwrap_or_default();
            add(&mut all, from_entry(place, entry)?, entry)?;
        }
    }
    carry_out(place, &tree, &mut all)?;
    Ok(all)
}

/// Generates and transforms as one kustomization says.
fn carry_out(place: &Place<'_>, tree: &Value, all: &mut Vec<Resource>) -> Result<(), String> {
    for entry in tree.list_at("components") {
        let entry = entry.as_str().unwrap_or_default();
        let below = Place { files: place.files, path: resolve(&place.path, entry), above: deeper(place)? };
        let component = load(&below)?;
        for resource in component.list_at("resources") {
            let resource = resource.as_str().unwrap_or_default();
            let made = from_entry(&below, resource)?;
            add(all, made, resource)?;
        }
        carry_out(&below, &component, all)?;
    }
    generate::all(place, tree, all)?;
    patches::all(place, tree, all)?;
    transform::all(tree, all);
    patches::json(place, tree, all)?;
    transform::last(tree, all)
}

fn deeper(place: &Place<'_>) -> Result<Vec<String>, String> {
    let mut above = place.above.clone();
    above.push(place.path.clone());
    if above.len() > DEPTH_MAX {
        return Err(format!("kustomizations stand inside each other more than {DEPTH_MAX} deep"));
    }
    Ok(above)
}

/// The objects of a file or folder that a kustomization names.
fn from_entry(place: &Place<'_>, entry: &str) -> Result<Vec<Resource>, String> {
    if entry.contains("://") || entry.starts_with("github.com/") {
        return Err(format!(
            "accumulating resources: {entry} lies outside, and nothing outside can be reached from here: copy it first"
        ));
    }
    let path = resolve(&place.path, entry);
    match place.files.info(&path) {
        Err(_) => {
            let why = format!("evalsymlink failure on '{path}' : lstat {path}: no such file or directory");
            Err(format!(
                "accumulating resources: accumulation err='accumulating resources from '{entry}': {why}': must build at \
                 directory: not a valid directory: {why}"
            ))
        }
        Ok(info) if info.directory => {
            if place.above.contains(&path) || place.path == path {
                return Err(format!(
                    "accumulating resources: accumulation err='accumulating resources from '{entry}': '{path}' must \
                     resolve to a file': cycle detected: candidate root '{path}' contains visited root '{}'",
                    place.path
                ));
            }
            accumulate(&Place { files: place.files, path, above: deeper(place)? }).map_err(|why| {
                format!(
                    "accumulating resources: accumulation err='accumulating resources from '{entry}': '{}' must resolve to \
                     a file': recursed accumulation of path '{0}': {why}",
                    resolve(&place.path, entry)
                )
            })
        }
        Ok(_) => {
            let text = read(place, entry)?;
            objects(&text, entry).map_err(|why| {
                format!(
                    "accumulating resources: accumulation err='accumulating resources from '{entry}': {why}': must build \
                     at directory: not a valid directory: '{path}' must resolve to a directory"
                )
            })
        }
    }
}

/// The objects of a text.
fn objects(text: &str, file: &str) -> Result<Vec<Resource>, String> {
    let parsed = yaml::parse(text, file);
    if let Some(error) = parsed.kubectl_error() {
        let why = error.rsplit_once("yaml: ").map_or(error, |(_, why)| why);
        return Err(format!("MalformedYAMLError: yaml: {why} in File: {file}"));
    }
    let mut all = Vec::new();
    for (_, value) in parsed.documents.iter().flat_map(|node| api::decode::flatten(&node.value())) {
        if value.str_at("kind").unwrap_or_default().is_empty() {
            return Err(format!("missing Resource metadata in File: {file}").replace("metadata", "kind"));
        }
        let (name, prefix) = (value.str_at("metadata.name"), value.str_at("metadata.generateName"));
        if name.or(prefix).unwrap_or_default().is_empty() {
            return Err(format!("missing metadata.name in object {{{}}}", value.str_at("kind").unwrap_or_default()));
        }
        all.push(Resource::new(value));
    }
    Ok(all)
}

/// Adds objects; two of one kind and name are refused.
fn add(all: &mut Vec<Resource>, more: Vec<Resource>, entry: &str) -> Result<(), String> {
    for resource in more {
        let same = |other: &&Resource| {
            (other.kind(), other.group(), other.namespace())
                == (resource.kind(), resource.group(), resource.namespace())
                && other.name() == resource.name()
        };
        if all.iter().any(|other| same(&other)) {
            return Err(format!(
                "accumulating resources: accumulation err='merging resources from '{entry}': may not add resource with an \
                 already registered id: {}': must build at directory: not a valid directory: '{entry}' must resolve to a \
                 directory",
                resource.id()
            ));
        }
        if all.len() >= OBJECTS_MAX {
            return Err(format!("a kustomization of more than {OBJECTS_MAX} objects"));
        }
        all.push(resource);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
