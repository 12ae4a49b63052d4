import { lazy, Suspense } from "react";
import type { EditorProps } from "./Editor";
import css from "./JsonEditor.module.css";

const Editor = lazy(() => import("./Editor"));

/** A field for JSON; the editor is loaded when one is shown. `height` may be "fill": as high as what it stands in. */
export function JsonEditor(props: EditorProps) {
  return (
    <div className={css.editor} data-fill={props.height === "fill" || undefined}>
      <Suspense fallback={<textarea aria-label={props.label} value={props.value} readOnly />}>
        <Editor {...props} language="json" />
      </Suspense>
    </div>
  );
}
