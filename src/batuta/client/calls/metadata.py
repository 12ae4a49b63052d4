"""
Calls about definitions of workflows and tasks. Source: /metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from batuta.client.http import Answer, Call, below_root


class HasDefinition(Protocol):
    """Anything that can write itself as Conductor JSON, such as a workflow of the builder."""

    def to_dict(self) -> dict[str, Any]: ...


Definition = Mapping[str, Any] | HasDefinition


def register_workflow(definition: Definition, *, overwrite: bool = False) -> Call[None]:
    """
    Store a workflow definition.

    Raises:
        Conflict: that version exists and *overwrite* is false.
        BadRequest: the definition is not valid; ``problems`` says where.

    Source: POST /metadata/workflow.
    """
    return Call("POST", "/metadata/workflow", Answer.nothing, query={"overwrite": overwrite}, body=definition_json(definition))


def register_workflows(definitions: Iterable[Definition]) -> Call[dict[str, Any]]:
    """
    Store or replace many workflow definitions; ``{"bulkSuccessfulResults": [names], "bulkErrorResults": {}}``.

    Raises:
        BadRequest: one of them is not valid, so none was stored.

    Source: PUT /metadata/workflow.
    """
    return Call("PUT", "/metadata/workflow", Answer.json, body=[definition_json(one) for one in definitions])


def get_workflow_def(name: str, version: int | None = None) -> Call[dict[str, Any]]:
    """The definition as JSON, its newest version unless given. Raises NotFound. Source: GET /metadata/workflow/{name}."""
    return Call("GET", below_root("/metadata/workflow/{}", name), Answer.json, query={"version": version})


def list_workflow_defs() -> Call[list[dict[str, Any]]]:
    """All workflow definitions, every version. Source: GET /metadata/workflow."""
    return Call("GET", "/metadata/workflow", lambda answer: list(answer.json() or ()))


def delete_workflow_def(name: str, version: int) -> Call[None]:
    """Forget one version of a definition; executions keep theirs. Source: DELETE /metadata/workflow/{name}/{version}."""
    return Call("DELETE", below_root("/metadata/workflow/{}/{}", name, str(version)), Answer.nothing)


def register_task_defs(definitions: Iterable[Definition]) -> Call[None]:
    """Store or replace task definitions. Raises BadRequest when one is not valid. Source: POST /metadata/taskdefs."""
    return Call("POST", "/metadata/taskdefs", Answer.nothing, body=[definition_json(one) for one in definitions], is_repeatable=True)


def get_task_def(name: str) -> Call[dict[str, Any]]:
    """The task definition as JSON. Raises NotFound. Source: GET /metadata/taskdefs/{name}."""
    return Call("GET", below_root("/metadata/taskdefs/{}", name), Answer.json)


def list_task_defs() -> Call[list[dict[str, Any]]]:
    """All task definitions. Source: GET /metadata/taskdefs."""
    return Call("GET", "/metadata/taskdefs", lambda answer: list(answer.json() or ()))


def delete_task_def(name: str) -> Call[None]:
    """Forget a task definition. Source: DELETE /metadata/taskdefs/{name}."""
    return Call("DELETE", below_root("/metadata/taskdefs/{}", name), Answer.nothing)


def definition_json(definition: Definition) -> dict[str, Any]:
    """The plain JSON of a definition given as such or as an object that can write itself."""
    if isinstance(definition, Mapping):
        return dict(definition)
    return definition.to_dict()
