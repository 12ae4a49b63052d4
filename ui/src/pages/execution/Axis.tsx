import { useEffect, useRef, useState, type PointerEvent } from "react";
import { duration } from "../../lib/format";
import { ticks, type Window } from "../../lib/lines";
import css from "./Timeline.module.css";

const TICK = 56; // the width of an instant on the axis
const LABEL = 28; // what its name needs at least; at the end of the axis one with less room is left out

/** Instants after the start. Drag over a part to look at it alone. */
export function Axis({
  window,
  zero,
  onZoom,
}: {
  window: Window;
  zero: number;
  onZoom: (window: Window | null) => void;
}) {
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const lane = useRef<HTMLDivElement>(null);
  const share = (event: PointerEvent) => {
    const box = lane.current!.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  };
  const [width, setWidth] = useState(8 * TICK);
  useEffect(() => {
    const observer = new ResizeObserver(() => setWidth(lane.current?.clientWidth ?? 0));
    observer.observe(lane.current!);
    return () => observer.disconnect();
  }, []);
  const span = window.to - window.from;
  return (
    <div className={css.axis}>
      <span className={css.name} />
      <div
        className={css.lane}
        ref={lane}
        title="Drag to look at a part of the time; double-click for all of it"
        onDoubleClick={() => onZoom(null)}
        onPointerDown={event => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: share(event), to: share(event) });
        }}
        onPointerMove={event => drag && setDrag({ ...drag, to: share(event) })}
        onPointerUp={() => {
          if (drag && Math.abs(drag.to - drag.from) > 0.01)
            onZoom({
              from: window.from + Math.min(drag.from, drag.to) * span,
              to: window.from + Math.max(drag.from, drag.to) * span,
            });
          setDrag(null);
        }}
      >
        {ticks(window, zero, Math.max(Math.floor(width / TICK), 2))
          .map(at => [at, (zero + at - window.from) / span] as const)
          .filter(([, share]) => (1 - share) * width >= LABEL)
          .map(([at, share]) => (
            <span key={at} className={css.tick} style={{ left: `${share * 100}%` }}>
              {at === 0 ? "0" : duration(at).replace(".0s", "s")}
            </span>
          ))}
        {drag && (
          <span
            className={css.drag}
            style={{ left: `${Math.min(drag.from, drag.to) * 100}%`, width: `${Math.abs(drag.to - drag.from) * 100}%` }}
          />
        )}
      </div>
    </div>
  );
}
