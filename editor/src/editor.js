// The manifest editor: CodeMirror 6 behind the few calls that the page needs.
//
// It lives in a shadow root. There CodeMirror puts its styles into constructed style sheets, which a
// Content-Security-Policy of `style-src 'self'` allows; in the document itself it would add a <style> element, which
// that policy blocks. Custom properties (--ink, --panel …) pass into the shadow root, so light and dark follow the page.
//
// Lines and columns count from 1; a column counts characters (code points), as the engine's diagnostics do.

import { Annotation, Compartment, EditorState, Prec, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration, EditorView, crosshairCursor, drawSelection, dropCursor, highlightActiveLine, highlightActiveLineGutter,
  highlightSpecialChars, hoverTooltip, keymap, lineNumbers, rectangularSelection,
} from '@codemirror/view';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from '@codemirror/language';
import { yaml } from '@codemirror/lang-yaml';
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, completionStatus } from '@codemirror/autocomplete';
import { plainScalars, theme } from './theme.js';

/** After Escape, Tab moves on instead of indenting for this long. */
const TAB_LEAVES_FOR_MS = 10_000;

/** Marks a change of the text made by the page itself, which is not told back to it. */
const fromPage = Annotation.define();

const showLine = StateEffect.define();
const shownLine = StateField.define({
  create: () => Decoration.none,
  update(lines, transaction) {
    lines = lines.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(showLine)) lines = effect.value === null ? Decoration.none : Decoration.set([why.range(effect.value)]);
    }
    return lines;
  },
  provide: (field) => EditorView.decorations.from(field),
});
const why = Decoration.line({ class: 'cm-why' });

/**
 * Puts an editor into `parent` and returns its handle.
 *
 * @param {HTMLElement} parent an element with a height of its own
 * @param {object} [options]
 * @param {string} [options.text] the first text
 * @param {string} [options.file] the name of the file it belongs to, for `show`
 * @param {string} [options.label] the name told to screen readers
 * @param {boolean} [options.readOnly]
 * @param {'light'|'dark'} [options.theme]
 * @param {Diagnostic[]} [options.diagnostics]
 * @param {(text: string) => void} [options.onChange] after each edit by the user
 * @param {(text: string) => void} [options.onApply] on Mod-Enter
 * @param {(line: number, column: number) => void} [options.onCursor] when the cursor moves
 * @param {(text: string, line: number, column: number) => Array<{label, detail?, info?, apply?, type?}> | null} [options.complete]
 *   what could stand at this place; `from` of the words is found here
 * @param {(text: string, line: number, column: number) => string | null} [options.hover] a sentence about this place
 *
 * @typedef {{line: number, column: number}} Place
 * @typedef {{from: Place, to?: Place, severity: 'error'|'warning'|'info'|'hint', message: string}} Diagnostic
 */
export function mount(parent, options = {}) {
  const host = parent.appendChild(document.createElement('div'));
  host.className = 'editor-host';
  host.style.height = '100%';
  const root = host.attachShadow({ mode: 'open' });
  const readOnly = new Compartment();
  const darkness = new Compartment();
  const settings = { readOnly: options.readOnly ?? false, dark: options.theme === 'dark' };
  const inForce = () => [
    readOnly.reconfigure(EditorState.readOnly.of(settings.readOnly)),
    darkness.reconfigure(EditorView.darkTheme.of(settings.dark)),
  ];

  const stateOf = (text) =>
    EditorState.create({
      doc: text,
      extensions: [
        Prec.highest(keymap.of(commands(options))),
        readOnly.of(EditorState.readOnly.of(settings.readOnly)),
        darkness.of(EditorView.darkTheme.of(settings.dark)),
        EditorView.contentAttributes.of({ 'aria-label': options.label ?? 'Manifest', tabindex: '0' }),
        told(options),
        overSelection,
        hints(options),
        shownLine,
        basics(),
        theme,
      ],
    });

  const view = new EditorView({ parent: root, root, state: stateOf(options.text ?? '') });
  // Whoever gives the focus to the element means the text; `delegatesFocus` would give it to CodeMirror's scroller.
  host.focus = () => view.focus();
  /** The files not shown at the moment, with their undo history and cursor, by name. */
  const others = new Map();
  let shown = options.file ?? '';

  const handle = {
    getText: () => view.state.doc.toString(),
    /** Replaces the text; the user can undo it. Not told to `onChange`. */
    setText(text) {
      if (text === handle.getText()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, annotations: fromPage.of(true) });
    },
    /**
     * Shows another file, with the undo history and cursor it had; `text` is what it should hold. Marks and the
     * highlighted line of the old file stay with it. Not told to `onChange`.
     */
    show(name, text) {
      if (name !== shown) {
        others.set(shown, view.state);
        view.setState(others.get(name) ?? stateOf(text));
        view.dispatch({ effects: inForce() });
        others.delete(name);
        shown = name;
      }
      handle.setText(text);
    },
    /** Forgets a file that was closed or renamed. */
    forget: (name) => others.delete(name),
    /** Replaces all marks. @param {Diagnostic[]} diagnostics */
    setDiagnostics(diagnostics) {
      const marks = diagnostics.map((diagnostic) => mark(view.state.doc, diagnostic));
      view.dispatch(setDiagnostics(view.state, marks.sort((a, b) => a.from - b.from)));
    },
    /** Scrolls a line into the middle and puts the cursor on it, without taking the focus. */
    revealLine(line) {
      const from = offset(view.state.doc, { line, column: 1 });
      view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
    },
    /** Marks one line (the cause of what the page explains), or none with null. */
    highlightLine(line) {
      view.dispatch({ effects: showLine.of(line === null ? null : offset(view.state.doc, { line, column: 1 })) });
    },
    setReadOnly(on) {
      settings.readOnly = on;
      view.dispatch({ effects: inForce() });
    },
    /** Only for CodeMirror's own defaults: the colours come from the page's custom properties. */
    setTheme(name) {
      settings.dark = name === 'dark';
      view.dispatch({ effects: inForce() });
    },
    focus: () => view.focus(),
    destroy() {
      view.destroy();
      host.remove();
    },
  };
  handle.setDiagnostics(options.diagnostics ?? []);
  return handle;
}

