//! Two files beside each other: `diff`, `cmp`, `comm`, `join`; and `paste`.

use super::{Call, Outcome, parse_args};
use crate::FileError;

/// Lines that `diff` compares.
const MAX_LINES: usize = 20_000;
/// Differences it looks for.
const MAX_STEPS: usize = 4000;

/// A file's bytes; standard input is not among them here.
fn read(call: &mut Call<'_>, name: &str) -> Result<Vec<u8>, FileError> {
    call.read_file(name)
}

fn missing(call: &mut Call<'_>, file: &str, error: FileError, status: i32) -> Outcome {
    let name = call.name;
    let text = match (call.is_ash(), name) {
        (true, "cmp" | "diff") => {
            format!("can't stat '{file}': {error}").replace(if name == "cmp" { "stat" } else { "\0" }, "open")
        }
        (true, _) => format!("can't open '{file}': {error}"),
        (false, _) => format!("{file}: {error}"),
    };
    call.err(name, &text);
    Outcome::Done(status)
}

pub fn cmp(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "sl", "n", &[("silent", 's'), ("quiet", 's'), ("verbose", 'l'), ("bytes", 'n')]);
    let [first, second, ..] = args.operands.as_slice() else { return call.missing("missing operand", 2) };
    let mut both = Vec::new();
    for file in [first, second] {
        match read(call, file) {
            Ok(bytes) => both.push(bytes),
            Err(_) if args.has('s') => return Outcome::Done(2),
            Err(error) => return missing(call, file, error, 2),
        }
    }
    let limit = args.value('n').and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
    let (a, b) = (&both[0][..both[0].len().min(limit)], &both[1][..both[1].len().min(limit)]);
    let differs = a.iter().zip(b).position(|(x, y)| x != y);
    if args.has('l') {
        for (i, (x, y)) in a.iter().zip(b).enumerate().filter(|(_, (x, y))| x != y) {
            call.out(&format!("{} {x:>3o} {y:>3o}\n", i + 1));
        }
    }
    match differs {
        Some(at) => {
            let line = a[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            if !args.has('s') && !args.has('l') {
                let unit = if call.is_ash() { "char" } else { "byte" };
                call.out(&format!("{first} {second} differ: {unit} {}, line {line}\n", at + 1));
            }
            Outcome::Done(1)
        }
        None if a.len() != b.len() => {
            let shorter = if a.len() < b.len() { first } else { second };
            if !args.has('s') {
                let bytes = a.len().min(b.len());
                let text = match call.is_ash() {
                    true => format!("EOF on {shorter}"),
                    false => format!(
                        "EOF on {shorter} after byte {bytes}, in line {}",
                        a.iter().take(bytes).filter(|byte| **byte == b'\n').count() + 1
                    ),
                };
                call.err("cmp", &text);
            }
            Outcome::Done(1)
        }
        None => Outcome::Done(0),
    }
}

/// A run of lines that differ: from and to in both files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    a: (usize, usize),
    b: (usize, usize),
}

