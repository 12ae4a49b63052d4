"""Which requests of browsers are answered: a page of another site can neither act nor look, not even under a name that leads here."""

from __future__ import annotations

import socket

import pytest
from edgework import Edge

from batuta.api.application import Application
from batuta.api.browsers import Browsers
from batuta.api.routes import ROUTES
from batuta.errors import Invalid
from batuta.settings import read_settings

CHROME = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140", "accept-language": "en-US,en;q=0.9"}
NODE = {"accept-language": "*", "sec-fetch-mode": "cors", "user-agent": "node", "accept": "*/*"}  # as its fetch sends them
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def asked(edge: Edge, method: str, target: str, said: dict[str, str], body: bytes = b"") -> int:
    headers = tuple((name.encode(), value.encode()) for name, value in said.items())
    if body and "content-type" not in said:
        headers += ((b"content-type", b"application/json"),)
    answer = edge.raw(method, target, body, headers=headers)
    if answer.status == 403:
        assert any(words in answer.json["message"] for words in ("from a browser", "allowed_hosts", "page of this server alone")), answer.text
    return answer.status


#    what a browser says of the page that asks                                                      may it?
PAGES = [
    ({}, True),
    ({"sec-fetch-site": "same-origin", "origin": "http://console"}, True),
    ({"sec-fetch-site": "none"}, True),
    ({"sec-fetch-site": "cross-site", "origin": "http://elsewhere"}, False),
    ({"sec-fetch-site": "same-site", "origin": "http://console:3000"}, False),
    ({"sec-fetch-site": "cross-site", "origin": "null"}, False),
    ({"sec-fetch-site": "of-tomorrow"}, False),
    ({"origin": "http://console", "host": "console"}, True),
    ({"origin": "https://console", "host": "inside:8080", "x-forwarded-host": "console"}, True),
    ({"origin": "http://elsewhere", "host": "console"}, False),
    ({"origin": "http://console.elsewhere", "host": "console"}, False),
    ({"origin": "http://console:3000", "host": "console"}, False),
    ({"origin": "null", "host": "console"}, False),
    ({"origin": "", "host": "console"}, True),
    (NODE, True),
]  # fmt: skip
ACTS = [
    ("DELETE", "/api/workflow/none", b""),
    ("GET", "/api/tasks/poll/job", b""),
    ("POST", "/api/workflow/bulk/retry", b'["none"]'),
    ("PUT", "/api/metadata/workflow", b"[]"),
    ("GET", "/api/workflow/none", b""),
]


@pytest.mark.parametrize(("said", "may"), PAGES)
@pytest.mark.parametrize(("method", "target", "body"), ACTS)
def test_a_page_of_another_site_can_neither_act_nor_look(edge: Edge, said: dict[str, str], may: bool, method: str, target: str, body: bytes) -> None:
    assert (asked(edge, method, target, said, body) != 403) == may


def test_every_route_that_is_not_for_reading_is_closed_to_forms_of_other_sites(edge: Edge) -> None:
    forms = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
    tried = 0
    for route in ROUTES:
        if route.method == "GET" and not route.acts:
            continue
        target = "/".join("x" if part.startswith("{") else part for part in route.pattern.split("/"))
        for kind in forms:
            for said in ({"sec-fetch-site": "cross-site", "origin": "null"}, {"origin": "http://elsewhere", "host": "console"}):
                assert asked(edge, route.method, target, {**CHROME, **said, "content-type": kind}, b"[]") == 403, route
                tried += 1
    assert tried > 500


def test_what_acts_is_below_api_and_what_is_open_only_reads() -> None:
    assert all(route.pattern.startswith("/api/") for route in ROUTES if route.acts or route.method != "GET")
    verbs = ("poll", "pause", "resume", "requeue", "execute")
    assert {route.pattern for route in ROUTES if route.acts} == {
        route.pattern for route in ROUTES if route.method == "GET" and any(verb in route.pattern.split("/") for verb in verbs)
    }


def test_no_other_site_is_ever_told_that_it_may(edge: Edge) -> None:
    said = ((b"origin", b"http://elsewhere"), (b"access-control-request-method", b"DELETE"), (b"sec-fetch-site", b"cross-site"))
    answer = edge.raw("OPTIONS", "/api/workflow/none", headers=said)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert not [name for name in edge.raw("GET", "/api/workflow/none", headers=said).headers if name.startswith("access-control")]


def test_a_link_is_followed_to_what_is_read_and_not_to_what_acts(edge: Edge) -> None:
    assert asked(edge, "GET", "/api/metadata/workflow", LINK) == 200
    assert asked(edge, "GET", "/api/tasks/poll/job", LINK) == 403
    assert asked(edge, "GET", "/api/metadata/workflow", {**LINK, "sec-fetch-dest": "iframe"}) == 403
    assert asked(edge, "POST", "/api/workflow/bulk/retry", {**LINK, "origin": "http://elsewhere"}, b"[]") == 403


