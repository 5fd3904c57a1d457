//! After a panic of ours: a kind word, the text that is kept, and a scenario that shows the fault again.

use yew::prelude::*;

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

/// The run as a scenario that `batchyard run` plays, below what the fault said.
pub fn scenario(fault: &str, run: &str) -> String {
    let said: String = fault.lines().map(|line| format!("# {line}\n")).collect();
    said + run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_scenario_below_what_was_said() {
        assert_eq!(scenario("panicked at x\nboom", "name: page\n"), "# panicked at x\n# boom\nname: page\n");
    }
}
