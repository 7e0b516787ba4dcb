"""`Flow.save_config`: what the user set, readable again from anywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jina import Executor, Flow
from jina.config.dumping import dumped
from jina.config.loader import parse
from jina.config.source import Source
from jina.config.variables import Variables, interpolate
from jina.excepts import ConfigError


class SavedHere(Executor):
    """Stands in a module that can be imported."""


def data_of(path: str | Path) -> Any:
    return yaml.safe_load(Path(path).read_text())


def test_only_what_was_set_is_written(tmp_path: Path) -> None:
    flow = Flow(name="f", port_expose=5).add(name="a", uses=SavedHere, uses_with={"x": "1e3"})
    flow = flow.needs({"gateway", "a"}, "j").inspect(env={"A": "$B"})
    saved = flow.save_config(tmp_path / "f.yml")
    assert saved == str(tmp_path / "f.yml")
    assert data_of(saved) == {
        "jtype": "Flow",
        "name": "f",
        "with": {"port_expose": 5},
        "executors": [
            {
                "name": "a",
                "uses": "tests.flow.test_saving:SavedHere",
                "uses_with": {"x": "1e3"},
            },
            {"name": "j", "needs": ["a", "gateway"]},
            {"name": "inspect", "method": "inspect", "env": {"A": "$$B"}},
        ],
    }
    again = Flow.load_config(saved)
    assert again == flow
    assert again.port_expose == 5
    workers = again.plan().workers
    assert workers[0].executor.with_ == {"x": "1e3"}
    assert workers[2].env == {"A": "$B"}


def test_a_class_of_no_module_is_written_by_its_name(tmp_path: Path) -> None:
    class SavedLocally(Executor): ...

    with pytest.warns(
        UserWarning, match="only be loaded by a process that has already defined SavedLocally"
    ) as told:
        saved = Flow().add(uses=SavedLocally).save_config(tmp_path / "f.yml")
    assert told[0].filename == __file__
    flow = Flow.load_config(saved)
    assert flow.plan().workers[0].executor.live


def test_paths_lead_where_they_led(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "ex.yml").write_text("jtype: X\nmetas: {py_modules: x.py}\n")
    (tmp_path / "a" / "x.py").write_text("")
    text = (
        "version: '1'\nx-note: 1\nwith: {workspace: w}\nexecutors:\n- {uses: ex.yml, name: a}\n"
        "- uses: 'x.py:X'\n- uses: {jtype: X, metas: {py_modules: [x.py], workspace: v}}\n"
        "  workspace: u\n- uses: catalogue://TextEncoder\n- uses: 'jtype: BaseExecutor'\n"
        "- {uses: gone.yml}\n"
    )
    (tmp_path / "a" / "flow.yml").write_text(text)
    flow = Flow.load_config(str(tmp_path / "a" / "flow.yml"))
    monkeypatch.chdir(tmp_path / "b")
    far = data_of(flow.save_config("flow.yml"))
    a = str(tmp_path / "a")
    assert far["version"] == "1"
    assert far["with"] == {"workspace": f"{a}/w"}
    assert far["executors"] == [
        {"uses": f"{a}/ex.yml", "name": "a"},
        {"uses": f"{a}/x.py:X"},
        {
            "uses": {
                "jtype": "X",
                "metas": {"py_modules": [f"{a}/x.py"], "workspace": f"{a}/v"},
            },
            "workspace": f"{a}/u",
        },
        {"uses": "catalogue://TextEncoder"},
        {"uses": "jtype: BaseExecutor"},
        {"uses": f"{a}/gone.yml"},
    ]
    above = data_of(flow.save_config(tmp_path / "flow.yml"))
    assert above["executors"][0]["uses"] == "a/ex.yml"
    assert above["with"] == {"workspace": "a/w"}
    # Where it was loaded from, nothing changes but what YAML leaves open.
    assert data_of(flow.save_config())["executors"] == yaml.safe_load(text)["executors"]
    assert flow.save_config() == f"{a}/flow.yml"


@pytest.mark.parametrize("key", ["uses", "uses_before", "uses_after"])
def test_whatever_names_an_executor_leads_where_it_would_have_led(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    for name in ("a", "b", "a/more", "own"):
        (tmp_path / name).mkdir()
    (tmp_path / "own" / "own.yml").write_text("jtype: X\n")
    (tmp_path / "a" / "more" / "more.yml").write_text("jtype: X\n")
    a, own = f"{tmp_path}/a", f"{tmp_path}/own"
    text = "jtype: X\npy_modules: [x.py, json]\nmetas: {name: '$x'}\n"
    forms: list[tuple[Any, Any]] = [
        ("ex.yml", f"{a}/ex.yml"),
        ("x.py:X", f"{a}/x.py:X"),
        ({"jtype": "X", "py_modules": "x.py"}, {"jtype": "X", "py_modules": f"{a}/x.py"}),
        (text, {"jtype": "X", "py_modules": [f"{a}/x.py", "json"], "metas": {"name": "$$x"}}),
        ("jtype: X", "jtype: X"),
        ("json:X", "json:X"),
        ("some/folder", f"{a}/some/folder"),
        ("more.yml", f"{a}/more/more.yml"),
    ]
    data = {
        "with": {"extra_search_paths": "more"},
        "executors": [{key: written} for written, _ in forms],
    }
    (tmp_path / "a" / "flow.yml").write_text(dumped(data))
    flow = Flow.load_config(str(tmp_path / "a" / "flow.yml"))
    monkeypatch.chdir(tmp_path / "b")
    found_there: dict[str, Any] = {key: "own.yml", "extra_search_paths": [own]}
    made_later: dict[str, Any] = {key: "later.yml"}
    flow = flow.add(**found_there).add(**made_later)
    found = data_of(flow.save_config(tmp_path / "f.yml"))["executors"]
    saved = [entry[key] for entry in found]
    wanted = [after for _, after in forms] + [f"{own}/own.yml", f"{tmp_path}/b/later.yml"]
    below = yaml.safe_dump(wanted).replace(f"{tmp_path}/", "")  # named from the file's own folder
    assert saved == yaml.safe_load(below)


PROGRAM = """
from jina import Executor, Flow, requests


