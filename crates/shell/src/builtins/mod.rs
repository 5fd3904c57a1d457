//! Built-ins: the commands that change the shell itself. One table with name and function.

mod flow;
mod getopts;
mod jobs;
mod names;
mod read;
mod set;
pub mod test;
mod vars;

pub(super) use read::ReadLine;

use super::host::Host;
use super::interp::{Context, Leave, Process};

/// What a built-in came to.
pub(super) enum Flow {
    Done(i32),
    /// It put frames on the stack that will leave the status.
    Continues,
    Leave(Leave),
}

pub(super) type Run<H> = fn(&mut Process<<H as Host>::Command>, &[String], &mut Context<'_, H>) -> Flow;

pub(super) struct Builtin<H: Host> {
    pub run: Run<H>,
}

/// The names in the table, for `type` and completion.
pub(super) const NAMES: [&str; 35] = [
    ".", ":", "break", "cd", "command", "continue", "declare", "disown", "eval", "exec", "exit", "export", "getopts",
    "hash", "jobs", "kill", "let", "local", "printf", "pwd", "read", "readonly", "return", "set", "shift", "shopt",
    "source", "times", "trap", "type", "typeset", "ulimit", "umask", "unset", "wait",
];

/// The built-in of this name.
pub(super) fn find<H: Host>(name: &str) -> Option<Builtin<H>> {
    let run: Run<H> = match name {
        "." | "source" => flow::source,
        ":" | "disown" | "hash" | "ulimit" | "shopt" => flow::nothing,
        "break" | "continue" => flow::leave_loop,
        "eval" => flow::eval,
        "exit" => flow::exit,
        "return" => flow::leave_function,
        "trap" => flow::trap,
        "command" => names::command,
        "type" => names::type_of,
        "cd" => vars::cd,
        "pwd" => vars::pwd,
        "declare" | "typeset" | "local" => vars::local,
        "export" | "readonly" => vars::export,
        "let" => vars::let_values,
        "printf" => vars::printf,
        "shift" => vars::shift,
        "unset" => vars::unset,
        "umask" => vars::umask,
        "getopts" => getopts::getopts,
        "jobs" => jobs::jobs,
        "kill" => jobs::kill,
        "wait" => jobs::wait,
        "times" => jobs::times,
        "read" => read::read,
        "set" => set::set,
        _ => return None,
    };
    Some(Builtin { run })
}

#[cfg(test)]
mod tests {
    use super::NAMES;

    #[test]
    fn names_are_sorted() {
        assert!(NAMES.is_sorted());
    }
}
