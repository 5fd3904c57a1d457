//! A run as two files of JSON lines: what the store's watch saw, and what the commands printed.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

/// One watch event of one object.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Seconds since the start.
    pub t: f64,
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub change: String,
    pub object: Value,
}

/// An object's life.
pub type Life = Vec<Seen>;

/// A recorded or simulated run.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Lives in the order in which they began, each with its kind.
    objects: Vec<(String, Life)>,
    /// One value a step that ran a command.
    pub outputs: Vec<Value>,
}

impl Recording {
    /// Reads the texts of both files.
    pub fn from_texts(trace: &str, outputs: &str) -> Recording {
        let mut run = Recording { outputs: lines(outputs).collect(), ..Recording::default() };
        let mut index: BTreeMap<(String, String), usize> = BTreeMap::new();
        for event in lines(trace) {
            let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
            let kind = text("kind");
            let uid = event["object"]["metadata"]["uid"].as_str().map_or_else(|| text("name"), str::to_owned);
            let at = *index.entry((kind.clone(), uid)).or_insert_with(|| {
                run.objects.push((kind.clone(), Life::new()));
                run.objects.len() - 1
            });
            let seen = Seen {
                t: event["t"].as_f64().unwrap_or_default(),
                change: text("type"),
                object: event["object"].clone(),
            };
            run.objects[at].1.push(seen);
        }
        run
    }

    /// Reads `trace.jsonl` and `outputs.jsonl` of a folder, gzipped or plain. A missing file counts as empty.
    pub fn read(folder: &Path) -> std::io::Result<Recording> {
        Ok(Recording::from_texts(&read(folder, "trace.jsonl")?, &read(folder, "outputs.jsonl")?))
    }

    /// The lives of all objects of a kind.
    pub fn of<'r>(&'r self, kind: &'r str) -> impl Iterator<Item = &'r Life> {
        self.objects.iter().filter(move |(k, _)| k == kind).map(|(_, life)| life)
    }
}

fn read(folder: &Path, name: &str) -> std::io::Result<String> {
    let zipped = folder.join(format!("{name}.gz"));
    let mut text = String::new();
    if zipped.exists() {
        GzDecoder::new(std::fs::File::open(zipped)?).read_to_string(&mut text)?;
    } else if folder.join(name).exists() {
        text = std::fs::read_to_string(folder.join(name))?;
    }
    Ok(text)
}

fn lines(text: &str) -> impl Iterator<Item = Value> + '_ {
    text.lines().filter(|line| !line.trim().is_empty()).filter_map(|line| serde_json::from_str(line).ok())
}
