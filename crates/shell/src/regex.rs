//! POSIX basic and extended regular expressions for `grep`, `sed`, `awk` and `[[ =~ ]]`.
//!
//! A backtracking matcher over a small program. Each (instruction, position) pair is visited at most once, so that
//! hostile patterns take at most program × text steps; only patterns with back-references need the step limit.
//! Alternatives are tried in order (the first that matches wins), where POSIX wants the longest.

use super::expand::pattern::in_class;

const MAX_PROGRAM: usize = 20_000;
const MAX_STEPS: usize = 2_000_000;
const MAX_GROUPS: usize = 10;
const MAX_DEPTH: usize = 40;

#[derive(Clone, PartialEq, Eq, Debug)]
enum Node {
    Byte(u8),
    Any,
    Set { negated: bool, bytes: Vec<bool> },
    Start,
    End,
    WordEdge { start: bool, end: bool },
    Group(Option<usize>, Box<Node>),
    BackReference(usize),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, usize, Option<usize>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Instruction {
    Byte(u8),
    Any,
    Set(Vec<bool>),
    Start,
    End,
    WordEdge { start: bool, end: bool },
    Save(usize),
    BackReference(usize),
    Split(usize, usize),
    Jump(usize),
    Match,
}

/// A compiled expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Regex {
    program: Vec<Instruction>,
    ignore_case: bool,
    has_references: bool,
}

/// Where a match and its groups are: `[0]` is the whole match.
pub type Captures = Vec<Option<(usize, usize)>>;

impl Regex {
    /// # Errors
    /// What is wrong with the pattern, in the C library's words.
    pub fn basic(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
        Regex::compile(pattern, ignore_case, false)
    }

    /// # Errors
    /// What is wrong with the pattern, in the C library's words.
    pub fn extended(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
        Regex::compile(pattern, ignore_case, true)
    }

    fn compile(pattern: &str, ignore_case: bool, extended: bool) -> Result<Regex, String> {
        let pattern = if ignore_case { pattern.to_ascii_lowercase() } else { pattern.to_string() };
        let mut parser =
            Parser { text: pattern.as_bytes(), pos: 0, extended, groups: 0, depth: 0, has_references: false };
        let node = parser.either()?;
        if parser.pos < parser.text.len() {
            return Err("Unmatched ) or \\)".into());
        }
        let mut program = vec![Instruction::Save(0)];
        emit(&node, &mut program)?;
        program.push(Instruction::Save(1));
        program.push(Instruction::Match);
        Ok(Regex { program, ignore_case, has_references: parser.has_references })
    }

    /// The first match at or after `from`.
    pub fn find(&self, text: &[u8], from: usize) -> Option<Captures> {
        let lower;
        let text = if self.ignore_case {
            lower = text.to_ascii_lowercase();
            &lower
        } else {
            text
        };
        let mut steps = MAX_STEPS;
        let mut visited = vec![false; if self.has_references { 0 } else { self.program.len() * (text.len() + 1) }];
        if visited.len() > 64 << 20 {
            return None;
        }
        for start in from..=text.len() {
            if let Some(slots) = self.run(text, start, &mut visited, &mut steps) {
                let group = |n: usize| Some((slots[2 * n]?, slots[2 * n + 1]?));
                return Some((0..MAX_GROUPS).map(group).collect());
            }
            if steps == 0 {
                return None;
            }
        }
        None
    }

