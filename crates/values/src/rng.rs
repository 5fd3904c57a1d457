//! Randomness by key: every draw names what it is for and which object it belongs to.
//!
//! Rule (design §1): one seed and one scenario give one run. A draw therefore never depends on how many draws were
//! made before it, only on `(seed, purpose, key)`; adding a draw somewhere leaves all others as they were.

use std::fmt::{self, Write};

use crate::hashed::{FNV1A_EMPTY, fnv1a};

/// The letters Kubernetes uses for generated suffixes (`k8s.io/apimachinery/pkg/util/rand`).
pub const SUFFIX_LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The source of all draws of a run. It has no state beyond the seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rng {
    seed: u64,
}

impl Rng {
    pub const fn new(seed: u64) -> Rng {
        Rng { seed }
    }

    /// A stream of draws for one purpose (`"start-delay"`) and one key (a Pod's uid and container, say).
    pub fn stream(self, purpose: &str, key: &str) -> Stream {
        let mut hash = Hash::new(self.seed, purpose);
        hash.take(key.as_bytes());
        hash.stream()
    }

    /// The same with a key that is put together (`format_args!("{uid}/{container}")`).
    pub fn stream_of(self, purpose: &str, key: fmt::Arguments<'_>) -> Stream {
        let mut hash = Hash::new(self.seed, purpose);
        hash.write_fmt(key).expect("the hash takes any text");
        hash.stream()
    }

    /// One draw in `low..=high`.
    pub fn between(self, purpose: &str, key: &str, low: i64, high: i64) -> i64 {
        self.stream(purpose, key).between(low, high)
    }

    /// One draw in `low..=high`, by a key that is put together.
    pub fn between_of(self, purpose: &str, key: fmt::Arguments<'_>, low: i64, high: i64) -> i64 {
        self.stream_of(purpose, key).between(low, high)
    }

    /// Five letters for a generated name.
    pub fn suffix(self, purpose: &str, key: &str) -> String {
        self.stream(purpose, key).letters(5)
    }

    /// A version 4 UUID for an object.
    pub fn uuid(self, key: fmt::Arguments<'_>) -> String {
        let mut stream = self.stream_of("uid", key);
        let (a, b) = (stream.next(), stream.next());
        let b = (b & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        let a = (a & !0xf000) | 0x4000;
        let mut digits =
            [a, b].into_iter().flat_map(|half| (0..16).rev().map(move |place| (half >> (4 * place)) & 0xf));
        let mut text = String::with_capacity(36);
        for length in [8, 4, 4, 4, 12] {
            if !text.is_empty() {
                text.push('-');
            }
            text.extend(digits.by_ref().take(length).map(|digit| char::from(HEX_DIGITS[digit as usize])));
        }
        text
    }
}

/// A run of draws (SplitMix64).
#[derive(Clone, Debug)]
pub struct Stream {
    state: u64,
}

impl Stream {
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A draw in `low..=high`; `low` if the range is empty.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        let width = (high - low) as u64 + 1;
        low + (self.next() % width) as i64
    }

    /// True with a chance of `percent` in a hundred.
    pub fn chance(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    pub fn letters(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(SUFFIX_LETTERS[(self.next() % 27) as usize])).collect()
    }

    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from(HEX_DIGITS[(self.next() % 16) as usize])).collect()
    }
}

/// What a stream of draws begins with: the seed, the purpose and the key, byte by byte.
struct Hash(u64);

impl Hash {
    fn new(seed: u64, purpose: &str) -> Hash {
        let mut hash = Hash(FNV1A_EMPTY ^ mix(seed));
        hash.take(purpose.as_bytes());
        hash.take(&[0xff]);
        hash
    }

    fn take(&mut self, bytes: &[u8]) {
        self.0 = fnv1a(self.0, bytes);
    }

    fn stream(self) -> Stream {
        Stream { state: mix(self.0) }
    }
}

impl fmt::Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.take(text.as_bytes());
        Ok(())
    }
}

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_seed_purpose_and_key_only() {
        let rng = Rng::new(7);
        assert_eq!(rng.between("a", "x", 0, 1_000_000), rng.between("a", "x", 0, 1_000_000));
        assert_ne!(rng.suffix("pod", "1"), rng.suffix("pod", "2"));
        assert_ne!(rng.suffix("pod", "1"), Rng::new(8).suffix("pod", "1"));
        assert_ne!(rng.suffix("ab", "c"), rng.suffix("a", "bc"));
    }

    #[test]
    fn a_key_may_be_put_together() {
        let (rng, number) = (Rng::new(7), 12);
        assert_eq!(rng.stream("a", "pod/12").next(), rng.stream_of("a", format_args!("pod/{number}")).next());
    }

    #[test]
    fn ranges_hold_and_reach_their_ends() {
        let mut stream = Rng::new(1).stream("range", "");
        let draws: Vec<i64> = (0..1000).map(|_| stream.between(3, 5)).collect();
        assert!(draws.iter().all(|d| (3..=5).contains(d)));
        assert!(draws.contains(&3) && draws.contains(&5));
        assert_eq!(stream.between(9, 2), 9);
    }

    #[test]
    fn uuids_look_like_uuids() {
        let uuid = Rng::new(1).uuid(format_args!("pod/default/a"));
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert!(uuid.split('-').nth(2).unwrap().starts_with('4'));
    }
}
