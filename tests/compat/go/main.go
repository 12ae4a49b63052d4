// What a user of the official Go SDK does, told as stories: functions that check what comes back.
//
// `stories URL` plays every story against the server at that URL (…/api), with the SDK's own task runner, and prints one JSON line for each: its name
// and what was wrong. test_client_go.py reads these lines.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"github.com/antihax/optional"
	"github.com/conductor-sdk/conductor-go/sdk/client"
	"github.com/conductor-sdk/conductor-go/sdk/model"
	"github.com/conductor-sdk/conductor-go/sdk/settings"
	"github.com/conductor-sdk/conductor-go/sdk/worker"
	"github.com/conductor-sdk/conductor-go/sdk/workflow"
	"github.com/conductor-sdk/conductor-go/sdk/workflow/executor"
)

const (
	owner = "sdk@example.com"
	endIn = 30 * time.Second
	poll  = 20 * time.Millisecond
)

type object = map[string]interface{}

type sdk struct {
	api       *client.APIClient
	executor  *executor.WorkflowExecutor
	workflows client.WorkflowClient
	tasks     client.TaskClient
	metadata  client.MetadataClient
}

var background = context.Background()

// -- what the stories share ------------------------------------------------------------------------------------------------------

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func got[T any](value T, err error) T {
	must(err)
	return value
}

func equal(found, expected interface{}) {
	one, other := got(json.Marshal(found)), got(json.Marshal(expected)) // numbers of JSON are numbers of Go, whatever their type
	if string(one) != string(other) && !reflect.DeepEqual(found, expected) {
		panic(fmt.Sprintf("found %s, expected %s", one, other))
	}
}

func refused(status int, words string, err error) {
	var told client.GenericSwaggerError
	if !errors.As(err, &told) || told.StatusCode() != status || !strings.Contains(err.Error(), words) {
		panic(fmt.Sprintf("expected a refusal with %d and %q, got %v", status, words, err))
	}
}

func (s *sdk) task(name string) {
	// The SDK leaves a delay of 0 out, which means the server's default of a minute.
	made := model.TaskDef{Name: name, RetryCount: 2, RetryDelaySeconds: 1, TimeoutSeconds: 60, ResponseTimeoutSeconds: 30, OwnerEmail: owner}
	_, err := s.metadata.RegisterTaskDef(background, []model.TaskDef{made})
	must(err)
}

func (s *sdk) flow(name string, tasks ...workflow.TaskInterface) *workflow.ConductorWorkflow {
	made := workflow.NewConductorWorkflow(s.executor).Name(name).Version(1).OwnerEmail(owner)
	for _, task := range tasks {
		made.Add(task)
	}
	must(made.Register(true))
	return made
}

func greeting(ref, name string) *workflow.SimpleTask {
	return workflow.NewSimpleTask("go_greet", ref).Input("name", name)
}

func (s *sdk) start(name string, input object) string {
	return got(s.executor.StartWorkflow(&model.StartWorkflowRequest{Name: name, Version: 1, Input: input}))
}

func (s *sdk) ended(id string) *model.Workflow {
	for end := time.Now().Add(endIn); ; time.Sleep(poll) {
		found := got(s.executor.GetWorkflow(id, true))
		if found.Status != model.RunningWorkflow && found.Status != model.PausedWorkflow {
			return found
		}
		if time.Now().After(end) {
			panic(fmt.Sprintf("%s is still %s after %s", id, found.Status, endIn))
		}
	}
}

func byRef(execution *model.Workflow) map[string]model.Task {
	found := map[string]model.Task{}
	for _, task := range execution.Tasks {
		found[task.ReferenceTaskName] = task
	}
	return found
}

// -- workers ---------------------------------------------------------------------------------------------------------------------

func greet(task *model.Task) (interface{}, error) {
	return object{"said": fmt.Sprintf("Hello, %v!", task.InputData["name"])}, nil
}

