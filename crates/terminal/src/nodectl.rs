//! `nodectl stop|start NODE`: freezes a node's kubelet, and lets it go on. The recordings' own command for "a node fails".

use api::kind::Kind;
use cluster::Cluster;
use shell::{Io, Poll};

pub fn run(argv: &[String], cluster: &mut Cluster, io: &mut Io) -> Poll {
    let [verb, node] = argv else {
        io.err("usage: nodectl stop|start NODE\n");
        return Poll::Exit(2);
    };
    if cluster.store().find(Kind::Node, "", node).is_none() {
        io.err(&format!("nodectl: no node \"{node}\"\n"));
        return Poll::Exit(1);
    }
    let done = match verb.as_str() {
        "stop" => cluster.freeze_node(node),
        "start" => cluster.thaw_node(node),
        _ => {
            io.err("usage: nodectl stop|start NODE\n");
            return Poll::Exit(2);
        }
    };
    match done {
        Ok(()) => Poll::Exit(0),
        Err(why) => {
            io.err(&format!("nodectl: {why}\n"));
            Poll::Exit(1)
        }
    }
}
