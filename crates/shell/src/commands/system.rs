//! What a machine says of itself: users, processes, disks, memory; and commands that wait, lock or signal.

use super::fs::join;
use super::ls::{blocks, human};
use super::{Call, Outcome, State, parse_args};
use crate::interp::Nested;
use crate::process::Stream;
use values::time::Span;

/// Directories below each other that `du` goes into.
const MAX_DEPTH: usize = 50;

/// Users every image has.
const USERS: [(&str, u32); 8] = [
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("mail", 8),
    ("www-data", 33),
    ("operator", 37),
    ("nobody", 65534),
];

/// The name of a user, from `/etc/passwd` or those every image has.
pub(super) fn user_name(call: &Call<'_>, number: u32) -> Option<String> {
    let text = String::from_utf8_lossy(&call.system.read_file("/etc/passwd").unwrap_or_default()).into_owned();
    let line = text.lines().find(|line| line.split(':').nth(2) == Some(&number.to_string()));
    let own = line.and_then(|line| line.split(':').next()).map(str::to_string);
    own.or_else(|| USERS.iter().find(|(_, known)| *known == number).map(|(name, _)| (*name).to_string()))
}

/// The number of a user or a group.
pub(super) fn user_number(call: &Call<'_>, name: &str, group: bool) -> Option<u32> {
    let file = if group { "/etc/group" } else { "/etc/passwd" };
    let text = String::from_utf8_lossy(&call.system.read_file(file).unwrap_or_default()).into_owned();
    let line = text.lines().find(|line| line.split(':').next() == Some(name));
    let own = line.and_then(|line| line.split(':').nth(2)).and_then(|number| number.parse().ok());
    let name = if name == "nogroup" { "nobody" } else { name };
    own.or_else(|| USERS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number))
}

pub fn ps(call: &mut Call<'_>) -> Outcome {
    let (user, _) = call.system.user();
    let rows: Vec<(u32, String)> = call.processes.to_vec();
    let words = call.args.join(" ");
    let columns: Option<Vec<String>> =
        call.args.iter().position(|arg| arg.starts_with("-o") || arg == "o").and_then(|at| {
            let attached = call.args[at].trim_start_matches("-o").trim_start_matches('o');
            let list = if attached.is_empty() { call.args.get(at + 1)?.clone() } else { attached.to_string() };
            Some(list.split(',').map(str::to_string).collect())
        });
    let mut text = String::new();
    match columns {
        Some(columns) => {
            let titles: Vec<String> =
                columns.iter().map(|column| column.trim_end_matches('=').to_uppercase()).collect();
            if !columns.iter().all(|column| column.ends_with('=')) {
                text.push_str(&format!("{}\n", titles.join(" ")));
            }
            for (pid, line) in &rows {
                let name = line.split(' ').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
                let cells: Vec<String> = columns
                    .iter()
                    .map(|column| match column.trim_end_matches('=') {
                        "pid" => format!("{pid:>5}"),
                        "ppid" => format!("{:>5}", if *pid == 1 { 0 } else { 1 }),
                        "user" | "uid" => user.clone(),
                        "comm" => name.to_string(),
                        "args" | "cmd" | "command" => line.clone(),
                        "stat" | "s" => "S".into(),
                        _ => "-".into(),
                    })
                    .collect();
                text.push_str(&format!("{}\n", cells.join(" ")));
            }
        }
        None if call.is_ash() => {
            text.push_str("PID   USER     TIME  COMMAND\n");
            for (pid, line) in &rows {
                text.push_str(&format!("{pid:>5} {user:<8}  0:00 {line}\n"));
            }
        }
        None if words.contains("aux") => {
            text.push_str("USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n");
            for (pid, line) in &rows {
                text.push_str(&format!(
                    "{user:<8} {pid:>7}  0.0  0.0   4188  3200 ?        S    00:00   0:00 {line}\n"
                ));
            }
        }
        None if words.contains('f') => {
            text.push_str("UID          PID    PPID  C STIME TTY          TIME CMD\n");
            for (pid, line) in &rows {
                let parent = if *pid == 1 { 0 } else { 1 };
                text.push_str(&format!("{user:<8} {pid:>7} {parent:>7}  0 00:00 ?        00:00:00 {line}\n"));
            }
        }
        None => {
            text.push_str("    PID TTY          TIME CMD\n");
            for (pid, line) in &rows {
                let name = line.split(' ').next().unwrap_or_default();
                text.push_str(&format!("{pid:>7} ?        00:00:00 {name}\n"));
            }
        }
    }
    call.out(&text);
    Outcome::Done(0)
}

