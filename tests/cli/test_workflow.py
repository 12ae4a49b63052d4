"""`batuta workflow` and `batuta task`, on a server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from clistage import Batuta, order, single, step_def

from batuta.cli.failure import Exit
from batuta.testing import EmbeddedServer

UNKNOWN = "11111111-2222-3333-4444-555555555555"


def started(server: EmbeddedServer, *, n: int = 7) -> str:
    """An order that waits to be paid."""
    server.client.register_workflow(order(), overwrite=True)
    return server.client.start_workflow("order", {"id": n}, correlation_id=f"o-{n}")


def failed(server: EmbeddedServer) -> str:
    """An execution whose one task failed."""
    server.client.register_task_defs([step_def()])
    server.client.register_workflow(single(), overwrite=True)
    execution_id = server.client.start_workflow("single")
    server.do("step", status="FAILED", reason="no paper\nin tray 2")
    return execution_id


def test_start_prints_the_id_and_nothing_else(server: EmbeddedServer, batuta: Batuta) -> None:
    server.client.register_workflow(order())
    ran = batuta("workflow", "start", "order", "--input", '{"id": 7}', "--correlation-id", "o-7", "--priority", "5", "--version", "1")
    execution = server.client.get_workflow(ran.out.strip())
    assert (ran.code, ran.err, len(ran.lines)) == (0, "", 1)
    assert (execution.input, execution.correlation_id, execution.json["priority"]) == ({"id": 7}, "o-7", 5)
    assert batuta("workflow", "start", "order", "--json").json.keys() == {"workflowId"}


#       input given          file or standard input     input sent
INPUTS = [
    ([], None, {}),
    (['{"a": [1, "b"]}'], None, {"a": [1, "b"]}),
    (["@{file}"], '{"from": "file"}', {"from": "file"}),
    (["-"], '{"from": "stdin"}', {"from": "stdin"}),
]


@pytest.mark.parametrize(("given", "text", "sent"), INPUTS)
def test_an_input_comes_from_the_line_a_file_or_standard_input(
    given: list[str], text: str | None, sent: dict[str, object], server: EmbeddedServer, batuta: Batuta, tmp_path: Path
) -> None:
    server.client.register_workflow(order())
    (tmp_path / "input.json").write_text(text or "")
    options = [option for value in given for option in ("-i", value.format(file=tmp_path / "input.json") if value[0] == "@" else value)]
    ran = batuta("workflow", "start", "order", *options, stdin=text)
    assert server.client.get_workflow(ran.out.strip()).input == sent


#       input given            complaint
WRONG_INPUTS = [
    ("{x}", "'{x}' is not JSON"),
    ("[1]", "'[1]' is a list; expected a JSON object"),
    ("7", "'7' is a number"),
    ("@/nowhere/at/all.json", "file '/nowhere/at/all.json' cannot be read: No such file or directory"),
]


@pytest.mark.parametrize(("given", "complaint"), WRONG_INPUTS)
def test_an_input_that_cannot_be_read_says_why_and_sends_nothing(given: str, complaint: str) -> None:
    ran = Batuta()("workflow", "start", "order", "--input", given)
    assert ran.code == Exit.USAGE and complaint in " ".join(ran.err.split())


def test_starting_what_is_not_defined_is_not_found(batuta: Batuta) -> None:
    ran = batuta("workflow", "start", "nope")
    assert ran.code == Exit.NOT_FOUND and "nope" in ran.err and "batuta definitions list" in ran.err


def test_the_same_idempotency_key_starts_nothing_new_where_the_server_knows_keys(server: EmbeddedServer, batuta: Batuta) -> None:
    server.client.register_workflow(order())
    batuta("workflow", "start", "order", "--idempotency-key", "k")
    execution_id = batuta("workflow", "start", "order", "--idempotency-key", "k").out.strip()
    assert server.client.get_workflow(execution_id).status == "RUNNING"


def beside(action: Callable[[], object]) -> threading.Thread:
    """Do it in another thread, while a command waits."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


def test_start_and_wait_ends_with_the_execution(server: EmbeddedServer, batuta: Batuta) -> None:
    server.client.register_task_defs([step_def()])
    server.client.register_workflow(single())

    def work(status: str) -> Callable[[], object]:
        def act() -> None:
            server.until(lambda: server.client.queue_sizes("step")["step"] == 1)
            server.do("step", {"x": 1}, status=status, reason=None if status == "COMPLETED" else "no paper")  # type: ignore[arg-type]

        return act

    worker = beside(work("COMPLETED"))
    ran = batuta("workflow", "start", "single", "--wait")
    worker.join()
    assert ran.code == 0 and "step completed" in ran.out and "COMPLETED" in ran.out
    worker = beside(work("FAILED"))
    ran = batuta("workflow", "start", "single", "--wait")
    worker.join()
    assert ran.code == Exit.FAILED and "step failed: no paper" in ran.out and ran.err.endswith("is FAILED\n")


