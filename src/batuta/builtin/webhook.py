"""
The webhook's receiver: one POST for one message, signed as Standard Webhooks says.

`webhook-id` stays the same however often a message is posted, `webhook-timestamp` is when it was posted in seconds since 1970, `webhook-signature` is, for each
secret, `v1,` and the Base64 of the HMAC-SHA256 of `id.timestamp.body`; several secrets let a receiver change over from one to the next.

The address is the operator's, as every setting is: the address guard, which keeps workflows from calling private hosts, has no say here.
Not here: what is posted and when again (engine/webhooks.py). Source: https://www.standardwebhooks.com, conductor.status-notifier.notification.*.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote, urlsplit

from batuta.builtin.http import HttpWorker
from batuta.builtin.http_request import HttpRequest
from batuta.builtin.http_uri import Origin, Target
from batuta.errors import BatutaError, Invalid

SECRET_PREFIX: Final = "whsec_"
SECRET_BYTES: Final = range(16, 129)
_PORTS: Final = {"http": 80, "https": 443}
_HOW: Final = f"{SECRET_PREFIX} and the Base64 of 24 to 64 random bytes, as from: echo {SECRET_PREFIX}$(openssl rand -base64 32)"


class NotTaken(BatutaError):
    """The receiver answered, but not with 2xx."""


class Receiver:
    """
    Posts to *url*, or below it: *paths* of `workflow` and `task`. Blocking and thread-safe; at most *concurrency* posts are under way.

    Raises:
        Invalid: the address or a secret is none.
    """

    def __init__(
        self, url: str, *, paths: dict[str, str], secrets: Sequence[bytes], timeout_s: float, concurrency: int, agent: str,
        wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._targets = {kind: _target(f"{url.rstrip('/')}/{path.lstrip('/')}" if path else url) for kind, path in paths.items()}
        self._secrets, self._timeout_s, self._agent, self._wall = tuple(secrets), timeout_s, agent.encode(), wall
        # One place more than there are senders: an operator's redelivery does not wait for a receiver that is slow.
        self._http = HttpWorker(guard=None, per_host_max=concurrency + 1, connections_max=concurrency + 1, call_s_max=timeout_s, wait_s=timeout_s)

    def post(self, id: str, kind: str, body: bytes) -> None:
        """
        The receiver has the message when this returns.

        Raises:
            BatutaError: it has not, or nobody knows; the text says why.
        """
        at = str(int(self._wall()))
        headers = {"content-type": b"application/json", "user-agent": self._agent, "webhook-id": id.encode(), "webhook-timestamp": at.encode()}
        if self._secrets:
            headers["webhook-signature"] = signatures(self._secrets, id, at, body).encode()
        answer = self._http.exchange(HttpRequest("POST", self._targets[kind], headers, body, self._timeout_s, self._timeout_s))
        if not 200 <= answer.status < 300:
            raise NotTaken(f"{self._targets[kind].shown} answered {answer.status} {answer.phrase}".rstrip())

    def close(self) -> None:
        """What is under way is broken off."""
        self._http.close()


def signatures(secrets: Sequence[bytes], id: str, at: str, body: bytes) -> str:
    """The `webhook-signature` header: one signature for each secret, separated by spaces."""
    signed = b".".join((id.encode(), at.encode(), body))
    return " ".join(f"v1,{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}" for secret in secrets)


def read_secrets(text: str) -> list[bytes]:
    """The secrets of the setting, separated by spaces or commas. Raises Invalid; what was found is not told, for it may be most of a secret."""
    secrets = []
    for n, word in enumerate(text.replace(",", " ").split(), 1):
        try:
            secret = base64.b64decode(word.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error:
            secret = b""
        if not word.startswith(SECRET_PREFIX) or len(secret) not in SECRET_BYTES:
            raise Invalid(f"setting webhook_secret: secret {n} is none; expected {_HOW}")
        secrets.append(secret)
    return secrets


def _target(url: str) -> Target:
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError as error:
        raise Invalid(f"setting webhook_url: {error}; expected http://host or https://host, with a port and a path as you like") from None
    if scheme not in _PORTS or not host or parts.username is not None or parts.fragment:
        wrong = "credentials in it" if parts.username is not None else repr(url)
        raise Invalid(f"setting webhook_url: found {wrong}, expected http://host or https://host, with a port and a path as you like; no credentials")
    origin = Origin(scheme, host.encode("idna").decode() if not host.isascii() else host, port or _PORTS[scheme])
    path = quote(parts.path or "/", safe="/%!$&'()*+,;=:@~")
    query = "?" + quote(parts.query, safe="%!$&'()*+,;=:@/?~") if parts.query else ""
    return Target(origin, path + query, f"{scheme}://{origin}{path}")
