// Every status there is, Conductor's words for people: colour and shape. One nobody knows is shown by its own text.
type Tone =
  | "scheduled"
  | "running"
  | "waiting"
  | "completed"
  | "partial"
  | "failed"
  | "timedout"
  | "cancelled"
  | "paused"
  | "skipped";

interface StatusLook {
  label: string;
  tone: Tone | null;
  shape: Shape | null;
}
export type Shape =
  "hollow" | "ring" | "clock" | "check" | "check-alert" | "cross" | "hourglass" | "square" | "bars" | "arrow";

const LOOKS: Record<string, StatusLook> = {
  SCHEDULED: { label: "Scheduled", tone: "scheduled", shape: "hollow" },
  IN_PROGRESS: { label: "In progress", tone: "running", shape: "ring" },
  RUNNING: { label: "Running", tone: "running", shape: "ring" },
  WAITING: { label: "Waiting", tone: "waiting", shape: "clock" }, // ours: a WAIT or HUMAN that is in progress
  COMPLETED: { label: "Completed", tone: "completed", shape: "check" },
  COMPLETED_WITH_ERRORS: { label: "Completed with errors", tone: "partial", shape: "check-alert" },
  FAILED: { label: "Failed", tone: "failed", shape: "cross" },
  FAILED_WITH_TERMINAL_ERROR: { label: "Failed for good", tone: "failed", shape: "cross" },
  TIMED_OUT: { label: "Timed out", tone: "timedout", shape: "hourglass" },
  TERMINATED: { label: "Terminated", tone: "cancelled", shape: "square" },
  CANCELED: { label: "Cancelled", tone: "cancelled", shape: "square" },
  PAUSED: { label: "Paused", tone: "paused", shape: "bars" },
  SKIPPED: { label: "Skipped", tone: "skipped", shape: "arrow" },
};

export const WORKFLOW_STATUSES = ["RUNNING", "PAUSED", "COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED"] as const;
export const TASK_STATUSES = [
  "SCHEDULED",
  "IN_PROGRESS",
  "COMPLETED",
  "COMPLETED_WITH_ERRORS",
  "SKIPPED",
  "FAILED",
  "TIMED_OUT",
  "FAILED_WITH_TERMINAL_ERROR",
  "CANCELED",
] as const;

export function lookOf(status: string): StatusLook {
  return Object.hasOwn(LOOKS, status) ? LOOKS[status]! : { label: status, tone: null, shape: null };
}

const OPEN = new Set(["SCHEDULED", "IN_PROGRESS", "RUNNING", "PAUSED", "WAITING"]);
const BAD = new Set(["FAILED", "FAILED_WITH_TERMINAL_ERROR", "TIMED_OUT"]);
export const isOpen = (status: string) => OPEN.has(status);
export const isBad = (status: string) => BAD.has(status);
/** What a task shows: a WAIT or HUMAN in progress is waiting, not working. */
export const shownStatus = (type: string, status: string) =>
  status === "IN_PROGRESS" && (type === "WAIT" || type === "HUMAN") ? "WAITING" : status;
