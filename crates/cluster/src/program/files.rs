//! The files of a container: what its image brought, what its processes wrote, and the volumes mounted into it.
//!
//! Rule: a path belongs to the volume with the longest mount path that holds it, else to the container's own layer. The
//! own layer ends with the container; a volume ends with the Pod.

use std::rc::Rc;

use shell::{FileError, FileInfo, FileKind};
use values::sorted::SortedMap;
use values::time::SimTime;

/// Bytes that a container's own files, or those of a volume, may hold; a simulated disk has an end as well.
const BYTES_MAX: u64 = 64 << 20;

/// A file, a directory, or what else has a name.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Entry {
    node: Node,
    /// Permissions: `0o644`.
    mode: u32,
    user: u32,
    group: u32,
    modified: SimTime,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Node {
    Directory,
    File(Rc<Vec<u8>>),
    Link(Rc<str>),
    Pipe,
}

impl Entry {
    fn new(node: Node, mode: u32, modified: SimTime) -> Entry {
        Entry { node, mode, user: 0, group: 0, modified }
    }

    fn directory(modified: SimTime) -> Entry {
        Entry::new(Node::Directory, 0o755, modified)
    }

    fn is_directory(&self) -> bool {
        self.node == Node::Directory
    }
}

/// Files by absolute path; `/` itself always is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileTree {
    entries: SortedMap<Rc<str>, Entry>,
    read_only: bool,
    /// Bytes of all files together.
    bytes: u64,
    /// How many symbolic links there are: most trees have none, and need not be asked for them.
    links: usize,
}

/// Symbolic links that one path may lead over.
const LINKS_MAX: usize = 40;

/// Where a volume stands in a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount {
    /// Absolute, without a slash at the end.
    pub path: String,
    /// The volume's name in the Pod.
    pub volume: String,
    /// The part of the volume that is mounted, from a slash, or empty for all of it.
    pub sub_path: String,
    pub read_only: bool,
}

/// All a container sees: its own layer and its mounts. `volumes` are the Pod's.
#[derive(Debug)]
pub struct Files<'a> {
    pub own: &'a mut FileTree,
    pub volumes: &'a mut SortedMap<String, FileTree>,
    pub mounts: &'a [Mount],
    pub now: SimTime,
}

impl FileTree {
    /// A tree that no process may change (ConfigMap, Secret and projected volumes).
    pub fn read_only(mut self) -> FileTree {
        self.read_only = true;
        self
    }

    /// Puts a file there, with the directories above it.
    pub fn put(&mut self, path: &str, bytes: &[u8], executable: bool, now: SimTime) {
        self.put_with_mode(path, bytes, if executable { 0o755 } else { 0o644 }, now);
    }

    /// Puts a file with these permissions there, with the directories above it.
    pub fn put_with_mode(&mut self, path: &str, bytes: &[u8], mode: u32, now: SimTime) {
        self.make_parents(path);
        self.insert(path, Entry::new(Node::File(Rc::new(bytes.to_vec())), mode, now));
    }

    /// Puts a directory there, with those above it.
    pub fn put_dir(&mut self, path: &str) {
        self.make_parents(path);
        if path != "/" && !path.is_empty() && self.get(path).is_none() {
            let mode = if matches!(path, "/tmp" | "/var/tmp") { 0o1777 } else { 0o755 };
            self.insert(path, Entry { mode, ..Entry::directory(SimTime::EPOCH) });
        }
    }

    /// Puts a symbolic link there, with the directories above it.
    pub fn put_link(&mut self, path: &str, target: &str, now: SimTime) {
        self.make_parents(path);
        self.insert(path, Entry::new(Node::Link(target.into()), 0o777, now));
    }

    /// Whether there is something at this path.
    pub fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// Bytes of all files together.
    pub fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn insert(&mut self, path: &str, entry: Entry) {
        self.count(&entry, true);
        if let Some(old) = self.entries.insert(path.into(), entry) {
            self.count(&old, false);
        }
    }

    fn take(&mut self, path: &str) -> Option<Entry> {
        let entry = self.entries.remove(path)?;
        self.count(&entry, false);
        Some(entry)
    }

    fn count(&mut self, entry: &Entry, comes: bool) {
        let (bytes, links) = match &entry.node {
            Node::File(bytes) => (bytes.len() as u64, 0),
            Node::Link(_) => (0, 1),
            Node::Directory | Node::Pipe => (0, 0),
        };
        if comes {
            self.bytes += bytes;
            self.links += links;
        } else {
            self.bytes = self.bytes.saturating_sub(bytes);
            self.links = self.links.saturating_sub(links);
        }
    }

