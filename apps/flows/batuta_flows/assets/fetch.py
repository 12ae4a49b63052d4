"""
Fetching media from elsewhere: with a size limit, a time limit, and no way into private networks.

A name is resolved once and the connection goes to the address that was checked, at every redirect anew; so a name that answers differently the second
time gains nothing. Which addresses count as private: all that are not global (RFC 6890), also as an IPv4 address inside one of IPv6.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin, urlsplit

import urllib3

from batuta_flows.assets.store import SCHEME, Asset, AssetStore
from batuta_flows.errors import NodeFailed

TIMEOUT: Final = urllib3.Timeout(connect=10, read=60)
REDIRECTS_MAX: Final = 5
FETCH_S_MAX: Final = 900.0  # for a whole file, however slowly it drips
_CHUNK: Final = 1 << 18
_OURS: Final = re.compile(r"/assets/([0-9a-f]{64}\.[a-z0-9]{1,5})$")


class Fetcher:
    """Brings files into a store. *private*: whether addresses of private networks may be asked."""

    def __init__(self, store: AssetStore, *, private: bool = False) -> None:
        self._store, self._private = store, private

    def asset(self, value: object, *, medium: str = "") -> Asset:
        """
        The asset that a value of a flow means: an address of ours, a URL (fetched), or an object with a `url`.

        Raises:
            NodeFailed: it is none, cannot be fetched, or is not of that medium.
        """
        if isinstance(value, dict):
            value = value.get("url") or value.get("asset")
        if not isinstance(value, str) or not value:
            raise NodeFailed("bad_input", f"expected {medium or 'a file'}: a URL or an uploaded file; found {value!r}")
        kept = _OURS.search(value.partition("?")[0]) if value.startswith("http") else None
        found = self._store.find(kept[1] if kept else value) if kept or value.startswith(SCHEME) else None
        if found is None and not value.startswith("http"):
            raise NodeFailed("bad_input", f"there is no file {value!r}", fix="Upload it again, or run the node that makes it")
        asset = found or self._store.add(self._chunks(value), medium=medium)
        if medium and asset.medium != medium:
            raise NodeFailed("bad_input", f"expected a file of kind {medium}, found {asset.mime}")
        return asset

    def _chunks(self, url: str) -> Iterator[bytes]:
        for _ in range(REDIRECTS_MAX + 1):
            with self._answer(url) as answer:
                if answer.status in (301, 302, 303, 307, 308) and answer.headers.get("location"):
                    url = urljoin(url, answer.headers["location"])
                    continue
                if answer.status != 200:
                    may_retry = answer.status in (408, 429) or answer.status >= 500
                    raise NodeFailed("bad_input", f"{_shown(url)} answered {answer.status}", fix="Its address may have expired", may_retry=may_retry)
                yield from self._body(url, answer)
                return
        raise NodeFailed("bad_input", f"{_shown(url)} redirects more than {REDIRECTS_MAX} times")

    def _body(self, url: str, answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        told, most = answer.headers.get("content-length", ""), self._store.bytes_max
        if told.isdigit() and int(told) > most:
            raise NodeFailed("too_large", f"{_shown(url)} has {told} bytes, expected at most {most}")
        began = time.monotonic()
        for chunk in answer.stream(_CHUNK):
            yield chunk
            if time.monotonic() - began > FETCH_S_MAX:
                raise NodeFailed("timed_out", f"{_shown(url)} took more than {FETCH_S_MAX:g} s", may_retry=True)

    @contextlib.contextmanager
    def _answer(self, url: str) -> Iterator[urllib3.BaseHTTPResponse]:
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise NodeFailed("bad_input", "an address cannot be read; expected http:// or https:// and a host") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or "\\" in url:
            raise NodeFailed("bad_input", f"{_shown(url)} is no address of the web; expected http:// or https://")
        address = self._address(parts.hostname, port)
        pool: urllib3.HTTPConnectionPool
        if parts.scheme == "https":
            pool = urllib3.HTTPSConnectionPool(address, port, assert_hostname=parts.hostname, server_hostname=parts.hostname, timeout=TIMEOUT, retries=False)
        else:
            pool = urllib3.HTTPConnectionPool(address, port, timeout=TIMEOUT, retries=False)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            headers = {"Host": parts.netloc.rpartition("@")[2], "Accept": "*/*", "Accept-Encoding": "identity"}
            answer = pool.urlopen("GET", path, headers=headers, preload_content=False, redirect=False)
            yield answer
        except urllib3.exceptions.HTTPError as error:
            raise NodeFailed("provider_down", f"{_shown(url)} cannot be fetched: {type(error).__name__}", may_retry=True) from error
        finally:
            pool.close()

    def _address(self, host: str, port: int) -> str:
        try:
            found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            raise NodeFailed("bad_input", f"the host {host!r} is not known: {error}", may_retry=True) from None
        for text in found:
            if not self._private and not is_public(text.partition("%")[0]):
                raise NodeFailed("bad_input", f"{host} is a private address", fix="Upload the file instead, or set FLOWS_FETCH_PRIVATE=true")
        return found[0]


def is_public(text: str) -> bool:
    """Whether an address, of either kind, is one of the public network, and leads to no private one by way of a translator."""
    address = ipaddress.ip_address(text)
    inner = _inside(address) if isinstance(address, ipaddress.IPv6Address) else None
    if inner is not None and not is_public(str(inner)):
        return False
    mapped = inner if inner is not None and isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped else address
    return mapped.is_global and not mapped.is_multicast and not mapped.is_reserved


def _inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside one of IPv6: mapped, compatible, 6to4, Teredo, or translated (RFC 6052)."""
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def _shown(url: str) -> str:
    """A URL without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or '?'}{parts.path}"[:200]
