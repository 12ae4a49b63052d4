"""
Compiling a commit with PlatformIO, in a directory of its own.

Here: running the build and saying what kind of failure it was. Not here: fetching the source (repo.py), reading the log's figures (metrics.py),
the offline home (platformio_home.py).
Each build starts clean, since a build that reuses objects does not repeat their warnings. The commit goes into the program by a build flag,
and its date is the build's date, so that the same commit gives the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batuta_firmware import platformio_home
from batuta_firmware.errors import FirmwareError, Lasting, Passing
from batuta_firmware.repo import Commit
from batuta_firmware.settings import OFFLINE, Settings

LOG_TAIL_BYTES = 60_000  # of a task output's 64 KB
LOG_NAME = "build.log"
POLL_S = 0.2
ENDING_S = 5.0
_ENVIRONMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
# A build runs code of the repository (extra_scripts): it learns nothing of the worker's settings and passwords.
_SECRET = re.compile(r"^(?:K1_|CONDUCTOR_)|SECRET|PASSWORD|TOKEN|_KEY")

# What a failed build's log says -> code, whether a retry may help, what to do. The first that matches counts.
_CAUSES: tuple[tuple[str, str, bool, str], ...] = (
    (r"UnknownEnvNames|Unknown environment names", "unknown_environment", False, "Use an environment that platformio.ini defines"),
    (r"No space left on device", "disk_full", True, "Make room on the disk"),
    (r"greater than maximum allowed", "program_too_large", False, "Make the program smaller, or its partition larger"),
    (r"(?:fatal )?error: .*|undefined (?:reference|symbol).*", "compile_error", False, "Correct the source"),
    (r"HTTPClientError|InternetConnectionError|Could not find the package|PackageException", "packages_unavailable", True, "Check the network"),
    (r"UnknownPlatform|UnknownBoard|UnknownFramework", "unknown_platform", False, "Install the platform, or correct platformio.ini"),
)


@dataclass(frozen=True, slots=True)
class Build:
    """A finished build. *log* is its tail, the whole is at *log_path*."""

    firmware: Path
    elf: Path | None
    sha256: str
    size_bytes: int
    log: str
    log_path: Path
    seconds: float


def compile_firmware(project: Path, environment: str, commit: Commit, out: Path, settings: Settings, *, cancelled: Callable[[], bool] = lambda: False) -> Build:
    """
    Build *environment* of the PlatformIO *project* into the folder *out*, clean, and return what came out.

    Raises:
        Lasting: the source does not compile, the program does not fit, the environment is unknown, or tools are missing.
        Passing: killed, out of time, cancelled, no room, no packages.
    """
    if not _ENVIRONMENT.fullmatch(environment):
        raise Lasting("bad_environment", f"environment is {environment!r}; expected a name such as 'esp32-s3-devkitc-1'")
    shutil.rmtree(out / "pio", ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    log_path, began_at, began = out / LOG_NAME, time.time(), time.monotonic()
    command = [*_platformio(), "run", "--environment", environment, "--project-dir", str(project)]
    code, ending = _run(command, _variables(commit, out, settings), project, log_path, settings.compile_timeout_s, cancelled)
    log = log_path.read_text(errors="replace")
    if ending is not None or code != 0:
        raise _failure(code, ending, log, log_path, settings)
    firmware = out / "pio" / environment / "firmware.bin"
    if not firmware.is_file() or firmware.stat().st_mtime < began_at - 1:
        raise Lasting("firmware_missing", f"the build succeeded and left no firmware.bin in {firmware.parent}", **_output(log, log_path))
    data = firmware.read_bytes()
    elf = firmware.with_suffix(".elf")
    return Build(
        firmware=firmware,
        elf=elf if elf.is_file() else None,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        log=tail(log, log_path),
        log_path=log_path,
        seconds=round(time.monotonic() - began, 3),
    )


def tail(log: str, log_path: Path) -> str:
    """The end of *log*, from a whole line on, with a word about what is missing and where it is."""
    raw = log.encode()
    if len(raw) <= LOG_TAIL_BYTES:
        return log
    kept = raw[-LOG_TAIL_BYTES:].split(b"\n", 1)[-1].decode("utf-8", "replace")
    return f"{TRUNCATED}{len(raw) - len(kept.encode())} bytes are in {log_path}]\n{kept}"


TRUNCATED = "[… the first "


def _platformio() -> list[str]:
    if importlib.util.find_spec("platformio"):
        return [sys.executable, "-m", "platformio"]
    if command := shutil.which("pio"):
        return [command]
    raise Lasting("tools_missing", "PlatformIO is not installed", fix=f"Install it: {platformio_home.EXTRA}")


def _variables(commit: Commit, out: Path, settings: Settings) -> dict[str, str]:
    quiet = {"PLATFORMIO_NO_ANSI": "1", "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no", "CI": "true"}
    home = {}
    if settings.platformio == OFFLINE:
        home = platformio_home.environment(platformio_home.prepare(settings.storage / "platformio"), out / "pio")
    flags = f"{os.environ.get('PLATFORMIO_BUILD_FLAGS', '')} -DFW_VERSION='\"{commit.full_sha}\"'".strip()
    inherited = {name: value for name, value in os.environ.items() if not _SECRET.search(name)}
    return {
        **inherited,
        **quiet,
        **home,
        "PLATFORMIO_BUILD_DIR": str(out / "pio"),
        "PLATFORMIO_BUILD_FLAGS": flags,
        "SOURCE_DATE_EPOCH": str(commit.committed_at),
    }


def _run(
    command: list[str], variables: dict[str, str], folder: Path, log_path: Path, timeout_s: float, cancelled: Callable[[], bool]
) -> tuple[int, str | None]:
    """The exit code, and why we ended the process if we did. It gets a session of its own, so that its children end with it."""
    deadline, ending = time.monotonic() + timeout_s, None
    with open(log_path, "wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            while process.poll() is None:
                if cancelled():
                    ending = "the task was cancelled"
                elif time.monotonic() > deadline:
                    ending = f"it did not end within {timeout_s:g} s"
                if ending is not None:
                    break
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=POLL_S)
        finally:
            if process.returncode is None:
                _end(process)
    return process.returncode, ending


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of the build's session is left running, or writing into its directory."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + ENDING_S
        while time.monotonic() < deadline and _is_alive(process):
            time.sleep(0.02)


def _is_alive(process: subprocess.Popen[bytes]) -> bool:
    process.poll()  # so that the leader, once ended, does not count
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _failure(code: int, ending: str | None, log: str, log_path: Path, settings: Settings) -> FirmwareError:
    output = _output(log, log_path)
    if ending is not None:
        return Passing("build_ended", f"the build was ended: {ending}", **output)
    for pattern, name, may_retry, fix in _CAUSES:
        if match := re.search(rf"^.*(?:{pattern}).*$", log, re.MULTILINE):
            kind = Passing if may_retry else Lasting
            return kind(name, f"the build failed: {match[0].strip()[:300]}", fix=fix, **output)
    if code < 0:
        return Passing("build_killed", f"the build was killed by signal {-code}", **output)
    last = log.strip().splitlines()[-1:] or [""]
    return Lasting("build_failed", f"the build failed with code {code}: {last[0][:300]}", **output)


def _output(log: str, log_path: Path) -> dict[str, Any]:
    return {"success": False, "build_log": tail(log, log_path), "build_log_path": str(log_path)}
