"""Asking a device: both shapes of its answers, its rate limits, and what counts as the same commit."""

from __future__ import annotations

from collections.abc import Callable

import forge
import pytest

from batuta_firmware.address import parse
from batuta_firmware.device import DeviceApi, Offline, is_same_commit, read_info
from batuta_firmware.errors import FirmwareError, Lasting
from batuta_firmware.twin import Twin

MakeTwin = Callable[..., Twin]
FULL = forge.COMMIT


@pytest.mark.parametrize("shape", ["k1", "guide"])
def test_both_shapes_tell_identity_and_uptime(make_twin: MakeTwin, shape: str) -> None:
    twin = make_twin(image=forge.image(), info=shape)
    with DeviceApi(parse(twin.address)) as api:
        info = api.info()
    assert info.identity == FULL
    assert 0 <= info.uptime_s < 30
    assert (info.free_heap == 200_000) is (shape == "guide")


def test_k1_as_shipped_tells_no_identity() -> None:
    info = read_info({"device": "K1.reinvented", "uptime_ms": 1500, "build": {"framework": "arduino@3.20017.241212"}})
    assert (info.uptime_s, info.identity, info.free_heap) == (1.5, None, None)


@pytest.mark.parametrize("body", [{}, {"uptime_ms": "long"}, {"status": "ok"}])
def test_what_tells_no_uptime_is_no_k1(body: dict[str, object]) -> None:
    with pytest.raises(Lasting, match="neither uptime_ms nor uptime_seconds"):
        read_info(body)


def test_a_rate_limit_is_waited_for_and_is_not_offline(make_twin: MakeTwin) -> None:
    twin, waits = make_twin(), list[float]()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            twin.faults.set(rate_limit=False)

    with DeviceApi(parse(twin.address), sleep=sleep) as api:
        api.info()
        api.info()
    assert len(waits) == 2
    assert all(0 < wait <= 1.0 for wait in waits)


def test_a_rate_limit_that_never_ends_is_told_as_one(make_twin: MakeTwin) -> None:
    with DeviceApi(parse(make_twin().address), sleep=lambda seconds: None) as api:
        api.info()
        with pytest.raises(FirmwareError) as caught:
            api.info()
    assert (caught.value.code, caught.value.may_retry) == ("device_rate_limited", True)


def test_a_device_that_does_not_answer_is_offline(make_twin: MakeTwin) -> None:
    with DeviceApi(parse(make_twin(offline=True).address)) as api, pytest.raises(Offline):
        api.info()


def test_a_refusal_is_final_and_carries_the_devices_word(make_twin: MakeTwin) -> None:
    with DeviceApi(parse(make_twin().address)) as api, pytest.raises(Lasting) as caught:
        api.post("/api/select", {"id": "breathe"})
    assert caught.value.output["device_error"] == "pattern_not_found"


SAME = [
    (FULL,                   FULL,      True),
    (FULL[:12],              FULL,      True),
    (FULL,                   FULL[:7],  True),
    (FULL.upper(),           FULL,      True),
    (f"K1-v2.0-{FULL[:7]}",  FULL,      True),
    (FULL[:6],               FULL,      False),
    (FULL,                   FULL[:6],  False),
    (FULL[:11] + "f",        FULL,      False),
    ("factory",              FULL,      False),
    (f"x{FULL[:12]}",        FULL,      False),
    ("",                     FULL,      False),
    (FULL,                   "",        False),
]  # fmt: skip


@pytest.mark.parametrize(("reported", "expected", "same"), SAME)
def test_a_commit_is_the_same_when_seven_digits_or_more_agree(reported: str, expected: str, same: bool) -> None:
    assert is_same_commit(reported, expected) is same
