//! Lists that are assigned, `select`, and the frame of a function call.

use std::rc::Rc;

use super::{Context, Frame, Listed, Process, Saved, Step, TextKind};
use crate::expand::{Expander, Halt, read_only_message};
use crate::host::Host;
use crate::process::Read;
use crate::state::Event;
use crate::syntax::ast::{Assign, AssignValue, Command, Kind};
use crate::variables::NotSet;

impl Listed {
    /// The elements of a list that is assigned. `keyed`: its subscripts are texts.
    pub(crate) fn expand(expander: &mut Expander<'_>, assign: &Assign, keyed: bool) -> Result<Listed, Halt> {
        let AssignValue::List(list) = &assign.value else {
            return Ok(Listed { name: assign.name.clone(), append: assign.append, elements: Vec::new() });
        };
        let mut elements = Vec::new();
        for element in list {
            match &element.index {
                Some(index) => {
                    let key = match keyed {
                        true => expander.text(index)?,
                        false => expander.key(&assign.name, index)?,
                    };
                    elements.push((Some(key), element.append, expander.text(&element.value)?));
                }
                None => {
                    let words = expander.words(std::slice::from_ref(&element.value))?;
                    elements.extend(words.into_iter().map(|word| (None, false, word)));
                }
            }
        }
        Ok(Listed { name: assign.name.clone(), append: assign.append, elements })
    }
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    /// Assigns lists; `force`: also to what the declaration before has made read-only.
    pub(crate) fn assign_lists<H: Host<Command = C>>(
        &mut self,
        lists: Vec<Listed>,
        force: bool,
        cx: &mut Context<'_, H>,
    ) -> bool {
        for Listed { name, append, elements } in lists {
            let target = self.state.target(&name).to_string();
            let locked = force && self.state.vars.get(&target).is_some_and(|var| var.read_only);
            let unlock = |state: &mut crate::state::State, on: bool| {
                state.vars.get_mut(&target).into_iter().for_each(|var| var.read_only = on);
            };
            if locked {
                unlock(&mut self.state, false);
            }
            let result = self.assign_list(&target, append, elements);
            if locked {
                unlock(&mut self.state, true);
            }
            if let Err(why) = result {
                let message = match why {
                    NotSet::ReadOnly => read_only_message(self.state.dialect, &name),
                    NotSet::Wrong(message) => message,
                };
                self.fail(&message, cx);
                return false;
            }
        }
        true
    }

    fn assign_list(
        &mut self,
        name: &str,
        append: bool,
        elements: Vec<(Option<String>, bool, String)>,
    ) -> Result<(), NotSet> {
        let keyed = self.state.is_keyed(name);
        self.state.make_array(name, keyed, !append)?;
        let mut next = match append && !keyed {
            true => self.state.entries(name).last().and_then(|(key, _)| key.parse::<i64>().ok()).map_or(0, |n| n + 1),
            false => 0,
        };
        let mut pending_key: Option<String> = None;
        for (key, append, value) in elements {
            if keyed && key.is_none() {
                // `m=(key value key value)`
                match pending_key.take() {
                    None => pending_key = Some(value),
                    Some(key) => self.state.set_element(name, Some(&key), value, false)?,
                }
                continue;
            }
            let key = key.unwrap_or_else(|| next.to_string());
            next = key.parse::<i64>().unwrap_or(next) + 1;
            self.state.set_element(name, Some(&key), value, append)?;
        }
        match pending_key {
            Some(key) => self.state.set_element(name, Some(&key), String::new(), false),
            None => Ok(()),
        }
    }

    /// The end of a function's call: the RETURN trap runs first.
    pub(crate) fn step_call(&mut self, positional: Vec<String>, locals: Saved, trapped: bool) -> Step {
        let action = self.state.traps.get(&Event::Return).filter(|_| !trapped).cloned();
        if let Some(action) = action {
            let status = self.state.status;
            self.frames.push(Frame::Call { positional, locals, trapped: true });
            self.push_text(&action, TextKind::Trap { status, event: Event::Return });
            return Step::Ran;
        }
        self.end_call(positional, locals);
        Step::Ran
    }

    /// `select`: prints the menu, reads a line, runs the body.
    pub(crate) fn step_select<H: Host<Command = C>>(
        &mut self,
        command: Rc<Command>,
        words: Vec<String>,
        reading: bool,
        cx: &mut Context<'_, H>,
    ) -> Step {
        let Kind::Select { name, body, .. } = &command.kind else { return Step::Ran };
        if !reading {
            let menu: String =
                words.iter().zip(1..).map(|(word, n): (&String, usize)| format!("{n}) {word}\n")).collect();
            let prompt = self.state.get("PS3").unwrap_or("#? ").to_string();
            self.write(2, format!("{menu}{prompt}").as_bytes(), cx);
            self.frames.push(Frame::Select { command, words, reading: true });
            return Step::Ran;
        }
        let mut line = Vec::new();
        loop {
            match cx.common.files.read(self.descriptor(0), 1, cx.io) {
                Read::Data(byte) if byte == b"\n" => break,
                Read::Data(byte) => line.extend(byte),
                Read::Empty => {
                    cx.common.files.unread(self.descriptor(0), &line, cx.io);
                    self.frames.push(Frame::Select { command, words, reading });
                    return Step::Blocked(None);
                }
                Read::End => {
                    self.write(2, b"\n", cx);
                    self.state.status = 1;
                    return Step::Ran;
                }
            }
        }
        let reply = String::from_utf8_lossy(&line).into_owned();
        let chosen = reply.trim().parse::<usize>().ok().and_then(|n| words.get(n.checked_sub(1)?)).cloned();
        let _ = self.state.set("REPLY", reply);
        let _ = self.state.set(name, chosen.unwrap_or_default());
        let body = Frame::List { script: body.clone(), next: 0 };
        self.frames.push(Frame::Select { command, words, reading: false });
        self.frames.push(body);
        Step::Ran
    }
}
