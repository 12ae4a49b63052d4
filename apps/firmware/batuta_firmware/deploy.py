"""
Deployments: sending a stored artifact to a device and finding out whether it lives.

Here: the order of things: lease, record, flash, verdict, record. Not here: the protocol (espota.py), the judgement (health.py), the records
themselves (deployments.py, leases.py).
A task may be delivered twice and a worker may die at any line. So the record is written before the first packet, and a repeated task asks
the device what it runs before it flashes again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from batuta_firmware import espota, health, image
from batuta_firmware.address import DeviceAddress
from batuta_firmware.artifacts import Artifact, ArtifactStore
from batuta_firmware.deployments import Deployment, DeploymentBook, Kind
from batuta_firmware.device import DeviceApi, is_same_commit
from batuta_firmware.errors import FirmwareError, Lasting, Passing
from batuta_firmware.leases import LeaseBook
from batuta_firmware.locks import Busy, locked
from batuta_firmware.settings import Settings

HANDOVER_S = 60.0  # how long a device whose new firmware was found wrong waits for its rollback
LEASE_LOOK_S = 0.5
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rollback:
    """Whether a device needs its last good firmware back, why, and which that is."""

    needed: bool
    reason: str
    artifact: Artifact | None = None


class Deployer:
    """What can be done to devices, for one worker's settings. Safe to use from several threads."""

    def __init__(self, settings: Settings, *, clock: health.Clock = health.CLOCK) -> None:
        self._settings = settings
        self._clock = clock
        self.artifacts = ArtifactStore(settings.storage, now=clock.wall)
        self.book = DeploymentBook(settings.storage, now=clock.wall)
        self.leases = LeaseBook(settings.storage, now=clock.wall)

    def flash(
        self,
        address: DeviceAddress,
        reference: str,
        *,
        workflow_id: str,
        kind: Kind = "deploy",
        sha256: str | None = None,
        password: str | None = None,
        say: Say = lambda text: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> dict[str, Any]:
        """
        Put artifact *reference* on the device at *address* and return the task's output once the device has confirmed it.

        The device stays leased to *workflow_id* afterwards: its health check gives it back.

        Raises:
            Passing: the device is busy, silent, or the transfer broke; it keeps what it had, or says so in `uncertain`.
            Lasting: the artifact is not for it, or its password is wrong.
        """
        artifact = self.artifacts.resolve(reference, sha256)
        data = artifact.read()
        image.parse(data)
        self._wait_for_lease(address.key, workflow_id, cancelled)
        try:
            with locked(self._settings.storage / "leases" / f"{address.key.replace(':', '_')}.lock", wait=False):
                if done := self._done_before(address, artifact, workflow_id, kind):
                    say(done)
                    return self._flashed(artifact, address, done, 0)
                return self._send(address, artifact, data, workflow_id, kind, password, say)
        except Busy:
            raise Passing("device_busy", f"device {address} is being flashed by another worker") from None
        except FirmwareError:
            self.leases.release(address.key, workflow_id)
            raise

    def check(
        self,
        address: DeviceAddress,
        *,
        workflow_id: str,
        commit_sha: str | None = None,
        artifact_id: str | None = None,
        deadline_s: float | None = None,
        say: Say = lambda text: None,
    ) -> dict[str, Any]:
        """
        Watch the device until it is found healthy, write that down, give the device back, and return the finding.

        Raises:
            Passing: it stays silent past the deadline.
            Lasting: it runs something else, or runs badly.
        """
        deployment = self._deployment(address.key, workflow_id, artifact_id)
        artifact = self.artifacts.get(artifact_id or (deployment.artifact_id if deployment else ""))
        commit_sha = commit_sha or (artifact.version if artifact else None)
        if not commit_sha:
            raise Lasting("no_expectation", "the task has neither expected_commit_sha nor an artifact_id: nothing to compare the device with")
        matching = artifact if artifact and is_same_commit(artifact.version, commit_sha) else None
        expected = health.Expectation(
            commit_sha=commit_sha,
            elf_sha256=matching.elf_sha256 if matching else None,
            flashed_at=deployment.flashed_at if deployment else None,
            heap_floor_bytes=self._settings.heap_floor_bytes,
        )
        with DeviceApi(address) as api:
            finding = health.watch(
                api,
                expected,
                deadline_s=deadline_s if deadline_s is not None else self._settings.health_deadline_s,
                clock=self._clock,
                told=lambda seen: say(f"{seen.status}: {seen.why}"),
            )
        if finding.status != "healthy":
            if deployment:
                self.book.settle(deployment.id, "unhealthy", f"{finding.status}: {finding.why}")
                self.leases.shorten(address.key, workflow_id, to_s=HANDOVER_S)
            raise health.failure(finding, str(address))
        if deployment and matching:
            self.book.settle(deployment.id, "verified")
        self.leases.release(address.key, workflow_id)
        return {**health.described(finding), "device": str(address), "commit_sha": commit_sha}

    def rollback_for(self, address: DeviceAddress, *, failed_workflow_id: str | None, by_hand: bool, handler_id: str) -> Rollback:
        """
        Whether the device needs its last good firmware back after *failed_workflow_id*, and take its lease over if so.

        A workflow that never changed the device leaves nothing to roll back. Started *by_hand*, it goes to the firmware last found good
        other than the one the device was given last.

        Raises:
            Lasting: it is needed, and no other firmware was ever found healthy on this device.
        """
        latest = self.book.latest(address.key)
        failed = latest is not None and latest.workflow_id == failed_workflow_id and latest.verified_at is None
        if not failed and not by_hand:
            return Rollback(False, "the failed workflow did not change this device, or another deployment has followed")
        failing = latest.artifact_id if latest and (latest.verified_at is None or by_hand) else None
        good = self.book.last_good(address.key, except_artifact=failing)
        artifact = self.artifacts.get(good.artifact_id) if good else None
        if artifact is None:
            raise Lasting(
                "no_last_good",
                f"device {address} needs a rollback and no other firmware was ever found healthy on it",
                fix="Flash it by hand, and check it: run firmware-deploy with a known good artifact",
            )
        self.leases.take(address.key, handler_id, for_s=self._settings.lease_s, over_from=failed_workflow_id)
        return Rollback(True, f"{latest.result}: {latest.detail}" if latest and latest.detail else "asked for", artifact)

    def _wait_for_lease(self, device: str, holder: str, cancelled: Callable[[], bool]) -> None:
        deadline = self._clock.monotonic() + self._settings.lease_wait_s
        while True:
            lease = self.leases.take(device, holder, for_s=self._settings.lease_s)
            if lease.holder == holder:
                return
            if self._clock.monotonic() >= deadline or cancelled():
                left = max(0.0, lease.until - self._clock.wall())
                raise Passing("device_busy", f"device {device} is being deployed to by workflow {lease.holder}, for at most {left:.0f} s more")
            self._clock.sleep(LEASE_LOOK_S)

    def _done_before(self, address: DeviceAddress, artifact: Artifact, workflow_id: str, kind: Kind) -> str | None:
        """Why the device need not be flashed: this workflow did so already, or a rollback's target is what runs."""
        latest = self.book.latest(address.key)
        mine = latest is not None and latest.workflow_id == workflow_id and latest.artifact_id == artifact.artifact_id
        if not mine and kind != "rollback":
            return None
        try:
            with DeviceApi(address) as api:
                info = api.info()
        except FirmwareError:
            return None  # it does not answer: flashing will tell
        if not info.identity or not is_same_commit(info.identity, artifact.version):
            return None
        if info.elf_sha256 and artifact.elf_sha256 and info.elf_sha256 != artifact.elf_sha256:
            return None
        if mine and latest is not None:
            if latest.result in ("started", "unknown") and self._clock.wall() - info.uptime_s < latest.started_at:
                return None  # it ran this before as well, and has not restarted since
            self.book.settle(latest.id, "flashed" if latest.verified_at is None else "verified")
            return f"device {address} already runs this artifact: an earlier attempt of this workflow put it there"
        deployment = self.book.start(address.key, artifact.artifact_id, kind=kind, workflow_id=workflow_id)
        self.book.settle(deployment, "unknown", "it already runs the artifact to go back to")
        return f"device {address} already runs the artifact to go back to"

    def _send(self, address: DeviceAddress, artifact: Artifact, data: bytes, workflow_id: str, kind: Kind, password: str | None, say: Say) -> dict[str, Any]:
        deployment = self.book.start(address.key, artifact.artifact_id, kind=kind, workflow_id=workflow_id)
        say(f"sending {len(data)} bytes of {artifact.artifact_id} to {address.host}:{address.ota_port}")
        try:
            receipt = espota.flash(
                address.host,
                address.ota_port,
                data,
                password=password,
                listen=("", self._settings.ota_host_port),
                patience=self._settings.ota_patience,
                progress=_Steps(say).tell,
            )
        except FirmwareError as error:
            uncertain = bool(error.output.get("uncertain"))
            self.book.settle(deployment, "unknown" if uncertain else "refused", f"{error.code}: {error.message}")
            raise self._hardened(error, workflow_id, deployment) from None
        self.book.settle(deployment, "flashed")
        say("the device confirmed every byte and restarts")
        return self._flashed(artifact, address, f"sent {receipt.bytes_sent} bytes after {receipt.invitations} invitations", receipt.bytes_sent)

    def _hardened(self, error: FirmwareError, workflow_id: str, deployment: int) -> FirmwareError:
        """A damaged transfer is worth one more try, not more: then something damages every one."""
        if error.code == "ota_md5_mismatch":
            earlier = [one for one in self.book.of_workflow(workflow_id) if one.id != deployment and (one.detail or "").startswith(error.code)]
            if earlier:
                return Lasting(error.code, f"{error.message}, for the second time", fix="Look for what damages data on the way", **error.output)
        return error

    def _flashed(self, artifact: Artifact, address: DeviceAddress, log: str, bytes_sent: int) -> dict[str, Any]:
        return {
            "deployment_status": "flashed",
            "deployment_log": log,
            "bytes_sent": bytes_sent,
            "artifact_id": artifact.artifact_id,
            "artifact_sha256": artifact.sha256,
            "commit_sha": artifact.version,
            "device": str(address),
        }

    def _deployment(self, device: str, workflow_id: str, artifact_id: str | None) -> Deployment | None:
        """The deployment that a check is about: this workflow's, or the device's latest of that artifact."""
        if mine := self.book.of_workflow(workflow_id, device):
            return mine[-1]
        latest = self.book.latest(device)
        return latest if latest and artifact_id in (None, latest.artifact_id) else None


class _Steps:
    """Tells progress in tenths, so that a log stays readable."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._told = 0
        self._began = time.monotonic()

    def tell(self, done: int, total: int) -> None:
        tenths = done * 10 // total
        if tenths > self._told:
            self._told = tenths
            self._say(f"{tenths * 10} % of {total} bytes after {time.monotonic() - self._began:.1f} s")
