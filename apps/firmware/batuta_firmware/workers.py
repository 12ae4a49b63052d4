"""
The firmware application's workers: each a thin cover over a function that does the work.

Here: task names, the inputs they take, the outputs they give. Not here: any work; see repo, workspace, build, metrics, gates, artifacts,
deploy, handlers and notify. What a worker returns and when it fails stands in docs/howto/firmware-tasks.md.
Run them: `python -m batuta_firmware`, or name `batuta_firmware.workers:from_environment` to any host of workers.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batuta.client import ClientError, Failed, FailedForGood, NotFound, SyncClient, TaskContext, Worker, worker
from batuta_firmware import build, gates, handlers, metrics
from batuta_firmware import settings as settings_module
from batuta_firmware.address import DeviceAddress
from batuta_firmware.artifacts import ArtifactStore
from batuta_firmware.deploy import Deployer
from batuta_firmware.errors import FirmwareError, Lasting, Passing
from batuta_firmware.health import CLOCK, Clock
from batuta_firmware.notify import Notifier
from batuta_firmware.repo import Repositories
from batuta_firmware.settings import Settings
from batuta_firmware.workspace import BuildRoot

Output = dict[str, Any]


def from_environment() -> list[Worker[..., Any]]:
    """
    The workers with the settings of the process's environment.

    Raises:
        SettingsError: the environment is not usable; the message lists what is wrong.
    """
    return workers(settings_module.read(os.environ))


def workers(settings: Settings, client: SyncClient | None = None, *, clock: Clock = CLOCK) -> list[Worker[..., Any]]:
    """All workers of the application; *client* is whom failed workflows are asked of, by default the server of the settings."""
    tasks = Tasks(settings, client or SyncClient(settings.server_url), clock)
    return [worker(name, concurrency=concurrency)(_reported(getattr(tasks, method))) for name, (method, concurrency) in WORKERS.items()]


# task name -> method, how many at once in one process. A compile keeps a core busy; the rest mostly waits.
WORKERS: dict[str, tuple[str, int]] = {
    "validate_commit": ("validate_commit", 4),
    "clean_build_env": ("clean_build_env", 4),
    "platformio_compile": ("platformio_compile", 2),
    "extract_build_metrics": ("extract_build_metrics", 4),
    "validate_build": ("validate_build", 4),
    "store_artifact": ("store_artifact", 2),
    "deploy_firmware_ota": ("deploy_firmware_ota", 8),
    "device_health_check": ("device_health_check", 8),
    "deploy_firmware_test_device": ("deploy_artifact", 4),
    "deploy_firmware_prod_device": ("deploy_artifact", 4),
    "rollback_firmware": ("rollback_firmware", 8),
    "verify_rollback": ("verify_rollback", 8),
    "fetch_last_good_version": ("fetch_last_good_version", 4),
    "extract_failure_context": ("extract_failure_context", 4),
    "cleanup_build_artifacts": ("cleanup_build_artifacts", 4),
    "log_failure_metrics": ("log_failure_metrics", 4),
    "send_build_failure_notification": ("send_build_failure_notification", 4),
    "send_failure_notification": ("send_failure_notification", 4),
    "send_rollback_notification": ("send_rollback_notification", 4),
}


def _reported(function: Callable[..., Output]) -> Callable[..., Output]:
    """*function*, whose failures reach the server as Conductor's two kinds."""

    @functools.wraps(function)
    def reported(*arguments: Any, **named: Any) -> Output:
        try:
            return function(*arguments, **named)
        except FirmwareError as error:
            raise (Failed if error.may_retry else FailedForGood)(error.reason, output=error.as_output()) from error

    return reported


