"""
A whole twin: the device, its HTTP API and its update listener, started and stopped together.

Here: composition. Not here: any behaviour (device.py, web.py, ota.py).
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from batuta_firmware.twin.board import CHIP
from batuta_firmware.twin.device import SLOT_BYTES, Device
from batuta_firmware.twin.faults import FaultBox, Faults
from batuta_firmware.twin.ota import Auth, OtaServer
from batuta_firmware.twin.web import WebServer


class Twin:
    """A device twin on loopback; a context manager that is running inside its block."""

    def __init__(
        self,
        state_dir: Path,
        *,
        host: str = "127.0.0.1",
        http_port: int = 0,
        ota_port: int = 0,
        faults: Faults | None = None,
        auth: Auth = "none",
        password: str = "",
        md5_stored: bool = False,
        chip: str = CHIP,
        slot_bytes: int = SLOT_BYTES,
        bootloader_rollback: bool = False,
    ) -> None:
        self.faults = FaultBox(faults)
        self.device = Device(state_dir, self.faults, chip=chip, slot_bytes=slot_bytes, bootloader_rollback=bootloader_rollback)
        self.web = WebServer(self.device, host=host, port=http_port)
        self.ota = OtaServer(self.device, host=host, port=ota_port, auth=auth, password=password, md5_stored=md5_stored)
        self.host = host
        self._is_closed = False

    @property
    def address(self) -> str:
        """What goes into `device_address`."""
        return f"{self.host}:{self.web.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def start(self) -> None:
        self.device.start()
        self.web.start()
        self.ota.start()

    def close(self) -> None:
        """Switch everything off; again it does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self.web.close()
        self.ota.close()
        self.device.close()

    def __enter__(self) -> Twin:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
