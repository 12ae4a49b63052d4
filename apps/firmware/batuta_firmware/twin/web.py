"""
The twin's HTTP API: the routes of K1's web server that deployment and validation need.

Here: routes, shapes, rate limits and errors as the device's own server gives them, and `/twin/…`, which no device has: the twin's knobs.
Not here: what the values mean (device.py, board.py).
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from batuta_firmware.twin.board import RAM_BYTES
from batuta_firmware.twin.device import Device, Snapshot
from batuta_firmware.twin.faults import parse

BODY_BYTES_MAX = 64 * 1024
log = logging.getLogger("batuta_firmware.twin.web")


@dataclass(frozen=True, slots=True)
class Request:
    query: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()


class Refused(Exception):
    def __init__(self, status: int, error: str, message: str | None = None, **more: Any) -> None:
        super().__init__(error)
        self.status, self.error, self.message, self.more = status, error, message, more

    def response(self) -> Response:
        described = {"error": self.error, **({"message": self.message} if self.message else {}), **self.more}
        return Response(self.status, {**described, "timestamp": _now_ms(), "status": self.status})


Handler = Callable[[Device, Snapshot, Request], Any]


class RateLimiter:
    """One answer a window and route, whoever asks: as on the device."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait_ms(self, route: str, window_ms: int) -> int:
        """0 when *route* may answer now, and this answer is then counted; otherwise milliseconds until it may."""
        with self._lock:
            now = self._clock()
            left = self._last.get(route, -math.inf) + window_ms / 1000 - now
            if left > 0:
                return max(1, math.ceil(left * 1000))
            self._last[route] = now
            return 0


def device_info(device: Device, now: Snapshot, request: Request) -> Any:
    if device.faults.now.info == "guide":
        return {
            "build_signature": now.identity,
            "platform": device.chip,
            "framework_version": now.descriptor.idf if now.descriptor else "factory",
            "free_heap": now.heap_free,
            "uptime_seconds": int(now.uptime_s),
            "ip_address": "127.0.0.1",
        }
    build = {"arduino": 10812, "platformio_platform": "k1twin@1.0.0", "framework": "bare-metal"}
    if device.faults.now.info != "bare":
        build["git_sha"] = now.identity
        if now.descriptor:
            build["elf_sha256"] = now.descriptor.elf_sha256
    return {
        "device": "K1.reinvented",
        "uptime_ms": int(now.uptime_s * 1000),
        "ip": "127.0.0.1",
        "mac": "02:00:00:00:00:01",
        "build": build,
    }


def _fps(device: Device, now: Snapshot) -> float:
    if device.faults.now.fps is not None:
        return device.faults.now.fps
    total_us = sum(frame.total_us for frame in now.frames)
    return round(len(now.frames) * 1_000_000 / total_us, 1) if total_us else 0.0


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 1) if values else 0.0


def performance(device: Device, now: Snapshot, request: Request) -> Any:
    frames, fps = now.frames, _fps(device, now)
    total_us = _mean([frame.total_us for frame in frames])
    return {
        "fps": fps,
        "frame_time_us": total_us,
        "render_avg_us": _mean([frame.render_us for frame in frames]),
        "quantize_avg_us": 0,
        "rmt_wait_avg_us": 0,
        "rmt_tx_avg_us": _mean([frame.send_us for frame in frames]),
        "cpu_percent": round(100 * _mean([frame.render_us for frame in frames]) / total_us, 1) if total_us else 0.0,
        "memory_percent": round(100 * (1 - now.heap_free / RAM_BYTES), 1),
        "memory_free_kb": now.heap_free // 1024,
        "memory_total_kb": RAM_BYTES // 1024,
        "beat_queue_depth": 0,
        "beat_queue_capacity": 53,
        "beat_overflows_total": 0,
        "fps_history": [fps] * 16,
    }


def health(device: Device, now: Snapshot, request: Request) -> Any:
    return {
        "status": "ok",
        "uptime_ms": int(now.uptime_s * 1000),
        "fps": _fps(device, now),
        "cpu_percent": performance(device, now, request)["cpu_percent"],
        "memory_free_kb": now.heap_free // 1024,
        "memory_total_kb": RAM_BYTES // 1024,
        "connected": True,
        "wifi": {"ssid": "twin", "rssi": -40, "ip": "127.0.0.1"},
    }


