"""One post: what is sent, how it is signed, what counts as taken. And the receiver of the guide, run as it is written."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from batuta.builtin.webhook import NotTaken, Receiver, read_secrets, signatures
from batuta.errors import BatutaError, Invalid
from batuta.testing import embedded

GUIDE = Path(__file__).parents[2] / "docs" / "howto" / "status-webhooks.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Listening:
    """A server that answers as told and keeps what it was posted."""

    def __init__(self) -> None:
        self.status, self.delay_s = 204, 0.0
        self.posted: list[tuple[str, dict[str, str], bytes]] = []
        around = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                around.posted.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                threading.Event().wait(around.delay_s)
                self.send_response(around.status)
                self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def listening() -> Iterator[Listening]:
    there = Listening()
    thread = threading.Thread(target=there.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield there
    there.server.shutdown()
    there.server.server_close()
    thread.join()


@contextlib.contextmanager
def receiver(url: str, *, secret: str = SECRET, timeout_s: float = 5.0, **paths: str) -> Iterator[Receiver]:
    made = Receiver(
        url, paths={"workflow": "", "task": "", **paths}, secrets=read_secrets(secret), timeout_s=timeout_s, concurrency=2, agent="batuta/1",
        wall=lambda: 1_614_265_330.9,
    )  # fmt: skip
    try:
        yield made
    finally:
        made.close()


def test_the_signature_is_that_of_the_published_example() -> None:
    signed = signatures(read_secrets(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_post_says_what_it_is_when_and_from_whom(listening: Listening) -> None:
    with receiver(listening.url + "/hooks/", task="tasks") as to:
        to.post("e/1/0", "workflow", b"{}")
        to.post("e/1/1", "task", b"[]")
    (first, headers, body), (second, *_) = listening.posted
    assert (first, second, body) == ("/hooks/", "/hooks/tasks", b"{}")
    assert (headers["webhook-id"], headers["webhook-timestamp"], headers["content-type"]) == ("e/1/0", "1614265330", "application/json")
    assert headers["webhook-signature"] == signatures(read_secrets(SECRET), "e/1/0", "1614265330", b"{}") and headers["user-agent"] == "batuta/1"


def test_two_secrets_sign_twice_and_none_not_at_all(listening: Listening) -> None:
    other = "whsec_" + "A" * 32
    for secret in (f"{other},{SECRET}", ""):
        with receiver(listening.url, secret=secret) as to:
            to.post("id", "workflow", b"{}")
    both, none = (headers.get("webhook-signature") for _, headers, _ in listening.posted)
    assert both is not None and len(both.split()) == 2 and none is None
    assert both.split()[1] == signatures(read_secrets(SECRET), "id", "1614265330", b"{}")


@pytest.mark.parametrize("status", [301, 307, 400, 404, 410, 429, 500, 503])
def test_only_2xx_takes_it_and_nothing_is_followed(listening: Listening, status: int) -> None:
    listening.status = status
    with receiver(listening.url) as to, pytest.raises(NotTaken, match=rf"http://127.0.0.1:\d+/ answered {status}"):
        to.post("id", "workflow", b"{}")
    assert len(listening.posted) == 1


def test_a_receiver_that_hangs_or_is_not_there_is_given_up_in_time(listening: Listening) -> None:
    listening.delay_s = 30
    with receiver(listening.url, timeout_s=0.2) as to, pytest.raises(BatutaError, match=r"longer than the 0\.2 s|timed out"):
        to.post("id", "workflow", b"{}")
    listening.delay_s = 0
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with receiver(f"http://127.0.0.1:{nobody.getsockname()[1]}") as to, pytest.raises(BatutaError, match="failed: Connection refused"):
            to.post("id", "workflow", b"{}")


def test_a_server_posts_ends_and_shows_neither_secret_nor_address(listening: Listening) -> None:
    with embedded(webhook_url=f"{listening.url}/?token=t0ken", webhook_secret=SECRET, webhook_tasks="COMPLETED", webhook_task_path="") as server:
        server.client.register_workflow({"name": "flow", "tasks": [{"name": "n", "taskReferenceName": "n", "type": "NOOP"}]})
        id = server.client.start_workflow("flow", {})
        server.until(lambda: len(listening.posted) == 2)
        (path, _, task), (_, headers, workflow) = ((path, headers, json.loads(body)) for path, headers, body in listening.posted)
        assert (path, task["referenceTaskName"], workflow["eventType"]) == ("/?token=t0ken", "n", "completed") and task["workflowId"] == id
        body = listening.posted[1][2]
        assert headers["webhook-signature"] == signatures(read_secrets(SECRET), headers["webhook-id"], headers["webhook-timestamp"], body)
        config = server.client.request("GET", "/admin/config")
        assert config["webhook_url"] == config["webhook_secret"] == "(set)" and SECRET not in json.dumps(config)
    with pytest.raises(Invalid, match="webhook_tasks"), embedded(webhook_url=listening.url, webhook_tasks="DONE"):
        pass


#    setting                                what is said
WRONG = [
    ({"url": "ftp://host/"},                "setting webhook_url: found 'ftp://host/', expected http"),
    ({"url": "hooks.example.com"},          "setting webhook_url: found"),
    ({"url": "http://user:pass@host/"},     "setting webhook_url: found credentials in it"),
    ({"url": "http://host:port/"},          "setting webhook_url: Port could not be cast"),
    ({"secret": "open sesame"},             "secret 1 is none; expected whsec_"),
    ({"secret": f"{SECRET},whsec_AAAA"},    "secret 2 is none"),
    ({"secret": "whsec_***"},               "secret 1 is none"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "said"), WRONG)
def test_what_is_wrong_is_said_and_no_secret_is_told(settings: dict[str, str], said: str) -> None:
    with pytest.raises(Invalid) as error, receiver(settings.get("url", "http://host"), secret=settings.get("secret", SECRET)):
        pass
    assert said in str(error.value)
    assert not any(word in str(error.value) for word in ("pass@", "sesame", "AAAA", "***"))


def test_the_receiver_of_the_guide_takes_what_is_genuine_and_nothing_else(tmp_path: Path) -> None:
    [program] = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    assert len([line for line in program.splitlines() if line.strip()]) <= 15
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    environment = {**os.environ, "PORT": str(port), "WEBHOOK_SECRET": SECRET}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            _until_it_answers(port)
            url, options = f"http://127.0.0.1:{port}", {"paths": {"workflow": ""}, "timeout_s": 5.0, "concurrency": 1, "agent": "batuta/1"}
            Receiver(url, secrets=read_secrets(SECRET), **options).post("id", "workflow", b'{"a":1}')  # type: ignore[arg-type]
            Receiver(url, secrets=read_secrets("whsec_" + "A" * 32 + "," + SECRET), **options).post("id", "workflow", b"{}")  # type: ignore[arg-type]
            for secret, wall in (("whsec_" + "A" * 32, time.time), (SECRET, lambda: time.time() - 400)):
                with pytest.raises(NotTaken, match="401"):
                    Receiver(url, secrets=read_secrets(secret), wall=wall, **options).post("id", "workflow", b"{}")  # type: ignore[arg-type]
        finally:
            process.kill()


def _until_it_answers(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        threading.Event().wait(0.02)
    raise AssertionError("the receiver of the guide did not start")

