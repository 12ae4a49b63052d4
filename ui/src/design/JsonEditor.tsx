import { lazy, Suspense } from "react";
import css from "./JsonEditor.module.css";

const Editor = lazy(() => import("./Editor"));

/** A field for JSON; the editor is loaded when one is shown. */
export function JsonEditor(props: {
  label: string;
  value: string;
  onChange?: (text: string) => void;
  height?: string;
}) {
  return (
    <div className={css.editor}>
      <Suspense fallback={<textarea aria-label={props.label} value={props.value} readOnly />}>
        <Editor {...props} language="json" />
      </Suspense>
    </div>
  );
}
