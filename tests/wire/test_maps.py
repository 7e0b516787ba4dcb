"""The maps: what goes in comes out; what is no map is refused, whatever it is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.excepts import WireError
from jina.wire.described import Described, Endpoint, Parameter
from jina.wire.maps import (
    Call,
    ErrorInfo,
    Failure,
    LineFailures,
    Part,
    Ready,
    Route,
    Welcome,
    pack_map,
    unpack_map,
)
from tests.wire.mutations import mutations, truncations

NUMBERS = st.integers(0, 2**64 - 1)
SMALL = st.integers(0, 2**31)
SCALARS = [st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.text(), st.binary()]
VALUES = st.recursive(
    st.one_of(*SCALARS, st.floats(allow_nan=False)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.builds(Part, SMALL, SMALL, SMALL, NUMBERS, SMALL, SMALL)
MAPS: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        Route,
        st.text(),
        st.none() | st.lists(st.text(), max_size=3),
        st.lists(PARTS, max_size=4),
        SMALL,
        st.booleans(),
        SMALL,
        SMALL,
        SMALL,
        st.none() | st.builds(ErrorInfo, st.text(), st.text()),
    ),
    st.builds(
        Call,
        st.dictionaries(st.text(), VALUES, max_size=4),
        st.text(),
        st.text(),
        st.booleans(),
        st.sampled_from(["list", "base64"]),
        st.lists(st.tuples(SMALL, NUMBERS, NUMBERS), max_size=3),
    ),
    st.builds(
        LineFailures,
        SMALL,
        st.lists(st.builds(Failure, SMALL, st.text(), st.text(), st.text(), st.text()), max_size=3),
    ),
    st.builds(ErrorInfo, st.text(), st.text(), st.text(), SMALL, st.text()),
    st.builds(
        Welcome, st.text(), st.dictionaries(st.text(), st.lists(st.text(), max_size=3)), SMALL
    ),
    st.builds(Ready, SMALL, st.lists(st.text(), max_size=3), SMALL),
)
EXAMPLES = [
    Route("/index", ["enc"], [Part(0, 0, 1, 100), Part(1, 1, 3, 100, 2, 1)], 2, True, 3),
    Route("/index", [], [], first=3, stop=4, blame=ErrorInfo("E", "m")),
    Call({"top_k": 5, "deep": [{"a": None}, 1.5, b"x"]}, "data.jsonl", "0123456789abcdef", True),
    LineFailures(3, [Failure(1, "id", "jina.excepts.BadLine", "data.jsonl:2: not JSON")]),
    ErrorInfo("ValueError", "no", "encoder", 1, "Traceback"),
    Welcome("search", {"encoder": ["/index", "/search"]}, 16),
    Ready(4711, ["/default"], 2),
    Ready(
        4711,
        ["/x"],
        2,
        described=Described("E", "e", "d", [Endpoint("/x", "x", "doc", True, [Parameter("p", 1)])]),
    ),
]


@given(MAPS)
def test_a_map_comes_out_as_it_went_in(value: Any) -> None:
    assert unpack_map(type(value), pack_map(value)) == value


@pytest.mark.parametrize("value", EXAMPLES, ids=lambda value: type(value).__name__)
def test_every_truncation_of_a_map_is_refused(value: Any) -> None:
    for data in truncations(pack_map(value)):
        with pytest.raises(WireError, match=f"a damaged {type(value).__name__} map: "):
            unpack_map(type(value), data)


@pytest.mark.parametrize("kind", [type(value) for value in EXAMPLES])
def test_a_damaged_map_is_a_map_or_a_wire_error(kind: type) -> None:
    read = 0
    for data in mutations([pack_map(value) for value in EXAMPLES], seed=2):
        try:
            assert type(unpack_map(kind, data)) is kind
        except WireError:
            continue
        read += 1
    assert read


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x91" * 100_000,  # lists in lists
        b"\xdf\xff\xff\xff\xff",  # a map that claims four thousand million entries
        b"\x91\xdb\xff\xff\xff\xff",  # a text that claims 4 GiB
        b"\x92\xc7\x05\x7fabcde",  # an extension type
    ],
)
@pytest.mark.parametrize("kind", [type(value) for value in EXAMPLES])
def test_a_bomb_is_a_wire_error(kind: type, bomb: bytes) -> None:
    with pytest.raises(WireError):
        unpack_map(kind, bomb)


def test_parameters_nested_too_deeply_are_a_wire_error() -> None:
    data = b"\x91\x81\xa1a" + b"\x91" * 100_000 + b"\xc0"
    with pytest.raises(WireError):
        unpack_map(Call, data)


def test_a_map_of_an_older_sender_lacks_the_later_fields() -> None:
    assert unpack_map(Route, msgspec.msgpack.encode(["/index"])) == Route("/index")


def test_a_map_of_a_newer_sender_has_fields_that_are_passed_over() -> None:
    described = {"executor": "E", "later": 1}
    data = [4711, ["/x"], 2, {}, [], [], "", described, "later", {"much": "later"}]
    found = unpack_map(Ready, msgspec.msgpack.encode(data))
    assert found == Ready(4711, ["/x"], 2, described=Described("E"))


class Unknown:
    """What no map can carry."""


def nested(depth: int) -> Any:
    value: Any = None
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, Unknown(), {"a": Unknown()}, "\ud800"])
def test_a_parameter_that_cannot_be_carried_is_a_wire_error(value: Any) -> None:
    with pytest.raises(WireError, match="parameters that cannot be carried: "):
        pack_map(Call({"value": value}))


def test_a_parameter_that_is_nested_too_deep_is_a_wire_error() -> None:
    with pytest.raises(WireError, match="parameters that cannot be carried: "):
        pack_map(Call({"value": nested(100_000)}))
