// Two executions side by side: where their ways, inputs, outputs and times first part, and every task of both.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { Link } from "wouter";
import { ApiError } from "../../api/http";
import {
  executionPayloads,
  executions,
  lastBefore,
  payloadDifferences,
  timeline as timelineQuery,
} from "../../api/queries";
import type { Tasks } from "../../api/timeline";
import type { ConsoleExecution } from "../../api/types";
import { useFollowing } from "../../app/following";
import { Button } from "../../design/Button";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { OneDifference } from "../../design/JsonDiff";
import { Panels } from "../../design/Panel";
import { Status } from "../../design/Status";
import { shownStatus } from "../../design/status";
import { Table, type Column } from "../../design/Table";
import { Duration, When } from "../../design/Time";
import { isTimedOtherwise, pairsOf, parting, signed, slower, tookOf, type Pair } from "../../lib/compare";
import { count, duration, short, when } from "../../lib/format";
import { differences, type Difference } from "../../lib/json";
import { NOTHING, queryOf } from "../../lib/search";
import { to, useParams } from "../../lib/url";
import css from "./Compare.module.css";
import { Details } from "./Details";

interface Side {
  execution: ConsoleExecution;
  tasks: Tasks;
}

function useSide(id: string): { side: Side | null; error: Error | null; refetch: () => Promise<unknown> } {
  const execution = useQuery({ ...executionPayloads(id), enabled: id !== "" });
  const tasks = useQuery({ ...timelineQuery(id), enabled: id !== "" });
  const side = useMemo(
    () => (execution.data && tasks.data ? { execution: execution.data, tasks: tasks.data } : null),
    [execution.data, tasks.data],
  );
  return {
    side,
    error: side ? null : (execution.error ?? tasks.error),
    refetch: () => Promise.all([execution.refetch(), tasks.refetch()]),
  };
}

export default function Compare() {
  const [params, change] = useParams();
  const [idA, wishB] = [params.get("a") ?? "", params.get("b") ?? ""];
  const a = useSide(idA);
  const flow = a.side?.execution.workflow;
  const last = useQuery({
    ...lastBefore(flow?.workflowName ?? "", idA, flow?.createTime ?? 0),
    enabled: wishB === "last" && flow !== undefined,
  });
  useEffect(() => {
    if (wishB === "last" && last.data) change({ b: last.data });
  }, [wishB, last.data, change]);
  const idB = wishB === "last" ? "" : wishB;
  const b = useSide(idB);
  useFollowing([idA, idB].filter(Boolean));

  if (!idA)
    return (
      <EmptyState icon="compare" title="Choose two executions">
        Select two rows of the <Link href={to.executions()}>executions</Link> and choose Compare, or “Compare with the
        last one” on the page of one.
      </EmptyState>
    );
  const error = a.error ?? b.error ?? last.error;
  if (error instanceof ApiError && error.status === 404)
    return (
      <EmptyState icon="search" title="One of them is not here">
        {error.message}. It was removed, or never was on this server.{" "}
        <Link href={to.executions()}>Choose among all</Link>
      </EmptyState>
    );
  if (error) return <ErrorState error={error} onRetry={() => void Promise.all([a.refetch(), idB && b.refetch()])} />;
  if (!a.side) return <div className="page faint" aria-busy="true" />;
  return (
    <div className="page full">
      <div className={css.top}>
        <h1>Compare</h1>
        <Button small kind="quiet" icon="retry" disabled={!b.side} onClick={() => change({ a: idB, b: idA })}>
          Swap
        </Button>
      </div>
      <div className={css.sides}>
        <Head letter="A" side={a.side} />
        {b.side ? <Head letter="B" side={b.side} /> : <div className={css.side} />}
      </div>
      <Choice of={a.side} chosen={idB} onChoose={id => change({ b: id, task: undefined })} />
      {b.side ? (
        <Both a={a.side} b={b.side} />
      ) : (
        <EmptyState icon="compare" title={last.data === null ? "It is the only one so far" : "With which one?"}>
          {last.data === null
            ? "There is no earlier execution of this workflow to hold it against."
            : "Choose another execution of this workflow above."}
        </EmptyState>
      )}
    </div>
  );
}

function Head({ letter, side }: { letter: string; side: Side }) {
  const { workflow } = side.execution;
  return (
    <section className={css.side} aria-label={`Execution ${letter}`}>
      <span className={css.letter}>{letter}</span>
      <div className={css.facts}>
        <div className={css.name}>
          <Link href={to.execution(workflow.workflowId)}>{workflow.workflowName}</Link>{" "}
          <span className="faint">v{workflow.workflowVersion}</span> <Status status={workflow.status} />
        </div>
        <div className="soft">
          <span className="mono">{workflow.workflowId}</span> · started <When at={workflow.createTime} /> ·{" "}
          <Duration from={workflow.createTime} to={workflow.endTime ?? 0} skew={side.tasks.skew} /> ·{" "}
          {count(side.tasks.rows.length, "task")}
        </div>
      </div>
    </section>
  );
}

