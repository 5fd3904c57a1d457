//! What a shell knows between commands: variables, functions, options, traps, jobs. A subshell starts with a copy.

use std::rc::Rc;

use super::host::Env;
use super::process::Signal;
use super::syntax::Dialect;
use super::syntax::ast::Command;
use values::sorted::SortedMap;
use values::time::SimTime;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Var {
    /// `None`: declared (`export x`, `local x`) but unset.
    pub value: Option<String>,
    pub exported: bool,
    pub read_only: bool,
}

/// What `set` switches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags {
    pub errexit: bool,
    pub nounset: bool,
    pub xtrace: bool,
    pub noglob: bool,
    pub allexport: bool,
    pub pipefail: bool,
    pub noexec: bool,
    pub verbose: bool,
}

impl Flags {
    /// Letter, name, and where the switch is kept.
    pub fn by_letter(&mut self, letter: char) -> Option<&mut bool> {
        Some(match letter {
            'e' => &mut self.errexit,
            'u' => &mut self.nounset,
            'x' => &mut self.xtrace,
            'f' => &mut self.noglob,
            'a' => &mut self.allexport,
            'n' => &mut self.noexec,
            'v' => &mut self.verbose,
            _ => return None,
        })
    }

    pub fn by_name(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "errexit" => &mut self.errexit,
            "nounset" => &mut self.nounset,
            "xtrace" => &mut self.xtrace,
            "noglob" => &mut self.noglob,
            "allexport" => &mut self.allexport,
            "noexec" => &mut self.noexec,
            "verbose" => &mut self.verbose,
            "pipefail" => &mut self.pipefail,
            _ => return None,
        })
    }

    /// The letters of what is on, for `$-`.
    pub fn letters(mut self) -> String {
        "efuxanv".chars().filter(|letter| self.by_letter(*letter).is_some_and(|on| *on)).collect()
    }
}

/// When a trap runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Event {
    Exit,
    Signal(Signal),
}

/// A background job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    pub number: u32,
    pub pid: u32,
    pub text: Rc<str>,
}

#[derive(Clone, Debug)]
pub struct State {
    pub dialect: Dialect,
    pub interactive: bool,
    pub vars: SortedMap<String, Var>,
    pub functions: SortedMap<String, Rc<Command>>,
    pub positional: Vec<String>,
    /// `$0`, with which messages begin.
    pub name: String,
    /// ash: whether messages carry a line number (a script file, or a name given after `-c`).
    pub named: bool,
    pub cwd: String,
    pub flags: Flags,
    pub traps: SortedMap<Event, String>,
    /// `$?`
    pub status: i32,
    /// `$$`: also in subshells the first shell's.
    pub pid: u32,
    pub parent_pid: u32,
    /// `$!`
    pub last_background: Option<u32>,
    pub jobs: Vec<Job>,
    /// Line of the running command, from 1.
    pub line: u32,
    /// Where `getopts` stands within a group of letters.
    pub getopts_at: usize,
    pub started: SimTime,
    /// Whether a failing command may not end the shell (`set -e`), because whoever forked it tests its status.
    pub errexit_ignored: bool,
}

/// Why a variable could not be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IsReadOnly;

impl State {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).and_then(|var| var.value.as_deref())
    }

    pub fn set(&mut self, name: &str, value: impl Into<String>) -> Result<(), IsReadOnly> {
        let var = self.vars.entry(name.to_string()).or_default();
        if var.read_only {
            return Err(IsReadOnly);
        }
        var.value = Some(value.into());
        var.exported |= self.flags.allexport;
        if name == "OPTIND" {
            self.getopts_at = 0;
        }
        Ok(())
    }

    /// Exported variables that have a value.
    pub fn env(&self) -> Env {
        let exported = self.vars.iter().filter(|(_, var)| var.exported);
        exported.filter_map(|(name, var)| Some((name.clone(), var.value.clone()?))).collect()
    }

    /// How messages of this shell begin: `sh: `, `bash: line 3: `; with the built-in's name for some.
    pub fn prefix(&self, builtin: Option<&str>) -> String {
        let line = self.line.max(1);
        let builtin_part = builtin.map(|name| format!("{name}: ")).unwrap_or_default();
        match self.dialect {
            // busybox counts the lines of `-c` from 0, and names them only when it has a command's name to say.
            Dialect::Ash if builtin.is_some() || self.named => {
                format!("{}: {builtin_part}line {}: ", self.name, line - 1)
            }
            Dialect::Ash => format!("{}: ", self.name),
            Dialect::Bash if self.interactive => format!("{}: {builtin_part}", self.name),
            Dialect::Bash => format!("{}: line {line}: {builtin_part}", self.name),
        }
    }

    /// Rough size of what it holds, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        let vars: usize = self.vars.iter().map(|(k, v)| k.len() + v.value.as_ref().map_or(0, String::len) + 64).sum();
        vars as u64 + self.positional.iter().map(|p| p.len() as u64 + 24).sum::<u64>()
    }
}
