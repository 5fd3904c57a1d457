//! One run: the engine, the clock that drives it, and the picture of now.

use std::rc::Rc;

use super::browser;
use super::clock::Clock;
use super::engine::{Answer, Engine, Fault, PodToken, Screen, Setup, Sign, View, ZoneTable};
use super::kept::Step;

/// Real milliseconds of a frame that the engine may use.
const WORK_MS: f64 = 9.0;
/// Steps of the engine between two looks at the real clock.
const BUDGET: u32 = 500;
/// Moments remembered for stepping back.
const PAST_MAX: usize = 20_000;

/// A part of the view, equal only to itself: parts that did not change keep their identity (see [`Run::look`]), so a
/// panel compares pointers.
#[derive(Debug)]
pub struct Part<T>(pub Rc<T>);

impl<T> Clone for Part<T> {
    fn clone(&self) -> Part<T> {
        Part(self.0.clone())
    }
}

impl<T> PartialEq for Part<T> {
    fn eq(&self, other: &Part<T>) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// What the next frame is to do besides playing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Errand {
    None,
    /// Go on until something is seen to happen.
    Step,
}

pub struct Run {
    /// None after a panic, until the user starts again.
    engine: Option<Engine>,
    pub clock: Clock,
    pub view: Rc<View>,
    /// Everything applied, the files of the start first.
    pub steps: Vec<Step>,
    /// The latest moment that has been seen.
    pub furthest_ms: i64,
    errand: Errand,
    /// Whether the picture promises that something will come.
    expects: bool,
    /// When something was seen to happen, in order.
    past: Vec<i64>,
    /// What was broken in this run, in order.
    broken: Vec<Broken>,
}

/// Something that was broken, for as long as it stays so.
#[derive(Clone, PartialEq, Debug)]
pub struct Broken {
    pub says: String,
    pub from_ms: i64,
    /// None if it stays.
    pub until_ms: Option<i64>,
}

