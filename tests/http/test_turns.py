"""Bytes that are dear to read leave the loop to the others."""

from __future__ import annotations

import asyncio

from jina.http.turns import Turns


class _Endless:
    """A connection that always has more."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.slices = 0

    def read_on(self) -> None:
        self.slices += 1
        self._turns.add(self, asyncio.get_running_loop())


class _Broken:
    def read_on(self) -> None:
        raise ValueError("no luck")


def test_the_loop_goes_on_while_connections_read_without_end() -> None:
    turns = Turns()
    readers = [_Endless(turns) for _ in range(3)]

    async def look() -> None:
        loop = asyncio.get_running_loop()
        for reader in readers:
            turns.add(reader, loop)
        for _ in range(3):
            await asyncio.sleep(0)

    asyncio.run(look())
    counts = [reader.slices for reader in readers]
    assert min(counts) > 0
    assert max(counts) - min(counts) <= 1


def test_a_connection_that_fails_does_not_end_the_turns_of_others() -> None:
    turns = Turns()
    reader = _Endless(turns)

    async def look() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        turns.add(_Broken(), loop)
        turns.add(reader, loop)
        for _ in range(3):
            await asyncio.sleep(0)

    asyncio.run(look())
    assert reader.slices > 0
