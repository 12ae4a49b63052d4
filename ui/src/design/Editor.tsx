// CodeMirror, in our colours. Its styles carry the page's nonce. Loaded on demand: see JsonEditor.tsx.
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { javascript } from "@codemirror/lang-javascript";
import { json, jsonLanguage, jsonParseLinter } from "@codemirror/lang-json";
import { ensureSyntaxTree, HighlightStyle, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { linter, lintGutter, type Diagnostic } from "@codemirror/lint";
import { EditorState, StateEffect } from "@codemirror/state";
import { tags } from "@lezer/highlight";
import { basicSetup, EditorView } from "codemirror";
import { useEffect, useRef } from "react";
import { nonce } from "../app/nonce";
import type { Path } from "../lib/json";
import { pathAt, rangeOf } from "./jsonPlaces";

const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--text)" },
  { tag: tags.string, color: "var(--completed-text)" },
  { tag: tags.number, color: "var(--running-text)" },
  { tag: [tags.bool, tags.keyword], color: "var(--waiting-text)" },
  { tag: [tags.null, tags.comment], color: "var(--text-faint)" },
]);
const LOOK = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--surface)", fontSize: "12px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-content": { caretColor: "var(--text)", fontFamily: "var(--mono)", minHeight: "56px" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--text-faint)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 8%, transparent)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 30%, transparent) !important",
  },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--text)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--line)" },
});

export interface Mark {
  path: Path;
  message: string;
  severity?: "error" | "warning";
}
/** What may be written at a place: names of members, or values. */
export type Complete = (path: Path, isName: boolean) => Completion[];

export interface EditorProps {
  label: string;
  value: string;
  onChange?: (text: string) => void;
  height?: string;
  /** Of JSON: what is said about a place of it, shown there. */
  marks?: readonly Mark[];
  complete?: Complete;
  /** Scrolled to when it changes. */
  reveal?: Path;
  /** Where the cursor went. */
  onPlace?: (path: Path) => void;
}

export default function Editor(props: EditorProps & { language: "json" | "javascript" }) {
  const { label, value, language, height = "min(40vh, 360px)", marks, reveal } = props;
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  latest.current = props;
  const isEditable = props.onChange !== undefined;
  useEffect(() => {
    const made = new EditorView({
      parent: box.current!,
      doc: value,
      extensions: [
        basicSetup,
        language === "json" ? jsonWith(() => latest.current) : javascript(),
        syntaxHighlighting(COLOURS),
        LOOK,
        EditorView.theme({
          "&": height === "fill" ? { height: "100%" } : { maxHeight: height },
          ".cm-scroller": { overflow: "auto" },
        }),
        EditorView.cspNonce.of(nonce),
        EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
        EditorState.readOnly.of(!isEditable),
        EditorView.updateListener.of(update => {
          if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
          if (update.selectionSet && latest.current.onPlace) latest.current.onPlace(placeAt(update.state).path);
        }),
      ],
    });
    view.current = made;
    return () => made.destroy();
  }, [label, language, height, isEditable]);
  useEffect(() => {
    const shown = view.current;
    if (shown && shown.state.doc.toString() !== value)
      shown.dispatch({ changes: { from: 0, to: shown.state.doc.length, insert: value } });
  }, [value]);
  useEffect(() => {
    view.current?.dispatch({ effects: MARKED.of(null) });
  }, [marks]);
  useEffect(() => {
    const shown = view.current;
    if (!shown || !reveal) return;
    const { from } = rangeIn(shown.state, reveal);
    shown.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
  }, [reveal]);
  return <div ref={box} style={height === "fill" ? { height: "100%" } : undefined} />;
}

const treeOf = (state: EditorState) => ensureSyntaxTree(state, state.doc.length, 200) ?? syntaxTree(state);
const rangeIn = (state: EditorState, path: Path) =>
  rangeOf(treeOf(state), (from, to) => state.sliceDoc(from, to), path);
const placeAt = (state: EditorState, at = state.selection.main.head) =>
  pathAt(treeOf(state), (from, to) => state.sliceDoc(from, to), at);

const MARKED = StateEffect.define<null>(); // the marks are others: look again
/** JSON, with what is wrong with it: as JSON, and by the marks; and with what may be written next. */
function jsonWith(props: () => EditorProps) {
  const parsed = jsonParseLinter();
  const lint = linter(
    view => {
      const broken = view.state.doc.length ? parsed(view) : []; // an empty one is not begun, not broken
      if (broken.length) return broken;
      return (props().marks ?? []).map(({ path, message, severity = "error" }): Diagnostic => ({
        ...rangeIn(view.state, path),
        severity,
        message,
      }));
    },
    {
      delay: 300,
      needsRefresh: update => update.transactions.some(one => one.effects.some(effect => effect.is(MARKED))),
    },
  );
  const complete = (context: CompletionContext): CompletionResult | null => {
    const asked = props().complete;
    const written = context.matchBefore(/"?[\w$]*/);
    if (!asked || (!context.explicit && !written?.text)) return null;
    const { path, isName } = placeAt(context.state, context.pos);
    const isOpened = written?.text.startsWith('"') ?? false;
    const isClosed = context.state.sliceDoc(context.pos, context.pos + 1) === '"';
    const options = asked(path, isName).map(option => ({
      ...option,
      apply:
        JSON.stringify(option.label).slice(isOpened ? 1 : 0, isClosed ? -1 : undefined) +
        (isName && !isClosed ? ": " : ""),
    }));
    const from = (written?.from ?? context.pos) + (isOpened ? 1 : 0);
    return { from, options, validFor: /^[\w$]*$/ };
  };
  return [json(), jsonLanguage.data.of({ autocomplete: complete }), lint, lintGutter()];
}
