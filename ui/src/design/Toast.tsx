// Short words about what was just done. Good news leaves by itself; bad news stays until it is closed.
import { useSyncExternalStore } from "react";
import { wordsOf } from "../lib/format";
import { Button } from "./Button";
import css from "./Toast.module.css";

interface Note {
  key: number;
  kind: "good" | "bad";
  text: string;
  href?: string;
}
let notes: readonly Note[] = [];
let next = 0;
const listeners = new Set<() => void>();
function set(now: readonly Note[]): void {
  notes = now;
  for (const listener of listeners) listener();
}
const drop = (key: number) => set(notes.filter(note => note.key !== key));

export function toast(kind: Note["kind"], text: string, href?: string): void {
  const key = next++;
  set([...notes.slice(-3), { key, kind, text, href }]);
  if (kind === "good") setTimeout(() => drop(key), 5000);
}

/** Do it, and say how it went. True when it was done. */
export async function told<T>(work: Promise<T>, done: string, href?: string): Promise<boolean> {
  try {
    await work;
    toast("good", done, href);
    return true;
  } catch (error) {
    toast("bad", wordsOf(error));
    return false;
  }
}

export function Toasts() {
  const shown = useSyncExternalStore(
    listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notes,
  );
  return (
    <div className={css.toasts} role="status" aria-live="polite">
      {shown.map(note => (
        <div key={note.key} className={css.toast} data-kind={note.kind}>
          <span className={css.text}>{note.href ? <a href={note.href}>{note.text}</a> : note.text}</span>
          <Button kind="quiet" small icon="x" aria-label="Dismiss" onClick={() => drop(note.key)} />
        </div>
      ))}
    </div>
  );
}
