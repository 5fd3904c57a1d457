//! Paints the time line on a canvas: one row a Pod, segments by sign, marks, now.
//!
//! Lengths are px of the page, never scaled, so letters keep their shape in any width. Only rows in sight are painted.

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d as Pen, HtmlCanvasElement, HtmlElement};

use super::browser;
use super::engine::{Lane, View};
use super::pen::{Palette, clip, paint_mark, paint_segment, shape, sized};
use super::words::{age, moment};

const ROW: f64 = 20.0;
const RULER: f64 = 30.0;
/// Where the ruler's letters and its marks stand.
const LETTERS: f64 = 9.0;
const MARKS: f64 = 22.0;
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
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Drag {
    Ruler,
    /// Where it began, the window's start then, and whether it has left its place.
    Rows(f64, f64, bool),
}

pub struct Lanes {
    from_ms: f64,
    span_ms: f64,
    pub follows: bool,
    /// The stretch is chosen by the page, not the user.
    auto: bool,
    /// Rows stay scrolled to the newest.
    stick: bool,
    drag: Option<Drag>,
    palette: Option<Palette>,
    /// Indexes of the lanes that have a row now.
    rows: Vec<usize>,
    width: f64,
    gutter: f64,
    /// Height of the spacer, as last set.
    spacer: f64,
}

impl Default for Lanes {
    fn default() -> Lanes {
        Lanes {
            from_ms: 0.0,
            span_ms: FOLLOW_MS.0,
            follows: true,
            auto: true,
            stick: true,
            drag: None,
            palette: None,
            rows: Vec::new(),
            width: 800.0,
            gutter: 72.0,
            spacer: -1.0,
        }
    }
}

impl Lanes {
    /// The theme changed: colours are read again.
    pub fn forget_colours(&mut self) {
        self.palette = None;
    }

    /// A new run: back to the start, following.
    pub fn restart(&mut self) {
        *self = Lanes { palette: self.palette.take(), ..Lanes::default() };
    }

    /// Does what a gesture asks of the window, and says what it asks of the page.
    pub fn gesture(&mut self, gesture: Gesture, view: &View, furthest_ms: i64) -> Wish {
        match gesture {
            Gesture::Down(x, y) if y < RULER => {
                self.drag = Some(Drag::Ruler);
                return self.seek(x);
            }
            Gesture::Down(x, _) => self.drag = Some(Drag::Rows(x, self.from_ms, false)),
            Gesture::Move(x, y) => return self.moved(x, y, view),
            Gesture::Up(_, y) => {
                let drag = self.drag.take();
                let lane = self.row_at(y).and_then(|row| view.lanes.get(row));
                if let (Some(Drag::Rows(.., false)), Some(lane)) = (drag, lane) {
                    return Wish::Select(lane.uid.clone());
                }
            }
            Gesture::Cancel => self.drag = None,
            Gesture::Pan(px) => {
                self.follows = false;
                self.from_ms = (self.from_ms + px * self.ms_per_px()).max(0.0);
            }
            Gesture::Zoom(factor, at) => {
                self.auto = false;
                let at = at.unwrap_or(if self.follows { self.width * PAST } else { self.width / 2.0 }) - self.gutter;
                let fixed = self.from_ms + at * self.ms_per_px();
                self.span_ms = (self.span_ms * factor).clamp(SPAN_MS.0, SPAN_MS.1);
                self.from_ms = (fixed - at * self.ms_per_px()).max(0.0);
            }
            Gesture::Fit => {
                (self.follows, self.auto, self.from_ms) = (false, false, 0.0);
                self.span_ms = (furthest_ms as f64 / PAST).clamp(SPAN_MS.0, SPAN_MS.1);
            }
            Gesture::Follow => {
                self.follows = !self.follows;
                self.auto = self.follows;
            }
            Gesture::Scrolled => {
                if let Some(scroll) = scroll() {
                    self.stick = scroll.scroll_top() + scroll.client_height() >= scroll.scroll_height() - ROW as i32;
                }
            }
        }
        Wish::Paint
    }

    fn moved(&mut self, x: f64, y: f64, view: &View) -> Wish {
        match self.drag {
            Some(Drag::Ruler) => self.seek(x),
            Some(Drag::Rows(start, from_ms, left)) if left || (x - start).abs() > 4.0 => {
                self.drag = Some(Drag::Rows(start, from_ms, true));
                self.follows = false;
                self.from_ms = (from_ms - (x - start) * self.ms_per_px()).max(0.0);
                Wish::Paint
            }
            Some(Drag::Rows(..)) => Wish::Nothing,
            None => {
                self.tell(x, y, view);
                Wish::Nothing
            }
        }
    }