#    Host                        known without a setting?
HOSTS = [
    ("127.0.0.1:8080", True),
    ("[::1]:8080", True),
    ("192.168.178.20:8127", True),
    ("localhost:8127", True),
    ("LOCALHOST.:8127", True),
    ("console.localhost", True),
    ("batuta:8080", True),
    ("", True),
    ("elsewhere.example:8080", False),
    ("127.0.0.1.elsewhere.example", False),
    ("localhost.elsewhere.example", False),
    ("batuta.default.svc.cluster.local:8080", False),
]


@pytest.mark.parametrize(("host", "known"), HOSTS)
def test_a_browser_asks_by_a_name_that_no_stranger_can_have(edge: Edge, host: str, known: bool) -> None:
    reads = asked(edge, "GET", "/api/metadata/workflow", {**CHROME, "host": host})  # on plain http: neither Origin nor Sec-Fetch-Site
    acts = asked(edge, "POST", "/api/workflow/bulk/retry", {**CHROME, "host": host, "origin": f"http://{host}" if host else ""}, b"[]")
    assert [reads != 403, acts != 403] == [known, known]


@pytest.mark.parametrize("program", [{}, NODE, {"user-agent": "python-requests/2.32"}, {"user-agent": "okhttp/4.12.0", "accept-encoding": "gzip"}])
def test_a_program_asks_by_any_name(edge: Edge, program: dict[str, str]) -> None:
    assert asked(edge, "GET", "/api/tasks/poll/batch/job?timeout=0", {**program, "host": "batuta.default.svc.cluster.local:8080"}) == 200


def test_a_browser_on_https_asks_by_any_name_that_has_a_certificate(edge: Edge) -> None:
    assert asked(edge, "GET", "/api/metadata/workflow", {**CHROME, "host": "batuta.example.com", "sec-fetch-site": "same-origin"}) == 200


def test_health_is_told_to_monitors_that_ask_as_browsers_do(edge: Edge) -> None:
    assert asked(edge, "GET", "/health", {**CHROME, "host": "batuta.example.com"}) == 200
    assert asked(edge, "GET", "/actuator/prometheus", {**CHROME, "host": "batuta.example.com"}) == 403


#    allowed_hosts              Host                           may it?
ALLOWED = [
    (["batuta.example.com"], "batuta.example.com:8127", True),
    (["Batuta.Example.com"], "BATUTA.example.com", True),
    (["batuta.example.com"], "other.example.com", False),
    ([".example.com"], "a.b.example.com", True),
    ([".example.com"], "example.com", False),
    ([".example.com"], "badexample.com", False),
    (["*"], "elsewhere.example", True),
]


@pytest.mark.parametrize(("allowed", "host", "may"), ALLOWED)
def test_other_names_are_a_setting(edge: Edge, allowed: list[str], host: str, may: bool) -> None:
    edge.application = Application(edge.services, browsers=Browsers(allowed))
    assert (asked(edge, "GET", "/api/metadata/workflow", {**CHROME, "host": host}) == 200) == may


def test_names_are_given_without_scheme_and_port() -> None:
    known = read_settings({"allowed_hosts": "batuta.lan, .example.com,", "public_url": "https://flows.example.org:8443/x"}, {})
    assert known.hosts_allowed == ["batuta.lan", ".example.com", "flows.example.org"]
    for wrong in ("http://batuta.lan", "batuta.lan:8080", "*.example.com", "a b"):
        with pytest.raises(Invalid, match="setting allowed_hosts"):
            read_settings({"allowed_hosts": wrong}, {})


def test_the_machine_knows_its_own_names(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "build-1.corp.example")
    edge.application = Application(edge.services, browsers=Browsers())
    assert asked(edge, "GET", "/api/metadata/workflow", {**CHROME, "host": "build-1.corp.example:8080"}) == 200
    assert asked(edge, "GET", "/api/metadata/workflow", {**CHROME, "host": "build-1.local:8080"}) == 200


def test_an_image_of_another_site_takes_no_task(edge: Edge) -> None:
    """On plain http a browser says neither who asks nor on whose behalf; but it says of what page, or nothing, and a stranger's page cannot say ours."""
    edge.register()
    edge.start()
    image = {**CHROME, "host": "192.168.178.20:8080"}
    assert asked(edge, "GET", "/api/tasks/poll/job", image) == 403
    assert asked(edge, "GET", "/api/tasks/poll/job", {**image, "referer": "http://elsewhere/"}) == 403
    assert asked(edge, "GET", "/api/tasks/poll/job", {**image, "referer": "http://192.168.178.20:8080/swagger-ui/index.html"}) == 200
    assert asked(edge, "GET", "/api/metadata/workflow", image) == 200


def test_so_many_names_are_remembered_and_no_more(edge: Edge) -> None:
    browsers = Browsers()
    edge.application = Application(edge.services, browsers=browsers)
    for n in range(2100):
        assert asked(edge, "GET", "/api/version", {**CHROME, "host": f"h{n}.example"}) == 403
    assert 0 < len(browsers._known) <= 1000