/// What turns one list of lines into another, by Myers' greedy search.
fn changes(a: &[Vec<u8>], b: &[Vec<u8>]) -> Vec<Change> {
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (n, m) = (a.len() - start - end, b.len() - start - end);
    let whole = Change { a: (start, start + n), b: (start, start + m) };
    if n == 0 || m == 0 {
        return if n + m == 0 { Vec::new() } else { vec![whole] };
    }
    let (a, b) = (&a[start..start + n], &b[start..start + m]);
    let most = (n + m).min(MAX_STEPS);
    let middle = most as i64 + 1;
    let mut reach = vec![0usize; 2 * most + 3];
    let mut trace: Vec<Vec<usize>> = Vec::new();
    let mut found = false;
    for d in 0..=most as i64 {
        trace.push(reach[(middle - d.max(1)) as usize..=(middle + d.max(1)) as usize].to_vec());
        for k in (-d..=d).step_by(2) {
            let at = (middle + k) as usize;
            let down = k == -d || k != d && reach[at - 1] < reach[at + 1];
            let mut x = if down { reach[at + 1] } else { reach[at - 1] + 1 };
            let mut y = (x as i64 - k) as usize;
            while x < n && y < m && a[x] == b[y] {
                x += 1;
                y += 1;
            }
            reach[at] = x;
            if x >= n && y >= m {
                found = true;
                break;
            }
        }
        if found {
            break;
        }
    }
    if !found {
        return vec![whole];
    }
    // Back along the way that was taken.
    let (mut x, mut y) = (n, m);
    let mut edits: Vec<(usize, usize, bool)> = Vec::new();
    for d in (1..trace.len() as i64).rev() {
        let before = &trace[d as usize];
        let value = |k: i64| before.get((k + d.max(1)) as usize).copied().unwrap_or(0);
        let k = x as i64 - y as i64;
        let down = k == -d || k != d && value(k - 1) < value(k + 1);
        let from = if down { k + 1 } else { k - 1 };
        let (px, py) = (value(from), (value(from) as i64 - from).max(0) as usize);
        while x > px && y > py && !(down && y == py + 1 && x == px || !down && x == px + 1 && y == py) {
            x -= 1;
            y -= 1;
        }
        edits.push((px, py, down));
        (x, y) = (px, py);
    }
    edits.reverse();
    let mut out: Vec<Change> = Vec::new();
    for (x, y, down) in edits {
        let (a, b) = match down {
            true => ((x, x), (y, y + 1)),
            false => ((x, x + 1), (y, y)),
        };
        match out.last_mut() {
            Some(last) if last.a.1 == a.0 && last.b.1 == b.0 => (last.a.1, last.b.1) = (a.1, b.1),
            _ => out.push(Change { a, b }),
        }
    }
    let moved = |(from, to): (usize, usize)| (from + start, to + start);
    out.into_iter().map(|change| Change { a: moved(change.a), b: moved(change.b) }).collect()
}

pub fn diff(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("unified", 'u'),
        ("brief", 'q'),
        ("recursive", 'r'),
        ("ignore-case", 'i'),
        ("ignore-all-space", 'w'),
        ("ignore-space-change", 'b'),
        ("ignore-blank-lines", 'B'),
        ("new-file", 'N'),
        ("report-identical-files", 's'),
        ("text", 'a'),
        ("color", 'Z'),
        ("label", 'L'),
    ];
    let args = parse_args!(call, "uqriwbBNsadtT", "UL", &long);
    let [first, second, ..] = args.operands.as_slice() else { return call.missing("missing operand", 2) };
    let (first, second) = (first.clone(), second.clone());
    let directory = |call: &Call<'_>, name: &str| call.system.info(&call.path(name)).is_ok_and(|info| info.directory());
    if directory(call, &first) && directory(call, &second) {
        return trees(call, &args, &first, &second);
    }
    let inside = |folder: &str, file: &str| super::fs::join(folder, super::fs::base(file));
    let a = if directory(call, &first) { inside(&first, &second) } else { first };
    let b = if directory(call, &second) { inside(&second, &a) } else { second };
    Outcome::Done(pair(call, &args, &a, &b))
}

/// Directories: what is in one only, and files that differ.
fn trees(call: &mut Call<'_>, args: &super::Args, first: &str, second: &str) -> Outcome {
    let list = |call: &Call<'_>, name: &str| call.system.list_dir(&call.path(name)).unwrap_or_default();
    let (a, b) = (list(call, first), list(call, second));
    let mut names: Vec<String> = a.iter().chain(&b).cloned().collect();
    names.sort();
    names.dedup();
    let mut status = 0;
    for name in names {
        let (left, right) = (super::fs::join(first, &name), super::fs::join(second, &name));
        match (a.contains(&name), b.contains(&name)) {
            (true, false) => call.out(&format!("Only in {first}: {name}\n")),
            (false, true) => call.out(&format!("Only in {second}: {name}\n")),
            _ => {
                let both =
                    |path: &str, call: &Call<'_>| call.system.info(&call.path(path)).is_ok_and(|info| info.directory());
                if both(&left, call) && both(&right, call) {
                    if args.has('r') {
                        if let Outcome::Done(code) = trees(call, args, &left, &right) {
                            status = status.max(code);
                        }
                    } else {
                        call.out(&format!("Common subdirectories: {left} and {right}\n"));
                    }
                } else {
                    status = status.max(pair(call, args, &left, &right));
                }
                continue;
            }
        }
        status = 1;
    }
    Outcome::Done(status)
}

