import { expect, test } from "vitest";
import type { TaskRow } from "../api/timeline";
import { isTimedOtherwise, pairsOf, parting, signed, slower, tookOf } from "./compare";

const row = (ref: string, more: Partial<TaskRow> = {}) =>
  ({
    ref,
    type: "SIMPLE",
    name: ref,
    status: "COMPLETED",
    scheduled: 1000,
    started: 1000,
    ended: 2000,
    ...more,
  }) as TaskRow;
const rows = (refs: string) =>
  refs
    .split(" ")
    .filter(Boolean)
    .map(ref => row(ref));

// refs of A, refs of B, all of them in order, those only one has
const ORDERS: [string, string, string][] = [
  ["a b c", "a b c", "a b c"],
  ["a b c", "a c", "a b< c"],
  ["a c", "a b c", "a b> c"],
  ["b", "a b", "a> b"],
  ["", "a b", "a> b>"],
  ["a b d", "a c e d", "a c> e> b< d"],
];
test.each(ORDERS)("%s and %s stand as %s", (a, b, expected) => {
  const said = { "only in A": "<", "only in B": ">" } as Record<string, string>;
  expect(
    pairsOf(rows(a), rows(b))
      .map(pair => pair.ref + (said[parting(pair)] ?? ""))
      .join(" "),
  ).toBe(expected);
});

// attempts in A, attempts in B, how they part
const PARTINGS: [Partial<TaskRow>[], Partial<TaskRow>[], string][] = [
  [[{}], [{}], ""],
  [[{}], [{ status: "FAILED" }], "ended otherwise"],
  [[{ status: "FAILED" }, {}], [{}], "2 and 1 attempts"],
  [[{ type: "HTTP" }], [{}], "became another task"],
];
test.each(PARTINGS)("%o and %o: %s", (a, b, expected) => {
  const make = (all: Partial<TaskRow>[]) => all.map(one => row("x", one));
  expect(parting({ ref: "x", a: make(a), b: make(b) })).toBe(expected);
});

// type, ms in A, ms in B (0: it has not ended), noticed
const TIMES: [string, number, number, boolean][] = [
  ["SIMPLE", 1000, 1150, false],
  ["SIMPLE", 1000, 1300, true],
  ["SIMPLE", 1300, 1000, true],
  ["SIMPLE", 10, 100, false],
  ["SIMPLE", 1000, 0, false],
  ["JOIN", 1000, 9000, false],
];
test.each(TIMES)("a %s of %d and %d ms: noticed %s", (type, a, b, expected) => {
  const one = (ms: number) => [row("x", { type, ended: ms && 1000 + ms })];
  expect(isTimedOtherwise({ ref: "x", a: one(a), b: one(b) })).toBe(expected);
});

test("the time of a task is that of all its attempts, back-off included", () => {
  expect(tookOf([row("x"), row("x", { scheduled: 5000, ended: 6000 })])).toBe(5000);
  expect(slower({ ref: "x", a: rows("x"), b: [] })).toBeNull();
  expect([signed(1500), signed(-20), signed(0)]).toEqual(["+1.5s", "−20ms", "0ms"]);
});
