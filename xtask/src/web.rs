//! What the browser tests need besides cargo: Node with the packages of `tests/web/`, and a Chromium.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use crate::{page, proc};

const OLDEST_NODE: u32 = 20;
/// Debian's, Fedora's and Google's names.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const MAC_BROWSERS: &[&str] = &[
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// The command that runs `tests/web/*.test.mjs`, with everything it needs in place.
pub fn tests() -> Result<Command> {
    let folder = proc::root().join("tests/web");
    install_packages(&folder)?;
    let browser = chromium(&folder)?;
    println!("browser: {}", browser.display());
    let mut node = Command::new(node()?);
    // One file at a time: two browsers on two cores only slow each other down.
    node.args(["--test", "--test-reporter=tap", "--test-concurrency=1"]).current_dir(folder);
    node.env("CHROMIUM", browser).env("DIST", page::dist());
    Ok(node)
}

/// Node, new enough for its own test runner as we use it.
pub fn node() -> Result<PathBuf> {
    let node = proc::in_path(&["node", "nodejs"])
        .ok_or_else(|| anyhow!("browser tests and the editor bundle need Node {OLDEST_NODE} or newer; none in PATH"))?;
    let version = proc::stdout_of(Command::new(&node).arg("--version")).unwrap_or_default();
    let major: Option<u32> = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    match major {
        Some(major) if major >= OLDEST_NODE => Ok(node),
        _ => bail!("{} is `{version}`; Node {OLDEST_NODE} or newer is needed", node.display()),
    }
}

/// Runs `npm ci` in `folder`, unless the packages of this very lock file are installed already.
///
/// No package's install script runs: none of ours needs one.
pub fn install_packages(folder: &Path) -> Result<()> {
    node()?;
    let lock = std::fs::read(folder.join("package-lock.json")).context("package-lock.json")?;
    let done = folder.join("node_modules/.installed-lock.json");
    if std::fs::read(&done).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    proc::run(Command::new(npm).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder))?;
    std::fs::write(done, lock)?;
    Ok(())
}

/// The browser named by `CHROMIUM`, or one found, or one installed.
fn chromium(folder: &Path) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM").filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        if !named.is_file() {
            bail!("CHROMIUM names {}, which is no file", named.display());
        }
        return Ok(named);
    }
    if let Some(found) = find_chromium() {
        return Ok(found);
    }
    println!("no Chromium found; installing one");
    if Path::new("/etc/debian_version").exists() && is_root() {
        let apt = |arguments: &[&str]| proc::run(Command::new("apt-get").args(arguments));
        apt(&["update"])?;
        apt(&["install", "--yes", "--no-install-recommends", "chromium"])?;
    } else {
        let npx = if cfg!(windows) { "npx.cmd" } else { "npx" };
        proc::run(Command::new(npx).args(["playwright-core", "install", "chromium"]).current_dir(folder))?;
    }
    find_chromium().ok_or_else(|| anyhow!("Chromium was installed but is not found; name it in CHROMIUM"))
}

fn find_chromium() -> Option<PathBuf> {
    let in_applications = || MAC_BROWSERS.iter().map(PathBuf::from).find(|path| path.is_file());
    proc::in_path(BROWSERS).or_else(in_applications).or_else(in_playwrights_cache)
}

/// Playwright keeps each browser in `chromium-NUMBER/chrome-SYSTEM/`; the newest is taken.
fn in_playwrights_cache() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    let cache = match std::env::var_os("PLAYWRIGHT_BROWSERS_PATH") {
        Some(path) => PathBuf::from(path),
        None if cfg!(windows) => PathBuf::from(std::env::var_os("LOCALAPPDATA")?).join("ms-playwright"),
        None if cfg!(target_os = "macos") => home()?.join("Library/Caches/ms-playwright"),
        None => home()?.join(".cache/ms-playwright"),
    };
    let programs = ["chrome", "chrome.exe", "Chromium", "Google Chrome for Testing"]
        .map(|name| std::ffi::OsStr::new(name).to_owned());
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(cache)
        .ok()?
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix("chromium-")?.parse().ok()?;
            let files = crate::pack::files_below(&entry.path()).ok()?;
            let program =
                files.into_iter().find(|file| file.file_name().is_some_and(|name| programs.contains(&name.to_owned())));
            Some((number, program?))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, program)| program)
}

fn is_root() -> bool {
    proc::stdout_of(Command::new("id").arg("-u")).as_deref() == Some("0")
}
