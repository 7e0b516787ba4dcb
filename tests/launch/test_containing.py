"""The command that starts a container, and how docker and podman are found. Neither is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from jina.executors.container import ContainerSpec, Mount
from jina.launch import engines
from jina.launch.containing import gpu_words, mount_text, run_command
from jina.launch.engines import VARIABLE, Engine, NoEngine, fault_of, python_and_file
from jina.launch.probing import Answer
from jina.launch.sources import VERSION
from jina.runtime.fingerprint import fingerprint

DOCKER = Engine("/usr/bin/docker", is_podman=False)
PODMAN = Engine("/usr/bin/podman", is_podman=True)
BOX = Path("/run/jina/flow-1/containers/7")


def command(engine: Engine, container: ContainerSpec, user: int = 1000) -> list[str]:
    return run_command(engine, container, BOX, "4-1-2-7", "python3", "config.yml", (user, user + 1))


def test_the_whole_command() -> None:
    container = ContainerSpec(
        image="registry/encoder:1",
        mounts=[Mount(source="/data", target="/x", is_read_only=True)],
        gpus="all",
        options=["--network=none", "--shm-size=1g"],
    )
    assert command(DOCKER, container) == [
        *("/usr/bin/docker", "run", "--rm", "--pull=never", "--sig-proxy=false"),
        *("--log-driver=none", "--security-opt=label=disable"),
        *("--label=jina.run=4-1-2-7", "--env=JINA_RUN_ID=4-1-2-7", "--user=1000:1001"),
        "--mount=type=bind,src=/run/jina/flow-1,dst=/run/jina/flow-1",
        "--mount=type=bind,src=/data,dst=/x,readonly",
        *("--gpus=all", "--network=none", "--shm-size=1g"),
        *("--entrypoint=python3", "registry/encoder:1"),
        *(f"{BOX}/contained.py", str(BOX), "config.yml", VERSION, fingerprint()),
    ]


@pytest.mark.parametrize(
    ("container", "user", "has_it"),
    [
        (ContainerSpec(image="a"), 1000, True),
        (ContainerSpec(image="a"), 0, False),
        (ContainerSpec(image="a", options=["--userns=host"], has_userns=True), 1000, False),
    ],
)
def test_podman_keeps_the_user(container: ContainerSpec, user: int, has_it: bool) -> None:
    assert ("--userns=keep-id" in command(PODMAN, container, user)) == has_it
    assert "--userns=keep-id" not in command(DOCKER, container, user)


def test_another_user() -> None:
    assert "--user=5:6" in command(DOCKER, ContainerSpec(image="a", user="5:6"))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("/a b", "type=bind,src=/a b,dst=/x"),
        ("/a,b", 'type=bind,"src=/a,b",dst=/x'),
        ('/a"b', 'type=bind,"src=/a""b",dst=/x'),
    ],
)
def test_a_path_with_a_comma_is_one_field(source: str, text: str) -> None:
    assert mount_text(Mount(source=source, target="/x")) == text


@pytest.mark.parametrize(
    ("gpus", "docker", "podman"),
    [
        ("", [], []),
        ("all", ["--gpus=all"], ["--device=nvidia.com/gpu=all"]),
        ("2", ["--gpus=2"], ["--device=nvidia.com/gpu=0", "--device=nvidia.com/gpu=1"]),
        ("device=3", ["--gpus=device=3"], ["--device=nvidia.com/gpu=3"]),
        (
            "device=0,GPU-a",
            ['--gpus="device=0,GPU-a"'],
            ["--device=nvidia.com/gpu=0", "--device=nvidia.com/gpu=GPU-a"],
        ),
    ],
)
def test_gpus(gpus: str, docker: list[str], podman: list[str]) -> None:
    assert gpu_words(DOCKER, gpus) == docker
    assert gpu_words(PODMAN, gpus) == podman


@pytest.mark.parametrize(
    ("own", "config", "found"),
    [
        ([], {}, ("python3", "config.yml")),
        ([], {"Entrypoint": None, "Cmd": ["sh"]}, ("python3", "config.yml")),
        (
            [],
            {"Entrypoint": ["jina", "executor", "--uses", "my.yml"], "Cmd": []},
            ("python3", "my.yml"),
        ),
        ([], {"Entrypoint": ["jina"], "Cmd": ["pod", "--uses=my.yml"]}, ("python3", "my.yml")),
        ([], {"Cmd": ["jina", "executor", "serve", "/flow/a.yml"]}, ("python3", "/flow/a.yml")),
        ([], {"Entrypoint": ["sh", "-c", "jina pod --uses a.yml"]}, ("python3", "a.yml")),
        (
            ["/opt/py/bin/python3.12", "-m", "jina", "executor", "--uses", "b.yml"],
            {"Entrypoint": ["jina", "executor", "--uses", "my.yml"]},
            ("/opt/py/bin/python3.12", "b.yml"),
        ),
        (["/opt/py/bin/python"], {}, ("/opt/py/bin/python", "config.yml")),
    ],
)
def test_the_interpreter_and_the_yaml_of_an_image(
    own: list[str], config: dict[str, object], found: tuple[str, str]
) -> None:
    assert python_and_file(own, config) == found


def test_neither_docker_nor_podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    fault = fault_of("encoder:1")
    assert fault is not None
    assert str(fault) == "a container needs docker or podman; neither is on $PATH"
    assert "install docker or podman" in fault.hint
    monkeypatch.setenv(VARIABLE, "nerdctl")
    with pytest.raises(NoEngine, match="JINA_CONTAINER_ENGINE names 'nerdctl', which is not a"):
        engines.engine()


def test_a_program_that_does_not_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "docker"
    broken.write_text("#!/nowhere/sh\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoEngine, match=r"docker does not work: .*docker cannot be run: No such"):
        engines.engine()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(1, ["[]"], ["Error: a: image not known"]), "a: image not known"),
        (Answer(1, [], ['time="2026-01-01" level=error msg="no route"']), "no route"),
        (Answer(1, [], ["Error response from daemon: no such image", ""]), "no such image"),
        (Answer(1, [], []), "it says nothing"),
    ],
)
def test_what_an_engine_says_is_one_line(answer: Answer, text: str) -> None:
    assert engines.said(answer) == text


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            'time="2026-01-01T00:00:00Z" level=error msg="none in \\"/etc/registries.conf\\""',
            'none in "/etc/registries.conf"',
        ),
        ("Error response from daemon: No such image: a:1.", "No such image: a:1"),
        ('Error: docker://a:1: see "the manual"', 'docker://a:1: see "the manual"'),
        ('time="x" level=warning msg=short', "short"),
    ],
)
def test_what_an_engine_says_is_told_without_its_wrapping(line: str, told: str) -> None:
    assert engines.said(Answer(1, [], ["before", line, ""])) == told
