"""
The page at /swagger-ui/index.html: every operation with a form to try it. And the script that Conductor's user interface asks its server for.

The page is explorer.html beside this file: no library, nothing from another host. It reads /api-docs and shows what that says.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources
from typing import Final

from batuta.api.http import Response
from batuta.api.services import Services

_CONTEXT: Final = b"window.conductor = window.conductor || {};\nwindow.conductor.CONDUCTOR_INTEGRATIONS_AI_ENABLED = true;\n"


def context(services: Services) -> Response:
    """Flags for Conductor's user interface, served elsewhere and pointed here: it may show its pages for agents, as /api/agent is there."""
    return Response(200, _CONTEXT, (b"content-type", b"application/javascript;charset=UTF-8"), (b"cache-control", b"no-cache"))


def page(services: Services) -> Response:
    """The page, which may run its own script and talk to this server, and nothing else."""
    return _page()


@functools.cache
def _page() -> Response:
    html = resources.files("batuta.api").joinpath("explorer.html").read_bytes()
    script = html.partition(b"<script>")[2].partition(b"</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    policy = (
        f"default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Response(200, html, (b"content-type", b"text/html;charset=UTF-8"), (b"content-security-policy", policy.encode()))
