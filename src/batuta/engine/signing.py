"""
Signed addresses: one operation on one path of this server, for a while, for whoever holds the address.

An address says what it is for (`op`), until when (`exp`, epoch seconds), by which key (`kid`), and proves it (`sig`, HMAC-SHA256). The host is left out,
so that a proxy may rewrite it. Keys are in a file of the data directory, made at first need: the first one signs, all of them verify, so a new key is put
in front of the old one, and the old one goes when no address of it is good any more.
Source: conductor-rest-api.md §1.10; the parameters are Conductor's, what is signed is ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlencode

import msgspec

from batuta.engine import disk
from batuta.errors import Forbidden, Unavailable

Operation = Literal["upload", "download"]
METHODS: Final = {"upload": ("PUT",), "download": ("GET", "HEAD")}
SECRET_BYTES: Final = 32


class Key(msgspec.Struct, frozen=True):
    """`id` is shown in addresses, `secret` nowhere."""

    id: str
    secret: str


class Signer:
    """Makes addresses and tells whether one is good."""

    def __init__(self, key_file: Path) -> None:
        self._file = key_file
        self._keys: list[Key] = []

    def query(self, operation: Operation, path: str, expires_s: int, **also: str) -> str:
        """The query of an address for the path, good until then; *also*: further parameters, which are signed too."""
        key = self._loaded()[0]
        signature = _signature(key, operation, path, expires_s, also)
        return urlencode({**also, "op": operation, "exp": expires_s, "kid": key.id, "sig": signature})

    def verify(self, path: str, given: dict[str, str], now_s: float) -> str:
        """
        The operation that the parameters are good for.

        Raises:
            Forbidden: they are incomplete, forged, of an unknown key, or their time is over.
        """
        also = dict(given)
        operation, expires, key_id, signature = (also.pop(name, "") for name in ("op", "exp", "kid", "sig"))
        key = next((key for key in self._loaded() if key.id == key_id), None)
        if key is None or operation not in METHODS or not expires.isdecimal() or len(expires) > 15:
            raise Forbidden("the address is not signed by this server; ask for a new one")
        expected = _signature(key, operation, path, int(expires), also)
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            raise Forbidden("the address is not signed by this server; ask for a new one")
        if int(expires) <= now_s:
            raise Forbidden("the address is no longer good; ask for a new one")
        return operation

    def _loaded(self) -> list[Key]:
        if not self._keys:
            try:
                if not self._file.exists():
                    made = [Key(secrets.token_hex(4), secrets.token_urlsafe(SECRET_BYTES))]
                    disk.write(self._file, msgspec.json.encode(made))  # readable by its owner alone, as temporary files are
                self._keys = msgspec.json.decode(self._file.read_bytes(), type=list[Key])
            except (OSError, msgspec.MsgspecError) as error:
                raise Unavailable(f"the keys of signed addresses in {self._file} cannot be read: {error}") from None
            if not self._keys or any(not key.id or not key.secret for key in self._keys):
                self._keys = []
                raise Unavailable(f"{self._file} has no keys for signed addresses; expected a list of objects with id and secret")
        return self._keys


def _signature(key: Key, operation: str, path: str, expires_s: int, also: dict[str, str]) -> str:
    said = "\n".join(["v1", operation, path, str(expires_s), *(f"{name}={value}" for name, value in sorted(also.items()))])
    digest = hmac.new(key.secret.encode(), said.encode("utf-8", "replace"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