    fn run(&self, text: &[u8], start: usize, visited: &mut [bool], steps: &mut usize) -> Option<Vec<Option<usize>>> {
        enum Todo {
            Go(usize, usize),
            Restore(usize, Option<usize>),
        }
        let mut slots = vec![None; MAX_GROUPS * 2];
        let mut todo = vec![Todo::Go(0, start)];
        while let Some(next) = todo.pop() {
            let (mut pc, mut at) = match next {
                Todo::Go(pc, at) => (pc, at),
                Todo::Restore(slot, value) => {
                    slots[slot] = value;
                    continue;
                }
            };
            loop {
                if self.has_references {
                    *steps = steps.checked_sub(1)?;
                } else {
                    let seen = &mut visited[pc * (text.len() + 1) + at];
                    if std::mem::replace(seen, true) {
                        break;
                    }
                }
                let word = |i: usize| text.get(i).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_');
                let (before, after) = (at > 0 && word(at - 1), word(at));
                match &self.program[pc] {
                    Instruction::Match => return Some(slots),
                    Instruction::Byte(byte) if text.get(at) == Some(byte) => at += 1,
                    Instruction::Any if at < text.len() => at += 1,
                    Instruction::Set(bytes) if text.get(at).is_some_and(|c| bytes[*c as usize]) => at += 1,
                    Instruction::Start if at == 0 => {}
                    Instruction::End if at == text.len() => {}
                    Instruction::WordEdge { start: true, end: true } if before != after => {}
                    Instruction::WordEdge { start: true, end: false } if !before && after => {}
                    Instruction::WordEdge { start: false, end: true } if before && !after => {}
                    Instruction::Save(slot) => {
                        todo.push(Todo::Restore(*slot, slots[*slot]));
                        slots[*slot] = Some(at);
                    }
                    Instruction::BackReference(group) => {
                        let (Some(from), Some(to)) = (slots[group * 2], slots[group * 2 + 1]) else { break };
                        if !text[at..].starts_with(&text[from..to]) {
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
                    _ => break,
                }
                pc += 1;
            }
        }
        None
    }
}

fn emit(node: &Node, program: &mut Vec<Instruction>) -> Result<(), String> {
    if program.len() > MAX_PROGRAM {
        return Err("Regular expression too big".into());
    }
    match node {
        Node::Byte(byte) => program.push(Instruction::Byte(*byte)),
        Node::Any => program.push(Instruction::Any),
        Node::Set { negated, bytes } => program.push(Instruction::Set(bytes.iter().map(|on| on != negated).collect())),
        Node::Start => program.push(Instruction::Start),
        Node::End => program.push(Instruction::End),
        Node::WordEdge { start, end } => program.push(Instruction::WordEdge { start: *start, end: *end }),
        Node::BackReference(group) => program.push(Instruction::BackReference(*group)),
        Node::Sequence(nodes) => nodes.iter().try_for_each(|node| emit(node, program))?,
        Node::Group(number, inner) => {
            let slot = number.filter(|number| *number < MAX_GROUPS).map(|number| number * 2);
            program.extend(slot.map(Instruction::Save));
            emit(inner, program)?;
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
                emit(node, program)?;
                if !last {
                    ends.push(program.len());
                    program.push(Instruction::Jump(0));
                    program[split] = Instruction::Split(split + 1, program.len());
                }
            }
            let end = program.len();
            ends.into_iter().for_each(|at| program[at] = Instruction::Jump(end));
        }
        Node::Repeat(inner, least, most) => {
            for _ in 0..*least {
                emit(inner, program)?;
            }
            match most {
                None => {
                    let split = program.len();
                    program.push(Instruction::Split(split + 1, 0));
                    emit(inner, program)?;
                    program.push(Instruction::Jump(split));
                    program[split] = Instruction::Split(split + 1, program.len());
                }
                Some(most) => {
                    let mut splits = Vec::new();
                    for _ in *least..*most {
                        splits.push(program.len());
                        program.push(Instruction::Split(program.len() + 1, 0));
                        emit(inner, program)?;
                    }
                    let end = program.len();
                    splits.into_iter().for_each(|at| program[at] = Instruction::Split(at + 1, end));
                }
            }
        }
    }
    Ok(())
}

struct Parser<'a> {
    text: &'a [u8],
    pos: usize,
    extended: bool,
    groups: usize,
    depth: usize,
    has_references: bool,
}

