"""The offline home, as far as it can be told without its tools: which SCons is wanted, and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from batuta_firmware import platformio_home
from batuta_firmware.errors import Lasting


@pytest.mark.parametrize(("requirement", "version"), [("~4.41101.0", "4.11.1"), ("~4.40801.0", "4.8.1"), ("4.40502.0", "4.5.2"), ("~4.40400.0", "4.4.0")])
def test_platformios_requirement_names_one_scons(requirement: str, version: str) -> None:
    assert platformio_home.scons_version_wanted(requirement) == version


@pytest.mark.parametrize("requirement", ["~5.0.0", "", "latest"])
def test_a_requirement_of_another_form_is_named(requirement: str) -> None:
    with pytest.raises(Lasting, match="expected a form like"):
        platformio_home.scons_version_wanted(requirement)


def test_missing_tools_are_named_with_the_extra_that_brings_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformio_home.importlib.util, "find_spec", lambda name: None if name in ("esptool", "ziglang") else object())
    monkeypatch.setattr(platformio_home.shutil, "which", lambda name: None)
    with pytest.raises(Lasting, match="not installed: esptool, ziglang") as caught:
        platformio_home.prepare(tmp_path)
    assert "batuta[firmware]" in caught.value.reason


def test_a_cross_compiler_of_the_system_stands_in_for_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformio_home.importlib.util, "find_spec", lambda name: None if name == "ziglang" else object())
    monkeypatch.setattr(platformio_home.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert platformio_home.missing_tools() == []