func flaky(task *model.Task) (interface{}, error) {
	if task.InputData["forGood"] == true {
		return nil, model.NewNonRetryableError(errors.New("no use in trying again"))
	}
	if float64(task.RetryCount) < task.InputData["failures"].(float64) {
		return nil, fmt.Errorf("attempt %d failed", task.RetryCount)
	}
	result := model.NewTaskResultFromTask(task)
	result.Status = model.CompletedTask
	result.OutputData = object{"attempt": task.RetryCount}
	result.Logs = append(result.Logs, model.TaskExecLog{Log: "it worked", TaskId: task.TaskId})
	return result, nil
}

func patient(task *model.Task) (interface{}, error) {
	result := model.NewTaskResultFromTask(task)
	if task.PollCount < 3 {
		result.Status = model.InProgressTask
		result.CallbackAfterSeconds = int64(task.PollCount - 1)
		return result, nil
	}
	result.Status = model.CompletedTask
	result.OutputData = object{"polls": task.PollCount}
	return result, nil
}

// -- the stories -----------------------------------------------------------------------------------------------------------------

func definitionsComeBackAsTheyWentIn(s *sdk) {
	s.task("go_defined")
	found, _, err := s.metadata.GetTaskDef(background, "go_defined")
	must(err)
	equal([]interface{}{found.Name, found.RetryCount, found.OwnerEmail}, []interface{}{"go_defined", 2, owner})
	found.Description = "as it is"
	_, err = s.metadata.UpdateTaskDef(background, found)
	must(err)
	flow := s.flow("go_defined_flow", workflow.NewSimpleTask("go_defined", "one").Input("n", "${workflow.input.n}"))
	_, err = s.metadata.RegisterWorkflowDef(background, false, *flow.ToWorkflowDef())
	refused(409, "already exists", err)
	flow.Version(2)
	_, err = s.metadata.Update(background, []model.WorkflowDef{*flow.ToWorkflowDef()})
	must(err)
	latest, _, err := s.metadata.Get(background, "go_defined_flow", nil)
	must(err)
	equal([]interface{}{latest.Version, latest.Tasks[0].InputParameters}, []interface{}{2, object{"n": "${workflow.input.n}"}})
	must(flow.UnRegister())
	must(flow.Version(1).UnRegister())
	_, err = s.metadata.UnregisterTaskDef(background, "go_defined")
	must(err)
	_, _, err = s.metadata.Get(background, "go_defined_flow", nil)
	refused(404, "go_defined_flow", err)
}

func whatIsWrongIsTold(s *sdk) {
	_, _, err := s.workflows.StartWorkflowWithRequest(background, model.StartWorkflowRequest{Name: "go_no_such_flow"})
	refused(404, "No such workflow", err)
	_, _, err = s.workflows.GetExecutionStatus(background, "no-such-id", nil)
	refused(404, "no-such-id", err)
	_, err = s.metadata.RegisterWorkflowDef(background, true, model.WorkflowDef{Name: "go_empty"})
	refused(400, "validationErrors", err)
}

