"""HTTP calls against a real server on 127.0.0.1: its answers, its redirects, and everything a network does wrong."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from batuta.builtin.guard import AddressGuard, Endpoint
from batuta.builtin.http import HttpCall, HttpWorker

PATIENCE_S = 20.0
PREFIX = "Failed to invoke HTTP task due to: "


def body_of(called: HttpCall) -> Any:
    assert called.status == "COMPLETED", called
    return called.output["response"]["body"]


def told(called: HttpCall, status: str = "FAILED") -> str:
    """What a failed call says; reason and response say the same."""
    assert called.status == status, called
    assert called.reason == PREFIX + called.output["response"]
    return str(called.output["response"])


def io_told(called: HttpCall, url: str, method: str = "GET") -> str:
    start = f'java.lang.Exception: I/O error on {method} request for "{url}": '
    assert told(called).startswith(start), called
    return told(called).removeprefix(start)


# ---------------------------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(("status", "phrase"), [(300, "Multiple Choices"), (302, "Found"), (304, "Not Modified"), (305, "Use Proxy")])
def test_an_answer_that_is_no_success_and_leads_nowhere_fails_with_its_response(worker: HttpWorker, stub: Any, status: int, phrase: str) -> None:
    called = worker.call(stub.request(stub.gives("/x", status, b"" if status == 304 else b'{"a":1}', ("x-a", "b"))))
    assert (called.status, called.reason) == ("FAILED", "No response from the remote service")
    response = called.output["response"]
    assert (response["statusCode"], response["reasonPhrase"], response["body"], response["headers"]["x-a"]) == (status, phrase, None, ["b"])


def test_an_error_answer_is_told_with_status_address_and_body(worker: HttpWorker, stub: Any) -> None:
    stub.gives("/x", 404, b'{"no": 1}', phrase="Nothing Here")
    expected = f'java.lang.Exception: 404 Nothing Here on GET request for "{stub.url}/x": "{{"no": 1}}"'
    assert told(worker.call(stub.request("/x?secret=1"))) == expected


def test_a_large_error_answer_is_cut(worker: HttpWorker, stub: Any) -> None:
    called = worker.call(stub.request(stub.gives("/x", 500, b"y" * 1_000_000)))
    assert told(called).endswith('"' + "y" * 65536 + '"')
    assert body_of(worker.call(stub.request("/text"))) == "plain words"


def test_a_compressed_answer_is_decoded(worker: HttpWorker, stub: Any) -> None:
    stub.gives("/x", 200, gzip.compress(b'{"z": 1}'), ("content-encoding", "gzip"))
    called = worker.call(stub.request("/x"))
    assert body_of(called) == {"z": 1}
    assert not {"content-encoding", "content-length"} & {name.lower() for name in called.output["response"]["headers"]}
    assert stub.asked[0].header("accept-encoding") == ["gzip, deflate"]


def test_a_chunked_answer_is_put_together(worker: HttpWorker, stub: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    stub.routes["/x"] = lambda handler: handler.send_raw(head, b"3\r\n[1,\r\n", b"3\r\n 2]\r\n0\r\n\r\n")
    assert body_of(worker.call(stub.request("/x"))) == [1, 2]


def test_an_answer_without_a_length_ends_with_its_connection(worker: HttpWorker, stub: Any) -> None:
    stub.routes["/x"] = lambda handler: handler.send_raw(b"HTTP/1.0 200 OK\r\n\r\n[1]")
    assert body_of(worker.call(stub.request("/x"))) == [1]


#   limit      body            encoding   is taken
SIZES = [
    (100, b"x" * 100, "", True),
    (100, b"x" * 101, "", False),
    (1000, gzip.compress(bytes(1_000_000)), "gzip", False),
]


@pytest.mark.parametrize(("limit", "body", "encoding", "is_taken"), SIZES)
def test_an_answer_beyond_the_limit_fails_for_good(make: Callable[..., HttpWorker], stub: Any, limit: int, body: bytes, encoding: str, is_taken: bool) -> None:
    worker = make(response_bytes_max=limit)
    called = worker.call(stub.request(stub.gives("/x", 200, body, *([("content-encoding", encoding)] if encoding else []))))
    if is_taken:
        assert called.status == "COMPLETED"
    else:
        assert told(called, "FAILED_WITH_TERMINAL_ERROR") == f"the answer is larger than the {limit} bytes this server takes of one"
        assert body_of(worker.call(stub.request("/text"))) == "plain words"


def test_an_endless_answer_is_left_at_the_limit(make: Callable[..., HttpWorker], stub: Any) -> None:
    def endless(handler: Any) -> None:
        handler.send_raw(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:  # Until the caller hangs up.
            handler.wfile.write(bytes(65536))

    stub.routes["/x"] = endless
    assert "larger than the 200000 bytes" in told(make(response_bytes_max=200_000).call(stub.request("/x")), "FAILED_WITH_TERMINAL_ERROR")


# --------------------------------------------------------------------------------------------------------------- failures

CUT = "java.lang.Exception: Error while extracting response for type [class java.lang.String] and content type "


def test_a_refused_connection_is_told(worker: HttpWorker) -> None:
    called = worker.call({"uri": "http://127.0.0.1:1/x?y=1", "method": "GET"})
    assert io_told(called, "http://127.0.0.1:1/x") == "Connect to http://127.0.0.1:1 failed: Connection refused"


def test_a_name_nobody_knows_is_told(make: Callable[..., HttpWorker]) -> None:
    def nobody(host: str, port: int) -> list[Endpoint]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    called = make(AddressGuard(resolve=nobody)).call({"uri": "http://h.example/", "method": "GET"})
    assert io_told(called, "http://h.example/") == "h.example: Name or service not known"


def test_a_server_that_hangs_up_is_told(worker: HttpWorker, stub: Any) -> None:
    stub.routes["/x"] = lambda handler: handler.send_raw()
    for method in ("GET", "POST"):
        assert io_told(worker.call(stub.request("/x", method)), stub.url + "/x", method) == f"127.0.0.1:{stub.port} failed to respond"


def test_an_answer_that_is_not_http_is_told(worker: HttpWorker, stub: Any) -> None:
    stub.routes["/x"] = lambda handler: handler.send_raw(b"hello world\r\n\r\n")
    assert io_told(worker.call(stub.request("/x")), stub.url + "/x").startswith(f"127.0.0.1:{stub.port} failed to respond in HTTP: 'hello world")


def test_an_answer_with_too_many_headers_is_told(worker: HttpWorker, stub: Any) -> None:
    stub.routes["/x"] = lambda handler: handler.send_raw(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n")
    assert "headers" in io_told(worker.call(stub.request("/x")), stub.url + "/x")


def test_a_body_that_breaks_off_is_told(worker: HttpWorker, stub: Any) -> None:
    stub.routes["/x"] = lambda handler: handler.send_raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
    assert told(worker.call(stub.request("/x"))).startswith(CUT + "[application/octet-stream]: ")
    stub.gives("/y", 200, gzip.compress(b"abc")[:-4], ("content-encoding", "gzip"))
    assert told(worker.call(stub.request("/y"))) == CUT + "[application/json]: its compressed form ends too early"


def test_a_body_not_in_its_encoding_is_told(worker: HttpWorker, stub: Any) -> None:
    stub.gives("/x", 200, b"abc", ("content-encoding", "gzip"))
    assert io_told(worker.call(stub.request("/x")), stub.url + "/x") == "Not in GZIP format"


def test_an_answer_slower_than_asked_for_is_told(worker: HttpWorker, stub: Any) -> None:
    stub.routes["/x"] = lambda handler: stub.ended.wait(PATIENCE_S)
    assert io_told(worker.call(stub.request("/x", readTimeOut=50)), stub.url + "/x") == "Read timed out"


def test_a_body_slower_than_asked_for_is_told(worker: HttpWorker, stub: Any) -> None:
    def half(handler: Any) -> None:
        handler.send_raw(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12")
        stub.ended.wait(PATIENCE_S)

    stub.routes["/x"] = half
    assert told(worker.call(stub.request("/x", readTimeOut=50))) == CUT + "[application/octet-stream]: Read timed out"


def test_a_server_that_takes_no_connection_is_told(make: Callable[..., HttpWorker]) -> None:
    """A listener whose queue is full answers no further connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        queued = []
        try:
            for _ in range(3):
                sock = socket.socket()
                sock.setblocking(False)
                sock.connect_ex(("127.0.0.1", port))
                queued.append(sock)
            called = make().call({"uri": f"http://127.0.0.1:{port}/", "method": "GET", "connectionTimeOut": 50})
        finally:
            for sock in queued:
                sock.close()
    assert io_told(called, f"http://127.0.0.1:{port}/") == f"Connect to http://127.0.0.1:{port} failed: Connect timed out"


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_server_that_drips_meets_the_deadline(make: Callable[..., HttpWorker], stub: Any, where: str) -> None:
    """Each byte comes well within readTimeOut; all of them together never would."""

    def drip(handler: Any) -> None:
        handler.send_raw(b"HTTP/1.1 200 OK\r\n" + (b"\r\n" if where == "body" else b"x-a: "))
        while not stub.ended.wait(0.02):
            handler.wfile.write(b"x")

    stub.routes["/x"] = drip
    called = make(call_s_max=0.3).call(stub.request("/x", readTimeOut=3000))
    assert told(called).endswith("the call took longer than the 0.3 s this server gives one")