fn pair(call: &mut Call<'_>, args: &super::Args, first: &str, second: &str) -> i32 {
    let mut both = Vec::new();
    for file in [first, second] {
        match read(call, file) {
            Ok(bytes) => both.push(bytes),
            Err(error) => {
                missing(call, file, error, 2);
                return 2;
            }
        }
    }
    if both[0] == both[1] {
        if args.has('s') {
            call.out(&format!("Files {first} and {second} are identical\n"));
        }
        return 0;
    }
    let lines = |bytes: &[u8]| bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (a, b) = (lines(&both[0]), lines(&both[1]));
    call.work_bytes += (a.len() + b.len()) * 64;
    let key = |line: &Vec<u8>| -> Vec<u8> {
        let mut line = line.clone();
        if args.has('i') {
            line.make_ascii_lowercase();
        }
        if args.has('w') {
            line.retain(|byte| !byte.is_ascii_whitespace());
        } else if args.has('b') {
            line = line.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(&b' ');
        }
        line
    };
    if a.len() + b.len() > MAX_LINES {
        call.err("diff", "Batchyard's diff compares no more than 20000 lines");
        return 2;
    }
    let (ka, kb): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (a.iter().map(key).collect(), b.iter().map(key).collect());
    let mut found = changes(&ka, &kb);
    if args.has('B') {
        let blank = |lines: &[Vec<u8>]| lines.iter().all(|line| line.iter().all(u8::is_ascii_whitespace));
        found.retain(|change| !(blank(&a[change.a.0..change.a.1]) && blank(&b[change.b.0..change.b.1])));
    }
    if found.is_empty() {
        return 0;
    }
    if args.has('q') {
        call.out(&format!("Files {first} and {second} differ\n"));
        return 1;
    }
    // busybox knows the unified form only.
    let unified = args.has('u') || args.has('U') || call.is_ash();
    let context = args.value('U').and_then(|text| text.parse().ok()).unwrap_or(3);
    let text = match unified {
        true => {
            let labels: Vec<&String> =
                args.options.iter().filter(|(letter, _)| *letter == 'L').map(|(_, label)| label).collect();
            let head = |name: &str, n: usize, call: &Call<'_>| match labels.get(n) {
                Some(label) => (*label).clone(),
                None if call.is_ash() => name.to_string(),
                None => {
                    let time = call.system.info(&call.path(name)).map(|info| info.modified);
                    let time =
                        time.map(|time| super::date::format_time(time, "%Y-%m-%d %H:%M:%S.%N %z")).unwrap_or_default();
                    format!("{name}\t{time}")
                }
            };
            let (one, two) = (head(first, 0, call), head(second, 1, call));
            let mut out = format!("--- {one}\n+++ {two}\n").into_bytes();
            out.extend(unified_text(&a, &b, &found, context));
            out
        }
        false => plain_text(&a, &b, &found),
    };
    call.out_bytes(&text);
    1
}

fn put(out: &mut Vec<u8>, mark: &str, line: &[u8]) {
    out.extend(mark.bytes());
    out.extend_from_slice(line);
    if !line.ends_with(b"\n") {
        out.extend(b"\n\\ No newline at end of file\n");
    }
}

