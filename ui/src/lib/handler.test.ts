import { expect, test } from "vitest";
import type { EventAction } from "../api/types";
import { blankAction, changed, described, detailsOf, tagsOf, tagText, turned } from "./handler";

test("an action is told by what it does to what", () => {
  const said = [
    { action: "start_workflow", start_workflow: { name: "thank_you" } },
    { action: "complete_task", complete_task: { taskRefName: "approval" } },
    { action: "fail_task", fail_task: {} },
    { action: "terminate_workflow", terminate_workflow: { workflowId: "${id}" } },
    { action: "update_workflow_variables", update_workflow_variables: { variables: { a: 1, b: 2 } } },
    { action: "something_new" },
  ].map(one => described(one as EventAction));
  expect(said).toEqual([
    "starts thank_you",
    "completes approval",
    "fails a task",
    "terminates ${id}",
    "sets a, b",
    "something_new",
  ]);
});

test("a change keeps what stands elsewhere and takes out what is empty", () => {
  const action = { action: "start_workflow", expandInlineJSON: true, start_workflow: { name: "a" } } as EventAction;
  const next = changed(action, { name: "b", version: undefined, correlationId: "", input: { x: 1 } });
  expect(next).toEqual({
    action: "start_workflow",
    expandInlineJSON: true,
    start_workflow: { name: "b", input: { x: 1 } },
  });
});

test("another kind begins anew", () => {
  const action = turned(changed(blankAction("start_workflow"), { name: "a" }), "complete_task");
  expect(action).toEqual({ action: "complete_task", complete_task: {} });
  expect(detailsOf(action)).toEqual({});
});

test("tags are written and read", () => {
  expect(tagsOf(" team:mail,urgent , url:a:b,")).toEqual([
    { key: "team", value: "mail" },
    { key: "urgent", value: "" },
    { key: "url", value: "a:b" },
  ]);
  expect(tagText(tagsOf("team:mail, urgent"))).toBe("team:mail, urgent");
});
