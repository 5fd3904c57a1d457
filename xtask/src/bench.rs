//! `cargo xtask bench`: what the page weighs and how fast it is, as a table of rows with names.
//!
//! A new measurement is a function and a line in [`BENCHES`].

use anyhow::{Result, bail};

use crate::{pack, page};

/// One measurement.
struct Bench {
    name: &'static str,
    /// What is measured, and in what unit.
    about: &'static str,
    /// Measures and returns the rows to print.
    run: fn() -> Result<String>,
}

const BENCHES: &[Bench] =
    &[Bench { name: "size", about: "the published page, file by file, and the wasm against its budget", run: size }];

/// Runs the benches named, or all.
pub fn bench(names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|bench| bench.name != **name)) {
        let known: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
        bail!("no bench is named `{unknown}`; there are: {}", known.join(", "));
    }
    for bench in BENCHES.iter().filter(|bench| names.is_empty() || names.iter().any(|name| name == bench.name)) {
        println!("== {}: {}\n{}", bench.name, bench.about, (bench.run)()?);
    }
    Ok(())
}

fn size() -> Result<String> {
    let sizes = page::build(page::Profile::Small, &page::dist())?.sizes;
    let wasm = sizes.iter().find(|size| size.name == "app_bg.wasm").map_or(0, |size| size.brotli);
    let budget = pack::WASM_BUDGET_BROTLI_BYTES;
    Ok(format!("{}\napp_bg.wasm with brotli: {wasm} of {budget} bytes", pack::table(&sizes)))
}
