//! The terminal's files: the editor's tabs and whatever commands write.
//!
//! Rule: paths are absolute and normalised (`shell::host::resolve`); directories exist where files are, or were made.

use std::rc::Rc;
use values::sorted::SortedMap;

use shell::{FileError, FileInfo};
use values::time::SimTime;

/// The home directory, where the editor's tabs lie.
pub const HOME: &str = "/desk";
/// The device that holds nothing and keeps nothing.
const NULL: &str = "/dev/null";
/// Bytes all files together may hold.
const BYTES_MAX: usize = 16 << 20;

#[derive(Clone, PartialEq, Eq, Debug)]
enum Entry {
    File { bytes: Rc<Vec<u8>>, modified: SimTime },
    Directory { modified: SimTime },
}

/// A small file system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Files {
    entries: SortedMap<String, Entry>,
}

impl Default for Files {
    fn default() -> Files {
        let directory = Entry::Directory { modified: SimTime::EPOCH };
        let entries = ["/", HOME, "/tmp"].map(|path| (path.to_owned(), directory.clone()));
        Files { entries: entries.into() }
    }
}

impl Files {
    pub fn info(&self, path: &str) -> Result<FileInfo, FileError> {
        if path == NULL {
            return Ok(FileInfo::device());
        }
        match self.entries.get(path).ok_or(FileError::NotFound)? {
            Entry::File { bytes, modified } => Ok(FileInfo::file(bytes.len() as u64, 0o644, *modified)),
            Entry::Directory { modified } => Ok(FileInfo::dir(*modified)),
        }
    }

    pub fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        match self.entries.get(path) {
            Some(Entry::File { bytes, .. }) => Ok(bytes.to_vec()),
            Some(Entry::Directory { .. }) => Err(FileError::IsADirectory),
            None if path == NULL => Ok(Vec::new()),
            None => Err(FileError::NotFound),
        }
    }

    pub fn write(&mut self, path: &str, bytes: &[u8], append: bool, now: SimTime) -> Result<(), FileError> {
        if path == NULL {
            return Ok(());
        }
        self.parent_must_exist(path)?;
        let stays = |(name, _): &(&String, &Entry)| append || *name != path;
        let held: usize = self.entries.iter().filter(stays).map(|(_, entry)| entry.size()).sum();
        if held + bytes.len() > BYTES_MAX {
            return Err(FileError::NoSpace);
        }
        match self.entries.get_mut(path) {
            Some(Entry::Directory { .. }) => return Err(FileError::IsADirectory),
            Some(Entry::File { bytes: old, modified }) if append => {
                Rc::make_mut(old).extend_from_slice(bytes);
                *modified = now;
            }
            _ => {
                let file = Entry::File { bytes: Rc::new(bytes.to_vec()), modified: now };
                self.entries.insert(path.to_owned(), file);
            }
        }
        Ok(())
    }

    pub fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        match self.entries.get(path) {
            Some(Entry::Directory { .. }) => {}
            Some(Entry::File { .. }) => return Err(FileError::NotADirectory),
            None => return Err(FileError::NotFound),
        }
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let inside = self.entries.range(prefix.clone()..).take_while(|(p, _)| p.starts_with(&prefix));
        let names = inside.map(|(p, _)| &p[prefix.len()..]).filter(|name| !name.is_empty() && !name.contains('/'));
        Ok(names.map(str::to_owned).collect())
    }

    pub fn make_dir(&mut self, path: &str, now: SimTime) -> Result<(), FileError> {
        self.parent_must_exist(path)?;
        if self.entries.contains_key(path) {
            return Err(FileError::Exists);
        }
        self.entries.insert(path.to_owned(), Entry::Directory { modified: now });
        Ok(())
    }

    pub fn remove(&mut self, path: &str) -> Result<(), FileError> {
        if matches!(self.entries.get(path), Some(Entry::Directory { .. })) && !self.list(path)?.is_empty() {
            return Err(FileError::NotEmpty);
        }
        self.entries.remove(path).map(|_| ()).ok_or(FileError::NotFound)
    }

    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError> {
        self.parent_must_exist(to)?;
        if from == to {
            return Ok(());
        }
        if to.starts_with(&format!("{from}/")) {
            return Err(FileError::Invalid);
        }
        let entry = self.entries.remove(from).ok_or(FileError::NotFound)?;
        let prefix = format!("{from}/");
        let inside: Vec<String> = self.entries.keys().filter(|p| p.starts_with(&prefix)).cloned().collect();
        for path in inside {
            if let Some(moved) = self.entries.remove(&path) {
                self.entries.insert(format!("{to}/{}", &path[prefix.len()..]), moved);
            }
        }
        self.entries.insert(to.to_owned(), entry);
        Ok(())
    }

    fn parent_must_exist(&self, path: &str) -> Result<(), FileError> {
        let parent = path.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
        match self.entries.get(parent) {
            Some(Entry::Directory { .. }) => Ok(()),
            Some(Entry::File { .. }) => Err(FileError::NotADirectory),
            None => Err(FileError::NotFound),
        }
    }
}

impl Entry {
    fn size(&self) -> usize {
        if let Entry::File { bytes, .. } = self { bytes.len() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_behave_like_files() {
        let (mut files, now) = (Files::default(), SimTime::from_secs(1));
        let path = format!("{HOME}/job.yaml");
        files.write(&path, b"a", false, now).unwrap();
        files.write(&path, b"b", true, now).unwrap();
        assert_eq!(files.read(&path).unwrap(), b"ab");
        assert_eq!(files.list(HOME).unwrap(), ["job.yaml"]);
        assert_eq!(files.write("/nowhere/x", b"", false, now), Err(FileError::NotFound));
        files.make_dir("/tmp/d", now).unwrap();
        files.write("/tmp/d/x", b"x", false, now).unwrap();
        assert_eq!(files.remove("/tmp/d"), Err(FileError::NotEmpty));
        files.rename("/tmp/d", "/tmp/e").unwrap();
        assert_eq!(files.read("/tmp/e/x").unwrap(), b"x");
        assert_eq!(files.rename("/tmp/e", "/tmp/e/f"), Err(FileError::Invalid));
    }
}
