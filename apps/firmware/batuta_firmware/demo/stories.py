"""
The three stories of the demo, and what must be true at the end of each.

Here: which commit, and the claims about its outcome. Not here: running and showing it (__init__.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from batuta_firmware.demo.stage import Stage
from batuta_firmware.demo.trace import OPEN, Trace
from batuta_firmware.deployments import DeploymentBook


class Unmet(Exception):
    """A claim of a story does not hold: *step* is where, the message says what was found and what was expected."""

    def __init__(self, step: str, what: str) -> None:
        super().__init__(what)
        self.step = step


@dataclass(frozen=True, slots=True)
class Story:
    title: str
    commit: Callable[[Stage], str]
    check: Callable[[Stage, Trace], str]


def claim(step: str, name: str, found: object, expected: object) -> None:
    """Raise Unmet unless *found* is *expected*."""
    if found != expected:
        raise Unmet(step, f"{name} is {found!r}, expected {expected!r}")


def _running(stage: Stage) -> str:
    now = stage.twin.device.snapshot()
    return now.identity if now else "nothing"


def good(stage: Stage, trace: Trace) -> str:
    pipeline = trace.root()
    if pipeline.status != "COMPLETED":
        raise Unmet(*_first_failure(trace, "COMPLETED"))
    claim("device_health_check", "deployment_status", pipeline.output.get("deployment_status"), "healthy")
    claim("device_health_check", "the device's commit", _running(stage), stage.commits.good)
    return "built, gated, stored, flashed; the device says it runs this commit and is healthy"


def warning(stage: Stage, trace: Trace) -> str:
    pipeline = trace.root()
    claim("validate_build", "the pipeline", pipeline.status, "FAILED")
    reasons = pipeline.output.get("failure_reasons") or []
    if not any("warning" in str(reason) for reason in reasons):
        raise Unmet("validate_build", f"failure_reasons is {reasons!r}, expected one about warnings")
    claim("store_artifact", "whether an artifact was stored", any(task.ref == "store_artifact" for task in pipeline.tasks), False)
    handler = trace.execution_of("firmware-build-failure-handler")
    claim("firmware-build-failure-handler", "the failure handler", handler.status if handler else "not started", "COMPLETED")
    claim("device", "the device's commit", _running(stage), stage.commits.good)
    return "stopped at the gate; people were told, the build directory is gone, the device was not touched"


def boots_wrongly(stage: Stage, trace: Trace) -> str:
    claim("device_health_check", "the pipeline", trace.root().status, "FAILED")
    deploy = trace.execution_of("firmware-deploy")
    claim("firmware-deploy", "the deployment", deploy.status if deploy else "not started", "FAILED")
    failed = [task.ref for task in deploy.tasks if task.status.startswith("FAILED")] if deploy else []
    claim("device_health_check", "the failed step", failed, ["device_health_check"])
    handler = trace.execution_of("deployment-rollback-handler")
    claim("deployment-rollback-handler", "the rollback", handler.status if handler else "not started", "COMPLETED")
    claim("verify_rollback", "the status after the rollback", handler.output.get("status") if handler else None, "healthy")
    claim("rollback_firmware", "the device's commit", _running(stage), stage.commits.good)
    book = DeploymentBook(stage.settings.storage)
    device = stage.settings.address(stage.twin.address, stage.twin.ota.port).key
    latest = book.latest(device)
    claim("verify_rollback", "the last entry of the deployment book", latest.result if latest else None, "verified")
    return "compiled and passed its gates, booted without memory; rolled back to the last verified artifact"


def _first_failure(trace: Trace, expected: str) -> tuple[str, str]:
    bad = [row for row in trace.rows() if row.status not in ("COMPLETED", *OPEN)]
    task = next((row for row in bad if row.depth > 0), bad[0] if bad else None)
    if task is None:
        return "pipeline", f"the pipeline is {trace.root().status!r}, expected {expected!r}"
    return task.label, f"{task.status}: {task.note}"


STORIES = (
    Story("A good commit goes through to a healthy device", lambda stage: stage.commits.good, good),
    Story("A commit with a compiler warning is stopped at the gate", lambda stage: stage.commits.warning, warning),
    Story("A commit that boots wrongly is rolled back", lambda stage: stage.commits.boots_wrongly, boots_wrongly),
)
