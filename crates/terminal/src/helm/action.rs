//! Installing, upgrading, rolling back and uninstalling on the virtual clock.
//!
//! Rule (recorded in `helm-hooks`): hooks run one by one, by weight, kind and name; each is waited for; those that are to
//! go when they succeeded go together at the end, the last first. A failing hook fails the release.
//! Source: `helm/pkg/action/{install,upgrade,rollback,uninstall,hooks}.go`.

use std::collections::VecDeque;

use super::objects::{self, Wanted, multierror};
use super::release::{self, Release};
use super::render::rank;
use api::kind::Kind;
use api::meta::Key;
use cluster::Cluster;
use cluster::store::DeleteOptions;
use values::sort::sort_by;
use values::time::{SimTime, Span};

/// Between the end of one thing and the start of the next (recorded: 20 to 60 ms).
const BETWEEN: Span = Span::ms(45);

/// What is being done with a release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doing {
    Install,
    Upgrade,
    Rollback,
    Uninstall,
}

/// How to go about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    pub hooks: bool,
    pub wait: bool,
    pub wait_for_jobs: bool,
    pub keep_history: bool,
    pub timeout: Span,
}

/// A piece of work that is still to be done.
#[derive(Clone, PartialEq, Debug)]
enum Act {
    Pause {
        until: SimTime,
    },
    Hooks(&'static str),
    /// Deletes the object of a hook that has this policy.
    DropHook {
        hook: usize,
        policy: &'static str,
    },
    Gone {
        key: Key,
        uid: String,
        until: SimTime,
    },
    RunHook {
        event: &'static str,
        hook: usize,
        ran: Vec<usize>,
    },
    Watch {
        event: &'static str,
        hook: usize,
        ran: Vec<usize>,
        until: SimTime,
    },
    Objects,
    Ready {
        keys: Vec<Key>,
        until: SimTime,
    },
    Finish,
    /// The release is told to have failed, once what a failing hook leaves behind is cleared.
    Fail {
        event: &'static str,
        why: String,
    },
}

/// An operation under way.
#[derive(Clone, Debug)]
pub struct Operation {
    pub doing: Doing,
    pub release: Release,
    /// The revision whose objects are in the cluster.
    before: Option<Release>,
    options: Options,
    todo: VecDeque<Act>,
    /// What went wrong while uninstalling, which goes on all the same.
    errors: Vec<String>,
    pub kept: Vec<Key>,
}

/// How far an operation has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    SleepUntil(SimTime),
    /// Until something in the cluster changes, at the latest then.
    Waits(SimTime),
    Done,
    Failed(String),
}

impl Operation {
    /// Begins. The new revision is written to the cluster first.
    pub fn start(
        doing: Doing,
        release: Release,
        before: Option<Release>,
        options: Options,
        cluster: &mut Cluster,
    ) -> Operation {
        if doing != Doing::Uninstall {
            release.store(cluster);
        }
        let (pre, post) = match doing {
            Doing::Install => ("pre-install", "post-install"),
            Doing::Upgrade => ("pre-upgrade", "post-upgrade"),
            Doing::Rollback => ("pre-rollback", "post-rollback"),
            Doing::Uninstall => ("pre-delete", "post-delete"),
        };
        let hooks = |event| options.hooks.then_some(Act::Hooks(event));
        let todo = [hooks(pre), Some(Act::Objects), hooks(post), Some(Act::Finish)].into_iter().flatten().collect();
        Operation { doing, release, before, options, todo, errors: Vec::new(), kept: Vec::new() }
    }

    /// Goes on as far as it can without time passing.
    pub fn poll(&mut self, cluster: &mut Cluster) -> Progress {
        while let Some(act) = self.todo.pop_front() {
            match self.carry_out(act.clone(), cluster) {
                Ok(None) => {}
                Ok(Some(progress)) => {
                    self.todo.push_front(act);
                    return progress;
                }
                Err(why) => return Progress::Failed(self.fail(&why, cluster)),
            }
        }
        Progress::Done
    }

