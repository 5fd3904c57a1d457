// What a visitor does besides looking: terminals, live edits, Python pasted in, tabs, and breaking things.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seriousFindings, setUp } from './harness.mjs';
import { band, pause, pods, type, visitor } from './visit.mjs';

const here = setUp();
const visit = visitor(here);

const output = (page) => page.getByRole('log', { name: 'Terminal output' });
const line = (page) => page.getByLabel('Command line');
const kept = (page) => page.evaluate(() => JSON.parse(batchyard.keep));
const menu = (page) => page.locator('dialog.breaks');

async function toTerminal(page) {
  await page.getByRole('tab', { name: 'Terminal', exact: true }).click();
  await line(page).focus();
}

async function enter(page, text) {
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
}

test('Tab completes in the terminal, and never holds anyone there', async () => {
  await visit({}, async (page) => {
    await pods(page, 's-runs').first().waitFor();
    await toTerminal(page);
    await page.keyboard.type('kubec');
    await page.keyboard.press('Tab');
    // The first time, the terminal's commands may still be on their way.
    await page.waitForFunction(() => document.querySelector('#line').value === 'kubectl ');
    await page.keyboard.type('drain n');
    await page.keyboard.press('Tab');
    assert.equal(await line(page).inputValue(), 'kubectl drain node-');
    const offers = page.getByRole('list', { name: 'Completions' });
    assert.deepEqual(await offers.getByRole('listitem').allTextContents(), ['node-1', 'node-2']);
    await line(page).fill('kubectl apply -f par');
    await page.keyboard.press('Tab');
    assert.equal(await line(page).inputValue(), 'kubectl apply -f parallel.yaml ');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    await page.waitForFunction(() => document.activeElement.id !== 'line');
    await line(page).fill('');
    await page.keyboard.press('Tab');
    await page.waitForFunction(() => document.activeElement.id !== 'line');
  });
});

test('a command of an old tutorial is answered as today, with one line of ours below', async () => {
  await visit({}, async (page) => {
    await toTerminal(page);
    await enter(page, 'kubectl get jobs -a');
    await output(page).getByText('unknown shorthand flag').waitFor();
    assert.match(await page.locator('.terminal .ours').textContent(), /always listed/);
  });
});

test('several terminals: each has its own screen, and closing one ends what runs in it', async () => {
  await visit({}, async (page) => {
    await toTerminal(page);
    await enter(page, 'X=1; kubectl get pods -w');
    await page.getByRole('button', { name: 'Ctrl C' }).waitFor();
    await page.getByRole('button', { name: 'New terminal' }).click();
    const tabs = page.getByRole('tablist', { name: 'Terminals' }).getByRole('tab');
    assert.equal(await tabs.count(), 2);
    await output(page).getByText('Type a command').waitFor();
    await line(page).focus();
    await enter(page, 'echo [$X]');
    await output(page).getByText('[]', { exact: true }).waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await page.getByRole('tab', { name: 'Terminal 1' }).click();
    await page.getByRole('button', { name: 'Ctrl C' }).waitFor();
    await page.getByRole('button', { name: 'Close this terminal' }).click();
    assert.equal(await tabs.count(), 1);
    await output(page).getByText('[]', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Close this terminal' }).click();
    await output(page).getByText('Type a command').waitFor();
  });
});

test('kubectl edit opens the object in the editor; saving changes it, and a mistake comes back with its reason', async () => {
  await visit({}, async (page) => {
    await pods(page, 's-runs').first().waitFor();
    await page.locator('.cm-content').waitFor();
    await pause(page);
    await toTerminal(page);
    const replace = async (from, to) => {
      await page.locator('.tabs [aria-selected=true]', { hasText: 'kubectl-edit' }).waitFor();
      const { files, active } = await kept(page);
      await page.locator('.cm-content').click();
      await page.keyboard.press('ControlOrMeta+a');
      assert.ok(files[active].text.includes(from), files[active].text);
      await page.keyboard.insertText(files[active].text.replace(from, to));
      await page.keyboard.press('ControlOrMeta+Enter');
    };
    await enter(page, 'kubectl edit job parallel');
    await replace('parallelism: 5', 'parallelism: -5');
    await output(page).getByText('error: jobs.batch "parallel" is invalid').waitFor();
    await replace('parallelism: -5', 'parallelism: 3');
    await output(page).getByText('job.batch/parallel edited').waitFor();
    assert.equal(await page.getByRole('tab', { name: /kubectl-edit/ }).count(), 0);
    await page.waitForFunction(() => document.activeElement.id === 'line');
    await enter(page, 'kubectl get job parallel -o jsonpath={.spec.parallelism}');
    await output(page).getByText(/parallelism\}\n3/).waitFor();
    // Closed without saving: nothing changes.
    await enter(page, 'kubectl edit job parallel');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await output(page).getByText('Edit cancelled, no changes made.').waitFor();
    // Ctrl-C ends it as well; what was typed into it stays.
    await line(page).focus();
    await enter(page, 'kubectl edit job parallel');
    await page.locator('.tabs [aria-selected=true]', { hasText: 'kubectl-edit' }).waitFor();
    await page.locator('.cm-content').click();
    await page.keyboard.insertText('# mine\n');
    await line(page).focus();
    await page.keyboard.press('Control+c');
    await page.getByRole('button', { name: 'Save and close' }).waitFor({ state: 'detached' });
    assert.ok((await kept(page)).files.some((file) => file.text.includes('# mine') && !file.edit));
  });
});

