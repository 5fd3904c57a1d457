//! How long things take on a node, in milliseconds.
//!
//! Source: `docs/semantics/latencies.md`, read from the recordings; the kubelet's own periods from
//! `docs/semantics/kubelet.md` §1. Every range is drawn from with keyed chance.

use std::fmt;

use values::rng::Rng;
use values::time::Span;

/// A least and a most.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    least_ms: i64,
    most_ms: i64,
}

const fn range(least_ms: i64, most_ms: i64) -> Range {
    Range { least_ms, most_ms }
}

impl Range {
    pub fn draw(self, rng: Rng, purpose: &str, key: fmt::Arguments<'_>) -> Span {
        Span::ms(rng.between_of(purpose, key, self.least_ms, self.most_ms))
    }
}

/// A Pod is bound → the kubelet has heard of it and syncs.
pub const HEAR: Range = range(4, 18);
/// A status is decided and it is its turn → it is in the API. A kubelet writes one status after the other.
pub const STATUS_WRITE: Range = range(6, 16);
/// First sync → volumes are mounted.
pub const MOUNT: Range = range(300, 315);
/// Volumes mounted → the sandbox runs, for a Pod that starts alone.
pub const SANDBOX: Range = range(90, 220);
/// More for each Pod of the node that starts at the same time.
pub const SANDBOX_PER_OTHER: Range = range(150, 240);
/// Sandbox is up → the first image is looked at.
pub const IMAGE: Range = range(2, 10);
/// Looking up an image that is on the node with `imagePullPolicy: Always`, or pulling a small one from a near registry.
pub const PULL_NEAR: Range = range(8, 36);
/// A pull that fails.
pub const PULL_FAILS: Range = range(12, 60);
/// Image is there → container created.
pub const CREATE: Range = range(8, 40);
/// Created → started.
pub const START: Range = range(70, 130);
/// An object that a Pod has files from changed → the files do. (`syncFrequency`, and a little)
pub const DATA: Range = range(8_000, 75_000);
/// How much longer that takes for each other Pod of the node that starts at the same time, in hundredths.
pub const START_PERCENT_PER_OTHER: i64 = 45;
/// Started → the program does its first thing.
pub const FIRST_STEP: Range = range(25, 60);
/// Start is done → the status says so (the relist that the sync asks for).
pub const RELIST_AT_ONCE: Range = range(4, 14);
/// What a signal takes to reach a process, and its end to be noticed by whoever waits for it.
pub const SIGNAL: Range = range(8, 30);
/// All containers stopped → the sandbox is gone too.
pub const SANDBOX_STOP: Range = range(110, 240);
/// A tick of the runtime's list → the last status of a Pod that has ended.
pub const LAST_STATUS: Range = range(40, 330);
/// A Pod is past its deadline → its containers are stopped.
pub const DEADLINE_PAUSE: Range = range(300, 500);
/// All stopped → what is left of a Pod that was told to end is cleaned up, and its last status due.
pub const CLEAN_UP: Range = range(120, 900);
/// The last status → the kubelet deletes the Pod from the API.
pub const DELETE: Range = range(17, 40);
/// A request between two containers, one way.
pub const NETWORK: Range = range(1, 3);
/// An exec'd command, from asking to its first step.
pub const EXEC: Range = range(15, 45);

/// The runtime's list of containers is read this often (PLEG); the reading itself takes a little.
pub const RELIST_PERIOD_MS: i64 = 1010;
/// Pods whose wait is over are looked at this often (`syncLoop`).
pub const SYNC_PERIOD_MS: i64 = 1000;
/// A sync that failed is tried again after this, times 1 to 1.5 (`backOffPeriod`).
pub const ERROR_BACK_OFF: Span = Span::secs(10);
/// The longest a back-off waits for its next sync, times 1 to 1.5 (`syncFrequency`).
pub const SYNC_FREQUENCY: Span = Span::secs(60);
/// The shortest grace a container gets (`minimumGracePeriodInSeconds`).
pub const MINIMUM_GRACE: Span = Span::secs(2);
/// A mount that failed is tried again after this, doubled each time …
pub const MOUNT_RETRY: Span = Span::ms(500);
/// … at most this.
pub const MOUNT_RETRY_MAX: Span = Span::ms(122_000);
/// A program that used its share of steps goes on after this.
pub const BUSY_STEP: Span = Span::ms(100);
/// The node's lease is renewed this often (10 s and up to 4 % more).
pub const LEASE_PERIOD_MS: i64 = 10_200;
/// The node's conditions are reported this often even if nothing changed.
pub const NODE_REPORT_PERIOD: Span = Span::mins(5);
