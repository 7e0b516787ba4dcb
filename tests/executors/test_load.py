"""Building an Executor from its spec: modules, classes, constructor, tracebacks."""

from __future__ import annotations

import re
import reprlib
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import pytest

from jina import Document, DocumentArray
from jina.excepts import ExecutorFailToLoad
from jina.executors import BaseExecutor
from jina.executors.call import close_loop
from jina.executors.decorators import requests
from jina.executors.load import build, executor_class, live_spec
from jina.executors.metas import get_default_runtime_args
from jina.executors.spec import ExecutorSpec
from jina.executors.user_errors import trimmed_traceback


@pytest.fixture(autouse=True)
def _imports_are_undone() -> Any:
    """What a test imports, and where it may import from, is forgotten after it."""
    before, path = set(sys.modules), list(sys.path)
    yield
    for name in set(sys.modules) - before:
        if not name.startswith(("jina.", "numpy", "cloudpickle")):
            del sys.modules[name]
    sys.path[:] = path


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))
    return str(path)


# As the Jina 2 documentation lists them.
# fmt: off
RUNTIME_FIELDS = [
    "name", "description", "workspace", "log_config", "quiet", "quiet_error", "identity",
    "port_ctrl", "ctrl_with_ipc", "timeout_ctrl", "ssh_server", "ssh_keyfile", "ssh_password",
    "uses", "py_modules", "port_in", "port_out", "host_in", "host_out", "socket_in",
    "socket_out", "memory_hwm", "on_error_strategy", "num_part", "entrypoint",
    "docker_kwargs", "pull_latest", "volumes", "host", "port_expose", "quiet_remote_logs",
    "upload_files", "workspace_id", "daemon", "runtime_backend", "runtime_cls",
    "timeout_ready", "env", "expose_public", "pea_id", "pea_role", "noblock_on_start",
    "uses_before", "uses_after", "parallel", "replicas", "polling", "scheduling", "pod_role",
    "peas_hosts", "shard_id", "replica_id",
]
# fmt: on

PLAIN = """
from jina import Executor, requests

class {name}(Executor):
    def __init__(self, bar: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.bar = bar

    @requests(on='/index')
    def foo(self, docs, **kwargs): ...

    def other(self, **kwargs): ...
"""


def test_an_empty_jtype_is_the_pass_through() -> None:
    assert type(build(ExecutorSpec())) is BaseExecutor
    assert type(build(ExecutorSpec(jtype="BaseExecutor"))) is BaseExecutor


def test_a_class_is_built_from_its_file_with_metas_and_requests(tmp_path: Path) -> None:
    file = write(tmp_path / "mod_a.py", PLAIN.format(name="LoadA"))
    e = build(
        ExecutorSpec(
            jtype="LoadA",
            py_modules=[file],
            with_={"bar": 5},
            metas={"name": "n", "description": None},
            requests={"/other": "other"},
        ),
        {"pea_id": 2, "name": "node"},
    )
    assert type(e).__name__ == "LoadA"
    assert vars(e)["bar"] == 5
    assert e.metas.name == "n"
    assert set(e.requests) == {"/index", "/other"}
    assert e.runtime_args.pea_id == 2


def test_r46_the_name_falls_back_to_the_class(tmp_path: Path) -> None:
    file = write(tmp_path / "mod_name.py", PLAIN.format(name="LoadName"))
    assert build(ExecutorSpec(jtype="LoadName", py_modules=[file])).metas.name == "LoadName"


def test_r65_every_listed_runtime_field_is_there(tmp_path: Path) -> None:
    e = build(ExecutorSpec(), {"pea_id": 1})
    assert vars(e.runtime_args) == {**get_default_runtime_args(), "pea_id": 1}
    for field in RUNTIME_FIELDS:
        assert hasattr(e.runtime_args, field), field


