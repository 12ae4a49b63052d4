"""
One HTTP exchange with the server: a call goes out, its answer comes back decoded or as an error of the family.

Here: URL, connections, time limits, authentication headers, the mapping of answers to errors. Not here: which calls there
are (calls/), threads and coroutines around them (client.py), and trying again over minutes (reports.py, poller.py).
Everything here blocks and may be used from many threads at once.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
import urllib3
from urllib3.exceptions import HTTPError

from batuta.client.auth import Credentials, Session
from batuta.client.errors import ClientError, Denied, Unavailable, error_class

T = TypeVar("T")

DEFAULT_URL = "http://localhost:8080/api"
CONNECT_TIMEOUT_S = 10.0
_CHUNK_BYTES = 65536
_EXCERPT_CHARS = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back with a 2xx status."""

    status: int
    content_type: str
    body: bytes

    def json(self) -> Any:
        """
        The decoded JSON body, or None when there is no body (204, or an empty 200).

        Raises:
            ClientError: the body is not JSON, so this is not the API of a Conductor server.
        """
        if not self.body:
            return None
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            found = _excerpt(self.body)
            advice = "does the server URL lead to the API root (…/api)?"
            raise ClientError(f"the body is not JSON ({error}): {found!r}; {advice}", status=self.status) from error

    def text(self) -> str:
        """The body as text; a server that quotes its plain-text ids as JSON strings is understood too."""
        text = self.body.decode("utf-8", "replace")
        if len(text) >= 2 and text[0] == text[-1] == '"':
            value = self.json()
            return value if isinstance(value, str) else text
        return text

    def any(self) -> Any:
        """JSON, text or None, by what the server says it is."""
        if not self.body:
            return None
        return self.json() if "json" in self.content_type else self.text()

    def nothing(self) -> None:
        """None; the body does not matter."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """
    One call of the API, ready to be sent: by a blocking client or an awaiting one.

    ``path`` is below the API root and already quoted. ``body`` is a JSON value, or text when ``is_text``. ``is_repeatable``
    says that sending it twice does no more than sending it once, so a connection that breaks is tried again at once.
    ``timeout_s`` overrides the client's. ``is_elsewhere``: ``path`` is an address that a server handed out, perhaps another one's; it gets no credentials.
    """

    method: str
    path: str
    read: Callable[[Answer], T]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    is_text: bool = False
    is_repeatable: bool = False
    timeout_s: float | None = None
    is_elsewhere: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path.partition('?')[0] if self.is_elsewhere else self.path}"  # such an address is a credential itself

    def target(self) -> str:
        """Path and query string; None values are left out, booleans are lower case, lists repeat their name."""
        pairs = [(name, value) for name, value in self.query.items() if value is not None]
        if not pairs:
            return self.path
        return self.path + "?" + urlencode([(n, _query_value(v)) for n, v in pairs], doseq=True)

    def content(self) -> tuple[bytes | None, dict[str, str]]:
        """The encoded body and its header; TypeError names what JSON cannot hold."""
        if self.is_text:
            return str(self.body).encode("utf-8", "replace"), {"Content-Type": "text/plain; charset=utf-8"}
        if self.body is None:
            return None, {}
        return msgspec.json.encode(self.body), {"Content-Type": "application/json"}


def below_root(template: str, *names: str) -> str:
    """*template* with each ``{}`` replaced by the next name, quoted so that any character may stand in it."""
    return template.format(*(quote(str(name), safe="") for name in names))


class Transport:
    """
    Connections to one server.

    *url* is the API root; without a path, ``/api`` is added. Every exchange ends within its time limit, counted over
    connecting, sending and reading to the last byte.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        credentials: Credentials | None = None,
        timeout_s: float = 30.0,
        connections: int = 16,
        ca_file: str | None = None,
        proxy_url: str | None = None,
    ) -> None:
        self.url = api_root(url or os.environ.get("CONDUCTOR_SERVER_URL") or DEFAULT_URL)
        self.timeout_s = positive("timeout_s", timeout_s)
        self.connections = connections
        self._ca_file = ca_file
        self._proxy_url = proxy_url
        self._pool = self._open_pool()
        self._session = Session(credentials or credentials_from_environment(), self._fetch_token)

    def sibling(self, connections: int) -> Transport:
        """Another set of *connections* to the same server with the same session, so that one kind of call never waits for another."""
        twin = copy.copy(self)
        twin.connections = connections
        twin._pool = twin._open_pool()
        return twin

    def close(self) -> None:
        """Idle connections are closed; those in use are closed when their call ends."""
        self._pool.clear()

    def send(self, call: Call[T]) -> T:
        """
        What the server answered to *call*, as the call reads it.

        Raises:
            ClientError: one of its kinds; Unavailable when no answer came.
        """
        if call.is_elsewhere:
            return call.read(self._exchange(call, {}))
        headers = self._session.headers()
        try:
            return call.read(self._exchange(call, headers))
        except Denied as refusal:
            if not self._session.renewed(headers, refusal):
                raise
        return call.read(self._exchange(call, self._session.headers()))

    def _open_pool(self) -> urllib3.PoolManager:
        options: dict[str, Any] = {"maxsize": self.connections, "retries": False}
        if self._ca_file:
            options["ca_certs"] = self._ca_file
        if self._proxy_url:
            return urllib3.ProxyManager(self._proxy_url, **options)
        return urllib3.PoolManager(**options)

    def _fetch_token(self, credentials: Credentials) -> str:
        body = {"keyId": credentials.key_id, "keySecret": credentials.key_secret}
        call = Call("POST", "/token", Answer.json, body=body, is_repeatable=True)
        answer = call.read(self._exchange(call, {}))
        token = answer.get("token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            found = sorted(answer) if isinstance(answer, dict) else type(answer).__name__
            raise ClientError(f"the answer holds no token; found {found!r}, expected an object with 'token'", call=str(call))
        return token

    def _exchange(self, call: Call[Any], headers: Mapping[str, str]) -> Answer:
        tries = 2 if call.is_repeatable or call.method in ("GET", "PUT", "DELETE") else 1
        while True:
            tries -= 1
            try:
                return self._exchange_once(call, headers)
            except HTTPError as error:
                # A kept connection the server has closed meanwhile breaks at once; a fresh one is worth one more try.
                if tries and isinstance(error, urllib3.exceptions.ProtocolError):
                    continue
                raise Unavailable(f"{self.url} did not answer: {_cause(error)}", call=str(call), retryable=True) from error

    def _exchange_once(self, call: Call[Any], headers: Mapping[str, str]) -> Answer:
        limit_s = call.timeout_s or self.timeout_s
        deadline = time.monotonic() + limit_s
        body, own_headers = call.content()
        response = self._pool.urlopen(
            call.method,
            call.path if call.is_elsewhere else self.url + call.target(),
            body=body,
            headers={**headers, **own_headers},
            redirect=False,
            retries=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT_S, limit_s), read=limit_s),
        )
        content = _read_all(response, deadline, call)
        content_type = response.headers.get("Content-Type", "")
        if 200 <= response.status < 300:
            return Answer(response.status, content_type, content)
        if 300 <= response.status < 400:
            advice = f"{self.url} redirects to {response.headers.get('Location')!r}; give that place's API root as the server URL"
            raise ClientError(advice, status=response.status, call=str(call))
        raise _error(call, response.status, content)


