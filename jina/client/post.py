"""The client that Python code uses: `post` with its callbacks, `post_files`, named endpoints."""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jina import writers
from jina.client.documents import DocumentRequests
from jina.client.exchange import exchange
from jina.client.files import PostedFiles, post_files
from jina.client.older_arguments import address_of, check_arguments
from jina.client.response import Response
from jina.client.session import Session
from jina.defaults import MAX_REQUEST_DOCS, MAX_TIMEOUT_S, TIMEOUT_CONNECT_S
from jina.excepts import (
    BadClientCallback,
    BadClientInput,
    BadServer,
    DocumentError,
    described,
)
from jina.names import with_slash
from jina.readers import CONTENTS, FORMATS, ReadOptions
from jina.records.selection import names_of
from jina.transport.curve import Credentials
from jina.wire.maps import ON_ERROR, SPLIT, Call
from jina.writers import form_of

TENSORS = ("list", "typed", "base64")
"""How JSON lines hold tensors."""

OUTPUTS = ("auto", *writers.FORMATS)
"""The formats of results."""

Callback = Callable[[Response], Any]


class Client:
    """Posts Documents to a running Flow.

    Args:
        address: of the gateway, such as "ipc:///run/user/1000/jina/search-1a2b3c4d/front.ipc" or
            "tcp://127.0.0.1:5555".
        host: with `port`, instead of an address; `localhost:5555` has both.
        port: of a gateway that listens on tcp.
        timeout_connect_s: how long the greeting may take.
        timeout_s: the longest time without any reply while requests are under way; None for no
            limit.
        timing: of every post that does not say it itself, see `post`.
        keys: folder with a key of your own and the public one of the gateway, for an address that
            asks for keys; `jina keys new` makes them.
        **older: arguments of Jina 2 and 3, which have no effect; docs/migrating.md lists them.

    Raises:
        TypeError: neither an address nor a port, or an argument that cannot be ignored.
        BadKeys: the keys cannot be used.
    """

    def __init__(
        self,
        address: str = "",
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        timeout_connect_s: float = TIMEOUT_CONNECT_S,
        timeout_s: float | None = None,
        timing: bool = False,
        keys: str | Path = "",
        **older: Any,
    ) -> None:
        check_arguments(older)
        self.address = address or address_of(host, port)
        self._timeout_connect_s = timeout_connect_s
        self._timeout_s = timeout_s
        self._timing = timing
        self._keys = Credentials(os.fspath(keys)) if keys else None
        self._own_connections()

    def close(self) -> None:
        """Close its connections; a later post opens a new one."""
        _close_all(self._idle, os.getpid())

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _own_connections(self) -> None:
        """Begin without connections; those to come are closed with the client, or at the exit."""
        self._idle: list[Session] = []  # connections that wait for the next post
        self._pid = os.getpid()
        # Not __del__: that may come when the interpreter has taken itself apart.
        weakref.finalize(self, _close_all, self._idle, self._pid)

    def stream(
        self,
        on: str,
        inputs: Any = None,
        *,
        parameters: dict[str, Any] | None = None,
        target_peapod: str | None = None,
        request_size: int | None = None,
        request_timeout_s: float | None = None,
        timing: bool | None = None,
        failure_mode: str | None = None,
    ) -> Iterator[Response]:
        """Post and yield the responses in the order of the inputs, as they become complete.

        A failed request is a response too: its `is_error` is True. Arguments are those of `post`.
        """
        call = Call(_checked(parameters))
        _check_size(request_size)
        source = DocumentRequests(inputs, call, request_docs=request_size)
        endpoint = with_slash(on)
        _check_time(request_timeout_s)
        on_error = _mode(failure_mode)
        with self._connected() as session:
            replies = exchange(
                session,
                endpoint,
                source,
                target=target_peapod or "",
                timeout_s=self._timeout_s,
                request_timeout_s=request_timeout_s,
                is_timed=self._timing if timing is None else timing,
                on_error=on_error,
            )
            for number, reply in enumerate(replies):
                yield Response(reply, endpoint, number)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Session]:
        """A connection for one post.

        Each post has one to itself: posts within posts and from several threads do not meet.
        """
        session = self._session()
        try:
            yield session
        except BaseException:  # answers may still be under way
            session.close()
            raise
        self._idle.append(session)  # for the next post

    def _session(self) -> Session:
        """A connection that is idle, or a new one."""
        if self._pid != os.getpid():
            self._own_connections()  # a forked child leaves its parent's alone
        # Not by a condition and then a pop: another thread may take the last one in between.
        with contextlib.suppress(IndexError):
            return self._idle.pop()
        return Session(self.address, timeout_connect_s=self._timeout_connect_s, keys=self._keys)

    def post(
        self,
        on: str,
        inputs: Any = None,
        on_done: Callback | None = None,
        on_error: Callback | None = None,
        on_always: Callback | None = None,
        parameters: dict[str, Any] | None = None,
        target_peapod: str | None = None,
        request_size: int | None = None,
        show_progress: bool = False,
        continue_on_error: bool = False,
        return_results: bool = False,
        request_timeout_s: float | None = None,
        timing: bool | None = None,
        failure_mode: str | None = None,
    ) -> list[Response] | None:
        """Post Documents to an endpoint and wait for all responses.

        Args:
            on: the endpoint, such as "/index".
            inputs: a Document, a list or generator of them, a function that returns one, or None
                for a request without Documents. str, bytes, dict and numpy arrays become Documents;
                a pair is a Document and its groundtruth.
            on_done: called with each response that succeeded, in the order of the inputs.
            on_error: called with each response that failed.
            on_always: called with each response, last.
            parameters: handed to the Executors; a dict under an Executor's name is for it alone.
            target_peapod: regular expression; nodes whose name it does not match pass Documents on.
            request_size: Documents in a request, up to 10,000, fewer only if they do not fit into a
                message; 0 for as many as fit. By default 100, fewer if they have more than 32 MiB.
            show_progress: accepted for Jina 2 code; `jina post` shows progress.
            continue_on_error: continue after a failed request or callback, also without `on_error`.
            return_results: return the responses.
            request_timeout_s: what one request may take; when that is over, it fails with
                `jina.excepts.RequestTimeout`, and no Executor begins it any more.
            timing: `response.routes` says when each Executor began and ended; it costs some 5 % of
                a round trip with one Document.
            failure_mode: what becomes of a request when an Executor raises whose YAML has no
                `on_error`: "stop", the default: all of it fails; "split": it is done again in
                halves, so that only the Documents fail that fail alone, see `Response.failures`;
                "continue": it goes on with the Documents as that Executor got them.

        Returns:
            the responses with `return_results`, else None.

        Raises:
            BadServer: a request failed, and there is neither `on_error` nor `continue_on_error`.
            BadClientInput: an input is no Document, or the generator of inputs raised; the requests
                before have been answered. Or `failure_mode` is none of the three.
            BadClientCallback: a callback raised, without `continue_on_error`.
            ConnectError: nobody answers at the address.
            PostTimeout: no reply within `timeout_s`.
        """
        results: list[Response] = []
        for response in self.stream(
            on,
            inputs,
            parameters=parameters,
            target_peapod=target_peapod,
            request_size=request_size,
            request_timeout_s=request_timeout_s,
            timing=timing,
            failure_mode=failure_mode,
        ):
            chosen = on_error if response.is_error else on_done
            if response.is_error and on_error is None and not continue_on_error:
                raise _bad_server(response)
            for callback in (chosen, on_always):
                if callback is not None:
                    _call_back(callback, response, continue_on_error)
            if return_results:
                results.append(response)
        return results if return_results else None

    def post_files(
        self,
        on: str,
        inputs: str | Path | Iterable[str | Path],
        output: str | Path,
        *,
        parameters: dict[str, Any] | None = None,
        target_peapod: str | None = None,
        request_size: int | None = None,
        format: str = "auto",
        field_resolver: Mapping[str, str] | None = None,
        content: str = "auto",
        tensors: str = "list",
        restart: bool = False,
        request_timeout_s: float | None = None,
        output_format: str = "auto",
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        failure_mode: str = SPLIT,
    ) -> PostedFiles:
        """Post the lines of files and write the results to a file, as `jina post --output` does.

        Whatever ends it, a kill too: the same call resumes where it stopped, and so does the same
        `jina post`. See "A post that is stopped" in docs/running.md.

        Args:
            on: the endpoint, such as "/index".
            inputs: a path or a pattern such as "data/*.jsonl", or several; names say the formats.
            output: file of the results: one outcome for each line, in the order of the inputs; its
                name says the format, as for `jina post --output`.
            parameters: as for `post`.
            target_peapod: as for `post`, but at least one name must match.
            request_size: lines in a request, up to 10,000, fewer only if they have more than
                60 MiB; 0 for as many as fit. By default 100, and 400 of short lines within a long
                file, and fewer if they have more than 32 MiB.
            format: of all inputs, as `jina post --format` has it.
            field_resolver: columns or keys and the names to read them as.
            content: of a file that is one Document: "text", "buffer", "none", or "auto".
            tensors: how they are written, "list", "typed" or "base64".
            restart: begin anew, whatever `output` holds.
            request_timeout_s: as for `post`.
            output_format: "jsonl", "json", "csv", "tsv", "text", "npy" or "parquet" whatever the
                name of the output is.
            select: the fields that results have, and "tags.price" for a key of the tags; all, if
                empty.
            exclude: the fields that they do not have.
            failure_mode: as for `post`; the default is "split", as that of `jina post`.

        Returns:
            how many outcomes the output has; a line that failed has an error as its outcome.

        Raises:
            InputError: an input cannot be read, or the output holds another post's results.
            BadClientInput: another argument cannot be used; nothing is written then.
            WireError: a parameter cannot be carried.
            OutputError: the results cannot be written.
            ConnectError: nobody answers at the address, or the Flow is gone.
            PostTimeout: no reply within `timeout_s`.
        """
        _check_time(request_timeout_s)
        named = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
        if not named:
            raise BadClientInput("`inputs` does not name a file")
        return post_files(
            self._connected,
            with_slash(on),
            [os.fspath(each) for each in named],
            os.fspath(output),
            call=Call(
                _checked(parameters),
                lines=True,
                tensors=_known("tensors", tensors, TENSORS),
                select=_fields("select", select),
                exclude=_fields("exclude", exclude),
            ),
            reading=ReadOptions(
                _known("format", format, ("auto", *FORMATS)),
                dict(field_resolver or {}),
                _known("content", content, CONTENTS),
            ),
            target=target_peapod or "",
            request_docs=_lines_in_request(request_size),
            restart=restart,
            timeout_s=self._timeout_s,
            request_timeout_s=request_timeout_s,
            form=form_of(os.fspath(output), _known("output_format", output_format, OUTPUTS)),
            on_error=_mode(failure_mode),
        )

    def index(self, inputs: Any = None, **options: Any) -> list[Response] | None:
        """Post to /index; the options are those of `post`."""
        return self.post("/index", inputs, **options)

    def search(self, inputs: Any = None, **options: Any) -> list[Response] | None:
        """Post to /search; the options are those of `post`."""
        return self.post("/search", inputs, **options)

    def update(self, inputs: Any = None, **options: Any) -> list[Response] | None:
        """Post to /update; the options are those of `post`."""
        return self.post("/update", inputs, **options)

    def delete(self, inputs: Any = None, **options: Any) -> list[Response] | None:
        """Post to /delete; the options are those of `post`."""
        return self.post("/delete", inputs, **options)