def test_connection(device: Device, now: Snapshot, request: Request) -> Any:
    return {"status": "ok", "timestamp": _now_ms()}


def frame_metrics(device: Device, now: Snapshot, request: Request) -> Any:
    fps = _fps(device, now)
    frames: list[dict[str, float]] = [
        {
            "render_us": frame.render_us,
            "quantize_us": 0,
            "rmt_wait_us": 0,
            "rmt_tx_us": frame.send_us,
            "total_us": frame.total_us,
            "heap_free": frame.heap_free,
            "fps": fps,
        }
        for frame in now.frames
    ]
    return {
        "frame_count": now.frame_count,
        "buffer_size": 64,
        "avg_render_us": _mean([frame["render_us"] for frame in frames]),
        "avg_quantize_us": 0,
        "avg_rmt_wait_us": 0,
        "avg_rmt_tx_us": _mean([frame["rmt_tx_us"] for frame in frames]),
        "avg_total_us": _mean([frame["total_us"] for frame in frames]),
        "frames": frames,
    }


def latency_probe(device: Device, now: Snapshot, request: Request) -> Any:
    last = now.frames[-1].total_us if now.frames else 0
    uptime_us = int(now.uptime_s * 1_000_000)
    return {"active": bool(now.frames), "last_latency_ms": round(last / 1000, 2), "timestamp_us": uptime_us, "last_led_tx_us": uptime_us}


def patterns(device: Device, now: Snapshot, request: Request) -> Any:
    listed = [{"index": index, **dataclasses.asdict(pattern)} for index, pattern in enumerate(now.patterns)]
    return {"patterns": listed, "current_pattern": now.pattern_shown}


def pattern_current(device: Device, now: Snapshot, request: Request) -> Any:
    pattern = now.patterns[now.pattern_shown]
    return {"index": now.pattern_shown, "id": pattern.id, "name": pattern.name, "is_audio_reactive": pattern.audio_reactive}


def select(device: Device, now: Snapshot, request: Request) -> Any:
    if "index" not in request.body and "id" not in request.body:
        raise Refused(400, "missing_field", "index or id is required")
    for index, pattern in enumerate(now.patterns):
        if request.body.get("index") == index or request.body.get("id") == pattern.id:
            device.select(index)
            return {"current_pattern": index, "id": pattern.id, "name": pattern.name}
    raise Refused(404, "pattern_not_found", "no such pattern")


def leds_frame(device: Device, now: Snapshot, request: Request) -> Any:
    triples = [now.leds[at : at + 3] for at in range(0, len(now.leds), 3)]
    wanted = request.query.get("n", "")
    limit = min(int(wanted), len(triples)) if wanted.isdigit() else len(triples)
    raw = request.query.get("fmt") == "rgb"
    data = [list(triple) if raw else triple.hex().upper() for triple in triples[:limit]]
    return {"count": len(triples), "limit": limit, "format": "rgb" if raw else "hex", "data": data}


def metrics(device: Device, now: Snapshot, request: Request) -> str:
    figures = performance(device, now, request)
    return (
        f"k1_fps {figures['fps']}\nk1_frame_time_us {figures['frame_time_us']}\nk1_cpu_percent {figures['cpu_percent']}\n"
        f"k1_memory_free_kb {figures['memory_free_kb']}\nk1_beat_events_count 0\nk1_tempo_confidence 0\n"
    )


# method, path -> rate window in milliseconds, handler
ROUTES: dict[tuple[str, str], tuple[int, Handler]] = {
    ("GET", "/api/device/info"): (1000, device_info),
    ("GET", "/api/device-info"): (1000, device_info),
    ("GET", "/api/device/performance"): (500, performance),
    ("GET", "/api/device-performance"): (500, performance),
    ("GET", "/api/health"): (200, health),
    ("GET", "/api/test-connection"): (200, test_connection),
    ("GET", "/api/frame-metrics"): (500, frame_metrics),
    ("GET", "/api/latency/probe"): (0, latency_probe),
    ("GET", "/api/patterns"): (1000, patterns),
    ("GET", "/api/pattern/current"): (0, pattern_current),
    ("POST", "/api/select"): (200, select),
    ("GET", "/api/leds/frame"): (200, leds_frame),
    ("GET", "/metrics"): (200, metrics),
    ("GET", "/api/metrics"): (200, metrics),
}


