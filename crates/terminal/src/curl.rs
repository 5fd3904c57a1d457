//! `curl` on the user's machine: it reaches the ports that `kubectl port-forward` opens, and nothing inside the cluster.

use crate::command::Args;
use crate::host::Desk;
use cluster::net::{Answer, NetError, Request};
use cluster::program::wget;
use shell::{Io, Poll};

/// Runs it; the answer comes at once.
pub fn run(args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
    Poll::Exit(wget::curl_at_once(&args.argv, &args.cwd, desk, io, ask))
}

/// Services and Pods have addresses that lead nowhere from here, and names that only the cluster's DNS knows.
fn ask(desk: &mut Desk<'_>, request: &Request) -> Answer {
    let local = matches!(request.host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    if !local {
        let is_address = request.host.chars().all(|c| c.is_ascii_digit() || c == '.');
        return Err(match is_address {
            true => NetError::TimedOut { address: request.host.clone(), port: request.port },
            false => NetError::NoSuchHost { host: request.host.clone() },
        });
    }
    let Some((pod, port)) = desk.forwards.connect(request.port) else {
        return Err(NetError::Refused { address: request.host.clone(), port: request.port });
    };
    desk.cluster.request(&pod, port, request).map_err(|_| {
        desk.forwards.lose(request.port);
        NetError::Closed { address: request.host.clone(), port: request.port }
    })
}
