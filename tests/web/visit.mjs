// What journeys through the page share: a first visit, and the few things every visitor looks at.

import assert from 'node:assert/strict';
import { open } from './harness.mjs';

/** A first visit: nothing is stored. `problems` must be empty at the end, but for those a journey expects. */
export const visitor = (here) => async (options, journey, { expected = /^$/ } = {}) => {
  const opened = await open(here.browser.context, here.server.url, options);
  const { page, problems } = opened;
  await page.locator('button[data-pod]').first().waitFor();
  try {
    await journey(page, opened);
    assert.deepEqual(problems.filter((problem) => !expected.test(problem)), []);
  } finally {
    await page.close();
    const blank = await here.browser.context.newPage();
    await blank.goto(`${here.server.url}icon.svg`);
    await blank.evaluate(() => localStorage.clear());
    await blank.close();
  }
};

export const pods = (page, sign) => page.locator(`button[data-pod]${sign ? `[data-sign=${sign}]` : ''}`);
export const moment = async (page) => {
  const [minutes, seconds] = (await page.locator('[data-live=now]').textContent()).replace('t+', '').split(':').slice(-2);
  return 60 * Number(minutes) + Number(seconds);
};
export const pause = (page) => page.getByRole('button', { name: 'Pause' }).click();
export const band = (page, name) => page.getByRole('article', { name });

/** Replaces the text of the editor as a user would, from the keyboard. */
export async function type(page, change) {
  const content = page.locator('.cm-content');
  await content.waitFor();
  const text = await page.evaluate(() => JSON.parse(batchyard.keep).files[0].text);
  await content.click();
  // Over a selection of many lines: left to itself, Chromium would set a style attribute there, against the policy.
  await page.keyboard.press('ControlOrMeta+a');
  const wanted = change(text);
  await page.keyboard.insertText(wanted);
  // The editor hears of it a little later than the document: who presses a key at once is faster than any user.
  await page.waitForFunction((wanted) => JSON.parse(batchyard.keep).files.some((file) => file.text === wanted), wanted);
}
