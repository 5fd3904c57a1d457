//! Commands that read files or standard input, line by line or in pieces: the driver they share.

use std::fmt;

use super::{Advance, Call, Outcome, State};
use crate::BYTES_A_STEP;
use crate::host::FileError;
use crate::process::Read;

/// Bytes of a file worked on in one step.
const PIECE: usize = 64 * 1024;
/// Work after which a step leaves the rest of its lines to the next.
const SHARE_BYTES: usize = 512 * 1024;
/// A line longer than this is handed over in parts.
const MAX_LINE: usize = 4 << 20;

/// Whether a filter wants to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    More,
    /// Nothing more of this file matters.
    NextFile,
    /// Nothing more matters.
    Stop,
}

/// One command's way with text. Its state is plain data.
pub trait Filter {
    fn clone_box(&self) -> Box<dyn Filter>;
    /// Whether it wants bytes as they come instead of lines.
    fn in_pieces(&self) -> bool {
        false
    }
    fn begin_file(&mut self, _name: &str, _call: &mut Call<'_>) {}
    /// One line without its newline (`complete`: it had one), or a piece.
    fn take(&mut self, bytes: &[u8], complete: bool, call: &mut Call<'_>) -> Flow;
    fn end_file(&mut self, _name: &str, _call: &mut Call<'_>) {}
    /// After the last file: what is left to print, and the exit code.
    fn finish(&mut self, _call: &mut Call<'_>) -> i32 {
        0
    }
}

/// Each filter's own `Debug` would be carried by the page, which never prints it.
impl fmt::Debug for dyn Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

impl Clone for Box<dyn Filter> {
    fn clone(&self) -> Box<dyn Filter> {
        self.clone_box()
    }
}

/// A filter with what it still has to read.
#[derive(Clone, Debug)]
pub struct Running {
    name: &'static str,
    filter: Box<dyn Filter>,
    files: Vec<String>,
    next: usize,
    current: Option<Source>,
    pending: Vec<u8>,
    /// Whole lines are pending: a step did its share before it came to them.
    behind: bool,
    failed: i32,
    /// Exit code when a file could not be read.
    failure: i32,
}

#[derive(Clone, Debug)]
enum Source {
    /// Standard input, or another open descriptor.
    Descriptor(u32),
    Zero,
    Random(u64),
    Bytes {
        bytes: Vec<u8>,
        at: usize,
    },
}

/// Starts a filter over files; none means standard input.
pub fn start(call: &Call<'_>, filter: impl Filter + 'static, files: Vec<String>, failure: i32) -> Outcome {
    let files = if files.is_empty() { vec!["-".to_string()] } else { files };
    let filter: Box<dyn Filter> = Box::new(filter);
    let running = Running {
        name: call.name,
        filter,
        files,
        next: 0,
        current: None,
        pending: Vec::new(),
        behind: false,
        failed: 0,
        failure,
    };
    Outcome::Runs(State::Filter(Box::new(running)))
}

impl Running {
    /// The descriptor it wants to read.
    pub fn wants_input(&self) -> Option<u32> {
        match &self.current {
            Some(Source::Descriptor(fd)) if !self.behind => Some(*fd),
            _ => None,
        }
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    fn file(&self) -> String {
        self.files.get(self.next).cloned().unwrap_or_default()
    }

    pub fn advance(&mut self, input: Option<Read>, call: &mut Call<'_>) -> Advance {
        call.name = self.name;
        let Some(source) = &mut self.current else { return self.open_next(call) };
        let bytes = match source {
            _ if self.behind => Vec::new(),
            Source::Descriptor(_) => match input {
                Some(Read::Data(bytes)) => bytes,
                Some(Read::Empty) => return Advance::Blocked(None),
                Some(Read::End) => return self.close(call),
                None => return Advance::More,
            },
            Source::Zero => {
                call.work_bytes += PIECE;
                vec![0; PIECE]
            }
            Source::Random(seed) => {
                call.work_bytes += PIECE / 16;
                crate::files::draw(seed, PIECE / 16)
            }
            Source::Bytes { bytes, at } => {
                let end = (*at + PIECE).min(bytes.len());
                let piece = bytes[*at..end].to_vec();
                call.work_bytes += piece.len();
                *at = end;
                if piece.is_empty() {
                    return self.close(call);
                }
                piece
            }
        };
        let flow = if self.filter.in_pieces() { self.filter.take(&bytes, true, call) } else { self.lines(bytes, call) };
        self.follow(flow, call)
    }

    fn open_next(&mut self, call: &mut Call<'_>) -> Advance {
        let Some(file) = self.files.get(self.next).cloned() else {
            let status = self.filter.finish(call);
            return Advance::Done(if status == 0 { self.failed } else { status });
        };
        let path = call.path(&file);
        let source = match path.as_str() {
            path if split_descriptor(&file, path).is_some() => {
                Ok(Source::Descriptor(split_descriptor(&file, path).unwrap_or(0)))
            }
            "/dev/zero" | "/dev/full" => Ok(Source::Zero),
            "/dev/random" | "/dev/urandom" => Ok(Source::Random(call.system.random())),
            _ => call.read_file(&file).map(|bytes| Source::Bytes { bytes, at: 0 }),
        };
        match source {
            Ok(source) => {
                self.current = Some(source);
                self.filter.begin_file(&file, call);
            }
            Err(error) => {
                let message = open_error(call, self.name, &file, error);
                call.err(self.name, &message);
                self.failed = self.failure;
                self.next += 1;
            }
        }
        Advance::More
    }

    fn lines(&mut self, bytes: Vec<u8>, call: &mut Call<'_>) -> Flow {
        let mut all = std::mem::take(&mut self.pending);
        all.extend(bytes);
        let mut at = 0;
        self.behind = false;
        while let Some(len) = all[at..].iter().position(|byte| *byte == b'\n') {
            if call.work_bytes > SHARE_BYTES {
                self.behind = true;
                break;
            }
            call.work_bytes += BYTES_A_STEP;
            let flow = self.filter.take(&all[at..at + len], true, call);
            at += len + 1;
            if flow != Flow::More {
                return flow;
            }
        }
        self.pending = all.split_off(at);
        if self.pending.len() > MAX_LINE && !self.behind {
            let part = std::mem::take(&mut self.pending);
            return self.filter.take(&part, true, call);
        }
        Flow::More
    }

    fn follow(&mut self, flow: Flow, call: &mut Call<'_>) -> Advance {
        match flow {
            Flow::More => Advance::More,
            Flow::NextFile => {
                self.pending.clear();
                self.behind = false;
                self.close(call)
            }
            Flow::Stop => {
                let status = self.filter.finish(call);
                Advance::Done(if status == 0 { self.failed } else { status })
            }
        }
    }

    fn close(&mut self, call: &mut Call<'_>) -> Advance {
        let rest = std::mem::take(&mut self.pending);
        let flow = if rest.is_empty() { Flow::More } else { self.filter.take(&rest, false, call) };
        let file = self.file();
        self.filter.end_file(&file, call);
        self.current = None;
        self.next += 1;
        self.follow(if flow == Flow::Stop { Flow::Stop } else { Flow::More }, call)
    }
}

/// The descriptor that a file's name stands for.
pub fn split_descriptor(file: &str, path: &str) -> Option<u32> {
    match path {
        _ if file == "-" => Some(0),
        "/dev/stdin" | "/proc/self/fd/0" => Some(0),
        _ => path.strip_prefix("/dev/fd/").or(path.strip_prefix("/proc/self/fd/"))?.parse().ok(),
    }
}

/// What a command says of a file that it cannot open.
pub fn open_error(call: &Call<'_>, name: &str, file: &str, error: FileError) -> String {
    let directory = error == FileError::IsADirectory;
    match (call.is_ash(), name) {
        (true, "cat" | "tail") if directory => format!("read error: {error}"),
        (true, "cat" | "tail" | "uniq") => format!("can't open '{file}': {error}"),
        (true, "grep" | "egrep" | "fgrep") => format!("{file}: {error}"),
        (false, "head" | "tail") if !directory => format!("cannot open '{file}' for reading: {error}"),
        (false, "sort") if !directory => format!("cannot read: {file}: {error}"),
        (false, "sed") if !directory => format!("can't read {file}: {error}"),
        (false, "sed") => format!("couldn't edit {file}: not a regular file"),
        (false, "awk") => format!("cannot open {file} ({error})"),
        _ => format!("{file}: {error}"),
    }
}
