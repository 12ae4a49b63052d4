package stories;

import com.netflix.conductor.client.automator.TaskRunnerConfigurer;
import com.netflix.conductor.client.config.DefaultConductorClientConfiguration;
import com.netflix.conductor.client.exception.ConductorClientException;
import com.netflix.conductor.client.http.ConductorClient;
import com.netflix.conductor.client.http.EventClient;
import com.netflix.conductor.client.http.MetadataClient;
import com.netflix.conductor.client.http.TaskClient;
import com.netflix.conductor.client.http.WorkflowClient;
import com.netflix.conductor.common.metadata.SchemaDef;
import com.netflix.conductor.common.metadata.events.EventHandler;
import com.netflix.conductor.common.metadata.tasks.Task;
import com.netflix.conductor.common.metadata.tasks.TaskDef;
import com.netflix.conductor.common.metadata.tasks.TaskResult;
import com.netflix.conductor.common.metadata.workflow.IdempotencyStrategy;
import com.netflix.conductor.common.metadata.workflow.RerunWorkflowRequest;
import com.netflix.conductor.common.metadata.workflow.StartWorkflowRequest;
import com.netflix.conductor.common.metadata.workflow.WorkflowDef;
import com.netflix.conductor.common.metadata.workflow.WorkflowTask;
import com.netflix.conductor.common.model.BulkResponse;
import com.netflix.conductor.common.run.Workflow;
import com.netflix.conductor.common.run.WorkflowTestRequest;
import com.netflix.conductor.sdk.workflow.def.ConductorWorkflow;
import com.netflix.conductor.sdk.workflow.def.WorkflowBuilder;
import com.netflix.conductor.sdk.workflow.def.tasks.DoWhile;
import com.netflix.conductor.sdk.workflow.def.tasks.DynamicFork;
import com.netflix.conductor.sdk.workflow.def.tasks.ForkJoin;
import com.netflix.conductor.sdk.workflow.def.tasks.JQ;
import com.netflix.conductor.sdk.workflow.def.tasks.Javascript;
import com.netflix.conductor.sdk.workflow.def.tasks.SetVariable;
import com.netflix.conductor.sdk.workflow.def.tasks.SimpleTask;
import com.netflix.conductor.sdk.workflow.def.tasks.SubWorkflow;
import com.netflix.conductor.sdk.workflow.def.tasks.Switch;
import com.netflix.conductor.sdk.workflow.def.tasks.Wait;
import com.netflix.conductor.sdk.workflow.executor.WorkflowExecutor;
import io.orkes.conductor.client.SchemaClient;
import io.orkes.conductor.client.http.OrkesSchedulerClient;
import io.orkes.conductor.client.http.OrkesSchemaClient;
import io.orkes.conductor.client.model.SaveScheduleRequest;
import io.orkes.conductor.client.model.TagObject;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.conductoross.conductor.client.FileClient;
import org.conductoross.conductor.client.model.file.FileMetadata;
import org.conductoross.conductor.sdk.file.FileUploadOptions;

/**
 * What a user of the official Java client does, told as stories: public methods that check what comes back.
 *
 * <p>The main method plays every story against the server at the address given (…/api), with the client's own workers, and prints one JSON line for each:
 * its name and what was wrong. test_client_java.py reads these lines.
 */
public class Stories {
    private static final String OWNER = "sdk@example.com";
    private static final long END_MS = 30_000;

    private final ConductorClient client;
    private final WorkflowClient workflows;
    private final TaskClient tasks;
    private final MetadataClient metadata;
    private final WorkflowExecutor executor;

    Stories(String url) {
        client = ConductorClient.builder().basePath(url).build();
        workflows = new WorkflowClient(client);
        tasks = new TaskClient(client);
        metadata = new MetadataClient(client);
        executor = new WorkflowExecutor(tasks, workflows, metadata, 20);
    }

    // -- what the stories share -----------------------------------------------------------------------------------------------

    private static void equal(Object found, Object expected) {
        if (!Objects.equals(found, expected)) {
            throw new AssertionError("found " + found + ", expected " + expected);
        }
    }

    private static <T> T until(Supplier<T> look, Predicate<T> accept) {
        for (long end = System.currentTimeMillis() + END_MS; ; ) {
            T found = look.get();
            if (accept.test(found)) {
                return found;
            }
            if (System.currentTimeMillis() > end) {
                throw new AssertionError("still " + found + " after " + END_MS + " ms");
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException stopped) {
                throw new AssertionError(stopped);
            }
        }
    }

