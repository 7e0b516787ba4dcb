"""An executor with `uses: docker://IMAGE`: a Flow runs it in containers, which end with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jina.runtime.descendants import mark_of
from tests.containers.conftest import IMAGE
from tests.containers.engine import engine
from tests.containers.images import EXECUTOR, made
from tests.polling import wait_until
from tests.shell import Running, Shell, is_alive, json_lines

WAIT_S = 60.0
LABEL = "label=jina.run"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with made(tmp_path_factory.mktemp("image") / "up", f"jina-up-{os.getpid()}") as name:
        yield name


def write(shell: Shell, image: str, more: str = "") -> Path:
    (shell.folder / "data").mkdir(exist_ok=True)
    (shell.folder / "data" / "greeting").write_text("hello")
    return shell.write(
        "flow.yml",
        f"""\
jtype: Flow
executors:
  - name: up
    uses: docker://{image}
    uses_with: {{suffix: "!"}}
    env: {{COLOUR: "r\\u00e9d"}}
    volumes: [./data:/data:ro]
    docker_kwargs: {{network: none, shm_size: 128m}}
{more}""",
    )


def containers(shell: Shell) -> list[str]:
    """Ids of the containers of a shell's Flows."""
    form = ("--no-trunc", "--format", "{{.ID}} {{.Command}}")
    lines = engine("ps", "--all", "--filter", LABEL, *form).splitlines()
    return [line.split()[0] for line in lines if str(shell.run_dir) in line]


def all_containers() -> list[str]:
    """Ids of the containers of all Flows of this machine."""
    return engine("ps", "--all", "--quiet", "--no-trunc", "--filter", LABEL).split()


