// What moves, moves as it should: Pods go once and straight, the clock keeps up with the picture, quiet parts are skipped only
// towards what is known to come, and the run and the prompt are in sight in low windows. Measured frame by frame.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp } from './harness.mjs';
import { band, moment, pods, type, visitor } from './visit.mjs';

const here = setUp();
const visit = visitor(here);

/** A Job or CronJob that runs a shell line. */
const job = (name, line, more = '') => `apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
spec:
${more}  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, command: [sh, -c, ${JSON.stringify(line)}]}]
`;

const EACH_MINUTE = `apiVersion: batch/v1
kind: CronJob
metadata:
  name: each-minute
spec:
  schedule: "* * * * *"
  jobTemplate:
    spec:
      backoffLimit: 1
      template:
        spec:
          restartPolicy: Never
          containers: [{name: c, image: busybox, command: [sh, -c, "sleep 3; exit 1"]}]
`;

const NO_IMAGE = job('no-image', 'true').replace('image: busybox', 'image: nobody/no-such:1');

/** Looks at every Pod in every frame: motions at once, frames in which it is farther from its place than the one before. */
const travels = (page, ms) => page.evaluate((ms) => new Promise((done) => {
  const end = performance.now() + ms;
  const last = new Map();
  const found = { most: 0, away: 0, moved: 0, outside: 0 };
  const look = () => {
    const floor = document.querySelector('.floor').getBoundingClientRect();
    for (const pod of document.querySelectorAll('button[data-pod]')) {
      const { e: x, f: y } = new DOMMatrix(getComputedStyle(pod).transform);
      const motions = pod.getAnimations().filter((one) => one.playState === 'running' && one.effect.getKeyframes().some((frame) => 'transform' in frame));
      found.most = Math.max(found.most, motions.length);
      const box = pod.getBoundingClientRect();
      // Its place is where it would stand if nothing moved it.
      const now = { left: Math.hypot(x, y), at: `${Math.round(box.left - x)} ${Math.round(box.top - y)}` };
      const before = last.get(pod);
      if (now.left > 1) found.moved++;
      if (before && before.at === now.at && now.left > before.left + 1) found.away++;
      if (box.right < floor.left - 1 || box.left > floor.right + 1) found.outside++;
      last.set(pod, now);
    }
    performance.now() < end ? requestAnimationFrame(look) : done(found);
  };
  look();
}), ms);

test('a Pod goes once from its old place to its new one, and never away from it', async () => {
  await visit({}, async (page) => {
    await page.getByLabel('Speed').selectOption('5x');
    const found = await travels(page, 9_000);
    assert.ok(found.moved > 0, 'something moved at all');
    assert.deepEqual({ ...found, moved: 0 }, { most: 1, away: 0, moved: 0, outside: 0 });
  });
});

test('a crowd goes straight as well', async () => {
  await visit({}, async (page) => {
    await type(page, () => job('crowd', 'sleep $((RANDOM % 4 + 1))', '  completions: 60\n  parallelism: 20\n'));
    await page.keyboard.press('ControlOrMeta+Enter');
    const found = await travels(page, 8_000);
    assert.deepEqual({ most: found.most, away: found.away, outside: found.outside }, { most: 1, away: 0, outside: 0 });
  });
});

for (const slower of [1, 4]) {
  test(`the clock keeps up with the picture at 1000x, on a processor ${slower} times slower`, async () => {
    await visit({}, async (page) => {
      await type(page, () => EACH_MINUTE);
      await page.keyboard.press('ControlOrMeta+Enter');
      await page.getByLabel('Speed').selectOption('1000x');
      const client = await page.context().newCDPSession(page);
      await client.send('Emulation.setCPUThrottlingRate', { rate: slower });
      // Pictures that were drawn while the clock, the ages and the time line stood.
      const found = await page.evaluate(() => new Promise((done) => {
        const end = performance.now() + 8_000;
        let [clock, picture, lag, worst, pictures] = ['', '', 0, 0, 0];
        const look = () => {
          const now = document.querySelector('[data-live=now]').textContent;
          const drawn = document.querySelector('.bands').textContent.replace(/\d+[smh]\S*/g, '') + document.querySelectorAll('button[data-pod]').length;
          if (now !== clock) lag = 0;
          else if (drawn !== picture) lag++;
          if (drawn !== picture) pictures++;
          worst = Math.max(worst, lag);
          [clock, picture] = [now, drawn];
          performance.now() < end ? requestAnimationFrame(look) : done({ worst, pictures });
        };
        look();
      }));
      await client.send('Emulation.setCPUThrottlingRate', { rate: 1 });
      assert.ok(found.pictures > 5, 'the picture changed');
      assert.ok(found.worst <= 1, `${found.worst} pictures were drawn under one clock`);
    });
  });
}

