//! Carrying out a program: a machine of a task, what comes after it, and what else there is to try.
//!
//! Every expression gives any number of values. The next value is found by going back to the last choice, as in jq
//! itself. All of it is plain data on the heap: it can be copied at any step, stopped after any step, and a recursion
//! without end takes time and memory that are counted, not the native stack.

use std::rc::Rc;

use super::builtins;
use super::json::Json;
use super::operate;
use super::parse::{Expr, Function, Part, Pattern, Sub};
use super::paths::{get_path, index, items, set_path};
use values::sorted::SortedMap;

/// Choices that may wait at a time, and steps that may come after a task.
const MAX_DEPTH: usize = 2_000_000;
/// Values of one array that is collected, and of all that is held at a time.
const MAX_VALUES: usize = 4_000_000;
/// After how many collected values all that is held is counted.
const COUNTED_EVERY: usize = 1_000_000;
/// Arrays within arrays.
const MAX_NESTING: usize = 1000;
/// Bytes of one text.
pub const TEXT_MAX: usize = 16 << 20;

/// Why an expression has no (further) value.
#[derive(Clone, PartialEq, Debug)]
pub enum Failure {
    /// `error(x)`, or jq's own complaint.
    Error(Json),
    /// `break`, to the label of this number.
    Break(u64),
    /// Too much; `try` does not catch it.
    Exhausted,
    /// `halt` and `halt_error`: what to print, and the exit code.
    Halt(Option<Json>, i32),
}

pub fn error<T>(text: String) -> Result<T, Failure> {
    Err(Failure::Error(Json::text(&text)))
}

type Env = Option<Rc<Binding>>;

/// A name and what it stands for, in front of those outside.
#[derive(Debug)]
struct Binding {
    name: Rc<str>,
    bound: Bound,
    next: Env,
}

#[derive(Clone, Debug)]
enum Bound {
    Value(Json),
    Function(Rc<Function>),
    Closure(Sub, Env),
    Label(u64),
}

/// Long chains end one link after another, not one within another.
impl Drop for Binding {
    fn drop(&mut self) {
        let mut todo: Vec<Env> = vec![self.next.take()];
        if let Bound::Closure(_, env) = &mut self.bound {
            todo.push(env.take());
        }
        while let Some(link) = todo.pop() {
            if let Some(Ok(mut binding)) = link.map(Rc::try_unwrap) {
                todo.push(binding.next.take());
                if let Bound::Closure(_, env) = &mut binding.bound {
                    todo.push(env.take());
                }
            }
        }
    }
}

/// Where a value lies in the input of `path(…)`.
#[derive(Clone, Debug)]
enum Trail {
    /// Nobody asks.
    Off,
    At(Rc<Vec<Json>>),
    /// It is no part of the input.
    Lost,
}

#[derive(Clone, Debug)]
pub struct Traced {
    value: Json,
    trail: Trail,
}

impl Traced {
    fn plain(value: Json) -> Traced {
        Traced { value, trail: Trail::Off }
    }

    /// A new value made from this one.
    fn made(&self, value: Json) -> Traced {
        let trail = if matches!(self.trail, Trail::Off) { Trail::Off } else { Trail::Lost };
        Traced { value, trail }
    }

    fn untracked(&self) -> Traced {
        Traced::plain(self.value.clone())
    }

    /// What lies at `key` in it.
    fn below(&self, key: &Json, value: Json) -> Result<Traced, Failure> {
        let trail = match &self.trail {
            Trail::Off => Trail::Off,
            Trail::Lost => {
                let access = if let Json::Text(key) = key { format!("\"{key}\"") } else { key.write(None, false) };
                return error(format!(
                    "Invalid path expression near attempt to access element {access} of {}",
                    self.value.write(None, false)
                ));
            }
            Trail::At(path) => {
                let mut path = path.to_vec();
                path.push(key.clone());
                Trail::At(Rc::new(path))
            }
        };
        Ok(Traced { value, trail })
    }
}

/// What is done with a value, and what comes after that.
type After = Option<Rc<Continuation>>;

#[derive(Debug)]
struct Continuation {
    step: Step,
    next: After,
    depth: usize,
}

