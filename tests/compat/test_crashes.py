"""
kill -9 at a random moment of a running load, again and again: nothing acknowledged is lost, nothing ends twice, everything ends.

Each round loads the server with sequences, forks, children, waits and loops from many connections, kills it without warning, starts it again on
the same file, and lets willing workers finish what is there. CRASHES sets the number of rounds (default 4; the long run is `make crashes`).
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from serving import Served, free_port, launch, until

ROUNDS = int(os.environ.get("CRASHES", "4"))
SEED = int(os.environ.get("CRASH_SEED", "1"))
END_S = 60.0
TASKS = ("ca", "cb", "cc")


def simple(name: str, ref: str | None = None) -> dict[str, Any]:
    return {"name": name, "taskReferenceName": ref or name, "type": "SIMPLE", "inputParameters": {"n": "${workflow.input.n}"}}


def definitions() -> list[dict[str, Any]]:
    common = {"version": 1, "schemaVersion": 2, "ownerEmail": "crash@example.com", "timeoutSeconds": 0}
    output = {"outputParameters": {"n": "${workflow.input.n}"}}
    fork = {**simple("f"), "type": "FORK_JOIN", "forkTasks": [[simple("ca")], [simple("cb")], [simple("cc")]]}
    join = {**simple("j"), "type": "JOIN", "joinOn": ["ca", "cb", "cc"]}
    child = {**simple("s"), "type": "SUB_WORKFLOW", "subWorkflowParam": {"name": "row", "version": 1}}
    wait = {**simple("w"), "type": "WAIT", "inputParameters": {"duration": "1s"}}
    loop = {**simple("l"), "type": "DO_WHILE", "loopCondition": "$.l.iteration < 3", "loopOver": [simple("ca")]}
    return [
        {**common, **output, "name": "row", "tasks": [simple("ca"), simple("cb"), simple("cc")]},
        {**common, "name": "forked", "tasks": [fork, join, simple("ca", "z")]},
        {**common, "name": "parent", "tasks": [child, simple("cb")]},
        {**common, "name": "waits", "tasks": [wait, simple("cc")]},
        {**common, "name": "loop", "tasks": [loop]},
    ]


class Client:
    """One connection; a call that the crash cut off gives None."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            self._connection.request(method, "/api" + path, None if body is None else json.dumps(body), {"content-type": "application/json"})
            answer = self._connection.getresponse()
            text = answer.read().decode()
        except (http.client.HTTPException, OSError):
            self._connection.close()
            return None
        assert answer.status < 400 or answer.status == 404, f"{method} {path}: {answer.status} {text[:300]}"
        if answer.status == 404:
            return None
        return json.loads(text) if text and answer.headers.get_content_type() == "application/json" else text


class Load:
    """Starters and workers on one server, and what was acknowledged to them."""

    def __init__(self, port: int, rng: random.Random) -> None:
        self.port, self.rng, self.stop = port, rng, threading.Event()
        self.started: list[str] = []
        self.completed: Counter[str] = Counter()  # task ids whose report was acknowledged
        self.threads: list[threading.Thread] = []

    def start(self, *, starters: int, workers: int) -> None:
        for target, count in ((self._starter, starters), (self._worker, workers)):
            for _ in range(count):
                thread = threading.Thread(target=target, daemon=True)
                thread.start()
                self.threads.append(thread)

    def _starter(self) -> None:
        client, names = Client(self.port), ("row", "forked", "parent", "waits", "loop")
        while not self.stop.is_set():
            started = client.call("POST", f"/workflow/{random.choice(names)}", {"n": 1})
            if started:
                self.started.append(started)

    def _worker(self) -> None:
        client = Client(self.port)
        while not self.stop.is_set():
            for name in TASKS:
                for task in client.call("GET", f"/tasks/poll/batch/{name}?count=5&timeout=20&workerid=w") or ():
                    report = {
                        "workflowInstanceId": task["workflowInstanceId"],
                        "taskId": task["taskId"],
                        "status": "COMPLETED",
                        "outputData": {"by": task["taskId"]},
                    }
                    if client.call("POST", "/tasks", report) is not None:
                        self.completed[task["taskId"]] += 1

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(30)


def still_running(client: Client, ids: list[str]) -> list[str]:
    return [i for i in ids if (client.call("GET", f"/workflow/{i}/status") or {"status": "GONE"})["status"] == "RUNNING"]