const DICT = `JOB = {
  "apiVersion": "batch/v1", "kind": "Job",
  "metadata": {"name": "from-python"},
  "spec": {"template": {"spec": {
    "restartPolicy": "Never",
    "containers": [{"name": "c", "image": os.getenv("IMAGE", "busybox:1.36"), "command": ["date"],}],
  }}},  # the end
}
`;

test('a Python dict is recognised, becomes YAML with what was assumed, and can be had back', async () => {
  await visit({}, async (page) => {
    await type(page, () => DICT);
    const turn = page.getByRole('button', { name: 'Turn into YAML' });
    await turn.waitFor();
    await page.getByRole('list', { name: 'Problems' }).getByText('the environment variable IMAGE is taken to be its default').waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await turn.click();
    assert.match((await kept(page)).files[0].text, /^apiVersion: batch\/v1\nkind: Job\n[^]*image: busybox:1\.36\n/);
    await page.getByRole('button', { name: 'Back to Python' }).click();
    assert.equal((await kept(page)).files[0].text, DICT);
    await turn.click();
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.locator('.answer', { hasText: 'job.batch/from-python created' }).waitFor();
    await page.getByRole('button', { name: 'Back to Python' }).waitFor();
  });
});

test('tabs are renamed and closed, and no text is lost', async () => {
  await visit({}, async (page) => {
    const files = page.getByRole('tablist', { name: 'Files' });
    await page.getByRole('button', { name: 'New file' }).click();
    await page.locator('.cm-content').click();
    await page.keyboard.insertText('a: 1\n');
    await files.getByRole('tab', { name: 'new.yaml' }).focus();
    await page.keyboard.press('F2');
    await page.getByLabel('Name of the file').fill('chart/values.yaml');
    await page.keyboard.press('Enter');
    await files.getByRole('tab', { name: 'chart/values.yaml' }).waitFor();
    await toTerminal(page);
    await enter(page, 'cat chart/values.yaml; ls');
    await output(page).getByText(/a: 1\nchart +parallel\.yaml/).waitFor();
    await files.getByRole('tab', { name: 'chart/values.yaml' }).focus();
    await page.keyboard.press('Delete');
    assert.equal(await files.getByRole('tab').count(), 1);
    await line(page).focus();
    await enter(page, 'cat chart/values.yaml');
    await output(page).getByText('No such file or directory').waitFor();
    await page.getByRole('button', { name: 'Reopen chart/values.yaml' }).click();
    assert.deepEqual((await kept(page)).files.map(({ name, text }) => name === 'chart/values.yaml' ? text : ''), ['', 'a: 1\n']);
    // A name that is taken is refused, with the reason.
    await page.getByRole('button', { name: 'Rename chart/values.yaml' }).click();
    await page.getByLabel('Name of the file').fill('parallel.yaml');
    await page.keyboard.press('Enter');
    await page.locator('.answer.bad', { hasText: 'Another tab has this name' }).waitFor();
  });
});

test('a node is silenced for a time from its menu, by keyboard: it is told, marked, and goes with the time line', async () => {
  await visit({}, async (page) => {
    await pods(page, 's-runs').first().waitFor();
    await pause(page);
    const button = page.getByRole('button', { name: 'Break node-1' });
    await button.focus();
    await page.keyboard.press('Enter');
    await menu(page).waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await page.keyboard.press('Escape');
    await menu(page).waitFor({ state: 'hidden' });
    await page.waitForFunction(() => document.activeElement.getAttribute('aria-label') === 'Break node-1');
    await page.keyboard.press('Enter');
    await menu(page).getByLabel('Time').selectOption('1 min');
    await menu(page).getByRole('button', { name: 'Silence it for' }).press('Enter');
    await menu(page).waitFor({ state: 'hidden' });
    await page.getByRole('list', { name: 'Broken now' }).getByText('node-1 is silent for 1m0s').waitFor();
    assert.equal(await page.locator('[aria-live=polite].unseen').textContent(), 'node-1 is silent for 1m0s');
    assert.match(await page.evaluate(() => batchyard.run), /\n {2}fault:\n {4}for: 1m0s\n {4}freeze-node: node-1\nduration: /);
    await page.getByLabel('Speed').selectOption('30x');
    await page.getByRole('button', { name: 'Play' }).click();
    await page.getByRole('region', { name: 'node-1' }).getByText('NotReady').waitFor({ timeout: 15_000 });
    await page.getByRole('region', { name: 'node-1' }).getByText('NotReady').waitFor({ state: 'detached', timeout: 15_000 });
    assert.equal(await page.getByRole('list', { name: 'Broken now' }).count(), 0);
  });
});