impl Drop for Continuation {
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(Ok(mut link)) = next.map(Rc::try_unwrap) {
            next = link.next.take();
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// The value goes into an expression.
    Pipe(Sub, Env),
    /// Expressions whose values are gathered, the one at `left - 1` next; then they are used.
    Gather {
        all: Rc<[Sub]>,
        left: usize,
        done: Vec<Json>,
        env: Env,
        input: Traced,
        then: Rc<Use>,
    },
    IndexBy(Json),
    SliceBy(Json, Json),
    Iterate,
    Condition {
        then: Sub,
        otherwise: Option<Sub>,
        env: Env,
        input: Traced,
    },
    /// `and` or `or`: the right side, unless the left one decides.
    Logic {
        or: bool,
        right: Sub,
        env: Env,
        input: Traced,
    },
    Truth,
    Bind {
        patterns: Rc<[Pattern]>,
        body: Sub,
        env: Env,
        input: Traced,
    },
    /// Appended to what the choice at this place collects.
    Collect(usize),
    ReduceDone {
        mark: usize,
        patterns: Rc<[Pattern]>,
        update: Sub,
        env: Env,
    },
    ReduceStore(usize),
    ForeachDone {
        mark: usize,
        patterns: Rc<[Pattern]>,
        update: Sub,
        extract: Option<Sub>,
        env: Env,
    },
    ForeachStore {
        mark: usize,
        extract: Option<Sub>,
        env: Env,
    },
    ReduceStart {
        source: Sub,
        patterns: Rc<[Pattern]>,
        update: Sub,
        env: Env,
        input: Traced,
    },
    ForeachStart {
        source: Sub,
        patterns: Rc<[Pattern]>,
        update: Sub,
        extract: Option<Sub>,
        env: Env,
        input: Traced,
    },
    /// Leaves `try`: what fails from here on is not its concern.
    Shielded(usize),
    /// A value of the left side of `//`.
    Alternative(usize),
    LimitStart {
        body: Sub,
        env: Env,
        input: Traced,
    },
    Limit(usize),
    /// The path of what `path(…)` found.
    PathOf(Traced),
    UpdateEach {
        mark: usize,
    },
    UpdateOne {
        paths: Rc<[Vec<Json>]>,
        at: usize,
        whole: Json,
        deleted: Rc<Vec<Json>>,
        update: Sub,
        env: Env,
    },
}

/// What gathered values are for.
#[derive(Debug)]
enum Use {
    Binary(&'static str),
    Index(Sub),
    Slice(Sub, bool, bool),
    Object,
    Text(Option<String>, Vec<Part>),
    Negate,
    Native(Rc<str>),
    Range,
    Error,
    GetPath,
}

#[derive(Clone, Debug)]
enum Task {
    Eval(Sub, Env, Traced),
    Give(Traced),
    Back,
    Fail(Failure),
}

/// Something else to try, or a mark that values and failures pass.
#[derive(Clone, Debug)]
enum Choice {
    Resume(Task, After),
    Items {
        of: Traced,
        keys: Rc<Vec<Json>>,
        next: usize,
        after: After,
    },
    Range {
        next: f64,
        to: f64,
        by: f64,
        made: Traced,
        after: After,
    },
    Inputs(Traced, After),
    Collected {
        values: Vec<Json>,
        made: Traced,
        after: After,
    },
    ReduceDone {
        so_far: Json,
        made: Traced,
        after: After,
    },
    Foreach {
        state: Json,
        made: Traced,
        after: After,
    },
    Try {
        otherwise: Option<Sub>,
        env: Env,
        after: After,
    },
    /// Failures here belong outside the choice at this place.
    Shield(usize),
    Alternatives {
        found: bool,
        right: Sub,
        env: Env,
        input: Traced,
        after: After,
    },
    Label(u64),
    Limited {
        left: u64,
    },
    Patterns {
        value: Traced,
        patterns: Rc<[Pattern]>,
        next: usize,
        body: Sub,
        env: Env,
        input: Traced,
        after: After,
    },
    Paths {
        found: Vec<Vec<Json>>,
        update: Sub,
        env: Env,
        input: Traced,
        after: After,
    },
    /// An update whose expression gave no value: the path is deleted.
    Missing {
        paths: Rc<[Vec<Json>]>,
        at: usize,
        whole: Json,
        deleted: Rc<Vec<Json>>,
        update: Sub,
        env: Env,
        made: Traced,
        after: After,
    },
}

/// What a run came to.
#[derive(Debug)]
pub enum Ran {
    Value(Json),
    End,
    Failed(Failure),
    /// The steps were used up.
    Paused,
}

/// A program that runs on one input.
#[derive(Clone, Debug)]
pub struct Machine {
    task: Task,
    after: After,
    choices: Vec<Choice>,
    prelude: Rc<SortedMap<Rc<str>, Rc<Function>>>,
    labels: u64,
    /// Values collected since all were last counted.
    collected: usize,
    pub world: World,
}

/// What a program may ask for.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// What `input` and `inputs` read, the next last.
    pub inputs: Vec<Json>,
    pub now_ms: i64,
    pub env: Json,
    pub named: Json,
    pub line: usize,
}

/// Definitions by name.
pub type Prelude = Rc<SortedMap<Rc<str>, Rc<Function>>>;

impl Machine {
    pub fn new(program: &Sub, variables: &[(Rc<str>, Json)], prelude: Prelude) -> Machine {
        let env = variables.iter().fold(None, |env, (name, value)| {
            Some(Rc::new(Binding { name: Rc::clone(name), bound: Bound::Value(value.clone()), next: env }))
        });
        Machine {
            task: Task::Eval(Rc::clone(program), env, Traced::plain(Json::Null)),
            after: None,
            choices: Vec::new(),
            prelude,
            labels: 0,
            collected: 0,
            world: World::default(),
        }
    }

    /// The same program on an input.
    pub fn on(&self, input: Json) -> Machine {
        let mut machine = self.clone();
        if let Task::Eval(_, _, value) = &mut machine.task {
            value.value = input;
        }
        machine
    }

    /// Goes on to the next value, for at most `steps` steps.
    pub fn run(&mut self, steps: &mut u64) -> Ran {
        loop {
            if *steps == 0 {
                return Ran::Paused;
            }
            *steps -= 1;
            if self.choices.len() > MAX_DEPTH || self.after.as_ref().is_some_and(|after| after.depth > MAX_DEPTH) {
                self.task = Task::Fail(Failure::Exhausted);
            }
            let task = std::mem::replace(&mut self.task, Task::Back);
            let done = match task {
                Task::Eval(expr, env, input) => self.eval(&expr, env, input),
                Task::Give(value) => match self.after.take() {
                    None => return Ran::Value(value.value),
                    Some(after) => {
                        self.after.clone_from(&after.next);
                        self.give(after.step.clone(), value, steps)
                    }
                },
                Task::Back => match self.choices.pop() {
                    None => return Ran::End,
                    Some(choice) => self.back(choice),
                },
                Task::Fail(failure) => {
                    if let Some(failure) = self.unwind(failure) {
                        self.choices.clear();
                        return Ran::Failed(failure);
                    }
                    Ok(())
                }
            };
            if let Err(failure) = done {
                self.task = Task::Fail(failure);
            }
        }
    }

