"""`Executor.load_config` and `save_config`."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jina.excepts import BadConfigSource, ConfigError, ExecutorFailToLoad
from jina.executors import BaseExecutor as Executor
from jina.executors.decorators import requests


class LoadedExecutor(Executor):
    """A class of this process, found by its name."""

    def __init__(self, bar: int, foo: str = "f", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bar, self.foo = bar, foo

    @requests(on="/index")
    def index(self, docs: Any) -> None: ...

    def work(self, **kwargs: Any) -> None: ...


LITERAL = """
jtype: LoadedExecutor
with:
  bar: 123
metas:
  name: awesomeness
  description: my first awesome executor
requests:
  /random_work: work
"""
DATA = {
    "jtype": "LoadedExecutor",
    "with": {"bar": 123},
    "metas": {"name": "awesomeness", "description": "my first awesome executor"},
    "requests": {"/random_work": "work"},
}


def facts(e: Any) -> tuple[Any, ...]:
    return type(e), e.bar, e.foo, e.metas.name, e.metas.description, sorted(e.requests)


WANTED = (
    LoadedExecutor,
    123,
    "f",
    "awesomeness",
    "my first awesome executor",
    ["/index", "/random_work"],
)


def test_r47_a_literal_is_loaded() -> None:
    assert facts(Executor.load_config(LITERAL)) == WANTED


def test_r48_every_source_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "y.yml"
    file.write_text(LITERAL)
    for source in (
        str(file),
        file,
        LITERAL.replace("jtype: LoadedExecutor", "!LoadedExecutor"),
        DATA,
        json.dumps(DATA),
        io.StringIO(LITERAL),
    ):
        assert facts(Executor.load_config(source)) == WANTED
    with file.open() as stream:
        assert facts(Executor.load_config(stream)) == WANTED


@pytest.mark.parametrize(
    "source",
    ["LoadedExecutor", "jtype: LoadedExecutor", "!LoadedExecutor", {"jtype": "LoadedExecutor"}],
)
def test_r48_a_class_name_alone_is_loaded(source: Any) -> None:
    e: Any = Executor.load_config(source, uses_with={"bar": 1})
    assert e.bar == 1


def test_a_class_in_its_module_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loaded_module.py").write_text(
        "from jina import Executor\n\nclass InModule(Executor): ...\n"
    )
    assert type(Executor.load_config("loaded_module:InModule")).__name__ == "InModule"


def test_the_class_itself_is_loaded() -> None:
    e: Any = Executor.load_config(LoadedExecutor, override_with={"bar": 9})
    assert e.bar == 9


def test_r46_empty_sections_are_empty() -> None:
    e: Any = Executor.load_config(
        "jtype: LoadedExecutor\nwith:\nmetas:\nrequests:\n", override_with={"bar": 1}
    )
    assert (e.metas.name, list(e.requests)) == ("LoadedExecutor", ["/index"])


@pytest.mark.parametrize("prefix", ["override", "uses"])
def test_r50_overrides_are_laid_over(prefix: str) -> None:
    e: Any = Executor.load_config(
        LITERAL,
        **{
            f"{prefix}_with": {"foo": "new"},
            f"{prefix}_metas": {"name": "other"},
            f"{prefix}_requests": {"/more": "work"},
        },
    )
    assert (e.bar, e.foo, e.metas.name) == (123, "new", "other")
    assert sorted(e.requests) == ["/index", "/more", "/random_work"]


def test_r49_runtime_args_are_given_by_hand() -> None:
    e = Executor.load_config(LITERAL, runtime_args={"pea_id": 3}, allow_py_modules=True)
    assert e.runtime_args == SimpleNamespace(pea_id=3)


@pytest.mark.parametrize(
    "option",
    [
        "allow_py_modules",
        "include_gateway",
        "needs",
        "noblock_on_start",
        "uses_dynamic_batching",
    ],
)
def test_r49_options_of_jina_2_and_3_without_a_meaning_here_are_accepted(option: str) -> None:
    assert facts(Executor.load_config(LITERAL, **{option: None})) == WANTED


def test_r49_modules_may_be_named_beside_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside.py").write_text(
        "from jina import Executor\n\n\nclass BesideExec(Executor): ...\n"
    )
    e = Executor.load_config("jtype: BesideExec", py_modules="beside.py")
    assert type(e).__name__ == "BesideExec"


def test_r49_modules_and_yaml_are_found_in_extra_search_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of the YAML comes first, the extra ones next, in their order."""
    for name in ("first", "second", "elsewhere"):
        (tmp_path / name).mkdir()
    body = (
        "from jina import Executor\nfrom sought_help import WORD\n\n\n"
        "class SoughtExec(Executor):\n    word = '{} ' + WORD\n"
    )
    (tmp_path / "first" / "sought.py").write_text(body.format("first"))
    (tmp_path / "second" / "sought.py").write_text(body.format("second"))
    (tmp_path / "second" / "sought_help.py").write_text("WORD = 'helped'\n")
    text = "jtype: SoughtExec\npy_modules: sought.py\n"
    (tmp_path / "second" / "sought.yml").write_text(text)
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match=r"no module at sought\.py"):
        Executor.load_config(text)
    with pytest.raises(BadConfigSource, match=r"no such file: sought\.yml"):
        Executor.load_config("sought.yml", extra_search_paths=[tmp_path / "first"])
    both = [str(tmp_path / "first"), "../second"]
    from_text: Any = Executor.load_config(text, extra_search_paths=both)
    assert from_text.word == "first helped"
    from_file: Any = Executor.load_config("sought.yml", extra_search_paths=both)
    assert from_file.word == "second helped"


