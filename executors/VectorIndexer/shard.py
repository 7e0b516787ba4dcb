"""Which Documents belong to this shard of an index, and whether a workspace is this shard's."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from jina.excepts import ExecutorError

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEED_ALL = ("/index", "/update", "/search", "/delete")


class Shard(NamedTuple):
    """One of several parts of an index; each Document is in exactly one of them.

    Args:
        number: of this one, from 0.
        shards: how many there are.
    """

    number: int
    shards: int

    @classmethod
    def of(cls, runtime_args: Any) -> Self:
        """The shard that a Flow says this is.

        Raises:
            ExecutorError: requests do not reach every shard.
        """
        shards = getattr(runtime_args, "shards", None) or 1
        polling = getattr(runtime_args, "polling", "ANY")
        if shards > 1:
            for endpoint in _NEED_ALL:
                word = polling
                if isinstance(polling, dict):
                    word = polling.get(endpoint, polling.get("*", "ANY"))
                if word != "ALL":
                    raise ExecutorError(
                        f"with {shards} shards, {endpoint} must reach every shard, because each "
                        "keeps the Documents whose ids are its own",
                        hint="write `polling: ALL` beside `shards`",
                    )
        return cls(getattr(runtime_args, "shard_id", None) or 0, shards)

    @property
    def suffix(self) -> str:
        """What tells its name from those of the others; empty where it is the only one."""
        return "" if self.shards == 1 else f"-shard-{self.number}"

    def owns(self, id_: str) -> bool:
        """Whether a Document with this id belongs here: the same in every process, for ever."""
        return self.shards == 1 or _hash(id_) % self.shards == self.number

    def refuse_others(self, ids: Iterable[str], workspace: str) -> None:
        """Check that every Document that is kept here belongs here.

        Raises:
            ExecutorError: it was kept when there was another number of shards.
        """
        for id_ in ids:
            if not self.owns(id_):
                owner = _hash(id_) % self.shards
                raise _other_number(
                    workspace,
                    f"it keeps the Document {id_!r}, which belongs to shard {owner} of "
                    f"{self.shards}, not to shard {self.number}",
                )

    def refuse_others_in(self, workspace: str) -> None:
        """Check that there is no shard beside this one that nobody would ask.

        Raises:
            ExecutorError: there is: it was kept when there were more shards.
        """
        beside = Path(workspace).parent / str(self.shards)
        if any((beside / name).exists() for name in ("index.sqlite", "log")):
            raise _other_number(workspace, f"there is a shard {self.shards} beside it")


def _hash(id_: str) -> int:
    return zlib.crc32(id_.encode("utf-8", "surrogatepass"))


def _other_number(workspace: str, what: str) -> ExecutorError:
    return ExecutorError(
        f"this workspace was written with another number of shards: {what}",
        where=workspace,
        hint="set `shards` back, or index into a new workspace",
    )
