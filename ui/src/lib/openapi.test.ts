import { expect, test } from "vitest";
import { lean, oddities, schemaAt, wordsOf, type ApiSchemas } from "./openapi";

const SCHEMAS: ApiSchemas = {
  Flow: {
    properties: {
      name: { type: "string" },
      tasks: { type: "array", items: { $ref: "#/components/schemas/Node" } },
      policy: { enum: ["A", "B"], default: "A" },
      free: { type: "object", additionalProperties: {} },
    },
  },
  Node: {
    properties: {
      type: { type: "string" },
      cases: { type: "object", additionalProperties: { type: "array", items: { $ref: "#/components/schemas/Node" } } },
      sub: { anyOf: [{ type: "null" }, { $ref: "#/components/schemas/Flow" }] },
    },
  },
};

test("a place has the schema of what stands there", () => {
  expect(Object.keys(schemaAt(SCHEMAS, "Flow", [])!.properties!)).toEqual(["name", "tasks", "policy", "free"]);
  expect(schemaAt(SCHEMAS, "Flow", ["tasks", 0, "cases", "x", 3, "sub", "policy"])!.enum).toEqual(["A", "B"]);
  expect(schemaAt(SCHEMAS, "Flow", ["free", "a", "b"])).toBeUndefined();
  expect(schemaAt(SCHEMAS, "None", ["a"])).toBeUndefined();
  expect(wordsOf(SCHEMAS, SCHEMAS.Flow!.properties!.policy!)).toBe('A | B, "A" unless given');
});

test("what nobody knows is told, but not where anything may stand", () => {
  const value = { name: 1, nmae: 2, policy: "C", free: { x: 1 }, tasks: [{ cases: { a: [{ tpye: 1 }] }, sub: null }] };
  expect(oddities(SCHEMAS, "Flow", value).map(one => one.path)).toEqual([
    ["nmae"],
    ["policy"],
    ["tasks", 0, "cases", "a", 0, "tpye"],
  ]);
});

test("what holds anyway is left out, but never the user's own values", () => {
  const value = { name: "a", policy: "A", free: { policy: "A" }, tasks: [{ sub: { policy: "A", name: "b" } }] };
  expect(lean(SCHEMAS, "Flow", value)).toEqual({ name: "a", free: { policy: "A" }, tasks: [{ sub: { name: "b" } }] });
});
