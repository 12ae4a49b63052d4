// What is read from the server, each with its key: components ask for data by these and by nothing else. What changes it are actions.ts and live.ts.
import { QueryClient, infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { differences, type Difference } from "../lib/json";
import type { ApiSchemas } from "../lib/openapi";
import { NOTHING, queryOf, quoted } from "../lib/search";
import { firingsQuery } from "../lib/schedule";
import type { Handler, Schedule as Starter } from "../lib/uses";
import { ApiError, get, path, query } from "./http";
import { laidOver, rowsOf, type Tasks } from "./timeline";
import type {
  ConsoleExecution,
  ConsoleTask,
  DeadMessage,
  EventExecution,
  EventHandler,
  Failures,
  Firing,
  Health,
  OutgoingMessage,
  Overview,
  PollData,
  Schedule,
  SchemaDef,
  SearchResult,
  TaskDef,
  TaskLog,
  TaskSummary,
  Timeline,
  WorkflowDef,
  WorkflowSummary,
  Work,
} from "./types";

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A server that is starting again answers soon; one that says no says it again.
      retry: (failures, error) =>
        failures < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      retryDelay: 500,
    },
  },
});

/** A search, a page after the other. Rows of a list that moves may stand on two pages. */
const paged = <Row>(key: string, url: string, search: Record<string, string | undefined>, size: number) =>
  infiniteQueryOptions({
    queryKey: [key, search],
    queryFn: ({ signal, pageParam }) =>
      get<SearchResult<Row>>(`${url}${query({ ...search, start: pageParam, size })}`, signal),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const loaded = pages.length * size;
      return loaded < last.totalHits && last.results.length ? loaded : undefined;
    },
    placeholderData: keepPreviousData,
    structuralSharing: false,
  });
type Paged = { query: string; freeText: string; sort: string };
export const executionPages = (search: Paged) =>
  paged<WorkflowSummary>("executions", "/api/workflow/search", { ...search }, 200);
export const taskPages = (search: Paged) => paged<TaskSummary>("tasks", "/api/tasks/search", { ...search }, 100);

export interface Search {
  query: string;
  freeText: string;
  sort: string;
  start: number;
  size: number;
}

