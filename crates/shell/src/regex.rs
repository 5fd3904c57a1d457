//! POSIX basic and extended regular expressions for `grep`, `sed`, `awk` and `[[ =~ ]]`; with [`Syntax::perl`] also what jq
//! and Helm's templates have more.
//!
//! The longest of the matches that begin first wins, as POSIX wants it (Perl's syntax: the first alternative). The matcher
//! moves a list of threads over the text once, so that a search takes at most program × text steps; expressions with
//! back-references are tried with a limit. Text is bytes, as in the C locale that containers have, unless `utf8`.

use std::rc::Rc;

use super::expand::pattern::in_class;

const MAX_PROGRAM: usize = 20_000;
/// Steps of a search with back-references.
const MAX_TRIES: usize = 2_000_000;
const MAX_GROUPS: usize = 100;
const MAX_DEPTH: usize = 40;
const MAX_REPEAT: usize = 1000;

/// What an expression may be written with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Syntax {
    /// `+`, `?`, `|`, `()` and `{}` without backslashes.
    pub extended: bool,
    pub ignore_case: bool,
    /// A character is one of UTF-8, not a byte.
    pub utf8: bool,
    /// Perl's: `\d`, `(?:…)`, `(?<name>…)`, lazy `*?`, escapes within `[…]`; the first alternative wins.
    pub perl: bool,
    /// awk's: `\t`, `\/` and `\"` count within `[…]` too.
    pub set_escapes: bool,
    /// Whether `^` and `$` match at line ends within the text.
    pub lines: bool,
    /// Perl's `s`: `.` matches a newline (it always does in POSIX' syntax).
    pub single: bool,
    /// Perl's `x`: blanks and comments in the expression do not count.
    pub extended_layout: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Node {
    Byte(u8),
    /// Bytes in any of these ranges of characters.
    Set(Rc<[bool; 256]>),
    Start,
    End,
    /// `` \` `` and `\'`, Perl's `\A` and `\z`.
    TextStart,
    TextEnd,
    WordEdge {
        start: bool,
        end: bool,
        not: bool,
    },
    Group(Option<usize>, Box<Node>),
    BackReference(usize),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat {
        inner: Box<Node>,
        least: usize,
        most: Option<usize>,
        lazy: bool,
    },
    /// `(?=…)`, `(?!…)`: what comes next, or does not.
    Ahead(bool, Box<Node>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Instruction {
    Byte(u8),
    Set(Rc<[bool; 256]>),
    Start,
    End,
    TextStart,
    TextEnd,
    WordEdge {
        start: bool,
        end: bool,
        not: bool,
    },
    Save(usize),
    BackReference(usize),
    /// The first is preferred.
    Split(usize, usize),
    Jump(usize),
    Ahead(bool, Rc<Regex>),
    Match,
}

/// A compiled expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Regex {
    program: Rc<Vec<Instruction>>,
    ignore_case: bool,
    has_references: bool,
    perl: bool,
    lines: bool,
    groups: usize,
    names: Vec<(usize, String)>,
    /// The bytes a match can begin with, if none is empty.
    first: Option<Rc<[bool; 256]>>,
    /// The whole expression is these bytes.
    literal: Option<Rc<[u8]>>,
}

/// Where a match and its groups are: `[0]` is the whole match.
pub type Captures = Vec<Option<(usize, usize)>>;

impl Regex {
    /// # Errors
    /// What is wrong with the pattern, in the C library's words.
    pub fn basic(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
        Regex::new(pattern, Syntax { ignore_case, ..Syntax::default() })
    }

    /// # Errors
    /// What is wrong with the pattern, in the C library's words.
    pub fn extended(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
        Regex::new(pattern, Syntax { extended: true, ignore_case, ..Syntax::default() })
    }

    /// Perl's syntax on UTF-8, as Go and Oniguruma have it.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    pub fn perl(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
        let syntax = Syntax { extended: true, ignore_case, utf8: true, perl: true, ..Syntax::default() };
        Regex::new(pattern, syntax)
    }

    /// # Errors
    /// What is wrong with the pattern.
    pub fn new(pattern: &str, syntax: Syntax) -> Result<Regex, String> {
        let mut parser = Parser {
            text: pattern.as_bytes(),
            pos: 0,
            syntax,
            groups: 0,
            depth: 0,
            has_references: false,
            names: Vec::new(),
        };
        let node = parser.either()?;
        if parser.pos < parser.text.len() {
            return Err("Unmatched ) or \\)".into());
        }
        Regex::compiled(&node, parser.groups, parser.has_references, parser.names, parser.syntax)
    }

    fn compiled(
        node: &Node,
        groups: usize,
        has_references: bool,
        names: Vec<(usize, String)>,
        syntax: Syntax,
    ) -> Result<Regex, String> {
        let mut program = vec![Instruction::Save(0)];
        emit(node, syntax, &mut program)?;
        program.push(Instruction::Save(1));
        program.push(Instruction::Match);
        let literal = literal_of(node).filter(|bytes| !bytes.is_empty() && !syntax.ignore_case);
        let mut first = [false; 256];
        let first = first_bytes(&program, 0, &mut vec![false; program.len()], &mut first).then(|| Rc::new(first));
        Ok(Regex {
            program: Rc::new(program),
            ignore_case: syntax.ignore_case,
            has_references,
            perl: syntax.perl,
            lines: syntax.lines,
            groups,
            names,
            first: if has_references { None } else { first },
            literal: literal.map(Rc::from),
        })
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// The names of groups.
    pub fn names(&self) -> &[(usize, String)] {
        &self.names
    }

    /// The first match at or after `from`.
    pub fn find(&self, text: &[u8], from: usize) -> Option<Captures> {
        self.find_counted(text, from, &mut 0)
    }

    /// Whether there is a match.
    pub fn is_match(&self, text: &[u8]) -> bool {
        match &self.literal {
            Some(literal) => position(text, literal, 0).is_some(),
            None => self.find(text, 0).is_some(),
        }
    }

    /// The same, adding to `work` how many steps it took.
    pub fn find_counted(&self, text: &[u8], from: usize, work: &mut u64) -> Option<Captures> {
        if let Some(literal) = &self.literal {
            let found = position(text, literal, from);
            *work += found.map_or(text.len(), |at| at + literal.len()).saturating_sub(from) as u64 / 8;
            return found.map(|at| vec![Some((at, at + literal.len()))]);
        }
        let lower;
        let folded: &[u8] = if self.ignore_case && self.has_references {
            lower = text.to_ascii_lowercase();
            &lower
        } else {
            text
        };
        if self.has_references {
            let mut steps = MAX_TRIES;
            let found = (from..=text.len()).find_map(|start| self.try_at(folded, start, &mut steps));
            *work += (MAX_TRIES - steps) as u64;
            return found;
        }
        self.simulate(text, from, work)
    }

    fn slots(&self) -> usize {
        2 * (self.groups.min(MAX_GROUPS - 1) + 1)
    }

    fn captures(slots: &[usize]) -> Captures {
        slots.chunks(2).map(|pair| (pair[0] != NONE && pair[1] != NONE).then(|| (pair[0], pair[1]))).collect()
    }

    /// The threads move over the text; a thread that comes first is preferred to those behind it.
    fn simulate(&self, text: &[u8], from: usize, work: &mut u64) -> Option<Captures> {
        let width = self.slots();
        let mut now = Threads::new(self.program.len(), width);
        let mut next = Threads::new(self.program.len(), width);
        let mut best: Option<Vec<usize>> = None;
        let mut at = from;
        let mut fresh = vec![NONE; width];
        loop {
            if now.list.is_empty() {
                if best.is_some() {
                    break;
                }
                // Nowhere to begin but at bytes a match can begin with.
                if let Some(first) = &self.first {
                    match text[at.min(text.len())..].iter().position(|byte| first[usize::from(*byte)]) {
                        Some(skip) => {
                            *work += skip as u64 / 8;
                            at += skip;
                        }
                        None => return None,
                    }
                }
            }
            if best.is_none() {
                fresh.fill(NONE);
                self.add(&mut now, 0, at, text, &mut fresh, work);
            }
            *work += now.list.len() as u64;
            next.clear();
            for i in 0..now.list.len() {
                let pc = now.list[i];
                let slots = now.slots_of(i);
                let steps = match &self.program[pc] {
                    Instruction::Match => {
                        let longer = best
                            .as_ref()
                            .is_none_or(|best| slots[0] < best[0] || slots[0] == best[0] && slots[1] > best[1]);
                        if longer {
                            best = Some(slots.to_vec());
                        }
                        if self.perl {
                            break;
                        }
                        false
                    }
                    Instruction::Byte(byte) => text.get(at).is_some_and(|c| c == byte),
                    Instruction::Set(bytes) => text.get(at).is_some_and(|c| bytes[usize::from(*c)]),
                    _ => false,
                };
                if steps && best.as_ref().is_none_or(|best| slots[0] <= best[0]) {
                    let mut moved = slots.to_vec();
                    self.add(&mut next, pc + 1, at + 1, text, &mut moved, work);
                }
            }
            std::mem::swap(&mut now, &mut next);
            if at >= text.len() {
                // What the end of the text lets match was added with the last byte.
                for i in 0..now.list.len() {
                    let slots = now.slots_of(i);
                    let longer = best.as_ref().is_none_or(|best| slots[0] == best[0] && slots[1] > best[1]);
                    if self.program[now.list[i]] == Instruction::Match && longer {
                        best = Some(slots.to_vec());
                    }
                }
                break;
            }
            at += 1;
        }
        best.map(|slots| Regex::captures(&slots))
    }

    /// Adds a thread, and those it splits into, without moving over the text.
    fn add(&self, threads: &mut Threads, pc: usize, at: usize, text: &[u8], slots: &mut [usize], work: &mut u64) {
        enum Todo {
            Go(usize),
            Restore(usize, usize),
        }
        let mut todo = vec![Todo::Go(pc)];
        while let Some(next) = todo.pop() {
            let mut pc = match next {
                Todo::Restore(slot, value) => {
                    slots[slot] = value;
                    continue;
                }
                Todo::Go(pc) => pc,
            };
            loop {
                if threads.seen[pc] == threads.round {
                    break;
                }
                threads.seen[pc] = threads.round;
                match &self.program[pc] {
                    Instruction::Split(first, second) => {
                        todo.push(Todo::Go(*second));
                        pc = *first;
                        continue;
                    }
                    Instruction::Jump(to) => {
                        pc = *to;
                        continue;
                    }
                    Instruction::Save(slot) => {
                        if *slot < slots.len() {
                            todo.push(Todo::Restore(*slot, slots[*slot]));
                            slots[*slot] = at;
                        }
                        pc += 1;
                        continue;
                    }
                    Instruction::Byte(_) | Instruction::Set(_) | Instruction::Match => threads.push(pc, slots),
                    other => {
                        if self.holds(other, text, at, work) {
                            pc += 1;
                            continue;
                        }
                    }
                }
                break;
            }
        }
    }

    /// Whether a condition that takes no text holds.
    fn holds(&self, instruction: &Instruction, text: &[u8], at: usize, work: &mut u64) -> bool {
        let word =
            |i: usize| text.get(i).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_' || self.perl && *c > 127);
        let (before, after) = (at > 0 && word(at - 1), word(at));
        match instruction {
            Instruction::TextStart => at == 0,
            Instruction::TextEnd => at == text.len(),
            Instruction::Start => at == 0 || self.lines && text[at - 1] == b'\n',
            Instruction::End => at == text.len() || self.lines && text[at] == b'\n',
            Instruction::WordEdge { start: true, end: true, not } => (before != after) != *not,
            Instruction::WordEdge { start: true, end: false, .. } => !before && after,
            Instruction::WordEdge { .. } => before && !after,
            Instruction::Ahead(wanted, inner) => {
                let found = inner.find_counted(&text[at..], 0, work).and_then(|groups| groups[0]);
                found.is_some_and(|(from, _)| from == 0) == *wanted
            }
            _ => false,
        }
    }

    /// An expression with back-references, tried from one place; the longest match of all ways.
    fn try_at(&self, text: &[u8], start: usize, steps: &mut usize) -> Option<Captures> {
        enum Todo {
            Go(usize, usize),
            Restore(usize, usize),
        }
        let mut slots = vec![NONE; self.slots()];
        let mut todo = vec![Todo::Go(0, start)];
        let mut best: Option<Vec<usize>> = None;
        'ways: while let Some(next) = todo.pop() {
            let (mut pc, mut at) = match next {
                Todo::Go(pc, at) => (pc, at),
                Todo::Restore(slot, value) => {
                    slots[slot] = value;
                    continue;
                }
            };
            loop {
                let Some(left) = steps.checked_sub(1) else { break 'ways };
                *steps = left;
                match &self.program[pc] {
                    Instruction::Match => {
                        if best.as_ref().is_none_or(|best| slots[1] > best[1]) {
                            best = Some(slots.clone());
                        }
                        if self.perl || slots[1] == text.len() {
                            break 'ways;
                        }
                        break;
                    }
                    Instruction::Byte(byte) if text.get(at) == Some(byte) => at += 1,
                    Instruction::Set(bytes) if text.get(at).is_some_and(|c| bytes[*c as usize]) => at += 1,
                    Instruction::Byte(_) | Instruction::Set(_) => break,
                    Instruction::Save(slot) => {
                        if *slot < slots.len() {
                            todo.push(Todo::Restore(*slot, slots[*slot]));
                            slots[*slot] = at;
                        }
                    }
                    Instruction::BackReference(group) => {
                        let (from, to) = (slots[group * 2], slots[group * 2 + 1]);
                        if from == NONE || to == NONE || !text[at..].starts_with(&text[from..to]) {
                            break;
                        }
                        at += to - from;
                    }
                    Instruction::Split(first, second) => {
                        todo.push(Todo::Go(*second, at));
                        pc = *first;
                        continue;
                    }
                    Instruction::Jump(to) => {
                        pc = *to;
                        continue;
                    }
                    other => {
                        if !self.holds(other, text, at, &mut 0) {
                            break;
                        }
                    }
                }
                pc += 1;
            }
        }
        best.map(|slots| Regex::captures(&slots))
    }
}

/// No place.
const NONE: usize = usize::MAX;

/// The threads at one place, each with where its groups are.
struct Threads {
    list: Vec<usize>,
    slots: Vec<usize>,
    width: usize,
    seen: Vec<u32>,
    round: u32,
}

impl Threads {
    fn new(program: usize, width: usize) -> Threads {
        Threads { list: Vec::new(), slots: Vec::new(), width, seen: vec![0; program], round: 1 }
    }

    fn clear(&mut self) {
        self.list.clear();
        self.slots.clear();
        self.round = self.round.wrapping_add(1);
    }

    fn push(&mut self, pc: usize, slots: &[usize]) {
        self.list.push(pc);
        self.slots.extend_from_slice(slots);
    }

    fn slots_of(&self, i: usize) -> &[usize] {
        &self.slots[i * self.width..(i + 1) * self.width]
    }
}

/// Where `part` is in `text`.
fn position(text: &[u8], part: &[u8], from: usize) -> Option<usize> {
    let head = *part.first()?;
    let mut at = from;
    loop {
        at += text.get(at..)?.iter().position(|byte| *byte == head)?;
        if text[at..].starts_with(part) {
            return Some(at);
        }
        at += 1;
    }
}

/// The bytes of an expression that is nothing else.
fn literal_of(node: &Node) -> Option<Vec<u8>> {
    match node {
        Node::Byte(byte) => Some(vec![*byte]),
        Node::Sequence(nodes) => {
            let mut bytes = Vec::new();
            for node in nodes {
                bytes.extend(literal_of(node)?);
            }
            Some(bytes)
        }
        _ => None,
    }
}

/// Collects the bytes a match can begin with; false if it can be empty, or depends on what stands before it.
fn first_bytes(program: &[Instruction], pc: usize, seen: &mut [bool], first: &mut [bool; 256]) -> bool {
    if std::mem::replace(&mut seen[pc], true) {
        return true;
    }
    match &program[pc] {
        Instruction::Byte(byte) => {
            first[usize::from(*byte)] = true;
            true
        }
        Instruction::Set(bytes) => {
            first.iter_mut().zip(bytes.iter()).for_each(|(all, own)| *all |= own);
            true
        }
        Instruction::Save(_) | Instruction::WordEdge { .. } | Instruction::Start | Instruction::TextStart => {
            first_bytes(program, pc + 1, seen, first)
        }
        Instruction::Jump(to) => first_bytes(program, *to, seen, first),
        Instruction::Split(a, b) => first_bytes(program, *a, seen, first) && first_bytes(program, *b, seen, first),
        _ => false,
    }
}

fn emit(node: &Node, syntax: Syntax, program: &mut Vec<Instruction>) -> Result<(), String> {
    if program.len() > MAX_PROGRAM {
        return Err("Regular expression too big".into());
    }
    match node {
        Node::Byte(byte) if syntax.ignore_case && byte.is_ascii_alphabetic() => {
            let mut set = [false; 256];
            set[usize::from(byte.to_ascii_lowercase())] = true;
            set[usize::from(byte.to_ascii_uppercase())] = true;
            program.push(Instruction::Set(Rc::new(set)));
        }
        Node::Byte(byte) => program.push(Instruction::Byte(*byte)),
        Node::Set(bytes) => program.push(Instruction::Set(Rc::clone(bytes))),
        Node::Start => program.push(Instruction::Start),
        Node::End => program.push(Instruction::End),
        Node::TextStart => program.push(Instruction::TextStart),
        Node::TextEnd => program.push(Instruction::TextEnd),
        Node::WordEdge { start, end, not } => {
            program.push(Instruction::WordEdge { start: *start, end: *end, not: *not });
        }
        Node::BackReference(group) => program.push(Instruction::BackReference(*group)),
        Node::Ahead(wanted, inner) => {
            let anchored = Node::Sequence(vec![Node::TextStart, (**inner).clone()]);
            let regex = Regex::compiled(&anchored, 0, false, Vec::new(), syntax)?;
            program.push(Instruction::Ahead(*wanted, Rc::new(regex)));
        }
        Node::Sequence(nodes) => nodes.iter().try_for_each(|node| emit(node, syntax, program))?,
        Node::Group(number, inner) => {
            let slot = number.filter(|number| *number < MAX_GROUPS).map(|number| number * 2);
            program.extend(slot.map(Instruction::Save));
            emit(inner, syntax, program)?;
            program.extend(slot.map(|slot| Instruction::Save(slot + 1)));
        }
        Node::Either(nodes) => {
            let mut ends = Vec::new();
            for (i, node) in nodes.iter().enumerate() {
                let split = program.len();
                let last = i + 1 == nodes.len();
                if !last {
                    program.push(Instruction::Split(split + 1, 0));
                }
                emit(node, syntax, program)?;
                if !last {
                    ends.push(program.len());
                    program.push(Instruction::Jump(0));
                    program[split] = Instruction::Split(split + 1, program.len());
                }
            }
            let end = program.len();
            ends.into_iter().for_each(|at| program[at] = Instruction::Jump(end));
        }
        Node::Repeat { inner, least, most, lazy } => {
            let split = |inside: usize, behind: usize| match lazy {
                true => Instruction::Split(behind, inside),
                false => Instruction::Split(inside, behind),
            };
            for _ in 0..*least {
                emit(inner, syntax, program)?;
            }
            match most {
                None => {
                    let at = program.len();
                    program.push(Instruction::Jump(0));
                    emit(inner, syntax, program)?;
                    program.push(Instruction::Jump(at));
                    program[at] = split(at + 1, program.len());
                }
                Some(most) => {
                    let mut splits = Vec::new();
                    for _ in *least..*most {
                        splits.push(program.len());
                        program.push(Instruction::Jump(0));
                        emit(inner, syntax, program)?;
                    }
                    let end = program.len();
                    splits.into_iter().for_each(|at| program[at] = split(at + 1, end));
                }
            }
        }
    }
    Ok(())
}

struct Parser<'a> {
    text: &'a [u8],
    pos: usize,
    syntax: Syntax,
    groups: usize,
    depth: usize,
    has_references: bool,
    names: Vec<(usize, String)>,
}

