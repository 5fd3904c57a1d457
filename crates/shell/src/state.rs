//! What a shell knows between commands: variables, functions, options, traps, jobs. A subshell starts with a copy.

use std::rc::Rc;

use super::host::{Env, Tools};
use super::process::Signal;
use super::syntax::Dialect;
use super::syntax::ast::Command;
use super::variables::Var;
use values::sorted::SortedMap;
use values::time::SimTime;

/// What `set` and `shopt` switch.
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
    pub noclobber: bool,
    pub errtrace: bool,
    pub functrace: bool,
    /// Switches without an effect here, kept for `$-` and `set -o`: one bit each, by place in [`INERT`].
    inert: u32,
    pub nullglob: bool,
    pub failglob: bool,
    pub dotglob: bool,
    pub nocaseglob: bool,
    pub nocasematch: bool,
    pub globstar: bool,
    pub extglob: bool,
    pub lastpipe: bool,
    pub inherit_errexit: bool,
    pub expand_aliases: bool,
    pub xpg_echo: bool,
    /// Other names that `shopt` knows, by place in [`OTHER_SHOPTS`].
    shopts: u64,
}

/// Switches of `set` that change nothing in a script, with their letters.
const INERT: [(&str, char); 14] = [
    ("braceexpand", 'B'),
    ("emacs", ' '),
    ("hashall", 'h'),
    ("histexpand", 'H'),
    ("history", ' '),
    ("ignoreeof", ' '),
    ("interactive-comments", ' '),
    ("monitor", 'm'),
    ("nolog", ' '),
    ("notify", 'b'),
    ("physical", 'P'),
    ("posix", ' '),
    ("privileged", 'p'),
    ("vi", ' '),
];

/// Names of `shopt` that change nothing in a script; those that are on from the start are marked.
const OTHER_SHOPTS: [(&str, bool); 20] = [
    ("autocd", false),
    ("cdable_vars", false),
    ("cdspell", false),
    ("checkhash", false),
    ("checkjobs", false),
    ("checkwinsize", true),
    ("cmdhist", true),
    ("complete_fullquote", true),
    ("direxpand", false),
    ("dirspell", false),
    ("execfail", false),
    ("extquote", true),
    ("force_fignore", true),
    ("globasciiranges", true),
    ("histappend", false),
    ("huponexit", false),
    ("mailwarn", false),
    ("progcomp", true),
    ("promptvars", true),
    ("sourcepath", true),
];

/// The switches of `set -o` in bash's order.
pub const SET_NAMES: [&str; 27] = [
    "allexport",
    "braceexpand",
    "emacs",
    "errexit",
    "errtrace",
    "functrace",
    "hashall",
    "histexpand",
    "history",
    "ignoreeof",
    "interactive-comments",
    "keyword",
    "monitor",
    "noclobber",
    "noexec",
    "noglob",
    "nolog",
    "notify",
    "nounset",
    "onecmd",
    "physical",
    "pipefail",
    "posix",
    "privileged",
    "verbose",
    "vi",
    "xtrace",
];

impl Flags {
    /// Those a shell of this dialect starts with.
    pub fn of(dialect: Dialect) -> Flags {
        let mut flags = Flags::default();
        if dialect.is_bash() {
            ["braceexpand", "hashall", "interactive-comments"].iter().for_each(|name| {
                flags.switch(name, true, dialect);
            });
            for (i, (_, on)) in OTHER_SHOPTS.iter().enumerate() {
                flags.shopts |= u64::from(*on) << i;
            }
        }
        flags
    }

    fn by_name(&mut self, name: &str, dialect: Dialect) -> Option<&mut bool> {
        let bash = dialect.is_bash();
        Some(match name {
            "errexit" => &mut self.errexit,
            "nounset" => &mut self.nounset,
            "xtrace" => &mut self.xtrace,
            "noglob" => &mut self.noglob,
            "allexport" => &mut self.allexport,
            "noexec" => &mut self.noexec,
            "verbose" => &mut self.verbose,
            "noclobber" => &mut self.noclobber,
            "pipefail" if dialect != Dialect::Dash => &mut self.pipefail,
            "errtrace" if bash => &mut self.errtrace,
            "functrace" if bash => &mut self.functrace,
            _ => return None,
        })
    }

    /// Turns a switch of `set -o`; false if the dialect has none of that name.
    pub fn switch(&mut self, name: &str, on: bool, dialect: Dialect) -> bool {
        if let Some(flag) = self.by_name(name, dialect) {
            *flag = on;
            return true;
        }
        let known = dialect.is_bash() || matches!(name, "ignoreeof" | "monitor" | "notify" | "vi" | "emacs" | "nolog");
        match INERT.iter().position(|(inert, _)| *inert == name).filter(|_| known) {
            Some(place) if on => self.inert |= 1 << place,
            Some(place) => self.inert &= !(1 << place),
            None => return false,
        }
        true
    }

    /// Turns a switch by its letter.
    pub fn switch_letter(&mut self, letter: char, on: bool, dialect: Dialect) -> bool {
        let bash = dialect.is_bash();
        let name = match letter {
            'e' => "errexit",
            'u' => "nounset",
            'x' => "xtrace",
            'f' => "noglob",
            'a' => "allexport",
            'n' => "noexec",
            'v' => "verbose",
            'C' => "noclobber",
            'm' => "monitor",
            'b' => "notify",
            'I' if !bash => "ignoreeof",
            'E' if bash => "errtrace",
            'T' if bash => "functrace",
            'B' if bash => "braceexpand",
            'h' if bash => "hashall",
            'H' if bash => "histexpand",
            'P' if bash => "physical",
            'p' if bash => "privileged",
            _ => return false,
        };
        self.switch(name, on, dialect)
    }

