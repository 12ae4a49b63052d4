"""
/api/workflow/search and /api/tasks/search: finding executions and tasks by query, text, and page.

Source: conductor-rest-api.md §1.1, §1.2, §3.8, §5.
"""

from __future__ import annotations

from typing import Final, Literal

from batuta.api.binding import Count
from batuta.api.http import Response, json_response
from batuta.api.services import Services
from batuta.core.freetext import parse_text
from batuta.core.model.execution import Execution
from batuta.core.query import All, Compare, Query, parse, parse_sort
from batuta.errors import InvalidFields, NotFound, Violation
from batuta.store.fields import READABLE
from batuta.wire.answers import SearchResult
from batuta.wire.codec import encode
from batuta.wire.execution import task_view, workflow_view
from batuta.wire.summary import execution_summary, task_summary

SIZE_MAX: Final = 5_000
EVERYTHING: Final = "*"


def meant(kind: Literal["executions", "tasks"], query: Query | None, free_text: str) -> Query | None:
    """The query and the free text in one."""
    parts = tuple(part for part in (query, parse_text(free_text, READABLE[kind])) if part is not None)
    return All(parts) if len(parts) > 1 else parts[0] if parts else None


async def _executions(
    services: Services, kind: Literal["executions", "tasks"], query: Query | None, start: int, size: int, sort: str, free_text: str
) -> tuple[int, list[tuple[str, int]]]:
    if size > SIZE_MAX:
        raise InvalidFields([Violation("searchWorkflows.arg1", f"Cannot return more than {SIZE_MAX} workflows. Please use pagination.", str(size))])
    return await services.engine.search(kind, meant(kind, query, free_text), sort=parse_sort(sort), start=start, size=size)


def classes(classifier: str) -> tuple[str, ...]:
    """The classes of definitions that are asked for; none: all."""
    return tuple(word.strip() for word in classifier.split(",") if word.strip())


def query_of(query: str, classifier: str, top_level_only: bool = False) -> Query | None:
    """The query and what else executions must be."""
    parts = [parsed] if (parsed := parse(query)) is not None else []
    if wanted := classes(classifier):
        parts.append(Compare("classifier", "IN", wanted))
    if top_level_only:
        parts.append(Compare("parentWorkflowId", "=", ("",)))
    return None if not parts else parts[0] if len(parts) == 1 else All(tuple(parts))


async def _loaded(services: Services, ids: list[str]) -> list[Execution]:
    """Those that are still there."""
    out = []
    for execution_id in ids:
        try:
            out.append(await services.engine.read(execution_id))
        except NotFound:
            continue
    return out


async def _summaries(services: Services, total: int, ids: list[str]) -> Response:
    return json_response(encode(SearchResult(total, [execution_summary(head, definition) for head, definition in await services.engine.heads(ids)])))


async def _views(services: Services, total: int, ids: list[str]) -> Response:
    found = await _loaded(services, ids)
    views = [workflow_view(x, services.now(), include_tasks=False) for x in found]
    return json_response(encode(SearchResult(total - (len(ids) - len(found)), views)))


async def workflows(
    services: Services, *, start: Count = 0, size: Count = 100, sort: str = "", free_text: str = EVERYTHING, query: str = "", classifier: str = "",
    top_level_only: bool = False,
) -> Response:  # fmt: skip
    """Executions as summaries."""
    total, found = await _executions(services, "executions", query_of(query, classifier, top_level_only), start, size, sort, free_text)
    return await _summaries(services, total, [i for i, _ in found])


async def workflows_v2(
    services: Services, *, start: Count = 0, size: Count = 100, sort: str = "", free_text: str = EVERYTHING, query: str = "", classifier: str = "",
    top_level_only: bool = False,
) -> Response:  # fmt: skip
    """Executions themselves, without their tasks."""
    total, found = await _executions(services, "executions", query_of(query, classifier, top_level_only), start, size, sort, free_text)
    return await _views(services, total, [i for i, _ in found])


async def _by_tasks(services: Services, start: int, size: int, sort: str, free_text: str, query: str) -> tuple[int, list[str]]:
    total, found = await _executions(services, "tasks", parse(query), start, size, sort, free_text)
    ids = list(dict.fromkeys(i for i, _ in found))
    return total - (len(found) - len(ids)), ids


async def workflows_by_tasks(
    services: Services, *, start: Count = 0, size: Count = 100, sort: str = "", free_text: str = EVERYTHING, query: str = ""
) -> Response:
    """Executions that have such a task, as summaries."""
    return await _summaries(services, *await _by_tasks(services, start, size, sort, free_text, query))


async def workflows_by_tasks_v2(
    services: Services, *, start: Count = 0, size: Count = 100, sort: str = "", free_text: str = EVERYTHING, query: str = ""
) -> Response:
    """The same, as executions."""
    return await _views(services, *await _by_tasks(services, start, size, sort, free_text, query))


async def tasks(services: Services, *, start: Count = 0, size: Count = 100, sort: str = "", free_text: str = EVERYTHING, query: str = "") -> Response:
    """Tasks as summaries."""
    total, found = await _executions(services, "tasks", parse(query), start, size, sort, free_text)
    shown = [task_summary(x, x.tasks[n], services.now()) for x, n in await _tasks(services, found)]
    return json_response(encode(SearchResult(total - (len(found) - len(shown)), shown)))


async def tasks_v2(services: Services, *, start: Count = 0, size: Count = 100, sort: str = "", free_text: str = EVERYTHING, query: str = "") -> Response:
    """Tasks themselves."""
    total, found = await _executions(services, "tasks", parse(query), start, size, sort, free_text)
    shown = [task_view(x, x.tasks[n], services.now()) for x, n in await _tasks(services, found)]
    return json_response(encode(SearchResult(total - (len(found) - len(shown)), shown)))


async def _tasks(services: Services, found: list[tuple[str, int]]) -> list[tuple[Execution, int]]:
    loaded = {x.head.id: x for x in await _loaded(services, list(dict.fromkeys(i for i, _ in found)))}
    return [(loaded[i], n) for i, n in found if i in loaded and n in loaded[i].tasks]