    private static void refused(int status, String words, Runnable call) {
        try {
            call.run();
        } catch (ConductorClientException error) {
            equal(error.getStatus(), status);
            if (!error.getMessage().contains(words)) {
                throw new AssertionError("refused in other words: " + error.getMessage());
            }
            return;
        }
        throw new AssertionError("expected a refusal with " + status);
    }

    private TaskDef task(String name) {
        TaskDef made = new TaskDef(name, name, OWNER, 2, 60, 30);
        made.setRetryDelaySeconds(0);
        metadata.registerTaskDefs(List.of(made));
        return made;
    }

    private ConductorWorkflow<Map<String, Object>> flow(String name, com.netflix.conductor.sdk.workflow.def.tasks.Task<?>... tasks) {
        ConductorWorkflow<Map<String, Object>> made = new WorkflowBuilder<Map<String, Object>>(executor).name(name).version(1).ownerEmail(OWNER).add(tasks).build();
        made.registerWorkflow(true, true);
        return made;
    }

    private static SimpleTask greeting(String ref, String name) {
        return new SimpleTask("jv_greet", ref).input("name", name);
    }

    private static StartWorkflowRequest request(String name, Map<String, Object> input) {
        return new StartWorkflowRequest().withName(name).withVersion(1).withInput(input);
    }

    private Workflow ended(String id) {
        return until(() -> workflows.getWorkflow(id, true), found -> found.getStatus().isTerminal());
    }

    private static List<String> statuses(Workflow execution) {
        return execution.getTasks().stream().map(task -> task.getStatus().name()).toList();
    }

    // -- the stories ----------------------------------------------------------------------------------------------------------

    public void definitions_come_back_as_they_went_in() {
        TaskDef made = task("jv_defined");
        made.setRetryLogic(TaskDef.RetryLogic.EXPONENTIAL_BACKOFF);
        made.setInputTemplate(Map.of("a", List.of(1, "b")));
        metadata.updateTaskDef(made);
        TaskDef found = metadata.getTaskDef("jv_defined");
        equal(List.of(found.getRetryLogic(), found.getInputTemplate(), found.getOwnerEmail()), List.of(made.getRetryLogic(), made.getInputTemplate(), OWNER));

        WorkflowTask step = new WorkflowTask();
        step.setName("jv_defined");
        step.setTaskReferenceName("one");
        step.setInputParameters(Map.of("n", "${workflow.input.n}"));
        WorkflowDef flow = new WorkflowDef();
        flow.setName("jv_defined_flow");
        flow.setOwnerEmail(OWNER);
        flow.setTasks(List.of(step));
        metadata.registerWorkflowDef(flow);
        refused(409, "already exists", () -> metadata.registerWorkflowDef(flow));
        flow.setVersion(2);
        metadata.updateWorkflowDefs(List.of(flow));
        equal(metadata.getWorkflowDef("jv_defined_flow", null).getVersion(), 2);
        equal(metadata.getWorkflowDef("jv_defined_flow", 1).getTasks().get(0).getInputParameters(), Map.of("n", "${workflow.input.n}"));
        equal(metadata.getAllWorkflowsWithLatestVersions().stream().filter(w -> w.getName().equals("jv_defined_flow")).map(WorkflowDef::getVersion).toList(), List.of(2));
        metadata.unregisterWorkflowDef("jv_defined_flow", 2);
        metadata.unregisterWorkflowDef("jv_defined_flow", 1);
        metadata.unregisterTaskDef("jv_defined");
        refused(404, "jv_defined_flow", () -> metadata.getWorkflowDef("jv_defined_flow", 1));
    }

    public void what_is_wrong_is_told() {
        refused(404, "No such workflow", () -> workflows.startWorkflow(request("jv_no_such_flow", Map.of())));
        refused(404, "no-such-id", () -> workflows.getWorkflow("no-such-id", true));
        WorkflowDef empty = new WorkflowDef();
        empty.setName("jv_empty");
        try {
            metadata.registerWorkflowDef(empty);
            throw new AssertionError("a workflow without tasks was taken");
        } catch (ConductorClientException error) {
            equal(List.of(error.getStatus(), error.getValidationErrors().isEmpty()), List.of(400, false));
        }
    }

