// Two areas side by side with a border that can be dragged, or moved with the arrow keys. On a narrow screen the second lies over the first.
import { useCallback, useRef, useState, useSyncExternalStore, type ReactNode } from "react";
import css from "./Panel.module.css";

const KEY = "batuta.panel";
const MIN = 300;

const narrow = matchMedia("(max-width: 860px)"); // Panel.module.css has the same bound
/** Whether there is no room for two areas side by side. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    listener => {
      narrow.addEventListener("change", listener);
      return () => narrow.removeEventListener("change", listener);
    },
    () => narrow.matches,
  );
}

function remembered(): number {
  try {
    return Number(localStorage.getItem(KEY)) || 440;
  } catch {
    return 440;
  }
}

export function Panels({ children, panel, label }: { children: ReactNode; panel: ReactNode | null; label: string }) {
  const [width, setWidth] = useState(remembered);
  const box = useRef<HTMLDivElement>(null);
  const most = () => Math.max(MIN, (box.current?.clientWidth ?? 1200) - 360);
  const resize = useCallback((wish: number) => {
    const next = Math.round(Math.min(Math.max(wish, MIN), most()));
    setWidth(next);
    try {
      localStorage.setItem(KEY, String(next));
    } catch {
      // as long as the page lasts
    }
  }, []);
  return (
    <div className={css.panels} ref={box}>
      <div className={css.main}>{children}</div>
      {panel && (
        <>
          <div
            className={css.border}
            role="separator"
            aria-orientation="vertical"
            aria-label={`Width of ${label}`}
            aria-valuenow={width}
            aria-valuemin={MIN}
            tabIndex={0}
            onKeyDown={event => {
              if (event.key === "ArrowLeft") resize(width + 24);
              if (event.key === "ArrowRight") resize(width - 24);
            }}
            onPointerDown={event => {
              const from = event.clientX;
              const before = width;
              const border = event.currentTarget;
              border.setPointerCapture(event.pointerId);
              border.onpointermove = move => resize(before + from - move.clientX);
              border.onpointerup = () => {
                border.onpointermove = null;
              };
            }}
          />
          <aside className={css.side} aria-label={label} style={{ "--panel": `${width}px` } as React.CSSProperties}>
            {panel}
          </aside>
        </>
      )}
    </div>
  );
}
