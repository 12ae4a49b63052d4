import { useState } from "react";
import { wordsOf } from "../lib/format";
import { JsonEditor } from "./JsonEditor";
import css from "./Field.module.css";

/** JSON typed by hand: told of when it can be read, and null told of when it cannot. */
export function JsonField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: unknown;
  onChange: (value: { read: unknown } | null) => void;
}) {
  const [text, setText] = useState(() => (value === undefined ? "" : JSON.stringify(value, null, 2)));
  const [wrong, setWrong] = useState("");
  return (
    <div className={css.field}>
      <label>{label}</label>
      <JsonEditor
        label={label}
        value={text}
        onChange={next => {
          setText(next);
          try {
            onChange({ read: next.trim() ? JSON.parse(next) : undefined });
            setWrong("");
          } catch (error) {
            setWrong(wordsOf(error));
            onChange(null);
          }
        }}
      />
      {wrong && (
        <span className={css.wrong} role="alert">
          {wrong}
        </span>
      )}
    </div>
  );
}