test('a Pod is broken from beside its log: exit code, memory, eviction', async () => {
  await visit({}, async (page) => {
    await pods(page, 's-runs').first().waitFor();
    await pause(page);
    const breakOne = async (nth, choose) => {
      const pod = pods(page, 's-runs').nth(nth);
      await pod.click();
      await page.locator('.about').getByRole('button', { name: /^Break / }).click();
      await menu(page).waitFor();
      await choose(menu(page));
      await menu(page).waitFor({ state: 'hidden' });
      return (await page.locator('.about b').textContent()).trim();
    };
    const ended = await breakOne(0, async (menu) => {
      await menu.getByLabel('Exit code').fill('42');
      assert.deepEqual(await seriousFindings(page), []);
      await menu.getByRole('button', { name: 'End it with exit code' }).click();
    });
    const oom = await breakOne(1, (menu) => menu.getByRole('button', { name: 'Let it run out of memory' }).click());
    const evicted = await breakOne(2, (menu) => menu.getByRole('button', { name: 'Evict the Pod' }).click());
    await page.getByRole('button', { name: 'Play' }).click();
    await page.locator('button[data-pod]', { hasText: '↻1' }).nth(1).waitFor();
    await pause(page);
    await toTerminal(page);
    const last = '{.status.containerStatuses[0].lastState.terminated';
    await enter(page, `kubectl get pod ${ended} -o jsonpath='${last}.exitCode}'; kubectl get pod ${oom} -o jsonpath='${last}.reason}'`);
    await output(page).getByText(/42OOMKilled/).waitFor();
    await enter(page, `kubectl get events --field-selector reason=Killing | grep -c ${evicted}`);
    await output(page).getByText(/-c \S+\n1\n/).waitFor();
  });
});

test('controllers, the API and image pulls can be broken; cordon and delete are kubectl', async () => {
  await visit({}, async (page) => {
    await pods(page, 's-runs').first().waitFor();
    const broken = page.getByRole('list', { name: 'Broken now' });
    const open = async () => {
      await page.getByRole('button', { name: 'Break something' }).click();
      await menu(page).waitFor();
    };
    await open();
    assert.deepEqual(await seriousFindings(page), []);
    await menu(page).getByLabel('Time').selectOption('5 min');
    await menu(page).getByLabel('Controller').selectOption('default-scheduler');
    await menu(page).getByRole('button', { name: 'Stop', exact: true }).click();
    await broken.getByText('default-scheduler stands still for 5m0s').waitFor();
    await open();
    await menu(page).getByLabel('Delay').selectOption('1 s');
    await menu(page).getByRole('button', { name: 'Slow the API down by' }).click();
    await broken.getByText('the API takes 1000 ms longer for 30s').waitFor();
    await open();
    await menu(page).getByRole('button', { name: 'Let pulls fail' }).click();
    await broken.getByText(/cannot be pulled for 30s/).waitFor();
    await open();
    await menu(page).getByRole('button', { name: 'Slow pulls down' }).click();
    await broken.getByText(/takes 30 s longer to pull/).waitFor();
    await open();
    await menu(page).getByRole('button', { name: 'node-2', exact: true }).click();
    await menu(page).getByRole('button', { name: 'Cordon' }).click();
    await page.getByRole('region', { name: 'node-2' }).getByText('cordoned').waitFor();
    // A click beside it closes it.
    await open();
    await page.mouse.click(5, 890);
    await menu(page).waitFor({ state: 'hidden' });
    // It goes with the run.
    await page.getByRole('button', { name: 'Restart' }).click();
    await broken.waitFor({ state: 'detached' });
  });
});

test('the way to the fidelity page stands in the help', async () => {
  await visit({}, async (page) => {
    await page.keyboard.press('?');
    const link = page.getByRole('link', { name: 'How close to a real cluster is this?' });
    assert.equal(await link.getAttribute('href'), 'fidelity.html');
    assert.match(await page.getByRole('dialog').textContent(), /in the terminal: completes; Esc, then Tab leaves/);
  });
});

for (const [width, height] of [[1440, 900], [360, 740]]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`${width} px, ${colorScheme}: menus open, terminals open, something broken: axe finds nothing serious`, async () => {
      await visit({ viewport: { width, height }, colorScheme }, async (page, opened) => {
        await pods(page, 's-runs').first().waitFor();
        await page.getByRole('button', { name: 'Break something' }).click();
        assert.deepEqual(await seriousFindings(page), []);
        await opened.screenshot(`break-${width}-${colorScheme}`);
        await menu(page).getByRole('button', { name: 'Stop', exact: true }).click();
        await toTerminal(page);
        await enter(page, 'kubectl get jobs -a');
        await page.keyboard.type('kubectl get ');
        await page.keyboard.press('Tab');
        await page.getByRole('list', { name: 'Completions' }).waitFor();
        assert.deepEqual(await seriousFindings(page), []);
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width);
        await opened.screenshot(`terminal-${width}-${colorScheme}`);
        await band(page, 'Job parallel').waitFor();
      });
    });
  }
}