def test_no_read_limit_leaves_the_deadline(make: Callable[..., HttpWorker], stub: Any) -> None:
    stub.routes["/x"] = lambda handler: stub.ended.wait(PATIENCE_S)
    called = make(call_s_max=0.1).call(stub.request("/x", readTimeOut=0))
    assert io_told(called, stub.url + "/x") == "the call took longer than the 0.1 s this server gives one"


def test_a_server_that_reads_nothing_meets_the_deadline(make: Callable[..., HttpWorker]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        called = make(call_s_max=0.2).call({"uri": url, "method": "POST", "body": "x" * 20_000_000, "readTimeOut": 3000})
    assert io_told(called, url, "POST") == "the call took longer than the 0.2 s this server gives one"


def test_a_server_that_answers_before_it_has_read_the_body_is_heard(worker: HttpWorker) -> None:
    """It says 413 and hangs up; what it sent before is read."""

    def refuse(listener: socket.socket) -> None:
        sock, _ = listener.accept()
        with sock:
            sock.recv(100)
            sock.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno")
            sock.shutdown(socket.SHUT_WR)
            sock.settimeout(PATIENCE_S)
            while sock.recv(1_000_000):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=refuse, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        called = worker.call({"uri": url, "method": "POST", "body": "x" * 5_000_000})
        thread.join(PATIENCE_S)
    assert told(called) == f'java.lang.Exception: 413 Too Large on POST request for "{url}": "no"'


def test_a_malformed_request_fails_for_good(worker: HttpWorker) -> None:
    called = worker.call({"http_request": "words"})
    assert told(called, "FAILED_WITH_TERMINAL_ERROR") == "http_request is 'words'; expected an object with uri and method"


# -------------------------------------------------------------------------------------------------------------- redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(worker: HttpWorker, stub: Any, status: int) -> None:
    stub.gives("/x", status, b"moved", ("location", "/echo?a=1"))
    body = body_of(worker.call(stub.request("/x", headers={"Authorization": "me"})))
    assert (body["method"], body["path"], body["query"]) == ("GET", "/echo", {"a": "1"})
    assert stub.asked[1].header("authorization") == ["me"]
    assert stub.connections == 1


def test_a_redirect_to_another_host_gets_no_credentials(worker: HttpWorker, serve: Callable[..., Any]) -> None:
    first, second = serve(), serve()
    first.gives("/x", 307, b"", ("location", f"{second.url}/echo"))
    headers = {"Authorization": "a", "Cookie": "b", "X-Api-Key": "c", "Host": "d.example", "X-Trace": "t"}
    assert body_of(worker.call(first.request("/x", "PUT", body={"k": 1}, headers=headers)))["body"] == {"k": 1}
    assert first.asked[0].header("host") == ["d.example"]
    assert second.asked[0].header("host") == [f"127.0.0.1:{second.port}"]
    sent = {name.lower() for name, _ in second.asked[0].headers}
    assert sent & {"authorization", "cookie", "x-api-key", "x-trace"} == {"x-trace"}


def test_a_post_is_followed_by_a_get(worker: HttpWorker, stub: Any) -> None:
    stub.gives("/x", 302, b"", ("location", "/echo"))
    body = body_of(worker.call(stub.request("/x", "POST", body={"k": 1})))
    assert (body["method"], body["body"]) == ("GET", None)


def test_a_circle_of_redirects_is_left(worker: HttpWorker, stub: Any) -> None:
    stub.gives("/x", 302, b"", ("location", "/x"))
    assert io_told(worker.call(stub.request("/x")), stub.url + "/x") == f"Circular redirect to '{stub.url}/x'"
    assert len(stub.asked) == 2


@pytest.mark.parametrize(("redirects", "is_followed"), [(0, True), (3, True), (4, False)])
def test_redirects_are_followed_up_to_the_limit(make: Callable[..., HttpWorker], stub: Any, redirects: int, is_followed: bool) -> None:
    for n in range(redirects):
        stub.gives(f"/{n}", 302, b"", ("location", f"/{n + 1}"))
    called = make(redirects_max=3).call(stub.request("/0"))
    if is_followed:
        assert body_of(called)["path"] == f"/{redirects}"
    else:
        assert io_told(called, stub.url + "/0") == "Maximum redirects (3) exceeded"
    assert len(stub.asked) == min(redirects, 3) + 1


def test_errors_after_a_redirect_are_told_of_the_first_address(worker: HttpWorker, stub: Any) -> None:
    stub.gives("/x", 302, b"", ("location", "/status/500"))
    assert told(worker.call(stub.request("/x"))).startswith(f'java.lang.Exception: 500 Internal Server Error on GET request for "{stub.url}/x": ')
    stub.gives("/y", 302, b"", ("location", "ftp://h.example/"))
    assert io_told(worker.call(stub.request("/y")), stub.url + "/y") == "Unroutable protocol scheme: ftp://h.example"


def test_all_redirects_share_one_deadline(make: Callable[..., HttpWorker], stub: Any, clock: Any) -> None:
    def slow(handler: Any) -> None:
        clock.now += 40
        handler.send(302, b"", ("location", handler.path + "x"))

    for n in range(4):
        stub.routes["/" + "x" * n] = slow
    called = make(call_s_max=100, clock=clock).call(stub.request("/"))
    assert io_told(called, stub.url + "/").endswith("the call took longer than the 100 s this server gives one")
    assert len(stub.asked) == 3