func theBuilderBuildsWhatRuns(s *sdk) {
	s.flow("go_child", greeting("hello", "${workflow.input.name}")).OutputParameters(object{"said": "${hello.output.said}"})
	big, small := workflow.NewSetVariableTask("big").Input("size", 100), workflow.NewSetVariableTask("small").Input("size", 1)
	flow := workflow.NewConductorWorkflow(s.executor).Name("go_blocks").Version(1).OwnerEmail(owner).
		Add(workflow.NewForkTask("fork", []workflow.TaskInterface{greeting("left", "left")}, []workflow.TaskInterface{greeting("right", "right")})).
		Add(workflow.NewSwitchTask("choice", "${workflow.input.kind}").SwitchCase("big", big).DefaultCase(small)).
		Add(workflow.NewInlineGraalJSTask("sum", "(function () { return $.a + 2; })()").Input("a", "${workflow.variables.size}")).
		Add(workflow.NewJQTask("names", "[.people[].name]").Input("people", "${workflow.input.people}")).
		Add(workflow.NewSubWorkflowTask("child", "go_child", 1).Input("name", "child")).
		Add(workflow.NewDoWhileTask("loop", "$.loop['iteration'] < 3", greeting("turn", "again"))). // NewLoopTask mixes up its names and turns once anywhere
		OutputParameters(object{"left": "${left.output.said}", "sum": "${sum.output.result}", "names": "${names.output.result}"})
	must(flow.Register(true))
	run := got(flow.ExecuteWorkflowWithInput(object{"kind": "big", "people": []object{{"name": "Eva"}, {"name": "Jan"}}}, ""))
	equal(string(run.Status), "COMPLETED")
	equal(run.Output, object{"left": "Hello, left!", "sum": 102, "names": []string{"Eva", "Jan"}})
	ended := got(s.executor.GetWorkflow(run.WorkflowId, true))
	equal(byRef(ended)["turn__3"].Iteration, 3)
	equal(got(s.executor.GetWorkflow(byRef(ended)["child"].SubWorkflowId, false)).ParentWorkflowId, run.WorkflowId)
}

func aFailureIsTriedAgainAndOneForGoodIsNot(s *sdk) {
	s.flow("go_failing", workflow.NewSimpleTask("go_flaky", "try").Input("failures", "${workflow.input.failures}").Input("forGood", "${workflow.input.forGood}"))
	ended := s.ended(s.start("go_failing", object{"failures": 1}))
	equal([]interface{}{ended.Status, len(ended.Tasks), ended.Tasks[0].ReasonForIncompletion}, []interface{}{"COMPLETED", 2, "attempt 0 failed"})
	logs, _, err := s.tasks.GetTaskLogs(background, ended.Tasks[1].TaskId)
	must(err)
	equal(logs[0].Log, "it worked")
	failed := s.ended(s.start("go_failing", object{"failures": 0, "forGood": true}))
	equal([]interface{}{failed.Status, len(failed.Tasks), failed.Tasks[0].Status}, []interface{}{"FAILED", 1, "FAILED_WITH_TERMINAL_ERROR"})
	must(s.executor.Retry(failed.WorkflowId, false))
	equal(len(s.ended(failed.WorkflowId).Tasks), 2)
	must(s.executor.Restart(failed.WorkflowId, true))
	again := s.ended(failed.WorkflowId)
	rerun := model.RerunWorkflowRequest{ReRunFromTaskId: again.Tasks[0].TaskId, TaskInput: object{"failures": 0}}
	equal(got(s.executor.ReRun(failed.WorkflowId, rerun)), failed.WorkflowId)
	equal(string(s.ended(failed.WorkflowId).Status), "COMPLETED")
}

func aLongTaskIsCalledAgain(s *sdk) {
	s.flow("go_long", workflow.NewSimpleTask("go_patient", "wait"))
	ended := s.ended(s.start("go_long", object{}))
	equal([]interface{}{ended.Tasks[0].PollCount, ended.Tasks[0].OutputData}, []interface{}{3, object{"polls": 3}})
}

func aStartSaysMoreThanAName(s *sdk) {
	s.flow("go_held", workflow.NewHumanTask("hold"))
	request := model.StartWorkflowRequest{Name: "go_held", Version: 1, Input: object{"n": 1}, CorrelationId: "order-1", Priority: 7}
	id := got(s.executor.StartWorkflow(&request))
	found := got(s.executor.GetWorkflow(id, false))
	equal([]interface{}{found.CorrelationId, found.Priority, found.Input}, []interface{}{"order-1", 7, object{"n": 1}})
	correlated := got(s.executor.GetByCorrelationIds("go_held", false, false, "order-1", "order-2"))
	equal([]int{len(correlated["order-1"]), len(correlated["order-2"])}, []int{1, 0})
	sought := got(s.executor.Search(0, 5, "workflowType = 'go_held' AND status IN (RUNNING)", ""))
	equal([]interface{}{len(sought), sought[0].WorkflowId}, []interface{}{1, id})
	must(s.executor.Terminate(id, "told enough"))
	state := got(s.executor.GetWorkflowStatus(id, true, true))
	equal([]interface{}{state.Status, state.CorrelationId}, []interface{}{"TERMINATED", "order-1"})
	must(s.executor.RemoveWorkflow(id))
	_, _, err := s.workflows.GetExecutionStatus(background, id, nil)
	refused(404, id, err)
}

