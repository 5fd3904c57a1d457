//! The files of a container: what its image brought, what its processes wrote, and the volumes mounted into it.
//!
//! Rule: a path belongs to the volume with the longest mount path that holds it, else to the container's own layer. The
//! own layer ends with the container; a volume ends with the Pod.

use std::rc::Rc;

use shell::{FileError, FileInfo};
use values::sorted::SortedMap;
use values::time::SimTime;

/// Bytes that a container's own files, or those of a volume, may hold; a simulated disk has an end as well.
const BYTES_MAX: u64 = 64 << 20;

/// A file or a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Entry {
    Directory,
    File { bytes: Rc<Vec<u8>>, executable: bool, modified: SimTime },
}

/// Files by absolute path; `/` itself always is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileTree {
    entries: SortedMap<Rc<str>, Entry>,
    read_only: bool,
}

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
        self.make_parents(path);
        let file = Entry::File { bytes: Rc::new(bytes.to_vec()), executable, modified: now };
        self.entries.insert(path.into(), file);
    }

    /// Puts a directory there, with those above it.
    pub fn put_dir(&mut self, path: &str) {
        self.make_parents(path);
        if path != "/" && !path.is_empty() {
            self.entries.entry(path.into()).or_insert(Entry::Directory);
        }
    }

    /// Whether there is something at this path.
    pub fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// Bytes of all files together.
    pub fn size_bytes(&self) -> u64 {
        let size = |entry: &Entry| if let Entry::File { bytes, .. } = entry { bytes.len() as u64 } else { 0 };
        self.entries.values().map(size).sum()
    }

    fn make_parents(&mut self, path: &str) {
        let mut at = 0;
        while let Some(slash) = path[at + 1..].find('/') {
            at += 1 + slash;
            self.entries.entry(path[..at].into()).or_insert(Entry::Directory);
        }
    }

    fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    fn is_directory(&self, path: &str) -> bool {
        path == "/" || path.is_empty() || matches!(self.get(path), Some(Entry::Directory))
    }

    fn info(&self, path: &str) -> Result<FileInfo, FileError> {
        if self.is_directory(path) {
            return Ok(FileInfo { directory: true, executable: true, size: 4096, modified: SimTime::EPOCH });
        }
        match self.get(path) {
            Some(Entry::File { bytes, executable, modified }) => Ok(FileInfo {
                directory: false,
                executable: *executable,
                size: bytes.len() as u64,
                modified: *modified,
            }),
            _ => Err(FileError::NotFound),
        }
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        match self.get(path) {
            Some(Entry::File { bytes, .. }) => Ok(bytes.to_vec()),
            _ if self.is_directory(path) => Err(FileError::IsADirectory),
            _ => Err(FileError::NotFound),
        }
    }

    fn write(&mut self, path: &str, bytes: &[u8], append: bool, now: SimTime) -> Result<(), FileError> {
        self.writable()?;
        if self.is_directory(path) {
            return Err(FileError::IsADirectory);
        }
        if !self.is_directory(parent(path)) {
            return Err(if self.get(parent(path)).is_some() { FileError::NotADirectory } else { FileError::NotFound });
        }
        let replaced = self.info(path).map_or(0, |old| if append { 0 } else { old.size });
        if self.size_bytes() - replaced + bytes.len() as u64 > BYTES_MAX {
            return Err(FileError::NoSpace);
        }
        match self.entries.get_mut(path) {
            Some(Entry::File { bytes: old, modified, .. }) => {
                let old = Rc::make_mut(old);
                if !append {
                    old.clear();
                }
                old.extend_from_slice(bytes);
                *modified = now;
            }
            _ => {
                let file = Entry::File { bytes: Rc::new(bytes.to_vec()), executable: false, modified: now };
                self.entries.insert(path.into(), file);
            }
        }
        Ok(())
    }

    fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        if !self.is_directory(path) {
            return Err(if self.get(path).is_some() { FileError::NotADirectory } else { FileError::NotFound });
        }
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let below = self.entries.range::<str>((std::ops::Bound::Excluded(prefix.as_str()), std::ops::Bound::Unbounded));
        let names = below.map(|(k, _)| &**k).take_while(|k| k.starts_with(&prefix)).map(|k| &k[prefix.len()..]);
        Ok(names.filter(|name| !name.contains('/')).map(str::to_owned).collect())
    }

    fn make_dir(&mut self, path: &str) -> Result<(), FileError> {
        self.writable()?;
        if self.is_directory(path) || self.get(path).is_some() {
            return Err(FileError::Exists);
        }
        if !self.is_directory(parent(path)) {
            return Err(FileError::NotFound);
        }
        self.entries.insert(path.into(), Entry::Directory);
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), FileError> {
        self.writable()?;
        if self.is_directory(path) && !self.list(path)?.is_empty() {
            return Err(FileError::NotEmpty);
        }
        self.entries.remove(path).map(|_| ()).ok_or(FileError::NotFound)
    }

    fn writable(&self) -> Result<(), FileError> {
        if self.read_only { Err(FileError::ReadOnly) } else { Ok(()) }
    }
}

impl Files<'_> {
    pub fn info(&self, path: &str) -> Result<FileInfo, FileError> {
        let (tree, inside, _) = self.place(path);
        let own = tree.info(&inside);
        // A directory that exists only because something is mounted below it.
        if own.is_err() && !self.mounted_below(path).is_empty() {
            return Ok(FileInfo { directory: true, executable: true, size: 4096, modified: SimTime::EPOCH });
        }
        own
    }

    pub fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let (tree, inside, _) = self.place(path);
        tree.read(&inside)
    }

    pub fn write(&mut self, path: &str, bytes: &[u8], append: bool) -> Result<(), FileError> {
        let now = self.now;
        let (tree, inside) = self.place_mut(path)?;
        tree.write(&inside, bytes, append, now)
    }

    /// The names in a directory, sorted.
    pub fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
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
        let (tree, inside) = self.place_mut(path)?;
        tree.make_dir(&inside)
    }

    pub fn remove(&mut self, path: &str) -> Result<(), FileError> {
        let (tree, inside) = self.place_mut(path)?;
        tree.remove(&inside)
    }

    /// Moves a file, or a directory with all that is in it.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError> {
        let info = self.info(from)?;
        if !info.directory {
            let bytes = self.read(from)?;
            self.write(to, &bytes, false)?;
            return self.remove(from);
        }
        self.make_dir(to)?;
        for name in self.list(from)? {
            self.rename(&format!("{from}/{name}"), &format!("{to}/{name}"))?;
        }
        self.remove(from)
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
