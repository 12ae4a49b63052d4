"""
Things: silhouettes that stand in a landscape, and objects on a studio's ground. Outlines on a square of 100 units, the ground at 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from batuta_flows.providers.local.poster import colours

Colour = tuple[int, int, int]
Outline = Sequence[tuple[float, float]]

_ANIMAL: Final = (  # a fox, looking to the left; a dog and a wolf do not look much different from afar
    (4, 52), (14, 46), (17, 32), (23, 41), (29, 38), (33, 50), (60, 52), (72, 50), (82, 36), (96, 26), (99, 40), (92, 56), (80, 62), (78, 74),
    (82, 99), (74, 99),
    (68, 78), (58, 72), (42, 73), (40, 99), (32, 99), (30, 78), (24, 66), (18, 58), (6, 56),
)  # fmt: skip
_CAT: Final = (
    (18, 22), (26, 34), (40, 34), (48, 20), (52, 42), (46, 56), (60, 66), (70, 84), (78, 88), (90, 78), (96, 60), (99, 64), (94, 84), (82, 98),
    (20, 99), (22, 70),
    (16, 54), (14, 38),
)  # fmt: skip
_PERSON: Final = (
    (46, 20), (42, 12), (46, 3), (54, 3), (58, 12), (54, 20), (64, 26), (68, 56), (62, 56), (60, 40), (60, 62), (64, 99), (54, 99), (50, 68),
    (46, 99), (36, 99),
    (40, 62), (40, 40), (38, 56), (32, 56), (36, 26),
)  # fmt: skip
_HOUSE: Final = ((10, 99), (10, 58), (2, 58), (50, 18), (66, 31), (66, 20), (76, 20), (76, 39), (98, 58), (90, 58), (90, 99))
_BOAT: Final = ((2, 78), (46, 78), (46, 8), (50, 8), (82, 66), (50, 66), (50, 78), (98, 78), (84, 98), (16, 98))
_TOWER: Final = ((40, 99), (44, 34), (40, 34), (40, 30), (45, 30), (45, 18), (50, 10), (55, 18), (55, 30), (60, 30), (60, 34), (56, 34), (60, 99))
_CASTLE: Final = (
    (4, 99), (4, 40), (4, 30), (8, 30), (8, 36), (12, 36), (12, 30), (16, 30), (16, 36), (20, 36), (20, 30), (24, 30), (24, 56), (40, 56), (40, 24),
    (50, 4), (60, 24),
    (60, 56), (76, 56), (76, 30), (80, 30), (80, 36), (84, 36), (84, 30), (88, 30), (88, 36), (92, 36), (92, 30), (96, 30), (96, 99),
)  # fmt: skip
_BIRD: Final = ((0, 40), (18, 28), (34, 34), (48, 52), (52, 52), (66, 34), (82, 28), (100, 40), (82, 38), (68, 46), (54, 66), (46, 66), (32, 46), (18, 38))
#               how tall, of the picture's height; the outline
_SILHOUETTES: Final[dict[str, tuple[float, Outline]]] = {
    "animal": (0.2, _ANIMAL), "cat": (0.16, _CAT), "person": (0.26, _PERSON), "house": (0.24, _HOUSE), "boat": (0.24, _BOAT), "tower": (0.5, _TOWER),
    "castle": (0.36, _CASTLE), "bird": (0.045, _BIRD),
}  # fmt: skip
SUBJECTS: Final = {
    "fox": "animal", "wolf": "animal", "dog": "animal", "foxes": "animal", "puppy": "animal", "deer": "animal", "horse": "animal", "cat": "cat",
    "kitten": "cat",
    "hare": "cat", "rabbit": "cat", "owl": "bird", "bird": "bird", "birds": "bird", "eagle": "bird", "seagull": "bird", "seagulls": "bird", "house": "house",
    "cabin": "house", "cottage": "house", "hut": "house", "village": "house", "farm": "house", "home": "house", "boat": "boat", "ship": "boat",
    "sail": "boat",
    "sailing": "boat", "sailor": "boat", "fisherman": "boat", "lighthouse": "tower", "tower": "tower", "rocket": "tower", "castle": "castle",
    "fortress": "castle",
    "kingdom": "castle", "palace": "castle", "hiker": "person", "traveller": "person", "traveler": "person", "walker": "person", "wanderer": "person",
    "hero": "person", "knight": "person", "astronaut": "person", "robot": "person", "child": "person", "dancer": "person",
}  # fmt: skip


def place(image: Image.Image, subject: str, chance: np.random.Generator, horizon: float, colour: Colour, lit: bool) -> None:
    """The silhouette on the ground of a landscape; birds in its sky."""
    tall, outline = _SILHOUETTES[subject]
    width, height = image.size
    count = 5 if subject == "bird" else 1
    for i in range(count):
        side = height * tall * (chance.uniform(0.7, 1.3) if count > 1 else 1)
        x = width * (chance.uniform(0.24, 0.66) if count == 1 else 0.3 + 0.08 * i + chance.uniform(0, 0.05))
        base = height * (horizon + 0.24 if count == 1 else chance.uniform(0.2, 0.34))
        _fill(image, outline, x - side / 2, base - side, side, colour)
        if lit and subject in ("house", "castle", "tower"):
            _light(image, x, base - side * (0.26 if subject != "tower" else 0.76), side * 0.06)


def _round(outline: Outline) -> list[tuple[float, float]]:
    """The outline without its corners, as living things and most made things are; houses and boxes keep theirs."""
    points = list(outline)
    for _ in range(0 if outline in _ANGULAR else 2):
        ends = [*points[1:], points[0]]
        points = [
            (a[0] * (1 - share) + b[0] * share, a[1] * (1 - share) + b[1] * share) for a, b in zip(points, ends, strict=True) for share in (0.25, 0.75)
        ]
    return points


def _fill(image: Image.Image, outline: Outline, left: float, top: float, side: float, colour: Colour) -> None:
    finer = 4
    mask = Image.new("L", (round(side * finer) + 1, round(side * finer) + 1), 0)
    ImageDraw.Draw(mask).polygon([(x / 100 * side * finer, y / 100 * side * finer) for x, y in _round(outline)], fill=255)
    small = mask.resize((max(1, round(side)), max(1, round(side))), Image.Resampling.LANCZOS)
    image.paste(colour, (round(left), round(top)), small)


def _light(image: Image.Image, x: float, y: float, half: float) -> None:
    glow = Image.new("L", image.size, 0)
    ImageDraw.Draw(glow).ellipse((x - half * 5, y - half * 5, x + half * 5, y + half * 5), fill=120)
    image.paste((255, 214, 130), mask=glow.filter(ImageFilter.GaussianBlur(half * 2.2)))
    ImageDraw.Draw(image).rectangle((x - half, y - half, x + half, y + half), fill=(255, 232, 170))


# -- objects ----------------------------------------------------------------------------------------------------------------------------

_SHOE: Final = (
    (4, 92), (3, 78), (8, 58), (12, 44), (24, 40), (34, 48), (44, 50), (54, 62), (72, 70), (90, 74), (98, 82), (98, 92)
)  # fmt: skip
_BOTTLE: Final = ((34, 99), (34, 46), (42, 34), (42, 12), (40, 12), (40, 4), (60, 4), (60, 12), (58, 12), (58, 34), (66, 46), (66, 99))
_CUP: Final = (
    (16, 40), (72, 40), (72, 48), (86, 46), (94, 56), (90, 72), (72, 80), (70, 74), (82, 68), (85, 59), (80, 54), (72, 57), (68, 90), (58, 99),
    (30, 99), (20, 90)
)  # fmt: skip
_BOX: Final = ((10, 34), (50, 20), (90, 34), (90, 84), (50, 99), (10, 84))
_CHAIR: Final = (
    (22, 4), (66, 4), (70, 56), (86, 58), (86, 66), (80, 66), (84, 99), (78, 99), (74, 67), (32, 67), (28, 99), (22, 99), (26, 66), (20, 60)
)  # fmt: skip
_PHONE: Final = ((32, 4), (68, 4), (72, 8), (72, 95), (68, 99), (32, 99), (28, 95), (28, 8))
_ANGULAR: Final = (_HOUSE, _CASTLE, _TOWER, _BOAT, _BOX)
OBJECTS: Final[dict[str, Outline]] = {
    "shoe": _SHOE, "sneaker": _SHOE, "sneakers": _SHOE, "shoes": _SHOE, "boot": _SHOE, "bottle": _BOTTLE, "perfume": _BOTTLE, "wine": _BOTTLE,
    "drink": _BOTTLE,
    "shampoo": _BOTTLE, "cup": _CUP, "coffee": _CUP, "mug": _CUP, "tea": _CUP, "espresso": _CUP, "box": _BOX, "package": _BOX, "gift": _BOX, "product": _BOX,
    "cube": _BOX, "chair": _CHAIR, "armchair": _CHAIR, "furniture": _CHAIR, "phone": _PHONE, "smartphone": _PHONE, "device": _PHONE,
    "gadget": _PHONE, "book": _PHONE,
}  # fmt: skip


def studio(words: list[str], seed: int, size: tuple[int, int]) -> Image.Image:
    """The object that the words name, alone on a studio's ground, with light from above on the left."""
    outline = next((OBJECTS[word] for word in words if word in OBJECTS and word != "product"), OBJECTS["product"])
    _, middle, _ = colours(words, seed)
    width, height = size
    backdrop = _backdrop(size, (232, 231, 228) if sum(middle) < 600 else (120, 126, 138))
    side = min(width, height) * 0.6
    left, top = (width - side) / 2, height * 0.78 - side
    shadow = Image.new("L", size, 0)
    ImageDraw.Draw(shadow).ellipse((left + side * 0.06, height * 0.748, left + side * 0.96, height * 0.805), fill=150)
    backdrop.paste((34, 34, 40), mask=shadow.filter(ImageFilter.GaussianBlur(side / 22)))
    mask = Image.new("L", (round(side * 3), round(side * 3)), 0)
    ImageDraw.Draw(mask).polygon([(x * side * 0.03, y * side * 0.03) for x, y in _round(outline)], fill=255)
    small = mask.resize((round(side), round(side)), Image.Resampling.LANCZOS)
    backdrop.paste(_shaded(small, middle), (round(left), round(top)), small)
    return backdrop


def _backdrop(size: tuple[int, int], colour: Colour) -> Image.Image:
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    light = 1.08 - 0.32 * np.hypot(columns / width - 0.42, (rows / height - 0.4) * 0.8)
    light *= np.where(rows / height > 0.66, 0.93 + 0.05 * (rows / height), 1.0)
    soft = Image.fromarray(np.clip(np.array(colour, np.float32) * light[..., None], 0, 255).astype(np.uint8), "RGB")
    return soft.filter(ImageFilter.GaussianBlur(height / 90))


def _shaded(mask: Image.Image, colour: Colour) -> Image.Image:
    """A flat outline made round: brighter towards the light, darker towards its own edges."""
    inside = np.asarray(mask.filter(ImageFilter.GaussianBlur(mask.width / 14)), np.float32) / 255
    height, width = inside.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    light: Any = 0.62 + 0.46 * inside + 0.2 * (0.45 - columns / width) + 0.12 * (0.5 - rows / height)
    shine = np.exp(-(((columns / width - 0.4) / 0.05) ** 2)) * np.clip(inside - 0.6, 0, 1) * 60
    return Image.fromarray(np.clip(np.array(colour, np.float32) * light[..., None] + shine[..., None], 0, 255).astype(np.uint8), "RGB")
