//! The time line's pen: its colours, its shapes, and the bitmap under it.

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d as Pen, HtmlCanvasElement};

use super::browser;
use super::engine::{Mark, MarkKind, Segment, Sign};

/// Colours of the style sheet, read once a theme.
#[derive(Default)]
pub struct Palette {
    pub line: String,
    pub ink: String,
    pub soft: String,
    pub accent: String,
    pub select: String,
    pub panel: String,
    pub signs: [String; 8],
}

/// The canvas's pen, with a bitmap as fine as the screen.
pub fn sized(canvas: &HtmlCanvasElement, width: f64, height: f64) -> Option<Pen> {
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
    /// Asks the style sheet.
    pub fn read() -> Palette {
        let style = browser::root().and_then(|root| browser::window().get_computed_style(&root).ok().flatten());
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

/// One stretch of a row; shapes repeat the signs of the stage.
pub fn paint_segment(pen: &Pen, palette: &Palette, segment: &Segment, (from, to): (f64, f64), middle: f64) {
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

/// A moment on the ruler, around a point of it.
pub fn paint_mark(pen: &Pen, palette: &Palette, mark: &Mark, (x, y): (f64, f64)) {
    match mark.kind {
        MarkKind::Cron => {
            pen.set_fill_style_str(&palette.ink);
            pen.fill_rect(x - 0.75, y - 5.0, 1.5, 12.0);
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
            shape(pen, &[(x - 4.0, y + 4.0), (x + 4.0, y + 4.0), (x, y - 4.0)]);
            pen.fill();
        }
    }
}

/// A bar with round corners where there is room for them.
pub fn bar(pen: &Pen, x: f64, middle: f64, width: f64, height: f64) {
    pen.begin_path();
    let _ = pen.round_rect_with_f64(x, middle - height / 2.0, width, height, (height / 4.0).min(width / 2.0));
    pen.fill();
}

/// A closed path, to be filled.
pub fn shape(pen: &Pen, points: &[(f64, f64)]) {
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

/// Nothing is painted outside of it, until the pen is restored.
pub fn clip(pen: &Pen, left: f64, top: f64, right: f64, bottom: f64) {
    pen.begin_path();
    pen.rect(left, top, right - left, bottom - top);
    pen.clip();
}
