//! `cargo xtask bench`: what the page weighs and how fast it is, as a table of rows with names.
//!
//! A new measurement is a function and a line in [`BENCHES`].

use anyhow::{Result, bail};

use crate::{pack, page, proc};

/// One measurement.
struct Bench {
    name: &'static str,
    /// What is measured, and in what unit.
    about: &'static str,
    /// Measures and returns the rows to print.
    run: fn() -> Result<String>,
}

const BENCHES: &[Bench] = &[
    Bench { name: "size", about: "the published page, file by file, and the wasm against its budget", run: size },
    Bench {
        name: "jobs",
        about: "a Job of 10,000 completions, 100 at a time, simulated natively, in seconds",
        run: jobs,
    },
];

/// What the first issue asks of `jobs`.
const JOBS_TARGET_SECONDS: f64 = 2.0;

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

/// Plays `xtask/scenarios/jobs-10000.yaml` three times; the machine is shared, so the least of three counts.
#[allow(clippy::disallowed_types)]
fn jobs() -> Result<String> {
    let program = proc::build_bin("batchyard", &["--release"])?;
    let scenario = proc::root().join("xtask/scenarios/jobs-10000.yaml");
    let outputs = std::env::temp_dir().join("batchyard-bench-outputs.jsonl");
    let mut seconds = Vec::new();
    for _ in 0..3 {
        let start = std::time::Instant::now();
        proc::run(std::process::Command::new(&program).arg("run").arg(&scenario).arg("--outputs").arg(&outputs))?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    let least = seconds.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(format!("least of three: {least:.1} s (target {JOBS_TARGET_SECONDS:.0} s)\n"))
}

fn size() -> Result<String> {
    let sizes = page::build(page::Profile::Small, &page::dist())?.sizes;
    let (first, all) = pack::wasm(&sizes);
    let max = pack::WASM_BROTLI_BYTES_MAX;
    Ok(format!(
        "{}\nwasm with brotli: {first} of {max} bytes open the page; {all} with all parts that are fetched when needed",
        pack::table(&sizes)
    ))
}
