import { useMemo, useState } from "react";
import type { TaskRow } from "../../api/timeline";
import { Status } from "../../design/Status";
import { shownStatus } from "../../design/status";
import { Table, type Column, type Sorting } from "../../design/Table";
import { Duration, When } from "../../design/Time";
import { Why } from "../../design/Why";
import css from "./Execution.module.css";
import type { ViewProps } from "./views";

const VALUES: Record<string, (row: TaskRow) => string | number> = {
  seq: row => row.seq * 1e6 + row.n,
  status: row => row.status,
  ref: row => row.ref,
  type: row => row.name || row.type,
  scheduled: row => row.scheduled,
  waited: row => (row.started || row.ended || Date.now()) - row.scheduled,
  ran: row => (row.started ? (row.ended || Date.now()) - row.started : -1),
};

/** Every attempt at every task, one row each. */
export default function TaskTable({ tasks, selected, select }: ViewProps) {
  const [sorting, setSorting] = useState<Sorting>({ key: "seq", descending: false });
  const rows = useMemo(() => {
    const value = VALUES[sorting.key] ?? VALUES.seq!;
    const sorted = [...tasks.rows].sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0));
    return sorting.descending ? sorted.reverse() : sorted;
  }, [tasks.rows, sorting]);
  const columns: Column<TaskRow>[] = [
    {
      key: "seq",
      head: "#",
      width: "52px",
      end: true,
      sortable: true,
      cell: row => <span className="faint">{row.seq || "–"}</span>,
    },
    {
      key: "status",
      head: "Status",
      width: "150px",
      sortable: true,
      cell: row => <Status status={shownStatus(row.type, row.status)} />,
    },
    {
      key: "ref",
      head: "Reference",
      width: "minmax(120px, 1fr)",
      sortable: true,
      cell: row => <span title={row.ref}>{row.ref}</span>,
    },
    {
      key: "type",
      head: "Type",
      width: "minmax(90px, 0.8fr)",
      wide: true,
      sortable: true,
      cell: row => <span className="soft">{row.type === "SIMPLE" ? row.name : row.type}</span>,
    },
    {
      key: "attempt",
      head: "Try",
      width: "48px",
      end: true,
      wide: true,
      cell: row => (row.attempt ? row.attempt + 1 : ""),
    },
    {
      key: "scheduled",
      head: "Scheduled",
      width: "100px",
      wide: true,
      sortable: true,
      cell: row => <When at={row.scheduled} />,
    },
    {
      key: "waited",
      head: "Waited",
      width: "80px",
      end: true,
      wide: true,
      sortable: true,
      cell: row => (row.queue ? <Duration from={row.scheduled} to={row.started || row.ended} skew={tasks.skew} /> : ""),
    },
    {
      key: "ran",
      head: "Ran",
      width: "80px",
      end: true,
      sortable: true,
      cell: row => <Duration from={row.started} to={row.ended} skew={tasks.skew} />,
    },
    {
      key: "worker",
      head: "Worker",
      width: "minmax(80px, 0.6fr)",
      wide: true,
      cell: row => <span title={row.worker}>{row.worker}</span>,
    },
    {
      key: "reason",
      head: "Why",
      width: "minmax(100px, 1.2fr)",
      wide: true,
      cell: row => <Why text={row.reason} />,
    },
  ];
  return (
    <div className={css.fill}>
      <Table
        label="Tasks"
        columns={columns}
        rows={rows}
        keyOf={row => row.id}
        current={selected?.id}
        onOpen={select}
        sorting={sorting}
        onSort={setSorting}
      />
    </div>
  );
}
