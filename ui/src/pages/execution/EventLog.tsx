import { useMemo } from "react";
import type { TaskRow } from "../../api/timeline";
import { Status } from "../../design/Status";
import { Table } from "../../design/Table";
import { When } from "../../design/Time";
import { Why } from "../../design/Why";
import css from "./Execution.module.css";
import type { ViewProps } from "./views";

interface Happening {
  key: string;
  at: number;
  what: string;
  status: string;
  row: TaskRow | null;
  detail: string;
  /** Among what happened in one millisecond: a task's number, a loop's end after those of what is in it. */
  order: number;
}

/** What happened, in order: made of the instants that tasks keep. */
export default function EventLog({ execution, tasks, selected, select }: ViewProps) {
  const { workflow } = execution;
  const happenings = useMemo(() => {
    const found: Happening[] = [
      {
        key: "start",
        at: workflow.createTime,
        what: "started",
        status: "RUNNING",
        row: null,
        detail: workflow.correlationId ?? "",
        order: -1,
      },
    ];
    const inside = new Map<string, number>(); // the last task of each loop
    for (const row of tasks.rows)
      if (row.loop) inside.set(row.loop, Math.max(inside.get(row.loop) ?? 0, row.seq + 0.5));
    for (const row of tasks.rows) {
      if (row.scheduled)
        found.push({
          key: `${row.n}s`,
          at: row.scheduled,
          what: row.attempt ? `scheduled, attempt ${row.attempt + 1}` : "scheduled",
          status: "SCHEDULED",
          row,
          detail: row.queue,
          order: row.seq,
        });
      if (row.started && row.queue)
        found.push({
          key: `${row.n}t`,
          at: row.started,
          what: "taken",
          status: "IN_PROGRESS",
          row,
          detail: row.worker,
          order: row.seq,
        });
      if (row.ended)
        found.push({
          key: `${row.n}e`,
          at: row.ended,
          what: row.status.toLowerCase().replaceAll("_", " "),
          status: row.status,
          row,
          detail: row.reason,
          order: inside.get(row.ref) ?? row.seq,
        });
    }
    if (workflow.lastRetriedTime)
      found.push({
        key: "retry",
        at: workflow.lastRetriedTime,
        what: "retried",
        status: "RUNNING",
        row: null,
        detail: "",
        order: -1,
      });
    if (workflow.endTime)
      found.push({
        key: "end",
        at: workflow.endTime,
        what: workflow.status.toLowerCase().replaceAll("_", " "),
        status: workflow.status,
        row: null,
        detail: workflow.reasonForIncompletion ?? "",
        order: Infinity,
      });
    return found.sort((a, b) => a.at - b.at || a.order - b.order);
  }, [workflow, tasks.rows]);
  return (
    <div className={css.fill}>
      <Table
        label="What happened"
        rows={happenings}
        keyOf={one => one.key}
        current={happenings.findLast(one => one.row?.id === selected?.id)?.key}
        onOpen={one => one.row && select(one.row)}
        columns={[
          { key: "at", head: "When", width: "110px", cell: one => <When at={one.at} exact /> },
          {
            key: "who",
            head: "Task",
            width: "minmax(120px, 1fr)",
            cell: one => (one.row ? one.row.ref : <strong>{workflow.workflowName}</strong>),
          },
          {
            key: "what",
            head: "What",
            width: "minmax(150px, 0.8fr)",
            cell: one => (
              <span>
                <Status status={one.status} bare /> {one.what}
              </span>
            ),
          },
          {
            key: "detail",
            head: "",
            width: "minmax(120px, 1.6fr)",
            wide: true,
            cell: one => <Why text={one.detail} />,
          },
        ]}
      />
    </div>
  );
}