func aStartWithAKeyStartsOnce(s *sdk) {
	s.flow("go_once", workflow.NewHumanTask("hold"))
	request := model.StartWorkflowRequest{Name: "go_once", Version: 1, IdempotencyKey: "k1", IdempotencyStrategy: model.ReturnExisting}
	equal(got(s.executor.StartWorkflow(&request)), got(s.executor.StartWorkflow(&request)))
	request.IdempotencyStrategy = model.FailOnConflict
	_, _, err := s.workflows.StartWorkflowWithRequest(background, request)
	refused(409, "k1", err)
}

func manyAreStartedAndWatched(s *sdk) {
	flow := s.flow("go_watched", greeting("one", "Cy"))
	watched := got(flow.StartWorkflowsAndMonitorExecution(&model.StartWorkflowRequest{Input: object{}}))
	ended := got(executor.WaitForWorkflowCompletionUntilTimeout(watched, endIn))
	equal([]interface{}{ended.Status, ended.Output}, []interface{}{"COMPLETED", object{"said": "Hello, Cy!"}})
}

func anExecutionIsSteered(s *sdk) {
	s.task("go_nobody_takes_it")
	s.flow("go_steered", workflow.NewHumanTask("first"), workflow.NewSimpleTask("go_nobody_takes_it", "second"), greeting("third", "Di"))
	id := s.start("go_steered", object{})
	must(s.executor.SkipTasksFromWorkflow(id, "second", model.SkipTaskRequest{})) // what it may say is sent in a notation nobody can read
	must(s.executor.Pause(id))
	equal(string(got(s.executor.GetWorkflow(id, false)).Status), "PAUSED")
	must(s.executor.Resume(id))
	must(s.executor.UpdateTaskByRefName("first", id, model.CompletedTask, object{"by": "hand"}))
	ended := s.ended(id)
	tasks := byRef(ended)
	equal([]interface{}{ended.Status, tasks["second"].Status, tasks["first"].OutputData["by"]}, []interface{}{"COMPLETED", "SKIPPED", "hand"})
	refused(409, "COMPLETED", s.executor.Terminate(id, "too late"))
}

func tasksAreDoneByHand(s *sdk) {
	s.task("go_by_hand")
	s.flow("go_hand", workflow.NewSimpleTask("go_by_hand", "one"))
	id := s.start("go_hand", object{})
	sizes, _, err := s.tasks.Size(background, &client.TaskResourceApiSizeOpts{TaskType: optional.NewInterface("go_by_hand")})
	must(err)
	equal(sizes, object{"go_by_hand": 1})
	task, _, err := s.tasks.Poll(background, "go_by_hand", &client.TaskResourceApiPollOpts{Workerid: optional.NewString("hand")})
	must(err)
	equal([]interface{}{task.WorkflowInstanceId, task.Status, task.WorkerId}, []interface{}{id, "IN_PROGRESS", "hand"})
	_, err = s.tasks.Log(background, "half way", task.TaskId)
	must(err)
	logs, _, err := s.tasks.GetTaskLogs(background, task.TaskId)
	must(err)
	equal(strings.Contains(logs[0].Log, "half way"), true)
	must(s.executor.UpdateTask(task.TaskId, id, model.CompletedTask, object{"n": []int{1, 2}}))
	equal(got(s.executor.GetTask(task.TaskId)).OutputData, object{"n": []int{1, 2}})
	seen, _, err := s.tasks.GetPollData(background, "go_by_hand")
	must(err)
	equal(seen[0].WorkerId, "hand")
}

