//! Paints the time line on a canvas: one row a Pod, segments by sign, marks, now. Only rows in sight are painted.

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d as Pen, HtmlCanvasElement, HtmlElement};
use yew::NodeRef;

use super::engine::{Lane, View};
use super::pen::{Palette, clip, paint_mark, paint_segment, shape, sized};
use super::window::{Gesture, ROW, RULER, Window, Wish};
use super::words::moment;

/// Where the ruler's letters and its marks stand.
const LETTERS: f64 = 9.0;
const MARKS: f64 = 22.0;

/// A session's time line.
pub struct Lanes {
    pub canvas: NodeRef,
    /// What scrolls the rows, with the canvas in it.
    pub scroll: NodeRef,
    pub window: Window,
    palette: Option<Palette>,
    /// Rows stay scrolled to the newest.
    stick: bool,
    /// Height of the spacer, as last set.
    spacer: f64,
}

impl Default for Lanes {
    fn default() -> Lanes {
        Lanes {
            canvas: NodeRef::default(),
            scroll: NodeRef::default(),
            window: Window::default(),
            palette: None,
            stick: true,
            spacer: -1.0,
        }
    }
}

/// When it is painted, and which Pod is chosen.
#[derive(Clone, Copy)]
pub struct Now<'a> {
    pub now_ms: i64,
    /// The latest moment that has been seen.
    pub furthest_ms: i64,
    pub selected: Option<&'a str>,
}

impl Lanes {
    /// The theme changed: colours are read again.
    pub fn forget_colours(&mut self) {
        self.palette = None;
    }

    /// A new run: back to the start, following.
    pub fn restart(&mut self) {
        (self.window, self.stick, self.spacer) = (Window::default(), true, -1.0);
    }

    /// Does what a gesture asks of the window, and says what it asks of the page.
    pub fn gesture(&mut self, gesture: Gesture, view: &View, furthest_ms: i64) -> Wish {
        let scroll = self.scroll.cast::<HtmlElement>();
        if let Some(scroll) = scroll.as_ref().filter(|_| gesture == Gesture::Scrolled) {
            self.stick = scroll.scroll_top() + scroll.client_height() >= scroll.scroll_height() - ROW as i32;
        }
        let top = f64::from(scroll.map_or(0, |scroll| scroll.scroll_top()));
        match self.window.gesture(gesture, top, view, furthest_ms) {
            Wish::Tell(text) => {
                if let Some(canvas) = self.canvas.cast::<HtmlElement>() {
                    canvas.set_title(&text);
                }
                Wish::Nothing
            }
            wish => wish,
        }
    }

    /// Paints the picture.
    pub fn paint(&mut self, view: &View, now: Now<'_>) {
        let (Some(canvas), Some(scroll)) = (self.canvas.cast::<HtmlCanvasElement>(), self.scroll.cast::<HtmlElement>())
        else {
            return;
        };
        let (width, height) = (f64::from(scroll.client_width()), f64::from(scroll.client_height()));
        if width < 40.0 || height < RULER {
            return;
        }
        self.window.place(width, now.now_ms, &view.lanes);
        self.stretch(&scroll, height);
        let Some(pen) = sized(&canvas, width, height) else { return };
        let palette = self.palette.take().unwrap_or_else(Palette::read);
        pen.clear_rect(0.0, 0.0, width, height);
        pen.set_font("11px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace");
        self.paint_grid(&pen, &palette, height);
        let top = f64::from(scroll.scroll_top());
        let rows = &self.window.rows;
        let first = (top / ROW) as usize;
        let last = (((top + height - RULER) / ROW).ceil() as usize).min(rows.len());
        pen.save();
        clip(&pen, 0.0, RULER, width, height);
        for (row, lane) in rows.iter().enumerate().take(last).skip(first) {
            let lane = &view.lanes[*lane];
            let y = RULER + row as f64 * ROW - top;
            self.paint_lane(&pen, &palette, lane, y, now.now_ms, now.selected == Some(&lane.uid));
        }
        pen.restore();
        self.paint_ruler(&pen, &palette, view, (now.now_ms, now.furthest_ms), height);
        self.palette = Some(palette);
    }

