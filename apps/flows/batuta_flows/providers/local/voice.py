"""
The voice: espeak-ng, a formant synthesizer, through its C library.

The library has one global state, so one text is spoken at a time in a process; it is some 500 times faster than speech. What it gives is 22,050 Hz, mono.
"""

from __future__ import annotations

import ctypes
import threading
import wave
from pathlib import Path
from typing import Any, Final

from batuta_flows.errors import NodeFailed

TEXT_MAX: Final = 20_000
_RETRIEVAL, _UTF8, _END_OF_SENTENCE = 1, 1, 0x1000
_OK: Final = 0
_FIX: Final = "pip install --force-reinstall espeakng-loader"
_lock = threading.Lock()
_Callback: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class _Library:
    """The library, initialized once; the lock is the caller's."""

    def __init__(self) -> None:
        import espeakng_loader  # type: ignore[import-untyped]

        try:
            self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        except OSError as error:
            raise NodeFailed("not_available", f"espeak-ng cannot be loaded: {error}", fix=_FIX) from error
        data = Path(espeakng_loader.get_data_path()).parent
        self.rate: int = self._library.espeak_Initialize(_RETRIEVAL, 0, str(data).encode(), 0)
        if self.rate <= 0:
            raise NodeFailed("not_available", f"espeak-ng could not be started: its voices should be in {data}", fix=_FIX)
        self._heard = bytearray()
        self._callback = _Callback(self._on_samples)  # kept: the library calls it for as long as it lives
        self._library.espeak_SetSynthCallback(self._callback)

    def _on_samples(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._heard += ctypes.string_at(samples, count * 2)
        return 0

    def speak(self, text: str, voice: str) -> bytes:
        if self._library.espeak_SetVoiceByName(voice.encode()) != _OK:
            raise NodeFailed("bad_input", f"this machine has no voice {voice!r}", fix="Try en-us, en-us+f3, de, fr, es, or leave it empty")
        self._heard.clear()
        said = text.encode() + b"\0"
        if self._library.espeak_Synth(said, len(said), 0, 0, 0, _UTF8 | _END_OF_SENTENCE, None, None) != _OK:
            raise NodeFailed("provider_down", "espeak-ng did not take the text", may_retry=True)
        self._library.espeak_Synchronize()
        return bytes(self._heard)


    def version(self) -> str:
        told: Any = self._library.espeak_Info
        told.restype = ctypes.c_char_p
        return str(told(None).decode()).partition(" ")[0]


_library: _Library | None = None


def version() -> str:
    """espeak-ng's version, for /health. Raises NodeFailed when it cannot be used, ImportError when it is not installed."""
    global _library
    with _lock:
        _library = _library or _Library()
        return _library.version()


def speak(text: str, target: Path, *, voice: str = "", language: str = "") -> tuple[float, str]:
    """
    The text as a WAV file at *target*; how long it is in seconds, and the voice that speaks.

    Raises:
        NodeFailed: there is nothing to say, too much, or no such voice.
    """
    global _library
    if not text.strip():
        raise NodeFailed("bad_input", "there is no text to speak")
    if len(text) > TEXT_MAX:
        raise NodeFailed("bad_input", f"the text has {len(text)} characters, expected at most {TEXT_MAX}", fix="Split it first")
    wanted = voice or {"": "en-us", "en": "en-us", "en-us": "en-us"}.get(language.lower(), language.lower())
    with _lock:
        _library = _library or _Library()
        samples, rate = _library.speak(text, wanted), _library.rate
    with wave.open(str(target), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples)
    return len(samples) / 2 / rate, wanted
