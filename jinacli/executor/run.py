"""`jina executor run`: one Executor in this process, over files or standard input; no Flow."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterable
from typing import Any

import msgspec
import typer

from jina.client.requests import open_lines
from jina.client.results import ResultFile
from jina.config import load_executor
from jina.config.executors import ExecutorConfig
from jina.defaults import MAX_REQUEST_DOCS, REQUEST_DOCS
from jina.excepts import ExecutorError, InputError
from jina.executors.table import lookup
from jina.names import with_slash
from jina.readers import LineSource
from jina.readers.rows import Rows
from jina.suggest import nearest
from jina.trial import Outcome, constructed, imported, outcomes, requests_of
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document
from jinacli import exits
from jinacli.check.watched import CONSTRUCTOR, Begin
from jinacli.executor.given import plain_path
from jinacli.executor.options import RunOptions
from jinacli.executor.tally import Tally
from jinacli.post.inputs import say_without_inputs
from jinacli.post.output import open_results, writer_of
from jinacli.post.parameters import say_misspelt
from jinacli.screens.errors import say
from jinacli.screens.post import say_unmet


def run_here(options: RunOptions, begin: Begin) -> int:
    """Run the Executor in this process, and return the exit code.

    Args:
        options: of the command.
        begin: called with what of the user's code runs next.
    """
    gc.freeze()  # what was loaded for this stays
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
        if options.call.parameters and not options.quiet:
            _say_misspelt(options, executor)
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
    if not options.quiet:
        if lines is not None and tally.total:
            say_unmet(options.reading, lines)
        if options.output != "-":
            say(tally.sum(options.output))
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


def _say_misspelt(options: RunOptions, executor: Any) -> None:
    # Late: reads the source of methods, of use only with parameters.
    from jina.executors.describe import endpoints_of

    endpoints = msgspec.to_builtins(list(endpoints_of(executor.requests, type(executor))))
    name = str(getattr(getattr(executor, "metas", None), "name", "") or "")
    node = {"name": name, "title": name, "endpoints": endpoints}
    say_misspelt(options.call.parameters, with_slash(options.endpoint), [node], [name])


def _write(found: Iterable[Outcome], results: ResultFile, options: RunOptions) -> Tally:
    """Write the outcomes and count them."""
    tally = Tally()
    results.begin(0)
    writer = writer_of(results, options.form, options.call.select)
    try:
        for outcome in found:
            results.write(writer.written(outcome.lines))
            tally.add(outcome, quiet=options.quiet)
    except (KeyboardInterrupt, exits.Terminated):
        if results.is_regular:  # a file that is of use only as a whole is not kept
            say(tally.broken_off())
        raise
    results.write(writer.end())
    writer.complete(results.path)
    results.complete()
    return tally
