"""What is said of the files that Executors keep, when their Flow is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jina import Executor
from jina.executors.spec import ExecutorSpec
from jina.graph.plan import WorkerSpec
from jina.launch.workspaces import future_workspace_of, notes_of, workspace_of


def spec(replica: int = 0, *, base: Path | None = None, **args: Any) -> WorkerSpec:
    told = {"workspace": str(base) if base else None, "pea_id": 0, **args}
    executor = ExecutorSpec(jtype="module:Keeper")
    return WorkerSpec(node="keeper", replica=replica, executor=executor, runtime_args=told)


class Keeper(Executor):
    pass


@pytest.mark.parametrize(
    ("metas", "args"),
    [
        ({}, {"pea_id": 0}),
        ({}, {"pea_id": 2, "replica_id": 1}),
        ({"name": "mine"}, {"pea_id": -1, "replica_id": None}),
        ({"workspace": "other"}, {"pea_id": 0, "replica_id": 3}),
    ],
)
def test_it_is_the_executors_own_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metas: dict[str, str], args: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    args = {"workspace": str(tmp_path / "base"), **args}
    described = WorkerSpec(
        node="keeper",
        replica=0,
        executor=ExecutorSpec(jtype="module:Keeper", metas=metas),
        runtime_args=args,
    )
    assert workspace_of(described) == ""
    expected = future_workspace_of(described)
    named = {"name": "Keeper", **metas}
    assert Keeper(metas=named, runtime_args=args).workspace == expected
    assert workspace_of(described) == expected


def test_what_keeps_nothing_needs_no_word(tmp_path: Path) -> None:
    assert future_workspace_of(spec()) == ""
    assert not list(notes_of([spec()], [spec(), spec(1)]))
    kept = [spec(base=tmp_path)]
    assert not list(notes_of(kept, [*kept, spec(1, base=tmp_path, replica_id=1)]))


def test_what_keeps_files_is_told_where_they_are(tmp_path: Path) -> None:
    alone = spec(base=tmp_path)
    second = spec(1, base=tmp_path, replica_id=1)
    Path(future_workspace_of(alone)).mkdir(parents=True)
    assert list(notes_of([alone], [alone, second])) == [
        f"keeper/1 has its own workspace: {tmp_path}/Keeper/1/0"
    ]
    assert not list(notes_of([alone, second], [alone]))
    Path(future_workspace_of(second)).mkdir(parents=True)
    assert list(notes_of([alone, second], [alone])) == [
        f"the workspace of keeper/1 is kept: {tmp_path}/Keeper/1/0"
    ]
    moved = spec(base=tmp_path, replica_id=0)
    assert list(notes_of([alone], [moved])) == [
        f"keeper/0 now uses the workspace {tmp_path}/Keeper/0/0; the old one is kept"
    ]


def test_shards_stay_as_many_as_they_are() -> None:
    def shards(replicas: int) -> list[WorkerSpec]:
        return [spec(n, shard_id=shard) for shard in range(3) for n in range(replicas)]

    assert list(notes_of(shards(1), shards(2))) == [
        "keeper keeps its 3 shards; each will have 2 replicas"
    ]
    assert not list(notes_of(shards(2), shards(2)))
