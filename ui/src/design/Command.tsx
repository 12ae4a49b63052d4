import { CopyText } from "./CopyText";
import css from "./Command.module.css";

/** A command as it is typed, ready to be copied. */
export function Command({ text }: { text: string }) {
  return (
    <pre className={css.command}>
      <code>{text}</code>
      <CopyText text={text} label="Copy the command" />
    </pre>
  );
}
