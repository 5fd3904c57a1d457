//! Text to look things up by, where its own order does not matter.
//!
//! Uids and the names of Pods begin alike or lie far apart in memory, so that finding one among ten thousand looks at a
//! dozen of them. Sorted by a number made of the text, they are told from each other without being looked at.

use std::rc::Rc;

/// A text, sorted by its hash and only then by itself. The order is the same in every run.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Hashed {
    hash: u64,
    text: Rc<str>,
}

impl From<Rc<str>> for Hashed {
    fn from(text: Rc<str>) -> Hashed {
        Hashed { hash: fnv1a(FNV1A_EMPTY, text.as_bytes()), text }
    }
}

/// The hash of no bytes at all.
pub const FNV1A_EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

/// The hash of what `hash` is of, followed by `bytes` (FNV-1a, 64 bits).
pub fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
