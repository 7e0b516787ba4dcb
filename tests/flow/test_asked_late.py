"""A Flow asks for its Executors when it is planned or started, and looks where the caller is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jina import Executor, Flow
from jina.excepts import ConfigError, FlowTopologyError

ABSENT = (
    "jtype: Flow\nwith: {py_modules: none.py}\nexecutors:\n  - {name: a, uses: jinahub://Nowhere}\n"
    "  - {name: b, uses: not_there.yml, needs: gateway, replicas: 2}\n  - {uses: DefinedLater}\n"
)
MODULE = (
    "from jina import Executor, requests\nfrom far_help import WORD\n\n\n"
    "class Far(Executor):\n    @requests\n    def say(self, docs, **kwargs):\n"
    "        for doc in docs:\n            doc.text = WORD\n"
)


def test_a_flow_of_absent_executors_can_be_looked_at_changed_and_saved(tmp_path: Path) -> None:
    flow = Flow.load_config(ABSENT).add(name="d", uses="neither.yml").needs(["b", "d"], "e")
    assert [(name, node.needs) for name, node in flow] == [
        ("a", ["gateway"]),
        ("b", ["gateway"]),
        ("executor2", ["b"]),
        ("d", ["executor2"]),
        ("e", ["b", "d"]),
    ]
    assert (flow.num_executors, flow.num_peas, flow["b"].replicas) == (5, 6, 2)
    assert flow == Flow.load_config(flow.save_config(tmp_path / "saved.yml"))
    with pytest.raises(FlowTopologyError, match="two executors are named 'a'"):
        flow.add(name="a")
    flow.plot(tmp_path / "flow.txt")
    assert "not_there.yml" in (tmp_path / "flow.txt").read_text()


def test_its_plan_tells_everything_at_once() -> None:
    flow = Flow.load_config(ABSENT).add(name="d", uses="neither.yml")
    for ask in (flow.plan, flow.build, flow.start):
        with pytest.raises(ConfigError) as caught:
            ask()
        codes = [getattr(problem, "code", "") for problem in caught.value.problems]
        assert codes == [
            "module-not-found",
            "not-in-catalogue",
            "file-not-found",
            "file-not-found",
        ]


def test_a_class_may_be_defined_after_it_was_named() -> None:
    flow = Flow().add(uses="DefinedLaterOn")
    with pytest.raises(ConfigError, match="DefinedLaterOn"):
        flow.plan()

    class DefinedLaterOn(Executor): ...

    assert flow.plan().workers[0].executor.live


def test_a_loaded_flow_is_read_where_it_was_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text and its variables too are those of the time when it was loaded."""
    (tmp_path / "ex.yml").write_text("jtype: BaseExecutor\nmetas: {name: found}\n")
    path = tmp_path / "flow.yml"
    path.write_text("executors: [{uses: ex.yml, uses_with: {a: $ASKED_LATE}}]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASKED_LATE", "1")
    flow = Flow.load_config("flow.yml")
    monkeypatch.chdir("/")
    monkeypatch.setenv("ASKED_LATE", "2")
    path.write_text("executors: []\n")
    executor = flow.plan().workers[0].executor
    assert (executor.metas["name"], executor.with_) == ("found", {"a": 1})


def test_what_the_caller_changes_afterwards_changes_no_flow() -> None:
    with_ = {"a": [1]}
    source = {"executors": [{"name": "x", "uses_with": with_}]}
    flow = Flow.load_config(source).add(name="y", uses_with=with_)
    source["executors"].clear()
    with_["a"].append(2)
    assert [worker.executor.with_ for worker in flow.plan().workers] == [{"a": [1]}] * 2


def _write(folder: Path, word: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "ex.yml").write_text(f"jtype: BaseExecutor\nmetas: {{name: {word}}}\n")
    (folder / "flow.yml").write_text(f"name: {word}\nexecutors: [{{uses: ex.yml}}]\n")


PROGRAM = """
import sys
from jina import Executor, Flow
extra = sys.argv[1:]
loaded = Flow.load_config("flow.yml", extra_search_paths=extra)
print(loaded.plan().name)
flow = Flow().add(uses="ex.yml", extra_search_paths=extra).add(uses="only", name="b")
print(*(worker.executor.metas["name"] for worker in flow.plan().workers))
print(Executor.load_config("ex.yml", extra_search_paths=extra).metas.name)
"""


def test_the_current_folder_then_that_of_the_caller_and_extra_ones_before_both(
    tmp_path: Path,
) -> None:
    """As published tests expect it, which run in any folder."""
    for name in ("caller", "here", "extra"):
        _write(tmp_path / name, name)
    (tmp_path / "caller" / "only").mkdir()
    (tmp_path / "caller" / "only" / "config.yml").write_text(
        "jtype: BaseExecutor\nmetas: {name: folder}\n"
    )
    program = tmp_path / "caller" / "program.py"
    program.write_text(PROGRAM)
    (tmp_path / "empty").mkdir()

    def told(here: str, *extra: str) -> list[str]:
        command = [sys.executable, str(program), *extra]
        done = subprocess.run(
            command, cwd=tmp_path / here, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.split()

    assert told("empty") == ["caller", "caller", "folder", "caller"]
    assert told("here") == ["here", "here", "folder", "here"]
    assert told("here", "../extra") == ["extra", "extra", "folder", "extra"]


def test_two_callers_each_have_their_own_file(tmp_path: Path) -> None:
    source = "def added(flow, name):\n    return flow.add(uses='ex.yml', name=name)\n"
    for name in ("one", "two"):
        _write(tmp_path / name, name)
        (tmp_path / name / "adds.py").write_text(source)
    flow = Flow()
    for name in ("one", "two"):
        program: dict[str, object] = {}
        file = str(tmp_path / name / "adds.py")
        exec(compile(source, file, "exec"), program)
        flow = program["added"](flow, name)  # type: ignore[operator]
    assert [worker.executor.metas["name"] for worker in flow.plan().workers] == ["one", "two"]


@pytest.mark.slow
def test_workers_import_from_wherever_their_flows_program_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what YAML names; as the spawn of multiprocessing does it."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "far_help.py").write_text("WORD = 'from afar'\n")
    (tmp_path / "lib" / "far_executor.py").write_text(MODULE)
    (tmp_path / "ex.yml").write_text("jtype: far_executor:Far\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "lib")])
    with Flow().add(uses=os.fspath(tmp_path / "ex.yml")) as flow:
        from jina import Document

        (response,) = flow.post("/", Document(), return_results=True) or []
        assert [doc.text for doc in response.docs] == ["from afar"]


def test_what_is_missing_is_a_file_that_is_not_found_too() -> None:
    for entry in ({"uses": "X", "py_modules": "none.py"}, {"uses": "none.yml"}):
        with pytest.raises(FileNotFoundError, match="none"):
            Flow().add(**entry).plan()
    with pytest.raises(FileNotFoundError, match=r"none\.py"):
        Executor.load_config("jtype: X\npy_modules: none.py\n")


class NearlyNamedEncoder(Executor):
    """Named below with a mistake."""


def test_an_unknown_class_names_the_near_one_of_this_process() -> None:
    for ask in (Flow().add(uses="NearlyNamedEncodr").plan, _load):
        with pytest.raises(ConfigError, match="did you mean 'NearlyNamedEncoder'"):
            ask()


def _load() -> None:
    Executor.load_config("jtype: NearlyNamedEncodr\nwith: {a: 1}\n")
