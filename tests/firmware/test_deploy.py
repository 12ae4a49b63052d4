"""Deployments against a twin: recorded before they begin, never repeated needlessly, one at a time, and undone when they were wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forge
import pytest
from firmware_kit import StoppedClock

from batuta_firmware import health
from batuta_firmware.address import DeviceAddress, parse
from batuta_firmware.artifacts import Artifact
from batuta_firmware.deploy import Deployer
from batuta_firmware.errors import FirmwareError, Lasting, Passing
from batuta_firmware.settings import Settings
from batuta_firmware.twin import Twin

MakeTwin = Callable[..., Twin]
ILL = forge.program(heap=20_000)


@pytest.fixture
def deployer(settings: Settings, prompt: health.Clock) -> Deployer:
    return Deployer(settings, clock=prompt)


def stored(deployer: Deployer, tmp_path: Path, commit: str = forge.COMMIT, code: list[int] | None = None) -> Artifact:
    path = tmp_path / "firmware.bin"
    path.write_bytes(forge.image(code, commit=commit))
    return deployer.artifacts.put(path, version=commit, environment="esp32", metadata={})


def address_of(twin: Twin) -> DeviceAddress:
    return parse(twin.address, ota_port=twin.ota.port)


def results(deployer: Deployer, workflow_id: str) -> list[str]:
    return [one.result for one in deployer.book.of_workflow(workflow_id)]


def test_a_deployment_is_flashed_then_verified_and_the_device_given_back(deployer: Deployer, make_twin: MakeTwin, tmp_path: Path) -> None:
    twin, artifact, said = make_twin(rate_limit=False), stored(deployer, tmp_path), list[str]()
    address = address_of(twin)
    output = deployer.flash(address, artifact.artifact_id, workflow_id="w1", sha256=artifact.sha256, say=said.append)
    assert (output["deployment_status"], output["bytes_sent"], output["commit_sha"]) == ("flashed", artifact.size_bytes, forge.COMMIT)
    assert results(deployer, "w1") == ["flashed"]
    assert deployer.leases.holder(address.key) == "w1"
    assert said[-1] == "the device confirmed every byte and restarts"
    found = deployer.check(address, workflow_id="w1", artifact_id=artifact.artifact_id)
    assert (found["status"], found["build_signature"], found["commit_sha"]) == ("healthy", forge.COMMIT, forge.COMMIT)
    assert results(deployer, "w1") == ["verified"]
    assert deployer.leases.holder(address.key) is None


def test_a_redelivered_task_does_not_flash_again(deployer: Deployer, make_twin: MakeTwin, tmp_path: Path) -> None:
    twin, artifact = make_twin(rate_limit=False), stored(deployer, tmp_path)
    deployer.flash(address_of(twin), artifact.artifact_id, workflow_id="w1")
    assert twin.device.wait_until(lambda: (now := twin.device.snapshot()) is not None and now.identity == forge.COMMIT, 5)
    again = deployer.flash(address_of(twin), artifact.url, workflow_id="w1")
    assert "already runs" in again["deployment_log"]
    assert twin.ota.transfers == 1
    assert results(deployer, "w1") == ["flashed"]


def test_a_worker_that_died_after_flashing_is_continued(deployer: Deployer, make_twin: MakeTwin, tmp_path: Path) -> None:
    twin, artifact = make_twin(rate_limit=False), stored(deployer, tmp_path)
    address = address_of(twin)
    deployer.book.start(address.key, artifact.artifact_id, kind="deploy", workflow_id="w1")
    twin.device.install(artifact.read())
    twin.device.reboot()
    assert twin.device.wait_until(lambda: (now := twin.device.snapshot()) is not None and now.identity == forge.COMMIT, 5)
    deployer.flash(address, artifact.artifact_id, workflow_id="w1")
    assert twin.ota.transfers == 0
    assert results(deployer, "w1") == ["flashed"]


def test_a_worker_that_died_before_flashing_begins_anew(deployer: Deployer, make_twin: MakeTwin, tmp_path: Path) -> None:
    twin, artifact = make_twin(rate_limit=False), stored(deployer, tmp_path)
    deployer.book.start(address_of(twin).key, artifact.artifact_id, kind="deploy", workflow_id="w1")
    deployer.flash(address_of(twin), artifact.artifact_id, workflow_id="w1")
    assert twin.ota.transfers == 1


def test_another_workflow_flashes_the_same_artifact_again(deployer: Deployer, make_twin: MakeTwin, tmp_path: Path) -> None:
    twin, artifact = make_twin(rate_limit=False), stored(deployer, tmp_path)
    for workflow in ("w1", "w2"):
        deployer.flash(address_of(twin), artifact.artifact_id, workflow_id=workflow)
        deployer.check(address_of(twin), workflow_id=workflow)
    assert twin.ota.transfers == 2


def test_two_deployments_never_have_one_device(deployer: Deployer, make_twin: MakeTwin, tmp_path: Path) -> None:
    twin, artifact = make_twin(rate_limit=False), stored(deployer, tmp_path)
    deployer.flash(address_of(twin), artifact.artifact_id, workflow_id="w1")
    with pytest.raises(Passing, match="being deployed to by workflow w1") as caught:
        deployer.flash(address_of(twin), artifact.artifact_id, workflow_id="w2")
    assert caught.value.code == "device_busy"
    assert results(deployer, "w2") == []
    deployer.check(address_of(twin), workflow_id="w1")
    deployer.flash(address_of(twin), artifact.artifact_id, workflow_id="w2")


def test_a_failed_transfer_gives_the_device_back_and_changes_nothing(deployer: Deployer, make_twin: MakeTwin, tmp_path: Path) -> None:
    twin, artifact = make_twin(drop_at=100), stored(deployer, tmp_path)
    with pytest.raises(Passing):
        deployer.flash(address_of(twin), artifact.artifact_id, workflow_id="w1")
    assert results(deployer, "w1") == ["refused"]
    assert deployer.leases.holder(address_of(twin).key) is None
    assert not deployer.rollback_for(address_of(twin), failed_workflow_id="w1", by_hand=False, handler_id="h").needed


def test_damage_on_the_way_is_tried_once_more_and_then_given_up(deployer: Deployer, make_twin: MakeTwin, tmp_path: Path) -> None:
    twin, artifact = make_twin(corrupt=2), stored(deployer, tmp_path)
    with pytest.raises(Passing, match="MD5 Check Failed"):
        deployer.flash(address_of(twin), artifact.artifact_id, workflow_id="w1")
    with pytest.raises(Lasting, match="for the second time"):
        deployer.flash(address_of(twin), artifact.artifact_id, workflow_id="w1")


def test_a_device_that_is_ill_is_rolled_back_to_the_last_verified_artifact(deployer: Deployer, make_twin: MakeTwin, tmp_path: Path) -> None:
    twin = make_twin(rate_limit=False)
    address, good, ill = address_of(twin), stored(deployer, tmp_path), stored(deployer, tmp_path, forge.OTHER_COMMIT, ILL)
    deployer.flash(address, good.artifact_id, workflow_id="w1")
    deployer.check(address, workflow_id="w1")
    deployer.flash(address, ill.artifact_id, workflow_id="w2")
    with pytest.raises(Lasting, match="19456 bytes of heap left, expected at least 50000"):
        deployer.check(address, workflow_id="w2")
    assert results(deployer, "w2") == ["unhealthy"]

    found = deployer.rollback_for(address, failed_workflow_id="w2", by_hand=False, handler_id="h")
    assert found.needed
    assert found.artifact == good
    assert deployer.leases.holder(address.key) == "h"
    deployer.flash(address, good.artifact_id, workflow_id="h", kind="rollback")
    assert deployer.check(address, workflow_id="h")["status"] == "healthy"
    assert results(deployer, "h") == ["verified"]
    assert not deployer.rollback_for(address, failed_workflow_id="w2", by_hand=False, handler_id="h2").needed


def test_a_rollback_of_a_device_whose_bootloader_went_back_by_itself_flashes_nothing(deployer: Deployer, make_twin: MakeTwin, tmp_path: Path) -> None:
    twin = make_twin(rate_limit=False, bootloader_rollback=True)
    address, good = address_of(twin), stored(deployer, tmp_path)
    crashing = stored(deployer, tmp_path, forge.OTHER_COMMIT, forge.program(crash_after=3))
    deployer.flash(address, good.artifact_id, workflow_id="w1")
    deployer.check(address, workflow_id="w1")
    deployer.flash(address, crashing.artifact_id, workflow_id="w2")
    assert twin.device.wait_until(lambda: bool(twin.device.crash_log) and twin.device.snapshot() is not None, 10)
    with pytest.raises(Lasting, match="version_mismatch"):
        deployer.check(address, workflow_id="w2")
    found = deployer.rollback_for(address, failed_workflow_id="w2", by_hand=False, handler_id="h")
    assert found.artifact == good
    deployer.flash(address, good.artifact_id, workflow_id="h", kind="rollback")
    assert twin.ota.transfers == 2
    assert deployer.check(address, workflow_id="h")["status"] == "healthy"


def test_a_device_that_is_gone_stays_a_failure_and_its_rollback_too(deployer: Deployer, make_twin: MakeTwin, tmp_path: Path) -> None:
    twin = make_twin(rate_limit=False)
    address, good, other = address_of(twin), stored(deployer, tmp_path), stored(deployer, tmp_path, forge.OTHER_COMMIT)
    deployer.flash(address, good.artifact_id, workflow_id="w1")
    deployer.check(address, workflow_id="w1")
    twin.faults.set(dead_after_flash=True)
    deployer.flash(address, other.artifact_id, workflow_id="w2")
    with pytest.raises(Passing, match="offline"):
        deployer.check(address, workflow_id="w2", deadline_s=1.5)
    assert deployer.rollback_for(address, failed_workflow_id="w2", by_hand=False, handler_id="h").needed
    with pytest.raises(Passing, match="no reply"):
        deployer.flash(address, good.artifact_id, workflow_id="h", kind="rollback")


def test_a_transfer_without_verdict_may_need_a_rollback(deployer: Deployer, make_twin: MakeTwin, tmp_path: Path) -> None:
    twin, artifact = make_twin(no_verdict=1), stored(deployer, tmp_path)
    with pytest.raises(Passing) as caught:
        deployer.flash(address_of(twin), artifact.artifact_id, workflow_id="w1")
    assert caught.value.code == "ota_no_verdict"
    assert results(deployer, "w1") == ["unknown"]
    with pytest.raises(Lasting, match="no other firmware was ever found healthy") as nothing:
        deployer.rollback_for(address_of(twin), failed_workflow_id="w1", by_hand=False, handler_id="h")
    assert nothing.value.code == "no_last_good"


def test_by_hand_it_goes_to_the_verified_firmware_before_this_one(deployer: Deployer, make_twin: MakeTwin, tmp_path: Path) -> None:
    twin = make_twin(rate_limit=False)
    artifacts = [stored(deployer, tmp_path), stored(deployer, tmp_path, forge.OTHER_COMMIT)]
    for number, artifact in enumerate(artifacts):
        deployer.flash(address_of(twin), artifact.artifact_id, workflow_id=f"w{number}")
        deployer.check(address_of(twin), workflow_id=f"w{number}")
    found = deployer.rollback_for(address_of(twin), failed_workflow_id=None, by_hand=True, handler_id="h")
    assert found.artifact == artifacts[0]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown artifact", {"reference": "nothing"},       "artifact_unknown"),
    ("another hash",        {"sha256": "0" * 64},           "artifact_mismatch"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "code"), REFUSED, ids=[row[0] for row in REFUSED])
def test_nothing_reaches_the_device_that_was_not_stored_as_asked(
    deployer: Deployer, make_twin: MakeTwin, tmp_path: Path, what: str, change: dict[str, Any], code: str
) -> None:
    twin, artifact = make_twin(), stored(deployer, tmp_path)
    with pytest.raises(Lasting) as caught:
        deployer.flash(address_of(twin), change.pop("reference", artifact.artifact_id), workflow_id="w1", **change)
    assert caught.value.code == code
    assert twin.ota.invitations == 0


def test_a_deployment_waits_for_the_device_as_long_as_it_may(settings: Settings, make_twin: MakeTwin, tmp_path: Path) -> None:
    stopped = StoppedClock()
    waiting = Deployer(dataclasses.replace(settings, lease_wait_s=5.0, lease_s=3.0), clock=stopped.clock)
    twin, artifact = make_twin(), stored(waiting, tmp_path)
    waiting.leases.take(address_of(twin).key, "w1", for_s=3.0)
    waiting.flash(address_of(twin), artifact.artifact_id, workflow_id="w2")
    assert sum(stopped.slept) == pytest.approx(3.0, abs=0.5)


def test_a_check_without_anything_to_compare_with_is_refused(deployer: Deployer, make_twin: MakeTwin) -> None:
    with pytest.raises(FirmwareError) as caught:
        deployer.check(address_of(make_twin()), workflow_id="w1")
    assert caught.value.code == "no_expectation"
