"""Notifications: told once, kept in a file, and sent to a Slack that may fail."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from batuta_firmware.errors import FirmwareError, Lasting
from batuta_firmware.notify import Notifier
from batuta_firmware.settings import Settings


class Slack:
    """A webhook that answers with *status* and keeps what it got."""

    def __init__(self) -> None:
        self.status = 200
        self.messages: list[str] = []
        slack = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                slack.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
                self.send_response(slack.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/services/T0/B0/secret"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


@pytest.fixture
def slack() -> Iterator[Slack]:
    running = Slack()
    yield running
    running.server.shutdown()
    running.server.server_close()


def lines(settings: Settings) -> list[dict[str, object]]:
    path = settings.storage / "notifications.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_without_slack_a_message_is_kept_in_the_file(settings: Settings) -> None:
    assert Notifier(settings, now=lambda: 5.0).send("slack", "hello", subject="failure", workflow_id="w1").output() == {
        "sent": True, "via": ["log"], "repeated": False,
    }  # fmt: skip
    assert lines(settings) == [{"at": 5.0, "channel": "slack", "subject": "failure", "workflow_id": "w1", "message": "hello"}]


def test_one_subject_of_one_workflow_is_told_once(settings: Settings, slack: Slack) -> None:
    notifier = Notifier(dataclasses.replace(settings, slack_url=slack.url))
    for subject, workflow in [("failure", "w1"), ("failure", "w1"), ("rollback", "w1"), ("failure", "w2"), ("failure", "w2")]:
        notifier.send("slack", f"{subject} of {workflow}", subject=subject, workflow_id=workflow)
    assert slack.messages == ["failure of w1", "rollback of w1", "failure of w2"]
    assert len(lines(settings)) == 3


@pytest.mark.parametrize(("status", "again"), [(500, True), (503, True), (429, True), (404, False), (403, False), (302, False)])
def test_a_failing_slack_is_tried_again_or_not(settings: Settings, slack: Slack, status: int, again: bool) -> None:
    slack.status = status
    notifier = Notifier(dataclasses.replace(settings, slack_url=slack.url))
    with pytest.raises(FirmwareError) as caught:
        notifier.send("slack", "x", subject="failure", workflow_id="w1")
    assert caught.value.may_retry is again
    assert lines(settings) == []
    slack.status = 200
    assert notifier.send("slack", "x", subject="failure", workflow_id="w1").repeated is False


def test_a_slack_that_is_not_there_is_tried_again_and_its_url_stays_secret(settings: Settings, slack: Slack) -> None:
    url = slack.url.replace(str(slack.server.server_address[1]), "9")
    with pytest.raises(FirmwareError) as caught:
        Notifier(dataclasses.replace(settings, slack_url=url)).send("slack", "x", subject="failure", workflow_id="w1")
    assert caught.value.may_retry
    assert "secret" not in caught.value.reason


def test_an_unknown_channel_is_refused(settings: Settings) -> None:
    with pytest.raises(Lasting, match="expected one of slack, log"):
        Notifier(settings).send("pigeon", "x", subject="failure", workflow_id="w1")