    public void annotated_workers_take_what_they_are_given() throws Exception {
        ConductorWorkflow<Map<String, Object>> flow = flow("jv_row", greeting("one", "${workflow.input.name}"), greeting("two", "${one.output.said}"));
        Workflow ended = flow.execute(Map.of("name", "Ada")).get(20, TimeUnit.SECONDS);
        equal(List.of(ended.getStatus().name(), ended.getOutput()), List.of("COMPLETED", Map.of("said", "Hello, Hello, Ada!!")));
        equal(tasks.getTaskLogs(ended.getTasks().get(0).getTaskId()).get(0).getLog(), "greeted");
    }

    public void the_builder_builds_what_runs() throws Exception {
        flow("jv_child", greeting("hello", "${workflow.input.name}"));
        com.netflix.conductor.sdk.workflow.def.tasks.Task<?>[][] branches = {{greeting("left", "left")}, {greeting("right", "right")}};
        ConductorWorkflow<Map<String, Object>> flow =
                new WorkflowBuilder<Map<String, Object>>(executor)
                        .name("jv_blocks")
                        .version(1)
                        .ownerEmail(OWNER)
                        .add(new ForkJoin("fork", branches))
                        .add(new Switch("choice", "${workflow.input.kind}").switchCase("big", new SetVariable("big").input("size", 100)).defaultCase(List.of()))
                        .add(new Javascript("sum", "function e() { return $.a + 2; } e();").input("a", "${workflow.variables.size}"))
                        .add(new JQ("names", "[.people[].name]").input("people", "${workflow.input.people}"))
                        .add(new SubWorkflow("child", "jv_child", 1).input("name", "child"))
                        .add(new DoWhile("loop", 3, greeting("turn", "again")))
                        .output("sum", "${sum.output.result}")
                        .output("names", "${names.output.result}")
                        .output("child", "${child.output.said}")
                        .output("left", "${left.output.said}")
                        .build();
        flow.registerWorkflow(true, true);
        Map<String, Object> input = Map.of("kind", "big", "people", List.of(Map.of("name", "Eva"), Map.of("name", "Jan")));
        Workflow ended = flow.execute(input).get(20, TimeUnit.SECONDS);
        equal(ended.getStatus().name(), "COMPLETED");
        equal(ended.getOutput(), Map.of("sum", 102, "names", List.of("Eva", "Jan"), "child", "Hello, child!", "left", "Hello, left!"));
        equal(ended.getTaskByRefName("turn__3").getIteration(), 3);
        equal(workflows.getWorkflow(ended.getTaskByRefName("child").getSubWorkflowId(), false).getParentWorkflowId(), ended.getWorkflowId());
    }

    public void branches_made_at_run_time() {
        flow("jv_many", new DynamicFork("fork", "${workflow.input.branches}", "${workflow.input.inputs}"));
        List<Map<String, Object>> branches = List.of(Map.of("name", "jv_greet", "taskReferenceName", "a", "type", "SIMPLE"), Map.of("name", "jv_greet", "taskReferenceName", "b", "type", "SIMPLE"));
        Map<String, Object> inputs = Map.of("a", Map.of("name", "a"), "b", Map.of("name", "b"));
        Workflow ended = ended(workflows.startWorkflow(request("jv_many", Map.of("branches", branches, "inputs", inputs))));
        equal(List.of(ended.getStatus().name(), ended.getTaskByRefName("b").getOutputData()), List.of("COMPLETED", Map.of("said", "Hello, b!")));
    }

    public void a_failure_is_tried_again_and_one_for_good_is_not() {
        flow("jv_failing", new SimpleTask("jv_flaky", "try").input("failures", "${workflow.input.failures}").input("forGood", "${workflow.input.forGood}"));
        Workflow ended = ended(workflows.startWorkflow(request("jv_failing", Map.of("failures", 2))));
        equal(statuses(ended), List.of("FAILED", "FAILED", "COMPLETED"));
        equal(ended.getTasks().get(2).getOutputData(), Map.of("attempt", 2));
        equal(ended.getTasks().get(0).isRetried(), true);
        Workflow failed = ended(workflows.startWorkflow(request("jv_failing", Map.of("failures", 0, "forGood", true))));
        equal(List.of(failed.getStatus().name(), statuses(failed)), List.of("FAILED", List.of("FAILED_WITH_TERMINAL_ERROR")));
        equal(failed.getFailedReferenceTaskNames().contains("try"), true);
    }