func schedulesAreKept(s *sdk) {
	schedules := client.NewSchedulerClient(s.api)
	s.flow("go_timed", workflow.NewSetVariableTask("v").Input("x", 1))
	start := model.StartWorkflowRequest{Name: "go_timed", Version: 1, Input: object{}}
	_, _, err := schedules.SaveSchedule(background, model.SaveScheduleRequest{Name: "go_schedule", CronExpression: "0 0 12 * * *", StartWorkflowRequest: &start})
	must(err)
	kept, _, err := schedules.GetSchedule(background, "go_schedule")
	must(err)
	equal(kept.CronExpression, "0 0 12 * * *")
	times, _, err := schedules.GetNextFewSchedules(background, "0 0 12 * * *", nil)
	must(err)
	equal(times[1]-times[0], 86_400_000)
	_, _, err = schedules.DeleteSchedule(background, "go_schedule")
	must(err)
}

func eventHandlersAreKept(s *sdk) {
	events := client.NewEventHandlerClient(s.api)
	action := model.Action{Action: "start_workflow", StartWorkflow: &model.StartWorkflow{Name: "go_held"}}
	handler := model.EventHandler{Name: "go_handler", Event: "conductor:go_held:sink", Active: true, Actions: []model.Action{action}}
	_, err := events.AddEventHandler(background, handler)
	must(err)
	kept, _, err := events.GetEventHandlersForEvent(background, "conductor:go_held:sink", nil)
	must(err)
	equal(kept[0].Name, "go_handler")
	_, err = events.RemoveEventHandler(background, "go_handler")
	must(err)
}

func manyExecutionsAreSteeredAtOnce(s *sdk) {
	bulk := client.NewWorkflowBulkClient(s.api)
	s.flow("go_bulk", workflow.NewHumanTask("hold"))
	ids := []string{s.start("go_bulk", object{}), s.start("go_bulk", object{})}
	done := func(answer model.BulkResponse, _ *http.Response, err error) {
		must(err)
		equal([]interface{}{answer.BulkSuccessfulResults, len(answer.BulkErrorResults)}, []interface{}{ids, 0})
	}
	done(bulk.PauseWorkflow1(background, ids))
	equal(string(got(s.executor.GetWorkflow(ids[1], false)).Status), "PAUSED")
	done(bulk.ResumeWorkflow(background, ids))
	done(bulk.Terminate(background, ids, nil))
	done(bulk.Restart(background, ids, nil))
	done(bulk.Terminate(background, ids, nil))
	done(bulk.Retry1(background, ids))
	equal(string(got(s.executor.GetWorkflow(ids[0], false)).Status), "RUNNING")
	done(bulk.Terminate(background, ids, nil))
}

