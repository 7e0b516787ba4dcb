"""The work of a check grows with the number of mistakes, not with its square.

Work is counted as lines of Python that run, so that no test depends on the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from jina.check import check_flow
from jina.config.needs import Node, faults

FEW, MANY = 30, 300
OURS = f"{Path('jina')}/"

# Each makes the entry number n of `count`.
ENTRIES: dict[str, Callable[[int, int], str]] = {
    "right": lambda n, count: f"{{name: n{n}, replicas: 2}}",
    "unknown key": lambda n, count: f"{{name: n{n}, nedes: x{n}, replicas: many}}",
    "class missing": lambda n, count: f"{{name: n{n}, uses: {{with: {{}}}}}}",
    "class misspelt": lambda n, count: f"{{name: n{n}, uses: {{class: A}}}}",
    "plain yes": lambda n, count: f"{{name: n{n}, uses: {{a: yes}}}}",
    "key twice": lambda n, count: f"{{name: same, name: n{n}}}",
    "same name": lambda n, count: "{name: same}",
    "bad tag": lambda n, count: f"{{name: n{n}, uses: !!x {{a: b}}}}",
    "unset variable": lambda n, count: f"{{name: $CORPUS_UNSET{n}}}",
    "lost reference": lambda n, count: f"{{name: '${{{{ root.executors[{n}].nam }}}}'}}",
    "no such file": lambda n, count: f"{{name: n{n}, uses: nosuch{n}.yml}}",
    "no such module": lambda n, count: f"{{name: n{n}, uses: A, py_modules: nosuch{n}.py}}",
    "text block": lambda n, count: f'{{name: n{n}, uses: "with: {{}}\\nwiht: 1"}}',
    "unknown need": lambda n, count: f"{{name: n{n}, needs: [x{n}, x{n}]}}",
    "chain": lambda n, count: f"{{name: n{n}, needs: {f'n{n - 1}' if n else 'gateway'}}}",
    "circle": lambda n, count: f"{{name: n{n}, needs: n{(n + 1) % count}}}",
    "joined by the last": lambda n, count: (
        f"{{name: n{n}, needs: gateway}}"
        if n < count - 1
        else f"{{name: n{n}, needs: [{', '.join(f'n{m}' for m in range(n))}]}}"
    ),
}
# Each makes one entry with so many mistakes in it.
WIDE: dict[str, Callable[[int], str]] = {
    "unknown keys": lambda count: ", ".join(f"unknown{n}: 1" for n in range(count)),
    "unknown needs": lambda count: f"needs: [{', '.join(f'x{n}' for n in range(count))}]",
    "env": lambda count: f"env: {{{', '.join(f'A{n}: []' for n in range(count))}}}",
    "modules": lambda count: f"py_modules: [{', '.join(f'x{n}.py' for n in range(count))}]",
}


def lines_run(action: Callable[[], object]) -> int:
    """How many lines of jina's own code an action runs; a round of a comprehension is one."""
    count = 0

    def local(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += 1
        return local

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        if OURS not in frame.f_code.co_filename:
            return None
        return local(frame, event, arg)

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


def is_linear(few: int, many: int) -> bool:
    return many < few * (MANY / FEW) * 1.2


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "flow.yml"


@pytest.mark.parametrize("kind", ENTRIES)
def test_ten_times_the_executors_are_ten_times_the_work(flow: Path, kind: str) -> None:
    work = []
    for count in (1, FEW, MANY):  # the first one imports
        entries = "".join(f"  - {ENTRIES[kind](n, count)}\n" for n in range(count))
        flow.write_text(f"jtype: Flow\nexecutors:\n{entries}")
        work.append(lines_run(lambda: check_flow("flow.yml", no_import=True)))
    assert is_linear(*work[1:]), work


@pytest.mark.parametrize("kind", WIDE)
def test_ten_times_the_mistakes_in_one_executor_are_ten_times_the_work(
    flow: Path, kind: str
) -> None:
    work = []
    for count in (1, FEW, MANY):
        flow.write_text(f"jtype: Flow\nexecutors:\n  - {{name: a, {WIDE[kind](count)}}}\n")
        work.append(lines_run(lambda: check_flow("flow.yml", no_import=True)))
    assert is_linear(*work[1:]), work


def test_cycles_that_share_executors_are_told_by_their_beginning() -> None:
    """Each node of a chain closes a cycle with the first one: whole trails would be a square."""
    nodes = [Node(f"n{n}", ["n0", f"n{n + 1}"]) for n in range(1, MANY)]
    found = faults([Node("n0", ["n1"]), *nodes, Node(f"n{MANY}", ["n0"])])
    assert {fault.kind for fault in found} == {"cycle"}
    assert len(found) == MANY
    assert found[0].message == "these executors wait for each other: n0 -> n1 -> n0"
    assert found[-1].message == (
        "these executors wait for each other: "
        f"{' -> '.join(f'n{n}' for n in range(20))} -> … ({MANY + 1 - 20} more) -> n0"
    )


def test_long_names_are_not_compared() -> None:
    """To compare two long names letter by letter would take minutes."""
    long = "ab" * 100_000
    found = faults([Node(long, ["ba" * 100_000]), Node("b")])
    assert [fault.kind for fault in found] == ["bad-name", "unknown-need"]
    assert "did you mean" not in found[1].hint
