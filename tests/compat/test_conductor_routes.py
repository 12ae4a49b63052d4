"""Whatever Conductor OSS answers is answered here: its endpoints with their query parameters, one by one."""

from __future__ import annotations

from conductor import endpoints, key

from batuta.api.binding import parameters_of
from batuta.api.routes import ROUTES

OURS = {key(route.method, route.pattern): route for route in ROUTES}
THEIRS = {one.key: one for one in endpoints()}

# Left out on purpose; compatibility.md says why.
WITHOUT = {
    "agentspan.skills.enabled=true": "packages of instructions for agents, off unless asked for",
    "conductor.a2a.server.enabled=true": "workflows offered to agents of other systems, off unless asked for",
}
# Query parameters that Conductor itself takes and does not look at.
IGNORED = {
    ("GET", "/api/scheduler/schedules/search"): {"sort"},  # on its SQL stores: always by name
    ("POST", "/api/workflow/execute/{}/{}"): {"consistency"},  # every answer here is durable
}


def test_every_endpoint_of_conductor_is_here() -> None:
    missing = {one for one, endpoint in THEIRS.items() if one not in OURS and endpoint.when not in WITHOUT}
    assert missing == set(), "Conductor answers these and we do not"


def test_what_is_left_out_is_left_out_whole() -> None:
    assert not {one for one, endpoint in THEIRS.items() if one in OURS and endpoint.when in WITHOUT}


def test_every_query_parameter_of_conductor_is_read() -> None:
    unknown = {
        one: sorted(unread)
        for one, endpoint in THEIRS.items()
        if one in OURS and (unread := set(endpoint.query) - {p.wire for p in parameters_of(OURS[one])[1]} - IGNORED.get(one, set()))
    }
    assert not unknown