function commands({ onApply }) {
  return [
    { key: 'Mod-Enter', run: (view) => (onApply?.(view.state.doc.toString()), true) },
    {
      key: 'Escape',
      // Never taken from others (closing a panel or a list): it only opens the way out for the next Tab.
      run(view) {
        if (completionStatus(view.state) === null) view.setTabFocusMode(TAB_LEAVES_FOR_MS);
        return false;
      },
    },
  ];
}

/**
 * Typing over a selection of several lines. Left to itself, Chromium joins the lines' elements and writes a style attribute
 * to keep their looks, which a policy of `style-src 'self'` blocks with a message in the console.
 */
const overSelection = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { state } = view;
    const { from, to } = state.selection.main;
    const lines = state.doc.lineAt(to).number - state.doc.lineAt(from).number;
    if (event.inputType !== 'insertText' || event.isComposing || !event.data || state.readOnly || lines === 0) return false;
    const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: 'input.type', scrollIntoView: true });
    const taken = state.facet(EditorView.inputHandler).some((handler) => handler(view, from, to, event.data, insert));
    if (!taken) view.dispatch(insert());
    return true;
  },
});

/** Tells the page about edits and the cursor. */
function told({ onChange, onCursor }) {
  return EditorView.updateListener.of((update) => {
    const byPage = update.transactions.some((transaction) => transaction.annotation(fromPage));
    if (update.docChanged && !byPage) onChange?.(update.state.doc.toString());
    if (onCursor && (update.selectionSet || update.docChanged)) {
      const { line, column } = place(update.state.doc, update.state.selection.main.head);
      onCursor(line, column);
    }
  });
}

/** Completion and hover, as far as the page offers them. */
function hints({ complete, hover }) {
  const ask = (call, state, at) => {
    const { line, column } = place(state.doc, at);
    return call(state.doc.toString(), line, column);
  };
  const source = (context) => {
    const word = context.matchBefore(/[\w.\/-]*/);
    if (word.from === word.to && !context.explicit) return null;
    const options = ask(complete, context.state, context.pos);
    return options?.length ? { from: word.from, options, validFor: /^[\w.\/-]*$/ } : null;
  };
  const tooltip = (view, at) => {
    const text = ask(hover, view.state, at);
    if (!text) return null;
    const dom = Object.assign(document.createElement('div'), { className: 'cm-about', textContent: text });
    return { pos: at, create: () => ({ dom }) };
  };
  return [complete ? autocompletion({ override: [source], icons: false }) : [], hover ? hoverTooltip(tooltip) : []];
}

function basics() {
  return [
    lineNumbers(), highlightActiveLineGutter(), highlightSpecialChars(), history(), foldGutter(), drawSelection(), dropCursor(),
    EditorState.allowMultipleSelections.of(true), EditorState.tabSize.of(2), indentUnit.of('  '), indentOnInput(), bracketMatching(),
    closeBrackets(), rectangularSelection(), crosshairCursor(), highlightActiveLine(), highlightSelectionMatches(), lintGutter(),
    yaml(), plainScalars,
    keymap.of([
      ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap,
      ...lintKeymap, indentWithTab,
    ]),
  ];
}

/** A diagnostic in CodeMirror's terms. Without an end it runs to the end of its line, and is never empty. */
function mark(doc, { from, to, severity, message }) {
  const start = offset(doc, from);
  const lineEnd = doc.lineAt(start).to;
  const end = Math.max(start, to ? offset(doc, to) : lineEnd);
  return { from: start, to: end, severity, message };
}

/** The position of a place in the text, moved to the nearest one that exists. */
function offset(doc, { line, column }) {
  const { from, text } = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return from + [...text].slice(0, Math.max(column - 1, 0)).join('').length;
}

function place(doc, at) {
  const { number, from, text } = doc.lineAt(at);
  return { line: number, column: [...text.slice(0, at - from)].length + 1 };
}
