"""
Portraits: a drawn person, the same for the same seed, with a mouth that opens and eyes that blink. Honest about being drawn.

Everything is laid out on a square of 720 units and drawn at twice its size, so that edges are smooth.
"""

from __future__ import annotations

import random
from typing import Final

import msgspec
from PIL import Image, ImageDraw, ImageFilter

UNITS: Final = 720
_FINER: Final = 2
_SKINS: Final = ("#f2c9a1", "#e8b58c", "#d9a074", "#b97a50", "#8d5a3b")
_HAIRS: Final = ("#4a3628", "#1e1a1a", "#6b4a2f", "#8f5a2b", "#b9a48a", "#7d7d80")
_SHIRTS: Final = ("#3b6ea5", "#8a4f7d", "#4f8a5b", "#b0563c", "#39424e", "#c29a3a")
_STYLES: Final = ("short", "long", "bun", "curls")
_WOMAN: Final = frozenset("woman girl lady she her queen mother sister actress daughter grandmother".split())
_MAN: Final = frozenset("man boy gentleman king father brother fisherman grandfather son captain".split())
_OLD: Final = frozenset("old elderly aged grandfather grandmother wise".split())


class Looks(msgspec.Struct, frozen=True):
    """What a person looks like."""

    skin: str
    hair: str
    shirt: str
    style: str = "short"
    glasses: bool = False
    beard: bool = False


def looks_of(words: list[str], seed: int) -> Looks:
    """A person that suits the words."""
    chance, said = random.Random(seed), set(words)
    style = chance.choice(_STYLES[1:] if said & _WOMAN else ("short", "curls") if said & _MAN else _STYLES)
    hair = "#c9c9c6" if said & _OLD else chance.choice(_HAIRS[:5])
    beard = not said & _WOMAN and style in ("short", "curls") and (bool(said & _OLD) or "beard" in said or chance.random() < 0.3)
    return Looks(chance.choice(_SKINS), hair, chance.choice(_SHIRTS), style, "glasses" in said, beard)


