// What a person wrote and has not saved: whoever leaves is asked first. Closing or reloading the tab asks through the browser; the console's own ways
// are asked for in app/Leaving.tsx, and dialogs ask by themselves (design/Dialog).
import { useCallback, useEffect, useRef } from "react";

const held = new Set<object>();
const ask = (event: BeforeUnloadEvent) => event.preventDefault();

function change(key: object, isHeld: boolean): void {
  if (isHeld) held.add(key);
  else held.delete(key);
  if (held.size) addEventListener("beforeunload", ask);
  else removeEventListener("beforeunload", ask);
}

/** While *isDirty*, leaving is asked about. What it answers lets go at once: call it when all is saved, before going elsewhere. */
export function useUnsaved(isDirty: boolean): () => void {
  const key = useRef({}).current;
  useEffect(() => {
    change(key, isDirty);
    return () => change(key, false);
  }, [key, isDirty]);
  return useCallback(() => change(key, false), [key]);
}

export const isUnsaved = () => held.size > 0;
export const letGo = () => [...held].forEach(key => change(key, false));
