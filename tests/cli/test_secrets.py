"""`batuta secrets`: a value goes in by standard input or a prompt, and never comes out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from clistage import Batuta

from batuta.cli import secrets
from batuta.core.expr.masks import LENGTH_MIN
from batuta.testing import EmbeddedServer

VALUE = "0123456789-abcdefghijklmnop-0123456789"


def kept(server: EmbeddedServer) -> Callable[[str], str | None]:
    """What the server keeps, which no answer of it tells."""
    return server._server.secrets.get


def test_a_secret_is_set_listed_and_deleted(server: EmbeddedServer, batuta: Batuta) -> None:
    assert "There are no secrets" in batuta("secrets", "list").err
    ran = batuta("secrets", "set", "TOKEN", stdin=f"{VALUE}\n")
    assert ran.code == 0 and "${workflow.secrets.TOKEN}" in ran.out and VALUE not in ran.out + ran.err and not ran.err
    assert kept(server)("TOKEN") == VALUE
    _, row = batuta("secrets", "list").lines
    assert row.split()[0] == "TOKEN" and "0123...6789" in row
    assert [one["name"] for one in batuta("secrets", "list", "--json").json] == ["TOKEN"]
    assert batuta("secrets", "delete", "TOKEN").code == 0
    assert batuta("secrets", "delete", "TOKEN").code == 4


def test_a_prompt_asks_twice_and_shows_nothing(server: EmbeddedServer, batuta: Batuta, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_types", lambda: True)
    ran = batuta("secrets", "set", "TOKEN", stdin=f"{VALUE}\nother\n{VALUE}\n{VALUE}\n")
    assert ran.code == 0 and "do not match" in ran.err and ran.err.count("Value of TOKEN") == 2
    assert kept(server)("TOKEN") == VALUE and VALUE not in ran.out + ran.err


#    standard input    exit  says
VALUES = [
    ("",               2,    "there is no value"),
    ("\n",             2,    "there is no value"),
    ("short\n",        0,    "fewer than 8 characters"),
    ("two\nlines\n",   0,    ""),
]  # fmt: skip


@pytest.mark.parametrize(("stdin", "code", "says"), VALUES)
def test_what_cannot_be_stored_or_masked_is_said(server: EmbeddedServer, batuta: Batuta, stdin: str, code: int, says: str) -> None:
    ran = batuta("secrets", "set", "KEY", stdin=stdin)
    assert ran.code == code and says in ran.err
    assert kept(server)("KEY") == (stdin.removesuffix("\n") or None)


def test_the_length_below_which_nothing_is_masked_is_the_servers() -> None:
    assert secrets.MASKED_FROM == LENGTH_MIN


def test_the_key_is_replaced(server: EmbeddedServer, batuta: Batuta) -> None:
    batuta("secrets", "set", "TOKEN", stdin=VALUE)
    ran = batuta("secrets", "rotate-key")
    assert "1 secret sealed with key" in ran.out and "not in backups" in ran.err
    assert batuta("secrets", "rotate-key", "--json").json["secrets"] == 1
    assert kept(server)("TOKEN") == VALUE


def test_a_name_that_cannot_be_is_refused(batuta: Batuta, server: EmbeddedServer) -> None:
    ran = batuta("secrets", "set", "a.b", stdin=VALUE)
    assert ran.code == 1 and "key must match pattern" in ran.err
