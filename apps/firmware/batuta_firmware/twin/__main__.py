"""
Run one device twin until Ctrl-C: `python -m batuta_firmware.twin --http-port 8081 --ota-port 3232 --state DIR`.

Prints one line of JSON with the ports once it answers, so that a script may start it on free ports and read them.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import tempfile
import threading
from pathlib import Path

from batuta_firmware.twin.board import CHIP
from batuta_firmware.twin.device import SLOT_BYTES, UpdateRefused
from batuta_firmware.twin.faults import Faults, parse
from batuta_firmware.twin.twin import Twin


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m batuta_firmware.twin", description="A K1 device in software.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--http-port", type=int, default=0, help="port of the HTTP API; 0 takes a free one")
    parser.add_argument("--ota-port", type=int, default=0, help="UDP port of the update listener; 0 takes a free one")
    parser.add_argument("--state", type=Path, help="folder for the two firmware slots (default: a fresh temporary one)")
    parser.add_argument("--image", type=Path, help="firmware.bin to start with, when the slots are empty")
    parser.add_argument("--auth", choices=("none", "md5", "pbkdf2"), default="none", help="how an update must prove the password")
    parser.add_argument("--password", default="", help="the update password")
    parser.add_argument("--chip", default=CHIP, help="chip whose images are accepted (default: %(default)s)")
    parser.add_argument("--slot-bytes", type=int, default=SLOT_BYTES, help="room of one slot (default: %(default)s)")
    parser.add_argument("--bootloader-rollback", action="store_true", help="go back to the slot before when a new image crashes")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=VALUE", help="make something go wrong; may be repeated")
    parser.add_argument("--verbose", action="store_true", help="log what the device does")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    try:
        faults = Faults(**parse(options.fault))
    except ValueError as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory(prefix="k1-twin-") as scratch:
        try:
            twin = Twin(
                options.state or Path(scratch),
                host=options.host,
                http_port=options.http_port,
                ota_port=options.ota_port,
                faults=faults,
                auth=options.auth,
                password=options.password,
                chip=options.chip,
                slot_bytes=options.slot_bytes,
                bootloader_rollback=options.bootloader_rollback,
            )
            if options.image and twin.device.running_slot is None:
                twin.device.install(options.image.read_bytes())
        except (OSError, UpdateRefused) as error:
            parser.exit(1, f"the twin cannot start: {error}\n")
        _run(twin)
    return 0


def _run(twin: Twin) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with twin:
        print(json.dumps({"device_address": twin.address, "ota_port": twin.ota.port, "url": twin.url}), flush=True)
        stop.wait()


if __name__ == "__main__":
    raise SystemExit(main())
