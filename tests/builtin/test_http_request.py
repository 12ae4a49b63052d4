"""What a task's input becomes on the wire; right-hand sides in Java's words were read off a Conductor 3.32.1 server."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.builtin.http_request import HttpRequest, read_request
from batuta.builtin.http_uri import CallFailed, IoFailed, follow, read_template

HOST = "http://h.example"


def read(uri: Any = HOST + "/x", method: Any = "GET", **fields: Any) -> HttpRequest:
    return read_request({"http_request": {"uri": uri, "method": method, **fields}})


def refusal(*args: Any, **fields: Any) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        read(*args, **fields)
    return caught.value


#   what stands after the host            what is asked for
PATHS = [
    ("", "/"),
    ("?a=1", "/?a=1"),
    ("/a b", "/a%20b"),
    ("/a%20b", "/a%2520b"),
    ("/100%", "/100%25"),
    ("/é€😀", "/%C3%A9%E2%82%AC%F0%9F%98%80"),
    ("/;a=1/b:c@d!$&'()*+,=~-._", "/;a=1/b:c@d!$&'()*+,=~-._"),
    ('/a"b<c>d\\e^f`g|h[i]j', "/a%22b%3Cc%3Ed%5Ce%5Ef%60g%7Ch%5Bi%5Dj"),
    ("/a{b", "/a%7Bb"),
    ("/a}b", "/a%7Db"),
    ("/a{}b", "/a%7B%7Db"),
    ("/a/../b/./c", "/a/../b/./c"),
    ("//a//b", "/a/b"),
    ("/a/", "/a/"),
    ("/", "/"),
    ("/x ", "/x"),
    ("/x\ny", "/x%0Ay"),
    ("/x\ty\x01", "/x%09y"),
    ("/x?", "/x"),
    ("/x#", "/x"),
    ("/a#frag ment", "/a"),
    ("/a?x=#y?z", "/a?x="),
    ("/a?b?c=d", "/a?b?c=d"),
    ("/x?a=b=c&b=1&&=z&c&d=", "/x?a=b%3Dc&b=1&z&c&d="),
    ("/x?url=http://a.b/c?d=e&f=100%25", "/x?url=http://a.b/c?d%3De&f=100%2525"),
    (
        "/q?a=1&b=x y&c=%20&d=a+b&e=é&f=[1]&g=a/b?c&h=\"<>&i=a:b@c&j=;,!$'()*",
        "/q?a=1&b=x%20y&c=%2520&d=a+b&e=%C3%A9&f=%5B1%5D&g=a/b?c&h=%22%3C%3E&i=a:b@c&j=;,!$'()*",
    ),
]


@pytest.mark.parametrize(("written", "asked"), PATHS)
def test_a_path_is_encoded_as_a_template_is(written: str, asked: str) -> None:
    assert read(HOST + written).target.path == asked


#   uri                            scheme   host             port
HOSTS = [
    ("http://h.example/x", "http", "h.example", 80),
    ("HTTPS://H.Example/x", "https", "h.example", 443),
    ("http://h.example:8080/x", "http", "h.example", 8080),
    ("http://h.example:/x", "http", "h.example", 80),
    ("http://a_b.example/x", "http", "a_b.example", 80),
    ("http://[::1]:8080/x", "http", "::1", 8080),
    ("http://[FD00:0:0::5]/x", "http", "fd00::5", 80),
]


@pytest.mark.parametrize(("uri", "scheme", "host", "port"), HOSTS)
def test_the_host_is_found(uri: str, scheme: str, host: str, port: int) -> None:
    origin = read(uri).target.origin
    assert (origin.scheme, origin.host, origin.port) == (scheme, host, port)


BAD = "org.springframework.web.util.InvalidUrlException: Bad authority"
NEEDS = "java.lang.IllegalArgumentException: Not enough variable values available to expand "
IO = "java.lang.Exception: I/O error on GET request for "
#   uri, the beginning of what the task fails with
NO_ADDRESSES: list[tuple[Any, str]] = [
    ("http://h/{x}", NEEDS + "'x'"),
    ("http://h/a{x:.*}b", NEEDS + "'x'"),
    ("http://h/{a}/{b}?q={c}", NEEDS + "'a'"),
    ("http://h/x?q={c}", NEEDS + "'c'"),
    ('http://h/x?json={"a":1}', NEEDS + "'\"a\"'"),
    ("http://{h}/x", NEEDS + "'h'"),
    ("http://h:abc/", BAD),
    ("http://a b/x", BAD),
    ("http://bücher.example/x", BAD),
    ("http://h\\x", BAD),
    ("http://[::1%25eth0]/", BAD),
    ("http://[1.2]/", BAD),
    (
        "http://h:99999/",
        "java.lang.IllegalArgumentException: Port number(Use -1 to specify the scheme default port): 99999 is out of range [-1, 65535]",
    ),
    (" http://h/x", "java.lang.IllegalArgumentException: Illegal character in scheme name at index 0: %20http://h/x"),
    ("localhost:8080/x", "java.lang.IllegalArgumentException: Expected scheme-specific part at index 10: localhost:"),
    ("http://user:pass@h/x", IO + '"http://h/x": Request URI authority contains deprecated userinfo component'),
    ("ftp://h/", IO + '"ftp://h/": Unroutable protocol scheme: ftp://h'),
    ("file:///etc/passwd", IO + '"file:///etc/passwd": Target host is not specified'),
    ("/a/b", IO + '"/a/b": Target host is not specified'),
    ("h.example/a", IO + '"/h.example/a": Target host is not specified'),
    ("", IO + '"": Target host is not specified'),
    (5, IO + '"/5": Target host is not specified'),
    (True, IO + '"/true": Target host is not specified'),
    ("http:/h/x", IO + '"http:/h/x": Target host is not specified'),
    ("http:///x", IO + '"http:///x": Target host is not specified'),
    ("http://:80/x", IO + '"http://:80/x": Target host is not specified'),
    ("//h:1/x?secret=1", IO + '"//h:1/x": Protocol scheme is not specified'),
]


@pytest.mark.parametrize(("uri", "told"), NO_ADDRESSES)
def test_what_is_no_address_fails_the_task(uri: Any, told: str) -> None:
    error = refusal(uri)
    assert str(error).startswith(told)
    assert not error.is_terminal
    assert "pass" not in str(error).replace("passwd", "")


@pytest.mark.parametrize("method", ["get", "BREW", "CONNECT", "", "5"])
def test_a_method_is_case_exact(method: str) -> None:
    assert str(refusal(method=method)) == f"java.lang.IllegalArgumentException: Invalid HTTP method: {method}"


#   body                         contentType                            what is sent
BODIES: list[tuple[Any, str, bytes | None]] = [
    (None, "application/json", None),
    ("", "application/json", None),
    ({}, "application/json", b"{}"),
    ([], "application/json", b"[]"),
    ({"a": [1, 1.5, None, "é"]}, "application/json", '{"a":[1,1.5,null,"é"]}'.encode()),
    ({"a": 1}, "application/vnd.x+json", b'{"a":1}'),
    ({"a": 1}, "application/json; charset=utf-8", b'{"a":1}'),
    (False, "application/json", b"false"),
    (5, "application/json", b"5"),
    (12345678901234567890123, "application/json", b"12345678901234567890123"),
    ('{"a":1}', "application/json", b'{"a":1}'),
    ("a=b&c=d", "application/x-www-form-urlencoded", b"a=b&c=d"),
    ("é€", "application/json", "é€".encode()),
    ("é€", "text/plain", "é€".encode()),
    ("é€", "text/plain; charset=iso-8859-1", b"\xe9?"),
]


@pytest.mark.parametrize(("body", "content_type", "sent"), BODIES)
def test_a_body_is_text_or_json(body: Any, content_type: str, sent: bytes | None) -> None:
    assert read(method="POST", body=body, contentType=content_type).body == sent


CONVERTER = "java.lang.Exception: No HttpMessageConverter for "
MIME = "org.springframework.http.InvalidMediaTypeException: Invalid mime type "
#   body, contentType, the beginning of what the task fails with
NO_BODIES: list[tuple[Any, Any, str]] = [
    ({"a": 1}, "text/plain", CONVERTER + 'java.util.LinkedHashMap and content type "text/plain"'),
    ([1], "text/plain", CONVERTER + 'java.util.ArrayList and content type "text/plain"'),
    (7, "application/octet-stream", CONVERTER + 'java.lang.Integer and content type "application/octet-stream"'),
    (True, "text/plain", CONVERTER + "java.lang.Boolean"),
    (1.5, "text/plain", CONVERTER + "java.lang.Double"),
    ({"a": "b"}, "application/x-www-form-urlencoded", CONVERTER + "java.util.LinkedHashMap"),
    ("x", "text/plain;charset=klingon", MIME + "\"text/plain;charset=klingon\": unsupported charset 'klingon'"),
    ("x", "text/plain;charset=rot13", MIME + "\"text/plain;charset=rot13\": unsupported charset 'rot13'"),
    ({}, "nonsense", MIME + "\"nonsense\": does not contain '/'"),
    ({}, "a/", MIME + "\"a/\": does not contain subtype after '/'"),
    ({}, "*/a", MIME + "\"*/a\": wildcard type is legal only in '*/*' (all mime types)"),
    ({}, "", MIME + "\"\": 'mimeType' must not be empty"),
    ({}, None, MIME + "\"null\": 'mimeType' must not be empty"),
    ({}, "*/*", "java.lang.IllegalArgumentException: Content-Type cannot contain wildcard type '*'"),
]


@pytest.mark.parametrize(("body", "content_type", "told"), NO_BODIES)
def test_what_is_no_body_or_type_fails_the_task(body: Any, content_type: Any, told: str) -> None:
    assert str(refusal(method="POST", body=body, contentType=content_type)).startswith(told)


#   accept                              what is sent
ACCEPTS: list[tuple[Any, bytes]] = [
    (None, b"application/json"),
    (5, b"application/json"),
    ([], b"application/json"),
    ("*/*", b"*/*"),
    ("*", b"*/*"),
    ("Text/HTML; q=0.5", b"text/html;q=0.5"),
    (["text/html", None, "a/b"], b"text/html, a/b"),
]


@pytest.mark.parametrize(("accept", "sent"), ACCEPTS)
def test_accept_is_a_type_or_a_list_of_them(accept: Any, sent: bytes) -> None:
    assert read(accept=accept).headers["Accept"] == sent


def test_accept_takes_no_list_in_one_text() -> None:
    told = MIME + '"application/xml, text/html": Invalid token character \',\' in token "xml, text/html"'
    assert str(refusal(accept="application/xml, text/html")) == told


#   value                              what is sent; None: nothing
VALUES: list[tuple[Any, bytes | None]] = [
    ("w", b"w"),
    ("", b""),
    (None, None),
    (True, b"true"),
    (5, b"5"),
    (12345678901234567890, b"12345678901234567890"),
    (1.0, b"1.0"),
    (1e21, b"1.0E21"),
    (0.0001, b"1.0E-4"),
    ([1, "two", None], b"[1, two, null]"),
    ({"a": {"b": [1, None, True, 1.5]}}, b"{a={b=[1, null, true, 1.5]}}"),
    ("a\r\nX-B: c", b"a  X-B: c"),
    ("a\0b", b"a b"),
    ("é€", b"\xe9?"),
]


@pytest.mark.parametrize(("value", "sent"), VALUES)
def test_a_header_is_sent_as_its_text(value: Any, sent: bytes | None) -> None:
    assert read(headers={"X-A": value}).headers.get("X-A") == sent


def test_what_is_sent_when_nothing_is_asked_for() -> None:
    assert read().headers == {
        "Accept": b"application/json",
        "Content-Type": b"application/json",
        "Accept-Encoding": b"gzip, deflate",
        "User-Agent": b"batuta",
    }


def test_the_tasks_own_headers_replace_ours_and_never_stand_twice() -> None:
    headers = read(headers={"content-type": "text/xml", "ACCEPT": "a/b", "user-agent": "me", "X-A": 1, "x-a": 2}).headers
    assert headers == {"content-type": b"text/xml", "ACCEPT": b"a/b", "Accept-Encoding": b"gzip, deflate", "user-agent": b"me", "x-a": b"2"}


def test_framing_is_not_the_tasks_to_choose() -> None:
    request = read(method="POST", body="abc", headers={"Content-Length": 99, "transfer-encoding": "chunked"})
    assert not {name.lower() for name in request.headers} & {"content-length", "transfer-encoding"}


@pytest.mark.parametrize("name", ["", "X A", "X:A", "X\r\nA", "É"])
def test_a_header_name_that_is_none_fails_for_good(name: str) -> None:
    error = refusal(headers={name: "a"})
    assert error.is_terminal
    assert repr(name) in str(error)


#   field              value      seconds
TIMES: list[tuple[str, Any, float]] = [
    ("readTimeOut", 300, 0.3),
    ("readTimeOut", "1000", 1),
    ("readTimeOut", 1500.7, 1.5),
    ("readTimeOut", 0, 0),
    ("readTimeOut", None, 0.15),
    ("connectionTimeOut", None, 0.1),
]


@pytest.mark.parametrize(("name", "value", "seconds"), TIMES)
def test_times_are_milliseconds(name: str, value: Any, seconds: float) -> None:
    request = read(**{name: value})
    assert (request.connect_s if name.startswith("connection") else request.read_s) == seconds


def test_times_are_three_seconds_when_nothing_is_said() -> None:
    assert (read().connect_s, read().read_s) == (3, 3)


def test_a_negative_time_fails_the_task() -> None:
    assert str(refusal(readTimeOut=-1)) == "java.lang.IllegalArgumentException: duration must not be negative: -1"


#   input                                                     what is told
MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"http_request": "words"}, "http_request is 'words'; expected an object with uri and method"),
    ({"http_request": [1]}, "http_request is '[1]'; expected an object with uri and method"),
    ({"uri": {"a": 1}, "method": "GET"}, "uri is '{a=1}'; expected a text"),
    ({"uri": HOST, "method": ["GET"]}, "method is '[GET]'; expected a text"),
    ({"uri": HOST, "method": "GET", "headers": ["a"]}, "headers is '[a]'; expected an object of names and values"),
    ({"uri": HOST, "method": "GET", "readTimeOut": "soon"}, "readTimeOut is 'soon'; expected a number of milliseconds"),
    ({"uri": HOST, "method": "GET", "readTimeOut": True}, "readTimeOut is 'true'; expected a number of milliseconds"),
    ({"uri": HOST, "method": "GET", "readTimeOut": [1]}, "readTimeOut is '[1]'; expected a number of milliseconds"),
]


@pytest.mark.parametrize(("task_input", "told"), MALFORMED)
def test_a_field_of_the_wrong_kind_fails_for_good(task_input: dict[str, Any], told: str) -> None:
    with pytest.raises(CallFailed) as caught:
        read_request(task_input)
    assert (str(caught.value), caught.value.is_terminal) == (told, True)


def test_null_headers_and_unknown_fields_do_no_harm() -> None:
    assert read(headers=None, vipAddress="v", appName="a", foo=1) == read()


#   from                       location                    to
LOCATIONS = [
    ("http://h.example/a/b", "c", "http://h.example:80/a/c"),
    ("http://h.example/a/b", "/c?d=e%20f#g", "http://h.example:80/c?d=e%20f"),
    ("http://h.example/a/b", "//other.example/c", "http://other.example:80/c"),
    ("http://h.example/a/b", "https://h.example", "https://h.example:443/"),
    ("http://h.example/a/b", "/a b/é", "http://h.example:80/a%20b/%C3%A9"),
    ("http://h.example/a/b", "/é".encode().decode("latin-1"), "http://h.example:80/%C3%A9"),
    ("http://h.example/a/b", "../../c", "http://h.example:80/c"),
    ("http://[::1]:8/a", "/c", "http://[::1]:8/c"),
]


@pytest.mark.parametrize(("start", "location", "end"), LOCATIONS)
def test_a_location_leads_on(start: str, location: str, end: str) -> None:
    assert follow(read_template(start), location).url == end


#   location, what is told
NOWHERE = [
    ("ftp://h.example/x", "Unroutable protocol scheme: ftp://h.example"),
    ("javascript:alert(1)", "Redirect URI does not specify a valid host name: javascript:alert(1)"),
    ("http://user:pass@h.example/", "Request URI authority contains deprecated userinfo component; use an Authorization header"),
    ("http://[::1/", "Invalid redirect URI: http://[::1/"),
    ("http://h.example:99999/", "Invalid redirect URI: http://h.example:99999/"),
]


@pytest.mark.parametrize(("location", "told"), NOWHERE)
def test_a_location_that_leads_nowhere_is_told(location: str, told: str) -> None:
    with pytest.raises(IoFailed) as caught:
        follow(read_template("http://h.example/"), location)
    assert str(caught.value) == told


#   method   status   then      with its body
REDIRECTED = [
    *[("GET", status, "GET", True) for status in (301, 302, 307, 308)],
    *[("POST", status, "GET", False) for status in (301, 302, 303)],
    *[("POST", status, "POST", True) for status in (307, 308)],
    *[(method, status, method, True) for method in ("PUT", "PATCH", "DELETE") for status in (301, 302, 307, 308)],
    *[(method, 303, "GET", False) for method in ("PUT", "PATCH", "DELETE")],
    ("HEAD", 303, "HEAD", True),
]


@pytest.mark.parametrize(("method", "status", "then", "keeps_body"), REDIRECTED)
def test_a_redirected_request(method: str, status: int, then: str, keeps_body: bool) -> None:
    request = read(method=method, body={"a": 1})
    after = request.redirected(status, follow(request.target, "/y"))
    assert (after.method, after.body) == (then, b'{"a":1}' if keeps_body else None)
    assert ("Content-Type" in after.headers) is keeps_body
    assert after.headers["Accept"] == b"application/json"


SECRETS = {"Authorization": "a", "Cookie": "b", "X-Api-Key": "c", "X-Auth-Token": "d", "Proxy-Authorization": "e", "Host": "f"}


@pytest.mark.parametrize("location", ["http://other.example/", "http://h.example:81/", "https://h.example/"])
def test_credentials_do_not_cross_to_another_origin(location: str) -> None:
    request = read(headers={**SECRETS, "X-Trace": "t"})
    after = request.redirected(302, follow(request.target, location))
    assert not set(SECRETS) & set(after.headers)
    assert after.headers["X-Trace"] == b"t"


def test_credentials_stay_within_an_origin() -> None:
    request = read(headers=SECRETS)
    assert set(SECRETS) <= set(request.redirected(302, follow(request.target, "/y")).headers)
