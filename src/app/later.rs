//! What the page fetches when it is first needed, so that most visits never carry it: see [`Extra`].

use std::rc::Rc;

use yew::Callback;
use yew::platform::spawn_local;

use super::app::{App, Msg};
use super::breaks::Deed;
use super::browser;
use super::engine::{self, Answer, Extra, ZoneTable};
use super::terminal;

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

    /// Fetches a part, if it is not on its way, and remembers what to do then.
    pub fn fetch(&mut self, part: Extra, then: Then, act: &Callback<Msg>) {
        if let Some((_, waiting)) = self.waiting.iter_mut().find(|(known, _)| *known == part) {
            if !waiting.contains(&then) {
                waiting.push(then);
            }
            return;
        }
        self.waiting.push((part, vec![then]));
        let act = act.clone();
        spawn_local(async move { act.emit(Msg::Came(part, bring(part).await)) });
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

impl App {
    /// A part that was fetched came, or did not: what waited for it goes on.
    pub(super) fn part_came(&mut self, part: Extra, came: Came) {
        let (waiting, why) = self.later.come(part, came);
        if part == Extra::Zones {
            self.run.set_zones(self.later.table());
        }
        if !self.later.lacks(Extra::Shells) {
            self.run.shells_came();
        }
        for then in waiting {
            match (then, &why) {
                (Then::Start, _) => self.start_now(),
                (Then::Check, None) => self.lint(),
                (Then::Apply, None) => self.apply(),
                // Without the table the API server says that it does not know the zone.
                (Then::Line(line), _) if part == Extra::Zones => self.type_line_now(&line),
                (Then::Line(line), None) => self.type_line(&line),
                // Nothing that was typed is lost.
                (Then::Line(line), Some(_)) => terminal::set_line("", &line),
                (Then::Complete(line), None) => self.complete(&line),
                (Then::Deed(deed), None) => self.break_it(deed),
                (Then::GoOn, _) | (Then::Check | Then::Apply | Then::Complete(_) | Then::Deed(_), Some(_)) => {}
            }
        }
        if let Some(why) = why {
            if part == Extra::Shells {
                self.run.stand();
            }
            let text = match part {
                Extra::Zones => format!(
                    "The table of time zones could not be fetched: {why}.\nWhat names a time zone is not applied. Look at \
                     the connection, then press Apply once more."
                ),
                Extra::Shells => format!(
                    "What runs shells in containers could not be fetched: {why}.\nThe clock stands. Look at the \
                     connection, then press Play."
                ),
                Extra::Terminal => format!(
                    "The terminal's commands could not be fetched: {why}.\nLook at the connection, then try once more."
                ),
            };
            self.said = text.clone().into();
            self.answer = Rc::new(Answer { ok: false, text, remarks: Vec::new() });
        }
    }

    /// Fetches the terminal's commands before someone waits for them.
    pub(super) fn expect_terminal(&mut self) {
        if self.later.lacks(Extra::Terminal) {
            self.later.fetch(Extra::Terminal, Then::GoOn, &self.act);
        }
    }
}

async fn bring(part: Extra) -> Came {
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
