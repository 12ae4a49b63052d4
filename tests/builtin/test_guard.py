"""Which addresses the guard lets a call go to."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from batuta.builtin.guard import AddressGuard, Endpoint, Refused, forbidden_kind, system_resolver
from batuta.errors import Invalid

#   address                          what it is called; "": public
KINDS = [
    ("93.184.216.34", ""),
    ("1.1.1.1", ""),
    ("100.63.255.255", ""),
    ("100.128.0.0", ""),
    ("172.15.255.255", ""),
    ("172.32.0.0", ""),
    ("223.255.255.255", ""),
    ("127.0.0.1", "a loopback"),
    ("127.255.255.254", "a loopback"),
    ("10.0.0.1", "a private"),
    ("172.16.0.1", "a private"),
    ("172.31.255.255", "a private"),
    ("192.168.1.1", "a private"),
    ("169.254.169.254", "a link-local"),
    ("100.64.0.1", "a shared (carrier-grade NAT)"),
    ("100.100.100.200", "a shared (carrier-grade NAT)"),
    ("168.63.129.16", "a cloud provider's service"),
    ("224.0.0.251", "a multicast"),
    ("239.255.255.250", "a multicast"),
    ("0.0.0.0", "a reserved"),
    ("0.1.2.3", "a reserved"),
    ("192.0.0.192", "a reserved"),
    ("192.0.2.1", "a reserved"),
    ("192.88.99.1", "a reserved"),
    ("198.18.0.1", "a reserved"),
    ("198.51.100.1", "a reserved"),
    ("203.0.113.1", "a reserved"),
    ("240.0.0.1", "a reserved"),
    ("255.255.255.255", "a reserved"),
    ("2606:4700:4700::1111", ""),
    ("::1", "a loopback"),
    ("::", "a reserved"),
    ("fc00::1", "a private"),
    ("fd00:ec2::254", "a private"),
    ("fec0::1", "a private"),
    ("fe80::1", "a link-local"),
    ("fe80::1%eth0", "a link-local"),
    ("ff02::1", "a multicast"),
    ("2001:db8::1", "a reserved"),
    ("2001::1", "a reserved"),
    ("2001:20::1", "a reserved"),
    ("3fff::1", "a reserved"),
    ("100::1", "a reserved"),
    ("4000::1", "a reserved"),
    ("::ffff:93.184.216.34", ""),
    ("::ffff:127.0.0.1", "a loopback"),
    ("::ffff:169.254.169.254", "a link-local"),
    ("::ffff:0:127.0.0.1", "a reserved"),
    ("::127.0.0.1", "a reserved"),
    ("2002:5db8:d822::1", ""),
    ("2002:7f00:1::1", "a loopback"),
    ("2002:a9fe:a9fe::", "a link-local"),
    ("64:ff9b::5db8:d822", ""),
    ("64:ff9b::a00:1", "a private"),
    ("64:ff9b::a9fe:a9fe", "a link-local"),
    ("64:ff9b:1::a00:1", "a reserved"),
]


@pytest.mark.parametrize(("address", "kind"), KINDS)
def test_an_address_is_known_for_what_it_is(address: str, kind: str) -> None:
    assert forbidden_kind(ipaddress.ip_address(address)) == kind


def endpoints(*addresses: str) -> list[Endpoint]:
    return [Endpoint(socket.AF_INET6 if ":" in address else socket.AF_INET, (address, 80)) for address in addresses]


def guard(*allow: str, has: tuple[str, ...] = ("10.0.0.5",)) -> AddressGuard:
    return AddressGuard(allow, resolve=lambda host, port: endpoints(*has), setting="SETTING")


#   allowed                  host              port   addresses                         is let through
ALLOWED = [
    ([], "h.example", 80, ["93.184.216.34"], True),
    ([], "h.example", 80, ["10.0.0.5"], False),
    ([], "h.example", 80, ["93.184.216.34", "10.0.0.5"], False),
    ([], "h.example", 80, ["10.0.0.5", "93.184.216.34"], False),
    ([], "h.example", 80, ["93.184.216.34", "::1"], False),
    (["h.example"], "h.example", 80, ["10.0.0.5"], True),
    (["H.Example"], "h.EXAMPLE.", 80, ["10.0.0.5"], True),
    (["h.example"], "x.h.example", 80, ["10.0.0.5"], False),
    (["h.example:8080"], "h.example", 8080, ["10.0.0.5"], True),
    (["h.example:8080"], "h.example", 80, ["10.0.0.5"], False),
    (["*.example"], "h.example", 80, ["10.0.0.5"], True),
    (["*.example"], "a.b.example", 80, ["10.0.0.5"], True),
    (["*.example"], "example", 80, ["10.0.0.5"], False),
    (["*.example"], "hexample", 80, ["10.0.0.5"], False),
    (["10.0.0.5"], "h.example", 80, ["10.0.0.5"], True),
    (["10.0.0.5"], "h.example", 80, ["10.0.0.6"], False),
    (["10.0.0.0/8"], "h.example", 80, ["10.0.0.5", "10.9.9.9"], True),
    (["10.0.0.0/8"], "h.example", 80, ["10.0.0.5", "127.0.0.1"], False),
    (["10.0.0.0/8"], "h.example", 80, ["::ffff:10.0.0.5"], True),
    (["10.0.0.0/8:8080"], "h.example", 80, ["10.0.0.5"], False),
    (["10.0.0.0/8:8080"], "h.example", 8080, ["10.0.0.5"], True),
    (["127.0.0.1:11434"], "localhost", 11434, ["127.0.0.1"], True),
    (["127.0.0.1:11434"], "localhost", 8080, ["127.0.0.1"], False),
    (["::1"], "localhost", 80, ["::1"], True),
    (["[::1]:8080"], "localhost", 8080, ["::1"], True),
    (["[::1]:8080"], "localhost", 80, ["::1"], False),
    (["[fd00::/8]:443"], "h.example", 443, ["fd00::5"], True),
    (["fd00::/8"], "h.example", 443, ["fd00::5"], True),
    (["10.0.0.0/8", "*.lan"], "h.lan", 80, ["192.168.0.1"], True),
]


@pytest.mark.parametrize(("allow", "host", "port", "has", "is_let"), ALLOWED)
def test_the_operator_opens_hosts_and_networks(allow: list[str], host: str, port: int, has: list[str], is_let: bool) -> None:
    if is_let:
        assert guard(*allow, has=tuple(has)).resolve(host, port) == endpoints(*has)
    else:
        with pytest.raises(Refused):
            guard(*allow, has=tuple(has)).resolve(host, port)


#   host          address        what is told
TOLD = [
    (
        "h.example",
        "10.0.0.5",
        "host 'h.example' resolves to 10.0.0.5, a private address, which this server does not call; an operator may allow it: SETTING=h.example:80",
    ),
    ("127.0.0.1", "127.0.0.1", "host '127.0.0.1' is a loopback address, which this server does not call; an operator may allow it: SETTING=127.0.0.1:80"),
    ("::1", "::1", "host '::1' is a loopback address, which this server does not call; an operator may allow it: SETTING=[::1]:80"),
]


@pytest.mark.parametrize(("host", "address", "told"), TOLD)
def test_a_refusal_names_host_address_and_setting(host: str, address: str, told: str) -> None:
    with pytest.raises(Refused) as caught:
        guard(has=(address,)).resolve(host, 80)
    assert str(caught.value) == told


def test_what_a_refusal_advises_is_understood() -> None:
    for host, address in (("h.example", "10.0.0.5"), ("127.0.0.1", "127.0.0.1"), ("::1", "::1")):
        with pytest.raises(Refused) as caught:
            guard(has=(address,)).resolve(host, 80)
        advice = str(caught.value).rpartition("SETTING=")[2]
        assert guard(advice, has=(address,)).resolve(host, 80) == endpoints(address)


@pytest.mark.parametrize(
    "entry", ["", "*", "*.", "10.0.0.300", "10.0.0.0/99", "h.example:99999", "h.example:x", "http://h.example", "a b", "[::1", "h/8", "-h"]
)
def test_an_entry_that_is_none_is_refused_at_once(entry: str) -> None:
    with pytest.raises(Invalid) as caught:
        guard(entry)
    assert str(caught.value).startswith(f"SETTING holds {entry!r}; expected ")


# Ways to write 127.0.0.1 that the system's resolver understands: the address is judged, not the writing.
@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "localhost", "::ffff:127.0.0.1", "0.0.0.0"])
def test_no_way_to_write_loopback_gets_through(host: str) -> None:
    with pytest.raises(Refused):
        AddressGuard().resolve(host, 80)


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example"])
def test_a_name_that_cannot_be_one_is_not_known(host: str) -> None:
    with pytest.raises(socket.gaierror):
        system_resolver(host, 80)