def test_watch_tells_each_change_as_a_line_or_as_json(server: EmbeddedServer, batuta: Batuta) -> None:
    execution_id = failed(server)
    ran = batuta("workflow", "watch", execution_id)
    assert ran.code == Exit.FAILED and "failed at step" in ran.out
    ran = batuta("workflow", "watch", execution_id, "--json")
    told = [json.loads(line) for line in ran.lines]
    assert [(one.get("referenceTaskName"), one["status"]) for one in told] == [("step", "FAILED"), (None, "FAILED")]
    assert json.loads(ran.err)["exitCode"] == Exit.FAILED


def test_watch_gives_up_when_told_to(server: EmbeddedServer, batuta: Batuta) -> None:
    execution_id = started(server)
    ran = batuta("workflow", "watch", execution_id, "--timeout", "0.05")
    assert ran.code == Exit.FAILED and f"{execution_id} is RUNNING after 0.05 s; it goes on" in ran.err
    assert batuta("workflow", "watch", UNKNOWN).code == Exit.NOT_FOUND


def test_get_shows_the_tree_or_everything_as_json(server: EmbeddedServer, batuta: Batuta) -> None:
    execution_id = failed(server)
    ran = batuta("workflow", "get", execution_id)
    assert ran.code == 0
    assert ran.lines[0].split()[1:] == ["single", "v1", "FAILED", "in", ran.lines[0].split()[-1]]
    assert "failed at step" in ran.out and "no paper" in ran.out and "in tray 2" in ran.out
    assert batuta("workflow", "get", execution_id, "--json").json["tasks"][0]["status"] == "FAILED"
    assert batuta("workflow", "get", UNKNOWN).code == Exit.NOT_FOUND


def test_get_opens_children_when_asked(server: EmbeddedServer, batuta: Batuta) -> None:
    server.client.register_workflow(single("child", "inner"))
    parent = {"name": "parent", "version": 1, "tasks": [{"name": "s", "taskReferenceName": "s", "type": "SUB_WORKFLOW", "subWorkflowParam": {"name": "child"}}]}
    server.client.register_workflow(parent)
    execution_id = server.client.start_workflow("parent")
    server.until(lambda: server.client.queue_sizes("inner")["inner"] == 1)
    assert "inner" not in batuta("workflow", "get", execution_id).out
    assert "inner" in batuta("workflow", "get", execution_id, "--children").out


def test_list_finds_executions_by_name_status_and_correlation(server: EmbeddedServer, batuta: Batuta) -> None:
    orders, lost = [started(server, n=n) for n in range(3)], failed(server)
    server.client.pause(orders[0])

    def found(*options: str) -> set[str]:
        return {one["workflowId"] for one in batuta("workflow", "list", *options, "--json").json}

    assert found("--name", "order") == set(orders)
    assert found("--name", "order", "--status", "paused") == {orders[0]}
    assert found("--correlation-id", "o-1") == {orders[1]}
    assert len(found("--name", "order", "--limit", "2")) == 2
    assert set(orders) <= found()
    assert found("--status", "FAILED") == {lost}
    odd = [server.client.start_workflow("order", {"id": 9}, correlation_id=text) for text in ("it's one", 'an "other" one')]
    assert [found("--correlation-id", text) for text in ("it's one", 'an "other" one')] == [{one} for one in odd]
    assert "has no search" not in batuta("workflow", "list", "--correlation-id", "it's one").err


def test_list_prints_a_table_or_says_that_there_is_nothing(server: EmbeddedServer, batuta: Batuta) -> None:
    assert "No such executions." in batuta("workflow", "list").err
    execution_id = started(server)
    head, row = batuta("workflow", "list", "--name", "order").lines
    assert head.split() == ["EXECUTION", "WORKFLOW", "STATUS", "STARTED", "TOOK", "CORRELATION"]
    assert execution_id in row and "order v1" in row and "RUNNING" in row and row.endswith("o-7")


def test_logs_prints_what_the_worker_said(server: EmbeddedServer, batuta: Batuta) -> None:
    execution_id = started(server)
    task_id = server.client.get_workflow(execution_id).task("pay").id
    assert "Nothing was logged" in batuta("workflow", "logs", task_id).err
    server.client.add_task_log(task_id, "one\ntwo")
    assert [line.split()[-1] for line in batuta("workflow", "logs", task_id).lines] == ["one", "two"]
    server.client.add_task_log(task_id, "\x1b[2Jthree\x07")
    assert batuta("workflow", "logs", task_id, env={"FORCE_COLOR": "1"}).lines[-1].endswith("[2Jthree")
    assert batuta("workflow", "logs", task_id, "--json").json[0]["log"] == "one\ntwo"
    assert batuta("workflow", "logs", UNKNOWN).code == Exit.NOT_FOUND