    fn then(&mut self, step: Step) {
        let depth = self.after.as_ref().map_or(0, |after| after.depth) + 1;
        self.after = Some(Rc::new(Continuation { step, next: self.after.take(), depth }));
    }

    fn choose(&mut self, task: Task) {
        self.choices.push(Choice::Resume(task, self.after.clone()));
    }

    fn lookup(env: &Env, name: &str) -> Env {
        let mut here = env;
        while let Some(binding) = here {
            if *binding.name == *name {
                return here.clone();
            }
            here = &binding.next;
        }
        None
    }

    fn eval(&mut self, expr: &Sub, env: Env, input: Traced) -> Result<(), Failure> {
        let bind = |name: Rc<str>, bound: Bound, next: Env| Some(Rc::new(Binding { name, bound, next }));
        match &**expr {
            Expr::Identity => self.task = Task::Give(input),
            Expr::Literal(value) => self.task = Task::Give(input.made(value.clone())),
            Expr::Recurse => self.call("recurse/0", &[], env, input)?,
            Expr::Variable(name) => {
                let value = match Machine::lookup(&env, name).map(|binding| binding.bound.clone()) {
                    Some(Bound::Value(value)) => value,
                    _ if &**name == "$ENV" => self.world.env.clone(),
                    _ if &**name == "$__prog_args" => self.world.named.clone(),
                    _ => return error(format!("{name} is not defined")),
                };
                self.task = Task::Give(input.made(value));
            }
            Expr::Index(of, key) => self.gather([Rc::clone(key)].into(), env, input, Use::Index(Rc::clone(of))),
            Expr::Slice(of, from, to) => {
                let parts: Vec<Sub> = from.iter().chain(to).cloned().collect();
                let then = Use::Slice(Rc::clone(of), from.is_some(), to.is_some());
                self.gather(parts.into(), env, input, then);
            }
            Expr::Iterate(of) => {
                self.then(Step::Iterate);
                self.task = Task::Eval(Rc::clone(of), env, input);
            }
            Expr::Text(format, parts) => {
                let values: Vec<Sub> = parts
                    .iter()
                    .filter_map(|part| if let Part::Value(expr) = part { Some(Rc::clone(expr)) } else { None })
                    .collect();
                self.gather(values.into(), env, input, Use::Text(format.clone(), parts.clone()));
            }
            Expr::Array(None) => self.task = Task::Give(input.made(Json::array(Vec::new()))),
            Expr::Array(Some(inside)) => {
                let made = input.made(Json::Null);
                self.choices.push(Choice::Collected { values: Vec::new(), made, after: self.after.take() });
                self.then(Step::Collect(self.choices.len() - 1));
                self.task = Task::Eval(Rc::clone(inside), env, input.untracked());
            }
            Expr::Object(entries) => self.gather(Rc::clone(entries), env, input, Use::Object),
            Expr::Negate(inside) => self.gather([Rc::clone(inside)].into(), env, input, Use::Negate),
            Expr::Pipe(left, right) => {
                self.then(Step::Pipe(Rc::clone(right), env.clone()));
                self.task = Task::Eval(Rc::clone(left), env, input);
            }
            Expr::Comma(left, right) => {
                self.choose(Task::Eval(Rc::clone(right), env.clone(), input.clone()));
                self.task = Task::Eval(Rc::clone(left), env, input);
            }
            Expr::Binary(operator, left, right) => {
                self.gather([Rc::clone(left), Rc::clone(right)].into(), env, input, Use::Binary(operator));
            }
            Expr::And(left, right) | Expr::Or(left, right) => {
                let or = matches!(**expr, Expr::Or(..));
                let plain = input.untracked();
                self.then(Step::Logic { or, right: Rc::clone(right), env: env.clone(), input });
                self.task = Task::Eval(Rc::clone(left), env, plain);
            }
            Expr::Alternative(left, right) => {
                let after = self.after.clone();
                let (right, outer) = (Rc::clone(right), input.clone());
                self.choices.push(Choice::Alternatives { found: false, right, env: env.clone(), input: outer, after });
                self.then(Step::Alternative(self.choices.len() - 1));
                self.task = Task::Eval(Rc::clone(left), env, input);
            }
            Expr::If(condition, then, otherwise) => {
                let plain = input.untracked();
                let (then, otherwise) = (Rc::clone(then), otherwise.clone());
                self.then(Step::Condition { then, otherwise, env: env.clone(), input });
                self.task = Task::Eval(Rc::clone(condition), env, plain);
            }
            Expr::Try(body, otherwise) => {
                let (otherwise, after) = (otherwise.clone(), self.after.clone());
                self.choices.push(Choice::Try { otherwise, env: env.clone(), after });
                self.then(Step::Shielded(self.choices.len() - 1));
                self.task = Task::Eval(Rc::clone(body), env, input);
            }
            Expr::As(source, patterns, body) => {
                let plain = input.untracked();
                let (patterns, body) = (Rc::clone(patterns), Rc::clone(body));
                self.then(Step::Bind { patterns, body, env: env.clone(), input });
                self.task = Task::Eval(Rc::clone(source), env, plain);
            }
            Expr::Reduce(source, patterns, start, update) => {
                let (source, patterns, update) = (Rc::clone(source), Rc::clone(patterns), Rc::clone(update));
                let first = input.clone();
                self.then(Step::ReduceStart { source, patterns, update, env: env.clone(), input });
                self.task = Task::Eval(Rc::clone(start), env, first);
            }
            Expr::Foreach(source, patterns, start, update, extract) => {
                let (source, patterns, update) = (Rc::clone(source), Rc::clone(patterns), Rc::clone(update));
                let (extract, first) = (extract.clone(), input.clone());
                self.then(Step::ForeachStart { source, patterns, update, extract, env: env.clone(), input });
                self.task = Task::Eval(Rc::clone(start), env, first);
            }
            Expr::Label(name, body) => {
                self.labels += 1;
                self.choices.push(Choice::Label(self.labels));
                let env = bind(format!("*{name}").into(), Bound::Label(self.labels), env);
                self.task = Task::Eval(Rc::clone(body), env, input);
            }
            Expr::Break(name) => {
                return match Machine::lookup(&env, &format!("*{name}")).map(|binding| binding.bound.clone()) {
                    Some(Bound::Label(label)) => Err(Failure::Break(label)),
                    _ => error("break".to_owned()),
                };
            }
            Expr::Define(function, body) => {
                let env = bind(Rc::clone(&function.name), Bound::Function(Rc::clone(function)), env);
                self.task = Task::Eval(Rc::clone(body), env, input);
            }
            Expr::Format(name) => {
                let text = operate::format(name, &input.value)?;
                self.task = Task::Give(input.made(Json::text(&text)));
            }
            Expr::Update(paths, update) => {
                let (update, after) = (Rc::clone(update), self.after.take());
                let outer = input.clone();
                self.choices.push(Choice::Paths { found: Vec::new(), update, env: env.clone(), input: outer, after });
                self.then(Step::UpdateEach { mark: self.choices.len() - 1 });
                let trail = Trail::At(Rc::default());
                self.task = Task::Eval(Rc::clone(paths), env, Traced { value: input.value, trail });
            }
            Expr::Call(name, args) => self.call(name, args, env, input)?,
        }
        Ok(())
    }

