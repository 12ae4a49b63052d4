// Keys that work everywhere: g and a letter go to a page, / searches, ? tells. Inside a field they are letters.
import { useEffect, useRef } from "react";
import { useLocation } from "wouter";
import type { KeyRow } from "../design/KeyList";
import { RAIL } from "./pages";

export const SHORTCUTS: readonly KeyRow[] = [
  ["Ctrl K", "Go anywhere, do anything"],
  ["/", "Search on this page"],
  ["?", "This list"],
  ...RAIL.filter(page => page.letter).map((page): KeyRow => [`g ${page.letter}`, page.title]),
  ["j, k", "Next and previous row"],
  ["Enter", "Open the row"],
  ["x", "Select the row"],
  ["Esc", "Close what is open"],
];

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable], .cm-editor") !== null;

export function useKeyboard(openPalette: () => void, openHelp: () => void): void {
  const [, navigate] = useLocation();
  const wentAt = useRef(0);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        openPalette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === "/") {
        const field = document.querySelector<HTMLInputElement>("[data-search]");
        if (field) {
          event.preventDefault();
          field.focus();
        }
      } else if (event.key === "?") openHelp();
      else if (event.key === "g") wentAt.current = Date.now();
      else if (Date.now() - wentAt.current < 1000) {
        const page = RAIL.find(one => one.letter === event.key);
        wentAt.current = 0;
        if (page) navigate(page.paths[0]!);
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [navigate, openPalette, openHelp]);
}
