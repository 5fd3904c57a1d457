//! The text in trees, names and values alike: shared, or part of the program.
//!
//! Most names are the API's own (`metadata`, `phase`), and so are many values (`Running`, `True`), written down in the code
//! that makes the tree. Those cost nothing to make, copy or give back. All others are shared by the trees, and by the types
//! that are read out of them.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::ops::Deref;
use std::rc::Rc;

use serde::de::{Deserialize, Deserializer, Visitor};

/// A piece of text. Two are equal if they read the same.
#[derive(Clone)]
pub enum Text {
    /// Part of the program.
    Known(&'static str),
    /// Read or made.
    Shared(Rc<str>),
}

impl Text {
    #[inline]
    pub fn as_str(&self) -> &str {
        self
    }

    /// The text as such, to be kept somewhere.
    pub fn shared(&self) -> Rc<str> {
        match self {
            Text::Known(text) => (*text).into(),
            Text::Shared(text) => Rc::clone(text),
        }
    }
}

impl Default for Text {
    fn default() -> Text {
        Text::Known("")
    }
}

impl Deref for Text {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        match self {
            Text::Known(text) => text,
            Text::Shared(text) => text,
        }
    }
}

impl PartialEq for Text {
    /// Text that is shared needs no second look.
    fn eq(&self, other: &Text) -> bool {
        std::ptr::eq(&**self, &**other) || **self == **other
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialEq<String> for Text {
    fn eq(&self, other: &String) -> bool {
        **self == **other
    }
}

impl PartialEq<Text> for String {
    fn eq(&self, other: &Text) -> bool {
        **self == **other
    }
}

impl PartialEq<Text> for &str {
    fn eq(&self, other: &Text) -> bool {
        **self == **other
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Text) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Text) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl From<u64> for Text {
    /// The number in decimal digits.
    fn from(number: u64) -> Text {
        let (mut digits, mut rest, mut first) = ([0; 20], number, 20);
        while rest > 0 || first == 20 {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Text::Shared(std::str::from_utf8(&digits[first..]).expect("digits").into())
    }
}

impl From<fmt::Arguments<'_>> for Text {
    /// As `format!`, with room for what most texts need.
    fn from(parts: fmt::Arguments<'_>) -> Text {
        let mut text = String::with_capacity(96);
        text.write_fmt(parts).expect("a string takes any text");
        text.into()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text::Shared(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text::Shared(text.into())
    }
}

impl From<Rc<str>> for Text {
    fn from(text: Rc<str>) -> Text {
        Text::Shared(text)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        struct AnyText;
        impl Visitor<'_> for AnyText {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(text.into())
            }
        }
        deserializer.deserialize_str(AnyText)
    }
}

/// The first so many characters of a text.
pub fn beginning(text: &str, characters: usize) -> &str {
    // No text has more characters than bytes.
    if text.len() <= characters {
        return text;
    }
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_digits() {
        for number in [0, 7, 10, 1_234_567_890, u64::MAX] {
            assert_eq!(Text::from(number), number.to_string());
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        for (text, characters, expected) in [("pod", 3, "pod"), ("pods", 3, "pod"), ("äöü", 2, "äö"), ("äöü", 4, "äöü")]
        {
            assert_eq!(beginning(text, characters), expected);
        }
    }
}
