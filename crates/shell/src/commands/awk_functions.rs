//! The functions of `awk`, and `printf` formats.

use super::Call;
use super::awk::{Awk, FS, Item, RLENGTH, RSTART};
use super::awk_value::{Bytes, Value, leading_number};
use super::echo::Spec;
use crate::expand::MAX_BYTES;
use crate::regex::{Captures, Regex};
use values::time::SimTime;

impl Awk {
    pub(super) fn builtin(&mut self, name: &str, count: usize, call: &mut Call<'_>) {
        match name {
            // `sub` and `gsub` leave the new text on the stack; their count comes after it was set.
            "keep count" => return,
            "count" => return self.push(Value::Number(self.count)),
            "sub" | "gsub" => return self.substitute(name == "gsub", call),
            "gensub" => return self.gensub(count, call),
            "split" => return self.split_into(count, call),
            "length of" => {
                let length = match self.pop_item() {
                    Item::Array(array) => self.arrays[array].len(),
                    Item::Value(value) => self.text(&value).len(),
                    Item::Regex(_) => 1,
                };
                return self.push(Value::Number(length as f64));
            }
            "match" => {
                let pattern = self.pop_item();
                let value = self.pop();
                let text = self.text(&value);
                call.work_bytes += text.len() / 4;
                let found = self.regex(&pattern).and_then(|regex| regex.find(&text, 0)?[0]);
                let (start, length) = found.map_or((0.0, -1.0), |(from, to)| (from as f64 + 1.0, (to - from) as f64));
                self.set_special(RSTART, Value::Number(start));
                self.set_special(RLENGTH, Value::Number(length));
                return self.push(Value::Number(start));
            }
            "sprintf" => {
                let text = self.format(count);
                return self.push(Value::Text(text.into()));
            }
            "length" if count == 0 => {
                let length = self.whole_record().len();
                return self.push(Value::Number(length as f64));
            }
            _ => {}
        }
        let mut args: Vec<Value> = (0..count).map(|_| self.pop()).collect();
        args.reverse();
        let value = self.plain(name, &args, call);
        self.push(value);
    }

    /// Functions of values alone.
    fn plain(&mut self, name: &str, args: &[Value], call: &mut Call<'_>) -> Value {
        let number = |n: usize| args.get(n).map_or(0.0, Value::number);
        let text =
            |awk: &Awk, n: usize| args.get(n).map(|value| awk.text(value)).unwrap_or_else(|| Bytes::from(&b""[..]));
        let bits = |n: usize| number(n) as u64;
        Value::Number(match name {
            "length" => text(self, 0).len() as f64,
            "substr" => return Value::Text(self.substr(args)),
            "index" => {
                let (text, part) = (text(self, 0), text(self, 1));
                call.work_bytes += text.len() / 8;
                let found = match part.is_empty() {
                    true => Some(0).filter(|_| !text.is_empty()),
                    false => text.windows(part.len()).position(|window| *window == part[..]),
                };
                found.map_or(0.0, |at| at as f64 + 1.0)
            }
            "toupper" => return Value::Text(text(self, 0).to_ascii_uppercase().into()),
            "tolower" => return Value::Text(text(self, 0).to_ascii_lowercase().into()),
            "int" => number(0).trunc(),
            "sqrt" => number(0).sqrt(),
            "sin" => number(0).sin(),
            "cos" => number(0).cos(),
            "atan2" => number(0).atan2(number(1)),
            "exp" => number(0).exp(),
            "log" => number(0).ln(),
            "rand" => {
                self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (self.seed >> 11) as f64 / (1u64 << 53) as f64
            }
            "srand" => {
                let before = self.seeded;
                self.seeded = if args.is_empty() { self.now.secs() as f64 } else { number(0) };
                self.seed = self.seeded.to_bits();
                before
            }
            "systime" => self.now.secs() as f64,
            "strftime" => {
                let format = if args.is_empty() { Bytes::from(&b"%a %b %e %H:%M:%S %Z %Y"[..]) } else { text(self, 0) };
                let at = if args.len() > 1 { SimTime::from_secs(number(1) as i64) } else { self.now };
                let pattern = String::from_utf8_lossy(&format).into_owned();
                return Value::text_of(&super::date::format_time(at, &pattern));
            }
            "mktime" => {
                let text = String::from_utf8_lossy(&text(self, 0)).into_owned();
                let parts: Vec<i64> = text.split_whitespace().filter_map(|part| part.parse().ok()).collect();
                match parts.as_slice() {
                    [year, month, day, hour, minute, second, ..] => {
                        let date = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
                        SimTime::parse_rfc3339(&date).map_or(-1.0, |at| at.secs() as f64)
                    }
                    _ => -1.0,
                }
            }
            "and" => (bits(0) & bits(1)) as f64,
            "or" => (bits(0) | bits(1)) as f64,
            "xor" => (bits(0) ^ bits(1)) as f64,
            "lshift" => bits(0).wrapping_shl(bits(1) as u32) as f64,
            "rshift" => bits(0).wrapping_shr(bits(1) as u32) as f64,
            "compl" => !bits(0) as f64,
            _ => 0.0,
        })
    }

