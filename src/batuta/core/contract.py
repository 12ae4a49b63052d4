"""
Contracts: which schema a payload has to fit, as a definition's `inputSchema`, `outputSchema` and `enforceSchema` say it.

Here: when a contract holds, and the sentence for a payload that does not fit. Not here: what a schema means (json_schema.py), where payloads are held
against their contract (flow.py, ending.py, turn.py, and engine/starts.py for the input of an execution), what is registered (engine/schemas.py).
Source: conductor-rest-api.md §3.1-§3.3; Conductor OSS keeps these fields and enforces none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from batuta.core.json_schema import Schema, bundled, schema_problem
from batuta.core.model.task import Json

Side = Literal["input", "output"]
ENFORCED: Final = (None, "JSON")  # types of schemas; AVRO and PROTOBUF are kept and not enforced
LATEST: Final = 0
FIELDS: Final = ("inputSchema", "outputSchema")

Registered = Callable[[str, int], Json | None]
"""The registered schema of this name and version (0: the latest), or None."""


def NOTHING(name: str, version: int) -> None:
    """Nothing is registered."""


class Contract:
    """What the payloads of one side must be. Compiled when the first one comes, kept with the snapshot it belongs to."""

    __slots__ = ("_failure", "_names", "_schema", "_side", "raw")

    def __init__(self, raw: Json, side: Side) -> None:
        self.raw, self._side = raw, side
        self._names = f"schema {raw.get('externalRef') or raw.get('name')!r} version {raw.get('version') or 'latest'}"
        self._schema: Schema | None = None
        self._failure: str | None = None  # why there is no schema to compile

    def misfit(self, payload: Json, masked: frozenset[str] = frozenset()) -> str | None:
        """
        The sentence for a payload that does not fit, or None; values of *masked* members are not told.

        Takes some 30 µs for a payload of a few members; the first time, milliseconds.
        """
        schema = self._schema or self._compiled()
        problems = [self._failure] if schema is None else schema.problems(payload, masked)
        return f"{self._side} does not fit {self._names}: {'; '.join(map(str, problems))}" if problems else None

    def _compiled(self) -> Schema | None:
        data = self.raw.get("data")
        if data is None:
            self._failure = "it is not registered (POST /api/schema), and the definition has none of its own"
        elif (problem := schema_problem(data)) is not None:
            self._failure = problem
        else:
            self._schema = Schema(data)
        return self._schema


def contract_of(definition: Json, side: Side) -> Contract | None:
    """What the payloads of this side of a workflow or task definition must be; None when nothing is asked of them."""
    raw = definition.get(f"{side}Schema")
    return Contract(raw, side) if raw and definition.get("enforceSchema") and _asks(raw) else None


def _asks(raw: Json) -> bool:
    return raw.get("type") in ENFORCED and bool(raw.get("data") is not None or raw.get("externalRef") or raw.get("name"))


def settled(definition: Json, registered: Registered) -> Json:
    """The definition with the schemas it enforces by name put in, as they are registered now; itself when there is none."""
    if not definition.get("enforceSchema"):
        return definition
    found = {field: _settled(raw, registered) for field in FIELDS if (raw := definition.get(field)) and _asks(raw)}
    return {**definition, **found} if found else definition


def _settled(raw: Json, registered: Registered) -> Json:
    data = raw.get("data")
    if data is None and (kept := registered(raw.get("externalRef") or raw["name"], raw.get("version", LATEST))) is not None:
        if kept.get("type") not in ENFORCED:
            return {**raw, "type": kept["type"]}
        data = kept.get("data")
    if not isinstance(data, dict):
        return raw
    return {**raw, "data": bundled(data, lambda name: _referred(name, registered))}


def _referred(reference: str, registered: Registered) -> Json | None:
    """What `schema:NAME` or `schema:NAME/VERSION` stands for."""
    name, _, version = reference.partition(":")[2].rpartition("/")
    kept = registered(name, int(version)) if name and version.isdecimal() else registered(reference.partition(":")[2], LATEST)
    return None if kept is None else kept.get("data")


def problem_of(raw: Json) -> str | None:
    """Why this SchemaDef's own schema could not be enforced, or None; enforced now or not. May take milliseconds."""
    return schema_problem(raw["data"]) if raw.get("type") in ENFORCED and raw.get("data") is not None else None
