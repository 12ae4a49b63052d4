"""Keys: read, made, kept from others, replaced; and what is sealed opens only where it belongs."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from batuta.engine import keyring
from batuta.engine.keyring import CannotOpen, Keyring, Sealed, fingerprint, read_keys
from batuta.errors import Conflict, Invalid

A, B = bytes(range(32)), bytes(32)
B64 = base64.b64encode(A).decode()

#    text                                          keys
TEXTS = [
    ("",                                           []),
    (A.hex(),                                      [A]),
    (A.hex().upper(),                              [A]),
    (B64,                                          [A]),
    (B64.rstrip("="),                              [A]),
    (base64.urlsafe_b64encode(A).decode(),         [A]),
    (f"{B64},{B.hex()}",                           [A, B]),
    (f"# a remark\n{B64}\n\n  {B.hex()} \n",       [A, B]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "keys"), TEXTS)
def test_keys_are_read(text: str, keys: list[bytes]) -> None:
    assert read_keys(text, "here") == keys


#    text                 says
UNREADABLE = [
    ("hunter2hunter2!",   "here, key 1: found 15 characters that are neither hex nor base64; expected a key of 32 bytes"),
    (B64[:-8],            "here, key 1: found 27 bytes; expected 32, as `openssl rand -base64 32` makes them"),
    (f"{B64},{'ab' * 8}", "here, key 2: found 12 bytes; expected 32, as `openssl rand -base64 32` makes them"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), UNREADABLE)
def test_what_is_no_key_is_refused_and_not_repeated(text: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_keys(text, "here")
    assert str(refused.value) == says


def test_what_is_sealed_opens_under_its_name_alone() -> None:
    ring = Keyring([A])
    sealed = ring.seal("TOKEN", "välue")
    assert ring.open("TOKEN", sealed) == "välue" and b"lue" not in sealed.body
    assert sealed.key == fingerprint(A) and sealed.nonce != ring.seal("TOKEN", "välue").nonce
    damaged = Sealed(sealed.key, sealed.nonce, bytes([sealed.body[0] ^ 1]) + sealed.body[1:])
    for name, what in (("OTHER", sealed), ("TOKEN", damaged)):
        with pytest.raises(CannotOpen, match="was changed, or belongs to another name"):
            ring.open(name, what)
    with pytest.raises(CannotOpen, match=f"sealed with key {fingerprint(A)}; the setting BATUTA_SECRETS_KEY has {fingerprint(B)}"):
        Keyring([B]).open("TOKEN", sealed)
    assert Keyring([B, A]).open("TOKEN", sealed) == "välue"


def test_the_key_file_is_made_when_it_is_needed_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secrets.key"
    ring = Keyring(path=path)
    assert ring.current is None and not path.exists()
    ring.make()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and [entry.name for entry in path.parent.iterdir()] == ["secrets.key"]
    assert Keyring(path=path).current == ring.current is not None
    quicker = Keyring(path=tmp_path / "data" / "other.key")
    path.rename(tmp_path / "data" / "other.key")
    quicker.make()
    assert quicker.current == ring.current  # made by another process meanwhile


def test_a_key_file_that_cannot_be_used_says_why_and_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    for content, why in ((b"", "is empty"), (b"hunter2", "key 1: found 5 bytes"), (b"\xff\xfe", "is no text")):
        path.write_bytes(content)
        ring = Keyring(path=path)
        with pytest.raises(Conflict, match=why):
            ring.make()
        with pytest.raises(Conflict, match=why):
            ring.begin_rotation()
        assert why in ring.why_closed("abc") and path.read_bytes() == content
    directory = Keyring(path=tmp_path)
    assert "cannot be read" in directory.why_closed("abc")
    (tmp_path / "file").write_text("")
    with pytest.raises(Conflict, match="cannot be"):
        Keyring(path=tmp_path / "file" / "secrets.key").make()


def test_a_rotation_keeps_the_old_key_until_it_is_over(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    ring = Keyring(path=path)
    ring.make()
    old = ring.current
    ring.begin_rotation()
    assert len(Keyring(path=path)) == 2 and ring.current != old and ring.why_closed(old or "") == ""
    ring.end_rotation()
    assert Keyring(path=path).current == ring.current and len(Keyring(path=path)) == 1
    assert ring.why_closed(old or "") == f"it was sealed with key {old}; the key file {path} has {ring.current}"


def test_a_key_that_was_given_is_not_ours_to_change() -> None:
    ring = Keyring([A, B])
    with pytest.raises(Conflict, match="set it to NEW,OLD"):
        ring.begin_rotation()
    ring.end_rotation()
    assert len(ring) == 2


def test_a_file_that_cannot_be_written_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    ring = Keyring(path=tmp_path / "secrets.key")
    ring.make()
    before = ring.current
    monkeypatch.setattr(keyring, "_write", full)
    with pytest.raises(Conflict, match="No space left on device"):
        ring.begin_rotation()
    assert ring.current == before == Keyring(path=tmp_path / "secrets.key").current