func anExecutionIsLookedAtFromEverySide(s *sdk) {
	s.flow("go_sides", workflow.NewHumanTask("hold"))
	id, _, err := s.workflows.StartWorkflow(background, object{"n": 1}, "go_sides", &client.WorkflowResourceApiStartWorkflowOpts{CorrelationId: optional.NewString("sides")})
	must(err)
	running, _, err := s.workflows.GetRunningWorkflow(background, "go_sides", nil)
	must(err)
	equal(running, []string{id})
	correlated, _, err := s.workflows.GetWorkflowsByCorrelationId(background, "go_sides", "sides", nil)
	must(err)
	equal(correlated[0].WorkflowId, id)
	batch, _, err := s.workflows.GetWorkflowsBatch(background, map[string][]string{"workflowNames": {"go_sides"}, "correlationIds": {"sides"}}, nil)
	must(err)
	equal(batch["sides"][0].WorkflowId, id)
	_, err = s.workflows.Decide(background, id)
	must(err)
	_, err = s.workflows.ResetWorkflow(background, id)
	must(err)
	wanted := optional.NewString("workflowType = 'go_sides'")
	byTasks, _, err := s.workflows.SearchWorkflowsByTasks(background, &client.WorkflowResourceApiSearchWorkflowsByTasksOpts{Query: wanted})
	must(err)
	byTasksWhole, _, err := s.workflows.SearchWorkflowsByTasksV2(background, &client.WorkflowResourceApiSearchWorkflowsByTasksV2Opts{Query: wanted})
	must(err)
	equal([]string{byTasks.Results[0].WorkflowId, byTasksWhole.Results[0].WorkflowId}, []string{id, id})
	all, _, err := s.metadata.GetAll(background)
	must(err)
	tasks, _, err := s.metadata.GetTaskDefs(background)
	must(err)
	equal(len(all) > 0 && len(tasks) > 0, true)
	must(s.executor.Terminate(id, "seen"))
}

func queuesAreWatched(s *sdk) {
	s.task("go_watched_work")
	s.flow("go_queued", workflow.NewSimpleTask("go_watched_work", "work"))
	id := s.start("go_queued", object{})
	sizes, _, err := s.tasks.All(background)
	must(err)
	verbose, _, err := s.tasks.AllVerbose(background)
	must(err)
	equal([]int64{sizes["go_watched_work"], verbose["go_watched_work"]["a"]["size"]}, []int64{1, 1})
	_, _, err = s.tasks.Poll(background, "go_watched_work", &client.TaskResourceApiPollOpts{Workerid: optional.NewString("eye")})
	must(err)
	seen, _, err := s.tasks.GetAllPollData(background)
	must(err)
	equal(len(seen) > 0, true)
	count, _, err := s.tasks.RequeuePendingTask(background, "go_watched_work")
	must(err)
	equal(count, "1")
	wanted := optional.NewString("taskType = 'go_watched_work'")
	found, _, err := s.tasks.Search(background, &client.TaskResourceApiSearch1Opts{Query: wanted})
	must(err)
	whole, _, err := s.tasks.SearchV2(background, &client.TaskResourceApiSearchV21Opts{Query: wanted})
	must(err)
	equal([]string{found.Results[0].WorkflowId, whole.Results[0].WorkflowInstanceId}, []string{id, id})
	must(s.executor.Terminate(id, "seen"))
}

func allSchedulesAreHeldAndLetGo(s *sdk) {
	schedules := client.NewSchedulerClient(s.api)
	s.flow("go_held", workflow.NewHumanTask("hold"))
	start := model.StartWorkflowRequest{Name: "go_held", Version: 1, Input: object{}}
	_, _, err := schedules.SaveSchedule(background, model.SaveScheduleRequest{Name: "go_held", CronExpression: "0 0 0 1 1 *", StartWorkflowRequest: &start})
	must(err)
	for _, verb := range []func(context.Context) (map[string]interface{}, *http.Response, error){
		schedules.PauseAllSchedules, schedules.ResumeAllSchedules, schedules.RequeueAllExecutionRecords,
	} {
		_, _, err = verb(background)
		must(err)
	}
	_, _, err = schedules.PauseSchedule(background, "go_held")
	must(err)
	kept, _, err := schedules.GetAllSchedules(background, &client.SchedulerResourceApiGetAllSchedulesOpts{WorkflowName: optional.NewString("go_held")})
	must(err)
	equal([]interface{}{kept[0].Name, kept[0].Paused}, []interface{}{"go_held", true})
	_, _, err = schedules.ResumeSchedule(background, "go_held")
	must(err)
	fired, _, err := schedules.SearchV2(background, &client.SchedulerSearchOpts{Query: optional.NewString("scheduleName IN (go_held)")})
	must(err)
	equal(fired.TotalHits, 0)
	tag := []model.Tag{{Key: "team", Value: "a"}}
	_, err = schedules.PutTagForSchedule(background, tag, "go_held")
	must(err)
	tags, _, err := schedules.GetTagsForSchedule(background, "go_held")
	must(err)
	equal(tags[0].Key, "team")
	_, err = schedules.DeleteTagForSchedule(background, tag, "go_held")
	must(err)
	_, _, err = schedules.DeleteSchedule(background, "go_held")
	must(err)
}

