//! Open files and pipes, shared by the processes of one shell.
//!
//! Processes hold descriptors as numbers of entries here, so that a clone of the shell is a clone of everything.

use std::collections::VecDeque;
use values::sorted::{SortedMap, SortedSet};

use super::host::{FileError, System};
use super::process::{Io, Read, Stream};

pub(super) type OpenId = u32;

/// Bytes a pipe holds before its writer has to wait, as Linux' default.
const PIPE_BYTES: usize = 64 * 1024;

/// What a descriptor stands for.
#[derive(Clone, Debug)]
pub(super) enum Open {
    /// The shell's own input and outputs.
    Stdin,
    Output(Stream),
    Null,
    Zero,
    /// `/dev/full`
    Full,
    /// `/dev/urandom`, with what the next bytes are drawn from.
    Random(u64),
    /// A directory opened for reading, which cannot be read.
    Directory,
    /// A file opened for reading and writing.
    Update {
        path: String,
    },
    /// Bytes read at opening: a file, a here-document.
    Bytes {
        bytes: Vec<u8>,
        at: usize,
    },
    /// A file that writes append to.
    File(String),
    PipeEnd {
        pipe: u32,
        writes: bool,
    },
}

#[derive(Clone, Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    readers: bool,
    writers: bool,
}

/// Bytes that look random: a step of a linear generator each, its high bits.
pub(super) fn draw(seed: &mut u64, count: usize) -> Vec<u8> {
    (0..count)
        .map(|_| {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*seed >> 56) as u8
        })
        .collect()
}

/// The reader of the pipe is gone, or the device takes nothing more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Broken;

#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    opens: SortedMap<OpenId, Open>,
    pipes: SortedMap<u32, Pipe>,
    next: u32,
    /// Bytes read and written since somebody asked: moving many of them is work as well.
    pub moved: u64,
    /// Bytes of them that were printed: somebody keeps, shows or passes on each of those.
    pub printed: u64,
    /// Something was written to a device that is full.
    pub full: bool,
}

impl Files {
    pub fn add(&mut self, open: Open) -> OpenId {
        self.next += 1;
        self.opens.insert(self.next, open);
        self.next
    }

    /// A new pipe: its reading and its writing end.
    pub fn pipe(&mut self) -> (OpenId, OpenId) {
        self.next += 1;
        let pipe = self.next;
        self.pipes.insert(pipe, Pipe { bytes: VecDeque::new(), readers: true, writers: true });
        (self.add(Open::PipeEnd { pipe, writes: false }), self.add(Open::PipeEnd { pipe, writes: true }))
    }

    pub fn get(&self, id: OpenId) -> Option<&Open> {
        self.opens.get(&id)
    }

    /// Opens a path for reading; device files are known here.
    pub fn open_to_read(&mut self, path: &str, system: &dyn System) -> Result<OpenId, FileError> {
        let open = match path {
            "/dev/null" => Open::Null,
            "/dev/zero" | "/dev/full" => Open::Zero,
            "/dev/random" | "/dev/urandom" => Open::Random(system.now().millis().unsigned_abs() ^ u64::from(self.next)),
            "/dev/stdin" | "/dev/tty" => Open::Stdin,
            _ => Open::Bytes { bytes: system.read_file(path)?, at: 0 },
        };
        Ok(self.add(open))
    }

    /// Opens a path for writing, creating or emptying the file unless `append`.
    pub fn open_to_write(&mut self, path: &str, append: bool, system: &mut dyn System) -> Result<OpenId, FileError> {
        let open = match path {
            "/dev/null" | "/dev/zero" | "/dev/random" | "/dev/urandom" => Open::Null,
            "/dev/full" => Open::Full,
            "/dev/stdout" | "/dev/tty" | "/proc/1/fd/1" => Open::Output(Stream::Stdout),
            "/dev/stderr" | "/proc/1/fd/2" => Open::Output(Stream::Stderr),
            _ => {
                system.write_file(path, b"", append)?;
                Open::File(path.to_string())
            }
        };
        Ok(self.add(open))
    }

    /// Opens a path for both, creating the file.
    pub fn open_to_update(&mut self, path: &str, system: &mut dyn System) -> Result<OpenId, FileError> {
        match path {
            "/dev/null" => Ok(self.add(Open::Null)),
            "/dev/tty" => Ok(self.add(Open::Stdin)),
            _ => {
                if system.info(path).is_err() {
                    system.write_file(path, b"", false)?;
                }
                Ok(self.add(Open::Update { path: path.to_string() }))
            }
        }
    }

