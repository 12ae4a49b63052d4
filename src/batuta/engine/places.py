"""
Places: who counts under which rate limit, and who waits in line. An index in memory over the stored executions, never the truth.

An execution counts from the moment it is decided that it goes on, which is before that is durable, until its end is durable: so at no instant more
are open on disk, or in memory, than the limit says. At start the index is read from the store.
Not here: what waiting means for an execution (core/places.py), what is done when a place is free (admission.py).
"""

from __future__ import annotations

Key = tuple[str, str]  # the workflow's name, and what its key came out as


class Places:
    """The places of every key, over one server. The line of a key is first come, first served."""

    def __init__(self) -> None:
        self._taken: dict[Key, set[str]] = {}
        self._lines: dict[Key, dict[str, int]] = {}  # execution -> how many may be open at once, as its own definition says
        self._keys: dict[str, Key] = {}  # of every execution in either

    def take(self, key: Key, execution_id: str, most: int) -> bool:
        """Give the execution a place, unless all are taken or others wait for one. Whoever has one keeps it."""
        if self.has(execution_id):
            return True
        taken = self._taken.get(key, ())
        if len(taken) >= most or self._lines.get(key):
            return False
        self.count(key, execution_id)
        return True

    def count(self, key: Key, execution_id: str) -> None:
        """The execution has a place, whatever the limit: it is open on disk."""
        self.leave(execution_id)
        self._taken.setdefault(key, set()).add(execution_id)
        self._keys[execution_id] = key

    def queue(self, key: Key, execution_id: str, most: int) -> None:
        """The execution waits, behind all that do; one that waits or counts already stays where it is."""
        if execution_id not in self._keys:
            self._lines.setdefault(key, {})[execution_id] = most
            self._keys[execution_id] = key

    def knows(self, execution_id: str) -> bool:
        """Whether the execution counts or waits."""
        return execution_id in self._keys

    def has(self, execution_id: str) -> bool:
        """Whether the execution has a place."""
        key = self._keys.get(execution_id)
        return key is not None and execution_id in self._taken.get(key, ())

    def leave(self, execution_id: str) -> Key | None:
        """The execution neither counts nor waits any more; the key it was under."""
        key = self._keys.pop(execution_id, None)
        if key is not None:
            for index in (self._taken, self._lines):
                members = index.get(key)
                if members is not None:
                    members.discard(execution_id) if isinstance(members, set) else members.pop(execution_id, None)
                    if not members:
                        del index[key]
        return key

    def next(self, key: Key) -> list[str]:
        """Those at the head of the line for whom there is a place now; they have it."""
        admitted: list[str] = []
        while (line := self._lines.get(key)) and len(self._taken.get(key, ())) < next(iter(line.values())):
            first = next(iter(line))
            self.count(key, first)
            admitted.append(first)
        return admitted

    def waited_for(self) -> list[Key]:
        """Every key that somebody waits under."""
        return list(self._lines)
