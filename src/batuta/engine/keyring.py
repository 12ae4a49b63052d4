"""
Keyring: the keys that secrets are sealed with, and sealing.

A ring is one or more keys of 32 bytes. The first seals; all unseal, so that a key can be replaced while what it sealed is still there. It comes
from a setting, or from a file beside the store that is made, readable by this user alone, when the first secret is stored. A store in memory has
a ring in memory. The file, not the store, is what makes a stolen copy of the store worthless: keep them apart in backups.

AES-256-GCM with a fresh nonce of 96 bits, the secret's name bound to it: a sealed value that is moved to another name does not open. The library
(`cryptography`) is loaded when something is sealed or unsealed, not before.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from batuta.errors import Conflict, Invalid

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_BOUND: Final = b"batuta secret 1\0"
_HEX: Final = re.compile(r"[0-9a-fA-F]{64}")


class Sealed(msgspec.Struct, frozen=True):
    """A sealed value: which key opens it, the nonce, the sealed bytes."""

    key: str
    nonce: bytes
    body: bytes


class CannotOpen(Exception):
    """A sealed value that this ring does not open; the text says why and what would."""


def fingerprint(key: bytes) -> str:
    """What names a key in messages and beside what it sealed. Nothing of the key follows from it."""
    return hashlib.sha256(b"batuta key\0" + key).hexdigest()[:12]


def read_keys(text: str, where: str) -> list[bytes]:
    """
    The keys in a text: hex or base64 of 32 bytes each, separated by commas, spaces or lines; lines that begin with # are remarks.

    Raises:
        Invalid: one is none; says where and how long it is, not what it is.
    """
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [_key(word, f"{where}, key {n}") for n, word in enumerate(re.split(r"[\s,]+", " ".join(lines).strip()), 1) if word]


def _key(word: str, where: str) -> bytes:
    if _HEX.fullmatch(word):
        return bytes.fromhex(word)
    try:
        key = base64.b64decode(word.replace("-", "+").replace("_", "/") + "=" * (-len(word) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid(f"{where}: found {len(word)} characters that are neither hex nor base64; expected a key of {KEY_BYTES} bytes") from None
    if len(key) != KEY_BYTES:
        raise Invalid(f"{where}: found {len(key)} bytes; expected {KEY_BYTES}, as `openssl rand -base64 32` makes them")
    return key


class Keyring:
    """The keys of one server."""

    def __init__(self, keys: Sequence[bytes] = (), *, path: Path | None = None) -> None:
        """*keys* are given and stay; else those of the file at *path*, which need not be there yet; with neither, a key in memory when one is needed."""
        self.path = None if keys else path
        self.is_given = bool(keys)
        self._keys = list(keys)
        self._problem = ""
        if self.path is not None:
            self._read(self.path)

    def _read(self, path: Path) -> None:
        try:
            self._keys = read_keys(path.read_text(), f"key file {path}")
            if not self._keys:
                self._problem = f"key file {path} is empty"
        except FileNotFoundError:
            pass
        except OSError as error:
            self._problem = f"key file {path} cannot be read ({error.strerror})"
        except UnicodeDecodeError:
            self._problem = f"key file {path} is no text"
        except Invalid as error:
            self._problem = str(error)

    @property
    def current(self) -> str | None:
        """The fingerprint of the key that seals; None when there is none yet."""
        return fingerprint(self._keys[0]) if self._keys else None

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def place(self) -> str:
        """Where the keys come from, for messages."""
        return "the setting BATUTA_SECRETS_KEY" if self.is_given else f"the key file {self.path}" if self.path is not None else "memory"

    def why_closed(self, key: str) -> str:
        """Why what *key* sealed cannot be opened; empty when it can."""
        if any(fingerprint(mine) == key for mine in self._keys):
            return ""
        if self._problem:
            return self._problem
        found = ", ".join(map(fingerprint, self._keys))
        return f"it was sealed with key {key}; {self.place} {f'has {found}' if found else 'is not there'}"

    def make(self) -> None:
        """
        Have a key to seal with; on disk when this returns, before anything is sealed with it.

        Raises:
            Conflict: the file cannot be read or made.
        """
        if self._problem:
            raise Conflict(f"no secret can be stored: {self._problem}")
        if not self._keys:
            self._keep([secrets.token_bytes(KEY_BYTES)], is_new=True)

    def begin_rotation(self) -> None:
        """
        A new key seals from now on; the old ones still open.

        Raises:
            Conflict: the keys are not ours to change.
        """
        if self.is_given:
            raise Conflict("the key is given by BATUTA_SECRETS_KEY: set it to NEW,OLD and start the server, which then uses NEW; take OLD away after that")
        if self._problem:
            raise Conflict(self._problem)
        self._keep([secrets.token_bytes(KEY_BYTES), *self._keys])

    def end_rotation(self) -> None:
        """The old keys are forgotten: nothing is sealed with them any more. Keys that were given stay."""
        if not self.is_given and len(self._keys) > 1:
            self._keep(self._keys[:1])

    def _keep(self, keys: list[bytes], *, is_new: bool = False) -> None:
        if self.path is not None:
            try:
                _write(self.path, keys, is_new=is_new)
            except FileExistsError:
                self._read(self.path)  # another process was quicker
                return
            except OSError as error:
                raise Conflict(f"the key file {self.path} cannot be written ({error.strerror}); nothing was changed") from None
        self._keys = keys

    def seal(self, name: str, value: str) -> Sealed:
        """The value, sealed with the current key under this name. `make` comes first."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE_BYTES)
        return Sealed(fingerprint(self._keys[0]), nonce, AESGCM(self._keys[0]).encrypt(nonce, value.encode(), _BOUND + name.encode()))

    def open(self, name: str, sealed: Sealed) -> str:
        """
        The value that was sealed under this name.

        Raises:
            CannotOpen: its key is not in the ring, or it was changed or moved since.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if why := self.why_closed(sealed.key):
            raise CannotOpen(why)
        key = next(mine for mine in self._keys if fingerprint(mine) == sealed.key)
        try:
            return AESGCM(key).decrypt(sealed.nonce, sealed.body, _BOUND + name.encode()).decode()
        except (InvalidTag, ValueError):
            raise CannotOpen("what is stored was changed, or belongs to another name; set the secret again") from None


def _write(path: Path, keys: Sequence[bytes], *, is_new: bool) -> None:
    """All keys or none, on disk when this returns. Raises FileExistsError when the file shall be new and is not."""
    remark = "# Opens the secrets in the store beside it. Not part of a backup of the store: keep a copy of this file elsewhere."
    text = "\n".join([remark, *(base64.b64encode(key).decode() for key in keys), ""])
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            os.link(beside, path)
        else:
            os.replace(beside, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