class WebServer:
    """Serves *device* on *host*:*port* (0: any free port)."""

    def __init__(self, device: Device, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._device = device
        self._limiter = RateLimiter()
        web = self

        class Connection(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def do_GET(self) -> None:
                web.serve(self, "GET")

            def do_POST(self) -> None:
                web.serve(self, "POST")

            def do_OPTIONS(self) -> None:
                web.serve(self, "OPTIONS")

            def log_message(self, format: str, *args: Any) -> None:
                log.debug(format, *args)

        self._server = ThreadingHTTPServer((host, port), Connection)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="twin-web", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(timeout=10)
        self._server.server_close()

    def serve(self, connection: BaseHTTPRequestHandler, method: str) -> None:
        """Answer one request, or cut the line when the device cannot answer anybody."""
        target = urlsplit(connection.path)
        own = target.path.startswith("/twin/")
        if not own and self._device.snapshot() is None:
            connection.close_connection = True
            return
        try:
            request = Request({name: values[-1] for name, values in parse_qs(target.query).items()}, _body(connection, method))
            response = self._knob(target.path, method, request) if own else self._answer(target.path, method, request)
        except Refused as refusal:
            response = refusal.response()
        _send(connection, response)

    def _answer(self, path: str, method: str, request: Request) -> Response:
        if method == "OPTIONS":
            return Response(204, None)
        route = ROUTES.get((method, path))
        if route is None:
            raise Refused(404, "Not found")
        window_ms, handler = route
        if self._device.faults.now.rate_limit and (wait_ms := self._limiter.wait_ms(path, window_ms)):
            refusal = Refused(429, "rate_limited", "Too many requests").response()
            headers = (("X-RateLimit-Window", str(window_ms)), ("X-RateLimit-NextAllowedMs", str(wait_ms)))
            return dataclasses.replace(refusal, headers=headers)
        now = self._device.snapshot()
        if now is None:
            raise Refused(503, "starting")
        return Response(200, handler(self._device, now, request))

    def _knob(self, path: str, method: str, request: Request) -> Response:
        match method, path:
            case "GET", "/twin/faults":
                return Response(200, dataclasses.asdict(self._device.faults.now))
            case "POST", "/twin/faults":
                try:
                    words = [f"{name}={'none' if value is None else str(value).lower()}" for name, value in request.body.items()]
                    return Response(200, dataclasses.asdict(self._device.faults.set(**parse(words))))
                except ValueError as error:
                    raise Refused(400, "unknown_fault", str(error)) from None
            case "POST", "/twin/power-cycle":
                self._device.power_cycle()
                return Response(200, {})
            case "GET", "/twin/crashes":
                return Response(200, {"crashes": self._device.crash_log})
        raise Refused(404, "Not found")


def _body(connection: BaseHTTPRequestHandler, method: str) -> dict[str, Any]:
    length = int(connection.headers.get("Content-Length") or 0)
    if length > BODY_BYTES_MAX:
        connection.close_connection = True
        raise Refused(413, "payload_too_large", max_size=BODY_BYTES_MAX)
    raw = connection.rfile.read(length)
    if method != "POST":
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refused(400, "invalid_json", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "invalid_json", "the body is not an object")
    return body


def _send(connection: BaseHTTPRequestHandler, response: Response) -> None:
    text = isinstance(response.body, str)
    raw = b"" if response.body is None else (response.body if text else json.dumps(response.body)).encode()
    connection.send_response(response.status)
    connection.send_header("Content-Type", "text/plain" if text else "application/json")
    connection.send_header("Content-Length", str(len(raw)))
    connection.send_header("Access-Control-Allow-Origin", "*")
    for name, value in response.headers:
        connection.send_header(name, value)
    connection.end_headers()
    connection.wfile.write(raw)


def _now_ms() -> int:
    return int(time.monotonic() * 1000)
