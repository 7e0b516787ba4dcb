"""The first process of a container, run here as a process like any other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jina.executors.container import ContainerSpec
from jina.executors.spec import ExecutorSpec
from jina.graph.plan import WorkerSpec
from jina.launch import boxes
from jina.launch.elsewhere import UNSUITED
from jina.launch.sources import VERSION
from jina.runtime import start_error
from jina.runtime.board import create_board
from jina.runtime.control import UNFIT, Assignment
from jina.runtime.fingerprint import fingerprint
from jina.runtime.structs import encode_msgpack
from tests.polling import wait_until
from tests.shell import WAIT_S

_MODULE = """\
import os
from jina import Executor, requests

class Up(Executor):
    def __init__(self, suffix, **kwargs):
        super().__init__(**kwargs)
        print("built", suffix, os.environ["COLOUR"], self.workspace, flush=True)

    @requests
    def up(self, **kwargs):
        pass
"""


class Box:
    """The folder of a worker, and the process that runs it."""

    def __init__(self, folder: Path, over: ExecutorSpec) -> None:
        create_board(folder / "board")
        (folder / "up.py").write_text(_MODULE)
        (folder / "config.yml").write_text("jtype: Up\npy_modules: up.py\nwith: {suffix: a}\n")
        self.assignment = Assignment(
            identity="up/0",
            spec=WorkerSpec(node="up", replica=0, executor=over),
            back=f"ipc://{folder}/nobody",
            board=str(folder / "board"),
            slot=1,
        )
        self.path = boxes.box_of(self.assignment)
        self.life = boxes._make(self.path, {"COLOUR": "réd\n"})
        (self.path / "assignment").write_bytes(encode_msgpack(self.assignment))
        self.process: subprocess.Popen[bytes] | None = None
        self.folder = folder

    def run(self, file: str = "config.yml", version: str = VERSION) -> None:
        words = [str(self.path / "contained.py"), str(self.path), file, version, fingerprint()]
        self.process = subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def read_line(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode()

    def end(self) -> int:
        assert self.process is not None
        return self.process.wait(WAIT_S)

    def close(self) -> None:
        if self.life >= 0:
            os.close(self.life)
            self.life = -1
        if self.process is not None:
            self.process.communicate()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path, ExecutorSpec(jtype="BaseExecutor", with_={"suffix": "b"}))
    yield made
    made.close()


def test_it_runs_the_executor_of_the_image_and_ends_with_the_supervisor(box: Box) -> None:
    box.run()
    assert box.read_line() == "built b réd\n"
    assert box.read_line() == f" {box.folder}/Up/0\n"  # the workspace: the working directory
    os.close(box.life)
    box.life = -1
    assert box.end() == 128 + signal.SIGKILL


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_it_passes_signals_on(box: Box, signum: signal.Signals) -> None:
    box.run()
    assert box.read_line() == "built b réd\n"
    os.write(box.life, bytes([signum]))
    assert box.end() == 128 + signum


def test_it_does_not_begin_if_the_supervisor_is_gone(box: Box) -> None:
    os.close(box.life)
    box.life = -1
    box.run()
    assert box.end() == 128 + signal.SIGKILL


def test_another_jina_is_told_apart(box: Box) -> None:
    box.run(version="0.0.1")
    assert "has jina " in box.read_line()
    assert box.end() == UNSUITED


def test_an_image_without_its_yaml(box: Box) -> None:
    box.run(file="missing.yml")
    assert box.end() == UNFIT
    with open(box.path / "assignment", "rb") as file:
        told = start_error.read(file.fileno())
    assert told is not None
    assert told.message.startswith("the image has no /")
    assert told.message.endswith("/missing.yml")
    assert "`--uses`" in told.hint


def test_the_supervisor_sees_that_nobody_reads_any_more(box: Box) -> None:
    box.run()
    assert box.read_line() == "built b réd\n"
    process = subprocess.Popen(["true"], stdout=subprocess.PIPE)  # a client that was killed
    process.wait()
    spec = ContainerSpec(image="none")
    child = boxes.ContainedChild("up/0", process, spec, "", box.path, box.life, -1)
    box.life = -1
    wait_until(child.has_ended, WAIT_S)  # it has ended the rest of the container
    assert box.end() == 128 + signal.SIGKILL
    child.close()
    assert not box.path.exists()
