"""The official command line, `conductor`, unmodified: definitions, executions, tasks, schedules, secrets and agents against a server."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from official import CACHE, environment, no_fault_in, ready
from serving import serve

MODULE = "github.com/conductor-oss/conductor-cli"
CLIENT = f"{MODULE} v0.1.9"
Cli = Callable[..., str]

_GIVEN = {"inputParameters": {"word": "${workflow.input.word}"}}
STEPS = {
    "name": "cli_steps", "version": 1, "ownerEmail": "cli@example.org", "schemaVersion": 2,
    "tasks": [{"name": f"cli_{ref}", "taskReferenceName": ref, "type": "SIMPLE", **_GIVEN} for ref in ("one", "two")],
    "outputParameters": {"said": "${two.output.said}"},
}  # fmt: skip
WAITS = {"name": "cli_waits", "version": 1, "schemaVersion": 2, "tasks": [{"name": "hold", "taskReferenceName": "hold", "type": "WAIT"}]}
ENTERPRISE = ("--server-type", "Enterprise")  # what the command refuses to send to an open-source server
AGENT = "name: cli_greeter\nmodel: openai/gpt-4o-mini\ninstructions: You greet.\n"


def _program() -> str:
    """One that is installed, else made ready from its source."""
    installed = shutil.which("conductor")
    if installed is not None and "CLI for Conductor" in subprocess.run([installed, "--help"], capture_output=True, text=True, check=False).stdout:
        return installed
    place = ready(CLIENT, "cli", [["go", "install", f"{MODULE}@v0.1.9"]], extra={"CGO_ENABLED": "0", "GOBIN": str(CACHE / "cli")})
    return str(place / "conductor-cli")


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The command, run to its end on a server of its own: what it wrote, or an error when it failed."""
    program, home, data = _program(), tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("cli")
    with serve(data) as server:

        def run(*words: str, fails: bool = False) -> str:
            settings = {"HOME": str(home), "CONDUCTOR_SERVER_URL": server.url, "CONDUCTOR_SERVER_TYPE": "OSS"}
            done = subprocess.run([program, *words], env=environment(settings), cwd=home, capture_output=True, text=True, timeout=60, check=False,
                                  stdin=subprocess.DEVNULL)  # fmt: skip
            assert (done.returncode != 0) == fails, f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}"
            return done.stdout + (done.stderr if fails else "")

        for definition in (STEPS, WAITS):
            file = home / f"{definition['name']}.json"
            file.write_text(json.dumps(definition))
            run("workflow", "create", str(file), "--force")
        yield run
    no_fault_in(data / "server.log")


def started(cli: Cli, name: str, *words: str) -> str:
    return cli("workflow", "start", "--workflow", name, *words).strip().splitlines()[-1].split()[-1]


def shown(text: str) -> Any:
    """The JSON in what was written."""
    return json.loads(text[min(at for at in (text.find("{"), text.find("[")) if at >= 0) :])


def test_workflow_definitions(cli: Cli, tmp_path: Path) -> None:
    assert shown(cli("workflow", "get", "cli_steps"))["name"] == "cli_steps"
    assert "cli_steps" in cli("workflow", "list")
    assert "cli_waits" in cli("workflow", "get-all")
    file = tmp_path / "changed.json"
    file.write_text(json.dumps({**STEPS, "name": "cli_gone", "description": "short"}))
    cli("workflow", "create", str(file))
    file.write_text(json.dumps({**STEPS, "name": "cli_gone", "description": "shorter"}))
    cli("workflow", "update", str(file))
    assert shown(cli("workflow", "get", "cli_gone", "1"))["description"] == "shorter"
    cli("workflow", "delete", "cli_gone", "1", "-y")
    assert "No such workflow" in cli("workflow", "get", "cli_gone", fails=True)


