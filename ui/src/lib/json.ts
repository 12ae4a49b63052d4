// JSON as lines to be shown: only what is unfolded becomes lines, so that a payload of any size opens at once.
export interface JsonLine {
  /** The keys on the way here: its identity, and what is copied as its path. */
  path: (string | number)[];
  depth: number;
  key: string | number | null;
  value: unknown;
  /** Members, for an object or a list. */
  size: number;
  open: boolean;
  last: boolean;
  closes?: boolean;
}

/** Keys and indexes on the way to a value. */
export type Path = (string | number)[];
export const keyOf = (path: readonly (string | number)[]) => JSON.stringify(path);
export const isBranch = (value: unknown): value is object => typeof value === "object" && value !== null;
export const sizeOf = (value: unknown) =>
  Array.isArray(value) ? value.length : isBranch(value) ? Object.keys(value).length : 0;

/** What is unfolded at first: the top, and what is below it while that makes at most *most* lines. */
export function unfolded(root: unknown, most = 60): Set<string> {
  const open = new Set<string>();
  let lines = 0;
  let level: { path: (string | number)[]; value: unknown }[] = [{ path: [], value: root }];
  while (level.length) {
    const below: typeof level = [];
    for (const { path, value } of level) {
      if (!isBranch(value)) continue;
      const size = sizeOf(value);
      if (path.length && lines + size > most) return open;
      open.add(keyOf(path));
      lines += size;
      if (size <= 1000)
        for (const [key, member] of membersOf(value)) below.push({ path: [...path, key], value: member });
    }
    level = below;
  }
  return open;
}

export function membersOf(value: object): [string | number, unknown][] {
  return Array.isArray(value) ? value.map((member, index) => [index, member]) : Object.entries(value);
}

export function linesOf(root: unknown, open: ReadonlySet<string>): JsonLine[] {
  const lines: JsonLine[] = [];
  const add = (path: (string | number)[], key: string | number | null, value: unknown, last: boolean) => {
    const isOpen = isBranch(value) && open.has(keyOf(path));
    lines.push({ path, depth: path.length, key, value, size: sizeOf(value), open: isOpen, last });
    if (!isOpen) return;
    const members = membersOf(value as object);
    members.forEach(([name, member], index) => add([...path, name], name, member, index === members.length - 1));
  };
  add([], null, root, true);
  return lines;
}

/** Places whose key or plain value holds the words, whatever the case, and all that must be unfolded to see them; at most *most*. */
export function search(root: unknown, words: string, most = 500): { found: string[]; open: Set<string> } {
  const wanted = words.toLowerCase();
  const found: string[] = [];
  const open = new Set<string>([keyOf([])]);
  const look = (value: unknown, path: (string | number)[]) => {
    if (found.length >= most) return;
    const key = path.at(-1);
    const hit =
      (typeof key === "string" && key.toLowerCase().includes(wanted)) ||
      (!isBranch(value) && String(value).toLowerCase().includes(wanted));
    if (hit) {
      found.push(keyOf(path));
      for (let n = 1; n < path.length; n++) open.add(keyOf(path.slice(0, n)));
    }
    if (isBranch(value)) for (const [name, member] of membersOf(value)) look(member, [...path, name]);
  };
  if (wanted) look(root, []);
  return { found, open };
}

const PLAIN = /^[A-Za-z_$][\w$]*$/;
/** a.b[0]["odd key"], after *root*. */
export function spelled(path: readonly (string | number)[], root = ""): string {
  let text = root;
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (PLAIN.test(part)) text += text ? `.${part}` : part;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

export interface Difference {
  path: (string | number)[];
  kind: "added" | "removed" | "changed";
  before: unknown;
  after: unknown;
}
/** Where two values differ, in the order of the first; at most *most*. */
export function differences(before: unknown, after: unknown, most = 1000): Difference[] {
  const found: Difference[] = [];
  const compare = (a: unknown, b: unknown, path: (string | number)[]) => {
    if (found.length >= most || Object.is(a, b)) return;
    if (isBranch(a) && isBranch(b) && Array.isArray(a) === Array.isArray(b)) {
      const left = new Map(membersOf(a));
      const right = new Map(membersOf(b));
      for (const [key, value] of left) {
        if (right.has(key)) compare(value, right.get(key), [...path, key]);
        else found.push({ path: [...path, key], kind: "removed", before: value, after: undefined });
      }
      for (const [key, value] of right)
        if (!left.has(key)) found.push({ path: [...path, key], kind: "added", before: undefined, after: value });
      return;
    }
    found.push({
      path,
      kind: a === undefined ? "added" : b === undefined ? "removed" : "changed",
      before: a,
      after: b,
    });
  };
  compare(before, after, []);
  return found.slice(0, most);
}
