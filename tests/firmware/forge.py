"""
Firmware images made by hand, for tests that need no compiler: a few instructions, put together and packed as esptool would.

Here: an assembler of the few forms used, the image writer, and a program that says who it is and renders frames.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

from batuta_firmware.image import DESCRIPTOR_MAGIC

ZERO, RA, SP, T0, T1, T2, A0 = 0, 1, 2, 5, 6, 7, 10
TEXT, RODATA, RAM = 0x4037_C000, 0x3C00_0020, 0x3FC8_0000
COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER_COMMIT = "fedcba9876543210fedcba9876543210fedcba98"


def r_type(funct7: int, funct3: int, rd: int, rs1: int, rs2: int) -> int:
    return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33


def i_type(opcode: int, funct3: int, rd: int, rs1: int, value: int) -> int:
    return (value & 0xFFF) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode


def addi(rd: int, rs1: int, value: int) -> int:
    return i_type(0x13, 0, rd, rs1, value)


def load(funct3: int, rd: int, rs1: int, value: int) -> int:
    return i_type(0x03, funct3, rd, rs1, value)


def store(funct3: int, rs1: int, rs2: int, value: int) -> int:
    return (value >> 5 & 0x7F) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (value & 0x1F) << 7 | 0x23


def lui(rd: int, value: int) -> int:
    return (value & 0xFFFFF) << 12 | rd << 7 | 0x37


def branch(funct3: int, rs1: int, rs2: int, offset: int) -> int:
    high = (offset >> 12 & 1) << 31 | (offset >> 5 & 0x3F) << 25
    return high | rs2 << 20 | rs1 << 15 | funct3 << 12 | (offset >> 1 & 0xF) << 8 | (offset >> 11 & 1) << 7 | 0x63


def jal(rd: int, offset: int) -> int:
    high = (offset >> 20 & 1) << 31 | (offset >> 1 & 0x3FF) << 21 | (offset >> 11 & 1) << 20 | (offset >> 12 & 0xFF) << 12
    return high | rd << 7 | 0x6F


def constant(rd: int, value: int) -> list[int]:
    """Two instructions that put *value* into a register."""
    low = (value & 0xFFF) - ((value & 0x800) << 1)
    return [lui(rd, (value - low) >> 12), addi(rd, rd, low)]


EBREAK = 0x0010_0073


def program(*, heap: int = 200_000, crash_after: int | None = None, says_ready: bool = True, hangs: bool = False) -> list[int]:
    """
    Code that tells its commit (the text at RODATA + 256) and its free heap, then renders frames of four LEDs for ever.

    It traps after *crash_after* frames, never ends its first frame when it *hangs*, and keeps quiet about being ready when told so.
    """
    code = [
        *constant(T0, 0x6000_0000),
        *constant(T1, RODATA + 256),
        store(2, T0, T1, 0x0C),  # identity
        addi(T1, ZERO, 4),
        store(2, T0, T1, 0x18),  # LEDs in a frame
        *constant(T1, heap),
        store(2, T0, T1, 0x10),
        addi(T1, ZERO, 1 if says_ready else 0),
        store(2, T0, T1, 0x08),
        *constant(T2, RAM),
        addi(A0, ZERO, 0),
    ]
    if hangs:
        return [*code, jal(ZERO, 0)]
    loop = [addi(A0, A0, 1), store(2, T2, A0, 0), store(2, T0, T2, 0x14)]
    if crash_after is not None:
        limit = constant(T1, crash_after)
        loop += [*limit, branch(4, A0, T1, 8), EBREAK]
    return [*code, *loop, jal(ZERO, -4 * len(loop))]


def image(code: Sequence[int] | None = None, *, commit: str = COMMIT, chip: int = 5, pad: int = 0, elf: bytes = b"elf") -> bytes:
    """A whole image of *code*, with an application descriptor, whose text says it was built from *commit*."""
    words = program() if code is None else code
    descriptor = struct.pack(
        "<IIII32s32s16s16s32s32s80x",
        DESCRIPTOR_MAGIC, 0, 0, 0, commit[:31].encode(), b"forged", b"10:00:00", b"Nov  8 2025", b"none", hashlib.sha256(elf + commit.encode()).digest(),
    )  # fmt: skip
    rodata = descriptor + commit.encode() + b"\0" * 8 + bytes(index & 0xFF for index in range(pad))
    return packed([(RODATA, rodata), (TEXT, b"".join(struct.pack("<I", word) for word in words))], chip=chip)


def packed(segments: Sequence[tuple[int, bytes]], *, chip: int = 5, entry: int = TEXT, hashed: bool = True) -> bytes:
    """The image file of *segments*: header, segments, checksum and hash."""
    header = bytes([0xE9, len(segments), 2, 0x2F]) + struct.pack("<I", entry) + b"\xee\0\0\0" + struct.pack("<H", chip) + bytes(9) + bytes([hashed])
    body, checksum = header, 0xEF
    for address, data in segments:
        data += b"\0" * (-len(data) % 4)
        body += struct.pack("<II", address, len(data)) + data
        for byte in data:
            checksum ^= byte
    body += b"\0" * (15 - len(body) % 16) + bytes([checksum])
    return body + hashlib.sha256(body).digest() if hashed else body
