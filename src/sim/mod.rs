//! The face of the engine: a scenario goes in, records and views come out.
//!
//! Contract: time moves only through [`Sim::advance`]; every change from outside is an [`Input`] and is kept; after each call
//! the host may drain [`Sim::poll_record`]. Equal scenario and equal inputs at equal times give equal records on every
//! machine.

pub mod scenario;
mod record;

use std::collections::VecDeque;
use std::rc::Rc;

use crate::base::rng::Rng;
use crate::base::time::{SimTime, Span};
use crate::cluster::Cluster;
use crate::view::{self, History, View};
use crate::yaml::Diagnostic;

pub use record::{Output, Record};
pub use scenario::{Fault, Scenario, Step, StepAction};

/// What someone does to a running simulation.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// `kubectl apply -f FILE` with the text of an editor tab.
    Apply { file: String, text: String },
    /// A line typed into a terminal.
    Run { line: String },
    Fault(Fault),
}

/// What came of an [`Input`] at once.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reply {
    /// What the command printed.
    pub stdout: String,
    pub stderr: String,
    /// 0 if all went well.
    pub exit: i32,
    /// What is wrong with the text and where; empty if nothing is.
    pub diagnostics: Vec<Diagnostic>,
}

/// How far [`Sim::advance`] came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// It is `until`.
    Reached,
    /// The budget was used up first; call again.
    Busy,
}
