// Workers: who polls what, who is alive, who fell silent, and what they have in hand.
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { work } from "../../api/queries";
import type { Work } from "../../api/types";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { Panels } from "../../design/Panel";
import { ListFilter } from "../../design/SearchField";
import { Notice, Pair, Pairs, Part, Rows, Side } from "../../design/Side";
import { Table, type Column } from "../../design/Table";
import { Duration, When } from "../../design/Time";
import { count } from "../../lib/format";
import { to, useParams } from "../../lib/url";
import { workerRows, type WorkerRow } from "../../lib/work";
import css from "./Workers.module.css";

const SHOWN = 100;

export default function Workers() {
  const [params, change] = useParams();
  const found = useQuery(work());
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <div className="page" aria-busy="true" />;
  const all = workerRows(found.data);
  const word = (params.get("word") ?? "").toLowerCase();
  const isSilent = params.get("silent") === "1";
  const rows = all.filter(
    row =>
      !(isSilent && row.isAlive) &&
      (row.worker.toLowerCase().includes(word) || row.queues.some(one => one.queue.toLowerCase().includes(word))),
  );
  const chosen = params.get("worker");
  const alive = all.filter(row => row.isAlive).length;
  return (
    <div className="page full">
      <h1 className="visually-hidden">Workers</h1>
      <ListFilter
        label="Workers"
        search="Worker or queue"
        only={{ name: "silent", label: `Silent: ${count(all.length - alive)}` }}
      >
        <span className="faint">{count(alive)} alive: asked within a minute</span>
      </ListFilter>
      <Panels
        label="Worker"
        panel={
          chosen && (
            <WorkerPanel
              row={all.find(row => row.worker === chosen)}
              name={chosen}
              work={found.data}
              onClose={() => change({ worker: "" })}
            />
          )
        }
      >
        <Table
          label="Workers"
          columns={COLUMNS}
          rows={rows}
          keyOf={row => row.worker}
          current={chosen ?? undefined}
          onOpen={row => change({ worker: row.worker }, { push: true })}
          hrefOf={row => to.workers(row.worker)}
          empty={
            all.length ? (
              <EmptyState icon="search" title={isSilent && !word ? "No worker fell silent" : "No worker is like that"}>
                <Link href={to.workers()}>Show all workers</Link>
              </EmptyState>
            ) : (
              <EmptyState icon="chip" title="No worker has polled yet" command="batuta worker YOUR_MODULE">
                A worker appears here when it asks for tasks for the first time.
              </EmptyState>
            )
          }
        />
      </Panels>
    </div>
  );
}

/** Alive, silent, or silent with tasks in hand: as shape, colour and word. */
function State({ row }: { row: WorkerRow }) {
  const state = row.isAlive ? "alive" : row.hands.length ? "stuck" : "silent";
  return (
    <span className={css.state} data-state={state}>
      <span className={css.dot} aria-hidden="true" />
      {row.isAlive ? "Alive" : "Silent"}
    </span>
  );
}

const COLUMNS: Column<WorkerRow>[] = [
  { key: "state", head: "State", width: "84px", cell: row => <State row={row} /> },
  {
    key: "worker",
    head: "Worker",
    width: "minmax(140px, 1fr)",
    cell: row => (
      <Link href={to.workers(row.worker)} className="mono" title={row.worker}>
        {row.worker || "without a name"}
      </Link>
    ),
  },
  { key: "at", head: "Last asked", width: "104px", cell: row => <When at={row.lastAt} relative /> },
  { key: "hands", head: "In hand", width: "76px", end: true, wide: true, cell: row => count(row.hands.length) },
  {
    key: "queues",
    head: "Polls",
    width: "minmax(180px, 2.4fr)",
    wide: true,
    cell: row => (
      <span className="soft mono" title={row.queues.map(one => one.queue).join(", ")}>
        {row.queues.map(one => one.queue).join(", ")}
      </span>
    ),
  },
];

function WorkerPanel({
  row,
  name,
  work,
  onClose,
}: {
  row: WorkerRow | undefined;
  name: string;
  work: Work;
  onClose: () => void;
}) {
  const title = <span className="mono">{name}</span>;
  if (!row)
    return (
      <Side title={title} onClose={onClose}>
        <p className="soft">It has not asked for tasks since the server started, and has none in hand.</p>
      </Side>
    );
  return (
    <Side title={title} onClose={onClose}>
      {!row.isAlive && row.hands.length > 0 && (
        <Notice>
          It has {count(row.hands.length, "task")} in hand and{" "}
          {row.lastAt ? (
            <>
              asked last <When at={row.lastAt} relative />
            </>
          ) : (
            "has not asked since the server started"
          )}
          . Each is offered again when its response timeout is over; if the worker is gone for good, offer them again
          from their queue.
        </Notice>
      )}
      <Pairs>
        <Pair name="State">
          <State row={row} />
        </Pair>
        <Pair name="Last asked">
          <When at={row.lastAt} relative />
        </Pair>
      </Pairs>
      <Part title={count(row.queues.length, "queue")}>
        <Rows>
          {row.queues.slice(0, SHOWN).map(one => {
            const queue = work.queues.find(state => state.queue === one.queue);
            return (
              <li key={one.queue}>
                <Link href={to.queues(one.queue)} className="mono">
                  {one.queue}
                </Link>
                <span className={one.isAlive ? "soft" : "faint"}>
                  {queue && queue.waiting > 0 && `${count(queue.waiting)} waiting · `}
                  <When at={one.at} relative />
                </span>
              </li>
            );
          })}
        </Rows>
      </Part>
      <Part title="In hand">
        {!row.hands.length && <p className="faint">Nothing.</p>}
        <Rows>
          {row.hands.slice(0, SHOWN).map(one => (
            <li key={one.taskId}>
              <span>
                <Link href={to.execution(one.workflowId, one.taskId)} className="mono">
                  {one.ref}
                </Link>{" "}
                <span className="faint">{one.workflow}</span>
              </span>
              <Duration from={one.startedAt} to={0} />
            </li>
          ))}
        </Rows>
      </Part>
    </Side>
  );
}