fn unified_text(a: &[Vec<u8>], b: &[Vec<u8>], changes: &[Change], context: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < changes.len() {
        let mut end = at;
        while end + 1 < changes.len() && changes[end + 1].a.0 - changes[end].a.1 <= context * 2 {
            end += 1;
        }
        let (first, last) = (changes[at], changes[end]);
        let from = (first.a.0.saturating_sub(context), first.b.0 - first.a.0.min(context).min(first.b.0));
        let to = ((last.a.1 + context).min(a.len()), (last.b.1 + context).min(b.len()));
        let span = |from: usize, to: usize| match to - from {
            0 => format!("{from},0"),
            1 => format!("{}", from + 1),
            n => format!("{},{n}", from + 1),
        };
        out.extend(format!("@@ -{} +{} @@\n", span(from.0, to.0), span(from.1, to.1)).bytes());
        let mut line = from.0;
        for change in &changes[at..=end] {
            a[line..change.a.0].iter().for_each(|line| put(&mut out, " ", line));
            a[change.a.0..change.a.1].iter().for_each(|line| put(&mut out, "-", line));
            b[change.b.0..change.b.1].iter().for_each(|line| put(&mut out, "+", line));
            line = change.a.1;
        }
        a[line..to.0].iter().for_each(|line| put(&mut out, " ", line));
        at = end + 1;
    }
    out
}

fn plain_text(a: &[Vec<u8>], b: &[Vec<u8>], changes: &[Change]) -> Vec<u8> {
    let mut out = Vec::new();
    for Change { a: (a0, a1), b: (b0, b1) } in changes.iter().copied() {
        let span = |from: usize, to: usize| match to - from {
            0 => from.to_string(),
            1 => (from + 1).to_string(),
            _ => format!("{},{to}", from + 1),
        };
        let letter = match (a1 > a0, b1 > b0) {
            (true, true) => 'c',
            (true, false) => 'd',
            _ => 'a',
        };
        out.extend(format!("{}{letter}{}\n", span(a0, a1), span(b0, b1)).bytes());
        a[a0..a1].iter().for_each(|line| put(&mut out, "< ", line));
        if letter == 'c' {
            out.extend(b"---\n");
        }
        b[b0..b1].iter().for_each(|line| put(&mut out, "> ", line));
    }
    out
}

pub fn comm(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "123", "");
    let [first, second, ..] = args.operands.as_slice() else { return call.missing("missing operand", 1) };
    let mut both = Vec::new();
    for file in [first, second] {
        match read(call, file) {
            Ok(bytes) => both.push(bytes),
            Err(error) => return missing(call, file, error, 1),
        }
    }
    let lines = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if bytes.is_empty() { Vec::new() } else { text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect() }
    };
    let (a, b) = (lines(&both[0]), lines(&both[1]));
    let (mut i, mut j) = (0, 0);
    let tabs = [0, usize::from(!args.has('1')), usize::from(!args.has('1')) + usize::from(!args.has('2'))];
    while i < a.len() || j < b.len() {
        let order = match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) => x.cmp(y),
            (Some(_), None) => std::cmp::Ordering::Less,
            _ => std::cmp::Ordering::Greater,
        };
        let (column, line) = match order {
            std::cmp::Ordering::Less => (0, &a[i]),
            std::cmp::Ordering::Greater => (1, &b[j]),
            std::cmp::Ordering::Equal => (2, &a[i]),
        };
        i += usize::from(order.is_le());
        j += usize::from(order.is_ge());
        if !args.has(['1', '2', '3'][column]) {
            call.out_bytes(&["\t".repeat(tabs[column]).as_bytes(), line, b"\n"].concat());
        }
    }
    Outcome::Done(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Vec<u8>> {
        text.split_inclusive('\n').map(|line| line.as_bytes().to_vec()).collect()
    }

    #[test]
    fn differences_are_the_shortest() {
        let (a, b) = (lines("a\nb\nc\nd\n"), lines("a\nx\nc\nd\ne\n"));
        let found = changes(&a, &b);
        assert_eq!(String::from_utf8(plain_text(&a, &b, &found)).unwrap(), "2c2\n< b\n---\n> x\n4a5\n> e\n");
        let unified = String::from_utf8(unified_text(&a, &b, &found, 3)).unwrap();
        assert_eq!(unified, "@@ -1,4 +1,5 @@\n a\n-b\n+x\n c\n d\n+e\n");
        assert!(changes(&a, &a).is_empty());
    }
}
