//! Compound commands: groups, subshells, `if`, loops, `case`, `[[ ]]`, `(( ))`, function definitions.

use std::rc::Rc;

use super::redirect::Target;
use super::{Context, Frame, Leave, Phase, Process, Step};
use crate::builtins::test::{self, Files};
use crate::expand::pattern::Pattern;
use crate::expand::{Expander, Halt};
use crate::host::Host;
use crate::regex::Regex;
use crate::syntax::ast::{Arm, ArmEnding, Command, Kind, Redirect, Script, Test, Word};

fn list<C>(script: &Rc<Script>) -> Frame<C> {
    Frame::List { script: script.clone(), next: 0 }
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    pub(crate) fn step_command<H: Host<Command = C>>(
        &mut self,
        command: Rc<Command>,
        known: Vec<String>,
        cx: &mut Context<'_, H>,
    ) -> Step {
        self.state.line = command.line;
        if known.is_empty() {
            self.substitution_status = None;
        }
        if let Kind::Simple(simple) = &command.kind {
            self.start_simple(&command, simple, known, cx);
            return Step::Ran;
        }
        let has_substitution =
            has_substitution(&command.kind) || command.redirects.iter().any(Redirect::has_substitution);
        let prepared = self.expand(&command, &known, has_substitution, cx, |expander| {
            let targets = Target::expand(expander, &command.redirects)?;
            Ok((targets, Prepared::expand(expander, &command.kind)?))
        });
        let Some((targets, prepared)) = prepared else { return Step::Ran };
        if self.state.flags.xtrace && self.state.dialect.is_bash() && known.is_empty() {
            self.trace_compound(&command, &prepared, cx);
        }
        let noclobber = self.state.flags.noclobber;
        match self.apply_redirects(targets, noclobber, cx) {
            Err(()) => self.state.status = 1,
            Ok(saved) => {
                if !saved.is_empty() {
                    self.frames.push(Frame::Redirected { saved });
                }
                self.start_compound(command, prepared, cx);
            }
        }
        Step::Ran
    }

    fn trace_compound<H: Host<Command = C>>(
        &mut self,
        command: &Command,
        prepared: &Prepared,
        cx: &mut Context<'_, H>,
    ) {
        let line = match (&command.kind, prepared) {
            (Kind::Case { .. }, _) => match command.text.split_once(" in") {
                Some((start, _)) => format!("{start} in"),
                None => return,
            },
            (Kind::Test(_), _) => command.text.to_string(),
            (Kind::Arithmetic(_), _) if command.text.is_empty() => return,
            (Kind::Arithmetic(_), _) => command.text.to_string(),
            _ => return,
        };
        self.trace_line(&line, cx);
    }

    /// `coproc`: a background process with pipes to and from it, whose numbers stand in an array.
    fn start_coprocess<H: Host<Command = C>>(&mut self, name: &str, body: &Rc<Command>, cx: &mut Context<'_, H>) {
        let (its_input, to_it) = cx.common.files.pipe();
        let (from_it, its_output) = cx.common.files.pipe();
        let frame = Frame::Command { command: body.clone(), known: Vec::new() };
        let Some(pid) = self.fork(None, vec![frame], cx) else { return };
        if let Some(child) = cx.spawned.last_mut() {
            child.background = true;
            child.state.errexit_ignored = false;
            child.descriptors.insert(0, its_input);
            child.descriptors.insert(1, its_output);
        }
        let free: Vec<u32> = (0..64).rev().filter(|fd| !self.descriptors.contains_key(fd)).take(2).collect();
        let [first, second] = free.as_slice() else { return };
        self.descriptors.insert(*first, from_it);
        self.descriptors.insert(*second, to_it);
        let _ = self.state.set_list(name, vec![first.to_string(), second.to_string()]);
        let _ = self.state.set(&format!("{name}_PID"), pid.to_string());
        self.state.last_background = Some(pid);
        let number = self.state.jobs.iter().map(|job| job.number).max().unwrap_or(0) + 1;
        self.state.jobs.push(crate::state::Job { number, pid, text: format!("coproc {name}").into() });
        self.state.status = 0;
    }

    fn start_compound<H: Host<Command = C>>(
        &mut self,
        command: Rc<Command>,
        prepared: Prepared,
        cx: &mut Context<'_, H>,
    ) {
        match (&command.kind, prepared) {
            (Kind::Group(script), _) => self.frames.push(list(script)),
            (Kind::Subshell(script), _) => {
                let script = list(script);
                match self.fork(None, vec![script], cx) {
                    Some(pid) => {
                        self.frames.push(Frame::Children { pids: vec![pid], last_here: false, pipeline: false });
                    }
                    None => self.leave(Leave::Abort(2), cx),
                }
            }
            (Kind::If { branches, .. }, _) => {
                let condition = branches.first().map(|(condition, _)| list(condition));
                self.frames.push(Frame::If { command: command.clone(), branch: 0 });
                self.frames.extend(condition);
            }
            (Kind::Loop { condition, .. }, _) => {
                let condition = list(condition);
                self.frames.push(Frame::Loop { command: command.clone(), testing: true, status: 0 });
                self.frames.push(condition);
            }
            (Kind::Select { .. }, Prepared::Words(words)) => {
                self.frames.push(Frame::Select { command: command.clone(), words, reading: false });
            }
            (Kind::Coprocess { name, body }, _) => self.start_coprocess(name, body, cx),
            (Kind::For { .. }, Prepared::Words(words)) => {
                if words.is_empty() {
                    self.state.status = 0;
                }
                self.frames.push(Frame::For { command: command.clone(), words, next: 0 });
            }
            (Kind::CountedFor { start, .. }, _) => {
                let start = Frame::Command { command: start.clone(), known: Vec::new() };
                self.frames.push(Frame::CountedFor { command: command.clone(), phase: Phase::Start });
                self.frames.push(start);
            }
            (Kind::Case { arms, .. }, Prepared::Arm(chosen)) => {
                if chosen.iter().all(|i| arms.get(*i).is_none_or(|arm| arm.body.items.is_empty())) {
                    self.state.status = 0;
                }
                for arm in chosen.iter().rev().filter_map(|i| arms.get(*i)) {
                    self.frames.push(list(&arm.body));
                }
            }
            (Kind::Function { name, body }, _) => {
                self.state.functions.insert(name.clone(), body.clone());
                self.state.status = 0;
            }
            (_, Prepared::Status(status)) => self.state.status = status,
            (_, Prepared::Complains(message)) => {
                self.complain(cx, Some("(("), &message);
                self.state.status = 1;
            }
            _ => {}
        }
    }

    pub(crate) fn step_if(&mut self, command: Rc<Command>, branch: usize) -> Step {
        let Kind::If { branches, otherwise } = &command.kind else { return Step::Ran };
        if self.state.status == 0 {
            self.frames.extend(branches.get(branch).map(|(_, body)| list(body)));
        } else if let Some((condition, _)) = branches.get(branch + 1) {
            let condition = list(condition);
            self.frames.push(Frame::If { command: command.clone(), branch: branch + 1 });
            self.frames.push(condition);
        } else if let Some(otherwise) = otherwise {
            self.frames.push(list(otherwise));
        } else {
            self.state.status = 0;
        }
        Step::Ran
    }

    pub(crate) fn step_loop(&mut self, command: Rc<Command>, testing: bool, status: i32) -> Step {
        let Kind::Loop { until, condition, body } = &command.kind else { return Step::Ran };
        if !testing {
            let condition = list(condition);
            self.frames.push(Frame::Loop { command: command.clone(), testing: true, status: self.state.status });
            self.frames.push(condition);
        } else if (self.state.status == 0) != *until {
            let body = list(body);
            self.frames.push(Frame::Loop { command: command.clone(), testing: false, status });
            self.frames.push(body);
        } else {
            self.state.status = status;
        }
        Step::Ran
    }

    pub(crate) fn step_for<H: Host<Command = C>>(
        &mut self,
        command: Rc<Command>,
        words: Vec<String>,
        next: usize,
        cx: &mut Context<'_, H>,
    ) -> Step {
        let Kind::For { name, body, .. } = &command.kind else { return Step::Ran };
        let Some(word) = words.get(next).cloned() else { return Step::Ran };
        if self.state.set(name, word).is_err() {
            let message = crate::expand::read_only_message(self.state.dialect, name);
            self.fail(&message, cx);
            return Step::Ran;
        }
        if self.state.flags.xtrace && self.state.dialect.is_bash() && !command.text.is_empty() {
            let start = command.text.split([';', '\n']).next().unwrap_or_default().trim().to_string();
            self.trace_line(&start, cx);
        }
        let body = list(body);
        self.frames.push(Frame::For { command, words, next: next + 1 });
        self.frames.push(body);
        Step::Ran
    }

    pub(crate) fn step_counted(&mut self, command: Rc<Command>, phase: Phase) -> Step {
        let Kind::CountedFor { condition, step, body, .. } = &command.kind else { return Step::Ran };
        let run = |command: &Rc<Command>| Frame::Command { command: command.clone(), known: Vec::new() };
        match phase {
            Phase::Start => {
                let condition = run(condition);
                self.frames.push(Frame::CountedFor { command: command.clone(), phase: Phase::Test });
                self.frames.push(condition);
            }
            Phase::Test if self.state.status == 0 => {
                let body = list(body);
                self.frames.push(Frame::CountedFor { command: command.clone(), phase: Phase::Body });
                self.frames.push(body);
            }
            Phase::Test => self.state.status = 0,
            Phase::Body => {
                let step = run(step);
                self.frames.push(Frame::CountedFor { command: command.clone(), phase: Phase::Start });
                self.frames.push(step);
            }
        }
        Step::Ran
    }
}

