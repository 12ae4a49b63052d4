"""
The firmware workers as a process: `python -m batuta_firmware`, with the settings of the operations guide in its environment.

`python -m batuta_firmware register [original]` registers the definitions with the server instead.
"""

from __future__ import annotations

import logging
import os
import sys

from batuta.client import Client, ClientError, SyncClient, run_workers
from batuta_firmware import definitions
from batuta_firmware.errors import FirmwareError
from batuta_firmware.settings import SettingsError, read
from batuta_firmware.workers import workers

USAGE = "usage: python -m batuta_firmware [register [original]]"


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["register"], ["register", "original"]):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        settings = read(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if arguments:
        return _register(settings.server_url, "original" if "original" in arguments else "corrected")
    try:
        found = workers(settings)
    except FirmwareError as error:
        print(f"the firmware workers cannot start: {error.reason}", file=sys.stderr)
        return 1
    return run_workers(found, Client(settings.server_url), metrics_port=settings.metrics_port or None)


def _register(url: str, form: definitions.Form) -> int:
    loaded = definitions.load(form)
    try:
        definitions.register(SyncClient(url), loaded)
    except ClientError as error:
        print(f"the definitions could not be registered with {url}: {error}", file=sys.stderr)
        return 1
    print(f"registered {len(loaded.workflows)} workflows and {len(loaded.tasks)} task definitions with {url}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
