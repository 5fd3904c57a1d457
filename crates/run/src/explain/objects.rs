//! Objects: why a Pod, a Job or the whole cluster stands where it stands now.
//!
//! Rule: the present is read from the store, and what stands in the way from the latest entry of the journal about it. Who
//! waits for a moment is told which; who runs is told since when and that nothing ends it.

use crate::explain::{Finding, Past, words};
use crate::journal::JournalEntry;
use api::kind::Kind;
use api::object::Object;
use api::pod::{ContainerStatus, Pod};
use cluster::store::{ChangeType, Happened, Subject};

impl<'r> Past<'r> {
    /// Why an object is as it is, or is gone.
    pub(super) fn object(&self, subject: &Subject) -> Vec<Finding> {
        let Some(object) = self.now_of(subject).filter(|object| !object.meta().is_being_deleted()) else {
            return self.gone(subject);
        };
        match object.kind() {
            Kind::Job if object.job().finished().is_some() => self.ended(subject),
            Kind::Job => self.unfinished(subject),
            Kind::Pod => self.pod_state(subject, object.pod()),
            Kind::CronJob => self.cron_job(subject),
            _ => {
                let chain = self.latest_turn(subject);
                let says = if chain.is_none() { "it is as it was from the start" } else { "" };
                vec![Finding { says: says.to_owned(), place: None, chain }]
            }
        }
    }

    fn pod_state(&self, subject: &Subject, pod: &Pod) -> Vec<Finding> {
        match pod.status.phase.as_str() {
            "Pending" => self.pending(subject),
            "Running" => self.running(subject, pod),
            phase => {
                let turned = |entry: &JournalEntry| {
                    entry.facts().is_some_and(|facts| facts.phase.as_ref().is_some_and(|turned| turned == phase))
                };
                vec![self.finding(String::new(), self.latest(&subject.uid, turned))]
            }
        }
    }

