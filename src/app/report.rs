//! After a panic of ours: a kind word, the text that is kept, and a scenario that shows the fault again.

use std::fmt::Write as _;

use yew::prelude::*;

use super::kept::Step;

/// What someone does about a fault of ours.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Msg {
    StartAgain,
    Copy,
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub fault: AttrValue,
    pub report: AttrValue,
    pub act: Callback<Msg>,
}

#[component]
pub fn Fault(props: &Props) -> Html {
    html! {
        <section class="fault" role="alert">
            <h2>{ "The simulation stopped because of a fault of ours." }</h2>
            <p>{ "What you typed is kept. Start again, or change the text first if it was what did it." }</p>
            <p class="buttons">
                <button type="button" class="primary" onclick={props.act.reform(|_: MouseEvent| Msg::StartAgain)}>{ "Start again" }</button>
                <button type="button" onclick={props.act.reform(|_: MouseEvent| Msg::Copy)}>{ "Copy a report" }</button>
            </p>
            <details><summary>{ "What the report says" }</summary><pre class="scrolls" tabindex="0">{ &props.report }</pre></details>
        </section>
    }
}

/// The run as a scenario, with the fault as its reason; `batchyard run` plays it.
pub fn scenario(fault: &str, seed: u64, steps: &[Step]) -> String {
    let mut text = String::from("name: report\ntitle: A fault of Batchyard\nabout: |\n");
    indent(&mut text, fault, 2);
    let _ = writeln!(text, "seed: {seed}\nsteps:");
    for step in steps {
        if step.fault {
            let _ = writeln!(text, "  - at: {}.{:03}s\n    fault: {}", step.at_ms / 1000, step.at_ms % 1000, step.text);
            continue;
        }
        let _ = match step.file.as_str() {
            "" => writeln!(text, "  - at: {}.{:03}s\n    run: |", step.at_ms / 1000, step.at_ms % 1000),
            file => writeln!(text, "  - at: {}.{:03}s  # {file}\n    apply: |", step.at_ms / 1000, step.at_ms % 1000),
        };
        indent(&mut text, &step.text, 6);
    }
    let last_ms = steps.last().map_or(0, |step| step.at_ms);
    let _ = writeln!(text, "duration: {}s", last_ms / 1000 + 600);
    text
}

/// Appends a text as the lines of a block scalar.
fn indent(to: &mut String, text: &str, by: usize) {
    for line in text.lines() {
        if line.is_empty() {
            to.push('\n');
        } else {
            let _ = writeln!(to, "{:by$}{line}", "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_scenario() {
        let steps = [
            Step::apply(1_250, "job.yaml", "kind: Job\n\nspec: {}\n"),
            Step::fault(2_000, "{kill-node: node-1}".to_owned()),
        ];
        assert_eq!(
            scenario("panicked at x\nboom", 7, &steps),
            "name: report\ntitle: A fault of Batchyard\nabout: |\n  panicked at x\n  boom\nseed: 7\nsteps:\n  - at: 1.250s  # job.yaml\n    \
             apply: |\n      kind: Job\n\n      spec: {}\n  - at: 2.000s\n    fault: {kill-node: node-1}\nduration: 602s\n"
        );
    }
}