/// What a compound command needs to know before it starts.
enum Prepared {
    Nothing,
    Words(Vec<String>),
    Arm(Vec<usize>),
    Status(i32),
    Complains(String),
}

impl Prepared {
    fn expand(expander: &mut Expander<'_>, kind: &Kind) -> Result<Prepared, Halt> {
        Ok(match kind {
            Kind::For { words: Some(words), .. } | Kind::Select { words: Some(words), .. } => {
                Prepared::Words(expander.words(words)?)
            }
            Kind::For { words: None, .. } | Kind::Select { words: None, .. } => {
                Prepared::Words(expander.state.positional.clone())
            }
            Kind::Case { word, arms } => Prepared::Arm(choose_arm(expander, word, arms)?),
            Kind::Arithmetic(word) => match expander.arithmetic(word) {
                // A mistake in `(( ))` fails the command only.
                Err(Halt::Fail(message)) => Prepared::Complains(message),
                value => Prepared::Status(i32::from(value? == 0)),
            },
            Kind::Test(test) => match evaluate(expander, test) {
                Err(Halt::Status(status)) => Prepared::Status(status),
                value => Prepared::Status(i32::from(!value?)),
            },
            _ => Prepared::Nothing,
        })
    }
}

/// The arms that run, in order: the first that matches, and those it falls through to.
fn choose_arm(expander: &mut Expander<'_>, word: &Word, arms: &[Arm]) -> Result<Vec<usize>, Halt> {
    let text = expander.text(word)?;
    let mut chosen = Vec::new();
    let mut falling = false;
    for (i, arm) in arms.iter().enumerate() {
        let mut matches = std::mem::take(&mut falling);
        for pattern in &arm.patterns {
            if matches {
                break;
            }
            let pattern = expander.pattern(pattern)?;
            let flags = expander.state.flags;
            matches = Pattern::with(&pattern, flags.extglob, flags.nocasematch).matches(&text);
        }
        if !matches {
            continue;
        }
        chosen.push(i);
        match arm.ending {
            ArmEnding::Stop => break,
            ArmEnding::FallThrough => falling = true,
            ArmEnding::TestOn => {}
        }
    }
    Ok(chosen)
}