test('time does not run away where nothing will ever come: a queue that nobody fills, an image that nobody has', async () => {
  await visit({}, async (page) => {
    await page.locator('header').getByLabel('Example').selectOption({ label: 'Work queue: queue, Service, consumers' });
    await pods(page, 's-runs').nth(3).waitFor({ timeout: 20_000 });
    const before = await moment(page);
    await page.waitForTimeout(6_000);
    assert.ok((await moment(page)) - before <= 8, `from ${before} to ${await moment(page)}`);
    await page.locator('header').getByLabel('Example').selectOption({ index: 0 });
    await type(page, () => NO_IMAGE);
    await page.keyboard.press('ControlOrMeta+Enter');
    await pods(page, 's-backoff').first().waitFor({ timeout: 20_000 });
    const pulled = await moment(page);
    await page.waitForTimeout(6_000);
    assert.ok((await moment(page)) - pulled <= 8, `from ${pulled} to ${await moment(page)}`);
  });
});

test('towards what is known to come it hurries, says how fast, and waits while someone types', async () => {
  await visit({}, async (page) => {
    await page.locator('header').getByLabel('Example').selectOption({ label: 'CronJob: every fifth hour' });
    await page.locator('.clock .state', { hasText: /^» \d+x to the next run of / }).waitFor();
    await page.waitForFunction(() => /h|:\d\d:\d\d/.test(document.querySelector('[data-live=now]').textContent), null, { timeout: 15_000 });
    await page.keyboard.press('r');
    await page.keyboard.press('c');
    await page.waitForFunction(() => document.activeElement.id === 'line');
    const before = await moment(page);
    await page.waitForTimeout(3_000);
    assert.ok((await moment(page)) - before <= 5, 'it holds while the terminal has the focus');
    await page.keyboard.type('kubectl');
    await page.locator('header h1').click();
    await page.waitForTimeout(2_000);
    assert.ok((await moment(page)) - before <= 9, 'and while it holds text');
  });
});

for (const [width, height] of [[1024, 576], [1366, 657], [1280, 720]]) {
  test(`${width} by ${height}: the run has two fifths of the window, the prompt is in sight, nothing is cut off`, async () => {
    await visit({ viewport: { width, height } }, async (page) => {
      await pods(page, 's-runs').first().waitFor();
      await page.keyboard.press('c');
      await page.waitForFunction(() => document.activeElement.id === 'line');
      for (const line of ['kubectl get pods', 'kubectl get jobs']) {
        await page.keyboard.type(line);
        await page.keyboard.press('Enter');
      }
      await page.getByRole('log', { name: 'Terminal output' }).getByText('COMPLETIONS').waitFor();
      const seen = await page.evaluate(() => {
        const shell = document.querySelector('.shell');
        shell.scrollTop = 100;
        return {
          stage: document.querySelector('.stage').getBoundingClientRect().height,
          prompt: document.querySelector('.terminal input').getBoundingClientRect().bottom,
          head: document.querySelector('header').getBoundingClientRect().top,
          dock: document.querySelector('.dock').getBoundingClientRect().bottom,
        };
      });
      assert.ok(seen.stage >= 0.4 * height, `the stage has ${seen.stage} px`);
      assert.ok(seen.prompt <= height, `the prompt ends at ${seen.prompt}`);
      assert.deepEqual([seen.head, Math.round(seen.dock)], [0, height]);
      const shift = await band(page, 'Job parallel').count();
      assert.equal(shift, 1);
    });
  });
}