def test_r49_a_single_extra_search_path_may_be_a_text(tmp_path: Path) -> None:
    (tmp_path / "single.yml").write_text("jtype: BaseExecutor\nmetas: {name: found}\n")
    e = Executor.load_config("single.yml", extra_search_paths=str(tmp_path))
    assert e.metas.name == "found"


def test_an_option_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'uses_wiht'"):
        Executor.load_config(LITERAL, uses_wiht={})


def test_variables_and_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOAD_BAR", "7")
    text = "jtype: LoadedExecutor\nwith: \n  bar: $LOAD_BAR\n  foo: ${{ CONTEXT.foo }}\n"
    e: Any = Executor.load_config(text, context={"foo": "ctx"})
    assert (e.bar, e.foo) == (7, "ctx")
    data = {"jtype": "LoadedExecutor", "with": {"bar": 1, "foo": "$LOAD_BAR"}}
    from_dict: Any = Executor.load_config(data)
    assert from_dict.foo == "7"
    raw: Any = Executor.load_config(data, substitute=False)
    assert raw.foo == "$LOAD_BAR"


def test_r47_r52_saved_and_loaded_again(tmp_path: Path) -> None:
    e: Any = Executor.load_config(LITERAL)
    e.bar = 5  # what happens after the construction is not seen
    file = tmp_path / "y.yml"
    assert e.save_config(str(file)) == str(file)
    assert file.read_text() == (
        "jtype: LoadedExecutor\n"
        "with:\n  bar: 123\n  foo: f\n"
        "metas:\n  name: awesomeness\n  description: my first awesome executor\n"
        "requests:\n  /index: index\n  /random_work: work\n"
    )
    assert facts(Executor.load_config(file)) == WANTED


def test_arguments_by_position_are_saved(tmp_path: Path) -> None:
    assert (
        "bar: 4\n  foo: g\n" in Path(LoadedExecutor(4, "g").save_config(tmp_path / "y")).read_text()
    )


def test_without_a_name_it_is_saved_where_it_was_loaded(tmp_path: Path) -> None:
    file = tmp_path / "y.yml"
    file.write_text(LITERAL)
    assert Executor.load_config(file).save_config() == str(file)
    assert "foo: f" in file.read_text()


