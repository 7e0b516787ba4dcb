"""`jina flow export compose` and `dockerfile`: files that are valid, and that fit the Flow."""

from __future__ import annotations

import json
import stat
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import jina
from jina.check import check_executor, check_flow
from jina.config.executors import load_executor
from jinacli.executor.export import export_executor
from tests.export import project

Compose = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("compose") / "out"
    assert project.compose(project.write(output.parent / "search"), output) == 0
    return output


@pytest.fixture
def compose(folder: Path) -> Compose:
    return dict(yaml.safe_load((folder / "compose.yaml").read_text()))


def test_the_file_is_valid_compose(compose: Compose) -> None:
    vendor = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(compose, json.loads(vendor.read_text()))


def test_each_shard_has_a_service_and_a_volume(compose: Compose) -> None:
    services = compose["services"]
    assert set(services) == {"gateway", "encoder", "pictures", "indexer-0", "indexer-1"}
    assert compose["volumes"] == {"indexer-0": {}, "indexer-1": {}}
    assert "indexer-1:/workspace" in services["indexer-1"]["volumes"]
    words = services["indexer-1"]["command"]
    assert words[words.index("--shard") + 1] == "1"
    assert words[words.index("--gateway") + 1] == "tcp://gateway:5556"
    assert services["encoder"]["deploy"]["replicas"] == 3


def test_services_can_change_nothing_but_their_folders(compose: Compose) -> None:
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["init"] is True
        assert service["user"] == "${JINA_USER:-1000:1000}"
        assert int(service["stop_grace_period"].removesuffix("s")) >= 45
    assert "healthcheck" in compose["services"]["gateway"]


def test_every_path_that_is_mounted_exists(folder: Path, compose: Compose) -> None:
    named = set(compose["volumes"])
    for service in compose["services"].values():
        for source in (volume.partition(":")[0] for volume in service["volumes"]):
            assert source in named or (folder / source).is_dir()
        for secret in service.get("secrets", []):
            assert (folder / compose["secrets"][secret]["file"]).is_file()


@pytest.mark.parametrize("name", ["encoder/encoder", "pictures", "indexer"])
def test_the_executors_pass_a_check_where_they_are(folder: Path, name: str) -> None:
    report = check_executor(str(folder / "flow" / f"{name}.executor.yml"), no_import=True)
    assert report.problems == []


def test_the_flow_passes_a_check_where_it_is(folder: Path) -> None:
    assert check_flow(str(folder / "flow" / "flow.yml"), no_import=True).problems == []


def test_executors_that_others_serve_stay_external(tmp_path: Path) -> None:
    file = project.write(tmp_path / "search")
    file.write_text(f"{project.FLOW}  - {{name: theirs, external: true, replicas: 2}}\n")
    project.compose(file, tmp_path / "out")
    written = yaml.safe_load((tmp_path / "out" / "compose.yaml").read_text())
    assert "theirs" not in written["services"]
    flow = yaml.safe_load((tmp_path / "out" / "flow" / "flow.yml").read_text())
    assert flow["executors"][-1] == {"name": "theirs", "external": True}


def test_values_of_variables_are_as_they_were(compose: Compose) -> None:
    env = compose["services"]["encoder"]["environment"]
    assert env["REGION"] == "$$(eu)"  # compose reads $(eu)
    assert env["LANGUAGE"] == "en"
    assert env["API_TOKEN"] == "top-secret"


def test_nobody_else_reads_what_is_secret(folder: Path) -> None:
    for name in ("compose.yaml", ".env", "keys/worker/worker.key", "keys/http/api.keys"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert "keys/" in (folder / ".gitignore").read_text()


def test_exporting_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    file = project.write(tmp_path / "search")
    project.compose(file, tmp_path / "out")
    before = project.contents(tmp_path / "out")
    project.compose(file, tmp_path / "out")
    assert project.contents(tmp_path / "out") == before


def test_the_image_of_a_flow_has_what_its_executors_need(tmp_path: Path) -> None:
    file = project.write(tmp_path / "search")
    assert project.dockerfile(file, tmp_path / "out") == 0
    text = (tmp_path / "out" / "Dockerfile").read_text()
    assert f'"jinacli[http]=={jina.__version__}" -r requirements.txt\n' in text
    assert "COPY requirements.txt ./\n" in text
    assert "\nUSER 10001:10001\n" in text
    assert (tmp_path / "out" / "requirements.txt").read_text() == "tinydb==4.8\n"
    assert (tmp_path / "out" / "files" / "encoder" / "louder.py").is_file()
    ignored = (tmp_path / "out" / ".dockerignore").read_text().splitlines()
    assert ignored[1:4] == ["*", "!requirements*.txt", "!files"]


def test_the_image_of_an_executor_has_it(tmp_path: Path) -> None:
    project.write(tmp_path / "search")
    file = tmp_path / "search" / "encoder" / "config.yml"
    assert export_executor(str(file), tmp_path / "out", None, quiet=True) == 0
    copied = load_executor(tmp_path / "out" / "files" / "config.yml")
    assert copied.spec.with_ == {"times": 2}
    assert copied.origin.env == {"LANGUAGE": "en"}
    assert [Path(each).name for each in copied.spec.py_modules] == ["shout.py"]
    assert (tmp_path / "out" / "files" / "louder.py").is_file()
