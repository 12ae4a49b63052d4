"""
The demo: three commits go through the firmware pipeline of a running server, onto a device twin, before one's eyes.

Here: the order of things, the summary and the exit code. source.py makes the commits, stage.py the twin and the workers, stories.py says
what must come out, trace.py follows an execution, view.py shows it. Not here: the server; start one first and give its URL.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from batuta.client import ClientError, SyncClient
from batuta_firmware import definitions
from batuta_firmware.demo.source import NAME, subject
from batuta_firmware.demo.stage import Stage, set_up
from batuta_firmware.demo.stories import STORIES, Story, Unmet
from batuta_firmware.demo.trace import OPEN, Trace
from batuta_firmware.demo.view import View, view_for
from batuta_firmware.errors import FirmwareError

ENVIRONMENT = "esp32-s3-devkitc-1"
WORKER_LOG = "batuta.client.worker"
LOOK_S = 0.15
STORY_S_MAX = 240.0


@dataclass(frozen=True, slots=True)
class Outcome:
    story: str
    commit: str
    seconds: float
    execution_id: str
    said: str


def run(url: str, *, data_dir: Path | str, plain: bool = False, stay: bool | None = None, stream: TextIO | None = None) -> int:
    """
    Play the three stories against the server whose API is at *url*, and return the exit code: 0, or 1 when a step went wrong.

    Everything is kept under *data_dir*/firmware-demo, which is emptied first. On a terminal the progress is live, unless *plain*.
    With *stay* (by default on a terminal) the twin and the workers stay up afterwards, until Ctrl-C.
    """
    stream = stream or sys.stdout
    view = view_for(stream, plain=plain)
    with _quiet(WORKER_LOG):
        return _run(url, Path(data_dir), view, stream.isatty() if stay is None else stay)


def _run(url: str, data_dir: Path, view: View, stay: bool) -> int:
    step = "preparing"
    try:
        folder = data_dir.absolute() / "firmware-demo"
        shutil.rmtree(folder, ignore_errors=True)
        view.headline("Preparing a repository, a device twin and the workers")
        stage = set_up(url, folder)
        client = SyncClient(url)
        step = "registering the definitions"
        definitions.register(client, definitions.load())
        with stage:
            view.line(f"  repository {stage.commits.folder}, device twin {stage.twin.url}")
            outcomes = []
            for story in STORIES:
                step = story.title
                outcomes.append(_play(story, stage, client, view))
            _summary(view, outcomes)
            if stay:
                _stay(view, outcomes, stage, url)
        return 0
    except Unmet as unmet:
        view.line(f"\nThe demo failed. {step}: step {unmet.step}: {unmet}")
    except (FirmwareError, ClientError, TimeoutError, OSError) as error:
        view.line(f"\nThe demo failed. {step}: {error.reason if isinstance(error, FirmwareError) else error}")
    except KeyboardInterrupt:
        view.line(f"\nStopped by Ctrl-C at: {step}")
    return 1


def _play(story: Story, stage: Stage, client: SyncClient, view: View) -> Outcome:
    commit = story.commit(stage)
    view.headline(f"{story.title}: {commit[:12]} {subject(stage.commits, commit)!r}")
    began = time.monotonic()
    execution_id = client.start_workflow(
        "firmware-ci-cd-pipeline",
        {"repo": NAME, "branch": "main", "commit_sha": commit, "environment": ENVIRONMENT, **stage.device},
        correlation_id=f"{NAME}@{commit}",
    )
    trace = Trace(client, execution_id)
    while not trace.has_ended():
        view.show(trace.rows())
        if time.monotonic() - began > STORY_S_MAX:
            busy = [row.label for row in trace.rows() if row.status in OPEN]
            raise Unmet(busy[-1] if busy else "pipeline", f"did not end within {STORY_S_MAX:g} s")
        time.sleep(LOOK_S)
    view.show(trace.rows())
    view.settle()
    said = story.check(stage, trace)
    view.line(f"  {said}")
    return Outcome(story.title, commit, time.monotonic() - began, execution_id, said)


def _summary(view: View, outcomes: list[Outcome]) -> None:
    view.headline("Summary")
    for outcome in outcomes:
        view.line(f"  ok  {outcome.seconds:5.1f} s  {outcome.commit[:12]}  {outcome.story}")


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """No warnings of logger *name* meanwhile: the failures of the stories are meant, and a log line would tear the live view."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _stay(view: View, outcomes: list[Outcome], stage: Stage, url: str) -> None:
    view.line("")
    for outcome in outcomes:
        view.line(f"  execution      {url.removesuffix('/api')}/execution/{outcome.execution_id}")
    view.line(f"  device         {stage.twin.url}/api/device/info")
    view.line(f"  artifacts      {stage.settings.storage / 'artifacts'}")
    view.line(f"  notifications  {stage.settings.storage / 'notifications.jsonl'}")
    view.line("\nThe device twin and the workers stay up: start further workflows, or press Ctrl-C to end.")
    try:
        _until_interrupted()
    except KeyboardInterrupt:
        view.line("")


def _until_interrupted() -> None:
    threading.Event().wait()
