"""The demo: its commits, its views, and the three stories end to end on a server of the test's own."""

from __future__ import annotations

import io
import re
import urllib.request
from pathlib import Path

import pytest
from firmware_kit import needs_compiler

from batuta.testing import embedded
from batuta_firmware import demo
from batuta_firmware.demo import stage as stage_module
from batuta_firmware.demo import stories
from batuta_firmware.demo.source import make, subject
from batuta_firmware.demo.trace import Row
from batuta_firmware.demo.view import LineView, LiveView, view_for
from batuta_firmware.errors import Lasting


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_every_run_makes_the_same_commits(tmp_path: Path) -> None:
    one, two = make(tmp_path / "one"), make(tmp_path / "two")
    assert (one.good, one.warning, one.boots_wrongly) == (two.good, two.warning, two.boots_wrongly)
    assert subject(one, one.good) == "patterns: add aurora"
    assert make(tmp_path / "one") == one


ROWS = [Row("w", 0, "pipeline", "RUNNING"), Row("a", 1, "validate_commit", "COMPLETED", 0.1, "abc"), Row("b", 1, "compile", "IN_PROGRESS")]
ENDED = [Row("w", 0, "pipeline", "FAILED", 3.0, "why"), ROWS[1], Row("b", 1, "compile", "FAILED", 2.0, "why\nover two lines")]


def test_a_pipe_gets_a_line_for_each_thing_that_ended() -> None:
    stream = io.StringIO()
    view = view_for(stream, plain=False)
    assert isinstance(view, LineView)
    view.show(ROWS)
    view.show(ROWS)
    view.show(ENDED)
    words = [line.split() for line in stream.getvalue().splitlines()]
    assert words == [
        ["COMPLETED", "validate_commit", "0.1", "s", "abc"],
        ["FAILED", "compile", "2.0", "s", "why", "over", "two", "lines"],
        ["FAILED", "pipeline", "3.0", "s", "why"],
    ]


def test_a_terminal_gets_a_block_that_is_redrawn_in_place() -> None:
    stream = Terminal()
    view = view_for(stream, plain=False)
    assert isinstance(view, LiveView)
    view.show(ROWS)
    view.show(ENDED)
    first, second = stream.getvalue().split("\x1b[3A")
    assert first.count("\n") == second.count("\n") == 3
    assert "✓" in second and "✗" in second
    assert isinstance(view_for(stream, plain=True), LineView)


def test_a_terminal_that_knows_no_such_letters_gets_what_it_can_show() -> None:
    class Old(io.StringIO):
        encoding = "ascii"

    stream = Old()
    LineView(stream).line("ready – steady")
    assert stream.getvalue() == "ready ? steady\n"


def test_a_demo_without_its_tools_says_which_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(core_dir: Path) -> Path:
        raise Lasting("tools_missing", "cannot build firmware: not installed: ziglang", fix="Install them: pip install 'batuta[firmware]'")

    monkeypatch.setattr(stage_module.platformio_home, "prepare", missing)
    stream = io.StringIO()
    assert demo.run("http://127.0.0.1:9/api", data_dir=tmp_path, stream=stream) == 1
    assert "preparing: cannot build firmware: not installed: ziglang. Install them: pip install 'batuta[firmware]'" in stream.getvalue()


@needs_compiler
def test_a_demo_without_a_server_fails_and_says_so(tmp_path: Path) -> None:
    stream = io.StringIO()
    assert demo.run("http://127.0.0.1:9/api", data_dir=tmp_path, stream=stream) == 1
    assert "The demo failed. registering the definitions: " in stream.getvalue()


@needs_compiler
def test_the_three_stories_come_true_and_can_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, looked = io.StringIO(), []

    def look_and_leave() -> None:
        for address in re.findall(r"execution +(\S+)", stream.getvalue()):
            with urllib.request.urlopen(urllib.request.Request(address, headers={"Accept": "text/html"})) as answer:
                looked.append(answer.status)
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "_until_interrupted", look_and_leave)
    with embedded() as server:
        assert demo.run(server.url, data_dir=tmp_path, stay=True, stream=stream) == 0, stream.getvalue()
    told = stream.getvalue()
    assert looked == [200, 200, 200]
    for said in ("says it runs this commit", "stopped at the gate", "rolled back to the last verified"):
        assert said in told
    assert told.count("\n  ok ") == 3
    notes = (tmp_path / "firmware-demo" / "storage" / "notifications.jsonl").read_text()
    assert notes.count('"subject": "rollback"') == 1
    assert "rolled back to" in notes
    assert list((tmp_path / "firmware-demo" / "builds").iterdir()) == []


@needs_compiler
def test_a_story_that_comes_out_otherwise_fails_the_demo_and_names_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = stories.Story("The warning is let through", lambda stage: stage.commits.warning, stories.good)
    monkeypatch.setattr(demo, "STORIES", (wrong,))
    stream = io.StringIO()
    with embedded() as server:
        assert demo.run(server.url, data_dir=tmp_path, stream=stream) == 1
    assert "The demo failed. The warning is let through: step " in stream.getvalue()
