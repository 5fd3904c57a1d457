//! A shell whose script is its standard input: `kubectl exec -it pod -- sh`, `echo … | kubectl exec -i pod -- sh`.
//!
//! Rule: as POSIX says of `sh` without arguments, each command is carried out when it has been read whole, and what it
//! reads itself is the input behind it. At a terminal a prompt asks for each line (busybox's `/ # `).

use shell::{Dialect, Host, Io, Options, Poll, Read, Shell, is_incomplete};

/// A shell and the part of a command that it has read so far.
#[derive(Clone, Debug)]
pub struct Reading<C> {
    shell: Shell<C>,
    dialect: Dialect,
    unfinished: String,
    /// The prompt stands, and the line has not come yet.
    asked: bool,
}

impl<C: Clone + std::fmt::Debug> Reading<C> {
    pub fn new(options: Options) -> Reading<C> {
        let dialect = options.dialect;
        let shell = Shell::new("", Options { interactive: true, ..options });
        Reading { shell, dialect, unfinished: String::new(), asked: false }
    }

    /// The shell, to be told of signals.
    pub fn shell(&mut self) -> &mut Shell<C> {
        &mut self.shell
    }

    /// Reads and carries out commands until one waits, or the input ends.
    pub fn poll<H: Host<Command = C>>(&mut self, host: &mut H, io: &mut Io, budget: &mut u32) -> Poll {
        loop {
            if !self.shell.is_idle() {
                match self.shell.poll(host, io, budget) {
                    Poll::Exit(status) if self.shell.ended().is_some() => return Poll::Exit(status),
                    // The command has ended; the shell goes on.
                    Poll::Exit(_) => {}
                    other => return other,
                }
            }
            if io.terminal && !self.asked {
                self.asked = true;
                io.out(&self.prompt());
            }
            match io.stdin.read_line() {
                Read::Empty => return Poll::Wait,
                Read::Data(line) => self.unfinished.push_str(&String::from_utf8_lossy(&line)),
                Read::End if self.unfinished.is_empty() => self.unfinished.push_str("exit"),
                Read::End => {}
            }
            self.asked = false;
            let at_end = io.stdin.is_closed() && io.stdin.is_empty();
            if at_end || !is_incomplete(&self.unfinished, self.dialect) {
                self.shell.feed_line(std::mem::take(&mut self.unfinished).trim_end_matches('\n'));
            }
        }
    }

    fn prompt(&self) -> String {
        if self.unfinished.is_empty() { format!("{} # ", self.shell.cwd()) } else { "> ".to_owned() }
    }
}
