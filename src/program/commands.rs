//! The commands that stand as files in images with a shell.

/// busybox's applets and coreutils that are simulated, by file name.
const FILES: &[&str] = &[
    "[", "ash", "awk", "basename", "bash", "cat", "chmod", "clear", "cp", "curl", "cut", "date", "dd", "dirname", "echo",
    "env", "expr", "false", "find", "grep", "head", "hostname", "id", "kill", "ln", "ls", "md5sum", "mkdir", "mktemp",
    "mv", "nc", "nproc", "nslookup", "printenv", "printf", "ps", "pwd", "rm", "rmdir", "sed", "seq", "sh", "sha256sum",
    "sleep", "sort", "stat", "tail", "tee", "test", "time", "timeout", "touch", "tr", "true", "tty", "uname", "uniq",
    "wc", "wget", "which", "whoami", "xargs", "yes",
];

/// Whether an image with a shell has a program of this name in `/bin`.
pub fn is_file(name: &str) -> bool {
    FILES.binary_search(&name).is_ok()
}

/// Whether the name is that of a shell.
pub fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "ash" | "bash")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(FILES.is_sorted());
        assert!(is_file("sleep") && is_file("[") && !is_file("nosuchprogram"));
    }
}
