"""
Metrics: what the server counts, and its text form for Prometheus.

Here: counters and histograms, fed where commits become durable (`observe`) and at the edge of the API (`polled`, `answered`). Not here: what is
looked up at the moment of a scrape (scrape.py), what happens too seldom to be counted here (tally.py), the endpoint (api/actuator.py), a worker
process's own numbers (client/metrics.py).

Everything happens on the event loop, so nothing is locked. Labels are bounded: names beyond NAMES_MAX are counted as `other`. Every combination of
labels of a name is there from the first look at the name, at 0: a counter that begins at 1 shows no increase.
Measured over the commits of a three-step workflow (CPython 3.11): 0.9 µs a commit; 0.2 µs a request.
Names: conductor_* are those of our users' guides and rules; the camel-case labels are Conductor OSS's own (conductor-rest-api.md §6.3).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from batuta.core.model.definition import OPERATORS, Definition
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.engine.family import NAMES_MAX, OTHER, Family, Labels, written
from batuta.engine.live import Live
from batuta.store.protocol import Commit, HeadRow, TaskRow

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
WORKFLOW_S: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0)
TASK_S: Final = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)
COMMIT_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
WORKFLOW_ENDS: Final = tuple(sorted(str(status) for status in WorkflowStatus if status.is_terminal))
TASK_ENDS: Final = tuple(sorted(str(status) for status in TaskStatus if status.is_terminal))
UNSUCCESSFUL: Final = tuple(str(status) for status in WorkflowStatus if status.is_terminal and not status.is_successful)

NO_WORD: Final = "responseTimeout"  # what the reason of such a timeout begins with (core/deadlines.py)
_ENDED: Final = frozenset(TASK_ENDS)
_ENDED_WORKFLOWS: Final = frozenset(WORKFLOW_ENDS)


class Durations:
    """A histogram of seconds."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one; what the clock set back counts as no time."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        if seconds > 0:
            self.sum += seconds

    def rows(self, labels: Labels) -> Iterator[tuple[str, Labels, float]]:
        """What a histogram shows under these labels."""
        so_far = 0
        for bound, count in zip((*map(written, self.bounds), "+Inf"), self.counts, strict=True):
            so_far += count
            yield "_bucket", (*labels, ("le", bound)), so_far
        yield "_sum", labels, self.sum
        yield "_count", labels, so_far


class WorkflowSeries:
    """What is counted of the executions of one workflow name."""

    __slots__ = ("ends", "seconds", "started", "tasks")

    def __init__(self) -> None:
        self.started = self.tasks = 0
        self.ends = dict.fromkeys(WORKFLOW_ENDS, 0)
        self.seconds = Durations(WORKFLOW_S)


class TaskSeries:
    """What is counted of the tasks of one type."""

    __slots__ = ("ends", "seconds", "silent", "spent", "waited", "waits")

    def __init__(self) -> None:
        self.ends = dict.fromkeys(TASK_ENDS, 0)
        self.seconds = Durations(TASK_S)
        self.spent = {status: [0, 0.0] for status in TASK_ENDS}  # how many attempts that had begun, and their seconds
        self.waits, self.waited = 0, 0.0  # attempts that were in a queue, and for how many seconds
        self.silent = 0  # timed out for want of a word from their worker


