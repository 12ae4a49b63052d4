"""
The firmware application's settings: one frozen record, read from the environment that the operations guide names.

Here: every setting, its unit, default and reason. Nothing else in the application reads the environment.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from batuta_firmware.address import DeviceAddress, parse, parse_aliases
from batuta_firmware.errors import Lasting
from batuta_firmware.espota import Patience

T = TypeVar("T")
LOG_LEVELS = ("debug", "info", "warning", "error")
OFFLINE = "offline"
_PASSWORD_NAME = re.compile(r"K1_OTA_PASSWORD[A-Z0-9_]*")


class SettingsError(ValueError):
    """The environment is not usable; the message lists every setting that is wrong."""


@dataclass(frozen=True, slots=True)
class Settings:
    """
    What the workers need to know.

    server_url: CONDUCTOR_SERVER_URL, the API of any Conductor server, with its /api.
    storage: ARTIFACT_STORAGE_PATH, where artifacts and records live; back this folder up.
    project: PLATFORMIO_PROJECT_PATH, the PlatformIO project inside a git clone; the repository it lies in may be built.
    repositories: K1_REPOSITORIES, `name=path-or-url;…`, further repositories that may be built. Others are refused.
    device: K1_DEVICE_IP, the device meant when a task names none.
    aliases: K1_DEVICE_ALIASES, addresses that stand for others; see address.py.
    build_root: K1_BUILD_ROOT, the only folder in which build directories are made and removed.
    platformio: K1_PLATFORMIO, `installed` uses PlatformIO as it is set up, `offline` a home that builds for the device twin only.
    compile_timeout_s: K1_COMPILE_TIMEOUT_S, after which a compile is ended: below the 300 s of its task definition.
    heap_floor_bytes: K1_HEAP_FLOOR_BYTES; a device with less free heap is not healthy.
    health_deadline_s: K1_HEALTH_DEADLINE_S, how long a health check waits for a device when its task does not say:
        under the 30 s that the guide's task definition allows.
    ota_host_port: K1_OTA_HOST_PORT, our port that devices connect back to; 0 is any.
    ota_patience: K1_OTA_INVITATION_S sets its first part: seconds to wait for an answer to each of ten invitations.
    lease_s: K1_DEVICE_LEASE_S, how long a deployment keeps a device to itself: longer than flashing and checking it take.
    lease_wait_s: K1_DEVICE_WAIT_S, how long a deployment waits for a device that another one has.
    artifacts_kept: K1_ARTIFACTS_KEPT, newest artifacts that are kept; what runs, or may be rolled back to, is always kept.
    slack_url: K1_SLACK_WEBHOOK_URL, where notifications go besides the storage's notifications.jsonl.
    metrics_port: METRICS_PORT, port of the workers' own metrics; 0 is none.
    log_level: LOG_LEVEL.
    """

    storage: Path
    server_url: str = "http://localhost:8080/api"
    project: Path | None = None
    repositories: Mapping[str, str] = field(default_factory=dict)
    device: DeviceAddress | None = None
    aliases: Mapping[str, DeviceAddress] = field(default_factory=dict)
    build_root: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    platformio: str = "installed"
    compile_timeout_s: float = 280.0
    heap_floor_bytes: int = 50_000
    health_deadline_s: float = 25.0
    ota_host_port: int = 0
    ota_patience: Patience = field(default_factory=Patience)
    lease_s: float = 900.0
    lease_wait_s: float = 30.0
    artifacts_kept: int = 50
    slack_url: str | None = None
    metrics_port: int = 0
    log_level: str = "info"
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)

    def address(self, device_address: str | None, ota_port: int | str | None = None) -> DeviceAddress:
        """
        The device a task means: the one it names, else K1_DEVICE_IP.

        Raises:
            Lasting: neither names one, or the name is no address.
        """
        if device_address:
            return parse(device_address, ota_port=ota_port, aliases=self.aliases)
        if self.device is None:
            what = "the task has no device_address and K1_DEVICE_IP is not set"
            raise Lasting("no_device", what, fix="Give the workflow a device_address")
        return self.device

    def password(self, reference: str | None) -> str | None:
        """
        The update password that *reference* names, by default K1_OTA_PASSWORD; a task carries the name, never the password.

        Raises:
            Lasting: the reference is no password's name, or that password is not set.
        """
        name = reference or "K1_OTA_PASSWORD"
        if not _PASSWORD_NAME.fullmatch(name):
            raise Lasting("bad_password_ref", f"password_ref is {name!r}; expected the name of a variable beginning with K1_OTA_PASSWORD")
        if reference and name not in self.passwords:
            raise Lasting("bad_password_ref", f"password_ref names {name}, which is not set for this worker")
        return self.passwords.get(name)


def read(environment: Mapping[str, str]) -> Settings:
    """
    The settings in *environment*.

    Raises:
        SettingsError: naming every variable that is missing or unusable, what it holds and what was expected.
    """
    reader = _Reader(environment)
    none: dict[str, DeviceAddress] = {}
    no_repositories: dict[str, str] = {}
    aliases = reader.get("K1_DEVICE_ALIASES", parse_aliases, none)
    values: dict[str, Any] = {
        "storage": reader.required("ARTIFACT_STORAGE_PATH", _folder),
        "server_url": reader.get("CONDUCTOR_SERVER_URL", _url, "http://localhost:8080/api"),
        "project": reader.get("PLATFORMIO_PROJECT_PATH", _project, None),
        "repositories": reader.get("K1_REPOSITORIES", _repositories, no_repositories),
        "aliases": aliases,
        "device": reader.get("K1_DEVICE_IP", lambda text: _device(text, aliases), None),
        "build_root": reader.get("K1_BUILD_ROOT", _folder, Path(tempfile.gettempdir())),
        "platformio": reader.get("K1_PLATFORMIO", _one_of("installed", OFFLINE), "installed"),
        "compile_timeout_s": reader.get("K1_COMPILE_TIMEOUT_S", _number(float, 1, 86_400), 280.0),
        "heap_floor_bytes": reader.get("K1_HEAP_FLOOR_BYTES", _number(int, 0, 1 << 30), 50_000),
        "health_deadline_s": reader.get("K1_HEALTH_DEADLINE_S", _number(float, 1, 3600), 25.0),
        "ota_host_port": reader.get("K1_OTA_HOST_PORT", _number(int, 0, 65_535), 0),
        "ota_patience": Patience(invitation_s=reader.get("K1_OTA_INVITATION_S", _number(float, 0.05, 60), Patience().invitation_s)),
        "lease_s": reader.get("K1_DEVICE_LEASE_S", _number(float, 1, 86_400), 900.0),
        "lease_wait_s": reader.get("K1_DEVICE_WAIT_S", _number(float, 0, 3600), 30.0),
        "artifacts_kept": reader.get("K1_ARTIFACTS_KEPT", _number(int, 1, 1_000_000), 50),
        "slack_url": reader.get("K1_SLACK_WEBHOOK_URL", _url, None),
        "metrics_port": reader.get("METRICS_PORT", _number(int, 0, 65_535), 0),
        "log_level": reader.get("LOG_LEVEL", _one_of(*LOG_LEVELS), "info"),
        "passwords": {name: value for name, value in environment.items() if _PASSWORD_NAME.fullmatch(name)},
    }
    if reader.problems:
        raise SettingsError("the firmware workers cannot start:\n" + "\n".join(f"  {problem}" for problem in reader.problems))
    return Settings(**values)


class _Reader:
    """Reads variables one by one and remembers all that is wrong, so that it is told at once."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def get(self, name: str, convert: Callable[[str], T], default: T) -> T:
        text = self._environment.get(name, "").strip()
        if not text:
            return default
        try:
            return convert(text)
        except ValueError as error:
            self.problems.append(f"{name} is {text!r}: {error}")
            return default

    def required(self, name: str, convert: Callable[[str], T]) -> T | None:
        if not self._environment.get(name, "").strip():
            self.problems.append(f"{name} is not set; it is needed")
            return None
        return self.get(name, lambda text: convert(text), None)


