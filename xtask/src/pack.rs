//! What is done to the static folder after the files are in it: versions in the addresses, compressed copies, sizes.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::split::LOADERS;

/// What the page's wasm is to weigh with brotli, in bytes: all that is fetched to open the page on the running example.
pub const WASM_BROTLI_BYTES_GOAL: u64 = 600_000;

/// What it may weigh now. More kinds, the tree of branches and plain data for workers brought it above its goal; this ceiling
/// only comes down, until it is the goal again.
pub const WASM_BROTLI_BYTES_MAX: u64 = 690_000;

/// What all wasm together may weigh, with the parts that are fetched when they are needed: to be lowered when it gets
/// lighter.
pub const ALL_WASM_BROTLI_BYTES_MAX: u64 = 1_500_000;

/// The wasm that opens the page, and all wasm: bytes with brotli.
pub fn wasm(sizes: &[Size]) -> (u64, u64) {
    let sum = |of: fn(&&Size) -> bool| sizes.iter().filter(of).map(|size| size.brotli).sum();
    (sum(|size| size.name == "app_bg.wasm"), sum(|size| size.name.ends_with(".wasm")))
}

/// Texts, wasm and the time zone table (`tzdb.bin`) are worth compressing; pictures are compressed already.
const COMPRESSED: &[&str] =
    &["html", "js", "mjs", "css", "wasm", "svg", "json", "yaml", "md", "txt", "webmanifest", "bin"];

/// One file's weight in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// Path inside the folder, with `/`.
    pub name: String,
    pub raw: u64,
    pub gzip: u64,
    pub brotli: u64,
}

/// All files below `folder`, sorted, so that every step works in the same order on every machine.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// Adds `?v=…` to each address in index.html that names a file of the folder, and to the one that `app.js` imports.
///
/// A static host may keep old files for minutes: without this a browser could pair a new `app.js` with an old
/// `app_bg.wasm`. `boot.js` hands its own version on to what it loads.
pub fn stamp(folder: &Path) -> Result<()> {
    let index = folder.join("index.html");
    let mut html = fs::read_to_string(&index)?;
    let files = files_below(folder)?;
    let mut hash = Fnv::new();
    for file in &files {
        hash.add(relative(folder, file).as_bytes());
        hash.add(&fs::read(file)?);
    }
    let version = hash.0 as u32 ^ (hash.0 >> 32) as u32;
    for file in &files {
        let name = relative(folder, file);
        for attribute in ["href", "src"] {
            html = html.replace(&format!("{attribute}=\"{name}\""), &format!("{attribute}=\"{name}?v={version:08x}\""));
        }
    }
    fs::write(index, html)?;
    // Where it imports them: to the wasm they stay known by their bare name.
    let (bound, import) = (folder.join("app.js"), |query: &str| format!("from \"./{LOADERS}{query}\""));
    let text = fs::read_to_string(&bound)?.replace(&import(""), &import(&format!("?v={version:08x}")));
    fs::write(bound, text)?;
    Ok(())
}

/// Writes `NAME.gz` and `NAME.br` beside each compressible file, for servers that can hand them out, and weighs them.
pub fn compress(folder: &Path) -> Result<Vec<Size>> {
    let mut sizes = Vec::new();
    for file in files_below(folder)? {
        let raw = fs::read(&file)?;
        let mut size = Size { name: relative(folder, &file), raw: raw.len() as u64, gzip: 0, brotli: 0 };
        if file.extension().is_some_and(|ending| COMPRESSED.iter().any(|known| ending == *known)) {
            size.gzip = write_beside(&file, "gz", &gzip(&raw)?)?;
            size.brotli = write_beside(&file, "br", &brotli(&raw)?)?;
        } else {
            (size.gzip, size.brotli) = (size.raw, size.raw);
        }
        sizes.push(size);
    }
    Ok(sizes)
}

/// The sizes as a table, in kB (1000 bytes), with a sum.
pub fn table(sizes: &[Size]) -> String {
    let sum = |of: fn(&Size) -> u64| sizes.iter().map(of).sum();
    let total = Size { name: "all".into(), raw: sum(|s| s.raw), gzip: sum(|s| s.gzip), brotli: sum(|s| s.brotli) };
    let width = sizes.iter().map(|size| size.name.len()).max().unwrap_or(0).max(4);
    let mut text = format!("{:width$}  {:>9}  {:>9}  {:>9}", "kB", "raw", "gzip", "brotli");
    for Size { name, raw, gzip, brotli } in sizes.iter().chain([&total]) {
        let [raw, gzip, brotli] = [raw, gzip, brotli].map(|bytes| *bytes as f64 / 1000.0);
        write!(text, "\n{name:width$}  {raw:9.1}  {gzip:9.1}  {brotli:9.1}").expect("writing to a String cannot fail");
    }
    text
}

/// The path of `file` inside `folder`, with `/` on every system.
pub fn relative(folder: &Path, file: &Path) -> String {
    let inside = file.strip_prefix(folder).expect("the file was found below the folder");
    inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn write_beside(file: &Path, ending: &str, bytes: &[u8]) -> Result<u64> {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    fs::write(&name, bytes)?;
    Ok(bytes.len() as u64)
}

fn gzip(raw: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(raw)?;
    Ok(encoder.finish()?)
}

fn brotli(raw: &[u8]) -> Result<Vec<u8>> {
    const BUFFER_BYTES: usize = 64 * 1024;
    const QUALITY: u32 = 11;
    const WINDOW_BITS: u32 = 22;
    let mut packed = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut packed, BUFFER_BYTES, QUALITY, WINDOW_BITS);
    encoder.write_all(raw)?;
    drop(encoder);
    Ok(packed)
}

/// FNV-1a, 64 bits: enough to tell two builds apart.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_and_brotli_give_back_what_they_got() {
        use std::io::Read as _;
        let text = "apiVersion: batch/v1\nkind: Job\n".repeat(200);
        let mut unzipped = String::new();
        flate2::read::GzDecoder::new(gzip(text.as_bytes()).unwrap().as_slice()).read_to_string(&mut unzipped).unwrap();
        assert_eq!(unzipped, text);
        let packed = brotli(text.as_bytes()).unwrap();
        let mut unpacked = String::new();
        brotli::Decompressor::new(packed.as_slice(), 4096).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, text);
    }

    #[test]
    fn the_table_adds_up() {
        let size = |name: &str, raw| Size { name: name.into(), raw, gzip: raw / 2, brotli: raw / 4 };
        let text = table(&[size("app.js", 8000), size("app_bg.wasm", 120_000)]);
        assert_eq!(
            text.lines().last().unwrap().split_whitespace().collect::<Vec<_>>(),
            ["all", "128.0", "64.0", "32.0"]
        );
    }

    #[test]
    fn known_files_get_a_version_and_others_do_not() {
        let folder = std::env::temp_dir().join(format!("batchyard-stamp-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("boot.js"), "1").unwrap();
        fs::write(folder.join("app.js"), "import * as import1 from \"./parts.js\"; ({ \"./parts.js\": import1 })")
            .unwrap();
        fs::write(folder.join("index.html"), r#"<script src="boot.js"></script><a href="elsewhere">"#).unwrap();
        stamp(&folder).unwrap();
        let html = fs::read_to_string(folder.join("index.html")).unwrap();
        let bound = fs::read_to_string(folder.join("app.js")).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert!(bound.contains("from \"./parts.js?v=") && bound.ends_with("{ \"./parts.js\": import1 })"), "{bound}");
        assert!(html.contains("src=\"boot.js?v=") && html.contains("href=\"elsewhere\""), "{html}");
    }
}