class Metrics:
    """All that one server counts."""

    def __init__(self) -> None:
        self.workflows: dict[str, WorkflowSeries] = {}
        self.tasks: dict[str, TaskSeries] = {}
        self.polls: dict[tuple[str, str], int] = {}  # (task type, domain)
        self.requests: dict[tuple[str, str, int], list[float]] = {}  # (method, path as routes.py writes it, status) -> count, seconds
        self.commit_seconds = Durations(COMMIT_S)
        self._known: set[str] = set()  # definitions whose names are here, by hash

    # -- counting ---------------------------------------------------------------------------------------------------------------

    def observe(self, live: Live, commit: Commit) -> None:
        """A commit is durable. What moved is told from what `live` knows to have been there before."""
        head = commit.head
        if head is None:
            return
        if head.status != live.status:
            self._moved(live, head)
        ended = live.ended
        for row in commit.tasks:
            if row.status not in _ENDED:
                if ended:
                    ended.discard(row.n)
            elif row.n not in ended:
                ended.add(row.n)
                self._task_ended(live, row)

    def _moved(self, live: Live, head: HeadRow) -> None:
        series = self.workflows.get(head.name) or self._workflow(head.name)
        if not live.status:
            series.started += 1
            if head.definition_hash not in self._known:
                self._prepare_tasks(live.x.definition)
        live.status = head.status
        if head.status in _ENDED_WORKFLOWS:
            series.ends[head.status] += 1
            series.seconds.add((head.ended_at - head.created_at) / 1000)
            series.tasks += live.x.head.tasks_made

    def _task_ended(self, live: Live, row: TaskRow) -> None:
        series = self.tasks.get(row.type) or self._task(row.type)
        series.ends[row.status] += 1
        task = live.x.tasks.get(row.n)
        if task is None:
            return
        if task.started_at:
            seconds = (task.ended_at - task.started_at) / 1000
            series.seconds.add(seconds)
            spent = series.spent[row.status]
            spent[0] += 1
            if seconds > 0:
                spent[1] += seconds
            if task.queue:
                series.waits += 1
                series.waited += max(task.started_at - (task.due_at or task.scheduled_at), 0) / 1000
        if row.status == "TIMED_OUT" and (task.reason or "").startswith(NO_WORD):
            series.silent += 1

    def polled(self, task_type: str, domain: str) -> None:
        """A worker asked for tasks."""
        place = (task_type, domain)
        if place not in self.polls and len(self.polls) >= NAMES_MAX:
            place = (OTHER, "")
        self.polls[place] = self.polls.get(place, 0) + 1

    def answered(self, method: str, pattern: str, status: int, seconds: float) -> None:
        """A request was answered. The caller sees to it that these are few: patterns of routes, not paths."""
        cell = self.requests.get((method, pattern, status))
        if cell is None:
            cell = self.requests[method, pattern, status] = [0.0, 0.0]
        cell[0] += 1
        cell[1] += seconds

    # -- names ------------------------------------------------------------------------------------------------------------------

    def prepare(self, workflows: Iterable[str], tasks: Iterable[str]) -> None:
        """Have these names, at 0 where nothing was counted."""
        for name in workflows:
            if name not in self.workflows:
                self._workflow(name)
        for name in tasks:
            if name not in self.tasks:
                self._task(name)

    def _prepare_tasks(self, definition: Definition) -> None:
        if len(self._known) >= 10 * NAMES_MAX:
            self._known.clear()
        self._known.add(definition.hash)
        for node in definition.walk():
            if node.type not in OPERATORS:
                name = node.name if node.type == "SIMPLE" else node.type
                if name not in self.tasks:
                    self._task(name)

    def _workflow(self, name: str) -> WorkflowSeries:
        """The series of this name, made if there is room; else the one of all others."""
        if len(self.workflows) >= NAMES_MAX:
            return self.workflows.setdefault(OTHER, WorkflowSeries())
        return self.workflows.setdefault(name, WorkflowSeries())

    def _task(self, name: str) -> TaskSeries:
        if len(self.tasks) >= NAMES_MAX:
            return self.tasks.setdefault(OTHER, TaskSeries())
        return self.tasks.setdefault(name, TaskSeries())

    # -- showing ----------------------------------------------------------------------------------------------------------------

    def text(self) -> Iterator[str]:
        """What was counted, in Prometheus' text format."""
        workflows, tasks = sorted(self.workflows.items()), sorted(self.tasks.items())
        yield from EXECUTIONS.text(("", (("workflow_name", w), ("status", s)), n) for w, series in workflows for s, n in series.ends.items())
        yield from EXECUTION_SECONDS.text(row for w, series in workflows for row in series.seconds.rows((("workflow_name", w),)))
        yield from TASKS.text(("", (("task_name", t), ("status", s)), n) for t, series in tasks for s, n in series.ends.items())
        yield from TASK_SECONDS.text(row for t, series in tasks for row in series.seconds.rows((("task_name", t),)))
        yield from STARTS.text(("", (("workflowName", w),), series.started) for w, series in workflows)
        yield from FAILURES.text(("", (("workflowName", w), ("status", s)), series.ends[s]) for w, series in workflows for s in UNSUCCESSFUL)
        yield from WORKFLOW_SECONDS.text(row for w, s in workflows for row in _summary((("workflowName", w),), sum(s.seconds.counts), s.seconds.sum))
        yield from WORKFLOW_TASKS.text(row for w, s in workflows for row in _summary((("workflowName", w),), sum(s.ends.values()), s.tasks))
        yield from TASK_SPENT.text(
            row for t, series in tasks for status, (count, seconds) in series.spent.items()
            for row in _summary((("taskType", t), ("includeRetries", "false"), ("status", status)), count, seconds)
        )  # fmt: skip
        yield from QUEUE_WAIT.text(row for t, s in tasks for row in _summary((("taskType", t),), s.waits, s.waited))
        yield from SILENT.text(("", (("taskType", t),), series.silent) for t, series in tasks)
        yield from TIMEOUTS.text(("", (("taskType", t),), series.ends["TIMED_OUT"]) for t, series in tasks)
        yield from QUEUE_POLLS.text(("", (("taskType", f"{d}:{t}" if d else t),), n) for (t, d), n in sorted(self.polls.items()))
        yield from POLLS.text(("", (("taskType", t), ("domain", d or "null")), n) for (t, d), n in sorted(self.polls.items()))
        yield from COMMIT_SECONDS.text(self.commit_seconds.rows(()))
        yield from REQUESTS.text(_requests(self.requests))