export const executions = (search: Search) =>
  queryOptions({
    queryKey: ["executions", search],
    queryFn: ({ signal }) =>
      get<SearchResult<WorkflowSummary>>(
        `/api/workflow/search${query({ ...search, freeText: search.freeText || undefined })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
  });

/** One execution without its tasks and payloads: what is read again whenever it moves. */
export const execution = (id: string) =>
  queryOptions({
    queryKey: ["execution", id],
    queryFn: ({ signal }) =>
      get<ConsoleExecution>(`${path("/api/console/executions", id)}${query({ payloads: false })}`, signal),
  });

/** The same with its input, output and variables; those above 1 MiB are withheld. */
export const executionPayloads = (id: string) =>
  queryOptions({
    queryKey: ["execution", id, "payloads"],
    queryFn: ({ signal }) => get<ConsoleExecution>(path("/api/console/executions", id), signal),
  });

/** All tasks without payloads. Asked again, only what changed since is read. */
export const timeline = (id: string) =>
  queryOptions({
    queryKey: ["timeline", id],
    queryFn: async ({ signal }): Promise<Tasks> => {
      const url = `${path("/api/console/executions", id)}/timeline`;
      const before = client.getQueryData<Tasks>(["timeline", id]);
      if (before) {
        const merged = laidOver(
          before,
          await get<Timeline>(`${url}${query({ since: before.updateTime, revision: before.revision })}`, signal),
        );
        if (merged) return merged;
      }
      return rowsOf(await get<Timeline>(url, signal));
    },
    structuralSharing: false, // rows are thousands, and replaced as they are
  });

export const task = (id: string) =>
  queryOptions({
    queryKey: ["task", id],
    queryFn: ({ signal }) => get<ConsoleTask>(path("/api/console/tasks", id), signal),
    structuralSharing: false,
  });

/** A payload the console left out for its size. */
export const wholePayload = (kind: "execution" | "task", id: string, part: string) =>
  queryOptions({
    queryKey: ["payload", kind, id, part],
    queryFn: async ({ signal }) => {
      const url = kind === "task" ? path("/api/tasks", id) : `${path("/api/workflow", id)}?includeTasks=false`;
      const whole = await get<Record<string, unknown>>(url, signal);
      const key = kind === "task" ? `${part}Data` : part;
      const external = whole[part === "input" ? "externalInputPayloadStoragePath" : "externalOutputPayloadStoragePath"];
      return typeof external === "string" && external ? get<unknown>(`/api/external/${external}`, signal) : whole[key];
    },
    structuralSharing: false,
    gcTime: 30_000,
  });

interface PayloadDifference {
  /** Of the pairs given, the one that differs. */
  index: number;
  difference: Difference;
}
/** The first pairs of tasks whose inputs, and whose outputs, differ; of payloads above 1 MiB it is not known. Reads no more pairs than it must. */
export const payloadDifferences = (pairs: readonly (readonly [string, string])[], state: string) =>
  queryOptions({
    queryKey: ["payloadDifferences", pairs, state],
    queryFn: async () => {
      const found: { input?: PayloadDifference; output?: PayloadDifference; looked: number } = { looked: 0 };
      for (let at = 0; at < pairs.length && !(found.input && found.output); at += AT_ONCE) {
        const some = pairs.slice(at, at + AT_ONCE);
        const read = await Promise.all(some.flat().map(id => client.fetchQuery(task(id))));
        for (let index = at; index < at + some.length; index++) {
          const [a, b] = [read[(index - at) * 2]!, read[(index - at) * 2 + 1]!];
          for (const part of ["input", "output"] as const) {
            if (found[part] || a.withheld.includes(part) || b.withheld.includes(part)) continue;
            const [difference] = differences(a.task[`${part}Data`], b.task[`${part}Data`], 1);
            if (difference) found[part] = { index, difference };
          }
        }
        found.looked = at + some.length;
      }
      return found;
    },
    structuralSharing: false,
  });
const AT_ONCE = 4;

/** The execution that one of this workflow is held against when nobody says which: the latest before it that completed, else the latest before it. */
export const lastBefore = (name: string, id: string, createTime: number) =>
  queryOptions({
    queryKey: ["lastBefore", id],
    queryFn: async ({ signal }): Promise<string | null> => {
      for (const statuses of [["COMPLETED"], []]) {
        const wanted = queryOf({ ...NOTHING, name, statuses }, `startTime <= ${createTime}`);
        const asked = query({ query: wanted, sort: "startTime:DESC", start: 0, size: 2 });
        const { results } = await get<SearchResult<WorkflowSummary>>(`/api/workflow/search${asked}`, signal);
        const found = results.find(one => one.workflowId !== id);
        if (found) return found.workflowId;
      }
      return null;
    },
  });

export const taskLogs = (id: string) =>
  queryOptions({
    queryKey: ["logs", id],
    queryFn: async ({ signal }) => (await get<TaskLog[] | undefined>(`${path("/api/tasks", id)}/log`, signal)) ?? [],
  });

export const overview = () =>
  queryOptions({
    queryKey: ["overview"],
    queryFn: ({ signal }) => get<Overview>("/api/console/overview", signal),
    refetchInterval: 5_000, // not while the tab is hidden
  });

/** Queues, who asks them, and what is with workers. */
export const work = () =>
  queryOptions({
    queryKey: ["work"],
    queryFn: ({ signal }) => get<Work>("/api/console/work", signal),
    refetchInterval: 5_000,
  });

export const failures = (since?: number) =>
  queryOptions({
    queryKey: ["failures", since],
    queryFn: ({ signal }) => get<Failures>(`/api/console/failures${query({ since })}`, signal),
  });

export const health = () =>
  queryOptions({ queryKey: ["health"], queryFn: ({ signal }) => get<Health>("/api/console/health", signal) });

export const workflowNames = () =>
  queryOptions({
    queryKey: ["workflowNames"],
    queryFn: ({ signal }) => get<string[]>("/api/metadata/workflow/names", signal),
    staleTime: 30_000,
  });

export const definitions = () =>
  queryOptions({
    queryKey: ["definitions"],
    queryFn: ({ signal }) => get<WorkflowDef[]>("/api/metadata/workflow/latest-versions", signal),
  });

export const definition = (name: string, version?: number) =>
  queryOptions({
    queryKey: ["definition", name, version ?? "latest"],
    queryFn: ({ signal }) => get<WorkflowDef>(`${path("/api/metadata/workflow", name)}${query({ version })}`, signal),
  });

export interface VersionSummary {
  name: string;
  version: number;
  createTime: number;
}
/** Of every workflow, lowest first. */
export const versions = () =>
  queryOptions({
    queryKey: ["versions"],
    queryFn: ({ signal }) => get<Record<string, VersionSummary[]>>("/api/metadata/workflow/names-and-versions", signal),
  });

/** How many executions of each of these versions have not ended. */
export const running = (name: string, asked: number[]) =>
  queryOptions({
    queryKey: ["running", name, asked],
    queryFn: async ({ signal }) => {
      const hits = asked.map(async version => {
        const open = `workflowType = ${quoted(name)} AND version = ${version} AND status IN (RUNNING,PAUSED)`;
        const found = await get<SearchResult<unknown>>(
          `/api/workflow/search${query({ query: open, size: 1 })}`,
          signal,
        );
        return [version, found.totalHits] as const;
      });
      return new Map(await Promise.all(hits));
    },
    structuralSharing: false,
  });

/** The latest executions of a workflow, whose inputs a start form offers. */
export const lately = (name: string, size = 10) =>
  queryOptions({
    queryKey: ["executions", "lately", name, size],
    queryFn: async ({ signal }) => {
      const asked = { query: `workflowType = ${quoted(name)}`, sort: "startTime:DESC", size };
      const found = await get<SearchResult<WorkflowSummary>>(`/api/workflow/search${query(asked)}`, signal);
      return found.results;
    },
  });

/** What the server's OpenAPI description says of its structures. */
export const apiSchemas = () =>
  queryOptions({
    queryKey: ["apiSchemas"],
    queryFn: async ({ signal }) =>
      (await get<{ components: { schemas: ApiSchemas } }>("/v3/api-docs", signal)).components.schemas,
    staleTime: Infinity,
    structuralSharing: false,
  });

/** A registered schema; without a version its latest. */
export const schema = (name: string, version?: number) =>
  queryOptions({
    queryKey: ["schema", name, version ?? "latest"],
    queryFn: ({ signal }) =>
      get<SchemaDef>(version ? path("/api/schema", name, String(version)) : path("/api/schema", name), signal),
  });

/** Who starts what, besides people and definitions. */
export const starters = () =>
  queryOptions({
    queryKey: ["starters"],
    queryFn: async ({ signal }) => {
      const [schedules, handlers] = await Promise.all([
        get<Starter[]>("/api/scheduler/schedules", signal),
        get<Handler[]>("/api/event", signal),
      ]);
      return { schedules, handlers };
    },
  });

export const taskDefinition = (name: string) =>
  queryOptions({
    queryKey: ["taskDefinition", name],
    queryFn: ({ signal }) => get<TaskDef>(path("/api/metadata/taskdefs", name), signal),
  });

export const taskDefinitions = () =>
  queryOptions({
    queryKey: ["taskDefinitions"],
    queryFn: ({ signal }) => get<TaskDef[]>("/api/metadata/taskdefs", signal),
  });

export const pollData = (taskType: string) =>
  queryOptions({
    queryKey: ["pollData", taskType],
    queryFn: ({ signal }) => get<PollData[]>(`/api/tasks/queue/polldata${query({ taskType })}`, signal),
    refetchInterval: 5_000,
  });

// What the clock and messages start: nobody tells of their changes, so they are asked for while they are looked at.
const SLOWLY_MS = 5_000;

export const schedules = () =>
  queryOptions({
    queryKey: ["schedules"],
    queryFn: ({ signal }) => get<Schedule[]>("/api/scheduler/schedules", signal),
    refetchInterval: SLOWLY_MS,
  });

/** What came of a schedule's ticks, the newest first. */
export const firings = (name: string) =>
  queryOptions({
    queryKey: ["firings", name],
    queryFn: async ({ signal }) => {
      const asked = query({ query: firingsQuery(name), size: 50 });
      const found = await get<SearchResult<Firing>>(`/api/scheduler/search/executions${asked}`, signal);
      return found.results.filter(one => one.scheduleName === name);
    },
    refetchInterval: SLOWLY_MS,
  });

/** The next ticks of an expression; its error says what is wrong with it. */
export const nextTicks = (cronExpression: string, zoneId: string, from?: number, until?: number) =>
  queryOptions({
    queryKey: ["ticks", cronExpression, zoneId, from, until],
    queryFn: ({ signal }) => {
      const asked = { cronExpression, zoneId, scheduleStartTime: from, scheduleEndTime: until, limit: 5 };
      return get<number[]>(`/api/scheduler/nextFewSchedules${query(asked)}`, signal);
    },
    enabled: cronExpression.trim() !== "",
    retry: false,
    // When the first of them has come, there are others.
    refetchInterval: ({ state }) => {
      const first = state.data?.[0];
      return first ? Math.min(Math.max(first - Date.now(), 0) + 1_000, 3_600_000) : false;
    },
  });

export const eventHandlers = () =>
  queryOptions({
    queryKey: ["eventHandlers"],
    queryFn: ({ signal }) => get<EventHandler[]>("/api/event", signal),
    refetchInterval: SLOWLY_MS,
  });

interface MessageFilter {
  handler?: string;
  event?: string;
  messageId?: string;
  status?: string;
}
/** What became of messages, the newest first. */
export const eventExecutions = (filter: MessageFilter, size = 200) =>
  queryOptions({
    queryKey: ["eventExecutions", filter, size],
    queryFn: ({ signal }) =>
      get<SearchResult<EventExecution>>(`/api/event/executions${query({ ...filter, size })}`, signal),
    refetchInterval: SLOWLY_MS,
    placeholderData: keepPreviousData,
  });

export const deadMessages = () =>
  queryOptions({
    queryKey: ["deadMessages"],
    queryFn: ({ signal }) => get<SearchResult<DeadMessage>>("/api/event/dead?size=500", signal),
    refetchInterval: SLOWLY_MS,
  });

export const outgoingMessages = () =>
  queryOptions({
    queryKey: ["outgoingMessages"],
    queryFn: ({ signal }) => get<SearchResult<OutgoingMessage>>("/api/event/outgoing?size=500", signal),
    refetchInterval: SLOWLY_MS,
  });
