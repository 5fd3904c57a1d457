//! The names in a [`Map`](super::Map): shared text, or text that is part of the program.
//!
//! Most names are the API's own (`metadata`, `phase`), written down in the code that makes the tree. Those cost nothing
//! to make, copy or give back.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use serde::de::{Deserialize, Deserializer, Visitor};

/// A key of a [`Map`](super::Map). Two names are equal if they read the same.
#[derive(Clone)]
pub enum Name {
    /// Part of the program.
    Known(&'static str),
    /// Read from somewhere.
    Shared(Rc<str>),
}

impl Deref for Name {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        match self {
            Name::Known(text) => text,
            Name::Shared(text) => text,
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name::Shared(text.into())
    }
}

impl From<String> for Name {
    fn from(text: String) -> Name {
        Name::Shared(text.into())
    }
}

impl From<Rc<str>> for Name {
    fn from(text: Rc<str>) -> Name {
        Name::Shared(text)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Name;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_str<E>(self, text: &str) -> Result<Name, E> {
                Ok(text.into())
            }
        }
        deserializer.deserialize_str(Text)
    }
}
