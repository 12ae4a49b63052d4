"""
Who we are to the server: a key and a secret traded for a token, renewed when the server says it has run out.

Source: POST /token {keyId, keySecret} -> {token}, sent as X-Authorization; a server that answers 404 there has no
authentication (Conductor OSS), and every call goes without a header from then on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from batuta.client.errors import Denied, NotFound

HEADER = "X-Authorization"
_STALE_TOKEN = frozenset({"EXPIRED_TOKEN", "INVALID_TOKEN"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key id and its secret, as the server's administrator gave them out."""

    key_id: str
    key_secret: str

    def __repr__(self) -> str:
        return f"Credentials(key_id={self.key_id!r}, key_secret=...)"


class Session:
    """
    The token in use, shared by all threads of a client; fetched at the first call and at most once for each expiry.

    *fetch* asks the server for a token. Without credentials there is never one.
    """

    def __init__(self, credentials: Credentials | None, fetch: Callable[[Credentials], str]) -> None:
        self._credentials = credentials
        self._fetch = fetch
        self._guard = threading.Lock()
        self._token: str | None = None
        self._is_anonymous = credentials is None

    def headers(self) -> dict[str, str]:
        """
        What a call must carry: the token's header, or nothing on a server without authentication.

        Raises:
            Denied: the server refused the key or its secret.
            Unavailable: the server could not be asked.
        """
        token = self._token
        if token is None and not self._is_anonymous:
            token = self._renew(instead_of=None)
        return {HEADER: token} if token else {}

    def renewed(self, sent: dict[str, str], refusal: Denied) -> bool:
        """Whether there is a token now that is worth another try, after a call with *sent* headers met *refusal*."""
        if self._is_anonymous or (refusal.code not in _STALE_TOKEN and refusal.status != 401):
            return False
        return self._renew(instead_of=sent.get(HEADER)) != sent.get(HEADER)

    def _renew(self, *, instead_of: str | None) -> str | None:
        with self._guard:
            if self._token != instead_of or self._is_anonymous or self._credentials is None:
                return self._token  # another thread was here first
            try:
                self._token = self._fetch(self._credentials)
            except NotFound:
                self._is_anonymous = True
                self._token = None
            return self._token
