"""
Telling people: one message to a channel, once for each workflow and subject.

Here: delivery and de-duplication. Not here: what is worth telling (the workflows).
Every message is appended to the storage's notifications.jsonl; with K1_SLACK_WEBHOOK_URL set, the channel "slack" also goes there.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import urllib3

from batuta_firmware.errors import Lasting, Passing
from batuta_firmware.locks import locked
from batuta_firmware.records import transaction
from batuta_firmware.settings import Settings

CHANNELS = ("slack", "log")
MESSAGE_CHARS_MAX = 4000
FILE_NAME = "notifications.jsonl"


@dataclass(frozen=True, slots=True)
class Delivery:
    """*via* is where the message went; *repeated* is true when it had gone there before."""

    via: tuple[str, ...]
    repeated: bool = False

    def output(self) -> dict[str, Any]:
        return {"sent": True, "via": list(self.via), "repeated": self.repeated}


class Notifier:
    """Sends messages as the settings say."""

    def __init__(self, settings: Settings, *, timeout_s: float = 10.0, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._timeout_s = timeout_s
        self._now = now

    def send(self, channel: str | None, message: str, *, subject: str, workflow_id: str | None) -> Delivery:
        """
        Send *message*, unless this *subject* of this workflow has been told before.

        Raises:
            Lasting: an unknown channel, or Slack refuses the message.
            Passing: Slack does not answer.
        """
        channel = channel or "log"
        if channel not in CHANNELS:
            raise Lasting("bad_channel", f"channel is {channel!r}; expected one of {', '.join(CHANNELS)}")
        via = ("slack", "log") if channel == "slack" and self._settings.slack_url else ("log",)
        key = f"{subject}:{workflow_id}" if workflow_id else None
        if key and self._told(key):
            return Delivery(via, repeated=True)
        if "slack" in via:
            self._to_slack(message)
        self._to_file({"at": self._now(), "channel": channel, "subject": subject, "workflow_id": workflow_id, "message": message})
        if key:
            self._note(key)
        return Delivery(via)

    def _told(self, key: str) -> bool:
        with transaction(self._settings.storage) as records:
            return records.execute("select 1 from notices where key = ?", (key,)).fetchone() is not None

    def _note(self, key: str) -> None:
        with transaction(self._settings.storage) as records:
            records.execute("insert or ignore into notices (key, at) values (?, ?)", (key, self._now()))

    def _to_slack(self, message: str) -> None:
        body = json.dumps({"text": message[:MESSAGE_CHARS_MAX]}).encode()
        headers = {"Content-Type": "application/json"}
        try:
            with urllib3.PoolManager(timeout=self._timeout_s, retries=False) as pool:
                response = pool.request("POST", str(self._settings.slack_url), body=body, headers=headers, redirect=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Passing("notify_failed", f"Slack does not answer: {type(error).__name__}") from None  # its URL is a secret
        if response.status >= 500 or response.status == 429:
            raise Passing("notify_failed", f"Slack answers with {response.status}")
        if response.status >= 300:
            raise Lasting("notify_refused", f"Slack refuses the message with {response.status}", fix="Check K1_SLACK_WEBHOOK_URL")

    def _to_file(self, record: dict[str, Any]) -> None:
        path = self._settings.storage / FILE_NAME
        try:
            with locked(path), open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise Passing("notify_failed", f"{path} cannot be written: {error}") from error
