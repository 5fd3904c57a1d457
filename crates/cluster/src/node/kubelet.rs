//! One node's kubelet: its beats, the images on its disk, its addresses, and whether it is alive.

use crate::node::Task;
use crate::node::latency::{LEASE_PERIOD_MS, RELIST_PERIOD_MS, SYNC_PERIOD_MS};
use crate::node::worker::PodId;
use crate::program::image::Images;
use values::rng::Rng;
use values::sorted::SortedSet;
use values::time::{SimTime, Span};
use values::value::Text;

#[derive(Clone, Debug)]
pub struct Kubelet {
    pub name: String,
    /// `172.30.0.1`
    pub ip: Text,
    /// Allocatable, as quantities.
    pub cpu: String,
    pub memory: String,
    pub index: usize,
    /// Full names of the images on the node.
    pub images: SortedSet<String>,
    /// When the one pull at a time that it makes is done.
    pub pulls_until: SimTime,
    /// Pods that it has looked at, whether it takes them or not, without those that were seen to be over.
    pub admitted: Vec<PodId>,
    /// When the status it writes last is written: it writes one after the other.
    pub statuses_until: SimTime,
    /// Pods whose sandbox is being made.
    pub starting: i64,
    next_address: u32,
    relist_phase_ms: i64,
    sync_phase_ms: i64,
    lease_phase_ms: i64,
    /// What waits for the frozen kubelet.
    put_off: Vec<Task>,
    frozen: bool,
    /// When the lease was last renewed, while it is no longer.
    pub renewed_at: Option<SimTime>,
    /// The whole machine is dead, not only its kubelet.
    pub dead: bool,
    /// It was taken away for good. It keeps its place, since others are counted from it.
    pub taken_away: bool,
}

impl Kubelet {
    pub fn new(index: usize, name: &str, cpu: &str, memory: &str, images: &Images, rng: Rng) -> Kubelet {
        Kubelet {
            name: name.to_owned(),
            ip: format!("172.30.0.{}", index + 1).into(),
            cpu: cpu.to_owned(),
            memory: memory.to_owned(),
            index,
            images: images.present().collect(),
            pulls_until: SimTime::EPOCH,
            admitted: Vec::new(),
            statuses_until: SimTime::EPOCH,
            starting: 0,
            next_address: 2,
            relist_phase_ms: rng.between("relist-phase", name, 0, RELIST_PERIOD_MS - 1),
            sync_phase_ms: rng.between("sync-phase", name, 0, SYNC_PERIOD_MS - 1),
            lease_phase_ms: rng.between("lease-phase", name, 0, LEASE_PERIOD_MS - 1),
            put_off: Vec::new(),
            frozen: false,
            renewed_at: None,
            dead: false,
            taken_away: false,
        }
    }

    /// The next time the runtime's list is read.
    pub fn next_relist(&self, now: SimTime) -> SimTime {
        next_beat(now, self.relist_phase_ms, RELIST_PERIOD_MS)
    }

    /// The first beat at or after `at` at which Pods whose wait is over are looked at.
    pub fn sync_beat(&self, at: SimTime) -> SimTime {
        next_beat(SimTime::from_millis(at.millis() - 1), self.sync_phase_ms, SYNC_PERIOD_MS)
    }

    /// The kubelet falls silent: its lease was renewed for the last time up to a period ago.
    pub fn fall_silent(&mut self, now: SimTime) {
        let period = LEASE_PERIOD_MS;
        let last = next_beat(now, self.lease_phase_ms, period) - Span::ms(period);
        self.renewed_at.get_or_insert(last);
    }

    /// An address for a new Pod.
    pub fn new_address(&mut self) -> String {
        let number = self.next_address;
        self.next_address += 1;
        // 250 addresses in a /24, then the next one, as a node with a larger range has it.
        format!("10.244.{}.{}", self.index as u32 + 10 * ((number - 2) / 250), 2 + (number - 2) % 250)
    }

    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    pub fn freeze(&mut self) {
        self.frozen = true;
    }

    /// Thaws it; what had waited is handed over.
    pub fn thaw(&mut self) -> Vec<Task> {
        self.frozen = false;
        std::mem::take(&mut self.put_off)
    }

    pub fn put_off(&mut self, task: Task) {
        if !self.put_off.contains(&task) {
            self.put_off.push(task);
        }
    }
}

/// The first `phase + k·period` after `now`.
fn next_beat(now: SimTime, phase_ms: i64, period_ms: i64) -> SimTime {
    let since = (now.millis() - phase_ms).div_euclid(period_ms);
    SimTime::from_millis(phase_ms + (since + 1) * period_ms)
}
