"""Whatever loads a model for long says so: on a terminal in place, elsewhere in lines."""

from __future__ import annotations

import re

from tests.polling import wait_until
from tests.shell import WAIT_S, Shell
from tests.terminal import Terminal

LOADS = """
import os, time
from jina import Executor, requests


class Loads(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        while not os.path.exists({go!r}):
            time.sleep(0.01)

    @requests
    def call(self, docs, **kwargs): ...
"""


def told(shell: Shell, words: str, *arguments: str) -> list[str]:
    """Run a command that loads until it has said so; what is seen at last.

    After how many seconds it is seen first depends on how busy the machine is.
    """
    go = shell.folder / "go"
    go.unlink(missing_ok=True)
    with Terminal(shell, *arguments) as terminal:
        terminal.wait_for(words)
        wait_until(lambda: re.search(re.escape(words) + r"[1-9]\d* s\)", terminal.shown))
        go.touch()
        assert terminal.process.wait(WAIT_S) == 0
    lines = terminal.screen.lines
    assert not any("loading" in line for line in lines)
    return lines


def test_a_model_that_loads_for_long_is_told(shell: Shell) -> None:
    shell.write("loads.py", LOADS.format(go=str(shell.folder / "go")))
    shell.write("my.yml", "jtype: Loads\npy_modules: loads.py\n")
    shell.write("flow.yml", "executors: [{name: model, uses: my.yml}]\n")
    lines = told(shell, "loading my.yml (", "executor", "run", "my.yml", "/", "--text", "x")
    assert lines[0] == "x"
    told(shell, "loading model (", "flow", "up", "--detach", "flow.yml")
    try:
        assert told(shell, "loading model (", "flow", "restart")[-2] == "model/0 is ready"
        assert told(shell, "loading model (", "flow", "scale", "model=2")[-2].endswith("ready")
    finally:
        assert shell.run("flow", "down").code == 0


def test_without_a_terminal_it_is_told_after_a_second_too(shell: Shell) -> None:
    go = shell.folder / "go"
    shell.write("loads.py", LOADS.format(go=str(go)))
    shell.write("my.yml", "jtype: Loads\npy_modules: loads.py\n")
    shell.write("flow.yml", "executors: [{name: model, uses: my.yml}]\n")
    with shell.start("executor", "run", "my.yml", "/", "--text", "x") as run:
        wait_until(lambda: re.search(r"^loading my\.yml \([1-9]\d* s\)\n", run.err))
        go.touch()
        assert run.end().code == 0
    go.unlink()
    with shell.start("post", "/", "--text", "x", "--flow", "flow.yml") as post:
        wait_until(lambda: re.search(r"^loading model \([1-9]\d* s\)\n", post.err, re.MULTILINE))
        go.touch()
        done = post.end()
        started = "Starting flow.yml for this command only; use `jina flow up flow.yml` to keep it"
        assert (done.code, done.said) == (0, f"{started} running\n")
