"""
What can be done with flows and their runs, over one orchestrator: start, look, cancel, retry, run again from a node.

Blocking, safe for several threads. Not here: HTTP (api/), what the tasks do (workers/).
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

from batuta.client import TERMINAL_STATUSES, BadRequest, ClientError, Conflict, Denied, Execution, NotFound, ServerFault, SyncClient
from batuta_flows.compiler import LOST_AFTER_S, Compiled, compile_flow
from batuta_flows.document import graph
from batuta_flows.document.check import Problem, problems
from batuta_flows.document.flow import Flow, write_flow
from batuta_flows.errors import FlowError, Refused
from batuta_flows.runs.estimate import Estimate, estimate
from batuta_flows.runs.history import History, Start
from batuta_flows.runs.items import item_executions
from batuta_flows.runs.view import Run, run_of
from batuta_flows.workers.run import Runner

Json = Any
Scope = Literal["all", "node", "upto", "from"]
log = logging.getLogger("batuta.flows")
ITEMS_KEPT: Final = 2_000
START_MS: Final = 5_000  # a start is over by then, or its backend was lost
FORGET_START_MS: Final = 10 * 60_000  # an orchestrator that has not got it by then will not


class UnknownRun(FlowError):
    """There is no run with this id."""

    code = "unknown_run"


class NotNow(FlowError):
    """The state of the run does not allow this."""

    code = "not_now"


class Service:
    """Flows and runs, for as many callers as there are."""

    def __init__(
        self,
        client: SyncClient,
        history: History,
        runner: Runner,
        *,
        configured: frozenset[str],
        lost_after_s: int = LOST_AFTER_S,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._client, self._history, self._runner, self._configured, self._now_ms = client, history, runner, configured, now_ms
        self._lost_after_s = lost_after_s
        self._registered: set[str] = set()  # names of definitions this process has seen registered
        self._items: dict[str, Execution] = {}  # items of streams that have completed, oldest first
        self._elsewhere: set[str] = set()  # runs of the same history at another orchestrator

    # -- starting -------------------------------------------------------------------------------------------------------------------

    def check(self, flow: Flow) -> list[Problem]:
        """Every problem of a flow with the providers configured here."""
        return problems(flow, self._configured, datetime.fromtimestamp(self._now_ms() / 1000, UTC).date())

    def start(self, flow: Flow, *, scope: Scope = "all", node: str = "", flow_id: str = "") -> str:
        """
        Start a flow, or a part of it; the id of the run. Outputs of nodes outside the part come from the newest runs of the same flow.

        Raises:
            Refused: the flow has problems; nothing was started.
        """
        if found := [problem for problem in self.check(flow) if problem.severity == "error"]:
            raise Refused(list(found))
        only = part(flow, scope, node)
        flow_id = flow_id or str(flow.extra.get("id") or "")
        compiled = compile_flow(flow, only=only, known=self._known(flow_id, flow, only) if only is not None else None, lost_after_s=self._lost_after_s)
        self._register(compiled)
        return self._begin(compiled, flow, flow_id, flow.name or "Untitled Workflow")

    def _begin(self, compiled: Compiled, flow: Flow, flow_id: str, name: str) -> str:
        """
        Start the run and write it down, in an order in which none is forgotten: a start whose answer nobody lived to hear is found by the next sweep.

        Raises:
            ClientError: the orchestrator did not start it, or cannot be asked whether it did.
        """
        start = Start(secrets.token_hex(16), compiled.name, flow_id, name, len(compiled.refs), write_flow(flow), self._now_ms())
        self._history.starting(start)
        try:
            run_id = self._client.start_workflow(compiled.name, compiled.input, version=1, correlation_id=start.token)
        except (BadRequest, Denied, NotFound, Conflict):
            self._history.not_begun(start.token)
            raise
        self._history.begun(run_id, start.token)
        return run_id

    def estimate(self, flow: Flow) -> Estimate:
        """What one run of this flow costs, about."""
        return estimate(flow, self._configured)

    def _register(self, compiled: Compiled) -> None:
        if compiled.name in self._registered:
            return
        self._client.register_task_defs(compiled.task_definitions)
        for definition in (*compiled.items, compiled.definition):
            with contextlib.suppress(Conflict):  # the name is the hash of what is in it: whoever was first registered the same
                self._client.register_workflow(definition)
        self._registered.add(compiled.name)

    def _known(self, flow_id: str, flow: Flow, only: Collection[str]) -> dict[str, Json]:
        """The newest outputs of the nodes that are not part of this run."""
        found: dict[str, Json] = {}
        for kept in self._history.latest_of(flow_id) if flow_id else ():
            for result in kept.results if kept.ended_at else self._results_so_far(kept.run_id):
                id = result["nodeId"]
                if result["success"] and id not in found and id not in only and flow.node(id) is not None:
                    found[id] = result["data"]["output"]
        return found

    def _results_so_far(self, run_id: str) -> list[dict[str, Json]]:
        """Of a run that has not ended, or of whose end nobody has written yet."""
        try:
            return self.run(run_id).results
        except UnknownRun:
            return []

    # -- looking --------------------------------------------------------------------------------------------------------------------

    def run(self, run_id: str) -> Run:
        """
        The run as it stands.

        Raises:
            UnknownRun: the orchestrator has none of this id.
            ClientError: the orchestrator cannot be asked.
        """
        return self._run_of(self._execution(run_id))

    def _execution(self, run_id: str) -> Execution:
        try:
            return self._client.get_workflow(run_id)
        except NotFound:
            raise UnknownRun("Workflow execution not found") from None

    def _run_of(self, execution: Execution) -> Run:
        """The run, with its streams' items: executions of their own, which are kept here once they have completed, for then they never change."""
        found = {}
        for id in item_executions(execution):
            if (item := self._items.get(id)) is None:
                try:
                    item = self._client.get_workflow(id)
                except NotFound:
                    continue  # removed, or not written yet
                if item.status == "COMPLETED":
                    self._items[id] = item
                    while len(self._items) > ITEMS_KEPT:
                        self._items.pop(next(iter(self._items)), None)
            found[id] = item
        return run_of(execution, found)

    def sweep(self) -> list[str]:
        """
        Write down the runs that have ended since, and tell providers of jobs that nobody wants any more; ids of the runs that ended.

        Raises:
            ClientError: the orchestrator cannot be asked.
        """
        self._find_started()
        over = []
        for run_id in self._history.open_runs():
            looked_at = self._now_ms()
            if run_id not in self._elsewhere and self._is_over(run_id, looked_at):
                self._runner.cancel_run(run_id)
                over.append(run_id)
        for run_id in self._runner.runs_at_providers():  # those of a process that was lost between the two, or of a request that was on its way meanwhile
            kept = self._history.find(run_id)
            if kept is not None and kept.ended_at:
                self._runner.cancel_run(run_id)
        return over

    def _is_over(self, run_id: str, looked_at: int) -> bool:
        """Whether a run has ended, or is gone; it is written down then."""
        try:
            if self._client.get_workflow(run_id, include_tasks=False).status not in TERMINAL_STATUSES:
                return False
            found = self.run(run_id)  # somebody may have retried it meanwhile
            return found.is_over and self._history.seen(found, looked_at)
        except (NotFound, UnknownRun):
            is_lost = self._history.lost(run_id, looked_at)
            if not is_lost:
                self._elsewhere.add(run_id)
            return is_lost

    def _find_started(self) -> None:
        """Runs whose start nobody lived to hear of."""
        now = self._now_ms()
        for token, definition, at in self._history.open_starts(now - START_MS):
            found = self._client.correlated(definition, token)
            for execution in found:
                self._history.begun(execution.id, token)
            if not found and at < now - FORGET_START_MS:
                self._history.not_begun(token)

    # -- acting ---------------------------------------------------------------------------------------------------------------------

    def cancel(self, run_id: str, reason: str = "") -> None:
        """End a run; its jobs at providers are cancelled too. Raises UnknownRun, or NotNow when it has completed."""
        self._act(run_id, lambda: self._client.terminate(run_id, reason or "cancelled in the Flow Builder"))
        self._look_again(run_id)  # before the jobs: one that is being sent meanwhile finds that the run is over, or the next sweep does
        self._runner.cancel_run(run_id)

    def retry(self, run_id: str) -> None:
        """
        Try what failed again, and only that; requests that may have been sent when their worker was lost are sent again.

        Raises:
            UnknownRun: there is no such run.
            NotNow: nothing has failed, it is under way, or the orchestrator cannot.
        """
        found = self.run(run_id)
        if found.status not in ("failed", "cancelled"):
            raise NotNow(f"the run is {found.status}; only one that has failed or was cancelled can be retried")
        self._history.reopened(run_id, self._now_ms())
        self._runner.clear_doubts(run_id)
        try:
            self._act(run_id, lambda: self._client.retry(run_id))
        except ServerFault as error:  # Conductor 3.32 cannot go on within a loop
            raise NotNow(f"the orchestrator cannot go on with this run ({error.message}); run the flow again: what was made is remembered") from error
        finally:
            self._look_again(run_id)

    def rerun(self, run_id: str, from_node: str) -> str:
        """
        Run the flow of this run again from a node on, with the outputs its earlier nodes had in it; the new run's id.

        Raises:
            UnknownRun: there is no such run, or it is no flow.
            Refused: the node is not part of the flow, or an earlier one has no output.
        """
        before = self.run(run_id)
        if before.flow is None:
            raise UnknownRun(f"run {run_id} is no flow; there is nothing to start again")
        only = part(before.flow, "from", from_node)
        known = {result["nodeId"]: result["data"]["output"] for result in before.results if result["success"]}
        compiled = compile_flow(before.flow, only=only, known=known, lost_after_s=self._lost_after_s)
        self._register(compiled)
        kept = self._history.find(run_id)
        return self._begin(compiled, before.flow, kept.flow_id if kept is not None else "", before.name)

    def _act(self, run_id: str, act: Callable[[], object]) -> None:
        try:
            act()
        except NotFound as error:
            if "still running" in error.message:
                raise NotNow(error.message) from None
            raise UnknownRun("Workflow execution not found") from None
        except Conflict as error:
            raise NotNow(error.message) from None

    def _look_again(self, run_id: str) -> None:
        looked_at = self._now_ms()
        try:
            self._history.seen(self.run(run_id), looked_at)
        except (UnknownRun, ClientError) as error:
            log.warning("run %s could not be looked at: %s", run_id, error)  # the next sweep will


def part(flow: Flow, scope: Scope, node: str) -> set[str] | None:
    """
    The nodes that a scope means; None: all of them.

    Raises:
        Refused: the flow has no such node.
    """
    if scope == "all":
        return None
    if flow.node(node) is None:
        raise Refused([Problem(node, "", "unknown_node", f"{node!r} is no node of this flow")])
    needed: Mapping[str, list[str]] = graph.needs(flow)
    if scope == "node":
        return {node}
    return graph.closure(needed if scope == "upto" else graph.turned(needed), node)
