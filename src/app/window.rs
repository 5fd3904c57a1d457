//! The time line's window: which stretch of the run is in sight, which rows, and what a gesture means there. No element is
//! touched here; `lanes` paints what this says.
//!
//! Lengths are px of the page, never scaled, so letters keep their shape in any width.

use super::engine::{Lane, View};
use super::words::{age, moment};

pub const ROW: f64 = 20.0;
pub const RULER: f64 = 30.0;
/// Smallest distance of two ticks of the ruler.
const TICK: f64 = 84.0;
/// Share of the width that is left of now while following.
const PAST: f64 = 0.84;
/// Shortest and longest stretch shown, in ms.
const SPAN_MS: (f64, f64) = (5_000.0, 90.0 * 86_400_000.0);
/// The stretch at the start of a run, and the longest to which following grows by itself.
const FOLLOW_MS: (f64, f64) = (30_000.0, 600_000.0);
/// Ticks are at multiples of one of these, in seconds.
const TICKS_SECONDS: [i64; 18] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 604_800, 2_592_000];
/// A pointer that moved less far has not dragged.
const DRAG_PX: f64 = 4.0;

/// What someone does to the time line. Lengths are px.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Gesture {
    Down(f64, f64),
    Move(f64, f64),
    Up(f64, f64),
    Cancel,
    Pan(f64),
    /// By a factor, around a place or around the middle.
    Zoom(f64, Option<f64>),
    Fit,
    Follow,
    Scrolled,
}

/// What a gesture asks of the page.
#[derive(Clone, PartialEq, Debug)]
pub enum Wish {
    Nothing,
    Paint,
    Seek(i64),
    Select(String),
    /// Says what is under the pointer.
    Tell(String),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Drag {
    Ruler,
    /// Where it began, the window's start then, and whether it has left its place.
    Rows(f64, f64, bool),
}

/// What is in sight.
pub struct Window {
    pub from_ms: f64,
    pub span_ms: f64,
    pub follows: bool,
    /// The stretch is chosen by the page, not the user.
    auto: bool,
    drag: Option<Drag>,
    /// Indexes of the lanes that have a row now.
    pub rows: Vec<usize>,
    pub width: f64,
    /// Width of the names.
    pub gutter: f64,
}

impl Default for Window {
    fn default() -> Window {
        Window {
            from_ms: 0.0,
            span_ms: FOLLOW_MS.0,
            follows: true,
            auto: true,
            drag: None,
            rows: Vec::new(),
            width: 800.0,
            gutter: 72.0,
        }
    }
}

impl Window {
    /// Does what a gesture asks of the window, and says what it asks of the page. `top` is how far the rows are scrolled.
    pub fn gesture(&mut self, gesture: Gesture, top: f64, view: &View, furthest_ms: i64) -> Wish {
        match gesture {
            Gesture::Down(x, y) if y < RULER => {
                self.drag = Some(Drag::Ruler);
                return self.seek(x);
            }
            Gesture::Down(x, _) => self.drag = Some(Drag::Rows(x, self.from_ms, false)),
            Gesture::Move(x, y) => return self.moved(x, y, top, view),
            Gesture::Up(_, y) => {
                let drag = self.drag.take();
                let lane = self.row_at(y, top).and_then(|row| view.lanes.get(row));
                if let (Some(Drag::Rows(.., false)), Some(lane)) = (drag, lane) {
                    return Wish::Select(lane.uid.clone());
                }
            }
            Gesture::Cancel => self.drag = None,
            Gesture::Pan(px) => {
                self.follows = false;
                self.from_ms = (self.from_ms + px * self.ms_per_px()).max(0.0);
            }
            Gesture::Zoom(factor, at) => self.zoom(factor, at),
            Gesture::Fit => {
                (self.follows, self.auto, self.from_ms) = (false, false, 0.0);
                self.span_ms = (furthest_ms as f64 / PAST).clamp(SPAN_MS.0, SPAN_MS.1);
            }
            Gesture::Follow => {
                self.follows = !self.follows;
                self.auto = self.follows;
            }
            Gesture::Scrolled => {}
        }
        Wish::Paint
    }

    fn zoom(&mut self, factor: f64, at: Option<f64>) {
        self.auto = false;
        let at = at.unwrap_or(if self.follows { self.width * PAST } else { self.width / 2.0 }) - self.gutter;
        let fixed = self.from_ms + at * self.ms_per_px();
        self.span_ms = (self.span_ms * factor).clamp(SPAN_MS.0, SPAN_MS.1);
        self.from_ms = (fixed - at * self.ms_per_px()).max(0.0);
    }

