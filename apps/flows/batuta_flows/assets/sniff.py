"""
What a file is, by its first bytes: names and headers lie, and a page of HTML that calls itself a video must not become one.

Source: the signatures of the formats' own specifications.
"""

from __future__ import annotations

from typing import Final

import msgspec

HEAD_BYTES: Final = 64


class FileType(msgspec.Struct, frozen=True):
    """A kind of file: its MIME type, the extension it gets, and which medium it is (`image`, `video`, `audio`, `text`)."""

    mime: str
    extension: str
    medium: str


_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", FileType("image/png", "png", "image")),
    (b"\xff\xd8\xff", FileType("image/jpeg", "jpg", "image")),
    (b"GIF87a", FileType("image/gif", "gif", "image")),
    (b"GIF89a", FileType("image/gif", "gif", "image")),
    (b"\x1a\x45\xdf\xa3", FileType("video/webm", "webm", "video")),
    (b"OggS", FileType("audio/ogg", "ogg", "audio")),
    (b"ID3", FileType("audio/mpeg", "mp3", "audio")),
    (b"fLaC", FileType("audio/flac", "flac", "audio")),
)  # fmt: skip
_RIFF: Final = {
    b"WAVE": FileType("audio/wav", "wav", "audio"),
    b"WEBP": FileType("image/webp", "webp", "image"),
    b"AVI ": FileType("video/x-msvideo", "avi", "video"),
}
_BRANDS: Final = {
    b"M4A ": FileType("audio/mp4", "m4a", "audio"),
    b"avif": FileType("image/avif", "avif", "image"),
    b"qt  ": FileType("video/quicktime", "mov", "video"),
}
_MP4: Final = FileType("video/mp4", "mp4", "video")
_MP3: Final = FileType("audio/mpeg", "mp3", "audio")
_AAC: Final = FileType("audio/aac", "aac", "audio")


def file_type(head: bytes) -> FileType | None:
    """What a file that begins like this is; None for what is no medium we know. 64 bytes are enough."""
    for start, found in _STARTS:
        if head.startswith(start):
            return found
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], _MP4)
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # an MPEG audio frame; layer 0 is AAC's ADTS
        return _AAC if head[1] & 0x06 == 0 else _MP3
    return None
