"""Variables and secrets of definitions: read as Conductor shows them, written nowhere."""

from __future__ import annotations

import pytest
from edgework import Edge


def test_variables_are_those_of_the_servers_environment_with_the_prefix(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDUCTOR_ENV_CITY", "Praha")
    monkeypatch.setenv("CONDUCTOR_SECRET_CITY", "hidden")
    assert {"name": "CITY", "value": "Praha"} in edge.call("GET", "/api/environment").json
    assert "hidden" not in edge.call("GET", "/api/environment").text
    found, missing = edge.call("GET", "/api/environment/CITY"), edge.call("GET", "/api/environment/NONE")
    assert (found.status, found.text, found.kind) == (200, "Praha", "text/plain;charset=UTF-8")
    assert (missing.status, missing.body) == (200, b"")
    assert edge.call("PUT", "/api/environment/CITY", "x").status == 405


def test_secrets_are_listed_by_name(edge: Edge) -> None:
    edge.secrets = {"TOKEN": "abcdefghijklmnop", "PIN": "1234567890"}
    assert edge.call("GET", "/api/secrets").json == edge.call("POST", "/api/secrets").json == ["PIN", "TOKEN"]
    listed = edge.call("GET", "/api/secrets/v2")
    assert listed.json == [{"name": "PIN", "partial": "..."}, {"name": "TOKEN", "partial": "abcd...mnop"}]


def test_a_secret_is_told_to_who_asks_for_it_by_name(edge: Edge) -> None:
    edge.secrets = {"TOKEN": "abc"}
    found = edge.call("GET", "/api/secrets/TOKEN")
    assert (found.status, found.text, found.kind) == (200, "abc", "text/plain;charset=UTF-8")
    assert edge.call("GET", "/api/secrets/TOKEN/exists").json is True
    assert edge.call("GET", "/api/secrets/NONE/exists").json is False


#    method    path                       body    status  says
REFUSED = [
    ("PUT",    "/api/secrets/TOKEN",      b"x",   501,    "env-backed secrets are read-only"),
    ("PUT",    "/api/secrets/TOKEN",      b"",    400,    "value is required"),
    ("DELETE", "/api/secrets/TOKEN",      b"",    501,    "env-backed secrets are read-only"),
    ("PUT",    "/api/secrets/a.b",        b"x",   400,    "key must match pattern [a-zA-Z0-9_-]+"),
    ("DELETE", "/api/secrets/a.b",        b"",    400,    "key must match pattern [a-zA-Z0-9_-]+"),
    ("GET",    "/api/secrets/a%20b",      b"",    400,    "key is 'a b'"),
    ("GET",    "/api/secrets/a.b/exists", b"",    400,    "key must match pattern [a-zA-Z0-9_-]+"),
    ("GET",    "/api/secrets/NONE",       b"",    404,    "no secret is named 'NONE'"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "says"), REFUSED)
def test_what_is_refused_says_why(edge: Edge, method: str, path: str, body: bytes, status: int, says: str) -> None:
    edge.secrets = {"TOKEN": "abc"}
    answer = edge.raw(method, path, body, headers=((b"content-type", b"text/plain"),))
    assert answer.status == status and says in answer.text
    assert answer.kind == ("text/plain;charset=UTF-8" if status == 501 else "application/json")
    assert edge.secrets == {"TOKEN": "abc"}
