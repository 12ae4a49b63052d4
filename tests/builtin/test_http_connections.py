"""Whom HTTP calls may connect to, how many connections there are, and how they end: the guard, the pool, TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from batuta.builtin import http_pool
from batuta.builtin.guard import AddressGuard, Endpoint
from batuta.builtin.http import HttpCall, HttpWorker

PATIENCE_S = 20.0
CERTIFICATE = Path(__file__).parent / "tls" / "server.pem"  # Self-signed, for localhost and device.example, used nowhere else.


def body_of(called: HttpCall) -> Any:
    assert called.status == "COMPLETED", called
    return called.output["response"]["body"]


def told(called: HttpCall, status: str = "FAILED") -> str:
    """What a failed call says; reason and response say the same."""
    assert called.status == status, called
    assert called.reason == "Failed to invoke HTTP task due to: " + called.output["response"]
    return str(called.output["response"])


def name_for(*addresses: str) -> Callable[[str, int], list[Endpoint]]:
    """A resolver that knows one answer to every name."""
    return lambda host, port: [Endpoint(socket.AF_INET, (address, port)) for address in addresses]


# ------------------------------------------------------------------------------------------------------------- the guard


def test_with_the_guard_on_no_private_address_is_called(make: Callable[..., HttpWorker], stub: Any) -> None:
    for host in ("127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]"):
        called = make(AddressGuard(setting="SETTING")).call({"uri": f"http://{host}:{stub.port}/echo", "method": "GET"})
        refusal = told(called, "FAILED_WITH_TERMINAL_ERROR")
        assert "a loopback address" in refusal and "SETTING=" in refusal
    assert stub.connections == 0


def test_a_redirect_to_a_private_address_is_refused(make: Callable[..., HttpWorker], serve: Callable[..., Any]) -> None:
    outside, inside = serve(), serve("127.0.0.2")
    guard = AddressGuard([f"127.0.0.1:{outside.port}"], setting="SETTING")
    outside.gives("/x", 302, b"", ("location", f"{inside.url}/secret"))
    called = make(guard).call(outside.request("/x"))
    assert told(called, "FAILED_WITH_TERMINAL_ERROR").startswith("host '127.0.0.2' is a loopback address")
    assert (len(outside.asked), inside.connections) == (1, 0)


def test_an_allowed_host_is_called_by_its_name(make: Callable[..., HttpWorker], stub: Any) -> None:
    guard = AddressGuard([f"build.lan:{stub.port}"], resolve=name_for("127.0.0.1"))
    assert body_of(make(guard).call({"uri": f"http://build.lan:{stub.port}/echo", "method": "GET"}))["path"] == "/echo"
    assert stub.asked[0].header("host") == [f"build.lan:{stub.port}"]


def test_a_name_is_resolved_once_and_called_at_that_address(make: Callable[..., HttpWorker], serve: Callable[..., Any]) -> None:
    """DNS rebinding: the name is harmless when it is judged and leads inside when it is asked again. It is not asked again."""
    harmless = serve("127.0.0.2")
    answers = iter(["127.0.0.2", "127.0.0.1"])
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[Endpoint]:
        asked.append(host)
        return name_for(next(answers))(host, port)

    worker = make(AddressGuard(["127.0.0.2"], resolve=rebinding))
    request = {"uri": f"http://h.example:{harmless.port}/echo", "method": "GET"}
    body_of(worker.call(request))
    body_of(worker.call(request))  # The same connection, judged when it was made.
    assert (asked, harmless.connections) == (["h.example"], 1)
    harmless.routes["/echo"] = lambda handler: handler.send_raw()
    assert "failed to respond" not in told(worker.call(request), "FAILED_WITH_TERMINAL_ERROR")  # The new one is judged anew.
    assert asked == ["h.example"] * 2


def test_the_next_address_of_a_name_is_tried(make: Callable[..., HttpWorker], stub: Any) -> None:
    guard = AddressGuard(["127.0.0.0/8"], resolve=name_for("127.0.0.3", "127.0.0.1"))
    assert body_of(make(guard).call({"uri": f"http://h.example:{stub.port}/text", "method": "GET"})) == "plain words"


def test_the_environments_proxies_are_not_used(make: Callable[..., HttpWorker], serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    stub, proxy = serve(), serve()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    assert body_of(make().call(stub.request("/text"))) == "plain words"
    assert proxy.connections == 0


# ------------------------------------------------------------------------------------------------------------ connections


def test_a_connection_is_kept_and_used_again(worker: HttpWorker, stub: Any) -> None:
    for method in ("GET", "POST", "HEAD", "DELETE"):
        assert worker.call(stub.request("/echo", method)).status == "COMPLETED"
    worker.call(stub.request("/status/404"))
    worker.call(stub.request("/empty"))
    assert stub.connections == 1


@pytest.mark.parametrize(("header", "seconds"), [(None, http_pool.IDLE_S), ("timeout=5, max=100", 4)])
def test_a_connection_is_kept_for_a_while(make: Callable[..., HttpWorker], stub: Any, header: str | None, seconds: float, clock: Any) -> None:
    worker = make(clock=clock)
    stub.gives("/x", 200, b"", *([("keep-alive", header)] if header else []))
    worker.call(stub.request("/x"))
    clock.now += seconds - 0.5
    worker.call(stub.request("/x"))
    assert stub.connections == 1
    clock.now += seconds + 0.5
    worker.call(stub.request("/x"))
    assert stub.connections == 2


def test_a_connection_the_server_ended_is_not_used_again(worker: HttpWorker, stub: Any) -> None:
    stub.gives("/x", 200, b"", ("connection", "close"))
    for _ in range(2):
        assert worker.call(stub.request("/x")).status == "COMPLETED"
    assert stub.connections == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_the_server_ended_in_silence_is_not_used_again(worker: HttpWorker, stub: Any, method: str) -> None:
    def hang_up(handler: Any) -> None:
        handler.send(200, b"[]")
        handler.close_connection = True

    stub.routes["/x"] = hang_up
    assert worker.call(stub.request("/x", method)).status == "COMPLETED"
    assert stub.hung_up.acquire(timeout=PATIENCE_S)
    assert worker.call(stub.request("/x", method)).status == "COMPLETED"
    assert (len(stub.asked), stub.connections) == (2, 2)


def test_an_answer_that_comes_too_late_is_nobodys(worker: HttpWorker, stub: Any) -> None:
    """A connection with an answer still to come on it is never lent again: the next call would be given that answer."""
    gate = Gate()
    stub.routes["/late"] = gate
    assert body_of(worker.call(stub.request("/text"))) == "plain words"
    assert told(worker.call(stub.request("/late", readTimeOut=50))).endswith(": Read timed out")
    assert body_of(worker.call(stub.request("/text"))) == "plain words"
    assert stub.connections == 2
    gate.open()


#   method    requests the server sees: the first, the one it hangs up on, and that one again if nothing can have come of it
AGAIN = [("GET", 3), ("PUT", 3), ("DELETE", 3), ("HEAD", 3), ("POST", 2), ("PATCH", 2)]


@pytest.mark.parametrize(("method", "seen"), AGAIN)
def test_a_kept_connection_that_ends_at_the_moment_of_use(worker: HttpWorker, stub: Any, method: str, seen: int) -> None:
    def hang_up_on_the_second(handler: Any) -> None:
        if len(stub.asked) == 2:
            handler.send_raw()
        else:
            handler.send(200, b"[1]")

    stub.routes["/x"] = hang_up_on_the_second
    assert worker.call(stub.request("/x", method)).status == "COMPLETED"
    called = worker.call(stub.request("/x", method))
    assert called.status == ("COMPLETED" if seen == 3 else "FAILED")
    assert len(stub.asked) == seen


class Gate:
    """Holds all requests until it is opened, and counts how many are in at once."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.inside = self.most = self.served = 0
        self.is_open = False

    def __call__(self, handler: Any) -> None:
        with self.changed:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.is_open, PATIENCE_S)
            self.inside -= 1
            self.served += 1
        handler.send(200, b"[]")

    def wait_for_inside(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.inside == count, PATIENCE_S)

    def open(self) -> None:
        with self.changed:
            self.is_open = True
            self.changed.notify_all()


