// All executions: found with the builder or the API's own language, live, acted on one by one or together. The URL is the search.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { client, executionPages, workflowNames } from "../../api/queries";
import type { WorkflowSummary } from "../../api/types";
import { useLive } from "../../app/live";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { Status } from "../../design/Status";
import { isOpen } from "../../design/status";
import { Table, type Column, type Sorting } from "../../design/Table";
import { Duration, When } from "../../design/Time";
import { Why } from "../../design/Why";
import { count } from "../../lib/format";
import { readAgain, useRefresh } from "../../lib/refresh";
import { filterOf, queryOf } from "../../lib/search";
import { to, useParams } from "../../lib/url";
import { Bulk } from "./Bulk";
import { Filters } from "./Filters";

const PAUSE_MS = 1000; // between two searches, however much moves

export default function Executions() {
  const [params, change] = useParams();
  const [, navigate] = useLocation();
  const filter = filterOf(params);
  const typed = params.get("q") ?? "";
  const words = params.get("text") ?? "";
  const sorting = sortingOf(params.get("sort"));
  const [minute, setMinute] = useState(() => Date.now());
  const query = queryOf(filter, typed, minute);
  const search = { query, freeText: words, sort: `${sorting.key}:${sorting.descending ? "DESC" : "ASC"}` };
  const names = useQuery(workflowNames());

  const pages = executionPages(search);
  const found = useInfiniteQuery(pages);
  const [moved, setMoved] = useState<ReadonlyMap<string, string>>(new Map());
  const refresh = useRefresh(async () => {
    setMinute(Date.now());
    await readAgain(client, { queryKey: pages.queryKey });
  }, PAUSE_MS);
  useLive(
    null,
    changes => {
      setMoved(before => {
        const next = new Map(before.size > 5000 ? [] : before);
        for (const one of changes) next.set(one.id, one.status);
        return next;
      });
      refresh();
    },
    refresh,
  );
  useEffect(() => setMoved(new Map()), [found.dataUpdatedAt]);

  const rows = useMemo(() => {
    const seen = new Set<string>();
    return (found.data?.pages ?? [])
      .flatMap(page => page.results)
      .filter(row => !seen.has(row.workflowId) && seen.add(row.workflowId));
  }, [found.data]);
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const columns = useMemo(() => columnsOf(moved), [moved]);
  const total = found.data?.pages.at(-1)?.totalHits ?? 0;
  const isAsked = query !== "" || words !== "";

  return (
    <div className="page full">
      <h1 className="visually-hidden">Executions</h1>
      <Filters
        filter={filter}
        typed={typed}
        words={words}
        names={names.data ?? []}
        onChange={change}
        error={found.data ? found.error : null}
      />
      <Bulk
        rows={rows}
        selected={selected}
        onDone={() => setSelected(new Set())}
        total={total}
        busy={found.isFetching}
      />
      {found.error && !found.data ? (
        <ErrorState error={found.error} onRetry={() => void found.refetch()} />
      ) : (
        <Table
          label={`Executions, ${count(total)} found`}
          columns={columns}
          rows={rows}
          keyOf={row => row.workflowId}
          onOpen={row => navigate(to.execution(row.workflowId))}
          hrefOf={row => to.execution(row.workflowId)}
          selected={selected}
          onSelect={setSelected}
          sorting={sorting}
          onSort={next => change({ sort: `${next.key}:${next.descending ? "DESC" : "ASC"}` })}
          onEnd={() => found.hasNextPage && !found.isFetching && void found.fetchNextPage()}
          empty={
            found.isPending ? null : isAsked ? (
              <EmptyState icon="search" title="No execution is like that">
                Take something out of the search, or <Link href={to.executions()}>show all</Link>.
              </EmptyState>
            ) : (
              <EmptyState icon="play" title="Nothing has run yet" command="batuta workflow start NAME --input '{}'">
                Register a workflow, start it, and it appears here as it runs.
              </EmptyState>
            )
          }
        />
      )}
    </div>
  );
}

function sortingOf(text: string | null): Sorting {
  const [key, direction] = (text ?? "startTime:DESC").split(":");
  return { key: key || "startTime", descending: direction !== "ASC" };
}

function columnsOf(moved: ReadonlyMap<string, string>): Column<WorkflowSummary>[] {
  const statusOf = (row: WorkflowSummary) => {
    const now = moved.get(row.workflowId);
    return now === "REMOVED" ? "REMOVED" : (now ?? row.status);
  };
  return [
    { key: "status", head: "Status", width: "118px", sortable: true, cell: row => <Status status={statusOf(row)} /> },
    {
      key: "workflowType",
      head: "Workflow",
      width: "minmax(96px, 1.2fr)",
      sortable: true,
      cell: row => (
        <Link href={to.execution(row.workflowId)} title={row.workflowType}>
          {row.workflowType} <span className="faint">v{row.version}</span>
        </Link>
      ),
    },
    {
      key: "workflowId",
      head: "Id",
      width: "minmax(96px, 0.6fr)",
      wide: true,
      cell: row => (
        <span className="mono faint" title={row.workflowId}>
          {row.workflowId}
        </span>
      ),
    },
    {
      key: "correlationId",
      head: "Correlation",
      width: "minmax(80px, 0.6fr)",
      wide: true,
      cell: row => <span title={row.correlationId ?? ""}>{row.correlationId}</span>,
    },
    {
      key: "startTime",
      head: "Started",
      width: "92px",
      sortable: true,
      cell: row => <When at={Date.parse(row.startTime)} relative />,
    },
    {
      key: "executionTime",
      head: "Took",
      width: "84px",
      end: true,
      wide: true,
      sortable: true,
      cell: row => (
        <Duration
          from={Date.parse(row.startTime)}
          to={isOpen(statusOf(row)) ? 0 : row.endTime ? Date.parse(row.endTime) : 0}
        />
      ),
    },
    {
      key: "reasonForIncompletion",
      head: "Why",
      width: "minmax(120px, 1.6fr)",
      wide: true,
      cell: row => (
        <span>
          {row.failedReferenceTaskNames && <span className="mono soft">{row.failedReferenceTaskNames}: </span>}
          <Why text={row.reasonForIncompletion} />
        </span>
      ),
    },
  ];
}
