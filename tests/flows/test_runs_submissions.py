"""Submissions: nothing that is paid for is sent twice, whoever dies when; and who is known to live."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from flowkit import node
from studio import Studio, builder

from batuta_flows.errors import NodeFailed
from batuta_flows.providers.protocol import Desk, Done, Job, Waiting
from batuta_flows.records.alive import Alive
from batuta_flows.records.database import Database
from batuta_flows.records.submissions import FORSAKEN_MS, InHand, NoRoom, Submissions
from batuta_flows.workers import run


class Machine:
    """Two processes' records in one directory. `one` can be killed."""

    def __init__(self, directory: Path) -> None:
        database = Database(directory / "flows.db")
        self.first, self.second = Alive(directory / "alive"), Alive(directory / "alive")
        self.one, self.other = Submissions(database, self.first, jobs_max=3), Submissions(database, self.second, jobs_max=3)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def announce(by: Submissions, key: str = "r/a/") -> None:
    by.announce(key, "r", "a", "fal", 1)


def test_what_somebody_is_sending_is_waited_for(machine: Machine) -> None:
    announce(machine.one)
    with pytest.raises(InHand):
        announce(machine.other)
    with pytest.raises(InHand):
        announce(machine.one)  # another thread of the same process
    assert machine.one.opened("r/a/", "r", "a", "fal", {"id": 1}, 2)
    found = machine.other.find("r/a/")
    assert found is not None and (found.phase, found.state) == ("open", {"id": 1})


def test_what_a_dead_process_was_sending_only_a_person_sends_again(machine: Machine) -> None:
    announce(machine.one)
    machine.first.close()
    for _ in range(3):  # whichever attempt of the orchestrator's
        with pytest.raises(NodeFailed, match="may have been received, and paid for"):
            announce(machine.other)
    machine.other.cleared("r", 2)
    announce(machine.other)


def test_a_persons_retry_does_not_send_what_is_being_sent(machine: Machine) -> None:
    announce(machine.one)
    machine.other.cleared("r", 2)
    with pytest.raises(InHand):
        announce(machine.other)


def test_what_broke_while_it_was_sent_is_in_doubt(machine: Machine) -> None:
    announce(machine.one)
    machine.one.doubted("r/a/")
    with pytest.raises(NodeFailed, match="may have been received"):
        announce(machine.one)


def test_what_is_done_stays_done(machine: Machine) -> None:
    announce(machine.one)
    machine.one.done("r/a/", {"text": "x"}, 2)
    machine.other.ended("r/a/", 3)
    found = machine.other.find("r/a/")
    assert found is not None and (found.phase, found.state) == ("done", {"text": "x"})


def test_what_failed_may_be_sent_again(machine: Machine) -> None:
    announce(machine.one)
    machine.one.ended("r/a/", 2)
    announce(machine.other)


def test_open_jobs_of_a_run_are_cancelled_by_one_alone(machine: Machine) -> None:
    announce(machine.one)
    machine.one.opened("r/a/", "r", "a", "fal", {"id": 1}, 2)
    assert [found.state for found in machine.one.unwanted("r", 3)] == [{"id": 1}]
    assert machine.other.unwanted("r", 3) == [] and machine.other.runs_with_open() == []


def test_what_was_being_sent_when_its_run_was_cancelled_is_cancelled_afterwards(machine: Machine) -> None:
    announce(machine.one)
    assert machine.other.unwanted("r", 2) == []
    assert not machine.one.opened("r/a/", "r", "a", "fal", {"id": 1}, 3)


def test_a_provider_has_no_more_jobs_at_a_time_than_it_may(machine: Machine) -> None:
    """Counted over all processes; a job whose process died while it sent it holds nobody up."""
    for key in ("1", "2"):
        announce(machine.one, key)
    machine.one.opened("1", "r", "a", "fal", {}, 2)
    announce(machine.other, "3")
    with pytest.raises(NoRoom):
        announce(machine.other, "4")
    machine.other.announce("5", "r", "a", "openai", 1)  # another one's
    machine.one.ended("1", 3)
    announce(machine.other, "4")
    machine.first.close()
    announce(machine.other, "6")
    with pytest.raises(NoRoom):
        announce(machine.other, "7")
    machine.other.announce("8", "r", "a", "fal", 2 + FORSAKEN_MS)  # a quarter of an hour later, and nobody has asked for any of them


class Counting(Studio):
    """A provider that counts how many jobs it has."""

    def __init__(self) -> None:
        super().__init__("fal", waits=1)
        self.has: set[str] = set()
        self.peak = 0

    def step(self, job: Job, state: Mapping[str, Any] | None, desk: Desk) -> Done | Waiting:
        outcome = super().step(job, state, desk)
        self.has = self.has - {job.key} if isinstance(outcome, Done) else self.has | {job.key}
        self.peak = max(self.peak, len(self.has))
        return outcome


def test_jobs_wait_their_turn_at_a_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "TURN_MOST_S", 0.1)
    with builder(tmp_path, fal := Counting(), provider_jobs_max=1) as flows:
        run_id = flows.run([node("a", "text_to_image", prompt=["x", "y", "z"])])
        flows.until(lambda: "waits its turn: fal has as many" in str(flows.status(run_id)["nodeStatuses"]))
        assert flows.hurried(run_id)["status"] == "completed"
    assert (len(fal.submitted), fal.peak) == (3, 1)


def test_a_process_lives_until_the_kernel_says_otherwise(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from batuta_flows.records.alive import Alive; a = Alive(Path(sys.argv[1])); print(a.name, flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None and other.stdin is not None
    name, mine = other.stdout.readline().strip(), Alive(tmp_path)
    assert mine.knows(name) and mine.knows(mine.name)
    other.kill()
    other.wait()
    other.stdout.close()
    other.stdin.close()
    assert not mine.knows(name) and not mine.knows("") and not mine.knows("nobody")
    assert [path.name for path in tmp_path.iterdir()] == [mine.name]