def test_task_definitions(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "task.json"
    file.write_text(json.dumps([{"name": "cli_job", "retryCount": 1, "timeoutSeconds": 60, "responseTimeoutSeconds": 30, "ownerEmail": "cli@example.org"}]))
    cli("task", "create", str(file))
    assert shown(cli("task", "get", "cli_job"))["retryCount"] == 1
    assert "cli_job" in cli("task", "list") and "cli_job" in cli("task", "get-all")
    file.write_text(json.dumps({"name": "cli_job", "retryCount": 4, "timeoutSeconds": 60, "responseTimeoutSeconds": 30, "ownerEmail": "cli@example.org"}))
    cli("task", "update", str(file))
    assert shown(cli("task", "get", "cli_job"))["retryCount"] == 4
    cli("task", "delete", "cli_job", "-y")
    assert "cli_job" in cli("task", "get", "cli_job", fails=True)


def test_an_execution_from_start_to_end(cli: Cli) -> None:
    execution = started(cli, "cli_steps", "--input", '{"word": "hi"}', "--correlation", "cli-1")
    assert "RUNNING" in cli("workflow", "status", execution)
    [polled] = shown(cli("task", "poll", "cli_one", "--count", "1", "--worker-id", "w1", "--timeout", "500"))
    assert (polled["workflowInstanceId"], polled["inputData"]) == (execution, {"word": "hi"})
    cli("task", "update-execution", "--workflow-id", execution, "--task-ref-name", "one", "--status", "COMPLETED", "--output", '{"a": 1}')
    cli("workflow", "pause", execution)
    assert "PAUSED" in cli("workflow", "status", execution)
    cli("workflow", "resume", execution)
    cli("task", "update-execution", "--workflow-id", execution, "--task-ref-name", "two", "--status", "COMPLETED", "--output", '{"said": "hi"}')
    assert shown(cli("workflow", "get-execution", execution))["output"] == {"said": "hi"}
    assert execution in cli("workflow", "search", "--workflow", "cli_steps", "--status", "COMPLETED", "--count", "20")
    cli("workflow", "restart", execution)
    cli("workflow", "terminate", execution)
    assert "TERMINATED" in cli("workflow", "status", execution)
    cli("workflow", "retry", execution)
    cli("workflow", "terminate", execution)
    cli("workflow", "rerun", execution)
    assert "RUNNING" in cli("workflow", "status", execution)
    cli("workflow", "terminate", execution)
    cli("workflow", "delete-execution", execution, "-y")
    assert execution in cli("workflow", "status", execution, fails=True)


def test_a_task_is_skipped(cli: Cli) -> None:
    execution = started(cli, "cli_steps")
    cli("workflow", "skip-task", execution, "two", "--task-output", '{"said": "nothing"}')
    cli("task", "update-execution", "--workflow-id", execution, "--task-ref-name", "one", "--status", "COMPLETED")
    tasks = {task["referenceTaskName"]: task["status"] for task in shown(cli("workflow", "get-execution", "--complete", execution))["tasks"]}
    assert tasks == {"one": "COMPLETED", "two": "SKIPPED"}


def test_variables_are_set_and_tasks_are_jumped_to(cli: Cli) -> None:
    execution = started(cli, "cli_steps")
    cli("workflow", "update-state", execution, "--variables", '{"mood": "good"}', "--wait-for-seconds", "1")
    assert shown(cli("workflow", "get-execution", "--complete", execution))["variables"] == {"mood": "good"}
    cli("workflow", "jump", execution, "two", "--task-input", '{"word": "jumped"}')
    tasks = {task["referenceTaskName"]: task for task in shown(cli("workflow", "get-execution", "--complete", execution))["tasks"]}
    assert (tasks["two"]["status"], tasks["two"]["inputData"]["word"]) == ("SCHEDULED", "jumped")


def test_signals(cli: Cli) -> None:
    first, second = started(cli, "cli_waits"), started(cli, "cli_waits")
    cli(*ENTERPRISE, "task", "signal", "--workflow-id", first, "--status", "COMPLETED", "--output", '{"go": true}')
    assert "COMPLETED" in cli("workflow", "status", first)
    assert second in cli(*ENTERPRISE, "task", "signal-sync", "--workflow-id", second, "--status", "COMPLETED", "--output", '{"go": true}')
    assert "COMPLETED" in cli("workflow", "status", second)


def test_secrets(cli: Cli) -> None:
    cli(*ENTERPRISE, "secret", "put", "cli_token", "a long enough secret")
    assert "cli_token" in cli(*ENTERPRISE, "secret", "list")
    cli(*ENTERPRISE, "secret", "exists", "cli_token")
    cli(*ENTERPRISE, "secret", "delete", "cli_token", "-y")
    assert "cli_token" not in cli(*ENTERPRISE, "secret", "list")


def test_schedules(cli: Cli) -> None:
    cli("schedule", "create", "-n", "cli_daily", "-c", "0 0 3 ? * *", "-w", "cli_waits", "-i", '{"by": "cli"}')
    assert shown(cli("schedule", "get", "cli_daily"))["cronExpression"] == "0 0 3 ? * *"
    cli("schedule", "update", "-n", "cli_daily", "-c", "0 30 3 ? * *", "-w", "cli_waits")
    cli("schedule", "pause", "cli_daily")
    assert shown(cli("schedule", "get", "cli_daily"))["paused"] is True
    cli("schedule", "resume", "cli_daily")
    assert "cli_daily" in cli("schedule", "list")
    cli("schedule", "search")
    cli("schedule", "delete", "cli_daily", "-y")
    assert "cli_daily" not in cli("schedule", "list")


def test_agents(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text(AGENT)
    assert "cli_greeter" in cli("agent", "compile", str(file))
    cli("agent", "run", "--config", str(file), "hello", "--no-stream")
    assert "cli_greeter" in cli("agent", "list")
    assert "You greet." in cli("agent", "get", "cli_greeter")
    assert "cli_greeter" in cli("agent", "execution", "--name", "cli_greeter", "--since", "1d")
    cli("agent", "prune", "--older-than", "3650", "--dry-run")
    cli("agent", "delete", "cli_greeter", "-y")
    assert "cli_greeter" not in cli("agent", "list")
