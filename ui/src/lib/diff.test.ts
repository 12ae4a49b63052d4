import { expect, test } from "vitest";
import { changed, diffOf, folded } from "./diff";

const marks = { same: " ", removed: "-", added: "+" };
const spelled = (before: string[], after: string[]) =>
  diffOf(before.join("\n"), after.join("\n")).map(line => marks[line.kind] + line.text);

test.each([
  [
    ["a", "b", "c"],
    ["a", "b", "c"],
    [" a", " b", " c"],
  ],
  [
    ["a", "b", "c"],
    ["a", "x", "c"],
    [" a", "-b", "+x", " c"],
  ],
  [
    ["a", "c"],
    ["a", "b", "c"],
    [" a", "+b", " c"],
  ],
  [["a", "b", "c"], ["c"], ["-a", "-b", " c"]],
  [
    ["a", "b", "c", "d", "e"],
    ["x", "b", "d", "e", "y"],
    ["-a", "+x", " b", "-c", " d", " e", "+y"],
  ],
  [
    ["}", "}"],
    ["}", "}", "}"],
    [" }", " }", "+}"],
  ],
])("%j and %j", (before, after, lines) => expect(spelled(before, after)).toEqual(lines));

test("either text comes back from the lines", () => {
  const before = Array.from({ length: 200 }, (_, n) => String((n * 7) % 11)).join("\n");
  const after = Array.from({ length: 180 }, (_, n) => String((n * 5) % 13)).join("\n");
  const lines = diffOf(before, after);
  expect(lines.filter(line => line.before).map(line => line.text)).toEqual(before.split("\n"));
  expect(lines.filter(line => line.after).map(line => line.text)).toEqual(after.split("\n"));
  expect(lines.filter(line => line.before).map(line => line.before)).toEqual(before.split("\n").map((_, n) => n + 1));
});

test("texts too long for a table are replaced as a whole", () => {
  const lines = (seed: string) => Array.from({ length: 3000 }, (_, n) => seed + n).join("\n");
  expect(changed(diffOf(lines("a"), lines("b")))).toEqual({ added: 3000, removed: 3000 });
});

test("what is far from a change is folded", () => {
  const before = Array.from({ length: 20 }, (_, n) => String(n));
  const after = before.with(10, "x");
  const shown = folded(diffOf(before.join("\n"), after.join("\n")));
  expect(shown.map(one => (one.kind === "fold" ? one.lines.length : marks[one.kind] + one.text))).toEqual([
    7,
    " 7",
    " 8",
    " 9",
    "-10",
    "+x",
    " 11",
    " 12",
    " 13",
    6,
  ]);
});
