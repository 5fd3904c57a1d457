//! `tr`: translates, squeezes or deletes bytes.

use super::filter::{Filter, Flow, start};
use super::text::cloned;
use super::{Call, Outcome, parse_args};
use crate::escapes::{Style, unescape};
use crate::expand::pattern::in_class;

#[derive(Clone, Debug)]
struct Tr {
    /// What each byte becomes; `None`: deleted.
    map: Vec<Option<u8>>,
    squeezed: Vec<bool>,
    last: Option<u8>,
}

impl Filter for Tr {
    cloned!();
    fn in_pieces(&self) -> bool {
        true
    }
    fn take(&mut self, bytes: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        let mut out = Vec::with_capacity(bytes.len());
        for byte in bytes.iter().filter_map(|byte| self.map[usize::from(*byte)]) {
            if !(self.squeezed[usize::from(byte)] && self.last == Some(byte)) {
                out.push(byte);
            }
            self.last = Some(byte);
        }
        call.out_bytes(&out);
        Flow::More
    }
}

pub fn tr(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "cCdst", "");
    let (delete, squeeze) = (args.has('d'), args.has('s'));
    let [first, rest @ ..] = args.operands.as_slice() else { return call.usage(1) };
    if rest.is_empty() && !delete && !squeeze {
        return call.usage(1);
    }
    let mut from = set(first);
    if args.has('c') || args.has('C') {
        from = (0..=255).filter(|byte| !from.contains(byte)).collect();
    }
    let to = rest.first().map(|text| set(text)).unwrap_or_default();
    let mut map: Vec<Option<u8>> = (0..=255).map(Some).collect();
    let mut squeezed = vec![false; 256];
    for (i, byte) in from.iter().enumerate() {
        if delete {
            map[usize::from(*byte)] = None;
        } else if let Some(target) = to.get(i).or(to.last()) {
            map[usize::from(*byte)] = Some(*target);
        }
    }
    if squeeze {
        let set = if to.is_empty() { &from } else { &to };
        set.iter().for_each(|byte| squeezed[usize::from(*byte)] = true);
    }
    start(call, Tr { map, squeezed, last: None }, Vec::new(), 1)
}

/// `a-z`, `[:upper:]`, `\n`, and plain characters.
fn set(text: &str) -> Vec<u8> {
    let text = unescape(text, Style::Printf).0.into_bytes();
    let mut bytes = Vec::new();
    let mut i = 0;
    while i < text.len() {
        let rest = &text[i..];
        if let Some(class) = rest.strip_prefix(b"[:") {
            let name: Vec<u8> = class.iter().copied().take_while(|byte| *byte != b':').collect();
            if class[name.len()..].starts_with(b":]") {
                let name = String::from_utf8_lossy(&name).into_owned();
                bytes.extend((0..128u8).filter(|byte| in_class(&name, char::from(*byte))));
                i += name.len() + 4;
                continue;
            }
        }
        match rest {
            [low, b'-', high, ..] if low <= high => {
                bytes.extend(*low..=*high);
                i += 3;
            }
            _ => {
                bytes.push(rest[0]);
                i += 1;
            }
        }
    }
    bytes
}
