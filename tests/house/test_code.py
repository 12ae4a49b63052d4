"""
The house's rules that a reader would otherwise have to check: what is in the source, what is not, how large it is, what imports what.

Here: rules over text and syntax trees. Not here: documentation (test_documentation.py), what is shipped (test_package.py).
"""

from __future__ import annotations

import ast
import graphlib
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import ROOT

SRC = ROOT / "src" / "batuta"
APPS = (ROOT / "apps" / "firmware" / "batuta_firmware", ROOT / "apps" / "flows" / "batuta_flows")
TESTS = ROOT / "tests"
SOURCES = sorted(path for home in (SRC, *APPS) for path in home.rglob("*.py"))
FILE_LINES_MAX, FILE_LINES_WISHED = 600, 400
FUNCTION_LINES_MAX, FUNCTION_LINES_WISHED = 80, 40

# What runs without being imported by something else of ours.
ENTRY_POINTS = (
    "batuta", "batuta.__main__", "batuta.cli.main", "batuta.app", "batuta.client", "batuta.builtin", "batuta.testing", "batuta.testing.plugin",
    "batuta.sandbox.child", "batuta_firmware", "batuta_firmware.__main__", "batuta_firmware.workers", "batuta_firmware.twin.__main__",
    "batuta_flows", "batuta_flows.__main__",
)  # fmt: skip
# PlatformIO runs these by their path.
RUN_BY_PATH = ("platform/builder/",)

# Tests that wait in real time, and why they may.
SLEEPERS = {
    "brokers/natswork.py": "waits until a broker answers",
    "compat/golden/golden.py": "plays against a server in another process, which may be Conductor itself",
    "compat/golden/scenarios/bulk_and_search.py": "the same; its index is filled late",
    "compat/golden/scenarios/timeouts.py": "the same; its timeouts are real",
    "compat/python_sdk/stories.py": "a program of the official SDK, which looks again in steps of 20 ms, with a bound",
    "compat/serving.py": "waits for a process to answer, in steps of 20 ms, with a bound",
    "compat/test_crashes.py": "kill -9 comes at a random moment of real work",
    "flows/processes.py": "waits for what other processes do, in steps of 20 ms, with a bound",
    "house/test_learn.py": "waits for a process to answer, in steps of 20 ms, with a bound",
    "house/test_package.py": "waits for a process to answer, in steps of 20 ms, with a bound",
}


def name_of(path: Path) -> str:
    """The dotted name of a module."""
    root = next(home.parent for home in (SRC, *APPS) if path.is_relative_to(home))
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in SOURCES}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_lives_in_it(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert not tree.body or ast.get_docstring(tree), f"{path.relative_to(ROOT)} does not open with a docstring"


def test_files_and_functions_have_a_size_one_can_read() -> None:
    large = {}
    for path in SOURCES:
        text = path.read_text()
        sizes = [(str(path.relative_to(ROOT)), len(text.splitlines()), FILE_LINES_MAX, FILE_LINES_WISHED)]
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                sizes.append((f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", lines, FUNCTION_LINES_MAX, FUNCTION_LINES_WISHED))
        for name, lines, most, wished in sizes:
            if lines > most:
                large[name] = lines
            elif lines > wished:
                warnings.warn(f"{name} has {lines} lines; {wished} are enough for most", stacklevel=1)
    assert not large, "\n".join(f"{name} has {lines} lines" for name, lines in large.items())


def test_every_module_is_reached_from_an_entry_point() -> None:
    reached: set[str] = set()
    ahead = [name for name in ENTRY_POINTS if name in MODULES]
    assert len(ahead) == len(ENTRY_POINTS), f"no longer there: {set(ENTRY_POINTS) - set(ahead)}"
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += [found for found in _named_in(name) if found in MODULES]
    dead = {name for name in MODULES.keys() - reached if not any(part in str(MODULES[name]) for part in RUN_BY_PATH)}
    assert not dead, f"imported by nothing: {sorted(dead)}"


def test_no_module_needs_itself_by_way_of_others() -> None:
    """Neither at once nor later, by an import inside a function: whoever reads one of two would have to read the other first."""
    needs = {name: {found for found in _imported(name) if found in MODULES and found != name} for name in MODULES}
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as circle:
        pytest.fail(" needs ".join(reversed(circle.args[1])))


def _imported(name: str) -> Iterator[str]:
    """Modules that a module imports; of a name out of a package the module of that name, if there is one."""
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (whole if (whole := f"{module}.{alias.name}") in MODULES else module for alias in names)


def _named_in(name: str) -> Iterator[str]:
    """Modules that a module imports, the packages they are in, and those it names in a text (`package.module:attribute`)."""
    yield name.rpartition(".")[0]
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = ".".join(package.split(".")[: len(package.split(".")) - level + 1]) if level else ""
                whole = ".".join(part for part in (base, module) if part)
                yield whole
                yield from (f"{whole}.{alias.name}" for alias in names)
            case ast.Constant(value=str(text)) if re.fullmatch(r"batuta(_firmware|_flows)?(\.\w+)+(:\w+)?", text):
                yield text.partition(":")[0]


def test_no_text_is_run_as_code() -> None:
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not found


def test_a_test_does_not_sleep() -> None:
    sleeping = {str(path.relative_to(TESTS)) for path in TESTS.rglob("*.py") if re.search(r"\btime\.sleep\(", path.read_text()) and path != Path(__file__)}
    assert sleeping <= SLEEPERS.keys(), "advance a clock, or wait for an event with a bound; " + ", ".join(sorted(sleeping - SLEEPERS.keys()))
    assert sleeping >= SLEEPERS.keys(), f"they no longer sleep: {sorted(SLEEPERS.keys() - sleeping)}"


# Written in pieces, so that this file does not find itself.
ELSEWHERE = ("/" + "work/", "/tmp" + "/v/", "py" + "pi.org", "npmjs" + ".", "crates" + ".io", "maven" + ".org", "cla" + "ude", "anthro" + "pic", "chat" + "gpt")


def test_nothing_speaks_of_the_place_it_was_made_in() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split("\0")
    files = [ROOT / name for name in tracked if name] or [path for path in ROOT.rglob("*.*") if "/." not in str(path)]
    found = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8").lower()
        except (UnicodeDecodeError, OSError):
            continue
        found += [f"{path.relative_to(ROOT)}: {word}" for word in ELSEWHERE if word in text]
    assert not found, "\n".join(found)


def test_imports_go_the_way_the_contracts_say() -> None:
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or shutil.which("lint-imports")
    assert command, "lint-imports is not installed; run: make up"
    ran = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("directory", sorted(path for path in TESTS.iterdir() if path.is_dir() and path.name != "__pycache__"), ids=lambda path: path.name)
def test_a_directory_of_tests_has_tests(directory: Path) -> None:
    assert any(directory.rglob("test_*.py")), f"{directory.relative_to(ROOT)} has none"


def test_every_room_has_tests() -> None:
    rooms = {path.name for path in SRC.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert rooms <= {path.name for path in TESTS.iterdir()}, "a room without a directory of tests"


def test_the_licence_is_what_the_package_says() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "Version 2.0, January 2004" in text
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()
