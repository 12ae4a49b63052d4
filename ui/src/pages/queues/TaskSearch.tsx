// Tasks of all executions, found by fields or by the API's own language. The URL is the search.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { client, taskDefinitions, taskPages, workflowNames } from "../../api/queries";
import type { TaskSummary } from "../../api/types";
import { useLive } from "../../app/live";
import { Button } from "../../design/Button";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { Chip, Filter, SearchField, StatusChips } from "../../design/SearchField";
import { Status } from "../../design/Status";
import { isOpen, shownStatus, TASK_STATUSES } from "../../design/status";
import { Table, type Column, type Sorting } from "../../design/Table";
import { Duration, When } from "../../design/Time";
import { Why } from "../../design/Why";
import { count } from "../../lib/format";
import { readAgain, useRefresh } from "../../lib/refresh";
import { taskFilterOf, taskQueryOf } from "../../lib/search";
import { to, useParams } from "../../lib/url";
import css from "./Queues.module.css";

const PAUSE_MS = 2000; // between two searches, however much moves

export function TaskSearch() {
  const [params, change] = useParams();
  const [, navigate] = useLocation();
  const filter = taskFilterOf(params);
  const typed = params.get("q") ?? "";
  const words = params.get("text") ?? "";
  const [key, direction] = (params.get("sort") ?? "updateTime:DESC").split(":");
  const sorting: Sorting = { key: key!, descending: direction !== "ASC" };
  const search = {
    query: taskQueryOf(filter, typed),
    freeText: words,
    sort: `${sorting.key}:${sorting.descending ? "DESC" : "ASC"}`,
  };
  const [isTyping, setTyping] = useState(typed !== "");
  const types = useQuery(taskDefinitions());
  const names = useQuery(workflowNames());
  const pages = taskPages(search);
  const found = useInfiniteQuery(pages);
  const refresh = useRefresh(() => readAgain(client, { queryKey: pages.queryKey }), PAUSE_MS);
  useLive(null, refresh, refresh);
  const rows = useMemo(() => {
    const seen = new Map((found.data?.pages ?? []).flatMap(page => page.results).map(row => [row.taskId, row]));
    return [...seen.values()];
  }, [found.data]);
  const total = found.data?.pages.at(-1)?.totalHits ?? 0;
  const isAny = Object.values(filter).some(value => value.length) || typed !== "" || words !== "";
  return (
    <>
      <Filter label="Tasks">
        <SearchField
          label="Words in ids, reasons, input, output"
          value={words}
          onChange={text => change({ text })}
          wide
          isSearch
        />
        <SearchField
          label="Task type"
          value={filter.type}
          onChange={type => change({ type })}
          options={types.data?.map(one => one.name) ?? []}
        />
        <SearchField
          label="Workflow"
          value={filter.workflow}
          onChange={workflow => change({ workflow })}
          options={names.data ?? []}
        />
        {filter.domain && (
          <Chip on onClick={() => change({ domain: "" })}>
            Domain {filter.domain} ✕
          </Chip>
        )}
        <Button kind="quiet" icon="filter" aria-expanded={isTyping} onClick={() => setTyping(!isTyping)}>
          Query
        </Button>
        {isAny && (
          <Button kind="quiet" icon="x" onClick={() => navigate(to.taskSearch(), { replace: true })}>
            Clear
          </Button>
        )}
      </Filter>
      <StatusChips
        statuses={TASK_STATUSES}
        chosen={filter.statuses}
        onChange={statuses => change({ status: statuses.join(",") })}
      />
      {isTyping && (
        <SearchField
          label="Query, such as: queueWaitTime > 60000 AND referenceTaskName = flash"
          value={typed}
          onChange={q => change({ q })}
          wide
          mono
        />
      )}
      {found.error && found.data && (
        <p className={css.error} role="alert">
          {found.error.message}
        </p>
      )}
      <span className="faint">{count(total, "task")}</span>
      {found.error && !found.data ? (
        <ErrorState error={found.error} onRetry={() => void found.refetch()} />
      ) : (
        <Table
          label={`Tasks, ${count(total)} found`}
          columns={COLUMNS}
          rows={rows}
          keyOf={row => row.taskId}
          onOpen={row => navigate(to.execution(row.workflowId, row.taskId))}
          hrefOf={row => to.execution(row.workflowId, row.taskId)}
          sorting={sorting}
          onSort={next => change({ sort: `${next.key}:${next.descending ? "DESC" : "ASC"}` })}
          onEnd={() => found.hasNextPage && !found.isFetching && void found.fetchNextPage()}
          empty={
            found.isPending ? null : isAny ? (
              <EmptyState icon="search" title="No task is like that">
                Take something out of the search, or <Link href={to.taskSearch()}>show all</Link>.
              </EmptyState>
            ) : (
              <EmptyState
                icon="play"
                title="No task was scheduled yet"
                command="batuta workflow start NAME --input '{}'"
              >
                Start a workflow, and its tasks appear here.
              </EmptyState>
            )
          }
        />
      )}
    </>
  );
}

const at = (text: string) => Math.max(Date.parse(text) || 0, 0);

const COLUMNS: Column<TaskSummary>[] = [
  {
    key: "status",
    head: "Status",
    width: "146px",
    cell: row => <Status status={shownStatus(row.taskType, row.status)} />,
  },
  {
    key: "taskType",
    head: "Task",
    width: "minmax(130px, 1fr)",
    sortable: true,
    cell: row => (
      <Link href={to.execution(row.workflowId, row.taskId)} className="mono" title={row.taskDefName}>
        {row.taskDefName || row.taskType}
      </Link>
    ),
  },
  {
    key: "workflowType",
    head: "Workflow",
    width: "minmax(120px, 1fr)",
    wide: true,
    sortable: true,
    cell: row => (
      <Link href={to.execution(row.workflowId)}>
        {row.workflowType} <span className="faint">{row.correlationId}</span>
      </Link>
    ),
  },
  {
    key: "updateTime",
    head: "Moved",
    width: "96px",
    sortable: true,
    cell: row => <When at={at(row.updateTime) || at(row.scheduledTime)} relative />,
  },
  {
    key: "queueWaitTime",
    head: "Waited",
    width: "84px",
    end: true,
    wide: true,
    cell: row =>
      row.status === "SCHEDULED" ? (
        <Duration from={at(row.scheduledTime)} to={0} />
      ) : at(row.startTime) ? (
        <Duration from={at(row.scheduledTime)} to={at(row.startTime)} />
      ) : null,
  },
  {
    key: "executionTime",
    head: "Took",
    width: "84px",
    end: true,
    wide: true,
    cell: row => <Duration from={at(row.startTime)} to={isOpen(row.status) ? 0 : at(row.endTime)} />,
  },
  {
    key: "reasonForIncompletion",
    head: "Why",
    width: "minmax(120px, 1.4fr)",
    wide: true,
    cell: row => <Why text={row.reasonForIncompletion} />,
  },
];
