//! Why something happened: the entry of the journal that led to it, and the rule that was followed.
//!
//! Rule: whatever is written or noted names its cause, and a cause is older than what it causes; so every chain ends at
//! something done from outside, or at the start. Sentences, fields and sources of rules stand in one table ([`Rule`]).

use std::num::NonZeroU64;
use std::rc::Rc;

use crate::store::Rule;

/// The number of an entry in the journal of a run, in order of time, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EntryId(NonZeroU64);

impl EntryId {
    /// The entry of that number; none for 0.
    pub fn new(number: u64) -> Option<EntryId> {
        NonZeroU64::new(number).map(EntryId)
    }

    pub fn number(self) -> u64 {
        self.0.get()
    }
}

/// Why something was written or happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cause {
    /// The entry that led here; none is the start.
    pub by: Option<EntryId>,
    pub rule: Rule,
    /// The numbers that the rule's sentence speaks of: counts, or lengths of time in milliseconds.
    pub counts: [i64; 2],
}

impl Cause {
    /// What follows from `entry`, by a rule that is still to be named.
    pub fn by(entry: EntryId) -> Cause {
        Cause { by: Some(entry), rule: Rule::Follows, counts: [0; 2] }
    }

    /// The same, by this rule if none is named yet.
    pub fn or_rule(self, rule: Rule) -> Cause {
        if matches!(self.rule, Rule::Start | Rule::Follows) { self.rule(rule) } else { self }
    }

    /// The same, by this rule.
    pub fn rule(self, rule: Rule) -> Cause {
        Cause { rule, counts: [0; 2], ..self }
    }

    /// The same, by this rule and with its numbers.
    pub fn counted(self, rule: Rule, counts: [i64; 2]) -> Cause {
        Cause { rule, counts, ..self }
    }
}

/// Where an object was last written by hand. Which document of the file it was follows from its kind and name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The file, or `STDIN` for standard input.
    pub file: Rc<str>,
    /// The whole text of the file as it was given.
    pub text: Rc<str>,
}
