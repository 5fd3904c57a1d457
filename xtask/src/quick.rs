//! `cargo xtask quick`: what a developer wants to know between two edits, without a browser.
//!
//! Rule: what changed since the last commit (also new files) belongs to packages; those and all that are built on them
//! are checked and tested, nothing else. A file outside of every package's folder belongs to the root package, and to
//! each that includes it (`include_str!`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::proc;
use crate::suites::{Tally, check, tests};

/// One package of the workspace.
#[derive(Debug, Default)]
struct Package {
    /// Its folder, from the root; empty for the root package.
    folder: PathBuf,
    /// Packages of the workspace that it is built on, those of its tests among them.
    needs: BTreeSet<String>,
    /// Files it includes, from the root.
    includes: BTreeSet<PathBuf>,
}

type Packages = BTreeMap<String, Package>;

/// The package with the page, whose tests need the feature `ui`, and the build tool, which stands apart.
const PAGE: &str = "batchyard";
const TOOL: &str = "xtask";

/// Formats nothing, checks and tests what changed; true when all of it passed.
pub fn quick() -> Result<bool> {
    let packages = packages()?;
    let changed = changed_files()?;
    let affected = affected(&packages, &changed);
    let page = changed.iter().any(|file| file.starts_with("src/app"));
    let mut tally = Tally::default();
    tally.add("formatting", || check(&["fmt", "--all", "--check"]));
    if affected.is_empty() {
        println!("nothing that is compiled has changed since the last commit");
    } else {
        println!("changed, or built on what changed: {}", affected.iter().cloned().collect::<Vec<_>>().join(", "));
        let of = |names: &mut dyn Iterator<Item = &String>| -> Vec<String> {
            names.flat_map(|name| ["-p".to_owned(), name.clone()]).collect()
        };
        let engine = of(&mut affected.iter().filter(|name| *name != TOOL));
        // Apart from the others, for it would have them compiled again with the features of its own dependencies.
        for which in [engine, of(&mut affected.iter().filter(|name| *name == TOOL))] {
            if which.is_empty() {
                continue;
            }
            let which: Vec<&str> = which.iter().map(String::as_str).collect();
            tally.add("check", || check(&[&["check", "--quiet", "--all-targets"], &which[..]].concat()));
            tally.add("tests", || tests(&which));
        }
        if page {
            tally.add("tests of the page", || tests(&["-p", PAGE, "--features", "ui", "--bin", "app"]));
        }
    }
    Ok(tally.finish())
}

/// What differs from the last commit, from the root.
fn changed_files() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for arguments in [&["diff", "--name-only", "HEAD"][..], &["ls-files", "--others", "--exclude-standard"][..]] {
        let mut git = std::process::Command::new("git");
        let output = git.args(arguments).current_dir(proc::root()).output().context("cannot start git")?;
        if !output.status.success() {
            bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        files.extend(String::from_utf8_lossy(&output.stdout).lines().map(PathBuf::from));
    }
    Ok(files)
}

/// The packages of the workspace, as cargo knows them.
fn packages() -> Result<Packages> {
    let output = proc::cargo()
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let mut packages = read_metadata(&serde_json::from_slice(&output.stdout)?, &proc::root())?;
    let inner: Vec<PathBuf> = packages.values().map(|package| package.folder.clone()).collect();
    for package in packages.values_mut() {
        find_includes(&package.folder, &inner, &mut package.includes)?;
    }
    Ok(packages)
}

/// The packages that `cargo metadata` lists, without what they include.
fn read_metadata(metadata: &Value, root: &Path) -> Result<Packages> {
    let listed = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut packages = Packages::new();
    for package in listed {
        let text = |field: &str| package[field].as_str().with_context(|| format!("a package without {field}"));
        let manifest = Path::new(text("manifest_path")?);
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(root).ok());
        let folder = folder.context("a package lies outside of the workspace")?.to_owned();
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let needs = dependencies.filter(|one| one["path"].is_string()).filter_map(|one| one["name"].as_str());
        let needs = needs.map(str::to_owned).collect();
        packages.insert(text("name")?.to_owned(), Package { folder, needs, includes: BTreeSet::new() });
    }
    Ok(packages)
}