def test_r65_the_defaults_are_those_measured_in_jina_2() -> None:
    fields = get_default_runtime_args()
    measured = {
        **dict.fromkeys(("host", "host_in", "host_out"), "0.0.0.0"),
        **{"pea_id": 0, "pea_role": "SINGLETON", "pod_role": "POD", "parallel": 1, "replicas": 1},
        **{"shards": 1},
        **{"polling": "ANY", "scheduling": "LOAD_BALANCE", "num_part": 1, "memory_hwm": -1},
        **{"on_error_strategy": "IGNORE", "runtime_backend": "PROCESS", "timeout_ctrl": 5000},
        **{"timeout_ready": 600000, "quiet": False, "upload_files": [], "shard_id": 0, "shards": 1},
        **{"dump_path": ""},
    }
    assert {name: fields.pop(name) for name in measured} == measured
    flags = {name for name, value in fields.items() if value is False}
    assert {value for name, value in fields.items() if name not in flags} == {None}


def test_modules_beside_the_file_can_be_imported(tmp_path: Path) -> None:
    write(tmp_path / "helper_b.py", "VALUE = 42\n")
    file = write(
        tmp_path / "mod_b.py",
        """
        from helper_b import VALUE
        from jina import Executor

        class LoadB(Executor):
            value = VALUE
        """,
    )
    cls: Any = executor_class(ExecutorSpec(jtype="LoadB", py_modules=[file]))
    assert cls.value == 42


def test_helpers_of_the_same_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    values = []
    for folder in ("one", "two"):
        write(tmp_path / folder / "helper_c.py", f"VALUE = {folder!r}\n")
        file = write(
            tmp_path / folder / "mod_c.py",
            """
            from helper_c import VALUE
            from jina import Executor

            class LoadC(Executor):
                value = VALUE
            """,
        )
        cls: Any = executor_class(ExecutorSpec(jtype="LoadC", py_modules=[file]))
        values.append(cls.value)
    assert values == ["one", "two"]


def test_a_package_with_relative_imports_loads_by_its_init(tmp_path: Path) -> None:
    write(tmp_path / "pack" / "executor.py", PLAIN.format(name="LoadPack"))
    file = write(tmp_path / "pack" / "__init__.py", "from .executor import LoadPack\n")
    by_file = executor_class(ExecutorSpec(jtype="LoadPack", py_modules=[file]))
    by_folder = executor_class(ExecutorSpec(jtype="LoadPack", py_modules=[str(tmp_path / "pack")]))
    assert by_file is by_folder


def test_a_dotted_name_is_found_on_the_search_paths(tmp_path: Path) -> None:
    write(tmp_path / "lib_d" / "__init__.py", "")
    write(tmp_path / "lib_d" / "exec_d.py", PLAIN.format(name="LoadD"))
    spec = ExecutorSpec(jtype="LoadD", py_modules=["lib_d.exec_d"], search_paths=[str(tmp_path)])
    assert executor_class(spec).__module__ == "lib_d.exec_d"


def test_a_file_is_imported_once_whatever_path_leads_to_it(tmp_path: Path) -> None:
    file = write(tmp_path / "mod_e.py", PLAIN.format(name="LoadE"))
    link = tmp_path / "linked"
    link.symlink_to(tmp_path)
    first = executor_class(ExecutorSpec(jtype="LoadE", py_modules=[file]))
    second = executor_class(ExecutorSpec(jtype="LoadE", py_modules=[str(link / "mod_e.py")]))
    assert first is second


