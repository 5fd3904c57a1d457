//! From text to syntax tree: a recursive descent parser with a depth limit, which reads one line of commands at a
//! time, as shells do (a syntax error in line 3 comes after line 2 has run).

pub mod ast;
mod braces;
mod compound;
mod conditional;
mod lexer;
mod parser;
pub(crate) mod printer;
mod words;

pub(super) use parser::{KEYWORDS, is_name};
pub use parser::{Parser, SyntaxError, Trouble};

#[cfg(test)]
mod tests;

/// Whose words and abilities the shell has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// busybox 1.36's ash: `sh` of images with busybox.
    Ash,
    /// dash 0.5: `sh` of Debian's images.
    Dash,
    /// bash 5: `bash` of images that have it, and the user's terminal.
    Bash,
}

impl Dialect {
    pub fn is_bash(self) -> bool {
        self == Dialect::Bash
    }
}

/// Whether `text` needs more lines before it can run: an open quote, `if` without `fi`, a here-document without its
/// end, a line ending in `\`, `|` or `&&`. The terminal then shows its continuation prompt.
pub fn is_incomplete(text: &str, dialect: Dialect) -> bool {
    let chars: Vec<char> = text.chars().collect();
    if chars.ends_with(&['\\']) && chars.iter().rev().take_while(|c| **c == '\\').count() % 2 == 1 {
        return true;
    }
    let mut parser = Parser::new(&chars, 0, 1, dialect);
    parser.wants_whole_documents();
    loop {
        match parser.next_line() {
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(error) => return error.trouble == Trouble::Incomplete,
        }
    }
}
