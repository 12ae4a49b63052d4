// The live connection: one event source for the tab, as wide as what is on the page needs, closed while nobody looks.
//
// It says how it stands, and never that it is live when it is not: without a beat for STALE_MS it counts as lost. What was missed meanwhile is either
// told afterwards by the server (marks, engine/changes.py) or `onReset` is called, and whoever shows something reads it again.
import { useEffect, useRef, useSyncExternalStore } from "react";
import type { Change } from "../api/types";

export type LiveState = "idle" | "connecting" | "live" | "paused" | "lost";
type Watch = { ids: readonly string[] | null; onChanges: (changes: Change[]) => void; onReset: () => void };

const STALE_MS = 25_000; // the server beats every 10 s
const RETRY_MS = [500, 1_000, 2_000, 5_000];

export class Live {
  state: LiveState = "idle";
  lastHeard = 0;
  private watches = new Set<Watch>();
  private listeners = new Set<() => void>();
  private source: EventSource | null = null;
  private asked = ""; // what the open connection was asked for
  private mark = "";
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private held = false; // by the person

  constructor(private readonly open: (url: string) => EventSource = url => new EventSource(url)) {
    document.addEventListener("visibilitychange", () => this.settle());
    addEventListener("online", () => this.settle());
    addEventListener("offline", () => this.source && this.lost());
  }

  watch(watch: Watch): () => void {
    this.watches.add(watch);
    queueMicrotask(() => this.settle());
    return () => {
      this.watches.delete(watch);
      queueMicrotask(() => this.settle());
    };
  }

  /** The person holds updates, or lets them go on. */
  hold(held: boolean): void {
    this.held = held;
    this.settle();
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private wanted(): string {
    if (!this.watches.size) return "";
    const ids = new Set<string>();
    for (const watch of this.watches) {
      if (!watch.ids) return "all";
      for (const id of watch.ids) ids.add(id);
    }
    return ids.size > 50 ? "all" : [...ids].sort().join(",");
  }

  /** Make the connection what it should be. */
  private settle(): void {
    const wanted = this.wanted();
    if (!wanted) return this.close("idle");
    if (this.held || document.hidden) return this.close("paused");
    if (this.source && this.asked === wanted) return;
    this.close("connecting");
    this.asked = wanted;
    const since = this.mark ? `since=${encodeURIComponent(this.mark)}` : "";
    const ids = wanted === "all" ? "" : `ids=${encodeURIComponent(wanted)}`;
    const source = this.open(`/api/console/events?${[ids, since].filter(Boolean).join("&")}`);
    this.source = source;
    source.addEventListener("hello", event => {
      this.heard(event);
      // Without a mark nobody tells what moved between the page's first answers and now.
      if (!since) for (const watch of this.watches) watch.onReset();
    });
    source.addEventListener("beat", event => this.heard(event));
    source.addEventListener("reset", event => {
      this.heard(event);
      for (const watch of this.watches) watch.onReset();
    });
    source.addEventListener("changes", event => {
      this.heard(event);
      const changes = JSON.parse((event as MessageEvent<string>).data) as Change[];
      for (const watch of this.watches) {
        const its = watch.ids ? changes.filter(change => watch.ids!.includes(change.id)) : changes;
        if (its.length) watch.onChanges(its);
      }
    });
    source.onerror = () => this.lost();
    this.await();
  }

  private heard(event: Event): void {
    const id = (event as MessageEvent<string>).lastEventId;
    if (id) this.mark = id;
    this.lastHeard = Date.now();
    this.failures = 0;
    this.become("live");
    this.await();
  }

  /** Without a word in time the connection is dead, whatever the browser thinks of it. */
  private await(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lost(), STALE_MS);
  }

  private lost(): void {
    this.close("lost");
    const delay = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)]!;
    this.timer = setTimeout(() => this.settle(), delay);
  }

  private close(state: LiveState): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    if (!(state === "connecting" && this.state === "lost")) this.become(state); // until it is heard from, it is still lost
  }

  private become(state: LiveState): void {
    if (this.state === state) return;
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}

let shared: Live | undefined;
export const live = () => (shared ??= new Live());

export function useLiveState(): LiveState {
  return useSyncExternalStore(live().subscribe, () => live().state);
}

/** Be told of changes of these executions (null: of all; none: of nothing) while the component is there. */
export function useLive(
  ids: readonly string[] | null,
  onChanges: (changes: Change[]) => void,
  onReset: () => void,
): void {
  const latest = useRef({ onChanges, onReset });
  latest.current = { onChanges, onReset };
  const key = ids ? ids.join(",") : null;
  useEffect(() => {
    if (key === "") return;
    return live().watch({
      ids: key === null ? null : key.split(","),
      onChanges: changes => latest.current.onChanges(changes),
      onReset: () => latest.current.onReset(),
    });
  }, [key]);
}
