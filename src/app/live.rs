//! What changes with every moment, written straight into the page: countdowns, rings, candles, the clock.
//!
//! A panel draws an element with `data-live` (what to write) and `data-from`/`data-until` (milliseconds of the run) and
//! leaves it empty; after each drawing [`Live::collect`] finds these elements, and [`Live::paint`] writes what differs.

use web_sys::Element;

use super::{browser, words};

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    /// The text of what is left.
    Left,
    /// The text of how long ago.
    Ago,
    /// A circle with `pathLength="100"`: what is left of it.
    Ring,
    /// A bar's width: what is left of it.
    Candle,
    /// A hand's angle: how much has passed.
    Hand,
    /// The moment of the run.
    Now,
    /// The time of day in UTC.
    Wall,
    /// What the clock is about.
    State,
}

struct Item {
    element: Element,
    kind: Kind,
    from_ms: i64,
    until_ms: i64,
    written: String,
}

/// All such elements of a session.
#[derive(Default)]
pub struct Live {
    items: Vec<Item>,
}

impl Live {
    /// Finds the elements below `root` anew.
    pub fn collect(&mut self, root: &Element) {
        self.items.clear();
        for element in browser::elements_within(root, "[data-live]") {
            let kind = match element.get_attribute("data-live").as_deref() {
                Some("left") => Kind::Left,
                Some("ago") => Kind::Ago,
                Some("ring") => Kind::Ring,
                Some("candle") => Kind::Candle,
                Some("hand") => Kind::Hand,
                Some("now") => Kind::Now,
                Some("wall") => Kind::Wall,
                Some("state") => Kind::State,
                _ => continue,
            };
            let number = |name| element.get_attribute(name).and_then(|text| text.parse().ok()).unwrap_or(0);
            let (from_ms, until_ms) = (number("data-from"), number("data-until"));
            self.items.push(Item { element, kind, from_ms, until_ms, written: String::new() });
        }
    }

    /// Writes what is true at `now_ms`; `wall_clock` is `2026-11-21 08:00:42 UTC`, `state` what the clock is about.
    pub fn paint(&mut self, now_ms: i64, wall_clock: &str, state: &str) {
        for item in &mut self.items {
            let text = match item.kind {
                Kind::State => state.to_owned(),
                _ => item.text(now_ms, wall_clock),
            };
            if text != item.written {
                item.write(&text);
                item.written = text;
            }
        }
    }
}

impl Item {
    fn text(&self, now_ms: i64, wall_clock: &str) -> String {
        // Tenths of a per cent are finer than a pixel of anything drawn here.
        let span = (self.until_ms - self.from_ms).max(1);
        let left = ((self.until_ms - now_ms) as f64 / span as f64).clamp(0.0, 1.0);
        match self.kind {
            Kind::Left => words::left(self.until_ms - now_ms),
            Kind::Ago => words::age(now_ms - self.from_ms),
            Kind::Ring => format!("{:.1} 100", left * 100.0),
            Kind::Candle => format!("{:.1}%", left * 100.0),
            Kind::Hand => format!("rotate({:.0} 17 17)", (1.0 - left) * 360.0),
            Kind::Now => format!("t+{}", words::moment(now_ms)),
            Kind::Wall => wall_clock.get(11..19).unwrap_or_default().to_owned(),
            Kind::State => String::new(),
        }
    }

    fn write(&self, text: &str) {
        let attribute = match self.kind {
            Kind::Ring => "stroke-dasharray",
            Kind::Candle => "width",
            Kind::Hand => "transform",
            Kind::Left | Kind::Ago | Kind::Now | Kind::Wall | Kind::State => {
                return self.element.set_text_content(Some(text));
            }
        };
        let _ = self.element.set_attribute(attribute, text);
    }
}
