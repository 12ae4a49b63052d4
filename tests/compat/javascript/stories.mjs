/*
 * What a user of the official JavaScript client does, told as stories: functions that assert on what comes back.
 *
 * `node stories.mjs URL` plays every story against the server at that URL (…/api), with the client's own workers, and prints one JSON line for each: its
 * name and what was wrong. test_client_javascript.py reads these lines.
 */
import assert from "node:assert/strict";
import {
  clearWorkerRegistry,
  ConductorWorkflow,
  doWhileTask,
  dynamicForkTask,
  forkTaskJoin,
  getTaskContext,
  humanTask,
  inlineTask,
  joinTask,
  jsonJqTask,
  newLoopTask,
  NonRetryableException,
  OrkesClients,
  setVariableTask,
  simpleTask,
  subWorkflowTask,
  switchTask,
  TaskHandler,
  TaskManager,
  terminateTask,
  waitTaskDuration,
  worker,
  workflow,
} from "@io-orkes/conductor-javascript";

const END_MS = 30_000;
const OWNER = "sdk@example.com";
const POLL_MS = 20;

const byRef = (execution) => Object.fromEntries(execution.tasks.map((task) => [task.referenceTaskName, task]));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** What `look` finds as soon as it is acceptable. */
async function until(look, accept) {
  for (const end = Date.now() + END_MS; ; await pause(20)) {
    const found = await look();
    if (accept(found)) return found;
    assert.ok(Date.now() < end, `still ${JSON.stringify(found)} after ${END_MS} ms`);
  }
}

/** The error that the client makes of a refusal, which must carry these words. */
async function refused(words, call) {
  await assert.rejects(call, (error) => {
    const told = `${error.message} ${error.body ? JSON.stringify(error.body) : ""}`;
    assert.match(told, words);
    return true;
  });
}

// The client's stage: its clients, its workers, and what the stories share.
class Sdk {
  static async at(url) {
    const sdk = new Sdk();
    sdk.url = url;
    sdk.clients = await OrkesClients.from({ serverUrl: url, useEnvVars: false });
    sdk.workflows = sdk.clients.getWorkflowClient();
    sdk.metadata = sdk.clients.getMetadataClient();
    sdk.tasks = sdk.clients.getTaskClient();
    return sdk;
  }

  /** A task definition that is registered now: no waiting between attempts. */
  task(name, fields = {}) {
    const made = { name, retryCount: 2, retryDelaySeconds: 0, timeoutSeconds: 60, responseTimeoutSeconds: 30, ownerEmail: OWNER, ...fields };
    return this.metadata.registerTask(made);
  }

  /** A workflow of these tasks, registered. */
  async flow(name, ...tasks) {
    const made = new ConductorWorkflow(this.workflows, name).ownerEmail(OWNER).add(tasks.flat());
    await made.register(true);
    return made;
  }

  start(name, input = {}, fields = {}) {
    return this.workflows.startWorkflow({ name, version: 1, input, ...fields });
  }

  /** The execution as soon as it has ended. */
  ended(id) {
    return until(() => this.workflows.getWorkflow(id, true), (found) => !["RUNNING", "PAUSED"].includes(found.status));
  }

  /** The task of this reference as soon as it is open. */
  open(id, ref) {
    return until(async () => byRef(await this.workflows.getWorkflow(id, true))[ref], (task) => task && ["SCHEDULED", "IN_PROGRESS"].includes(task.status));
  }
}

// Workers as the guide writes them: plain objects for the TaskManager, decorated functions for the TaskHandler.
const plainWorkers = [
  {
    taskDefName: "js_greet",
    execute: async ({ inputData }) => ({ status: "COMPLETED", outputData: { said: `Hello, ${inputData.name}!` }, logs: [{ log: "greeted" }] }),
  },
  {
    taskDefName: "js_flaky",
    execute: async ({ inputData, retryCount }) => {
      if (inputData.forGood) throw new NonRetryableException("no use in trying again");
      if ((retryCount ?? 0) < inputData.failures) throw new Error(`attempt ${retryCount ?? 0} failed`);
      return { status: "COMPLETED", outputData: { attempt: retryCount ?? 0 } };
    },
  },
  {
    taskDefName: "js_patient",
    execute: async ({ pollCount }) =>
      pollCount < 3
        ? { status: "IN_PROGRESS", callbackAfterSeconds: pollCount === 2 ? 1 : 0, outputData: { soFar: pollCount } }
        : { status: "COMPLETED", outputData: { polls: pollCount } },
  },
];

