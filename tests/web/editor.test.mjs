// The editor bundle by itself, under the page's own Content-Security-Policy.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, seriousFindings, setUp } from './harness.mjs';

const TEXT = 'apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: "é𝄞x"   # a comment\nspec:\n  parallelism: 5\n  suspend: false\n';

const here = setUp();

/** The page with nothing in #app but an editor, as `globalThis.editor`; its calls are noted in `globalThis.told`. */
async function withEditor(options = {}, settings = {}) {
  const visit = await open(here.browser.context, here.server.url, settings);
  await visit.page.evaluate(
    async ([text, options]) => {
      const { mount } = await batchyard.editor();
      const place = document.createElement('main');
      const next = document.createElement('button');
      next.textContent = 'Next';
      place.append(Object.assign(document.createElement('h1'), { textContent: 'Editor' }), document.createElement('div'), next);
      place.children[1].className = 'trial-editor';
      document.querySelector('#app').replaceChildren(place);
      globalThis.told = { changed: [], applied: [], cursor: [] };
      globalThis.editor = mount(place.children[1], {
        text,
        onChange: (text) => told.changed.push(text),
        onApply: (text) => told.applied.push(text),
        onCursor: (line, column) => told.cursor.push([line, column]),
        complete: (text, line, column) => (line === 8 ? [{ label: 'backoffLimit', detail: 'integer' }, { label: 'bogus' }] : null),
        hover: () => null,
        ...options,
      });
      editor.focus();
    },
    [TEXT, options],
  );
  await visit.page.locator('.cm-content').waitFor();
  return visit;
}

const told = (page) => page.evaluate(() => globalThis.told);

for (const colorScheme of ['light', 'dark']) {
  test(`shows diagnostics and colours without breaking the policy, ${colorScheme}`, async () => {
    const visit = await withEditor({ theme: colorScheme }, { colorScheme });
    const { page } = visit;
    await page.evaluate(() => {
      editor.setDiagnostics([
        { from: { line: 6, column: 16 }, to: { line: 6, column: 17 }, severity: 'error', message: 'must be less' },
        { from: { line: 4, column: 9 }, to: { line: 4, column: 14 }, severity: 'warning', message: 'odd name' },
        { from: { line: 99, column: 99 }, severity: 'info', message: 'beyond the end' },
      ]);
      editor.highlightLine(2);
    });
    assert.equal(await page.locator('.cm-lintRange-error').textContent(), '5');
    // Columns count characters: the clef is one of them, though JavaScript counts it as two.
    assert.equal(await page.locator('.cm-lintRange-warning').textContent(), '"é𝄞x"');
    assert.equal(await page.locator('.cm-why').textContent(), 'kind: Job');
    assert.equal(await page.locator('.cm-scalar').allTextContents().then(String), '5,false');
    const font = await page.locator('.cm-scroller').evaluate((element) => getComputedStyle(element).fontFamily);
    assert.match(font, /monospace/, 'the theme is in force');
    const [ink, drawn] = await page.locator('.cm-editor').evaluate((element) => {
      const probe = document.body.appendChild(document.createElement('i'));
      probe.style.color = 'var(--ink)';
      return [getComputedStyle(probe).color, getComputedStyle(element).color];
    });
    assert.equal(drawn, ink, 'the text has the colour of the page');
    await page.keyboard.press('Control+f');
    await page.locator('.cm-search').waitFor();
    await visit.screenshot(`editor-${colorScheme}`);
    assert.deepEqual(await seriousFindings(page), []);
    assert.deepEqual(visit.problems, []);
    await page.close();
  });
}

test('tells edits and Mod-Enter, and not what the page itself sets', async () => {
  const visit = await withEditor();
  const { page } = visit;
  await page.evaluate(() => editor.setText('a: 1\n'));
  assert.deepEqual((await told(page)).changed, []);
  assert.equal(await page.evaluate(() => editor.getText()), 'a: 1\n');
  await page.keyboard.press('Control+End');
  await page.keyboard.type('b: 2');
  await page.keyboard.press('Control+Enter');
  const { changed, applied, cursor } = await told(page);
  assert.equal(changed.at(-1), 'a: 1\nb: 2');
  assert.deepEqual(applied, ['a: 1\nb: 2']);
  assert.deepEqual(cursor.at(-1), [2, 5]);
  await page.evaluate(() => editor.setReadOnly(true));
  await page.keyboard.type('c');
  assert.equal(await page.evaluate(() => editor.getText()), 'a: 1\nb: 2');
  assert.deepEqual(visit.problems, []);
  await page.close();
});

test('Tab indents; Escape and then Tab leaves', async () => {
  const visit = await withEditor();
  const { page } = visit;
  const outside = () => page.evaluate(() => document.activeElement.textContent === 'Next');
  await page.keyboard.press('Tab');
  assert.equal(await outside(), false);
  assert.ok((await page.evaluate(() => editor.getText())).startsWith('  apiVersion'));
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  assert.equal(await outside(), true);
  assert.deepEqual(visit.problems, []);
  await page.close();
});

test('completes from what the page offers', async () => {
  const visit = await withEditor();
  const { page } = visit;
  await page.keyboard.press('Control+End');
  await page.keyboard.type('ba');
  await page.locator('.cm-tooltip-autocomplete').waitFor();
  await page.waitForTimeout(150); // The list ignores keys in its first moments, so that typing is not taken for choosing.
  await page.keyboard.press('Enter');
  assert.ok((await page.evaluate(() => editor.getText())).endsWith('\nbackoffLimit'));
  assert.deepEqual(visit.problems, []);
  await page.close();
});

test('keeps the undo history of each file', async () => {
  const visit = await withEditor({ file: 'job.yaml' });
  const { page } = visit;
  const text = () => page.evaluate(() => editor.getText());
  await page.keyboard.press('Control+End');
  await page.keyboard.type('x');
  await page.evaluate(() => editor.setReadOnly(true));
  await page.evaluate(() => editor.show('queue.yaml', 'kind: Service'));
  await page.keyboard.type('z');
  await page.evaluate(() => editor.setReadOnly(false));
  await page.keyboard.press('Control+z');
  assert.equal(await text(), 'kind: Service', 'another file, read-only as the first, and nothing to undo in it');
  await page.evaluate((text) => editor.show('job.yaml', text), `${TEXT}x`);
  assert.equal(await text(), `${TEXT}x`);
  await page.keyboard.type('y');
  assert.equal(await text(), `${TEXT}xy`, 'the cursor is where it was, and it can be edited again');
  await page.keyboard.press('Control+z');
  assert.equal(await text(), TEXT);
  assert.deepEqual((await told(page)).changed, [`${TEXT}x`, `${TEXT}xy`, TEXT]);
  assert.deepEqual(visit.problems, []);
  await page.close();
});

test('goes away without a trace', async () => {
  const visit = await withEditor();
  await visit.page.evaluate(() => editor.destroy());
  assert.equal(await visit.page.locator('.editor-host').count(), 0);
  assert.deepEqual(visit.problems, []);
  await visit.page.close();
});
