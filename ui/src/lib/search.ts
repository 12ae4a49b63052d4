// The builder's filter as a query in the API's language, which is also what the URL keeps and what may be typed. Source: core/query.py.
export interface Filter {
  statuses: string[];
  name: string;
  correlationId: string;
  /** Only executions that nobody else started. */
  top: boolean;
  /** Begun within: 1h, 24h, 7d, 30d, or empty. */
  within: string;
}

export const NOTHING: Filter = { statuses: [], name: "", correlationId: "", top: false, within: "" };
export const WITHIN: Record<string, number> = {
  "15m": 900_000,
  "1h": 3_600_000,
  "24h": 86_400_000,
  "7d": 604_800_000,
  "30d": 2_592_000_000,
};

/** A value in quotes the language reads back: it has no escapes, so a value with both kinds of quotes cannot be said. */
export function quoted(value: string): string {
  return value.includes('"') ? `'${value.replaceAll("'", "*")}'` : `"${value}"`;
}

export function queryOf(filter: Filter, typed: string, now = Date.now()): string {
  const parts: string[] = [];
  if (filter.statuses.length) parts.push(`status IN (${filter.statuses.join(",")})`);
  if (filter.name) parts.push(`workflowType = ${quoted(filter.name)}`);
  if (filter.correlationId) parts.push(`correlationId = ${quoted(filter.correlationId)}`);
  if (filter.top) parts.push(`parentWorkflowId IS null`);
  const span = WITHIN[filter.within];
  // Whole minutes, so that the same search asked twice in a moment is the same search.
  if (span) parts.push(`startTime > ${Math.floor((now - span) / 60_000) * 60_000}`);
  if (typed.trim()) parts.push(parts.length ? `(${typed.trim()})` : typed.trim());
  return parts.join(" AND ");
}

export function filterOf(parameters: URLSearchParams): Filter {
  return {
    statuses: (parameters.get("status") ?? "").split(",").filter(Boolean),
    name: parameters.get("name") ?? "",
    correlationId: parameters.get("correlation") ?? "",
    top: parameters.get("top") === "1",
    within: parameters.get("within") ?? "",
  };
}

/** Which tasks, in the API's language. */
interface TaskFilter {
  statuses: string[];
  type: string;
  domain: string;
  workflow: string;
}

export const taskFilterOf = (parameters: URLSearchParams): TaskFilter => ({
  statuses: (parameters.get("status") ?? "").split(",").filter(Boolean),
  type: parameters.get("type") ?? "",
  domain: parameters.get("domain") ?? "",
  workflow: parameters.get("workflow") ?? "",
});

export function taskQueryOf(filter: TaskFilter, typed: string): string {
  const parts: string[] = [];
  if (filter.statuses.length) parts.push(`status IN (${filter.statuses.join(",")})`);
  if (filter.type) parts.push(`taskType = ${quoted(filter.type)}`);
  if (filter.domain) parts.push(`domain = ${quoted(filter.domain)}`);
  if (filter.workflow) parts.push(`workflowType = ${quoted(filter.workflow)}`);
  if (typed.trim()) parts.push(parts.length ? `(${typed.trim()})` : typed.trim());
  return parts.join(" AND ");
}
