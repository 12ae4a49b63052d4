"""One exchange: where it goes, how long it may take, and which error an answer becomes."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from conductor_fake import ConductorFake

from batuta.client import BadRequest, ClientError, Conflict, Denied, NotFound, ServerFault, SyncClient, Unavailable
from batuta.client.calls import workflows
from batuta.client.http import Answer, Call, Transport, api_root, below_root

#    given                                  becomes
URLS = [
    ("http://localhost:8080/api",           "http://localhost:8080/api"),
    ("http://localhost:8080/api/",          "http://localhost:8080/api"),
    ("http://localhost:8080",               "http://localhost:8080/api"),
    ("http://localhost:8080/",              "http://localhost:8080/api"),
    (" https://play.orkes.io/api ",         "https://play.orkes.io/api"),
    ("https://host/behind/a/proxy/api",     "https://host/behind/a/proxy/api"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "becomes"), URLS)
def test_an_api_root_is_understood(given: str, becomes: str) -> None:
    assert api_root(given) == becomes


@pytest.mark.parametrize("given", ["localhost:8080", "ftp://host/api", "http://", "/api", "http://host/api?x=1", "http://host/api#x"])
def test_a_url_that_is_none_is_refused_by_name(given: str) -> None:
    with pytest.raises(ValueError, match="server URL"):
        api_root(given)


def test_the_url_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", "http://elsewhere:1234/api/")
    assert Transport().url == "http://elsewhere:1234/api"
    assert Transport("http://given/api").url == "http://given/api"
    monkeypatch.delenv("CONDUCTOR_SERVER_URL")
    assert Transport().url == "http://localhost:8080/api"


def test_names_are_quoted_in_paths() -> None:
    assert below_root("/workflow/{}/correlated/{}", "a b/ü", "?#%") == "/workflow/a%20b%2F%C3%BC/correlated/%3F%23%25"


def test_query_values_are_written_as_servers_read_them() -> None:
    call = Call("GET", "/x", Answer.any, query={"a": True, "b": None, "c": ("x", "y z"), "d": 3, "e": "ü&"})
    assert call.target() == "/x?a=true&c=x&c=y+z&d=3&e=%C3%BC%26"


#    status  body                                                        class           retryable
ANSWERS = [
    (400,    {"status": 400, "message": "m", "retryable": False},        BadRequest,     False),
    (401,    {"status": 401, "message": "m"},                            Denied,         False),
    (403,    {"status": 403, "message": "m"},                            Denied,         False),
    (404,    {"status": 404, "message": "m"},                            NotFound,       False),
    (405,    {"status": 405, "message": "m"},                            ClientError,    False),
    (409,    {"status": 409, "message": "m"},                            Conflict,       False),
    (413,    {"status": 413, "message": "m"},                            BadRequest,     False),
    (429,    {"status": 429, "message": "m"},                            Unavailable,    True),
    (500,    {"status": 500, "message": "m", "retryable": False},        ServerFault,    False),
    (500,    {"status": 500, "message": "m", "retryable": True},         ServerFault,    True),
    (502,    b"<html>m</html>",                                          Unavailable,    True),
    (503,    b"m",                                                       Unavailable,    True),
    (504,    {"message": "m"},                                           Unavailable,    True),
    (404,    b"",                                                        NotFound,       False),
    (500,    ["m"],                                                      ServerFault,    False),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind", "retryable"), ANSWERS)
def test_an_answer_becomes_the_error_one_can_act_on(
    fake: ConductorFake, sync_client: SyncClient, status: int, body: object, kind: type[ClientError], retryable: bool
) -> None:
    fake.fault("GET /version", status, body)
    with pytest.raises(ClientError) as caught:
        sync_client.version()
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.retryable, caught.value.call) == (status, retryable, "GET /version")
    assert str(caught.value).startswith(f"GET /version: {status}: ")


def test_validation_errors_are_told_one_by_one(fake: ConductorFake, sync_client: SyncClient) -> None:
    with pytest.raises(BadRequest) as caught:
        sync_client.register_workflow({"name": "w", "tasks": []})
    assert caught.value.problems == ("registerWorkflowDef.arg0.tasks: WorkflowTask list cannot be empty",)
    assert "WorkflowTask list cannot be empty" in str(caught.value)


def test_a_redirect_is_not_followed_but_told(fake: ConductorFake, sync_client: SyncClient) -> None:
    fake.fault("GET /version", 302, b"")
    with pytest.raises(ClientError, match="redirects to None; give that place's API root"):
        sync_client.version()


def test_a_page_instead_of_json_is_told(fake: ConductorFake, sync_client: SyncClient) -> None:
    fake.fault("GET /health", 200, b"<html>the console</html>", content_type="text/html")
    with pytest.raises(ClientError, match="does the server URL lead to the API root"):
        sync_client.health()


@pytest.mark.parametrize("body", [b"1f0c-22", b'"1f0c-22"'])
def test_an_id_is_read_plain_or_quoted(fake: ConductorFake, sync_client: SyncClient, body: bytes) -> None:
    fake.fault("POST /workflow", 200, body, content_type="text/plain")
    assert sync_client.start_workflow("w") == "1f0c-22"


def test_any_request_reads_its_answer_by_its_type(fake: ConductorFake, sync_client: SyncClient) -> None:
    assert sync_client.request("GET", "/version") == "3.32.1"
    assert sync_client.request("get", "/health")["healthy"] is True
    assert sync_client.request("GET", "/tasks/poll/nothing", query={"workerid": "w"}) is None
    with pytest.raises(ValueError, match="does not begin with '/'"):
        sync_client.request("GET", "version")


def test_a_refused_connection_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused at once
        client = SyncClient(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(Unavailable, match="did not answer") as caught:
            client.version()
    assert caught.value.status is None and caught.value.retryable
    assert "0x" not in str(caught.value)


def test_an_answer_that_does_not_come_ends_with_its_time(fake: ConductorFake) -> None:
    client = SyncClient(fake.url, timeout_s=0.2)
    with fake.held("GET /version"), pytest.raises(Unavailable, match=r"GET /version: .*did not answer"):
        client.version()


def test_an_answer_that_drips_ends_with_its_time() -> None:
    """One byte at a time keeps every single read within its limit; the whole is bounded all the same."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_drip, args=(listener,), daemon=True).start()
        client = SyncClient(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=0.3)
        began = time.monotonic()
        with pytest.raises(Unavailable, match="not complete in time"):
            client.version()
        assert time.monotonic() - began < 5