    /// Whether a switch of `set -o` is on.
    pub fn is_on(mut self, name: &str, dialect: Dialect) -> bool {
        match self.by_name(name, dialect) {
            Some(flag) => *flag,
            None => INERT.iter().position(|(inert, _)| *inert == name).is_some_and(|at| self.inert >> at & 1 == 1),
        }
    }

    /// The letters of what is on, for `$-`.
    pub fn letters(mut self, dialect: Dialect) -> String {
        let mut letters = String::new();
        let own = [("allexport", 'a'), ("errexit", 'e'), ("noglob", 'f'), ("hashall", 'h'), ("monitor", 'm')];
        let more = [("noexec", 'n'), ("nounset", 'u'), ("verbose", 'v'), ("xtrace", 'x'), ("braceexpand", 'B')];
        let last = [("noclobber", 'C'), ("errtrace", 'E'), ("functrace", 'T')];
        for (name, letter) in own.into_iter().chain(more).chain(last) {
            let on = match self.by_name(name, dialect) {
                Some(flag) => *flag,
                None => self.is_on(name, dialect),
            };
            letters.extend(on.then_some(letter));
        }
        letters
    }

    fn by_shopt(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "nullglob" => &mut self.nullglob,
            "failglob" => &mut self.failglob,
            "dotglob" => &mut self.dotglob,
            "nocaseglob" => &mut self.nocaseglob,
            "nocasematch" => &mut self.nocasematch,
            "globstar" => &mut self.globstar,
            "extglob" => &mut self.extglob,
            "lastpipe" => &mut self.lastpipe,
            "inherit_errexit" => &mut self.inherit_errexit,
            "expand_aliases" => &mut self.expand_aliases,
            "xpg_echo" => &mut self.xpg_echo,
            _ => return None,
        })
    }

    /// Turns a switch of `shopt`; false if there is none of that name.
    pub fn shopt(&mut self, name: &str, on: bool) -> bool {
        if let Some(flag) = self.by_shopt(name) {
            *flag = on;
            return true;
        }
        match OTHER_SHOPTS.iter().position(|(other, _)| *other == name) {
            Some(place) if on => self.shopts |= 1 << place,
            Some(place) => self.shopts &= !(1 << place),
            None => return false,
        }
        true
    }

    /// Whether a switch of `shopt` is on; `None` if there is none of that name.
    pub fn shopt_is_on(mut self, name: &str) -> Option<bool> {
        if let Some(flag) = self.by_shopt(name) {
            return Some(*flag);
        }
        OTHER_SHOPTS.iter().position(|(other, _)| *other == name).map(|place| self.shopts >> place & 1 == 1)
    }

    /// All names that `shopt` knows, sorted.
    pub fn shopt_names() -> Vec<&'static str> {
        let own = [
            "dotglob",
            "expand_aliases",
            "extglob",
            "failglob",
            "globstar",
            "inherit_errexit",
            "lastpipe",
            "nocaseglob",
            "nocasematch",
            "nullglob",
            "xpg_echo",
        ];
        let mut names: Vec<&str> = own.into_iter().chain(OTHER_SHOPTS.iter().map(|(name, _)| *name)).collect();
        names.sort_unstable();
        names
    }
}

/// When a trap runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Event {
    Exit,
    /// bash's `ERR`, `DEBUG` and `RETURN`.
    Error,
    Debug,
    Return,
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
    /// Whose programs there are.
    pub tools: Tools,
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
    /// Statuses of the last pipeline's commands.
    pub pipe_status: Vec<i32>,
    /// The functions that are running, outermost first, with the line each was called from.
    pub calls: Vec<(String, u32)>,
    /// `pushd`'s directories, without the current one; the next first.
    pub directories: Vec<String>,
    pub aliases: SortedMap<String, String>,
    /// `umask`
    pub mask: u32,
    /// `$BASH_COMMAND`
    pub command: Rc<str>,
    /// What `SECONDS=` set: the value, and when.
    pub seconds: Option<(i64, SimTime)>,
    /// Whether this shell is a subshell of the one that was started.
    pub subshells: u32,
    /// The DEBUG trap has run for the command that comes next.
    pub debugged: bool,
    /// The last argument of the last command: `$_`.
    pub last_argument: String,
    /// How deep in substitutions this process is, for `set -x`.
    pub trace_depth: u32,
    /// This process' own number, which of a subshell is not `$$`.
    pub own_pid: u32,
    /// What arithmetic may ask for: a draw, the time, the user.
    pub drawn: u64,
    pub now: SimTime,
    pub user: u32,
}

impl State {
    /// What a name stands for in arithmetic that is no variable but computed.
    pub fn computed(&mut self, name: &str) -> i64 {
        match name {
            "RANDOM" => {
                self.drawn = self.drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (self.drawn >> 33) as i64 % 32768
            }
            "SECONDS" => {
                let (from, at) = self.seconds.unwrap_or((0, self.started));
                from + self.now.since(at).as_secs()
            }
            "LINENO" => i64::from(self.line),
            "EPOCHSECONDS" => self.now.secs(),
            _ => i64::from(self.user),
        }
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
            Dialect::Dash => format!("{}: {line}: {builtin_part}", self.name),
            Dialect::Bash if self.interactive => format!("{}: {builtin_part}", self.name),
            Dialect::Bash => format!("{}: line {line}: {builtin_part}", self.name),
        }
    }

    /// Rough size of what it holds, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.variable_bytes() as u64 + self.positional.iter().map(|p| p.len() as u64 + 24).sum::<u64>()
    }
}
