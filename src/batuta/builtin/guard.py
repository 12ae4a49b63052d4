"""
Where an outgoing call may go: every name is resolved once, every address it has is judged, and the caller connects to those addresses and no other.

Here: resolving, the ranges nobody outside may be let into, the operator's exceptions. Not here: sockets (http_pool.py), and the decision
whether a guard is on at all (the composition root: on when the server listens beyond loopback).
Source: the IANA special-purpose address registries for IPv4 and IPv6.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from batuta.errors import Forbidden, Invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Endpoint(NamedTuple):
    """One address of a name, as a socket wants it. `sockaddr` holds a literal address: connecting to it asks no resolver again."""

    family: int
    sockaddr: tuple[Any, ...]

    @property
    def address(self) -> str:
        return str(self.sockaddr[0])


Resolver = Callable[[str, int], list[Endpoint]]


class Refused(Forbidden):
    """The guard forbids this address; `str(error)` names the host, the address and the setting that would allow it."""


def system_resolver(host: str, port: int) -> list[Endpoint]:
    """
    The addresses the system has for *host*, in the order to try them.

    Raises:
        socket.gaierror: the name is not known, or cannot be one.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # A label that is empty or longer than 63 characters.
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
    return list(dict.fromkeys(Endpoint(int(family), sockaddr) for family, _, _, _, sockaddr in found))


class AddressGuard:
    """
    Lets a call go to public addresses, and to those the operator allows.

    An entry of *allow* is a host name (`build.lan`), a domain with all below it (`*.lan`), an address or a network (`10.1.0.0/16`), each with or
    without a port (`127.0.0.1:11434`, `[fd00::5]:443`; a network with a port is `10.1.0.0/16:8080`). An allowed name may have any address; an
    allowed network is open under any name. *setting* is what the operator knows the list as.

    Raises:
        Invalid: an entry is none of these.
    """

    def __init__(self, allow: Iterable[str] = (), *, resolve: Resolver = system_resolver, setting: str = "BATUTA_HTTP_PRIVATE_ALLOW") -> None:
        self._allowed = [_entry(text, setting) for text in allow]
        self._resolve = resolve
        self._setting = setting

    def resolve(self, host: str, port: int) -> list[Endpoint]:
        """
        The addresses of *host*, all of them judged; connect to exactly these.

        One forbidden address refuses the whole name: a name that mixes public and private addresses is how a guard is walked around.

        Raises:
            Refused: an address is private, local or reserved, and not allowed.
            socket.gaierror: the name is not known.
        """
        endpoints = self._resolve(host, port)
        if any(entry.lets_host(host, port) for entry in self._allowed):
            return endpoints
        for endpoint in endpoints:
            address = ipaddress.ip_address(endpoint.address)
            kind = forbidden_kind(address)
            if kind and not any(entry.lets_address(address, port) for entry in self._allowed):
                is_that = "is" if host == endpoint.address else f"resolves to {endpoint.address},"
                way_out = f"{self._setting}={f'[{host}]' if ':' in host else host}:{port}"
                raise Refused(f"host {host!r} {is_that} {kind} address, which this server does not call; an operator may allow it: {way_out}")
        return endpoints


class _Entry(NamedTuple):
    """One exception: a name (lower case; leading `.`: the domain and all below) or a network, at one port or at all (None)."""

    name: str
    network: Network | None
    port: int | None

    def lets_host(self, host: str, port: int) -> bool:
        if not self.name or self.port not in (None, port):
            return False
        host = host.lower().rstrip(".")
        return host.endswith(self.name) if self.name.startswith(".") else host == self.name

    def lets_address(self, address: Address, port: int) -> bool:
        return self.network is not None and self.port in (None, port) and _plain(address) in self.network


_ENTRY: Final = re.compile(r"(\[[^\]]+\]|[^:\[\]]+)(?::(\d{1,5}))?")
_NAME: Final = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")


def _entry(text: str, setting: str) -> _Entry:
    text = text.strip()
    whole = _network(text)  # First of all, since an IPv6 address may end in what looks like a port.
    if whole is not None:
        return _Entry("", whole, None)
    match = _ENTRY.fullmatch(text)
    if match is None or int(match[2] or 0) > 65535:
        raise _unreadable(text, setting)
    word, port = match[1], int(match[2]) if match[2] else None
    network = _network(word.strip("[]"))
    if network is not None:
        return _Entry("", network, port)
    name = word.lower().rstrip(".")
    # A last label of digits alone is an address gone wrong (10.1.0.300), never a name.
    if not _NAME.fullmatch(name) or name.rpartition(".")[2].isdigit():
        raise _unreadable(text, setting)
    return _Entry(name.removeprefix("*"), None, port)


def _unreadable(text: str, setting: str) -> Invalid:
    return Invalid(f"{setting} holds {text!r}; expected a host name, *.domain, address or network, each with or without :port")


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _nets(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# First match wins. What an address is called stands in the reason a caller reads.
_FORBIDDEN_V4: Final[tuple[tuple[str, tuple[Network, ...]], ...]] = (
    ("a loopback", _nets("127.0.0.0/8")),
    ("a private", _nets("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),
    ("a link-local", _nets("169.254.0.0/16")),  # 169.254.169.254 tells a cloud machine its credentials.
    ("a shared (carrier-grade NAT)", _nets("100.64.0.0/10")),
    ("a cloud provider's service", _nets("168.63.129.16/32")),  # Azure's, in a public range.
    ("a multicast", _nets("224.0.0.0/4")),
    (
        "a reserved",
        _nets(
            *("0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15"),
            *("198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
        ),
    ),
)
_FORBIDDEN_V6: Final[tuple[tuple[str, tuple[Network, ...]], ...]] = (
    ("a loopback", _nets("::1/128")),
    ("a private", _nets("fc00::/7", "fec0::/10")),
    ("a link-local", _nets("fe80::/10")),
    ("a multicast", _nets("ff00::/8")),
    ("a reserved", _nets("2001::/23", "2001:db8::/32", "3fff::/20")),  # 2001::/23 holds Teredo and ORCHID.
)
_GLOBAL_V6: Final = ipaddress.IPv6Network("2000::/3")  # All else is unassigned or special.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def forbidden_kind(address: Address) -> str:
    """What makes *address* forbidden, with its article ("a private"), or "" for a public one. An embedded IPv4 address is judged as itself."""
    address = _plain(address)
    for kind, networks in _FORBIDDEN_V4 if address.version == 4 else _FORBIDDEN_V6:
        if any(address in network for network in networks):
            return kind
    return "" if address.version == 4 or address in _GLOBAL_V6 else "a reserved"


def _plain(address: Address) -> Address:
    """*address* without its scope, or the IPv4 address it leads to: v4-mapped, 6to4 and NAT64 (whose other form, 64:ff9b:1::/48, is reserved)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    embedded = address.ipv4_mapped or address.sixtofour
    if embedded is not None:
        return embedded
    plain = ipaddress.IPv6Address(int(address))
    return ipaddress.IPv4Address(int(plain) & 0xFFFFFFFF) if plain in _NAT64 else plain
