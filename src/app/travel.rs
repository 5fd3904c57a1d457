//! Pods travel: after a drawing, each that stands elsewhere starts from where it was last seen.
//!
//! "First, last, invert, play": the browser animates a transform, outside the virtual DOM. A mutation observer says when Pods
//! were drawn: it is heard in the task that drew them, whereas Yew lets the browser paint between a long drawing and
//! `rendered`. Places are those of the layout, which no transform moves, so a motion under way is never taken for a place;
//! where a Pod is seen at the moment is its place and what is left of its motion. One motion a Pod: a new one begins where the old one is cut off. Nothing travels above 30x
//! or where the user asked for reduced motion; there a new Pod fades in.

use std::cell::RefCell;
use std::rc::Rc;

use batchyard::values::sorted::SortedMap;

use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, MutationObserver, MutationObserverInit};

use super::browser;

#[wasm_bindgen]
extern "C" {
    /// An element that can be animated: web-sys holds the method back as unstable.
    type Animated;
    #[wasm_bindgen(catch, method)]
    fn animate(this: &Animated, keyframes: &JsValue, options: &JsValue) -> Result<Animation, JsValue>;

    type Animation;
    #[wasm_bindgen(method)]
    fn cancel(this: &Animation);
    #[wasm_bindgen(method, getter)]
    fn effect(this: &Animation) -> Effect;

    type Effect;
    #[wasm_bindgen(method, js_name = getComputedTiming)]
    fn timing(this: &Effect) -> Timing;

    type Timing;
    /// From 0 to 1, eased; nothing once it is over.
    #[wasm_bindgen(method, getter)]
    fn progress(this: &Timing) -> Option<f64>;
}

/// From one place to another, and within one.
const TRAVEL_MS: f64 = 350.0;
const SHIFT_MS: f64 = 120.0;
const FADE_MS: f64 = 120.0;
/// Above this speed states simply change.
const SPEED_MAX: f64 = 30.0;
/// A crowd this large does not travel: it would only flicker.
const CROWD: usize = 150;

/// A place on the floor, in px.
type Point = (f64, f64);

/// The travelling on a floor, for as long as it is kept.
pub struct Travel {
    floor: HtmlElement,
    travellers: Rc<RefCell<Travellers>>,
    observer: MutationObserver,
    _heard: Closure<dyn FnMut()>,
}

/// Where each Pod was drawn last.
#[derive(Default)]
struct Travellers {
    pods: SortedMap<String, Seen>,
    width: i32,
    pace: Pace,
}

/// A Pod as it was drawn last.
struct Seen {
    element: HtmlElement,
    /// What holds it: a node, or one of the places before and after.
    place: Option<Element>,
    at: Point,
    flight: Option<Flight>,
}

/// A motion: it began this far from where it goes.
struct Flight {
    animation: Animation,
    from: Point,
}

impl Flight {
    /// How far it still has to go; none once it has arrived.
    fn left(&self) -> Option<Point> {
        let progress = self.animation.effect().timing().progress()?;
        Some((self.from.0 * (1.0 - progress), self.from.1 * (1.0 - progress)))
    }
}

/// What a Pod does after a drawing.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Motion {
    /// It goes on with what it does.
    Stay,
    /// It goes from this far off to its place, in so many milliseconds.
    Go(Point, f64),
    /// It only appears, or is simply there.
    Fade,
    Jump,
}

/// What moves a Pod: `seen` is where it was last seen, with what is left of a motion; `at` is where it is drawn now.
fn motion(seen: Option<Point>, at: Point, other_place: bool, pace: Pace) -> Motion {
    let Some(seen) = seen else { return Motion::Fade };
    let off = (seen.0 - at.0, seen.1 - at.1);
    match () {
        () if off.0.abs() <= 1.0 && off.1.abs() <= 1.0 => Motion::Jump,
        () if pace.reduced && other_place => Motion::Fade,
        () if pace.reduced => Motion::Jump,
        () => Motion::Go(off, if other_place { TRAVEL_MS } else { SHIFT_MS } / pace.speed.max(1.0).sqrt()),
    }
}

/// How fast time runs, and whether the user asked for less motion.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    pub speed: f64,
    pub reduced: bool,
}

impl Travel {
    /// Lets the Pods of a floor travel from now on. None where the browser does not say what was drawn.
    pub fn on(floor: HtmlElement) -> Option<Travel> {
        let travellers = Rc::new(RefCell::new(Travellers::default()));
        let heard = {
            let (floor, travellers) = (floor.clone(), Rc::clone(&travellers));
            Closure::<dyn FnMut()>::new(move || travellers.borrow_mut().after_drawing(&floor))
        };
        let observer = MutationObserver::new(heard.as_ref().unchecked_ref()).ok()?;
        let what = MutationObserverInit::new();
        what.set_child_list(true);
        what.set_subtree(true);
        observer.observe_with_options(&floor, &what).ok()?;
        travellers.borrow_mut().after_drawing(&floor);
        Some(Travel { floor, travellers, observer, _heard: heard })
    }

    pub fn is_on(&self, floor: &HtmlElement) -> bool {
        self.floor == *floor
    }