def test_no_more_calls_to_a_host_than_allowed_run_at_once(make: Callable[..., HttpWorker], serve: Callable[..., Any], threads: ThreadPoolExecutor) -> None:
    stub, other, gate = serve(), serve(), Gate()
    stub.routes["/x"] = gate
    worker = make(per_host_max=3, wait_s=PATIENCE_S)
    calls = [threads.submit(worker.call, stub.request("/x")) for _ in range(12)]
    gate.wait_for_inside(3)
    assert body_of(worker.call(other.request("/text"))) == "plain words"  # Another host is not held up.
    gate.open()
    assert [call.result(PATIENCE_S).status for call in calls] == ["COMPLETED"] * 12
    assert (gate.most, gate.served, stub.connections) == (3, 12, 3)


def test_no_more_calls_in_all_than_allowed_run_at_once(make: Callable[..., HttpWorker], serve: Callable[..., Any], threads: ThreadPoolExecutor) -> None:
    stubs, gate = [serve() for _ in range(4)], Gate()
    worker = make(connections_max=2, wait_s=PATIENCE_S)
    calls: list[Future[HttpCall]] = []
    for stub in stubs:
        stub.routes["/x"] = gate
        calls += [threads.submit(worker.call, stub.request("/x")) for _ in range(2)]
    gate.wait_for_inside(2)
    gate.open()
    assert [call.result(PATIENCE_S).status for call in calls] == ["COMPLETED"] * 8
    assert (gate.most, gate.served) == (2, 8)


