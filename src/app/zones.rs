//! The table of time zones: fetched when a manifest first names a zone, so that most visits never carry it.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use yew::Callback;

use super::app::Msg;
use super::browser;
use super::engine::ZoneTable;

/// What waits for the table.
#[derive(Clone, PartialEq, Debug)]
pub enum Then {
    Start,
    Apply,
    Line(String),
    Check,
}

/// The table, or how far it is.
pub struct Zones {
    table: ZoneTable,
    waiting: Vec<Then>,
    /// Callbacks of the fetch under way.
    callbacks: Vec<Closure<dyn FnMut(JsValue)>>,
}

impl Default for Zones {
    fn default() -> Zones {
        Zones { table: ZoneTable::empty(), waiting: Vec::new(), callbacks: Vec::new() }
    }
}

/// Whether a text may name a time zone: `timeZone:`, or `TZ=` in a schedule.
pub fn named_in(text: &str) -> bool {
    text.contains("timeZone") || text.contains("TZ=")
}

impl Zones {
    pub fn table(&self) -> &ZoneTable {
        &self.table
    }

    /// Whether the table is needed for these texts and not there yet.
    pub fn lack<'a>(&self, mut texts: impl Iterator<Item = &'a str>) -> bool {
        self.table.is_empty() && texts.any(named_in)
    }

    /// Fetches the table, if that is not under way, and remembers what to do then.
    pub fn fetch(&mut self, then: Then, act: &Callback<Msg>) {
        let under_way = !self.waiting.is_empty();
        if !self.waiting.contains(&then) {
            self.waiting.push(then);
        }
        if under_way {
            return;
        }
        let come = {
            let act = act.clone();
            Closure::<dyn FnMut(JsValue)>::new(move |bytes: JsValue| {
                act.emit(Msg::Zones(Ok(Rc::new(js_sys::Uint8Array::from(bytes).to_vec()))));
            })
        };
        let fail = {
            let act = act.clone();
            Closure::<dyn FnMut(JsValue)>::new(move |error: JsValue| {
                let said = js_sys::Error::from(error).message();
                act.emit(Msg::Zones(Err(said.into())));
            })
        };
        match browser::zones() {
            Ok(promise) => drop(promise.then2(&come, &fail)),
            Err(_) => act.emit(Msg::Zones(Err("the page's own files are not complete".to_owned()))),
        }
        self.callbacks = vec![come, fail];
    }

    /// Takes what came. Gives what waited for it, and why the table is not there if it is not.
    pub fn come(&mut self, bytes: Result<Rc<Vec<u8>>, String>) -> (Vec<Then>, Option<String>) {
        let table = bytes.and_then(|bytes| ZoneTable::from_bytes(bytes.as_slice()).map_err(|bad| bad.to_string()));
        let why = match table {
            Ok(table) => {
                self.table = table;
                None
            }
            Err(why) => Some(why),
        };
        (std::mem::take(&mut self.waiting), why)
    }
}
