"""The twin's HTTP API: routes, shapes, rate limits and errors as on the device."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import forge
import pytest
import urllib3

from batuta_firmware.twin import Twin
from batuta_firmware.twin.web import ROUTES, RateLimiter

MakeTwin = Callable[..., Twin]
pool = urllib3.PoolManager(retries=False, timeout=5)


def ask(twin: Twin, path: str, body: Any = None) -> tuple[int, Any, Any]:
    method = "GET" if body is None else "POST"
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    response = pool.request(method, twin.url + path, body=raw, headers={"Content-Type": "application/json"} if raw else {})
    text = response.headers["Content-Type"] == "text/plain"
    return response.status, response.data.decode() if text else response.json(), response.headers


FIELDS = {
    "/api/device/info": {"device", "uptime_ms", "ip", "mac", "build"},
    "/api/device/performance": {"fps", "frame_time_us", "render_avg_us", "cpu_percent", "memory_free_kb", "memory_total_kb", "fps_history"},
    "/api/health": {"status", "uptime_ms", "fps", "memory_free_kb", "connected", "wifi"},
    "/api/test-connection": {"status", "timestamp"},
    "/api/frame-metrics": {"frame_count", "buffer_size", "avg_render_us", "frames"},
    "/api/latency/probe": {"active", "last_latency_ms", "timestamp_us"},
    "/api/patterns": {"patterns", "current_pattern"},
    "/api/leds/frame?n=2": {"count", "limit", "format", "data"},
}


@pytest.mark.parametrize(("path", "fields"), FIELDS.items())
def test_a_route_answers_with_its_fields(make_twin: MakeTwin, path: str, fields: set[str]) -> None:
    status, body, _ = ask(make_twin(), path)
    assert status == 200
    assert fields <= body.keys()


def test_the_identity_comes_from_the_running_program(make_twin: MakeTwin) -> None:
    _, body, _ = ask(make_twin(image=forge.image()), "/api/device/info")
    assert body["build"]["git_sha"] == forge.COMMIT
    assert len(body["build"]["elf_sha256"]) == 64


@pytest.mark.parametrize(
    ("info", "present", "absent"),
    [("guide", ["build_signature", "free_heap", "uptime_seconds"], ["build"]), ("bare", ["uptime_ms"], ["build_signature"])],
)
def test_the_other_shapes_of_device_information(make_twin: MakeTwin, info: str, present: list[str], absent: list[str]) -> None:
    _, body, _ = ask(make_twin(info=info), "/api/device/info")
    assert all(name in body for name in present)
    assert not any(name in body for name in absent)
    assert "git_sha" not in body.get("build", {})


def test_metrics_are_plain_text(make_twin: MakeTwin) -> None:
    status, text, _ = ask(make_twin(), "/metrics")
    assert status == 200
    assert "k1_fps " in text


def test_a_pattern_is_selected_by_index_or_id(make_twin: MakeTwin) -> None:
    twin = make_twin(rate_limit=False)
    assert ask(twin, "/api/select", {"index": 0})[1] == {"current_pattern": 0, "id": "still", "name": "Still"}
    assert ask(twin, "/api/select", {"id": "still"})[0] == 200
    assert ask(twin, "/api/pattern/current")[1]["id"] == "still"


REFUSALS = [
    ("/api/select", {}, 400, "missing_field"),
    ("/api/select", {"id": "breathe"}, 404, "pattern_not_found"),
    ("/api/select", b"{", 400, "invalid_json"),
    ("/api/select", b"[]", 400, "invalid_json"),
    ("/api/select", b"x" * 70_000, 413, "payload_too_large"),
    ("/api/v1/nothing", None, 404, "Not found"),
    ("/update", {}, 404, "Not found"),
]


@pytest.mark.parametrize(("path", "body", "status", "error"), REFUSALS)
def test_errors_have_the_devices_form(make_twin: MakeTwin, path: str, body: Any, status: int, error: str) -> None:
    found, answer, _ = ask(make_twin(), path, body)
    assert (found, answer["error"], answer["status"]) == (status, error, status)


def test_the_second_question_within_a_window_is_refused_with_the_time_to_wait(make_twin: MakeTwin) -> None:
    twin = make_twin()
    assert ask(twin, "/api/device/info")[0] == 200
    status, body, headers = ask(twin, "/api/device/info")
    assert (status, body["error"]) == (429, "rate_limited")
    assert headers["X-RateLimit-Window"] == "1000"
    assert 0 < int(headers["X-RateLimit-NextAllowedMs"]) <= 1000


def test_a_window_is_the_routes_and_ends_when_its_time_is_over() -> None:
    now = [0.0]
    limiter = RateLimiter(lambda: now[0])
    assert limiter.wait_ms("/a", 500) == 0
    assert limiter.wait_ms("/b", 500) == 0
    assert limiter.wait_ms("/a", 500) == 500
    now[0] = 0.4
    assert limiter.wait_ms("/a", 500) == 100
    now[0] = 0.5
    assert limiter.wait_ms("/a", 500) == 0


def test_a_device_that_is_down_answers_nobody_but_its_knobs_still_turn(make_twin: MakeTwin) -> None:
    twin = make_twin(offline=True)
    with pytest.raises(urllib3.exceptions.HTTPError):
        pool.request("GET", twin.url + "/api/health")
    assert ask(twin, "/twin/faults", {"offline": False})[1]["offline"] is False
    assert ask(twin, "/twin/power-cycle", {})[0] == 200
    assert twin.device.wait_until(lambda: twin.device.snapshot() is not None, 5)
    assert ask(twin, "/api/health")[0] == 200


def test_an_unknown_knob_is_refused(make_twin: MakeTwin) -> None:
    assert ask(make_twin(), "/twin/faults", {"gravity": 9})[0] == 400


def test_every_get_route_answers(make_twin: MakeTwin) -> None:
    twin = make_twin(rate_limit=False)
    assert {ask(twin, path)[0] for method, path in ROUTES if method == "GET"} == {200}
