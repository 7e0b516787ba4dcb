"""Who has files of a Flow on other machines is kept for its next gateway, and its next start."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jina.graph.plan import Plan, PlannedNode
from jina.launch.holders import KeptHolders
from jina.runtime.control import Holder

HOLDER = Holder(identity=b"agent/7", who="agent 7 on m", node="index", shard=1)
NODES = [PlannedNode(name="index", needs=["gateway"], shards=2, is_external=True)]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JINA_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state" / "agents"


def plan(lease_s: float = 5.0, file: str = "/x/flow.yml") -> Plan:
    return Plan(name="flow", file=file, nodes=NODES, workers=[], lease_s=lease_s)


def known(**about: object) -> tuple[list[Holder], float]:
    """What the next start of the Flow is told."""
    found = KeptHolders(plan(**about))  # type: ignore[arg-type]
    return found.holders, round(found.seconds)


def test_a_flow_that_was_killed_is_known_by_its_next_start(state: Path) -> None:
    assert known() == ([], 0)
    first = KeptHolders(plan())
    first.take([HOLDER])
    assert (first.holders, first.seconds) == ([HOLDER], 10.0)
    assert known() == ([HOLDER], 10)
    assert known(file="/y/flow.yml") == ([], 0)
    (file,) = state.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    first.take([])
    assert list(state.iterdir()) == []
    assert known() == ([], 0)


@pytest.mark.parametrize(("seconds", "left_s"), [(0, 10), (4, 6), (11, 0), (-3600, 10)])
def test_who_was_there_at_its_end_is_gone_for_certain_after_a_while(
    state: Path, seconds: int, left_s: int
) -> None:
    first = KeptHolders(plan())
    first.take([HOLDER])
    first.end()
    (file,) = state.iterdir()
    kept = json.loads(file.read_bytes())
    assert kept["ended_at"] == pytest.approx(time.time(), abs=60)
    file.write_text(json.dumps({**kept, "ended_at": time.time() - seconds}))
    assert known() == ([HOLDER] if left_s else [], left_s)


def test_the_lease_that_somebody_has_counts_until_he_is_gone(state: Path) -> None:
    KeptHolders(plan(60.0)).take([HOLDER])
    second = KeptHolders(plan())
    assert (second.holders, second.seconds) == ([HOLDER], 120.0)
    second.take([HOLDER])
    assert known() == ([HOLDER], 120)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_text("{"),
        lambda file: file.write_text('{"holders": 7}'),
        lambda file: (file.unlink(), file.mkdir()),
    ],
)
def test_a_file_that_cannot_be_read_or_written_stops_nothing(
    state: Path, spoil: Callable[[Path], object]
) -> None:
    KeptHolders(plan()).take([HOLDER])
    spoil(next(state.iterdir()))
    later = KeptHolders(plan())
    assert (later.holders, later.seconds) == ([], 0.0)
    later.take([HOLDER])
    later.end()
    later.take([])


def test_a_flow_without_a_file_keeps_it_for_its_next_gateway_alone(state: Path) -> None:
    first = KeptHolders(plan(file=""))
    first.take([HOLDER])
    first.end()
    assert first.holders == [HOLDER]
    assert not state.exists()
