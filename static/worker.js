// The engine in a worker: the page's own wasm, entered without a document. Started with `{ type: 'module' }`.
//
// In: `{ id, scenario, budget }` plays a scenario (its YAML), so many steps at a time; `{ id, cancel: true }` ends it.
// Out, by `id`: `{ id, nowMs, endMs }` after each slice; then `{ id, done: true, view }` with the last picture as plain
// data, or `{ id, done: true, cancelled: true }`, or `{ id, done: true, error }` with what is wrong with the text.
//
// Everything is addressed relative to this file, with this file's own `?v=…`, so that one build's files stay together.

const address = (name) => new URL(name + new URL(import.meta.url).search, new URL('.', import.meta.url));
const running = new Map();

// Before anything is fetched, so that nothing said meanwhile is missed.
const engine = start();
addEventListener('message', ({ data }) => {
  if (data.cancel) running.delete(data.id);
  else play(data).catch((error) => end(data.id, { error: String(error?.message ?? error) }));
});

async function start() {
  const { link, zones } = await import(address('link.js').href);
  const module = await import(address('app.js').href);
  globalThis.batchyard = {
    exports: module,
    panicked: (text) => { throw new Error(text); },
    link: (files, done, data) => link(() => module.initSync(), files, done, data),
    zones,
  };
  await module.default({ module_or_path: address('app_bg.wasm') });
  return module;
}

async function play({ id, scenario, budget = 2_000 }) {
  const here = {};
  running.set(id, here);
  const { Play } = await engine;
  const run = await Play.begin(scenario, await batchyard.zones());
  try {
    while (running.get(id) === here) {
      const over = run.advance(budget);
      postMessage({ id, nowMs: run.nowMs(), endMs: run.endMs() });
      if (over) return end(id, { view: JSON.parse(await run.picture()) });
      // Whoever wants to end it gets a word in.
      await new Promise((go_on) => setTimeout(go_on, 0));
    }
    end(id, { cancelled: true });
  } finally {
    run.free();
  }
}

function end(id, what) {
  running.delete(id);
  postMessage({ id, done: true, ...what });
}