    fn make_parents(&mut self, path: &str) {
        let mut at = 0;
        while let Some(slash) = path[at + 1..].find('/') {
            at += 1 + slash;
            self.entries.entry(path[..at].into()).or_insert_with(|| Entry::directory(SimTime::EPOCH));
        }
    }

    fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    fn is_directory(&self, path: &str) -> bool {
        path == "/" || path.is_empty() || self.get(path).is_some_and(Entry::is_directory)
    }

    fn info(&self, path: &str) -> Result<FileInfo, FileError> {
        match self.get(path) {
            None if self.is_directory(path) => Ok(FileInfo::dir(SimTime::EPOCH)),
            None => Err(self.missing(path)),
            Some(Entry { node, mode, user, group, modified }) => {
                let (kind, size) = match node {
                    Node::Directory => (FileKind::Directory, 4096),
                    Node::File(bytes) => (FileKind::File, bytes.len() as u64),
                    Node::Link(target) => (FileKind::Link, target.len() as u64),
                    Node::Pipe => (FileKind::Pipe, 0),
                };
                Ok(FileInfo { kind, mode: *mode, size, modified: *modified, user: *user, group: *group })
            }
        }
    }

    /// Why there is no such file: a part of the path may be a file.
    fn missing(&self, path: &str) -> FileError {
        let mut above = parent(path);
        while above != "/" && self.get(above).is_none() {
            above = parent(above);
        }
        if self.is_directory(above) { FileError::NotFound } else { FileError::NotADirectory }
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        match self.get(path).map(|entry| &entry.node) {
            Some(Node::File(bytes)) => Ok(bytes.to_vec()),
            Some(Node::Pipe) => Ok(Vec::new()),
            Some(Node::Link(_)) => Err(FileError::TooManyLinks),
            _ if self.is_directory(path) => Err(FileError::IsADirectory),
            _ => Err(self.missing(path)),
        }
    }

    fn write(&mut self, path: &str, bytes: &[u8], append: bool, now: SimTime) -> Result<(), FileError> {
        self.writable()?;
        if self.is_directory(path) {
            return Err(FileError::IsADirectory);
        }
        if !self.is_directory(parent(path)) {
            return Err(if self.get(parent(path)).is_some() { FileError::NotADirectory } else { self.missing(path) });
        }
        let replaced = self.info(path).map_or(0, |old| if append { 0 } else { old.size });
        if self.bytes - replaced.min(self.bytes) + bytes.len() as u64 > BYTES_MAX {
            return Err(FileError::NoSpace);
        }
        match self.entries.get_mut(path) {
            Some(Entry { node: Node::File(old), modified, .. }) => {
                let old = Rc::make_mut(old);
                if !append {
                    self.bytes = self.bytes.saturating_sub(old.len() as u64);
                    old.clear();
                }
                old.extend_from_slice(bytes);
                self.bytes += bytes.len() as u64;
                *modified = now;
            }
            Some(Entry { node: Node::Pipe, .. }) => {}
            _ => self.insert(path, Entry::new(Node::File(Rc::new(bytes.to_vec())), 0o644, now)),
        }
        Ok(())
    }

    fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        if !self.is_directory(path) {
            return Err(if self.get(path).is_some() { FileError::NotADirectory } else { self.missing(path) });
        }
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let below = self.entries.range::<str>((std::ops::Bound::Excluded(prefix.as_str()), std::ops::Bound::Unbounded));
        let names = below.map(|(k, _)| &**k).take_while(|k| k.starts_with(&prefix)).map(|k| &k[prefix.len()..]);
        Ok(names.filter(|name| !name.contains('/')).map(str::to_owned).collect())
    }

    fn make_dir(&mut self, path: &str, now: SimTime) -> Result<(), FileError> {
        self.make(path, Entry::directory(now))
    }

    /// Puts a new entry where there is none.
    fn make(&mut self, path: &str, entry: Entry) -> Result<(), FileError> {
        self.writable()?;
        if self.is_directory(path) || self.get(path).is_some() {
            return Err(FileError::Exists);
        }
        if !self.is_directory(parent(path)) {
            return Err(if self.get(parent(path)).is_some() { FileError::NotADirectory } else { self.missing(path) });
        }
        self.insert(path, entry);
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), FileError> {
        self.writable()?;
        if self.is_directory(path) && !self.list(path)?.is_empty() {
            return Err(FileError::NotEmpty);
        }
        self.take(path).map(|_| ()).ok_or(FileError::NotFound)
    }

    /// The entry, to change what is known of it.
    fn entry(&mut self, path: &str) -> Result<Option<&mut Entry>, FileError> {
        self.writable()?;
        if self.is_directory(path) && self.get(path).is_none() {
            return Ok(None);
        }
        self.entries.get_mut(path).map(Some).ok_or(FileError::NotFound)
    }

    fn writable(&self) -> Result<(), FileError> {
        if self.read_only { Err(FileError::ReadOnly) } else { Ok(()) }
    }
}

