//! The commands that stand as files in images with a shell.

use super::shells;

/// Programs that are files in an image although they are no common command of the shell: shells, and builtins that also
/// exist as files.
const MORE_FILES: &[&str] = &["ash", "bash", "curl", "dash", "kill", "printenv", "printf", "pwd", "sh", "time", "wget"];

/// Whether an image with such tools has a program of this name in `/bin`.
pub fn comes_with(name: &str, tools: shell::Tools) -> bool {
    MORE_FILES.contains(&name) || (shells::fetched().has_command)(name, tools)
}

/// The names of all programs that come with a shell.
pub fn files() -> Vec<&'static str> {
    MORE_FILES.iter().copied().chain((shells::fetched().commands)()).collect()
}

/// Whether the name is that of a shell.
pub fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "ash" | "bash" | "dash")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_files_and_others_are_not() {
        let has = |name| comes_with(name, shell::Tools::Busybox);
        assert!(has("sleep") && has("[") && !has("nosuchprogram"));
    }
}