    /// busybox begins at 1 when it is told less, with the whole length; mawk counts the length from where it was told.
    fn substr(&self, args: &[Value]) -> Bytes {
        let text = args.first().map(|value| self.text(value)).unwrap_or_else(|| Bytes::from(&b""[..]));
        let from = args.get(1).map_or(1.0, Value::number);
        let length = args.get(2).map(Value::number);
        let (from, until) = if self.wide {
            let from = (from.round() - 1.0).clamp(0.0, text.len() as f64);
            let count = length.map_or(f64::MAX, |length| length.round().max(0.0));
            (from, (from + count).min(text.len() as f64))
        } else {
            let start = from.round() - 1.0;
            let end = length.map_or(f64::MAX, |length| (from + length).round() - 1.0);
            (start.clamp(0.0, text.len() as f64), end.clamp(0.0, text.len() as f64))
        };
        if from >= until { Bytes::from(&b""[..]) } else { text[from as usize..until as usize].into() }
    }

    fn split_into(&mut self, count: usize, call: &mut Call<'_>) {
        let separator = (count > 2).then(|| self.pop_item());
        let array = self.pop_item();
        let value = self.pop();
        let text = self.text(&value);
        call.work_bytes += text.len();
        let parts = match separator {
            Some(Item::Regex(regex)) if text.is_empty() => {
                debug_assert!(regex.groups() < 1000, "an expression has few groups");
                Vec::new()
            }
            Some(Item::Regex(regex)) => self.split_by(&text, &regex),
            Some(Item::Value(value)) => {
                let separator = self.text(&value);
                self.split(&text, &separator, false)
            }
            _ => {
                let separator = self.text_of(FS);
                self.split(&text, &separator, false)
            }
        };
        let number = parts.len();
        if let Item::Array(array) = array {
            self.arrays[array].clear();
            for (part, n) in parts.into_iter().zip(1..) {
                self.put(array, n.to_string().as_bytes().into(), Value::Input(part));
            }
        } else {
            self.error = Some("split: the second argument is no array".into());
        }
        self.push(Value::Number(number as f64));
    }

    /// `sub` and `gsub`: text, pattern, replacement on the stack; leaves the new text, and the count aside.
    fn substitute(&mut self, all: bool, call: &mut Call<'_>) {
        let with = self.pop();
        let pattern = self.pop_item();
        let value = self.pop();
        let (with, text) = (self.text(&with), self.text(&value));
        self.count = 0.0;
        let Some(regex) = self.regex(&pattern) else { return self.push(value) };
        let (out, count, work) = replaced(&regex, &text, &with, if all { 0 } else { 1 }, false);
        call.work_bytes += text.len() + usize::try_from(work).unwrap_or(usize::MAX);
        self.count = count as f64;
        self.push(if count > 0 { Value::Text(out.into()) } else { value });
    }

    /// `gensub(pattern, with, how, text)`
    fn gensub(&mut self, count: usize, call: &mut Call<'_>) {
        let text = if count > 3 {
            let value = self.pop();
            self.text(&value)
        } else {
            self.whole_record()
        };
        let how = self.pop();
        let with = self.pop();
        let pattern = self.pop_item();
        let (how, with) = (self.text(&how), self.text(&with));
        let which = if how.first().is_some_and(|c| c.eq_ignore_ascii_case(&b'g')) {
            0
        } else {
            leading_number(&String::from_utf8_lossy(&how)).max(1.0) as usize
        };
        let Some(regex) = self.regex(&pattern) else { return self.push(Value::Unset) };
        let (out, _, work) = replaced(&regex, &text, &with, which, true);
        call.work_bytes += text.len() + usize::try_from(work).unwrap_or(usize::MAX);
        self.push(Value::Text(out.into()));
    }

