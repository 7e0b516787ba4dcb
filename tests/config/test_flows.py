"""Flow YAML to a `FlowConfig`: every documented form."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from jina.config import FlowConfig, flow_name, load_flow
from jina.config.load_state import LoadOptions
from jina.config.resolved import as_yaml, resolved
from jina.excepts import BadConfigSource, BadYAMLVersion, ConfigError
from jina.executors import BaseExecutor
from jina.executors.load import build
from jina.graph.planning import plan_from

EXECUTOR = """
from jina import Executor, requests

class {name}(Executor):
    def __init__(self, size: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    @requests(on='/index')
    def index(self, docs): ...

    def other(self, docs): ...
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is also the current one, with one Executor in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "flowexec.py").write_text(EXECUTOR.format(name="FlowExec"))
    (tmp_path / "sub" / "my.yml").write_text(
        "jtype: FlowExec\nwith: {size: 2}\nmetas:\n  name: mine\n  py_modules: flowexec.py\n"
        "requests: {/a: other}\n"
    )
    return tmp_path


def flow(text: str) -> FlowConfig:
    Path("flow.yml").write_text(text)
    return load_flow("flow.yml")


def test_the_smallest_flow(here: Path) -> None:
    config = flow("jtype: Flow\nexecutors:\n  - {}\n  - name: two\n")
    assert [(n.name, n.needs, n.replicas) for n in config.executors] == [
        ("executor0", None, 1),
        ("two", None, 1),
    ]
    assert config.name == "flow"
    assert config.file == Path("flow.yml")
    assert config.executors[0].executor.jtype == "BaseExecutor"
    assert config.executors[0].workspace == str(here)


@pytest.mark.parametrize(
    "head", ["jtype: Flow\n", "!Flow\n", "jtype: AsyncFlow\n", "version: '1'\n", "version: 1\n"]
)
@pytest.mark.parametrize("key", ["executors", "pods"])
def test_every_head_of_a_flow(here: Path, head: str, key: str) -> None:
    assert [n.name for n in flow(f"{head}{key}:\n  - name: a\n").executors] == ["a"]


@pytest.mark.parametrize(
    "uses",
    [
        "sub/my.yml",
        "sub",
        "sub/flowexec.py:FlowExec",
        "{jtype: FlowExec, metas: {py_modules: sub/flowexec.py}}",
        "{jtype: FlowExec, py_modules: [sub/flowexec.py]}",
        "!FlowExec {metas: {py_modules: sub/flowexec.py}}",
        "|\n      jtype: FlowExec\n      metas: {py_modules: [sub/flowexec.py]}",
        "|\n      !FlowExec\n      metas:\n        py_modules: [sub/flowexec.py]",
        '\'{"jtype": "FlowExec", "metas": {"py_modules": "sub/flowexec.py"}}\'',
        "sub.flowexec:FlowExec",
        "sub.flowexec.FlowExec",
    ],
)
def test_every_form_of_uses(here: Path, uses: str) -> None:
    (here / "sub" / "config.yml").write_text((here / "sub" / "my.yml").read_text())
    (node,) = flow(f"executors:\n  - uses: {uses}\n").executors
    assert type(build(node.executor)).__name__ == "FlowExec"


def test_a_class_name_with_its_module(here: Path) -> None:
    (node,) = flow("executors:\n  - uses: FlowExec\n    py_modules: sub/flowexec.py\n").executors
    assert type(build(node.executor)).__name__ == "FlowExec"


@pytest.mark.parametrize(
    "name", ["catalogue://UpperCase", "jinahub://UpperCase/v1", "jinahub+docker://UpperCase"]
)
def test_the_catalogue_is_found_by_name(here: Path, name: str) -> None:
    (node,) = flow(f"executors:\n  - uses: {name}\n").executors
    assert type(build(node.executor)).__name__ == node.executor.jtype


