"""
What commands that speak to a server share: the option that says which, the client, and the option for JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from batuta.client import SyncClient

F = TypeVar("F", bound=Callable[..., Any])

URL_VARIABLES: Final = ["BATUTA_URL", "CONDUCTOR_SERVER_URL"]
DEFAULT_URL: Final = "http://localhost:8080/api"


def api_url(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """The callback of an option that takes the root of a server's API: `/api` is added to a bare host."""
    if value is None:
        return None
    from batuta.client.http import api_root

    try:
        return api_root(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def url_option(function: F) -> F:
    """`--url`: which server to speak to."""
    shown = f"Root of the server's API.  [{URL_VARIABLES[0]} or {URL_VARIABLES[1]}; {DEFAULT_URL}]"
    return click.option("--url", envvar=URL_VARIABLES, default=DEFAULT_URL, callback=api_url, metavar="URL", help=shown)(function)


def json_option(function: F) -> F:
    """`--json`: print for machines."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")(function)


def connect(url: str, *, timeout_s: float = 30.0, connections: int = 4) -> SyncClient:
    """A client of the server at *url*; close it, or use it in a `with`."""
    from batuta.client import SyncClient

    return SyncClient(url, timeout_s=timeout_s, connections=connections)