/// `pgrep` and `pidof`: numbers of processes by name.
pub fn pgrep(call: &mut Call<'_>) -> Outcome {
    let of_name = call.name == "pidof";
    let args = parse_args!(call, "flxovnca", "uPso");
    let Some(pattern) = args.operands.first() else { return call.usage(if of_name { 1 } else { 2 }) };
    let regex = crate::regex::Regex::extended(pattern, false);
    let mut found = Vec::new();
    for (pid, line) in call.processes {
        let name = line.split(' ').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let text = if args.has('f') { line.as_str() } else { name };
        let fits = match &regex {
            _ if of_name || args.has('x') => text == pattern,
            Ok(regex) => regex.is_match(text.as_bytes()),
            Err(_) => false,
        };
        if fits {
            found.push((*pid, line.clone()));
        }
    }
    let lines: Vec<String> = found
        .iter()
        .map(|(pid, line)| if args.has('l') || args.has('a') { format!("{pid} {line}") } else { pid.to_string() })
        .collect();
    if args.has('c') {
        call.out(&format!("{}\n", lines.len()));
    } else if !lines.is_empty() {
        call.out(&if of_name { format!("{}\n", lines.join(" ")) } else { format!("{}\n", lines.join("\n")) });
    }
    Outcome::Done(i32::from(found.is_empty()))
}

pub fn free(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "bkmghtw", "");
    let total: u64 = 16_384_000;
    let numbers = [total, 2_048_000, 10_240_000, 8_192, 4_096_000, 14_000_000];
    let shown = |kilobytes: u64| match () {
        () if args.has('b') => (kilobytes * 1024).to_string(),
        () if args.has('m') => (kilobytes / 1024).to_string(),
        () if args.has('g') => (kilobytes / 1024 / 1024).to_string(),
        () if args.has('h') => human(kilobytes * 1024),
        () => kilobytes.to_string(),
    };
    let cells: Vec<String> = numbers.iter().map(|number| format!("{:>12}", shown(*number))).collect();
    let zeros: Vec<String> = [0, 0, 0].iter().map(|number| format!("{:>12}", shown(*number))).collect();
    call.out(&format!(
        "{:>19}{:>12}{:>12}{:>12}{:>12}{:>12}\nMem:   {}\nSwap:  {}\n",
        "total",
        "used",
        "free",
        "shared",
        "buff/cache",
        "available",
        cells.concat(),
        zeros.concat()
    ));
    Outcome::Done(0)
}

pub fn uptime(call: &mut Call<'_>) -> Outcome {
    let now = call.system.now();
    let seconds = now.since(call.state.started).as_secs().max(0) + 3600;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let clock = now.format("%H:%M:%S");
    call.out(&format!(" {clock} up {hours:>2}:{minutes:02},  0 users,  load average: 0.10, 0.12, 0.09\n"));
    Outcome::Done(0)
}

pub fn df(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "hkmPTaiH", "tB", &[("human-readable", 'h'), ("output", 'O')]);
    let (total, used) = (62_671_097u64, 21_934_884u64);
    let free = total - used;
    let size = |kilobytes: u64| {
        if args.has('h') || args.has('H') {
            human(kilobytes * 1024)
        } else if args.has('m') {
            (kilobytes / 1024).to_string()
        } else {
            kilobytes.to_string()
        }
    };
    let unit = if args.has('h') {
        "Size"
    } else if args.has('m') {
        "1M-blocks"
    } else {
        "1K-blocks"
    };
    let percent = format!("{}%", (used * 100).div_ceil(total));
    let mut paths = args.operands.clone();
    if paths.is_empty() {
        paths.push("/".into());
    }
    let mut text = match (call.is_ash(), args.has('h')) {
        (true, true) => format!("Filesystem{:>16} {:>8} {:>9} Use% Mounted on\n", "Size", "Used", "Available"),
        (true, false) => format!("Filesystem{:>16} {:>8} {:>9} Use% Mounted on\n", unit, "Used", "Available"),
        (false, true) => {
            format!("{:<14} {:>5} {:>5} {:>5} {:>4} Mounted on\n", "Filesystem", unit, "Used", "Avail", "Use%")
        }
        (false, false) => {
            format!("{:<14} {:>9} {:>8} {:>9} {:>4} Mounted on\n", "Filesystem", unit, "Used", "Available", "Use%")
        }
    };
    let mut status = 0;
    for path in paths {
        let at = call.path(&path);
        if let Err(error) = call.system.info(&at) {
            let shown =
                if call.is_ash() { format!("{path}: can't find mount point") } else { format!("{path}: {error}") };
            call.err("df", &shown);
            status = 1;
            continue;
        }
        text.push_str(&match (call.is_ash(), args.has('h')) {
            (true, _) => format!("overlay{:>19} {:>8} {:>9} {percent:>4} /\n", size(total), size(used), size(free)),
            (false, true) => {
                format!("{:<14} {:>5} {:>5} {:>5} {percent:>4} /\n", "overlay", size(total), size(used), size(free))
            }
            (false, false) => {
                format!("{:<14} {:>9} {:>8} {:>9} {percent:>4} /\n", "overlay", size(total), size(used), size(free))
            }
        });
    }
    call.out(&text);
    Outcome::Done(status)
}