    fn seek(&self, x: f64) -> Wish {
        Wish::Seek((self.from_ms + (x - self.gutter) * self.ms_per_px()).max(0.0) as i64)
    }

    fn ms_per_px(&self) -> f64 {
        self.span_ms / (self.width - self.gutter).max(1.0)
    }

    fn x(&self, at_ms: i64) -> f64 {
        // Cut to what a canvas can take; the ends are out of sight anyway.
        (self.gutter + (at_ms as f64 - self.from_ms) / self.ms_per_px()).clamp(-10_000.0, 20_000.0)
    }

    /// The lane at a height of the canvas.
    fn row_at(&self, y: f64) -> Option<usize> {
        let top = f64::from(scroll().map_or(0, |scroll| scroll.scroll_top()));
        (y >= RULER).then(|| ((y - RULER + top) / ROW) as usize).and_then(|row| self.rows.get(row).copied())
    }

    /// Says what is under the pointer, as the canvas's title.
    fn tell(&self, x: f64, y: f64, view: &View) {
        let at_ms = (self.from_ms + (x - self.gutter) * self.ms_per_px()) as i64;
        let slack_ms = (5.0 * self.ms_per_px()) as i64;
        let text = match self.row_at(y).and_then(|row| view.lanes.get(row)) {
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
        };
        if let Some(canvas) = canvas() {
            canvas.set_title(&text);
        }
    }

    /// Paints the picture at `now_ms`.
    pub fn paint(&mut self, view: &View, now_ms: i64, furthest_ms: i64, selected: Option<&str>) {
        let (Some(canvas), Some(scroll)) = (canvas(), scroll()) else { return };
        let (width, height) = (f64::from(scroll.client_width()), f64::from(scroll.client_height()));
        if width < 40.0 || height < RULER {
            return;
        }
        self.width = width;
        self.gutter = if width < 520.0 { 56.0 } else { 76.0 };
        self.place_window(now_ms);
        self.choose_rows(&view.lanes, &scroll, height);
        let Some(pen) = sized(&canvas, width, height) else { return };
        let palette = self.palette.take().unwrap_or_else(Palette::read);
        pen.clear_rect(0.0, 0.0, width, height);
        pen.set_font("11px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace");
        self.paint_grid(&pen, &palette, height);
        let top = f64::from(scroll.scroll_top());
        let first = (top / ROW) as usize;
        let last = (((top + height - RULER) / ROW).ceil() as usize).min(self.rows.len());
        pen.save();
        clip(&pen, 0.0, RULER, width, height);
        for row in first..last {
            let lane = &view.lanes[self.rows[row]];
            let y = RULER + row as f64 * ROW - top;
            self.paint_lane(&pen, &palette, lane, y, now_ms, selected == Some(&lane.uid));
        }
        pen.restore();
        self.paint_ruler(&pen, &palette, view, (now_ms, furthest_ms), height);
        self.palette = Some(palette);
    }

    fn place_window(&mut self, now_ms: i64) {
        let now = now_ms as f64;
        if self.auto {
            self.span_ms = (now / PAST).clamp(FOLLOW_MS.0, FOLLOW_MS.1).max(self.span_ms.min(FOLLOW_MS.1));
        }
        if self.follows {
            self.from_ms = (now - self.span_ms * PAST).max(0.0);
        }
    }

    /// Rows are for the Pods that lived within the window.
    fn choose_rows(&mut self, lanes: &[Lane], scroll: &HtmlElement, height: f64) {
        let (from, to) = (self.from_ms as i64, (self.from_ms + self.span_ms) as i64);
        let within = |lane: &Lane| {
            lane.segments.first().is_some_and(|first| first.from_ms <= to)
                && lane.gone_ms.is_none_or(|gone| gone >= from)
        };
        self.rows.clear();
        self.rows.extend(lanes.iter().enumerate().filter(|(_, lane)| within(lane)).map(|(at, _)| at));
        // The canvas is one screen high and sticks; the spacer gives the bar its length.
        // Its end shows whole rows, as its start does.
        let hidden = self.rows.len() as f64 - ((height - RULER) / ROW).floor();
        let spacer = (hidden * ROW).max(0.0);
        let element = scroll.last_element_child().and_then(|spacer| spacer.dyn_into::<HtmlElement>().ok());
        if let Some(element) = element.filter(|_| spacer != self.spacer) {
            let _ = element.style().set_property("height", &format!("{spacer}px"));
            self.spacer = spacer;
        }
        if self.stick && self.follows {
            scroll.set_scroll_top(scroll.scroll_height());
        }
    }

