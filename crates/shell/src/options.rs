//! How a shell is started: its dialect, its name, its arguments, its switches.

use super::host::{Env, Tools};
use super::state::{Flags, State};
use super::syntax::Dialect;
use super::variables::{Array, Var};
use values::sorted::SortedMap;
use values::time::SimTime;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    pub dialect: Dialect,
    /// Whose programs there are.
    pub tools: Tools,
    /// `$0`, with which messages begin.
    pub name: String,
    /// Whether the name was given after `-c SCRIPT`, or is a file's: ash then says line numbers.
    pub named: bool,
    /// The text of `-c`.
    pub script: Option<String>,
    /// A script's path, when there is no `-c`.
    pub file: Option<String>,
    /// `$1` and on.
    pub args: Vec<String>,
    pub env: Env,
    pub cwd: String,
    pub flags: Flags,
    /// A terminal's shell: it does not end at errors or at the end of its text, and obeys [`super::Shell::feed_line`].
    pub interactive: bool,
    /// `$$`; processes it starts are numbered from here.
    pub pid: u32,
    /// A container's first process: signals that it has no trap for do nothing.
    pub first_process: bool,
    /// When it was started, for `$SECONDS`.
    pub started: SimTime,
}

impl Options {
    /// A shell that runs a script it is given, with nothing else set.
    pub fn new(dialect: Dialect) -> Options {
        Options {
            dialect,
            tools: if dialect == Dialect::Ash { Tools::Busybox } else { Tools::Gnu },
            name: if dialect.is_bash() { "bash" } else { "sh" }.to_string(),
            named: false,
            script: None,
            file: None,
            args: Vec::new(),
            env: Env::new(),
            cwd: "/".into(),
            flags: Flags::of(dialect),
            interactive: false,
            pid: 1,
            first_process: false,
            started: SimTime::EPOCH,
        }
    }

    /// Reads a command line such as `["sh", "-ec", "echo $1", "name", "arg"]`.
    ///
    /// # Errors
    /// Unknown switches, and `-c` without a script, in the dialect's words.
    pub fn from_args(argv: &[String], dialect: Dialect) -> Result<Options, String> {
        let mut options = Options::new(dialect);
        options.name = argv.first().cloned().unwrap_or_else(|| options.name.clone());
        let mut rest = argv.get(1..).unwrap_or_default().iter();
        let (mut wants_script, mut from_input) = (false, false);
        let mut operands: Vec<String> = Vec::new();
        while let Some(arg) = rest.next() {
            let on = arg.starts_with('-');
            match arg.strip_prefix(['-', '+']).filter(|letters| !letters.is_empty()) {
                Some("-") if on => break,
                Some(letters) if !letters.starts_with('-') => {
                    for letter in letters.chars() {
                        match letter {
                            'c' => wants_script = true,
                            's' => from_input = true,
                            'i' | 'l' => {}
                            'o' | 'O' => {
                                let name = rest.next().cloned().unwrap_or_default();
                                let known = match letter {
                                    'O' => options.flags.shopt(&name, on),
                                    _ => options.flags.switch(&name, on, dialect),
                                };
                                if !known {
                                    return Err(bad_option(dialect, &format!("-o {name}")));
                                }
                            }
                            _ if options.flags.switch_letter(letter, on, dialect) => {}
                            _ => return Err(bad_option(dialect, &format!("-{letter}"))),
                        }
                    }
                }
                Some(_) if dialect.is_bash() => match arg.as_str() {
                    "--norc" | "--noprofile" | "--login" | "--posix" | "--noediting" | "--verbose" => {}
                    "--rcfile" | "--init-file" => {
                        rest.next();
                    }
                    _ => return Err(format!("{arg}: invalid option")),
                },
                Some(_) => return Err(bad_option(dialect, arg)),
                None => {
                    operands.push(arg.clone());
                    break;
                }
            }
        }
        operands.extend(rest.cloned());
        let mut operands = operands.into_iter().peekable();
        if wants_script {
            options.script = Some(operands.next().ok_or("-c requires an argument".to_string())?);
            if let Some(name) = operands.next() {
                options.name = name;
                options.named = true;
            }
        } else if let Some(file) = operands.next_if(|_| !from_input) {
            options.name = file.clone();
            options.named = true;
            options.file = Some(file);
        }
        options.args = operands.collect();
        Ok(options)
    }
}

fn bad_option(dialect: Dialect, option: &str) -> String {
    match dialect {
        Dialect::Ash => format!("illegal option {option}"),
        Dialect::Dash => format!("0: Illegal option {option}"),
        Dialect::Bash => match option.strip_prefix("-o ") {
            Some(name) => format!("line 0: {name}: invalid option name"),
            None => format!("{option}: invalid option"),
        },
    }
}

impl State {
    /// The state of a shell that starts with `env` exported.
    pub fn new(options: &Options, env: Env, now: SimTime) -> State {
        let mut vars: SortedMap<String, Var> = SortedMap::new();
        let level = env.get("SHLVL").and_then(|level| level.parse::<u32>().ok()).unwrap_or(0).saturating_add(1);
        for (name, value) in env {
            vars.insert(name, Var::exported(value));
        }
        let mut set = |name: &str, value: String, exported: bool| {
            vars.insert(name.to_string(), Var { value: Some(value), exported, ..Var::default() });
        };
        set("PWD", options.cwd.clone(), true);
        set("OPTIND", "1".into(), false);
        set("IFS", " \t\n".into(), false);
        set("PS4", "+ ".into(), false);
        if options.dialect == Dialect::Bash {
            set("SHLVL", level.to_string(), true);
            set("BASH", "/bin/bash".into(), false);
            set("BASH_VERSION", "5.2.15(1)-release".into(), false);
            set("HOSTTYPE", "x86_64".into(), false);
            set("MACHTYPE", "x86_64-pc-linux-gnu".into(), false);
            set("OSTYPE", "linux-gnu".into(), false);
            set("OPTERR", "1".into(), false);
            let version = ["5", "2", "15", "1", "release", "x86_64-pc-linux-gnu"];
            let version = (0i64..).zip(version.map(str::to_string)).collect();
            let array = Some(Array::Indexed(std::rc::Rc::new(version)));
            vars.insert("BASH_VERSINFO".to_string(), Var { array, read_only: true, ..Var::default() });
        } else {
            set("PS1", "\\w \\$ ".into(), false);
            set("PS2", "> ".into(), false);
            if options.dialect == Dialect::Ash {
                set("SHLVL", level.to_string(), true);
            }
        }
        State {
            dialect: options.dialect,
            tools: options.tools,
            interactive: options.interactive,
            vars,
            functions: SortedMap::new(),
            positional: options.args.clone(),
            name: options.name.clone(),
            named: options.named,
            cwd: options.cwd.clone(),
            flags: options.flags,
            traps: SortedMap::new(),
            status: 0,
            pid: options.pid,
            parent_pid: 0,
            last_background: None,
            jobs: Vec::new(),
            line: 1,
            getopts_at: 0,
            started: now,
            errexit_ignored: false,
            pipe_status: Vec::new(),
            calls: Vec::new(),
            directories: Vec::new(),
            aliases: SortedMap::new(),
            mask: 0o022,
            command: "".into(),
            seconds: None,
            subshells: 0,
            debugged: false,
            last_argument: String::new(),
            trace_depth: 0,
            own_pid: options.pid,
            drawn: 0,
            now,
            user: 0,
        }
    }
}