pub fn du(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("summarize", 's'),
        ("human-readable", 'h'),
        ("all", 'a'),
        ("total", 'c'),
        ("max-depth", 'd'),
        ("bytes", 'b'),
        ("apparent-size", 'A'),
    ];
    let args = parse_args!(call, "shackmxLHb", "dX", &long);
    let most = args.value('d').and_then(|text| text.parse::<usize>().ok()).unwrap_or(if args.has('s') {
        0
    } else {
        MAX_DEPTH
    });
    let mut roots = args.operands.clone();
    if roots.is_empty() {
        roots.push(".".into());
    }
    let (mut total, mut status, mut lines) = (0, 0, Vec::new());
    let bytes = args.has('b');
    for root in &roots {
        match weigh(call, root, 0, most, args.has('a'), bytes, &mut lines) {
            Ok(size) => total += size,
            Err(error) => {
                let text =
                    if call.is_ash() { format!("{root}: {error}") } else { format!("cannot access '{root}': {error}") };
                call.err("du", &text);
                status = 1;
            }
        }
    }
    if args.has('c') {
        lines.push((total, "total".to_string()));
    }
    for (size, name) in lines {
        let shown = match () {
            () if bytes => size.to_string(),
            () if args.has('h') => human(size * 1024),
            () if args.has('m') => size.div_ceil(1024).to_string(),
            () => size.to_string(),
        };
        call.out(&format!("{shown}\t{name}\n"));
    }
    Outcome::Done(status)
}

fn weigh(
    call: &Call<'_>,
    shown: &str,
    depth: usize,
    most: usize,
    all: bool,
    bytes: bool,
    lines: &mut Vec<(u64, String)>,
) -> Result<u64, crate::FileError> {
    let path = call.path(shown);
    let info = call.system.link_info(&path)?;
    let mut size = if bytes { info.size } else { blocks(&info) };
    if info.directory() && depth < MAX_DEPTH {
        for name in call.system.list_dir(&path)? {
            let child = join(shown, &name);
            size += weigh(call, &child, depth + 1, most, all, bytes, lines).unwrap_or(0);
        }
    }
    if depth == 0 || depth <= most && (info.directory() || all) {
        lines.push((size, shown.to_string()));
    }
    Ok(size)
}

/// `flock`, `setsid`, `chroot`-like commands that run another one: nobody else holds the lock here.
pub fn flock(call: &mut Call<'_>) -> Outcome {
    let mut args = call.args.to_vec();
    while let Some(option) = args.first().filter(|arg| arg.starts_with('-') && arg.len() > 1).cloned() {
        args.remove(0);
        if matches!(option.as_str(), "-w" | "--timeout" | "-E") && !args.is_empty() {
            args.remove(0);
        }
    }
    if args.is_empty() {
        return call.missing("requires file descriptor, file or directory", 64);
    }
    let file = args.remove(0);
    if args.is_empty() {
        return Outcome::Done(0);
    }
    let path = call.path(&file);
    if call.system.info(&path).is_err() && file.parse::<u32>().is_err() {
        let _ = call.system.write_file(&path, b"", true);
    }
    let argv = match args.as_slice() {
        [c, line, ..] if c == "-c" => vec!["sh".to_string(), "-c".to_string(), line.clone()],
        _ => args,
    };
    Outcome::Nests(Nested::Env { argv, set: Vec::new(), unset: Vec::new(), clear: false, started: false })
}