    public void what_failed_is_retried_restarted_and_rerun() {
        String id = workflows.startWorkflow(request("jv_failing", Map.of("failures", 3)));
        equal(ended(id).getStatus().name(), "FAILED");
        workflows.retryLastFailedTask(id);
        equal(ended(id).getStatus().name(), "COMPLETED");
        workflows.restart(id, false);
        Workflow failed = ended(id);
        equal(statuses(failed), List.of("FAILED", "FAILED", "FAILED"));
        RerunWorkflowRequest rerun = new RerunWorkflowRequest();
        rerun.setReRunFromTaskId(failed.getTasks().get(2).getTaskId());
        rerun.setTaskInput(Map.of("failures", 0));
        equal(workflows.rerunWorkflow(id, rerun), id);
        equal(ended(id).getStatus().name(), "COMPLETED");
    }

    public void a_long_task_is_called_again() {
        flow("jv_long", new SimpleTask("jv_patient", "wait"));
        Task done = ended(workflows.startWorkflow(request("jv_long", Map.of()))).getTasks().get(0);
        equal(List.of(done.getPollCount(), done.getOutputData()), List.of(3, Map.of("polls", 3)));
    }

    public void a_start_says_more_than_a_name() {
        flow("jv_held", new Wait("hold"));
        String id = workflows.startWorkflow(request("jv_held", Map.of("n", 1)).withCorrelationId("order-1").withPriority(7));
        Workflow found = workflows.getWorkflow(id, false);
        equal(List.of(found.getCorrelationId(), found.getPriority(), found.getInput()), List.of("order-1", 7, Map.of("n", 1)));
        equal(workflows.getWorkflows("jv_held", "order-1", false, false).stream().map(Workflow::getWorkflowId).toList(), List.of(id));
        equal(workflows.getRunningWorkflow("jv_held", 1), List.of(id));
        equal(workflows.search("workflowType='jv_held' AND status='RUNNING'").getTotalHits(), 1L);
        equal(workflows.searchV2("workflowType='jv_held'").getResults().get(0).getWorkflowId(), id);
        workflows.terminateWorkflow(id, "told enough");
        equal(workflows.getWorkflow(id, false).getReasonForIncompletion(), "told enough");
        workflows.deleteWorkflow(id, false);
        refused(404, id, () -> workflows.getWorkflow(id, false));
    }

    public void a_start_with_a_key_starts_once() {
        flow("jv_once", new Wait("hold"));
        Supplier<String> start =
                () -> {
                    StartWorkflowRequest request = request("jv_once", Map.of());
                    request.setIdempotencyKey("k1");
                    request.setIdempotencyStrategy(IdempotencyStrategy.RETURN_EXISTING);
                    return workflows.startWorkflow(request);
                };
        equal(start.get(), start.get());
    }

    public void an_execution_is_steered() {
        task("jv_nobody_takes_it");
        flow("jv_steered", new Wait("first"), new SimpleTask("jv_nobody_takes_it", "second"), greeting("third", "Di"));
        String id = workflows.startWorkflow(request("jv_steered", Map.of()));
        workflows.skipTaskFromWorkflow(id, "second");
        workflows.pauseWorkflow(id);
        equal(workflows.getWorkflow(id, false).getStatus().name(), "PAUSED");
        equal(workflows.resumeWorkflows(List.of(id, "no-such-id")).getBulkSuccessfulResults(), List.of(id));
        tasks.updateTask(id, "first", TaskResult.Status.COMPLETED, Map.of("by", "hand"));
        Workflow ended = ended(id);
        equal(ended.getTasks().stream().map(t -> t.getReferenceTaskName() + " " + t.getStatus()).sorted().toList(), List.of("first COMPLETED", "second SKIPPED", "third COMPLETED"));
        refused(409, "COMPLETED", () -> workflows.terminateWorkflow(id, "too late"));
    }

