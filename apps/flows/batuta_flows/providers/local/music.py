"""
The synthesizer: pads, an arpeggio, a bass and a soft beat over four chords, in the mood of the prompt; the same for the same seed. 44,100 Hz, stereo.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any, Final

import numpy as np

from batuta_flows.providers.local.text import keywords

Sound = np.ndarray[Any, np.dtype[np.float32]]
RATE: Final = 44_100
_ROOTS: Final = (45, 48, 50, 52, 43)  # A, C, D, E, G: MIDI notes
_MINOR: Final = ((0, 3, 7), (-4, 0, 3), (-7, -4, 0), (-2, 2, 5))  # i VI III VII
_MAJOR: Final = ((0, 4, 7), (-3, 0, 4), (5, 9, 12), (7, 11, 14))  # I vi IV V
_CALM: Final = frozenset("calm quiet soft ambient sad slow dark night peaceful meditation dream gentle piano rain".split())
_BRIGHT: Final = frozenset("happy upbeat bright joyful fun summer energetic dance electronic pop epic".split())


def compose(prompt: str, seed: int, seconds: float, target: Path, *, tempo: int = 0) -> None:
    """Music as a WAV file at *target*."""
    words = set(keywords(prompt))
    is_calm, is_bright = bool(words & _CALM), bool(words & _BRIGHT)
    chance = np.random.default_rng(seed)
    beat = 60 / (tempo or (72 if is_calm else 124 if is_bright else 96))
    length = int(seconds * RATE)
    left, right = np.zeros(length, np.float32), np.zeros(length, np.float32)
    root, chords = int(chance.choice(_ROOTS)) + 12, _MAJOR if is_bright else _MINOR
    for bar in range(int(seconds / (4 * beat)) + 1):
        at, chord = bar * 4 * beat, chords[bar % 4]
        for i, step in enumerate(chord):
            pad = _tone(root + step, 4 * beat + 0.4, 0.5, 0.6, partials=5) * 0.09
            _add(left, pad, at + 0.004 * i)
            _add(right, pad, at + 0.011 * (2 - i))
        _add_both(left, right, _tone(root + chord[0] - 24, 4 * beat * 0.95, 0.02, 0.3, partials=3) * 0.2, at)
        for step in range(8 if is_calm else 16):
            note = root + 12 + chord[int(chance.integers(3))] + 12 * int(chance.random() < 0.3)
            pluck = _tone(note, 0.5, 0.004, 0.45, partials=4) * (0.05 + 0.03 * float(chance.random()))
            _add(left if step % 2 else right, pluck, at + step * 4 * beat / (8 if is_calm else 16))
        if not is_calm:
            for step in range(4):
                _add_both(left, right, _kick() * 0.35, at + step * beat)
                _add_both(left, right, _hat(chance) * 0.05, at + (step + 0.5) * beat)
    both = _reverberant(np.stack([left, right]), chance)
    fade = np.minimum(1, np.minimum(np.arange(length) / (0.3 * RATE), np.arange(length)[::-1] / (min(2.0, seconds / 3) * RATE)))
    both = np.tanh(both * fade * (0.85 / max(float(np.abs(both).max()), 1e-6)))
    with wave.open(str(target), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes((both.T * 32_000).astype("<i2").tobytes())


def _tone(note: float, seconds: float, attack: float, release: float, partials: int) -> Sound:
    time = np.arange(int(seconds * RATE), dtype=np.float32) / RATE
    pitch = 440 * 2 ** ((note - 69) / 12)
    wave_ = sum(np.sin(2 * np.pi * pitch * k * time * (1 + 0.0007 * k)) / k**1.6 for k in range(1, partials + 1))
    shape = np.minimum(1, time / attack) * np.minimum(1, np.maximum(0, (seconds - time) / release)) * np.exp(-time / (seconds * 1.2))
    return np.asarray(wave_ * shape, np.float32)


def _kick() -> Sound:
    time = np.arange(int(0.22 * RATE), dtype=np.float32) / RATE
    return np.asarray(np.sin(2 * np.pi * (48 * time + 9 * (1 - np.exp(-time * 30)))) * np.exp(-time * 18), np.float32)


def _hat(chance: np.random.Generator) -> Sound:
    time = np.arange(int(0.06 * RATE), dtype=np.float32) / RATE
    return np.asarray(np.diff(chance.normal(0, 1, len(time) + 1)) * np.exp(-time * 70), np.float32)


def _add(track: Sound, sound: Sound, at: float) -> None:
    start = int(at * RATE)
    part = sound[: max(0, len(track) - start)]
    track[start : start + len(part)] += part


def _add_both(left: Sound, right: Sound, sound: Sound, at: float) -> None:
    _add(left, sound, at)
    _add(right, sound, at)


def _reverberant(both: Sound, chance: np.random.Generator) -> Sound:
    """With the tail of a room: noise that dies away, by way of the spectrum."""
    length, tail = both.shape[1], int(1.4 * RATE)
    size = 1 << (length + tail).bit_length()
    room = chance.normal(0, 1, (2, tail)) * np.exp(-np.arange(tail) / (0.32 * RATE))
    wet = np.fft.irfft(np.fft.rfft(both, size) * np.fft.rfft(room, size), size)[:, :length]
    return np.asarray(both + wet * (0.22 * float(np.abs(both).max()) / max(float(np.abs(wet).max()), 1e-9)), np.float32)