class E(Executor):
    @requests
    def act(self, docs, **kwargs): ...


if __name__ == "__main__":
    print(Flow().add(uses=E).save_config("out/flow.yml"))
"""


def test_a_class_of_the_program_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "prog.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "prog.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("out/flow.yml\n", "")
    saved = tmp_path / "out" / "flow.yml"
    assert data_of(saved)["executors"] == [{"uses": f"{tmp_path}/prog.py:E"}]
    assert Flow.load_config(str(saved)).plan().workers[0].executor.jtype == "prog:E"


def test_without_a_file_a_new_one_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    saved = Path(Flow().save_config())
    assert saved.parent == tmp_path
    assert saved.read_text() == "jtype: Flow\nexecutors: []\n"


def test_what_has_no_yaml_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be saved as YAML"):
        Flow().add(uses_with={"a": object()}).save_config(tmp_path / "f.yml")
    assert not (tmp_path / "f.yml").exists()


_TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["1e3", "1e+3", "0x1F", "0o7", "yes", "no", "~", "null", ".nan", "-.inf"]),
    st.sampled_from(["$A", "${A}", "${{ ENV.A }}", "$$", "1_000", "12:30", "2021-01-01", "017"]),
)
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), _TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXT, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(_TEXT.filter(lambda key: key != "<<"), _VALUES, max_size=4))
def test_whatever_is_written_is_read_as_it_was(data: dict[str, Any]) -> None:
    tree = parse(Source(dumped(data)))
    interpolate(tree, Variables(env={"A": "set"}))
    if data:
        assert tree.data == data
        assert repr(tree.data) == repr(data)
    assert tree.problems == []
