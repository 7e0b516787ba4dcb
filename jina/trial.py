"""Run one Executor in this process, over lines of JSON: `jina executor run` and `check --run`.

The outcomes are those that `jina post` would give; there is no Flow, no process and no socket.
"""

from __future__ import annotations

import contextlib
import select
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from jina.client.requests import call_of
from jina.config.executors import ExecutorConfig
from jina.defaults import REQUEST_BYTES, REQUEST_DOCS, REQUEST_IDLE_S
from jina.excepts import ExecutorError
from jina.executors import BaseExecutor
from jina.executors.call import call as call_executor
from jina.executors.call import close_loop
from jina.executors.load import construct, executor_class
from jina.executors.metas import get_default_runtime_args
from jina.executors.user_errors import class_name, message, short_traceback
from jina.readers import Chunk, LineSource
from jina.readers.rows import Rows
from jina.records.tensors import JsonForm
from jina.types.arrays.document import DocumentArray
from jina.wire import body as bodies
from jina.wire.maps import Call, ErrorInfo


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
    """Import an Executor's modules and find its class.

    What they print goes to standard error.

    Args:
        config: from `jina.config.load_executor`.

    Raises:
        ExecutorError: a module raised, the user's frames are in the message; or there is no such
            module or class.
    """
    spec = config.spec
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
    parameters: Mapping[str, Any] | None = None,
    *,
    tensors: JsonForm = "list",
) -> Iterator[Outcome]:
    """Call an endpoint with one request after the other.

    Args:
        executor: the instance.
        endpoint: such as "/index".
        source: of requests, see `requests_of`; None is a request without Documents.
        parameters: for every call.
        tensors: how tensors are written in the lines.
    """
    for chunk in source:
        yield _run(executor, endpoint, chunk, parameters, tensors)


def requests_of(source: LineSource, request_docs: int = REQUEST_DOCS) -> Iterator[Chunk | Rows]:
    """The lines of a source in chunks; shorter ones if the source is waiting for more.

    Args:
        source: the caller closes it.
        request_docs: lines in a request.
    """
    while not source.at_end:
        chunk = source.next_chunk(max_lines=request_docs, max_bytes=REQUEST_BYTES)
        if chunk is None and (descriptor := source.fileno()) is not None:
            if not select.select([descriptor], [], [], REQUEST_IDLE_S)[0]:
                chunk = source.take_partial(max_lines=request_docs)
            if chunk is None:
                select.select([descriptor], [], [])
                continue
        # Blank lines have no outcome.
        if chunk and not (isinstance(chunk, Chunk) and _is_blank(chunk)):
            yield chunk


def _is_blank(chunk: Chunk) -> bool:
    return not chunk.oversize and chunk.data.isspace()


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
        trace = short_traceback(error).rstrip()
        raise ExecutorError(f"{what} raised {type(error).__name__}\n{trace}") from None


def _run(
    executor: BaseExecutor,
    endpoint: str,
    chunk: Chunk | Rows | None,
    parameters: Mapping[str, Any] | None,
    tensors: JsonForm,
) -> Outcome:
    docs, groundtruths, failures = DocumentArray(), None, None
    if isinstance(chunk, Chunk):
        body = bodies.read_lines(chunk.data, call_of(Call(), chunk), chunk.first_line)
        docs, failures = body.docs[0], body.failures
        groundtruths = body.groundtruths[0] if body.groundtruths else None
    elif chunk is not None:
        docs, groundtruths, failures = chunk.docs, chunk.groundtruths, chunk.failures
    names = [record.id for record in docs._records()]
    try:
        if failures is None or len(failures.failures) < failures.total:
            with _on_stderr():
                docs = call_executor(
                    executor, endpoint, docs=docs, parameters=parameters, groundtruths=groundtruths
                )
        parts, frames = bodies.write_lines(docs, failures, endpoint, tensors)
        return Outcome(frames[0], parts[0].rows, parts[0].failed, "")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        info = ErrorInfo(class_name(error), message(error), executor.metas.name)
        lines = bodies.error_lines(names, failures, info, endpoint)
        return Outcome(b"".join(lines), len(lines), len(lines), short_traceback(error).rstrip())
