//! Noticing changed files by looking at them a few times a second.
//!
//! A few hundred files cost under a millisecond a look; a notification crate would cost more to compile than it saves.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::{pack, proc};

const LOOK_EVERY: Duration = Duration::from_millis(300);
/// A change counts once nothing more has changed for this long: editors and git write many files in a row.
const QUIET_FOR: Duration = Duration::from_millis(120);

/// What the page is made of, relative to the root.
const WATCHED: &[&str] = &["src", "static", "index.html", "Cargo.toml", "Cargo.lock"];

type Look = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// Remembers how the files looked.
pub struct Watcher {
    root: PathBuf,
    seen: Look,
}

impl Watcher {
    /// Starts from how the files are now.
    pub fn new() -> Self {
        let root = proc::root();
        let seen = look(&root);
        Watcher { root, seen }
    }

    /// Returns when something has changed since the last call, and has been quiet for a moment.
    pub fn wait_for_change(&mut self) {
        loop {
            let mut now = look(&self.root);
            if now != self.seen {
                loop {
                    thread::sleep(QUIET_FOR);
                    let later = look(&self.root);
                    if later == now {
                        break;
                    }
                    now = later;
                }
                self.seen = now;
                return;
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

fn look(root: &Path) -> Look {
    let mut found = Vec::new();
    for name in WATCHED {
        let path = root.join(name);
        // A file that vanishes while we look is a change the next look will see.
        let files = if path.is_dir() { pack::files_below(&path).unwrap_or_default() } else { vec![path] };
        for file in files {
            if let Ok(about) = file.metadata() {
                found.push((file, about.modified().ok(), about.len()));
            }
        }
    }
    found
}
