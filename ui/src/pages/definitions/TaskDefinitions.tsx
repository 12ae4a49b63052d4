// Every task definition: how often it is tried, how long it may take, who serves it, how many workflows use it.
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import { definitions, overview, taskDefinitions } from "../../api/queries";
import type { QueueState, TaskDef } from "../../api/types";
import { EmptyState } from "../../design/EmptyState";
import { Table, type Column } from "../../design/Table";
import { count, duration } from "../../lib/format";
import { to, useParams } from "../../lib/url";
import { usesOfTask } from "../../lib/uses";
import { Catalogue, isFound } from "./Catalogue";
import css from "./Definitions.module.css";

interface Row {
  task: TaskDef;
  queue?: QueueState;
  uses: number;
}

export default function TaskDefinitions() {
  const [params] = useParams();
  const [, navigate] = useLocation();
  const found = useQuery(taskDefinitions());
  const workflows = useQuery(definitions());
  const state = useQuery(overview());
  const words = params.get("q") ?? "";
  const queues = new Map(state.data?.queues.map(queue => [queue.taskType, queue]));
  const rows = (found.data ?? [])
    .filter(task => isFound(task, words))
    .map((task): Row => ({
      task,
      queue: queues.get(task.name),
      uses: new Set(usesOfTask(task.name, workflows.data ?? []).map(use => use.name)).size,
    }));
  return (
    <Catalogue
      kind="tasks"
      title="Task definitions"
      total={found.data && count(rows.length, "task")}
      exported={{ href: "/api/metadata/taskdefs", file: "taskdefs.json" }}
      make="New task"
      onMake={() => navigate(to.newTask())}
      found={found}
    >
      <Table
        label={`Task definitions, ${count(rows.length)} found`}
        columns={COLUMNS}
        rows={rows}
        keyOf={row => row.task.name}
        hrefOf={row => to.task(row.task.name)}
        onOpen={row => navigate(to.task(row.task.name))}
        empty={
          found.isPending ? null : words ? (
            <EmptyState icon="search" title="No task is like that" />
          ) : (
            <EmptyState icon="layers" title="No task definition is registered">
              A task needs none: it is then tried once, and may take any time. Make one to say how often and how long.
            </EmptyState>
          )
        }
      />
    </Catalogue>
  );
}

const COLUMNS: Column<Row>[] = [
  {
    key: "name",
    head: "Task",
    width: "minmax(150px, 1.4fr)",
    cell: ({ task }) => (
      <Link href={to.task(task.name)} title={task.description || task.name} className="mono">
        {task.name}
      </Link>
    ),
  },
  {
    key: "attempts",
    head: "Attempts",
    width: "90px",
    end: true,
    cell: ({ task }) => (
      <span title={`${task.retryLogic} every ${task.retryDelaySeconds} s`}>{(task.retryCount ?? 3) + 1}</span>
    ),
  },
  {
    key: "timeout",
    head: "Must answer in",
    width: "130px",
    end: true,
    wide: true,
    cell: ({ task }) => <span>{duration((task.responseTimeoutSeconds ?? 3600) * 1000)}</span>,
  },
  {
    key: "limit",
    head: "At once",
    width: "80px",
    end: true,
    wide: true,
    cell: ({ task }) =>
      task.concurrentExecLimit ? <span>{count(task.concurrentExecLimit)}</span> : <span className="faint">any</span>,
  },
  {
    key: "uses",
    head: "Workflows",
    width: "92px",
    end: true,
    cell: row => <span className={row.uses ? "" : "faint"}>{count(row.uses)}</span>,
  },
  {
    key: "workers",
    head: "Workers",
    width: "110px",
    end: true,
    wide: true,
    cell: ({ queue }) =>
      queue?.workers ? (
        <span>{count(queue.workers)}</span>
      ) : (
        <span className={queue?.waiting ? css.failed : "faint"}>
          {queue?.waiting ? `none, ${count(queue.waiting)} waiting` : "none"}
        </span>
      ),
  },
  {
    key: "owner",
    head: "Owner",
    width: "minmax(120px, 1fr)",
    wide: true,
    cell: ({ task }) => <span className="soft">{task.ownerEmail}</span>,
  },
];
