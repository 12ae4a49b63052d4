// What the editor knows of a definition: what may be written at a place, what the server says of the whole.
import type { Completion } from "@codemirror/autocomplete";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { validateWorkflow } from "../../api/actions";
import { ApiError } from "../../api/http";
import { apiSchemas, taskDefinitions, workflowNames } from "../../api/queries";
import type { Complete, Mark } from "../../design/Editor";
import type { Path } from "../../lib/json";
import { oddities, schemaAt, wordsOf } from "../../lib/openapi";
import { placed } from "../../lib/problems";

const TASK_TYPES = [
  "SIMPLE", "SWITCH", "FORK_JOIN", "FORK_JOIN_DYNAMIC", "JOIN", "EXCLUSIVE_JOIN", "DO_WHILE", "DYNAMIC", "SUB_WORKFLOW", "START_WORKFLOW", "TERMINATE",
  "SET_VARIABLE", "INLINE", "JSON_JQ_TRANSFORM", "WAIT", "HUMAN", "NOOP", "EVENT", "PULL_WORKFLOW_MESSAGES", "HTTP",
]; // prettier-ignore

type Kind = "WorkflowDef" | "TaskDef";
const STAMPED = ["createTime", "updateTime", "createdBy", "updatedBy"];

/** The definition as people write it: without what the server stamps. */
export function written(definition: object): object {
  return Object.fromEntries(Object.entries(definition).filter(([key]) => !STAMPED.includes(key)));
}

export function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** Names and values for a place, from the server's own description; and the names of what is registered. */
export function useComplete(kind: Kind): Complete {
  const schemas = useQuery(apiSchemas());
  const tasks = useQuery(taskDefinitions());
  const workflows = useQuery(workflowNames());
  return useCallback(
    (path: Path, isName: boolean): Completion[] => {
      const here = schemas.data && schemaAt(schemas.data, kind, path);
      if (isName)
        return Object.entries(here?.properties ?? {})
          .filter(([name]) => !STAMPED.includes(name))
          .map(([name, one]) => ({ label: name, type: "property", detail: wordsOf(schemas.data!, one) }));
      const key = path.at(-1);
      const inTask = typeof path.at(-2) === "number";
      const known =
        here?.enum ??
        (inTask && key === "type" ? TASK_TYPES : undefined) ??
        (inTask && key === "name" ? tasks.data?.map(one => one.name) : undefined) ??
        (key === "failureWorkflow" || (key === "name" && path.at(-2) === "subWorkflowParam")
          ? workflows.data
          : undefined);
      return (known ?? []).map(value => ({ label: String(value), type: "enum" }));
    },
    [kind, schemas.data, tasks.data, workflows.data],
  );
}

export interface Judgement {
  /** `checking` until the server has answered for this very text. */
  state: "checking" | "good" | "bad" | "unread" | "unknown";
  marks: Mark[];
  why: string;
}

/** What is wrong with the text: fields nobody knows (warnings), and, for a workflow, what the server says to it. */
export function useJudgement(kind: Kind, text: string): Judgement {
  const schemas = useQuery(apiSchemas());
  const value = useMemo(() => parsed(text), [text]);
  const [said, setSaid] = useState<{ text: string; marks: Mark[]; why: string }>({ text: "", marks: [], why: "" });
  useEffect(() => {
    if (!value || kind !== "WorkflowDef") return;
    let isLatest = true;
    const timer = setTimeout(() => {
      const tell = (marks: Mark[], why: string) => isLatest && setSaid({ text, marks, why });
      validateWorkflow(value).then(
        () => tell([], ""),
        (error: unknown) => {
          const failure = error instanceof ApiError ? error : new ApiError(String(error), 0);
          if (failure.violations.length) tell(placed(failure.violations, value), "");
          else if (failure.status === 400) tell([{ path: [], message: failure.message }], "");
          else tell([], failure.message);
        },
      );
    }, 300);
    return () => {
      isLatest = false;
      clearTimeout(timer);
    };
  }, [text, value, kind]);
  const odd = useMemo(
    () =>
      (schemas.data && value ? oddities(schemas.data, kind, value) : []).map((one): Mark => ({
        ...one,
        severity: "warning",
      })),
    [schemas.data, value, kind],
  );
  return useMemo(() => {
    if (!value) return { state: "unread", marks: [], why: "This is no JSON object yet." };
    const isJudged = kind === "TaskDef" || said.text === text;
    const marks = [...said.marks, ...odd];
    if (!isJudged) return { state: "checking", marks, why: "" };
    if (said.why) return { state: "unknown", marks: odd, why: said.why };
    return { state: said.marks.length ? "bad" : "good", marks, why: "" };
  }, [value, said, odd, kind, text]);
}