    fn gather(&mut self, all: Rc<[Sub]>, env: Env, input: Traced, then: Use) {
        let left = all.len();
        self.gather_on(all, left, Vec::new(), env, input, Rc::new(then));
    }

    fn gather_on(&mut self, all: Rc<[Sub]>, left: usize, done: Vec<Json>, env: Env, input: Traced, then: Rc<Use>) {
        // Objects take their first entry first, everything else its last operand.
        let in_order = matches!(*then, Use::Object | Use::Range);
        let Some(at) = left.checked_sub(1).map(|at| if in_order { all.len() - left } else { at }) else {
            return self.finish(done, env, input, &then);
        };
        let expr = Rc::clone(&all[at]);
        let plain = input.untracked();
        self.then(Step::Gather { all, left: left - 1, done, env: env.clone(), input, then });
        self.task = Task::Eval(expr, env, plain);
    }

    /// Uses gathered values; those of operands stand last first.
    fn finish(&mut self, mut done: Vec<Json>, env: Env, input: Traced, then: &Use) {
        if !matches!(then, Use::Object | Use::Range) {
            done.reverse();
        }
        let made = |value: Json| Task::Give(input.made(value));
        let task = match then {
            Use::Binary(operator) => operate::operate(operator, &done[0], &done[1]).map(made),
            Use::Negate => operate::negate(&done[0]).map(made),
            Use::Index(of) => {
                self.then(Step::IndexBy(done.swap_remove(0)));
                Ok(Task::Eval(Rc::clone(of), env, input))
            }
            Use::Slice(of, has_from, has_to) => {
                let mut next = done.into_iter();
                let from = if *has_from { next.next().unwrap_or_default() } else { Json::Null };
                let to = if *has_to { next.next().unwrap_or_default() } else { Json::Null };
                self.then(Step::SliceBy(from, to));
                Ok(Task::Eval(Rc::clone(of), env, input))
            }
            Use::Object => object(&done).map(made),
            Use::Text(format, parts) => text(format.as_deref(), parts, done).map(made),
            Use::Error => Err(Failure::Error(done.swap_remove(0))),
            Use::GetPath => match &input.trail {
                Trail::Off => items(&done[0]).and_then(|path| get_path(&input.value, &path)).map(made),
                _ => self.get_path_tracked(&input, &done[0]).map(Task::Give),
            },
            Use::Range => self.start_range(&done, &input).map(|()| Task::Back),
            Use::Native(name) => builtins::native(name, &input.value, &done, &mut self.world).map(made),
        };
        self.task = task.unwrap_or_else(Task::Fail);
    }

    fn get_path_tracked(&self, input: &Traced, path: &Json) -> Result<Traced, Failure> {
        let mut here = input.clone();
        for key in items(path)? {
            let value = index(&here.value, &key).unwrap_or_default();
            here = here.below(&key, value)?;
        }
        Ok(here)
    }

    fn start_range(&mut self, bounds: &[Json], input: &Traced) -> Result<(), Failure> {
        let mut numbers = Vec::new();
        for bound in bounds {
            match bound.as_number() {
                Some(number) => numbers.push(number),
                None => return error("Range bounds must be numeric".to_owned()),
            }
        }
        let (next, to, by) = match numbers.as_slice() {
            [to] => (0.0, *to, 1.0),
            [from, to] => (*from, *to, 1.0),
            [from, to, by, ..] => (*from, *to, *by),
            [] => return Ok(()),
        };
        self.choices.push(Choice::Range { next, to, by, made: input.made(Json::Null), after: self.after.clone() });
        Ok(())
    }

    fn call(&mut self, name: &str, args: &[Sub], env: Env, input: Traced) -> Result<(), Failure> {
        if let Some(found) = Machine::lookup(&env, name) {
            match &found.bound {
                Bound::Closure(body, own) => {
                    self.task = Task::Eval(Rc::clone(body), own.clone(), input);
                    return Ok(());
                }
                Bound::Function(function) => {
                    let function = Rc::clone(function);
                    self.apply(&function, args, Some(found), env, input);
                    return Ok(());
                }
                _ => {}
            }
        }
        if let Some(function) = self.prelude.get(name).cloned() {
            self.apply(&function, args, None, env, input);
            return Ok(());
        }
        self.primitive(name, args, env, input)
    }

