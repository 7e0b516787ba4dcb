"""Which requests may become one call, by the bytes of their parameters."""

from __future__ import annotations

from typing import Any

import pytest

from jina.wire.batching import batched_parameters
from jina.wire.maps import Call, pack_map


def parameters(said: dict[str, Any], **other: Any) -> bytes | None:
    return batched_parameters(pack_map(Call(said, **other)))


def test_only_parameters_count() -> None:
    said = {"top": 5, "deep": {"a": [1, "x"]}}
    assert parameters(said) == parameters(said, source="other.jsonl", key="k", lines=True)
    assert parameters({}) == parameters({}, oversize=[(1, 2, 3)])


@pytest.mark.parametrize("other", [{"top": 6}, {"top": 5.0}, {"top": "5"}, {"Top": 5}, {}])
def test_other_parameters_are_others(other: dict[str, Any]) -> None:
    assert parameters({"top": 5}) != parameters(other)


def test_a_request_may_go_around_it() -> None:
    assert parameters({"use_dynamic_batching": False}) is None
    assert parameters({"use_dynamic_batching": True}) is not None
    assert parameters({"text": "use_dynamic_batching"}) is not None


@pytest.mark.parametrize("call", [b"", b"call", b"\x91", b"\xc1", b"\x92\x80", b"\x93" * 100_000])
def test_a_damaged_map_goes_alone(call: bytes) -> None:
    assert batched_parameters(call) is None


def test_damaged_parameters_go_alone_when_they_must_be_read() -> None:
    assert batched_parameters(b"\x91\x81\xb4use_dynamic_batching") is None
    assert batched_parameters(b"\x91\xb4use_dynamic_batching") is None
