// CodeMirror, in our colours. Its styles carry the page's nonce. Loaded on demand: see JsonEditor.tsx.
import { javascript } from "@codemirror/lang-javascript";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { linter, lintGutter } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { tags } from "@lezer/highlight";
import { basicSetup, EditorView } from "codemirror";
import { useEffect, useRef } from "react";
import { nonce } from "../app/nonce";

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
  ".cm-content": { caretColor: "var(--text)", fontFamily: "var(--mono)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--text-faint)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 8%, transparent)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 30%, transparent) !important",
  },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--text)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--line)" },
});

export default function Editor({
  label,
  value,
  onChange,
  language,
  height = "min(40vh, 360px)",
}: {
  label: string;
  value: string;
  onChange?: (text: string) => void;
  language: "json" | "javascript";
  height?: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(onChange);
  latest.current = onChange;
  const isEditable = onChange !== undefined;
  useEffect(() => {
    const made = new EditorView({
      parent: box.current!,
      doc: value,
      extensions: [
        basicSetup,
        language === "json" ? [json(), linter(jsonParseLinter()), lintGutter()] : javascript(),
        syntaxHighlighting(COLOURS),
        LOOK,
        EditorView.theme({ "&": { maxHeight: height }, ".cm-scroller": { overflow: "auto" } }),
        EditorView.cspNonce.of(nonce),
        EditorView.contentAttributes.of({ "aria-label": label }),
        EditorState.readOnly.of(!isEditable),
        EditorView.updateListener.of(update => update.docChanged && latest.current?.(update.state.doc.toString())),
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
  return <div ref={box} />;
}