    /// A function of the program: its parameters are bound to what was given, and `$x` to its values.
    fn apply(&mut self, function: &Function, args: &[Sub], own: Env, env: Env, input: Traced) {
        let mut inner = own;
        let mut values: Vec<(Rc<str>, Sub)> = Vec::new();
        for (parameter, arg) in function.parameters.iter().zip(args) {
            let (name, closure): (Rc<str>, _) = match parameter.strip_prefix('$') {
                Some(name) => {
                    values.push((Rc::clone(parameter), Rc::clone(arg)));
                    (format!("{name}/0").into(), Bound::Closure(Rc::clone(arg), env.clone()))
                }
                None => match &**arg {
                    // A parameter that is handed on as it is.
                    Expr::Call(name, none) if none.is_empty() => match Machine::lookup(&env, name) {
                        Some(binding) if matches!(binding.bound, Bound::Closure(..)) => {
                            (Rc::clone(parameter), binding.bound.clone())
                        }
                        _ => (Rc::clone(parameter), Bound::Closure(Rc::clone(arg), env.clone())),
                    },
                    _ => (Rc::clone(parameter), Bound::Closure(Rc::clone(arg), env.clone())),
                },
            };
            inner = Some(Rc::new(Binding { name, bound: closure, next: inner }));
        }
        let mut body = Rc::clone(&function.body);
        for (name, _) in values.iter().rev() {
            let closure: Rc<str> = format!("{}/0", &name[1..]).into();
            let source = Expr::Call(closure, [].into()).into();
            body = Expr::As(source, [Pattern::Variable(Rc::clone(name))].into(), body).into();
        }
        self.task = Task::Eval(body, inner, input);
    }

    /// What is not written in jq itself.
    fn primitive(&mut self, name: &str, args: &[Sub], env: Env, input: Traced) -> Result<(), Failure> {
        match (name, args) {
            ("empty/0", _) => self.task = Task::Back,
            ("not/0", _) => self.task = Task::Give(input.made(Json::Bool(!input.value.is_true()))),
            ("error/0", _) => return Err(Failure::Error(input.value)),
            ("error/1", [message]) => self.gather([Rc::clone(message)].into(), env, input, Use::Error),
            ("path/1", [of]) => {
                let value = input.value.clone();
                self.then(Step::PathOf(input));
                self.task = Task::Eval(Rc::clone(of), env, Traced { value, trail: Trail::At(Rc::default()) });
            }
            ("getpath/1", [path]) => self.gather([Rc::clone(path)].into(), env, input, Use::GetPath),
            ("range/1" | "range/2" | "range/3", _) => {
                // The first bound varies slowest.
                let reversed: Vec<Sub> = args.to_vec();
                self.gather_range(reversed.into(), env, input);
            }
            ("limit/2", [count, body]) => {
                let plain = input.untracked();
                self.then(Step::LimitStart { body: Rc::clone(body), env: env.clone(), input });
                self.task = Task::Eval(Rc::clone(count), env, plain);
            }
            ("first/1", [body]) => {
                self.choices.push(Choice::Limited { left: 1 });
                self.then(Step::Limit(self.choices.len() - 1));
                self.task = Task::Eval(Rc::clone(body), env, input);
            }
            ("inputs/0", _) => {
                self.choices.push(Choice::Inputs(input.made(Json::Null), self.after.clone()));
                self.task = Task::Back;
            }
            ("input/0", _) => match self.world.inputs.pop() {
                Some(value) => self.task = Task::Give(input.made(value)),
                None => return error("No more inputs".to_owned()),
            },
            ("halt/0", _) => return Err(Failure::Halt(None, 0)),
            ("halt_error/0", _) => return Err(Failure::Halt(Some(input.value), 5)),
            _ => self.gather(args.into(), env, input, Use::Native(name.into())),
        }
        Ok(())
    }

    fn gather_range(&mut self, all: Rc<[Sub]>, env: Env, input: Traced) {
        self.gather(all, env, input, Use::Range);
    }