impl Run {
    /// A page without a run: after a panic.
    pub fn stopped(clock: Clock, steps: Vec<Step>) -> Run {
        let view = Rc::new(View::default());
        let mut clock = clock;
        clock.playing = false;
        Run {
            engine: None,
            clock,
            view,
            steps,
            furthest_ms: 0,
            errand: Errand::None,
            expects: false,
            past: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// Starts; the answers are those of the files, in order.
    pub fn start(setup: &Setup, zones: &ZoneTable, lacks_shells: bool, clock: Clock) -> (Run, Vec<Answer>) {
        let (engine, answers) = Engine::new(setup, zones, lacks_shells);
        let step = |(file, text): &(String, String)| Step::apply(0, file, text);
        let mut run = Run::stopped(clock.clone(), setup.files.iter().map(step).collect());
        run.clock = clock;
        run.clock.moved_to(0);
        run.clock.news();
        run.engine = Some(engine);
        run.look();
        (run, answers)
    }

    pub fn now_ms(&self) -> i64 {
        self.engine.as_ref().map_or(0, Engine::now_ms)
    }

    pub fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    /// True while frames are needed.
    pub fn moves(&self) -> bool {
        self.engine.is_some() && (self.clock.playing || self.errand != Errand::None)
    }

    /// True if nothing will happen by itself any more.
    pub fn at_rest(&self) -> bool {
        self.engine.as_ref().is_some_and(|engine| engine.next_ms().is_none())
    }

    pub fn skips(&self) -> bool {
        self.expects && self.clock.skips(self.engine.as_ref().and_then(Engine::next_ms))
    }

    pub fn apply(&mut self, file: &str, text: &str) -> Answer {
        let Some(engine) = &mut self.engine else { return Answer::default() };
        self.steps.push(Step::apply(engine.now_ms(), file, text));
        let answer = engine.apply(file, text);
        self.after_input();
        answer
    }

    /// Types a line into a terminal; `files` are the editor's tabs.
    pub fn type_line(&mut self, terminal: u32, files: &[(String, String)], line: &str) {
        let step = Step::run(self.now_ms(), line);
        self.act(Some(step), |engine| engine.type_line(terminal, files, line));
    }

    /// Something is done to the engine from outside, now.
    pub fn act(&mut self, step: Option<Step>, deed: impl FnOnce(&mut Engine)) {
        if let Some(engine) = &mut self.engine {
            self.steps.extend(step);
            deed(engine);
            self.after_input();
        }
    }

    /// Breaks something; `lasts_ms` is how long that can be seen nowhere else.
    pub fn fault(&mut self, fault: Fault, shown: bool, lasts_ms: Option<i64>) {
        let from_ms = self.now_ms();
        // What was broken at a later time belongs to another story.
        self.broken.retain(|broken| broken.from_ms <= from_ms);
        if shown {
            let until_ms = lasts_ms.map(|lasts_ms| from_ms + lasts_ms);
            self.broken.push(Broken { says: fault.says(), from_ms, until_ms });
        }
        self.act(Some(Step::fault(from_ms, fault.text())), |engine| engine.fault(fault));
    }

    /// What is broken now.
    pub fn broken(&self) -> impl Iterator<Item = &Broken> {
        let now_ms = self.now_ms();
        self.broken.iter().filter(move |one| one.from_ms <= now_ms && one.until_ms.is_none_or(|until| now_ms < until))
    }

    /// Whether time stands for a container that wants a command of the terminal's.
    pub fn lacks_terminal(&self) -> bool {
        self.engine.as_ref().is_some_and(Engine::lacks_terminal)
    }

    /// Whether time stands because the shells of containers are not here.
    pub fn lacks_shells(&self) -> bool {
        self.engine.as_ref().is_some_and(Engine::lacks_shells)
    }

    /// They are here now.
    pub fn shells_came(&mut self) {
        if let Some(engine) = &mut self.engine {
            engine.shells_came();
        }
    }

    /// Stands still, whatever was under way.
    pub fn stand(&mut self) {
        self.clock.playing = false;
        self.errand = Errand::None;
    }

    pub fn set_zones(&mut self, zones: &ZoneTable) {
        if let Some(engine) = &mut self.engine {
            engine.set_zones(zones);
        }
    }

    pub fn screen(&self, terminal: u32) -> Screen {
        self.engine.as_ref().map(|engine| engine.screen(terminal)).unwrap_or_default()
    }

    /// Someone acted: what was seen of a later time is another story now.
    fn after_input(&mut self) {
        self.furthest_ms = self.now_ms();
        self.look();
        self.clock.news();
    }

    /// Goes on to the next moment at which something is seen to happen, and stands still there.
    pub fn step(&mut self) {
        self.clock.playing = false;
        self.errand = Errand::Step;
    }

    /// Goes back to the moment before.
    pub fn step_back(&mut self) {
        self.clock.playing = false;
        let now = self.now_ms();
        let before = self.past.iter().rev().find(|at| **at < now).copied();
        self.seek(before.unwrap_or(0));
    }

    /// Goes to any moment that has been seen.
    pub fn seek(&mut self, at_ms: i64) {
        let Some(engine) = &mut self.engine else { return };
        engine.seek(at_ms.clamp(0, self.furthest_ms.max(0)));
        self.clock.moved_to(engine.now_ms());
        self.clock.news();
        self.look();
    }

    /// One frame. True if the picture changed in more than its time.
    pub fn frame(&mut self, frame_ms: f64) -> bool {
        let Some(next) = self.engine.as_ref().map(Engine::next_ms) else { return false };
        let step = self.errand == Errand::Step;
        let target = match next {
            // Where nothing is to be seen any more there is nothing to hurry to: nodes renew their leases for ever.
            _ if !step => self.clock.target(frame_ms, next.filter(|_| self.expects)),
            Some(_) => i64::MAX,
            None => {
                self.errand = Errand::None;
                return false;
            }
        };
        // While skipping, the next news ends the quiet part: it must not be passed.
        let careful = step || self.skips();
        let (mut changed, mut due) = (false, false);
        let deadline = browser::now_ms() + WORK_MS;
        while let Some(engine) = &mut self.engine {
            let next = engine.next_ms();
            let stop = if careful { next.map_or(target, |next| next.min(target)) } else { target };
            if stop == i64::MAX {
                break;
            }
            due |= next.is_some_and(|next| next <= stop);
            let reached = engine.advance(stop, BUDGET);
            let late = browser::now_ms() > deadline;
            if due && (careful || reached || late) {
                let (different, news) = self.look();
                changed |= different;
                due = false;
                if news && careful {
                    self.errand = Errand::None;
                    break;
                }
            }
            if late || (reached && stop >= target) || self.lacks_shells() || self.lacks_terminal() {
                break;
            }
        }
        if step && self.at_rest() {
            self.errand = Errand::None;
        }
        let now = self.now_ms();
        self.clock.moved_to(now);
        self.furthest_ms = self.furthest_ms.max(now);
        changed
    }

    /// Takes the engine's view, keeping the identity of parts that are as before. Says whether anything differs, and
    /// whether it is worth stopping for.
    fn look(&mut self) -> (bool, bool) {
        let Some(engine) = &mut self.engine else { return (false, false) };
        let mut new = (*engine.view()).clone();
        let old = &*self.view;
        let mut different = false;
        macro_rules! keep {
            ($($part:ident),*) => {$(
                if new.$part == old.$part { new.$part = old.$part.clone() } else { different = true }
            )*};
        }
        keep!(jobs, cron_jobs, nodes, pods, services, lanes, marks, events);
        let news = is_news(old, &new);
        self.expects = expects(&new) || engine.screen_is_busy();
        if news {
            self.clock.news();
            let now_ms = engine.now_ms();
            self.remember(now_ms);
        }
        self.view = Rc::new(new);
        (different, news)
    }

    fn remember(&mut self, now_ms: i64) {
        if self.past.last().is_none_or(|last| *last < now_ms) {
            if self.past.len() >= PAST_MAX {
                self.past.drain(..PAST_MAX / 2);
            }
            self.past.push(now_ms);
        }
    }
}

/// Whether the picture itself says that something will come: a Pod at work, a schedule, a wait with an end. What nobody
/// can place waits without an end, and what has finished stays.
fn expects(view: &View) -> bool {
    let pod = |pod: &PodToken| match pod.sign {
        Sign::Starts | Sign::BacksOff | Sign::Ends => true,
        // A server runs on and on.
        Sign::Runs => !pod.owner.starts_with("ReplicaSet/"),
        Sign::Waits | Sign::NoRoom | Sign::Done | Sign::Failed => false,
    };
    view.pods.iter().any(pod)
        || view.jobs.iter().any(|job| job.next_try_ms.is_some() || job.candle.is_some())
        || view.cron_jobs.iter().any(|cron| cron.next_ms.is_some() && !cron.suspended)
        || view.nodes.iter().any(|node| !node.ready)
}

/// Whether someone who watches would see a difference.
fn is_news(old: &View, new: &View) -> bool {
    let pods =
        |view: &View| view.pods.iter().map(|pod| (pod.uid.clone(), pod.sign, pod.place.clone())).collect::<Vec<_>>();
    let jobs = |view: &View| {
        let job =
            |job: &super::engine::JobCard| (job.uid.clone(), job.status.clone(), job.active, job.succeeded, job.failed);
        view.jobs.iter().map(job).collect::<Vec<_>>()
    };
    let nodes = |view: &View| view.nodes.iter().map(|node| (node.ready, node.schedulable)).collect::<Vec<_>>();
    (!Rc::ptr_eq(&old.pods, &new.pods) && pods(old) != pods(new))
        || (!Rc::ptr_eq(&old.jobs, &new.jobs) && jobs(old) != jobs(new))
        || (!Rc::ptr_eq(&old.nodes, &new.nodes) && nodes(old) != nodes(new))
        || old.cron_jobs.len() != new.cron_jobs.len()
}
