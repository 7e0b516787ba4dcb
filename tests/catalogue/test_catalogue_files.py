"""Each folder of the catalogue is complete, and its README, YAML and class say the same."""

from __future__ import annotations

import inspect
import json
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
import yaml

from jina import Executor
from jina.check import check_executor, check_flow
from jina.config import load_flow
from jina.executors.call import endpoints
from jina.executors.signature import constructor_parameters
from tests.frameworks.support import GROUP

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "executors").glob("*/config.yml"))
FLOWS = sorted((ROOT / "flows").glob("*.yml"))
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)==\d[\w.]*")


def requirements(file: Path) -> list[str]:
    """The names of the packages in a requirement file; none without one."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    found = [REQUIREMENT.fullmatch(line) for line in lines if line and not line.startswith("#")]
    assert all(found), f"{file}: not all versions are exact"
    return [match[1] for match in found if match]


def has(package: str) -> bool:
    """Whether a package is installed."""
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def can_be_imported(folder: Path) -> bool:
    """Whether the packages of an Executor are installed; `.ci/frameworks` does that, by groups."""
    files = ("requirements.txt", "requirements-no-deps.txt")
    return all(has(name) for file in files for name in requirements(folder / file))


IMPORTABLE = list(filter(can_be_imported, FOLDERS))
WITH_PACKAGES = [folder for folder in FOLDERS if (folder / "requirements.txt").exists()]
# Libraries warn about themselves, which is not for us to mend.
OF_LIBRARIES = pytest.mark.filterwarnings("default")


def config_of(folder: Path) -> dict[str, Any]:
    found = yaml.safe_load((folder / "config.yml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_there_are_executors_and_flows() -> None:
    assert len(FOLDERS) >= 3
    assert len(FLOWS) >= 2


@pytest.mark.parametrize("folder", WITH_PACKAGES, ids=lambda folder: folder.name)
def test_an_executor_that_needs_packages_says_which_and_has_an_example(folder: Path) -> None:
    for file in folder.glob("requirements*.txt"):
        assert requirements(file)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "pip install -r requirements.txt" in readme
    lines = (folder / "input.jsonl").read_text(encoding="utf-8").splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == len(lines) == 3


@pytest.mark.parametrize(
    "folder",
    # Not in an environment of a group, which may have those packages that are imported.
    [f for f in FOLDERS if f not in IMPORTABLE and not GROUP],
    ids=lambda folder: folder.name,
)
def test_the_check_of_an_executor_says_what_is_missing_and_what_installs_it(folder: Path) -> None:
    problems = check_executor(str(folder / "config.yml")).problems
    if not problems:
        pytest.skip("what is missing is a package of data, which nothing imports")
    (problem,) = problems
    (note,) = problem.notes
    lacking = [name for name in requirements(folder / "requirements.txt") if not has(name)]
    assert all(name in note.message for name in lacking)
    assert "-m pip install -r " in problem.hint
    assert f"jina executor install catalogue://{folder.name} --venv" in problem.hint


@pytest.mark.skipif(has("onnxruntime"), reason="nothing that is imported is missing")
def test_the_check_of_another_yaml_of_a_folder_names_its_own_requirements() -> None:
    file = ROOT / "executors" / "BertTextEncoder" / "full.yml"
    (problem,) = check_executor(str(file)).problems
    assert "/requirements-full.txt && " in problem.hint
    assert "--no-deps -r " in problem.hint
    assert "/full.yml --venv envs/BertTextEncoder-full`" in problem.hint


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(each, id=each.name, marks=[OF_LIBRARIES] if each in WITH_PACKAGES else [])
        for each in IMPORTABLE
        # Beside a library, only those that need it: TensorFlow's SQLite is not VectorIndexer's.
        if not GROUP or each in WITH_PACKAGES
    ],
)
class TestExecutor:
    """One folder of `executors/`."""

    def test_the_folder_is_named_like_the_class_and_holds_three_files(self, folder: Path) -> None:
        assert config_of(folder)["jtype"] == folder.name
        assert {"config.yml", "executor.py", "README.md"} <= {p.name for p in folder.iterdir()}

    def test_it_loads_from_its_config(self, folder: Path, tmp_path: Path) -> None:
        with Executor.load_config(
            str(folder / "config.yml"), override_metas={"workspace": str(tmp_path)}
        ) as executor:
            assert type(executor).__name__ == folder.name
            bound = config_of(folder).get("requests", {})
            assert set(endpoints(executor)) == set(bound) or "/default" in endpoints(executor)

    def test_the_check_finds_nothing(self, folder: Path) -> None:
        assert check_executor(str(folder / "config.yml")).problems == []

    def test_its_config_shows_every_parameter_with_the_default(
        self, folder: Path, catalogue: Any
    ) -> None:
        cls = getattr(catalogue(f"{folder.name}/executor.py"), folder.name)
        defaults = {p.name: p.default for p in constructor_parameters(cls).values()}
        shown = config_of(folder).get("with", {})
        if "fields" in shown and defaults["fields"] is None:
            assert (defaults.pop("fields"), shown.pop("fields")) == (None, {"text": 1})
        as_yaml = {name: list(v) if type(v) is tuple else v for name, v in defaults.items()}
        assert shown == as_yaml

    def test_its_readme_and_docstring_explain_every_parameter(
        self, folder: Path, catalogue: Any
    ) -> None:
        cls = getattr(catalogue(f"{folder.name}/executor.py"), folder.name)
        readme = (folder / "README.md").read_text(encoding="utf-8")
        explained = inspect.getdoc(cls) or ""
        for name, parameter in constructor_parameters(cls).items():
            assert f"| `{name}` | " in readme
            assert f"\n    {name}: " in explained
            default = config_of(folder)["with"][name]
            if not isinstance(default, bool | dict):
                empty = "''" if isinstance(default, str) else "null"
                text = empty if default in ("", None) else default
                assert f"| `{name}` | `{text}` |" in readme
            assert parameter.default is not parameter.empty

    def test_its_readme_names_every_endpoint_and_has_a_yaml_and_a_command(
        self, folder: Path
    ) -> None:
        readme = (folder / "README.md").read_text(encoding="utf-8")
        for endpoint in config_of(folder).get("requests", {}):
            assert f"`{endpoint}`" in readme
        (flow,) = re.findall(r"```yaml\n(.*?)```", readme, flags=re.DOTALL)
        assert re.search(f"uses(_after)?: catalogue://{folder.name}\n", flow)
        assert yaml.safe_load(flow)["jtype"] == "Flow"
        assert re.search(r"^    .*\bjina post /", readme, flags=re.MULTILINE)


@OF_LIBRARIES
@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.name)
def test_each_flow_loads_and_its_executors_take_their_settings(path: Path) -> None:
    flow = load_flow(path)
    assert flow.executors
    names = {node.executor.jtype for node in flow.executors}
    assert names <= {folder.name for folder in FOLDERS}
    no_import = not names <= {folder.name for folder in IMPORTABLE}
    assert check_flow(str(path), no_import=no_import).problems == []


def test_the_copies_of_the_file_that_lets_torchvision_load_are_equal() -> None:
    """A folder is taken as it is, so each that needs the file has it."""
    copies = [path.read_text() for path in (ROOT / "executors").glob("*/torchvision_operators.py")]
    assert len(copies) == 3
    assert len(set(copies)) == 1
