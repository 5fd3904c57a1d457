//! `kubectl port-forward`: ports of this machine that lead to a Pod, for as long as the command runs.
//!
//! Source: `kubectl/pkg/cmd/portforward/portforward.go`, `client-go/tools/portforward`.

use crate::host::Desk;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, Waiting, common, pods};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::pod::Pod;
use api::status::ApiError;
use cluster::net;
use shell::{Io, Poll};

pub const VERB: Verb = Verb {
    name: "port-forward",
    summary: "Forward ports of this machine to a Pod",
    usage: "kubectl port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] =
    &[flag("address", Takes::List, "The addresses to listen on").default("localhost"), common::POD_RUNNING_TIMEOUT];

/// The lowest port that is given away when none is asked for.
const FREE_PORTS_FROM: u16 = 32768;

/// The ports that are forwarded now, of all terminals.
#[derive(Clone, Debug, Default)]
pub struct Forwards {
    open: Vec<Forward>,
    opened: u64,
    /// Grows with every connection, so that whoever forwards looks again.
    pub(crate) connections: u64,
}

#[derive(Clone, Debug)]
struct Forward {
    id: u64,
    pod: Key,
    local: u16,
    remote: u16,
    /// Connections that were not told yet.
    untold: u32,
    lost: bool,
}

impl Forwards {
    /// Where a connection to a port of this machine goes. It counts as handled.
    pub fn connect(&mut self, local: u16) -> Option<(Key, u16)> {
        let forward = self.open.iter_mut().find(|f| f.local == local)?;
        forward.untold += 1;
        self.connections += 1;
        Some((forward.pod.clone(), forward.remote))
    }

    /// The other end refused or is gone: the forwarding ends.
    pub fn lose(&mut self, local: u16) {
        self.open.iter_mut().filter(|f| f.local == local).for_each(|f| f.lost = true);
    }

    fn is_taken(&self, local: u16) -> bool {
        self.open.iter().any(|f| f.local == local)
    }

    fn add(&mut self, pod: &Key, local: u16, remote: u16) -> u64 {
        self.opened += 1;
        self.open.push(Forward { id: self.opened, pod: pod.clone(), local, remote, untold: 0, lost: false });
        self.opened
    }
}

/// A port-forward that runs.
#[derive(Clone, Debug)]
pub struct Forwarding {
    ids: Vec<u64>,
}

impl Forwarding {
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let mut lost = false;
        for forward in desk.forwards.open.iter_mut().filter(|f| self.ids.contains(&f.id)) {
            for _ in 0..std::mem::take(&mut forward.untold) {
                io.out(&format!("Handling connection for {}\n", forward.local));
            }
            lost |= forward.lost;
        }
        if lost {
            io.err("error: lost connection to pod\n");
            self.cancel(desk);
            return Poll::Exit(1);
        }
        Poll::Wait
    }

    /// Closes the ports.
    pub fn cancel(&mut self, desk: &mut Desk<'_>) {
        desk.forwards.open.retain(|f| !self.ids.contains(&f.id));
    }
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    match begin(call) {
        Ok(forwarding) => Outcome::Waits(Waiting::Forward(forwarding)),
        Err(outcome) => outcome,
    }
}

fn begin(call: &mut Call<'_, '_>) -> Result<Forwarding, Outcome> {
    let args = call.parsed.args.clone();
    let [word, ports @ ..] = args.as_slice() else {
        return Err(call.misused("TYPE/NAME and list of ports are required for port-forward"));
    };
    if ports.is_empty() {
        return Err(call.misused("TYPE/NAME and list of ports are required for port-forward"));
    }
    let key = pods::named(call, word).map_err(|text| call.fail(&text))?;
    let Some(object) = call.desk.cluster.store().get(&key).cloned() else {
        return Err(call.refuse(&ApiError::not_found(key.kind, &key.name)));
    };
    if !pods::has_pods(key.kind) {
        let kind = key.kind.name();
        return Err(call.fail(&format!("cannot attach to *v1.{kind}: selector for *v1.{kind} not implemented")));
    }
    let found = pods::of(call.desk.cluster.store(), &object).unwrap_or_default();
    let Some(pod) = pods::best_for_attaching(&found) else {
        return Err(call.fail("timed out waiting for the condition"));
    };
    let pairs: Result<Vec<_>, String> = ports.iter().map(|port| read_port(port, &object, pod.pod())).collect();
    let pairs = pairs.map_err(|text| call.fail(&text))?;
    if pod.pod().status.phase != "Running" {
        let phase = &pod.pod().status.phase;
        return Err(call.fail(&format!("unable to forward port because pod is not running. Current status={phase}")));
    }
    let mut ids = Vec::new();
    for (local, remote) in &pairs {
        let local = match local {
            0 => (FREE_PORTS_FROM..).find(|port| !call.desk.forwards.is_taken(*port)).unwrap_or(FREE_PORTS_FROM),
            port => *port,
        };
        if call.desk.forwards.is_taken(local) {
            call.io.err(&format!(
                "Unable to listen on port {local}: Listeners failed to create with the following errors: [unable to \
                 create listener: Error listen tcp4 127.0.0.1:{local}: bind: address already in use unable to create \
                 listener: Error listen tcp6 [::1]:{local}: bind: address already in use]\n"
            ));
            continue;
        }
        ids.push(call.desk.forwards.add(&pod.key(), local, *remote));
        for host in ["127.0.0.1", "[::1]"] {
            call.io.out(&format!("Forwarding from {host}:{local} -> {remote}\n"));
        }
    }
    if ids.is_empty() {
        let list: Vec<String> = pairs.iter().map(|(local, remote)| format!("{{{local} {remote}}}")).collect();
        return Err(call.fail(&format!("unable to listen on any of the requested ports: [{}]", list.join(" "))));
    }
    Ok(Forwarding { ids })
}

/// `8080`, `8080:80`, `:80`, `8080:http`: the port here (0: any) and the Pod's.
fn read_port(text: &str, object: &Object, pod: &Pod) -> Result<(u16, u16), String> {
    let (local, remote) = text.split_once(':').unwrap_or((text, text));
    let number: Option<u16> = remote.parse().ok();
    let target = match object.kind() {
        Kind::Service => {
            let ports = &object.service().spec.ports;
            let named = ports.iter().find(|p| p.name == remote || Some(p.port) == number.map(i32::from));
            let named = named.ok_or_else(|| match number {
                Some(_) => format!("Service {} does not have a service port {remote}", object.name()),
                None => format!("Service {} does not have a named port '{remote}'", object.name()),
            })?;
            net::target_port(named, pod).and_then(|port| u16::try_from(port).ok())
        }
        _ => number.or_else(|| {
            let mut ports = pod.spec.containers.iter().flat_map(|c| &c.ports);
            ports.find(|p| p.name == remote).and_then(|p| u16::try_from(p.container_port).ok())
        }),
    };
    let invalid = |port: &str| {
        let why = if port.bytes().all(|b| b.is_ascii_digit()) { "value out of range" } else { "invalid syntax" };
        format!("error parsing local port '{port}': strconv.ParseUint: parsing \"{port}\": {why}")
    };
    let target = target.ok_or_else(|| format!("Pod '{}' does not have a named port '{remote}'", pod.metadata.name))?;
    // A port of a Service given alone is listened on under its own number.
    let local = match local {
        "" => 0,
        text => match text.parse() {
            Ok(port) => port,
            Err(_) if text == remote => target,
            Err(_) => return Err(invalid(text)),
        },
    };
    Ok((local, target))
}
