// The plan of this house, README.md, is true: a room uses what it says there and nothing else, and nothing goes in a circle.
import { expect, test } from "vitest";
import readme from "../README.md?raw";

const SOURCES = import.meta.glob<string>(["./**/*.{ts,tsx}", "!./**/*.test.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});
const IMPORT = /^(?:import|export)\s+(type\s)?([^"';]*?from\s+)?"(\.[^"]+)"|import\("(\.[^"]+)"\)/gm;

interface Use {
  from: string;
  to: string;
  isType: boolean;
  isLater: boolean;
}

/** Paths of sources, such as `design/Table`: from each to what it imports. */
const USES = Object.entries(SOURCES).flatMap(([path, text]) => {
  const from = named(path);
  return [...text.matchAll(IMPORT)].map((found): Use => {
    const names = found[2]
      ?.match(/\{([^}]*)\}/)?.[1]
      ?.split(",")
      .filter(name => name.trim());
    const isType = Boolean(found[1]) || Boolean(names?.every(name => name.trim().startsWith("type ")));
    const to = new URL(found[3] ?? found[4]!, `http://house/${from}`).pathname.slice(1);
    return { from, to: named(to), isType, isLater: found[4] !== undefined };
  });
});

function named(path: string): string {
  return path.replace(/^\.\//, "").replace(/\.tsx?(\?.*)?$/, "");
}

/** `design/Table` is in `design`; each page is a room of its own. */
const roomOf = (path: string) => /^(pages\/\w+|\w+)\//.exec(path)?.[1] ?? "";

test("a room uses what the plan says it may", () => {
  const rows = [...readme.matchAll(/^\| `src\/(\w+)\/.*\| ([^|]*) \|$/gm)];
  const plan = new Map(rows.map(row => [row[1]!, row[2]!]));
  expect([...plan.keys()].sort()).toEqual(["api", "app", "design", "flows", "graph", "lib", "pages"]);
  const wrong = USES.filter(({ from, to, isType }) => {
    const [mine, other] = [roomOf(from), roomOf(to)];
    if (!mine || !other || mine === other) return false;
    const may = plan.get(mine.split("/")[0]!)!;
    const names = [...may.matchAll(/(types of )?`([\w/]+)`/g)]
      .filter(found => isType || !found[1])
      .map(found => found[2]!);
    return !names.some(name => to.startsWith(`${name}/`) || to === name);
  });
  expect(wrong.map(({ from, to }) => `${from} uses ${to}`)).toEqual([]);
});

test("nothing goes in a circle", () => {
  const next = new Map<string, string[]>();
  for (const { from, to, isLater } of USES) if (!isLater) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (at: string, path: string[]) => {
    if (path.includes(at)) return void circles.push([...path.slice(path.indexOf(at)), at].join(" → "));
    if (done.has(at)) return;
    for (const to of next.get(at) ?? []) walk(to, [...path, at]);
    done.add(at);
  };
  for (const at of next.keys()) walk(at, []);
  expect(circles).toEqual([]);
});
