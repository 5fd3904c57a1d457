//! Cutting the page's wasm: what the engine marks as a part of its own (`crates/values/src/part.rs`) goes into files that the page
//! fetches when it needs them.
//!
//! `wasm_split_cli_support` finds out from the linker's relocations what only a part can reach. `boot.js` links the files to
//! the running program: the loader that the library writes would go on with a program that has ended in a panic.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

/// The module that `app.js` imports the loaders of the parts from.
pub const LOADERS: &str = "parts.js";

/// Cuts `wasm`, writes the parts and their loaders into `out`, and returns what is left, still to be bound. `bare` leaves
/// out the names of functions.
pub fn split(wasm: &Path, out: &Path, bare: bool) -> Result<PathBuf> {
    let input = fs::read(wasm).with_context(|| wasm.display().to_string())?;
    let rest = wasm.with_extension("rest.wasm");
    let link_name = format!("./{LOADERS}");
    let mut options = wasm_split_cli_support::Options::new(&input);
    options.output_dir = out;
    options.main_out_path = &rest;
    options.link_name = &link_name;
    let split = wasm_split_cli_support::transform(options).map_err(|error| anyhow!("wasm-split: {error:?}"))?;
    if bare {
        for part in &split.split_modules {
            fs::write(part, without_custom_sections(&fs::read(part)?)?)?;
        }
    }
    let mut parts: Vec<_> = split.prefetch_map.into_iter().collect();
    parts.sort();
    fs::write(out.join(LOADERS), loaders(&parts))?;
    Ok(rest)
}

/// One function a part: it is given what to call when the files are linked, and hands that on to `boot.js`.
fn loaders(parts: &[(String, Vec<String>)]) -> String {
    let mut text =
        "// Written by `cargo xtask build`: the files of each part of the engine, in the order of linking.\n"
            .to_owned();
    for (part, files) in parts {
        let files: Vec<String> = files.iter().map(|file| format!("{:?}", format!("{file}.wasm"))).collect();
        writeln!(
            text,
            "export const __wasm_split_load_{part} = (done, data) => batchyard.link([{}], done, data);",
            files.join(", ")
        )
        .expect("writing to a String cannot fail");
    }
    text
}

/// The module without what it can run without: names, producers, features.
fn without_custom_sections(wasm: &[u8]) -> Result<Vec<u8>> {
    const HEADER_BYTES: usize = 8;
    const CUSTOM: u8 = 0;
    let mut bare = wasm.get(..HEADER_BYTES).context("no wasm")?.to_vec();
    let mut at = HEADER_BYTES;
    while at < wasm.len() {
        let (length, start) = leb128(wasm, at + 1).context("a section without a length")?;
        let end = start + length;
        let section = wasm.get(at..end).context("a section is cut off")?;
        if section[0] != CUSTOM {
            bare.extend_from_slice(section);
        }
        at = end;
    }
    Ok(bare)
}

/// The unsigned LEB128 number at `at`, and where it ends.
fn leb128(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = *bytes.get(at)?;
        number |= usize::from(byte & 0x7f).checked_shl(shift)?;
        (at, shift) = (at + 1, shift + 7);
        if byte < 0x80 {
            return Some((number, at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_sections_go_and_the_others_stay() {
        let header = b"\0asm\x01\0\0\0".as_slice();
        let (types, names) = (b"\x01\x01\x00".as_slice(), b"\x00\x85\x00\x04name".as_slice());
        let bare = without_custom_sections(&[header, names, types, names].concat()).unwrap();
        assert_eq!(bare, [header, types].concat());
        assert!(without_custom_sections(&[header, b"\x01\x09\x00"].concat()).is_err());
    }

    #[test]
    fn each_part_has_a_loader() {
        let text = loaders(&[("terminal".into(), vec!["chunk_3".into(), "split_terminal".into()])]);
        assert!(text.ends_with(
            "__wasm_split_load_terminal = (done, data) => batchyard.link([\"chunk_3.wasm\", \"split_terminal.wasm\"], done, data);\n"
        ));
    }
}
