import { useEffect, useState } from "react";
import { Button } from "./Button";

/** Puts the text on the clipboard. Without permission for it the person is shown the text to copy. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // not a secure context: a plain http address that is not this machine's
  }
}

export function CopyText({ text, label }: { text: string; label: string }) {
  const [state, setState] = useState<"" | "done" | "refused">("");
  useEffect(() => {
    if (!state) return;
    const timer = setTimeout(() => setState(""), 1500);
    return () => clearTimeout(timer);
  }, [state]);
  return (
    <Button
      kind="quiet"
      small
      icon={state === "done" ? "check" : state === "refused" ? "x" : "copy"}
      aria-label={state === "done" ? "Copied" : state === "refused" ? "The browser does not allow copying here" : label}
      onClick={async event => {
        event.stopPropagation();
        setState((await copy(text)) ? "done" : "refused");
      }}
    />
  );
}
