"""Settings and addresses: read once, and everything wrong with them told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batuta_firmware.address import DeviceAddress, parse, parse_aliases
from batuta_firmware.errors import Lasting
from batuta_firmware.settings import SettingsError, read

TWIN = DeviceAddress("127.0.0.1", 8081, 3300)


def test_the_guides_environment_is_read(tmp_path: Path) -> None:
    (tmp_path / "platformio.ini").write_text("")
    settings = read(
        {
            "CONDUCTOR_SERVER_URL": "http://localhost:8080/api/",
            "K1_DEVICE_IP": "192.168.1.104",
            "ARTIFACT_STORAGE_PATH": str(tmp_path / "artifacts"),
            "PLATFORMIO_PROJECT_PATH": str(tmp_path),
            "LOG_LEVEL": "INFO",
            "METRICS_PORT": "9090",
        }
    )
    assert settings.server_url == "http://localhost:8080/api"
    assert settings.device == DeviceAddress("192.168.1.104", 80, 3232)
    assert (settings.storage, settings.project) == (tmp_path / "artifacts", tmp_path)
    assert (settings.log_level, settings.metrics_port) == ("info", 9090)


def test_only_the_storage_must_be_given() -> None:
    assert read({"ARTIFACT_STORAGE_PATH": "/srv/k1"}).device is None


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(
            {
                "K1_DEVICE_IP": "http://x",
                "PLATFORMIO_PROJECT_PATH": str(tmp_path),
                "METRICS_PORT": "high",
                "LOG_LEVEL": "loud",
                "K1_REPOSITORIES": "x",
                "CONDUCTOR_SERVER_URL": "localhost:8080",
                "K1_DEVICE_ALIASES": "a=b=c",
            }
        )
    told = str(caught.value)
    for name in (
        "ARTIFACT_STORAGE_PATH", "K1_DEVICE_IP", "PLATFORMIO_PROJECT_PATH", "METRICS_PORT", "LOG_LEVEL", "K1_REPOSITORIES", "CONDUCTOR_SERVER_URL",
        "K1_DEVICE_ALIASES",
    ):  # fmt: skip
        assert name in told
    assert "no platformio.ini" in told


def test_a_task_without_an_address_means_the_configured_device_or_fails() -> None:
    with pytest.raises(Lasting, match="K1_DEVICE_IP is not set"):
        read({"ARTIFACT_STORAGE_PATH": "/srv/k1"}).address(None)
    configured = read({"ARTIFACT_STORAGE_PATH": "/srv/k1", "K1_DEVICE_IP": "twin:8081"})
    assert configured.address(None) == DeviceAddress("twin", 8081)
    assert configured.address("other:81", 3300) == DeviceAddress("other", 81, 3300)


def test_an_alias_points_a_literal_address_at_another_device() -> None:
    settings = read({"ARTIFACT_STORAGE_PATH": "/srv", "K1_DEVICE_ALIASES": "192.168.1.104=127.0.0.1:8081,ota=3300", "K1_DEVICE_IP": "192.168.1.104"})
    assert settings.address("192.168.1.104") == settings.address(None) == TWIN
    assert parse_aliases("a=b; c=d:81 ;") == {"a": DeviceAddress("b"), "c": DeviceAddress("d", 81)}


ADDRESSES: list[tuple[str, Any, DeviceAddress | None]] = [
    ("192.168.1.104",    None,    DeviceAddress("192.168.1.104", 80, 3232)),
    ("k1-reinvented.local:8080", "3300", DeviceAddress("k1-reinvented.local", 8080, 3300)),
    (" twin ",           "",      DeviceAddress("twin")),
    ("",                 None,    None),
    ("http://x",         None,    None),
    ("x:0",              None,    None),
    ("x:70000",          None,    None),
    ("x:80:80",          None,    None),
    ("x/../y",           None,    None),
    ("-x",               None,    None),
    ("x",                "none",  None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "ota_port", "address"), ADDRESSES)
def test_an_address_is_a_host_with_ports(text: str, ota_port: Any, address: DeviceAddress | None) -> None:
    if address is None:
        with pytest.raises(Lasting, match=r"device_address|ota_port"):
            parse(text, ota_port=ota_port)
    else:
        assert parse(text, ota_port=ota_port) == address


def test_a_password_is_named_by_tasks_and_never_shown() -> None:
    settings = read({"ARTIFACT_STORAGE_PATH": "/srv", "K1_OTA_PASSWORD": "sesame", "K1_OTA_PASSWORD_LAB": "two"})
    assert settings.password(None) == "sesame"
    assert settings.password("K1_OTA_PASSWORD_LAB") == "two"
    assert read({"ARTIFACT_STORAGE_PATH": "/srv"}).password(None) is None
    for reference in ("PATH", "K1_OTA_PASSWORD_X", "k1_ota_password"):
        with pytest.raises(Lasting, match="password_ref"):
            settings.password(reference)
    assert "sesame" not in repr(settings)
