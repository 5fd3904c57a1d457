//! Ask: a line of the terminal, carried out on a copy of the world.
//!
//! Rule: the run stays as it is. What takes time takes it in the copy, under a budget; what has not ended by then is
//! stopped as Ctrl-C would.

use std::rc::Rc;

use crate::Sim;
use crate::record::{Output, Record};
use values::time::{SimTime, Span};

/// Simulated time that a line may take.
const PATIENCE: Span = Span::mins(10);

/// What a line answered.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Answer {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
    /// How long it took, in simulated time.
    pub took: Span,
    /// It did not end within the budget and was stopped.
    pub stopped: bool,
}

/// Carries out a line on a copy, doing at most `budget` things.
pub fn ask(sim: &Sim, line: &str, budget: u32) -> Answer {
    let mut world = sim.world.clone();
    let began = world.now();
    let task = world.terminals.start(&mut world.cluster, line, None);
    let mut records = Vec::new();
    world.drain(&mut |record| records.push(record));
    for _ in 0..budget {
        if let Some(output) = ended(&mut records, line, began) {
            return answer(&output, false);
        }
        let Some(due) = world.next().filter(|due| due.at <= began + PATIENCE) else { break };
        world.take(due);
        world.drain(&mut |record| records.push(record));
    }
    world.terminals.interrupt(&mut world.cluster, task);
    world.drain(&mut |record| records.push(record));
    match ended(&mut records, line, began) {
        Some(output) => answer(&output, true),
        None => Answer { exit: 130, took: world.now().since(began), stopped: true, ..Answer::default() },
    }
}

/// What the line printed, if it has ended.
fn ended(records: &mut Vec<Record>, line: &str, began: SimTime) -> Option<Rc<Output>> {
    records.drain(..).find_map(|record| match record {
        Record::Output(output) => {
            Some(output).filter(|output| output.step.is_none() && output.command == line && output.at == began)
        }
        _ => None,
    })
}

fn answer(output: &Output, stopped: bool) -> Answer {
    let (stdout, stderr) = (output.stdout.clone(), output.stderr.clone());
    Answer { exit: output.exit, stdout, stderr, took: output.end.since(output.at), stopped }
}
