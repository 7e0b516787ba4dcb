"""`jina flow export kubernetes`: manifests that are valid, and that fit each other."""

from __future__ import annotations

import base64
import copy
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from jina.config.flows import load_flow
from jina.excepts import ConfigError
from jina.transport.keys import AllowList, gateway_key, own_key
from tests.export import project
from tests.export.linter import Manifest, faults, manifests


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifests of the project."""
    folder = tmp_path_factory.mktemp("kubernetes")
    output = folder / "out"
    assert project.kubernetes(project.write(folder / "search"), output, max_replicas=8) == 0
    return output


@pytest.fixture
def found(exported: Path) -> list[Manifest]:
    return manifests(exported)


def named(found: list[Manifest], kind: str, name: str) -> Manifest:
    return next(e for e in found if e["kind"] == kind and e["metadata"]["name"] == name)


def container(found: list[Manifest], kind: str, name: str) -> Manifest:
    pod = named(found, kind, name)["spec"]["template"]["spec"]
    return dict(pod["containers"][0])


def test_manifests_are_valid_and_fit_each_other(found: list[Manifest]) -> None:
    for manifest in found:
        kubernetes_validate.validate(manifest, "1.37", strict=True)
    assert faults(found) == []


def test_stateless_executors_are_deployments_and_others_have_volumes(found: list[Manifest]) -> None:
    kinds = {e["metadata"]["name"]: e["kind"] for e in found if "template" in e.get("spec", {})}
    assert kinds == {
        "search-encoder": "Deployment",
        "search-pictures": "Deployment",
        "search-indexer": "StatefulSet",
        "search-gateway": "StatefulSet",
    }
    indexer = named(found, "StatefulSet", "search-indexer")["spec"]
    assert indexer["replicas"] == 2  # a pod for each shard, with its replicas in it
    assert container(found, "StatefulSet", "search-indexer")["command"] == [
        *("jina", "executor", "serve", "/flow/indexer.executor.yml", "--name", "indexer"),
        *("--gateway", "tcp://search-gateway:5556", "--keys", "/keys", "--shard", "$(SHARD)"),
        *("--replicas", "2", "--workspace", "/workspace"),
    ]


def test_what_writes_no_files_has_no_workspace(found: list[Manifest]) -> None:
    command = container(found, "Deployment", "search-pictures")["command"]
    assert "--workspace" not in command


def test_what_cannot_be_read_here_may_write(tmp_path: Path) -> None:
    text = "jtype: Flow\nname: a\nexecutors: [{name: b, uses: 'json.decoder:JSONDecoder'}]\n"
    file = project.write(tmp_path / "a", flow=text)
    assert project.kubernetes(file, tmp_path / "out", quiet=True) == 0
    assert container(manifests(tmp_path / "out"), "Deployment", "a-b")["command"][-2:] == [
        *("--workspace", "/workspace")
    ]


def test_the_gateway_serves_clients_workers_and_http(found: list[Manifest]) -> None:
    assert container(found, "StatefulSet", "search-gateway")["command"] == [
        *("jina", "flow", "up", "/flow/flow.yml", "--host", "0.0.0.0", "--port", "5555"),
        *("--worker-port", "5556", "--keys", "/keys", "--http", "0.0.0.0:8080"),
        *("--api-key-file", "/api-keys/api.keys"),
    ]


def test_what_looks_secret_is_in_a_secret_alone(exported: Path, found: list[Manifest]) -> None:
    env = {e["name"]: e for e in container(found, "Deployment", "search-encoder")["env"]}
    assert env["REGION"]["value"] == "$$(eu)"  # as Kubernetes writes $(eu)
    assert env["LANGUAGE"]["value"] == "en"
    assert env["OMP_NUM_THREADS"]["value"] == "2"
    assert env["API_TOKEN"]["valueFrom"]["secretKeyRef"]["name"] == "search-encoder-env"
    secret = named(found, "Secret", "search-encoder-env")["data"]
    assert base64.b64decode(secret["API_TOKEN"]) == b"top-secret"
    for path in exported.glob("*.yaml"):
        assert "top-secret" not in path.read_text()
    assert stat.S_IMODE((exported / "secrets.yaml").stat().st_mode) == 0o600


def test_threads_and_gpus_are_resources(found: list[Manifest]) -> None:
    encoder = container(found, "Deployment", "search-encoder")
    assert encoder["resources"] == {"requests": {"cpu": 2}, "limits": {"nvidia.com/gpu": 1}}
    assert "CUDA_VISIBLE_DEVICES" not in {e["name"] for e in encoder["env"]}


def test_time_to_stop_is_what_the_flow_needs(found: list[Manifest]) -> None:
    grace = {
        e["metadata"]["name"]: e["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        for e in found
        if "template" in e.get("spec", {})
    }
    assert grace["search-indexer"] == grace["search-encoder"] + 10  # stop_grace_period: 20 s
    assert grace["search-gateway"] == 30 + 10 + 3 + 10 + 5


def test_the_files_are_those_of_the_project(exported: Path, found: list[Manifest]) -> None:
    config = next(e for e in found if e["kind"] == "ConfigMap")
    assert config["immutable"] is True
    data = config["data"]
    assert data["encoder_words.txt"] == project.FILES["encoder/words.txt"]
    assert data["encoder_shout.py"] == project.FILES["encoder/shout.py"]
    assert data["encoder_louder.py"] == project.FILES["encoder/louder.py"]
    assert "encoder_requirements.txt" not in data
    executor = yaml.safe_load(data["encoder_encoder.executor.yml"])
    assert executor["with"] == {"times": 2, "words": "words.txt"}
    assert executor["py_modules"] == ["shout.py"]
    pictures = yaml.safe_load(data["pictures.executor.yml"])
    assert pictures["py_modules"] == ["encoder/shout.py"]
    flow = yaml.safe_load(data["flow.yml"])
    options = {"title": "Search", "timeout": "30s", "coalesce_ms": 2}
    assert flow["http"] == {"port": 8080, **options}
    nodes = {node.pop("name"): node for node in flow["executors"]}
    assert nodes["encoder"] == {"external": True, "retries": {"times": 2, "on": ["OSError"]}}
    assert nodes["pictures"] == {"external": True, "needs": ["gateway"], "timeout": 2000}
    assert nodes["joiner"] == {"needs": ["encoder", "pictures"], "method": "needs"}
    assert nodes["indexer"]["external"] is True
    assert nodes["indexer"]["uses_after"]["py_modules"] == ["store.py"]


def test_keys_let_workers_and_clients_in(exported: Path) -> None:
    keys = exported / "keys"
    gateway = own_key(keys / "gateway", "gateway")
    allowed = AllowList(keys / "gateway")
    for role in ("worker", "client"):
        own = own_key(keys / role, role)
        assert allowed.of(own.public) is not None
        assert gateway_key(keys / role).public == gateway.public
    secrets = [path for path in keys.rglob("*.key*") if path.suffix != ".pub"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_exporting_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    file = project.write(tmp_path / "search")
    project.kubernetes(file, tmp_path / "out")
    before = project.contents(tmp_path / "out")
    project.kubernetes(file, tmp_path / "out")
    assert project.contents(tmp_path / "out") == before


def test_a_changed_module_has_a_config_map_of_another_name(tmp_path: Path) -> None:
    file = project.write(tmp_path / "search")
    project.kubernetes(file, tmp_path / "out")
    names = []
    for text in ("", "# changed\n"):
        with (file.parent / "store.py").open("a") as module:
            module.write(text)
        project.kubernetes(file, tmp_path / "out")
        names += [e["metadata"]["name"] for e in manifests(tmp_path / "out") if "immutable" in e]
    assert len(set(names)) == 2


def test_files_of_executors_that_are_gone_are_removed(tmp_path: Path) -> None:
    file = project.write(tmp_path / "search")
    project.kubernetes(file, tmp_path / "out")
    entry = project.FLOW.index("  - name: indexer")
    file.write_text(project.FLOW[:entry])
    project.kubernetes(file, tmp_path / "out")
    assert not (tmp_path / "out" / "executor-indexer.yaml").exists()
    assert faults(manifests(tmp_path / "out")) == []


def test_secrets_can_be_those_of_the_cluster(tmp_path: Path) -> None:
    file = project.write(tmp_path / "search")
    project.kubernetes(file, tmp_path / "out", with_secrets=False)
    assert not (tmp_path / "out" / "keys").exists()
    assert "secrets.yaml" not in (tmp_path / "out" / "kustomization.yaml").read_text()
    assert "`search-worker-keys`" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kubectl_builds_them(exported: Path, found: list[Manifest]) -> None:
    done = subprocess.run(
        ["kubectl", "kustomize", exported], capture_output=True, text=True, check=True
    )
    built = list(yaml.safe_load_all(done.stdout))
    assert len(built) == len(found)
    assert faults(built) == []


def _set(kind: str, name: str, *path: Any, value: Any) -> Callable[[list[Manifest]], None]:
    def plant(found: list[Manifest]) -> None:
        at: Any = named(found, kind, name)
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value

    return plant


_POD = ("spec", "template", "spec")
_FIRST = (*_POD, "containers", 0)
_GATEWAY = ("StatefulSet", "search-gateway")
_ENCODER = ("Deployment", "search-encoder")
_INDEXER = ("StatefulSet", "search-indexer")
_BUDGET = ("PodDisruptionBudget", "search-encoder")
_NODE = "jina/node"


@pytest.mark.parametrize(
    "plant",
    [
        _set(*_ENCODER, "spec", "selector", "matchLabels", _NODE, value="pictures"),
        _set("Service", "search", "spec", "ports", 0, "targetPort", value="client"),
        _set("Service", "search", "spec", "ports", 0, "port", value=5554),
        _set("Service", "search-gateway", "spec", "selector", _NODE, value="x"),
        _set(*_GATEWAY, *_FIRST, "livenessProbe", "httpGet", "port", value="web"),
        _set(*_GATEWAY, "spec", "replicas", value=2),
        _set(*_GATEWAY, "spec", "serviceName", value="gateway"),
        _set(*_ENCODER, *_POD, "volumes", 1, "secret", "secretName", value="keys"),
        _set(*_ENCODER, *_POD, "volumes", 0, "configMap", "name", value="search-files"),
        _set(*_ENCODER, *_FIRST, "volumeMounts", 0, "name", value="file"),
        _set(*_INDEXER, "spec", "volumeClaimTemplates", 0, "metadata", "name", value="data"),
        _set(*_ENCODER, *_FIRST, "securityContext", "capabilities", value={}),
        _set(*_ENCODER, *_POD, "securityContext", "runAsUser", value=0),
        _set(*_ENCODER, *_POD, "terminationGracePeriodSeconds", value=30),
        _set(*_BUDGET, "spec", "selector", "matchLabels", _NODE, value="x"),
        _set("Service", "search", "metadata", "name", value="Search_1"),
    ],
)  # fmt: skip
def test_the_linter_finds_planted_mistakes(
    found: list[Manifest], plant: Callable[[list[Manifest]], None]
) -> None:
    planted = copy.deepcopy(found)
    plant(planted)
    assert faults(planted)


def test_a_class_of_this_program_is_refused(tmp_path: Path) -> None:
    from jina import Executor
    from jina.export.names import refused_by_kubernetes
    from jina.export.units import Asked, exported

    class Mine(Executor):
        pass

    config = load_flow({"jtype": "Flow", "name": "f", "executors": [{"name": "e", "uses": Mine}]})
    with pytest.raises(ConfigError, match="a class of a running program"):
        exported(config, Asked("i", tmp_path), lambda _: {}, refused_by_kubernetes, lambda _: 0)
