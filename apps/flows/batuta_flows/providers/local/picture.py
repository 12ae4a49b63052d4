"""
The drawing program: pictures that follow the words of a prompt, the same for the same seed.

    a person                        a portrait (portrait.py)
    a thing to be sold or shown     the thing on a studio's ground (things.py)
    a place, a season, an animal    a landscape: sky by time of day, ridges of hills, sea, forest, city or land, and who stands in it
    anything else                   its words, set in type (poster.py)
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from batuta_flows.providers.local import portrait, poster, things
from batuta_flows.providers.local.text import keywords

Pixels = np.ndarray[Any, np.dtype[np.float32]]
SIZES: Final = {"1:1": (1024, 1024), "16:9": (1280, 720), "9:16": (720, 1280), "4:3": (1152, 864), "3:4": (864, 1152)}

#                 sky above         sky below         far ridge         near ridge       sun or moon
_LIGHT: Final = {
    "day":     ((84, 148, 214),   (206, 228, 240),  (126, 154, 172),  (64, 98, 74),    (255, 246, 214)),
    "sunset":  ((58, 54, 108),    (248, 168, 98),   (120, 84, 116),   (44, 36, 58),    (255, 214, 140)),
    "night":   ((10, 14, 36),     (40, 52, 92),     (30, 38, 66),     (12, 16, 30),    (232, 236, 246)),
    "mist":    ((150, 166, 178),  (224, 230, 232),  (168, 182, 188),  (96, 116, 118),  (244, 244, 240)),
}  # fmt: skip
_TIMES: Final = {
    "night": "night", "moon": "night", "stars": "night", "dark": "night", "midnight": "night",
    "sunset": "sunset", "dusk": "sunset", "evening": "sunset", "dawn": "sunset", "sunrise": "sunset", "golden": "sunset", "autumn": "sunset",
    "mist": "mist", "fog": "mist", "rain": "mist", "winter": "mist", "snow": "mist", "quiet": "mist",
}  # fmt: skip
_GROUNDS: Final = {
    "sea": "sea", "ocean": "sea", "shore": "sea", "harbour": "sea", "lake": "sea", "water": "sea", "beach": "sea",
    "forest": "forest", "tree": "forest", "trees": "forest", "wood": "forest", "jungle": "forest",
    "city": "city", "street": "city", "town": "city", "skyline": "city", "glass": "city", "cyberpunk": "city",
}  # fmt: skip


_NATURE: Final = frozenset(
    "landscape mountain mountains hill hills valley river sky nature scene field meadow desert island sun cloud clouds garden earth planet horizon countryside"
    " cinematic road story world place morning day spring summer park waterfall volcano canyon cliff snowy misty foggy rainy".split()
)
_PEOPLE: Final = frozenset(
    "portrait person face man woman boy girl people presenter avatar selfie headshot model actor actress queen king lady gentleman mother father grandmother"
    " grandfather doctor teacher scientist chef musician speaker smiling".split()
)
_TYPE: Final = frozenset("cover poster podcast logo title banner typography quote headline lettering album flyer abstract pattern".split())


def draw(prompt: str, seed: int, size: tuple[int, int]) -> Image.Image:
    """A picture of *size* pixels, width then height."""
    words = keywords(prompt)
    said = set(words)
    if said & _TYPE:
        return poster.draw(prompt, seed, size)
    if said & _PEOPLE:
        return portrait.draw(portrait.looks_of(words, seed), poster.ground(words, seed, size), mouth=0.0)
    if said & things.OBJECTS.keys():
        return things.studio(words, seed, size)
    if said & (_NATURE | _TIMES.keys() | _GROUNDS.keys() | things.SUBJECTS.keys()):
        return _landscape(words, seed, size)
    return poster.draw(prompt, seed, size)


def _landscape(words: list[str], seed: int, size: tuple[int, int]) -> Image.Image:
    chance = np.random.default_rng([seed, size[0], size[1]])
    light = next((_TIMES[word] for word in words if word in _TIMES), ("day", "sunset", "mist")[seed % 3])
    subject = next((things.SUBJECTS[word] for word in words if word in things.SUBJECTS), "")
    by_itself = "sea" if subject == "boat" else ("land", "forest", "sea")[seed // 3 % (2 if subject else 3)]
    ground = next((_GROUNDS[word] for word in words if word in _GROUNDS), by_itself)
    above, below, far, near, lamp = _LIGHT[light]
    pixels = _sky(size, above, below)
    _lamp(pixels, chance, lamp, light == "night")
    horizon = 0.62 + 0.06 * float(chance.random())
    for layer in range(4):
        share = layer / 3
        _ridge(pixels, chance, horizon - 0.16 + 0.1 * layer, 0.12 - 0.02 * layer, _mixed(far, near, share), rough=3 + 2 * layer)
    if ground == "sea":
        _sea(pixels, chance, horizon + 0.06, above, below)
    image = Image.fromarray(np.clip(pixels + chance.normal(0, 1.1, pixels.shape), 0, 255).astype(np.uint8), "RGB")
    if ground in ("forest", "city"):
        _stand(image, chance, ground, horizon, _mixed(near, (0, 0, 0), 0.35), light)
    image = image.filter(ImageFilter.SMOOTH)
    if subject:
        colour = _mixed(near, (0, 0, 0), 0.62) if ground != "forest" else _mixed(far, lamp, 0.55)
        things.place(image, subject, chance, horizon, colour, light in ("night", "sunset"))
    return image


def size_of(aspect_ratio: str, size: str = "") -> tuple[int, int]:
    """Pixels of a picture: WIDTHxHEIGHT when that is given, else by aspect ratio."""
    width, _, height = size.partition("x")
    if width.isdigit() and height.isdigit():
        return max(64, min(2048, int(width))), max(64, min(2048, int(height)))
    return SIZES.get(aspect_ratio, SIZES["16:9"])


def _mixed(one: tuple[int, ...], other: tuple[int, ...], share: float) -> tuple[int, int, int]:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _sky(size: tuple[int, int], above: tuple[int, ...], below: tuple[int, ...]) -> Pixels:
    width, height = size
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** 0.8
    column = np.array(above, np.float32) * (1 - share) + np.array(below, np.float32) * share
    return np.repeat(column, width, axis=1)


def _lamp(pixels: Pixels, chance: np.random.Generator, colour: tuple[int, ...], is_night: bool) -> None:
    height, width = pixels.shape[:2]
    x, y, radius = width * chance.uniform(0.2, 0.8), height * chance.uniform(0.15, 0.4), height * (0.035 if is_night else 0.05)
    rows, columns = np.mgrid[0:height, 0:width]
    distance = np.hypot(columns - x, rows - y)
    glow = np.exp(-((distance / (radius * 5)) ** 2))[..., None] * 0.5 + np.clip(1.5 - distance / radius, 0, 1)[..., None]
    pixels += (np.array(colour, np.float32) - pixels) * np.clip(glow, 0, 1)
    if is_night:
        for _ in range(160):
            pixels[int(height * chance.random() * 0.55), int(width * chance.random())] = 200 + 55 * chance.random()


def _ridge(pixels: Pixels, chance: np.random.Generator, base: float, reach: float, colour: tuple[int, ...], rough: int) -> None:
    height, width = pixels.shape[:2]
    across = np.linspace(0, 2 * np.pi, width)
    line = sum(np.sin(across * k * chance.uniform(0.5, 1.4) + chance.uniform(0, 6.3)) / k for k in range(1, rough + 4))
    line += chance.normal(0, 0.02 * rough, width).cumsum() / 14
    top = (base - reach * line / 2) * height
    mask = np.arange(height)[:, None] > top[None, :]
    shade = np.clip((np.arange(height)[:, None] - top[None, :]) / (height * 0.5), 0, 1)[..., None]
    pixels[mask] = (np.array(colour, np.float32) * (1 - 0.35 * shade) + 12 * (1 - shade))[mask]


def _sea(pixels: Pixels, chance: np.random.Generator, horizon: float, above: tuple[int, ...], below: tuple[int, ...]) -> None:
    height, width = pixels.shape[:2]
    start = int(height * min(horizon, 0.85))
    depth = np.linspace(0, 1, height - start)[:, None]
    waves = np.sin(np.linspace(0, 60, height - start)[:, None] ** 1.1 + chance.normal(0, 0.6, (height - start, width)).cumsum(axis=1) * 0.15)
    colour = np.array(_mixed(below, above, 0.55), np.float32) * (1 - 0.35 * depth[..., None])
    pixels[start:] = colour + 9 * waves[..., None] * (0.3 + depth[..., None])


def _stand(image: Image.Image, chance: np.random.Generator, ground: str, horizon: float, colour: tuple[int, int, int], light: str) -> None:
    """Trees or houses along the near ground."""
    pen, (width, height) = ImageDraw.Draw(image), image.size
    for row in range(3):
        base = height * (horizon + 0.1 + 0.11 * row)
        shade = _mixed(colour, (0, 0, 0), 0.18 * row)
        for x in np.arange(-0.02, 1.02, (0.018 if ground == "forest" else 0.045) * (1 + row * 0.5)):
            at, tall = (x + chance.normal(0, 0.006)) * width, height * (0.07 + 0.05 * row) * chance.uniform(0.6, 1.5)
            if ground == "forest":
                half = tall * 0.22
                pen.polygon([(at - half, base), (at + half, base), (at, base - tall)], fill=shade)
                continue
            wide = width * 0.018 * chance.uniform(0.7, 1.6)
            pen.rectangle([at - wide, base - tall * 1.6, at + wide, height], fill=shade)
            if light in ("night", "sunset"):
                for _ in range(5):
                    left, top = at + wide * chance.uniform(-0.8, 0.6), base - tall * chance.uniform(0.1, 1.5)
                    pen.rectangle([left, top, left + 3, top + 4], fill=(255, 222, 150))
