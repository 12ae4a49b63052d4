import { expect, test } from "vitest";
import { pathOf, placed, taskAt, taskPaths } from "./problems";

test.each([
  ["validateWorkflowDef.arg0", []],
  ["validateWorkflowDef.arg0.name", ["name"]],
  ["updateWorkflowDef.arg0[3].tasks", ["tasks"]],
  ["validateWorkflowDef.arg0.tasks[12].startDelay", ["tasks", 12, "startDelay"]],
  ["registerTaskDef.arg0[0].timeoutSeconds", ["timeoutSeconds"]],
  [
    "validateWorkflowDef.arg0.tasks[1].decisionCases[0].<map value>[2].forkTasks[1].<list element>[0].name",
    ["tasks", 1, "decisionCases", "0", 2, "forkTasks", 1, 0, "name"],
  ],
  [
    "validateWorkflowDef.arg0.tasks[0].onStateChange[onStart][1].type",
    ["tasks", 0, "onStateChange", "onStart", 1, "type"],
  ],
])("%s", (text, path) => expect(pathOf(text)).toEqual(path));

test("a problem of the whole that names a task is put to that task", () => {
  const task = (taskReferenceName: string, more: object = {}) => ({
    name: `n_${taskReferenceName}`,
    taskReferenceName,
    ...more,
  });
  const definition = {
    tasks: [task("a"), task("s", { decisionCases: { x: [task("a")] } }), task("d", { loopOver: [task("l")] })],
  };
  const at = (message: string) => placed([{ path: "v.arg0", message }], definition)[0]!.path;
  expect(at("taskReferenceName: a should be unique across tasks for a given workflowDefinition: flow")).toEqual([
    "tasks", 1, "decisionCases", "x", 0,
  ]); // prettier-ignore
  expect(at("expected a value, taskType: INLINE taskName: n_l")).toEqual(["tasks", 2, "loopOver", 0]);
  expect(at("something else")).toEqual([]);
  expect(placed([{ path: "v.arg0", message: "taskName: a" }], null)[0]!.path).toEqual([]);
});

test("a place in a task is found, the innermost first", () => {
  const tasks = taskPaths({ tasks: [{ taskReferenceName: "a", loopOver: [{ taskReferenceName: "b" }] }] });
  expect(taskAt(tasks, ["tasks", 0, "loopOver", 0, "name"])?.ref).toBe("b");
  expect(taskAt(tasks, ["tasks", 0, "loopOver"])?.ref).toBe("a");
  expect(taskAt(tasks, ["name"])).toBeUndefined();
});
