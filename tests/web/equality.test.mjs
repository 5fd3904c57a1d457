// Native and wasm tell the same story: the published page's engine and the native program run the same scenarios, and
// their traces must be equal byte for byte.
//
// The page exports `trace(scenario, zones) -> string` (YAML and tzdb.bin in, the text of trace.jsonl out); the native side is
// `batchyard run SCENARIO --trace FILE`. Scenarios are those of tests/scenarios/, evenly taken from the list, and all of
// tests/sessions/: what people did, written down as scenarios.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { open, setUp } from './harness.mjs';

const SCENARIOS = fileURLToPath(new URL('../scenarios/', import.meta.url));
const SESSIONS = fileURLToPath(new URL('../sessions/', import.meta.url));
/** Enough to meet every controller, few enough to take seconds. */
const AT_MOST = 12;

const inside = await readdir(SCENARIOS, { withFileTypes: true });
const names = inside.filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
const step = Math.max(1, Math.ceil(names.length / AT_MOST));
const sessions = (await readdir(SESSIONS)).filter((name) => name.endsWith('.yaml')).sort();
const chosen = names
  .filter((_, index) => index % step === 0)
  .map((name) => ({ name, scenario: join(SCENARIOS, name, 'scenario.yaml') }))
  .concat(sessions.map((name) => ({ name, scenario: join(SESSIONS, name) })));

let page;
setUp(async ({ browser, server }) => {
  ({ page } = await open(browser.context, server.url));
});

const hash = (text) => createHash('sha256').update(text).digest('hex');

async function native(scenario) {
  const folder = await mkdtemp(join(tmpdir(), 'batchyard-native-'));
  try {
    const file = join(folder, 'trace.jsonl');
    // A session may name what is not there: that is told with exit code 1, and played all the same.
    await promisify(execFile)(process.env.BATCHYARD_BIN, ['run', scenario, '--trace', file]).catch((error) => {
      if (error.code !== 1) throw error;
    });
    return await readFile(file, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const wasm = (text) => page.evaluate(async (text) => batchyard.exports.trace(text, await batchyard.zones()), text);

test('native and wasm: there are scenarios to compare', async () => {
  assert.notEqual(chosen.length, 0, 'tests/scenarios/ holds the scenarios');
  assert.equal(await page.evaluate(() => typeof batchyard.exports.trace), 'function', 'the page exports `trace`');
});

for (const { name, scenario } of chosen) {
  test(`native and wasm give the same trace: ${name}`, async () => {
    const [here, there] = await Promise.all([native(scenario), readFile(scenario, 'utf8').then(wasm)]);
    assert.ok(here.length > 0, 'the native trace is empty');
    assert.equal(hash(there), hash(here));
  });
}
