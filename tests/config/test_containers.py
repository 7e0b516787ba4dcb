"""`uses: docker://IMAGE`: what a Flow's YAML says of a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from jina import Flow
from jina.config import load_flow
from jina.config.docker_options import words_of
from jina.config.load_state import LoadOptions
from jina.config.resolved import as_yaml, resolved
from jina.executors.container import ContainerSpec, Mount
from jina.graph.planning import plan_of

_FLOW = """\
jtype: Flow
with: {env: {A: of the Flow, B: of the Flow}}
executors:
  - name: up
    uses: docker://registry:5000/up@sha256:abc
    uses_with: {size: 2}
    uses_requests: {/index: index}
    shards: 2
    polling: {/search: ALL}
    workspace: kept
    env: {B: of the node}
    volumes: [data, "./data:/models/:ro"]
    gpus: 2
    entrypoint: /opt/py/bin/python -m jina executor --uses 'my file.yml'
    pull_latest: true
    docker_kwargs: {environment: [A=of docker, C=1], user: 5, shm_size: 1g}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    path = tmp_path / "flow.yml"
    path.write_text(_FLOW)
    return path


def test_everything_that_is_said(file: Path) -> None:
    data, kept = str(file.parent / "data"), str(file.parent / "kept")
    (node,) = load_flow(file).executors
    assert node.container == ContainerSpec(
        image="registry:5000/up@sha256:abc",
        place=f"{file}:5:11",
        entrypoint=["/opt/py/bin/python", "-m", "jina", "executor", "--uses", "my file.yml"],
        mounts=[
            Mount(source=data, target="/data"),
            Mount(source=data, target="/models", is_read_only=True),
            Mount(source=kept, target=kept, is_workspace=True),
        ],
        gpus="2",
        pulls_latest=True,
        options=["--shm-size=1g"],
        user="5",
    )
    assert node.env == {"A": "of docker", "B": "of the node", "C": "1"}
    assert (node.executor.with_, node.executor.requests) == ({"size": 2}, {"/index": "index"})


def test_each_worker_has_one_but_not_the_tail(file: Path) -> None:
    plan = plan_of(file)
    of_tail = [worker for worker in plan.workers if worker.tail_of]
    of_shards = [worker for worker in plan.workers if not worker.tail_of]
    assert len(of_shards) == 2
    assert all(worker.container is not None for worker in of_shards)
    assert [worker.container for worker in of_tail] == [None]


def test_a_flow_that_names_no_workspace_mounts_none(tmp_path: Path) -> None:
    (node,) = load_flow("{jtype: Flow, executors: [{uses: 'docker://up'}]}").executors
    assert node.container is not None
    assert (node.container.mounts, node.workspace) == ([], "")


def test_the_resolved_flow_says_the_same(file: Path) -> None:
    text = as_yaml(resolved(file, LoadOptions()))
    (again,) = load_flow(text).executors
    (node,) = load_flow(file).executors
    assert again.container is not None
    assert node.container is not None
    assert again.container.mounts == node.container.mounts
    assert again.container.options == node.container.options
    assert again.executor.with_ == {"size": 2}


def test_a_saved_flow_means_the_same_from_elsewhere(file: Path) -> None:
    (file.parent / "sub").mkdir()
    saved = file.parent / "sub" / "saved.yml"
    Flow.load_config(str(file)).save_config(str(saved))
    (again,) = load_flow(saved).executors
    (node,) = load_flow(file).executors
    assert again.container is not None
    assert node.container is not None
    assert again.container.mounts == node.container.mounts


def test_options_of_docker_as_words() -> None:
    found = words_of(
        {
            "cap_add": ["SYS_NICE"],
            "dns": "1.1.1.1",
            "extra_hosts": {"a": "10.0.0.1"},
            "labels": ["x=1", "y"],
            "mem_limit": 10_000,
            "network_mode": "host",
            "privileged": False,
            "read_only": True,
            "tmpfs": {"/tmp": "", "/run": "size=1m"},
            "ulimits": [{"Name": "nofile", "Soft": 10, "Hard": 20}],
            "userns_mode": "host",
            "working_dir": None,
        }
    )
    assert found.options == [
        *("--cap-add=SYS_NICE", "--dns=1.1.1.1", "--add-host=a:10.0.0.1"),
        *("--label=x=1", "--label=y", "--memory=10000", "--network=host", "--read-only"),
        *("--tmpfs=/tmp", "--tmpfs=/run:size=1m", "--ulimit=nofile=10:20", "--userns=host"),
    ]
    assert found.has_userns
    assert found.faults == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ulimits": [{"name": "nofile"}]}, "`ulimits` must be a list of maps with `name`, "),
        ({"mem_limit": [1]}, "`mem_limit` must be a text or a number"),
        ({"extra_hosts": 5}, "`extra_hosts` must be a map, or a list of NAME:VALUE"),
        ({"environment": 5}, "`environment` must be variables: a map, or a list of NAME=VALUE"),
        ({"user": ["a"]}, "`user` must be a user"),
        ({"cap_add": [{}]}, "`cap_add` must be a list of texts"),
        ({"ports": {"80": 80}}, "`docker_kwargs` cannot have `ports`"),
    ],
)
def test_options_that_are_wrong(given: dict[str, object], message: str) -> None:
    (fault,) = words_of(given).faults
    assert fault.message.startswith(message)
