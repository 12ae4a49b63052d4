"""
A PlatformIO home that works without a network: the build tool and the twin's platform, laid out as PlatformIO expects them.

Here: what stands in PLATFORMIO_CORE_DIR. Not here: running a build (build.py), nor the platform itself (platform/).
PlatformIO looks its packages up in its home and would fetch what is missing from a registry. Its build tool is SCons, which the Python
environment already has, so the package is a shim of three files; PlatformIO asks for one exact version, read from its own list.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from batuta_firmware.errors import Lasting
from batuta_firmware.locks import locked

PLATFORM_DIR = Path(__file__).parent / "platform"
EXTRA = "pip install 'batuta[firmware]'"

_SCONS_SHIM = """\
import sys

import SCons.Script

if __name__ == "__main__":
    sys.exit(SCons.Script.main())
"""


def missing_tools() -> list[str]:
    """The Python packages that a build needs and that are not installed, by the name pip knows them by."""
    needed = {"platformio": "platformio", "scons": "SCons", "esptool": "esptool", "ziglang": "ziglang"}
    missing = [package for package, module in needed.items() if importlib.util.find_spec(module) is None]
    if "ziglang" in missing and shutil.which("riscv64-unknown-elf-gcc"):
        missing.remove("ziglang")  # the platform's builder takes Debian's cross compiler instead
    return missing


def prepare(core_dir: Path) -> Path:
    """
    Make *core_dir* a PlatformIO home that builds the twin's firmware offline, and return it.

    Safe to call again and from several processes: what is already right is left alone, the rest is replaced whole.

    Raises:
        Lasting: a build tool is not installed, or SCons is not the version this PlatformIO asks for.
    """
    if missing := missing_tools():
        raise Lasting("tools_missing", f"cannot build firmware: not installed: {', '.join(missing)}", fix=f"Install them: {EXTRA}")
    shim_version = _shim_version()
    core_dir.mkdir(parents=True, exist_ok=True)
    with locked(core_dir / ".batuta-lock"):
        _install(core_dir / "packages" / "tool-scons", _scons_files(shim_version))
        _install(core_dir / "platforms" / "k1twin", _platform_files())
    return core_dir


def environment(core_dir: Path, out: Path) -> dict[str, str]:
    """
    The variables that make PlatformIO use *core_dir*, quietly and without asking anybody on the network, for a build into *out*.

    The compiler keeps objects in a cache and does not repeat the warnings of what it finds there, so each build has a cache of its own.
    """
    return {
        "PLATFORMIO_CORE_DIR": str(core_dir),
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL": "9999",
        "PLATFORMIO_NO_ANSI": "1",
        "CI": "true",
        "ZIG_GLOBAL_CACHE_DIR": str(core_dir / "zig-cache"),
        "ZIG_LOCAL_CACHE_DIR": str(out / "zig-cache"),
    }


def scons_version_wanted(requirement: str) -> str:
    """The SCons release behind PlatformIO's *requirement* on its package: ~4.41101.0 is SCons 4.11.1."""
    match = re.fullmatch(r"[~^=]*4\.(\d)(\d\d)(\d\d)\.\d+", requirement)
    if match is None:
        raise Lasting("platformio_unknown", f"PlatformIO asks for tool-scons {requirement!r}; expected a form like '~4.41101.0'")
    return ".".join(str(int(part)) for part in match.groups())


def _shim_version() -> str:
    requirement: str = importlib.import_module("platformio.dependencies").get_core_dependencies()["tool-scons"]
    wanted, found = scons_version_wanted(requirement), importlib.metadata.version("scons")
    if not _fits(found, wanted):
        raise Lasting(
            "scons_mismatch",
            f"PlatformIO {importlib.metadata.version('platformio')} asks for SCons {wanted}, installed is {found}",
            fix=f"Install what fits: pip install scons=={wanted}",
        )
    return requirement.lstrip("~^=")


def _fits(found: str, wanted: str) -> bool:
    """Whether SCons *found* may stand in for *wanted*: the same minor release, and no older patch of it."""
    release, patch = found.rsplit(".", 1)
    wanted_release, wanted_patch = wanted.rsplit(".", 1)
    return release == wanted_release and patch.isdigit() and int(patch) >= int(wanted_patch)


def _scons_files(version: str) -> dict[str, bytes]:
    package = {"name": "tool-scons", "version": version, "description": "SCons from the Python environment", "license": "MIT"}
    return {
        "scons.py": _SCONS_SHIM.encode(),
        "package.json": _json(package),
        ".piopm": _piopm("tool", "tool-scons", version, owner="platformio"),
    }


def _platform_files() -> dict[str, bytes]:
    files = {
        path.relative_to(PLATFORM_DIR).as_posix(): path.read_bytes()
        for path in sorted(PLATFORM_DIR.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    version = json.loads(files["platform.json"])["version"]
    return {**files, ".piopm": _piopm("platform", "k1twin", version, owner=None)}


def _piopm(kind: str, name: str, version: str, *, owner: str | None) -> bytes:
    spec = {"owner": owner, "id": None, "name": name, "requirements": None, "uri": None}
    return _json({"type": kind, "name": name, "version": version, "spec": spec})


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=2).encode()


def _install(target: Path, files: dict[str, bytes]) -> None:
    """Put exactly *files* at *target*: built aside, then moved into place in one step."""
    stamp = hashlib.sha256(b"".join(name.encode() + b"\0" + content for name, content in sorted(files.items()))).hexdigest()
    stamp_file = target / ".batuta-stamp"
    if stamp_file.is_file() and stamp_file.read_text() == stamp:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for name, content in files.items():
            path = aside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (aside / ".batuta-stamp").write_text(stamp)
        if target.exists():
            shutil.rmtree(target)
        os.replace(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