/** Other executions of the same workflow, the latest first. */
function Choice({ of, chosen, onChoose }: { of: Side; chosen: string; onChoose: (id: string) => void }) {
  const { workflowName, workflowId } = of.execution.workflow;
  const query = queryOf({ ...NOTHING, name: workflowName }, "");
  const found = useQuery(executions({ query, freeText: "", sort: "startTime:DESC", start: 0, size: 30 }));
  const others = (found.data?.results ?? []).filter(one => one.workflowId !== workflowId);
  return (
    <label className={css.choice}>
      Compare A with
      <select className="control" value={chosen} onChange={event => onChoose(event.target.value)}>
        {!others.some(one => one.workflowId === chosen) && (
          <option value={chosen}>{chosen ? `another: ${short(chosen)}` : "choose an execution"}</option>
        )}
        {others.map(one => (
          <option key={one.workflowId} value={one.workflowId}>
            {`${when(Date.parse(one.startTime))} · ${one.status.toLowerCase()} · ${one.correlationId || short(one.workflowId)}`}
          </option>
        ))}
      </select>
    </label>
  );
}

const PAIRS_LOOKED_AT = 200;

function Both({ a, b }: { a: Side; b: Side }) {
  const [params, change] = useParams();
  const [isAll, setAll] = useState(false); // looked at the payloads of all tasks
  const pairs = useMemo(() => pairsOf(a.tasks.rows, b.tasks.rows), [a.tasks.rows, b.tasks.rows]);
  const shared = useMemo(() => pairs.filter(pair => pair.a.length && pair.b.length), [pairs]);
  const looked = isAll ? shared : shared.slice(0, PAIRS_LOOKED_AT);
  const payloads = useQuery(
    payloadDifferences(
      looked.map(pair => [pair.a.at(-1)!.id, pair.b.at(-1)!.id]),
      `${a.tasks.revision} ${b.tasks.revision}`,
    ),
  );
  const ref = params.get("task") ?? "";
  const isOnly = params.get("only") !== "0";
  const chosen = pairs.find(pair => pair.ref === ref) ?? null;
  const shown = useMemo(
    () => (isOnly ? pairs.filter(pair => parting(pair) !== "" || isTimedOtherwise(pair)) : pairs),
    [pairs, isOnly],
  );
  /** Null: the executions themselves. */
  const choose = (pair: Pair | null) =>
    change(pair ? { task: pair.ref, whole: undefined } : { task: undefined, whole: "1" });
  const close = () => change({ task: undefined, whole: undefined });
  const more = shared.length > looked.length && {
    looked: looked.length,
    onMore: () => setAll(true),
  };
  return (
    <Panels
      label="the differences"
      panel={
        chosen || params.get("whole") ? (
          <Details key={ref} a={a.execution} b={b.execution} pair={chosen} onClose={close} />
        ) : null
      }
    >
      <div className={css.both}>
        <Firsts a={a} b={b} pairs={pairs} shared={shared} payloads={payloads.data} more={more} choose={choose} />
        <div className={css.tools}>
          <h2>Tasks</h2>
          <span className="faint">
            {shown.length === pairs.length
              ? count(pairs.length, "task")
              : `${count(shown.length, "task")} of ${pairs.length}`}
          </span>
          <label className={css.only}>
            <input
              type="checkbox"
              checked={isOnly}
              onChange={event => change({ only: event.target.checked ? undefined : "0" })}
            />
            Only where path or time differ
          </label>
        </div>
        <Table
          label="Tasks of both"
          columns={COLUMNS}
          rows={shown}
          keyOf={pair => pair.ref}
          current={ref}
          onOpen={choose}
          toneOf={pair => (parting(pair) ? "failed" : undefined)}
          empty={<p className={css.same}>Both went the same way, in about the same time.</p>}
        />
      </div>
    </Panels>
  );
}

const COLUMNS: Column<Pair>[] = [
  {
    key: "ref",
    head: "Reference",
    width: "minmax(120px, 1.4fr)",
    cell: pair => <span title={pair.ref}>{pair.ref}</span>,
  },
  { key: "a", head: "A", width: "minmax(92px, 150px)", cell: pair => <Last status rows={pair.a} /> },
  { key: "b", head: "B", width: "minmax(92px, 150px)", cell: pair => <Last status rows={pair.b} /> },
  { key: "tookA", head: "A took", width: "84px", end: true, wide: true, cell: pair => <Last rows={pair.a} /> },
  { key: "tookB", head: "B took", width: "84px", end: true, wide: true, cell: pair => <Last rows={pair.b} /> },
  {
    key: "by",
    head: "B − A",
    width: "84px",
    end: true,
    cell: pair => {
      const by = slower(pair);
      return by === null ? "" : <span className={isTimedOtherwise(pair) ? css.noticed : "faint"}>{signed(by)}</span>;
    },
  },
  {
    key: "parting",
    head: "Path",
    width: "minmax(90px, 0.8fr)",
    wide: true,
    cell: pair => <span className="soft">{parting(pair)}</span>,
  },
];

