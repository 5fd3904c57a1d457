//! Command lines of containers: `kubectl` in a Pod, with the Pod's account.
//!
//! Rule: it is the same kubectl as at a terminal, on files of its own (those that its arguments name), in the Pod's
//! namespace, and what its account may not do is refused. It is polled as other commands are; the container gets what it
//! printed when it has ended.

use crate::command::{self, Command};
use crate::files::HOME;
use crate::host::{Workstation, environment};
use crate::save;
use cluster::Cluster;
use cluster::node::PodCall;
use cluster::program::Returned;
use shell::{Input, Io, Launch, Poll, Stream};
use values::time::{SimTime, Span};

/// Bytes of output that a container gets back.
const OUTPUT_MAX: usize = 1 << 20;
/// Polls that may pass without time.
const POLLS_MAX: u32 = 1_000;

/// One command line under way.
#[derive(Clone)]
pub struct Errand {
    call: PodCall,
    command: Command,
    io: Io,
    workstation: Workstation,
    number: u64,
    returned: Returned,
    /// When to poll it again; none while it waits for something to happen.
    pub(crate) due: Option<SimTime>,
}

impl Errand {
    pub fn begin(call: PodCall, number: u64, now: SimTime) -> Errand {
        let mut workstation = Workstation::default();
        for (path, bytes) in &call.call.files {
            // Directories above are made along the way; what does not fit is left out.
            let _ = save(&mut workstation.files, path, &String::from_utf8_lossy(bytes), now);
        }
        let config = format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: in-cluster\n  cluster: {{server: https://10.96.0.1:443}}\n\
             contexts:\n- name: in-cluster\n  context: {{cluster: in-cluster, user: account, namespace: {}}}\n\
             current-context: in-cluster\nusers:\n- name: account\n  user: {{}}\n",
            call.account.namespace
        );
        let _ = save(&mut workstation.files, &format!("{HOME}/.kube/config"), &config, now);
        let _ = workstation.files.make_dir(&call.call.cwd, now);
        let mut env = environment();
        env.extend(call.call.env.iter().map(|(name, value)| (name.clone(), value.clone())));
        env.insert("HOME".into(), HOME.into());
        let argv: Vec<String> =
            std::iter::once("kubectl".to_owned()).chain(call.call.argv[1..].iter().cloned()).collect();
        let start = command::find("kubectl").expect("a terminal has kubectl");
        let command = start(Launch { argv: &argv, env: &env, cwd: &call.call.cwd, to_terminal: false });
        let io = Io { stdin: Input::of(call.call.input.clone()), ..Io::default() };
        Errand { call, command, io, workstation, number, returned: Returned::default(), due: Some(now) }
    }

    /// Goes on as far as it can; true when it has ended and its container knows.
    pub fn step(&mut self, cluster: &mut Cluster) -> bool {
        let now = cluster.now();
        let mut listens = false;
        let mut polls = 0;
        let poll = loop {
            polls += 1;
            cluster.act_as(Some(self.call.account.clone()));
            let mut desk = self.workstation.desk(cluster, self.number, &mut listens);
            let poll = self.command.poll(&mut desk, &mut self.io);
            cluster.act_as(None);
            self.take_output();
            if poll != Poll::Yield || polls == POLLS_MAX {
                break poll;
            }
        };
        self.due = match poll {
            Poll::Exit(exit_code) => {
                self.returned.exit_code = exit_code;
                cluster.return_call(&self.call, std::mem::take(&mut self.returned));
                return true;
            }
            Poll::SleepUntil(at) => Some(at.max(now + Span::ms(1))),
            Poll::Wait => None,
            Poll::Yield => Some(now + Span::ms(1)),
        };
        false
    }

    fn take_output(&mut self) {
        for chunk in self.io.output.take() {
            let to = if chunk.stream == Stream::Stdout { &mut self.returned.out } else { &mut self.returned.err };
            if to.len() < OUTPUT_MAX {
                to.push_str(&String::from_utf8_lossy(&chunk.bytes));
            }
        }
    }
}