def test_nothing_acknowledged_is_lost_by_a_crash(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    port = free_port()
    # A worker lost in the crash must not hold its task for an hour.
    taskdefs = [
        {"name": n, "retryCount": 5, "retryDelaySeconds": 0, "responseTimeoutSeconds": 2, "timeoutSeconds": 0, "ownerEmail": "crash@example.com"} for n in TASKS
    ]
    server: Served = launch(tmp_path, port)
    client = Client(port)
    client.call("POST", "/metadata/taskdefs", taskdefs)
    client.call("PUT", "/metadata/workflow", definitions())
    acknowledged: list[str] = []
    reported: set[str] = set()
    for number in range(ROUNDS):
        load = Load(port, rng)
        load.start(starters=3, workers=5)
        time.sleep(rng.uniform(0.2, 1.5))
        server.kill()
        load.end()
        acknowledged += load.started
        reported |= set(load.completed)
        began = time.monotonic()
        server = launch(tmp_path, port)
        took = time.monotonic() - began
        client = Client(port)
        finishing = Load(port, rng)
        finishing.start(starters=0, workers=6)
        end = time.monotonic() + END_S
        running = still_running(client, acknowledged)
        while running and time.monotonic() < end:
            time.sleep(0.1)
            running = still_running(client, running)
        finishing.end()
        reported |= set(finishing.completed)
        assert not running, f"round {number}: {len(running)} of {len(acknowledged)} never ended, e.g. {client.call('GET', f'/workflow/{running[0]}')}"
        print(f"round {number}: {len(load.started)} started before the crash, answering {took:.2f} s after it")
        _check(client, acknowledged, reported)
        acknowledged, reported = [], set()
    server.process.terminate()
    assert server.process.wait(15) == 0


def _check(client: Client, ids: list[str], reported: set[str]) -> None:
    seen: set[str] = set()
    for execution_id in ids:
        execution = client.call("GET", f"/workflow/{execution_id}")
        assert execution is not None, f"{execution_id} was acknowledged and is gone"
        assert execution["status"] == "COMPLETED", execution
        attempts = Counter((t["referenceTaskName"], t["retryCount"]) for t in execution["tasks"])
        assert max(attempts.values()) == 1, f"{execution_id} has an attempt twice: {attempts}"
        ends = Counter(t["referenceTaskName"] for t in execution["tasks"] if t["status"] == "COMPLETED")
        assert max(ends.values()) == 1, f"{execution_id} has a task that completed twice: {ends}"
        for task in execution["tasks"]:
            seen.add(task["taskId"])
            if task["taskId"] in reported:
                assert task["status"] in ("COMPLETED", "TIMED_OUT"), f"{task['taskId']} was reported and acknowledged, and is {task['status']}"


def all_of(client: Client, name: str) -> list[dict[str, Any]]:
    """Every execution of a workflow, whole."""
    found: list[dict[str, Any]] = []
    while page := client.call("GET", f"/workflow/search-v2?query=workflowType%3D{name}&sort=startTime:ASC&size=500&start={len(found)}")["results"]:
        found += page
    return found


class Wishes:
    """Starts and secrets that were answered, from connections that know no pause."""

    def __init__(self, port: int, round: int) -> None:
        self.started: list[str] = []
        self.secrets: dict[str, str] = {}
        self._port, self._round, self._stop = port, round, threading.Event()
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._start, self._start, self._store)]
        for thread in self._threads:
            thread.start()

    def _start(self) -> None:
        client = Client(self._port)
        while not self._stop.is_set():
            if started := client.call("POST", "/workflow/teller", {}):
                self.started.append(started)

    def _store(self) -> None:
        client = Client(self._port)
        for number in itertools.count():
            if self._stop.is_set():
                return
            name, value = f"S{number % 20}", f"value-{self._round}-{number}-of-a-secret"
            self.secrets.pop(name, None)  # the old one or the new one, until it is answered
            if client.call("PUT", f"/secrets/{name}", value) is not None:
                self.secrets[name] = value

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)


