"""
/api/metadata: workflow and task definitions.

Source: conductor-rest-api.md §1.3.
"""

from __future__ import annotations

from collections.abc import Sequence

from batuta.api.http import Response, empty_response, json_response
from batuta.api.services import Services
from batuta.engine.catalog import Entry
from batuta.wire import metadata
from batuta.wire.answers import BulkResponse, summary_of
from batuta.wire.codec import decode, encode


def _bodies(entries: Sequence[Entry]) -> Response:
    return json_response(encode([entry.body for entry in entries]))


async def create_workflow(services: Services, body: bytes, *, overwrite: bool = False) -> Response:
    """One definition; also a list of them, which is what a backup by GET is. 409 for a version that exists, unless *overwrite*."""
    value = decode(body)
    if isinstance(value, list):
        await services.catalog.create_workflows(metadata.read_workflows(value), overwrite=overwrite)
    else:
        await services.catalog.create_workflow(metadata.read_workflow(value), overwrite=overwrite)
    return empty_response()


async def replace_workflows(services: Services, body: bytes) -> Response:
    """Create or replace each of a list, all or none."""
    names = await services.catalog.replace_workflows(metadata.read_workflows(decode(body)))
    return json_response(encode(BulkResponse({}, names)))


async def validate_workflow(services: Services, body: bytes) -> Response:
    """Answers as registering would, and stores nothing."""
    await services.catalog.check_workflow(metadata.read_workflow(decode(body)))
    return empty_response()


def workflows(services: Services, *, classifier: str = "") -> Response:
    """Every version of every workflow; *classifier* keeps those of one kind, such as `agent`."""
    kind = classifier.lower()
    return _bodies([entry for entry in services.catalog.workflows() if not kind or metadata.classifier_of(entry.value).lower() == kind])


def workflow(services: Services, name: str, *, version: int | None = None) -> Response:
    """One definition; the latest version unless asked."""
    return json_response(bytes(services.catalog.workflow_text(name, version)))


def names(services: Services) -> Response:
    """The names of all workflows."""
    return json_response(encode(services.catalog.names()))


def names_and_versions(services: Services) -> Response:
    """Name to its versions, lowest first."""
    catalog = services.catalog
    return json_response(encode({name: [summary_of(entry.value) for entry in catalog.versions(name)] for name in catalog.names()}))


def versions(services: Services, name: str) -> Response:
    """The versions of a workflow, lowest first; none of an unknown one."""
    return json_response(encode([summary_of(entry.value) for entry in services.catalog.versions(name)]))


def latest_versions(services: Services) -> Response:
    """The latest version of every workflow."""
    return _bodies(services.catalog.latest_workflows())


async def delete_workflow(services: Services, name: str, version: int) -> Response:
    """Forget one version; what runs keeps its own copy."""
    await services.catalog.delete_workflow(name, version)
    return empty_response()


async def create_tasks(services: Services, body: bytes) -> Response:
    """Create or replace each of a list, all or none; a single object is taken as a list of one."""
    value = decode(body)
    await services.catalog.create_tasks(metadata.read_tasks([value] if isinstance(value, dict) else value))
    return empty_response()


async def replace_task(services: Services, body: bytes) -> Response:
    """Replace one that exists."""
    await services.catalog.replace_task(metadata.read_task(decode(body)))
    return empty_response()


def tasks(services: Services) -> Response:
    """Every task definition."""
    return _bodies(services.catalog.tasks())


def task(services: Services, tasktype: str) -> Response:
    """One task definition."""
    return json_response(bytes(services.catalog.task_text(tasktype)))


async def delete_task(services: Services, tasktype: str) -> Response:
    """Forget one; what runs keeps its own copy."""
    await services.catalog.delete_task(tasktype)
    return empty_response()
