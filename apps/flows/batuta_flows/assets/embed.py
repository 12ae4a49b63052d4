"""
A note inside a media file: which flow made it. Whoever has the picture, the film or the sound can open the flow again.

Nothing is encoded anew. PNG: an iTXt chunk; JPEG and GIF: comments; WebP, WAV and AVI: a chunk of the RIFF; MP4 and its kin: a `uuid` box at the end;
Matroska, MP3, Ogg and FLAC: a tag, by way of ffmpeg, which copies the streams. A note that is there already is replaced. Bare AAC has no place for one.

Here: bytes. Not here: what the note says (api/exports.py).
"""

from __future__ import annotations

import mmap
import re
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from batuta_flows import ffmpeg
from batuta_flows.errors import NodeFailed

NOTE_BYTES_MAX: Final = 16 << 20
_NAME: Final = b"batuta-flow"
_UUID: Final = bytes.fromhex("8a5e2f06b7c94d1ea0b3626174757461")
_PIECE: Final = 1 << 20
_COMMENT_MOST: Final = 60_000
_TAG: Final = "BATUTA_FLOW"


class Unreadable(ValueError):
    """The file is not built as its kind says."""


def with_note(path: Path, mime: str, note: bytes) -> Iterator[bytes]:
    """The file with this note, ASCII, in it, piece by piece; as it is when its kind has no place for one, or it is not built as its kind says."""
    muxer = _TAGGED.get(mime)
    parts: list[memoryview | bytes]
    try:
        parts = [_tagged(path, muxer, note)] if muxer else list(_WRITERS.get(mime, _as_it_is)(_data(path), note))
    except (struct.error, IndexError, Unreadable, NodeFailed):
        parts = [_data(path)]
    for part in parts:  # most of them look into the file
        for at in range(0, len(part), _PIECE):
            yield bytes(part[at : at + _PIECE])


def note_in(path: Path, mime: str) -> bytes | None:
    """The note in the file; None when there is none, or the file is broken."""
    if mime in _TAGGED:
        return _tag_in(path)
    read = _READERS.get(mime)
    if read is None:
        return None
    try:
        return read(_data(path))
    except (struct.error, IndexError, Unreadable):
        return None


def _as_it_is(data: Data, note: bytes) -> Parts:
    yield data


def _data(path: Path) -> Data:
    """A file's bytes, of which only those that are looked at are read."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _cut(data: Data, begin: int, length: int) -> bytes:
    return bytes(data[begin : begin + length])


Data = memoryview
Parts = Iterator["memoryview | bytes"]

# -- PNG: chunks of length, name, content and check sum ---------------------------------------------------------------------------


def _png_chunks(data: Data) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk's name, and where it begins and ends."""
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield bytes(data[at + 4 : at + 8]), at, at + 12 + length
        at += 12 + length


def _png_is_ours(data: Data, name: bytes, begin: int) -> bool:
    return name == b"iTXt" and _cut(data, begin + 8, len(_NAME) + 1) == _NAME + b"\0"


def _png_with(data: Data, note: bytes) -> Parts:
    content = b"iTXt" + _NAME + b"\0\0\0\0\0" + note
    yield data[:8]
    for name, begin, end in _png_chunks(data):
        if not _png_is_ours(data, name, begin):
            yield data[begin:end]
        if name == b"IHDR":
            yield struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


def _png_note(data: Data) -> bytes | None:
    for name, begin, end in _png_chunks(data):
        if _png_is_ours(data, name, begin):
            return bytes(data[begin + 8 + len(_NAME) + 5 : end - 4])
    return None


# -- JPEG: segments of marker and length; a comment holds 64 KB, so a note may take several -----------------------------------------