def test_classes_of_one_name_in_two_modules_are_told_apart(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{m}.py", PLAIN.format(name="Same")) for m in ("mod_f", "mod_g")]
    for jtype, module in (("mod_f:Same", "mod_f"), ("mod_g:Same", "mod_g"), ("Same", "mod_g")):
        cls = executor_class(ExecutorSpec(jtype=jtype, py_modules=files))
        assert cls.__module__ == module


def test_a_file_named_like_a_standard_module_leaves_that_alone(tmp_path: Path) -> None:
    import queue

    file = write(tmp_path / "queue.py", PLAIN.format(name="LoadQueue"))
    executor_class(ExecutorSpec(jtype="LoadQueue", py_modules=[file]))
    assert sys.modules["queue"] is queue


def test_an_unknown_class_is_named_with_a_near_match(tmp_path: Path) -> None:
    file = write(tmp_path / "mod_h.py", PLAIN.format(name="LoadHarbour"))
    spec = ExecutorSpec(jtype="LoadHarbor", py_modules=[file], file="my.yml", line=1, column=8)
    with pytest.raises(ExecutorFailToLoad) as caught:
        build(spec)
    assert str(caught.value) == (
        "my.yml:1:8: no Executor class 'LoadHarbor' in mod_h\nhelp: did you mean 'LoadHarbour'?"
    )


def test_a_class_that_is_no_executor_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "mod_i.py", "class NoExecutor: ...\n")
    with pytest.raises(ExecutorFailToLoad, match="does not subclass"):
        build(ExecutorSpec(jtype="NoExecutor", py_modules=[file]))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExecutorFailToLoad, match=r"no module at .*nowhere\.py"):
        build(ExecutorSpec(jtype="X", py_modules=[str(tmp_path / "nowhere.py")]))


def test_a_missing_dotted_module_is_named() -> None:
    with pytest.raises(ExecutorFailToLoad, match=r"no module named 'no_such_pack\.mod'"):
        build(ExecutorSpec(jtype="X", py_modules=["no_such_pack.mod"]))


def test_a_broken_import_stays_the_users_error(tmp_path: Path) -> None:
    file = write(tmp_path / "mod_j.py", "import no_such_library_at_all\n")
    with pytest.raises(ModuleNotFoundError) as caught:
        build(ExecutorSpec(jtype="X", py_modules=[file]))
    text = trimmed_traceback(caught.value)
    assert text.endswith(
        f'  File "{file}", line 1, in <module>\n'
        "    import no_such_library_at_all\n"
        "ModuleNotFoundError: No module named 'no_such_library_at_all'\n"
    )
    frames = [line for line in text.splitlines() if line.startswith("  File ")]
    assert [Path(f.split('"')[1]).name for f in frames] == ["test_load.py", "mod_j.py"]


def test_a_module_that_fails_is_tried_again_at_the_next_load(tmp_path: Path) -> None:
    file = write(tmp_path / "mod_k.py", "raise ValueError('once')\n")
    with pytest.raises(ValueError, match="once"):
        build(ExecutorSpec(jtype="LoadK", py_modules=[file]))
    write(tmp_path / "mod_k.py", "# a line of another length\n" + PLAIN.format(name="LoadK"))
    assert type(build(ExecutorSpec(jtype="LoadK", py_modules=[file]))).__name__ == "LoadK"


@pytest.mark.parametrize(
    ("signature", "with_", "message"),
    [
        ("self, bar, **kwargs", {}, "the constructor of W needs 'bar', which `with` does not set"),
        (
            "self, bar=1",
            {"baz": 2},
            "the constructor of W does not accept 'baz'\nhelp: did you mean 'bar'?",
        ),
        ("self", {"x": 2}, "the constructor of W does not accept 'x'\nhelp: add **kwargs to it"),
    ],
)
def test_arguments_that_do_not_fit_are_named(
    tmp_path: Path, signature: str, with_: dict[str, Any], message: str
) -> None:
    file = write(
        tmp_path / "mod_w.py",
        f"""
        from jina import Executor

        class W(Executor):
            def __init__({signature}): ...
        """,
    )
    with pytest.raises(ExecutorFailToLoad) as caught:
        build(ExecutorSpec(jtype="W", py_modules=[file], with_=with_, file="f.yml", line=2))
    assert str(caught.value) == f"f.yml:2: {message}"