class Tasks:
    """The tasks, for one process's settings."""

    def __init__(self, settings: Settings, client: SyncClient, clock: Clock = CLOCK) -> None:
        self._settings = settings
        self._client = client
        self._repositories = Repositories(settings)
        self._build_root = BuildRoot(settings.build_root)
        self._store = ArtifactStore(settings.storage)
        self._deployer = Deployer(settings, clock=clock)
        self._notifier = Notifier(settings)

    def validate_commit(self, repo: str, commit_sha: str, branch: str | None = None) -> Output:
        commit = self._repositories.validate(repo, commit_sha, branch)
        return {"valid": True, "reason": "", "full_sha": commit.full_sha, "committed_at": commit.committed_at}

    def clean_build_env(self, build_dir: str) -> Output:
        return {"cleaned": True, "build_dir": str(self._build_root.clean(build_dir))}

    def platformio_compile(self, context: TaskContext, repo: str, commit_sha: str, environment: str, build_dir: str, branch: str | None = None) -> Output:
        commit = self._repositories.validate(repo, commit_sha, branch)
        folder = self._build_root.directory(build_dir)
        with self._build_root.using(folder):
            folder.mkdir(parents=True, exist_ok=True)
            project = self._repositories.check_out(repo, commit, folder / "source")
            context.log(f"compiling {environment} of {commit.full_sha} in {folder}")
            built = build.compile_firmware(project, environment, commit, folder, self._settings, cancelled=lambda: context.is_cancelled or context.is_draining)
        context.log(f"built {built.size_bytes} bytes in {built.seconds:g} s, SHA-256 {built.sha256}")
        return {
            "success": True,
            "error_message": "",
            "firmware_bin_path": str(built.firmware),
            "firmware_elf_path": str(built.elf) if built.elf else None,
            "build_log": built.log,
            "build_log_path": str(built.log_path),
            "sha256": built.sha256,
            "size_bytes": built.size_bytes,
            "build_seconds": built.seconds,
            "commit_sha": commit.full_sha,
        }

    def extract_build_metrics(self, firmware_path: str, build_output: str, build_log_path: str | None = None) -> Output:
        firmware = Path(firmware_path)
        if not firmware.is_file():
            raise Lasting("firmware_missing", f"there is no firmware at {firmware_path}", fix="Build it again")
        found = metrics.read(self._whole_log(firmware, build_output, build_log_path))
        return {
            "flash_usage_bytes": found.flash.used_bytes,
            "flash_total_bytes": found.flash.total_bytes,
            "flash_usage_percent": found.flash.percent,
            "ram_usage_bytes": found.ram.used_bytes,
            "ram_total_bytes": found.ram.total_bytes,
            "ram_usage_percent": found.ram.percent,
            "warning_count": len(found.warnings),
            "warnings": list(found.warnings[: metrics.WARNINGS_LISTED_MAX]),
            "build_timestamp": datetime.fromtimestamp(firmware.stat().st_mtime, UTC).isoformat(timespec="seconds"),
        }

    def validate_build(
        self,
        flash_usage_percent: Any = None,
        ram_usage_percent: Any = None,
        warning_count: Any = None,
        max_flash_percent: Any = None,
        max_ram_percent: Any = None,
        max_warnings: Any = None,
        warnings: list[str] | None = None,
    ) -> Output:
        verdict = gates.judge(
            {"flash_usage_percent": flash_usage_percent, "ram_usage_percent": ram_usage_percent, "warning_count": warning_count},
            {"flash_usage_percent": max_flash_percent, "ram_usage_percent": max_ram_percent, "warning_count": max_warnings},
        )
        told = [f"{reason}: {warnings[0]}" if warnings and reason.startswith("warning_count") else reason for reason in verdict.failure_reasons]
        return {"success": verdict.success, "failure_reasons": told}

    def store_artifact(
        self,
        firmware_path: str,
        version: str,
        metadata: dict[str, Any] | None = None,
        environment: str | None = None,
        firmware_elf_path: str | None = None,
        build_log_path: str | None = None,
    ) -> Output:
        firmware = Path(firmware_path)
        beside = {"firmware.elf": firmware_elf_path, "build.log": build_log_path}
        artifact = self._store.put(
            self._built(firmware),
            version=version,
            environment=environment or firmware.parent.name,
            metadata=metadata or {},
            beside={name: self._built(Path(path)) for name, path in beside.items() if path},
        )
        self._store.prune(self._settings.artifacts_kept)
        return {
            "artifact_url": artifact.url,
            "artifact_id": artifact.artifact_id,
            "sha256": artifact.sha256,
            "size_bytes": artifact.size_bytes,
        }

    def deploy_firmware_ota(
        self,
        context: TaskContext,
        firmware_path: str,
        sha256: str | None = None,
        device_address: str | None = None,
        device_ip: str | None = None,
        ota_port: int | str | None = None,
        password_ref: str | None = None,
    ) -> Output:
        return self._flash(context, self._address(device_address, device_ip, ota_port), firmware_path, sha256, password_ref, rollback=False)

    def deploy_artifact(
        self,
        context: TaskContext,
        firmware_artifact: str,
        sha256: str | None = None,
        device_address: str | None = None,
        device_ip: str | None = None,
        ota_port: int | str | None = None,
        password_ref: str | None = None,
    ) -> Output:
        return self._flash(context, self._address(device_address, device_ip, ota_port), firmware_artifact, sha256, password_ref, rollback=False)

    def rollback_firmware(
        self,
        context: TaskContext,
        firmware_artifact: str,
        sha256: str | None = None,
        device_address: str | None = None,
        device_ip: str | None = None,
        ota_port: int | str | None = None,
        password_ref: str | None = None,
    ) -> Output:
        return self._flash(context, self._address(device_address, device_ip, ota_port), firmware_artifact, sha256, password_ref, rollback=True)

    def device_health_check(
        self,
        context: TaskContext,
        expected_commit_sha: str | None = None,
        artifact_id: str | None = None,
        deadline_seconds: float | None = None,
        device_address: str | None = None,
        device_ip: str | None = None,
        ota_port: int | str | None = None,
    ) -> Output:
        address = self._address(device_address, device_ip, ota_port)
        return self._check(context, address, expected_commit_sha, artifact_id, deadline_seconds)

    def verify_rollback(
        self,
        context: TaskContext,
        expected_version: str | None = None,
        artifact_id: str | None = None,
        deadline_seconds: float | None = None,
        device_address: str | None = None,
        device_ip: str | None = None,
        ota_port: int | str | None = None,
    ) -> Output:
        return self._check(context, self._address(device_address, device_ip, ota_port), expected_version, artifact_id, deadline_seconds)

    def fetch_last_good_version(
        self,
        context: TaskContext,
        workflow_id: str | None = None,
        failed_workflow_id: str | None = None,
        device_address: str | None = None,
        device_ip: str | None = None,
        ota_port: int | str | None = None,
    ) -> Output:
        """*workflow_id* comes from the server when a workflow failed, *failed_workflow_id* from a person who asks for a rollback."""
        address = self._address(device_address, device_ip, ota_port)
        failed = workflow_id or failed_workflow_id
        found = self._deployer.rollback_for(address, failed_workflow_id=failed, by_hand=workflow_id is None, handler_id=context.task.execution_id)
        artifact = found.artifact
        context.log(f"rollback {'needed' if found.needed else 'not needed'}: {found.reason}")
        return {
            "rollback_needed": found.needed,
            "reason": found.reason,
            "artifact_id": artifact.artifact_id if artifact else None,
            "artifact_url": artifact.url if artifact else None,
            "version": artifact.version if artifact else None,
            "sha256": artifact.sha256 if artifact else None,
            "device": str(address),
            "failed_workflow_id": failed,
        }

    def extract_failure_context(self, workflow_id: str | None = None, failed_workflow_id: str | None = None) -> Output:
        failed = workflow_id or failed_workflow_id
        if not failed:
            return {"workflow_id": None, "build_dir": None, "failure_type": "build", "reason": "unknown: no workflow was named"}
        try:
            execution = self._client.get_workflow(failed)
        except NotFound as error:
            raise Lasting("workflow_unknown", f"there is no workflow {failed!r}: {error}") from error
        except ClientError as error:
            raise Passing("server_unavailable", f"workflow {failed!r} cannot be read: {error}") from error
        return {"workflow_id": failed, **handlers.failure_context(execution.json)}

    def cleanup_build_artifacts(self, build_dir: str | None = None) -> Output:
        return {"cleaned": self._build_root.remove(build_dir)}

    def log_failure_metrics(self, context: TaskContext, failure_type: str | None = None, reason: str | None = None, workflow_id: str | None = None) -> Output:
        key = workflow_id or context.task.execution_id
        return {"recorded": True, "repeated": not handlers.record_failure(self._settings.storage, key, failure_type or "build", reason)}

    def send_build_failure_notification(
        self, context: TaskContext, message: str, details: Any = None, channel: str | None = None, workflow_id: str | None = None
    ) -> Output:
        reasons = "\n".join(f"- {detail}" for detail in details) if isinstance(details, list) else str(details or "")
        return self._tell(context, channel, f"{message}\n{reasons}".strip(), "build-failure", workflow_id)

    def send_failure_notification(self, context: TaskContext, message: str, channel: str | None = None, workflow_id: str | None = None) -> Output:
        return self._tell(context, channel, message, "failure", workflow_id)

    def send_rollback_notification(self, context: TaskContext, message: str, channel: str | None = None, workflow_id: str | None = None) -> Output:
        return self._tell(context, channel, message, "rollback", workflow_id)

    def _address(self, device_address: str | None, device_ip: str | None, ota_port: int | str | None) -> DeviceAddress:
        return self._settings.address(device_address or device_ip, ota_port)

    def _flash(self, context: TaskContext, address: DeviceAddress, reference: str, sha256: str | None, password_ref: str | None, *, rollback: bool) -> Output:
        return self._deployer.flash(
            address,
            reference,
            workflow_id=context.task.execution_id,
            kind="rollback" if rollback else "deploy",
            sha256=sha256,
            password=self._settings.password(password_ref),
            say=context.log,
            cancelled=lambda: context.is_cancelled or context.is_draining,
        )

    def _check(self, context: TaskContext, address: DeviceAddress, commit_sha: str | None, artifact_id: str | None, deadline_s: float | None) -> Output:
        return self._deployer.check(
            address,
            workflow_id=context.task.execution_id,
            commit_sha=commit_sha,
            artifact_id=artifact_id,
            deadline_s=deadline_s,
            say=context.log,
        )

    def _tell(self, context: TaskContext, channel: str | None, message: str, subject: str, workflow_id: str | None) -> Output:
        delivery = self._notifier.send(channel, message, subject=subject, workflow_id=workflow_id or context.task.execution_id)
        return delivery.output()

    def _built(self, path: Path) -> Path:
        """*path*, once it is known to lie in a build directory: a task cannot have any other file stored."""
        inside = next((parent for parent in path.parents if parent.parent == self._settings.build_root), None)
        if inside is None or ".." in path.parts:
            raise Lasting("bad_build_dir", f"{path} is not in a build directory below {self._settings.build_root}")
        self._build_root.directory(str(inside))
        return path

    def _whole_log(self, firmware: Path, tail: str, log_path: str | None) -> str:
        """The build's whole log: from its file, where the task's own text was cut."""
        if not tail.startswith(build.TRUNCATED):
            return tail
        for path in [Path(log_path)] if log_path else [parent / build.LOG_NAME for parent in firmware.parents]:
            if path.is_file():
                return self._built(path).read_text(errors="replace")
        raise Lasting("build_log_missing", "the build's output was cut and its log file is gone: warnings cannot be counted", fix="Build it again")
