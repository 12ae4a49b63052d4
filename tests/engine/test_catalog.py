"""Definitions: durable before they show, and Conductor's rules of what may be created, replaced and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from batuta.engine.catalog import Catalog, Shelf
from batuta.engine.clock import ManualClock
from batuta.errors import BatutaError, Conflict, InvalidFields, NotFound, Unavailable
from batuta.store.memory import MemoryStore
from batuta.store.protocol import Document
from batuta.wire.metadata import read_task, read_workflow

NOW = 1_700_000_000_000
Scenario = Callable[[Catalog, ManualClock], Coroutine[Any, Any, None]]


class RefusingStore(MemoryStore):
    """A memory store whose disk can be full."""

    is_full = False

    def put(self, documents: Sequence[Document], *, delete: Sequence[tuple[str, str, int]] = ()) -> asyncio.Future[None]:
        if self.is_full:
            refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            refused.set_exception(Unavailable("the disk is full"))
            return refused
        return super().put(documents, delete=delete)


class Scripts:
    """A reader of scripts to whom everything that ends in a bracket is wrong."""

    def syntax_error(self, language: str, source: str) -> str | None:
        return f"SyntaxError in {language}" if source.endswith("(") else None


def play(scenario: Scenario, store: MemoryStore | None = None) -> None:
    """Run the scenario over a catalog that is loaded from the store."""

    async def run() -> None:
        kept = store or MemoryStore()
        await kept.open()
        clock = ManualClock(NOW)
        catalog = Catalog(kept, clock, scripts=Scripts(), environment={"HOME_OF_ALL"})
        await catalog.load()
        await scenario(catalog, clock)

    asyncio.run(run())


def workflow(name: str = "w", version: int = 1, **fields: Any) -> dict[str, Any]:
    return read_workflow({"name": name, "version": version, "tasks": [{"name": "t", "taskReferenceName": "t"}], **fields})


def versions(catalog: Catalog, name: str) -> list[int]:
    return [entry.version for entry in catalog.versions(name)]


async def refused(kind: type[BatutaError], work: Coroutine[Any, Any, Any]) -> str:
    with pytest.raises(kind) as found:
        await work
    return str(found.value)


def test_the_latest_is_the_highest_version_in_whatever_order_they_came() -> None:
    async def scenario(catalog: Catalog, clock: ManualClock) -> None:
        for version in (4, 30, 1, 7):
            await catalog.create_workflow(workflow(version=version))
        assert versions(catalog, "w") == [1, 4, 7, 30]
        assert catalog.latest_version("w") == 30
        await catalog.delete_workflow("w", 30)
        assert catalog.latest_version("w") == 7
        assert catalog.workflow("w", 30) is None

    play(scenario)


def test_creating_what_exists_is_a_conflict_and_the_first_stays() -> None:
    async def scenario(catalog: Catalog, clock: ManualClock) -> None:
        await catalog.create_workflow(workflow(description="first"))
        said = await refused(Conflict, catalog.create_workflow(workflow(description="second")))
        assert said == "Workflow with w.1 already exists!"
        assert (catalog.workflow("w") or {})["description"] == "first"
        clock.advance(5)
        await catalog.create_workflow(workflow(description="third"), overwrite=True)
        stored = catalog.workflow("w") or {}
        assert (stored["description"], stored["createTime"], stored["updateTime"]) == ("third", 0, NOW + 5)

    play(scenario)


def test_of_two_that_create_the_same_at_once_one_learns_of_the_conflict() -> None:
    async def scenario(catalog: Catalog, clock: ManualClock) -> None:
        ends = await asyncio.gather(*(catalog.create_workflow(workflow()) for _ in range(5)), return_exceptions=True)
        assert sorted(type(end).__name__ for end in ends) == ["Conflict"] * 4 + ["NoneType"]

    play(scenario)


def test_a_list_is_created_whole_or_not_at_all() -> None:
    async def scenario(catalog: Catalog, clock: ManualClock) -> None:
        await catalog.create_workflow(workflow("b"))
        await refused(Conflict, catalog.create_workflows([workflow("a"), workflow("b")]))
        await refused(Conflict, catalog.create_workflows([workflow("c"), workflow("c")]))
        await refused(InvalidFields, catalog.create_workflows([workflow("d"), workflow("e", schemaVersion=1)]))
        await refused(InvalidFields, catalog.create_workflows([]))
        assert catalog.names() == ["b"]
        await catalog.create_workflows([workflow("a"), workflow("b"), workflow("b", 2)], overwrite=True)
        assert [(entry.key, entry.version) for entry in catalog.workflows()] == [("a", 1), ("b", 1), ("b", 2)]
        assert [(entry.key, entry.version) for entry in catalog.latest_workflows()] == [("a", 1), ("b", 2)]

    play(scenario)


def test_replacing_creates_what_is_missing_and_the_last_of_the_same_counts() -> None:
    async def scenario(catalog: Catalog, clock: ManualClock) -> None:
        names = await catalog.replace_workflows([workflow(description="one"), workflow(description="two"), workflow("v", 5)])
        assert names == ["w", "w", "v"]
        assert (catalog.workflow("w") or {})["description"] == "two"
        assert versions(catalog, "v") == [5]
        with pytest.raises(InvalidFields) as empty:
            await catalog.replace_workflows([])
        assert [(v.path, v.message) for v in empty.value.violations] == [("updateWorkflowDef.arg0", "WorkflowDefList is empty")]

    play(scenario)


def test_violations_carry_the_path_of_the_operation() -> None:
    bad = workflow(schemaVersion=1)

    async def scenario(catalog: Catalog, clock: ManualClock) -> None:
        for work, at in (
            (catalog.create_workflow(bad), "registerWorkflowDef.arg0"),
            (catalog.create_workflows([workflow("a"), bad]), "registerWorkflowDef.arg0[1]"),
            (catalog.replace_workflows([workflow("a"), bad]), "updateWorkflowDef.arg0[1]"),
            (catalog.check_workflow(bad), "validateWorkflowDef.arg0"),
            (catalog.check_workflow(bad, "startWorkflow.arg0.workflowDef"), "startWorkflow.arg0.workflowDef"),
        ):
            with pytest.raises(InvalidFields) as found:
                await work
            assert [v.path for v in found.value.violations] == [f"{at}.schemaVersion"]
        assert catalog.names() == []

    play(scenario)


def test_scripts_environment_and_templates_are_asked() -> None:
    def scripted(source: str) -> dict[str, Any]:
        switch = {"type": "SWITCH", "evaluatorType": "javascript", "expression": source, "decisionCases": {"a": []}}
        return workflow(tasks=[{"name": "s", "taskReferenceName": "s", **switch, "inputParameters": {"p": "${HOME_OF_ALL}"}}])

    async def scenario(catalog: Catalog, clock: ManualClock) -> None:
        await catalog.check_workflow(scripted("$.a"))
        with pytest.raises(InvalidFields) as found:
            await catalog.check_workflow(scripted("if ("))
        assert "SyntaxError in javascript" in found.value.violations[0].message
        jq = workflow(tasks=[{"name": "templated", "taskReferenceName": "q", "type": "JSON_JQ_TRANSFORM"}])
        await refused(InvalidFields, catalog.check_workflow(jq))
        await catalog.create_tasks([read_task({"name": "templated", "inputTemplate": {"queryExpression": "."}})])
        await catalog.check_workflow(jq)

    play(scenario)


def test_what_is_not_there_cannot_be_read_replaced_or_deleted() -> None:
    async def scenario(catalog: Catalog, clock: ManualClock) -> None:
        assert await refused(NotFound, catalog.delete_workflow("w", 2)) == "No such workflow definition: w version: 2"
        assert await refused(NotFound, catalog.delete_task("t")) == "No such task definition: t"
        assert await refused(NotFound, catalog.replace_task(read_task({"name": "t"}))) == "No such task by name t"
        with pytest.raises(NotFound, match=r"^No such workflow found by name: w, version: null$"):
            catalog.workflow_text("w")
        with pytest.raises(NotFound, match=r"^No such workflow found by name: w, version: 7$"):
            catalog.workflow_text("w", 7)
        with pytest.raises(NotFound, match=r"^No such taskType found by name: t$"):
            catalog.task_text("t")
        assert (catalog.workflow("w"), catalog.task("t"), catalog.versions("w")) == (None, None, [])

    play(scenario)


def test_tasks_are_created_over_what_exists_and_replaced_only_where_they_exist() -> None:
    async def scenario(catalog: Catalog, clock: ManualClock) -> None:
        await catalog.create_tasks([read_task({"name": "b", "retryCount": 9}), read_task({"name": "a"})])
        clock.advance(5)
        await catalog.create_tasks([read_task({"name": "b"})])
        assert (catalog.task("b") or {})["retryCount"] == 3
        assert (catalog.task("b") or {})["createTime"] == NOW + 5
        clock.advance(5)
        await catalog.replace_task(read_task({"name": "b", "retryCount": 1}))
        stored = catalog.task("b") or {}
        assert (stored["createTime"], stored["updateTime"]) == (NOW + 5, NOW + 10)
        assert [entry.key for entry in catalog.tasks()] == ["a", "b"]
        await refused(InvalidFields, catalog.create_tasks([read_task({"name": "c"}), read_task({"name": "d", "retryCount": -1})]))
        await refused(InvalidFields, catalog.replace_task(read_task({"name": "b", "retryCount": -1})))
        await refused(InvalidFields, catalog.create_tasks([]))
        await catalog.delete_task("b")
        assert [entry.key for entry in catalog.tasks()] == ["a"]

    play(scenario)


def test_what_the_store_did_not_take_does_not_show() -> None:
    store = RefusingStore()

    async def scenario(catalog: Catalog, clock: ManualClock) -> None:
        await catalog.create_workflow(workflow())
        revision, store.is_full = catalog.revision, True
        await refused(Unavailable, catalog.create_workflow(workflow(version=2)))
        await refused(Unavailable, catalog.delete_workflow("w", 1))
        await refused(Unavailable, catalog.create_tasks([read_task({"name": "t"})]))
        assert (versions(catalog, "w"), catalog.tasks(), catalog.revision) == ([1], [], revision)
        store.is_full = False
        await catalog.create_workflow(workflow(version=2))
        assert versions(catalog, "w") == [1, 2]

    play(scenario, store)


def test_every_change_moves_the_revision_and_nothing_else_does() -> None:
    async def scenario(catalog: Catalog, clock: ManualClock) -> None:
        seen = [catalog.revision]
        for change in (
            catalog.create_workflow(workflow()),
            catalog.replace_workflows([workflow()]),
            catalog.create_tasks([read_task({"name": "t"})]),
            catalog.replace_task(read_task({"name": "t"})),
            catalog.delete_task("t"),
            catalog.delete_workflow("w", 1),
        ):
            await change
            seen.append(catalog.revision)
        await catalog.check_workflow(workflow())
        assert seen == sorted(set(seen)) and catalog.revision == seen[-1]

    play(scenario)


def test_a_restarted_server_knows_what_the_last_one_stored() -> None:
    store = MemoryStore()

    async def first(catalog: Catalog, clock: ManualClock) -> None:
        await catalog.create_workflows([workflow(version=v) for v in (2, 1, 30)])
        await catalog.create_tasks([read_task({"name": "t"})])
        kept.append((catalog.workflow_text("w"), catalog.task_text("t")))

    async def second(catalog: Catalog, clock: ManualClock) -> None:
        assert versions(catalog, "w") == [1, 2, 30]
        assert [(catalog.workflow_text("w"), catalog.task_text("t"))] == kept

    kept: list[Any] = []
    play(first, store)
    play(second, store)


def test_a_document_of_an_older_server_gains_what_is_new() -> None:
    store = MemoryStore()

    async def scenario(catalog: Catalog, clock: ManualClock) -> None:
        await store.put([Document("task", "old", 0, b'{"name":"old","retryCount":1}')])
        await catalog.load()
        assert catalog.task("old") == read_task({"name": "old", "retryCount": 1})

    play(scenario, store)


def test_a_shelf_keeps_any_kind_of_document() -> None:
    async def run() -> None:
        store = MemoryStore()
        await store.open()
        shelf, other = Shelf(store, "handler"), Shelf(store, "schedule")
        await shelf.put([("b", 0, {"x": 1}), ("a", 0, {"x": 2})])
        await other.put([("a", 0, {"x": 3})])
        assert [(entry.key, entry.value) for entry in shelf] == [("a", {"x": 2}), ("b", {"x": 1})]
        kept = shelf.get("a")
        assert kept is not None and bytes(kept.body) == b'{"x":2}'
        await shelf.delete("b")
        await shelf.delete("nobody")
        assert shelf.keys() == ["a"] and shelf.get("b") is None
        again = Shelf(store, "handler")
        await again.load()
        assert again.keys() == ["a"] and other.keys() == ["a"]

    asyncio.run(run())
