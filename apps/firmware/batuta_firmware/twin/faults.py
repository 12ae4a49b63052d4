"""
What can be made to go wrong with the twin: one frozen record of knobs, and how to read them from words.

Here: names, types and meaning of the knobs. Not here: what each does (device.py, web.py, ota.py).
A knob that counts (`lose_invitations=2`) is used up as it strikes; one that names a byte strikes every time, unless `strikes` bounds it.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, get_args, get_type_hints


@dataclass(frozen=True, slots=True)
class Faults:
    # on the wire
    lose_invitations: int = 0  # ignore this many invitations
    refuse_connect_back: int = 0  # accept this many invitations, then never connect
    drop_at: int | None = None  # close the connection after this many bytes
    stall_at: int | None = None  # stop reading after this many bytes, without closing
    power_cut_at: int | None = None  # lose power after this many bytes were written, and start again
    corrupt: int = 0  # damage one byte of this many transfers: the MD5 will not match
    no_verdict: int = 0  # close this many transfers without a word after the last byte
    strikes: int = -1  # how often drop_at, stall_at and power_cut_at strike; -1 is always
    bytes_per_second: int = 0  # how fast flash takes data; 0 is at once
    # while starting
    boot_failure: bool = False  # what was flashed does not start: the old image returns
    dead_after_flash: bool = False  # nothing answers after the next flash
    reboot_delay_s: float = 0.1
    offline: bool = False  # nothing answers
    # while running
    heap_bytes: int | None = None  # report this much free heap
    fps: float | None = None  # report this many frames a second
    identity: str | None = None  # report this commit
    info: str = "k1"  # shape of /api/device/info: k1, guide (the one in the guides), bare (K1 as shipped, without a commit)
    rate_limit: bool = True


class FaultBox:
    """The faults in force, shared by the twin's threads."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._faults = faults or Faults()
        self._lock = threading.Lock()

    @property
    def now(self) -> Faults:
        return self._faults

    def set(self, **changes: Any) -> Faults:
        with self._lock:
            self._faults = dataclasses.replace(self._faults, **changes)
            return self._faults

    def use_up(self, name: str) -> bool:
        """True when the counting fault *name* strikes now; one strike fewer is left then."""
        with self._lock:
            left = int(getattr(self._faults, name))
            if left == 0:
                return False
            if left > 0:
                fewer: dict[str, Any] = {name: left - 1}
                self._faults = dataclasses.replace(self._faults, **fewer)
            return True

    def bytes_left(self, byte: int) -> int:
        """How many bytes a transfer may take after *byte* before the next fault that names one strikes."""
        places = (self._faults.drop_at, self._faults.stall_at, self._faults.power_cut_at)
        return min((place - byte for place in places if place is not None and place > byte), default=1 << 30)

    def strike_at(self, name: str, byte: int) -> bool:
        """True when fault *name* strikes at *byte* of a transfer."""
        at = getattr(self._faults, name)
        return at is not None and byte >= at and self.use_up("strikes")


def parse(words: Iterable[str]) -> dict[str, Any]:
    """
    The changes written as `name=value` in *words*; a bare `name` sets a switch.

    Raises:
        ValueError: an unknown name or a value that does not fit, with the names there are.
    """
    hints = get_type_hints(Faults)
    changes: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in hints:
            raise ValueError(f"unknown fault {name!r}; there are: {', '.join(field.name for field in fields(Faults))}")
        changes[name] = _value(name, value, hints[name])
    return changes


def _value(name: str, text: str, hint: Any) -> Any:
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not type(None)]
    if type(None) in get_args(hint) and text in ("", "none"):
        return None
    if kinds[0] is bool:
        if text not in ("", "true", "false"):
            raise ValueError(f"fault {name} is {text!r}; expected true or false")
        return text != "false"
    try:
        return kinds[0](text)
    except ValueError:
        raise ValueError(f"fault {name} is {text!r}; expected {kinds[0].__name__}") from None
