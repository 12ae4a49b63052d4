"""
A server full of executions as they are in life: running, failed, waiting, retried, forked, looped, with children, and one of ten thousand tasks.

The browser tests and the pictures of the documentation are made of it; `python tests/console/scenes.py http://127.0.0.1:8080/api` fills any server.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from batuta.client import SyncClient, Task, TaskResult

Json = dict[str, Any]
ESCAPES = [
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "javascript:alert(1)", '"><svg/onload=alert(1)>', "{{7*7}}", "\u202ertl\u202c",
    "a\u0000b",
]  # fmt: skip


def simple(ref: str, name: str = "", **more: Any) -> Json:
    return {"name": name or ref, "taskReferenceName": ref, "type": "SIMPLE", **more}


def definition(name: str, *tasks: Json, **more: Any) -> Json:
    return {"name": name, "version": 1, "tasks": list(tasks), "ownerEmail": "console@example.com", **more}


def node(kind: str, ref: str, **more: Any) -> Json:
    return {"name": ref, "taskReferenceName": ref, "type": kind, **more}


def dynamic_fork(name: str, joined: str = "join") -> Json:
    fork = node(
        "FORK_JOIN_DYNAMIC", "fan_out", dynamicForkTasksParam="tasks", dynamicForkTasksInputParamName="inputs",
        inputParameters={"tasks": "${workflow.input.tasks}", "inputs": "${workflow.input.inputs}"},
    )  # fmt: skip
    return definition(name, fork, node("JOIN", joined), simple("publish"))


PIPELINE = definition(
    "firmware-ci-cd-pipeline",
    simple("validate_commit", inputParameters={"commit": "${workflow.input.commit}"}),
    simple("clean_build_env"),
    simple("platformio_compile", inputParameters={"environment": "${workflow.input.environment}", "flags": ["-Wall", "-Os"]}),
    node(
        "SWITCH", "warnings", evaluatorType="value-param", expression="found", inputParameters={"found": "${platformio_compile.output.warnings}"},
        decisionCases={"0": [simple("sign"), simple("flash_canary")]},
        defaultCase=[node("TERMINATE", "reject", inputParameters={"terminationStatus": "FAILED"})],
    ),
    outputParameters={"artifact": "${platformio_compile.output.artifact}"},
)  # fmt: skip
LOOP = definition(
    "poll-until-healthy",
    node(
        "DO_WHILE", "probe_loop", loopCondition="if ($.probe.healthy == true || $.probe_loop.iteration >= 4) { false; } else { true; }",
        loopOver=[simple("probe")],
    ),
)  # fmt: skip
FORKED = definition(
    "build-matrix",
    node("FORK_JOIN", "matrix", forkTasks=[[simple(f"build_{board}"), simple(f"test_{board}")] for board in ("esp32", "esp32s3", "esp32c3")]),
    node("JOIN", "matrix_done", joinOn=["test_esp32", "test_esp32s3", "test_esp32c3"]),
    simple("report"),
)
CHILD = definition("notify-customer", simple("render_mail"), simple("send_mail"))
PARENT = definition(
    "order-fulfilment",
    simple("reserve_stock"),
    {**node("SUB_WORKFLOW", "tell_customer"), "subWorkflowParam": {"name": "notify-customer", "version": 1}},
    simple("ship"),
)
WAITING = definition("approve-release", simple("prepare"), node("HUMAN", "approval"), simple("announce"))
TIMED = definition("cool-down", node("WAIT", "pause_between", inputParameters={"duration": "2 hours"}), simple("go_on"))
ODD = definition("odd-texts", simple("echo", inputParameters={"texts": "${workflow.input.texts}"}))
DEFINITIONS = (PIPELINE, LOOP, FORKED, CHILD, PARENT, WAITING, TIMED, ODD, dynamic_fork("thumbnail-batch"))
RETRIED = ("platformio_compile", "probe", "flash_canary")


class Scenes:
    """Fills one server, playing its workers."""

    def __init__(self, client: SyncClient) -> None:
        self.client = client
        self.ids: dict[str, str] = {}

    def fill(self, *, many: int = 40, large: int = 0) -> dict[str, str]:
        """All scenes; the id of each by its name. *many*: how many ordinary executions stand around them; *large*: tasks of a very large one."""
        client = self.client
        client.register_task_defs([{"name": name, "retryCount": 1, "retryDelaySeconds": 0, "ownerEmail": "console@example.com"} for name in RETRIED])
        for one in DEFINITIONS:
            client.register_workflow(one, overwrite=True)
        self._ordinary(many)
        for name, scene in self._scenes().items():
            self.ids[name] = scene()
        if large:
            self.ids["large"] = self.large(large)
        return self.ids

    def _scenes(self) -> dict[str, Callable[[], str]]:
        return {
            "completed": self.completed,
            "failed": self.failed,
            "failed_to_retry": self.failed,
            "looped": self.looped,
            "forked": self.forked,
            "parent": self.parent,
            "human": self.human,
            "timed": self.timed,
            "odd": self.odd,
            "paused": self.paused,
            "terminated": self.terminated,
            "running": self.running,
            "fanned": lambda: self.fanned(60),
        }

    # -- playing workers ----------------------------------------------------------------------------------------------------------

    def do(self, name: str, output: Json | None = None, *, status: Any = "COMPLETED", reason: str | None = None, worker: str = "build-1") -> None:
        """Take the next task of this type and report it."""
        task = self.take(name, worker)
        self.client.update_task(
            TaskResult(status=status, output=output or {}, reason=reason, task_id=task.id, execution_id=task.execution_id, worker_id=worker)
        )

    def take(self, name: str, worker: str = "build-1") -> Task:
        """The next task of this type, handed out."""
        found = self.client.poll_tasks(name, count=1, worker_id=worker, timeout_s=2.0)
        assert found, f"no task of type {name!r} came"
        return found[0]

    def start(self, name: str, given: Json | None = None, **more: Any) -> str:
        return self.client.start_workflow(name, given or {}, **more)

    # -- scenes -------------------------------------------------------------------------------------------------------------------

    def _ordinary(self, many: int) -> None:
        for n in range(many):
            self.start("notify-customer", {"customer": f"customer-{n:03d}", "total": n * 1.5}, correlation_id=f"order-{n:04d}")
        for n in range(many * 9 // 10):
            self.do("render_mail", {"subject": f"Your order {n}", "html": "<b>shown as text</b>"}, worker=f"mail-{n % 3}")
            if n % 10 == 7:
                self.do("send_mail", status="FAILED_WITH_TERMINAL_ERROR", reason=f"550 mailbox of customer-{n:03d} is full", worker="mail-1")
            else:
                self.do("send_mail", {"messageId": f"m-{n}"}, worker=f"mail-{n % 3}")

    def completed(self) -> str:
        started = self.start("firmware-ci-cd-pipeline", {"commit": "737e3d8", "environment": "esp32dev"}, correlation_id="737e3d8")
        for name in ("validate_commit", "clean_build_env"):
            self.do(name, {"ok": True})
        self.do("platformio_compile", {"warnings": 0, "artifact": {"sha256": "9f86d081884c7d65", "bytes": 912_384, "slots": ["ota_0", "ota_1"]}})
        self.do("sign", {"key": "release-2026"})
        self.do("flash_canary", {"device": "node-17", "seconds": 41})
        return started

    def failed(self) -> str:
        given = {"commit": "d00dfee", "environment": "esp32s3", "nested": {"list": list(range(30))}}
        started = self.start("firmware-ci-cd-pipeline", given, correlation_id="d00dfee")
        for name in ("validate_commit", "clean_build_env"):
            self.do(name, {"ok": True})
        said = "led.cpp:41: warning: unused variable 'brightness' [-Wunused-variable]; 1 warning, 0 allowed"
        task = self.take("platformio_compile")
        for line in ("Compiling .pio/build/esp32s3/src/led.cpp.o", said, "*** [firmware.elf] Error 1"):
            self.client.add_task_log(task.id, line)
        self.client.update_task(TaskResult(status="FAILED", reason=said, output={"warnings": 1}, task_id=task.id, execution_id=started, worker_id="build-1"))
        self.do("platformio_compile", {"warnings": 1, "log": [f"line {n}" for n in range(200)]}, status="FAILED", reason=said, worker="build-2")
        return started

    def looped(self) -> str:
        started = self.start("poll-until-healthy")
        for n in range(3):
            self.do("probe", {"healthy": n == 2, "rssi": -60 - n})
        return started

    def forked(self) -> str:
        started = self.start("build-matrix")
        for board in ("esp32", "esp32s3"):
            self.do(f"build_{board}", {"bytes": 900_000})
        self.do("test_esp32", {"passed": 41})
        return started

    def parent(self) -> str:
        started = self.start("order-fulfilment", {"order": 4711}, correlation_id="order-4711")
        self.do("reserve_stock", {"reserved": True})
        return started

    def human(self) -> str:
        started = self.start("approve-release", {"version": "2.4.0"})
        self.do("prepare")
        return started

    def timed(self) -> str:
        return self.start("cool-down")

    def odd(self) -> str:
        started = self.start("odd-texts", {"texts": ESCAPES, "<b>key</b>": ESCAPES[0]}, correlation_id=ESCAPES[1])
        self.do("echo", {"said": ESCAPES}, status="FAILED_WITH_TERMINAL_ERROR", reason=" ".join(ESCAPES[:4]))
        return started

    def paused(self) -> str:
        started = self.start("approve-release", {"version": "2.5.0"})
        self.client.request("PUT", f"/workflow/{started}/pause")
        return started

    def terminated(self) -> str:
        started = self.start("approve-release", {"version": "2.3.9"})
        self.client.request("POST", f"/workflow/{started}/terminate", query={"reason": "superseded by 2.4.0"})
        return started

    def running(self) -> str:
        started = self.start("firmware-ci-cd-pipeline", {"commit": "abc1234", "environment": "esp32c3"}, correlation_id="abc1234")
        self.do("validate_commit", {"ok": True})
        self.take("clean_build_env")
        return started

    def fanned(self, branches: int, done: int = 40, name: str = "make_thumbnail") -> str:
        """A dynamic fork of so many branches, some done and one failed."""
        tasks = [simple(f"thumb_{n}", name) for n in range(branches)]
        started = self.start("thumbnail-batch", {"tasks": tasks, "inputs": {f"thumb_{n}": {"page": n} for n in range(branches)}})
        for n in range(done):
            self.do(name, {"bytes": 1000 + n}, worker=f"media-{n % 4}")
        return started

    def large(self, tasks: int) -> str:
        """An execution of so many tasks, in dynamic forks of a thousand, nearly all done by nobody: they are NOOPs."""
        fork = [node("NOOP", f"step_{n}") for n in range(tasks - 3)]
        return self.start("thumbnail-batch", {"tasks": fork, "inputs": {}})


if __name__ == "__main__":
    with SyncClient(sys.argv[1]) as there:
        for scene, execution_id in Scenes(there).fill(large=int(sys.argv[2]) if len(sys.argv) > 2 else 0).items():
            print(scene, execution_id)