    public void tasks_are_done_by_hand() {
        task("jv_by_hand");
        flow("jv_hand", new SimpleTask("jv_by_hand", "one"));
        List<String> ids = List.of(workflows.startWorkflow(request("jv_hand", Map.of())), workflows.startWorkflow(request("jv_hand", Map.of())));
        equal(tasks.getQueueSizeForTask("jv_by_hand"), 2);
        Task first = tasks.pollTask("jv_by_hand", "hand", null);
        equal(List.of(first.getStatus().name(), first.getWorkerId(), ids.contains(first.getWorkflowInstanceId())), List.of("IN_PROGRESS", "hand", true));
        tasks.logMessageForTask(first.getTaskId(), "half way");
        equal(tasks.getTaskLogs(first.getTaskId()).get(0).getLog().contains("half way"), true);
        TaskResult result = new TaskResult(first);
        result.setStatus(TaskResult.Status.COMPLETED);
        result.setOutputData(Map.of("n", Arrays.asList(1, "two")));
        Task next = tasks.updateTaskV2(result);
        equal(List.of(next.getReferenceTaskName(), next.getWorkflowInstanceId().equals(first.getWorkflowInstanceId())), List.of("one", false));
        equal(tasks.getTaskDetails(first.getTaskId()).getOutputData(), Map.of("n", List.of(1, "two")));
        Workflow answered = tasks.updateTaskSync(next.getWorkflowInstanceId(), "one", TaskResult.Status.COMPLETED, Map.of("m", 2));
        equal(List.of(answered.getStatus().name(), answered.getTasks().get(0).getOutputData()), List.of("COMPLETED", Map.of("m", 2)));
        equal(tasks.batchPollTasksByTaskType("jv_by_hand", "hand", 5, 10), List.of());
        equal(tasks.getPollData("jv_by_hand").get(0).getWorkerId(), "hand");
        equal(tasks.search("workflowId='" + ids.get(0) + "'").getTotalHits(), 1L);
    }

    public void execute_answers_when_it_is_done_or_blocked() throws Exception {
        flow("jv_sync", greeting("g", "Cy"), new Wait("hold"));
        var run = workflows.executeWorkflow(request("jv_sync", Map.of()), "g", Duration.ofSeconds(10));
        equal(run.getStatus().name(), "RUNNING");
        tasks.signalAsync(run.getWorkflowId(), Task.Status.COMPLETED, Map.of("go", true));
        equal(ended(run.getWorkflowId()).getTaskByRefName("hold").getOutputData(), Map.of("go", true));
    }

    public void a_definition_is_tried_with_mocks() {
        task("jv_nobody_does_it");
        ConductorWorkflow<Map<String, Object>> flow = flow("jv_mocked", new SimpleTask("jv_nobody_does_it", "one"));
        WorkflowTestRequest request = new WorkflowTestRequest();
        request.setName("jv_mocked");
        request.setVersion(1);
        request.setWorkflowDef(flow.toWorkflowDef());
        request.setTaskRefToMockOutput(Map.of("one", List.of(mock(TaskResult.Status.FAILED, Map.of()), mock(TaskResult.Status.COMPLETED, Map.of("n", 1)))));
        Workflow tried = workflows.testWorkflow(request);
        equal(List.of(tried.getStatus().name(), statuses(tried)), List.of("COMPLETED", List.of("FAILED", "COMPLETED")));
    }

    private static WorkflowTestRequest.TaskMock mock(TaskResult.Status status, Map<String, Object> output) {
        return new WorkflowTestRequest.TaskMock(status, output);
    }

    public void schedules_are_kept() {
        OrkesSchedulerClient schedules = new OrkesSchedulerClient(client);
        flow("jv_timed", new SetVariable("v").input("x", 1));
        SaveScheduleRequest save = new SaveScheduleRequest();
        save.setName("jv_schedule");
        save.setCronExpression("0 0 12 * * *");
        save.setStartWorkflowRequest(request("jv_timed", Map.of()));
        schedules.saveSchedule(save);
        equal(schedules.getSchedule("jv_schedule").getCronExpression(), "0 0 12 * * *");
        equal(schedules.getAllSchedules("jv_timed").size(), 1);
        List<Long> times = schedules.getNextFewSchedules("0 0 12 * * *", null, null, 3);
        equal(times.get(1) - times.get(0), 86_400_000L);
        schedules.deleteSchedule("jv_schedule");
        equal(schedules.getAllSchedules("jv_timed").size(), 0);
    }

