"""
Faces: where one is in a picture, found by two eyes, a mouth below and skin around them; and one face laid over another.

No learned weights: it finds portraits seen from the front, drawn or photographed in plain light, and says None of much else. Nobody is recognized.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import cv2
import msgspec
import numpy as np

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Point = tuple[float, float]
_SIDE: Final = 480  # what is looked at has at most so many pixels a side
_SPOTS_MAX: Final = 40
_SCORE_LEAST: Final = 0.62  # drawn faces have 0.66 and more, letters that happen to lie like eyes up to 0.56
_EYES: Final = np.array([(17, 20), (39, 20), (28, 42)], np.float32)  # left eye, right eye and mouth in a face of 56 by 64 pixels
_PATCH: Final = (56, 64)


class Face(msgspec.Struct, frozen=True):
    """A face, in pixels: the eyes from left to right, and the middle of the mouth."""

    left_eye: Point
    right_eye: Point
    mouth: Point

    @property
    def apart(self) -> float:
        """How far the eyes are apart: the measure of everything in a face."""
        return float(np.hypot(self.right_eye[0] - self.left_eye[0], self.right_eye[1] - self.left_eye[1]))

    @property
    def middle(self) -> Point:
        """Between the eyes."""
        return (self.left_eye[0] + self.right_eye[0]) / 2, (self.left_eye[1] + self.right_eye[1]) / 2

    @property
    def corners(self) -> Any:
        return np.array([self.left_eye, self.right_eye, self.mouth], np.float32)

    def scaled(self, factor: float) -> Face:
        return Face(*((x * factor, y * factor) for x, y in (self.left_eye, self.right_eye, self.mouth)))


def find(pixels: Pixels) -> Face | None:
    """The face that is seen most clearly; None when none is."""
    scale = min(1.0, _SIDE / max(pixels.shape[:2]))
    small: Any = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    grey: Any = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    skin = _skin(small)
    best, found = _SCORE_LEAST, None
    for left, right in _pairs(grey):
        apart = right[0] - left[0]
        guess = Face(left, right, ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2 + apart))
        is_inside = left[0] > 0.4 * apart and right[0] + 0.4 * apart < grey.shape[1] and left[1] > 0.4 * apart and left[1] + 1.3 * apart < grey.shape[0]
        score = _likeness(grey, skin, guess) if is_inside else 0.0
        if score > best:
            best, found = score, guess
    if found is None:
        return None
    return Face(found.left_eye, found.right_eye, _mouth(small, found)).scaled(1 / scale)


def _skin(pixels: Pixels) -> Any:
    """1 where a pixel has the colour of skin, of whichever shade, else 0."""
    _, red, blue = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb))
    found = (red >= 133) & (red <= 182) & (blue >= 72) & (blue <= 132) & (pixels.max(axis=2) > 50)
    return found.astype(np.float32)


def _pairs(grey: Any) -> Iterator[tuple[Point, Point]]:
    """Dark spots in brighter ground that lie as eyes do: level, alike in size, and not far larger or smaller than how far they are apart."""
    for size in (7, 13, 23, 41):
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        depth = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel)
        dark = (depth > 34).astype(np.uint8)
        thick = cv2.morphologyEx(dark, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size // 3 | 1, size // 3 | 1)))  # no rims of glasses
        for mask in (dark, thick):
            spots = _spots(mask, size)
            yield from ((left[:2], right[:2]) for left in spots for right in spots if _lie_like_eyes(left, right, size))


Spot = tuple[float, float, int]


def _spots(mask: Any, size: int) -> list[Spot]:
    """The spots of about this size: where their middle is, and how large they are."""
    count, _, stats, middles = cv2.connectedComponentsWithStats(mask, connectivity=8)
    wide, tall, area = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_AREA]
    fits = [i for i in range(1, count) if size / 4 < wide[i] < size * 2.5 and size / 5 < tall[i] < size * 1.6]
    fits.sort(key=lambda i: -int(area[i]))
    return [(float(middles[i][0]), float(middles[i][1]), int(area[i])) for i in fits[:_SPOTS_MAX]]


def _lie_like_eyes(left: Spot, right: Spot, size: int) -> bool:
    apart = right[0] - left[0]
    is_level = abs(right[1] - left[1]) < 0.14 * apart
    return 1.1 * size < apart < 9 * size and is_level and min(left[2], right[2]) > 0.4 * max(left[2], right[2])


def _likeness(grey: Any, skin: Any, guess: Face) -> float:
    """How much this looks like a face: alike on both sides, of skin, darker at the eyes than on the cheeks."""
    matrix = cv2.getAffineTransform(guess.corners, _EYES)
    patch: Any = cv2.warpAffine(grey, matrix, _PATCH, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    cover: Any = cv2.warpAffine(skin, matrix, _PATCH, flags=cv2.INTER_AREA)
    inside = patch[6:58, 6:50]
    one, other = inside - inside.mean(), (inside - inside.mean())[:, ::-1]
    alike = float((one * other).sum() / max(float((one * one).sum()), 1.0))
    cheeks = [patch[28:36, 8:20], patch[28:36, 36:48]]
    eyes = [patch[17:24, 13:21], patch[17:24, 35:43]]
    deeper = min(1 - float(np.percentile(eye, 20)) / max(float(cheek.mean()), 30.0) for cheek, eye in zip(cheeks, eyes, strict=True))  # in parts of its light
    of_skin = float(np.mean([cover[26:38, 8:48].mean(), cover[10:15, 20:36].mean(), cover[22:30, 24:32].mean()]))
    cheek = float(np.mean([one.mean() for one in cheeks]))
    between = abs(float(patch[17:24, 25:32].mean()) - cheek) / 60  # the bridge of the nose is bright, what is between the corners of a mouth is not
    below = 1 - float(patch[36:50, 22:34].mean(axis=1).min()) / max(cheek, 30.0)  # and there is a mouth
    if of_skin < 0.45 or deeper < 0.15 or alike < 0.2 or between > 0.6 or below < 0.03:
        return 0.0
    even = 1 - min(1.0, float(np.concatenate([cheek.ravel() for cheek in cheeks]).std()) / 60)
    told = 0.25 * alike + 0.15 * of_skin + 0.25 * min(1.0, deeper / 0.7) + 0.2 * even + 0.15 * min(1.0, below / 0.25)
    return told - 0.25 * between


def _mouth(pixels: Pixels, face: Face) -> Point:
    """The middle of the mouth: below the eyes by about their distance, where it is reddest and darkest across."""
    (x, y), apart = face.middle, face.apart
    top, bottom = round(y + 0.72 * apart), round(y + 1.4 * apart)
    area = pixels[max(0, top) : bottom, max(0, round(x - 0.28 * apart)) : round(x + 0.28 * apart)].astype(np.float32)
    if area.shape[0] < 3 or area.shape[1] < 3:
        return x, y + apart
    rows = (area[..., 0] - area[..., 1]).mean(axis=1) - 0.6 * area.mean(axis=(1, 2))
    rows = np.convolve(np.pad(rows, 2, "edge"), np.ones(5) / 5, "valid") - 20 * np.linspace(-1, 1, len(rows)) ** 2  # rather where mouths are
    return x, top + float(np.argmax(rows))


# -- one face over another --------------------------------------------------------------------------------------------------------------


def in_the_middle(pixels: Pixels) -> Face:
    """Where the face of a portrait usually is, for pictures in which none is found."""
    height, width = pixels.shape[:2]
    apart = min(width, height) * 0.2
    x, y = width / 2, height * 0.42
    return Face((x - apart / 2, y), (x + apart / 2, y), (x, y + apart))


def swapped(target: Pixels, onto: Face, source: Pixels, face: Face, *, enhance: bool) -> Pixels:
    """The target with the source's face over its own: turned, sized and coloured to fit, and blended at the edges."""
    height, width = target.shape[:2]
    matrix = cv2.getAffineTransform(face.corners, onto.corners)
    laid: Any = cv2.warpAffine(source, matrix, (width, height), flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT)
    if enhance:
        laid = cv2.addWeighted(laid, 1.5, cv2.GaussianBlur(laid, (0, 0), max(1.0, onto.apart / 40)), -0.5, 0)
    (x, y), apart = onto.middle, onto.apart
    angle = float(np.degrees(np.arctan2(onto.right_eye[1] - onto.left_eye[1], onto.right_eye[0] - onto.left_eye[0])))
    down = max(apart * 0.8, float(np.hypot(onto.mouth[0] - x, onto.mouth[1] - y)))
    mask = np.zeros((height, width), np.uint8)
    centre = (round((x + onto.mouth[0]) / 2), round(y + (onto.mouth[1] - y) * 0.5))
    cv2.ellipse(mask, centre, (round(apart * 0.92), round(down * 0.98)), angle, 0, 360, 255, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), max(1.0, apart * 0.1)).astype(np.float32)[..., None] / 255
    return np.asarray(np.clip(_coloured(laid, target, mask > 0) * soft + target * (1 - soft), 0, 255), np.uint8)


def _coloured(laid: Any, target: Pixels, where: np.ndarray[Any, Any]) -> Any:
    """The laid face with skin of the target's colour; eyes, lips and teeth, which are not of that colour, keep their own."""
    mine, theirs = (np.median(pixels[where].astype(np.float32), axis=0) for pixels in (laid, target))
    far = np.linalg.norm(laid.astype(np.float32) - mine, axis=2, keepdims=True)
    return laid + (theirs - mine) * np.exp(-((far / 70) ** 2))