def test_the_verbs_move_an_execution(server: EmbeddedServer, batuta: Batuta) -> None:
    execution_id = started(server)

    def status() -> str:
        return server.client.get_workflow_status(execution_id)

    #        verb                                                        status after
    for verb, after in (
        (["pause", execution_id], "PAUSED"),
        (["resume", execution_id], "RUNNING"),
        (["terminate", execution_id, "--reason", "stopped by ana"], "TERMINATED"),
        (["restart", execution_id, "--latest"], "RUNNING"),
        (["terminate", execution_id], "TERMINATED"),
        (["retry", execution_id, "--resume-children"], "RUNNING"),
        (["terminate", execution_id], "TERMINATED"),
        (["rerun", execution_id, "--input", '{"id": 8}'], "RUNNING"),
        (["skip", execution_id, "approval", "--output", '{"skipped": true}'], "RUNNING"),
    ):  # fmt: skip
        ran = batuta("workflow", *verb)
        assert (ran.code, status()) == (0, after), (verb, ran)
        assert execution_id in ran.out
    assert server.client.get_workflow(execution_id).input == {"id": 8}


def test_remove_deletes_what_has_ended_and_more_only_when_told(server: EmbeddedServer, batuta: Batuta) -> None:
    execution_id = started(server)
    refused = batuta("workflow", "remove", execution_id)
    assert refused.code == Exit.FAILED and "RUNNING" in refused.err
    assert batuta("workflow", "remove", execution_id, "--running").code == 0
    assert batuta("workflow", "get", execution_id).code == Exit.NOT_FOUND


def test_rerun_begins_with_a_task_named_by_reference_or_id(server: EmbeddedServer, batuta: Batuta) -> None:
    execution_id = failed(server)
    task_id = server.client.get_workflow(execution_id).task("step").id
    for start in ("step", task_id):
        ran = batuta("workflow", "rerun", execution_id, "--from", start, "--task-input", '{"again": 1}')
        assert ran.code == 0, ran
        assert server.do("step", status="FAILED").input["again"] == 1
        task_id = server.client.get_workflow(execution_id).task("step").id
    ran = batuta("workflow", "rerun", execution_id, "--from", "nope")
    assert ran.code == Exit.NOT_FOUND and "has no task 'nope'; its tasks: step" in ran.err


def test_a_verb_on_many_goes_through_all_and_ends_with_the_first_failure(server: EmbeddedServer, batuta: Batuta) -> None:
    one, two = started(server, n=1), started(server, n=2)
    ran = batuta("workflow", "pause", one, UNKNOWN, two)
    assert ran.code == Exit.NOT_FOUND and "1 of 3 could not be paused" in ran.err
    assert [server.client.get_workflow_status(x) for x in (one, two)] == ["PAUSED", "PAUSED"]
    ran = batuta("workflow", "resume", one, UNKNOWN, two, "--json")
    assert [(result["workflowId"], result["done"]) for result in ran.json] == [(one, True), (UNKNOWN, False), (two, True)]


#       verb on a running order         code
REFUSED = [
    (["retry"], Exit.CONFLICT),
    (["restart"], Exit.CONFLICT),
    (["rerun"], Exit.CONFLICT),
]


@pytest.mark.parametrize(("verb", "code"), REFUSED)
def test_a_verb_that_the_state_does_not_allow_is_a_conflict(verb: list[str], code: Exit, server: EmbeddedServer, batuta: Batuta) -> None:
    ran = batuta("workflow", *verb, started(server))
    assert ran.code == code, ran


def test_many_ids_of_a_server_that_is_not_there_fail_once() -> None:
    ran = Batuta()("workflow", "pause", "a", "b", "c")
    assert ran.code == Exit.UNREACHABLE and ran.err.count("did not answer") == 1


def test_a_task_is_shown_and_completed_by_hand(server: EmbeddedServer, batuta: Batuta) -> None:
    execution_id = started(server)
    for kind in ("pay", "pack", "label"):
        server.do(kind, {"of": kind})
    wrong = batuta("task", "complete", execution_id, "nope")
    assert wrong.code == Exit.CONFLICT and "has no open task 'nope'; open: approval" in wrong.err
    assert batuta("task", "complete", execution_id, "approval", "--output", '{"by": "ana"}').code == 0
    assert server.wait(execution_id).task("approval").output["by"] == "ana"
    task_id = server.client.get_workflow(execution_id).task("pay").id
    shown = batuta("task", "get", task_id)
    assert shown.code == 0 and "pay" in shown.lines[0] and '"of": "pay"' in shown.out
    assert batuta("task", "get", task_id, "--json").json["taskId"] == task_id
    assert batuta("task", "get", UNKNOWN).code == Exit.NOT_FOUND
    assert batuta("task", "complete", UNKNOWN, "x").code == Exit.NOT_FOUND
