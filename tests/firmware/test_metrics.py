"""Reading build logs: sizes from real lines, warnings once each, and nothing made up."""

from __future__ import annotations

import pytest

from batuta_firmware import metrics
from batuta_firmware.errors import Lasting

K1_SIZES = """\
RAM:   [=====     ]  48.4% (used 158456 bytes from 327680 bytes)
Flash: [======    ]  61.2% (used 1203637 bytes from 1966080 bytes)
"""


def sizes(flash: int, of_flash: int = 1_966_080, ram: int = 100, of_ram: int = 327_680) -> str:
    return f"RAM:   [          ]   0.0% (used {ram} bytes from {of_ram} bytes)\nFlash: [==========]  99.9% (used {flash} bytes from {of_flash} bytes)\n"


def test_the_sizes_of_a_real_k1_log_are_read() -> None:
    found = metrics.read("Linking .pio/build/x/firmware.elf\n" + K1_SIZES + "Building .pio/build/x/firmware.bin\n")
    assert (found.flash.used_bytes, found.flash.total_bytes, found.flash.percent) == (1_203_637, 1_966_080, 61.23)
    assert (found.ram.used_bytes, found.ram.total_bytes, found.ram.percent) == (158_456, 327_680, 48.36)


#    used       percent; the limit of 70 % is at 1,376,256 bytes
PERCENT = [
    (1_376_256, 70.0),
    (1_376_257, 70.01),
    (1_378_222, 70.1),
    (1_966_080, 100.0),
    (2_100_000, 106.82),
    (0,         0.0),
]  # fmt: skip


@pytest.mark.parametrize(("used", "percent"), PERCENT)
def test_a_percentage_comes_from_the_bytes_and_is_rounded_up(used: int, percent: float) -> None:
    assert metrics.read(sizes(used)).flash.percent == percent


@pytest.mark.parametrize("log", ["", K1_SIZES.splitlines()[0], K1_SIZES.splitlines()[1], "RAM: used 1 of 2", sizes(5, of_flash=0)])
def test_a_missing_line_is_an_error_and_never_a_zero(log: str) -> None:
    with pytest.raises(Lasting, match="has no line such as") as caught:
        metrics.read(log)
    assert caught.value.code == "sizes_missing"


WARNINGS = [
    ("src/a.cpp:4:37: warning: unused variable 'x' [-Wunused-variable]",                    1, "a compiler's"),
    ("src/a.cpp:4: warning: this is old",                                                   1, "a compiler's without columns"),
    ("/opt/bin/riscv64-unknown-elf-ld: warning: firmware.elf has a LOAD segment with RWX",  1, "a linker's"),
    ("main.c:(.text+0x10): warning: the use of `tmpnam' is dangerous",                      1, "a linker's about a place"),
    ("warning: argument unused during compilation: '-x'",                                   1, "a driver's, without a place"),
    ("a.py:3: DeprecationWarning: old",                                                     0, "Python's"),
    ("Warning! Ignore unknown configuration option `x`",                                    0, "PlatformIO's"),
    ("src/a.cpp:4:37: note: declared here",                                                 0, "a note"),
    ("  4 | int x; // warning: careful",                                                    0, "a quoted line of source"),
    ("2 warnings generated.",                                                               0, "the compiler's count"),
    (".pio/libdeps/esp32/FastLED/src/x.h:1:2: warning: theirs",                             0, "a library's"),
    ("/home/u/.platformio/packages/framework-arduino/x.h:1:2: warning: theirs",             0, "the framework's"),
    ("inc/a.h:1:2: warning: same\nsrc/b.cpp:1:1: note: x\ninc/a.h:1:2: warning: same",      1, "a header's, twice"),
    ("inc/a.h:1:2: warning: same\ninc/a.h:9:2: warning: same",                              2, "one text at two places"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "count", "whose"), WARNINGS, ids=[row[2] for row in WARNINGS])
def test_warnings_are_counted_once_and_only_our_own(lines: str, count: int, whose: str) -> None:
    assert len(metrics.read(f"{lines}\n{K1_SIZES}").warnings) == count


def test_sources_below_a_foreign_folder_are_not_counted() -> None:
    assert metrics.read(f"/sdk/x.h:1:2: warning: theirs\n{K1_SIZES}", foreign=("/sdk/",)).warnings == ()
