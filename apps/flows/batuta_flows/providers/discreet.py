"""
An adapter that keeps its keys to itself. Services repeat keys in their errors ("Incorrect API key provided: sk-…"), and what a node says of a failure goes
into the orchestrator, the history and the browser: keys are struck out before it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from batuta_flows.errors import NodeFailed
from batuta_flows.providers.protocol import Adapter, Desk, Done, Job, Waiting

Json = Any
_SHORTEST: Final = 6  # shorter ones are no keys, and would strike out words
_STRUCK: Final = "***"


class Discreet:
    """*adapter*, with *secrets* struck out of what it says of failures."""

    def __init__(self, adapter: Adapter, *secrets: str) -> None:
        self.id, self.adapter = adapter.id, adapter
        parts = {part for secret in secrets for part in (secret, *secret.split(":"))}  # a key of fal is an id and a secret
        self._secrets = sorted((part for part in parts if len(part) >= _SHORTEST), key=len, reverse=True)

    def step(self, job: Job, state: Mapping[str, Json] | None, desk: Desk) -> Done | Waiting:
        """A step of the adapter."""
        try:
            return self.adapter.step(job, state, desk)
        except NodeFailed as failure:
            if not any(secret in str(failure) for secret in self._secrets):
                raise
            said = self._struck(failure.message)
            raise NodeFailed(
                failure.code, said, fix=self._struck(failure.fix), may_retry=failure.may_retry, retry_after_s=failure.retry_after_s
            ) from None  # what caused it has the key in it

    def cancel(self, job: Job, state: Mapping[str, Json]) -> None:
        """Cancel at the provider."""
        self.adapter.cancel(job, state)

    def _struck(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _STRUCK)
        return text
