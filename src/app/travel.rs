//! Pods travel: after a drawing, each that stands elsewhere starts from where it stood.
//!
//! "First, last, invert, play": the browser animates a transform, outside the virtual DOM. Nothing travels above 30x or
//! where the user asked for reduced motion; there a new Pod fades in.

use batchyard::values::sorted::SortedMap;

use wasm_bindgen::prelude::*;
use web_sys::Element;

#[wasm_bindgen]
extern "C" {
    /// An element that can be animated: web-sys holds the method back as unstable.
    type Animated;
    #[wasm_bindgen(catch, method)]
    fn animate(this: &Animated, keyframes: &JsValue, ms: f64) -> Result<JsValue, JsValue>;
}

const TRAVEL_MS: f64 = 350.0;
const FADE_MS: f64 = 120.0;
/// Above this speed states simply change.
const SPEED_MAX: f64 = 30.0;
/// A crowd this large does not travel: it would only flicker.
const CROWD: usize = 150;

/// Where each Pod was drawn last, relative to the stage.
#[derive(Default)]
pub struct Travel {
    places: SortedMap<String, (f64, f64)>,
    size: (f64, f64),
}

impl Travel {
    /// Looks where the Pods are now and lets those that moved travel.
    pub fn after_drawing(&mut self, stage: &Element, speed: f64, reduced: bool) {
        let frame = stage.get_bounding_client_rect();
        let size = (frame.width(), frame.height());
        let Ok(found) = stage.query_selector_all("[data-pod]") else { return };
        let mut places = SortedMap::new();
        // A stage of another size has moved its Pods itself.
        let same_width = size.0 == self.size.0;
        let quiet = !same_width || self.places.is_empty() || speed > SPEED_MAX || found.length() as usize > CROWD;
        let ms = TRAVEL_MS / speed.max(1.0).sqrt();
        for at in 0..found.length() {
            let Some(pod) = found.get(at).and_then(|node| node.dyn_into::<Element>().ok()) else { continue };
            let Some(uid) = pod.get_attribute("data-pod") else { continue };
            // offsetLeft would be cheaper, but knows nothing of the stage's scrolling inside its frame.
            let rect = pod.get_bounding_client_rect();
            let place = (rect.left() - frame.left(), rect.top() - frame.top());
            match self.places.get(&uid) {
                _ if quiet => {}
                None => fade(&pod),
                Some(old) if reduced && far(*old, place) => fade(&pod),
                Some(old) if far(*old, place) => travel(&pod, old.0 - place.0, old.1 - place.1, ms),
                Some(_) => {}
            }
            places.insert(uid, place);
        }
        (self.places, self.size) = (places, size);
    }
}

fn far(old: (f64, f64), new: (f64, f64)) -> bool {
    (old.0 - new.0).abs() > 1.0 || (old.1 - new.1).abs() > 1.0
}

fn travel(pod: &Element, dx: f64, dy: f64, ms: f64) {
    let from = format!(r#"{{"transform":"translate({dx:.1}px,{dy:.1}px)","easing":"cubic-bezier(.2,.7,.3,1)"}}"#);
    animate(pod, &format!(r#"[{from},{{"transform":"none"}}]"#), ms);
}

fn fade(pod: &Element) {
    animate(pod, r#"[{"opacity":0},{"opacity":1}]"#, FADE_MS);
}

fn animate(pod: &Element, keyframes: &str, ms: f64) {
    if let Ok(keyframes) = js_sys::JSON::parse(keyframes) {
        let _ = pod.unchecked_ref::<Animated>().animate(&keyframes, ms);
    }
}
