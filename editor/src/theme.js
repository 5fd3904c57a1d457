// How the editor looks: colours only from the page's custom properties, so that there is one place to choose them.

import { EditorView, Decoration, ViewPlugin } from '@codemirror/view';
import { HighlightStyle, syntaxHighlighting, syntaxTree } from '@codemirror/language';
import { RangeSetBuilder } from '@codemirror/state';
import { tags } from '@lezer/highlight';

const look = EditorView.theme({
  '&': { height: '100%', color: 'var(--ink)', backgroundColor: 'var(--panel)', fontSize: '13px' },
  // The page draws the focus around the whole editor, gutters included.
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '8px 0' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--select)' },
  '.cm-gutters': { color: 'var(--c)', backgroundColor: 'var(--panel)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--ink) 4%, transparent)' },
  '.cm-why': { backgroundColor: 'var(--select)', boxShadow: 'inset 3px 0 var(--accent)' },
  '.cm-selectionMatch, .cm-searchMatch': { backgroundColor: 'color-mix(in srgb, var(--backoff) 25%, transparent)' },
  '.cm-searchMatch-selected': { outline: '1px solid var(--backoff)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--select)', outline: '1px solid var(--line)' },
  '.cm-panels': { color: 'var(--ink)', backgroundColor: 'var(--sunk)', borderColor: 'var(--line)', fontFamily: 'var(--sans)' },
  '.cm-textfield, .cm-button': { color: 'var(--ink)', background: 'var(--panel)', border: '1px solid var(--line)', borderRadius: '4px' },
  '.cm-foldPlaceholder': { color: 'var(--soft)', background: 'var(--sunk)', border: '1px solid var(--line)' },
  '.cm-tooltip': { color: 'var(--ink)', backgroundColor: 'var(--panel)', border: '1px solid var(--line)', borderRadius: '6px', maxWidth: '60ch' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { color: 'var(--ink)', backgroundColor: 'var(--select)' },
  '.cm-completionDetail': { color: 'var(--soft)' },
  '.cm-about': { padding: '6px 10px', font: '13px/1.45 var(--sans)' },
  '.cm-diagnostic': { fontFamily: 'var(--sans)', whiteSpace: 'pre-wrap' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--failed)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--backoff)' },
  '.cm-diagnostic-info, .cm-diagnostic-hint': { borderLeftColor: 'var(--accent)' },
  // Shape says how grave it is, colour repeats it: wavy, dashed, dotted.
  '.cm-lintRange': { backgroundImage: 'none', textUnderlineOffset: '3px' },
  '.cm-lintRange-error': { textDecoration: 'underline wavy var(--failed)' },
  '.cm-lintRange-warning': { textDecoration: 'underline dashed var(--backoff)' },
  '.cm-lintRange-info, .cm-lintRange-hint': { textDecoration: 'underline dotted var(--accent)' },
  '.cm-scalar': { color: 'var(--n)' },
});

const colours = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: 'var(--k)' },
  { tag: tags.string, color: 'var(--s)' },
  { tag: [tags.comment, tags.meta], color: 'var(--c)' },
  { tag: [tags.keyword, tags.labelName, tags.typeName], color: 'var(--n)' },
]);

/** Numbers, booleans and null: the grammar tells no plain scalar from another, so they are told apart here. */
const SCALAR = /^(?:[-+]?(?:\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?|0x[\da-fA-F]+|0o?[0-7]+)|true|false|null|~)$/;
const scalar = Decoration.mark({ class: 'cm-scalar' });

const plainScalars = ViewPlugin.fromClass(
  class {
    constructor(view) {
      this.decorations = find(view);
    }

    update(update) {
      const parsed = syntaxTree(update.startState) !== syntaxTree(update.state);
      if (update.docChanged || update.viewportChanged || parsed) this.decorations = find(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

function find(view) {
  const found = new RangeSetBuilder();
  for (const { from, to } of view.visibleRanges) {
    syntaxTree(view.state).iterate({
      from,
      to,
      enter(node) {
        if (node.name !== 'Literal' || node.from < from || node.matchContext(['Key'])) return;
        if (SCALAR.test(view.state.sliceDoc(node.from, node.to))) found.add(node.from, node.to, scalar);
      },
    });
  }
  return found.finish();
}

const theme = [look, syntaxHighlighting(colours)];
export { plainScalars, theme };