function decorateWorkers() {
  clearWorkerRegistry();
  worker({ taskDefName: "js_context", pollInterval: POLL_MS, registerTaskDef: true, taskDef: { name: "js_context", timeoutSeconds: 60, responseTimeoutSeconds: 30 } })(
    async function inContext() {
      const context = getTaskContext();
      context.addLog(`poll ${context.getPollCount()}`);
      return { status: "COMPLETED", outputData: { workflow: context.getWorkflowInstanceId() } };
    },
  );
  worker({ taskDefName: "js_greet", domain: "night", pollInterval: POLL_MS })(async function goodNight({ inputData }) {
    return { status: "COMPLETED", outputData: { said: `Good night, ${inputData.name}.` } };
  });
}

const STORIES = {
  async definitions_come_back_as_they_went_in(sdk) {
    await sdk.task("js_defined", { retryLogic: "EXPONENTIAL_BACKOFF", inputTemplate: { a: { b: [1, null] } } });
    const found = await sdk.metadata.getTask("js_defined");
    assert.deepEqual([found.name, found.retryLogic, found.inputTemplate], ["js_defined", "EXPONENTIAL_BACKOFF", { a: { b: [1, null] } }]);
    await sdk.metadata.updateTask({ ...found, description: "as it is" });
    const all = await sdk.metadata.getAllTaskDefs();
    assert.deepEqual(all.filter((t) => t.name === "js_defined").map((t) => t.description), ["as it is"]);

    const definition = { ...workflow("js_defined_flow", [simpleTask("one", "js_defined", { n: "${workflow.input.n}" })]), ownerEmail: OWNER, timeoutSeconds: 0 };
    await sdk.metadata.registerWorkflowDef({ ...definition, version: 1 }, true);
    await sdk.metadata.registerWorkflowDef({ ...definition, version: 2 }, true);
    assert.equal((await sdk.metadata.getWorkflowDef("js_defined_flow")).version, 2);
    assert.deepEqual((await sdk.metadata.getWorkflowDef("js_defined_flow", 1)).tasks[0].inputParameters, { n: "${workflow.input.n}" });
    assert.ok((await sdk.metadata.getAllWorkflowDefs()).some((w) => w.name === "js_defined_flow" && w.version === 2));
    await sdk.metadata.unregisterWorkflow("js_defined_flow", 2);
    await sdk.metadata.unregisterWorkflow("js_defined_flow", 1);
    await sdk.metadata.unregisterTask("js_defined");
    await refused(/js_defined_flow/, () => sdk.metadata.getWorkflowDef("js_defined_flow"));
    await refused(/js_defined/, () => sdk.metadata.getTask("js_defined"));
  },

  async what_is_wrong_is_told(sdk) {
    await refused(/No such workflow/, () => sdk.start("js_no_such_flow"));
    await refused(/no-such-id/, () => sdk.workflows.getWorkflow("no-such-id", true, 0));
    await refused(/valid|tasks/i, () => sdk.metadata.registerWorkflowDef({ name: "js_empty", version: 1, tasks: [], ownerEmail: OWNER }, true));
  },

  async workers_take_what_they_are_given(sdk) {
    const flow = await sdk.flow("js_row", simpleTask("one", "js_greet", { name: "${workflow.input.name}" }), simpleTask("two", "js_greet", { name: "${one.output.said}" }));
    await flow.outputParameters({ said: "${two.output.said}" }).register(true);
    const ended = await sdk.ended(await sdk.start("js_row", { name: "Ada" }));
    assert.deepEqual([ended.status, ended.output], ["COMPLETED", { said: "Hello, Hello, Ada!!" }]);
    assert.deepEqual(ended.tasks.map((t) => [t.status, t.pollCount, t.retryCount]), [["COMPLETED", 1, 0], ["COMPLETED", 1, 0]]);
    assert.ok(ended.startTime > 0 && ended.endTime >= ended.startTime && ended.workflowName === "js_row");
    assert.deepEqual((await sdk.tasks.getTaskLogs(ended.tasks[0].taskId)).map((line) => line.log), ["greeted"]);
  },

  async the_builder_builds_what_runs(sdk) {
    await sdk.flow("js_child", simpleTask("hello", "js_greet", { name: "${workflow.input.name}" }));
    const flow = new ConductorWorkflow(sdk.workflows, "js_blocks")
      .ownerEmail(OWNER)
      .fork([[simpleTask("left", "js_greet", { name: "left" })], [simpleTask("right", "js_greet", { name: "right" })]])
      .add(switchTask("choice", "${workflow.input.kind}", { big: [setVariableTask("big", { size: 100 })] }, [setVariableTask("small", { size: 1 })]))
      .add({ ...inlineTask("sum", "(function () { return $.a + 2; })()"), inputParameters: { ...inlineTask("sum", "$.a + 2").inputParameters, a: "${workflow.variables.size}" } })
      .add({ ...jsonJqTask("names", "[.people[].name]"), inputParameters: { queryExpression: "[.people[].name]", people: "${workflow.input.people}" } })
      .add({ ...subWorkflowTask("child", "js_child", 1), inputParameters: { name: "child" } })
      .add(newLoopTask("loop", 3, [simpleTask("turn", "js_greet", { name: "${loop.output.iteration}" })]))
      .outputParameters({ left: "${left.output.said}", sum: "${sum.output.result}", names: "${names.output.result}", child: "${child.output.said}" });
    await flow.register(true);
    const run = await flow.execute({ kind: "big", people: [{ name: "Eva" }, { name: "Jan" }] });
    assert.equal(run.status, "COMPLETED");
    assert.deepEqual(run.output, { left: "Hello, left!", sum: 102, names: ["Eva", "Jan"], child: "Hello, child!" });
    const ended = await sdk.workflows.getWorkflow(run.workflowId, true);
    assert.deepEqual(ended.tasks.map((t) => t.referenceTaskName).filter((ref) => ref.startsWith("turn")), ["turn__1", "turn__2", "turn__3"]);
    assert.equal((await sdk.workflows.getWorkflow(byRef(ended).child.subWorkflowId, false)).parentWorkflowId, run.workflowId);
  },

  async branches_made_at_run_time(sdk) {
    const branches = ["a", "b", "c"].map((name) => simpleTask(name, "js_greet", {}));
    const inputs = Object.fromEntries(branches.map((task) => [task.taskReferenceName, { name: task.taskReferenceName }]));
    await sdk.flow("js_many", dynamicForkTask("fork", branches, "${workflow.input.inputs}"), joinTask("gather", []));
    const ended = await sdk.ended(await sdk.start("js_many", { inputs }));
    assert.deepEqual([ended.status, byRef(ended).gather.outputData], ["COMPLETED", { a: { said: "Hello, a!" }, b: { said: "Hello, b!" }, c: { said: "Hello, c!" } }]);
  },

  async a_failure_is_tried_again(sdk) {
    await sdk.flow("js_failing", simpleTask("try", "js_flaky", { failures: "${workflow.input.failures}", forGood: "${workflow.input.forGood}" }));
    const ended = await sdk.ended(await sdk.start("js_failing", { failures: 2 }));
    assert.equal(ended.status, "COMPLETED");
    assert.deepEqual(ended.tasks.map((t) => [t.status, t.retryCount, t.retried]), [["FAILED", 0, true], ["FAILED", 1, true], ["COMPLETED", 2, false]]);
    assert.deepEqual([ended.tasks[0].reasonForIncompletion, ended.tasks[2].outputData], ["attempt 0 failed", { attempt: 2 }]);
  },

  async a_failure_for_good_is_not(sdk) {
    const ended = await sdk.ended(await sdk.start("js_failing", { forGood: true, failures: 0 }));
    assert.deepEqual([ended.status, ended.tasks.map((t) => t.status), ended.failedReferenceTaskNames], ["FAILED", ["FAILED_WITH_TERMINAL_ERROR"], ["try"]]);
    assert.equal(ended.tasks[0].reasonForIncompletion, "no use in trying again");
  },

  async what_failed_is_retried_restarted_and_rerun(sdk) {
    const id = await sdk.start("js_failing", { failures: 3 });
    assert.equal((await sdk.ended(id)).status, "FAILED");
    await sdk.workflows.retry(id, false);
    assert.equal((await sdk.ended(id)).status, "COMPLETED");
    await sdk.workflows.restart(id, true);
    const failed = await sdk.ended(id);
    assert.deepEqual([failed.status, failed.tasks.map((t) => t.retryCount)], ["FAILED", [0, 1, 2]]);
    assert.equal(await sdk.workflows.reRun(id, { reRunFromTaskId: failed.tasks[2].taskId, taskInput: { failures: 0 } }), id);
    assert.equal((await sdk.ended(id)).status, "COMPLETED");
  },

  async a_long_task_is_called_again(sdk) {
    await sdk.flow("js_long", simpleTask("wait", "js_patient", {}));
    const began = Date.now();
    const ended = await sdk.ended(await sdk.start("js_long"));
    assert.deepEqual(ended.tasks.map((t) => [t.status, t.pollCount, t.outputData]), [["COMPLETED", 3, { polls: 3 }]]);
    assert.ok(Date.now() - began >= 1000, "the callback of one second was not kept");
  },

  async a_decorated_worker_speaks_through_its_context(sdk) {
    assert.equal((await sdk.metadata.getTask("js_context")).timeoutSeconds, 60);
    await sdk.flow("js_spoken", simpleTask("speak", "js_context", {}));
    const ended = await sdk.ended(await sdk.start("js_spoken"));
    assert.deepEqual([ended.status, ended.tasks[0].outputData], ["COMPLETED", { workflow: ended.workflowId }]);
    assert.deepEqual((await sdk.tasks.getTaskLogs(ended.tasks[0].taskId)).map((line) => line.log), ["poll 1"]);
  },

  async a_domain_has_its_own_workers(sdk) {
    await sdk.flow("js_domains", simpleTask("g", "js_greet", { name: "Bo" }));
    const ended = await sdk.ended(await sdk.start("js_domains", {}, { taskToDomain: { js_greet: "night" } }));
    assert.deepEqual([ended.tasks[0].outputData, ended.tasks[0].domain], [{ said: "Good night, Bo." }, "night"]);
  },

  async a_start_says_more_than_a_name(sdk) {
    await sdk.flow("js_held", humanTask("hold"));
    const first = await sdk.start("js_held", { n: 1 }, { correlationId: "order-1", priority: 7 });
    const second = await sdk.workflows.startWorkflowByName("js_held", { n: 2 }, 1, "order-1", 8);
    const found = await sdk.workflows.getWorkflow(first, false);
    assert.deepEqual([found.correlationId, found.priority, found.input, found.status], ["order-1", 7, { n: 1 }, "RUNNING"]);
    assert.equal((await sdk.workflows.getWorkflow(second, false)).priority, 8);
    for (const id of [first, second]) await sdk.workflows.terminate(id, "told enough");
    const status = await sdk.workflows.getWorkflowStatus(first, true, true);
    assert.deepEqual([status.status, status.workflowId, status.correlationId], ["TERMINATED", first, "order-1"]);
    assert.equal((await sdk.workflows.getWorkflow(first, false)).reasonForIncompletion, "told enough");
  },

  async a_start_with_a_key_starts_once(sdk) {
    await sdk.flow("js_once", humanTask("hold"));
    const ids = [];
    for (const n of [1, 2]) ids.push(await sdk.start("js_once", { n }, { idempotencyKey: "k1", idempotencyStrategy: "RETURN_EXISTING" }));
    assert.equal(ids[0], ids[1]);
    await refused(/k1/, () => sdk.start("js_once", {}, { idempotencyKey: "k1", idempotencyStrategy: "FAIL" }));
  },

  async executions_and_tasks_are_found_by_search(sdk) {
    await sdk.flow("js_sought", humanTask("hold"));
    const id = await sdk.start("js_sought", {}, { correlationId: "sought" });
    const found = await sdk.workflows.search(0, 5, "workflowType = 'js_sought' AND status = 'RUNNING'", "*", "startTime:DESC");
    assert.deepEqual([found.totalHits, found.results.map((w) => [w.workflowId, w.correlationId])], [1, [[id, "sought"]]]);
    const tasks = await sdk.tasks.search(0, 5, undefined, "*", `workflowId = '${id}'`);
    assert.deepEqual(tasks.results.map((t) => [t.workflowType, t.status]), [["js_sought", "IN_PROGRESS"]]);
    await sdk.workflows.terminate(id, "found");
    await sdk.workflows.deleteWorkflow(id);
    await refused(new RegExp(id), () => sdk.workflows.getWorkflow(id, true, 0));
  },

  async execute_answers_when_it_is_done_or_blocked(sdk) {
    await sdk.flow("js_sync", simpleTask("g", "js_greet", { name: "Cy" }), { name: "hold", taskReferenceName: "hold", type: "WAIT" });
    const run = await sdk.workflows.executeWorkflow({ name: "js_sync", version: 1, input: {} }, "js_sync", 1, "r1", "g");
    assert.deepEqual([run.status, byRef(run).g.outputData], ["RUNNING", { said: "Hello, Cy!" }]);
    const blocked = await sdk.workflows.executeWorkflow({ name: "js_sync", version: 1, input: {} }, "js_sync", 1, "r2", "", 10, "DURABLE", "BLOCKING_TASK");
    assert.deepEqual([blocked.responseType, blocked.referenceTaskName, blocked.targetWorkflowStatus], ["BLOCKING_TASK", "hold", "RUNNING"]);
    const done = await sdk.workflows.signal(blocked.targetWorkflowId, "COMPLETED", { go: true });
    assert.deepEqual([done.responseType, done.status], ["TARGET_WORKFLOW", "COMPLETED"]);
    await sdk.workflows.signalAsync(run.workflowId, "COMPLETED", {});
    assert.equal((await sdk.ended(run.workflowId)).status, "COMPLETED");
  },

  async a_definition_is_tried_with_mocks(sdk) {
    await sdk.task("js_nobody_does_it");
    const workflowDef = { ...workflow("js_mocked", [simpleTask("one", "js_nobody_does_it", {})]), ownerEmail: OWNER, timeoutSeconds: 0 };
    const mocks = { one: [{ status: "FAILED", output: {} }, { status: "COMPLETED", output: { n: 1 } }] };
    const tried = await sdk.workflows.testWorkflow({ name: "js_mocked", version: 1, input: {}, workflowDef, taskRefToMockOutput: mocks });
    assert.deepEqual([tried.status, tried.tasks.map((t) => t.status)], ["COMPLETED", ["FAILED", "COMPLETED"]]);
  },

  async an_execution_is_steered(sdk) {
    await sdk.task("js_nobody_takes_it");
    await sdk.flow("js_steered", humanTask("first"), simpleTask("second", "js_nobody_takes_it", {}), simpleTask("third", "js_greet", { name: "Di" }));
    const id = await sdk.start("js_steered");
    await sdk.workflows.skipTasksFromWorkflow(id, "second", { taskInput: { a: 1 }, taskOutput: { b: 2 } });
    await sdk.workflows.pause(id);
    assert.equal((await sdk.workflows.getWorkflow(id, false)).status, "PAUSED");
    await sdk.workflows.updateTaskByRefName("first", id, "COMPLETED", { by: "hand" });
    assert.deepEqual((await sdk.workflows.getWorkflow(id, true)).tasks.map((t) => t.referenceTaskName).sort(), ["first", "second"]);
    await sdk.workflows.resume(id);
    const ended = await sdk.ended(id);
    assert.deepEqual([ended.status, ...["first", "second", "third"].map((ref) => byRef(ended)[ref].status)], ["COMPLETED", "COMPLETED", "SKIPPED", "COMPLETED"]);
    assert.deepEqual([byRef(ended).first.outputData.by, byRef(ended).second.outputData], ["hand", { b: 2 }]);
    await refused(/COMPLETED/, () => sdk.workflows.terminate(id, "too late"));
  },

  async variables_and_a_task_are_updated_together(sdk) {
    await sdk.flow("js_state", humanTask("first"), simpleTask("second", "js_nobody_takes_it", { v: "${workflow.variables.v}" }));
    const id = await sdk.start("js_state");
    assert.deepEqual((await sdk.workflows.updateVariables(id, { v: 1, w: 2 })).variables, { v: 1, w: 2 });
    const update = { taskReferenceName: "first", variables: { v: 3 }, taskResult: { workflowInstanceId: id, taskId: "", status: "COMPLETED", outputData: { by: "sdk" } } };
    const run = await sdk.workflows.updateState(id, update, "r1", "first", 5);
    assert.deepEqual([run.requestId, run.status, run.variables], ["r1", "RUNNING", { v: 3, w: 2 }]);
    const tasks = byRef(await sdk.workflows.getWorkflow(id, true));
    assert.deepEqual([tasks.first.outputData, tasks.second.inputData], [{ by: "sdk" }, { v: 3 }]);
  },

  async tasks_are_done_by_hand(sdk) {
    await sdk.task("js_by_hand");
    await sdk.flow("js_hand", simpleTask("one", "js_by_hand", {}));
    const [id, other] = [await sdk.start("js_hand"), await sdk.start("js_hand")];
    assert.deepEqual(await sdk.tasks.getQueueSizeForTask(["js_by_hand"]), { js_by_hand: 2 });
    const task = await sdk.open(id, "one");
    await sdk.tasks.addTaskLog(task.taskId, "half way");
    assert.match((await sdk.tasks.getTaskLogs(task.taskId))[0].log, /half way/);
    await sdk.workflows.updateTask(task.taskId, id, "COMPLETED", { n: [1, null] });
    assert.deepEqual((await sdk.tasks.getTask(task.taskId)).outputData, { n: [1, null] });
    const answered = await sdk.tasks.updateTaskSync(other, "one", "COMPLETED", { m: 2 }, "hand");
    assert.deepEqual([answered.status, byRef(answered).one.outputData, byRef(answered).one.workerId], ["COMPLETED", { m: 2 }, "hand"]);
    assert.ok((await sdk.tasks.getTaskPollData("js_greet")).some((seen) => seen.queueName === "js_greet"));
  },

  async waits_end_by_time_and_loops_by_their_condition(sdk) {
    const loop = doWhileTask("loop", "$.loop['iteration'] < 2", [waitTaskDuration("nap", "1 second")]);
    await sdk.flow("js_waits", loop, terminateTask("stop", "COMPLETED", "that will do"));
    const ended = await sdk.ended(await sdk.start("js_waits"));
    assert.deepEqual([ended.status, ended.tasks.filter((t) => t.taskType === "WAIT").length], ["COMPLETED", 2]);
    assert.equal(ended.reasonForIncompletion, "that will do");
  },

  async schedules_are_kept(sdk) {
    const schedules = sdk.clients.getSchedulerClient();
    await sdk.flow("js_timed", setVariableTask("v", { x: 1 }));
    await schedules.saveSchedule({ name: "js_schedule", cronExpression: "* * * * * *", startWorkflowRequest: { name: "js_timed", version: 1, input: {} } });
    assert.deepEqual((await schedules.getAllSchedules("js_timed")).map((s) => s.name), ["js_schedule"]);
    await until(() => sdk.workflows.search(0, 1, "workflowType = 'js_timed'", "*"), (found) => found.totalHits > 0);
    await schedules.pauseSchedule("js_schedule", "lunch");
    assert.deepEqual([(await schedules.getSchedule("js_schedule")).paused, (await schedules.getSchedule("js_schedule")).pausedReason], [true, "lunch"]);
    await schedules.resumeSchedule("js_schedule");
    const times = await schedules.getNextFewSchedules("0 0 12 * * *");
    assert.deepEqual([times.length, times[1] - times[0]], [3, 86_400_000]);
    await schedules.deleteSchedule("js_schedule");
    assert.deepEqual(await schedules.getAllSchedules("js_timed"), []);
  },

  async schemas_are_kept_and_enforced(sdk) {
    const schemas = sdk.clients.getSchemaClient();
    const data = { type: "object", required: ["n"], properties: { n: { type: "integer" } } };
    await schemas.registerSchema([{ name: "js_numbered", version: 1, type: "JSON", data }]);
    await schemas.registerSchema([{ name: "js_numbered", version: 1, type: "JSON", data: {} }], true);
    assert.deepEqual((await schemas.getAllSchemas()).map((s) => [s.name, s.version]), [["js_numbered", 1], ["js_numbered", 2]]);
    assert.deepEqual([(await schemas.getSchema("js_numbered", 1)).data, (await schemas.getSchemaByName("js_numbered")).version], [data, 2]);
    const made = new ConductorWorkflow(sdk.workflows, "js_contract").ownerEmail(OWNER).add([setVariableTask("v", { x: 1 })]).toWorkflowDef();
    await sdk.metadata.registerWorkflowDef({ ...made, inputSchema: { name: "js_numbered", version: 1 } }, true);
    await refused(/input does not fit schema 'js_numbered' version 1/, () => sdk.start("js_contract", { n: "one" }));
    assert.equal((await sdk.ended(await sdk.start("js_contract", { n: 1 }))).status, "COMPLETED");
    await schemas.deleteSchema("js_numbered", 2);
    await schemas.deleteSchemaByName("js_numbered");
    assert.deepEqual(await schemas.getAllSchemas(), []);
  },

  async event_handlers_are_kept(sdk) {
    const events = sdk.clients.getEventClient();
    const actions = [{ action: "start_workflow", start_workflow: { name: "js_row", input: { name: "${name}" } } }];
    await events.addEventHandler({ name: "js_handler", event: "conductor:js_row:sink", active: true, actions });
    assert.deepEqual((await events.getEventHandlersForEvent("conductor:js_row:sink")).map((h) => h.name), ["js_handler"]);
    await events.removeEventHandler("js_handler");
    assert.deepEqual(await events.getEventHandlersForEvent("conductor:js_row:sink"), []);
  },

  async an_execution_is_gone_back_in_and_found_by_its_correlation(sdk) {
    await sdk.flow("js_sides", simpleTask("one", "js_greet", { name: "Di" }), simpleTask("two", "js_greet", { name: "Ed" }));
    const [id, other] = await Promise.all(sdk.workflows.startWorkflows([1, 2].map(() => ({ name: "js_sides", version: 1, correlationId: "sides" }))));
    await sdk.ended(id);
    await sdk.ended(other);
    const found = await sdk.workflows.getByCorrelationIds({ workflowNames: ["js_sides"], correlationIds: ["sides"] }, true, true);
    assert.deepEqual(found.sides.map((w) => w.workflowId).sort(), [id, other].sort());
    await sdk.workflows.goBackToTask(id, (task) => task.referenceTaskName === "two");
    assert.deepEqual([(await sdk.ended(id)).status, (await sdk.workflows.getExecution(id, true)).tasks.length], ["COMPLETED", 2]);
    assert.ok(await sdk.workflows.startWorkflow({ name: "js_sides", version: 1 }));
  },

  async variables_are_set_from_outside(sdk) {
    await sdk.flow("js_state", humanTask("hold"));
    const id = await sdk.start("js_state");
    assert.deepEqual((await sdk.workflows.updateVariables(id, { mood: "good" })).variables, { mood: "good" });
    const run = await sdk.workflows.updateState(id, { variables: { mood: "better" }, taskReferenceName: "hold", taskResult: { status: "COMPLETED" } }, "r1");
    assert.deepEqual([run.status, run.variables.mood], ["COMPLETED", "better"]);
  },

  async a_task_is_reported_by_its_reference(sdk) {
    await sdk.task("js_nobody_reports_it");
    await sdk.flow("js_reported", simpleTask("one", "js_nobody_reports_it", {}));
    const id = await sdk.start("js_reported");
    await sdk.tasks.updateTaskResult(id, "one", "COMPLETED", { n: 1 });
    assert.deepEqual((await sdk.ended(id)).output, { outputData: { n: 1 } }); // the client wraps what it is given
  },

  async all_schedules_are_held_and_let_go(sdk) {
    const schedules = sdk.clients.getSchedulerClient();
    await sdk.flow("js_held", humanTask("hold"));
    await schedules.saveSchedule({ name: "js_held", cronExpression: "0 0 0 1 1 *", startWorkflowRequest: { name: "js_held", version: 1, input: {} } });
    await schedules.pauseAllSchedules();
    await schedules.resumeAllSchedules();
    await schedules.requeueAllExecutionRecords();
    assert.equal((await schedules.search(0, 10, "", "*", "scheduleName IN (js_held)")).totalHits, 0);
    await schedules.setSchedulerTags([{ key: "team", value: "a" }], "js_held");
    assert.deepEqual((await schedules.getSchedulerTags("js_held")).map((tag) => tag.key), ["team"]);
    await schedules.deleteSchedulerTags([{ key: "team", value: "a" }], "js_held");
    await schedules.deleteSchedule("js_held");
  },

  async event_handlers_are_changed(sdk) {
    const events = sdk.clients.getEventClient();
    const actions = [{ action: "complete_task", complete_task: { workflowId: "${id}", taskRefName: "hold" } }];
    await events.addEventHandlers([{ name: "js_changed", event: "conductor:js_changed:sink", active: true, actions }]);
    await events.updateEventHandler({ name: "js_changed", event: "conductor:js_changed:sink", active: false, actions });
    assert.deepEqual((await events.getAllEventHandlers()).filter((h) => h.name === "js_changed").map((h) => h.active), [false]);
    assert.deepEqual(await events.getEventHandlersForEvent("conductor:js_changed:sink", true), []);
    await events.removeEventHandler("js_changed");
  },

  async an_agent_is_started_watched_and_answered(sdk) {
    const agents = sdk.clients.getAgentClient();
    const agentConfig = { name: "js_agent", model: "openai/gpt-4o-mini", instructions: "You greet." };
    assert.equal((await agents.compile({ agentConfig })).workflowDef.tasks[0].type, "LLM_CHAT_COMPLETE");
    assert.equal((await agents.deployAgent({ agentConfig })).agentName, "js_agent");
    const { executionId } = await agents.startAgent({ agentConfig, prompt: "hello" });
    assert.equal((await agents.status(executionId)).isComplete, false);
    await agents.signal(executionId, "hurry");
    await agents.stop(executionId);
    assert.deepEqual((await sdk.workflows.getWorkflow(executionId, false)).variables, { _signal_injection: "hurry", _stop_requested: true });
    assert.ok((await agents.listExecutions({ agentName: "js_agent" })).totalHits >= 1);
    const heard = [];
    for await (const event of await agents.stream(executionId)) {
      if (heard.push(event.type) === 1) await sdk.workflows.terminate(executionId, "no model here");
    }
    assert.deepEqual([heard[0], heard.at(-1)], ["thinking", "error"]);
    const run = await agents.getExecution(executionId);
    assert.deepEqual([run.status, run.tasks[0].taskType], ["TERMINATED", "LLM_CHAT_COMPLETE"]);
    await sdk.metadata.registerWorkflowDef({ name: "js_asks", version: 1, ownerEmail: OWNER, schemaVersion: 2, timeoutSeconds: 0, tasks: [humanTask("ask")],
      metadata: { agent_sdk: "conductor", agentDef: { name: "js_asks" } } }, true); // prettier-ignore
    const asking = (await agents.startAgent({ name: "js_asks", prompt: "pay?" })).executionId;
    assert.equal((await agents.status(asking)).isWaiting, true);
    await agents.respond(asking, { approved: true });
    assert.deepEqual((await sdk.ended(asking)).output, { approved: true });
    await agents.close();
  },

  async secrets_are_set_used_and_not_told(sdk) {
    const secrets = sdk.clients.getSecretClient();
    await secrets.putSecret("js_name", 'Ada "Countess" Lovelace');
    assert.equal(await secrets.secretExists("js_name"), true); // of any other it says the same: it takes the answer false for one
    assert.deepEqual(await secrets.listAllSecretNames(), ["js_name"]);
    await refused(/tells no values/, () => secrets.getSecret("js_name"));
    await secrets.setSecretTags([{ key: "team", value: "a" }], "js_name");
    assert.deepEqual((await secrets.getSecretTags("js_name")).map((tag) => tag.key), ["team"]);
    await secrets.deleteSecretTags([{ key: "team", value: "a" }], "js_name");
    assert.deepEqual(await secrets.getSecretTags("js_name"), []);
    await sdk.flow("js_secret", simpleTask("hello", "js_greet", { name: "${workflow.secrets.js_name}" }));
    const task = byRef(await sdk.ended(await sdk.start("js_secret"))).hello;
    assert.deepEqual([task.inputData.name, JSON.stringify(task.outputData).includes("Countess")], ["${workflow.secrets.js_name}", false]);
    await secrets.deleteSecret("js_name");
    assert.deepEqual(await secrets.listAllSecretNames(), []);
  },

  async credentials_are_offered_and_not_needed(sdk) {
    const clients = await OrkesClients.from({ serverUrl: sdk.url, keyId: "key", keySecret: "secret", useEnvVars: false });
    assert.ok(Array.isArray(await clients.getMetadataClient().getAllTaskDefs()));
    clients.getClient().stopBackgroundRefresh?.();
  },
};

async function play(url) {
  const log = console.log;
  console.log = console.info = console.error; // the client's own words; standard output is for the stories
  const sdk = await Sdk.at(url);
  for (const { taskDefName } of plainWorkers) await sdk.task(taskDefName);
  await sdk.task("js_context"); // the decorated worker's own definition replaces it: the client only ever updates, and Conductor refuses to update what is not there
  const manager = new TaskManager(sdk.clients.getClient(), plainWorkers, { options: { pollInterval: POLL_MS, concurrency: 3 } });
  manager.startPolling();
  decorateWorkers();
  const handler = await TaskHandler.create({ client: sdk.clients.getClient(), scanForDecorated: true });
  await handler.startWorkers();
  for (const [story, tell] of Object.entries(STORIES)) {
    let wrong = null;
    try {
      await tell(sdk);
    } catch (error) {
      wrong = `${error.stack}\n${error.cause ?? ""}`;
    }
    log(JSON.stringify({ story, wrong, missing: null }));
  }
  await manager.stopPolling();
  await handler.stopWorkers();
  process.exit(0);
}

await play(process.argv[2]);
