//! Check sums: `md5sum`, `sha1sum`, `sha256sum`, `sha512sum`, `cksum`.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::filter::{Filter, Flow, start};
use super::text::cloned;
use super::{Call, Outcome, parse_args};

/// The sum of bytes, in hexadecimal.
#[derive(Clone)]
enum Summing {
    Md5(Md5),
    Sha1(Sha1),
    Sha224(Sha224),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
    /// POSIX' CRC, and how many bytes there were.
    Crc(u32, u64),
}

impl Summing {
    fn of(name: &str) -> Summing {
        match name {
            "md5sum" => Summing::Md5(Md5::new()),
            "sha1sum" => Summing::Sha1(Sha1::new()),
            "sha224sum" => Summing::Sha224(Sha224::new()),
            "sha256sum" => Summing::Sha256(Sha256::new()),
            "sha384sum" => Summing::Sha384(Sha384::new()),
            "sha512sum" => Summing::Sha512(Sha512::new()),
            _ => Summing::Crc(0, 0),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        match self {
            Summing::Md5(sum) => sum.update(bytes),
            Summing::Sha1(sum) => sum.update(bytes),
            Summing::Sha224(sum) => sum.update(bytes),
            Summing::Sha256(sum) => sum.update(bytes),
            Summing::Sha384(sum) => sum.update(bytes),
            Summing::Sha512(sum) => sum.update(bytes),
            Summing::Crc(crc, length) => {
                *length += bytes.len() as u64;
                bytes.iter().for_each(|byte| *crc = crc_step(*crc, *byte));
            }
        }
    }

    fn shown(self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Summing::Md5(sum) => hex(&sum.finalize()),
            Summing::Sha1(sum) => hex(&sum.finalize()),
            Summing::Sha224(sum) => hex(&sum.finalize()),
            Summing::Sha256(sum) => hex(&sum.finalize()),
            Summing::Sha384(sum) => hex(&sum.finalize()),
            Summing::Sha512(sum) => hex(&sum.finalize()),
            Summing::Crc(mut crc, length) => {
                let mut rest = length;
                while rest > 0 {
                    crc = crc_step(crc, rest as u8);
                    rest >>= 8;
                }
                format!("{} {length}", !crc)
            }
        }
    }
}

fn crc_step(crc: u32, byte: u8) -> u32 {
    (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 })
}

#[derive(Clone)]
struct Sum {
    name: &'static str,
    sum: Summing,
    named: bool,
}

impl Filter for Sum {
    cloned!();
    fn in_pieces(&self) -> bool {
        true
    }
    fn begin_file(&mut self, _: &str, _: &mut Call<'_>) {
        self.sum = Summing::of(self.name);
    }
    fn take(&mut self, bytes: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        call.work_bytes += bytes.len();
        self.sum.take(bytes);
        Flow::More
    }
    fn end_file(&mut self, name: &str, call: &mut Call<'_>) {
        let sum = std::mem::replace(&mut self.sum, Summing::Crc(0, 0)).shown();
        let blank = if self.name == "cksum" { " " } else { "  " };
        call.out(&match self.name == "cksum" && !self.named {
            true => format!("{sum}\n"),
            false => format!("{sum}{blank}{name}\n"),
        });
    }
}

pub fn sum(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("check", 'c'),
        ("quiet", 'q'),
        ("status", 's'),
        ("binary", 'b'),
        ("text", 't'),
        ("strict", 'w'),
        ("warn", 'w'),
    ];
    let args = parse_args!(call, "cbtsw", "", &long);
    if args.has('c') {
        return check(call, &args);
    }
    let filter = Sum { name: call.name, sum: Summing::of(call.name), named: !args.operands.is_empty() };
    start(call, filter, args.operands, 1)
}

/// `-c`: the sums of a list are compared with those of the files.
fn check(call: &mut Call<'_>, args: &super::Args) -> Outcome {
    let name = call.name;
    let (mut failed, mut unread, mut lines) = (0, 0, 0);
    for list in &args.operands {
        let bytes = match call.read_file(list) {
            Ok(bytes) => bytes,
            Err(error) => {
                let text =
                    if call.is_ash() { format!("can't open '{list}': {error}") } else { format!("{list}: {error}") };
                call.err(name, &text);
                return Outcome::Done(1);
            }
        };
        for line in String::from_utf8_lossy(&bytes).lines() {
            let Some((wanted, file)) = line.split_once(' ') else { continue };
            let file = file.strip_prefix([' ', '*']).unwrap_or(file);
            lines += 1;
            let result = match call.read_file(file) {
                Ok(bytes) => {
                    let mut sum = Summing::of(name);
                    sum.take(&bytes);
                    call.work_bytes += bytes.len();
                    if sum.shown() == wanted.to_ascii_lowercase() { "OK" } else { "FAILED" }
                }
                Err(error) => {
                    let text = if call.is_ash() {
                        format!("can't open '{file}': {error}")
                    } else {
                        format!("{file}: {error}")
                    };
                    call.err(name, &text);
                    unread += 1;
                    "FAILED open or read"
                }
            };
            failed += usize::from(result == "FAILED");
            let quiet = args.has('s') || args.has('q') && result == "OK";
            if !(quiet || call.is_ash() && result.contains("open")) {
                call.out(&format!("{file}: {result}\n"));
            }
        }
    }
    if lines == 0 && !call.is_ash() {
        let list = args.operands.first().cloned().unwrap_or_default();
        call.err(name, &format!("{list}: no properly formatted checksum lines found"));
        return Outcome::Done(1);
    }
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let bad = failed + if call.is_ash() { unread } else { 0 };
    if !call.is_ash() && unread > 0 {
        call.err(name, &format!("WARNING: {unread} listed file{} could not be read", plural(unread)));
    }
    if bad > 0 && !args.has('s') {
        let text = match call.is_ash() {
            true => format!("WARNING: {bad} of {lines} computed checksums did NOT match"),
            false => format!("WARNING: {bad} computed checksum{} did NOT match", plural(bad)),
        };
        call.err(name, &text);
    }
    Outcome::Done(i32::from(failed + unread > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_the_known_ones() {
        for (name, want) in [
            ("md5sum", "900150983cd24fb0d6963f7d28e17f72"),
            ("sha1sum", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("sha256sum", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("cksum", "1219131554 3"),
        ] {
            let mut sum = Summing::of(name);
            sum.take(b"abc");
            assert_eq!(sum.shown(), want, "{name}");
        }
    }
}
