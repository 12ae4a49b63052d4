"""The console's own checks: its types, its form, its unit tests, and that the types of the API are those of this server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UI = Path(__file__).parents[2] / "ui"


def npm(*words: str) -> None:
    if shutil.which("npm") is None or not (UI / "node_modules").is_dir():
        pytest.skip("NOT TESTED: npm or the console's libraries are missing; run: make ui (needs Node 20.19 or newer)")
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    ran = subprocess.run(["npm", "run", "--silent", *words], cwd=UI, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-6000:]


def test_types_form_and_units() -> None:
    npm("check")


def test_the_types_of_the_api_are_current() -> None:
    npm("types", "--", "--check")


def test_the_lock_file_names_no_place() -> None:
    lock = json.loads((UI / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