    pub fn set_pace(&self, pace: Pace) {
        self.travellers.borrow_mut().pace = pace;
    }
}

impl Drop for Travel {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

impl Travellers {
    /// Looks where the Pods of the floor are now and lets those that moved travel.
    fn after_drawing(&mut self, floor: &HtmlElement) {
        let pace = self.pace;
        let found = browser::all_within(floor, "[data-pod]");
        // A floor of another width has moved its Pods itself.
        let width = floor.client_width();
        let quiet = width != self.width || self.pods.is_empty() || pace.speed > SPEED_MAX || found.len() > CROWD;
        self.width = width;
        let mut old = std::mem::take(&mut self.pods);
        if found.len() > CROWD {
            return;
        }
        // First everything is read, then everything is set off: one layout for all.
        let mut now = Vec::new();
        for element in found {
            let Some(uid) = element.get_attribute("data-pod") else { continue };
            let at = layout(&element, floor);
            now.push((uid, Seen { place: element.parent_element(), element, at, flight: None }));
        }
        for (uid, mut pod) in now {
            let before = old.remove(&uid);
            pod.flight = set_off(&pod, before, quiet, pace);
            self.pods.insert(uid, pod);
        }
    }
}

/// Sets a Pod in motion, or lets it go on. Gives the motion it has then.
fn set_off(pod: &Seen, before: Option<Seen>, quiet: bool, pace: Pace) -> Option<Flight> {
    let left = before.as_ref().and_then(|seen| seen.flight.as_ref()).and_then(Flight::left);
    let seen = before.as_ref().map(|seen| match left {
        Some(left) => (seen.at.0 + left.0, seen.at.1 + left.1),
        None => seen.at,
    });
    let other_place = before.as_ref().is_some_and(|seen| seen.place != pod.place);
    let goes_on = before.as_ref().is_some_and(|seen| seen.element == pod.element && seen.at == pod.at);
    let motion = match () {
        () if goes_on => Motion::Stay,
        () if quiet => Motion::Jump,
        () => motion(seen, pod.at, other_place, pace),
    };
    let flight = before.and_then(|seen| seen.flight);
    if motion == Motion::Stay {
        return flight;
    }
    if let Some(flight) = flight {
        flight.animation.cancel();
    }
    match motion {
        Motion::Go(from, ms) => {
            let keyframes =
                format!(r#"[{{"transform":"translate({:.1}px,{:.1}px)"}},{{"transform":"none"}}]"#, from.0, from.1);
            animate(&pod.element, &keyframes, ms).map(|animation| Flight { animation, from })
        }
        Motion::Fade => {
            animate(&pod.element, r#"[{"opacity":0},{"opacity":1}]"#, FADE_MS);
            None
        }
        Motion::Stay | Motion::Jump => None,
    }
}

/// Where an element lies on the floor by the layout, whatever moves it at the moment.
fn layout(element: &HtmlElement, floor: &HtmlElement) -> Point {
    let (mut x, mut y) = (element.offset_left(), element.offset_top());
    let mut outer = element.offset_parent();
    while let Some(parent) = outer.and_then(|outer| outer.dyn_into::<HtmlElement>().ok()) {
        if parent == *floor || !floor.contains(Some(&parent)) {
            break;
        }
        x += parent.offset_left();
        y += parent.offset_top();
        outer = parent.offset_parent();
    }
    (f64::from(x), f64::from(y))
}

fn animate(pod: &Element, keyframes: &str, ms: f64) -> Option<Animation> {
    // The easing is the effect's own, so that its progress says how far the Pod has come. It holds its first place until it
    // begins, for a browser may begin it after the next frame.
    let options = format!(r#"{{"duration":{ms:.0},"easing":"cubic-bezier(.2,.7,.3,1)","fill":"backwards"}}"#);
    let parse = |text: &str| js_sys::JSON::parse(text).ok();
    pod.unchecked_ref::<Animated>().animate(&parse(keyframes)?, &parse(&options)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_goes_from_where_it_is_seen_to_where_it_belongs() {
        let pace = Pace { speed: 1.0, reduced: false };
        let fast = Pace { speed: 4.0, reduced: false };
        let reduced = Pace { speed: 1.0, reduced: true };
        for (seen, at, other_place, pace, expected) in [
            (None, (5.0, 5.0), false, pace, Motion::Fade),
            (Some((10.0, 0.0)), (110.0, 0.0), true, pace, Motion::Go((-100.0, 0.0), 350.0)),
            (Some((10.0, 0.0)), (70.0, 20.0), false, pace, Motion::Go((-60.0, -20.0), 120.0)),
            (Some((10.0, 0.0)), (110.0, 0.0), true, fast, Motion::Go((-100.0, 0.0), 175.0)),
            (Some((10.0, 0.0)), (10.6, 0.0), true, pace, Motion::Jump),
            (Some((10.0, 0.0)), (110.0, 0.0), true, reduced, Motion::Fade),
            (Some((10.0, 0.0)), (110.0, 0.0), false, reduced, Motion::Jump),
        ] {
            assert_eq!(motion(seen, at, other_place, pace), expected, "{seen:?} to {at:?}");
        }
    }
}
