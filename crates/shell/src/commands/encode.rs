//! `base64`.

use super::filter::{Filter, Flow, start};
use super::text::cloned;
use super::{Call, Outcome, parse_args};
use crate::expand::MAX_BYTES;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[derive(Clone, Debug)]
struct Base64 {
    decode: bool,
    /// Characters of a line; 0: one line.
    columns: usize,
    bytes: Vec<u8>,
}

impl Filter for Base64 {
    cloned!();
    fn in_pieces(&self) -> bool {
        true
    }
    fn take(&mut self, bytes: &[u8], _: bool, _: &mut Call<'_>) -> Flow {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > MAX_BYTES { Flow::Stop } else { Flow::More }
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        if self.decode {
            let (bytes, intact) = decode(&self.bytes);
            call.out_bytes(&bytes);
            if !(intact || call.is_ash() && bytes.is_empty()) {
                let text = if call.is_ash() { "truncated input" } else { "invalid input" };
                call.err("base64", text);
            }
            return i32::from(!(intact || call.is_ash() && bytes.is_empty()));
        }
        let text = encode(&self.bytes);
        let columns = if self.columns == 0 { text.len().max(1) } else { self.columns };
        for line in text.as_bytes().chunks(columns) {
            call.out_bytes(line);
            if self.columns > 0 {
                call.out("\n");
            }
        }
        0
    }
}

/// Standard base64 with padding.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let value = group.iter().fold(0u32, |value, byte| value << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let digit = ALPHABET[(value >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

/// Base32 with padding.
pub(crate) fn encode32(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut out = String::new();
    for group in bytes.chunks(5) {
        let mut value = group.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte)) << (8 * (5 - group.len()));
        value <<= 24;
        let digits = (group.len() * 8).div_ceil(5);
        for i in 0..8 {
            let digit = alphabet[(value >> 59) as usize & 31];
            value <<= 5;
            out.push(if i < digits { char::from(digit) } else { '=' });
        }
    }
    out
}

/// What can be read of a base64 text, and whether that is all of it.
pub fn decode(text: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let (mut value, mut bits) = (0u32, 0);
    for byte in text.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b'=') {
        let Some(digit) = ALPHABET.iter().position(|known| known == byte) else { return (out, false) };
        value = (value << 6 | digit as u32) & 0xff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((value >> bits) as u8);
        }
    }
    (out, bits < 6)
}

pub fn base64(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "di", "w", &[("decode", 'd'), ("wrap", 'w')]);
    let columns = args.value('w').and_then(|text| text.parse().ok()).unwrap_or(76);
    start(call, Base64 { decode: args.has('d'), columns, bytes: Vec::new() }, args.operands, 1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_padded() {
        for (plain, coded) in [("", ""), ("s", "cw=="), ("se", "c2U="), ("sec", "c2Vj"), ("secret", "c2VjcmV0")] {
            assert_eq!(super::encode(plain.as_bytes()), coded);
        }
    }
}