    fn give(&mut self, step: Step, value: Traced, steps: &mut u64) -> Result<(), Failure> {
        match step {
            Step::Pipe(expr, env) => self.task = Task::Eval(expr, env, value),
            Step::Gather { all, left, mut done, env, input, then } => {
                done.push(value.value);
                self.gather_on(all, left, done, env, input, then);
            }
            Step::IndexBy(key) => {
                if let Json::Object(_) = key {
                    return self.give(
                        Step::SliceBy(
                            key.get("start").cloned().unwrap_or_default(),
                            key.get("end").cloned().unwrap_or_default(),
                        ),
                        value,
                        steps,
                    );
                }
                let found = index(&value.value, &key)?;
                self.task = Task::Give(value.below(&key, found)?);
            }
            Step::SliceBy(from, to) => {
                let part = operate::slice(&value.value, &from, &to)?;
                let mut key = Json::Object(Rc::default());
                key.set("start", from);
                key.set("end", to);
                self.task = Task::Give(value.below(&key, part)?);
            }
            Step::Iterate => {
                let keys: Vec<Json> = match &value.value {
                    Json::Object(entries) => entries.iter().map(|(key, _)| Json::Text(Rc::clone(key))).collect(),
                    other => (0..items(other)?.len()).map(|i| Json::Number(i as f64)).collect(),
                };
                self.choices.push(Choice::Items { of: value, keys: Rc::new(keys), next: 0, after: self.after.clone() });
            }
            Step::Condition { then, otherwise, env, input } => {
                self.task = match (value.value.is_true(), otherwise) {
                    (true, _) => Task::Eval(then, env, input),
                    (false, Some(otherwise)) => Task::Eval(otherwise, env, input),
                    (false, None) => Task::Give(input),
                };
            }
            Step::Logic { or, right, env, input } => {
                if value.value.is_true() == or {
                    self.task = Task::Give(input.made(Json::Bool(or)));
                } else {
                    let plain = input.untracked();
                    self.then(Step::Truth);
                    self.task = Task::Eval(right, env, plain);
                }
            }
            Step::Truth => self.task = Task::Give(value.made(Json::Bool(value.value.is_true()))),
            Step::Bind { patterns, body, env, input } => {
                let after = self.after.clone();
                if patterns.len() > 1 {
                    self.choices.push(Choice::Patterns { value, patterns, next: 0, body, env, input, after });
                } else {
                    let env = self.bound(&patterns[0], &value.value, env)?;
                    self.task = Task::Eval(body, env, input);
                }
            }
            Step::Collect(mark) => {
                if let Some(Choice::Collected { values, .. }) = self.choices.get_mut(mark) {
                    values.push(value.value);
                    if values.len() > MAX_VALUES {
                        return Err(Failure::Exhausted);
                    }
                }
                self.collected += 1;
                if self.collected >= COUNTED_EVERY {
                    self.collected = 0;
                    if self.held() > MAX_VALUES {
                        return Err(Failure::Exhausted);
                    }
                }
            }
            Step::ReduceStart { source, patterns, update, env, input } => {
                let made = input.made(Json::Null);
                self.choices.push(Choice::ReduceDone { so_far: value.value, made, after: self.after.take() });
                let mark = self.choices.len() - 1;
                self.then(Step::ReduceDone { mark, patterns, update, env: env.clone() });
                self.task = Task::Eval(source, env, input.untracked());
            }
            Step::ReduceDone { mark, patterns, update, env } => {
                let env = self.bound_any(&patterns, &value.value, env)?;
                let so_far = match self.choices.get_mut(mark) {
                    Some(Choice::ReduceDone { so_far, .. }) => std::mem::take(so_far),
                    _ => Json::Null,
                };
                too_deep(&so_far)?;
                self.after = None;
                self.then(Step::ReduceStore(mark));
                self.task = Task::Eval(update, env, Traced::plain(so_far));
            }
            Step::ReduceStore(mark) => {
                if let Some(Choice::ReduceDone { so_far, .. }) = self.choices.get_mut(mark) {
                    *so_far = value.value;
                }
            }
            Step::ForeachStart { source, patterns, update, extract, env, input } => {
                let after = self.after.take();
                self.choices.push(Choice::Foreach { state: value.value, made: input.made(Json::Null), after });
                let mark = self.choices.len() - 1;
                self.then(Step::ForeachDone { mark, patterns, update, extract, env: env.clone() });
                self.task = Task::Eval(source, env, input.untracked());
            }
            Step::ForeachDone { mark, patterns, update, extract, env } => {
                let env = self.bound_any(&patterns, &value.value, env)?;
                let state = match self.choices.get(mark) {
                    Some(Choice::Foreach { state, .. }) => state.clone(),
                    _ => Json::Null,
                };
                too_deep(&state)?;
                self.after = None;
                self.then(Step::ForeachStore { mark, extract, env: env.clone() });
                self.task = Task::Eval(update, env, Traced::plain(state));
            }
            Step::ForeachStore { mark, extract, env } => {
                let Some(Choice::Foreach { state, made, after }) = self.choices.get_mut(mark) else { return Ok(()) };
                *state = value.value.clone();
                let value = made.made(value.value);
                self.after.clone_from(after);
                self.task = match extract {
                    Some(extract) => Task::Eval(extract, env, value),
                    None => Task::Give(value),
                };
            }
            Step::Shielded(mark) => {
                self.choices.push(Choice::Shield(mark));
                self.task = Task::Give(value);
            }
            Step::Alternative(mark) => {
                if value.value.is_true() {
                    if let Some(Choice::Alternatives { found, .. }) = self.choices.get_mut(mark) {
                        *found = true;
                    }
                    self.choices.push(Choice::Shield(mark));
                    self.task = Task::Give(value);
                }
            }
            Step::LimitStart { body, env, input } => match value.value.as_number() {
                Some(count) if count >= 1.0 => {
                    self.choices.push(Choice::Limited { left: count as u64 });
                    self.then(Step::Limit(self.choices.len() - 1));
                    self.task = Task::Eval(body, env, input);
                }
                Some(_) => {}
                None => return error("Invalid arguments to limit".to_owned()),
            },
            Step::Limit(mark) => {
                let Some(Choice::Limited { left }) = self.choices.get_mut(mark) else { return Ok(()) };
                *left -= 1;
                if *left == 0 {
                    self.choices.truncate(mark);
                }
                self.task = Task::Give(value);
            }
            Step::PathOf(input) => match &value.trail {
                Trail::At(path) => self.task = Task::Give(input.made(Json::Array(Rc::clone(path)))),
                _ => {
                    let shown = value.value.write(None, false);
                    return error(format!("Invalid path expression with result {shown}"));
                }
            },
            Step::UpdateEach { mark } => {
                let Trail::At(path) = &value.trail else {
                    let shown = value.value.write(None, false);
                    return error(format!("Invalid path expression with result {shown}"));
                };
                if let Some(Choice::Paths { found, .. }) = self.choices.get_mut(mark) {
                    found.push(path.to_vec());
                }
            }
            Step::UpdateOne { paths, at, mut whole, deleted, update, env } => {
                // The first value of the update counts; what else it would give is not asked for.
                let place = self.choices.iter().rposition(|choice| matches!(choice, Choice::Missing { .. }));
                let made = match place.and_then(|place| self.choices.drain(place..).next()) {
                    Some(Choice::Missing { made, after, .. }) => {
                        self.after = after;
                        made
                    }
                    _ => value.untracked(),
                };
                set_path(&mut whole, &paths[at], value.value)?;
                *steps = steps.saturating_sub(paths.len().min(64) as u64 / 8);
                self.update(paths, at + 1, whole, deleted, update, env, made)?;
            }
        }
        Ok(())
    }

