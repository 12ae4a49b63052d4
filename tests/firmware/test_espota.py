"""Sending firmware: the proofs of a password, the device's words, and every way a transfer can go wrong."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import forge
import pytest
from firmware_kit import HASTE
from hypothesis import given
from hypothesis import strategies as st

from batuta_firmware import espota
from batuta_firmware.errors import FirmwareError, Lasting
from batuta_firmware.twin import Twin

MakeTwin = Callable[..., Twin]
IMAGE = forge.image(pad=20_000)


def test_the_md5_proof_of_cores_before_3_3_1() -> None:
    assert espota.md5_response("admin", "0" * 32, "f" * 32) == "81fcd3b16e6972aa4a0ee1f3c5054a73"


def test_the_pbkdf2_proof_of_core_3_3_1_and_later() -> None:
    response = espota.pbkdf2_response("a-real-password", "ab" * 32, "cd" * 32)
    assert response == "4d63ba8b1efa8949a0c5caefe7e8bc77db582e5531bdf2667c663394b4551b93"


#    what the device said            bytes    verdict
SAID = [
    ("",                             0,       ""),
    ("1024",                         1024,    ""),
    ("10241024",                     2048,    ""),
    ("1460146080OK",                 3000,    "OK"),
    ("348OK",                        348,     "OK"),
    ("1024MD5 Check Failed\r\n",     1024,    "MD5 Check Failed\r\n"),
    ("OK",                           0,       "OK"),
    ("1021460",                      1562,    ""),
    ("5881460",                      2048,    ""),
    ("1" * 8,                        2222,    ""),
    ("007",                          0,       ""),
]  # fmt: skip


@pytest.mark.parametrize("pieces", [1, 3, 100], ids=["letter by letter", "in threes", "at once"])
@pytest.mark.parametrize(("said", "taken", "verdict"), SAID)
def test_acknowledgements_are_counted_although_nothing_delimits_them(said: str, taken: int, verdict: str, pieces: int) -> None:
    heard = espota.Heard()
    for at in range(0, len(said), pieces):
        heard.hear(said[at : at + pieces])
    assert (heard.taken, heard.verdict) == (taken, verdict)


@given(st.lists(st.integers(1, espota.DEVICE_READ_BYTES), max_size=40))
def test_what_was_taken_is_never_thought_less(reads: list[int]) -> None:
    heard = espota.Heard()
    heard.hear("".join(str(read) for read in reads))
    assert heard.taken >= sum(reads)


def test_a_confirmed_transfer_is_told_step_by_step(make_twin: MakeTwin) -> None:
    twin, steps = make_twin(), list[tuple[int, int]]()
    receipt = espota.flash("127.0.0.1", twin.ota.port, IMAGE, progress=lambda done, total: steps.append((done, total)))
    assert receipt == espota.Receipt(bytes_sent=len(IMAGE), invitations=1, authenticated=False)
    assert steps[-1] == (len(IMAGE), len(IMAGE))
    assert steps == sorted(steps)
    assert twin.device.wait_until(lambda: (now := twin.device.snapshot()) is not None and now.identity == forge.COMMIT, 5)


@pytest.mark.parametrize(("auth", "md5_stored"), [("md5", False), ("pbkdf2", False), ("pbkdf2", True)])
def test_a_password_is_proven(make_twin: MakeTwin, auth: str, md5_stored: bool) -> None:
    twin = make_twin(auth=auth, password="sesame", md5_stored=md5_stored)
    receipt = espota.flash("127.0.0.1", twin.ota.port, IMAGE, password="sesame", patience=HASTE)
    assert receipt.authenticated


@pytest.mark.parametrize("auth", ["md5", "pbkdf2"])
@pytest.mark.parametrize(("password", "code"), [("wrong", "ota_auth_failed"), (None, "ota_password_needed")])
def test_a_wrong_or_missing_password_is_final(make_twin: MakeTwin, auth: str, password: str | None, code: str) -> None:
    twin = make_twin(auth=auth, password="sesame")
    with pytest.raises(Lasting) as caught:
        espota.flash("127.0.0.1", twin.ota.port, IMAGE, password=password, patience=HASTE)
    assert caught.value.code == code
    assert twin.ota.transfers == 0


FAULTS = [
    # what goes wrong                        our code              again?   uncertain?
    ({"lose_invitations": 9},                "ota_no_reply",        True,   False),
    ({"offline": True},                      "ota_no_reply",        True,   False),
    ({"refuse_connect_back": 1},             "ota_no_connect_back", True,   False),
    ({"drop_at": 5000},                      "ota_connection_lost", True,   False),
    ({"stall_at": 5000},                     "ota_stalled",         True,   False),
    ({"power_cut_at": 5000},                 "ota_connection_lost", True,   False),
    ({"corrupt": 1},                         "ota_md5_mismatch",    True,   False),
    ({"no_verdict": 1},                      "ota_no_verdict",      True,   True),
]  # fmt: skip


@pytest.mark.parametrize(("faults", "code", "again", "uncertain"), FAULTS, ids=[next(iter(row[0])) for row in FAULTS])
def test_each_fault_is_told_apart_and_comes_with_advice(make_twin: MakeTwin, faults: dict[str, int], code: str, again: bool, uncertain: bool) -> None:
    twin = make_twin(**faults)
    with pytest.raises(FirmwareError) as caught:
        espota.flash("127.0.0.1", twin.ota.port, IMAGE, patience=HASTE)
    assert (caught.value.code, caught.value.may_retry) == (code, again)
    assert bool(caught.value.output.get("uncertain")) is uncertain
    assert caught.value.fix


IMAGES = [
    ("another chip",    forge.image(chip=9),          "ota_not_activated"),
    ("no image",        b"\x7fELF" * 3000,            "ota_wrong_magic"),
    ("a short non-image", b"hello",                   "ota_wrong_magic"),
    ("a damaged image", IMAGE[:-1] + b"\0",           "ota_not_activated"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "data", "code"), IMAGES, ids=[row[0] for row in IMAGES])
def test_an_image_the_device_refuses_is_final(make_twin: MakeTwin, what: str, data: bytes, code: str) -> None:
    twin = make_twin()
    with pytest.raises(Lasting) as caught:
        espota.flash("127.0.0.1", twin.ota.port, data, patience=HASTE)
    assert caught.value.code == code


def test_an_image_larger_than_the_slot_meets_silence(make_twin: MakeTwin) -> None:
    twin = make_twin(slot_bytes=1000)
    with pytest.raises(FirmwareError) as caught:
        espota.flash("127.0.0.1", twin.ota.port, IMAGE, patience=HASTE)
    assert caught.value.code == "ota_no_connect_back"
    assert "does not fit its slot" in caught.value.reason


def test_lost_invitations_are_repeated_until_the_last_counts(make_twin: MakeTwin) -> None:
    twin = make_twin(lose_invitations=2)
    assert espota.flash("127.0.0.1", twin.ota.port, IMAGE, patience=HASTE).invitations == 3


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(FirmwareError) as caught:
        espota.flash("127.0.0.1", 9, IMAGE, listen=("127.0.0.1", other.getsockname()[1]), patience=HASTE)
    assert caught.value.code == "ota_port_taken"
    assert "K1_OTA_HOST_PORT" in caught.value.reason


def test_only_the_invited_device_may_fetch_the_image() -> None:
    """A stranger who finds our port first is turned away; the device itself is let in after it."""
    heard: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.bind(("127.0.0.2", 0))

        def behave() -> None:
            packet, sender = device.recvfrom(512)
            port = int(packet.split()[1])
            with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.3", 0)) as stranger:
                device.sendto(b"OK", sender)
                heard.append(stranger.recv(10))
            with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0)) as own:
                own.recv(100, socket.MSG_WAITALL)
                own.sendall(b"100OK")

        thread = threading.Thread(target=behave, daemon=True)
        thread.start()
        receipt = espota.flash("127.0.0.2", device.getsockname()[1], bytes(100), patience=espota.Patience(invitation_s=3))
        thread.join(5)
    assert receipt.bytes_sent == 100
    assert heard == [b""]


def test_the_program_takes_the_stock_scripts_options(make_twin: MakeTwin, tmp_path: Path) -> None:
    twin = make_twin()
    (tmp_path / "firmware.bin").write_bytes(IMAGE)
    command = [sys.executable, "-m", "batuta_firmware.espota", "-i", "127.0.0.1", "-p", str(twin.ota.port), "-f", str(tmp_path / "firmware.bin")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    twin.faults.set(corrupt=1)
    failed = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert failed.returncode == 1
    assert "MD5 Check Failed" in failed.stderr
