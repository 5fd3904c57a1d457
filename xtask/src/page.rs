//! Building the page: cargo makes the wasm, `split` cuts it, `wasm-bindgen-cli-support` binds it, and everything a browser
//! needs is laid into one static folder with relative addresses only.
//!
//! The folder is put together beside its place and moved in at the end, so a failed build leaves the old page as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use wasm_bindgen_cli_support::Bindgen;

use crate::pack::{self, Size};
use crate::proc;
use crate::{split, zones};

const TARGET: &str = "wasm32-unknown-unknown";
/// The binary of the root package that is the page, and so the stem of its files: `app.js`, `app_bg.wasm`.
const BIN: &str = "app";

/// How much work the compiler puts into the wasm.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Cargo's `dev`: quick to build, shares its host crates with xtask itself; for `serve`.
    Quick,
    /// Our `wasm` profile, with compressed files beside each asset; for `build` and the tests.
    Small,
}

/// What a build wrote.
pub struct Built {
    /// One row a file, empty when nothing was compressed.
    pub sizes: Vec<Size>,
}

/// The folder of the finished page.
pub fn dist() -> PathBuf {
    proc::root().join("dist")
}

/// Builds the page into `out`, replacing what was there.
pub fn build(profile: Profile, out: &Path) -> Result<Built> {
    add_target()?;
    let wasm = compile(profile)?;
    let next = out.with_extension("next");
    remove(&next)?;
    fs::create_dir_all(&next)?;
    let rest = split::split(&wasm, &next, profile == Profile::Small)?;
    bind(&rest, profile, &next)?;
    copy_folder(&proc::root().join("static"), &next)?;
    fs::copy(proc::root().join("index.html"), next.join("index.html")).context("index.html")?;
    fs::write(next.join("tzdb.bin"), zones::pack()).context("tzdb.bin")?;
    pack::stamp(&next)?;
    let sizes = if profile == Profile::Small { pack::compress(&next)? } else { Vec::new() };
    remove(out)?;
    fs::rename(&next, out).with_context(|| format!("cannot move the page to {}", out.display()))?;
    Ok(Built { sizes })
}

/// Adds the wasm target when the compiler in use lacks it. Without rustup the machine's packages must bring it.
fn add_target() -> Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = proc::stdout_of(Command::new(rustc).args(["--print", "sysroot"]).current_dir(proc::root()))
        .ok_or_else(|| anyhow!("cannot run rustc"))?;
    if Path::new(&sysroot).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]).current_dir(proc::root());
    proc::run(&mut rustup).with_context(|| format!("the compiler lacks the target {TARGET}; install it and try again"))
}

/// Compiles the page and returns the path of its wasm.
fn compile(profile: Profile) -> Result<PathBuf> {
    let name = match profile {
        Profile::Quick => "dev",
        Profile::Small => "wasm",
    };
    proc::build_bin(BIN, &["--features", "ui", "--target", TARGET, "--profile", name])
}

/// Writes `app.js` and `app_bg.wasm`.
///
/// `reset_state_function` exports `__wbg_reset_state`, with which `boot.js` starts a fresh instance after a panic: wasm32
/// cannot unwind, so an instance that panicked is lost, but the page is not. `keep_lld_exports` keeps the table of functions,
/// through which the parts that `split` cut off are called.
fn bind(wasm: &Path, profile: Profile, out: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(wasm)
        .out_name(BIN)
        .web(true)?
        .typescript(false)
        .reset_state_function(true)
        .keep_lld_exports(true)
        .remove_name_section(profile == Profile::Small)
        .remove_producers_section(profile == Profile::Small)
        .generate(out)
        .context("wasm-bindgen")
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
