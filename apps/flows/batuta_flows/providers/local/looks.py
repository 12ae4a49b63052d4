"""
Changes to pictures: looks by words, enlargement, cut-outs, and taking things out under a mask. OpenCV, without any learned weights.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from PIL import Image, ImageOps

from batuta_flows.errors import NodeFailed

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
SIDE_MAX: Final = 4096
SIDE_MIN: Final = 8
_WORDS: Final = (
    (("pencil", "sketch", "drawing", "draw"), "pencil"), (("paint", "watercolour", "watercolor", "oil", "artistic", "cartoon", "anime"), "painting"),
    (("black and white", "monochrome", "grayscale", "noir"), "mono"), (("warm", "sunset", "golden", "sepia", "autumn"), "warm"),
    (("cold", "winter", "blue", "night", "ice"), "cold"), (("dramatic", "contrast", "hdr", "vivid"), "vivid"),
)  # fmt: skip


def restyled(image: Image.Image, prompt: str, strength: float) -> tuple[Image.Image, str]:
    """The picture in the look that the prompt speaks of, laid over itself with this strength; and the look's name."""
    said = prompt.lower()
    look = next((name for words, name in _WORDS for word in words if word in said), "vivid")
    pixels = pixels_of(image)
    found: Any
    match look:
        case "pencil":
            _, found = cv2.pencilSketch(pixels, sigma_s=60, sigma_r=0.07, shade_factor=0.05)
        case "painting":
            found = cv2.stylization(pixels, sigma_s=60, sigma_r=0.45)
        case "mono":
            found = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        case "warm":
            found = np.clip(pixels * np.array([1.14, 1.02, 0.82]), 0, 255).astype(np.uint8)
        case "cold":
            found = np.clip(pixels * np.array([0.82, 0.97, 1.16]), 0, 255).astype(np.uint8)
        case _:
            found = cv2.detailEnhance(pixels, sigma_s=12, sigma_r=0.18)
    mixed = cv2.addWeighted(np.asarray(found, np.uint8), strength, pixels, 1 - strength, 0)
    return Image.fromarray(np.asarray(mixed, np.uint8), "RGB"), look


def enlarged(image: Image.Image, factor: int, denoise: float) -> Image.Image:
    """The picture larger and, with *denoise* above 0, smoother; sharpened a little at the end. At most 4,096 pixels a side."""
    pixels = pixels_of(image)
    if denoise > 0:
        pixels = np.asarray(cv2.fastNlMeansDenoisingColored(pixels, None, 3 + 9 * denoise, 3 + 9 * denoise, 5, 15), np.uint8)
    factor_fits = min(factor, SIDE_MAX / max(pixels.shape[:2]))
    height, width = (max(1, round(side * factor_fits)) for side in pixels.shape[:2])
    large: Any = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LANCZOS4)
    soft = cv2.GaussianBlur(large, (0, 0), 1.6)
    return Image.fromarray(np.asarray(cv2.addWeighted(large, 1.4, soft, -0.4, 0), np.uint8), "RGB")


def cut_out(image: Image.Image, background: str | None) -> Image.Image:
    """The subject alone, by GrabCut from a frame around the middle: on a transparent ground, or on one of this colour."""
    pixels = pixels_of(image)
    height, width = pixels.shape[:2]
    scale = min(1.0, 480 / max(height, width))
    small = cv2.resize(pixels, (max(8, round(width * scale)), max(8, round(height * scale))))
    mask = np.zeros(small.shape[:2], np.uint8)
    inset = (round(small.shape[1] * 0.06), round(small.shape[0] * 0.06))
    frame = (inset[0], inset[1], small.shape[1] - 2 * inset[0], small.shape[0] - 2 * inset[1])
    cv2.grabCut(small, mask, frame, np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64), 4, cv2.GC_INIT_WITH_RECT)
    shown = np.where((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
    alpha: Any = cv2.GaussianBlur(cv2.resize(shown, (width, height), interpolation=cv2.INTER_LINEAR), (0, 0), max(0.8, 1 / scale / 2))
    found = Image.fromarray(np.dstack([pixels, alpha]).astype(np.uint8), "RGBA")
    if background is None:
        return found
    ground = Image.new("RGBA", found.size, background)
    ground.alpha_composite(found)
    return ground.convert("RGB")


def without(image: Image.Image, mask: Image.Image | None) -> Image.Image:
    """The picture with what is white in the mask filled in from around it; without a mask, the middle fifth."""
    pixels = pixels_of(image)
    height, width = pixels.shape[:2]
    if mask is None:
        hidden = np.zeros((height, width), np.uint8)
        hidden[round(height * 0.4) : round(height * 0.6), round(width * 0.4) : round(width * 0.6)] = 255
    else:
        hidden = np.asarray(mask.convert("L").resize((width, height)), np.uint8)
        hidden = cv2.dilate(np.where(hidden > 127, 255, 0).astype(np.uint8), np.ones((7, 7), np.uint8))
    return Image.fromarray(np.asarray(cv2.inpaint(pixels, hidden, 5, cv2.INPAINT_TELEA), np.uint8), "RGB")


def pixels_of(image: Image.Image) -> Pixels:
    """
    The pixels of a picture: upright, on white where it is transparent, at most 4,096 a side.

    Raises:
        NodeFailed: it is too small to be looked at.
    """
    upright = ImageOps.exif_transpose(image)
    if min(upright.size) < SIDE_MIN:
        raise NodeFailed("bad_input", f"the picture has {upright.width} times {upright.height} pixels, expected at least {SIDE_MIN} a side")
    upright.thumbnail((SIDE_MAX, SIDE_MAX))
    if upright.has_transparency_data:
        ground = Image.new("RGBA", upright.size, "white")
        ground.alpha_composite(upright.convert("RGBA"))
        upright = ground
    return np.ascontiguousarray(np.asarray(upright.convert("RGB"), np.uint8))
