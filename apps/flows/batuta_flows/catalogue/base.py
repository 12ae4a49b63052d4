"""
The words in which a node type is described: media, ports, fields, providers.

Here: the structures, what connects to what, and their JSON Schema for forms. Not here: the types themselves (input.py, generation.py, processing.py,
output.py) and what their workers do.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from batuta_flows.catalogue.models import model_of

Json = Any


class Medium(enum.StrEnum):
    """What flows through a port. Media travel by reference: `asset://…` or a URL, never as bytes."""

    TEXT = "text"
    NUMBER = "number"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    FILE = "file"  # any of the three above, not known which
    JSON = "json"


MEDIA: Final = frozenset({Medium.IMAGE, Medium.VIDEO, Medium.AUDIO, Medium.FILE})

Arity = Literal["one", "many", "either"]
"""How many values a port takes: `either` is one, or with "aggregate" the whole list."""

Kind = Literal["text", "longtext", "number", "integer", "boolean", "choice", "model", "media", "list", "color"]
"""How a form shows a field."""


class Output(msgspec.Struct, frozen=True):
    """A port that results leave by."""

    name: str
    medium: Medium
    many: bool = False


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """
    One field of a node's settings. With *accepts* it is an input port as well: a value or a reference to another node's output.

    `default` None: there is none, and the field may stay empty unless it is required. `pattern`: what a text has to look like, whole.
    """

    name: str
    title: str
    kind: Kind = "text"
    default: Json = None
    required: bool = False
    accepts: tuple[Medium, ...] = ()
    arity: Arity = "one"
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    help: str = ""
    advanced: bool = False
    pattern: str = ""

    @property
    def is_port(self) -> bool:
        return bool(self.accepts)

    def takes_many(self, aggregate: bool) -> bool:
        """Whether a list is taken whole, instead of item by item."""
        return self.arity == "many" or (self.arity == "either" and aggregate)

    def schema(self) -> dict[str, Json]:
        """The field as JSON Schema, with what a form wants to know under `x-ui`."""
        schema: dict[str, Json] = {"title": self.title, **_TYPES[self.kind]}
        if self.choices and self.kind == "choice":
            schema["enum"] = list(self.choices)
        told = {"default": self.default, "minimum": self.minimum, "maximum": self.maximum, "pattern": self.pattern or None, "description": self.help or None}
        schema |= {word: value for word, value in told.items() if value is not None}
        hints: dict[str, Json] = {"kind": self.kind, "advanced": self.advanced}
        if self.is_port:
            hints |= {"accepts": [str(m) for m in self.accepts], "arity": self.arity}
        return {**schema, "x-ui": hints}


_TYPES: Final[Mapping[str, dict[str, Json]]] = {
    "text": {"type": "string"},
    "longtext": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "choice": {"type": "string"},
    "model": {"type": "string"},
    "media": {"type": "string", "format": "uri-reference"},
    "list": {"type": "array"},
    "color": {"type": "string"},
}


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """
    Who can do a node's work. `needs`: variables of the environment without which it is not configured; `ignores`: fields it cannot honour.

    `cost_usd` is a rough price for one result of a model that is not in models.toml; 0 for what runs on this machine.
    """

    id: str
    title: str
    needs: tuple[str, ...] = ()
    models: tuple[str, ...] = ()  # the first is the default
    ignores: tuple[str, ...] = ()
    cost_usd: float = 0.0
    note: str = ""

    @property
    def is_local(self) -> bool:
        return not self.needs

    def model(self, settings: Mapping[str, Json]) -> str:
        """The model that does the work of a node with these settings."""
        wanted = settings.get("model") if "model" not in self.ignores else None
        return str(wanted or next(iter(self.models), ""))

    def price_usd(self, settings: Mapping[str, Json]) -> float:
        """What one job costs, about: for estimates, and to be booked before it is sent."""
        known = model_of(self.id, self.model(settings))
        return self.cost_usd if known is None else known.price_usd(settings)

    def schema(self) -> dict[str, Json]:
        """The provider as `GET /node-types` shows it: with the price of each model, and the day it ends."""
        known = {id: model_of(self.id, id) for id in self.models}
        details = [
            {"id": id, "usd": model.usd, "per": model.per, "ends": model.ends.isoformat() if model.ends else None, "instead": model.instead}
            for id, model in known.items()
            if model is not None
        ]
        return {**msgspec.to_builtins(self), "modelDetails": details}


class NodeType(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of node. `version` is part of the key under which results are remembered: raise it when the same inputs give something else."""

    name: str
    title: str
    category: Literal["input", "generation", "processing", "output"]
    icon: str
    summary: str
    fields: tuple[Field, ...]
    outputs: tuple[Output, ...]
    providers: tuple[Provider, ...]
    estimate_s: int
    version: int = 1
    outputs_by: Callable[[Mapping[str, Json]], tuple[Output, ...]] | None = None  # where the settings decide what comes out

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)

    def outputs_of(self, settings: Mapping[str, Json]) -> tuple[Output, ...]:
        """What comes out of a node with these settings."""
        return self.outputs_by(settings) if self.outputs_by is not None else self.outputs

    def output(self, name: str, settings: Mapping[str, Json]) -> Output | None:
        return next((output for output in self.outputs_of(settings) if output.name == name), None)

    def provider(self, id: str) -> Provider | None:
        return next((provider for provider in self.providers if provider.id == id), None)

    def aggregates(self) -> bool:
        """Whether some port can take a whole list."""
        return any(field.arity != "one" for field in self.fields)

    def schema(self) -> dict[str, Json]:
        """The type as `GET /node-types` shows it: JSON Schema of its settings, ports, providers."""
        return {
            "type": self.name,
            "title": self.title,
            "category": self.category,
            "icon": self.icon,
            "summary": self.summary,
            "version": self.version,
            "estimatedTime": self.estimate_s,
            "settings": {
                "type": "object",
                "properties": {field.name: field.schema() for field in self.fields},
                "required": [field.name for field in self.fields if field.required],
            },
            "inputs": [
                {"name": f.name, "accepts": [str(m) for m in f.accepts], "arity": f.arity, "required": f.required} for f in self.fields if f.is_port
            ],
            "outputs": _shown(self.outputs),
            "variants": list(self._variants()),
            "providers": [provider.schema() for provider in self.providers],
        }

    def _variants(self) -> Iterator[dict[str, Json]]:
        """Where one setting decides what comes out: its value, None for none, and the outputs that differ from the declared ones."""
        if self.outputs_by is None:
            return
        for field in self.fields:
            values = field.choices if field.kind == "choice" else (None,) if field.kind == "media" and not field.required else ()
            for value in values:
                if (found := self.outputs_by({field.name: value})) != self.outputs and found != self.outputs_by({field.name: "x"}):
                    yield {"field": field.name, "value": value, "outputs": _shown(found)}


def _shown(outputs: tuple[Output, ...]) -> list[dict[str, Json]]:
    return [{"name": o.name, "medium": str(o.medium), "many": o.many} for o in outputs]


def fits(source: Medium, accepts: tuple[Medium, ...]) -> bool:
    """Whether what comes from a port of this medium may go into one that accepts these."""
    if source in accepts or Medium.JSON in accepts:
        return True
    if source is Medium.NUMBER:
        return Medium.TEXT in accepts
    if source is Medium.FILE:
        return any(medium in MEDIA for medium in accepts)
    if source is Medium.JSON:
        return Medium.TEXT in accepts
    return source in MEDIA and Medium.FILE in accepts