def test_a_call_that_finds_no_place_in_time_is_deferred(make: Callable[..., HttpWorker], stub: Any, threads: ThreadPoolExecutor) -> None:
    gate = Gate()
    stub.routes["/x"] = gate
    worker = make(per_host_max=1, wait_s=0.05)
    first = threads.submit(worker.call, stub.request("/x"))
    gate.wait_for_inside(1)
    called = worker.call(stub.request("/x"))
    reason = f"no place for a call to 127.0.0.1:{stub.port}: 1 under way there and 1 in all, and none ended within 0.05 s"
    assert called == HttpCall("DEFERRED", {}, reason)
    gate.open()
    assert first.result(PATIENCE_S).status == "COMPLETED"
    assert len(stub.asked) == 1
    assert worker.call(stub.request("/x")).status == "COMPLETED"


def test_a_redirected_call_waits_for_its_place(make: Callable[..., HttpWorker], serve: Callable[..., Any], threads: ThreadPoolExecutor) -> None:
    first, second, gate = serve(), serve(), Gate()
    first.gives("/x", 302, b"", ("location", second.url + "/x"))
    second.routes["/x"] = gate
    worker = make(per_host_max=1, wait_s=0.01)
    holder = threads.submit(worker.call, second.request("/x"))
    gate.wait_for_inside(1)
    redirected = threads.submit(worker.call, first.request("/x"))
    with pytest.raises(TimeoutError):
        redirected.result(0.1)
    gate.open()
    assert [call.result(PATIENCE_S).status for call in (holder, redirected)] == ["COMPLETED"] * 2
    assert len(first.asked) == 1


def test_idle_connections_make_room_for_other_hosts(make: Callable[..., HttpWorker], serve: Callable[..., Any]) -> None:
    stubs = [serve() for _ in range(3)]
    worker = make(connections_max=2)
    for stub in stubs:  # The third takes the place of the first.
        body_of(worker.call(stub.request("/text")))
    for stub in reversed(stubs):
        body_of(worker.call(stub.request("/text")))
    assert [stub.connections for stub in stubs] == [2, 1, 1]


