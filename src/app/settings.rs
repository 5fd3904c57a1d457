//! What the visitor has chosen for the page as a whole: how it looks, how fast it goes. Nothing here is a text, so it is
//! stored by itself: choosing a theme in one tab never touches what was typed in another.

use serde::{Deserialize, Serialize};

use super::browser;
use super::clock::NORMAL;
use super::ui::{Region, Theme};

/// Below this height of the window, in px, the dock is folded unless someone opened it.
const LOW_PX: i32 = 640;

const KEY: &str = "batchyard/settings";
/// Where pages before this one stored everything.
pub const OLD_KEY: &str = "batchyard/1";

/// Unknown fields are left out and missing ones have their defaults, so that an older page's text can be read.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub seed: u64,
    /// An index of `clock::SPEEDS`.
    pub speed: usize,
    pub skip: bool,
    pub theme: Theme,
    /// Whether single keys are shortcuts.
    pub keys: bool,
    /// Of the splitters, in px: editor's width, time line's height, dock's height.
    pub sizes: [Option<i32>; 3],
    /// What the visitor folded or opened; none where the page decides.
    pub folds: [Option<bool>; 3],
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            seed: 1,
            speed: NORMAL,
            skip: true,
            theme: Theme::Auto,
            keys: true,
            sizes: [None; 3],
            folds: [None; 3],
        }
    }
}

/// A choice.
#[derive(Clone, PartialEq, Debug)]
pub enum Choice {
    Seed(u64),
    Speed(usize),
    Skip(bool),
    Theme,
    Keys,
    Size(Region, Option<i32>),
    Fold(Region, bool),
}

impl Settings {
    pub fn load() -> Settings {
        let text = browser::stored(KEY).or_else(|| browser::stored(OLD_KEY));
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Stores them for the next visit. False if the browser refuses.
    pub fn store(&self) -> bool {
        browser::store(KEY, &serde_json::to_string(self).unwrap_or_default())
    }

    /// What another tab stored under `key`, if it is settings.
    pub fn heard(key: &str, text: &str) -> Option<Settings> {
        (key == KEY).then(|| serde_json::from_str(text).ok()).flatten()
    }

    pub fn choose(&mut self, choice: Choice) {
        match choice {
            Choice::Seed(seed) => self.seed = seed,
            Choice::Speed(speed) => self.speed = speed,
            Choice::Skip(skip) => self.skip = skip,
            Choice::Theme => self.theme = self.theme.next(),
            Choice::Keys => self.keys = !self.keys,
            Choice::Size(region, size) => self.sizes[region as usize] = size,
            Choice::Fold(region, folded) => self.folds[region as usize] = Some(folded),
        }
    }

    /// Whether a region is folded in a window of this height.
    pub fn folded(&self, region: Region, window_px: i32) -> bool {
        self.folds[region as usize].unwrap_or(region == Region::Dock && window_px < LOW_PX)
    }

    /// Tells the style sheet.
    pub fn show(&self) {
        self.theme.show();
        let Some(root) = browser::root() else { return };
        for region in Region::ALL {
            browser::set_length(&root, region.property(), self.sizes[region as usize]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_window_folds_the_dock_until_someone_opens_it() {
        let mut settings = Settings::default();
        assert!(settings.folded(Region::Dock, 576) && !settings.folded(Region::Dock, 657));
        assert!(!settings.folded(Region::Timeline, 576));
        settings.choose(Choice::Fold(Region::Dock, false));
        assert!(!settings.folded(Region::Dock, 576));
        settings.choose(Choice::Fold(Region::Editor, true));
        assert!(settings.folded(Region::Editor, 900));
    }

    #[test]
    fn what_an_older_page_stored_is_read() {
        let old = r#"{"theme":"Dark","speed":4,"files":[],"folded":[false,false,true],"sizes":[300,null,null]}"#;
        let settings: Settings = serde_json::from_str(old).unwrap();
        assert_eq!((settings.theme, settings.speed, settings.sizes[0]), (Theme::Dark, 4, Some(300)));
        assert_eq!((settings.folds, settings.seed), ([None; 3], 1));
    }
}
