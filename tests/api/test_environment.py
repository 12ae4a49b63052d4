"""Variables of definitions: the server's own, and those that are stored."""

from __future__ import annotations

import pytest
from edgework import Edge

TEXT = ((b"content-type", b"text/plain"),)


def test_variables_are_those_of_the_servers_environment_with_the_prefix(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDUCTOR_ENV_CITY", "Praha")
    monkeypatch.setenv("CONDUCTOR_SECRET_CITY", "hidden")
    assert {"name": "CITY", "value": "Praha"} in edge.call("GET", "/api/environment").json
    assert "hidden" not in edge.call("GET", "/api/environment").text
    found, missing = edge.call("GET", "/api/environment/CITY"), edge.call("GET", "/api/environment/NONE")
    assert (found.status, found.text, found.kind) == (200, "Praha", "text/plain;charset=UTF-8")
    assert (missing.status, missing.body) == (200, b"")


def test_a_variable_is_stored_used_and_deleted(edge: Edge) -> None:
    assert edge.raw("PUT", "/api/environment/TOWN", "Brno, náměstí".encode(), headers=TEXT).status == 200
    assert edge.call("GET", "/api/environment/TOWN").text == "Brno, náměstí"
    assert edge.call("PUT", "/api/environment/TOWN", "Ostrava").status == 200  # as some clients send it: a JSON string
    edge.register("flow", edge.task("job", inputParameters={"town": "${workflow.env.TOWN}", "none": "${workflow.env.NONE}", "in": "<${workflow.env.TOWN}>"}))
    edge.start()
    assert edge.take()["inputData"] == {"town": "Ostrava", "none": None, "in": "<Ostrava>"}
    gone = edge.call("DELETE", "/api/environment/TOWN")
    assert (gone.status, gone.text) == (200, "Ostrava")
    assert edge.call("GET", "/api/environment/TOWN").body == b"" and edge.call("DELETE", "/api/environment/TOWN").status == 404


def test_the_process_wins_over_what_is_stored_and_is_not_written(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    edge.raw("PUT", "/api/environment/CITY", b"stored", headers=TEXT)
    monkeypatch.setenv("CONDUCTOR_ENV_CITY", "Praha")
    assert edge.call("GET", "/api/environment/CITY").text == "Praha"
    refused = edge.raw("PUT", "/api/environment/CITY", b"other", headers=TEXT)
    assert (refused.status, refused.text) == (501, "variable 'CITY' is CONDUCTOR_ENV_CITY of the server's environment and is changed there")
    assert edge.call("DELETE", "/api/environment/CITY").text == "stored"
    assert edge.call("DELETE", "/api/environment/CITY").status == 501


def test_variables_have_tags(edge: Edge) -> None:
    edge.raw("PUT", "/api/environment/TOWN", b"Brno", headers=TEXT)
    team, tier = {"key": "team", "value": "a"}, {"key": "tier", "value": "1"}
    assert edge.call("PUT", "/api/environment/TOWN/tags", [team, tier]).status == 200
    edge.raw("PUT", "/api/environment/TOWN", b"Zlin", headers=TEXT)
    assert edge.call("GET", "/api/environment/TOWN/tags").json == [team, tier]
    assert edge.call("DELETE", "/api/environment/TOWN/tags", [team]).status == 200
    assert {"name": "TOWN", "value": "Zlin", "tags": [tier]} in edge.call("GET", "/api/environment").json
    assert edge.call("GET", "/api/environment/NONE/tags").status == edge.call("PUT", "/api/environment/NONE/tags", []).status == 404


#    key       body             says
REFUSED = [
    ("a.b",    b"x",            "key must match pattern [a-zA-Z0-9_-]+"),
    ("TOWN",   b"\xff",         "the body is not UTF-8: byte 0 begins no character"),
    ("TOWN",   b"x" * 65_536,   "the value has 65536 characters; a variable has at most 65535"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "body", "says"), REFUSED)
def test_what_cannot_be_a_variable_is_refused(edge: Edge, key: str, body: bytes, says: str) -> None:
    refused = edge.raw("PUT", f"/api/environment/{key}", body, headers=TEXT)
    assert refused.status == 400 and says in refused.json["message"]