def test_the_entry_is_laid_over_the_executors_own_yaml(here: Path) -> None:
    (node,) = flow(
        "executors:\n  - uses: sub/my.yml\n    override_with: {size: 3, more: 1}\n"
        "    uses_with: {size: 4}\n    uses_metas: {name: yours, workspace: w}\n"
        "    uses_requests: {/b: other}\n"
    ).executors
    assert node.executor.with_ == {"size": 4, "more": 1}
    assert node.executor.metas["name"] == "yours"
    assert node.executor.metas["workspace"] == str(here / "w")
    assert node.executor.requests == {"/a": "other", "/b": "other"}


def test_paths_are_relative_to_the_file_that_names_them(here: Path) -> None:
    (here / "sub" / "flow.yml").write_text(
        "with: {workspace: data}\nexecutors:\n  - uses: my.yml\n  - workspace: own\n"
    )
    first, second = load_flow("sub/flow.yml").executors
    assert first.executor.py_modules == [str(here / "sub" / "flowexec.py")]
    assert first.workspace == str(here / "sub" / "data")
    assert second.workspace == str(here / "sub" / "own")
    assert first.executor.place == "sub/my.yml:1:8"


def test_environment_and_timeouts_are_inherited(here: Path) -> None:
    one, two = flow(
        "with: {env: {A: 1, B: x}, timeout_ready: 2500}\nexecutors:\n"
        "  - env: {A: true}\n  - timeout_ready: -1\n"
    ).executors
    assert one.env == {"A": "true", "B": "x"}
    assert (one.timeout_ready_s, two.timeout_ready_s) == (2.5, -1.0)


def test_the_environment_of_an_executor_gives_way_to_that_of_its_flow_and_its_node(
    here: Path,
) -> None:
    uses = "uses: {jtype: BaseExecutor, env: {A: own, B: own, C: own, D: true}}"
    config = flow(
        "with: {env: {B: flow, C: flow}}\nexecutors:\n"
        f"  - {uses}\n    env: {{C: node}}\n"
        f"    uses_before: {uses.removeprefix('uses: ')}\n"
    )
    (node,) = config.executors
    assert node.env == {"A": "own", "B": "flow", "C": "node", "D": "true"}
    head, worker, *_ = plan_from(config).workers
    assert worker.env == node.env
    assert head.env == {"A": "own", "B": "flow", "C": "flow", "D": "true"}


def test_a_flow_as_it_is_understood_shows_each_variable_where_it_is_set(here: Path) -> None:
    (here / "flow.yml").write_text(
        "jtype: Flow\nwith: {env: {B: flow}}\nexecutors:\n"
        "  - uses: {jtype: BaseExecutor, env: {A: own, B: own}}\n    env: {C: node}\n"
    )
    found = resolved("flow.yml", LoadOptions())
    (node,) = found.data["executors"]
    assert (node["uses"]["env"], node["env"]) == (
        {"A": "own", "B": "own"},
        {"B": "flow", "C": "node"},
    )
    assert found.sources["executors", 0, "uses", "env", "A"] == "flow.yml:4:42"
    (again,) = load_flow(as_yaml(found)).executors
    assert again.env == {"A": "own", "B": "flow", "C": "node"}


def test_threads_are_inherited_and_are_a_number(here: Path) -> None:
    one, two = flow("with: {threads: 2}\nexecutors:\n  - {}\n  - threads: 3\n").executors
    assert (one.threads, two.threads) == (2, 3)
    assert (one.outer_threads, two.outer_threads) == (2, 2)
    (three,) = flow("executors:\n  - {}\n").executors
    assert three.threads is None
    for wrong in ("0", "1.5", "auto", "true"):
        with pytest.raises(ConfigError, match=r"flow.yml:2:15: .*`executors\[0\].threads`"):
            flow(f"executors:\n  - {{threads: {wrong}}}\n")


def test_needs_as_text_and_as_a_list(here: Path) -> None:
    config = flow(
        "executors:\n  - name: a\n  - name: b\n    needs: gateway\n"
        "  - method: needs\n    needs: [a, b]\n"
    )
    assert [n.needs for n in config.executors] == [None, ["gateway"], ["a", "b"]]
    assert config.executors[2].is_join


