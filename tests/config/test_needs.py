"""Names and needs of a graph: what is wrong with them."""

from __future__ import annotations

import time

import pytest

from jina.config.needs import Node, faults


def found(*nodes: tuple[str, list[str]]) -> list[tuple[str, int, str]]:
    return [(f.kind, f.node, f.need) for f in faults([Node(n, needs) for n, needs in nodes])]


def test_a_sound_graph_has_no_faults() -> None:
    assert found(("a", ["gateway"]), ("b", ["a"]), ("c", ["a"]), ("d", ["b", "c"])) == []


def test_needs_may_look_ahead() -> None:
    assert found(("a", ["b"]), ("b", ["gateway"])) == []


@pytest.mark.parametrize("name", ["a-b", "A.b_9", "0", "x" * 64])
def test_names_that_may_be(name: str) -> None:
    assert found((name, [])) == []


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a/b", "ü", "x" * 65, "gateway", "a\n"])
def test_names_that_may_not_be(name: str) -> None:
    assert found((name, [])) == [("bad-name", 0, "")]


def test_each_fault_is_told_once() -> None:
    nodes = ("a", ["x"]), ("a", []), ("s", ["s"]), ("b", ["c", "c"]), ("c", ["gateway"])
    assert found(*nodes) == [
        ("duplicate-name", 1, ""),
        ("unknown-need", 0, "x"),
        ("self-need", 2, "s"),
        ("duplicate-need", 3, "c"),
    ]


def test_a_second_executor_of_a_name_needs_the_first_not_itself() -> None:
    assert found(("a", []), ("a", ["a"])) == [("duplicate-name", 1, "")]


def test_a_graph_of_thousands_of_wrong_needs_is_told_at_once() -> None:
    nodes = [Node(f"executor_number_{n}", [f"executor_numbr_{n}"]) for n in range(2000)]
    started = time.process_time()
    told = faults(nodes)
    assert time.process_time() - started < 5
    assert [fault.kind for fault in told] == ["unknown-need"] * 2000
    assert told[0].hint.startswith("did you mean 'executor_number_")
    assert len(told[0].hint) < 1000


def test_every_cycle_is_told_with_its_trail() -> None:
    nodes = [
        Node("a", ["b"]),
        Node("b", ["a"]),
        Node("c", ["gateway", "e"]),
        Node("d", ["c"]),
        Node("e", ["d"]),
    ]
    assert [f.message for f in faults(nodes)] == [
        "these executors wait for each other: a -> b -> a",
        "these executors wait for each other: c -> e -> d -> c",
    ]


def test_a_long_chain_is_no_trouble() -> None:
    nodes = [Node(f"n{n}", [f"n{n + 1}"]) for n in range(5000)] + [Node("n5000", [])]
    assert faults(nodes) == []
    assert [f.kind for f in faults([*nodes[:-1], Node("n5000", ["n0"])])] == ["cycle"]
