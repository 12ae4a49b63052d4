"""
/api/schema: the registry of schemas that definitions may name.

Source: the official SDKs' SchemaClient (Python 2.0.0, JavaScript, Java); Conductor OSS has no such routes.
"""

from __future__ import annotations

from batuta.api.http import Response, empty_response, json_response
from batuta.api.services import Services
from batuta.wire.codec import decode, encode
from batuta.wire.metadata import read_schema
from batuta.wire.shape import Json, misfit


async def save(services: Services, body: bytes, *, new_version: bool = False) -> Response:
    """Create or replace schemas, all or none: a list, or one. *newVersion*: each under the version after its highest."""
    value = decode(body)
    if not isinstance(value, list | dict):
        raise misfit("", value, "a schema or a list of schemas")
    read = [read_schema(value)] if isinstance(value, dict) else [read_schema(schema, f"[{n}]") for n, schema in enumerate(value)]
    await services.catalog.create_schemas(read, new_version=new_version)
    return empty_response()


def schemas(services: Services, *, short: bool = False) -> Response:
    """Every version of every schema; *short*: without the schemas themselves."""
    entries = services.catalog.schemas()
    return json_response(encode([_head(entry.value) if short else entry.body for entry in entries]))


def _head(schema: Json) -> Json:
    return {name: value for name, value in schema.items() if name != "data"}


def latest(services: Services, name: str) -> Response:
    """The highest version of a schema."""
    return json_response(bytes(services.catalog.schema_text(name)))


def read(services: Services, name: str, version: int) -> Response:
    """One version of a schema."""
    return json_response(bytes(services.catalog.schema_text(name, version)))


async def delete_all(services: Services, name: str) -> Response:
    """Forget every version of a schema; what runs keeps its own copy."""
    await services.catalog.delete_schema(name)
    return empty_response()


async def delete(services: Services, name: str, version: int) -> Response:
    """Forget one version of a schema."""
    await services.catalog.delete_schema(name, version)
    return empty_response()
