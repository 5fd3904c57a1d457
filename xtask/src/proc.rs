//! Other programs: where the workspace is, how they are started, and how their output is counted.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

/// The root of the workspace: the parent of this package's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies one folder below the root").to_path_buf()
}

/// The cargo that started us, run in the workspace root.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // What `cargo run` sets for this very package must not leak into the builds we start.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

/// Builds one binary of the root package and returns its path, as cargo itself reports it.
pub fn build_bin(bin: &str, arguments: &[&str]) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--package", "batchyard", "--bin", bin, "--message-format=json-render-diagnostics"]);
    let output = command.args(arguments).stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("`{bin}` does not compile");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let path = messages.lines().find_map(|message| executable_of(message, bin));
    path.with_context(|| format!("cargo reported no program for the binary `{bin}`"))
}

/// The program that one line of cargo's JSON messages reports for `bin`, if it is such a line.
fn executable_of(message: &str, bin: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let ours = message["reason"] == "compiler-artifact" && message["target"]["name"] == bin;
    message["executable"].as_str().filter(|_| ours).map(PathBuf::from)
}

/// Runs `command` with our own terminal; an exit code other than 0 is an error that names the command.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// The standard output of `command`, trimmed, or nothing when it is missing or fails.
pub fn stdout_of(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What came out of a command run by [`run_and_read`].
pub struct Heard {
    pub success: bool,
    pub stdout: String,
}

/// Runs `command`, copies its standard output to ours line by line, and keeps it to be counted.
pub fn run_and_read(command: &mut Command) -> Result<Heard> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{}`", shown(command)))?;
    let pipe = child.stdout.take().expect("the output was piped just above");
    let reader = thread::spawn(move || copy_lines(pipe));
    let status = child.wait()?;
    let stdout = reader.join().expect("the copying thread does not panic")?;
    Ok(Heard { success: status.success(), stdout })
}

fn copy_lines(pipe: impl Read) -> std::io::Result<String> {
    let mut all = String::new();
    let mut lines = BufReader::new(pipe);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        std::io::stdout().write_all(&line)?;
        all.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok(all)
}

/// The command as a person would type it, without its folder and environment.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// The first program of `names` that is found in `PATH`.
pub fn in_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let suffix = std::env::consts::EXE_SUFFIX;
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(format!("{name}{suffix}"))))
        .find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::executable_of;

    #[test]
    fn reads_cargos_messages() {
        let page = r#"{"reason":"compiler-artifact","target":{"name":"app"},"executable":"t/app.wasm"}"#;
        assert_eq!(executable_of(page, "app").unwrap().to_str(), Some("t/app.wasm"));
        for other in [
            r#"{"reason":"compiler-artifact","target":{"name":"yew"},"executable":null}"#,
            r#"{"reason":"compiler-artifact","target":{"name":"batchyard"},"executable":"t/batchyard"}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "warning: not JSON",
        ] {
            assert_eq!(executable_of(other, "app"), None, "{other}");
        }
    }
}