def _folder(text: str) -> Path:
    path = Path(text).expanduser()
    if path.exists() and not path.is_dir():
        raise ValueError("not a folder")
    return path.absolute()


def _project(text: str) -> Path:
    path = _folder(text)
    if not (path / "platformio.ini").is_file():
        raise ValueError("there is no platformio.ini in it")
    return path


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+\S*", text):
        raise ValueError("expected http:// or https:// and a host")
    return text.rstrip("/")


def _device(text: str, aliases: Mapping[str, DeviceAddress]) -> DeviceAddress:
    try:
        return parse(text, aliases=aliases)
    except Lasting as error:
        raise ValueError(error.message) from None


def _repositories(text: str) -> dict[str, str]:
    found = {}
    for entry in filter(None, (part.strip() for part in text.split(";"))):
        name, equals, source = entry.partition("=")
        if not equals or not name.strip() or not source.strip():
            raise ValueError(f"{entry!r} is not of the form NAME=PATH-OR-URL")
        found[name.strip()] = source.strip()
    return found


def _one_of(*choices: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return text.lower()

    return convert


def _number(kind: type[T], least: float, most: float) -> Callable[[str], T]:
    def convert(text: str) -> T:
        try:
            value = kind(text)  # type: ignore[call-arg]
        except ValueError:
            raise ValueError(f"expected a number from {least:g} to {most:g}") from None
        if not least <= float(str(value)) <= most:
            raise ValueError(f"expected a number from {least:g} to {most:g}")
        return value

    return convert
