"""Find what `jina post` sends: files, standard input, `--text`, or nothing."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from importlib import import_module

import typer

from jina.client.requests import LineRequests, RequestSource, open_lines
from jina.defaults import MAX_REQUEST_DOCS
from jina.excepts import InputError
from jina.readers import LineSource
from jinacli.post.options import PostOptions
from jinacli.screens.errors import say
from jinacli.streams import closed

_ARRAYS = (".npy", ".npz", ".parquet")  # in names of files for which NumPy is loaded
_THREADS = "OPENBLAS_NUM_THREADS"


def open_source(
    options: PostOptions, skipped_lines: int, stack: contextlib.ExitStack
) -> tuple[RequestSource, LineSource | None]:
    """Make the requests to send, and the lines that they are made of, if they are.

    Args:
        options: of the command.
        skipped_lines: how many lines at the start have their outcomes already.
        stack: closes the files.

    Raises:
        InputError: an input cannot be read, or is where the results go.
        typer.BadParameter: options that exclude each other.
    """
    inputs = inputs_of(options)
    size = MAX_REQUEST_DOCS if options.request_size == 0 else options.request_size
    if not inputs:
        # Late: lines from files never become Documents here.
        from jina.client.documents import DocumentRequests

        docs = posted_texts(options) or None
        return DocumentRequests(docs, options.call, request_docs=size), None
    if any(part in name for name in (*inputs, options.output) for part in _ARRAYS):
        load_numpy()
    if "-" in inputs and "stdin" in closed:
        raise InputError("standard input is closed", where="<stdin>")
    lines = open_lines(inputs, options.reading, options.output, skipped_lines)
    stack.callback(lines.close)
    limit = None
    if options.limit is not None:
        limit = max(0, options.skip + options.limit - skipped_lines)
    return LineRequests(lines, options.call, request_docs=size, limit=limit), lines


def load_numpy() -> None:
    """Load NumPy, whose linear algebra gets one thread: nothing here multiplies matrices.

    Its other threads would spin for some 30 ms, on cores that workers need. Only this process is
    concerned: what it starts later inherits the environment as it was.
    """
    if _THREADS in os.environ:
        return
    os.environ[_THREADS] = "1"
    try:
        import_module("numpy")
    finally:
        del os.environ[_THREADS]


def posted_texts(options: PostOptions) -> list[str]:
    """The texts that are posted, of those that were given."""
    left = options.texts[options.skip :]
    return left[: options.limit]


def inputs_of(options: PostOptions) -> list[str]:
    """The inputs to read, see `chosen_inputs`."""
    return chosen_inputs(options.inputs, options.texts)


def chosen_inputs(inputs: list[str], texts: list[str]) -> list[str]:
    """The inputs to read: those that were named, or standard input if something waits there.

    Args:
        inputs: that were named.
        texts: Documents instead of inputs.

    Raises:
        typer.BadParameter: there are both.
    """
    if texts and inputs:
        raise typer.BadParameter("use --inputs or --text, not both", param_hint="--text")
    return inputs or (["-"] if _stdin_has_data() and not texts else [])


def say_without_inputs(endpoint: str, inputs: list[str], texts: list[str]) -> None:
    """Tell somebody at a terminal, who may wait for a prompt, that nothing is read."""
    if not (inputs or texts) and sys.stdin is not None and sys.stdin.isatty():
        say(f"no inputs: calling {endpoint} once, without Documents")


def _stdin_has_data() -> bool:
    """Whether standard input is a pipe, a file or a socket; not a terminal and not /dev/null."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)
