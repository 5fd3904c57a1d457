//! One run: the engine, the clock that drives it, and the picture of now.

use std::rc::Rc;

use super::clock::Clock;
use super::engine::{Answer, Coming, Engine, Fault, Screen, Setup, View, ZoneTable};
use super::words;

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
    /// Go to a moment that has been seen.
    Seek(i64),
}

pub struct Run {
    /// None after a panic, until the user starts again.
    engine: Option<Engine>,
    pub clock: Clock,
    pub view: Rc<View>,
    /// The latest moment that has been seen.
    pub furthest_ms: i64,
    errand: Errand,
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
    pub fn stopped(clock: Clock) -> Run {
        let view = Rc::new(View::default());
        let mut clock = clock;
        clock.playing = false;
        Run { engine: None, clock, view, furthest_ms: 0, errand: Errand::None, past: Vec::new(), broken: Vec::new() }
    }

    /// Starts; the answers are those of the files, in order. `keep` is told the run as a scenario before anything is done.
    pub fn start(
        setup: &Setup,
        zones: &ZoneTable,
        lacks_shells: bool,
        clock: Clock,
        keep: impl Fn(&str) + 'static,
    ) -> (Run, Vec<Answer>) {
        let (engine, answers) = Engine::new(setup, zones, lacks_shells, Box::new(keep));
        let mut run = Run::stopped(clock.clone());
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

    /// What the clock says beside the time: what it hurries to and how fast, or that nothing will happen any more.
    pub fn state(&mut self) -> String {
        let coming = self.coming();
        match self.clock.skips(coming.as_ref().map(|coming| coming.at_ms)).zip(coming) {
            Some((pace, coming)) => format!("» {} to {}", words::pace(pace), coming.what),
            None if self.at_rest() => "at rest".to_owned(),
            None => String::new(),
        }
    }

    /// What is known to come, if the clock would hurry to it.
    fn coming(&mut self) -> Option<Coming> {
        if !self.clock.wants_to_skip() {
            return None;
        }
        let mended = self.broken().filter_map(|broken| broken.until_ms).min();
        let mended = mended.map(|at_ms| Coming { at_ms, what: "the end of the fault".to_owned() });
        let coming = self.engine.as_mut().and_then(Engine::coming);
        coming.into_iter().chain(mended).min_by_key(|coming| coming.at_ms)
    }

    pub fn apply(&mut self, file: &str, text: &str) -> Answer {
        let Some(engine) = &mut self.engine else { return Answer::default() };
        let answer = engine.apply(file, text);
        self.after_input();
        answer
    }

    /// Something is done to the engine from outside, now.
    pub fn act(&mut self, deed: impl FnOnce(&mut Engine)) {
        if let Some(engine) = &mut self.engine {
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
        self.act(|engine| engine.fault(fault));
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

    /// Plays, or stands still.
    pub fn toggle(&mut self) {
        self.clock.playing = !self.clock.playing && self.engine.is_some();
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

    /// Goes to a moment that has been seen, with the next frame, and stands still there. Of many wishes before it the last
    /// one counts.
    pub fn want(&mut self, at_ms: i64) {
        self.clock.playing = false;
        self.errand = Errand::Seek(at_ms);
    }

    fn seek(&mut self, at_ms: i64) {
        let Some(engine) = &mut self.engine else { return };
        engine.seek(at_ms.clamp(0, self.furthest_ms.max(0)));
        self.clock.moved_to(engine.now_ms());
        self.clock.news();
        self.look();
    }

    /// One frame. True if the picture changed in more than its time. `real_ms` tells the real time, for measuring work.
    pub fn frame(&mut self, frame_ms: f64, real_ms: impl Fn() -> f64) -> bool {
        if let Errand::Seek(at_ms) = self.errand {
            self.errand = Errand::None;
            self.seek(at_ms);
            return true;
        }
        let moving = self.engine.as_ref().filter(|_| self.moves());
        let Some(next) = moving.map(Engine::next_ms) else { return false };
        let step = self.errand == Errand::Step;
        let coming_ms = self.coming().map(|coming| coming.at_ms);
        let target = match next {
            _ if !step => self.clock.target(frame_ms, coming_ms),
            Some(_) => i64::MAX,
            None => {
                self.errand = Errand::None;
                return false;
            }
        };
        // While skipping, the next news ends the quiet part: it must not be passed.
        let careful = step || self.clock.skips(coming_ms).is_some();
        let (mut changed, mut due) = (false, false);
        let deadline = real_ms() + WORK_MS;
        while let Some(engine) = &mut self.engine {
            let next = engine.next_ms();
            let stop = if careful { next.map_or(target, |next| next.min(target)) } else { target };
            if stop == i64::MAX {
                break;
            }
            due |= next.is_some_and(|next| next <= stop);
            let reached = engine.advance(stop, BUDGET);
            let late = real_ms() > deadline;
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
        if coming_ms.is_some_and(|coming| now >= coming) {
            self.clock.news();
        }
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
                if Rc::ptr_eq(&new.$part, &old.$part) {
                } else if new.$part == old.$part {
                    new.$part = Rc::clone(&old.$part);
                } else {
                    different = true;
                }
            )*};
        }
        keep!(jobs, cron_jobs, nodes, pods, services, lanes, marks, events);
        let news = is_news(old, &new);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::NORMAL;
    use crate::engine::Sign;

    const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec:\n  backoffLimit: 1\n  template:\n    spec:\n      \
        restartPolicy: Never\n      containers: [{name: c, image: busybox, command: [sh, -c, sleep 5; exit 1]}]\n";
    const CRON: &str = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec:\n  schedule: 0 */5 * * *\n  jobTemplate:\n    \
        spec:\n      template:\n        spec:\n          restartPolicy: Never\n          containers: [{name: c, image: busybox, command: [date]}]\n";

    fn start(text: &str, skip: bool) -> Run {
        let setup = Setup { seed: 1, files: vec![("a.yaml".to_owned(), text.to_owned())] };
        let (run, answers) = Run::start(&setup, &ZoneTable::empty(), false, Clock::new(NORMAL, skip), |_| ());
        assert!(answers[0].ok, "{}", answers[0].text);
        run
    }

    /// When something was done in the run that is kept, in milliseconds.
    fn done_ms(run: &Run) -> Vec<i64> {
        run.engine().map(Engine::done_ms).unwrap_or_default()
    }

    /// So many frames of 16 ms, none of which takes any time to work out.
    fn frames(run: &mut Run, count: usize) -> usize {
        (0..count).filter(|_| run.frame(16.0, || 0.0)).count()
    }

    fn signs(run: &Run) -> Vec<Sign> {
        run.view.pods.iter().map(|pod| pod.sign).collect()
    }

    #[test]
    fn frames_follow_the_clock_and_tell_what_changed() {
        let mut run = start(JOB, false);
        let drawn = frames(&mut run, 250);
        assert_eq!((run.now_ms(), run.furthest_ms), (4_000, 4_000));
        assert!((1..100).contains(&drawn), "{drawn} frames of 250 changed the picture");
        assert_eq!(signs(&run), [Sign::Runs]);
        run.toggle();
        assert!(!run.moves());
        assert_eq!(run.state(), "");
    }

    #[test]
    fn a_slow_engine_stops_at_the_end_of_a_frames_work() {
        let many = JOB.replace("exit 1", "exit 0").replace("backoffLimit: 1", "completions: 400\n  parallelism: 80");
        let mut run = start(&many, false);
        run.clock.speed = crate::clock::SPEEDS.len() - 1;
        let clock = std::cell::Cell::new(0.0);
        let slow = || {
            clock.set(clock.get() + 2.0 * WORK_MS);
            clock.get()
        };
        run.frame(100.0, slow);
        let first = run.now_ms();
        run.frame(100.0, || 0.0);
        assert!(first < 100_000 && run.now_ms() >= 100_000, "{first}, then {}", run.now_ms());
    }

    #[test]
    fn steps_go_to_what_is_seen_and_back() {
        let mut run = start(JOB, false);
        run.step();
        frames(&mut run, 5);
        let first = run.now_ms();
        run.step();
        frames(&mut run, 5);
        assert!(first > 0 && run.now_ms() > first && !run.moves());
        run.step_back();
        assert_eq!(run.now_ms(), first);
        run.step_back();
        assert_eq!(run.now_ms(), 0);
    }

    #[test]
    fn of_many_wishes_in_a_frame_the_last_one_counts() {
        let mut run = start(JOB, false);
        frames(&mut run, 500);
        for at_ms in [7_000, 500, 3_000] {
            run.want(at_ms);
        }
        assert!(run.moves() && run.now_ms() == 8_000, "nothing happens before the frame");
        assert!(run.frame(16.0, || 0.0));
        assert_eq!((run.now_ms(), run.furthest_ms), (3_000, 8_000));
        assert!(!run.moves());
        // What has not been seen cannot be gone to.
        run.want(99_000);
        run.frame(16.0, || 0.0);
        assert_eq!(run.now_ms(), 8_000);
    }

    #[test]
    fn who_acts_in_the_past_begins_another_story() {
        let mut run = start(JOB, false);
        frames(&mut run, 300);
        run.fault(Fault::KillNode { node: "node-1".to_owned() }, true, None);
        assert_eq!((done_ms(&run).len(), run.broken().count()), (2, 1));
        run.want(1_000);
        run.frame(16.0, || 0.0);
        assert_eq!(run.broken().count(), 0, "it is broken later");
        run.apply("b.yaml", CRON);
        assert_eq!((done_ms(&run), run.furthest_ms), (vec![0, 1_000], 1_000));
    }

    #[test]
    fn quiet_parts_are_skipped_towards_what_is_known_and_told() {
        let mut run = start(CRON, true);
        frames(&mut run, 40);
        assert!(run.state().starts_with("» ") && run.state().ends_with("x to the next run of c"), "{}", run.state());
        frames(&mut run, 100);
        assert!(run.now_ms() >= 2 * 3_600_000, "{}", run.now_ms());
        let mut held = start(CRON, true);
        held.clock.held = true;
        frames(&mut held, 250);
        assert_eq!((held.now_ms(), held.state().as_str()), (4_000, ""));
        // A server promises nothing.
        let server = JOB.replace("[sh, -c, sleep 5; exit 1]", "[sleep, infinity]");
        let mut quiet = start(&server, true);
        frames(&mut quiet, 1_000);
        assert_eq!(quiet.now_ms(), 16_000);
    }
}