def _drip(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n")
        connection.settimeout(0.02)
        for _ in range(1000):
            try:
                connection.sendall(b".")
                connection.recv(1)  # nothing comes: the pause between two bytes
            except TimeoutError:
                continue
            except OSError:
                return


def _serve_once_per_connection(listener: socket.socket, heads: list[bytes]) -> None:
    """Answer the first request of each connection, then close it without a word, like a server whose keep-alive ran out."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            heads.append(connection.recv(65536).split(b"\r\n")[0])
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
            heads.append(connection.recv(65536).split(b"\r\n")[0])  # the next request is read, and never answered


def test_a_kept_connection_that_breaks_is_replaced_for_what_may_be_repeated() -> None:
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve_once_per_connection, args=(listener, heads), daemon=True).start()
        client = SyncClient(f"http://127.0.0.1:{listener.getsockname()[1]}", connections=1)
        assert client.version() == "ok"
        assert client.version() == "ok"
        with pytest.raises(Unavailable, match="did not answer"):
            client.start_workflow("once")  # a start may have been taken: trying again could start twice
    assert [head for head in heads if b"POST" in head] == [b"POST /api/workflow HTTP/1.1"]


def test_nothing_is_sent_for_a_body_json_cannot_hold(fake: ConductorFake, sync_client: SyncClient) -> None:
    with pytest.raises(TypeError):
        sync_client.start_workflow("w", {"x": object()})
    assert not fake.requests


def test_the_same_call_value_may_be_sent_by_both_clients(fake: ConductorFake, sync_client: SyncClient) -> None:
    assert sync_client.send(workflows.version()) == sync_client.version() == "3.32.1"


def test_a_proxy_is_asked_for_the_whole_url(fake: ConductorFake) -> None:
    client = SyncClient("http://conductor.invalid:8080/api", proxy_url=f"http://127.0.0.1:{fake.port}")
    assert client.version() == "3.32.1"
    assert fake.requests[0].headers["host"] == "conductor.invalid:8080"


def test_a_server_without_a_certificate_is_unavailable(fake: ConductorFake) -> None:
    client = SyncClient(fake.url.replace("http://", "https://"), timeout_s=5)
    with pytest.raises(Unavailable, match=r"(?i)ssl"):
        client.version()
