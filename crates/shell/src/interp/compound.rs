//! Compound commands: groups, subshells, `if`, loops, `case`, `[[ ]]`, `(( ))`, function definitions.

use std::rc::Rc;

use super::redirect::Target;
use super::{Context, Frame, Leave, Phase, Process, Step};
use crate::builtins::test::{self, Files};
use crate::expand::pattern::Pattern;
use crate::expand::{Expander, Halt};
use crate::host::Host;
use crate::regex::Regex;
use crate::syntax::ast::{Arm, Command, Kind, Redirect, Script, Test, Word};

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
        match self.apply_redirects(targets, cx) {
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
                    Some(pid) => self.frames.push(Frame::Children { pids: vec![pid] }),
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
            (Kind::For { .. }, Prepared::Words(words)) => {
                self.state.status = 0;
                self.frames.push(Frame::For { command: command.clone(), words, next: 0 });
            }
            (Kind::CountedFor { start, .. }, _) => {
                let start = Frame::Command { command: start.clone(), known: Vec::new() };
                self.frames.push(Frame::CountedFor { command: command.clone(), phase: Phase::Start });
                self.frames.push(start);
            }
            (Kind::Case { arms, .. }, Prepared::Arm(chosen)) => {
                self.state.status = 0;
                let Some(first) = chosen else { return };
                let mut last = first;
                while arms.get(last).is_some_and(|arm| arm.falls_through) {
                    last += 1;
                }
                for arm in arms[first..arms.len().min(last + 1)].iter().rev() {
                    self.frames.push(list(&arm.body));
                }
            }
            (Kind::Function { name, body }, _) => {
                self.state.functions.insert(name.clone(), body.clone());
                self.state.status = 0;
            }
            (_, Prepared::Status(status)) => self.state.status = status,
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
        } else {
            self.state.status = 0;
            self.frames.extend(otherwise.as_ref().map(list));
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
    Arm(Option<usize>),
    Status(i32),
}

impl Prepared {
    fn expand(expander: &mut Expander<'_>, kind: &Kind) -> Result<Prepared, Halt> {
        Ok(match kind {
            Kind::For { words: Some(words), .. } => Prepared::Words(expander.words(words)?),
            Kind::For { words: None, .. } => Prepared::Words(expander.state.positional.clone()),
            Kind::Case { word, arms } => Prepared::Arm(choose_arm(expander, word, arms)?),
            Kind::Arithmetic(word) => Prepared::Status(i32::from(expander.arithmetic(word)? == 0)),
            Kind::Test(test) => Prepared::Status(i32::from(!evaluate(expander, test)?)),
            _ => Prepared::Nothing,
        })
    }
}

fn choose_arm(expander: &mut Expander<'_>, word: &Word, arms: &[Arm]) -> Result<Option<usize>, Halt> {
    let text = expander.text(word)?;
    for (i, arm) in arms.iter().enumerate() {
        for pattern in &arm.patterns {
            if Pattern::new(&expander.pattern(pattern)?).matches(&text) {
                return Ok(Some(i));
            }
        }
    }
    Ok(None)
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
            if operator == "-v" {
                return Ok(expander.state.get(&text).is_some());
            }
            let files = Files { cwd: &expander.state.cwd, system: &*expander.system };
            test::unary(operator, &text, &files).ok_or_else(|| Halt::Fail(format!("{operator}: unknown condition")))?
        }
        Test::Binary(left, operator, right) => {
            let left = expander.text(left)?;
            match operator.as_str() {
                "=" | "==" => Pattern::new(&expander.pattern(right)?).matches(&left),
                "!=" => !Pattern::new(&expander.pattern(right)?).matches(&left),
                "=~" => {
                    let text = expander.text(right)?;
                    let regex = Regex::extended(&text, false).map_err(Halt::Fail)?;
                    regex.find(left.as_bytes(), 0).is_some()
                }
                "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" => {
                    let right = expander.text(right)?;
                    let number = |text: &str, expander: &mut Expander<'_>| {
                        crate::expand::arith::evaluate(text, expander.state).map_err(Halt::Fail)
                    };
                    let (left, right) = (number(&left, expander)?, number(&right, expander)?);
                    test::compare(operator, left, right)
                }
                _ => {
                    let right = expander.text(right)?;
                    let files = Files { cwd: &expander.state.cwd, system: &*expander.system };
                    test::binary(&left, operator, &right, &files).unwrap_or(Ok(false)).unwrap_or(false)
                }
            }
        }
    })
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
        Kind::For { words: Some(words), .. } => words.iter().any(Word::has_substitution),
        Kind::Case { word, arms } => {
            word.has_substitution() || arms.iter().any(|arm| arm.patterns.iter().any(Word::has_substitution))
        }
        Kind::Arithmetic(word) => word.has_substitution(),
        Kind::Test(test) => in_test(test),
        _ => false,
    }
}
