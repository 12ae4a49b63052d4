"""Keys, tokens, and servers that know neither."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from conductor_fake import ConductorFake

from batuta.client import Denied, SyncClient, Unavailable


@pytest.fixture
def guarded() -> Iterator[ConductorFake]:
    server = ConductorFake(has_auth=True).start()
    yield server
    server.stop()


def test_a_token_is_fetched_once_and_sent_with_each_call(guarded: ConductorFake) -> None:
    client = SyncClient(guarded.url, key_id="key", key_secret="secret")
    client.version()
    client.version()
    assert len(guarded.seen("POST /token")) == 1
    assert {request.headers.get("x-authorization") for request in guarded.seen("GET /version")} == guarded.tokens


def test_an_expired_token_is_renewed_and_the_call_sent_again(guarded: ConductorFake) -> None:
    client = SyncClient(guarded.url, key_id="key", key_secret="secret")
    client.version()
    guarded.expire_tokens()
    assert client.version() == "3.32.1"
    assert len(guarded.seen("POST /token")) == 2


def test_many_threads_renew_an_expired_token_once(guarded: ConductorFake) -> None:
    client = SyncClient(guarded.url, key_id="key", key_secret="secret", connections=8)
    client.version()
    guarded.expire_tokens()
    answers: list[str] = []
    with guarded.held("GET /version"):
        threads = [threading.Thread(target=lambda: answers.append(client.version())) for _ in range(8)]
        for thread in threads:
            thread.start()
        guarded.wait_until(lambda: len(guarded.seen("GET /version")) == 9, "all eight calls with the old token")
    for thread in threads:
        thread.join(20)
    assert answers == ["3.32.1"] * 8
    assert len(guarded.seen("POST /token")) == 2


def test_a_wrong_secret_is_denied(guarded: ConductorFake) -> None:
    with pytest.raises(Denied, match="POST /token: 401: the key is not known"):
        SyncClient(guarded.url, key_id="key", key_secret="wrong").version()


def test_no_credentials_are_denied_without_asking_for_a_token(guarded: ConductorFake) -> None:
    with pytest.raises(Denied, match="GET /version: 401"):
        SyncClient(guarded.url).version()
    assert not guarded.seen("POST /token")


def test_a_server_without_tokens_is_spoken_to_anonymously(fake: ConductorFake) -> None:
    client = SyncClient(fake.url, key_id="key", key_secret="secret")
    assert client.version() == client.version() == "3.32.1"
    assert len(fake.seen("POST /token")) == 1
    assert all("x-authorization" not in request.headers for request in fake.requests)


def test_a_refusal_that_is_not_about_the_token_is_not_repeated(guarded: ConductorFake) -> None:
    client = SyncClient(guarded.url, key_id="key", key_secret="secret")
    guarded.fault("GET /version", 403, {"status": 403, "message": "not yours", "error": "FORBIDDEN"})
    with pytest.raises(Denied, match="not yours"):
        client.version()
    assert len(guarded.seen("GET /version")) == 1


def test_credentials_come_from_the_environment(guarded: ConductorFake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", guarded.url)
    monkeypatch.setenv("CONDUCTOR_AUTH_KEY", "key")
    monkeypatch.setenv("CONDUCTOR_AUTH_SECRET", "secret")
    assert SyncClient().version() == "3.32.1"


def test_half_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="both key_id and key_secret"):
        SyncClient(key_id="key")


def test_a_token_that_cannot_be_fetched_is_unavailable(guarded: ConductorFake) -> None:
    guarded.fault("POST /token", 503, b"")
    client = SyncClient(guarded.url, key_id="key", key_secret="secret")
    with pytest.raises(Unavailable):
        client.version()
    assert client.version() == "3.32.1"


def test_a_secret_is_not_shown() -> None:
    client = SyncClient(key_id="key", key_secret="hidden-secret")
    session = client.transport._session
    assert "hidden-secret" not in repr(session._credentials) + repr(client)
