"""
Asking a device: its HTTP API, read by a client that knows both shapes of it and respects its rate limits.

Here: one question, one answer. Not here: what the answers mean for a deployment (health.py), sending firmware (espota.py).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import urllib3

from batuta_firmware.address import DeviceAddress
from batuta_firmware.errors import Lasting, Passing

ANSWER_BYTES_MAX = 1 << 20
RATE_LIMIT_WAITS_MAX = 8
RATE_LIMIT_WAIT_S_MAX = 5.0
IDENTITY_DIGITS_MIN = 7


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What a device says of itself; None where it does not say."""

    uptime_s: float
    identity: str | None
    elf_sha256: str | None
    free_heap: int | None


class Offline(Passing):
    """The device did not answer; being asked too often is not that."""

    def __init__(self, address: DeviceAddress, why: str) -> None:
        super().__init__("device_offline", f"device {address} does not answer: {why}", fix="Check its power and its network")


class DeviceApi:
    """The HTTP API of the device at *address*."""

    def __init__(self, address: DeviceAddress, *, timeout_s: float = 3.0, sleep: Callable[[float], None] = time.sleep) -> None:
        self.address = address
        self._sleep = sleep
        self._pool = urllib3.HTTPConnectionPool(
            address.host, address.http_port, timeout=urllib3.Timeout(connect=timeout_s, read=timeout_s), retries=False, maxsize=1
        )

    def __enter__(self) -> DeviceApi:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def info(self) -> DeviceInfo:
        """
        The device's account of itself, in K1's own shape or in the one of the guides.

        Raises:
            Offline: no answer.
            Lasting: an answer without an uptime: whatever this is, it is no K1.
        """
        return read_info(self.get("/api/device/info"))

    def performance(self) -> dict[str, Any]:
        return self.get("/api/device/performance")

    def get(self, path: str) -> dict[str, Any]:
        return self._ask("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """A body goes with every POST: the device answers none without."""
        return self._ask("POST", path, json.dumps(body).encode())

    def _ask(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        for _ in range(RATE_LIMIT_WAITS_MAX):
            try:
                response = self._pool.urlopen(method, path, body=body, headers=headers, preload_content=False)
                raw = response.read(ANSWER_BYTES_MAX)
                response.release_conn()
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise Offline(self.address, str(error) or type(error).__name__) from None
            if response.status != 429:
                return self._answer(path, response.status, raw)
            self._sleep(_allowed_in_s(response.headers.get("X-RateLimit-NextAllowedMs")))
        raise Passing("device_rate_limited", f"device {self.address} answered {path} with 429 {RATE_LIMIT_WAITS_MAX} times: others ask too")

    def _answer(self, path: str, status: int, raw: bytes) -> dict[str, Any]:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        if status >= 500:
            raise Offline(self.address, f"{path} is answered with {status}")
        if status >= 400:
            error = body.get("error") if isinstance(body, dict) else raw[:80]
            raise Lasting("device_refused", f"device {self.address} refuses {path} with {status}: {error!r}", device_error=str(error))
        if not isinstance(body, dict):
            raise Lasting("device_not_understood", f"device {self.address} answers {path} with {raw[:80]!r}, expected a JSON object")
        return body


def read_info(body: dict[str, Any]) -> DeviceInfo:
    """The device information in *body*, of either shape."""
    build = body.get("build") if isinstance(body.get("build"), dict) else {}
    assert isinstance(build, dict)
    if isinstance(body.get("uptime_ms"), (int, float)):
        uptime_s = body["uptime_ms"] / 1000
    elif isinstance(body.get("uptime_seconds"), (int, float)):
        uptime_s = float(body["uptime_seconds"])
    else:
        raise Lasting("device_not_understood", "the device information has neither uptime_ms nor uptime_seconds")
    identity = build.get("git_sha") or body.get("build_signature") or build.get("build_signature")
    free_heap = body.get("free_heap")
    return DeviceInfo(
        uptime_s=uptime_s,
        identity=str(identity) if identity else None,
        elf_sha256=str(build["elf_sha256"]).lower() if build.get("elf_sha256") else None,
        free_heap=int(free_heap) if isinstance(free_heap, (int, float)) else None,
    )


def is_same_commit(reported: str, expected: str) -> bool:
    """True when a commit's name of at least seven digits within *reported* abbreviates *expected*, or the other way round."""
    expected = expected.lower()
    if len(expected) < IDENTITY_DIGITS_MIN:
        return False
    names = re.findall(r"(?<![0-9a-z])[0-9a-f]{7,64}(?![0-9a-z])", reported.lower())
    return any(expected.startswith(name) or name.startswith(expected) for name in names)


def _allowed_in_s(header: str | None) -> float:
    try:
        return min(max(int(header or "1000"), 1) / 1000, RATE_LIMIT_WAIT_S_MAX)
    except ValueError:
        return 1.0
