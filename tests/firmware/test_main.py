"""The worker process and the registration, as commands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from batuta.testing import embedded
from batuta_firmware import definitions
from batuta_firmware.__main__ import main


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("K1_", "CONDUCTOR_", "PLATFORMIO_", "METRICS_PORT", "LOG_LEVEL", "ARTIFACT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_an_unusable_environment_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    assert "ARTIFACT_STORAGE_PATH is not set" in capsys.readouterr().err


def test_an_unknown_word_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fly"]) == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["corrected", "original"])
def test_definitions_are_registered_and_may_be_again(
    form: definitions.Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARTIFACT_STORAGE_PATH", str(tmp_path))
    arguments = ["register"] if form == "corrected" else ["register", "original"]
    with embedded() as server:
        monkeypatch.setenv("CONDUCTOR_SERVER_URL", server.url)
        assert [main(arguments), main(arguments)] == [0, 0]
        known = {workflow["name"] for workflow in server.client.list_workflow_defs()}
    assert known == {workflow["name"] for workflow in definitions.load(form).workflows}
    assert capsys.readouterr().out.count("registered") == 2


def test_a_server_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ARTIFACT_STORAGE_PATH", str(tmp_path))
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", "http://127.0.0.1:9/api")
    assert main(["register"]) == 1
    assert "could not be registered with http://127.0.0.1:9/api" in capsys.readouterr().err


def test_the_workers_poll_and_leave_when_told(tmp_path: Path) -> None:
    with embedded() as server:
        own = {"ARTIFACT_STORAGE_PATH": str(tmp_path), "CONDUCTOR_SERVER_URL": server.url, "XDG_STATE_HOME": str(tmp_path / "state")}
        process = subprocess.Popen([sys.executable, "-m", "batuta_firmware"], env={**os.environ, **own}, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        said = ""
        for _ in range(200):
            said += process.stderr.readline()
            if "polling for send_rollback_notification" in said:
                break
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        process.stderr.close()
    assert "polling for platformio_compile, 2 at once" in said


def test_the_twin_tells_its_ports_and_leaves_when_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "batuta_firmware.twin", "--state", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert '"device_address": "127.0.0.1:' in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()
    wrong = subprocess.run([*command, "--fault", "gravity=9"], capture_output=True, text=True, timeout=30, check=False)
    assert (wrong.returncode, "unknown fault 'gravity'" in wrong.stderr) == (2, True)