    pub fn read(&mut self, id: Option<OpenId>, max: usize, io: &mut Io) -> Read {
        let read = self.take(id, max, io);
        if let Read::Data(bytes) = &read {
            self.moved += bytes.len() as u64;
        }
        read
    }

    fn take(&mut self, id: Option<OpenId>, max: usize, io: &mut Io) -> Read {
        match id.and_then(|id| self.opens.get_mut(&id)) {
            Some(Open::Stdin) => io.stdin.read(max),
            Some(Open::Zero) => Read::Data(vec![0; max]),
            Some(Open::Random(seed)) => Read::Data(draw(seed, max)),
            Some(Open::Bytes { bytes, at }) => {
                let end = (*at + max).min(bytes.len());
                let start = std::mem::replace(at, end);
                if start == end { Read::End } else { Read::Data(bytes[start..end].to_vec()) }
            }
            Some(Open::PipeEnd { pipe, writes: false }) => match self.pipes.get_mut(pipe) {
                Some(pipe) if !pipe.bytes.is_empty() => {
                    Read::Data(pipe.bytes.drain(..max.min(pipe.bytes.len())).collect())
                }
                Some(pipe) if pipe.writers => Read::Empty,
                _ => Read::End,
            },
            _ => Read::End,
        }
    }

    /// Puts bytes back that were read last.
    pub fn unread(&mut self, id: Option<OpenId>, unread: &[u8], io: &mut Io) {
        match id.and_then(|id| self.opens.get_mut(&id)) {
            Some(Open::Stdin) => io.stdin.unread(unread),
            Some(Open::Bytes { at, .. }) => *at = at.saturating_sub(unread.len()),
            Some(Open::PipeEnd { pipe, .. }) => {
                if let Some(pipe) = self.pipes.get_mut(pipe) {
                    unread.iter().rev().for_each(|byte| pipe.bytes.push_front(*byte));
                }
            }
            _ => {}
        }
    }

    /// Writes; errors of files (a full disk) are dropped as most programs do not look at them.
    pub fn write(
        &mut self,
        id: Option<OpenId>,
        bytes: &[u8],
        system: &mut dyn System,
        io: &mut Io,
    ) -> Result<(), Broken> {
        self.moved += bytes.len() as u64;
        match id.and_then(|id| self.opens.get(&id)) {
            Some(Open::Full) if !bytes.is_empty() => {
                self.full = true;
                return Err(Broken);
            }
            Some(Open::Update { path }) => {
                let _ = system.write_file(path, bytes, true);
            }
            Some(Open::Output(stream)) => {
                self.printed += bytes.len() as u64;
                io.output.write(*stream, bytes);
            }
            Some(Open::Stdin) => io.output.write(Stream::Stdout, bytes),
            Some(Open::File(path)) if system.write_file(path, bytes, true) == Err(FileError::NoSpace) => {
                self.full = true;
                return Err(Broken);
            }
            Some(Open::PipeEnd { pipe, writes: true }) => match self.pipes.get_mut(pipe) {
                Some(pipe) if pipe.readers => pipe.bytes.extend(bytes),
                _ => return Err(Broken),
            },
            _ => {}
        }
        Ok(())
    }

    /// Whether a writer has to wait.
    pub fn is_full(&self, id: Option<OpenId>, io: &Io) -> bool {
        match id.and_then(|id| self.opens.get(&id)) {
            Some(Open::Output(_)) => io.output.is_full(),
            Some(Open::PipeEnd { pipe, writes: true }) => {
                self.pipes.get(pipe).is_some_and(|pipe| pipe.readers && pipe.bytes.len() >= PIPE_BYTES)
            }
            _ => false,
        }
    }

    /// Forgets what no process holds any more, and notices pipes that lost an end.
    pub fn sweep(&mut self, held: &SortedSet<OpenId>) {
        self.opens.retain(|id, _| held.contains(id));
        for (number, pipe) in &mut self.pipes {
            let end = |wanted: bool| {
                self.opens
                    .values()
                    .any(|open| matches!(open, Open::PipeEnd { pipe, writes } if pipe == number && *writes == wanted))
            };
            pipe.readers = end(false);
            pipe.writers = end(true);
        }
        self.pipes.retain(|_, pipe| pipe.readers || pipe.writers);
    }

    pub fn memory_bytes(&self) -> u64 {
        let opens = self.opens.values().map(|open| if let Open::Bytes { bytes, .. } = open { bytes.len() } else { 0 });
        let pipes = self.pipes.values().map(|pipe| pipe.bytes.len());
        opens.chain(pipes).map(|n| n as u64).sum()
    }
}
