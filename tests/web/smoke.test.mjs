// The page opens: under a sub-path, in a sandboxed frame, without a complaint; and it survives its own panics.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, seriousFindings, setUp } from './harness.mjs';

const here = setUp();

const started = async (page) => {
  await page.waitForFunction(() => document.querySelector('#app *') && !document.querySelector('#app > .boot'));
};

for (const colorScheme of ['light', 'dark']) {
  test(`opens under a sub-path, ${colorScheme}, and axe finds nothing serious`, async () => {
    const visit = await open(here.browser.context, here.server.url, { colorScheme });
    await started(visit.page);
    await visit.screenshot(`smoke-${colorScheme}`);
    assert.deepEqual(await seriousFindings(visit.page), []);
    assert.deepEqual(visit.problems, []);
    await visit.page.close();
  });
}

test('asks for nothing outside its folder', async () => {
  const page = await here.browser.context.newPage();
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(here.server.url);
  await started(page);
  assert.ok(asked.length >= 4, `only ${asked}`);
  assert.deepEqual(asked.filter((url) => !url.startsWith(here.server.url) && !url.startsWith('data:')), []);
  await page.close();
});

test('runs in a sandboxed frame of a foreign origin', async () => {
  const visit = await open(here.browser.context, `${here.server.origin}/frame.html`, { waitFor: 'iframe' });
  const frame = visit.page.frameLocator('iframe');
  await frame.locator('#app > :not(.boot)').first().waitFor({ state: 'attached' });
  assert.deepEqual(visit.problems, []);
  await visit.page.close();
});

test('starts again after a panic', async () => {
  const visit = await open(here.browser.context, here.server.url);
  await started(visit.page);
  await visit.page.evaluate(() => {
    document.querySelector('#app').firstElementChild.id = 'before-the-panic';
    batchyard.panicked('told by a test');
  });
  await visit.page.waitForFunction(() => !document.querySelector('#before-the-panic'));
  await started(visit.page);
  assert.equal(await visit.page.evaluate(() => batchyard.panic), 'told by a test');
  assert.deepEqual(visit.problems, []);
  await visit.page.close();
});

test('stays down when it panics again and again, and says so', async () => {
  const visit = await open(here.browser.context, here.server.url);
  await started(visit.page);
  for (let nth = 1; nth <= 4; nth++) {
    await visit.page.evaluate((text) => batchyard.panicked(text), `panic ${nth}`);
    await visit.page.waitForFunction(() => document.querySelector('#app *'));
  }
  await visit.page.waitForSelector('#app > .boot [role=alert]');
  assert.match(await visit.page.locator('#app pre').textContent(), /panic 4/);
  assert.deepEqual(await seriousFindings(visit.page), []);
  await visit.page.getByRole('button', { name: 'Start again' }).click();
  await started(visit.page);
  assert.deepEqual(visit.problems, []);
  await visit.page.close();
});
