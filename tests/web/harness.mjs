// What every browser test shares: a static server for dist/, a fresh Chromium, and ears for everything that goes wrong.
//
// `cargo xtask e2e` sets DIST (the built page), CHROMIUM (the browser) and BATCHYARD_BIN (the native program).

import { createServer } from 'node:http';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join, normalize, sep } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import { chromium } from 'playwright-core';

const HERE = fileURLToPath(new URL('.', import.meta.url));
export const DIST = process.env.DIST ?? join(HERE, '../../dist');
/** Pictures taken by `screenshot`; not checked in. */
export const RESULTS = join(HERE, 'results');
/** Where the page is served by default: below a sub-path, as on a documentation site. */
export const SUB_PATH = '/docs/play yard/';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm', '.svg': 'image/svg+xml', '.json': 'application/json', '.yaml': 'text/plain; charset=utf-8',
  '.md': 'text/plain; charset=utf-8', '.png': 'image/png',
};

/** Serves `folder` (dist/) under `base` on a free port. `pages` adds addresses of a test's own: path → HTML. */
export async function serve({ folder = DIST, base = SUB_PATH, pages = {} } = {}) {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://x').pathname);
    const reply = (status, type, body) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', 'access-control-allow-origin': '*' });
      response.end(body);
    };
    if (path in pages) return reply(200, TYPES['.html'], pages[path]);
    const inside = path.startsWith(base) ? normalize(path.slice(base.length) || 'index.html') : '..';
    if (inside.startsWith('..') || inside.startsWith(sep)) return reply(404, 'text/plain', 'not found');
    try {
      reply(200, TYPES[extname(inside)] ?? 'application/octet-stream', await readFile(join(folder, inside)));
    } catch {
      reply(404, 'text/plain', 'not found');
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    url: origin + encodeURI(base),
    close: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }),
  };
}

/** A page that shows ours in a sandboxed frame of a foreign origin. */
const FRAME =
  '<!doctype html><title>A lesson</title><link rel="icon" href="data:,">' +
  `<iframe sandbox="allow-scripts" src="${SUB_PATH.slice(1)}" width="1300" height="800"></iframe>`;

/** One browser and one server for all tests of a file: called at its top, usable inside of its tests. `then` goes on. */
export function setUp(then = async () => {}) {
  const here = {};
  before(async () => {
    [here.browser, here.server] = await Promise.all([launch(), serve({ pages: { '/frame.html': FRAME } })]);
    // Hooks of a file begin together, so what needs the browser cannot be a hook of its own.
    await then(here);
  });
  after(async () => {
    await here.browser?.close();
    await here.server?.close();
  });
  return here;
}

/** A browser with an empty profile of its own. */
export async function launch() {
  const profile = await mkdtemp(join(tmpdir(), 'batchyard-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    headless: true,
    args: FLAGS,
    viewport: { width: 1440, height: 900 },
  });
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * Opens `url` in a new tab and listens: `problems` holds console errors and warnings, uncaught errors, failed requests
 * and violations of the Content-Security-Policy, in the order they came. `visit.screenshot(name)` writes a picture.
 */
export async function open(context, url, { waitFor = '#app > :not(.boot)', viewport, colorScheme } = {}) {
  const page = await context.newPage();
  if (viewport) await page.setViewportSize(viewport);
  if (colorScheme) await page.emulateMedia({ colorScheme });
  const problems = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}: ${request.failure()?.errorText}`));
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`);
  });
  await page.exposeFunction('__violation', (text) => problems.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) =>
      globalThis.__violation(`${event.violatedDirective} blocked ${event.blockedURI} (${event.sourceFile}:${event.lineNumber})`));
  });
  await page.goto(url);
  await page.waitForSelector(waitFor, { state: 'attached', timeout: 20_000 });
  return {
    page,
    problems,
    async screenshot(name) {
      await mkdir(RESULTS, { recursive: true });
      await page.screenshot({ path: join(RESULTS, `${name}.png`), animations: 'disabled' });
    },
  };
}

/** What axe-core finds that is serious or critical, one line each: the rule, then where. */
export async function seriousFindings(page) {
  // By the debugger's door: the page's own policy rightly refuses a foreign script.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}
