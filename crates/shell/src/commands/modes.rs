//! Permissions as `chmod` reads and `ls -l` shows them, and paths without links.

use crate::host::{FileInfo, FileKind, System};

/// The permissions that a mode such as `755`, `u+x` or `go-w,a=r` makes of others.
pub fn changed_mode(text: &str, old: u32, directory: bool, mask: u32) -> Option<u32> {
    if text.bytes().all(|c| c.is_ascii_digit()) && !text.is_empty() {
        return u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    }
    let mut mode = old;
    for clause in text.split(',') {
        let who_len = clause.find(|c| !"ugoa".contains(c)).unwrap_or(clause.len());
        let (who, mut rest) = clause.split_at(who_len);
        let all = who.is_empty() || who.contains('a');
        let mut shifts = Vec::new();
        for (letter, shift) in [('u', 6), ('g', 3), ('o', 0)] {
            if all || who.contains(letter) {
                shifts.push(shift);
            }
        }
        if rest.is_empty() {
            return None;
        }
        while let Some(sign) = rest.chars().next() {
            if !"+-=".contains(sign) {
                return None;
            }
            let len = rest[1..].find(['+', '-', '=']).map_or(rest.len(), |n| n + 1);
            let letters = &rest[1..len];
            rest = &rest[len..];
            let (mut bits, mut special) = (0, 0);
            for letter in letters.chars() {
                match letter {
                    'r' => bits |= 4,
                    'w' => bits |= 2,
                    'x' => bits |= 1,
                    'X' if directory || mode & 0o111 != 0 => bits |= 1,
                    'X' => {}
                    's' => special |= if who.contains('g') && !who.contains('u') { 0o2000 } else { 0o4000 },
                    't' => special |= 0o1000,
                    'u' => bits |= mode >> 6 & 7,
                    'g' => bits |= mode >> 3 & 7,
                    'o' => bits |= mode & 7,
                    _ => return None,
                }
            }
            let masked = if who.is_empty() { !mask } else { !0 };
            for shift in &shifts {
                let own = bits << shift & masked;
                match sign {
                    '+' => mode |= own,
                    '-' => mode &= !own,
                    _ => mode = mode & !(7 << shift) | own,
                }
            }
            match sign {
                '-' => mode &= !special,
                _ => mode |= special,
            }
        }
    }
    Some(mode)
}

/// `drwxr-xr-x`
pub fn shown_mode(info: &FileInfo) -> String {
    let mut text = String::new();
    text.push(match info.kind {
        FileKind::File => '-',
        FileKind::Directory => 'd',
        FileKind::Link => 'l',
        FileKind::Device => 'c',
        FileKind::Pipe => 'p',
    });
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = info.mode >> shift & 7;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & 1 != 0, info.mode & special != 0) {
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// A path without symbolic links; `None` if a part of it is not there.
pub fn real_path(system: &dyn System, path: &str) -> Option<String> {
    let mut todo: Vec<String> = path.split('/').rev().filter(|part| !part.is_empty()).map(str::to_string).collect();
    let (mut done, mut links) = (String::new(), 0);
    while let Some(part) = todo.pop() {
        match part.as_str() {
            "." => continue,
            ".." => {
                done.truncate(done.rfind('/').unwrap_or(0));
                continue;
            }
            _ => {}
        }
        let here = format!("{done}/{part}");
        match system.read_link(&here) {
            Ok(target) => {
                links += 1;
                if links > 40 {
                    return None;
                }
                if target.starts_with('/') {
                    done.clear();
                }
                todo.extend(target.split('/').rev().filter(|part| !part.is_empty()).map(str::to_string));
            }
            Err(_) => {
                if system.info(&here).is_err() && !todo.is_empty() {
                    return None;
                }
                done = here;
            }
        }
    }
    Some(if done.is_empty() { "/".to_string() } else { done })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_changed_by_letters_and_numbers() {
        for (text, old, want) in [
            ("755", 0o644, Some(0o755)),
            ("+x", 0o644, Some(0o755)),
            ("u+x,go-r", 0o644, Some(0o700)),
            ("a=r", 0o777, Some(0o444)),
            ("u=rwX", 0o644, Some(0o644)),
            ("x", 0o644, None),
            ("9", 0o644, None),
        ] {
            assert_eq!(changed_mode(text, old, false, 0o022), want, "{text}");
        }
    }
}
