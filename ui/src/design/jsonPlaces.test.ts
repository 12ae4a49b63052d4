import { jsonLanguage } from "@codemirror/lang-json";
import { expect, test } from "vitest";
import { pathAt, rangeOf } from "./jsonPlaces";

const TEXT = `{"name": "a", "tasks": [{"x": 1}, {"x": [true, {"deep": null}]}], "odd \\"key": {}}`;
const read = (text: string) => (from: number, to: number) => text.slice(from, to);
const tree = (text: string) => jsonLanguage.parser.parse(text);

test.each([
  [[], "{"],
  [["name"], '"name"'],
  [["tasks", 1], "{"],
  [["tasks", 1, "x", 1, "deep"], '"deep"'],
  [["tasks", 1, "x", 0], "true"],
  [["tasks", 9, "x"], '"tasks"'],
  [["tasks", 1, "missing"], "{"],
  [['odd "key'], '"odd \\"key"'],
])("%j is found", (path, found) => {
  const { from, to } = rangeOf(tree(TEXT), read(TEXT), path);
  expect(TEXT.slice(from, to)).toBe(found);
});

test.each([
  ['{"tasks": [{}, {"type": "|"}]}', ["tasks", 1, "type"], false],
  ['{"tasks": [{"|"}]}', ["tasks", 0], true],
  ['{"tasks": [{"a": 1, |}]}', ["tasks", 0], true],
  ['{"na|me": 1}', [], true],
  ['{"policy": |}', ["policy"], false],
])("%s", (marked, path, isName) => {
  const at = marked.indexOf("|");
  const text = marked.replace("|", "");
  expect(pathAt(tree(text), read(text), at)).toEqual({ path, isName });
});