def _jpeg_segments(data: Data) -> Iterator[tuple[int, int, int]]:
    """Each segment's marker, and where it begins and ends, up to the picture itself."""
    at = 2
    while data[at] == 0xFF and data[at + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", data, at + 2)
        yield data[at + 1], at, at + 2 + length
        at += 2 + length


def _jpeg_with(data: Data, note: bytes) -> Parts:
    yield data[:2]
    end, pieces = 2, [note[i : i + _COMMENT_MOST] for i in range(0, len(note), _COMMENT_MOST)]
    was_written = False
    for marker, begin, end in _jpeg_segments(data):
        if not was_written and marker not in (0xE0, 0xE1):  # JFIF and Exif stand first
            yield from _jpeg_comments(pieces)
            was_written = True
        if not (marker == 0xFE and _cut(data, begin + 4, len(_NAME)) == _NAME):
            yield data[begin:end]
    if not was_written:
        yield from _jpeg_comments(pieces)
    yield data[end:]


def _jpeg_comments(pieces: list[bytes]) -> Parts:
    for piece in pieces:
        yield struct.pack(">BBH", 0xFF, 0xFE, len(_NAME) + 3 + len(piece)) + _NAME + b"\0" + piece


def _jpeg_note(data: Data) -> bytes | None:
    head = _NAME + b"\0"
    found = [bytes(data[b + 4 + len(head) : e]) for marker, b, e in _jpeg_segments(data) if marker == 0xFE and _cut(data, b + 4, len(head)) == head]
    return b"".join(found) or None


# -- GIF: blocks; a comment stands before the end -----------------------------------------------------------------------------------


def _gif_blocks(data: Data) -> Iterator[tuple[bytes, int, int]]:
    """Each block's first two bytes, and where it begins and ends."""
    at = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    while data[at] != 0x3B:
        begin, kind = at, bytes(data[at : at + 2])
        if kind[:1] == b",":
            at += 11 + (3 << ((data[at + 9] & 7) + 1) if data[at + 9] & 0x80 else 0)
        elif kind[:1] == b"!":
            at += 2
        else:
            raise Unreadable(f"found a block of kind {kind[:1]!r} in a GIF")
        while data[at]:
            at += 1 + data[at]
        at += 1
        yield kind, begin, at
    yield b";", at, at + 1


def _gif_is_ours(data: Data, kind: bytes, begin: int) -> bool:
    return kind == b"!\xfe" and _cut(data, begin + 3, len(_NAME)) == _NAME


def _gif_with(data: Data, note: bytes) -> Parts:
    at, content = 0, _NAME + b"\0" + note
    for kind, begin, end in _gif_blocks(data):
        if kind == b";":
            yield data[at:begin]
            yield b"!\xfe" + b"".join(bytes([len(content[i : i + 255])]) + content[i : i + 255] for i in range(0, len(content), 255)) + b"\0;"
        elif _gif_is_ours(data, kind, begin):
            yield data[at:begin]
            at = end


def _gif_note(data: Data) -> bytes | None:
    for kind, begin, end in _gif_blocks(data):
        if _gif_is_ours(data, kind, begin):
            at, pieces = begin + 2, []
            while at < end - 1:
                pieces.append(bytes(data[at + 1 : at + 1 + data[at]]))
                at += 1 + data[at]
            return b"".join(pieces)[len(_NAME) + 1 :]
    return None


# -- RIFF: chunks of name and length, filled to an even length ----------------------------------------------------------------------


def _riff_chunks(data: Data) -> Iterator[tuple[bytes, int, int]]:
    at, last = 12, min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    while at + 8 <= last:
        (length,) = struct.unpack_from("<I", data, at + 4)
        end = min(at + 8 + length + length % 2, last)
        yield bytes(data[at : at + 4]), at, end
        at = end


_INFO: Final = b"INFOICMT"


def _riff_is_ours(data: Data, name: bytes, begin: int) -> bool:
    head = bytes(data[begin + 8 : begin + 48])
    return name == b"BFLW" or (name == b"LIST" and head.startswith(_INFO) and head[12:].startswith(_NAME))


def _riff_with(data: Data, note: bytes) -> Parts:
    """In a WAV and an AVI as the comment that every program shows; WebP has no such thing, but a place for chunks of anybody's."""
    is_webp = _cut(data, 8, 4) == b"WEBP"
    told = _NAME + b"\0" + note if is_webp else _NAME + b" " + note + b"\0"
    told += b"\0" * (len(told) % 2)
    chunk = b"BFLW" + struct.pack("<I", len(told)) + told if is_webp else b"LIST" + struct.pack("<I", len(_INFO) + 4 + len(told)) + _info(told)
    kept = [(begin, end) for name, begin, end in _riff_chunks(data) if not _riff_is_ours(data, name, begin)]
    extended = _extended(data) if is_webp and _cut(data, 12, 4) != b"VP8X" else b""
    yield b"RIFF" + struct.pack("<I", 4 + len(extended) + sum(end - begin for begin, end in kept) + len(chunk)) + bytes(data[8:12]) + extended
    for begin, end in kept:
        yield data[begin:end]
    yield chunk


def _info(told: bytes) -> bytes:
    return _INFO + struct.pack("<I", len(told)) + told


def _extended(data: Data) -> bytes:
    """The header that a WebP needs before it may have further chunks: its size, and whether it is transparent."""
    if _cut(data, 12, 4) == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height, flags = bits & 0x3FFF, bits >> 14 & 0x3FFF, 0x10 if bits >> 28 & 1 else 0
    else:
        width, height = (side - 1 & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
        flags = 0
    return b"VP8X" + struct.pack("<II", 10, flags) + struct.pack("<I", width)[:3] + struct.pack("<I", height)[:3]


def _riff_note(data: Data) -> bytes | None:
    for name, begin, end in _riff_chunks(data):
        if _riff_is_ours(data, name, begin):
            return bytes(data[begin + (8 if name == b"BFLW" else 20) + len(_NAME) + 1 : end]).rstrip(b"\0")
    return None


# -- MP4, MOV, M4A, AVIF: boxes of length and name; what stands at the end moves nothing ---------------------------------------------


def _boxes(data: Data) -> Iterator[tuple[bytes, int, int]]:
    at = 0
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, at + 8)
        end = len(data) if length == 0 else at + length
        if end <= at or end > len(data):
            raise Unreadable(f"the box {name!r} has {length} bytes, of which there are {len(data) - at}")
        yield name, at, end
        at = end


def _mp4_is_ours(data: Data, name: bytes, begin: int) -> bool:
    return name == b"uuid" and _cut(data, begin + 8, 16) == _UUID


def _mp4_with(data: Data, note: bytes) -> Parts:
    for name, begin, end in _boxes(data):
        if _mp4_is_ours(data, name, begin):
            continue
        if _cut(data, begin, 4) == b"\0\0\0\0":  # up to the end of the file, which it no longer is
            if end - begin >= 1 << 32:
                raise Unreadable("the last box is too long to be given a length")
            yield struct.pack(">I", end - begin)
            begin += 4
        yield data[begin:end]
    yield struct.pack(">I4s", 24 + len(note), b"uuid") + _UUID + note


def _mp4_note(data: Data) -> bytes | None:
    for name, begin, end in _boxes(data):
        if _mp4_is_ours(data, name, begin):
            return bytes(data[begin + 24 : end])
    return None


_WRITERS: Final[dict[str, Callable[[Data, bytes], Parts]]] = {
    "image/png": _png_with, "image/jpeg": _jpeg_with, "image/gif": _gif_with, "image/webp": _riff_with, "audio/wav": _riff_with, "video/x-msvideo": _riff_with,
    "video/mp4": _mp4_with, "video/quicktime": _mp4_with, "audio/mp4": _mp4_with, "image/avif": _mp4_with,
}  # fmt: skip
_READERS: Final[dict[str, Callable[[Data], bytes | None]]] = {
    "image/png": _png_note, "image/jpeg": _jpeg_note, "image/gif": _gif_note, "image/webp": _riff_note, "audio/wav": _riff_note, "video/x-msvideo": _riff_note,
    "video/mp4": _mp4_note, "video/quicktime": _mp4_note, "audio/mp4": _mp4_note, "image/avif": _mp4_note,
}  # fmt: skip

# -- tags ---------------------------------------------------------------------------------------------------------------------------

_OF_FILE: Final = ("-map_metadata:g", "1:g", "-map_metadata:g", "0:g")  # the first that has a tag wins
_TAGGED: Final = {
    "video/webm": (*_OF_FILE, "-f", "webm"), "audio/mpeg": (*_OF_FILE, "-f", "mp3"), "audio/flac": (*_OF_FILE, "-f", "flac"),
    "audio/ogg": ("-map_metadata:s:0", "1:g", "-map_metadata:s:0", "0:s:0", "-f", "ogg"),
}  # fmt: skip


def _tagged(path: Path, muxer: tuple[str, ...], note: bytes) -> bytes:
    with tempfile.TemporaryDirectory(prefix="flow-") as directory:
        tags, target = Path(directory, "tags.txt"), Path(directory, "noted")
        tags.write_bytes(b";FFMETADATA1\n" + _TAG.encode() + b"=" + re.sub(rb"([=;#\\\n])", rb"\\\1", note) + b"\n")
        ffmpeg.run(["-i", path, "-f", "ffmetadata", "-i", tags, "-map", "0", *muxer, "-c", "copy", target])
        return target.read_bytes()


def _tag_in(path: Path) -> bytes | None:
    try:
        said = ffmpeg.output(["-i", path, "-map", "0", "-c", "copy", "-f", "ffmetadata"])
    except NodeFailed:
        return None
    found = re.search(rb"^%s=((?:[^\\\n]|\\.)*)" % _TAG.encode(), said, re.MULTILINE | re.DOTALL | re.IGNORECASE)
    return re.sub(rb"\\(.)", rb"\1", found[1], flags=re.DOTALL) if found else None
