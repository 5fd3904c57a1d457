//! The syntax tree of the shell language (POSIX.1 XCU 2.9, with the parts of bash that people type).
//!
//! Trees are shared by `Rc` and never changed, so that the frames of a running script can point into them and a
//! clone of a shell is cheap.

use std::rc::Rc;

/// Commands in a row, separated by `;`, `&` or newlines.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub items: Vec<Item>,
}

#[derive(Clone, Debug)]
pub struct Item {
    pub chain: Rc<Chain>,
    /// Ended by `&`.
    pub background: bool,
    /// The source text, for `jobs`.
    pub text: Rc<str>,
}

/// Pipelines joined by `&&` and `||`.
#[derive(Clone, Debug)]
pub struct Chain {
    pub first: Rc<Pipeline>,
    pub rest: Vec<(Connector, Rc<Pipeline>)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Connector {
    And,
    Or,
}

#[derive(Clone, Debug)]
pub struct Pipeline {
    /// `! pipeline`
    pub negated: bool,
    /// `time pipeline`
    pub timed: bool,
    pub commands: Vec<Rc<Command>>,
}

#[derive(Clone, Debug)]
pub struct Command {
    /// Line of the source it stands in, from 1.
    pub line: u32,
    pub kind: Kind,
    pub redirects: Vec<Redirect>,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Simple(Simple),
    Group(Rc<Script>),
    Subshell(Rc<Script>),
    If {
        branches: Vec<(Rc<Script>, Rc<Script>)>,
        otherwise: Option<Rc<Script>>,
    },
    Loop {
        until: bool,
        condition: Rc<Script>,
        body: Rc<Script>,
    },
    For {
        name: String,
        words: Option<Vec<Word>>,
        body: Rc<Script>,
    },
    /// bash's `for ((start; condition; step))`, each an [`Kind::Arithmetic`] command.
    CountedFor {
        start: Rc<Command>,
        condition: Rc<Command>,
        step: Rc<Command>,
        body: Rc<Script>,
    },
    Case {
        word: Word,
        arms: Vec<Arm>,
    },
    Function {
        name: String,
        body: Rc<Command>,
    },
    /// `[[ … ]]`
    Test(Rc<Test>),
    /// `(( … ))`
    Arithmetic(Word),
}

#[derive(Clone, Debug, Default)]
pub struct Simple {
    pub assigns: Vec<Assign>,
    pub words: Vec<Word>,
}

#[derive(Clone, Debug)]
pub struct Assign {
    pub name: String,
    /// `name+=value`
    pub append: bool,
    pub value: Word,
}

#[derive(Clone, Debug)]
pub struct Arm {
    pub patterns: Vec<Word>,
    pub body: Rc<Script>,
    /// Ended by `;&`: the next arm's body runs too.
    pub falls_through: bool,
}

/// The inside of `[[ … ]]`.
#[derive(Clone, Debug)]
pub enum Test {
    Not(Rc<Test>),
    And(Rc<Test>, Rc<Test>),
    Or(Rc<Test>, Rc<Test>),
    Unary(String, Word),
    Binary(Word, String, Word),
    NonEmpty(Word),
}

#[derive(Clone, Debug)]
pub struct Redirect {
    pub fd: u32,
    pub action: Action,
}

#[derive(Clone, Debug)]
pub enum Action {
    Read(Word),
    Write(Word),
    Append(Word),
    ReadWrite(Word),
    /// `>&word`, `<&word`: another descriptor, or `-` to close.
    Duplicate(Word),
    /// `&>word` and `&>>word`: both output streams.
    Both {
        target: Word,
        append: bool,
    },
    /// A here-document's or here-string's text.
    Text(Word),
}

/// A word: parts that stand next to each other.
#[derive(Clone, Debug, Default)]
pub struct Word {
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug)]
pub enum Part {
    /// Plain text: patterns in it count.
    Text(String),
    /// Quoted text: nothing in it counts.
    Quoted(String),
    /// `"…"`
    Double(Vec<Part>),
    Param(Rc<Param>),
    /// `$(…)` and backticks.
    Substitution(Rc<Script>),
    /// `$((…))`
    Arithmetic(Word),
    /// `~` or `~user` at the start of a word.
    Tilde(String),
}

/// `$name` and `${name…}`.
#[derive(Clone, Debug)]
pub struct Param {
    pub name: String,
    pub change: Change,
}

#[derive(Clone, Debug)]
pub enum Change {
    None,
    /// `${#name}`
    Length,
    /// `${!name}`
    Indirect,
    /// `-`, `=`, `?` or `+`; with a colon, an empty value counts as unset.
    Alternative {
        kind: char,
        colon: bool,
        word: Word,
    },
    /// `#`, `##`, `%`, `%%`
    Trim {
        suffix: bool,
        longest: bool,
        pattern: Word,
    },
    /// `/`, `//`, `/#`, `/%`
    Replace {
        kind: char,
        pattern: Word,
        with: Word,
    },
    /// `:offset:length`
    Slice {
        offset: Word,
        length: Option<Word>,
    },
    /// `^`, `^^`, `,`, `,,`
    Case {
        upper: bool,
        all: bool,
    },
    /// A change this dialect does not know: "bad substitution" when it is reached.
    Bad,
}

impl Word {
    pub fn of_text(text: &str) -> Word {
        Word { parts: vec![Part::Text(text.to_string())] }
    }

    /// The word's text if it is one run of plain, unquoted characters, as keywords must be.
    pub fn plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether expanding it runs commands.
    pub fn has_substitution(&self) -> bool {
        self.parts.iter().any(Part::has_substitution)
    }
}

impl Part {
    fn has_substitution(&self) -> bool {
        match self {
            Part::Text(_) | Part::Quoted(_) | Part::Tilde(_) => false,
            Part::Substitution(_) => true,
            Part::Double(parts) => parts.iter().any(Part::has_substitution),
            Part::Arithmetic(word) => word.has_substitution(),
            Part::Param(param) => match &param.change {
                Change::Alternative { word, .. } | Change::Trim { pattern: word, .. } => word.has_substitution(),
                Change::Replace { pattern, with, .. } => pattern.has_substitution() || with.has_substitution(),
                Change::Slice { offset, length } => {
                    offset.has_substitution() || length.as_ref().is_some_and(Word::has_substitution)
                }
                _ => false,
            },
        }
    }
}
