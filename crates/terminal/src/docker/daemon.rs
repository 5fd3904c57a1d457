//! What Docker keeps on the workstation: images that were built or pulled, and containers that ran.
//!
//! Source of the words and columns: `docker/cli` (`formatter/{container,image}.go`), `docker/go-units` (`HumanDuration`).

use std::rc::Rc;

use cluster::program::image::{Image, Images, Missing};
use cluster::program::reference::Reference;
use values::time::{SimTime, Span};

/// Bytes of one container's output that `docker logs` keeps.
const LOG_BYTES: usize = 64 << 10;
/// Longest command that `docker ps` shows.
const COMMAND_MAX: usize = 20;

/// An image on this machine.
#[derive(Clone, PartialEq, Debug)]
pub struct Local {
    pub name: String,
    pub tag: String,
    /// 64 hexadecimal digits.
    pub id: String,
    pub created: SimTime,
    pub size_bytes: i64,
    /// What is in it, with what its Dockerfile says.
    pub image: Rc<Image>,
}

/// A container that was started here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Container {
    pub id: String,
    pub image: String,
    pub command: Vec<String>,
    pub name: String,
    pub created: SimTime,
    pub ended: Option<(SimTime, i32)>,
    pub log: String,
}

/// All of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Daemon {
    pub local: Vec<Local>,
    pub containers: Vec<Container>,
    /// Containers and images made so far; it names their draws.
    pub made: u64,
    registry: Option<Images>,
}

impl Daemon {
    /// What the registry has under a name.
    ///
    /// # Errors
    /// What is missing.
    pub fn in_registry(&mut self, reference: &Reference) -> Result<Rc<Image>, Missing> {
        let images = self.registry.get_or_insert_with(Images::built_in);
        if !images.is_among_the_first(reference) {
            images.complete();
        }
        images.find(reference, false)
    }

    /// The image on this machine that a name means.
    pub fn find(&self, name: &str, tag: &str) -> Option<&Local> {
        self.local.iter().find(|local| local.name == name && local.tag == tag)
    }

    /// Keeps an image under its name; an older one of that name loses it.
    pub fn keep(&mut self, local: Local) {
        self.local.retain(|old| (&old.name, &old.tag) != (&local.name, &local.tag));
        self.local.insert(0, local);
    }

    /// The container of a name or of the start of an id.
    pub fn container(&self, name: &str) -> Option<usize> {
        self.containers.iter().position(|c| c.name == name || (!name.is_empty() && c.id.starts_with(name)))
    }

    pub fn log(&mut self, id: &str, text: &str) {
        if let Some(container) = self.containers.iter_mut().find(|container| container.id == id)
            && container.log.len() + text.len() <= LOG_BYTES
        {
            container.log.push_str(text);
        }
    }

    pub fn ended(&mut self, id: &str, now: SimTime, code: i32) {
        if let Some(container) = self.containers.iter_mut().find(|container| container.id == id) {
            container.ended = Some((now, code));
        }
    }

    /// `docker ps`; with `all` also those that have ended.
    pub fn ps(&self, all: bool, now: SimTime) -> String {
        let heading = ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        for container in self.containers.iter().rev().filter(|c| all || c.ended.is_none()) {
            let command = container.command.join(" ");
            let long = command.chars().count() > COMMAND_MAX;
            let shown = command.chars().take(COMMAND_MAX - usize::from(long)).collect::<String>();
            let status = match container.ended {
                Some((at, code)) => format!("Exited ({code}) {} ago", human(now.since(at))),
                None => format!("Up {}", human(now.since(container.created))),
            };
            rows.push(vec![
                container.id.chars().take(12).collect(),
                container.image.clone(),
                format!("\"{shown}{}\"", if long { "…" } else { "" }),
                format!("{} ago", human(now.since(container.created))),
                status,
                String::new(),
                container.name.clone(),
            ]);
        }
        table(&rows)
    }

    /// `docker images`
    pub fn images(&self, now: SimTime) -> String {
        let heading = ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        for local in &self.local {
            rows.push(vec![
                local.name.clone(),
                local.tag.clone(),
                local.id.chars().take(12).collect(),
                format!("{} ago", human(now.since(local.created))),
                size(local.size_bytes),
            ]);
        }
        table(&rows)
    }
}

/// Cells as wide as their column, three blanks between.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |i: usize| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(|i| if i + 1 == columns { 0 } else { width(i) + 3 }).collect();
    let line = |row: &Vec<String>| {
        let cells: String = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{cells}\n")
    };
    rows.iter().map(line).collect()
}

/// A span as people say it: `About a minute`, `2 hours`.
pub fn human(span: Span) -> String {
    let seconds = span.as_secs();
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    match seconds {
        ..=0 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        _ if minutes == 1 => "About a minute".to_owned(),
        _ if minutes < 60 => format!("{minutes} minutes"),
        _ if hours == 1 => "About an hour".to_owned(),
        _ if hours < 48 => format!("{hours} hours"),
        _ if hours < 24 * 14 => format!("{} days", hours / 24),
        _ if hours < 24 * 60 => format!("{} weeks", hours / 24 / 7),
        _ if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", hours / 24 / 365),
    }
}

/// Bytes with three digits and a decimal unit: `4.26MB`.
fn size(bytes: i64) -> String {
    let units = ["B", "kB", "MB", "GB"];
    let (mut thousandths, mut unit) = (bytes.saturating_mul(1000), 0);
    while thousandths >= 1_000_000 && unit + 1 < units.len() {
        thousandths /= 1000;
        unit += 1;
    }
    let (whole, rest) = (thousandths / 1000, thousandths % 1000);
    let digits = 3usize.saturating_sub(whole.to_string().len());
    let fraction: String = format!("{rest:03}").chars().take(digits).collect();
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { format!("{whole}{}", units[unit]) } else { format!("{whole}.{fraction}{}", units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_read_as_dockers() {
        for (seconds, text) in [
            (0, "Less than a second"),
            (45, "45 seconds"),
            (119, "About a minute"),
            (120, "2 minutes"),
            (4000, "About an hour"),
            (200_000, "2 days"),
        ] {
            assert_eq!(human(Span::secs(seconds)), text);
        }
        for (bytes, text) in [(512, "512B"), (4_261_550, "4.26MB"), (70_000_000, "70MB"), (1_234_000_000, "1.23GB")] {
            assert_eq!(size(bytes), text);
        }
    }
}
