"""
Fields and providers that several node types share.

Not here: which type has which (input.py, generation.py, processing.py, output.py). Prices are rough, in US dollars for one result of usual size, and are
meant for estimates and caps only.
"""

from __future__ import annotations

from typing import Final

from batuta_flows.catalogue.base import Field, Medium, Provider

TEXTS: Final = (Medium.TEXT,)
IMAGES: Final = (Medium.IMAGE,)
VIDEOS: Final = (Medium.VIDEO,)
AUDIOS: Final = (Medium.AUDIO,)
PROMPTS: Final = ("prompt", "prompt2", "prompt3", "prompt4")


def prompts(default: str, title: str = "Prompt") -> tuple[Field, ...]:
    """A prompt, and up to three more that are laid behind it when `concatPrompts` is on."""
    return (
        Field(name="prompt", title=title, kind="longtext", default=default, required=True, accepts=TEXTS),
        Field(name="concatPrompts", title="Concat more prompts", kind="boolean", default=False, advanced=True),
        *(Field(name=name, title=f"Prompt {i}", kind="longtext", accepts=TEXTS, advanced=True) for i, name in enumerate(PROMPTS[1:], 2)),
    )


def source(name: str, title: str, accepts: tuple[Medium, ...], *, required: bool = True) -> Field:
    """One medium to work on."""
    return Field(name=name, title=title, kind="media", required=required, accepts=accepts)


MODEL: Final = Field(name="model", title="Model", kind="model", help="Empty: the provider's default", advanced=True)
SEED: Final = Field(name="seed", title="Seed", kind="integer", minimum=0, maximum=2**31 - 1, help="The same seed, the same result, where the provider allows")
PROVIDER: Final = Field(
    name="provider", title="Provider", kind="text", default="auto", help="auto: the first one that is configured, else the one on this machine"
)
ASPECT: Final = Field(name="aspectRatio", title="Aspect ratio", kind="choice", default="16:9", choices=("1:1", "16:9", "9:16", "4:3", "3:4"))


def colour(name: str, title: str, default: str) -> Field:
    return Field(name=name, title=title, kind="color", default=default, pattern="^#[0-9a-fA-F]{6}$", help="#rrggbb, such as #ffcc00", advanced=True)


SIZE: Final = Field(name="size", title="Size", kind="text", pattern=r"^[1-9]\d{1,3}x[1-9]\d{1,3}$", help="WIDTHxHEIGHT; empty: by aspect ratio", advanced=True)


def seconds(default: float, least: float, most: float) -> Field:
    return Field(name="duration", title="Duration (s)", kind="number", default=default, minimum=least, maximum=most)


def local(note: str, *, ignores: tuple[str, ...] = ()) -> Provider:
    """What this machine can do by itself, named for what it is."""
    return Provider(id="local", title="This machine", ignores=("model", *ignores), note=note)


def openai(*models: str, cost_usd: float, ignores: tuple[str, ...] = ()) -> Provider:
    return Provider(id="openai", title="OpenAI", needs=("OPENAI_API_KEY",), models=models, ignores=ignores, cost_usd=cost_usd)


def fal(*models: str, cost_usd: float, ignores: tuple[str, ...] = ()) -> Provider:
    return Provider(id="fal", title="fal", needs=("FAL_KEY",), models=models, ignores=ignores, cost_usd=cost_usd)


SERVICE: Final = Provider(id="service", title="Content service", needs=("CONTENT_SERVICE_URL",), ignores=("model", "seed"))
