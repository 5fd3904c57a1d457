//! What Tab puts at the end of a line: commands where a command stands, then what that command's own tables offer, and
//! files everywhere else.
//!
//! Rule: as bash does it. The word under the cursor is completed as far as all offers agree; one that is whole is followed
//! by a space, but for a directory (`/`) and a flag that takes a value (`=`).

use crate::files::{Files, HOME};
use crate::{command, docker, helm, kubectl};
use cluster::store::Store;
use shell::host::resolve;

/// Most offers worth showing.
pub const OFFERS_MAX: usize = 60;

/// Words that stand before a command, or have a command as their argument.
const BEFORE_COMMANDS: &[&str] =
    &["!", "{", "do", "else", "exec", "if", "then", "time", "until", "watch", "while", "xargs"];

/// What the last word of a line may become.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Completion {
    /// Where the word begins, in bytes.
    pub from: usize,
    /// Whole words, sorted.
    pub offers: Vec<String>,
}

impl Completion {
    /// The line with its last word as far as all offers agree.
    pub fn apply(&self, line: &str) -> String {
        let before = &line[..self.from];
        match self.offers.as_slice() {
            [] => line.to_owned(),
            [only] => format!("{before}{}", followed(only)),
            [first, others @ ..] => {
                let same = |other: &String| first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
                let mut end = others.iter().map(same).min().unwrap_or(0);
                while !first.is_char_boundary(end) {
                    end -= 1;
                }
                format!("{before}{}", &first[..end])
            }
        }
    }
}

/// A whole word with what follows it.
pub fn followed(word: &str) -> String {
    if word.ends_with(['/', '=']) { word.to_owned() } else { format!("{word} ") }
}

/// The offers for the end of `line`. `commands` are the shell's own, `cwd` is where relative paths begin.
pub fn complete(line: &str, commands: &[String], cwd: &str, files: &Files, store: &Store) -> Completion {
    let Line { words, from, redirected } = split(line);
    let last = words.last().map_or("", String::as_str);
    let names_command = words.len() == 1 && !redirected && !last.contains('/');
    let mut offers = match words.as_slice() {
        _ if redirected => Vec::new(),
        [_] if names_command => {
            let mut names = commands.to_vec();
            names.extend(command::names().map(str::to_owned));
            names
        }
        [program, rest @ ..] if program == "kubectl" => kubectl::completion::complete(rest, store),
        [program, _] if program == "helm" => helm::verbs().map(str::to_owned).collect(),
        [program, _] if program == "docker" => docker::verbs().map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    offers.retain(|offer| offer.starts_with(last));
    if offers.is_empty() && !names_command {
        offers = paths(last, cwd, files);
    }
    offers.sort_unstable();
    offers.dedup();
    Completion { from, offers }
}

/// Files and directories that begin with `word`.
fn paths(word: &str, cwd: &str, files: &Files) -> Vec<String> {
    let (directory, name) = word.rsplit_once('/').map_or(("", word), |(directory, name)| (directory, name));
    let typed = &word[..word.len() - name.len()];
    let place = match directory.strip_prefix('~') {
        _ if typed == "/" => "/".to_owned(),
        Some(rest) => format!("{HOME}{rest}"),
        None => resolve(cwd, directory),
    };
    let entries = files.list(&place).unwrap_or_default();
    let shown = |entry: &&String| entry.starts_with(name) && (!entry.starts_with('.') || name.starts_with('.'));
    let path = |entry: &String| {
        let directory = files.info(&resolve(&place, entry)).is_ok_and(|info| info.directory());
        format!("{typed}{entry}{}", if directory { "/" } else { "" })
    };
    entries.iter().filter(shown).map(path).collect()
}

/// The command at the end of a line.
struct Line {
    /// Without what stands before the command's name; the last is the one that is typed, and may be empty.
    words: Vec<String>,
    /// Where the last word begins.
    from: usize,
    /// The last word is the file of a `>` or `<`.
    redirected: bool,
}

/// Splits as a shell would, but forgives what is not whole yet.
fn split(line: &str) -> Line {
    let mut words: Vec<String> = Vec::new();
    let (mut word, mut from, mut open) = (String::new(), None, None);
    let mut redirected = false;
    let mut characters = line.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            _ if open == Some(c) => open = None,
            _ if open.is_some() => word.push(c),
            '\'' | '"' => {
                open = Some(c);
                from.get_or_insert(at);
            }
            '\\' => {
                from.get_or_insert(at);
                word.extend(characters.next().map(|(_, c)| c));
            }
            ' ' | '\t' => {
                if from.take().is_some() {
                    push(&mut words, std::mem::take(&mut word), std::mem::take(&mut redirected));
                }
            }
            '|' | ';' | '&' | '(' | '`' | '\n' => {
                words.clear();
                word.clear();
                (from, redirected) = (None, false);
            }
            '>' | '<' => {
                if from.take().is_some() {
                    push(&mut words, std::mem::take(&mut word), false);
                }
                redirected = true;
            }
            _ => {
                from.get_or_insert(at);
                word.push(c);
            }
        }
    }
    words.push(word);
    Line { words, from: from.unwrap_or(line.len()), redirected }
}

/// A whole word: the file of a redirection, an assignment or `watch` is no word of the command.
fn push(words: &mut Vec<String>, word: String, redirected: bool) {
    let assigns = word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
    let before = words.is_empty() && (assigns || BEFORE_COMMANDS.contains(&word.as_str()));
    if !redirected && !before {
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use crate::Terminals;
    use cluster::{Cluster, NodeSpec, Setup};
    use values::rng::Rng;
    use values::time::SimTime;
    use values::zone::ZoneTable;

    #[test]
    fn the_last_word_is_completed() {
        let node = |name: &str| NodeSpec { name: name.to_owned(), cpu: "2".to_owned(), memory: "4Gi".to_owned() };
        let setup = Setup { nodes: vec![node("node-1"), node("node-2")], ..Setup::default() };
        let cluster = Cluster::new(&setup, SimTime::EPOCH, Rng::new(1), ZoneTable::empty());
        let mut terminals = Terminals::new();
        let id = terminals.open(SimTime::EPOCH);
        for file in ["job.yaml", "jobs/a.yaml", "jobs/b.yaml", ".hidden"] {
            terminals.save(file, "x", SimTime::EPOCH).unwrap();
        }
        for (line, applied, offers) in [
            ("kubec", "kubectl ", "kubectl"),
            ("sle", "sleep ", "sleep"),
            ("echo a; kubectl cord", "echo a; kubectl cordon ", "cordon"),
            ("kubectl drain n", "kubectl drain node-", "node-1 node-2"),
            ("X=1 watch kubectl get nodes node-1", "X=1 watch kubectl get nodes node-1 ", "node-1"),
            ("kubectl get cronj", "kubectl get cronjobs ", "cronjobs"),
            ("kubectl get --show-l", "kubectl get --show-labels ", "--show-labels"),
            ("kubectl get --sort", "kubectl get --sort-by=", "--sort-by="),
            ("kubectl apply -f j", "kubectl apply -f job", "job.yaml jobs/"),
            ("kubectl apply -f ./jobs/a", "kubectl apply -f ./jobs/a.yaml ", "./jobs/a.yaml"),
            ("cat ~/jobs/", "cat ~/jobs/", "~/jobs/a.yaml ~/jobs/b.yaml"),
            ("cat jo", "cat job", "job.yaml jobs/"),
            ("> jobs/a", "> jobs/a.yaml ", "jobs/a.yaml"),
            ("echo > jobs/a", "echo > jobs/a.yaml ", "jobs/a.yaml"),
            ("cat .h", "cat .hidden ", ".hidden"),
            ("helm upg", "helm upgrade ", "upgrade"),
            ("docker bui", "docker build ", "build"),
            ("cat 'no su", "cat 'no su", ""),
            ("nothing-like-this", "nothing-like-this", ""),
        ] {
            let completion = terminals.complete(Some(id), line, &[], &cluster);
            assert_eq!(completion.offers.join(" "), offers, "{line}");
            assert_eq!(completion.apply(line), applied, "{line}");
        }
        assert!(terminals.complete(None, "", &[], &cluster).offers.len() > 40);
    }
}
