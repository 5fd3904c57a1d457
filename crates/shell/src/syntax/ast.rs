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
    /// `time -p pipeline`
    pub portable: bool,
    pub commands: Vec<Rc<Command>>,
}

#[derive(Clone, Debug)]
pub struct Command {
    /// Line of the source it stands in, from 1.
    pub line: u32,
    pub kind: Kind,
    pub redirects: Vec<Redirect>,
    /// What is written there, for `$BASH_COMMAND` and `type` (bash only; else empty).
    pub text: Rc<str>,
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
    /// `select name in words; do … done`
    Select {
        name: String,
        words: Option<Vec<Word>>,
        body: Rc<Script>,
    },
    /// `coproc name command`
    Coprocess {
        name: String,
        body: Rc<Command>,
    },
}

#[derive(Clone, Debug, Default)]
pub struct Simple {
    pub assigns: Vec<Assign>,
    pub words: Vec<Word>,
    /// Lists behind names that a built-in declares: `declare -a x=(1 2)`.
    pub declared: Vec<Assign>,
}

#[derive(Clone, Debug)]
pub struct Assign {
    pub name: String,
    /// `name[index]=value`
    pub index: Option<Word>,
    /// `name+=value`
    pub append: bool,
    pub value: AssignValue,
}

#[derive(Clone, Debug)]
pub enum AssignValue {
    Word(Word),
    /// `name=(one two [5]=six)`
    List(Vec<Element>),
}

/// One element of a list that is assigned.
#[derive(Clone, Debug)]
pub struct Element {
    /// `[index]=`
    pub index: Option<Word>,
    /// `[index]+=`
    pub append: bool,
    pub value: Word,
}

#[derive(Clone, Debug)]
pub struct Arm {
    pub patterns: Vec<Word>,
    pub body: Rc<Script>,
    pub ending: ArmEnding,
}

/// What comes after an arm of `case`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArmEnding {
    /// `;;`
    Stop,
    /// `;&`: the next arm's body runs too.
    FallThrough,
    /// `;;&`: the next arms are tested too.
    TestOn,
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
    /// `{name}>file`: the variable that gets the number of a new descriptor.
    pub name: Option<String>,
    pub action: Action,
}

#[derive(Clone, Debug)]
pub enum Action {
    Read(Word),
    Write(Word),
    /// `>|`: in spite of `set -C`.
    Clobber(Word),
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
    /// Parts whose expansions do not split.
    Unsplit(Vec<Part>),
    Param(Rc<Param>),
    /// `$(…)` and backticks.
    Substitution(Rc<Script>),
    /// `<(…)`, and with `writes` `>(…)`: the path of a pipe.
    Process {
        script: Rc<Script>,
        writes: bool,
    },
    /// `$((…))`
    Arithmetic(Word),
    /// `~` or `~user` at the start of a word.
    Tilde(String),
}

/// `$name` and `${name…}`.
#[derive(Clone, Debug)]
pub struct Param {
    pub name: String,
    pub index: Option<Index>,
    /// `${!name…}`: the name is a variable that holds the name.
    pub indirect: bool,
    pub change: Change,
}

/// Which elements of an array are meant.
#[derive(Clone, Debug)]
pub enum Index {
    /// `[@]`
    At,
    /// `[*]`
    Star,
    One(Word),
}

#[derive(Clone, Debug)]
pub enum Change {
    None,
    /// `${#name}`
    Length,
    /// `${!name[@]}`: the keys of an array.
    Keys,
    /// `${!name*}`, `${!name@}`: names that begin so.
    Names {
        separate: bool,
    },
    /// `${name@Q}` and the like.
    Transform(char),
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
        kind: char,
        all: bool,
        pattern: Word,
    },
    /// A change this dialect does not know: "bad substitution" when it is reached.
    Bad,
}

impl Word {
    pub fn of_text(text: &str) -> Word {
        Word { parts: vec![Part::Text(text.to_string())] }
    }

    /// The word of an assignment that is an argument of `export` and the like: `~` counts in it, and it does not split.
    pub fn assigning(mut word: Word) -> Word {
        let Some(Part::Text(text)) = word.parts.first_mut() else { return word };
        let Some(at) = text.find('=') else { return word };
        let value = text.split_off(at + 1);
        let name = std::mem::take(text);
        let rest = word.parts.split_off(1);
        let mut inside = vec![Part::Text(name)];
        inside.extend(super::parser::assigned(&value, rest).parts);
        Word { parts: vec![Part::Unsplit(inside)] }
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

impl Assign {
    pub fn has_substitution(&self) -> bool {
        self.index.as_ref().is_some_and(Word::has_substitution)
            || match &self.value {
                AssignValue::Word(word) => word.has_substitution(),
                AssignValue::List(list) => list.iter().any(|element| {
                    element.value.has_substitution() || element.index.as_ref().is_some_and(Word::has_substitution)
                }),
            }
    }
}

impl Param {
    /// `$name` without anything else.
    pub fn plain(name: String) -> Param {
        Param { name, index: None, indirect: false, change: Change::None }
    }
}

impl Part {
    fn has_substitution(&self) -> bool {
        match self {
            Part::Text(_) | Part::Quoted(_) | Part::Tilde(_) => false,
            Part::Substitution(_) | Part::Process { .. } => true,
            Part::Double(parts) | Part::Unsplit(parts) => parts.iter().any(Part::has_substitution),
            Part::Arithmetic(word) => word.has_substitution(),
            Part::Param(param) if matches!(&param.index, Some(Index::One(word)) if word.has_substitution()) => true,
            Part::Param(param) => match &param.change {
                Change::Alternative { word, .. }
                | Change::Trim { pattern: word, .. }
                | Change::Case { pattern: word, .. } => word.has_substitution(),
                Change::Replace { pattern, with, .. } => pattern.has_substitution() || with.has_substitution(),
                Change::Slice { offset, length } => {
                    offset.has_substitution() || length.as_ref().is_some_and(Word::has_substitution)
                }
                _ => false,
            },
        }
    }
}
