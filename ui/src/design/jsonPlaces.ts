// From a place in a JSON text to its path and back, by the editor's syntax tree, which also stands while the text is half written.
import type { SyntaxNode, Tree } from "@lezer/common";
import type { Path } from "../lib/json";

const VALUES = new Set(["Object", "Array", "String", "Number", "True", "False", "Null"]);
type Read = (from: number, to: number) => string;

const valueOf = (node: SyntaxNode): SyntaxNode | null => {
  for (let one = node.firstChild; one; one = one.nextSibling) if (VALUES.has(one.name)) return one;
  return null;
};

function nameOf(property: SyntaxNode, read: Read): string | null {
  const name = property.getChild("PropertyName");
  if (!name) return null;
  try {
    return JSON.parse(read(name.from, name.to)) as string;
  } catch {
    return null;
  }
}

/** Where the path is in the text: the name of a property, or all of an element; the nearest that is there when it is not. */
export function rangeOf(tree: Tree, read: Read, path: Path): { from: number; to: number } {
  let value = valueOf(tree.topNode);
  let range = { from: value?.from ?? 0, to: Math.min((value?.from ?? 0) + 1, value?.to ?? 0) };
  for (const key of path) {
    let next: SyntaxNode | null = null;
    if (value?.name === "Array" && typeof key === "number") {
      const members = [];
      for (let one = value.firstChild; one; one = one.nextSibling) if (VALUES.has(one.name)) members.push(one);
      next = members[key] ?? null;
      if (next)
        range = { from: next.from, to: next.name === "Object" || next.name === "Array" ? next.from + 1 : next.to };
    } else if (value?.name === "Object") {
      const property = value.getChildren("Property").find(one => nameOf(one, read) === String(key));
      const name = property?.getChild("PropertyName");
      next = property ? valueOf(property) : null;
      if (name) range = { from: name.from, to: name.to };
    }
    if (!next) break;
    value = next;
  }
  return range;
}

/** The path of the innermost value around the position; of a name being written, the path of the object it is in. */
export function pathAt(tree: Tree, read: Read, at: number): { path: Path; isName: boolean } {
  const path: Path = [];
  const node = tree.resolveInner(at, -1);
  const isInObject = node.name === "Object" || node.parent?.name === "Object";
  const isName =
    node.name === "PropertyName" ||
    node.name === "Object" ||
    (isInObject && node.name !== "Property" && !VALUES.has(node.name));
  for (let one: SyntaxNode | null = node; one; one = one.parent) {
    const isBeingNamed = node.name === "PropertyName" && one === node.parent;
    if (one.name === "Property" && !isBeingNamed) {
      const name = nameOf(one, read);
      if (name !== null) path.unshift(name);
    } else if (one.parent?.name === "Array" && VALUES.has(one.name)) {
      let index = 0;
      for (let before = one.prevSibling; before; before = before.prevSibling) if (VALUES.has(before.name)) index++;
      path.unshift(index);
    }
  }
  return { path, isName };
}