def _close_all(sessions: list[Session], pid: int) -> None:
    """Close connections, unless this is a forked child of the process that opened them."""
    while sessions and pid == os.getpid():
        sessions.pop().close()


def _checked(parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    if parameters is not None and not isinstance(parameters, Mapping):
        raise BadClientInput(f"`parameters` is a {type(parameters).__name__}; expected a dict")
    return dict(parameters or {})


def _check_time(seconds: float | None) -> None:
    if seconds is None:
        return
    # Not only `> 0`: that lets no NaN through, but infinity.
    if not isinstance(seconds, (int, float)) or not 0 < seconds <= MAX_TIMEOUT_S:
        raise BadClientInput(
            f"`request_timeout_s` is {seconds!r}; expected seconds, more than 0",
            hint="leave it out for no limit",
        )


def _mode(failure_mode: str | None) -> str:
    return "" if failure_mode is None else _known("failure_mode", failure_mode, ON_ERROR)


def _check_size(request_size: int | None) -> None:
    if request_size is None:
        return
    is_number = hasattr(request_size, "__index__") and not isinstance(request_size, bool)
    if not is_number or request_size < 0:
        raise BadClientInput(
            f"`request_size` is {request_size!r}; expected a number of Documents, or 0 for all in "
            "one request"
        )


def _lines_in_request(request_size: int | None) -> int | None:
    if request_size is None:
        return None
    if not isinstance(request_size, int) or not 0 <= request_size <= MAX_REQUEST_DOCS:
        raise BadClientInput(
            f"`request_size` is {request_size!r}; expected 0 to {MAX_REQUEST_DOCS:,}"
        )
    return request_size or MAX_REQUEST_DOCS


def _fields(name: str, words: Sequence[str]) -> list[str]:
    try:
        return names_of([words] if isinstance(words, str) else words)
    except DocumentError as error:
        raise BadClientInput(f"`{name}`: {error.what}", hint=error.hint) from error


def _known(name: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise BadClientInput(f"`{name}` is {value!r}; expected one of {', '.join(known)}")
    return value


def _call_back(callback: Callback, response: Response, continue_on_error: bool) -> None:
    try:
        callback(response)
    except Exception as error:
        if not continue_on_error:
            raise BadClientCallback(
                f"a callback raised {described(error)}",
                where=getattr(callback, "__qualname__", repr(callback)),
            ) from error


def _bad_server(response: Response) -> BadServer:
    cause = response.error
    failure = BadServer(
        f"{response.header.exec_endpoint} failed: {response.status.description}",
        where=cause.where if cause else "",
        hint="pass on_error= or continue_on_error=True to continue",
    )
    failure.__cause__ = cause
    return failure
