//! jq's command line.

use std::rc::Rc;

use super::json::Json;
use super::reading;
use crate::commands::Call;
use crate::process::Stream;

const USE: &str = "Use jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://jqlang.github.io/jq";

/// What the program works on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    Values,
    /// `-n`
    Null,
}

/// How the values are written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub raw: bool,
    pub joined: bool,
    pub nul: bool,
    pub indent: Option<usize>,
    pub tabs: bool,
    pub sorted: bool,
    pub ascii: bool,
    pub colors: bool,
    pub sequence: bool,
}

#[derive(Clone, Debug)]
pub struct Options {
    pub style: Style,
    pub input: Input,
    pub slurp: bool,
    pub raw_input: bool,
    pub exit_status: bool,
    /// `$name` and what it is.
    pub variables: Vec<(Rc<str>, Json)>,
}

impl Options {
    /// The options, the program and the files.
    ///
    /// # Errors
    /// The exit code, after what is wrong was said.
    pub fn read(call: &mut Call<'_>) -> Result<(Options, String, Vec<String>), i32> {
        let style = Style {
            raw: false,
            joined: false,
            nul: false,
            indent: Some(2),
            tabs: false,
            sorted: false,
            ascii: false,
            colors: false,
            sequence: false,
        };
        let mut options = Options {
            style,
            input: Input::Values,
            slurp: false,
            raw_input: false,
            exit_status: false,
            variables: Vec::new(),
        };
        let mut program = None;
        let mut from_file = false;
        let mut files = Vec::new();
        let mut named = Json::Object(Rc::default());
        let mut positional = Vec::new();
        let (mut rest_are, mut only_operands) = (None, false);
        let args = call.args.to_vec();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let is_option = !only_operands && arg.len() > 1 && arg.starts_with('-');
            if !is_option {
                match (&program, rest_are) {
                    (None, _) => program = Some(arg),
                    (_, Some(false)) => positional.push(Json::text(&arg)),
                    (_, Some(true)) => match reading::values(&arg) {
                        (mut values, None) if values.len() == 1 => positional.extend(values.pop()),
                        _ => return Err(fail(call, "Invalid JSON text passed to --jsonargs")),
                    },
                    (_, None) => files.push(arg),
                }
                continue;
            }
            let mut pair = || Some((args.next()?, args.next()?));
            match arg.as_str() {
                "--" => only_operands = true,
                "--arg" | "--argjson" | "--slurpfile" | "--rawfile" => {
                    let Some((name, text)) = pair() else {
                        let what = if arg.ends_with("file") { "filename" } else { "value" };
                        let kind = if arg == "--argjson" { "text" } else { what };
                        call.err("jq", &format!("{arg} takes two parameters (e.g. {arg} varname {kind})\n{USE}"));
                        return Err(2);
                    };
                    let value = match arg.as_str() {
                        "--arg" => Json::text(&text),
                        "--argjson" => match reading::values(&text) {
                            (mut values, None) if values.len() == 1 => values.pop().unwrap_or_default(),
                            _ => return Err(fail(call, "Invalid JSON text passed to --argjson")),
                        },
                        _ => match call.read_file(&text) {
                            Ok(bytes) if arg == "--rawfile" => Json::text(&String::from_utf8_lossy(&bytes)),
                            Ok(bytes) => match reading::values(&String::from_utf8_lossy(&bytes)) {
                                (values, None) => Json::array(values),
                                (_, Some(why)) => {
                                    call.err("jq", &format!("Bad JSON in --{} {name} {text}: {why}", &arg[2..]));
                                    return Err(2);
                                }
                            },
                            Err(error) => {
                                let text = format!(
                                    "Bad JSON in --{} {name} {text}: Could not open {text}: {error}",
                                    &arg[2..]
                                );
                                call.err("jq", &text);
                                return Err(2);
                            }
                        },
                    };
                    named.set(&name, value.clone());
                    options.variables.push((format!("${name}").into(), value));
                }
                "--args" => rest_are = Some(false),
                "--jsonargs" => rest_are = Some(true),
                "--indent" => match args.next().and_then(|n| n.parse::<usize>().ok()) {
                    Some(0) => options.style.indent = None,
                    Some(n) if n <= 7 => options.style.indent = Some(n),
                    _ => {
                        call.err("jq", "Cannot indent more than 7 characters");
                        return Err(2);
                    }
                },
                "--tab" => options.style.tabs = true,
                "--raw-output0" => (options.style.raw, options.style.nul) = (true, true),
                "--seq" => options.style.sequence = true,
                "--stream" | "--stream-errors" => {
                    call.err("jq", &format!("Batchyard's jq has no {arg}"));
                    return Err(2);
                }
                "--from-file" => from_file = true,
                "--unbuffered" => {}
                "-h" | "--help" => {
                    let help = crate::commands::help_of("jq").unwrap_or_default();
                    call.out(&help);
                    return Err(0);
                }
                "-V" | "--version" => {
                    call.out("jq-1.7.1\n");
                    return Err(0);
                }
                option => match options.letters(option) {
                    Ok(file) => from_file |= file,
                    Err(()) if program.is_none() && !option.starts_with("--") && option.contains(['.', '(']) => {
                        program = Some(arg.clone());
                    }
                    Err(()) => {
                        call.err("jq", &format!("Unknown arguments\n{USE}"));
                        return Err(2);
                    }
                },
            }
        }
        let Some(mut program) = program else {
            let help = "Usage:\tjq [OPTIONS] FILTER [FILES...]\n\tjq [OPTIONS] --args FILTER [STRINGS...]\n";
            call.output.write(Stream::Stderr, help.as_bytes());
            return Err(2);
        };
        if from_file {
            match call.read_file(&program) {
                Ok(bytes) => program = String::from_utf8_lossy(&bytes).into_owned(),
                Err(error) => {
                    call.err("jq", &format!("error: Could not open {program}: {error}"));
                    return Err(2);
                }
            }
        }
        let mut all = Json::Object(Rc::default());
        all.set("positional", Json::array(positional));
        all.set("named", named);
        options.variables.push(("$ARGS".into(), all));
        Ok((options, program, files))
    }

    /// `-rc`, `--raw-output` …; whether the program is in a file.
    fn letters(&mut self, option: &str) -> Result<bool, ()> {
        let letters = match option {
            "--raw-output" => "r",
            "--compact-output" => "c",
            "--null-input" => "n",
            "--slurp" => "s",
            "--raw-input" => "R",
            "--exit-status" => "e",
            "--sort-keys" => "S",
            "--join-output" => "j",
            "--ascii-output" => "a",
            "--monochrome-output" => "M",
            "--color-output" => "C",
            long if long.starts_with("--") => return Err(()),
            short => &short[1..],
        };
        if !letters.chars().all(|letter| "rcnsReSjaMCf".contains(letter)) {
            return Err(());
        }
        let mut from_file = false;
        for letter in letters.chars() {
            match letter {
                'r' => self.style.raw = true,
                'c' => self.style.indent = None,
                'n' => self.input = Input::Null,
                's' => self.slurp = true,
                'R' => self.raw_input = true,
                'e' => self.exit_status = true,
                'S' => self.style.sorted = true,
                'j' => (self.style.raw, self.style.joined) = (true, true),
                'a' => self.style.ascii = true,
                'C' => self.style.colors = true,
                'f' => from_file = true,
                _ => self.style.colors = false,
            }
        }
        Ok(from_file)
    }
}

fn fail(call: &mut Call<'_>, message: &str) -> i32 {
    call.err("jq", &format!("{message}\n{USE}"));
    2
}
