//! The parsed tree: values with their places in the text, and the way back from a field's path to its place.

use std::rc::Rc;

use values::value::{Map, Value};

use super::diagnostic::TextRange;

/// A value of the text.
#[derive(Clone, Debug)]
pub struct Node {
    pub content: Content,
    pub span: TextRange,
    /// The words of a plain scalar that YAML 1.1 does not read as a string: `N`, `0777`, `1.0`.
    pub plain: Option<Rc<str>>,
    /// Nodes in this tree, aliases counted as often as they are used.
    pub(super) size: usize,
    /// Levels of this tree.
    pub(super) depth: usize,
}

#[derive(Clone, Debug)]
pub enum Content {
    Scalar(Value),
    List(Rc<Vec<Node>>),
    Map(Rc<Vec<Entry>>),
}

/// A key and its value. Keys may repeat: the last one counts.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: Rc<str>,
    pub key_span: TextRange,
    pub value: Node,
}

impl Node {
    pub(super) fn new(content: Content, span: TextRange) -> Node {
        let (size, depth) = match &content {
            Content::Scalar(_) => (1, 1),
            Content::List(items) => measure(items.iter()),
            Content::Map(entries) => measure(entries.iter().map(|e| &e.value)),
        };
        Node { content, span, plain: None, size, depth }
    }

    /// The value without places, as the API gets it.
    pub fn value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => Value::list(items.iter().map(Node::value)),
            Content::Map(entries) => entries.iter().map(|e| (e.key.clone(), e.value.value())).collect::<Map>().into(),
        }
    }

    /// The entry that counts for `key`, if this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.content {
            Content::Map(entries) => entries.iter().rev().find(|e| &*e.key == key),
            _ => None,
        }
    }

    /// The item at `index`, if this is a list that has it.
    pub fn item(&self, index: usize) -> Option<&Node> {
        match &self.content {
            Content::List(items) => items.get(index),
            _ => None,
        }
    }

    /// Where a field such as `spec.template.spec.containers[0].image` or `metadata.labels[app]` stands; if it is not in
    /// the text, where its nearest parent stands.
    pub fn locate(&self, path: &str) -> Location {
        let mut here = Location { key: None, value: self.span, exact: true };
        let mut node = self;
        let mut rest = path;
        while !rest.is_empty() {
            let Some((next, key, after)) = step(node, rest) else {
                here.exact = false;
                break;
            };
            here = Location { key, value: next.span, exact: true };
            (node, rest) = (next, after);
        }
        here
    }
}

fn measure<'n>(children: impl Iterator<Item = &'n Node>) -> (usize, usize) {
    let (mut size, mut depth) = (1_usize, 0);
    for child in children {
        size = size.saturating_add(child.size);
        depth = depth.max(child.depth);
    }
    (size, depth + 1)
}

/// One step of a path: the child, the place of its key, and the rest of the path.
fn step<'n, 'p>(node: &'n Node, path: &'p str) -> Option<(&'n Node, Option<TextRange>, &'p str)> {
    if let Some(bracket) = path.strip_prefix('[') {
        let (inside, after) = bracket.split_once(']')?;
        let after = after.strip_prefix('.').unwrap_or(after);
        if let Content::List(items) = &node.content {
            return Some((items.get(inside.parse::<usize>().ok()?)?, None, after));
        }
        let entry = node.entry(inside)?;
        return Some((&entry.value, Some(entry.key_span), after));
    }
    // A key may hold dots (`kubernetes.io/hostname`), so the longest key that fits is taken.
    let mut ends: Vec<usize> = path.char_indices().filter(|(_, c)| ".[".contains(*c)).map(|(i, _)| i).collect();
    ends.push(path.len());
    for end in ends.into_iter().rev() {
        if let Some(entry) = node.entry(&path[..end]) {
            let after = &path[end..];
            return Some((&entry.value, Some(entry.key_span), after.strip_prefix('.').unwrap_or(after)));
        }
    }
    None
}

/// Where a field stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Location {
    /// Its key; list items and the document itself have none.
    pub key: Option<TextRange>,
    pub value: TextRange,
    /// False if the field itself is not in the text and this is its nearest parent.
    pub exact: bool,
}

impl Location {
    /// What to underline: the value itself if it is on one line, the key if the value is long or only a parent was found.
    pub fn span(&self) -> TextRange {
        match self.key {
            Some(key) if !self.exact || self.value.line != self.value.end_line => key,
            _ => self.value,
        }
    }
}