def test_without_any_place_it_is_saved_to_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = Path(LoadedExecutor(1).save_config())
    assert path.parent == tmp_path
    assert path.read_text().startswith("jtype: LoadedExecutor\n")


def test_modules_survive_a_save_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "saved_module.py").write_text(
        "from jina import Executor\n\nclass SavedExec(Executor): ...\n"
    )
    (tmp_path / "a.yml").write_text("jtype: SavedExec\nmetas: {py_modules: saved_module.py}\n")
    (tmp_path / "sub").mkdir()
    e = Executor.load_config(tmp_path / "a.yml")
    saved = e.save_config(tmp_path / "sub" / "b.yml")
    assert type(Executor.load_config(saved)).__name__ == "SavedExec"
    beside = Path(e.save_config(tmp_path / "c.yml"))
    assert "- saved_module.py\n" in beside.read_text()


def test_what_yaml_cannot_say_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        LoadedExecutor(bar=object()).save_config(tmp_path / "y.yml")  # type: ignore[arg-type]
    assert "an argument of LoadedExecutor cannot be saved as YAML" in str(caught.value)


def test_r54_a_missing_file_is_a_file_not_found_error() -> None:
    with pytest.raises(FileNotFoundError):
        Executor.load_config("nowhere.yml")


@pytest.mark.parametrize("source", ["", "   ", None, 3, {"with": {"a": 1}}, {}, []])
def test_r54_an_unusable_source_is_refused(source: Any) -> None:
    with pytest.raises(BadConfigSource):
        Executor.load_config(source)


@pytest.mark.parametrize(
    "source", ["NoSuchClassHere", "jtype: NoSuchClassHere", {"jtype": "NoSuchClassHere"}]
)
def test_r55_an_unknown_class_is_named(source: Any) -> None:
    with pytest.raises(BadConfigSource, match="NoSuchClassHere"):
        Executor.load_config(source)


def test_a_constructor_argument_that_is_missing_is_named() -> None:
    with pytest.raises(ExecutorFailToLoad, match="needs 'bar'"):
        Executor.load_config("jtype: LoadedExecutor")


def test_r51_arguments_that_nobody_names_fall_into_kwargs() -> None:
    e: Any = Executor.load_config("jtype: LoadedExecutor\nwith: {bar: 1, more: 2}")
    assert e.bar == 1


def test_a_published_package_loads_by_its_init(tmp_path: Path) -> None:
    """The layout that Jina Hub asked for: `py_modules: [__init__.py]` and relative imports."""
    folder = tmp_path / "published_pack"
    folder.mkdir()
    (folder / "__init__.py").write_text("from .executor import PublishedExec\n")
    (folder / "helper.py").write_text("VALUE = 3\n")
    (folder / "executor.py").write_text(
        "from jina import Executor\nfrom .helper import VALUE\n\n"
        "class PublishedExec(Executor):\n    value = VALUE\n"
    )
    (folder / "config.yml").write_text(
        "jtype: PublishedExec\nmetas:\n  py_modules:\n    - __init__.py\n"
    )
    e: Any = Executor.load_config(folder / "config.yml")
    assert e.value == 3


def test_a_class_that_cannot_travel_is_loaded_here() -> None:
    lock = threading.Lock()

    class LockedExec(Executor):
        def close(self) -> None:
            lock.release()

    assert type(Executor.load_config("jtype: LockedExec")) is LockedExec


def test_r53_runtime_args_in_yaml_are_ignored() -> None:
    """Published configs have them."""
    e = Executor.load_config(LITERAL + "runtime_args: {name: other, pea_id: 7}\n")
    assert vars(e.runtime_args) == {}


def test_a_saved_text_comes_back_as_that_text(tmp_path: Path) -> None:
    for text in ("1e3", "$HOME", "${{ ENV.HOME }}", "no", "$$"):
        saved = LoadedExecutor(1, text).save_config(tmp_path / "y.yml")
        again: Any = Executor.load_config(saved)
        assert again.foo == text
