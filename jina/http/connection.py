"""One connection: one request at a time, within the limits, and from those who may ask.

A subclass of uvicorn's protocol that adds what uvicorn lacks: deadlines for heads and bodies,
sizes, the rules of `jina.http.access`, errors as JSON, and requests that end with whoever asked.
What follows a request in the same bytes is held back until that is answered, so answers keep their
order and nobody can queue up thousands. What a request asks for is the affair of
`jina.http.protocol`.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from jina.defaults import KIB
from jina.http import limits, rest
from jina.http.answers import Answered, head_of, told
from jina.http.cycles import Outlet, OwnCycle, Refused, ending_with
from jina.http.metrics import GONE
from jina.http.ordered import CALLER, Caller
from jina.http.reading import BODY, BUSY, HEAD, NEVER, OVER, Reading
from jina.http.turns import Flow
from jina.http.watch import REQUEST_ID, SEEN, Seen, answered_id, client_text, new_id
from jina.http.websocket import is_websocket

_COPIED_BYTES = 8 * KIB  # up to which one write is cheaper than a write of two parts
_CUTTING = frozenset((b"expect", b"upgrade"))  # refused at once, and for good
_WITH_DOCUMENTS = (b"POST", b"PUT", b"DELETE")


class Connection(Reading):
    """See the module; `protocol` overrides `begin` and `received`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.found: dict[bytes, bytes] = {}
        """The headers of the request that is being read."""
        self.url = b""
        self.method = b""
        """Of that request; b"" while its head is not whole."""
        self._is_begun = False  # the request is let in, and `cycle` is its own
        self._body_bytes = 0  # of the request, counted in `front.body_bytes`
        self._stalled_due = NEVER  # for a client that does not read
        self._unread = 0  # bytes of answers, when this was looked at last
        self._task: asyncio.Task[None] | None = None
        self._caller: Caller | None = None

    # --- bytes ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has connected."""
        super().connection_made(transport)
        self.flow = Flow(transport)
        self.front.deadlines.connections.add(self)
        self._due = self.loop.time() + self._settings.head_s
        extra = len(self.connections) - self.front.max_connections
        if extra > limits.SPARE_FILES // 2:
            self.transport.abort()
        elif extra > 0:
            self._cut(limits.full("too many connections are open"))

    def _leave_to_websocket(self, rest: bytes) -> None:
        self._state = OVER
        self.front.deadlines.connections.discard(self)
        self.handle_websocket_upgrade()
        if rest:
            self.transport.get_protocol().data_received(rest)  # type: ignore[attr-defined]

    # --- what the parser finds ---

    def on_message_begin(self) -> None:
        """A request begins; its scope is only made where uvicorn needs it."""
        self.url = self.method = b""
        self.expect_100_continue = False
        self.headers = []
        self._is_begun = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; those after a body in chunks are nobody's."""
        if not self.method:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Let the request in, or not."""
        self.method = self.parser.get_method()
        self._head_bytes = self._framing_bytes = 0
        self.found = found = dict(self.headers)
        version = self.parser.get_http_version()
        if not self.url.startswith(b"/"):
            self._take_absolute()
        wrong = limits.bad_framing(version, self.url, self.headers, found)
        if wrong:
            self._cut(limits.bad_request(wrong))
            return
        if self.root_path and self.url.startswith(self.root_path.encode() + b"/"):
            self.url = self.url[len(self.root_path) :]
        length = int(found.get(b"content-length", 0))
        is_chunked = b"transfer-encoding" in found
        if length or is_chunked:
            self._state = BODY
            self._bounds.left = length
            is_endless = limits.is_stream(self.url)
            self._due = NEVER if is_endless else self.loop.time() + self._settings.body_s
        keep_alive = version != "1.0" and self.parser.should_keep_alive()
        keep_alive = keep_alive and not self.front.is_stopping
        refused = self._refusal(self.method, length)
        if refused is None:
            self._is_begun = True
            self.begin(keep_alive, length)
        elif is_chunked or length > limits.SKIPPED_BYTES or found.keys() & _CUTTING:
            self._cut(refused)
        else:
            request_id = self.request_id()
            self.take(Refused(keep_alive=keep_alive, request_id=request_id, answered=refused))

    def _take_absolute(self) -> None:
        """Of a target such as http://localhost/status, the name counts instead of Host's."""
        authority, path = limits.absolute(self.url)
        if authority and self.found.keys() & {b"host"}:
            self.url = path
            self.found[b"host"] = authority
            self.headers = [
                (name, authority if name == b"host" else value) for name, value in self.headers
            ]

    def request_id(self) -> bytes:
        """The id of the request that is being read, as its answer has it."""
        return answered_id(self.found.get(REQUEST_ID))

    def take(self, cycle: OwnCycle) -> None:
        """Begin to answer a request that uvicorn has no task for."""
        self.cycle = cycle  # type: ignore[assignment]
        self.front.watch.began()

    def take_whole(self, cycle: OwnCycle) -> None:
        """Begin to answer a request that is here, body and all, and was not read by the parser."""
        self._is_begun = True
        self._state, self._due = BUSY, NEVER
        self.take(cycle)

    def begin(self, keep_alive: bool, length: int) -> None:
        """Begin to answer a request by uvicorn's way.

        Args:
            keep_alive: the connection may stay open.
            length: of its body, in bytes; 0 if unknown.
        """
        url, headers = self.url, self.headers
        super().on_message_begin()
        if self._caller is None:
            self._caller = Caller(self.transport)
        cast("dict[str, Any]", self.scope)[CALLER] = self._caller
        self.url = url
        self.headers += headers
        self.expect_100_continue = self.found.get(b"expect", b"").lower() == b"100-continue"
        super().on_headers_complete()
        if self.cycle is not None and not isinstance(self.cycle, OwnCycle):
            self.cycle.transport = Outlet(self.transport, self.finish)  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        """More of a body."""
        self._framing_bytes = 0
        if self._state == OVER or isinstance(self.cycle, OwnCycle):
            return
        if self.is_body_small(len(body)):
            super().on_body(body)

    def is_body_small(self, size: int) -> bool:
        """Count bytes of a body; whether it may go on.

        Args:
            size: how many have come.
        """
        if limits.is_stream(self.url):
            return True
        self._body_bytes += size
        self.front.body_bytes += size
        if self._body_bytes > self._settings.max_body:
            self._cut(limits.large_body(self._settings.max_body))
        elif self.front.body_bytes > self._settings.max_waiting_bytes:
            self._cut(limits.full())
        return self._state != OVER

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._state == OVER or self._is_upgrading():
            return
        cycle = self.cycle
        self._state = HEAD if cycle.response_complete else BUSY
        self._due = NEVER if self._state == BUSY else self.loop.time() + self._settings.idle_s
        self._forget_body()
        if isinstance(cycle, OwnCycle):
            self.received(cycle)
        else:
            super().on_message_complete()

    def received(self, cycle: OwnCycle) -> None:
        """The request of an own cycle is whole."""
        if isinstance(cycle, Refused):
            self.answer(cycle, cycle.answered)

    def _forget_body(self) -> None:
        self.front.body_bytes -= self._body_bytes
        self._body_bytes = 0

    # --- who may ask, and what ---

    def _refusal(self, method: bytes, length: int) -> Answered | None:
        front = self.front
        if front.is_stopping:
            return limits.stopping()
        refused = front.access.refusal(method, self.url, self.found)
        if refused is not None:
            return refused
        if b"upgrade" in self.found and self._is_upgrading() and not is_websocket(self.url):
            return told(404, "not_found", "there is no WebSocket here", "connect to /")
        unfit = limits.unfit_body(self.url, length, self.found, self._settings)
        if unfit is not None:
            return unfit
        if self.url in front.endpoints and method in _WITH_DOCUMENTS:
            return rest.foreign(self.found.get(b"content-type", b""))
        return None

    def _is_upgrading(self) -> bool:
        return b"upgrade" in self.found and self.parser.should_upgrade() and self._should_upgrade()

    def _should_upgrade(self) -> bool:
        return self.method == b"GET" and super()._should_upgrade()

    # --- answers ---

    def answer(self, cycle: OwnCycle, answered: Answered) -> None:
        """Answer a request that uvicorn has no task for."""
        if self.transport.is_closing() or cycle.response_complete:
            return
        if self.front.is_stopping:
            cycle.keep_alive = False  # the client is told, instead of being cut off later
        self._write(answered, cycle.keep_alive, cycle)
        cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _write(self, answered: Answered, keep_alive: bool, seen: Seen) -> None:
        self._end(seen, answered.status, len(answered.body))
        headers = self.server_state.default_headers
        if self.front.access.has_cors:
            headers = [*headers, *self.front.access.shared(self.found)]
        head = head_of(answered, headers, seen.request_id, keep_alive)
        body = answered.body if self.method != b"HEAD" else b""
        if len(body) > _COPIED_BYTES:
            self.transport.writelines((head, body))
        else:
            self.transport.write(head + body)

    def _end(self, seen: Seen, status: int, size: int) -> None:
        watch = self.front.watch
        if not seen.endpoint:
            seen.endpoint = self.front.endpoints.get(self.url.partition(b"?")[0], "")
        if watch.log is not None:
            seen.client, seen.path = client_text(self.client), self.url.decode("latin-1")
            seen.method = self.method.decode() or "-"
        watch.ended(seen, status, size)

    def on_response_complete(self) -> None:
        """A request has its answer: wait for the next, which may have come already."""
        self.server_state.total_requests += 1
        self._task = None
        now = self.loop.time()
        if self.transport.is_closing():
            self._due = now + self._settings.silence_s  # for the answer to be read
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self._state != BUSY:
            return
        self._state = HEAD
        self._due = now + self._settings.idle_s
        if self._held and not self._is_feeding:
            held, self._held = bytes(self._held), bytearray()
            self.data_received(held)

    # --- the task of a request, in uvicorn's way ---

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        shared = self.front.access.shared(self.found)
        app = ending_with(app, cycle, shared, lambda: self._cut(limits.stopping()))
        task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)
        self._task = None if limits.is_stream(self.url) else task  # a stream notices by itself

    # --- the end ---

    def look(self, now: float) -> None:
        """End what is over its time.

        Args:
            now: of the loop.
        """
        if now <= self._due and now <= self._stalled_due:
            return
        unread = self.transport.get_write_buffer_size()
        is_reading = 0 < unread != self._unread
        self._unread = unread
        if now > self._stalled_due:
            self._stalled_due = now + self._settings.silence_s
            if not is_reading:
                self.transport.abort()
                return
        if now > self._due:
            self._due = now + self._settings.silence_s if is_reading else NEVER
            self._end_part(is_reading, unread)

    def _end_part(self, is_reading: bool, unread: int) -> None:
        """End what a request has no more time for."""
        if self._state == BODY:
            self._cut(limits.slow("body", self._settings.body_s))
        elif self._state == HEAD and self._head_bytes:
            self._cut(limits.slow("head", self._settings.head_s))
        elif is_reading:
            return
        elif unread or self._state == OVER or self.transport.is_closing():
            self.transport.abort()
        else:
            self.transport.close()

    def _cut(self, answered: Answered) -> None:
        """Answer a request that is not whole, and read no more; the end of the connection."""
        if self._state == OVER:
            return
        self._state = OVER
        self._held.clear()
        is_answered = self._is_begun and self.cycle.response_complete
        has_begun = self._abandon()
        if has_begun or self.transport.is_closing():
            self.transport.abort()
            return
        if not is_answered:
            self._write_cut(answered)
        if self._is_begun:
            self.cycle.response_complete = True
        self._linger()

    def _write_cut(self, answered: Answered) -> None:
        seen: Any = None
        if self.cycle is not None and not self.cycle.response_complete:
            seen = self.cycle if isinstance(self.cycle, OwnCycle) else self.scope.get(SEEN)
        if seen is None:
            self.front.watch.began()
            seen = Seen(request_id=self.request_id() if self.method else new_id())
        self._write(answered, keep_alive=False, seen=seen)

    def finish(self) -> None:
        """Close the connection after an answer."""
        if self._state == BODY:
            self._state = OVER
            self._linger()
        else:
            self.transport.close()

    def _abandon(self) -> bool:
        """Give up the request that is under way; whether its answer has begun."""
        cycle = self.cycle
        if not self._is_begun or isinstance(cycle, OwnCycle):
            return False
        has_begun: bool = cycle.response_started and not cycle.response_complete
        cycle.disconnected = True
        cycle.message_event.set()
        if self._task is not None:
            self._task.cancel()
        return has_begun

    def _linger(self) -> None:
        """Let the other side read why before the connection closes; throw away what it sends."""
        self._backlog = b""
        self.flow.catch_up()
        self.flow.resume_reading()
        linger_s = limits.LINGER_S
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            linger_s = limits.LINGER_TLS_S
        self._due = self.loop.time() + linger_s

    def shutdown(self) -> None:
        """Answer what is under way, and no more."""
        if self._state == HEAD and not (self._head_bytes or self._backlog):
            self.transport.close()
        elif self.cycle is not None:
            self.cycle.keep_alive = False

    def give_up(self) -> None:
        """Tell a client that the server ends before the answer."""
        self._cut(limits.stopping())

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        self._stalled_due = self.loop.time() + self._settings.silence_s

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._stalled_due = NEVER

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever hangs up cancels the request that is under way."""
        self.front.deadlines.connections.discard(self)
        self._forget_body()
        if isinstance(self.cycle, OwnCycle):
            self._end(self.cycle, GONE, 0)
        super().connection_lost(exc)
        self._state = OVER
        self._backlog = b""
        self._due = self._stalled_due = NEVER
        if self._caller is not None:
            self._caller.note_lost()
        if self._task is not None:
            self._task.cancel()
            self._task = None
