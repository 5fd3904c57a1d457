// Two sessions on one page know nothing of each other; and the engine runs in a worker, without a document.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, seriousFindings, setUp } from './harness.mjs';

const here = setUp();

async function two() {
  const opened = await open(here.browser.context, `${here.server.url}?sessions=2`);
  const sessions = [0, 1].map((nth) => opened.page.locator('.session').nth(nth));
  for (const session of sessions) await session.locator('button[data-pod]').first().waitFor();
  return { ...opened, sessions };
}

const clock = (session) => session.locator('[data-live=now]').textContent();

test('two sessions side by side: each has its own clock, run, terminal, choice and time line', async () => {
  const { page, problems, sessions: [left, right] } = await two();
  // No id stands twice, and what names another element names one of its own session.
  const strays = await page.evaluate(() => {
    const all = [...document.querySelectorAll('[id]')].map((one) => one.id);
    const twice = all.filter((id, at) => all.indexOf(id) !== at);
    const lost = [...document.querySelectorAll('[aria-controls], [aria-labelledby], [aria-describedby], [for]')].filter((one) => {
      const names = ['aria-controls', 'aria-labelledby', 'aria-describedby', 'for'].map((name) => one.getAttribute(name)).filter(Boolean);
      return names.some((name) => document.getElementById(name)?.closest('.session') !== one.closest('.session'));
    });
    return [...twice, ...lost.map((one) => one.outerHTML.slice(0, 80))];
  });
  assert.deepEqual(strays, []);

  // The left one stands while the right one plays another example.
  await left.getByRole('button', { name: 'Pause' }).click();
  const stood = await clock(left);
  await right.getByLabel('Example').selectOption({ label: 'One shot, restartPolicy Never' });
  await right.getByRole('article', { name: /^Job oneshot/ }).waitFor();
  await right.getByLabel('Speed').selectOption('30x');
  await right.getByText('Complete').first().waitFor({ timeout: 20_000 });
  assert.equal(await clock(left), stood);
  assert.notEqual(await clock(right), stood);
  assert.equal(await left.getByRole('article', { name: 'Job parallel' }).count(), 1);
  assert.equal(await right.getByRole('article', { name: 'Job parallel' }).count(), 0);

  // Keys are for the one that was turned to.
  await left.getByRole('heading', { name: 'Timeline' }).click();
  await page.keyboard.press('c');
  await page.waitForFunction(() => document.activeElement.id === 'line');
  await page.keyboard.type('kubectl get jobs');
  await page.keyboard.press('Enter');
  await left.getByRole('log', { name: 'Terminal output' }).getByText(/parallel +Running/).waitFor();
  await right.getByRole('heading', { name: 'Timeline' }).click();
  await page.keyboard.press('c');
  await page.waitForFunction(() => document.activeElement.id === 's2-line');
  await page.keyboard.type('kubectl get jobs -o name');
  await page.keyboard.press('Enter');
  await right.getByRole('log', { name: 'Terminal output' }).getByText(/job\.batch\/oneshot/).waitFor();
  assert.doesNotMatch(await left.getByRole('log', { name: 'Terminal output' }).textContent(), /oneshot/);

  // A Pod that is chosen in one is chosen in that one alone.
  await left.locator('button[data-pod]').first().click();
  await left.getByRole('tab', { name: 'Logs', selected: true }).waitFor();
  assert.equal(await right.getByRole('tab', { name: 'Logs', selected: true }).count(), 0);
  // Both time lines are painted.
  const painted = await page.evaluate(() => [...document.querySelectorAll('.timeline canvas')].map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value > 0);
  }));
  assert.deepEqual(painted, [true, true]);
  assert.deepEqual(await seriousFindings(page), []);
  assert.deepEqual(problems, []);
  await page.close();
});

const SCENARIO = `name: in-a-worker
seed: 7
steps:
- at: 0s
  apply: |
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: three
    spec:
      completions: 3
      template:
        spec:
          restartPolicy: Never
          containers: [{name: c, image: busybox, command: [sh, -c, "sleep 5; echo done"]}]
- {at: 20s, run: kubectl get jobs}
duration: 120s
`;

/** Starts the worker on the page and collects what it says until it is done. */
const work = (page, messages) => page.evaluate(async (messages) => {
  const worker = new Worker('worker.js', { type: 'module' });
  const said = [];
  await new Promise((done, failed) => {
    worker.onerror = (event) => failed(new Error(event.message));
    worker.onmessage = ({ data }) => {
      said.push(data);
      if (messages.cancelAfter && said.length === messages.cancelAfter) worker.postMessage({ id: messages.start.id, cancel: true });
      if (data.done) done();
    };
    worker.postMessage(messages.start);
  });
  worker.terminate();
  return said;
}, messages);

test('the engine in a worker: a scenario goes in, its progress and its last picture come out as plain data', async () => {
  const { page, problems } = await open(here.browser.context, here.server.url);
  const said = await work(page, { start: { id: 1, scenario: SCENARIO, budget: 20 } });
  const last = said.at(-1);
  assert.equal(last.error, undefined);
  const [job] = last.view.jobs;
  assert.deepEqual([job.name, job.status, job.succeeded, job.completions_text], ['three', 'Complete', 3, '3/3']);
  assert.equal(last.view.now_ms, 120_000);
  assert.ok(said.length > 5, 'it worked in slices');
  const times = said.slice(0, -1).map(({ nowMs }) => nowMs);
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
  assert.ok(said.slice(0, -1).every(({ endMs }) => endMs === 120_000));
  // The same again: the same picture.
  const again = await work(page, { start: { id: 2, scenario: SCENARIO, budget: 1_000 } });
  assert.deepEqual(again.at(-1).view, last.view);
  assert.deepEqual(problems, []);
  await page.close();
});

test('a worker says what is wrong with a scenario, and can be stopped', async () => {
  const { page, problems } = await open(here.browser.context, here.server.url);
  const [wrong] = await work(page, { start: { id: 1, scenario: 'stepps: []\n' } });
  assert.match(wrong.error, /^1: `stepps` is not known/);
  const long = SCENARIO.replace('duration: 120s', 'duration: 4000h');
  const said = await work(page, { start: { id: 2, scenario: long, budget: 50 }, cancelAfter: 3 });
  assert.equal(said.at(-1).cancelled, true);
  assert.ok(said.length < 200);
  assert.deepEqual(problems, []);
  await page.close();
});
