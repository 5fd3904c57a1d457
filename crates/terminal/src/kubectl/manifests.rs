//! Files, folders, kustomizations and standard input as documents, the way `kubectl -f` and `-k` read them.
//!
//! Source: `cli-runtime/pkg/resource/{builder,visitor}.go` (`FilenameParam`, `ExpandPathsToFileVisitors`,
//! `FlattenListVisitor`).

use std::rc::Rc;

use crate::files::Files;
use crate::kubectl::Call;
use crate::kubectl::errors::Failure;
use crate::kustomize;
use api::decode::flatten;
use api::schema::Schema;
use cluster::store::Origin;
use shell::Read;
use shell::host::resolve;
use values::value::Value;
use yaml;

/// What one source held.
pub struct Manifests {
    /// `STDIN`, or the file's name.
    pub source: String,
    /// All that it held, so that what is made of it can be traced to its line.
    pub text: Rc<str>,
    pub documents: Vec<Value>,
    /// Why it, or something in it, could not be read.
    pub failures: Vec<Failure>,
}

/// Files of a folder that are read.
const EXTENSIONS: [&str; 3] = [".json", ".yaml", ".yml"];
/// Folders inside each other that `-R` goes into.
const DEPTH_MAX: usize = 50;

impl Manifests {
    /// Where objects made of it come from.
    pub fn origin(&self) -> Option<Rc<Origin>> {
        Some(Rc::new(Origin { file: Rc::from(self.source.as_str()), text: Rc::clone(&self.text) }))
    }
}

/// Cuts a text into documents; the items of a list count as documents of their own.
pub fn read_text(text: &str, source: &str) -> Manifests {
    let parsed = yaml::parse(text, source);
    let mut manifests =
        Manifests { source: source.to_owned(), text: Rc::from(text), documents: Vec::new(), failures: Vec::new() };
    for node in parsed.documents.iter().take(parsed.reached) {
        for (place, document) in flatten(&node.value()) {
            match unknown_item(&place, &document) {
                Some(failure) => manifests.failures.push(failure),
                None => manifests.documents.push(document),
            }
        }
    }
    manifests.failures.extend(parsed.kubectl_error().map(|text| Failure::Plain(text.to_owned())));
    manifests
}

/// An item of a list whose kind nobody knows.
fn unknown_item(place: &str, item: &Value) -> Option<Failure> {
    let (version, kind) = (item.str_at("apiVersion")?, item.str_at("kind")?);
    let known = Schema::get().kind(version, kind).is_some();
    (!place.is_empty() && !known)
        .then(|| Failure::Plain(format!("unable to recognize no matches for kind \"{kind}\" in version \"{version}\"")))
}

/// Reads every `-f` (files; folders with their `.yaml`, `.yml` and `.json`; `-` for standard input), or the folder of `-k`.
///
/// # Errors
/// What is not there, or cannot be built.
pub fn read_files(call: &mut Call<'_, '_>) -> Result<Vec<Manifests>, Vec<Failure>> {
    let names: Vec<String> = call.parsed.list("filename").to_vec();
    let one = |text: &str| Err(vec![Failure::client(text)]);
    if let Some(folder) = call.parsed.text("kustomize").map(str::to_owned) {
        if !names.is_empty() {
            return one("only one of -f or -k can be specified");
        }
        if call.parsed.on("recursive") {
            return one("the -k flag can't be used with -f or -R");
        }
        let built = kustomize::build(call.desk.files, &call.args.cwd, &folder);
        let documents = built.map_err(|text| vec![Failure::client(text)])?;
        return Ok(vec![Manifests { source: folder, text: Rc::from(""), documents, failures: Vec::new() }]);
    }
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    let recursive = call.parsed.on("recursive");
    for name in names {
        if name == "-" {
            let mut text = Vec::new();
            while let Read::Data(bytes) = call.io.stdin.read(usize::MAX) {
                text.extend(bytes);
            }
            all.push(read_text(&String::from_utf8_lossy(&text), "STDIN"));
        } else if name.starts_with("http://") || name.starts_with("https://") {
            failures.push(unreachable(&name));
        } else {
            match expand(call.desk.files, &call.args.cwd, &name, recursive) {
                Ok(found) => all.extend(found),
                Err(failure) => failures.push(failure),
            }
        }
    }
    if failures.is_empty() { Ok(all) } else { Err(failures) }
}

/// A file, or the manifests of a folder.
fn expand(files: &Files, cwd: &str, name: &str, recursive: bool) -> Result<Vec<Manifests>, Failure> {
    let mut path = resolve(cwd, name);
    // `.\\job.yaml` of a Windows tutorial reaches us as `.job.yaml`: the shell has taken the backslash.
    if let Some(bare) = name.strip_prefix('.').filter(|_| files.info(&path).is_err()) {
        path = resolve(cwd, bare);
    }
    let text = |path: &str| String::from_utf8_lossy(&files.read(path).unwrap_or_default()).into_owned();
    match files.info(&path) {
        Err(_) if name.contains(['*', '?']) => Err(Failure::client(format!("the path \"{name}\" does not exist"))),
        Err(_) => Err(Failure::client(format!("the path \"{name}\" does not exist"))),
        Ok(info) if info.directory => {
            let mut found = Vec::new();
            let shown = name.trim_end_matches('/');
            walk(files, &path, shown, if recursive { DEPTH_MAX } else { 0 }, &mut |path, shown| {
                found.push(read_text(&text(path), shown));
            });
            match found.is_empty() {
                true => Err(Failure::client(format!(
                    "error reading [{name}]: recognized file extensions are [{}]",
                    EXTENSIONS.join(" ")
                ))),
                false => Ok(found),
            }
        }
        Ok(_) => Ok(vec![read_text(&text(&path), name)]),
    }
}

/// Goes through a folder's manifests in the order of their names.
fn walk(files: &Files, path: &str, shown: &str, depth: usize, visit: &mut impl FnMut(&str, &str)) {
    for name in files.list(path).unwrap_or_default() {
        let (inside, shown) = (format!("{path}/{name}"), format!("{shown}/{name}"));
        if files.info(&inside).is_ok_and(|info| info.directory) {
            if depth > 0 {
                walk(files, &inside, &shown, depth - 1, visit);
            }
        } else if EXTENSIONS.iter().any(|end| name.ends_with(end)) {
            visit(&inside, &shown);
        }
    }
}

/// Nothing outside can be reached from here.
fn unreachable(address: &str) -> Failure {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or(rest);
    let name = host.split(':').next().unwrap_or(host);
    Failure::Plain(match ["127.0.0.1", "localhost"].contains(&name) {
        true => format!("The connection to the server {host} was refused - did you specify the right host or port?"),
        false => format!(
            "Unable to connect to the server: dial tcp: lookup {name}: no such host (nothing outside can be reached from \
             here: save the file first)"
        ),
    })
}
