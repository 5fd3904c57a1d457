//! Paints the time line on a canvas: one row a Pod, segments by sign, marks, now.
//!
//! Lengths are px of the page, never scaled, so letters keep their shape in any width. Only rows in sight are painted.

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d as Pen, HtmlCanvasElement, HtmlElement};

use super::browser;
use super::engine::{Lane, Mark, MarkKind, Segment, Sign, View};
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

/// Colours of the style sheet, read once a theme.
#[derive(Default)]
struct Palette {
    line: String,
    ink: String,
    soft: String,
    accent: String,
    select: String,
    panel: String,
    signs: [String; 8],
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
        let before = self.rows.len();
        self.rows.clear();
        self.rows.extend(lanes.iter().enumerate().filter(|(_, lane)| within(lane)).map(|(at, _)| at));
        // The canvas is one screen high and sticks; the spacer gives the bar its length.
        // Its end shows whole rows, as its start does.
        let hidden = self.rows.len() as f64 - ((height - RULER) / ROW).floor();
        if before != self.rows.len() {
            if let Some(spacer) = scroll.last_element_child().and_then(|spacer| spacer.dyn_into::<HtmlElement>().ok()) {
                let _ = spacer.style().set_property("height", &format!("{}px", (hidden * ROW).max(0.0)));
            }
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
                paint_mark(pen, palette, mark, x);
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

/// One stretch of a row; shapes repeat the signs of the stage.
fn paint_segment(pen: &Pen, palette: &Palette, segment: &Segment, (from, to): (f64, f64), middle: f64) {
    let colour = &palette.signs[segment.sign as usize];
    let width = (to - from).max(1.5);
    pen.set_fill_style_str(colour);
    pen.set_stroke_style_str(colour);
    match segment.sign {
        Sign::Runs => bar(pen, from, middle, width - 0.5, 10.0),
        Sign::Starts => {
            pen.set_global_alpha(0.45);
            bar(pen, from, middle, width - 0.5, 10.0);
            pen.set_global_alpha(1.0);
            pen.fill_rect(from, middle + 3.5, width - 0.5, 1.5);
        }
        Sign::BacksOff => bar(pen, from, middle, width, 3.0),
        Sign::Waits | Sign::NoRoom | Sign::Ends => {
            let dash = js_sys::Array::of2(&3.into(), &2.5.into());
            let _ = pen.set_line_dash(&dash);
            pen.set_line_width(1.2);
            pen.stroke_rect(from + 1.0, middle - 4.5, (width - 2.0).max(0.5), 9.0);
            let _ = pen.set_line_dash(&js_sys::Array::new());
        }
        Sign::Done => {
            pen.fill_rect(from, middle - 0.5, width, 1.0);
            bar(pen, from + 0.5, middle, 11.0, 11.0);
            stroke(
                pen,
                &palette.panel,
                &[(from + 3.0, middle), (from + 5.2, middle + 2.4), (from + 9.0, middle - 2.6)],
            );
        }
        Sign::Failed => {
            pen.fill_rect(from, middle - 0.5, width, 1.0);
            let x = from + 6.5;
            shape(pen, &[(x, middle - 6.5), (x + 6.5, middle), (x, middle + 6.5), (x - 6.5, middle)]);
            pen.fill();
            stroke(pen, &palette.panel, &[(x - 2.2, middle - 2.2), (x + 2.2, middle + 2.2)]);
            stroke(pen, &palette.panel, &[(x + 2.2, middle - 2.2), (x - 2.2, middle + 2.2)]);
        }
    }
}

fn paint_mark(pen: &Pen, palette: &Palette, mark: &Mark, x: f64) {
    let y = MARKS;
    match mark.kind {
        MarkKind::Cron => {
            pen.set_fill_style_str(&palette.ink);
            pen.fill_rect(x - 0.75, MARKS - 5.0, 1.5, 12.0);
        }
        MarkKind::Complete => {
            pen.set_fill_style_str(&palette.signs[Sign::Done as usize]);
            bar(pen, x - 4.0, y, 8.0, 8.0);
        }
        MarkKind::Failed => {
            pen.set_fill_style_str(&palette.signs[Sign::Failed as usize]);
            shape(pen, &[(x, y - 5.0), (x + 5.0, y), (x, y + 5.0), (x - 5.0, y)]);
            pen.fill();
        }
        MarkKind::Input => {
            pen.set_fill_style_str(&palette.accent);
            shape(pen, &[(x - 4.0, MARKS + 4.0), (x + 4.0, MARKS + 4.0), (x, MARKS - 4.0)]);
            pen.fill();
        }
    }
}

/// A bar with round corners where there is room for them.
fn bar(pen: &Pen, x: f64, middle: f64, width: f64, height: f64) {
    pen.begin_path();
    let _ = pen.round_rect_with_f64(x, middle - height / 2.0, width, height, (height / 4.0).min(width / 2.0));
    pen.fill();
}

fn shape(pen: &Pen, points: &[(f64, f64)]) {
    pen.begin_path();
    for (x, y) in points {
        pen.line_to(*x, *y);
    }
    pen.close_path();
}

fn stroke(pen: &Pen, colour: &str, points: &[(f64, f64)]) {
    pen.set_stroke_style_str(colour);
    pen.set_line_width(1.6);
    pen.begin_path();
    for (x, y) in points {
        pen.line_to(*x, *y);
    }
    pen.stroke();
}

fn clip(pen: &Pen, left: f64, top: f64, right: f64, bottom: f64) {
    pen.begin_path();
    pen.rect(left, top, right - left, bottom - top);
    pen.clip();
}

fn scroll() -> Option<HtmlElement> {
    browser::document().query_selector(".timeline .scrolls").ok().flatten()?.dyn_into().ok()
}

fn canvas() -> Option<HtmlCanvasElement> {
    browser::document().query_selector(".timeline canvas").ok().flatten()?.dyn_into().ok()
}

/// The canvas's pen, with a bitmap as fine as the screen.
fn sized(canvas: &HtmlCanvasElement, width: f64, height: f64) -> Option<Pen> {
    let scale = browser::window().device_pixel_ratio().clamp(1.0, 4.0);
    let (wide, high) = ((width * scale) as u32, (height * scale) as u32);
    if canvas.width() != wide || canvas.height() != high {
        canvas.set_width(wide);
        canvas.set_height(high);
        let _ = canvas.style().set_property("width", &format!("{width}px"));
        let _ = canvas.style().set_property("height", &format!("{height}px"));
    }
    let pen: Pen = canvas.get_context("2d").ok().flatten()?.dyn_into().ok()?;
    let _ = pen.set_transform(scale, 0.0, 0.0, scale, 0.0, 0.0);
    Some(pen)
}

impl Palette {
    fn read() -> Palette {
        let style = browser::document()
            .document_element()
            .and_then(|root| browser::window().get_computed_style(&root).ok().flatten());
        let colour = |name: &str| {
            style.as_ref().and_then(|style| style.get_property_value(name).ok()).unwrap_or_default().trim().to_owned()
        };
        let signs =
            ["--waits", "--noroom", "--starts", "--runs", "--done", "--failed", "--backoff", "--ends"].map(colour);
        Palette {
            line: colour("--line"),
            ink: colour("--ink"),
            soft: colour("--soft"),
            accent: colour("--accent"),
            select: colour("--select"),
            panel: colour("--panel"),
            signs,
        }
    }
}
