"""`jina post --dry-run`: what would be posted where. No Document is sent, and no Flow started."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import msgspec

from jina.client.requests import call_of
from jina.client.session import Session
from jina.defaults import MAX_REQUEST_DOCS, MIB, READ_BYTES, TIMEOUT_CONNECT_S
from jina.launch.find import shortest
from jina.readers import Chunk, LineSource, open_inputs
from jina.readers.inputs import find_inputs
from jina.readers.rows import Rows
from jina.terminal_text import escaped
from jina.types import codec
from jina.types.document import Document
from jina.wire.body import read_lines
from jina.wire.maps import Call
from jinacli import exits
from jinacli.post.destination import (
    check_endpoint,
    check_target,
    credentials_of,
    planned,
    running_flow,
)
from jinacli.post.inputs import inputs_of, posted_texts
from jinacli.post.options import PostOptions
from jinacli.screens.numbers import number

_COUNTED_BYTES = 64 * MIB  # of the inputs; more are not read only to be counted
_SHOWN = 20  # inputs
_MAX_DOCUMENT = 2_000  # characters


def dry_run_post(options: PostOptions) -> int:
    """Print what `run_post` would do, and return the exit code.

    Raises:
        JinaError: what would end the post before anything is sent.
    """
    rows = [("post to", f"{options.endpoint} of {_destination(options)}")]
    rows += _inputs(options)
    if options.parameters:
        rows.append(("parameters", msgspec.json.encode(options.parameters).decode()))
    output = "standard output" if options.output == "-" else options.output
    rows.append(("output", f"{output}, as {options.form.shown}"))
    width = max(len(name) for name, _ in rows)
    text = "".join(f"{name:{width}}  {value}\n" for name, value in rows)
    sys.stdout.write(escaped(f"{text}Dry run: nothing was sent.\n"))
    sys.stdout.flush()
    return exits.OK


def _destination(options: PostOptions) -> str:
    """The Flow, in words; if it runs, it is asked whether it serves the endpoint."""
    address, name = options.address, options.address
    if not address:
        record = running_flow(options)
        if record is None:
            planned(options)
            return f"{options.flow}, which would be started for this command"
        file = f" ({shortest(record.file)})" if record.file else ""
        name = f'the Flow "{record.name}"{file}'
        if not record.is_ready:
            return f"{name}, which is still starting"
        address = record.addresses[0]
    limit_s = min(options.timeout_s or TIMEOUT_CONNECT_S, TIMEOUT_CONNECT_S)
    keys = credentials_of(options)
    with Session(address, timeout_connect_s=limit_s, keys=keys) as session:
        check_target(options.target, session.welcome)
        check_endpoint(options, session.welcome)
    return name


def _inputs(options: PostOptions) -> Iterator[tuple[str, str]]:
    """What would be read, how much it is, and the first Document."""
    named = inputs_of(options)
    if not named:
        texts = posted_texts(options)
        yield "inputs", "--text" if options.texts else "none: one request without Documents"
        if texts:
            yield "Documents", number(len(texts))
            yield "the first", _shown(codec.render([Document(text=texts[0])]).decode())
        return
    found = find_inputs(named, options=options.reading)
    for index, one in enumerate(found[:_SHOWN]):
        size = "" if one.size_bytes is None else f", {number(one.size_bytes)} bytes"
        form = f"{one.format}.gz" if one.is_gzip else one.format
        yield "" if index else "inputs", f"{one.name}: {form}{size}"
    if len(found) > _SHOWN:
        yield "", f"and {number(len(found) - _SHOWN)} more"
    if any(one.size_bytes is None for one in found):
        yield "Documents", "unknown: pipes and devices are not read here"
        return
    with open_inputs(named, options=options.reading) as lines:
        count, first = _read(lines, options)
    yield "Documents", count
    if first:
        yield "the first", _shown(first)


def _read(lines: LineSource, options: PostOptions) -> tuple[str, str]:
    """How many Documents there are, in words, and the first as JSON."""
    _skip(lines, options.skip)
    count, first, left = 0, "", options.limit
    while not lines.at_end and left != 0:
        # The first alone: only that is parsed.
        most = min(left or MAX_REQUEST_DOCS, MAX_REQUEST_DOCS) if first else 1
        chunk = lines.next_chunk(max_lines=most, max_bytes=READ_BYTES)
        if chunk is None:
            continue
        left = None if left is None else max(0, left - chunk.lines)
        count += _outcomes(chunk)
        first = first or _first(chunk)
        if lines.bytes_taken > _COUNTED_BYTES:
            return f"more than {number(count)}", first
    return number(count), first


def _skip(lines: LineSource, count: int) -> None:
    while lines.lines_read < count and not lines.at_end:
        most = min(count - lines.lines_read, MAX_REQUEST_DOCS)
        lines.next_chunk(max_lines=most, max_bytes=READ_BYTES)


def _outcomes(chunk: Chunk | Rows) -> int:
    """How many Documents, good and bad, are in some lines; blank ones are none."""
    if isinstance(chunk, Chunk):
        lines = chunk.data.split(b"\n")
        return sum(map(bool, map(bytes.strip, lines))) + len(chunk.oversize)
    return len(chunk.docs) + (len(chunk.failures.failures) if chunk.failures else 0)


def _first(chunk: Chunk | Rows) -> str:
    """The first Document of some lines as JSON, or why it is none; empty for blank lines."""
    docs, failures = (chunk.docs, chunk.failures) if isinstance(chunk, Rows) else (None, None)
    if isinstance(chunk, Chunk):
        body = read_lines(chunk.data, call_of(Call(), chunk), chunk.first_line)
        docs, failures = body.docs[0], body.failures
    if docs:
        return codec.render(docs[:1]).decode()
    return failures.failures[0].message if failures and failures.failures else ""


def _shown(text: str) -> str:
    text = text.rstrip("\n")
    return text if len(text) <= _MAX_DOCUMENT else f"{text[:_MAX_DOCUMENT]}…"