    public void event_handlers_are_kept() {
        EventClient events = new EventClient(client);
        EventHandler.StartWorkflow start = new EventHandler.StartWorkflow();
        start.setName("jv_row");
        EventHandler.Action action = new EventHandler.Action();
        action.setAction(EventHandler.Action.Type.start_workflow);
        action.setStart_workflow(start);
        EventHandler handler = new EventHandler();
        handler.setName("jv_handler");
        handler.setEvent("conductor:jv_row:sink");
        handler.setActive(true);
        handler.setActions(List.of(action));
        events.registerEventHandler(handler);
        equal(events.getEventHandlers("conductor:jv_row:sink", true).stream().map(EventHandler::getName).toList(), List.of("jv_handler"));
        events.unregisterEventHandler("jv_handler");
        equal(events.getEventHandlers("conductor:jv_row:sink", true), List.of());
    }

    // -- schemas --------------------------------------------------------------------------------------------------------------

    public void schemas_are_kept_and_enforced() {
        SchemaClient schemas = new OrkesSchemaClient(client);
        Map<String, Object> data = Map.of("type", "object", "required", List.of("n"), "properties", Map.of("n", Map.of("type", "integer")));
        schemas.saveSchema(new SchemaDef("jv_numbered", SchemaDef.Type.JSON, data, null));
        equal(schemas.getAllSchemas(true).stream().map(SchemaDef::getName).toList(), List.of("jv_numbered"));
        equal(schemas.getSchema("jv_numbered", 1).getData(), data);
        WorkflowDef made = flow("jv_contract", new SetVariable("v").input("x", 1)).toWorkflowDef();
        made.setInputSchema(SchemaDef.builder().name("jv_numbered").version(1).build());
        metadata.updateWorkflowDefs(List.of(made));
        refused(400, "input does not fit schema 'jv_numbered' version 1", () -> workflows.startWorkflow(request("jv_contract", Map.of("n", "one"))));
        equal(ended(workflows.startWorkflow(request("jv_contract", Map.of("n", 1)))).getStatus(), Workflow.WorkflowStatus.COMPLETED);
        schemas.deleteSchema("jv_numbered", 1);
        equal(schemas.getAllSchemas(false), List.of());
    }

    // -- payloads too large for a request ---------------------------------------------------------------------------------------

    /** A client that puts large payloads apart, and fetches them, where the default one leaves that to the server. */
    private static class Apart extends DefaultConductorClientConfiguration {
        @Override
        public boolean isEnforceThresholds() {
            return true;
        }

        @Override
        public boolean isExternalPayloadStorageEnabled() {
            return true;
        }
    }

    public void large_payloads_travel_by_their_path() {
        task("jv_large");
        SimpleTask job = new SimpleTask("jv_large", "job");
        job.input("text", "${workflow.input.text}");
        ConductorWorkflow<Map<String, Object>> flow = flow("jv_apart", job);
        flow.setWorkflowOutput(Map.of("in", "${workflow.input.text}", "out", "${job.output.text}"));
        flow.registerWorkflow(true, true);
        WorkflowClient large = new WorkflowClient(client, new Apart());
        TaskClient takers = new TaskClient(client, new Apart());
        String text = "x".repeat(6 << 20);
        StartWorkflowRequest start = new StartWorkflowRequest();
        start.setName("jv_apart");
        start.setVersion(1);
        start.setInput(Map.of("text", text));
        String id = large.startWorkflow(start);
        equal(start.getExternalInputPayloadStoragePath() == null, false); // it was uploaded
        Task taken = until(() -> takers.pollTask("jv_large", "w1", null), Objects::nonNull);
        equal(taken.getInputData().get("text"), text);
        TaskResult result = new TaskResult(taken);
        result.setStatus(TaskResult.Status.COMPLETED);
        result.setExternalOutputPayloadStoragePath(takers.evaluateAndUploadLargePayload(Map.of("text", "y".repeat(3_500_000)), "jv_large").orElseThrow());
        result.setOutputData(null);
        takers.updateTask(result);
        Workflow ended = until(() -> large.getWorkflow(id, true), found -> found.getStatus().isTerminal());
        equal(ended.getStatus(), Workflow.WorkflowStatus.COMPLETED);
        equal(((String) ended.getOutput().get("in")).length() + ((String) ended.getOutput().get("out")).length(), (6 << 20) + 3_500_000);
    }

    // -- files ----------------------------------------------------------------------------------------------------------------

