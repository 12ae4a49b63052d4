"""
Models of outside services: what they cost and until when they can be had. Read from models.toml, which says when it was last checked.

Here: the table and the sums. Not here: which model does which type of node (generation.py, processing.py), what was really spent (records/spend.py).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from datetime import date
from importlib import resources
from typing import Any, Final, Literal

import msgspec

Json = Any
Per = Literal["image", "megapixel", "second", "minute", "1k_chars", "1m_tokens", "result"]
CHARS_A_TOKEN: Final = 3  # four in English; fewer elsewhere, and an estimate had better be too high
CHARS_A_MINUTE: Final = 800
TOKENS_OUT: Final = 1_500  # what is written where `maxTokens` does not say
PIXELS: Final = 1_048_576  # of a picture whose size is left to the provider


class Model(msgspec.Struct, frozen=True, rename="camel"):
    """One model. `usd` for one unit; `ends`: the day it is shut down, if that is known, and what the provider recommends instead."""

    id: str
    usd: float
    per: Per
    usd_out: float = 0.0
    ends: date | None = None
    instead: str = ""

    def price_usd(self, settings: Mapping[str, Json]) -> float:
        """What one job with these settings costs, about. What is only known later, such as another node's text, counts as its usual size."""
        match self.per:
            case "megapixel":
                return self.usd * math.ceil(_pixels(settings) / PIXELS)
            case "second":
                return self.usd * _number(settings.get("duration"), 5)
            case "minute":
                spoken = _chars(settings, "text", "script") / CHARS_A_MINUTE
                return self.usd * max(1, math.ceil(spoken))
            case "1k_chars":
                return self.usd * max(1.0, _chars(settings, "text", "script")) / 1000
            case "1m_tokens":
                goes_in = _chars(settings, "prompt", "systemPrompt", "text") / CHARS_A_TOKEN
                return (self.usd * goes_in + self.usd_out * _number(settings.get("maxTokens"), TOKENS_OUT)) / 1e6
        return self.usd

    def tokens_usd(self, goes_in: int, comes_out: int) -> float:
        """What so many tokens have cost."""
        return (self.usd * goes_in + self.usd_out * comes_out) / 1e6


def _read() -> tuple[date, dict[tuple[str, str], Model]]:
    text = resources.files(__package__).joinpath("models.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    checked = table.pop("checked")
    return checked, {(provider, id): msgspec.convert({"id": id, **_camel(entry)}, Model) for provider, of in table.items() for id, entry in of.items()}


def _camel(entry: dict[str, Json]) -> dict[str, Json]:
    return {"usdOut" if name == "usd_out" else name: value for name, value in entry.items()}


CHECKED, MODELS = _read()


def model_of(provider: str, id: str) -> Model | None:
    """What is known of a model; None for one that nobody has written down, such as one of the user's own server."""
    return MODELS.get((provider, id))


def _chars(settings: Mapping[str, Json], *names: str) -> int:
    """How many characters these settings have together; a text that only another node knows counts as a thousand."""
    found = 0
    for name in names:
        value = settings.get(name)
        found += len(value) if isinstance(value, str) else 1000 if value is not None else 0
    return found


def _pixels(settings: Mapping[str, Json]) -> int:
    width, _, height = str(settings.get("size") or "").partition("x")
    return int(width) * int(height) if width.isdigit() and height.isdigit() else PIXELS


def _number(value: Json, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise
