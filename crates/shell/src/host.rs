//! What the shell asks of the machine it runs on.
//!
//! [`System`] is time, chance and files, which the common commands need too; [`Host`] adds the commands that only the
//! machine knows (`kubectl`, `curl`, `kuard` …). Paths given to a host are absolute and normalised.

use std::fmt;
use values::sorted::SortedMap;

use super::process::{Io, Poll, Signal};
use values::time::SimTime;

/// Environment variables by name.
pub type Env = SortedMap<String, String>;

/// Why a file operation failed; `Display` is the C library's text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileError {
    NotFound,
    NotADirectory,
    IsADirectory,
    PermissionDenied,
    ReadOnly,
    Exists,
    NotEmpty,
    NoSpace,
    Invalid,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileError::NotFound => "No such file or directory",
            FileError::NotADirectory => "Not a directory",
            FileError::IsADirectory => "Is a directory",
            FileError::PermissionDenied => "Permission denied",
            FileError::ReadOnly => "Read-only file system",
            FileError::Exists => "File exists",
            FileError::NotEmpty => "Directory not empty",
            FileError::NoSpace => "No space left on device",
            FileError::Invalid => "Invalid argument",
        })
    }
}

/// What is known of a file without reading it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileInfo {
    pub directory: bool,
    pub executable: bool,
    /// Size in bytes.
    pub size: u64,
    pub modified: SimTime,
}

/// Time, chance, names and files of a machine.
pub trait System {
    fn now(&self) -> SimTime;
    /// For `$RANDOM` and `mktemp`: a draw from the world's keyed stream.
    fn random(&mut self) -> u64;
    fn host_name(&self) -> String;
    /// Name and number of the user the process runs as, such as `("root", 0)`.
    fn user(&self) -> (String, u32) {
        ("root".into(), 0)
    }
    /// Bytes this machine lets the shell hold in memory; more ends it as the kernel's OOM killer would (137).
    fn memory_limit_bytes(&self) -> Option<u64> {
        None
    }

    /// Bytes that count as a step when they are read, written or worked on.
    fn step_bytes(&self) -> u64 {
        super::BYTES_A_STEP as u64
    }

    /// Whether there is an external command of this name, for `type`, `which` and `command -v`.
    fn knows(&self, _name: &str) -> bool {
        false
    }

    /// Whether the shell's own command of this name is there. Programs belong to images: busybox has no `jq`.
    fn has_common(&self, _name: &str) -> bool {
        true
    }

    fn info(&self, path: &str) -> Result<FileInfo, FileError>;
    fn read_file(&self, path: &str) -> Result<Vec<u8>, FileError>;
    /// Creates or replaces (or, with `append`, extends) a file.
    fn write_file(&mut self, path: &str, bytes: &[u8], append: bool) -> Result<(), FileError>;
    /// The names in a directory, sorted, without `.` and `..`.
    fn list_dir(&self, path: &str) -> Result<Vec<String>, FileError>;
    fn make_dir(&mut self, path: &str) -> Result<(), FileError>;
    /// Removes a file or an empty directory.
    fn remove(&mut self, path: &str) -> Result<(), FileError>;
    fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError>;
}

/// How the start of an external command went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Start<C> {
    Started(C),
    NotFound,
    /// There is such a file, but it is no program (exit code 126).
    NotExecutable,
}

/// What a command is started with.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// The command's name and its arguments.
    pub argv: &'a [String],
    /// Exported variables.
    pub env: &'a Env,
    /// The current directory, absolute.
    pub cwd: &'a str,
    /// Whether standard output is the terminal (and not a pipe or a file).
    pub to_terminal: bool,
}

/// A machine with its own commands.
pub trait Host: System {
    /// The whole state of a running external command.
    type Command: Clone + fmt::Debug;

    /// Starts an external command; `NotFound` lets the shell print its own words and give 127.
    fn start(&mut self, launch: Launch<'_>) -> Start<Self::Command>;
    fn poll(&mut self, command: &mut Self::Command, io: &mut Io) -> Poll;
    /// Sends a signal to the first process of this machine, which is none of this shell's; false if it has none.
    fn signal_first(&mut self, _signal: Signal) -> bool {
        false
    }
    /// Tells a command of a signal. After `Kill` and `Int` the shell drops it; after others it polls on.
    fn signal(&mut self, command: &mut Self::Command, signal: Signal);
}

/// `path` seen from `cwd`: absolute, without `.`, `..` and double slashes. `.\job.yaml` of a Windows tutorial reads
/// as `./job.yaml`.
pub fn resolve(cwd: &str, path: &str) -> String {
    let path = path.strip_prefix(".\\").unwrap_or(path);
    let mut parts: Vec<&str> = Vec::new();
    let base = if path.starts_with('/') { "" } else { cwd };
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn paths_are_resolved_against_the_current_directory() {
        for (cwd, path, want) in [
            ("/", "a", "/a"),
            ("/desk", "../x/./y", "/x/y"),
            ("/desk", "/etc//passwd", "/etc/passwd"),
            ("/", "../..", "/"),
            ("/desk", ".\\job.yaml", "/desk/job.yaml"),
            ("/desk", "", "/desk"),
        ] {
            assert_eq!(resolve(cwd, path), want);
        }
    }
}
