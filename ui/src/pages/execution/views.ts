import type { TaskRow, Tasks } from "../../api/timeline";
import type { ConsoleExecution } from "../../api/types";
import type { Place } from "../../lib/definition";

/** What every view of an execution is given: all look at the same tasks and share one selection. */
export interface ViewProps {
  execution: ConsoleExecution;
  tasks: Tasks;
  places: ReadonlyMap<string, Place>;
  selected: TaskRow | null;
  /** Selected too, though it was not reached and has no row. */
  planned: Place | null;
  select: (row: TaskRow | null) => void;
  /** Select a task by its reference, reached or not. */
  selectRef: (ref: string) => void;
}

/** Tasks that were not reached and can be stepped over: not those inside a loop, which are made anew for each turn. */
export function skippable(places: ReadonlyMap<string, Place>, rows: readonly TaskRow[]): string[] {
  const reached = new Set(rows.map(row => row.base));
  const isInLoop = (place: Place | undefined): boolean =>
    place !== undefined &&
    place.parent !== "" &&
    (places.get(place.parent)?.type === "DO_WHILE" || isInLoop(places.get(place.parent)));
  return [...places.values()].filter(place => !reached.has(place.ref) && !isInLoop(place)).map(place => place.ref);
}
