// One execution: its header, the views over one selection, and the panel of the selected task. The URL says which view and which task.
import { useQuery } from "@tanstack/react-query";
import { Suspense, useEffect, useMemo } from "react";
import { useLocation, useParams as useSegments } from "wouter";
import { ApiError } from "../../api/http";
import { execution as executionQuery, timeline as timelineQuery } from "../../api/queries";
import type { TaskRow } from "../../api/timeline";
import { useFollowing } from "../../app/following";
import { lazy } from "../../app/lazy";
import { EmptyState, ErrorState } from "../../design/EmptyState";
import { Panels, useNarrow } from "../../design/Panel";
import { Gone } from "../../design/Side";
import { isBad, isOpen } from "../../design/status";
import { Tabs } from "../../design/Tabs";
import { placesOf } from "../../lib/definition";
import { to, useParams } from "../../lib/url";
import { Header } from "./Header";
import { PlannedPanel } from "./PlannedPanel";
import { TaskPanel } from "./TaskPanel";
import { Timeline } from "./Timeline";
import css from "./Execution.module.css";
import type { ViewProps } from "./views";

const VIEWS = [
  { key: "timeline", label: "Timeline", component: Timeline },
  { key: "graph", label: "Graph", component: lazy(() => import("./Graph")) },
  { key: "tasks", label: "Tasks", component: lazy(() => import("./TaskTable")) },
  { key: "data", label: "Data", component: lazy(() => import("./Data")) },
  { key: "definition", label: "Definition", component: lazy(() => import("./DefinitionView")) },
  { key: "events", label: "Events", component: lazy(() => import("./EventLog")) },
];
const viewOf = (params: URLSearchParams) => VIEWS.find(one => one.key === params.get("view")) ?? VIEWS[0]!;
// The view that the address asks for comes along with the page, and not after what the page reads.
const { component: first } = viewOf(new URLSearchParams(location.search));
if ("preload" in first) void first.preload().catch(() => undefined);

export default function Execution() {
  const { id = "", taskId } = useSegments<{ id: string; taskId?: string }>();
  const [params, change] = useParams();
  const [, navigate] = useLocation();
  const found = useQuery(executionQuery(id));
  const tasks = useQuery(timelineQuery(id));
  useFollowing([id]);

  const workflow = found.data?.workflow;
  const places = useMemo(
    () => (workflow ? placesOf(workflow.workflowDefinition) : new Map()),
    [workflow?.workflowDefinition],
  );
  const rows = tasks.data?.rows;
  const selected = useMemo(() => selectedOf(rows, taskId), [rows, taskId]);
  const planned = (!selected && taskId && places.get(taskId)) || null;
  const isNarrow = useNarrow();
  useEffect(() => {
    if (workflow) document.title = `${workflow.workflowName} · ${workflow.status.toLowerCase()} · Batuta`;
    return () => {
      document.title = "Batuta";
    };
  }, [workflow?.workflowName, workflow?.status]);

  const error = found.error ?? tasks.error;
  if (error && !(found.data && tasks.data)) {
    if (error instanceof ApiError && error.status === 404)
      return (
        <EmptyState icon="search" title="There is no such execution">
          <span className="mono">{id}</span> was removed, or never was on this server.{" "}
          <a href={to.executions()}>All executions</a>
        </EmptyState>
      );
    return <ErrorState error={error} onRetry={() => void (found.refetch(), tasks.refetch())} />;
  }
  if (!found.data || !workflow || !tasks.data) return <div className="page faint" aria-busy="true" />;

  const view = viewOf(params);
  const parameters = Object.fromEntries(params);
  const select = (row: TaskRow | null) =>
    navigate(to.execution(id, row?.id, { ...parameters, panel: row ? undefined : "off" }), { replace: true });
  const selectRef = (ref: string) =>
    navigate(to.execution(id, ref, { ...parameters, panel: undefined }), { replace: true });
  // Where a panel hides what is beside it, it opens for what was asked for, and for what failed.
  const isWanted = Boolean(taskId) || !isNarrow || (selected !== null && isBad(selected.status) && !params.has("view"));
  const isPanelOpen = isWanted && params.get("panel") !== "off";
  const props: ViewProps = { execution: found.data, tasks: tasks.data, places, selected, planned, select, selectRef };
  return (
    <div className={css.page}>
      <Header {...props} />
      <Panels
        label="the task"
        panel={
          isPanelOpen && planned ? (
            <PlannedPanel key={planned.ref} {...props} place={planned} onClose={() => select(null)} />
          ) : isPanelOpen && taskId && !selected ? (
            <Gone what="task" name={taskId} onClose={() => select(null)} />
          ) : isPanelOpen && selected ? (
            <TaskPanel
              key={selected.ref}
              row={selected}
              tasks={tasks.data}
              select={select}
              onClose={() => select(null)}
            />
          ) : null
        }
      >
        <div className={css.views}>
          <Tabs
            label="Views of the execution"
            tabs={VIEWS.map(one => ({ key: one.key, label: one.label }))}
            value={view.key}
            onChange={key => change({ view: key === "timeline" ? "" : key })}
          >
            <Suspense fallback={null}>
              <view.component {...props} />
            </Suspense>
          </Tabs>
        </div>
      </Panels>
    </div>
  );
}

/** The task of the URL; else the one that failed; else the first that is still open. */
function selectedOf(rows: readonly TaskRow[] | undefined, taskId: string | undefined): TaskRow | null {
  if (!rows) return null;
  if (taskId) return rows.find(row => row.id === taskId) ?? rows.findLast(row => row.ref === taskId) ?? null;
  const failed =
    rows.findLast(row => isBad(row.status) && !row.retried && !row.child) ??
    rows.findLast(row => isBad(row.status) && !row.retried);
  if (failed) return failed;
  const open = rows.filter(row => isOpen(row.status));
  return open.find(row => row.queue || row.type === "WAIT" || row.type === "HUMAN") ?? open[0] ?? null;
}
