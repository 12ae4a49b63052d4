"""Messages pushed to an execution. Recorded with conductor.workflow-message-queue.enabled=true."""
from golden import scenario


def pull(ref="pull", **input):
    return {"name": ref, "taskReferenceName": ref, "type": "PULL_WORKFLOW_MESSAGES", "inputParameters": input}


def hold(s, a):
    """Let the execution go on past its WAIT `w`."""
    s.wait_task(a, "w", "IN_PROGRESS")
    s.must("POST", f"/tasks/{a}/w/COMPLETED", {})


WAIT = {"name": "w", "taskReferenceName": "w", "type": "WAIT"}


def push(s, a, *payloads):
    """Push these; what is answered names the messages in the order of pushing."""
    for payload in payloads:
        id = s.must("POST", f"/workflow/{a}/messages", payload)
        s.label(id.strip(), f"<message:{len([k for k in s.labels.values() if k.startswith('<message')]) + 1}>")


def told(s, w):
    """What came of the execution, the instants of messages taken away."""
    tasks = [{k: t.get(k) for k in ("referenceTaskName", "taskType", "taskDefName", "status", "inputData", "outputData", "retryCount", "seq")} for t in w["tasks"]]
    for t in tasks:
        for m in t["outputData"].get("messages", []):
            m["receivedAt"] = f"{m['receivedAt'][:4].isdigit()} {m['receivedAt'][-1]}"
    output = {k: v for k, v in w["output"].items() if k != "messages"}
    s.record("told", status=w["status"], output=output, tasks=tasks)


@scenario
def a_message_ends_the_task_that_waits(s):
    """The task is in progress until a message comes; its output is the message and a count of 1."""
    s.workflow("one", [pull()])
    a = s.start("one")
    s.wait_task(a, "pull", "IN_PROGRESS")
    push(s, a, {"a": 1, "deep": {"list": [1, None]}})
    told(s, s.wait(a, "COMPLETED"))


@scenario
def messages_wait_for_the_task_and_come_in_order(s):
    """Five pushed before anybody asks: two, two more, one; then nothing without waiting."""
    quick = {"batchSize": 2, "blocking": False}
    s.workflow("many", [WAIT, pull("p", batchSize=2), pull("q", **quick), pull("r", **quick), pull("t", **quick)])
    a = s.start("many")
    push(s, a, *({"n": n} for n in range(5)))
    hold(s, a)
    told(s, s.wait(a, "COMPLETED"))


@scenario
def odd_sizes_are_the_nearest_there_is(s):
    """A batch of 0 is one of 1; one of 1000 takes what there is."""
    s.workflow("odd", [WAIT, pull("p", batchSize=0), pull("q", batchSize=1000, blocking=False)])
    a = s.start("odd")
    push(s, a, *({"n": n} for n in range(3)))
    hold(s, a)
    told(s, s.wait(a, "COMPLETED"))


@scenario
def a_push_that_is_refused_says_so_in_plain_text(s):
    """404 for nothing, 409 for what is paused or has ended."""
    s.workflow("held", [WAIT])
    s.call("unknown", "POST", "/workflow/00000000-0000-0000-0000-000000000000/messages", {"a": 1})
    a = s.start("held")
    s.must("PUT", f"/workflow/{a}/pause")
    s.call("paused", "POST", f"/workflow/{a}/messages", {"a": 1})
    s.must("PUT", f"/workflow/{a}/resume")
    s.must("DELETE", f"/workflow/{a}")
    s.call("ended", "POST", f"/workflow/{a}/messages", {"a": 1})


@scenario
def what_nobody_took_goes_away_with_the_end(s):
    """After a restart the task waits again, for new messages."""
    end = {"terminationStatus": "FAILED", "terminationReason": "enough"}
    s.workflow("left", [WAIT, pull(), {"name": "end", "taskReferenceName": "end", "type": "TERMINATE", "inputParameters": end}])
    a = s.start("left")
    push(s, a, {"n": 1}, {"n": 2})
    hold(s, a)
    s.wait(a, "FAILED")
    s.must("POST", f"/workflow/{a}/restart")
    hold(s, a)
    w = s.wait_task(a, "pull", "IN_PROGRESS")
    s.record("again", status=w["status"], tasks=[[t["referenceTaskName"], t["status"], t["outputData"]] for t in w["tasks"]])
    push(s, a, {"n": 3})
    told(s, s.wait(a, "FAILED"))