    fn tick_seconds(&self) -> i64 {
        let wanted = TICK * self.ms_per_px() / 1000.0;
        TICKS_SECONDS.into_iter().find(|seconds| *seconds as f64 >= wanted).unwrap_or(7_776_000)
    }

    /// Moments of the ruler that are in sight.
    fn ticks(&self) -> impl Iterator<Item = i64> + use<> {
        let step = self.tick_seconds() * 1000;
        let (from, to) = (self.from_ms as i64 / step, (self.from_ms + self.span_ms) as i64 / step);
        (from..=to).map(move |nth| nth * step)
    }

    fn paint_grid(&self, pen: &Pen, palette: &Palette, height: f64) {
        pen.set_fill_style_str(&palette.line);
        for at in self.ticks() {
            let x = self.x(at).round();
            if x >= self.gutter {
                pen.fill_rect(x, 0.0, 1.0, height);
            }
        }
    }

    fn paint_ruler(&self, pen: &Pen, palette: &Palette, view: &View, (now_ms, furthest_ms): (i64, i64), height: f64) {
        pen.set_fill_style_str(&palette.panel);
        pen.fill_rect(0.0, 0.0, self.width, RULER - 1.0);
        pen.set_fill_style_str(&palette.line);
        pen.fill_rect(0.0, RULER - 1.0, self.width, 1.0);
        pen.set_text_baseline("middle");
        let now = self.x(now_ms);
        for at in self.ticks() {
            let x = self.x(at).round();
            if x < self.gutter {
                continue;
            }
            pen.set_fill_style_str(&palette.line);
            pen.fill_rect(x, 0.0, 1.0, RULER);
            pen.set_fill_style_str(&palette.soft);
            let _ = pen.fill_text(&moment(at), x + 4.0, LETTERS);
        }
        // What has been seen already, and can be gone to again.
        let seen = self.x(furthest_ms).min(self.width);
        if seen > now {
            pen.set_fill_style_str(&palette.soft);
            pen.fill_rect(now.max(self.gutter), RULER - 3.0, seen - now.max(self.gutter), 2.0);
        }
        for mark in view.marks.iter() {
            let x = self.x(mark.at_ms);
            if x >= self.gutter && x <= self.width {
                paint_mark(pen, palette, mark, (x, MARKS));
            }
        }
        if now >= self.gutter && now <= self.width {
            pen.set_fill_style_str(&palette.accent);
            pen.fill_rect(now - 1.0, 0.0, 2.0, height);
            shape(pen, &[(now - 6.0, 0.0), (now + 6.0, 0.0), (now, 8.0)]);
            pen.fill();
        }
    }

    fn paint_lane(&self, pen: &Pen, palette: &Palette, lane: &Lane, y: f64, now_ms: i64, selected: bool) {
        if selected {
            pen.set_fill_style_str(&palette.select);
            pen.fill_rect(0.0, y, self.width, ROW);
        }
        pen.set_text_baseline("middle");
        pen.set_fill_style_str(if selected { &palette.ink } else { &palette.soft });
        let _ = pen.fill_text(&lane.short, 12.0, y + ROW / 2.0 + 0.5);
        pen.save();
        clip(pen, self.gutter, y, self.width, y + ROW);
        for segment in &lane.segments {
            let to = segment.to_ms.or(lane.gone_ms).unwrap_or(now_ms);
            if to as f64 >= self.from_ms - self.span_ms && (segment.from_ms as f64) < self.from_ms + self.span_ms {
                paint_segment(pen, palette, segment, (self.x(segment.from_ms), self.x(to)), y + ROW / 2.0);
            }
        }
        if let Some(gone) = lane.gone_ms {
            pen.set_fill_style_str(&palette.soft);
            pen.fill_rect(self.x(gone) - 0.5, y + 5.0, 1.5, ROW - 10.0);
        }
        pen.restore();
    }
}

fn scroll() -> Option<HtmlElement> {
    browser::document().query_selector(".timeline .scrolls").ok().flatten()?.dyn_into().ok()
}

fn canvas() -> Option<HtmlCanvasElement> {
    browser::document().query_selector(".timeline canvas").ok().flatten()?.dyn_into().ok()
}
