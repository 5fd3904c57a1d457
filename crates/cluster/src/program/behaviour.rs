//! A program described by data: how long it runs, how it ends, what it prints and what it serves.
//!
//! Rule: this is what images without a model of their own do (`static/images.yaml`), and what the annotation
//! `batchyard.dev/behaviour` on a Pod (or `batchyard.dev/behaviour.CONTAINER`) says. Fields:
//!
//! | field | meaning |
//! |---|---|
//! | `runs` | a span (`5s`), or `{least: 1s, most: 4s}`; without it the program runs until it is stopped |
//! | `exitCode` | how it ends, 0 if not said |
//! | `exitCodesByAttempt` | a list: the first start ends with the first code, and so on; the last one stays |
//! | `exitCodesByIndex` | completion index → exit code |
//! | `failPercent` | the chance of ending with `failCode` (1 if not said) instead |
//! | `log` | lines printed at the start |
//! | `logAtEnd` | lines printed before it ends by itself |
//! | `serves` | `{port, body, status}`: what it answers to every request |
//! | `onTerm` | exit code after SIGTERM (143 if not said), or `ignore` |

use crate::program::http::{Request, Response};
use crate::program::machine::Machine;
use shell::{Io, Poll};
use values::sorted::SortedMap;
use values::time::{SimTime, Span};
use values::value::Value;

/// The annotation that says what a Pod's containers do.
pub const ANNOTATION: &str = "batchyard.dev/behaviour";

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Behaviour {
    /// Least and most; none: until it is stopped.
    pub runs: Option<(Span, Span)>,
    pub exit_code: i32,
    pub exit_codes_by_attempt: Vec<i32>,
    pub exit_codes_by_index: SortedMap<String, i32>,
    pub fail_percent: i64,
    pub fail_code: i32,
    pub log: Vec<String>,
    pub log_at_end: Vec<String>,
    pub serves: Option<Served>,
    pub on_term: OnTerm,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Served {
    pub port: u16,
    pub status: u16,
    pub body: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnTerm {
    Ignore,
    Exit(i32),
}

impl Default for OnTerm {
    fn default() -> OnTerm {
        OnTerm::Exit(143)
    }
}

/// Which start of which Pod this is, for exit codes that depend on it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Occasion {
    /// 0 for the first container of this name that the Pod's owner (or, without one, the Pod) ever had at this index.
    pub attempt: usize,
    /// `batch.kubernetes.io/job-completion-index`.
    pub index: Option<String>,
    /// The Pod is meant to go on: it belongs to a Deployment or its like, or is restarted whatever happens.
    pub stays: bool,
    /// The ports that the container declares.
    pub ports: Vec<u16>,
    /// The image as the container names it.
    pub image: String,
}

impl Behaviour {
    /// Reads the text of the annotation: YAML or JSON.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn parse(text: &str) -> Result<Behaviour, String> {
        let parsed = yaml::parse(text, ANNOTATION);
        if let Some(error) = parsed.kubectl_error() {
            return Err(error.to_owned());
        }
        Behaviour::read(&parsed.documents.first().map(|document| document.value()).unwrap_or_default())
    }

    /// Reads the fields above. The error names the field that is wrong.
    pub fn read(value: &Value) -> Result<Behaviour, String> {
        let Some(map) = value.as_map() else { return Err("must be a map".into()) };
        let mut read = Behaviour { fail_code: 1, ..Behaviour::default() };
        for (field, value) in map.iter() {
            let wrong = || format!("{field}: cannot be {value}");
            match field {
                "runs" => read.runs = Some(read_span_range(value).ok_or_else(wrong)?),
                "exitCode" => read.exit_code = exit_code(value).ok_or_else(wrong)?,
                "failCode" => read.fail_code = exit_code(value).ok_or_else(wrong)?,
                "failPercent" => read.fail_percent = value.as_i64().ok_or_else(wrong)?,
                "exitCodesByAttempt" => {
                    let codes = value.as_list().ok_or_else(wrong)?;
                    read.exit_codes_by_attempt =
                        codes.iter().map(exit_code).collect::<Option<_>>().ok_or_else(wrong)?;
                }
                "exitCodesByIndex" => {
                    for (index, code) in value.as_map().ok_or_else(wrong)?.iter() {
                        read.exit_codes_by_index.insert(index.to_owned(), exit_code(code).ok_or_else(wrong)?);
                    }
                }
                "log" => read.log = lines(value).ok_or_else(wrong)?,
                "logAtEnd" => read.log_at_end = lines(value).ok_or_else(wrong)?,
                "serves" => read.serves = Some(Served::read(value).ok_or_else(wrong)?),
                "onTerm" if value.as_str() == Some("ignore") => read.on_term = OnTerm::Ignore,
                "onTerm" => read.on_term = OnTerm::Exit(exit_code(value).ok_or_else(wrong)?),
                _ => return Err(format!("{field}: no such field")),
            }
        }
        Ok(read)
    }

    fn exit_code_for(&self, occasion: &Occasion, machine: &mut Machine<'_>) -> i32 {
        let by_index = occasion.index.as_ref().and_then(|index| self.exit_codes_by_index.get(index));
        let last = self.exit_codes_by_attempt.len().saturating_sub(1);
        let by_attempt = self.exit_codes_by_attempt.get(occasion.attempt.min(last));
        if let Some(code) = by_index.or(by_attempt) {
            return *code;
        }
        if machine.draw("behaviour-fails").chance(self.fail_percent) { self.fail_code } else { self.exit_code }
    }
}

