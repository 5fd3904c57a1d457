// Journeys through the page: what a visitor does, in a real Chromium, with ears for the console and the policy.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, seriousFindings, serve } from './harness.mjs';

const WIDTHS = [[1440, 900], [1024, 768], [768, 1024], [360, 740]];

let browser;
let server;

before(async () => {
  [browser, server] = await Promise.all([
    launch(),
    serve({
      pages: {
        '/frame.html': '<!doctype html><title>A lesson</title><iframe sandbox="allow-scripts" src="docs/play yard/" width=1300 height=800>',
      },
    }),
  ]);
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/** A first visit: nothing is stored. `problems` must be empty at the end, but for those a journey expects. */
async function visit(options, journey, { expected = /^$/ } = {}) {
  const opened = await open(browser.context, server.url, options);
  const { page, problems } = opened;
  await page.locator('button[data-pod]').first().waitFor();
  try {
    await journey(page, opened);
    assert.deepEqual(problems.filter((problem) => !expected.test(problem)), []);
  } finally {
    await page.close();
    const blank = await browser.context.newPage();
    await blank.goto(`${server.url}icon.svg`);
    await blank.evaluate(() => localStorage.clear());
    await blank.close();
  }
}

const pods = (page, sign) => page.locator(`button[data-pod]${sign ? `[data-sign=${sign}]` : ''}`);
const moment = async (page) => {
  const [minutes, seconds] = (await page.locator('[data-live=now]').textContent()).replace('t+', '').split(':').slice(-2);
  return 60 * Number(minutes) + Number(seconds);
};
const pause = (page) => page.getByRole('button', { name: 'Pause' }).click();
const band = (page, name) => page.getByRole('article', { name });

/** Replaces the text of the editor as a user would, from the keyboard. */
async function type(page, change) {
  const content = page.locator('.cm-content');
  await content.waitFor();
  const text = await page.evaluate(() => JSON.parse(batchyard.keep).files[0].text);
  await content.click();
  // In two steps: over a selection Chromium's own editing leaves a style attribute, which the policy speaks up about.
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(change(text));
}

test('opens on the running parallel example, within two seconds of starting', async () => {
  await visit({}, async (page) => {
    await pods(page, 's-runs').first().waitFor({ timeout: 6_000 });
    await assert.doesNotReject(band(page, 'Job parallel').getByText('5 active').waitFor());
    assert.equal(await pods(page).count(), 5);
  });
});

test('editing parallelism and Apply changes the run', async () => {
  await visit({}, async (page) => {
    await pods(page, 's-runs').first().waitFor();
    await type(page, (text) => text.replace('parallelism: 5', 'parallelism: 2'));
    await page.locator('header').getByText('edited').waitFor();
    await page.keyboard.press('ControlOrMeta+Enter');
    await page.locator('.answer', { hasText: 'job.batch/parallel configured' }).waitFor();
    await page.locator('header').getByText('saved').waitFor();
    await band(page, 'Job parallel').getByText('2 active').waitFor({ timeout: 15_000 });
  });
});

test('an error of the YAML shows at its line, and the text stays', async () => {
  await visit({}, async (page) => {
    await type(page, (text) => text.replace('parallelism: 5', 'parallelism: 5: 6'));
    const line = (await page.evaluate(() => JSON.parse(batchyard.keep).files[0].text)).split('\n').findIndex((l) => l.includes('5: 6')) + 1;
    const problem = page.getByRole('list', { name: 'Problems' }).getByRole('button').first();
    await problem.waitFor();
    assert.match(await problem.textContent(), new RegExp(`^error${line}:`));
    await page.locator('.cm-lint-marker-error').waitFor();
    await page.keyboard.press('ControlOrMeta+Enter');
    await page.locator('.answer.bad').waitFor();
    await page.reload();
    await page.locator('.cm-content').waitFor();
    assert.match(await page.evaluate(() => JSON.parse(batchyard.keep).files[0].text), /parallelism: 5: 6/);
  });
});

test('plays, pauses, steps, and starts over with the same Pods', async () => {
  await visit({}, async (page) => {
    await pods(page, 's-runs').first().waitFor();
    await pause(page);
    const names = await pods(page).evaluateAll((all) => all.map((pod) => pod.dataset.pod));
    const stood = await moment(page);
    await page.waitForTimeout(400);
    assert.equal(await moment(page), stood);
    await page.getByRole('button', { name: 'To the next event' }).click();
    await page.waitForFunction((stood) => document.querySelector('[data-live=now]').textContent !== stood, stood);
    const stepped = await moment(page);
    assert.ok(stepped >= stood);
    await page.keyboard.press(',');
    assert.ok((await moment(page)) <= stepped);
    await page.getByRole('button', { name: 'Restart' }).click();
    await pods(page).nth(names.length - 1).waitFor();
    assert.deepEqual(await pods(page).evaluateAll((all) => all.map((pod) => pod.dataset.pod)), names);
  });
});

test('the quiet parts pass quickly: the whole Job within seconds', async () => {
  await visit({}, async (page) => {
    await page.getByLabel('Speed').selectOption('30x');
    await band(page, 'Job parallel').locator('.chip', { hasText: 'Complete' }).waitFor({ timeout: 20_000 });
    assert.match(await band(page, 'Job parallel').textContent(), /10 of 10 done/);
  });
});

test('the keyboard alone: to the Pods, along them, to the log of one', async () => {
  await visit({}, async (page) => {
    await pods(page, 's-runs').first().waitFor();
    await page.keyboard.press('k');
    await page.keyboard.press('p');
    const focused = () => page.evaluate(() => document.activeElement.dataset.pod);
    const first = await focused();
    assert.ok(first);
    await page.keyboard.press('ArrowRight');
    const second = await focused();
    assert.notEqual(second, first);
    await page.keyboard.press('Enter');
    await page.getByRole('tab', { name: 'Logs', selected: true }).waitFor();
    await page.getByRole('log').getByText('Starting kuard').waitFor();
    assert.equal(await page.locator('button[data-pod][tabindex="0"]').count(), 1);
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });
});

test('splitters move, fold, remember, and go back', async () => {
  await visit({}, async (page) => {
    const sash = page.getByRole('separator', { name: 'Size of the editor' });
    const width = () => page.locator('.editor').evaluate((editor) => Math.round(editor.getBoundingClientRect().width));
    const usual = await width();
    await sash.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    assert.equal(await width(), usual + 32);
    await page.reload();
    await sash.waitFor();
    assert.equal(await width(), usual + 32);
    await sash.focus();
    await page.keyboard.press('Enter');
    await page.locator('.editor').waitFor({ state: 'hidden' });
    await page.keyboard.press('Enter');
    const box = await sash.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 - 60, box.y + 140, { steps: 4 });
    await page.mouse.up();
    assert.equal(await width(), usual - 28);
    await sash.dblclick();
    assert.equal(await width(), usual);
  });
});

test('every example opens, and what was typed waits for its return', async () => {
  await visit({}, async (page) => {
    await type(page, (text) => `# mine\n${text}`);
    const picker = page.locator('header').getByLabel('Example');
    const count = await picker.locator('option').count();
    for (let nth = 1; nth < count; nth++) {
      await picker.selectOption({ index: nth });
      assert.doesNotMatch(await page.evaluate(() => JSON.parse(batchyard.keep).files[0].text), /# mine/);
    }
    await picker.selectOption({ index: 0 });
    assert.match(await page.evaluate(() => JSON.parse(batchyard.keep).files[0].text), /^# mine/);
    await page.getByRole('button', { name: 'Reset' }).click();
    assert.doesNotMatch(await page.evaluate(() => JSON.parse(batchyard.keep).files[0].text), /# mine/);
    await page.getByRole('button', { name: 'Undo reset' }).click();
    assert.match(await page.evaluate(() => JSON.parse(batchyard.keep).files[0].text), /^# mine/);
  });
});

test('after a panic the text is there, a report can be had, and it starts again', async () => {
  await visit({}, async (page) => {
    await type(page, (text) => `# mine\n${text}`);
    await page.evaluate(() => batchyard.panicked('told by a test'));
    await page.getByRole('button', { name: 'Start again' }).waitFor();
    assert.match(await page.evaluate(() => JSON.parse(batchyard.keep).files[0].text), /^# mine/);
    await page.getByText('What the report says').click();
    const report = await page.locator('.fault pre').textContent();
    assert.match(report, /told by a test[^]*seed: 1[^]*at: 0\.000s[^]*kind: Job/);
    await page.getByRole('button', { name: 'Start again' }).click();
    await pods(page).first().waitFor();
  });
});

for (const [width, height] of WIDTHS) {
  for (const colorScheme of ['light', 'dark']) {
    test(`${width} px, ${colorScheme}: nothing runs out of the page, axe finds nothing serious in any panel`, async () => {
      await visit({ viewport: { width, height }, colorScheme }, async (page, opened) => {
        await pods(page, 's-runs').first().waitFor();
        await pause(page);
        for (const tab of await page.getByRole('tablist', { name: 'Details' }).getByRole('tab').all()) {
          await tab.click();
          await page.waitForTimeout(200);
          assert.deepEqual(await seriousFindings(page), [], await tab.textContent());
          assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `${await tab.textContent()} is too wide`);
        }
        await opened.screenshot(`page-${width}-${colorScheme}`);
      });
    });
  }
}

test('less motion where less is asked for', async () => {
  await visit({}, async (page) => {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await pods(page, 's-runs').first().waitFor();
    const running = await page.evaluate(() => document.querySelector('.s-runs .heart').getAnimations().length);
    assert.equal(running, 0);
  });
});

test('a page that must not store says so and works', async () => {
  const { page, problems } = await open(browser.context, `${server.origin}/frame.html`, { waitFor: 'iframe' });
  const frame = page.frameLocator('iframe');
  await frame.locator('button[data-pod]').first().waitFor();
  await frame.locator('header').getByText('not kept').waitFor();
  assert.deepEqual(problems, []);
  await page.close();
});
