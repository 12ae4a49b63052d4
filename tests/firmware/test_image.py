"""The image format: a whole image is read, and every kind of damage is named."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import forge
import pytest

from batuta_firmware import image
from batuta_firmware.errors import Lasting

GOOD = forge.image()


def test_a_whole_image_tells_its_chip_entry_and_descriptor() -> None:
    found = image.parse(GOOD)
    assert (found.chip, found.entry, len(found.segments), found.size_bytes) == ("esp32c3", forge.TEXT, 2, len(GOOD))
    assert found.sha256 == hashlib.sha256(GOOD).hexdigest()
    assert found.descriptor is not None
    assert (found.descriptor.version, found.descriptor.project) == (forge.COMMIT[:31], "forged")
    assert found.descriptor.elf_sha256 == hashlib.sha256(b"elf" + forge.COMMIT.encode()).hexdigest()


def test_an_image_without_descriptor_or_hash_is_still_an_image() -> None:
    found = image.parse(forge.packed([(forge.TEXT, b"\x13\0\0\0")], hashed=False))
    assert found.descriptor is None


@pytest.mark.parametrize(("chip", "name"), [(5, "esp32c3"), (9, "esp32s3"), (0, "esp32"), (77, "chip 77")])
def test_the_chip_is_named(chip: int, name: str) -> None:
    assert image.parse(forge.image(chip=chip)).chip == name


def flipped(at: int) -> bytes:
    return GOOD[:at] + bytes([GOOD[at] ^ 1]) + GOOD[at + 1 :]


DAMAGE: list[tuple[str, Callable[[], bytes], str]] = [
    ("empty",               lambda: b"",                                 "0 bytes are too few"),
    ("a header only",       lambda: GOOD[:24],                           "inside the header of segment 0"),
    ("another magic",       lambda: b"\x7fELF" + GOOD[4:],               "first byte is 0x7f"),
    ("a merged dump",       lambda: b"\xff" * 4096 + GOOD,               "merged flash dump"),
    ("no segment",          lambda: GOOD[:1] + b"\0" + GOOD[2:],         "claims 0 segments"),
    ("too many segments",   lambda: GOOD[:1] + b"\x11" + GOOD[2:],       "claims 17 segments"),
    ("cut in a segment",    lambda: GOOD[:100],                          "segment 0 needs bytes"),
    ("cut before the hash", lambda: GOOD[:-33],                          "before its checksum"),
    ("cut in the hash",     lambda: GOOD[:-1],                           "appended SHA-256"),
    ("a changed byte",      lambda: flipped(300),                        "the checksum is"),
    ("a changed header",    lambda: flipped(9),                          "appended SHA-256"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "make", "message"), DAMAGE, ids=[row[0] for row in DAMAGE])
def test_damage_is_named(what: str, make: Callable[[], bytes], message: str) -> None:
    with pytest.raises(Lasting, match=message) as caught:
        image.parse(make())
    assert caught.value.code == "not_an_image"
