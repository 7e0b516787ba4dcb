"""The error tree: drawn as it is, and every name that stands in an outcome is in it."""

from __future__ import annotations

import re
from pathlib import Path

from jina import excepts


def _children(cls: type[Exception]) -> list[str]:
    """Names below a class, in the order of the file."""
    own = [each for each in cls.__subclasses__() if each.__module__ == excepts.__name__]
    return [name for each in own for name in (each.__name__, *_children(each))]


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = re.findall(r"^ [ │]*[├└]── (\w+)", excepts.__doc__ or "", re.MULTILINE)
    assert sorted(drawn) == sorted(_children(excepts.JinaError))


def test_every_error_that_an_outcome_names_is_in_the_tree() -> None:
    sources = Path(excepts.__file__).parent.rglob("*.py")
    named = {
        name for path in sources for name in re.findall(r'"jina\.excepts\.(\w+)"', path.read_text())
    }
    assert {"BadLine", "ExecutorUnavailable", "InputError", "WorkerDied"} <= named
    assert named <= set(_children(excepts.JinaError))


def test_no_outcome_names_an_error_of_the_tree_without_its_module() -> None:
    bare = re.compile(f'"(?:{"|".join(_children(excepts.JinaError))})"')
    sources = Path(excepts.__file__).parent.rglob("*.py")
    assert not [path for path in sources if bare.search(path.read_text())]
