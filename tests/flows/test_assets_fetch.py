"""Files from elsewhere: no way into private networks, by whatever spelling, redirect or change of mind of a name; and no more bytes or time than allowed."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from studio import picture

from batuta_flows.assets import fetch
from batuta_flows.assets.fetch import Fetcher
from batuta_flows.assets.store import AssetStore
from batuta_flows.errors import NodeFailed

#   is it public?   the address
ADDRESSES = [
    (True,          "93.184.216.34"),
    (True,          "2606:2800:220:1:248:1893:25c8:1946"),
    (False,         "127.0.0.1"),
    (False,         "127.8.8.8"),
    (False,         "0.0.0.0"),
    (False,         "10.1.2.3"),
    (False,         "172.16.0.1"),
    (False,         "192.168.0.1"),
    (False,         "100.64.0.1"),          # a carrier's own
    (False,         "169.254.169.254"),     # clouds tell secrets here
    (False,         "198.18.0.1"),
    (False,         "224.0.0.1"),
    (False,         "255.255.255.255"),
    (False,         "::"),
    (False,         "::1"),
    (False,         "fe80::1"),
    (False,         "fc00::1"),
    (False,         "fd00:ec2::254"),
    (False,         "ff02::1"),
    (False,         "::ffff:127.0.0.1"),    # IPv4 inside IPv6: mapped,
    (False,         "::ffff:10.0.0.1"),
    (False,         "::127.0.0.1"),         # compatible,
    (False,         "64:ff9b::7f00:1"),     # translated,
    (False,         "64:ff9b::a00:1"),
    (False,         "2002:7f00:1::"),       # 6to4,
    (False,         "2001:0:4136:e378:8000:63bf:f5ff:fffe"),  # Teredo
]  # fmt: skip


@pytest.mark.parametrize(("is_public", "address"), ADDRESSES)
def test_what_is_private_is_known(is_public: bool, address: str) -> None:
    assert fetch.is_public(address) is is_public


#   the same machine, spelt otherwise
SPELLINGS = [
    "http://127.0.0.1/a.png", "http://localhost/a.png", "http://2130706433/a.png", "http://0x7f000001/a.png", "http://0177.0.0.1/a.png", "http://127.1/a.png",
    "http://0/a.png", "http://[::1]/a.png", "http://[::ffff:127.0.0.1]/a.png", "http://[::]/a.png", "http://user:pass@127.0.0.1/a.png",
    "http://127.0.0.1:80\\@example.com/a.png", "https://127.0.0.1/a.png",
]  # fmt: skip
#   no address of the web at all
STRANGE = ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/a", "data:image/png;base64,AAAA", "http:///a.png", "http://", "//127.0.0.1/a", "http://[::1", ""]


@pytest.fixture
def fetcher(tmp_path: Path) -> Fetcher:
    return Fetcher(AssetStore(tmp_path, bytes_max=100_000))


@pytest.mark.parametrize("url", [*SPELLINGS, *STRANGE])
def test_a_private_address_is_not_asked_however_it_is_spelt(fetcher: Fetcher, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", _nobody)
    monkeypatch.setattr("urllib3.util.connection.create_connection", _nobody)
    with pytest.raises(NodeFailed) as failure:
        fetcher.asset(url, medium="image")
    assert failure.value.code == "bad_input" and "pass@" not in str(failure.value)


def _nobody(*args: object, **options: object) -> Any:
    raise AssertionError(f"a connection was opened: {args}")


# -- against a server of this machine, which the tests call public ------------------------------------------------------------------------


class Site:
    """A server, and what it was asked. `answers`: what a path is answered with: a status, headers, and pieces of a body."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[], tuple[int, dict[str, str], Iterator[bytes]]]] = {}
        self.asked: list[tuple[str, str]] = []
        self.port = 0


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    known = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked.append((self.headers["Host"], self.path))
            status, headers, body = known.answers.get(self.path, known.answers.get(self.path.partition("?")[0]))()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):  # the other side has seen enough
                for piece in body:
                    self.wfile.write(piece)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    known.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)  # how soon it ends
    thread.start()
    usual = fetch.is_public
    monkeypatch.setattr(fetch, "is_public", lambda address: address == "127.0.0.1" or usual(address))
    yield known
    server.shutdown()
    server.server_close()
    thread.join(5)


def body(*pieces: bytes, status: int = 200, **headers: str) -> Callable[[], tuple[int, dict[str, str], Iterator[bytes]]]:
    return lambda: (status, {name.replace("_", "-"): value for name, value in headers.items()}, iter(pieces))


