"""
What adapters of outside services share: one HTTP exchange without retries, and what an answer's status means for a node.

A request that may cost money is sent once: whoever wants it again says so. So there is no library's retry in here, and a time-out after sending is not
tried again by itself.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import urllib3

from batuta_flows.assets.store import AssetStore
from batuta_flows.errors import NodeFailed

Json = Any
ANSWER_BYTES_MAX: Final = 32 << 20
DATA_URI_BYTES_MAX: Final = 8 << 20
WAIT_S_MAX: Final = 300.0  # a service that asks for more patience than this is left to a person
MAYBE_SENT: Final = "It may have been received, and paid for; look at the provider's list of requests, then retry to send it again"


def pool(read_s: float) -> urllib3.PoolManager:
    """Connections to services; an answer may take *read_s* seconds."""
    return urllib3.PoolManager(timeout=urllib3.Timeout(connect=10, read=read_s), retries=False)


def ask(
    http: urllib3.PoolManager, method: str, url: str, *, who: str, headers: Mapping[str, str], body: Json = None, is_paid: bool = False
) -> tuple[int, Mapping[str, str], Json]:
    """
    The status, the headers (names in lower case) and the JSON of an answer; the text of one that is none. *is_paid*: sending it twice would cost twice.

    Raises:
        NodeFailed: no answer came.
    """
    data = None if body is None else json.dumps(body).encode()
    try:
        answer = http.request(method, url, body=data, headers={"Content-Type": "application/json", **headers}, redirect=False, preload_content=False)
        content = answer.read(ANSWER_BYTES_MAX)
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NameResolutionError) as error:
        raise NodeFailed("provider_down", f"{who} cannot be reached: {type(error).__name__}", may_retry=True) from error
    except urllib3.exceptions.ReadTimeoutError as error:
        raise NodeFailed("timed_out", f"{who} did not answer in time", fix=MAYBE_SENT if is_paid else "", may_retry=not is_paid) from error
    except urllib3.exceptions.HTTPError as error:
        said = f"the connection to {who} broke: {type(error).__name__}"
        raise NodeFailed("provider_down", said, fix=MAYBE_SENT if is_paid else "", may_retry=not is_paid) from error
    try:
        found = json.loads(content)
    except ValueError:
        found = content.decode("utf-8", "replace")[:500]
    return answer.status, {name.lower(): value for name, value in answer.headers.items()}, found


def fault(
    who: str, status: int, message: str, *, headers: Mapping[str, Json] | None = None, code: str = "", may_retry: bool | None = None
) -> NodeFailed:
    """
    The error that a status of a service is for a node. *code*, *may_retry*: where the service says more than its status; *headers*: of the answer.

    How long the service asks to be left alone goes with an error that passes. One that asks for more than can be waited for is told to a person.
    """
    found, fix, retried = _FAULTS.get(status, ("provider_down" if status >= 500 else "bad_input", "", status >= 500))
    if code:
        found = code
    said = " ".join(message.split())[:300] or f"status {status}"
    told = f"{who} has too many requests at the moment: {said}" if found == "rate_limited" else f"{who} {'refused' if status < 500 else 'had a fault'}: {said}"
    passes = retried if may_retry is None else may_retry
    wait_s = retry_after_s(headers or {}) if passes else None
    if wait_s is not None and wait_s > WAIT_S_MAX:
        return NodeFailed(found, told, fix=f"It asks to be left alone for {timedelta(seconds=round(wait_s))}; retry the run then")
    return NodeFailed(found, told, fix=fix, may_retry=passes, retry_after_s=wait_s)


def retry_after_s(headers: Mapping[str, Json]) -> float | None:
    """How many seconds a service asks to be left alone (`Retry-After`, in seconds or as a date; OpenAI's `retry-after-ms`); None when it does not say."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        return seconds if 0 <= seconds < float("inf") else None
    try:
        at = parsedate_to_datetime(str(headers["retry-after"]))
        return max(0.0, (at - datetime.now(at.tzinfo)).total_seconds())
    except (KeyError, ValueError):
        return None


_FAULTS: Final = {
    401: ("bad_key", "Check the key in the environment of the workers", False),
    402: ("quota", "There is no credit left at the provider", False),
    403: ("bad_key", "The key may not do this; check it, and what the account is allowed", False),
    404: ("bad_input", "Check the model's name; models come and go", False),
    408: ("timed_out", "", True),
    409: ("rate_limited", "", True),
    413: ("too_large", "Make what goes in smaller", False),
    422: ("bad_input", "Change what it names in the node's settings", False),
    429: ("rate_limited", "", True),
}


def data_uri(assets: AssetStore, address: str) -> str:
    """
    A picture or sound as a data URI, for services that cannot reach this machine.

    Raises:
        NodeFailed: it is too large to be sent so.
    """
    asset, path = assets.find(address), assets.path(address)
    if asset is None or path is None:
        raise NodeFailed("bad_input", f"there is no file {address!r}", fix="Run the node that makes it again")
    if asset.size_bytes > DATA_URI_BYTES_MAX:
        raise NodeFailed("too_large", f"the file has {asset.size_bytes} bytes, expected at most {DATA_URI_BYTES_MAX} to be sent to a provider")
    return f"data:{asset.mime};base64,{base64.b64encode(path.read_bytes()).decode()}"
