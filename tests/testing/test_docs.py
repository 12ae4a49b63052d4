"""The how-to page of the kit: its files, put into a directory, are a test suite that passes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from batuta.testing.server import EmbeddedServer, ServerClock

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "test-your-workflows.md"


def test_the_tests_of_the_page_pass(tmp_path: Path) -> None:
    files = re.findall(r"^```python\n# (\S+)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert [name for name, _ in files] == ["shop.py", "test_with_workers.py", "test_without_workers.py", "conftest.py", "test_with_the_fixture.py"]
    for name, text in files:
        (tmp_path / name).write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTEST_ADDOPTS": "-p no:cacheprovider"}
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "."], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0 and "3 passed" in run.stdout, run.stdout + run.stderr


def test_everything_a_test_may_use_is_on_the_page() -> None:
    page = PAGE.read_text()
    for name in (name for name in {**vars(EmbeddedServer), **EmbeddedServer.__annotations__} if not name.startswith("_")):
        assert f"server.{name}" in page, name
    for name in (name for name in vars(ServerClock) if not name.startswith("_")):
        assert f"server.clock.{name}" in page, name
