import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link } from "wouter";
import { taskDefinitions, work } from "../../api/queries";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { Panels } from "../../design/Panel";
import { ListFilter } from "../../design/SearchField";
import { Said } from "../../design/Side";
import { Table, type Column } from "../../design/Table";
import { Duration } from "../../design/Time";
import { count } from "../../lib/format";
import { to, useParams } from "../../lib/url";
import { queueRows, standstill, type QueueRow } from "../../lib/work";
import { QueuePanel } from "./QueuePanel";
import css from "./Queues.module.css";

export function QueueList() {
  const [params, change] = useParams();
  const found = useQuery(work());
  const definitions = useQuery(taskDefinitions());
  const all = useMemo(
    () => (found.data ? queueRows(found.data, definitions.data ?? []) : []),
    [found.data, definitions.data],
  );
  const word = params.get("word") ?? "";
  const isAlone = params.get("alone") === "1";
  const rows = all.filter(row => (!isAlone || row.isAlone) && row.queue.toLowerCase().includes(word.toLowerCase()));
  const chosen = params.get("queue") ?? "";
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <div aria-busy="true" />;
  const alone = all.filter(row => row.isAlone).length;
  return (
    <>
      <ListFilter label="Queues" search="Queue" only={{ name: "alone", label: `Without a worker: ${count(alone)}` }}>
        <span className="faint">{count(all.length, "queue")}</span>
      </ListFilter>
      <Panels
        label="Queue"
        panel={
          chosen && <QueuePanel name={chosen} work={found.data} rows={all} onClose={() => change({ queue: "" })} />
        }
      >
        <Table
          label="Queues"
          columns={columnsOf(found.data.at)}
          rows={rows}
          keyOf={row => row.queue}
          current={chosen}
          onOpen={row => change({ queue: row.queue }, { push: true })}
          hrefOf={row => to.queues(row.queue)}
          toneOf={row => (row.isAlone ? "warn" : undefined)}
          empty={
            word || isAlone ? (
              <EmptyState
                icon="check"
                title={isAlone && !word ? "Every queue has a worker" : "No queue is called that"}
              >
                <Link href={to.queues()}>Show all queues</Link>
              </EmptyState>
            ) : (
              <EmptyState icon="queue" title="Nothing waits, nobody asks" command="batuta worker YOUR_MODULE">
                A queue appears when a task waits in it or a worker polls it.
              </EmptyState>
            )
          }
        />
      </Panels>
    </>
  );
}

function columnsOf(at: number): Column<QueueRow>[] {
  return [
    {
      key: "queue",
      head: "Queue",
      width: "minmax(130px, 1fr)",
      cell: row => (
        <Link href={to.queues(row.queue)} className="mono" title={row.queue}>
          {row.queue}
        </Link>
      ),
    },
    { key: "waiting", head: "Waiting", width: "76px", end: true, cell: row => count(row.waiting) },
    {
      key: "oldest",
      head: "Oldest",
      width: "84px",
      end: true,
      wide: true,
      cell: row => <Duration from={row.due ? row.oldestDueAt : 0} to={0} />,
    },
    { key: "taken", head: "In hand", width: "76px", end: true, wide: true, cell: row => count(row.inProgress) },
    {
      key: "workers",
      head: "Workers",
      width: "76px",
      end: true,
      cell: row =>
        row.isOurs ? (
          <span title="The server itself does these">server</span>
        ) : row.isAlone ? (
          <strong className={css.alone}>none</strong>
        ) : (
          count(row.workers)
        ),
    },
    {
      key: "limits",
      head: "Limits",
      width: "minmax(90px, 0.6fr)",
      wide: true,
      cell: row => <span className="soft">{row.limits.join(", ")}</span>,
    },
    {
      key: "why",
      head: "",
      width: "minmax(160px, 2.2fr)",
      wide: true,
      cell: row => {
        const why = standstill(row, at);
        return (
          <span className={row.isAlone ? css.alone : "faint"} title={why}>
            {row.isAlone || (why && row.waiting > 0) ? <Said text={why} /> : ""}
          </span>
        );
      },
    },
  ];
}
