import { expect, test } from "vitest";
import { differences, keyOf, linesOf, search, spelled, unfolded } from "./json";

const value = { a: { b: [1, { c: "Needle" }] }, "odd key": null, empty: {} };

test("only what is unfolded becomes lines", () => {
  expect(linesOf(value, new Set()).length).toBe(1);
  expect(linesOf(value, new Set([keyOf([]), keyOf(["a"])])).map(line => [line.key, line.depth, line.size])).toEqual([
    [null, 0, 3],
    ["a", 1, 1],
    ["b", 2, 2],
    ["odd key", 1, 0],
    ["empty", 1, 0],
  ]);
});

test("small things are unfolded at once, large ones are not", () => {
  expect(linesOf(value, unfolded(value)).length).toBe(8);
  const large = { list: Array.from({ length: 100_000 }, (_, n) => n), small: { x: 1 } };
  expect(linesOf(large, unfolded(large)).length).toBe(3);
});

test("a search finds keys and values and unfolds the way to them", () => {
  const { found, open } = search(value, "needle");
  expect(found).toEqual([keyOf(["a", "b", 1, "c"])]);
  expect(linesOf(value, open).some(line => line.value === "Needle")).toBe(true);
  expect(search(value, "odd").found).toEqual([keyOf(["odd key"])]);
  expect(search(value, "").found).toEqual([]);
});

test("paths are written as expressions read them", () => {
  expect(spelled(["a", "b", 1, "odd key"], "task.output")).toBe('task.output.a.b[1]["odd key"]');
  expect(spelled(["a"])).toBe("a");
});

test("differences name the place", () => {
  expect(
    differences({ a: 1, b: [1, 2], c: { d: 1 } }, { a: 1, b: [1, 3, 4], e: null }).map(d => [spelled(d.path), d.kind]),
  ).toEqual([
    ["b[1]", "changed"],
    ["b[2]", "added"],
    ["c", "removed"],
    ["e", "added"],
  ]);
  expect(differences([], {})).toHaveLength(1);
});
