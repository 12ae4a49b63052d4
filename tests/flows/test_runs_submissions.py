"""Submissions: nothing that is paid for is sent twice, whoever dies when; and who is known to live."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from batuta_flows.errors import NodeFailed
from batuta_flows.records.alive import Alive
from batuta_flows.records.database import Database
from batuta_flows.records.submissions import InHand, Submissions


class Machine:
    """Two processes' records in one directory. `one` can be killed."""

    def __init__(self, directory: Path) -> None:
        database = Database(directory / "flows.db")
        self.first, self.second = Alive(directory / "alive"), Alive(directory / "alive")
        self.one, self.other = Submissions(database, self.first), Submissions(database, self.second)


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
