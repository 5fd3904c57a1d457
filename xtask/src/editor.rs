//! `cargo xtask editor`: CodeMirror and our few lines around it, bundled into `static/editor.js`.
//!
//! The bundle is checked in, so that building the page needs no Node; the test run rebuilds it and compares.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{proc, web};

fn bundle() -> PathBuf {
    proc::root().join("static/editor.js")
}

/// Writes `static/editor.js` anew.
pub fn rebuild() -> Result<()> {
    build_to(&bundle())?;
    println!("static/editor.js is {} bytes", std::fs::metadata(bundle())?.len());
    Ok(())
}

/// Fails when `static/editor.js` is not what `editor/` builds.
pub fn check() -> Result<()> {
    let fresh = proc::root().join("target/editor.js");
    build_to(&fresh)?;
    if std::fs::read(&fresh)? != std::fs::read(bundle()).context("static/editor.js")? {
        bail!("static/editor.js is not what editor/ builds; run `cargo xtask editor`");
    }
    println!("static/editor.js is what editor/ builds");
    Ok(())
}

fn build_to(out: &Path) -> Result<()> {
    let folder = proc::root().join("editor");
    web::install_packages(&folder)?;
    proc::run(Command::new(web::node()?).arg("build.mjs").arg(out).current_dir(folder))
}
