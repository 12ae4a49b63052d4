import { expect, test } from "vitest";
import type { WorkflowDef } from "../api/types";
import { usesOfTask, usesOfWorkflow, workersOf } from "./uses";

const simple = (name: string, ref = name) => ({ name, taskReferenceName: ref, type: "SIMPLE" });
const parent = {
  name: "parent",
  version: 3,
  failureWorkflow: "child",
  tasks: [
    simple("pack"),
    {
      name: "choose",
      taskReferenceName: "choose",
      type: "SWITCH",
      decisionCases: {
        a: [
          {
            name: "s",
            taskReferenceName: "inner",
            type: "SUB_WORKFLOW",
            subWorkflowParam: { name: "child", version: 2 },
          },
        ],
      },
      defaultCase: [
        {
          name: "x",
          taskReferenceName: "go",
          type: "START_WORKFLOW",
          inputParameters: { startWorkflow: { name: "child" } },
        },
        simple("pack", "pack_again"),
      ],
    },
  ],
} as unknown as WorkflowDef;

test("a workflow is used wherever it is named", () => {
  const schedules = [{ name: "nightly", startWorkflowRequest: { name: "child", version: 1 } }];
  const handlers = [{ name: "on-order", actions: [{ start_workflow: { name: "child" } }, {}] }];
  expect(
    usesOfWorkflow("child", [parent], schedules, handlers).map(use => [use.kind, use.name, use.ref, use.version]),
  ).toEqual([
    ["failure workflow", "parent", "", 0],
    ["sub-workflow", "parent", "inner", 2],
    ["started by a task", "parent", "go", 0],
    ["schedule", "nightly", "", 1],
    ["event handler", "on-order", "", 0],
  ]);
  expect(usesOfWorkflow("parent", [parent], schedules, handlers)).toEqual([]);
});

test("a task definition is used by the tasks of its name", () => {
  expect(usesOfTask("pack", [parent]).map(use => use.ref)).toEqual(["pack", "pack_again"]);
  expect(workersOf(parent)).toEqual(["pack"]);
});
