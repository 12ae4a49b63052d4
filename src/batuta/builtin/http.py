"""
HTTP: call a web service for a task, and make its answer the task's output.

Here: the course of one call, from the task's input through redirects to the result. Its steps live next door: http_request.py (what is sent),
http_uri.py (where to), http_pool.py (over which connection), guard.py (whether one may go there), http_answer.py (what came back).
Not here: queues, threads and retries; those are the engine's and the task definition's.
Source: conductor-semantics.md §4.14 and the recorded runs of a Conductor server, whose wording errors keep.
"""

from __future__ import annotations

import http.client
import ssl
import time
from typing import Any, Final, Literal

import msgspec
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import HTTPResponse

from batuta.builtin.guard import AddressGuard, Refused, system_resolver
from batuta.builtin.http_answer import ERROR_BODY_BYTES_MAX, Answer, BodyBroken, BodyTooLarge, error_text, read_body, read_headers
from batuta.builtin.http_pool import Clock, Connection, ConnectionPool, NoRoom
from batuta.builtin.http_request import IDEMPOTENT, HttpRequest, io_error, read_request
from batuta.builtin.http_uri import CallFailed, IoFailed, follow

Json = dict[str, Any]
Status = Literal["COMPLETED", "IN_PROGRESS", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "DEFERRED"]

PER_HOST_MAX: Final = 16
CONNECTIONS_MAX: Final = 64
RESPONSE_BYTES_MAX: Final = 10 * 1024 * 1024
REDIRECTS_MAX: Final = 20
CALL_S_MAX: Final = 600.0
WAIT_S: Final = 1.0


class HttpCall(msgspec.Struct, frozen=True):
    """
    What became of a task.

    IN_PROGRESS: an asyncComplete task was answered and awaits its update from outside. FAILED_WITH_TERMINAL_ERROR: a retry would end the same way.
    DEFERRED: not the task's fault (its host has all the calls it may have, or this worker is closing): report nothing, offer the task again later.
    """

    status: Status
    output: Json
    reason: str | None = None