/// Collects what the Rust files of a folder include, without the folders of other packages.
fn find_includes(folder: &Path, others: &[PathBuf], found: &mut BTreeSet<PathBuf>) -> Result<()> {
    let full = proc::root().join(folder);
    for entry in std::fs::read_dir(&full).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let name = entry.file_name();
        let passed_over =
            name.to_str().is_none_or(|name| name.starts_with('.') || name == "target" || name == "node_modules");
        if entry.file_type()?.is_dir() {
            if !passed_over && !others.contains(&path) {
                find_includes(&path, others, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(proc::root().join(&path))?;
            found.extend(includes(&text).map(|include| without_dots(&folder.join(include))));
        }
    }
    Ok(())
}

/// The paths in `include_str!("…")`, `include_bytes!("…")` and `#[path = "…"]`.
fn includes(text: &str) -> impl Iterator<Item = &str> {
    let begins = ["include_str!(\"", "include_bytes!(\"", "#[path = \""];
    begins.into_iter().flat_map(|begin| text.split(begin).skip(1)).filter_map(|rest| rest.split('"').next())
}

/// A path without `..`, which leads nowhere above the root here.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// The packages that some changed file belongs to, and those built on them.
fn affected(packages: &Packages, changed: &[PathBuf]) -> BTreeSet<String> {
    let mut affected = BTreeSet::new();
    for file in changed {
        let holds = |package: &&(&String, &Package)| file.starts_with(&package.1.folder);
        let all: Vec<(&String, &Package)> = packages.iter().collect();
        let owner = all.iter().filter(holds).max_by_key(|(_, package)| package.folder.components().count());
        // Texts for readers are held by tests of the root package (`tests/it/tidy.rs`), so they belong to it as well.
        affected.extend(owner.map(|(name, _)| (*name).clone()));
        let including = packages.iter().filter(|(_, package)| package.includes.contains(file));
        affected.extend(including.map(|(name, _)| name.clone()));
        if file.file_name().is_some_and(|name| name == "Cargo.lock") {
            affected.extend(packages.keys().filter(|name| *name != TOOL).cloned());
        }
    }
    loop {
        let built_on = packages.iter().filter(|(_, package)| package.needs.iter().any(|need| affected.contains(need)));
        let more: Vec<String> =
            built_on.map(|(name, _)| name.clone()).filter(|name| !affected.contains(name)).collect();
        if more.is_empty() {
            return affected;
        }
        affected.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `values` below `cluster` below the root; the tool stands apart and takes one file of `values`.
    fn three() -> Packages {
        let metadata = serde_json::json!({"packages": [
            {"name": "root", "manifest_path": "/r/Cargo.toml", "dependencies": [
                {"name": "cluster", "path": "/r/crates/cluster"}, {"name": "serde", "source": "registry"}]},
            {"name": "cluster", "manifest_path": "/r/crates/cluster/Cargo.toml", "dependencies": [
                {"name": "values", "path": "/r/crates/values"}]},
            {"name": "values", "manifest_path": "/r/crates/values/Cargo.toml", "dependencies": []},
            {"name": "xtask", "manifest_path": "/r/xtask/Cargo.toml", "dependencies": []},
        ]});
        let mut packages = read_metadata(&metadata, Path::new("/r")).unwrap();
        packages.get_mut("cluster").unwrap().includes.insert("static/images.yaml".into());
        packages
    }

    fn touched(file: &str) -> Vec<String> {
        affected(&three(), &[PathBuf::from(file)]).into_iter().collect()
    }

    #[test]
    fn what_changed_and_what_is_built_on_it_is_tested() {
        assert_eq!(touched("crates/values/src/time.rs"), ["cluster", "root", "values"]);
        assert_eq!(touched("crates/cluster/src/net.rs"), ["cluster", "root"]);
        assert_eq!(touched("src/app/run.rs"), ["root"]);
        assert_eq!(touched("xtask/src/main.rs"), ["xtask"]);
        assert_eq!(touched("static/images.yaml"), ["cluster", "root"]);
        assert_eq!(touched("Cargo.lock"), ["cluster", "root", "values"]);
    }

    #[test]
    fn finds_what_a_file_includes() {
        let text = "const A: &str = include_str!(\"../../../static/a.yaml\");\n#[path = \"../b.rs\"]\nmod b;";
        assert_eq!(includes(text).collect::<Vec<_>>(), ["../../../static/a.yaml", "../b.rs"]);
        assert_eq!(without_dots(Path::new("crates/x/src/../../../static/a.yaml")), Path::new("static/a.yaml"));
    }

    #[test]
    fn knows_the_packages_of_this_workspace() {
        let packages = packages().unwrap();
        assert!(packages[PAGE].needs.contains("batchyard-run"), "{packages:?}");
        assert!(packages["batchyard-cluster"].includes.contains(Path::new("static/images.yaml")), "{packages:?}");
        assert!(packages[TOOL].includes.contains(Path::new("crates/values/src/zone/pack.rs")), "{packages:?}");
    }
}