    public void files_travel_by_their_handle() throws IOException {
        FileClient files = new FileClient(client);
        String owner = workflows.startWorkflow(request(flow("jv_filed", new Wait("w", Duration.ofHours(1))).getName(), Map.of()));
        Path source = Files.createTempFile("story", ".bin");
        byte[] content = new byte[3 << 20];
        new Random(7).nextBytes(content);
        Files.write(source, content);
        String handle = files.upload(owner, source, new FileUploadOptions().setFileName("story.bin").setContentType("application/x-story"));
        FileMetadata known = files.getMetadata(owner, handle);
        equal(List.of(known.getFileName(), known.getContentType(), known.getFileSize()), List.of("story.bin", "application/x-story", (long) content.length));
        Path target = files.download(owner, handle, source.resolveSibling(source.getFileName() + ".copy"));
        equal(Arrays.equals(Files.readAllBytes(target), content), true);
        refused(403, "cannot access", () -> files.getMetadata("another", handle));
    }

    // -- beside workflows and tasks -------------------------------------------------------------------------------------------

    private static void steered(BulkResponse<?> answer, List<String> ids) {
        equal(List.copyOf(answer.getBulkSuccessfulResults()), ids);
        equal(answer.getBulkErrorResults().size(), 0);
    }

    public void many_executions_are_steered_at_once() {
        flow("jv_bulk", new Wait("hold"));
        List<String> ids = List.of(workflows.startWorkflow(request("jv_bulk", Map.of())), workflows.startWorkflow(request("jv_bulk", Map.of())));
        steered(workflows.pauseWorkflows(ids), ids);
        equal(workflows.getWorkflow(ids.get(1), false).getStatus(), Workflow.WorkflowStatus.PAUSED);
        steered(workflows.resumeWorkflows(ids), ids);
        steered(workflows.terminateWorkflows(ids, "enough"), ids);
        equal(workflows.getWorkflow(ids.get(0), false).getReasonForIncompletion(), "enough");
        steered(workflows.restartWorkflows(ids, false), ids);
        steered(workflows.terminateWorkflows(ids, "enough"), ids);
        steered(workflows.retryWorkflows(ids), ids);
        steered(workflows.terminateWorkflowsWithFailure(ids, "enough", false), ids);
    }

    public void an_execution_is_looked_at_from_every_side() {
        flow("jv_sides", new Wait("hold"));
        StartWorkflowRequest start = request("jv_sides", Map.of());
        start.setCorrelationId("jv_corr");
        String id = workflows.startWorkflow(start);
        equal(workflows.getWorkflowStatusSummary(id, true, true).getStatus().name(), "RUNNING");
        equal(workflows.getWorkflowsByNamesAndCorrelationIds(List.of("jv_corr"), List.of("jv_sides"), false, false).get("jv_corr").get(0).getWorkflowId(), id);
        long now = System.currentTimeMillis();
        equal(workflows.getWorkflowsByTimePeriod("jv_sides", 1, now - 60_000, now + 60_000), List.of(id));
        workflows.runDecider(id);
        workflows.resetCallbacksForInProgressTasks(id);
        equal(workflows.searchV2("workflowType = 'jv_sides'").getResults().get(0).getWorkflowId(), id);
        equal(workflows.updateVariables(id, Map.of("mood", "good")).getVariables().get("mood"), "good");
        workflows.resumeWorkflow(pausedAgain(id));
        equal(tasks.signal(id, Task.Status.COMPLETED, Map.of("go", true)).getTargetWorkflowId(), id);
        equal(ended(id).getStatus(), Workflow.WorkflowStatus.COMPLETED);
        equal(metadata.getAllTaskDefs().isEmpty(), false);
    }

    private String pausedAgain(String id) {
        workflows.pauseWorkflow(id);
        return id;
    }

    public void queues_are_watched() {
        task("jv_watched_work");
        flow("jv_queued", new SimpleTask("jv_watched_work", "work"));
        String id = workflows.startWorkflow(request("jv_queued", Map.of()));
        tasks.batchPollTasksByTaskType("jv_watched_work", "eye", 1, 100);
        equal(tasks.getAllPollData().stream().anyMatch(seen -> "eye".equals(seen.getWorkerId())), true);
        equal(tasks.requeuePendingTasksByTaskType("jv_watched_work"), "1");
        equal(tasks.getQueueSizeForTask("jv_watched_work", null, null, null), 1);
        equal(tasks.search("taskType = 'jv_watched_work'").getResults().get(0).getWorkflowId(), id);
        equal(tasks.searchV2("taskType = 'jv_watched_work'").getResults().get(0).getWorkflowInstanceId(), id);
        Task taken = tasks.batchPollTasksByTaskType("jv_watched_work", "eye", 1, 100).get(0);
        TaskResult result = new TaskResult(taken);
        result.setStatus(TaskResult.Status.COMPLETED);
        equal(tasks.updateTaskV2(result), null); // nothing follows
        equal(ended(id).getStatus(), Workflow.WorkflowStatus.COMPLETED);
    }