def draw(looks: Looks, ground: Image.Image, *, mouth: float = 0.0, blinks: bool = False) -> Image.Image:
    """The person before a ground, whose size the picture has. *mouth*: 0 closed with a smile, 1 wide open."""
    width, height = ground.size
    side = min(width, round(height * 1.0)) * _FINER
    layer = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    pen = _Pen(ImageDraw.Draw(layer), side / UNITS)
    _behind(pen, looks)
    _head(pen, looks)
    _eyes(pen, looks, blinks)
    _mouth(pen, looks, mouth)
    small = layer.resize((side // _FINER, side // _FINER), Image.Resampling.LANCZOS)
    made = ground.convert("RGBA")
    at = ((width - small.width) // 2, height - small.height)
    shadow = Image.new("RGBA", made.size, (0, 0, 0, 0))
    shadow.paste(Image.new("RGBA", small.size, (20, 20, 40, 70)), (at[0] + small.width // 60, at[1] + small.height // 90), small.getchannel("A"))
    made.alpha_composite(shadow.filter(ImageFilter.GaussianBlur(small.width / 40)))
    made.alpha_composite(small, at)
    return made.convert("RGB")


class _Pen:
    """Drawing in units of the square."""

    def __init__(self, pen: ImageDraw.ImageDraw, scale: float) -> None:
        self._pen, self._scale = pen, scale

    def ellipse(self, x: float, y: float, half_width: float, half_height: float, fill: str) -> None:
        self._pen.ellipse(self._box(x, y, half_width, half_height), fill=fill)

    def arc(self, x: float, y: float, half_width: float, half_height: float, begin: float, end: float, fill: str, width: float) -> None:
        self._pen.arc(self._box(x, y, half_width, half_height), begin, end, fill=fill, width=max(1, round(width * self._scale)))

    def slice(self, x: float, y: float, half_width: float, half_height: float, begin: float, end: float, fill: str) -> None:
        self._pen.chord(self._box(x, y, half_width, half_height), begin, end, fill=fill)

    def rounded(self, left: float, top: float, right: float, bottom: float, radius: float, fill: str) -> None:
        self._pen.rounded_rectangle([value * self._scale for value in (left, top, right, bottom)], radius * self._scale, fill=fill)

    def _box(self, x: float, y: float, half_width: float, half_height: float) -> list[float]:
        return [value * self._scale for value in (x - half_width, y - half_height, x + half_width, y + half_height)]


def _behind(pen: _Pen, looks: Looks) -> None:
    """Hair behind the head, the body, the neck."""
    if looks.style == "long":
        pen.rounded(196, 200, 524, 610, 150, looks.hair)
    if looks.style == "bun":
        pen.ellipse(360, 112, 62, 56, looks.hair)
    pen.rounded(140, 566, 580, 900, 130, looks.shirt)
    pen.ellipse(360, 572, 78, 44, shade(looks.skin, 0.9))
    pen.rounded(314, 470, 406, 580, 30, shade(looks.skin, 0.86))


def _head(pen: _Pen, looks: Looks) -> None:
    for x in (222, 498):
        pen.ellipse(x, 356, 22, 34, shade(looks.skin, 0.92))
    pen.ellipse(360, 350, 140, 172, looks.skin)
    if looks.style == "curls":
        for i in range(9):
            pen.ellipse(232 + 32 * i, 214 - 40 * (1 - ((i - 4) / 4) ** 2), 44, 44, looks.hair)
    else:
        pen.slice(360, 300, 146, 142, 196, 344, looks.hair)
        pen.slice(322, 262, 112, 88, 150, 330, looks.hair)
    if looks.beard:
        pen.slice(360, 404, 132, 124, 14, 166, looks.hair)
        pen.ellipse(360, 438, 84, 34, looks.hair)
    for x in (276, 444):
        pen.ellipse(x, 412, 26, 16, mixed(looks.skin, "#e08a7a", 0.28))


def _eyes(pen: _Pen, looks: Looks, blinks: bool) -> None:
    for x in (304, 416):
        pen.arc(x, 316, 36, 26, 205, 335, shade(looks.hair, 0.8), 9)
        if blinks:
            pen.arc(x, 338, 26, 14, 15, 165, "#2b2320", 6)
        else:
            pen.ellipse(x, 344, 28, 21, "#ffffff")
            pen.ellipse(x + 1, 345, 14, 15, "#3a2d26")
            pen.ellipse(x + 6, 339, 4, 4, "#ffffff")
        if looks.glasses:
            pen.arc(x, 345, 46, 40, 0, 360, "#2b2b30", 3)
    if looks.glasses:
        pen.arc(360, 345, 14, 10, 180, 360, "#2b2b30", 3)
    pen.arc(362, 384, 18, 22, 25, 155, shade(looks.skin, 0.72), 6)


def _mouth(pen: _Pen, looks: Looks, mouth: float) -> None:
    lips = mixed(looks.skin, "#a03c3c", 0.7)
    if mouth < 0.08:
        pen.arc(360, 428, 44, 26, 20, 160, lips, 8)
        return
    tall = 10 + 34 * mouth
    pen.ellipse(360, 442 + tall / 3, 44 - 6 * mouth, tall + 6, lips)
    pen.ellipse(360, 442 + tall / 3, 36 - 5 * mouth, tall, "#5a1f22")
    if mouth > 0.3:
        pen.slice(360, 442 + tall / 3, 32 - 4 * mouth, tall - 2, 205, 335, "#ffffff")
        pen.slice(360, 446 + tall / 3, 28, tall - 3, 25, 155, "#c4666a")


def shade(colour: str, factor: float) -> str:
    """The colour, darker (below 1) or lighter."""
    return "#" + "".join(f"{min(255, round(int(colour[i : i + 2], 16) * factor)):02x}" for i in (1, 3, 5))


def mixed(one: str, other: str, share: float) -> str:
    """A colour between two."""
    return "#" + "".join(f"{round(int(one[i : i + 2], 16) * (1 - share) + int(other[i : i + 2], 16) * share):02x}" for i in (1, 3, 5))
