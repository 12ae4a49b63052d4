"""
What a provider's adapter is to the workers: one function that takes a job a step further.

A step either ends the job or says what to remember and when to come back. What is remembered is stored with the task before anything else happens, so
a worker that dies between two steps loses nothing, and whoever takes over asks for the job that was paid for instead of submitting it again.

Here: the shapes, nothing that runs. Not here: choosing a provider, remembering results, counting money (workers/).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from batuta_flows.assets.store import AssetStore

Json = Any


class Job(msgspec.Struct, frozen=True):
    """One run of one node, or of one item of it. `settings` are complete: references filled, defaults in place, one prompt."""

    type: str
    settings: dict[str, Json]
    model: str  # empty: the adapter's own default
    seed: int  # from the settings, or derived from them: the same job has the same seed
    key: str  # unique for this job for ever: run, node and item; for providers that know idempotency keys


class Done(msgspec.Struct, frozen=True):
    """The job's end. `outputs` by name of the type's outputs; media as `asset://…`. `cost_usd`: what it cost, as far as known."""

    outputs: dict[str, Json]
    model: str = ""
    request_id: str = ""
    cost_usd: float = 0.0


class Waiting(msgspec.Struct, frozen=True):
    """The provider is at it. `state` is handed to the next step; `progress` is 0 to 1 where known, `note` a word for people such as "3rd in the queue"."""

    state: dict[str, Json]
    again_in_s: float
    progress: float | None = None
    note: str = ""


class Desk(Protocol):
    """What a step may use while it runs."""

    assets: AssetStore
    directory: Path  # for this step alone, empty, gone afterwards

    @property
    def is_cancelled(self) -> bool:
        """Nobody wants the result any more; stop at the next good place."""
        ...

    def log(self, line: str) -> None:
        """A line for the node's log. Never a key."""
        ...

    def progress(self, fraction: float, note: str = "") -> None:
        """How far the job is, 0 to 1; shown on the node."""
        ...

    def submitting(self) -> None:
        """
        To be called right before a paid request is sent: that it may have been sent is durable when this returns.

        Raises:
            NodeFailed: it was about to be sent once before and nobody knows whether it was; a person has to decide.
        """
        ...


class Adapter(Protocol):
    """One provider, made once a process; safe for several threads."""

    id: str

    def step(self, job: Job, state: Mapping[str, Json] | None, desk: Desk) -> Done | Waiting:
        """
        Begin the job (`state` None), or look after it (the `state` of the last step).

        Raises:
            NodeFailed: it cannot be done; its code and may_retry say of which kind the fault is.
        """
        ...

    def cancel(self, job: Job, state: Mapping[str, Json]) -> None:
        """Tell the provider that nobody wants the result. What cannot be cancelled any more is no error."""
        ...