def _summary(labels: Labels, count: float, total: float) -> Iterator[tuple[str, Labels, float]]:
    yield "_count", labels, count
    yield "_sum", labels, total


def _requests(requests: dict[tuple[str, str, int], list[float]]) -> Iterator[tuple[str, Labels, float]]:
    for (method, uri, status), (count, seconds) in sorted(requests.items()):
        labels = (("method", method), ("uri", uri), ("status", str(status)))
        yield from _summary(labels, count, seconds)


# fmt: off
EXECUTIONS = Family("conductor_workflow_execution_total", "counter", "Executions that have ended, by how.", ("workflow_name", "status"))
EXECUTION_SECONDS = Family("conductor_workflow_execution_duration_seconds", "histogram", "From start to end of an execution.", ("workflow_name",))
TASKS = Family("conductor_task_execution_total", "counter", "Attempts that have ended, by type and how.", ("task_name", "status"))
TASK_SECONDS = Family("conductor_task_duration_seconds", "histogram", "From hand-out (or begin) to end of an attempt.", ("task_name",))
STARTS = Family("workflow_start_success_total", "counter", "Executions started. Conductor's name.", ("workflowName",))
FAILURES = Family("workflow_failure_total", "counter", "Executions that ended without success. Conductor's name.", ("workflowName", "status"))
WORKFLOW_SECONDS = Family("workflow_execution_seconds", "summary", "From start to end of an execution. Conductor's name.", ("workflowName",))
WORKFLOW_TASKS = Family("tasks_in_workflow", "summary", "Tasks that ended executions had made. Conductor's name.", ("workflowName",))
TASK_SPENT = Family("task_execution_seconds", "summary", "From hand-out (or begin) to end of an attempt, by how it ended. Conductor's name.",
                    ("taskType", "includeRetries", "status"))
QUEUE_WAIT = Family("task_queue_wait_seconds", "summary", "From when an attempt might be handed out until it was; counted when it ends. Conductor's name.",
                    ("taskType",))
SILENT = Family("task_response_timeout_total", "counter", "Attempts that timed out for want of a word from their worker. Conductor's name.", ("taskType",))
TIMEOUTS = Family("task_timeout_total", "counter", "Attempts that timed out, for whatever reason. Conductor's name.", ("taskType",))
QUEUE_POLLS = Family("task_poll_total", "counter", "Polls by workers, by queue: the task type, after a domain and a colon. Conductor's name.", ("taskType",))
POLLS = Family("task_poll_count_total", "counter", "Polls by workers; domain null: none. Conductor's name.", ("taskType", "domain"))
COMMIT_SECONDS = Family("batuta_store_commit_seconds", "histogram", "From handing a commit to the store until it is durable; a sample: one at a time.")
REQUESTS = Family("http_server_requests_seconds", "summary", "Requests to the API with the time until their answer, held polls included.",
                  ("method", "uri", "status"))
# fmt: on
COUNTED = (EXECUTIONS, EXECUTION_SECONDS, TASKS, TASK_SECONDS, STARTS, FAILURES, WORKFLOW_SECONDS, WORKFLOW_TASKS, TASK_SPENT, QUEUE_WAIT, SILENT,
           TIMEOUTS, QUEUE_POLLS, POLLS, COMMIT_SECONDS, REQUESTS)
