"""A script in one process: it reads JSON lines, upper-cases the text and writes JSON lines.

python -m tests.bench.rivals.scripts json|orjson|msgspec STYLE KEY IN OUT
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from tests.bench.styles import STYLES, Row


def by_line(
    loads: Callable[[bytes], Row], dumps: Callable[[Row], bytes], arguments: Sequence[str]
) -> None:
    """Upper-case one line after the other, in the usual loop."""
    style, key, source, target = arguments
    to_document, work = STYLES[style].to_document, STYLES[style].work
    with open(source, "rb") as lines, open(target, "wb") as out:
        for number, line in enumerate(lines, 1):
            document = to_document(loads(line), key, number)
            work(document)
            out.write(dumps(document) + b"\n")


def with_json(*arguments: str) -> None:
    import json

    def dumps(document: Row) -> bytes:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    by_line(json.loads, dumps, arguments)


def with_orjson(*arguments: str) -> None:
    import orjson

    by_line(orjson.loads, orjson.dumps, arguments)


def with_msgspec(style: str, key: str, source: str, target: str) -> None:
    """Work in batches, typed if the lines are Documents already: the fastest way there is."""
    import msgspec

    encoder = msgspec.json.Encoder()
    if style == "ids":
        document_type = msgspec.defstruct(
            "Document",
            [("id", str), ("text", str), ("tags", dict[str, Any]), ("mime_type", str, "")],
            gc=False,
        )
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(document_type)
    else:
        decoder = msgspec.json.Decoder(dict[str, Any])
    to_document, work = STYLES[style].to_document, STYLES[style].work
    number = 1
    with open(source, "rb") as lines, open(target, "wb") as out:
        while batch := b"".join(islice(lines, 100)):
            documents = decoder.decode_lines(batch)
            if style == "ids":
                for document in documents:
                    document.mime_type = "text/plain"
                    document.text = document.text.upper()
            else:
                documents = [
                    to_document(row, key, place) for place, row in enumerate(documents, number)
                ]
                number += len(documents)
                for document in documents:
                    work(document)
            out.write(encoder.encode_lines(documents))


if __name__ == "__main__":
    PROGRAMS = {"json": with_json, "orjson": with_orjson, "msgspec": with_msgspec}
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
