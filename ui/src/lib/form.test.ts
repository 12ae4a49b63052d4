import { expect, test } from "vitest";
import type { WorkflowDef } from "../api/types";
import { formOf, inputOf, textsOf } from "./form";

const define = (more: object) => ({ name: "flow", tasks: [], ...more }) as unknown as WorkflowDef;
const SCHEMA = {
  type: "object",
  required: ["commit", "count"],
  $defs: { board: { enum: ["esp32", "esp32s3"], description: "What it is built for" } },
  properties: {
    commit: { type: "string", title: "Commit" },
    count: { type: "integer", default: 3 },
    ratio: { type: ["number", "null"] },
    dry: { type: "boolean" },
    board: { $ref: "#/$defs/board" },
    notes: { type: "string", maxLength: 4000 },
    options: { type: "object" },
    either: { type: ["string", "number"] },
  },
};

test("a schema becomes fields", () => {
  const form = formOf(
    define({ inputSchema: { name: "s", type: "JSON", data: SCHEMA }, inputTemplate: { dry: true } }),
    {},
  );
  expect(form.from).toBe("schema");
  expect(form.fields.map(field => [field.name, field.kind, field.required])).toEqual([
    ["commit", "text", true],
    ["count", "integer", true],
    ["ratio", "number", false],
    ["dry", "boolean", false],
    ["board", "choice", false],
    ["notes", "lines", false],
    ["options", "json", false],
    ["either", "json", false],
  ]);
  expect(form.fields[0]!.title).toBe("Commit");
  expect(form.fields[4]!.description).toBe("What it is built for");
  expect(textsOf(form, {})).toMatchObject({ commit: "", count: "3", dry: "true", board: "" });
});

test("parameters become fields of the kind they last had", () => {
  const form = formOf(define({ inputParameters: ["a", "b", "c"] }), { a: 1, b: { x: [1] }, other: 1 });
  expect(form).toMatchObject({ from: "parameters" });
  expect(form.fields.map(field => [field.name, field.kind])).toEqual([
    ["a", "number"],
    ["b", "json"],
    ["c", "text"],
  ]);
});

test("without either, the last input tells what there is", () => {
  expect(formOf(define({}), { text: "two\nlines", yes: true }).fields.map(field => field.kind)).toEqual([
    "lines",
    "boolean",
  ]);
  expect(formOf(define({}), undefined)).toEqual({ from: "nothing", fields: [] });
});

test("texts are read as what they are, and what is wrong is said at its field", () => {
  const form = formOf(define({ inputSchema: { data: SCHEMA } }), undefined);
  const texts = {
    commit: "0017",
    count: "2",
    ratio: "",
    dry: "false",
    board: '"esp32"',
    options: '{"a": [1]}',
    either: '"x"',
  };
  expect(inputOf(form, texts, { more: 1, commit: "before" })).toEqual({
    input: { more: 1, commit: "0017", count: 2, dry: false, board: "esp32", options: { a: [1] }, either: "x" },
    wrong: {},
  });
  const { input, wrong } = inputOf(form, { count: "2.5", ratio: "much", options: "{", dry: "" });
  expect(input).toEqual({});
  expect(Object.keys(wrong).sort()).toEqual(["commit", "count", "options", "ratio"]);
  expect(wrong.commit).toBe("is required");
});

test("a value comes back from its text as it was", () => {
  const input = {
    commit: "abc",
    count: 7,
    ratio: 0.5,
    dry: false,
    board: "esp32s3",
    notes: "a\nb",
    options: { a: null },
    either: 4,
  };
  const form = formOf(define({ inputSchema: { data: SCHEMA } }), undefined);
  expect(inputOf(form, textsOf(form, input)).input).toEqual(input);
});
