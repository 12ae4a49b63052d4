"""
Where a device is: its host, the port of its HTTP API and the port of its update listener.

Here: reading an address as people write it, and the aliases that point a literal address at another device. Not here: talking to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from batuta_firmware.errors import Lasting

HTTP_PORT = 80
OTA_PORT = 3232
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class DeviceAddress:
    host: str
    http_port: int = HTTP_PORT
    ota_port: int = OTA_PORT

    @property
    def key(self) -> str:
        """The device's name in records and leases: one device has one key, however its address was written."""
        return f"{self.host.lower()}:{self.http_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.http_port}"

    def __str__(self) -> str:
        return self.host if self.http_port == HTTP_PORT else f"{self.host}:{self.http_port}"


def parse(text: str, *, ota_port: int | str | None = None, aliases: Mapping[str, DeviceAddress] | None = None) -> DeviceAddress:
    """
    The address written as *text* (`host` or `host:port`); *ota_port* where the update listener has another port than 3232.

    An address that *aliases* knows is replaced whole, ports included, so that `192.168.1.104` may mean a device twin.

    Raises:
        Lasting: the text is no address, or a port is none.
    """
    text = text.strip()
    if aliases and text in aliases:
        return aliases[text]
    host, colon, port = text.partition(":")
    if not _HOST.fullmatch(host):
        raise Lasting("bad_device_address", f"device_address is {text!r}; expected a host name or IPv4 address, with :port if it is not 80")
    return DeviceAddress(host, _port(port, "device_address") if colon else HTTP_PORT, OTA_PORT if ota_port in (None, "") else _port(ota_port, "ota_port"))


def parse_aliases(text: str) -> dict[str, DeviceAddress]:
    """
    The aliases in *text*: `192.168.1.104=127.0.0.1:8081,ota=3300; …`.

    Raises:
        ValueError: an entry is not of that form.
    """
    aliases = {}
    for entry in filter(None, (part.strip() for part in text.split(";"))):
        match = re.fullmatch(r"([^=,;]+)=([^=,;]+)(?:,ota=(\d+))?", entry)
        if match is None:
            raise ValueError(f"{entry!r} is not of the form ADDRESS=HOST:PORT,ota=PORT")
        try:
            aliases[match[1].strip()] = parse(match[2], ota_port=match[3])
        except Lasting as error:
            raise ValueError(error.message) from None
    return aliases


def _port(value: int | str | None, name: str) -> int:
    try:
        port = int(str(value))
    except ValueError:
        port = 0
    if not 1 <= port <= 65_535:
        raise Lasting("bad_device_address", f"{name} has port {value!r}; expected 1 to 65535")
    return port
