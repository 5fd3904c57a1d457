// Two tabs of the browser, and one tab twice: what is typed in one is never lost to the other.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, setUp } from './harness.mjs';
import { pods, type } from './visit.mjs';

const here = setUp();

const first_text = (page) => page.evaluate(() => JSON.parse(batchyard.keep).files[0].text);

async function tab(options = {}) {
  const opened = await open(here.browser.context, here.server.url, options);
  await pods(opened.page).first().waitFor();
  await opened.page.locator('.cm-content').waitFor();
  return opened;
}

/** Until the page has stored what was typed. */
const rests = (page) => page.waitForTimeout(600);

async function clear() {
  const blank = await here.browser.context.newPage();
  await blank.goto(`${here.server.url}icon.svg`);
  await blank.evaluate(() => localStorage.clear());
  await blank.close();
}

test('a choice in an idle tab takes nothing back of what was typed in another', async () => {
  const [one, other] = [await tab(), await tab()];
  await type(one.page, (text) => `# the words\n${text}`);
  await rests(one.page);
  await one.page.close();
  await other.page.locator('header h1').click();
  await other.page.keyboard.press('t');
  await other.page.keyboard.press('r');
  await other.page.close();
  const later = await tab();
  assert.match(await first_text(later.page), /^# the words\n/);
  assert.equal(await later.page.evaluate(() => document.documentElement.dataset.theme), 'light');
  assert.deepEqual([...one.problems, ...other.problems, ...later.problems], []);
  await later.page.close();
  await clear();
});

test('both tabs are typed in: the newer text wins, the other is offered, and each can be had', async () => {
  const [one, other] = [await tab(), await tab()];
  await type(one.page, (text) => `# one\n${text}`);
  await rests(one.page);
  const offer = (page) => page.getByText('Changed in another tab.');
  await offer(other.page).waitFor();
  await type(other.page, (text) => `# other\n${text}`);
  await rests(other.page);
  await one.page.close();
  await other.page.close();
  const later = await tab();
  assert.match(await first_text(later.page), /^# other\n/);
  await offer(later.page).waitFor();
  await later.page.getByRole('button', { name: 'Take it' }).click();
  assert.match(await first_text(later.page), /^# one\n/);
  await later.page.getByRole('button', { name: 'Back to mine' }).click();
  assert.match(await first_text(later.page), /^# other\n/);
  await later.page.getByRole('button', { name: 'Keep mine' }).click();
  await offer(later.page).waitFor({ state: 'detached' });
  await later.page.close();
  const last = await tab();
  assert.match(await first_text(last.page), /^# other\n/);
  assert.equal(await offer(last.page).count(), 0);
  await last.page.close();
  await clear();
});

test('Escape while a file is renamed leaves its name', async () => {
  const { page, problems } = await tab();
  const files = page.getByRole('tablist', { name: 'Files' });
  await files.getByRole('tab', { name: 'parallel.yaml' }).focus();
  await page.keyboard.press('F2');
  await page.getByLabel('Name of the file').fill('other.yaml');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.activeElement.getAttribute('role') === 'tab');
  assert.deepEqual(await files.getByRole('tab').allTextContents(), ['parallel.yaml']);
  assert.deepEqual(problems, []);
  await page.close();
  await clear();
});
