// The fields of a start form: from the schema of the input, else from the names of its parameters, else from what the last execution was given.
import type { WorkflowDef } from "../api/types";
import { wordsOf } from "./format";
import { isBranch } from "./json";

export type Kind = "text" | "lines" | "number" | "integer" | "boolean" | "choice" | "json";
export interface Field {
  name: string;
  title: string;
  kind: Kind;
  required: boolean;
  description: string;
  choices: unknown[];
  /** What it is when nobody says otherwise; undefined: nothing. */
  preset: unknown;
}
export interface Form {
  from: "schema" | "parameters" | "last" | "nothing";
  fields: Field[];
}
type Given = Record<string, unknown>;
type Schema = Record<string, unknown>;

const asObject = (value: unknown): Given => (isBranch(value) && !Array.isArray(value) ? (value as Given) : {});

export function formOf(definition: WorkflowDef, last: unknown): Form {
  const presets = asObject(definition.inputTemplate);
  const before = asObject(last);
  const schema = asObject(definition.inputSchema?.data);
  const properties = asObject(schema.properties);
  const names = definition.inputParameters ?? [];
  if (Object.keys(properties).length) {
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    const fields = Object.entries(properties).map(([name, one]) => {
      const field = fieldOf(name, resolved(asObject(one), schema), required.has(name));
      return { ...field, preset: field.preset ?? presets[name] };
    });
    return { from: "schema", fields };
  }
  if (names.length)
    return { from: "parameters", fields: names.map(name => guessed(name, presets[name], before[name])) };
  const known = Object.keys({ ...presets, ...before });
  return {
    from: known.length ? "last" : "nothing",
    fields: known.map(name => guessed(name, presets[name], before[name])),
  };
}

/** `$ref` into the schema itself; anything else stays as it is. */
function resolved(one: Schema, root: Schema): Schema {
  for (let depth = 0; depth < 8; depth++) {
    const ref = one.$ref;
    if (typeof ref !== "string" || !ref.startsWith("#/")) return one;
    let target: unknown = root;
    for (const part of ref.slice(2).split("/"))
      target = asObject(target)[part.replaceAll("~1", "/").replaceAll("~0", "~")];
    one = { ...asObject(target), ...Object.fromEntries(Object.entries(one).filter(([key]) => key !== "$ref")) };
  }
  return one;
}

function fieldOf(name: string, schema: Schema, required: boolean): Field {
  const types = (Array.isArray(schema.type) ? schema.type : [schema.type]).filter(type => type !== "null");
  const choices = Array.isArray(schema.enum) ? schema.enum : "const" in schema ? [schema.const] : [];
  const long = schema.format === "textarea" || (typeof schema.maxLength === "number" && schema.maxLength > 200);
  const kinds: Record<string, Kind> = {
    string: long ? "lines" : "text",
    number: "number",
    integer: "integer",
    boolean: "boolean",
  };
  return {
    name,
    title: typeof schema.title === "string" ? schema.title : name,
    kind: choices.length ? "choice" : (types.length === 1 && kinds[String(types[0])]) || "json",
    required,
    description: typeof schema.description === "string" ? schema.description : "",
    choices,
    preset: schema.default,
  };
}

/** A field of a name alone: what it was before tells what it is; one never seen is a text. */
function guessed(name: string, preset: unknown, before: unknown): Field {
  const example = before ?? preset;
  const type = typeof example;
  let kind: Kind = "text";
  if (type === "boolean" || type === "number") kind = type;
  else if (isBranch(example)) kind = "json";
  else if (String(example).includes("\n")) kind = "lines";
  return { name, title: name, kind, required: false, description: "", choices: [], preset };
}

/** What stands in a field for a value; "" for none. */
export function textOf(field: Field, value: unknown): string {
  if (value === undefined) return "";
  if (field.kind === "json") return JSON.stringify(value, null, 2);
  if (field.kind === "choice") return JSON.stringify(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The texts of an input: as it was given, else as it is preset. */
export function textsOf(form: Form, input: unknown): Record<string, string> {
  const given = asObject(input);
  return Object.fromEntries(
    form.fields.map(field => [
      field.name,
      textOf(field, Object.hasOwn(given, field.name) ? given[field.name] : field.preset),
    ]),
  );
}

/** The input that the texts say, over *rest* (members without a field); and by field what is wrong with it. */
export function inputOf(
  form: Form,
  texts: Record<string, string>,
  rest: unknown = {},
): { input: Given; wrong: Record<string, string> } {
  const input: Given = { ...asObject(rest) };
  const wrong: Record<string, string> = {};
  for (const field of form.fields) {
    const text = texts[field.name] ?? "";
    delete input[field.name];
    if (text.trim() === "") {
      if (field.required) wrong[field.name] = "is required";
      continue;
    }
    const read = valueOf(field, text);
    if (typeof read === "string") wrong[field.name] = read;
    else input[field.name] = read.value;
  }
  return { input, wrong };
}

/** The value, or why the text is none. */
function valueOf(field: Field, text: string): { value: unknown } | string {
  switch (field.kind) {
    case "text":
    case "lines":
      return { value: text };
    case "number":
    case "integer": {
      const value = Number(text);
      if (!Number.isFinite(value)) return `found ${JSON.stringify(text)}, expected a number`;
      if (field.kind === "integer" && !Number.isInteger(value)) return `found ${text}, expected a whole number`;
      return { value };
    }
    case "boolean":
      return { value: text === "true" };
    case "choice":
    case "json":
      try {
        return { value: JSON.parse(text) as unknown };
      } catch (error) {
        return `is no JSON: ${wordsOf(error)}`;
      }
  }
}