@pytest.mark.parametrize("where", ["module", "constructor"])
def test_code_that_exits_is_told_with_what_to_do(tmp_path: Path, where: str) -> None:
    file = write(
        tmp_path / f"exits_{where}.py",
        f"""
        import sys
        from jina import Executor

        if {where!r} == 'module':
            sys.exit(3)

        class Exits(Executor):
            def __init__(self, **kwargs):
                sys.exit(3)
        """,
    )
    spec = ExecutorSpec(jtype="Exits", py_modules=[file], file="my.yml", line=1, column=8)
    with pytest.raises(ExecutorFailToLoad) as caught:
        build(spec)
    assert str(caught.value) == (
        "my.yml:1:8: the code of 'Exits' called sys.exit with code 3\n"
        "help: raise another exception instead; its message is shown"
    )
    assert isinstance(caught.value.__cause__, SystemExit)
    trace = trimmed_traceback(caught.value)
    assert f'exits_{where}.py", line ' in trace
    assert trace.endswith("\nSystemExit: 3\n")


def test_a_worker_says_which_method_wins_where_two_claim_an_endpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = write(
        tmp_path / "claimed.py",
        """
        from jina import Executor, requests

        class Claimed(Executor):
            @requests(on='/x')
            def a(self): ...

            @requests(on='/x')
            def b(self): ...
        """,
    )
    build(ExecutorSpec(jtype="Claimed", py_modules=[file]))
    (said,) = caplog.messages
    assert said.endswith(
        "claimed.py:8: a and b of Claimed both serve /x; b wins (give each its own endpoint)"
    )
    build(ExecutorSpec(jtype="Claimed", py_modules=[file], requests={"x": "a"}))
    assert len(caplog.messages) == 1, "what YAML binds is no claim"