def test_what_events_and_ticks_set_going_is_there_once_and_secrets_are_whole(tmp_path: Path) -> None:
    rng, port = random.Random(SEED), free_port()
    readable = {"BATUTA_SECRETS_READABLE": "true"}
    server = launch(tmp_path, port, environment=readable)
    client = Client(port)
    common = {"version": 1, "schemaVersion": 2, "ownerEmail": "crash@example.com", "timeoutSeconds": 0}
    noop, tell = {**simple("noop"), "type": "NOOP"}, {**simple("tell"), "type": "EVENT", "sink": "conductor:news"}
    named = (("teller", [tell, noop]), ("heard", [noop]), ("ticked", [noop]))
    client.call("PUT", "/metadata/workflow", [{**common, "name": name, "tasks": tasks} for name, tasks in named])
    heard = {"action": "start_workflow", "start_workflow": {"name": "heard", "correlationId": "${workflowInstanceId}"}}
    client.call("POST", "/event", {"name": "h", "event": "conductor:teller:news", "active": True, "actions": [heard]})
    ticks = {"name": "t", "cronExpression": "* * * * * *", "runCatchupScheduleInstances": True, "startWorkflowRequest": {"name": "ticked"}}
    client.call("POST", "/scheduler/schedules", ticks)
    acknowledged, stored = set[str](), 0
    for number in range(ROUNDS):
        wishes = Wishes(port, number)
        time.sleep(rng.uniform(0.3, 1.5))
        server.kill()
        wishes.end()
        acknowledged |= set(wishes.started)
        stored += len(wishes.secrets)
        server = launch(tmp_path, port, environment=readable)
        client = Client(port)
        for name, value in wishes.secrets.items():
            found = client.call("GET", f"/secrets/{name}")
            assert found == value, f"round {number}: {value!r} was answered, and secret {name} is {found!r}"
    client.call("PUT", "/scheduler/schedules/t/pause")
    until(lambda: client.call("GET", "/event/outgoing")["totalHits"] == 0 and all(x["status"] != "RUNNING" for x in all_of(client, "teller")), within_s=END_S)
    tellers = {x["workflowId"]: x["status"] for x in all_of(client, "teller")}
    assert acknowledged <= tellers.keys() and set(tellers.values()) == {"COMPLETED"}
    until(lambda: len(all_of(client, "heard")) >= len(tellers), within_s=END_S)
    counted = Counter(x["correlationId"] for x in all_of(client, "heard"))
    assert counted == dict.fromkeys(tellers, 1)
    at = sorted(x["input"]["_scheduledTime"] for x in all_of(client, "ticked"))
    assert at == list(range(at[0], at[-1] + 1_000, 1_000)), "each second once, also those without a server"
    print(f"{len(tellers)} told, {len(at)} ticks, {stored} secrets")
    server.process.terminate()
    assert server.process.wait(15) == 0


def test_messages_that_were_answered_are_taken_once_and_in_order_after_a_crash(tmp_path: Path) -> None:
    """Pushed while a loop takes them, and while nobody does; the server dies in the middle of both."""
    port = free_port()
    pull = {**simple("pull"), "type": "PULL_WORKFLOW_MESSAGES", "inputParameters": {"batchSize": 3}}
    loop = {**simple("l"), "type": "DO_WHILE", "loopCondition": "true", "loopOver": [pull]}
    common = {"version": 1, "schemaVersion": 2, "ownerEmail": "crash@example.com", "timeoutSeconds": 0}
    gate = {**simple("w"), "type": "WAIT"}
    server = launch(tmp_path, port, "--inbox-max", "100000")
    client = Client(port)
    client.call("PUT", "/metadata/workflow", [{**common, "name": "taken", "tasks": [loop]}, {**common, "name": "kept", "tasks": [gate, loop]}])
    ids = [client.call("POST", f"/workflow/{name}", {}) for name in ("taken", "kept")]
    answered: dict[str, list[int]] = {one: [] for one in ids}
    sent = 0
    for _ in range(2):
        killer = threading.Timer(0.4, server.kill)
        killer.start()
        cut = False
        while not cut:
            for one in ids:
                sent += 1
                if client.call("POST", f"/workflow/{one}/messages", {"n": sent}) is None:
                    cut = True
                    break
                answered[one].append(sent)
        killer.join()
        server = launch(tmp_path, port, "--inbox-max", "100000")
        client = Client(port)
    client.call("POST", f"/tasks/{ids[1]}/w/COMPLETED", {})
    for one in ids:
        client.call("POST", f"/workflow/{one}/messages", {"n": 0})  # the last one
        tasks = client.call("GET", f"/workflow/{one}")["tasks"]
        taken = [message["payload"]["n"] for task in tasks for message in task["outputData"].get("messages", ())]
        assert taken[-1] == 0 and taken[:-1] == sorted(set(taken[:-1])), "each once, in their order"
        lost = set(answered[one]) - set(taken)
        assert not lost, f"{len(lost)} of {len(answered[one])} answered messages are lost"
    print(f"{sent} messages pushed, {sum(map(len, answered.values()))} answered")
    server.process.terminate()
    assert server.process.wait(15) == 0
