//! The engine without a document: what a worker asks for (`static/worker.js`).
//!
//! It is the page's own wasm, entered by another door, so that a worker costs no byte more: `main` finds no document and
//! draws nothing. A scenario goes in as text; what comes out is plain data, as JSON, that can cross a worker's border.
//! A run goes on in slices under a budget of steps, so that whoever waits can hear of its progress, or end it.

use batchyard::run::{Progress, Scenario, Sim, view};
use batchyard::values::part::NotFetched;
use wasm_bindgen::prelude::*;
use wasm_split_helpers::wasm_split;

use super::engine::{self, Extra, ZoneTable};

/// A scenario that is played.
#[wasm_bindgen]
pub struct Play {
    sim: Sim,
    /// When it is over, in milliseconds since its start.
    end_ms: i64,
}

#[wasm_bindgen]
impl Play {
    /// Begins a scenario. `zones` holds the bytes of `tzdb.bin`.
    ///
    /// # Errors
    /// What is wrong with the text, a line each; or that a part of the engine did not come.
    pub async fn begin(scenario: String, zones: Vec<u8>) -> Result<Play, JsValue> {
        let missing = |_| JsValue::from("a part of the engine could not be fetched");
        engine::fetch(Extra::Zones).await.map_err(missing)?;
        engine::fetch(Extra::Terminal).await.map_err(missing)?;
        begin(&scenario, &zones).await.map_err(missing)?.map_err(JsValue::from)
    }

    /// Does at most `budget` things. True once the scenario is over.
    pub fn advance(&mut self, budget: u32) -> bool {
        let reached = self.sim.play(budget) == Progress::Reached;
        // Whoever looks at views has no use for records.
        while self.sim.poll_record().is_some() {}
        reached
    }

    /// How far it has come, in milliseconds since its start.
    #[wasm_bindgen(js_name = nowMs)]
    pub fn now_ms(&self) -> f64 {
        self.sim.now().since(self.sim.start()).as_ms() as f64
    }

    /// How far it is to come.
    #[wasm_bindgen(js_name = endMs)]
    pub fn end_ms(&self) -> f64 {
        self.end_ms as f64
    }

    /// The picture of now, as JSON.
    pub async fn picture(&mut self) -> String {
        let picture = self.sim.view();
        text_of(&picture).await.unwrap_or_default()
    }
}

/// It lies with the terminal's commands, which a played scenario needs anyway: who only looks on does not carry it.
#[wasm_split(terminal, fallible)]
fn begin(scenario: &str, zones: &[u8]) -> Result<Result<Play, String>, NotFetched> {
    let scenario = match Scenario::parse(scenario, "scenario.yaml") {
        Ok(scenario) => scenario,
        Err(problems) => {
            let line = |problem: &batchyard::yaml::Diagnostic| format!("{}: {}", problem.span.line, problem.message);
            return Ok(Err(problems.iter().map(line).collect::<Vec<_>>().join("\n")));
        }
    };
    let zones = ZoneTable::from_bytes(zones).unwrap_or_else(|_| ZoneTable::empty());
    Ok(Ok(Play { sim: Sim::new(&scenario, &zones), end_ms: scenario.duration.as_ms() }))
}

#[wasm_split(terminal, fallible)]
fn text_of(picture: &view::View) -> Result<String, NotFetched> {
    Ok(serde_json::to_string(picture).unwrap_or_default())
}
