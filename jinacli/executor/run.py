"""`jina executor run`: one Executor in this process, over files or standard input; no Flow."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import typer

from jina.client.requests import call_for, open_lines
from jina.client.results import ResultFile
from jina.config import load_executor
from jina.config.executors import ExecutorConfig
from jina.defaults import MAX_REQUEST_DOCS, REQUEST_DOCS
from jina.excepts import ExecutorError, InputError
from jina.executors.table import lookup
from jina.names import with_slash
from jina.readers import LineSource, ReadOptions
from jina.readers.rows import Rows
from jina.suggest import nearest
from jina.trial import Outcome, constructed, imported, outcomes, requests_of
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document
from jina.wire.maps import Call
from jina.writers import Form
from jinacli import exits
from jinacli.check.watched import CONSTRUCTOR, Begin, watched
from jinacli.executor.given import plain_path
from jinacli.executor.tally import Tally
from jinacli.post.inputs import say_without_inputs
from jinacli.post.output import open_results, writer_of
from jinacli.screens.errors import say
from jinacli.screens.post import say_unmet


@dataclass(frozen=True)
class RunOptions:
    """The options of `jina executor run`, checked one by one.

    Attributes:
        file: the Executor's YAML, or catalogue://NAME.
        endpoint: that is called.
        inputs: as for `jina post`.
        texts: Documents instead of inputs.
        reading: how inputs are read.
        parameters: for every call.
        output: file of the results, "-" for standard output.
        form: of the output.
        tensors: how tensors are written.
        select: fields of the results; empty for all.
        exclude: fields that they do not have.
        request_size: Documents in a call, 0 for as many as fit; None for as many as usual.
        workspace: folder for its files, unless its YAML names one.
        quiet: say only errors.
    """

    file: str
    endpoint: str
    inputs: list[str]
    texts: list[str]
    reading: ReadOptions
    parameters: dict[str, Any]
    output: str
    form: Form
    tensors: str
    select: list[str]
    exclude: list[str]
    request_size: int | None
    workspace: str
    quiet: bool

    @property
    def call(self) -> Call:
        """What every call of the method is given, and what its results have."""
        call = Call(self.parameters, tensors=self.tensors, select=self.select, exclude=self.exclude)
        return call_for(self.form, call)


def run_executor(options: RunOptions) -> int:
    """Run the Executor, and return the exit code.

    Raises:
        InputError: `--select` or `--exclude` leave out what the format is made of.
    """
    _ = options.call
    return watched(lambda begin: _run(options, begin), quiet=options.quiet)


def _run(options: RunOptions, begin: Begin) -> int:
    with contextlib.ExitStack() as stack:
        lines, requests = _requests(options, stack)
        results = stack.enter_context(open_results(options.output, options.form))
        if not options.quiet:
            say_without_inputs(options.endpoint, options.inputs, options.texts)
        config = load_executor(plain_path(options.file))
        _import(options, config, begin)
        workspace = os.path.abspath(options.workspace)
        executor = stack.enter_context(constructed(config, workspace))
        if lookup(executor.requests, with_slash(options.endpoint)) is None:
            raise _unserved(options, list(executor.requests))
        begin(f"{options.file}: {options.endpoint}")
        found = outcomes(
            executor,
            with_slash(options.endpoint),
            requests,
            options.call,
        )
        try:
            tally = _write(found, results, options)
        except InputError as error:  # it broke off; what was read before has its outcomes
            say(f"error: {error}")
            return exits.FAILED
        finally:
            begin(f"{options.file}: `close`")
    if lines is not None and tally.total and not options.quiet:
        say_unmet(options.reading, lines)
    if tally.failed:
        say(tally.in_words())
    return exits.SOME_FAILED if tally.failed else exits.OK


def _import(options: RunOptions, config: ExecutorConfig, begin: Begin) -> None:
    """Import the Executor; what is wrong is shown as by `jina executor check`.

    Raises:
        Found: what the check finds.
        ExecutorError: it finds nothing, and yet the import failed.
    """
    begin(f"{options.file}: importing {config.spec.jtype}")
    try:
        imported(config)
    except ExecutorError as raised:
        error = raised
    else:
        begin(f"{options.file}: {CONSTRUCTOR}")
        return
    # Late: only an import that failed needs it. And not while the error is handled, which would be
    # shown as the cause of what is found.
    from jina.check import check_executor

    found = check_executor(plain_path(options.file), begin=begin).errors
    raise (exits.Found(problems=found) if found else error) from None


def _requests(
    options: RunOptions, stack: contextlib.ExitStack
) -> tuple[LineSource | None, Iterable[Any]]:
    """What is read, and the requests that are made of it."""
    size = MAX_REQUEST_DOCS if options.request_size == 0 else options.request_size
    if options.inputs:
        lines = open_lines(options.inputs, options.reading, options.output, 0)
        stack.callback(lines.close)
        return lines, requests_of(lines, size)
    if not options.texts:
        return None, [None]
    docs = [Document(text=text) for text in options.texts]
    size = size or REQUEST_DOCS
    parts = (docs[start : start + size] for start in range(0, len(docs), size))
    return None, (Rows(DocumentArray(part), None, None, len(part)) for part in parts)


def _unserved(options: RunOptions, bound: list[str]) -> typer.BadParameter:
    near = nearest(options.endpoint, bound)
    meant = f'did you mean "{near}"? ' if near else ""
    known = f"served: {', '.join(sorted(bound))}" if bound else "nothing is served"
    return typer.BadParameter(
        f"no method of {options.file} serves {options.endpoint}\nhelp: {meant}{known}",
        param_hint="ENDPOINT",
    )


def _write(found: Iterable[Outcome], results: ResultFile, options: RunOptions) -> Tally:
    """Write the outcomes and count them."""
    tally = Tally()
    results.begin(0)
    writer = writer_of(results, options.form, options.call.select)
    for outcome in found:
        results.write(writer.written(outcome.lines))
        tally.add(outcome, quiet=options.quiet)
    results.write(writer.end())
    writer.complete(results.path)
    results.complete()
    return tally