impl Parser<'_> {
    fn looking_at(&self, token: &str) -> bool {
        self.text[self.pos..].starts_with(token.as_bytes())
    }

    fn operator(&self, character: &'static str, escaped: &'static str) -> &'static str {
        if self.extended { character } else { escaped }
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
        while self.pos < self.text.len() && !self.looking_at(bar) && !(self.looking_at(close) && self.depth > 1) {
            let at_start = self.pos == first;
            let node = self.atom(at_start)?;
            nodes.push(self.repeats(node)?);
        }
        Ok(Node::Sequence(nodes))
    }

    fn repeats(&mut self, mut node: Node) -> Result<Node, String> {
        let open = self.operator("{", "\\{");
        let mut count = 0;
        loop {
            let (least, most) = match self.text.get(self.pos) {
                Some(b'*') if node != Node::Start => (0, None),
                Some(b'+') if self.extended => (1, None),
                Some(b'?') if self.extended => (0, Some(1)),
                Some(b'\\') if !self.extended && self.looking_at("\\+") => {
                    self.pos += 1;
                    (1, None)
                }
                Some(b'\\') if !self.extended && self.looking_at("\\?") => {
                    self.pos += 1;
                    (0, Some(1))
                }
                Some(_) if self.looking_at(open) && node != Node::Start => self.interval(open)?,
                _ => return Ok(node),
            };
            self.pos += 1;
            count += 1;
            if count > 8 {
                return Err("Regular expression too big".into());
            }
            // A repeated repeat of something empty would loop: the visited table stops it.
            node = Node::Repeat(Box::new(node), least, most);
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
        if least > 1000 || most.is_some_and(|most| most > 1000 || most < least) {
            return Err("Invalid content of \\{\\}".into());
        }
        self.pos += open.len() + inside.len() + close.len() - 1;
        Ok((least, most))
    }

    fn atom(&mut self, at_start: bool) -> Result<Node, String> {
        let c = self.text[self.pos];
        let next = self.text.get(self.pos + 1).copied();
        self.pos += 1;
        Ok(match c {
            b'.' => Node::Any,
            b'[' => self.set()?,
            b'^' if self.extended || at_start => Node::Start,
            b'$' if self.extended || next.is_none() || self.looking_at("\\)") || self.looking_at("\\|") => Node::End,
            b'(' if self.extended => self.group(")")?,
            b'\\' => {
                let Some(next) = next else { return Err("Trailing backslash".into()) };
                self.pos += 1;
                match next {
                    b'(' if !self.extended => self.group("\\)")?,
                    b'1'..=b'9' => {
                        self.has_references = true;
                        let group = usize::from(next - b'0');
                        if group > self.groups {
                            return Err("Invalid back reference".into());
                        }
                        Node::BackReference(group)
                    }
                    b'n' => Node::Byte(b'\n'),
                    b't' => Node::Byte(b'\t'),
                    b'b' => Node::WordEdge { start: true, end: true },
                    b'<' => Node::WordEdge { start: true, end: false },
                    b'>' => Node::WordEdge { start: false, end: true },
                    b'w' | b'W' | b's' | b'S' | b'd' | b'D' => class_set(next),
                    other => Node::Byte(other),
                }
            }
            other => Node::Byte(other),
        })
    }

    fn group(&mut self, close: &str) -> Result<Node, String> {
        self.groups += 1;
        let number = self.groups;
        let inner = self.either()?;
        if !self.looking_at(close) {
            return Err("Unmatched ( or \\(".into());
        }
        self.pos += close.len();
        Ok(Node::Group(Some(number), Box::new(inner)))
    }

    fn set(&mut self) -> Result<Node, String> {
        let unmatched = || "Unmatched [, [^, [:, [., or [=".to_string();
        let negated = self.text.get(self.pos) == Some(&b'^');
        self.pos += usize::from(negated);
        let mut bytes = vec![false; 256];
        let first = self.pos;
        loop {
            let c = *self.text.get(self.pos).ok_or_else(unmatched)?;
            if c == b']' && self.pos > first {
                self.pos += 1;
                return Ok(Node::Set { negated, bytes });
            }
            if self.looking_at("[:") {
                let rest = String::from_utf8_lossy(&self.text[self.pos + 2..]).into_owned();
                let name = rest.split(":]").next().filter(|name| name.len() < rest.len()).ok_or_else(unmatched)?;
                (0..128u8).filter(|c| in_class(name, char::from(*c))).for_each(|c| bytes[usize::from(c)] = true);
                self.pos += name.len() + 4;
                continue;
            }
            self.pos += 1;
            let high = match (self.text.get(self.pos), self.text.get(self.pos + 1)) {
                (Some(b'-'), Some(high)) if *high != b']' => {
                    self.pos += 2;
                    *high
                }
                _ => c,
            };
            (c..=high).for_each(|c| bytes[usize::from(c)] = true);
        }
    }
}

fn class_set(letter: u8) -> Node {
    let name = |c: char| match letter.to_ascii_lowercase() {
        b'w' => c.is_ascii_alphanumeric() || c == '_',
        b's' => c.is_ascii_whitespace(),
        _ => c.is_ascii_digit(),
    };
    Node::Set { negated: letter.is_ascii_uppercase(), bytes: (0..=255u8).map(|c| name(char::from(c))).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_find_the_first_match() {
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
        ] {
            let regex = Regex::compile(pattern, false, extended).unwrap();
            assert_eq!(regex.find(text.as_bytes(), 0).map(|groups| groups[0].unwrap()), want, "{pattern}");
        }
    }

    #[test]
    fn bad_expressions_are_errors() {
        for pattern in ["(", "[a", "a{2", "\\", "(((((((((((((((((((((((((((((((((((((((((((((((((((((((a"] {
            assert!(Regex::extended(pattern, false).is_err(), "{pattern}");
        }
        assert!(Regex::extended("((((a{1000}){1000}){1000}){1000})", false).is_err());
    }
}