impl Files<'_> {
    /// What is known of a file, behind its links.
    pub fn info(&self, path: &str) -> Result<FileInfo, FileError> {
        self.link_info(&self.followed(path)?)
    }

    /// What is known of a file; of a link, the link itself.
    pub fn link_info(&self, path: &str) -> Result<FileInfo, FileError> {
        let path = &self.followed_above(path)?;
        let (tree, inside, _) = self.place(path);
        let own = tree.info(&inside);
        // A directory that exists only because something is mounted below it.
        if own.is_err() && !self.mounted_below(path).is_empty() {
            return Ok(FileInfo::dir(SimTime::EPOCH));
        }
        own
    }

    pub fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let path = self.followed(path)?;
        let (tree, inside, _) = self.place(&path);
        tree.read(&inside)
    }

    pub fn write(&mut self, path: &str, bytes: &[u8], append: bool) -> Result<(), FileError> {
        let now = self.now;
        let path = self.followed(path)?;
        let (tree, inside) = self.place_mut(&path)?;
        tree.write(&inside, bytes, append, now)
    }

    /// The names in a directory, sorted.
    pub fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        let path = &self.followed(path)?;
        let (tree, inside, _) = self.place(path);
        let mut names = match tree.list(&inside) {
            Ok(names) => names,
            Err(_) if !self.mounted_below(path).is_empty() => Vec::new(),
            Err(error) => return Err(error),
        };
        names.extend(self.mounted_below(path));
        names.sort();
        names.dedup();
        Ok(names)
    }

    pub fn make_dir(&mut self, path: &str) -> Result<(), FileError> {
        let now = self.now;
        let path = self.followed_above(path)?;
        let (tree, inside) = self.place_mut(&path)?;
        tree.make_dir(&inside, now)
    }

    pub fn make_link(&mut self, target: &str, path: &str) -> Result<(), FileError> {
        let entry = Entry::new(Node::Link(target.into()), 0o777, self.now);
        let path = self.followed_above(path)?;
        let (tree, inside) = self.place_mut(&path)?;
        tree.make(&inside, entry)
    }

    pub fn make_pipe(&mut self, path: &str) -> Result<(), FileError> {
        let entry = Entry::new(Node::Pipe, 0o644, self.now);
        let path = self.followed_above(path)?;
        let (tree, inside) = self.place_mut(&path)?;
        tree.make(&inside, entry)
    }

    pub fn read_link(&self, path: &str) -> Result<String, FileError> {
        let path = self.followed_above(path)?;
        let (tree, inside, _) = self.place(&path);
        match tree.get(&inside).map(|entry| &entry.node) {
            Some(Node::Link(target)) => Ok(target.to_string()),
            Some(_) => Err(FileError::Invalid),
            None => Err(FileError::NotFound),
        }
    }

    pub fn set_mode(&mut self, path: &str, mode: u32) -> Result<(), FileError> {
        self.change(path, |entry| entry.mode = mode)
    }

    pub fn set_owner(&mut self, path: &str, user: u32, group: u32) -> Result<(), FileError> {
        self.change(path, |entry| (entry.user, entry.group) = (user, group))
    }

    pub fn set_modified(&mut self, path: &str, at: SimTime) -> Result<(), FileError> {
        self.change(path, |entry| entry.modified = at)
    }

    fn change(&mut self, path: &str, act: impl FnOnce(&mut Entry)) -> Result<(), FileError> {
        let path = self.followed(path)?;
        let (tree, inside) = self.place_mut(&path)?;
        if let Some(entry) = tree.entry(&inside)? {
            act(entry);
        }
        Ok(())
    }

    pub fn remove(&mut self, path: &str) -> Result<(), FileError> {
        let path = self.followed_above(path)?;
        let (tree, inside) = self.place_mut(&path)?;
        tree.remove(&inside)
    }

    /// Moves a file, or a directory with all that is in it.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError> {
        let info = self.link_info(from)?;
        if info.kind == FileKind::Link {
            let target = self.read_link(from)?;
            if self.link_info(to).is_ok() {
                self.remove(to)?;
            }
            self.make_link(&target, to)?;
            return self.remove(from);
        }
        if !info.directory() {
            let bytes = self.read(from)?;
            self.write(to, &bytes, false)?;
            self.change(to, |entry| {
                (entry.mode, entry.user, entry.group, entry.modified) =
                    (info.mode, info.user, info.group, info.modified);
            })?;
            return self.remove(from);
        }
        self.make_dir(to)?;
        for name in self.list(from)? {
            self.rename(&format!("{from}/{name}"), &format!("{to}/{name}"))?;
        }
        self.change(to, |entry| entry.mode = info.mode)?;
        self.remove(from)
    }

    /// The path without symbolic links in it.
    fn followed(&self, path: &str) -> Result<String, FileError> {
        self.follow(path, true)
    }

    /// The same, but what the whole path names may be a link.
    fn followed_above(&self, path: &str) -> Result<String, FileError> {
        self.follow(path, false)
    }

    fn follow(&self, path: &str, last_too: bool) -> Result<String, FileError> {
        if self.own.links == 0 && self.volumes.values().all(|tree| tree.links == 0) {
            return Ok(path.to_owned());
        }
        let mut todo: Vec<String> = path.split('/').rev().filter(|part| !part.is_empty()).map(str::to_owned).collect();
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
            let (tree, inside, _) = self.place(&here);
            match tree.get(&inside).map(|entry| &entry.node) {
                Some(Node::Link(target)) if last_too || !todo.is_empty() => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(FileError::TooManyLinks);
                    }
                    if target.starts_with('/') {
                        done.clear();
                    }
                    todo.extend(target.split('/').rev().filter(|part| !part.is_empty()).map(str::to_owned));
                }
                _ => done = here,
            }
        }
        Ok(if done.is_empty() { "/".to_owned() } else { done })
    }

    /// The tree that holds `path`, the path inside it, and whether it may be written.
    fn place(&self, path: &str) -> (&FileTree, String, bool) {
        match mount_of(self.mounts, path).and_then(|m| Some((m, self.volumes.get(&m.volume)?))) {
            Some((mount, tree)) => (tree, inside(mount, path), !mount.read_only),
            None => (self.own, path.to_owned(), true),
        }
    }

    fn place_mut(&mut self, path: &str) -> Result<(&mut FileTree, String), FileError> {
        match mount_of(self.mounts, path) {
            Some(mount) if self.volumes.contains_key(&mount.volume) => {
                if mount.read_only {
                    return Err(FileError::ReadOnly);
                }
                let inside = inside(mount, path);
                let tree = self.volumes.get_mut(&mount.volume).ok_or(FileError::NotFound)?;
                Ok((tree, inside))
            }
            _ => Ok((self.own, path.to_owned())),
        }
    }

    /// Names directly in `path` that lead to mounts.
    fn mounted_below(&self, path: &str) -> Vec<String> {
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let below = self.mounts.iter().filter_map(|m| m.path.strip_prefix(&prefix));
        below.filter_map(|rest| rest.split('/').next()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }
}

