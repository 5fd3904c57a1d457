//! Building the page: cargo makes the wasm, `wasm-bindgen-cli-support` binds it, and everything a browser needs is laid
//! into one static folder with relative addresses only.
//!
//! The folder is put together beside its place and moved in at the end, so a failed build leaves the old page as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, anyhow, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::pack::{self, Size};
use crate::proc;

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
    bind(&wasm, profile, &next)?;
    copy_folder(&proc::root().join("static"), &next)?;
    fs::copy(proc::root().join("index.html"), next.join("index.html")).context("index.html")?;
    pack::stamp(&next)?;
    let sizes = if profile == Profile::Small { pack::compress(&next)? } else { Vec::new() };
    remove(out)?;
    fs::rename(&next, out).with_context(|| format!("cannot move the page to {}", out.display()))?;
    Ok(Built { sizes })
}

/// Adds the wasm target when the compiler in use lacks it. Without rustup the machine's packages must bring it.
fn add_target() -> Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = proc::stdout_of(std::process::Command::new(rustc).args(["--print", "sysroot"]))
        .ok_or_else(|| anyhow!("cannot run rustc"))?;
    if Path::new(&sysroot).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    let mut rustup = std::process::Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    proc::run(&mut rustup).with_context(|| format!("the compiler lacks the target {TARGET}; install it and try again"))
}

/// Runs cargo for the page and returns the path of the wasm, as cargo itself reports it.
fn compile(profile: Profile) -> Result<PathBuf> {
    let name = match profile {
        Profile::Quick => "dev",
        Profile::Small => "wasm",
    };
    let mut cargo = proc::cargo();
    cargo.args(["build", "--bin", BIN, "--features", "ui", "--target", TARGET, "--profile", name]);
    cargo.arg("--message-format=json-render-diagnostics");
    let output = cargo.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the page does not compile");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    messages.lines().find_map(wasm_of).ok_or_else(|| anyhow!("cargo reported no wasm for the binary `{BIN}`"))
}

/// The wasm that one line of cargo's JSON messages reports for the page, if it is such a line.
fn wasm_of(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_page = message["reason"] == "compiler-artifact" && message["target"]["name"] == BIN;
    let files = message["filenames"].as_array().filter(|_| is_page)?;
    files.iter().filter_map(|file| file.as_str()).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
}

/// Writes `app.js` and `app_bg.wasm`.
///
/// `reset_state_function` exports `__wbg_reset_state`, with which `boot.js` starts a fresh instance after a panic: wasm32
/// cannot unwind, so an instance that panicked is lost, but the page is not.
fn bind(wasm: &Path, profile: Profile, out: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(wasm)
        .out_name(BIN)
        .web(true)?
        .typescript(false)
        .reset_state_function(true)
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

#[cfg(test)]
mod tests {
    use super::wasm_of;

    #[test]
    fn reads_cargos_messages() {
        let page = r#"{"reason":"compiler-artifact","target":{"name":"app"},"filenames":["t/app.d","t/app.wasm"]}"#;
        assert_eq!(wasm_of(page).unwrap().to_str(), Some("t/app.wasm"));
        for other in [
            r#"{"reason":"compiler-artifact","target":{"name":"yew"},"filenames":["t/yew.wasm"]}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "warning: not JSON",
        ] {
            assert_eq!(wasm_of(other), None, "{other}");
        }
    }
}
