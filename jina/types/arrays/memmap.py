"""A DocumentArray on disk: larger than memory, opened at once, and safe if the process is killed.

A folder holds a log of packed Documents (`jina.records.binary`), which only grows at its end, and a
table that says where each row lies (`jina.types.arrays.table`). A row is written to the log first
and then to the table; `append` returns when the operating system has both. A process that is
killed in between leaves some bytes that no entry names, and does no other harm.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, Self
from weakref import WeakValueDictionary

from jina.excepts import BadDocType, DocumentError
from jina.records import ids
from jina.records.mapping import kind_of
from jina.types.arrays.document import DocumentArray
from jina.types.arrays.methods import ArrayMethods
from jina.types.arrays.positions import find_position, find_positions, is_position, several
from jina.types.arrays.selection import first
from jina.types.arrays.table import Entry, Table, hash_of, write_at
from jina.types.document import Document

_BATCH = 256  # rows written, or kept, in one go


class DocumentArrayMemmap(ArrayMethods[Document, DocumentArray]):
    """A list of Documents that lives in a folder. One process may write to it at a time.

    Documents that are appended, added or assigned are on disk when the call returns. Documents that
    are read are held in a pool; changes to them are written when they leave it, and by `save` and
    `close`. A Document that has left the pool is still written by `save` as long as the program
    holds it.

    Args:
        path: the folder, which is made if it is missing; None for a new temporary one.
        key_length: no effect; ids may have any length.
        buffer_pool_size: how many Documents the pool holds.

    Raises:
        DocumentError: the folder holds something else.
    """

    __slots__ = ("_alive", "_folder", "_index", "_index_age", "_log", "_pool", "_size", "_table")
    _columns = None
    _new = staticmethod(DocumentArray._new)
    _new_of = staticmethod(DocumentArray._new_of)

    def __init__(
        self,
        path: str | Path | None = None,
        key_length: int = 36,
        buffer_pool_size: int = 1000,
    ) -> None:
        self._folder = Path(mkdtemp(prefix="jina-docs-") if path is None else path)
        self._size = max(1, buffer_pool_size)
        self._log = -1
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise DocumentError("this is not a folder", where=str(self._folder)) from None
        self._open()

    def _open(self) -> None:
        self._table = Table(self._folder / "table")
        self._log = os.open(self._log_path(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        self._forget()

    def _log_path(self, generation: int | None = None) -> Path:
        number = self._table.generation if generation is None else generation
        return self._folder / f"log.{number}"

    def _forget(self) -> None:
        """Drop what is held in memory: the positions of rows have changed."""
        self._pool: OrderedDict[int, Document] = OrderedDict()
        self._alive: WeakValueDictionary[int, Document] = WeakValueDictionary()
        self._index: dict[int, int] | None = None
        self._index_age = 0

    # --- the folder -----------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The folder."""
        return self._folder

    @property
    def physical_size(self) -> int:
        """Bytes on disk, including rows that were replaced; `prune` frees those."""
        return os.fstat(self._log).st_size + os.fstat(self._table.descriptor).st_size

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write changes to the Documents that are held; with arguments, save to a file.

        Args:
            *args: those of `DocumentArray.save`.
            **kwargs: the same.
        """
        self._check_open()
        for position, doc in list(self._alive.items()):
            self._write_back(position, doc)
        if args or kwargs:
            super().save(*args, **kwargs)

    def close(self) -> None:
        """Write all changes, and close the files. It may be called twice."""
        if self._log >= 0:
            self.save()
            self._shut()

    def _shut(self) -> None:
        os.close(self._log)
        self._table.close()
        self._log = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # When Python exits, what is needed may be gone already; then nothing can be written.
        with suppress(AttributeError, OSError, TypeError, DocumentError, ImportError):
            self.close()

    def reload(self) -> None:
        """Read what another process has written; changes that were not saved are lost."""
        if self._log >= 0:
            self._shut()
        self._open()

    def prune(self) -> None:
        """Write a new log without the rows that were replaced or removed."""
        self.save()
        generation = self._table.generation + 1
        old = self._log_path()
        entries: list[Entry] = []
        offset = 0
        with self._log_path(generation).open("wb") as stream:
            for entry in self._table:
                stream.write(os.pread(self._log, entry.length, entry.offset))
                entries.append(entry._replace(offset=offset))
                offset += entry.length
        self._table = self._table.rewritten(entries, generation)
        os.close(self._log)
        self._log = os.open(self._log_path(), os.O_RDWR | os.O_CLOEXEC)
        old.unlink()

    # --- rows -----------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._log < 0:
            raise DocumentError("this array is closed", where=str(self._folder))

    def _read(self, position: int) -> Document:
        self._check_open()
        doc = self._alive.get(position)
        if doc is None:
            doc = self._load(position)
        self._hold(position, doc)
        return doc

    def _load(self, position: int) -> Document:
        entry = self._table[position]
        data = os.pread(self._log, entry.length, entry.offset)
        try:
            return Document(data)
        except BadDocType as err:
            raise DocumentError(err.what, where=f"{self._log_path()}: byte {entry.offset}") from err

    def _hold(self, position: int, doc: Document) -> None:
        self._alive[position] = doc
        pool = self._pool
        pool[position] = doc
        pool.move_to_end(position)
        if len(pool) > self._size:
            self._write_back(*pool.popitem(last=False))

    def _write_back(self, position: int, doc: Document) -> None:
        entry = self._table[position]
        data = doc.binary_str()
        if data != os.pread(self._log, entry.length, entry.offset):
            self._table.replace(position, self._logged([data], [doc])[0])
            self._index = None

    def _logged(self, rows: list[bytes], docs: list[Document]) -> list[Entry]:
        """Write rows at the end of the log."""
        self._check_open()
        start = os.fstat(self._log).st_size
        write_at(self._log, b"".join(rows), start)
        entries = []
        for data, doc in zip(rows, docs, strict=True):
            entries.append(Entry(start, len(data), hash_of(doc.id)))
            start += len(data)
        return entries

    def _position(self, key: Any) -> int:
        if isinstance(key, str):
            self._check_open()
            if self._index_age != ids.Changes.count:
                self.save()
                self._index = None
            if self._index is None:
                self._index_age = ids.Changes.count
                self._index = {entry.id_hash: i for i, entry in enumerate(self._table)}
            position = self._index.get(hash_of(key))
            if position is None:
                raise KeyError(f"no Document has the id {key!r}")
            return position
        return find_position(key, len(self))

    @property
    def _docs(self) -> Any:
        return self

    def __len__(self) -> int:
        return self._table.count

    def __bool__(self) -> bool:
        return len(self) > 0

    def __iter__(self) -> Iterator[Document]:
        position = 0
        while position < len(self):
            yield self._read(position)
            position += 1

    def __contains__(self, id: object) -> bool:
        if not isinstance(id, str):
            raise TypeError(f"`in` takes the id of a Document, not {kind_of(id)}")
        try:
            self._position(id)
        except KeyError:
            return False
        return True

    def __getitem__(self, key: Any) -> Any:
        """Return a Document by position or id, or an array in memory by slice, list or mask."""
        if isinstance(key, str) or is_position(key):
            return self._read(self._position(key))
        return DocumentArray([self._read(i) for i in self._selected(key)])

    def _selected(self, key: Any) -> Iterable[int]:
        if isinstance(key, slice):
            return range(len(self))[key]
        return find_positions(key, len(self), self._position)

    def append(self, doc: Document) -> Document:
        """Add a Document at the end; it is on disk when this returns."""
        self.extend([doc])
        return doc

    def extend(self, docs: Iterable[Document] | None) -> None:
        """Add Documents at the end; they are on disk when this returns."""
        waiting = iter(() if docs is None else several(docs))
        while part := list(islice(waiting, _BATCH)):
            for doc in part:
                if not isinstance(doc, Document):
                    raise BadDocType(f"{kind_of(doc)} is not a Document")
            first = len(self)
            self._table.append(self._logged([doc.binary_str() for doc in part], part))
            for position, doc in enumerate(part, first):
                self._hold(position, doc)
                if self._index is not None:
                    self._index[hash_of(doc.id)] = position

    def __setitem__(self, key: Any, doc: Any) -> None:
        """Replace a Document by position or id, or the Documents of a slice by as many others."""
        if isinstance(key, slice):
            rows, docs = range(len(self))[key], list(several(doc))
            if len(rows) != len(docs):
                raise DocumentError(f"cannot replace {len(rows)} Documents with {len(docs)}")
            for position, one in zip(rows, docs, strict=True):
                self[position] = one
            return
        if not isinstance(doc, Document):
            raise BadDocType(f"{kind_of(doc)} is not a Document")
        position = self._position(key)
        self._table.replace(position, self._logged([doc.binary_str()], [doc])[0])
        self._index = None
        self._hold(position, doc)

    def __delitem__(self, key: Any) -> None:
        """Remove a Document by position or id, or the Documents of a slice, list or mask."""
        if isinstance(key, str) or is_position(key):
            gone = {self._position(key)}
        else:
            gone = set(self._selected(key))
        self._reorder([i for i in range(len(self)) if i not in gone])

    def _reorder(self, positions: Sequence[int]) -> None:
        """Keep the rows at these positions, in this order."""
        self._check_open()
        self.save()
        entries = list(self._table)
        self._table = self._table.rewritten([entries[i] for i in positions])
        self._forget()

    def insert(self, position: int, doc: Document) -> None:
        """Add a Document before a position."""
        order = list(range(len(self)))
        self.append(doc)
        order.insert(position, len(order))
        self._reorder(order)

    def pop(self, key: int | str = -1) -> Document:
        """Remove and return a Document by position or id; the last one by default."""
        doc: Document = self[key]
        del self[key]
        return doc

    def remove(self, doc: Document) -> None:
        """Remove the first Document that equals this one."""
        del self[self.index(doc)]

    def index(self, doc: Document) -> int:
        """Return the position of the first equal Document.

        Raises:
            ValueError: there is none.
        """
        for position, other in enumerate(self):
            if other == doc:
                return position
        raise ValueError(f"no Document equals {doc.id!r}")

    def count(self, doc: Document) -> int:
        """Return how many Documents equal this one."""
        return sum(other == doc for other in self)

    def clear(self) -> None:
        """Remove all Documents, and free their bytes."""
        self._forget()
        self._table = self._table.rewritten([])
        self.prune()

    def reverse(self) -> None:
        """Reverse the order in place."""
        self._reorder(range(len(self) - 1, -1, -1))

    def sort(
        self, key: Callable[[Document], Any], top_k: int | None = None, reverse: bool = False
    ) -> None:
        """Sort in place; see `DocumentArray.sort`."""
        self._reorder(first([key(doc) for doc in self], top_k or len(self), reverse))

    def __add__(self, docs: Iterable[Document]) -> DocumentArray:
        """Return a new array in memory with the Documents of both."""
        return DocumentArray(self) + docs

    def __eq__(self, other: object) -> bool:
        """Whether both hold equal Documents in the same order."""
        if isinstance(other, (DocumentArray, DocumentArrayMemmap)):
            return self is other or (
                len(self) == len(other)
                and all(one == two for one, two in zip(self, other, strict=True))
            )
        return NotImplemented

    __hash__ = None  # type: ignore[assignment] # arrays change: they cannot be keys

    def __copy__(self) -> Self:
        """Refuse to copy: two arrays would write into one folder.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "an array on disk cannot be copied; DocumentArray(docs) makes a copy in memory"
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Refuse to copy, as `__copy__` does."""
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the path of the folder; changes are written first."""
        if self._log >= 0:
            self.save()
        return type(self), (str(self._folder.absolute()), 36, self._size)

    def __iadd__(self, docs: Iterable[Document]) -> Self:
        """Add Documents at the end."""
        self.extend(docs)
        return self

    def __str__(self) -> str:
        return str(DocumentArray(self[:4])).replace("has 4 items", f"has {len(self)} items")


# So that functions such as random.sample accept the array as they accept a list.
Sequence.register(DocumentArrayMemmap)
