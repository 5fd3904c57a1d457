//! Files and standard input as documents, the way `kubectl -f` reads them.
//!
//! Source: `cli-runtime/pkg/resource/{builder,visitor}.go`.

use std::rc::Rc;

use crate::kubectl::Call;
use api::decode::flatten;
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
    /// Why it could not be read to its end, as kubectl prints it.
    pub error: Option<String>,
}

impl Manifests {
    /// Where objects made of it come from.
    pub fn origin(&self) -> Option<Rc<Origin>> {
        Some(Rc::new(Origin { file: Rc::from(self.source.as_str()), text: Rc::clone(&self.text) }))
    }
}

/// Cuts a text into documents; the items of a `List` count as documents of their own.
pub fn read_text(text: &str, source: &str) -> Manifests {
    let parsed = yaml::parse(text, source);
    let reached = parsed.documents.iter().take(parsed.reached);
    let documents = reached.flat_map(|node| flatten(&node.value())).map(|(_, document)| document).collect();
    Manifests {
        source: source.to_owned(),
        text: Rc::from(text),
        documents,
        error: parsed.kubectl_error().map(str::to_owned),
    }
}

/// Reads every `-f`: files, directories (their `.yaml`, `.yml` and `.json`), `-` for standard input.
///
/// # Errors
/// kubectl's words, `error: ` included.
pub fn read_files(call: &mut Call<'_, '_>) -> Result<Vec<Manifests>, String> {
    let names: Vec<String> = call.parsed.list("filename").to_vec();
    let mut all = Vec::new();
    for name in names {
        if name == "-" {
            let mut text = Vec::new();
            while let Read::Data(bytes) = call.io.stdin.read(usize::MAX) {
                text.extend(bytes);
            }
            all.push(read_text(&String::from_utf8_lossy(&text), "STDIN"));
            continue;
        }
        let mut path = resolve(&call.args.cwd, &name);
        // `.\\job.yaml` of a Windows tutorial reaches us as `.job.yaml`: the shell has taken the backslash.
        if let Some(bare) = name.strip_prefix('.').filter(|_| call.desk.files.info(&path).is_err()) {
            path = resolve(&call.args.cwd, bare);
        }
        let files = &call.desk.files;
        match files.info(&path) {
            Err(_) => return Err(format!("error: the path \"{name}\" does not exist")),
            Ok(info) if info.directory() => {
                for inside in files.list(&path).unwrap_or_default() {
                    let kept = [".yaml", ".yml", ".json"].iter().any(|end| inside.ends_with(end));
                    let text = files.read(&format!("{path}/{inside}")).unwrap_or_default();
                    if kept {
                        all.push(read_text(&String::from_utf8_lossy(&text), &format!("{name}/{inside}")));
                    }
                }
            }
            Ok(_) => {
                let text = files.read(&path).unwrap_or_default();
                all.push(read_text(&String::from_utf8_lossy(&text), &name));
            }
        }
    }
    Ok(all)
}