    /// `printf`'s text: the format and its values are on the stack.
    pub(super) fn format(&mut self, count: usize) -> Vec<u8> {
        let mut args: Vec<Value> = (0..count).map(|_| self.pop()).collect();
        args.reverse();
        let mut args = args.into_iter();
        let format = args.next().map(|value| self.text(&value)).unwrap_or_else(|| Bytes::from(&b""[..]));
        let mut out: Vec<u8> = Vec::new();
        let mut rest = &format[..];
        while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
            out.extend_from_slice(&rest[..at]);
            rest = &rest[at + 1..];
            let text = String::from_utf8_lossy(rest).into_owned();
            let mut spec = Spec::default();
            let behind = spec.read(&text, &mut || args.next().map_or(0, |value| value.number() as i64));
            let Some(kind) = behind.chars().next() else {
                out.push(b'%');
                continue;
            };
            rest = &rest[rest.len().min(text.len() - behind.len() + kind.len_utf8())..];
            match kind {
                '%' => out.push(b'%'),
                'c' => {
                    let value = args.next().unwrap_or(Value::Unset);
                    let bytes = match value.comparable().filter(|_| !matches!(value, Value::Text(_) | Value::Input(_)))
                    {
                        Some(number) => vec![number as u64 as u8],
                        None => self.text(&value).iter().take(1).copied().collect(),
                    };
                    out.extend(spec.bytes(&bytes));
                }
                's' => {
                    let value = args.next().unwrap_or(Value::Unset);
                    out.extend(spec.bytes(&self.text(&value)));
                }
                'd' | 'i' | 'o' | 'x' | 'X' | 'u' => {
                    let number = args.next().map_or(0.0, |value| value.number());
                    out.extend(spec.integer(kind, number as i64).bytes());
                }
                'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                    let number = args.next().map_or(0.0, |value| value.number());
                    out.extend(spec.real(kind, number).bytes());
                }
                other => {
                    out.push(b'%');
                    out.extend(other.to_string().bytes());
                }
            }
            if out.len() > MAX_BYTES {
                self.error = Some("out of memory".into());
                break;
            }
        }
        out.extend_from_slice(rest);
        out
    }
}

/// The text with matches replaced (`which` 0: all), how many, and how much work it was. `groups`: `\\1` counts.
fn replaced(regex: &Regex, text: &[u8], with: &[u8], which: usize, groups: bool) -> (Vec<u8>, usize, u64) {
    let (mut out, mut copied, mut count, mut seen, mut work) = (Vec::new(), 0, 0, 0, 0);
    super::sed::matches(regex, text, &mut work, |found| {
        let Some((start, end)) = found[0] else { return false };
        seen += 1;
        if which > 0 && seen < which {
            return true;
        }
        out.extend_from_slice(&text[copied..start]);
        fill(with, found, text, groups, &mut out);
        copied = end;
        count += 1;
        which == 0 && out.len() < MAX_BYTES
    });
    out.extend_from_slice(&text[copied..]);
    (out, count, work)
}

/// What replaces a match: `&` is the match, `\\&` a plain one; other backslashes stay.
fn fill(with: &[u8], found: &Captures, text: &[u8], groups: bool, out: &mut Vec<u8>) {
    let matched = |n: usize| found.get(n).copied().flatten().map_or(&[][..], |(start, end)| &text[start..end]);
    let mut i = 0;
    while let Some(byte) = with.get(i) {
        match (byte, with.get(i + 1)) {
            (b'\\', Some(b'&')) => {
                out.push(b'&');
                i += 1;
            }
            (b'\\', Some(b'\\')) => {
                out.push(b'\\');
                i += 1;
            }
            (b'\\', Some(digit @ b'0'..=b'9')) if groups => {
                out.extend_from_slice(matched(usize::from(digit - b'0')));
                i += 1;
            }
            (b'&', _) => out.extend_from_slice(matched(0)),
            (byte, _) => out.push(*byte),
        }
        i += 1;
    }
}