    fn moved(&mut self, x: f64, y: f64, top: f64, view: &View) -> Wish {
        match self.drag {
            Some(Drag::Ruler) => self.seek(x),
            Some(Drag::Rows(start, from_ms, left)) if left || (x - start).abs() > DRAG_PX => {
                self.drag = Some(Drag::Rows(start, from_ms, true));
                self.follows = false;
                self.from_ms = (from_ms - (x - start) * self.ms_per_px()).max(0.0);
                Wish::Paint
            }
            Some(Drag::Rows(..)) => Wish::Nothing,
            None => Wish::Tell(self.tell(x, y, top, view)),
        }
    }

    fn seek(&self, x: f64) -> Wish {
        Wish::Seek((self.from_ms + (x - self.gutter) * self.ms_per_px()).max(0.0) as i64)
    }

    fn ms_per_px(&self) -> f64 {
        self.span_ms / (self.width - self.gutter).max(1.0)
    }

    /// Where a moment lies.
    pub fn x(&self, at_ms: i64) -> f64 {
        // Cut to what a canvas can take; the ends are out of sight anyway.
        (self.gutter + (at_ms as f64 - self.from_ms) / self.ms_per_px()).clamp(-10_000.0, 20_000.0)
    }

    /// The lane at a height of the canvas.
    fn row_at(&self, y: f64, top: f64) -> Option<usize> {
        (y >= RULER).then(|| ((y - RULER + top) / ROW) as usize).and_then(|row| self.rows.get(row).copied())
    }

    /// Says what is at a place.
    fn tell(&self, x: f64, y: f64, top: f64, view: &View) -> String {
        let at_ms = (self.from_ms + (x - self.gutter) * self.ms_per_px()) as i64;
        let slack_ms = (5.0 * self.ms_per_px()) as i64;
        match self.row_at(y, top).and_then(|row| view.lanes.get(row)) {
            Some(lane) => match lane.segments.iter().rev().find(|segment| segment.from_ms <= at_ms) {
                Some(segment) if x >= self.gutter => {
                    let lasted = segment.to_ms.unwrap_or(view.now_ms.max(segment.from_ms)) - segment.from_ms;
                    format!("{}\n{} from t+{}, for {}", lane.name, segment.word, moment(segment.from_ms), age(lasted))
                }
                _ => lane.name.clone(),
            },
            None => {
                let near = view.marks.iter().filter(|mark| (mark.at_ms - at_ms).abs() <= slack_ms);
                near.map(|mark| format!("t+{} {}", moment(mark.at_ms), mark.text)).collect::<Vec<_>>().join("\n")
            }
        }
    }

    /// Takes its place: so wide, at this moment, with rows for the Pods that lived within it.
    pub fn place(&mut self, width: f64, now_ms: i64, lanes: &[Lane]) {
        self.width = width;
        self.gutter = if width < 520.0 { 56.0 } else { 76.0 };
        let now = now_ms as f64;
        if self.auto {
            self.span_ms = (now / PAST).clamp(FOLLOW_MS.0, FOLLOW_MS.1).max(self.span_ms.min(FOLLOW_MS.1));
        }
        if self.follows {
            self.from_ms = (now - self.span_ms * PAST).max(0.0);
        }
        let (from, to) = (self.from_ms as i64, (self.from_ms + self.span_ms) as i64);
        let within = |lane: &Lane| {
            lane.segments.first().is_some_and(|first| first.from_ms <= to)
                && lane.gone_ms.is_none_or(|gone| gone >= from)
        };
        self.rows.clear();
        self.rows.extend(lanes.iter().enumerate().filter(|(_, lane)| within(lane)).map(|(at, _)| at));
    }

    /// How much longer than the window all rows are, so that its end shows whole rows, as its start does.
    pub fn hidden(&self, height: f64) -> f64 {
        ((self.rows.len() as f64 - ((height - RULER) / ROW).floor()) * ROW).max(0.0)
    }