    /// The next path of `|=`.
    #[allow(clippy::too_many_arguments)]
    fn update(
        &mut self,
        paths: Rc<[Vec<Json>]>,
        at: usize,
        whole: Json,
        deleted: Rc<Vec<Json>>,
        update: Sub,
        env: Env,
        made: Traced,
    ) -> Result<(), Failure> {
        let Some(path) = paths.get(at) else {
            let whole = if deleted.is_empty() { whole } else { super::paths::delete_paths(&whole, &deleted)? };
            self.task = Task::Give(made.made(whole));
            return Ok(());
        };
        let value = get_path(&whole, path)?;
        let after = self.after.take();
        let missing = Choice::Missing {
            paths: Rc::clone(&paths),
            at,
            whole: whole.clone(),
            deleted: Rc::clone(&deleted),
            update: Rc::clone(&update),
            env: env.clone(),
            made,
            after,
        };
        self.choices.push(missing);
        self.then(Step::UpdateOne { paths, at, whole, deleted, update: Rc::clone(&update), env: env.clone() });
        self.task = Task::Eval(update, env, Traced::plain(value));
        Ok(())
    }

    fn back(&mut self, choice: Choice) -> Result<(), Failure> {
        match choice {
            Choice::Resume(task, after) => {
                self.task = task;
                self.after = after;
            }
            Choice::Items { of, keys, next, after } => {
                let Some(key) = keys.get(next).cloned() else { return Ok(()) };
                let value = match &of.value {
                    Json::Array(items) => items.get(next).cloned().unwrap_or_default(),
                    Json::Object(entries) => entries.get(next).map(|(_, value)| value.clone()).unwrap_or_default(),
                    _ => Json::Null,
                };
                let item = of.below(&key, value)?;
                self.after.clone_from(&after);
                if next + 1 < keys.len() {
                    self.choices.push(Choice::Items { of, keys, next: next + 1, after });
                }
                self.task = Task::Give(item);
            }
            Choice::Range { next, to, by, made, after } => {
                let inside = if by > 0.0 {
                    next < to
                } else if by < 0.0 {
                    next > to
                } else {
                    next < to
                };
                if inside {
                    self.after.clone_from(&after);
                    self.task = Task::Give(made.made(Json::Number(next)));
                    self.choices.push(Choice::Range { next: next + by, to, by, made, after });
                }
            }
            Choice::Inputs(made, after) => {
                if let Some(value) = self.world.inputs.pop() {
                    self.after.clone_from(&after);
                    self.task = Task::Give(made.made(value));
                    self.choices.push(Choice::Inputs(made, after));
                }
            }
            Choice::Collected { values, made, after } => {
                let value = Json::array(values);
                too_deep(&value)?;
                self.after = after;
                self.task = Task::Give(made.made(value));
            }
            Choice::ReduceDone { so_far, made, after } => {
                self.after = after;
                self.task = Task::Give(made.made(so_far));
            }
            Choice::Alternatives { found, right, env, input, after } => {
                if !found {
                    self.after = after;
                    self.task = Task::Eval(right, env, input);
                }
            }
            Choice::Patterns { value, patterns, next, body, env, input, after } => {
                if next == 0 {
                    self.next_pattern(value, patterns, next, body, env, input, after)?;
                }
            }
            Choice::Paths { found, update, env, input, after } => {
                self.after = after;
                self.update(found.into(), 0, input.value.clone(), Rc::default(), update, env, input)?;
            }
            Choice::Missing { paths, at, whole, deleted, update, env, made, after } => {
                let mut gone = deleted.to_vec();
                gone.push(Json::array(paths[at].clone()));
                self.after = after;
                self.update(paths, at + 1, whole, Rc::new(gone), update, env, made)?;
            }
            Choice::Foreach { .. }
            | Choice::Try { .. }
            | Choice::Shield(_)
            | Choice::Label(_)
            | Choice::Limited { .. } => {}
        }
        Ok(())
    }

    /// Takes a value apart by the next of several patterns; a failure goes on to the one after it.
    #[allow(clippy::too_many_arguments)]
    fn next_pattern(
        &mut self,
        value: Traced,
        patterns: Rc<[Pattern]>,
        next: usize,
        body: Sub,
        env: Env,
        input: Traced,
        after: After,
    ) -> Result<(), Failure> {
        let mut names = Vec::new();
        patterns.iter().for_each(|pattern| pattern.names(&mut names));
        let blank = names
            .into_iter()
            .fold(env.clone(), |next, name| Some(Rc::new(Binding { name, bound: Bound::Value(Json::Null), next })));
        self.after.clone_from(&after);
        if next + 1 < patterns.len() {
            let (value, patterns, body) = (value.clone(), Rc::clone(&patterns), Rc::clone(&body));
            self.choices.push(Choice::Patterns {
                value,
                patterns,
                next: next + 1,
                body,
                env,
                input: input.clone(),
                after,
            });
        }
        let env = self.bound(&patterns[next], &value.value, blank)?;
        self.task = Task::Eval(body, env, input);
        Ok(())
    }

    fn bound_any(&mut self, patterns: &[Pattern], value: &Json, env: Env) -> Result<Env, Failure> {
        let mut last = error("no pattern".to_owned());
        for pattern in patterns {
            last = self.bound(pattern, value, env.clone());
            if last.is_ok() {
                break;
            }
        }
        last
    }