class HttpWorker:
    """
    Makes HTTP calls for tasks. Blocking and thread-safe: one worker serves all threads.

    *guard* judges every address before it is connected to (None: all are open). At most *per_host_max* calls to one scheme, host and port run at
    once, and *connections_max* in all; a call that finds no place within *wait_s* is DEFERRED, so that one slow host cannot hold every thread.
    A call takes at most *call_s_max* in all, redirects and all, whatever times the task asks for. *tls*, which
    becomes this worker's alone, replaces the one that trusts what the system trusts.
    """

    def __init__(
        self,
        *,
        guard: AddressGuard | None,
        per_host_max: int = PER_HOST_MAX,
        connections_max: int = CONNECTIONS_MAX,
        response_bytes_max: int = RESPONSE_BYTES_MAX,
        redirects_max: int = REDIRECTS_MAX,
        call_s_max: float = CALL_S_MAX,
        wait_s: float = WAIT_S,
        tls: ssl.SSLContext | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        resolve = guard.resolve if guard else system_resolver
        self._pool = ConnectionPool(resolve, per_host_max=per_host_max, connections_max=connections_max, tls=tls, clock=clock)
        self._response_bytes_max = response_bytes_max
        self._redirects_max = redirects_max
        self._call_s_max = call_s_max
        self._wait_s = wait_s
        self._clock = clock

    def call(self, task_input: Json, *, async_complete: bool = False) -> HttpCall:
        """Make the call the evaluated input of a task asks for, and say what becomes of the task. Whatever the network does is a result, not an error."""
        try:
            request = read_request(task_input)
            answer = self._answer_of(request)
        except CallFailed as error:
            return _failed(error)
        except NoRoom as error:
            return HttpCall("DEFERRED", {}, str(error))
        if answer.status >= 400:
            return _failed(CallFailed(error_text(request.method, request.target.shown, answer)))
        output = {"response": answer.as_output()}
        if not 200 <= answer.status < 300:
            return HttpCall("FAILED", output, "No response from the remote service")
        return HttpCall("IN_PROGRESS" if async_complete else "COMPLETED", output)

    def exchange(self, request: HttpRequest) -> Answer:
        """
        The answer of exactly this request: nothing is followed, nothing tried again.

        Raises:
            CallFailed, IoFailed: there was none; the text says why.
            NoRoom: there was no connection for it, or the worker closed under it.
        """
        return self._exchange(request, self._clock() + self._call_s_max, self._wait_s)

    def close(self) -> None:
        """Make no more calls; those under way are broken off and end DEFERRED. Safe to call again."""
        self._pool.close()

    def _answer_of(self, request: HttpRequest) -> Answer:
        """
        The last answer of *request* and what it redirects to.

        Raises:
            CallFailed: no answer, one too large, or one redirect too many; told of the first request, as Conductor does.
            NoRoom: there was no connection for it, or the worker closed under it.
        """
        try:
            return self._follow(request)
        except IoFailed as error:
            raise io_error(request.method, request.target.shown, error) from error
        except (Refused, BodyTooLarge) as error:
            raise CallFailed(str(error), is_terminal=True) from error

    def _follow(self, request: HttpRequest) -> Answer:
        deadline = self._clock() + self._call_s_max
        seen: set[tuple[str, str]] = set()
        wait_s = self._wait_s
        for _ in range(self._redirects_max + 1):
            answer = self._exchange(request, deadline, wait_s)
            if not answer.location:
                return answer
            request = request.redirected(answer.status, follow(request.target, answer.location))
            place = (request.method, request.target.url)
            if place in seen:
                raise IoFailed(f"Circular redirect to '{request.target.shown}'")
            seen.add(place)
            # Half of the work is done: rather wait for the second half than do the first one again.
            wait_s = max(deadline - self._clock(), 0)
        raise IoFailed(f"Maximum redirects ({self._redirects_max}) exceeded")

    def _exchange(self, request: HttpRequest, deadline: float, wait_s: float) -> Answer:
        """One request and its whole answer, over a connection that is given back whatever happens."""
        connection = self._pool.take(request.target.origin, wait_s)
        limits = connection.limits
        limits.connect_s, limits.read_s, limits.deadline = request.connect_s, request.read_s, deadline
        try:
            response = self._head(connection, request)
            answer = self._whole(response, deadline)
            if response.closed and answer.status >= 200:
                connection.keep(response.headers.get("Keep-Alive", ""))
            return answer
        except (CallFailed, IoFailed) as error:
            if self._pool.is_closed:
                raise NoRoom("the HTTP worker is stopping") from error
            raise
        finally:
            self._pool.give_back(connection)

    def _head(self, connection: Connection, request: HttpRequest) -> HTTPResponse:
        """The answer without its body. A kept connection may have been ended by the other side as it was used: then once more on a new one."""
        is_kept = connection.is_open
        try:
            try:
                return connection.ask(request)
            except (ConnectionError, http.client.BadStatusLine):
                if not is_kept or request.method not in IDEMPOTENT or self._pool.is_closed:
                    raise
            connection.close()
            return connection.ask(request)
        except (OSError, HTTPError, http.client.HTTPException) as error:
            raise IoFailed(self._cause(error, connection)) from error

    def _whole(self, response: HTTPResponse, deadline: float) -> Answer:
        """The answer with its body; of a body that is only told of, at most the beginning."""
        is_success = 200 <= response.status < 300
        limit = self._response_bytes_max if is_success else ERROR_BODY_BYTES_MAX
        try:
            body = read_body(response, limit, is_cut=not is_success)
        except (HTTPError, BodyBroken) as error:
            kind = response.headers.get("Content-Type", "application/octet-stream")
            cause = str(error)
            if isinstance(error, ReadTimeoutError):
                cause = "Read timed out" if self._clock() < deadline else self._too_long()
            wrong = f"Error while extracting response for type [class java.lang.String] and content type [{kind}]: {cause}"
            raise CallFailed(f"java.lang.Exception: {wrong}") from error
        return Answer(response.status, response.reason or "", read_headers(response), body)

    def _cause(self, error: Exception, connection: Connection) -> str:
        """What kept an answer from beginning, in Conductor's words where it has some."""
        origin = connection.origin
        match error:
            case TimeoutError() if self._clock() >= connection.limits.deadline:
                return self._too_long()
            case TimeoutError():
                return "Read timed out" if connection.is_open else f"Connect to {origin.scheme}://{origin} failed: Connect timed out"
            case ssl.SSLCertVerificationError():
                return f"the certificate of {origin} is not accepted: {error.verify_message}"
            case ssl.SSLError():
                return f"TLS with {origin} failed: {(error.reason or str(error)).replace('_', ' ').lower()}"
            case http.client.RemoteDisconnected():
                return f"{origin} failed to respond"
            case OSError():
                return error.strerror or str(error)
            case _:
                return f"{origin} failed to respond in HTTP: {str(error).strip()[:200]!r}"

    def _too_long(self) -> str:
        return f"the call took longer than the {self._call_s_max:g} s this server gives one"


def _failed(error: CallFailed) -> HttpCall:
    text = str(error)
    status: Status = "FAILED_WITH_TERMINAL_ERROR" if error.is_terminal else "FAILED"
    if error.is_bare:
        return HttpCall(status, {}, text)
    return HttpCall(status, {"response": text}, f"Failed to invoke HTTP task due to: {text}")
