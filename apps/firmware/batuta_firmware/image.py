"""
The ESP image format: what a firmware.bin must look like before it may be stored or flashed.

Here: reading and checking an image. Not here: making one (esptool does), or running one (twin/board.py).
Source: Espressif's image format; checked against esptool's own output.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from batuta_firmware.errors import Lasting

MAGIC = 0xE9
DESCRIPTOR_MAGIC = 0xABCD5432
HEADER_BYTES = 24
SEGMENTS_MAX = 16
CHIPS = {0: "esp32", 2: "esp32s2", 5: "esp32c3", 9: "esp32s3", 12: "esp32c2", 13: "esp32c6", 16: "esp32h2"}


@dataclass(frozen=True, slots=True)
class Segment:
    address: int
    data: bytes


@dataclass(frozen=True, slots=True)
class AppDescriptor:
    """What an application says of itself in the first 256 bytes of its first segment."""

    version: str
    project: str
    built: str
    idf: str
    elf_sha256: str


@dataclass(frozen=True, slots=True)
class Image:
    """A whole and consistent image. *size_bytes* is what the image itself spans."""

    chip: str
    entry: int
    segments: tuple[Segment, ...]
    descriptor: AppDescriptor | None
    sha256: str
    size_bytes: int


def parse(data: bytes) -> Image:
    """
    The image in *data*, after its checksum and its appended hash have been found right.

    Raises:
        Lasting: the data is not a whole ESP image, with the first thing found wrong.
    """
    if len(data) < HEADER_BYTES:
        raise _broken(f"{len(data)} bytes are too few for an image header of {HEADER_BYTES}")
    if data[0] != MAGIC:
        hint = "; a merged flash dump begins with 0xff padding and cannot be sent over the air" if data[0] == 0xFF else ""
        raise _broken(f"the first byte is {data[0]:#04x}, expected {MAGIC:#04x}{hint}")
    count, entry, (chip_id,) = data[1], struct.unpack_from("<I", data, 4)[0], struct.unpack_from("<H", data, 12)
    if not 1 <= count <= SEGMENTS_MAX:
        raise _broken(f"it claims {count} segments, expected 1 to {SEGMENTS_MAX}")
    segments, end = _segments(data, count)
    end = _checked_sum(data, segments, end)
    if data[23] == 1:
        end = _checked_hash(data, end)
    return Image(
        chip=CHIPS.get(chip_id, f"chip {chip_id}"),
        entry=entry,
        segments=segments,
        descriptor=_descriptor(segments[0].data),
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=end,
    )


def _segments(data: bytes, count: int) -> tuple[tuple[Segment, ...], int]:
    found, at = [], HEADER_BYTES
    for index in range(count):
        if at + 8 > len(data):
            raise _broken(f"it ends at byte {len(data)}, inside the header of segment {index}")
        address, length = struct.unpack_from("<II", data, at)
        at += 8
        if at + length > len(data):
            raise _broken(f"segment {index} needs bytes {at} to {at + length}, the file has {len(data)}")
        found.append(Segment(address, data[at : at + length]))
        at += length
    return tuple(found), at


def _checked_sum(data: bytes, segments: tuple[Segment, ...], end: int) -> int:
    """The end of the block that holds the checksum: 16-byte aligned, with at least one byte of padding."""
    end = (end + 16) & ~15
    if end > len(data):
        raise _broken(f"it ends at byte {len(data)}, before its checksum at byte {end - 1}")
    checksum = 0xEF
    for segment in segments:
        checksum ^= _xor(segment.data)
    if checksum != data[end - 1]:
        raise _broken(f"the checksum is {data[end - 1]:#04x}, its data give {checksum:#04x}")
    return end


def _checked_hash(data: bytes, end: int) -> int:
    stored = data[end : end + 32]
    actual = hashlib.sha256(data[:end]).digest()
    if stored != actual:
        raise _broken(f"the appended SHA-256 is {stored.hex() or 'missing'}, its data give {actual.hex()}")
    return end + 32


def _xor(data: bytes) -> int:
    """All bytes of *data* folded into one with exclusive or, eight at a time."""
    padded = data + b"\0" * (-len(data) % 8)
    folded = 0
    for (word,) in struct.iter_unpack("<Q", padded):
        folded ^= word
    for shift in (32, 16, 8):
        folded = (folded >> shift) ^ (folded & ((1 << shift) - 1))
    return folded


def _descriptor(data: bytes) -> AppDescriptor | None:
    if len(data) < 256 or struct.unpack_from("<I", data)[0] != DESCRIPTOR_MAGIC:
        return None

    def text(at: int, size: int) -> str:
        return data[at : at + size].split(b"\0", 1)[0].decode("utf-8", "replace")

    return AppDescriptor(
        version=text(16, 32),
        project=text(48, 32),
        built=f"{text(96, 16)} {text(80, 16)}".strip(),
        idf=text(112, 32),
        elf_sha256=data[144:176].hex(),
    )


def _broken(what: str) -> Lasting:
    return Lasting("not_an_image", f"not a firmware image: {what}", fix="Build again; only the firmware.bin of a build can be flashed")