    fn carry_out(&mut self, act: Act, cluster: &mut Cluster) -> Result<Option<Progress>, String> {
        let now = cluster.now();
        match act {
            Act::Pause { until } if now < until => return Ok(Some(Progress::SleepUntil(until))),
            Act::Pause { .. } => {}
            Act::Hooks(event) => self.queue_hooks(event),
            Act::DropHook { hook, policy } => self.drop_hook(hook, policy, cluster),
            Act::Gone { key, uid, until } => {
                let there = cluster.store().get(&key).is_some_and(|object| object.uid() == uid);
                if there && now < until {
                    return Ok(Some(Progress::Waits(until)));
                }
            }
            Act::RunHook { event, hook, ran } => self.run_hook(event, hook, ran, cluster)?,
            Act::Watch { event, hook, ran, until } => {
                let Some(failure) = self.hook_failure(hook, until, cluster) else {
                    return Ok(Some(Progress::Waits(until)));
                };
                if let Some(why) = failure {
                    self.hook_failed(event, hook, &ran, why);
                }
            }
            Act::Objects => self.objects(cluster)?,
            Act::Ready { keys, until } => {
                for key in &keys {
                    if !objects::is_ready(cluster, key, self.options.wait_for_jobs)? {
                        if now >= until {
                            return Err("context deadline exceeded".to_owned());
                        }
                        return Ok(Some(Progress::Waits(until)));
                    }
                }
            }
            Act::Finish => self.finish(cluster)?,
            Act::Fail { event, why } => return Err(self.told(event, &why)),
        }
        Ok(None)
    }

    fn push_front(&mut self, acts: impl IntoIterator<Item = Act, IntoIter: DoubleEndedIterator>) {
        for act in acts.into_iter().rev() {
            self.todo.push_front(act);
        }
    }

    /// One hook behind the other, and at the end those go that are to go when they succeeded.
    fn queue_hooks(&mut self, event: &'static str) {
        let hooks = &self.release.hooks;
        let mut order: Vec<usize> = (0..hooks.len()).filter(|i| hooks[*i].events.iter().any(|e| e == event)).collect();
        sort_by(&mut order, |a, b| {
            let key = |i: &usize| (hooks[*i].weight, rank(&hooks[*i].kind), &hooks[*i].name);
            key(a).cmp(&key(b))
        });
        let mut acts = Vec::new();
        for (done, hook) in order.iter().enumerate() {
            acts.push(Act::DropHook { hook: *hook, policy: "before-hook-creation" });
            acts.push(Act::RunHook { event, hook: *hook, ran: order[..done].to_vec() });
        }
        for hook in order.iter().rev() {
            acts.push(Act::DropHook { hook: *hook, policy: "hook-succeeded" });
        }
        self.push_front(acts);
    }

    fn built(&self, hook: usize) -> Vec<Wanted> {
        objects::build(&self.release.hooks[hook].manifest, &self.release.namespace).unwrap_or_default()
    }

    fn drop_hook(&mut self, hook: usize, policy: &str, cluster: &mut Cluster) {
        if !self.release.hooks[hook].delete_policies.iter().any(|p| p == policy) {
            return;
        }
        let now = cluster.now();
        let mut acts = Vec::new();
        for wanted in self.built(hook) {
            let Some(object) = cluster.store().get(&wanted.key).cloned() else { continue };
            // It was there a moment ago; that it is gone by now is as good.
            let _ = cluster.api("helm", |api| api.delete(&wanted.key, &DeleteOptions::background()));
            let until = now + self.options.timeout;
            acts.push(Act::Gone { key: wanted.key, uid: object.uid().to_owned(), until });
        }
        if !acts.is_empty() {
            acts.push(Act::Pause { until: now + BETWEEN });
        }
        self.push_front(acts);
    }

    fn run_hook(
        &mut self,
        event: &'static str,
        hook: usize,
        ran: Vec<usize>,
        cluster: &mut Cluster,
    ) -> Result<(), String> {
        let path = self.release.hooks[hook].path.clone();
        let wanted = objects::build(&self.release.hooks[hook].manifest, &self.release.namespace).map_err(|why| {
            self.told(event, &format!("unable to build kubernetes object for {event} hook {path}: {why}"))
        })?;
        if let Err(why) = objects::create(cluster, &wanted) {
            return Err(self.told(event, &format!("warning: Hook {event} {path} failed: {why}")));
        }
        let until = cluster.now() + self.options.timeout;
        self.push_front([Act::Watch { event, hook, ran, until }]);
        Ok(())
    }

    /// `None`: it goes on. Otherwise whether it failed, and how.
    fn hook_failure(&mut self, hook: usize, until: SimTime, cluster: &Cluster) -> Option<Option<String>> {
        for wanted in self.built(hook) {
            let kind = wanted.key.kind;
            if !matches!(kind, Kind::Job | Kind::Pod) {
                continue;
            }
            let found = cluster.store().get(&wanted.key).and_then(|object| objects::ended(object.value()));
            let name = &wanted.key.name;
            match found {
                Some(Ok(())) => {}
                Some(Err(reason)) if kind == Kind::Job => return Some(Some(format!("job {name} failed: {reason}"))),
                Some(Err(_)) => return Some(Some(format!("pod {name} failed"))),
                None if cluster.now() >= until => {
                    return Some(Some("timed out waiting for the condition".to_owned()));
                }
                None => return None,
            }
        }
        self.push_front([Act::Pause { until: cluster.now() + BETWEEN }]);
        Some(None)
    }