/// `[[ … ]]`: words do not split, the right side of `==` is a pattern and of `=~` a regular expression.
fn evaluate(expander: &mut Expander<'_>, test: &Test) -> Result<bool, Halt> {
    Ok(match test {
        Test::Not(inner) => !evaluate(expander, inner)?,
        Test::And(left, right) => evaluate(expander, left)? && evaluate(expander, right)?,
        Test::Or(left, right) => evaluate(expander, left)? || evaluate(expander, right)?,
        Test::NonEmpty(word) => !expander.text(word)?.is_empty(),
        Test::Unary(operator, word) => {
            let text = expander.text(word)?;
            match operator.as_str() {
                "-v" => return is_set(expander, &text),
                "-o" => return Ok(expander.state.flags.is_on(&text, expander.state.dialect)),
                "-R" => return Ok(expander.state.vars.get(&text).is_some_and(|var| var.reference)),
                _ => {}
            }
            let files = Files::of(&expander.state.cwd, &*expander.system);
            test::unary(operator, &text, &files).ok_or_else(|| Halt::Fail(format!("{operator}: unknown condition")))?
        }
        Test::Binary(left, operator, right) => {
            let left = expander.text(left)?;
            let fold = expander.state.flags.nocasematch;
            match operator.as_str() {
                "=" | "==" => Pattern::with(&expander.pattern(right)?, true, fold).matches(&left),
                "!=" => !Pattern::with(&expander.pattern(right)?, true, fold).matches(&left),
                "=~" => {
                    let text = expander.regex(right)?;
                    let regex = Regex::extended(&text, fold).map_err(|_| Halt::Fail(String::new()));
                    let Ok(regex) = regex else { return Err(Halt::Status(2)) };
                    let found = regex.find(left.as_bytes(), 0);
                    let groups: Vec<String> = match &found {
                        Some(groups) => (0..=regex.groups())
                            .map(|n| groups.get(n).copied().flatten())
                            .map(|place| {
                                place.and_then(|(from, to)| left.get(from..to)).unwrap_or_default().to_string()
                            })
                            .collect(),
                        None => Vec::new(),
                    };
                    let _ = expander.state.set_list("BASH_REMATCH", groups);
                    found.is_some()
                }
                "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" => {
                    let right = expander.text(right)?;
                    let (left, right) = (expander.evaluate(&left)?, expander.evaluate(&right)?);
                    test::compare(operator, left, right)
                }
                _ => {
                    let right = expander.text(right)?;
                    let files = Files::of(&expander.state.cwd, &*expander.system);
                    test::binary(&left, operator, &right, &files).unwrap_or(Ok(false)).unwrap_or(false)
                }
            }
        }
    })
}

