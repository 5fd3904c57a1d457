//! A made-up cluster to build the page against, until the simulation stands behind `engine`.

use std::rc::Rc;

use super::engine::*;

const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

#[derive(Clone)]
struct Phase {
    from_ms: i64,
    sign: Sign,
    word: String,
    status: &'static str,
    place: Place,
    until_ms: Option<i64>,
}

#[derive(Clone)]
struct Plan {
    name: String,
    owner: String,
    phases: Vec<Phase>,
    gone_ms: Option<i64>,
}

#[derive(Clone)]
struct JobPlan {
    name: String,
    owner: String,
    from_ms: i64,
    end_ms: i64,
    parallelism: i64,
    completions: i64,
    fails: bool,
}

pub struct Fake {
    pub now_ms: i64,
    pub start_ms: i64,
    seed: u64,
    pods: Vec<Plan>,
    jobs: Vec<JobPlan>,
    cron: Option<String>,
    inputs: Vec<i64>,
}

fn number(text: &str, key: &str) -> Option<i64> {
    let rest = text.split(key).nth(1)?;
    rest.trim_start_matches([':', '=', ' ']).split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn name_of(text: &str) -> String {
    text.split("\n  name:")
        .nth(1)
        .and_then(|rest| rest.lines().next())
        .map_or("unnamed", |n| n.trim().trim_matches('"'))
        .to_owned()
}

impl Fake {
    pub fn new(seed: u64) -> Fake {
        Fake { now_ms: 0, start_ms: 1_795_248_000_000, seed, pods: vec![], jobs: vec![], cron: None, inputs: vec![] }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    pub fn apply(&mut self, text: &str) -> String {
        self.inputs.push(self.now_ms);
        let name = name_of(text);
        if text.contains("kind: CronJob") {
            self.cron = Some(name.clone());
            for nth in 1..6 {
                let at = nth * 60_000;
                self.job(format!("{name}-29{nth}"), format!("CronJob/{name}"), at, 1, 1, false);
            }
            return format!("cronjob.batch/{name} created");
        }
        let known = self.jobs.iter().any(|job| job.name == name);
        if known {
            let now = self.now_ms;
            self.pods.retain(|pod| !pod.name.starts_with(&name) || pod.phases[0].from_ms <= now);
            self.jobs.retain(|job| job.name != name);
        }
        let parallelism = number(text, "parallelism").unwrap_or(1);
        let completions = number(text, "completions").unwrap_or(parallelism);
        let crash = text.contains("exit-code=1") || text.contains("enbale");
        self.job(name.clone(), String::new(), self.now_ms, parallelism, completions, crash);
        format!("job.batch/{name} {}", if known { "configured" } else { "created" })
    }

    fn job(&mut self, name: String, owner: String, from: i64, parallelism: i64, completions: i64, crash: bool) {
        let mut free = vec![from + 300; parallelism.max(1) as usize];
        let (mut done, mut nth, mut end) = (0, 0, from);
        while done < completions {
            let slot = (0..free.len()).min_by_key(|at| free[*at]).unwrap_or(0);
            let at = free[slot];
            nth += 1;
            let short: String = (0..5).map(|_| LETTERS[self.draw(27) as usize] as char).collect();
            let node = format!("node-{}", 1 + self.draw(2));
            let on = |from_ms, sign, word: &str, status, until_ms| Phase {
                from_ms,
                sign,
                word: word.into(),
                status,
                place: Place::Node(node.clone()),
                until_ms,
            };
            let mut phases = vec![Phase {
                from_ms: at,
                sign: Sign::Waits,
                word: "waits".into(),
                status: "Pending",
                place: Place::Waiting,
                until_ms: None,
            }];
            let mut t = at + 400;
            phases.push(on(t, Sign::Starts, "pulls", "ContainerCreating", None));
            t += 1_200 + self.draw(1500) as i64;
            phases.push(on(t, Sign::Runs, "runs", "Running", None));
            t += 4_000 + self.draw(6000) as i64;
            if crash {
                for nth in 0..4 {
                    let wait = 10_000 << nth;
                    phases.push(on(t, Sign::BacksOff, "backs off", "CrashLoopBackOff", Some(t + wait)));
                    t += wait;
                    phases.push(on(t, Sign::Runs, "runs", "Running", None));
                    t += 3_000;
                }
            }
            let failed = crash || nth % 5 == 3;
            if nth % 7 == 4 {
                phases.push(on(t, Sign::Ends, "ends", "Terminating", Some(t + 5_000)));
                t += 5_000;
            }
            phases.push(Phase {
                from_ms: t,
                sign: if failed { Sign::Failed } else { Sign::Done },
                word: if failed { "exit 1".into() } else { "done".into() },
                status: if failed { "Error" } else { "Completed" },
                place: Place::Finished,
                until_ms: None,
            });
            let gone_ms = (crash || nth % 7 == 4).then_some(t + 20_000);
            self.pods.push(Plan { name: format!("{name}-{short}"), owner: format!("Job/{name}"), phases, gone_ms });
            free[slot] = t + if failed { 10_000 } else { 1_000 };
            end = end.max(t + 1_000);
            done += i64::from(!failed || crash);
        }
        self.jobs.push(JobPlan { name, owner, from_ms: from, end_ms: end, parallelism, completions, fails: crash });
    }

    fn moments(&self) -> impl Iterator<Item = i64> + '_ {
        let phases = self.pods.iter().flat_map(|pod| pod.phases.iter().map(|p| p.from_ms).chain(pod.gone_ms));
        phases.chain(self.jobs.iter().flat_map(|job| [job.from_ms, job.end_ms]))
    }

    pub fn next_ms(&self) -> Option<i64> {
        self.moments().filter(|at| *at > self.now_ms).min()
    }

    pub fn logs(&self, pod: &str, previous: bool) -> Result<Vec<LogLine>, String> {
        if previous {
            return Err(format!("previous terminated container \"kuard\" in pod \"{pod}\" not found"));
        }
        let plan = self.pods.iter().find(|plan| plan.name == pod).ok_or(format!("pods \"{pod}\" not found"))?;
        let Some(run) = plan.phases.iter().find(|p| p.sign == Sign::Runs && p.from_ms <= self.now_ms) else {
            return Err(format!("container \"kuard\" in pod \"{pod}\" is waiting to start: ContainerCreating"));
        };
        let last = plan.phases.last().map_or(0, |p| p.from_ms).min(self.now_ms);
        let line = |at_ms, text: String| LogLine { at_ms, text };
        let mut lines = vec![line(run.from_ms, "2026/11/21 08:00:02 Starting kuard version: v0.8.1-1".into())];
        for nth in 1.. {
            let at = run.from_ms + nth * 700;
            if at > last || nth > 10 {
                break;
            }
            lines.push(line(at, format!("2026/11/21 08:00:{:02} (ID 0 {nth}/10) Item done: SHA256:aC5CT5xlXkAVQzBgGGHBRUM0TYH7CcwJDGaz2O6807E", at / 1000 % 60)));
        }
        Ok(lines)
    }

    pub fn view(&self) -> Rc<View> {
        let now = self.now_ms;
        let (mut pods, mut lanes, mut events) = (vec![], vec![], vec![]);
        for plan in self.pods.iter().filter(|plan| plan.phases[0].from_ms <= now) {
            let short = plan.name[plan.name.len() - 5..].to_owned();
            let seen: Vec<&Phase> = plan.phases.iter().filter(|p| p.from_ms <= now).collect();
            let gone_ms = plan.gone_ms.filter(|at| *at <= now);
            let segments = seen.iter().enumerate().map(|(at, p)| Segment {
                sign: p.sign,
                word: p.word.clone(),
                from_ms: p.from_ms,
                to_ms: seen.get(at + 1).map(|next| next.from_ms).or(gone_ms),
            });
            lanes.push(Lane {
                uid: plan.name.clone(),
                name: plan.name.clone(),
                short: short.clone(),
                owner: plan.owner.clone(),
                segments: segments.collect(),
                gone_ms,
            });
            for (nth, p) in seen.iter().enumerate() {
                events.push(EventRow {
                    key: format!("{}{nth}", plan.name),
                    at_ms: p.from_ms,
                    warning: p.sign == Sign::BacksOff,
                    reason: match p.sign {
                        Sign::Waits => "SuccessfulCreate",
                        Sign::Starts => "Pulling",
                        Sign::Runs => "Started",
                        Sign::BacksOff => "BackOff",
                        _ => "Killing",
                    }
                    .into(),
                    object: format!("pod/{}", plan.name),
                    message: format!("Made up for the page: container kuard {}", p.status),
                    count: 1,
                    source: "kubelet".into(),
                });
            }
            let Some(p) = seen.last().filter(|_| gone_ms.is_none()) else { continue };
            pods.push(PodToken {
                uid: plan.name.clone(),
                name: plan.name.clone(),
                short,
                owner: plan.owner.clone(),
                place: p.place.clone(),
                sign: p.sign,
                word: p.word.clone(),
                status: p.status.into(),
                ready: if p.sign == Sign::Runs { "1/1".into() } else { "0/1".into() },
                restarts: seen.iter().filter(|p| p.sign == Sign::BacksOff).count() as i32,
                since_ms: p.from_ms,
                until_ms: p.until_ms,
                created_ms: plan.phases[0].from_ms,
                containers: vec!["kuard".into()],
                note: if p.sign == Sign::Failed { "Container kuard exited with code 1.".into() } else { String::new() },
                ..PodToken::default()
            });
        }
        events.sort_by_key(|event| event.at_ms);
        let of = |job: &JobPlan, signs: &[Sign]| {
            let owner = format!("Job/{}", job.name);
            lanes
                .iter()
                .filter(|l: &&Lane| l.owner == owner && l.segments.last().is_some_and(|s| signs.contains(&s.sign)))
                .count() as i64
        };
        let jobs: Vec<JobCard> = self
            .jobs
            .iter()
            .filter(|job| job.from_ms <= now)
            .map(|job| {
                let over = job.end_ms <= now;
                let active = of(job, &[Sign::Waits, Sign::Starts, Sign::Runs, Sign::BacksOff]);
                JobCard {
                    uid: job.name.clone(),
                    name: job.name.clone(),
                    owner: job.owner.clone(),
                    status: if !over {
                        "Running"
                    } else if job.fails {
                        "Failed"
                    } else {
                        "Complete"
                    }
                    .into(),
                    active,
                    ready: of(job, &[Sign::Runs]),
                    succeeded: of(job, &[Sign::Done]),
                    failed: of(job, &[Sign::Failed]),
                    terminating: of(job, &[Sign::Ends]),
                    completions: Some(job.completions),
                    parallelism: job.parallelism,
                    fails_at: Some(7),
                    created_ms: job.from_ms,
                    conditions: if over {
                        vec![ConditionRow {
                            kind: if job.fails { "Failed" } else { "Complete" }.into(),
                            status: "True".into(),
                            reason: if job.fails { "BackoffLimitExceeded" } else { "CompletionsReached" }.into(),
                            message: "Reached expected number of succeeded pods".into(),
                            at_ms: job.end_ms,
                        }]
                    } else {
                        vec![]
                    },
                    next_try_ms: (job.parallelism > active && !over).then_some(now / 10_000 * 10_000 + 10_000),
                    candle: over.then_some(Candle {
                        field: "ttlSecondsAfterFinished",
                        from_ms: job.end_ms,
                        until_ms: job.end_ms + 100_000,
                    }),
                    ..JobCard::default()
                }
            })
            .collect();
        let cron = self.cron.iter().map(|name| CronCard {
            uid: name.clone(),
            name: name.clone(),
            schedule: "*/1 * * * *".into(),
            concurrency_policy: "Allow".into(),
            active: jobs.iter().filter(|j| j.status == "Running").count() as i64,
            last_ms: (now >= 60_000).then_some(now / 60_000 * 60_000),
            next_ms: Some(now / 60_000 * 60_000 + 60_000),
            ..CronCard::default()
        });
        let node = |nth: i64| {
            let name = format!("node-{nth}");
            let here = pods.iter().filter(|p| p.place == Place::Node(name.clone())).count() as i64;
            NodePlace {
                name,
                ready: true,
                schedulable: true,
                pods: here,
                pods_max: 110,
                cpu_percent: here * 12,
                memory_percent: here * 5,
                cpu_text: format!("{}m of 2", here * 240),
                memory_text: format!("{}Mi of 24Gi", here * 128),
            }
        };
        let mut marks: Vec<Mark> =
            self.inputs.iter().map(|at| Mark { at_ms: *at, kind: MarkKind::Input, text: "apply".into() }).collect();
        for job in self.jobs.iter().filter(|j| j.end_ms <= now) {
            let kind = if job.fails { MarkKind::Failed } else { MarkKind::Complete };
            marks.push(Mark { at_ms: job.end_ms, kind, text: job.name.clone() });
        }
        for job in self.jobs.iter().filter(|j| j.from_ms <= now && !j.owner.is_empty()) {
            marks.push(Mark { at_ms: job.from_ms, kind: MarkKind::Cron, text: job.name.clone() });
        }
        let nodes = vec![node(1), node(2)];
        let cron_jobs: Vec<CronCard> = cron.collect();
        Rc::new(View {
            now_ms: now,
            wall_clock: String::new(),
            jobs: Rc::new(jobs),
            cron_jobs: Rc::new(cron_jobs),
            nodes: Rc::new(nodes),
            pods: Rc::new(pods),
            services: Rc::default(),
            lanes: Rc::new(lanes),
            marks: Rc::new(marks),
            events: Rc::new(events),
        })
    }
}

pub fn lint(text: &str) -> Vec<Remark> {
    let bad = |line: usize, column: usize, weight, message: &str| Remark {
        weight,
        line: line as u32 + 1,
        column: column as u32 + 1,
        end_line: line as u32 + 1,
        end_column: column as u32 + 2,
        message: message.into(),
    };
    if text.contains("panic now") {
        panic!("asked to by the text");
    }
    text.lines()
        .enumerate()
        .filter_map(|(at, line)| {
            if let Some(column) = line.find('\t') {
                return Some(bad(at, column, Weight::Error, "found character that cannot start any token"));
            }
            line.find("enbale").map(|column| bad(at, column, Weight::Hint, "did you mean enable?"))
        })
        .collect()
}
