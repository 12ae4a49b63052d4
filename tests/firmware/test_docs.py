"""The how-to pages miss no setting, fault, task or failure code, and name none that is gone."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import pytest

from batuta_firmware import espota, settings
from batuta_firmware.twin import Faults
from batuta_firmware.workers import WORKERS

HOWTO = Path(__file__).parents[2] / "docs" / "howto"


def page(name: str) -> str:
    return (HOWTO / f"firmware-{name}.md").read_text()


def test_every_setting_is_documented_and_no_other() -> None:
    read = set(re.findall(r'"((?:K1|CONDUCTOR|ARTIFACT|PLATFORMIO|METRICS|LOG)_[A-Z_]+)"', inspect.getsource(settings)))
    told = set(re.findall(r"^\| `([A-Z0-9_]+)`", page("pipeline"), re.MULTILINE))
    assert told == read


def test_every_fault_is_documented_and_no_other() -> None:
    rows = "".join(re.findall(r"^\| (`[^|]*) \|", page("device-twin"), re.MULTILINE))
    assert set(re.findall(r"`([a-z_]+)=", rows)) == {field.name for field in dataclasses.fields(Faults)}


def test_every_task_is_documented_and_no_other() -> None:
    rows = re.findall(r"^\| (`[^|]*) \|", page("tasks"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)} == WORKERS.keys()


def test_every_way_a_transfer_can_fail_is_documented_and_no_other() -> None:
    raised = set(re.findall(r'"(ota_[a-z0-9_]+)"', inspect.getsource(espota)))
    assert set(re.findall(r"`(ota_[a-z0-9_]+)`", page("real-device"))) - {"ota_port"} == raised


@pytest.mark.parametrize("path", sorted(HOWTO.glob("firmware-*.md")), ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text()):
        assert (path.parent / target).exists(), target
