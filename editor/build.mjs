// Bundles the editor into one ES module: `node build.mjs OUT`. Called by `cargo xtask editor`.

import { build } from 'esbuild';

const [outfile] = process.argv.slice(2);
if (!outfile) throw new Error('usage: node build.mjs OUT');

await build({
  entryPoints: ['src/editor.js'],
  outfile,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  charset: 'utf8',
  legalComments: 'none',
  banner: {
    js: '/* Built from editor/ by `cargo xtask editor`: do not edit. CodeMirror and Lezer: MIT, Marijn Haverbeke and others. */',
  },
});