    /// The canvas is one screen high and sticks; the spacer below it gives the scroll bar its length.
    fn stretch(&mut self, scroll: &HtmlElement, height: f64) {
        let spacer = self.window.hidden(height);
        let element = scroll.last_element_child().and_then(|spacer| spacer.dyn_into::<HtmlElement>().ok());
        if let Some(element) = element.filter(|_| spacer != self.spacer) {
            let _ = element.style().set_property("height", &format!("{spacer}px"));
            self.spacer = spacer;
        }
        if self.stick && self.window.follows {
            scroll.set_scroll_top(scroll.scroll_height());
        }
    }

    fn paint_grid(&self, pen: &Pen, palette: &Palette, height: f64) {
        pen.set_fill_style_str(&palette.line);
        for at in self.window.ticks() {
            let x = self.window.x(at).round();
            if x >= self.window.gutter {
                pen.fill_rect(x, 0.0, 1.0, height);
            }
        }
    }

    fn paint_ruler(&self, pen: &Pen, palette: &Palette, view: &View, (now_ms, furthest_ms): (i64, i64), height: f64) {
        pen.set_fill_style_str(&palette.panel);
        pen.fill_rect(0.0, 0.0, self.window.width, RULER - 1.0);
        pen.set_fill_style_str(&palette.line);
        pen.fill_rect(0.0, RULER - 1.0, self.window.width, 1.0);
        pen.set_text_baseline("middle");
        let now = self.window.x(now_ms);
        for at in self.window.ticks() {
            let x = self.window.x(at).round();
            if x < self.window.gutter {
                continue;
            }
            pen.set_fill_style_str(&palette.line);
            pen.fill_rect(x, 0.0, 1.0, RULER);
            pen.set_fill_style_str(&palette.soft);
            let _ = pen.fill_text(&moment(at), x + 4.0, LETTERS);
        }
        // What has been seen already, and can be gone to again.
        let seen = self.window.x(furthest_ms).min(self.window.width);
        if seen > now {
            pen.set_fill_style_str(&palette.soft);
            pen.fill_rect(now.max(self.window.gutter), RULER - 3.0, seen - now.max(self.window.gutter), 2.0);
        }
        for mark in view.marks.iter() {
            let x = self.window.x(mark.at_ms);
            if x >= self.window.gutter && x <= self.window.width {
                paint_mark(pen, palette, mark, (x, MARKS));
            }
        }
        if now >= self.window.gutter && now <= self.window.width {
            pen.set_fill_style_str(&palette.accent);
            pen.fill_rect(now - 1.0, 0.0, 2.0, height);
            shape(pen, &[(now - 6.0, 0.0), (now + 6.0, 0.0), (now, 8.0)]);
            pen.fill();
        }
    }

    fn paint_lane(&self, pen: &Pen, palette: &Palette, lane: &Lane, y: f64, now_ms: i64, selected: bool) {
        if selected {
            pen.set_fill_style_str(&palette.select);
            pen.fill_rect(0.0, y, self.window.width, ROW);
        }
        pen.set_text_baseline("middle");
        pen.set_fill_style_str(if selected { &palette.ink } else { &palette.soft });
        let _ = pen.fill_text(&lane.short, 12.0, y + ROW / 2.0 + 0.5);
        pen.save();
        clip(pen, self.window.gutter, y, self.window.width, y + ROW);
        for segment in &lane.segments {
            let to = segment.to_ms.or(lane.gone_ms).unwrap_or(now_ms);
            if to as f64 >= self.window.from_ms - self.window.span_ms
                && (segment.from_ms as f64) < self.window.from_ms + self.window.span_ms
            {
                paint_segment(
                    pen,
                    palette,
                    segment,
                    (self.window.x(segment.from_ms), self.window.x(to)),
                    y + ROW / 2.0,
                );
            }
        }
        if let Some(gone) = lane.gone_ms {
            pen.set_fill_style_str(&palette.soft);
            pen.fill_rect(self.window.x(gone) - 0.5, y + 5.0, 1.5, ROW - 10.0);
        }
        pen.restore();
    }
}