    /// Moments of the ruler that are in sight.
    pub fn ticks(&self) -> impl Iterator<Item = i64> + use<> {
        let wanted = TICK * self.ms_per_px() / 1000.0;
        let step = TICKS_SECONDS.into_iter().find(|seconds| *seconds as f64 >= wanted).unwrap_or(7_776_000) * 1000;
        let (from, to) = (self.from_ms as i64 / step, (self.from_ms + self.span_ms) as i64 / step);
        (from..=to).map(move |nth| nth * step)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::engine::Segment;

    fn lane(name: &str, from_ms: i64, gone_ms: Option<i64>) -> Lane {
        let segments = vec![Segment { from_ms, word: "runs".into(), ..Segment::default() }];
        Lane { uid: name.into(), name: name.into(), segments, gone_ms, ..Lane::default() }
    }

    fn window(now_ms: i64, view: &View) -> Window {
        let mut window = Window::default();
        window.place(876.0, now_ms, &view.lanes);
        window
    }

    #[test]
    fn it_follows_now_until_someone_takes_hold() {
        let view = View::default();
        let mut window = window(800_000, &view);
        assert_eq!(window.x(800_000).round(), 76.0 + 800.0 * PAST);
        let before = window.from_ms;
        assert_eq!(window.gesture(Gesture::Pan(-80.0), 0.0, &view, 0), Wish::Paint);
        assert!(window.from_ms < before && !window.follows);
        window.place(876.0, 900_000, &view.lanes);
        assert!(window.x(900_000) > 876.0, "what is panned away stays away");
        window.gesture(Gesture::Follow, 0.0, &view, 0);
        window.place(876.0, 900_000, &view.lanes);
        assert_eq!(window.x(900_000).round(), 76.0 + 800.0 * PAST);
    }

    #[test]
    fn zooming_keeps_what_is_under_the_pointer() {
        let view = View::default();
        let mut window = window(600_000, &view);
        let Wish::Seek(before) = window.seek(500.0) else { panic!("the ruler seeks") };
        window.gesture(Gesture::Zoom(0.5, Some(500.0)), 0.0, &view, 0);
        let Wish::Seek(after) = window.seek(500.0) else { panic!("the ruler seeks") };
        assert!((before - after).abs() <= 1, "{before} {after}");
        window.gesture(Gesture::Fit, 0.0, &view, 600_000);
        assert_eq!((window.from_ms, window.x(600_000).round()), (0.0, 76.0 + 800.0 * PAST));
    }

    #[test]
    fn the_ruler_seeks_and_rows_are_dragged_or_chosen() {
        let lanes = Rc::new(vec![lane("gone", 0, Some(1_000)), lane("a", 0, None), lane("b", 90_000, None)]);
        let view = View { now_ms: 100_000, lanes, ..View::default() };
        let mut window = window(100_000, &view);
        assert_eq!(window.rows, [0, 1, 2]);
        let down = window.gesture(Gesture::Down(476.0, 10.0), 0.0, &view, 100_000);
        assert!(matches!(down, Wish::Seek(at) if (59_000..60_000).contains(&at)), "{down:?}");
        assert!(matches!(window.gesture(Gesture::Move(480.0, 90.0), 0.0, &view, 0), Wish::Seek(_)));
        window.gesture(Gesture::Cancel, 0.0, &view, 0);
        // Scrolled by one row, the first height is the second row's.
        window.gesture(Gesture::Down(300.0, 35.0), 20.0, &view, 0);
        assert_eq!(window.gesture(Gesture::Move(302.0, 35.0), 20.0, &view, 0), Wish::Nothing);
        assert_eq!(window.gesture(Gesture::Up(302.0, 35.0), 20.0, &view, 0), Wish::Select("a".into()));
        window.gesture(Gesture::Down(300.0, 35.0), 0.0, &view, 0);
        assert_eq!(window.gesture(Gesture::Move(250.0, 35.0), 0.0, &view, 0), Wish::Paint);
        assert_eq!(window.gesture(Gesture::Up(250.0, 35.0), 0.0, &view, 0), Wish::Paint, "a drag chooses nothing");
        let told = window.gesture(Gesture::Move(500.0, 55.0), 0.0, &view, 0);
        assert!(matches!(&told, Wish::Tell(text) if text.starts_with("a\nruns from t+00:00")), "{told:?}");
    }

    #[test]
    fn rows_are_for_those_who_lived_within() {
        let lanes = Rc::new(vec![lane("gone", 0, Some(1_000)), lane("here", 500_000, None)]);
        let view = View { lanes, ..View::default() };
        let mut window = window(3_600_000, &view);
        assert_eq!(window.rows, [1]);
        assert_eq!((window.hidden(30.0), window.hidden(200.0)), (20.0, 0.0));
        let ticks: Vec<i64> = window.ticks().collect();
        assert!(
            ticks.len() > 3 && ticks.len() < 12 && ticks.windows(2).all(|two| two[1] - two[0] == 120_000),
            "{ticks:?}"
        );
        window.place(400.0, 0, &view.lanes);
        assert_eq!(window.gutter, 56.0);
    }
}
