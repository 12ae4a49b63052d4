// The URL is the state: what is looked at, how it is filtered, what is selected. Whoever has the link sees the same.
import { useCallback } from "react";
import { useLocation, useSearch } from "wouter";

export type Patch = Record<string, string | undefined>;

/** The parameters of the URL, and a way to change some (undefined or "": remove). By default the step back is kept as it was. */
export function useParams(): [URLSearchParams, (patch: Patch, options?: { push?: boolean }) => void] {
  const text = useSearch();
  const [, navigate] = useLocation();
  const change = useCallback(
    (patch: Patch, options?: { push?: boolean }) => {
      const next = patched(new URLSearchParams(location.search), patch);
      navigate(`${location.pathname}${next ? `?${next}` : ""}`, { replace: !options?.push });
    },
    [navigate],
  );
  return [new URLSearchParams(text), change];
}

function patched(parameters: URLSearchParams, patch: Patch): string {
  for (const [name, value] of Object.entries(patch)) {
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  return parameters.toString();
}

const inPath = encodeURIComponent;
/** Every place of the console, spelled once. */
export const to = {
  home: () => "/",
  executions: (filter: Patch = {}) => `/executions${asked(filter)}`,
  execution: (id: string, taskId?: string, parameters: Patch = {}) =>
    `/execution/${inPath(id)}${taskId ? `/${inPath(taskId)}` : ""}${asked(parameters)}`,
  definitions: () => "/definitions",
  definition: (name: string, version?: number, parameters: Patch = {}) =>
    `/definitions/${inPath(name)}${version ? `/${version}` : ""}${asked(parameters)}`,
  newDefinition: (like?: string) => `/new/workflow${asked({ like })}`,
  /** `like`: an execution whose input is offered first. */
  start: (name: string, parameters: Patch = {}) => `/start/${inPath(name)}${asked(parameters)}`,
  tasks: () => "/tasks",
  task: (name: string) => `/tasks/${inPath(name)}`,
  newTask: (name?: string) => `/new/task${asked({ name })}`,
  queues: (queue?: string) => `/queues${asked({ queue })}`,
  /** Tasks of all executions. */
  taskSearch: (filter: Patch = {}) => `/queues/tasks${asked(filter)}`,
  workers: (worker?: string) => `/workers${asked({ worker })}`,
  schedules: (name?: string, parameters: Patch = {}) => `/schedules${asked({ name, ...parameters })}`,
  events: (parameters: Patch = {}) => `/events${asked(parameters)}`,
  failures: (parameters: Patch = {}) => `/failures${asked(parameters)}`,
  /** *b* may be "last": the latest one before *a*. */
  compare: (a: string, b: string, parameters: Patch = {}) => `/compare${asked({ a, b, ...parameters })}`,
};

function asked(parameters: Patch): string {
  const text = patched(new URLSearchParams(), parameters);
  return text ? `?${text}` : "";
}
