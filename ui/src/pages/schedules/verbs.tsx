// Acting on schedules, one or many: what it affects is said before, what failed after.
import { deleteSchedule, pauseSchedules, resumeSchedules } from "../../api/actions";
import { client } from "../../api/queries";
import type { BulkResponse, Schedule } from "../../api/types";
import { confirm } from "../../design/Dialog";
import { toast } from "../../design/Toast";
import { count, wordsOf } from "../../lib/format";

const named = (schedules: Schedule[]) =>
  schedules.length === 1 ? schedules[0]!.name : count(schedules.length, "schedule");
const workflows = (schedules: Schedule[]) =>
  [...new Set(schedules.map(one => one.startWorkflowRequest.name))].join(", ");

/** True when they are gone. */
export async function askedDelete(schedules: Schedule[]): Promise<boolean> {
  const answer = await confirm({
    title: `Delete ${named(schedules)}?`,
    body: (
      <>
        <p>
          {workflows(schedules)} will not be started by {schedules.length === 1 ? "it" : "them"} any more. What came of
          earlier ticks is forgotten; executions that were started stay.
        </p>
        <p>To stop for a while, pause instead.</p>
      </>
    ),
    act: "Delete",
    danger: true,
  });
  if (!answer) return false;
  const failed: string[] = [];
  for (const one of schedules)
    await deleteSchedule(one.name).catch(error => failed.push(`${one.name}: ${(error as Error).message}`));
  await client.invalidateQueries({ queryKey: ["schedules"] });
  if (failed.length) toast("bad", failed.join("\n"));
  else toast("good", `Deleted ${named(schedules)}`);
  return !failed.length;
}

export async function askedPause(schedules: Schedule[]): Promise<void> {
  const answer = await confirm({
    title: `Pause ${named(schedules)}?`,
    body: `${workflows(schedules)}: nothing is started until they are resumed, and what comes due meanwhile is not made up for.`,
    act: "Pause",
  });
  if (answer) await many(pauseSchedules(schedules.map(one => one.name)), "Paused");
}

export const resumed = (schedules: Schedule[]) => many(resumeSchedules(schedules.map(one => one.name)), "Resumed");

async function many(work: Promise<BulkResponse>, word: string): Promise<void> {
  try {
    const said = await work;
    const failed = Object.entries(said.bulkErrorResults).map(([name, why]) => `${name}: ${why}`);
    const done = said.bulkSuccessfulResults.length;
    if (done) toast("good", `${word} ${count(done, "schedule")}`);
    if (failed.length) toast("bad", failed.slice(0, 5).join("; "));
  } catch (error) {
    toast("bad", wordsOf(error));
  }
  await client.invalidateQueries({ queryKey: ["schedules"] });
}