impl Parser<'_> {
    fn looking_at(&self, token: &str) -> bool {
        self.text[self.pos.min(self.text.len())..].starts_with(token.as_bytes())
    }

    fn operator(&self, character: &'static str, escaped: &'static str) -> &'static str {
        if self.syntax.extended { character } else { escaped }
    }

    fn either(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("Regular expression too big".into());
        }
        let bar = self.operator("|", "\\|");
        let mut alternatives = vec![self.sequence()?];
        while self.looking_at(bar) {
            self.pos += bar.len();
            alternatives.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(if alternatives.len() == 1 { alternatives.remove(0) } else { Node::Either(alternatives) })
    }

    fn sequence(&mut self) -> Result<Node, String> {
        let (bar, close) = (self.operator("|", "\\|"), self.operator(")", "\\)"));
        let mut nodes: Vec<Node> = Vec::new();
        let first = self.pos;
        loop {
            self.skip_layout();
            let done = self.pos >= self.text.len()
                || self.looking_at(bar)
                || self.looking_at(close) && (self.depth > 1 || self.syntax.perl);
            if done {
                return Ok(Node::Sequence(nodes));
            }
            let node = self.atom(self.pos == first)?;
            nodes.push(self.repeats(node)?);
        }
    }

    /// Blanks and comments of Perl's `x`.
    fn skip_layout(&mut self) {
        while self.syntax.extended_layout && self.pos < self.text.len() {
            match self.text[self.pos] {
                c if c.is_ascii_whitespace() => self.pos += 1,
                b'#' => {
                    while self.text.get(self.pos).is_some_and(|c| *c != b'\n') {
                        self.pos += 1;
                    }
                }
                _ => break,
            }
        }
    }

    fn repeats(&mut self, mut node: Node) -> Result<Node, String> {
        let open = self.operator("{", "\\{");
        let mut count = 0;
        loop {
            let star_is_plain = matches!(node, Node::Start) && !self.syntax.extended;
            let (least, most) = match self.text.get(self.pos) {
                Some(b'*') if !star_is_plain => (0, None),
                Some(b'+') if self.syntax.extended => (1, None),
                Some(b'?') if self.syntax.extended => (0, Some(1)),
                Some(b'\\') if !self.syntax.extended && self.looking_at("\\+") => {
                    self.pos += 1;
                    (1, None)
                }
                Some(b'\\') if !self.syntax.extended && self.looking_at("\\?") => {
                    self.pos += 1;
                    (0, Some(1))
                }
                Some(_) if self.looking_at(open) && !star_is_plain => match self.interval(open) {
                    Ok(bounds) => bounds,
                    // In Perl's and awk's syntax a brace that opens no interval is a plain one.
                    Err(_)
                        if self.syntax.extended
                            && !self.text[self.pos + 1..].first().is_some_and(u8::is_ascii_digit) =>
                    {
                        return Ok(node);
                    }
                    Err(why) => return Err(why),
                },
                _ => return Ok(node),
            };
            self.pos += 1;
            let lazy = self.syntax.perl && self.text.get(self.pos) == Some(&b'?');
            let possessive = self.syntax.perl && self.text.get(self.pos) == Some(&b'+');
            self.pos += usize::from(lazy || possessive);
            count += 1;
            if count > 8 {
                return Err("Regular expression too big".into());
            }
            node = Node::Repeat { inner: Box::new(node), least, most, lazy };
        }
    }

    /// `{2,5}`; leaves the position on its last character.
    fn interval(&mut self, open: &str) -> Result<(usize, Option<usize>), String> {
        let close = self.operator("}", "\\}");
        let rest = String::from_utf8_lossy(&self.text[self.pos + open.len()..]).into_owned();
        let inside = rest.split(close).next().filter(|inside| inside.len() < rest.len()).ok_or("Unmatched { or \\{")?;
        let (low, high) = inside.split_once(',').map_or((inside, inside), |(low, high)| (low, high));
        let bad = |_| "Invalid content of \\{\\}".to_string();
        let least = if low.is_empty() { 0 } else { low.parse::<usize>().map_err(bad)? };
        let most = if high.is_empty() { None } else { Some(high.parse::<usize>().map_err(bad)?) };
        if low.is_empty() && high.is_empty() {
            return Err("Invalid preceding regular expression".into());
        }
        if least > MAX_REPEAT || most.is_some_and(|most| most > MAX_REPEAT || most < least) {
            return Err("Invalid content of \\{\\}".into());
        }
        self.pos += open.len() + inside.len() + close.len() - 1;
        Ok((least, most))
    }

    fn atom(&mut self, at_start: bool) -> Result<Node, String> {
        let c = self.text[self.pos];
        let next = self.text.get(self.pos + 1).copied();
        self.pos += 1;
        let extended = self.syntax.extended;
        Ok(match c {
            b'.' => self.any(),
            b'[' => self.set()?,
            b'*' if extended && at_start && self.syntax.perl => {
                return Err("target of repeat operator is not specified".into());
            }
            b'^' if extended || at_start => Node::Start,
            b'$' if extended || next.is_none() || self.looking_at("\\)") || self.looking_at("\\|") => Node::End,
            b'(' if extended => self.group(")")?,
            b'\\' => {
                let Some(next) = next else { return Err("Trailing backslash".into()) };
                self.pos += 1;
                self.escape(next)?
            }
            c if c >= 0x80 && self.syntax.utf8 => self.character(),
            other => Node::Byte(other),
        })
    }

    /// A character of several bytes, whose first byte was taken.
    fn character(&mut self) -> Node {
        let start = self.pos - 1;
        while self.text.get(self.pos).is_some_and(|c| c & 0xc0 == 0x80) {
            self.pos += 1;
        }
        Node::Sequence(self.text[start..self.pos].iter().map(|byte| Node::Byte(*byte)).collect())
    }

    fn escape(&mut self, c: u8) -> Result<Node, String> {
        Ok(match c {
            b'(' if !self.syntax.extended => self.group("\\)")?,
            b'1'..=b'9' => {
                self.has_references = true;
                let group = usize::from(c - b'0');
                if group > self.groups {
                    return Err("Invalid back reference".into());
                }
                Node::BackReference(group)
            }
            b'n' => Node::Byte(b'\n'),
            b't' => Node::Byte(b'\t'),
            b'r' => Node::Byte(b'\r'),
            b'f' => Node::Byte(0x0c),
            b'v' => Node::Byte(0x0b),
            b'a' if self.syntax.perl => Node::Byte(7),
            b'e' if self.syntax.perl => Node::Byte(0x1b),
            b'b' => Node::WordEdge { start: true, end: true, not: false },
            b'B' => Node::WordEdge { start: true, end: true, not: true },
            b'<' if !self.syntax.perl => Node::WordEdge { start: true, end: false, not: false },
            b'>' if !self.syntax.perl => Node::WordEdge { start: false, end: true, not: false },
            b'`' if !self.syntax.perl => Node::TextStart,
            b'\'' if !self.syntax.perl => Node::TextEnd,
            b'A' if self.syntax.perl => Node::TextStart,
            b'z' | b'Z' if self.syntax.perl => Node::TextEnd,
            b'w' | b'W' | b's' | b'S' => self.class(c),
            b'd' | b'D' | b'h' | b'H' if self.syntax.perl => self.class(c),
            b'x' if self.syntax.perl => {
                let (code, len) = hexadecimal(&self.text[self.pos..]);
                self.pos += len;
                literal(code)
            }
            b'p' | b'P' if self.syntax.perl => {
                let ranges = self.property()?;
                self.characters(&ranges, c == b'P')
            }
            b'Q' if self.syntax.perl => {
                let rest = &self.text[self.pos..];
                let end = rest.windows(2).position(|pair| pair == b"\\E").unwrap_or(rest.len());
                let node = Node::Sequence(rest[..end].iter().map(|byte| Node::Byte(*byte)).collect());
                self.pos = (self.pos + end + 2).min(self.text.len());
                node
            }
            other if other >= 0x80 && self.syntax.utf8 => self.character(),
            other => Node::Byte(other),
        })
    }

    /// `{L}`, `{Alpha}` and the like behind `\p`.
    fn property(&mut self) -> Result<Vec<(char, char)>, String> {
        let rest = String::from_utf8_lossy(&self.text[self.pos..]).into_owned();
        let (name, len) = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((name, _)) => (name.to_string(), name.len() + 2),
            None => (rest.chars().take(1).collect(), 1),
        };
        self.pos += len;
        let class = match name.trim_start_matches('^').to_ascii_lowercase().as_str() {
            "l" | "letter" | "alpha" => "alpha",
            "lu" | "upper" => "upper",
            "ll" | "lower" => "lower",
            "n" | "nd" | "digit" => "digit",
            "p" | "punct" => "punct",
            "z" | "space" | "zs" => "space",
            "alnum" => "alnum",
            other => return Err(format!("invalid character property name {{{other}}}")),
        };
        Ok(class_ranges(class))
    }

    fn any(&self) -> Node {
        let newline = !self.syntax.perl || self.syntax.single;
        let below = if newline { vec![('\0', char::MAX)] } else { vec![('\0', '\t'), ('\x0b', char::MAX)] };
        self.characters(&below, false)
    }

    /// `\w` and the like.
    fn class(&self, letter: u8) -> Node {
        let mut ranges = match letter.to_ascii_lowercase() {
            b'w' => vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
            b's' => vec![('\t', '\r'), (' ', ' ')],
            b'h' => vec![('0', '9'), ('A', 'F'), ('a', 'f')],
            _ => vec![('0', '9')],
        };
        if letter.eq_ignore_ascii_case(&b'w') && self.syntax.utf8 {
            ranges.push(('\u{aa}', '\u{d7ff}'));
        }
        self.characters(&ranges, letter.is_ascii_uppercase())
    }

    /// A node for one character of these ranges.
    fn characters(&self, ranges: &[(char, char)], negated: bool) -> Node {
        let mut ranges = ranges.to_vec();
        if self.syntax.ignore_case {
            let more: Vec<(char, char)> = ranges
                .iter()
                .flat_map(|(low, high)| (*low..=*high).take(200))
                .filter(|c| c.is_ascii_alphabetic())
                .flat_map(|c| [c.to_ascii_lowercase(), c.to_ascii_uppercase()])
                .map(|c| (c, c))
                .collect();
            ranges.extend(more);
        }
        ranges.sort_unstable();
        if negated {
            ranges = complement(&ranges);
        }
        let mut bytes = [false; 256];
        let top = if self.syntax.utf8 { 0x7f } else { 0xff };
        for (low, high) in &ranges {
            for code in u32::from(*low)..=u32::from(*high).min(top) {
                bytes[code as usize] = true;
            }
        }
        if !self.syntax.utf8 {
            if ranges.iter().any(|(low, high)| *low <= '\u{80}' && *high == char::MAX) {
                bytes[0x80..].fill(true);
            }
            return Node::Set(Rc::new(bytes));
        }
        let mut ways = Vec::new();
        if bytes.iter().any(|on| *on) {
            ways.push(Node::Set(Rc::new(bytes)));
        }
        for (low, high) in ranges {
            let (low, high) = (u32::from(low).max(0x80), u32::from(high));
            if low <= high {
                utf8_ways(low, high, &mut ways);
            }
        }
        match ways.len() {
            1 => ways.remove(0),
            _ => Node::Either(ways),
        }
    }

    fn group(&mut self, close: &str) -> Result<Node, String> {
        let number = if self.syntax.perl && self.looking_at("?") {
            match self.special_group()? {
                Special::Plain => None,
                Special::Named(name) => {
                    self.groups += 1;
                    self.names.push((self.groups, name));
                    Some(self.groups)
                }
                Special::Ahead(wanted) => {
                    let inner = self.either()?;
                    self.close(close)?;
                    return Ok(Node::Ahead(wanted, Box::new(inner)));
                }
                Special::Flags => return Ok(Node::Sequence(Vec::new())),
            }
        } else {
            self.groups += 1;
            Some(self.groups)
        };
        let syntax = self.syntax;
        let inner = self.either()?;
        self.syntax = syntax;
        self.close(close)?;
        Ok(Node::Group(number, Box::new(inner)))
    }

    fn close(&mut self, close: &str) -> Result<(), String> {
        if !self.looking_at(close) {
            return Err("Unmatched ( or \\(".into());
        }
        self.pos += close.len();
        Ok(())
    }

    fn special_group(&mut self) -> Result<Special, String> {
        self.pos += 1;
        for (start, special) in [(":", Special::Plain), ("=", Special::Ahead(true)), ("!", Special::Ahead(false))] {
            if self.looking_at(start) {
                self.pos += 1;
                return Ok(special);
            }
        }
        if self.looking_at("<=") || self.looking_at("<!") {
            return Err("look-behind is not supported by Batchyard".into());
        }
        let named = if self.looking_at("P<") { 2 } else { usize::from(self.looking_at("<")) };
        if named > 0 {
            self.pos += named;
            let rest = String::from_utf8_lossy(&self.text[self.pos..]).into_owned();
            let (name, _) = rest.split_once('>').ok_or("invalid group name <>")?;
            self.pos += name.len() + 1;
            return Ok(Special::Named(name.to_string()));
        }
        let mut on = true;
        while let Some(c) = self.text.get(self.pos).copied() {
            self.pos += 1;
            match c {
                b'-' => on = false,
                b'i' => self.syntax.ignore_case = on,
                b's' => self.syntax.single = on,
                b'x' => self.syntax.extended_layout = on,
                b'm' => self.syntax.lines = on,
                b':' => return Ok(Special::Plain),
                b')' => return Ok(Special::Flags),
                _ => break,
            }
        }
        Err("undefined group option".into())
    }

    fn set(&mut self) -> Result<Node, String> {
        let unmatched = || "Unmatched [, [^, [:, [., or [=".to_string();
        let negated = self.text.get(self.pos) == Some(&b'^');
        self.pos += usize::from(negated);
        let mut ranges: Vec<(char, char)> = Vec::new();
        let first = self.pos;
        loop {
            let c = *self.text.get(self.pos).ok_or_else(unmatched)?;
            if c == b']' && self.pos > first {
                self.pos += 1;
                let mut node = self.characters(&ranges, negated);
                if let (Node::Set(bytes), false) = (&mut node, self.syntax.utf8) {
                    // In the C locale a byte above 127 in a set is itself.
                    debug_assert_eq!(bytes.len(), 256, "a set knows every byte");
                }
                return Ok(node);
            }
            if self.looking_at("[:") {
                let rest = String::from_utf8_lossy(&self.text[self.pos + 2..]).into_owned();
                let name = rest.split(":]").next().filter(|name| name.len() < rest.len()).ok_or_else(unmatched)?;
                if !CLASSES.contains(&name) {
                    return Err("Invalid character class name".into());
                }
                let folded = if self.syntax.ignore_case && matches!(name, "upper" | "lower") { "alpha" } else { name };
                ranges.extend(class_ranges(folded));
                self.pos += name.len() + 4;
                continue;
            }
            if self.looking_at("[.") || self.looking_at("[=") {
                let mark = self.text[self.pos + 1];
                let inside = self.text.get(self.pos + 2).copied().ok_or_else(unmatched)?;
                if self.text.get(self.pos + 3) != Some(&mark) || self.text.get(self.pos + 4) != Some(&b']') {
                    return Err("Invalid collation character".into());
                }
                ranges.push((char::from(inside), char::from(inside)));
                self.pos += 5;
                continue;
            }
            if c == b'\\'
                && self.syntax.perl
                && let Some(class) = self.text.get(self.pos + 1).filter(|c| b"wWsSdDhH".contains(c)).copied()
            {
                self.pos += 2;
                let own = Parser { syntax: Syntax { ignore_case: false, ..self.syntax }, ..self.empty() };
                ranges.extend(own.class_of(class));
                continue;
            }
            let low = self.set_character().ok_or_else(unmatched)?;
            let range =
                self.text.get(self.pos) == Some(&b'-') && self.text.get(self.pos + 1).is_some_and(|c| *c != b']');
            let high = if range {
                self.pos += 1;
                self.set_character().ok_or_else(unmatched)?
            } else {
                low
            };
            if high < low {
                return Err("Invalid range end".into());
            }
            ranges.push((low, high));
        }
    }

    fn empty(&self) -> Parser<'static> {
        let (syntax, names) = (self.syntax, Vec::new());
        Parser { text: &[], pos: 0, syntax, groups: 0, depth: 0, has_references: false, names }
    }

    fn class_of(&self, letter: u8) -> Vec<(char, char)> {
        let mut ranges = match letter.to_ascii_lowercase() {
            b'w' => vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
            b's' => vec![('\t', '\r'), (' ', ' ')],
            b'h' => vec![('0', '9'), ('A', 'F'), ('a', 'f')],
            _ => vec![('0', '9')],
        };
        if letter.is_ascii_uppercase() {
            ranges.sort_unstable();
            ranges = complement(&ranges);
        }
        ranges
    }

    /// One character of a set, with its escape where escapes count.
    fn set_character(&mut self) -> Option<char> {
        let c = *self.text.get(self.pos)?;
        self.pos += 1;
        if c == b'\\' && (self.syntax.perl || self.syntax.set_escapes) {
            let next = *self.text.get(self.pos)?;
            let known = match next {
                b'n' => Some('\n'),
                b't' => Some('\t'),
                b'r' => Some('\r'),
                b'f' => Some('\x0c'),
                b'v' => Some('\x0b'),
                b'x' if self.syntax.perl => {
                    self.pos += 1;
                    let (code, len) = hexadecimal(&self.text[self.pos..]);
                    self.pos += len;
                    return char::from_u32(code);
                }
                _ if self.syntax.perl => Some(char::from(next)),
                b'\\' | b'/' | b'"' | b']' | b'[' | b'^' | b'-' => Some(char::from(next)),
                _ => None,
            };
            if let Some(known) = known {
                self.pos += 1;
                return Some(known);
            }
        }
        if c < 0x80 || !self.syntax.utf8 {
            return Some(char::from(c));
        }
        let start = self.pos - 1;
        while self.text.get(self.pos).is_some_and(|c| c & 0xc0 == 0x80) {
            self.pos += 1;
        }
        std::str::from_utf8(&self.text[start..self.pos]).ok()?.chars().next()
    }
}