/// `[[ -v name ]]`, also of an element.
fn is_set(expander: &mut Expander<'_>, name: &str) -> Result<bool, Halt> {
    let Some((array, index)) = name.split_once('[') else {
        return Ok(expander.lookup(name).is_some());
    };
    let index = index.strip_suffix(']').unwrap_or(index);
    if matches!(index, "@" | "*") {
        return Ok(!expander.items(array).is_empty());
    }
    let key = expander.key(array, &Word::of_text(index))?;
    Ok(expander.state.element(array, Some(&key)).is_some())
}

fn has_substitution(kind: &Kind) -> bool {
    fn in_test(test: &Test) -> bool {
        match test {
            Test::Not(inner) => in_test(inner),
            Test::And(left, right) | Test::Or(left, right) => in_test(left) || in_test(right),
            Test::Unary(_, word) | Test::NonEmpty(word) => word.has_substitution(),
            Test::Binary(left, _, right) => left.has_substitution() || right.has_substitution(),
        }
    }
    match kind {
        Kind::For { words: Some(words), .. } | Kind::Select { words: Some(words), .. } => {
            words.iter().any(Word::has_substitution)
        }
        Kind::Case { word, arms } => {
            word.has_substitution() || arms.iter().any(|arm| arm.patterns.iter().any(Word::has_substitution))
        }
        Kind::Arithmetic(word) => word.has_substitution(),
        Kind::Test(test) => in_test(test),
        _ => false,
    }
}
