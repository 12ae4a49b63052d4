// Keys of the canvas: everything can be done without a pointer. Inside a field they are letters.
import { useReactFlow, type ReactFlowInstance } from "@xyflow/react";
import { useEffect } from "react";
import type { KeyRow } from "../design/KeyList";
import { duplicate, remove } from "./actions";
import { placed, type Link } from "./document";
import { studio } from "./studio";
import { CARD, WHOLE } from "./view";

export const KEYS: readonly KeyRow[] = [
  ["Space", "Add a node, behind the chosen one and linked to it"],
  ["Tab", "Next card or link; Enter on a card leads to its settings, Esc back to it"],
  ["Alt ← ↑ ↓ →", "The next card in that direction"],
  ["← ↑ ↓ →", "Move the chosen cards; Shift: further"],
  ["Delete", "Delete what is chosen, cards or links"],
  ["Ctrl Enter", "Run"],
  ["Ctrl Z, Ctrl Y", "Take back, do again"],
  ["Ctrl C, Ctrl X, Ctrl V", "Copy, cut and paste as JSON"],
  ["Ctrl D, Ctrl A", "Duplicate, choose all"],
  ["Shift 1", "See everything"],
  ["Ctrl S", "Keep it now; it is kept by itself, too"],
  ["?", "This list"],
];

const TRIES = 120; // frames that a card may take until it is there

/** The focus on a card, once it is there and drawn; the view follows when it is out of sight. */
export function goTo(flow: ReactFlowInstance, id: string, tries = TRIES): void {
  const card = document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
  if (card && isInSight(card)) card.focus({ preventScroll: true });
  if ((card && document.activeElement === card) || !tries) return;
  const at = placed(studio().state.document).get(id);
  if (at && tries % 20 === 0 && tries < TRIES && !(card && isInSight(card)))
    void flow.setCenter(at[0] + CARD.width / 2, at[1] + CARD.height / 2, { zoom: Math.max(0.5, flow.getZoom()) });
  requestAnimationFrame(() => goTo(flow, id, tries - 1));
}

function isInSight(card: Element): boolean {
  const stage = document.querySelector("[data-flow-canvas]")?.getBoundingClientRect();
  const { left, right, top, bottom } = card.getBoundingClientRect();
  return !!stage && right > stage.left && left < stage.right && bottom > stage.top && top < stage.bottom;
}

const DIRECTIONS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The nearest card in a direction; what lies aside counts double. */
function nextOf(from: string | undefined, [dx, dy]: [number, number]): string | undefined {
  const places = placed(studio().state.document);
  const here = from === undefined ? undefined : places.get(from);
  if (!here) return places.keys().next().value;
  let best: string | undefined;
  let least = Infinity;
  for (const [id, [x, y]] of places) {
    const ahead = (x - here[0]) * dx + (y - here[1]) * dy;
    const aside = Math.abs((x - here[0]) * dy) + Math.abs((y - here[1]) * dx);
    if (id !== from && ahead > 0 && ahead + 2 * aside < least) [best, least] = [id, ahead + 2 * aside];
  }
  return best;
}

const settings = () =>
  document.querySelector<HTMLElement>("aside :is(textarea, select, input):not([type=file])[id^=field-]");

export function Keys({
  cut,
  links,
  onPalette,
  onHelp,
}: {
  cut: ReadonlySet<string>;
  links: (cut: ReadonlySet<string>) => Link[];
  onPalette: () => void;
  onHelp: () => void;
}) {
  const flow = useReactFlow();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const { selected, nodes } = studio().state;
      const [chosen] = selected;
      const isControl = event.ctrlKey || event.metaKey;
      const key = event.key.toLowerCase();
      if (isControl && key === "enter") {
        event.preventDefault();
        void studio().start();
        return;
      }
      if (isControl && key === "s") {
        event.preventDefault();
        void studio().save();
        return;
      }
      if (target.closest("[role=dialog], [role=alertdialog], [role=menu], [data-radix-popper-content-wrapper]")) return;
      if (key === "escape" && target.closest("aside") && chosen !== undefined) {
        event.preventDefault();
        return goTo(flow, chosen);
      }
      if (target.closest("input, textarea, select, [contenteditable]")) return;
      const isOnButton = target.closest("button, a, audio, video, summary") !== null;
      if (isControl && key === "z") event.shiftKey ? studio().redo() : studio().undo();
      else if (isControl && key === "y") studio().redo();
      else if (isControl && key === "d") duplicate(selected);
      else if (isControl && key === "a") studio().select(nodes.keys());
      else if ((key === "delete" || key === "backspace") && !isControl) remove(selected, links(cut));
      else if (event.altKey && DIRECTIONS[event.key]) {
        const next = nextOf(chosen, DIRECTIONS[event.key]!);
        if (next !== undefined) {
          studio().select([next]);
          goTo(flow, next);
        }
      } else if (key === " " && !isOnButton) onPalette();
      else if (key === "enter" && !isOnButton && target.closest(".react-flow__node"))
        setTimeout(() => settings()?.focus()); // once the card is chosen, and its settings are there
      else if (event.shiftKey && event.code === "Digit1") void flow.fitView(WHOLE);
      else if (event.key === "?") onHelp();
      else return;
      event.preventDefault();
      if (event.altKey) event.stopImmediatePropagation(); // the cards would move, too
    };
    addEventListener("keydown", onKey, { capture: true });
    return () => removeEventListener("keydown", onKey, { capture: true });
  }, [cut, links, onPalette, onHelp, flow]);
  return null;
}
