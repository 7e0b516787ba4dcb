"""A note on results that are mostly what was posted names fields that are worth leaving out."""

from __future__ import annotations

import pytest

from jinacli.post.echoes import Echoes


@pytest.mark.parametrize(
    ("sizes", "note"),
    [
        ({f"f{n}": 30 for n in range(30)}, ""),
        ({"buffer": 600, "small": 30}, "use --exclude buffer"),
        ({"buffer": 400, "text": 300}, "use --exclude buffer,text"),
    ],
)
def test_only_fields_that_are_worth_it_are_named(sizes: dict[str, int], note: str) -> None:
    echoes = Echoes("list")
    echoes._looked_at = 1000
    echoes._echoed.update(sizes)
    said = echoes.note()
    assert said.endswith(note)
    assert bool(said) == bool(note)
