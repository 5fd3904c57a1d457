//! A chart kept as files of the terminal: `Chart.yaml`, `values.yaml`, `templates/`, and everything else as `.Files`.
//!
//! Source: `helm/pkg/chart/loader/{directory,load}.go`. Charts inside a chart (`charts/`) are not read.

use crate::files::Files;
use values::value::{Map, Value};
use yaml;

/// Deepest folder that is looked into.
const DEPTH_MAX: usize = 20;

/// A chart as it was read.
#[derive(Clone, PartialEq, Debug)]
pub struct Chart {
    /// `Chart.yaml`.
    pub metadata: Value,
    pub values: Value,
    /// Path inside the chart (`templates/job.yaml`) and text, sorted.
    pub templates: Vec<(String, String)>,
    /// The other files.
    pub files: Map,
}

impl Chart {
    /// Reads the chart in the folder `path`, which the user called `shown`.
    ///
    /// # Errors
    /// Helm's text.
    pub fn load(files: &Files, path: &str, shown: &str) -> Result<Chart, String> {
        match files.info(path) {
            Err(_) if shown.contains('/') && !shown.starts_with(['.', '/']) => {
                let (repo, _) = shown.split_once('/').unwrap_or((shown, ""));
                return Err(format!("repo {repo} not found"));
            }
            Err(_) => return Err(format!("path {shown:?} not found")),
            Ok(info) if !info.directory() => {
                return Err(format!(
                    "file '{shown}' does not appear to be a gzipped archive; got 'application/octet-stream'"
                ));
            }
            Ok(_) => {}
        }
        let mut found = Vec::new();
        walk(files, path, "", DEPTH_MAX, &mut found);
        let mut chart = Chart { metadata: Value::Null, values: Value::map(), templates: Vec::new(), files: Map::new() };
        for (name, text) in found {
            match name.as_str() {
                "Chart.yaml" => chart.metadata = read_yaml(&text, "cannot load Chart.yaml")?,
                "values.yaml" => {
                    let values = read_yaml(&text, "cannot load values.yaml")?;
                    chart.values = if values.is_null() { Value::map() } else { super::chart_values::as_go(&values) };
                }
                _ if name.starts_with("templates/") => chart.templates.push((name, text)),
                _ if name.starts_with("charts/") => {}
                _ => {
                    chart.files.insert(name, text);
                }
            }
        }
        chart.check()
    }

    fn check(self) -> Result<Chart, String> {
        if self.metadata.is_null() {
            return Err("Chart.yaml file is missing".to_owned());
        }
        for (field, message) in [
            ("apiVersion", "chart.metadata.apiVersion is required"),
            ("name", "chart.metadata.name is required"),
            ("version", "chart.metadata.version is required"),
        ] {
            if self.metadata.str_at(field).is_none_or(str::is_empty) {
                return Err(format!("validation: {message}"));
            }
        }
        let name = self.name();
        if name.contains('/') || name == "." || name == ".." {
            return Err(format!("validation: chart.metadata.name {name:?} is invalid"));
        }
        Ok(self)
    }

    pub fn name(&self) -> &str {
        self.metadata.str_at("name").unwrap_or_default()
    }

    pub fn version(&self) -> &str {
        self.metadata.str_at("version").unwrap_or_default()
    }

    /// `appVersion`, also where it is written as a number.
    pub fn app_version(&self) -> String {
        super::functions::text_of(self.metadata.at("appVersion"))
    }

    /// `.Chart`: the fields with Go's names.
    pub fn for_templates(&self) -> Value {
        let mut fields = Map::new();
        for (key, value) in self.metadata.as_map().into_iter().flat_map(|map| map.iter()) {
            let go = match key {
                "apiVersion" => "APIVersion".to_owned(),
                key => {
                    let mut chars = key.chars();
                    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
                }
            };
            fields.insert(go, value.clone());
        }
        fields.insert("AppVersion", self.app_version());
        fields.insert("IsRoot", true);
        fields.into()
    }
}

fn walk(files: &Files, folder: &str, inside: &str, depth: usize, found: &mut Vec<(String, String)>) {
    for name in files.list(folder).unwrap_or_default() {
        let (path, shown) = (format!("{folder}/{name}"), format!("{inside}{name}"));
        match files.info(&path) {
            Ok(info) if info.directory() && depth > 0 => walk(files, &path, &format!("{shown}/"), depth - 1, found),
            Ok(info) if !info.directory() => {
                let bytes = files.read(&path).unwrap_or_default();
                found.push((shown, String::from_utf8_lossy(&bytes).into_owned()));
            }
            _ => {}
        }
    }
}

/// One YAML document.
///
/// # Errors
/// `doing`, and what is wrong with it.
pub fn read_yaml(text: &str, doing: &str) -> Result<Value, String> {
    let parsed = yaml::parse(text, "chart");
    match parsed.kubectl_error() {
        Some(error) => {
            let error = error.strip_prefix("error: error parsing chart: ").unwrap_or(error);
            Err(format!("{doing}: {error}"))
        }
        None => Ok(parsed.documents.first().map(yaml::Node::value).unwrap_or_default()),
    }
}
