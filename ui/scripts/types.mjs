// Makes src/api/schema.ts from the schemas of our OpenAPI description: `npm run types`, with PYTHON set to an interpreter that has batuta.
// With --check it writes nothing and ends with 1 when the file is not current.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const here = path => fileURLToPath(new URL(path, import.meta.url));
const python = process.env.PYTHON ?? "python3";
const described = execFileSync(python, [here("openapi.py")], { encoding: "utf8", maxBuffer: 1 << 26 });
const text = `// Made by scripts/types.mjs from the server's OpenAPI description; change the server instead.\n${astToString(
  await openapiTS(JSON.parse(described), { alphabetize: true, defaultNonNullable: false, emptyObjectsUnknown: true }),
)}`;
const target = here("../src/api/schema.ts");
if (process.argv.includes("--check")) {
  const current = readFileSync(target, "utf8") === text;
  if (!current) console.error("src/api/schema.ts is out of date; run: npm run types");
  process.exit(current ? 0 : 1);
}
writeFileSync(target, text);
