// Code that the page fetches when it is first needed: the terminal's commands, the shells of containers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp } from './harness.mjs';
import { band, pods, type, visitor } from './visit.mjs';

const here = setUp();
const visit = visitor(here);

const SHELL = `apiVersion: batch/v1
kind: Job
metadata:
  name: in-a-shell
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: one
        image: busybox:1.36
        command: [sh, -c, "for i in 1 2 3; do echo $((i * i)); done | tr 9 x"]
`;

/** The names of wasm files asked for from now on, without their version. */
function wasm_asked(page) {
  const asked = [];
  page.on('request', (request) => {
    const name = new URL(request.url()).pathname.split('/').at(-1);
    if (name.endsWith('.wasm')) asked.push(name);
  });
  return asked;
}

const screen = (page) => page.getByRole('log', { name: 'Terminal output' });

async function command(page, line) {
  await page.getByLabel('Command line').fill(line);
  await page.keyboard.press('Enter');
}

async function terminal(page) {
  await page.keyboard.press('c');
  await page.waitForFunction(() => document.activeElement.id === 'line');
}

test('the first wasm is enough for the running example; the terminal comes when it is opened', async () => {
  await visit({}, async (page) => {
    const asked = wasm_asked(page);
    await page.reload();
    await pods(page, 's-runs').first().waitFor();
    await page.locator('.cm-content').waitFor();
    assert.deepEqual(asked, ['app_bg.wasm']);
    await terminal(page);
    await command(page, 'kubectl get pods | tr a-z A-Z');
    await screen(page).getByText(/PARALLEL-\w{5} +1\/1 +RUNNING/).first().waitFor();
    assert.ok(asked.includes('split_terminal.wasm'));
    assert.equal(new Set(asked).size, asked.length, 'each file is asked for once');
  });
});

test('a shell in a container: time stands until its code is there, and the terminal is not fetched for it', async () => {
  await visit({}, async (page) => {
    const asked = wasm_asked(page);
    await type(page, () => SHELL);
    await page.keyboard.press('ControlOrMeta+Enter');
    await band(page, 'Job in-a-shell').getByText('Complete').waitFor({ timeout: 20_000 });
    await page.locator('button[data-pod]', { hasText: 'in-a-shell' }).click();
    await page.getByRole('log', { name: 'Log' }).getByText('x').waitFor();
    assert.ok(asked.includes('split_shell.wasm') && !asked.includes('split_terminal.wasm'), asked.join());
  });
});

test('a fresh instance after a panic is linked to what was fetched before', async () => {
  await visit({}, async (page) => {
    const asked = wasm_asked(page);
    await terminal(page);
    await command(page, 'echo one-$((1 + 1))');
    await screen(page).getByText('one-2').waitFor();
    const fetched = asked.length;
    await page.evaluate(() => batchyard.panicked('told by a test'));
    await page.getByRole('button', { name: 'Start again' }).click();
    await pods(page).first().waitFor();
    await terminal(page);
    await command(page, 'echo two-$((1 + 1))');
    await screen(page).getByText('two-2').waitFor();
    assert.equal(asked.length, fetched);
  });
});

const broken = { expected: /^(failed|console error: Failed to load resource)/ };

test('a part that cannot be had: said in plain words, nothing typed is lost, and the next try works', async () => {
  await visit({}, async (page) => {
    await page.route('**/split_terminal.wasm*', (route) => route.abort());
    await terminal(page);
    await page.locator('.answer.bad', { hasText: "The terminal's commands could not be fetched" }).waitFor();
    await command(page, 'echo here-$((1 + 1))');
    await page.waitForFunction(() => document.querySelector('#line').value.startsWith('echo here'));
    await page.unroute('**/split_terminal.wasm*');
    await page.getByLabel('Command line').press('Enter');
    await screen(page).getByText('here-2').waitFor();
  }, broken);
});

test('shells that cannot be had: the clock stands, and Play tries again', async () => {
  await visit({}, async (page) => {
    await page.route('**/split_shell.wasm*', (route) => route.abort());
    await type(page, () => SHELL);
    await page.keyboard.press('ControlOrMeta+Enter');
    await page.locator('.answer.bad', { hasText: 'The clock stands.' }).waitFor();
    await page.unroute('**/split_shell.wasm*');
    await page.getByRole('button', { name: 'Play' }).click();
    await band(page, 'Job in-a-shell').getByText('Complete').waitFor({ timeout: 20_000 });
  }, broken);
});