def test_a_worker_says_which_arguments_are_not_what_the_constructor_says(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = write(
        tmp_path / "typed.py",
        """
        from jina import Executor

        class Typed(Executor):
            def __init__(self, top_k: int = 3, names: list[str] = (), rest=None, **kwargs):
                super().__init__(**kwargs)
        """,
    )
    right = {"top_k": 5, "names": ["a"], "rest": "x"}
    build(ExecutorSpec(jtype="Typed", py_modules=[file], with_=right))
    assert not caplog.messages
    wrong = {"top_k": "x" * 99, "names": [1]}
    spec = ExecutorSpec(jtype="Typed", py_modules=[file], with_=wrong, file="my.yml", line=1)
    build(spec)
    assert caplog.messages == [
        f"my.yml:1: `with.top_k` is {reprlib.repr('x' * 99)}; Typed annotates it as a whole number",
        "my.yml:1: `with.names` is [1]; Typed annotates it as a list of texts",
    ]


def test_a_constructor_without_kwargs_still_has_metas(tmp_path: Path) -> None:
    file = write(
        tmp_path / "mod_x.py",
        """
        from jina import Executor

        class NoKwargs(Executor):
            def __init__(self, bar):
                self.bar = bar
                self.name_seen = self.metas.name
        """,
    )
    spec = ExecutorSpec(jtype="NoKwargs", py_modules=[file], with_={"bar": 1}, metas={"name": "n"})
    e: Any = build(spec, {"pea_id": 0})
    assert (e.bar, e.name_seen, e.runtime_args.pea_id) == (1, "n", 0)


def test_a_class_of_a_function_travels_to_another_process(tmp_path: Path) -> None:
    class Local(BaseExecutor):
        def __init__(self, bar: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.bar = bar

    spec = live_spec(Local, with_={"bar": 7}, metas={"name": "far"})
    wire = msgspec.msgpack.encode(spec)
    script = dedent(
        """
        import sys, msgspec
        from jina.executors.load import build
        from jina.executors.spec import ExecutorSpec
        e = build(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=ExecutorSpec), {"pea_id": 4})
        print(type(e).__name__, e.bar, e.metas.name, e.runtime_args.pea_id)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=wire, capture_output=True, check=True, timeout=60
    )
    assert done.stdout.decode().split() == ["Local", "7", "far", "4"]


def test_loading_imports_no_yaml_pydantic_or_numpy() -> None:
    script = "import sys, jina.executors.load, jina.executors.call; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, timeout=60, text=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"yaml", "pydantic", "numpy", "zmq", "asyncio", "cloudpickle", "typer"}


def test_a_class_that_holds_on_to_a_lock_cannot_travel() -> None:
    lock = threading.Lock()

    class Holding(BaseExecutor):
        def close(self) -> None:
            lock.release()

    with pytest.raises(ExecutorFailToLoad) as caught:
        live_spec(Holding)
    assert str(caught.value) == (
        "the class Holding cannot be sent to its process: cannot pickle '_thread.lock' object\n"
        "help: move it to a module and refer to it as `module:Class`"
    )


def _frames(text: str) -> list[str]:
    return re.findall(r'File "([^"]*)", line \d+, in (\S+)', text)


def test_a_traceback_keeps_the_users_frames_in_every_link() -> None:
    class E(BaseExecutor):
        @requests
        async def outer(self) -> None:
            try:
                raise KeyError("first")
            except KeyError as err:
                raise ValueError("second") from err

    with pytest.raises(ValueError, match="second") as caught:
        E()("/x")
    text = trimmed_traceback(caught.value)
    close_loop()
    assert {Path(file).name for file, _ in _frames(text)} == {"test_load.py"}
    assert "KeyError: 'first'" in text
    assert "direct cause" in text
    assert text.endswith("ValueError: second\n")


def test_a_traceback_of_an_error_within_another_has_the_users_frames_only() -> None:
    class E(BaseExecutor):
        @requests
        def foo(self, docs: Any) -> None:
            try:
                docs["missing"]
            except KeyError:
                raise ValueError("second")  # noqa: B904 - the context is what is looked at

    with pytest.raises(ValueError, match="second") as caught:
        E()("/x", docs=DocumentArray([Document()]))
    text = trimmed_traceback(caught.value)
    assert {Path(file).name for file, _ in _frames(text)} == {"test_load.py"}
    assert "no Document has the id 'missing'" in text
    assert "During handling" in text


def test_a_traceback_of_a_group_and_of_a_text_that_fails() -> None:
    class Unsayable(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    def fail() -> None:
        raise ExceptionGroup("many", [ValueError("one"), Unsayable()])

    with pytest.raises(ExceptionGroup) as caught:
        fail()
    text = trimmed_traceback(caught.value)
    assert "ValueError: one" in text
    assert "<exception str() failed>" in text


def test_a_file_named_like_a_module_of_python_does_not_become_that_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)  # others may have needed it
    path = tmp_path / "colorsys.py"
    path.write_text("from jina import Executor\n\n\nclass Colours(Executor): ...\n")
    cls = executor_class(ExecutorSpec(jtype="Colours", py_modules=[str(path)]))
    assert "colorsys" not in sys.modules
    assert cls.__module__ in sys.modules


def test_a_worker_says_which_method_will_fail_for_a_parameter_that_nothing_fills(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = write(
        tmp_path / "unfilled.py",
        """
        from jina import Executor, requests

        class Unfilled(Executor):
            @requests(on=['/fill', '/more'])
            def fill(self, query_da, **kwargs): ...

            @staticmethod
            @requests(on='/x')
            def a(docs, **kwargs): ...

            @requests
            def b(self, docs, limit=3, *args, **kwargs): ...
        """,
    )
    build(ExecutorSpec(jtype="Unfilled", py_modules=[file]))
    (said,) = caplog.messages
    assert said.endswith(
        "unfilled.py:5: fill cannot serve /fill and /more: nothing fills its parameter 'query_da'"
    )
