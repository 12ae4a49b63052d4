// What was, what is, what was taken back. Changes of one kind in quick succession, such as typing in a field, are one step.
export interface Timeline<T> {
  past: readonly T[];
  now: T;
  future: readonly T[];
  /** What kind of change made `now`, and when. */
  kind: string;
  at: number;
}

const STEPS_MAX = 200;
const ONE_STEP_MS = 1500;

export const begin = <T>(now: T): Timeline<T> => ({ past: [], now, future: [], kind: "", at: 0 });

export function changedTo<T>(line: Timeline<T>, next: T, kind: string, at: number): Timeline<T> {
  if (next === line.now) return line;
  const goesOn = kind !== "" && kind === line.kind && at - line.at < ONE_STEP_MS && line.past.length > 0;
  const past = goesOn ? line.past : [...line.past, line.now].slice(-STEPS_MAX);
  return { past, now: next, future: [], kind, at };
}

export function undone<T>(line: Timeline<T>): Timeline<T> {
  const before = line.past.at(-1);
  if (before === undefined) return line;
  return { past: line.past.slice(0, -1), now: before, future: [line.now, ...line.future], kind: "", at: 0 };
}

export function redone<T>(line: Timeline<T>): Timeline<T> {
  const [next, ...future] = line.future;
  if (next === undefined) return line;
  return { past: [...line.past, line.now], now: next, future, kind: "", at: 0 };
}