def test_a_file_is_fetched_through_redirects(fetcher: Fetcher, site: Site) -> None:
    site.answers = {"/a": body(status=302, Location="/b?x=1"), "/b": body(picture(1))}
    assert fetcher.asset(f"http://127.0.0.1:{site.port}/a", medium="image").mime == "image/png"


@pytest.mark.parametrize("target", ["http://127.0.0.2:{port}/b", "http://[::1]:{port}/b", "http://2130706434:{port}/b", "file:///etc/passwd", "ftp://127.0.0.1/"])
def test_a_redirect_into_a_private_network_is_not_followed(fetcher: Fetcher, site: Site, target: str) -> None:
    site.answers = {"/a": body(status=302, Location=target.format(port=site.port)), "/b": body(picture(1))}
    with pytest.raises(NodeFailed):
        fetcher.asset(f"http://127.0.0.1:{site.port}/a", medium="image")
    assert [path for _, path in site.asked] == ["/a"]


def test_redirects_have_an_end(fetcher: Fetcher, site: Site) -> None:
    site.answers = {"/a": body(status=307, Location="/a")}
    with pytest.raises(NodeFailed, match="redirects more than"):
        fetcher.asset(f"http://127.0.0.1:{site.port}/a")
    assert len(site.asked) == fetch.REDIRECTS_MAX + 1


def test_a_name_that_changes_its_mind_gains_nothing(fetcher: Fetcher, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the name is asked once, and the connection goes to the address that was looked at."""
    told = [["127.0.0.1"], ["127.0.0.2"]]
    _names(monkeypatch, "cdn.example", told)
    site.answers = {"/a": body(picture(1))}
    assert fetcher.asset(f"http://cdn.example:{site.port}/a", medium="image").mime == "image/png"
    assert told == [["127.0.0.2"]] and site.asked == [(f"cdn.example:{site.port}", "/a")]
    with pytest.raises(NodeFailed, match="private"):
        fetcher.asset(f"http://cdn.example:{site.port}/a")


def test_a_name_with_one_private_address_among_others_is_refused(fetcher: Fetcher, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    _names(monkeypatch, "mixed.example", [["127.0.0.1", "10.0.0.1"]])
    with pytest.raises(NodeFailed, match="private"):
        fetcher.asset(f"http://mixed.example:{site.port}/a")
    assert site.asked == []


def _names(monkeypatch: pytest.MonkeyPatch, name: str, told: list[list[str]]) -> None:
    usual = socket.getaddrinfo

    def answered(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        if host != name:
            return usual(host, port, *rest, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in told.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", answered)


# -- how much, and how long ---------------------------------------------------------------------------------------------------------------


def _endless() -> Iterator[bytes]:
    yield picture(1)
    while True:
        yield b"x" * 10_000


#   what is answered                                                                              code                 what is said
TOO_MUCH = [
    (lambda: (200, {}, _endless()),                                                               "too_large",         "100000 bytes"),
    (body(picture(1), Content_Length="999999999"),                                                "too_large",         "999999999 bytes"),
    (body(gzip.compress(picture(1) + b"0" * 5_000_000), Content_Encoding="gzip"),                 "too_large",         "100000 bytes"),
    (body(b""),                                                                                   "unreadable_answer", "empty"),
    (body(b"<html>no</html>", Content_Type="image/png"),                                          "unreadable_answer", "page of HTML"),
    (body(b"<svg xmlns='http://www.w3.org/2000/svg'/>", Content_Type="image/png"),                "unreadable_answer", "expected an image"),
    (body(b"gone", status=404),                                                                   "bad_input",         "answered 404"),
    (body(picture(1)[:40], Content_Length="5000"),                                                "provider_down",     "cannot be fetched"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "code", "told"), TOO_MUCH)
def test_no_more_than_allowed_is_taken(fetcher: Fetcher, site: Site, tmp_path: Path, answer: Any, code: str, told: str) -> None:
    site.answers = {"/a.png": answer}
    with pytest.raises(NodeFailed) as failure:
        fetcher.asset(f"http://127.0.0.1:{site.port}/a.png?token=canary", medium="image")
    assert failure.value.code == code and told in str(failure.value) and "canary" not in str(failure.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []  # nothing was kept


def test_a_server_that_drips_is_left(fetcher: Fetcher, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "FETCH_S_MAX", 0.0)
    site.answers = {"/a": body(picture(1)[:30], picture(1)[30:])}
    with pytest.raises(NodeFailed) as failure:
        fetcher.asset(f"http://127.0.0.1:{site.port}/a")
    assert (failure.value.code, failure.value.may_retry) == ("timed_out", True)
