"""Run one Executor in this process, over lines of JSON: `jina executor run` and `check --run`.

The outcomes are those that `jina post` would give; there is no Flow, no process and no socket.
"""

from __future__ import annotations

import contextlib
import select
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from jina.client.requests import call_of, usual_size
from jina.config.executors import ExecutorConfig
from jina.defaults import MAX_REQUEST_BYTES, REQUEST_IDLE_S
from jina.excepts import ExecutorError
from jina.executors import BaseExecutor
from jina.executors.call import call as call_executor
from jina.executors.call import close_loop
from jina.executors.environment import set_variables
from jina.executors.load import construct, executor_class
from jina.executors.metas import get_default_runtime_args
from jina.executors.once import once_endpoints
from jina.executors.user_errors import (
    EXIT_HINT,
    class_name,
    exited,
    message,
    short_traceback,
)
from jina.names import DEFAULT_ENDPOINT
from jina.readers import Chunk, LineSource
from jina.readers.rows import Rows
from jina.records.selection import Selection, selection_of
from jina.types.arrays.document import DocumentArray
from jina.wire import body as bodies
from jina.wire.body import Cut
from jina.wire.maps import Call, ErrorInfo, LineFailures, Part, Route

_AS_IT_IS = Call()  # no parameters, all fields


class Outcome(NamedTuple):
    """What became of one request.

    Attributes:
        lines: JSON lines: the resulting Documents, and an error for each line that failed.
        total: how many lines there are.
        failed: how many of them are errors.
        traceback: of the method, the user's frames only; empty when it did not raise.
    """

    lines: bytes
    total: int
    failed: int
    traceback: str


def imported(config: ExecutorConfig) -> type[BaseExecutor]:
    """Import an Executor's modules and find its class, in the environment that its YAML sets.

    What they print goes to standard error.

    Args:
        config: from `jina.config.load_executor`.

    Raises:
        ExecutorError: a module raised, the user's frames are in its `details`; or there is no such
            module or class.
    """
    spec = config.spec
    set_variables(config.origin.env)
    with _user_code(f"importing {spec.jtype}"):
        return config.origin.cls or executor_class(spec)


@contextlib.contextmanager
def constructed(config: ExecutorConfig, workspace: str) -> Iterator[BaseExecutor]:
    """Construct an Executor as a Flow would, and close it at the end.

    What it prints goes to standard error.

    Args:
        config: from `jina.config.load_executor`.
        workspace: absolute folder for its files, unless its YAML names one.

    Raises:
        ExecutorError: see `imported`; or the constructor or `close` raised.
    """
    spec = config.spec
    cls = imported(config)
    name = str(spec.metas.get("name") or cls.__name__)
    args = {**get_default_runtime_args(), "name": name, "workspace": workspace}
    with _user_code(f"the constructor of {cls.__name__}"):
        executor = construct(cls, spec, args)
    try:
        yield executor
    finally:
        with _user_code(f"{cls.__name__}.close"):
            executor.close()
            close_loop()


def outcomes(
    executor: BaseExecutor,
    endpoint: str,
    source: Iterable[Chunk | Rows | None],
    call: Call = _AS_IT_IS,
) -> Iterator[Outcome]:
    """Call an endpoint with one request after the other.

    Where the method raises, it is called again for fewer Documents, down to those that it raises
    for; one that is declared with `once=True` is not called again.

    Args:
        executor: the instance.
        endpoint: such as "/index".
        source: of requests, see `requests_of`; None is a request without Documents.
        call: the parameters, and what the lines have of the Documents.
    """
    caller = _Caller(executor, endpoint, call, selection_of(call.select, call.exclude))
    return map(caller.outcome, source)


def requests_of(source: LineSource, request_docs: int | None = None) -> Iterator[Chunk | Rows]:
    """The lines of a source in chunks; shorter ones if the source is waiting for more.

    Args:
        source: the caller closes it.
        request_docs: lines in a request; None for as many as `jina post` takes.
    """
    while not source.at_end:
        most = usual_size(source) if request_docs is None else request_docs
        chunk = source.next_chunk(max_lines=most, max_bytes=MAX_REQUEST_BYTES)
        if chunk is None and (descriptor := source.fileno()) is not None:
            if not select.select([descriptor], [], [], REQUEST_IDLE_S)[0]:
                chunk = source.take_partial(max_lines=most, max_bytes=MAX_REQUEST_BYTES)
            if chunk is None:
                select.select([descriptor], [], [])
                continue
        if chunk and not (isinstance(chunk, Chunk) and chunk.is_blank):
            yield chunk


def _on_stderr() -> contextlib.AbstractContextManager[Any]:
    """Keep what user code prints away from standard output, which is for results."""
    return contextlib.redirect_stdout(sys.stderr)


