//! The formats of `-o`.
//!
//! Source: `kubectl/pkg/cmd/get/get_flags.go`, `cli-runtime/pkg/genericclioptions/print_flags.go`.

use std::rc::Rc;

use super::custom_columns::{CustomColumns, go_syntax};
use super::json;
use super::kyaml;
use super::template::Template;
use api::core::LAST_HEARTBEAT;
use api::kind::Kind;
use api::object::Object;
use values::jsonpath::JsonPath;
use values::object;
use values::value::Value;
use yaml;

/// What `-o` asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Format {
    /// No `-o`, or `-o wide`.
    Table {
        wide: bool,
    },
    Name,
    Yaml,
    KYaml,
    Json,
    /// The path, and whether a missing key is an error.
    JsonPath(JsonPath, bool),
    JsonPathAsJson(JsonPath),
    CustomColumns(CustomColumns),
    Template(Template),
}

/// All formats, as kubectl lists them.
const ALLOWED: &str = "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,\
                       jsonpath-file,kyaml,name,template,templatefile,wide,yaml";

impl Format {
    /// Reads `-o` and `--template`. `read` gives a file's text.
    ///
    /// # Errors
    /// kubectl's words, without `error: `.
    pub fn parse(
        output: &str,
        template: Option<&str>,
        read: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Format, String> {
        let lower = output.to_lowercase();
        let output = if ["json", "yaml", "kyaml", "name", "wide"].contains(&lower.as_str()) { &lower } else { output };
        let (name, argument) = output.split_once('=').map_or((output, template), |(n, a)| (n, Some(a)));
        let needed = || {
            argument
                .filter(|a| !a.is_empty())
                .ok_or_else(|| "template format specified but no template given".to_owned())
        };
        let path = |text: &str| JsonPath::parse(text).map_err(|e| format!("error parsing jsonpath {text}, {e}"));
        Ok(match name {
            "" if template.is_some() => Format::Template(Template::parse(needed()?)?),
            "" => Format::Table { wide: false },
            "wide" => Format::Table { wide: true },
            "name" => Format::Name,
            "yaml" => Format::Yaml,
            "kyaml" => Format::KYaml,
            "json" => Format::Json,
            "jsonpath" => Format::JsonPath(path(needed()?)?, false),
            "jsonpath-file" => Format::JsonPath(path(&file(needed()?, read)?)?, false),
            "jsonpath-as-json" => Format::JsonPathAsJson(path(needed()?)?),
            "custom-columns" => Format::CustomColumns(CustomColumns::parse(argument.unwrap_or_default())?),
            "custom-columns-file" => {
                let name = needed()?;
                let text = read(name).map_err(|why| format!("error reading template {name}, open {name}: {why}"))?;
                Format::CustomColumns(CustomColumns::parse_file(&text)?)
            }
            "template" | "go-template" => Format::Template(Template::parse(needed()?)?),
            "templatefile" | "go-template-file" => Format::Template(Template::parse(&file(needed()?, read)?)?),
            _ => {
                return Err(format!(
                    "unable to match a printer suitable for the output format \"{output}\", allowed formats are: {ALLOWED}"
                ));
            }
        })
    }

    /// The same, with whether a key that is not there is an error (`--allow-missing-template-keys=false`).
    pub fn strict(self, strict: bool) -> Format {
        match self {
            Format::JsonPath(path, _) => Format::JsonPath(path, strict),
            Format::Template(template) => Format::Template(template.strict(strict)),
            other => other,
        }
    }

    /// The same, without the head of custom columns.
    pub fn without_heads(self, without: bool) -> Format {
        match self {
            Format::CustomColumns(columns) if without => Format::CustomColumns(columns.without_heads()),
            other => other,
        }
    }

    /// Templates and paths see who set which field, even if it is not to be shown.
    pub fn sees_managers(&self) -> bool {
        matches!(
            self,
            Format::JsonPath(..) | Format::JsonPathAsJson(_) | Format::CustomColumns(_) | Format::Template(_)
        )
    }

    /// What is said on standard output of a template that does not fit the object.
    pub fn stumbled(&self, value: &Value) -> String {
        if let Format::Template(template) = self { template.stumbled(value) } else { String::new() }
    }

    /// The text of one tree, which may be a `List`. Tables are made by [`super::table`], not here.
    ///
    /// # Errors
    /// kubectl's words, without `error: `.
    pub fn print(&self, value: &Value) -> Result<String, String> {
        match self {
            Format::Table { .. } => Ok(String::new()),
            Format::Yaml => Ok(yaml::emit(value)),
            Format::KYaml => Ok(kyaml::emit(value)),
            Format::Json => Ok(json::indented(value)),
            Format::Name => Ok(items(value).iter().map(name_line).collect()),
            Format::JsonPath(path, strict) => path.print(value, *strict).map_err(|e| jsonpath_error(path, &e, value)),
            Format::JsonPathAsJson(path) => {
                let groups = path.groups(value).map_err(|e| jsonpath_error(path, &e, value))?;
                Ok(groups.into_iter().map(|values| json::indented(&Value::list(values))).collect())
            }
            Format::CustomColumns(columns) => {
                let lines = items(value).iter().map(|item| columns.line(item)).collect::<Result<String, _>>()?;
                Ok(super::tabwriter::TabWriter::table().align(&(columns.header() + &lines)))
            }
            Format::Template(template) => template.run(value),
        }
    }
}

fn file(name: &str, read: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    read(name).map_err(|why| format!("error reading --template {name}, open {name}: {why}"))
}

/// Several objects as one: a `List`, as `kubectl get -o yaml` prints it.
pub fn list(objects: &[Rc<Object>]) -> Value {
    list_of(objects.iter().map(|object| shown(object)).collect())
}

/// The same of trees.
pub fn list_of(items: Vec<Value>) -> Value {
    object! {
        "apiVersion" => "v1",
        "kind" => "List",
        "items" => items,
        "metadata" => object! { "resourceVersion" => "" },
    }
}

/// The object as it is printed: without the notes of who set which field, and without our own.
pub fn shown(object: &Object) -> Value {
    let mut value = object.value().clone();
    if object.kind() == Kind::Node
        && let Some(annotations) = value.at_mut("metadata.annotations")
    {
        annotations.map_mut().remove(LAST_HEARTBEAT);
    }
    if value.has("metadata.managedFields") {
        value.remove("metadata.managedFields");
    }
    value
}

fn items(value: &Value) -> Vec<Value> {
    if value.str_at("kind") == Some("List") { value.list_at("items").to_vec() } else { vec![value.clone()] }
}

/// `job.batch/x`
fn name_line(value: &Value) -> String {
    let kind = value.str_at("kind").unwrap_or_default();
    let known = Kind::find(value.str_at("apiVersion").unwrap_or_default(), kind);
    let resource = known.map_or_else(|| kind.to_lowercase(), |kind| kind.info().singular_resource());
    format!("{resource}/{}\n", value.str_at("metadata.name").unwrap_or_default())
}

fn jsonpath_error(path: &JsonPath, why: &str, value: &Value) -> String {
    let template = path.text();
    format!(
        "error executing jsonpath {}: Error executing template: {why}. Printing more information for debugging the \
         template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n",
        Value::from(template).to_json(),
        go_syntax(value)
    )
}
