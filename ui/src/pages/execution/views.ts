import type { TaskRow, Tasks } from "../../api/timeline";
import type { ConsoleExecution } from "../../api/types";
import type { Place } from "../../lib/definition";

/** What every view of an execution is given: all look at the same tasks and share one selection. */
export interface ViewProps {
  execution: ConsoleExecution;
  tasks: Tasks;
  places: ReadonlyMap<string, Place>;
  selected: TaskRow | null;
  select: (row: TaskRow | null) => void;
}