    /// The variables of a pattern bound to the parts of a value.
    fn bound(&mut self, pattern: &Pattern, value: &Json, env: Env) -> Result<Env, Failure> {
        let bind = |name: &Rc<str>, value: Json, next: Env| {
            Some(Rc::new(Binding { name: Rc::clone(name), bound: Bound::Value(value), next }))
        };
        match pattern {
            Pattern::Variable(name) => Ok(bind(name, value.clone(), env)),
            Pattern::Array(items) => {
                let mut env = env;
                for (i, item) in items.iter().enumerate() {
                    if !matches!(value, Json::Array(_) | Json::Null) {
                        return error(format!("Cannot index {} with number", value.kind()));
                    }
                    let part = index(value, &Json::Number(i as f64))?;
                    env = self.bound(item, &part, env)?;
                }
                Ok(env)
            }
            Pattern::Object(entries) => {
                let mut env = env;
                for (key, name, inner) in entries {
                    let key = self.single(key, env.clone(), value)?;
                    if !matches!(key, Json::Text(_)) {
                        return error(format!("Cannot index {} with {}", value.kind(), key.kind()));
                    }
                    let part = index(value, &key)?;
                    if let Some(name) = name {
                        env = bind(name, part.clone(), env);
                    }
                    if let Some(inner) = inner {
                        env = self.bound(inner, &part, env)?;
                    }
                }
                Ok(env)
            }
        }
    }

    /// The first value of a key's expression; it may take as long as short ones do.
    fn single(&mut self, expr: &Sub, env: Env, input: &Json) -> Result<Json, Failure> {
        if let Expr::Literal(value) = &**expr {
            return Ok(value.clone());
        }
        let mut machine = Machine {
            task: Task::Eval(Rc::clone(expr), env, Traced::plain(input.clone())),
            after: None,
            choices: Vec::new(),
            prelude: Rc::clone(&self.prelude),
            labels: self.labels,
            collected: 0,
            world: World::default(),
        };
        match machine.run(&mut 10_000) {
            Ran::Value(value) => Ok(value),
            Ran::Failed(failure) => Err(failure),
            Ran::End => error("the key gives no value".to_owned()),
            Ran::Paused => Err(Failure::Exhausted),
        }
    }

    /// How many values the arrays and sums that are not yet done hold.
    fn held(&self) -> usize {
        let held = |choice: &Choice| match choice {
            Choice::Collected { values, .. } => values.iter().map(Json::size).sum(),
            Choice::ReduceDone { so_far: value, .. } | Choice::Foreach { state: value, .. } => value.size(),
            _ => 0,
        };
        self.choices.iter().map(held).sum()
    }

    /// Goes back to what catches a failure; `Some`: nothing does.
    fn unwind(&mut self, failure: Failure) -> Option<Failure> {
        if matches!(failure, Failure::Exhausted | Failure::Halt(..)) {
            return Some(failure);
        }
        // Choices from this place on belong to something that has been left already.
        let mut shield = usize::MAX;
        while let Some(choice) = self.choices.pop() {
            let place = self.choices.len();
            match choice {
                Choice::Shield(mark) => shield = shield.min(mark),
                _ if place > shield => {}
                _ if place == shield => shield = usize::MAX,
                Choice::Label(label) if failure == Failure::Break(label) => {
                    return None;
                }
                Choice::Try { otherwise, env, after } => {
                    let Failure::Error(why) = &failure else { continue };
                    // `error(null)` is caught as null; `break` out of a `try` is not.
                    if let Some(otherwise) = otherwise {
                        self.after = after;
                        self.task = Task::Eval(otherwise, env, Traced::plain(why.clone()));
                    }
                    return None;
                }
                Choice::Alternatives { found, right, env, input, after } => {
                    if matches!(failure, Failure::Error(_)) {
                        if !found {
                            self.after = after;
                            self.task = Task::Eval(right, env, input);
                        }
                        return None;
                    }
                }
                Choice::Patterns { value, patterns, next, body, env, input, after } if next > 0 => {
                    if matches!(failure, Failure::Error(_)) {
                        if let Err(failure) = self.next_pattern(value, patterns, next, body, env, input, after) {
                            self.task = Task::Fail(failure);
                        }
                        return None;
                    }
                }
                _ => {}
            }
        }
        Some(failure)
    }
}

/// Whether arrays are nested so deeply that writing them would not end well.
fn too_deep(value: &Json) -> Result<(), Failure> {
    let mut here = value;
    for _ in 0..MAX_NESTING {
        let inner = match here {
            Json::Array(items) => items.iter().find(|item| matches!(item, Json::Array(_) | Json::Object(_))),
            Json::Object(entries) => {
                entries.iter().map(|(_, value)| value).find(|item| matches!(item, Json::Array(_) | Json::Object(_)))
            }
            _ => None,
        };
        match inner {
            Some(inner) => here = inner,
            None => return Ok(()),
        }
    }
    Err(Failure::Exhausted)
}

fn object(done: &[Json]) -> Result<Json, Failure> {
    let mut object = Json::Object(Rc::default());
    for pair in done.chunks(2) {
        let [key, value] = pair else { continue };
        let Json::Text(key) = key else {
            return error("Object keys must be strings".to_owned());
        };
        object.set(key, value.clone());
    }
    Ok(object)
}

fn text(format: Option<&str>, parts: &[Part], done: Vec<Json>) -> Result<Json, Failure> {
    let mut values = done.into_iter();
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Value(_) => {
                let value = values.next().unwrap_or_default();
                text.push_str(&operate::format(format.unwrap_or("text"), &value)?);
            }
        }
        if text.len() > TEXT_MAX {
            return Err(Failure::Exhausted);
        }
    }
    Ok(Json::text(&text))
}
