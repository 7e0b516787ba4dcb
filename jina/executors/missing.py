"""What helps after a failed import: which interpreter misses what, and what installs it.

An Executor's `requirements.txt` is beside its YAML or its Python file. A YAML
`full.yml` can have a `requirements-full.txt` of its own beside it.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from jina.executors.modules import is_path
from jina.executors.requirements import not_installed, plain
from jina.executors.spec import ExecutorSpec

REQUIREMENTS = "requirements.txt"
_NO_DEPS = "-no-deps.txt"  # the packages are installed without what they depend on
REQUIREMENTS_NO_DEPS = f"requirements{_NO_DEPS}"

_CONFIG = "config.yml"
# Packages whose name is not that of their module. The package with the name of any other module
# may be a stranger's, so it is only named with an "if".
_PACKAGES = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
}


class Missing(NamedTuple):
    """What to say about an import that failed.

    Attributes:
        note: what is missing, and in which interpreter.
        help: what to do.
    """

    note: str
    help: str


def missing_for(error: BaseException, spec: ExecutorSpec) -> Missing | None:
    """What helps after an error of an Executor's module, or of its constructor.

    Args:
        error: as it was raised, in the interpreter that misses something.
        spec: of the Executor.

    Returns:
        None if the error is not about a package.
    """
    return missing_package(error, homes_of(spec), spec.file)


def missing_package(error: BaseException, folders: Iterable[str], yaml: str = "") -> Missing | None:
    """Like `missing_for`, where an Executor's requirements may be in these folders."""
    if not isinstance(error, ImportError):
        return None
    package = (error.name or "").partition(".")[0]
    if not package or package in sys.stdlib_module_names or package == "jina":
        return None
    files = requirement_files(folders, yaml)
    is_there = not isinstance(error, ModuleNotFoundError) or package in sys.modules
    if is_there and not files:  # a part of the user's own code
        return None
    return Missing(
        f"{_what(package, files, is_there)} in {_this_python()}",
        _advice(package, files, yaml),
    )


def missing_requirements(spec: ExecutorSpec) -> Missing | None:
    """What to say about packages that an Executor lists and this interpreter does not have.

    It can be imported all the same: some packages hold a model, or are imported only when needed.

    Args:
        spec: of the Executor.

    Returns:
        None if none is missing.
    """
    files = requirement_files(homes_of(spec), spec.file)
    names = not_installed(files, only_certain=True)
    if not names:
        return None
    *others, last = names
    text = f"{', '.join(others)} and {last} are" if others else f"{last} is"
    return Missing(f"{text} missing in {_this_python()}", _advice(last, files, spec.file))


def _this_python() -> str:
    return f"{shown(sys.executable)} (Python {sys.version.partition(' ')[0]})"


def _what(package: str, files: Sequence[str], is_there: bool) -> str:
    """What is missing: all packages of the files that are, or the one that was imported."""
    if is_there:
        return f"the {package} that is installed does not fit"
    names = not_installed(files) or [package]
    *others, last = names
    text = f"{', '.join(others)} and {last} are missing" if others else f"{last} is missing"
    known = {plain(package), plain(_PACKAGES.get(package, package))}
    is_named = not known.isdisjoint(map(plain, names))
    return text if is_named else f"there is no module {package}, and {text}"


def homes_of(spec: ExecutorSpec) -> Iterator[str]:
    """Where an Executor may have its requirements: beside its Python file, then beside its YAML."""
    for entry in reversed(spec.py_modules):
        if is_path(entry):
            folder = entry if os.path.isdir(entry) else os.path.dirname(entry)
            yield from (folder, os.path.dirname(folder))
    if spec.file:
        yield os.path.dirname(os.path.abspath(spec.file))


def requirement_files(folders: Iterable[str], yaml: str = "") -> list[str]:
    """The files that say what an Executor needs, of the first folder that has one.

    Args:
        folders: to look into.
        yaml: path of the Executor's YAML. For `full.yml`, `requirements-full.txt` and
            `requirements-full-no-deps.txt` beside it come before all others.
    """
    if found := _own_requirements(yaml):
        return found
    for folder in folders:
        paths = [os.path.join(folder, name) for name in (REQUIREMENTS, REQUIREMENTS_NO_DEPS)]
        found = [path for path in paths if os.path.isfile(path)]
        if found:
            return found
    return []


def _own_requirements(yaml: str) -> list[str]:
    """The files that are named after a YAML; none without a YAML."""
    if not yaml:
        return []
    start = os.path.join(os.path.dirname(os.path.abspath(yaml)), f"requirements-{_stem(yaml)}")
    return [path for path in (f"{start}.txt", f"{start}{_NO_DEPS}") if os.path.isfile(path)]


def needs_no_deps(file: str) -> bool:
    """Whether the packages of a file are installed without what they depend on."""
    return file.endswith(_NO_DEPS)


def _stem(yaml: str) -> str:
    return os.path.splitext(os.path.basename(yaml))[0]


def shown(path: str) -> str:
    """A path as people type it: relative where it is below the current folder."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def _advice(package: str, files: Sequence[str], yaml: str) -> str:
    """The commands that install what is missing."""
    pip = f"{shlex.quote(shown(sys.executable))} -m pip install"
    if not files:
        if package in _PACKAGES:
            return f"install it: `{pip} {_PACKAGES[package]}`"
        return (
            f"if it is a package, install it: `{pip} {shlex.quote(package)}` (its name may "
            "differ); if it is a file of yours, name it in `py_modules`"
        )
    commands = [
        f"{pip} {'--no-deps -r' if needs_no_deps(file) else '-r'} {shlex.quote(shown(file))}"
        for file in files
    ]
    config = os.path.join(os.path.dirname(files[0]), _CONFIG)
    if _own_requirements(yaml):
        config = yaml
    own = ""
    if os.path.isfile(config):
        own = f"; or in an environment of its own: `{install_command(config)}`"
    return f"install what it needs: `{' && '.join(commands)}`{own}"


def install_command(config: str) -> str:
    """The command that makes an environment for an Executor.

    Args:
        config: path of its YAML.
    """
    name = os.path.basename(os.path.dirname(os.path.abspath(config)))
    home = os.path.dirname(os.path.dirname(os.path.abspath(config)))
    site = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    catalogues = (
        os.path.join(site, "executors"),
        os.path.join(site, "jinacli/catalogue/executors"),
    )
    what = f"catalogue://{name}" if home in catalogues else shlex.quote(shown(config))
    if os.path.basename(config) != _CONFIG:
        what, name = shlex.quote(shown(config)), f"{name}-{_stem(config)}"
    return f"jina executor install {what} --venv {shlex.quote(os.path.join('envs', name))}"