/** How the last attempt ended, or how long all took. */
function Last({ rows, status = false }: { rows: Pair["a"]; status?: boolean }) {
  const row = rows.at(-1);
  if (!row) return <span className="faint">–</span>;
  if (status) return <Status status={shownStatus(row.type, row.status)} />;
  const took = tookOf(rows);
  return took === null ? null : <>{duration(took)}</>;
}

/** The first difference of each kind; a click shows all of that task. */
function Firsts({
  a,
  b,
  pairs,
  shared,
  payloads,
  more,
  choose,
}: {
  a: Side;
  b: Side;
  pairs: Pair[];
  shared: Pair[];
  payloads: { input?: Found; output?: Found; looked: number } | undefined;
  more: false | { looked: number; onMore: () => void };
  choose: (pair: Pair | null) => void;
}) {
  const path = pairs.find(pair => parting(pair));
  const time = pairs.find(isTimedOtherwise);
  const own = useMemo(
    () => ({
      input: first(a, b, "input"),
      output: first(a, b, "output"),
    }),
    [a.execution, b.execution],
  );
  const whole = (b.execution.workflow.endTime ?? 0) - b.execution.workflow.createTime;
  const wholeA = (a.execution.workflow.endTime ?? 0) - a.execution.workflow.createTime;
  const areOver = Boolean(a.execution.workflow.endTime && b.execution.workflow.endTime);
  const payload = (part: "input" | "output") => {
    const inTask = payloads?.[part];
    return (
      <>
        {own[part] ? (
          <button type="button" className={css.lead} onClick={() => choose(null)}>
            <strong>of the execution</strong>
            <OneDifference difference={own[part]!} />
          </button>
        ) : (
          <p className="soft">The execution's is the same.</p>
        )}
        {inTask ? (
          <button type="button" className={css.lead} onClick={() => choose(shared[inTask.index]!)}>
            <strong className="mono">{shared[inTask.index]?.ref}</strong>
            <OneDifference difference={inTask.difference} />
          </button>
        ) : payloads ? (
          <p className="soft">
            {more ? `None in the first ${count(more.looked, "task")}.` : "That of every task both have is the same."}{" "}
            {more && (
              <Button small onClick={more.onMore}>
                Look at all {shared.length}
              </Button>
            )}
          </p>
        ) : (
          <p className="faint" aria-busy="true">
            Reading …
          </p>
        )}
      </>
    );
  };
  return (
    <div className={css.firsts} role="group" aria-label="First differences">
      <section>
        <h3>Path</h3>
        {a.execution.workflow.workflowVersion !== b.execution.workflow.workflowVersion && (
          <p className="soft">They follow different versions of the definition.</p>
        )}
        {path ? (
          <button type="button" className={css.lead} onClick={() => choose(path)}>
            <strong className="mono">{path.ref}</strong>
            <span>{parting(path)}</span>
            <span className={css.two}>
              A <Last status rows={path.a} /> B <Last status rows={path.b} />
            </span>
          </button>
        ) : (
          <p className="soft">The same tasks, ended alike.</p>
        )}
      </section>
      <section>
        <h3>Input</h3>
        {payload("input")}
      </section>
      <section>
        <h3>Output</h3>
        {payload("output")}
      </section>
      <section>
        <h3>Timing</h3>
        {areOver && (
          <p className="soft">
            B took {duration(whole)}, A {duration(wholeA)} ({signed(whole - wholeA)}).
          </p>
        )}
        {time ? (
          <button type="button" className={css.lead} onClick={() => choose(time)}>
            <strong className="mono">{time.ref}</strong>
            <span>
              A {duration(tookOf(time.a)!)}, B {duration(tookOf(time.b)!)} (
              <span className={css.noticed}>{signed(slower(time)!)}</span>)
            </span>
          </button>
        ) : (
          <p className="soft">No task took noticeably longer.</p>
        )}
      </section>
    </div>
  );
}

interface Found {
  index: number;
  difference: Difference;
}

function first(a: Side, b: Side, part: "input" | "output"): Difference | null {
  if (a.execution.withheld.includes(part) || b.execution.withheld.includes(part)) return null;
  return differences(a.execution.workflow[part], b.execution.workflow[part], 1)[0] ?? null;
}
