// Two texts line by line: what stayed, what went, what came. What stayed far from a change is folded.
export interface DiffLine {
  kind: "same" | "removed" | "added";
  text: string;
  /** Line numbers from 1 in the text before and after; 0 where it is not in it. */
  before: number;
  after: number;
}
export interface Fold {
  kind: "fold";
  lines: DiffLine[];
}

const CELLS_MAX = 4_000_000; // of the table of two texts, without what they begin and end with alike: beyond it the middle counts as replaced

export function diffOf(before: string, after: string): DiffLine[] {
  const a = before.split("\n");
  const b = after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const lines: DiffLine[] = [];
  const same = (n: number, m: number) => lines.push({ kind: "same", text: a[n]!, before: n + 1, after: m + 1 });
  for (let n = 0; n < head; n++) same(n, n);
  lines.push(...middle(a, head, a.length - tail, b, head, b.length - tail));
  for (let n = tail; n > 0; n--) same(a.length - n, b.length - n);
  return lines;
}

/** The longest common subsequence of a[a0…a1) and b[b0…b1), and what is between. */
function middle(a: string[], a0: number, a1: number, b: string[], b0: number, b1: number): DiffLine[] {
  const removed = (n: number): DiffLine => ({ kind: "removed", text: a[n]!, before: n + 1, after: 0 });
  const added = (m: number): DiffLine => ({ kind: "added", text: b[m]!, before: 0, after: m + 1 });
  const width = b1 - b0 + 1;
  const lines: DiffLine[] = [];
  let n = a0;
  let m = b0;
  if ((a1 - a0 + 1) * width <= CELLS_MAX) {
    const longest = new Uint32Array((a1 - a0 + 1) * width); // from here to the end
    for (let i = a1 - 1; i >= a0; i--)
      for (let j = b1 - 1; j >= b0; j--) {
        const at = (i - a0) * width + (j - b0);
        longest[at] = a[i] === b[j] ? longest[at + width + 1]! + 1 : Math.max(longest[at + width]!, longest[at + 1]!);
      }
    while (n < a1 && m < b1) {
      const at = (n - a0) * width + (m - b0);
      if (a[n] === b[m]) lines.push({ kind: "same", text: a[n]!, before: ++n, after: ++m });
      else if (longest[at + width]! >= longest[at + 1]!) lines.push(removed(n++));
      else lines.push(added(m++));
    }
  }
  while (n < a1) lines.push(removed(n++));
  while (m < b1) lines.push(added(m++));
  return lines;
}

/** The lines with *around* unchanged ones beside every change; longer runs of unchanged ones are folds. */
export function folded(lines: readonly DiffLine[], around = 3): (DiffLine | Fold)[] {
  const shown: (DiffLine | Fold)[] = [];
  for (let at = 0; at < lines.length;) {
    let end = at;
    while (end < lines.length && lines[end]!.kind === "same") end++;
    const from = at === 0 ? at : Math.min(at + around, end);
    const to = end === lines.length ? end : Math.max(end - around, from);
    shown.push(...lines.slice(at, from));
    if (to - from > 1) shown.push({ kind: "fold", lines: lines.slice(from, to) });
    else shown.push(...lines.slice(from, to));
    shown.push(...lines.slice(to, end));
    while (end < lines.length && lines[end]!.kind !== "same") shown.push(lines[end++]!);
    at = end;
  }
  return shown;
}

export const changed = (lines: readonly DiffLine[]) => ({
  added: lines.filter(line => line.kind === "added").length,
  removed: lines.filter(line => line.kind === "removed").length,
});