    /// The failed hook goes if it is to go when it failed; those that ran before it, when they succeeded.
    fn hook_failed(&mut self, event: &'static str, hook: usize, ran: &[usize], why: String) {
        let why = multierror(&[why]);
        let mut acts = vec![Act::DropHook { hook, policy: "hook-failed" }];
        acts.extend(ran.iter().rev().map(|hook| Act::DropHook { hook: *hook, policy: "hook-succeeded" }));
        // The rest of the operation is off; only an uninstall that has come so far is brought to its end.
        self.todo.clear();
        if event == "post-delete" {
            self.errors.push(why);
            acts.push(Act::Finish);
        } else {
            acts.push(Act::Fail { event, why });
        }
        self.push_front(acts);
    }

    /// How the failure of hooks is told.
    fn told(&self, event: &str, why: &str) -> String {
        match self.doing {
            Doing::Install => format!("failed {event}: {why}"),
            Doing::Upgrade => format!("{event} hooks failed: {why}"),
            Doing::Rollback | Doing::Uninstall => why.to_owned(),
        }
    }

    /// Creates, changes or deletes the release's own objects.
    fn objects(&mut self, cluster: &mut Cluster) -> Result<(), String> {
        let build = |release: &Release| {
            let mut wanted = objects::build(&release.manifest, &release.namespace)?;
            objects::own(&mut wanted, release);
            Ok::<Vec<Wanted>, String>(wanted)
        };
        let target = build(&self.release)?;
        match self.doing {
            Doing::Uninstall => {
                self.kept = objects::delete(cluster, &target);
                return Ok(());
            }
            Doing::Install => {
                // What is there already is the release's own: it was checked before.
                let (known, new): (Vec<Wanted>, Vec<Wanted>) =
                    target.iter().cloned().partition(|wanted| cluster.store().get(&wanted.key).is_some());
                objects::create(cluster, &new)?;
                objects::update(cluster, &known, &known)?;
            }
            Doing::Upgrade | Doing::Rollback => {
                let before = self.before.as_ref().map(build).transpose()?.unwrap_or_default();
                objects::update(cluster, &before, &target)?;
            }
        }
        let mut acts = vec![Act::Pause { until: cluster.now() + BETWEEN }];
        if self.options.wait {
            let keys = target.into_iter().map(|wanted| wanted.key).collect();
            acts.push(Act::Ready { keys, until: cluster.now() + self.options.timeout });
        }
        self.push_front(acts);
        Ok(())
    }

    fn finish(&mut self, cluster: &mut Cluster) -> Result<(), String> {
        let history = release::history(cluster, &self.release.namespace, &self.release.name);
        if self.doing == Doing::Uninstall {
            self.release.status = "uninstalled".to_owned();
            self.release.description = "Uninstallation complete".to_owned();
            if self.options.keep_history {
                self.release.store(cluster);
            } else {
                history.iter().for_each(|release| release.purge(cluster));
            }
            if self.errors.is_empty() {
                return Ok(());
            }
            let (count, list) = (self.errors.len(), self.errors.join("; "));
            return Err(format!("uninstallation completed with {count} error(s): {list}"));
        }
        for mut old in history.into_iter().filter(|old| old.revision != self.release.revision) {
            if old.status == "deployed" {
                old.status = "superseded".to_owned();
                old.store(cluster);
            }
        }
        self.release.status = "deployed".to_owned();
        match self.doing {
            Doing::Install => self.release.description = "Install complete".to_owned(),
            Doing::Upgrade => self.release.description = "Upgrade complete".to_owned(),
            Doing::Rollback | Doing::Uninstall => {}
        }
        self.release.store(cluster);
        Ok(())
    }

    /// Notes the failure in the release; what the user is told.
    fn fail(&mut self, why: &str, cluster: &mut Cluster) -> String {
        let name = &self.release.name;
        let description = match self.doing {
            Doing::Install => format!("Release \"{name}\" failed: {why}"),
            Doing::Upgrade => format!("Upgrade \"{name}\" failed: {why}"),
            // A rollback that fails stays pending, an uninstall as it was.
            Doing::Rollback | Doing::Uninstall => return why.to_owned(),
        };
        self.release.status = "failed".to_owned();
        self.release.description = description;
        self.release.store(cluster);
        why.to_owned()
    }
}
