"""
The demo's stage: a repository, a device twin and the workers, all in this process and in one folder.

Here: putting them up and taking them down. Not here: what is played (stories.py).
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from batuta.client import Client, SyncClient, WorkerHost
from batuta_firmware import platformio_home
from batuta_firmware.address import parse
from batuta_firmware.demo.source import DemoCommits, make
from batuta_firmware.espota import Patience
from batuta_firmware.settings import OFFLINE, Settings
from batuta_firmware.twin import Twin
from batuta_firmware.workers import workers

DRAIN_S = 5.0


class HostThread:
    """A worker host on an event loop in a thread of its own."""

    def __init__(self, settings: Settings, spool: Path) -> None:
        self._settings = settings
        self._spool = spool
        self._loop: asyncio.AbstractEventLoop | None = None
        self._host: WorkerHost | None = None
        self._error: BaseException | None = None
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-workers", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._up.wait(timeout=10)
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        if self._loop is not None and self._host is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._host.request_stop)
        self._thread.join(timeout=DRAIN_S + 10)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # told to whoever started the thread
            self._error = error
        finally:
            self._up.set()

    async def _serve(self) -> None:
        async with Client(self._settings.server_url) as client:
            found = workers(self._settings, SyncClient(self._settings.server_url))
            self._host = WorkerHost(client, found, drain_s=DRAIN_S, spool_dir=self._spool)
            self._loop = asyncio.get_running_loop()
            self._up.set()
            await self._host.run()


@dataclass(frozen=True, slots=True)
class Stage:
    settings: Settings
    commits: DemoCommits
    twin: Twin
    _host: HostThread

    def __enter__(self) -> Stage:
        self.twin.start()
        try:
            self._host.start()
        except BaseException:
            self.twin.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._host.close()
        self.twin.close()

    @property
    def device(self) -> dict[str, object]:
        """The workflow inputs that mean this stage's device."""
        return {"device_address": self.twin.address, "ota_port": self.twin.ota.port}


def set_up(url: str, folder: Path) -> Stage:
    """
    A stage in *folder* for the server whose API is at *url*; nothing runs before it is entered.

    Raises:
        Lasting: a build tool or git is missing, with how to install it.
    """
    storage = folder / "storage"
    platformio_home.prepare(storage / "platformio")
    commits = make(folder)
    twin = Twin(folder / "twin")
    settings = Settings(
        server_url=url,
        storage=storage,
        project=commits.project,
        build_root=folder / "builds",
        platformio=OFFLINE,
        device=parse(twin.address, ota_port=twin.ota.port),
        ota_patience=Patience(invitation_s=1.0),
    )
    settings.build_root.mkdir(parents=True, exist_ok=True)
    return Stage(settings, commits, twin, HostThread(settings, folder / "spool"))