/// The mount that holds a path.
fn mount_of<'m>(mounts: &'m [Mount], path: &str) -> Option<&'m Mount> {
    let holds = |m: &&Mount| path == m.path || (path.starts_with(&m.path) && path[m.path.len()..].starts_with('/'));
    mounts.iter().filter(holds).max_by_key(|m| m.path.len())
}

fn inside(mount: &Mount, path: &str) -> String {
    let whole = format!("{}{}", mount.sub_path, &path[mount.path.len()..]);
    if whole.is_empty() { "/".into() } else { whole }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_hide_the_own_layer_and_outlive_it() {
        let mut own = FileTree::default();
        own.put("/etc/hosts", b"own", false, SimTime::EPOCH);
        own.put_dir("/tmp");
        let mut volumes = SortedMap::from([("v".to_owned(), FileTree::default())]);
        let mut config = FileTree::default();
        config.put("/a", b"1", false, SimTime::EPOCH);
        volumes.insert("c".into(), config.read_only());
        let mount = |path: &str, volume: &str, sub: &str| Mount {
            path: path.into(),
            volume: volume.into(),
            sub_path: sub.into(),
            read_only: false,
        };
        let mounts = [mount("/data", "v", ""), mount("/etc/config", "c", ""), mount("/one", "c", "/a")];
        let mut files = Files { own: &mut own, volumes: &mut volumes, mounts: &mounts, now: SimTime::EPOCH };
        files.write("/data/x", b"hi", false).unwrap();
        files.write("/data/x", b"!", true).unwrap();
        assert_eq!(files.read("/data/x").unwrap(), b"hi!");
        assert_eq!(files.write("/etc/config/a", b"2", false), Err(FileError::ReadOnly));
        assert_eq!(files.read("/one").unwrap(), b"1");
        assert_eq!(files.list("/etc").unwrap(), ["config", "hosts"]);
        assert_eq!(files.list("/").unwrap(), ["data", "etc", "one", "tmp"]);
        assert_eq!(files.write("/no/such/dir", b"", false), Err(FileError::NotFound));
        files.rename("/data/x", "/tmp/y").unwrap();
        assert_eq!(files.read("/data/x"), Err(FileError::NotFound));
        assert_eq!(files.read("/tmp/y").unwrap(), b"hi!");
    }
}
