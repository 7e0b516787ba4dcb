"""Executors in other interpreters: one Flow, several environments."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.polling import wait_until
from tests.pythons import make_venv
from tests.shell import Shell, is_alive, json_lines

WHO = """
import os, sys
from jina import Executor, requests

print("imported by", sys.executable, flush=True)


class Who(Executor):
    @requests
    def who(self, docs, **kwargs):
        for doc in docs:
            doc.tags[self.runtime_args.name] = [sys.executable, os.environ.get("VIRTUAL_ENV", "")]
"""


def flow(python: str) -> str:
    return (
        "jtype: Flow\nexecutors:\n"
        "  - {name: here, uses: 'who.py:Who', uses_metas: {name: h}}\n"
        "  - name: there\n"
        "    uses: who.py:Who\n"
        f"    {python}\n"
    )


def pythons(shell: Shell) -> dict[str, str]:
    (found,) = shell.ps()
    return {f"{each['node']}/{each['replica']}": each["python"] for each in found["workers"]}


def tags(shell: Shell) -> dict[str, Any]:
    (line,) = shell.run("post", "/", "--text", "x").lines
    return dict(line["tags"])


def test_one_flow_has_workers_in_two_interpreters(shell: Shell, other_python: str) -> None:
    venv = str(Path(other_python).parents[1])
    (shell.folder / "envs").mkdir()
    os.symlink(venv, shell.folder / "envs" / "other")
    shell.write("who.py", WHO)
    shell.write("flow.yml", flow("venv: envs/other"))
    linked = str(shell.folder / "envs" / "other")
    theirs = f"{linked}/bin/python"
    with shell.up("flow.yml") as up:
        ours = pythons(shell)["here/0"]
        assert Path(ours).parent == Path(sys.executable).parent
        assert pythons(shell)["there/0"] == theirs
        found = tags(shell)
        assert found["here"][0] == ours
        assert found["there"] == [theirs, linked]
        assert f"there/0 | imported by {theirs}\n" in shell.run("flow", "logs").out

        rows = [row.split() for row in shell.run("flow", "ps", "-v").out.splitlines()]
        assert "python" in rows[0]
        assert "envs/other/bin/python" in rows[2]
        (_, worker) = json.loads(shell.run("flow", "status", "--json").out)["workers"]
        assert worker["python"] == theirs
        assert worker["python_version"] == sys.version.partition(" ")[0]

        # Killed, it comes back in its interpreter, and no line is lost.
        before = shell.workers()
        os.kill(before["there/0"], signal.SIGKILL)
        done = shell.run("post", "/", stdin=json_lines(50))
        assert (done.code, len(done.lines)) == (0, 50)
        assert {line["tags"]["there"][0] for line in done.lines} == {theirs}
        after = shell.workers()
        assert after["here/0"] == before["here/0"]
        assert after["there/0"] != before["there/0"]

        assert shell.run("flow", "scale", "there=2").code == 0
        assert pythons(shell) == {"here/0": ours, "there/0": theirs, "there/1": theirs}

        # Restarted, it is in the interpreter that the YAML names now, if that is fit.
        shell.write("flow.yml", flow(f"python: {other_python}"))
        assert shell.run("flow", "restart", "there").code == 0
        assert set(pythons(shell).values()) == {ours, other_python}
        empty = make_venv(shell.folder / "empty")
        shell.write("flow.yml", flow("venv: empty"))
        done = shell.run("flow", "restart", "there")
        assert done.code == 1
        assert f"{empty} (Python" in done.err
        assert ") has no jina" in done.err
        assert set(pythons(shell).values()) == {ours, other_python}

        # It does not outlive the Flow, however that ends.
        pids = shell.workers().values()
        up.end(signal.SIGKILL)
        wait_until(lambda: not any(map(is_alive, pids)), what="the workers are gone")


def test_what_changes_is_restarted_in_its_interpreter(shell: Shell, other_python: str) -> None:
    shell.write("who.py", WHO)
    shell.write("flow.yml", flow("replicas: 1"))
    with shell.up("flow.yml", "--watch") as up:
        shell.write("flow.yml", flow(f"python: {other_python}"))
        up.wait_for('changed "there": restart')
        first = shell.workers()
        assert pythons(shell)["there/0"] == other_python
        shell.write("who.py", f"{WHO}\n# another one\n")
        up.wait_for('changed "here", "there": restart')
        assert shell.workers()["there/0"] != first["there/0"]
        assert pythons(shell)["there/0"] == other_python


@pytest.mark.parametrize(
    "words", ["flow up flow.yml", "flow up --detach flow.yml", "post / -q --text x --flow flow.yml"]
)
def test_an_interpreter_without_jina_is_told_at_its_line(shell: Shell, words: str) -> None:
    python = make_venv(shell.folder / "empty")
    shell.write("who.py", WHO)
    shell.write("flow.yml", flow("venv: empty"))
    done = shell.run(*words.split())
    assert done.code == 1
    version = sys.version.partition(" ")[0]
    assert done.err == (
        f'error: flow.yml:6:11: "there/0" did not start: {python} (Python {version}) has no jina\n'
        "help: install this jina in it: "
        f"`jina executor install --venv {shell.folder / 'empty'}`\n"
    )
    assert not shell.directories()


def test_an_environment_that_is_not_there_is_told_before_anything_starts(shell: Shell) -> None:
    shell.write("who.py", WHO)
    shell.write("flow.yml", flow("venv: envs/none"))
    done = shell.run("flow", "up", "flow.yml")
    assert done.code == 2
    folder = shell.folder / "envs/none"
    assert done.err == (
        f"flow.yml:6:11: error[file-not-found]: there is no virtual environment at {folder}\n"
        "  6 |     venv: envs/none\n"
        "    |           ^^^^^^^^^\n"
        f"help: make it: `jina executor install --venv {folder}`\n"
    )