@pytest.mark.parametrize("needs", ["[]", "null", ""])
def test_empty_needs_are_as_none(here: Path, needs: str) -> None:
    """As in Jina 2: the one before it. Nobody can wait for nothing."""
    text = f"executors:\n  - name: a\n  - name: b\n    needs: {needs}\n"
    (here / "flow.yml").write_text(text)
    assert [n.needs for n in load_flow("flow.yml").executors] == [None, None]
    (here / "flow.yml").write_text(text.replace("name: a", "name: a\n    needs: b"))
    with pytest.raises(ConfigError, match="wait for each other: a -> b -> a"):
        load_flow("flow.yml")


def test_needs_from_python_may_be_a_tuple_or_a_set(here: Path) -> None:
    entries: list[dict[str, Any]] = [{"name": "b"}, {"name": "a"}]
    for needs, wanted in ((("b", "a"), ["b", "a"]), ({"b", "a"}, ["a", "b"])):
        config = load_flow({"executors": [*entries, {"name": "c", "needs": needs}]})
        assert config.executors[2].needs == wanted
    with pytest.raises(ConfigError, match="'c' needs 'x', which is not an executor in this Flow"):
        load_flow({"executors": [*entries, {"name": "c", "needs": ("a", "x")}]})


def test_places_of_entries_and_keys_are_kept(here: Path) -> None:
    (node,) = flow("executors:\n  - name: a\n    replicas: 2\n").executors
    assert node.mark == ("flow.yml", 2, 5)
    assert node.marks["replicas"] == ("flow.yml", 3, 15)


