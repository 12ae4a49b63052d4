"""Nothing is missing in the documentation, nothing in it is out of date, and its links lead somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from pathlib import Path
from types import ModuleType

import click
import pytest
from pages import DOCS, ROOT, first_column, pages

from batuta.api.routes import ROUTES
from batuta.cli import fields
from batuta.cli.main import batuta
from batuta.core.model.status import TaskStatus, WorkflowStatus
from batuta.core.nodes import BY_TYPE
from batuta.engine.scrape import FAMILIES
from batuta.store.fields import READABLE
from batuta.wire import metadata

REFERENCE = DOCS / "reference"
RECORDED = ROOT / "tests" / "compat" / "golden" / "recorded"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", DOCS / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = generator()


@pytest.mark.parametrize("page", GENERATOR.PAGES)
def test_a_generated_page_is_current(page: str) -> None:
    assert (REFERENCE / page).read_text() == GENERATOR.PAGES[page](), f"run: python docs/generate.py ({page} is out of date)"


def test_every_setting_is_documented() -> None:
    told = first_column(REFERENCE / "settings.md")
    assert {field.option for field in fields.fields()} <= set(told)


def test_every_route_is_documented_under_a_heading() -> None:
    told = [cell for cell in first_column(REFERENCE / "api.md") if re.match(r"(GET|POST|PUT|DELETE) /", cell)]
    assert sorted(told) == sorted(f"{route.method} {route.pattern}" for route in ROUTES)


def test_every_route_is_held_by_some_test() -> None:
    assert not [route for route, uses in GENERATOR.uses_of_routes().items() if not uses], "no test that can be found by reading uses these"


def test_every_field_that_can_be_searched_by_is_documented() -> None:
    page = (REFERENCE / "search.md").read_text()
    for kind, fields_ in READABLE.items():
        (table,) = re.findall(rf"^\| of {kind} \|(.*?)\n\n", page, re.MULTILINE | re.DOTALL)
        told = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if row.count("|") > 1 else "")}
        assert told == fields_


def test_every_command_is_documented() -> None:
    told = set(re.findall(r"^#+ (batuta .+)$", (REFERENCE / "cli.md").read_text(), re.MULTILINE))
    assert told == set(_commands(batuta, "batuta"))


def _commands(group: click.Command, path: str) -> list[str]:
    if not isinstance(group, click.Group):
        return []
    context = click.Context(group, info_name=path)
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found += [f"{path} {name}", *_commands(command, f"{path} {name}")]
    return found


@pytest.mark.parametrize("kind", BY_TYPE)
def test_a_node_type_has_a_page_of_the_usual_form(kind: str) -> None:
    page = REFERENCE / "tasks" / f"{kind.lower().replace('_', '-')}.md"
    assert page.exists(), f"{kind} has no page {page.relative_to(ROOT)}"
    text = page.read_text()
    assert text.startswith(f"# {kind}\n")
    assert f"]({page.name})" in (page.parent / "README.md").read_text()
    if kind != "HTTP":  # its fields are on a page of their own
        for heading in ("Fields", "Output", "Differences from Conductor"):
            assert f"\n## {heading}\n" in text, f"{page.name} has no section {heading!r}"
        assert re.search(r"^## How it (fails|ends)$", text, re.MULTILINE), f"{page.name} does not say how it ends"


def test_every_node_type_is_in_a_golden_run() -> None:
    found: set[str] = set()
    for file in RECORDED.glob("*/*.json"):
        found |= set(re.findall(r'"type": ?"([A-Z_]+)"', file.read_text()))
    for file in (ROOT / "tests" / "compat" / "golden" / "scenarios").glob("*.py"):
        found |= set(re.findall(r'"([A-Z_]{4,})"', file.read_text()))
    found.add("SIMPLE")  # what a scenario's `simple` makes
    assert BY_TYPE.keys() <= found, f"no golden run has {sorted(BY_TYPE.keys() - found)}"


@pytest.mark.parametrize("record", [metadata.WORKFLOW_DEF, metadata.TASK_DEF], ids=lambda record: record.name)
def test_every_field_of_a_definition_is_documented(record: object) -> None:
    text = (REFERENCE / "definitions.md").read_text()
    missing = [field.name for field in record.fields if f"`{field.name}`" not in text]  # type: ignore[attr-defined]
    assert not missing, f"definitions.md does not mention {missing}"


def test_every_field_of_a_node_is_documented() -> None:
    text = "".join(page.read_text() for page in (REFERENCE / "tasks").glob("*.md"))
    missing = [field.name for field in metadata.WORKFLOW_TASK.fields if f"`{field.name}`" not in text]
    assert not missing, f"no page below tasks/ mentions {missing}"


def test_every_status_is_in_the_glossary() -> None:
    text = (DOCS / "glossary.md").read_text()
    assert not [status for status in (*TaskStatus, *WorkflowStatus) if not re.search(rf"\b{status}\b", text)]


def test_every_page_is_found_from_the_index() -> None:
    text = (DOCS / "README.md").read_text()
    missing = [str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if page.parent.name != "tasks" and page != DOCS / "README.md"]
    assert not [name for name in missing if f"]({name})" not in text]
    assert "](reference/tasks/README.md)" in text


@pytest.mark.parametrize("page", [page for page in pages() if page.exists()], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)", text):
        file = page.parent / target if target else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor and file.suffix == ".md":
            assert anchor in _anchors(file), f"{page.name}: {target}#{anchor}"


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_changelog_has_an_entry_for_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_json_is_json() -> None:
    for page in pages():
        for text in re.findall(r"^```json\n(.*?)^```", page.read_text() if page.exists() else "", re.MULTILINE | re.DOTALL):
            json.loads(text)


def test_every_metric_of_a_worker_is_documented() -> None:
    named = set(re.findall(r'"(batuta_worker_\w+)"', (ROOT / "src" / "batuta" / "client" / "metrics.py").read_text()))
    assert named == {name for name in first_column(REFERENCE / "metrics.md") if name.startswith("batuta_worker_")}


def test_every_metric_of_the_server_is_documented() -> None:
    assert {family.name for family in FAMILIES} <= set(first_column(REFERENCE / "metrics.md"))
