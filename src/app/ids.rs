//! Ids of elements: a page may hold more than one session, and an id stands once in a document.

use yew::AttrValue;

/// Makes the ids of one session.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ids(AttrValue);

impl Ids {
    /// Of the session at this place of the page. The first one's ids are bare.
    pub fn of_session(nth: usize) -> Ids {
        Ids(if nth == 0 { AttrValue::default() } else { format!("s{}-", nth + 1).into() })
    }

    pub fn of(&self, name: &str) -> AttrValue {
        format!("{}{name}", self.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sessions_share_no_id() {
        assert_eq!(Ids::of_session(0).of("line"), "line");
        assert_eq!(Ids::of_session(1).of("line"), "s2-line");
    }
}
