// Journeys through the page: what a visitor does, in a real Chromium, with ears for the console and the policy.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'node:test';
import { open, seriousFindings, setUp } from './harness.mjs';
import { band, moment, pause, pods, type, visitor } from './visit.mjs';

const WIDTHS = [[1440, 900], [1024, 768], [768, 1024], [360, 740]];

const here = setUp();
const visit = visitor(here);

test('opens on the running parallel example', async () => {
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
    // The surplus Pods were deleted, and no more than two are at work from here on.
    await page.getByRole('tab', { name: 'Events' }).click();
    await page.locator('.events').getByText('SuccessfulDelete').first().waitFor();
    for (let look = 0; look < 10; look++) {
      assert.ok((await pods(page, 's-runs').count()) <= 2);
      await page.waitForTimeout(100);
    }
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
    // All of them: a Pod that starts has no log, and the clock stands from here on.
    await pods(page, 's-runs').nth(4).waitFor();
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

test('after a panic the text is there, a report can be had that plays, and it starts again', async () => {
  await visit({}, async (page) => {
    await type(page, (text) => `# mine\n${text}`);
    await page.keyboard.press('Escape');
    await page.locator('header h1').click();
    await page.keyboard.press('c');
    await page.waitForFunction(() => document.activeElement.id === 'line');
    await page.keyboard.type('kubectl create job extra --image=busybox:1.36 -- sleep 5');
    await page.keyboard.press('Enter');
    await page.getByRole('log', { name: 'Terminal output' }).getByText('job.batch/extra created').waitFor();
    await page.evaluate(() => batchyard.panicked('told by a test'));
    await page.getByRole('button', { name: 'Start again' }).waitFor();
    assert.match(await page.evaluate(() => JSON.parse(batchyard.keep).files[0].text), /^# mine/);
    await page.getByText('What the report says').click();
    const report = await page.locator('.fault pre').textContent();
    assert.match(report, /^# told by a test[^]*seed: 1[^]*at: 0s[^]*kind: Job[^]*line: kubectl create job extra/);
    const folder = await mkdtemp(join(tmpdir(), 'batchyard-report-'));
    await writeFile(join(folder, 'report.yaml'), report);
    const args = ['run', join(folder, 'report.yaml'), '--outcome', 'text'];
    const { stdout } = await promisify(execFile)(process.env.BATCHYARD_BIN, args);
    assert.match(stdout, /extra/);
    await rm(folder, { recursive: true });
    await page.getByRole('button', { name: 'Start again' }).click();
    await pods(page).first().waitFor();
  });
});

test('the terminal: kubectl, its table, history, and Ctrl-C', async () => {
  await visit({}, async (page) => {
    await pods(page, 's-runs').first().waitFor();
    await page.keyboard.press('c');
    const line = page.getByLabel('Command line');
    const output = page.getByRole('log', { name: 'Terminal output' });
    await page.waitForFunction(() => document.activeElement.id === 'line');
    await page.keyboard.type('kubectl get pods');
    await page.keyboard.press('Enter');
    await output.getByText(/NAME +READY +STATUS +RESTARTS +AGE/).waitFor();
    assert.match(await output.textContent(), /parallel-\w{5} +1\/1 +Running +0 +\d+s/);
    await page.keyboard.press('ArrowUp');
    assert.equal(await line.inputValue(), 'kubectl get pods');
    await page.keyboard.type(' -w');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Ctrl C' }).waitFor();
    await page.keyboard.press('Control+c');
    await page.getByRole('button', { name: 'Ctrl C' }).waitFor({ state: 'detached' });
    await page.keyboard.type('echo $?; ls');
    await page.keyboard.press('Enter');
    await output.getByText('parallel.yaml').waitFor();
    assert.match(await output.textContent(), /\^C\n~ \$ echo \$\?; ls\n130\nparallel\.yaml\n$/);
    // What takes no time is done while the clock stands.
    await pause(page);
    await line.focus();
    await page.keyboard.type('kubectl get nope');
    await page.keyboard.press('Enter');
    await output.getByText('the server doesn\'t have a resource type "nope"').waitFor();
    // Back before the terminal was opened there is nothing on its screen.
    await page.getByRole('button', { name: 'Restart' }).click();
    await output.getByText('Type a command').waitFor();
  });
});

const BERLIN = `apiVersion: batch/v1
kind: CronJob
metadata:
  name: berlin
spec:
  schedule: "0 9 * * *"
  timeZone: Europe/Berlin
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: c, image: busybox, command: [date]}]
`;

test('a time zone: its table is fetched when it is named, and the schedule follows it', async () => {
  await visit({}, async (page) => {
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.locator('.cm-content').waitFor();
    assert.ok(!asked.some((url) => url.includes('tzdb.bin')));
    await type(page, () => BERLIN);
    await page.keyboard.press('ControlOrMeta+Enter');
    await page.locator('.answer', { hasText: 'cronjob.batch/berlin created' }).waitFor();
    assert.equal(asked.filter((url) => url.includes('tzdb.bin')).length, 1);
    const dial = band(page, 'CronJob berlin');
    await dial.getByText('next in').waitFor();
    await dial.getByText('Europe/Berlin').waitFor();
    assert.equal(await page.getByRole('list', { name: 'Problems' }).count(), 0);
    // After a reload the run starts with it: the table comes first.
    await page.reload();
    await band(page, 'CronJob berlin').getByText('next in').waitFor();
  });
});

test('a time zone whose table cannot be had: said in plain words, and the rest goes on', async () => {
  await visit(
    {},
    async (page) => {
      await page.route('**/tzdb.bin*', (route) => route.abort());
      await type(page, () => BERLIN);
      await page.keyboard.press('ControlOrMeta+Enter');
      await page.locator('.answer.bad', { hasText: 'The table of time zones could not be fetched' }).waitFor();
      await page.unroute('**/tzdb.bin*');
      await page.getByRole('button', { name: 'Apply' }).click();
      await page.locator('.answer', { hasText: 'cronjob.batch/berlin created' }).waitFor();
    },
    { expected: /tzdb\.bin|ERR_FAILED/ },
  );
});

test('the keyboard alone, from end to end: edit, apply, look, read, run, start over', async () => {
  await visit({}, async (page) => {
    await pods(page, 's-runs').first().waitFor();
    await page.locator('.cm-content').waitFor();
    await page.keyboard.press('e');
    await page.waitForFunction(() => document.activeElement.className === 'editor-host');
    await page.keyboard.press('ControlOrMeta+a');
    const text = await page.evaluate(() => JSON.parse(batchyard.keep).files[0].text);
    await page.keyboard.insertText(text.replace('parallelism: 5', 'parallelism: 1'));
    await page.keyboard.press('ControlOrMeta+Enter');
    await band(page, 'Job parallel').getByText('1 active').waitFor({ timeout: 15_000 });
    // Escape, then Tab leaves the editor.
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    await page.waitForFunction(() => document.activeElement.className !== 'editor-host');
    // Reach something that takes single keys: buttons do.
    await page.keyboard.press('k');
    await page.getByRole('button', { name: 'Play' }).waitFor();
    await page.keyboard.press('p');
    await page.waitForFunction(() => document.activeElement.matches('button[data-pod]'));
    await page.keyboard.press('Enter');
    await page.getByRole('tab', { name: 'Logs', selected: true }).waitFor();
    await page.keyboard.press('c');
    await page.waitForFunction(() => document.activeElement.id === 'line');
    await page.keyboard.type('kubectl get jobs');
    await page.keyboard.press('Enter');
    await page.getByRole('log', { name: 'Terminal output' }).getByText(/parallel +\w+/).waitFor();
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('r');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
  });
});

test('what happens is told to a screen reader, a few words at a time', async () => {
  await visit({}, async (page) => {
    const told = [];
    await page.exposeFunction('__told', (text) => told.push(text));
    await page.evaluate(() => {
      const region = document.querySelector('[aria-live=polite].unseen');
      new MutationObserver(() => globalThis.__told(region.textContent)).observe(region, { characterData: true, childList: true, subtree: true });
    });
    await page.getByLabel('Speed').selectOption('30x');
    await band(page, 'Job parallel').locator('.chip', { hasText: 'Complete' }).waitFor({ timeout: 20_000 });
    await page.waitForFunction(() => /Job parallel: Complete/.test(document.querySelector('[aria-live=polite].unseen').textContent));
    assert.ok(told.length < 12, told.join(' | '));
  });
});

test('what is not simulated is said: at the field, and in the help', async () => {
  await visit({}, async (page) => {
    await type(page, (text) => text.replace('      containers:', '      hostPID: true\n      containers:'));
    await page.getByRole('list', { name: 'Problems' }).getByText('hostPID is accepted but not simulated').waitFor();
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
    await page.getByText('What is simulated, and what is not').click();
    await page.getByRole('dialog').getByText('There is no real machine', { exact: false }).or(page.getByRole('dialog').getByText('spec.hostPID')).first().waitFor();
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
  const { page, problems } = await open(here.browser.context, `${here.server.origin}/frame.html`, { waitFor: 'iframe' });
  const frame = page.frameLocator('iframe');
  await frame.locator('button[data-pod]').first().waitFor();
  await frame.locator('header').getByText('not kept').waitFor();
  assert.deepEqual(problems, []);
  await page.close();
});
