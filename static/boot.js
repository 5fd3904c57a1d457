// Starts the page, and starts it again when it panics.
//
// wasm32 cannot unwind: a panic ends the running instance for good. So the panic hook in Rust calls
// `batchyard.panicked(text)`, and a moment later this file clears #app and makes a fresh instance of the same module.
// Callbacks of the old instance (timers, listeners) refuse to run from then on. What should outlive a panic, the page
// puts into `batchyard.keep`; the next instance finds it there.
//
// Everything is addressed relative to this file, with this file's own `?v=…`, so that one build's files stay together.

const address = (name) => new URL(name + new URL(import.meta.url).search, new URL('.', import.meta.url));
const parts = () => import(address('link.js').href);

/** More panics than this within the time below, and the page stays down until someone asks for a new try. */
const PANICS = 3;
const WITHIN_MS = 10_000;

const app = document.getElementById('app');
let panics = [];
let restarting = false;
let reset = null;

globalThis.batchyard = {
  /** Plain data that outlives a panic; the page writes it, the page reads it. Nothing else touches it. */
  keep: null,
  /** What the last panic said, or null; set before the fresh instance starts, so that it can tell the user. */
  panic: null,
  /** For the panic hook. Only notes it and comes back: the instance must finish dying first. */
  panicked(text) {
    batchyard.panic = String(text);
    if (restarting) return;
    restarting = true;
    setTimeout(restart, 0);
  },
  /** What the Rust side exports, once it runs; for tests. */
  exports: null,
  /** The editor's module (`mount`), fetched when first asked for. */
  editor: () => import(address('editor.js').href),
  /** For `parts.js`: links code that was left out at first to the running instance. */
  async link(files, done, data) {
    const running = () => batchyard.exports.initSync();
    const lost = () => running().__indirect_function_table.get(done)(data, false);
    await parts().then(({ link }) => link(running, files, done, data), lost);
  },
  /** The table of time zones, fetched when a manifest first names one. */
  zones: () => parts().then(({ zones }) => zones()),
};

function restart() {
  const now = performance.now();
  panics = panics.filter((at) => now - at < WITHIN_MS);
  panics.push(now);
  app.replaceChildren();
  if (panics.length > PANICS) return stay_down();
  restarting = false;
  try {
    reset();
  } catch (error) {
    // A panic while starting: the hook has scheduled the next try. Anything else is told as it is.
    if (!restarting) give_up(error);
  }
}

function stay_down() {
  const button = Object.assign(document.createElement('button'), { textContent: 'Start again' });
  button.onclick = () => {
    panics = [];
    restart();
  };
  say('Batchyard stopped because of a fault of its own, several times in a row.', batchyard.panic, button);
}

function give_up(error) {
  say('Batchyard could not start. It needs a browser with WebAssembly.', String(error));
}

function say(text, detail, ...more) {
  const main = Object.assign(document.createElement('main'), { className: 'boot' });
  const title = Object.assign(document.createElement('h1'), { textContent: 'Batchyard' });
  const line = Object.assign(document.createElement('p'), { textContent: text });
  line.setAttribute('role', 'alert');
  const fault = Object.assign(document.createElement('pre'), { textContent: detail });
  main.append(title, line, fault, ...more);
  app.replaceChildren(main);
}

// A trap without a panic (stack or memory used up) ends the instance as well. Echoes of an ended instance are not news.
addEventListener('error', (event) => {
  if (/closure from previous WASM instance/.test(event.message)) event.preventDefault();
  else if (event.error instanceof WebAssembly.RuntimeError || (event.error instanceof RangeError && /wasm/.test(event.error.stack))) {
    if (!restarting) batchyard.panicked(event.message);
  }
});

// A promise may come back to an instance that has ended.
addEventListener('unhandledrejection', (event) => {
  if (/closure from previous WASM instance/.test(event.reason?.message)) event.preventDefault();
});

try {
  const module = await import(address('app.js').href);
  reset = module.__wbg_reset_state;
  batchyard.exports = module;
  await module.default({ module_or_path: address('app_bg.wasm') });
} catch (error) {
  if (!restarting) give_up(error);
}
