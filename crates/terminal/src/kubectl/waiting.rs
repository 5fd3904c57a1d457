//! What a running kubectl waits for: plain data that is polled again after every change, or at a time.

use crate::command::Args;
use crate::host::Desk;
use crate::kubectl::{
    attach, cp, delete, drain, edit, events, exec, logs, port_forward, replace, rollout, run, wait, watch,
};
use shell::{Io, Poll};

/// What a verb waits for.
#[derive(Clone, Debug)]
pub enum Waiting {
    /// Objects that are being deleted.
    Deletion(delete::Deletion),
    /// `delete --interactive`, before the answer.
    Confirm(Box<delete::Confirm>),
    /// Changes to print, until someone interrupts.
    Watch(Box<watch::Watch>),
    /// Events to print, until someone interrupts.
    Events(Box<events::EventWatch>),
    Logs(logs::Reading),
    Exec(exec::Session),
    Copy(cp::Copying),
    Attach(attach::Session),
    Run(run::Attended),
    Forward(port_forward::Forwarding),
    Wait(Box<wait::Waits>),
    Rollout(rollout::status::Watching),
    Drain(drain::Draining),
    Edit(edit::Editing),
    /// `replace --force`, between deleting and creating.
    Replace(replace::Replacing),
}

impl Waiting {
    /// Goes on. `args` are those that kubectl was started with.
    pub fn poll(&mut self, args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        match self {
            Waiting::Deletion(state) => state.poll(desk, io),
            Waiting::Confirm(state) => match state.poll(desk, io) {
                Ok(deletion) => {
                    *self = Waiting::Deletion(deletion);
                    self.poll(args, desk, io)
                }
                Err(poll) => poll,
            },
            Waiting::Watch(state) => state.poll(desk, io),
            Waiting::Events(state) => state.poll(desk, io),
            Waiting::Logs(state) => state.poll(desk, io),
            Waiting::Exec(state) => state.poll(desk, io),
            Waiting::Copy(state) => state.poll(desk, io),
            Waiting::Attach(state) => state.poll(desk, io),
            Waiting::Run(state) => state.poll(desk, io),
            Waiting::Forward(state) => state.poll(desk, io),
            Waiting::Wait(state) => state.poll(args, desk, io),
            Waiting::Rollout(state) => state.poll(desk, io),
            Waiting::Drain(state) => state.poll(desk, io),
            Waiting::Edit(state) => state.poll(args, desk, io),
            Waiting::Replace(state) => state.poll(desk, io),
        }
    }

    /// Ends it before it is done.
    pub fn cancel(&mut self, desk: &mut Desk<'_>) {
        match self {
            Waiting::Exec(state) => state.cancel(desk),
            Waiting::Copy(state) => state.cancel(desk),
            Waiting::Run(state) => state.cancel(desk),
            Waiting::Forward(state) => state.cancel(desk),
            Waiting::Edit(state) => state.cancel(desk),
            Waiting::Deletion(_)
            | Waiting::Confirm(_)
            | Waiting::Watch(_)
            | Waiting::Events(_)
            | Waiting::Logs(_)
            | Waiting::Attach(_)
            | Waiting::Wait(_)
            | Waiting::Rollout(_)
            | Waiting::Drain(_)
            | Waiting::Replace(_) => {}
        }
    }
}
