//! What the page fetches when it is first needed, so that most visits never carry it: see [`Extra`].

use std::rc::Rc;

use super::breaks::Deed;
use super::browser;
use super::engine::{self, Extra, ZoneTable};

/// What waits for a part.
#[derive(Clone, PartialEq, Debug)]
pub enum Then {
    Start,
    Apply,
    Line(String),
    Complete(String),
    Deed(Deed),
    Check,
    /// Nothing was asked for yet, or the clock stands for it.
    GoOn,
}

/// What has come of a part: the bytes of the table of time zones, or nothing but the part itself.
pub type Came = Result<Rc<Vec<u8>>, String>;

/// What is here, and what is on its way.
pub struct Later {
    table: ZoneTable,
    here: Vec<Extra>,
    /// Parts on their way, with what waits for each.
    waiting: Vec<(Extra, Vec<Then>)>,
}

impl Default for Later {
    fn default() -> Later {
        Later { table: ZoneTable::empty(), here: Vec::new(), waiting: Vec::new() }
    }
}

impl Later {
    /// The table of time zones; empty until it is here.
    pub fn table(&self) -> &ZoneTable {
        &self.table
    }

    pub fn lacks(&self, part: Extra) -> bool {
        !self.here.contains(&part)
    }

    /// Whether the time zones are needed for these texts and not there yet.
    pub fn lacks_zones<'a>(&self, mut texts: impl Iterator<Item = &'a str>) -> bool {
        self.lacks(Extra::Zones) && texts.any(engine::may_name_zone)
    }

    /// Remembers what to do once a part is there. True if it is to be fetched now: it is not on its way.
    pub fn wants(&mut self, part: Extra, then: Then) -> bool {
        if let Some((_, waiting)) = self.waiting.iter_mut().find(|(known, _)| *known == part) {
            if !waiting.contains(&then) {
                waiting.push(then);
            }
            return false;
        }
        self.waiting.push((part, vec![then]));
        true
    }

    /// Takes what came. Gives what waited for it, and why it is not here if it is not.
    pub fn come(&mut self, part: Extra, came: Came) -> (Vec<Then>, Option<String>) {
        let at = self.waiting.iter().position(|(known, _)| *known == part);
        let waiting = at.map(|at| self.waiting.swap_remove(at).1).unwrap_or_default();
        match came.and_then(|bytes| self.take(part, &bytes)) {
            Ok(()) => (waiting, None),
            Err(why) => (waiting, Some(why)),
        }
    }

    fn take(&mut self, part: Extra, bytes: &[u8]) -> Result<(), String> {
        if part == Extra::Zones {
            self.table = ZoneTable::from_bytes(bytes).map_err(|bad| bad.to_string())?;
        }
        self.here.extend(part.with());
        Ok(())
    }
}

impl Extra {
    /// Says that the part is not there.
    pub fn missing(self, why: &str) -> String {
        let (what, then) = match self {
            Extra::Zones => (
                "The table of time zones",
                "What names a time zone is not applied. Look at the connection, then press Apply once more.",
            ),
            Extra::Shells => {
                ("What runs shells in containers", "The clock stands. Look at the connection, then press Play.")
            }
            Extra::Terminal => ("The terminal's commands", "Look at the connection, then try once more."),
        };
        format!("{what} could not be fetched: {why}.\n{then}")
    }
}

/// Fetches a part.
pub async fn bring(part: Extra) -> Came {
    let incomplete = |_| "its file did not come".to_owned();
    engine::fetch(part).await.map_err(incomplete)?;
    if part != Extra::Zones {
        return Ok(Rc::default());
    }
    match browser::zones().await {
        Ok(bytes) => Ok(Rc::new(js_sys::Uint8Array::from(bytes).to_vec())),
        Err(error) => Err(js_sys::Error::from(error).message().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_fetched_once_and_all_that_waits_for_it_goes_on() {
        let mut later = Later::default();
        let line = || Then::Line("ls".to_owned());
        assert!(later.lacks(Extra::Terminal) && later.lacks_zones(["timeZone: UTC"].into_iter()));
        assert!(later.wants(Extra::Terminal, Then::GoOn));
        assert!(!later.wants(Extra::Terminal, line()));
        assert!(!later.wants(Extra::Terminal, line()));
        let lost = later.come(Extra::Terminal, Err("gone".to_owned()));
        assert_eq!(lost, (vec![Then::GoOn, line()], Some("gone".to_owned())));
        // The next one who needs it asks anew.
        assert!(later.wants(Extra::Terminal, line()));
        assert_eq!(later.come(Extra::Terminal, Ok(Rc::default())), (vec![line()], None));
        assert!(!later.lacks(Extra::Terminal) && !later.lacks(Extra::Shells), "the shells come with the terminal");
    }
}