impl Served {
    fn read(value: &Value) -> Option<Served> {
        Some(Served {
            port: u16::try_from(value.i64_at("port").unwrap_or(80)).ok()?,
            status: u16::try_from(value.i64_at("status").unwrap_or(200)).ok()?,
            body: value.str_at("body").unwrap_or_default().to_owned(),
        })
    }
}

/// A running program of this kind.
#[derive(Clone, PartialEq, Debug)]
pub struct Scripted {
    behaviour: Behaviour,
    occasion: Occasion,
    started: bool,
    ends_at: Option<SimTime>,
}

impl Scripted {
    pub fn new(behaviour: Behaviour, occasion: Occasion) -> Scripted {
        Scripted { behaviour, occasion, started: false, ends_at: None }
    }

    pub fn poll(&mut self, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        if !self.started {
            self.started = true;
            print(io, &self.behaviour.log);
            self.ends_at = self.behaviour.runs.map(|(least, most)| {
                machine.now + Span::ms(machine.draw("behaviour-runs").between(least.as_ms(), most.as_ms()))
            });
        }
        match self.ends_at {
            None => Poll::Wait,
            Some(at) if machine.now < at => Poll::SleepUntil(at),
            Some(_) => {
                print(io, &self.behaviour.log_at_end);
                Poll::Exit(self.behaviour.exit_code_for(&self.occasion, machine))
            }
        }
    }

    pub fn on_term(&self) -> OnTerm {
        self.behaviour.on_term
    }

    pub fn listens_on(&self) -> Option<u16> {
        self.behaviour.serves.as_ref().filter(|_| self.started).map(|served| served.port)
    }

    pub fn serve(&self, _request: &Request) -> Response {
        match &self.behaviour.serves {
            Some(served) => Response::text(served.status, &served.body),
            None => Response::error(404, "404 page not found"),
        }
    }
}

fn print(io: &mut Io, lines: &[String]) {
    for line in lines {
        io.out(&format!("{line}\n"));
    }
}

fn exit_code(value: &Value) -> Option<i32> {
    value.as_i64().filter(|code| (0..=255).contains(code)).map(|code| code as i32)
}

pub(super) fn lines(value: &Value) -> Option<Vec<String>> {
    if let Some(text) = value.as_str() {
        return Some(text.lines().map(str::to_owned).collect());
    }
    value.as_list()?.iter().map(|line| line.as_str().map(str::to_owned)).collect()
}

/// `5s`, or `{least: 1s, most: 4s}`.
pub fn read_span_range(value: &Value) -> Option<(Span, Span)> {
    if value.as_map().is_some() {
        return Some((read_span(value.at("least"))?, read_span(value.at("most"))?));
    }
    read_span(value).map(|span| (span, span))
}

/// A span as Go writes durations (`1m30s`, `250ms`), or a whole number of seconds.
fn read_span(value: &Value) -> Option<Span> {
    if let Some(seconds) = value.as_i64() {
        return (seconds >= 0).then_some(Span::secs(seconds));
    }
    let mut rest = value.as_str()?;
    let mut total = Span::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
        let count: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let units = [("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];
        let (unit, ms) = units.into_iter().find(|(unit, _)| rest.starts_with(unit))?;
        total = total + Span::ms(count.checked_mul(ms)?);
        rest = &rest[unit.len()..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_wrong_ones_named() {
        let read = |text: &str| Behaviour::read(&Value::from_json(text).unwrap());
        let behaviour =
            read(r#"{"runs":{"least":"500ms","most":"1m2s"},"exitCodesByAttempt":[1,0],"log":"a\nb"}"#).unwrap();
        assert_eq!(behaviour.runs, Some((Span::ms(500), Span::secs(62))));
        assert_eq!(behaviour.log, ["a", "b"]);
        for (text, error) in [
            (r#"{"runs":"soon"}"#, "runs: cannot be \"soon\""),
            (r#"{"exitCode":256}"#, "exitCode: cannot be 256"),
            (r#"{"speed":1}"#, "speed: no such field"),
            ("3", "must be a map"),
        ] {
            assert_eq!(read(text).unwrap_err(), error);
        }
    }
}
