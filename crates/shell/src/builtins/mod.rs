//! Built-ins: the commands that change the shell itself. One table with name and function.

mod flow;
mod getopts;
mod jobs;
mod mapfile;
mod names;
mod read;
mod set;
mod shellwork;
pub mod test;
mod vars;

pub(super) use mapfile::MapFile;
pub(super) use read::ReadLine;
pub(super) use vars::declaration;

use super::host::Host;
use super::interp::{Context, Leave, Process};
use super::syntax::Dialect;

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

/// The names in the table: those of every shell, and those of one kind. Sorted.
const NAMES: [(&str, Who); 66] = [
    (".", Who::All),
    (":", Who::All),
    ("alias", Who::All),
    ("bg", Who::All),
    ("bind", Who::Bash),
    ("break", Who::All),
    ("builtin", Who::Bash),
    ("caller", Who::Bash),
    ("cd", Who::All),
    ("chdir", Who::Ash),
    ("command", Who::All),
    ("compgen", Who::Bash),
    ("complete", Who::Bash),
    ("compopt", Who::Bash),
    ("continue", Who::All),
    ("declare", Who::Bash),
    ("dirs", Who::Bash),
    ("disown", Who::Bash),
    ("echo", Who::All),
    ("enable", Who::Bash),
    ("eval", Who::All),
    ("exec", Who::All),
    ("exit", Who::All),
    ("export", Who::All),
    ("false", Who::All),
    ("fc", Who::Bash),
    ("fg", Who::All),
    ("getopts", Who::All),
    ("hash", Who::All),
    ("help", Who::NotDash),
    ("history", Who::NotDash),
    ("jobs", Who::All),
    ("kill", Who::All),
    ("let", Who::NotDash),
    ("local", Who::All),
    ("logout", Who::Bash),
    ("mapfile", Who::Bash),
    ("popd", Who::Bash),
    ("printf", Who::All),
    ("pushd", Who::Bash),
    ("pwd", Who::All),
    ("read", Who::All),
    ("readarray", Who::Bash),
    ("readonly", Who::All),
    ("return", Who::All),
    ("set", Who::All),
    ("shift", Who::All),
    ("shopt", Who::Bash),
    ("source", Who::NotDash),
    ("suspend", Who::Bash),
    ("test", Who::All),
    ("times", Who::All),
    ("trap", Who::All),
    ("true", Who::All),
    ("type", Who::All),
    ("typeset", Who::Bash),
    ("ulimit", Who::All),
    ("umask", Who::All),
    ("unalias", Who::All),
    ("unset", Who::All),
    ("wait", Who::All),
    ("[", Who::All),
    ("sleep", Who::Ash),
    ("yes", Who::None),
    ("coproc", Who::None),
    ("select", Who::None),
];

/// Which shells have a built-in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    All,
    Bash,
    Ash,
    NotDash,
    None,
}

impl Who {
    fn has(self, dialect: Dialect) -> bool {
        match self {
            Who::All => true,
            Who::Bash => dialect == Dialect::Bash,
            Who::Ash => dialect == Dialect::Ash,
            Who::NotDash => dialect != Dialect::Dash,
            Who::None => false,
        }
    }
}

/// Built-ins whose failure ends a script (POSIX.1 XCU 2.14).
pub(super) fn is_special(name: &str) -> bool {
    matches!(
        name,
        "." | ":"
            | "break"
            | "continue"
            | "eval"
            | "exec"
            | "exit"
            | "export"
            | "readonly"
            | "return"
            | "set"
            | "shift"
            | "source"
            | "times"
            | "trap"
            | "unset"
    )
}

/// The names of a shell's built-ins.
pub(super) fn names(dialect: Dialect) -> impl Iterator<Item = &'static str> {
    NAMES.iter().filter(move |(_, who)| who.has(dialect)).map(|(name, _)| *name)
}

/// Common commands that shells have built in as well.
pub(super) fn is_command_builtin(name: &str, dialect: Dialect) -> bool {
    match name {
        "echo" | "test" | "[" | "true" | "false" | "exec" => true,
        "history" => dialect != Dialect::Dash,
        "sleep" => dialect == Dialect::Ash,
        _ => false,
    }
}

/// The built-in of this name.
pub(super) fn find<H: Host>(name: &str, dialect: Dialect) -> Option<Builtin<H>> {
    if !NAMES.iter().any(|(known, who)| *known == name && who.has(dialect)) {
        return None;
    }
    let run: Run<H> = match name {
        "." | "source" => flow::source,
        ":" => flow::nothing,
        "ulimit" => flow::ulimit,
        "disown" => jobs::disown,
        "alias" => shellwork::alias,
        "unalias" => shellwork::unalias,
        "builtin" => shellwork::builtin,
        "caller" => shellwork::caller,
        "pushd" | "popd" | "dirs" => shellwork::directories,
        "enable" => shellwork::enable,
        "compgen" => shellwork::compgen,
        "hash" => shellwork::hash,
        "help" => shellwork::help,
        "fg" | "bg" => shellwork::foreground,
        "bind" | "complete" | "compopt" | "fc" | "logout" | "suspend" => shellwork::only_interactive,
        "shopt" => set::shopt,
        "break" | "continue" => flow::leave_loop,
        "eval" => flow::eval,
        "exit" => flow::exit,
        "return" => flow::leave_function,
        "trap" => flow::trap,
        "command" => names::command,
        "type" => names::type_of,
        "cd" | "chdir" => vars::cd,
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
        "mapfile" | "readarray" => mapfile::mapfile,
        "set" => set::set,
        _ => return None,
    };
    Some(Builtin { run })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_has_its_own_built_ins() {
        assert!(names(Dialect::Bash).any(|name| name == "mapfile"));
        assert!(!names(Dialect::Dash).any(|name| name == "source"));
    }
}
