"""
Addresses on this server that are handed out: where a payload or a file's content is put or got, signed, and good for a while.

Conductor's clients send no credentials to such an address, so it must prove itself; one without a signature is taken too, unless the operator wants signed ones
only. Not here: what is signed and how (engine/signing.py). Source: conductor-rest-api.md §1.10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from batuta.api.http import Request
from batuta.api.router import WrongMethod
from batuta.engine.signing import METHODS, Operation, Signer
from batuta.errors import Forbidden

_SIGNED_BY: Final = ("op", "exp", "kid", "sig")


@dataclass(frozen=True, slots=True)
class Addresses:
    """How this server's addresses are made and checked. `public_url`: where clients find it, if that is not where they asked."""

    signer: Signer
    lifetime_s: float = 60.0
    only_signed: bool = False
    public_url: str = ""

    def made(self, request: Request, operation: Operation, path: str, now: int, **also: str) -> tuple[str, int]:
        """An address for the path (percent-encoded), and the instant (epoch milliseconds) until which it is good. *also*: further parameters."""
        expires_s = now // 1000 + max(1, round(self.lifetime_s))
        return f"{self.public_url or _root(request)}{path}?{self.signer.query(operation, path, expires_s, **also)}", expires_s * 1000

    def require_good(self, request: Request, now: int) -> None:
        """
        The request may use the address that it came to.

        Raises:
            Forbidden: the signature is forged or its time is over; or there is none, and there must be.
            WrongMethod: the address is for another operation.
        """
        given = {name: values[0] for name, values in request.query().items()}
        if not any(name in given for name in _SIGNED_BY):
            if self.only_signed:
                raise Forbidden("this server takes signed addresses only; ask for one")
            return
        operation = self.signer.verify(request.path, given, now / 1000)
        if request.method not in METHODS[operation]:
            raise WrongMethod(request.method, METHODS[operation])


def _root(request: Request) -> str:
    """This server as the client knows it: the host it asked, and the scheme that a proxy in front says."""
    said = request.header(b"x-forwarded-proto").decode("latin-1").partition(",")[0].strip().lower()
    return f"{said if said in ('http', 'https') else 'http'}://{request.header(b'host').decode('latin-1')}"