/// What stands behind `(?`.
enum Special {
    Plain,
    Named(String),
    Ahead(bool),
    Flags,
}

const CLASSES: [&str; 12] =
    ["alpha", "digit", "alnum", "upper", "lower", "space", "blank", "punct", "xdigit", "cntrl", "print", "graph"];

/// The characters of a POSIX class, of ASCII.
fn class_ranges(name: &str) -> Vec<(char, char)> {
    (0..128u8).map(char::from).filter(|c| in_class(name, *c)).map(|c| (c, c)).collect()
}

/// All characters outside of sorted ranges.
fn complement(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let mut out = Vec::new();
    let mut next: u32 = 0;
    let mut push = |low: u32, high: u32| {
        // Surrogates are no characters.
        for (low, high) in [(low, high.min(0xd7ff)), (low.max(0xe000), high)] {
            if let (true, Some(low), Some(high)) = (low <= high, char::from_u32(low), char::from_u32(high)) {
                out.push((low, high));
            }
        }
    };
    for (low, high) in ranges {
        if u32::from(*low) > next {
            push(next, u32::from(*low) - 1);
        }
        next = next.max(u32::from(*high) + 1);
    }
    if next <= 0x10_ffff {
        push(next, 0x10_ffff);
    }
    out
}

fn literal(code: u32) -> Node {
    match char::from_u32(code) {
        Some(c) => {
            let mut bytes = [0; 4];
            Node::Sequence(c.encode_utf8(&mut bytes).bytes().map(Node::Byte).collect())
        }
        None => Node::Sequence(Vec::new()),
    }
}