@contextlib.contextmanager
def _user_code(what: str) -> Iterator[None]:
    try:
        with _on_stderr():
            yield
    except (KeyboardInterrupt, ExecutorError):
        raise
    except BaseException as error:  # SystemExit too: it is the user's code that ends
        if isinstance(error, SystemExit):
            failure = ExecutorError(f"{what} {exited(error)}", hint=EXIT_HINT)
        else:
            failure = ExecutorError(f"{what} raised {_in_a_line(error)}")
        failure.details = short_traceback(error).rstrip()
        raise failure from None


def _in_a_line(error: BaseException) -> str:
    """The class of an error, and the first line of its text."""
    first = message(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


class _Request:
    """A request that can be read anew, whatever a method did to its Documents.

    Args:
        chunk: of lines or rows; None for no Documents.
    """

    def __init__(self, chunk: Chunk | Rows | None) -> None:
        self._chunk = chunk
        self._body: tuple[list[Part], list[bytes]] | None = None
        if isinstance(chunk, Rows):
            parts, frames = bodies.write_body(chunk.docs, chunk.groundtruths, chunk.failures)
            self._body = parts, [bytes(frame) for frame in frames]

    def read(self) -> Cut:
        """The Documents, their groundtruths, and the lines that are not Documents."""
        if self._body is not None:
            body = bodies.read_body(*self._body, branches=1, call=Call(), base=0)
        elif isinstance(self._chunk, Chunk):
            call = call_of(Call(), self._chunk)
            body = bodies.read_lines(self._chunk.each, call, self._chunk.first_line)
        else:
            return Cut(DocumentArray(), None, None)
        return Cut(body.docs[0], body.groundtruths[0] if body.groundtruths else None, body.failures)


@dataclass(frozen=True)
class _Caller:
    """Calls an endpoint.

    Attributes:
        executor: as in `outcomes`; so are the endpoint and the call.
        endpoint: likewise.
        call: likewise.
        selection: of the fields that it names.
    """

    executor: BaseExecutor
    endpoint: str
    call: Call
    selection: Selection | None

    def outcome(self, chunk: Chunk | Rows | None) -> Outcome:
        """What becomes of a request."""
        request = _Request(chunk)
        whole = request.read()
        failed = len(whole.failures.failures) if whole.failures else 0
        return self._of(request, whole, 0, len(whole.docs) + failed)

    def _of(self, request: _Request, some: Cut, first: int, stop: int) -> Outcome:
        """What becomes of the lines from `first` up to `stop`.

        If the method raises, it is called for one half and then the other, down to the Documents
        that it raises for, as in a Flow.
        """
        docs, count = some.docs, len(some.docs)
        try:
            if count or not some.failures:
                with _on_stderr():
                    docs = call_executor(
                        self.executor,
                        self.endpoint,
                        docs=docs,
                        parameters=self.call.parameters,
                        groundtruths=some.groundtruths,
                    )
            return self._written(docs, some.failures)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            info = ErrorInfo(class_name(error), message(error), self.executor.metas.name)
            trace = short_traceback(error).rstrip()
        # Not while the error is handled: it would be shown as the context of those of the halves.
        if count > 1 and not self._is_once():
            middle = (first + stop) // 2
            return _joined(
                [
                    self._of(request, self._cut(request, *half), *half)
                    for half in ((first, middle), (middle, stop))
                ]
            )
        if first == stop:
            return Outcome(bodies.error_line("", info, self.endpoint), 1, 1, trace)
        blamed = self._cut(request, first, stop, info)
        return self._written(blamed.docs, blamed.failures)._replace(traceback=trace)

    def _cut(self, request: _Request, first: int, stop: int, blame: ErrorInfo | None = None) -> Cut:
        route = Route(self.endpoint, first=first, stop=stop, blame=blame)
        return bodies.cut(*request.read(), route, alone=True)

    def _written(self, docs: DocumentArray, failures: LineFailures | None) -> Outcome:
        parts, frames = bodies.write_lines(docs, failures, self.endpoint, self.call, self.selection)
        total = sum(part.rows for part in parts)
        failed = sum(part.failed for part in parts)
        return Outcome(b"".join(frames), total, failed, "")

    def _is_once(self) -> bool:
        once = once_endpoints(self.executor)
        bound = self.executor.requests
        return (self.endpoint if self.endpoint in bound else DEFAULT_ENDPOINT) in once


def _joined(parts: list[Outcome]) -> Outcome:
    return Outcome(
        b"".join(part.lines for part in parts),
        sum(part.total for part in parts),
        sum(part.failed for part in parts),
        next((part.traceback for part in parts if part.traceback), ""),
    )
