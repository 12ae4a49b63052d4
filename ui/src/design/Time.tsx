// Instants and durations; those that are still going tick, all by one timer, and none while the tab is hidden.
import { useSyncExternalStore } from "react";
import { usePreferences } from "../app/preferences";
import { ago, duration, instant, isInstant, when } from "../lib/format";

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let present = Date.now();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    if (document.hidden) return;
    present = Date.now();
    for (const one of listeners) one();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (!listeners.size) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The present, once a second. */
export function useNow(ticking = true): number {
  return useSyncExternalStore(ticking ? subscribe : noSubscription, () => present);
}
const noSubscription = () => () => {};

const SECONDS = /:\d\d:\d\d$/; // what is older is told by the minute
interface WhenProps {
  at: number;
  relative?: boolean;
  /** It may lie in the future; otherwise what seems to is a clock that is wrong. */
  ahead?: boolean;
  /** To the millisecond, of today. */
  exact?: boolean;
}

/** An instant; the title says all of it. */
export function When({ at, relative = false, ahead = false, exact = false }: WhenProps) {
  usePreferences();
  const now = useNow(relative);
  if (!at || !isInstant(at)) return <span className="faint">{when(at)}</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={instant(at)}>
      {relative
        ? ago(at, ahead ? now : Math.max(now, at))
        : exact
          ? when(at).replace(SECONDS, `$&.${String(at % 1000).padStart(3, "0")}`)
          : when(at)}
    </time>
  );
}

/** How long from one instant to another, or until now while there is no other. */
export function Duration({ from, to, skew = 0 }: { from: number; to: number; skew?: number }) {
  const now = useNow(!to && from > 0);
  if (!from) return <span className="faint">–</span>;
  return <span>{duration((to || Math.max(now, Date.now() - 1000) + skew) - from)}</span>;
}