func eventHandlersAreChanged(s *sdk) {
	events := client.NewEventHandlerClient(s.api)
	action := model.Action{Action: "start_workflow", StartWorkflow: &model.StartWorkflow{Name: "go_held"}}
	handler := model.EventHandler{Name: "go_changed", Event: "conductor:go_changed:sink", Active: true, Actions: []model.Action{action}}
	_, err := events.AddEventHandler(background, handler)
	must(err)
	handler.Active = false
	_, err = events.UpdateEventHandler(background, handler)
	must(err)
	kept, _, err := events.GetEventHandlers(background)
	must(err)
	for _, one := range kept {
		equal(one.Name == "go_changed" && one.Active, false)
	}
	_, err = events.RemoveEventHandler(background, "go_changed")
	must(err)
}

var stories = []struct {
	name string
	tell func(*sdk)
}{
	{"definitions_come_back_as_they_went_in", definitionsComeBackAsTheyWentIn},
	{"what_is_wrong_is_told", whatIsWrongIsTold},
	{"the_builder_builds_what_runs", theBuilderBuildsWhatRuns},
	{"a_failure_is_tried_again_and_one_for_good_is_not", aFailureIsTriedAgainAndOneForGoodIsNot},
	{"a_long_task_is_called_again", aLongTaskIsCalledAgain},
	{"a_start_says_more_than_a_name", aStartSaysMoreThanAName},
	{"a_start_with_a_key_starts_once", aStartWithAKeyStartsOnce},
	{"many_are_started_and_watched", manyAreStartedAndWatched},
	{"an_execution_is_steered", anExecutionIsSteered},
	{"tasks_are_done_by_hand", tasksAreDoneByHand},
	{"schedules_are_kept", schedulesAreKept},
	{"event_handlers_are_kept", eventHandlersAreKept},
	{"event_handlers_are_changed", eventHandlersAreChanged},
	{"many_executions_are_steered_at_once", manyExecutionsAreSteeredAtOnce},
	{"an_execution_is_looked_at_from_every_side", anExecutionIsLookedAtFromEverySide},
	{"queues_are_watched", queuesAreWatched},
	{"all_schedules_are_held_and_let_go", allSchedulesAreHeldAndLetGo},
}

// -- playing them ----------------------------------------------------------------------------------------------------------------

func told(s *sdk, tell func(*sdk)) (wrong interface{}) {
	defer func() {
		if what := recover(); what != nil {
			wrong = fmt.Sprintf("%v\n%s", what, debug.Stack())
		}
	}()
	tell(s)
	return nil
}

func main() {
	api := client.NewAPIClient(nil, settings.NewHttpSettings(os.Args[1]))
	s := &sdk{api, executor.NewWorkflowExecutor(api), client.NewWorkflowClient(api), client.NewTaskClient(api), client.NewMetadataClient(api)}
	runner := worker.NewTaskRunnerWithApiClient(api)
	for name, work := range map[string]model.ExecuteTaskFunction{"go_greet": greet, "go_flaky": flaky, "go_patient": patient} {
		s.task(name)
		must(runner.StartWorker(name, work, 2, poll))
	}
	for _, story := range stories {
		line := got(json.Marshal(struct {
			Story   string      `json:"story"`
			Wrong   interface{} `json:"wrong"`
			Missing interface{} `json:"missing"`
		}{story.name, told(s, story.tell), nil}))
		fmt.Println(string(line))
	}
}