/// Commands in front of another that change nothing here.
pub fn prefix(call: &mut Call<'_>) -> Outcome {
    let takes: &[&str] = match call.name {
        "ionice" => &["-c", "-n", "-p"],
        "stdbuf" => &["-i", "-o", "-e"],
        _ => &[],
    };
    let mut args = call.args.to_vec();
    while let Some(option) = args.first().filter(|arg| arg.starts_with('-') && arg.len() > 1).cloned() {
        args.remove(0);
        if takes.contains(&option.as_str()) && !args.is_empty() {
            args.remove(0);
        }
    }
    if args.is_empty() {
        return call.usage(1);
    }
    Outcome::Nests(Nested::Env { argv: args, set: Vec::new(), unset: Vec::new(), clear: false, started: false })
}

pub fn usleep(call: &mut Call<'_>) -> Outcome {
    let Some(microseconds) = call.args.first().and_then(|text| text.parse::<i64>().ok()) else { return call.usage(1) };
    Outcome::Runs(State::Sleep { until: call.system.now() + Span::ms(microseconds / 1000) })
}

/// `getopt`: options put in order, quoted for `eval set --`.
pub fn getopt(call: &mut Call<'_>) -> Outcome {
    let (mut short, mut long, mut quiet) = (None, Vec::new(), false);
    let mut args = call.args.to_vec();
    let mut rest = Vec::new();
    while !args.is_empty() {
        let arg = args.remove(0);
        let mut value = |attached: &str| {
            if attached.is_empty() && !args.is_empty() { args.remove(0) } else { attached.to_string() }
        };
        match arg.as_str() {
            "--" => {
                rest = args;
                break;
            }
            "-q" | "--quiet" => quiet = true,
            "-u" | "-T" | "-a" => {}
            "-n" | "--name" => {
                value("");
            }
            "-o" | "--options" => short = Some(value("")),
            "-l" | "--long" | "--longoptions" => long.extend(value("").split(',').map(str::to_string)),
            option if option.starts_with("--long") => {
                long.extend(option.split_once('=').map_or("", |(_, list)| list).split(',').map(str::to_string));
            }
            option if option.starts_with("-o") => short = Some(option[2..].to_string()),
            option if short.is_none() => short = Some(option.to_string()),
            other => rest.push(other.to_string()),
        }
    }
    let short: Vec<char> = short.unwrap_or_default().trim_start_matches(['+', '-']).chars().collect();
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let (mut options, mut operands, mut status) = (Vec::new(), Vec::new(), 0);
    let mut words = rest.into_iter();
    while let Some(word) = words.next() {
        if word == "--" {
            operands.extend(words.by_ref());
            break;
        }
        if let Some(name) = word.strip_prefix("--") {
            let (name, attached) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
            let exact = long.iter().find(|known| known.trim_end_matches(':') == name);
            let known = exact.or_else(|| long.iter().find(|known| known.starts_with(name)));
            match known {
                None => {
                    status = 1;
                    if !quiet {
                        call.err("getopt", &format!("unrecognized option '--{name}'"));
                    }
                }
                Some(known) => {
                    options.push(format!("--{}", known.trim_end_matches(':')));
                    match (known.matches(':').count(), attached) {
                        (0, _) => {}
                        (_, Some(value)) => options.push(quoted(value)),
                        (1, None) => options.push(quoted(&words.next().unwrap_or_default())),
                        (_, None) => options.push("''".into()),
                    }
                }
            }
            continue;
        }
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            operands.push(word);
            continue;
        };
        for (i, letter) in letters.char_indices() {
            match short.iter().position(|known| *known == letter) {
                None => {
                    status = 1;
                    if !quiet {
                        let text = if call.is_ash() {
                            format!("unrecognized option: {letter}")
                        } else {
                            format!("invalid option -- '{letter}'")
                        };
                        call.err("getopt", &text);
                    }
                }
                Some(at) if short.get(at + 1) == Some(&':') => {
                    options.push(format!("-{letter}"));
                    let attached = &letters[i + letter.len_utf8()..];
                    let value = match attached.is_empty() && short.get(at + 2) != Some(&':') {
                        true => words.next().unwrap_or_default(),
                        false => attached.to_string(),
                    };
                    options.push(quoted(&value));
                    break;
                }
                Some(_) => options.push(format!("-{letter}")),
            }
        }
    }
    options.push("--".into());
    options.extend(operands.iter().map(|operand| quoted(operand)));
    call.out(&format!(" {}\n", options.join(" ")));
    Outcome::Done(status)
}

pub fn mountpoint(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "qdnx", "");
    let Some(path) = args.operands.first() else { return call.usage(1) };
    let is = matches!(call.path(path).as_str(), "/" | "/proc" | "/sys" | "/dev");
    if !args.has('q') {
        call.out(&format!("{path} is {}a mountpoint\n", if is { "" } else { "not " }));
    }
    Outcome::Done(i32::from(!is))
}

