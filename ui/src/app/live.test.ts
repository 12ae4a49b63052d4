import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Live } from "./live";

class Source {
  static opened: Source[] = [];
  listeners: Record<string, (event: unknown) => void> = {};
  onerror: (() => void) | null = null;
  closed = false;
  constructor(readonly url: string) {
    Source.opened.push(this);
  }
  addEventListener(kind: string, listener: (event: unknown) => void) {
    this.listeners[kind] = listener;
  }
  close() {
    this.closed = true;
  }
  say(kind: string, data: unknown, lastEventId = "e.1") {
    this.listeners[kind]!({ data: JSON.stringify(data), lastEventId });
  }
}

const page = {
  hidden: false,
  listeners: {} as Record<string, () => void>,
  addEventListener: (kind: string, listener: () => void) => void (page.listeners[kind] = listener),
};
const live = () => new Live(url => new Source(url) as unknown as EventSource);
const last = () => Source.opened.at(-1)!;
const settle = () => vi.advanceTimersByTimeAsync(0);
const hear = { ids: null, onChanges: () => {}, onReset: () => {} };

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", page);
  vi.stubGlobal("addEventListener", () => {});
  page.hidden = false;
  Source.opened = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("there is no connection until somebody watches, and none after", async () => {
  const one = live();
  await settle();
  expect(Source.opened).toHaveLength(0);
  const stop = one.watch(hear);
  await settle();
  expect([last().url, one.state]).toEqual(["/api/console/events?", "connecting"]);
  stop();
  await settle();
  expect([last().closed, one.state]).toEqual([true, "idle"]);
});

test("it is as wide as what is watched needs", async () => {
  const one = live();
  one.watch({ ...hear, ids: ["b"] });
  const stop = one.watch({ ...hear, ids: ["a"] });
  await settle();
  expect(last().url).toBe("/api/console/events?ids=a%2Cb");
  stop();
  await settle();
  expect(last().url).toBe("/api/console/events?ids=b");
  one.watch(hear);
  await settle();
  expect([last().url, Source.opened.filter(source => !source.closed).length]).toEqual(["/api/console/events?", 1]);
});

test("each is told of its own", async () => {
  const one = live();
  const mine = vi.fn();
  const all = vi.fn();
  one.watch({ ...hear, ids: ["a"], onChanges: mine });
  one.watch({ ...hear, onChanges: all });
  await settle();
  last().say("changes", [{ id: "b" }]);
  expect([mine.mock.calls.length, all.mock.calls.length]).toEqual([0, 1]);
  last().say("changes", [{ id: "a" }, { id: "c" }]);
  expect(mine.mock.calls).toEqual([[[{ id: "a" }]]]);
});

test("a tab that is hidden costs nothing, and goes on where it was", async () => {
  const one = live();
  one.watch(hear);
  await settle();
  last().say("hello", {}, "era.7");
  page.hidden = true;
  page.listeners.visibilitychange!();
  expect([last().closed, one.state]).toEqual([true, "paused"]);
  page.hidden = false;
  page.listeners.visibilitychange!();
  expect(last().url).toBe("/api/console/events?since=era.7");
});

test("silence is no life: it counts as lost, says so, and is tried again", async () => {
  const one = live();
  one.watch(hear);
  await settle();
  last().say("hello", {});
  expect(one.state).toBe("live");
  await vi.advanceTimersByTimeAsync(25_001);
  expect([one.state, last().closed]).toEqual(["lost", true]);
  await vi.advanceTimersByTimeAsync(501);
  expect([Source.opened.length, one.state]).toEqual([2, "lost"]); // until it is heard from
  last().say("beat", {});
  expect(one.state).toBe("live");
  last().onerror!();
  expect(one.state).toBe("lost");
});

test("whoever missed something is told to read again", async () => {
  const one = live();
  const onReset = vi.fn();
  one.watch({ ...hear, onReset });
  await settle();
  last().say("reset", {});
  expect(onReset).toHaveBeenCalledOnce();
});

test("what moved before the first word is read again; what moved since a mark is told", async () => {
  const one = live();
  const onReset = vi.fn();
  one.watch({ ...hear, onReset });
  await settle();
  last().say("hello", {}, "era.1");
  expect(onReset).toHaveBeenCalledOnce();
  last().onerror!();
  await vi.advanceTimersByTimeAsync(501);
  last().say("hello", {}, "era.1");
  expect([last().url, onReset.mock.calls.length]).toEqual(["/api/console/events?since=era.1", 1]);
});
