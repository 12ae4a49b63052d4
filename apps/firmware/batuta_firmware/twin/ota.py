"""
The twin's side of espota: an invitation by UDP, perhaps a password, then the image over a connection that the device opens.

Here: what an ESP32 with ArduinoOTA answers, byte for byte, and the wire faults. Not here: slots and booting (device.py).
Our own client is espota.py; the two share nothing but the protocol.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
import select
import socket
import threading
from typing import Literal

from batuta_firmware.twin.device import Device, UpdateRefused

Auth = Literal["none", "md5", "pbkdf2"]
READ_BYTES = 1460  # what the device takes from the connection at once
FLUSH_BYTES = 4096  # the first flash page: the magic byte is looked at when it is written
SILENCE_S = 1.0
SILENCES_MAX = 3
LOOK_S = 0.5  # how often a wait for a packet looks whether the twin is closing
COMMANDS = ("0", "100")
log = logging.getLogger("batuta_firmware.twin.ota")


class OtaServer:
    """Listens for invitations on *host*:*port* (0: any free port) and flashes *device*."""

    def __init__(self, device: Device, *, host: str = "127.0.0.1", port: int = 0, auth: Auth = "none", password: str = "", md5_stored: bool = False) -> None:
        self._device = device
        self._auth = auth
        self._password = password
        self._md5_stored = md5_stored
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        self._socket.settimeout(LOOK_S)
        self.port: int = self._socket.getsockname()[1]
        self.invitations = 0
        self.transfers = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="twin-ota", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._socket.getsockname())  # ends the wait for an invitation at once
        self._thread.join(timeout=10)
        self._socket.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                packet, sender = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            if self._device.snapshot() is None:
                continue  # no program, no answer
            try:
                self._invited(packet.decode("ascii", "replace"), sender)
            except OSError as error:
                log.info("transfer broke: %s", error)
            self._drain()

    def _invited(self, packet: str, sender: tuple[str, int]) -> None:
        self.invitations += 1
        words = packet.split()
        if len(words) != 4 or words[0] not in COMMANDS or not (words[1].isdigit() and words[2].isdigit()) or len(words[3]) != 32:
            return  # silence, as on the device
        if self._device.faults.use_up("lose_invitations"):
            return
        if self._auth == "none":
            self._socket.sendto(b"OK", sender)
        elif not self._authenticated(sender):
            return
        self._transfer(sender[0], int(words[1]), int(words[2]), words[3].lower())

    def _authenticated(self, sender: tuple[str, int]) -> bool:
        nonce = secrets.token_hex(16 if self._auth == "md5" else 32)
        self._socket.sendto(f"AUTH {nonce}".encode(), sender)
        packet = self._next_from(sender, within_s=5.0)
        if packet is None:
            return False
        words = packet.decode("ascii", "replace").split()
        length = len(nonce)
        if len(words) != 3 or words[0] != "200" or len(words[1]) != length or len(words[2]) != length:
            return False
        if not secrets.compare_digest(words[2], self._expected(nonce, words[1])):
            self._socket.sendto(b"Authentication Failed", sender)
            return False
        self._socket.sendto(b"OK", sender)
        return True

    def _expected(self, nonce: str, cnonce: str) -> str:
        if self._auth == "md5":
            stored = hashlib.md5(self._password.encode()).hexdigest()
            return hashlib.md5(f"{stored}:{nonce}:{cnonce}".encode()).hexdigest()
        stored = (hashlib.md5 if self._md5_stored else hashlib.sha256)(self._password.encode()).hexdigest()
        key = hashlib.pbkdf2_hmac("sha256", stored.encode(), f"{nonce}:{cnonce}".encode(), 10_000, 32).hex()
        return hashlib.sha256(f"{key}:{nonce}:{cnonce}".encode()).hexdigest()

    def _next_from(self, sender: tuple[str, int], *, within_s: float) -> bytes | None:
        for _ in range(int(within_s / LOOK_S)):
            if self._closing.is_set():
                break
            try:
                packet, other = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            return packet if other == sender else None
        return None

    def _transfer(self, host: str, port: int, size: int, md5: str) -> None:
        if not 0 < size <= self._device.slot_bytes:
            log.info("refused: %d bytes do not fit a slot of %d", size, self._device.slot_bytes)
            return  # the device says nothing
        if self._device.faults.use_up("refuse_connect_back"):
            return
        self.transfers += 1
        with socket.create_connection((host, port), timeout=5.0) as connection:
            connection.settimeout(SILENCE_S)
            try:
                data = self._receive(connection, size)
            except UpdateRefused as refusal:
                self._say_last(connection, f"{refusal}\r\n")
                return
            if data is None:
                return
            try:
                self._finish(data, md5)
            except UpdateRefused as refusal:
                self._say_last(connection, f"{refusal}\r\n")
                return
            if not self._device.faults.use_up("no_verdict"):
                connection.sendall(b"OK")
        self._device.reboot()

    def _receive(self, connection: socket.socket, size: int) -> bytes | None:
        """The image, acknowledged read by read; None when a fault or the sender ended it."""
        data, silences, acknowledged, faults = bytearray(), 0, b"", self._device.faults
        while len(data) < size:
            if faults.strike_at("drop_at", len(data)):
                self._device.spoil_spare_slot(bytes(data))
                return None
            if faults.strike_at("power_cut_at", len(data)):
                self._device.spoil_spare_slot(bytes(data))
                self._device.reboot()
                return None
            if faults.strike_at("stall_at", len(data)):
                self._stall(connection)
                return None
            try:
                piece = connection.recv(min(READ_BYTES, size - len(data), faults.bytes_left(len(data))))
            except TimeoutError:
                silences += 1
                if silences > SILENCES_MAX:
                    return None
                connection.sendall(acknowledged)
                continue
            if not piece:
                raise UpdateRefused("Aborted")
            data += piece
            silences = 0
            if faults.now.bytes_per_second:
                self._closing.wait(len(piece) / faults.now.bytes_per_second)
            if len(data) - len(piece) < min(FLUSH_BYTES, size) <= len(data) and data[0] != 0xE9:
                raise UpdateRefused("Wrong Magic Byte")
            acknowledged = str(len(piece)).encode()
            connection.sendall(acknowledged)
        return bytes(data)

    def _say_last(self, connection: socket.socket, words: str) -> None:
        """Say why it ends, and take what is still on its way: a connection closed over unread bytes may lose the words."""
        connection.sendall(words.encode())
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while connection.recv(65_536) and not self._closing.is_set():
                pass

    def _stall(self, connection: socket.socket) -> None:
        """Hold the connection without reading, until the other side gives up."""
        watch = select.poll()
        watch.register(connection, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        while not self._closing.is_set() and not watch.poll(100):
            pass

    def _finish(self, data: bytes, md5: str) -> None:
        if self._device.faults.use_up("corrupt"):
            data = data[:-1] + bytes([data[-1] ^ 1])
        if hashlib.md5(data).hexdigest() != md5:
            self._device.spoil_spare_slot(data)
            raise UpdateRefused("MD5 Check Failed")
        self._device.install(data)

    def _drain(self) -> None:
        """Throw away invitations that came while a transfer ran: their senders have long given up."""
        self._socket.setblocking(False)
        try:
            while True:
                self._socket.recvfrom(512)
        except (BlockingIOError, InterruptedError):
            pass
        finally:
            self._socket.settimeout(LOOK_S)