    public void all_schedules_are_held_and_let_go() {
        OrkesSchedulerClient schedules = new OrkesSchedulerClient(client);
        flow("jv_held", new Wait("hold"));
        schedules.saveSchedule(new SaveScheduleRequest().name("jv_held").cronExpression("0 0 0 1 1 *").startWorkflowRequest(request("jv_held", Map.of())));
        schedules.pauseAllSchedules();
        schedules.resumeAllSchedules();
        schedules.requeueAllExecutionRecords();
        schedules.pauseSchedule("jv_held", "lunch");
        equal(schedules.getSchedule("jv_held").isPaused(), true);
        schedules.resumeSchedule("jv_held");
        steered(schedules.pauseSchedulers(List.of("jv_held")), List.of("jv_held"));
        steered(schedules.resumeSchedulers(List.of("jv_held")), List.of("jv_held"));
        equal(schedules.search(0, 10, "", "*", "scheduleName IN (jv_held)").getTotalHits(), 0L);
        List<TagObject> tags = List.of(new TagObject().key("team").value("a"));
        schedules.setSchedulerTags(tags, "jv_held");
        equal(schedules.getSchedulerTags("jv_held").get(0).getKey(), "team");
        schedules.deleteSchedulerTags(tags, "jv_held");
        schedules.deleteSchedule("jv_held");
    }

    public void event_handlers_are_changed() {
        EventClient events = new EventClient(client);
        EventHandler.Action action = new EventHandler.Action();
        action.setAction(EventHandler.Action.Type.start_workflow);
        EventHandler.StartWorkflow start = new EventHandler.StartWorkflow();
        start.setName("jv_held");
        action.setStart_workflow(start);
        EventHandler handler = new EventHandler();
        handler.setName("jv_changed");
        handler.setEvent("conductor:jv_changed:sink");
        handler.setActive(true);
        handler.setActions(List.of(action));
        events.registerEventHandler(handler);
        handler.setActive(false);
        events.updateEventHandler(handler);
        equal(events.getEventHandlers("conductor:jv_changed:sink", false).get(0).isActive(), false);
        equal(events.getEventHandlers("conductor:jv_changed:sink", true).size(), 0);
        events.unregisterEventHandler("jv_changed");
    }

    // -- playing them ---------------------------------------------------------------------------------------------------------

    private static String quoted(String text) {
        if (text == null) {
            return "null";
        }
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            out.append(c == '"' || c == '\\' ? "\\" + c : c < ' ' ? String.format("\\u%04x", (int) c) : String.valueOf(c));
        }
        return out.append('"').toString();
    }

    public static void main(String[] args) {
        PrintStream out = System.out;
        System.setOut(System.err); // the client's own words; standard output is for the stories
        Stories stories = new Stories(args[0]);
        for (String name : List.of("jv_greet", "jv_flaky", "jv_patient")) {
            stories.task(name);
        }
        stories.executor.initWorkersFromInstances(List.of(new Workers()));
        TaskRunnerConfigurer patient = new TaskRunnerConfigurer.Builder(stories.tasks, List.of(new Workers.Patient())).withThreadCount(1).build();
        patient.init();
        Map<String, Method> named = new LinkedHashMap<>();
        Arrays.stream(Stories.class.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers()))
                .sorted(Comparator.comparing(method -> method.getName().startsWith("what_failed") ? "b" : "a")) // needs the workflow of another story
                .forEach(method -> named.put(method.getName(), method));
        named.forEach(
                (name, method) -> {
                    String wrong = null;
                    try {
                        method.invoke(stories);
                    } catch (InvocationTargetException thrown) {
                        StringWriter trace = new StringWriter();
                        thrown.getCause().printStackTrace(new PrintWriter(trace));
                        wrong = trace.toString();
                    } catch (IllegalAccessException impossible) {
                        wrong = impossible.toString();
                    }
                    out.printf("{\"story\": %s, \"wrong\": %s, \"missing\": null}%n", quoted(name), quoted(wrong));
                });
        System.exit(0);
    }
}