def api_root(url: str) -> str:
    """
    *url* without a trailing slash, and with ``/api`` when it names only a host.

    Raises:
        ValueError: it is not an http or https URL.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"server URL {url!r} is not an http(s) URL; expected one like {DEFAULT_URL!r}")
    if parts.query or parts.fragment:
        raise ValueError(f"server URL {url!r} has a query or a fragment; expected one like {DEFAULT_URL!r}")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or '/api'}"


def credentials_from_environment() -> Credentials | None:
    """CONDUCTOR_AUTH_KEY and CONDUCTOR_AUTH_SECRET, when both are set."""
    key_id, key_secret = os.environ.get("CONDUCTOR_AUTH_KEY"), os.environ.get("CONDUCTOR_AUTH_SECRET")
    return Credentials(key_id, key_secret) if key_id and key_secret else None


def positive(name: str, value: float) -> float:
    """*value*, if it is more than zero; ValueError names it otherwise."""
    if not value > 0:
        raise ValueError(f"{name} is {value!r}; it must be more than 0")
    return value


def _read_all(response: urllib3.BaseHTTPResponse, deadline: float, call: Call[Any]) -> bytes:
    """The whole body, unless its deadline passes: a read limit alone would let a server send one byte a second for ever."""
    chunks: list[bytes] = []
    try:
        while chunk := response.read1(_CHUNK_BYTES):
            chunks.append(chunk)
            if time.monotonic() > deadline:
                found = sum(map(len, chunks))
                raise Unavailable(f"the answer was not complete in time; {found} bytes had come", call=str(call), retryable=True)
    except BaseException:
        response.close()
        raise
    response.release_conn()
    return b"".join(chunks)


def _error(call: Call[Any], status: int, content: bytes) -> ClientError:
    """The error that stands for this answer; text and HTML bodies (gateways) are quoted shortened."""
    try:
        body = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        body = {"message": _excerpt(content) or "no message"}
    kind = error_class(status)
    problems = [f"{p.get('path')}: {p.get('message')}" for p in body.get("validationErrors") or () if isinstance(p, dict)]
    return kind(
        str(body.get("message") or body.get("error") or "no message"),
        status=status,
        call=str(call),
        retryable=bool(body.get("retryable")) or issubclass(kind, Unavailable),
        code=str(body.get("error") or ""),
        problems=problems,
    )


def _excerpt(content: bytes) -> str:
    text = " ".join(content[: 4 * _EXCERPT_CHARS].decode("utf-8", "replace").split())
    return text if len(text) <= _EXCERPT_CHARS else text[: _EXCERPT_CHARS - 1] + "…"


def _cause(error: BaseException) -> str:
    """The error's text without the object addresses urllib3 puts before it."""
    text = str(error)
    return text.split(">: ", 1)[-1] if ">: " in text else (text or type(error).__name__)


def _query_value(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else value
