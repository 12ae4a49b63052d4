"""The machine's time: it follows the wall clock ahead and never back, whoever asks for it meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from batuta.engine.clock import SystemClock

BEGAN = 1_700_000_000_000


class Machine:
    """Its two clocks, moved by hand. `meanwhile` happens when the wall clock is looked at, once: another thread has its turn there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.monotonic = BEGAN, 5_000
        self.meanwhile: Callable[[], None] = lambda: None
        monkeypatch.setattr(time, "time_ns", self._time_ns)
        monkeypatch.setattr(time, "monotonic_ns", lambda: self.monotonic * 1_000_000)

    def _time_ns(self) -> int:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return self.wall * 1_000_000

    def pass_ms(self, ms: int, *, set_by: int = 0) -> None:
        self.monotonic += ms
        self.wall += ms + set_by


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


#    passes  the wall clock is set by   then it is
MOVES = [
    (0,      0,                         0),
    (1,      0,                         1),
    (1_000,  0,                         1_000),
    (1_000,  900,                       1_000),    # slewed
    (1_000,  60_000,                    61_000),   # set ahead: what is due then fires
    (1_000,  -60_000,                   1_000),    # set back: not noticed while the process lives
]  # fmt: skip


@pytest.mark.parametrize(("passes", "set_by", "then"), MOVES)
def test_it_goes_with_the_wall_clock_and_never_back(machine: Machine, passes: int, set_by: int, then: int) -> None:
    clock = SystemClock()
    assert clock.now() == BEGAN
    machine.pass_ms(passes, set_by=set_by)
    assert [clock.now(), clock.now()] == [BEGAN + then] * 2
    machine.pass_ms(10)
    assert clock.now() == BEGAN + then + 10


def test_a_jump_that_two_threads_see_is_one_jump(machine: Machine) -> None:
    clock, answered = SystemClock(), list[int]()

    def other() -> None:
        machine.pass_ms(40)
        answered.append(clock.now())

    machine.pass_ms(1, set_by=60_000)
    machine.meanwhile = other
    answered.append(clock.now())
    assert answered[0] == BEGAN + 60_041 and BEGAN + 60_001 <= answered[1] <= BEGAN + 60_041
    machine.pass_ms(1)
    assert clock.now() == BEGAN + 60_042


def test_who_was_held_up_while_asking_takes_nobody_back(machine: Machine) -> None:
    clock = SystemClock()

    def other() -> None:
        machine.pass_ms(40)
        assert clock.now() == BEGAN + 41

    machine.pass_ms(1)
    machine.meanwhile = other
    assert clock.now() == BEGAN + 1  # it asked before the other did
    assert clock.now() == BEGAN + 41
