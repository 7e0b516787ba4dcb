"""The embeddings of results as one array of floats, a row for each result, in order."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from jina.excepts import DocumentError, OutputError
from jina.records.tensors import from_json
from jina.writers.base import Writer
from jina.writers.results import Raw, fields_of, is_error, text_of

_HEAD_BYTES = 256  # of the file: room for the shape, which is known at the end
_BLOCK_BYTES = 1 << 20  # packed at once


class Npy(Writer):
    """Writes the rows as they come, and the shape at the end.

    A row of NaN stands for a result without an embedding, so that row N is always that of result N.
    The numbers have the dtype of the first embedding, or float32 if that says no type of floats.

    Args:
        is_gzip: pack the file once it is complete.
    """

    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._shape: tuple[int, ...] | None = None  # of a row
        self._dtype = "<f4"
        self._rows = 0
        self._empty = 0  # rows before the shape was known, which are not written yet
        self._failed = 0
        self._missing = 0
        self._is_begun = False

    def written(self, lines: bytes | memoryview) -> bytes:
        """See Writer.

        Raises:
            OutputError: an embedding of another shape than the first, or not of real numbers.
        """
        rows = [self._row(line) for line in bytes(lines).splitlines()]
        self._rows += len(rows)
        if self._shape is None:
            self._empty += len(rows)
            return b""
        blank = np.full(self._shape, np.nan, self._dtype)
        filled = [blank if row is None else row.astype(self._dtype) for row in rows]
        data = b"".join([row.tobytes() for row in filled])
        if self._is_begun:
            return data
        self._is_begun = True
        return bytes(_HEAD_BYTES) + blank.tobytes() * self._empty + data

    def _row(self, line: bytes) -> np.ndarray[Any, Any] | None:
        result = fields_of(line)
        if "embedding" not in result:
            self._failed += is_error(result)
            self._missing += not is_error(result)
            return None
        row = _numbers(result)
        if self._shape is None:
            self._shape, self._dtype = row.shape, row.dtype.str
        elif self._shape != row.shape:
            raise OutputError(
                f"the embedding of Document {_id_of(result)!r} has the shape {row.shape}, but "
                f"those before it have {self._shape}",
                hint="an array has only one shape; use .jsonl or .parquet instead",
            )
        return row

    def complete(self, path: str) -> None:
        """See Writer."""
        if self._rows and self._shape is None:
            raise OutputError(
                "no result has an embedding, so there is no array to write",
                hint="does the endpoint set `doc.embedding`?",
            )
        head = {
            "descr": self._dtype,
            "fortran_order": False,
            "shape": (self._rows, *(self._shape or (0,))),
        }
        text = f"{head}".ljust(_HEAD_BYTES - 11) + "\n"
        with open(path, "r+b") as file:
            file.write(b"\x93NUMPY\x01\x00" + (_HEAD_BYTES - 10).to_bytes(2, "little"))
            file.write(text.encode())
        if self._is_gzip:
            packed = f"{path}.gz"
            with (
                open(path, "rb") as file,
                open(packed, "wb") as raw,
                gzip.GzipFile("", "wb", 6, raw, mtime=0) as into,
            ):
                shutil.copyfileobj(file, into, _BLOCK_BYTES)
            os.replace(packed, path)

    def notes(self) -> Sequence[str]:
        """See Writer."""
        why = []
        if self._failed:
            why.append(f"{self._failed:,} failed")
        if self._missing:
            why.append(f"{self._missing:,} without an embedding")
        return (
            (f"there is a row of NaN for each of these Documents: {', '.join(why)}",) if why else ()
        )


def _numbers(result: dict[str, Raw]) -> np.ndarray[Any, Any]:
    try:
        given = msgspec.json.decode(result["embedding"])
        value = from_json(given)
        value = value.toarray() if hasattr(value, "toarray") else value  # a sparse one
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"numbers of type {array.dtype}")
        is_typed = isinstance(given, dict) and array.dtype.kind == "f"
        return array if is_typed else array.astype("<f4")
    except (DocumentError, ValueError, TypeError) as error:
        raise OutputError(
            f"the embedding of Document {_id_of(result)!r} is not a row of real numbers: {error}"
        ) from error


def _id_of(result: dict[str, Raw]) -> str:
    return text_of(result["id"]) if "id" in result else ""
