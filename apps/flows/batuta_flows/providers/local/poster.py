"""
Posters: the words of a prompt set in type over soft shapes, for what the drawing program has no picture of: covers, titles, ideas.

The typeface is Roboto Medium (fonts/), cut down to the letters of Latin, Greek and Cyrillic; words in other scripts are left out.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from batuta_flows.providers.local.text import keywords

FONT: Final = "Roboto Medium"
COLOURS: Final = {
    "red": (196, 58, 52), "blue": (44, 98, 178), "green": (58, 132, 88), "gold": (206, 160, 62), "yellow": (226, 184, 66), "orange": (224, 122, 50),
    "purple": (118, 76, 158), "pink": (216, 112, 148), "black": (38, 38, 44), "white": (236, 234, 228), "teal": (40, 138, 142), "brown": (124, 84, 58),
    "grey": (130, 134, 140), "gray": (130, 134, 140), "silver": (182, 186, 192), "turquoise": (62, 170, 170), "beige": (214, 196, 168),
}  # fmt: skip
_PALETTES: Final = (
    ((24, 38, 72), (222, 104, 84), (244, 196, 118)), ((18, 62, 66), (64, 152, 132), (238, 214, 150)), ((58, 32, 78), (196, 82, 126), (246, 190, 148)),
    ((34, 40, 48), (92, 112, 142), (206, 214, 222)), ((92, 36, 40), (212, 112, 72), (248, 214, 160)), ((20, 52, 96), (70, 136, 190), (232, 226, 204)),
)  # fmt: skip
_TITLE: Final = re.compile(r"[\"“‘']([^\"”’']{2,80})[\"”’']|:\s*([^.:!?\n]{2,80})|(?:called|titled|named|says|reading)\s+([^.,:!?\n]{2,60})")


@cache
def fonts() -> Path:
    """The directory of the typeface."""
    return Path(str(resources.files("batuta_flows"))) / "providers" / "local" / "fonts"


@cache
def typeface(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(fonts() / "Roboto-Medium.ttf"), size)


def colours(words: list[str], seed: int) -> tuple[tuple[int, int, int], ...]:
    """A dark, a middle and a light colour: those that the words name, else some that go together."""
    named = [COLOURS[word] for word in words if word in COLOURS]
    dark, middle, light = _PALETTES[seed % len(_PALETTES)]
    if named:
        middle = named[0]
        light = named[1] if len(named) > 1 else _towards(middle, 255, 0.6)
        dark = _towards(middle, 0, 0.65)
    return dark, middle, light


def draw(prompt: str, seed: int, size: tuple[int, int]) -> Image.Image:
    """The words over soft shapes."""
    words = keywords(prompt)
    image = ground(words, seed, size)
    title, below = _words(prompt, words)
    if title:
        _set(image, title, below)
    return image


def ground(words: list[str], seed: int, size: tuple[int, int]) -> Image.Image:
    """Soft shapes in the colours of the words."""
    chance, (width, height) = np.random.default_rng([seed, 7]), size
    dark, middle, light = colours(words, seed)
    rows, columns = np.mgrid[0:height:4, 0:width:4].astype(np.float32)
    rows, columns = rows / height, columns / width
    share: Any = (columns * chance.uniform(0.3, 0.8) + rows)[..., None] / 1.6
    pixels = np.array(dark, np.float32) * (1 - share) + np.array(middle, np.float32) * share
    for colour, reach in ((middle, 0.5), (light, 0.34), (middle, 0.3), (dark, 0.4), (light, 0.2)):
        x, y, wide = chance.uniform(-0.1, 1.1), chance.uniform(-0.1, 1.1), reach * chance.uniform(0.7, 1.3)
        near = np.exp(-(((columns - x) / wide) ** 2 + ((rows - y) / wide) ** 2) * 2)[..., None] * 0.75
        pixels += (np.array(colour, np.float32) - pixels) * near
    small = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")
    made = small.resize(size, Image.Resampling.BICUBIC).convert("RGBA")
    _rings(made, chance, light)
    return made.convert("RGB")


def _rings(image: Image.Image, chance: np.random.Generator, colour: tuple[int, int, int]) -> None:
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen, side = ImageDraw.Draw(layer), min(image.size)
    x, y = image.width * chance.uniform(0.65, 0.95), image.height * chance.uniform(0.1, 0.5)
    for i in range(1, 8):
        radius = side * 0.085 * i
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=(*colour, 74 - 8 * i), width=max(1, side // 180))
    image.alpha_composite(layer.filter(ImageFilter.SMOOTH))


def _words(prompt: str, words: list[str]) -> tuple[str, str]:
    """What is set large and what below it: a title in the prompt, else the words that carry it."""
    found = _TITLE.search(prompt)
    title = next((part for part in found.groups() if part), "").strip() if found else ""
    shown = [word for word in words if word not in COLOURS]
    if title:
        return _shown(title), ""
    return _shown(" ".join(shown[:3]).title() or prompt[:40]), _shown("  ·  ".join(shown[3:7]))


def _shown(text: str) -> str:
    """The part of a text for which the typeface has letters."""
    return " ".join("".join(c for c in text if ord(c) < 0x530 or 0x1E00 <= ord(c) < 0x2200).split())


def _set(image: Image.Image, title: str, below: str) -> None:
    width, height = image.size
    margin, most = round(min(width, height) * 0.09), width - 2 * round(min(width, height) * 0.09)
    size = round(min(width * 0.16, height * 0.2))
    lines = _lines(title, size, most)
    while size > 10 and (len(lines) * size * 1.12 > height * 0.62 or any(typeface(size).getlength(line) > most for line in lines)):
        size = round(size * 0.92)
        lines = _lines(title, size, most)
    pen = ImageDraw.Draw(image)
    small = max(9, round(size * 0.3))
    top = height - margin - (small * 2 if below else 0) - len(lines) * size * 1.12
    pen.rectangle((margin, top - size * 0.35, margin + size * 0.9, top - size * 0.35 + max(2, size // 14)), fill=(255, 255, 255))
    for i, line in enumerate(lines):
        pen.text((margin, top + i * size * 1.12), line, font=typeface(size), fill=(255, 255, 255))
    if below:
        pen.text((margin, height - margin - small), below, font=typeface(small), fill=(238, 236, 230))


def _lines(text: str, size: int, most: float) -> list[str]:
    """The text in lines that fit, as far as words allow."""
    lines: list[str] = []
    for word in text.split():
        if lines and typeface(size).getlength(f"{lines[-1]} {word}") <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines or [""]


def _towards(colour: tuple[int, int, int], end: int, share: float) -> tuple[int, int, int]:
    red, green, blue = (round(value + (end - value) * share) for value in colour)
    return red, green, blue
