//! Texts outlive a visit and a panic, and two tabs of the browser do not write over each other.
//!
//! Stored as JSON in the browser's local storage where that is allowed; for a panic in `boot.js` always, and there the run as
//! well, as the scenario that it is, with what is about to be done to it. Rule: what nobody changed here is not written, so that an idle tab takes nothing back; each writing has a higher
//! revision than what is there, and what another tab wrote meanwhile is kept beside one's own.

use super::browser;
use super::files::File;
use super::settings::OLD_KEY;
use super::texts::Texts;

/// Where a session keeps its texts.
pub struct Shelf {
    /// In the browser's storage, and in `boot.js`: the texts, and the run.
    key: String,
    name: String,
    run: String,
    /// As last read or written.
    known: Texts,
}

fn parse(text: String) -> Option<Texts> {
    serde_json::from_str(&text).ok()
}

impl Shelf {
    /// The shelf of the session at this place of the page, with the texts on it: those that the last panic left, else those that
    /// were stored. And what that panic said.
    pub fn open(nth: usize) -> (Shelf, Texts, Option<String>) {
        let suffix = if nth == 0 { String::new() } else { format!("-{}", nth + 1) };
        let (key, name) = (format!("batchyard/texts{suffix}"), format!("keep{suffix}"));
        let run = format!("run{suffix}");
        let said = browser::last_panic();
        let old = || browser::stored(OLD_KEY).filter(|_| nth == 0);
        let stored = browser::stored(&key).or_else(old).and_then(parse);
        let left = said.as_ref().and_then(|_| browser::left(&name)).and_then(parse);
        let known = stored.clone().unwrap_or_default().settled();
        let texts = left.or(stored).unwrap_or_default().settled();
        (Shelf { key, name, run, known }, texts, said)
    }

    /// Keeps the texts for a fresh instance after a panic.
    pub fn keep(&self, texts: &Texts) {
        browser::keep(&self.name, &text(texts));
    }

    /// The run that the last panic ended, as a scenario; empty if there was none.
    pub fn left_run(&self) -> String {
        browser::left(&self.run).unwrap_or_default()
    }

    /// What keeps a run, as a scenario, should the engine panic over what comes next.
    pub fn run_keeper(&self) -> impl Fn(&str) + 'static {
        let name = self.run.clone();
        move |scenario| browser::keep(&name, scenario)
    }

    /// Stores the texts for the next visit, if they are others than those that were read. False if the browser refuses.
    pub fn store(&mut self, texts: &mut Texts) -> bool {
        self.keep(texts);
        if same(texts, &self.known) {
            // Even so whoever looks wants to know whether it would be kept.
            return browser::stored(&self.key).is_some() || browser::store(&self.key, &text(&self.known));
        }
        let there = browser::stored(&self.key).and_then(parse);
        meet(texts, there.as_ref());
        self.known = texts.clone();
        self.keep(texts);
        browser::store(&self.key, &text(&self.known))
    }

    /// Hears what another tab of the browser stored. True if there is something to tell.
    pub fn hear(&mut self, texts: &mut Texts, key: &str, stored: &str) -> bool {
        if key != self.key {
            return false;
        }
        let Some(there) = parse(stored.to_owned()).filter(|there| there.revision > texts.revision) else {
            return false;
        };
        if there.example != texts.example {
            // It is met when there is something to write.
            return false;
        }
        (self.known.revision, texts.revision) = (there.revision, there.revision);
        if same_files(&there, texts) {
            return false;
        }
        // Known as well: until someone chooses, there is nothing to write.
        (self.known.elsewhere, texts.elsewhere) = (Some(there.files.clone()), Some(there.files));
        true
    }
}

fn text(texts: &Texts) -> String {
    serde_json::to_string(texts).unwrap_or_default()
}

/// Whether two texts say the same, whichever tab is shown.
fn same(one: &Texts, other: &Texts) -> bool {
    one.example == other.example
        && same_files(one, other)
        && one.drafts == other.drafts
        && one.undo == other.undo
        && one.elsewhere == other.elsewhere
}

fn same_files(one: &Texts, other: &Texts) -> bool {
    let file = |file: &File| (file.name.clone(), file.text.clone(), file.applied.clone());
    one.files.iter().map(file).eq(other.files.iter().map(file))
}

/// Gives texts that are about to be written a revision above what is there; what another tab wrote meanwhile stays beside.
fn meet(mine: &mut Texts, there: Option<&Texts>) {
    if let Some(there) = there.filter(|there| there.revision > mine.revision) {
        mine.revision = there.revision;
        if there.example != mine.example && mine.drafts.iter().all(|(example, _)| *example != there.example) {
            mine.drafts.push((there.example.clone(), there.files.clone()));
        } else if !same_files(there, mine) {
            mine.elsewhere = Some(there.files.clone());
        }
    }
    mine.revision += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(revision: u64, text: &str) -> Texts {
        let file = File { name: "a.yaml".to_owned(), text: text.to_owned(), ..File::default() };
        Texts { revision, files: vec![file], ..Texts::default() }
    }

    #[test]
    fn the_newer_text_wins_and_the_other_stays_beside_it() {
        let mut mine = texts(3, "mine");
        meet(&mut mine, Some(&texts(3, "as it was")));
        assert_eq!((mine.revision, &mine.elsewhere), (4, &None));
        meet(&mut mine, Some(&texts(7, "theirs")));
        assert_eq!((mine.revision, mine.files[0].text.as_str()), (8, "mine"));
        assert_eq!(mine.elsewhere.as_ref().map(|files| files[0].text.as_str()), Some("theirs"));
        // Equal texts need no choice.
        let mut equal = texts(1, "both");
        meet(&mut equal, Some(&texts(5, "both")));
        assert_eq!((equal.revision, equal.elsewhere), (6, None));
        // Those of another example wait for its return.
        let mut other = Texts { example: "queue".to_owned(), ..texts(1, "mine") };
        meet(&mut other, Some(&texts(5, "theirs")));
        assert_eq!((other.elsewhere, other.drafts[0].1[0].text.as_str()), (None, "theirs"));
    }

    #[test]
    fn another_tab_is_heard() {
        let mut shelf = Shelf { key: "k".to_owned(), name: "n".to_owned(), run: "r".to_owned(), known: texts(1, "a") };
        let mut mine = texts(1, "a");
        assert!(!shelf.hear(&mut mine, "other", &text(&texts(2, "b"))));
        assert!(!shelf.hear(&mut mine, "k", &text(&texts(1, "b"))));
        assert!(!shelf.hear(&mut mine, "k", &text(&texts(2, "a"))));
        assert_eq!((mine.revision, &mine.elsewhere), (2, &None));
        assert!(shelf.hear(&mut mine, "k", &text(&texts(3, "b"))));
        assert_eq!(mine.elsewhere.as_ref().map(|files| files[0].text.as_str()), Some("b"));
        assert!(same(&mine, &Texts { files: mine.files.clone(), ..shelf.known }), "an idle tab writes nothing");
    }
}