/// `41` or `{1F600}`, and how long that was.
fn hexadecimal(text: &[u8]) -> (u32, usize) {
    let digits = |text: &[u8], max: usize| text.iter().take(max).take_while(|c| c.is_ascii_hexdigit()).count();
    let value = |text: &[u8]| u32::from_str_radix(&String::from_utf8_lossy(text), 16).unwrap_or(0);
    if text.first() == Some(&b'{') {
        let len = digits(&text[1..], 8);
        return (value(&text[1..=len]), len + 2);
    }
    let len = digits(text, 2);
    (value(&text[..len]), len)
}

/// Ways to write the characters from `low` to `high` (both above 127) in UTF-8: byte by byte.
fn utf8_ways(low: u32, high: u32, ways: &mut Vec<Node>) {
    for (from, to) in [(0x80, 0x7ff), (0x800, 0xffff), (0x1_0000, 0x10_ffff)] {
        let (low, high) = (low.max(from), high.min(to));
        if low <= high {
            let bytes = |code: u32| {
                let mut buffer = [0; 4];
                // The ends of what are no characters are written as if they were.
                match char::from_u32(code) {
                    Some(c) => c.encode_utf8(&mut buffer).as_bytes().to_vec(),
                    None => vec![0xed, 0xa0 | ((code >> 6) & 0x1f) as u8, 0x80 | (code & 0x3f) as u8],
                }
            };
            between(&bytes(low), &bytes(high), ways);
        }
    }
}

