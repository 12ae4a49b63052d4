"""
Noises by description: shaped noise and tones for whoosh, rain, wind, waves, impact, beep, click and the like; 44,100 Hz, mono.
"""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

Sound = np.ndarray[Any, np.dtype[np.float64]]
RATE: Final = 44_100


def make(prompt: str, seed: int, seconds: float, target: Path) -> str:
    """A noise as a WAV file at *target*; the name of the noise it is."""
    chance = np.random.default_rng(seed)
    said = prompt.lower()
    name = next((word for words, word in _WORDS for part in words if part in said), "whoosh")
    time = np.arange(int(seconds * RATE)) / RATE
    sound = _NOISES[name](time, seconds, chance)
    sound *= np.minimum(1, np.minimum(time / 0.005, (seconds - time) / 0.03).clip(0))
    sound *= 0.7 / max(float(np.abs(sound).max()), 1e-9)
    with wave.open(str(target), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((sound * 32_000).astype("<i2").tobytes())
    return name


def _coloured(count: int, chance: np.random.Generator, low: float, high: float, slope: float = 1.0) -> Sound:
    """Noise between two frequencies, falling with the frequency to the power of *slope*."""
    spectrum = np.fft.rfft(chance.normal(0, 1, count))
    pitch = np.fft.rfftfreq(count, 1 / RATE)
    spectrum *= ((pitch > low) & (pitch < high)) / np.maximum(pitch, 20) ** (slope / 2)
    return np.asarray(np.fft.irfft(spectrum, count), np.float64)


def _whoosh(time: Sound, seconds: float, chance: np.random.Generator) -> Sound:
    return _coloured(len(time), chance, 150, 5_000, 1.4) * np.exp(-(((time - seconds * 0.55) / (seconds * 0.18)) ** 2))


def _rain(time: Sound, seconds: float, chance: np.random.Generator) -> Sound:
    drops = (chance.random(len(time)) > 0.9993) * chance.normal(0, 6, len(time))
    return _coloured(len(time), chance, 900, 12_000, 0.4) * 20 + np.convolve(drops, np.exp(-np.arange(300) / 40), "same") * 0.12


def _wind(time: Sound, seconds: float, chance: np.random.Generator) -> Sound:
    return _coloured(len(time), chance, 80, 900, 1.6) * (1.2 + np.sin(2 * np.pi * time / 3.7 + chance.uniform(0, 6)) + 0.5 * np.sin(2 * np.pi * time / 1.3))


def _waves(time: Sound, seconds: float, chance: np.random.Generator) -> Sound:
    return _coloured(len(time), chance, 120, 4_000, 1.2) * (0.15 + np.sin(np.pi * time / 4.5) ** 4)


def _impact(time: Sound, seconds: float, chance: np.random.Generator) -> Sound:
    thump = np.sin(2 * np.pi * (55 * time + 6 * (1 - np.exp(-time * 25)))) * np.exp(-time * 6)
    return np.asarray(thump + _coloured(len(time), chance, 60, 7_000) * np.exp(-time * 22) * 120, np.float64)


def _beep(time: Sound, seconds: float, chance: np.random.Generator) -> Sound:
    return np.asarray(np.sin(2 * np.pi * 880 * time) * ((time * 2) % 1 < 0.4), np.float64)


def _click(time: Sound, seconds: float, chance: np.random.Generator) -> Sound:
    return _coloured(len(time), chance, 800, 9_000, 0.2) * np.exp(-((time * 3) % 1) * 60)


_NOISES: Final[dict[str, Callable[[Sound, float, np.random.Generator], Sound]]] = {
    "whoosh": _whoosh, "rain": _rain, "wind": _wind, "waves": _waves, "impact": _impact, "beep": _beep, "click": _click,
}  # fmt: skip
_WORDS: Final = (
    (("rain", "storm", "shower"), "rain"), (("wind", "breeze", "desert"), "wind"), (("wave", "sea", "ocean", "water", "river"), "waves"),
    (("impact", "hit", "boom", "explo", "thunder", "crash", "door", "punch"), "impact"), (("beep", "alarm", "phone", "alert", "robot"), "beep"),
    (("click", "clock", "tick", "keyboard", "typing", "step"), "click"),
)  # fmt: skip