    /// What a Pod that has not started waits for.
    pub(super) fn pending(&self, subject: &Subject) -> Vec<Finding> {
        let name = words::object(&subject.key);
        let Some(object) = self.now_of(subject) else { return self.gone(subject) };
        let pod = object.pod();
        if pod.status.phase != "Pending" {
            let mut findings = vec![self.finding(format!("{name} is {}, not Pending", pod.status.phase), None)];
            findings.extend(self.pod_state(subject, pod));
            return findings;
        }
        if pod.spec.node_name.is_empty() {
            return vec![self.unplaced(subject, pod)];
        }
        let statuses = pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses);
        let mut findings: Vec<Finding> = statuses.filter_map(|status| self.held_container(subject, status)).collect();
        if findings.is_empty() {
            let says = format!("{name} was placed on {} and its containers have not started yet", pod.spec.node_name);
            findings.push(Finding { says, place: None, chain: self.latest_turn(subject) });
        }
        findings
    }

    fn unplaced(&self, subject: &Subject, pod: &Pod) -> Finding {
        let name = words::object(&subject.key);
        if let Some(condition) = pod.condition("PodScheduled").filter(|c| c.reason == "SchedulingGated") {
            let says = format!("{name} is not looked at: {}", condition.message);
            let place = self.field(subject, "Pod", "spec.schedulingGates");
            return Finding { place, ..self.finding(says, self.latest(&subject.uid, |_| true)) };
        }
        let tried = self.latest(&subject.uid, |entry| matches!(entry.happened(), Some(Happened::NotPlaced { .. })));
        if tried.is_some() {
            return self.finding(format!("{name} has no node"), tried);
        }
        if let Some(stopped) = self.stopped("default-scheduler") {
            return self.finding(format!("{name} has no node: the scheduler stands still"), Some(stopped));
        }
        let refused = self.latest(&subject.uid, |entry| {
            entry.facts().is_some_and(|facts| facts.conditions.iter().any(|turned| turned.kind == "PodScheduled"))
        });
        match refused {
            Some(entry) => {
                let message = pod.condition("PodScheduled").map(|condition| condition.message.to_string());
                self.finding(format!("{name} has no node: {}", message.unwrap_or_default()), Some(entry))
            }
            None => {
                let made = self.latest(&subject.uid, |entry| entry.is(ChangeType::Added));
                self.finding(format!("{name} has no node yet: the scheduler has not come to it"), made)
            }
        }
    }

    /// What a container that does not run waits for.
    fn held_container(&self, subject: &Subject, status: &ContainerStatus) -> Option<Finding> {
        let waiting = status.state.waiting.as_ref()?;
        let about = |entry: &JournalEntry| match entry.happened() {
            Some(Happened::BackOff { container, .. }) => *container == status.name,
            Some(Happened::PullEnded { container, error, .. }) => *container == status.name && !error.is_empty(),
            Some(Happened::PullBegan { container, .. }) => *container == status.name,
            _ => false,
        };
        let entry = self.latest(&subject.uid, about);
        let reason = match waiting.reason.as_str() {
            // What everyone waits for; it says nothing by itself.
            "ContainerCreating" | "PodInitializing" if entry.is_none() => return None,
            reason => reason,
        };
        let message = waiting.message.lines().next().unwrap_or_default();
        let colon = if message.is_empty() { "" } else { ": " };
        let says =
            format!("container {} of {} waits ({reason}){colon}{message}", status.name, words::object(&subject.key));
        Some(self.finding(says, entry.or_else(|| self.latest(&subject.uid, |entry| entry.facts().is_some()))))
    }

    /// What runs in a Pod, and what waits.
    fn running(&self, subject: &Subject, pod: &Pod) -> Vec<Finding> {
        let name = words::object(&subject.key);
        let statuses = &pod.status.container_statuses;
        let ended: Vec<&ContainerStatus> = statuses.iter().filter(|s| s.state.terminated.is_some()).collect();
        let mut findings = Vec::new();
        for status in statuses {
            if let Some(running) = &status.state.running {
                let since = running.started_at.map(words::clock).unwrap_or_default();
                let mut says = format!("container {} of {name} runs since {since}", status.name);
                if let Some(other) = ended.first() {
                    let code = other.state.terminated.as_ref().map_or(0, |state| state.exit_code);
                    says += &format!(
                        "; {} has ended with exit code {code}, but a Pod ends only when all its containers have",
                        other.name
                    );
                }
                let started = |entry: &JournalEntry| {
                    let happened = entry.happened();
                    matches!(happened, Some(Happened::ProcessStarted { container, .. }) if *container == status.name)
                };
                findings.push(self.finding(says, self.latest(&subject.uid, started)));
            }
            findings.extend(self.held_container(subject, status));
        }
        findings
    }

    /// Why a Job ended as it did.
    pub(super) fn ended(&self, job: &Subject) -> Vec<Finding> {
        let end = |entry: &JournalEntry| {
            entry.facts().is_some_and(|facts| {
                let mut conditions = facts.conditions.iter();
                conditions.any(|c| (c.kind == "Failed" || c.kind == "Complete") && c.status == "True")
            })
        };
        match self.latest(&job.uid, end) {
            Some(entry) => vec![self.finding(String::new(), Some(entry))],
            None if self.now_of(job).is_some() => {
                let mut findings = vec![self.finding(format!("{} has not ended", words::object(&job.key)), None)];
                findings.extend(self.unfinished(job));
                findings
            }
            None => self.gone(job),
        }
    }

    /// What a Job that has not ended waits for.
    pub(super) fn unfinished(&self, job: &Subject) -> Vec<Finding> {
        let name = words::object(&job.key);
        let Some(object) = self.now_of(job) else { return self.gone(job) };
        if object.job().finished().is_some() {
            return self.ended(job);
        }
        if object.job().is_suspended() {
            let suspended = self.latest(&job.uid, |entry| {
                entry.facts().is_some_and(|facts| {
                    facts.conditions.iter().any(|turned| turned.kind == "Suspended" && turned.status == "True")
                })
            });
            let says = format!("{name} is suspended, and a suspended Job keeps no Pods");
            return vec![Finding { place: self.field(job, "Job", "spec.suspend"), ..self.finding(says, suspended) }];
        }
        if let Some(other) = object.job().spec.managed_by.as_ref().filter(|by| *by != "kubernetes.io/job-controller") {
            let says = format!("{name} is left alone by the Job controller: it is managed by {other}");
            let place = self.field(job, "Job", "spec.managedBy");
            return vec![Finding { says, place, chain: None }];
        }
        let pods = self.pods_of(job);
        let mut findings: Vec<Finding> = Vec::new();
        for pod in pods.iter().filter(|pod| !pod.pod().is_terminal()) {
            let subject = Subject::from(&***pod);
            match pod.meta().is_being_deleted() {
                true => findings.extend(self.gone(&subject)),
                false => findings.extend(self.pod_state(&subject, pod.pod())),
            }
        }
        if findings.is_empty() {
            findings.push(self.idle_job(job, object));
        }
        findings
    }

    /// A Job that has no Pod at work.
    fn idle_job(&self, job: &Subject, object: &Object) -> Finding {
        let name = words::object(&job.key);
        let held = self.latest(&job.uid, |entry| matches!(entry.happened(), Some(Happened::Held { .. })));
        if let Some(hold) = self.cluster().next_try(object) {
            let left = words::length(hold.until.since(self.now()));
            let says = format!("{name} makes its next Pod at {}, in {left}", words::clock(hold.until));
            return self.finding(says, held);
        }
        if let Some(stopped) = self.stopped("job-controller") {
            return self.finding(format!("{name} makes no Pods: the Job controller stands still"), Some(stopped));
        }
        if let Some(held) = held
            && let Some(Happened::Held { until }) = held.happened()
            && until.is_none_or(|until| until > self.now())
        {
            let says = match until {
                Some(until) => format!("{name} waits until {}", words::clock(*until)),
                None => format!("{name} waits until a Pod that is on its way out has ended"),
            };
            return self.finding(says, Some(held));
        }
        let says = format!("{name} has no Pod at work, and its controller has not come to it yet");
        Finding { says, place: None, chain: self.latest_turn(job) }
    }

    pub(super) fn pods_of(&self, owner: &Subject) -> Vec<&'r std::rc::Rc<Object>> {
        self.cluster().store().owned_by(&owner.uid).filter(|object| object.kind() == Kind::Pod).collect()
    }

    /// Why a Job counts no active Pods though one is there.
    pub(super) fn active_zero(&self, job: &Subject) -> Vec<Finding> {
        let name = words::object(&job.key);
        let Some(object) = self.now_of(job) else { return self.gone(job) };
        let active = object.job().status.active;
        if active != 0 {
            return vec![self.finding(format!("{name} counts {active} active Pods"), None)];
        }
        let mut findings = Vec::new();
        for pod in self.pods_of(job).into_iter().filter(|pod| !pod.pod().is_terminal()) {
            let (subject, pod_name) = (Subject::from(&**pod), words::object(&pod.key()));
            if pod.meta().is_being_deleted() {
                let says = format!(
                    "{pod_name} is on its way out; its containers may still run, but such a Pod counts as terminating and \
                     no longer as active"
                );
                let told = self.latest(&subject.uid, |entry| entry.facts().is_some_and(|facts| facts.deletion_began));
                findings.push(self.finding(says, told));
            } else if object.job().finished().is_some() {
                findings.push(self.finding(format!("{name} has ended; {pod_name} is no longer counted"), None));
            } else if let Some(stopped) = self.stopped("job-controller") {
                let says = format!("{pod_name} is not counted yet: the Job controller stands still");
                findings.push(self.finding(says, Some(stopped)));
            } else {
                let made = self.latest(&subject.uid, |entry| entry.is(ChangeType::Added));
                let says = format!("{pod_name} is not counted yet: changes of Pods are gathered for a second");
                findings.push(self.finding(says, made));
            }
        }
        if findings.is_empty() {
            let strays = self.cluster().store().list_in(Kind::Pod, &job.key.namespace);
            let like = |pod: &&std::rc::Rc<Object>| {
                pod.meta().labels.get("batch.kubernetes.io/job-name").is_some_and(|name| *name == *job.key.name)
                    && !pod.pod().is_terminal()
            };
            for pod in strays.filter(like) {
                let says =
                    format!("{} looks like one of {name}'s Pods and does not belong to it", words::object(&pod.key()));
                findings.push(Finding { says, place: None, chain: self.latest_turn(&Subject::from(&**pod)) });
            }
        }
        if findings.is_empty() {
            findings = self.object(job);
            findings.insert(0, self.finding(format!("{name} has no Pod at work"), None));
        }
        findings
    }

    /// The fault that stopped a controller, if it has not come back.
    pub(super) fn stopped(&self, actor: &str) -> Option<&'r JournalEntry> {
        let mut latest = None;
        for entry in self.entries() {
            match entry.happened() {
                Some(Happened::Input { text, .. }) if text.contains("stop") && text.contains(actor) => {
                    latest = Some(entry);
                }
                Some(Happened::ActorBack { name }) if *name == actor => latest = None,
                _ => {}
            }
        }
        latest
    }

    /// What happens now, and what everything that has not ended waits for.
    pub(super) fn moment(&self) -> Vec<Finding> {
        let store = self.cluster().store();
        let mut findings = Vec::new();
        for job in store.list(Kind::Job).filter(|job| job.job().finished().is_none()) {
            findings.extend(self.unfinished(&Subject::from(&**job)));
        }
        for pod in store.list(Kind::Pod).filter(|pod| pod.meta().controller().is_none_or(|owner| owner.kind != "Job")) {
            match pod.pod().status.phase.as_str() {
                "Pending" => findings.extend(self.pending(&Subject::from(&**pod))),
                "Running" => findings.extend(self.running(&Subject::from(&**pod), pod.pod())),
                _ => {}
            }
        }
        for cron_job in store.list(Kind::CronJob) {
            findings.push(self.next_of(&Subject::from(&**cron_job), cron_job));
        }
        let ended = store.list(Kind::Job).filter(|job| job.job().finished().is_some()).count();
        if findings.is_empty() && ended > 0 {
            let last = self.entries().rev().find(|entry| {
                let facts = entry.facts().filter(|_| entry.kind() == Some(Kind::Job));
                facts.is_some_and(|facts| {
                    facts.conditions.iter().any(|turned| turned.kind == "Complete" || turned.kind == "Failed")
                })
            });
            let says = match ended {
                1 => "the Job that is there has ended, and nothing makes another".to_owned(),
                ended => format!("all {ended} Jobs that are there have ended, and nothing makes another"),
            };
            findings.push(self.finding(says, last));
        }
        if findings.is_empty() {
            findings.push(self.finding("there is no Job, no CronJob and no Pod that could run".to_owned(), None));
        }
        findings
    }
}
