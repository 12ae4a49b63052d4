"""Which pages may use a backend that has no authentication: its own, those of its machine, those that the operator names; and under which names it answers."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from flowkit import node
from studio import Builder, builder

from batuta_flows.settings import BadSetting, read_settings

RUN = json.dumps({"workflowName": "Test", "nodes": [node("a", "text_to_text", prompt="a story")]})
REACHED, FOREIGN_PAGE, FOREIGN_HOST = "reached", "foreign_origin", "foreign_host"


class Heard(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """A backend that is reached as https://flows.example.com, and trusts the pages of two other sites."""
    origins = "https://studio.example.com, http://tools.example.com:8000/"
    with builder(tmp_path_factory.mktemp("flows"), workers=False, public_url="https://flows.example.com/x", origins=origins) as running:
        yield running


def ask(flows: Builder, method: str, path: str, body: str | None = None, **headers: str) -> Heard:
    """An answer to a request with these headers and no others; `{port}` is the backend's. The header Host is sent when it is given, else as a browser does."""
    address = flows.url.removeprefix("http://")
    port = address.partition(":")[2]
    found = http.client.HTTPConnection(address, timeout=20)
    given = {name.replace("_", "-"): value.replace("{port}", port) for name, value in headers.items() if value}
    found.request(method, path, body, given)
    answer = found.getresponse()
    content = answer.read()
    is_json = "json" in (answer.headers["content-type"] or "")
    return Heard(answer.status, {name.lower(): value for name, value in answer.headers.items()}, json.loads(content) if is_json and content else content)


#   sent to                     by a page of                    browsers say    becomes
STARTS: list[tuple[str, str, str, str]] = [
    ("localhost:{port}",         "",                            "",             REACHED),       # curl
    ("127.0.0.1:{port}",         "",                            "none",         REACHED),
    ("localhost:{port}",         "http://localhost:{port}",     "same-origin",  REACHED),       # the canvas
    ("localhost:{port}",         "http://localhost:3465",       "same-site",    REACHED),       # the original's frontend
    ("127.0.0.1:{port}",         "http://localhost:3465",       "cross-site",   REACHED),
    ("[::1]:{port}",             "http://app.localhost:3000",   "cross-site",   REACHED),
    ("192.168.1.7:{port}",       "http://192.168.1.7:{port}",   "",             REACHED),       # an address: nobody else can name it
    ("flow-backend:{port}",      "",                            "",             REACHED),       # a name without a dot: of a container, of the local network
    (socket.gethostname(),       f"http://{socket.gethostname()}", "",          REACHED),
    ("flows.example.com",        "https://flows.example.com",   "same-origin",  REACHED),       # behind a proxy that keeps the name
    ("127.0.0.1:{port}",         "https://flows.example.com",   "same-origin",  REACHED),       # behind one that does not
    ("flows.example.com",        "https://studio.example.com",  "same-site",    REACHED),
    ("FLOWS.example.com",        "http://tools.example.com:8000", "cross-site", REACHED),
    ("localhost:{port}",         "https://evil.example",        "cross-site",   FOREIGN_PAGE),
    ("localhost:{port}",         "https://evil.example",        "",             FOREIGN_PAGE),  # an old browser
    ("localhost:{port}",         "",                            "cross-site",   FOREIGN_PAGE),
    ("localhost:{port}",         "null",                        "cross-site",   FOREIGN_PAGE),  # a file, a frame in a sandbox
    ("localhost:{port}",         "http://studio.example.com",   "cross-site",   FOREIGN_PAGE),  # not https
    ("localhost:{port}",         "http://tools.example.com",    "cross-site",   FOREIGN_PAGE),  # another port
    ("localhost:{port}",         "https://localhost.evil.example", "cross-site", FOREIGN_PAGE),
    ("flows.example.com",        "http://localhost:3465",       "cross-site",   FOREIGN_PAGE),  # somebody else's machine
    ("192.168.1.7:{port}",       "http://localhost:3465",       "cross-site",   FOREIGN_PAGE),
    ("evil.example:{port}",      "http://evil.example:{port}",  "",             FOREIGN_HOST),  # its name leads here: DNS rebinding
    ("evil.example:{port}",      "",                            "",             FOREIGN_HOST),
    ("localhost.evil.example",   "",                            "",             FOREIGN_HOST),
    ("127.0.0.1.evil.example",   "",                            "",             FOREIGN_HOST),
    ("[::1",                     "",                            "",             FOREIGN_HOST),
]  # fmt: skip


@pytest.mark.parametrize(("host", "origin", "site", "becomes"), STARTS)
def test_who_may_start_a_run(flows: Builder, host: str, origin: str, site: str, becomes: str) -> None:
    heard = ask(flows, "POST", "/workflow/run", RUN, Host=host, Origin=origin, Sec_Fetch_Site=site, Content_Type="text/plain")
    if becomes == REACHED:
        assert heard.status == 200 and heard.body["success"]
        assert heard.headers.get("access-control-allow-origin", "") == origin.replace("{port}", flows.url.rpartition(":")[2])
    else:
        assert (heard.status, heard.body["code"]) == (403, becomes) and "FLOWS_ORIGINS" in heard.body["error"]
        assert "access-control-allow-origin" not in heard.headers


CHANGES = (
    ("POST", "/workflow/validate"), ("POST", "/workflow/any/cancel"), ("POST", "/workflow/any/retry"), ("POST", "/workflow/any/rerun"),
    ("POST", "/flows"), ("PUT", "/flows/any"), ("DELETE", "/flows/any"), ("POST", "/assets"),
)  # fmt: skip


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_nothing_is_changed_for_a_foreign_page(flows: Builder, method: str, path: str) -> None:
    heard = ask(flows, method, path, "{}", Origin="https://evil.example", Sec_Fetch_Site="cross-site")
    assert (heard.status, heard.body["code"]) == (403, FOREIGN_PAGE)


def test_a_foreign_page_does_not_see_what_it_reads(flows: Builder) -> None:
    heard = ask(flows, "GET", "/workflow/history", Origin="https://evil.example", Sec_Fetch_Site="cross-site")
    assert "access-control-allow-origin" not in heard.headers and heard.headers["vary"] == "Origin"
    heard = ask(flows, "GET", "/workflow/history", Host="evil.example")
    assert heard.body["code"] == FOREIGN_HOST


def test_a_link_from_another_site_leads_to_the_canvas(flows: Builder) -> None:
    assert ask(flows, "GET", "/", Sec_Fetch_Site="cross-site").status == 200


def test_a_page_that_is_trusted_is_told_so_before_it_asks(flows: Builder) -> None:
    wishes = {"Access_Control_Request_Method": "PUT", "Access_Control_Request_Headers": "content-type,if-match"}
    heard = ask(flows, "OPTIONS", "/flows/any", Origin="http://localhost:3465", **wishes)
    assert heard.status == 204 and heard.headers["access-control-allow-origin"] == "http://localhost:3465"
    assert "PUT" in heard.headers["access-control-allow-methods"] and heard.headers["access-control-allow-headers"] == "content-type,if-match"
    heard = ask(flows, "OPTIONS", "/flows/any", Origin="https://evil.example", **wishes)
    assert "access-control-allow-origin" not in heard.headers


@pytest.mark.parametrize("given", ["*", "studio.example.com", "https://studio.example.com/path", "https://*.example.com"])
def test_what_is_no_origin_is_refused_at_start(given: str) -> None:
    with pytest.raises(BadSetting, match="FLOWS_ORIGINS: found"):
        read_settings({"FLOWS_ORIGINS": given})
