"""What pip installs is whole: every module and published name, the command, and the catalogue.

The other tests run on a checkout, where a file is found whether or not it is packaged.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import jina
from tests.test_published_names import PUBLISHED

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PACKAGED = ("README.md", "LICENSE", "pyproject.toml", "setup.cfg", "setup.py")
MADE = {"__pycache__", "workspace", ".gitignore"}  # by whoever runs what is in a checkout
FOLDERS = ("jina", "jinacli", "executors", "flows")
# Prints each name that cannot be imported, and then the place of the package.
IMPORT = """
import sys
from importlib import import_module
for name in sys.argv[1:]:
    module, _, attribute = name.partition(":")
    try:
        getattr(import_module(module), attribute)
    except Exception as error:
        print(name, repr(error))
print(import_module("jina").__path__[0])
"""


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel in it; libraries come from the one that runs."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # setuptools leaves files beside its sources
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in PACKAGED:
        shutil.copy(ROOT / name, source / name)
    pip = (sys.executable, "-m", "pip", "--quiet")
    run(*pip, "wheel", "--no-deps", "--wheel-dir", folder, source, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    home = folder / "venv"
    venv.create(home, symlinks=True)
    run(*pip, "--python", home, "install", "--no-deps", wheel, cwd=folder)
    (site,) = home.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home


def test_every_published_name_is_imported_from_an_installed_copy(installed: Path) -> None:
    names = sorted({*PUBLISHED, *(f"jina:{name}" for name in jina.__all__)})
    found = run(installed / "bin" / "python", "-c", IMPORT, *names, cwd=installed)
    (site,) = installed.glob("lib/python*/site-packages")
    assert found.splitlines() == [str(site / "jina")]


def test_every_file_of_the_packages_is_installed(installed: Path) -> None:
    (site,) = installed.glob("lib/python*/site-packages")
    places = {
        "jina": "jina",
        "jinacli": "jinacli",
        "executors": "jinacli/catalogue/executors",
        "flows": "jinacli/catalogue/flows",
    }
    left_out = [
        f"{name}/{path.relative_to(ROOT / name)}"
        for name, place in places.items()
        for path in (ROOT / name).rglob("*")
        if path.is_file() and not MADE.intersection(path.parts)
        if not (site / place / path.relative_to(ROOT / name)).is_file()
    ]
    assert not left_out


def test_the_installed_command_prints_its_help(installed: Path) -> None:
    assert "Usage: jina" in run(installed / "bin" / "jina", "--help", cwd=installed)
    run(installed / "bin" / "jina", "executor", "check", "catalogue://UpperCase", cwd=installed)
