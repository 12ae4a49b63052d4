"""Stored secrets: across restarts, lost keys, replaced keys, and crashes in between."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from eventwork import World, play, start_workflow, task

from batuta.core.expr.secrets import resolve_secrets
from batuta.engine.actions import Message
from batuta.engine.clock import ManualClock
from batuta.engine.environment import Environment
from batuta.engine.keyring import Keyring
from batuta.engine.secrets import FORMER_MAX, Secrets
from batuta.errors import Conflict, NotFound, ReadOnly, SecretUnreadable, Unavailable
from batuta.store import open_store
from batuta.store.protocol import Document
from batuta.wire.schedule import read_schedule

T = TypeVar("T")
VALUE = "value-of-the-secret"


class Place:
    """A data directory with its store; `start` is a new server on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.key = path / "secrets.key"
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.given: dict[str, str] = {}
        self.store = open_store(f"sqlite:///{path / 'b.db'}")
        self.run(self.store.open())

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self.runner.run(awaited())

    def start(self, *keys: bytes) -> Secrets:
        secrets = Secrets(self.store, self.clock, Keyring(keys, path=self.key), environment=self.given)
        self.run(secrets.load())
        return secrets

    def bytes(self) -> bytes:
        return b"".join(file.read_bytes() for file in self.path.glob("b.db*"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.run(made.store.close())
    made.runner.close()


def test_a_secret_outlives_the_server_and_is_nowhere_in_the_file(place: Place) -> None:
    first = place.start()
    assert not place.key.exists()
    place.run(first.put("TOKEN", VALUE))
    place.run(first.put("GONE", VALUE + "-gone"))
    place.run(first.delete("GONE"))
    assert place.start().get("TOKEN") == VALUE and place.start().get("GONE") is None
    assert VALUE.encode() not in place.bytes() and place.start().names() == ["TOKEN"]


def test_without_its_key_a_secret_has_a_name_and_no_value(place: Place) -> None:
    first = place.start()
    place.run(first.put("TOKEN", VALUE))
    place.key.rename(place.path / "elsewhere")
    lost = place.start()
    with pytest.raises(SecretUnreadable, match=rf"secret 'TOKEN' cannot be read: it was sealed with key \w+; the key file {place.key} is not there"):
        lost.get("TOKEN")
    assert lost.names() == ["TOKEN"] and lost.exists("TOKEN") and not lost.mask(["TOKEN"])
    with pytest.raises(Conflict, match="secret 'OTHER' is not stored while 'TOKEN' cannot be read"):
        place.run(lost.put("OTHER", VALUE))
    with pytest.raises(Conflict, match="the key stays"):
        place.run(lost.rotate())
    assert not place.key.exists()
    (place.path / "elsewhere").rename(place.key)
    assert place.start().get("TOKEN") == VALUE


def test_what_cannot_be_read_can_be_replaced_or_deleted(place: Place) -> None:
    place.run(place.start().put("TOKEN", VALUE))
    place.key.unlink()
    other = place.start()
    place.run(other.put("TOKEN", "anew"))
    assert place.start().get("TOKEN") == "anew"
    place.key.unlink()
    other = place.start()
    place.run(other.delete("TOKEN"))
    place.run(other.put("OTHER", VALUE))
    assert place.start().names() == ["OTHER"]


def test_a_document_that_was_moved_to_another_name_does_not_open(place: Place) -> None:
    first = place.start()
    place.run(first.put("LOW", VALUE)), place.run(first.put("HIGH", "high-" + VALUE))
    [high, low] = place.run(place.store.documents("secret"))

    async def move() -> None:
        await place.store.put([Document("secret", low.key, 0, high.body)])

    place.run(move())
    with pytest.raises(SecretUnreadable, match="was changed, or belongs to another name"):
        place.start().get("LOW")


def test_rotation_seals_all_anew(place: Place) -> None:
    first = place.start()
    place.run(first.put("A", VALUE)), place.run(first.put("B", VALUE))
    old, documents = place.key.read_text(), place.run(place.store.documents("secret"))
    assert place.run(first.rotate()) == 2
    assert place.key.read_text() != old and len(Keyring(path=place.key)) == 1
    assert all(a.body != b.body for a, b in zip(documents, place.run(place.store.documents("secret")), strict=True))
    again = place.start()
    assert (again.get("A"), again.get("B")) == (VALUE, VALUE)


def test_a_rotation_that_crashed_is_finished_by_the_next_start(place: Place) -> None:
    first = place.start()
    place.run(first.put("A", VALUE))
    first.ring.begin_rotation()  # both keys are in the file, the document is still under the old one
    second = place.start()
    assert second.get("A") == VALUE and len(second.ring) == 1 == len(Keyring(path=place.key))
    second.ring.begin_rotation()
    place.run(second._seal_anew())  # and here: sealed anew, the old key not yet forgotten
    assert place.start().get("A") == VALUE


def test_a_store_that_does_not_answer_leaves_a_rotation_to_be_finished(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first = place.start()
    place.run(first.put("A", VALUE))

    async def refuses(*_: object) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(first, "_keep", refuses)
    with pytest.raises(Unavailable):
        place.run(first.rotate())
    monkeypatch.undo()
    assert first.get("A") == VALUE and len(first.ring) == 2
    place.run(first.put("B", VALUE))
    assert (place.start().get("A"), place.start().get("B"), len(Keyring(path=place.key))) == (VALUE, VALUE, 1)


def test_a_given_key_is_replaced_by_giving_both(place: Place) -> None:
    old, new = bytes(32), bytes(range(32))
    place.run(place.start(old).put("A", VALUE))
    assert place.start(new, old).get("A") == VALUE and place.start(new).get("A") == VALUE
    with pytest.raises(SecretUnreadable):
        place.start(old).get("A")
    assert not place.key.exists()


def test_the_environment_wins(place: Place) -> None:
    secrets = place.start()
    place.run(secrets.put("A", VALUE))
    place.given = {"CONDUCTOR_SECRET_A": "given", "CONDUCTOR_SECRET_ODD": "\udcff", "CONDUCTOR_SECRET_a b": "x"}
    secrets = place.start()
    assert secrets.get("A") == "given" and secrets.names() == ["A", "ODD"] and secrets.stored("A") is None
    with pytest.raises(ReadOnly):
        place.run(secrets.put("A", VALUE))
    with pytest.raises(SecretUnreadable, match="CONDUCTOR_SECRET_ODD is not UTF-8"):
        secrets.get("ODD")
    with pytest.raises(NotFound):
        place.run(secrets.delete("NONE"))


def test_values_a_secret_had_before_are_masked_too(place: Place) -> None:
    secrets = place.start()
    for n in range(FORMER_MAX + 2):
        place.run(secrets.put("A", f"{VALUE}-{n:02}"))
    mask = secrets.mask({"A"})
    assert mask is secrets.mask(["A"]) and secrets.mask([]) is not mask
    last = FORMER_MAX + 1
    assert mask.payload([f"{VALUE}-{last:02}", f"{VALUE}-{last - 1:02}", f"{VALUE}-{last - 8:02}"]) == ["${workflow.secrets.A}", "***", "***"]
    place.run(secrets.delete("A"))
    assert secrets.mask({"A"}).text(f"{VALUE}-{last:02}") == "***" and secrets.mask_all(f"log {VALUE}-{last:02}") == "log ***"


def test_variables_outlive_the_server(place: Place) -> None:
    variables = Environment(place.store, process={})
    place.run(variables.put("CITY", "Brno"))
    again = Environment(place.store, process={"CONDUCTOR_ENV_TOWN": "Zlin"})
    place.run(again.load())
    assert [(name, value) for name, value, _ in again.all()] == [("CITY", "Brno"), ("TOWN", "Zlin")]


def test_a_handler_and_a_schedule_hand_on_the_secrets_they_name_and_no_other() -> None:
    async def scenario(world: World) -> None:
        await world.register("target", task("note", inputParameters={"all": "${workflow.input}"}))
        await world.engine.secrets.put("A", VALUE)
        await world.engine.environment.put("CITY", "Brno")
        given = {"auth": "${workflow.secrets.A}", "said": "${said}", "city": "${workflow.env.CITY}"}
        await world.handler("h", "conductor:shop:out", start_workflow("target", given))
        await world.events.receive(Message("conductor:shop:out", "m1", {"said": "${workflow.secrets.B}"}))
        request = {"name": "target", "version": 1, "input": {"auth": "Key ${workflow.secrets.A}"}}
        await world.schedules.save(read_schedule({"name": "s", "cronExpression": "* * * * * *", "startWorkflowRequest": request}))
        world.clock.advance(1_000)
        await world.settle()
        by_handler, by_schedule = await world.started("target")
        assert by_handler.secrets == by_schedule.secrets == {"A"}
        assert by_handler.head.input["auth"] == "${workflow.secrets.A}" and by_handler.head.input["city"] == "Brno"
        handed = [resolve_secrets(x.by_ref["note"].input, world.engine.tools.secret, x.secrets)["all"] for x in (by_handler, by_schedule)]
        assert (handed[0]["auth"], handed[0]["said"], handed[1]["auth"]) == (VALUE, "${workflow.secrets.B}", f"Key {VALUE}")

    play(scenario)


def test_without_stored_secrets_the_cipher_is_not_loaded(tmp_path: Path) -> None:
    program = """
import asyncio, sys
from batuta.engine.clock import SystemClock
from batuta.engine.keyring import Keyring
from batuta.engine.secrets import Secrets
from batuta.store import open_store

async def main(path):
    store = open_store("memory://")
    await store.open()
    secrets = Secrets(store, SystemClock(), Keyring(path=path / "secrets.key"))
    await secrets.load()
    print("cryptography" in sys.modules, secrets.names(), list(path.iterdir()))
    await secrets.put("A", "value-of-the-secret")
    print("cryptography" in sys.modules)

asyncio.run(main(__import__("pathlib").Path(sys.argv[1])))
"""
    ran = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert ran.stdout.splitlines() == ["False [] []", "True"], ran.stderr
