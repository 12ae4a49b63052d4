"""What the tests of the command line share: running it, and definitions to run it on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from batuta.cli.main import batuta
from batuta.client import task_def, workflow

NOBODY = "http://127.0.0.1:1/api"  # a port nobody listens on


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Batuta:
    """`batuta` in this process, speaking to one server; an exception that is no way to end is raised here."""

    def __init__(self, url: str = NOBODY) -> None:
        self.url = url

    def __call__(self, *arguments: str, stdin: str | None = None, env: dict[str, str] | None = None) -> Ran:
        result = CliRunner().invoke(batuta, list(arguments), input=stdin, env={"BATUTA_URL": self.url, **(env or {})}, prog_name="batuta")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)


class Program:
    """`batuta` as a process of its own; ended, if need be, with its block."""

    def __init__(self, *arguments: str, cwd: Path, env: dict[str, str] | None = None) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
        command = [sys.executable, "-m", "batuta", *arguments]
        self.process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self._watchdog = threading.Timer(60, self.process.kill)

    def __enter__(self) -> Program:
        self._watchdog.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._watchdog.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def line(self) -> str:
        """The next line it prints; empty when it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def until(self, text: str) -> str:
        """Everything it prints up to a line that holds *text*."""
        seen = ""
        while line := self.line():
            seen += line
            if text in line:
                return seen
        raise AssertionError(f"{text!r} was not printed; found {seen!r}, and on standard error: {self.process.communicate()[1]!r}")

    def ended(self, timeout_s: float = 30) -> Ran:
        """How it ended, with what it had not said before."""
        out, err = self.process.communicate(timeout=timeout_s)
        return Ran(self.process.returncode, out, err)


def order() -> dict[str, Any]:
    """Pay, then pack and label side by side, then an approval by hand."""
    flow = workflow("order", input=["id"], description="An order.")
    flow.task("pay", id=flow.input.id)
    fork = flow.fork("prepare")
    with fork.branch():
        flow.task("pack")
    with fork.branch():
        flow.task("label")
    flow.human("approval")
    return flow.to_dict()


def single(name: str = "single", task: str = "step") -> dict[str, Any]:
    """One task."""
    flow = workflow(name)
    flow.task(task)
    return flow.to_dict()


def step_def(**more: Any) -> dict[str, Any]:
    return task_def("step", **{"retries": 0, **more})