pub fn dd(call: &mut Call<'_>) -> Outcome {
    let value = |name: &str| call.args.iter().rev().find_map(|arg| arg.strip_prefix(name)?.strip_prefix('='));
    let size = |name: &str| value(name).and_then(super::size);
    let block = size("bs").or(size("ibs")).unwrap_or(512).max(1);
    let (count, skip, seek) = (size("count"), size("skip").unwrap_or(0), size("seek").unwrap_or(0));
    let Some(input) = value("if").map(str::to_string) else {
        return call.lacking("way to copy standard input; use cat or head");
    };
    let output = value("of").map(str::to_string);
    let path = call.path(&input);
    let limit = count.map(|count| count.saturating_mul(block)).unwrap_or(64 << 20).min(64 << 20);
    let bytes = match path.as_str() {
        "/dev/zero" => Ok(vec![0; usize::try_from(limit).unwrap_or(0)]),
        "/dev/urandom" | "/dev/random" => {
            let mut seed = call.system.random();
            Ok(crate::files::draw(&mut seed, usize::try_from(limit).unwrap_or(0)))
        }
        "/dev/null" => Ok(Vec::new()),
        path => call.system.read_file(path).map(|bytes| {
            let from = usize::try_from(skip * block).unwrap_or(usize::MAX).min(bytes.len());
            let to = from + usize::try_from(limit).unwrap_or(usize::MAX).min(bytes.len() - from);
            bytes[from..to].to_vec()
        }),
    };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) => {
            let text = if call.is_ash() {
                format!("can't open '{input}': {error}")
            } else {
                format!("failed to open '{input}': {error}")
            };
            call.err("dd", &text);
            return Outcome::Done(1);
        }
    };
    call.work_bytes += bytes.len();
    match &output {
        None => call.out_bytes(&bytes),
        Some(file) if call.path(file) == "/dev/null" => {}
        Some(file) => {
            let path = call.path(file);
            let keep = call.args.iter().any(|arg| arg.starts_with("conv=") && arg.contains("notrunc"));
            let mut old = if keep || seek > 0 { call.system.read_file(&path).unwrap_or_default() } else { Vec::new() };
            let at = usize::try_from((seek * block).min(64 << 20)).unwrap_or(0);
            if old.len() < at + bytes.len() {
                old.resize(at + bytes.len(), 0);
            }
            old[at..at + bytes.len()].copy_from_slice(&bytes);
            if let Err(error) = call.system.write_file(&path, &old, false) {
                let text = if call.is_ash() {
                    format!("can't open '{file}': {error}")
                } else {
                    format!("failed to open '{file}': {error}")
                };
                call.err("dd", &text);
                return Outcome::Done(1);
            }
        }
    }
    let (whole, part) = (bytes.len() as u64 / block, u64::from(!(bytes.len() as u64).is_multiple_of(block)));
    let quiet = value("status");
    if quiet != Some("none") {
        let mut text = format!("{whole}+{part} records in\n{whole}+{part} records out\n");
        if quiet != Some("noxfer") {
            let size = bytes.len();
            let shown = human(size as u64);
            text.push_str(&match call.is_ash() {
                true => format!("{size} bytes ({shown}B) copied, 0.000100 seconds, {shown}B/s\n"),
                false if size < 1000 => format!("{size} bytes copied, 0.0001 s, {shown}B/s\n"),
                false => format!("{size} bytes ({shown}B, {shown}iB) copied, 0.0001 s, {shown}B/s\n"),
            });
        }
        call.output.write(Stream::Stderr, text.as_bytes());
    }
    Outcome::Done(0)
}

/// `nslookup`: the machine's own names; others belong to the cluster.
pub fn nslookup(call: &mut Call<'_>) -> Outcome {
    let Some(name) = call.args.iter().find(|arg| !arg.starts_with('-')).cloned() else { return call.usage(1) };
    let hosts = String::from_utf8_lossy(&call.system.read_file("/etc/hosts").unwrap_or_default()).into_owned();
    let own = hosts.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next()?;
        words.any(|word| word == name).then(|| address.to_string())
    });
    call.out("Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n");
    match own {
        Some(address) => {
            call.out(&format!("Name:\t{name}\nAddress: {address}\n\n"));
            Outcome::Done(0)
        }
        None => {
            let text = format!("** server can't find {name}: NXDOMAIN\n\n");
            call.out(&text);
            Outcome::Done(1)
        }
    }
}