def test_variables_are_replaced(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOW_REPLICAS", "3")
    Path(".env").write_text("FLOW_NAME=dotted\nFLOW_REPLICAS=9\n")
    config = flow("name: ${FLOW_NAME}\nexecutors:\n  - replicas: ${FLOW_REPLICAS}\n")
    assert (config.name, config.executors[0].replicas) == ("dotted", 3)


def test_variables_of_the_context(here: Path) -> None:
    Path("flow.yml").write_text("executors:\n  - name: ${{ CONTEXT.who }}\n")
    assert load_flow("flow.yml", context={"who": "me"}).executors[0].name == "me"
    Path("flow.yml").write_text("executors:\n  - uses_with: {a: '${NOT_SET_AT_ALL}'}\n")
    config = load_flow("flow.yml", substitute=False)
    assert config.executors[0].executor.with_ == {"a": "${NOT_SET_AT_ALL}"}


@pytest.mark.parametrize(
    ("text", "file", "name"),
    [
        ("name: given\n", "f.yml", "given"),
        ("with: {name: inner}\n", "f.yml", "inner"),
        ("executors: []\n", "my flow.prod.yml", "my_flow.prod"),
        ("executors: []\n", ".hidden.yml", "hidden"),
        ("a: [broken\n", "broken.yml", "broken"),
    ],
)
def test_the_name_of_a_flow(here: Path, text: str, file: str, name: str) -> None:
    Path(file).write_text(text)
    assert flow_name(file) == name


def test_a_text_is_a_flow_without_a_file(here: Path) -> None:
    config = load_flow("jtype: Flow\nexecutors:\n  - uses: sub/my.yml\n")
    assert (config.name, config.file, len(config.executors)) == ("flow", None, 1)


def test_a_dict_may_hold_a_class(here: Path) -> None:
    class Local(BaseExecutor):
        """Only here."""

    config = load_flow({"executors": [{"name": "x", "uses": Local, "uses_with": {"a": "$B"}}]})
    (node,) = config.executors
    assert node.executor.jtype == "Local"
    assert node.executor.with_ == {"a": "$B"}
    assert type(build(node.executor)).__name__ == "Local"


def test_r69_a_dict_may_name_a_class_of_this_process(here: Path) -> None:
    class R69Executor(BaseExecutor):
        """Only here."""

    uses = {"jtype": "R69Executor", "metas": {"name": "my-executor-1"}}
    (node,) = load_flow({"executors": [{"uses": uses}]}).executors
    assert build(node.executor).metas.name == "my-executor-1"


def test_ignored_keys_are_listed_once(here: Path) -> None:
    config = flow("with: {port_expose: 1, protocol: grpc}\nexecutors:\n  - timeout_ctrl: 5\n")
    assert [p.message for p in config.warnings] == [
        "`port_expose` has no effect here; it is ignored",
        "`protocol` has no effect here; it is ignored",
        "`timeout_ctrl` has no effect here; it is ignored",
    ]


def test_a_file_used_twice_is_reported_once(here: Path) -> None:
    Path("bad.yml").write_text("jtpye: X\n")
    with pytest.raises(ConfigError) as caught:
        flow("executors:\n  - uses: bad.yml\n  - uses: bad.yml\n")
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("nowhere.yml", BadConfigSource),
        ("", BadConfigSource),
        (5, BadConfigSource),
        ({"version": "legacy"}, BadYAMLVersion),
        ({"executors": [{"needs": "x"}]}, ConfigError),
    ],
)
def test_errors_have_their_classes(here: Path, source: Any, error: type[Exception]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_flow(source)
    assert type(caught.value) is error


def test_problems_of_a_dict_are_named_by_their_path(here: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_flow({"executors": [{"name": "a", "replicas": "x"}]})
    assert str(caught.value) == (
        "executors[0].replicas: error[wrong-type]: `executors[0].replicas` is the text 'x'; "
        "expected a whole number"
    )


def test_a_dict_may_hold_a_path(here: Path) -> None:
    (node,) = load_flow({"executors": [{"uses": Path("sub/my.yml")}]}).executors
    assert node.executor.jtype == "FlowExec"


def test_a_class_that_is_no_executor_is_refused(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"dict is not an Executor: it does not subclass"):
        load_flow({"executors": [{"uses": dict}]})


def test_a_class_that_cannot_travel_is_a_problem_of_the_flow(here: Path) -> None:
    lock = threading.Lock()

    class FlowHolding(BaseExecutor):
        def close(self) -> None:
            lock.release()

    with pytest.raises(ConfigError, match="FlowHolding cannot be sent to its process"):
        load_flow({"executors": [{"uses": FlowHolding}]})


def test_a_flow_finds_its_executors_in_extra_search_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    (tmp_path / "there" / "worker.yml").write_text("jtype: Far\npy_modules: far_off.py\n")
    (tmp_path / "there" / "far_off.py").write_text("")
    (tmp_path / "here" / "flow.yml").write_text(
        "jtype: Flow\nexecutors:\n  - uses: worker.yml\n  - uses: Far\n    py_modules: far_off.py\n"
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"worker\.yml"):
        load_flow("here/flow.yml")
    for source in ("here/flow.yml", "flow.yml"):
        config = load_flow(source, extra_search_paths=["there", "here"])
        far = str(tmp_path / "there" / "far_off.py")
        assert [node.executor.py_modules for node in config.executors] == [[far], [far]]


def test_a_flow_is_read_where_somebody_removed_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ex.py").write_text("from jina import Executor\n\n\nclass A(Executor): ...\n")
    flow = tmp_path / "flow.yml"
    flow.write_text(
        "jtype: Flow\nexecutors:\n  - {uses: {jtype: A, py_modules: ex.py}, workspace: w}\n"
    )
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    (node,) = load_flow(str(flow)).executors
    assert node.executor.py_modules == [str(tmp_path / "ex.py")]
    assert node.workspace == str(tmp_path / "w")


def test_a_number_for_a_text_in_python_is_to_be_a_str() -> None:
    with pytest.raises(ConfigError, match="give it as a str"):
        load_flow({"jtype": "Flow", "executors": [{"uses": 5}]})