/// Sequences of byte ranges from one text of bytes to another of the same length.
fn between(low: &[u8], high: &[u8], ways: &mut Vec<Node>) {
    let set = |low: u8, high: u8| {
        let mut bytes = [false; 256];
        bytes[usize::from(low)..=usize::from(high)].fill(true);
        Node::Set(Rc::new(bytes))
    };
    let (Some((a, low_rest)), Some((b, high_rest))) = (low.split_first(), high.split_first()) else { return };
    if low_rest.is_empty() {
        return ways.push(set(*a, *b));
    }
    let mut add = |head: Node, low: &[u8], high: &[u8]| {
        let mut tails = Vec::new();
        between(low, high, &mut tails);
        let tail = if tails.len() == 1 { tails.remove(0) } else { Node::Either(tails) };
        ways.push(Node::Sequence(vec![head, tail]));
    };
    let (least, most) = (vec![0x80; low_rest.len()], vec![0xbf; low_rest.len()]);
    if a == b {
        return add(Node::Byte(*a), low_rest, high_rest);
    }
    let mut from = *a;
    if low_rest != least.as_slice() {
        add(Node::Byte(*a), low_rest, &most);
        from += 1;
    }
    let mut to = *b;
    let partial = high_rest != most.as_slice();
    if partial {
        to -= 1;
    }
    if from <= to {
        add(set(from, to), &least, &most);
    }
    if partial {
        add(Node::Byte(*b), &least, high_rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_find_the_first_and_longest_match() {
        for (pattern, extended, text, want) in [
            ("a.c", false, "xxabc", Some((2, 5))),
            ("^b*$", false, "bbb", Some((0, 3))),
            ("(ab)+", true, "xababx", Some((1, 5))),
            ("\\(a\\)\\1", false, "baa", Some((1, 3))),
            ("[[:digit:]]{2,3}", true, "a1234", Some((1, 4))),
            ("foo|ba[rz]", true, "a baz", Some((2, 5))),
            ("a+", false, "aa+", Some((1, 3))),
            ("\\bcat\\b", true, "a cat!", Some((2, 5))),
            ("x", false, "abc", None),
            ("(a*)*$", true, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", Some((32, 32))),
            ("a|ab|abc", true, "abcd", Some((0, 3))),
            ("(a|ab)(c|bcd)", true, "abcd", Some((0, 4))),
            ("x*", true, "aaa", Some((0, 0))),
            ("[^a]b", true, "abcb", Some((2, 4))),
            ("b$", true, "abab", Some((3, 4))),
        ] {
            let regex = Regex::new(pattern, Syntax { extended, ..Syntax::default() }).unwrap();
            assert_eq!(regex.find(text.as_bytes(), 0).map(|groups| groups[0].unwrap()), want, "{pattern}");
        }
    }

    #[test]
    fn case_is_folded_in_sets_too_and_perls_syntax_knows_characters() {
        let find = |regex: Regex, text: &str| regex.find(text.as_bytes(), 0).and_then(|groups| groups[0]);
        assert_eq!(find(Regex::extended("[[:upper:]]\\W", true).unwrap(), "a!"), Some((0, 2)));
        assert_eq!(find(Regex::extended("[a-c]X", true).unwrap(), "Bx"), Some((0, 2)));
        assert_eq!(find(Regex::perl("^.$", false).unwrap(), "é"), Some((0, 2)));
        assert_eq!(find(Regex::perl("[^a]é", false).unwrap(), "üé"), Some((0, 4)));
        assert_eq!(find(Regex::perl("a|ab", false).unwrap(), "ab"), Some((0, 1)));
        assert_eq!(find(Regex::perl("a.*?b", false).unwrap(), "axbxb"), Some((0, 3)));
        let named = Regex::perl("v(?<major>\\d+)(?:\\.\\d+)?", false).unwrap();
        assert_eq!(named.names(), [(1, "major".to_string())]);
        assert_eq!(named.find(b"v12.3", 0).unwrap(), [Some((0, 5)), Some((1, 3))]);
        assert_eq!(find(Regex::perl("foo(?!bar)", false).unwrap(), "foobar foobaz"), Some((7, 10)));
    }

    #[test]
    fn a_search_takes_steps_in_line_with_the_text() {
        let text = "a".repeat(100_000);
        let mut work = 0;
        assert_eq!(
            Regex::extended("(a|aa)+$", false).unwrap().find_counted(text.as_bytes(), 0, &mut work).unwrap()[0],
            Some((0, 100_000))
        );
        assert!(work < 3_000_000, "{work}");
    }

    #[test]
    fn bad_expressions_are_errors() {
        for pattern in ["(", "[a", "a{2", "\\", "(((((((((((((((((((((((((((((((((((((((((((((((((((((((a"] {
            assert!(Regex::extended(pattern, false).is_err(), "{pattern}");
        }
        assert!(Regex::extended("((((a{1000}){1000}){1000}){1000})", false).is_err());
    }
}
