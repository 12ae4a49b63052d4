"""
Sending firmware over the air: the client's side of ArduinoOTA ("espota").

Here: one transfer, from invitation to the device's explicit OK, and what each way of failing means. Not here: which image may be sent
(image.py, artifacts.py), whether the device lives afterwards (health.py).
Only the word OK from the device counts as success. The stock script also accepts a closed connection, and a failed MD5.
Also a program, with the stock script's options: `python -m batuta_firmware.espota --device HOST --file firmware.bin`.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import selectors
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from batuta_firmware.errors import FirmwareError, Lasting, Passing

CHUNK_BYTES = 1024
DEVICE_READ_BYTES = 1460  # the device acknowledges each of its reads, none larger than this
FLASH = 0
PBKDF2_ROUNDS = 10_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what; the sum bounds a transfer to a device that answers nothing to 20 s."""

    invitations: int = 10
    invitation_s: float = 2.0
    connect_back_s: float = 10.0
    silence_s: float = 10.0
    verdict_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transfer the device confirmed."""

    bytes_sent: int
    invitations: int
    authenticated: bool


# The device's closing words -> our code, whether a retry may help, what to do.
_VERDICTS: tuple[tuple[str, str, bool, str], ...] = (
    ("MD5 Check Failed", "ota_md5_mismatch", True, "Bytes were damaged on the way; the transfer is repeated once"),
    ("Wrong Magic Byte", "ota_wrong_magic", False, "Send the firmware.bin of a build, not a merged flash dump or an ELF file"),
    ("Not Enough Space", "ota_no_space", False, "The image is larger than the device's slot: make it smaller or change the partitions"),
    ("Bad Size Given", "ota_bad_size", False, "The device refused the image's size: make it smaller or change the partitions"),
    ("Could Not Activate", "ota_not_activated", False, "The image is damaged or for another chip: check the build's board"),
    ("Partition Could Not be Found", "ota_no_partition", False, "The device has no second slot: flash a partition table with two by cable"),
    ("Flash Write Failed", "ota_flash_failed", True, "The device's flash refused; if it stays so, the device is worn or damaged"),
    ("Flash Erase Failed", "ota_flash_failed", True, "The device's flash refused; if it stays so, the device is worn or damaged"),
    ("Flash Read Failed", "ota_flash_failed", True, "The device's flash refused; if it stays so, the device is worn or damaged"),
    ("Aborted", "ota_aborted", True, "The transfer broke off: check the radio link"),
)


def flash(
    host: str,
    port: int,
    image: bytes,
    *,
    file_name: str = "firmware.bin",
    password: str | None = None,
    listen: tuple[str, int] = ("", 0),
    patience: Patience = Patience(),
    progress: Progress = lambda done, total: None,
) -> Receipt:
    """
    Send *image* to the device at *host*:*port* and return once it has confirmed it with OK; it restarts a moment later.

    *listen* is where the device connects back to: fix the port where a firewall stands between.
    *progress* is told (bytes the device has taken, bytes in all), about once for each of its reads.

    Raises:
        Passing: no answer, no connection, a broken transfer: nothing was activated, except where `output["uncertain"]` is true.
        Lasting: a password, an image or a slot that will not fit next time either.
    """
    listener = _listener(listen)
    with listener:
        address = _resolved(host, port)
        invitation = f"{FLASH} {listener.getsockname()[1]} {len(image)} {hashlib.md5(image).hexdigest()}\n".encode()
        invitations, authenticated = _invite(address, invitation, patience, password, file_name, image)
        listener.settimeout(patience.connect_back_s)
        connection = _connected_back(listener, address[0], patience)
    with connection:
        _send(connection, image, patience, progress)
    return Receipt(bytes_sent=len(image), invitations=invitations, authenticated=authenticated)


def _listener(listen: tuple[str, int]) -> socket.socket:
    try:
        return socket.create_server(listen, backlog=1)
    except OSError as error:
        raise Passing(
            "ota_port_taken",
            f"cannot listen on port {listen[1]} for the device: {error}",
            fix="Free the port, or choose another with K1_OTA_HOST_PORT",
        ) from None


def _resolved(host: str, port: int) -> tuple[str, int]:
    try:
        found = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)[0][4]
    except OSError as error:
        raise Passing("device_unresolved", f"no address found for device {host!r}: {error}", fix="Check the name, or give its IP address") from None
    return str(found[0]), int(found[1])


def _invite(address: tuple[str, int], invitation: bytes, patience: Patience, password: str | None, file_name: str, image: bytes) -> tuple[int, bool]:
    """Invite until the device says OK, proving the password when it asks; (invitations sent, whether it asked)."""
    digests = ["sha256", "md5"]  # how the sketch may have stored its password, newest first
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        for attempt in range(1, patience.invitations + 1):
            reply = _asked(sock, invitation, patience.invitation_s)
            if reply == "OK":
                return attempt, False
            if reply.startswith("AUTH "):
                nonce = reply.removeprefix("AUTH ")
                digest = "md5" if len(nonce) == 32 else digests.pop(0)
                answer = _proof(nonce, digest, _needed(password), f"{file_name}{len(image)}{hashlib.md5(image).hexdigest()}{address[0]}")
                verdict = _asked(sock, answer, patience.connect_back_s)
                if verdict == "OK":
                    return attempt, True
                if verdict and (len(nonce) == 32 or not digests):
                    raise Lasting("ota_auth_failed", f"the device refused the update password: {verdict!r}", fix="Correct K1_OTA_PASSWORD")
            elif reply:
                raise Passing("ota_unexpected_reply", f"the device answered the invitation with {reply!r}, expected OK or AUTH")
    raise Passing(
        "ota_no_reply",
        f"no reply from {address[0]}:{address[1]} to {patience.invitations} invitations",
        fix="Check that the device is on, in the same network, and that its firmware runs ArduinoOTA on that UDP port",
    )


def _asked(sock: socket.socket, packet: bytes, within_s: float) -> str:
    """The answer to *packet*, or an empty string when none came in time."""
    deadline = time.monotonic() + within_s
    try:
        sock.settimeout(within_s)
        sock.send(packet)
        return sock.recv(256).decode("ascii", "replace").strip()
    except TimeoutError:
        return ""
    except OSError:
        # The port is closed for the moment, as while the device restarts: use the time left, then ask again.
        time.sleep(max(0.0, deadline - time.monotonic()))
        return ""


def _needed(password: str | None) -> str:
    if password is None:
        raise Lasting("ota_password_needed", "the device asks for an update password and none is configured", fix="Set K1_OTA_PASSWORD")
    return password


def _proof(nonce: str, digest: str, password: str, about: str) -> bytes:
    """The answer to a challenge; a nonce of 32 digits wants the MD5 scheme, one of 64 the PBKDF2 scheme of core 3.3.1 and later."""
    if len(nonce) == 32:
        cnonce = hashlib.md5(about.encode()).hexdigest()
        return f"200 {cnonce} {md5_response(password, nonce, cnonce)}\n".encode()
    if len(nonce) == 64:
        cnonce = hashlib.sha256(about.encode()).hexdigest()
        return f"200 {cnonce} {pbkdf2_response(password, nonce, cnonce, digest)}\n".encode()
    raise Lasting("ota_unknown_challenge", f"the device's challenge has {len(nonce)} characters, expected 32 or 64")


def md5_response(password: str, nonce: str, cnonce: str) -> str:
    """The proof of *password* in the scheme of cores before 3.3.1."""
    return hashlib.md5(f"{hashlib.md5(password.encode()).hexdigest()}:{nonce}:{cnonce}".encode()).hexdigest()


def pbkdf2_response(password: str, nonce: str, cnonce: str, digest: str = "sha256") -> str:
    """The proof of *password* in the scheme of core 3.3.1 and later; *digest* is how the sketch stored its password."""
    stored = hashlib.new(digest, password.encode()).hexdigest()
    key = hashlib.pbkdf2_hmac("sha256", stored.encode(), f"{nonce}:{cnonce}".encode(), PBKDF2_ROUNDS, 32).hex()
    return hashlib.sha256(f"{key}:{nonce}:{cnonce}".encode()).hexdigest()


def _connected_back(listener: socket.socket, device: str, patience: Patience) -> socket.socket:
    deadline = time.monotonic() + patience.connect_back_s
    while (left := deadline - time.monotonic()) > 0:
        listener.settimeout(left)
        try:
            connection, peer = listener.accept()
        except TimeoutError:
            break
        if peer[0] == device:
            return connection
        connection.close()  # a stranger: only the invited device may read the image
    raise Passing(
        "ota_no_connect_back",
        f"the device accepted the update but did not connect to us within {patience.connect_back_s:g} s",
        fix="Let its connection through the firewall (fix the port with K1_OTA_HOST_PORT); or the image does not fit its slot",
    )


class Heard:
    """
    What the device has said on the connection: acknowledgements, then perhaps its *verdict*.

    Each acknowledgement is the decimal size of one read, none above 1460, and nothing stands between two: "1021460" may be 1021 and 460, or
    102 and 1460. *taken* is the most that the digits can mean, so that a device which took every byte is never thought not to have.
    """

    def __init__(self) -> None:
        self.taken = 0
        self.verdict = ""
        self._digits = ""
        self._most = [0.0]  # by number of digits read as whole numbers; minus infinity where they cannot be

    def hear(self, text: str) -> None:
        for character in text:
            if self.verdict or not character.isdigit():
                self.verdict += character
                continue
            self._digits += character
            ends = [(self._most[-width], self._digits[-width:]) for width in range(1, min(4, len(self._digits)) + 1)]
            self._most.append(
                max((most + int(number) for most, number in ends if 0 < int(number) <= DEVICE_READ_BYTES and number[0] != "0"), default=-math.inf)
            )
            self.taken = max(self.taken, int(max(self._most[-1], 0)))


def _send(connection: socket.socket, image: bytes, patience: Patience, progress: Progress) -> None:
    """Send everything and read what the device says meanwhile, without expecting its words to arrive one by one."""
    connection.setblocking(False)
    unsent, heard, quiet_since = memoryview(image), Heard(), time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while True:
            limit_s = patience.verdict_s if heard.taken >= len(image) else patience.silence_s
            left = quiet_since + limit_s - time.monotonic()
            if left <= 0:
                raise _went_quiet(heard, len(image), limit_s)
            for _, events in selector.select(left):
                if events & selectors.EVENT_WRITE and unsent:
                    unsent = unsent[_sent(connection, unsent) :]
                    if not unsent:
                        selector.modify(connection, selectors.EVENT_READ)
                if events & selectors.EVENT_READ and (words := _words(connection)) is not None:
                    heard.hear(words)
                    quiet_since = time.monotonic()
                    progress(min(heard.taken, len(image)), len(image))
                    if _settled(heard, closed=not words, all_sent=not unsent, total=len(image)):
                        return


def _sent(connection: socket.socket, unsent: memoryview) -> int:
    try:
        return connection.send(unsent[:CHUNK_BYTES])
    except OSError:
        return 0  # not now, or closed: then the next read tells why


def _words(connection: socket.socket) -> str | None:
    """What the device said; an empty string when it has closed, None when there was nothing after all."""
    try:
        return connection.recv(4096).decode("ascii", "replace")
    except BlockingIOError:
        return None
    except OSError:
        return ""


def _settled(heard: Heard, *, closed: bool, all_sent: bool, total: int) -> bool:
    """True when the device has said OK; false while it may still speak."""
    verdict = heard.verdict.strip()
    if verdict == "OK" and all_sent:
        return True
    for text, code, may_retry, fix in _VERDICTS:
        if text in verdict:
            raise (Passing if may_retry else Lasting)(code, f"the device ended the update: {verdict!r}", fix=fix)
    if not closed:
        return False
    if verdict:
        raise Passing("ota_refused", f"the device ended the update with words we do not know: {verdict!r}")
    if all_sent and heard.taken >= total:
        raise _no_verdict("closed the connection after the last byte without saying OK")
    raise Passing(
        "ota_connection_lost",
        f"the connection broke after about {heard.taken} of {total} bytes",
        fix="Check the radio link and the device's power",
    )


def _went_quiet(heard: Heard, total: int, limit_s: float) -> FirmwareError:
    if heard.taken >= total:
        return _no_verdict(f"said nothing for {limit_s:g} s after the last byte")
    return Passing(
        "ota_stalled",
        f"the device took about {heard.taken} of {total} bytes, then nothing for {limit_s:g} s",
        fix="Check the radio link; a device whose main loop is busy takes no data either",
    )


def _no_verdict(what: str) -> Passing:
    return Passing(
        "ota_no_verdict",
        f"the device took every byte but {what}; it may run the new firmware or the old",
        fix="Ask it who it is",
        uncertain=True,
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m batuta_firmware.espota", description="Send firmware to a device over the air.")
    parser.add_argument("-i", "--ip", "--device", dest="device", required=True, help="the device's name or IP address")
    parser.add_argument("-p", "--port", type=int, default=3232, help="its UDP port (default: %(default)s)")
    parser.add_argument("-I", "--host-ip", default="", help="our address to listen on (default: all)")
    parser.add_argument("-P", "--host-port", type=int, default=0, help="our port to listen on (default: any)")
    parser.add_argument("-a", "--auth", help="the update password")
    parser.add_argument("-f", "--file", type=Path, required=True, help="the firmware.bin")
    parser.add_argument("-t", "--timeout", type=float, default=2.0, help="seconds for each of ten invitations (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        receipt = flash(
            options.device,
            options.port,
            options.file.read_bytes(),
            file_name=options.file.name,
            password=options.auth,
            listen=(options.host_ip, options.host_port),
            patience=Patience(invitation_s=options.timeout),
        )
    except (FirmwareError, OSError) as error:
        print(f"error: {error.reason if isinstance(error, FirmwareError) else error}", file=sys.stderr)
        return 1
    print(f"sent {receipt.bytes_sent} bytes; the device confirmed them")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
