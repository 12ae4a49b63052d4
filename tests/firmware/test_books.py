"""The deployment book and the leases: what was sent where, which is the last good one, and who has a device now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import forge
import pytest
from firmware_kit import StoppedClock

from batuta_firmware.artifacts import ArtifactStore
from batuta_firmware.deployments import DeploymentBook
from batuta_firmware.leases import LeaseBook

DEVICE = "twin:80"


@pytest.fixture
def book(tmp_path: Path, stopped: StoppedClock) -> DeploymentBook:
    return DeploymentBook(tmp_path, now=stopped.read)


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[int], str]:
    store = ArtifactStore(tmp_path)

    def stored(number: int) -> str:
        commit = f"{number:040x}"
        path = tmp_path / "firmware.bin"
        path.write_bytes(forge.image(commit=commit))
        return store.put(path, version=commit, environment="esp32", metadata={}).artifact_id

    return stored


def sent(book: DeploymentBook, clock: StoppedClock, artifact: str, result: str, device: str = DEVICE, workflow: str = "w") -> int:
    clock.at += 1
    number = book.start(device, artifact, kind="deploy", workflow_id=workflow)
    book.settle(number, result)  # type: ignore[arg-type]
    return number


def test_last_good_is_the_latest_verified_on_this_device_and_not_the_failing_one(
    book: DeploymentBook, stopped: StoppedClock, stored: Callable[[int], str]
) -> None:
    one, two, three, four = (stored(number) for number in range(1, 5))
    assert book.last_good(DEVICE) is None
    sent(book, stopped, one, "verified")
    sent(book, stopped, four, "verified", device="other:80")
    sent(book, stopped, two, "verified")
    sent(book, stopped, three, "unhealthy")
    good = book.last_good(DEVICE, except_artifact=three)
    assert good is not None and good.artifact_id == two
    other = book.last_good(DEVICE, except_artifact=two)
    assert other is not None and other.artifact_id == one
    again = sent(book, stopped, one, "verified")
    assert book.last_good(DEVICE) == book.of_workflow("w", DEVICE)[-1]
    assert book.of_workflow("w", DEVICE)[-1].id == again


def test_an_artifact_that_is_gone_is_no_place_to_roll_back_to(book: DeploymentBook, stopped: StoppedClock) -> None:
    sent(book, stopped, "gone", "verified")
    assert book.last_good(DEVICE) is None


def test_a_refused_transfer_did_not_change_the_device(book: DeploymentBook, stopped: StoppedClock) -> None:
    flashed = sent(book, stopped, "a", "flashed")
    sent(book, stopped, "b", "refused")
    latest = book.latest(DEVICE)
    assert latest is not None and latest.id == flashed


def test_the_first_instants_are_kept(book: DeploymentBook, stopped: StoppedClock) -> None:
    number = sent(book, stopped, "a", "flashed")
    flashed_at = stopped.at
    stopped.at += 10
    book.settle(number, "verified")
    stopped.at += 10
    book.settle(number, "verified", "again")
    latest = book.latest(DEVICE)
    assert latest is not None
    assert (latest.flashed_at, latest.verified_at, latest.detail) == (flashed_at, flashed_at + 10, "again")


LEASES = [
    # holder now, ends in   asker   over_from   who has it then
    (None,  0,              "a",    None,       "a"),
    ("a",   50,             "a",    None,       "a"),
    ("a",   50,             "b",    None,       "a"),
    ("a",   0,              "b",    None,       "b"),
    ("a",   -1,             "b",    None,       "b"),
    ("a",   50,             "b",    "a",        "b"),
    ("a",   50,             "b",    "c",        "a"),
]  # fmt: skip


@pytest.mark.parametrize(("holder", "ends_in", "asker", "over_from", "then"), LEASES)
def test_a_device_has_one_holder(
    tmp_path: Path, stopped: StoppedClock, holder: str | None, ends_in: float, asker: str, over_from: str | None, then: str
) -> None:
    leases = LeaseBook(tmp_path, now=stopped.read)
    if holder:
        leases.take(DEVICE, holder, for_s=ends_in)
    assert leases.take(DEVICE, asker, for_s=100, over_from=over_from).holder == then
    assert leases.holder(DEVICE) == then


def test_a_lease_is_given_back_by_its_holder_only_and_can_be_cut_short(tmp_path: Path, stopped: StoppedClock) -> None:
    leases = LeaseBook(tmp_path, now=stopped.read)
    leases.take(DEVICE, "a", for_s=900)
    leases.release(DEVICE, "b")
    assert leases.holder(DEVICE) == "a"
    leases.shorten(DEVICE, "a", to_s=60)
    stopped.at += 61
    assert leases.holder(DEVICE) is None
    leases.take(DEVICE, "a", for_s=900)
    leases.release(DEVICE, "a")
    assert leases.holder(DEVICE) is None
