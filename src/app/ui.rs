//! What the user has chosen to look at: nothing here reaches the simulation.

use serde::{Deserialize, Serialize};

use super::browser;

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub fn next(self) -> Theme {
        match self {
            Theme::Auto => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::Auto,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    /// Tells the style sheet.
    pub fn show(self) {
        if let Some(root) = browser::root() {
            let _ = match self {
                Theme::Auto => root.remove_attribute("data-theme"),
                other => root.set_attribute("data-theme", other.word()),
            };
        }
    }

    pub fn is_dark(self) -> bool {
        match self {
            Theme::Auto => browser::matches("(prefers-color-scheme: dark)"),
            other => other == Theme::Dark,
        }
    }
}

/// How the regions lie; the same widths stand in `page.css`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// Editor beside the stage.
    Wide,
    /// Editor as a drawer over the stage.
    Drawer,
    /// Everything below each other, the editor a tab.
    Stack,
}

impl Layout {
    /// Of a session of this width, in px.
    pub fn of_width(width: i32) -> Layout {
        match width {
            ..=840 => Layout::Stack,
            841..=1180 => Layout::Drawer,
            _ => Layout::Wide,
        }
    }
}

/// The tabs of the dock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tab {
    /// Only in [`Layout::Stack`].
    Editor,
    Terminal,
    Events,
    Logs,
    Objects,
}

impl Tab {
    pub const ALL: [Tab; 5] = [Tab::Editor, Tab::Terminal, Tab::Events, Tab::Logs, Tab::Objects];

    pub fn title(self) -> &'static str {
        match self {
            Tab::Editor => "Editor",
            Tab::Terminal => "Terminal",
            Tab::Events => "Events",
            Tab::Logs => "Logs",
            Tab::Objects => "Objects",
        }
    }
}

/// A region with a splitter; the number is its place in `Settings`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Region {
    Editor,
    Timeline,
    Dock,
}

impl Region {
    pub const ALL: [Region; 3] = [Region::Editor, Region::Timeline, Region::Dock];

    /// The custom property that holds its size.
    pub fn property(self) -> &'static str {
        ["--editor-size", "--timeline-size", "--dock-size"][self as usize]
    }

    pub fn name(self) -> &'static str {
        ["editor", "timeline", "dock"][self as usize]
    }

    /// Smallest and usual size in px; the usual one is less in a low window, as `page.css` has it.
    pub fn bounds(self, window_px: i32) -> (i32, i32) {
        let (timeline, dock) = match window_px {
            ..=640 => (96, 160),
            641..=800 => (132, 160),
            _ => (212, 224),
        };
        [(280, 480), (72, timeline), (96, dock)][self as usize]
    }
}
