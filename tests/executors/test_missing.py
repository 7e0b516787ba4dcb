"""What helps after an import that failed."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from pathlib import Path

import pytest

from jina.executors.load import executor_class
from jina.executors.missing import Missing, install_command, missing_for
from jina.executors.spec import ExecutorSpec

PIP = f"{shlex.quote(sys.executable)} -m pip install"
IN = f"in {sys.executable} (Python {platform.python_version()})"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter is elsewhere, so that it is named by its whole path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # modules are imported from this folder


def missing(folder: Path, source: str, yaml: str = "") -> Missing | None:
    """What is said about an Executor with this source, of this YAML in its folder."""
    file = folder / f"my_{abs(hash(source))}.py"
    file.write_text(source)
    of_yaml = str(folder / yaml) if yaml else ""
    spec = ExecutorSpec(jtype="Mine", py_modules=[str(file)], file=of_yaml)
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever the source raises
        executor_class(spec)
    return missing_for(raised.value, spec)


def test_the_interpreter_and_the_requirements_are_named(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("tensorwerk==1\n")
    found = missing(tmp_path, "import tensorwerk.layers as layers\n")
    assert found == Missing(
        f"tensorwerk is missing {IN}", f"install what it needs: `{PIP} -r requirements.txt`"
    )


def test_all_packages_of_the_requirements_that_are_missing_are_named(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "# What it imports.\n"
        "tensorwerk==1\n"
        "numpy >= 1  # is there\n"
        "MsgSpec\n"
        "--index-url https://example.org\n"
        "./a/folder\n"
        "other_werk[gpu]~=2.0; python_version > '3'\n"
    )
    (tmp_path / "requirements-no-deps.txt").write_text("tensorwerk\nthird-werk\n")
    found = missing(tmp_path, "import tensorwerk\n")
    assert found is not None
    assert found.note == f"tensorwerk, other_werk and third-werk are missing {IN}"


def test_a_package_that_no_requirement_names_is_missing(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy\n")
    found = missing(tmp_path, "import tensorwerk\n")
    assert found is not None
    assert found.note == f"tensorwerk is missing {IN}"


@pytest.mark.parametrize(
    ("module", "requirement", "note"),
    [
        ("nosuch_pkg", "tensorwerk", "there is no module nosuch_pkg, and tensorwerk is missing"),
        ("tensor_werk", "Tensor-Werk", "Tensor-Werk is missing"),
        ("cv2", "opencv-python-headless", "opencv-python-headless is missing"),
    ],
)
def test_a_module_is_named_if_no_missing_requirement_has_its_name(
    tmp_path: Path, module: str, requirement: str, note: str
) -> None:
    (tmp_path / "requirements.txt").write_text(f"{requirement}\n")
    found = missing(tmp_path, f"import {module}\n")
    assert found is not None
    assert found.note == f"{note} {IN}"


def test_both_files_of_requirements_are_installed_and_an_own_environment_is_offered(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "Encoder"
    folder.mkdir()
    for name in ("requirements.txt", "requirements-no-deps.txt", "config.yml"):
        (folder / name).touch()
    found = missing(folder, "import tensorwerk\n")
    assert found is not None
    assert found.help == (
        f"install what it needs: `{PIP} -r Encoder/requirements.txt"
        f" && {PIP} --no-deps -r Encoder/requirements-no-deps.txt`"
        "; or in an environment of its own:"
        " `jina executor install Encoder/config.yml --venv envs/Encoder`"
    )


def test_a_yaml_may_have_requirements_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "Encoder"
    folder.mkdir()
    for name in ("requirements.txt", "config.yml", "full.yml"):
        (folder / name).touch()
    (folder / "requirements-full.txt").write_text("tensorwerk\n")
    (folder / "requirements-full-no-deps.txt").write_text("weights-werk\n")
    found = missing(folder, "import tensorwerk\n", "full.yml")
    assert found == Missing(
        f"tensorwerk and weights-werk are missing {IN}",
        f"install what it needs: `{PIP} -r Encoder/requirements-full.txt"
        f" && {PIP} --no-deps -r Encoder/requirements-full-no-deps.txt`"
        "; or in an environment of its own:"
        " `jina executor install Encoder/full.yml --venv envs/Encoder-full`",
    )
    other = missing(folder, "import tensorwerk as t\n", "config.yml")
    assert other is not None
    assert other.help.startswith(f"install what it needs: `{PIP} -r Encoder/requirements.txt`; or")


@pytest.mark.parametrize(
    ("module", "advice"),
    [
        # A stranger's package may have the name of a misspelt module.
        (
            "helpr",
            f"if it is a package, install it: `{PIP} helpr` (its name may differ); if "
            "it is a file of yours, name it in `py_modules`",
        ),
        ("cv2", f"install it: `{PIP} opencv-python-headless`"),
    ],
)
def test_without_requirements_only_known_packages_are_named_without_an_if(
    tmp_path: Path, module: str, advice: str
) -> None:
    found = missing(tmp_path, f"import {module}\n")
    assert found == Missing(f"{module} is missing {IN}", advice)


def test_a_package_that_lacks_a_name_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    found = missing(tmp_path, "from msgspec import nothing_of_that_name\n")
    assert found is not None
    assert found.note == f"the msgspec that is installed does not fit {IN}"


@pytest.mark.parametrize(
    "source",
    [
        "raise ValueError('no')\n",
        "from . import sibling\n",
        "from os import nothing\n",
        "from jina import nothing\n",
        "from msgspec import nothing_else\n",
    ],
)
def test_nothing_is_said_of_other_errors(tmp_path: Path, source: str) -> None:
    assert missing(tmp_path, source) is None


def test_executors_of_the_catalogue_are_named_as_such() -> None:
    config = Path(__file__).parents[2] / "executors" / "UpperCase" / "config.yml"
    command = install_command(os.path.relpath(config))
    assert command == "jina executor install catalogue://UpperCase --venv envs/UpperCase"