def test_closing_breaks_off_what_is_under_way(make: Callable[..., HttpWorker], stub: Any, threads: ThreadPoolExecutor) -> None:
    gate = Gate()
    stub.routes["/x"] = gate
    worker = make(per_host_max=1, wait_s=PATIENCE_S)
    calls = [threads.submit(worker.call, stub.request("/x", readTimeOut=0)) for _ in range(2)]  # One in, one waiting.
    gate.wait_for_inside(1)
    worker.close()
    worker.close()
    assert [call.result(PATIENCE_S) for call in calls] == [HttpCall("DEFERRED", {}, "the HTTP worker is stopping")] * 2
    assert worker.call(stub.request("/text")).status == "DEFERRED"
    gate.open()


def test_closing_stops_a_call_that_is_not_connected_yet(make: Callable[..., HttpWorker], stub: Any, threads: ThreadPoolExecutor) -> None:
    asked, may_answer = threading.Event(), threading.Event()

    def slow(host: str, port: int) -> list[Endpoint]:
        asked.set()
        may_answer.wait(PATIENCE_S)
        return name_for("127.0.0.1")(host, port)

    worker = make(AddressGuard(["127.0.0.1"], resolve=slow))
    call = threads.submit(worker.call, stub.request("/text"))
    assert asked.wait(PATIENCE_S)
    worker.close()
    may_answer.set()
    assert call.result(PATIENCE_S).status == "DEFERRED"
    assert stub.asked == []


# --------------------------------------------------------------------------------------------------------------------- TLS


@pytest.fixture
def secure(serve: Callable[..., Any]) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return serve(wrap=lambda sock: context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False))


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


def secure_request(stub: Any, host: str, path: str = "/text", **fields: Any) -> dict[str, Any]:
    return {"uri": f"https://{host}:{stub.port}{path}", "method": "GET", **fields}


def test_a_certificate_nobody_vouches_for_is_not_accepted(worker: HttpWorker, secure: Any) -> None:
    called = worker.call(secure_request(secure, "localhost"))
    assert f": the certificate of localhost:{secure.port} is not accepted: self" in told(called)
    assert secure.asked == []


def test_a_trusted_certificate_is_accepted_for_its_names_only(make: Callable[..., HttpWorker], secure: Any) -> None:
    worker = make(AddressGuard(["127.0.0.1"], resolve=name_for("127.0.0.1")), tls=trusting())
    assert body_of(worker.call(secure_request(secure, "device.example"))) == "plain words"
    assert body_of(worker.call(secure_request(secure, "device.example"))) == "plain words"
    assert secure.connections == 1
    assert secure.asked[0].header("host") == [f"device.example:{secure.port}"]
    assert "is not accepted: Hostname mismatch" in told(worker.call(secure_request(secure, "other.example")))


def test_tls_with_a_server_that_has_none_is_told(worker: HttpWorker, stub: Any) -> None:
    called = worker.call({"uri": f"https://127.0.0.1:{stub.port}/x", "method": "GET"})
    assert f": TLS with 127.0.0.1:{stub.port} failed: " in told(called)


def test_a_dripping_server_meets_the_deadline_over_tls_too(make: Callable[..., HttpWorker], secure: Any) -> None:
    def drip(handler: Any) -> None:
        handler.send_raw(b"HTTP/1.1 200 OK\r\n\r\n")
        while not secure.ended.wait(0.02):
            handler.wfile.write(b"x")

    secure.routes["/x"] = drip
    worker = make(call_s_max=0.3, tls=trusting())
    assert "longer than the 0.3 s" in told(worker.call(secure_request(secure, "localhost", "/x")))


def test_a_handshake_that_never_ends_is_left(make: Callable[..., HttpWorker]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        called = make().call({"uri": url, "method": "GET", "connectionTimeOut": 50})
    assert "timed out" in told(called)


def test_a_large_body_goes_over_tls_whole(make: Callable[..., HttpWorker], secure: Any) -> None:
    worker = make(tls=trusting())
    text = "x" * 3_000_000
    called = worker.call(secure_request(secure, "localhost", "/echo", body=text) | {"method": "POST"})
    assert body_of(called)["body"] == text
