// What a schema of the server's OpenAPI description says about a place in a JSON text: which names may stand there, which values.
import { isBranch, type Path } from "./json";

interface ApiSchema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  properties?: Record<string, ApiSchema>;
  additionalProperties?: boolean | ApiSchema;
  items?: ApiSchema;
  anyOf?: ApiSchema[];
  description?: string;
  default?: unknown;
}
export type ApiSchemas = Record<string, ApiSchema>;

/** The schema of what stands at the path in one of this name; undefined where anything may stand. */
export function schemaAt(schemas: ApiSchemas, name: string, path: Path): ApiSchema | undefined {
  let here = known(schemas, schemas[name]);
  for (const key of path) {
    const more = here?.additionalProperties;
    if (typeof key === "number") here = known(schemas, here?.items);
    else here = known(schemas, here?.properties?.[key] ?? (isBranch(more) ? (more as ApiSchema) : undefined));
  }
  return here;
}

function known(schemas: ApiSchemas, schema: ApiSchema | undefined): ApiSchema | undefined {
  for (let depth = 0; schema && depth < 8; depth++) {
    const one: ApiSchema | undefined = schema.anyOf?.find(each => each.$ref ?? each.properties);
    if (schema.$ref) schema = schemas[schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)];
    else if (one) schema = one;
    else return schema;
  }
  return schema;
}

/** What a property is, in a few words: "integer, 0 unless given". */
export function wordsOf(schemas: ApiSchemas, schema: ApiSchema): string {
  const here = known(schemas, schema) ?? schema;
  const type = here.enum ? here.enum.join(" | ") : [here.type ?? "any"].flat().join(" | ");
  const preset = schema.default;
  return preset === undefined || isBranch(preset) ? type : `${type}, ${JSON.stringify(preset)} unless given`;
}

/** Properties nobody knows, and values that are none of those there are, with the path of each. */
export function oddities(schemas: ApiSchemas, name: string, value: unknown): { path: Path; message: string }[] {
  const found: { path: Path; message: string }[] = [];
  const look = (one: unknown, schema: ApiSchema | undefined, path: Path) => {
    const here = known(schemas, schema);
    if (!here || found.length >= 100) return;
    if (here.enum && one !== null && !here.enum.includes(one))
      found.push({ path, message: `found ${JSON.stringify(one)}, expected one of ${here.enum.join(", ")}` });
    if (Array.isArray(one)) one.forEach((member, n) => look(member, here.items, [...path, n]));
    else if (isBranch(one))
      for (const [key, member] of Object.entries(one)) {
        const inner = here.properties?.[key];
        const more = here.additionalProperties;
        if (inner) look(member, inner, [...path, key]);
        else if (isBranch(more)) look(member, more as ApiSchema, [...path, key]);
        else if (here.properties && !more)
          found.push({ path: [...path, key], message: `${JSON.stringify(key)} is no field of it: it has no effect` });
      }
  };
  look(value, schemas[name], []);
  return found;
}

const KEPT = new Set(["name", "version", "type"]); // said even when they are what they would be anyway
/** The value without members that only repeat what holds when they are absent. */
export function lean(schemas: ApiSchemas, name: string, value: unknown): unknown {
  const strip = (one: unknown, schema: ApiSchema | undefined): unknown => {
    const here = known(schemas, schema);
    if (!here) return one;
    if (Array.isArray(one)) return one.map(member => strip(member, here.items));
    if (!isBranch(one)) return one;
    const more = isBranch(here.additionalProperties) ? (here.additionalProperties as ApiSchema) : undefined;
    const kept = Object.entries(one).filter(
      ([key, member]) => KEPT.has(key) || JSON.stringify(member) !== JSON.stringify(here.properties?.[key]?.default),
    );
    return Object.fromEntries(kept.map(([key, member]) => [key, strip(member, here.properties?.[key] ?? more)]));
  };
  return strip(value, schemas[name]);
}