def clients(shell: Shell) -> list[int]:
    """The processes that wait for them; podman without root is two, of which this is the first."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes()
            if b"run\0--rm" in line and str(shell.run_dir).encode() in line:
                status = (entry / "stat").read_text().rpartition(")")[2].split()
                found[int(entry.name)] = int(status[1])
        except OSError:
            continue
    return [pid for pid, parent in found.items() if parent not in found]


@pytest.fixture(scope="module")
def up(shared_shell: Shell, image: str) -> Iterator[Running]:
    file = write(shared_shell, image, "    replicas: 2\n    timeout: {/hang: 500}\n")
    with shared_shell.up(file) as flow:
        yield flow
    assert not containers(shared_shell)


def post(shell: Shell, endpoint: str, lines: str) -> list[dict[str, object]]:
    done = shell.run("post", endpoint, "--timeout", "60s", stdin=lines)
    return done.lines


def test_the_executor_of_the_image_is_run(up: Running, shared_shell: Shell) -> None:
    (found,) = post(shared_shell, "/up", '{"text": "hi"}\n')
    assert (found["text"], found["tags"]) == ("HI!", {"colour": "réd", "user": os.getuid()})
    assert len(containers(shared_shell)) == 2


def test_its_workers_are_shown_as_others_are(up: Running, shared_shell: Shell) -> None:
    status = json.loads(shared_shell.run("flow", "status", "--json").out)
    workers = [each for each in status["workers"] if each["name"].startswith("up/")]
    assert len({each["pid"] for each in workers}) == 2
    assert all(each["state"] == "ready" and each["memory"] > 10_000_000 for each in workers)
    for each in workers:
        assert b"jina.launch.inside" in Path(f"/proc/{each['pid']}/cmdline").read_bytes()
    ps = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, check=True, text=True)
    assert "r\u00e9d" not in ps.stdout


def kill_worker(shell: Shell) -> None:
    os.kill(shell.workers()["up/0"], signal.SIGKILL)


def kill_container(shell: Shell) -> None:
    engine("kill", "--signal", "KILL", containers(shell)[0])


def kill_client(shell: Shell) -> None:
    os.kill(clients(shell)[0], signal.SIGKILL)


@pytest.mark.parametrize("kill", [kill_worker, kill_container, kill_client])
def test_a_death_is_made_good(up: Running, shared_shell: Shell, kill: object) -> None:
    shell = shared_shell
    wait_until(lambda: len(shell.workers()) == len(clients(shell)) == 2, WAIT_S)
    before = set(shell.workers().values())
    assert callable(kill)
    kill(shell)

    def is_back() -> bool:
        now = shell.workers()
        status = json.loads(shell.run("flow", "status", "--json").out)
        ready = [each for each in status["workers"] if each["state"] == "ready"]
        return set(now.values()) != before and len(ready) == 2

    wait_until(is_back, WAIT_S)
    found = post(shell, "/up", json_lines(500))
    assert len(found) == 500
    assert not any("error" in line for line in found)
    wait_until(lambda: len(containers(shell)) == 2, WAIT_S)
    # What the Executor had started has ended with its container.
    gone = [pid for pid in before if pid not in shell.workers().values()]
    assert gone
    assert not any(map(is_alive, gone))


def test_another_gateway_finds_them(up: Running, shared_shell: Shell) -> None:
    before = shared_shell.workers()
    os.kill(shared_shell.gateway(), signal.SIGKILL)
    up.wait_for("gateway was killed by SIGKILL")
    (found,) = post(shared_shell, "/up", '{"text": "hi"}\n')
    assert found["text"] == "HI!"
    assert shared_shell.workers() == before


def test_a_call_that_takes_too_long_is_ended(up: Running, shared_shell: Shell) -> None:
    (found,) = post(shared_shell, "/hang", '{"text": "hi"}\n')
    assert "error" in found
    up.wait_for('File "/app/up.py", line 34 in hang')  # its stacks


@pytest.mark.parametrize("with_gateway", [False, True])
def test_they_end_with_a_supervisor_that_is_killed(
    shell: Shell, image: str, with_gateway: bool
) -> None:
    file = write(shell, image)
    with shell.up(file) as flow:
        worker = shell.workers()["up/0"]
        victims = [shell.gateway()] if with_gateway else []
        for pid in [*victims, flow.pid]:
            os.kill(pid, signal.SIGKILL)
        flow.process.wait(WAIT_S)
        wait_until(lambda: not containers(shell), WAIT_S)
        wait_until(lambda: not clients(shell), WAIT_S)
        assert not is_alive(worker)
        assert shell.ps() == []


def test_files_go_to_the_workspace_of_the_flow(shell: Shell, image: str) -> None:
    file = write(shell, image, "    workspace: kept\n")
    with shell.up(file):
        (found,) = post(shell, "/write", '{"text": "abc"}\n')
        assert found["text"] == "hello"
    (texts,) = (shell.folder / "kept").glob("Up/**/texts")
    assert texts.read_text() == "abc"
    assert texts.stat().st_uid == os.getuid()


def test_a_flow_for_one_command_closes_the_executor(shell: Shell, image: str) -> None:
    done = shell.run("post", "/up", "--flow", write(shell, image), stdin='{"text": "a"}\n')
    assert [line["text"] for line in done.lines] == ["A!"]
    assert "closed" in done.err
    assert not containers(shell)


def test_an_error_of_the_constructor_is_told_at_its_place(shell: Shell, image: str) -> None:
    file = write(shell, image)
    file.write_text(file.read_text().replace('suffix: "!"', "fails: true"))
    done = shell.run("flow", "up", file)
    assert done.code == 1
    assert 'File "/app/up.py", line 13, in __init__' in done.err
    assert 'flow.yml:4:11: "up/0" did not start: ValueError: no weights' in done.err
    assert not containers(shell)


def test_an_argument_that_the_image_does_not_know(shell: Shell, image: str) -> None:
    file = write(shell, image)
    file.write_text(file.read_text().replace("suffix:", "sufix:"))
    with shell.up(file) as flow:
        flow.wait_for("did you mean `suffix`?")
        assert "flow.yml:5:17: " in flow.err


def test_an_image_without_an_executor(shell: Shell, image: str) -> None:
    done = shell.run("flow", "up", write(shell, image, "    entrypoint: jina --uses no.yml\n"))
    assert done.code != 0
    assert 'flow.yml:4:11: "up/0" did not start: the image has no /app/no.yml' in done.err
    done = shell.run("flow", "up", write(shell, image, "    entrypoint: /opt/python\n"))
    assert done.code != 0
    assert f'"up/0" did not start: the container of {image} could not be started: ' in done.err
    assert "help: an image needs Python 3.11 or newer as `python3`, and this jina" in done.err


def test_an_image_that_jina_has_exported(shell: Shell) -> None:
    shell.write("up.py", EXECUTOR)
    shell.write("mine.yml", "jtype: Up\npy_modules: up.py\n")
    done = shell.run("executor", "export", "dockerfile", "mine.yml", "-o", "image")
    assert done.code == 0, done.err
    folder = shell.folder / "image"
    # Here is no registry with Python, and no index with this jina: both are in the image.
    own = [line for line in (folder / "Dockerfile").read_text().splitlines() if "/flow" in line]
    (folder / "Containerfile").write_text("\n".join([f"FROM {IMAGE}", *own, ""]))
    name = f"localhost/jina-exported-{os.getpid()}:1"
    engine("build", "--quiet", "--file", str(folder / "Containerfile"), "--tag", name, str(folder))
    try:
        done = shell.run("post", "/up", "--flow", write(shell, name), stdin='{"text": "a"}\n')
        assert [line["text"] for line in done.lines] == ["A!"], done.err
    finally:
        engine("rmi", "--force", name)


def test_what_was_left_half_made_is_removed_by_the_next_start(shell: Shell, image: str) -> None:
    with subprocess.Popen(["true"]) as ended:
        alive = mark_of(os.getpid(), 1)
        gone = mark_of(ended.pid, 1) or alive.replace(f"-{os.getpid()}-", f"-{ended.pid}-")
    made_by = {"alive": alive, "gone": gone}
    left = {name: engine("create", f"--label=jina.run={m}", image) for name, m in made_by.items()}
    try:
        shell.run("post", "/up", "--flow", write(shell, image), stdin='{"text": "a"}\n')
        there = all_containers()
        assert left["alive"] in there
        assert left["gone"] not in there
    finally:
        for each in set(left.values()) & set(all_containers()):
            engine("rm", "--force", each)


def test_an_image_that_cannot_be_pulled_again_is_used_as_it_is(shell: Shell, image: str) -> None:
    file = write(shell, image, "    pull_latest: true\n")
    done = shell.run("post", "/up", "--flow", file, stdin='{"text": "a"}\n')
    assert [line["text"] for line in done.lines] == ["A!"]
    assert "it could not be pulled; the image that is here is used" in done.err


def test_an_image_that_is_nowhere(shell: Shell) -> None:
    file = write(shell, "localhost/jina-nowhere:1")
    for words in (["check"], ["up"]):
        done = shell.run("flow", *words, file)
        assert done.code == 1
        text = "flow.yml:4:11: error[unfit-container]: the image localhost/jina-nowhere:1 is not on"
        assert text in done.out + done.err


def test_a_flow_in_python(shell: Shell, image: str) -> None:
    program = f"""\
from jina import Document, Flow
with Flow().add(uses="docker://{image}", docker_kwargs={{"network": "none"}}) as flow:
    flow.post("/up", Document(text="a"), on_done=lambda r: print(r.docs[0].text))
"""
    script = shell.write("run.py", program)
    with shell.start(script, program=(sys.executable,)) as running:
        assert running.end().out == "A?\n"
