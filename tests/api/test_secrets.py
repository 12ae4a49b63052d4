"""Secrets of definitions: written and used, and not read."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from edgework import JSON, Answer, Edge

from batuta.api.application import Application
from batuta.engine.keyring import Keyring
from batuta.engine.secrets import Secrets

TEXT = ((b"content-type", b"text/plain"),)
TOKEN = "tok-0123456789-abcdefghij-0123456789"


def put(edge: Edge, key: str, value: str) -> Answer:
    return edge.raw("PUT", f"/api/secrets/{key}", value.encode(), headers=TEXT)


def test_a_secret_is_stored_used_and_deleted(edge: Edge) -> None:
    stored = put(edge, "TOKEN", TOKEN)
    assert (stored.status, stored.body) == (200, b"")
    assert edge.call("GET", "/api/secrets").json == edge.call("POST", "/api/secrets").json == ["TOKEN"]
    assert edge.call("GET", "/api/secrets/TOKEN/exists").json is True and edge.call("GET", "/api/secrets/NONE/exists").json is False
    edge.register("flow", edge.task("job", inputParameters={"auth": "Bearer ${workflow.secrets.TOKEN}", "none": "${workflow.secrets.NONE}"}))
    edge.start()
    assert edge.take()["inputData"] == {"auth": f"Bearer {TOKEN}", "none": None}
    assert edge.call("DELETE", "/api/secrets/TOKEN").status == 200
    assert edge.call("GET", "/api/secrets").json == []
    assert edge.call("DELETE", "/api/secrets/TOKEN").status == 404


def test_its_value_is_not_told(edge: Edge) -> None:
    put(edge, "TOKEN", TOKEN)
    refused = edge.call("GET", "/api/secrets/TOKEN")
    assert refused.status == 403 and "this server tells no values" in refused.json["message"] and TOKEN not in refused.text
    assert "no secret is named 'NONE'" in edge.call("GET", "/api/secrets/NONE").json["message"]


def test_its_value_is_told_where_the_operator_says_so(edge: Edge) -> None:
    put(edge, "TOKEN", TOKEN)
    edge.application = Application(dataclasses.replace(edge.services, secrets_readable=True))
    told = edge.call("GET", "/api/secrets/TOKEN")
    assert (told.status, told.text, told.kind) == (200, TOKEN, "text/plain;charset=UTF-8")
    assert edge.call("GET", "/api/secrets/NONE").status == 404


def test_of_long_ones_a_list_shows_the_ends(edge: Edge) -> None:
    put(edge, "TOKEN", TOKEN), put(edge, "PIN", "123456789012345678901234567890a")
    pin, token = edge.call("GET", "/api/secrets/v2").json
    at = {"created_at": token["created_at"], "updated_at": token["updated_at"]}
    assert (pin["partial"], token) == ("...", {"name": "TOKEN", "partial": "tok-...6789", **at})
    assert at["created_at"].endswith("Z") and at["created_at"] == at["updated_at"]
    edge.clock.advance(5_000)
    put(edge, "TOKEN", TOKEN)
    later = edge.call("GET", "/api/secrets/v2").json[1]
    assert later["created_at"] == token["created_at"] < later["updated_at"]


def test_secrets_have_tags(edge: Edge) -> None:
    put(edge, "TOKEN", TOKEN)
    team, tier = {"key": "team", "value": "a"}, {"key": "tier", "value": "1"}
    assert edge.call("PUT", "/api/secrets/TOKEN/tags", [team, tier]).status == 200
    put(edge, "TOKEN", TOKEN[::-1])
    assert edge.call("GET", "/api/secrets/TOKEN/tags").json == [team, tier]
    assert edge.call("DELETE", "/api/secrets/TOKEN/tags", [team]).status == 200
    assert edge.call("GET", "/api/secrets-v2").json == [{"name": "TOKEN", "tags": [tier]}]
    assert edge.call("GET", "/api/secrets/NONE/tags").status == edge.call("PUT", "/api/secrets/NONE/tags", []).status == 404


#    content type          body                     the value is
BODIES = [
    (TEXT,                 'a "b" c',               'a "b" c'),
    (TEXT,                 '"quoted"',              '"quoted"'),
    (JSON,                 '"a \\"b\\" \\u00e9"',   'a "b" é'),     # @io-orkes/conductor-javascript
    (JSON,                 "unquoted",              "unquoted"),    # conductor-python
    (JSON,                 '"a" and "b"',           '"a" and "b"'),
    (JSON,                 '{"user": "u"}',         '{"user": "u"}'),
    ((),                   "line\n",                "line\n"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "body", "value"), BODIES)
def test_the_body_is_the_value(edge: Edge, headers: Any, body: str, value: str) -> None:
    assert edge.raw("PUT", "/api/secrets/KEY", body.encode(), headers=headers).status == 200
    assert edge.engine.secrets.get("KEY") == value


def test_those_of_the_environment_win_and_are_not_written(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    put(edge, "TOKEN", TOKEN)
    monkeypatch.setenv("CONDUCTOR_SECRET_TOKEN", "from the environment")
    assert edge.engine.secrets.get("TOKEN") == "from the environment" and edge.call("GET", "/api/secrets").json == ["TOKEN"]
    assert edge.call("GET", "/api/secrets/v2").json == [{"name": "TOKEN", "partial": "..."}]
    refused = put(edge, "TOKEN", "x")
    assert (refused.status, refused.text, refused.kind) == (501, "env-backed secrets are read-only", "text/plain;charset=UTF-8")
    assert edge.call("DELETE", "/api/secrets/TOKEN").status == 200  # the stored one behind it
    again = edge.call("DELETE", "/api/secrets/TOKEN")
    assert (again.status, again.text) == (501, "env-backed secrets are read-only")


#    method    path                       body              status  says
REFUSED = [
    ("PUT",    "/api/secrets/TOKEN",      b"",              400,    "value is required"),
    ("PUT",    "/api/secrets/TOKEN",      b"x" * 65_536,    400,    "the value has 65536 characters; a secret has at most 65535"),
    ("PUT",    "/api/secrets/TOKEN",      b"\xff",          400,    "the body is not UTF-8"),
    ("PUT",    "/api/secrets/a.b",        b"x",             400,    "key must match pattern [a-zA-Z0-9_-]+"),
    ("DELETE", "/api/secrets/a.b",        b"",              400,    "key must match pattern [a-zA-Z0-9_-]+"),
    ("GET",    "/api/secrets/a%20b",      b"",              400,    "key is 'a b'"),
    ("GET",    "/api/secrets/a.b/exists", b"",              400,    "key must match pattern [a-zA-Z0-9_-]+"),
    ("GET",    "/api/secrets/a.b/tags",   b"",              400,    "key must match pattern [a-zA-Z0-9_-]+"),
    ("GET",    "/api/secrets/NONE",       b"",              404,    "no secret is named 'NONE'"),
    ("DELETE", "/api/secrets/NONE",       b"",              404,    "no secret is named 'NONE'"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "says"), REFUSED)
def test_what_is_refused_says_why(edge: Edge, method: str, path: str, body: bytes, status: int, says: str) -> None:
    answer = edge.raw(method, path, body, headers=TEXT)
    assert answer.status == status and says in answer.json["message"]
    assert edge.call("GET", "/api/secrets").json == []


def test_the_key_is_replaced_and_every_secret_stays(edge: Edge) -> None:
    put(edge, "A", "first-secret"), put(edge, "B", "second-secret")
    before = edge.engine.secrets.ring.current
    told = edge.call("POST", "/api/admin/secrets/rotate-key").json
    assert told == {"secrets": 2, "key": edge.engine.secrets.ring.current} and told["key"] != before
    again = Secrets(edge.engine.store, edge.clock, edge.engine.secrets.ring)
    edge.run(again.load())
    assert (again.get("A"), again.get("B"), len(again.ring)) == ("first-secret", "second-secret", 1)


def test_a_task_whose_secret_cannot_be_read_fails_and_the_others_are_handed_out(edge: Edge) -> None:
    put(edge, "TOKEN", TOKEN)
    edge.engine.secrets.ring = Keyring()
    edge.run(edge.engine.secrets.load())
    job = edge.task("job", inputParameters={"auth": "${workflow.secrets.TOKEN}"})
    edge.register("closed", {**job, "taskDefinition": {"name": "job", "retryCount": 0}})
    edge.register("open", edge.task("job"))
    closed, opened = edge.start("closed"), edge.start("open")
    handed = edge.call("GET", "/api/tasks/poll/batch/job?count=5&timeout=0").json
    assert [task["workflowInstanceId"] for task in handed] == [opened]
    task = edge.call("GET", f"/api/workflow/{closed}").json["tasks"][0]
    assert task["status"] == "FAILED" and edge.status(closed) == "FAILED"
    assert task["reasonForIncompletion"].startswith("secret 'TOKEN' cannot be read: it was sealed with key ")
    assert edge.call("GET", "/api/secrets/TOKEN").status == 403
    assert "cannot be read" in put(edge, "OTHER", "x").json["message"]
    assert edge.call("POST", "/api/admin/secrets/rotate-key").status == 409
    assert put(edge, "TOKEN", TOKEN).status == put(edge, "OTHER", "x").status == 200
