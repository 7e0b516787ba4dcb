"""Executors that ship with jina, found by name."""

from __future__ import annotations

import pytest

from jina.config import catalogue


def test_every_executor_of_the_catalogue_is_found() -> None:
    names = catalogue.names()
    assert names
    for name in names:
        for scheme in catalogue.SCHEMES:
            found = catalogue.find(f"{scheme}{name}")
            assert found is not None
            assert found.name == "config.yml"


@pytest.mark.parametrize(
    ("uses", "name"),
    [
        ("catalogue://A", "A"),
        ("jinahub://A/v0.1", "A"),
        ("jinahub+docker://A:secret/latest", "A"),
        ("catalogue://", ""),
    ],
)
def test_the_name_stands_without_tag_and_secret(uses: str, name: str) -> None:
    assert catalogue.name_of(uses) == name


@pytest.mark.parametrize(
    "uses", ["catalogue://", "catalogue://..", "catalogue://.", "catalogue://no"]
)
def test_what_is_not_there_is_not_found(uses: str) -> None:
    assert catalogue.find(uses) is None


def test_a_near_name_is_offered() -> None:
    name = catalogue.names()[0]
    assert catalogue.hint_for(f"catalogue://{name}s") == f"did you mean {name!r}?"
