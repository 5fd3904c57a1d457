// What an instance of the engine fetches when it is first needed, for the page (`boot.js`) and for workers (`worker.js`):
// code that was left out at first, and the table of time zones.
//
// Everything is addressed relative to this file, with this file's own `?v=…`, so that one build's files stay together.

const address = (name) => new URL(name + new URL(import.meta.url).search, new URL('.', import.meta.url));

/** Compiled code of parts of the engine, by file; and what is linked to which instance (its exports). */
const compiled = new Map();
const linked = new WeakMap();

/**
 * Links files to the instance that `running` gives, each file once, and tells it of the end: `done` is the place of its
 * function in the table, called with `data` and whether all went well.
 */
export async function link(running, files, done, data) {
  const wasm = running();
  if (!linked.has(wasm)) linked.set(wasm, new Map());
  const links = linked.get(wasm);
  const instantiate = (file, code) => WebAssembly.instantiate(code, { __wasm_split: wasm });
  let came = true;
  try {
    const codes = await Promise.all(files.map((file) => once(compiled, file, fetch_code)));
    for (const [at, file] of files.entries()) await once(links, file, () => instantiate(file, codes[at]));
  } catch {
    came = false;
  }
  // After a panic there is another instance, which asks for itself.
  if (running() === wasm) wasm.__indirect_function_table.get(done)(data, came);
}

/** The table of time zones, as bytes. */
export async function zones() {
  const answer = await fetch(address('tzdb.bin'));
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** What `make` promises for `key`, made once unless it fails. */
function once(known, key, make) {
  if (!known.has(key)) {
    const promise = make(key);
    known.set(key, promise);
    promise.catch(() => known.delete(key));
  }
  return known.get(key);
}

async function fetch_code(file) {
  const answer = await fetch(address(file));
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return WebAssembly.compile(await answer.arrayBuffer());
}
