import { expect, test } from "vitest";
import type { WorkflowDef } from "../api/types";
import { breaksOf, inputsOf } from "./breaks";
import { usesOfWorkflow } from "./uses";

const task = (ref: string, more: object = {}) => ({ name: ref, taskReferenceName: ref, type: "SIMPLE", ...more });
const define = (name: string, tasks: object[], more: object = {}) =>
  ({ name, version: 1, tasks, ...more }) as unknown as WorkflowDef;

const CALLER = define(
  "caller",
  [
    task("mail", {
      type: "SUB_WORKFLOW",
      subWorkflowParam: { name: "child" },
      inputParameters: { to: "${workflow.input.customer}" },
    }),
  ],
  { outputParameters: { id: "${mail.output.messageId}", other: "${mail.output.messageIdOfAnother}" } },
);
const SCHEDULES = [{ name: "nightly", startWorkflowRequest: { name: "child", input: { to: "me", subject: "hi" } } }];
const HANDLERS = [{ name: "on-order", actions: [{ start_workflow: { name: "child", input: {} } }] }];
const OTHERS = { definitions: [CALLER], schedules: SCHEDULES, handlers: HANDLERS };
const USES = usesOfWorkflow("child", [CALLER], SCHEDULES, HANDLERS);
const told = (before: WorkflowDef, after: WorkflowDef) =>
  breaksOf(before, after, USES, OTHERS).map(one => `${one.use.name} ${one.kind} ${one.name}`);

test("an output that others read is missed, one that nobody reads is not", () => {
  const before = define("child", [task("a")], { outputParameters: { messageId: 1, unread: 2 } });
  expect(told(before, define("child", [task("a")], { outputParameters: { id: 1 } }))).toEqual([
    "caller reads messageId",
  ]);
  expect(told(before, before)).toEqual([]);
});

test("an input that is read anew is missed where it is not given", () => {
  const before = define("child", [task("a", { inputParameters: { to: "${workflow.input.to}" } })]);
  const after = define("child", [
    task("a", { inputParameters: { to: "${workflow.input.to}", s: "${workflow.input.subject}" } }),
  ]);
  expect(told(before, after)).toEqual(["caller lacks subject", "on-order lacks subject"]);
  expect(told(before, { ...after, inputTemplate: { subject: "none" } })).toEqual([]);
  expect(inputsOf(after)).toEqual(["to", "subject"]);
});

test("what a schema requires from now on is missed, unless it is not enforced", () => {
  const before = define("child", [task("a")]);
  const after = define("child", [task("a")], { inputSchema: { name: "s", data: { required: ["to", "subject"] } } });
  expect(told(before, after)).toEqual([
    "caller lacks a required subject",
    "on-order lacks a required to",
    "on-order lacks a required subject",
  ]);
  expect(told(before, { ...after, enforceSchema: false })).toEqual([]);
});

test("under another name it is another workflow", () => {
  const before = define("child", [task("a")], { outputParameters: { messageId: 1 } });
  expect(told(before, define("copy", []))).toEqual([]);
});
