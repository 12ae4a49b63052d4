"""Real builds: PlatformIO, a cross compiler and esptool turn the fixture firmware into images, or say what is wrong."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import forge
import pytest
from firmware_kit import FIXTURE, needs_compiler

from batuta_firmware import build, image, metrics, platformio_home
from batuta_firmware.errors import FirmwareError, Lasting, Passing
from batuta_firmware.repo import Commit
from batuta_firmware.settings import Settings
from batuta_firmware.twin import Twin
from batuta_firmware.twin.board import Board

pytestmark = needs_compiler
ENVIRONMENT = "esp32-s3-devkitc-1"
COMMIT = Commit(forge.COMMIT, 1_762_596_000)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(FIXTURE, tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def compiled(project: Path, tmp_path: Path, settings: Settings, platformio_home: Path) -> Callable[..., build.Build]:
    def compiled(environment: str = ENVIRONMENT, *, out: str = "out", cancelled: Callable[[], bool] = lambda: False, **changes: float) -> build.Build:
        (settings.storage).mkdir(exist_ok=True)
        link = settings.storage / "platformio"
        if not link.exists():
            link.symlink_to(platformio_home)
        return build.compile_firmware(project, environment, COMMIT, tmp_path / out, dataclasses.replace(settings, **changes), cancelled=cancelled)

    return compiled


Compiled = Callable[..., build.Build]


def test_the_fixture_becomes_an_image_that_says_its_commit_and_runs(compiled: Compiled) -> None:
    built = compiled()
    parsed = image.parse(built.firmware.read_bytes())
    assert parsed.sha256 == built.sha256
    assert parsed.descriptor is not None
    assert (parsed.descriptor.version, parsed.chip) == (forge.COMMIT[:31], "esp32c3")
    found = metrics.read(built.log)
    assert 0 < found.flash.percent < 5
    assert 10 < found.ram.percent < 20
    assert found.warnings == ()
    board = Board(parsed)
    for _ in range(5):
        board.run_frame()
    assert board.ready
    assert board.identity == forge.COMMIT
    assert board.heap_free > 200_000
    assert [pattern.id for pattern in board.patterns][:2] == ["departure", "lava"]
    shown = board.leds
    board.pattern_wanted = 4
    board.run_frame()
    assert board.pattern_shown == 4
    assert board.leds != shown


def test_esptool_finds_the_image_valid_and_agrees_on_its_descriptor(compiled: Compiled) -> None:
    built = compiled()
    command = [sys.executable, "-m", "esptool", "image-info", str(built.firmware)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    descriptor = image.parse(built.firmware.read_bytes()).descriptor
    assert descriptor is not None
    assert told.count("(valid)") == 2
    assert f"ELF file SHA256: {descriptor.elf_sha256}" in told


def test_the_same_commit_gives_the_same_bytes_elsewhere(compiled: Compiled, project: Path, tmp_path: Path) -> None:
    first = compiled(out="one")
    moved = project.rename(tmp_path / "somewhere-else")
    shutil.copytree(moved, project)
    assert compiled(out="two").sha256 == first.sha256


def test_platformio_itself_can_send_to_a_twin(compiled: Compiled, project: Path, settings: Settings, tmp_path: Path, make_twin: Callable[..., Twin]) -> None:
    compiled()
    twin = make_twin()
    home = platformio_home.environment(settings.storage / "platformio", tmp_path / "pio")
    flags = {"PLATFORMIO_BUILD_DIR": str(tmp_path / "pio"), "PLATFORMIO_UPLOAD_FLAGS": f"-p\n{twin.ota.port}"}
    command = [sys.executable, "-m", "platformio", "run", "-e", f"{ENVIRONMENT}-ota", "-t", "upload", "-d", str(project)]
    done = subprocess.run(command, env={**os.environ, **home, **flags}, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the device confirmed them" in done.stdout
    assert twin.device.wait_until(lambda: (now := twin.device.snapshot()) is not None and now.identity == "unversioned", 10)


def test_warnings_are_told_again_by_every_build_of_a_directory(compiled: Compiled, project: Path) -> None:
    (project / "src" / "extra.cpp").write_text("static int unused() { return 1; }\nint used(unsigned n) { int i = 1; return i < n; }\n")
    for _ in range(2):
        found = metrics.read(compiled().log).warnings
        assert sorted(line.rsplit("[", 1)[-1] for line in found) == ["-Wsign-compare]", "-Wunused-function]"]


def test_a_mistake_in_the_source_is_final(compiled: Compiled, project: Path) -> None:
    (project / "src" / "extra.cpp").write_text("int x() { return y; }\n")
    with pytest.raises(Lasting, match="use of undeclared identifier 'y'") as caught:
        compiled()
    assert caught.value.code == "compile_error"
    assert "extra.cpp:1:18: error:" in caught.value.output["build_log"]
    assert caught.value.output["success"] is False


def test_a_function_that_is_nowhere_is_final(compiled: Compiled, project: Path) -> None:
    text = (project / "src" / "main.cpp").read_text()
    (project / "src" / "main.cpp").write_text(text.replace("void setup() {", "void setup() {\n  extern void nowhere();\n  nowhere();"))
    with pytest.raises(Lasting) as caught:
        compiled()
    assert caught.value.code == "compile_error"
    assert "undefined symbol" in caught.value.reason or "undefined reference" in caught.value.reason


def with_data(project: Path, size: int) -> None:
    """Make the program *size* bytes larger in flash."""
    (project / "src" / "blob.cpp").write_text(f"extern const unsigned char blob[{size}] = {{1, 2, 3}};\n")
    text = (project / "src" / "main.cpp").read_text()
    extern = f"extern const unsigned char blob[{size}];\nuint32_t blob_at(uint32_t i) {{ return blob[i % {size}]; }}\n"
    text = text.replace('extern "C" int main() {', f'{extern}\nextern "C" int main() {{\n  if (blob_at(board::read(board::kMicros))) setup();')
    (project / "src" / "main.cpp").write_text(text)


def test_a_program_too_large_for_the_board_is_final_although_its_image_was_made(compiled: Compiled, project: Path) -> None:
    with_data(project, 2_100_000)
    with pytest.raises(Lasting, match="greater than maximum allowed") as caught:
        compiled()
    assert caught.value.code == "program_too_large"


def test_a_program_above_the_gate_builds_and_tells_its_size(compiled: Compiled, project: Path) -> None:
    with_data(project, 1_400_000)
    assert metrics.read(compiled().log).flash.percent > 70


@pytest.mark.parametrize(
    ("environment", "code"), [("nothing", "unknown_environment"), ("a b", "bad_environment"), ("-x", "bad_environment"), ("", "bad_environment")]
)
def test_an_environment_that_is_not_there_is_final(compiled: Compiled, environment: str, code: str) -> None:
    with pytest.raises(Lasting) as caught:
        compiled(environment)
    assert caught.value.code == code


def test_a_build_that_takes_too_long_is_ended_with_its_children(compiled: Compiled, project: Path, tmp_path: Path) -> None:
    with_script(project, "slow.py")
    (project / "slow.py").write_text(f"import os, signal\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\nsignal.pause()\n")
    with pytest.raises(Passing, match="did not end within 2 s"):
        compiled(compile_timeout_s=2.0)
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_a_cancelled_build_is_ended(compiled: Compiled, project: Path, tmp_path: Path) -> None:
    with_script(project, "slow.py")
    (project / "slow.py").write_text(f"import signal\nopen({str(tmp_path / 'began')!r}, 'w').close()\nsignal.pause()\n")
    with pytest.raises(Passing, match="the task was cancelled"):
        compiled(cancelled=lambda: (tmp_path / "began").exists())


def test_a_build_learns_no_secrets(compiled: Compiled, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K1_OTA_PASSWORD", "sesame")
    monkeypatch.setenv("CONDUCTOR_AUTH_SECRET", "sesame")
    with_script(project, "peek.py")
    (project / "peek.py").write_text(f"import os, json\njson.dump(dict(os.environ), open({str(tmp_path / 'seen')!r}, 'w'))\n")
    compiled()
    assert "sesame" not in json.loads((tmp_path / "seen").read_text()).values()


def test_four_builds_at_once_do_not_disturb_each_other(compiled: Compiled) -> None:
    compiled(out="warm")
    hashes: list[str] = []
    threads = [threading.Thread(target=lambda name=name: hashes.append(compiled(out=name).sha256)) for name in "abcd"]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(hashes) == 4
    assert len(set(hashes)) == 1


def with_script(project: Path, name: str) -> None:
    """Make the build run the script *name* of the project before it compiles."""
    config = (FIXTURE / "platformio.ini").read_text()
    (project / "platformio.ini").write_text(config.replace("[env]\n", f"[env]\nextra_scripts = pre:{name}\n"))


def is_alive(pid: int) -> bool:
    """Whether process *pid* runs; one that has ended and was not reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_log_of_a_long_build_is_cut_at_its_beginning(tmp_path: Path) -> None:
    log = "".join(f"line {number}\n" for number in range(20_000))
    cut = build.tail(log, tmp_path / "build.log")
    assert len(cut.encode()) < 64_000
    assert cut.startswith(build.TRUNCATED)
    assert cut.endswith("line 19999\n")
    assert build.tail("short", tmp_path / "build.log") == "short"


def test_preparing_the_home_again_changes_nothing(tmp_path: Path) -> None:
    platformio_home.prepare(tmp_path / "core")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "core").rglob("*")}
    platformio_home.prepare(tmp_path / "core")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "core").rglob("*")} == before


def test_a_damaged_home_is_repaired(tmp_path: Path) -> None:
    platformio_home.prepare(tmp_path / "core")
    (tmp_path / "core" / "platforms" / "k1twin" / ".batuta-stamp").write_text("of another version")
    (tmp_path / "core" / "platforms" / "k1twin" / "platform.json").unlink()
    platformio_home.prepare(tmp_path / "core")
    assert (tmp_path / "core" / "platforms" / "k1twin" / "platform.json").is_file()


def test_a_pair_of_platformio_and_scons_that_do_not_fit_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = platformio_home.importlib.metadata.version
    monkeypatch.setattr(platformio_home.importlib.metadata, "version", lambda name: "4.0.0" if name == "scons" else found(name))
    with pytest.raises(FirmwareError, match=r"asks for SCons .*, installed is 4\.0\.0"):
        platformio_home.prepare(tmp_path / "core")
